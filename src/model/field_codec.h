#pragma once
// Writing and reading the canonical CBOR maps of the formats (docs/format/entry.md). Private to the codecs of this
// room.
//
// A noun describes its fields once, as describe(codec, noun), in ascending order of their keys; FieldWriter and
// FieldReader both walk that description, so that writing and reading cannot drift apart. Keys are below 24 and a map
// has fewer than 24 pairs, hence every key and every map head is one byte.

#include <array>
#include <cstdint>
#include <cstring>
#include <limits>
#include <optional>
#include <string_view>
#include <type_traits>
#include <vector>

#include "base/bytes.h"
#include "base/cbor.h"
#include "base/check.h"
#include "base/instant.h"
#include "base/int128.h"
#include "model/account.h"
#include "model/command.h"
#include "model/outcome.h"

namespace model {

/// Writes one map through a bare pointer: this is the hot path of the journal. The caller guarantees the room, see
/// the bounds in entry.cc; the bytes are those of base::CborWriter, which a test compares.
class FieldWriter {
 public:
  template <typename T>
  using Ref = const T&;

  explicit FieldWriter(std::uint8_t* at) : head_(at), at_(at + 1) {}
  /// Closes the map and gives the place behind it.
  std::uint8_t* close() {
    *head_ = static_cast<std::uint8_t>(0xA0u | pairs_);
    return at_;
  }

