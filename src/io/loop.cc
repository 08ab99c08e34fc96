#include "io/loop.h"

#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <ctime>
#include <string>

#include "base/check.h"

namespace io {

namespace {

constexpr std::uint64_t wakeup_tag = ~std::uint64_t{0};

std::int64_t monotonic_ns() {
  timespec now{};
  CHECK(::clock_gettime(CLOCK_MONOTONIC, &now) == 0);
  return static_cast<std::int64_t>(now.tv_sec) * 1'000'000'000 + now.tv_nsec;
}

std::uint32_t epoll_events(Interest interest) {
  std::uint32_t events = 0;
  if (interest.readable) events |= EPOLLIN | EPOLLRDHUP;
  if (interest.writable) events |= EPOLLOUT;
  return events;
}

}  // namespace

Timer::Timer(Loop& loop, Task work) : loop_(loop), work_(std::move(work)) {}

Timer::~Timer() {
  if (position_ != not_queued) loop_.unqueue(*this);
  if (loop_.firing_ != nullptr && *loop_.firing_ == this) *loop_.firing_ = nullptr;
}

void Timer::arm(base::Duration after) {
  armed_ = true;
  due_ns_ = loop_.now_ns_ + std::max<std::int64_t>(after.ns, 1);
  if (position_ == not_queued) {
    loop_.queue(*this);
  } else if (due_ns_ < queued_ns_) {
    loop_.unqueue(*this);
    loop_.queue(*this);
  }
  // Otherwise it is met too early in the queue, and put back then.
}

base::Result<std::unique_ptr<Loop>> Loop::open() {
  Descriptor epoll(::epoll_create1(EPOLL_CLOEXEC));
  Descriptor wakeup(epoll.valid() ? ::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK) : -1);
  if (!wakeup.valid()) {
    return base::Error{"event_loop_unavailable", "cannot create an event loop: " + errno_text(errno)};
  }
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.u64 = wakeup_tag;
  if (::epoll_ctl(epoll.get(), EPOLL_CTL_ADD, wakeup.get(), &event) != 0) {
    return base::Error{"event_loop_unavailable", "cannot create an event loop: " + errno_text(errno)};
  }
  return std::unique_ptr<Loop>(new Loop(std::move(epoll), std::move(wakeup)));
}

Loop::Loop(Descriptor epoll, Descriptor wakeup)
    : epoll_(std::move(epoll)), wakeup_(std::move(wakeup)), now_ns_(monotonic_ns()) {}

Loop::~Loop() {
  // Tasks never run may own timers: they go while the queue is still there.
  running_.clear();
  posted_.clear();
  CHECK_THAT(timers_.empty(), "timers go before their loop");
}

base::Status Loop::add(int fd, Interest interest, EventHandler& handler) {
  const auto index = static_cast<std::size_t>(fd);
  if (fd >= 0 && index >= registrations_.size()) registrations_.resize(index + 1);
  CHECK_THAT(fd < 0 || registrations_[index].handler == nullptr, "a descriptor is watched once");
  epoll_event event{};
  event.events = epoll_events(interest);
  if (fd >= 0) event.data.u64 = std::uint64_t{registrations_[index].generation + 1} << 32 | index;
  if (::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, fd, &event) != 0) {
    return base::Error{"descriptor_not_watchable",
                       "cannot watch descriptor " + std::to_string(fd) + ": " + errno_text(errno)};
  }
  Registration& registration = registrations_[index];
  registration.handler = &handler;
  registration.interest = interest;
  ++registration.generation;
  return base::ok();
}

void Loop::change(int fd, Interest interest) {
  CHECK(fd >= 0 && static_cast<std::size_t>(fd) < registrations_.size());
  Registration& registration = registrations_[static_cast<std::size_t>(fd)];
  CHECK_THAT(registration.handler != nullptr, "only a watched descriptor changes its interest");
  if (registration.interest == interest) return;
  registration.interest = interest;
  epoll_event event{};
  event.events = epoll_events(interest);
  event.data.u64 = std::uint64_t{registration.generation} << 32 | static_cast<std::uint32_t>(fd);
  CHECK_THAT(::epoll_ctl(epoll_.get(), EPOLL_CTL_MOD, fd, &event) == 0, "a watched descriptor is open");
}

void Loop::remove(int fd) {
  CHECK(fd >= 0 && static_cast<std::size_t>(fd) < registrations_.size());
  Registration& registration = registrations_[static_cast<std::size_t>(fd)];
  CHECK_THAT(registration.handler != nullptr, "only a watched descriptor can be removed");
  registration.handler = nullptr;
  CHECK_THAT(::epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, fd, nullptr) == 0, "removed before it was closed");
}

void Loop::post(Task task) {
  {
    std::lock_guard lock(post_mutex_);
    posted_.push_back(std::move(task));
    // Only the first of a burst has somebody to wake; the loop looks at this flag after it declared itself asleep.
    if (has_posted_.exchange(true)) return;
  }
  if (asleep_.exchange(false)) wake();
}

void Loop::stop() {
  stop_.store(true);
  if (asleep_.exchange(false)) wake();
}

void Loop::wake() {
  wakeups_.fetch_add(1, std::memory_order_relaxed);
  const std::uint64_t one = 1;
  // The counter can only refuse when it is full, and then the loop is awake already.
  [[maybe_unused]] const ssize_t n = ::write(wakeup_.get(), &one, sizeof one);
}

