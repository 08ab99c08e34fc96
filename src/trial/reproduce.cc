// The same check with openssl(1), for whoever does not believe us.

#include "base/text.h"
#include "intake/doctor.h"
#include "trial/trial.h"

namespace trial {
namespace {

std::string hash_option(crypto::chain::Hash hash) {
  std::string name(crypto::name_of(hash));
  std::erase(name, '-');
  for (char& c : name) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  return name;
}

std::string quoted(const std::string& text) {
  std::string out = "'";
  for (const char c : text) out += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return out + "'";
}

std::string command_of(const Scheme& scheme) {
  const std::string digest = "openssl dgst -" + hash_option(scheme.hash) + " ";
  const std::string files = "-verify key.pem -signature signature.bin base.bin";
  switch (scheme.algorithm) {
    case Algorithm::rsa_pkcs1:
    case Algorithm::ecdsa: return digest + files;
    case Algorithm::rsa_pss: {
      const std::string salt =
          scheme.any_salt
              ? "auto"
              : std::to_string(scheme.salt_bytes.value_or(static_cast<std::uint32_t>(crypto::size_of(scheme.hash))));
      return digest + "-sigopt rsa_padding_mode:pss -sigopt rsa_pss_saltlen:" + salt + " " + files;
    }
    case Algorithm::eddsa:
      return "openssl pkeyutl -verify -pubin -inkey key.pem -rawin -in base.bin -sigfile signature.bin";
    case Algorithm::ed25519ph:
      // openssl(1) of version 3.0 has no Ed25519ph.
      return "openssl pkeyutl -verify -pubin -inkey key.pem -rawin -pkeyopt instance:Ed25519ph -in base.bin -sigfile "
             "signature.bin   # OpenSSL 3.2 or later";
    case Algorithm::sm2: return "openssl dgst -sm3 -sigopt " + quoted("distid:" + scheme.user_id) + " " + files;
    case Algorithm::hmac:
      return digest + "-mac HMAC -macopt hexkey:\"$SECRET_HEX\" -binary base.bin | cmp - signature.bin";
  }
  return {};
}

}  // namespace

Reproduction reproduction_of(const Scheme& scheme, const TrialKey* key, const std::string& base,
                             const base::Bytes& signature) {
  Reproduction out;
  out.command = command_of(scheme);
  out.base = base::as_text(prehashed(scheme, base::as_bytes(base)));
  out.signature = signature;
  const bool pair = scheme.algorithm == Algorithm::ecdsa || scheme.algorithm == Algorithm::sm2;
  if (pair && !scheme.der) out.signature = crypto::signature_raw_to_der(signature).value_or(signature);
  if (key != nullptr) out.key_pem = intake::to_pem("PUBLIC KEY", key->verifier.spki());
  return out;
}

}  // namespace trial
