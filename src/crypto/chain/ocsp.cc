#include "crypto/chain/ocsp.h"

#include "crypto/chain/oid.h"

namespace crypto::chain {
namespace {

using base::ByteView;

constexpr std::size_t bytes_max = std::size_t{256} << 10;
constexpr std::size_t answers_max = 1'000;
constexpr std::size_t certificates_max = 16;

base::Error malformed(std::string what) { return {"ocsp_response_is_malformed", std::move(what)}; }

bool read_status(const Element& element, OcspAnswer& out) {
  if (element.tag == tag::primitive(0) && element.body.empty()) {
    out.status = OcspStatus::good;
    return true;
  }
  if (element.tag == tag::primitive(2) && element.body.empty()) {
    out.status = OcspStatus::unknown;
    return true;
  }
  if (element.tag != tag::constructed(1)) return false;
  out.status = OcspStatus::revoked;
  Reader parts(element);
  const auto time = parts.next(tag::generalized_time);
  const auto revoked = time ? time_of(*time) : std::nullopt;
  if (!revoked) return false;
  out.revoked_s = *revoked;
  if (const auto reason = parts.next_if(tag::constructed(0))) {
    const auto code = only(reason->body, tag::enumerated);
    if (!code || code->body.size() != 1) return false;
    out.reason = code->body[0];
  }
  return parts.done();
}

bool read_answer(const Element& element, OcspAnswer& out, bool& unknown_critical) {
  Reader parts(element);
  const auto id = parts.next(tag::sequence);
  const auto status = parts.next();
  const auto time = parts.next(tag::generalized_time);
  const auto this_update = time ? time_of(*time) : std::nullopt;
  if (!id || !status || !this_update || !read_status(*status, out)) return false;
  out.this_update_s = *this_update;
  if (const auto next = parts.next_if(tag::constructed(0))) {
    const auto next_time = only(next->body, tag::generalized_time);
    out.next_update_s = next_time ? time_of(*next_time) : std::nullopt;
    if (!out.next_update_s) return false;
  }
  if (const auto extensions = parts.next_if(tag::constructed(1))) {
    const auto list = only(extensions->body, tag::sequence);
    if (!list || !each_extension(*list, [&](ByteView, bool critical, ByteView) { unknown_critical = unknown_critical || critical; })) return false;
  }
  if (!parts.done()) return false;
  Reader fields(*id);
  const auto hash = fields.next(tag::sequence);
  const auto name = fields.next(tag::octet_string);
  const auto key = fields.next(tag::octet_string);
  const auto serial = fields.next(tag::integer);
  if (!hash || !name || !key || !serial || !fields.done()) return false;
  out.hash_algorithm = hash->whole;
  out.issuer_name_hash = name->body;
  out.issuer_key_hash = key->body;
  out.serial = serial->body;
  return true;
}

bool read_response_data(const Element& data, OcspResponse& out) {
  Reader fields(data);
  if (const auto version = fields.next_if(tag::constructed(0))) {
    const auto number = only(version->body, tag::integer);
    if (!number || small_integer_of(*number) != 0U) return false;
  }
  if (const auto by_name = fields.next_if(tag::constructed(1))) {
    auto name = canonical_name(by_name->body);
    if (!name || name->empty()) return false;
    out.responder_name = std::move(*name);
  } else if (const auto by_key = fields.next_if(tag::constructed(2))) {
    const auto hash = only(by_key->body, tag::octet_string);
    if (!hash || hash->body.size() != 20) return false;
    out.responder_key_hash = hash->body;
  } else {
    return false;
  }
  const auto time = fields.next(tag::generalized_time);
  const auto produced = time ? time_of(*time) : std::nullopt;
  const auto answers = fields.next(tag::sequence);
  if (!produced || !answers) return false;
  out.produced_s = *produced;
  for (Reader reader(*answers); !reader.at_end();) {
    const auto single = reader.next(tag::sequence);
    OcspAnswer answer;
    if (!single || out.answers.size() == answers_max || !read_answer(*single, answer, out.has_unknown_critical)) return false;
    out.answers.push_back(answer);
  }
  if (const auto extensions = fields.next_if(tag::constructed(1))) {
    const auto list = only(extensions->body, tag::sequence);
    const bool whole = list && each_extension(*list, [&](ByteView id, bool critical, ByteView value) {
      if (oid::ocsp_nonce == id) {
        const auto inner = only(value, tag::octet_string);
        out.nonce = inner ? inner->body : value;  // some responders leave the inner OCTET STRING out
      } else if (critical) {
        out.has_unknown_critical = true;
      }
    });
    if (!whole) return false;
  }
  return fields.done();
}

}  // namespace

base::Result<OcspResponse> read_ocsp_response(base::Bytes der) {
  if (der.size() > bytes_max) return malformed("larger than 256 KiB");
  OcspResponse out;
  out.der = std::move(der);
  const auto whole = only(out.der, tag::sequence);
  if (!whole) return malformed("not one DER sequence, or bytes follow it");
  Reader outer(*whole);
  const auto status = outer.next(tag::enumerated);
  if (!status || status->body.size() != 1) return malformed("the status breaks");
  out.response_status = status->body[0];
  if (out.response_status != 0) return out;
  const auto bytes = outer.next(tag::constructed(0));
  const auto typed = bytes ? only(bytes->body, tag::sequence) : std::nullopt;
  if (!typed || !outer.done()) return malformed("the response's bytes break");
  Reader type(*typed);
  const auto id = type.next(tag::oid);
  const auto octets = type.next(tag::octet_string);
  if (!id || !octets || !type.done() || !(oid::ocsp_basic == id->body)) return malformed("not a basic response");
  const auto basic = only(octets->body, tag::sequence);
  if (!basic) return malformed("the basic response breaks");
  Reader parts(*basic);
  const auto data = parts.next(tag::sequence);
  const auto algorithm = parts.next(tag::sequence);
  const auto bits = parts.next(tag::bit_string);
  const auto signature = bits ? whole_bits_of(*bits) : std::nullopt;
  if (!data || !algorithm || !signature) return malformed("the basic response breaks");
  out.to_be_signed = data->whole;
  out.algorithm = algorithm->whole;
  out.signature = *signature;
  if (!read_response_data(*data, out)) return malformed("the response's data break");
  if (const auto extra = parts.next_if(tag::constructed(0))) {
    const auto list = only(extra->body, tag::sequence);
    if (!list) return malformed("the certificates break");
    for (Reader reader(*list); !reader.at_end();) {
      const auto element = reader.next(tag::sequence);
      if (!element || out.certificates.size() == certificates_max) return malformed("the certificates break, or are too many");
      auto certificate = read_certificate(base::to_bytes(element->whole));
      if (!certificate.ok()) return malformed("a certificate that came with it breaks");
      out.certificates.push_back(std::move(*certificate));
    }
  }
  if (!parts.done()) return malformed("something follows the basic response");
  return out;
}

}  // namespace crypto::chain
