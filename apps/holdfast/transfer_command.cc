// holdfast transfer

#include "apps/holdfast/commands.h"
#include "apps/holdfast/readable.h"
#include "apps/holdfast/remote.h"
#include "gate/request_body.h"
#include "wire/http_message.h"
#include "wire/json_writer.h"

namespace holdfast {

namespace {

int run_create(const Arguments& arguments) {
  const std::vector<std::string>& words = arguments.operands();
  ApiRequest request{.method = "POST", .path = "/v1/transfers"};
  wire::JsonWriter json(request.body);
  json.begin_object();
  json.member("debit_account", std::string_view(words[0]));
  json.member("credit_account", std::string_view(words[1]));
  json.member("amount", std::string_view(words[2]));
  json.member("asset", std::string_view(words[3]));
  if (arguments.has("--hold") || arguments.has("--hold-seconds")) json.member("hold", true);
  const auto seconds = arguments.number("--hold-seconds", 1, gate::hold_seconds_max);
  if (!seconds.ok()) return fail(seconds.error());
  if (*seconds) json.member("hold_seconds", **seconds);
  if (const auto reference = arguments.value("--reference")) json.member("reference", *reference);
  json.end_object();
  return ask(arguments, std::move(request), readable);
}

std::string transfer_path(const Arguments& arguments, std::string_view action = {}) {
  std::string path = "/v1/transfers/" + wire::encode_segment(arguments.operands()[0]);
  if (!action.empty()) path.append("/").append(action);
  return path;
}

int run_get(const Arguments& arguments) { return ask(arguments, {.path = transfer_path(arguments)}, readable); }

int run_list(const Arguments& arguments) {
  return ask(arguments,
             {.path = "/v1/transfers",
              .query = query_of(arguments, {{"--key", "key"},
                                            {"--reference", "reference"},
                                            {"--state", "state"},
                                            {"--account", "account"},
                                            {"--cursor", "cursor"},
                                            {"--limit", "limit"}})},
             [](std::string_view json) {
               return readable_table(json, "items", {"id", "state", "amount", "asset", "debit_account", "credit_account", "created_at", "reference"});
             });
}

int run_capture(const Arguments& arguments) {
  ApiRequest request{.method = "POST", .path = transfer_path(arguments, "capture")};
  wire::JsonWriter json(request.body);
  json.begin_object();
  if (const auto amount = arguments.value("--amount")) json.member("amount", *amount);
  json.end_object();
  return ask(arguments, std::move(request), readable);
}

int run_void(const Arguments& arguments) {
  return ask(arguments, {.method = "POST", .path = transfer_path(arguments, "void"), .query = {}, .body = "{}"}, readable);
}

int run_cancel(const Arguments& arguments) {
  return ask(arguments, {.method = "POST", .path = transfer_path(arguments, "cancel"), .query = {}, .body = "{}"}, readable);
}

// One word of two, and why: a person's voice about a transfer.
int decide(const Arguments& arguments, std::string_view action, std::string_view member, std::pair<std::string_view, std::string_view> words) {
  const std::string& word = arguments.operands()[1];
  if (word != words.first && word != words.second) {
    return fail({"option_value_malformed", "\"" + word + "\" is neither " + std::string(words.first) + " nor " + std::string(words.second)});
  }
  ApiRequest request{.method = "POST", .path = transfer_path(arguments, action)};
  wire::JsonWriter json(request.body);
  json.begin_object();
  json.member(member, std::string_view(word));
  if (const auto reason = arguments.value("--reason")) json.member("reason", *reason);
  json.end_object();
  return ask(arguments, std::move(request), readable);
}

int run_review(const Arguments& arguments) { return decide(arguments, "review", "decision", {"approve", "reject"}); }

int run_resolve(const Arguments& arguments) {
  if (!arguments.has("--reason")) return fail({"options_contradict", "transfer resolve needs --reason TEXT: how it is known"});
  return decide(arguments, "resolve", "verdict", {"settled", "failed"});
}

int run_refund(const Arguments& arguments) {
  ApiRequest request{.method = "POST", .path = transfer_path(arguments, "refunds")};
  wire::JsonWriter json(request.body);
  json.begin_object();
  if (const auto amount = arguments.value("--amount")) json.member("amount", *amount);
  if (const auto reference = arguments.value("--reference")) json.member("reference", *reference);
  json.end_object();
  return ask(arguments, std::move(request), readable);
}

int run_batch(const Arguments& arguments) {
  const auto bytes = read_input(arguments.operands()[0], gate::batch_bytes_max);
  if (!bytes.ok()) return fail(bytes.error());
  ApiRequest request{.method = "POST", .path = "/v1/transfers:batch", .query = {}, .body = std::string(base::as_text(*bytes))};
  return ask(arguments, std::move(request), [](std::string_view json) {
    return readable_table(json, "items", {"status", "id", "state", "code", "amount", "debit_account", "credit_account"});
  });
}

}  // namespace

Command transfer_command() {
  return {.name = "transfer",
          .summary = "move money between accounts; what becomes of it on the way out",
          .examples = "  holdfast transfer create world/USD users/7f3a 100000 USD/2 --data /tmp/try\n"
                      "  holdfast transfer create users/7f3a users/91cc 1250 USD/2 --hold-seconds 3600\n"
                      "  holdfast transfer capture tr_0000000000042 --amount 1000\n"
                      "  holdfast transfer list --state outcome_unknown\n"
                      "  holdfast transfer resolve tr_0000000000042 failed --reason \"the bank's letter of 15 January\"\n",
          .verbs = {{"create", "FROM TO AMOUNT CODE/SCALE", 4, 4, "debits FROM and credits TO, at once or as a hold",
                     changing_options({{"--hold", "", "reserve only; capture or void later"},
                                       {"--hold-seconds", "N", "a hold that expires"},
                                       {"--reference", "TEXT", "to find it by"}}),
                     run_create},
                    {"get", "ID", 1, 1, "shows a transfer", remote_options(), run_get},
                    {"list", "", 0, 0, "by exactly one of key, reference, state or account",
                     remote_options({{"--key", "KEY", "the transfer that used this idempotency key"},
                                     {"--reference", "TEXT", "transfers with this reference"},
                                     {"--state", "STATE", "held, captured, voided or expired; over rails also outcome_unknown, manual_review, parked..."},
                                     {"--account", "ID", "transfers of this account"},
                                     {"--cursor", "CURSOR", "where the last page ended"},
                                     {"--limit", "N", "rows, at most 100"}}),
                     run_list},
                    {"capture", "ID", 1, 1, "posts a hold; what is not captured is released",
                     changing_options({{"--amount", "AMOUNT", "at most the held amount; all unless given"}}), run_capture},
                    {"void", "ID", 1, 1, "releases a hold", changing_options(), run_void},
                    {"cancel", "ID", 1, 1, "ends a transfer over a rail that was not sent yet", changing_options(), run_cancel},
                    {"review", "ID approve|reject", 2, 2, "one person's voice about a transfer that waits for people",
                     changing_options({{"--reason", "TEXT", "why"}}), run_review},
                    {"resolve", "ID settled|failed", 2, 2, "one of two voices about what became of it at the rail, once asking is used up",
                     changing_options({{"--reason", "TEXT", "how it is known"}}), run_resolve},
                    {"refund", "ID", 1, 1, "gives back all of it, or a part; of a payout it asks the rail to",
                     changing_options({{"--amount", "AMOUNT", "all that is left unless given"}, {"--reference", "TEXT", "to find it by"}}), run_refund},
                    {"batch", "FILE", 1, 1, "sends the items of a JSON file (- is standard input)", changing_options(), run_batch}},
          .notes = "Amounts are in the smallest unit of the asset (holdfast help amounts). Payouts are made by holdfast\n"
                   "rail send; the states of transfers over rails are in docs/transfers.md.\n"};
}

}  // namespace holdfast
