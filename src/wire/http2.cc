#include "wire/http2.h"

#include <nghttp2/nghttp2.h>

#include <algorithm>
#include <charconv>
#include <deque>
#include <unordered_map>

#include "base/check.h"
#include "wire/http2_frames.h"
#include "wire/rate_guard.h"
#include "wire/request_target.h"

namespace wire {

namespace {

/// Bytes fetched from nghttp2 ahead of the socket.
constexpr std::size_t output_ahead_bytes = 64 * 1024;

std::string_view text_of(const std::uint8_t* at, std::size_t bytes) {
  return {reinterpret_cast<const char*>(at), bytes};
}

nghttp2_nv field(std::string_view name, std::string_view value) {
  const auto bytes = [](std::string_view text) {
    return const_cast<std::uint8_t*>(reinterpret_cast<const std::uint8_t*>(text.data()));  // nghttp2 copies
  };
  return {bytes(name), bytes(value), name.size(), value.size(), NGHTTP2_NV_FLAG_NONE};
}

struct Stream {
  explicit Stream(const HttpLimits& limits) : body_guard(limits.body_rate), reply_guard(limits.output_rate) {}

  std::int32_t id = 0;
  Request request;
  std::string host;                 ///< of the host field, next to :authority
  std::uint64_t header_bytes = 0;   ///< as RFC 9113 section 6.5.2 counts
  std::uint32_t header_count = 0;
  Refusal refusal = Refusal::none;  ///< found while the header block came in
  bool head_done = false;
  bool complete = false;
  bool answered = false;
  bool taken = false;
  bool head_only = false;
  RateGuard body_guard;
  RateGuard reply_guard;
  std::string reply;
  std::size_t reply_sent = 0;
};

class Http2Machine final : public HttpMachine {
 public:
  Http2Machine(const Http2Limits& limits, std::int64_t now_ns)
      : limits_(limits), watch_(limits, now_ns), now_ns_(now_ns), idle_since_ns_(now_ns) {
    open_session();
    pump();
  }
  ~Http2Machine() override { nghttp2_session_del(session_); }
  Http2Machine(const Http2Machine&) = delete;
  Http2Machine& operator=(const Http2Machine&) = delete;

  void receive(base::ByteView bytes, std::int64_t now_ns) override {
    now_ns_ = now_ns;
    if (closing_ || input_ended_ || bytes.empty()) return;
    std::size_t allowed = 0;
    const bool calm = watch_.observe(base::as_text(bytes), now_ns, allowed);
    const auto taken = nghttp2_session_mem_recv(session_, bytes.data(), allowed);
    if (taken < 0) {
      give_up(taken == NGHTTP2_ERR_CALLBACK_FAILURE || taken == NGHTTP2_ERR_FLOODED ? Refusal::flood
                                                                                    : Refusal::protocol_error);
    } else if (!calm || flooded_) {
      give_up(Refusal::flood);
    }
    pump();
  }

  void end_of_input(std::int64_t now_ns) override {
    now_ns_ = now_ns;
    if (input_ended_) return;
    input_ended_ = true;
    if (watch_.unfinished_since_ns() && !closing_) note(Refusal::truncated);
    for (auto& [id, stream] : streams_) {
      if (!stream->complete && !stream->answered) {
        note(Refusal::truncated);
        reset(*stream, NGHTTP2_CANCEL);
      }
    }
    pump();
  }

  std::optional<ReceivedRequest> take_request() override {
    while (!ready_.empty()) {
      Stream* const stream = find(ready_.front());
      ready_.pop_front();
      if (stream == nullptr || stream->answered) continue;  // cancelled in the meantime
      stream->taken = true;
      buffered_bytes_ -= stream->request.body.size();
      return ReceivedRequest{static_cast<StreamId>(stream->id), std::move(stream->request)};
    }
    return std::nullopt;
  }

  bool is_open(StreamId id) const override {
    const auto found = streams_.find(static_cast<std::int32_t>(id));
    return !closing_ && found != streams_.end() && !found->second->answered;
  }

