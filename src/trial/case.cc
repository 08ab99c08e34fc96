#include "trial/case.h"

#include <algorithm>

#include "base/text.h"
#include "intake/json.h"

namespace trial {
namespace {

using intake::JsonValue;

constexpr std::pair<std::string_view, Convention> conventions[] = {{"http-signature", Convention::http_signature},
                                                                   {"jws", Convention::jws},
                                                                   {"detached", Convention::detached},
                                                                   {"standard-webhook", Convention::standard_webhook},
                                                                   {"alipay", Convention::alipay},
                                                                   {"wechat-pay", Convention::wechat_pay},
                                                                   {"unionpay", Convention::unionpay}};

base::Error malformed(std::string message) { return {"trial_case_malformed", std::move(message)}; }

std::string lowered(std::string_view text) {
  std::string out(text);
  for (char& c : out) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  return out;
}

/// The members of one object, each asked for by name; whatever nobody asked for is refused at the end.
class Members {
 public:
  Members(const JsonValue& object, std::string path) : object_(object), path_(std::move(path)) {}

  const JsonValue* find(std::string_view name) {
    asked_.push_back(name);
    const JsonValue* const value = object_.find(name);
    return value != nullptr && value->type != JsonValue::Type::null ? value : nullptr;
  }
  /// A string; the first wrong type is remembered for finish().
  std::string string(std::string_view name) {
    const JsonValue* const value = find(name);
    if (value == nullptr) return {};
    if (!value->is_string()) return wrong(name, "a string"), std::string();
    return std::string(value->text);
  }
  std::optional<base::Bytes> base64(std::string_view name) {
    const JsonValue* const value = find(name);
    if (value == nullptr) return std::nullopt;
    auto bytes = value->is_string() ? base::parse_base64(value->text) : std::nullopt;
    if (!bytes) wrong(name, "padded base64");
    return bytes;
  }
  std::vector<std::string> strings(std::string_view name) {
    std::vector<std::string> out;
    const JsonValue* const value = find(name);
    if (value == nullptr) return out;
    if (!value->is_array()) return wrong(name, "a list of strings"), out;
    for (const JsonValue& one : value->items) {
      if (!one.is_string()) return wrong(name, "a list of strings"), out;
      out.emplace_back(one.text);
    }
    return out;
  }
  /// An object of strings, or a list of [name, value], which may repeat names.
  std::vector<Pair> pairs(std::string_view name) {
    std::vector<Pair> out;
    const JsonValue* const value = find(name);
    if (value == nullptr) return out;
    const bool listed = value->is_array();
    if (!listed && !value->is_object()) return wrong(name, "an object of strings"), out;
    for (std::size_t i = 0; i < value->items.size(); ++i) {
      const JsonValue& item = value->items[i];
      const bool good =
          listed ? item.is_array() && item.items.size() == 2 && item.items[0].is_string() && item.items[1].is_string()
                 : item.is_string();
      if (!good) return wrong(name, "an object of strings, or a list of pairs"), out;
      if (listed) {
        out.emplace_back(item.items[0].text, item.items[1].text);
      } else {
        out.emplace_back(value->names[i], item.text);
      }
    }
    return out;
  }
  void wrong(std::string_view name, std::string_view wanted) {
    if (fault_.empty()) fault_ = path_ + "/" + std::string(name) + " has to be " + std::string(wanted);
  }
  base::Status finish() const {
    if (!fault_.empty()) return malformed(fault_);
    for (const intake::Text& name : object_.names) {
      if (std::ranges::find(asked_, std::string_view(name)) == asked_.end()) {
        return malformed(path_ + "/" + std::string(name) + " is no member of a case");
      }
    }
    return base::ok();
  }

