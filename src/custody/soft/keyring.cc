#include "custody/soft/keyring.h"

#include <algorithm>
#include <charconv>
#include <string_view>
#include <utility>

#include "base/check.h"
#include "crypto/sign.h"

namespace custody {
namespace {

struct KeyKind {
  Purpose purpose;
  const char* name;
  std::size_t bytes;
  bool may_change;
  bool signs = false;             // an Ed25519 seed
  bool may_be_missing = false;    // directories are older than it
};

// In the order they are made. The log's signing key comes last: where it is, `init` was finished.
constexpr KeyKind kinds[] = {
    {Purpose::idempotency_scope, "idempotency-scope", 16, false},
    {Purpose::fingerprint, "fingerprint", 16, true},
    {Purpose::token_mac, "token-mac", 32, true},
    {Purpose::leaf_blinding, "leaf-blinding", 32, false},
    {.purpose = Purpose::rail_signing, .name = "rail-signing", .bytes = 32, .may_change = false, .signs = true, .may_be_missing = true},
    {.purpose = Purpose::log_signing, .name = "log-signing", .bytes = 32, .may_change = true, .signs = true},
};

const KeyKind& kind_of(Purpose purpose) {
  const auto kind = std::ranges::find(kinds, purpose, &KeyKind::purpose);
  CHECK(kind != std::end(kinds));
  return *kind;
}

constexpr std::size_t record_bytes_max = 4096;

std::string file_name(const KeyKind& kind, std::uint32_t version) {
  return std::string(kind.name) + "." + std::to_string(version) + ".sealed";
}

// The version in `NAME.VERSION.sealed`, 0 for other names.
std::uint32_t version_in(std::string_view file, const KeyKind& kind) {
  const std::string_view name = kind.name;
  if (!file.starts_with(name) || !file.substr(name.size()).starts_with('.')) return 0;
  file.remove_prefix(name.size() + 1);
  std::uint32_t version = 0;
  std::from_chars(file.data(), file.data() + file.size(), version);
  return file_name(kind, version).substr(name.size() + 1) == file ? version : 0;
}

// The seed stays in the keyring's locked memory.
class Ed25519Signer final : public Signer {
 public:
  explicit Ed25519Signer(crypto::Ed25519SeedView seed) : pair_(seed) {}
  SigningAlgorithm algorithm() const override { return SigningAlgorithm::ed25519; }
  base::Bytes public_key() const override { return base::to_bytes(pair_.public_key()); }
  base::Result<base::Bytes> sign(base::ByteView message) override {
    return base::to_bytes(pair_.sign(message));
  }

