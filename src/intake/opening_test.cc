#include "intake/opening.h"

#include <doctest/doctest.h>

#include "base/text.h"

using namespace intake;

namespace {
base::Bytes hex(std::string_view text) { return *base::parse_hex(text); }
std::string shown(const Secret& secret) { return base::to_hex(secret); }
}  // namespace

TEST_CASE("RC2 decrypts the vectors of RFC 2268, section 5") {
  const Secret iv(8, 0);
  CHECK_EQ(shown(rc2_cbc_decrypt(hex("88bca90e90875a7f0f79c384627bafb2"), iv, hex("2269552ab0f85ca6"))), "0000000000000000");
}

TEST_CASE("RC4 gives the key stream of RFC 6229") {
  CHECK_EQ(shown(rc4(hex("0102030405"), Secret(16, 0))), "b2396305f03dc027ccc3524a0a1118a8");
}

TEST_CASE("PBKDF2 and scrypt give the published keys") {
  // RFC 6070, RFC 7914 section 11 and 12.
  CHECK_EQ(shown(pbkdf2(Hash::sha1, base::as_bytes("password"), base::as_bytes("salt"), 4096, 20)), "4b007901b765489abead49d926f721d065a429c1");
  CHECK_EQ(shown(*scrypt(base::as_bytes("password"), base::as_bytes("NaCl"), 1024, 8, 16, 16)), "fdbabe1c9d3472007856e7190d01e9fe");
  CHECK_FALSE(scrypt({}, {}, 1000, 8, 1, 16).has_value());  // N is no power of two
}

TEST_CASE("bcrypt_pbkdf gives the key that OpenBSD's gives") {
  // Test vector of OpenBSD's regress/lib/libutil/bcrypt_pbkdf.
  CHECK_EQ(shown(bcrypt_pbkdf(base::as_bytes("password"), base::as_bytes("salt"), 4, 32)), "5bbf0cc293587f1c3635555c27796598d47e579071bf427e9d8fbe842aba34d9");
}

TEST_CASE("the limits of a policy come before the work") {
  const Policy policy;
  CHECK(is_affordable(policy, 600'000, 0));
  CHECK(is_affordable(policy, 1, 256ull << 20));
  CHECK_FALSE(is_affordable(policy, 0, 0));
  CHECK_FALSE(is_affordable(policy, 10'000'001, 0));
  CHECK_FALSE(is_affordable(policy, 1, (256ull << 20) + 1));
}

TEST_CASE("padding that RFC 5652 does not know is refused") {
  const Secret key(16, 1), iv(16, 2);
  CHECK_FALSE(decrypt(Cipher::aes128_cbc, key, iv, Secret(15, 0)).has_value());
  CHECK_FALSE(decrypt(Cipher::aes128_cbc, key, iv, Secret(16, 0)).has_value());
  CHECK(decrypt(Cipher::aes128_cbc, key, iv, Secret(16, 0), false).has_value());
}
