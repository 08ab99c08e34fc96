#include "store/journal/group_builder.h"

#include "base/check.h"
#include "store/journal/group.h"

namespace store {

GroupBufferPool::Buffers GroupBufferPool::take() {
  const std::lock_guard lock(mutex_);
  if (kept_.empty()) return {};
  Buffers buffers = std::move(kept_.back());
  kept_.pop_back();
  return buffers;
}

void GroupBufferPool::give_back(Buffers buffers) {
  buffers.group.clear();
  buffers.privates.clear();
  buffers.slots.clear();
  buffers.private_slots.clear();
  buffers.events.clear();
  buffers.leaves.clear();
  const std::lock_guard lock(mutex_);
  if (kept_.size() < kept_max) kept_.push_back(std::move(buffers));
}

GroupBuilder::GroupBuilder(std::shared_ptr<GroupBufferPool> pool) : pool_(std::move(pool)) {}

void GroupBuilder::start(model::EventNumber first_event) {
  CHECK(!started_);
  started_ = true;
  first_event_ = first_event;
  event_count_ = 0;
  entry_count_ = 0;
  private_count_ = 0;
  last_private_event_ = 0;
  buffers_ = pool_->take();
  buffers_.group.resize(block_bytes);
}

void GroupBuilder::add_entry(base::Instant at, const model::Command& command, std::span<const model::Event> events) {
  CHECK(started_);
  CHECK(!events.empty());
  base::Bytes& group = buffers_.group;
  const std::size_t frame_at = group.size();
  if (entry_count_ % entries_per_slot == 0) buffers_.slots.push_back({next_event(), frame_at - block_bytes});
  group.resize(frame_at + frame_head_bytes);
  model::encode_entry(group, buffers_.events, at, command, events);
  store_frame_head(std::span(group).subspan(frame_at), static_cast<std::uint32_t>(events.size()));
  event_count_ += static_cast<std::uint32_t>(events.size());
  ++entry_count_;
}

void GroupBuilder::add_private(const model::PrivateValue& value) {
  CHECK(started_);
  CHECK(value.event >= first_event_ && value.event < next_event());
  CHECK_THAT(value.event >= last_private_event_, "private values ascend by event");
  last_private_event_ = value.event;
  if (private_count_ % entries_per_slot == 0) buffers_.private_slots.push_back({value.event, buffers_.privates.size()});
  append_private_record(buffers_.privates, value);
  ++private_count_;
}

std::uint64_t GroupBuilder::body_bytes() const {
  if (entry_count_ == 0) return 0;
  return buffers_.group.size() - block_bytes + body_table_bytes(entry_count_);
}

std::uint64_t GroupBuilder::private_bytes() const {
  if (private_count_ == 0) return 0;
  return private_table_bytes(private_count_) + buffers_.privates.size();
}

std::uint64_t GroupBuilder::disk_bytes() const {
  CHECK(started_);
  const std::uint64_t payload = round_up(body_bytes(), block_bytes) + round_up(private_bytes(), block_bytes);
  return group_header_bytes(payload) + payload;
}

std::uint64_t GroupBuilder::added_bytes_max(std::uint64_t entry_bytes, std::uint64_t private_values,
                                            std::uint64_t private_value_bytes) {
  const std::uint64_t body = frame_head_bytes + entry_bytes + body_slot_bytes;
  const std::uint64_t records =
      private_values * (private_record_head_bytes + private_slot_bytes + 8) + private_value_bytes;
  // Each section may begin a block, and the map of the sectors may need another.
  const std::uint64_t payload = round_up(body + 4, block_bytes) + round_up(records + private_head_bytes, block_bytes);
  return payload + group_header_bytes(payload);
}

GroupDraft GroupBuilder::finish(base::Instant at) {
  CHECK(started_);
  GroupDraft draft;
  draft.disk_bytes_ = disk_bytes();
  draft.first_event_ = first_event_;
  draft.event_count_ = event_count_;
  draft.entry_count_ = entry_count_;
  draft.private_count_ = private_count_;
  draft.at_ = at;
  draft.buffers_ = std::move(buffers_);
  buffers_ = {};
  started_ = false;
  return draft;
}

}  // namespace store
