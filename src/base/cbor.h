#pragma once
// Deterministic CBOR (RFC 8949 section 4.2.1): the canonical bytes of commands, events and snapshots. Only the part of
// CBOR that the formats use: unsigned and negative integers, byte and text strings, arrays, maps, false / true / null,
// and tag 2 bignums for amounts. Lengths are always definite and every argument takes its shortest form, so that a
// value has exactly one encoding; the reader refuses every other one.

#include <cstdint>
#include <optional>
#include <string_view>

#include "base/bytes.h"
#include "base/int128.h"

namespace base {

/// Appends items to a byte string it does not own. Map keys must be written in ascending encoded order: for the small
/// unsigned keys of the formats that is numeric order. The writer does not sort.
class CborWriter {
 public:
  /// `out` must outlive the writer.
  explicit CborWriter(Bytes& out) : out_(out) {}

  void uint(std::uint64_t value) { head(0, value); }
  /// Any 64-bit signed integer.
  void sint(std::int64_t value) {
    if (value >= 0) {
      head(0, static_cast<std::uint64_t>(value));
    } else {
      head(1, static_cast<std::uint64_t>(-(value + 1)));
    }
  }
  /// Up to 64 bits as an unsigned integer, above as tag 2 with the shortest big-endian byte string. At most `amount_max`.
  void amount(U128 value);
  void bytes(ByteView value);
  void text(std::string_view value);
  void array(std::uint64_t items) { head(4, items); }
  /// `pairs` key/value pairs follow.
  void map(std::uint64_t pairs) { head(5, pairs); }
  void boolean(bool value) { out_.push_back(value ? 0xF5 : 0xF4); }
  void null() { out_.push_back(0xF6); }

 private:
  void head(std::uint8_t major, std::uint64_t argument);
  Bytes& out_;
};

enum class CborKind : std::uint8_t { uint, negative, bytes, text, array, map, tag, boolean, null, end, malformed };

/// Reads what CborWriter writes and nothing else. After the first failure every call returns nothing and `failed()` is
/// true; callers may read a whole structure and check once. Views point into the input. Never allocates.
class CborReader {
 public:
  explicit CborReader(ByteView input) : input_(input) {}

  /// Kind of the next item without consuming it.
  CborKind peek() const {
    if (failed_) return CborKind::malformed;
    if (at_ >= input_.size()) return CborKind::end;
    const std::uint8_t byte = input_.data()[at_];
    if (byte >> 5 == 7) {
      if (byte == 0xF4 || byte == 0xF5) return CborKind::boolean;
      return byte == 0xF6 ? CborKind::null : CborKind::malformed;
    }
    return (byte & 31) > 27 ? CborKind::malformed : static_cast<CborKind>(byte >> 5);
  }
  std::optional<std::uint64_t> uint() {
    // Keys of maps and most numbers are one byte; they are read in place.
    if (!failed_ && at_ < input_.size() && input_.data()[at_] < 24) return input_.data()[at_++];
    std::uint64_t value = 0;
    return head(0, value) ? std::optional(value) : std::nullopt;
  }
  std::optional<std::int64_t> sint();
  /// An unsigned integer or a tag 2 bignum of at most 127 bits; a bignum that would fit 64 bits is malformed.
  std::optional<U128> amount() {
    if (peek() == CborKind::tag) return bignum();
    const auto value = uint();
    return value ? std::optional<U128>(*value) : std::nullopt;
  }
  std::optional<ByteView> bytes();
  /// Well-formed UTF-8.
  std::optional<std::string_view> text();
  /// Number of items that follow. Bounded by the bytes left, so that a lying length cannot make a caller reserve memory.
  std::optional<std::uint64_t> array();
  std::optional<std::uint64_t> map();
  std::optional<bool> boolean();
  bool null();
  /// Skips one item of any kind, with at most `depth_max` levels of nesting. Refuses maps whose keys do not ascend, which
  /// a caller who reads a map key by key must see to himself.
  bool skip(int depth_max = 16);

  bool failed() const { return failed_; }
  /// True when everything was read and nothing failed.
  bool done() const { return !failed_ && at_ == input_.size(); }
  std::size_t position() const { return at_; }
  /// Marks the input as malformed; for callers that find a rule of theirs broken.
  void fail() { failed_ = true; }

 private:
  bool head(std::uint8_t major, std::uint64_t& value);
  std::optional<U128> bignum();
  ByteView input_;
  std::size_t at_ = 0;
  bool failed_ = false;
};

}  // namespace base
