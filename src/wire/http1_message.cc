#include "wire/http1_message.h"

#include <llhttp.h>

#include <array>
#include <charconv>

#include "base/check.h"

namespace wire::http1 {

namespace {

enum ByteClass : std::uint8_t { text_byte, blank_byte, cr_byte, bad_byte };

constexpr std::array<std::uint8_t, 256> byte_classes() {
  std::array<std::uint8_t, 256> table{};
  for (unsigned c = 0; c < 256; ++c) table[c] = c > 0x20 && c < 0x7F ? text_byte : bad_byte;
  table[' '] = table['\t'] = blank_byte;
  table['\r'] = cr_byte;
  return table;
}
constexpr auto classes = byte_classes();

char to_lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c; }

bool equal_without_case(std::string_view text, std::string_view lower) {
  if (text.size() != lower.size()) return false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (to_lower(text[i]) != lower[i]) return false;
  }
  return true;
}

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

}  // namespace

HeadScanner::Found HeadScanner::scan(std::string_view text) {
  while (at_ < text.size()) {
    switch (classes[static_cast<std::uint8_t>(text[at_])]) {
      case text_byte:
        ++at_;
        break;
      case blank_byte:
        if (at_ == line_start_) return Found::malformed;
        ++at_;
        break;
      case cr_byte:
        if (at_ + 1 == text.size()) return Found::incomplete;
        if (text[at_ + 1] != '\n') return Found::malformed;
        if (at_ == line_start_) {
          if (line_start_ == 0) return Found::malformed;
          at_ += 2;
          return Found::complete;
        }
        if (line_start_ == 0) first_line_ = at_;
        at_ += 2;
        line_start_ = at_;
        break;
      default:
        return Found::malformed;
    }
  }
  return Found::incomplete;
}

std::optional<DeclaredFraming> declared_framing(const Headers& headers) {
  const std::size_t lengths = headers.count("content-length");
  const std::size_t codings = headers.count("transfer-encoding");
  if (lengths + codings == 0) return DeclaredFraming{};
  if (lengths + codings > 1) return std::nullopt;
  if (codings == 1) {
    if (!equal_without_case(*headers.find("transfer-encoding"), "chunked")) return std::nullopt;
    return DeclaredFraming{Framing::chunked, 0};
  }
  const std::string_view text = *headers.find("content-length");
  constexpr std::size_t digits_max = 18;
  if (text.empty() || text.size() > digits_max) return std::nullopt;
  DeclaredFraming declared{Framing::length, 0};
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), declared.length);
  if (parsed.ec != std::errc{} || parsed.ptr != text.data() + text.size()) return std::nullopt;
  return declared;
}

bool list_contains(const Headers& headers, std::string_view field, std::string_view member) {
  for (std::size_t i = 0; i < headers.size(); ++i) {
    if (headers.at(i).name != field) continue;
    std::string_view rest = headers.at(i).value;
    while (true) {
      const std::size_t comma = rest.find(',');
      if (equal_without_case(trimmed(rest.substr(0, comma)), member)) return true;
      if (comma == std::string_view::npos) break;
      rest.remove_prefix(comma + 1);
    }
  }
  return false;
}

struct MessageParser::State {
  llhttp_t parser{};
  Kind kind;
  // While a head is read. It is whole, so every span comes in one piece.
  Headers* headers = nullptr;
  std::size_t header_count_max = 0;
  std::string_view name;
  bool name_pending = false;
  bool too_many = false;
  bool no_body = false;
  bool complete = false;
  // While a body is read.
  std::string* body = nullptr;
  std::uint64_t body_bytes_max = 0;
  bool too_large = false;
  bool last_chunk = false;
  std::uint64_t extension_bytes = 0;
  std::uint64_t fed_bytes = 0;  ///< of the body, framing included
  std::uint64_t body_bytes = 0;
  std::string tail;  ///< the last chunk's empty line, as far as it came

  static State& of(llhttp_t* parser) { return *static_cast<State*>(parser->data); }

  bool add_pending(std::string_view value) {
    name_pending = false;
    value = trimmed(value);
    if (headers->size() >= header_count_max) {
      too_many = true;
      return false;
    }
    if (!is_token(name) || !is_field_value(value)) return false;
    headers->add(name, value);
    return true;
  }

