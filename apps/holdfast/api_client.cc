#include "apps/holdfast/api_client.h"

#include <poll.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <cstdlib>
#include <thread>

#include "base/text.h"
#include "io/random.h"
#include "io/socket.h"
#include "wire/json_value.h"
#include "wire/json_writer.h"

namespace holdfast {

namespace {

using SteadyClock = std::chrono::steady_clock;

constexpr base::Duration connect_timeout = base::seconds(5);
constexpr std::chrono::milliseconds first_pause(50);
constexpr std::chrono::milliseconds longest_pause(1000);

wire::Request http_request(const ApiRequest& request, const Url& url) {
  wire::Request http;
  http.method = request.method;
  http.path = request.path;
  http.query = request.query;
  http.authority = (url.host.find(':') != std::string::npos ? "[" + url.host + "]" : url.host) + ":" + std::to_string(url.port);
  http.body = request.body;
  http.headers.add("accept", "application/json");
  http.headers.add("user-agent", "holdfast-cli");
  return http;
}

ApiReply reply_of(wire::ReceivedResponse&& received) {
  ApiReply reply;
  reply.status = received.response.status;
  reply.replayed = received.response.headers.find("idempotency-replayed") == "true";
  if (const auto wait = received.response.headers.find("retry-after")) {
    std::uint32_t seconds = 0;
    const auto [end, error] = std::from_chars(wait->data(), wait->data() + wait->size(), seconds);
    if (error == std::errc{} && end == wait->data() + wait->size()) reply.retry_after_s = seconds;
  }
  reply.body = std::move(received.response.body);
  return reply;
}

}  // namespace

base::Result<Url> parse_url(std::string_view text) {
  const base::Error malformed{"url_malformed", "\"" + std::string(text) + "\" is not https://HOST:PORT"};
  Url url;
  if (text.starts_with("https://")) {
    text.remove_prefix(8);
  } else if (text.starts_with("http://")) {
    text.remove_prefix(7);
    url.secure = false;
  } else {
    return malformed;
  }
  if (text.ends_with('/')) text.remove_suffix(1);
  std::string_view port;
  if (text.starts_with('[')) {
    const std::size_t bracket = text.find(']');
    if (bracket == std::string_view::npos) return malformed;
    url.host = text.substr(1, bracket - 1);
    port = text.substr(bracket + 1);
  } else {
    url.host = text.substr(0, text.find(':'));
    port = text.substr(url.host.size());
  }
  if (url.host.empty() || url.host.find('/') != std::string::npos) return malformed;
  url.port = url.secure ? 443 : 80;
  if (port.empty()) return url;
  port.remove_prefix(1);
  const auto [end, error] = std::from_chars(port.data(), port.data() + port.size(), url.port);
  if (error != std::errc{} || end != port.data() + port.size() || url.port == 0) return malformed;
  return url;
}

base::Result<Credentials> load_credentials(io::FileSystem& files, const std::string& path) {
  constexpr std::uint64_t bytes_max = 64 * 1024;
  TRY_ASSIGN(const io::FileInfo info, files.info(path));
  if ((info.mode & 0077) != 0) {
    return base::Error{"credentials_readable_by_others", path + " can be read by others: chmod 0600 " + path};
  }
  TRY_ASSIGN(base::Bytes bytes, io::read_whole_file(files, path, bytes_max));
  const base::Error malformed{"credentials_malformed", path + " holds no credentials: see holdfast help credentials"};
  const auto document = wire::parse_json(bytes);
  if (!document.ok() || !document->root().is_object()) return malformed;
  const auto text = [&](std::string_view name) {
    const auto member = document->root().find(name);
    return std::string(member ? member->string().value_or("") : "");
  };
  Credentials credentials{.base_url = text("base_url"),
                          .operator_url = text("operator_url"),
                          .ca_file = text("ca_file"),
                          .token = text("token"),
                          .client_id = text("client_id"),
                          .refresh_secret = text("refresh_secret")};
  const bool refreshable = !credentials.client_id.empty() && !credentials.refresh_secret.empty();
  if (credentials.base_url.empty() || (credentials.token.empty() && !refreshable)) return malformed;
  return credentials;
}

base::Result<std::string> credentials_file(io::FileSystem& files, const Arguments& arguments) {
  if (const auto given = arguments.value("--credentials")) return absolute_path(*given);
  if (const auto data = arguments.value("--data")) {
    const std::string path = absolute_path(*data) + "/dev/client.json";
    const auto there = files.exists(path);
    if (there.ok() && *there) return path;
    // Not those of somebody else's service: that is not the one that was named.
    return base::Error{"credentials_not_found", "\"" + path + "\" is not there: start the service with --dev, or name its credentials with --credentials FILE"};
  }
  if (const char* home = std::getenv("HOME")) {
    const std::string path = std::string(home) + "/.config/holdfast/client.json";
    const auto there = files.exists(path);
    if (there.ok() && *there) return path;
  }
  return base::Error{"credentials_not_found", "no credentials: give --data DIR of a service with --dev, or --credentials FILE (holdfast help credentials)"};
}

std::string draw_key() {
  std::array<std::uint8_t, 15> bytes{};
  io::RealRandom().fill(bytes);
  return "cli-" + base::to_base64url(bytes);
}

base::Result<std::unique_ptr<ApiClient>> ApiClient::open(io::FileSystem& files, Credentials credentials, ApiClientOptions options) {
  TRY_ASSIGN(Url url, parse_url(credentials.base_url));
  if (!url.secure) return base::Error{"url_malformed", "the API is served over https only: " + credentials.base_url};
  return std::unique_ptr<ApiClient>(new ApiClient(files, std::move(credentials), std::move(url), options));
}

ApiClient::ApiClient(io::FileSystem& files, Credentials credentials, Url url, ApiClientOptions options)
    : files_(files), credentials_(std::move(credentials)), url_(std::move(url)), options_(options) {}

base::Status ApiClient::connect() {
  if (connection_) return base::ok();
  io::TlsClientOptions options;
  options.host = url_.host;
  options.port = url_.port;
  options.ca_file = credentials_.ca_file;
  options.connect_timeout = connect_timeout;
  options.transfer_timeout = options_.reply_timeout;
  TRY_ASSIGN(connection_, io::TlsClient::connect(files_, options, session_));
  machine_ = std::make_unique<wire::HttpClientMachine>();
  return base::ok();
}

// A refresh secret is good for one thing: an access token.
base::Status ApiClient::authenticate() {
  if (!credentials_.token.empty()) return base::ok();
  ApiRequest request{.method = "POST", .path = "/v1/token"};
  wire::JsonWriter json(request.body);
  json.begin_object();
  json.member("client_id", std::string_view(credentials_.client_id));
  json.member("refresh_secret", std::string_view(credentials_.refresh_secret));
  json.end_object();
  TRY(send(request));
  TRY_ASSIGN(const ApiReply reply, receive());
  const auto document = wire::parse_json(base::as_bytes(reply.body));
  const auto token = document.ok() && document->root().is_object() ? document->root().find("access_token") : std::nullopt;
  if (!reply.good() || !token || !token->string()) {
    return base::Error{"credentials_refused", "the service did not take client id and refresh secret (status " + std::to_string(reply.status) + ")"};
  }
  credentials_.token = *token->string();
  return base::ok();
}

base::Status ApiClient::send(const ApiRequest& request) {
  wire::Request http = http_request(request, url_);
  if (!request.body.empty()) http.headers.add("content-type", request.content_type);
  if (!credentials_.token.empty()) http.headers.add("authorization", "Bearer " + credentials_.token);
  if (!request.key.empty()) http.headers.add("idempotency-key", "\"" + request.key + "\"");
  if (!position_.empty() && request.method == "GET") http.headers.add("holdfast-position", position_);
  std::string bytes;
  wire::write_request(http, bytes);
  machine_->expect_reply_to(request.method);
  return connection_->write_all(base::as_bytes(bytes));
}

base::Result<ApiReply> ApiClient::receive() {
  std::array<std::uint8_t, 16 * 1024> buffer;
  while (true) {
    if (auto received = machine_->take_response()) {
      if (const auto position = received->response.headers.find("holdfast-position")) position_ = std::string(*position);
      session_ = connection_->session();
      if (!received->keep_alive) connection_.reset();
      reached_ = true;
      return reply_of(*std::move(received));
    }
    TRY_ASSIGN(const std::size_t n, connection_->read(buffer));
    if (n == 0) {
      TRY(machine_->end_of_input());
      if (auto last = machine_->take_response()) {
        connection_.reset();
        return reply_of(*std::move(last));
      }
      return base::Error{"connection_broken", "the service closed the connection"};
    }
    TRY(machine_->receive(std::span(buffer).first(n)));
  }
}

base::Result<ApiReply> ApiClient::call_once(const ApiRequest& request, bool& sent) {
  TRY(connect());
  TRY(authenticate());
  sent = true;
  TRY(send(request));
  return receive();
}

base::Result<ApiReply> ApiClient::call(const ApiRequest& request) {
  const bool repeatable = request.method == "GET" || !request.key.empty();
  const auto until = SteadyClock::now() + std::chrono::nanoseconds(options_.patience.ns);
  auto pause = first_pause;
  bool ever_sent = false;
  while (true) {
    bool sent = false;
    auto reply = call_once(request, sent);
    ever_sent = ever_sent || sent;
    const bool passing = reply.ok() && (reply->status == 503 || reply->status == 429 || reply->status == 504);
    if (reply.ok() && !(passing && repeatable)) return reply;
    if (!reply.ok()) connection_.reset();
    const bool changes = request.method != "GET";
    // A service that was never there is not waited for; one that was may be starting again.
    const bool hopeless = !reply.ok() && !ever_sent && !reached_;
    const auto wait = reply.ok() && reply->retry_after_s ? std::chrono::milliseconds(*reply->retry_after_s * 1000) : pause;
    if (!repeatable || hopeless || SteadyClock::now() + wait > until) {
      if (reply.ok() || !ever_sent || !changes) return reply;
      std::string message = "no reply came: " + reply.error().message + "; whether it happened is not known.";
      if (!request.key.empty()) message += " Repeat the same command with --key " + request.key + " to learn it";
      return base::Error{"outcome_unknown", std::move(message)};
    }
    std::this_thread::sleep_for(wait);
    pause = std::min(pause * 2, longest_pause);
  }
}

base::Status ApiClient::call_and_lose_reply(const ApiRequest& request) {
  TRY(connect());
  TRY(authenticate());
  const base::Status status = send(request);
  connection_.reset();
  return status;
}

base::Result<ApiReply> get_operator(io::FileSystem& files, const Credentials& credentials, const std::string& path) {
  TRY_ASSIGN(const Url url, parse_url(credentials.operator_url));
  const ApiRequest request{.method = "GET", .path = path};
  if (!url.secure) return ask_plainly(credentials.operator_url, request);
  Credentials there = credentials;
  there.base_url = credentials.operator_url;
  TRY_ASSIGN(const auto client, ApiClient::open(files, there));
  return client->call(request);
}

base::Result<ApiReply> ask_plainly(const std::string& base_url, const ApiRequest& request) {
  TRY_ASSIGN(const Url url, parse_url(base_url));
  wire::Request http = http_request(request, url);
  if (!request.body.empty()) http.headers.add("content-type", request.content_type);
  http.headers.add("connection", "close");
  std::string bytes;
  wire::write_request(http, bytes);
  TRY_ASSIGN(io::Descriptor fd, io::connect_blocking(url.host, url.port, connect_timeout));
  io::PlainStream stream(std::move(fd));
  wire::HttpClientMachine machine;
  machine.expect_reply_to(request.method);
  const base::Error broken{"connection_broken", base_url + " does not answer"};
  // Some KiB: they fit the empty buffer of a new connection.
  if (stream.write(base::as_bytes(bytes)).bytes != bytes.size()) return broken;
  std::array<std::uint8_t, 16 * 1024> buffer;
  while (true) {
    pollfd readable{.fd = stream.fd(), .events = POLLIN, .revents = 0};
    if (::poll(&readable, 1, static_cast<int>(connect_timeout.ns / 1'000'000)) <= 0) return broken;
    const io::StreamResult got = stream.read(buffer);
    if (got.state == io::StreamState::failed) return broken;
    if (got.state == io::StreamState::closed) TRY(machine.end_of_input());
    if (got.state == io::StreamState::done) TRY(machine.receive(std::span(buffer).first(got.bytes)));
    if (auto received = machine.take_response()) return reply_of(*std::move(received));
    if (got.state == io::StreamState::closed) return broken;
  }
}

}  // namespace holdfast
