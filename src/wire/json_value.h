#pragma once
// Strict JSON in (RFC 8259, and tighter): a document is read once into a flat arena and then looked at through values.
// One interpretation per text is the point, because signatures, fingerprints and money hang on it. Refused besides what
// the grammar refuses: duplicate keys in an object (RFC 8259 section 4 only says names SHOULD be unique), a byte order
// mark, lone surrogate escapes, invalid UTF-8, nesting and size beyond the limits.
//
// Thread rule: a document belongs to one thread at a time; parse_json may run in any thread. The reader wipes its own
// scratch copies of the input, and a document wipes its strings when it dies, because import bodies hold secrets.

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"

namespace wire {

struct JsonLimits {
  std::size_t bytes_max = std::size_t{1} << 20;  ///< whole text; at most 64 MiB
  std::uint32_t depth_max = 64;                  ///< nested arrays and objects; `[[]]` has depth 2; at most 256
};

enum class JsonKind : std::uint8_t {
  null,
  boolean,
  integer,         ///< written without fraction or exponent and within int64 or uint64
  inexact_number,  ///< any other number: kept as its text only, no getter turns it into a value
  string,
  array,
  object,
};

/// `string`, `object`, ... for messages.
std::string_view to_text(JsonKind kind);

class JsonValue;
struct JsonMember;

namespace json {
/// One value of the arena, in document order; children follow their parent.
struct Node {
  JsonKind kind = JsonKind::null;
  bool negative = false;      ///< integer below zero: `number` holds the two's complement
  std::uint32_t source = 0;   ///< byte offset in the text
  std::uint32_t after = 0;    ///< index of the first node behind this value
  std::uint32_t count = 0;    ///< elements of an array, members of an object, bytes of a string or number text
  std::uint64_t number = 0;   ///< integer, boolean, or where the text of a string or inexact number starts
};
struct Arena {
  Arena() = default;
  Arena(const Arena&) = delete;
  Arena& operator=(const Arena&) = delete;
  ~Arena();  ///< wipes the text

  std::vector<Node> nodes;
  std::unique_ptr<char[]> text;  ///< unescaped strings and keys, number texts
  std::size_t text_bytes = 0;
};
}  // namespace json

/// A view of one value in a document, two words, to be copied freely. Valid while the document lives (moving the
/// document does not move its values). A getter of the wrong kind gives nothing.
class JsonValue {
 public:
  JsonKind kind() const { return node().kind; }
  bool is_null() const { return kind() == JsonKind::null; }
  bool is_object() const { return kind() == JsonKind::object; }
  bool is_array() const { return kind() == JsonKind::array; }

  std::optional<bool> boolean() const;
  /// Unescaped UTF-8; may contain U+0000 when the text said \u0000.
  std::optional<std::string_view> string() const;
  /// Exact; nothing for `1.0`, `1e3`, negative numbers or numbers beyond the range. `-0` is 0.
  std::optional<std::uint64_t> uint64() const;
  std::optional<std::int64_t> int64() const;
  /// The text of an inexact_number as written.
  std::optional<std::string_view> number_text() const;

  /// Elements or members; 0 for everything else.
  std::size_t size() const;
  /// Member of an object by its unescaped name; linear in the number of members.
  std::optional<JsonValue> find(std::string_view name) const;

  /// Byte offset of the value in the text, for messages.
  std::size_t source_offset() const { return node().source; }

  /// Elements of an array in order (nothing for other kinds): for (JsonValue element : value.elements()).
  class Elements;
  Elements elements() const;
  /// Members of an object in order (nothing for other kinds): for (JsonMember member : value.members()).
  class Members;
  Members members() const;

 private:
  friend class JsonDocument;
  JsonValue(const json::Arena* arena, std::uint32_t index) : arena_(arena), index_(index) {}
  const json::Node& node() const { return arena_->nodes[index_]; }
  std::string_view text() const { return {arena_->text.get() + node().number, node().count}; }

  const json::Arena* arena_;
  std::uint32_t index_;
};

struct JsonMember {
  std::string_view name;
  JsonValue value;
};

class JsonValue::Elements {
 public:
  class Iterator {
   public:
    Iterator(const json::Arena* arena, std::uint32_t index) : arena_(arena), index_(index) {}
    JsonValue operator*() const { return {arena_, index_}; }
    Iterator& operator++() {
      index_ = arena_->nodes[index_].after;
      return *this;
    }
    bool operator==(const Iterator& other) const { return index_ == other.index_; }

   private:
    const json::Arena* arena_;
    std::uint32_t index_;
  };
  Iterator begin() const { return {arena_, first_}; }
  Iterator end() const { return {arena_, end_}; }

 private:
  friend class JsonValue;
  Elements(const json::Arena* arena, std::uint32_t first, std::uint32_t end)
      : arena_(arena), first_(first), end_(end) {}
  const json::Arena* arena_;
  std::uint32_t first_;
  std::uint32_t end_;
};

class JsonValue::Members {
 public:
  class Iterator {
   public:
    Iterator(const json::Arena* arena, std::uint32_t index) : arena_(arena), index_(index) {}
    JsonMember operator*() const { return {JsonValue(arena_, index_).text(), JsonValue(arena_, index_ + 1)}; }
    Iterator& operator++() {
      index_ = arena_->nodes[index_ + 1].after;
      return *this;
    }
    bool operator==(const Iterator& other) const { return index_ == other.index_; }

   private:
    const json::Arena* arena_;
    std::uint32_t index_;
  };
  Iterator begin() const { return {arena_, first_}; }
  Iterator end() const { return {arena_, end_}; }

 private:
  friend class JsonValue;
  Members(const json::Arena* arena, std::uint32_t first, std::uint32_t end) : arena_(arena), first_(first), end_(end) {}
  const json::Arena* arena_;
  std::uint32_t first_;
  std::uint32_t end_;
};

/// Owns what the values look at.
class JsonDocument {
 public:
  /// Used by parse_json; `arena` holds the root at index 0.
  explicit JsonDocument(std::unique_ptr<json::Arena> arena) : arena_(std::move(arena)) {}
  JsonValue root() const { return {arena_.get(), 0}; }

 private:
  std::unique_ptr<json::Arena> arena_;
};

/// Reads exactly one JSON text. The document keeps nothing of `text`. Errors, with the byte offset in the message:
/// json_malformed, json_too_deep, json_too_large, json_duplicate_key, json_invalid_utf8.
base::Result<JsonDocument> parse_json(base::ByteView text, JsonLimits limits = {});

}  // namespace wire
