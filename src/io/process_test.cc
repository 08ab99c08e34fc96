#include "io/process.h"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <string>
#include <vector>

TEST_CASE("signals become events of the loop") {
  auto loop = io::Loop::open().value();
  std::vector<int> seen;
  {
    auto watch = io::SignalWatch::open(*loop, {SIGTERM, SIGHUP}, [&](int number) { seen.push_back(number); });
    REQUIRE(watch.ok());
    ::raise(SIGHUP);
    ::raise(SIGTERM);
    for (int i = 0; i < 5; ++i) loop->run_once({0});
    CHECK(seen == std::vector<int>{SIGHUP, SIGTERM});
    // The callback may end the watch.
    std::unique_ptr<io::SignalWatch> own;
    own = io::SignalWatch::open(*loop, {SIGUSR1}, [&](int) { own.reset(); }).value();
    ::raise(SIGUSR1);
    for (int i = 0; i < 5; ++i) loop->run_once({0});
    CHECK(own == nullptr);
  }
  sigset_t blocked;
  ::pthread_sigmask(SIG_BLOCK, nullptr, &blocked);
  CHECK(sigismember(&blocked, SIGTERM) == 0);
}

TEST_CASE("without descriptors neither loops nor signals can be had") {
  auto loop = io::Loop::open().value();
  rlimit before{};
  REQUIRE(::getrlimit(RLIMIT_NOFILE, &before) == 0);
  rlimit none = before;
  none.rlim_cur = 3;
  REQUIRE(::setrlimit(RLIMIT_NOFILE, &none) == 0);
  const auto watch = io::SignalWatch::open(*loop, {SIGUSR2}, [](int) {});
  const auto second = io::Loop::open();
  REQUIRE(::setrlimit(RLIMIT_NOFILE, &before) == 0);
  REQUIRE(!watch.ok());
  CHECK(std::string(watch.error().code) == "signals_not_watchable");
  REQUIRE(!second.ok());
  CHECK(std::string(second.error().code) == "event_loop_unavailable");
}

TEST_CASE("a broken pipe is an error, not the end") {
  io::ignore_broken_pipes();
  int ends[2];
  REQUIRE(::pipe(ends) == 0);
  ::close(ends[0]);
  CHECK(::write(ends[1], "x", 1) == -1);
  ::close(ends[1]);
}

TEST_CASE("a terminal is told from a pipe") {
  int ends[2];
  REQUIRE(::pipe(ends) == 0);
  CHECK(!io::is_terminal(ends[0]));
  CHECK(!io::terminal_columns(ends[0]));
  ::close(ends[0]);
  ::close(ends[1]);
  const int controller = ::posix_openpt(O_RDWR | O_NOCTTY);
  if (controller < 0 || ::grantpt(controller) != 0 || ::unlockpt(controller) != 0) {
    MESSAGE("skipped: no pseudo-terminals here");
    return;
  }
  char name[128] = {};
  REQUIRE(::ptsname_r(controller, name, sizeof name) == 0);
  const int terminal = ::open(name, O_RDWR | O_NOCTTY);
  REQUIRE(terminal >= 0);
  winsize size{};
  size.ws_col = 97;
  REQUIRE(::ioctl(terminal, TIOCSWINSZ, &size) == 0);
  CHECK(io::is_terminal(terminal));
  CHECK(io::terminal_columns(terminal) == 97);
  ::close(terminal);
  ::close(controller);
}
