#pragma once
// Certificates, revocation lists and OCSP responses with any content whatever, for tests and benchmarks: whatever is wrong
// with them was put there on purpose.

#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

#include <cstdlib>
#include <functional>
#include <initializer_list>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/bytes.h"
#include "crypto/chain/certificate.h"
#include "crypto/chain/der.h"
#include "crypto/chain/oid.h"
#include "crypto/chain/ocsp.h"
#include "crypto/chain/revocation_list.h"
#include "crypto/chain/signature.h"

namespace crypto::chain::making {

using base::Bytes;
using base::ByteView;

inline Bytes tlv(std::uint8_t tag_byte, const std::vector<Bytes>& parts) {
  Bytes body;
  for (const Bytes& part : parts) base::append(body, part);
  Bytes out{tag_byte};
  if (body.size() < 0x80) {
    out.push_back(static_cast<std::uint8_t>(body.size()));
  } else {
    Bytes length;
    for (std::size_t rest = body.size(); rest != 0; rest >>= 8) length.insert(length.begin(), static_cast<std::uint8_t>(rest));
    out.push_back(static_cast<std::uint8_t>(0x80 | length.size()));
    base::append(out, length);
  }
  base::append(out, body);
  return out;
}
inline Bytes raw(std::string_view text) { return base::to_bytes(base::as_bytes(text)); }
inline Bytes sequence(const std::vector<Bytes>& parts) { return tlv(tag::sequence, parts); }
inline Bytes octets(const Bytes& content) { return tlv(tag::octet_string, {content}); }
inline Bytes id(const Oid& oid) { return tlv(tag::oid, {base::to_bytes(oid.view())}); }
inline Bytes flag(bool value) { return {tag::boolean, 1, static_cast<std::uint8_t>(value ? 0xFF : 0)}; }
inline Bytes small(std::uint8_t value) { return {tag::integer, 1, value}; }
inline Bytes bits(const Bytes& content) { return tlv(tag::bit_string, {Bytes{0}, content}); }
inline Bytes named_bits(std::uint32_t mask) {
  Bytes content{0, 0};
  for (unsigned i = 0; i < 16; ++i) {
    if ((mask >> i & 1) != 0) content[i / 8] = static_cast<std::uint8_t>(content[i / 8] | 0x80 >> i % 8);
  }
  if (content[1] == 0) content.pop_back();
  if (content == Bytes{0}) return {tag::bit_string, 1, 0};
  std::uint8_t unused = 0;
  while ((content.back() >> unused & 1) == 0) ++unused;
  return tlv(tag::bit_string, {Bytes{unused}, content});
}
/// `20260101000000Z`.
inline Bytes general_time(std::string_view text) { return tlv(tag::generalized_time, {raw(text)}); }

/// `CN=...`, or the empty name.
inline Bytes name(std::string_view common_name) {
  if (common_name.empty()) return sequence({});
  return sequence({tlv(tag::set, {sequence({id(oid::common_name), tlv(tag::utf8_string, {raw(common_name)})})})});
}
inline Bytes dns(std::string_view text) { return tlv(tag::primitive(2), {raw(text)}); }
inline Bytes email(std::string_view text) { return tlv(tag::primitive(1), {raw(text)}); }
inline Bytes uri(std::string_view text) { return tlv(tag::primitive(6), {raw(text)}); }
inline Bytes address(const Bytes& bytes) { return tlv(tag::primitive(7), {bytes}); }
inline Bytes directory(std::string_view common_name) { return tlv(tag::constructed(4), {name(common_name)}); }

inline Bytes extension(const Oid& oid, bool critical, const Bytes& value) {
  return critical ? sequence({id(oid), flag(true), octets(value)}) : sequence({id(oid), octets(value)});
}

struct Key {
  std::shared_ptr<EVP_PKEY> pair;
  Bytes spki;

