// Signatures over byte strings: each deviation made for real, and named.

#include <algorithm>

#include "trial/signing_for_tests.h"

#include <doctest/doctest.h>

namespace trial {
namespace {

using namespace signing;
using crypto::chain::Hash;

const std::string text = R"({"order": "2026-0042", "note": "r\/s"})";

/// A message signed by `pair`; the case says `agreed`.
struct Draft {
  KeyPair pair;
  std::string agreed;
  std::string signed_text = text;
  std::string sent_text = text;

  Case with(base::ByteView signature) const {
    Case one;
    one.convention = Convention::detached;
    one.keys.push_back(material(pair.pem()));
    one.message.body = sent_text;
    one.message.algorithm = agreed;
    one.message.signature = base::to_base64(signature);
    return one;
  }
  Case by(const Scheme& scheme) const { return with(pair.sign(scheme, signed_text)); }
  Case as_agreed() const { return by(*scheme_of_name(agreed)); }
};

const KeyPair& rsa() {
  static const KeyPair pair = KeyPair::rsa();
  return pair;
}
const KeyPair& ec() {
  static const KeyPair pair = KeyPair::ec();
  return pair;
}
Scheme scheme(const char* name) { return *scheme_of_name(name); }
template <typename Change>
Scheme scheme(const char* name, Change change) {
  Scheme made = *scheme_of_name(name);
  change(made);
  return made;
}

}  // namespace

TEST_CASE("a signature as agreed verifies under every scheme") {
  for (const char* const name :
       {"rsa-pkcs1-sha1", "rsa-pkcs1-sha256", "rsa-pkcs1-sha512", "rsa-pss-sha256", "rsa-pss-sha512"}) {
    CAPTURE(name);
    CHECK_EQ(code(try_it(Draft{rsa(), name}.as_agreed())), "verified");
  }
  CHECK_EQ(code(try_it(Draft{ec(), "ecdsa-sha256"}.as_agreed())), "verified");
  CHECK_EQ(code(try_it(Draft{ec(), "ecdsa-sha256-der"}.as_agreed())), "verified");
  CHECK_EQ(code(try_it(Draft{KeyPair::ec("P-521"), "ecdsa-sha512"}.as_agreed())), "verified");
  CHECK_EQ(code(try_it(Draft{KeyPair::ed25519(), "ed25519"}.as_agreed())), "verified");
  CHECK_EQ(code(try_it(Draft{KeyPair::sm2(), "sm2-sm3"}.as_agreed())), "verified");
  CHECK_EQ(code(try_it(Draft{KeyPair::sm2(), "sm2-sm3-raw"}.as_agreed())), "verified");
  const Answer answer = try_it(Draft{rsa(), ""}.by(scheme("rsa-pkcs1-sha256")));
  CHECK(answer.verified);
  CHECK_EQ(answer.variants_tried, 1);
  CHECK_EQ(answer.scheme, "RSA PKCS#1 v1.5 with SHA-256");
  CHECK_EQ(answer.deviations.size(), 0);
}

TEST_CASE("DER where r||s is agreed, the reverse, and halves that lost their zeros") {
  CHECK_EQ(code(try_it(Draft{ec(), "ecdsa-sha256"}.by(scheme("ecdsa-sha256-der")))),
           "signature_is_der_where_raw_expected");
  CHECK_EQ(code(try_it(Draft{ec(), "ecdsa-sha256-der"}.by(scheme("ecdsa-sha256")))),
           "signature_is_der_where_raw_expected");
  const Draft draft{ec(), "ecdsa-sha256"};
  // A signature whose r begins with a zero byte comes once in 256.
  Bytes raw;
  do {
    raw = draft.pair.sign(scheme("ecdsa-sha256"), text);
  } while (raw[0] != 0);
  CHECK_EQ(code(try_it(draft.with(raw))), "verified");
  raw.erase(raw.begin());
  const Answer answer = try_it(draft.with(raw));
  CHECK_EQ(code(answer), "signature_halves_are_unpadded");
  CHECK_FALSE(answer.verified);
}

TEST_CASE("another hash, padding, salt, and hashes in place of the text") {
  CHECK_EQ(code(try_it(Draft{rsa(), "rsa-pkcs1-sha256"}.by(scheme("rsa-pkcs1-sha1")))), "signature_hash_differs");
  CHECK_EQ(code(try_it(Draft{ec(), "ecdsa-sha256"}.by(scheme("ecdsa-sha384")))), "signature_hash_differs");
  CHECK_EQ(code(try_it(Draft{rsa(), "rsa-pkcs1-sha256"}.by(scheme("rsa-pss-sha256")))), "signature_padding_differs");
  CHECK_EQ(code(try_it(Draft{rsa(), "rsa-pss-sha256"}.by(scheme("rsa-pkcs1-sha256")))), "signature_padding_differs");
  const Answer salt =
      try_it(Draft{rsa(), "rsa-pss-sha256"}.by(scheme("rsa-pss-sha256", [](Scheme& s) { s.salt_bytes = 222; })));
  CHECK_EQ(code(salt), "signature_pss_salt_differs");
  REQUIRE_EQ(salt.deviations.size(), 1);
  CHECK_EQ(salt.deviations[0], "as RSA-PSS with SHA-256 and a salt of 222 bytes");
  const auto prehash = [](Prehash how) { return [how](Scheme& s) { s.prehash = how; }; };
  CHECK_EQ(code(try_it(Draft{rsa(), "rsa-pkcs1-sha256"}.by(scheme("rsa-pkcs1-sha256", prehash(Prehash::digest))))),
           "signature_is_over_a_hash");
  CHECK_EQ(code(try_it(Draft{ec(), "ecdsa-sha256"}.by(scheme("ecdsa-sha256", prehash(Prehash::digest))))),
           "signature_is_over_a_hash");
  CHECK_EQ(code(try_it(Draft{rsa(), "rsa-pkcs1-sha256"}.by(scheme("rsa-pkcs1-sha256", prehash(Prehash::hex_digest))))),
           "signature_is_over_hex_digest");
  CHECK_EQ(
      code(try_it(Draft{rsa(), "rsa-pkcs1-sha256"}.by(scheme("rsa-pkcs1-sha256", prehash(Prehash::upper_hex_digest))))),
      "signature_is_over_hex_digest");
}

TEST_CASE("Ed25519ph, and a hash under Ed25519") {
  const KeyPair pair = KeyPair::ed25519();
  const Draft draft{pair, "ed25519"};
  CHECK_EQ(code(try_it(draft.by(scheme("ed25519",
                                       [](Scheme& s) {
                                         s.prehash = Prehash::digest;
                                         s.prehash_hash = Hash::sha512;
                                       })))),
           "signature_is_over_a_hash");
  // RFC 8032 section 7.3: Ed25519ph over `abc`.
  Case one;
  one.convention = Convention::detached;
  one.keys.push_back(material(std::string(intake::to_pem(
      "PUBLIC KEY",
      *base::parse_hex("302a300506032b6570032100ec172b93ad5e563bf4932c70e1245034c35467ef2efd4d64ebf819683467e2bf")))));
  one.message.body = "abc";
  one.message.algorithm = "ed25519";
  one.message.encoding = "hex";
  one.message.signature =
      "98a70222f0b8121aa9d30f813d683f809e462b469c7ff87639499bb94e6dae4131f85042463c2a355a2003d062adf5aaa10b8c61e636062a"
      "aad11c2a26083406";
  const Answer answer = try_it(one);
  CHECK_EQ(code(answer), "signature_is_over_a_hash");
  CHECK_EQ(answer.deviations[0], "as Ed25519ph");
}

TEST_CASE("SM2 under another user id, and SM2 told from ECDSA") {
  const KeyPair pair = KeyPair::sm2();
  CHECK_EQ(code(try_it(Draft{pair, "sm2-sm3"}.by(scheme("sm2-sm3", [](Scheme& s) { s.user_id = ""; })))),
           "signature_user_id_differs");
  Case own_id = Draft{pair, "sm2-sm3"}.by(scheme("sm2-sm3", [](Scheme& s) { s.user_id = "shop-7"; }));
  CHECK_EQ(code(try_it(own_id)), "signature_cause_is_unknown");
  own_id.message.user_id = "shop-7";
  CHECK_EQ(code(try_it(own_id)), "verified");
  CHECK_EQ(code(try_it(Draft{pair, "ecdsa-sha256-der"}.by(scheme("sm2-sm3")))), "sm2_and_ecdsa_are_mixed");
}

TEST_CASE("bytes that changed between signing and checking") {
  const struct {
    const char* code;
    std::string as_signed, as_sent;
  } rows[] = {
      {"signature_line_ends_differ", text + "\n", text},
      {"signature_line_ends_differ", text, text + "\n"},
      {"signature_line_ends_differ", "a\nb", "a\r\nb"},
      {"signature_line_ends_differ", "a\r\nb", "a\nb"},
      {"signature_blanks_differ", "a b", " a b  "},
      {"signature_byte_order_mark_differs", text, "\xEF\xBB\xBF" + text},
      {"signature_byte_order_mark_differs", "\xEF\xBB\xBF" + text, text},
      {"signature_json_was_rewritten", R"({"order":"2026-0042","note":"r\/s"})", text},
      {"signature_json_was_rewritten", R"({"order": "2026-0042", "note": "r/s"})", text},
      {"signature_json_was_rewritten", R"({"name":"\u5f20\ud83d\ude00"})",
       "{\"name\":\"\xE5\xBC\xA0\xF0\x9F\x98\x80\"}"},
      {"signature_charset_differs", "name=\xD5\xC5\xC8\xFD", "name=\xE5\xBC\xA0\xE4\xB8\x89"},
      {"signature_charset_differs", "name=\xE5\xBC\xA0\xE4\xB8\x89", "name=\xD5\xC5\xC8\xFD"},
  };
  for (const auto& row : rows) {
    CAPTURE(row.code);
    CAPTURE(row.as_sent);
    const Answer answer = try_it(Draft{ec(), "ecdsa-sha256", row.as_signed, row.as_sent}.as_agreed());
    CHECK_EQ(code(answer), row.code);
    CHECK_FALSE(answer.verified);
    CHECK_FALSE(answer.signature_is_good);
  }
}

TEST_CASE("the signature's text was changed by forms, URLs and other encodings") {
  Draft draft{rsa(), "rsa-pkcs1-sha256"};
  Bytes signature;
  std::string plain;
  do {
    draft.signed_text += ' ';
    signature = draft.pair.sign(scheme("rsa-pkcs1-sha256"), draft.signed_text);
    plain = base::to_base64(signature);
  } while (plain.find('+') == std::string::npos || plain.find('/') == std::string::npos);
  draft.sent_text = draft.signed_text;
  const auto code_of = [&](std::string as_sent) {
    Case one = draft.with(signature);
    one.message.signature = std::move(as_sent);
    return code(try_it(one));
  };
  CHECK_EQ(code_of(plain), "verified");
  std::string blanks = plain;
  std::ranges::replace(blanks, '+', ' ');
  CHECK_EQ(code_of(blanks), "signature_base64_variant_differs");
  CHECK_EQ(code_of(base::to_base64url(signature)), "signature_base64_variant_differs");
  std::string percent;
  for (const char c : plain) percent += c == '+' ? "%2B" : c == '/' ? "%2F" : c == '=' ? "%3D" : std::string(1, c);
  CHECK_EQ(code_of(percent), "signature_base64_variant_differs");
  CHECK_EQ(code_of(plain.substr(0, 76) + "\n" + plain.substr(76)), "signature_base64_variant_differs");
  CHECK_EQ(code_of(base::to_hex(signature)), "signature_encoding_differs");
  CHECK_EQ(code_of(base::to_base64(base::as_bytes(plain))), "signature_encoding_differs");
  CHECK_EQ(code_of(base::to_base64(base::as_bytes(base::to_hex(signature)))), "signature_encoding_differs");
  CHECK_EQ(code_of("!" + plain), "signature_text_is_malformed");
  CHECK_EQ(code_of(base::to_base64(base::ByteView(signature).first(200))), "signature_length_does_not_fit_key");
}

TEST_CASE("our own key, another key, and the right key over other bytes") {
  const KeyPair ours = KeyPair::rsa(), stranger = KeyPair::rsa();
  Draft draft{rsa(), "rsa-pkcs1-sha256"};
  // The message was made with ours, and theirs was asked for.
  Case one = draft.with(ours.sign(scheme("rsa-pkcs1-sha256"), text));
  CHECK_EQ(code(try_it(one)), "signature_key_is_another");
  one.own_keys.push_back(material(ours.pem()));
  CHECK_EQ(code(try_it(one)), "own_key_given_in_place_of_partners");
  // Ours was pasted where theirs belongs.
  Case pasted = draft.as_agreed();
  pasted.keys = {};
  pasted.keys.push_back(material(ours.pem()));
  pasted.own_keys.push_back(material(ours.pem()));
  CHECK_EQ(code(try_it(pasted)), "own_key_given_in_place_of_partners");
  CHECK_EQ(code(try_it(draft.with(stranger.sign(scheme("rsa-pkcs1-sha256"), text)))), "signature_key_is_another");
  draft.signed_text = "something else";
  const Answer other = try_it(draft.as_agreed());
  CHECK_EQ(code(other), "signature_is_over_other_bytes");
  CHECK_NE(
      other.findings[0].evidence.find(base::to_hex(crypto::digest(Hash::sha256, base::as_bytes("something else")))),
      std::string::npos);
  // ECDSA shows nothing of the kind.
  CHECK_EQ(code(try_it(Draft{ec(), "ecdsa-sha256", "other", text}.as_agreed())), "signature_cause_is_unknown");
  // Two causes at once: the first is the cause, both are told.
  const Answer two = try_it(Draft{rsa(), "rsa-pkcs1-sha256", text + "\n", text}.by(scheme("rsa-pkcs1-sha1")));
  CHECK_EQ(two.deviations.size(), 2);
  CHECK_FALSE(two.verified);
}

TEST_CASE("a digest signed without its DigestInfo is told from everything else") {
  Case one = Draft{rsa(), "rsa-pkcs1-sha256"}.as_agreed();
  const Bytes digest = crypto::digest(Hash::sha256, base::as_bytes(text));
  EVP_PKEY_CTX* const context = EVP_PKEY_CTX_new(rsa().get(), nullptr);
  must(EVP_PKEY_sign_init(context) == 1 && EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_PADDING) == 1);
  Bytes signature(256);
  std::size_t size = signature.size();
  must(EVP_PKEY_sign(context, signature.data(), &size, digest.data(), digest.size()) == 1);
  EVP_PKEY_CTX_free(context);
  one.message.signature = base::to_base64(signature);
  CHECK_EQ(code(try_it(one)), "signature_is_over_a_hash");
}

