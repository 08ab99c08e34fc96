#include "intake/text_repair.h"

#include <algorithm>
#include <cctype>
#include <array>

#include "base/text.h"

namespace intake {
namespace {

using base::ByteView;

void append_utf8(Rewriter& out, std::uint32_t code, std::size_t at) {
  const auto byte = [&](std::uint32_t value) { out.put(static_cast<char>(static_cast<unsigned char>(value)), at); };
  if (code < 0x80) {
    byte(code);
  } else if (code < 0x800) {
    byte(0xC0 | (code >> 6));
    byte(0x80 | (code & 0x3F));
  } else if (code < 0x10000) {
    byte(0xE0 | (code >> 12));
    byte(0x80 | ((code >> 6) & 0x3F));
    byte(0x80 | (code & 0x3F));
  } else {
    byte(0xF0 | (code >> 18));
    byte(0x80 | ((code >> 12) & 0x3F));
    byte(0x80 | ((code >> 6) & 0x3F));
    byte(0x80 | (code & 0x3F));
  }
}

// The character at `at` of well-formed UTF-8 and how many bytes it takes.
std::uint32_t character_at(std::string_view text, std::size_t at, std::size_t& size) {
  const auto lead = static_cast<unsigned char>(text[at]);
  size = lead < 0x80 ? 1 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
  if (size == 1 || at + size > text.size()) {
    size = 1;
    return lead;
  }
  std::uint32_t code = lead & (0xFFu >> (size + 1));
  for (std::size_t i = 1; i < size; ++i) code = (code << 6) | (static_cast<unsigned char>(text[at + i]) & 0x3F);
  return code;
}

void replace(Traced& text, Traced changed, Cause cause, Place place, std::string evidence, TextWork work) {
  work.notes.add(cause, place, std::move(evidence));
  work.repairs.push_back({cause, text.text, changed.text});
  text = std::move(changed);
}

Traced as_traced(ByteView input, std::size_t begin) {
  Traced out;
  out.text.assign(base::as_text(input.subspan(begin)));
  out.shift = begin;
  return out;
}

// UTF-16 in either order. Nothing for an odd length or a lone surrogate.
std::optional<Traced> from_utf16(ByteView input, std::size_t begin, bool big) {
  if ((input.size() - begin) % 2 != 0) return std::nullopt;
  Traced raw = as_traced(input, 0);
  Rewriter out(raw);
  const auto unit = [&](std::size_t at) {
    return static_cast<std::uint32_t>(big ? input[at] << 8 | input[at + 1] : input[at + 1] << 8 | input[at]);
  };
  for (std::size_t at = begin; at < input.size(); at += 2) {
    std::uint32_t code = unit(at);
    const std::size_t start = at;
    if (code >= 0xD800 && code < 0xE000) {
      if (code >= 0xDC00 || at + 4 > input.size()) return std::nullopt;
      const std::uint32_t low = unit(at + 2);
      if (low < 0xDC00 || low >= 0xE000) return std::nullopt;
      code = 0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00);
      at += 2;
    }
    append_utf8(out, code, start);
  }
  return out.take();
}

bool is_control(unsigned char c) { return (c < 0x20 && c != '\n' && c != '\r' && c != '\t' && c != '\f') || c == 0x7F; }

std::size_t count_controls(ByteView input) {
  return static_cast<std::size_t>(std::count_if(input.begin(), input.end(), [](std::uint8_t c) { return is_control(c); }));
}

bool is_dash(std::uint32_t code) {
  return (code >= 0x2010 && code <= 0x2015) || code == 0x2212 || code == 0xFE58 || code == 0xFE63 || code == 0xFF0D ||
         code == 0x2500 || code == 0x30FC;
}
bool is_odd_blank(std::uint32_t code) {
  return code == 0xA0 || code == 0x1680 || (code >= 0x2000 && code <= 0x200A) || code == 0x202F || code == 0x205F ||
         code == 0x2028 || code == 0x2029 || code == 0x85;
}
bool is_invisible(std::uint32_t code) {
  return code == 0xAD || (code >= 0x200B && code <= 0x200F) || (code >= 0x202A && code <= 0x202E) ||
         (code >= 0x2060 && code <= 0x2064) || code == 0xFEFF || (code >= 0xFE00 && code <= 0xFE0F);
}
// ASCII twin of a typographic quotation mark, or 0.
char plain_quote(std::uint32_t code) {
  switch (code) {
    case 0x201C: case 0x201D: case 0x201E: case 0x201F: case 0xAB: case 0xBB: case 0x300C: case 0x300D: return '"';
    case 0x2018: case 0x2019: case 0x201A: case 0x201B: case 0x2039: case 0x203A: return '\'';
    default: return 0;
  }
}

// Counts characters, not bytes: twenty typographic dashes around a short key are sixty bytes.
bool mostly_ascii(std::string_view text) {
  std::size_t ascii = 0;
  std::size_t wide = 0;
  for (char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x80) ++ascii;
    else if (byte >= 0xC0) ++wide;
  }
  return ascii * 10 >= (ascii + wide) * 7;
}

