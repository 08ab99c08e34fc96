#include "node/evidence_anchors.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "crypto/evm/inclusion.h"
#include "crypto/hash.h"
#include "crypto/time_stamp.h"

namespace node {

namespace {

constexpr std::size_t checked_max = 64;   // 16 MiB at the very most, a few KiB each as a rule

// Whether a token is over these bytes at all; if it holds is a verifier's business.
bool anchors_imprint(const audit::EvidenceAnchor& anchor, const base::Digest& imprint) {
  if (anchor.kind == audit::evm_kind) {
    const auto found = crypto::verify_evm_inclusion(anchor.token);
    return found.ok() && std::ranges::equal(found->call.data, imprint);
  }
  const auto stamped = crypto::imprint_of_time_stamp(anchor.token);
  return stamped.ok() && *stamped == imprint;
}

}  // namespace

std::vector<audit::EvidenceAnchor> EvidenceAnchors::over(std::uint64_t leaves, const audit::Checkpoint& checkpoint, const Tree& tree) {
  std::vector<audit::EvidenceAnchor> anchors;
  const auto stored = stored_anchors(files_, directory_);
  if (!stored.ok()) return anchors;
  const Wanted wanted{.leaves = leaves, .checkpoint = checkpoint, .tree = tree};
  // Neither kind leaves the other without a place.
  add(*stored, audit::evm_kind, audit::evidence_anchors_max / 2, wanted, anchors);
  add(*stored, audit::time_stamp_kind, audit::evidence_anchors_max, wanted, anchors);
  return anchors;
}

void EvidenceAnchors::add(std::span<const StoredAnchor> stored, std::string_view kind, std::size_t anchors_max, const Wanted& wanted,
                          std::vector<audit::EvidenceAnchor>& into) {
  std::optional<std::uint64_t> earliest;
  for (const StoredAnchor& one : stored) {
    if (one.kind != kind || one.size < wanted.leaves || one.size > wanted.checkpoint.size) continue;
    if ((earliest && one.size != *earliest) || into.size() >= anchors_max) return;
    const Checked known = checked(one, wanted);
    auto proof = known ? wanted.tree.prove_consistency(one.size) : base::Error{"anchor_damaged", one.name};
    if (!proof.ok()) continue;
    earliest = one.size;
    into.push_back(*known);
    into.back().proof = std::move(*proof);
  }
}

EvidenceAnchors::Checked EvidenceAnchors::checked(const StoredAnchor& stored, const Wanted& wanted) {
  {
    const std::lock_guard lock(mutex_);
    if (const auto known = checked_.find(stored.name); known != checked_.end()) return known->second;
  }
  auto token = read_anchor(files_, directory_, stored);
  const auto root = wanted.tree.root_at(stored.size);
  if (!token.ok() || !root.ok()) return nullptr;
  audit::EvidenceAnchor anchor{.kind = std::string(stored.kind), .token = std::move(*token), .size = stored.size, .root = *root, .proof = {}};
  const std::string text = audit::checkpoint_text({.origin = wanted.checkpoint.origin, .size = stored.size, .root = *root, .extensions = {}});
  if (!anchors_imprint(anchor, crypto::sha256(base::as_bytes(text)))) return nullptr;
  Checked good = std::make_shared<const audit::EvidenceAnchor>(std::move(anchor));
  const std::lock_guard lock(mutex_);
  if (checked_.size() >= checked_max) checked_.clear();
  checked_.emplace(stored.name, good);
  return good;
}

}  // namespace node
