// The reply to a command: the resource that its event made, or the problem that it recorded.

#include "edge/render_parts.h"
#include "gate/fingerprint.h"
#include "model/account.h"
#include "wire/http_message.h"

namespace edge {

using model::Outcome;
using wire::JsonWriter;

namespace {

constexpr std::uint16_t created_status = 201;
constexpr std::uint16_t accepted_status = 202;

Rendered created(std::string location = {}) {
  return {.status = created_status, .outcome = Outcome::done, .location = std::move(location)};
}

void write_private_text(JsonWriter& json, std::string_view name, const EventAt& at, model::PrivateField field) {
  if (const auto value = private_value(at.source, at.number, field)) json.member(name, base::as_text(*value));
}

Rendered write_problem(JsonWriter& json, Outcome outcome, const base::Tag128& trace, std::string_view detail,
                       std::span<const wire::FieldProblem> fields) {
  const model::OutcomeRow& row = model::row_of(outcome);
  write_problem_head(json, row, detail);
  write_problem_tail(json, trace, fields);
  return {.status = row.http_status, .outcome = outcome, .location = {}};
}

std::vector<wire::FieldProblem> differences(model::Operation operation, const AnswerItem& item) {
  std::vector<wire::FieldProblem> fields;
  for (const std::string_view name : gate::field_names(operation, item.differing_fields)) {
    fields.push_back(
        {"request_field_differs", "/" + std::string(name), "differs from the first request with this key", ""});
  }
  return fields;
}

// The transfer that a person's or a client's command is about; 0 for other commands.
model::EventNumber decided_transfer(const model::Command& command) {
  if (const auto* cancel = std::get_if<model::CancelTransfer>(&command.body)) return cancel->transfer;
  if (const auto* review = std::get_if<model::ReviewTransfer>(&command.body)) return review->transfer;
  if (const auto* resolve = std::get_if<model::ResolveUnknown>(&command.body)) return resolve->transfer;
  return 0;
}

// One overload for each kind of event a client can be answered with.
struct ItemWriter {
  JsonWriter& json;
  const RenderContext& context;
  const EventAt& at;
  bool replayed;

  const Backend& backend() const { return context.backend; }

  // The secret itself is nowhere kept; who asks again is told so, always in the same bytes.
  Rendered secret_shown() const {
    return write_problem(json, Outcome::secret_already_shown, at.source.entry.command.trace, "", {});
  }