TEST_CASE("a high s on secp256k1 is a warning and no refusal") {
  const KeyPair pair = KeyPair::ec("secp256k1");
  const Draft draft{pair, "ecdsa-sha256"};
  bool low = false, high = false;
  for (int i = 0; i < 200 && !(low && high); ++i) {
    const Answer answer = try_it(draft.as_agreed());
    CHECK(answer.verified);
    const bool noted = std::ranges::any_of(
        answer.findings, [](const intake::Finding& f) { return f.cause == intake::Cause::signature_s_is_high; });
    (noted ? high : low) = true;
  }
  CHECK(low);
  CHECK(high);
}

TEST_CASE("private keys, weak keys and keys that cannot sign are refused before anything is tried") {
  Case one = Draft{ec(), "ecdsa-sha256"}.as_agreed();
  one.keys = {};
  one.keys.push_back(material(ec().private_pem()));
  const Answer answer = try_it(one);
  CHECK_EQ(code(answer), "private_key_given_where_public_expected");
  CHECK_EQ(answer.variants_tried, 0);
  CHECK_FALSE(answer.reproduction.has_value());
  Case own = Draft{ec(), "ecdsa-sha256"}.as_agreed();
  own.own_keys.push_back(material(KeyPair::ec().private_pem()));
  CHECK_EQ(code(try_it(own)), "private_key_given_where_public_expected");
  const Answer weak = try_it(Draft{KeyPair::rsa(1024), "rsa-pkcs1-sha256"}.as_agreed());
  CHECK(weak.signature_is_good);
  CHECK_FALSE(weak.verified);
  CHECK_EQ(code(weak), "rsa_key_is_too_small");
  one.keys = {};
  one.keys.push_back(material("no key at all"));
  CHECK_FALSE(try_it(one).verified);
}

