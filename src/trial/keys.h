#pragma once
// The keys of a case, read by the import doctor: what of them can check signatures, and under which names messages call them.

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "crypto/public_verifier.h"
#include "intake/finding.h"
#include "trial/case.h"

namespace trial {

struct TrialKey {
  bool own = false;           ///< ours, not the partner's
  std::string key_id;         ///< as the case or the key itself names it; may be empty
  std::string serial;         ///< of a certificate: upper-case hexadecimal without leading zeros
  std::string alipay_serial;  ///< of a certificate: app_cert_sn
  std::string thumbprint;     ///< RFC 7638
  std::string fingerprint;    ///< SHA-256 of certificate or SPKI, hexadecimal
  crypto::PublicVerifier verifier;

  /// `EC P-256 key q3X..., ours`
  std::string describe() const;
};

struct KeyRing {
  std::vector<TrialKey> keys;                ///< the partner's first, in the order of the case
  std::vector<intake::Secret> secrets;       ///< ways to read the shared secret, the agreed one first
  std::vector<std::string> secret_readings;  ///< what each of `secrets` is
  intake::Notes notes;                       ///< what the doctor refuses; private keys are an incident
  std::string alipay_root_serial;            ///< of the roots: alipay_root_cert_sn
};

/// Reads all keys. Private material is refused, never used: a trial needs public keys only. Keys of kinds that make no
/// signatures are noted and left out.
KeyRing read_keys(const Case& one);

// --- serial numbers --------------------------------------------------------------------------------------------------

/// Decimal digits of a big-endian number.
std::string to_decimal(base::ByteView number);
/// How a message's name for a key goes with what a key is called.
enum class Naming : std::uint8_t { same, other_form, different };
/// `other_form`: the same number, in hexadecimal or decimal, of another case, with colons or leading zeros.
Naming compare_names(std::string_view in_message, const TrialKey& key);

}  // namespace trial
