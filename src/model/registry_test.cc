#include "model/registry.h"

#include <doctest/doctest.h>

using namespace model;

TEST_CASE("words of the registry are one for each number") {
  for (const KeyPurpose purpose : {KeyPurpose::verify_messages, KeyPurpose::verify_callbacks, KeyPurpose::encrypt, KeyPurpose::tls_peer, KeyPurpose::watch}) {
    CHECK(parse_key_purpose(to_text(purpose)) == purpose);
  }
  CHECK_FALSE(parse_key_purpose("sign").has_value());
  CHECK(to_text(key_form_last) == "certificate");
  CHECK(to_text(key_algorithm_last) == "X448");
  CHECK(to_text(key_state_last) == "compromised");
  CHECK(to_text(key_cause_last) == "revocation_unknown");
  CHECK(to_text(import_state_last) == "provisional");
  CHECK(to_text(import_cause_last) == "address");
  CHECK(is_taken(ImportVerdict::proven));
  CHECK_FALSE(is_taken(ImportVerdict::trial_failed));
  CHECK(to_text(key_verb_last) == "suspend_unknown");
  CHECK_FALSE(can_sign(KeyAlgorithm::x25519));
  CHECK(can_sign(KeyAlgorithm::sm2));
}

TEST_CASE("nothing comes back from destroyed or rejected, and compromise is left for destruction only") {
  for (int to = 1; to <= static_cast<int>(key_state_last); ++to) {
    CHECK_FALSE(may_move(KeyState::destroyed, static_cast<KeyState>(to)));
    CHECK(may_move(KeyState::compromised, static_cast<KeyState>(to)) == (static_cast<KeyState>(to) == KeyState::destroyed));
  }
  for (int to = 1; to <= static_cast<int>(import_state_last); ++to) {
    CHECK_FALSE(may_move(ImportState::rejected, static_cast<ImportState>(to)));
    CHECK_FALSE(may_move(ImportState::active, static_cast<ImportState>(to)));
  }
  CHECK_FALSE(may_move(ImportState::waiting, ImportState::active));   // without being tried
  CHECK_FALSE(may_move(KeyState::active, KeyState::destroyed));
}

TEST_CASE("ids are read back, and nothing else is an id") {
  CHECK(parse_import_id(import_id(77)) == 77);
  CHECK(parse_import_id(import_id(event_number_max)) == event_number_max);
  CHECK_FALSE(parse_import_id("im_").has_value());
  CHECK_FALSE(parse_import_id("im_0000000000000").has_value());
  CHECK_FALSE(parse_import_id("tr_0000000000001").has_value());
  CHECK(key_id(12) == "key_12");
  CHECK(parse_key_id("key_12") == 12);
  CHECK_FALSE(parse_key_id("key_0").has_value());
  CHECK_FALSE(parse_key_id("key_4294967296").has_value());
  CHECK_FALSE(parse_key_id("12").has_value());
}

TEST_CASE("a challenge says what is signed, line by line") {
  base::Digest thumbprint{}, nonce{};
  nonce[31] = 1;
  CHECK(to_text(Challenge{.origin = "holdfast/x",
                          .import = 5,
                          .partner = "bank-a",
                          .key = "callbacks",
                          .thumbprint = thumbprint,
                          .nonce = nonce,
                          .expires_at = {}}) ==
        "holdfast-key-challenge-v1\n"
        "origin: holdfast/x\n"
        "import: im_0000000000005\n"
        "partner: bank-a\n"
        "key: callbacks\n"
        "thumbprint: AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\n"
        "nonce: AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAE\n"
        "expires: 1970-01-01T00:00:00.000000000Z\n");
}
