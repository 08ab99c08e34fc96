#include "apps/holdfast/fault_proxy.h"

#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <deque>

#include "io/connecting.h"
#include "wire/json_fields.h"
#include "wire/json_writer.h"

namespace holdfast {

namespace {

constexpr std::size_t queued_bytes_max = 256 * 1024;   // then the sender feels it
constexpr std::int64_t millisecond_ns = 1'000'000;
const NetworkFault no_fault{};

}  // namespace

/// Two sockets and what is on the way between them.
class FaultProxy::Link {
 public:
  Link(FaultProxy& proxy, io::Descriptor client, const NetworkFault& fault);
  ~Link();
  bool start();
  void cut(bool reset);
  /// Looks again: the weather has changed.
  void stir();

 private:
  /// Bytes that may go on at a time.
  struct Piece {
    std::int64_t due_ns;
    base::Bytes bytes;
    std::size_t sent = 0;
  };
  /// One direction.
  struct Pipe {
    std::deque<Piece> queue;
    std::size_t queued = 0;
    std::uint64_t passed = 0;
    std::int64_t last_due_ns = 0;
    std::int64_t free_at_ns = 0;      ///< of a thin pipe
    bool ended = false;               ///< the source has
    bool end_sent = false;
    bool blocked = false;             ///< the sink takes no more
  };
  struct Side final : io::EventHandler {
    Side(Link& owner, bool client) : link(owner), is_client(client) {}
    void on_readable() override { link.readable(*this); }
    void on_writable() override { link.writable(*this); }
    Link& link;
    const bool is_client;
    io::Descriptor fd;
    bool watched = false;
    io::Interest interest;
  };

  Pipe& from(const Side& side) { return side.is_client ? up_ : down_; }
  Pipe& into(const Side& side) { return side.is_client ? down_ : up_; }
  void readable(Side& side);
  void writable(Side& side);
  void enqueue(Pipe& pipe, bool is_up, base::ByteView bytes);
  bool swallowed(Pipe& pipe, bool is_up, std::size_t& bytes) const;
  bool pump(Pipe& pipe, Side& sink, std::int64_t& next_ns);
  void work();
  void watch(Side& side, io::Interest wanted);

