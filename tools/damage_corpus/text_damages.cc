#include <algorithm>

#include "base/text.h"
#include "damages.h"

namespace corpus {
namespace {

using intake::Cause;

std::string replaced(std::string text, const std::string& from, const std::string& to) {
  for (std::size_t at = text.find(from); at != std::string::npos; at = text.find(from, at + to.size())) text.replace(at, from.size(), to);
  return text;
}

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> out;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = std::min(text.find('\n', at), text.size());
    out.push_back(text.substr(at, end - at));
    at = end + 1;
  }
  return out;
}

std::string joined(const std::vector<std::string>& lines, const std::string& between = "\n", bool at_end = true) {
  std::string out;
  for (std::size_t i = 0; i < lines.size(); ++i) out += lines[i] + (i + 1 < lines.size() || at_end ? between : "");
  return out;
}

// The body of the only block.
std::pair<std::size_t, std::size_t> body_of(const std::string& text) {
  const std::size_t begin = text.find('\n') + 1;
  return {begin, text.find("\n-----END") + 1};
}

std::string utf16(const std::string& text, bool big, bool mark) {
  std::string out;
  if (mark) out += big ? "\xFE\xFF" : "\xFF\xFE";
  for (char c : text) {
    if (big) out.push_back('\0');
    out.push_back(c);
    if (!big) out.push_back('\0');
  }
  return out;
}

std::optional<std::string> none() { return std::nullopt; }

}  // namespace

