#pragma once
// Who can sign. What holds the private key (this process, a token, another machine) is behind this interface.

#include <cstdint>

#include "base/bytes.h"
#include "base/result.h"

namespace custody {

/// Numbers are written to disk and never reused.
enum class SigningAlgorithm : std::uint8_t {
  ed25519 = 1,  ///< RFC 8032; public key 32 bytes, signature 64 bytes
  /// ECDSA on secp256k1 over the message's Keccak-256 (Ethereum). Public key 64 bytes, X and Y; signature 65 bytes, r and s
  /// and the parity of the nonce's point, s in the lower half.
  secp256k1_keccak256 = 2,
};

/// One private key. Calls may come from any thread.
class Signer {
 public:
  virtual ~Signer() = default;
  virtual SigningAlgorithm algorithm() const = 0;
  /// In the algorithm's raw form.
  virtual base::Bytes public_key() const = 0;
  /// Signature of the whole message in the algorithm's raw form. Errors are those of the holder; a software key has
  /// none.
  virtual base::Result<base::Bytes> sign(base::ByteView message) = 0;
};

}  // namespace custody