  /// Zero is left out.
  template <typename T>
  void number(std::uint8_t key, T value, std::uint64_t max = std::numeric_limits<T>::max()) {
    if (value != 0) required_number(key, value, max);
  }
  template <typename T>
  void required_number(std::uint8_t key, T value, std::uint64_t max = std::numeric_limits<T>::max()) {
    CHECK_THAT(value <= max, "a number out of its range could be written but never read back");
    put_key(key);
    put_head(0, value);
  }
  void event_number(std::uint8_t key, EventNumber value) { number(key, value, event_number_max); }
  void flags(std::uint8_t key, AccountFlags value, AccountFlags allowed) {
    CHECK((value & ~allowed) == 0);
    number(key, value);
  }
  /// An enumeration without a zero: always written.
  template <typename T>
  void choice(std::uint8_t key, T value, T first, T last) {
    CHECK(value >= first && value <= last);
    required_number(key, static_cast<std::uint64_t>(value));
  }
  void outcome(std::uint8_t key, Outcome value) { required_number(key, static_cast<std::uint64_t>(value)); }
  /// Enumerations whose zero is left out.
  void operation(std::uint8_t key, Operation value) { number(key, static_cast<std::uint64_t>(value)); }
  void standing(std::uint8_t key, HoldStanding value) { number(key, static_cast<std::uint64_t>(value)); }
  void reason(std::uint8_t key, RailReason value) { number(key, static_cast<std::uint64_t>(value)); }
  void breaker(std::uint8_t key, Breaker value) { number(key, static_cast<std::uint64_t>(value)); }
  /// False is left out.
  void boolean(std::uint8_t key, bool value) {
    if (!value) return;
    put_key(key);
    *at_++ = 0xF5;
  }
  /// Zero is left out; never negative.
  void instant(std::uint8_t key, base::Instant value) {
    CHECK(value.ns >= 0);
    number(key, static_cast<std::uint64_t>(value.ns));
  }
  void required_instant(std::uint8_t key, base::Instant value) {
    CHECK(value.ns >= 0);
    required_number(key, static_cast<std::uint64_t>(value.ns));
  }
  void duration(std::uint8_t key, base::Duration value) {
    CHECK(value.ns >= 0);
    number(key, static_cast<std::uint64_t>(value.ns));
  }
  /// Zero is left out; may be negative.
  void signed_duration(std::uint8_t key, base::Duration value) { signed_number(key, value.ns); }
  void signed_number(std::uint8_t key, std::int64_t value) {
    if (value == 0) return;
    put_key(key);
    const auto bits = static_cast<std::uint64_t>(value);
    put_head(value < 0 ? 1 : 0, value < 0 ? ~bits : bits);
  }
  /// Zero is left out.
  void amount(std::uint8_t key, base::U128 value) {
    if (value != 0) required_amount(key, value);
  }
  void optional_amount(std::uint8_t key, const std::optional<base::U128>& value) {
    if (value) required_amount(key, *value);
  }
  void digest(std::uint8_t key, const base::Digest& value) { put_bytes(key, value); }
  void optional_digest(std::uint8_t key, const std::optional<base::Digest>& value) {
    if (value) put_bytes(key, *value);
  }
  void tag(std::uint8_t key, const base::Tag128& value) { put_bytes(key, value); }
  /// Never empty.
  void bytes(std::uint8_t key, const base::Bytes& value, std::size_t bytes_max) {
    CHECK(!value.empty() && value.size() <= bytes_max);
    put_key(key);
    put_head(2, value.size());
    std::memcpy(at_, value.data(), value.size());
    at_ += value.size();
  }
  /// All zeros are left out.
  void tag_if_any(std::uint8_t key, const base::Tag128& value) {
    if (value != base::Tag128{}) put_bytes(key, value);
  }
  /// [code, scale]
  void asset(std::uint8_t key, const Asset& value) {
    put_key(key);
    *at_++ = 0x82;
    const std::size_t size = ::strnlen(value.code.data(), value.code.size());
    put_head(3, size);
    std::memcpy(at_, value.code.data(), size);
    at_ += size;
    put_head(0, value.scale);
  }
  void optional_asset(std::uint8_t key, const std::optional<Asset>& value) {
    if (value) asset(key, *value);
  }
  /// The name without its padding.
  void rail_name(std::uint8_t key, const RailName& value) {
    const std::string_view text = to_text(value);
    CHECK(is_rail_name(text));
    put_key(key);
    put_head(3, text.size());
    std::memcpy(at_, text.data(), text.size());
    at_ += text.size();
  }
  /// Numbers up to the last that is not zero, little-endian, as one byte string; nothing if all are zero.
  template <std::size_t size>
  void half_words(std::uint8_t key, const std::array<std::uint16_t, size>& value) {
    std::size_t count = size;
    while (count > 0 && value[count - 1] == 0) --count;
    if (count == 0) return;
    put_key(key);
    put_head(2, count * 2);
    std::memcpy(at_, value.data(), count * 2);
    at_ += count * 2;
  }
  /// `count` little-endian 32-bit numbers as one byte string; nothing if there are none.
  void words(std::uint8_t key, const std::array<std::uint32_t, fingerprint_fields_max>& value, std::uint8_t count) {
    CHECK(count <= value.size());
    if (count == 0) return;
    put_key(key);
    put_head(2, count * 4u);
    std::memcpy(at_, value.data(), count * 4u);
    at_ += count * 4u;
  }
  template <typename T>
  void nested(std::uint8_t key, const T& value) {
    put_key(key);
    FieldWriter inner(at_);
    describe(inner, value);
    at_ = inner.close();
  }
  /// Left out when all of its own fields are.
  template <typename T>
  void nested_if_any(std::uint8_t key, const T& value) {
    FieldWriter inner(at_ + 1);
    describe(inner, value);
    if (inner.pairs_ == 0) return;
    put_key(key);
    at_ = inner.close();
  }
  template <typename T>
  void optional_nested(std::uint8_t key, const std::optional<T>& value) {
    if (value) nested(key, *value);
  }
  template <typename T>
  void list(std::uint8_t key, const std::vector<T>& values, std::size_t items_max = group_items_max) {
    CHECK(values.size() <= items_max);
    put_key(key);
    put_head(4, values.size());
    for (const T& value : values) {
      if constexpr (std::is_integral_v<T>) {
        put_head(0, value);
      } else {
        FieldWriter inner(at_);
        describe(inner, value);
        at_ = inner.close();
      }
    }
  }

