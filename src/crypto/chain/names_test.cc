// Names: DNS, addresses, mailboxes, distinguished names, subtrees, times and identifiers.
#include "crypto/chain/address.h"
#include "crypto/chain/general_name.h"
#include "crypto/chain/maker_for_tests.h"
#include "crypto/chain/name.h"
#include "crypto/chain/pem.h"
#include "crypto/chain/reason.h"

#include <cstdlib>
#include <fstream>
#include <set>
#include <sstream>

#include "base/text.h"

#include <doctest/doctest.h>

namespace {

using namespace crypto::chain;
using namespace crypto::chain::making;

std::string rewritten(std::string_view text) {
  const auto address = parse_address(text);
  return address ? address_text(address->view()) : "refused";
}

// docs/chain-codes.md is this text and nothing else.
std::string reference() {
  std::string out =
      "# Codes of certificate paths\n\n"
      "Everything that `holdfast verify-chain` can say. Codes keep their meaning for ever. An `error` refuses, a `warning` or an `info` does not;\n"
      "what is wrong with a list or a response is a warning, because `revocation_is_unknown` follows from it where that matters.\n"
      "Made from `src/crypto/chain/reason.def`: run `HOLDFAST_UPDATE=1 build/release/crypto_tests -dt-tc='*reference of chain codes*'` after a change.\n\n"
      "| code | severity | what to do | 处理办法 |\n|---|---|---|---|\n"
      "| `path_is_valid` | accepted | Nothing. | 无需处理。 |\n";
  for (const ReasonRow& row : all_reasons()) {
    out += "| `" + std::string(row.code) + "` | " + std::string(name_of(row.weight)) + " | " + std::string(row.remedy_en) + " | " + std::string(row.remedy_zh) + " |\n";
  }
  return out;
}

GeneralName general(Form form, std::string_view text) { return {form, base::as_bytes(text)}; }

}  // namespace

TEST_CASE("addresses are read as RFC 3986 and 4291 have them and written as RFC 5952 does") {
  CHECK_EQ(rewritten("192.0.2.7"), "192.0.2.7");
  CHECK_EQ(rewritten("2001:DB8::8A2E:370:7334"), "2001:db8::8a2e:370:7334");
  CHECK_EQ(rewritten("2001:db8:0:0:1:0:0:1"), "2001:db8::1:0:0:1");
  CHECK_EQ(rewritten("2001:db8:0:1:1:1:1:1"), "2001:db8:0:1:1:1:1:1");
  CHECK_EQ(rewritten("::"), "::");
  CHECK_EQ(rewritten("1::"), "1::");
  CHECK_EQ(rewritten("::ffff:10.0.0.1"), "::ffff:10.0.0.1");
  CHECK_EQ(rewritten("64:ff9b::192.0.2.33"), "64:ff9b::c000:221");
  for (const char* bad : {"", "1.2.3", "1.2.3.4.5", "01.2.3.4", "256.1.1.1", "1.2.3.4 ", "0x7f.1.1.1", ":", ":::", "1::2::3", "1:2:3:4:5:6:7:8:9",
                          "12345::", "1:2:3:4:5:6:7", "::1%eth0", "[::1]", "1:2:3:4:5:6:7:", "::1.2.3", "1.2.3.4::", "1:2:3:4:5:6:7:1.2.3.4"}) {
    CAPTURE(bad);
    CHECK_FALSE(parse_address(bad).has_value());
  }
}

TEST_CASE("hosts match label by label, a wildcard stands for one whole label") {
  CHECK(host_matches("Example.com", "eXample.COM"));
  CHECK(host_matches("*.example.com", "foo.example.com"));
  for (const auto& [presented, host] : std::initializer_list<std::pair<const char*, const char*>>{
           {"*.example.com", "example.com"}, {"*.example.com", "a.b.example.com"}, {"*.com", "example.com"}, {"*", "example"},
           {"ba*.example.com", "baz.example.com"}, {"*.example.com", ".example.com"}, {"example.com", "example.com.evil"}}) {
    CAPTURE(presented);
    CHECK_FALSE(host_matches(presented, host));
  }
  CHECK(is_host_name("*.a-b.example", true, false));
  for (const char* bad : {"", ".", "a..b", "-a.example", "a-.example", "a_b.example", "a b", "*.*.example", "a.*"}) {
    CAPTURE(bad);
    CHECK_FALSE(is_host_name(bad, true, false));
  }
  CHECK(is_host_name("a_b.example", false, true));
  CHECK_FALSE(is_host_name(std::string(64, 'a') + ".example", false, false));
}