void Loop::run() {
  while (!stop_.load()) turn(-1);
  stop_.store(false);
}

void Loop::run_once(base::Duration wait) { turn(std::max<std::int64_t>(wait.ns, 0)); }

void Loop::turn(std::int64_t wait_ns) {
  now_ns_ = monotonic_ns();
  wait_ns = wait_for_timers(wait_ns);
  asleep_.store(true);
  // Either a poster sees asleep_, or this sees what it posted.
  if (has_posted_.load() || stop_.load()) wait_ns = 0;

  std::array<epoll_event, 256> events;
  // Rounded up: a timer never fires early. An hour at most, so that the number fits.
  const std::int64_t wait_ms = std::min<std::int64_t>((wait_ns + 999'999) / 1'000'000, 3'600'000);
  const int n = ::epoll_wait(epoll_.get(), events.data(), static_cast<int>(events.size()),
                             wait_ns < 0 ? -1 : static_cast<int>(wait_ms));
  asleep_.store(false);
  CHECK_THAT(n >= 0 || errno == EINTR, "the loop can wait");
  now_ns_ = monotonic_ns();
  for (int i = 0; i < n; ++i) {
    const epoll_event& event = events[static_cast<std::size_t>(i)];
    dispatch(event.data.u64, event.events);
  }
  run_timers();
  run_posted();
}

void Loop::dispatch(std::uint64_t tag, std::uint32_t events) {
  if (tag == wakeup_tag) {
    std::uint64_t count = 0;
    [[maybe_unused]] const ssize_t n = ::read(wakeup_.get(), &count, sizeof count);
    return;
  }
  const std::size_t index = tag & 0xffffffff;
  const auto generation = static_cast<std::uint32_t>(tag >> 32);
  // A handler called earlier may have removed this one, or closed it and been given its number again.
  const auto current = [&]() -> Registration* {
    Registration& registration = registrations_[index];
    return registration.handler != nullptr && registration.generation == generation ? &registration : nullptr;
  };
  // Errors and hang-ups are reported whether asked for or not; whoever waits learns of them by trying.
  const bool broken = (events & (EPOLLERR | EPOLLHUP)) != 0;
  Registration* registration = current();
  if (registration == nullptr) return;
  const bool nothing_asked = !registration->interest.readable && !registration->interest.writable;
  if ((events & (EPOLLIN | EPOLLRDHUP)) != 0 || (broken && (registration->interest.readable || nothing_asked))) {
    registration->handler->on_readable();
    registration = current();
    if (registration == nullptr) return;
  }
  if (((events & EPOLLOUT) != 0 || broken) && registration->interest.writable) registration->handler->on_writable();
}

void Loop::run_posted() {
  if (!has_posted_.load()) return;
  {
    std::lock_guard lock(post_mutex_);
    running_.swap(posted_);
    has_posted_.store(false);
  }
  for (Task& task : running_) task();
  running_.clear();
}

std::int64_t Loop::wait_for_timers(std::int64_t wait_ns) const {
  if (timers_.empty()) return wait_ns;
  const std::int64_t until = std::max<std::int64_t>(timers_.front()->queued_ns_ - now_ns_, 0);
  return wait_ns < 0 ? until : std::min(wait_ns, until);
}

void Loop::run_timers() {
  while (!timers_.empty() && timers_.front()->queued_ns_ <= now_ns_) {
    Timer& timer = *timers_.front();
    unqueue(timer);
    if (!timer.armed_) continue;
    if (timer.due_ns_ > now_ns_) {
      queue(timer);
      continue;
    }
    timer.armed_ = false;
    // The work may arm or destroy its own timer: it is called from here, and put back only if the timer still lives.
    Task work = std::move(timer.work_);
    Timer* alive = &timer;
    firing_ = &alive;
    work();
    firing_ = nullptr;
    if (alive != nullptr) alive->work_ = std::move(work);
  }
}

void Loop::queue(Timer& timer) {
  timer.queued_ns_ = timer.due_ns_;
  timers_.push_back(&timer);
  timer.position_ = timers_.size() - 1;
  sift_up(timer.position_);
}

void Loop::unqueue(Timer& timer) {
  const std::size_t position = timer.position_;
  Timer* last = timers_.back();
  timers_.pop_back();
  timer.position_ = Timer::not_queued;
  if (last == &timer) return;
  place(position, last);
  sift_up(position);
  sift_down(last->position_);
}

void Loop::place(std::size_t position, Timer* timer) {
  timers_[position] = timer;
  timer->position_ = position;
}

void Loop::sift_up(std::size_t position) {
  Timer* timer = timers_[position];
  while (position > 0) {
    const std::size_t parent = (position - 1) / 2;
    if (timers_[parent]->queued_ns_ <= timer->queued_ns_) break;
    place(position, timers_[parent]);
    position = parent;
  }
  place(position, timer);
}

void Loop::sift_down(std::size_t position) {
  Timer* timer = timers_[position];
  while (true) {
    std::size_t child = position * 2 + 1;
    if (child >= timers_.size()) break;
    if (child + 1 < timers_.size() && timers_[child + 1]->queued_ns_ < timers_[child]->queued_ns_) ++child;
    if (timer->queued_ns_ <= timers_[child]->queued_ns_) break;
    place(position, timers_[child]);
    position = child;
  }
  place(position, timer);
}

}  // namespace io
