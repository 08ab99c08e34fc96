#pragma once
// Secrets at rest. Each record has a data key of its own, which the master key wraps; what the record is (its id,
// version and purpose) is associated data of both layers, so that a record cannot be passed off as another one.
// Byte by byte: docs/format/keys.md.

#include <cstdint>
#include <span>
#include <string>

#include "base/bytes.h"
#include "base/result.h"
#include "custody/soft/master_key.h"
#include "io/random.h"

namespace custody {

/// What a sealed secret is for. Numbers are on disk and never reused.
enum class Purpose : std::uint8_t {
  idempotency_scope = 1,  ///< SipHash key of idempotency scopes
  fingerprint = 2,        ///< SipHash key of request fingerprints
  token_mac = 3,          ///< HMAC key of bearer tokens
  leaf_blinding = 4,      ///< ChaCha20 key of the log's blinding values
  log_signing = 5,        ///< Ed25519 seed of the log
  rail_signing = 6,       ///< Ed25519 seed of our requests to rails
  chain_signing = 7,      ///< secp256k1 private key of an account on an EVM chain
};

/// The identity a record must have to be opened.
struct RecordName {
  std::string id;             ///< 1 to 128 bytes of UTF-8
  std::uint32_t version = 1;  ///< from 1
  Purpose purpose = Purpose::idempotency_scope;
};

/// Secrets of at most this many bytes.
constexpr std::size_t sealed_secret_bytes_max = 64 * 1024;

/// Draws a data key and seals `secret` with it. Error `sealed_secret_too_large`.
base::Result<base::Bytes> seal_record(const MasterKey& master, io::Random& random, const RecordName& name,
                                      base::ByteView secret);

/// The secret of a record in locked memory.
/// Errors: `sealed_record_malformed`, `sealed_record_version_unknown`, `sealed_record_of_another_name`,
/// `sealed_record_of_another_master_key`, `sealed_record_not_authentic` (a changed byte), and those of locked memory.
base::Result<io::SecretMemory> open_record(const MasterKey& master, const RecordName& name, base::ByteView record);

}  // namespace custody
