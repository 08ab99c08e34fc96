#pragma once
// Damage of transport in a text: character sets, invisible and typographic characters, quotes, escapes, indentation.
// Every pass either leaves the text alone or reports what it changed. No pass can turn one base64 digit into another.

#include <optional>
#include <string_view>

#include "intake/finding.h"
#include "intake/traced.h"

namespace intake {

/// A repair with the text before and after it, kept until it is known whether it may be shown.
struct Repair {
  Cause cause{};
  Text before, after;
};

struct TextWork {
  Notes& notes;
  std::vector<Repair>& repairs;
};

/// Bytes to UTF-8: byte order marks, UTF-16 of both orders (with and without mark), Windows-1252. Nothing when the bytes
/// are no text.
std::optional<Traced> decode_text(base::ByteView input, TextWork work);

/// Typographic dashes, no-break and zero-width blanks, full-width characters, typographic quotes, CR LF. Only for texts
/// that are mostly ASCII; a mnemonic in Japanese keeps its ideographic blanks.
void repair_characters(Traced& text, TextWork work);

/// Escaped line breaks, percent and HTML encoding, marks of quoted mail.
void repair_escapes(Traced& text, TextWork work);

/// Quotation marks and `NAME=` or `name:` around the whole value.
void repair_quotes(Traced& text, TextWork work);

/// Removes blanks at both ends, silently.
void trim(Traced& text);

bool is_blank(char c);

}  // namespace intake
