#include "custody/soft/chain_key.h"

#include <utility>

#include "crypto/keccak.h"
#include "crypto/secp256k1.h"

namespace custody {

namespace {

constexpr std::size_t secret_bytes = 32;
constexpr std::size_t record_bytes_max = 4096;
constexpr std::uint32_t only_version = 1;

RecordName record_name(std::string_view name) {
  return {.id = "chain-" + std::string(name), .version = only_version, .purpose = Purpose::chain_signing};
}

std::string path_of(const std::string& keys_directory, std::string_view name) {
  return io::join_path(keys_directory, record_name(name).id + "." + std::to_string(only_version) + ".sealed");
}

base::Status check_name(std::string_view name) {
  if (is_chain_key_name(name)) return base::ok();
  return base::Error{"chain_key_name_malformed", "a key's name is 1 to 32 of a-z, 0-9 and -, and starts with a letter"};
}

}  // namespace

bool is_chain_key_name(std::string_view name) {
  if (name.empty() || name.size() > 32 || name[0] < 'a' || name[0] > 'z') return false;
  for (const char c : name) {
    if ((c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '-') return false;
  }
  return true;
}

base::Result<io::SecretMemory> ChainKey::draw(io::Random& random) {
  TRY_ASSIGN(io::SecretMemory secret, io::SecretMemory::allocate(secret_bytes));
  // All but some 2^-128 of all draws are secrets.
  do random.fill(secret.bytes());
  while (!crypto::is_secp256k1_secret(secret.view()));
  return secret;
}

base::Result<std::unique_ptr<ChainKey>> ChainKey::seal(io::FileSystem& files, io::Random& random, const MasterKey& master,
                                                       const std::string& keys_directory, std::string_view name, io::SecretMemory secret) {
  TRY(check_name(name));
  if (!crypto::is_secp256k1_secret(secret.view())) return base::Error{"chain_key_malformed", "that is no private key of secp256k1"};
  const std::string path = path_of(keys_directory, name);
  TRY_ASSIGN(const bool there, files.exists(path));
  if (there) return base::Error{"chain_key_exists", path + " is there: a key is never replaced"};
  TRY_ASSIGN(const base::Bytes record, seal_record(master, random, record_name(name), secret.view()));
  TRY(io::replace_file(files, path, record, 0600));
  return std::unique_ptr<ChainKey>(new ChainKey(std::move(secret)));
}

base::Result<std::unique_ptr<ChainKey>> ChainKey::open(io::FileSystem& files, const MasterKey& master, const std::string& keys_directory,
                                                       std::string_view name) {
  TRY(check_name(name));
  const std::string path = path_of(keys_directory, name);
  TRY_ASSIGN(const bool there, files.exists(path));
  if (!there) return base::Error{"chain_key_missing", path + " is not there: make the key with \"holdfast keyring chain " + std::string(name) + "\""};
  TRY_ASSIGN(const base::Bytes record, io::read_whole_file(files, path, record_bytes_max));
  auto secret = open_record(master, record_name(name), record);
  if (!secret.ok()) return base::Error{secret.error().code, path + ": " + secret.error().message};
  if (!crypto::is_secp256k1_secret(secret->view())) return base::Error{"chain_key_malformed", path + " holds no private key of secp256k1"};
  return std::unique_ptr<ChainKey>(new ChainKey(std::move(*secret)));
}

base::Bytes ChainKey::public_key() const {
  return base::to_bytes(crypto::secp256k1_public_key(crypto::Secp256k1SecretView(secret_.view().data(), secret_bytes)));
}

base::Result<base::Bytes> ChainKey::sign(base::ByteView message) {
  const crypto::RecoverableSignature signature =
      crypto::secp256k1_sign(crypto::Secp256k1SecretView(secret_.view().data(), secret_bytes), crypto::keccak256(message));
  base::Bytes out = base::to_bytes(signature.r);
  base::append(out, signature.s);
  out.push_back(signature.parity);
  return out;
}

}  // namespace custody
