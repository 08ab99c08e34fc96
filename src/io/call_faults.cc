#include "io/call_faults.h"

namespace io {

namespace {

bool disturbs(Fault fault, CallKind kind) {
  switch (fault) {
    case Fault::io_error:
    case Fault::torn_write:
    case Fault::power_loss:
      return true;
    case Fault::disk_full:
      return kind == CallKind::write || kind == CallKind::names || kind == CallKind::resize;
    case Fault::lost_write:
    case Fault::flipped_write:
      return kind == CallKind::write;
  }
  return false;
}

}  // namespace

void CallFaults::fail_call(std::uint64_t k, Fault fault) {
  std::lock_guard lock(mutex_);
  planned_[calls_ + k] = fault;
}

void CallFaults::fail_calls_from(std::uint64_t k, Fault fault) {
  std::lock_guard lock(mutex_);
  from_ = {calls_ + k, fault};
}

void CallFaults::fail_next_sync() {
  std::lock_guard lock(mutex_);
  fail_next_sync_ = true;
}

void CallFaults::clear() {
  std::lock_guard lock(mutex_);
  planned_.clear();
  from_.reset();
  fail_next_sync_ = false;
  power_lost_ = false;
}

std::uint64_t CallFaults::calls() const {
  std::lock_guard lock(mutex_);
  return calls_;
}

std::uint64_t CallFaults::delivered() const {
  std::lock_guard lock(mutex_);
  return delivered_;
}

std::optional<Fault> CallFaults::next(CallKind kind) {
  std::lock_guard lock(mutex_);
  ++calls_;
  std::optional<Fault> fault;
  if (power_lost_) {
    // Nothing more happens on a machine without power: io_error, not another half-done call.
    fault = Fault::io_error;
  } else if (auto planned = planned_.find(calls_); planned != planned_.end()) {
    fault = planned->second;
    planned_.erase(planned);
  } else if (from_ && calls_ >= from_->first) {
    fault = from_->second;
  } else if (fail_next_sync_ && kind == CallKind::sync) {
    fault = Fault::io_error;
    fail_next_sync_ = false;
  }
  if (!fault || !disturbs(*fault, kind)) return std::nullopt;
  if (*fault == Fault::power_loss) power_lost_ = true;
  ++delivered_;
  return fault;
}

}  // namespace io
