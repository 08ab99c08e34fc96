#pragma once
// The laws of the ledger as objects that can be asked: "does this hold of that state?". They repeat nothing of decide():
// each looks at results alone, so that a bug in deciding cannot hide itself. Tests and the simulator ask all of them
// after every command; production asks whole states now and then, and the states it loads.

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/ledger/state.h"
#include "model/event.h"

namespace core {

/// A law that does not hold. Our own mistake, always: whoever finds one in production stops the process.
struct Violation {
  std::string_view law;              ///< name of the law, static storage
  std::string sentence;              ///< what is wrong, with numbers; nothing personal
  model::AccountNumber account = 0;  ///< the first account concerned, 0 if none is
};

/// One law. An object watches one state, from its beginning or from the last check() on: some laws remember what they saw.
/// Threads: belongs to the thread of its state.
class Law {
 public:
  virtual ~Law() = default;
  virtual std::string_view name() const = 0;
  /// Looks at everything. Time grows with accounts and open holds.
  virtual std::optional<Violation> check(const State& state) = 0;
  /// Looks at what `events` touched. They are the newest events of `state`, applied already, and every event since the
  /// last call must be among them, in order. Time grows with the events only.
  virtual std::optional<Violation> check_touched(const State& state, std::span<const model::Event> events) = 0;
};

/// Every law there is, each watching a state that is empty so far.
std::vector<std::unique_ptr<Law>> all_laws();

/// The first violation that check() or check_touched() of any law finds.
std::optional<Violation> first_violation(std::span<const std::unique_ptr<Law>> laws, const State& state);
std::optional<Violation> first_violation(std::span<const std::unique_ptr<Law>> laws, const State& state,
                                         std::span<const model::Event> events);

}  // namespace core