 private:
  const JsonValue& object_;
  const std::string path_;
  std::vector<std::string_view> asked_;
  std::string fault_;
};

// One key: text of any format, or an object with `key` or `key_base64` and `key_id`, or a JWK or JWK Set as it stands.
base::Status read_material(const JsonValue& value, std::string_view whole, const std::string& path,
                           std::vector<Material>& out) {
  if (out.size() == keys_max) return malformed(path + " has more than " + std::to_string(keys_max) + " keys");
  if (value.is_array()) {
    for (const JsonValue& one : value.items) {
      if (one.is_array()) return malformed(path + " is a list of lists");
      TRY(read_material(one, whole, path, out));
    }
    return base::ok();
  }
  if (value.is_string()) {
    out.push_back({intake::to_secret(intake::bytes_of(value.text)), {}});
    return base::ok();
  }
  if (!value.is_object()) return malformed(path + " has to be a key");
  if (value.find("kty") != nullptr || value.find("keys") != nullptr) {
    out.push_back({intake::to_secret(base::as_bytes(whole.substr(value.begin, value.end - value.begin))), {}});
    return base::ok();
  }
  Members members(value, path);
  Material material;
  material.key_id = members.string("key_id");
  if (const auto bytes = members.base64("key_base64")) material.bytes = intake::to_secret(*bytes);
  if (const JsonValue* const key = members.find("key")) {
    if (!key->is_string()) return malformed(path + "/key has to be a string");
    material.bytes = intake::to_secret(intake::bytes_of(key->text));
  }
  TRY(members.finish());
  if (material.bytes.empty()) return malformed(path + " has neither key nor key_base64");
  out.push_back(std::move(material));
  return base::ok();
}

base::Status read_message(const JsonValue& value, Message& message) {
  if (!value.is_object()) return malformed("/message has to be an object");
  Members members(value, "/message");
  if (members.find("method") != nullptr) message.method = members.string("method");
  message.url = members.string("url");
  if (const JsonValue* const status = members.find("status")) {
    const auto number = status->uint();
    if (!number || *number < 100 || *number > 599) members.wrong("status", "a status from 100 to 599");
    message.status = static_cast<std::uint16_t>(number.value_or(0));
  }
  message.headers = members.pairs("headers");
  for (Pair& header : message.headers) header.first = lowered(header.first);
  if (members.find("body") != nullptr) message.body = members.string("body");
  if (const auto bytes = members.base64("body_base64")) message.body = std::string(base::as_text(*bytes));
  message.parameters = members.pairs("parameters");
  if (members.find("form") != nullptr) {
    auto pairs = parse_form(members.string("form"));
    if (!pairs) members.wrong("form", "application/x-www-form-urlencoded");
    if (pairs) message.parameters = std::move(*pairs);
  }
  message.compact = members.string("compact");
  message.signature = members.string("signature");
  message.encoding = members.string("encoding");
  message.algorithm = members.string("algorithm");
  message.user_id = members.string("user_id");
  message.label = members.string("label");
  constexpr std::string_view encodings[] = {"", "base64", "base64url", "hex"};
  if (std::ranges::find(encodings, message.encoding) == std::end(encodings))
    members.wrong("encoding", "base64, base64url or hex");
  return members.finish();
}

base::Status read_declared(Members& members, std::string_view name, Declared& declared) {
  const JsonValue* const value = members.find(name);
  if (value == nullptr) return base::ok();
  if (!value->is_object()) return malformed("/" + std::string(name) + " has to be an object");
  Members inside(*value, "/" + std::string(name));
  declared.version = inside.string("declared");
  declared.accepted = inside.strings("accepted");
  return inside.finish();
}

// All members, whichever there are.
base::Result<Case> read_members(std::string_view json) {
  if (json.size() > case_bytes_max)
    return base::Error{"trial_case_too_large", "a case has at most " + std::to_string(case_bytes_max) + " bytes"};
  std::size_t fault = 0;
  const auto root = intake::parse_json(json, fault);
  if (!root) return malformed("not JSON: the fault is at byte " + std::to_string(fault));
  if (!root->is_object()) return malformed("a case is a JSON object");
  Members members(*root, "");
  Case out;
  out.id = members.string("id");
  const std::string convention = members.string("convention");
  const auto found = std::ranges::find(conventions, convention, &std::pair<std::string_view, Convention>::first);
  if (found == std::end(conventions))
    return malformed(
        "/convention has to be http-signature, jws, detached, standard-webhook, alipay, wechat-pay or unionpay");
  out.convention = found->second;
  if (const JsonValue* const key = members.find("key")) TRY(read_material(*key, json, "/key", out.keys));
  if (const JsonValue* const key = members.find("own_key")) TRY(read_material(*key, json, "/own_key", out.own_keys));
  if (const JsonValue* const root_key = members.find("root")) TRY(read_material(*root_key, json, "/root", out.roots));
  if (const JsonValue* const secret = members.find("secret")) {
    if (!secret->is_string() || secret->text.empty()) return malformed("/secret has to be a string");
    out.secret = secret->text;
  }
  const JsonValue* const message = members.find("message");
  if (message == nullptr) return malformed("/message is missing");
  TRY(read_message(*message, out.message));
  if (members.find("received_at") != nullptr) {
    out.received_at = base::parse_rfc3339(members.string("received_at"));
    if (!out.received_at) members.wrong("received_at", "an instant like 2026-01-05T00:00:00Z");
  }
  if (const JsonValue* const window = members.find("window_seconds")) {
    const auto seconds = window->uint();
    if (!seconds || *seconds > 86'400) members.wrong("window_seconds", "a number up to 86400");
    out.window = base::seconds(static_cast<std::int64_t>(std::min<std::uint64_t>(seconds.value_or(0), 86'400)));
  }
  out.seen_nonces = members.strings("seen_nonces");
  TRY(read_declared(members, "sdk_version", out.sdk));
  TRY(read_declared(members, "protocol_version", out.protocol));
  TRY(members.finish());
  return out;
}

}  // namespace

std::string_view name_of(Convention convention) {
  for (const auto& [name, value] : conventions) {
    if (value == convention) return name;
  }
  return "";
}

std::optional<std::string_view> Message::header(std::string_view name) const {
  const auto found = std::ranges::find(headers, name, &Pair::first);
  if (found == headers.end() || std::ranges::count(headers, name, &Pair::first) != 1) return std::nullopt;
  return found->second;
}

std::optional<std::string_view> Message::parameter(std::string_view name) const {
  const auto found = std::ranges::find(parameters, name, &Pair::first);
  if (found == parameters.end()) return std::nullopt;
  return found->second;
}

bool Declared::refused() const {
  return !version.empty() && !accepted.empty() && std::ranges::find(accepted, version) == accepted.end();
}

base::Result<Case> read_case(std::string_view json) {
  TRY_ASSIGN(Case out, read_members(json));
  if (out.keys.empty() && !out.secret) return malformed("/key or /secret is missing");
  return out;
}

base::Result<Case> read_captured(std::string_view json) {
  TRY_ASSIGN(Case out, read_members(json));
  if (!out.keys.empty()) return malformed("/key has no place here: the key is the one that is imported");
  if (out.secret) return malformed("/secret has no place here: the key is the one that is imported");
  return out;
}

std::optional<std::vector<Pair>> parse_form(std::string_view text) {
  const auto decoded = [](std::string_view part) -> std::optional<std::string> {
    std::string out;
    for (std::size_t i = 0; i < part.size(); ++i) {
      if (part[i] != '%') {
        out += part[i] == '+' ? ' ' : part[i];
        continue;
      }
      const auto byte = i + 2 < part.size() ? base::parse_hex(part.substr(i + 1, 2)) : std::nullopt;
      if (!byte) return std::nullopt;
      out += static_cast<char>((*byte)[0]);
      i += 2;
    }
    return out;
  };
  std::vector<Pair> out;
  while (!text.empty()) {
    const std::string_view part = text.substr(0, text.find('&'));
    text.remove_prefix(std::min(text.size(), part.size() + 1));
    if (part.empty()) continue;
    const std::size_t equals = std::min(part.find('='), part.size());
    auto name = decoded(part.substr(0, equals));
    auto value = decoded(part.substr(std::min(part.size(), equals + 1)));
    if (!name || !value) return std::nullopt;
    out.emplace_back(std::move(*name), std::move(*value));
  }
  return out;
}

}  // namespace trial
