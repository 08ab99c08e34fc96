// holdfast asset, holdfast account

#include "apps/holdfast/commands.h"
#include "apps/holdfast/readable.h"
#include "apps/holdfast/remote.h"
#include "wire/http_message.h"
#include "wire/json_writer.h"

namespace holdfast {

namespace {

std::string account_path(const Arguments& arguments, std::string_view action = {}) {
  std::string path = "/v1/accounts/" + wire::encode_segment(arguments.operands()[0]);
  if (!action.empty()) path.append("/").append(action);
  return path;
}

std::string show_accounts(std::string_view json) {
  return readable_table(json, "items", {"id", "asset", "debits_posted", "credits_posted", "debits_pending", "credits_pending", "flags"});
}
std::string show_history(std::string_view json) {
  return readable_table(json, "items", {"at", "type", "side", "amount", "asset", "counterparty", "transfer"});
}

void write_limits(wire::JsonWriter& json, const Arguments& arguments) {
  for (const auto& [option, name] : {std::pair<std::string_view, std::string_view>{"--debit-max", "debit_amount_max"},
                                     {"--daily-debits-max", "daily_debits_max"},
                                     {"--balance-max", "balance_max"}}) {
    if (const auto value = arguments.value(option)) json.member(name, *value);
  }
}

int run_register(const Arguments& arguments) {
  ApiRequest request{.method = "POST", .path = "/v1/assets"};
  wire::JsonWriter json(request.body);
  json.begin_object();
  json.member("code", std::string_view(arguments.operands()[0]));
  json.end_object();
  return ask(arguments, std::move(request), readable);
}

int run_open(const Arguments& arguments) {
  const auto asset = arguments.value("--asset");
  if (!asset) return fail({"options_contradict", "account open needs --asset CODE/SCALE"});
  ApiRequest request{.method = "POST", .path = "/v1/accounts"};
  wire::JsonWriter json(request.body);
  json.begin_object();
  json.member("id", std::string_view(arguments.operands()[0]));
  json.member("asset", *asset);
  if (arguments.has("--unlimited")) {
    json.key("flags");
    json.begin_array();
    json.end_array();
  }
  if (arguments.has("--debit-max") || arguments.has("--daily-debits-max") || arguments.has("--balance-max")) {
    json.key("limits");
    json.begin_object();
    write_limits(json, arguments);
    json.end_object();
  }
  json.end_object();
  return ask(arguments, std::move(request), readable);
}

int run_get(const Arguments& arguments) { return ask(arguments, {.path = account_path(arguments)}, readable); }

int run_list(const Arguments& arguments) {
  return ask(arguments,
             {.path = "/v1/accounts",
              .query = query_of(arguments, {{"--prefix", "prefix"}, {"--asset", "asset"}, {"--cursor", "cursor"}, {"--limit", "limit"}})},
             show_accounts);
}

int change_flags(const Arguments& arguments, std::string_view action) {
  ApiRequest request{.method = "POST", .path = account_path(arguments, action)};
  wire::JsonWriter json(request.body);
  json.begin_object();
  if (action != "close") {
    if (arguments.has("--debits")) json.member("debits", true);
    if (arguments.has("--credits")) json.member("credits", true);
  }
  json.end_object();
  return ask(arguments, std::move(request), readable);
}

int run_freeze(const Arguments& arguments) { return change_flags(arguments, "freeze"); }
int run_unfreeze(const Arguments& arguments) { return change_flags(arguments, "unfreeze"); }
int run_close(const Arguments& arguments) { return change_flags(arguments, "close"); }

int run_limits(const Arguments& arguments) {
  ApiRequest request{.method = "POST", .path = account_path(arguments, "limits")};
  wire::JsonWriter json(request.body);
  json.begin_object();
  write_limits(json, arguments);
  json.end_object();
  return ask(arguments, std::move(request), readable);
}

int run_history(const Arguments& arguments) {
  return ask(arguments,
             {.path = account_path(arguments, "history"),
              .query = query_of(arguments, {{"--from", "from"}, {"--to", "to"}, {"--cursor", "cursor"}, {"--limit", "limit"}})},
             show_history);
}

int run_trial_balance(const Arguments& arguments) {
  return ask(arguments, {.path = "/v1/trial-balance", .query = query_of(arguments, {{"--asset", "asset"}})}, [](std::string_view json) {
    return readable_table(json, "rows", {"asset", "accounts", "debits_posted", "credits_posted", "debits_pending", "credits_pending", "balanced"});
  });
}

const std::vector<Option> limit_options{{"--debit-max", "AMOUNT", "most that one transfer may debit"},
                                        {"--daily-debits-max", "AMOUNT", "most that all debits of a UTC day may be"},
                                        {"--balance-max", "AMOUNT", "most the account may hold"}};

std::vector<Option> with_limits(std::vector<Option> options) {
  options.insert(options.end(), limit_options.begin(), limit_options.end());
  return options;
}

}  // namespace

Command asset_command() {
  return {.name = "asset",
          .summary = "register what accounts can hold",
          .examples = "  holdfast asset register USD/2 --data /tmp/try\n",
          .verbs = {{"register", "CODE/SCALE", 1, 1, "registers an asset and opens its account world/CODE", changing_options(), run_register}}};
}

Command account_command() {
  const std::vector<Option> sides{{"--debits", "", "debits only"}, {"--credits", "", "credits only"}};
  const std::vector<Option> pages{{"--cursor", "CURSOR", "where the last page ended"}, {"--limit", "N", "rows, at most 100"}};
  std::vector<Option> list_options{{"--prefix", "TEXT", "ids that begin so"}, {"--asset", "CODE/SCALE", "of this asset"}};
  list_options.insert(list_options.end(), pages.begin(), pages.end());
  std::vector<Option> history_options{{"--from", "TIME", "at or after, 2026-01-31T00:00:00Z"}, {"--to", "TIME", "before"}};
  history_options.insert(history_options.end(), pages.begin(), pages.end());
  return {.name = "account",
          .summary = "open, look at and control accounts",
          .examples = "  holdfast account open users/7f3a --asset USD/2 --data /tmp/try\n"
                      "  holdfast account get users/7f3a --data /tmp/try\n"
                      "  holdfast account freeze users/7f3a --debits\n",
          .verbs = {{"open", "ID", 1, 1, "opens an account; its debits may not exceed its credits",
                     changing_options(with_limits({{"--asset", "CODE/SCALE", "what it holds"},
                                                   {"--unlimited", "", "debits may exceed credits"}})),
                     run_open},
                    {"get", "ID", 1, 1, "shows balances, flags and limits", remote_options(), run_get},
                    {"list", "", 0, 0, "lists accounts by id", remote_options(list_options), run_list},
                    {"history", "ID", 1, 1, "postings and holds, newest first", remote_options(history_options), run_history},
                    {"freeze", "ID", 1, 1, "refuses debits and credits until unfrozen", changing_options(sides), run_freeze},
                    {"unfreeze", "ID", 1, 1, "takes them again", changing_options(sides), run_unfreeze},
                    {"close", "ID", 1, 1, "closes an empty account for ever", changing_options(), run_close},
                    {"limits", "ID", 1, 1, "replaces all limits; those not given are lifted", changing_options(limit_options), run_limits},
                    {"trial-balance", "", 0, 0, "debits and credits of every asset",
                     remote_options({{"--asset", "CODE/SCALE", "of this asset"}}), run_trial_balance}}};
}

}  // namespace holdfast
