#pragma once
// The only door to time. Two readings, never mixed: wall time, which can jump, and the boot clock, which cannot.

#include <cstdint>
#include <memory>
#include <mutex>
#include <string>

#include "base/bytes.h"
#include "base/instant.h"
#include "base/result.h"

namespace io {

/// Calls may come from any thread.
class Clock {
 public:
  virtual ~Clock() = default;

  /// What the system believes the time of day is (CLOCK_REALTIME). May jump in both directions.
  virtual base::Instant wall() = 0;
  /// Nanoseconds since the machine started, time asleep included (CLOCK_BOOTTIME). Never goes back within one boot.
  virtual std::int64_t boot_ns() = 0;
  /// Names the present boot: readings of boot_ns compare only while this stays the same.
  virtual base::Tag128 boot_id() = 0;
};

class RealClock final : public Clock {
 public:
  /// Reads the boot id from `boot_id_file` once. Errors: boot_id_unreadable.
  static base::Result<std::unique_ptr<RealClock>> open(
      const std::string& boot_id_file = "/proc/sys/kernel/random/boot_id");

  base::Instant wall() override;
  std::int64_t boot_ns() override;
  base::Tag128 boot_id() override { return boot_id_; }

 private:
  explicit RealClock(const base::Tag128& boot_id) : boot_id_(boot_id) {}
  base::Tag128 boot_id_;
};

/// Stands still until told otherwise.
class SimulatedClock final : public Clock {
 public:
  explicit SimulatedClock(base::Instant wall = {1'800'000'000'000'000'000}, std::int64_t boot_ns = 1'000'000'000)
      : wall_(wall), boot_ns_(boot_ns) {}

  base::Instant wall() override;
  std::int64_t boot_ns() override;
  base::Tag128 boot_id() override;

  /// Time passes: both readings grow by `ns` (not negative).
  void advance(std::int64_t ns);
  /// Somebody sets the clock: only the wall reading moves, in either direction.
  void jump_wall(std::int64_t ns);
  /// The machine restarts: a new boot id, the boot clock starts near zero, wall time stays.
  void new_boot();

 private:
  std::mutex mutex_;
  base::Instant wall_;
  std::int64_t boot_ns_;
  std::uint64_t boots_ = 1;
};

}  // namespace io
