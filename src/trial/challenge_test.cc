#include "trial/challenge.h"

#include "intake/doctor.h"
#include "trial/signing_for_tests.h"

#include <doctest/doctest.h>

namespace trial {
namespace {

using namespace signing;

constexpr std::int64_t second_ns = 1'000'000'000;
const base::Instant expiry{1'770'000'600 * second_ns}, before{1'770'000'000 * second_ns};

Challenge challenge_for(const KeyPair& pair) {
  Challenge challenge;
  challenge.origin = "https://pay.example.com";
  challenge.partner = "bank-a";
  challenge.slot = "callbacks";
  challenge.thumbprint = intake::examine(pair.spki(), {}).items.at(0).thumbprint;
  challenge.nonce.fill(0x22);
  challenge.expires = expiry;
  return challenge;
}

std::string code_of(const base::Status& status) { return status.ok() ? "good" : status.error().code; }

}  // namespace

TEST_CASE("a challenge is one text, and reads back") {
  const KeyPair pair = KeyPair::ed25519();
  Challenge challenge = challenge_for(pair);
  challenge.thumbprint = "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k";
  const std::string text = make_challenge_text(challenge).value();
  CHECK_EQ(text,
           "holdfast-key-challenge-v1\norigin: https://pay.example.com\npartner: bank-a\nslot: callbacks\n"
           "key: kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k\n"
           "nonce: 2222222222222222222222222222222222222222222222222222222222222222\nexpires: 2026-02-02T02:50:00Z\n");
  CHECK(parse_challenge_text(text).value() == challenge);
}

TEST_CASE("values that could be read as lines, and texts in any other form, are refused") {
  const Challenge good = challenge_for(KeyPair::ed25519());
  for (const char* const bad : {"", "a b", "a\nslot: other", "\x7F", "\xE5\xBC\xA0"}) {
    CAPTURE(bad);
    Challenge challenge = good;
    challenge.partner = bad;
    CHECK_EQ(make_challenge_text(challenge).error().code, std::string_view("challenge_malformed"));
  }
  Challenge challenge = good;
  challenge.slot = std::string(201, 'a');
  CHECK_FALSE(make_challenge_text(challenge).ok());
  challenge = good;
  challenge.expires.ns = -1;
  CHECK_FALSE(make_challenge_text(challenge).ok());
  const std::string text = make_challenge_text(good).value();
  for (std::size_t size = 0; size < text.size(); ++size)
    CHECK_FALSE(parse_challenge_text(std::string_view(text).substr(0, size)).ok());
  CHECK_FALSE(parse_challenge_text(text + "\n").ok());
  std::string upper = text;
  upper.replace(upper.find("nonce: 2"), 8, "nonce: F");
  CHECK_FALSE(parse_challenge_text(upper).ok());  // hexadecimal has one case here
}

TEST_CASE("keys of every kind answer a challenge") {
  for (const KeyPair& pair : {KeyPair::ed25519(), KeyPair::ec(), KeyPair::rsa(), KeyPair::sm2()}) {
    const Challenge challenge = challenge_for(pair);
    const std::string text = make_challenge_text(challenge).value();
    const auto verifier = crypto::PublicVerifier::of_spki(pair.spki());
    CAPTURE(verifier->description());
    Scheme scheme = *usual_scheme(verifier->kind());
    const Bytes signature = pair.sign(scheme, text);
    CHECK_EQ(code_of(verify_challenge(challenge, {.text = text, .signature = signature}, pair.spki(), before)), "good");
    CHECK_EQ(code_of(verify_challenge(challenge, {.text = text, .signature = pair.sign(scheme, text + " ")},
                                      pair.spki(), before)),
             "challenge_signature_wrong");
    if (scheme.algorithm != Algorithm::ecdsa && scheme.algorithm != Algorithm::sm2) continue;
    scheme.der = !scheme.der;
    CHECK_EQ(
        code_of(verify_challenge(challenge, {.text = text, .signature = pair.sign(scheme, text)}, pair.spki(), before)),
        "good");
  }
  const KeyPair rsa = KeyPair::rsa();
  const Challenge challenge = challenge_for(rsa);
  const std::string text = make_challenge_text(challenge).value();
  const Bytes pss = rsa.sign(*scheme_of_name("PS256"), text);
  CHECK_EQ(
      code_of(verify_challenge(challenge, {.text = text, .signature = pss, .scheme = "PS256"}, rsa.spki(), before)),
      "good");
  CHECK_EQ(code_of(verify_challenge(challenge, {.text = text, .signature = pss}, rsa.spki(), before)),
           "challenge_signature_wrong");
  CHECK_EQ(
      code_of(verify_challenge(challenge, {.text = text, .signature = pss, .scheme = "ed25519"}, rsa.spki(), before)),
      "challenge_scheme_unknown");
  const KeyPair sm2 = KeyPair::sm2();
  const Challenge by_name = challenge_for(sm2);
  const std::string sm2_text = make_challenge_text(by_name).value();
  Scheme named = *scheme_of_name("sm2-sm3");
  named.user_id = "bank-a";
  CHECK_EQ(
      code_of(verify_challenge(
          by_name, {.text = sm2_text, .signature = sm2.sign(named, sm2_text), .scheme = "sm2-sm3", .user_id = "bank-a"},
          sm2.spki(), before)),
      "good");
}

TEST_CASE("an answer that is late, for another challenge or by another key is none") {
  const KeyPair pair = KeyPair::ed25519(), other = KeyPair::ed25519();
  const Challenge challenge = challenge_for(pair);
  const std::string text = make_challenge_text(challenge).value();
  const Bytes signature = pair.sign(*scheme_of_name("ed25519"), text);
  const ChallengeAnswer answer{.text = text, .signature = signature};
  CHECK_EQ(code_of(verify_challenge(challenge, answer, pair.spki(), {expiry.ns - second_ns})), "good");
  CHECK_EQ(code_of(verify_challenge(challenge, answer, pair.spki(), expiry)), "challenge_expired");
  CHECK_EQ(code_of(verify_challenge(challenge, answer, other.spki(), before)), "challenge_key_differs");
  Challenge next = challenge;
  next.nonce.fill(0x33);
  CHECK_EQ(code_of(verify_challenge(next, answer, pair.spki(), before)), "challenge_differs");
  Challenge broken = challenge;
  broken.slot.clear();
  CHECK_EQ(code_of(verify_challenge(broken, answer, pair.spki(), before)), "challenge_malformed");
  // A signature by another key over the same text.
  const Bytes forged = other.sign(*scheme_of_name("ed25519"), text);
  CHECK_EQ(code_of(verify_challenge(challenge, {.text = text, .signature = forged}, pair.spki(), before)),
           "challenge_signature_wrong");
}

}  // namespace trial
