#pragma once
// Replies of the sandbox rail.

#include <cstdint>
#include <string>
#include <string_view>

#include "effects/rails/rail_reply.h"
#include "wire/http_message.h"

namespace holdfast {

wire::Response json_reply(std::uint16_t status, std::string body);
/// problem+json with `code` and `detail`, and `reference` unless it is empty.
wire::Response problem_reply(std::uint16_t status, std::string_view code, const std::string& reference, std::string_view detail);
wire::Response payment_reply(std::uint16_t status, const effects::RailPayment& payment);

}  // namespace holdfast
