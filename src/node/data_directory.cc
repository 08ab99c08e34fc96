#include "node/data_directory.h"

#include <array>
#include <utility>

#include "crypto/derive.h"
#include "io/secret_memory.h"

namespace node {

namespace {

constexpr std::uint64_t only_partition = 0;

base::Status make_if_missing(io::FileSystem& files, const std::string& directory, std::uint32_t permissions = 0700) {
  TRY_ASSIGN(const bool there, files.exists(directory));
  if (there) return base::ok();
  TRY(files.make_dir(directory, permissions));
  return files.sync_dir(io::directory_of(directory));
}

// Directories on the way to it belong to whoever may read there; only the last one is ours alone.
base::Status make_parents(io::FileSystem& files, const std::string& directory) {
  for (std::size_t slash = directory.find('/', 1); slash != std::string::npos; slash = directory.find('/', slash + 1)) {
    TRY(make_if_missing(files, directory.substr(0, slash), 0755));
  }
  return base::ok();
}

base::Error not_initialized(const std::string& directory) {
  return {"data_directory_not_initialized",
          "\"" + directory + "\" is not a data directory yet: holdfast init --data " + directory};
}

// A directory without a format file was never one of ours, or its making died at once.
base::Status check_initialized(io::FileSystem& files, const std::string& directory) {
  TRY_ASSIGN(const bool format, files.exists(io::join_path(directory, "format")));
  if (format) return base::ok();
  TRY_ASSIGN(const bool journal, files.exists(journal_directory(directory)));
  if (!journal) return not_initialized(directory);
  return base::ok();   // claim_data_directory names what is wrong
}

base::Result<std::unique_ptr<io::FileLock>> take_lock(io::FileSystem& files, const std::string& directory) {
  auto lock = files.lock_exclusive(io::join_path(directory, "lock"));
  if (!lock.ok() && std::string_view(lock.error().code) == "data_directory_locked") {
    return base::Error{"data_directory_locked", "another process works on the data directory \"" + directory + "\""};
  }
  return lock;
}

}  // namespace

std::string journal_directory(const std::string& directory) { return io::join_path(directory, "journal"); }
std::string keys_directory(const std::string& directory) { return io::join_path(directory, "keys"); }
std::string key_index_directory(const std::string& directory) { return io::join_path(directory, "keys-index"); }
std::string snapshot_directory(const std::string& directory) { return io::join_path(directory, "snapshots"); }
std::string views_file(const std::string& directory) { return io::join_path(directory, "views.sqlite"); }
std::string deliveries_file(const std::string& directory) { return io::join_path(directory, "deliveries.sqlite"); }
std::string dev_directory(const std::string& directory) { return io::join_path(directory, "dev"); }

std::string usual_master_key_file(const DataPlace& place) {
  if (!place.master_key_file.empty()) return place.master_key_file;
  if (place.mode == store::DataMode::dev) return io::join_path(dev_directory(place.directory), "master-key");
  return place.directory + ".master-key";
}

custody::MasterKeyPlace master_key_place(const DataPlace& place) {
  return {.path = usual_master_key_file(place),
          .data_directory = place.directory,
          .may_be_inside_data_directory = place.mode == store::DataMode::dev};
}

std::string usual_published_file(const DataPlace& place) {
  if (!place.published_file.empty()) return place.published_file;
  if (place.mode == store::DataMode::dev) return io::join_path(dev_directory(place.directory), "published");
  return place.directory + ".published";
}

struct DataDirectory::Root {
  std::array<std::uint8_t, 32> bytes{};
  explicit Root(const custody::Keyring& keyring) {
    crypto::hkdf_sha256(keyring.idempotency_scope(), {}, base::as_bytes("holdfast gate root 1"), bytes);
  }
  ~Root() { io::wipe(bytes); }
  Root(const Root&) = delete;
  Root& operator=(const Root&) = delete;
};

namespace {

gate::TokenKeys token_keys(const custody::Keyring& keyring) {
  gate::TokenKeys keys;
  for (std::uint32_t version = keyring.newest_version(custody::Purpose::token_mac); version > 0; --version) {
    keys.emplace_back(version, *keyring.token_mac(version));
  }
  return keys;
}

gate::FingerprintKeys fingerprint_keys(const custody::Keyring& keyring) {
  gate::FingerprintKeys keys;
  for (std::uint32_t version = keyring.newest_version(custody::Purpose::fingerprint); version > 0; --version) {
    keys.emplace_back(version, *keyring.fingerprint(version));
  }
  return keys;
}

}  // namespace

DataDirectory::DataDirectory(DataPlace place, std::unique_ptr<io::FileLock> lock, custody::Keyring keyring, const Root& root)
    : place_(std::move(place)),
      lock_(std::move(lock)),
      keyring_(std::move(keyring)),
      blinding_(keyring_.leaf_blinding(), only_partition),
      gate_keys_(root.bytes, token_keys(keyring_), fingerprint_keys(keyring_)) {}

base::Result<std::unique_ptr<DataDirectory>> DataDirectory::assemble(const DataPlace& place, std::unique_ptr<io::FileLock> lock,
                                                                     custody::Keyring keyring) {
  const Root root(keyring);
  return std::unique_ptr<DataDirectory>(new DataDirectory(place, std::move(lock), std::move(keyring), root));
}

base::Result<std::unique_ptr<DataDirectory>> DataDirectory::create(io::FileSystem& files, io::Random& random,
                                                                   const DataPlace& place) {
  TRY(make_parents(files, place.directory));
  TRY(make_if_missing(files, place.directory));
  TRY_ASSIGN(auto lock, take_lock(files, place.directory));
  TRY(store::claim_data_directory(files, place.directory, place.mode));
  if (place.mode == store::DataMode::dev) TRY(make_if_missing(files, dev_directory(place.directory)));
  const custody::MasterKeyPlace key = master_key_place(place);
  TRY_ASSIGN(const bool has_key, files.exists(key.path));
  TRY_ASSIGN(const custody::MasterKey master,
             has_key ? custody::MasterKey::load(files, key) : custody::MasterKey::create(files, random, key));
  TRY_ASSIGN(custody::Keyring keyring, custody::Keyring::create(files, random, master, keys_directory(place.directory)));
  return assemble(place, std::move(lock), std::move(keyring));
}

base::Result<std::unique_ptr<DataDirectory>> DataDirectory::open(io::FileSystem& files, const DataPlace& place) {
  TRY(check_initialized(files, place.directory));
  TRY_ASSIGN(auto lock, take_lock(files, place.directory));
  TRY(store::claim_data_directory(files, place.directory, place.mode));
  TRY_ASSIGN(const custody::MasterKey master, custody::MasterKey::load(files, master_key_place(place)));
  TRY_ASSIGN(custody::Keyring keyring, custody::Keyring::load(files, master, keys_directory(place.directory)));
  io::RealRandom random;
  TRY(keyring.make_missing(files, random, master));
  return assemble(place, std::move(lock), std::move(keyring));
}

base::Result<std::unique_ptr<DataDirectory>> DataDirectory::open_or_create(io::FileSystem& files, io::Random& random,
                                                                           const DataPlace& place) {
  auto created = create(files, random, place);
  if (created.ok() || std::string_view(created.error().code) != "keys_already_present") return created;
  return open(files, place);
}

base::Result<store::DataMode> DataDirectory::mode_of(io::FileSystem& files, const std::string& directory) {
  TRY(check_initialized(files, directory));
  const base::Status standard = store::claim_data_directory(files, directory, store::DataMode::standard);
  if (standard.ok()) return store::DataMode::standard;
  if (std::string_view(standard.error().code) == "data_directory_is_dev") return store::DataMode::dev;
  return standard.error();
}

base::Result<std::unique_ptr<io::FileLock>> DataDirectory::lock(io::FileSystem& files, const std::string& directory) {
  TRY(check_initialized(files, directory));
  return take_lock(files, directory);
}

}  // namespace node