  static int on_field(llhttp_t* parser, const char* at, std::size_t bytes) {
    State& state = of(parser);
    // After the last chunk there would be trailer fields, which nobody here wants.
    if (state.headers == nullptr) return -1;
    state.name = {at, bytes};
    state.name_pending = true;
    return 0;
  }
  static int on_value(llhttp_t* parser, const char* at, std::size_t bytes) {
    State& state = of(parser);
    if (state.headers == nullptr || !state.name_pending) return -1;
    return state.add_pending({at, bytes}) ? 0 : -1;
  }
  /// llhttp skips the span of an empty value, or gives it with no bytes, depending on the blanks before it.
  static int on_value_complete(llhttp_t* parser) {
    State& state = of(parser);
    if (state.headers != nullptr && state.name_pending) return state.add_pending({}) ? 0 : -1;
    return 0;
  }
  static int on_headers_complete(llhttp_t* parser) {
    State& state = of(parser);
    if (state.name_pending) return -1;
    parser->upgrade = 0;  // never taken up: the message is read as if it had not asked
    // A 304 may name the length of what it does not carry (RFC 9110 section 15.4.5).
    const bool bodiless = state.kind == Kind::response && (parser->status_code == 304 || parser->status_code == 204);
    return state.no_body || bodiless ? 1 : 0;
  }
  static int on_body(llhttp_t* parser, const char* at, std::size_t bytes) {
    State& state = of(parser);
    if (state.body == nullptr) return -1;
    if (bytes > state.body_bytes_max - state.body->size()) {
      state.too_large = true;
      return -1;
    }
    state.body->append(at, bytes);
    state.body_bytes += bytes;
    return 0;
  }
  static int on_extension(llhttp_t* parser, const char*, std::size_t bytes) {
    of(parser).extension_bytes += bytes;
    return 0;
  }
  static int on_chunk_header(llhttp_t* parser) {
    State& state = of(parser);
    if (parser->content_length != 0) return 0;
    state.last_chunk = true;
    return HPE_PAUSED;
  }
  static int on_message_complete(llhttp_t* parser) {
    of(parser).complete = true;
    return HPE_PAUSED;
  }

  static const llhttp_settings_t* settings() {
    static const llhttp_settings_t instance = [] {
      llhttp_settings_t s;
      llhttp_settings_init(&s);
      s.on_header_field = on_field;
      s.on_header_value = on_value;
      s.on_header_value_complete = on_value_complete;
      s.on_headers_complete = on_headers_complete;
      s.on_body = on_body;
      s.on_chunk_extension_name = on_extension;
      s.on_chunk_extension_value = on_extension;
      s.on_chunk_header = on_chunk_header;
      s.on_message_complete = on_message_complete;
      return s;
    }();
    return &instance;
  }

  /// Feeds bytes; `used` is how many were read before llhttp paused.
  bool feed(std::string_view bytes, std::size_t& used) {
    const llhttp_errno_t error = llhttp_execute(&parser, bytes.data(), bytes.size());
    used = bytes.size();
    if (error == HPE_OK) return true;
    if (error != HPE_PAUSED) return false;
    used = static_cast<std::size_t>(llhttp_get_error_pos(&parser) - bytes.data());
    llhttp_resume(&parser);
    return true;
  }
};

MessageParser::MessageParser(Kind kind) : state_(std::make_unique<State>()) { state_->kind = kind; }
MessageParser::~MessageParser() = default;

bool MessageParser::read_head(std::string_view head, std::size_t header_count_max, bool no_body, Headers& headers) {
  const Kind kind = state_->kind;
  *state_ = State{};
  state_->kind = kind;
  llhttp_init(&state_->parser, kind == Kind::request ? HTTP_REQUEST : HTTP_RESPONSE, State::settings());
  state_->parser.data = state_.get();
  state_->headers = &headers;
  state_->header_count_max = header_count_max;
  state_->no_body = no_body;
  std::size_t used = 0;
  const bool read = state_->feed(head, used);
  state_->headers = nullptr;
  return read && used == head.size();
}

bool MessageParser::too_many_fields() const { return state_->too_many; }
std::uint16_t MessageParser::status() const { return state_->parser.status_code; }
bool MessageParser::complete() const { return state_->complete; }

MessageParser::Body MessageParser::read_body(std::string_view bytes, const BodyLimits& limits, std::string& body,
                                             std::size_t& used) {
  State& state = *state_;
  CHECK(!state.complete);
  state.body = &body;
  state.body_bytes_max = limits.body_bytes_max;
  used = 0;
  while (used < bytes.size() && !state.complete) {
    std::size_t taken = 0;
    if (state.last_chunk) {
      // Exactly CRLF may follow: no trailer fields, and no bare LF, which llhttp would take.
      state.tail.push_back(bytes[used++]);
      if (state.tail != std::string_view("\r\n").substr(0, state.tail.size())) return Body::malformed;
      if (state.tail.size() == 2 && !state.feed(state.tail, taken)) return Body::malformed;
      continue;
    }
    if (!state.feed(bytes.substr(used), taken)) return state.too_large ? Body::too_large : Body::malformed;
    used += taken;
    state.fed_bytes += taken;
    if (state.extension_bytes > limits.chunk_extension_bytes_max) return Body::malformed;
    // A chunk of one byte costs five bytes of framing; far more than that is padding (leading zeros of sizes).
    constexpr std::uint64_t framing_free = 1024;
    constexpr std::uint64_t framing_factor = 8;
    if (state.fed_bytes - state.body_bytes > framing_free + framing_factor * state.body_bytes) return Body::malformed;
  }
  return state.complete ? Body::complete : Body::incomplete;
}

MessageParser::Body MessageParser::end_of_stream() {
  if (state_->complete) return Body::complete;
  if (llhttp_message_needs_eof(&state_->parser) == 0) return Body::malformed;
  const llhttp_errno_t error = llhttp_finish(&state_->parser);
  return state_->complete && (error == HPE_OK || error == HPE_PAUSED) ? Body::complete : Body::malformed;
}

}  // namespace wire::http1
