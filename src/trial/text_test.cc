// The small parts: GBK, masks, forms, serial numbers.

#include "base/text.h"
#include "trial/gbk.h"
#include "trial/mask.h"
#include "trial/text_variants.h"
#include "trial/trial.h"

#include <doctest/doctest.h>

namespace trial {

TEST_CASE("GBK and UTF-8, both ways") {
  const std::string utf8 = "pay \xE6\x94\xAF\xE4\xBB\x98\xE5\xAE\x9D";  // pay 支付宝
  const std::string gbk = "pay \xD6\xA7\xB8\xB6\xB1\xA6";
  CHECK_EQ(utf8_to_gbk(utf8).value(), gbk);
  CHECK_EQ(gbk_to_utf8(gbk).value(), utf8);
  CHECK_EQ(utf8_to_gbk("\xC2\xB7").value(), "\xA1\xA4");  // two bytes in UTF-8
  CHECK_EQ(gbk_to_utf8("\xA1\xA4").value(), "\xC2\xB7");
  CHECK_EQ(gbk_to_utf8("\x81\x80").value(), "\xE4\xBA\x90");  // behind the gap in the row
  for (const char* const bad : {"\x81", "\x81\x7F", "\xFF\x40", "\x80\x40", "\xFE\xFE"})
    CHECK_FALSE(gbk_to_utf8(bad).has_value());
  for (const char* const bad : {"\xF0\x9F\x98\x80", "\xFF", "\xE0\xA4\x85"}) CHECK_FALSE(utf8_to_gbk(bad).has_value());
}

TEST_CASE("masks keep the shape and the technical values, and nothing else") {
  CHECK_EQ(mask(R"({"name":"Zhang \u5f20","amount":12.50,"ok":true,"version":"2.0"})"),
           R"({"name":"xxxxx \u9x99","amount":99.99,"ok":true,"version":"2.0"})");
  CHECK_EQ(mask("a=Secret 1&timestamp=2026-01-01&biz={\"card\":\"6222\"}"),
           "a=xxxxxx 9&timestamp=2026-01-01&biz={\"card\":\"9999\"}");
  CHECK_EQ(mask("1770000000\nNonce1\n{\"a\":\"b\"}\n"), "1770000000\nxxxxx9\n{\"a\":\"x\"}\n");
  CHECK_EQ(mask("\"@path\": /users/7\n\"@method\": POST\n"), "\"@path\": /xxxxx/9\n\"@method\": POST\n");
  CHECK_EQ(mask("msg_1.1770000000.{\"a\":\"b\"}"), "xxx_9.9999999999.{\"a\":\"x\"}");
  CHECK_EQ(mask("13800138000"), "99999999999");  // a telephone number is no time stamp
  CHECK_EQ(mask("\xE5\xBC\xA0\xE4\xB8\x89\r\n"), "??\r\n");
  CHECK_EQ(mask(""), "");
  CHECK_EQ(mask("{\"unfinished"), "{\"xxxxxxxxxx");
  CHECK_EQ(mask_jws("eyJhIjoxfQ.eyJzdWIiOiJaIn0"), "eyJhIjoxfQ.<base64url of: {\"sub\":\"x\"}>");
  CHECK_EQ(mask_jws("eyJhIjoxfQ.plain text"), "eyJhIjoxfQ.xxxxx xxxx");
  CHECK_EQ(abridged("abcdefghij", 4), "ab ... 6 bytes ... ij");
}

TEST_CASE("forms are decoded once") {
  const auto pairs = parse_form("a=1+2&b=%E6%B5%8B%26&&c&d=x=y").value();
  REQUIRE_EQ(pairs.size(), 4);
  CHECK_EQ(pairs[0], Pair{"a", "1 2"});
  CHECK_EQ(pairs[1], Pair{"b", "\xE6\xB5\x8B&"});
  CHECK_EQ(pairs[2], Pair{"c", ""});
  CHECK_EQ(pairs[3], Pair{"d", "x=y"});
  for (const char* const bad : {"a=%", "a=%4", "a=%zz", "%4=a"}) CHECK_FALSE(parse_form(bad).has_value());
}

TEST_CASE("serial numbers are numbers") {
  CHECK_EQ(to_decimal(*base::parse_hex("0a1b2c3d")), "169552957");
  CHECK_EQ(to_decimal(*base::parse_hex("ffffffffffffffffffffffffffffffffffffffff")),
           "1461501637330902918203684832716283019655932542975");
  CHECK_EQ(to_decimal({}), "0");
}

TEST_CASE("every scheme has a name, and names that nobody knows have none") {
  for (const char* const name : {"rsa-pss-sha512", "RS256", "PS384", "ES256K", "EdDSA", "HS512", "sm2-sm3-raw"}) {
    CAPTURE(name);
    REQUIRE(scheme_of_name(name).has_value());
    CHECK_FALSE(describe(*scheme_of_name(name)).empty());
  }
  CHECK_FALSE(scheme_of_name("none").has_value());
  CHECK_FALSE(scheme_of_name("").has_value());
}

}  // namespace trial
