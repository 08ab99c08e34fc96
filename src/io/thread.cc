#include "io/thread.h"

#include <pthread.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <string>

namespace io {

namespace {
constexpr int background_nice = 10;
}  // namespace

void name_thread(const char* name) {
  const std::string cut = std::string(name).substr(0, 15);
  pthread_setname_np(pthread_self(), cut.c_str());
}

base::Status lower_thread_priority() {
  // On Linux a nice value belongs to a thread, and its number is accepted where POSIX speaks of a process.
  if (setpriority(PRIO_PROCESS, static_cast<id_t>(gettid()), background_nice) == 0) return base::ok();
  return base::Error{"thread_priority_refused", std::string("lowering the priority of a thread: ") + std::strerror(errno)};
}

}  // namespace io
