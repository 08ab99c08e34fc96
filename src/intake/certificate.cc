#include "intake/certificate.h"

#include <openssl/evp.h>
#include <openssl/err.h>
#include <openssl/x509.h>

#include <algorithm>
#include <memory>

#include "intake/oid.h"

namespace intake {
namespace {

using base::ByteView;

int digits(ByteView text, std::size_t at, std::size_t count) {
  int value = 0;
  for (std::size_t i = 0; i < count; ++i) {
    const std::uint8_t c = text[at + i];
    if (c < '0' || c > '9') return -1;
    value = value * 10 + (c - '0');
  }
  return value;
}

// Days since 1970-01-01 of a date of the Gregorian calendar.
std::int64_t days_of(int year, int month, int day) {
  const int y = month <= 2 ? year - 1 : year;
  const int era = (y >= 0 ? y : y - 399) / 400;
  const int of_era = y - era * 400;
  const int of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
  return std::int64_t{era} * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
}

void read_names(ByteView octets, std::size_t offset, Certificate& out) {
  DerCursor outer(octets, offset);
  auto names = outer.next(tag::sequence);
  if (!names) return;
  DerCursor cursor(*names);
  while (!cursor.at_end() && out.dns_names.size() < 200) {
    auto name = cursor.next();
    if (!name) return;
    out.has_alternative_names = true;
    if (name->tag == tag::implicit_tag(2)) {
      std::string text(base::as_text(name->body).substr(0, 253));
      std::replace_if(text.begin(), text.end(), [](char c) { return c < 0x21 || c > 0x7E; }, '?');
      out.dns_names.push_back(std::move(text));
    }
  }
}

void read_extensions(const Element& wrapper, Certificate& out) {
  DerCursor outer(wrapper);
  auto list = outer.next(tag::sequence);
  if (!list) return;
  DerCursor cursor(*list);
  while (!cursor.at_end()) {
    auto extension = cursor.next(tag::sequence);
    if (!extension) return;
    DerCursor parts(*extension);
    auto name = parts.next(tag::oid);
    parts.next_if(tag::boolean);
    auto value = parts.next(tag::octet_string);
    if (!name || !value) return;
    if (oid::subject_alt_name == name->body) {
      read_names(value->body, value->body_offset(), out);
    } else if (oid::basic_constraints == name->body) {
      DerCursor inside(value->body, value->body_offset());
      auto sequence = inside.next(tag::sequence);
      if (!sequence) continue;
      DerCursor members(*sequence);
      auto authority = members.next_if(tag::boolean);
      out.is_authority = authority && !authority->body.empty() && authority->body[0] != 0;
    }
  }
}

struct KeyDeleter {
  void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
};
struct ContextDeleter {
  void operator()(EVP_MD_CTX* context) const { EVP_MD_CTX_free(context); }
};

}  // namespace

bool Certificate::self_issued() const { return std::equal(issuer.begin(), issuer.end(), subject.begin(), subject.end()); }

std::optional<std::int64_t> read_time(const Element& time) {
  const ByteView text = time.body;
  int year = 0;
  std::size_t at = 0;
  if (time.tag == tag::utc_time && text.size() == 13) {
    year = digits(text, 0, 2);
    if (year < 0) return std::nullopt;
    year += year < 50 ? 2000 : 1900;
    at = 2;
  } else if (time.tag == tag::generalized_time && text.size() == 15) {
    year = digits(text, 0, 4);
    at = 4;
  } else {
    return std::nullopt;
  }
  const int month = digits(text, at, 2), day = digits(text, at + 2, 2), hour = digits(text, at + 4, 2),
            minute = digits(text, at + 6, 2), second = digits(text, at + 8, 2);
  if (year < 0 || month < 1 || month > 12 || day < 1 || day > 31 || hour < 0 || hour > 23 || minute < 0 || minute > 59 ||
      second < 0 || second > 59 || text[at + 10] != 'Z') {
    return std::nullopt;
  }
  return days_of(year, month, day) * 86400 + hour * 3600 + minute * 60 + second;
}

std::string name_text(const Element& name) {
  std::string out;
  DerCursor sets(name);
  while (auto set = sets.next_if(tag::set)) {
    DerCursor attributes(*set);
    while (auto attribute = attributes.next_if(tag::sequence)) {
      DerCursor parts(*attribute);
      auto type = parts.next(tag::oid);
      auto value = parts.next();
      if (!type || !value) return out;
      const bool known = oid::common_name == type->body || oid::organization == type->body || oid::country == type->body;
      if (!known || out.size() > 300) continue;
      if (!out.empty()) out += ", ";
      out += oid::common_name == type->body ? "CN=" : oid::organization == type->body ? "O=" : "C=";
      for (std::uint8_t byte : value->body.first(std::min<std::size_t>(value->body.size(), 128))) {
        const bool utf8 = value->tag == tag::utf8_string && byte >= 0x80;
        if (value->tag == tag::bmp_string && byte == 0) continue;
        out.push_back((byte >= 0x20 && byte < 0x7F) || utf8 ? static_cast<char>(byte) : '?');
      }
    }
  }
  return out;
}

std::optional<Certificate> read_certificate(const Element& element, std::size_t& fault) {
  Certificate out;
  out.whole = element.whole;
  DerCursor outer(element);
  fault = element.offset;
  auto body = outer.next(tag::sequence);
  auto algorithm = outer.next(tag::sequence);
  auto bits = outer.next(tag::bit_string);
  auto signature = bits ? whole_bits(*bits) : std::nullopt;
  if (!body || !algorithm || !signature || !outer.done()) return std::nullopt;
  out.to_be_signed = body->whole;
  out.signature_algorithm = algorithm->whole;
  out.signature = *signature;
  DerCursor cursor(*body);
  if (auto version = cursor.next_if(tag::explicit_tag(0))) {
    DerCursor inside(*version);
    auto number = inside.next(tag::integer);
    auto value = number ? small_integer(*number) : std::nullopt;
    fault = version->offset;
    if (!value || *value > 2) return std::nullopt;
    out.version = static_cast<int>(*value) + 1;
  }
  auto serial = cursor.next(tag::integer);
  auto inner = cursor.next(tag::sequence);
  auto issuer = cursor.next(tag::sequence);
  auto validity = cursor.next(tag::sequence);
  auto subject = cursor.next(tag::sequence);
  auto spki = cursor.next(tag::sequence);
  fault = cursor.position();
  if (!serial || !inner || !issuer || !validity || !subject || !spki) return std::nullopt;
  out.serial = serial->body;
  out.inner_algorithm = inner->whole;
  out.issuer = issuer->whole;
  out.subject = subject->whole;
  out.issuer_text = name_text(*issuer);
  out.subject_text = name_text(*subject);
  out.spki = *spki;
  DerCursor times(*validity);
  auto before = times.next();
  auto after = times.next();
  const auto from = before ? read_time(*before) : std::nullopt;
  const auto until = after ? read_time(*after) : std::nullopt;
  fault = validity->offset;
  if (!from || !until) return std::nullopt;
  out.not_before_s = *from;
  out.not_after_s = *until;
  while (!cursor.at_end()) {
    auto more = cursor.next();
    fault = cursor.position();
    if (!more) return std::nullopt;
    if (more->tag == tag::explicit_tag(3)) read_extensions(*more, out);
  }
  return out;
}

std::optional<bool> verify_signature(ByteView spki, ByteView algorithm, ByteView message, ByteView signature) {
  const EVP_MD* digest = nullptr;
  DerCursor outer(algorithm);
  auto sequence = outer.next(tag::sequence);
  if (!sequence) return std::nullopt;
  DerCursor parts(*sequence);
  auto name = parts.next(tag::oid);
  if (!name) return std::nullopt;
  const ByteView id = name->body;
  bool one_shot = false;
  if (oid::sig_sha256_rsa == id || oid::sig_sha256_ecdsa == id) digest = EVP_sha256();
  else if (oid::sig_sha384_rsa == id || oid::sig_sha384_ecdsa == id) digest = EVP_sha384();
  else if (oid::sig_sha512_rsa == id || oid::sig_sha512_ecdsa == id) digest = EVP_sha512();
  else if (oid::sig_sha1_rsa == id || oid::sig_sha1_ecdsa == id) digest = EVP_sha1();
  else if (oid::ed25519 == id || oid::ed448 == id) one_shot = true;
  else return std::nullopt;
  const unsigned char* at = spki.data();
  std::unique_ptr<EVP_PKEY, KeyDeleter> key(d2i_PUBKEY(nullptr, &at, static_cast<long>(spki.size())));
  std::unique_ptr<EVP_MD_CTX, ContextDeleter> context(EVP_MD_CTX_new());
  std::optional<bool> out;
  if (key && context && EVP_DigestVerifyInit(context.get(), nullptr, one_shot ? nullptr : digest, nullptr, key.get()) == 1) {
    out = EVP_DigestVerify(context.get(), signature.data(), signature.size(), message.data(), message.size()) == 1;
  }
  ERR_clear_error();
  return out;
}

}  // namespace intake
