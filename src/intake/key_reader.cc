#include <algorithm>

#include "intake/key.h"

namespace intake {
namespace {

using base::ByteView;

// Left-padded to `width`; nothing when the value is wider.
std::optional<Secret> padded(ByteView number, std::size_t width) {
  while (number.size() > width && number[0] == 0) number = number.subspan(1);
  if (number.size() > width) return std::nullopt;
  Secret out(width - number.size(), 0);
  out.insert(out.end(), number.begin(), number.end());
  return out;
}

KeyType okp_type(ByteView algorithm) {
  if (oid::ed25519 == algorithm) return KeyType::ed25519;
  if (oid::ed448 == algorithm) return KeyType::ed448;
  if (oid::x25519 == algorithm) return KeyType::x25519;
  if (oid::x448 == algorithm) return KeyType::x448;
  return KeyType::other;
}

struct Algorithm {
  KeyType type = KeyType::other;
  const Curve* curve = nullptr;
  Secret pss_parameters;
};

// AlgorithmIdentifier of a key. Nothing (with a finding) when the key cannot be used.
std::optional<Algorithm> read_algorithm(const Element& identifier, const Desk& desk) {
  DerCursor cursor(identifier);
  auto name = cursor.next(tag::oid);
  if (!name) {
    desk.add(Cause::der_is_malformed, identifier.offset, "the algorithm identifier has no object identifier");
    return std::nullopt;
  }
  std::optional<Element> parameters;
  if (!cursor.at_end()) parameters = cursor.next();
  if (!cursor.done()) {
    desk.add(Cause::der_is_malformed, identifier.offset, "the algorithm identifier has extra elements");
    return std::nullopt;
  }
  Algorithm out;
  if (oid::rsa == name->body || oid::rsa_oaep == name->body) {
    out.type = KeyType::rsa;
    if (!parameters) desk.add(Cause::algorithm_parameters_are_missing, identifier.offset);
    return out;
  }
  if (oid::rsa_pss == name->body) {
    out.type = KeyType::rsa_pss;
    if (parameters) out.pss_parameters = to_secret(parameters->whole);
    desk.add(Cause::rsa_key_is_restricted_to_pss, identifier.offset);
    return out;
  }
  if (oid::ec == name->body || oid::ecdh == name->body || oid::sm2 == name->body) {
    out.type = KeyType::ec;
    if (oid::sm2 == name->body) {
      out.curve = curve_of_oid(oid::sm2.view());
      return out;
    }
    if (!parameters) {
      desk.add(Cause::der_is_malformed, identifier.offset, "the curve is not named");
      return std::nullopt;
    }
    out.curve = read_curve(*parameters, desk);
    if (out.curve == nullptr) return std::nullopt;
    return out;
  }
  out.type = okp_type(name->body);
  if (out.type != KeyType::other) {
    if (parameters) {
      desk.notes.add(Cause::der_encoding_is_not_canonical, desk.content.place_at(parameters->offset),
                     "EdDSA algorithm identifiers carry no parameters");
    }
    return out;
  }
  if (oid::dsa == name->body) {
    desk.add(Cause::dsa_key_is_obsolete, identifier.offset);
    return std::nullopt;
  }
  desk.add(Cause::algorithm_is_not_supported, identifier.offset, "algorithm " + to_dotted(name->body));
  return std::nullopt;
}

// The private octets of an EdDSA or XDH key in every form seen in the wild; the public part, if any, goes to `beside`.
bool read_okp_private(ByteView octets, std::size_t offset, const Desk& desk, Key& key, Secret& beside) {
  const std::size_t size = okp_bytes(key.type);
  DerCursor cursor(octets, offset);
  if (auto inner = cursor.next_if(tag::octet_string); inner && cursor.at_end()) {
    if (inner->body.size() == size) {
      key.seed = to_secret(inner->body);
      return true;
    }
    octets = inner->body;
    offset = inner->body_offset();
  }
  if (octets.size() == size || octets.size() == 2 * size) {
    desk.add(Cause::eddsa_key_has_unusual_form, offset,
             octets.size() == size ? "the seed stands without its inner octet string" : "seed and public part together");
    key.seed = to_secret(octets.first(size));
    if (octets.size() == 2 * size) beside = to_secret(octets.subspan(size));
    return true;
  }
  desk.add(Cause::der_is_malformed, offset,
           "the private part has " + std::to_string(octets.size()) + " bytes, not " + std::to_string(size));
  return false;
}

}  // namespace

const Curve* read_curve(const Element& parameters, const Desk& desk) {
  if (parameters.tag == tag::oid) {
    const Curve* curve = curve_of_oid(parameters.body);
    if (curve == nullptr) {
      desk.add(Cause::ec_curve_is_not_supported, parameters.offset, "curve " + to_dotted(parameters.body));
      return nullptr;
    }
    if (!curve->supported) {
      desk.add(Cause::ec_curve_is_not_supported, parameters.offset, "curve " + std::string(curve->name));
      return nullptr;
    }
    return curve;
  }
  if (parameters.tag != tag::sequence) {
    desk.add(Cause::der_is_malformed, parameters.offset, "the curve is neither named nor spelt out");
    return nullptr;
  }
  // SpecifiedECDomain (SEC 1, C.2): version, fieldID {type, p}, curve {a, b, seed?}, base, order, cofactor?.
  DerCursor cursor(parameters);
  auto version = cursor.next(tag::integer);
  auto field = cursor.next(tag::sequence);
  auto curve = cursor.next(tag::sequence);
  auto generator = cursor.next(tag::octet_string);
  auto order = cursor.next(tag::integer);
  if (!version || !field || !curve || !generator || !order) {
    desk.add(Cause::der_is_malformed, parameters.offset, "the explicit curve parameters cannot be read");
    return nullptr;
  }
  DerCursor in_field(*field);
  auto field_type = in_field.next(tag::oid);
  if (!field_type || !(oid::prime_field == field_type->body)) {
    desk.add(Cause::ec_curve_is_not_supported, field->offset, "the curve is not over a prime field");
    return nullptr;
  }
  auto prime = in_field.next(tag::integer);
  DerCursor in_curve(*curve);
  auto a = in_curve.next(tag::octet_string);
  auto b = in_curve.next(tag::octet_string);
  if (!prime || !a || !b || prime->body.size() > 128 || a->body.size() > 128 || b->body.size() > 128) {
    desk.add(Cause::der_is_malformed, parameters.offset, "the explicit curve parameters cannot be read");
    return nullptr;
  }
  const Number p(prime->body);
  for (const Curve& known : all_curves()) {
    if (known.nid == 0 || known.bits != p.bits()) continue;
    const CurveNumbers& v = numbers_of(known);
    if (!(v.p == p) || !(v.a == Number(a->body)) || !(v.b == Number(b->body)) || !(v.n == Number(order->body))) continue;
    const ByteView base_point = generator->body;
    const std::size_t width = known.field_bytes();
    if (base_point.size() < 1 + width || !(v.gx == Number(base_point.subspan(1, width)))) continue;
    const bool odd = base_point[0] == 4 ? (base_point.back() & 1) != 0 : (base_point[0] & 1) != 0;
    if (odd != v.gy.is_odd()) continue;
    if (base_point[0] == 4 && (base_point.size() != 1 + 2 * width || !(v.gy == Number(base_point.subspan(1 + width))))) continue;
    if (auto cofactor = cursor.next_if(tag::integer); cofactor && small_integer(*cofactor) != 1u) continue;
    if (!known.supported) {
      desk.add(Cause::ec_curve_is_not_supported, parameters.offset, "curve " + std::string(known.name) + ", spelt out");
      return nullptr;
    }
    desk.add(Cause::ec_parameters_are_explicit, parameters.offset, "equal to " + std::string(known.name));
    return &known;
  }
  desk.add(Cause::ec_parameters_are_unknown, parameters.offset, "a field of " + std::to_string(p.bits()) + " bits");
  return nullptr;
}

bool read_point(ByteView point, const Curve& curve, std::size_t offset, const Desk& desk, Key& key) {
  const std::size_t width = curve.field_bytes();
  if (point.size() == 1 && point[0] == 0) {
    desk.add(Cause::ec_point_is_infinity, offset);
    return false;
  }
  const std::uint8_t form = point.empty() ? std::uint8_t{0xFF} : point[0];
  if ((form == 2 || form == 3) && point.size() == 1 + width) {
    auto y = decompress(curve, point.subspan(1), form == 3);
    if (!y) {
      desk.add(Cause::ec_point_is_not_on_curve, offset, "no point of " + std::string(curve.name) + " has this abscissa");
      return false;
    }
    desk.add(Cause::ec_point_is_compressed, offset);
    key.x = to_secret(point.subspan(1));
    key.y = std::move(*y);
    return true;
  }
  if ((form == 4 || form == 6 || form == 7) && point.size() == 1 + 2 * width) {
    key.x = to_secret(point.subspan(1, width));
    key.y = to_secret(point.subspan(1 + width));
    if (!is_on_curve(curve, key.x, key.y)) {
      desk.add(Cause::ec_point_is_not_on_curve, offset, "curve " + std::string(curve.name));
      return false;
    }
    if (form != 4) {
      if ((key.y.back() & 1) != (form & 1)) {
        desk.add(Cause::ec_point_is_not_on_curve, offset, "the hybrid form contradicts itself");
        return false;
      }
      desk.add(Cause::ec_point_is_hybrid, offset);
    }
    return true;
  }
  if (form == 2 || form == 3 || form == 4 || form == 6 || form == 7) {
    desk.add(Cause::ec_point_length_is_wrong, offset,
             std::to_string(point.size()) + " bytes; " + std::string(curve.name) + " needs " +
                 std::to_string(1 + (form <= 3 ? 1 : 2) * width));
  } else {
    desk.add(Cause::der_is_malformed, offset, "no form of a curve point starts this way");
  }
  return false;
}

std::optional<Key> read_pkcs1_public(const Element& element, const Desk& desk) {
  DerCursor cursor(element);
  auto n = cursor.next(tag::integer);
  auto e = cursor.next(tag::integer);
  auto modulus = n ? unsigned_integer(*n) : std::nullopt;
  auto exponent = e ? unsigned_integer(*e) : std::nullopt;
  if (!modulus || !exponent || !cursor.done()) {
    desk.add(Cause::der_is_malformed, element.offset, "the RSA public key cannot be read");
    return std::nullopt;
  }
  Key key;
  key.type = KeyType::rsa;
  key.n = to_secret(*modulus);
  key.e = to_secret(*exponent);
  return key;
}

std::optional<Key> read_pkcs1_private(const Element& element, const Desk& desk) {
  DerCursor cursor(element);
  auto version = cursor.next(tag::integer);
  Key key;
  key.type = KeyType::rsa;
  key.is_private = true;
  for (Secret* part : {&key.n, &key.e, &key.d, &key.p, &key.q, &key.dp, &key.dq, &key.qi}) {
    auto number = cursor.next(tag::integer);
    auto value = number ? unsigned_integer(*number) : std::nullopt;
    if (!value) {
      desk.add(Cause::der_is_malformed, cursor.position(), "a number of the RSA private key cannot be read");
      return std::nullopt;
    }
    *part = to_secret(*value);
  }
  auto version_number = version ? small_integer(*version) : std::nullopt;
  if (!cursor.done() || version_number != 0u) {
    desk.add(Cause::algorithm_is_not_supported, element.offset, "an RSA key with more than two primes");
    return std::nullopt;
  }
  return key;
}

std::optional<Key> read_sec1(const Element& element, const Curve* curve, const Desk& desk) {
  DerCursor cursor(element);
  auto version = cursor.next(tag::integer);
  auto scalar = cursor.next(tag::octet_string);
  auto parameters = cursor.next_if(tag::explicit_tag(0));
  auto public_part = cursor.next_if(tag::explicit_tag(1));
  if (!version || small_integer(*version) != 1u || !scalar || !cursor.done()) {
    desk.add(Cause::der_is_malformed, element.offset, "the EC private key cannot be read");
    return std::nullopt;
  }
  if (parameters) {
    DerCursor inside(*parameters);
    auto named = inside.next();
    const Curve* own = named ? read_curve(*named, desk) : nullptr;
    if (own == nullptr) return std::nullopt;
    if (curve != nullptr && own != curve) {
      desk.add(Cause::key_pair_is_inconsistent, parameters->offset, "two different curves are named");
      return std::nullopt;
    }
    curve = own;
  }
  if (curve == nullptr) {
    desk.add(Cause::der_is_malformed, element.offset, "the curve is not named");
    return std::nullopt;
  }
  Key key;
  key.type = KeyType::ec;
  key.is_private = true;
  key.curve = curve;
  auto value = padded(scalar->body, curve->field_bytes());
  if (!value || !scalar_in_range(*curve, *value)) {
    desk.add(Cause::ec_scalar_is_out_of_range, scalar->offset);
    return std::nullopt;
  }
  if (scalar->body.size() != curve->field_bytes()) {
    desk.notes.add(Cause::der_encoding_is_not_canonical, desk.content.place_at(scalar->offset),
                   "the private number is not padded to the size of the curve (RFC 5915)");
  }
  key.scalar = std::move(*value);
  if (public_part) {
    DerCursor inside(*public_part);
    auto bits = inside.next(tag::bit_string);
    auto point = bits ? whole_bits(*bits) : std::nullopt;
    if (!point || !inside.done()) {
      desk.add(Cause::der_is_malformed, public_part->offset, "the public part cannot be read");
      return std::nullopt;
    }
    if (!read_point(*point, *curve, bits->body_offset() + 1, desk, key)) return std::nullopt;
  }
  return key;
}

std::optional<Key> read_spki(const Element& spki, const Desk& desk) {
  DerCursor cursor(spki);
  auto identifier = cursor.next(tag::sequence);
  auto bits = cursor.next(tag::bit_string);
  auto content = bits ? whole_bits(*bits) : std::nullopt;
  if (!identifier || !content || !cursor.done()) {
    desk.add(Cause::der_is_malformed, spki.offset, "the public key structure cannot be read");
    return std::nullopt;
  }
  auto algorithm = read_algorithm(*identifier, desk);
  if (!algorithm) return std::nullopt;
  const std::size_t offset = bits->body_offset() + 1;
  if (algorithm->type == KeyType::rsa || algorithm->type == KeyType::rsa_pss) {
    DerCursor inside(*content, offset);
    auto sequence = inside.next(tag::sequence);
    if (!sequence || !inside.done()) {
      desk.add(Cause::der_is_malformed, offset, "the RSA public key cannot be read");
      return std::nullopt;
    }
    auto key = read_pkcs1_public(*sequence, desk);
    if (!key) return std::nullopt;
    key->type = algorithm->type;
    key->pss_parameters = std::move(algorithm->pss_parameters);
    return key;
  }
  Key key;
  key.type = algorithm->type;
  if (key.type == KeyType::ec) {
    key.curve = algorithm->curve;
    if (!read_point(*content, *key.curve, offset, desk, key)) return std::nullopt;
    return key;
  }
  if (content->size() != okp_bytes(key.type)) {
    desk.add(Cause::eddsa_point_is_invalid, offset,
             std::to_string(content->size()) + " bytes instead of " + std::to_string(okp_bytes(key.type)));
    return std::nullopt;
  }
  key.pub = to_secret(*content);
  return key;
}

std::optional<Key> read_pkcs8(const Element& info, const Desk& desk) {
  DerCursor cursor(info);
  auto version = cursor.next(tag::integer);
  auto identifier = cursor.next(tag::sequence);
  auto octets = cursor.next(tag::octet_string);
  cursor.next_if(tag::explicit_tag(0));  // attributes
  auto public_part = cursor.next_if(tag::implicit_tag(1));
  const std::uint32_t number = version ? small_integer(*version).value_or(2) : 2;
  if (!identifier || !octets || number > 1 || !cursor.done()) {
    desk.add(Cause::der_is_malformed, info.offset, "the PKCS#8 structure cannot be read");
    return std::nullopt;
  }
  auto algorithm = read_algorithm(*identifier, desk);
  if (!algorithm) return std::nullopt;
  if (number == 1) desk.add(Cause::pkcs8_is_version_2, version->offset);
  DerCursor inside(octets->body, octets->body_offset());
  std::optional<Key> key;
  if (algorithm->type == KeyType::rsa || algorithm->type == KeyType::rsa_pss) {
    auto sequence = inside.next(tag::sequence);
    if (!sequence || !inside.done()) {
      desk.add(Cause::der_is_malformed, octets->offset, "the RSA private key cannot be read");
      return std::nullopt;
    }
    key = read_pkcs1_private(*sequence, desk);
    if (!key) return std::nullopt;
    key->type = algorithm->type;
    key->pss_parameters = std::move(algorithm->pss_parameters);
    return key;
  }
  if (algorithm->type == KeyType::ec) {
    if (inside.peek() == tag::sequence) {
      auto sequence = inside.next(tag::sequence);
      key = sequence ? read_sec1(*sequence, algorithm->curve, desk) : std::nullopt;
      if (!sequence) desk.add(Cause::der_is_malformed, octets->offset, "the EC private key cannot be read");
      if (!key) return std::nullopt;
      if (public_part && key->x.empty() && public_part->body.size() > 1) {
        if (!read_point(public_part->body.subspan(1), *key->curve, public_part->body_offset() + 1, desk, *key)) {
          return std::nullopt;
        }
      }
      return key;
    }
    desk.add(Cause::der_is_malformed, octets->offset, "the EC private key cannot be read");
    return std::nullopt;
  }
  key.emplace();
  key->type = algorithm->type;
  key->is_private = true;
  Secret beside;
  if (!read_okp_private(octets->body, octets->body_offset(), desk, *key, beside)) return std::nullopt;
  if (public_part && !public_part->body.empty()) beside = to_secret(public_part->body.subspan(1));
  key->pub = okp_public(key->type, key->seed);
  key->public_computed = beside.empty();
  if (!beside.empty() && beside != key->pub) {
    desk.add(Cause::eddsa_public_part_differs, public_part ? public_part->offset : octets->offset);
    return std::nullopt;
  }
  return key;
}

}  // namespace intake
