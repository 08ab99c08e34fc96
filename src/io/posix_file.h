#pragma once
// The real disk.

#include "io/file.h"

namespace io {

/// Linux files: pread, pwrite, fdatasync, flock. Short transfers and interruptions are handled here.
class RealFileSystem final : public FileSystem {
 public:
  base::Result<std::unique_ptr<File>> open(const std::string& path, OpenMode mode,
                                           std::uint32_t permissions = 0600) override;
  base::Result<bool> exists(const std::string& path) override;
  base::Result<std::vector<std::string>> list(const std::string& directory) override;
  base::Status rename(const std::string& from, const std::string& to) override;
  base::Status remove(const std::string& path) override;
  base::Status make_dir(const std::string& path, std::uint32_t permissions = 0700) override;
  base::Status sync_dir(const std::string& directory) override;
  base::Result<std::uint64_t> free_space(const std::string& path) override;
  base::Result<std::unique_ptr<FileLock>> lock_exclusive(const std::string& path) override;
  base::Result<FileInfo> info(const std::string& path) override;
};

}  // namespace io
