#include "model/registry.h"

#include <span>

#include "base/check.h"
#include "base/int128.h"
#include "base/text.h"

namespace model {

namespace {

constexpr std::array<std::string_view, 5> purposes = {"verify_messages", "verify_callbacks", "encrypt", "tls_peer", "watch"};
constexpr std::array<std::string_view, 2> forms = {"public_key", "certificate"};
constexpr std::array<std::string_view, 11> algorithms = {"RSA", "RSA-PSS", "EC:P-256", "EC:P-384", "EC:P-521", "EC:secp256k1",
                                                         "SM2", "Ed25519", "Ed448",    "X25519",   "X448"};
constexpr std::array<std::string_view, 7> key_states = {"next", "active", "retiring", "retired", "destroyed", "suspended", "compromised"};
constexpr std::array<std::string_view, 10> key_causes = {"request",      "approval", "schedule",  "superseded",
                                                         "overlap_over", "rollback", "confirmed", "confirmation_missing",
                                                         "certificate_revoked", "revocation_unknown"};
constexpr std::array<std::string_view, 8> import_states = {"received", "inspected", "waiting",       "tried",
                                                           "active",   "rejected",  "manual_review", "provisional"};
constexpr std::array<std::string_view, 7> import_causes = {"doctor", "secret_sent", "proof", "people", "expiry", "trial", "address"};
constexpr std::array<std::string_view, 7> key_verbs = {"apply",   "rollback",        "retire",         "compromise",
                                                       "destroy", "suspend_revoked", "suspend_unknown"};

// Enumerators count from 1, without gaps.
template <typename Enum>
std::string_view text_of(std::span<const std::string_view> texts, Enum value) {
  const auto number = static_cast<std::size_t>(value);
  CHECK_THAT(number >= 1 && number <= texts.size(), "a value of the enumeration");
  return texts[number - 1];
}

}  // namespace

std::string_view to_text(KeyPurpose purpose) { return text_of(purposes, purpose); }
std::string_view to_text(KeyForm form) { return text_of(forms, form); }
std::string_view to_text(KeyAlgorithm algorithm) { return text_of(algorithms, algorithm); }
std::string_view to_text(KeyState state) { return text_of(key_states, state); }
std::string_view to_text(KeyCause cause) { return text_of(key_causes, cause); }
std::string_view to_text(ImportState state) { return text_of(import_states, state); }
std::string_view to_text(ImportCause cause) { return text_of(import_causes, cause); }
std::string_view to_text(KeyVerb verb) { return text_of(key_verbs, verb); }

std::optional<KeyPurpose> parse_key_purpose(std::string_view text) {
  for (std::size_t i = 0; i < purposes.size(); ++i) {
    if (purposes[i] == text) return static_cast<KeyPurpose>(i + 1);
  }
  return std::nullopt;
}

bool may_move(KeyState from, KeyState to) {
  using enum KeyState;
  if (from == to) return from == next || from == active || from == retiring || from == suspended;
  switch (to) {
    case next: return false;
    case active: return from == next || from == retiring || from == retired || from == suspended;
    case retiring: return from == active;
    case suspended: return from == active || from == retiring;
    case retired: return from == next || from == active || from == retiring || from == suspended;
    case compromised: return from != destroyed && from != compromised;
    case destroyed: return from == retired || from == compromised;
  }
  return false;
}

bool may_move(ImportState from, ImportState to) {
  using enum ImportState;
  switch (to) {
    case received: return false;
    case inspected: return from == received;
    case waiting: return from == inspected;
    case tried: return from == waiting;
    case provisional: return from == waiting;
    case active: return from == tried || from == provisional || from == manual_review;
    case manual_review: return from == provisional;
    case rejected: return from == received || is_open(from);
  }
  return false;
}

std::string import_id(EventNumber event) {
  CHECK(event != 0 && event <= event_number_max);
  return "im_" + base::to_base32(event);
}

std::optional<EventNumber> parse_import_id(std::string_view text) {
  if (!text.starts_with("im_")) return std::nullopt;
  const auto value = base::parse_base32(text.substr(3));
  if (!value || *value == 0 || *value > event_number_max) return std::nullopt;
  return *value;
}

std::string key_id(KeyNumber number) { return "key_" + std::to_string(number); }

std::optional<KeyNumber> parse_key_id(std::string_view text) {
  if (!text.starts_with("key_")) return std::nullopt;
  const auto value = base::parse_decimal(text.substr(4));
  if (!value || *value == 0 || *value > UINT32_MAX) return std::nullopt;
  return static_cast<KeyNumber>(*value);
}

std::string to_text(const Challenge& challenge) {
  std::string text = "holdfast-key-challenge-v1\n";
  const auto line = [&text](std::string_view name, std::string_view value) {
    text.append(name).append(": ").append(value).append("\n");
  };
  line("origin", challenge.origin);
  line("import", import_id(challenge.import));
  line("partner", challenge.partner);
  line("key", challenge.key);
  line("thumbprint", base::to_base64url(challenge.thumbprint));
  line("nonce", base::to_base64url(challenge.nonce));
  line("expires", base::to_rfc3339(challenge.expires_at));
  return text;
}

}  // namespace model
