#pragma once
// DER (X.690) as certificates, revocation lists and OCSP responses use it: a strict reader that never allocates. Views
// point into the input. Readable BER that is not DER is refused here; repairing is the import doctor's business.

#include <cstdint>
#include <optional>

#include "base/bytes.h"

namespace crypto::chain {

namespace tag {
constexpr std::uint8_t boolean = 0x01, integer = 0x02, bit_string = 0x03, octet_string = 0x04, null = 0x05, oid = 0x06,
                       enumerated = 0x0A, utf8_string = 0x0C, printable_string = 0x13, t61_string = 0x14,
                       ia5_string = 0x16, utc_time = 0x17, generalized_time = 0x18, universal_string = 0x1C,
                       bmp_string = 0x1E, sequence = 0x30, set = 0x31;
/// Context tag n, constructed and primitive.
constexpr std::uint8_t constructed(int n) { return static_cast<std::uint8_t>(0xA0 + n); }
constexpr std::uint8_t primitive(int n) { return static_cast<std::uint8_t>(0x80 + n); }
}  // namespace tag

/// One tag-length-value.
struct Element {
  std::uint8_t tag = 0;
  base::ByteView body;
  base::ByteView whole;  ///< header and body
};

/// Reads elements one after the other: definite minimal lengths, tag numbers below 31. After a failure it stays failed.
class Reader {
 public:
  explicit Reader(base::ByteView bytes) : bytes_(bytes) {}
  explicit Reader(const Element& parent) : bytes_(parent.body) {}

  bool at_end() const { return bytes_.empty(); }
  bool failed() const { return failed_; }
  /// Everything was read and nothing failed.
  bool done() const { return bytes_.empty() && !failed_; }
  /// Tag of the next element, 0 at the end.
  std::uint8_t peek() const { return bytes_.empty() ? std::uint8_t{0} : bytes_[0]; }
  std::optional<Element> next();
  /// The next element when it has this tag; otherwise the reader fails.
  std::optional<Element> next(std::uint8_t wanted);
  /// The next element when it has this tag; otherwise nothing is consumed and nothing fails.
  std::optional<Element> next_if(std::uint8_t wanted);

 private:
  base::ByteView bytes_;
  bool failed_ = false;
};

/// The one element `bytes` consists of; nothing when it has another tag or something follows.
std::optional<Element> only(base::ByteView bytes, std::uint8_t wanted);

/// 0x00 or 0xFF.
std::optional<bool> boolean_of(const Element& element);
/// A non-negative INTEGER below 2^31 in its shortest form.
std::optional<std::uint32_t> small_integer_of(const Element& element);
/// An INTEGER in its shortest form, not negative: its bytes without leading zeros (empty for zero).
std::optional<base::ByteView> unsigned_of(const Element& element);
/// Content of a BIT STRING with no unused bits.
std::optional<base::ByteView> whole_bits_of(const Element& element);

/// The frame of everything that is signed in X.509 (RFC 5280 section 4.1.1, 5.1.1): a sequence of what is signed, the algorithm,
/// the signature.
struct SignedFrame {
  Element body;
  base::ByteView algorithm;   ///< AlgorithmIdentifier, whole
  base::ByteView signature;   ///< content of the BIT STRING
};
/// Reads the frame in one outer sequence; nothing if it has another structure.
std::optional<SignedFrame> signed_frame_of(const Element& whole);
/// A named bit list of at most 16 bits; bit n of the list is bit n of the result. Trailing zero bits, which DER forbids and
/// many authorities write, are taken; bits set in the unused part are not.
std::optional<std::uint32_t> named_bits_of(const Element& element);
/// UTCTime or GeneralizedTime exactly as RFC 5280 section 4.1.2.5 allows them (seconds present, `Z`, no fraction), in
/// seconds since 1970; negative before.
std::optional<std::int64_t> time_of(const Element& element);

}  // namespace crypto::chain
