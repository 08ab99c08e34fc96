#pragma once
// PEM (RFC 7468) as it is met: boundaries with any number of dashes, lost halves, lost line breaks, header lines.

#include <string>
#include <string_view>
#include <vector>

#include "intake/content.h"
#include "intake/traced.h"

namespace intake {

/// One BEGIN .. END pair, or what is left of one. Offsets are into the text it was found in.
struct PemBlock {
  bool has_begin = false;
  bool has_end = false;
  std::string begin_label;  ///< as written, blanks collapsed
  std::string end_label;
  std::size_t begin = 0;       ///< of the BEGIN line, or of the body without one
  std::size_t body_begin = 0;
  std::size_t body_end = 0;
  std::size_t end = 0;         ///< one past the END line
  bool boundary_damaged = false;  ///< dashes, case or blanks of a boundary are wrong
  bool one_line = false;          ///< the body starts on the line of the BEGIN boundary
  bool indented = false;
};

/// All blocks in order. A text without BEGIN and END gives none. `blocks_max` bounds the result.
std::vector<PemBlock> find_pem_blocks(std::string_view text, std::size_t blocks_max);

/// `Name: value` lines in front of the body, and where the data starts.
struct PemHeaders {
  std::vector<std::pair<std::string, std::string>> lines;
  std::size_t data_begin = 0;
  std::string_view find(std::string_view name) const;
};
PemHeaders read_pem_headers(std::string_view text, const PemBlock& block);

/// A label we know, in its proper spelling: exact, or the closest within two edits. Empty when nothing is close.
std::string_view known_label(std::string_view label);

/// What a run of base64 digits looked like.
struct Base64Scan {
  Content content;                     ///< decoded as far as the digits go
  std::size_t digits = 0;
  bool url_alphabet = false;
  bool standard_only = false;          ///< has + or /
  std::size_t padding = 0;
  bool padding_wrong = false;          ///< missing or too many = for the digits
  bool lone_digit = false;             ///< digits mod 4 is 1: at least one is lost
  std::size_t bad_at = std::string_view::npos;  ///< offset of the first character that is none
  bool elided = false;                 ///< ... or *** stands in it
  std::size_t repeated_line = 0;       ///< digits of a line that directly repeats the one before; 0 if none
};
/// Decodes [begin, end) of `text`, skipping blanks, in either alphabet.
Base64Scan scan_base64(const Traced& text, std::size_t begin, std::size_t end);

/// Edit distance, at most `limit` + 1.
std::size_t edit_distance(std::string_view a, std::string_view b, std::size_t limit);

}  // namespace intake
