#include "store/journal/leaves.h"

#include "audit/leaf.h"
#include "store/journal/group.h"

namespace store {

base::Status LeafHasher::append(base::ByteView bytes, std::span<const model::ByteRange> events,
                                model::EventNumber first_event, const audit::Blinding& blinding,
                                audit::Frontier& frontier) {
  views_.clear();
  for (const model::ByteRange& event : events) views_.push_back(bytes.subspan(event.offset, event.size));
  hashes_.resize(views_.size());
  TRY(audit::hash_leaves(blinding, first_event - 1, views_, hashes_));
  frontier.append(hashes_);
  return base::ok();
}

base::Status LeafHasher::append_group(base::ByteView group, const GroupHeader& header, const audit::Blinding& blinding,
                                      audit::Frontier& frontier) {
  ranges_.clear();
  TRY(for_each_entry_in(group, header, [&](const EntryView& entry) -> base::Status {
    const std::size_t before = ranges_.size();
    TRY_ASSIGN(const model::Entry decoded, model::decode_entry(entry.bytes, entry.first_event, &ranges_));
    if (ranges_.size() - before != entry.event_count) {
      return base::Error{"entry_malformed", "entry at event " + std::to_string(entry.first_event) + " has " +
                                                std::to_string(ranges_.size() - before) + " events, its frame says " +
                                                std::to_string(entry.event_count)};
    }
    const auto shift = static_cast<std::uint32_t>(entry.bytes.data() - group.data());
    for (std::size_t i = before; i < ranges_.size(); ++i) ranges_[i].offset += shift;
    return base::ok();
  }));
  return append(group, ranges_, header.first_event, blinding, frontier);
}

}  // namespace store
