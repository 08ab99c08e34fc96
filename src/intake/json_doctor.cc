// JSON in place of a key file: which of the many JSON things is it?
#include <algorithm>
#include <array>

#include "intake/json.h"
#include "intake/jwk.h"
#include "intake/layers.h"

namespace intake {
namespace {

bool is_error_member(std::string_view name) {
  static constexpr std::string_view names[] = {"error", "errors", "message", "msg", "code", "status", "statusCode", "status_code", "detail", "title",
                                               "Message", "Error", "errcode", "errmsg", "sub_code", "error_description", "fault", "reason", "success"};
  return std::find(std::begin(names), std::end(names), name) != std::end(names);
}

// Strings that hold key material, at most four levels down.
void collect_wrapped(const JsonValue& value, std::string_view name, int depth, std::vector<const JsonValue*>& out) {
  if (value.is_string()) {
    const std::string_view text = value.text;
    static constexpr std::string_view names[] = {"privateKey", "private_key", "secretKey", "secret_key", "mnemonic", "wif", "publicKey", "public_key",
                                                 "pem", "certificate", "cert", "xpub", "xprv", "seed_phrase"};
    const bool named = std::find(std::begin(names), std::end(names), name) != std::end(names);
    const bool der_text = text.starts_with("MI") && text.size() > 100 && text.find(' ') == std::string_view::npos;
    if (text.find("-----BEGIN") != std::string_view::npos || der_text || (named && text.size() >= 40)) out.push_back(&value);
    return;
  }
  if (depth == 0) return;
  for (std::size_t i = 0; i < value.items.size(); ++i) {
    collect_wrapped(value.items[i], value.is_object() ? std::string_view(value.names[i]) : std::string_view(), depth - 1, out);
  }
}

const JsonValue* find_jwk(const JsonValue& value, int depth) {
  if (value.is_object() && value.find("kty") != nullptr) return &value;
  if (depth == 0) return nullptr;
  for (const JsonValue& item : value.items) {
    if (const JsonValue* found = find_jwk(item, depth - 1)) return found;
  }
  return nullptr;
}

// [12, 255, ...]: the key files of Solana (64 numbers: seed and public part; 32: seed).
bool examine_byte_array(Examination& run, const JsonValue& value, const Traced& text) {
  if (!value.is_array() || (value.items.size() != 64 && value.items.size() != 32)) return false;
  Secret bytes;
  for (const JsonValue& item : value.items) {
    const auto number = item.uint();
    if (!number || *number > 255) return false;
    bytes.push_back(static_cast<std::uint8_t>(*number));
  }
  run.seems_private = true;
  const Content content = content_of(text, value.begin, {});
  const Desk desk{content, run.notes};
  Key key;
  key.type = KeyType::ed25519;
  key.is_private = true;
  key.seed.assign(bytes.begin(), bytes.begin() + 32);
  key.pub = okp_public(key.type, key.seed);
  if (bytes.size() == 64 && !std::equal(key.pub.begin(), key.pub.end(), bytes.begin() + 32)) {
    run.notes.add(Cause::wallet_key_public_part_differs, text.place(value.begin, value.end));
    return true;
  }
  run.notes.add(Cause::bare_key_bits_given, text.place(value.begin, value.end), "a Solana key file");
  run.add_key(std::move(key), "solana", {}, desk);
  return true;
}

bool examine_object(Examination& run, const JsonValue& root, const Traced& text) {
  const Place whole = text.place(root.begin, root.end);
  if (root.find("kty") != nullptr) {
    run.notes.add(Cause::jwk_given, whole);
    examine_jwk(run, root, text);
    return true;
  }
  if (const JsonValue* keys = root.find("keys"); keys != nullptr && keys->is_array()) {
    examine_jwk_set(run, *keys, text);
    return true;
  }
  const bool named_crypto = root.find("crypto") != nullptr || root.find("Crypto") != nullptr;
  if (named_crypto && (root.find("version") != nullptr || root.find("address") != nullptr || root.find("id") != nullptr)) {
    examine_ethereum_keystore(run, root, text);
    return true;
  }
  if (root.find("ciphertext") != nullptr && (root.find("protected") != nullptr || root.find("recipients") != nullptr || root.find("iv") != nullptr)) {
    run.seems_private = true;
    run.notes.add(Cause::encrypted_jwk_given, whole, "JSON serialisation");
    return true;
  }
  if (root.find("payload") != nullptr && (root.find("signatures") != nullptr || root.find("signature") != nullptr)) {
    run.notes.add(Cause::content_is_a_token, whole, "a signed object (JWS)");
    return true;
  }
  return false;
}

}  // namespace

bool examine_json(Examination& run, const Traced& text) {
  std::size_t fault = 0;
  auto root = parse_json(text.view(), fault);
  if (!root) {
    const std::string_view view = text.view();
    const bool meant_as_json = view.find('"') != std::string_view::npos && view.find("BEGIN") == std::string_view::npos && view.size() > 8;
    if (!meant_as_json) return false;
    if (view.find("\"d\"") != std::string_view::npos || view.find("rivate") != std::string_view::npos || view.find("crypto") != std::string_view::npos) {
      run.seems_private = true;
    }
    run.notes.add(Cause::json_is_malformed, text.place(fault, fault + 1), "at byte " + std::to_string(fault) + " of the JSON");
    return true;
  }
  Layer layer(run);
  if (!layer.ok()) return true;
  const Place whole = text.place(0, text.size());
  if (root->is_array()) {
    if (examine_byte_array(run, *root, text)) return true;
    const bool jwks = !root->items.empty() && std::all_of(root->items.begin(), root->items.end(), [](const JsonValue& v) { return v.find("kty") != nullptr; });
    if (jwks) {
      examine_jwk_set(run, *root, text);
      return true;
    }
  }
  if (root->is_object() && examine_object(run, *root, text)) return true;
  std::vector<const JsonValue*> wrapped;
  collect_wrapped(*root, {}, 4, wrapped);
  if (!wrapped.empty()) {
    run.notes.add(Cause::content_is_wrapped_in_json, text.place(wrapped[0]->begin, wrapped[0]->end));
    for (const JsonValue* value : wrapped) {
      Traced inner;
      inner.text = value->text;
      inner.origin.assign(value->text.size(), static_cast<std::uint32_t>(text.origin_of(value->begin)));
      examine_text(run, std::move(inner));
    }
    return true;
  }
  if (const JsonValue* jwk = find_jwk(*root, 4)) {
    run.notes.add(Cause::content_is_wrapped_in_json, text.place(jwk->begin, jwk->end));
    examine_jwk(run, *jwk, text);
    return true;
  }
  const bool error = root->is_object() && (root->names.empty() || std::any_of(root->names.begin(), root->names.end(), [](const Text& name) { return is_error_member(name); }));
  run.notes.add(error ? Cause::content_is_an_error_page : Cause::content_is_not_recognised, whole, error ? "a JSON answer without keys" : "JSON of another kind");
  return true;
}

}  // namespace intake
