// What is in this DER? Shapes of RFC 5208, 5280, 5480, 5652, 5915, 5958, 7292, 8017.
#include <algorithm>

#include "intake/examination.h"
#include "intake/key.h"
#include "intake/layers.h"

namespace intake {
namespace {

using base::ByteView;

enum class Shape : std::uint8_t {
  unknown, spki, pkcs8, encrypted_pkcs8, pkcs1_public, pkcs1_private, sec1, dsa_private, certificate, request, list,
  cms, pkcs12, curve, dh, dsa_parameters, signature,
};

// Tags of the first children of a sequence.
struct Children {
  std::uint8_t tags[12] = {};
  std::size_t count = 0;
  bool sound = true;
  bool are(std::initializer_list<std::uint8_t> wanted) const {
    return count == wanted.size() && std::equal(wanted.begin(), wanted.end(), tags);
  }
  bool start(std::initializer_list<std::uint8_t> wanted) const {
    return count >= wanted.size() && std::equal(wanted.begin(), wanted.end(), tags);
  }
};

Children children_of(const Element& element) {
  Children out;
  DerCursor cursor(element);
  while (!cursor.at_end()) {
    auto child = cursor.next();
    if (!child) {
      out.sound = false;
      break;
    }
    if (out.count < std::size(out.tags)) out.tags[out.count] = child->tag;
    ++out.count;
  }
  return out;
}

std::optional<Element> child_at(const Element& element, std::size_t index) {
  DerCursor cursor(element);
  std::optional<Element> out;
  for (std::size_t i = 0; i <= index; ++i) {
    out = cursor.next();
    if (!out) return std::nullopt;
  }
  return out;
}

Shape shape_of_signed(const Element& element) {
  auto inner = child_at(element, 0);
  if (!inner) return Shape::unknown;
  Children parts = children_of(*inner);
  using namespace tag;
  if (parts.start({explicit_tag(0), integer, sequence, sequence, sequence, sequence, sequence}) ||
      parts.start({integer, sequence, sequence, sequence, sequence, sequence})) {
    return Shape::certificate;
  }
  if (parts.start({integer, sequence, sequence})) {
    return parts.count >= 4 && (parts.tags[3] == utc_time || parts.tags[3] == generalized_time) ? Shape::list
                                                                                                : Shape::request;
  }
  if (parts.start({sequence, sequence, utc_time}) || parts.start({sequence, sequence, generalized_time})) return Shape::list;
  return Shape::unknown;
}

Shape shape_of(const Element& element) {
  using namespace tag;
  if (element.tag == tag::oid) return Shape::curve;
  if (element.tag != sequence) return Shape::unknown;
  const Children parts = children_of(element);
  if (!parts.sound) return Shape::unknown;
  const auto first = child_at(element, 0);
  const bool first_starts_with_oid = first && first->tag == sequence && !first->body.empty() && first->body[0] == tag::oid;
  if (parts.are({sequence, bit_string})) return first_starts_with_oid ? Shape::spki : Shape::unknown;
  if (parts.are({sequence, octet_string}) && first_starts_with_oid) return Shape::encrypted_pkcs8;
  if (parts.are({sequence, sequence, bit_string})) return shape_of_signed(element);
  if (parts.start({integer, sequence, octet_string})) {
    const auto algorithm = child_at(element, 1);
    if (algorithm && !algorithm->body.empty() && algorithm->body[0] == tag::oid) return Shape::pkcs8;
  }
  if (parts.start({integer, sequence, sequence, octet_string, integer})) return Shape::curve;
  if (parts.start({integer, octet_string})) return Shape::sec1;
  if (parts.start({integer, sequence}) && first && small_integer(*first) == 3u) return Shape::pkcs12;
  if (parts.are({tag::oid, explicit_tag(0)})) return Shape::cms;
  if (parts.are({integer, integer}) && first) {
    const auto second = child_at(element, 1);
    // (n, e) or (p, g): the second is small. (r, s): both of one size, at most 66 bytes.
    if (first->body.size() > 67 && second && second->body.size() <= 33) {
      const auto exponent = unsigned_integer(*second);
      const bool dh_like = exponent && exponent->size() == 1 && ((*exponent)[0] == 2 || (*exponent)[0] == 5);
      return dh_like ? Shape::dh : Shape::pkcs1_public;
    }
    if (first->body.size() > 67) return second && second->body.size() >= first->body.size() - 1 ? Shape::dh : Shape::pkcs1_public;
    return Shape::signature;
  }
  if (parts.are({integer, integer, integer})) return first && first->body.size() > 60 ? Shape::dsa_parameters : Shape::unknown;
  if (parts.count >= 9 && std::all_of(parts.tags, parts.tags + 9, [](std::uint8_t t) { return t == integer; })) {
    return Shape::pkcs1_private;
  }
  if (parts.are({integer, integer, integer, integer, integer, integer})) return Shape::dsa_private;
  return Shape::unknown;
}

std::string_view label_of(Shape shape) {
  switch (shape) {
    case Shape::spki: return "PUBLIC KEY";
    case Shape::pkcs8: return "PRIVATE KEY";
    case Shape::encrypted_pkcs8: return "ENCRYPTED PRIVATE KEY";
    case Shape::pkcs1_public: return "RSA PUBLIC KEY";
    case Shape::pkcs1_private: return "RSA PRIVATE KEY";
    case Shape::sec1: return "EC PRIVATE KEY";
    case Shape::dsa_private: return "DSA PRIVATE KEY";
    case Shape::certificate: return "CERTIFICATE";
    case Shape::request: return "CERTIFICATE REQUEST";
    case Shape::list: return "X509 CRL";
    case Shape::cms: return "PKCS7";
    case Shape::pkcs12: return "PKCS12";
    case Shape::curve: return "EC PARAMETERS";
    case Shape::dh: return "DH PARAMETERS";
    case Shape::dsa_parameters: return "DSA PARAMETERS";
    case Shape::signature:
    case Shape::unknown: break;
  }
  return {};
}

bool label_fits(std::string_view label, Shape shape) {
  const std::string_view proper = label_of(shape);
  if (label == proper) return true;
  switch (shape) {
    case Shape::certificate: return label == "X509 CERTIFICATE" || label == "TRUSTED CERTIFICATE";
    case Shape::request: return label == "NEW CERTIFICATE REQUEST";
    case Shape::curve: return label == "SM2 PARAMETERS";
    case Shape::cms: return label == "CMS" || label == "PKCS #7 SIGNED DATA";
    case Shape::pkcs8:
    case Shape::sec1:
    case Shape::pkcs1_private: return label == "ANY PRIVATE KEY";
    default: return false;
  }
}

// Which algorithm a label promises: 'R'SA, 'E'C, 'D'SA, or 0.
char algorithm_of_label(std::string_view label) {
  if (label.starts_with("RSA ")) return 'R';
  if (label.starts_with("EC ")) return 'E';
  if (label.starts_with("DSA ")) return 'D';
  return 0;
}

char algorithm_of_body(const Element& element, Shape shape) {
  switch (shape) {
    case Shape::pkcs1_public:
    case Shape::pkcs1_private: return 'R';
    case Shape::sec1:
    case Shape::curve: return 'E';
    case Shape::dsa_private: return 'D';
    case Shape::spki:
    case Shape::pkcs8: {
      const auto identifier = child_at(element, shape == Shape::spki ? 0 : 1);
      const auto name = identifier ? child_at(*identifier, 0) : std::nullopt;
      if (!name) return 0;
      if (oid::rsa == name->body || oid::rsa_pss == name->body) return 'R';
      if (oid::ec == name->body) return 'E';
      if (oid::dsa == name->body) return 'D';
      return 'O';
    }
    default: return 0;
  }
}

void check_label(const Element& element, Shape shape, std::string_view label, const Desk& desk) {
  if (label.empty() || shape == Shape::unknown || label_fits(label, shape)) return;
  const std::string evidence = "the label says " + std::string(label) + ", the body is " + std::string(label_of(shape));
  const char promised = algorithm_of_label(label);
  const char actual = algorithm_of_body(element, shape);
  const bool label_private = label.find("PRIVATE") != std::string_view::npos;
  const bool body_private = shape == Shape::pkcs8 || shape == Shape::pkcs1_private || shape == Shape::sec1 ||
                            shape == Shape::dsa_private || shape == Shape::encrypted_pkcs8;
  const bool body_key = body_private || shape == Shape::spki || shape == Shape::pkcs1_public;
  Cause cause = Cause::label_names_another_object;
  if (body_key && label_private == body_private && label.find("KEY") != std::string_view::npos) {
    if (shape == Shape::encrypted_pkcs8) {
      cause = Cause::label_says_plain_body_is_encrypted;
    } else if (promised != 0 && actual != 0 && promised != actual) {
      cause = Cause::label_names_another_algorithm;
    } else if (promised != 0 && (shape == Shape::spki || shape == Shape::pkcs8)) {
      cause = Cause::label_says_pkcs1_body_is_pkcs8;
    } else if (promised == 0 && (shape == Shape::pkcs1_public || shape == Shape::pkcs1_private || shape == Shape::sec1)) {
      cause = Cause::label_says_pkcs8_body_is_traditional;
    }
  }
  desk.add(cause, element.offset, evidence);
}

void add_parameters(Examination& run, const Element& element, const Content& content, std::string format) {
  Item item;
  item.kind = Kind::parameters;
  item.format = std::move(format);
  item.canonical = to_secret(element.whole);
  item.place = content.place_at(element.offset, element.whole.size());
  run.add(std::move(item));
}

// ContentInfo: certificates (and lists) of a SignedData, as PKCS#7 bundles carry them.
void examine_cms(Examination& run, const Element& element, const Content& content) {
  const Desk desk{content, run.notes};
  DerCursor cursor(element);
  auto type = cursor.next(tag::oid);
  auto wrapper = cursor.next(tag::explicit_tag(0));
  if (!type || !wrapper || !(oid::cms_signed == type->body || oid::gm_signed == type->body)) {
    desk.add(Cause::content_is_not_recognised, element.offset,
             "a CMS message of type " + (type ? to_dotted(type->body) : std::string("unknown")));
    return;
  }
  DerCursor inside(*wrapper);
  auto signed_data = inside.next(tag::sequence);
  if (!signed_data) {
    desk.add(Cause::der_is_malformed, wrapper->offset, "the PKCS#7 bundle cannot be read");
    return;
  }
  DerCursor parts(*signed_data);
  std::size_t certificates = 0;
  std::size_t lists = 0;
  while (!parts.at_end()) {
    auto part = parts.next();
    if (!part) {
      desk.add(Cause::der_is_malformed, parts.position(), "the PKCS#7 bundle cannot be read");
      return;
    }
    if (part->tag != tag::explicit_tag(0) && part->tag != tag::explicit_tag(1)) continue;
    DerCursor set(*part);
    while (auto entry = set.next_if(tag::sequence)) {
      if (part->tag == tag::explicit_tag(0)) {
        ++certificates;
        examine_certificate(run, *entry, content, "pkcs7");
      } else {
        ++lists;
        examine_revocation_list(run, *entry, content);
      }
      if (certificates + lists >= run.expected.policy.blocks_max) break;
    }
  }
  if (certificates + lists == 0) {
    desk.add(Cause::content_is_not_recognised, element.offset, "a PKCS#7 message without certificates");
    return;
  }
  desk.add(Cause::bundle_given_where_certificate_expected, element.offset, std::to_string(certificates) + " certificates");
}

void add_if(Examination& run, std::optional<Key> key, std::string_view format, const Desk& desk) {
  if (key) run.add_key(std::move(*key), std::string(format), {}, desk);
}

}  // namespace

void examine_element(Examination& run, const Element& element, const Content& content, std::string_view label,
                     std::string_view format) {
  const Desk desk{content, run.notes};
  const Shape shape = shape_of(element);
  check_label(element, shape, label, desk);
  const auto named = [&](std::string_view own) { return format.empty() ? std::string(own) : std::string(format); };
  switch (shape) {
    case Shape::spki: add_if(run, read_spki(element, desk), named("spki"), desk); break;
    case Shape::pkcs8: 
      run.seems_private = true;
      add_if(run, read_pkcs8(element, desk), named("pkcs8"), desk);
      break;
    case Shape::pkcs1_public: add_if(run, read_pkcs1_public(element, desk), named("pkcs1"), desk); break;
    case Shape::pkcs1_private:
      run.seems_private = true;
      add_if(run, read_pkcs1_private(element, desk), named("pkcs1"), desk);
      break;
    case Shape::sec1:
      run.seems_private = true;
      add_if(run, read_sec1(element, nullptr, desk), named("sec1"), desk);
      break;
    case Shape::encrypted_pkcs8:
      examine_encrypted_pkcs8(run, element, content, named("pkcs8"));
      break;
    case Shape::dsa_private:
      run.seems_private = true;
      desk.add(Cause::dsa_key_is_obsolete, element.offset);
      break;
    case Shape::certificate: examine_certificate(run, element, content, named("x509")); break;
    case Shape::request: examine_request(run, element, content); break;
    case Shape::list: examine_revocation_list(run, element, content); break;
    case Shape::cms: examine_cms(run, element, content); break;
    case Shape::pkcs12: examine_pkcs12(run, element, content); break;
    case Shape::curve:
      if (read_curve(element, desk) != nullptr) add_parameters(run, element, content, "ec");
      break;
    case Shape::dh: add_parameters(run, element, content, "dh"); break;
    case Shape::dsa_parameters: add_parameters(run, element, content, "dsa"); break;
    case Shape::signature: desk.add(Cause::signature_given, element.offset, "two numbers, as in an ECDSA signature"); break;
    case Shape::unknown:
      desk.add(Cause::der_is_malformed, element.offset,
               label.empty() ? "an ASN.1 structure of no kind we know"
                             : "no " + std::string(label) + " has this structure");
      break;
  }
}

void examine_der(Examination& run, const Content& content, std::string_view label) {
  Layer layer(run);
  if (!layer.ok()) return;
  const Desk desk{content, run.notes};
  ByteView bytes = content.bytes;
  if (label.find("PRIVATE") != std::string_view::npos) run.seems_private = true;
  if (const auto size = announced_size(bytes)) {
    if (*size > bytes.size()) {
      desk.add(Cause::content_is_truncated, bytes.empty() ? 0 : bytes.size() - 1,
               std::to_string(*size - bytes.size()) + " of " + std::to_string(*size) + " bytes are missing");
      return;
    }
    bytes = bytes.first(*size);
  }
  Content rewritten;
  const Content* in_use = &content;
  std::size_t used = bytes.size();
  if (const auto fault = first_der_fault(bytes)) {
    auto converted = ber_to_der(bytes, used);
    const bool sound = converted && !first_der_fault(*converted);
    if (!sound) {
      desk.add(Cause::der_is_malformed, *fault, "the structure breaks at byte " + std::to_string(*fault));
      return;
    }
    desk.add(Cause::der_encoding_is_not_canonical, *fault, "readable as BER, not DER, from byte " + std::to_string(*fault));
    rewritten.bytes = std::move(*converted);
    in_use = &rewritten;
  }
  DerCursor cursor{ByteView(in_use->bytes).first(in_use == &rewritten ? rewritten.bytes.size() : used)};
  auto element = cursor.next();
  if (!element) {
    desk.add(Cause::der_is_malformed, 0);
    return;
  }
  if (used < content.bytes.size()) {
    const ByteView rest = ByteView(content.bytes).subspan(used);
    if (label == "TRUSTED CERTIFICATE" && announced_size(rest) == rest.size()) {
      // OpenSSL's auxiliary trust settings; reported with the label.
    } else {
      run.notes.add(Cause::trailing_data_after_content, content.place_at(used, rest.size()),
                    std::to_string(rest.size()) + " bytes after the end of the structure");
    }
  }
  if (label == "TRUSTED CERTIFICATE") desk.add(Cause::trusted_certificate_label, 0);
  examine_element(run, *element, *in_use, label, {});
}

}  // namespace intake
