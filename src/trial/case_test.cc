// Cases as JSON: what is understood, and what is refused by name.

#include "trial/case.h"

#include <string>

#include <doctest/doctest.h>

namespace trial {
namespace {

std::string refusal(const std::string& json) {
  const auto one = read_case(json);
  return one.ok() ? "understood" : one.error().message;
}

}  // namespace

TEST_CASE("a case with every member") {
  const auto one = read_case(R"({
    "id": "c1", "convention": "wechat-pay",
    "key": [{"key": "PEM", "key_id": "PUB_KEY_ID_1"}, {"kty": "OKP", "crv": "Ed25519", "x": "AA"}, {"key_base64": "AQID"}],
    "own_key": "ours", "root": "root", "secret": "whsec_AA", "received_at": "2026-01-05T00:00:00Z", "window_seconds": 60,
    "seen_nonces": ["n0"], "sdk_version": {"declared": "1", "accepted": ["2"]}, "protocol_version": {"declared": "v3", "accepted": ["v3"]},
    "message": {"method": "PUT", "url": "/a", "status": 200, "headers": {"X-Upper": "v"}, "body_base64": "AAE=", "form": "a=1&a=2",
                "compact": "a.b.c", "signature": "s", "encoding": "hex", "algorithm": "ed25519", "user_id": "u", "label": "l"}})");
  REQUIRE(one.ok());
  CHECK_EQ(one->convention, Convention::wechat_pay);
  CHECK_EQ(name_of(one->convention), "wechat-pay");
  REQUIRE_EQ(one->keys.size(), 3);
  CHECK_EQ(one->keys[0].key_id, "PUB_KEY_ID_1");
  CHECK_EQ(base::as_text(one->keys[1].bytes), R"({"kty": "OKP", "crv": "Ed25519", "x": "AA"})");
  CHECK_EQ(one->keys[2].bytes.size(), 3);
  CHECK_EQ(one->message.header("x-upper").value(), "v");
  CHECK_FALSE(one->message.header("absent").has_value());
  CHECK_EQ(one->message.body->size(), 2);
  CHECK_EQ(one->message.parameters.size(), 2);
  CHECK_EQ(one->message.parameter("a").value(), "1");
  CHECK_EQ(one->window, base::seconds(60));
  CHECK(one->sdk.refused());
  CHECK_FALSE(one->protocol.refused());
}

TEST_CASE("headers may repeat as a list of pairs, and then none of them is the only one") {
  const auto one = read_case(R"({"convention":"detached","key":"k","message":{"headers":[["A","1"],["a","2"]]}})");
  REQUIRE(one.ok());
  CHECK_EQ(one->message.headers.size(), 2);
  CHECK_FALSE(one->message.header("a").has_value());
}

TEST_CASE("what is wrong with a case is named") {
  CHECK_EQ(refusal(R"({"convention":"detached","key":"k","message":{}})"), "understood");
  CHECK_NE(refusal("{").find("not JSON"), std::string::npos);
  CHECK_EQ(refusal("[]"), "a case is a JSON object");
  CHECK_NE(refusal(R"({"convention":"soap","key":"k","message":{}})").find("/convention"), std::string::npos);
  CHECK_EQ(refusal(R"({"convention":"jws","key":"k"})"), "/message is missing");
  CHECK_EQ(refusal(R"({"convention":"jws","message":{}})"), "/key or /secret is missing");
  CHECK_EQ(refusal(R"({"convention":"jws","key":"k","message":{},"kye":1})"), "/kye is no member of a case");
  CHECK_EQ(refusal(R"({"convention":"jws","key":"k","message":{"bdy":1}})"), "/message/bdy is no member of a case");
  CHECK_EQ(refusal(R"({"convention":"jws","key":"k","message":[]})"), "/message has to be an object");
  CHECK_EQ(refusal(R"({"convention":"jws","key":5,"message":{}})"), "/key has to be a key");
  CHECK_EQ(refusal(R"({"convention":"jws","key":{},"message":{}})"), "/key has neither key nor key_base64");
  CHECK_EQ(refusal(R"({"convention":"jws","key":{"key":1},"message":{}})"), "/key/key has to be a string");
  CHECK_EQ(refusal(R"({"convention":"jws","key":[["k"]],"message":{}})"), "/key is a list of lists");
  CHECK_EQ(refusal(R"({"convention":"jws","key":{"key_base64":"="},"message":{}})"),
           "/key/key_base64 has to be padded base64");
  CHECK_EQ(refusal(R"({"convention":"jws","secret":"","message":{}})"), "/secret has to be a string");
  CHECK_EQ(refusal(R"({"convention":"jws","key":"k","message":{"body":1}})"), "/message/body has to be a string");
  CHECK_EQ(refusal(R"({"convention":"jws","key":"k","message":{"status":99}})"),
           "/message/status has to be a status from 100 to 599");
  CHECK_EQ(refusal(R"({"convention":"jws","key":"k","message":{"headers":{"a":1}}})"),
           "/message/headers has to be an object of strings, or a list of pairs");
  CHECK_EQ(refusal(R"({"convention":"jws","key":"k","message":{"headers":"a"}})"),
           "/message/headers has to be an object of strings");
  CHECK_EQ(refusal(R"({"convention":"jws","key":"k","message":{"form":"%"}})"),
           "/message/form has to be application/x-www-form-urlencoded");
  CHECK_EQ(refusal(R"({"convention":"jws","key":"k","message":{"encoding":"rot13"}})"),
           "/message/encoding has to be base64, base64url or hex");
  CHECK_EQ(refusal(R"({"convention":"jws","key":"k","message":{},"received_at":"today"})"),
           "/received_at has to be an instant like 2026-01-05T00:00:00Z");
  CHECK_EQ(refusal(R"({"convention":"jws","key":"k","message":{},"window_seconds":90000})"),
           "/window_seconds has to be a number up to 86400");
  CHECK_EQ(refusal(R"({"convention":"jws","key":"k","message":{},"seen_nonces":[1]})"),
           "/seen_nonces has to be a list of strings");
  CHECK_EQ(refusal(R"({"convention":"jws","key":"k","message":{},"sdk_version":"1"})"),
           "/sdk_version has to be an object");
  std::string keys = R"("k")";
  for (int i = 0; i < 16; ++i) keys += R"(,"k")";
  CHECK_EQ(refusal(R"({"convention":"jws","key":[)" + keys + R"(],"message":{}})"), "/key has more than 16 keys");
  CHECK_EQ(read_case(std::string(case_bytes_max + 1, ' ')).error().code, std::string_view("trial_case_too_large"));
}

TEST_CASE("a captured message comes without a key, and with neither key nor secret") {
  CHECK(read_captured(R"({"convention":"jws","own_key":"k","message":{}})").ok());
  const auto refusal = [](std::string_view json) { return read_captured(json).error().message; };
  CHECK_EQ(refusal(R"({"convention":"jws","key":"k","message":{}})"), "/key has no place here: the key is the one that is imported");
  CHECK_EQ(refusal(R"({"convention":"jws","secret":"s","message":{}})"), "/secret has no place here: the key is the one that is imported");
  CHECK_EQ(refusal(R"({"convention":"jws"})"), "/message is missing");
}

}  // namespace trial
