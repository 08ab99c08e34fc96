#include <openssl/evp.h>
#include <sodium.h>

#include <algorithm>
#include <array>
#include <memory>

#include "base/check.h"
#include "intake/key.h"

namespace intake {
namespace {

using base::ByteView;

struct KeyDeleter {
  void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
};

int evp_type(KeyType type) {
  switch (type) {
    case KeyType::ed25519: return EVP_PKEY_ED25519;
    case KeyType::ed448: return EVP_PKEY_ED448;
    case KeyType::x25519: return EVP_PKEY_X25519;
    default: return EVP_PKEY_X448;
  }
}

Number little_endian(ByteView bytes) {
  Secret turned(bytes.rbegin(), bytes.rend());
  return Number(turned);
}

Number two_to(unsigned exponent) {
  Secret bytes(exponent / 8 + 1, 0);
  bytes[0] = static_cast<std::uint8_t>(1u << (exponent % 8));
  return Number(bytes);
}

// RFC 8032 section 5.2.3: x² = (y² - 1) / (d y² - 1) with d = -39081, p = 2^448 - 2^224 - 1.
bool is_ed448_point(ByteView pub) {
  if ((pub[56] & 0x7F) != 0) return false;
  static const Number p = two_to(448) - two_to(224) - Number(1);
  const Number y = little_endian(pub.first(56));
  if (!(y < p)) return false;
  const Number square = mod_mul(y, y, p);
  // The points of order 1, 2 and 4 have y = ±1 or 0.
  if (y.is_zero() || y.is_one() || square.is_one()) return false;
  const Number above = (square + p - Number(1)) % p;
  const Number below = p - (mod_mul(Number(39081), square, p) + Number(1)) % p;
  auto inverse = mod_inverse(below, p);
  return inverse && mod_sqrt(mod_mul(above, *inverse, p), p).has_value();
}

// Canonical (y below p), not one of the eight points of small order, and on the curve. The last is what libsodium checks
// before it adds; its own validity check multiplies by the group order besides, at five times the cost, which is not asked
// of a key for verifying.
bool is_ed25519_point(ByteView pub) {
  std::array<std::uint8_t, 32> y{};
  std::copy(pub.begin(), pub.end(), y.begin());
  y[31] &= 0x7F;
  // p = 2^255 - 19 in little-endian: ED FF ... FF 7F.
  const bool high = y[31] == 0x7F && std::all_of(y.begin() + 1, y.end() - 1, [](std::uint8_t b) { return b == 0xFF; });
  if (high && y[0] >= 0xED) return false;
  // y of the points of order 1, 2, 4 and 8 (0, 1, -1 and the two of order 8).
  static constexpr std::array<std::array<std::uint8_t, 32>, 2> order_8 = {{
      {0x26, 0xe8, 0x95, 0x8f, 0xc2, 0xb2, 0x27, 0xb0, 0x45, 0xc3, 0xf4, 0x89, 0xf2, 0xef, 0x98, 0xf0,
       0xd5, 0xdf, 0xac, 0x05, 0xd3, 0xc6, 0x33, 0x39, 0xb1, 0x38, 0x02, 0x88, 0x6d, 0x53, 0xfc, 0x05},
      {0xc7, 0x17, 0x6a, 0x70, 0x3d, 0x4d, 0xd8, 0x4f, 0xba, 0x3c, 0x0b, 0x76, 0x0d, 0x10, 0x67, 0x0f,
       0x2a, 0x20, 0x53, 0xfa, 0x2c, 0x39, 0xcc, 0xc6, 0x4e, 0xc7, 0xfd, 0x77, 0x92, 0xac, 0x03, 0x7a},
  }};
  if (y == order_8[0] || y == order_8[1]) return false;
  const bool tiny = y[0] <= 1 && std::all_of(y.begin() + 1, y.end(), [](std::uint8_t b) { return b == 0; });
  if (tiny || (high && y[0] == 0xEC)) return false;
  std::uint8_t sum[32];
  return crypto_core_ed25519_add(sum, pub.data(), pub.data()) == 0;
}

}  // namespace

std::size_t okp_bytes(KeyType type) {
  switch (type) {
    case KeyType::ed448: return 57;
    case KeyType::x448: return 56;
    default: return 32;
  }
}

Secret okp_public(KeyType type, ByteView seed) {
  CHECK(seed.size() == okp_bytes(type));
  std::unique_ptr<EVP_PKEY, KeyDeleter> key(
      EVP_PKEY_new_raw_private_key(evp_type(type), nullptr, seed.data(), seed.size()));
  CHECK(key != nullptr);
  Secret out(okp_bytes(type));
  std::size_t size = out.size();
  CHECK(EVP_PKEY_get_raw_public_key(key.get(), out.data(), &size) == 1 && size == out.size());
  return out;
}

bool okp_point_is_valid(KeyType type, ByteView pub) {
  if (pub.size() != okp_bytes(type)) return false;
  if (type == KeyType::ed25519) return is_ed25519_point(pub);
  if (type == KeyType::ed448) return is_ed448_point(pub);
  // RFC 7748: only points of small order turn every secret into zero. With u in {0, 1, p-1} they are recognised at once;
  // the two others of Curve25519 have no short form and are found by multiplication.
  if (type == KeyType::x448) {
    static const Number p = two_to(448) - two_to(224) - Number(1);
    const Number u = little_endian(pub) % p;
    return !u.is_zero() && !u.is_one() && !(u == p - Number(1));
  }
  const std::uint8_t eight[32] = {8};
  std::uint8_t shared[32];
  return crypto_scalarmult_curve25519(shared, eight, pub.data()) == 0;
}

}  // namespace intake
