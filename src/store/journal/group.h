#pragma once
// Groups as they lie on disk: finding things in one, and finding what is wrong with one.

#include <memory>
#include <optional>
#include <vector>

#include "audit/merkle.h"
#include "base/bytes.h"
#include "base/result.h"
#include "model/entry.h"
#include "store/journal/group_builder.h"
#include "store/journal/layout.h"

namespace store {

/// One entry as stored: its place and its canonical bytes (model::decode_entry).
struct StoredEntry {
  model::EventNumber first_event = 0;
  std::uint32_t event_count = 0;
  base::Bytes bytes;
};

/// The same without a copy; `bytes` points into the group.
struct EntryView {
  model::EventNumber first_event = 0;
  std::uint32_t event_count = 0;
  base::ByteView bytes;
};

/// A personal value as stored.
struct StoredPrivate {
  model::EventNumber event = 0;
  model::PrivateField field = model::PrivateField::account_name;
  bool erased = false;  ///< salt and value are zeros then (the value keeps its length)
  base::Tag128 salt{};
  base::Bytes value;
};

// Frames in the body: u32 length of the entry, u32 events in it, u32 crc32c over both and the entry; then the entry.
constexpr std::uint64_t frame_head_bytes = 12;

struct FrameHead {
  std::uint32_t entry_bytes = 0;
  std::uint32_t event_count = 0;
  std::uint32_t crc = 0;
};
FrameHead load_frame_head(const std::uint8_t* from);
/// True if the crc of the frame that begins at `frame` is right; it has frame_head_bytes + entry_bytes bytes.
bool frame_intact(base::ByteView frame);
/// Sets the head of a frame whose entry bytes are in place.
void store_frame_head(std::span<std::uint8_t> frame, std::uint32_t event_count);

// Offset table at the end of a body, one slot for each 64 entries: u32 event - first event, u32 frame offset; then a
// u32 crc32c of the slots.
constexpr std::uint64_t body_slot_bytes = 8;
std::uint64_t body_table_bytes(std::uint64_t entry_count);
void append_body_table(base::Bytes& out, std::span<const Slot> slots, model::EventNumber first_event);
/// Nothing if the table is damaged. `table` is exactly the table.
std::optional<std::vector<Slot>> decode_body_table(base::ByteView table, const GroupHeader& header);

// The private section: u32 number of records, u32 crc32c of number and slots; a slot for each 64 records: u64 event,
// u64 offset from the first record; then the records. Everything is a multiple of 8 bytes.
constexpr std::uint64_t private_slot_bytes = 16;
constexpr std::uint64_t private_head_bytes = 8;
std::uint64_t private_table_bytes(std::uint64_t record_count);
void append_private_table(base::Bytes& out, std::span<const Slot> slots, std::uint32_t record_count);
/// Nothing if the table is damaged. `table` is exactly number, crc and slots.
std::optional<std::vector<Slot>> decode_private_table(base::ByteView table, std::uint32_t record_count);

// A private record: u64 event, u8 field, 3 zeros, u32 length of the value | u32 state, u32 crc32c of the first 16 bytes
// | u32 crc32c of salt, value and padding, u32 zero | salt | value | zeros to a multiple of 8. The state is one aligned
// word, so that a disk writes it whole; it changes once, from present to erased, before everything after it is zeroed.
constexpr std::uint64_t private_record_head_bytes = 48;
constexpr std::uint32_t private_present = 0x56'49'4C'2B;  // "+LIV"
constexpr std::uint32_t private_erased = 0x45'4E'4F'47;   // "GONE"
constexpr std::uint64_t private_state_at = 16;
constexpr std::uint64_t private_erasable_at = 24;  ///< from here on an erased record is zeros

struct PrivateRecordHead {
  model::EventNumber event = 0;
  std::uint8_t field = 0;
  std::uint32_t value_bytes = 0;
  std::uint32_t state = 0;
  std::uint64_t record_bytes() const { return private_record_head_bytes + round_up(value_bytes, 8); }
};
/// Nothing if the fixed part is damaged or the state is none.
std::optional<PrivateRecordHead> decode_private_record_head(base::ByteView record);
void append_private_record(base::Bytes& out, const model::PrivateValue& value);

enum class PrivateRecordState { present, erased, erase_unfinished, damaged };
/// `record` is the whole record that decode_private_record_head described.
PrivateRecordState check_private_record(base::ByteView record);
StoredPrivate decode_private_record(base::ByteView record, const PrivateRecordHead& head);

/// What is wrong with a group, where, and whether lost sectors explain it.
struct GroupFault {
  std::uint64_t offset = 0;  ///< from the start of the group
  const char* what = "";     ///< part of a sentence: "entry frame", "padding after the body"
  bool lost = false;         ///< every failing part overlaps a sector that was written and now holds zeros
};

/// How thorough check_group is.
struct GroupCheck {
  bool body_hash = false;               ///< also SHA-256 of the body (costs three quarters of a microsecond a KiB)
  bool allow_unfinished_erases = true;  ///< false: a record whose erasing was interrupted is a fault
};

/// Looks at every byte of a group: map, frames, table, private records, all padding. Nothing if it is sound. A fault
/// that lost sectors do not explain is reported before one that they do. `group` has header.group_bytes() bytes and
/// `header` is its decoded first sector.
std::optional<GroupFault> check_group(base::ByteView group, const GroupHeader& header, const GroupCheck& how);

/// Visits the entries of a body that was checked. `visit` returns a Status; the first error ends it.
template <typename Visit>
base::Status for_each_entry_in(base::ByteView group, const GroupHeader& header, Visit&& visit) {
  std::uint64_t at = header.body_begin();
  model::EventNumber event = header.first_event;
  for (std::uint32_t i = 0; i < header.entry_count; ++i) {
    const FrameHead head = load_frame_head(group.data() + at);
    TRY(visit(EntryView{event, head.event_count, group.subspan(at + frame_head_bytes, head.entry_bytes)}));
    at += frame_head_bytes + head.entry_bytes;
    event += head.event_count;
  }
  return base::ok();
}

/// Visits the private records of a group that was checked.
template <typename Visit>
base::Status for_each_private_in(base::ByteView group, const GroupHeader& header, Visit&& visit) {
  const base::ByteView section = group.subspan(header.private_begin(), header.private_bytes);
  std::uint64_t at = private_table_bytes(header.private_count);
  while (at < section.size()) {
    const auto head = decode_private_record_head(section.subspan(at));
    CHECK(head.has_value());
    TRY(visit(decode_private_record(section.subspan(at, head->record_bytes()), *head)));
    at += head->record_bytes();
  }
  return base::ok();
}

/// The slot behind which an event's entry or private records begin: the last one that starts before `event` or, where
/// an entry starts with it, there. `slots` is not empty and its first slot is not behind the event.
std::size_t slot_of_entry(std::span<const Slot> slots, model::EventNumber event);
std::size_t slot_of_private(std::span<const Slot> slots, model::EventNumber event);

/// A durable group in memory, immutable: what the journal thread hands on after the sync. Personal values in it are as
/// they were written; erasing changes the disk only, so nobody keeps one for long. Any thread.
class SealedGroup {
 public:
  SealedGroup(GroupBufferPool::Buffers buffers, const GroupHeader& header, const base::Digest& header_hash,
              const audit::Frontier& frontier, std::shared_ptr<GroupBufferPool> pool);
  ~SealedGroup();
  SealedGroup(const SealedGroup&) = delete;
  SealedGroup& operator=(const SealedGroup&) = delete;

  const GroupHeader& header() const { return header_; }
  const base::Digest& header_hash() const { return header_hash_; }
  /// The audit log right after this group.
  const audit::Frontier& frontier() const { return frontier_; }
  /// As on disk.
  base::ByteView bytes() const { return buffers_.group; }
  /// Leaf hashes of its events.
  std::span<const base::Digest> leaf_hashes() const { return buffers_.leaves; }
  /// The entry that holds this event. Errors: event_not_in_group.
  base::Result<EntryView> find_entry(model::EventNumber event) const;
  /// Nothing if the event has no such value.
  std::optional<StoredPrivate> private_value(model::EventNumber event, model::PrivateField field) const;

 private:
  GroupBufferPool::Buffers buffers_;
  GroupHeader header_;
  base::Digest header_hash_;
  audit::Frontier frontier_;
  std::shared_ptr<GroupBufferPool> pool_;
};

}  // namespace store
