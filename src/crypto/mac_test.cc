#include "crypto/mac.h"

#include <doctest/doctest.h>

#include <numeric>
#include <string>

#include "base/text.h"

using base::as_bytes;
using base::to_hex;

namespace {

base::Bytes counting(std::size_t size) {
  base::Bytes bytes(size);
  std::iota(bytes.begin(), bytes.end(), std::uint8_t{0});
  return bytes;
}

base::Bytes hex(std::string_view text) {
  auto bytes = base::parse_hex(text);
  REQUIRE(bytes);
  return *bytes;
}

std::string hmac(base::ByteView key, base::ByteView message) { return to_hex(crypto::hmac_sha256(key, message)); }

}  // namespace

// Aumasson and Bernstein, SipHash: a fast short-input PRF, appendix A, and the authors' vectors.h.
TEST_CASE("SipHash-2-4 agrees with its authors' vectors") {
  const base::Bytes key = counting(16);
  const crypto::SipKeyView view(key.data(), 16);
  CHECK(crypto::siphash64(view, counting(15)) == 0xa129ca6149be45e5);
  CHECK(crypto::siphash64(view, {}) == 0x726fdb47dd0e0e31);
  CHECK(crypto::siphash64(view, counting(8)) == 0x93f5f5799a932462);

  CHECK(to_hex(crypto::siphash128(view, {})) == "a3817f04ba25a8e66df67214c7550293");
  CHECK(to_hex(crypto::siphash128(view, counting(1))) == "da87c1d86b99af44347659119b22fc45");
  CHECK(to_hex(crypto::siphash128(view, counting(2))) == "8177228da4a45dc7fca38bdef60affe4");
  CHECK(to_hex(crypto::siphash128(view, counting(15))) == "5493e99933b0a8117e08ec0f97cfc3d9");
}

// RFC 4231 section 4, cases 1 to 4, 6 and 7 (case 5 tests truncation, which is not offered).
TEST_CASE("HMAC-SHA-256 agrees with RFC 4231") {
  CHECK(hmac(base::Bytes(20, 0x0b), as_bytes("Hi There")) ==
        "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7");
  CHECK(hmac(as_bytes("Jefe"), as_bytes("what do ya want for nothing?")) ==
        "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
  CHECK(hmac(base::Bytes(20, 0xaa), base::Bytes(50, 0xdd)) ==
        "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe");
  CHECK(hmac(hex("0102030405060708090a0b0c0d0e0f10111213141516171819"), base::Bytes(50, 0xcd)) ==
        "82558a389a443c0ea4cc819899f2083a85f0faa3e578f8077a2e3ff46729665b");
  CHECK(hmac(base::Bytes(131, 0xaa), as_bytes("Test Using Larger Than Block-Size Key - Hash Key First")) ==
        "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
  CHECK(hmac(base::Bytes(131, 0xaa),
             as_bytes("This is a test using a larger than block-size key and a larger than block-size data. The key "
                      "needs to be hashed before being used by the HMAC algorithm.")) ==
        "9b09ffa71b942fcb27635fbcd5b0e944bfdc63644f0713938a7f51535c3a35e2");
}

TEST_CASE("an HMAC object takes one message after the other under its key") {
  crypto::HmacSha256 mac(as_bytes("Jefe"));
  mac.update(as_bytes("what do ya want "));
  mac.update(as_bytes("for nothing?"));
  const base::Digest first = mac.finish();
  CHECK(first == crypto::hmac_sha256(as_bytes("Jefe"), as_bytes("what do ya want for nothing?")));
  mac.update(as_bytes("what do ya want for nothing?"));
  CHECK(mac.finish() == first);
}

TEST_CASE("an empty key and an empty message are allowed") {
  CHECK(hmac({}, {}) == "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad");
}
