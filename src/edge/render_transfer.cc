// Transfers: at once, as a hold, and resolved.

#include "base/check.h"
#include "edge/render_parts.h"

namespace edge {

using wire::JsonWriter;

namespace {

// What events that create a transfer have in common.
struct Creation {
  base::U128 amount;
  model::AssetNumber asset;
  const model::Side& debit;
  const model::Side& credit;
  model::EventNumber group;
  const model::HoldPlaced* hold;
};

Creation creation_of(const model::Event& event) {
  if (const auto* hold = std::get_if<model::HoldPlaced>(&event.body)) {
    return {hold->amount, hold->asset, hold->debit, hold->credit, hold->group, hold};
  }
  const auto* posted = std::get_if<model::TransferPosted>(&event.body);
  CHECK_THAT(posted != nullptr, "a transfer is created by TransferPosted or HoldPlaced");
  return {posted->amount, posted->asset, posted->debit, posted->credit, posted->group, nullptr};
}

void write_balances(JsonWriter& json, const model::Side& debit, const model::Side& credit) {
  json.key("balances");
  json.begin_object();
  json.key("debit_account");
  json.begin_object();
  write_counters(json, debit.after);
  json.end_object();
  json.key("credit_account");
  json.begin_object();
  write_counters(json, credit.after);
  json.end_object();
  json.end_object();
}

gate::TransferState state_of(model::HoldResolution resolution) {
  switch (resolution) {
    case model::HoldResolution::captured:
      return gate::TransferState::captured;
    case model::HoldResolution::voided:
      return gate::TransferState::voided;
    case model::HoldResolution::expired:
      return gate::TransferState::expired;
  }
  CHECK_THAT(false, "a resolution without a state");
}

}  // namespace

void write_transfer(JsonWriter& json, const Backend& backend, const EventAt& created, gate::TransferState state,
                    const EventAt* resolved) {
  const Creation creation = creation_of(created.event);
  const model::HoldResolved* end =
      resolved == nullptr ? nullptr : std::get_if<model::HoldResolved>(&resolved->event.body);
  write_transfer_id(json, backend, "id", created.number);
  json.member("kind", "internal");
  json.member("state", gate::to_text(state));
  write_amount(json, "amount", creation.amount);
  write_asset(json, backend, "asset", creation.asset);
  write_account(json, backend, "debit_account", creation.debit.account);
  write_account(json, backend, "credit_account", creation.credit.account);
  json.member("hold", creation.hold != nullptr);
  if (creation.hold != nullptr && creation.hold->expires_at.ns != 0)
    write_instant(json, "expires_at", creation.hold->expires_at);
  if (const auto value = private_value(created.source, created.number, model::PrivateField::transfer_reference)) {
    json.member("reference", base::as_text(*value));
  }
  if (const auto value = private_value(created.source, created.number, model::PrivateField::transfer_metadata)) {
    write_metadata(json, *value);
  }
  if (creation.group != 0) write_transfer_id(json, backend, "group", creation.group);
  write_instant(json, "created_at", created.event.at);
  if (end != nullptr) {
    write_amount(json, "captured_amount", end->captured);
    write_amount(json, "released_amount", end->held - end->captured);
    write_instant(json, "resolved_at", resolved->event.at);
    write_balances(json, end->debit, end->credit);
  } else {
    write_balances(json, creation.debit, creation.credit);
  }
}

void write_resolution(JsonWriter& json, const Backend& backend, const EventAt& at, const model::HoldResolved& end) {
  write_transfer_id(json, backend, "id", end.hold);
  json.member("kind", "internal");
  json.member("state", gate::to_text(state_of(end.resolution)));
  write_amount(json, "amount", end.held);
  write_asset(json, backend, "asset", end.asset);
  write_account(json, backend, "debit_account", end.debit.account);
  write_account(json, backend, "credit_account", end.credit.account);
  json.member("hold", true);
  write_amount(json, "captured_amount", end.captured);
  write_amount(json, "released_amount", end.held - end.captured);
  write_instant(json, "resolved_at", at.event.at);
  write_balances(json, end.debit, end.credit);
}

void write_posting(JsonWriter& json, const Backend& backend, const EventAt& at, model::AccountNumber account) {
  const auto* end = std::get_if<model::HoldResolved>(&at.event.body);
  // A hold that is for another account from now on: both accounts are on its credit side.
  const auto* redirected = std::get_if<model::HoldRedirected>(&at.event.body);
  const Creation movement = end != nullptr ? Creation{end->captured, end->asset, end->debit, end->credit, 0, nullptr}
                            : redirected != nullptr
                                ? Creation{redirected->amount, redirected->asset, redirected->debit, redirected->credit, 0, nullptr}
                                : creation_of(at.event);
  const bool debited = movement.debit.account == account;
  write_position(json, backend, "event", at.number);
  write_instant(json, "at", at.event.at);
  if (end != nullptr) {
    json.member("type", end->resolution == model::HoldResolution::captured ? "hold_captured"
                        : end->resolution == model::HoldResolution::voided ? "hold_voided"
                                                                           : "hold_expired");
  } else if (redirected != nullptr) {
    json.member("type", "hold_redirected");
  } else {
    json.member("type", movement.hold != nullptr ? "hold_placed" : "transfer_posted");
  }
  write_transfer_id(json, backend, "transfer", end != nullptr ? end->hold : redirected != nullptr ? redirected->hold : at.number);
  json.member("side", debited && redirected == nullptr ? "debit" : "credit");
  write_amount(json, "amount", movement.amount);
  if (end != nullptr) write_amount(json, "released_amount", end->held - end->captured);
  write_asset(json, backend, "asset", movement.asset);
  write_account(json, backend, "counterparty", debited ? movement.credit.account : movement.debit.account);
  if (const auto value = private_value(at.source, at.number, model::PrivateField::transfer_reference)) {
    json.member("reference", base::as_text(*value));
  }
  json.key("balance");
  json.begin_object();
  write_counters(json, debited ? movement.debit.after : movement.credit.after);
  json.end_object();
}

}  // namespace edge
