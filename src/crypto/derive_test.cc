#include "crypto/derive.h"

#include <doctest/doctest.h>

#include <numeric>
#include <string>

#include "base/text.h"

namespace {

std::string hkdf(base::ByteView key, base::ByteView salt, base::ByteView info, std::size_t size) {
  base::Bytes out(size);
  crypto::hkdf_sha256(key, salt, info, out);
  return base::to_hex(out);
}

base::Bytes run_of(std::uint8_t first, std::uint8_t last) {
  base::Bytes bytes(static_cast<std::size_t>(last - first) + 1);
  std::iota(bytes.begin(), bytes.end(), first);
  return bytes;
}

}  // namespace

// RFC 5869 appendix A.1 to A.3.
TEST_CASE("HKDF-SHA-256 agrees with RFC 5869") {
  CHECK(hkdf(base::Bytes(22, 0x0b), run_of(0x00, 0x0c), run_of(0xf0, 0xf9), 42) ==
        "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865");
  CHECK(hkdf(run_of(0x00, 0x4f), run_of(0x60, 0xaf), run_of(0xb0, 0xff), 82) ==
        "b11e398dc80327a1c8e7f78c596a49344f012eda2d4efad8a050cc4c19afa97c59045a99cac7827271cb41c65e590e09"
        "da3275600c2f09b8367793a9aca3db71cc30c58179ec3e87c14c01d5c1f3434f1d87");
  CHECK(hkdf(base::Bytes(22, 0x0b), {}, {}, 42) ==
        "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8");
}

TEST_CASE("a passphrase gives the key the Argon2 reference library gives") {
  // Computed once with libargon2 20171227: argon2id_hash_raw(2, 64, 1, "correct horse", 13, "0123456789abcdef", 16).
  const base::ByteView salt = base::as_bytes("0123456789abcdef");
  base::Digest key;
  REQUIRE(crypto::key_from_passphrase(base::as_bytes("correct horse"),
                                      std::span<const std::uint8_t, 16>(salt.data(), 16), {2, 64}, key)
              .ok());
  CHECK(base::to_hex(key) == "74fb6b1d311ac0bb4c891f7efd79680245d9f84b72ad8f9bbe61c86e2b9f864d");
}

TEST_CASE("a passphrase cost outside the bounds is refused before any work") {
  const base::ByteView salt = base::as_bytes("0123456789abcdef");
  base::Digest key;
  for (const crypto::PassphraseCost cost : {crypto::PassphraseCost{0, 64}, crypto::PassphraseCost{11, 64},
                                            crypto::PassphraseCost{2, 7}, crypto::PassphraseCost{2, 1024 * 1024 + 1}}) {
    const base::Status status =
        crypto::key_from_passphrase(base::as_bytes("x"), std::span<const std::uint8_t, 16>(salt.data(), 16), cost, key);
    REQUIRE_FALSE(status.ok());
    CHECK(std::string(status.error().code) == "passphrase_cost_out_of_range");
  }
}
