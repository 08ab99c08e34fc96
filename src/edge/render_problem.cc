// Refusals as problem+json (RFC 9457).

#include "base/text.h"
#include "edge/render_parts.h"
#include "gate/scope.h"

namespace edge {

using wire::JsonWriter;

namespace {

// `exceeds_available_balance` -> `Exceeds available balance`
std::string title_of(std::string_view code) {
  std::string title(code);
  for (char& c : title) {
    if (c == '_') c = ' ';
  }
  title[0] = static_cast<char>(title[0] - 'a' + 'A');
  return title;
}

bool is_sent_by_clients(model::Operation operation) {
  switch (operation) {
    case model::Operation::none:
    case model::Operation::tick:
    case model::Operation::confirm_clock:
    case model::Operation::bump_epoch:
    case model::Operation::change_log_key:
    case model::Operation::report_rail:
    case model::Operation::mark_webhook:
      return false;
    default:
      return true;
  }
}

bool is_client_operation(model::Operation operation) {
  return operation == model::Operation::rotate_client || operation == model::Operation::revoke_client;
}

bool is_webhook_operation(model::Operation operation) {
  return operation == model::Operation::change_webhook || operation == model::Operation::remove_webhook ||
         operation == model::Operation::rotate_webhook;
}

bool is_import_operation(model::Operation operation) {
  return operation >= model::Operation::import_key && operation <= model::Operation::review_import;
}

bool is_hold_operation(model::Operation operation) {
  return operation == model::Operation::capture_hold || operation == model::Operation::void_hold;
}

// Commands about a transfer over a rail, or one to give back.
bool is_transfer_operation(model::Operation operation) {
  return operation == model::Operation::cancel_transfer || operation == model::Operation::review_transfer ||
         operation == model::Operation::resolve_unknown || operation == model::Operation::refund_transfer;
}

}  // namespace

void write_problem_head(JsonWriter& json, const model::OutcomeRow& row, std::string_view detail) {
  json.member("type", std::string_view("/problems/" + std::string(row.code)));
  json.member("title", std::string_view(title_of(row.code)));
  json.member("status", std::uint64_t{row.http_status});
  json.member("code", row.code);
  if (!detail.empty()) json.member("detail", detail);
  json.member("hop", row.hop);
  json.member("responsible_party", row.responsible_party);
  json.member("outcome", row.fate);
  json.member("safe_to_retry", row.safe_to_retry);
  json.member("next_action", row.next_action);
}

void write_problem_tail(JsonWriter& json, const base::Tag128& trace, std::span<const wire::FieldProblem> fields) {
  if (trace != base::Tag128{}) json.member("trace_id", std::string_view(base::to_hex(trace)));
  if (fields.empty()) return;
  json.key("fields");
  json.begin_array();
  for (const wire::FieldProblem& field : fields) {
    json.begin_object();
    json.member("pointer", field.pointer);
    json.member("code", field.code);
    if (!field.detail.empty()) json.member("detail", field.detail);
    if (!field.suggestion.empty()) json.member("suggestion", field.suggestion);
    json.end_object();
  }
  json.end_array();
}

Rendered render_problem(const PlainProblem& problem, std::string& out) {
  const model::OutcomeRow& row = model::row_of(problem.outcome);
  JsonWriter json(out);
  json.begin_object();
  write_problem_head(json, row, problem.detail);
  write_problem_tail(json, problem.trace, problem.fields);
  json.end_object();
  return {.status = row.http_status, .outcome = problem.outcome, .location = {}};
}

void write_refused(JsonWriter& json, const Backend& backend, const EventAt& at, const model::Refused& refused) {
  const model::OutcomeRow& row = model::row_of(refused.outcome);
  write_problem_head(json, row,
                     "decided against the state of the ledger at refused_at; the answer sticks to the idempotency key");
  const bool moves = refused.operation == model::Operation::create_transfer ||
                     refused.operation == model::Operation::create_payout ||
                     refused.operation == model::Operation::create_collect || is_hold_operation(refused.operation);
  if (is_sent_by_clients(refused.operation)) json.member("operation", gate::to_text(refused.operation));
  if (moves) {
    if (refused.amount != 0) write_amount(json, "amount", refused.amount);
    if (refused.debit != 0) write_account(json, backend, "debit_account", refused.debit);
    if (refused.credit != 0) write_account(json, backend, "credit_account", refused.credit);
  } else if (refused.debit != 0) {
    write_account(json, backend, "account", refused.debit);
  }
  if (refused.subject != 0) {
    if (is_hold_operation(refused.operation) || is_transfer_operation(refused.operation)) write_transfer_id(json, backend, "transfer", refused.subject);
    if (is_client_operation(refused.operation)) {
      json.member("client", std::string_view(model::client_id(static_cast<model::PrincipalNumber>(refused.subject))));
    }
    if (is_webhook_operation(refused.operation)) {
      json.member("webhook", std::string_view(model::webhook_id(static_cast<model::WebhookNumber>(refused.subject))));
    }
    const bool about_key = refused.operation == model::Operation::steer_key || refused.outcome == model::Outcome::key_has_another_purpose;
    if (about_key) json.member("key_id", std::string_view(model::key_id(static_cast<model::KeyNumber>(refused.subject))));
    else if (is_import_operation(refused.operation)) json.member("import", std::string_view(model::import_id(refused.subject)));
    if (refused.operation == model::Operation::cancel_key) write_position(json, backend, "used_by", refused.subject);
  }
  write_instant(json, "refused_at", at.event.at);
  write_problem_tail(json, refused.trace, {});
}

std::string explain_problem(const model::OutcomeRow& row) {
  std::string text = title_of(row.code);
  const auto line = [&](std::string_view name, std::string_view value) {
    text.append("\n").append(name).append(": ").append(value);
  };
  text.append("\n");
  line("code", row.code);
  line("HTTP status", std::to_string(row.http_status));
  line("decided by", row.hop);
  line("responsible party", row.responsible_party);
  line("outcome", row.fate);
  line("safe to retry", row.safe_to_retry);
  line("next action", row.next_action);
  text.append("\n");
  return text;
}

}  // namespace edge
