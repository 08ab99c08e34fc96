#pragma once
// Which call fails, and how: the plan shared by the simulated disk and the decorator over a real one. Every call of
// FileSystem and File counts one, so that a test can fail call 1, 2, 3... until a run succeeds without meeting one.

#include <atomic>
#include <cstdint>
#include <map>
#include <mutex>
#include <optional>

namespace io {

enum class Fault {
  io_error,       ///< the call fails and has done nothing; a sync loses what it should have saved
  disk_full,      ///< a call that needs space fails with disk_full; any other call is not disturbed
  torn_write,     ///< a write stores a part and fails; any other call fails like io_error
  lost_write,     ///< a write reports success and never reaches the medium; any other call is not disturbed
  flipped_write,  ///< a write reports success, one bit on the medium is wrong; any other call is not disturbed
  power_loss,     ///< this call fails, having done all, a part or nothing; every call after it fails too
};

enum class CallKind { read, write, sync, names, resize };

/// Thread-safe. Numbers of calls count from 1 = the next call.
class CallFaults {
 public:
  /// The k-th call from now has this fault, once.
  void fail_call(std::uint64_t k, Fault fault);
  /// The k-th call from now and all after it.
  void fail_calls_from(std::uint64_t k, Fault fault);
  /// The next sync (of data or of a directory) fails with io_error, once, whatever its number.
  void fail_next_sync();
  /// Forgets all plans, a power loss included.
  void clear();

  /// Calls made so far.
  std::uint64_t calls() const;
  /// Faults that were actually delivered so far.
  std::uint64_t delivered() const;

  /// Counts a call; what is to happen to it, if anything. For implementations of FileSystem.
  std::optional<Fault> next(CallKind kind);

 private:
  mutable std::mutex mutex_;
  std::uint64_t calls_ = 0;
  std::uint64_t delivered_ = 0;
  std::map<std::uint64_t, Fault> planned_;
  std::optional<std::pair<std::uint64_t, Fault>> from_;
  bool fail_next_sync_ = false;
  bool power_lost_ = false;
};

}  // namespace io
