#include "crypto/time_stamp.h"

#include <openssl/bn.h>
#include <openssl/err.h>
#include <openssl/objects.h>
#include <openssl/pkcs7.h>
#include <openssl/ts.h>
#include <openssl/x509.h>
#include <openssl/x509_vfy.h>

#include <algorithm>
#include <memory>
#include <optional>

#include "base/check.h"
#include "base/text.h"
#include "crypto/hash.h"

namespace crypto {
namespace {

template <auto free_it>
struct FreeWith {
  template <typename T>
  void operator()(T* object) const {
    free_it(object);
  }
};
using Request = std::unique_ptr<TS_REQ, FreeWith<TS_REQ_free>>;
using Response = std::unique_ptr<TS_RESP, FreeWith<TS_RESP_free>>;
using Token = std::unique_ptr<PKCS7, FreeWith<PKCS7_free>>;
using Info = std::unique_ptr<TS_TST_INFO, FreeWith<TS_TST_INFO_free>>;
using Imprint = std::unique_ptr<TS_MSG_IMPRINT, FreeWith<TS_MSG_IMPRINT_free>>;
using Algorithm = std::unique_ptr<X509_ALGOR, FreeWith<X509_ALGOR_free>>;
using Number = std::unique_ptr<BIGNUM, FreeWith<BN_free>>;
using Integer = std::unique_ptr<ASN1_INTEGER, FreeWith<ASN1_INTEGER_free>>;
using Object = std::unique_ptr<ASN1_OBJECT, FreeWith<ASN1_OBJECT_free>>;
using Time = std::unique_ptr<ASN1_TIME, FreeWith<ASN1_TIME_free>>;
using Store = std::unique_ptr<X509_STORE, FreeWith<X509_STORE_free>>;
using Verification = std::unique_ptr<TS_VERIFY_CTX, FreeWith<TS_VERIFY_CTX_free>>;

// OpenSSL keeps a list of errors for each thread. Ours go back to the caller, so nothing stays behind on any way out.
struct ErrorsForgotten {
  ErrorsForgotten() { ERR_clear_error(); }
  ~ErrorsForgotten() { ERR_clear_error(); }
  ErrorsForgotten(const ErrorsForgotten&) = delete;
  ErrorsForgotten& operator=(const ErrorsForgotten&) = delete;
};

std::string last_reason() {
  const char* data = nullptr;
  int flags = 0;
  const unsigned long error = ERR_peek_last_error_data(&data, &flags);
  const char* const reason = ERR_reason_error_string(error);
  std::string text = reason == nullptr ? "it does not verify" : reason;
  if (data != nullptr && (flags & ERR_TXT_STRING) != 0 && *data != '\0') text.append(": ").append(data);
  return text;
}

base::Error malformed(const char* why) { return {"time_stamp_malformed", why}; }

template <auto encode, typename T>
base::Bytes der_of(T* object) {
  unsigned char* bytes = nullptr;
  const int size = encode(object, &bytes);
  CHECK(size > 0);
  base::Bytes out(bytes, bytes + size);
  OPENSSL_free(bytes);
  return out;
}

// Exactly one object, nothing behind it; null otherwise.
template <auto decode>
auto object_of(base::ByteView der) {
  const unsigned char* at = der.data();
  auto* const object = decode(nullptr, &at, static_cast<long>(der.size()));
  return std::pair(object, object != nullptr && at == der.data() + der.size());
}

std::string dotted(const ASN1_OBJECT* object) {
  char text[128] = {};
  const int size = object == nullptr ? 0 : OBJ_obj2txt(text, sizeof text, object, 1);
  return size > 0 && static_cast<std::size_t>(size) < sizeof text ? std::string(text) : std::string();
}

// The hash, if it was made with SHA-256.
std::optional<base::Digest> sha256_of(TS_MSG_IMPRINT* imprint) {
  const ASN1_OBJECT* algorithm = nullptr;
  X509_ALGOR_get0(&algorithm, nullptr, nullptr, TS_MSG_IMPRINT_get_algo(imprint));
  const ASN1_OCTET_STRING* const hash = TS_MSG_IMPRINT_get_msg(imprint);
  base::Digest digest{};
  if (OBJ_obj2nid(algorithm) != NID_sha256 || static_cast<std::size_t>(ASN1_STRING_length(hash)) != digest.size()) return std::nullopt;
  std::copy_n(ASN1_STRING_get0_data(hash), digest.size(), digest.begin());
  return digest;
}

// At most 16 bytes, not negative.
std::optional<std::array<std::uint8_t, 16>> nonce_of(const ASN1_INTEGER* integer) {
  if (integer == nullptr) return std::nullopt;
  const Number number(ASN1_INTEGER_to_BN(integer, nullptr));
  std::array<std::uint8_t, 16> nonce{};
  const bool fits = number != nullptr && BN_is_negative(number.get()) == 0 && BN_bn2binpad(number.get(), nonce.data(), nonce.size()) >= 0;
  return fits ? std::optional(nonce) : std::nullopt;
}

struct Opened {
  Token token;
  Info info;
};

base::Result<Opened> open_token(base::ByteView der) {
  const auto [raw, whole] = object_of<d2i_PKCS7>(der);
  Opened opened{Token(raw), nullptr};
  if (!whole || PKCS7_type_is_signed(raw) == 0 || raw->d.sign == nullptr) return malformed("not one CMS SignedData");
  opened.info.reset(PKCS7_to_TS_TST_INFO(raw));
  if (opened.info == nullptr) return malformed("there is no time-stamp in it");
  if (TS_TST_INFO_get_version(opened.info.get()) != 1) return malformed("of another version");
  return opened;
}

// RFC 3161 says UTC with optional fractions of a second; nothing else is parsed by OpenSSL.
base::Result<std::uint64_t> seconds_of(const TS_TST_INFO* info) {
  const ASN1_GENERALIZEDTIME* const time = TS_TST_INFO_get_time(info);
  const Time epoch(ASN1_TIME_set(nullptr, 0));
  CHECK(epoch != nullptr);
  int days = 0, seconds = 0;
  if (time == nullptr || ASN1_TIME_diff(&days, &seconds, epoch.get(), time) != 1 || days < 0 || seconds < 0) return malformed("its time cannot be read");
  return static_cast<std::uint64_t>(days) * 86'400 + static_cast<std::uint64_t>(seconds);
}

base::Digest fingerprint_of(X509* certificate) { return sha256(der_of<i2d_X509>(certificate)); }

bool valid_at(const X509* certificate, std::uint64_t seconds) {
  time_t at = static_cast<time_t>(seconds);
  return X509_cmp_time(X509_get0_notBefore(certificate), &at) < 0 && X509_cmp_time(X509_get0_notAfter(certificate), &at) > 0;
}

std::string certificates_in(STACK_OF(X509)* certificates) {
  constexpr int told_max = 6;
  std::string text;
  for (int i = 0; i < std::min(sk_X509_num(certificates), told_max); ++i) {
    X509* const certificate = sk_X509_value(certificates, i);
    char name[256] = {};
    X509_NAME_oneline(X509_get_subject_name(certificate), name, sizeof name);
    text += (i == 0 ? "" : ", ") + base::to_hex(fingerprint_of(certificate)) + " (" + name + ")";
  }
  return text.empty() ? "none" : text;
}

// Signature, chain up to `anchor` and no further, purpose; all at the token's own time.
bool holds_under(PKCS7* token, X509* anchor, std::uint64_t seconds) {
  Store store(X509_STORE_new());
  CHECK(store != nullptr && X509_STORE_add_cert(store.get(), anchor) == 1);
  X509_VERIFY_PARAM* const parameters = X509_STORE_get0_param(store.get());
  X509_VERIFY_PARAM_set_time(parameters, static_cast<time_t>(seconds));
  // The trusted certificate may stand anywhere in the chain; 112 bits of security shut SHA-1 and short RSA keys out.
  CHECK(X509_VERIFY_PARAM_set_flags(parameters, X509_V_FLAG_PARTIAL_CHAIN) == 1);
  X509_VERIFY_PARAM_set_auth_level(parameters, 2);
  const Verification verification(TS_VERIFY_CTX_new());
  CHECK(verification != nullptr);
  TS_VERIFY_CTX_set_flags(verification.get(), TS_VFY_VERSION | TS_VFY_SIGNATURE);
  TS_VERIFY_CTX_set_store(verification.get(), store.release());   // the context's from here on
  return TS_RESP_verify_token(verification.get(), token) == 1;
}

}  // namespace

base::Result<base::Bytes> time_stamp_request(const TimeStampRequest& request) {
  const ErrorsForgotten forgotten;
  const Request out(TS_REQ_new());
  const Imprint imprint(TS_MSG_IMPRINT_new());
  const Algorithm algorithm(X509_ALGOR_new());
  CHECK(out != nullptr && imprint != nullptr && algorithm != nullptr && TS_REQ_set_version(out.get(), 1) == 1);
  CHECK(X509_ALGOR_set0(algorithm.get(), OBJ_nid2obj(NID_sha256), V_ASN1_NULL, nullptr) == 1);
  CHECK(TS_MSG_IMPRINT_set_algo(imprint.get(), algorithm.get()) == 1);
  base::Digest hash = request.imprint;
  CHECK(TS_MSG_IMPRINT_set_msg(imprint.get(), hash.data(), static_cast<int>(hash.size())) == 1);
  CHECK(TS_REQ_set_msg_imprint(out.get(), imprint.get()) == 1 && TS_REQ_set_cert_req(out.get(), 1) == 1);
  const Number number(BN_bin2bn(request.nonce.data(), static_cast<int>(request.nonce.size()), nullptr));
  CHECK(number != nullptr);
  const Integer nonce(BN_to_ASN1_INTEGER(number.get(), nullptr));
  CHECK(nonce != nullptr && TS_REQ_set_nonce(out.get(), nonce.get()) == 1);
  if (!request.policy.empty()) {
    const Object policy(OBJ_txt2obj(request.policy.c_str(), 1));
    if (policy == nullptr || dotted(policy.get()) != request.policy) {
      return base::Error{"time_stamp_policy_malformed", "\"" + request.policy + "\" is no object identifier"};
    }
    CHECK(TS_REQ_set_policy_id(out.get(), policy.get()) == 1);
  }
  return der_of<i2d_TS_REQ>(out.get());
}

base::Result<TimeStampRequest> parse_time_stamp_request(base::ByteView der) {
  const ErrorsForgotten forgotten;
  const auto [raw, whole] = object_of<d2i_TS_REQ>(der);
  const Request request(raw);
  const base::Error wrong{"time_stamp_request_malformed", "not one request of RFC 3161 over SHA-256 with a nonce"};
  if (!whole || TS_REQ_get_version(raw) != 1) return wrong;
  const auto imprint = sha256_of(TS_REQ_get_msg_imprint(raw));
  const auto nonce = nonce_of(TS_REQ_get_nonce(raw));
  if (!imprint || !nonce) return wrong;
  return TimeStampRequest{.imprint = *imprint, .nonce = *nonce, .policy = dotted(TS_REQ_get_policy_id(raw))};
}

base::Result<base::Bytes> token_of_response(base::ByteView der) {
  const ErrorsForgotten forgotten;
  const auto [raw, whole] = object_of<d2i_TS_RESP>(der);
  const Response response(raw);
  if (!whole) return malformed("not one answer of RFC 3161");
  TS_STATUS_INFO* const status = TS_RESP_get_status_info(raw);
  const long code = ASN1_INTEGER_get(TS_STATUS_INFO_get0_status(status));
  PKCS7* const token = TS_RESP_get_token(raw);
  if (code != TS_STATUS_GRANTED && code != TS_STATUS_GRANTED_WITH_MODS) {
    std::string why = "status " + std::to_string(code);
    const auto* const texts = TS_STATUS_INFO_get0_text(status);
    for (int i = 0; texts != nullptr && i < std::min(sk_ASN1_UTF8STRING_num(texts), 4); ++i) {
      const ASN1_UTF8STRING* const text = sk_ASN1_UTF8STRING_value(texts, i);
      why.append(": ");
      // Somebody else's words, for a terminal.
      for (const std::uint8_t c : base::ByteView(ASN1_STRING_get0_data(text), static_cast<std::size_t>(ASN1_STRING_length(text)))) {
        why += c >= 0x20 && c < 0x7F ? static_cast<char>(c) : '?';
      }
    }
    return base::Error{"time_stamp_refused", why};
  }
  if (token == nullptr) return malformed("there is no token in it");
  base::Bytes bytes = der_of<i2d_PKCS7>(token);
  TRY(open_token(bytes));
  return bytes;
}

base::Result<base::Digest> imprint_of_time_stamp(base::ByteView token) {
  const ErrorsForgotten forgotten;
  TRY_ASSIGN(const Opened opened, open_token(token));
  const auto imprint = sha256_of(TS_TST_INFO_get_msg_imprint(opened.info.get()));
  if (!imprint) return malformed("it stamps by another hash than SHA-256");
  return *imprint;
}

base::Result<TimeStamp> verify_time_stamp(base::ByteView token, const base::Digest& imprint,
                                          std::span<const base::Digest> trusted, const TimeStampRequest* asked) {
  const ErrorsForgotten forgotten;
  TRY_ASSIGN(const Opened opened, open_token(token));
  TS_TST_INFO* const info = opened.info.get();
  if (sha256_of(TS_TST_INFO_get_msg_imprint(info)) != imprint) return base::Error{"time_stamp_imprint_differs", "it stamps something else"};
  TimeStamp stamp{.seconds = 0, .policy = dotted(TS_TST_INFO_get_policy_id(info)), .trusted = 0};
  if (asked != nullptr) {
    if (nonce_of(TS_TST_INFO_get_nonce(info)) != asked->nonce) return base::Error{"time_stamp_nonce_differs", "it does not answer this request"};
    if (!asked->policy.empty() && stamp.policy != asked->policy) {
      return base::Error{"time_stamp_policy_differs", "it was made under the policy " + stamp.policy + ", asked for was " + asked->policy};
    }
  }
  TRY_ASSIGN(stamp.seconds, seconds_of(info));

  STACK_OF(X509)* const certificates = opened.token->d.sign->cert;
  const base::Error nobody{"time_stamp_not_trusted", "the certificates in it are " + certificates_in(certificates)};
  std::optional<base::Error> wrong;
  for (int i = 0; i < sk_X509_num(certificates); ++i) {
    X509* const certificate = sk_X509_value(certificates, i);
    const auto known = std::ranges::find(trusted, fingerprint_of(certificate));
    if (known == trusted.end()) continue;
    const std::unique_ptr<STACK_OF(X509), decltype([](STACK_OF(X509)* list) { sk_X509_free(list); })> signers(
        PKCS7_get0_signers(opened.token.get(), nullptr, 0));
    const bool signer_there = signers != nullptr && sk_X509_num(signers.get()) == 1;
    if (!valid_at(certificate, stamp.seconds) || (signer_there && !valid_at(sk_X509_value(signers.get(), 0), stamp.seconds))) {
      wrong = base::Error{"time_stamp_certificate_not_valid_then", "at the time in the token, a certificate had not begun or had ended"};
      continue;
    }
    if (holds_under(opened.token.get(), certificate, stamp.seconds)) {
      stamp.trusted = static_cast<std::size_t>(known - trusted.begin());
      return stamp;
    }
    wrong = base::Error{"time_stamp_signature_wrong", last_reason()};
  }
  return wrong.value_or(nobody);
}

}  // namespace crypto
