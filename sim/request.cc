#include "sim/request.h"

namespace sim {

namespace {

std::string text_of(const std::optional<base::U128>& value) { return value ? base::to_decimal(*value) : ""; }

void add_limits(std::vector<std::string>& fields, const model::AccountLimits& limits) {
  fields.push_back(text_of(limits.debit_amount_max));
  fields.push_back(text_of(limits.daily_debits_max));
  fields.push_back(text_of(limits.balance_max));
}

}  // namespace

model::Operation operation_of(const Request& request) {
  using model::Operation;
  switch (request.kind) {
    case Kind::open_tenant: return Operation::open_tenant;
    case Kind::register_asset: return Operation::register_asset;
    case Kind::open_account: return Operation::open_account;
    case Kind::change_flags: return Operation::change_account_flags;
    case Kind::set_limits: return Operation::set_account_limits;
    case Kind::transfer:
    case Kind::batch: return Operation::create_transfer;
    case Kind::capture: return Operation::capture_hold;
    case Kind::void_hold: return Operation::void_hold;
    case Kind::cancel_key: return Operation::cancel_key;
    case Kind::create_client: return Operation::create_client;
    case Kind::rotate_client: return Operation::rotate_client;
    case Kind::revoke_client: return Operation::revoke_client;
    case Kind::configure_rail: return Operation::configure_rail;
    case Kind::control_rail: return Operation::control_rail;
    case Kind::payout: return Operation::create_payout;
    case Kind::collect: return Operation::create_collect;
    case Kind::cancel_transfer: return Operation::cancel_transfer;
    case Kind::review: return Operation::review_transfer;
    case Kind::resolve: return Operation::resolve_unknown;
    case Kind::refund: return Operation::refund_transfer;
    case Kind::report: return Operation::report_rail;
  }
  return Operation::none;
}

KeyName key_of(const Request& request, std::size_t item) {
  return {request.tenant, request.principal, operation_of(request),
          request.movements.empty() ? request.key : request.movements[item].key};
}

KeyName batch_key_of(const Request& request) {
  return {request.tenant, request.principal, model::Operation::record_batch, request.key};
}

std::vector<std::string> fields_of(const Request& request, std::size_t item) {
  if (!request.movements.empty()) {
    const Movement& m = request.movements[item];
    return {m.debit, m.credit, model::to_text(m.asset), base::to_decimal(m.amount), m.hold ? "hold" : "",
            m.hold_seconds == 0 ? "" : std::to_string(m.hold_seconds), m.reference, m.note};
  }
  std::vector<std::string> fields;
  switch (request.kind) {
    case Kind::open_tenant: fields = {request.name}; break;
    case Kind::register_asset: fields = {model::to_text(request.asset)}; break;
    case Kind::open_account:
      fields = {request.name, model::to_text(request.asset), std::to_string(request.flags)};
      add_limits(fields, request.limits);
      fields.push_back(request.note);
      break;
    case Kind::change_flags:
      fields = {request.name, std::to_string(static_cast<int>(request.action))};
      if (request.action != gate::FlagAction::close) {
        fields.push_back(request.debits ? "" : "no");
        fields.push_back(request.credits ? "" : "no");
      }
      break;
    case Kind::set_limits:
      fields = {request.name};
      add_limits(fields, request.limits);
      break;
    case Kind::capture: fields = {std::to_string(request.hold), text_of(request.amount)}; break;
    case Kind::void_hold: fields = {std::to_string(request.hold)}; break;
    case Kind::cancel_key:
      fields = {std::to_string(static_cast<int>(request.cancelled_operation)), request.cancelled_key};
      break;
    case Kind::create_client: fields = {request.name, request.person ? "person" : "service", std::to_string(request.scopes)}; break;
    case Kind::rotate_client: fields = {std::to_string(request.client), std::to_string(request.overlap_seconds)}; break;
    case Kind::revoke_client: fields = {std::to_string(request.client)}; break;
    case Kind::configure_rail: fields = {request.name, model::to_text(request.asset), std::to_string(request.profile.cost_fixed > 0 ? 1 : 0)}; break;
    case Kind::control_rail:
      fields = {request.name, std::to_string(static_cast<int>(request.rail_action))};
      if (request.rail_action == gate::RailAction::maintenance) {
        fields.push_back(std::to_string(request.from.ns));
        fields.push_back(std::to_string(request.until.ns));
      }
      break;
    case Kind::payout:
    case Kind::collect:
      fields = {request.name, model::to_text(request.asset), text_of(request.amount), request.rail, beneficiary_of(request), "", "",
                request.send_within_seconds == 0 ? "" : std::to_string(request.send_within_seconds), request.reference, request.note};
      break;
    case Kind::cancel_transfer: fields = {std::to_string(request.transfer)}; break;
    case Kind::review: fields = {std::to_string(request.transfer), request.approve ? "yes" : "no", request.reason}; break;
    case Kind::resolve: fields = {std::to_string(request.transfer), std::to_string(static_cast<int>(request.verdict)), request.reason}; break;
    case Kind::refund: fields = {std::to_string(request.transfer), text_of(request.amount), request.reference, request.note}; break;
    case Kind::transfer:
    case Kind::batch:
    case Kind::report: break;
  }
  fields.resize(model::fingerprint_fields_max);
  return fields;
}

std::string beneficiary_of(const Request& request) { return "{\"of\":\"" + request.name + "\"}"; }

base::Bytes metadata_of(const std::string& note) {
  if (note.empty()) return {};
  return gate::canonical_metadata({{"note", note}}).value();
}

}  // namespace sim
