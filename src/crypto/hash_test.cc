#include "crypto/hash.h"

#include <doctest/doctest.h>

#include <string>

#include "base/text.h"

using base::as_bytes;
using base::to_hex;
using crypto::sha256;

// FIPS 180-4 examples (NIST "SHA256.pdf" and the SHAVS long message).
TEST_CASE("SHA-256 agrees with the published examples") {
  CHECK(to_hex(sha256(as_bytes(""))) == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  CHECK(to_hex(sha256(as_bytes("abc"))) == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  CHECK(to_hex(sha256(as_bytes("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq"))) ==
        "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
  CHECK(to_hex(sha256(as_bytes(std::string(1'000'000, 'a')))) ==
        "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

TEST_CASE("a hash object is as new after finish and after reset") {
  crypto::Sha256 hash;
  hash.update(as_bytes("forget me"));
  hash.reset();
  hash.update(as_bytes("a"));
  hash.update(as_bytes("bc"));
  CHECK(hash.finish() == sha256(as_bytes("abc")));
  CHECK(hash.finish() == sha256(as_bytes("")));
  CHECK(hash.digest(as_bytes("abc")) == sha256(as_bytes("abc")));

  crypto::Sha256 moved = std::move(hash);
  moved.update(as_bytes("abc"));
  hash = std::move(moved);
  CHECK(hash.finish() == sha256(as_bytes("abc")));
}

TEST_CASE("parts are hashed as one string") {
  CHECK(sha256({as_bytes("a"), as_bytes(""), as_bytes("bc")}) == sha256(as_bytes("abc")));
}

// RFC 6962 section 2.1; the hash of an empty leaf and of a leaf and node as printed by the certificate-transparency
// reference tests.
TEST_CASE("leaves and nodes are hashed in separate domains") {
  CHECK(to_hex(crypto::sha256_leaf({})) == "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d");
  CHECK(to_hex(crypto::sha256_leaf({as_bytes("L123"), as_bytes("456")})) ==
        "395aa064aa4c29f7010acfe3f25db9485bbd4b91897b6ad7ad547639252b4d56");
  base::Digest left = sha256(as_bytes("left"));
  base::Digest right = sha256(as_bytes("right"));
  std::uint8_t joined[65] = {1};
  std::copy(left.begin(), left.end(), joined + 1);
  std::copy(right.begin(), right.end(), joined + 33);
  CHECK(crypto::sha256_node(left, right) == sha256(joined));
}
