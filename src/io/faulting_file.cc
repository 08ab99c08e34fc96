#include "io/faulting_file.h"

#include <optional>
#include <utility>

namespace io {

namespace {

base::Error planned_error(const char* code, Fault fault, const char* action, const std::string& path) {
  const bool full = fault == Fault::disk_full;
  return {full ? "disk_full" : code, std::string("cannot ") + action + " \"" + path +
                                         "\": " + (full ? "No space left on device" : "Input/output error") +
                                         " (planned fault)"};
}

class FaultingFile final : public File {
 public:
  FaultingFile(std::unique_ptr<File> below, CallFaults& faults) : below_(std::move(below)), faults_(faults) {}

  base::Result<std::size_t> read_at(std::uint64_t offset, std::span<std::uint8_t> into) override {
    if (auto fault = faults_.next(CallKind::read)) return planned_error("file_read_failed", *fault, "read", path());
    return below_->read_at(offset, into);
  }

  base::Status write_at(std::uint64_t offset, base::ByteView bytes) override {
    const auto fault = faults_.next(CallKind::write);
    if (!fault) return below_->write_at(offset, bytes);
    if (*fault == Fault::lost_write) return base::ok();
    if (*fault == Fault::flipped_write && !bytes.empty()) {
      base::Bytes damaged = base::to_bytes(bytes);
      damaged[damaged.size() / 2] ^= 0x10;
      return below_->write_at(offset, damaged);
    }
    if (*fault == Fault::torn_write || *fault == Fault::power_loss) {
      TRY(below_->write_at(offset, bytes.first(bytes.size() / 2)));
    }
    return planned_error("file_write_failed", *fault, "write", path());
  }

  base::Status sync_data() override {
    if (auto fault = faults_.next(CallKind::sync)) return planned_error("file_sync_failed", *fault, "sync", path());
    return below_->sync_data();
  }

  base::Result<std::uint64_t> size() override {
    if (auto fault = faults_.next(CallKind::read)) {
      return planned_error("file_read_failed", *fault, "ask the size of", path());
    }
    return below_->size();
  }

  base::Status truncate(std::uint64_t size) override {
    if (auto fault = faults_.next(CallKind::resize)) {
      return planned_error("file_write_failed", *fault, "truncate", path());
    }
    return below_->truncate(size);
  }

  const std::string& path() const override { return below_->path(); }

 private:
  std::unique_ptr<File> below_;
  CallFaults& faults_;
};

}  // namespace

base::Result<std::unique_ptr<File>> FaultingFileSystem::open(const std::string& path, OpenMode mode,
                                                             std::uint32_t permissions) {
  const CallKind kind = mode == OpenMode::create_new ? CallKind::names : CallKind::read;
  if (auto fault = faults_.next(kind)) return planned_error("file_open_failed", *fault, "open", path);
  TRY_ASSIGN(auto file, below_.open(path, mode, permissions));
  return std::unique_ptr<File>(std::make_unique<FaultingFile>(std::move(file), faults_));
}

base::Result<bool> FaultingFileSystem::exists(const std::string& path) {
  if (auto fault = faults_.next(CallKind::read)) return planned_error("file_read_failed", *fault, "look for", path);
  return below_.exists(path);
}

base::Result<std::vector<std::string>> FaultingFileSystem::list(const std::string& directory) {
  if (auto fault = faults_.next(CallKind::read)) return planned_error("file_read_failed", *fault, "list", directory);
  return below_.list(directory);
}

base::Status FaultingFileSystem::rename(const std::string& from, const std::string& to) {
  if (auto fault = faults_.next(CallKind::names)) return planned_error("file_write_failed", *fault, "rename", from);
  return below_.rename(from, to);
}

base::Status FaultingFileSystem::remove(const std::string& path) {
  if (auto fault = faults_.next(CallKind::names)) return planned_error("file_write_failed", *fault, "remove", path);
  return below_.remove(path);
}

base::Status FaultingFileSystem::make_dir(const std::string& path, std::uint32_t permissions) {
  if (auto fault = faults_.next(CallKind::names)) return planned_error("file_write_failed", *fault, "create", path);
  return below_.make_dir(path, permissions);
}

base::Status FaultingFileSystem::sync_dir(const std::string& directory) {
  if (auto fault = faults_.next(CallKind::sync)) return planned_error("file_sync_failed", *fault, "sync", directory);
  return below_.sync_dir(directory);
}

base::Result<std::uint64_t> FaultingFileSystem::free_space(const std::string& path) {
  if (auto fault = faults_.next(CallKind::read)) {
    return planned_error("file_read_failed", *fault, "ask the free space of", path);
  }
  return below_.free_space(path);
}

base::Result<std::unique_ptr<FileLock>> FaultingFileSystem::lock_exclusive(const std::string& path) {
  if (auto fault = faults_.next(CallKind::names)) return planned_error("file_open_failed", *fault, "lock", path);
  return below_.lock_exclusive(path);
}

base::Result<FileInfo> FaultingFileSystem::info(const std::string& path) {
  if (auto fault = faults_.next(CallKind::read)) return planned_error("file_read_failed", *fault, "inspect", path);
  return below_.info(path);
}

}  // namespace io
