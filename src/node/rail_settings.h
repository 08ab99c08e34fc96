#pragma once
// How the rails are reached: one JSON file, named by rails.file in the configuration. What a rail may carry and costs is
// journaled (POST /v1/rails); where it is and which keys speak for it is this machine's business and stands here.
//
//   {"rails": [{"name": "bank-a", "tenant": 1, "url": "https://rail.example/holdfast", "ca_file": "/etc/holdfast/bank-a.pem",
//               "certificate_file": "...", "key_file": "...",
//               "signing_key_id": "holdfast", "signing_key_file": "/etc/holdfast/rail-signing.key",
//               "callback_keys": [{"id": "bank-a-1", "ed25519": "BASE64 of 32 bytes"}],
//               "connections_max": 32, "in_flight_max": 256, "inquiry_timeout_ms": 10000,
//               "statement_every_seconds": 3600, "statement_lag_seconds": 3600}]}
//
// `name`, `url` and `signing_key_id` must be there. Without `signing_key_file` the service's own key `rail-signing` signs
// (docs/format/keys.md); the file holds an Ed25519 seed, 32 bytes as base64, and nobody but the service may read it.
//
// `"published_keys": [{"id": "holdfast-2", "ed25519": "..."}]` names public halves of our keys that are to be in the key set we
// publish besides the one that signs (own_key_set.h).
//
// One of `callback_keys` may also be of Standard Webhooks: {"whsec_file": "/etc/holdfast/bank-a.whsec"}, a file of mode 0600 with the
// shared secret of v1, or {"whpk": "whpk_..."}, the public key of v1a.
//
// A rail may instead publish its keys, as a key set (RFC 7517) at an address of its own:
//
//   "keys_url": "https://rail.example/.well-known/jwks.json", "keys_ca_file": "/etc/holdfast/bank-a.pem", "keys_networks": ["10.1.0.0/16"]
//
// or they may be those of a key in the registry (docs/registry.md), so that a rotation there is one here:
//
//   "callback_partner": "bank-a", "callback_key": "callbacks"
//
// With `"driver": "evm"` the url is that of a node, and instead of the fields about signing and callbacks there are:
//
//   {"name": "eth", "driver": "evm", "url": "http://127.0.0.1:8545", "chain_id": 1, "key": "evm-hot", "asset": "ETH/18",
//    "token": "0x...", "confirmations": 12, "bump_after_ms": 60000, "gas_limit_max": 200000,
//    "fee_max_wei": "200000000000", "tip_max_wei": "5000000000", "anchor_every_seconds": 86400}
//
// of which `chain_id`, `key` and `asset` must be there. One rail of a key may have `anchor_every_seconds`.

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "effects/key_sets/key_set_fetch.h"
#include "effects/rails/evm/plan.h"
#include "effects/signing/message_keys.h"
#include "effects/webhook/webhook_keys.h"
#include "io/file.h"
#include "io/secret_memory.h"
#include "model/ids.h"
#include "model/rail.h"
#include "model/registry.h"

namespace node {

/// Of a rail with the driver "evm".
struct EvmRailSettings {
  std::uint64_t chain_id = 0;
  std::string key;               ///< name of the account's key (chain_keys.h)
  effects::EvmPolicy policy;
  std::uint32_t anchor_every_seconds = 0;   ///< the log's checkpoints are anchored so often with its account; 0 never
};

constexpr std::uint32_t anchor_every_seconds_max = 366 * 86'400;
/// A key of a partner, by its names.
struct RegistryPlace {
  model::PartnerName partner{};
  model::KeyName key{};
};

struct RailSettings {
  model::RailName name{};
  model::TenantNumber tenant = 1;
  std::string url;
  std::string ca_file, certificate_file, key_file;
  std::string signing_key_id, signing_key_file;
  std::vector<effects::VerificationKey> callback_keys;
  std::vector<effects::VerificationKey> published_keys;   ///< of ours, besides the one that signs: the next, or the former
  effects::WebhookVerification callback_webhooks;   ///< of a rail that calls back by Standard Webhooks
  std::optional<effects::KeySetSource> callback_key_set;   ///< besides `callback_keys`
  std::optional<RegistryPlace> callback_place;             ///< the same; never with a key set
  std::uint32_t connections_max = 32;
  std::uint32_t in_flight_max = 256;
  std::uint32_t inquiry_timeout_ms = 10'000;
  std::uint32_t statement_every_seconds = 0;     ///< its statements are fetched so often; 0 never
  std::uint32_t statement_lag_seconds = 3'600;   ///< it has so long to book what happened
  std::optional<EvmRailSettings> evm;   ///< none: the driver "http"
};

constexpr std::size_t rail_settings_bytes_max = std::size_t{1} << 20;

/// Errors: `rail_settings_malformed`, which names rail and field; those of reading.
base::Result<std::vector<RailSettings>> load_rail_settings(io::FileSystem& files, const std::string& path);

/// The seed in a signing key file, in locked memory. Errors: `rail_signing_key_unusable` (not 32 bytes as base64, or others may
/// read the file); those of reading.
base::Result<io::SecretMemory> load_rail_signing_key(io::FileSystem& files, const std::string& path);

}  // namespace node
