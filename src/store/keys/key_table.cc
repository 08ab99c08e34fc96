#include "store/keys/key_table.h"

#include <algorithm>
#include <cstring>

#include "base/check.h"

namespace store {

namespace {
// Seven of ten places used at the most: misses end after two or three bytes of tags.
constexpr std::uint64_t homes_for(std::uint64_t keys) { return std::max<std::uint64_t>(keys + keys / 7 * 3 + 16, 64); }
}  // namespace

KeyTable::KeyTable(std::uint32_t keys)
    : homes_(homes_for(keys)), places_(homes_ + tail), tags_(places_ + 1), slots_(places_ + 1) {}

std::uint64_t KeyTable::place_of(const KeyRecord& key) const {
  const std::uint8_t tag = tag_of(key);
  std::uint64_t place = scale_to(key.high, homes_);
  // tags_[places_] is always free and ends every search.
  for (; tags_[place] != 0; ++place) {
    if (tags_[place] != tag) continue;
    const KeyRecord& slot = slots_[place];
    if (slot.high == key.high && slot.low == key.low && ((slot.word ^ key.word) & ~many_bit) >> 56 == 0) break;
  }
  return place;
}

void KeyTable::insert(const KeyRecord& record) {
  if (used_ * 8 >= homes_ * 7) grow();
  std::uint64_t place = place_of(record);
  while (place == places_) {
    grow();
    place = place_of(record);
  }
  ++size_;
  if (tags_[place] != 0) {
    append_event(slots_[place], record.event());
    return;
  }
  tags_[place] = tag_of(record);
  slots_[place] = record;
  ++used_;
}

void KeyTable::append_event(KeyRecord& slot, model::EventNumber event) {
  if ((slot.word & many_bit) == 0) {
    many_.push_back({slot.event()});
    slot.word = (slot.word >> 56 << 56) | many_bit | (many_.size() - 1);
  }
  std::vector<model::EventNumber>& events = many_[slot.event()];
  CHECK_THAT(events.back() <= event, "events of a key come in order");
  events.push_back(event);
}

model::EventNumber KeyTable::find(const KeyRecord& key) const {
  const std::uint64_t place = place_of(key);
  if (tags_[place] == 0) return 0;
  const KeyRecord& slot = slots_[place];
  return (slot.word & many_bit) == 0 ? slot.event() : many_[slot.event()].front();
}

void KeyTable::find_all(const KeyRecord& key, model::EventNumber after, std::size_t limit,
                        std::vector<model::EventNumber>& out) const {
  const std::uint64_t place = place_of(key);
  if (tags_[place] == 0) return;
  const KeyRecord& slot = slots_[place];
  if ((slot.word & many_bit) == 0) {
    if (slot.event() > after && out.size() < limit) out.push_back(slot.event());
    return;
  }
  const std::vector<model::EventNumber>& events = many_[slot.event()];
  for (auto at = std::upper_bound(events.begin(), events.end(), after); at != events.end() && out.size() < limit; ++at) {
    out.push_back(*at);
  }
}

void KeyTable::put(const KeyRecord& slot) {
  std::uint64_t place = scale_to(slot.high, homes_);
  while (tags_[place] != 0) ++place;
  CHECK(place <= places_);
  tags_[place] = tag_of(slot);
  slots_[place] = slot;
}

void KeyTable::grow() {
  const ZeroedArray<std::uint8_t> tags = std::move(tags_);
  const ZeroedArray<KeyRecord> slots = std::move(slots_);
  // All of them fit past the last home, so that even keys that crowd at the end find a place.
  homes_ *= 2;
  places_ = homes_ + std::max(tail, 2 * used_);
  tags_ = ZeroedArray<std::uint8_t>(places_ + 1);
  slots_ = ZeroedArray<KeyRecord>(places_ + 1);
  for (std::uint64_t place = 0; place < tags.size(); ++place) {
    if (tags[place] != 0) put(slots[place]);
  }
}

std::uint64_t KeyTable::memory_bytes() const {
  return tags_.bytes() + slots_.bytes() + (size_ - used_) * sizeof(model::EventNumber) + many_.capacity() * sizeof many_[0];
}

void KeyTable::provide_memory() {
  CHECK(size_ == 0);
  std::memset(tags_.data(), 0, tags_.bytes());
  std::memset(static_cast<void*>(slots_.data()), 0, slots_.bytes());
}

void KeyTable::reset() {
  std::memset(tags_.data(), 0, tags_.bytes());
  used_ = 0;
  size_ = 0;
  many_.clear();
}

bool KeyTableScan::load_cluster() {
  const std::uint8_t* tags = table_.tags_.data();
  while (place_ < table_.places_ && tags[place_] == 0) ++place_;
  if (place_ == table_.places_) return false;
  cluster_.clear();
  at_ = 0;
  for (; tags[place_] != 0; ++place_) cluster_.push_back(table_.slots_[place_]);
  // Where keys are equal, words without the flag order by kind, and a table holds each kind of a key once.
  std::sort(cluster_.begin(), cluster_.end(), [](const KeyRecord& a, const KeyRecord& b) {
    if (a.high != b.high) return a.high < b.high;
    if (a.low != b.low) return a.low < b.low;
    return (a.word & ~KeyTable::many_bit) < (b.word & ~KeyTable::many_bit);
  });
  return true;
}

bool KeyTableScan::next(KeyRecord& record) {
  if (at_ == cluster_.size() && !load_cluster()) return false;
  const KeyRecord& slot = cluster_[at_];
  record = slot;
  if ((slot.word & KeyTable::many_bit) == 0) {
    ++at_;
    return true;
  }
  const std::vector<model::EventNumber>& events = table_.many_[slot.event()];
  record.word = ((slot.word & ~KeyTable::many_bit) >> 56 << 56) | events[in_many_];
  if (++in_many_ == events.size()) {
    in_many_ = 0;
    ++at_;
  }
  return true;
}

}  // namespace store