  void respond(StreamId id, const Response& response, std::string_view date, std::int64_t now_ns) override {
    now_ns_ = now_ns;
    Stream* const stream = find(static_cast<std::int32_t>(id));
    if (closing_ || stream == nullptr || stream->answered) return;
    CHECK_THAT(stream->taken, "only requests that were handed out are answered");
    answer(*stream, response, date);
    pump();
  }

  base::ByteView output() override { return base::as_bytes(std::string_view(out_).substr(out_sent_)); }

  void consume(std::size_t size, std::int64_t now_ns) override {
    now_ns_ = now_ns;
    CHECK(size <= out_.size() - out_sent_);
    out_sent_ += size;
    output_guard_.progress(size, now_ns);
    if (out_sent_ == out_.size()) {
      out_.clear();
      out_sent_ = 0;
      output_guard_.stop();
      if (streams_.empty()) idle_since_ns_ = now_ns;
    }
    pump();
  }

  bool wants_input() const override {
    return !closing_ && !input_ended_ && nghttp2_session_want_read(session_) != 0 &&
           out_.size() - out_sent_ < output_ahead_bytes;
  }

  bool wants_close() const override {
    if (closing_) return true;
    if (nghttp2_session_want_write(session_) != 0) return false;
    return nghttp2_session_want_read(session_) == 0 || (input_ended_ && streams_.empty());
  }

  std::int64_t next_deadline() const override {
    std::int64_t deadline = output_guard_.deadline();
    if (wants_close()) return deadline;
    if (const auto since = watch_.unfinished_since_ns(); since && !input_ended_) {
      deadline = std::min(deadline, *since + limits_.http.header_deadline_ns);
    }
    for (const auto& [id, stream] : streams_) {
      deadline = std::min(deadline, stream->body_guard.deadline());
      deadline = std::min(deadline, stream->reply_guard.deadline());
    }
    if (idle()) deadline = std::min(deadline, idle_since_ns_ + limits_.http.idle_timeout_ns);
    return deadline;
  }

  void on_time(std::int64_t now_ns) override {
    now_ns_ = now_ns;
    if (now_ns >= output_guard_.deadline()) {
      note(Refusal::output_too_slow);
      drop();
      return;
    }
    if (wants_close()) return;
    if (const auto since = watch_.unfinished_since_ns();
        since && !input_ended_ && now_ns >= *since + limits_.http.header_deadline_ns) {
      give_up(watch_.begun() ? Refusal::header_timeout : Refusal::idle);
      pump();
      return;
    }
    for (auto& [id, stream] : streams_) {
      if (now_ns >= stream->body_guard.deadline()) {
        refuse(*stream, Refusal::body_too_slow);
      } else if (now_ns >= stream->reply_guard.deadline()) {
        note(Refusal::output_too_slow);
        stream->reply_guard.stop();
        reset(*stream, NGHTTP2_CANCEL);
      }
    }
    if (idle() && now_ns >= idle_since_ns_ + limits_.http.idle_timeout_ns) {
      note(Refusal::idle);
      nghttp2_session_terminate_session(session_, NGHTTP2_NO_ERROR);
    }
    pump();
  }

  void begin_shutdown(std::int64_t now_ns) override {
    now_ns_ = now_ns;
    if (closing_ || shutting_down_) return;
    shutting_down_ = true;
    nghttp2_submit_goaway(session_, NGHTTP2_FLAG_NONE, nghttp2_session_get_last_proc_stream_id(session_),
                          NGHTTP2_NO_ERROR, nullptr, 0);
    pump();
  }

  std::size_t outstanding() const override {
    return static_cast<std::size_t>(
        std::count_if(streams_.begin(), streams_.end(), [](const auto& entry) { return !entry.second->answered; }));
  }

  Refusal refusal() const override { return refusal_; }

 private:
  // Callbacks from nghttp2. They run inside receive() and pump().

  static Http2Machine& self(void* user_data) { return *static_cast<Http2Machine*>(user_data); }

