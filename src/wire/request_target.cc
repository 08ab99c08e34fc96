#include "wire/request_target.h"

#include <algorithm>
#include <array>
#include <cstdint>

namespace wire {

namespace {

constexpr std::array<std::string_view, 7> methods = {"GET", "POST", "PUT", "HEAD", "DELETE", "PATCH", "OPTIONS"};

constexpr std::array<bool, 256> allowed_table(std::string_view marks) {
  std::array<bool, 256> table{};
  for (unsigned c = '0'; c <= '9'; ++c) table[c] = true;
  for (unsigned c = 'a'; c <= 'z'; ++c) table[c] = true;
  for (unsigned c = 'A'; c <= 'Z'; ++c) table[c] = true;
  for (const char c : marks) table[static_cast<std::uint8_t>(c)] = true;
  return table;
}
// unreserved, pct-encoded, sub-delims, and what each place adds.
constexpr auto target_characters = allowed_table("-._~%!$&'()*+,;=:@/?");
constexpr auto authority_characters = allowed_table("-._~%!$&'()*+;=:[]");

bool all_of(std::string_view text, const std::array<bool, 256>& table) {
  return std::all_of(text.begin(), text.end(), [&](char c) { return table[static_cast<std::uint8_t>(c)]; });
}

}  // namespace

bool is_known_method(std::string_view method) {
  return std::find(methods.begin(), methods.end(), method) != methods.end();
}

bool is_authority(std::string_view text) { return !text.empty() && all_of(text, authority_characters); }

std::optional<OriginForm> parse_origin_form(std::string_view target) {
  if (!target.starts_with('/') || !all_of(target, target_characters)) return std::nullopt;
  const std::size_t mark = target.find('?');
  OriginForm form;
  form.path = target.substr(0, mark);
  if (mark != std::string_view::npos) form.query = target.substr(mark + 1);
  return form;
}

}  // namespace wire
