#pragma once
// How long the disk takes to make a small write durable: what every single transfer waits for.

#include <cstdint>
#include <string>

#include "base/result.h"
#include "io/file.h"

namespace holdfast {

struct SyncTime {
  std::uint64_t median_ns = 0;
  std::uint64_t worst_ns = 0;
  std::uint32_t count = 0;
};

/// Writes and syncs 4096 bytes `count` times into a zero-written file in `directory`, which is removed again. Errors: those
/// of io/file.h.
base::Result<SyncTime> measure_sync_time(io::FileSystem& files, const std::string& directory, std::uint32_t count = 64);

}  // namespace holdfast
