// Web3 Secret Storage, version 3: the JSON key files of Ethereum wallets.
#include <algorithm>
#include <cctype>

#include "base/text.h"
#include "crypto/keccak.h"
#include "intake/jwk.h"
#include "intake/layers.h"
#include "intake/opening.h"
#include "intake/password.h"
#include "intake/wallet_codes.h"

namespace intake {
namespace {

using base::ByteView;

std::optional<base::Bytes> hex_member(const JsonValue& object, std::string_view name) {
  std::string_view text = object.string(name);
  if (text.starts_with("0x") || text.starts_with("0X")) text.remove_prefix(2);
  // Some writers drop a leading zero.
  Text padded;
  if (text.size() % 2 == 1) {
    padded = "0";
    padded.append(text);
    text = padded;
  }
  if (text.empty()) return std::nullopt;
  return base::parse_hex(text);
}

std::string address_of(const Key& key) {
  Secret point = key.x;
  point.insert(point.end(), key.y.begin(), key.y.end());
  const base::Digest digest = crypto::keccak256(point);
  return base::to_hex(ByteView(digest).subspan(12));
}

}  // namespace

void examine_ethereum_keystore(Examination& run, const JsonValue& root, const Traced& text) {
  run.seems_private = true;
  const Place whole = text.place(root.begin, root.end);
  Notes& notes = run.notes;
  std::string address(root.string("address"));
  if (address.starts_with("0x") || address.starts_with("0X")) address.erase(0, 2);
  std::transform(address.begin(), address.end(), address.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  Item sealed;
  sealed.kind = Kind::wallet_keystore;
  sealed.format = "ethereum_v3";
  sealed.place = whole;
  if (address.size() == 40) sealed.name = "0x" + eip55(address);
  const auto refuse = [&](Cause cause, const Place& place, std::string evidence) {
    run.add(sealed);
    notes.add(cause, place, std::move(evidence));
  };
  const JsonValue* version = root.find("version");
  if (version == nullptr || (version->uint() != 3u && version->text != "3")) {
    return refuse(Cause::keystore_cipher_is_not_supported, version == nullptr ? whole : text.place(version->begin, version->end), "not version 3");
  }
  const JsonValue* crypto = root.find("crypto");
  if (crypto == nullptr) crypto = root.find("Crypto");
  const JsonValue* cipher_parameters = crypto->find("cipherparams");
  const JsonValue* parameters = crypto->find("kdfparams");
  const std::string_view cipher = crypto->string("cipher");
  const std::string_view kdf = crypto->string("kdf");
  const auto ciphertext = hex_member(*crypto, "ciphertext");
  const auto mac = hex_member(*crypto, "mac");
  const auto iv = cipher_parameters != nullptr ? hex_member(*cipher_parameters, "iv") : std::nullopt;
  for (const auto& [present, name] : {std::pair{crypto->is_object(), "crypto"}, {!cipher.empty(), "cipher"}, {!kdf.empty(), "kdf"}, {ciphertext.has_value(), "ciphertext"},
                                      {mac.has_value(), "mac"}, {iv.has_value(), "cipherparams.iv"}, {parameters != nullptr, "kdfparams"}}) {
    if (!present) return refuse(Cause::keystore_is_malformed, whole, name);
  }
  if (cipher != "aes-128-ctr" && cipher != "aes-128-cbc") {
    return refuse(Cause::keystore_cipher_is_not_supported, whole, "another cipher than aes-128-ctr");
  }
  const auto salt = hex_member(*parameters, "salt");
  const JsonValue* length_member = parameters->find("dklen");
  const std::uint64_t length = length_member != nullptr ? length_member->uint().value_or(0) : 0;
  if (!salt || length < 32 || length > 64 || iv->size() > 16 || mac->size() != 32) {
    return refuse(Cause::keystore_derivation_is_unsound, text.place(parameters->begin, parameters->end), "salt, dklen, iv or mac has an impossible length");
  }
  const auto number = [&](std::string_view name) {
    const JsonValue* value = parameters->find(name);
    return value != nullptr ? value->uint().value_or(0) : 0;
  };
  const Policy& policy = run.expected.policy;
  const Place at_parameters = text.place(parameters->begin, parameters->end);
  const std::uint64_t rounds = number("c"), n = number("n"), r = number("r"), p = number("p");
  if (kdf == "pbkdf2") {
    if (parameters->string("prf") != "hmac-sha256" || rounds == 0) return refuse(Cause::keystore_derivation_is_unsound, at_parameters, "prf or c");
    if (!is_affordable(policy, rounds, 0)) return refuse(Cause::key_derivation_is_too_expensive, at_parameters, std::to_string(rounds) + " rounds");
  } else if (kdf == "scrypt") {
    if (n < 2 || (n & (n - 1)) != 0 || r == 0 || p == 0) return refuse(Cause::keystore_derivation_is_unsound, at_parameters, "n, r or p");
    if (!scrypt_is_affordable(policy, n, r, p)) {
      return refuse(Cause::key_derivation_is_too_expensive, at_parameters, "scrypt needs " + std::to_string(n < (1u << 30) && r < (1u << 20) ? (128 * n * r) >> 20 : 0) + " MiB");
    }
  } else {
    return refuse(Cause::keystore_derivation_is_unsound, at_parameters, "the kdf is neither scrypt nor pbkdf2");
  }
  if (!run.expected.password) return refuse(Cause::password_is_missing, whole, "");
  run.password_used = true;
  const ByteView password = base::as_bytes(*run.expected.password);
  auto derived = kdf == "pbkdf2" ? std::optional(pbkdf2(Hash::sha256, password, *salt, rounds, length)) : scrypt(password, *salt, n, r, p, length);
  if (!derived) return refuse(Cause::keystore_derivation_is_unsound, at_parameters, "the scrypt parameters are impossible");
  Secret message = to_secret(ByteView(*derived).subspan(16, 16));
  message.insert(message.end(), ciphertext->begin(), ciphertext->end());
  if (!base::equal_constant_time(crypto::keccak256(message), *mac)) return refuse(Cause::keystore_password_is_wrong, whole, "");
  base::Bytes full_iv(16 - iv->size(), 0);
  full_iv.insert(full_iv.end(), iv->begin(), iv->end());
  auto plain = decrypt(cipher == "aes-128-cbc" ? Cipher::aes128_cbc : Cipher::aes128_ctr, ByteView(*derived).first(16), full_iv, *ciphertext);
  if (!plain || plain->empty() || plain->size() > 32) return refuse(Cause::container_is_damaged, whole, "what is inside is no private key");
  Secret scalar(32 - plain->size(), 0);
  scalar.insert(scalar.end(), plain->begin(), plain->end());
  const Curve& curve = *curve_of_name("secp256k1");
  if (!scalar_in_range(curve, scalar)) return refuse(Cause::wallet_key_is_out_of_range, whole, "");
  Key key;
  key.type = KeyType::ec;
  key.curve = &curve;
  Point point = public_point(curve, scalar);
  key.x = std::move(point.x);
  key.y = std::move(point.y);
  const std::string own = address_of(key);
  if (!address.empty() && address != own) return refuse(Cause::keystore_address_differs, whole, "the key inside gives 0x" + eip55(own));
  if (cipher == "aes-128-cbc") notes.add(Cause::cipher_is_legacy, whole, "aes-128-cbc");
  Item item;
  item.kind = Kind::wallet_private_key;
  item.format = "ethereum_v3";
  item.algorithm = "EC";
  item.curve = "secp256k1";
  item.bits = 256;
  item.canonical = std::move(scalar);
  item.name = "0x" + eip55(own);
  item.place = whole;
  run.add(std::move(item));
}

}  // namespace intake
