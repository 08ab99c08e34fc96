#include "io/posix_file.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstdio>

#include "io/descriptor.h"

namespace io {

namespace {

/// `otherwise` is the code for reasons that have no code of their own.
base::Error system_error(int number, const char* otherwise, const char* action, const std::string& path,
                         const std::string& where = "") {
  const char* code = otherwise;
  switch (number) {
    case ENOENT:
    case ENOTDIR:
      code = "file_not_found";
      break;
    case EEXIST:
      code = "file_exists";
      break;
    case EACCES:
    case EPERM:
      code = "file_access_denied";
      break;
    case ENOSPC:
    case EDQUOT:
      code = "disk_full";
      break;
    default:
      break;
  }
  return {code, std::string("cannot ") + action + " \"" + path + "\"" + where + ": " + errno_text(number)};
}

std::string at_offset(std::uint64_t offset, std::size_t bytes) {
  return " at offset " + std::to_string(offset) + " (" + std::to_string(bytes) + " bytes)";
}

template <typename Call>
auto uninterrupted(Call call) {
  while (true) {
    const auto answer = call();
    if (answer >= 0 || errno != EINTR) return answer;
  }
}

class PosixFile final : public File {
 public:
  PosixFile(Descriptor fd, std::string path) : fd_(std::move(fd)), path_(std::move(path)) {}

  base::Result<std::size_t> read_at(std::uint64_t offset, std::span<std::uint8_t> into) override {
    std::size_t done = 0;
    while (done < into.size()) {
      const ssize_t n = uninterrupted([&] {
        return ::pread(fd_.get(), into.data() + done, into.size() - done, static_cast<off_t>(offset + done));
      });
      if (n < 0) {
        return system_error(errno, "file_read_failed", "read", path_, at_offset(offset + done, into.size() - done));
      }
      if (n == 0) break;
      done += static_cast<std::size_t>(n);
    }
    return done;
  }

  base::Status write_at(std::uint64_t offset, base::ByteView bytes) override {
    std::size_t done = 0;
    while (done < bytes.size()) {
      const ssize_t n = uninterrupted([&] {
        return ::pwrite(fd_.get(), bytes.data() + done, bytes.size() - done, static_cast<off_t>(offset + done));
      });
      // A write of at least one byte that stores none and names no reason would loop for ever.
      if (n <= 0) {
        return system_error(n < 0 ? errno : EIO, "file_write_failed", "write", path_,
                            at_offset(offset + done, bytes.size() - done));
      }
      done += static_cast<std::size_t>(n);
    }
    return base::ok();
  }

  base::Status sync_data() override {
    // Not repeated after EINTR either: the pages may be marked clean already.
    if (::fdatasync(fd_.get()) == 0) return base::ok();
    return base::Error{"file_sync_failed", "cannot sync \"" + path_ + "\": " + errno_text(errno)};
  }

  base::Result<std::uint64_t> size() override {
    struct stat status {};
    if (::fstat(fd_.get(), &status) != 0) {
      return system_error(errno, "file_read_failed", "ask the size of", path_);
    }
    return static_cast<std::uint64_t>(status.st_size);
  }

  base::Status truncate(std::uint64_t size) override {
    if (uninterrupted([&] { return ::ftruncate(fd_.get(), static_cast<off_t>(size)); }) == 0) return base::ok();
    return system_error(errno, "file_write_failed", "truncate", path_, " to " + std::to_string(size) + " bytes");
  }

  const std::string& path() const override { return path_; }

 private:
  Descriptor fd_;
  std::string path_;
};

class PosixLock final : public FileLock {
 public:
  explicit PosixLock(Descriptor fd) : fd_(std::move(fd)) {}

