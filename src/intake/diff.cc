#include "intake/diff.h"

#include <algorithm>
#include <vector>

namespace intake {
namespace {

std::vector<std::string_view> lines_of(std::string_view text) {
  std::vector<std::string_view> out;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    out.push_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return out;
}

void append_line(std::string& out, char mark, std::string_view line) {
  static constexpr char digits[] = "0123456789abcdef";
  out.push_back(mark);
  for (char c : line.substr(0, 160)) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte >= 0x20 && byte < 0x7F) {
      out.push_back(c);
    } else {
      out.append("\\x");
      out.push_back(digits[byte >> 4]);
      out.push_back(digits[byte & 15]);
    }
  }
  if (line.size() > 160) out.append("...");
  out.push_back('\n');
}

}  // namespace

std::string line_diff(std::string_view before, std::string_view after) {
  constexpr std::size_t lines_max = 20;
  const auto a = lines_of(before);
  const auto b = lines_of(after);
  std::size_t head = 0;
  while (head < a.size() && head < b.size() && a[head] == b[head]) ++head;
  std::size_t tail = 0;
  while (tail < a.size() - head && tail < b.size() - head && a[a.size() - 1 - tail] == b[b.size() - 1 - tail]) ++tail;
  std::string out;
  for (std::size_t i = head; i < a.size() - tail && i - head < lines_max; ++i) append_line(out, '-', a[i]);
  for (std::size_t i = head; i < b.size() - tail && i - head < lines_max; ++i) append_line(out, '+', b[i]);
  return out;
}

}  // namespace intake
