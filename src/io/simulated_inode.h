#pragma once
// One file of the simulated disk: what readers see, what is on the medium, and the writes in between. Private to
// simulated_file.cc.

#include <cstdint>
#include <vector>

#include "base/bytes.h"
#include "io/random.h"
#include "io/simulated_file.h"

namespace io {

/// One thread at a time (the disk's lock).
struct SimulatedInode {
  bool directory = false;
  std::uint32_t mode = 0;
  bool owned_by_this_user = true;
  base::Bytes content;  ///< what readers see
  base::Bytes durable;  ///< what is on the medium for certain

  void write(std::uint64_t offset, base::ByteView bytes);
  /// Readers see it; the medium gets the size but never the bytes.
  void write_lost(std::uint64_t offset, base::ByteView bytes);
  /// Readers see it; the medium gets it with one bit changed.
  void write_flipped(std::uint64_t offset, base::ByteView bytes, SimulatedRandom& random);
  void truncate(std::uint64_t size);
  /// False if there is no byte at `offset`.
  bool flip(std::uint64_t offset, std::uint8_t mask);
  /// All pending writes reach the medium.
  void sync();
  /// A failed sync: the medium gets whatever it happens to get, nothing is pending any more, readers notice nothing.
  void drop_dirty(SimulatedRandom& random);
  /// The medium keeps what `mode` says; readers see the medium again.
  void crash(CrashMode mode, SimulatedRandom& random);

 private:
  struct Change {
    enum class Kind { write, lost_write, truncate } kind;
    std::uint64_t offset;  ///< of a truncate: the new size
    base::Bytes bytes;
    std::uint64_t length;  ///< of a lost write too, which carries no bytes
  };

  void note(std::uint64_t offset, base::ByteView bytes);
  static bool touches(const Change& change, std::uint64_t sector);
  static void apply(const Change& change, base::Bytes& to);
  /// Each touched sector of the medium keeps a random one of its versions; the size too.
  void settle_sectors(SimulatedRandom& random);
  void settle(CrashMode mode, SimulatedRandom& random);

  std::vector<Change> pending_;
};

}  // namespace io
