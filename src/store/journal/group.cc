#include "store/journal/group.h"

#include <algorithm>
#include <cstring>
#include <string>

#include "base/check.h"
#include "base/planted_bug.h"

namespace store {

FrameHead load_frame_head(const std::uint8_t* from) {
  return {base::load_le<std::uint32_t>(from), base::load_le<std::uint32_t>(from + 4),
          base::load_le<std::uint32_t>(from + 8)};
}

bool frame_intact(base::ByteView frame) {
  const std::uint32_t crc = base::crc32c(frame.subspan(frame_head_bytes), base::crc32c(frame.first(8)));
  return crc == base::load_le<std::uint32_t>(frame.data() + 8) || base::planted_bug(18);
}

void store_frame_head(std::span<std::uint8_t> frame, std::uint32_t event_count) {
  base::store_le(frame.data(), static_cast<std::uint32_t>(frame.size() - frame_head_bytes));
  base::store_le(frame.data() + 4, event_count);
  const base::ByteView bytes = frame;
  base::store_le(frame.data() + 8, base::crc32c(bytes.subspan(frame_head_bytes), base::crc32c(bytes.first(8))));
}

std::uint64_t body_table_bytes(std::uint64_t entry_count) {
  if (entry_count == 0) return 0;
  return round_up(entry_count, entries_per_slot) / entries_per_slot * body_slot_bytes + 4;
}

void append_body_table(base::Bytes& out, std::span<const Slot> slots, model::EventNumber first_event) {
  const std::size_t at = out.size();
  out.resize(at + slots.size() * body_slot_bytes + 4);
  std::uint8_t* to = out.data() + at;
  for (const Slot& slot : slots) {
    base::store_le(to, static_cast<std::uint32_t>(slot.event - first_event));
    base::store_le(to + 4, static_cast<std::uint32_t>(slot.offset));
    to += body_slot_bytes;
  }
  base::store_le(to, base::crc32c({out.data() + at, slots.size() * body_slot_bytes}));
}

std::optional<std::vector<Slot>> decode_body_table(base::ByteView table, const GroupHeader& header) {
  if (table.size() != body_table_bytes(header.entry_count)) return std::nullopt;
  std::vector<Slot> slots;
  if (table.empty()) return slots;
  const std::size_t slots_bytes = table.size() - 4;
  if (base::crc32c(table.first(slots_bytes)) != base::load_le<std::uint32_t>(table.data() + slots_bytes))
    return std::nullopt;
  slots.reserve(slots_bytes / body_slot_bytes);
  for (std::size_t at = 0; at < slots_bytes; at += body_slot_bytes) {
    const Slot slot{header.first_event + base::load_le<std::uint32_t>(table.data() + at),
                    base::load_le<std::uint32_t>(table.data() + at + 4)};
    const bool first = slots.empty();
    if (first ? slot.offset != 0 || slot.event != header.first_event
              : slot.offset <= slots.back().offset || slot.event <= slots.back().event) {
      return std::nullopt;
    }
    if (slot.offset >= header.table_offset) return std::nullopt;
    slots.push_back(slot);
  }
  return slots;
}

std::uint64_t private_table_bytes(std::uint64_t record_count) {
  if (record_count == 0) return 0;
  return private_head_bytes + round_up(record_count, entries_per_slot) / entries_per_slot * private_slot_bytes;
}

void append_private_table(base::Bytes& out, std::span<const Slot> slots, std::uint32_t record_count) {
  const std::size_t at = out.size();
  out.resize(at + private_head_bytes + slots.size() * private_slot_bytes);
  std::uint8_t* to = out.data() + at + private_head_bytes;
  for (const Slot& slot : slots) {
    base::store_le(to, slot.event);
    base::store_le(to + 8, slot.offset);
    to += private_slot_bytes;
  }
  std::uint8_t* head = out.data() + at;
  base::store_le(head, record_count);
  const std::uint32_t crc =
      base::crc32c({head + private_head_bytes, slots.size() * private_slot_bytes}, base::crc32c({head, 4}));
  base::store_le(head + 4, crc);
}

std::optional<std::vector<Slot>> decode_private_table(base::ByteView table, std::uint32_t record_count) {
  if (table.size() != private_table_bytes(record_count) || record_count == 0) return std::nullopt;
  const base::ByteView stored = table.subspan(private_head_bytes);
  if (base::load_le<std::uint32_t>(table.data()) != record_count) return std::nullopt;
  if (base::crc32c(stored, base::crc32c(table.first(4))) != base::load_le<std::uint32_t>(table.data() + 4)) {
    return std::nullopt;
  }
  std::vector<Slot> slots;
  slots.reserve(stored.size() / private_slot_bytes);
  for (std::size_t at = 0; at < stored.size(); at += private_slot_bytes) {
    const Slot slot{base::load_le<std::uint64_t>(stored.data() + at),
                    base::load_le<std::uint64_t>(stored.data() + at + 8)};
    if (slots.empty() ? slot.offset != 0 : slot.offset <= slots.back().offset || slot.event < slots.back().event) {
      return std::nullopt;
    }
    slots.push_back(slot);
  }
  return slots;
}

void append_private_record(base::Bytes& out, const model::PrivateValue& value) {
  const std::size_t at = out.size();
  out.resize(at + private_record_head_bytes + round_up(value.value.size(), 8));
  std::uint8_t* to = out.data() + at;
  base::store_le(to, value.event);
  to[8] = static_cast<std::uint8_t>(value.field);
  base::store_le(to + 12, static_cast<std::uint32_t>(value.value.size()));
  base::store_le(to + private_state_at, private_present);
  base::store_le(to + 20, base::crc32c({to, 16}));
  std::memcpy(to + 32, value.salt.data(), value.salt.size());
  if (!value.value.empty()) std::memcpy(to + private_record_head_bytes, value.value.data(), value.value.size());
  base::store_le(to + 24, base::crc32c({to + 32, out.size() - at - 32}));
}

std::optional<PrivateRecordHead> decode_private_record_head(base::ByteView record) {
  if (record.size() < private_record_head_bytes) return std::nullopt;
  const std::uint8_t* from = record.data();
  if (base::crc32c(record.first(16)) != base::load_le<std::uint32_t>(from + 20)) return std::nullopt;
  PrivateRecordHead head;
  head.event = base::load_le<std::uint64_t>(from);
  head.field = from[8];
  head.value_bytes = base::load_le<std::uint32_t>(from + 12);
  head.state = base::load_le<std::uint32_t>(from + private_state_at);
  if (!all_zeros(record.subspan(9, 3))) return std::nullopt;
  if (head.state != private_present && head.state != private_erased) return std::nullopt;
  return head;
}

PrivateRecordState check_private_record(base::ByteView record) {
  const auto head = decode_private_record_head(record);
  if (!head || record.size() != head->record_bytes()) return PrivateRecordState::damaged;
  if (head->state == private_erased) {
    return all_zeros(record.subspan(private_erasable_at)) ? PrivateRecordState::erased
                                                          : PrivateRecordState::erase_unfinished;
  }
  const bool intact = base::crc32c(record.subspan(32)) == base::load_le<std::uint32_t>(record.data() + 24) &&
                      base::load_le<std::uint32_t>(record.data() + 28) == 0 &&
                      all_zeros(record.subspan(private_record_head_bytes + head->value_bytes));
  return intact ? PrivateRecordState::present : PrivateRecordState::damaged;
}

StoredPrivate decode_private_record(base::ByteView record, const PrivateRecordHead& head) {
  StoredPrivate value;
  value.event = head.event;
  value.field = static_cast<model::PrivateField>(head.field);
  value.erased = head.state == private_erased;
  if (value.erased) {
    value.value.resize(head.value_bytes);
  } else {
    std::memcpy(value.salt.data(), record.data() + 32, value.salt.size());
    value.value = base::to_bytes(record.subspan(private_record_head_bytes, head.value_bytes));
  }
  return value;
}

std::size_t slot_of_entry(std::span<const Slot> slots, model::EventNumber event) {
  const auto after = std::upper_bound(slots.begin(), slots.end(), event,
                                      [](model::EventNumber e, const Slot& slot) { return e < slot.event; });
  CHECK(after != slots.begin());
  return static_cast<std::size_t>(after - slots.begin()) - 1;
}

std::size_t slot_of_private(std::span<const Slot> slots, model::EventNumber event) {
  // Several records may belong to one event, so its first may lie before the slot that names it.
  const auto at = std::lower_bound(slots.begin(), slots.end(), event,
                                   [](const Slot& slot, model::EventNumber e) { return slot.event < e; });
  return at == slots.begin() ? 0 : static_cast<std::size_t>(at - slots.begin()) - 1;
}

SealedGroup::SealedGroup(GroupBufferPool::Buffers buffers, const GroupHeader& header, const base::Digest& header_hash,
                         const audit::Frontier& frontier, std::shared_ptr<GroupBufferPool> pool)
    : buffers_(std::move(buffers)),
      header_(header),
      header_hash_(header_hash),
      frontier_(frontier),
      pool_(std::move(pool)) {}

SealedGroup::~SealedGroup() { pool_->give_back(std::move(buffers_)); }

base::Result<EntryView> SealedGroup::find_entry(model::EventNumber event) const {
  if (event < header_.first_event || event >= header_.next_event()) {
    return base::Error{"event_not_in_group",
                       "event " + std::to_string(event) + " is not in group " + std::to_string(header_.group)};
  }
  const base::ByteView group = buffers_.group;
  // The bytes were hashed from this very buffer: its table is right unless we are wrong.
  const auto slots = decode_body_table(
      group.subspan(header_.body_begin() + header_.table_offset, header_.body_bytes - header_.table_offset), header_);
  CHECK(slots.has_value());
  const Slot& slot = (*slots)[slot_of_entry(*slots, event)];
  model::EventNumber first = slot.event;
  std::uint64_t at = header_.body_begin() + slot.offset;
  while (true) {
    const FrameHead head = load_frame_head(group.data() + at);
    if (event < first + head.event_count) {
      CHECK_THAT(frame_intact(group.subspan(at, frame_head_bytes + head.entry_bytes)), "a sealed group is immutable");
      return EntryView{first, head.event_count, group.subspan(at + frame_head_bytes, head.entry_bytes)};
    }
    first += head.event_count;
    at += frame_head_bytes + head.entry_bytes;
  }
}

std::optional<StoredPrivate> SealedGroup::private_value(model::EventNumber event, model::PrivateField field) const {
  if (header_.private_count == 0) return std::nullopt;
  const base::ByteView section = bytes().subspan(header_.private_begin(), header_.private_bytes);
  const base::ByteView records = section.subspan(private_table_bytes(header_.private_count));
  const auto slots = decode_private_table(section.first(section.size() - records.size()), header_.private_count);
  CHECK(slots.has_value());
  for (std::uint64_t at = (*slots)[slot_of_private(*slots, event)].offset; at < records.size();) {
    const auto head = decode_private_record_head(records.subspan(at));
    CHECK(head.has_value());
    if (head->event > event) break;
    if (head->event == event && head->field == static_cast<std::uint8_t>(field)) {
      return decode_private_record(records.subspan(at, head->record_bytes()), *head);
    }
    at += head->record_bytes();
  }
  return std::nullopt;
}

}  // namespace store
