#include "wire/http1.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <deque>

#include "base/check.h"
#include "wire/http1_message.h"
#include "wire/rate_guard.h"
#include "wire/request_target.h"

namespace wire {

namespace {

constexpr std::string_view continue_bytes = "HTTP/1.1 100 Continue\r\n\r\n";

bool equal_without_case(std::string_view a, std::string_view b) {
  return a.size() == b.size() && std::equal(a.begin(), a.end(), b.begin(), [](char x, char y) {
           const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; };
           return lower(x) == lower(y);
         });
}

/// `HTTP/` digit `.` digit.
bool is_version(std::string_view text) {
  const auto digit = [&](std::size_t at) { return text[at] >= '0' && text[at] <= '9'; };
  return text.size() == 8 && text.starts_with("HTTP/") && digit(5) && text[6] == '.' && digit(7);
}

class Http1Machine final : public HttpMachine {
 public:
  Http1Machine(const Http1Limits& limits, std::int64_t now_ns)
      : limits_(limits), parser_(http1::MessageParser::Kind::request), head_start_ns_(now_ns), idle_since_ns_(now_ns) {
    CHECK(limits.pipelined_max > 0);
  }

  void receive(base::ByteView bytes, std::int64_t now_ns) override {
    if (stage_ == Stage::stopped || input_ended_ || bytes.empty()) return;
    in_.append(base::as_text(bytes));
    advance(now_ns);
  }

  void end_of_input(std::int64_t now_ns) override {
    if (input_ended_) return;
    input_ended_ = true;
    advance(now_ns);
  }

  std::optional<ReceivedRequest> take_request() override {
    if (ready_.empty()) return std::nullopt;
    std::optional<ReceivedRequest> taken(std::move(ready_.front()));
    ready_.pop_front();
    return taken;
  }

  bool is_open(StreamId stream) const override {
    const Slot* slot = find(stream);
    return slot != nullptr && !slot->answered;
  }

  void respond(StreamId stream, const Response& response, std::string_view date, std::int64_t now_ns) override {
    Slot* slot = find(stream);
    if (slot == nullptr || slot->answered) return;
    CHECK_THAT(slot->complete, "only complete requests are handed out");
    const bool last = stage_ == Stage::head && slot == &slots_.back();
    if (last && (shutting_down_ || (input_ended_ && in_.empty()))) slot->close_after = true;
    answer(*slot, response, date, now_ns);
    flush(now_ns);
    advance(now_ns);
  }

  base::ByteView output() override { return base::as_bytes(std::string_view(out_).substr(out_sent_)); }

  void consume(std::size_t size, std::int64_t now_ns) override {
    CHECK(size <= out_.size() - out_sent_);
    const bool was_blocked = blocked();
    out_sent_ += size;
    output_guard_.progress(size, now_ns);
    if (out_sent_ == out_.size()) {
      out_.clear();
      out_sent_ = 0;
      output_guard_.stop();
      idle_since_ns_ = std::max(idle_since_ns_, now_ns);
    }
    if (was_blocked && !blocked()) {
      head_start_ns_ = now_ns;  // the peer could not go on while we did not read
      advance(now_ns);
    }
  }

  bool wants_input() const override {
    if (stage_ == Stage::stopped || input_ended_ || closing_) return false;
    return stage_ == Stage::body || !blocked();
  }

  bool wants_close() const override { return closing_; }

  std::int64_t next_deadline() const override {
    std::int64_t deadline = output_guard_.deadline();
    if (closing_) return deadline;
    deadline = std::min(deadline, body_guard_.deadline());
    if (stage_ == Stage::head && !blocked()) {
      if (head_running()) deadline = std::min(deadline, head_start_ns_ + limits_.http.header_deadline_ns);
      if (idle()) deadline = std::min(deadline, idle_since_ns_ + limits_.http.idle_timeout_ns);
    }
    return deadline;
  }

  void on_time(std::int64_t now_ns) override {
    if (now_ns >= output_guard_.deadline()) {
      note(Refusal::output_too_slow);
      drop();
      return;
    }
    if (closing_) return;
    if (now_ns >= body_guard_.deadline()) {
      refuse(Refusal::body_too_slow, now_ns);
      return;
    }
    if (stage_ != Stage::head || blocked()) return;
    if (idle() && now_ns >= idle_since_ns_ + limits_.http.idle_timeout_ns) {
      note(Refusal::idle);
      drop();
    } else if (head_running() && now_ns >= head_start_ns_ + limits_.http.header_deadline_ns) {
      if (in_.empty()) {
        note(Refusal::idle);  // nobody has asked for anything that could be answered
        drop();
      } else {
        refuse(Refusal::header_timeout, now_ns);
      }
    }
  }