  Rendered operator()(const model::TenantOpened& event) const {
    write_private_text(json, "name", at, model::PrivateField::tenant_name);
    json.member("number", std::uint64_t{event.tenant});
    write_instant(json, "opened_at", at.event.at);
    return created();
  }
  Rendered operator()(const model::AssetRegistered& event) const {
    const std::string code = model::to_text(event.asset);
    json.member("code", std::string_view(code));
    json.member("world_account", std::string_view("world/" + code.substr(0, code.find('/'))));
    write_instant(json, "registered_at", at.event.at);
    return created();
  }
  Rendered operator()(const model::AccountOpened& event) const {
    // A new rail opens its accounts first; the answer is the rail.
    for (const model::Event& other : at.source.entry.events) {
      if (const auto* rail = std::get_if<model::RailConfigured>(&other.body)) return (*this)(*rail);
    }
    const auto value = private_value(at.source, at.number, model::PrivateField::account_name);
    const std::string_view name = value ? base::as_text(*value) : backend().account_name(event.number);
    json.key("id");
    if (name.empty()) {
      json.null();
    } else {
      json.string(name);
    }
    write_asset(json, backend(), "asset", event.asset);
    write_flags(json, event.flags);
    write_limits(json, event.limits);
    write_counters(json, {});
    if (const auto metadata = private_value(at.source, at.number, model::PrivateField::account_metadata)) {
      write_metadata(json, *metadata);
    }
    write_instant(json, "opened_at", at.event.at);
    return created(name.empty() ? std::string() : "/v1/accounts/" + wire::encode_segment(name));
  }
  Rendered operator()(const model::AccountFlagsChanged& event) const {
    write_account(json, backend(), "id", event.account);
    write_flags(json, event.flags);
    write_counters(json, event.counters);
    write_instant(json, "changed_at", at.event.at);
    return {};
  }
  Rendered operator()(const model::AccountLimitsSet& event) const {
    write_account(json, backend(), "id", event.account);
    write_limits(json, event.limits);
    write_instant(json, "changed_at", at.event.at);
    return {};
  }
  Rendered operator()(const model::TransferPosted&) const { return transfer(gate::TransferState::posted); }
  Rendered operator()(const model::HoldPlaced&) const { return transfer(gate::TransferState::held); }
  Rendered transfer(gate::TransferState state) const {
    write_transfer(json, backend(), at, state, nullptr);
    if (const auto* refund = std::get_if<model::RefundTransfer>(&at.source.entry.command.body)) {
      write_transfer_id(json, backend(), "refund_of", refund->original);
    }
    return created("/v1/transfers/" + model::transfer_id(backend().partition(), at.number));
  }
  Rendered operator()(const model::HoldResolved& event) const {
    if (const model::EventNumber transfer = decided_transfer(at.source.entry.command); transfer != 0) {
      write_decision(json, backend(), at, transfer);
      return {};
    }
    write_resolution(json, backend(), at, event);
    return {};
  }
  Rendered operator()(const model::Refused& event) const {
    write_refused(json, backend(), at, event);
    return {.status = model::row_of(event.outcome).http_status, .outcome = event.outcome, .location = {}};
  }
  Rendered operator()(const model::KeyCancelled&) const {
    json.member("cancelled", true);
    write_instant(json, "cancelled_at", at.event.at);
    return {};
  }
  Rendered operator()(const model::BatchRecorded& event) const {
    json.member("items", std::uint64_t{event.items});
    write_instant(json, "recorded_at", at.event.at);
    return {};
  }
  Rendered operator()(const model::ClientCreated& event) const {
    if (replayed) return secret_shown();
    json.member("id", std::string_view(model::client_id(event.number)));
    write_private_text(json, "name", at, model::PrivateField::client_name);
    json.member("kind", event.kind == model::PrincipalKind::person ? "person" : "service");
    write_scopes(json, event.scopes);
    if (!context.secret.empty()) json.member("refresh_secret", context.secret);
    write_instant(json, "created_at", at.event.at);
    return created();
  }
  Rendered operator()(const model::ClientRotated& event) const {
    if (replayed) return secret_shown();
    json.member("id", std::string_view(model::client_id(event.number)));
    json.member("generation", std::uint64_t{event.generation});
    if (!context.secret.empty()) json.member("refresh_secret", context.secret);
    write_instant(json, "former_secret_valid_until", event.former_valid_until);
    write_instant(json, "rotated_at", at.event.at);
    return {};
  }
  Rendered operator()(const model::ClientRevoked& event) const {
    json.member("id", std::string_view(model::client_id(event.number)));
    write_instant(json, "revoked_at", at.event.at);
    return {};
  }
  Rendered operator()(const model::WebhookCreated& event) const {
    if (replayed) return secret_shown();
    write_webhook_created(json, at, event, context.secret);
    return created("/v1/webhooks/" + model::webhook_id(event.number));
  }
  Rendered operator()(const model::WebhookRotated& event) const {
    if (replayed) return secret_shown();
    write_webhook_rotated(json, at, event, context.secret);
    return {};
  }
  Rendered operator()(const model::WebhookChanged& event) const {
    write_webhook_changed(json, at, event);
    return {};
  }
  Rendered operator()(const model::WebhookRemoved& event) const {
    write_webhook_removed(json, at, event);
    return {};
  }
  Rendered operator()(const model::ClockConfirmed& event) const {
    json.member("jump_ns", std::string_view(std::to_string(event.jump.ns)));
    write_instant(json, "confirmed_at", at.event.at);
    return {};
  }
  Rendered operator()(const model::EpochBumped& event) const {
    json.member("epoch", std::uint64_t{event.epoch});
    return {};
  }
  Rendered operator()(const model::LogKeyChanged& event) const {
    json.member("version", std::uint64_t{event.version});
    return {};
  }
  // Accepted, not created: money has not moved over a rail by the time of this reply.
  Rendered operator()(const model::TransferRequested&) const {
    write_requested(json, backend(), at);
    return {.status = accepted_status,
            .outcome = Outcome::done,
            .location = "/v1/transfers/" + model::transfer_id(backend().partition(), at.number)};
  }
  Rendered operator()(const model::RailConfigured& event) const {
    write_rail_configured(json, backend(), at, event);
    return created("/v1/rails/" + std::string(model::to_text(event.name)));
  }
  Rendered operator()(const model::RailControlled& event) const {
    write_rail_controlled(json, backend(), at, event);
    return {};
  }
  Rendered operator()(const model::StatementRecorded& event) const {
    write_statement_taken(json, backend(), at, event);
    return created("/v1/reconciliations/" + model::statement_id(event.statement == 0 ? at.number : event.statement));
  }
  Rendered operator()(const model::ExceptionVoted& event) const {
    write_exception_voice(json, at, event);
    return {};
  }
  // A first import opens its partner and its key before; the answer is the import.
  Rendered import_taken() const {
    model::EventNumber number = 0;
    const model::ImportReceived* received = received_in(at.source.entry, number);
    CHECK_THAT(received != nullptr, "partners and keys are opened by imports");
    const EventAt place{at.source, at.source.entry.events[static_cast<std::size_t>(number - at.source.entry.first_event)], number};
    return write_import_taken(json, place, *received);
  }
  Rendered operator()(const model::PartnerOpened&) const { return import_taken(); }
  Rendered operator()(const model::KeyOpened&) const { return import_taken(); }
  Rendered operator()(const model::ImportReceived&) const { return import_taken(); }
  Rendered operator()(const model::ImportChallenged& event) const {
    write_challenge(json, backend(), event);
    return {};
  }
  Rendered operator()(const model::ImportMoved& event) const {
    write_import_step(json, at, event.import);
    return {};
  }
  Rendered operator()(const model::ImportVoted& event) const {
    write_import_step(json, at, event.import);
    return {};
  }
  Rendered operator()(const model::KeyVersionMoved& event) const {
    write_key_step(json, at, event.key);
    return {};
  }
  // Other steps answer a command that names the transfer, or a report. Whoever reports learns no more than that it was taken.
  template <typename Step>
  Rendered operator()(const Step&) const {
    if (const model::EventNumber transfer = decided_transfer(at.source.entry.command); transfer != 0) {
      write_decision(json, backend(), at, transfer);
    } else {
      write_instant(json, "taken_at", at.event.at);
    }
    return {};
  }
};

}  // namespace

Rendered write_item(JsonWriter& json, const RenderContext& context, const AnswerItem& item) {
  if (item.source == nullptr) {
    return write_problem(json, item.refusal, context.trace, "", differences(context.operation, item));
  }
  const EventAt at = event_of(item);
  // An answer that is not the event's own: the key was cancelled, say, and the event tells since when.
  if (item.refusal != Outcome::done) {
    return write_problem(json, item.refusal, at.source.entry.command.trace, "", differences(context.operation, item));
  }
  return std::visit(ItemWriter{json, context, at, item.replayed}, at.event.body);
}

Rendered render_item(const RenderContext& context, const AnswerItem& item, std::string& out) {
  JsonWriter json(out);
  json.begin_object();
  Rendered rendered = write_item(json, context, item);
  json.end_object();
  return rendered;
}

// An item's status stands behind what it is the status of: it is known only then. A problem carries its own already.
void render_batch(const RenderContext& context, const Answer& answer, std::string& out) {
  constexpr std::size_t item_bytes = 900;
  out.reserve(out.size() + answer.items.size() * item_bytes);
  JsonWriter json(out);
  json.begin_object();
  json.key("items");
  json.begin_array();
  for (const AnswerItem& item : answer.items) {
    json.begin_object();
    const Rendered rendered = write_item(json, context, item);
    if (!rendered.problem()) json.member("status", std::uint64_t{rendered.status});
    if (item.replayed) json.member("idempotency_replayed", true);
    json.end_object();
  }
  json.end_array();
  if (answer.batch != nullptr) write_instant(json, "recorded_at", answer.batch->entry.at);
  json.end_object();
}

}  // namespace edge
