#pragma once
// A signer with the private key of the worked example in EIP-155. For tests only.

#include "crypto/keccak.h"
#include "crypto/secp256k1.h"
#include "custody/signer.h"
#include "effects/rails/evm/address.h"

namespace effects {

class ExampleSigner final : public custody::Signer {
 public:
  explicit ExampleSigner(std::uint8_t byte = 0x46) { secret_.fill(byte); }
  custody::SigningAlgorithm algorithm() const override { return custody::SigningAlgorithm::secp256k1_keccak256; }
  base::Bytes public_key() const override { return base::to_bytes(crypto::secp256k1_public_key(secret_)); }
  base::Result<base::Bytes> sign(base::ByteView message) override {
    if (fails) return base::Error{"signer_away", "the token was pulled out"};
    const crypto::RecoverableSignature signature = crypto::secp256k1_sign(secret_, crypto::keccak256(message));
    base::Bytes out = base::to_bytes(signature.r);
    base::append(out, signature.s);
    out.push_back(signature.parity);
    return out;
  }
  EvmAddress address() const { return address_of_public_key(public_key()); }
  bool fails = false;

 private:
  base::Digest secret_{};
};

}  // namespace effects