  static int on_begin_headers(nghttp2_session* session, const nghttp2_frame* frame, void* user_data) {
    if (frame->hd.type != NGHTTP2_HEADERS || frame->headers.cat != NGHTTP2_HCAT_REQUEST) return 0;
    auto stream = std::make_unique<Stream>(self(user_data).limits_.http);
    stream->id = frame->hd.stream_id;
    stream->request.http_major = 2;
    stream->request.http_minor = 0;
    nghttp2_session_set_stream_user_data(session, stream->id, stream.get());
    self(user_data).streams_[stream->id] = std::move(stream);
    return 0;
  }

  static int on_header(nghttp2_session*, const nghttp2_frame* frame, const std::uint8_t* name, std::size_t name_bytes,
                       const std::uint8_t* value, std::size_t value_bytes, std::uint8_t, void* user_data) {
    Http2Machine& machine = self(user_data);
    Stream* const stream = machine.find(frame->hd.stream_id);
    if (stream == nullptr) return 0;
    return machine.add_field(*stream, text_of(name, name_bytes), text_of(value, value_bytes));
  }

  /// nghttp2 would leave a malformed field out and go on.
  static int on_invalid_header(nghttp2_session*, const nghttp2_frame* frame, const std::uint8_t*,
                               std::size_t name_bytes, const std::uint8_t*, std::size_t value_bytes, std::uint8_t,
                               void* user_data) {
    Http2Machine& machine = self(user_data);
    Stream* const stream = machine.find(frame->hd.stream_id);
    if (stream == nullptr) return 0;
    if (stream->refusal == Refusal::none) stream->refusal = Refusal::malformed;
    return machine.count_field(*stream, name_bytes + value_bytes);
  }

  static int on_frame_recv(nghttp2_session*, const nghttp2_frame* frame, void* user_data) {
    Http2Machine& machine = self(user_data);
    Stream* const stream = machine.find(frame->hd.stream_id);
    if (stream == nullptr) return 0;
    const bool headers = frame->hd.type == NGHTTP2_HEADERS;
    if (!headers && frame->hd.type != NGHTTP2_DATA) return 0;
    const bool ended = (frame->hd.flags & NGHTTP2_FLAG_END_STREAM) != 0;
    if (headers && !stream->head_done) machine.finish_head(*stream, ended);
    if (ended) machine.finish_request(*stream);
    return 0;
  }

  static int on_data(nghttp2_session*, std::uint8_t, std::int32_t id, const std::uint8_t* data, std::size_t bytes,
                     void* user_data) {
    Http2Machine& machine = self(user_data);
    Stream* const stream = machine.find(id);
    if (stream != nullptr && !stream->answered) machine.add_body(*stream, text_of(data, bytes));
    return 0;
  }

  static int on_stream_close(nghttp2_session*, std::int32_t id, std::uint32_t, void* user_data) {
    Http2Machine& machine = self(user_data);
    const auto found = machine.streams_.find(id);
    if (found == machine.streams_.end()) return 0;
    if (!found->second->taken) machine.buffered_bytes_ -= found->second->request.body.size();
    // Loops over streams_ may be under way further up: the entry goes when they are done.
    machine.closed_.push_back(id);
    return 0;
  }

  static int on_frame_send(nghttp2_session* session, const nghttp2_frame* frame, void* user_data) {
    Http2Machine& machine = self(user_data);
    if (frame->hd.type == NGHTTP2_GOAWAY && frame->goaway.error_code != NGHTTP2_NO_ERROR) {
      machine.note(Refusal::protocol_error);
    }
    if (frame->hd.type == NGHTTP2_RST_STREAM) {
      const std::uint32_t code = frame->rst_stream.error_code;
      if (code != NGHTTP2_NO_ERROR && code != NGHTTP2_CANCEL && !machine.watch_.count_our_reset(machine.now_ns_)) {
        machine.flooded_ = true;
      }
    }
    const bool carries_end = frame->hd.type == NGHTTP2_HEADERS || frame->hd.type == NGHTTP2_DATA;
    if (carries_end && (frame->hd.flags & NGHTTP2_FLAG_END_STREAM) != 0) {
      Stream* const stream = machine.find(frame->hd.stream_id);
      if (stream != nullptr) {
        stream->reply_guard.stop();
        // A refusal that did not wait for the body: the rest is not wanted (RFC 9113 section 8.1).
        if (!stream->complete) {
          nghttp2_submit_rst_stream(session, NGHTTP2_FLAG_NONE, frame->hd.stream_id, NGHTTP2_NO_ERROR);
        }
      }
    }
    return 0;
  }