 private:
  crypto::Ed25519KeyPair pair_;
};

}  // namespace

base::Result<Keyring> Keyring::create(io::FileSystem& files, io::Random& random, const MasterKey& master,
                                      const std::string& keys_directory) {
  Keyring keyring(keys_directory);
  TRY_ASSIGN(const bool there, files.exists(keys_directory));
  if (!there) {
    TRY(files.make_dir(keys_directory, 0700));
    TRY(files.sync_dir(io::directory_of(keys_directory)));
  }
  const KeyKind& last = kinds[std::size(kinds) - 1];
  TRY_ASSIGN(const bool finished, files.exists(io::join_path(keys_directory, file_name(last, 1))));
  if (finished) {
    return base::Error{"keys_already_present", keys_directory + " already holds the keys of this data directory"};
  }
  for (const KeyKind& kind : kinds) {
    TRY_ASSIGN(const bool made, files.exists(io::join_path(keys_directory, file_name(kind, 1))));
    if (made) {
      TRY(keyring.open(kind.purpose, 1, files, master));
    } else {
      TRY(keyring.make(kind.purpose, 1, files, random, master));
    }
  }
  return keyring;
}

base::Result<Keyring> Keyring::load(io::FileSystem& files, const MasterKey& master, const std::string& keys_directory) {
  Keyring keyring(keys_directory);
  TRY_ASSIGN(const bool there, files.exists(keys_directory));
  std::vector<std::string> names;
  if (there) {
    TRY_ASSIGN(names, files.list(keys_directory));
  }
  for (const KeyKind& kind : kinds) {
    std::uint32_t newest = kind.may_be_missing ? 0 : 1;
    for (const std::string& name : names) newest = std::max(newest, version_in(name, kind));
    for (std::uint32_t version = 1; version <= newest; ++version) {
      if (std::ranges::find(names, file_name(kind, version)) == names.end()) {
        return base::Error{"sealed_key_missing",
                           io::join_path(keys_directory, file_name(kind, version)) + " is missing"};
      }
      TRY(keyring.open(kind.purpose, version, files, master));
    }
  }
  return keyring;
}

base::Status Keyring::make_missing(io::FileSystem& files, io::Random& random, const MasterKey& master) {
  for (const KeyKind& kind : kinds) {
    if (newest_version(kind.purpose) == 0) TRY(make(kind.purpose, 1, files, random, master));
  }
  return base::ok();
}

crypto::SipKeyView Keyring::idempotency_scope() const {
  return crypto::SipKeyView(find(Purpose::idempotency_scope, 1).data(), 16);
}

std::optional<crypto::SipKeyView> Keyring::fingerprint(std::uint32_t version) const {
  const base::ByteView key = find(Purpose::fingerprint, version);
  if (key.empty()) return std::nullopt;
  return crypto::SipKeyView(key.data(), 16);
}

std::optional<std::span<const std::uint8_t, 32>> Keyring::token_mac(std::uint32_t version) const {
  const base::ByteView key = find(Purpose::token_mac, version);
  if (key.empty()) return std::nullopt;
  return std::span<const std::uint8_t, 32>(key.data(), 32);
}

std::span<const std::uint8_t, 32> Keyring::leaf_blinding() const {
  return std::span<const std::uint8_t, 32>(find(Purpose::leaf_blinding, 1).data(), 32);
}

Signer* Keyring::log_signer(std::uint32_t version) const { return find_signer(Purpose::log_signing, version); }

Signer* Keyring::rail_signer() const { return find_signer(Purpose::rail_signing, 1); }

Signer* Keyring::find_signer(Purpose purpose, std::uint32_t version) const {
  for (const Key& key : keys_) {
    if (key.purpose == purpose && key.version == version) return key.signer.get();
  }
  return nullptr;
}

std::uint32_t Keyring::newest_version(Purpose purpose) const {
  std::uint32_t newest = 0;
  for (const Key& key : keys_) {
    if (key.purpose == purpose) newest = std::max(newest, key.version);
  }
  CHECK(newest > 0 || kind_of(purpose).may_be_missing);
  return newest;
}

base::Result<std::uint32_t> Keyring::add_version(Purpose purpose, io::FileSystem& files, io::Random& random,
                                                 const MasterKey& master) {
  CHECK(kind_of(purpose).may_change);
  const std::uint32_t version = newest_version(purpose) + 1;
  TRY(make(purpose, version, files, random, master));
  return version;
}

base::ByteView Keyring::find(Purpose purpose, std::uint32_t version) const {
  for (const Key& key : keys_) {
    if (key.purpose == purpose && key.version == version) return key.secret.view();
  }
  return {};
}

base::Status Keyring::hold(Purpose purpose, std::uint32_t version, io::SecretMemory secret) {
  const KeyKind& kind = kind_of(purpose);
  if (secret.size() != kind.bytes) {
    return base::Error{"sealed_key_size_wrong", io::join_path(directory_, file_name(kind, version)) + " holds " +
                                                    std::to_string(secret.size()) + " bytes, not " +
                                                    std::to_string(kind.bytes)};
  }
  Key key{purpose, version, std::move(secret), nullptr};
  if (kind.signs) {
    // The memory does not move when its owner does, so the signer may look at it.
    key.signer = std::make_unique<Ed25519Signer>(crypto::Ed25519SeedView(key.secret.view().data(), 32));
  }
  keys_.push_back(std::move(key));
  return base::ok();
}

base::Status Keyring::make(Purpose purpose, std::uint32_t version, io::FileSystem& files, io::Random& random,
                           const MasterKey& master) {
  const KeyKind& kind = kind_of(purpose);
  TRY_ASSIGN(io::SecretMemory secret, io::SecretMemory::allocate(kind.bytes));
  random.fill(secret.bytes());
  TRY_ASSIGN(const base::Bytes record, seal_record(master, random, {kind.name, version, purpose}, secret.view()));
  TRY(io::replace_file(files, io::join_path(directory_, file_name(kind, version)), record, 0600));
  return hold(purpose, version, std::move(secret));
}

base::Status Keyring::open(Purpose purpose, std::uint32_t version, io::FileSystem& files, const MasterKey& master) {
  const KeyKind& kind = kind_of(purpose);
  const std::string path = io::join_path(directory_, file_name(kind, version));
  TRY_ASSIGN(const base::Bytes record, io::read_whole_file(files, path, record_bytes_max));
  auto secret = open_record(master, {kind.name, version, purpose}, record);
  if (!secret.ok()) return base::Error{secret.error().code, path + ": " + secret.error().message};
  return hold(purpose, version, std::move(*secret));
}

}  // namespace custody
