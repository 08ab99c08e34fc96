#pragma once
// From stored entries to leaves of the audit log.

#include <span>
#include <vector>

#include "audit/blinding.h"
#include "audit/merkle.h"
#include "base/result.h"
#include "model/entry.h"
#include "store/journal/layout.h"

namespace store {

/// Hashes leaves and appends them to a frontier, keeping its buffers. One thread.
class LeafHasher {
 public:
  /// Events are ranges of `bytes`; the first is number `first_event`. Errors: event_too_large_for_leaf.
  base::Status append(base::ByteView bytes, std::span<const model::ByteRange> events, model::EventNumber first_event,
                      const audit::Blinding& blinding, audit::Frontier& frontier);
  /// All events of a group that was checked. Errors: entry_malformed and the like, event_too_large_for_leaf.
  base::Status append_group(base::ByteView group, const GroupHeader& header, const audit::Blinding& blinding,
                            audit::Frontier& frontier);
  /// Hashes of the leaves appended last.
  std::span<const audit::Digest> hashes() const { return hashes_; }

 private:
  std::vector<base::ByteView> views_;
  std::vector<audit::Digest> hashes_;
  std::vector<model::ByteRange> ranges_;
};

}  // namespace store
