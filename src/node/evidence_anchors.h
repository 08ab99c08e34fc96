#pragma once
// The anchors that evidence carries: which of those that are stored (anchors.h) say most of some events, each with the proof that the
// checkpoint's tree begins with its own.

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "audit/checkpoint.h"
#include "audit/evidence.h"
#include "audit/proof.h"
#include "base/result.h"
#include "io/file.h"
#include "node/anchors.h"

namespace node {

/// Any thread.
class EvidenceAnchors {
 public:
  /// `files` outlives it.
  EvidenceAnchors(io::FileSystem& files, std::string directory) : files_(files), directory_(std::move(directory)) {}

  /// The log's tree under the checkpoint that is asked with.
  struct Tree {
    std::function<base::Result<audit::Digest>(std::uint64_t size)> root_at;
    std::function<base::Result<audit::Proof>(std::uint64_t old_size)> prove_consistency;
  };
  /// Of each kind those of the earliest tree that has at least `leaves` leaves and is no larger than the checkpoint's. What cannot be
  /// read or is over another tree is left out.
  std::vector<audit::EvidenceAnchor> over(std::uint64_t leaves, const audit::Checkpoint& checkpoint, const Tree& tree);

 private:
  using Checked = std::shared_ptr<const audit::EvidenceAnchor>;
  /// What is asked for, and of which tree.
  struct Wanted {
    std::uint64_t leaves;
    const audit::Checkpoint& checkpoint;
    const Tree& tree;
  };
  void add(std::span<const StoredAnchor> stored, std::string_view kind, std::size_t anchors_max, const Wanted& wanted,
           std::vector<audit::EvidenceAnchor>& into);
  Checked checked(const StoredAnchor& stored, const Wanted& wanted);

  io::FileSystem& files_;
  const std::string directory_;
  std::mutex mutex_;
  /// Without their proofs, by the file's name, which says what is in it: what was read and found to be over this log's tree stays so.
  /// Which files there are is looked at anew each time.
  std::map<std::string, Checked> checked_;   ///< under mutex_
};

}  // namespace node
