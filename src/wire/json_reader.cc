// The one place that knows simdjson: its on-demand walk finds the tokens; what a token may be is decided here.
#include <string.h>

#include <algorithm>
#include <charconv>
#include <limits>

#include <simdjson.h>

#include "base/check.h"
#include "base/text.h"
#include "wire/json_value.h"

namespace wire {

namespace {

namespace ondemand = simdjson::ondemand;

/// Scratch of one thread. It holds input only while parse_json runs.
struct Scratch {
  ondemand::parser parser;
  std::unique_ptr<char[]> text;
  std::size_t capacity = 0;
};

Scratch& scratch() {
  thread_local Scratch instance;
  return instance;
}

/// Wipes the copied input on every way out.
class Wipe {
 public:
  Wipe(char* text, std::size_t bytes) : text_(text), bytes_(bytes) {}
  Wipe(const Wipe&) = delete;
  Wipe& operator=(const Wipe&) = delete;
  ~Wipe() { explicit_bzero(text_, bytes_); }

 private:
  char* text_;
  std::size_t bytes_;
};

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

enum class NumberForm { none, integer, other };

/// RFC 8259 section 6.
NumberForm number_form(std::string_view token) {
  std::size_t at = 0;
  const auto digits = [&] {
    const std::size_t start = at;
    while (at < token.size() && is_digit(token[at])) ++at;
    return at > start;
  };
  if (at < token.size() && token[at] == '-') ++at;
  if (at < token.size() && token[at] == '0') {
    ++at;
  } else if (!digits()) {
    return NumberForm::none;
  }
  NumberForm form = NumberForm::integer;
  if (at < token.size() && token[at] == '.') {
    ++at;
    if (!digits()) return NumberForm::none;
    form = NumberForm::other;
  }
  if (at < token.size() && (token[at] == 'e' || token[at] == 'E')) {
    ++at;
    if (at < token.size() && (token[at] == '+' || token[at] == '-')) ++at;
    if (!digits()) return NumberForm::none;
    form = NumberForm::other;
  }
  return at == token.size() ? form : NumberForm::none;
}

class Reader {
 public:
  Reader(Scratch& scratch, std::size_t text_bytes, JsonLimits limits, json::Arena& arena)
      : parser_(scratch.parser),
        source_(scratch.text.get()),
        text_bytes_(text_bytes),
        limits_(limits),
        arena_(arena),
        out_(reinterpret_cast<std::uint8_t*>(arena.text.get())) {}

  /// The scratch text is `[` + input + `]`: simdjson treats a lone scalar as a case of its own, with checks of its own;
  /// inside an array there is one set of rules. Exactly one element may come out.
  base::Status read() {
    const simdjson::padded_string_view padded(source_, text_bytes_ + 2, text_bytes_ + 2 + simdjson::SIMDJSON_PADDING);
    ondemand::document document;
    if (const auto error = parser_.iterate(padded).get(document)) return failure(error, 0);
    ondemand::array root;
    if (const auto error = document.get_array().get(root)) return failure(error, 0);
    std::size_t elements = 0;
    for (auto element : root) {
      ondemand::value value;
      if (const auto error = element.get(value)) return failure(error, offset_);
      if (++elements > 1) return malformed("more than one value", offset_);
      TRY(read_value(value, 0));
    }
    const bool at_end = document.current_location().error() == simdjson::OUT_OF_BOUNDS;
    if (!at_end) return malformed("text behind the value", offset_);
    if (elements == 0) return malformed("no value", 0);
    return base::ok();
  }

 private:
  base::Status read_value(ondemand::value& value, std::uint32_t depth) {
    const std::string_view raw = value.raw_json_token();
    offset_ = static_cast<std::size_t>(raw.data() - source_) - 1;
    const std::size_t index = arena_.nodes.size();
    json::Node node;
    node.source = static_cast<std::uint32_t>(offset_);
    arena_.nodes.push_back(node);
    switch (raw.front()) {
      case '{':
        TRY(read_object(value, index, depth + 1));
        break;
      case '[':
        TRY(read_array(value, index, depth + 1));
        break;
      case '"': {
        ondemand::raw_json_string text;
        if (const auto error = value.get_raw_json_string().get(text)) return failure(error, offset_);
        TRY(read_string(text, index));
        break;
      }
      default:
        TRY(read_scalar(raw, index));
    }
    arena_.nodes[index].after = static_cast<std::uint32_t>(arena_.nodes.size());
    return base::ok();
  }

