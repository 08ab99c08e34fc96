#include "apps/holdfast/fault_proxy.h"

#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <chrono>
#include <thread>

#include "io/process.h"
#include "wire/json_value.h"

// clang-format off
#include <doctest/doctest.h>  // last: base/check.h has a CHECK too
// clang-format on

namespace holdfast {
namespace {

/// Sends everything back; ends when the other side does.
class Echo {
 public:
  Echo() : listener_(io::Listener::open({"127.0.0.1", 0}).value()) {
    io::ignore_broken_pipes();
    thread_ = std::thread([this] { run(); });
  }
  ~Echo() {
    stopping_ = true;
    thread_.join();
    for (std::thread& one : serving_) one.join();
  }
  io::Endpoint endpoint() const { return listener_->endpoint(); }

 private:
  void run() {
    while (!stopping_) {
      pollfd waiting{listener_->fd(), POLLIN, 0};
      if (::poll(&waiting, 1, 10) <= 0) continue;
      auto accepted = listener_->accept();
      if (accepted.ok() && accepted->has_value()) {
        serving_.emplace_back([this, fd = std::make_shared<io::Descriptor>(std::move((*accepted)->fd))] { serve(fd->get()); });
      }
    }
  }
  void serve(int fd) const {
    char buffer[65536];
    while (!stopping_) {
      pollfd waiting{fd, POLLIN, 0};
      if (::poll(&waiting, 1, 10) <= 0) continue;
      const ssize_t n = ::recv(fd, buffer, sizeof buffer, 0);
      if (n <= 0) return;
      for (ssize_t sent = 0; sent < n && !stopping_;) {
        const ssize_t more = ::send(fd, buffer + sent, static_cast<std::size_t>(n - sent), MSG_NOSIGNAL);
        if (more > 0) sent += more;
      }
    }
  }
  std::unique_ptr<io::Listener> listener_;
  std::atomic<bool> stopping_{false};
  std::vector<std::thread> serving_;
  std::thread thread_;
};

NetworkSchedule with(std::string_view faults, std::string_view rest = "") {
  const std::string text = "{\"faults\":[" + std::string(faults) + "]" + std::string(rest) + "}";
  const auto schedule = parse_network_schedule(base::as_bytes(text));
  REQUIRE_MESSAGE(schedule.ok(), (schedule.ok() ? "" : schedule.error().message));
  return *schedule;
}

class Network {
 public:
  explicit Network(NetworkSchedule schedule = {})
      : loop_(io::Loop::open().value()), proxy_(FaultProxy::open(*loop_, {"127.0.0.1", 0}, echo_.endpoint(), std::move(schedule)).value()) {
    thread_ = std::thread([this] { loop_->run(); });
  }
  ~Network() {
    loop_->stop();
    thread_.join();
  }
  /// A reset may come before the connection is seen to stand: then there is none.
  io::Descriptor connect() const {
    auto fd = io::connect_blocking("127.0.0.1", proxy_->endpoint().port, base::seconds(5));
    return fd.ok() ? std::move(*fd) : io::Descriptor();
  }
  template <typename Work>
  void on_loop(Work work) {
    std::atomic<bool> done{false};
    loop_->post([&] {
      work(*proxy_);
      done = true;
    });
    while (!done) std::this_thread::sleep_for(std::chrono::microseconds(100));
  }
  void weather(NetworkSchedule schedule) {
    on_loop([&](FaultProxy& proxy) { proxy.set_schedule(std::move(schedule)); });
  }
  FaultProxy::Stats stats() {
    FaultProxy::Stats stats;
    on_loop([&](FaultProxy& proxy) { stats = proxy.stats(); });
    return stats;
  }

