#pragma once
// The only door to the disk. Everything that stores or reads bytes takes a `FileSystem&`, so that the same code runs on
// the real disk (io/posix_file.h), on a simulated one that loses and damages things (io/simulated_file.h), and on a
// real one that fails a chosen call (io/faulting_file.h).
//
// Error codes of this page (base::Error::code); messages name the file, the offset where there is one, and the system's
// reason:
//   file_not_found        nothing has that name
//   file_exists           create_new or make_dir met something that is already there
//   file_access_denied    permissions forbid it
//   file_open_failed      opening failed for another reason
//   file_read_failed      reading, listing or asking about a file failed (EIO: the medium is damaged)
//   file_write_failed     writing, truncating, renaming, removing or creating failed
//   file_sync_failed      data or a directory could not be made durable; never retry, the data may be gone (design 2.4)
//   disk_full             no space or quota left
//   data_directory_locked another process holds the lock
//   file_too_large        read_whole_file met more than its limit
//
// Paths are plain bytes, absolute or relative to the working directory, `/` separated.

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"

namespace io {

/// An open file. Reads and writes carry their offset, there is no position. Closed by the destructor (closing never
/// makes anything durable). Calls may come from any thread; overlapping writes from several threads have no order.
class File {
 public:
  virtual ~File() = default;
  File() = default;
  File(const File&) = delete;
  File& operator=(const File&) = delete;

  /// Fills `into` from `offset`, as far as the file goes: fewer bytes than asked for means end of file, 0 at or past
  /// it. Errors: file_read_failed.
  virtual base::Result<std::size_t> read_at(std::uint64_t offset, std::span<std::uint8_t> into) = 0;

  /// Writes all of `bytes` at `offset`, extending the file where needed. After an error any part of it may have been
  /// written. Errors: file_write_failed, disk_full.
  virtual base::Status write_at(std::uint64_t offset, base::ByteView bytes) = 0;

  /// Returns when everything written before, and the size needed to read it, is on the medium (fdatasync). After an
  /// error nothing is known about any write since the last success, and a retry proves nothing. Errors:
  /// file_sync_failed (also when the disk is full: the data did not get there).
  virtual base::Status sync_data() = 0;

  /// Size in bytes. Errors: file_read_failed.
  virtual base::Result<std::uint64_t> size() = 0;

  /// Cuts or extends (with zeros) to `size` bytes. Errors: file_write_failed, disk_full.
  virtual base::Status truncate(std::uint64_t size) = 0;

  /// Writes real zero blocks, chunk by chunk, so that a later write into them needs no new allocation: a sync of such a
  /// block takes half the time of one that grows the file. Not durable before sync_data. Errors: as write_at.
  base::Status zero_fill(std::uint64_t offset, std::uint64_t length);

  /// The path it was opened with, for messages.
  virtual const std::string& path() const = 0;
};

enum class OpenMode {
  read_only,   ///< must exist
  read_write,  ///< must exist
  create_new,  ///< must not exist; opened for reading and writing
};

/// What the file system says about a name.
struct FileInfo {
  std::uint64_t size = 0;
  std::uint32_t mode = 0;   ///< permission bits only, 0600
  std::uint32_t owner = 0;  ///< user id
  bool is_directory = false;
  bool is_regular = false;          ///< neither directory, device, pipe nor socket
  bool owned_by_this_user = false;  ///< owner is the effective user of this process
};

/// An exclusive lock between processes, held until destroyed (or until the process dies).
class FileLock {
 public:
  virtual ~FileLock() = default;
};

/// Names to files. Calls may come from any thread. Nothing about names (create, rename, remove, make_dir) is durable
/// before sync_dir of the directory that holds the name.
class FileSystem {
 public:
  virtual ~FileSystem() = default;
  FileSystem() = default;
  FileSystem(const FileSystem&) = delete;
  FileSystem& operator=(const FileSystem&) = delete;

  /// `permissions` count for create_new only and are not widened or narrowed by the umask.
  /// Errors: file_not_found, file_exists, file_access_denied, file_open_failed, disk_full.
  virtual base::Result<std::unique_ptr<File>> open(const std::string& path, OpenMode mode,
                                                   std::uint32_t permissions = 0600) = 0;
  /// Errors: file_read_failed, file_access_denied (it is then not known whether it exists).
  virtual base::Result<bool> exists(const std::string& path) = 0;
  /// Names in a directory, without `.` and `..`, in byte order. Errors: file_not_found, file_access_denied,
  /// file_read_failed.
  virtual base::Result<std::vector<std::string>> list(const std::string& directory) = 0;
  /// Renames a file atomically, replacing what `to` named. Both must be in one directory, because two directories
  /// cannot be made durable at once. Errors: file_not_found, file_access_denied, file_write_failed, disk_full.
  virtual base::Status rename(const std::string& from, const std::string& to) = 0;
  /// Removes a file or an empty directory. Errors: file_not_found, file_access_denied, file_write_failed.
  virtual base::Status remove(const std::string& path) = 0;
  /// Errors: file_exists, file_not_found (its parent), file_access_denied, file_write_failed, disk_full.
  virtual base::Status make_dir(const std::string& path, std::uint32_t permissions = 0700) = 0;
  /// Makes the names in a directory durable. Errors: file_not_found, file_access_denied, file_sync_failed.
  virtual base::Status sync_dir(const std::string& directory) = 0;
  /// Bytes this user may still write on the file system that holds `path`. Errors: file_not_found, file_read_failed.
  virtual base::Result<std::uint64_t> free_space(const std::string& path) = 0;
  /// Takes the lock on `path`, creating the file if there is none; never waits. Errors: data_directory_locked, and
  /// those of open.
  virtual base::Result<std::unique_ptr<FileLock>> lock_exclusive(const std::string& path) = 0;
  /// Follows symbolic links. Errors: file_not_found, file_access_denied, file_read_failed.
  virtual base::Result<FileInfo> info(const std::string& path) = 0;
};

/// The whole file, if it has at most `bytes_max` bytes. Errors: those of open and read_at; file_too_large.
base::Result<base::Bytes> read_whole_file(FileSystem& files, const std::string& path, std::uint64_t bytes_max);

/// Puts `bytes` under the name `path` so that after a crash the name holds either what it held before or all of
/// `bytes`: writes `path` + ".new", syncs it, renames, syncs the directory. Errors: those of the steps.
base::Status replace_file(FileSystem& files, const std::string& path, base::ByteView bytes,
                          std::uint32_t permissions = 0600);

/// The directory part of a path: "a/b" -> "a", "b" -> ".", "/b" -> "/".
std::string directory_of(const std::string& path);
/// `directory` and `name` joined by exactly one slash.
std::string join_path(std::string_view directory, std::string_view name);

}  // namespace io
