#include "base/text.h"

#include <string>

#include <doctest/doctest.h>

using namespace base;

TEST_CASE("hex") {
  CHECK_EQ(to_hex({}), "");
  CHECK_EQ(to_hex(as_bytes("\x01\xAB\xFF")), "01abff");
  CHECK(parse_hex("01aBFf") == Bytes{0x01, 0xAB, 0xFF});
  CHECK(parse_hex("") == Bytes{});
  for (const char* text : {"0", "0g", "g0", "0x", " 0", "00 ", "0\xC3"}) CHECK(!parse_hex(text));
}

// RFC 4648, section 10.
TEST_CASE("base64 agrees with RFC 4648") {
  struct Row {
    const char *plain, *padded, *bare;
  };
  const Row rows[] = {{"", "", ""},
                      {"f", "Zg==", "Zg"},
                      {"fo", "Zm8=", "Zm8"},
                      {"foo", "Zm9v", "Zm9v"},
                      {"foob", "Zm9vYg==", "Zm9vYg"},
                      {"fooba", "Zm9vYmE=", "Zm9vYmE"},
                      {"foobar", "Zm9vYmFy", "Zm9vYmFy"},
                      {"\xFB\xFF\xFE", "+//+", "-__-"}};
  for (const Row& row : rows) {
    CHECK_EQ(to_base64(as_bytes(row.plain)), row.padded);
    CHECK_EQ(to_base64url(as_bytes(row.plain)), row.bare);
    CHECK(parse_base64(row.padded) == to_bytes(as_bytes(row.plain)));
    CHECK(parse_base64url(row.bare) == to_bytes(as_bytes(row.plain)));
  }
}

TEST_CASE("base64 has one form") {
  for (const char* text : {"Zg", "Zg=", "Zg===", "=", "==", "====", "Z===", "A===", "Zh==", "Zm9=", "Zm9v=", "Zg==Zg==", "Z g=", "Zm9v\n", "-__-",
                           "Zm=v", "=Zm9", "Zm9\x80"}) {
    INFO(text);
    CHECK(!parse_base64(text));
  }
  for (const char* text : {"Zg==", "Zg=", "Z", "Zh", "Zm9", "+//+", "Zm9v\n", "Zm 9", "ZmF=", "A"}) {
    INFO(text);
    CHECK(!parse_base64url(text));
  }
}

TEST_CASE("base32 of identifiers: 13 digits, text order is number order, one spelling") {
  struct Row {
    std::uint64_t value;
    const char* text;
  };
  const Row rows[] = {{0, "0000000000000"}, {1, "0000000000001"}, {31, "000000000000z"}, {32, "0000000000010"}, {UINT64_MAX, "fzzzzzzzzzzzz"}};
  std::string last;
  for (const Row& row : rows) {
    CHECK_EQ(to_base32(row.value), row.text);
    CHECK_EQ(parse_base32(row.text), row.value);
    CHECK(last < row.text);
    last = row.text;
  }
  for (const char* text : {"", "0", "000000000000", "00000000000000", "000000000000Z", "000000000000i", "000000000000l", "000000000000o",
                           "000000000000u", "000000000000-", "g000000000000", "zzzzzzzzzzzzz"}) {
    INFO(text);
    CHECK(!parse_base32(text));
  }
}

TEST_CASE("UTF-8 as RFC 3629 has it") {
  for (const char* text : {"", "plain", "\x7F", "\xC2\x80", "\xDF\xBF", "\xE0\xA0\x80", "\xED\x9F\xBF", "\xEE\x80\x80", "\xEF\xBF\xBF", "\xF0\x90\x80\x80",
                           "\xF4\x8F\xBF\xBF", "a\xE6\xB0\xB4z"}) {
    CHECK(is_utf8(text));
  }
  for (const char* text : {"\x80", "\xBF", "\xC0\x80", "\xC1\xBF", "\xC2", "\xC2z", "\xC2\xC2", "\xE0\x80\x80", "\xE0\x9F\xBF", "\xE0\xA0", "\xED\xA0\x80",
                           "\xED\xBF\xBF", "\xF0\x80\x80\x80", "\xF0\x8F\xBF\xBF", "\xF0\x90\x80", "\xF4\x90\x80\x80", "\xF5\x80\x80\x80", "\xFE", "\xFF",
                           "ok\xE6\xB0", "\xE6\xB0z"}) {
    CHECK(!is_utf8(text));
  }
  CHECK(is_utf8(std::string_view("a\0b", 3)));
}
