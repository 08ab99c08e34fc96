// holdfast rail

#include <array>

#include "apps/holdfast/commands.h"
#include "apps/holdfast/offline.h"
#include "apps/holdfast/rail_simulation.h"
#include "apps/holdfast/readable.h"
#include "apps/holdfast/remote.h"
#include "base/text.h"
#include "gate/request_body.h"
#include "io/posix_file.h"
#include "node/own_keys.h"
#include "wire/http_message.h"
#include "wire/json_value.h"
#include "wire/json_writer.h"

namespace holdfast {

namespace {

// Long over: the core lifts a window by it.
constexpr std::string_view window_over_from = "1970-01-01T00:00:00Z", window_over_until = "1970-01-01T00:00:01Z";

std::string rail_path(const Arguments& arguments, std::string_view action = {}) {
  std::string path = "/v1/rails/" + wire::encode_segment(arguments.operands()[0]);
  if (!action.empty()) path.append("/").append(action);
  return path;
}

int run_list(const Arguments& arguments) {
  return ask(arguments, {.path = "/v1/rails"}, [](std::string_view json) {
    return readable_table(json, "items", {"name", "asset", "cost_fixed", "cost_basis_points", "amount_max", "paused", "maintenance_until",
                                          "health.breaker", "health.in_flight", "health.latency_us"});
  });
}

int run_show(const Arguments& arguments) { return ask(arguments, {.path = rail_path(arguments)}, readable); }

int run_configure(const Arguments& arguments) {
  const auto bytes = read_input(arguments.operands()[0], gate::body_bytes_max);
  if (!bytes.ok()) return fail(bytes.error());
  return ask(arguments, {.method = "POST", .path = "/v1/rails", .query = {}, .body = std::string(base::as_text(*bytes))}, readable);
}

int run_pause(const Arguments& arguments) { return ask(arguments, {.method = "POST", .path = rail_path(arguments, "pause")}, readable); }
int run_resume(const Arguments& arguments) { return ask(arguments, {.method = "POST", .path = rail_path(arguments, "resume")}, readable); }

int run_maintenance(const Arguments& arguments) {
  const auto from = arguments.value("--from"), until = arguments.value("--until");
  const bool lift = arguments.has("--lift");
  if (lift ? (from || until) : (!from || !until)) {
    return fail({"options_contradict", "rail maintenance needs --from TIME and --until TIME, or --lift"});
  }
  ApiRequest request{.method = "POST", .path = rail_path(arguments, "maintenance")};
  wire::JsonWriter json(request.body);
  json.begin_object();
  json.member("from", lift ? window_over_from : *from);
  json.member("until", lift ? window_over_until : *until);
  json.end_object();
  return ask(arguments, std::move(request), readable);
}

// The other side is personal: from a file or standard input, never from the command line.
int run_send(const Arguments& arguments) {
  const std::vector<std::string>& words = arguments.operands();
  const bool collect = arguments.has("--collect");
  const auto party = arguments.value("--to");
  if (!party) return fail({"options_contradict", "rail send needs --to FILE, a JSON object that says who is paid (with --collect: who pays)"});
  const auto other = read_input(std::string(*party), gate::body_bytes_max);
  if (!other.ok()) return fail(other.error());
  const auto parsed = wire::parse_json(*other);
  if (!parsed.ok() || !parsed->root().is_object()) return fail({"option_value_malformed", "--to needs one JSON object in " + std::string(*party)});
  const auto instrument = arguments.number("--instrument", 1, UINT16_MAX);
  if (!instrument.ok()) return fail(instrument.error());
  const auto seconds = arguments.number("--send-within-seconds", 1, gate::rail_seconds_max);
  if (!seconds.ok()) return fail(seconds.error());
  ApiRequest request{.method = "POST", .path = "/v1/transfers"};
  wire::JsonWriter json(request.body);
  json.begin_object();
  json.member("kind", collect ? "collect" : "payout");
  json.member(collect ? "credit_account" : "debit_account", std::string_view(words[0]));
  json.member("amount", std::string_view(words[1]));
  json.member("asset", std::string_view(words[2]));
  json.key(collect ? "payer" : "beneficiary");
  json.raw(base::as_text(*other));
  for (const auto& [option, name] : {std::pair<std::string_view, std::string_view>{"--rail", "rail"},
                                     {"--country", "country"},
                                     {"--reference", "reference"}}) {
    if (const auto value = arguments.value(option)) json.member(name, *value);
  }
  if (*instrument) json.member("instrument", **instrument);
  if (*seconds) json.member("send_within_seconds", **seconds);
  json.end_object();
  return ask(arguments, std::move(request), readable);
}

// 1/10,000 of the smallest unit are more than people want to know.
std::string whole(std::int64_t ten_thousandths) {
  return std::to_string(ten_thousandths / 10'000);
}

std::string simulation_json(const RailLog& log, const std::vector<StrategyResult>& results) {
  std::string text;
  wire::JsonWriter json(text);
  json.begin_object();
  json.member("payments", std::uint64_t{log.payments.size()});
  json.member("complete", log.complete());
  json.key("strategies");
  json.begin_array();
  for (const StrategyResult& result : results) {
    json.begin_object();
    json.member("name", std::string_view(result.name));
    json.member("decided", result.decided);
    json.member("evidence", result.evidence);
    json.member("settled", result.settled);
    json.member("earned", std::string_view(whole(result.earned)));
    json.end_object();
  }
  json.end_array();
  json.end_object();
  return text;
}

std::string simulation_table(const RailLog& log, const std::vector<StrategyResult>& results) {
  std::string text = std::to_string(log.payments.size()) + " payments, " + std::to_string(log.rails.size()) + " rails" +
                     (log.complete() ? "\n" : "; the log does not say what every rail would have made of every payment:\n"
                                               "compare what was earned for each payment with evidence, not the sums (docs/rail-simulate.md)\n");
  const auto row = [&text](std::string_view name, const std::array<std::string, 5>& numbers) {
    text.append("\n").append(name).append(name.size() < 40 ? 40 - name.size() : 1, ' ');
    for (const std::string& number : numbers) text.append(number.size() < 12 ? 12 - number.size() : 1, ' ').append(number);
  };
  row("", {"decided", "evidence", "settled", "earned", "for each"});
  for (const StrategyResult& result : results) {
    row(result.name, {std::to_string(result.decided), std::to_string(result.evidence), std::to_string(result.settled), whole(result.earned),
                      result.evidence == 0 ? "-" : whole(result.earned / static_cast<std::int64_t>(result.evidence))});
  }
  return text;
}

int run_simulate(const Arguments& arguments) {
  const auto bytes = read_input(arguments.operands()[0], rail_log_bytes_max);
  if (!bytes.ok()) return fail(bytes.error());
  const auto margin = arguments.number("--margin", 0, 10'000);
  if (!margin.ok()) return fail(margin.error());
  const auto log = parse_rail_log(*bytes);
  if (!log.ok()) return fail({log.error().code, arguments.operands()[0] + ": " + log.error().message});
  core::RoutingPolicy policy;
  if (*margin) policy.margin_basis_points = static_cast<std::uint32_t>(**margin);
  const std::vector<StrategyResult> results = simulate_rails(*log, policy);
  print(arguments.json() ? simulation_json(*log, results) : simulation_table(*log, results));
  return exit_done;
}

int run_key(const Arguments& arguments) {
  io::RealFileSystem files;
  const auto place = data_place(files, arguments);
  if (!place.ok()) return fail(place.error());
  const auto key = node::rail_signing_public_key(files, *place);
  if (!key.ok()) return fail(key.error());
  const std::string text = base::to_base64(*key);
  if (!arguments.json()) {
    print(text);
    return exit_done;
  }
  std::string out;
  wire::JsonWriter json(out);
  json.begin_object();
  json.member("algorithm", "ed25519");
  json.member("public_key", std::string_view(text));
  json.end_object();
  print(out);
  return exit_done;
}

}  // namespace

Command rail_command() {
  return {.name = "rail",
          .summary = "ways out: look at them, steer them, send over them",
          .examples = "  holdfast rail list --data /tmp/try\n"
                      "  echo '{\"account\": \"test-1\"}' | holdfast rail send users/7f3a 1250 EUR/2 --to - --data /tmp/try\n"
                      "  holdfast rail pause bank-a\n"
                      "  holdfast rail maintenance bank-a --from 2027-01-15T22:00:00Z --until 2027-01-16T02:00:00Z\n"
                      "  holdfast rail simulate docs/examples/rail-log.csv\n"
                      "  holdfast rail key --data /var/lib/holdfast\n",
          .verbs = {{"list", "", 0, 0, "the rails, what they cost and how they are", remote_options(), run_list},
                    {"show", "NAME", 1, 1, "profile, what operators allow, health", remote_options(), run_show},
                    {"configure", "FILE", 1, 1, "registers a rail, or changes one, from JSON (- is standard input)", changing_options(), run_configure},
                    {"pause", "NAME", 1, 1, "no new attempts; what is under way goes on", changing_options(), run_pause},
                    {"resume", "NAME", 1, 1, "ends a pause", changing_options(), run_resume},
                    {"maintenance", "NAME", 1, 1, "no new attempts within a window, which replaces the former",
                     changing_options({{"--from", "TIME", "2027-01-15T22:00:00Z"},
                                       {"--until", "TIME", "when it is over"},
                                       {"--lift", "", "no window any more"}}),
                     run_maintenance},
                    {"send", "ACCOUNT AMOUNT CODE/SCALE", 3, 3, "pays ACCOUNT's money out over a rail",
                     changing_options({{"--to", "FILE", "JSON object: who is paid, as the rail wants it (- is standard input)"},
                                       {"--rail", "NAME", "this one and no other; the router chooses unless given"},
                                       {"--country", "CC", "of the beneficiary"},
                                       {"--instrument", "N", "a number for a card, a wallet, an account: success may depend on it"},
                                       {"--send-within-seconds", "N", "after that it fails instead of waiting for a rail"},
                                       {"--reference", "TEXT", "to find it by"},
                                       {"--collect", "", "the other way: brings money in from who is named"}}),
                     run_send},
                    {"simulate", "LOG.csv", 1, 1, "what the router would have made of past attempts, beside choices that look at nothing",
                     {{"--margin", "N", "basis points that a success earns; default 300, the router's own"}}, run_simulate},
                    {"key", "", 0, 0, "the public key that verifies our requests: what a bank has to know",
                     {{"--data", "DIR", "the data directory; a service may be working on it"}, {"--master-key", "FILE", "default: DIR.master-key"}}, run_key}},
          .notes = "What becomes of a transfer: holdfast transfer get, and its verbs cancel, review, resolve and refund. How rails are\n"
                   "connected: docs/rails.md.\n"};
}

}  // namespace holdfast
