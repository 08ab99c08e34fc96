#pragma once
// DER (X.690): a strict reader, a converter that makes DER of readable BER, and a small writer. Never allocates while
// reading; views point into the input.

#include <cstdint>
#include <initializer_list>
#include <optional>

#include "base/bytes.h"
#include "intake/wiped.h"

namespace intake {

/// Identifier octets the doctor meets. Only low tag numbers (below 31) exist in the formats it reads.
namespace tag {
constexpr std::uint8_t boolean = 0x01, integer = 0x02, bit_string = 0x03, octet_string = 0x04, null = 0x05, oid = 0x06,
                       enumerated = 0x0A, utf8_string = 0x0C, printable_string = 0x13, t61_string = 0x14,
                       ia5_string = 0x16, utc_time = 0x17, generalized_time = 0x18, bmp_string = 0x1E, sequence = 0x30,
                       set = 0x31;
/// Context tag n: constructed (explicit) and primitive (implicit).
constexpr std::uint8_t explicit_tag(int n) { return static_cast<std::uint8_t>(0xA0 + n); }
constexpr std::uint8_t implicit_tag(int n) { return static_cast<std::uint8_t>(0x80 + n); }
}  // namespace tag

/// Deepest nesting any reader follows.
constexpr int der_depth_max = 24;

/// One tag-length-value.
struct Element {
  std::uint8_t tag = 0;
  base::ByteView body;
  base::ByteView whole;    ///< header and body
  std::size_t offset = 0;  ///< of `whole` in the outermost input
  std::size_t body_offset() const { return offset + (whole.size() - body.size()); }
};

/// Reads elements one after the other, strictly: definite minimal lengths, low tags. After a failure it stays failed.
class DerCursor {
 public:
  explicit DerCursor(base::ByteView bytes, std::size_t offset = 0) : bytes_(bytes), offset_(offset) {}
  /// Over the content of a constructed element.
  explicit DerCursor(const Element& parent) : bytes_(parent.body), offset_(parent.body_offset()) {}

  bool at_end() const { return at_ == bytes_.size(); }
  bool failed() const { return failed_; }
  /// Everything was read and nothing failed.
  bool done() const { return at_end() && !failed_; }
  /// Offset in the outermost input of what comes next.
  std::size_t position() const { return offset_ + at_; }
  /// Tag of the next element, 0 at the end.
  std::uint8_t peek() const { return at_end() ? std::uint8_t{0} : bytes_[at_]; }
  std::optional<Element> next();
  /// The next element when it has this tag; otherwise the cursor fails.
  std::optional<Element> next(std::uint8_t tag);
  /// The next element when it has this tag; otherwise nothing is consumed and nothing fails.
  std::optional<Element> next_if(std::uint8_t tag);
  base::ByteView rest() const { return bytes_.subspan(at_); }

 private:
  base::ByteView bytes_;
  std::size_t offset_;
  std::size_t at_ = 0;
  bool failed_ = false;
};

/// Length of the first element with its header as the header announces it, also when the bytes do not reach that far.
/// Nothing for an indefinite length or an impossible header.
std::optional<std::size_t> announced_size(base::ByteView bytes);

/// Where strict DER ends: offset of the first element that breaks a rule, or nothing when `bytes` is exactly one
/// well-formed element with well-formed children. Content of octet and bit strings is not entered.
std::optional<std::size_t> first_der_fault(base::ByteView bytes);

/// The same value in DER when `bytes` starts with a readable BER element (long or indefinite lengths, constructed
/// strings, padded integers). `used` gets the number of input bytes it took.
std::optional<Secret> ber_to_der(base::ByteView bytes, std::size_t& used);

/// Body of an INTEGER as a non-negative big-endian number without leading zeros (empty for zero). Nothing when negative,
/// empty or padded.
std::optional<base::ByteView> unsigned_integer(const Element& element);
/// Body of an INTEGER that fits 32 bits.
std::optional<std::uint32_t> small_integer(const Element& element);
/// Body of a BIT STRING with no unused bits.
std::optional<base::ByteView> whole_bits(const Element& element);

/// --- writer ---------------------------------------------------------------------------------------------------------
/// tag, shortest length, the parts one after the other.
Secret der(std::uint8_t tag, std::initializer_list<base::ByteView> parts);
/// INTEGER of a big-endian unsigned number (leading zeros allowed).
Secret der_integer(base::ByteView number);
/// BIT STRING with no unused bits.
Secret der_bits(base::ByteView bits);

}  // namespace intake
