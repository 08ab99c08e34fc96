#pragma once
// The service's own keys: made at `init`, sealed in DIR/keys, held in locked memory while it runs.
//
// DIR/keys/NAME.VERSION.sealed, e.g. `leaf-blinding.1.sealed`; each file is a sealed record whose id is NAME.

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "crypto/mac.h"
#include "custody/signer.h"
#include "custody/soft/sealed_record.h"
#include "io/file.h"

namespace custody {

/// All purposes' keys, each in versions from 1 without a gap. Reading is safe from any thread; add_version must not run
/// beside anything else.
class Keyring {
 public:
  /// Makes version 1 of every key under `keys_directory`, which is created if it is not there. An `init` that died in
  /// the middle is completed by the next. Error `keys_already_present` (a finished `init` is never repeated), and those
  /// of files, sealed records and locked memory.
  static base::Result<Keyring> create(io::FileSystem& files, io::Random& random, const MasterKey& master,
                                      const std::string& keys_directory);

  /// Opens every key. A directory from before there was a rail-signing key comes without one: make_missing(). Errors
  /// `sealed_key_missing` (a purpose or a version in the middle has no file; the message names it),
  /// `sealed_key_size_wrong`, and those of files, sealed records and locked memory.
  static base::Result<Keyring> load(io::FileSystem& files, const MasterKey& master, const std::string& keys_directory);

  /// Makes the keys that came into being after the directory did. As add_version. Errors: those of files, sealed records and
  /// locked memory.
  base::Status make_missing(io::FileSystem& files, io::Random& random, const MasterKey& master);

  /// SipHash-128 key of (tenant, principal, operation, key). Never changes: the key index depends on it for ever.
  crypto::SipKeyView idempotency_scope() const;
  /// SipHash key of fingerprints in a version, nothing if there is no such version.
  std::optional<crypto::SipKeyView> fingerprint(std::uint32_t version) const;
  /// HMAC key of tokens in a version.
  std::optional<std::span<const std::uint8_t, 32>> token_mac(std::uint32_t version) const;
  /// Secret of audit::Blinding. Never changes.
  std::span<const std::uint8_t, 32> leaf_blinding() const;
  /// The log's signer in a version; null if there is no such version. Lives as long as the keyring.
  Signer* log_signer(std::uint32_t version) const;
  /// Signs our requests to rails; null in a directory that lacks it (make_missing). Lives as long as the keyring.
  Signer* rail_signer() const;

  /// The newest version of a purpose, from 1 (0: make_missing has yet to make it): what new fingerprints, tokens and checkpoints use.
  std::uint32_t newest_version(Purpose purpose) const;

  /// Draws, seals and syncs the next version of a key, and then holds it. Only fingerprint, token_mac and log_signing
  /// may change (CHECK). Returns its number. Errors: those of files, sealed records and locked memory.
  base::Result<std::uint32_t> add_version(Purpose purpose, io::FileSystem& files, io::Random& random,
                                          const MasterKey& master);

 private:
  struct Key {
    Purpose purpose;
    std::uint32_t version;
    io::SecretMemory secret;
    std::unique_ptr<Signer> signer;  ///< of an Ed25519 seed
  };

  explicit Keyring(std::string directory) : directory_(std::move(directory)) {}
  base::ByteView find(Purpose purpose, std::uint32_t version) const;
  Signer* find_signer(Purpose purpose, std::uint32_t version) const;
  base::Status hold(Purpose purpose, std::uint32_t version, io::SecretMemory secret);
  base::Status make(Purpose purpose, std::uint32_t version, io::FileSystem& files, io::Random& random,
                    const MasterKey& master);
  base::Status open(Purpose purpose, std::uint32_t version, io::FileSystem& files, const MasterKey& master);

  std::string directory_;
  std::vector<Key> keys_;
};

}  // namespace custody
