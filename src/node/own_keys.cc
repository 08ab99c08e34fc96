#include "node/own_keys.h"

#include <algorithm>
#include <string>

namespace node {

using custody::Purpose;

std::vector<OwnKey> own_keys(const custody::Keyring& keyring) {
  std::vector<OwnKey> keys = {
      {.purpose = Purpose::idempotency_scope,
       .name = "idempotency-scope",
       .rotation = "never rotates: keys that were used must be known for ever"},
      {.purpose = Purpose::fingerprint,
       .name = "fingerprint",
       .rotation = "rotates: new requests are fingerprinted with the newest version; older ones are compared with the version they were made with",
       .rotates = true},
      {.purpose = Purpose::token_mac,
       .name = "token-mac",
       .rotation = "rotates: access tokens of the newest version and of the one before are believed; rotate twice to end all tokens",
       .rotates = true},
      {.purpose = Purpose::leaf_blinding, .name = "leaf-blinding", .rotation = "never rotates: every leaf of the audit log depends on it"},
      {.purpose = Purpose::rail_signing,
       .name = "rail-signing",
       .rotation = "does not rotate: every bank knows its public half; a rail that is to have another gets a signing_key_file"},
      {.purpose = Purpose::log_signing, .name = "log-signing", .rotation = "rotates by holdfast audit rollover, which journals the change"},
  };
  for (OwnKey& key : keys) key.newest = keyring.newest_version(key.purpose);
  return keys;
}

base::Result<std::uint32_t> rotate_own_key(io::FileSystem& files, io::Random& random, const DataPlace& place,
                                           std::string_view name) {
  TRY_ASSIGN(const auto data, DataDirectory::open(files, place));
  const std::vector<OwnKey> keys = own_keys(data->keyring());
  const auto key = std::ranges::find(keys, name, &OwnKey::name);
  if (key == keys.end()) return base::Error{"own_key_unknown", "there is no key \"" + std::string(name) + "\""};
  if (!key->rotates) return base::Error{"own_key_never_rotates", std::string(name) + " " + std::string(key->rotation)};
  if (key->purpose == Purpose::fingerprint && key->newest == UINT8_MAX) {
    return base::Error{"own_key_versions_used_up", std::string(name) + " has had " + std::to_string(UINT8_MAX) + " versions, all there can be"};
  }
  TRY_ASSIGN(const custody::MasterKey master, custody::MasterKey::load(files, master_key_place(place)));
  TRY_ASSIGN(custody::Keyring keyring, custody::Keyring::load(files, master, keys_directory(place.directory)));
  return keyring.add_version(key->purpose, files, random, master);
}

base::Result<base::Bytes> rail_signing_public_key(io::FileSystem& files, const DataPlace& place) {
  TRY_ASSIGN(const custody::MasterKey master, custody::MasterKey::load(files, master_key_place(place)));
  TRY_ASSIGN(const custody::Keyring keyring, custody::Keyring::load(files, master, keys_directory(place.directory)));
  if (const custody::Signer* const signer = keyring.rail_signer()) return signer->public_key();
  TRY_ASSIGN(const auto data, DataDirectory::open(files, place));
  return data->keyring().rail_signer()->public_key();
}

}  // namespace node
