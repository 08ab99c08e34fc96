#pragma once
// Keys of accounts on EVM chains: made or brought along by a person, any number of them, each sealed in a file of its own beside
// the service's own keys. Such a key never gets a new version: it is the account.
//
// DIR/keys/chain-NAME.1.sealed, a sealed record whose id is `chain-NAME`.

#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"
#include "custody/signer.h"
#include "custody/soft/sealed_record.h"
#include "io/file.h"
#include "io/secret_memory.h"

namespace custody {

/// 1 to 32 characters a-z 0-9 and `-`, starting with a letter.
bool is_chain_key_name(std::string_view name);

/// In locked memory until destroyed. Signing is safe from any thread.
class ChainKey final : public Signer {
 public:
  /// A secret for a new account. Errors: those of locked memory.
  static base::Result<io::SecretMemory> draw(io::Random& random);
  /// Seals a secret under a name that has none, durably. Errors: `chain_key_name_malformed`, `chain_key_exists`,
  /// `chain_key_malformed` (it is no secret of this curve), those of files and sealed records.
  static base::Result<std::unique_ptr<ChainKey>> seal(io::FileSystem& files, io::Random& random, const MasterKey& master,
                                                      const std::string& keys_directory, std::string_view name, io::SecretMemory secret);
  /// Errors: `chain_key_name_malformed`, `chain_key_missing`, `chain_key_malformed`, those of files, sealed records and locked memory.
  static base::Result<std::unique_ptr<ChainKey>> open(io::FileSystem& files, const MasterKey& master, const std::string& keys_directory,
                                                      std::string_view name);

  SigningAlgorithm algorithm() const override { return SigningAlgorithm::secp256k1_keccak256; }
  base::Bytes public_key() const override;
  base::Result<base::Bytes> sign(base::ByteView message) override;

 private:
  explicit ChainKey(io::SecretMemory secret) : secret_(std::move(secret)) {}

  io::SecretMemory secret_;
};

}  // namespace custody
