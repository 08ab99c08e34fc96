#include "wire/json_writer.h"

#include <doctest/doctest.h>

#include <limits>

#include "wire/json_value.h"

using namespace wire;

namespace {

std::string quoted(std::string_view text) {
  std::string out;
  JsonWriter(out).string(text);
  return out;
}

}  // namespace

TEST_CASE("nested values, commas and colons") {
  std::string out = "head:";
  JsonWriter json(out);
  CHECK_FALSE(json.complete());
  json.begin_object();
  json.member("id", "tr_0");
  json.member("amount", std::string_view("12"));
  json.member("count", std::uint64_t{18446744073709551615u});
  json.member("done", true);
  json.key("low");
  json.sint(std::numeric_limits<std::int64_t>::min());
  json.key("none");
  json.null();
  json.key("list");
  json.begin_array();
  json.uint(1);
  json.begin_array();
  json.end_array();
  json.begin_object();
  json.end_object();
  json.boolean(false);
  json.end_array();
  json.key("stored");
  json.raw("{\"a\":1}");
  json.member("end", "");
  json.end_object();
  CHECK(json.complete());
  CHECK(out ==
        "head:{\"id\":\"tr_0\",\"amount\":\"12\",\"count\":18446744073709551615,\"done\":true,"
        "\"low\":-9223372036854775808,\"none\":null,\"list\":[1,[],{},false],\"stored\":{\"a\":1},\"end\":\"\"}");
}

TEST_CASE("strings are escaped no more than needed") {
  CHECK(quoted("plain / text") == "\"plain / text\"");
  CHECK(quoted("\"\\\b\f\n\r\t") == R"("\"\\\b\f\n\r\t")");
  CHECK(quoted(std::string_view("\0\x1f\x7f", 3)) == "\"\\u0000\\u001f\x7f\"");
  CHECK(quoted("\xE2\x82\xAC\xF0\x9F\x98\x80") == "\"\xE2\x82\xAC\xF0\x9F\x98\x80\"");
}

TEST_CASE("bytes that are not UTF-8 become U+FFFD") {
  constexpr std::string_view sign = "\xEF\xBF\xBD";
  const auto replaced = [&](std::string_view text) {
    std::string expected = "\"a";
    for (std::size_t i = 0; i < text.size(); ++i) expected += sign;
    return quoted("a" + std::string(text) + "b") == expected + "b\"";
  };
  CHECK(replaced("\x80"));
  CHECK(replaced("\xC0\xAF"));
  CHECK(replaced("\xC2"));
  CHECK(replaced("\xE0\x80\x80"));
  CHECK(replaced("\xED\xA0\x80"));
  CHECK(replaced("\xF0\x80\x80\x80"));
  CHECK(replaced("\xF4\x90\x80\x80"));
  CHECK(replaced("\xF8\xFF"));
}

TEST_CASE("what is written can be read") {
  std::string all;
  for (unsigned c = 0; c < 256; ++c) all.push_back(static_cast<char>(c));
  const std::string out = quoted(all);
  const auto document = parse_json(base::as_bytes(out));
  REQUIRE(document.ok());
  CHECK(document->root().string()->substr(0, 128) == all.substr(0, 128));
}
