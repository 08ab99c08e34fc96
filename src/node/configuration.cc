#include "node/configuration.h"

#include <algorithm>
#include <span>

#include "base/text.h"
#include "node/configuration_table.h"
#include "node/toml_file.h"
#include "wire/json_fields.h"
#include "wire/json_writer.h"

namespace node {

namespace {

constexpr std::uint64_t file_bytes_max = 1 << 20;
constexpr std::uint64_t page_bytes = 4096;

std::string quoted(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    const auto byte = static_cast<std::uint8_t>(c);
    if (byte < 0x20 || byte == 0x7f) {
      out.append("\\u00").append(base::to_hex(std::span(&byte, 1)));
      continue;
    }
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  return out + "\"";
}

std::string to_text(const SettingValue& value) {
  if (const auto* flag = std::get_if<bool>(&value)) return *flag ? "true" : "false";
  if (const auto* number = std::get_if<std::uint64_t>(&value)) return std::to_string(*number);
  return quoted(std::get<std::string>(value));
}

std::string kind_of(const Setting& setting) {
  switch (setting.kind) {
    case Setting::Kind::flag: return "true or false";
    case Setting::Kind::number: return "a whole number from " + std::to_string(setting.min) + " to " + std::to_string(setting.max);
    case Setting::Kind::text: return "a text";
  }
  CHECK_THAT(false, "a kind of setting without a name");
}

// What is wrong with the value; it is taken over if nothing is.
std::optional<std::string> take(Configuration& into, const Setting& setting, const TomlSetting& given) {
  std::optional<SettingValue> value;
  if (const auto* flag = std::get_if<bool>(&given.value); flag && setting.kind == Setting::Kind::flag) value = *flag;
  if (const auto* text = std::get_if<std::string>(&given.value); text && setting.kind == Setting::Kind::text) value = *text;
  if (const auto* number = std::get_if<std::int64_t>(&given.value); number && setting.kind == Setting::Kind::number) {
    const bool within = *number >= 0 && static_cast<std::uint64_t>(*number) >= setting.min &&
                        static_cast<std::uint64_t>(*number) <= setting.max;
    if (within) value = static_cast<std::uint64_t>(*number);
  }
  const auto must_be = [&](const std::string& what) { return given.name + " must be " + what; };
  if (!value) return must_be(kind_of(setting));
  const auto refused = setting.set(into, *value);
  if (refused) return must_be(*refused);
  return std::nullopt;
}

std::string unknown(const std::string& name) {
  std::vector<std::string_view> names;
  for (const Setting& setting : settings()) names.push_back(setting.name);
  std::optional<std::string_view> meant = wire::closest_name(name, names.data(), names.size());
  // The right name in the wrong table, or in none.
  const std::string_view last = std::string_view(name).substr(name.rfind('.') + 1);
  for (const std::string_view each : names) {
    if (!meant && each.substr(each.rfind('.') + 1) == last) meant = each;
  }
  std::string message = "there is no setting " + name;
  if (meant) message += "; did you mean " + std::string(*meant) + "?";
  return message;
}

// What no setting can be judged for alone.
std::vector<std::string> contradictions(const Configuration& c) {
  std::vector<std::string> found;
  const auto require = [&](bool good, std::string message) {
    if (!good) found.push_back(std::move(message));
  };
  const std::uint64_t segment = c.service.recovery.segment_bytes;
  require(segment % page_bytes == 0, "journal.segment_bytes must be a multiple of 4096");
  // The largest command alone, a full batch, can take its body's size again in personal values.
  require(c.service.engine.group_bytes_max + gate::batch_bytes_max + (std::uint64_t{1} << 20) <= segment,
          "journal.segment_bytes must exceed pipeline.group_bytes_max by 17 MiB, so that a group and the largest batch fit");
  require(c.service.engine.bounds.hold_for_min <= c.service.engine.bounds.hold_for_max,
          "ledger.hold_seconds_min must not exceed ledger.hold_seconds_max");
  require(c.tls.certificate_file.empty() == c.tls.key_file.empty(), "tls.certificate_file and tls.key_file belong together");
  require(!c.tls.client_certificate_required || !c.tls.client_ca_file.empty(),
          "tls.client_certificate_required needs tls.client_ca_file");
  require(!c.operator_api.metrics_open || c.operator_listen.is_loopback(),
          "operator.metrics_open is for a loopback operator_listen only");
  require(c.server.http2.buffered_body_bytes_max >= c.http.body_bytes_max,
          "http2.buffered_body_bytes_max must be at least http.body_bytes_max");
  require(c.server.unfinished_bytes_max >= c.http.body_bytes_max, "http.unfinished_bytes_max must be at least http.body_bytes_max");
  require(c.listen.port == 0 || c.listen != c.operator_listen, "listen and operator_listen must differ");
  return found;
}

}  // namespace

edge::ServerOptions Configuration::server_options() const {
  edge::ServerOptions options = server;
  options.http1.http = http;
  options.http2.http = http;
  return options;
}

edge::ApiOptions Configuration::api_options() const {
  edge::ApiOptions options = api;
  options.rate = gate.rate;
  return options;
}

std::string ConfigurationReading::text(std::string_view file) const {
  std::string text;
  for (const ConfigurationProblem& problem : problems) {
    if (!text.empty()) text += '\n';
    text.append(file);
    if (problem.line != 0) text.append(":").append(std::to_string(problem.line));
    text.append(": ").append(problem.message);
  }
  return text;
}

ConfigurationReading read_configuration(std::string_view text) {
  ConfigurationReading reading;
  const auto parsed = read_toml(text, "");
  if (!parsed.ok()) {
    // `:LINE: message`, or `: message`: the caller puts the file's name before it.
    std::string_view message = parsed.error().message;
    message.remove_prefix(1);
    std::uint32_t line = 0;
    while (!message.empty() && message[0] >= '0' && message[0] <= '9') {
      line = line * 10 + static_cast<std::uint32_t>(message[0] - '0');
      message.remove_prefix(1);
    }
    message.remove_prefix(std::min(message.size(), message.find_first_not_of(": ")));
    reading.problems.push_back({line, std::string(message)});
    return reading;
  }
  for (const TomlSetting& given : *parsed) {
    const auto setting = std::ranges::find(settings(), std::string_view(given.name), &Setting::name);
    const auto wrong = setting == settings().end() ? unknown(given.name) : take(reading.configuration, *setting, given);
    if (wrong) reading.problems.push_back({given.line, *wrong});
  }
  if (reading.problems.empty()) {
    for (std::string& message : contradictions(reading.configuration)) reading.problems.push_back({0, std::move(message)});
  }
  if (!reading.problems.empty()) reading.configuration = {};
  return reading;
}

base::Result<Configuration> load_configuration(io::FileSystem& files, const std::string& path) {
  TRY_ASSIGN(const base::Bytes bytes, io::read_whole_file(files, path, file_bytes_max));
  ConfigurationReading reading = read_configuration(base::as_text(bytes));
  if (!reading.problems.empty()) return base::Error{"configuration_refused", reading.text(path)};
  return std::move(reading.configuration);
}

std::string show_configuration(const Configuration& configuration) {
  std::string text;
  std::string_view section;
  for (const Setting& setting : settings()) {
    const std::size_t dot = setting.name.find('.');
    const std::string_view table = dot == std::string_view::npos ? std::string_view() : setting.name.substr(0, dot);
    if (table != section) {
      text.append("\n[").append(table).append("]\n");
      section = table;
    }
    text.append(table.empty() ? setting.name : setting.name.substr(dot + 1)).append(" = ");
    text.append(to_text(setting.get(configuration))).append("\n");
  }
  return text;
}

std::string configuration_json(const Configuration& configuration) {
  std::string text;
  wire::JsonWriter json(text);
  json.begin_object();
  for (const Setting& setting : settings()) {
    json.key(setting.name);
    std::visit(
        [&json](const auto& value) {
          using Value = std::decay_t<decltype(value)>;
          if constexpr (std::is_same_v<Value, bool>) json.boolean(value);
          else if constexpr (std::is_same_v<Value, std::string>) json.string(value);
          else json.uint(value);
        },
        setting.get(configuration));
  }
  json.end_object();
  return text;
}

std::string configuration_reference() {
  const Configuration defaults;
  std::string text =
      "# Configuration\n\n"
      "One TOML file, given with `holdfast serve --config FILE`. Everything has a default; a setting that does not exist is\n"
      "refused, with the name that was probably meant. `holdfast config check FILE` says what is wrong with a file,\n"
      "`holdfast config show [FILE]` what is in effect. Secrets are never in this file: it names the files that hold them.\n\n"
      "This page is the output of `holdfast config reference`.\n";
  std::string_view section = "-";
  for (const Setting& setting : settings()) {
    const std::size_t dot = setting.name.find('.');
    const std::string_view table = dot == std::string_view::npos ? std::string_view() : setting.name.substr(0, dot);
    if (table != section) {
      text.append(table.empty() ? "\n## Addresses\n" : "\n## [" + std::string(table) + "]\n");
      text += "\n| setting | default | may be | what it is |\n|---|---|---|---|\n";
      section = table;
    }
    std::string kind;
    switch (setting.kind) {
      case Setting::Kind::flag: kind = "true, false"; break;
      case Setting::Kind::number: kind = std::to_string(setting.min) + " to " + std::to_string(setting.max); break;
      case Setting::Kind::text: kind = "text"; break;
    }
    text.append("| `").append(setting.name).append("` | `").append(to_text(setting.get(defaults))).append("` | ");
    text.append(kind).append(" | ").append(setting.help).append(" |\n");
  }
  return text;
}

}  // namespace node
