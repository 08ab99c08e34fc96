#include "crypto/wipe.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <vector>

TEST_CASE("wiping leaves zeros") {
  std::vector<std::uint8_t> secret(100, 0x5A);
  crypto::wipe(secret);
  CHECK(std::ranges::all_of(secret, [](std::uint8_t byte) { return byte == 0; }));
  crypto::wipe({});
}

TEST_CASE("a short-lived secret is gone after its scope") {
  alignas(8) unsigned char room[sizeof(crypto::ShortLived<32>)];
  auto* secret = new (room) crypto::ShortLived<32>;
  std::ranges::fill(secret->bytes(), std::uint8_t{0x5A});
  secret->~ShortLived();
  CHECK(std::all_of(std::begin(room), std::end(room), [](unsigned char byte) { return byte == 0; }));
}