  void put_head(std::uint8_t major, std::uint64_t argument) {
    const auto type = static_cast<std::uint8_t>(major << 5);
    if (argument < 24) {
      *at_++ = static_cast<std::uint8_t>(type | argument);
    } else if (argument <= 0xFF) {
      at_[0] = type | 24;
      at_[1] = static_cast<std::uint8_t>(argument);
      at_ += 2;
    } else if (argument <= 0xFFFF) {
      at_[0] = type | 25;
      base::store_le(at_ + 1, __builtin_bswap16(static_cast<std::uint16_t>(argument)));
      at_ += 3;
    } else if (argument <= 0xFFFFFFFF) {
      at_[0] = type | 26;
      base::store_le(at_ + 1, __builtin_bswap32(static_cast<std::uint32_t>(argument)));
      at_ += 5;
    } else {
      at_[0] = type | 27;
      base::store_le(at_ + 1, __builtin_bswap64(argument));
      at_ += 9;
    }
  }
  void put_key(std::uint8_t key) {
    *at_++ = key;
    ++pairs_;
  }
  std::uint8_t* at() const { return at_; }
  void go_to(std::uint8_t* at) { at_ = at; }

 private:
  void required_amount(std::uint8_t key, base::U128 value) {
    CHECK_THAT(value <= base::amount_max, "an amount beyond 2^127 - 1 could be written but never read back");
    put_key(key);
    if (base::high64(value) == 0) {
      put_head(0, base::low64(value));
      return;
    }
    // Tag 2, then the shortest big-endian byte string: 9 to 16 bytes, so its length is one byte, too.
    std::uint8_t big_endian[16];
    base::store_le(big_endian, __builtin_bswap64(base::high64(value)));
    base::store_le(big_endian + 8, __builtin_bswap64(base::low64(value)));
    const auto zeros = static_cast<std::size_t>(__builtin_clzll(base::high64(value))) / 8;
    *at_++ = 0xC2;
    *at_++ = static_cast<std::uint8_t>(0x40u | (16 - zeros));
    std::memcpy(at_, big_endian + zeros, 16 - zeros);
    at_ += 16 - zeros;
  }
  template <std::size_t size>
  void put_bytes(std::uint8_t key, const std::array<std::uint8_t, size>& value) {
    put_key(key);
    put_head(2, size);
    std::memcpy(at_, value.data(), size);
    at_ += size;
  }

  std::uint8_t* head_;
  std::uint8_t* at_;
  std::uint8_t pairs_ = 0;
};

/// Reads one map and takes nothing but the bytes FieldWriter would write: keys ascend and are known, what would have
/// been left out is absent, ranges hold. What breaks a rule fails the CborReader; values are then meaningless.
class FieldReader {
 public:
  template <typename T>
  using Ref = T&;

  explicit FieldReader(base::CborReader& in) : in_(in), left_(in.map().value_or(0)) { advance(); }
  /// Every key must have been taken.
  void close() {
    if (key_ != no_key) in_.fail();
  }

