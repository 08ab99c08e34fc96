#include "node/toml_file.h"

#include <algorithm>
#include <tuple>

#include "base/text.h"

namespace {
/// Where the library would stop the process: it meets some malformed names and times with an assertion of its own.
struct LibraryGaveUp {};
}  // namespace

// Its documented hook for assertions, so that bad input is an error of the file and not the end of the process.
#undef NDEBUG
#define TOML_ASSERT(expr) ((expr) ? static_cast<void>(0) : throw LibraryGaveUp{})
#define TOML_ENABLE_UNRELEASED_FEATURES 0
#define TOML_HEADER_ONLY 1
#define TOML_EXCEPTIONS 0
#define TOML_ENABLE_FORMATTERS 0
#pragma GCC diagnostic push
#ifndef __clang__
// Assertions in its noexcept functions are about us, not about input: there the end of the process is right.
#pragma GCC diagnostic ignored "-Wterminate"
#endif
#include <toml++/toml.h>
#pragma GCC diagnostic pop

namespace node {

namespace {

constexpr std::size_t name_bytes_max = 256;

// Where something other than ASCII stands outside of quoted texts and comments, which TOML 1.0 knows nothing of and the library
// does not expect everywhere; the size of the text if nowhere.
std::size_t first_stray(std::string_view text) {
  enum class In { nothing, comment, text } in = In::nothing;
  char quote = 0;
  bool lines = false;   // a text of several lines
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (in == In::nothing) {
      if (static_cast<unsigned char>(c) >= 0x80) return i;
      if (c == '#') in = In::comment;
      if (c != '"' && c != '\'') continue;
      in = In::text;
      quote = c;
      lines = text.substr(i, 3) == std::string(3, c);
      if (lines) i += 2;
    } else if (c == '\n') {
      if (in == In::comment || !lines) in = In::nothing;
    } else if (in == In::text) {
      if (c == '\\' && quote == '"') ++i;
      if (c != quote) continue;
      if (lines && text.substr(i, 3) != std::string(3, quote)) continue;
      if (lines) i += 2;
      in = In::nothing;
    }
  }
  return text.size();
}

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
  // TOML 1.0 forbids control characters; the library asserts on some of them where a name is expected.
  const auto forbidden = std::ranges::find_if(text, [](char c) {
    return (static_cast<unsigned char>(c) < 0x20 && c != '\t' && c != '\n' && c != '\r') || c == 0x7f;
  });
  if (forbidden != text.end()) {
    const auto line = static_cast<std::uint32_t>(std::count(text.begin(), forbidden, '\n') + 1);
    return base::Error{"configuration_malformed", at(line) + "a control character, which TOML forbids"};
  }
  if (const std::size_t stray = first_stray(text); stray < text.size()) {
    const auto line = static_cast<std::uint32_t>(std::count(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(stray), '\n') + 1);
    return base::Error{"configuration_malformed", at(line) + "names and numbers are plain ASCII; other characters stand in quoted texts and comments"};
  }
  toml::parse_result parsed;
  try {
    parsed = toml::parse(text);
  } catch (const LibraryGaveUp&) {
    return base::Error{"configuration_malformed", std::string(file) + ": this is not TOML: a name or a time is malformed"};
  }
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
