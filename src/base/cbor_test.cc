#include "base/cbor.h"

#include <cstdint>
#include <string>
#include <vector>

#include "base/text.h"

#include <doctest/doctest.h>

using base::Bytes;
using base::CborKind;
using base::CborReader;
using base::CborWriter;

namespace {

template <typename Write>
std::string written(Write write) {
  Bytes out;
  CborWriter writer(out);
  write(writer);
  return base::to_hex(out);
}

Bytes hex(std::string_view text) {
  const auto bytes = base::parse_hex(text);
  REQUIRE(bytes.has_value());
  return *bytes;
}

const base::U128 two_to_64 = base::make_u128(1, 0);

}  // namespace

// RFC 8949, appendix A, where it speaks of what the formats use.
TEST_CASE("unsigned integers agree with RFC 8949") {
  struct Row {
    std::uint64_t value;
    const char* bytes;
  };
  const Row rows[] = {{0, "00"},         {1, "01"},         {10, "0a"},           {23, "17"},
                      {24, "1818"},      {25, "1819"},      {100, "1864"},        {255, "18ff"},
                      {256, "190100"},   {1000, "1903e8"},  {65535, "19ffff"},    {65536, "1a00010000"},
                      {1000000, "1a000f4240"}, {4294967295, "1affffffff"}, {4294967296, "1b0000000100000000"},
                      {1000000000000, "1b000000e8d4a51000"}, {18446744073709551615u, "1bffffffffffffffff"}};
  for (const Row& row : rows) {
    CHECK_EQ(written([&](CborWriter& w) { w.uint(row.value); }), row.bytes);
    CHECK_EQ(written([&](CborWriter& w) { w.amount(row.value); }), row.bytes);
    const Bytes bytes = hex(row.bytes);
    CborReader reader(bytes), again(bytes), skipping(bytes);
    CHECK(reader.peek() == CborKind::uint);
    CHECK_EQ(reader.uint(), row.value);
    CHECK(reader.done());
    CHECK(again.amount() == base::U128{row.value});
    CHECK(again.done());
    CHECK(skipping.skip());
    CHECK(skipping.done());
  }
}

TEST_CASE("negative integers agree with RFC 8949") {
  struct Row {
    std::int64_t value;
    const char* bytes;
  };
  const Row rows[] = {{-1, "20"}, {-10, "29"}, {-24, "37"}, {-25, "3818"}, {-100, "3863"}, {-256, "38ff"}, {-257, "390100"}, {-1000, "3903e7"},
                      {INT64_MIN, "3b7fffffffffffffff"}, {INT64_MAX, "1b7fffffffffffffff"}, {0, "00"}, {1000, "1903e8"}};
  for (const Row& row : rows) {
    CHECK_EQ(written([&](CborWriter& w) { w.sint(row.value); }), row.bytes);
    const Bytes bytes = hex(row.bytes);
    CborReader reader(bytes), skipping(bytes);
    CHECK_EQ(reader.sint(), row.value);
    CHECK(reader.done());
    CHECK(skipping.skip());
  }
  // One past either end of 64 signed bits; -18446744073709551616 is in the appendix.
  for (const char* text : {"3b8000000000000000", "1b8000000000000000", "3bffffffffffffffff"}) {
    const Bytes bytes = hex(text);
    CborReader reader(bytes);
    CHECK(!reader.sint());
    CHECK(reader.failed());
  }
}

TEST_CASE("amounts take tag 2 from 2^64 on, and end at 2^127 - 1") {
  struct Row {
    base::U128 value;
    const char* bytes;
  };
  const Row rows[] = {{two_to_64, "c249010000000000000000"},   // RFC 8949, appendix A
                      {two_to_64 - 1, "1bffffffffffffffff"},
                      {two_to_64 * 256 - 1, "c249ffffffffffffffffff"},
                      {two_to_64 * 256, "c24a01000000000000000000"},
                      {base::amount_max, "c2507fffffffffffffffffffffffffffffff"}};
  for (const Row& row : rows) {
    CHECK_EQ(written([&](CborWriter& w) { w.amount(row.value); }), row.bytes);
    const Bytes bytes = hex(row.bytes);
    CborReader reader(bytes), skipping(bytes);
    CHECK(reader.amount() == row.value);
    CHECK(reader.done());
    CHECK(skipping.skip());
  }
  for (const char* text : {"c25080000000000000000000000000000000", "c25100000000000000000000000000000000ff", "c248ffffffffffffffff", "c24101",
                           "c240", "c24a00010000000000000000", "c349010000000000000000", "c2", "c201", "c1181a", "d74401020304",
                           "c2690100000000000000ff", "d80249010000000000000000"}) {
    const Bytes bytes = hex(text);
    CborReader reader(bytes), skipping(bytes);
    INFO(text);
    CHECK(!reader.amount());
    CHECK(reader.failed());
    CHECK(!skipping.skip());
  }
}

