#pragma once
// A server, of TLS unless a test wants it plain, that answers with whatever bytes a test wants, and breaks off where it wants. For tests
// only.

#include <poll.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "io/connecting.h"
#include "io/process.h"
#include "io/simulated_file.h"
#include "io/socket.h"
#include "io/test_certificates.h"
#include "io/tls.h"

namespace effects {

/// What to do about one request.
struct ScriptedReply {
  std::string bytes;                 ///< raw, head and all
  enum class End { keep, close, reset, hold } end = End::keep;   ///< hold: say nothing more and read nothing more
  int pause_ms = 0;                  ///< before the bytes
  int drip_ms = 0;                   ///< between any two bytes, if not 0
};
inline std::string http_reply(int status, std::string_view type, std::string_view body) {
  return "HTTP/1.1 " + std::to_string(status) + " X\r\ncontent-type: " + std::string(type) + "\r\ncontent-length: " + std::to_string(body.size()) +
         "\r\n\r\n" + std::string(body);
}

class ScriptedServer {
 public:
  using Script = std::function<ScriptedReply(const std::string& request)>;
  explicit ScriptedServer(Script script, bool client_certificate = false) : script_(std::move(script)) {
    io::ignore_broken_pipes();
    put("ca", authority);
    put("server", io::make_test_identity("rail", "DNS:localhost,IP:127.0.0.1", &authority));
    put("client", io::make_test_identity("holdfast", "DNS:client", &authority));
    put("stranger", io::make_test_identity("stranger", ""));
    io::TlsServerOptions options;
    options.certificate_file = "server.pem";
    options.key_file = "server.key";
    if (client_certificate) {
      options.client_ca_file = "ca.pem";
      options.client_certificate_required = true;
    }
    tls_ = io::TlsServerContext::open(disk, options).value();
    listen();
  }
  struct Plain {};
  ScriptedServer(Script script, Plain) : script_(std::move(script)) {
    io::ignore_broken_pipes();
    listen();
  }
  ~ScriptedServer() {
    stopping_ = true;
    accepting_.join();
    for (std::thread& one : serving_) one.join();
  }

  std::string url() const { return (tls_ ? "https://" : "http://") + listener_->endpoint().text(); }
  std::uint16_t port() const { return listener_->endpoint().port; }
  std::vector<std::string> requests() {
    const std::lock_guard lock(mutex_);
    return requests_;
  }
  std::atomic<int> connections{0};

  io::SimulatedFileSystem disk{1};
  io::TestIdentity authority = io::make_test_identity("test authority", "");

 private:
  void listen() {
    listener_ = io::Listener::open({"127.0.0.1", 0}).value();
    accepting_ = std::thread([this] { accept(); });
  }
  void put(const std::string& name, const io::TestIdentity& identity) {
    io::replace_file(disk, name + ".pem", base::as_bytes(identity.certificate_pem)).value();
    io::replace_file(disk, name + ".key", base::as_bytes(identity.key_pem)).value();
  }
  bool wait(int fd, short events) const {
    while (!stopping_) {
      pollfd one{fd, events, 0};
      if (::poll(&one, 1, 10) > 0) return true;
    }
    return false;
  }
  void accept() {
    while (wait(listener_->fd(), POLLIN)) {
      auto accepted = listener_->accept();
      if (!accepted.ok() || !accepted->has_value()) continue;
      ++connections;
      serving_.emplace_back([this, fd = std::make_shared<io::Descriptor>(std::move((*accepted)->fd))] { serve(std::move(*fd)); });
    }
  }
  bool more(io::Stream& stream, const io::StreamResult& result) const {
    if (result.state == io::StreamState::want_read) return wait(stream.fd(), POLLIN);
    if (result.state == io::StreamState::want_write) return wait(stream.fd(), POLLOUT);
    return result.state == io::StreamState::done;
  }
  // Head, and as much body as content-length says.
  bool read_request(io::Stream& stream, std::string& in, std::string& request) const {
    while (true) {
      const std::size_t head = in.find("\r\n\r\n");
      if (head != std::string::npos) {
        const std::size_t at = std::min(in.find("content-length: "), in.find("Content-Length: "));
        const std::size_t size = head + 4 + (at < head ? std::stoul(in.substr(at + 16)) : 0);
        if (in.size() >= size) {
          request = in.substr(0, size);
          in.erase(0, size);
          return true;
        }
      }
      std::uint8_t buffer[4096];
      const io::StreamResult result = stream.read(buffer);
      if (result.state == io::StreamState::done) {
        in.append(reinterpret_cast<const char*>(buffer), result.bytes);
      } else if (!more(stream, result)) {
        return false;
      }
    }
  }
  void serve(io::Descriptor fd) {
    if (tls_) {
      io::TlsConnection stream(*tls_, std::move(fd));
      serve(stream);
    } else {
      io::PlainStream stream(std::move(fd));
      serve(stream);
    }
  }
  void serve(io::Stream& stream) {
    while (true) {
      const io::StreamResult result = stream.handshake();
      if (result.state == io::StreamState::done) break;
      if (!more(stream, result)) return;
    }
    std::string in, request;
    while (read_request(stream, in, request)) {
      {
        const std::lock_guard lock(mutex_);
        requests_.push_back(request);
      }
      const ScriptedReply reply = script_(request);
      std::this_thread::sleep_for(std::chrono::milliseconds(reply.pause_ms));
      base::ByteView rest = base::as_bytes(reply.bytes);
      while (!rest.empty() && !stopping_) {
        const io::StreamResult result = stream.write(reply.drip_ms != 0 ? rest.first(1) : rest);
        if (!more(stream, result)) return;
        if (result.state == io::StreamState::done) rest = rest.subspan(result.bytes);
        if (reply.drip_ms != 0) std::this_thread::sleep_for(std::chrono::milliseconds(reply.drip_ms));
      }
      if (reply.end == ScriptedReply::End::hold) {
        while (!stopping_) std::this_thread::sleep_for(std::chrono::milliseconds(5));
      }
      if (reply.end == ScriptedReply::End::reset) io::reset_on_close(stream.fd());
      if (reply.end == ScriptedReply::End::close) stream.shutdown();
      if (reply.end != ScriptedReply::End::keep) return;
    }
  }

  const Script script_;
  std::unique_ptr<io::TlsServerContext> tls_;
  std::unique_ptr<io::Listener> listener_;
  std::atomic<bool> stopping_{false};
  std::mutex mutex_;
  std::vector<std::string> requests_;
  std::vector<std::thread> serving_;   ///< accepting thread, then the destructor
  std::thread accepting_;
};

/// Turns a loop until something is true, for some seconds at most.
template <typename Condition>
bool turn_until(io::Loop& loop, Condition condition, int patience_ms = 5000) {
  const auto until = std::chrono::steady_clock::now() + std::chrono::milliseconds(patience_ms);
  while (!condition()) {
    if (std::chrono::steady_clock::now() > until) return false;
    loop.run_once(base::milliseconds(10));
  }
  return true;
}

}  // namespace effects
