#include "io/process.h"

#include <pthread.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <cerrno>

namespace io {

namespace {

sigset_t to_set(const std::vector<int>& signals) {
  sigset_t set;
  sigemptyset(&set);
  for (const int one : signals) sigaddset(&set, one);
  return set;
}

}  // namespace

void ignore_broken_pipes() { ::signal(SIGPIPE, SIG_IGN); }

bool is_terminal(int fd) { return ::isatty(fd) == 1; }

std::optional<int> terminal_columns(int fd) {
  winsize size{};
  if (::ioctl(fd, TIOCGWINSZ, &size) != 0 || size.ws_col == 0) return std::nullopt;
  return size.ws_col;
}

base::Result<std::unique_ptr<SignalWatch>> SignalWatch::open(Loop& loop, std::initializer_list<int> signals,
                                                             std::function<void(int)> on_signal) {
  std::unique_ptr<SignalWatch> watch(new SignalWatch(loop, signals, std::move(on_signal)));
  const sigset_t set = to_set(watch->signals_);
  watch->fd_ = Descriptor(::signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC));
  if (!watch->fd_.valid()) {
    return base::Error{"signals_not_watchable", "cannot watch signals: " + errno_text(errno)};
  }
  if (auto added = loop.add(watch->fd_.get(), {.readable = true}, *watch); !added.ok()) {
    watch->fd_.close();
    return base::Error{"signals_not_watchable", added.error().message};
  }
  ::pthread_sigmask(SIG_BLOCK, &set, nullptr);
  return watch;
}

SignalWatch::~SignalWatch() {
  if (!fd_.valid()) return;
  loop_.remove(fd_.get());
  const sigset_t set = to_set(signals_);
  ::pthread_sigmask(SIG_UNBLOCK, &set, nullptr);
}

void SignalWatch::on_readable() {
  signalfd_siginfo info{};
  // One at a time: the callback may destroy this watch.
  if (::read(fd_.get(), &info, sizeof info) == static_cast<ssize_t>(sizeof info)) {
    const auto on_signal = on_signal_;
    on_signal(static_cast<int>(info.ssi_signo));
  }
}

}  // namespace io
