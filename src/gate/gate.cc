#include "gate/gate.h"

#include <algorithm>
#include <array>
#include <utility>

#include "base/check.h"
#include "gate/query_reader.h"
#include "gate/rail_names.h"
#include "gate/refusal_of.h"
#include "gate/schema.h"
#include "gate/scope.h"
#include "gate/wallet_schema.h"
#include "gate/webhook_schema.h"
#include "wire/json_value.h"
#include "wire/structured_field.h"

namespace gate {

using model::Outcome;

namespace {

constexpr std::uint32_t json_depth_max = 8;

enum class BodyForm : std::uint8_t { json, cbor };

// What the body is, or the refusal of what it is not.
std::variant<BodyForm, Refusal> form_of(const wire::Request& request, bool takes_cbor, const base::Tag128& trace) {
  const auto refused = [&](std::string detail) {
    return refusal(Outcome::media_type_unsupported, std::move(detail), trace);
  };
  const auto& headers = request.headers;
  if (headers.count("content-encoding") != 0) return refused("send the body without a Content-Encoding");
  if (request.body.empty() && headers.count("content-type") == 0) return BodyForm::json;
  const auto header = headers.find("content-type");
  const auto media = header ? wire::parse_media_type(*header) : std::nullopt;
  if (media && media->type == "application/json" && (media->charset.empty() || media->charset == "utf-8"))
    return BodyForm::json;
  if (media && takes_cbor && media->type == "application/cbor") return BodyForm::cbor;
  return refused(takes_cbor ? "send Content-Type: application/json or application/cbor"
                            : "send Content-Type: application/json");
}

// An empty body stands for an object without fields.
base::Result<wire::JsonDocument> parse_body(const wire::Request& request, std::size_t bytes_max) {
  const std::string_view text = request.body.empty() ? std::string_view("{}") : std::string_view(request.body);
  return wire::parse_json(base::as_bytes(text), {.bytes_max = bytes_max, .depth_max = json_depth_max});
}

Refusal refuse_json(const base::Error& error, const base::Tag128& trace) {
  const bool too_large = std::string_view(error.code) == "json_too_large";
  return refusal(too_large ? Outcome::body_too_large : Outcome::request_malformed, error.message, trace);
}

template <typename T>
Admission widen(std::variant<T, Refusal>&& narrow) {
  return std::visit([](auto&& one) -> Admission { return std::forward<decltype(one)>(one); }, std::move(narrow));
}

}  // namespace

struct Gate::Call {
  const wire::Request& request;
  base::Instant now;
  std::string_view peer;
  RouteMatch match;
  Sender sender;
  model::Scopes scopes = 0;

