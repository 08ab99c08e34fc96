#include "edge/api.h"

#include <algorithm>
#include <utility>

#include "base/check.h"
#include "base/text.h"
#include "edge/openapi.h"
#include "edge/reply_headers.h"
#include "gate/scope.h"
#include "io/secret_memory.h"
#include "wire/json_writer.h"
#include "wire/structured_field.h"

namespace edge {

using model::Outcome;

namespace {

constexpr std::string_view refused_at_gate = "refused_at_gate";
constexpr std::string_view problems_prefix = "/problems/";

std::string_view action_of(const gate::QueryBody& body) {
  struct Name {
    std::string_view operator()(const gate::GetAccount&) const { return "get_account"; }
    std::string_view operator()(const gate::GetTransfer&) const { return "get_transfer"; }
    std::string_view operator()(const gate::AccountHistory&) const { return "get_account_history"; }
    std::string_view operator()(const gate::ListAccounts&) const { return "list_accounts"; }
    std::string_view operator()(const gate::ListTransfers&) const { return "list_transfers"; }
    std::string_view operator()(const gate::TrialBalance&) const { return "get_trial_balance"; }
    std::string_view operator()(const gate::GetCheckpoint&) const { return "get_checkpoint"; }
    std::string_view operator()(const gate::GetTile& tile) const { return tile.entries ? "get_entry_bundle" : "get_tile"; }
    std::string_view operator()(const gate::ListRails&) const { return "list_rails"; }
    std::string_view operator()(const gate::GetRail&) const { return "get_rail"; }
    std::string_view operator()(const gate::ListReconciliations&) const { return "list_reconciliations"; }
    std::string_view operator()(const gate::GetReconciliation&) const { return "get_reconciliation"; }
    std::string_view operator()(const gate::GetImportEvidence&) const { return "get_import_evidence"; }
    std::string_view operator()(const gate::GetImport&) const { return "get_import"; }
    std::string_view operator()(const gate::ListKeys&) const { return "list_keys"; }
    std::string_view operator()(const gate::GetKey&) const { return "get_key"; }
    std::string_view operator()(const gate::ListKeyVersions&) const { return "list_key_versions"; }
    std::string_view operator()(const gate::GetOwnKeys&) const { return "get_own_keys"; }
    std::string_view operator()(const gate::WalletDerivation&) const { return "derive_wallet"; }
    std::string_view operator()(const gate::ListWallets&) const { return "list_wallets"; }
    std::string_view operator()(const gate::GetWallet&) const { return "get_wallet"; }
    std::string_view operator()(const gate::ListWebhooks&) const { return "list_webhooks"; }
    std::string_view operator()(const gate::GetWebhook&) const { return "get_webhook"; }
    std::string_view operator()(const gate::ListDeliveries&) const { return "list_webhook_deliveries"; }
    std::string_view operator()(const gate::TestWebhook&) const { return "test_webhook"; }
    std::string_view operator()(const gate::ResendWebhook&) const { return "resend_webhook"; }
    std::string_view operator()(const gate::GetEvidence&) const { return "get_transfer_evidence"; }
  };
  return std::visit(Name{}, body);
}

const model::OutcomeRow* row_named(std::string_view code) {
  static constexpr Outcome all[] = {
#define OUTCOME(number, code, status, hop, party, fate, retry, action) Outcome::code,
#include "model/outcome.def"
#undef OUTCOME
  };
  for (const Outcome outcome : all) {
    if (model::code_of(outcome) == code) return &model::row_of(outcome);
  }
  return nullptr;
}

// Ids of replies in a trace have to differ and to be something; nobody has to be unable to guess them.
std::uint64_t mixed(std::uint64_t value) {
  value += 0x9e3779b97f4a7c15ull;
  value = (value ^ (value >> 30)) * 0xbf58476d1ce4e5b9ull;
  value = (value ^ (value >> 27)) * 0x94d049bb133111ebull;
  return value ^ (value >> 31);
}

bool is_refusal(const AnswerItem& item) {
  return item.source == nullptr || std::holds_alternative<model::Refused>(item.source->entry.events[item.event_index].body);
}

// Refresh secrets, and material that may turn out to be private: what was read of them is wiped where it was read, the body here.
bool may_hold_secret(std::string_view path) { return path == "/v1/token" || path == "/v1/imports" || path == "/v1/wallets/imports"; }

std::int64_t whole_seconds_up(base::Duration duration) {
  return (duration.ns + base::seconds(1).ns - 1) / base::seconds(1).ns;
}

}  // namespace

Api::Api(io::Loop& loop, io::Clock& clock, gate::Gate& gate, Backend& backend, ApiOptions options,
         ReplyObserver* observer)
    : loop_(loop),
      clock_(clock),
      gate_(gate),
      backend_(backend),
      options_(options),
      observer_(observer),
      timer_(loop, [this] { on_time(); }) {
  // The window is how long an empty bucket takes to fill.
  const std::uint32_t window =
      std::max<std::uint32_t>(1, options.rate.burst / std::max<std::uint32_t>(1, options.rate.per_second));
  rate_policy_ = "\"client\";q=" + std::to_string(options.rate.burst) + ";w=" + std::to_string(window);
}

void Api::handle(Server& server, Exchange exchange, wire::Request&& request) {
  Pending call;
  call.server = &server;
  call.exchange = exchange;
  call.action = refused_at_gate;
  call.began_ns = loop_.now_ns();
  if (!request.path.starts_with("/v1/") && handle_document(call, request)) return;
  if (outstanding_ >= options_.outstanding_max) {
    const auto header = request.headers.find("traceparent");
    const auto context = header ? wire::parse_traceparent(*header) : std::nullopt;
    if (context) call.trace = context->trace_id;
    return refuse(call, Outcome::overloaded, "too many requests wait for their answers");
  }

  gate::Admission admission = gate_.admit(request, clock_.wall(), server.peer_of(exchange));
  if (may_hold_secret(request.path)) io::wipe({reinterpret_cast<std::uint8_t*>(request.body.data()), request.body.size()});
  if (const auto* refusal = std::get_if<gate::Refusal>(&admission)) {
    call.trace = refusal->trace;
    return refuse(call, *refusal);
  }
  if (const auto* given = std::get_if<gate::AccessTokenGrant>(&admission)) {
    call.trace = given->trace;
    call.principal = given->principal;
    call.action = "get_access_token";
    return grant(call, *given);
  }
  std::uint64_t token = 0;
  Outcome taken = Outcome::done;
  if (auto* admitted = std::get_if<model::Admitted>(&admission)) {
    call.trace = admitted->trace;
    call.principal = admitted->principal;
    call.operation =
        admitted->is_batch ? model::Operation::record_batch : model::operation_of(admitted->commands[0].body);
    // Reports are commands of the process itself; the one that comes here is a callback.
    const bool callback = call.operation == model::Operation::report_rail;
    call.action = callback ? std::string_view("take_rail_callback") : gate::to_text(call.operation);
    call.secret = std::exchange(admitted->secret, {});
    token = keep(std::move(call));
    taken = backend_.submit(std::move(*admitted), *this, token);
  } else {
    auto& query = std::get<gate::Query>(admission);
    call.trace = query.trace;
    call.principal = query.principal;
    call.action = action_of(query.body);
    token = keep(std::move(call));
    taken = backend_.query(std::move(query), *this, token);
  }
  if (taken == Outcome::done) return;
  const auto refused = take(token);
  CHECK_THAT(refused.has_value(), "a backend that refuses does not answer as well");
  refuse(*refused, taken);
}

bool Api::handle_document(const Pending& call, const wire::Request& request) {
  const bool openapi = request.path == "/openapi.json";
  if (!openapi && !request.path.starts_with(problems_prefix)) return false;
  Pending named = call;
  named.action = "document";
  if (request.method != "GET" && request.method != "HEAD") {
    gate::Refusal refused{.outcome = Outcome::method_not_allowed,
                          .detail = "this path takes GET, HEAD",
                          .fields = {},
                          .allow = "GET, HEAD",
                          .retry_after = {},
                          .trace = {}};
    refuse(named, refused);
    return true;
  }
  wire::Response response;
  if (openapi) {
    response.headers.add("content-type", json_type);
    response.body = openapi_document();
  } else {
    const auto* row = row_named(std::string_view(request.path).substr(problems_prefix.size()));
    if (row == nullptr) {
      refuse(named, Outcome::not_found, "there is no such problem");
      return true;
    }
    response.headers.add("content-type", text_type);
    response.body = explain_problem(*row);
  }
  response.headers.add("cache-control", "public, max-age=300");
  send(named, response, {});
  return true;
}

std::uint64_t Api::keep(Pending&& call) {
  if (free_.empty()) {
    free_.push_back(static_cast<std::uint32_t>(pending_.size()));
    pending_.emplace_back();
  }
  const std::uint32_t place = free_.back();
  free_.pop_back();
  Pending& kept = pending_[place];
  call.generation = kept.generation;
  kept = std::move(call);
  ++outstanding_;
  const std::uint64_t token = (std::uint64_t{kept.generation} << 32) | place;
  deadlines_.push_back({kept.began_ns + options_.answer_timeout.ns, token});
  if (!timer_.armed()) timer_.arm(options_.answer_timeout);
  return token;
}

std::optional<Api::Pending> Api::take(std::uint64_t token) {
  const std::size_t place = token & 0xffffffff;
  if (place >= pending_.size()) return std::nullopt;
  Pending& kept = pending_[place];
  if (kept.server == nullptr || kept.generation != token >> 32) return std::nullopt;
  std::optional<Pending> call(std::move(kept));
  kept = {};
  kept.generation = call->generation + 1;
  free_.push_back(static_cast<std::uint32_t>(place));
  --outstanding_;
  // Answers come nearly in order: what is over leaves the front of the line.
  const auto over = [this](std::uint64_t of) { return pending_[of & 0xffffffff].generation != of >> 32; };
  while (!deadlines_.empty() && over(deadlines_.front().token)) deadlines_.pop_front();
  return call;
}

void Api::on_time() {
  const std::int64_t now = loop_.now_ns();
  while (!deadlines_.empty() && deadlines_.front().at_ns <= now) {
    const std::uint64_t token = deadlines_.front().token;
    deadlines_.pop_front();
    if (const auto call = take(token))
      refuse(*call, Outcome::request_timed_out, "the service did not answer in time; the answer may still come about");
  }
  if (!deadlines_.empty()) timer_.arm({deadlines_.front().at_ns - now});
}

void Api::answered(std::uint64_t token, Answer&& answer) {
  const auto call = take(token);
  if (!call) return;
  const bool batch = call->operation == model::Operation::record_batch;
  const bool ours = answer.refusal == Outcome::idempotency_key_reused_with_different_body && batch;
  wire::Response response;
  Rendered rendered;
  bool replayed = answer.batch_replayed;
  if (answer.refusal != Outcome::done) {
    PlainProblem problem{.outcome = answer.refusal, .detail = {}, .trace = call->trace, .fields = {}};
    if (ours)
      problem.fields.push_back({"request_field_differs", "/items", "differs from the first request with this key", ""});
    rendered = render_problem(problem, response.body);
  } else if (batch) {
    // A batch's reply holds nothing of the present request if it has a key: an item that was refused without an event
    // says the trace of the first one.
    const base::Tag128 trace = answer.batch != nullptr ? answer.batch->entry.command.trace : call->trace;
    render_batch({.backend = backend_, .operation = model::Operation::create_transfer, .trace = trace, .secret = {}},
                 answer, response.body);
  } else {
    CHECK_THAT(!answer.items.empty(), "an answer answers");
    constexpr std::size_t usual_body_bytes = 1024;
    response.body.reserve(usual_body_bytes);
    // Of several commands of one request (a statement in parts) the first that failed is the answer, or else the first.
    const auto failed = std::find_if(answer.items.begin(), answer.items.end(), is_refusal);
    const AnswerItem& item = failed != answer.items.end() ? *failed : answer.items[0];
    rendered =
        render_item({.backend = backend_, .operation = call->operation, .trace = call->trace, .secret = call->secret},
                    item, response.body);
    replayed = answer.items[0].replayed;
  }
  response.headers.reserve(12, 640);
  response.headers.add("content-type", rendered.problem() ? problem_type : json_type);
  response.headers.add("cache-control", "no-store");
  response.headers.add("holdfast-position", gate::to_position(backend_.partition(), answer.position));
  if (!rendered.location.empty()) response.headers.add("location", rendered.location);
  if (replayed) response.headers.add("idempotency-replayed", "true");
  if (rendered.problem()) add_refusal_headers(response, rendered.outcome);
  send(*call, response, rendered, replayed, batch ? answer.items.size() : 1);
}

void Api::read(std::uint64_t token, Reading&& reading) {
  const auto call = take(token);
  if (!call) return;
  wire::Response response;
  const RenderContext context{
      .backend = backend_, .operation = model::Operation::none, .trace = call->trace, .secret = {}};
  const Rendered rendered = render_reading(context, reading, response.body);
  response.headers.reserve(12, 640);
  if (const auto* document = std::get_if<DocumentReading>(&reading.body)) {
    response.headers.add("content-type", document->content_type);
    response.headers.add("cache-control", document->cache_control);
    return send(*call, response, rendered);
  }
  response.headers.add("content-type", rendered.problem() ? problem_type : json_type);
  response.headers.add("cache-control", "no-store");
  response.headers.add("holdfast-position", gate::to_position(backend_.partition(), reading.position));
  if (rendered.problem()) add_refusal_headers(response, rendered.outcome);
  send(*call, response, rendered);
}

void Api::refuse(const Pending& call, Outcome outcome, std::string_view detail) {
  refuse(call, {.outcome = outcome,
                .detail = std::string(detail),
                .fields = {},
                .allow = {},
                .retry_after = {},
                .trace = call.trace});
}

void Api::refuse(const Pending& call, const gate::Refusal& refusal) {
  wire::Response response;
  const Rendered rendered = render_problem(
      {.outcome = refusal.outcome, .detail = refusal.detail, .trace = refusal.trace, .fields = refusal.fields},
      response.body);
  response.headers.add("content-type", problem_type);
  response.headers.add("cache-control", "no-store");
  if (!refusal.allow.empty()) response.headers.add("allow", refusal.allow);
  if (refusal.outcome == Outcome::too_many_requests) {
    response.headers.add("ratelimit-policy", rate_policy_);
    response.headers.add("ratelimit", "\"client\";r=0;t=" + std::to_string(std::max<std::int64_t>(
                                                                1, whole_seconds_up(refusal.retry_after))));
  }
  add_refusal_headers(response, refusal.outcome, refusal.retry_after.ns);
  send(call, response, rendered);
}

void Api::grant(const Pending& call, const gate::AccessTokenGrant& grant) {
  wire::Response response;
  wire::JsonWriter json(response.body);
  std::string scope;
  for (const std::string_view name : gate::to_texts(grant.scopes)) {
    if (!scope.empty()) scope.push_back(' ');
    scope.append(name);
  }
  const base::Duration left = grant.expires_at - clock_.wall();
  json.begin_object();
  json.member("access_token", std::string_view(grant.access_token));
  json.member("token_type", "Bearer");
  json.member("expires_in", static_cast<std::uint64_t>(std::max<std::int64_t>(0, left.ns / base::seconds(1).ns)));
  json.member("expires_at", std::string_view(base::to_rfc3339(grant.expires_at)));
  json.member("scope", std::string_view(scope));
  json.end_object();
  response.headers.add("content-type", json_type);
  response.headers.add("cache-control", "no-store");
  send(call, response, {});
}

// draft-ietf-httpapi-ratelimit-headers-10: RateLimit-Policy says the quota, RateLimit what is left of it.
void Api::add_rate(const Pending& call, wire::Response& response) {
  const gate::Quota quota = gate_.quota(call.principal, clock_.wall());
  response.headers.add("ratelimit-policy", rate_policy_);
  response.headers.add("ratelimit", "\"client\";r=" + std::to_string(quota.remaining) +
                                        ";t=" + std::to_string(whole_seconds_up(quota.reset)));
}

void Api::send(const Pending& call, wire::Response& response, const Rendered& rendered, bool replayed,
               std::size_t items) {
  response.status = rendered.status;
  if (call.principal != 0) add_rate(call, response);
  if (call.trace != base::Tag128{}) {
    wire::TraceContext context{.trace_id = call.trace, .parent_id = {}, .sampled = false};
    base::store_le(context.parent_id.data(), mixed(base::load_le<std::uint64_t>(call.trace.data()) + ++spans_) | 1);
    response.headers.add("traceparent", wire::to_traceparent(context));
  }
  add_security_headers(response, call.server->secure());
  call.server->reply(call.exchange, response);
  if (observer_ == nullptr) return;
  observer_->replied({.action = call.action,
                      .status = rendered.status,
                      .outcome = rendered.outcome,
                      .duration_ns = loop_.now_ns() - call.began_ns,
                      .items = items,
                      .replayed = replayed});
}

}  // namespace edge
