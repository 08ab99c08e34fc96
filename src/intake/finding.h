#pragma once
// What the import doctor found: one cause, at one place, with its evidence.

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "intake/cause.h"

namespace intake {

/// Where in the input. Offsets count bytes of the input as it came, also where the damage was found only after repairs.
struct Place {
  static constexpr std::size_t nowhere = static_cast<std::size_t>(-1);
  std::size_t begin = nowhere;  ///< first byte of the input, or `nowhere` when the finding is about the whole
  std::size_t end = nowhere;    ///< one past the last byte
  std::uint32_t line = 0;       ///< from 1; 0 when the input is binary or the place is the whole
  std::uint32_t column = 0;     ///< from 1, in characters
  /// Offset inside the decoded content (DER), where the finding is about a structure; else `nowhere`.
  std::size_t content_offset = nowhere;

  bool known() const { return begin != nowhere; }
};

/// Never holds bytes of a private input: the evidence names positions, lengths, classes of characters and public names.
struct Finding {
  Cause cause{};
  Severity severity{};  ///< that of the row, or raised by policy
  Place place;
  std::string evidence;  ///< one sentence of particulars in English; may be empty
  /// What the repair changed, as a unified diff without headers. Empty unless severity is `repaired` and the whole input
  /// is public.
  std::string repair;

  std::string_view code() const { return row_of(cause).code; }
  std::string_view remedy_en() const { return row_of(cause).remedy_en; }
  std::string_view remedy_zh() const { return row_of(cause).remedy_zh; }
};

/// Collects findings while an input is read. A cause is kept once per place.
class Notes {
 public:
  void add(Cause cause, Place place = {}, std::string evidence = {});
  /// The same at a severity other than the row's.
  void add_as(Severity severity, Cause cause, Place place = {}, std::string evidence = {});
  bool has(Cause cause) const;
  /// True when something of this severity or worse was found.
  bool at_least(Severity severity) const;
  std::vector<Finding>& all() { return findings_; }
  const std::vector<Finding>& all() const { return findings_; }

 private:
  std::vector<Finding> findings_;
};

}  // namespace intake
