#pragma once
// The trial: does the key verify a message that its owner really signed? When it does not, why? Pure: no clock, file, socket,
// thread or random source. Format, conventions and causes: docs/trial.md.
//
// A trial never makes a key good: it shows that key and message fit. Possession is shown by a challenge (docs/registry.md).

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "intake/finding.h"
#include "trial/case.h"
#include "trial/search.h"

namespace trial {

/// A moment the message names, and how far it lies from when it was received.
struct ShownStamp {
  std::string name, text;
  std::optional<base::Instant> at = {};
  std::optional<std::int64_t> offset_seconds = {};  ///< before `received_at` is negative
  bool judged = false;  ///< signed, and held against the window around `received_at`
};

/// What is needed to check again with other tools.
struct Reproduction {
  std::string command;    ///< for a shell; expects the files below beside it. A secret is $SECRET_HEX, never spelt out
  std::string key_pem;    ///< key.pem; empty for a MAC
  std::string base;       ///< base.bin: the signed bytes, not masked
  base::Bytes signature;  ///< signature.bin: DER for ECDSA and SM2
};

struct Answer {
  bool verified = false;           ///< the signature is good as agreed, and nothing else is wrong
  bool signature_is_good = false;  ///< as agreed, whatever else is wrong
  std::string id;
  Convention convention = Convention::detached;
  std::string scheme;                     ///< as agreed, in words
  std::string key;                        ///< the key that was tried, in words; for a MAC how the secret was read
  std::string thumbprint, fingerprint;    ///< of that key
  std::vector<intake::Finding> findings;  ///< gravest first; the first one of severity error is the cause
  std::vector<std::string> deviations;    ///< under which the signature would verify; empty when none was found
  std::string base_shown;                 ///< masked
  std::string difference;                 ///< between the agreed base and the one that was signed; masked lines
  std::vector<ShownStamp> stamps;
  unsigned variants_tried = 0;
  std::optional<Reproduction> reproduction;  ///< nothing where no signature could be read

  /// The cause, or null when verified.
  const intake::Finding* cause() const;
};

/// Tries one case. Never an error: what cannot be tried is refused with its cause.
Answer try_case(const Case& one, Steps& steps);

/// The answer as JSON, as docs/trial.md describes it; no secrets, no personal values.
std::string to_json(const Answer& answer);
/// The same for people.
std::string to_text(const Answer& answer);

/// The command and files that repeat the check of `base` under a scheme. `key` is null for a MAC.
Reproduction reproduction_of(const Scheme& scheme, const TrialKey* key, const std::string& base,
                             const base::Bytes& signature);

}  // namespace trial
