#include "gate/schema.h"

#include <algorithm>

#include "gate/scope.h"

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

void check_kind(std::string_view kind, std::string_view prefix, Problems& problems) {
  if (kind != "internal")
    add_problem(problems, malformed, wire::pointer_to(prefix, "kind"), "the only kind is internal");
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
  const auto reference = fields.optional_string("reference");
  transfer.reference = reference.value_or("");
  if (reference && reference->empty()) fields.report(malformed, "reference", "an empty reference: leave it out");
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
    case Action::get_tile:
    case Action::get_entry_bundle:
    case Action::get_transfer_evidence:
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