 private:
  Echo echo_;
  std::unique_ptr<io::Loop> loop_;
  std::unique_ptr<FaultProxy> proxy_;
  std::thread thread_;
};

/// What comes back within the time: text, or what happened instead.
std::string receive(const io::Descriptor& fd, std::size_t wanted, int patience_ms) {
  if (!fd.valid()) return "reset";
  std::string text;
  const auto until = std::chrono::steady_clock::now() + std::chrono::milliseconds(patience_ms);
  while (text.size() < wanted) {
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(until - std::chrono::steady_clock::now()).count();
    pollfd waiting{fd.get(), POLLIN, 0};
    if (left <= 0 || ::poll(&waiting, 1, static_cast<int>(left)) <= 0) return text.empty() ? "silence" : text;
    char buffer[4096];
    const ssize_t n = ::recv(fd.get(), buffer, sizeof buffer, 0);
    if (n == 0) return text + "end";
    if (n < 0 && errno == ECONNRESET) return text + "reset";
    if (n > 0) text.append(buffer, static_cast<std::size_t>(n));
  }
  return text;
}
std::string echo(const io::Descriptor& fd, const std::string& text, int patience_ms = 2000) {
  static_cast<void>(::send(fd.get(), text.data(), text.size(), MSG_NOSIGNAL));
  return receive(fd, text.size(), patience_ms);
}
template <typename Work>
std::int64_t ms_of(Work work) {
  const auto began = std::chrono::steady_clock::now();
  work();
  return std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now() - began).count();
}

TEST_CASE("good weather: bytes pass in both directions, ends too") {
  Network network;
  const auto fd = network.connect();
  CHECK_EQ(echo(fd, "hello"), "hello");
  std::string large(300'000, 'x');
  std::string got;
  std::thread sender([&] {
    std::size_t sent = 0;
    while (sent < large.size()) {
      const ssize_t n = ::send(fd.get(), large.data() + sent, large.size() - sent, MSG_NOSIGNAL);
      if (n > 0) sent += static_cast<std::size_t>(n);
    }
  });
  got = receive(fd, large.size(), 5000);
  sender.join();
  CHECK(got == large);
  ::shutdown(fd.get(), SHUT_WR);
  CHECK_EQ(receive(fd, 1, 2000), "end");
  const auto stats = network.stats();
  CHECK_EQ(stats.bytes_up, 300'005u);
  CHECK_EQ(stats.bytes_down, 300'005u);
  CHECK_EQ(stats.connections, 1u);
}

TEST_CASE("latency and jitter, in order") {
  Network network(with(R"({"latency_ms":40,"jitter_ms":10})"));
  const auto fd = network.connect();
  const auto took = ms_of([&] { CHECK_EQ(echo(fd, "hello"), "hello"); });
  CHECK(took >= 80);
  CHECK(took < 1000);
  std::string sent;
  for (int i = 0; i < 50; ++i) {
    const std::string piece = std::to_string(i) + ",";
    sent += piece;
    static_cast<void>(::send(fd.get(), piece.data(), piece.size(), MSG_NOSIGNAL));
  }
  CHECK_EQ(receive(fd, sent.size(), 3000), sent);
}

TEST_CASE("refused, dropped, reset") {
  Network network(with(R"({"refuse":true})"));
  CHECK_EQ(receive(network.connect(), 1, 2000), "reset");
  network.weather(with(R"({"drop_per_million":1000000})"));
  CHECK_EQ(receive(network.connect(), 1, 2000), "end");
  network.weather(with(R"({"reset_per_million":1000000,"drop_after_bytes":5})"));
  const auto fd = network.connect();
  CHECK_EQ(echo(fd, "ab", 100), "ab");
  CHECK_EQ(echo(fd, "cd", 2000), "reset");
  network.weather(with(R"({"drop_per_million":300000})", ",\"seed\":5"));
  int dropped = 0;
  for (int i = 0; i < 60; ++i) dropped += echo(network.connect(), "x", 1000) == "x" ? 0 : 1;
  CHECK(dropped > 5);
  CHECK(dropped < 35);
  const auto stats = network.stats();
  CHECK_EQ(stats.refused, 1u);
  CHECK(stats.dropped >= 6u);
  CHECK_EQ(stats.resets, 1u);
}

TEST_CASE("black holes: from so many bytes on, in one direction; or for a while, everywhere") {
  Network network(with(R"({"black_hole_up_after":3})"));
  const auto up = network.connect();
  CHECK_EQ(echo(up, "abcdef", 100), "abc");
  CHECK_EQ(echo(up, "x", 50), "silence");
  network.weather(with(R"({"black_hole_down_after":4})"));
  CHECK_EQ(echo(network.connect(), "abcdef", 100), "abcd");
  network.weather(with(""));
  const auto fd = network.connect();
  CHECK_EQ(echo(fd, "a"), "a");
  network.weather(with(R"({"black_hole":true,"until_ms":150})"));
  CHECK_EQ(echo(fd, "b", 60), "silence");
  CHECK_EQ(receive(fd, 1, 2000), "b");   // what was held back comes when it is over
}

TEST_CASE("a thin pipe") {
  Network network(with(R"({"bytes_per_second":20000})"));
  const auto fd = network.connect();
  const std::string text(4000, 'x');
  const auto took = ms_of([&] { CHECK_EQ(echo(fd, text, 5000).size(), text.size()); });
  CHECK(took >= 150);
  CHECK(took < 3000);
}

TEST_CASE("schedules repeat, the last that applies counts") {
  Network network(with(R"({"latency_ms":1},{"refuse":true,"from_ms":100,"until_ms":200})", ",\"repeat_ms\":200"));
  int good = 0, refused = 0;
  const auto until = std::chrono::steady_clock::now() + std::chrono::milliseconds(450);
  while (std::chrono::steady_clock::now() < until) {
    (echo(network.connect(), "x", 500) == "x" ? good : refused) += 1;
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
  CHECK(good > 5);
  CHECK(refused > 5);
}

TEST_CASE("everything is cut by command") {
  Network network;
  const auto fd = network.connect(), other = network.connect();
  CHECK_EQ(echo(fd, "a"), "a");
  CHECK_EQ(echo(other, "a"), "a");
  network.on_loop([](FaultProxy& proxy) { proxy.cut_all(true); });
  CHECK_EQ(receive(fd, 1, 2000), "reset");
  CHECK_EQ(network.stats().open, 0u);
}

TEST_CASE("schedules as text") {
  const NetworkSchedule schedule = with(R"({"latency_ms":5,"until_ms":9,"black_hole_up_after":7,"refuse":true})", ",\"seed\":3,\"repeat_ms\":10");
  CHECK_EQ(to_json(schedule), R"({"seed":3,"repeat_ms":10,"faults":[{"until_ms":9,"latency_ms":5,"refuse":true,"black_hole_up_after":7}]})");
  CHECK_EQ(to_json(*parse_network_schedule(base::as_bytes(to_json(schedule)))), to_json(schedule));
  for (const char* bad : {"", "[]", "{\"fault\":[]}", "{\"faults\":[{\"latency\":5}]}", "{\"faults\":[{\"latency_ms\":-5}]}", "{\"faults\":[7]}"}) {
    const auto refused = parse_network_schedule(base::as_bytes(bad));
    REQUIRE_MESSAGE(!refused.ok(), bad);
    CHECK_EQ(std::string(refused.error().code), "fault_schedule_malformed");
  }
}

}  // namespace
}  // namespace holdfast
