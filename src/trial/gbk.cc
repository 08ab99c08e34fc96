#include "trial/gbk.h"

#include <array>
#include <cstdint>
#include <vector>

#include "base/text.h"

namespace trial {
namespace {

constexpr std::uint16_t cells[] = {
#include "trial/gbk_table.inc"
};
constexpr unsigned lead_first = 0x81, lead_last = 0xFE, trail_first = 0x40, trail_gap = 0x7F, trail_last = 0xFE,
                   row_cells = 190;
static_assert(std::size(cells) == (lead_last - lead_first + 1) * row_cells);

// Code point to cell number plus one; 0 for characters GBK lacks. Made on first use.
const std::vector<std::uint16_t>& cell_of_character() {
  static const std::vector<std::uint16_t> table = [] {
    std::vector<std::uint16_t> all(0x10000);
    for (std::size_t i = 0; i < std::size(cells); ++i) {
      if (cells[i] != 0) all[cells[i]] = static_cast<std::uint16_t>(i + 1);
    }
    return all;
  }();
  return table;
}

void append_utf8(std::string& out, unsigned character) {
  if (character >= 0x800) {
    out += static_cast<char>(0xE0 | character >> 12);
    out += static_cast<char>(0x80 | (character >> 6 & 0x3F));
  } else {
    out += static_cast<char>(0xC0 | character >> 6);
  }
  out += static_cast<char>(0x80 | (character & 0x3F));
}

}  // namespace

std::optional<std::string> utf8_to_gbk(std::string_view utf8) {
  if (!base::is_utf8(utf8)) return std::nullopt;
  const auto& table = cell_of_character();
  std::string out;
  for (std::size_t i = 0; i < utf8.size();) {
    const auto at = [&](std::size_t k) { return static_cast<unsigned>(static_cast<std::uint8_t>(utf8[i + k])); };
    const unsigned first = at(0);
    if (first < 0x80) {
      out += utf8[i++];
      continue;
    }
    if (first >= 0xF0) return std::nullopt;  // beyond the basic plane
    const bool three = first >= 0xE0;
    const unsigned character =
        three ? (first & 0x0F) << 12 | (at(1) & 0x3F) << 6 | (at(2) & 0x3F) : (first & 0x1F) << 6 | (at(1) & 0x3F);
    if (table[character] == 0) return std::nullopt;
    const unsigned cell = table[character] - 1u;
    const unsigned trail = trail_first + cell % row_cells;
    out += static_cast<char>(lead_first + cell / row_cells);
    out += static_cast<char>(trail >= trail_gap ? trail + 1 : trail);
    i += three ? 3 : 2;
  }
  return out;
}

std::optional<std::string> gbk_to_utf8(std::string_view gbk) {
  std::string out;
  for (std::size_t i = 0; i < gbk.size(); ++i) {
    const auto lead = static_cast<std::uint8_t>(gbk[i]);
    if (lead < 0x80) {
      out += gbk[i];
      continue;
    }
    const unsigned trail = i + 1 < gbk.size() ? static_cast<std::uint8_t>(gbk[++i]) : 0u;
    if (lead < lead_first || lead > lead_last || trail < trail_first || trail > trail_last || trail == trail_gap)
      return std::nullopt;
    const unsigned cell = (lead - lead_first) * row_cells + trail - trail_first - (trail > trail_gap ? 1 : 0);
    if (cells[cell] == 0) return std::nullopt;
    append_utf8(out, cells[cell]);
  }
  return out;
}

}  // namespace trial
