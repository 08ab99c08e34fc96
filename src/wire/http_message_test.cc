#include "wire/http_message.h"

#include <doctest/doctest.h>

#include "wire/http_machine.h"
#include "wire/request_target.h"

using namespace wire;

namespace {

/// Segments joined with '|', or the code of the refusal.
std::string split(std::string_view path) {
  const auto segments = split_path(path);
  if (!segments.ok()) return segments.error().code;
  std::string joined;
  for (const std::string& segment : *segments) joined += "|" + segment;
  return joined;
}

std::string query(std::string_view text) {
  const auto parameters = parse_query(text);
  if (!parameters.ok()) return parameters.error().code;
  std::string joined;
  for (const auto& [name, value] : parameters->all()) joined += name + "=" + value + ";";
  return joined;
}

}  // namespace

TEST_CASE("headers are found by lower-case name, once") {
  Headers headers;
  headers.reserve(4, 100);
  headers.add("Content-Type", "application/json");
  headers.add("X-Twice", "1");
  headers.add("x-twice", "2");
  headers.add("x-empty", "");
  CHECK(headers.size() == 4);
  CHECK(headers.find("content-type") == "application/json");
  CHECK_FALSE(headers.find("x-twice"));
  CHECK(headers.count("x-twice") == 2);
  CHECK(headers.find("x-empty") == "");
  CHECK_FALSE(headers.find("content"));
  CHECK(headers.at(2).name == "x-twice");
  CHECK(headers.at(2).value == "2");
  headers.clear();
  CHECK(headers.size() == 0);
}

TEST_CASE("paths are split first and decoded once") {
  CHECK(split("/") == "");
  CHECK(split("/v1/accounts/users%2F7f3a") == "|v1|accounts|users/7f3a");
  CHECK(split("/v1/accounts/users%2f7f3a") == "|v1|accounts|users/7f3a");
  CHECK(split("/a%252Fb") == "|a%2Fb");
  CHECK(split("/v1/transfers:batch") == "|v1|transfers:batch");
  CHECK(split("/a+b%20c") == "|a+b c");
  CHECK(split("/%E2%82%AC") == "|\xE2\x82\xAC");
  for (const std::string_view path :
       {"",    "v1",   "//",   "/a//b", "/a/",  "/.",   "/a/../b", "/a/%2e%2E/b", "/a/%2e", "/%",
        "/%2", "/%zz", "/%G0", "/%00",  "/%0a", "/%7F", "/%C0%AF", "/%ED%A0%80",  "/%FF",   "/a\tb"}) {
    CAPTURE(path);
    CHECK(split(path) == "url_path_malformed");
  }
}

TEST_CASE("segments are encoded so that they decode to themselves") {
  CHECK(encode_segment("users/7f3a b~_-.") == "users%2F7f3a%20b~_-.");
  CHECK(split("/" + encode_segment("a/b%2F\xE2\x82\xAC")) == "|a/b%2F\xE2\x82\xAC");
}

TEST_CASE("queries") {
  CHECK(query("") == "");
  CHECK(query("key=7f3a&state=sent&empty=&flag") == "key=7f3a;state=sent;empty=;flag=;");
  CHECK(query("q=a%26b%3Dc+d%2B") == "q=a&b=c d+;");
  CHECK(query("a=b=c") == "a=b=c;");
  CHECK(query("a=1&a=2") == "url_query_parameter_duplicate");
  CHECK(query("a=1&%61=2") == "url_query_parameter_duplicate");
  for (const std::string_view text :
       {"=1", "&", "a=1&", "a=1&&b=2", "a=%", "a=%4", "a=%0d", "a=%00", "a=%ff", "%zz=1"}) {
    CAPTURE(text);
    CHECK(query(text) == "url_query_malformed");
  }
  std::string many;
  for (int i = 0; i < 64; ++i) many += (i == 0 ? "p" : "&p") + std::to_string(i);
  CHECK(query(many).ends_with("p63=;"));
  CHECK(query(many + "&one_more") == "url_query_malformed");
  CHECK(parse_query("key=7")->find("key") == "7");
  CHECK_FALSE(parse_query("key=7")->find("other"));
}

TEST_CASE("tokens, values, authorities, targets") {
  CHECK(is_token("x-y_z!"));
  CHECK_FALSE(is_token(""));
  CHECK_FALSE(is_token("a b"));
  CHECK_FALSE(is_token("a:"));
  CHECK(is_field_value(""));
  CHECK(is_field_value("a b\tc"));
  CHECK_FALSE(is_field_value(" a"));
  CHECK_FALSE(is_field_value("a\x01"));
  CHECK_FALSE(is_field_value("\xE9"));
  CHECK(is_authority("localhost:8443"));
  CHECK(is_authority("[::1]:8443"));
  CHECK_FALSE(is_authority(""));
  CHECK_FALSE(is_authority("user@host"));
  CHECK_FALSE(is_authority("a,b"));
  CHECK_FALSE(is_authority("a/b"));
  const auto form = parse_origin_form("/v1/transfers?key=1?2");
  REQUIRE(form);
  CHECK(form->path == "/v1/transfers");
  CHECK(form->query == "key=1?2");
  CHECK_FALSE(parse_origin_form("v1"));
  CHECK_FALSE(parse_origin_form("/a#b"));
  CHECK_FALSE(parse_origin_form("/a\\b"));
  CHECK_FALSE(parse_origin_form("/a|b"));
}

TEST_CASE("dates") {
  CHECK(to_imf_fixdate({784111777'000'000'000}) == "Sun, 06 Nov 1994 08:49:37 GMT");
  CHECK(to_imf_fixdate({0}) == "Thu, 01 Jan 1970 00:00:00 GMT");
  CHECK(to_imf_fixdate({1709164799'999'999'999}) == "Wed, 28 Feb 2024 23:59:59 GMT");
}

TEST_CASE("every refusal has a name, and those with a status a reply") {
  for (unsigned i = 0; i <= static_cast<unsigned>(Refusal::truncated); ++i) {
    const auto refusal = static_cast<Refusal>(i);
    const RefusalText& text = to_text(refusal);
    CHECK((refusal == Refusal::none) == (std::string_view(text.code).empty()));
    if (text.status == 0) continue;
    const Response response = refusal_response(refusal);
    CHECK(response.status == text.status);
    CHECK(reason_phrase(text.status) != "Unknown");
    CHECK(response.headers.find("content-type") == "application/problem+json");
    CHECK(response.body.find(text.code) != std::string::npos);
  }
  CHECK(reason_phrase(299) == "Unknown");
}
