#pragma once
// Does evidence hold? Everything is checked from the bundle and a policy, without any service, clock or file. Nothing of a
// bundle is to be believed, or shown, before this.

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "audit/checkpoint.h"
#include "audit/evidence.h"
#include "audit/evidence_story.h"
#include "audit/policy.h"
#include "model/event.h"

namespace audit {

/// What must be there besides the policy's quorum.
struct EvidenceRequirements {
  std::size_t witnesses = 0;   ///< cosignatures of witnesses in the policy
  std::size_t anchors = 0;     ///< anchors that count, under different names of the policy
};

struct WitnessSeen {
  std::string name;            ///< as the policy calls it
  std::uint64_t seconds = 0;   ///< since 1970: when it saw the checkpoint
};

/// A time-stamp of an authority in the policy, or a transaction in a block of the policy, over a tree that holds all of the
/// item's events.
struct AnchorSeen {
  std::string name;            ///< as the policy calls it
  std::uint64_t seconds = 0;   ///< since 1970: when the tree was there
  std::uint64_t size = 0;      ///< leaves of that tree
  std::optional<PolicyEvmBlock> block = {};   ///< in which it is; none for a time-stamp
};

/// An anchor that does not count.
struct AnchorNotCounted {
  std::string kind;
  base::Error why;
};

/// What holds.
struct VerifiedEvidence {
  Evidence evidence;
  Checkpoint checkpoint;
  NoteKey log_key;
  std::vector<WitnessSeen> witnesses;
  std::vector<AnchorSeen> anchors;
  std::vector<AnchorNotCounted> anchors_not_counted;  ///< like cosignatures of unknown witnesses, they prove and spoil nothing
  std::vector<model::Event> events;              ///< decoded, in the order of the bundle
  Story story;                                   ///< what they say

  /// Without a witness nobody but the log says that others were shown the same tree.
  bool split_view_excluded() const { return !witnesses.empty(); }
};

/// The first thing that does not hold is the error, checked in this order:
///   evidence_malformed              not exactly the form
///   log_not_in_policy               the policy names no key of this origin
///   note_malformed, checkpoint_malformed, checkpoint_of_another_log, note_signature_wrong,
///   note_signed_by_no_known_key, checkpoint_not_signed_by_log
///   log_key_retired                 the key was given up before this tree
///   head_malformed                  the item's head is not of its form, or has a signature too many
///   head_not_signed_by_log
///   head_differs                    the head is of another item, tree or list of events
///   evidence_changed                the bundle is not the one the log signed
///   events_out_of_order, leaf_malformed, leaf_index_outside_tree, inclusion_proof_length_wrong,
///   inclusion_proof_root_differs, event_malformed
///   event_not_of_this_item          an event that the item does not need, or the lack of one that it needs
///   personal_value_differs          a value that is not what its event commits to
///   anchor_kind_unknown
///   too_few_witnesses, quorum_not_met, too_few_anchors (its message says why those that are there do not count:
///                                   anchor_does_not_cover, the codes of verify_consistency, then those of
///                                   crypto/time_stamp.h, or those of crypto/evm/inclusion.h, evm_calldata_differs,
///                                   evm_block_not_in_policy and evm_chain_differs)
/// The message names the event or line.
base::Result<VerifiedEvidence> check_evidence(std::string_view text, const Policy& policy, const EvidenceRequirements& required);

}  // namespace audit