  base::Status read_array(ondemand::value& value, std::size_t index, std::uint32_t depth) {
    if (depth > limits_.depth_max) return too_deep();
    arena_.nodes[index].kind = JsonKind::array;
    ondemand::array array;
    if (const auto error = value.get_array().get(array)) return failure(error, offset_);
    std::uint32_t count = 0;
    for (auto each : array) {
      ondemand::value element;
      if (const auto error = each.get(element)) return failure(error, offset_);
      TRY(read_value(element, depth));
      ++count;
    }
    arena_.nodes[index].count = count;
    return base::ok();
  }

  base::Status read_object(ondemand::value& value, std::size_t index, std::uint32_t depth) {
    if (depth > limits_.depth_max) return too_deep();
    arena_.nodes[index].kind = JsonKind::object;
    ondemand::object object;
    if (const auto error = value.get_object().get(object)) return failure(error, offset_);
    std::uint32_t count = 0;
    for (auto each : object) {
      ondemand::field field;
      if (const auto error = std::move(each).get(field)) return failure(error, offset_);
      const std::size_t key_index = arena_.nodes.size();
      json::Node key;
      offset_ = static_cast<std::size_t>(field.key().raw() - source_) - 2;
      key.source = static_cast<std::uint32_t>(offset_);
      key.after = static_cast<std::uint32_t>(key_index + 1);
      arena_.nodes.push_back(key);
      TRY(read_string(field.key(), key_index));
      TRY(read_value(field.value(), depth));
      ++count;
    }
    arena_.nodes[index].count = count;
    arena_.nodes[index].after = static_cast<std::uint32_t>(arena_.nodes.size());
    return check_unique(index, count);
  }

  base::Status read_string(ondemand::raw_json_string text, std::size_t index) {
    std::uint8_t* const start = out_;
    std::string_view unescaped;
    if (const auto error = parser_.unescape(text, out_).get(unescaped)) return failure(error, offset_);
    // The source is UTF-8 by now; only an escape can have made something else of it (a lone surrogate).
    const bool escaped = text.raw()[unescaped.size()] != '"' || memcmp(text.raw(), unescaped.data(), unescaped.size());
    if (escaped && !base::is_utf8(unescaped)) return malformed("lone surrogate in an escape", offset_);
    json::Node& node = arena_.nodes[index];
    node.kind = JsonKind::string;
    node.number = static_cast<std::uint64_t>(start - reinterpret_cast<std::uint8_t*>(arena_.text.get()));
    node.count = static_cast<std::uint32_t>(unescaped.size());
    return base::ok();
  }

  base::Status read_scalar(std::string_view token, std::size_t index) {
    while (!token.empty() && is_blank(token.back())) token.remove_suffix(1);
    json::Node& node = arena_.nodes[index];
    if (token == "true" || token == "false") {
      node.kind = JsonKind::boolean;
      node.number = token == "true" ? 1 : 0;
      return base::ok();
    }
    if (token == "null") return base::ok();
    const NumberForm form = number_form(token);
    if (form == NumberForm::none) return malformed("not a value", offset_);
    if (form == NumberForm::integer && read_integer(token, node)) return base::ok();
    node.kind = JsonKind::inexact_number;
    node.number = static_cast<std::uint64_t>(out_ - reinterpret_cast<std::uint8_t*>(arena_.text.get()));
    node.count = static_cast<std::uint32_t>(token.size());
    memcpy(out_, token.data(), token.size());
    out_ += token.size();
    return base::ok();
  }

  static bool read_integer(std::string_view token, json::Node& node) {
    const char* const end = token.data() + token.size();
    if (token.front() == '-') {
      std::int64_t value = 0;
      if (std::from_chars(token.data(), end, value).ec != std::errc{}) return false;
      node.number = static_cast<std::uint64_t>(value);
      node.negative = value < 0;
    } else {
      if (std::from_chars(token.data(), end, node.number).ec != std::errc{}) return false;
    }
    node.kind = JsonKind::integer;
    return true;
  }

  std::string_view key_at(std::uint32_t index) const {
    const json::Node& node = arena_.nodes[index];
    return {arena_.text.get() + node.number, node.count};
  }