  static ssize_t read_reply(nghttp2_session*, std::int32_t, std::uint8_t* to, std::size_t room, std::uint32_t* flags,
                            nghttp2_data_source* source, void* user_data) {
    Stream& stream = *static_cast<Stream*>(source->ptr);
    const std::size_t bytes = std::min(room, stream.reply.size() - stream.reply_sent);
    std::copy_n(stream.reply.data() + stream.reply_sent, bytes, reinterpret_cast<char*>(to));
    stream.reply_sent += bytes;
    stream.reply_guard.progress(bytes, self(user_data).now_ns_);
    if (stream.reply_sent == stream.reply.size()) *flags |= NGHTTP2_DATA_FLAG_EOF;
    return static_cast<ssize_t>(bytes);
  }

  void open_session() {
    nghttp2_session_callbacks* callbacks = nullptr;
    CHECK(nghttp2_session_callbacks_new(&callbacks) == 0);
    nghttp2_session_callbacks_set_on_begin_headers_callback(callbacks, on_begin_headers);
    nghttp2_session_callbacks_set_on_header_callback(callbacks, on_header);
    nghttp2_session_callbacks_set_on_invalid_header_callback(callbacks, on_invalid_header);
    nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks, on_frame_recv);
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, on_data);
    nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, on_stream_close);
    nghttp2_session_callbacks_set_on_frame_send_callback(callbacks, on_frame_send);
    nghttp2_option* options = nullptr;
    CHECK(nghttp2_option_new(&options) == 0);
    nghttp2_option_set_no_closed_streams(options, 1);
    nghttp2_option_set_max_deflate_dynamic_table_size(options, limits_.hpack_table_bytes);
    // nghttp2's own bound stands behind that of the frame watch, which answers with ENHANCE_YOUR_CALM.
    nghttp2_option_set_max_continuations(options, limits_.continuations_max + 8);
    CHECK(nghttp2_session_server_new2(&session_, callbacks, this, options) == 0);
    nghttp2_option_del(options);
    nghttp2_session_callbacks_del(callbacks);

