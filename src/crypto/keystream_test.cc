#include "crypto/keystream.h"

#include <doctest/doctest.h>

#include <vector>

#include "base/text.h"

namespace {

std::string stream(std::string_view key_hex, std::string_view nonce_hex, std::uint64_t block, std::size_t size) {
  const auto key = base::parse_hex(key_hex);
  const auto nonce = base::parse_hex(nonce_hex);
  REQUIRE(key);
  REQUIRE(nonce);
  std::vector<std::uint8_t> out(size, 0xEE);
  crypto::chacha20_keystream(std::span<const std::uint8_t, 32>(key->data(), 32),
                             std::span<const std::uint8_t, 8>(nonce->data(), 8), block, out);
  return base::to_hex(out);
}

constexpr auto zero_key = "0000000000000000000000000000000000000000000000000000000000000000";
constexpr auto one_key = "0000000000000000000000000000000000000000000000000000000000000001";

}  // namespace

// RFC 8439 appendix A.1, test vectors 1, 2, 3 and 5 (their nonces begin with four zero bytes).
TEST_CASE("the keystream agrees with RFC 8439") {
  CHECK(stream(zero_key, "0000000000000000", 0, 64) ==
        "76b8e0ada0f13d90405d6ae55386bd28bdd219b8a08ded1aa836efcc8b770dc7"
        "da41597c5157488d7724e03fb8d84a376a43b8f41518a11cc387b669b2ee6586");
  CHECK(stream(zero_key, "0000000000000000", 1, 64) ==
        "9f07e7be5551387a98ba977c732d080dcb0f29a048e3656912c6533e32ee7aed"
        "29b721769ce64e43d57133b074d839d531ed1f28510afb45ace10a1f4b794d6f");
  CHECK(stream(one_key, "0000000000000000", 1, 64) ==
        "3aeb5224ecf849929b9d828db1ced4dd832025e8018b8160b82284f3c949aa5a"
        "8eca00bbb4a73bdad192b5c42f73f2fd4e273644c8b36125a64addeb006c13a0");
  CHECK(stream(zero_key, "0000000000000002", 0, 64) ==
        "c2c64d378cd536374ae204b9ef933fcd1a8b2288b3dfa49672ab765b54ee27c7"
        "8a970e0e955c14f3a88e741b97c286f75f8fc299e8148362fa198a39531bed6d");
}

TEST_CASE("any position is the same as reading up to it") {
  const std::string four = stream(one_key, "0102030405060708", 41, 4 * 64);
  CHECK(stream(one_key, "0102030405060708", 43, 64) == four.substr(2 * 128, 128));
  CHECK(stream(one_key, "0102030405060708", 44, 7) == four.substr(3 * 128, 14));
  CHECK(stream(one_key, "0102030405060708", 44, 0).empty());
}

TEST_CASE("block numbers carry past 32 bits") {
  const std::string two = stream(one_key, "0000000000000000", 0xFFFFFFFF, 128);
  CHECK(stream(one_key, "0000000000000000", 0x100000000, 64) == two.substr(128));
  CHECK(stream(one_key, "0000000000000000", 0x100000000, 64) != stream(one_key, "0000000000000000", 0, 64));
}
