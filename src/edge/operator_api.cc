#include "edge/operator_api.h"

#include <string>
#include <utility>

#include "edge/render.h"
#include "edge/reply_headers.h"

namespace edge {

using model::Outcome;

namespace {

wire::Response text_response(std::uint16_t status, std::string_view type, std::string body) {
  wire::Response response;
  response.status = status;
  response.headers.add("content-type", type);
  response.headers.add("cache-control", "no-store");
  response.body = std::move(body);
  return response;
}

wire::Response problem(Outcome outcome, std::string_view detail, const base::Tag128& trace) {
  wire::Response response;
  const Rendered rendered =
      render_problem({.outcome = outcome, .detail = detail, .trace = trace, .fields = {}}, response.body);
  response.status = rendered.status;
  response.headers.add("content-type", problem_type);
  response.headers.add("cache-control", "no-store");
  add_refusal_headers(response, outcome);
  return response;
}

bool steers_rail(std::string_view path) {
  return path.starts_with("/v1/rails/") && (path.ends_with("/pause") || path.ends_with("/resume") || path.ends_with("/maintenance"));
}

}  // namespace

OperatorApi::OperatorApi(io::Clock& clock, OperatorBackend& backend, gate::Gate& gate, Handler& api, OperatorOptions options)
    : clock_(clock), backend_(backend), gate_(gate), api_(api), options_(options) {}

void OperatorApi::handle(Server& server, Exchange exchange, wire::Request&& request) {
  if (steers_rail(request.path)) return api_.handle(server, exchange, std::move(request));
  wire::Response response = answer(request);
  add_security_headers(response, server.secure());
  server.reply(exchange, response);
}

wire::Response OperatorApi::answer(const wire::Request& request) {
  const base::Tag128 trace = gate_.trace_of(request);
  const bool reads = request.method == "GET" || request.method == "HEAD";
  const bool is_confirm = request.path == "/clock/confirm";
  if (!is_confirm && request.path != "/healthz" && request.path != "/readyz" && request.path != "/metrics") {
    return problem(Outcome::not_found, "there is nothing at this path", trace);
  }
  if (is_confirm ? request.method != "POST" : !reads) {
    wire::Response refused = problem(Outcome::method_not_allowed, "", trace);
    refused.headers.add("allow", is_confirm ? "POST" : "GET, HEAD");
    return refused;
  }
  if (request.path == "/healthz") return text_response(200, text_type, "ok\n");
  if (request.path == "/readyz") {
    const Readiness readiness = backend_.readiness();
    std::string body = readiness.ready ? "ready\n" : "not ready\n";
    for (const std::string& line : readiness.lines) body.append(line).append("\n");
    return text_response(readiness.ready ? 200 : 503, text_type, std::move(body));
  }
  if (request.path == "/metrics") {
    if (!options_.metrics_open) {
      if (auto refused = refuse_caller(request, model::metrics_read, trace)) return *std::move(refused);
    }
    return text_response(200, "text/plain; version=0.0.4; charset=utf-8", backend_.metrics());
  }
  if (auto refused = refuse_caller(request, model::operate, trace)) return *std::move(refused);
  if (!backend_.confirm_clock()) return problem(Outcome::clock_needs_no_confirmation, "", trace);
  return text_response(200, json_type, "{\"confirmed\":true}");
}

std::optional<wire::Response> OperatorApi::refuse_caller(const wire::Request& request, model::Scope scope,
                                                         const base::Tag128& trace) {
  const auto refused = gate_.refuse_without(scope, request, clock_.wall(), trace);
  if (!refused) return std::nullopt;
  return problem(refused->outcome, refused->detail, trace);
}

}  // namespace edge
