#include "intake/pem.h"

#include <algorithm>
#include <array>
#include <cctype>

#include "intake/text_repair.h"

namespace intake {
namespace {

constexpr std::string_view labels[] = {
    "PUBLIC KEY",          "PRIVATE KEY",           "ENCRYPTED PRIVATE KEY",   "RSA PUBLIC KEY",
    "RSA PRIVATE KEY",     "EC PRIVATE KEY",        "EC PUBLIC KEY",           "EC PARAMETERS",
    "DSA PRIVATE KEY",     "DSA PUBLIC KEY",        "DH PARAMETERS",           "DSA PARAMETERS",
    "CERTIFICATE",         "X509 CERTIFICATE",      "TRUSTED CERTIFICATE",     "CERTIFICATE REQUEST",
    "NEW CERTIFICATE REQUEST", "X509 CRL",          "PKCS7",                   "CMS",
    "PKCS12",              "OPENSSH PRIVATE KEY",   "SSH2 PUBLIC KEY",         "SSH2 ENCRYPTED PRIVATE KEY",
    "PGP PUBLIC KEY BLOCK", "PGP PRIVATE KEY BLOCK", "PGP MESSAGE",            "PGP SIGNATURE",
    "PGP SIGNED MESSAGE",  "ED25519 PRIVATE KEY",   "ED25519 PUBLIC KEY",      "ANY PRIVATE KEY",
    "SM2 PRIVATE KEY",     "SM2 PUBLIC KEY",        "SM2 PARAMETERS",
};

bool iequals(std::string_view a, std::string_view b) {
  return a.size() == b.size() && std::equal(a.begin(), a.end(), b.begin(), [](char x, char y) {
           return std::toupper(static_cast<unsigned char>(x)) == std::toupper(static_cast<unsigned char>(y));
         });
}

struct Boundary {
  bool is_begin = false;
  std::size_t begin = 0;  // of the first dash
  std::size_t end = 0;    // one past the last dash
  std::string label;
  bool damaged = false;
};

bool is_label_character(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == ' ' || c == '_' || c == '\t';
}

// A boundary whose word (BEGIN or END) starts at `word`, or nothing.
// Its dashes start at `floor` at the earliest: those before it belong to the boundary before.
bool read_boundary(std::string_view text, std::size_t floor, std::size_t word, std::string_view name, Boundary& out) {
  std::size_t before = word;
  while (before > floor && (text[before - 1] == ' ' || text[before - 1] == '\t')) --before;
  std::size_t dashes = before;
  while (dashes > floor && text[dashes - 1] == '-') --dashes;
  const std::size_t leading = before - dashes;
  const bool at_line_start = dashes == 0 || text[dashes - 1] == '\n';
  std::size_t at = word + name.size();
  // Blank between the word and the label; it may have become an underscore or be lost before an upper-case label.
  const bool has_blank = at < text.size() && (text[at] == ' ' || text[at] == '_' || text[at] == '\t');
  if (!has_blank && leading < 3) return false;
  const std::size_t label_begin = at;
  while (at < text.size() && is_label_character(text[at]) && at - label_begin < 48) ++at;
  std::size_t label_end = at;
  std::size_t trailing = 0;
  while (at < text.size() && text[at] == '-') {
    ++trailing;
    ++at;
  }
  const bool to_line_end = trailing == 0 && (at == text.size() || text[at] == '\n' || text[at] == '\r');
  if (trailing == 0 && !to_line_end) {
    // `BEGIN PUBLIC KEY MIIB...` has lost the dashes behind the label: the label ends with the last word we know.
    if (leading < 2) return false;
    std::size_t best = 0;
    for (std::string_view label : labels) {
      std::size_t skip = label_begin;
      while (skip < text.size() && text[skip] == ' ') ++skip;
      if (iequals(text.substr(skip, label.size()), label)) best = std::max(best, skip + label.size());
    }
    if (best == 0) return false;
    label_end = at = best;
  }
  if (leading == 0 && trailing == 0 && !(at_line_start && to_line_end)) return false;
  if (leading == 0 && !at_line_start && trailing < 2) return false;
  std::string label;
  bool odd_label = false;
  for (std::size_t i = label_begin; i < label_end; ++i) {
    const char c = text[i] == '_' || text[i] == '\t' ? ' ' : text[i];
    if (c != text[i]) odd_label = true;
    if (c == ' ' && (label.empty() || label.back() == ' ')) {
      if (!label.empty()) odd_label = true;
      continue;
    }
    label.push_back(c);
  }
  while (!label.empty() && label.back() == ' ') {
    label.pop_back();
    odd_label = true;
  }
  if (label.empty()) return false;
  // Without dashes on both sides only a label we know makes a boundary; prose mentions BEGIN and END too.
  if ((leading < 2 || trailing < 2) && known_label(label).empty()) return false;
  const bool ssh2 = label.find("SSH2") != std::string::npos;
  out.is_begin = name == "BEGIN";
  out.begin = dashes;
  out.end = at;
  out.damaged = (!ssh2 && odd_label) || (!ssh2 && (leading != 5 || trailing != 5 || before != word)) || text.substr(word, name.size()) != name ||
                (!has_blank) || std::any_of(label.begin(), label.end(), [](char c) { return std::islower(static_cast<unsigned char>(c)) != 0; });
  std::transform(label.begin(), label.end(), label.begin(), [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
  out.label = std::move(label);
  return true;
}

std::vector<Boundary> find_boundaries(std::string_view text, std::size_t limit) {
  std::vector<Boundary> out;
  for (std::size_t at = 0; at + 3 <= text.size() && out.size() < limit; ++at) {
    const char c = text[at];
    std::string_view name;
    if ((c == 'B' || c == 'b') && iequals(text.substr(at, 5), "BEGIN")) name = "BEGIN";
    if ((c == 'E' || c == 'e') && iequals(text.substr(at, 3), "END")) name = "END";
    if (name.empty()) continue;
    if (at > 0 && text[at - 1] != '-' && !is_blank(text[at - 1]) && text[at - 1] != '"' && text[at - 1] != '\'' && text[at - 1] != '=' && text[at-1] != ':') continue;
    Boundary boundary;
    if (!read_boundary(text, out.empty() ? 0 : out.back().end, at, name, boundary)) continue;
    at = boundary.end > at ? boundary.end - 1 : at;
    out.push_back(std::move(boundary));
  }
  return out;
}

bool line_is_indented(std::string_view text, std::size_t at) {
  return at > 0 && (text[at - 1] == ' ' || text[at - 1] == '\t');
}

constexpr auto make_digits() {
  std::array<std::int8_t, 256> out{};
  for (auto& value : out) value = -1;
  for (int i = 0; i < 26; ++i) {
    out[static_cast<std::size_t>('A' + i)] = static_cast<std::int8_t>(i);
    out[static_cast<std::size_t>('a' + i)] = static_cast<std::int8_t>(26 + i);
  }
  for (int i = 0; i < 10; ++i) out[static_cast<std::size_t>('0' + i)] = static_cast<std::int8_t>(52 + i);
  out['+'] = out['-'] = 62;
  out['/'] = out['_'] = 63;
  return out;
}
constexpr auto digit_values = make_digits();

}  // namespace

std::size_t edit_distance(std::string_view a, std::string_view b, std::size_t limit) {
  if (a.size() > b.size()) std::swap(a, b);
  if (b.size() - a.size() > limit || b.size() > 64) return limit + 1;
  std::array<std::size_t, 65> row{};
  for (std::size_t i = 0; i <= b.size(); ++i) row[i] = i;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::size_t diagonal = row[0];
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t up = row[j];
      row[j] = std::min({row[j] + 1, row[j - 1] + 1, diagonal + (a[i - 1] == b[j - 1] ? 0 : 1)});
      diagonal = up;
    }
  }
  return std::min(row[b.size()], limit + 1);
}

std::string_view known_label(std::string_view label) {
  for (std::string_view known : labels) {
    if (known == label) return known;
  }
  std::string upper(label);
  std::transform(upper.begin(), upper.end(), upper.begin(), [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
  std::string_view best;
  std::size_t best_distance = 3;
  for (std::string_view known : labels) {
    const std::size_t distance = edit_distance(upper, known, 2);
    if (distance < best_distance) {
      best_distance = distance;
      best = known;
    }
  }
  return best;
}

std::vector<PemBlock> find_pem_blocks(std::string_view text, std::size_t blocks_max) {
  std::vector<PemBlock> out;
  const std::vector<Boundary> boundaries = find_boundaries(text, 2 * blocks_max);
  std::size_t previous_end = 0;
  for (std::size_t i = 0; i < boundaries.size() && out.size() < blocks_max; ++i) {
    const Boundary& first = boundaries[i];
    PemBlock block;
    if (first.is_begin) {
      block.has_begin = true;
      block.begin_label = first.label;
      block.begin = first.begin;
      block.body_begin = first.end;
      block.boundary_damaged = first.damaged;
      block.indented = line_is_indented(text, first.begin);
      const bool paired = i + 1 < boundaries.size() && !boundaries[i + 1].is_begin;
      if (paired) {
        const Boundary& last = boundaries[++i];
        block.has_end = true;
        block.end_label = last.label;
        block.body_end = last.begin;
        block.end = last.end;
        block.boundary_damaged |= last.damaged;
      } else {
        block.body_end = block.end = i + 1 < boundaries.size() ? boundaries[i + 1].begin : text.size();
      }
    } else {
      block.has_end = true;
      block.end_label = first.label;
      block.begin = block.body_begin = previous_end;
      block.body_end = first.begin;
      block.end = first.end;
      block.boundary_damaged = first.damaged;
    }
    std::size_t at = block.body_begin;
    while (at < block.body_end && (text[at] == ' ' || text[at] == '\t')) ++at;
    block.one_line = block.has_begin && at < block.body_end && text[at] != '\n';
    previous_end = block.end;
    out.push_back(std::move(block));
  }
  return out;
}

std::string_view PemHeaders::find(std::string_view name) const {
  for (const auto& [key, value] : lines) {
    if (iequals(key, name)) return value;
  }
  return {};
}

PemHeaders read_pem_headers(std::string_view text, const PemBlock& block) {
  PemHeaders out;
  std::size_t at = block.body_begin;
  if (block.one_line) {
    out.data_begin = at;
    return out;
  }
  out.data_begin = at;
  while (at < block.body_end) {
    const std::size_t end = std::min(text.find('\n', at), block.body_end);
    std::string_view line = text.substr(at, end - at);
    while (!line.empty() && is_blank(line.front())) line.remove_prefix(1);
    while (!line.empty() && is_blank(line.back())) line.remove_suffix(1);
    if (line.empty()) {
      at = end + 1;
      if (!out.lines.empty()) break;
      out.data_begin = std::min(at, block.body_end);
      continue;
    }
    const std::size_t colon = line.find(':');
    const bool continued = !out.lines.empty() && !out.lines.back().second.empty() && out.lines.back().second.back() == '\\';
    if (continued) {
      out.lines.back().second.pop_back();
      out.lines.back().second.append(line);
    } else if (colon != std::string_view::npos && colon <= 64) {
      std::string_view value = line.substr(colon + 1);
      while (!value.empty() && is_blank(value.front())) value.remove_prefix(1);
      out.lines.emplace_back(std::string(line.substr(0, colon)), std::string(value));
    } else {
      break;
    }
    at = end + 1;
    out.data_begin = std::min(at, block.body_end);
  }
  out.data_begin = std::min(out.data_begin, block.body_end);
  return out;
}

Base64Scan scan_base64(const Traced& text, std::size_t begin, std::size_t end) {
  Base64Scan out;
  out.content.origin = Content::Origin::base64;
  out.content.bytes.reserve((end - begin) * 3 / 4 + 3);
  out.content.characters.reserve(end - begin);
  std::uint32_t group = 0;
  bool has_minus = false;
  bool has_plus = false;
  std::size_t line_begin = 0, line_digits = 0, previous_begin = 0, previous_digits = 0;
  const std::string_view view = text.view();
  for (std::size_t at = begin; at < end; ++at) {
    const char c = view[at];
    const std::int8_t value = digit_values[static_cast<unsigned char>(c)];
    if (value >= 0) {
      if (out.padding != 0 && out.bad_at == std::string_view::npos) out.bad_at = at;
      if (line_digits++ == 0) line_begin = at;
      if (c == '-' || c == '_') has_minus = true;
      if (c == '+' || c == '/') has_plus = true;
      out.content.characters.push_back(static_cast<std::uint32_t>(text.origin_of(at)));
      group = (group << 6) | static_cast<std::uint32_t>(value);
      if (++out.digits % 4 == 0) {
        out.content.bytes.push_back(static_cast<std::uint8_t>(group >> 16));
        out.content.bytes.push_back(static_cast<std::uint8_t>(group >> 8));
        out.content.bytes.push_back(static_cast<std::uint8_t>(group));
        group = 0;
      }
    } else if (c == '=') {
      ++out.padding;
    } else if (is_blank(c)) {
      if (c == '\n') {
        if (line_digits >= 16 && line_digits == previous_digits &&
            view.substr(line_begin, line_digits) == view.substr(previous_begin, line_digits)) {
          out.repeated_line = line_digits;
        }
        if (line_digits != 0) {
          previous_begin = line_begin;
          previous_digits = line_digits;
        }
        line_digits = 0;
      }
    } else {
      if (out.bad_at == std::string_view::npos) out.bad_at = at;
      if ((c == '.' && at + 2 < end && view[at + 1] == '.' && view[at + 2] == '.') || c == '*' ||
          view.substr(at, 3) == "\xE2\x80\xA6") {
        out.elided = true;
      }
    }
  }
  switch (out.digits % 4) {
    case 0: out.padding_wrong = out.padding != 0; break;
    case 1:
      out.lone_digit = true;
      out.padding_wrong = true;
      break;
    case 2:
      out.content.bytes.push_back(static_cast<std::uint8_t>(group >> 4));
      out.padding_wrong = out.padding != 2;
      break;
    case 3:
      out.content.bytes.push_back(static_cast<std::uint8_t>(group >> 10));
      out.content.bytes.push_back(static_cast<std::uint8_t>(group >> 2));
      out.padding_wrong = out.padding != 1;
      break;
  }
  out.url_alphabet = has_minus;
  out.standard_only = has_plus;
  return out;
}

}  // namespace intake