std::string name_of_character(std::uint32_t code) {
  const std::uint8_t bytes[3] = {static_cast<std::uint8_t>(code >> 16), static_cast<std::uint8_t>(code >> 8),
                                 static_cast<std::uint8_t>(code)};
  const std::string hex = base::to_hex(code > 0xFFFF ? ByteView(bytes, 3) : ByteView(bytes + 1, 2));
  return "U+" + hex;
}

int hex_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

void repair_percent(Traced& text, TextWork work) {
  const std::string_view view = text.view();
  std::size_t first = std::string_view::npos;
  std::size_t codes = 0;
  for (std::size_t at = view.find('%'); at != std::string_view::npos; at = view.find('%', at + 1)) {
    if (at + 2 >= view.size() || hex_value(view[at + 1]) < 0 || hex_value(view[at + 2]) < 0) return;
    if (first == std::string_view::npos) first = at;
    ++codes;
  }
  const bool form = view.find("BEGIN+") != std::string_view::npos || view.find("END+") != std::string_view::npos;
  if (codes == 0 && !form) return;
  // Without a single code nothing says that the body was encoded as well: only the labels get their blanks back.
  std::size_t label_end = 0;
  if (first == std::string_view::npos) first = view.find('+');
  Rewriter out(text);
  for (std::size_t at = 0; at < view.size(); ++at) {
    if (view.substr(at, 6) == "BEGIN+" || view.substr(at, 4) == "END+") label_end = std::min(view.find("--", at), view.size());
    if (view[at] == '%') {
      const int code = hex_value(view[at + 1]) * 16 + hex_value(view[at + 2]);
      if (code != '\r') out.put(static_cast<char>(code), at);
      at += 2;
    } else if (form && view[at] == '+' && (codes != 0 || at < label_end)) {
      out.put(' ', at);
    } else {
      out.keep(at);
    }
  }
  Traced changed = out.take();
  if (!base::is_utf8(changed.view())) return;
  replace(text, std::move(changed), Cause::text_is_percent_encoded, text.place(first, first + 3),
          std::to_string(codes) + " percent codes", work);
}

void repair_entities(Traced& text, TextWork work) {
  struct Entity {
    std::string_view name;
    char value;
  };
  static constexpr Entity entities[] = {
      {"&#10;", '\n'},  {"&#xA;", '\n'},  {"&#xa;", '\n'},   {"&#x0A;", '\n'}, {"&#13;", '\r'},  {"&#xD;", '\r'},
      {"&#x0D;", '\r'}, {"&#43;", '+'},   {"&#x2B;", '+'},   {"&plus;", '+'},  {"&#61;", '='},   {"&#x3D;", '='},
      {"&equals;", '='},{"&#47;", '/'},   {"&#x2F;", '/'},   {"&sol;", '/'},   {"&quot;", '"'},  {"&#34;", '"'},
      {"&#39;", '\''},  {"&apos;", '\''}, {"&nbsp;", ' '},   {"&#32;", ' '},   {"&#45;", '-'},   {"&amp;", '&'},
      {"&NewLine;", '\n'}, {"<br>", '\n'}, {"<br/>", '\n'},  {"<br />", '\n'}, {"<BR>", '\n'},   {"</p>", '\n'}, {"<p>", '\n'},
  };
  const std::string_view view = text.view();
  if (view.find('&') == std::string_view::npos && view.find("<br") == std::string_view::npos &&
      view.find("<BR") == std::string_view::npos && view.find("<p>") == std::string_view::npos) {
    return;
  }
  Rewriter out(text);
  std::size_t first = std::string_view::npos;
  for (std::size_t at = 0; at < view.size();) {
    const Entity* found = nullptr;
    if (view[at] == '&' || view[at] == '<') {
      for (const Entity& entity : entities) {
        if (view.substr(at, entity.name.size()) == entity.name) found = &entity;
      }
    }
    if (found == nullptr) {
      out.keep(at++);
      continue;
    }
    if (first == std::string_view::npos) first = at;
    out.put(found->value, at);
    at += found->name.size();
  }
  if (first == std::string_view::npos) return;
  replace(text, out.take(), Cause::text_has_html_entities, text.place(first, first + 1), {}, work);
}

