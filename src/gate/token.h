#pragma once
// Access tokens and refresh secrets (docs/format/tokens.md). An access token states who it is for and is believed
// because of its MAC; a refresh secret is 32 random bytes of which only a keyed hash is kept.

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/instant.h"
#include "base/result.h"
#include "crypto/mac.h"
#include "gate/keys.h"
#include "model/command.h"
#include "model/ids.h"

namespace gate {

/// Fills the span with unpredictable bytes. From io::Random in the service, from the seed in the false world.
using RandomSource = std::function<void(std::span<std::uint8_t>)>;

struct AccessToken {
  model::PrincipalNumber principal = 0;
  model::TenantNumber tenant = 0;
  std::uint32_t generation = 0;  ///< of the client when the token was issued
  model::Scopes scopes = 0;
  base::Instant issued_at{};
  base::Instant expires_at{};
  bool operator==(const AccessToken&) const = default;
};

/// How far a token may lie in the future before it is refused: clocks of machines that share a data directory differ.
constexpr base::Duration token_skew_max = base::seconds(60);

/// Issues and believes access tokens. One for each thread.
class TokenAuthority {
 public:
  /// Newest key first: it signs; the first live_token_keys of them are believed. Takes what it needs of them.
  explicit TokenAuthority(const TokenKeys& keys);

  /// `hfa_` and base64url of payload and MAC.
  std::string issue(const AccessToken& token);
  /// Errors: `token_malformed`, `token_not_authentic`, `token_expired`, `token_not_yet_valid`. Compares the MAC in
  /// constant time and before it looks at what the token says. Whether the client still exists is the caller's to ask.
  base::Result<AccessToken> verify(std::string_view text, base::Instant now);

 private:
  std::vector<std::unique_ptr<crypto::HmacSha256>> macs_;  // of the keys that are believed, newest first
};

/// `hfs_` and base64url of 32 random bytes. Shown to the client once.
std::string make_refresh_secret(const RandomSource& random);
/// True for text that could be a refresh secret.
bool is_refresh_secret(std::string_view text);

/// Keyed hash of a refresh secret, the only thing that is stored of it: HMAC-SHA-256 under GateKeys::secret.
base::Digest hash_refresh_secret(std::span<const std::uint8_t, 32> key, std::string_view secret);

}  // namespace gate
