#include "wire/http_client.h"

#include <doctest/doctest.h>

using namespace wire;

namespace {

/// Feeds a reply to a request of `method`, whole and in single bytes, then ends the stream.
std::string outcome(std::string_view method, std::string_view text, HttpClientLimits limits = {}) {
  std::string results[2];
  for (int i = 0; i < 2; ++i) {
    HttpClientMachine client(limits);
    client.expect_reply_to(method);
    base::Status status = base::ok();
    for (std::size_t at = 0; at < text.size() && status.ok(); at += i == 0 ? text.size() : 1) {
      status = client.receive(base::as_bytes(i == 0 ? text : text.substr(at, 1)));
    }
    if (status.ok()) status = client.end_of_input();
    while (const auto received = client.take_response()) {
      results[i] += std::to_string(received->response.status) + " [" + received->response.body + "]" +
                    (received->keep_alive ? " keep" : "");
    }
    if (!status.ok()) {
      results[i] += status.error().code;
      CHECK_FALSE(client.receive(base::as_bytes("x")).ok());
      CHECK_FALSE(client.end_of_input().ok());
    }
  }
  CHECK(results[0] == results[1]);
  return results[0];
}

}  // namespace

TEST_CASE("replies") {
  CHECK(outcome("GET", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi") == "200 [hi] keep");
  CHECK(outcome("GET", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n") == "200 [hi] keep");
  CHECK(outcome("GET", "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nuntil the end") == "200 [until the end]");
  CHECK(outcome("GET", "HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nhi") == "200 [hi]");
  CHECK(outcome("GET", "HTTP/1.1 204 No Content\r\n\r\n") == "204 [] keep");
  CHECK(outcome("GET", "HTTP/1.1 304 Not Modified\r\nContent-Length: 7\r\n\r\n") == "304 [] keep");
  CHECK(outcome("HEAD", "HTTP/1.1 200 OK\r\nContent-Length: 2000000000\r\n\r\n") == "200 [] keep");
  CHECK(outcome("POST", "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 201 Created\r\nContent-Length: 0\r\n\r\n") ==
        "201 [] keep");
}

TEST_CASE("refused replies") {
  CHECK(outcome("GET", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 2\r\n\r\nhi") ==
        "http_response_malformed");
  CHECK(outcome("GET", "HTTP/1.1 200 OK\nContent-Length: 2\r\n\r\nhi") == "http_response_malformed");
  CHECK(outcome("GET", "HTTP/2.0 200 OK\r\n\r\n") == "http_response_malformed");
  CHECK(outcome("GET", "nonsense\r\n\r\n") == "http_response_malformed");
  CHECK(outcome("GET", "HTTP/1.1 999 X\r\nContent-Length: 0\r\n\r\n") == "http_response_malformed");
  CHECK(outcome("GET", "HTTP/1.1 101 Switching Protocols\r\n\r\n") == "http_response_malformed");
  CHECK(outcome("GET", "HTTP/1.1 200 OK\r\nA b: 2\r\n\r\n") == "http_response_malformed");
  CHECK(outcome("GET", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n") == "http_response_malformed");
  CHECK(outcome("GET", "HTTP/1.1 200 OK\r\nContent-Length: 20\r\n\r\nhi") == "http_response_truncated");
  CHECK(outcome("GET", "HTTP/1.1 200 O") == "http_response_truncated");
  CHECK(outcome("GET", "") == "http_response_truncated");
  CHECK(outcome("GET", "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\nHTTP/1.1 200 OK\r\n") ==
        "200 [] keephttp_response_unexpected");
  const HttpClientLimits small{.header_bytes_max = 100, .body_bytes_max = 4};
  CHECK(outcome("GET", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", small) == "http_response_too_large");
  CHECK(outcome("GET", "HTTP/1.1 200 OK\r\n\r\nhello", small) == "http_response_too_large");
  CHECK(outcome("GET", "HTTP/1.1 200 OK\r\nX: " + std::string(200, 'x'), small) == "http_response_too_large");
}

TEST_CASE("requests") {
  Request request;
  request.method = "GET";
  request.path = "/a";
  request.authority = "h:1";
  std::string text;
  write_request(request, text);
  CHECK(text == "GET /a HTTP/1.1\r\nhost: h:1\r\n\r\n");
  request.method = "POST";
  text.clear();
  write_request(request, text);
  CHECK(text == "POST /a HTTP/1.1\r\nhost: h:1\r\ncontent-length: 0\r\n\r\n");
}