  explicit Key(EVP_PKEY* made) : pair(made, EVP_PKEY_free) {
    unsigned char* der = nullptr;
    const int size = i2d_PUBKEY(made, &der);
    if (size <= 0) std::abort();
    spki.assign(der, der + size);
    OPENSSL_free(der);
  }
  static Key ec(const char* curve = "P-256") { return Key(EVP_EC_gen(curve)); }
  static Key rsa(unsigned size = 2'048) { return Key(EVP_RSA_gen(size)); }

  Bytes public_bits() const {
    const auto whole = only(spki, tag::sequence);
    Reader parts(*whole);
    parts.next();
    return base::to_bytes(parts.next()->body.subspan(1));
  }
  Bytes identifier() const {
    const auto hash = sha1_name(public_bits());
    return Bytes(hash.begin(), hash.end());
  }
  Bytes sign(const Bytes& message, const EVP_MD* digest = EVP_sha256()) const {
    EVP_MD_CTX* const context = EVP_MD_CTX_new();
    Bytes signature(1'024);
    std::size_t size = signature.size();
    if (EVP_DigestSignInit(context, nullptr, digest, nullptr, pair.get()) != 1 ||
        EVP_DigestSign(context, signature.data(), &size, message.data(), message.size()) != 1) {
      std::abort();
    }
    EVP_MD_CTX_free(context);
    signature.resize(size);
    return signature;
  }
};

inline Bytes ecdsa_sha256() { return sequence({id(oid::sha256_ecdsa)}); }
inline Bytes rsa_sha256() { return sequence({id(oid::sha256_rsa), Bytes{tag::null, 0}}); }
inline Bytes signed_by(const Key& key, const Bytes& body, const Bytes& algorithm, const EVP_MD* digest = EVP_sha256()) {
  return sequence({body, algorithm, bits(key.sign(body, digest))});
}

/// One certificate to be made. Extensions are kept by their identifier, so that a test replaces or removes one.
struct Spec {
  Bytes subject = name("example.com");
  Bytes issuer = name("ica");
  Bytes serial{0x4A};
  int version = 3;
  std::string not_before = "20200101000000Z", not_after = "20400101000000Z";
  std::optional<Key> key, signer;
  Bytes algorithm = ecdsa_sha256();
  const EVP_MD* digest = EVP_sha256();
  std::vector<std::pair<std::string, Bytes>> extensions;

  static std::string word(const Oid& oid) { return std::string(base::as_text(oid.view())); }
  Spec& without(const Oid& oid) {
    std::erase_if(extensions, [&](const auto& entry) { return entry.first == word(oid); });
    return *this;
  }
  Spec& with(const Oid& oid, bool critical, const Bytes& value) {
    without(oid);
    extensions.emplace_back(word(oid), extension(oid, critical, value));
    return *this;
  }
  Spec& basic(bool authority, std::optional<std::uint8_t> length = std::nullopt, bool critical = true) {
    std::vector<Bytes> parts;
    if (authority) parts.push_back(flag(true));
    if (length) parts.push_back(small(*length));
    return with(oid::basic_constraints, critical, sequence(parts));
  }
  Spec& usage_bits(std::uint32_t mask) { return with(oid::key_usage, true, named_bits(mask)); }
  Spec& purposes(const std::vector<Bytes>& ids, bool critical = false) { return with(oid::extended_key_usage, critical, sequence(ids)); }
  Spec& names(const std::vector<Bytes>& list, bool critical = false) { return with(oid::subject_alt_name, critical, sequence(list)); }
  Spec& constraints(const std::vector<Bytes>& permitted, const std::vector<Bytes>& excluded, bool critical = true) {
    const auto trees = [](int n, const std::vector<Bytes>& list) {
      std::vector<Bytes> parts;
      for (const Bytes& one : list) parts.push_back(sequence({one}));
      return tlv(tag::constructed(n), parts);
    };
    std::vector<Bytes> parts;
    if (!permitted.empty()) parts.push_back(trees(0, permitted));
    if (!excluded.empty()) parts.push_back(trees(1, excluded));
    return with(oid::name_constraints, critical, sequence(parts));
  }

  Bytes der() const {
    std::vector<Bytes> fields;
    if (version > 1) fields.push_back(tlv(tag::constructed(0), {small(static_cast<std::uint8_t>(version - 1))}));
    for (const Bytes& field : {tlv(tag::integer, {serial}), algorithm, issuer, sequence({general_time(not_before), general_time(not_after)}), subject, key->spki}) {
      fields.push_back(field);
    }
    std::vector<Bytes> list;
    for (const auto& entry : extensions) list.push_back(entry.second);
    if (!list.empty()) fields.push_back(tlv(tag::constructed(3), {sequence(list)}));
    return signed_by(*signer, sequence(fields), algorithm, digest);
  }
};

/// A root, an intermediate and a leaf that every profile accepts, to be spoilt.
inline Spec root_spec(const Key& key, std::string_view common_name = "root") {
  Spec spec;
  spec.subject = spec.issuer = name(common_name);
  spec.key = spec.signer = key;
  spec.basic(true).usage_bits(usage::key_cert_sign | usage::crl_sign);
  return spec.with(oid::subject_key_id, false, octets(key.identifier()));
}
inline Spec intermediate_spec(const Key& key, const Spec& issuer, std::string_view common_name = "ica") {
  Spec spec = root_spec(key, common_name);
  spec.issuer = issuer.subject;
  spec.signer = issuer.key;
  return spec.with(oid::authority_key_id, false, sequence({tlv(tag::primitive(0), {issuer.key->identifier()})}));
}
inline Spec leaf_spec(const Key& key, const Spec& issuer) {
  Spec spec;
  spec.issuer = issuer.subject;
  spec.key = key;
  spec.signer = issuer.key;
  spec.usage_bits(usage::digital_signature).purposes({id(oid::server_auth)}).names({dns("example.com")});
  return spec.with(oid::authority_key_id, false, sequence({tlv(tag::primitive(0), {issuer.key->identifier()})}));
}

inline Certificate certificate(const Spec& spec) {
  auto read = read_certificate(spec.der());
  if (!read.ok()) std::abort();
  return std::move(*read);
}

/// One revocation list to be made.
struct ListSpec {
  Bytes issuer = name("ica");
  std::optional<Key> signer;
  std::string this_update = "20260101000000Z", next_update = "20260201000000Z";
  std::vector<Bytes> entries;
  std::vector<Bytes> extensions{extension(oid::crl_number, false, small(5))};
  Bytes algorithm = ecdsa_sha256();

  ListSpec& revoke(const Bytes& serial, std::optional<std::uint8_t> reason = std::nullopt) {
    std::vector<Bytes> parts{tlv(tag::integer, {serial}), general_time("20260102000000Z")};
    if (reason) parts.push_back(sequence({extension(oid::crl_reason, false, Bytes{tag::enumerated, 1, *reason})}));
    entries.push_back(sequence(parts));
    return *this;
  }
  Bytes der() const {
    std::vector<Bytes> fields{small(1), algorithm, issuer, general_time(this_update)};
    if (!next_update.empty()) fields.push_back(general_time(next_update));
    if (!entries.empty()) fields.push_back(sequence(entries));
    if (!extensions.empty()) fields.push_back(tlv(tag::constructed(0), {sequence(extensions)}));
    return signed_by(*signer, sequence(fields), algorithm);
  }
};

/// One OCSP response to be made.
struct OcspSpec {
  Bytes issuer_name;                ///< Name
  Bytes issuer_key_bits;
  Bytes serial{0x4A};
  Bytes status{tag::primitive(0), 0};  ///< good
  std::string this_update = "20260101000000Z", next_update = "20260108000000Z";
  std::optional<Key> signer;
  std::optional<Bytes> responder_key_bits;  ///< of the responder it names; the signer's when not given
  std::optional<Bytes> nonce;
  std::vector<Bytes> certificates;

  static Bytes revoked(std::string_view when) { return tlv(tag::constructed(1), {general_time(when)}); }
  Bytes der() const {
    const auto hash = [](const Bytes& bytes) {
      const auto digest = sha1_name(bytes);
      return octets(Bytes(digest.begin(), digest.end()));
    };
    const Bytes certificate_id = sequence({sequence({id(oid::sha1)}), hash(issuer_name), hash(issuer_key_bits), tlv(tag::integer, {serial})});
    std::vector<Bytes> single{certificate_id, status, general_time(this_update)};
    if (!next_update.empty()) single.push_back(tlv(tag::constructed(0), {general_time(next_update)}));
    std::vector<Bytes> fields{tlv(tag::constructed(2), {hash(responder_key_bits.value_or(signer->public_bits()))}), general_time(this_update), sequence({sequence(single)})};
    if (nonce) fields.push_back(tlv(tag::constructed(1), {sequence({extension(oid::ocsp_nonce, false, octets(*nonce))})}));
    const Bytes data = sequence(fields);
    std::vector<Bytes> basic{data, ecdsa_sha256(), bits(signer->sign(data))};
    if (!certificates.empty()) basic.push_back(tlv(tag::constructed(0), {sequence(certificates)}));
    return sequence({Bytes{tag::enumerated, 1, 0}, tlv(tag::constructed(0), {sequence({id(oid::ocsp_basic), octets(sequence(basic))})})});
  }
};

}  // namespace crypto::chain::making
