#include "node/rail_settings.h"

#include <algorithm>
#include <functional>
#include <initializer_list>
#include <limits>
#include <optional>
#include <string_view>
#include <utility>

#include "base/text.h"
#include "model/account.h"
#include "wire/json_value.h"

namespace node {

namespace {

base::Error malformed(std::string_view rail, std::string_view what) {
  std::string message = rail.empty() ? std::string("the file of rails: ") : "rail \"" + std::string(rail) + "\": ";
  return {"rail_settings_malformed", message.append(what)};
}

base::Result<effects::VerificationKey> read_key(std::string_view rail, const std::string& list, wire::JsonValue value) {
  effects::VerificationKey key;
  for (const wire::JsonMember member : value.members()) {
    const auto text = member.value.string();
    if (!text) return malformed(rail, "fields of " + list + " are texts");
    if (member.name == "id") {
      key.key_id = *text;
    } else if (member.name == "ed25519") {
      auto bytes = base::parse_base64(*text);
      if (!bytes || bytes->size() != 32) return malformed(rail, "ed25519 is the base64 of 32 bytes");
      key.material = std::move(*bytes);
    } else {
      return malformed(rail, list + " know \"id\" and \"ed25519\", not \"" + std::string(member.name) + "\"");
    }
  }
  if (key.key_id.empty() || key.material.empty()) return malformed(rail, "each of " + list + " needs \"id\" and \"ed25519\"");
  return key;
}

// A key of Standard Webhooks; false if it is one of another kind. Secrets stand in files of their own.
base::Result<bool> read_webhook_key(io::FileSystem& files, std::string_view rail, wire::JsonValue value, effects::WebhookVerification& keys) {
  const auto file = value.find("whsec_file"), public_key = value.find("whpk");
  if (!file && !public_key) return false;
  const wire::JsonValue given = file ? *file : *public_key;
  if (value.size() != 1 || !given.string()) return malformed(rail, "whsec_file and whpk are texts, and stand alone");
  if (public_key) {
    auto key = wire::parse_webhook_key(wire::WebhookKeyKind::public_key, *given.string());
    if (!key) return malformed(rail, "whpk is whpk_ and the base64 of 32 bytes");
    keys.public_keys.push_back(std::move(*key));
    return true;
  }
  const std::string path(*given.string());
  TRY_ASSIGN(const io::FileInfo info, files.info(path));
  TRY_ASSIGN(base::Bytes text, io::read_whole_file(files, path, 256));
  std::string_view line = base::as_text(text);
  while (line.ends_with('\n')) line.remove_suffix(1);
  auto secret = (info.mode & 0077) == 0 ? wire::parse_webhook_key(wire::WebhookKeyKind::secret, line) : std::nullopt;
  io::wipe(text);
  if (!secret) return malformed(rail, path + " must hold whsec_ and the base64 of 24 to 64 bytes, and nobody but its owner may read it");
  keys.secrets.push_back(std::move(*secret));
  return true;
}

base::Result<std::vector<std::string>> read_networks(std::string_view rail, wire::JsonValue value) {
  std::vector<std::string> networks;
  for (const wire::JsonValue one : value.elements()) networks.emplace_back(one.string().value_or(""));
  if (networks.empty()) return malformed(rail, "keys_networks is a list of texts");
  return networks;
}

/// Where the keys of a rail are published.
struct KeySetFields {
  std::string url, ca_file;
  std::vector<std::string> networks;
};
base::Status take_key_set(std::string_view rail, KeySetFields&& fields, RailSettings& settings) {
  if (fields.url.empty()) {
    return fields.ca_file.empty() && fields.networks.empty() ? base::ok() : malformed(rail, "keys_ca_file and keys_networks belong to a keys_url");
  }
  const std::string issuer = "rail " + std::string(rail) + " of tenant " + std::to_string(settings.tenant);
  auto source = effects::key_set_at(issuer, std::move(fields.url), fields.networks);
  if (!source.ok()) return malformed(rail, "keys_url: " + source.error().message);
  source->ca_file = std::move(fields.ca_file);
  settings.callback_key_set = std::move(*source);
  return base::ok();
}

base::Status take_callback_place(std::string_view rail, std::string_view partner, std::string_view key, RailSettings& settings) {
  if (partner.empty() && key.empty()) return base::ok();
  const auto partner_name = model::parse_rail_name(partner), key_name = model::parse_rail_name(key);
  if (!partner_name || !key_name) return malformed(rail, "callback_partner and callback_key come together, each 1 to 32 of a-z, 0-9 and -");
  if (settings.callback_key_set) return malformed(rail, "keys come from a keys_url or from callback_partner and callback_key, not from both");
  settings.callback_place = RegistryPlace{*partner_name, *key_name};
  return base::ok();
}

/// The fields of one rail that have been named so far, each into its place.
class FieldReader {
 public:
  explicit FieldReader(std::string_view rail) : rail_(rail) {}
  void text(std::string_view name, std::string& place) { texts_.emplace_back(name, &place); }
  /// A whole number from 1 to what the place can hold.
  template <typename Number>
  void number(std::string_view name, Number& place) {
    numbers_.push_back({name, std::numeric_limits<Number>::max(), [&place](std::uint64_t value) { place = static_cast<Number>(value); }});
  }
  /// Takes a member whose name is known. Errors: `rail_settings_malformed`.
  base::Status take(const wire::JsonMember& member) const {
    for (const auto& [name, place] : texts_) {
      if (member.name != name) continue;
      const auto text = member.value.string();
      if (!text) return malformed(rail_, std::string(name) + " is a text");
      *place = *text;
      return base::ok();
    }
    for (const NumberField& field : numbers_) {
      if (member.name != field.name) continue;
      const auto number = member.value.uint64();
      if (!number || *number == 0 || *number > field.max) return malformed(rail_, std::string(field.name) + " is a whole number from 1");
      field.put(*number);
      return base::ok();
    }
    return malformed(rail_, "there is no field \"" + std::string(member.name) + "\"");
  }
  /// Error `rail_settings_malformed` if the text of a field is empty.
  base::Status needs(std::initializer_list<std::string_view> names) const {
    for (const auto& [name, place] : texts_) {
      if (place->empty() && std::ranges::find(names, name) != names.end()) return malformed(rail_, std::string(name) + " is missing");
    }
    return base::ok();
  }