TEST_CASE("strings, arrays, maps and simple values agree with RFC 8949") {
  CHECK_EQ(written([](CborWriter& w) { w.bytes({}); }), "40");
  CHECK_EQ(written([](CborWriter& w) { w.bytes(hex("01020304")); }), "4401020304");
  CHECK_EQ(written([](CborWriter& w) { w.text(""); }), "60");
  CHECK_EQ(written([](CborWriter& w) { w.text("IETF"); }), "6449455446");
  CHECK_EQ(written([](CborWriter& w) { w.text("\"\\"); }), "62225c");
  CHECK_EQ(written([](CborWriter& w) { w.text("\u00fc"); }), "62c3bc");
  CHECK_EQ(written([](CborWriter& w) { w.text("\u6c34"); }), "63e6b0b4");
  CHECK_EQ(written([](CborWriter& w) { w.text("\xF0\x90\x85\x91"); }), "64f0908591");
  CHECK_EQ(written([](CborWriter& w) { w.boolean(false); }), "f4");
  CHECK_EQ(written([](CborWriter& w) { w.boolean(true); }), "f5");
  CHECK_EQ(written([](CborWriter& w) { w.null(); }), "f6");
  CHECK_EQ(written([](CborWriter& w) { w.array(0); }), "80");
  CHECK_EQ(written([](CborWriter& w) { w.map(0); }), "a0");
  CHECK_EQ(written([](CborWriter& w) {   // [1, [2, 3], [4, 5]]
             w.array(3), w.uint(1), w.array(2), w.uint(2), w.uint(3), w.array(2), w.uint(4), w.uint(5);
           }),
           "8301820203820405");
  CHECK_EQ(written([](CborWriter& w) {   // [1, 2, ..., 25]
             w.array(25);
             for (std::uint64_t i = 1; i <= 25; ++i) w.uint(i);
           }),
           "98190102030405060708090a0b0c0d0e0f101112131415161718181819");
  CHECK_EQ(written([](CborWriter& w) { w.map(2), w.uint(1), w.uint(2), w.uint(3), w.uint(4); }), "a201020304");
  CHECK_EQ(written([](CborWriter& w) {   // {"a": 1, "b": [2, 3]}
             w.map(2), w.text("a"), w.uint(1), w.text("b"), w.array(2), w.uint(2), w.uint(3);
           }),
           "a26161016162820203");
}

TEST_CASE("a structure is read as it was written, and checked once") {
  const Bytes bytes = hex("a201f502851903e8206361c3bcf64101");   // {1: true, 2: [1000, -1, "aü", null, h'01']}
  CborReader reader(bytes);
  CHECK(reader.peek() == CborKind::map);
  CHECK_EQ(reader.map(), 2);
  CHECK_EQ(reader.uint(), 1);
  CHECK(reader.peek() == CborKind::boolean);
  CHECK_EQ(reader.boolean(), true);
  CHECK_EQ(reader.uint(), 2);
  CHECK(reader.peek() == CborKind::array);
  CHECK_EQ(reader.array(), 5);
  CHECK_EQ(reader.sint(), 1000);
  CHECK(reader.peek() == CborKind::negative);
  CHECK_EQ(reader.sint(), -1);
  CHECK(reader.peek() == CborKind::text);
  CHECK_EQ(reader.text(), "a\u00fc");
  CHECK(reader.peek() == CborKind::null);
  CHECK(reader.null());
  CHECK(reader.peek() == CborKind::bytes);
  CHECK_EQ(reader.bytes()->size(), 1);
  CHECK(reader.peek() == CborKind::end);
  CHECK(reader.done());
  CHECK_EQ(reader.position(), bytes.size());
  CborReader skipping(bytes);
  CHECK(skipping.skip());
  CHECK(skipping.done());
}

TEST_CASE("every form that is not the shortest is refused") {
  for (const char* text : {"1800", "1817", "190000", "1900ff", "1a00000000", "1a0000ffff", "1b0000000000000000", "1b00000000ffffffff",
                           "3800", "3817", "3900ff", "3a0000ffff", "3b00000000ffffffff", "5800", "580161", "590001ff", "7800", "780161",
                           "9800", "980100", "990001f6", "b800", "b8010000", "c2580901000000000000000000"}) {
    const Bytes bytes = hex(text);
    CborReader reader(bytes);
    INFO(text);
    CHECK(!reader.skip());
    CHECK(reader.failed());
    CHECK(!reader.done());
  }
}