  void begin_shutdown(std::int64_t now_ns) override {
    shutting_down_ = true;
    if (stage_ == Stage::head) in_.clear();
    advance(now_ns);
  }

  std::size_t outstanding() const override {
    return static_cast<std::size_t>(
        std::count_if(slots_.begin(), slots_.end(), [](const Slot& slot) { return !slot.answered; }));
  }

  Refusal refusal() const override { return refusal_; }

 private:
  enum class Stage { head, body, stopped };

  /// One request in the order of the wire, until its reply is in the output.
  struct Slot {
    StreamId stream = 0;
    bool head_only = false;  ///< HEAD: the reply has no body
    bool close_after = false;
    bool complete = false;
    bool answered = false;
    bool wants_continue = false;  ///< the client waits for 100 Continue
    std::string bytes;            ///< reply that waits for earlier ones
  };

  Slot* find(StreamId stream) {
    if (slots_.empty() || stream < slots_.front().stream || stream > slots_.back().stream) return nullptr;
    return &slots_[static_cast<std::size_t>(stream - slots_.front().stream)];
  }
  const Slot* find(StreamId stream) const { return const_cast<Http1Machine*>(this)->find(stream); }

  /// Time for a head runs from its first byte; for the first one from the start of the connection.
  bool head_running() const { return first_head_ || !in_.empty(); }
  bool idle() const { return !first_head_ && in_.empty() && slots_.empty() && out_.empty(); }

  /// No further request is begun: too many are unanswered, or too many bytes of replies are not fetched.
  bool blocked() const {
    return slots_.size() >= limits_.pipelined_max || out_.size() - out_sent_ > limits_.http.output_bytes_max;
  }

  void note(Refusal refusal) {
    if (refusal_ == Refusal::none) refusal_ = refusal;
  }

  /// Works through the input as far as it goes.
  void advance(std::int64_t now_ns) {
    while (true) {
      if (stage_ == Stage::head) {
        if (in_.empty() || shutting_down_ || blocked() || !read_head(now_ns)) break;
      } else if (stage_ == Stage::body) {
        if (in_.empty() || !read_body(now_ns)) break;
      } else {
        break;
      }
    }
    if (stage_ == Stage::stopped) return;
    if (input_ended_ && stage_ == Stage::body) {
      note(Refusal::truncated);
      slots_.pop_back();
      stop();
    } else if (input_ended_ && !blocked() && !in_.empty()) {
      note(Refusal::truncated);
      stop();
    }
    if (slots_.empty() && stage_ != Stage::body && (shutting_down_ || input_ended_)) {
      stop();
      closing_ = true;
    } else if (!slots_.empty() && stage_ == Stage::stopped) {
      slots_.back().close_after = true;
    }
  }

  /// True if one head was read.
  bool read_head(std::int64_t now_ns) {
    if (!head_seen_) {
      // One empty line before a request is forgiven (RFC 9112 section 2.2).
      if (!blank_line_skipped_ && in_.starts_with('\r')) {
        if (in_.size() == 1) return begin_head_clock(now_ns);
        if (in_[1] == '\n') {
          in_.erase(0, 2);
          blank_line_skipped_ = true;
          if (in_.empty()) return begin_head_clock(now_ns);
        }
      }
      head_seen_ = true;
      begin_head_clock(now_ns);
    }
    const http1::HeadScanner::Found found = scanner_.scan(in_);
    if (found == http1::HeadScanner::Found::malformed) return refuse(Refusal::malformed, now_ns);
    if (found == http1::HeadScanner::Found::incomplete) {
      constexpr std::size_t method_and_version = 32;
      if (scanner_.first_line_bytes() == 0 && in_.size() > limits_.http.target_bytes_max + method_and_version) {
        return refuse(Refusal::target_too_long, now_ns);
      }
      if (in_.size() > limits_.http.header_bytes_max) return refuse(Refusal::header_too_large, now_ns);
      return false;
    }
    if (scanner_.head_bytes() > limits_.http.header_bytes_max) return refuse(Refusal::header_too_large, now_ns);
    const Refusal refusal = interpret_head(std::string_view(in_).substr(0, scanner_.head_bytes()));
    if (refusal != Refusal::none) return refuse(refusal, now_ns);

    in_.erase(0, scanner_.head_bytes());
    scanner_.reset();
    first_head_ = false;
    head_seen_ = false;
    head_clock_ = false;
    blank_line_skipped_ = false;
    if (parser_.complete()) {
      finish_request(now_ns);
    } else {
      stage_ = Stage::body;
      body_guard_.start(now_ns);
      send_continue(now_ns);
      // The client waits for a 100 that waits for earlier replies: that time is ours.
      if (slots_.back().wants_continue) body_guard_.stop();
    }
    return true;
  }

