#pragma once
// What a witness does (C2SP tlog-witness), without network and disk: it remembers the last tree it saw of each log, and
// cosigns a newer one only if that is proven to begin with it.

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "audit/checkpoint.h"
#include "audit/proof.h"

namespace audit {

/// The body of POST add-checkpoint.
struct AddCheckpoint {
  std::uint64_t old_size = 0;
  Proof proof;               ///< at most 63 hashes
  std::string note;          ///< the signed checkpoint
};
std::string add_checkpoint_text(const AddCheckpoint& request);
/// Error `add_checkpoint_malformed`.
base::Result<AddCheckpoint> parse_add_checkpoint(std::string_view text);

/// The last tree that was cosigned of a log.
struct WitnessedTree {
  std::uint64_t size = 0;
  Digest root{};
};

/// An answer: 200 with the checkpoint to be remembered and cosigned, or a refusal.
struct WitnessAnswer {
  int status = 400;                        ///< of HTTP
  std::string why;                         ///< a sentence; for 409 the decimal size and a newline
  std::optional<Checkpoint> checkpoint;    ///< with 200
  std::string log_line;                    ///< with 200: the log's own signature line, verified
};

/// Judges a request. `known` is what was cosigned before for this origin, nothing if none; the caller remembers the new
/// tree before it lets the cosignature out, and lets no other request for the origin in between.
WitnessAnswer judge_add_checkpoint(const AddCheckpoint& request, std::span<const NoteKey> log_keys, const std::optional<WitnessedTree>& known);

/// The origin a request is about, before anything is believed. Errors `note_malformed`, `checkpoint_malformed`.
base::Result<Checkpoint> unverified_checkpoint(std::string_view note);

}  // namespace audit
