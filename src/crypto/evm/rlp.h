#pragma once
// Recursive Length Prefix, the encoding of Ethereum (yellow paper, appendix B): byte strings and lists of them, one form each.
// Integers are big-endian without leading zeros; zero is the empty string.

#include <optional>

#include "base/bytes.h"
#include "base/int128.h"

namespace crypto {

/// Appends items to a list; list() gives its bytes, header and all.
class RlpWriter {
 public:
  void string(base::ByteView bytes);
  void integer(base::U128 value);
  /// An item that is encoded already: a list of another writer.
  void raw(base::ByteView item) { base::append(items_, item); }
  base::Bytes list() const;

 private:
  base::Bytes items_;
};

/// Reads the items of one list in order. Anything but the one shortest form is refused; the first refusal stands.
class RlpReader {
 public:
  /// `bytes` is exactly one list.
  explicit RlpReader(base::ByteView bytes);
  /// The next item, a string; nothing if it is none.
  std::optional<base::ByteView> string();
  /// The next item, an integer of at most 128 bits.
  std::optional<base::U128> integer();
  /// The next item, a list, with its header.
  std::optional<base::ByteView> list();
  /// The next item, whichever it is.
  struct Item {
    bool is_list = false;
    base::ByteView whole, content;   ///< with its header, and without
  };
  std::optional<Item> item();
  /// Every item was read, and all of them were what was asked for.
  bool finished() const { return good_ && rest_.empty(); }

 private:
  base::ByteView rest_;
  bool good_ = true;
};

}  // namespace crypto
