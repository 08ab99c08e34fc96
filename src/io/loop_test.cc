#include "io/loop.h"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <functional>
#include <string>
#include <thread>

using base::milliseconds;

namespace {

std::unique_ptr<io::Loop> open_loop() {
  auto loop = io::Loop::open();
  REQUIRE(loop.ok());
  return std::move(*loop);
}

struct Pair {
  io::Descriptor a;
  io::Descriptor b;
};

Pair open_pair() {
  int ends[2];
  REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends) == 0);
  return {io::Descriptor(ends[0]), io::Descriptor(ends[1])};
}

struct Calls final : io::EventHandler {
  std::function<void()> readable = [] {};
  std::function<void()> writable = [] {};
  int reads = 0;
  int writes = 0;
  void on_readable() override {
    ++reads;
    readable();
  }
  void on_writable() override {
    ++writes;
    writable();
  }
};

void put(const io::Descriptor& fd) { REQUIRE(::write(fd.get(), "x", 1) == 1); }

}  // namespace

TEST_CASE("a handler is called while its condition lasts, and only for what it asked") {
  auto loop = open_loop();
  Pair pair = open_pair();
  Calls calls;
  REQUIRE(loop->add(pair.a.get(), {.readable = true}, calls).ok());
  loop->run_once({0});
  CHECK(calls.reads == 0);
  put(pair.b);
  loop->run_once({0});
  loop->run_once({0});
  CHECK(calls.reads == 2);
  CHECK(calls.writes == 0);
  loop->change(pair.a.get(), {.writable = true});
  loop->run_once({0});
  CHECK(calls.reads == 2);
  CHECK(calls.writes == 1);
  loop->change(pair.a.get(), {});
  loop->run_once({0});
  CHECK(calls.writes == 1);
  loop->remove(pair.a.get());
  loop->run_once({0});
  CHECK(calls.reads == 2);
}

TEST_CASE("the end of the peer is something to read") {
  auto loop = open_loop();
  Pair pair = open_pair();
  Calls calls;
  REQUIRE(loop->add(pair.a.get(), {.readable = true}, calls).ok());
  pair.b.close();
  loop->run_once(milliseconds(100));
  CHECK(calls.reads == 1);
  // Also when nothing is asked for: a connection that waits for the core must learn that it is gone.
  loop->change(pair.a.get(), {});
  loop->run_once(milliseconds(100));
  CHECK(calls.reads == 2);
  loop->remove(pair.a.get());
}

TEST_CASE("a handler removed by another one in the same turn is not called, nor is its successor") {
  auto loop = open_loop();
  Pair one = open_pair();
  Pair two = open_pair();
  Calls first;
  Calls second;
  Calls successor;
  io::Descriptor reused;
  const auto remove_other = [&](io::Descriptor& other) {
    return [&] {
      const int number = other.get();
      loop->remove(number);
      other.close();
      // The number is given away again at once, to a descriptor that is not readable.
      reused = io::Descriptor(::eventfd(0, EFD_NONBLOCK));
      REQUIRE(reused.get() == number);
      REQUIRE(loop->add(number, {.readable = true}, successor).ok());
    };
  };
  first.readable = remove_other(two.a);
  second.readable = remove_other(one.a);
  REQUIRE(loop->add(one.a.get(), {.readable = true}, first).ok());
  REQUIRE(loop->add(two.a.get(), {.readable = true}, second).ok());
  put(one.b);
  put(two.b);
  loop->run_once(milliseconds(100));
  CHECK(first.reads + second.reads == 1);
  CHECK(successor.reads == 0);
}

TEST_CASE("a handler may destroy itself") {
  auto loop = open_loop();
  Pair pair = open_pair();
  auto calls = std::make_unique<Calls>();
  int reads = 0;
  calls->readable = [&] {
    ++reads;
    loop->remove(pair.a.get());
    auto hold = std::move(calls->readable);  // the lambda outlives its handler
    calls.reset();
  };
  REQUIRE(loop->add(pair.a.get(), {.readable = true, .writable = true}, *calls).ok());
  put(pair.b);
  loop->run_once(milliseconds(100));
  CHECK(reads == 1);
}

TEST_CASE("what cannot be watched is an error") {
  auto loop = open_loop();
  Calls calls;
  io::Descriptor file(::open("/proc/self/status", O_RDONLY));
  const auto regular = loop->add(file.get(), {.readable = true}, calls);
  REQUIRE(!regular.ok());
  CHECK(std::string(regular.error().code) == "descriptor_not_watchable");
  CHECK(!loop->add(-1, {.readable = true}, calls).ok());
}

TEST_CASE("timers fire in order, once, and not before their time") {
  auto loop = open_loop();
  std::string fired;
  io::Timer late(*loop, [&] { fired += 'c'; });
  io::Timer early(*loop, [&] { fired += 'a'; });
  io::Timer middle(*loop, [&] { fired += 'b'; });
  io::Timer cancelled(*loop, [&] { fired += 'x'; });
  late.arm(milliseconds(12));
  early.arm(milliseconds(3));
  middle.arm(milliseconds(8));
  cancelled.arm(milliseconds(5));
  cancelled.cancel();
  CHECK(!cancelled.armed());
  const std::int64_t start = loop->now_ns();
  while (late.armed()) loop->run_once(base::seconds(1));
  CHECK(fired == "abc");
  CHECK(loop->now_ns() - start >= 12'000'000);
  CHECK(!early.armed());
}

