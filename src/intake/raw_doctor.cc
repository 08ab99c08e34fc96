// Key bits without any structure around them, told by their length and by the curves they lie on.
#include <algorithm>

#include "intake/layers.h"

namespace intake {
namespace {

using base::ByteView;

// The curve of a width on which x, y lie; the curves of one field size do not share points but by accident of 2^-256.
const Curve* curve_through(ByteView x, ByteView y) {
  for (const Curve& curve : all_curves()) {
    if (curve.supported && curve.field_bytes() == x.size() && is_on_curve(curve, x, y)) return &curve;
  }
  return nullptr;
}

void add_point(Examination& run, const Curve& curve, ByteView x, ByteView y, const Desk& desk) {
  Key key;
  key.type = KeyType::ec;
  key.curve = &curve;
  key.x = to_secret(x);
  key.y = to_secret(y);
  desk.add(Cause::bare_key_bits_given, 0, "a point of " + std::string(curve.name));
  run.add_key(std::move(key), "raw", {}, desk);
}

bool add_pair(Examination& run, ByteView x, ByteView y, ByteView scalar, const Desk& desk) {
  const Curve* curve = curve_through(x, y);
  if (curve == nullptr || !scalar_in_range(*curve, scalar)) return false;
  const Point own = public_point(*curve, scalar);
  if (!std::equal(own.x.begin(), own.x.end(), x.begin(), x.end())) return false;
  Key key;
  key.type = KeyType::ec;
  key.is_private = true;
  key.curve = curve;
  key.x = to_secret(x);
  key.y = to_secret(y);
  key.scalar = to_secret(scalar);
  desk.add(Cause::bare_key_bits_given, 0, "an X9.63 private key of " + std::string(curve->name));
  run.add_key(std::move(key), "x963", {}, desk);
  return true;
}

}  // namespace

bool examine_raw_key(Examination& run, const Content& content) {
  const Desk desk{content, run.notes};
  const ByteView bytes = content.bytes;
  const std::size_t size = bytes.size();
  if (size == 0) return false;
  if (bytes[0] == 4 && (size == 65 || size == 97 || size == 133)) {
    const std::size_t width = (size - 1) / 2;
    if (const Curve* curve = curve_through(bytes.subspan(1, width), bytes.subspan(1 + width))) {
      add_point(run, *curve, bytes.subspan(1, width), bytes.subspan(1 + width), desk);
      return true;
    }
    if (size == 65 || size == 133) {
      desk.add(Cause::ec_point_is_not_on_curve, 0, "no curve of this size holds the point");
      return true;
    }
  }
  // X9.63 private keys (as iOS exports them): 04 || x || y || k.
  if (bytes[0] == 4 && (size == 97 || size == 145 || size == 199)) {
    const std::size_t width = (size - 1) / 3;
    run.seems_private = true;
    if (add_pair(run, bytes.subspan(1, width), bytes.subspan(1 + width, width), bytes.subspan(1 + 2 * width), desk)) return true;
    desk.add(Cause::key_pair_is_inconsistent, 0, "neither a point nor a point with its private number");
    return true;
  }
  if ((bytes[0] == 2 || bytes[0] == 3) && (size == 33 || size == 49 || size == 67)) {
    const Curve* only = nullptr;
    std::size_t fits = 0;
    for (const Curve& curve : all_curves()) {
      if (!curve.supported || curve.field_bytes() != size - 1) continue;
      if (decompress(curve, bytes.subspan(1), bytes[0] == 3)) {
        only = &curve;
        ++fits;
      }
    }
    if (fits == 0) {
      desk.add(Cause::ec_point_is_not_on_curve, 0, "no curve of this size holds the point");
      return true;
    }
    if (fits == 1) {
      desk.add(Cause::ec_point_is_compressed, 0);
      const auto y = decompress(*only, bytes.subspan(1), bytes[0] == 3);
      add_point(run, *only, bytes.subspan(1), *y, desk);
      return true;
    }
    desk.add(Cause::content_is_not_recognised, 0,
             "a compressed point that fits " + std::to_string(fits) + " curves; send SPKI, which names the curve");
    return true;
  }
  if (size == 64) {
    if (const Curve* curve = curve_through(bytes.first(32), bytes.subspan(32))) {
      add_point(run, *curve, bytes.first(32), bytes.subspan(32), desk);
      return true;
    }
    if (okp_public(KeyType::ed25519, bytes.first(32)) == to_secret(bytes.subspan(32))) {
      Key key;
      key.type = KeyType::ed25519;
      key.is_private = true;
      key.seed = to_secret(bytes.first(32));
      key.pub = to_secret(bytes.subspan(32));
      desk.add(Cause::eddsa_key_has_unusual_form, 0, "seed and public part together");
      run.add_key(std::move(key), "raw", {}, desk);
      return true;
    }
  }
  if (size == 32) {
    run.seems_private = true;
    if (run.expected.kind == Kind::wallet_private_key || run.expected.kind == Kind::private_key || !run.expected.kind) {
      const Curve* curve = curve_of_name("secp256k1");
      if (!scalar_in_range(*curve, bytes)) {
        desk.add(Cause::wallet_key_is_out_of_range, 0, "zero, or not below the order of secp256k1");
        return true;
      }
      Item item;
      item.kind = Kind::wallet_private_key;
      item.format = "raw";
      item.algorithm = "EC";
      item.curve = "secp256k1";
      item.bits = 256;
      item.canonical = to_secret(bytes);
      desk.add(Cause::bare_key_bits_given, 0, "32 bytes, taken for a number of secp256k1");
      run.add(std::move(item));
      return true;
    }
    desk.add(Cause::content_is_not_recognised, 0, "32 bare bytes could be a private key; send SPKI, which names what they are");
    return true;
  }
  return false;
}

}  // namespace intake
