// Alipay, WeChat Pay and UnionPay: messages signed the way each does it, then damaged the ways their forums are full of.

#include "crypto/chain/maker_for_tests.h"
#include "trial/gbk.h"
#include "trial/signing_for_tests.h"
#include "trial/text_variants.h"

#include <doctest/doctest.h>

namespace trial {
namespace {

using namespace signing;
namespace making = crypto::chain::making;

const KeyPair& platform() {
  static const KeyPair pair = KeyPair::rsa();
  return pair;
}
const Scheme rsa2 = *scheme_of_name("rsa-pkcs1-sha256");

// A certificate of the platform's key with the serial number 0x0A1B2C3D (169552957).
std::string certificate_pem() {
  static const making::Key authority = making::Key::rsa();
  making::Spec spec = making::leaf_spec(making::Key::ec(), making::root_spec(authority, "Platform CA"));
  spec.key = making::Key(EVP_PKEY_dup(platform().get()));
  spec.serial = {0x0A, 0x1B, 0x2C, 0x3D};
  spec.algorithm = making::rsa_sha256();
  return std::string(intake::to_pem("CERTIFICATE", spec.der()));
}

// --- Alipay --------------------------------------------------------------------------------------------------------------------

std::vector<Pair> notification() {
  return {{"total_amount", "88.88"},
          {"notify_time", "2026-02-02 10:00:00"},
          {"subject", "\xE6\xB5\x8B\xE8\xAF\x95 a&b"},
          {"body", ""},
          {"charset", "utf-8"},
          {"trade_status", "TRADE_SUCCESS"},
          {"sign_type", "RSA2"},
          {"app_id", "2021000000000000"}};
}
Case alipay(const std::string& signed_text, std::vector<Pair> parameters, const Scheme& scheme = rsa2) {
  Case one;
  one.convention = Convention::alipay;
  one.keys.push_back(material(platform().pem()));
  one.message.parameters = std::move(parameters);
  one.message.parameters.emplace_back("sign", base::to_base64(platform().sign(scheme, signed_text)));
  return one;
}
const ParameterRule alipay_rule{.left_out = {"sign", "sign_type"}};

}  // namespace

TEST_CASE("Alipay notifications: as agreed, and signed in other ways") {
  const auto parameters = notification();
  const std::string agreed = join_parameters(parameters, alipay_rule);
  CHECK_EQ(agreed,
           "app_id=2021000000000000&charset=utf-8&notify_time=2026-02-02 10:00:00&subject=\xE6\xB5\x8B\xE8\xAF\x95 "
           "a&b&total_amount=88.88&trade_status=TRADE_SUCCESS");
  const Answer good = try_it(alipay(agreed, parameters));
  CHECK_EQ(code(good), "verified");
  CHECK_NE(good.base_shown.find("subject=?? x&x&total_amount=99.99"), std::string::npos);
  const auto changed = [&](auto change) {
    ParameterRule rule = alipay_rule;
    change(rule);
    return code(try_it(alipay(join_parameters(parameters, rule), parameters)));
  };
  CHECK_EQ(changed([](ParameterRule& rule) { rule.sorted = false; }), "signature_parameters_are_unsorted");
  CHECK_EQ(changed([](ParameterRule& rule) { rule.without_empty = false; }), "signature_empty_values_differ");
  CHECK_EQ(changed([](ParameterRule& rule) { rule.percent_encoded = true; }), "signature_values_are_percent_encoded");
  CHECK_EQ(changed([](ParameterRule& rule) { rule.left_out = {"sign"}; }), "signature_parameter_set_differs");
  CHECK_EQ(changed([](ParameterRule& rule) { rule.left_out.push_back("charset"); }), "signature_parameter_set_differs");
  CHECK_EQ(code(try_it(alipay(*utf8_to_gbk(agreed), parameters))), "signature_charset_differs");
  CHECK_EQ(code(try_it(alipay(agreed, parameters, *scheme_of_name("rsa-pkcs1-sha1")))), "signature_hash_differs");
  auto gbk = parameters;
  gbk[4].second = "GBK";
  const std::string in_gbk = join_parameters(gbk, alipay_rule);
  CHECK_EQ(code(try_it(alipay(*utf8_to_gbk(in_gbk), gbk))), "verified");
  CHECK_EQ(code(try_it(alipay(in_gbk, gbk))), "signature_charset_differs");
}

TEST_CASE("Alipay: the application's own key in place of Alipay's") {
  const KeyPair application = KeyPair::rsa();
  const auto parameters = notification();
  Case one = alipay(join_parameters(parameters, alipay_rule), parameters);
  one.keys.clear();
  one.keys.push_back(material(application.pem()));
  CHECK_EQ(code(try_it(one)), "signature_key_is_another");
  one.own_keys.push_back(material(application.pem()));
  CHECK_EQ(code(try_it(one)), "own_key_given_in_place_of_partners");
}

TEST_CASE("Alipay replies: the node is signed as it stands") {
  const std::string node = R"({"code":"10000","msg":"Success","url":"https:\/\/a.example\/x"})";
  const auto reply = [&](const std::string& signed_text) {
    Case one;
    one.convention = Convention::alipay;
    one.keys.push_back(material(platform().pem()));
    one.message.body = "{\"alipay_trade_query_response\":" + node + R"(,"alipay_cert_sn":"aa","sign":")" +
                       base::to_base64(platform().sign(rsa2, signed_text)) + "\"}";
    return code(try_it(one));
  };
  CHECK_EQ(reply(node), "verified");
  CHECK_EQ(reply(R"({"code":"10000","msg":"Success","url":"https://a.example/x"})"), "signature_json_was_rewritten");
  Case one;
  one.convention = Convention::alipay;
  one.keys.push_back(material(platform().pem()));
  for (const char* const body :
       {"", "{}", R"({"a_response":{})", R"({"sign":"AAAA"})", "\"_response\"", "\"_response\":{"}) {
    CAPTURE(body);
    one.message.body = body;
    CHECK_EQ(code(try_it(one)), "signature_part_is_missing");
  }
}

TEST_CASE("Alipay version 3: headers and body, each with a line feed") {
  const std::string body = R"({"trade_no":"1"})";
  Case one;
  one.convention = Convention::alipay;
  one.keys.push_back(material(platform().pem()));
  one.message.body = body;
  const auto signed_as = [&](const std::string& text) {
    one.message.headers = {{"alipay-timestamp", "1770000000000"},
                           {"alipay-nonce", "n1"},
                           {"alipay-signature", base::to_base64(platform().sign(rsa2, text))}};
    return code(try_it(one));
  };
  CHECK_EQ(signed_as("1770000000000\nn1\n" + body + "\n"), "verified");
  CHECK_EQ(signed_as("1770000000000\nn1\n" + body), "signature_line_ends_differ");
  CHECK_EQ(signed_as(body), "protocol_version_differs");
}

TEST_CASE("Alipay: serial numbers of certificates") {
  // MD5 over issuer and decimal serial number: `CN=Platform CA169552957`.
  const std::string serial =
      base::to_hex(crypto::digest(crypto::chain::Hash::md5, base::as_bytes("CN=Platform CA169552957")));
  auto parameters = notification();
  parameters.emplace_back("alipay_cert_sn", serial);
  const auto with_certificate = [&] {
    Case one = alipay(join_parameters(parameters, alipay_rule), parameters);
    one.keys.clear();
    one.keys.push_back(material(certificate_pem()));
    return one;
  };
  CHECK_EQ(code(try_it(with_certificate())), "verified");
  parameters.back().second = std::string(32, '0');
  CHECK_EQ(code(try_it(with_certificate())), "signature_serial_is_unknown");
  // Roots: RSA ones count, in their order; others do not.
  const making::Key first = making::Key::rsa(), second = making::Key::ec();
  making::Spec rsa_root = making::root_spec(first, "R1"), ec_root = making::root_spec(second, "R2");
  rsa_root.algorithm = making::rsa_sha256();
  rsa_root.serial = {0x11};
  const std::string root_serial = base::to_hex(crypto::digest(crypto::chain::Hash::md5, base::as_bytes("CN=R117")));
  parameters.back() = {"alipay_root_cert_sn", root_serial};
  Case one = with_certificate();
  one.roots.push_back(material(std::string(intake::to_pem("CERTIFICATE", rsa_root.der())) +
                               std::string(intake::to_pem("CERTIFICATE", ec_root.der()))));
  CHECK_EQ(code(try_it(one)), "verified");
  parameters.back().second = "other";
  Case other = with_certificate();
  other.roots.push_back(one.roots[0]);
  CHECK_EQ(code(try_it(other)), "signature_serial_is_unknown");
}

TEST_CASE("WeChat Pay: time stamp, nonce, body; serial numbers in every form") {
  const std::string body = R"({"id":"EV-1", "resource":{"ciphertext":"x"}})";
  const auto callback = [&](const std::string& text, std::string serial) {
    Case one;
    one.convention = Convention::wechat_pay;
    one.keys.push_back(material(certificate_pem()));
    one.message.headers = {{"wechatpay-timestamp", "1770000000"},
                           {"wechatpay-nonce", "n1"},
                           {"wechatpay-serial", std::move(serial)},
                           {"wechatpay-signature", base::to_base64(platform().sign(rsa2, text))}};
    one.message.body = body;
    one.received_at = base::Instant{1'770'000'001'000'000'000};
    return one;
  };
  const std::string agreed = "1770000000\nn1\n" + body + "\n";
  CHECK_EQ(code(try_it(callback(agreed, "A1B2C3D"))), "verified");
  CHECK_EQ(code(try_it(callback(agreed, "0a1b2c3d"))), "signature_serial_form_differs");
  CHECK_EQ(code(try_it(callback(agreed, "169552957"))), "signature_serial_form_differs");
  CHECK_EQ(code(try_it(callback(agreed, "0"))), "signature_serial_is_unknown");
  CHECK_EQ(code(try_it(callback(agreed, "5157F09EFDC096DE15EBE81A47057A72"))), "signature_serial_is_unknown");
  CHECK_EQ(code(try_it(callback("1770000000\nn1\n" + body, "A1B2C3D"))), "signature_line_ends_differ");
  CHECK_EQ(code(try_it(callback("1770000000\r\nn1\r\n" + body + "\r\n", "A1B2C3D"))), "signature_line_ends_differ");
  CHECK_EQ(code(try_it(callback("1770000000\nn1\n" + without_json_blanks(body) + "\n", "A1B2C3D"))),
           "signature_json_was_rewritten");
  CHECK_EQ(code(try_it(callback("POST\n/\n" + agreed, "A1B2C3D"))), "signature_parameter_set_differs");
  CHECK_EQ(code(try_it(callback(body, "A1B2C3D"))), "protocol_version_differs");

  // The platform's public key goes by an id of its own.
  Case by_id = callback(agreed, "PUB_KEY_ID_0114232134912410000000000000");
  by_id.keys.clear();
  by_id.keys.push_back(material(platform().pem(), "PUB_KEY_ID_0114232134912410000000000000"));
  CHECK_EQ(code(try_it(by_id)), "verified");
  by_id.message.headers[2].second = "5157F09EFDC096DE15EBE81A47057A72";
  CHECK_EQ(code(try_it(by_id)), "signature_serial_is_unknown");

  Case late = callback(agreed, "A1B2C3D");
  late.received_at = base::Instant{1'770'000'900'000'000'000};
  CHECK_EQ(code(try_it(late)), "signature_time_is_outside_window");
  Case milliseconds = callback("1770000000000\nn1\n" + body + "\n", "A1B2C3D");
  milliseconds.message.headers[0].second = "1770000000000";
  CHECK_EQ(code(try_it(milliseconds)), "signature_time_is_in_milliseconds");
  Case words = callback("now\nn1\n" + body + "\n", "A1B2C3D");
  words.message.headers[0].second = "now";
  CHECK_EQ(code(try_it(words)), "signature_part_is_missing");
  Case probe = callback(agreed, "A1B2C3D");
  probe.message.headers[3].second = "WECHATPAY/SIGNTEST/" + probe.message.headers[3].second;
  CHECK_EQ(code(try_it(probe)), "signature_text_is_malformed");
  probe.message.headers.pop_back();
  CHECK_EQ(code(try_it(probe)), "signature_part_is_missing");
}

TEST_CASE("WeChat Pay with SM2") {
  const KeyPair pair = KeyPair::sm2();
  Case one;
  one.convention = Convention::wechat_pay;
  one.keys.push_back(material(pair.pem(), "PUB_KEY_ID_1"));
  one.message.body = "{}";
  one.message.headers = {
      {"wechatpay-timestamp", "1770000000"},
      {"wechatpay-nonce", "n1"},
      {"wechatpay-serial", "PUB_KEY_ID_1"},
      {"wechatpay-signature", base::to_base64(pair.sign(*scheme_of_name("sm2-sm3"), "1770000000\nn1\n{}\n"))},
      {"wechatpay-signature-type", "WECHATPAY2-SM2-WITH-SM3"}};
  CHECK_EQ(code(try_it(one)), "verified");
}

TEST_CASE("UnionPay: the hexadecimal digest, both versions, decimal certId") {
  const auto parameters_of = [](const char* version) {
    return std::vector<Pair>{
        {"txnTime", "20260202100000"}, {"version", version}, {"encoding", "UTF-8"}, {"certId", "169552957"},
        {"signMethod", "01"},          {"orderId", "42"},    {"reserved", ""}};
  };
  const ParameterRule rule{.left_out = {"signature"}, .without_empty = false};
  const auto signed_as = [&](std::vector<Pair> parameters, const std::string& text, const Scheme& scheme) {
    Case one;
    one.convention = Convention::unionpay;
    one.keys.push_back(material(certificate_pem()));
    one.message.parameters = std::move(parameters);
    one.message.parameters.emplace_back("signature", base::to_base64(platform().sign(scheme, text)));
    return one;
  };
  Scheme newer = rsa2, older = *scheme_of_name("rsa-pkcs1-sha1");
  newer.prehash = older.prehash = Prehash::hex_digest;
  older.prehash_hash = crypto::chain::Hash::sha1;
  const auto v51 = parameters_of("5.1.0"), v50 = parameters_of("5.0.0");
  const std::string text = join_parameters(v51, rule);
  CHECK_EQ(code(try_it(signed_as(v51, text, newer))), "verified");
  CHECK_EQ(code(try_it(signed_as(v50, join_parameters(v50, rule), older))), "verified");
  CHECK_EQ(code(try_it(signed_as(v51, text, older))), "protocol_version_differs");
  CHECK_EQ(code(try_it(signed_as(v51, text, rsa2))), "signature_is_over_hex_digest");
  Scheme upper = newer;
  upper.prehash = Prehash::upper_hex_digest;
  CHECK_EQ(code(try_it(signed_as(v51, text, upper))), "signature_is_over_hex_digest");
  ParameterRule without_empty = rule;
  without_empty.without_empty = true;
  CHECK_EQ(code(try_it(signed_as(v51, join_parameters(v51, without_empty), newer))), "signature_empty_values_differ");
  auto hexadecimal = v51;
  hexadecimal[3].second = "0A1B2C3D";
  CHECK_EQ(code(try_it(signed_as(hexadecimal, join_parameters(hexadecimal, rule), newer))),
           "signature_serial_form_differs");
  auto unknown = v51;
  unknown[3].second = "68759585097";
  CHECK_EQ(code(try_it(signed_as(unknown, join_parameters(unknown, rule), newer))), "signature_serial_is_unknown");
  auto carried = v51;
  carried.emplace_back("signPubKeyCert", certificate_pem());
  CHECK_EQ(code(try_it(signed_as(carried, join_parameters(carried, rule), newer))), "verified");
  carried.back().second = std::string(intake::to_pem("CERTIFICATE", making::root_spec(making::Key::ec()).der()));
  CHECK_EQ(code(try_it(signed_as(carried, join_parameters(carried, rule), newer))), "signature_serial_is_unknown");
  carried.back().second = "none";
  CHECK_EQ(code(try_it(signed_as(carried, join_parameters(carried, rule), newer))), "signature_part_is_missing");
  auto secret = v51;
  secret[4].second = "11";
  CHECK_EQ(code(try_it(signed_as(secret, text, newer))), "algorithm_not_allowed");
}

TEST_CASE("Alipay writes an issuer as Java does: the last part first, without blanks") {
  using namespace making;
  namespace tag = crypto::chain::tag;
  Spec root = root_spec(Key::rsa(), "x");
  const auto attribute = [](std::initializer_list<std::uint8_t> oid, std::string_view value) {
    return tlv(tag::set, {sequence({tlv(tag::oid, {Bytes(oid)}), tlv(tag::utf8_string, {raw(value)})})});
  };
  root.issuer = sequence({attribute({0x55, 4, 6}, "CN"), attribute({0x55, 4, 10}, "Ant Financial"),
                          attribute({0x55, 4, 11}, "Certification Authority"),
                          attribute({0x55, 4, 3}, "Ant Financial Certification Authority R1")});
  root.serial = {0x01, 0x00};
  root.algorithm = rsa_sha256();
  Case one;
  one.roots.push_back(material(std::string(intake::to_pem("CERTIFICATE", root.der()))));
  const std::string text =
      "CN=Ant Financial Certification Authority R1,OU=Certification Authority,O=Ant Financial,C=CN256";
  CHECK_EQ(read_keys(one).alipay_root_serial,
           base::to_hex(crypto::digest(crypto::chain::Hash::md5, base::as_bytes(text))));
}

}  // namespace trial
