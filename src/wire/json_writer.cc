#include "wire/json_writer.h"

#include <array>
#include <charconv>

namespace wire {

namespace {

constexpr std::string_view hex_digits = "0123456789abcdef";
constexpr std::string_view replacement = "\xEF\xBF\xBD";

/// Length of the well-formed UTF-8 sequence (RFC 3629) at the start of `text`, whose first byte is above 0x7F; or 0.
std::size_t sequence_bytes(std::string_view text) {
  const auto byte = [&](std::size_t i) -> unsigned {
    return i < text.size() ? static_cast<std::uint8_t>(text[i]) : 0;
  };
  const auto follows = [&](std::size_t i) { return (byte(i) & 0xC0) == 0x80; };
  const unsigned first = byte(0);
  if (first >= 0xC2 && first <= 0xDF) return follows(1) ? 2 : 0;
  if (first >= 0xE0 && first <= 0xEF) {
    const bool overlong = first == 0xE0 && byte(1) < 0xA0;
    const bool surrogate = first == 0xED && byte(1) > 0x9F;
    return follows(1) && follows(2) && !overlong && !surrogate ? 3 : 0;
  }
  if (first >= 0xF0 && first <= 0xF4) {
    const bool overlong = first == 0xF0 && byte(1) < 0x90;
    const bool beyond = first == 0xF4 && byte(1) > 0x8F;
    return follows(1) && follows(2) && follows(3) && !overlong && !beyond ? 4 : 0;
  }
  return 0;
}

/// True for the characters that stand for themselves in a JSON string.
constexpr std::array<bool, 256> plain_table() {
  std::array<bool, 256> table{};
  for (unsigned c = 0x20; c < 0x80; ++c) table[c] = c != '"' && c != '\\';
  return table;
}
constexpr auto plain = plain_table();

}  // namespace

void JsonWriter::before_value() {
  if (depth_ == 0) {
    CHECK_THAT(!wrote_, "one writer writes one value");
  } else if ((objects_ >> (depth_ - 1) & 1) != 0) {
    CHECK_THAT(after_key_, "a value in an object needs a key");
  } else if (comma_) {
    out_.push_back(',');
  }
  after_key_ = false;
  comma_ = true;
  wrote_ = true;
}

void JsonWriter::open(char bracket, bool object) {
  before_value();
  CHECK(depth_ < depth_max);
  out_.push_back(bracket);
  const std::uint64_t bit = std::uint64_t{1} << depth_;
  objects_ = object ? objects_ | bit : objects_ & ~bit;
  ++depth_;
  comma_ = false;
}

void JsonWriter::close(char bracket, bool object) {
  CHECK(depth_ > 0 && !after_key_);
  --depth_;
  CHECK(((objects_ >> depth_ & 1) != 0) == object);
  out_.push_back(bracket);
  comma_ = true;
}

void JsonWriter::key(std::string_view name) {
  CHECK(depth_ > 0 && (objects_ >> (depth_ - 1) & 1) != 0 && !after_key_);
  if (comma_) out_.push_back(',');
  quoted(name);
  out_.push_back(':');
  after_key_ = true;
}

void JsonWriter::quoted(std::string_view text) {
  out_.push_back('"');
  std::size_t done = 0;
  for (std::size_t i = 0; i < text.size();) {
    const auto byte = static_cast<std::uint8_t>(text[i]);
    if (plain[byte]) {
      ++i;
      continue;
    }
    if (byte >= 0x80) {
      const std::size_t bytes = sequence_bytes(text.substr(i));
      if (bytes > 0) {
        i += bytes;
        continue;
      }
    }
    out_.append(text, done, i - done);
    done = ++i;
    if (byte >= 0x80) {
      out_.append(replacement);
      continue;
    }
    out_.push_back('\\');
    switch (byte) {
      case '"':
      case '\\':
        out_.push_back(static_cast<char>(byte));
        break;
      case '\b':
        out_.push_back('b');
        break;
      case '\f':
        out_.push_back('f');
        break;
      case '\n':
        out_.push_back('n');
        break;
      case '\r':
        out_.push_back('r');
        break;
      case '\t':
        out_.push_back('t');
        break;
      default:
        out_.append("u00");
        out_.push_back(hex_digits[byte >> 4]);
        out_.push_back(hex_digits[byte & 15]);
    }
  }
  out_.append(text, done);
  out_.push_back('"');
}

void JsonWriter::string(std::string_view text) {
  before_value();
  quoted(text);
}

void JsonWriter::uint(std::uint64_t value) {
  before_value();
  char digits[20];
  out_.append(digits, std::to_chars(digits, digits + sizeof digits, value).ptr);
}

void JsonWriter::sint(std::int64_t value) {
  before_value();
  char digits[20];
  out_.append(digits, std::to_chars(digits, digits + sizeof digits, value).ptr);
}

void JsonWriter::boolean(bool value) {
  before_value();
  out_.append(value ? "true" : "false");
}

void JsonWriter::null() {
  before_value();
  out_.append("null");
}

void JsonWriter::raw(std::string_view json) {
  before_value();
  out_.append(json);
}

}  // namespace wire