TEST_CASE("a timer pushed back fires once, at its last time; one pulled forward fires at the first") {
  auto loop = open_loop();
  int back = 0;
  int forward = 0;
  io::Timer pushed(*loop, [&] { ++back; });
  io::Timer pulled(*loop, [&] { ++forward; });
  pushed.arm(milliseconds(2));
  pushed.arm(milliseconds(15));
  pulled.arm(base::seconds(100));
  pulled.arm(milliseconds(1));
  const std::int64_t start = loop->now_ns();
  while (pulled.armed()) loop->run_once(base::seconds(1));
  CHECK(forward == 1);
  CHECK(back == 0);
  while (pushed.armed()) loop->run_once(base::seconds(1));
  CHECK(back == 1);
  CHECK(loop->now_ns() - start >= 15'000'000);
}

TEST_CASE("a timer may arm, cancel and destroy timers, itself included") {
  auto loop = open_loop();
  int ticks = 0;
  std::unique_ptr<io::Timer> suicidal;
  io::Timer victim(*loop, [&] { FAIL("cancelled in the same turn"); });
  io::Timer* self = nullptr;
  io::Timer again(*loop, [&] {
    ++ticks;
    victim.cancel();
    if (ticks < 3) self->arm({0});
  });
  self = &again;
  suicidal = std::make_unique<io::Timer>(*loop, [&] { suicidal.reset(); });
  again.arm({0});
  suicidal->arm({0});
  victim.arm({1000});
  for (int i = 0; i < 20 && (ticks < 3 || suicidal); ++i) loop->run_once(milliseconds(5));
  CHECK(ticks == 3);
  CHECK(suicidal == nullptr);
}

TEST_CASE("many timers keep their order under cancellation") {
  auto loop = open_loop();
  std::vector<std::unique_ptr<io::Timer>> timers;
  std::vector<int> fired;
  std::uint32_t mixed = 1;
  for (int i = 0; i < 500; ++i) {
    mixed = mixed * 1664525 + 1013904223;
    const int at = static_cast<int>(mixed >> 8) % 2000;
    timers.push_back(std::make_unique<io::Timer>(*loop, [&fired, at] { fired.push_back(at); }));
    timers.back()->arm({at * 1000});
  }
  std::size_t left = 0;
  for (std::size_t i = 0; i < timers.size(); ++i) {
    if (i % 3 == 0) timers[i].reset();
    if (i % 3 == 1) timers[i]->cancel();
    left += i % 3 == 2;
  }
  for (int i = 0; i < 200 && fired.size() < left; ++i) loop->run_once(milliseconds(1));
  CHECK(fired.size() == left);
  CHECK(std::is_sorted(fired.begin(), fired.end()));
}

TEST_CASE("posts from threads all run, each thread's in its order") {
  auto loop = open_loop();
  constexpr int threads = 4;
  constexpr int each = 5000;
  std::array<int, threads> next{};
  bool ordered = true;
  int ran = 0;
  std::vector<std::thread> posters;
  for (int t = 0; t < threads; ++t) {
    posters.emplace_back([&, t] {
      for (int i = 0; i < each; ++i) {
        loop->post([&, t, i] {
          ordered = ordered && next[static_cast<std::size_t>(t)]++ == i;
          if (++ran == threads * each) loop->stop();
        });
      }
    });
  }
  loop->run();
  for (std::thread& poster : posters) poster.join();
  CHECK(ran == threads * each);
  CHECK(ordered);
}

TEST_CASE("a burst of posts costs one wake-up, and none while the loop is awake") {
  auto loop = open_loop();
  int ran = 0;
  loop->post([&] { ++ran; });
  CHECK(loop->wakeups() == 0);  // nobody sleeps yet
  std::atomic<bool> started{false};
  std::thread runner([&] {
    loop->post([&] { started = true; });
    loop->run();
  });
  while (!started) std::this_thread::yield();
  std::this_thread::sleep_for(std::chrono::milliseconds(20));  // asleep by now
  const std::uint64_t before = loop->wakeups();
  loop->post([&] {
    // The loop's own posts need no system call.
    for (int i = 0; i < 1000; ++i) loop->post([&] { ++ran; });
    loop->post([&] { loop->stop(); });
  });
  runner.join();
  CHECK(loop->wakeups() == before + 1);
  CHECK(ran == 1001);
}

TEST_CASE("stop before run, and work posted after the end") {
  auto loop = open_loop();
  loop->stop();
  loop->run();
  auto witness = std::make_shared<int>(1);
  loop->post([witness] {});
  CHECK(witness.use_count() == 2);
  loop.reset();
  CHECK(witness.use_count() == 1);
}

TEST_CASE("a task is moved, called and dropped, small or large") {
  auto witness = std::make_shared<int>(0);
  std::array<char, 100> ballast{};
  io::Task small = [witness] { ++*witness; };
  io::Task large = [witness, ballast] { *witness += 10 + ballast[0]; };
  io::Task move_only = [owned = std::make_unique<int>(100), witness] { *witness += *owned; };
  io::Task moved = std::move(small);
  CHECK(!small);
  CHECK(bool(moved));
  moved();
  large();
  move_only();
  CHECK(*witness == 111);
  moved = std::move(large);
  moved();
  CHECK(*witness == 121);
  moved = io::Task();
  move_only = io::Task();
  CHECK(witness.use_count() == 1);
}
