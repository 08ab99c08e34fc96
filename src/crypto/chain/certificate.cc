#include "crypto/chain/certificate.h"

#include <algorithm>

#include "crypto/chain/oid.h"

namespace crypto::chain {

// extensions.cc
void read_extensions(const Element& list, Certificate& out);

namespace {

constexpr std::size_t bytes_max = std::size_t{1} << 20;

base::Error malformed(std::string what) { return {"certificate_is_malformed", std::move(what)}; }

}  // namespace

bool ExtendedUsage::has(base::ByteView purpose) const {
  return std::any_of(purposes.begin(), purposes.end(), [&](base::ByteView one) {
    return std::equal(one.begin(), one.end(), purpose.begin(), purpose.end());
  });
}

base::Result<Certificate> read_certificate(base::Bytes der) {
  if (der.size() > bytes_max) return malformed("larger than 1 MiB");
  Certificate out;
  out.der = std::move(der);
  const auto whole = only(out.der, tag::sequence);
  if (!whole) return malformed("not one DER sequence, or bytes follow it");
  const auto frame = signed_frame_of(*whole);
  if (!frame) return malformed("the outer structure breaks");
  out.to_be_signed = frame->body.whole;
  out.algorithm = frame->algorithm;
  out.signature = frame->signature;

  Reader fields(frame->body);
  if (const auto version = fields.next_if(tag::constructed(0))) {
    const auto number = only(version->body, tag::integer);
    const auto value = number ? small_integer_of(*number) : std::nullopt;
    if (!value || *value > 2) return malformed("the version is not 1, 2 or 3");
    out.version = static_cast<int>(*value) + 1;
  }
  const auto serial = fields.next(tag::integer);
  if (!serial || serial->body.empty()) return malformed("the serial number breaks");
  out.serial = serial->body;
  const auto inner = fields.next(tag::sequence);
  const auto issuer = fields.next(tag::sequence);
  const auto validity = fields.next(tag::sequence);
  const auto subject = fields.next(tag::sequence);
  const auto spki = fields.next(tag::sequence);
  if (!inner || !issuer || !validity || !subject || !spki) return malformed("a field of the body breaks");
  out.inner_algorithm = inner->whole;
  out.issuer = issuer->whole;
  out.subject = subject->whole;

  auto issuer_name = canonical_name(issuer->whole);
  auto subject_name = canonical_name(subject->whole);
  if (!issuer_name) return malformed("the issuer's name breaks");
  if (!subject_name) return malformed("the subject's name breaks");
  out.issuer_name = std::move(*issuer_name);
  out.subject_name = std::move(*subject_name);

  Reader times(*validity);
  const auto first = times.next();
  const auto last = times.next();
  const auto not_before = first ? time_of(*first) : std::nullopt;
  const auto not_after = last ? time_of(*last) : std::nullopt;
  if (!not_before || !not_after || !times.done()) return malformed("the validity breaks");
  out.not_before_s = *not_before;
  out.not_after_s = *not_after;

  if (auto key = public_key_of(*spki)) {
    out.key = *key;
  } else {
    out.key.spki = spki->whole;
    out.faults.push_back({Reason::public_key_is_malformed, {}});
  }

  for (int n = 1; n <= 2; ++n) {  // issuer's and subject's unique identifiers
    if (fields.next_if(tag::primitive(n)) && out.version < 2) return malformed("fields of a later version");
  }
  const auto extensions = fields.next_if(tag::constructed(3));
  if (!fields.done()) return malformed("something follows the last field");
  if (extensions) {
    if (out.version != 3) return malformed("extensions in a certificate that is not version 3");
    const auto list = only(extensions->body, tag::sequence);
    if (!list) return malformed("the extensions break");
    read_extensions(*list, out);
  }

  if (!std::equal(out.algorithm.begin(), out.algorithm.end(), out.inner_algorithm.begin(), out.inner_algorithm.end())) {
    out.faults.push_back({Reason::certificate_algorithms_disagree, {}});
  }
  if (out.not_after_s < out.not_before_s) out.faults.push_back({Reason::certificate_validity_is_malformed, {}});
  if (out.issuer_name.empty()) out.faults.push_back({Reason::certificate_issuer_is_empty, {}});
  if (out.subject_name.empty() && out.authority()) out.faults.push_back({Reason::authority_subject_is_empty, {}});
  return out;
}

}  // namespace crypto::chain
