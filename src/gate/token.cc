#include "gate/token.h"

#include <algorithm>
#include <array>

#include "base/cbor.h"
#include "base/check.h"
#include "base/text.h"
#include "crypto/wipe.h"

namespace gate {

namespace {

constexpr std::string_view token_prefix = "hfa_";
constexpr std::string_view secret_prefix = "hfs_";
constexpr std::size_t mac_bytes = 32;
constexpr std::size_t token_text_max = 512;
constexpr std::size_t secret_bytes = 32;
constexpr std::size_t secret_text_bytes = 4 + 43;  // prefix and unpadded base64url

// Payload: {0: version, 1: principal, 2: tenant, 3: generation, 4: scopes, 5: issued at, 6: expires at}, all present.
constexpr std::uint64_t token_version = 1;

base::Error refused(const char* code, const char* message) { return {code, message}; }

std::optional<AccessToken> read_payload(base::ByteView payload) {
  base::CborReader in(payload);
  if (in.map().value_or(0) != 7) return std::nullopt;
  std::array<std::uint64_t, 7> values{};
  for (std::uint64_t key = 0; key < values.size(); ++key) {
    if (in.uint().value_or(UINT64_MAX) != key) return std::nullopt;
    values[key] = in.uint().value_or(UINT64_MAX);
  }
  if (!in.done() || values[0] != token_version || values[1] > UINT32_MAX || values[2] > UINT32_MAX ||
      values[3] > UINT32_MAX || values[4] > model::all_scopes || values[5] > INT64_MAX || values[6] > INT64_MAX) {
    return std::nullopt;
  }
  return AccessToken{.principal = static_cast<model::PrincipalNumber>(values[1]),
                     .tenant = static_cast<model::TenantNumber>(values[2]),
                     .generation = static_cast<std::uint32_t>(values[3]),
                     .scopes = static_cast<model::Scopes>(values[4]),
                     .issued_at = {static_cast<std::int64_t>(values[5])},
                     .expires_at = {static_cast<std::int64_t>(values[6])}};
}

}  // namespace

TokenAuthority::TokenAuthority(const TokenKeys& keys) {
  for (const VersionedKey<32>& key : keys) {
    if (macs_.size() < live_token_keys) macs_.push_back(std::make_unique<crypto::HmacSha256>(key.key));
  }
  CHECK(!macs_.empty());
}

std::string TokenAuthority::issue(const AccessToken& token) {
  CHECK(token.issued_at.ns >= 0 && token.expires_at > token.issued_at);
  base::Bytes bytes;
  base::CborWriter out(bytes);
  out.map(7);
  const std::array<std::uint64_t, 7> values = {token_version,
                                               token.principal,
                                               token.tenant,
                                               token.generation,
                                               token.scopes,
                                               static_cast<std::uint64_t>(token.issued_at.ns),
                                               static_cast<std::uint64_t>(token.expires_at.ns)};
  for (std::uint64_t key = 0; key < values.size(); ++key) {
    out.uint(key);
    out.uint(values[key]);
  }
  macs_.front()->update(bytes);
  base::append(bytes, macs_.front()->finish());
  return std::string(token_prefix) + base::to_base64url(bytes);
}

base::Result<AccessToken> TokenAuthority::verify(std::string_view text, base::Instant now) {
  if (text.size() > token_text_max || !text.starts_with(token_prefix)) {
    return refused("token_malformed", "not an access token");
  }
  const auto bytes = base::parse_base64url(text.substr(token_prefix.size()));
  if (!bytes || bytes->size() <= mac_bytes) return refused("token_malformed", "not an access token");
  const base::ByteView payload = base::ByteView(*bytes).first(bytes->size() - mac_bytes);
  const bool authentic = std::ranges::any_of(macs_, [&](const std::unique_ptr<crypto::HmacSha256>& mac) {
    mac->update(payload);
    return base::equal_constant_time(mac->finish(), base::ByteView(*bytes).last(mac_bytes));
  });
  if (!authentic) {
    return refused("token_not_authentic", "the access token was not issued here, or was changed");
  }
  const auto token = read_payload(payload);
  if (!token) return refused("token_malformed", "the access token is of an unknown form");
  if (now >= token->expires_at) return refused("token_expired", "the access token has expired");
  if (token->issued_at.ns > now.ns && token->issued_at - now > token_skew_max) {
    return refused("token_not_yet_valid", "the access token was issued in the future");
  }
  return *token;
}

std::string make_refresh_secret(const RandomSource& random) {
  crypto::ShortLived<secret_bytes> bytes;
  random(bytes.bytes());
  return std::string(secret_prefix) + base::to_base64url(bytes.bytes());
}

bool is_refresh_secret(std::string_view text) {
  return text.size() == secret_text_bytes && text.starts_with(secret_prefix) &&
         base::parse_base64url(text.substr(secret_prefix.size())).has_value();
}

base::Digest hash_refresh_secret(std::span<const std::uint8_t, 32> key, std::string_view secret) {
  return crypto::hmac_sha256(key, base::as_bytes(secret));
}

}  // namespace gate
