// Hex digits, hex dumps and bare base64.
#include <algorithm>
#include <cctype>

#include "intake/layers.h"
#include "intake/pem.h"

namespace intake {
namespace {

using base::ByteView;

bool is_hex(char c) { return std::isxdigit(static_cast<unsigned char>(c)) != 0; }
std::uint8_t hex_value(char c) {
  return static_cast<std::uint8_t>(c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10);
}

// Digits in pairs from [begin, end), blanks and the separators : , - allowed between.
bool collect_hex(const Traced& text, std::size_t begin, std::size_t end, Content& out) {
  int high = -1;
  for (std::size_t at = begin; at < end; ++at) {
    const char c = text.text[at];
    if (is_hex(c)) {
      out.characters.push_back(static_cast<std::uint32_t>(text.origin_of(at)));
      if (high < 0) {
        high = hex_value(c);
      } else {
        out.bytes.push_back(static_cast<std::uint8_t>(high << 4 | hex_value(c)));
        high = -1;
      }
    } else if (!(is_blank(c) || c == ':' || c == ',' || c == '-')) {
      return false;
    }
  }
  return high < 0;
}

// `00000010  30 82 ...  |0...|` (hexdump -C) or `00000010: 3082 ...  0...` (xxd).
bool collect_dump(const Traced& text, Content& out) {
  const std::string_view view = text.view();
  std::size_t lines = 0;
  for (std::size_t at = 0; at < view.size();) {
    const std::size_t end = std::min(view.find('\n', at), view.size());
    std::size_t column = at;
    while (column < end && is_hex(view[column])) ++column;
    const std::size_t width = column - at;
    if (width < 4 || width > 8) return false;
    const bool last = end == view.size() && column == end;  // hexdump ends with the bare length
    if (!last) {
      if (column < end && view[column] == ':') ++column;
      if (column >= end || view[column] != ' ') return false;
      std::size_t digits = 0;
      while (column < end && digits < 32) {
        if (view[column] == '|') break;
        if (view.substr(column, 2) == "  " && digits > 16 && digits % 2 == 0 && view.substr(column, 3) != "   ") {
          // xxd separates the text by two blanks; hexdump the halves as well, but then hex digits follow.
          if (column + 3 < end && !(is_hex(view[column + 2]) && is_hex(view[column + 3]) && (column + 4 >= end || view[column + 4] == ' '))) break;
        }
        if (view[column] == ' ') {
          ++column;
          continue;
        }
        if (!is_hex(view[column]) || column + 1 >= end || !is_hex(view[column + 1])) break;
        out.characters.push_back(static_cast<std::uint32_t>(text.origin_of(column)));
        out.characters.push_back(static_cast<std::uint32_t>(text.origin_of(column + 1)));
        out.bytes.push_back(static_cast<std::uint8_t>(hex_value(view[column]) << 4 | hex_value(view[column + 1])));
        column += 2;
        digits += 2;
      }
      if (digits == 0) return false;
    }
    ++lines;
    at = end + 1;
  }
  return lines >= 2;
}

bool looks_like_content(ByteView bytes) {
  if (bytes.size() < 8) return false;
  if (bytes[0] == tag::sequence && (bytes[1] >= 0x80 || announced_size(bytes) == bytes.size())) return true;
  return std::all_of(bytes.begin(), bytes.end(), [](std::uint8_t c) { return (c >= 0x20 && c < 0x7F) || c == '\n' || c == '\r' || c == '\t'; });
}

}  // namespace

bool examine_hex_dump(Examination& run, const Traced& text) {
  Content hex;
  hex.origin = Content::Origin::hex;
  if (!collect_dump(text, hex)) return false;
  run.notes.add(Cause::text_is_a_hex_dump, text.place(0, 8));
  examine_bytes(run, hex);
  return true;
}

bool examine_digits(Examination& run, const Traced& text) {
  const std::string_view view = text.view();
  Content hex;
  hex.origin = Content::Origin::hex;
  const std::size_t begin = view.starts_with("0x") || view.starts_with("0X") || view.starts_with("\\x") ? 2 : 0;
  const auto digits = static_cast<std::size_t>(std::count_if(view.begin(), view.end(), is_hex));
  if (digits >= 40 && collect_hex(text, begin, view.size(), hex)) {
    if (looks_like_content(hex.bytes)) {
      run.notes.add(Cause::content_is_hex, text.place(0, 2));
      examine_bytes(run, hex);
      return true;
    }
    if (examine_raw_key(run, hex)) return true;
  }
  Base64Scan scan = scan_base64(text, 0, text.size());
  if (scan.digits < 24) return false;
  if (scan.elided && scan.digits > 60) {
    run.notes.add(Cause::text_has_elided_part, text.place(scan.bad_at, scan.bad_at + 1));
    return true;
  }
  const ByteView bytes = scan.content.bytes;
  const bool der = bytes[0] == tag::sequence && bytes[1] >= 0x80 ? true : bytes[0] == tag::sequence && announced_size(bytes) == bytes.size();
  if (scan.bad_at != std::string_view::npos) {
    if (!der || scan.digits < 40 || view.find(' ') < 40) return false;
    run.notes.add(Cause::base64_has_invalid_character, text.place(scan.bad_at, scan.bad_at + 1), "in bare base64");
    return true;
  }
  if (der) {
    const auto size = announced_size(bytes);
    if (scan.lone_digit && size && *size <= bytes.size()) {
      run.notes.add(Cause::content_is_truncated, text.place(text.size() - 1, text.size()), "a character was lost or added");
      return true;
    }
    if (size && *size < bytes.size() && scan.repeated_line != 0) {
      run.notes.add(Cause::text_line_is_repeated, text.place(0, 1));
      return true;
    }
    run.notes.add(Cause::pem_header_missing, text.place(0, 1));
    const std::size_t indented = std::min(view.find("\n "), view.find("\n\t"));
    if (indented != std::string_view::npos) run.notes.add(Cause::text_is_indented, text.place(indented + 1, indented + 2));
    if (scan.url_alphabet) run.notes.add(Cause::base64_uses_url_alphabet, text.place(0, 1));
    else if (scan.padding_wrong && size == bytes.size()) run.notes.add(Cause::base64_padding_is_wrong, text.place(text.size() - 1, text.size()));
    examine_der(run, scan.content, {});
    return true;
  }
  if (scan.lone_digit) return false;
  if (looks_like_content(bytes) && bytes.size() >= 16) {
    const std::size_t items = run.items.size();
    const Notes before = run.notes;
    run.notes.add(Cause::base64_is_double, text.place(0, 1));
    examine_bytes(run, scan.content);
    // Random base64 that happens to decode to readable text is no key; take the layer back.
    if (run.items.size() != items || run.notes.at_least(Severity::error)) {
      if (!(run.items.size() == items && run.notes.has(Cause::content_is_not_recognised))) return true;
    }
    run.notes = before;
    return false;
  }
  if (examine_magic(run, scan.content)) return true;
  return !scan.padding_wrong && examine_raw_key(run, scan.content);
}

}  // namespace intake
