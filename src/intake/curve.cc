#include "intake/curve.h"

#include <openssl/bn.h>
#include <openssl/ec.h>
#include <openssl/obj_mac.h>

#include <array>
#include <memory>

#include "base/check.h"

namespace intake {
namespace {

using base::ByteView;

constexpr Curve curves[] = {
    {"P-256", "P-256", Oid("1.2.840.10045.3.1.7"), NID_X9_62_prime256v1, 256, true},
    {"P-384", "P-384", Oid("1.3.132.0.34"), NID_secp384r1, 384, true},
    {"P-521", "P-521", Oid("1.3.132.0.35"), NID_secp521r1, 521, true},
    {"secp256k1", "secp256k1", Oid("1.3.132.0.10"), NID_secp256k1, 256, true},
    {"SM2", "SM2", Oid("1.2.156.10197.1.301"), NID_sm2, 256, true},
    {"P-224", "", Oid("1.3.132.0.33"), NID_secp224r1, 224, false},
    {"P-192", "", Oid("1.2.840.10045.3.1.1"), NID_X9_62_prime192v1, 192, false},
    {"brainpoolP256r1", "", Oid("1.3.36.3.3.2.8.1.1.7"), NID_brainpoolP256r1, 256, false},
    {"brainpoolP320r1", "", Oid("1.3.36.3.3.2.8.1.1.9"), NID_brainpoolP320r1, 320, false},
    {"brainpoolP384r1", "", Oid("1.3.36.3.3.2.8.1.1.11"), NID_brainpoolP384r1, 384, false},
    {"brainpoolP512r1", "", Oid("1.3.36.3.3.2.8.1.1.13"), NID_brainpoolP512r1, 512, false},
    {"brainpoolP256t1", "", Oid("1.3.36.3.3.2.8.1.1.8"), NID_brainpoolP256t1, 256, false},
    {"brainpoolP384t1", "", Oid("1.3.36.3.3.2.8.1.1.12"), NID_brainpoolP384t1, 384, false},
    {"brainpoolP512t1", "", Oid("1.3.36.3.3.2.8.1.1.14"), NID_brainpoolP512t1, 512, false},
    {"brainpoolP224r1", "", Oid("1.3.36.3.3.2.8.1.1.5"), NID_brainpoolP224r1, 224, false},
    {"brainpoolP192r1", "", Oid("1.3.36.3.3.2.8.1.1.3"), NID_brainpoolP192r1, 192, false},
    {"brainpoolP160r1", "", Oid("1.3.36.3.3.2.8.1.1.1"), NID_brainpoolP160r1, 160, false},
    {"secp160r1", "", Oid("1.3.132.0.8"), NID_secp160r1, 160, false},
    {"secp160k1", "", Oid("1.3.132.0.9"), NID_secp160k1, 160, false},
    {"secp160r2", "", Oid("1.3.132.0.30"), NID_secp160r2, 160, false},
    {"secp192k1", "", Oid("1.3.132.0.31"), NID_secp192k1, 192, false},
    {"secp224k1", "", Oid("1.3.132.0.32"), NID_secp224k1, 224, false},
    {"secp112r1", "", Oid("1.3.132.0.6"), NID_secp112r1, 112, false},
    {"secp128r1", "", Oid("1.3.132.0.28"), NID_secp128r1, 128, false},
    {"prime239v1", "", Oid("1.2.840.10045.3.1.4"), NID_X9_62_prime239v1, 239, false},
    {"sect163k1", "", Oid("1.3.132.0.1"), 0, 163, false},
    {"sect163r2", "", Oid("1.3.132.0.15"), 0, 163, false},
    {"sect233k1", "", Oid("1.3.132.0.26"), 0, 233, false},
    {"sect233r1", "", Oid("1.3.132.0.27"), 0, 233, false},
    {"sect283k1", "", Oid("1.3.132.0.16"), 0, 283, false},
    {"sect283r1", "", Oid("1.3.132.0.17"), 0, 283, false},
    {"sect409k1", "", Oid("1.3.132.0.36"), 0, 409, false},
    {"sect409r1", "", Oid("1.3.132.0.37"), 0, 409, false},
    {"sect571k1", "", Oid("1.3.132.0.38"), 0, 571, false},
    {"sect571r1", "", Oid("1.3.132.0.39"), 0, 571, false},
    {"GOST R 34.10-2012", "", Oid("1.2.643.7.1.2.1.1.1"), 0, 256, false},
};

struct Alias {
  std::string_view name, curve;
};
constexpr Alias aliases[] = {
    {"prime256v1", "P-256"}, {"secp256r1", "P-256"}, {"nistp256", "P-256"}, {"secp384r1", "P-384"},
    {"nistp384", "P-384"},   {"secp521r1", "P-521"}, {"nistp521", "P-521"}, {"P-256K", "secp256k1"},
    {"K-256", "secp256k1"},  {"sm2p256v1", "SM2"},   {"sm2", "SM2"},
};

struct GroupDeleter {
  void operator()(EC_GROUP* group) const { EC_GROUP_free(group); }
};
struct Loaded {
  std::unique_ptr<EC_GROUP, GroupDeleter> group;
  CurveNumbers numbers;
};

Loaded load_one(const Curve& curve) {
  Loaded into;
  if (curve.nid == 0) return into;
  into.group.reset(EC_GROUP_new_by_curve_name(curve.nid));
  CHECK(into.group != nullptr);
  const EC_GROUP* group = into.group.get();
  CurveNumbers& v = into.numbers;
  CHECK(EC_GROUP_get_curve(group, v.p.raw(), v.a.raw(), v.b.raw(), nullptr) == 1);
  CHECK(EC_GROUP_get_order(group, v.n.raw(), nullptr) == 1);
  CHECK(EC_POINT_get_affine_coordinates(group, EC_GROUP_get0_generator(group), v.gx.raw(), v.gy.raw(), nullptr) == 1);
  return into;
}

// OpenSSL's groups cost a hundred microseconds each to make and nothing to share for reading.
const Loaded& load(const Curve& curve) {
  static const std::array<Loaded, std::size(curves)> loaded = [] {
    std::array<Loaded, std::size(curves)> out;
    for (std::size_t i = 0; i < std::size(curves); ++i) out[i] = load_one(curves[i]);
    return out;
  }();
  const auto index = static_cast<std::size_t>(&curve - curves);
  CHECK(index < std::size(curves) && curve.nid != 0);
  return loaded[index];
}

// x³ + ax + b mod p.
Number right_side(const CurveNumbers& v, const Number& x) {
  const Number square = mod_mul(x, x, v.p);
  return (mod_mul(square + v.a, x, v.p) + v.b) % v.p;
}

}  // namespace

std::span<const Curve> all_curves() { return curves; }

const Curve* curve_of_oid(ByteView oid) {
  for (const Curve& curve : curves) {
    if (curve.oid == oid) return &curve;
  }
  return nullptr;
}

const Curve* curve_of_name(std::string_view name) {
  for (const Alias& alias : aliases) {
    if (alias.name == name) name = alias.curve;
  }
  for (const Curve& curve : curves) {
    if (curve.name == name) return &curve;
  }
  return nullptr;
}

const CurveNumbers& numbers_of(const Curve& curve) { return load(curve).numbers; }

Secret uncompressed(const Point& point) {
  Secret out;
  out.reserve(1 + point.x.size() + point.y.size());
  out.push_back(0x04);
  out.insert(out.end(), point.x.begin(), point.x.end());
  out.insert(out.end(), point.y.begin(), point.y.end());
  return out;
}

bool is_on_curve(const Curve& curve, ByteView x, ByteView y) {
  const CurveNumbers& v = numbers_of(curve);
  const Number nx(x);
  const Number ny(y);
  if (!(nx < v.p) || !(ny < v.p)) return false;
  return mod_mul(ny, ny, v.p) == right_side(v, nx);
}

std::optional<Secret> decompress(const Curve& curve, ByteView x, bool odd) {
  const CurveNumbers& v = numbers_of(curve);
  const Number nx(x);
  if (!(nx < v.p)) return std::nullopt;
  auto root = mod_sqrt(right_side(v, nx), v.p);
  if (!root) return std::nullopt;
  if (root->is_zero()) return odd ? std::nullopt : std::optional(root->bytes(curve.field_bytes()));
  if (root->is_odd() != odd) *root = v.p - *root;
  return root->bytes(curve.field_bytes());
}

Point public_point(const Curve& curve, ByteView scalar) {
  const Loaded& loaded = load(curve);
  const EC_GROUP* group = loaded.group.get();
  const Number k(scalar);
  Number x;
  Number y;
  EC_POINT* point = EC_POINT_new(group);
  CHECK(point != nullptr);
  CHECK(EC_POINT_mul(group, point, k.raw(), nullptr, nullptr, nullptr) == 1);
  CHECK(EC_POINT_get_affine_coordinates(group, point, x.raw(), y.raw(), nullptr) == 1);
  EC_POINT_clear_free(point);
  return {x.bytes(curve.field_bytes()), y.bytes(curve.field_bytes())};
}

std::optional<Secret> add_multiple(const Curve& curve, ByteView point, const Number& scalar) {
  const EC_GROUP* group = load(curve).group.get();
  EC_POINT* sum = EC_POINT_new(group);
  EC_POINT* start = EC_POINT_new(group);
  CHECK(sum != nullptr && start != nullptr);
  const Number one(1);
  Secret out(curve.field_bytes() + 1);
  const bool good = EC_POINT_oct2point(group, start, point.data(), point.size(), nullptr) == 1 &&
                    EC_POINT_mul(group, sum, scalar.raw(), start, one.raw(), nullptr) == 1 && EC_POINT_is_at_infinity(group, sum) == 0 &&
                    EC_POINT_point2oct(group, sum, POINT_CONVERSION_COMPRESSED, out.data(), out.size(), nullptr) == out.size();
  EC_POINT_clear_free(start);
  EC_POINT_clear_free(sum);
  if (!good) return std::nullopt;
  return out;
}

bool scalar_in_range(const Curve& curve, ByteView scalar) {
  const Number k(scalar);
  return !k.is_zero() && k < numbers_of(curve).n;
}

}  // namespace intake
