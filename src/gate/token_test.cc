#include "gate/token.h"

#include <doctest/doctest.h>

#include <algorithm>

#include "base/cbor.h"
#include "base/text.h"
#include "gate/keys.h"

using namespace gate;

namespace {

constexpr base::Instant now{1'800'000'000'000'000'000};

const AccessToken sample{.principal = 7,
                         .tenant = 1,
                         .generation = 3,
                         .scopes = model::transfers_write,
                         .issued_at = now,
                         .expires_at = now + base::seconds(900)};

std::array<std::uint8_t, 32> key_of(std::uint8_t byte) {
  std::array<std::uint8_t, 32> key;
  key.fill(byte);
  return key;
}

// Keys of these bytes, newest first.
TokenKeys keys_of(std::initializer_list<std::uint8_t> bytes) {
  TokenKeys keys;
  for (const std::uint8_t byte : bytes) keys.emplace_back(byte, key_of(byte));
  return keys;
}

std::string code_of(const base::Result<AccessToken>& result) { return result.ok() ? "ok" : result.error().code; }

}  // namespace

TEST_CASE("an access token is believed until it expires") {
  TokenAuthority authority(keys_of({1}));
  const std::string text = authority.issue(sample);
  CHECK(text.starts_with("hfa_"));
  const auto back = authority.verify(text, now);
  REQUIRE(back.ok());
  CHECK(*back == sample);
  CHECK(code_of(authority.verify(text, now + base::seconds(899))) == "ok");
  CHECK(code_of(authority.verify(text, now + base::seconds(900))) == "token_expired");
  CHECK(code_of(authority.verify(text, {now.ns - token_skew_max.ns})) == "ok");
  CHECK(code_of(authority.verify(text, {now.ns - token_skew_max.ns - 1})) == "token_not_yet_valid");
}

TEST_CASE("the newest key signs, the one before is still believed, and a second rotation ends it") {
  TokenAuthority first(keys_of({1})), second(keys_of({2, 1})), third(keys_of({3, 2, 1}));
  const std::string old = first.issue(sample), recent = second.issue(sample);
  CHECK(old != recent);
  CHECK(code_of(first.verify(recent, now)) == "token_not_authentic");
  CHECK(code_of(second.verify(old, now)) == "ok");
  CHECK(code_of(second.verify(recent, now)) == "ok");
  CHECK(code_of(third.verify(old, now)) == "token_not_authentic");
  CHECK(code_of(third.verify(recent, now)) == "ok");
}

TEST_CASE("golden bytes of a token") {
  TokenAuthority authority(keys_of({1}));
  CHECK(authority.issue(sample) ==
        "hfa_pwABAQcCAQMDBAgFGxj64naTtAAABhsY-uNIH-IoABIUhRtzJjyM0FRXtNEHGunvlTXVGCSqIpDjtHqbL3_U");
}

TEST_CASE("a token changed in any bit, cut, or made with another key is not believed") {
  TokenAuthority authority(keys_of({1})), other(keys_of({2}));
  const std::string text = authority.issue(sample);
  CHECK(code_of(other.verify(text, now)) == "token_not_authentic");
  const base::Bytes bytes = *base::parse_base64url(text.substr(4));
  for (std::size_t bit = 0; bit < bytes.size() * 8; ++bit) {
    base::Bytes changed = bytes;
    changed[bit / 8] ^= static_cast<std::uint8_t>(1u << (bit % 8));
    REQUIRE(code_of(authority.verify("hfa_" + base::to_base64url(changed), now)) == "token_not_authentic");
  }
  for (std::size_t size = 0; size < text.size(); ++size)
    REQUIRE(code_of(authority.verify(text.substr(0, size), now)) != "ok");
  for (const char* wrong : {"", "hfa_", "hfs_AAAA", "hfa_****", "hfa_AA", "Bearer"}) {
    CAPTURE(wrong);
    CHECK(code_of(authority.verify(wrong, now)) == "token_malformed");
  }
  CHECK(code_of(authority.verify("hfa_" + std::string(600, 'A'), now)) == "token_malformed");
}

TEST_CASE("a payload of another form is refused even with a good MAC") {
  const auto key = key_of(1);
  TokenAuthority authority({VersionedKey<32>(1, key)});
  base::Bytes bytes;
  base::CborWriter out(bytes);
  out.map(7);
  for (std::uint64_t i = 0; i < 7; ++i) {
    out.uint(i);
    out.uint(i == 0 ? 2 : 1);  // version 2
  }
  base::append(bytes, crypto::hmac_sha256(key, bytes));
  CHECK(code_of(authority.verify("hfa_" + base::to_base64url(bytes), now)) == "token_malformed");
}

TEST_CASE("refresh secrets are random, told apart from anything else, and stored as a keyed hash") {
  std::uint8_t drawn = 0;
  const RandomSource random = [&](std::span<std::uint8_t> out) {
    std::generate(out.begin(), out.end(), [&] { return drawn++; });
  };
  const std::string a = make_refresh_secret(random), b = make_refresh_secret(random);
  CHECK(a != b);
  CHECK(a == "hfs_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8");
  CHECK(is_refresh_secret(a));
  for (const char* wrong : {"", "hfs_", "hfa_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8",
                            "hfs_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh*"}) {
    CAPTURE(wrong);
    CHECK_FALSE(is_refresh_secret(wrong));
  }
  CHECK(hash_refresh_secret(key_of(1), a) != hash_refresh_secret(key_of(2), a));
  CHECK(hash_refresh_secret(key_of(1), a) != hash_refresh_secret(key_of(1), b));
}

TEST_CASE("every purpose has its own key") {
  std::array<std::uint8_t, 32> root = key_of(9);
  const GateKeys keys(root), again(root);
  CHECK(keys.tokens[0].key == again.tokens[0].key);
  CHECK(keys.tokens[0].key != keys.secret);
  CHECK(keys.idempotency != keys.fingerprints[0].key);
  CHECK(keys.fingerprints[0].key != keys.reference);
  root[31] ^= 1;
  const GateKeys other(root);
  CHECK(keys.tokens[0].key != other.tokens[0].key);
  CHECK(keys.idempotency != other.idempotency);
}
