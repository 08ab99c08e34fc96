#include "io/simulated_file.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "base/check.h"
#include "io/simulated_inode.h"

namespace io {

namespace {

/// "/a//b/./c/" -> "a/b/c"; the root is "".
std::string normalised(std::string_view path) {
  std::string clean;
  while (!path.empty()) {
    const std::size_t slash = path.find('/');
    const std::string_view part = path.substr(0, slash);
    path.remove_prefix(slash == std::string_view::npos ? path.size() : slash + 1);
    if (part.empty() || part == ".") continue;
    if (!clean.empty()) clean += '/';
    clean += part;
  }
  return clean;
}

std::string parent_of(const std::string& clean) {
  const std::size_t slash = clean.rfind('/');
  return slash == std::string::npos ? "" : clean.substr(0, slash);
}

base::Error failure(const char* code, const char* action, const std::string& path, const char* reason) {
  return {code, std::string("cannot ") + action + " \"" + path + "\": " + reason};
}

/// A planned fault as the error of a call whose usual code is `code`.
base::Error planned(Fault fault, const char* code, const char* action, const std::string& path) {
  switch (fault) {
    case Fault::disk_full:
      return failure("disk_full", action, path, "No space left on device");
    case Fault::power_loss:
      return failure(code, action, path, "power lost");
    default:
      return failure(code, action, path, "Input/output error");
  }
}

/// How much of a write at `offset` is stored if it is torn: all, nothing, or up to a sector's end (the kernel copies by
/// pages, the disk writes by sectors, neither stops within one).
std::size_t torn_length(std::uint64_t offset, std::size_t length, SimulatedRandom& random) {
  const std::uint64_t end = offset + random.below(length + 1);
  if (end == offset + length) return length;
  constexpr std::uint64_t sector_bytes = 512;
  const std::uint64_t whole = end / sector_bytes * sector_bytes;
  return whole > offset ? static_cast<std::size_t>(whole - offset) : 0;
}

using InodePointer = std::shared_ptr<SimulatedInode>;
using Names = std::map<std::string, InodePointer>;

/// A change of names in one directory that is not durable yet. Without `from` a creation, without `to` a removal.
struct NameChange {
  std::string directory;
  std::string from;
  std::string to;
  InodePointer inode;
};

void erase_below(Names& names, const std::string& directory) {
  std::erase_if(names, [&](const auto& entry) { return entry.first.starts_with(directory + "/"); });
}

void apply_change(Names& names, const NameChange& change) {
  if (!change.from.empty()) {
    names.erase(change.from);
    if (change.inode->directory) erase_below(names, change.from);
  }
  if (!change.to.empty()) names[change.to] = change.inode;
}

}  // namespace

struct SimulatedFileSystem::Disk {
  explicit Disk(std::uint64_t seed) : random(seed) {
    auto root = std::make_shared<SimulatedInode>();
    root->directory = true;
    names[""] = root;
    durable_names = names;
  }

  /// Counts the call and lets its time pass. Before `mutex` is taken: `spent` is somebody else's code.
  std::optional<Fault> begin(CallKind kind, std::int64_t fixed_ns, std::size_t bytes) {
    const std::int64_t ns = fixed_ns + speed.ns_per_kib * static_cast<std::int64_t>(bytes) / 1024;
    if (speed.spent && ns > 0) speed.spent(ns);
    return faults.next(kind);
  }

  SimulatedInode* find(const std::string& clean) {
    const auto entry = names.find(clean);
    return entry == names.end() ? nullptr : entry->second.get();
  }

  void change(NameChange what) {
    apply_change(names, what);
    pending_names.push_back(std::move(what));
  }

  std::uint64_t used() const {
    std::uint64_t sum = 0;
    for (const auto& [name, inode] : names) sum += inode->content.size();
    return sum;
  }

  /// Bytes by which the files together may still grow.
  std::uint64_t room() const {
    if (!capacity) return ~std::uint64_t{0};
    const std::uint64_t in_use = used();
    return *capacity > in_use ? *capacity - in_use : 0;
  }

  void restart() {
    pending_names.clear();
    locks.clear();
    ++generation;
    faults.clear();
  }