  template <typename T>
  void number(std::uint8_t key, T& value, std::uint64_t max = std::numeric_limits<T>::max()) {
    value = 0;
    if (key_ != key) return;
    required_number(key, value, max);
    if (value == 0) in_.fail();
  }
  template <typename T>
  void required_number(std::uint8_t key, T& value, std::uint64_t max = std::numeric_limits<T>::max()) {
    if (!present(key)) return;
    const std::uint64_t found = in_.uint().value_or(0);
    if (found > max) in_.fail();
    value = static_cast<T>(found);
    advance();
  }
  void event_number(std::uint8_t key, EventNumber& value) { number(key, value, event_number_max); }
  void flags(std::uint8_t key, AccountFlags& value, AccountFlags allowed) {
    number(key, value);
    if ((value & ~allowed) != 0) in_.fail();
  }
  template <typename T>
  void choice(std::uint8_t key, T& value, T first, T last) {
    std::uint64_t found = 0;
    required_number(key, found, static_cast<std::uint64_t>(last));
    if (found < static_cast<std::uint64_t>(first)) in_.fail();
    value = static_cast<T>(found);
  }
  void outcome(std::uint8_t key, Outcome& value) {
    std::uint64_t found = 0;
    required_number(key, found);
    const auto known = outcome_of_number(found);
    if (!known) {
      in_.fail();
      return;
    }
    value = *known;
  }
  void operation(std::uint8_t key, Operation& value) {
    std::uint8_t found = 0;
    number(key, found);
    value = static_cast<Operation>(found);
    if (found != 0 && !is_operation(found)) in_.fail();
  }
  void standing(std::uint8_t key, HoldStanding& value) {
    std::uint8_t found = 0;
    number(key, found, static_cast<std::uint64_t>(HoldStanding::expired));
    value = static_cast<HoldStanding>(found);
  }
  void reason(std::uint8_t key, RailReason& value) {
    std::uint8_t found = 0;
    number(key, found, rail_reasons.size() - 1);
    value = static_cast<RailReason>(found);
  }
  void breaker(std::uint8_t key, Breaker& value) {
    std::uint8_t found = 0;
    number(key, found, static_cast<std::uint64_t>(Breaker::open));
    value = static_cast<Breaker>(found);
  }
  void boolean(std::uint8_t key, bool& value) {
    value = false;
    if (key_ != key) return;
    value = in_.boolean().value_or(false);
    if (!value) in_.fail();
    advance();
  }
  void instant(std::uint8_t key, base::Instant& value) { number(key, value.ns); }
  void required_instant(std::uint8_t key, base::Instant& value) { required_number(key, value.ns); }
  void duration(std::uint8_t key, base::Duration& value) { number(key, value.ns); }
  void signed_duration(std::uint8_t key, base::Duration& value) { signed_number(key, value.ns); }
  void signed_number(std::uint8_t key, std::int64_t& value) {
    value = 0;
    if (key_ != key) return;
    value = in_.sint().value_or(0);
    if (value == 0) in_.fail();
    advance();
  }
  void amount(std::uint8_t key, base::U128& value) {
    value = 0;
    if (key_ != key) return;
    value = in_.amount().value_or(0);
    if (value == 0) in_.fail();
    advance();
  }
  void optional_amount(std::uint8_t key, std::optional<base::U128>& value) {
    if (key_ != key) return;
    value = in_.amount();
    advance();
  }
  void digest(std::uint8_t key, base::Digest& value) { take_bytes(key, value); }
  void optional_digest(std::uint8_t key, std::optional<base::Digest>& value) {
    if (key_ == key) take_bytes(key, value.emplace());
  }
  void tag(std::uint8_t key, base::Tag128& value) { take_bytes(key, value); }
  void bytes(std::uint8_t key, base::Bytes& value, std::size_t bytes_max) {
    if (!present(key)) return;
    const base::ByteView found = in_.bytes().value_or(base::ByteView{});
    if (found.empty() || found.size() > bytes_max) {
      in_.fail();
      return;
    }
    value = base::to_bytes(found);
    advance();
  }
  void tag_if_any(std::uint8_t key, base::Tag128& value) {
    if (key_ != key) return;
    take_bytes(key, value);
    if (value == base::Tag128{}) in_.fail();
  }
  void asset(std::uint8_t key, Asset& value) {
    if (!present(key)) return;
    if (in_.array().value_or(0) != 2) in_.fail();
    const std::string_view code = in_.text().value_or("");
    const std::uint64_t scale = in_.uint().value_or(0);
    if (!is_asset_code(code) || scale > asset_scale_max) {
      in_.fail();
      return;
    }
    value = Asset{};
    std::memcpy(value.code.data(), code.data(), code.size());
    value.scale = static_cast<std::uint8_t>(scale);
    advance();
  }
  void optional_asset(std::uint8_t key, std::optional<Asset>& value) {
    if (key_ == key) asset(key, value.emplace());
  }
  void rail_name(std::uint8_t key, RailName& value) {
    if (!present(key)) return;
    const auto found = parse_rail_name(in_.text().value_or(""));
    if (!found) {
      in_.fail();
      return;
    }
    value = *found;
    advance();
  }
  template <std::size_t size>
  void half_words(std::uint8_t key, std::array<std::uint16_t, size>& value) {
    value = {};
    if (key_ != key) return;
    const base::ByteView found = in_.bytes().value_or(base::ByteView{});
    if (found.empty() || found.size() % 2 != 0 || found.size() / 2 > size) {
      in_.fail();
      return;
    }
    std::memcpy(value.data(), found.data(), found.size());
    if (value[found.size() / 2 - 1] == 0) in_.fail();
    advance();
  }
  void words(std::uint8_t key, std::array<std::uint32_t, fingerprint_fields_max>& value, std::uint8_t& count) {
    value = {};
    count = 0;
    if (key_ != key) return;
    const base::ByteView found = in_.bytes().value_or(base::ByteView{});
    if (found.empty() || found.size() % 4 != 0 || found.size() / 4 > value.size()) {
      in_.fail();
      return;
    }
    std::memcpy(value.data(), found.data(), found.size());
    count = static_cast<std::uint8_t>(found.size() / 4);
    advance();
  }
  template <typename T>
  void nested(std::uint8_t key, T& value) {
    if (!present(key)) return;
    FieldReader inner(in_);
    describe(inner, value);
    inner.close();
    advance();
  }
  template <typename T>
  void nested_if_any(std::uint8_t key, T& value) {
    if (key_ != key) return;
    FieldReader inner(in_);
    if (inner.key_ == no_key) in_.fail();
    describe(inner, value);
    inner.close();
    advance();
  }
  template <typename T>
  void optional_nested(std::uint8_t key, std::optional<T>& value) {
    if (key_ == key) nested(key, value.emplace());
  }
  template <typename T>
  void list(std::uint8_t key, std::vector<T>& values, std::size_t items_max = group_items_max) {
    if (!present(key)) return;
    const std::uint64_t count = in_.array().value_or(0);
    if (count > items_max) {
      in_.fail();
      return;
    }
    for (std::uint64_t i = 0; i < count && !in_.failed(); ++i) {
      T& value = values.emplace_back();
      if constexpr (std::is_integral_v<T>) {
        value = in_.uint().value_or(0);
      } else {
        FieldReader inner(in_);
        describe(inner, value);
        inner.close();
      }
    }
    advance();
  }

  /// True at this key; otherwise the map lacks a field it must have, and has failed.
  bool present(std::uint8_t key) {
    if (key_ == key) return true;
    in_.fail();
    return false;
  }
  /// To the next pair, after the value of this one was read from the reader directly.
  void advance() {
    if (left_ == 0 || in_.failed()) {
      key_ = no_key;
      return;
    }
    --left_;
    key_ = in_.uint().value_or(no_key);
    if (key_ >= no_key) {
      key_ = no_key;
      in_.fail();
    }
  }

 private:
  static constexpr std::uint64_t no_key = 24;  // a key of the formats is below

  template <std::size_t size>
  void take_bytes(std::uint8_t key, std::array<std::uint8_t, size>& value) {
    if (!present(key)) return;
    const base::ByteView found = in_.bytes().value_or(base::ByteView{});
    if (found.size() != size) {
      in_.fail();
      return;
    }
    std::memcpy(value.data(), found.data(), size);
    advance();
  }

  base::CborReader& in_;
  std::uint64_t left_;
  std::uint64_t key_ = no_key;
};

}  // namespace model