  bool begin_head_clock(std::int64_t now_ns) {
    if (!first_head_ && !head_clock_) head_start_ns_ = now_ns;
    head_clock_ = true;
    return false;
  }

  /// Fills current_ and adds its slot.
  Refusal interpret_head(std::string_view head) {
    const std::string_view line = head.substr(0, scanner_.first_line_bytes());
    const std::size_t first_blank = line.find(' ');
    const std::size_t last_blank = line.rfind(' ');
    if (first_blank == std::string_view::npos || first_blank == last_blank) return Refusal::malformed;
    const std::string_view method = line.substr(0, first_blank);
    const std::string_view target = line.substr(first_blank + 1, last_blank - first_blank - 1);
    const std::string_view version = line.substr(last_blank + 1);
    if (!is_token(method) || target.empty() || target.find_first_of(" \t") != std::string_view::npos) {
      return Refusal::malformed;
    }
    if (!is_version(version)) return Refusal::malformed;
    if (version != "HTTP/1.1" && version != "HTTP/1.0") return Refusal::version_not_supported;
    if (!is_known_method(method)) return Refusal::method_not_implemented;
    if (target.size() > limits_.http.target_bytes_max) return Refusal::target_too_long;

    Slot slot;
    slot.stream = next_stream_;
    current_ = Request{};
    current_.method = method;
    current_.http_minor = static_cast<std::uint8_t>(version[7] - '0');
    const bool old = current_.http_minor == 0;

    Headers all;
    all.reserve(16, head.size());
    if (!parser_.read_head(head, limits_.http.header_count_max, false, all)) {
      return parser_.too_many_fields() ? Refusal::header_too_large : Refusal::malformed;
    }
    const std::optional<http1::DeclaredFraming> framing = http1::declared_framing(all);
    if (!framing || (old && framing->framing == http1::Framing::chunked)) return Refusal::malformed;

    const std::size_t hosts = all.count("host");
    if (hosts > 1 || (hosts == 0 && !old)) return Refusal::malformed;
    if (hosts == 1) {
      current_.authority = *all.find("host");
      if (!is_authority(current_.authority)) return Refusal::malformed;
    }
    if (!set_target(target)) return Refusal::malformed;
    if (framing->length > limits_.http.body_bytes_max) return Refusal::body_too_large;

    if (all.count("expect") > 0 && !old) {
      const auto expectation = all.find("expect");
      if (!expectation || !equal_without_case(*expectation, "100-continue")) return Refusal::expectation_unknown;
      slot.wants_continue = !parser_.complete();
    }
    slot.head_only = method == "HEAD";
    slot.close_after = old || http1::list_contains(all, "connection", "close");
    current_.headers = std::move(all);
    slots_.push_back(std::move(slot));
    ++next_stream_;
    return Refusal::none;
  }

  /// Origin form, absolute form (its authority must be the Host) or `*` (RFC 9112 section 3.2).
  bool set_target(std::string_view target) {
    if (target == "*") {
      if (current_.method != "OPTIONS") return false;
      current_.path = target;
      return true;
    }
    if (!target.starts_with('/')) {
      std::size_t scheme = 0;
      if (target.starts_with("http://")) scheme = 7;
      if (target.starts_with("https://")) scheme = 8;
      if (scheme == 0) return false;
      const std::size_t end = std::min(target.find_first_of("/?", scheme), target.size());
      if (!equal_without_case(target.substr(scheme, end - scheme), current_.authority) || end == scheme) return false;
      target.remove_prefix(end);
      if (target.empty() || target.front() == '?') return false;
    }
    const std::optional<OriginForm> form = parse_origin_form(target);
    if (!form) return false;
    current_.path = form->path;
    current_.query = form->query;
    return true;
  }

  /// True if the body is complete.
  bool read_body(std::int64_t now_ns) {
    const http1::BodyLimits limits{limits_.http.body_bytes_max, limits_.chunk_extension_bytes_max};
    slots_.back().wants_continue = false;  // it did not wait for us
    if (!body_guard_.running()) body_guard_.start(now_ns);
    const std::size_t before = current_.body.size();
    std::size_t used = 0;
    const http1::MessageParser::Body read = parser_.read_body(in_, limits, current_.body, used);
    in_.erase(0, used);
    body_guard_.progress(current_.body.size() - before, now_ns);
    switch (read) {
      case http1::MessageParser::Body::incomplete:
        return false;
      case http1::MessageParser::Body::malformed:
        return refuse(Refusal::malformed, now_ns);
      case http1::MessageParser::Body::too_large:
        return refuse(Refusal::body_too_large, now_ns);
      case http1::MessageParser::Body::complete:
        break;
    }
    body_guard_.stop();
    stage_ = Stage::head;
    finish_request(now_ns);
    return true;
  }

