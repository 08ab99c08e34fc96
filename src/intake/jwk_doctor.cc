#include <algorithm>
#include <array>
#include <set>

#include "base/text.h"
#include "crypto/hash.h"
#include "intake/certificate.h"
#include "intake/jwk.h"
#include "intake/layers.h"
#include "intake/pem.h"

namespace intake {
namespace {

using base::ByteView;

// Reads the members of one JWK and reports about them.
class Members {
 public:
  Members(Examination& run, const JsonValue& jwk, const Traced& text) : run_(run), jwk_(jwk), text_(text) {}

  Place place(const JsonValue& value) const { return text_.place(value.begin, value.end); }
  bool has(std::string_view name) const { return jwk_.find(name) != nullptr; }
  bool failed() const { return failed_; }

  // base64url bytes of a member; what is off about its form is reported and repaired.
  Secret bytes(std::string_view name, bool required = true) {
    const JsonValue* value = jwk_.find(name);
    if (value == nullptr || value->type == JsonValue::Type::null) {
      if (required) {
        failed_ = true;
        run_.notes.add(Cause::jwk_member_is_missing, place(jwk_), std::string(name));
      }
      return {};
    }
    if (!value->is_string() || value->text.empty()) return malformed(name, *value);
    Traced text;
    text.text = value->text;
    Base64Scan scan = scan_base64(text, 0, text.size());
    const bool blanks = value->text.find_first_of(" \n\t") != Text::npos;
    if (scan.bad_at != std::string_view::npos || scan.lone_digit) return malformed(name, *value);
    if (scan.padding != 0 || scan.standard_only || blanks) {
      run_.notes.add(Cause::jwk_value_has_wrong_encoding, place(*value), std::string(name));
    }
    return std::move(scan.content.bytes);
  }

  // An unsigned number of RSA: no leading zeros.
  Secret number(std::string_view name, bool required = true) {
    Secret out = bytes(name, required);
    std::size_t zeros = 0;
    while (zeros < out.size() && out[zeros] == 0) ++zeros;
    if (zeros != 0) {
      run_.notes.add(Cause::jwk_value_has_wrong_encoding, place(*jwk_.find(name)), std::string(name) + " starts with zero bytes");
      out.erase(out.begin(), out.begin() + static_cast<std::ptrdiff_t>(zeros));
    }
    if (out.empty() && required && !failed_) return malformed(name, *jwk_.find(name));
    return out;
  }

  // A field element: exactly `width` bytes.
  Secret coordinate(std::string_view name, std::size_t width) {
    Secret out = bytes(name);
    if (out.empty() || out.size() == width) return out;
    if (out.size() < width) {
      run_.notes.add(Cause::jwk_coordinate_is_short, place(*jwk_.find(name)),
                     std::string(name) + " has " + std::to_string(out.size()) + " of " + std::to_string(width) + " bytes");
      out.insert(out.begin(), width - out.size(), 0);
      return out;
    }
    const std::size_t extra = out.size() - width;
    if (std::any_of(out.begin(), out.begin() + static_cast<std::ptrdiff_t>(extra), [](std::uint8_t b) { return b != 0; })) {
      return malformed(name, *jwk_.find(name));
    }
    run_.notes.add(Cause::jwk_value_has_wrong_encoding, place(*jwk_.find(name)), std::string(name) + " starts with zero bytes");
    out.erase(out.begin(), out.begin() + static_cast<std::ptrdiff_t>(extra));
    return out;
  }

