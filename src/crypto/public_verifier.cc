#include "crypto/public_verifier.h"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>
#include <sodium.h>

#include <algorithm>
#include <array>

#include "base/check.h"
#include "crypto/chain/der.h"
#include "crypto/sign.h"
#include "crypto/sodium.h"

namespace crypto {
namespace {

using base::Bytes;
using base::ByteView;
using chain::Hash;
using chain::KeyKind;

template <auto free_it>
struct FreeWith {
  template <typename T>
  void operator()(T* object) const {
    free_it(object);
  }
};
using AnyKey = std::unique_ptr<EVP_PKEY, FreeWith<EVP_PKEY_free>>;
using KeyContext = std::unique_ptr<EVP_PKEY_CTX, FreeWith<EVP_PKEY_CTX_free>>;
using DigestContext = std::unique_ptr<EVP_MD_CTX, FreeWith<EVP_MD_CTX_free>>;
using Number = std::unique_ptr<BIGNUM, FreeWith<BN_free>>;

constexpr struct {
  const char* name;
  std::size_t bytes;
} hashes[] = {{"", 0},         {"MD5", 16},     {"SHA-1", 20},   {"SHA-224", 28},
              {"SHA-256", 32}, {"SHA-384", 48}, {"SHA-512", 64}, {"SM3", 32}};

const EVP_MD* md_of(Hash hash) {
  static const auto fetched = [] {
    std::array<EVP_MD*, std::size(hashes)> all{};
    for (std::size_t i = 1; i < all.size(); ++i) all[i] = EVP_MD_fetch(nullptr, hashes[i].name, nullptr);
    return all;
  }();
  return fetched[static_cast<std::size_t>(hash)];
}

// DigestInfo of RFC 8017 section 9.2, up to the digest.
struct DigestInfo {
  Hash hash;
  std::string_view head;
};
constexpr DigestInfo digest_infos[] = {
    {Hash::md5, {"\x30\x20\x30\x0c\x06\x08\x2a\x86\x48\x86\xf7\x0d\x02\x05\x05\x00\x04\x10", 18}},
    {Hash::sha1, {"\x30\x21\x30\x09\x06\x05\x2b\x0e\x03\x02\x1a\x05\x00\x04\x14", 15}},
    {Hash::sha224, {"\x30\x2d\x30\x0d\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x04\x05\x00\x04\x1c", 19}},
    {Hash::sha256, {"\x30\x31\x30\x0d\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x01\x05\x00\x04\x20", 19}},
    {Hash::sha384, {"\x30\x41\x30\x0d\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x02\x05\x00\x04\x30", 19}},
    {Hash::sha512, {"\x30\x51\x30\x0d\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x03\x05\x00\x04\x40", 19}}};

bool is_rsa(KeyKind kind) { return kind == KeyKind::rsa || kind == KeyKind::rsa_pss; }

// What a failed check leaves in OpenSSL's queue is nobody's later error.
struct QuietErrors {
  QuietErrors() { ERR_set_mark(); }
  ~QuietErrors() { ERR_pop_to_mark(); }
  QuietErrors(const QuietErrors&) = delete;
  QuietErrors& operator=(const QuietErrors&) = delete;
};

void append_integer(Bytes& out, ByteView number) {
  while (number.size() > 1 && number[0] == 0) number = number.subspan(1);
  const bool sign_bit = (number[0] & 0x80) != 0;
  out.push_back(chain::tag::integer);
  out.push_back(static_cast<std::uint8_t>(number.size() + (sign_bit ? 1 : 0)));
  if (sign_bit) out.push_back(0);
  base::append(out, number);
}

}  // namespace

std::string_view name_of(Hash hash) { return hashes[static_cast<std::size_t>(hash)].name; }
std::size_t size_of(Hash hash) { return hashes[static_cast<std::size_t>(hash)].bytes; }

Bytes digest(Hash hash, ByteView bytes) {
  CHECK(hash != Hash::none && md_of(hash) != nullptr);
  Bytes out(size_of(hash));
  CHECK(EVP_Digest(bytes.data(), bytes.size(), out.data(), nullptr, md_of(hash), nullptr) == 1);
  return out;
}

Bytes hmac(Hash hash, ByteView key, ByteView message) {
  CHECK(hash != Hash::none && md_of(hash) != nullptr);
  static constexpr std::uint8_t nothing = 0;
  Bytes out(size_of(hash));
  unsigned size = 0;
  CHECK(HMAC(md_of(hash), key.empty() ? &nothing : key.data(), static_cast<int>(key.size()), message.data(),
             message.size(), out.data(), &size) != nullptr);
  return out;
}

std::optional<Bytes> signature_raw_to_der(ByteView raw) {
  if (raw.empty() || raw.size() % 2 != 0 || raw.size() > 132) return std::nullopt;
  Bytes halves;
  append_integer(halves, raw.first(raw.size() / 2));
  append_integer(halves, raw.last(raw.size() / 2));
  Bytes out{chain::tag::sequence};
  if (halves.size() > 0x7F) out.push_back(0x81);
  out.push_back(static_cast<std::uint8_t>(halves.size()));
  base::append(out, halves);
  return out;
}

std::optional<Bytes> signature_der_to_raw(ByteView der, std::size_t half_bytes) {
  const auto sequence = chain::only(der, chain::tag::sequence);
  if (!sequence) return std::nullopt;
  chain::Reader parts(*sequence);
  const auto r = parts.next(chain::tag::integer);
  const auto s = parts.next(chain::tag::integer);
  if (!r || !s || !parts.done()) return std::nullopt;
  Bytes out;
  for (const auto& part : {*r, *s}) {
    const auto number = chain::unsigned_of(part);
    if (!number || number->size() > half_bytes) return std::nullopt;
    out.resize(out.size() + half_bytes - number->size());
    base::append(out, *number);
  }
  return out;
}

struct PublicVerifier::Envelope {
  AnyKey key;
  Number half_order;  ///< EC: half of the order of the curve, rounded down
};

PublicVerifier::PublicVerifier() : key_(std::make_unique<Envelope>()) {}
PublicVerifier::~PublicVerifier() = default;
PublicVerifier::PublicVerifier(PublicVerifier&&) noexcept = default;
PublicVerifier& PublicVerifier::operator=(PublicVerifier&&) noexcept = default;

base::Result<PublicVerifier> PublicVerifier::of_spki(ByteView spki) {
  const QuietErrors quiet;
  PublicVerifier made;
  made.spki_ = base::to_bytes(spki);
  const auto element = chain::only(made.spki_, chain::tag::sequence);
  const auto read = element ? chain::public_key_of(*element) : std::nullopt;
  if (!read) return base::Error{"public_key_unreadable", "the SubjectPublicKeyInfo is not well-formed"};
  made.kind_ = read->kind;
  made.description_ = chain::describe(*read);
  switch (read->kind) {
    case KeyKind::rsa:
    case KeyKind::rsa_pss: made.signature_bytes_ = (read->size_bits + 7) / 8; break;
    case KeyKind::ec:
    case KeyKind::sm2: made.signature_bytes_ = std::size_t{2} * ((read->size_bits + 7) / 8); break;
    case KeyKind::ed25519: made.signature_bytes_ = 64; break;
    case KeyKind::ed448: made.signature_bytes_ = 114; break;
    case KeyKind::dsa:
    case KeyKind::other:
      return base::Error{"public_key_cannot_verify", made.description_ + " keys are not used for signatures here"};
  }
  const unsigned char* at = made.spki_.data();
  made.key_->key.reset(d2i_PUBKEY(nullptr, &at, static_cast<long>(made.spki_.size())));
  if (made.key_->key == nullptr) return base::Error{"public_key_unreadable", "the numbers of the key do not make one"};
  BIGNUM* order = nullptr;
  if (EVP_PKEY_get_bn_param(made.key_->key.get(), OSSL_PKEY_PARAM_EC_ORDER, &order) == 1) {
    made.key_->half_order.reset(order);
    CHECK(BN_rshift1(order, order) == 1);
  }
  return made;
}

namespace {

// A context ready to verify; null where the library refuses.
KeyContext verification(EVP_PKEY* key) {
  KeyContext context(EVP_PKEY_CTX_new(key, nullptr));
  return context != nullptr && EVP_PKEY_verify_init(context.get()) == 1 ? std::move(context) : nullptr;
}

bool verified(const KeyContext& context, ByteView digest, ByteView signature) {
  return EVP_PKEY_verify(context.get(), signature.data(), signature.size(), digest.data(), digest.size()) == 1;
}

}  // namespace

bool PublicVerifier::rsa_pkcs1(Hash hash, ByteView digest, ByteView signature) const {
  if (kind_ != KeyKind::rsa || digest.size() != size_of(hash)) return false;
  const QuietErrors quiet;
  const KeyContext context = verification(key_->key.get());
  return context != nullptr && EVP_PKEY_CTX_set_rsa_padding(context.get(), RSA_PKCS1_PADDING) == 1 &&
         EVP_PKEY_CTX_set_signature_md(context.get(), md_of(hash)) == 1 && verified(context, digest, signature);
}

bool PublicVerifier::rsa_pss(Hash hash, std::optional<std::uint32_t> salt_bytes, ByteView digest,
                             ByteView signature) const {
  if (!is_rsa(kind_) || digest.size() != size_of(hash)) return false;
  const QuietErrors quiet;
  const KeyContext context = verification(key_->key.get());
  const int salt = salt_bytes ? static_cast<int>(*salt_bytes) : RSA_PSS_SALTLEN_AUTO;
  return context != nullptr && EVP_PKEY_CTX_set_rsa_padding(context.get(), RSA_PKCS1_PSS_PADDING) == 1 &&
         EVP_PKEY_CTX_set_signature_md(context.get(), md_of(hash)) == 1 &&
         EVP_PKEY_CTX_set_rsa_mgf1_md(context.get(), md_of(hash)) == 1 &&
         EVP_PKEY_CTX_set_rsa_pss_saltlen(context.get(), salt) == 1 && verified(context, digest, signature);
}

bool PublicVerifier::ecdsa(ByteView digest, ByteView signature) const {
  if (kind_ != KeyKind::ec) return false;
  const QuietErrors quiet;
  const KeyContext context = verification(key_->key.get());
  return context != nullptr && verified(context, digest, signature);
}

bool PublicVerifier::sm2(std::string_view user_id, ByteView message, ByteView signature) const {
  if (kind_ != KeyKind::sm2) return false;
  const QuietErrors quiet;
  const DigestContext context(EVP_MD_CTX_new());
  const KeyContext settings(EVP_PKEY_CTX_new(key_->key.get(), nullptr));
  if (context == nullptr || settings == nullptr) return false;
  EVP_MD_CTX_set_pkey_ctx(context.get(), settings.get());
  if (EVP_PKEY_CTX_set1_id(settings.get(), user_id.data(), static_cast<int>(user_id.size())) <= 0) return false;
  return EVP_DigestVerifyInit(context.get(), nullptr, md_of(Hash::sm3), nullptr, key_->key.get()) == 1 &&
         EVP_DigestVerify(context.get(), signature.data(), signature.size(), message.data(), message.size()) == 1;
}

bool PublicVerifier::eddsa(ByteView message, ByteView signature) const {
  if (kind_ == KeyKind::ed25519) {
    Ed25519PublicKey raw{};
    std::copy_n(spki_.end() - static_cast<std::ptrdiff_t>(raw.size()), raw.size(), raw.begin());
    return ed25519_verify(raw, message, signature);
  }
  if (kind_ != KeyKind::ed448) return false;
  const QuietErrors quiet;
  const DigestContext context(EVP_MD_CTX_new());
  return context != nullptr && EVP_DigestVerifyInit(context.get(), nullptr, nullptr, nullptr, key_->key.get()) == 1 &&
         EVP_DigestVerify(context.get(), signature.data(), signature.size(), message.data(), message.size()) == 1;
}

bool PublicVerifier::ed25519ph(ByteView message, ByteView signature) const {
  if (kind_ != KeyKind::ed25519 || signature.size() != crypto_sign_BYTES) return false;
  require_sodium();
  crypto_sign_ed25519ph_state state;
  return crypto_sign_ed25519ph_init(&state) == 0 &&
         crypto_sign_ed25519ph_update(&state, message.data(), message.size()) == 0 &&
         crypto_sign_ed25519ph_final_verify(&state, signature.data(),
                                            spki_.data() + spki_.size() - crypto_sign_PUBLICKEYBYTES) == 0;
}

std::optional<RecoveredDigest> PublicVerifier::recover(ByteView signature) const {
  if (kind_ != KeyKind::rsa || signature.size() != signature_bytes_) return std::nullopt;
  const QuietErrors quiet;
  const KeyContext context(EVP_PKEY_CTX_new(key_->key.get(), nullptr));
  Bytes content(signature_bytes_);
  std::size_t size = content.size();
  // PKCS#1 padding is checked here; what it holds is read below.
  if (context == nullptr || EVP_PKEY_verify_recover_init(context.get()) != 1 ||
      EVP_PKEY_CTX_set_rsa_padding(context.get(), RSA_PKCS1_PADDING) != 1 ||
      EVP_PKEY_verify_recover(context.get(), content.data(), &size, signature.data(), signature.size()) != 1) {
    return std::nullopt;
  }
  content.resize(size);
  for (const DigestInfo& info : digest_infos) {
    if (size == info.head.size() + size_of(info.hash) && base::as_text(content).starts_with(info.head)) {
      return RecoveredDigest{info.hash,
                             Bytes(content.begin() + static_cast<std::ptrdiff_t>(info.head.size()), content.end())};
    }
  }
  return RecoveredDigest{Hash::none, std::move(content)};
}

bool PublicVerifier::has_high_s(ByteView raw_signature) const {
  if (kind_ != KeyKind::ec || raw_signature.size() != signature_bytes_ || key_->half_order == nullptr) return false;
  const ByteView half = raw_signature.last(signature_bytes_ / 2);
  const Number s(BN_bin2bn(half.data(), static_cast<int>(half.size()), nullptr));
  return s != nullptr && BN_cmp(s.get(), key_->half_order.get()) > 0;
}

}  // namespace crypto
