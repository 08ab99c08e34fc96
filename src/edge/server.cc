#include "edge/server.h"

#include <arpa/inet.h>

#include <cstring>
#include <utility>

#include "edge/connection.h"

namespace edge {

namespace {

constexpr int accepts_per_turn = 64;

// What counts as one address: an IPv4 address, or the network of an IPv6 address, which one customer has to himself.
std::string address_key(const std::string& address) {
  in6_addr bytes{};
  if (::inet_pton(AF_INET6, address.c_str(), &bytes) != 1) return address;
  const auto* start = reinterpret_cast<const char*>(bytes.s6_addr);
  if (IN6_IS_ADDR_V4MAPPED(&bytes)) {
    char text[INET_ADDRSTRLEN] = {};
    ::inet_ntop(AF_INET, start + 12, text, sizeof text);
    return text;
  }
  return std::string(start, 8);
}

}  // namespace

base::Result<std::unique_ptr<Server>> Server::open(io::Loop& loop, io::Clock& clock, const io::Endpoint& at,
                                                   const io::TlsServerContext* tls, Handler& handler,
                                                   ServerOptions options) {
  TRY_ASSIGN(auto listener, io::Listener::open(at));
  const int fd = listener->fd();
  std::unique_ptr<Server> server(new Server(loop, clock, std::move(listener), tls, handler, options));
  TRY(loop.add(fd, {.readable = true}, *server));
  return server;
}

Server::Server(io::Loop& loop, io::Clock& clock, std::unique_ptr<io::Listener> listener,
               const io::TlsServerContext* tls, Handler& handler, ServerOptions options)
    : loop_(loop),
      clock_(clock),
      listener_(std::move(listener)),
      tls_(tls),
      handler_(handler),
      options_(options),
      endpoint_(listener_->endpoint()),
      drain_timer_(loop, [this] { finish_shutdown(); }) {}

Server::~Server() {
  if (listener_ != nullptr) loop_.remove(listener_->fd());
  for (Slot& slot : slots_) {
    if (slot.connection != nullptr) slot.connection->stop();
  }
}

void Server::on_readable() {
  for (int i = 0; i < accepts_per_turn && listener_ != nullptr; ++i) {
    auto accepted = listener_->accept();
    if (!accepted.ok()) {
      ++stats_.accept_errors;
      return;
    }
    if (!accepted->has_value()) return;
    admit(std::move(**accepted));
  }
}

void Server::admit(io::Accepted&& accepted) {
  ++stats_.accepted;
  std::string key = address_key(accepted.peer.address);
  std::uint32_t& of_address = by_address_[key];
  if (stats_.connections >= options_.connections_max || of_address >= options_.connections_per_address_max) {
    if (of_address == 0) by_address_.erase(key);
    ++stats_.shed;
    return;
  }
  ++of_address;
  ++stats_.connections;
  if (free_slots_.empty()) {
    free_slots_.push_back(static_cast<std::uint32_t>(slots_.size()));
    slots_.emplace_back();
  }
  const std::uint32_t place = free_slots_.back();
  free_slots_.pop_back();
  Slot& slot = slots_[place];
  std::unique_ptr<io::Stream> stream;
  const io::TlsConnection* tls = nullptr;
  if (tls_ != nullptr) {
    auto secure = std::make_unique<io::TlsConnection>(*tls_, std::move(accepted.fd));
    tls = secure.get();
    stream = std::move(secure);
  } else {
    stream = std::make_unique<io::PlainStream>(std::move(accepted.fd));
  }
  const Exchange self{.slot = place, .generation = slot.generation};
  slot.connection = std::make_unique<Connection>(*this, self, std::move(key), std::move(stream), tls);
  Connection& connection = *slot.connection;
  if (!connection.start()) {
    ++stats_.accept_errors;
    close(connection);
  }
}

Connection* Server::find(const Exchange& exchange) {
  if (exchange.slot >= slots_.size()) return nullptr;
  const Slot& slot = slots_[exchange.slot];
  return slot.generation == exchange.generation ? slot.connection.get() : nullptr;
}

void Server::reply(const Exchange& exchange, const wire::Response& response) {
  --stats_.outstanding;
  Connection* connection = find(exchange);
  if (connection == nullptr) return;
  ++stats_.replies;
  connection->respond(exchange.stream, response);
}

std::string_view Server::peer_of(const Exchange& exchange) {
  const Connection* connection = find(exchange);
  return connection == nullptr ? std::string_view() : connection->address();
}

std::unique_ptr<io::Stream> Server::take_over(const Exchange& exchange) {
  --stats_.outstanding;
  Connection* const connection = find(exchange);
  if (connection == nullptr) return nullptr;
  close(*connection);   // stops watching; the object lives until the end of the turn
  return std::move(connection->stream_);
}

void Server::close(Connection& connection) {
  if (connection.closed_) return;
  connection.stop();
  --stats_.connections;
  const auto of_address = by_address_.find(connection.address_);
  if (--of_address->second == 0) by_address_.erase(of_address);
  const std::uint32_t place = connection.self_.slot;
  Slot& slot = slots_[place];
  closed_.push_back(std::move(slot.connection));
  ++slot.generation;
  free_slots_.push_back(place);
  plan_end_of_turn();
}

void Server::serve_later(Connection& connection) {
  if (std::exchange(connection.dirty_, true)) return;
  to_serve_.push_back(connection.self_);
  plan_end_of_turn();
}

void Server::plan_end_of_turn() {
  if (std::exchange(turn_end_planned_, true)) return;
  loop_.post([this, alive = std::weak_ptr<bool>(alive_)] {
    if (!alive.expired()) end_of_turn();
  });
}

void Server::end_of_turn() {
  turn_end_planned_ = false;
  std::swap(to_serve_, serving_);
  for (const Exchange& self : serving_) {
    Connection* connection = find(self);
    if (connection != nullptr && connection->dirty_) connection->serve(false);
  }
  serving_.clear();
  closed_.clear();
  if (shutting_down_ && stats_.connections == 0) finish_shutdown();
}

std::string_view Server::date() {
  const base::Instant now = clock_.wall();
  const std::int64_t second = now.ns / base::seconds(1).ns;
  if (second != date_second_) {
    date_second_ = second;
    date_ = wire::to_imf_fixdate(now);
  }
  return date_;
}

void Server::begin_shutdown(io::Task drained) {
  if (shutting_down_) return;
  shutting_down_ = true;
  drained_ = std::move(drained);
  loop_.remove(listener_->fd());
  listener_.reset();
  drain_timer_.arm(options_.drain_timeout);
  for (std::size_t i = 0; i < slots_.size(); ++i) {
    if (slots_[i].connection != nullptr) slots_[i].connection->begin_shutdown();
  }
  plan_end_of_turn();
}

// Nobody is left, or those who are have had their time.
void Server::finish_shutdown() {
  drain_timer_.cancel();
  for (Slot& slot : slots_) {
    if (slot.connection == nullptr) continue;
    ++stats_.cut_off;
    close(*slot.connection);
  }
  if (!drained_) return;
  io::Task drained = std::move(drained_);
  drained();
}

}  // namespace edge