TEST_CASE("mail constraints are literal, hosts and domains are told apart") {
  const auto inside = [](Form form, std::string_view name, std::string_view tree) {
    return within(general(form, name), general(form, tree), false) == Subtree::inside;
  };
  CHECK(inside(Form::email, "foo@example.com", "foo@example.com"));
  CHECK(inside(Form::email, "foo@example.com", "EXAMPLE.com"));
  CHECK(inside(Form::email, "**@example.com", "**@example.com"));
  CHECK_FALSE(inside(Form::email, "user@example.com", "*@example.com"));
  CHECK_FALSE(inside(Form::email, "foo@sub.example.com", "example.com"));
  CHECK(inside(Form::email, "foo@sub.example.com", ".example.com"));
  CHECK_FALSE(inside(Form::email, "foo@example.com", ".example.com"));
  CHECK(inside(Form::uri, "https://a.example.com:8443/x", ".example.com"));
  CHECK_EQ(within(general(Form::uri, "urn:x"), general(Form::uri, "example.com"), false), Subtree::cannot_compare);
  CHECK(inside(Form::dns, "a.example.com", "example.com"));
  CHECK_FALSE(inside(Form::dns, "notexample.com", "example.com"));
  CHECK(inside(Form::dns, "anything.example", ""));
}

TEST_CASE("names are equal without regard to case, blanks and the kind of string") {
  const auto with = [](std::uint8_t kind, const Bytes& text) {
    return sequence({tlv(tag::set, {sequence({id(oid::organization), tlv(kind, {text})})})});
  };
  const auto canonical = [](const Bytes& der) { return canonical_name(der).value_or("unreadable"); };
  CHECK_EQ(canonical(with(tag::printable_string, raw("Shop  Ltd"))), canonical(with(tag::utf8_string, raw(" shop ltd"))));
  CHECK_EQ(canonical(with(tag::bmp_string, {0, 's', 0, 'h', 0, 'o', 0, 'p'})), canonical(with(tag::utf8_string, raw("SHOP"))));
  CHECK_NE(canonical(with(tag::utf8_string, raw("shop"))), canonical(with(tag::utf8_string, raw("shops"))));
  CHECK_FALSE(canonical_name(raw("no")).has_value());
  CHECK_EQ(*canonical_name(sequence({})), "");
  CHECK_EQ(name_text(name("a\nb")), "CN=a?b");
  // Subtrees end at the edge of an RDN.
  const Bytes two = sequence({tlv(tag::set, {sequence({id(oid::organization), tlv(tag::utf8_string, {raw("shop")})})}),
                              tlv(tag::set, {sequence({id(oid::common_name), tlv(tag::utf8_string, {raw("pay")})})})});
  CHECK(in_subtree(canonical(two), canonical(with(tag::utf8_string, raw("shop")))));
  CHECK_FALSE(in_subtree(canonical(two), canonical(with(tag::utf8_string, raw("sho")))));
}

