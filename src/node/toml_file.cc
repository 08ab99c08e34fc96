#include "node/toml_file.h"

#include <algorithm>
#include <tuple>

#include "base/text.h"

#define TOML_HEADER_ONLY 1
#define TOML_EXCEPTIONS 0
#define TOML_ENABLE_FORMATTERS 0
#include <toml++/toml.h>

namespace node {

namespace {

constexpr std::size_t name_bytes_max = 256;

void flatten(const toml::table& table, const std::string& prefix, std::vector<TomlSetting>& settings) {
  for (const auto& [key, node] : table) {
    const std::string name = (prefix + std::string(key.str())).substr(0, name_bytes_max);
    if (const toml::table* inner = node.as_table()) {
      flatten(*inner, name + ".", settings);
      continue;
    }
    TomlSetting setting{name, node.source().begin.line, OtherTomlValue{}};
    if (const auto* flag = node.as_boolean()) setting.value = flag->get();
    if (const auto* number = node.as_integer()) setting.value = number->get();
    if (const auto* text = node.as_string()) setting.value = text->get();
    settings.push_back(std::move(setting));
  }
}

}  // namespace

base::Result<std::vector<TomlSetting>> read_toml(std::string_view text, std::string_view file) {
  const auto at = [file](std::uint32_t line) { return std::string(file) + ":" + std::to_string(line) + ": "; };
  // The library stops at the first wrong byte without saying which line it is in.
  if (!base::is_utf8(text)) return base::Error{"configuration_malformed", std::string(file) + ": the file is not UTF-8"};
  const toml::parse_result parsed = toml::parse(text);
  if (!parsed) {
    const toml::parse_error& error = parsed.error();
    return base::Error{"configuration_malformed", at(error.source().begin.line) + std::string(error.description())};
  }
  std::vector<TomlSetting> settings;
  flatten(parsed.table(), "", settings);
  // Settings of one line by name, so that the order never depends on the library's.
  std::ranges::sort(settings, {}, [](const TomlSetting& setting) { return std::tie(setting.line, setting.name); });
  return settings;
}

}  // namespace node