void repair_backslashes(Traced& text, TextWork work) {
  const std::string_view view = text.view();
  std::size_t first = view.find('\\');
  if (first == std::string_view::npos) return;
  Rewriter out(text);
  std::size_t breaks = 0;
  std::size_t changed = 0;
  for (std::size_t at = 0; at < view.size();) {
    if (view[at] != '\\') {
      out.keep(at++);
      continue;
    }
    std::size_t end = at;
    while (end < view.size() && view[end] == '\\') ++end;
    const char next = end < view.size() ? view[end] : '\n';
    ++changed;
    if (next == 'n') {
      out.put('\n', at);
      ++breaks;
      at = end + 1;
    } else if (next == 'r') {
      at = end + 1;
    } else if (next == 't') {
      out.put(' ', at);
      at = end + 1;
    } else if (next == 'u' && end + 4 < view.size() && view.substr(end + 1, 2) == "00" && hex_value(view[end + 3]) >= 0 &&
               hex_value(view[end + 4]) >= 0) {
      out.put(static_cast<char>(hex_value(view[end + 3]) * 16 + hex_value(view[end + 4])), at);
      at = end + 5;
    } else if (next == '/' || next == '"' || next == '\'' || next == '+' || next == '=' || next == '\n' || next == ' ') {
      at = end;  // an escaped character, or the line continuation of a shell
    } else {
      --changed;
      while (at < end) out.keep(at++);
    }
  }
  if (changed == 0) return;
  replace(text, out.take(), Cause::newlines_are_escaped, text.place(first, first + 2),
          breaks != 0 ? std::to_string(breaks) + " escaped line breaks" : std::to_string(changed) + " escapes", work);
}

void repair_reply_marks(Traced& text, TextWork work) {
  const std::string_view view = text.view();
  if (view.empty() || view[0] != '>') return;
  std::size_t lines = 0;
  std::size_t marked = 0;
  for (std::size_t at = 0; at < view.size();) {
    std::size_t end = std::min(view.find('\n', at), view.size());
    if (end > at) ++lines;
    if (end > at && view[at] == '>') ++marked;
    at = end + 1;
  }
  if (marked * 10 < lines * 8) return;
  Rewriter out(text);
  bool at_start = true;
  std::size_t first = view.find('>');
  for (std::size_t at = 0; at < view.size(); ++at) {
    if (at_start && (view[at] == '>' || view[at] == ' ')) continue;
    at_start = view[at] == '\n';
    out.keep(at);
  }
  replace(text, out.take(), Cause::text_has_reply_marks, text.place(first, first + 1), std::to_string(marked) + " lines",
          work);
}

}  // namespace

bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f' || c == '\v'; }

void trim(Traced& text) {
  std::size_t begin = 0;
  std::size_t end = text.size();
  while (begin < end && is_blank(text.text[begin])) ++begin;
  while (end > begin && is_blank(text.text[end - 1])) --end;
  if (begin != 0 || end != text.size()) text = text.part(begin, end);
}

