#include "gate/query_reader.h"

#include <algorithm>

#include "base/check.h"
#include "gate/fingerprint.h"
#include "gate/import_schema.h"
#include "gate/refusal_of.h"
#include "gate/schema.h"
#include "gate/scope.h"
#include "gate/webhook_schema.h"
#include "model/admitted.h"
#include "wire/structured_field.h"

namespace gate {

namespace {

using model::Outcome;

constexpr const char* malformed = "request_field_malformed";

/// Takes parameters by name, complains about those nobody took.
class Parameters {
 public:
  Parameters(const wire::QueryParameters& all, Problems& problems) : all_(all), problems_(problems) {}

  std::optional<std::string_view> take(std::string_view name) {
    taken_.push_back(name);
    return all_.find(name);
  }
  void report(std::string_view name, const char* code, const char* detail) {
    add_problem(problems_, code, wire::pointer_to("", name), detail);
  }
  /// The value, decoded by `parse`; a problem where that gives nothing.
  template <typename Parse>
  auto take(std::string_view name, const char* detail, Parse parse) -> decltype(parse(std::string_view())) {
    const auto text = take(name);
    if (!text) return std::nullopt;
    auto value = parse(*text);
    if (!value) report(name, malformed, detail);
    return value;
  }
  std::uint32_t take_limit() {
    const auto limit = take("limit", "between 1 and 100", [](std::string_view text) -> std::optional<std::uint32_t> {
      const auto number = base::parse_decimal(text);
      if (!number || *number < 1 || *number > list_limit_max) return std::nullopt;
      return static_cast<std::uint32_t>(*number);
    });
    return limit.value_or(list_limit_default);
  }
  std::optional<model::Asset> take_asset() {
    return take("asset", "expected CODE/SCALE, like USD/2", model::parse_asset);
  }
  /// The first parameter that nobody took, empty if none.
  std::string_view left_over() const {
    for (const auto& [name, value] : all_.all()) {
      if (std::find(taken_.begin(), taken_.end(), name) == taken_.end()) return name;
    }
    return {};
  }

