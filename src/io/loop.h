#pragma once
// A single-threaded event loop over epoll: descriptors, timers, and tasks posted from other threads.
//
// One turn of the loop: wait for descriptors, call their handlers, fire due timers, run the tasks posted so far. So a
// handler that posts a task to its own loop gets it at the end of the same turn: the place to write replies out once
// instead of once for each.

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <vector>

#include "base/instant.h"
#include "base/result.h"
#include "io/descriptor.h"
#include "io/task.h"

namespace io {

class Loop;

/// Called by the loop on the loop's thread. May add, change and remove any registration, its own included, and destroy
/// itself after removing itself.
class EventHandler {
 public:
  virtual ~EventHandler() = default;
  /// There is something to read, an end of stream, or an error to be learned by reading. Called for errors also while
  /// nothing is asked for; whoever leaves the registration as it is then is called again at once.
  virtual void on_readable() = 0;
  /// There is room to write, or an error to be learned by writing. Called only while asked for.
  virtual void on_writable() = 0;
};

/// What a registration waits for. Events are repeated as long as the condition lasts (level-triggered).
struct Interest {
  bool readable = false;
  bool writable = false;
  bool operator==(const Interest&) const = default;
};

/// A timer that belongs to its user and runs on the loop's thread. Arming again replaces the former time and costs
/// nothing where the new time is later, so that an idle timeout can be pushed back with every byte. The loop must
/// outlive it.
class Timer {
 public:
  Timer(Loop& loop, Task work);
  ~Timer();
  Timer(const Timer&) = delete;
  Timer& operator=(const Timer&) = delete;

  /// Runs the work once, not earlier than `after` from now (the loop's idea of now, see Loop::now_ns) and usually
  /// less than 1 ms later. Never in the turn that armed it.
  void arm(base::Duration after);
  void cancel() { armed_ = false; }
  bool armed() const { return armed_; }

 private:
  friend class Loop;
  static constexpr std::size_t not_queued = ~std::size_t{0};

  Loop& loop_;
  Task work_;
  bool armed_ = false;
  std::int64_t due_ns_ = 0;     ///< when the user wants it
  std::int64_t queued_ns_ = 0;  ///< under which time it stands in the queue; never later than due_ns_
  std::size_t position_ = not_queued;
};

/// Everything but post() and stop() belongs to the thread that calls run().
class Loop {
 public:
  /// Errors: event_loop_unavailable (no descriptors left).
  static base::Result<std::unique_ptr<Loop>> open();
  ~Loop();
  Loop(const Loop&) = delete;
  Loop& operator=(const Loop&) = delete;

  /// Starts to watch `fd` for a handler that must stay alive until remove(). The descriptor stays the caller's.
  /// Errors: descriptor_not_watchable (a regular file, a closed descriptor, no memory).
  base::Status add(int fd, Interest interest, EventHandler& handler);
  /// Changes what a watched descriptor waits for. Costs a system call; nothing if it is what it was.
  void change(int fd, Interest interest);
  /// Stops watching; to be called before the descriptor is closed. Its handler is not called again, also not for an
  /// event already waiting.
  void remove(int fd);

  /// Runs `task` on the loop's thread, in the order of posting. From any thread. A burst of posts costs one wake-up.
  /// Tasks posted after the loop stopped run when it runs again, or are destroyed with it.
  void post(Task task);

  /// Runs until stop(). The calling thread is the loop's thread from now on.
  void run();
  /// Ends run() at the end of the present turn. From any thread.
  void stop();
  /// One turn, waiting at most `wait`. For tests and for draining.
  void run_once(base::Duration wait);

  /// CLOCK_MONOTONIC at the beginning of this turn.
  std::int64_t now_ns() const { return now_ns_; }
  /// How often post() had to wake the loop with a system call.
  std::uint64_t wakeups() const { return wakeups_.load(std::memory_order_relaxed); }

 private:
  friend class Timer;

  struct Registration {
    EventHandler* handler = nullptr;
    Interest interest;
    std::uint32_t generation = 0;
  };

  Loop(Descriptor epoll, Descriptor wakeup);
  void turn(std::int64_t wait_ns);
  void dispatch(std::uint64_t tag, std::uint32_t events);
  void run_timers();
  void run_posted();
  void wake();
  std::int64_t wait_for_timers(std::int64_t wait_ns) const;

  void queue(Timer& timer);
  void unqueue(Timer& timer);
  void sift_up(std::size_t position);
  void sift_down(std::size_t position);
  void place(std::size_t position, Timer* timer);

  Descriptor epoll_;
  Descriptor wakeup_;
  std::vector<Registration> registrations_;  ///< by descriptor number
  std::vector<Timer*> timers_;               ///< heap by queued_ns_
  std::int64_t now_ns_ = 0;
  Timer** firing_ = nullptr;  ///< the timer whose work is running; cleared if that destroys it

  std::mutex post_mutex_;
  std::vector<Task> posted_;   ///< under post_mutex_
  std::vector<Task> running_;  ///< kept for its capacity
  std::atomic<bool> has_posted_{false};
  std::atomic<bool> asleep_{false};
  std::atomic<bool> stop_{false};
  std::atomic<std::uint64_t> wakeups_{0};
};

}  // namespace io