  friend class FaultProxy;
  FaultProxy& proxy_;
  Side client_{*this, true}, target_{*this, false};
  Pipe up_, down_;
  bool connected_ = false, closed_ = false;
  enum class Fate { none, drop, reset } fate_ = Fate::none;
  std::uint64_t fate_after_ = 0;
  io::Timer timer_;
};

FaultProxy::Link::Link(FaultProxy& proxy, io::Descriptor client, const NetworkFault& fault) : proxy_(proxy), timer_(proxy.loop_, [this] { work(); }) {
  client_.fd = std::move(client);
  if (proxy.random_->chance(fault.drop_per_million, 1'000'000)) fate_ = Fate::drop;
  if (proxy.random_->chance(fault.reset_per_million, 1'000'000)) fate_ = Fate::reset;
  fate_after_ = fault.drop_after_bytes;
}

FaultProxy::Link::~Link() {
  for (Side* const side : {&client_, &target_}) {
    if (side->watched) proxy_.loop_.remove(side->fd.get());
  }
}

bool FaultProxy::Link::start() {
  auto fd = io::start_connect(proxy_.to_);
  if (!fd.ok()) return false;
  target_.fd = std::move(*fd);
  for (Side* const side : {&client_, &target_}) {
    side->interest = {.readable = side->is_client, .writable = !side->is_client};
    side->watched = proxy_.loop_.add(side->fd.get(), side->interest, *side).ok();
    if (!side->watched) return false;
  }
  if (fate_ != Fate::none && fate_after_ == 0) timer_.arm({0});
  return true;
}

void FaultProxy::Link::watch(Side& side, io::Interest wanted) {
  if (!side.watched || wanted == side.interest) return;
  side.interest = wanted;
  proxy_.loop_.change(side.fd.get(), wanted);
}

void FaultProxy::Link::readable(Side& side) {
  if (!side.is_client && !connected_) return writable(side);
  std::array<std::uint8_t, 16 * 1024> buffer;  // NOLINT: filled before it is looked at
  Pipe& pipe = from(side);
  while (!closed_ && !pipe.ended && pipe.queued < queued_bytes_max) {
    const ssize_t n = ::recv(side.fd.get(), buffer.data(), buffer.size(), 0);
    if (n < 0 && (errno == EAGAIN || errno == EINTR)) break;
    if (n < 0) return cut(true);   // a reset passes through
    if (n == 0) {
      pipe.ended = true;
      break;
    }
    enqueue(pipe, side.is_client, std::span(buffer).first(static_cast<std::size_t>(n)));
  }
  work();
}

void FaultProxy::Link::writable(Side& side) {
  if (!side.is_client && !connected_) {
    if (!io::finish_connect(side.fd.get()).ok()) return cut(true);
    connected_ = true;
  }
  into(side).blocked = false;
  work();
}

// True if the direction is a black hole from here on; `bytes` is what still passes.
bool FaultProxy::Link::swallowed(Pipe& pipe, bool is_up, std::size_t& bytes) const {
  const NetworkFault& fault = proxy_.now();
  const std::uint64_t limit = is_up ? fault.black_hole_up_after : fault.black_hole_down_after;
  const std::uint64_t left = limit > pipe.passed ? limit - pipe.passed : 0;
  if (bytes <= left) return false;
  bytes = static_cast<std::size_t>(left);
  return true;
}

void FaultProxy::Link::enqueue(Pipe& pipe, bool is_up, base::ByteView bytes) {
  const NetworkFault& fault = proxy_.now();
  std::size_t passing = bytes.size();
  swallowed(pipe, is_up, passing);
  bytes = bytes.first(passing);
  pipe.passed += passing;
  (is_up ? proxy_.stats_.bytes_up : proxy_.stats_.bytes_down) += passing;
  if (bytes.empty()) return;
  const std::uint64_t jitter = proxy_.random_->below(static_cast<std::uint64_t>(fault.jitter_ms) * millisecond_ns + 1);
  const std::int64_t due_ns = proxy_.loop_.now_ns() + fault.latency_ms * millisecond_ns + static_cast<std::int64_t>(jitter);
  pipe.last_due_ns = std::max(pipe.last_due_ns, due_ns);
  pipe.queued += bytes.size();
  pipe.queue.push_back({pipe.last_due_ns, base::to_bytes(bytes)});
}

// Sends what is due. False if the link broke.
bool FaultProxy::Link::pump(Pipe& pipe, Side& sink, std::int64_t& next_ns) {
  const NetworkFault& fault = proxy_.now();
  const std::int64_t now = proxy_.loop_.now_ns();
  if (fault.black_hole) {
    if (!pipe.queue.empty() || pipe.ended) next_ns = std::min(next_ns, now + 20 * millisecond_ns);   // it may be over by then
    return true;
  }
  while (!pipe.queue.empty() && !pipe.blocked && connected_) {
    Piece& piece = pipe.queue.front();
    std::int64_t due_ns = piece.due_ns;
    std::size_t allowed = piece.bytes.size() - piece.sent;
    if (fault.bytes_per_second != 0) {
      due_ns = std::max(due_ns, pipe.free_at_ns);
      allowed = std::min<std::size_t>(allowed, std::max<std::uint64_t>(1, fault.bytes_per_second / 50));
    }
    if (due_ns > now) {
      next_ns = std::min(next_ns, due_ns);
      return true;
    }
    const ssize_t n = ::send(sink.fd.get(), piece.bytes.data() + piece.sent, allowed, MSG_NOSIGNAL);
    if (n < 0 && (errno == EAGAIN || errno == EINTR)) {
      pipe.blocked = true;
      return true;
    }
    if (n < 0) return false;
    piece.sent += static_cast<std::size_t>(n);
    pipe.queued -= static_cast<std::size_t>(n);
    if (fault.bytes_per_second != 0) {
      pipe.free_at_ns = std::max(pipe.free_at_ns, now) + static_cast<std::int64_t>(static_cast<std::uint64_t>(n) * 1'000'000'000 / fault.bytes_per_second);
    }
    if (piece.sent == piece.bytes.size()) pipe.queue.pop_front();
  }
  if (pipe.ended && pipe.queue.empty() && !pipe.end_sent && connected_) {
    pipe.end_sent = true;
    ::shutdown(sink.fd.get(), SHUT_WR);
  }
  return true;
}

void FaultProxy::Link::work() {
  if (closed_) return;
  if (fate_ != Fate::none && up_.passed + down_.passed >= fate_after_) {
    ++(fate_ == Fate::reset ? proxy_.stats_.resets : proxy_.stats_.dropped);
    return cut(fate_ == Fate::reset);
  }
  std::int64_t next_ns = INT64_MAX;
  if (!pump(up_, target_, next_ns) || !pump(down_, client_, next_ns)) return cut(true);
  if (up_.end_sent && down_.end_sent) return cut(false);
  for (Side* const side : {&client_, &target_}) {
    const Pipe& out = from(*side);
    const bool reads = !out.ended && out.queued < queued_bytes_max && (side->is_client || connected_);
    watch(*side, {.readable = reads, .writable = into(*side).blocked || (!side->is_client && !connected_)});
  }
  if (next_ns == INT64_MAX) return timer_.cancel();
  timer_.arm({std::max<std::int64_t>(next_ns - proxy_.loop_.now_ns(), 0)});
}

void FaultProxy::Link::stir() { timer_.arm({0}); }

void FaultProxy::Link::cut(bool reset) {
  if (closed_) return;
  closed_ = true;
  timer_.cancel();
  for (Side* const side : {&client_, &target_}) {
    if (side->watched) proxy_.loop_.remove(side->fd.get());
    side->watched = false;
    if (reset && side->fd.valid()) io::reset_on_close(side->fd.get());
    side->fd.close();
  }
  proxy_.drop(*this);
}

base::Result<std::unique_ptr<FaultProxy>> FaultProxy::open(io::Loop& loop, const io::Endpoint& at, const io::Endpoint& to, NetworkSchedule schedule) {
  TRY_ASSIGN(auto listener, io::Listener::open(at));
  const int fd = listener->fd();
  std::unique_ptr<FaultProxy> proxy(new FaultProxy(loop, std::move(listener), to, std::move(schedule)));
  TRY(loop.add(fd, {.readable = true}, *proxy));
  return proxy;
}

FaultProxy::FaultProxy(io::Loop& loop, std::unique_ptr<io::Listener> listener, io::Endpoint to, NetworkSchedule schedule)
    : loop_(loop), listener_(std::move(listener)), to_(std::move(to)) {
  set_schedule(std::move(schedule));
}

FaultProxy::~FaultProxy() { loop_.remove(listener_->fd()); }

void FaultProxy::set_schedule(NetworkSchedule schedule) {
  random_ = std::make_unique<io::SimulatedRandom>(schedule.seed);
  schedule_ = std::move(schedule);
  set_ns_ = loop_.now_ns();
  for (const auto& link : links_) link->stir();
}

const NetworkFault& FaultProxy::now() const {
  std::int64_t at_ms = (loop_.now_ns() - set_ns_) / millisecond_ns;
  if (schedule_.repeat_ms > 0) at_ms %= schedule_.repeat_ms;
  const NetworkFault* found = &no_fault;
  for (const NetworkFault& fault : schedule_.faults) {
    if (at_ms >= fault.from_ms && at_ms < fault.until_ms) found = &fault;
  }
  return *found;
}

void FaultProxy::on_readable() {
  while (true) {
    auto accepted = listener_->accept();
    if (!accepted.ok() || !accepted->has_value()) return;
    ++stats_.connections;
    const NetworkFault& fault = now();
    if (fault.refuse) {
      ++stats_.refused;
      io::reset_on_close((*accepted)->fd.get());
      continue;
    }
    auto link = std::make_unique<Link>(*this, std::move((*accepted)->fd), fault);
    if (link->start()) links_.push_back(std::move(link));
  }
}

void FaultProxy::drop(Link& link) {
  const auto found = std::ranges::find_if(links_, [&](const auto& one) { return one.get() == &link; });
  if (found == links_.end()) return;
  gone_.push_back(std::move(*found));
  links_.erase(found);
  loop_.post([this, alive = std::weak_ptr<bool>(alive_)] {
    if (!alive.expired()) gone_.clear();
  });
}

void FaultProxy::cut_all(bool reset) {
  while (!links_.empty()) links_.back()->cut(reset);
}

FaultProxy::Stats FaultProxy::stats() const {
  Stats stats = stats_;
  stats.open = links_.size();
  return stats;
}

// --- schedule and steering --------------------------------------------------------------------------------------------------

base::Result<NetworkSchedule> parse_network_schedule(base::ByteView json) {
  const auto malformed = [](std::string what) { return base::Error{"fault_schedule_malformed", "the schedule: " + std::move(what)}; };
  const auto document = wire::parse_json(json);
  if (!document.ok()) return malformed(document.error().message);
  constexpr std::uint64_t ms_max = 86'400'000;
  NetworkSchedule schedule;
  std::vector<wire::FieldProblem> problems;
  wire::JsonFields fields(document->root(), "", problems);
  schedule.seed = fields.optional_uint("seed", 0, UINT64_MAX).value_or(schedule.seed);
  schedule.repeat_ms = static_cast<std::int64_t>(fields.optional_uint("repeat_ms", 0, ms_max).value_or(0));
  const auto faults = fields.optional_array("faults");
  fields.finish();
  std::size_t index = 0;
  if (faults) {
    for (const wire::JsonValue value : faults->elements()) {
      NetworkFault& fault = schedule.faults.emplace_back();
      wire::JsonFields one(value, wire::pointer_to("/faults", index++), problems);
      const auto ms = [&](std::string_view name, std::int64_t otherwise) {
        const auto number = one.optional_uint(name, 0, ms_max);
        return number ? static_cast<std::int64_t>(*number) : otherwise;
      };
      const auto bytes = [&](std::string_view name, std::uint64_t otherwise) { return one.optional_uint(name, 0, UINT64_MAX).value_or(otherwise); };
      const auto share = [&](std::string_view name) { return static_cast<std::uint32_t>(one.optional_uint(name, 0, 1'000'000).value_or(0)); };
      fault.from_ms = ms("from_ms", 0);
      fault.until_ms = ms("until_ms", INT64_MAX);
      fault.latency_ms = ms("latency_ms", 0);
      fault.jitter_ms = ms("jitter_ms", 0);
      fault.refuse = one.optional_boolean("refuse").value_or(false);
      fault.drop_per_million = share("drop_per_million");
      fault.reset_per_million = share("reset_per_million");
      fault.drop_after_bytes = bytes("drop_after_bytes", 0);
      fault.black_hole_up_after = bytes("black_hole_up_after", UINT64_MAX);
      fault.black_hole_down_after = bytes("black_hole_down_after", UINT64_MAX);
      fault.black_hole = one.optional_boolean("black_hole").value_or(false);
      fault.bytes_per_second = bytes("bytes_per_second", 0);
      one.finish();
    }
  }
  if (!problems.empty()) return malformed(problems.front().pointer + " " + problems.front().detail);
  return schedule;
}

std::string to_json(const NetworkSchedule& schedule) {
  std::string text;
  wire::JsonWriter json(text);
  json.begin_object();
  json.member("seed", schedule.seed);
  json.member("repeat_ms", static_cast<std::uint64_t>(schedule.repeat_ms));
  json.key("faults");
  json.begin_array();
  // What stands for "no bound" is left out, so that the text can be read back.
  const auto unless = [&](std::string_view name, std::uint64_t value, std::uint64_t usual) {
    if (value != usual) json.member(name, value);
  };
  for (const NetworkFault& fault : schedule.faults) {
    json.begin_object();
    unless("from_ms", static_cast<std::uint64_t>(fault.from_ms), 0);
    unless("until_ms", static_cast<std::uint64_t>(fault.until_ms), INT64_MAX);
    unless("latency_ms", static_cast<std::uint64_t>(fault.latency_ms), 0);
    unless("jitter_ms", static_cast<std::uint64_t>(fault.jitter_ms), 0);
    if (fault.refuse) json.member("refuse", true);
    unless("drop_per_million", fault.drop_per_million, 0);
    unless("reset_per_million", fault.reset_per_million, 0);
    unless("drop_after_bytes", fault.drop_after_bytes, 0);
    unless("black_hole_up_after", fault.black_hole_up_after, UINT64_MAX);
    unless("black_hole_down_after", fault.black_hole_down_after, UINT64_MAX);
    if (fault.black_hole) json.member("black_hole", true);
    unless("bytes_per_second", fault.bytes_per_second, 0);
    json.end_object();
  }
  json.end_array();
  json.end_object();
  return text;
}

void FaultProxyControl::handle(edge::Server& server, edge::Exchange exchange, wire::Request&& request) {
  wire::Response response;
  response.headers.add("content-type", "application/json");
  response.body = "{}";
  if (request.path == "/schedule" && request.method == "GET") {
    response.body = to_json(proxy_.schedule());
  } else if (request.path == "/schedule" && request.method == "PUT") {
    auto schedule = parse_network_schedule(base::as_bytes(request.body));
    if (schedule.ok()) {
      proxy_.set_schedule(std::move(*schedule));
      response.body = to_json(proxy_.schedule());
    } else {
      response.status = 400;
      std::string text;
      wire::JsonWriter json(text);
      json.begin_object();
      json.member("code", schedule.error().code);
      json.member("detail", std::string_view(schedule.error().message));
      json.end_object();
      response.body = text;
    }
  } else if ((request.path == "/cut" || request.path == "/reset") && request.method == "POST") {
    proxy_.cut_all(request.path == "/reset");
  } else if (request.path == "/stats" && request.method == "GET") {
    const FaultProxy::Stats stats = proxy_.stats();
    response.body.clear();
    wire::JsonWriter json(response.body);
    json.begin_object();
    json.member("connections", stats.connections);
    json.member("open", stats.open);
    json.member("refused", stats.refused);
    json.member("dropped", stats.dropped);
    json.member("resets", stats.resets);
    json.member("bytes_up", stats.bytes_up);
    json.member("bytes_down", stats.bytes_down);
    json.end_object();
  } else {
    response.status = 404;
  }
  server.reply(exchange, response);
}

}  // namespace holdfast