 private:
  struct NumberField {
    std::string_view name;
    std::uint64_t max;
    std::function<void(std::uint64_t)> put;
  };
  std::string_view rail_;
  std::vector<std::pair<std::string_view, std::string*>> texts_;
  std::vector<NumberField> numbers_;
};

/// What is the same for every driver.
FieldReader common_fields(std::string_view rail, RailSettings& settings) {
  FieldReader fields(rail);
  fields.text("url", settings.url);
  fields.text("ca_file", settings.ca_file);
  fields.text("certificate_file", settings.certificate_file);
  fields.text("key_file", settings.key_file);
  fields.number("tenant", settings.tenant);
  fields.number("connections_max", settings.connections_max);
  fields.number("in_flight_max", settings.in_flight_max);
  fields.number("inquiry_timeout_ms", settings.inquiry_timeout_ms);
  return fields;
}

base::Status read_http_rail(io::FileSystem& files, std::string_view rail, wire::JsonValue value, RailSettings& settings) {
  FieldReader fields = common_fields(rail, settings);
  fields.text("signing_key_id", settings.signing_key_id);
  fields.text("signing_key_file", settings.signing_key_file);
  KeySetFields key_set;
  fields.text("keys_url", key_set.url);
  fields.text("keys_ca_file", key_set.ca_file);
  std::string callback_partner, callback_key;
  fields.text("callback_partner", callback_partner);
  fields.text("callback_key", callback_key);
  fields.number("statement_every_seconds", settings.statement_every_seconds);
  fields.number("statement_lag_seconds", settings.statement_lag_seconds);
  for (const wire::JsonMember member : value.members()) {
    if (member.name == "name" || member.name == "driver") continue;
    if (member.name == "keys_networks") {
      TRY_ASSIGN(key_set.networks, read_networks(rail, member.value));
      continue;
    }
    const bool ours = member.name == "published_keys";
    if (!ours && member.name != "callback_keys") {
      TRY(fields.take(member));
      continue;
    }
    const std::string list(member.name);
    if (!member.value.is_array()) return malformed(rail, list + " is a list");
    for (const wire::JsonValue one : member.value.elements()) {
      if (!ours) {
        TRY_ASSIGN(const bool taken, read_webhook_key(files, rail, one, settings.callback_webhooks));
        if (taken) continue;
      }
      TRY_ASSIGN(auto key, read_key(rail, list, one));
      (ours ? settings.published_keys : settings.callback_keys).push_back(std::move(key));
    }
  }
  TRY(take_key_set(rail, std::move(key_set), settings));
  TRY(take_callback_place(rail, callback_partner, callback_key, settings));
  return fields.needs({"url", "signing_key_id"});
}

base::Status read_evm_rail(std::string_view rail, wire::JsonValue value, RailSettings& settings) {
  EvmRailSettings& evm = settings.evm.emplace();
  std::string token, fee_max = base::to_decimal(evm.policy.fee_max), tip_max = base::to_decimal(evm.policy.tip_max);
  std::uint32_t bump_after_ms = static_cast<std::uint32_t>(evm.policy.bump_after.ns / base::milliseconds(1).ns);
  FieldReader fields = common_fields(rail, settings);
  fields.text("key", evm.key);
  fields.text("asset", evm.policy.asset);
  fields.text("token", token);
  fields.text("fee_max_wei", fee_max);
  fields.text("tip_max_wei", tip_max);
  fields.number("chain_id", evm.chain_id);
  fields.number("confirmations", evm.policy.confirmations);
  fields.number("gas_limit_max", evm.policy.gas_limit_max);
  fields.number("bump_after_ms", bump_after_ms);
  fields.number("anchor_every_seconds", evm.anchor_every_seconds);
  for (const wire::JsonMember member : value.members()) {
    if (member.name != "name" && member.name != "driver") TRY(fields.take(member));
  }
  TRY(fields.needs({"url", "key", "asset"}));
  if (evm.chain_id == 0) return malformed(rail, "chain_id is missing");
  if (evm.anchor_every_seconds > anchor_every_seconds_max) return malformed(rail, "anchor_every_seconds is a year at most");
  if (!model::parse_asset(evm.policy.asset)) return malformed(rail, "asset is like \"ETH/18\"");
  const auto fee = base::parse_decimal(fee_max), tip = base::parse_decimal(tip_max);
  if (!fee || !tip) return malformed(rail, "fee_max_wei and tip_max_wei are decimal numbers as texts");
  evm.policy.fee_max = *fee;
  evm.policy.tip_max = *tip;
  evm.policy.bump_after = base::milliseconds(bump_after_ms);
  if (token.empty()) return base::ok();
  evm.policy.token = effects::parse_evm_address(token);
  return evm.policy.token ? base::ok() : malformed(rail, "token is the address of a contract, with a good checksum");
}

base::Result<RailSettings> read_rail(io::FileSystem& files, wire::JsonValue value) {
  if (!value.is_object()) return malformed("", "rails are objects");
  const auto named = value.find("name"), driven = value.find("driver");
  const auto parsed = named && named->string() ? model::parse_rail_name(*named->string()) : std::nullopt;
  if (!parsed) return malformed("", "every rail needs a \"name\": 1 to 32 of a-z, 0-9 and -");
  RailSettings settings;
  settings.name = *parsed;
  const std::string_view name = *named->string(), driver = driven ? driven->string().value_or("") : "http";
  if (driver == "http") {
    TRY(read_http_rail(files, name, value, settings));
  } else if (driver == "evm") {
    TRY(read_evm_rail(name, value, settings));
  } else {
    return malformed(name, "driver is \"http\" or \"evm\"");
  }
  if (settings.certificate_file.empty() != settings.key_file.empty()) return malformed(name, "certificate_file and key_file come together");
  return settings;
}

/// Both would anchor with one account.
bool anchor_alike(const RailSettings& a, const RailSettings& b) {
  return a.evm && b.evm && a.evm->key == b.evm->key && a.evm->anchor_every_seconds != 0 && b.evm->anchor_every_seconds != 0;
}

}  // namespace

base::Result<std::vector<RailSettings>> load_rail_settings(io::FileSystem& files, const std::string& path) {
  TRY_ASSIGN(const base::Bytes bytes, io::read_whole_file(files, path, rail_settings_bytes_max));
  const auto document = wire::parse_json(bytes);
  if (!document.ok()) return malformed("", document.error().message);
  const auto rails = document->root().find("rails");
  if (!rails || !rails->is_array() || document->root().size() != 1) return malformed("", "it is {\"rails\": [...]}");
  std::vector<RailSettings> all;
  for (const wire::JsonValue one : rails->elements()) {
    TRY_ASSIGN(RailSettings settings, read_rail(files, one));
    for (const RailSettings& other : all) {
      if (other.name == settings.name && other.tenant == settings.tenant) return malformed(model::to_text(settings.name), "it stands there twice");
      if (anchor_alike(other, settings)) return malformed(model::to_text(settings.name), "another rail of its key has anchor_every_seconds already");
    }
    all.push_back(std::move(settings));
  }
  return all;
}

base::Result<io::SecretMemory> load_rail_signing_key(io::FileSystem& files, const std::string& path) {
  TRY_ASSIGN(const io::FileInfo info, files.info(path));
  const base::Error unusable{"rail_signing_key_unusable", path + " must hold 32 bytes as base64, and nobody but its owner may read it"};
  if ((info.mode & 0077) != 0) return unusable;
  TRY_ASSIGN(base::Bytes text, io::read_whole_file(files, path, 256));
  std::string_view encoded = base::as_text(text);
  while (encoded.ends_with('\n')) encoded.remove_suffix(1);
  auto seed = base::parse_base64(encoded);
  io::wipe(text);
  if (!seed || seed->size() != 32) return unusable;
  auto held = io::SecretMemory::copy_of(*seed);
  io::wipe(*seed);
  return held;
}

}  // namespace node