    const nghttp2_settings_entry settings[] = {
        {NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, limits_.streams_max},
        {NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, limits_.stream_window_bytes},
        {NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE, limits_.http.header_bytes_max},
        {NGHTTP2_SETTINGS_HEADER_TABLE_SIZE, limits_.hpack_table_bytes},
        {NGHTTP2_SETTINGS_NO_RFC7540_PRIORITIES, 1},
    };
    CHECK(nghttp2_submit_settings(session_, NGHTTP2_FLAG_NONE, settings, std::size(settings)) == 0);
    CHECK(nghttp2_session_set_local_window_size(session_, NGHTTP2_FLAG_NONE, 0,
                                                static_cast<std::int32_t>(limits_.connection_window_bytes)) == 0);
  }

  Stream* find(std::int32_t id) {
    const auto found = streams_.find(id);
    return found == streams_.end() ? nullptr : found->second.get();
  }

  bool idle() const { return watch_.begun() && streams_.empty() && out_.empty(); }

  void note(Refusal refusal) {
    if (refusal_ == Refusal::none) refusal_ = refusal;
  }

  /// A callback failure ends the connection: a block that goes on far beyond the limit only makes us decompress.
  int count_field(Stream& stream, std::size_t bytes) {
    constexpr std::uint64_t field_overhead = 32;
    constexpr std::uint64_t patience = 4;
    stream.header_bytes += bytes + field_overhead;
    if (stream.header_bytes > patience * limits_.http.header_bytes_max) return NGHTTP2_ERR_CALLBACK_FAILURE;
    ++stream.header_count;
    const bool too_large = stream.header_bytes > limits_.http.header_bytes_max ||
                           stream.header_count > limits_.http.header_count_max;
    if (too_large && stream.refusal == Refusal::none) stream.refusal = Refusal::header_too_large;
    return 0;
  }

  int add_field(Stream& stream, std::string_view name, std::string_view value) {
    if (const int failure = count_field(stream, name.size() + value.size()); failure != 0) return failure;
    if (stream.refusal != Refusal::none || stream.head_done) return 0;  // trailer fields are not wanted
    Request& request = stream.request;
    if (name == ":method") {
      request.method = value;
    } else if (name == ":path") {
      request.path = value;
    } else if (name == ":authority") {
      request.authority = value;
    } else if (name.starts_with(':')) {
      return 0;  // :scheme; nghttp2 knows that there is one, and which others there may be
    } else if (!is_field_value(value)) {
      stream.refusal = Refusal::malformed;
    } else if (name == "host") {
      if (!stream.host.empty()) stream.refusal = Refusal::malformed;
      stream.host = value;
    } else {
      request.headers.add(name, value);
    }
    return 0;
  }

  Refusal check_head(Stream& stream) {
    Request& request = stream.request;
    if (stream.refusal != Refusal::none) return stream.refusal;
    if (!is_known_method(request.method)) return Refusal::method_not_implemented;
    if (request.path.size() > limits_.http.target_bytes_max) return Refusal::target_too_long;
    if (request.authority.empty()) request.authority = stream.host;
    if (!stream.host.empty() && stream.host != request.authority) return Refusal::malformed;
    if (!is_authority(request.authority)) return Refusal::malformed;
    if (request.path == "*") {
      if (request.method != "OPTIONS") return Refusal::malformed;
    } else {
      const std::string target = std::move(request.path);
      const std::optional<OriginForm> form = parse_origin_form(target);
      if (!form) return Refusal::malformed;
      request.path = form->path;
      request.query = form->query;
    }
    if (request.headers.count("expect") > 0 && request.headers.find("expect") != "100-continue") {
      return Refusal::expectation_unknown;
    }
    return Refusal::none;
  }

  void finish_head(Stream& stream, bool ended) {
    stream.head_done = true;
    stream.complete = ended;
    const Refusal refusal = check_head(stream);
    stream.head_only = stream.request.method == "HEAD";
    if (refusal != Refusal::none) {
      refuse(stream, refusal);
      return;
    }
    if (ended) return;
    stream.body_guard.start(now_ns_);
    if (stream.request.headers.count("expect") > 0) {
      const nghttp2_nv status = field(":status", "100");
      nghttp2_submit_headers(session_, NGHTTP2_FLAG_NONE, stream.id, nullptr, &status, 1, nullptr);
    }
  }

  void add_body(Stream& stream, std::string_view bytes) {
    stream.body_guard.progress(bytes.size(), now_ns_);
    if (stream.request.body.size() + bytes.size() > limits_.http.body_bytes_max) {
      refuse(stream, Refusal::body_too_large);
      return;
    }
    if (buffered_bytes_ + bytes.size() > limits_.buffered_body_bytes_max) {
      reset(stream, NGHTTP2_REFUSED_STREAM);
      return;
    }
    buffered_bytes_ += bytes.size();
    stream.request.body.append(bytes);
  }

  void finish_request(Stream& stream) {
    stream.complete = true;
    stream.body_guard.stop();
    if (!stream.answered) ready_.push_back(stream.id);
  }

  void answer(Stream& stream, const Response& response, std::string_view date) {
    CHECK(response.status >= 200 && response.status <= 599);
    stream.answered = true;
    stream.body_guard.stop();
    char status[3];
    std::to_chars(status, status + sizeof status, response.status);
    char length[20];
    const auto length_end = std::to_chars(length, length + sizeof length, response.body.size()).ptr;
    std::vector<nghttp2_nv> fields;
    fields.reserve(response.headers.size() + 3);
    fields.push_back(field(":status", {status, sizeof status}));
    if (!date.empty()) fields.push_back(field("date", date));
    for (std::size_t i = 0; i < response.headers.size(); ++i) {
      const Headers::Field header = response.headers.at(i);
      fields.push_back(field(header.name, header.value));
    }
    const bool bodiless = response.status == 204 || response.status == 304;
    if (!bodiless) {
      fields.push_back(field("content-length", {length, static_cast<std::size_t>(length_end - length)}));
    }
    nghttp2_data_provider provider{};
    provider.source.ptr = &stream;
    provider.read_callback = read_reply;
    const bool with_body = !bodiless && !stream.head_only && !response.body.empty();
    if (with_body) stream.reply = response.body;
    stream.reply_guard.start(now_ns_);
    const int submitted =
        nghttp2_submit_response(session_, stream.id, fields.data(), fields.size(), with_body ? &provider : nullptr);
    if (submitted != 0) reset(stream, NGHTTP2_INTERNAL_ERROR);
  }

  void refuse(Stream& stream, Refusal refusal) {
    note(refusal);
    if (!stream.taken) {
      buffered_bytes_ -= stream.request.body.size();
      stream.request.body.clear();
    }
    answer(stream, refusal_response(refusal), {});
  }

  void reset(Stream& stream, std::uint32_t code) {
    stream.answered = true;
    stream.body_guard.stop();
    nghttp2_submit_rst_stream(session_, NGHTTP2_FLAG_NONE, stream.id, code);
  }

  /// Ends the connection with a GOAWAY that says why; open streams are dropped.
  void give_up(Refusal refusal) {
    note(refusal);
    std::uint32_t code = NGHTTP2_NO_ERROR;
    if (refusal == Refusal::flood) code = NGHTTP2_ENHANCE_YOUR_CALM;
    if (refusal == Refusal::protocol_error) code = NGHTTP2_PROTOCOL_ERROR;
    flooded_ = false;
    nghttp2_session_terminate_session(session_, code);
    fetch();
    streams_.clear();
    ready_.clear();
    closing_ = true;
  }

  /// Over at once, nothing is sent any more.
  void drop() {
    out_.clear();
    out_sent_ = 0;
    output_guard_.stop();
    streams_.clear();
    ready_.clear();
    closing_ = true;
  }

  void fetch() {
    while (!closing_ && out_.size() - out_sent_ < output_ahead_bytes) {
      const std::uint8_t* bytes = nullptr;
      const ssize_t size = nghttp2_session_mem_send(session_, &bytes);
      if (size <= 0) break;
      if (out_.empty()) output_guard_.start(now_ns_);
      out_.append(text_of(bytes, static_cast<std::size_t>(size)));
    }
  }

  /// Moves what nghttp2 has to say into the output and forgets closed streams.
  void pump() {
    fetch();
    if (flooded_ && !closing_) give_up(Refusal::flood);
    for (const std::int32_t id : closed_) {
      streams_.erase(id);
      if (streams_.empty()) idle_since_ns_ = now_ns_;
    }
    closed_.clear();
  }

  const Http2Limits limits_;
  http2::FrameWatch watch_;
  nghttp2_session* session_ = nullptr;
  std::int64_t now_ns_;
  std::int64_t idle_since_ns_;
  Refusal refusal_ = Refusal::none;
  bool shutting_down_ = false;
  bool input_ended_ = false;
  bool closing_ = false;
  bool flooded_ = false;

  std::unordered_map<std::int32_t, std::unique_ptr<Stream>> streams_;
  std::vector<std::int32_t> closed_;
  std::deque<std::int32_t> ready_;
  std::uint64_t buffered_bytes_ = 0;

  std::string out_;
  std::size_t out_sent_ = 0;
  RateGuard output_guard_{limits_.http.output_rate};
};

}  // namespace

std::unique_ptr<HttpMachine> make_http2_machine(const Http2Limits& limits, std::int64_t now_ns) {
  return std::make_unique<Http2Machine>(limits, now_ns);
}

}  // namespace wire