const std::vector<TextDamage>& text_damages() {
  static const std::vector<TextDamage> damages = {
      {Cause::pem_header_missing, "header and footer gone", 0,
       [](Dice& dice, std::string text) -> std::optional<std::string> {
         const auto [begin, end] = body_of(text);
         std::string body = text.substr(begin, end - begin);
         if (dice.below(2) == 0) body.erase(std::remove(body.begin(), body.end(), '\n'), body.end());
         return body;
       }},
      {Cause::pem_footer_missing, "footer gone", 0, [](Dice&, std::string text) -> std::optional<std::string> { return text.substr(0, text.find("-----END")); }},
      {Cause::pem_header_line_missing_only, "header gone", 0, [](Dice&, std::string text) -> std::optional<std::string> {
         text.erase(0, text.find("\n") + 1);
         return text;
       }},
      {Cause::pem_label_is_misspelt, "label misspelt", 0,
       [](Dice& dice, std::string text) -> std::optional<std::string> {
         const std::size_t begin = 11;
         const std::size_t end = text.find("-----", begin);
         std::string label = text.substr(begin, end - begin);
         const std::string right = label;
         // Not the words that tell public from private.
         const std::size_t at = label.find("KEY") != std::string::npos ? label.find("KEY") + dice.below(3) : dice.below(label.size());
         if (dice.below(2) == 0) label.erase(at, 1);
         else label[at] = label[at] == 'X' ? 'Y' : 'X';
         if (label.find("  ") != std::string::npos || label.front() == ' ' || label.back() == ' ') return none();
         return dice.below(2) == 0 ? replaced(text, right + "-----", label + "-----") : "-----BEGIN " + label + text.substr(end);
       }},
      {Cause::pem_boundary_is_damaged, "dashes, case or blanks of a boundary", 0,
       [](Dice& dice, std::string text) -> std::optional<std::string> {
         switch (dice.below(5)) {
           case 0: return text.insert(0, 1, '-');
           case 1: return text.substr(1);
           case 2: return replaced(text, "-----END", "----END");
           case 3: {
             const std::size_t end = text.find('\n');
             std::transform(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(end), text.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
             return text;
           }
           default: return replaced(text, "-----BEGIN ", "----- BEGIN ");
         }
       }},
      {Cause::base64_uses_url_alphabet, "url alphabet", 0,
       [](Dice&, std::string text) -> std::optional<std::string> {
         auto [begin, end] = body_of(text);
         bool changed = false;
         for (std::size_t i = begin; i < end; ++i) {
           if (text[i] == '+' || text[i] == '/') {
             text[i] = text[i] == '+' ? '-' : '_';
             changed = true;
           }
         }
         return changed ? std::optional(text) : none();
       }},
      {Cause::base64_padding_is_wrong, "padding", 0,
       [](Dice& dice, std::string text) -> std::optional<std::string> {
         const std::size_t at = text.find("=\n-----END");
         if (at == std::string::npos) {
           const std::size_t end = text.find("\n-----END");
           return text.substr(0, end) + "=" + text.substr(end);
         }
         if (dice.below(2) == 0) return text.substr(0, at) + text.substr(at + 1);
         return text.substr(0, at) + "==" + text.substr(at);
       }},
      {Cause::pem_is_on_one_line, "one line", 1,
       [](Dice& dice, std::string text) -> std::optional<std::string> {
         if (text.find("-----BEGIN") == std::string::npos) return none();
         return joined(lines_of(text), dice.below(2) == 0 ? " " : "", false);
       }},
      {Cause::text_is_indented, "indented", 1,
       [](Dice& dice, std::string text) -> std::optional<std::string> {
         auto lines = lines_of(text);
         if (lines.size() < 2) return none();
         const std::string indent = dice.one_of(std::vector<std::string>{"  ", "    ", "\t", "        "});
         const bool first = dice.below(2) == 0;
         for (std::size_t i = first ? 0 : 1; i < lines.size(); ++i) lines[i] = indent + lines[i];
         return joined(lines);
       }},
      {Cause::text_has_reply_marks, "quoted mail", 1,
       [](Dice& dice, std::string text) -> std::optional<std::string> {
         auto lines = lines_of(text);
         const std::string mark = dice.below(2) == 0 ? "> " : ">";
         for (auto& line : lines) line = mark + line;
         return joined(lines);
       }},
      {Cause::newlines_are_escaped, "escaped line breaks", 2,
       [](Dice& dice, std::string text) -> std::optional<std::string> {
         if (lines_of(text).size() < 2) return none();
         return joined(lines_of(text), dice.one_of(std::vector<std::string>{"\\n", "\\\\n", "\\r\\n", "\\\\\\\\n"}), dice.below(2) == 0);
       }},
      {Cause::text_is_percent_encoded, "percent encoding", 2,
       [](Dice& dice, std::string text) -> std::optional<std::string> {
         text = replaced(text, "%", "%25");
         text = replaced(text, "+", "%2B");
         text = replaced(text, "/", "%2F");
         text = replaced(text, "=", "%3D");
         text = replaced(text, "\n", dice.below(2) == 0 ? "%0A" : "%0D%0A");
         return replaced(text, " ", dice.below(2) == 0 ? "%20" : "+");
       }},
      {Cause::text_has_html_entities, "HTML entities", 2,
       [](Dice& dice, std::string text) -> std::optional<std::string> {
         switch (dice.below(3)) {
           case 0: return text.find('\n') == std::string::npos ? none() : std::optional(replaced(text, "\n", "&#10;"));
           case 1: return text.find('\n') == std::string::npos ? none() : std::optional(replaced(text, "\n", "<br>\n"));
           default: return replaced(replaced(text, "=", "&#61;"), "+", "&#43;").find('&') == std::string::npos ? none() : std::optional(replaced(replaced(text, "=", "&#61;"), "+", "&#43;"));
         }
       }},
      {Cause::text_is_quoted, "quotation marks or a name in front", 3,
       [](Dice& dice, std::string text) -> std::optional<std::string> {
         while (!text.empty() && text.back() == '\n') text.pop_back();
         switch (dice.below(6)) {
           case 0: return "\"" + text + "\"";
           case 1: return "'" + text + "'\n";
           case 2: return "PARTNER_KEY=\"" + text + "\"\n";
           case 3: return "export KEY='" + text + "'";
           case 4: return "`" + text + "`";
           default: return "\"" + text + "\",";
         }
       }},
      {Cause::dashes_are_typographic, "typographic dashes", 4,
       [](Dice& dice, std::string text) -> std::optional<std::string> {
         if (text.find("-----") == std::string::npos) return none();
         switch (dice.below(4)) {
           case 0: return replaced(text, "-----", "\xE2\x80\x94\xE2\x80\x94-");
           case 1: return replaced(text, "-----", "\xE2\x80\x93\xE2\x80\x93\xE2\x80\x93\xE2\x80\x93\xE2\x80\x93");
           case 2: return replaced(text, "-----", "\xE2\x80\x91\xE2\x80\x91\xE2\x80\x91\xE2\x80\x91\xE2\x80\x91");
           default: return replaced(text, "-----", "\xE2\x80\x94\xE2\x80\x93-");
         }
       }},
      {Cause::text_has_invisible_characters, "no-break blanks and zero widths", 4,
       [](Dice& dice, std::string text) -> std::optional<std::string> {
         if (dice.below(2) == 0 && text.find(' ') != std::string::npos) return replaced(text, " ", "\xC2\xA0");
         const std::string invisible = dice.one_of(std::vector<std::string>{"\xE2\x80\x8B", "\xC2\xAD", "\xE2\x81\xA0", "\xE2\x80\xAF"});
         for (int i = 0; i < 3; ++i) text.insert(dice.below(text.size()), invisible);
         return base::is_utf8(text) ? std::optional(text) : none();
       }},
      {Cause::text_has_fullwidth_characters, "full-width letters", 4,
       [](Dice& dice, std::string text) -> std::optional<std::string> {
         std::size_t changed = 0;
         std::string out;
         for (char c : text) {
           if (std::isalnum(static_cast<unsigned char>(c)) != 0 && changed < 8 && dice.below(40) == 0) {
             const unsigned code = 0xFF00u + static_cast<unsigned>(c) - 0x20u;
             for (unsigned byte : {0xE0u | code >> 12, 0x80u | (code >> 6 & 63), 0x80u | (code & 63)}) out.push_back(static_cast<char>(byte));
             ++changed;
           } else {
             out.push_back(c);
           }
         }
         return changed != 0 ? std::optional(out) : none();
       }},
      {Cause::text_has_byte_order_mark, "byte order mark", 5, [](Dice&, std::string text) -> std::optional<std::string> { return "\xEF\xBB\xBF" + text; }},
      {Cause::text_is_utf16, "UTF-16", 5,
       [](Dice& dice, std::string text) -> std::optional<std::string> {
         if (std::any_of(text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) >= 0x80; })) return none();
         return utf16(text, dice.below(2) == 0, dice.below(3) != 0);
       }},
  };
  return damages;
}

}  // namespace corpus