  void finish_request(std::int64_t now_ns) {
    Slot& slot = slots_.back();
    slot.complete = true;
    idle_since_ns_ = now_ns;
    // What follows a request that closes the connection is not read.
    if (slot.close_after) stop();
    ready_.push_back({slot.stream, std::move(current_)});
    current_ = Request{};
  }

  /// The 100 of the oldest open request, if its body has not begun.
  void send_continue(std::int64_t now_ns) {
    if (slots_.empty() || !slots_.front().wants_continue) return;
    slots_.front().wants_continue = false;
    emit(continue_bytes, now_ns);
    body_guard_.start(now_ns);
  }

  void emit(std::string_view bytes, std::int64_t now_ns) {
    if (out_.empty()) output_guard_.start(now_ns);
    out_.append(bytes);
  }

  /// Writes the reply to the output if it is due, otherwise into its slot.
  void answer(Slot& slot, const Response& response, std::string_view date, std::int64_t now_ns) {
    CHECK(!slot.answered && response.status >= 200 && response.status <= 599);
    slot.answered = true;
    const bool due = &slot == &slots_.front();
    if (due) emit({}, now_ns);
    std::string& out = due ? out_ : slot.bytes;
    if (!due) out.reserve(256 + response.body.size());
    const auto number = [&](std::uint64_t value) {
      char digits[20];
      out.append(digits, std::to_chars(digits, digits + sizeof digits, value).ptr);
    };
    out.append("HTTP/1.1 ");
    number(response.status);
    out.append(" ").append(reason_phrase(response.status)).append("\r\n");
    if (!date.empty()) out.append("date: ").append(date).append("\r\n");
    for (std::size_t i = 0; i < response.headers.size(); ++i) {
      const Headers::Field field = response.headers.at(i);
      out.append(field.name).append(": ").append(field.value).append("\r\n");
    }
    const bool bodiless = response.status == 204 || response.status == 304;
    if (!bodiless) {
      out.append("content-length: ");
      number(response.body.size());
      out.append("\r\n");
    }
    if (slot.close_after) out.append("connection: close\r\n");
    out.append("\r\n");
    if (!bodiless && !slot.head_only) out.append(response.body);
  }

  /// Moves the replies that are due into the output.
  void flush(std::int64_t now_ns) {
    while (!slots_.empty() && slots_.front().answered) {
      if (!slots_.front().bytes.empty()) emit(slots_.front().bytes, now_ns);
      const bool close = slots_.front().close_after;
      slots_.pop_front();
      idle_since_ns_ = now_ns;
      if (close) {
        CHECK(slots_.empty());
        stop();
        closing_ = true;
      }
    }
    send_continue(now_ns);
  }

  /// No more input is read.
  void stop() {
    stage_ = Stage::stopped;
    body_guard_.stop();
    in_.clear();
  }

  /// Over at once, nothing is sent any more.
  void drop() {
    stop();
    out_.clear();
    out_sent_ = 0;
    output_guard_.stop();
    slots_.clear();
    ready_.clear();
    closing_ = true;
  }

  /// Answers for the machine, behind all earlier replies, and ends the connection. Always false.
  bool refuse(Refusal refusal, std::int64_t now_ns) {
    note(refusal);
    if (stage_ != Stage::body) {
      Slot slot;
      slot.stream = next_stream_++;
      slots_.push_back(std::move(slot));
    }
    stop();
    Slot& slot = slots_.back();
    slot.close_after = true;
    answer(slot, refusal_response(refusal), {}, now_ns);
    flush(now_ns);
    return false;
  }

  const Http1Limits limits_;
  Stage stage_ = Stage::head;
  Refusal refusal_ = Refusal::none;
  bool shutting_down_ = false;
  bool input_ended_ = false;
  bool closing_ = false;

  std::string in_;  ///< received and not yet worked on; starts at a head or within a body
  http1::HeadScanner scanner_;
  http1::MessageParser parser_;
  bool first_head_ = true;
  bool head_seen_ = false;   ///< the first byte of a request line is in
  bool head_clock_ = false;  ///< head_start_ns_ is that of the head being read
  bool blank_line_skipped_ = false;
  Request current_;

  std::deque<Slot> slots_;
  std::deque<ReceivedRequest> ready_;
  StreamId next_stream_ = 1;

  std::string out_;
  std::size_t out_sent_ = 0;

  std::int64_t head_start_ns_;
  std::int64_t idle_since_ns_;
  RateGuard body_guard_{limits_.http.body_rate};
  RateGuard output_guard_{limits_.http.output_rate};
};

}  // namespace

std::unique_ptr<HttpMachine> make_http1_machine(const Http1Limits& limits, std::int64_t now_ns) {
  return std::make_unique<Http1Machine>(limits, now_ns);
}

}  // namespace wire