  CallFaults faults;
  DiskSpeed speed;
  mutable std::mutex mutex;
  SimulatedRandom random;
  Names names;
  Names durable_names;
  std::vector<NameChange> pending_names;
  std::optional<std::uint64_t> capacity;
  std::map<std::string, std::uint64_t> locks;  ///< path -> serial of the lock
  std::uint64_t lock_serial = 0;
  std::uint64_t generation = 0;  ///< of open files: grows when power is lost
};

namespace {

using Disk = SimulatedFileSystem::Disk;

class SimulatedFile final : public File {
 public:
  SimulatedFile(Disk& disk, InodePointer inode, std::string path, bool writable)
      : disk_(disk),
        inode_(std::move(inode)),
        path_(std::move(path)),
        writable_(writable),
        generation_(disk.generation) {}

  base::Result<std::size_t> read_at(std::uint64_t offset, std::span<std::uint8_t> into) override {
    const auto fault = disk_.begin(CallKind::read, disk_.speed.read_ns, into.size());
    std::lock_guard lock(disk_.mutex);
    TRY(alive("file_read_failed", "read"));
    if (fault) return planned(*fault, "file_read_failed", "read", path_);
    const base::Bytes& content = inode_->content;
    if (offset >= content.size()) return std::size_t{0};
    const std::size_t n = std::min<std::size_t>(into.size(), content.size() - offset);
    std::copy_n(content.begin() + static_cast<std::ptrdiff_t>(offset), n, into.begin());
    return n;
  }

  base::Status write_at(std::uint64_t offset, base::ByteView bytes) override {
    const auto fault = disk_.begin(CallKind::write, disk_.speed.write_ns, bytes.size());
    std::lock_guard lock(disk_.mutex);
    TRY(alive("file_write_failed", "write"));
    if (!writable_) return failure("file_write_failed", "write", path_, "opened for reading only");
    if (fault && (*fault == Fault::torn_write || *fault == Fault::power_loss)) {
      inode_->write(offset, bytes.first(torn_length(offset, bytes.size(), disk_.random)));
    }
    if (fault && *fault == Fault::lost_write) {
      inode_->write_lost(offset, bytes);
      return base::ok();
    }
    if (fault && *fault == Fault::flipped_write) {
      inode_->write_flipped(offset, bytes, disk_.random);
      return base::ok();
    }
    if (fault) return planned(*fault, "file_write_failed", "write", path_);
    const std::uint64_t end = offset + bytes.size();
    const std::uint64_t size = inode_->content.size();
    const std::uint64_t room = disk_.room();
    if (end > size && end - size > room) {
      // As a kernel does it: what fits is written, then there is no more.
      const std::uint64_t fits = size + room > offset ? size + room - offset : 0;
      inode_->write(offset, bytes.first(static_cast<std::size_t>(fits)));
      return planned(Fault::disk_full, "file_write_failed", "write", path_);
    }
    inode_->write(offset, bytes);
    return base::ok();
  }

  base::Status sync_data() override {
    const auto fault = disk_.begin(CallKind::sync, disk_.speed.sync_ns, 0);
    std::lock_guard lock(disk_.mutex);
    TRY(alive("file_sync_failed", "sync"));
    if (fault) {
      if (*fault != Fault::power_loss) inode_->drop_dirty(disk_.random);
      return planned(*fault, "file_sync_failed", "sync", path_);
    }
    inode_->sync();
    return base::ok();
  }

  base::Result<std::uint64_t> size() override {
    const auto fault = disk_.begin(CallKind::read, disk_.speed.read_ns, 0);
    std::lock_guard lock(disk_.mutex);
    TRY(alive("file_read_failed", "ask the size of"));
    if (fault) return planned(*fault, "file_read_failed", "ask the size of", path_);
    return static_cast<std::uint64_t>(inode_->content.size());
  }

  base::Status truncate(std::uint64_t size) override {
    const auto fault = disk_.begin(CallKind::resize, disk_.speed.write_ns, 0);
    std::lock_guard lock(disk_.mutex);
    TRY(alive("file_write_failed", "truncate"));
    if (!writable_) return failure("file_write_failed", "truncate", path_, "opened for reading only");
    if (fault) return planned(*fault, "file_write_failed", "truncate", path_);
    if (size > inode_->content.size() && size - inode_->content.size() > disk_.room()) {
      return planned(Fault::disk_full, "file_write_failed", "truncate", path_);
    }
    inode_->truncate(size);
    return base::ok();
  }

