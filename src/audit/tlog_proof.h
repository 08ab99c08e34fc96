#pragma once
// Offline proofs (C2SP tlog-proof): index, inclusion proof and signed checkpoint in one text.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "audit/checkpoint.h"
#include "audit/proof.h"

namespace audit {

struct TlogProof {
  std::optional<base::Bytes> extra;  ///< not authenticated; never trust it
  std::uint64_t index = 0;
  Proof path;
  std::string checkpoint;  ///< the signed note, verbatim
};

/// `c2sp.org/tlog-proof@v1`, extra, index, the hashes, a blank line, the checkpoint.
std::string tlog_proof_text(const TlogProof& proof);
/// The inverse, for texts in exactly that form; the checkpoint is not looked into. Error `tlog_proof_malformed`.
base::Result<TlogProof> parse_tlog_proof(std::string_view text);

/// Checks that the leaf with hash `leaf` is in the log, by everything section "Verifying a tlog proof" demands but the
/// policy on witnesses, which is the caller's. Errors are those of parse_tlog_proof, verify_checkpoint_note and
/// verify_inclusion.
base::Result<VerifiedCheckpoint> verify_tlog_proof(std::string_view text, const Digest& leaf, std::string_view origin,
                                                   std::span<const NoteKey> log_keys,
                                                   std::span<const NoteKey> witnesses);

}  // namespace audit