std::optional<Traced> decode_text(ByteView input, TextWork work) {
  Place mark;
  mark.begin = 0;
  if (input.size() >= 2 && ((input[0] == 0xFF && input[1] == 0xFE) || (input[0] == 0xFE && input[1] == 0xFF))) {
    auto text = from_utf16(input, 2, input[0] == 0xFE);
    if (!text) return std::nullopt;
    mark.end = 2;
    work.notes.add(Cause::text_is_utf16, mark, input[0] == 0xFE ? "big-endian with mark" : "little-endian with mark");
    return text;
  }
  if (input.size() >= 8 && input.size() % 2 == 0) {
    std::size_t even = 0;
    std::size_t odd = 0;
    for (std::size_t i = 0; i < input.size(); ++i) {
      if (input[i] == 0) ++(i % 2 == 0 ? even : odd);
    }
    const std::size_t half = input.size() / 2;
    if (std::max(even, odd) * 10 >= half * 9 && std::min(even, odd) == 0) {
      auto text = from_utf16(input, 0, even > odd);
      if (text && count_controls(bytes_of(text->text)) == 0) {
        mark.end = 2;
        work.notes.add(Cause::text_is_utf16, mark, "without mark");
        return text;
      }
    }
  }
  std::size_t begin = 0;
  if (input.size() >= 3 && input[0] == 0xEF && input[1] == 0xBB && input[2] == 0xBF) {
    mark.end = 3;
    begin = 3;
  }
  const ByteView body = input.subspan(begin);
  // NUL bytes at the end come from C buffers; any other control character says "binary".
  std::size_t size = body.size();
  while (size > 0 && body[size - 1] == 0) --size;
  if (count_controls(body.first(size)) != 0) return std::nullopt;
  if (base::is_utf8(base::as_text(body.first(size)))) {
    if (begin != 0) work.notes.add(Cause::text_has_byte_order_mark, mark);
    if (size != body.size()) {
      Place place;
      place.begin = begin + size;
      place.end = input.size();
      work.notes.add(Cause::trailing_data_after_content, place, std::to_string(body.size() - size) + " NUL bytes");
    }
    Traced out = as_traced(input.first(begin + size), begin);
    return out;
  }
  if (!mostly_ascii(base::as_text(body))) return std::nullopt;
  // Windows-1252: only its quotes, dashes and blanks matter to a key; everything else keeps its Latin-1 meaning.
  static constexpr std::array<std::uint16_t, 32> high = {
      0x20AC, 0x81, 0x201A, 0x192, 0x201E, 0x2026, 0x2020, 0x2021, 0x2C6, 0x2030, 0x160, 0x2039, 0x152, 0x8D, 0x17D, 0x8F,
      0x90, 0x2018, 0x2019, 0x201C, 0x201D, 0x2022, 0x2013, 0x2014, 0x2DC, 0x2122, 0x161, 0x203A, 0x153, 0x9D, 0x17E, 0x178};
  Traced raw = as_traced(input, 0);
  Rewriter out(raw);
  std::size_t first = input.size();
  for (std::size_t at = begin; at < begin + size; ++at) {
    const std::uint8_t byte = input[at];
    if (byte >= 0x80) first = std::min(first, at);
    append_utf8(out, byte >= 0x80 && byte < 0xA0 ? high[byte - 0x80] : byte, at);
  }
  Place place;
  place.begin = first;
  place.end = first + 1;
  work.notes.add(Cause::text_is_not_utf8, place);
  return out.take();
}

void repair_characters(Traced& text, TextWork work) {
  const std::string_view view = text.view();
  const bool has_wide = std::any_of(view.begin(), view.end(), [](char c) { return static_cast<unsigned char>(c) >= 0x80; });
  if (has_wide && mostly_ascii(view)) {
    Rewriter out(text);
    struct Seen {
      std::size_t count = 0, first = 0;
      std::uint32_t code = 0;
      void note(std::size_t at, std::uint32_t c) {
        if (count++ == 0) {
          first = at;
          code = c;
        }
      }
    } dashes, invisible, wide, quotes;
    for (std::size_t at = 0; at < view.size();) {
      std::size_t size = 1;
      const std::uint32_t code = character_at(view, at, size);
      if (code < 0x80) {
        out.keep(at);
      } else if (is_dash(code)) {
        out.put('-', at);
        dashes.note(at, code);
      } else if (is_odd_blank(code)) {
        // Inside of a row of dashes it is only in the way.
        const bool in_dashes = at > 0 && view[at - 1] == '-' && at + size < view.size() && view[at + size] == '-';
        if (!in_dashes) out.put(code == 0x2028 || code == 0x2029 || code == 0x85 ? '\n' : ' ', at);
        invisible.note(at, code);
      } else if (is_invisible(code)) {
        invisible.note(at, code);
      } else if (code >= 0xFF01 && code <= 0xFF5E) {
        out.put(static_cast<char>(code - 0xFEE0), at);
        wide.note(at, code);
      } else if (const char quote = plain_quote(code); quote != 0) {
        out.put(quote, at);
        quotes.note(at, code);
      } else {
        for (std::size_t i = 0; i < size; ++i) out.keep(at + i);
      }
      at += size;
    }
    const auto report = [&](const Seen& seen, Cause cause) {
      if (seen.count == 0) return;
      work.notes.add(cause, text.place(seen.first, seen.first + 1),
                     std::to_string(seen.count) + " times, first " + name_of_character(seen.code));
    };
    report(dashes, Cause::dashes_are_typographic);
    report(invisible, Cause::text_has_invisible_characters);
    report(wide, Cause::text_has_fullwidth_characters);
    if (dashes.count + invisible.count + wide.count + quotes.count != 0) {
      Traced changed = out.take();
      const Cause cause = dashes.count != 0     ? Cause::dashes_are_typographic
                          : invisible.count != 0 ? Cause::text_has_invisible_characters
                          : wide.count != 0      ? Cause::text_has_fullwidth_characters
                                                 : Cause::text_is_quoted;
      work.repairs.push_back({cause, text.text, changed.text});
      text = std::move(changed);
    }
  }
  const std::string_view now = text.view();
  if (const std::size_t cr = now.find('\r'); cr != std::string_view::npos) {
    const Place place = text.place(cr, cr + 1);
    Rewriter out(text);
    for (std::size_t at = 0; at < now.size(); ++at) {
      if (now[at] != '\r') {
        out.keep(at);
      } else if (at + 1 >= now.size() || now[at + 1] != '\n') {
        if (at + 1 >= now.size() || now[at + 1] != '\r') out.put('\n', at);
      }
    }
    text = out.take();
    work.notes.add(Cause::line_ends_are_windows, place);
  }
}

