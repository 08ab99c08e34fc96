#include "tests/scenario/expectation.h"

#include <charconv>

namespace scenario {

namespace {

constexpr std::string_view open = "{{", close = "}}", repeat = "repeat ";

bool is_name(std::string_view text) {
  return !text.empty() && text.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789_") == std::string_view::npos;
}

// The name, if the text is one `{{name}}` and nothing else.
std::string_view only_name(std::string_view text) {
  if (!text.starts_with(open) || !text.ends_with(close)) return {};
  text = text.substr(open.size(), text.size() - open.size() - close.size());
  return is_name(text) ? text : std::string_view();
}

std::string shown(wire::JsonValue value) {
  using wire::JsonKind;
  switch (value.kind()) {
    case JsonKind::null: return "null";
    case JsonKind::boolean: return *value.boolean() ? "true" : "false";
    case JsonKind::integer: return value.uint64() ? std::to_string(*value.uint64()) : std::to_string(*value.int64());
    case JsonKind::inexact_number: return std::string(*value.number_text());
    case JsonKind::string: return "\"" + std::string(*value.string()) + "\"";
    case JsonKind::array: return "an array of " + std::to_string(value.size());
    case JsonKind::object: break;
  }
  return "an object";
}

std::string differs(const std::string& path, const std::string& expected, const std::string& actual) {
  return (path.empty() ? "the body" : path) + ": expected " + expected + ", got " + actual;
}

}  // namespace

std::optional<std::string> filled_in(std::string_view text, const Names& names, std::string& unknown) {
  std::string out;
  for (;;) {
    const std::size_t begin = text.find(open);
    out += text.substr(0, begin);
    if (begin == std::string_view::npos) return out;
    const std::size_t end = text.find(close, begin);
    if (end == std::string_view::npos) return out += text.substr(begin);
    std::string_view inside = text.substr(begin + open.size(), end - begin - open.size());
    text.remove_prefix(end + close.size());
    if (inside.starts_with(repeat)) {
      inside.remove_prefix(repeat.size());
      std::size_t count = 0;
      const auto [rest, error] = std::from_chars(inside.data(), inside.data() + inside.size(), count);
      if (error != std::errc() || rest == inside.data() + inside.size()) {
        unknown = "repeat " + std::string(inside);
        return std::nullopt;
      }
      const std::string_view copied(rest + 1, inside.data() + inside.size());
      for (std::size_t i = 0; i < count; ++i) out += copied;
      continue;
    }
    const auto known = names.find(inside);
    if (known == names.end()) {
      unknown = inside;
      return std::nullopt;
    }
    out += known->second;
  }
}

bool matches_text(std::string_view expected, std::string_view actual, Names& names) {
  if (expected == "...") return true;
  if (const std::string_view name = only_name(expected); !name.empty() && !names.contains(name)) {
    names.emplace(name, actual);
    return true;
  }
  std::string unknown;
  return filled_in(expected, names, unknown) == actual;
}

std::optional<std::string> difference(wire::JsonValue expected, wire::JsonValue actual, Names& names, const std::string& path) {
  if (const auto text = expected.string()) {
    if (*text == "...") return std::nullopt;
    const auto given = actual.string();
    if (given && matches_text(*text, *given, names)) return std::nullopt;
    std::string unknown;
    const auto full = filled_in(*text, names, unknown);
    return differs(path, full ? "\"" + *full + "\"" : shown(expected), shown(actual));
  }
  if (expected.kind() != actual.kind()) return differs(path, shown(expected), shown(actual));
  if (expected.is_object()) {
    for (const wire::JsonMember member : expected.members()) {
      const std::string inner = path + "/" + std::string(member.name);
      const auto found = actual.find(member.name);
      if (member.value.string() == "{{absent}}") {
        if (found) return differs(inner, "nothing", shown(*found));
        continue;
      }
      if (!found) return differs(inner, shown(member.value), "nothing");
      if (auto complaint = difference(member.value, *found, names, inner)) return complaint;
    }
    return std::nullopt;
  }
  if (expected.is_array()) {
    if (expected.size() != actual.size()) return differs(path, shown(expected), shown(actual));
    auto other = actual.elements().begin();
    std::size_t place = 0;
    for (const wire::JsonValue element : expected.elements()) {
      if (auto complaint = difference(element, *other, names, path + "/" + std::to_string(place++))) return complaint;
      ++other;
    }
    return std::nullopt;
  }
  if (shown(expected) != shown(actual)) return differs(path, shown(expected), shown(actual));
  return std::nullopt;
}

}  // namespace scenario