TEST_CASE("times, numbers, identifiers and lengths are read strictly") {
  const auto time = [](std::uint8_t kind, std::string_view text) {
    const Bytes der = tlv(kind, {raw(text)});
    return time_of(*only(der, kind));
  };
  CHECK_EQ(time(tag::utc_time, "700101000001Z"), 1);
  CHECK_EQ(time(tag::utc_time, "491231235959Z"), 2'524'607'999);
  CHECK_EQ(time(tag::utc_time, "500101000000Z"), -631'152'000);
  CHECK_EQ(time(tag::generalized_time, "20240229000000Z"), 1'709'164'800);
  for (const char* bad : {"20230229000000Z", "20241301000000Z", "20240101240000Z", "20240101000060Z", "20240101000000", "20240101000000.5Z", "20240101000000+0000"}) {
    CAPTURE(bad);
    CHECK_FALSE(time(tag::generalized_time, bad).has_value());
  }
  CHECK_EQ(to_dotted(oid::sha256_rsa.view()), "1.2.840.113549.1.1.11");
  CHECK_EQ(to_dotted(Bytes{0x80, 1}), "malformed");
  for (const Bytes& bad : {Bytes{}, Bytes{0x30}, Bytes{0x30, 0x80, 0, 0}, Bytes{0x30, 0x81, 1, 0}, Bytes{0x30, 5, 1}, Bytes{0x3F, 0x81, 1, 0}, Bytes{0x30, 0x82, 0, 0x80}}) {
    CHECK_FALSE(only(bad, tag::sequence).has_value());
  }
}

TEST_CASE("PEM is strict and says what is wrong") {
  const auto blocks = pem_blocks("noise\n-----BEGIN X-----\nAQID\r\n-----END X-----\n-----BEGIN Y-----\nBA==\n-----END Y-----");
  REQUIRE(blocks.ok());
  REQUIRE_EQ(blocks->size(), 2);
  CHECK_EQ((*blocks)[0].label, "X");
  CHECK_EQ((*blocks)[1].der, Bytes{4});
  for (const char* bad : {"-----BEGIN X", "-----BEGIN X-----\nAQID", "-----BEGIN X-----\nAQID\n-----END Y-----", "-----BEGIN X-----\nA?ID\n-----END X-----", "-----BEGIN X-----\n-----END X-----"}) {
    CAPTURE(bad);
    REQUIRE_FALSE(pem_blocks(bad).ok());
    CHECK_EQ(std::string(pem_blocks(bad).error().code), "pem_is_malformed");
  }
}

TEST_CASE("every reason has one code and both remedies") {
  std::set<std::string_view> codes;
  for (const ReasonRow& row : all_reasons()) {
    CAPTURE(row.code);
    CHECK(codes.insert(row.code).second);
    CHECK_GT(row.remedy_en.size(), 20);
    CHECK(base::is_utf8(row.remedy_zh));
    CHECK_NE(row.remedy_zh.find("\xE3\x80\x82"), std::string_view::npos);
    CHECK_EQ(row_of(row.reason).code, row.code);
  }
}

TEST_CASE("the published reference of chain codes is in step with the table") {
  const std::string path = std::string(HOLDFAST_SOURCE_DIR) + "/docs/chain-codes.md";
  if (std::getenv("HOLDFAST_UPDATE") != nullptr) std::ofstream(path) << reference();
  std::ifstream in(path);
  std::stringstream text;
  text << in.rdbuf();
  CHECK_EQ(text.str(), reference());
}

TEST_CASE("signature algorithms take the keys and parameters of their RFC and no others") {
  SignatureChecker checker;
  const Key rsa = Key::rsa(), ec = Key::ec("P-384");
  const Bytes message = raw("message");
  const auto answer = [&](const Key& key, const Bytes& algorithm, const Bytes& signature) {
    const auto spki = only(key.spki, tag::sequence);
    REQUIRE(spki);
    const auto read = public_key_of(*spki);
    REQUIRE(read);
    return checker.check(*read, algorithm, message, signature);
  };
  CHECK_EQ(answer(rsa, rsa_sha256(), rsa.sign(message)), Answer::good);
  CHECK_EQ(answer(ec, ecdsa_sha256(), ec.sign(message)), Answer::good);
  CHECK_EQ(answer(ec, rsa_sha256(), ec.sign(message)), Answer::wrong);
  CHECK_EQ(answer(rsa, ecdsa_sha256(), rsa.sign(message)), Answer::wrong);
  CHECK_EQ(answer(rsa, sequence({id(oid::sha256_rsa)}), rsa.sign(message)), Answer::good);  // absent for NULL, as many write it
  CHECK_EQ(answer(ec, sequence({id(oid::sha256_ecdsa), Bytes{tag::null, 0}}), ec.sign(message)), Answer::not_supported);
  CHECK_EQ(answer(ec, sequence({id(oid::common_name)}), ec.sign(message)), Answer::not_supported);
  Bytes spoilt = rsa.sign(message);
  spoilt[9] ^= 1;
  CHECK_EQ(answer(rsa, rsa_sha256(), spoilt), Answer::wrong);
  CHECK_EQ(answer(rsa, rsa_sha256(), {}), Answer::wrong);
  // PSS with SHA-256 and a salt of 32 bytes.
  EVP_MD_CTX* const context = EVP_MD_CTX_new();
  EVP_PKEY_CTX* settings = nullptr;
  Bytes signature(256);
  std::size_t size = signature.size();
  REQUIRE(EVP_DigestSignInit(context, &settings, EVP_sha256(), nullptr, rsa.pair.get()) == 1);
  REQUIRE(EVP_PKEY_CTX_set_rsa_padding(settings, RSA_PKCS1_PSS_PADDING) > 0);
  REQUIRE(EVP_PKEY_CTX_set_rsa_pss_saltlen(settings, 32) > 0);
  REQUIRE(EVP_DigestSign(context, signature.data(), &size, message.data(), message.size()) == 1);
  EVP_MD_CTX_free(context);
  const auto pss = [](std::uint8_t salt, const Oid& mask) {
    const Bytes hash = sequence({id(oid::sha256)});
    return sequence({id(oid::rsa_pss), sequence({tlv(tag::constructed(0), {hash}), tlv(tag::constructed(1), {sequence({id(oid::mgf1), sequence({id(mask)})})}),
                                                 tlv(tag::constructed(2), {small(salt)})})});
  };
  CHECK_EQ(answer(rsa, pss(32, oid::sha256), signature), Answer::good);
  CHECK_EQ(answer(rsa, pss(20, oid::sha256), signature), Answer::wrong);
  CHECK_EQ(answer(rsa, pss(32, oid::sha384), signature), Answer::not_supported);
}
