#include "io/simulated_inode.h"

#include <algorithm>
#include <set>
#include <utility>

namespace io {

namespace {

constexpr std::uint64_t sector_bytes = 512;

void store(base::Bytes& to, std::uint64_t offset, base::ByteView bytes) {
  if (bytes.empty()) return;
  if (to.size() < offset + bytes.size()) to.resize(static_cast<std::size_t>(offset + bytes.size()));
  std::copy(bytes.begin(), bytes.end(), to.begin() + static_cast<std::ptrdiff_t>(offset));
}

}  // namespace

void SimulatedInode::note(std::uint64_t offset, base::ByteView bytes) {
  if (bytes.empty()) return;
  pending_.push_back({Change::Kind::write, offset, base::to_bytes(bytes), bytes.size()});
}

void SimulatedInode::write(std::uint64_t offset, base::ByteView bytes) {
  store(content, offset, bytes);
  note(offset, bytes);
}

void SimulatedInode::write_lost(std::uint64_t offset, base::ByteView bytes) {
  if (bytes.empty()) return;
  store(content, offset, bytes);
  pending_.push_back({Change::Kind::lost_write, offset, {}, bytes.size()});
}

void SimulatedInode::write_flipped(std::uint64_t offset, base::ByteView bytes, SimulatedRandom& random) {
  if (bytes.empty()) return;
  store(content, offset, bytes);
  base::Bytes damaged = base::to_bytes(bytes);
  const std::uint64_t bit = random.below(damaged.size() * 8);
  damaged[static_cast<std::size_t>(bit / 8)] ^= static_cast<std::uint8_t>(1u << (bit % 8));
  note(offset, damaged);
}

void SimulatedInode::truncate(std::uint64_t size) {
  content.resize(static_cast<std::size_t>(size));
  pending_.push_back({Change::Kind::truncate, size, {}, 0});
}

bool SimulatedInode::flip(std::uint64_t offset, std::uint8_t mask) {
  if (offset >= content.size()) return false;
  const auto at = static_cast<std::size_t>(offset);
  content[at] ^= mask;
  if (at < durable.size()) durable[at] ^= mask;
  // A pending write would otherwise bring the right bit back.
  for (Change& change : pending_) {
    if (change.kind == Change::Kind::write && offset >= change.offset && offset - change.offset < change.length) {
      change.bytes[static_cast<std::size_t>(offset - change.offset)] ^= mask;
    }
  }
  return true;
}

void SimulatedInode::apply(const Change& change, base::Bytes& to) {
  switch (change.kind) {
    case Change::Kind::write:
      store(to, change.offset, change.bytes);
      break;
    case Change::Kind::lost_write:
      if (to.size() < change.offset + change.length) to.resize(static_cast<std::size_t>(change.offset + change.length));
      break;
    case Change::Kind::truncate:
      to.resize(static_cast<std::size_t>(change.offset));
      break;
  }
}

void SimulatedInode::sync() {
  for (const Change& change : pending_) apply(change, durable);
  pending_.clear();
}

bool SimulatedInode::touches(const Change& change, std::uint64_t sector) {
  const std::uint64_t begin = sector * sector_bytes;
  if (change.kind == Change::Kind::truncate) return change.offset < begin + sector_bytes;
  return change.offset < begin + sector_bytes && change.offset + change.length > begin;
}

void SimulatedInode::settle_sectors(SimulatedRandom& random) {
  // Sizes are what the file would have had after 0, 1, 2... of the changes.
  std::vector<std::uint64_t> sizes = {durable.size()};
  std::uint64_t largest = durable.size();
  std::set<std::uint64_t> touched;
  for (const Change& change : pending_) {
    const std::uint64_t end = change.offset + change.length;
    const bool cut = change.kind == Change::Kind::truncate;
    const std::uint64_t size = cut ? change.offset : std::max(sizes.back(), end);
    const std::uint64_t touched_end = cut ? std::max(largest, size) : end;
    for (std::uint64_t s = change.offset / sector_bytes; s * sector_bytes < touched_end; ++s) touched.insert(s);
    largest = std::max(largest, size);
    sizes.push_back(size);
  }

  base::Bytes settled = durable;
  settled.resize(static_cast<std::size_t>(largest));
  for (const std::uint64_t sector : touched) {
    const auto begin = static_cast<std::size_t>(sector * sector_bytes);
    const std::size_t end = std::min<std::size_t>(begin + sector_bytes, settled.size());
    if (begin >= end) continue;
    const auto versions = static_cast<std::uint64_t>(
        std::count_if(pending_.begin(), pending_.end(), [&](const Change& change) { return touches(change, sector); }));
    std::uint64_t kept = random.below(versions + 1);
    for (const Change& change : pending_) {
      if (kept == 0) break;
      if (!touches(change, sector)) continue;
      --kept;
      if (change.kind == Change::Kind::lost_write) continue;
      const auto from = std::max<std::uint64_t>(begin, change.offset);
      if (change.kind == Change::Kind::truncate) {
        std::fill(settled.begin() + static_cast<std::ptrdiff_t>(from),
                  settled.begin() + static_cast<std::ptrdiff_t>(end), std::uint8_t{0});
        continue;
      }
      const std::uint64_t to = std::min<std::uint64_t>(end, change.offset + change.length);
      std::copy(change.bytes.begin() + static_cast<std::ptrdiff_t>(from - change.offset),
                change.bytes.begin() + static_cast<std::ptrdiff_t>(to - change.offset),
                settled.begin() + static_cast<std::ptrdiff_t>(from));
    }
  }
  settled.resize(static_cast<std::size_t>(sizes[static_cast<std::size_t>(random.below(sizes.size()))]));
  durable = std::move(settled);
  pending_.clear();
}

void SimulatedInode::settle(CrashMode mode, SimulatedRandom& random) {
  if (pending_.empty()) return;
  if (mode == CrashMode::lose_all) {
    pending_.clear();
  } else if (mode == CrashMode::keep_all) {
    sync();
  } else {
    // Everything or nothing or "up to here" are as likely in life as a lottery of sectors, and the lottery alone would
    // almost never try them on large writes.
    switch (random.below(4)) {
      case 0:
        pending_.clear();
        break;
      case 1:
        sync();
        break;
      case 2:
        pending_.erase(pending_.begin() + static_cast<std::ptrdiff_t>(random.below(pending_.size() + 1)),
                       pending_.end());
        sync();
        break;
      default:
        settle_sectors(random);
        break;
    }
  }
}

void SimulatedInode::drop_dirty(SimulatedRandom& random) { settle(CrashMode::random, random); }

void SimulatedInode::crash(CrashMode mode, SimulatedRandom& random) {
  settle(mode, random);
  content = durable;
}

}  // namespace io
