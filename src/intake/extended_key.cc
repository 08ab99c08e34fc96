#include "intake/extended_key.h"

#include <algorithm>

#include "base/check.h"
#include "intake/curve.h"
#include "intake/opening.h"
#include "intake/wallet_codes.h"

namespace intake {
namespace {

using base::ByteView;

struct Prefix {
  std::uint32_t version;
  bool is_private, is_test;
  std::string_view script;
};
constexpr Prefix prefixes[] = {
    {0x0488B21E, false, false, "p2pkh"},       {0x0488ADE4, true, false, "p2pkh"},       {0x043587CF, false, true, "p2pkh"},       {0x04358394, true, true, "p2pkh"},
    {0x049D7CB2, false, false, "p2sh-p2wpkh"}, {0x049D7878, true, false, "p2sh-p2wpkh"}, {0x044A5262, false, true, "p2sh-p2wpkh"}, {0x044A4E28, true, true, "p2sh-p2wpkh"},
    {0x04B24746, false, false, "p2wpkh"},      {0x04B2430C, true, false, "p2wpkh"},      {0x045F1CF6, false, true, "p2wpkh"},      {0x045F18BC, true, true, "p2wpkh"},
    {0x0295B43F, false, false, "p2sh-p2wsh"},  {0x0295B005, true, false, "p2sh-p2wsh"},  {0x024289EF, false, true, "p2sh-p2wsh"},  {0x024285B5, true, true, "p2sh-p2wsh"},
    {0x02AA7ED3, false, false, "p2wsh"},       {0x02AA7A99, true, false, "p2wsh"},       {0x02575483, false, true, "p2wsh"},       {0x02575048, true, true, "p2wsh"},
};

std::uint32_t number_at(ByteView bytes, std::size_t at) {
  return static_cast<std::uint32_t>(bytes[at]) << 24 | static_cast<std::uint32_t>(bytes[at + 1]) << 16 | static_cast<std::uint32_t>(bytes[at + 2]) << 8 | bytes[at + 3];
}

void put_number(Secret& out, std::uint32_t value) {
  for (int shift = 24; shift >= 0; shift -= 8) out.push_back(static_cast<std::uint8_t>(value >> shift));
}

const Curve& curve() { return *curve_of_name("secp256k1"); }

Secret compressed(const Point& point) {
  Secret out;
  out.push_back((point.y.back() & 1) != 0 ? 3 : 2);
  out.insert(out.end(), point.x.begin(), point.x.end());
  return out;
}

}  // namespace

std::optional<ExtendedKey> read_extended_key(std::string_view text, std::string& why) {
  const auto bytes = from_base58check(text);
  if (!bytes) {
    why = "the checksum fails";
    return std::nullopt;
  }
  if (bytes->size() != 78) {
    why = std::to_string(bytes->size()) + " bytes instead of 78";
    return std::nullopt;
  }
  const std::uint32_t version = number_at(*bytes, 0);
  const auto prefix = std::find_if(std::begin(prefixes), std::end(prefixes), [&](const Prefix& p) { return p.version == version; });
  if (prefix == std::end(prefixes)) {
    why = "the version is unknown";
    return std::nullopt;
  }
  ExtendedKey out;
  out.is_private = prefix->is_private;
  out.is_test = prefix->is_test;
  out.script = prefix->script;
  out.depth = (*bytes)[4];
  out.parent = number_at(*bytes, 5);
  out.child = number_at(*bytes, 9);
  out.chain_code = to_secret(ByteView(*bytes).subspan(13, 32));
  out.key = to_secret(ByteView(*bytes).subspan(45, 33));
  if (out.depth == 0 && out.parent != 0) {
    why = "a master key with a parent";
    return std::nullopt;
  }
  if (out.depth == 0 && out.child != 0) {
    why = "a master key with a child number";
    return std::nullopt;
  }
  if (out.is_private) {
    if (out.key[0] != 0) {
      why = "a public key under a private version, or an unknown key prefix";
      return std::nullopt;
    }
    if (!scalar_in_range(curve(), ByteView(out.key).subspan(1))) {
      why = "the private number is not in 1 .. n-1";
      return std::nullopt;
    }
  } else {
    if (out.key[0] != 2 && out.key[0] != 3) {
      why = "a private key under a public version, or an unknown key prefix";
      return std::nullopt;
    }
    if (!decompress(curve(), ByteView(out.key).subspan(1), out.key[0] == 3)) {
      why = "the point is not on the curve";
      return std::nullopt;
    }
  }
  return out;
}

Text to_text(const ExtendedKey& key) {
  Secret out;
  put_number(out, key.is_test ? (key.is_private ? 0x04358394 : 0x043587CF) : (key.is_private ? 0x0488ADE4 : 0x0488B21E));
  out.push_back(key.depth);
  put_number(out, key.parent);
  put_number(out, key.child);
  out.insert(out.end(), key.chain_code.begin(), key.chain_code.end());
  out.insert(out.end(), key.key.begin(), key.key.end());
  return to_base58check(out);
}

std::optional<ExtendedKey> master_key(ByteView seed) {
  CHECK(seed.size() >= 16 && seed.size() <= 64);
  const Secret mac = hmac(Hash::sha512, base::as_bytes("Bitcoin seed"), seed);
  if (!scalar_in_range(curve(), ByteView(mac).first(32))) return std::nullopt;
  ExtendedKey out;
  out.is_private = true;
  out.key.push_back(0);
  out.key.insert(out.key.end(), mac.begin(), mac.begin() + 32);
  out.chain_code.assign(mac.begin() + 32, mac.end());
  return out;
}

ExtendedKey neutered(const ExtendedKey& key) {
  ExtendedKey out = key;
  if (!key.is_private) return out;
  out.is_private = false;
  out.key = compressed(public_point(curve(), ByteView(key.key).subspan(1)));
  return out;
}

std::optional<ExtendedKey> derive_child(const ExtendedKey& parent, std::uint32_t index) {
  const bool hardened = index >= 0x80000000u;
  if ((hardened && !parent.is_private) || parent.depth == 255) return std::nullopt;
  const ExtendedKey open = neutered(parent);
  Secret message = hardened ? parent.key : open.key;
  put_number(message, index);
  const Secret mac = hmac(Hash::sha512, parent.chain_code, message);
  const Number step(ByteView(mac).first(32));
  const Number& n = numbers_of(curve()).n;
  if (!(step < n)) return std::nullopt;
  const Secret identifier = digest(Hash::ripemd160, digest(Hash::sha256, open.key));
  ExtendedKey out = parent;
  out.depth = static_cast<std::uint8_t>(parent.depth + 1);
  out.parent = number_at(identifier, 0);
  out.child = index;
  out.chain_code.assign(mac.begin() + 32, mac.end());
  if (parent.is_private) {
    const Number child = (step + Number(ByteView(parent.key).subspan(1))) % n;
    if (child.is_zero()) return std::nullopt;
    const Secret scalar = child.bytes(32);
    out.key.assign(1, 0);
    out.key.insert(out.key.end(), scalar.begin(), scalar.end());
    return out;
  }
  auto point = add_multiple(curve(), parent.key, step);
  if (!point) return std::nullopt;
  out.key = std::move(*point);
  return out;
}

}  // namespace intake
