#include "node/rail_settings.h"

#include <limits>
#include <optional>
#include <string_view>
#include <utility>

#include "base/text.h"
#include "wire/json_value.h"

namespace node {

namespace {

base::Error malformed(std::string_view rail, std::string_view what) {
  std::string message = rail.empty() ? std::string("the file of rails: ") : "rail \"" + std::string(rail) + "\": ";
  return {"rail_settings_malformed", message.append(what)};
}

base::Result<effects::VerificationKey> read_key(std::string_view rail, wire::JsonValue value) {
  effects::VerificationKey key;
  for (const wire::JsonMember member : value.members()) {
    const auto text = member.value.string();
    if (!text) return malformed(rail, "fields of callback_keys are texts");
    if (member.name == "id") {
      key.key_id = *text;
    } else if (member.name == "ed25519") {
      auto bytes = base::parse_base64(*text);
      if (!bytes || bytes->size() != 32) return malformed(rail, "ed25519 is the base64 of 32 bytes");
      key.material = std::move(*bytes);
    } else {
      return malformed(rail, "callback_keys know \"id\" and \"ed25519\", not \"" + std::string(member.name) + "\"");
    }
  }
  if (key.key_id.empty() || key.material.empty()) return malformed(rail, "each of callback_keys needs \"id\" and \"ed25519\"");
  return key;
}

base::Result<RailSettings> read_rail(wire::JsonValue value) {
  if (!value.is_object()) return malformed("", "rails are objects");
  RailSettings settings;
  std::string name;
  const auto named = value.find("name");
  const auto parsed = named && named->string() ? model::parse_rail_name(*named->string()) : std::nullopt;
  if (!parsed) return malformed("", "every rail needs a \"name\": 1 to 31 of a-z, 0-9 and -");
  settings.name = *parsed;
  name = *named->string();
  const std::pair<std::string_view, std::string*> texts[] = {{"url", &settings.url},
                                                             {"ca_file", &settings.ca_file},
                                                             {"certificate_file", &settings.certificate_file},
                                                             {"key_file", &settings.key_file},
                                                             {"signing_key_id", &settings.signing_key_id},
                                                             {"signing_key_file", &settings.signing_key_file}};
  const std::pair<std::string_view, std::uint32_t*> numbers[] = {{"tenant", &settings.tenant},
                                                                 {"connections_max", &settings.connections_max},
                                                                 {"in_flight_max", &settings.in_flight_max},
                                                                 {"inquiry_timeout_ms", &settings.inquiry_timeout_ms}};
  for (const wire::JsonMember member : value.members()) {
    if (member.name == "name") continue;
    if (member.name == "callback_keys") {
      if (!member.value.is_array()) return malformed(name, "callback_keys is a list");
      for (const wire::JsonValue one : member.value.elements()) {
        TRY_ASSIGN(auto key, read_key(name, one));
        settings.callback_keys.push_back(std::move(key));
      }
      continue;
    }
    bool known = false;
    for (const auto& [field, place] : texts) {
      if (member.name != field) continue;
      const auto text = member.value.string();
      if (!text) return malformed(name, std::string(field) + " is a text");
      *place = *text;
      known = true;
    }
    for (const auto& [field, place] : numbers) {
      if (member.name != field) continue;
      const auto number = member.value.uint64();
      if (!number || *number == 0 || *number > std::numeric_limits<std::uint32_t>::max()) {
        return malformed(name, std::string(field) + " is a whole number from 1");
      }
      *place = static_cast<std::uint32_t>(*number);
      known = true;
    }
    if (!known) return malformed(name, "there is no field \"" + std::string(member.name) + "\"");
  }
  for (const auto& [field, place] : texts) {
    const bool needed = field == "url" || field == "signing_key_id";
    if (needed && place->empty()) return malformed(name, std::string(field) + " is missing");
  }
  if (settings.certificate_file.empty() != settings.key_file.empty()) return malformed(name, "certificate_file and key_file come together");
  return settings;
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
    TRY_ASSIGN(RailSettings settings, read_rail(one));
    for (const RailSettings& other : all) {
      if (other.name == settings.name && other.tenant == settings.tenant) return malformed(model::to_text(settings.name), "it stands there twice");
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