void repair_escapes(Traced& text, TextWork work) {
  repair_entities(text, work);
  repair_percent(text, work);
  repair_backslashes(text, work);
  repair_reply_marks(text, work);
}

void repair_quotes(Traced& text, TextWork work) {
  const std::string_view view = text.view();
  std::size_t begin = 0;
  std::size_t end = view.size();
  // export NAME=, NAME=, "name": or name: in front of the value. Never inside a value: a base64 digit is no separator,
  // and padding stands at the end.
  std::size_t at = 0;
  if (view.substr(0, 7) == "export ") at = 7;
  const std::size_t name = at;
  const bool quoted_name = at < end && (view[at] == '"' || view[at] == '\'');
  if (quoted_name) ++at;
  while (at < end && (std::isalnum(static_cast<unsigned char>(view[at])) != 0 || view[at] == '_' || view[at] == '.' ||
                      (view[at] == '-' && at > name))) {
    ++at;
  }
  if (quoted_name && at < end && view[at] == view[name]) ++at;
  std::size_t after = at;
  while (after < end && (view[after] == ' ' || view[after] == '\t')) ++after;
  // Pairs of hex digits between colons are no names.
  const bool separated = after < end && (view[after] == '=' || (view[after] == ':' && at - name >= 3));
  const bool named = at > name && at - name <= 64 && std::isdigit(static_cast<unsigned char>(view[name])) == 0;
  if (named && separated) {
    const bool colon = view[after] == ':';
    // The = behind the last digits of base64 is padding: nothing, or another one, follows it.
    const bool padding = !colon && (after + 1 >= end || view[after + 1] == '\n' || view[after + 1] == '=');
    ++after;
    while (after < end && (view[after] == ' ' || view[after] == '\t')) ++after;
    if (colon && after + 1 < end && (view[after] == '|' || view[after] == '>')) {
      ++after;
      while (after < end && view[after] != '\n') ++after;
    }
    const std::string_view rest = view.substr(after);
    const std::string_view word = view.substr(name, at - name);
    const bool plausible = !padding && rest.size() >= 16 && rest.find_first_not_of("= \n") != std::string_view::npos;
    // `SHA256:...`, `Bag Attributes: ...` and the headers of other formats keep their names.
    const bool reserved = word == "SHA256" || word == "MD5" || word == "SHA1" || word == "http" || word == "https" ||
                          word == "file" || word == "bitcoin" || word == "ethereum" || word.starts_with("PuTTY") ||
                          word == "Bag";
    const bool quoted_value = !rest.empty() && (rest[0] == '"' || rest[0] == '\'' || rest[0] == '`');
    const bool one_value = rest.find("BEGIN") != std::string_view::npos || rest.find("-END ") != std::string_view::npos ||
                           rest.find('\n') == std::string_view::npos || quoted_value || colon;
    if (plausible && !reserved && one_value && (!colon || view.find("BEGIN") != std::string_view::npos || rest.find(' ') == std::string_view::npos)) {
      begin = after;
    }
  }
  bool stripped = begin != 0;
  for (int pass = 0; pass < 3; ++pass) {
    while (begin < end && is_blank(view[begin])) ++begin;
    while (end > begin && is_blank(view[end - 1])) --end;
    if (end - begin < 2) break;
    const char open = view[begin];
    if (open != '"' && open != '\'' && open != '`') break;
    // A closing quote may have been lost, or be followed by a comma or semicolon.
    std::size_t close = end - 1;
    while (close > begin && (view[close] == ',' || view[close] == ';')) --close;
    ++begin;
    if (view[close] == open && close >= begin) end = close;
    stripped = true;
  }
  if (!stripped && end > begin + 1) {
    const char last = view[end - 1];
    if ((last == '"' || last == '\'' || last == '`') && view.substr(begin, end - 1 - begin).find(last) == std::string_view::npos) {
      --end;
      stripped = true;
    }
  }
  if (!stripped) return;
  Traced changed = text.part(begin, end);
  const Place place = text.place(0, std::max<std::size_t>(begin, 1));
  replace(text, std::move(changed), Cause::text_is_quoted, place, {}, work);
}

}  // namespace intake
