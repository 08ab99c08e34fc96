// UnionPay: sorted parameters; what is signed is the hexadecimal digest of their text. Version 5.1.0 takes SHA-256 twice and
// carries its certificate in the message, 5.0.0 takes SHA-1 twice and names the certificate by its decimal serial number.

#include <algorithm>

#include "crypto/chain/certificate.h"
#include "crypto/chain/pem.h"
#include "trial/specimen.h"
#include "trial/text_variants.h"

namespace trial {
namespace {

using crypto::chain::Hash;
using intake::Cause;

Scheme scheme_of_version(std::string_view version) {
  const Hash hash = version == "5.0.0" ? Hash::sha1 : Hash::sha256;
  return {.algorithm = Algorithm::rsa_pkcs1, .hash = hash, .prehash = Prehash::hex_digest, .prehash_hash = hash};
}

// The certificate in the message proves nothing by itself; it has to be the one that was given.
void judge_certificate(const Message& message, const KeyRing& ring, Specimen& specimen) {
  const auto text = message.parameter("signPubKeyCert");
  if (!text) return;
  const auto blocks = crypto::chain::pem_blocks(*text);
  auto certificate = blocks.ok() && !blocks->empty()
                         ? crypto::chain::read_certificate(base::Bytes(blocks->front().der))
                         : base::Result<crypto::chain::Certificate>(base::Error{"pem_is_malformed", "no block"});
  if (!certificate.ok()) {
    specimen.notes.add(Cause::signature_part_is_missing, {}, "signPubKeyCert is not a certificate in PEM");
    return;
  }
  const bool known = std::ranges::any_of(
      ring.keys, [&](const TrialKey& key) { return std::ranges::equal(key.verifier.spki(), certificate->key.spki); });
  if (!known)
    specimen.notes.add(
        Cause::signature_serial_is_unknown, {},
        "signPubKeyCert holds another key than those given: serial number " + to_decimal(certificate->serial));
}

}  // namespace

Specimen read_unionpay(const Case& one, const KeyRing& ring) {
  const Message& message = one.message;
  const auto signature = message.parameter("signature");
  if (!signature) return without_hope(Cause::signature_part_is_missing, "the parameter signature");
  const std::string method(message.parameter("signMethod").value_or("01"));
  if (method != "01")
    return without_hope(Cause::algorithm_not_allowed,
                        "signMethod is `" + method + "`; only 01, certificates with RSA, is tried");
  const std::string version(message.parameter("version").value_or("5.1.0"));
  const ParameterRule rule{.left_out = {"signature"}, .without_empty = false};
  Specimen specimen;
  specimen.base = join_parameters(message.parameters, rule);
  specimen.signature = *signature;
  specimen.scheme = scheme_of_version(version);
  specimen.key_name = message.parameter("certId").value_or("");
  specimen.key_name_is_serial = specimen.key_name_is_decimal = true;
  if (const auto time = message.parameter("txnTime")) specimen.stamps.push_back({"txnTime", std::string(*time)});
  const std::string other = version == "5.0.0" ? "5.1.0" : "5.0.0";
  specimen.variants.push_back(
      {Cause::protocol_version_differs, "as version " + other + " signs", specimen.base, scheme_of_version(other)});
  for (BaseVariant& variant : parameter_variants(message.parameters, rule))
    specimen.variants.push_back(std::move(variant));
  judge_certificate(message, ring, specimen);
  apply_charset(message.parameter("encoding").value_or(""), specimen);
  return specimen;
}

}  // namespace trial
