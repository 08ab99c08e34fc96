#include "crypto/evm/rlp.h"

#include "base/text.h"

#include <doctest/doctest.h>

namespace crypto {
namespace {

// One item by itself: the list around it has a header of one byte, or of two from 56 bytes on.
std::string item(void (*write)(RlpWriter&)) {
  RlpWriter writer;
  write(writer);
  const base::Bytes list = writer.list();
  return base::to_hex(base::ByteView(list).subspan(list[0] <= 0xf7 ? 1 : 2));
}

// Examples of ethereum.org's page on RLP and of the yellow paper's appendix B.
TEST_CASE("the published examples are written as published") {
  CHECK_EQ(item([](RlpWriter& w) { w.string(base::as_bytes("dog")); }), "83646f67");
  CHECK_EQ(item([](RlpWriter& w) { w.string({}); }), "80");
  CHECK_EQ(item([](RlpWriter& w) { w.integer(0); }), "80");
  CHECK_EQ(item([](RlpWriter& w) { w.integer(15); }), "0f");
  CHECK_EQ(item([](RlpWriter& w) { w.integer(1024); }), "820400");
  CHECK_EQ(item([](RlpWriter& w) { w.integer(127); }), "7f");
  CHECK_EQ(item([](RlpWriter& w) { w.integer(128); }), "8180");
  CHECK_EQ(item([](RlpWriter& w) { w.integer(base::u128_max); }), "90ffffffffffffffffffffffffffffffff");
  CHECK_EQ(item([](RlpWriter& w) { w.string(base::as_bytes("Lorem ipsum dolor sit amet, consectetur adipisicing elit")); }),
           "b8384c6f72656d20697073756d20646f6c6f722073697420616d65742c20636f6e7365637465747572206164697069736963696e6720656c6974");
  RlpWriter animals;
  animals.string(base::as_bytes("cat"));
  animals.string(base::as_bytes("dog"));
  CHECK_EQ(base::to_hex(animals.list()), "c88363617483646f67");
  CHECK_EQ(base::to_hex(RlpWriter().list()), "c0");
  // The set-theoretical representation of three.
  RlpWriter one, two, three;
  one.raw(RlpWriter().list());
  two.raw(RlpWriter().list());
  two.raw(one.list());
  three.raw(RlpWriter().list());
  three.raw(one.list());
  three.raw(two.list());
  CHECK_EQ(base::to_hex(three.list()), "c7c0c1c0c3c0c1c0");
}

TEST_CASE("what was written is read back") {
  RlpWriter writer;
  writer.integer(1024);
  writer.string(base::Bytes(300, 7));
  writer.raw(RlpWriter().list());
  writer.integer(0);
  const base::Bytes bytes = writer.list();
  RlpReader reader(bytes);
  CHECK_EQ(*reader.integer(), base::U128{1024});
  CHECK_EQ(reader.string()->size(), 300);
  CHECK_EQ(reader.list()->size(), 1);
  CHECK_FALSE(reader.finished());
  CHECK_EQ(*reader.integer(), base::U128{0});
  CHECK(reader.finished());
  CHECK_FALSE(reader.string().has_value());
  CHECK_FALSE(reader.finished());
}

bool reads_one_integer(std::string_view hex) {
  const base::Bytes bytes = *base::parse_hex(hex);
  RlpReader reader(bytes);
  return reader.integer().has_value() && reader.finished();
}

TEST_CASE("only the one form of a list and of its items is read") {
  CHECK(reads_one_integer("c10f"));
  CHECK(reads_one_integer("c28180"));
  for (const char* hex : {"", "80", "83646f67",   // no list
                          "c1", "c20f",           // shorter than it says
                          "c10f00",               // something behind it
                          "c2810f",               // a small byte with a header
                          "c100", "c3820001",     // an integer with a leading zero
                          "f8010f", "f80f", "f900010f", "b90000", "ffffffffffffffffff",   // lengths not in the shortest form, and beyond
                          "c1c0",                                                        // a list, not an integer
                          "d2910100000000000000000000000000000000"}) {                   // 129 bits
    CHECK_MESSAGE(!reads_one_integer(hex), hex);
  }
}

}  // namespace
}  // namespace crypto
