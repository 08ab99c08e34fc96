// Single transfers over HTTPS from one thread: a fixed number of connections, one request outstanding on each, HTTP/1.1 or
// HTTP/2. Speaks to Holdfast, or with --path to anything that answers every POST with the same reply (nginx beside it), so
// that both are measured by the same client with the same requests.
//
//   https_bench --port N --ca FILE [--token-file FILE] [--accounts N] [--connections N] [--seconds N] [--http2]
//               [--path /PATH] [--payouts] [--rate N] [--prepare] [--json]
//
// --rate sends so many a second whatever the answers take, as long as a connection is free; latency counts from when a request
// was due, so that a server that stalls cannot hide it. --payouts asks for payouts instead of transfers between accounts.
// --prepare registers USD/2, opens the accounts users/0 to users/N-1 in batches of requests and ends. The token is read from
// a file: flags are visible to everybody.

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <arpa/inet.h>
#include <fcntl.h>
#include <nghttp2/nghttp2.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <charconv>
#include <chrono>
#include <cinttypes>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <fstream>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "latency.h"

namespace {

using Clock = std::chrono::steady_clock;

[[noreturn]] void die(const std::string& why) {
  std::fprintf(stderr, "https_bench: %s\n", why.c_str());
  std::_Exit(1);
}

struct Settings {
  std::uint16_t port = 0;
  std::string ca, token, path = "/v1/transfers";
  std::uint64_t accounts = 100'000;
  std::uint32_t connections = 32;
  std::uint32_t seconds = 10;
  std::uint32_t rate = 0;   // a second; 0: the next one as soon as the last is answered
  bool http2 = false, payouts = false, prepare = false, json = false;
};

// splitmix64.
struct Numbers {
  std::uint64_t state;
  std::uint64_t next() {
    std::uint64_t z = (state += 0x9e3779b97f4a7c15ull);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ull;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebull;
    return z ^ (z >> 31);
  }
};

struct Request {
  std::string path, key, body;
};

/// What the connections ask for, one after the other.
class Work {
 public:
  explicit Work(const Settings& settings)
      : settings_(settings), numbers_{static_cast<std::uint64_t>(Clock::now().time_since_epoch().count())} {}

  void next(Request& request) {
    char digits[33];
    std::snprintf(digits, sizeof digits, "%016" PRIx64 "%016" PRIx64, numbers_.next(), numbers_.next());
    request.key = std::string("\"").append(digits, 32) + "\"";
    if (settings_.prepare) {
      const std::uint64_t number = prepared_++;
      request.path = number == 0 ? "/v1/assets" : "/v1/accounts";
      request.body = number == 0 ? R"({"code":"USD/2"})"
                                 : R"({"id":"users/)" + std::to_string(number - 1) + R"(","asset":"USD/2","flags":[]})";
      return;
    }
    request.path = settings_.path;
    const std::uint64_t debit = numbers_.next() % settings_.accounts;
    if (settings_.payouts) {
      request.body = R"({"kind":"payout","debit_account":"users/)" + std::to_string(debit) + R"(","asset":"USD/2","amount":")" +
                     std::to_string(1 + numbers_.next() % 10'000) + R"(","beneficiary":{"account":"test-)" + std::to_string(debit) + "\"}}";
      return;
    }
    const std::uint64_t credit = (debit + 1 + numbers_.next() % (settings_.accounts - 1)) % settings_.accounts;
    request.body = R"({"kind":"internal","debit_account":"users/)" + std::to_string(debit) + R"(","credit_account":"users/)" +
                   std::to_string(credit) + R"(","asset":"USD/2","amount":")" + std::to_string(1 + numbers_.next() % 10'000) + "\"}";
  }
  bool ended() const { return settings_.prepare && prepared_ > settings_.accounts; }

