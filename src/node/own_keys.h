#pragma once
// The service's own keys as its keeper sees them, while no service runs: what there is, and new versions.

#include <cstdint>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "custody/soft/keyring.h"
#include "io/file.h"
#include "io/random.h"
#include "node/data_directory.h"

namespace node {

/// One of the keys of docs/format/keys.md.
struct OwnKey {
  custody::Purpose purpose;
  std::string_view name;       ///< as its files are called: `token-mac`
  std::uint32_t newest = 0;    ///< version, from 1
  std::string_view rotation;   ///< a sentence: what a new version does, or why there is none
  bool rotates = false;        ///< by rotate_own_key()
};

/// All of them, in the order of docs/format/keys.md.
std::vector<OwnKey> own_keys(const custody::Keyring& keyring);

/// Draws and seals the next version of a key; the next start uses it. Returns its number. Errors:
/// `own_key_unknown` (no key has this name), `own_key_never_rotates` (the message says why), `own_key_versions_used_up`
/// (fingerprints name their version in one byte), those of DataDirectory::open and of custody.
base::Result<std::uint32_t> rotate_own_key(io::FileSystem& files, io::Random& random, const DataPlace& place,
                                           std::string_view name);

/// The public half of the key that signs our requests to rails, 32 bytes of Ed25519: what a bank has to know. May be asked while
/// a service runs; only a directory that lacks the key has to be free, because it is made then. Errors: those of
/// DataDirectory::open and of custody.
base::Result<base::Bytes> rail_signing_public_key(io::FileSystem& files, const DataPlace& place);

}  // namespace node
