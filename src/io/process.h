#pragma once
// What the process is told from outside: signals, and whether a person is watching.

#include <functional>
#include <initializer_list>
#include <memory>
#include <optional>

#include "base/result.h"
#include "io/loop.h"

namespace io {

/// Writing to a connection the peer has closed becomes an error instead of the end of the process. Once, at the start.
void ignore_broken_pipes();

/// Whether a terminal is behind a descriptor (1 is standard output).
bool is_terminal(int fd);
/// Columns of the terminal behind `fd`; nothing if there is none.
std::optional<int> terminal_columns(int fd);

/// Signals as events of a loop. Blocks them for the calling thread and all it starts later, so it belongs before the
/// first thread; unblocks them when destroyed.
class SignalWatch final : public EventHandler {
 public:
  /// `on_signal` runs on the loop's thread with the signal's number. The loop must outlive the watch.
  /// Errors: signals_not_watchable.
  static base::Result<std::unique_ptr<SignalWatch>> open(Loop& loop, std::initializer_list<int> signals,
                                                         std::function<void(int)> on_signal);
  ~SignalWatch() override;
  void on_readable() override;
  void on_writable() override {}

 private:
  SignalWatch(Loop& loop, std::vector<int> signals, std::function<void(int)> on_signal)
      : loop_(loop), signals_(std::move(signals)), on_signal_(std::move(on_signal)) {}

  Loop& loop_;
  std::vector<int> signals_;
  std::function<void(int)> on_signal_;
  Descriptor fd_;
};

}  // namespace io
