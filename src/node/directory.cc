#include "node/directory.h"

#include <cstring>

#include "base/check.h"
#include "model/account.h"

namespace node {

Directory::Directory() {
  for (Shard& shard : shards_) shard.slots.resize(16);
  memory_bytes_ = shard_count * 16 * sizeof(Slot);
}

Directory::~Directory() {
  for (auto& block : blocks_) delete[] block.load();
}

const Directory::Name& Directory::at(model::AccountNumber number) const {
  const std::size_t index = number - 1;
  return blocks_[index / block_names].load(std::memory_order_acquire)[index % block_names];
}

model::AccountNumber Directory::find(model::TenantNumber tenant, std::string_view name, std::uint64_t hash) const {
  const Shard& shard = shards_[shard_of(hash)];
  const auto tag = static_cast<std::uint32_t>(hash);
  const std::size_t mask = shard.slots.size() - 1;
  for (std::size_t i = tag & mask;; i = (i + 1) & mask) {
    const Slot& slot = shard.slots[i];
    if (slot.number == 0) return 0;
    if (slot.tag != tag) continue;
    const Name& known = at(slot.number);
    if (known.tenant == tenant && std::string_view(known.text, known.size) == name) return slot.number;
  }
}

void Directory::prefetch_slot(std::uint64_t hash) const {
  const Shard& shard = shards_[shard_of(hash)];
  __builtin_prefetch(&shard.slots[static_cast<std::uint32_t>(hash) & (shard.slots.size() - 1)]);
}

model::AccountNumber Directory::likely(std::uint64_t hash) const {
  const Shard& shard = shards_[shard_of(hash)];
  const Slot& slot = shard.slots[static_cast<std::uint32_t>(hash) & (shard.slots.size() - 1)];
  return slot.tag == static_cast<std::uint32_t>(hash) ? slot.number : 0;
}

void Directory::prefetch_record(std::uint64_t hash) const {
  if (const model::AccountNumber number = likely(hash); number != 0) __builtin_prefetch(&at(number));
}

void Directory::prefetch_text(std::uint64_t hash) const {
  if (const model::AccountNumber number = likely(hash); number != 0) __builtin_prefetch(at(number).text);
}

void Directory::grow(Shard& shard) {
  std::vector<Slot> larger(shard.slots.size() * 2);
  const std::size_t mask = larger.size() - 1;
  for (const Slot& slot : shard.slots) {
    if (slot.number == 0) continue;
    std::size_t i = slot.tag & mask;
    while (larger[i].number != 0) i = (i + 1) & mask;
    larger[i] = slot;
  }
  memory_bytes_.fetch_add(shard.slots.size() * sizeof(Slot), std::memory_order_relaxed);
  shard.slots.swap(larger);
}

void Directory::open(model::TenantNumber tenant, std::string_view name, std::uint64_t hash) {
  CHECK(name.size() <= model::account_name_size_max);
  const std::uint32_t index = published_.load(std::memory_order_relaxed);
  CHECK_THAT(index < blocks_max * block_names, "the bound on accounts lies below what the directory can hold");
  auto& block = blocks_[index / block_names];
  if (index % block_names == 0) {
    block.store(new Name[block_names], std::memory_order_release);
    memory_bytes_.fetch_add(block_names * sizeof(Name), std::memory_order_relaxed);
  }
  if (arena_bytes - arena_used_ < name.size()) {
    arenas_.push_back(std::make_unique<char[]>(arena_bytes));
    arena_used_ = 0;
    memory_bytes_.fetch_add(arena_bytes, std::memory_order_relaxed);
  }
  char* text = arenas_.back().get() + arena_used_;
  std::memcpy(text, name.data(), name.size());
  arena_used_ += name.size();
  block.load(std::memory_order_relaxed)[index % block_names] = {text, tenant, static_cast<std::uint16_t>(name.size())};
  published_.store(index + 1, std::memory_order_release);

  Shard& shard = shards_[shard_of(hash)];
  if (++shard.used * 4 > shard.slots.size() * 3) grow(shard);
  const std::size_t mask = shard.slots.size() - 1;
  std::size_t i = static_cast<std::uint32_t>(hash) & mask;
  while (shard.slots[i].number != 0) i = (i + 1) & mask;
  shard.slots[i] = {static_cast<std::uint32_t>(hash), index + 1};
}

std::string_view Directory::name_of(model::AccountNumber number) const {
  if (number == 0 || number > size()) return {};
  const Name& name = at(number);
  return {name.text, name.size};
}

model::TenantNumber Directory::tenant_of(model::AccountNumber number) const {
  return number == 0 || number > size() ? 0 : at(number).tenant;
}

}  // namespace node
