#include "gate/schema.h"

#include <algorithm>

#include "gate/import_schema.h"
#include "gate/rail_names.h"
#include "gate/scope.h"
#include "gate/wallet_schema.h"
#include "gate/webhook_schema.h"

namespace gate {

namespace {

using wire::JsonFields;
using wire::JsonKind;
using wire::JsonValue;

constexpr const char* malformed = "request_field_malformed";
constexpr const char* wrong_type = "request_field_wrong_type";

std::optional<base::U128> read_amount(JsonFields& fields, std::string_view name, bool required) {
  const auto text = required ? fields.required_string(name) : fields.optional_string(name);
  if (!text) return std::nullopt;
  const auto amount = base::parse_decimal(*text);
  if (!amount)
    fields.report(malformed, name, "expected a decimal string without sign or leading zeros, at most 2^127 - 1");
  return amount;
}

model::Asset read_asset(JsonFields& fields, std::string_view name) {
  const auto text = fields.required_string(name);
  if (!text) return {};
  const auto asset = model::parse_asset(*text);
  if (!asset) fields.report(malformed, name, "expected CODE/SCALE, like USD/2");
  return asset.value_or(model::Asset{});
}

base::Bytes read_metadata(JsonFields& fields) {
  const auto object = fields.optional_object("metadata");
  if (!object) return {};
  std::vector<std::pair<std::string_view, std::string_view>> pairs;
  for (const wire::JsonMember member : object->members()) {
    const auto value = member.value.string();
    if (!value) {
      fields.report(wrong_type, "metadata", "every value must be a string");
      return {};
    }
    pairs.emplace_back(member.name, *value);
    if (pairs.size() > metadata_pairs_max) break;
  }
  auto bytes = canonical_metadata(std::move(pairs));
  if (!bytes)
    fields.report("request_field_out_of_range", "metadata",
                  "at most 50 pairs, keys of 1 to 64 bytes, 4096 bytes in all");
  return std::move(bytes).value_or(base::Bytes{});
}

model::AccountLimits read_limits(JsonFields& fields) {
  model::AccountLimits limits;
  limits.debit_amount_max = read_amount(fields, "debit_amount_max", false);
  limits.daily_debits_max = read_amount(fields, "daily_debits_max", false);
  limits.balance_max = read_amount(fields, "balance_max", false);
  return limits;
}

model::AccountFlags read_flags(JsonFields& fields) {
  const auto array = fields.optional_array("flags");
  if (!array) return model::debits_must_not_exceed_credits;
  unsigned flags = 0;
  for (const JsonValue element : array->elements()) {
    const auto name = element.string().value_or("");
    unsigned flag = 0;
    if (name == "debits_must_not_exceed_credits") flag = model::debits_must_not_exceed_credits;
    if (name == "credits_must_not_exceed_debits") flag = model::credits_must_not_exceed_debits;
    if (flag == 0 || (flags & flag) != 0) {
      fields.report(malformed, "flags",
                    "each flag once: debits_must_not_exceed_credits, credits_must_not_exceed_debits");
      break;
    }
    flags |= flag;
  }
  return static_cast<model::AccountFlags>(flags);
}

model::Scopes read_scopes(JsonFields& fields) {
  const auto array = fields.required_array("scopes");
  if (!array) return 0;
  model::Scopes scopes = 0;
  for (const JsonValue element : array->elements()) {
    const auto scope = parse_scope(element.string().value_or(""));
    if (!scope || (scopes & *scope) != 0) {
      fields.report(malformed, "scopes", "each scope once, like accounts:read");
      break;
    }
    scopes |= *scope;
  }
  return scopes;
}

// A reference that is there is not empty.
std::string_view read_reference(JsonFields& fields) {
  const auto reference = fields.optional_string("reference");
  if (reference && reference->empty()) fields.report(malformed, "reference", "an empty reference: leave it out");
  return reference.value_or("");
}

void check_kind(std::string_view kind, std::string_view prefix, Problems& problems) {
  if (kind != "internal")
    add_problem(problems, malformed, wire::pointer_to(prefix, "kind"),
                prefix.empty() ? "internal, payout or collect" : "the only kind in a batch is internal");
}

TransferRequest read_transfer(JsonFields& fields, std::string_view prefix, bool with_key, Problems& problems) {
  TransferRequest transfer;
  if (with_key) transfer.key = fields.required_string("idempotency_key").value_or("");
  transfer.debit_account = fields.required_string("debit_account").value_or("");
  transfer.credit_account = fields.required_string("credit_account").value_or("");
  transfer.asset = read_asset(fields, "asset");
  transfer.amount = read_amount(fields, "amount", true).value_or(0);
  transfer.hold = fields.optional_boolean("hold").value_or(false);
  const auto hold_seconds = fields.optional_uint("hold_seconds", 1, hold_seconds_max);
  if (hold_seconds) transfer.hold_for = base::seconds(static_cast<std::int64_t>(*hold_seconds));
  transfer.reference = read_reference(fields);
  transfer.metadata = read_metadata(fields);
  check_kind(fields.optional_string("kind").value_or("internal"), prefix, problems);
  fields.finish();
  return transfer;
}

std::string_view parameter(const std::vector<std::string>& parameters) {
  return parameters.empty() ? std::string_view() : std::string_view(parameters[0]);
}

model::TransferId read_transfer_id(const std::vector<std::string>& parameters, Problems& problems) {
  const auto id = model::parse_transfer_id(parameter(parameters));
  if (!id) add_problem(problems, malformed, "/id", "not a transfer id");
  return id.value_or(model::TransferId{});
}

model::PrincipalNumber read_client_id(const std::vector<std::string>& parameters, Problems& problems) {
  const auto id = model::parse_client_id(parameter(parameters));
  if (!id) add_problem(problems, malformed, "/id", "not a client id");
  return id.value_or(0);
}

AccountFlagChange read_flag_change(std::string_view name, FlagAction action, JsonFields& fields) {
  AccountFlagChange change{.name = name, .action = action};
  if (action == FlagAction::close) return change;
  // Naming no side means both; naming one leaves the other alone.
  const auto debits = fields.optional_boolean("debits");
  const auto credits = fields.optional_boolean("credits");
  change.debits = debits.value_or(!credits.has_value());
  change.credits = credits.value_or(!debits.has_value());
  return change;
}

AccountOpening read_account_opening(JsonFields& fields, Problems& problems) {
  AccountOpening opening;
  opening.name = fields.required_string("id").value_or("");
  opening.asset = read_asset(fields, "asset");
  opening.flags = read_flags(fields);
  if (const auto object = fields.optional_object("limits")) {
    JsonFields limits(*object, fields.pointer("limits"), problems);
    opening.limits = read_limits(limits);
    limits.finish();
  }
  opening.metadata = read_metadata(fields);
  return opening;
}

ClientCreation read_client_creation(JsonFields& fields) {
  ClientCreation creation;
  creation.name = fields.required_string("name").value_or("");
  const auto kind = fields.required_string("kind");
  if (kind == "person") {
    creation.kind = model::PrincipalKind::person;
  } else if (kind && kind != "service") {
    fields.report(malformed, "kind", "person or service");
  }
  creation.scopes = read_scopes(fields);
  return creation;
}

RailTransferRequest read_rail_transfer(JsonFields& fields, model::TransferKind kind) {
  const bool payout = kind == model::TransferKind::payout;
  RailTransferRequest transfer{.kind = kind};
  fields.required_string("kind");
  transfer.account = fields.required_string(payout ? "debit_account" : "credit_account").value_or("");
  transfer.asset = read_asset(fields, "asset");
  transfer.amount = read_amount(fields, "amount", true).value_or(0);
  const auto rail = fields.optional_string("rail");
  if (rail && rail->empty()) fields.report(malformed, "rail", "an empty name: leave it out");
  transfer.rail = rail.value_or("");
  const char* party = payout ? "beneficiary" : "payer";
  if (const auto object = fields.required_object(party)) {
    auto text = canonical_json(*object, beneficiary_bytes_max);
    if (!text) {
      fields.report("request_field_out_of_range", party,
                    "at most 4096 bytes, and numbers without fraction and exponent: send others as strings");
    }
    transfer.beneficiary = std::move(text).value_or("");
  }
  if (const auto country = fields.optional_string("country")) {
    const auto parsed = model::parse_country(*country);
    if (!parsed) fields.report(malformed, "country", "two letters of ISO 3166-1, like DE");
    transfer.country = parsed.value_or(0);
  }
  transfer.instrument = static_cast<model::Instrument>(fields.optional_uint("instrument", 1, UINT16_MAX).value_or(0));
  const auto within = fields.optional_uint("send_within_seconds", 1, send_within_seconds_max);
  if (within) transfer.send_within = base::seconds(static_cast<std::int64_t>(*within));
  transfer.reference = read_reference(fields);
  transfer.metadata = read_metadata(fields);
  fields.finish();
  return transfer;
}

TransferReview read_review(model::TransferId id, JsonFields& fields) {
  TransferReview review{.transfer = id};
  const auto decision = fields.required_string("decision");
  review.approve = decision == "approve";
  if (decision && !review.approve && decision != "reject") fields.report(malformed, "decision", "approve or reject");
  const auto reason = fields.optional_string("reason");
  if (reason && reason->empty()) fields.report(malformed, "reason", "an empty reason: leave it out");
  review.reason = reason.value_or("");
  return review;
}

UnknownResolution read_resolution(model::TransferId id, JsonFields& fields) {
  UnknownResolution resolution{.transfer = id};
  const auto verdict = fields.required_string("verdict");
  if (verdict == "failed") {
    resolution.verdict = model::Verdict::failed;
  } else if (verdict && verdict != "settled") {
    fields.report(malformed, "verdict", "settled or failed");
  }
  resolution.reason = fields.required_string("reason").value_or("");
  return resolution;
}

// The exception stands in the path behind the statement that showed it; its own id is enough.
ExceptionDecision read_exception_decision(const std::vector<std::string>& parameters, JsonFields& fields, Problems& problems) {
  ExceptionDecision decision;
  const auto exception = model::parse_exception_id(parameters[1]);
  if (!exception) add_problem(problems, malformed, "/exception", "not an exception id");
  decision.exception = exception.value_or(0);
  const auto resolution = fields.required_string("resolution");
  constexpr std::array ends = {std::pair("accept", model::ExceptionEnd::accepted), std::pair("write_off", model::ExceptionEnd::written_off),
                               std::pair("link", model::ExceptionEnd::linked), std::pair("wait", model::ExceptionEnd::waiting)};
  const auto found = std::find_if(ends.begin(), ends.end(), [&](const auto& one) { return resolution == one.first; });
  if (resolution && found == ends.end()) fields.report(malformed, "resolution", "accept, write_off, link or wait");
  if (found != ends.end()) decision.end = found->second;
  if (decision.end == model::ExceptionEnd::linked) {
    const auto text = fields.required_string("transfer");
    const auto transfer = text ? model::parse_transfer_id(*text) : std::nullopt;
    if (text && !transfer) fields.report(malformed, "transfer", "not a transfer id");
    decision.transfer = transfer.value_or(model::TransferId{0, 1});
  }
  decision.reason = fields.required_string("reason").value_or("");
  return decision;
}

// The bits of an array of names, each once.
template <typename Names>
unsigned read_set(JsonFields& fields, std::string_view name, const Names& names, unsigned otherwise, const char* detail) {
  const auto array = fields.optional_array(name);
  if (!array) return otherwise;
  unsigned set = 0;
  for (const JsonValue element : array->elements()) {
    const auto text = element.string().value_or("");
    const auto known = std::find_if(names.begin(), names.end(), [&](const auto& one) { return one.second == text; });
    if (known == names.end() || (set & known->first) != 0) {
      fields.report(malformed, name, detail);
      break;
    }
    set |= known->first;
  }
  return set;
}

void read_milliseconds(JsonFields& fields, std::string_view name, base::Duration& duration) {
  const auto given = fields.optional_uint(name, 0, rail_seconds_max * 1000);
  if (given) duration = base::Duration{static_cast<std::int64_t>(*given) * 1'000'000};
}

void read_count(JsonFields& fields, std::string_view name, std::uint32_t& count) {
  const auto given = fields.optional_uint(name, 0, UINT32_MAX);
  if (given) count = static_cast<std::uint32_t>(*given);
}

void read_countries(JsonFields& fields, model::RailProfile& profile) {
  const auto array = fields.optional_array("countries");
  if (!array) return;
  std::size_t place = 0;
  for (const JsonValue element : array->elements()) {
    const auto country = model::parse_country(element.string().value_or(""));
    const auto end = profile.countries.begin() + static_cast<std::ptrdiff_t>(std::min(place, profile.countries.size()));
    if (!country || place == profile.countries.size() || std::find(profile.countries.begin(), end, *country) != end) {
      fields.report(malformed, "countries", "at most 16, each once and two letters of ISO 3166-1");
      break;
    }
    profile.countries[place++] = *country;
  }
  std::sort(profile.countries.begin(), profile.countries.begin() + static_cast<std::ptrdiff_t>(place));
}

RailConfiguration read_rail(JsonFields& fields) {
  RailConfiguration rail;
  model::RailProfile& profile = rail.profile;
  rail.name = fields.required_string("name").value_or("");
  rail.asset = read_asset(fields, "asset");
  profile.capabilities = static_cast<model::RailCapabilities>(
      read_set(fields, "capabilities", rail_capability_names, profile.capabilities,
               "each once: idempotent_reference, inquiry, void, expiry, callback, statement, recall"));
  profile.directions = static_cast<model::RailDirections>(
      read_set(fields, "directions", rail_direction_names, profile.directions, "each once: payouts, collects"));
  profile.amount_min = read_amount(fields, "amount_min", false).value_or(profile.amount_min);
  profile.amount_max = read_amount(fields, "amount_max", false).value_or(profile.amount_max);
  profile.cost_fixed = read_amount(fields, "cost_fixed", false).value_or(profile.cost_fixed);
  read_count(fields, "cost_basis_points", profile.cost_basis_points);
  read_milliseconds(fields, "send_window_ms", profile.send_window);
  read_milliseconds(fields, "reply_timeout_ms", profile.reply_timeout);
  read_milliseconds(fields, "visibility_horizon_ms", profile.visibility_horizon);
  read_milliseconds(fields, "settle_within_ms", profile.settle_within);
  read_milliseconds(fields, "inquiry_first_ms", profile.inquiry_first);
  read_milliseconds(fields, "inquiry_max_ms", profile.inquiry_max);
  read_count(fields, "inquiries_max", profile.inquiries_max);
  read_count(fields, "in_flight_max", profile.in_flight_max);
  read_count(fields, "rate_per_second", profile.rate_per_second);
  read_countries(fields, profile);
  return rail;
}

RailControl read_maintenance(std::string_view name, JsonFields& fields) {
  RailControl control{.name = name, .action = RailAction::maintenance};
  const auto instant = [&](std::string_view field) {
    const auto text = fields.required_string(field);
    const auto parsed = text ? base::parse_rfc3339(*text) : std::nullopt;
    if (text && !parsed) fields.report(malformed, field, "an RFC 3339 instant in UTC");
    return parsed.value_or(base::Instant{});
  };
  control.from = instant("from");
  control.until = instant("until");
  control.paused = fields.optional_boolean("paused").value_or(false);
  return control;
}

KeyCancellation read_key_cancellation(JsonFields& fields) {
  KeyCancellation cancellation;
  const auto name = fields.required_string("operation");
  const auto operation = name ? parse_operation(*name) : std::nullopt;
  if (name && !operation) fields.report(malformed, "operation", "not an operation that takes keys");
  cancellation.operation = operation.value_or(model::Operation::create_transfer);
  cancellation.key = fields.required_string("key").value_or("");
  return cancellation;
}

}  // namespace

void add_problem(Problems& problems, const char* code, std::string pointer, std::string detail) {
  if (problems.size() >= problems_max) return;
  const auto same = [&](const wire::FieldProblem& problem) { return problem.pointer == pointer; };
  if (std::any_of(problems.begin(), problems.end(), same)) return;
  problems.push_back({code, std::move(pointer), std::move(detail), ""});
}

RequestBody read_body(Action action, const std::vector<std::string>& parameters, JsonValue root, Problems& problems) {
  if (action == Action::create_transfer) {
    JsonFields fields(root, "", problems);
    const auto kind = root.is_object() ? root.find("kind") : std::nullopt;
    if (kind && kind->string() == "payout") return read_rail_transfer(fields, model::TransferKind::payout);
    if (kind && kind->string() == "collect") return read_rail_transfer(fields, model::TransferKind::collect);
    return read_transfer(fields, "", false, problems);
  }
  JsonFields fields(root, "", problems);
  RequestBody body;
  switch (action) {
    case Action::open_tenant:
      body = TenantOpening{fields.required_string("name").value_or("")};
      break;
    case Action::register_asset:
      body = AssetRegistration{read_asset(fields, "code")};
      break;
    case Action::open_account:
      body = read_account_opening(fields, problems);
      break;
    case Action::freeze_account:
      body = read_flag_change(parameter(parameters), FlagAction::freeze, fields);
      break;
    case Action::unfreeze_account:
      body = read_flag_change(parameter(parameters), FlagAction::unfreeze, fields);
      break;
    case Action::close_account:
      body = read_flag_change(parameter(parameters), FlagAction::close, fields);
      break;
    case Action::set_account_limits:
      body = AccountLimitChange{parameter(parameters), read_limits(fields)};
      break;
    case Action::capture_hold:
      body = Capture{read_transfer_id(parameters, problems), read_amount(fields, "amount", false)};
      break;
    case Action::void_hold:
      body = Voiding{read_transfer_id(parameters, problems)};
      break;
    case Action::cancel_key:
      body = read_key_cancellation(fields);
      break;
    case Action::create_client:
      body = read_client_creation(fields);
      break;
    case Action::rotate_client: {
      const std::uint64_t overlap =
          fields.optional_uint("overlap_seconds", 0, overlap_seconds_max).value_or(overlap_seconds_default);
      body = ClientRotation{read_client_id(parameters, problems), base::seconds(static_cast<std::int64_t>(overlap))};
      break;
    }
    case Action::revoke_client:
      body = ClientRevocation{read_client_id(parameters, problems)};
      break;
    case Action::cancel_transfer:
      body = TransferCancellation{read_transfer_id(parameters, problems)};
      break;
    case Action::review_transfer:
      body = read_review(read_transfer_id(parameters, problems), fields);
      break;
    case Action::resolve_unknown:
      body = read_resolution(read_transfer_id(parameters, problems), fields);
      break;
    case Action::refund_transfer: {
      Refund refund{.original = read_transfer_id(parameters, problems)};
      refund.amount = read_amount(fields, "amount", false);
      refund.reference = read_reference(fields);
      refund.metadata = read_metadata(fields);
      body = std::move(refund);
      break;
    }
    case Action::resolve_exception:
      body = read_exception_decision(parameters, fields, problems);
      break;
    case Action::configure_rail:
      body = read_rail(fields);
      break;
    case Action::pause_rail:
      body = RailControl{.name = parameter(parameters), .action = RailAction::pause};
      break;
    case Action::resume_rail:
      body = RailControl{.name = parameter(parameters), .action = RailAction::resume};
      break;
    case Action::set_rail_maintenance:
      body = read_maintenance(parameter(parameters), fields);
      break;
    case Action::create_webhook:
      body = read_webhook_creation(fields);
      break;
    case Action::change_webhook:
      body = read_webhook_change(read_webhook_id(parameters, problems), fields);
      break;
    case Action::remove_webhook:
      body = WebhookRemoval{read_webhook_id(parameters, problems)};
      break;
    case Action::rotate_webhook:
      body = read_webhook_rotation(read_webhook_id(parameters, problems), fields);
      break;
    case Action::import_key:
      body = read_key_import(fields);
      break;
    case Action::challenge_import:
      body = ImportChallenge{read_import_id(parameters, problems)};
      break;
    case Action::prove_import:
      body = read_import_proof(read_import_id(parameters, problems), fields);
      break;
    case Action::approve_import:
    case Action::reject_import:
      body = read_import_review(read_import_id(parameters, problems), action == Action::approve_import, fields);
      break;
    case Action::apply_key:
      body = read_key_steering(read_key_id(parameters, problems), model::KeyVerb::apply, fields);
      break;
    case Action::rollback_key:
      body = read_key_steering(read_key_id(parameters, problems), model::KeyVerb::rollback, fields);
      break;
    case Action::retire_key:
      body = read_key_steering(read_key_id(parameters, problems), model::KeyVerb::retire, fields);
      break;
    case Action::compromise_key:
      body = read_key_steering(read_key_id(parameters, problems), model::KeyVerb::compromise, fields);
      break;
    case Action::destroy_key:
      body = read_key_steering(read_key_id(parameters, problems), model::KeyVerb::destroy, fields);
      break;
    case Action::confirm_wallet:
      body = read_wallet_confirmation(parameters, fields);
      break;
    case Action::create_transfer:
    case Action::create_batch:
    case Action::get_access_token:
    case Action::get_account:
    case Action::list_accounts:
    case Action::get_account_history:
    case Action::get_transfer:
    case Action::list_transfers:
    case Action::get_trial_balance:
    case Action::get_checkpoint:
    case Action::get_own_keys:
    case Action::get_tile:
    case Action::get_entry_bundle:
    case Action::get_transfer_evidence:
    case Action::take_rail_callback:
    case Action::list_rails:
    case Action::get_rail:
    case Action::get_import:
    case Action::get_import_evidence:
    case Action::list_keys:
    case Action::get_key:
    case Action::list_key_versions:
    case Action::derive_wallet:
    case Action::list_wallets:
    case Action::get_wallet:
    case Action::test_webhook:
    case Action::resend_webhook:
    case Action::list_webhooks:
    case Action::get_webhook:
    case Action::list_webhook_deliveries:
    case Action::take_statement:
    case Action::list_reconciliations:
    case Action::get_reconciliation:
      CHECK_THAT(false, "this action has no body of its own or another reader");
  }
  fields.finish();
  return body;
}

TokenBody read_token_body(JsonValue root, Problems& problems) {
  JsonFields fields(root, "", problems);
  TokenBody body;
  const auto id = fields.required_string("client_id");
  const auto client = id ? model::parse_client_id(*id) : std::nullopt;
  if (id && !client) fields.report(malformed, "client_id", "not a client id");
  body.client = client.value_or(0);
  body.refresh_secret = fields.required_string("refresh_secret").value_or("");
  fields.finish();
  return body;
}

std::vector<TransferRequest> read_batch(JsonValue root, Problems& problems) {
  std::vector<TransferRequest> transfers;
  JsonFields fields(root, "", problems);
  const auto items = fields.required_array("items");
  fields.finish();
  if (!items) return transfers;
  transfers.reserve(std::min(items->size(), batch_items_max + 1));
  const auto read_item = [&](JsonValue value, std::string pointer, std::uint32_t group) {
    JsonFields item(value, pointer, problems);
    transfers.push_back(read_transfer(item, pointer, true, problems));
    transfers.back().group = group;
  };
  const auto full = [&] { return transfers.size() > batch_items_max || problems.size() >= problems_max; };
  std::uint32_t groups = 0;
  std::size_t index = 0;
  for (const JsonValue value : items->elements()) {
    if (full()) break;
    const std::string pointer = wire::pointer_to("/items", index++);
    if (!value.find("group")) {
      read_item(value, pointer, 0);
      continue;
    }
    JsonFields group(value, pointer, problems);
    const auto members = group.required_array("group");
    group.finish();
    if (!members) continue;
    if (members->size() == 0)
      add_problem(problems, "request_field_out_of_range", group.pointer("group"), "an empty group");
    ++groups;
    std::size_t place = 0;
    for (const JsonValue member : members->elements()) {
      if (full()) break;
      read_item(member, wire::pointer_to(group.pointer("group"), place++), groups);
    }
  }
  return transfers;
}

}  // namespace gate