 private:
  Descriptor fd_;
};

std::string holder_of(int fd) {
  char text[24] = {};
  const ssize_t n = ::pread(fd, text, sizeof text - 1, 0);
  long pid = 0;
  if (n <= 0 || std::from_chars(text, text + n, pid).ec != std::errc{}) return "another process";
  return "process " + std::to_string(pid);
}

}  // namespace

base::Result<std::unique_ptr<File>> RealFileSystem::open(const std::string& path, OpenMode mode,
                                                         std::uint32_t permissions) {
  // O_NONBLOCK: opening a pipe by mistake must not hang the process; it has no meaning for regular files.
  int flags = O_CLOEXEC | O_NONBLOCK | O_NOCTTY;
  if (mode == OpenMode::read_only) flags |= O_RDONLY;
  if (mode == OpenMode::read_write) flags |= O_RDWR;
  if (mode == OpenMode::create_new) flags |= O_RDWR | O_CREAT | O_EXCL;
  Descriptor fd(uninterrupted([&] { return ::open(path.c_str(), flags, static_cast<mode_t>(permissions & 0700)); }));
  if (!fd.valid()) return system_error(errno, "file_open_failed", "open", path);
  struct stat status {};
  if (::fstat(fd.get(), &status) != 0) return system_error(errno, "file_open_failed", "open", path);
  if (!S_ISREG(status.st_mode)) {
    return base::Error{"file_open_failed", "cannot open \"" + path + "\": it is not a regular file"};
  }
  if (mode == OpenMode::create_new && ::fchmod(fd.get(), static_cast<mode_t>(permissions & 07777)) != 0) {
    return system_error(errno, "file_open_failed", "set the permissions of", path);
  }
  return std::unique_ptr<File>(std::make_unique<PosixFile>(std::move(fd), path));
}

base::Result<bool> RealFileSystem::exists(const std::string& path) {
  struct stat status {};
  if (::stat(path.c_str(), &status) == 0) return true;
  if (errno == ENOENT || errno == ENOTDIR) return false;
  return system_error(errno, "file_read_failed", "look for", path);
}

base::Result<std::vector<std::string>> RealFileSystem::list(const std::string& directory) {
  DIR* stream = ::opendir(directory.c_str());
  if (stream == nullptr) return system_error(errno, "file_read_failed", "list", directory);
  std::vector<std::string> names;
  errno = 0;
  while (const dirent* entry = ::readdir(stream)) {
    const std::string_view name = entry->d_name;
    if (name != "." && name != "..") names.emplace_back(name);
    errno = 0;
  }
  const int reason = errno;
  ::closedir(stream);
  if (reason != 0) return system_error(reason, "file_read_failed", "list", directory);
  std::sort(names.begin(), names.end());
  return names;
}

base::Status RealFileSystem::rename(const std::string& from, const std::string& to) {
  CHECK_THAT(directory_of(from) == directory_of(to), "a rename stays in one directory");
  if (::rename(from.c_str(), to.c_str()) == 0) return base::ok();
  return system_error(errno, "file_write_failed", "rename", from, " to \"" + to + "\"");
}

base::Status RealFileSystem::remove(const std::string& path) {
  if (std::remove(path.c_str()) == 0) return base::ok();
  // rmdir may say "exists" where it means "not empty".
  const int reason = errno == EEXIST ? ENOTEMPTY : errno;
  return system_error(reason, "file_write_failed", "remove", path);
}

base::Status RealFileSystem::make_dir(const std::string& path, std::uint32_t permissions) {
  if (::mkdir(path.c_str(), static_cast<mode_t>(permissions & 0700)) != 0) {
    return system_error(errno, "file_write_failed", "create", path);
  }
  if (::chmod(path.c_str(), static_cast<mode_t>(permissions & 07777)) != 0) {
    return system_error(errno, "file_write_failed", "set the permissions of", path);
  }
  return base::ok();
}

base::Status RealFileSystem::sync_dir(const std::string& directory) {
  Descriptor fd(uninterrupted([&] { return ::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC); }));
  if (!fd.valid()) return system_error(errno, "file_sync_failed", "open", directory);
  if (::fsync(fd.get()) == 0) return base::ok();
  return base::Error{"file_sync_failed", "cannot sync \"" + directory + "\": " + errno_text(errno)};
}

base::Result<std::uint64_t> RealFileSystem::free_space(const std::string& path) {
  struct statvfs status {};
  if (uninterrupted([&] { return ::statvfs(path.c_str(), &status); }) != 0) {
    return system_error(errno, "file_read_failed", "ask the free space of", path);
  }
  return static_cast<std::uint64_t>(status.f_bavail) * status.f_frsize;
}

base::Result<std::unique_ptr<FileLock>> RealFileSystem::lock_exclusive(const std::string& path) {
  Descriptor fd(uninterrupted([&] { return ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600); }));
  if (!fd.valid()) return system_error(errno, "file_open_failed", "open", path);
  if (uninterrupted([&] { return ::flock(fd.get(), LOCK_EX | LOCK_NB); }) != 0) {
    if (errno == EWOULDBLOCK) {
      return base::Error{"data_directory_locked", "\"" + path + "\" is held by " + holder_of(fd.get())};
    }
    return system_error(errno, "file_open_failed", "lock", path);
  }
  // The process number is a courtesy to whoever is refused; the lock does not depend on it.
  const std::string pid = std::to_string(::getpid()) + "\n";
  if (::ftruncate(fd.get(), 0) != 0 || ::pwrite(fd.get(), pid.data(), pid.size(), 0) < 0) {
    return system_error(errno, "file_write_failed", "write", path);
  }
  return std::unique_ptr<FileLock>(std::make_unique<PosixLock>(std::move(fd)));
}

base::Result<FileInfo> RealFileSystem::info(const std::string& path) {
  struct stat status {};
  if (::stat(path.c_str(), &status) != 0) return system_error(errno, "file_read_failed", "inspect", path);
  FileInfo info;
  info.size = static_cast<std::uint64_t>(status.st_size);
  info.mode = status.st_mode & 07777;
  info.owner = status.st_uid;
  info.is_directory = S_ISDIR(status.st_mode);
  info.is_regular = S_ISREG(status.st_mode);
  info.owned_by_this_user = status.st_uid == ::geteuid();
  return info;
}

}  // namespace io
