#include "wire/http_client.h"

#include <deque>

#include "base/check.h"
#include "wire/http1_message.h"

namespace wire {

void write_request(const Request& request, std::string& out) {
  CHECK(request.headers.count("host") == 0 && request.headers.count("content-length") == 0);
  out.append(request.method).append(" ").append(request.path);
  if (!request.query.empty()) out.append("?").append(request.query);
  out.append(" HTTP/1.1\r\nhost: ").append(request.authority).append("\r\n");
  for (std::size_t i = 0; i < request.headers.size(); ++i) {
    const Headers::Field field = request.headers.at(i);
    out.append(field.name).append(": ").append(field.value).append("\r\n");
  }
  const bool carries = request.method == "POST" || request.method == "PUT" || request.method == "PATCH";
  if (carries || !request.body.empty()) {
    out.append("content-length: ").append(std::to_string(request.body.size())).append("\r\n");
  }
  out.append("\r\n").append(request.body);
}

namespace {

base::Error malformed(const char* what) { return {"http_response_malformed", what}; }

}  // namespace

struct HttpClientMachine::State {
  explicit State(HttpClientLimits client_limits)
      : limits(client_limits), parser(http1::MessageParser::Kind::response) {}

  HttpClientLimits limits;
  http1::HeadScanner scanner;
  http1::MessageParser parser;
  std::string in;
  bool in_body = false;
  ReceivedResponse current;
  std::deque<bool> expected_head;  ///< for every reply to come: was the method HEAD
  std::deque<ReceivedResponse> ready;
  std::optional<base::Error> failed;

  base::Status fail(base::Error error) {
    failed = error;
    return error;
  }

  void finish() {
    in_body = false;
    expected_head.pop_front();
    ready.push_back(std::move(current));
    current = {};
  }

  base::Status read_head() {
    constexpr std::size_t header_count_max = 256;
    const std::string_view head = std::string_view(in).substr(0, scanner.head_bytes());
    const bool modern = head.starts_with("HTTP/1.1 ");
    if (!modern && !head.starts_with("HTTP/1.0 ")) return malformed("the status line is not that of HTTP/1");
    Headers headers;
    headers.reserve(16, head.size());
    if (!parser.read_head(head, header_count_max, expected_head.front(), headers)) {
      return malformed("the header section is malformed");
    }
    const auto framing = http1::declared_framing(headers);
    if (!framing) return malformed("the length of the body could be read in two ways");
    if (framing->length > limits.body_bytes_max && !expected_head.front()) {
      return base::Error{"http_response_too_large", "the body is larger than the limit"};
    }
    const std::uint16_t status = parser.status();
    if (status < 100 || status == 101 || status > 599) return malformed("a status that nobody asked for");
    current.response.status = status;
    current.keep_alive = modern && !http1::list_contains(headers, "connection", "close");
    current.response.headers = std::move(headers);
    in.erase(0, scanner.head_bytes());
    scanner.reset();
    if (status < 200) {
      current = {};
    } else if (parser.complete()) {
      finish();
    } else {
      in_body = true;
    }
    return base::ok();
  }

  base::Status read_body() {
    constexpr std::uint32_t chunk_extension_bytes_max = 4096;
    std::size_t used = 0;
    const auto read =
        parser.read_body(in, {limits.body_bytes_max, chunk_extension_bytes_max}, current.response.body, used);
    in.erase(0, used);
    if (read == http1::MessageParser::Body::malformed) return malformed("the body is malformed");
    if (read == http1::MessageParser::Body::too_large) {
      return base::Error{"http_response_too_large", "the body is larger than the limit"};
    }
    if (read == http1::MessageParser::Body::complete) finish();
    return base::ok();
  }

  base::Status advance() {
    while (!in.empty()) {
      if (in_body) {
        TRY(read_body());
        continue;
      }
      if (expected_head.empty()) return base::Error{"http_response_unexpected", "bytes behind the last reply"};
      const auto found = scanner.scan(in);
      if (found == http1::HeadScanner::Found::malformed) return malformed("the header section is malformed");
      const bool complete = found == http1::HeadScanner::Found::complete;
      if ((complete ? scanner.head_bytes() : in.size()) > limits.header_bytes_max) {
        return base::Error{"http_response_too_large", "the header section is larger than the limit"};
      }
      if (!complete) break;
      TRY(read_head());
    }
    return base::ok();
  }
};

HttpClientMachine::HttpClientMachine(HttpClientLimits limits) : state_(std::make_unique<State>(limits)) {}
HttpClientMachine::~HttpClientMachine() = default;

void HttpClientMachine::expect_reply_to(std::string_view method) { state_->expected_head.push_back(method == "HEAD"); }

base::Status HttpClientMachine::receive(base::ByteView bytes) {
  if (state_->failed) return *state_->failed;
  state_->in.append(base::as_text(bytes));
  const base::Status status = state_->advance();
  return status.ok() ? status : state_->fail(status.error());
}

base::Status HttpClientMachine::end_of_input() {
  if (state_->failed) return *state_->failed;
  if (state_->in_body && state_->parser.end_of_stream() == http1::MessageParser::Body::complete) {
    state_->current.keep_alive = false;
    state_->finish();
  }
  if (!state_->expected_head.empty()) {
    return state_->fail({"http_response_truncated", "the server ended the stream before the end of its reply"});
  }
  return base::ok();
}

std::optional<ReceivedResponse> HttpClientMachine::take_response() {
  if (state_->ready.empty()) return std::nullopt;
  std::optional<ReceivedResponse> taken(std::move(state_->ready.front()));
  state_->ready.pop_front();
  return taken;
}

}  // namespace wire