  const std::string& path() const override { return path_; }

 private:
  base::Status alive(const char* code, const char* action) const {
    if (generation_ == disk_.generation) return base::ok();
    return failure(code, action, path_, "opened before the power was lost");
  }

  Disk& disk_;
  InodePointer inode_;
  std::string path_;
  bool writable_;
  std::uint64_t generation_;
};

class SimulatedLock final : public FileLock {
 public:
  SimulatedLock(Disk& disk, std::string path, std::uint64_t serial)
      : disk_(disk), path_(std::move(path)), serial_(serial) {}
  ~SimulatedLock() override {
    std::lock_guard lock(disk_.mutex);
    const auto held = disk_.locks.find(path_);
    if (held != disk_.locks.end() && held->second == serial_) disk_.locks.erase(held);
  }

 private:
  Disk& disk_;
  std::string path_;
  std::uint64_t serial_;
};

}  // namespace

SimulatedFileSystem::SimulatedFileSystem(std::uint64_t seed) : disk_(std::make_unique<Disk>(seed)) {}
SimulatedFileSystem::~SimulatedFileSystem() = default;

base::Result<std::unique_ptr<File>> SimulatedFileSystem::open(const std::string& path, OpenMode mode,
                                                              std::uint32_t permissions) {
  const bool create = mode == OpenMode::create_new;
  const auto fault = disk_->begin(create ? CallKind::names : CallKind::read, disk_->speed.read_ns, 0);
  const std::string clean = normalised(path);
  std::lock_guard lock(disk_->mutex);
  if (fault) return planned(*fault, "file_open_failed", "open", path);
  const SimulatedInode* there = disk_->find(clean);
  if (create) {
    if (there != nullptr) return failure("file_exists", "open", path, "File exists");
    const SimulatedInode* parent = disk_->find(parent_of(clean));
    if (parent == nullptr || !parent->directory) return failure("file_not_found", "open", path, "No such directory");
    auto inode = std::make_shared<SimulatedInode>();
    inode->mode = permissions;
    disk_->change({parent_of(clean), "", clean, inode});
  } else if (there == nullptr) {
    return failure("file_not_found", "open", path, "No such file or directory");
  } else if (there->directory) {
    return failure("file_open_failed", "open", path, "it is not a regular file");
  }
  return std::unique_ptr<File>(
      std::make_unique<SimulatedFile>(*disk_, disk_->names[clean], path, mode != OpenMode::read_only));
}

base::Result<bool> SimulatedFileSystem::exists(const std::string& path) {
  const auto fault = disk_->begin(CallKind::read, disk_->speed.read_ns, 0);
  std::lock_guard lock(disk_->mutex);
  if (fault) return planned(*fault, "file_read_failed", "look for", path);
  return disk_->find(normalised(path)) != nullptr;
}

base::Result<std::vector<std::string>> SimulatedFileSystem::list(const std::string& directory) {
  const auto fault = disk_->begin(CallKind::read, disk_->speed.read_ns, 0);
  const std::string clean = normalised(directory);
  std::lock_guard lock(disk_->mutex);
  if (fault) return planned(*fault, "file_read_failed", "list", directory);
  const SimulatedInode* there = disk_->find(clean);
  if (there == nullptr || !there->directory) {
    return failure("file_not_found", "list", directory, "No such directory");
  }
  std::vector<std::string> found;
  for (const auto& [name, inode] : disk_->names) {
    if (name.empty() || parent_of(name) != clean) continue;
    found.push_back(clean.empty() ? name : name.substr(clean.size() + 1));
  }
  std::sort(found.begin(), found.end());
  return found;
}

base::Status SimulatedFileSystem::rename(const std::string& from, const std::string& to) {
  CHECK_THAT(directory_of(from) == directory_of(to), "a rename stays in one directory");
  const auto fault = disk_->begin(CallKind::names, disk_->speed.write_ns, 0);
  const std::string old_name = normalised(from);
  const std::string new_name = normalised(to);
  std::lock_guard lock(disk_->mutex);
  if (fault) return planned(*fault, "file_write_failed", "rename", from);
  const SimulatedInode* there = disk_->find(old_name);
  if (there == nullptr) return failure("file_not_found", "rename", from, "No such file or directory");
  const SimulatedInode* replaced = disk_->find(new_name);
  if (there->directory || (replaced != nullptr && replaced->directory)) {
    return failure("file_write_failed", "rename", from, "Is a directory");
  }
  if (old_name != new_name) disk_->change({parent_of(old_name), old_name, new_name, disk_->names[old_name]});
  return base::ok();
}

base::Status SimulatedFileSystem::remove(const std::string& path) {
  const auto fault = disk_->begin(CallKind::names, disk_->speed.write_ns, 0);
  const std::string clean = normalised(path);
  std::lock_guard lock(disk_->mutex);
  if (fault) return planned(*fault, "file_write_failed", "remove", path);
  const SimulatedInode* there = disk_->find(clean);
  if (there == nullptr) return failure("file_not_found", "remove", path, "No such file or directory");
  const bool occupied = std::any_of(disk_->names.begin(), disk_->names.end(), [&](const auto& entry) {
    return !entry.first.empty() && parent_of(entry.first) == clean;
  });
  if (clean.empty() || (there->directory && occupied)) {
    return failure("file_write_failed", "remove", path, "Directory not empty");
  }
  disk_->change({parent_of(clean), clean, "", disk_->names[clean]});
  return base::ok();
}

base::Status SimulatedFileSystem::make_dir(const std::string& path, std::uint32_t permissions) {
  const auto fault = disk_->begin(CallKind::names, disk_->speed.write_ns, 0);
  const std::string clean = normalised(path);
  std::lock_guard lock(disk_->mutex);
  if (fault) return planned(*fault, "file_write_failed", "create", path);
  if (disk_->find(clean) != nullptr) return failure("file_exists", "create", path, "File exists");
  const SimulatedInode* parent = disk_->find(parent_of(clean));
  if (parent == nullptr || !parent->directory) return failure("file_not_found", "create", path, "No such directory");
  auto inode = std::make_shared<SimulatedInode>();
  inode->directory = true;
  inode->mode = permissions;
  disk_->change({parent_of(clean), "", clean, inode});
  return base::ok();
}

base::Status SimulatedFileSystem::sync_dir(const std::string& directory) {
  const auto fault = disk_->begin(CallKind::sync, disk_->speed.sync_ns, 0);
  const std::string clean = normalised(directory);
  std::lock_guard lock(disk_->mutex);
  if (fault) return planned(*fault, "file_sync_failed", "sync", directory);
  const SimulatedInode* there = disk_->find(clean);
  if (there == nullptr || !there->directory) {
    return failure("file_not_found", "sync", directory, "No such directory");
  }
  std::erase_if(disk_->pending_names, [&](const NameChange& change) {
    if (change.directory != clean) return false;
    apply_change(disk_->durable_names, change);
    return true;
  });
  return base::ok();
}

base::Result<std::uint64_t> SimulatedFileSystem::free_space(const std::string& path) {
  const auto fault = disk_->begin(CallKind::read, disk_->speed.read_ns, 0);
  std::lock_guard lock(disk_->mutex);
  if (fault) return planned(*fault, "file_read_failed", "ask the free space of", path);
  if (disk_->find(normalised(path)) == nullptr) {
    return failure("file_not_found", "ask the free space of", path, "No such file or directory");
  }
  return disk_->room();
}

base::Result<std::unique_ptr<FileLock>> SimulatedFileSystem::lock_exclusive(const std::string& path) {
  const auto fault = disk_->begin(CallKind::names, disk_->speed.write_ns, 0);
  const std::string clean = normalised(path);
  std::lock_guard lock(disk_->mutex);
  if (fault) return planned(*fault, "file_open_failed", "lock", path);
  if (disk_->locks.contains(clean)) {
    return base::Error{"data_directory_locked", "\"" + path + "\" is held by another process"};
  }
  if (disk_->find(clean) == nullptr) {
    const SimulatedInode* parent = disk_->find(parent_of(clean));
    if (parent == nullptr || !parent->directory) return failure("file_not_found", "lock", path, "No such directory");
    auto inode = std::make_shared<SimulatedInode>();
    inode->mode = 0600;
    disk_->change({parent_of(clean), "", clean, inode});
  }
  const std::uint64_t serial = ++disk_->lock_serial;
  disk_->locks[clean] = serial;
  return std::unique_ptr<FileLock>(std::make_unique<SimulatedLock>(*disk_, clean, serial));
}

base::Result<FileInfo> SimulatedFileSystem::info(const std::string& path) {
  const auto fault = disk_->begin(CallKind::read, disk_->speed.read_ns, 0);
  std::lock_guard lock(disk_->mutex);
  if (fault) return planned(*fault, "file_read_failed", "inspect", path);
  const SimulatedInode* there = disk_->find(normalised(path));
  if (there == nullptr) return failure("file_not_found", "inspect", path, "No such file or directory");
  return FileInfo{.size = there->content.size(),
                  .mode = there->mode,
                  .owner = there->owned_by_this_user ? 1000u : 0u,
                  .is_directory = there->directory,
                  .is_regular = !there->directory,
                  .owned_by_this_user = there->owned_by_this_user};
}

CallFaults& SimulatedFileSystem::faults() { return disk_->faults; }

void SimulatedFileSystem::crash(CrashMode mode) {
  std::lock_guard lock(disk_->mutex);
  // Per directory: how many of its pending changes survive.
  std::map<std::string, std::uint64_t> surviving;
  for (const NameChange& change : disk_->pending_names) ++surviving[change.directory];
  for (auto& [directory, count] : surviving) {
    if (mode == CrashMode::lose_all) count = 0;
    if (mode == CrashMode::random) count = disk_->random.below(count + 1);
  }
  for (const NameChange& change : disk_->pending_names) {
    std::uint64_t& left = surviving[change.directory];
    if (left == 0) continue;
    --left;
    apply_change(disk_->durable_names, change);
  }
  // A name whose directory did not reach the medium is not there either. Parents sort before their children.
  std::erase_if(disk_->durable_names, [&](const auto& entry) {
    return !entry.first.empty() && !disk_->durable_names.contains(parent_of(entry.first));
  });
  disk_->names = disk_->durable_names;
  for (const auto& [name, inode] : disk_->names) inode->crash(mode, disk_->random);
  disk_->restart();
}

void SimulatedFileSystem::set_capacity(std::uint64_t bytes) {
  std::lock_guard lock(disk_->mutex);
  disk_->capacity = bytes;
}

void SimulatedFileSystem::set_speed(DiskSpeed speed) { disk_->speed = std::move(speed); }

void SimulatedFileSystem::set_permissions(const std::string& path, std::uint32_t mode, bool owned_by_this_user) {
  std::lock_guard lock(disk_->mutex);
  SimulatedInode* inode = disk_->find(normalised(path));
  CHECK_THAT(inode != nullptr, "permissions are set on a file that exists");
  inode->mode = mode;
  inode->owned_by_this_user = owned_by_this_user;
}

bool SimulatedFileSystem::flip_bit(const std::string& path, std::uint64_t offset, int bit) {
  CHECK(bit >= 0 && bit < 8);
  std::lock_guard lock(disk_->mutex);
  SimulatedInode* inode = disk_->find(normalised(path));
  return inode != nullptr && inode->flip(offset, static_cast<std::uint8_t>(1u << bit));
}

DurableState SimulatedFileSystem::durable_state() const {
  std::lock_guard lock(disk_->mutex);
  DurableState state;
  for (const auto& [name, inode] : disk_->durable_names) {
    if (name.empty() || !disk_->durable_names.contains(parent_of(name))) continue;
    if (inode->directory) {
      state.directories.insert(name);
    } else {
      state.files[name] = inode->durable;
    }
  }
  return state;
}

void SimulatedFileSystem::install(const DurableState& state) {
  std::lock_guard lock(disk_->mutex);
  const InodePointer root = disk_->names[""];
  disk_->names.clear();
  disk_->names[""] = root;
  for (const std::string& directory : state.directories) {
    auto inode = std::make_shared<SimulatedInode>();
    inode->directory = true;
    inode->mode = 0700;
    disk_->names[directory] = inode;
  }
  for (const auto& [name, bytes] : state.files) {
    auto inode = std::make_shared<SimulatedInode>();
    inode->mode = 0600;
    inode->content = bytes;
    inode->durable = bytes;
    disk_->names[name] = inode;
  }
  disk_->durable_names = disk_->names;
  disk_->restart();
}

}  // namespace io
