#include "apps/holdfast/sandbox_rail_replies.h"

#include "wire/json_writer.h"

namespace holdfast {

wire::Response json_reply(std::uint16_t status, std::string body) {
  wire::Response response;
  response.status = status;
  response.headers.add("content-type", "application/json");
  response.headers.add("cache-control", "no-store");
  response.body = std::move(body);
  return response;
}

wire::Response problem_reply(std::uint16_t status, std::string_view code, const std::string& reference, std::string_view detail) {
  std::string body;
  wire::JsonWriter json(body);
  json.begin_object();
  json.member("status", std::uint64_t{status});
  json.member("code", code);
  json.member("detail", detail);
  if (!reference.empty()) json.member("reference", std::string_view(reference));
  json.end_object();
  wire::Response response;
  response.status = status;
  response.headers.add("content-type", "application/problem+json");
  response.headers.add("cache-control", "no-store");
  response.body = std::move(body);
  return response;
}

wire::Response payment_reply(std::uint16_t status, const effects::RailPayment& payment) {
  std::string body;
  effects::write_rail_payment(payment, body);
  return json_reply(status, std::move(body));
}

}  // namespace holdfast