 private:
  const wire::QueryParameters& all_;
  Problems& problems_;
  std::vector<std::string_view> taken_;
};

struct BadCursor {};
template <typename T>
using Read = std::variant<T, BadCursor>;

std::optional<std::string> account_name(std::string_view text) {
  if (!model::is_account_name(text)) return std::nullopt;
  return std::string(text);
}

// A prefix of an account id: the same characters, and it may end at a slash.
std::optional<std::string> account_prefix(std::string_view text) {
  const bool fits = text.size() <= model::account_name_size_max && std::all_of(text.begin(), text.end(), [](char c) {
                      return c == '/' || c == '.' || model::is_account_name(std::string_view(&c, 1));
                    });
  if (!fits) return std::nullopt;
  return std::string(text);
}

std::string path_account(const RouteMatch& match, Problems& problems) {
  auto name = account_name(match.parameters[0]);
  if (!name) add_problem(problems, malformed, "/id", "not an account id");
  return std::move(name).value_or(std::string());
}

// Of evidence: personal values unless they are to be left out.
bool read_disclose(Parameters& parameters) {
  const auto disclose = parameters.take("disclose", "all or none", [](std::string_view text) -> std::optional<bool> {
    if (text != "all" && text != "none") return std::nullopt;
    return text == "all";
  });
  return disclose.value_or(true);
}

Read<AccountHistory> read_history(const RouteMatch& match, model::TenantNumber tenant, Parameters& parameters,
                                  Problems& problems) {
  AccountHistory history;
  history.name = path_account(match, problems);
  history.name_hash = model::account_name_hash(tenant, history.name);
  history.from = parameters.take("from", "an RFC 3339 instant in UTC", base::parse_rfc3339);
  history.to = parameters.take("to", "an RFC 3339 instant in UTC", base::parse_rfc3339);
  if (history.from && history.to && *history.to < *history.from) {
    parameters.report("to", "request_field_out_of_range", "before from");
  }
  history.limit = parameters.take_limit();
  if (const auto cursor = parameters.take("cursor")) {
    const auto before = parse_event_cursor(ListKind::account_history, *cursor);
    if (!before) return BadCursor{};
    history.before = *before;
  }
  return history;
}

Read<ListAccounts> read_account_list(Parameters& parameters) {
  ListAccounts list;
  list.prefix = parameters.take("prefix", "at most 128 characters of account ids", account_prefix).value_or("");
  list.asset = parameters.take_asset();
  list.limit = parameters.take_limit();
  if (const auto cursor = parameters.take("cursor")) {
    auto after = parse_name_cursor(ListKind::accounts, *cursor);
    if (!after) return BadCursor{};
    list.after = *std::move(after);
  }
  return list;
}

Read<ListDeliveries> read_delivery_list(model::WebhookNumber webhook, Parameters& parameters) {
  ListDeliveries list{.webhook = webhook};
  list.limit = parameters.take_limit();
  if (const auto cursor = parameters.take("cursor")) {
    const auto before = parse_event_cursor(ListKind::webhook_deliveries, *cursor);
    if (!before) return BadCursor{};
    list.before = *before;
  }
  return list;
}

std::optional<std::string> rail_name(std::string_view text) {
  if (!model::is_rail_name(text)) return std::nullopt;
  return std::string(text);
}

Read<ListReconciliations> read_reconciliation_list(Parameters& parameters) {
  ListReconciliations list;
  list.rail = parameters.take("rail", "the name of a rail", rail_name).value_or("");
  const auto state = parameters.take("state", "open or all", [](std::string_view text) -> std::optional<bool> {
    if (text != "open" && text != "all") return std::nullopt;
    return text == "open";
  });
  list.open_only = state.value_or(false);
  list.limit = parameters.take_limit();
  if (const auto cursor = parameters.take("cursor")) {
    const auto before = parse_event_cursor(ListKind::reconciliations, *cursor);
    if (!before) return BadCursor{};
    list.before = *before;
  }
  return list;
}

Read<GetReconciliation> read_reconciliation(const RouteMatch& match, Parameters& parameters, Problems& problems) {
  GetReconciliation get;
  const auto statement = model::parse_statement_id(match.parameters[0]);
  if (!statement && match.parameters[0] != "orphans") add_problem(problems, malformed, "/id", "not a reconciliation id");
  get.statement = statement.value_or(0);
  get.limit = parameters.take_limit();
  if (const auto cursor = parameters.take("cursor")) {
    const auto before = parse_event_cursor(ListKind::exceptions, *cursor);
    if (!before) return BadCursor{};
    get.before = *before;
  }
  return get;
}

// Keys, and wallets, which are keys as well.
template <typename List, ListKind kind>
Read<List> read_key_list(Parameters& parameters) {
  List list;
  list.partner = parameters.take("partner", "the name of a partner", rail_name).value_or("");
  list.limit = parameters.take_limit();
  if (const auto cursor = parameters.take("cursor")) {
    const auto after = parse_event_cursor(kind, *cursor);
    if (!after || *after > UINT32_MAX) return BadCursor{};
    list.after = static_cast<model::KeyNumber>(*after);
  }
  return list;
}

// How many filters were given goes to `filters`.
Read<ListTransfers> read_transfer_list(const Query& query, Parameters& parameters, const GateKeys& keys, int& filters) {
  ListTransfers list;
  filters = 0;
  const auto key = parameters.take("key");
  const auto operation = parameters.take("operation", "an operation that takes keys", parse_operation);
  list.operation = operation.value_or(model::Operation::create_transfer);
  if (key) {
    ++filters;
    if (!is_idempotency_key(*key)) parameters.report("key", malformed, "1 to 255 printable ASCII characters");
    list.key = key_mac(keys, query.tenant, query.principal, list.operation, *key);
  } else if (operation) {
    parameters.report("operation", "request_field_out_of_range", "only together with key");
  }
  if (const auto reference = parameters.take("reference")) {
    ++filters;
    if (reference->empty() || reference->size() > reference_bytes_max)
      parameters.report("reference", malformed, "1 to 255 bytes");
    list.reference_key = reference_mac(keys, query.tenant, *reference);
  }
  if (const auto state = parameters.take("state")) {
    ++filters;
    list.state = parse_transfer_state(*state);
    if (!list.state) list.saga_state = parse_saga_state(*state);
    if ((!list.state && !list.saga_state) || list.state == TransferState::posted) {
      parameters.report("state", malformed, "a state of holds or of transfers over rails");
    }
  }
  if (const auto account = parameters.take("account")) {
    ++filters;
    if (!model::is_account_name(*account)) parameters.report("account", malformed, "not an account id");
    list.account = std::string(*account);
    list.account_hash = model::account_name_hash(query.tenant, *account);
  }
  list.limit = parameters.take_limit();
  if (const auto cursor = parameters.take("cursor")) {
    const ListKind kind = list.saga_state ? ListKind::transfers_by_age : ListKind::transfers;
    const auto before = parse_event_cursor(kind, *cursor);
    if (!before) return BadCursor{};
    list.before = *before;
  }
  return list;
}

}  // namespace

std::variant<Query, Refusal> read_query(Query query, const RouteMatch& match, const wire::Request& request,
                                        const GateKeys& keys, model::Scopes scopes) {
  const auto refuse = [&](Outcome outcome, std::string detail) {
    return refusal(outcome, std::move(detail), query.trace);
  };
  const auto all = wire::parse_query(request.query);
  if (!all.ok()) return refuse(Outcome::request_malformed, all.error().message);
  Problems problems;
  Parameters parameters(*all, problems);
  bool bad_cursor = false;
  const auto keep = [&](auto read) {
    bad_cursor = std::holds_alternative<BadCursor>(read);
    if (!bad_cursor) query.body = std::move(std::get<0>(read));
  };
  int filters = 1;
  switch (match.route->action) {
    case Action::get_account: {
      GetAccount get{.name = path_account(match, problems)};
      get.name_hash = model::account_name_hash(query.tenant, get.name);
      query.body = std::move(get);
      break;
    }
    case Action::get_transfer: {
      const auto id = model::parse_transfer_id(match.parameters[0]);
      if (!id) add_problem(problems, malformed, "/id", "not a transfer id");
      query.body = GetTransfer{id.value_or(model::TransferId{})};
      break;
    }
    case Action::get_account_history:
      keep(read_history(match, query.tenant, parameters, problems));
      break;
    case Action::list_accounts:
      keep(read_account_list(parameters));
      break;
    case Action::list_transfers:
      keep(read_transfer_list(query, parameters, keys, filters));
      break;
    case Action::get_trial_balance:
      query.body = TrialBalance{parameters.take_asset()};
      break;
    case Action::get_checkpoint:
      query.body = GetCheckpoint{};
      break;
    case Action::get_own_keys:
      query.body = GetOwnKeys{};
      break;
    case Action::get_tile:
      query.body = GetTile{.path = "tile/" + match.parameters[0], .entries = false};
      break;
    case Action::get_entry_bundle:
      query.body = GetTile{.path = "tile/entries/" + match.parameters[0], .entries = true};
      break;
    case Action::get_transfer_evidence: {
      const auto id = model::parse_transfer_id(match.parameters[0]);
      if (!id) add_problem(problems, malformed, "/id", "not a transfer id");
      query.body = GetEvidence{.id = id.value_or(model::TransferId{}),
                               .disclose = read_disclose(parameters),
                               .accounts_visible = (scopes & model::accounts_read) != 0};
      break;
    }
    case Action::list_rails:
      query.body = ListRails{};
      break;
    case Action::get_rail:
      if (!model::is_rail_name(match.parameters[0])) add_problem(problems, malformed, "/name", "not a rail's name");
      query.body = GetRail{match.parameters[0]};
      break;
    case Action::list_reconciliations:
      keep(read_reconciliation_list(parameters));
      break;
    case Action::get_reconciliation:
      keep(read_reconciliation(match, parameters, problems));
      break;
    case Action::get_import:
      query.body = GetImport{read_import_id(match.parameters, problems)};
      break;
    case Action::get_import_evidence:
      query.body = GetImportEvidence{.import = read_import_id(match.parameters, problems), .disclose = read_disclose(parameters)};
      break;
    case Action::list_keys:
      keep(read_key_list<ListKeys, ListKind::keys>(parameters));
      break;
    case Action::list_wallets:
      keep(read_key_list<ListWallets, ListKind::wallets>(parameters));
      break;
    case Action::get_wallet:
      query.body = GetWallet{read_key_id(match.parameters, problems)};
      break;
    case Action::get_key:
      query.body = GetKey{read_key_id(match.parameters, problems)};
      break;
    case Action::list_key_versions:
      query.body = ListKeyVersions{read_key_id(match.parameters, problems)};
      break;
    case Action::list_webhooks:
      query.body = ListWebhooks{};
      break;
    case Action::get_webhook:
      query.body = GetWebhook{read_webhook_id(match.parameters, problems)};
      break;
    case Action::list_webhook_deliveries:
      keep(read_delivery_list(read_webhook_id(match.parameters, problems), parameters));
      break;
    default:
      CHECK_THAT(false, "a route that is no read");
  }
  if (bad_cursor) return refuse(Outcome::cursor_invalid, "the cursor is not one of this list");
  const std::string_view left_over = parameters.left_over();
  if (match.route->action == Action::list_transfers && (!left_over.empty() || filters != 1)) {
    return refuse(Outcome::filter_not_indexed,
                  "filter by exactly one of: key (with operation), reference, state, account");
  }
  if (!left_over.empty()) {
    constexpr std::size_t shown_bytes_max = 64;
    add_problem(problems, "request_field_unknown", wire::pointer_to("", left_over.substr(0, shown_bytes_max)),
                "there is no such parameter here");
  }
  if (request.headers.count("holdfast-position") != 0) {
    const auto position = parse_position(request.headers.find("holdfast-position").value_or(""));
    if (!position) add_problem(problems, malformed, "/Holdfast-Position", "not a position of this service");
    query.position = position.value_or(0);
  }
  if (!problems.empty()) return refusal(std::move(problems), query.trace);
  return query;
}

}  // namespace gate
