#include "apps/holdfast/readable.h"

#include <algorithm>
#include <utility>

#include "wire/json_value.h"

namespace holdfast {

namespace {

using wire::JsonKind;
using wire::JsonValue;

// Text for a terminal: control characters in a value must not reach it.
std::string visible(std::string_view text) {
  std::string out;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    out += byte < 0x20 || byte == 0x7f ? '?' : c;
  }
  return out;
}

std::string scalar(JsonValue value) {
  switch (value.kind()) {
    case JsonKind::null: return "-";
    case JsonKind::boolean: return *value.boolean() ? "yes" : "no";
    case JsonKind::integer: return value.int64() ? std::to_string(*value.int64()) : std::to_string(*value.uint64());
    case JsonKind::inexact_number: return std::string(*value.number_text());
    case JsonKind::string: return visible(*value.string());
    case JsonKind::array: {
      std::string text;
      for (const JsonValue element : value.elements()) {
        if (!text.empty()) text += ", ";
        text += element.is_object() || element.is_array() ? "..." : scalar(element);
      }
      return text.empty() ? "none" : text;
    }
    case JsonKind::object: return "...";
  }
  return "";
}

using Lines = std::vector<std::pair<std::string, std::string>>;

void collect(JsonValue object, const std::string& prefix, Lines& lines) {
  for (const wire::JsonMember member : object.members()) {
    const std::string name = prefix + visible(member.name);
    if (member.value.is_object()) {
      collect(member.value, name + ".", lines);
    } else {
      lines.emplace_back(name, scalar(member.value));
    }
  }
}

std::string at_path(JsonValue object, std::string_view path) {
  while (true) {
    const std::size_t dot = path.find('.');
    const auto member = object.find(path.substr(0, dot));
    if (!member) return "";
    if (dot == std::string_view::npos) return scalar(*member);
    object = *member;
    path.remove_prefix(dot + 1);
  }
}

}  // namespace

std::string readable(std::string_view json) {
  const auto document = wire::parse_json(base::as_bytes(json), {.bytes_max = std::size_t{64} << 20, .depth_max = 64});
  if (!document.ok() || !document->root().is_object()) return std::string(json);
  Lines lines;
  collect(document->root(), "", lines);
  std::size_t width = 0;
  for (const auto& [name, value] : lines) width = std::max(width, name.size());
  std::string text;
  for (const auto& [name, value] : lines) text.append(name).append(width + 2 - name.size(), ' ').append(value).append("\n");
  return text;
}

std::string readable_table(std::string_view json, std::string_view member, const std::vector<std::string_view>& columns) {
  const auto document = wire::parse_json(base::as_bytes(json), {.bytes_max = std::size_t{64} << 20, .depth_max = 64});
  if (!document.ok() || !document->root().is_object()) return std::string(json);
  const auto items = document->root().find(member);
  if (!items || items->size() == 0) return "none\n";
  std::vector<std::vector<std::string>> rows;
  rows.emplace_back(columns.begin(), columns.end());
  for (const JsonValue item : items->elements()) {
    std::vector<std::string>& row = rows.emplace_back();
    for (const std::string_view column : columns) row.push_back(at_path(item, column));
  }
  std::vector<std::size_t> widths(columns.size());
  for (const auto& row : rows) {
    for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], row[i].size());
  }
  std::string text;
  for (const auto& row : rows) {
    std::string line;
    for (std::size_t i = 0; i < row.size(); ++i) {
      line.append(row[i]);
      if (i + 1 < row.size()) line.append(widths[i] + 2 - row[i].size(), ' ');
    }
    text.append(line).append("\n");
  }
  if (const auto next = document->root().find("next_cursor")) text.append("more: --cursor ").append(scalar(*next)).append("\n");
  return text;
}

std::string readable_problem(std::string_view json) {
  const auto document = wire::parse_json(base::as_bytes(json));
  if (!document.ok() || !document->root().is_object()) return std::string(json);
  const JsonValue root = document->root();
  const auto text = [&root](std::string_view name) { return at_path(root, name); };
  std::string out = text("code");
  // What it was about says more than how it was decided; what is wrong with fields is said field by field.
  const auto fields = root.find("fields");
  if (!text("amount").empty() && !text("debit_account").empty() && !text("credit_account").empty()) {
    out += ": " + text("amount") + " from " + text("debit_account") + " to " + text("credit_account");
  } else if (const std::string subject = text("account") + text("transfer") + text("client"); !subject.empty()) {
    out += ": " + subject;
  } else if (const std::string detail = text("detail"); !detail.empty() && !fields) {
    out += ": " + detail;
  }
  if (fields) {
    for (const JsonValue field : fields->elements()) {
      out += "\n  " + at_path(field, "pointer") + ": " + at_path(field, "detail");
      if (const std::string meant = at_path(field, "suggestion"); !meant.empty()) out += "; did you mean " + meant + "?";
    }
  }
  out += "\n  next: " + text("next_action");
  if (const std::string trace = text("trace_id"); !trace.empty()) out += "\n  trace: " + trace;
  return out;
}

}  // namespace holdfast
