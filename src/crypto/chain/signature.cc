// The low-level interface of OpenSSL: its new one decodes a public key in 100 microseconds, more than a check costs.
#define OPENSSL_SUPPRESS_DEPRECATED
#include "crypto/chain/signature.h"

#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/objects.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

#include <algorithm>
#include <array>
#include <map>
#include <vector>

#include "base/check.h"
#include "crypto/chain/oid.h"
#include "crypto/hash.h"
#include "crypto/sign.h"

namespace crypto::chain {
namespace {

using base::ByteView;

template <auto free_it>
struct FreeWith {
  template <typename T>
  void operator()(T* object) const {
    free_it(object);
  }
};
using RsaKey = std::unique_ptr<RSA, FreeWith<RSA_free>>;
using EcKey = std::unique_ptr<EC_KEY, FreeWith<EC_KEY_free>>;
using EcGroup = std::unique_ptr<EC_GROUP, FreeWith<EC_GROUP_free>>;
using EcPoint = std::unique_ptr<EC_POINT, FreeWith<EC_POINT_free>>;
using Number = std::unique_ptr<BIGNUM, FreeWith<BN_free>>;
using AnyKey = std::unique_ptr<EVP_PKEY, FreeWith<EVP_PKEY_free>>;
using Context = std::unique_ptr<EVP_MD_CTX, FreeWith<EVP_MD_CTX_free>>;

const EVP_MD* digest_of(Hash hash) {
  // Fetched once for the process.
  static const auto fetched = [] {
    std::array<EVP_MD*, 8> all{};
    constexpr const char* names[] = {nullptr, "MD5", "SHA1", "SHA224", "SHA256", "SHA384", "SHA512", "SM3"};
    for (std::size_t i = 1; i < all.size(); ++i) all[i] = EVP_MD_fetch(nullptr, names[i], nullptr);
    return all;
  }();
  return fetched[static_cast<std::size_t>(hash)];
}

int nid_of(Hash hash) {
  constexpr int nids[] = {NID_undef, NID_md5, NID_sha1, NID_sha224, NID_sha256, NID_sha384, NID_sha512, NID_sm3};
  return nids[static_cast<std::size_t>(hash)];
}

struct Digested {
  std::array<std::uint8_t, EVP_MAX_MD_SIZE> bytes{};
  unsigned size = 0;
};
std::optional<Digested> digest(Hash hash, ByteView message) {
  Digested out;
  const EVP_MD* const md = digest_of(hash);
  if (md == nullptr || EVP_Digest(message.data(), message.size(), out.bytes.data(), &out.size, md, nullptr) != 1) return std::nullopt;
  return out;
}

std::optional<Hash> hash_of(const Element& identifier) {
  Reader parts(identifier);
  const auto id = parts.next(tag::oid);
  parts.next_if(tag::null);
  if (!id || !parts.done()) return std::nullopt;
  if (oid::sha1 == id->body) return Hash::sha1;
  if (oid::sha224 == id->body) return Hash::sha224;
  if (oid::sha256 == id->body) return Hash::sha256;
  if (oid::sha384 == id->body) return Hash::sha384;
  if (oid::sha512 == id->body) return Hash::sha512;
  return std::nullopt;
}

// RSASSA-PSS-params (RFC 4055 section 3.1); the mask's hash has to be the message's.
std::optional<Scheme> pss_of(Reader& parts) {
  Scheme scheme{KeyKind::rsa, Hash::sha1, Padding::pss, 20, "RSASSA_PSS"};
  const auto parameters = parts.next(tag::sequence);
  if (!parameters || !parts.done()) return std::nullopt;
  Reader fields(*parameters);
  Hash mask = Hash::sha1;
  if (const auto hash = fields.next_if(tag::constructed(0))) {
    const auto identifier = only(hash->body, tag::sequence);
    const auto named = identifier ? hash_of(*identifier) : std::nullopt;
    if (!named) return std::nullopt;
    scheme.hash = *named;
  }
  if (const auto generator = fields.next_if(tag::constructed(1))) {
    const auto identifier = only(generator->body, tag::sequence);
    if (!identifier) return std::nullopt;
    Reader inside(*identifier);
    const auto id = inside.next(tag::oid);
    const auto hash = inside.next(tag::sequence);
    const auto named = hash ? hash_of(*hash) : std::nullopt;
    if (!id || !(oid::mgf1 == id->body) || !named || !inside.done()) return std::nullopt;
    mask = *named;
  }
  if (const auto salt = fields.next_if(tag::constructed(2))) {
    const auto number = only(salt->body, tag::integer);
    const auto size = number ? small_integer_of(*number) : std::nullopt;
    if (!size || *size > 512) return std::nullopt;
    scheme.salt_bytes = *size;
  }
  if (const auto trailer = fields.next_if(tag::constructed(3))) {
    const auto number = only(trailer->body, tag::integer);
    if (!number || small_integer_of(*number) != 1U) return std::nullopt;
  }
  return fields.done() && mask == scheme.hash ? std::optional(scheme) : std::nullopt;
}

}  // namespace

std::optional<Scheme> scheme_of(ByteView algorithm) {
  struct Row {
    const Oid& id;
    Scheme scheme;
  };
  static constexpr Row rows[] = {
      {oid::sha256_ecdsa, {KeyKind::ec, Hash::sha256, Padding::none, 0, "ECDSA_WITH_SHA256"}},
      {oid::sha256_rsa, {KeyKind::rsa, Hash::sha256, Padding::pkcs1, 0, "RSA_WITH_SHA256"}},
      {oid::sha384_ecdsa, {KeyKind::ec, Hash::sha384, Padding::none, 0, "ECDSA_WITH_SHA384"}},
      {oid::sha384_rsa, {KeyKind::rsa, Hash::sha384, Padding::pkcs1, 0, "RSA_WITH_SHA384"}},
      {oid::sha512_ecdsa, {KeyKind::ec, Hash::sha512, Padding::none, 0, "ECDSA_WITH_SHA512"}},
      {oid::sha512_rsa, {KeyKind::rsa, Hash::sha512, Padding::pkcs1, 0, "RSA_WITH_SHA512"}},
      {oid::sha224_ecdsa, {KeyKind::ec, Hash::sha224, Padding::none, 0, "ECDSA_WITH_SHA224"}},
      {oid::sha224_rsa, {KeyKind::rsa, Hash::sha224, Padding::pkcs1, 0, "RSA_WITH_SHA224"}},
      {oid::sha1_ecdsa, {KeyKind::ec, Hash::sha1, Padding::none, 0, "ECDSA_WITH_SHA1"}},
      {oid::sha1_rsa, {KeyKind::rsa, Hash::sha1, Padding::pkcs1, 0, "RSA_WITH_SHA1"}},
      {oid::md5_rsa, {KeyKind::rsa, Hash::md5, Padding::pkcs1, 0, "RSA_WITH_MD5"}},
      {oid::sha1_dsa, {KeyKind::dsa, Hash::sha1, Padding::none, 0, "DSA_WITH_SHA1"}},
      {oid::sha224_dsa, {KeyKind::dsa, Hash::sha224, Padding::none, 0, "DSA_WITH_SHA224"}},
      {oid::sha256_dsa, {KeyKind::dsa, Hash::sha256, Padding::none, 0, "DSA_WITH_SHA256"}},
      {oid::ed25519, {KeyKind::ed25519, Hash::none, Padding::none, 0, "ED25519"}},
      {oid::ed448, {KeyKind::ed448, Hash::none, Padding::none, 0, "ED448"}},
      {oid::sm3_sm2, {KeyKind::sm2, Hash::sm3, Padding::none, 0, "SM2_WITH_SM3"}},
  };
  const auto sequence = only(algorithm, tag::sequence);
  if (!sequence) return std::nullopt;
  Reader parts(*sequence);
  const auto id = parts.next(tag::oid);
  if (!id) return std::nullopt;
  if (oid::rsa_pss == id->body) return pss_of(parts);
  for (const Row& row : rows) {
    if (!(row.id == id->body)) continue;
    // NULL for RSA, and some authorities write it for SM2; absent for everything else.
    const bool null = parts.next_if(tag::null).has_value();
    const bool may_be_null = row.scheme.key == KeyKind::rsa || row.scheme.key == KeyKind::sm2;
    return parts.done() && (!null || may_be_null) ? std::optional(row.scheme) : std::nullopt;
  }
  return std::nullopt;
}

struct SignatureChecker::State {
  explicit State(SignatureMemory limits) : memory(limits) {
    if (memory.signatures_max > 0) good.resize(std::max<std::size_t>(memory.signatures_max / ways, 1));
  }

