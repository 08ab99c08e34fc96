#pragma once
// An HTTP/2 client over a TLS connection, with nghttp2's own client side. For tests only.

#include <doctest/doctest.h>
#include <nghttp2/nghttp2.h>

#include <array>
#include <map>
#include <string>
#include <vector>

#include "io/tls_client.h"
#include "wire/http_message.h"

namespace edge {

class Http2Client {
 public:
  struct Reply {
    std::map<std::string, std::string> headers;
    std::string body;
    bool closed = false;
    std::uint32_t error = 0;
  };

  explicit Http2Client(io::TlsClient& tls) : tls_(tls) {
    nghttp2_session_callbacks* callbacks = nullptr;
    nghttp2_session_callbacks_new(&callbacks);
    nghttp2_session_callbacks_set_on_header_callback(
        callbacks, [](nghttp2_session*, const nghttp2_frame* frame, const std::uint8_t* name, std::size_t name_size,
                      const std::uint8_t* value, std::size_t value_size, std::uint8_t, void* self) {
          auto& reply = static_cast<Http2Client*>(self)->replies[frame->hd.stream_id];
          reply.headers[std::string(reinterpret_cast<const char*>(name), name_size)] =
              std::string(reinterpret_cast<const char*>(value), value_size);
          return 0;
        });
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(
        callbacks, [](nghttp2_session*, std::uint8_t, std::int32_t stream, const std::uint8_t* data, std::size_t size,
                      void* self) {
          static_cast<Http2Client*>(self)->replies[stream].body.append(reinterpret_cast<const char*>(data), size);
          return 0;
        });
    nghttp2_session_callbacks_set_on_stream_close_callback(
        callbacks, [](nghttp2_session*, std::int32_t stream, std::uint32_t error, void* self) {
          auto& reply = static_cast<Http2Client*>(self)->replies[stream];
          reply.closed = true;
          reply.error = error;
          return 0;
        });
    nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks,
                                                         [](nghttp2_session*, const nghttp2_frame* frame, void* self) {
                                                           if (frame->hd.type == NGHTTP2_GOAWAY)
                                                             static_cast<Http2Client*>(self)->goaway = true;
                                                           return 0;
                                                         });
    nghttp2_session_client_new(&session_, callbacks, this);
    nghttp2_session_callbacks_del(callbacks);
    nghttp2_submit_settings(session_, NGHTTP2_FLAG_NONE, nullptr, 0);
  }
  ~Http2Client() { nghttp2_session_del(session_); }
  Http2Client(const Http2Client&) = delete;
  Http2Client& operator=(const Http2Client&) = delete;

  std::int32_t submit(const wire::Request& request) {
    std::vector<std::pair<std::string, std::string>> fields = {
        {":method", request.method}, {":scheme", "https"}, {":authority", request.authority}, {":path", request.path}};
    for (std::size_t i = 0; i < request.headers.size(); ++i) {
      fields.emplace_back(request.headers.at(i).name, request.headers.at(i).value);
    }
    std::vector<nghttp2_nv> pairs;
    for (auto& [name, value] : fields) {
      pairs.push_back({reinterpret_cast<std::uint8_t*>(name.data()), reinterpret_cast<std::uint8_t*>(value.data()),
                       name.size(), value.size(), NGHTTP2_NV_FLAG_NONE});
    }
    nghttp2_data_provider body{};
    body.read_callback = [](nghttp2_session* session, std::int32_t stream, std::uint8_t* into, std::size_t size,
                            std::uint32_t* flags, nghttp2_data_source*, void* self) -> ssize_t {
      static_cast<void>(session);
      std::string& rest = static_cast<Http2Client*>(self)->bodies_[stream];
      const std::size_t n = rest.copy(reinterpret_cast<char*>(into), size);
      rest.erase(0, n);
      if (rest.empty()) *flags |= NGHTTP2_DATA_FLAG_EOF;
      return static_cast<ssize_t>(n);
    };
    const std::int32_t stream = nghttp2_submit_request(session_, nullptr, pairs.data(), pairs.size(),
                                                       request.body.empty() ? nullptr : &body, nullptr);
    bodies_[stream] = request.body;
    return stream;
  }

  /// Sends what is to be sent; one read.  False at the end of the connection.
  bool turn() {
    flush();
    std::array<std::uint8_t, 16384> buffer;
    const auto n = tls_.read(buffer);
    if (!n.ok() || *n == 0) return false;
    REQUIRE(nghttp2_session_mem_recv(session_, buffer.data(), *n) >= 0);
    return true;
  }
  void flush() {
    const std::uint8_t* data = nullptr;
    for (ssize_t n = 0; (n = nghttp2_session_mem_send(session_, &data)) > 0;) {
      REQUIRE(tls_.write_all({data, static_cast<std::size_t>(n)}).ok());
    }
  }
  const Reply& wait(std::int32_t stream) {
    while (!replies[stream].closed && turn()) {
    }
    return replies[stream];
  }

  std::map<std::int32_t, Reply> replies;
  bool goaway = false;

 private:
  io::TlsClient& tls_;
  nghttp2_session* session_ = nullptr;
  std::map<std::int32_t, std::string> bodies_;
};

}  // namespace edge