 private:
  Secret malformed(std::string_view name, const JsonValue& value) {
    failed_ = true;
    run_.notes.add(Cause::jwk_member_is_malformed, place(value), std::string(name));
    return {};
  }
  Examination& run_;
  const JsonValue& jwk_;
  const Traced& text_;
  bool failed_ = false;
};

bool algorithm_fits(std::string_view alg, std::string_view kty, std::string_view crv) {
  if (alg.starts_with("RS") || alg.starts_with("PS") || alg.starts_with("RSA")) return kty == "RSA";
  if (alg == "ES256") return kty == "EC" && crv == "P-256";
  if (alg == "ES384") return kty == "EC" && crv == "P-384";
  if (alg == "ES512") return kty == "EC" && crv == "P-521";
  if (alg == "ES256K") return kty == "EC" && crv == "secp256k1";
  if (alg.starts_with("ES")) return false;
  if (alg == "SM2" || alg == "SM2SM3") return kty == "EC" && crv == "SM2";
  if (alg == "EdDSA" || alg == "Ed25519" || alg == "Ed448") return kty == "OKP" && crv.starts_with("Ed") && (alg == "EdDSA" || alg == crv);
  if (alg.starts_with("ECDH-ES")) return kty == "EC" || (kty == "OKP" && crv.starts_with("X"));
  if (alg.starts_with("HS") || alg.starts_with("A") || alg == "dir" || alg.starts_with("PBES2")) return kty == "oct";
  return alg != "none";
}

void check_use(Examination& run, const JsonValue& jwk, const Traced& text) {
  const std::string_view kty = jwk.string("kty");
  const std::string_view crv = jwk.string("crv");
  if (const JsonValue* alg = jwk.find("alg")) {
    if (!alg->is_string() || !algorithm_fits(alg->text, kty, crv)) {
      run.notes.add(Cause::jwk_algorithm_does_not_fit, text.place(alg->begin, alg->end));
    }
  }
  const std::string_view use = jwk.string("use");
  const JsonValue* operations = jwk.find("key_ops");
  const auto refuse = [&](const JsonValue& value, std::string why) {
    run.notes.add(Cause::jwk_use_does_not_fit, text.place(value.begin, value.end), std::move(why));
  };
  if (operations != nullptr) {
    if (!operations->is_array()) return refuse(*operations, "key_ops is no array");
    std::set<std::string> seen;
    bool signs = false;
    bool encrypts = false;
    for (const JsonValue& operation : operations->items) {
      if (!operation.is_string()) return refuse(operation, "key_ops holds something else than names");
      if (!seen.emplace(operation.text).second) return refuse(operation, "key_ops names an operation twice");
      signs |= operation.text == "sign" || operation.text == "verify";
      encrypts |= operation.text == "encrypt" || operation.text == "decrypt" || operation.text == "wrapKey" ||
                  operation.text == "unwrapKey" || operation.text == "deriveKey" || operation.text == "deriveBits";
    }
    if (signs && encrypts) return refuse(*operations, "key_ops mixes signing and encrypting");
    if ((use == "sig" && encrypts) || (use == "enc" && signs)) return refuse(*operations, "use and key_ops contradict each other");
  }
  if (crv.starts_with("Ed") && use == "enc") refuse(*jwk.find("use"), "an Edwards key cannot encrypt");
  if (crv.starts_with("X") && use == "sig") refuse(*jwk.find("use"), "a Montgomery key cannot sign");
}

// x5c, x5t, x5t#S256 against the key.
void check_certificates(Examination& run, const JsonValue& jwk, const Traced& text, const Secret& spki) {
  const JsonValue* chain = jwk.find("x5c");
  if (chain == nullptr || !chain->is_array() || chain->items.empty()) return;
  const JsonValue& leaf = chain->items[0];
  Traced leaf_text;
  leaf_text.text = leaf.text;
  const Base64Scan scan = scan_base64(leaf_text, 0, leaf_text.size());
  DerCursor cursor{ByteView(scan.content.bytes)};
  auto element = cursor.next(tag::sequence);
  std::size_t fault = 0;
  auto certificate = element ? read_certificate(*element, fault) : std::nullopt;
  if (!certificate) {
    run.notes.add(Cause::jwk_member_is_malformed, text.place(leaf.begin, leaf.end), "x5c");
    return;
  }
  if (to_secret(certificate->spki.whole) != spki) {
    run.notes.add(Cause::jwk_certificate_differs, text.place(leaf.begin, leaf.end));
  }
  if (const JsonValue* print = jwk.find("x5t#S256"); print != nullptr && print->is_string()) {
    if (base::to_base64url(crypto::sha256(certificate->whole)) != std::string_view(print->text)) {
      run.notes.add(Cause::jwk_thumbprint_differs, text.place(print->begin, print->end));
    }
  }
}

std::optional<KeyType> okp_of(std::string_view crv) {
  if (crv == "Ed25519") return KeyType::ed25519;
  if (crv == "Ed448") return KeyType::ed448;
  if (crv == "X25519") return KeyType::x25519;
  if (crv == "X448") return KeyType::x448;
  return std::nullopt;
}

}  // namespace

bool recover_primes(Key& key) {
  const Number n(key.n), e(key.e), d(key.d);
  if (!n.is_odd() || n.bits() < 256 || n.bits() > 16384 || d.is_zero()) return false;
  // e*d - 1 = 2^t * r; a base whose sequence of squares meets a root of 1 other than ±1 splits n (NIST SP 800-56B, C.2).
  const Number k = e * d - Number(1);
  if (k.is_zero() || k.is_odd()) return false;
  unsigned twos = 0;
  while (!k.bit(twos)) ++twos;
  Number r = k;
  for (unsigned i = 0; i < twos; ++i) r = r / Number(2);
  const Number top = n - Number(1);
  for (const unsigned base : {2u, 3u, 5u, 7u, 11u, 13u, 17u, 19u, 23u, 29u, 31u, 37u, 41u, 43u, 47u, 53u, 59u, 61u, 67u, 71u}) {
    Number y = mod_pow(Number(base), r, n);
    if (y.is_one() || y == top) continue;
    for (unsigned i = 0; i < twos; ++i) {
      Number square = mod_mul(y, y, n);
      if (square.is_one()) {
        Number p = gcd(y - Number(1), n);
        Number q = n / p;
        if (p < q) std::swap(p, q);
        if (p.is_one() || q.is_one() || !(p * q == n)) return false;
        const auto inverse = mod_inverse(q, p);
        if (!inverse) return false;
        const auto shortest = [](const Number& number) { return number.bytes((number.bits() + 7) / 8); };
        key.p = shortest(p);
        key.q = shortest(q);
        key.dp = shortest(d % (p - Number(1)));
        key.dq = shortest(d % (q - Number(1)));
        key.qi = shortest(*inverse);
        return true;
      }
      if (square == top) break;
      y = std::move(square);
    }
  }
  return false;
}

void examine_jwk(Examination& run, const JsonValue& jwk, const Traced& text) {
  const Content content = content_of(text, jwk.begin, {});
  const Desk desk{content, run.notes};
  const std::string kid(jwk.string("kid").substr(0, 128));
  const std::string_view kty = jwk.string("kty");
  const std::string_view crv = jwk.string("crv");
  Members members(run, jwk, text);
  const bool is_private = members.has("d");
  if (is_private) run.seems_private = true;
  check_use(run, jwk, text);
  Key key;
  key.is_private = is_private;
  if (kty == "RSA") {
    key.type = KeyType::rsa;
    key.n = members.number("n");
    key.e = members.number("e");
    if (is_private) {
      key.d = members.number("d");
      const bool with_primes = members.has("p");
      for (auto [name, part] : {std::pair{"p", &key.p}, {"q", &key.q}, {"dp", &key.dp}, {"dq", &key.dq}, {"qi", &key.qi}}) {
        *part = members.number(name, with_primes);
      }
      if (!members.failed() && !with_primes && !recover_primes(key)) {
        desk.add(Cause::key_pair_is_inconsistent, 0, "the exponents do not belong to the modulus");
        return;
      }
    }
  } else if (kty == "EC") {
    if (crv.empty()) {
      run.notes.add(Cause::jwk_member_is_missing, members.place(jwk), "crv");
      return;
    }
    const Curve* curve = curve_of_name(crv);
    if (curve == nullptr || !curve->supported) {
      run.notes.add(Cause::ec_curve_is_not_supported, members.place(*jwk.find("crv")));
      return;
    }
    key.type = KeyType::ec;
    key.curve = curve;
    const std::size_t width = curve->field_bytes();
    key.x = members.coordinate("x", width);
    key.y = members.coordinate("y", width);
    if (is_private) key.scalar = members.coordinate("d", width);
    if (members.failed()) return;
    if (!is_on_curve(*curve, key.x, key.y)) {
      run.notes.add(Cause::ec_point_is_not_on_curve, members.place(*jwk.find("x")), "curve " + std::string(curve->name));
      return;
    }
    if (is_private && !scalar_in_range(*curve, key.scalar)) {
      run.notes.add(Cause::ec_scalar_is_out_of_range, members.place(*jwk.find("d")));
      return;
    }
  } else if (kty == "OKP") {
    const auto type = okp_of(crv);
    if (!type) {
      if (crv.empty()) {
        run.notes.add(Cause::jwk_member_is_missing, members.place(jwk), "crv");
      } else {
        run.notes.add(Cause::ec_curve_is_not_supported, members.place(*jwk.find("crv")));
      }
      return;
    }
    key.type = *type;
    key.pub = members.bytes("x");
    if (is_private) key.seed = members.bytes("d");
    if (members.failed()) return;
    if (key.pub.size() != okp_bytes(*type) || (is_private && key.seed.size() != okp_bytes(*type))) {
      run.notes.add(Cause::jwk_member_is_malformed, members.place(*jwk.find("x")), "x or d has the wrong length");
      return;
    }
    if (is_private && okp_public(*type, key.seed) != key.pub) {
      run.notes.add(Cause::eddsa_public_part_differs, members.place(*jwk.find("x")));
      return;
    }
  } else if (kty == "oct") {
    run.seems_private = true;
    Item item;
    item.kind = Kind::symmetric_secret;
    item.format = "jwk";
    item.canonical = members.bytes("k");
    item.bits = static_cast<unsigned>(item.canonical.size() * 8);
    item.name = kid;
    item.place = members.place(jwk);
    if (!members.failed()) run.add(std::move(item));
    return;
  } else {
    run.notes.add(Cause::jwk_type_is_unknown, members.place(jwk), kty.empty() ? "kty is missing" : "");
    return;
  }
  if (members.failed()) return;
  const std::size_t before = run.items.size();
  run.add_key(std::move(key), "jwk", kid, desk);
  if (run.items.size() > before) {
    run.items.back().place = members.place(jwk);
    check_certificates(run, jwk, text, run.items.back().spki);
  }
}

void examine_jwk_set(Examination& run, const JsonValue& keys, const Traced& text) {
  const Place place = text.place(keys.begin, keys.end);
  run.notes.add(Cause::jwk_set_given, place, std::to_string(keys.items.size()) + " keys");
  if (keys.items.empty()) {
    run.notes.add(Cause::key_set_is_empty, place);
    return;
  }
  if (keys.items.size() > 100) {
    run.notes.add(Cause::key_set_is_too_large, place, std::to_string(keys.items.size()) + " keys; at most 100");
    return;
  }
  std::set<std::string> kids;
  std::size_t unnamed = 0;
  std::size_t secrets = 0;
  std::size_t pairs = 0;
  for (const JsonValue& jwk : keys.items) {
    if (!jwk.is_object()) {
      run.notes.add(Cause::jwk_member_is_malformed, text.place(jwk.begin, jwk.end), "an entry of keys is no object");
      continue;
    }
    const std::string_view kid = jwk.string("kid");
    if (kid.empty()) {
      ++unnamed;
    } else if (!kids.emplace(kid).second) {
      run.notes.add(Cause::jwk_id_is_repeated, text.place(jwk.begin, jwk.end));
    }
    ++(jwk.string("kty") == "oct" ? secrets : pairs);
    // The place to publish keys is no place for private ones, unless private keys were asked for.
    if (jwk.find("d") != nullptr && run.expected.kind != Kind::private_key) {
      run.notes.add(Cause::jwk_exposes_private_key, text.place(jwk.begin, jwk.end));
    }
    examine_jwk(run, jwk, text);
  }
  if (unnamed > 1) run.notes.add(Cause::key_id_is_absent, place, std::to_string(unnamed) + " keys without kid");
  if (secrets != 0 && pairs != 0) run.notes.add(Cause::jwk_set_mixes_secret_and_public, place);
}

}  // namespace intake
