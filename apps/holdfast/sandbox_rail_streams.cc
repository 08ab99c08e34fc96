#include "apps/holdfast/sandbox_rail_streams.h"

#include <algorithm>
#include <array>

#include "io/connecting.h"

namespace holdfast {

using io::StreamState;

class WaywardStreams::Wayward final : public io::EventHandler {
 public:
  Wayward(WaywardStreams& owner, std::unique_ptr<io::Stream> stream, std::string bytes, base::Duration pause, End end)
      : owner_(owner), stream_(std::move(stream)), bytes_(std::move(bytes)), pause_(pause), end_(end), timer_(owner.loop_, [this] { write(); }) {}
  ~Wayward() override {
    if (watched_) owner_.loop_.remove(stream_->fd());
  }

  bool start() {
    watched_ = owner_.loop_.add(stream_->fd(), {.readable = true}, *this).ok();
    timer_.arm({0});
    return watched_;
  }
  // What still comes is thrown away; whoever hangs up is let go.
  void on_readable() override {
    std::array<std::uint8_t, 4096> buffer;  // NOLINT: thrown away
    while (true) {
      const io::StreamResult result = stream_->read(buffer);
      if (result.state == StreamState::done) continue;
      if (result.state == StreamState::closed || result.state == StreamState::failed) owner_.drop(*this);
      return;
    }
  }
  void on_writable() override {
    owner_.loop_.change(stream_->fd(), {.readable = true});
    write();
  }

 private:
  void write() {
    while (written_ < bytes_.size()) {
      const base::ByteView rest = base::as_bytes(bytes_).subspan(written_);
      const io::StreamResult result = stream_->write(pause_.ns != 0 ? rest.first(1) : rest);
      if (result.state == StreamState::want_write || result.state == StreamState::want_read) {
        return owner_.loop_.change(stream_->fd(), {.readable = true, .writable = true});
      }
      if (result.state != StreamState::done) return owner_.drop(*this);
      written_ += result.bytes;
      if (pause_.ns != 0) return timer_.arm(pause_);
    }
    if (end_ == End::hold) return;
    if (end_ == End::reset) {
      io::reset_on_close(stream_->fd());
    } else {
      stream_->shutdown();
    }
    owner_.drop(*this);
  }

  friend class WaywardStreams;
  WaywardStreams& owner_;
  std::unique_ptr<io::Stream> stream_;
  const std::string bytes_;
  const base::Duration pause_;
  const End end_;
  std::size_t written_ = 0;
  bool watched_ = false;
  io::Timer timer_;
};

WaywardStreams::WaywardStreams(io::Loop& loop) : loop_(loop) {}
WaywardStreams::~WaywardStreams() = default;

void WaywardStreams::take(std::unique_ptr<io::Stream> stream, std::string bytes, base::Duration pause, End end) {
  if (stream == nullptr) return;
  auto wayward = std::make_unique<Wayward>(*this, std::move(stream), std::move(bytes), pause, end);
  if (wayward->start()) streams_.push_back(std::move(wayward));
}

void WaywardStreams::drop(Wayward& wayward) {
  const auto found = std::ranges::find_if(streams_, [&](const auto& one) { return one.get() == &wayward; });
  if (found == streams_.end()) return;
  wayward.timer_.cancel();
  loop_.remove(wayward.stream_->fd());
  wayward.watched_ = false;
  wayward.stream_.reset();
  gone_.push_back(std::move(*found));
  streams_.erase(found);
  loop_.post([this, alive = std::weak_ptr<bool>(alive_)] {
    if (!alive.expired()) gone_.clear();
  });
}

}  // namespace holdfast
