#include "crypto/seal.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <string>

#include "base/text.h"

namespace {

base::Bytes hex(std::string_view text) {
  auto bytes = base::parse_hex(text);
  REQUIRE(bytes);
  return *bytes;
}

// draft-irtf-cfrg-xchacha-03 appendix A.3.1.
const auto plain = base::to_bytes(base::as_bytes(
    "Ladies and Gentlemen of the class of '99: If I could offer you only one tip for the future, sunscreen would be "
    "it."));
const auto key_hex = "808182838485868788898a8b8c8d8e8f909192939495969798999a9b9c9d9e9f";
const auto nonce_hex = "404142434445464748494a4b4c4d4e4f5051525354555657";
const auto associated_hex = "50515253c0c1c2c3c4c5c6c7";
const auto sealed_hex =
    "bd6d179d3e83d43b9576579493c0e939572a1700252bfaccbed2902c21396cbb731c7f1b0b4aa6440bf3a82f4eda7e39"
    "ae64c6708c54c216cb96b72e1213b4522f8c9ba40db5d945b11b69b982c1bb9e3f3fac2bc369488f76b2383565d3fff9"
    "21f9664c97637da9768812f615c68b13b52ec0875924c1c7987947deafd8780acf49";

struct Case {
  base::Bytes key = hex(key_hex);
  base::Bytes associated = hex(associated_hex);
  base::Bytes sealed = hex(sealed_hex);
  crypto::SealNonce nonce{};
  Case() { std::ranges::copy(hex(nonce_hex), nonce.begin()); }
  crypto::SealKeyView key_view() const { return crypto::SealKeyView(key.data(), 32); }
  base::Status open(base::Bytes& out) const { return crypto::open(key_view(), nonce, associated, sealed, out); }
};

void check_refused(const Case& changed, std::size_t size = plain.size()) {
  base::Bytes out(size, 0xEE);
  const base::Status status = changed.open(out);
  REQUIRE_FALSE(status.ok());
  CHECK(std::string(status.error().code) == "sealed_bytes_not_authentic");
  CHECK(std::ranges::all_of(out, [](std::uint8_t byte) { return byte == 0; }));
}

}  // namespace

TEST_CASE("sealing agrees with the XChaCha20-Poly1305 draft") {
  const Case good;
  CHECK(base::to_hex(crypto::seal(good.key_view(), good.nonce, good.associated, plain)) == sealed_hex);
  base::Bytes out(plain.size());
  REQUIRE(good.open(out).ok());
  CHECK(out == plain);
}

TEST_CASE("nothing, sealed, is a tag and opens to nothing") {
  const Case good;
  const base::Bytes sealed = crypto::seal(good.key_view(), good.nonce, {}, {});
  CHECK(sealed.size() == crypto::seal_overhead_bytes);
  CHECK(crypto::open(good.key_view(), good.nonce, {}, sealed, {}).ok());
}

TEST_CASE("any change makes sealed bytes unopenable, and nothing of them is handed out") {
  for (std::size_t byte = 0; byte < hex(sealed_hex).size(); ++byte) {
    Case changed;
    changed.sealed[byte] ^= 0x20;
    check_refused(changed);
  }
  Case changed;
  changed.key[5] ^= 1;
  check_refused(changed);
  changed = Case();
  changed.nonce[23] ^= 1;
  check_refused(changed);
  changed = Case();
  changed.associated.push_back(0);
  check_refused(changed);
  changed = Case();
  check_refused(changed, plain.size() - 1);
  check_refused(changed, plain.size() + 1);
  changed.sealed.resize(8);
  check_refused(changed, 0);
}
