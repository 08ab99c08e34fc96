#include "io/clock.h"

#include <ctime>
#include <fstream>
#include <utility>

#include "base/check.h"
#include "base/text.h"

namespace io {

namespace {

std::int64_t read_clock(clockid_t id) {
  timespec now{};
  CHECK(::clock_gettime(id, &now) == 0);
  return static_cast<std::int64_t>(now.tv_sec) * 1'000'000'000 + now.tv_nsec;
}

}  // namespace

base::Result<std::unique_ptr<RealClock>> RealClock::open(const std::string& boot_id_file) {
  std::ifstream in(boot_id_file);
  std::string text;
  std::getline(in, text);
  std::erase(text, '-');
  const auto bytes = base::parse_hex(text);
  if (!bytes || bytes->size() != 16) {
    return base::Error{"boot_id_unreadable", "\"" + boot_id_file + "\" does not hold a boot id (32 hex digits)"};
  }
  base::Tag128 id{};
  std::copy(bytes->begin(), bytes->end(), id.begin());
  return std::unique_ptr<RealClock>(new RealClock(id));
}

base::Instant RealClock::wall() { return {read_clock(CLOCK_REALTIME)}; }
std::int64_t RealClock::boot_ns() { return read_clock(CLOCK_BOOTTIME); }

base::Instant SimulatedClock::wall() {
  std::lock_guard lock(mutex_);
  return wall_;
}

std::int64_t SimulatedClock::boot_ns() {
  std::lock_guard lock(mutex_);
  return boot_ns_;
}

base::Tag128 SimulatedClock::boot_id() {
  std::lock_guard lock(mutex_);
  base::Tag128 id{};
  base::store_le(id.data(), boots_);
  return id;
}

void SimulatedClock::advance(std::int64_t ns) {
  CHECK_THAT(ns >= 0, "time does not run backwards");
  std::lock_guard lock(mutex_);
  wall_.ns += ns;
  boot_ns_ += ns;
}

void SimulatedClock::jump_wall(std::int64_t ns) {
  std::lock_guard lock(mutex_);
  wall_.ns += ns;
}

void SimulatedClock::new_boot() {
  std::lock_guard lock(mutex_);
  ++boots_;
  boot_ns_ = 1'000'000'000;
}

}  // namespace io
