#pragma once
// The k-th call: a short fixed story is told again and again; the first time the first call of the disk fails, then the
// second, until the story is told without meeting the failure. After each the disk is opened again and everything that was
// acknowledged must be there, once.

#include <cstdint>

#include "sim/twin.h"

namespace sim {

struct KthCallReport {
  Complaint violation;
  std::uint64_t runs = 0;
  std::uint64_t calls = 0;      ///< of one story without a failure
  std::uint64_t stopped = 0;    ///< runs in which the process stopped
};

/// Every call times every kind of failure: io_error, torn_write, disk_full, power_loss.
KthCallReport fail_every_call();

}  // namespace sim
