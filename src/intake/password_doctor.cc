// Encrypted PKCS#8 (RFC 8018: PBES1 and PBES2) and the traditional encryption of OpenSSL (DEK-Info).
#include "intake/password.h"

#include <algorithm>
#include <cctype>

#include "base/text.h"
#include "intake/layers.h"
#include "intake/opening.h"

namespace intake {
namespace {

using base::ByteView;

std::optional<Cipher> cipher_of_oid(ByteView id) {
  if (oid::aes256_cbc == id) return Cipher::aes256_cbc;
  if (oid::aes128_cbc == id) return Cipher::aes128_cbc;
  if (oid::aes192_cbc == id) return Cipher::aes192_cbc;
  if (oid::des_ede3_cbc == id) return Cipher::des3_cbc;
  if (oid::des_cbc == id) return Cipher::des_cbc;
  if (oid::sm4_cbc == id) return Cipher::sm4_cbc;
  return std::nullopt;
}

Unsealed refuse(Cause cause, std::string evidence = {}) {
  Unsealed out;
  out.cause = cause;
  out.evidence = std::move(evidence);
  return out;
}

Unsealed open_pbes2(const Element& parameters, ByteView text, ByteView password, const Policy& policy) {
  DerCursor cursor(parameters);
  auto derivation = cursor.next(tag::sequence);
  auto scheme = cursor.next(tag::sequence);
  if (!derivation || !scheme) return refuse(Cause::der_is_malformed, "the encryption parameters cannot be read");
  DerCursor in_scheme(*scheme);
  auto cipher_id = in_scheme.next(tag::oid);
  auto iv = in_scheme.next_if(tag::octet_string);
  if (!cipher_id) return refuse(Cause::der_is_malformed, "the cipher is not named");
  const auto cipher = cipher_of_oid(cipher_id->body);
  if (!cipher || !iv) return refuse(Cause::cipher_is_not_supported, "cipher " + to_dotted(cipher_id->body));
  const std::size_t size = cipher_key_bytes(*cipher);
  DerCursor in_derivation(*derivation);
  auto derivation_id = in_derivation.next(tag::oid);
  auto options = in_derivation.next(tag::sequence);
  if (!derivation_id || !options) return refuse(Cause::der_is_malformed, "the key derivation cannot be read");
  DerCursor values(*options);
  Secret key;
  if (oid::pbkdf2 == derivation_id->body) {
    auto salt = values.next(tag::octet_string);
    auto rounds = values.next(tag::integer);
    values.next_if(tag::integer);
    Hash hash = Hash::sha1;
    if (auto prf = values.next_if(tag::sequence)) {
      DerCursor in_prf(*prf);
      auto id = in_prf.next(tag::oid);
      const auto known = id ? hmac_hash_of_oid(id->body) : std::nullopt;
      if (!known) return refuse(Cause::cipher_is_not_supported, "hash " + (id ? to_dotted(id->body) : std::string()));
      hash = *known;
    }
    const std::uint32_t count = rounds ? small_integer(*rounds).value_or(0) : 0;
    if (!salt || !rounds) return refuse(Cause::der_is_malformed, "the key derivation cannot be read");
    if (!is_affordable(policy, count, 0)) return refuse(Cause::key_derivation_is_too_expensive, std::to_string(count) + " rounds");
    key = pbkdf2(hash, password, salt->body, count, size);
  } else if (oid::scrypt == derivation_id->body) {
    auto salt = values.next(tag::octet_string);
    auto n = values.next(tag::integer), r = values.next(tag::integer), p = values.next(tag::integer);
    const std::uint64_t cost = n ? small_integer(*n).value_or(0) : 0, block = r ? small_integer(*r).value_or(0) : 0,
                        lanes = p ? small_integer(*p).value_or(0) : 0;
    if (!salt || !p) return refuse(Cause::der_is_malformed, "the key derivation cannot be read");
    if (!scrypt_is_affordable(policy, cost, block, lanes)) {
      return refuse(Cause::key_derivation_is_too_expensive, "scrypt with N=" + std::to_string(cost) + ", r=" + std::to_string(block) + ", p=" + std::to_string(lanes));
    }
    auto derived = scrypt(password, salt->body, cost, block, lanes, size);
    if (!derived) return refuse(Cause::key_derivation_is_too_expensive, "scrypt parameters are unsound");
    key = std::move(*derived);
  } else {
    return refuse(Cause::cipher_is_not_supported, "key derivation " + to_dotted(derivation_id->body));
  }
  Unsealed out;
  out.legacy = *cipher == Cipher::des3_cbc || *cipher == Cipher::des_cbc;
  auto plain = decrypt(*cipher, key, iv->body, text);
  if (!plain) return refuse(Cause::password_is_wrong);
  out.plain = std::move(*plain);
  return out;
}

// PBES1 (MD5 or SHA-1 with DES or RC2) and the schemes of PKCS#12.
Unsealed open_old_scheme(ByteView id, const Element& parameters, ByteView text, std::string_view password, const Policy& policy) {
  DerCursor cursor(parameters);
  auto salt = cursor.next(tag::octet_string);
  auto rounds = cursor.next(tag::integer);
  const std::uint32_t count = rounds ? small_integer(*rounds).value_or(0) : 0;
  if (!salt || !rounds) return refuse(Cause::der_is_malformed, "the encryption parameters cannot be read");
  if (!is_affordable(policy, count, 0)) return refuse(Cause::key_derivation_is_too_expensive, std::to_string(count) + " rounds");
  struct Scheme {
    const Oid& id;
    Cipher cipher;
    std::size_t key_bytes;
    bool pkcs12;
    Hash hash;
  };
  static const Scheme schemes[] = {
      {oid::p12_3des, Cipher::des3_cbc, 24, true, Hash::sha1},    {oid::p12_2des, Cipher::des3_cbc, 16, true, Hash::sha1},
      {oid::p12_rc2_128, Cipher::rc2_cbc, 16, true, Hash::sha1},  {oid::p12_rc2_40, Cipher::rc2_cbc, 5, true, Hash::sha1},
      {oid::p12_rc4_128, Cipher::rc4, 16, true, Hash::sha1},      {oid::p12_rc4_40, Cipher::rc4, 5, true, Hash::sha1},
      {oid::pbe_md5_des, Cipher::des_cbc, 8, false, Hash::md5},   {oid::pbe_sha1_des, Cipher::des_cbc, 8, false, Hash::sha1},
      {oid::pbe_md5_rc2, Cipher::rc2_cbc, 8, false, Hash::md5},   {oid::pbe_sha1_rc2, Cipher::rc2_cbc, 8, false, Hash::sha1},
  };
  const auto scheme = std::find_if(std::begin(schemes), std::end(schemes), [&](const Scheme& s) { return s.id == id; });
  if (scheme == std::end(schemes)) return refuse(Cause::cipher_is_not_supported, "scheme " + to_dotted(id));
  Secret key;
  Secret iv;
  if (scheme->pkcs12) {
    const Secret bmp = bmp_password(password);
    key = pkcs12_derive(scheme->hash, bmp, salt->body, count, 1, scheme->key_bytes);
    iv = pkcs12_derive(scheme->hash, bmp, salt->body, count, 2, 8);
    if (scheme->key_bytes == 16 && scheme->cipher == Cipher::des3_cbc) key.insert(key.end(), key.begin(), key.begin() + 8);
  } else {
    const Secret derived = pbkdf1(scheme->hash, base::as_bytes(password), salt->body, count, 16);
    key.assign(derived.begin(), derived.begin() + 8);
    iv.assign(derived.begin() + 8, derived.begin() + 16);
  }
  auto plain = decrypt(scheme->cipher, key, iv, text);
  if (!plain) return refuse(Cause::password_is_wrong);
  Unsealed out;
  out.legacy = true;
  out.plain = std::move(*plain);
  return out;
}

void add_sealed(Examination& run, const Content& content, std::string_view format) {
  Item item;
  item.kind = Kind::encrypted_private_key;
  item.format = std::string(format);
  item.place = content.place_at(0, content.bytes.size());
  run.add(std::move(item));
}

}  // namespace

bool scrypt_is_affordable(const Policy& policy, std::uint64_t n, std::uint64_t r, std::uint64_t p) {
  if (n < 2 || (n & (n - 1)) != 0 || r == 0 || p == 0 || n > (1u << 24) || r > 1024 || p > 1024) return false;
  // 128*N*r bytes are filled and read once for each p; a thousand bytes cost about as much as one round of PBKDF2.
  const std::uint64_t memory = 128 * n * r;
  return is_affordable(policy, std::max<std::uint64_t>(1, memory / 1024 * p), memory);
}

Unsealed unseal(const Element& algorithm, ByteView text, std::string_view password, const Policy& policy) {
  DerCursor cursor(algorithm);
  auto id = cursor.next(tag::oid);
  auto parameters = cursor.next(tag::sequence);
  if (!id || !parameters) return refuse(Cause::der_is_malformed, "the encryption algorithm cannot be read");
  if (oid::pbes2 == id->body) return open_pbes2(*parameters, text, base::as_bytes(password), policy);
  return open_old_scheme(id->body, *parameters, text, password, policy);
}

void examine_encrypted_pkcs8(Examination& run, const Element& element, const Content& content, std::string_view format) {
  const Desk desk{content, run.notes};
  run.seems_private = true;
  DerCursor cursor(element);
  auto algorithm = cursor.next(tag::sequence);
  auto text = cursor.next(tag::octet_string);
  if (!algorithm || !text) {
    desk.add(Cause::der_is_malformed, element.offset, "the encrypted key cannot be read");
    return;
  }
  if (!run.expected.password) {
    add_sealed(run, content, format);
    desk.add(Cause::password_is_missing, element.offset);
    return;
  }
  run.password_used = true;
  Unsealed opened = unseal(*algorithm, text->body, *run.expected.password, run.expected.policy);
  Content inner;
  inner.bytes = std::move(opened.plain);
  DerCursor inside{ByteView(inner.bytes)};
  // One wrong password in 256 leaves padding that looks right; what is inside settles it.
  auto info = opened.cause ? std::nullopt : inside.next(tag::sequence);
  if (!opened.cause && (!info || !inside.done() || first_der_fault(inner.bytes))) opened.cause = Cause::password_is_wrong;
  if (opened.cause) {
    add_sealed(run, content, format);
    desk.add(*opened.cause, element.offset, opened.evidence);
    return;
  }
  if (opened.legacy) desk.add(Cause::cipher_is_legacy, element.offset);
  examine_element(run, *info, inner, {}, format);
}

void examine_traditional_encryption(Examination& run, const Content& content, std::string_view label, std::string_view dek_info) {
  const Desk desk{content, run.notes};
  run.seems_private = true;
  const std::size_t comma = dek_info.find(',');
  std::string name(dek_info.substr(0, comma));
  std::transform(name.begin(), name.end(), name.begin(), [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
  std::string_view hex = comma == std::string_view::npos ? std::string_view() : dek_info.substr(comma + 1);
  while (!hex.empty() && hex.back() == ' ') hex.remove_suffix(1);
  const auto iv = base::parse_hex(hex);
  struct Known {
    std::string_view name;
    Cipher cipher;
  };
  static constexpr Known known[] = {{"AES-128-CBC", Cipher::aes128_cbc}, {"AES-192-CBC", Cipher::aes192_cbc}, {"AES-256-CBC", Cipher::aes256_cbc},
                                    {"DES-EDE3-CBC", Cipher::des3_cbc},  {"DES-CBC", Cipher::des_cbc},        {"SM4-CBC", Cipher::sm4_cbc}};
  const auto cipher = std::find_if(std::begin(known), std::end(known), [&](const Known& k) { return k.name == name; });
  if (cipher == std::end(known) || !iv || iv->size() != cipher_block_bytes(cipher->cipher)) {
    add_sealed(run, content, "dek_info");
    desk.add(Cause::cipher_is_not_supported, 0, name.substr(0, 32));
    return;
  }
  if (!run.expected.password) {
    add_sealed(run, content, "dek_info");
    desk.add(Cause::password_is_missing, 0);
    return;
  }
  run.password_used = true;
  const Secret key = bytes_to_key(Hash::md5, base::as_bytes(*run.expected.password), ByteView(*iv).first(8), cipher_key_bytes(cipher->cipher));
  auto plain = decrypt(cipher->cipher, key, *iv, content.bytes);
  Content inner;
  if (plain) inner.bytes = std::move(*plain);
  if (!plain || first_der_fault(inner.bytes)) {
    add_sealed(run, content, "dek_info");
    desk.add(Cause::password_is_wrong, 0);
    return;
  }
  desk.add(Cause::pem_encryption_is_traditional, 0, name);
  examine_der(run, inner, label);
}

}  // namespace intake
