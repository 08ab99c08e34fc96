#include "edge/reply_headers.h"

#include <algorithm>
#include <string>

#include "base/instant.h"

namespace edge {

using model::Outcome;

namespace {

// Seconds after which it is worth trying again; 0: waiting changes nothing.
std::int64_t retry_after_seconds(Outcome outcome) {
  switch (outcome) {
    case Outcome::overloaded:
    case Outcome::wallet_derivation_busy:
    case Outcome::too_many_requests:
    case Outcome::view_not_caught_up:
    case Outcome::checkpoint_not_published:
    case Outcome::request_in_progress:
    case Outcome::request_timed_out:
      return 1;
    case Outcome::shutting_down:
      return 5;
    case Outcome::disk_space_short:
    case Outcome::too_many_open_holds:
    case Outcome::too_many_accounts:
      return 30;
    default:
      return 0;
  }
}

std::string_view challenge(Outcome outcome) {
  switch (outcome) {
    case Outcome::credentials_missing:
      return "Bearer realm=\"holdfast\"";
    case Outcome::credentials_invalid:
    case Outcome::credentials_expired:
      return "Bearer realm=\"holdfast\", error=\"invalid_token\"";
    case Outcome::scope_missing:
      return "Bearer realm=\"holdfast\", error=\"insufficient_scope\"";
    default:
      return {};
  }
}

}  // namespace

void add_security_headers(wire::Response& response, bool secure) {
  response.headers.add("x-content-type-options", "nosniff");
  response.headers.add("content-security-policy", "default-src 'none'; frame-ancestors 'none'");
  if (secure) response.headers.add("strict-transport-security", "max-age=31536000");
}

void add_refusal_headers(wire::Response& response, Outcome outcome, std::int64_t retry_after_ns) {
  std::int64_t wait = retry_after_seconds(outcome);
  if (retry_after_ns > 0) wait = std::max(wait, (retry_after_ns + 999'999'999) / base::seconds(1).ns);
  if (wait != 0) response.headers.add("retry-after", std::to_string(wait));
  if (const std::string_view text = challenge(outcome); !text.empty()) response.headers.add("www-authenticate", text);
}

}  // namespace edge
