#pragma once
// One connection of an HttpClient. Private to this folder.

#include <optional>

#include "effects/http/http_client.h"
#include "io/stream.h"
#include "wire/http_client.h"

namespace effects {

class HttpClient::Connection final : public io::EventHandler {
 public:
  Connection(HttpClient& client, std::vector<io::Endpoint> addresses);
  ~Connection() override;

  /// Begins to connect. Failures come through the client like later ones.
  void start();
  /// Carries a call; only while ready.
  void carry(HttpCall&& call);

  void on_readable() override;
  void on_writable() override;

 private:
  enum class Stage { connecting, shaking_hands, idle, carrying, closed };

  bool try_next_address();
  void connected();
  void shake_hands();
  void write();
  void read();
  void await(bool readable, bool writable);
  void on_timer();
  void idle();
  void answered(wire::ReceivedResponse&& received);
  void give_up(HttpFailure failure, std::string detail);
  void close();
  void forget_output();
  base::Duration latency() const;

  HttpClient& client_;
  const std::vector<io::Endpoint> addresses_;
  std::size_t next_address_ = 0;
  bool refused_ = false;                    ///< at once, by every address
  Stage stage_ = Stage::connecting;
  io::Descriptor fd_;                       ///< while connecting; then the stream's
  int watched_ = -1;
  std::unique_ptr<io::Stream> stream_;
  io::Interest interest_;
  wire::HttpClientMachine machine_;
  std::optional<HttpCall> call_;
  std::string out_;
  std::size_t written_ = 0;
  std::int64_t began_boot_ns_ = 0;
  bool sent_ = false, begun_ = false, fresh_ = true;
  io::Timer timer_;
  friend class HttpClient;
};

}  // namespace effects
