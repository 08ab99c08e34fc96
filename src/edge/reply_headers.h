#pragma once
// Header fields that replies of both addresses carry. Private to this room.

#include <cstdint>
#include <string_view>

#include "model/outcome.h"
#include "wire/http_message.h"

namespace edge {

/// No caching, no guessing of types, no embedding; over TLS also: never without TLS again (RFC 6797).
void add_security_headers(wire::Response& response, bool secure);
/// Retry-After (RFC 9110 section 10.2.3) and WWW-Authenticate (RFC 6750 section 3), where the outcome calls for them.
/// `retry_after_ns` where the time is known, otherwise 0.
void add_refusal_headers(wire::Response& response, model::Outcome outcome, std::int64_t retry_after_ns = 0);

/// Content types of bodies.
constexpr std::string_view json_type = "application/json";
constexpr std::string_view problem_type = "application/problem+json";
constexpr std::string_view text_type = "text/plain; charset=utf-8";

}  // namespace edge
