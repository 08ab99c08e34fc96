#include "node/own_key_set.h"

#include <algorithm>

#include "base/text.h"
#include "effects/signing/message_keys.h"
#include "wire/json_writer.h"

namespace node {

namespace {

using effects::VerificationKey;

void add(std::vector<VerificationKey>& keys, std::string_view id, base::Bytes material) {
  const auto same = [&](const VerificationKey& key) { return key.key_id == id && key.material == material; };
  if (std::ranges::none_of(keys, same)) keys.push_back({.key_id = std::string(id), .material = std::move(material)});
}

// RFC 8037 section 2.
std::string to_json(const std::vector<VerificationKey>& keys) {
  std::string out;
  wire::JsonWriter json(out);
  json.begin_object();
  json.key("keys");
  json.begin_array();
  for (const VerificationKey& key : keys) {
    json.begin_object();
    json.member("kty", "OKP");
    json.member("crv", "Ed25519");
    json.member("use", "sig");
    json.member("alg", "EdDSA");
    json.member("kid", std::string_view(key.key_id));
    json.member("x", std::string_view(base::to_base64url(key.material)));
    json.end_object();
  }
  json.end_array();
  json.end_object();
  return out;
}

}  // namespace

base::Result<std::string> own_key_set(io::FileSystem& files, const std::vector<RailSettings>& rails, const custody::Signer& own) {
  std::vector<VerificationKey> keys;
  for (const RailSettings& rail : rails) {
    if (rail.evm) continue;   // its requests are signed by nobody
    if (rail.signing_key_file.empty()) {
      add(keys, rail.signing_key_id, own.public_key());
    } else {
      TRY_ASSIGN(io::SecretMemory seed, load_rail_signing_key(files, rail.signing_key_file));
      add(keys, rail.signing_key_id, effects::OwnEd25519Signer(std::move(seed)).public_key());
    }
    for (const VerificationKey& key : rail.published_keys) add(keys, key.key_id, key.material);
  }
  return to_json(keys);
}

}  // namespace node
