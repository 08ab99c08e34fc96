#include "crypto/sign.h"

#include <doctest/doctest.h>

#include <algorithm>

#include "base/text.h"

namespace {

struct Vector {
  const char* seed;
  const char* public_key;
  const char* message;
  const char* signature;
};

// RFC 8032 section 7.1, TEST 1, 2, 3 and TEST SHA(abc).
const Vector vectors[] = {
    {"9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
     "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a", "",
     "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46b"
     "d25bf5f0595bbe24655141438e7a100b"},
    {"4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
     "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c", "72",
     "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c"
     "387b2eaeb4302aeeb00d291612bb0c00"},
    {"c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
     "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025", "af82",
     "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc659"
     "4a7c15e9716ed28dc027beceea1ec40a"},
    {"833fe62409237b9d62ec77587520911e9a759cec1d19755b7da901b96dca3d42",
     "ec172b93ad5e563bf4932c70e1245034c35467ef2efd4d64ebf819683467e2bf",
     "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a"
     "2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f",
     "dc2a4459e7369633a52b1bf277839a00201009a3efbf3ecb69bea2186c26b58909351fc9ac90b3ecfdfbc7c66431e030"
     "3dca179c138ac17ad9bef1177331a704"},
};

base::Bytes hex(std::string_view text) {
  auto bytes = base::parse_hex(text);
  REQUIRE(bytes);
  return *bytes;
}

}  // namespace

TEST_CASE("Ed25519 agrees with RFC 8032") {
  for (const Vector& vector : vectors) {
    const base::Bytes seed_bytes = hex(vector.seed);
    const crypto::Ed25519SeedView seed(seed_bytes.data(), 32);
    const base::Bytes message = hex(vector.message);
    const crypto::Ed25519PublicKey public_key = crypto::ed25519_public_key(seed);
    CHECK(base::to_hex(public_key) == vector.public_key);
    const crypto::Ed25519Signature signature = crypto::ed25519_sign(seed, message);
    CHECK(base::to_hex(signature) == vector.signature);
    const crypto::Ed25519KeyPair pair(seed);
    CHECK(pair.public_key() == public_key);
    CHECK(pair.sign(message) == signature);
    CHECK(crypto::ed25519_verify(public_key, message, signature));
  }
}

TEST_CASE("a changed message, signature, key or length does not verify") {
  const base::Bytes seed_bytes = hex(vectors[2].seed);
  const crypto::Ed25519SeedView seed(seed_bytes.data(), 32);
  const crypto::Ed25519PublicKey public_key = crypto::ed25519_public_key(seed);
  const base::Bytes message = hex(vectors[2].message);
  const crypto::Ed25519Signature good = crypto::ed25519_sign(seed, message);

  for (std::size_t byte = 0; byte < good.size(); ++byte) {
    crypto::Ed25519Signature changed = good;
    changed[byte] ^= 1;
    CHECK_FALSE(crypto::ed25519_verify(public_key, message, changed));
  }
  CHECK_FALSE(crypto::ed25519_verify(public_key, hex("af83"), good));
  crypto::Ed25519PublicKey other_key = public_key;
  other_key[31] ^= 0x80;
  CHECK_FALSE(crypto::ed25519_verify(other_key, message, good));
  CHECK_FALSE(crypto::ed25519_verify(public_key, message, base::ByteView(good).first(63)));
  CHECK_FALSE(crypto::ed25519_verify(public_key, message, {}));
}

TEST_CASE("a key of small order verifies nothing") {
  // The identity point: with S = 0 and R = identity the bare equation would hold for every message.
  crypto::Ed25519PublicKey identity{};
  identity[0] = 1;
  crypto::Ed25519Signature signature{};
  signature[0] = 1;
  CHECK_FALSE(crypto::ed25519_verify(identity, base::as_bytes("anything"), signature));
}
