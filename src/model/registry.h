#pragma once
// The registry of keys that are not ours: what partners sign with, encrypt to and present. The numbers here stand in journals
// for ever.
//
// A key is a place (partner, name, purpose) in which versions follow one another; a version comes from exactly one import.

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/instant.h"
#include "model/ids.h"
#include "model/rail.h"

namespace model {

using PartnerNumber = std::uint32_t;   ///< order of first mention, from 1; 0 is none
using KeyNumber = std::uint32_t;       ///< order of first import, from 1; 0 is none
using KeyVersion = std::uint32_t;      ///< within its key, from 1; 0 is none

/// Names of partners and of their keys are not personal and follow the rule of rails' names (is_rail_name).
using PartnerName = RailName;
using KeyName = RailName;

/// `watch` is a wallet whose addresses are known here and whose secret is not; only a confirmed wallet import makes one.
enum class KeyPurpose : std::uint8_t { verify_messages = 1, verify_callbacks = 2, encrypt = 3, tls_peer = 4, watch = 5 };
constexpr KeyPurpose key_purpose_last = KeyPurpose::watch;
std::string_view to_text(KeyPurpose purpose);
std::optional<KeyPurpose> parse_key_purpose(std::string_view text);

/// What the material came as.
enum class KeyForm : std::uint8_t { public_key = 1, certificate = 2 };
constexpr KeyForm key_form_last = KeyForm::certificate;
std::string_view to_text(KeyForm form);

enum class KeyAlgorithm : std::uint8_t {
  rsa = 1,
  rsa_pss = 2,
  ec_p256 = 3,
  ec_p384 = 4,
  ec_p521 = 5,
  ec_secp256k1 = 6,
  sm2 = 7,
  ed25519 = 8,
  ed448 = 9,
  x25519 = 10,
  x448 = 11,
};
constexpr KeyAlgorithm key_algorithm_last = KeyAlgorithm::x448;
std::string_view to_text(KeyAlgorithm algorithm);
/// False for those that only agree on keys.
constexpr bool can_sign(KeyAlgorithm algorithm) { return algorithm != KeyAlgorithm::x25519 && algorithm != KeyAlgorithm::x448; }

/// `next` comes before `active`; one that is `retiring` still verifies; `suspended` may come back. Time alone never destroys.
enum class KeyState : std::uint8_t { next = 1, active = 2, retiring = 3, retired = 4, destroyed = 5, suspended = 6, compromised = 7 };
constexpr KeyState key_state_last = KeyState::compromised;
std::string_view to_text(KeyState state);
/// May what is signed with it be believed?
constexpr bool is_usable(KeyState state) { return state == KeyState::active || state == KeyState::retiring; }
/// The table of moves; a state may be kept while something else about it changes.
bool may_move(KeyState from, KeyState to);

/// Why a version is where it is.
enum class KeyCause : std::uint8_t {
  request = 1,             ///< a client asked for this very move
  approval = 2,            ///< its import was proven, or approved by people
  schedule = 3,            ///< its time to become active came
  superseded = 4,          ///< another version became active
  overlap_over = 5,
  rollback = 6,            ///< of a newer version that went wrong: this one came back, or went
  confirmed = 7,           ///< it answered a challenge after people had let it in
  confirmation_missing = 8,   ///< it did not in time
  certificate_revoked = 9,    ///< its authority took its certificate back
  revocation_unknown = 10,    ///< nobody could say for too long whether its certificate is revoked
};
constexpr KeyCause key_cause_last = KeyCause::revocation_unknown;
std::string_view to_text(KeyCause cause);

/// received -> inspected -> waiting -> tried -> active | provisional -> active | manual_review; or rejected.
enum class ImportState : std::uint8_t {
  received = 1,
  inspected = 2,
  waiting = 3,             ///< for the key's answer to a challenge, or for two people
  tried = 4,               ///< the key answered
  active = 5,              ///< there is a version of it that nobody has to confirm any more
  rejected = 6,
  manual_review = 7,       ///< people let it in, and it was not confirmed in time
  provisional = 8,         ///< people let it in; it is usable for a while, until it is confirmed
};
constexpr ImportState import_state_last = ImportState::provisional;
std::string_view to_text(ImportState state);
bool may_move(ImportState from, ImportState to);
/// Can it still become active?
constexpr bool is_open(ImportState state) {
  return state == ImportState::waiting || state == ImportState::manual_review || state == ImportState::provisional;
}

enum class ImportCause : std::uint8_t {
  doctor = 1,              ///< what the doctor found
  secret_sent = 2,         ///< a secret where a public value belongs: an incident
  proof = 3,               ///< a good answer to a challenge
  people = 4,
  expiry = 5,              ///< nobody did anything for too long
  trial = 6,               ///< what captured messages of the key's owner said
  address = 7,             ///< the wallet gives the address that its owner expects
};
constexpr ImportCause import_cause_last = ImportCause::address;
std::string_view to_text(ImportCause cause);

/// What the doctor made of the input, and a trial with captured messages of what the doctor took.
enum class ImportVerdict : std::uint8_t {
  usable = 1,
  refused = 2,
  secret_sent = 3,
  proven = 4,              ///< usable, and a message that its owner signed a moment ago verifies under it
  trial_failed = 5,        ///< a message does not verify under it
  address_confirmed = 6,   ///< of a wallet: it gives the address that its owner expects
  address_differs = 7,     ///< of a wallet: none of the addresses that were shown is the expected one
  wallet_unknown = 8,      ///< nothing was derived under the id that is confirmed
  wallet_expired = 9,      ///< it was, and the time to confirm it is over
};
constexpr ImportVerdict import_verdict_last = ImportVerdict::wallet_expired;
/// Does it become an import of its key? What is not taken is history.
constexpr bool is_taken(ImportVerdict verdict) {
  return verdict == ImportVerdict::usable || verdict == ImportVerdict::proven || verdict == ImportVerdict::address_confirmed;
}

/// What people and commands do to a key. The last two are the service's own: no request of a client leads to them.
enum class KeyVerb : std::uint8_t {
  apply = 1,
  rollback = 2,
  retire = 3,
  compromise = 4,
  destroy = 5,
  suspend_revoked = 6,     ///< its certificate was revoked
  suspend_unknown = 7,     ///< whether its certificate is revoked was unknown for too long
};
constexpr KeyVerb key_verb_last = KeyVerb::suspend_unknown;
std::string_view to_text(KeyVerb verb);

constexpr std::size_t spki_bytes_max = 4096;             ///< RSA of 16,384 bits takes 2,086
constexpr std::size_t import_causes_max = 16;            ///< codes of findings that an event keeps, gravest first
constexpr std::size_t challenge_origin_bytes_max = 128;
constexpr std::uint8_t import_approvals_needed = 2;      ///< different people, none of them the importer
/// Days before the end of a certificate at which it is told that the end is near; the last one tells of the end itself.
constexpr std::array<std::uint8_t, 5> key_warning_days = {30, 14, 7, 1, 0};

/// Public material in canonical form, and all that is said of it. No secret is ever here.
struct KeyFacts {
  base::Bytes spki;                          ///< SubjectPublicKeyInfo in DER, 1 to spki_bytes_max bytes
  KeyForm form = KeyForm::public_key;
  KeyAlgorithm algorithm = KeyAlgorithm::ed25519;
  std::uint16_t bits = 0;
  base::Digest pin{};                        ///< SHA-256 of `spki`: equal keys have equal ones
  base::Digest fingerprint{};                ///< SHA-256 of the certificate, or of `spki`
  std::optional<base::Digest> thumbprint;    ///< RFC 7638, of keys that JOSE knows
  base::Instant not_before{};                ///< of a certificate; 0 without
  base::Instant not_after{};
  bool operator==(const KeyFacts&) const = default;
};

/// Text of an import's id: `im_` and 13 base32 digits of the event that received it.
std::string import_id(EventNumber event);
std::optional<EventNumber> parse_import_id(std::string_view text);
/// Text of a key's id: `key_` and its number in decimal.
std::string key_id(KeyNumber number);
std::optional<KeyNumber> parse_key_id(std::string_view text);

/// What a key signs to prove that somebody has its private half. Lines, so that people can read what they sign:
///
///     holdfast-key-challenge-v1
///     origin: ...      who asks
///     import: im_...
///     partner: ...
///     key: ...
///     thumbprint: ...  base64url of RFC 7638, or of SHA-256 of the SPKI where there is none
///     nonce: ...       base64url of 32 random bytes, used once
///     expires: ...     RFC 3339
///
/// each ended by a line feed.
struct Challenge {
  std::string_view origin;
  EventNumber import = 0;
  std::string_view partner;
  std::string_view key;
  base::Digest thumbprint{};
  base::Digest nonce{};
  base::Instant expires_at{};
};
std::string to_text(const Challenge& challenge);

}  // namespace model