TEST_CASE("a case that leaves out a part, or names what nobody knows") {
  Case one = Draft{ec(), "ecdsa-sha256"}.as_agreed();
  one.message.body.reset();
  CHECK_EQ(code(try_it(one)), "signature_part_is_missing");
  one = Draft{ec(), "ecdsa-sha256"}.as_agreed();
  one.message.signature.clear();
  CHECK_EQ(code(try_it(one)), "signature_part_is_missing");
  one = Draft{ec(), "ecdsa-sha256"}.as_agreed();
  one.message.algorithm = "rot13";
  CHECK_EQ(code(try_it(one)), "algorithm_not_allowed");
  CHECK_EQ(code(try_it(Draft{ec(), "rsa-pkcs1-sha256"}.by(scheme("ecdsa-sha256")))),
           "signature_algorithm_does_not_fit_key");
}

TEST_CASE("the search stops at its steps and at the caller's clock, and says so") {
  const Case one = Draft{ec(), "ecdsa-sha256", "other", text}.as_agreed();
  Steps few(3);
  const Answer cut = try_case(one, few);
  CHECK_EQ(cut.variants_tried, 3);
  CHECK(std::ranges::any_of(
      cut.findings, [](const intake::Finding& f) { return f.cause == intake::Cause::signature_search_was_cut_short; }));
  int asked = 0;
  Steps timed(variants_max, [&] { return ++asked <= 5; });
  CHECK_EQ(try_case(one, timed).variants_tried, 5);
  Steps full;
  CHECK(try_case(one, full).variants_tried <= variants_max);
}

TEST_CASE("versions that were not agreed on, nonces seen before, and times outside of the window") {
  Case one = Draft{ec(), "ecdsa-sha256"}.as_agreed();
  one.sdk = {"2.1", {"3.0", "3.1"}};
  const Answer sdk = try_it(one);
  CHECK_EQ(code(sdk), "sdk_version_is_not_supported");
  CHECK(sdk.signature_is_good);
  one.sdk = {"3.1", {"3.0", "3.1"}};
  one.protocol = {"v2", {"v3"}};
  CHECK_EQ(code(try_it(one)), "protocol_version_differs");
}

}  // namespace trial