 private:
  const Settings& settings_;
  Numbers numbers_;
  std::uint64_t prepared_ = 0;
};

struct Totals {
  bench::Latency latency;
  std::uint64_t answers = 0, refused = 0;
  std::size_t reply_bytes = 0;
  std::string first_refusal;
};

/// A connection in flight. Errors end the program: a benchmark that loses requests measures nothing.
class Connection {
 public:
  Connection(SSL_CTX* context, const Settings& settings, Work& work, Totals& totals)
      : settings_(settings), work_(work), totals_(totals) {
    descriptor_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(settings.port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (descriptor_ < 0 || ::connect(descriptor_, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) die("cannot connect");
    const int on = 1;
    ::setsockopt(descriptor_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    ssl_ = SSL_new(context);
    SSL_set_fd(ssl_, descriptor_);
    SSL_set_tlsext_host_name(ssl_, "localhost");
    if (SSL_set1_host(ssl_, "localhost") != 1 || SSL_connect(ssl_) != 1) {
      ERR_print_errors_fp(stderr);
      die("the TLS handshake failed");
    }
    ::fcntl(descriptor_, F_SETFL, ::fcntl(descriptor_, F_GETFL) | O_NONBLOCK);
    if (settings.http2) open_session();
  }
  ~Connection() {
    if (session_ != nullptr) nghttp2_session_del(session_);
    SSL_free(ssl_);
    ::close(descriptor_);
  }
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  int descriptor() const { return descriptor_; }
  bool idle() const { return idle_; }

  void send_next(Clock::time_point due = Clock::now()) {
    work_.next(request_);
    idle_ = false;
    started_ = due;
    if (session_ == nullptr) {
      out_.clear();
      out_ += "POST " + request_.path + " HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n";
      if (!settings_.token.empty()) out_ += "Authorization: Bearer " + settings_.token + "\r\n";
      out_ += "Idempotency-Key: " + request_.key + "\r\nContent-Length: " + std::to_string(request_.body.size()) + "\r\n\r\n" + request_.body;
    } else {
      submit();
    }
    flush();
  }

  /// Reads what is there; true when an answer is complete.
  bool readable() {
    bool answered = false;
    while (true) {
      const int n = SSL_read(ssl_, buffer_, sizeof buffer_);
      if (n <= 0) {
        if (SSL_get_error(ssl_, n) == SSL_ERROR_WANT_READ) return answered;
        die("the connection broke");
      }
      if (session_ == nullptr) {
        in_.append(buffer_, static_cast<std::size_t>(n));
        answered = take_http1() || answered;
      } else {
        if (nghttp2_session_mem_recv(session_, reinterpret_cast<const std::uint8_t*>(buffer_), static_cast<std::size_t>(n)) != n) die("HTTP/2 error");
        answered = answered || idle_;
        flush();
      }
    }
  }

 private:
  void flush() {
    if (session_ != nullptr) {
      while (true) {
        const std::uint8_t* data = nullptr;
        const auto n = nghttp2_session_mem_send(session_, &data);
        if (n < 0) die("HTTP/2 error");
        if (n == 0) break;
        out_.append(reinterpret_cast<const char*>(data), static_cast<std::size_t>(n));
      }
    }
    if (out_.empty()) return;
    // A request is far smaller than a socket's buffer.
    if (SSL_write(ssl_, out_.data(), static_cast<int>(out_.size())) != static_cast<int>(out_.size())) die("a write fell short");
    out_.clear();
  }

  void answered(unsigned status, std::string_view body) {
    totals_.latency.add(static_cast<std::uint64_t>((Clock::now() - started_).count()));
    ++totals_.answers;
    totals_.reply_bytes = body.size();
    if (status >= 300) {
      if (totals_.refused++ == 0) totals_.first_refusal = std::to_string(status) + " " + std::string(body);
    }
    idle_ = true;
  }

  bool take_http1() {
    const std::size_t end = in_.find("\r\n\r\n");
    if (end == std::string::npos) return false;
    if (body_bytes_ == unknown) {
      std::size_t at = 0;
      body_bytes_ = 0;
      while (at < end) {
        const std::size_t line = in_.find("\r\n", at);
        if (line - at > 16 && ::strncasecmp(in_.data() + at, "content-length: ", 16) == 0) {
          std::from_chars(in_.data() + at + 16, in_.data() + line, body_bytes_);
        }
        at = line + 2;
      }
    }
    if (in_.size() < end + 4 + body_bytes_) return false;
    unsigned status = 0;
    std::from_chars(in_.data() + 9, in_.data() + 12, status);
    answered(status, std::string_view(in_).substr(end + 4, body_bytes_));
    in_.clear();   // one request at a time: nothing can follow
    body_bytes_ = unknown;
    return true;
  }

  // --- HTTP/2 ---

  void open_session() {
    nghttp2_session_callbacks* callbacks = nullptr;
    nghttp2_session_callbacks_new(&callbacks);
    nghttp2_session_callbacks_set_on_header_callback(
        callbacks, [](nghttp2_session*, const nghttp2_frame*, const std::uint8_t* name, std::size_t name_bytes, const std::uint8_t* value,
                      std::size_t value_bytes, std::uint8_t, void* self) {
          if (std::string_view(reinterpret_cast<const char*>(name), name_bytes) == ":status") {
            std::from_chars(reinterpret_cast<const char*>(value), reinterpret_cast<const char*>(value) + value_bytes,
                            static_cast<Connection*>(self)->status_);
          }
          return 0;
        });
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(
        callbacks, [](nghttp2_session*, std::uint8_t, std::int32_t, const std::uint8_t* data, std::size_t bytes, void* self) {
          static_cast<Connection*>(self)->in_.append(reinterpret_cast<const char*>(data), bytes);
          return 0;
        });
    nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, [](nghttp2_session*, std::int32_t, std::uint32_t error, void* self) {
      if (error != 0) die("a stream was reset");
      auto* connection = static_cast<Connection*>(self);
      connection->answered(connection->status_, connection->in_);
      connection->in_.clear();
      return 0;
    });
    nghttp2_session_client_new(&session_, callbacks, this);
    nghttp2_session_callbacks_del(callbacks);
    nghttp2_submit_settings(session_, NGHTTP2_FLAG_NONE, nullptr, 0);
  }

  static nghttp2_nv header(std::string_view name, std::string_view value) {
    return {const_cast<std::uint8_t*>(reinterpret_cast<const std::uint8_t*>(name.data())),
            const_cast<std::uint8_t*>(reinterpret_cast<const std::uint8_t*>(value.data())), name.size(), value.size(), NGHTTP2_NV_FLAG_NONE};
  }

  void submit() {
    if (bearer_.empty()) bearer_ = "Bearer " + settings_.token;
    length_ = std::to_string(request_.body.size());
    const nghttp2_nv headers[] = {header(":method", "POST"),          header(":scheme", "https"),
                                  header(":authority", "localhost"),  header(":path", request_.path),
                                  header("authorization", bearer_),   header("content-type", "application/json"),
                                  header("content-length", length_),  header("idempotency-key", request_.key)};
    nghttp2_data_provider provider{};
    provider.source.ptr = this;
    provider.read_callback = [](nghttp2_session*, std::int32_t, std::uint8_t* buffer, std::size_t, std::uint32_t* flags,
                                nghttp2_data_source* source, void*) -> ssize_t {
      const std::string& body = static_cast<Connection*>(source->ptr)->request_.body;
      std::memcpy(buffer, body.data(), body.size());
      *flags |= NGHTTP2_DATA_FLAG_EOF;
      return static_cast<ssize_t>(body.size());
    };
    if (nghttp2_submit_request(session_, nullptr, headers, std::size(headers), &provider, nullptr) < 0) die("HTTP/2 error");
  }

  static constexpr std::size_t unknown = ~std::size_t{0};
  const Settings& settings_;
  Work& work_;
  Totals& totals_;
  int descriptor_ = -1;
  SSL* ssl_ = nullptr;
  nghttp2_session* session_ = nullptr;
  Request request_;
  std::string out_, in_, bearer_, length_;
  std::size_t body_bytes_ = unknown;
  unsigned status_ = 0;
  bool idle_ = true;
  Clock::time_point started_;
  char buffer_[16384];
};

Settings parse(int argc, char** argv) {
  Settings settings;
  for (int i = 1; i < argc; ++i) {
    const std::string_view name = argv[i];
    const auto value = [&]() -> const char* {
      if (i + 1 >= argc) die("an option needs a value");
      return argv[++i];
    };
    const auto number = [&] { return std::strtoull(value(), nullptr, 10); };
    if (name == "--port") settings.port = static_cast<std::uint16_t>(number());
    else if (name == "--ca") settings.ca = value();
    else if (name == "--token-file") {
      std::ifstream file(value());
      if (!std::getline(file, settings.token)) die("the token file cannot be read");
    }
    else if (name == "--accounts") settings.accounts = number();
    else if (name == "--connections") settings.connections = static_cast<std::uint32_t>(number());
    else if (name == "--seconds") settings.seconds = static_cast<std::uint32_t>(number());
    else if (name == "--rate") settings.rate = static_cast<std::uint32_t>(number());
    else if (name == "--payouts") settings.payouts = true;
    else if (name == "--path") settings.path = value();
    else if (name == "--http2") settings.http2 = true;
    else if (name == "--prepare") settings.prepare = true;
    else if (name == "--json") settings.json = true;
    else die("unknown option " + std::string(name));
  }
  if (settings.port == 0 || settings.ca.empty() || settings.connections == 0 || settings.accounts < 2) die("--port and --ca are needed");
  return settings;
}

}  // namespace

int main(int argc, char** argv) {
  const Settings settings = parse(argc, argv);
  SSL_CTX* context = SSL_CTX_new(TLS_client_method());
  SSL_CTX_set_min_proto_version(context, TLS1_3_VERSION);
  SSL_CTX_set_verify(context, SSL_VERIFY_PEER, nullptr);
  if (SSL_CTX_load_verify_file(context, settings.ca.c_str()) != 1) die("the CA file cannot be used");
  const std::string_view protocols = settings.http2 ? std::string_view("\x02h2", 3) : std::string_view("\x08http/1.1", 9);
  SSL_CTX_set_alpn_protos(context, reinterpret_cast<const unsigned char*>(protocols.data()), static_cast<unsigned>(protocols.size()));

  Work work(settings);
  Totals totals;
  std::vector<std::unique_ptr<Connection>> connections;
  const int poll = ::epoll_create1(EPOLL_CLOEXEC);
  for (std::uint32_t i = 0; i < settings.connections; ++i) {
    connections.push_back(std::make_unique<Connection>(context, settings, work, totals));
    epoll_event event{};
    event.events = EPOLLIN;
    event.data.ptr = connections.back().get();
    ::epoll_ctl(poll, EPOLL_CTL_ADD, connections.back()->descriptor(), &event);
  }
  // Half a second to warm up is not counted, except that everything is when accounts are opened.
  Clock::time_point start = Clock::now();
  const Clock::time_point counted = start + std::chrono::milliseconds(settings.prepare ? 0 : 500);
  const Clock::time_point end = counted + std::chrono::seconds(settings.prepare ? 3600 : settings.seconds);
  bool warm = settings.prepare;
  std::size_t outstanding = 0;
  if (settings.prepare) {   // the asset first, alone
    connections[0]->send_next();
    outstanding = 1;
  } else if (settings.rate == 0) {
    for (auto& connection : connections) connection->send_next();
    outstanding = connections.size();
  }
  bool alone = settings.prepare;
  epoll_event events[256];
  std::deque<Connection*> waiting;   // with a rate: connections without a request, in turn, so that none is idle for long
  if (settings.rate != 0) for (auto& connection : connections) waiting.push_back(connection.get());
  const auto pause = std::chrono::nanoseconds(settings.rate == 0 ? 0 : 1'000'000'000 / settings.rate);
  Clock::time_point due = start;
  while (outstanding > 0 || (settings.rate != 0 && due < end)) {
    int patience_ms = 5'000;
    if (settings.rate != 0) {
      for (; due < end && due <= Clock::now() && !waiting.empty(); due += pause) {
        waiting.front()->send_next(due);
        waiting.pop_front();
        ++outstanding;
      }
      if (due < end && !waiting.empty()) patience_ms = 1;
    }
    const int n = ::epoll_wait(poll, events, 256, patience_ms);
    if (n == 0 && patience_ms > 1) die("no answer for five seconds");
    const auto now = Clock::now();
    if (!warm && now >= counted) {
      warm = true;
      start = now;
      totals = Totals{};
    }
    for (int i = 0; i < n; ++i) {
      auto* connection = static_cast<Connection*>(events[i].data.ptr);
      if (!connection->readable()) continue;
      --outstanding;
      if (settings.rate != 0) {
        waiting.push_back(connection);
        continue;
      }
      if (now >= end || work.ended()) continue;
      connection->send_next();
      ++outstanding;
      if (!alone) continue;
      alone = false;
      for (auto& other : connections) {
        if (!other->idle() || work.ended()) continue;
        other->send_next();
        ++outstanding;
      }
    }
  }
  const double took = std::chrono::duration<double>(Clock::now() - start).count();
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  const double cpu = static_cast<double>(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
                     static_cast<double>(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) * 1e-6;
  const double rate = static_cast<double>(totals.answers) / took;
  if (totals.refused > 0) die(std::to_string(totals.refused) + " refused, the first: " + totals.first_refusal);
  std::printf(settings.json ? "{\"protocol\":\"%s\",\"connections\":%u,\"answers\":%" PRIu64 ",\"per_second\":%.0f,\"p50_us\":%.0f,\"p99_us\":%.0f,"
                              "\"max_us\":%.0f,\"reply_bytes\":%zu,\"client_cpu_us\":%.1f}\n"
                            : "%s, %u connections: %" PRIu64 " answers, %.0f/s, p50 %.0f us, p99 %.0f us, max %.0f us, body %zu bytes, client %.1f us of CPU each\n",
              settings.http2 ? "h2" : "h1", settings.connections, totals.answers, rate, totals.latency.quantile_us(0.5),
              totals.latency.quantile_us(0.99), totals.latency.max_us(), totals.reply_bytes, cpu / static_cast<double>(totals.answers) * 1e6);
  connections.clear();
  ::close(poll);
  SSL_CTX_free(context);
  return 0;
}
