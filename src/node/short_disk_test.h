#pragma once
// A full disk under a service on real files, for the tests of node.

#include <atomic>
#include <memory>
#include <string>
#include <vector>

#include "io/posix_file.h"

namespace node {

/// Real files without room for another segment of the journal, while it is told to have none.
class ShortDisk final : public io::FileSystem {
 public:
  std::atomic<bool> is_short{false};

  base::Result<std::unique_ptr<io::File>> open(const std::string& path, io::OpenMode mode, std::uint32_t permissions) override {
    const bool is_new_segment = mode == io::OpenMode::create_new && path.find("/journal/") != std::string::npos;
    if (is_short && is_new_segment) return base::Error{"disk_full", "no room for a segment"};
    return disk_.open(path, mode, permissions);
  }
  base::Result<bool> exists(const std::string& path) override { return disk_.exists(path); }
  base::Result<std::vector<std::string>> list(const std::string& directory) override { return disk_.list(directory); }
  base::Status rename(const std::string& from, const std::string& to) override { return disk_.rename(from, to); }
  base::Status remove(const std::string& path) override { return disk_.remove(path); }
  base::Status make_dir(const std::string& path, std::uint32_t permissions) override { return disk_.make_dir(path, permissions); }
  base::Status sync_dir(const std::string& directory) override { return disk_.sync_dir(directory); }
  base::Result<std::uint64_t> free_space(const std::string& path) override { return disk_.free_space(path); }
  base::Result<std::unique_ptr<io::FileLock>> lock_exclusive(const std::string& path) override { return disk_.lock_exclusive(path); }
  base::Result<io::FileInfo> info(const std::string& path) override { return disk_.info(path); }

 private:
  io::RealFileSystem disk_;
};

}  // namespace node