  // A key as OpenSSL wants it; neither when it could not be made.
  struct Key {
    RsaKey rsa;
    EcKey ec;
  };

  static constexpr std::size_t ways = 4;
  struct Bucket {
    std::array<base::Digest, ways> digests{};
    std::uint8_t next = 0;
  };

  Bucket& bucket_of(const base::Digest& name) {
    return good[static_cast<std::size_t>(base::load_le<std::uint64_t>(name.data()) % good.size())];
  }

  const Key* key_of(const PublicKey& key);
  Key make(const PublicKey& key);
  const EC_GROUP* group_of(ByteView curve);
  Answer compute(const PublicKey& key, const Scheme& scheme, ByteView message, ByteView signature);

  SignatureMemory memory;
  std::vector<Bucket> good;
  std::map<base::Digest, Key> keys;
  std::vector<base::Digest> keys_in_order;  ///< ring: the oldest is replaced
  std::size_t oldest = 0;
  std::vector<std::pair<base::Bytes, EcGroup>> groups;
  std::uint64_t computed = 0;
  std::uint64_t remembered = 0;
};

const EC_GROUP* SignatureChecker::State::group_of(ByteView curve) {
  for (const auto& [id, group] : groups) {
    if (std::equal(id.begin(), id.end(), curve.begin(), curve.end())) return group.get();
  }
  static constexpr struct {
    const Oid& id;
    int nid;
  } known[] = {{oid::p256, NID_X9_62_prime256v1},     {oid::p384, NID_secp384r1},
               {oid::p521, NID_secp521r1},            {oid::p224, NID_secp224r1},
               {oid::secp256k1, NID_secp256k1},       {oid::p192, NID_X9_62_prime192v1},
               {oid::brainpool256, NID_brainpoolP256r1}, {oid::brainpool384, NID_brainpoolP384r1},
               {oid::brainpool512, NID_brainpoolP512r1}};
  for (const auto& row : known) {
    if (!(row.id == curve)) continue;
    EcGroup group(EC_GROUP_new_by_curve_name(row.nid));
    if (group == nullptr) return nullptr;
    groups.emplace_back(base::to_bytes(curve), std::move(group));
    return groups.back().second.get();
  }
  return nullptr;
}

SignatureChecker::State::Key SignatureChecker::State::make(const PublicKey& key) {
  Key out;
  if (key.kind == KeyKind::rsa || key.kind == KeyKind::rsa_pss) {
    if (key.modulus.empty() || key.exponent.size() > 8) return out;
    RsaKey rsa(RSA_new());
    Number n(BN_bin2bn(key.modulus.data(), static_cast<int>(key.modulus.size()), nullptr));
    Number e(BN_bin2bn(key.exponent.data(), static_cast<int>(key.exponent.size()), nullptr));
    if (rsa == nullptr || RSA_set0_key(rsa.get(), n.get(), e.get(), nullptr) != 1) return out;
    n.release();
    e.release();
    out.rsa = std::move(rsa);
  } else if (key.kind == KeyKind::ec && !key.explicit_curve && key.bits.size() > 1 && key.bits[0] >= 2 && key.bits[0] <= 4) {
    const EC_GROUP* const group = group_of(key.curve);
    if (group == nullptr) return out;
    EcKey ec(EC_KEY_new());
    EcPoint point(EC_POINT_new(group));
    // The decoding refuses what is not on the curve; the curves here have no small subgroups.
    if (ec == nullptr || point == nullptr || EC_POINT_oct2point(group, point.get(), key.bits.data(), key.bits.size(), nullptr) != 1 ||
        EC_POINT_is_at_infinity(group, point.get()) == 1 || EC_KEY_set_group(ec.get(), group) != 1 ||
        EC_KEY_set_public_key(ec.get(), point.get()) != 1) {
      return out;
    }
    out.ec = std::move(ec);
  }
  return out;
}

const SignatureChecker::State::Key* SignatureChecker::State::key_of(const PublicKey& key) {
  const base::Digest name = crypto::sha256(key.spki);
  if (const auto found = keys.find(name); found != keys.end()) return &found->second;
  if (keys_in_order.size() < std::max<std::size_t>(memory.keys_max, 1)) {
    keys_in_order.push_back(name);
  } else {
    keys.erase(keys_in_order[oldest]);
    keys_in_order[oldest] = name;
    oldest = (oldest + 1) % keys_in_order.size();
  }
  return &keys.emplace(name, make(key)).first->second;
}

namespace {

Answer verify_by_envelope(const PublicKey& key, const Scheme& scheme, ByteView message, ByteView signature) {
  const unsigned char* at = key.spki.data();
  const AnyKey any(d2i_PUBKEY(nullptr, &at, static_cast<long>(key.spki.size())));
  const Context context(EVP_MD_CTX_new());
  if (any == nullptr || context == nullptr) return Answer::not_supported;
  EVP_PKEY_CTX* settings = nullptr;
  if (scheme.key == KeyKind::sm2) {
    // Certificates use the default user id of GM/T 0009.
    constexpr char user[] = "1234567812345678";
    settings = EVP_PKEY_CTX_new(any.get(), nullptr);
    if (settings == nullptr) return Answer::not_supported;
    EVP_MD_CTX_set_pkey_ctx(context.get(), settings);
    if (EVP_PKEY_CTX_set1_id(settings, user, sizeof user - 1) <= 0) {
      EVP_PKEY_CTX_free(settings);
      return Answer::not_supported;
    }
  }
  const EVP_MD* const md = scheme.hash == Hash::none ? nullptr : digest_of(scheme.hash);
  const bool begun = EVP_DigestVerifyInit(context.get(), nullptr, md, nullptr, any.get()) == 1;
  const bool good = begun && EVP_DigestVerify(context.get(), signature.data(), signature.size(), message.data(), message.size()) == 1;
  EVP_PKEY_CTX_free(settings);
  return !begun ? Answer::not_supported : good ? Answer::good : Answer::wrong;
}

bool verify_pss(RSA* rsa, const Scheme& scheme, const Digested& digested, ByteView signature) {
  const auto size = static_cast<std::size_t>(RSA_size(rsa));
  if (signature.size() != size) return false;
  base::Bytes encoded(size);
  if (RSA_public_decrypt(static_cast<int>(size), signature.data(), encoded.data(), rsa, RSA_NO_PADDING) != static_cast<int>(size)) return false;
  const EVP_MD* const md = digest_of(scheme.hash);
  return RSA_verify_PKCS1_PSS_mgf1(rsa, digested.bytes.data(), md, md, encoded.data(), static_cast<int>(scheme.salt_bytes)) == 1;
}

}  // namespace

Answer SignatureChecker::State::compute(const PublicKey& key, const Scheme& scheme, ByteView message, ByteView signature) {
  if (key.kind == KeyKind::ed25519) {
    Ed25519PublicKey raw{};
    std::copy(key.bits.begin(), key.bits.end(), raw.begin());
    return ed25519_verify(raw, message, signature) ? Answer::good : Answer::wrong;
  }
  if (key.kind == KeyKind::dsa || key.kind == KeyKind::sm2 || key.kind == KeyKind::ed448) {
    return verify_by_envelope(key, scheme, message, signature);
  }
  const Key* const made = key_of(key);
  const auto digested = digest(scheme.hash, message);
  if (!digested || (made->rsa == nullptr && made->ec == nullptr)) return Answer::not_supported;
  bool good = false;
  if (made->ec != nullptr) {
    good = ECDSA_verify(0, digested->bytes.data(), static_cast<int>(digested->size), signature.data(), static_cast<int>(signature.size()),
                        made->ec.get()) == 1;
  } else if (scheme.padding == Padding::pss) {
    good = verify_pss(made->rsa.get(), scheme, *digested, signature);
  } else {
    good = RSA_verify(nid_of(scheme.hash), digested->bytes.data(), digested->size, signature.data(), static_cast<unsigned>(signature.size()),
                      made->rsa.get()) == 1;
  }
  return good ? Answer::good : Answer::wrong;
}

SignatureChecker::SignatureChecker(SignatureMemory memory) : state_(std::make_unique<State>(memory)) {}
SignatureChecker::~SignatureChecker() = default;
SignatureChecker::SignatureChecker(SignatureChecker&&) noexcept = default;
SignatureChecker& SignatureChecker::operator=(SignatureChecker&&) noexcept = default;

Answer SignatureChecker::check(const PublicKey& key, ByteView algorithm, ByteView message, ByteView signature) {
  const auto scheme = scheme_of(algorithm);
  // A key restricted to PSS signs with PSS only; other RSA keys with either.
  const bool fits = scheme && (scheme->key == key.kind || (key.kind == KeyKind::rsa_pss && scheme->padding == Padding::pss));
  if (!scheme) return Answer::not_supported;
  if (!fits || signature.empty() || signature.size() > 8'192) return Answer::wrong;
  base::Digest name{};
  if (!state_->good.empty()) {
    std::array<std::uint8_t, 24> lengths{};
    base::store_le<std::uint64_t>(lengths.data(), key.spki.size());
    base::store_le<std::uint64_t>(lengths.data() + 8, algorithm.size());
    base::store_le<std::uint64_t>(lengths.data() + 16, message.size());
    name = crypto::sha256({lengths, key.spki, algorithm, message, signature});
    const State::Bucket& bucket = state_->bucket_of(name);
    if (std::find(bucket.digests.begin(), bucket.digests.end(), name) != bucket.digests.end()) {
      ++state_->remembered;
      return Answer::good;
    }
  }
  ++state_->computed;
  const Answer answer = state_->compute(key, *scheme, message, signature);
  if (answer != Answer::good) {
    ERR_clear_error();
  } else if (!state_->good.empty()) {
    State::Bucket& bucket = state_->bucket_of(name);
    bucket.digests[bucket.next] = name;
    bucket.next = static_cast<std::uint8_t>((bucket.next + 1) % State::ways);
  }
  return answer;
}

std::uint64_t SignatureChecker::computed() const { return state_->computed; }
std::uint64_t SignatureChecker::remembered() const { return state_->remembered; }

std::array<std::uint8_t, 20> sha1_name(ByteView bytes) {
  const auto digested = digest(Hash::sha1, bytes);
  CHECK(digested && digested->size == 20);
  std::array<std::uint8_t, 20> out{};
  std::copy_n(digested->bytes.begin(), out.size(), out.begin());
  return out;
}

std::optional<base::Bytes> digest_named(ByteView algorithm, ByteView bytes) {
  const auto identifier = only(algorithm, tag::sequence);
  const auto hash = identifier ? hash_of(*identifier) : std::nullopt;
  const auto digested = hash ? digest(*hash, bytes) : std::nullopt;
  if (!digested) return std::nullopt;
  return base::Bytes(digested->bytes.begin(), digested->bytes.begin() + digested->size);
}

}  // namespace crypto::chain
