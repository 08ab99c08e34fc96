#include "apps/holdfast/sync_time.h"

#include <algorithm>
#include <chrono>
#include <vector>

namespace holdfast {

base::Result<SyncTime> measure_sync_time(io::FileSystem& files, const std::string& directory, std::uint32_t count) {
  constexpr std::uint64_t block = 4096;
  const std::string path = io::join_path(directory, ".sync-time");
  TRY_ASSIGN(const bool left_over, files.exists(path));
  if (left_over) TRY(files.remove(path));
  TRY_ASSIGN(auto file, files.open(path, io::OpenMode::create_new));
  std::vector<std::uint64_t> times;
  const auto measure = [&]() -> base::Status {
    TRY(file->zero_fill(0, block * count));
    TRY(file->sync_data());
    const base::Bytes bytes(block, 0x5a);
    for (std::uint32_t i = 0; i < count; ++i) {
      const auto began = std::chrono::steady_clock::now();
      TRY(file->write_at(block * i, bytes));
      TRY(file->sync_data());
      times.push_back(static_cast<std::uint64_t>((std::chrono::steady_clock::now() - began).count()));
    }
    return base::ok();
  };
  const base::Status measured = measure();
  file.reset();
  TRY(files.remove(path));
  TRY(measured);
  std::ranges::sort(times);
  return SyncTime{.median_ns = times[times.size() / 2], .worst_ns = times.back(), .count = count};
}

}  // namespace holdfast
