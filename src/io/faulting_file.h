#pragma once
// A disk that fails where it is told to, laid over any other: for failing the k-th call of code that runs on real
// files.

#include "io/call_faults.h"
#include "io/file.h"

namespace io {

/// Passes calls on to `below`, which must outlive it and everything opened through it. A call with a fault planned does
/// not reach `below`, except that torn_write passes on the first half of the bytes and flipped_write all of them with
/// one bit changed; a power loss here is an io_error that lasts (what is lost then is decided by SimulatedFileSystem).
class FaultingFileSystem final : public FileSystem {
 public:
  explicit FaultingFileSystem(FileSystem& below) : below_(below) {}

  CallFaults& faults() { return faults_; }

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

 private:
  FileSystem& below_;
  CallFaults faults_;
};

}  // namespace io
