#pragma once
// What clients ask about imports and keys, decoded; and what the doctor made of material.

#include <array>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/instant.h"
#include "intake/wiped.h"
#include "model/command.h"

namespace gate {

constexpr std::size_t responsible_bytes_max = 128;
constexpr std::uint64_t key_overlap_seconds_max = 4'000'000'000;   ///< of the field; the core's own bound is tighter
constexpr std::size_t signature_bytes_max = 2048;                  ///< RSA of 16,384 bits
constexpr std::size_t findings_told_max = 16;
constexpr std::size_t finding_text_bytes_max = 1024;               ///< of evidence, and of a repair as a diff
constexpr std::size_t captured_messages_max = 4;                   ///< of one import; all of them share the variants of one trial
constexpr std::size_t trial_text_bytes_max = 4096;                 ///< of a signed text as it is shown
constexpr base::Duration captured_skew_max = base::seconds(300);   ///< a message dated further ahead of the server proves nothing
constexpr base::Duration trial_for_max = base::milliseconds(200);  ///< all messages of an import together
constexpr std::size_t kept_certificates_bytes_max = 32 * 1024;     ///< of PEM, for checks of revocation; others that came are left out

/// The doctor's word. Of material that held a secret nothing is here but codes and places.
struct Examined {
  model::ImportVerdict verdict = model::ImportVerdict::refused;
  std::optional<model::KeyFacts> facts = {};
  std::array<std::uint16_t, model::import_causes_max> causes = {};
  std::string findings = {};   ///< JSON: an array of objects, gravest first
  base::Bytes canonical = {};  ///< of what is usable, DER: the certificate it came in, or the SubjectPublicKeyInfo
  std::string certificates = {};   ///< PEM: the certificate it came in first, then those that came beside it; empty without one
  std::string trials = {};     ///< JSON: an array, what became of each captured message; empty where none came
};

/// Examines what was sent for a key: a public key or a certificate, of TLS peers a certificate. `now` is for the validity of certificates, 0 leaves it unjudged. Passwords are never tried:
/// an encrypted container is refused.
Examined examine_material(base::ByteView material, model::KeyPurpose purpose, base::Instant now);

/// How captured messages are judged.
struct TrialRules {
  base::Instant now{};                       ///< of the server; 0: no message proves anything
  base::Duration captured_age_max{};         ///< an older message is refused; 0: its age is not looked at, and it proves nothing
  std::function<bool()> may_go_on = {};      ///< false ends the search for a cause; null: it ends by count alone
};

/// What is wrong with a captured message as a document, by its member; empty if nothing is.
std::string captured_problem(std::string_view captured);

/// Tries what the doctor took on every message (captured_problem() found nothing in them): `proven` if all verify and one of them says
/// inside what was signed that it is fresh, `usable` as before if all verify, `trial_failed` if one does not. A private key among
/// our own ones makes it `secret_sent`, and nothing else is told then.
void try_captured(std::span<const intake::Text> captured, const TrialRules& rules, Examined& examined);

struct KeyImport {
  std::string_view partner = {};
  std::string_view key = {};
  model::KeyPurpose purpose = model::KeyPurpose::verify_messages;
  intake::Secret material = {};           ///< what it is shows only once it was examined
  std::vector<intake::Text> captured = {};   ///< documents as `holdfast try` reads them, without key; wiped: what stands in them is not known yet
  std::optional<Examined> examined = {};  ///< nothing: the gate examines it, without a time
  std::string_view responsible = {};      ///< empty: as it was
  bool staged = false;
  base::Instant activate_at{};            ///< 0: at once, unless staged
  base::Duration overlap{};               ///< whole seconds; 0 takes the bound of the core
};

struct ImportChallenge {
  model::EventNumber import = 0;
};

struct ImportProof {
  model::EventNumber import = 0;
  base::Bytes signature = {};
};

struct ImportReview {
  model::EventNumber import = 0;
  bool approve = false;
  std::string_view reason = {};   ///< empty if none
};

struct KeySteering {
  model::KeyNumber key = 0;
  model::KeyVersion version = 0;  ///< 0: as the verb says
  model::KeyVerb verb = model::KeyVerb::apply;
  std::string_view reason = {};
};

}  // namespace gate
