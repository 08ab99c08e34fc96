#include "io/thread.h"

#include <pthread.h>
#include <sys/resource.h>
#include <unistd.h>

#include <string>
#include <thread>

#include <doctest/doctest.h>

TEST_CASE("a thread that lowers its priority lowers nobody else's") {
  const int before = getpriority(PRIO_PROCESS, static_cast<id_t>(gettid()));
  int lowered = before;
  std::thread([&lowered] {
    CHECK(io::lower_thread_priority().ok());
    lowered = getpriority(PRIO_PROCESS, static_cast<id_t>(gettid()));
  }).join();
  CHECK(lowered >= 10);
  CHECK(getpriority(PRIO_PROCESS, static_cast<id_t>(gettid())) == before);
}

TEST_CASE("a long name of a thread is cut") {
  std::thread([] {
    io::name_thread("a name that is too long");
    char name[16] = {};
    CHECK(pthread_getname_np(pthread_self(), name, sizeof name) == 0);
    CHECK(std::string(name) == "a name that is ");
  }).join();
}
