#include "effects/http/http_connection.h"

#include <array>
#include <utility>

#include "base/check.h"
#include "crypto/wipe.h"
#include "io/tls.h"

namespace effects {

using io::StreamState;

namespace {

void wipe_text(std::string& text) { crypto::wipe({reinterpret_cast<std::uint8_t*>(text.data()), text.size()}); }

HttpFailure failure_of(const base::Error& error) {
  const std::string_view code = error.code;
  if (code == "http_response_too_large") return HttpFailure::reply_too_large;
  if (code == "http_response_truncated") return HttpFailure::connection_lost;
  return HttpFailure::reply_malformed;
}

}  // namespace

HttpClient::Connection::Connection(HttpClient& client, std::vector<io::Endpoint> addresses)
    : client_(client),
      addresses_(std::move(addresses)),
      machine_({.header_bytes_max = client.options_.header_bytes_max, .body_bytes_max = client.options_.body_bytes_max}),
      timer_(client.loop_, [this] { on_timer(); }) {}

HttpClient::Connection::~Connection() {
  if (watched_ >= 0) client_.loop_.remove(watched_);
  forget_output();
}

void HttpClient::Connection::start() {
  refused_ = !try_next_address();
  // A refusal that comes at once is told like a later one, by the timer: whoever opens connections is in the middle of it.
  timer_.arm(refused_ ? base::Duration{0} : client_.options_.connect_timeout);
}

// One address of the host after the other; false if none is left.
bool HttpClient::Connection::try_next_address() {
  if (watched_ >= 0) client_.loop_.remove(std::exchange(watched_, -1));
  while (next_address_ < addresses_.size()) {
    auto fd = io::start_connect(addresses_[next_address_++]);
    if (!fd.ok()) continue;
    interest_ = {.readable = false, .writable = true};
    if (!client_.loop_.add(fd->get(), interest_, *this).ok()) continue;
    fd_ = std::move(*fd);
    watched_ = fd_.get();
    return true;
  }
  return false;
}

void HttpClient::Connection::on_readable() {
  switch (stage_) {
    case Stage::connecting:   // told of an error although nothing was asked
    case Stage::shaking_hands:
      return on_writable();
    case Stage::idle:
    case Stage::carrying:
      return read();
    case Stage::closed:
      return;
  }
}

void HttpClient::Connection::on_writable() {
  switch (stage_) {
    case Stage::connecting:
      return connected();
    case Stage::shaking_hands:
      return shake_hands();
    case Stage::carrying:
      // TLS may have wanted to write in order to read.
      return written_ < out_.size() ? write() : read();
    case Stage::idle:
      return read();
    case Stage::closed:
      return;
  }
}

void HttpClient::Connection::connected() {
  const base::Status status = io::finish_connect(fd_.get());
  if (!status.ok()) {
    if (!try_next_address()) give_up(HttpFailure::connect_failed, status.error().message);
    return;
  }
  if (client_.origin_.secure) {
    stream_ = std::make_unique<io::TlsConnection>(*client_.tls_, std::move(fd_), client_.origin_.host);
  } else {
    stream_ = std::make_unique<io::PlainStream>(std::move(fd_));
  }
  stage_ = Stage::shaking_hands;
  shake_hands();
}

void HttpClient::Connection::shake_hands() {
  const io::StreamResult result = stream_->handshake();
  switch (result.state) {
    case StreamState::done:
      return idle();
    case StreamState::want_read:
      return await(true, false);
    case StreamState::want_write:
      return await(false, true);
    case StreamState::closed:
    case StreamState::failed:
      return give_up(HttpFailure::tls_failed, "TLS with " + client_.origin_.authority + ": " + stream_->failure());
  }
}

void HttpClient::Connection::idle() {
  stage_ = Stage::idle;
  timer_.arm(client_.options_.idle_timeout);
  await(true, false);
  client_.ready(*this);
}

void HttpClient::Connection::carry(HttpCall&& call) {
  CHECK(stage_ == Stage::idle);
  stage_ = Stage::carrying;
  call_ = std::move(call);
  sent_ = begun_ = false;
  written_ = 0;
  out_.clear();
  out_.reserve(call_->request.body.size() + 2048);   // no copy stays behind in memory that grew
  wire::write_request(call_->request, out_);
  machine_.expect_reply_to(call_->request.method);
  timer_.arm(call_->reply_timeout);
  write();
}

// The boot clock is asked before every write: before the first one, so that nothing late is begun, and before the others, so
// that what was begun in time is never completed late.
void HttpClient::Connection::write() {
  while (written_ < out_.size()) {
    const std::int64_t now = client_.clock_.boot_ns();
    if (now >= call_->send_not_after_boot_ns) {
      return give_up(HttpFailure::send_deadline_passed, "the time for sending had passed");
    }
    if (!std::exchange(sent_, true)) began_boot_ns_ = now;
    const io::StreamResult result = stream_->write(base::as_bytes(out_).subspan(written_));
    switch (result.state) {
      case StreamState::done:
        written_ += result.bytes;
        break;
      case StreamState::want_write:
        return await(true, true);
      case StreamState::want_read:
        return await(true, false);
      case StreamState::closed:
      case StreamState::failed:
        return give_up(HttpFailure::connection_lost, "the connection broke while the request was written: " + stream_->failure());
    }
  }
  forget_output();
  await(true, false);
}

void HttpClient::Connection::read() {
  std::array<std::uint8_t, 16 * 1024> buffer;  // NOLINT: filled before it is looked at
  while (stage_ == Stage::idle || stage_ == Stage::carrying) {
    const io::StreamResult result = stream_->read(buffer);
    switch (result.state) {
      case StreamState::done: {
        if (stage_ == Stage::idle) return give_up(HttpFailure::reply_malformed, "a reply nobody asked for");
        begun_ = true;
        const base::Status taken = machine_.receive(std::span(buffer).first(result.bytes));
        if (!taken.ok()) return give_up(failure_of(taken.error()), taken.error().message);
        if (auto received = machine_.take_response()) return answered(std::move(*received));
        break;
      }
      case StreamState::want_read:
        return await(true, written_ < out_.size());
      case StreamState::want_write:
        return await(false, true);
      case StreamState::closed: {
        if (stage_ == Stage::idle) return give_up(HttpFailure::connection_lost, "the other side ended the connection");
        const base::Status ended = machine_.end_of_input();
        if (auto received = machine_.take_response()) return answered(std::move(*received));
        return give_up(ended.ok() ? HttpFailure::connection_lost : failure_of(ended.error()), "the connection ended before the reply did");
      }
      case StreamState::failed:
        return give_up(HttpFailure::connection_lost, "the connection broke before the reply: " + stream_->failure());
    }
  }
}

void HttpClient::Connection::await(bool readable, bool writable) {
  const io::Interest wanted{.readable = readable, .writable = writable};
  if (wanted == interest_) return;
  interest_ = wanted;
  client_.loop_.change(watched_, wanted);
}

void HttpClient::Connection::answered(wire::ReceivedResponse&& received) {
  // A reply that comes before all of the request was read leaves a connection in no state to go on.
  const bool whole = written_ >= out_.size();
  HttpReply reply{.failure = HttpFailure::none, .sent = sent_, .fresh = fresh_, .reply_begun = true, .latency = latency(),
                  .response = std::move(received.response), .detail = {}};
  HttpCall call = std::move(*call_);
  call_.reset();
  fresh_ = false;
  forget_output();
  --client_.busy_;
  if (received.keep_alive && whole) {
    idle();
  } else {
    close();
  }
  client_.finish(std::move(call), std::move(reply));
}

// Ends the connection, and the call on it if there is one; without one, while it was being opened, a waiting call fails.
void HttpClient::Connection::give_up(HttpFailure failure, std::string detail) {
  if (stage_ == Stage::closed) return;
  const bool opening = stage_ == Stage::connecting || stage_ == Stage::shaking_hands;
  if (!call_) {
    close();
    if (opening) client_.fail_waiting(1, failure, detail);
    client_.open_connections();
    return;
  }
  // A deadline that is noticed in the middle of the request is a request that was begun and not completed.
  if (failure == HttpFailure::send_deadline_passed && sent_) failure = HttpFailure::connection_lost;
  HttpReply reply{.failure = failure, .sent = sent_, .fresh = fresh_, .reply_begun = begun_, .latency = latency(), .response = {},
                  .detail = std::move(detail)};
  HttpCall call = std::move(*call_);
  call_.reset();
  --client_.busy_;
  close();
  client_.finish(std::move(call), std::move(reply));
  client_.open_connections();
}

void HttpClient::Connection::on_timer() {
  switch (stage_) {
    case Stage::connecting:
    case Stage::shaking_hands:
      if (refused_) return give_up(HttpFailure::connect_failed, "cannot connect to " + client_.origin_.authority);
      return give_up(HttpFailure::connect_timed_out, "no connection to " + client_.origin_.authority + " in time");
    case Stage::idle:
      return give_up(HttpFailure::connection_lost, "idle");
    case Stage::carrying:
      return give_up(HttpFailure::reply_timed_out, "no complete reply in time");
    case Stage::closed:
      return;
  }
}

void HttpClient::Connection::close() {
  const bool opening = stage_ == Stage::connecting || stage_ == Stage::shaking_hands;
  stage_ = Stage::closed;
  timer_.cancel();
  forget_output();
  if (watched_ >= 0) client_.loop_.remove(std::exchange(watched_, -1));
  if (opening) --client_.opening_;
  stream_.reset();
  fd_.close();
  client_.remove(*this);
}

base::Duration HttpClient::Connection::latency() const { return {sent_ ? client_.clock_.boot_ns() - began_boot_ns_ : 0}; }

void HttpClient::Connection::forget_output() {
  wipe_text(out_);
  out_.clear();
  written_ = 0;
}

}  // namespace effects
