#include <map>

#include "apps/holdfast/sandbox_rail.h"
#include "apps/holdfast/sandbox_rail_replies.h"
#include "wire/json_writer.h"

namespace holdfast {

void SandboxRailControl::handle(edge::Server& server, edge::Exchange exchange, wire::Request&& request) { server.reply(exchange, answer(request)); }

wire::Response SandboxRailControl::answer(const wire::Request& request) {
  const auto segments = wire::split_path(request.path);
  if (!segments.ok() || segments->size() < 2 || (*segments)[0] != "control") return problem_reply(404, "path_unknown", "", "see docs/rail-protocol.md");
  const std::string& what = (*segments)[1];
  if (what == "profile" && segments->size() == 2 && request.method == "GET") return json_reply(200, to_json(rail_.profile()));
  if (what == "profile" && segments->size() == 2 && request.method == "PUT") {
    auto profile = parse_rail_profile(base::as_bytes(request.body));
    if (!profile.ok()) return problem_reply(400, profile.error().code, "", profile.error().message);
    const base::Status set = rail_.set_profile(std::move(*profile));
    if (!set.ok()) return problem_reply(400, set.error().code, "", set.error().message);
    return json_reply(200, to_json(rail_.profile()));
  }
  if (what == "book" && segments->size() == 2 && request.method == "GET") return book();
  if (what == "payments" && segments->size() == 3 && request.method == "GET") {
    const BookedPayment* const payment = rail_.book().find((*segments)[2]);
    if (payment == nullptr) return problem_reply(404, "payment_not_found", (*segments)[2], "no payment has this reference");
    return payment_reply(200, payment->view());
  }
  return problem_reply(404, "path_unknown", "", "see docs/rail-protocol.md");
}

// Counts and sums: what a drill compares with the other side's.
wire::Response SandboxRailControl::book() {
  struct Sum {
    std::uint64_t count = 0;
    base::U128 amount = 0;
  };
  std::map<std::string, Sum> sums;   // `payout settled USD/2`
  for (const BookedPayment* const payment : rail_.book().in_order()) {
    Sum& sum = sums[std::string(effects::to_text(payment->kind)) + " " + std::string(effects::to_text(payment->state)) + " " + payment->asset];
    ++sum.count;
    sum.amount += payment->amount;
  }
  const RailCallbacks::Stats& callbacks = rail_.callbacks().stats();
  std::string body;
  wire::JsonWriter json(body);
  json.begin_object();
  json.member("payments", std::uint64_t{rail_.book().in_order().size()});
  json.key("sums");
  json.begin_array();
  for (const auto& [name, sum] : sums) {
    const std::size_t first = name.find(' '), second = name.find(' ', first + 1);
    json.begin_object();
    json.member("kind", std::string_view(name).substr(0, first));
    json.member("state", std::string_view(name).substr(first + 1, second - first - 1));
    json.member("asset", std::string_view(name).substr(second + 1));
    json.member("count", sum.count);
    json.member("amount", std::string_view(base::to_decimal(sum.amount)));
    json.end_object();
  }
  json.end_array();
  json.key("callbacks");
  json.begin_object();
  json.member("sent", callbacks.sent);
  json.member("taken", callbacks.taken);
  json.member("failed", callbacks.failed);
  json.member("given_up", callbacks.given_up);
  json.member("waiting", std::uint64_t{rail_.callbacks().waiting()});
  json.end_object();
  json.end_object();
  return json_reply(200, std::move(body));
}

}  // namespace holdfast
