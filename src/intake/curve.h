#pragma once
// Elliptic curves in Weierstrass form: names, numbers, points. The numbers come from OpenSSL's table, the names from the
// standards (SEC 2, RFC 5639, GB/T 32918.5, RFC 7518, RFC 8812).

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "base/bytes.h"
#include "intake/number.h"
#include "intake/oid.h"

namespace intake {

struct Curve {
  std::string_view name;  ///< `P-256`, `secp256k1`, `SM2`
  std::string_view jose;  ///< `crv` of a JWK; empty when it has none
  Oid oid;
  int nid;                ///< OpenSSL's number; 0 for curves that are only named
  unsigned bits;
  bool supported;         ///< keys on it are taken
  std::size_t field_bytes() const { return (bits + 7) / 8; }
};

struct CurveNumbers {
  Number p, a, b, n, gx, gy;
};

std::span<const Curve> all_curves();
const Curve* curve_of_oid(base::ByteView oid);
/// By our name, the JOSE name, or an alias (`prime256v1`, `secp256r1`, `nistp256`, `sm2p256v1`).
const Curve* curve_of_name(std::string_view name);
/// Only for curves with a nid.
const CurveNumbers& numbers_of(const Curve& curve);

/// Affine coordinates, each left-padded to the field size.
struct Point {
  Secret x, y;
};
/// 04 || x || y (SEC 1, 2.3.3).
Secret uncompressed(const Point& point);
/// y² = x³ + ax + b over the field, both coordinates below p.
bool is_on_curve(const Curve& curve, base::ByteView x, base::ByteView y);
/// The y of that parity, if x is the abscissa of a point.
std::optional<Secret> decompress(const Curve& curve, base::ByteView x, bool odd);
/// scalar * G; the scalar must be in 1 .. n-1.
Point public_point(const Curve& curve, base::ByteView scalar);
/// point + scalar * G of a compressed point, compressed. Nothing for the point at infinity, or if `point` is none.
std::optional<Secret> add_multiple(const Curve& curve, base::ByteView point, const Number& scalar);
/// 1 <= scalar < n.
bool scalar_in_range(const Curve& curve, base::ByteView scalar);

}  // namespace intake
