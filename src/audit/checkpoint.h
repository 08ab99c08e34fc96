#pragma once
// Checkpoints (C2SP tlog-checkpoint): the text that says how large a log is and what its root is, to be signed as a
// note (audit/note.h).

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "audit/merkle.h"
#include "audit/note.h"

namespace audit {

struct Checkpoint {
  std::string origin;      ///< names the log; one line, not empty
  std::uint64_t size = 0;  ///< leaves
  Digest root{};
  std::vector<std::string> extensions;  ///< further lines, opaque; ours have none
  bool operator==(const Checkpoint&) const = default;
};

/// The text to sign: origin, size, root in base64, extensions, each on its line.
std::string checkpoint_text(const Checkpoint& checkpoint);
/// The inverse, for texts in exactly that form. Error `checkpoint_malformed`.
base::Result<Checkpoint> parse_checkpoint_text(std::string_view text);

/// The signed checkpoint: `key` says the name and id of the line, `signature` is its Ed25519 signature of
/// checkpoint_text. The log's own key is of kind `ed25519`.
std::string make_checkpoint_note(const Checkpoint& checkpoint, const NoteKey& key,
                                 const crypto::Ed25519Signature& signature);

/// A checkpoint that is signed by one of the log's keys.
struct VerifiedCheckpoint {
  Checkpoint checkpoint;
  std::vector<VerifiedSignature> cosignatures;  ///< good ones; `key` is an index into the witnesses given
};

/// Takes apart and checks a signed checkpoint. `origin` is what it must say, `log_keys` are the keys of kind `ed25519`
/// that may have signed it (the log's present and former ones), `witnesses` those of kind `cosignature_v1` whose word
/// counts; how many are enough is the caller's policy.
/// Errors `note_malformed`, `checkpoint_malformed`, `checkpoint_of_another_log`, `note_signature_wrong`,
/// `note_signed_by_no_known_key`, `checkpoint_not_signed_by_log` (witnesses alone are not enough).
base::Result<VerifiedCheckpoint> verify_checkpoint_note(std::string_view note, std::string_view origin,
                                                        std::span<const NoteKey> log_keys,
                                                        std::span<const NoteKey> witnesses);

}  // namespace audit
