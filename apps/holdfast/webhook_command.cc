// holdfast webhook: endpoints of a running service, and offline the signature of a message that was captured.

#include "apps/holdfast/commands.h"
#include "apps/holdfast/readable.h"
#include "apps/holdfast/remote.h"
#include "base/text.h"
#include "effects/webhook/webhook_keys.h"
#include "io/clock.h"
#include "io/posix_file.h"
#include "wire/http_message.h"
#include "wire/json_writer.h"

namespace holdfast {

namespace {

constexpr std::uint64_t message_bytes_max = std::uint64_t{4} << 20;

std::string webhook_path(const Arguments& arguments, std::string_view action = {}) {
  std::string path = "/v1/webhooks/" + wire::encode_segment(arguments.operands()[0]);
  if (!action.empty()) path.append("/").append(action);
  return path;
}

void write_list(wire::JsonWriter& json, std::string_view name, std::string_view list) {
  json.key(name);
  json.begin_array();
  while (!list.empty()) {
    const std::string_view one = list.substr(0, list.find(','));
    list.remove_prefix(std::min(list.size(), one.size() + 1));
    json.string(one);
  }
  json.end_array();
}

int run_create(const Arguments& arguments) {
  ApiRequest request{.method = "POST", .path = "/v1/webhooks"};
  wire::JsonWriter json(request.body);
  json.begin_object();
  json.member("url", std::string_view(arguments.operands()[0]));
  write_list(json, "events", arguments.value_or("--events", "transfer.settled,transfer.failed,transfer.returned,case.opened"));
  if (arguments.has("--ordered")) json.member("ordered", true);
  if (arguments.has("--personal")) json.member("personal", true);
  json.end_object();
  return ask(arguments, std::move(request), readable);
}

int run_list(const Arguments& arguments) {
  return ask(arguments, {.path = "/v1/webhooks"}, [](std::string_view json) {
    return readable_table(json, "items", {"id", "enabled", "url", "waiting", "given_up", "failing_since", "disabled_because"});
  });
}

int run_get(const Arguments& arguments) { return ask(arguments, {.path = webhook_path(arguments)}, readable); }

int run_change(const Arguments& arguments) {
  ApiRequest request{.method = "POST", .path = webhook_path(arguments)};
  wire::JsonWriter json(request.body);
  json.begin_object();
  if (const auto url = arguments.value("--url")) json.member("url", *url);
  if (const auto events = arguments.value("--events")) write_list(json, "events", *events);
  for (const std::string_view name : {"enabled", "ordered", "personal"}) {
    const auto wanted = arguments.value("--" + std::string(name));
    if (!wanted) continue;
    if (*wanted != "yes" && *wanted != "no") return fail({"option_value_malformed", "--" + std::string(name) + " takes yes or no"});
    json.member(name, *wanted == "yes");
  }
  json.end_object();
  return ask(arguments, std::move(request), readable);
}

int post_empty(const Arguments& arguments, std::string_view action) {
  return ask(arguments, {.method = "POST", .path = webhook_path(arguments, action), .query = {}, .body = "{}"}, readable);
}

int run_remove(const Arguments& arguments) { return post_empty(arguments, "remove"); }
int run_test(const Arguments& arguments) { return post_empty(arguments, "test"); }

int run_rotate(const Arguments& arguments) {
  const auto overlap = arguments.number("--overlap-seconds", 0, UINT32_MAX);
  if (!overlap.ok()) return fail(overlap.error());
  ApiRequest request{.method = "POST", .path = webhook_path(arguments, "rotate")};
  wire::JsonWriter json(request.body);
  json.begin_object();
  if (*overlap) json.member("overlap_seconds", **overlap);
  json.end_object();
  return ask(arguments, std::move(request), readable);
}

int run_resend(const Arguments& arguments) {
  const auto message = arguments.value("--message");
  const auto since = arguments.value("--failed-since");
  if (message.has_value() == since.has_value()) return fail({"options_contradict", "webhook resend needs --message ID or --failed-since INSTANT"});
  ApiRequest request{.method = "POST", .path = webhook_path(arguments, "resend")};
  wire::JsonWriter json(request.body);
  json.begin_object();
  json.member(message ? "message" : "failed_since", message ? *message : *since);
  json.end_object();
  return ask(arguments, std::move(request), readable);
}

int run_deliveries(const Arguments& arguments) {
  return ask(arguments,
             {.path = webhook_path(arguments, "deliveries"), .query = query_of(arguments, {{"--cursor", "cursor"}, {"--limit", "limit"}})},
             [](std::string_view json) {
               return readable_table(json, "items", {"at", "message", "type", "attempt", "outcome", "status", "failure", "next_at"});
             });
}

// A file with one key of the right kind; its text never passes through a command line.
base::Status add_keys(const Arguments& arguments, effects::WebhookVerification& keys) {
  const auto read_key = [&](std::string_view option, wire::WebhookKeyKind kind, std::vector<base::Bytes>& into) -> base::Status {
    const auto name = arguments.value(option);
    if (!name) return base::ok();
    TRY_ASSIGN(const base::Bytes text, read_input(std::string(*name), 1024));
    std::string_view line = base::as_text(text);
    while (!line.empty() && (line.back() == '\n' || line.back() == '\r' || line.back() == ' ')) line.remove_suffix(1);
    auto key = wire::parse_webhook_key(kind, line);
    if (!key) return base::Error{"webhook_key_malformed", std::string(*name) + " holds no key of that kind"};
    into.push_back(std::move(*key));
    return base::ok();
  };
  TRY(read_key("--secret-file", wire::WebhookKeyKind::secret, keys.secrets));
  TRY(read_key("--public-key-file", wire::WebhookKeyKind::public_key, keys.public_keys));
  if (keys.secrets.empty() && keys.public_keys.empty()) {
    return base::Error{"options_contradict", "webhook verify needs --secret-file or --public-key-file"};
  }
  return base::ok();
}

// Header fields, an empty line, the body: as a tool that captures requests writes them. A request line before them is passed over.
base::Result<wire::Headers> split_message(std::string_view text, std::string_view& body) {
  wire::Headers headers;
  bool first = true;
  while (true) {
    const std::size_t end = text.find('\n');
    if (end == std::string_view::npos) return base::Error{"webhook_capture_malformed", "the file is header fields, an empty line and the body"};
    std::string_view line = text.substr(0, end);
    text.remove_prefix(end + 1);
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (line.empty()) break;
    const std::size_t colon = line.find(':');
    const bool request_line = first && line.find(" HTTP/") != std::string_view::npos;
    first = false;
    if (request_line) continue;
    if (colon == std::string_view::npos) return base::Error{"webhook_capture_malformed", "a header field without a colon"};
    std::string name(line.substr(0, colon));
    for (char& c : name) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
    std::string_view value = line.substr(colon + 1);
    while (value.starts_with(' ')) value.remove_prefix(1);
    headers.add(name, value);
  }
  body = text;
  return headers;
}

int run_verify(const Arguments& arguments) {
  effects::WebhookVerification keys;
  const base::Status read = add_keys(arguments, keys);
  if (!read.ok()) return fail(read.error());
  const auto bytes = read_input(arguments.operands()[0], message_bytes_max);
  if (!bytes.ok()) return fail(bytes.error());
  std::string_view body;
  const auto headers = split_message(base::as_text(*bytes), body);
  if (!headers.ok()) return fail(headers.error());
  const auto clock = io::RealClock::open();
  if (!clock.ok()) return fail(clock.error());
  const auto tolerance = arguments.number("--tolerance-seconds", 0, 400ull * 86'400);
  if (!tolerance.ok()) return fail(tolerance.error());
  // A message that was captured is old by nature: its age is judged only where that is asked for.
  const base::Duration allowed = base::seconds(static_cast<std::int64_t>(tolerance->value_or(4'000'000'000)));
  const auto claim = effects::verify_webhook(*headers, body, keys, (*clock)->wall(), allowed);
  if (!claim.ok()) return fail(claim.error());
  std::string text;
  wire::JsonWriter json(text);
  json.begin_object();
  json.member("verified", true);
  json.member("id", std::string_view(claim->id));
  json.member("sent_at", std::string_view(base::to_rfc3339(claim->timestamp)));
  json.end_object();
  print(arguments.json() ? text : readable(text));
  return exit_done;
}

const Option events_option{"--events", "LIST", "comma-separated event types (docs/webhooks.md)"};

}  // namespace

Command webhook_command() {
  return {.name = "webhook",
          .summary = "tell endpoints of others what happens; check what came from a service",
          .examples = "  holdfast webhook create https://shop.example.com/hooks --events transfer.settled,transfer.failed --ordered\n"
                      "  holdfast webhook test wh_1\n"
                      "  holdfast webhook deliveries wh_1\n"
                      "  holdfast webhook resend wh_1 --failed-since 2026-01-01T00:00:00Z\n"
                      "  holdfast webhook verify captured.txt --secret-file shop.secret\n",
          .verbs = {{"create", "URL", 1, 1, "subscribes an endpoint; its secret is shown once",
                     changing_options({events_option,
                                       {"--ordered", "", "one message after the other"},
                                       {"--personal", "", "with references and metadata"}}),
                     run_create},
                    {"list", "", 0, 0, "the endpoints, and how their deliveries stand", remote_options(), run_list},
                    {"get", "ID", 1, 1, "one of them", remote_options(), run_get},
                    {"change", "ID", 1, 1, "changes what is named, and enables it again",
                     changing_options({{"--url", "URL", "another address"},
                                       events_option,
                                       {"--enabled", "yes|no", "whether it is told anything"},
                                       {"--ordered", "yes|no", "one message after the other"},
                                       {"--personal", "yes|no", "with references and metadata"}}),
                     run_change},
                    {"remove", "ID", 1, 1, "for ever", changing_options(), run_remove},
                    {"rotate", "ID", 1, 1, "new keys; the former ones sign as well for a while",
                     changing_options({{"--overlap-seconds", "N", "how long; a day unless given"}}), run_rotate},
                    {"test", "ID", 1, 1, "sends a signed test message and says what the receiver answered", remote_options(), run_test},
                    {"resend", "ID", 1, 1, "tells it again",
                     remote_options({{"--message", "ID", "this message"}, {"--failed-since", "INSTANT", "all that were given up since"}}), run_resend},
                    {"deliveries", "ID", 1, 1, "attempts, newest first",
                     remote_options({{"--cursor", "CURSOR", "where the last page ended"}, {"--limit", "N", "at most so many, 1 to 100"}}),
                     run_deliveries},
                    {"verify", "FILE", 1, 1, "checks a captured message offline: header fields, an empty line, the body",
                     {{"--secret-file", "FILE", "whsec_...: the secret of v1"},
                      {"--public-key-file", "FILE", "whpk_...: the public key of v1a"},
                      {"--tolerance-seconds", "N", "also refuse what is older; not looked at unless given"}},
                     run_verify}}};
}

}  // namespace holdfast
