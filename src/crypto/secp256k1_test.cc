#include "crypto/secp256k1.h"

#include <algorithm>

#include "base/text.h"
#include "crypto/keccak.h"

#include <doctest/doctest.h>

namespace {

base::Digest digest_of(std::string_view hex) {
  base::Digest out{};
  const base::Bytes bytes = *base::parse_hex(hex);
  std::copy(bytes.begin(), bytes.end(), out.begin());
  return out;
}

// The private key of the worked example in EIP-155.
const base::Digest example_secret = digest_of("4646464646464646464646464646464646464646464646464646464646464646");

TEST_CASE("the worked example of EIP-155 is signed as published") {
  // Its signing hash, and v = 37 = 1 * 2 + 35 + parity.
  const base::Digest hash = digest_of("daf5a779ae972f972197303d7b574746c7ef83eadac0f2791ad23db92e4c8e53");
  const crypto::RecoverableSignature signature = crypto::secp256k1_sign(example_secret, hash);
  CHECK_EQ(base::to_hex(signature.r), "28ef61340bd939bc2195fe537567866003e1a15d3c71ff63e1590620aa636276");
  CHECK_EQ(base::to_hex(signature.s), "67cbe9d8997f761aecb703304b3800ccf555c9f3dc64214b297fb1966a3b6d83");
  CHECK_EQ(signature.parity, 0);
  CHECK_EQ(crypto::secp256k1_recover(hash, signature), crypto::secp256k1_public_key(example_secret));
}

TEST_CASE("a public key's Keccak-256 ends in the published address") {
  const base::Digest hash = crypto::keccak256(crypto::secp256k1_public_key(example_secret));
  CHECK_EQ(base::to_hex(base::ByteView(hash).last(20)), "9d8a62f656a8d1615c1294fd71e9cfb3e4855a4f");
}

TEST_CASE("zero, the order of the group and anything of another length are no secrets") {
  CHECK_FALSE(crypto::is_secp256k1_secret(base::Digest{}));
  const base::Digest order = digest_of("fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141");
  CHECK_FALSE(crypto::is_secp256k1_secret(order));
  CHECK_FALSE(crypto::is_secp256k1_secret(base::Bytes(31, 1)));
  base::Digest below = order;
  below[31] = 0x40;
  CHECK(crypto::is_secp256k1_secret(below));
}

TEST_CASE("a signature that was changed is somebody else's or nobody's, and its twin in the upper half is refused") {
  const base::Digest hash = crypto::keccak256(base::as_bytes("message"));
  const crypto::RecoverableSignature signature = crypto::secp256k1_sign(example_secret, hash);
  const crypto::Secp256k1PublicKey key = crypto::secp256k1_public_key(example_secret);
  for (int bit = 0; bit < 8; ++bit) {
    crypto::RecoverableSignature changed = signature;
    changed.r[31] ^= static_cast<std::uint8_t>(1 << bit);
    CHECK_NE(crypto::secp256k1_recover(hash, changed), key);
  }
  crypto::RecoverableSignature other = signature;
  other.parity ^= 1;
  CHECK_NE(crypto::secp256k1_recover(hash, other), key);
  other.parity = 2;
  CHECK_FALSE(crypto::secp256k1_recover(hash, other).has_value());
  CHECK_FALSE(crypto::secp256k1_recover(hash, {}).has_value());
  // n - s with the other parity is the same signature for arithmetic, and none for us.
  crypto::RecoverableSignature twin = signature;
  twin.parity ^= 1;
  const base::Digest order = digest_of("fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141");
  int borrow = 0;
  for (std::size_t i = 32; i-- > 0;) {
    const int difference = order[i] - signature.s[i] - borrow;
    borrow = difference < 0 ? 1 : 0;
    twin.s[i] = static_cast<std::uint8_t>(difference + borrow * 256);
  }
  CHECK_FALSE(crypto::secp256k1_recover(hash, twin).has_value());
}

}  // namespace
