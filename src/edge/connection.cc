#include "edge/connection.h"

#include <algorithm>
#include <array>
#include <utility>

namespace edge {

using io::StreamState;

namespace {

constexpr std::size_t read_bytes = 16 * 1024;           // a TLS record
constexpr std::size_t read_bytes_per_turn = 64 * 1024;  // then the others have their turn
constexpr std::uint64_t drained_bytes_max = 1024 * 1024;

}  // namespace

Connection::Connection(Server& server, Exchange self, std::string address, std::unique_ptr<io::Stream> stream,
                       const io::TlsConnection* tls)
    : server_(server),
      self_(self),
      address_(std::move(address)),
      stream_(std::move(stream)),
      tls_(tls),
      timer_(server.loop_, [this] { on_timer(); }) {}

bool Connection::start() {
  interest_ = {.readable = true};
  watched_ = server_.loop_.add(stream_->fd(), interest_, *this).ok();
  if (!watched_) return false;
  end_ns_ = server_.loop_.now_ns() + server_.options_.handshake_timeout.ns;
  plan_timer();
  // Without TLS the machine has to be there at once: its head deadline is all that watches a silent peer.
  if (tls_ == nullptr) serve(false);
  return true;
}

void Connection::stop() {
  if (closed_) return;
  closed_ = true;
  timer_.cancel();
  if (watched_) server_.loop_.remove(stream_->fd());
  forget_unfinished();
  if (machine_ != nullptr) {
    const auto refusal = static_cast<std::size_t>(machine_->refusal());
    if (refusal != 0) ++server_.stats_.refusals[refusal];
  }
}

void Connection::give_up() { server_.close(*this); }

void Connection::on_readable() {
  // Told although we did not ask: the connection is broken or both sides have ended it.
  if (!interest_.readable) return give_up();
  serve(true);
}

void Connection::serve(bool readable) {
  if (closed_) return;
  dirty_ = false;
  if (machine_ == nullptr) {
    if (!shake_hands()) return;
    readable = true;  // the first request may have come with the end of the handshake
  }
  if (lingering_) return drain();
  if ((readable || input_left_) && !input_ended_) read();
  if (closed_) return;
  hand_over();
  if (closed_) return;
  write();
  if (closed_) return;
  if (machine_->wants_close() && machine_->output().empty()) return linger();
  if (input_left_ && machine_->wants_input() && !input_ended_) server_.serve_later(*this);
  await_events();
  plan_timer();
}

bool Connection::shake_hands() {
  const io::StreamResult result = stream_->handshake();
  switch (result.state) {
    case StreamState::done: {
      const std::int64_t now = server_.loop_.now_ns();
      const bool h2 = tls_ != nullptr && tls_->protocol() == "h2";
      machine_ = h2 ? wire::make_http2_machine(server_.options_.http2, now)
                    : wire::make_http1_machine(server_.options_.http1, now);
      return true;
    }
    case StreamState::want_read:
    case StreamState::want_write: {
      const bool write = result.state == StreamState::want_write;
      read_wants_write_ = write;
      await_events();
      return false;
    }
    case StreamState::closed:
    case StreamState::failed:
      break;
  }
  ++server_.stats_.handshakes_failed;
  give_up();
  return false;
}

void Connection::read() {
  std::array<std::uint8_t, read_bytes> buffer;  // NOLINT: filled before it is looked at
  std::size_t taken = 0;
  input_left_ = true;
  while (machine_->wants_input() && taken < read_bytes_per_turn) {
    const io::StreamResult result = stream_->read(buffer);
    switch (result.state) {
      case StreamState::done: {
        taken += result.bytes;
        unfinished_bytes_ += result.bytes;
        server_.unfinished_bytes_ += result.bytes;
        machine_->receive(std::span(buffer).first(result.bytes), server_.loop_.now_ns());
        hand_over();
        if (closed_) return;
        if (server_.unfinished_bytes_ > server_.options_.unfinished_bytes_max) {
          ++server_.stats_.cut_off;
          return give_up();
        }
        if (!stream_->may_have_more()) {
          input_left_ = false;   // the loop tells when there is more
          return;
        }
        break;
      }
      case StreamState::want_read:
      case StreamState::want_write:
        input_left_ = false;
        read_wants_write_ = result.state == StreamState::want_write;
        return;
      case StreamState::closed:
        input_left_ = false;
        input_ended_ = true;
        machine_->end_of_input(server_.loop_.now_ns());
        return;
      case StreamState::failed:
        return give_up();
    }
  }
}

void Connection::hand_over() {
  while (!closed_) {   // a handler may take the connection over
    auto received = machine_->take_request();
    if (!received) return;
    forget_unfinished();
    ++server_.stats_.requests;
    ++server_.stats_.outstanding;
    Exchange exchange = self_;
    exchange.stream = received->stream;
    server_.handler_.handle(server_, exchange, std::move(received->request));
  }
}

void Connection::forget_unfinished() { server_.unfinished_bytes_ -= std::exchange(unfinished_bytes_, 0); }

void Connection::write() {
  write_blocked_ = write_wants_read_ = false;
  while (true) {
    const base::ByteView out = machine_->output();
    if (out.empty()) return;
    const io::StreamResult result = stream_->write(out);
    switch (result.state) {
      case StreamState::done:
        machine_->consume(result.bytes, server_.loop_.now_ns());
        break;
      case StreamState::want_write:
        write_blocked_ = true;
        return;
      case StreamState::want_read:
        write_wants_read_ = true;
        return;
      case StreamState::closed:
      case StreamState::failed:
        return give_up();
    }
  }
}

void Connection::respond(wire::StreamId stream, const wire::Response& response) {
  machine_->respond(stream, response, server_.date(), server_.loop_.now_ns());
  server_.serve_later(*this);
}

void Connection::begin_shutdown() {
  if (machine_ == nullptr) return give_up();
  machine_->begin_shutdown(server_.loop_.now_ns());
  server_.serve_later(*this);
}

// Our side is done. Bytes that reach a closed socket make the system send a reset, which may destroy our last reply on
// its way; so what the peer still sends is read for a while (RFC 9112 section 9.6).
void Connection::linger() {
  stream_->shutdown();
  forget_unfinished();
  if (input_ended_) return give_up();
  lingering_ = true;
  end_ns_ = server_.loop_.now_ns() + server_.options_.linger.ns;
  timer_.arm(server_.options_.linger);
  drain();
}

void Connection::drain() {
  std::array<std::uint8_t, read_bytes> buffer;  // NOLINT: thrown away
  while (drained_bytes_ <= drained_bytes_max) {
    const io::StreamResult result = stream_->read(buffer);
    if (result.state == StreamState::want_read || result.state == StreamState::want_write) {
      read_wants_write_ = result.state == StreamState::want_write;
      return await_events();
    }
    if (result.state != StreamState::done) break;
    drained_bytes_ += result.bytes;
  }
  give_up();
}

void Connection::await_events() {
  io::Interest wanted;
  if (machine_ == nullptr || lingering_) {
    wanted.readable = !read_wants_write_;
  } else {
    wanted.readable = (!input_ended_ && machine_->wants_input()) || write_wants_read_;
    wanted.writable = write_blocked_;
  }
  wanted.writable = wanted.writable || read_wants_write_;
  if (wanted == interest_) return;
  interest_ = wanted;
  server_.loop_.change(stream_->fd(), wanted);
}

void Connection::plan_timer() {
  const std::int64_t now = server_.loop_.now_ns();
  std::int64_t due = end_ns_;
  if (machine_ != nullptr) {
    due = machine_->next_deadline();
    if (due == wire::HttpMachine::no_deadline) return timer_.cancel();
  }
  timer_.arm({std::max<std::int64_t>(due - now, 0)});
}

void Connection::on_timer() {
  if (machine_ == nullptr) ++server_.stats_.handshakes_failed;
  if (machine_ == nullptr || lingering_) return give_up();
  machine_->on_time(server_.loop_.now_ns());
  serve(false);
}

}  // namespace edge
