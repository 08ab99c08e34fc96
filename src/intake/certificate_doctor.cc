// X.509 certificates, requests and revocation lists: what they are for, and what is wrong with them by themselves. Paths,
// names and revocation are judged elsewhere, against anchors and a purpose.
#include <algorithm>

#include "crypto/hash.h"
#include "intake/certificate.h"
#include "base/text.h"
#include "intake/examination.h"
#include "intake/key_check.h"

namespace intake {
namespace {

using base::ByteView;

std::string instant_text(std::int64_t seconds) {
  if (seconds < 0 || seconds > 9'000'000'000) return "a date outside of 1970 to 2255";
  return base::to_rfc3339({seconds * 1'000'000'000}).substr(0, 10);
}

std::optional<Element> algorithm_name_of(ByteView identifier) {
  DerCursor outer(identifier);
  auto sequence = outer.next(tag::sequence);
  if (!sequence) return std::nullopt;
  DerCursor parts(*sequence);
  return parts.next(tag::oid);
}

bool is_ecdsa(ByteView id) {
  return oid::sig_sha1_ecdsa == id || oid::sig_sha224_ecdsa == id || oid::sig_sha256_ecdsa == id ||
         oid::sig_sha384_ecdsa == id || oid::sig_sha512_ecdsa == id;
}

void check_validity(const Certificate& certificate, const Expectations& expected, const Desk& desk, std::size_t offset) {
  if (certificate.not_after_s < certificate.not_before_s) {
    desk.add(Cause::certificate_breaks_profile, offset, "it ends before it begins");
  }
  if (!expected.now) return;
  const std::int64_t now_s = expected.now->ns / 1'000'000'000;
  if (now_s > certificate.not_after_s) {
    desk.add(Cause::certificate_is_expired, offset, "valid until " + instant_text(certificate.not_after_s));
  } else if (now_s < certificate.not_before_s) {
    desk.add(Cause::certificate_is_not_yet_valid, offset, "valid from " + instant_text(certificate.not_before_s));
  } else if (certificate.not_after_s - now_s < 30 * 86400 && !(certificate.not_after_s - certificate.not_before_s < 60 * 86400)) {
    desk.add(Cause::certificate_expires_soon, offset, "valid until " + instant_text(certificate.not_after_s));
  }
}

}  // namespace

void examine_certificate(Examination& run, const Element& element, const Content& content, std::string_view format) {
  const Desk desk{content, run.notes};
  std::size_t fault = 0;
  auto certificate = read_certificate(element, fault);
  if (!certificate) {
    desk.add(Cause::der_is_malformed, fault, "the certificate breaks here");
    return;
  }
  auto key = read_spki(certificate->spki, desk);
  Item item;
  item.kind = Kind::certificate;
  item.format = format;
  item.label = "CERTIFICATE";
  item.canonical = to_secret(element.whole);
  item.place = content.place_at(element.offset, element.whole.size());
  item.name = certificate->subject_text;
  if (key) {
    // A second run with its own findings: the key inside may be weak like any other.
    if (!check_key(*key, run.expected.policy, desk)) key.reset();
  }
  if (key) describe(item, *key);
  const base::Digest digest = crypto::sha256(element.whole);
  item.fingerprint_sha256 = base::to_hex(digest);

  if (certificate->version == 1) desk.add(Cause::certificate_is_version_1, element.offset);
  const ByteView serial = certificate->serial;
  if (serial.empty() || serial.size() > 20 || (serial[0] & 0x80) != 0 || (serial.size() == 1 && serial[0] == 0)) {
    desk.add(Cause::certificate_serial_is_bad, element.offset);
  }
  const ByteView outer = certificate->signature_algorithm;
  const ByteView inner = certificate->inner_algorithm;
  const auto signed_with = algorithm_name_of(outer);
  if (!std::equal(outer.begin(), outer.end(), inner.begin(), inner.end())) {
    desk.add(Cause::certificate_algorithms_disagree, element.offset);
  } else if (signed_with) {
    const ByteView id = signed_with->body;
    const bool self = certificate->self_issued();
    if (!self && (oid::sig_md5_rsa == id || oid::sig_sha1_rsa == id || oid::sig_sha1_ecdsa == id || oid::sig_sha1_dsa == id)) {
      desk.add(Cause::certificate_signature_is_weak, element.offset, "signed with " + to_dotted(id));
    }
    if (self && key && key->type == KeyType::ec) {
      const bool sm2_key = key->curve->name == "SM2";
      if (sm2_key ? is_ecdsa(id) : oid::sig_sm2_sm3 == id) {
        desk.add(Cause::sm2_and_ecdsa_are_mixed, element.offset,
                 sm2_key ? "an SM2 key signed with ECDSA" : "an ECDSA key signed with SM2");
      }
    }
    if (self && key) {
      const auto verified = verify_signature(certificate->spki.whole, outer, certificate->to_be_signed, certificate->signature);
      if (verified == false) {
        desk.add(Cause::certificate_signature_is_invalid, element.offset);
      } else if (!certificate->is_authority && verified == true) {
        desk.add(Cause::certificate_is_self_signed, element.offset);
      }
    }
  }
  if (certificate->version == 3 && !certificate->is_authority && !certificate->has_alternative_names &&
      certificate->subject_text.find("CN=") != std::string::npos && certificate->subject_text.find('.') != std::string::npos &&
      certificate->subject_text.find(' ') == std::string::npos) {
    run.notes.add_as(Severity::info, Cause::certificate_has_common_name_only, content.place_at(element.offset));
  }
  check_validity(*certificate, run.expected, desk, element.offset);
  run.add(std::move(item));
}

void examine_request(Examination& run, const Element& element, const Content& content) {
  const Desk desk{content, run.notes};
  DerCursor outer(element);
  auto body = outer.next(tag::sequence);
  auto algorithm = outer.next(tag::sequence);
  auto bits = outer.next(tag::bit_string);
  std::optional<Element> subject;
  std::optional<Element> spki;
  if (body) {
    DerCursor cursor(*body);
    cursor.next(tag::integer);
    subject = cursor.next(tag::sequence);
    spki = cursor.next(tag::sequence);
  }
  const auto signature = bits ? whole_bits(*bits) : std::nullopt;
  if (!subject || !spki || !algorithm || !signature) {
    desk.add(Cause::der_is_malformed, element.offset, "the certificate request breaks here");
    return;
  }
  auto key = read_spki(*spki, desk);
  Item item;
  item.kind = Kind::certificate_request;
  item.format = "pkcs10";
  item.label = "CERTIFICATE REQUEST";
  item.canonical = to_secret(element.whole);
  item.place = content.place_at(element.offset, element.whole.size());
  item.name = name_text(*subject);
  if (key && check_key(*key, run.expected.policy, desk)) describe(item, *key);
  if (verify_signature(spki->whole, algorithm->whole, body->whole, *signature) == false) {
    desk.add(Cause::certificate_signature_is_invalid, element.offset, "the request's proof of possession");
  }
  run.add(std::move(item));
}

void examine_revocation_list(Examination& run, const Element& element, const Content& content) {
  const Desk desk{content, run.notes};
  Item item;
  item.kind = Kind::revocation_list;
  item.format = "crl";
  item.label = "X509 CRL";
  item.canonical = to_secret(element.whole);
  item.place = content.place_at(element.offset, element.whole.size());
  DerCursor outer(element);
  auto body = outer.next(tag::sequence);
  std::optional<Element> issuer;
  std::optional<Element> next_update;
  if (body) {
    DerCursor cursor(*body);
    cursor.next_if(tag::integer);
    cursor.next(tag::sequence);
    issuer = cursor.next(tag::sequence);
    auto this_update = cursor.next();
    if (this_update && (cursor.peek() == tag::utc_time || cursor.peek() == tag::generalized_time)) next_update = cursor.next();
  }
  if (!issuer) {
    desk.add(Cause::der_is_malformed, element.offset, "the revocation list breaks here");
    return;
  }
  item.name = name_text(*issuer);
  const auto until = next_update ? read_time(*next_update) : std::nullopt;
  if (until && run.expected.now && run.expected.now->ns / 1'000'000'000 > *until) {
    desk.add(Cause::revocation_list_is_expired, element.offset, "next update due " + instant_text(*until));
  }
  run.add(std::move(item));
}

}  // namespace intake
