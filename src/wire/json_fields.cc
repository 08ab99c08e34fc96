#include "wire/json_fields.h"

#include <algorithm>

#include "base/check.h"

namespace wire {

namespace {

constexpr std::size_t suggested_bytes_max = 64;

/// Typing errors between two names: insertions, deletions, substitutions and swaps of neighbours (optimal string
/// alignment). Both at most suggested_bytes_max long.
std::size_t typing_errors(std::string_view a, std::string_view b) {
  std::array<std::array<std::size_t, suggested_bytes_max + 1>, 3> rows{};
  for (std::size_t j = 0; j <= b.size(); ++j) rows[0][j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    auto& row = rows[i % 3];
    const auto& above = rows[(i + 2) % 3];
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      row[j] = std::min({above[j] + 1, row[j - 1] + 1, above[j - 1] + (a[i - 1] == b[j - 1] ? 0u : 1u)});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) {
        row[j] = std::min(row[j], rows[(i + 1) % 3][j - 2] + 1);
      }
    }
  }
  return rows[a.size() % 3][b.size()];
}

/// Names are shown in replies and logs: not at any length.
std::string shown(std::string_view name) {
  constexpr std::size_t shown_bytes_max = 64;
  if (name.size() <= shown_bytes_max) return std::string(name);
  return std::string(name.substr(0, shown_bytes_max)) + "...";
}

}  // namespace

std::string pointer_to(std::string_view parent, std::string_view name) {
  std::string pointer(parent);
  pointer.push_back('/');
  for (const char c : name) {
    if (c == '~') {
      pointer.append("~0");
    } else if (c == '/') {
      pointer.append("~1");
    } else {
      pointer.push_back(c);
    }
  }
  return pointer;
}

std::string pointer_to(std::string_view parent, std::size_t index) {
  return std::string(parent) + "/" + std::to_string(index);
}

std::optional<std::string_view> closest_name(std::string_view name, const std::string_view* candidates,
                                             std::size_t candidate_count) {
  if (name.size() > suggested_bytes_max) return std::nullopt;
  const std::size_t errors_max = name.size() < 3 ? 0 : name.size() < 6 ? 1 : 2;
  std::optional<std::string_view> best;
  std::size_t best_errors = errors_max + 1;
  for (std::size_t i = 0; i < candidate_count; ++i) {
    if (candidates[i].size() > suggested_bytes_max) continue;
    const std::size_t errors = typing_errors(name, candidates[i]);
    if (errors < best_errors) {
      best_errors = errors;
      best = candidates[i];
    }
  }
  return best;
}

JsonFields::JsonFields(JsonValue value, std::string pointer, std::vector<FieldProblem>& problems)
    : value_(value), pointer_(std::move(pointer)), problems_(problems) {
  if (!value_.is_object()) {
    walkable_ = false;
    problems_.push_back({"request_field_wrong_type", pointer_,
                         "expected object, found " + std::string(to_text(value_.kind())), ""});
  } else if (value_.size() > members_max) {
    walkable_ = false;
    problems_.push_back({"request_field_out_of_range", pointer_,
                         "an object with more than " + std::to_string(members_max) + " members", ""});
  }
}

std::optional<JsonValue> JsonFields::take(std::string_view name) {
  if (!walkable_) return std::nullopt;
  CHECK(name_count_ < names_max);
  names_[name_count_++] = name;
  std::size_t index = 0;
  for (const JsonMember member : value_.members()) {
    if (member.name == name) {
      const std::uint64_t bit = std::uint64_t{1} << (index % 64);
      CHECK_THAT((seen_[index / 64] & bit) == 0, "every field is asked for once");
      seen_[index / 64] |= bit;
      ++seen_count_;
      return member.value;
    }
    ++index;
  }
  return std::nullopt;
}

void JsonFields::missing(std::string_view name) {
  if (walkable_) problems_.push_back({"request_field_missing", pointer(name), "this field is required", ""});
}

void JsonFields::wrong_type(std::string_view name, std::string_view wanted, JsonKind found) {
  problems_.push_back({"request_field_wrong_type", pointer(name),
                       "expected " + std::string(wanted) + ", found " + std::string(to_text(found)), ""});
}

void JsonFields::report(const char* code, std::string_view name, std::string detail) {
  problems_.push_back({code, pointer(name), std::move(detail), ""});
}

std::optional<JsonValue> JsonFields::take_kind(std::string_view name, JsonKind kind, bool must) {
  const std::optional<JsonValue> value = take(name);
  if (!value) {
    if (must) missing(name);
    return std::nullopt;
  }
  if (value->kind() != kind) {
    wrong_type(name, to_text(kind), value->kind());
    return std::nullopt;
  }
  return value;
}

std::optional<std::uint64_t> JsonFields::take_uint(std::string_view name, std::uint64_t min, std::uint64_t max,
                                                   bool must) {
  const std::optional<JsonValue> value = take_kind(name, JsonKind::integer, must);
  if (!value) return std::nullopt;
  const std::optional<std::uint64_t> number = value->uint64();
  if (!number || *number < min || *number > max) {
    report("request_field_out_of_range", name, "from " + std::to_string(min) + " to " + std::to_string(max));
    return std::nullopt;
  }
  return number;
}

std::optional<JsonValue> JsonFields::required(std::string_view name) {
  const std::optional<JsonValue> value = take(name);
  if (!value) missing(name);
  return value;
}

std::optional<JsonValue> JsonFields::optional(std::string_view name) { return take(name); }

std::optional<std::string_view> JsonFields::required_string(std::string_view name) {
  const auto value = take_kind(name, JsonKind::string, true);
  return value ? value->string() : std::nullopt;
}

std::optional<std::string_view> JsonFields::optional_string(std::string_view name) {
  const auto value = take_kind(name, JsonKind::string, false);
  return value ? value->string() : std::nullopt;
}

std::optional<std::uint64_t> JsonFields::required_uint(std::string_view name, std::uint64_t min, std::uint64_t max) {
  return take_uint(name, min, max, true);
}

std::optional<std::uint64_t> JsonFields::optional_uint(std::string_view name, std::uint64_t min, std::uint64_t max) {
  return take_uint(name, min, max, false);
}

std::optional<bool> JsonFields::required_boolean(std::string_view name) {
  const auto value = take_kind(name, JsonKind::boolean, true);
  return value ? value->boolean() : std::nullopt;
}

std::optional<bool> JsonFields::optional_boolean(std::string_view name) {
  const auto value = take_kind(name, JsonKind::boolean, false);
  return value ? value->boolean() : std::nullopt;
}

std::optional<JsonValue> JsonFields::required_object(std::string_view name) {
  return take_kind(name, JsonKind::object, true);
}

std::optional<JsonValue> JsonFields::optional_object(std::string_view name) {
  return take_kind(name, JsonKind::object, false);
}

std::optional<JsonValue> JsonFields::required_array(std::string_view name) {
  return take_kind(name, JsonKind::array, true);
}

std::optional<JsonValue> JsonFields::optional_array(std::string_view name) {
  return take_kind(name, JsonKind::array, false);
}

void JsonFields::finish() {
  if (!walkable_ || seen_count_ == value_.size()) return;
  std::size_t index = 0;
  for (const JsonMember member : value_.members()) {
    if ((seen_[index / 64] >> (index % 64) & 1) == 0) {
      const auto meant = closest_name(member.name, names_.data(), name_count_);
      problems_.push_back({"request_field_unknown", pointer(shown(member.name)), "no field of this name is known here",
                           meant ? std::string(*meant) : std::string()});
    }
    ++index;
  }
}

}  // namespace wire
