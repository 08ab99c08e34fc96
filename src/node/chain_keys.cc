#include "node/chain_keys.h"

#include <utility>

#include "base/text.h"
#include "crypto/secp256k1.h"
#include "effects/rails/evm/outbox.h"

namespace node {

namespace {

constexpr std::uint64_t import_bytes_max = 256;

std::string evm_directory(const std::string& directory) { return io::join_path(directory, "evm"); }

base::Result<custody::MasterKey> load_master_key(io::FileSystem& files, const DataPlace& place) {
  return custody::MasterKey::load(files, {.path = usual_master_key_file(place),
                                          .data_directory = place.directory,
                                          .may_be_inside_data_directory = place.mode == store::DataMode::dev});
}

base::Result<io::SecretMemory> read_secret(io::FileSystem& files, const std::string& path) {
  TRY_ASSIGN(const io::FileInfo info, files.info(path));
  const base::Error unusable{"chain_key_file_unusable", path + " must hold a private key as 64 hex digits, and nobody but its owner may read it"};
  if ((info.mode & 0077) != 0) return unusable;
  TRY_ASSIGN(base::Bytes text, io::read_whole_file(files, path, import_bytes_max));
  std::string_view digits = base::as_text(text);
  while (digits.ends_with('\n')) digits.remove_suffix(1);
  if (digits.starts_with("0x")) digits.remove_prefix(2);
  auto secret = base::parse_hex(digits);
  io::wipe(text);
  if (!secret) return unusable;
  const bool is_secret = crypto::is_secp256k1_secret(*secret);
  auto held = io::SecretMemory::copy_of(*secret);
  io::wipe(*secret);
  if (!is_secret) return unusable;
  return held;
}

base::Status make_outbox(io::FileSystem& files, const DataPlace& place, std::string_view name, std::uint64_t chain_id,
                         const effects::EvmAddress& address) {
  const std::string directory = evm_directory(place.directory), path = evm_outbox_file(place.directory, name);
  TRY_ASSIGN(const bool directory_there, files.exists(directory));
  if (!directory_there) {
    TRY(files.make_dir(directory, 0700));
    TRY(files.sync_dir(place.directory));
  }
  TRY_ASSIGN(const bool there, files.exists(path));
  if (!there) return effects::EvmOutbox::create(files, path, chain_id, address);
  TRY_ASSIGN(const auto outbox, effects::EvmOutbox::open(files, path, address));
  if (outbox->chain_id() == chain_id) return base::ok();
  return base::Error{"evm_outbox_of_another_account", path + " is of chain " + std::to_string(outbox->chain_id())};
}

}  // namespace

std::string evm_outbox_file(const std::string& directory, std::string_view name) {
  return io::join_path(evm_directory(directory), std::string(name) + ".outbox");
}

base::Result<effects::EvmAddress> make_chain_key(io::FileSystem& files, io::Random& random, const DataPlace& place, std::string_view name,
                                                 std::uint64_t chain_id, const std::string& import_file) {
  TRY_ASSIGN(const auto data, DataDirectory::open(files, place));
  TRY_ASSIGN(const custody::MasterKey master, load_master_key(files, place));
  const std::string keys = keys_directory(place.directory);
  const auto existing = custody::ChainKey::open(files, master, keys, name);
  if (existing.ok()) return base::Error{"chain_key_exists", "there is a key \"" + std::string(name) + "\": a key is never replaced"};
  if (std::string_view(existing.error().code) != "chain_key_missing") return existing.error();
  TRY_ASSIGN(io::SecretMemory secret, import_file.empty() ? custody::ChainKey::draw(random) : read_secret(files, import_file));
  const effects::EvmAddress address =
      effects::address_of_public_key(crypto::secp256k1_public_key(crypto::Secp256k1SecretView(secret.view().data(), 32)));
  // The key last: a key without an outbox is an account that signed nobody knows what.
  TRY(make_outbox(files, place, name, chain_id, address));
  TRY(custody::ChainKey::seal(files, random, master, keys, name, std::move(secret)));
  return address;
}

base::Result<std::unique_ptr<custody::ChainKey>> open_chain_key(io::FileSystem& files, const DataPlace& place, std::string_view name) {
  TRY_ASSIGN(const custody::MasterKey master, load_master_key(files, place));
  return custody::ChainKey::open(files, master, keys_directory(place.directory), name);
}

}  // namespace node
