#pragma once
// Anchors the audit log's checkpoints by itself, with the account of an EVM rail (docs/operations.md): when the time has come and the
// tree has grown, the newest published checkpoint's hash goes out as the data of a transfer of nothing to the account itself, and once
// its block is deep enough the proof is stored as `holdfast audit anchor` would (anchors.h).
//
// What is under way stands in the account's outbox and nowhere else: the reference `anchor-SIZE-HASH` says which tree, the
// transaction's data is the request, and the highest of its nonces is the anchor that may still lack its proof. So a process that dies
// anywhere in between goes on where it was, and at most one anchor is under way for an account.

#include <algorithm>
#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include "base/instant.h"
#include "effects/rails/evm/evm_rail.h"
#include "io/clock.h"
#include "io/file.h"
#include "io/loop.h"
#include "node/anchors.h"

namespace node {

struct EvmAnchoringOptions {
  std::string directory;                               ///< the data directory
  base::Duration every{};                              ///< from one anchor's block to the next anchor, at least
  /// After the start, and between two looks at an anchor under way or at a tree that has not grown; never longer than `every`.
  base::Duration look_pause = base::seconds(10);
  base::Duration retry_pause = base::seconds(60);      ///< after one that could not be sent; never longer than `every`
  /// So many looks in which the node answers and does not have the anchor: it is voided like a payment, because payments wait behind it.
  std::uint32_t looks_in_vain_max = 12;
};

/// Numbers for metrics.
struct EvmAnchoringStats {
  std::uint64_t stored = 0;                            ///< anchors whose proof was stored, since the start
  std::optional<EvmAnchorStored> newest;               ///< of all that were, by this process or before
  std::map<std::string_view, std::uint64_t> failures;  ///< since the start, by reason; each is tried again
};

/// The reference under which an anchor is sent, and its inverse: what is anchored by an entry of the outbox. Nothing for an entry that
/// is no anchor of a checkpoint.
std::string evm_anchor_reference(const EvmAnchorRequest& request);
std::optional<EvmAnchorRequest> evm_anchor_in(const effects::OutboxEntry& entry);

/// Belongs to the loop of its rail; stats() is for any thread.
class EvmAnchoring {
 public:
  /// References outlive it, and the loop does not run while it is destroyed.
  EvmAnchoring(io::FileSystem& files, io::Clock& clock, io::Loop& loop, effects::EvmAccount& account, effects::EvmRail& rail,
               EvmAnchoringOptions options);

  /// Before the loop runs, or on it.
  void start();
  EvmAnchoringStats stats() const;

 private:
  void look();
  void begin(std::uint64_t size_before);
  void follow(const effects::OutboxEntry& entry, const EvmAnchorRequest& asked);
  void followed(std::uint64_t nonce, const EvmAnchorRequest& asked, const effects::RailAnswer& answer);
  void prove(std::uint64_t nonce, const EvmAnchorRequest& asked, std::string_view transaction);
  base::Status recall(std::uint64_t nonce, const EvmAnchorRequest& asked);
  void end(std::uint64_t nonce, base::Instant at);
  void end_stored(std::uint64_t nonce, const EvmAnchorStored& stored);
  base::Duration until_due() const;
  void fail(std::string_view reason);
  void rest(base::Duration pause) { timer_.arm(std::min(pause, options_.every)); }

  io::FileSystem& files_;
  io::Clock& clock_;
  effects::EvmAccount& account_;
  effects::EvmRail& rail_;
  const EvmAnchoringOptions options_;
  io::Timer timer_;
  std::optional<std::uint64_t> recalled_;   ///< nonce that was looked for among the stored proofs
  std::optional<std::uint64_t> ended_;      ///< nonce of the newest anchor, once its proof is stored or it was given up
  std::optional<base::Instant> ended_at_;   ///< time of its block, or when it was given up
  std::uint32_t looks_in_vain_ = 0;

  mutable std::mutex mutex_;
  EvmAnchoringStats stats_;                 ///< under mutex_
};

}  // namespace node
