#include "apps/holdfast/entry_text.h"

#include <utility>
#include <vector>

#include "base/text.h"
#include "gate/scope.h"
#include "wire/json_writer.h"

namespace holdfast {

namespace {

using Fields = std::vector<std::pair<std::string_view, std::string>>;

struct Described {
  std::string_view type;
  Fields fields;
};

std::string number(std::uint64_t value) { return std::to_string(value); }

void add_side(Fields& fields, std::string_view name, const model::Side& side) { fields.emplace_back(name, number(side.account)); }

std::string_view name_of(model::HoldResolution resolution) {
  switch (resolution) {
    case model::HoldResolution::captured: return "captured";
    case model::HoldResolution::voided: return "voided";
    case model::HoldResolution::expired: return "expired";
  }
  return "";
}

template <typename Report>
Fields report_fields(const Report& e) {
  Fields fields{{"transfer", number(e.transfer)}, {"attempt", number(e.attempt)}, {"result", std::string(name_of(e.result))}};
  if (e.reason != model::RailReason::none) fields.emplace_back("reason", std::string(model::row_of(e.reason).name));
  if (e.amount) fields.emplace_back("amount", base::to_decimal(*e.amount));
  return fields;
}

struct Describe {
  Described operator()(const model::TenantOpened& e) const { return {"tenant_opened", {{"tenant", number(e.tenant)}}}; }
  Described operator()(const model::AssetRegistered& e) const {
    return {"asset_registered", {{"asset", number(e.number)}, {"code", model::to_text(e.asset)}}};
  }
  Described operator()(const model::AccountOpened& e) const {
    return {"account_opened", {{"account", number(e.number)}, {"asset", number(e.asset)}, {"flags", number(e.flags)}}};
  }
  Described operator()(const model::AccountFlagsChanged& e) const {
    return {"account_flags_changed", {{"account", number(e.account)}, {"flags", number(e.flags)}}};
  }
  Described operator()(const model::AccountLimitsSet& e) const { return {"account_limits_set", {{"account", number(e.account)}}}; }
  Described operator()(const model::TransferPosted& e) const {
    Fields fields{{"amount", base::to_decimal(e.amount)}, {"asset", number(e.asset)}};
    add_side(fields, "debit", e.debit);
    add_side(fields, "credit", e.credit);
    if (e.group != 0) fields.emplace_back("group", number(e.group));
    return {"transfer_posted", std::move(fields)};
  }
  Described operator()(const model::HoldPlaced& e) const {
    Fields fields{{"amount", base::to_decimal(e.amount)}, {"asset", number(e.asset)}};
    add_side(fields, "debit", e.debit);
    add_side(fields, "credit", e.credit);
    if (e.expires_at.ns != 0) fields.emplace_back("expires_at", base::to_rfc3339(e.expires_at));
    if (e.group != 0) fields.emplace_back("group", number(e.group));
    return {"hold_placed", std::move(fields)};
  }
  Described operator()(const model::HoldResolved& e) const {
    return {"hold_resolved",
            {{"hold", number(e.hold)},
             {"resolution", std::string(name_of(e.resolution))},
             {"held", base::to_decimal(e.held)},
             {"captured", base::to_decimal(e.captured)}}};
  }
  Described operator()(const model::Refused& e) const {
    Fields fields{{"outcome", std::string(model::code_of(e.outcome))}};
    if (e.amount != 0) fields.emplace_back("amount", base::to_decimal(e.amount));
    if (e.debit != 0) fields.emplace_back("debit", number(e.debit));
    if (e.credit != 0) fields.emplace_back("credit", number(e.credit));
    if (e.subject != 0) fields.emplace_back("subject", number(e.subject));
    return {"refused", std::move(fields)};
  }
  Described operator()(const model::KeyCancelled&) const { return {"key_cancelled", {}}; }
  Described operator()(const model::BatchRecorded& e) const { return {"batch_recorded", {{"items", number(e.items)}}}; }
  Described operator()(const model::ClientCreated& e) const {
    return {"client_created", {{"client", model::client_id(e.number)}, {"scopes", number(e.scopes)}}};
  }
  Described operator()(const model::ClientRotated& e) const {
    return {"client_rotated", {{"client", model::client_id(e.number)}, {"generation", number(e.generation)}}};
  }
  Described operator()(const model::ClientRevoked& e) const { return {"client_revoked", {{"client", model::client_id(e.number)}}}; }
  Described operator()(const model::ClockConfirmed& e) const { return {"clock_confirmed", {{"jump_ns", std::to_string(e.jump.ns)}}}; }
  Described operator()(const model::EpochBumped& e) const { return {"epoch_bumped", {{"epoch", number(e.epoch)}}}; }
  Described operator()(const model::LogKeyChanged& e) const {
    return {"log_key_changed", {{"version", number(e.version)}, {"public_key", base::to_hex(e.public_key)}}};
  }
  Described operator()(const model::RailConfigured& e) const {
    return {"rail_configured",
            {{"rail", number(e.number)},
             {"name", std::string(model::to_text(e.name))},
             {"asset", number(e.asset)},
             {"clearing", number(e.clearing)},
             {"suspense", number(e.suspense)}}};
  }
  Described operator()(const model::RailControlled& e) const {
    return {"rail_controlled", {{"rail", number(e.rail)}, {"paused", e.paused ? "true" : "false"}}};
  }
  Described operator()(const model::RailObserved& e) const {
    return {"rail_observed",
            {{"rail", number(e.rail)},
             {"successes", number(e.health.successes >> 16)},
             {"attempts", number(e.health.attempts >> 16)},
             {"breaker", e.health.breaker == model::Breaker::open ? "open" : "closed"}}};
  }
  Described operator()(const model::TransferRequested& e) const {
    Fields fields{{"kind", std::string(model::name_of(e.kind))},
                  {"account", number(e.account)},
                  {"amount", base::to_decimal(e.amount)},
                  {"asset", number(e.asset)},
                  {"send_by", base::to_rfc3339(e.send_by)}};
    if (e.original != 0) fields.emplace_back("original", number(e.original));
    return {"transfer_requested", std::move(fields)};
  }
  Described operator()(const model::TransferMoved& e) const {
    Fields fields{{"transfer", number(e.transfer)}, {"from", std::string(model::name_of(e.from))}, {"to", std::string(model::name_of(e.to))}};
    if (e.reason != model::RailReason::none) fields.emplace_back("reason", std::string(model::row_of(e.reason).name));
    if (e.rail != 0) fields.emplace_back("rail", number(e.rail));
    if (e.hold != 0) fields.emplace_back("hold", number(e.hold));
    if (e.due.ns != 0) fields.emplace_back("due", base::to_rfc3339(e.due));
    return {"transfer_moved", std::move(fields)};
  }
  Described operator()(const model::RouteDecided& e) const {
    std::string choices;
    for (const model::RouteChoice& choice : e.choices) {
      choices += (choices.empty() ? "" : ",") + number(choice.rail) + ":" + std::string(model::name_of(choice.verdict));
    }
    return {"route_decided", {{"transfer", number(e.transfer)}, {"rails", std::move(choices)}}};
  }
  Described operator()(const model::AttemptStarted& e) const {
    return {"attempt_started",
            {{"transfer", number(e.transfer)},
             {"attempt", number(e.attempt)},
             {"rail", number(e.rail)},
             {"amount", base::to_decimal(e.amount)},
             {"send_not_after", base::to_rfc3339(e.send_not_after)}}};
  }
  Described operator()(const model::AttemptReported& e) const {
    return {"attempt_reported", report_fields(e)};
  }
  Described operator()(const model::InquiryStarted& e) const {
    return {e.is_void ? "void_started" : "inquiry_started",
            {{"transfer", number(e.transfer)}, {"attempt", number(e.attempt)}, {"inquiry", number(e.inquiry)}}};
  }
  Described operator()(const model::VoteRecorded& e) const {
    return {"vote_recorded",
            {{"transfer", number(e.transfer)},
             {"person", model::client_id(e.person)},
             {"counted", number(e.counted)},
             {"needed", number(e.needed)}}};
  }
  Described operator()(const model::CaseOpened& e) const {
    return {"case_opened",
            {{"transfer", number(e.transfer)},
             {"attempt", number(e.attempt)},
             {"kind", std::string(model::name_of(e.kind))},
             {"amount", base::to_decimal(e.amount)}}};
  }
  Described operator()(const model::ReportIgnored& e) const {
    Fields fields = report_fields(e);
    fields.emplace_back("why", std::string(model::name_of(e.why)));
    return {"report_ignored", std::move(fields)};
  }
  Described operator()(const model::AgeAlarmRaised& e) const {
    return {"age_alarm_raised",
            {{"transfer", number(e.transfer)}, {"state", std::string(model::name_of(e.state))}, {"since", base::to_rfc3339(e.since)}}};
  }
  Described operator()(const model::HoldRedirected& e) const {
    Fields fields{{"hold", number(e.hold)}, {"amount", base::to_decimal(e.amount)}};
    add_side(fields, "from", e.debit);
    add_side(fields, "to", e.credit);
    return {"hold_redirected", std::move(fields)};
  }
  Described operator()(const model::RefundCounted& e) const {
    return {"refund_counted",
            {{"original", number(e.original)},
             {"refund", number(e.refund)},
             {"captured", base::to_decimal(e.captured)},
             {"pending", base::to_decimal(e.pending)},
             {"posted", base::to_decimal(e.posted)}}};
  }
  Described operator()(const model::WebhookCreated& e) const {
    return {"webhook_created", {{"webhook", model::webhook_id(e.number)}, {"events", number(e.events)}, {"flags", number(e.flags)}}};
  }
  Described operator()(const model::WebhookChanged& e) const {
    return {"webhook_changed",
            {{"webhook", model::webhook_id(e.number)},
             {"events", number(e.events)},
             {"flags", number(e.flags)},
             {"cause", std::string(model::to_text(e.cause))}}};
  }
  Described operator()(const model::WebhookRemoved& e) const { return {"webhook_removed", {{"webhook", model::webhook_id(e.number)}}}; }
  Described operator()(const model::WebhookRotated& e) const {
    return {"webhook_rotated",
            {{"webhook", model::webhook_id(e.number)},
             {"public_key", base::to_hex(e.key.public_key)},
             {"former_valid_until", base::to_rfc3339(e.former_valid_until)}}};
  }
  Described operator()(const model::WebhookMarked& e) const {
    return {"webhook_marked", {{"webhook", model::webhook_id(e.number)}, {"told_through", number(e.told_through)}}};
  }
  Described operator()(const model::StatementRecorded& e) const {
    return {"statement_recorded",
            {{"statement", number(e.statement)},
             {"rail", number(e.rail)},
             {"format", std::string(model::name_of(e.format))},
             {"from", base::to_rfc3339(e.from)},
             {"until", base::to_rfc3339(e.until)},
             {"part", number(e.part)},
             {"parts", number(e.parts)},
             {"lines_new", number(e.lines_new)},
             {"lines_known", number(e.lines_known)},
             {"repeated", e.repeated ? "true" : "false"}}};
  }
  Described operator()(const model::LineRecorded& e) const {
    return {"line_recorded",
            {{"statement", number(e.statement)},
             {"line", number(e.line)},
             {"rail", number(e.rail)},
             {"amount", base::to_decimal(e.amount)},
             {"direction", e.credit ? "credit" : "debit"},
             {"booked_at", base::to_rfc3339(e.booked_at)},
             {"result", std::string(model::name_of(e.result))},
             {"attempt", number(e.attempt)}}};
  }
  Described operator()(const model::LineLinked& e) const {
    return {"line_linked", {{"line", number(e.line)}, {"result", std::string(model::name_of(e.result))}, {"attempt", number(e.attempt)}}};
  }
  Described operator()(const model::ExceptionOpened& e) const {
    return {"exception_opened",
            {{"rail", number(e.rail)},
             {"kind", std::string(model::name_of(e.kind))},
             {"party", std::string(model::name_of(e.party))},
             {"statement", number(e.statement)},
             {"line", number(e.line)},
             {"orphan", number(e.orphan)},
             {"attempt", number(e.attempt)},
             {"expected", base::to_decimal(e.expected)},
             {"stated", base::to_decimal(e.stated)}}};
  }
  Described operator()(const model::ExceptionVoted& e) const {
    return {"exception_voted",
            {{"exception", number(e.exception)},
             {"person", model::client_id(e.person)},
             {"resolution", std::string(model::name_of(e.end))},
             {"counted", number(e.counted)},
             {"needed", number(e.needed)}}};
  }
  Described operator()(const model::ExceptionResolved& e) const {
    return {"exception_resolved",
            {{"exception", number(e.exception)},
             {"resolution", std::string(model::name_of(e.end))},
             {"posting", number(e.posting)},
             {"attempt", number(e.attempt)}}};
  }
  Described operator()(const model::OrphanRecorded& e) const {
    return {"orphan_recorded",
            {{"rail", number(e.rail)}, {"result", number(static_cast<std::uint64_t>(e.result))}, {"amount", base::to_decimal(e.amount)}}};
  }
  Described operator()(const model::StatementSwept& e) const {
    return {"statement_swept", {{"statement", number(e.statement)}, {"done", e.done ? "true" : "false"}}};
  }
  Described operator()(const model::PartnerOpened& e) const {
    return {"partner_opened", {{"partner", number(e.number)}, {"name", std::string(model::to_text(e.name))}}};
  }
  Described operator()(const model::KeyOpened& e) const {
    return {"key_opened",
            {{"key", model::key_id(e.number)},
             {"partner", number(e.partner)},
             {"name", std::string(model::to_text(e.name))},
             {"purpose", std::string(model::to_text(e.purpose))}}};
  }
  Described operator()(const model::ImportReceived& e) const {
    Fields fields{{"partner", std::string(model::to_text(e.partner_name))}, {"key", std::string(model::to_text(e.key_name))}};
    if (e.facts) fields.emplace_back("pin_sha256", base::to_base64((*e.facts)->pin));
    return {"import_received", std::move(fields)};
  }
  Described operator()(const model::ImportMoved& e) const {
    return {"import_moved",
            {{"import", model::import_id(e.import)},
             {"from", std::string(model::to_text(e.from))},
             {"to", std::string(model::to_text(e.to))},
             {"cause", std::string(model::to_text(e.cause))}}};
  }
  Described operator()(const model::ImportChallenged& e) const {
    return {"import_challenged", {{"import", model::import_id(e.import)}, {"expires_at", base::to_rfc3339(e.expires_at)}}};
  }
  Described operator()(const model::ImportVoted& e) const {
    return {"import_voted",
            {{"import", model::import_id(e.import)},
             {"person", model::client_id(e.person)},
             {"decision", e.approve ? "approve" : "reject"},
             {"counted", number(e.counted)},
             {"needed", number(e.needed)}}};
  }
  Described operator()(const model::KeyVersionAdded& e) const {
    return {"key_version_added",
            {{"key", model::key_id(e.key)}, {"version", number(e.version)}, {"import", model::import_id(e.import)}, {"proven", e.proven ? "true" : "false"}}};
  }
  Described operator()(const model::KeyVersionMoved& e) const {
    return {"key_version_moved",
            {{"key", model::key_id(e.key)},
             {"version", number(e.version)},
             {"from", std::string(model::to_text(e.from))},
             {"to", std::string(model::to_text(e.to))},
             {"cause", std::string(model::to_text(e.cause))}}};
  }
  Described operator()(const model::KeyExpiryWarned& e) const {
    return {"key_expiry_warned",
            {{"key", model::key_id(e.key)}, {"version", number(e.version)}, {"days", number(e.days)}, {"not_after", base::to_rfc3339(e.not_after)}}};
  }
};

}  // namespace

std::string event_text(const model::Entry& entry, std::size_t index) {
  const model::Event& event = entry.events[index];
  const Described described = std::visit(Describe{}, event.body);
  std::string text = number(entry.first_event + index) + "  " + base::to_rfc3339(event.at) + "  " + std::string(described.type);
  for (const auto& [name, value] : described.fields) text.append("  ").append(name).append("=").append(value);
  return text;
}

std::string event_json(const model::Entry& entry, std::size_t index) {
  const model::Event& event = entry.events[index];
  const Described described = std::visit(Describe{}, event.body);
  std::string text;
  wire::JsonWriter json(text);
  json.begin_object();
  json.member("event", entry.first_event + index);
  json.member("at", std::string_view(base::to_rfc3339(event.at)));
  json.member("type", described.type);
  json.member("tenant", std::uint64_t{entry.command.tenant});
  json.member("principal", std::uint64_t{entry.command.principal});
  for (const auto& [name, value] : described.fields) json.member(name, std::string_view(value));
  json.end_object();
  return text;
}

}  // namespace holdfast
