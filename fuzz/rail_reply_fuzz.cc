// rooms: effects intake custody io wire model crypto base
// What a rail may answer: no reply crashes, none becomes anything but one of the five results, and money is only ever spoken of
// as moved if the text says so of our own payment.

#include <cstdint>
#include <cstdlib>
#include <string>

#include "effects/rails/rail_reply.h"

namespace {

void require(bool holds) {
  if (!holds) std::abort();
}

}  // namespace

// The first byte chooses question, status and type; the rest is the text.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  constexpr std::uint16_t statuses[] = {200, 201, 404, 422, 429, 500, 204, 302};
  wire::Response response;
  response.status = statuses[data[0] & 7];
  response.headers.add("content-type", (data[0] & 8) != 0 ? "application/json" : "application/problem+json");
  response.body.assign(reinterpret_cast<const char*>(data) + 1, size - 1);
  const auto question = static_cast<effects::RailQuestion>((data[0] >> 4) % 3);
  const effects::Rail::Expected expected{.kind = model::TransferKind::payout, .amount = 1050, .asset = "USD/2"};
  const effects::RailAnswer answer = effects::judge_reply(question, "r-1", expected, response);
  require(model::is_rail_result(static_cast<std::uint64_t>(answer.result)));
  require(model::is_rail_reason(static_cast<std::uint64_t>(answer.reason)));
  require(answer.body.has_value());
  const bool moved = answer.result == model::RailResult::settled || answer.result == model::RailResult::accepted;
  if (moved) {
    require(response.status == 200 || response.status == 201);
    require(answer.amount == expected.amount && answer.asset == expected.asset);
    require(response.body.find("r-1") != std::string::npos || response.body.find("\\u") != std::string::npos);
  }
  if (answer.result == model::RailResult::not_sent) require(response.status < 500);
  const auto document = wire::parse_json(base::as_bytes(response.body));
  if (document.ok()) {
    const auto payment = effects::read_rail_payment(document->root());
    if (payment) {
      std::string text;
      effects::write_rail_payment(*payment, text);
      const auto again = wire::parse_json(base::as_bytes(text));
      require(again.ok() && effects::read_rail_payment(again->root()).has_value());
    }
  }
  return 0;
}