  Refusal refuse(Outcome outcome, std::string detail) const {
    return refusal(outcome, std::move(detail), sender.trace);
  }
};

namespace {

Refusal missing_scope(model::Scope scope, const base::Tag128& trace) {
  return refusal(Outcome::scope_missing, "this needs the scope " + std::string(to_text(scope)), trace);
}

std::string names_of(model::RailCapabilities capabilities) {
  std::string names;
  for (const auto& [capability, name] : rail_capability_names) {
    if ((capabilities & capability) != 0) names.append(names.empty() ? "" : ", ").append(name);
  }
  return names;
}

}  // namespace

Gate::Gate(const GateKeys& keys, const ClientBook& clients, RandomSource random, GateSettings settings)
    : keys_(keys),
      clients_(clients),
      random_(std::move(random)),
      settings_(std::move(settings)),
      tokens_(keys.tokens),
      limiter_(settings_.rate),
      fingerprints_(keys) {}

base::Tag128 Gate::trace_of(const wire::Request& request) {
  const auto header = request.headers.find("traceparent");
  const auto context = header ? wire::parse_traceparent(*header) : std::nullopt;
  if (context) return context->trace_id;
  base::Tag128 trace;
  random_(trace);
  return trace;
}

Admission Gate::admit(const wire::Request& request, base::Instant now, std::string_view peer) {
  Call call{.request = request, .now = now, .peer = peer, .match = {}, .sender = {.trace = trace_of(request)}};
  return judge(call);
}

Admission Gate::judge(Call& call) {
  const auto segments = wire::split_path(call.request.path);
  if (!segments.ok()) return call.refuse(Outcome::request_malformed, segments.error().message);
  call.match = find_route(call.request.method, *segments);
  if (call.match.route == nullptr) {
    if (call.match.allow.empty()) return call.refuse(Outcome::not_found, "there is nothing at this path");
    Refusal refused = call.refuse(Outcome::method_not_allowed, "this path takes " + std::string(call.match.allow));
    refused.allow = call.match.allow;
    return refused;
  }
  const Route& route = *call.match.route;
  if (route.action == Action::get_access_token) return grant_token(call);
  if (route.scope) {
    auto caller = authenticate(call.request, call.now, call.sender.trace);
    if (auto* refused = std::get_if<Refusal>(&caller)) return std::move(*refused);
    const Caller& known = std::get<Caller>(caller);
    call.sender.tenant = known.tenant;
    call.sender.principal = known.principal;
    call.scopes = known.scopes;
  }
  // What everybody may read counts against the address it is read from.
  const base::Duration wait = route.scope ? limiter_.take(call.sender.principal, 1, call.now) : limiter_.take_of_address(call.peer, 1, call.now);
  if (wait.ns != 0) {
    Refusal refused = call.refuse(Outcome::too_many_requests, "this client has used up its rate");
    refused.retry_after = wait;
    return refused;
  }
  if (route.scope && (call.scopes & *route.scope) == 0) {
    return missing_scope(*route.scope, call.sender.trace);
  }
  if (route.action == Action::take_rail_callback) return admit_callback(call);
  if (route.action == Action::derive_wallet) return admit_wallet_derivation(call);
  if (route.action == Action::test_webhook || route.action == Action::resend_webhook) return admit_webhook_call(call);
  if (route.method == "GET") {
    Query query{
        .tenant = call.sender.tenant, .principal = call.sender.principal, .trace = call.sender.trace, .body = {}};
    return widen(read_query(std::move(query), call.match, call.request, keys_, call.scopes));
  }
  return admit_change(call);
}

std::variant<Caller, Refusal> Gate::authenticate(const wire::Request& request, base::Instant now, const base::Tag128& trace) {
  const auto refuse = [&trace](Outcome outcome, std::string detail) { return refusal(outcome, std::move(detail), trace); };
  if (request.headers.count("authorization") == 0) return refuse(Outcome::credentials_missing, "there is no Authorization header");
  const auto header = request.headers.find("authorization");
  const auto bearer = header ? wire::parse_bearer(*header) : std::nullopt;
  if (!bearer) return refuse(Outcome::credentials_invalid, "the Authorization header is not one bearer token");
  const auto token = tokens_.verify(*bearer, now);
  if (!token.ok()) {
    const bool expired = std::string_view(token.error().code) == "token_expired";
    return refuse(expired ? Outcome::credentials_expired : Outcome::credentials_invalid, token.error().message);
  }
  const auto client = clients_.find(token->principal);
  if (!client || client->tenant != token->tenant) return refuse(Outcome::credentials_invalid, "the token is for a client that is not known");
  if (client->revoked) return refuse(Outcome::credentials_invalid, "the client was revoked");
  // After a rotation tokens of the former generation pass as long as the former secret does.
  const bool former = token->generation + 1 == client->generation && now <= client->former_valid_until;
  if (token->generation != client->generation && !former) {
    return refuse(Outcome::credentials_invalid, "the token was issued before the client's secret was rotated");
  }
  return Caller{.tenant = client->tenant, .principal = client->principal, .scopes = token->scopes & client->scopes};
}

std::optional<Refusal> Gate::refuse_without(model::Scope scope, const wire::Request& request, base::Instant now,
                                            const base::Tag128& trace) {
  auto caller = authenticate(request, now, trace);
  if (auto* refused = std::get_if<Refusal>(&caller)) return std::move(*refused);
  if ((std::get<Caller>(caller).scopes & scope) == 0) return missing_scope(scope, trace);
  return std::nullopt;
}

Admission Gate::grant_token(Call& call) {
  auto form = form_of(call.request, false, call.sender.trace);
  if (auto* refused = std::get_if<Refusal>(&form)) return std::move(*refused);
  if (!call.request.query.empty()) return call.refuse(Outcome::request_field_unknown, "this takes no query parameters");
  const auto document = parse_body(call.request, body_bytes_max);
  if (!document.ok()) return refuse_json(document.error(), call.sender.trace);
  Problems problems;
  const TokenBody body = read_token_body(document->root(), problems);
  if (!problems.empty()) return refusal(std::move(problems), call.sender.trace);

  // The same work and the same answer whether the client is unknown, revoked, or the secret is wrong.
  const auto client = clients_.find(body.client);
  const base::Digest hash = hash_refresh_secret(keys_.secret, body.refresh_secret);
  const Client known = client.value_or(Client{});
  const bool current = base::equal_constant_time(hash, known.secret_hash);
  const bool former = base::equal_constant_time(hash, known.former_secret_hash) && call.now <= known.former_valid_until;
  const bool proven = client && !known.revoked && is_refresh_secret(body.refresh_secret) && (current || former);
  // A stranger who only knows a client's number must not use up its rate: unproven requests count against their address.
  const base::Duration wait = proven ? limiter_.take(known.principal, 1, call.now) : limiter_.take_of_address(call.peer, 1, call.now);
  if (wait.ns != 0) {
    Refusal refused = call.refuse(Outcome::too_many_requests, "this client has used up its rate");
    refused.retry_after = wait;
    return refused;
  }
  if (!proven) {
    return call.refuse(Outcome::credentials_invalid, "client and refresh secret do not belong together");
  }
  AccessTokenGrant grant{.access_token = {},
                         .expires_at = call.now + settings_.token_lifetime,
                         .scopes = known.scopes,
                         .principal = known.principal,
                         .trace = call.sender.trace};
  grant.access_token = tokens_.issue({.principal = known.principal,
                                      .tenant = known.tenant,
                                      .generation = known.generation,
                                      .scopes = known.scopes,
                                      .issued_at = call.now,
                                      .expires_at = grant.expires_at});
  return grant;
}

// Whoever signed it is not known by a token: every attempt has counted against its address.
Admission Gate::admit_callback(Call& call) {
  const std::string& rail = call.match.parameters[0];
  if (voices_ == nullptr || !model::is_rail_name(rail)) return call.refuse(Outcome::rail_not_found, "there is no such rail");
  if (call.request.body.size() > rail_report_bytes_max) {
    return call.refuse(Outcome::body_too_large, "a callback has at most 64 KiB");
  }
  auto heard = voices_->hear(rail, call.request, call.now);
  if (auto* refused = std::get_if<VoiceRefused>(&heard)) return call.refuse(refused->outcome, std::move(refused->detail));
  auto& report = std::get<RailReport>(heard);
  report.rail = rail;
  report.source = model::ReportSource::callback;
  report.trace = call.sender.trace;
  if (report.raw.empty()) report.raw = base::to_bytes(base::as_bytes(call.request.body));
  return admit_report(report);
}

// What is asked of the deliverer and leaves no trace in the journal: it may be asked again, so it needs no key.
Admission Gate::admit_webhook_call(Call& call) {
  auto form = form_of(call.request, false, call.sender.trace);
  if (auto* refused = std::get_if<Refusal>(&form)) return std::move(*refused);
  if (!call.request.query.empty()) return call.refuse(Outcome::request_field_unknown, "this takes no query parameters");
  const auto document = parse_body(call.request, body_bytes_max);
  if (!document.ok()) return refuse_json(document.error(), call.sender.trace);
  Problems problems;
  Query query{.tenant = call.sender.tenant, .principal = call.sender.principal, .trace = call.sender.trace, .body = {}};
  const model::WebhookNumber webhook = read_webhook_id(call.match.parameters, problems);
  wire::JsonFields fields(document->root(), "", problems);
  if (call.match.route->action == Action::test_webhook) {
    query.body = TestWebhook{webhook};
  } else {
    query.body = read_webhook_resend(webhook, fields);
  }
  fields.finish();
  if (!problems.empty()) return refusal(std::move(problems), call.sender.trace);
  return query;
}

// Nothing of it is journaled, and asking again derives the same: it needs no key. What was parsed is wiped with its document.
Admission Gate::admit_wallet_derivation(Call& call) {
  auto form = form_of(call.request, false, call.sender.trace);
  if (auto* refused = std::get_if<Refusal>(&form)) return std::move(*refused);
  if (!call.request.query.empty()) return call.refuse(Outcome::request_field_unknown, "this takes no query parameters");
  const auto document = parse_body(call.request, body_bytes_max);
  if (!document.ok()) return refuse_json(document.error(), call.sender.trace);
  Problems problems;
  wire::JsonFields fields(document->root(), "", problems);
  WalletDerivation derivation = read_wallet_derivation(fields);
  fields.finish();
  if (!problems.empty()) return refusal(std::move(problems), call.sender.trace);
  return Query{.tenant = call.sender.tenant, .principal = call.sender.principal, .trace = call.sender.trace, .body = std::move(derivation)};
}

Admission Gate::admit_change(Call& call) {
  const Route& route = *call.match.route;
  const auto& headers = call.request.headers;
  const bool is_statement = route.action == Action::take_statement;
  if (!is_statement) {
    auto form = form_of(call.request, route.takes_cbor, call.sender.trace);
    if (auto* refused = std::get_if<Refusal>(&form)) return std::move(*refused);
  }
  if (headers.count("idempotency-key") == 0) {
    return call.refuse(Outcome::idempotency_key_missing, "there is no Idempotency-Key header");
  }
  const auto header = headers.find("idempotency-key");
  const auto key = header ? wire::parse_idempotency_key(*header)
                          : base::Result<std::string>(
                                base::Error{"idempotency_key_malformed", "there is more than one Idempotency-Key"});
  if (!key.ok()) return call.refuse(Outcome::idempotency_key_invalid, key.error().message);
  if (is_statement) return admit_statement_call(call, *key);
  if (!call.request.query.empty()) return call.refuse(Outcome::request_field_unknown, "this takes no query parameters");
  if (route.action == Action::create_batch) return admit_batch(call, *key);

  const auto document = parse_body(call.request, body_bytes_max);
  if (!document.ok()) return refuse_json(document.error(), call.sender.trace);
  Problems problems;
  RequestBody body = read_body(route.action, call.match.parameters, document->root(), problems);
  if (!problems.empty()) {
    if (!problems.front().pointer.empty()) check_body(body, "", problems);  // so that one reply names everything
    return refusal(std::move(problems), call.sender.trace);
  }
  if (auto refused = refuse_reach(call, body)) return *std::move(refused);
  if (auto* import = std::get_if<KeyImport>(&body)) return admit_import(call, *key, std::move(*import));
  if (auto* confirmation = std::get_if<WalletConfirmation>(&body); confirmation != nullptr && wallet_book_ != nullptr) {
    confirmation->found = wallet_book_->find(call.sender.tenant, confirmation->id, confirmation->address);
  }
  return widen(admit_body(call.sender, *key, body));
}

// The doctor needs to know what day it is, and so does the trial of captured messages. What was parsed of the body is wiped with its document, as all bodies are.
Admission Gate::admit_import(const Call& call, std::string_view key, KeyImport&& body) {
  body.examined = examine_material(body.material, body.purpose, call.now);
  TrialRules rules{.now = call.now, .captured_age_max = settings_.captured_age_max};
  if (settings_.boot_clock) {
    rules.may_go_on = [&clock = settings_.boot_clock, until = settings_.boot_clock() + trial_for_max] { return clock() < until; };
  }
  try_captured(body.captured, rules, *body.examined);
  return widen(admit_body(call.sender, key, body));
}

// The body is the file as the rail sent it; what it is may be said by the query.
Admission Gate::admit_statement_call(Call& call, std::string_view key) {
  const auto header = call.request.headers.find("content-type");
  const auto media = header ? wire::parse_media_type(*header) : std::nullopt;
  constexpr std::array<std::string_view, 5> taken = {"text/csv", "application/xml", "text/xml", "text/plain", "application/octet-stream"};
  if (!media || std::find(taken.begin(), taken.end(), media->type) == taken.end() || call.request.headers.count("content-encoding") != 0) {
    return call.refuse(Outcome::media_type_unsupported, "send the file as text/csv, application/xml or text/plain, without a Content-Encoding");
  }
  if (call.request.body.size() > batch_bytes_max) return call.refuse(Outcome::body_too_large, "a statement has at most 16 MiB");
  StatementUpload upload;
  upload.text = call.request.body;
  Problems problems;
  const auto query = wire::parse_query(call.request.query);
  if (!query.ok()) return call.refuse(Outcome::request_malformed, query.error().message);
  for (const auto& [name, value] : query->all()) {
    if (name == "rail") {
      upload.rail = value;
    } else if (name == "format") {
      upload.format = parse_statement_format(value);
      if (!upload.format) add_problem(problems, "request_field_malformed", "/format", "csv, camt.053 or mt940");
    } else if (name == "from" || name == "until") {
      const auto at = base::parse_rfc3339(value);
      if (!at || at->ns < 0) add_problem(problems, "request_field_malformed", wire::pointer_to("", name), "an RFC 3339 instant in UTC");
      (name == "from" ? upload.from : upload.until) = at;
    } else {
      add_problem(problems, "request_field_unknown", wire::pointer_to("", std::string_view(name).substr(0, 64)), "rail, format, from or until");
    }
  }
  if (!model::is_rail_name(upload.rail)) add_problem(problems, "request_field_malformed", "/rail", "the name of a rail");
  if (!problems.empty()) return refusal(std::move(problems), call.sender.trace);
  return widen(admit_statement(call.sender, key, upload));
}

Admission Gate::admit_batch(Call& call, std::string_view key) {
  if (call.request.body.size() > batch_bytes_max)
    return call.refuse(Outcome::body_too_large, "a batch has at most 16 MiB");
  Problems problems;
  std::vector<TransferRequest> transfers;
  std::optional<wire::JsonDocument> document;  // what the transfers look at
  const auto form = form_of(call.request, true, call.sender.trace);
  if (std::get<BodyForm>(form) == BodyForm::cbor) {
    auto read = read_batch(base::as_bytes(call.request.body), problems);
    if (!read.ok()) return call.refuse(Outcome::request_malformed, read.error().message);
    transfers = std::move(read).value();
  } else {
    auto parsed = parse_body(call.request, batch_bytes_max);
    if (!parsed.ok()) return refuse_json(parsed.error(), call.sender.trace);
    document.emplace(std::move(parsed).value());
    transfers = read_batch(document->root(), problems);
  }
  if (transfers.size() > batch_items_max)
    return call.refuse(Outcome::batch_too_large, "a batch has at most 8190 items");
  if (!problems.empty()) return refusal(std::move(problems), call.sender.trace);
  if (transfers.size() > 1) {
    const auto more = static_cast<std::uint32_t>(transfers.size() - 1);
    if (const base::Duration wait = limiter_.take(call.sender.principal, more, call.now); wait.ns != 0) {
      Refusal refused =
          call.refuse(Outcome::too_many_requests, "this client has used up its rate; every item of a batch counts");
      refused.retry_after = wait;
      return refused;
    }
  }
  return widen(admit_transfers(call.sender, transfers, key));
}

// Nobody hands out more than they have, touches clients of another tenant, has webhooks sent where they may not go, or promises of a
// rail what its driver cannot keep.
std::optional<Refusal> Gate::refuse_reach(const Call& call, const RequestBody& body) {
  if (const auto* creation = std::get_if<ClientCreation>(&body)) {
    const auto beyond = to_texts(creation->scopes & ~call.scopes);
    if (!beyond.empty()) {
      return call.refuse(Outcome::scope_missing,
                         "a client cannot grant the scope " + std::string(beyond[0]) + " without having it");
    }
  }
  std::optional<std::string_view> url;
  if (const auto* webhook = std::get_if<WebhookCreation>(&body)) url = webhook->url;
  if (const auto* webhook = std::get_if<WebhookChange>(&body)) url = webhook->url;
  if (url && is_webhook_url(*url) && settings_.webhook_url_problem) {
    std::string problem = settings_.webhook_url_problem(*url);
    if (!problem.empty()) return call.refuse(Outcome::webhook_address_not_allowed, std::move(problem));
  }
  if (const auto* rail = std::get_if<RailConfiguration>(&body); rail != nullptr && settings_.beyond_driver) {
    const model::RailCapabilities beyond = settings_.beyond_driver(call.sender.tenant, rail->name, rail->profile.capabilities);
    if (beyond != 0) return call.refuse(Outcome::rail_beyond_driver, "the rail's driver does not have: " + names_of(beyond));
  }
  model::PrincipalNumber target = 0;
  if (const auto* rotation = std::get_if<ClientRotation>(&body)) target = rotation->client;
  if (const auto* revocation = std::get_if<ClientRevocation>(&body)) target = revocation->client;
  if (target != 0) {
    const auto client = clients_.find(target);
    if (client && client->tenant != call.sender.tenant)
      return call.refuse(Outcome::client_not_found, "there is no such client");
  }
  return std::nullopt;
}

}  // namespace gate
