#include "base/bytes.h"

#include <numeric>

#include "base/text.h"

#include <doctest/doctest.h>

using namespace base;

// RFC 3720, appendix B.4, and the usual check value of the polynomial.
TEST_CASE("CRC-32C agrees with RFC 3720") {
  Bytes ascending(32), descending(32);
  std::iota(ascending.begin(), ascending.end(), std::uint8_t{0});
  std::iota(descending.rbegin(), descending.rend(), std::uint8_t{0});
  CHECK_EQ(crc32c(Bytes(32, 0x00)), 0x8A9136AAu);
  CHECK_EQ(crc32c(Bytes(32, 0xFF)), 0x62A8AB43u);
  CHECK_EQ(crc32c(ascending), 0x46DD794Eu);
  CHECK_EQ(crc32c(descending), 0x113FDB5Cu);
  CHECK_EQ(crc32c(*parse_hex("01c000000000000000000000000000001400000000000400000000140000001828000000000000000200000000000000")), 0xD9963A56u);
  CHECK_EQ(crc32c(as_bytes("123456789")), 0xE3069283u);
  CHECK_EQ(crc32c({}), 0u);
}

TEST_CASE("a CRC goes on where it stopped, at any place") {
  Bytes bytes(100);
  std::iota(bytes.begin(), bytes.end(), std::uint8_t{7});
  const std::uint32_t whole = crc32c(bytes);
  for (std::size_t cut = 0; cut <= bytes.size(); ++cut) {
    CHECK_EQ(crc32c(ByteView(bytes).subspan(cut), crc32c(ByteView(bytes).first(cut))), whole);
  }
}

TEST_CASE("comparison in constant time is a comparison") {
  CHECK(equal_constant_time({}, {}));
  CHECK(equal_constant_time(as_bytes("abc"), as_bytes("abc")));
  CHECK(!equal_constant_time(as_bytes("abc"), as_bytes("abd")));
  CHECK(!equal_constant_time(as_bytes("bbc"), as_bytes("abc")));
  CHECK(!equal_constant_time(as_bytes("abc"), as_bytes("ab")));
}

TEST_CASE("little-endian loads and stores at any address") {
  std::uint8_t room[16] = {};
  store_le<std::uint32_t>(room + 1, 0x01020304);
  CHECK_EQ(room[1], 4);
  CHECK_EQ(room[4], 1);
  CHECK_EQ(load_le<std::uint32_t>(room + 1), 0x01020304);
  store_le<std::uint64_t>(room + 3, 0x1122334455667788);
  CHECK_EQ(load_le<std::uint64_t>(room + 3), 0x1122334455667788);
  CHECK_EQ(load_le<std::uint16_t>(room + 3), 0x7788);
}

TEST_CASE("text and bytes are views of each other") {
  Bytes bytes = to_bytes(as_bytes("ab"));
  append(bytes, as_bytes("c"));
  CHECK_EQ(as_text(bytes), "abc");
}