  /// The keys of the object at `index` must differ. Small objects by comparing all pairs, large ones by sorting.
  base::Status check_unique(std::size_t index, std::uint32_t count) {
    constexpr std::uint32_t few = 16;
    std::uint32_t keys[few];
    std::vector<std::uint32_t> sorted;
    std::uint32_t at = static_cast<std::uint32_t>(index) + 1;
    if (count > few) sorted.reserve(count);
    for (std::uint32_t i = 0; i < count; ++i) {
      if (count > few) {
        sorted.push_back(at);
      } else {
        const std::string_view key = key_at(at);
        for (std::uint32_t j = 0; j < i; ++j) {
          if (key_at(keys[j]) == key) return duplicate(at);
        }
        keys[i] = at;
      }
      at = arena_.nodes[at + 1].after;
    }
    std::sort(sorted.begin(), sorted.end(), [&](std::uint32_t a, std::uint32_t b) {
      const int order = key_at(a).compare(key_at(b));
      return order != 0 ? order < 0 : a < b;
    });
    for (std::size_t i = 1; i < sorted.size(); ++i) {
      if (key_at(sorted[i - 1]) == key_at(sorted[i])) return duplicate(sorted[i]);
    }
    return base::ok();
  }

  base::Error duplicate(std::uint32_t key) const {
    return {"json_duplicate_key",
            "the same key a second time in one object at byte " + std::to_string(arena_.nodes[key].source)};
  }

  base::Error too_deep() const {
    return {"json_too_deep", "nested deeper than " + std::to_string(limits_.depth_max) + " levels at byte " +
                                 std::to_string(offset_)};
  }

  static base::Error malformed(const char* what, std::size_t offset) {
    return {"json_malformed", std::string(what) + " at or after byte " + std::to_string(offset)};
  }

  static base::Error failure(simdjson::error_code error, std::size_t offset) {
    switch (error) {
      case simdjson::UTF8_ERROR:
        return {"json_invalid_utf8", "the text is not UTF-8"};
      case simdjson::UNCLOSED_STRING:
        return malformed("a string is not closed", offset);
      case simdjson::UNESCAPED_CHARS:
        return malformed("a control character inside a string", offset);
      case simdjson::STRING_ERROR:
        return malformed("a wrong escape in a string", offset);
      default:
        return malformed("a comma, colon or bracket is missing or misplaced", offset);
    }
  }

  ondemand::parser& parser_;
  const char* source_;
  std::size_t text_bytes_;
  JsonLimits limits_;
  json::Arena& arena_;
  std::uint8_t* out_;
  std::size_t offset_ = 0;
};

}  // namespace

base::Result<JsonDocument> parse_json(base::ByteView text, JsonLimits limits) {
  constexpr std::size_t bytes_bound = std::size_t{64} << 20;
  CHECK(limits.bytes_max <= bytes_bound && limits.depth_max <= 256);
  if (text.size() > limits.bytes_max) {
    return base::Error{"json_too_large", std::to_string(text.size()) + " bytes; at most " +
                                             std::to_string(limits.bytes_max) + " are taken"};
  }
  if (base::as_text(text).starts_with("\xEF\xBB\xBF")) {
    return base::Error{"json_malformed", "a byte order mark at byte 0"};
  }

  Scratch& work = scratch();
  const std::size_t needed = text.size() + 2 + simdjson::SIMDJSON_PADDING;
  if (work.capacity < needed) {
    work.capacity = std::max<std::size_t>(needed, 4096);
    work.text = std::make_unique<char[]>(work.capacity);
  }
  const Wipe wipe(work.text.get(), needed);
  char* const copy = work.text.get();
  copy[0] = '[';
  if (!text.empty()) memcpy(copy + 1, text.data(), text.size());
  copy[text.size() + 1] = ']';

  auto arena = std::make_unique<json::Arena>();
  // Unescaped text is never longer than the escaped one; simdjson writes up to a padding beyond.
  arena->text_bytes = text.size() + simdjson::SIMDJSON_PADDING;
  arena->text = std::make_unique_for_overwrite<char[]>(arena->text_bytes);
  arena->nodes.reserve(16 + text.size() / 16);

  Reader reader(work, text.size(), limits, *arena);
  TRY(reader.read());
  return JsonDocument(std::move(arena));
}

}  // namespace wire
