#include "tests/scenario/document.h"

namespace scenario {

namespace {

constexpr std::string_view fence = "```";

std::vector<Line> lines_of(std::string_view text) {
  std::vector<Line> lines;
  std::size_t number = 0;
  while (!text.empty()) {
    const std::size_t end = text.find('\n');
    lines.push_back({++number, std::string(text.substr(0, end))});
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  }
  return lines;
}

bool is_row(std::string_view line) { return line.starts_with('|'); }

// | --- | ---: |
bool is_ruler(std::string_view line) { return line.find_first_not_of("|-: ") == std::string_view::npos; }

}  // namespace

std::string_view trimmed(std::string_view text) {
  const std::size_t first = text.find_first_not_of(" \t\r");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t\r") - first + 1);
}

std::vector<std::string> cells_of(std::string_view row) {
  std::vector<std::string> cells;
  row = trimmed(row);
  if (row.starts_with('|')) row.remove_prefix(1);
  if (row.ends_with('|')) row.remove_suffix(1);
  for (;;) {
    const std::size_t end = row.find('|');
    std::string_view cell = trimmed(row.substr(0, end));
    if (cell.size() >= 2 && cell.front() == '`' && cell.back() == '`') cell = cell.substr(1, cell.size() - 2);
    cells.emplace_back(cell);
    if (end == std::string_view::npos) return cells;
    row.remove_prefix(end + 1);
  }
}

Document read_document(std::string path, std::string_view text) {
  Document document{.path = std::move(path), .blocks = {}};
  const std::vector<Line> lines = lines_of(text);
  for (std::size_t i = 0; i < lines.size(); ++i) {
    const std::string& line = lines[i].text;
    if (line.starts_with(fence)) {
      const std::string_view words = trimmed(std::string_view(line).substr(fence.size()));
      const std::size_t blank = words.find(' ');
      Block block{.line = lines[i].number, .kind = std::string(words.substr(0, blank)), .argument = {}, .lines = {}};
      if (blank != std::string_view::npos) block.argument = trimmed(words.substr(blank));
      for (++i; i < lines.size() && trimmed(lines[i].text) != fence; ++i) block.lines.push_back(lines[i]);
      if (!block.kind.empty()) document.blocks.push_back(std::move(block));
    } else if (is_row(line)) {
      Block block{.line = lines[i].number, .kind = "balances", .argument = {}, .lines = {}};
      for (; i < lines.size() && is_row(lines[i].text); ++i) {
        if (!is_ruler(lines[i].text)) block.lines.push_back(lines[i]);
      }
      --i;
      if (!block.lines.empty() && cells_of(block.lines[0].text)[0] == "account") document.blocks.push_back(std::move(block));
    }
  }
  return document;
}

}  // namespace scenario
