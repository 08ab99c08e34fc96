#include "crypto/keccak.h"

#include <doctest/doctest.h>

#include <string>

#include "base/text.h"

// Values published with the Keccak submission (KeccakKAT) and in the Ethereum yellow paper (hash of the empty string).
TEST_CASE("Keccak-256 gives the published digests") {
  const auto hash = [](std::string_view text) { return base::to_hex(crypto::keccak256(base::as_bytes(text))); };
  CHECK_EQ(hash(""), "c5d2460186f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85a470");
  CHECK_EQ(hash("abc"), "4e03657aea45a94fc7d47ba826c8d667c0d1e6e33a64a036ec44f58fa12d6c45");
  CHECK_EQ(hash("testing"), "5f16f4c7f149ac4f9510d9cf8cf384038ad348b3bcdc01915f95de12df9d1b02");
}

TEST_CASE("Keccak-256 handles lengths around a block") {
  const std::string block(136, 'a');
  CHECK_NE(base::to_hex(crypto::keccak256(base::as_bytes(block))), base::to_hex(crypto::keccak256(base::as_bytes(block.substr(1)))));
  CHECK_EQ(base::to_hex(crypto::keccak256(base::as_bytes(std::string(200, '\xA3')))),
           "3a57666b048777f2c953dc4456f45a2588e1cb6f2da760122d530ac2ce607d4a");
}
