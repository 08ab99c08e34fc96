#pragma once
// A disk in memory that behaves as badly as real ones, the same way for the same seed.
//
// What it models:
//  * every file has what readers see (the page cache) and what is on the medium; write_at changes the first, sync_data
//    brings the second along;
//  * crash(): of what was written since the last sync each 512-byte sector is kept in any of its versions or lost,
//    independently of the others, so multi-sector writes are torn and later writes can survive earlier ones. A sector
//    itself is never torn (disks promise that much);
//  * names (create, rename, remove, make_dir) reach the medium with sync_dir of their directory; in a crash a prefix of
//    the pending changes of each directory survives;
//  * a failed sync drops the dirty data as Linux does: readers still see it, the medium may have any part of it, and
//    the next sync succeeds without saving it;
//  * full disks, planned faults on the k-th call (call_faults.h), flipped bits, slow disks.

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>

#include "io/call_faults.h"
#include "io/file.h"
#include "io/random.h"

namespace io {

/// What a crash does with data and names that were never synced.
enum class CrashMode {
  random,    ///< the seed decides, per file and sector
  lose_all,  ///< only what was synced survives
  keep_all,  ///< everything survives (the process died, the machine did not)
};

/// How long calls take. They do not wait: the time is told to `spent`, which may advance a SimulatedClock.
struct DiskSpeed {
  std::int64_t read_ns = 0;
  std::int64_t write_ns = 0;
  std::int64_t sync_ns = 0;
  std::int64_t ns_per_kib = 0;  ///< added to reads and writes
  std::function<void(std::int64_t ns)> spent;
};

/// What is certainly on the medium: files with their bytes, and directories.
struct DurableState {
  std::map<std::string, base::Bytes> files;
  std::set<std::string> directories;
  bool operator==(const DurableState&) const = default;
};

/// Must outlive its files and locks. Paths are normalised, `/a` and `a` are the same; the root always exists. Thread
/// safe; repeatable only when calls come in a repeatable order.
class SimulatedFileSystem final : public FileSystem {
 public:
  explicit SimulatedFileSystem(std::uint64_t seed);
  ~SimulatedFileSystem() override;

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

  /// Plans of failing calls, and the counter of calls.
  CallFaults& faults();
  /// Power goes and comes back. Files and locks from before are dead (their calls fail); plans of faults are cleared.
  void crash(CrashMode mode = CrashMode::random);
  /// Total bytes of all files; unlimited at first. May be lowered below what is in use.
  void set_capacity(std::uint64_t bytes);
  /// To be set before other threads use the disk.
  void set_speed(DiskSpeed speed);
  /// For tests of permission checks; not enforced.
  void set_permissions(const std::string& path, std::uint32_t mode, bool owned_by_this_user);
  /// Flips bit `bit` (0 to 7) of the byte at `offset`, for readers and on the medium. False if there is no such byte.
  bool flip_bit(const std::string& path, std::uint64_t offset, int bit);
  /// What a crash(lose_all) would leave now.
  DurableState durable_state() const;
  /// Replaces everything by `state`, durable. Open files and locks are dead.
  void install(const DurableState& state);

  /// The state behind it, shared with its files; defined in the .cc.
  struct Disk;

 private:
  std::unique_ptr<Disk> disk_;
};

}  // namespace io