TEST_CASE("what the formats do not use is refused: indefinite lengths, floats, other simple values, other tags, reserved") {
  for (const char* text : {"5f42010243030405ff", "7f657374726561646d696e67ff", "9fff", "bf61610163ff", "ff", "f90000", "fa47c35000",
                           "fb3ff199999999999a", "f97c00", "f7", "f0", "f818", "f8ff", "f4f4", "c074323031332d30332d32315432303a30343a30305a",
                           "d818456449455446", "1c", "1d", "1e", "1f", "3c", "5c", "7c", "9c", "bc", "dc", "fc", "fe"}) {
    const Bytes bytes = hex(text);
    CborReader reader(bytes);
    INFO(text);
    const bool skipped = reader.skip();
    CHECK(!(skipped && reader.done()));
  }
}

TEST_CASE("input that ends early is refused at every length, without reading past it") {
  const Bytes whole = hex("a301c25010000000000000000000000000000000021903e8038463616263440102030482f5f61affffffff");
  CborReader all(whole);
  REQUIRE(all.skip());
  REQUIRE(all.done());
  for (std::size_t size = 0; size < whole.size(); ++size) {
    const Bytes part(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size));
    CborReader reader(part);
    CHECK(!reader.skip());
  }
}

TEST_CASE("a length that lies cannot make a caller reserve memory") {
  for (const char* text : {"9bffffffffffffffff", "9affffffff00", "8200"}) {
    const Bytes bytes = hex(text);
    CborReader reader(bytes);
    CHECK(!reader.array());
  }
  for (const char* text : {"bbffffffffffffffff", "ba8000000000", "a100", "bb80000000000000000000"}) {
    const Bytes bytes = hex(text);
    CborReader reader(bytes);
    CHECK(!reader.map());
  }
  for (const char* text : {"5bffffffffffffffff", "4200"}) {
    const Bytes bytes = hex(text);
    CborReader reader(bytes);
    CHECK(!reader.bytes());
  }
  for (const char* text : {"7bffffffffffffffff", "6261", "61ff", "62c0af", "63eda080", "64f4908080"}) {
    const Bytes bytes = hex(text);
    CborReader reader(bytes);
    CHECK(!reader.text());
  }
}

TEST_CASE("maps are skipped only with ascending keys, bytewise") {
  for (const char* text : {"a201000200", "a217001818f6", "a2186400200a", "a3190100f62000617af6", "a20a00810100"}) {
    const Bytes bytes = hex(text);
    CborReader reader(bytes);
    INFO(text);
    CHECK(reader.skip());
    CHECK(reader.done());
  }
  for (const char* text : {"a202000100", "a201000100", "a21818001700", "a2616200616100", "a22000186400", "81a201000100"}) {
    const Bytes bytes = hex(text);
    CborReader reader(bytes);
    INFO(text);
    CHECK(!reader.skip());
  }
}

TEST_CASE("nesting is bounded") {
  const auto nested = [](std::size_t depth) {
    Bytes bytes(depth, 0x81);
    bytes.push_back(0x00);
    return bytes;
  };
  for (const std::size_t depth : {std::size_t{0}, std::size_t{16}}) {
    const Bytes bytes = nested(depth);
    CborReader reader(bytes);
    CHECK(reader.skip());
  }
  for (const std::size_t depth : {std::size_t{17}, std::size_t{100'000}}) {
    const Bytes bytes = nested(depth);
    CborReader reader(bytes);
    CHECK(!reader.skip());
  }
  const Bytes bytes = nested(3);
  CborReader shallow(bytes), deep(bytes);
  CHECK(!shallow.skip(2));
  CHECK(deep.skip(3));
}

TEST_CASE("after a failure nothing is read any more") {
  const Bytes bytes = hex("01f5f64101617a80a0");
  const auto all_refused = [](CborReader& reader) {
    return !reader.uint() && !reader.sint() && !reader.amount() && !reader.bytes() && !reader.text() && !reader.array() && !reader.map() &&
           !reader.boolean() && !reader.null() && !reader.skip() && reader.peek() == CborKind::malformed && reader.failed() && !reader.done();
  };
  CborReader by_caller(bytes), by_kind(bytes);
  by_caller.fail();
  CHECK(all_refused(by_caller));
  CHECK(!by_kind.text());
  CHECK(all_refused(by_kind));
  for (const char* text : {"", "01"}) {
    const Bytes other = hex(text);
    CborReader no_boolean(other), no_null(other);
    CHECK(!no_boolean.boolean());
    CHECK(!no_null.null());
  }
}
