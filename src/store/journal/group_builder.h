#pragma once
// Groups on their way to the journal: what one write and one sync will make durable together. The core thread builds
// them, the journal thread seals them.

#include <memory>
#include <mutex>
#include <span>
#include <vector>

#include "base/bytes.h"
#include "base/instant.h"
#include "model/entry.h"
#include "store/journal/layout.h"

namespace store {

/// Buffers that groups come from and go back to, so that the hot path allocates nothing once it is warm. Any thread.
class GroupBufferPool {
 public:
  struct Buffers {
    base::Bytes group;        ///< room for a header block, then the body
    base::Bytes privates;     ///< private records
    std::vector<Slot> slots;  ///< of the body
    std::vector<Slot> private_slots;
    std::vector<model::ByteRange> events;  ///< within `group`
    std::vector<base::Digest> leaves;      ///< their leaf hashes, once the group is prepared
  };
  /// Empty buffers with whatever capacity they grew to before.
  Buffers take();
  void give_back(Buffers buffers);

 private:
  static constexpr std::size_t kept_max = 8;
  std::mutex mutex_;
  std::vector<Buffers> kept_;
};

/// A finished, not yet hashed group. Moves from the builder to Journal::prepare.
class GroupDraft {
 public:
  model::EventNumber first_event() const { return first_event_; }
  std::uint32_t event_count() const { return event_count_; }
  std::uint32_t entry_count() const { return entry_count_; }
  model::EventNumber next_event() const { return first_event_ + event_count_; }
  base::Instant at() const { return at_; }
  /// Where time stands as the group leaves; what a restart goes on from. Without it the group says nothing of the clock.
  void set_clock(const ClockAnchor& clock) { clock_ = clock; }
  /// What it takes on disk.
  std::uint64_t disk_bytes() const { return disk_bytes_; }

 private:
  friend class GroupBuilder;
  friend class Journal;
  model::EventNumber first_event_ = 0;
  std::uint32_t event_count_ = 0;
  std::uint32_t entry_count_ = 0;
  std::uint32_t private_count_ = 0;
  base::Instant at_{};
  ClockAnchor clock_{};
  std::uint64_t disk_bytes_ = 0;
  std::uint32_t flags_ = 0;
  GroupBufferPool::Buffers buffers_;
};

/// Puts entries into a group. One thread. Usage: start, add_entry / add_private ..., finish; and again.
class GroupBuilder {
 public:
  explicit GroupBuilder(std::shared_ptr<GroupBufferPool> pool);

  /// Begins a group whose first event has this number.
  void start(model::EventNumber first_event);
  /// Appends one entry; its events get the next numbers. `events` is not empty.
  void add_entry(base::Instant at, const model::Command& command, std::span<const model::Event> events);
  /// Appends a personal value of an event of this group; events ascend (equal ones are allowed, with different fields).
  void add_private(const model::PrivateValue& value);

  bool empty() const { return entry_count_ == 0; }
  std::uint32_t event_count() const { return event_count_; }
  std::uint32_t entry_count() const { return entry_count_; }
  /// Number the next event will get.
  model::EventNumber next_event() const { return first_event_ + event_count_; }
  /// What the group would take on disk if it were finished now. Must stay within Journal::group_bytes_max().
  std::uint64_t disk_bytes() const;
  /// Upper bound of what an entry of `entry_bytes` canonical bytes with such private values adds to disk_bytes().
  static std::uint64_t added_bytes_max(std::uint64_t entry_bytes, std::uint64_t private_values,
                                       std::uint64_t private_value_bytes);

  /// Ends the group. The builder is then waiting for start.
  GroupDraft finish(base::Instant at);

 private:
  std::uint64_t body_bytes() const;
  std::uint64_t private_bytes() const;

  std::shared_ptr<GroupBufferPool> pool_;
  GroupBufferPool::Buffers buffers_;
  bool started_ = false;
  model::EventNumber first_event_ = 0;
  std::uint32_t event_count_ = 0;
  std::uint32_t entry_count_ = 0;
  std::uint32_t private_count_ = 0;
  model::EventNumber last_private_event_ = 0;
};

}  // namespace store
