#include "io/clock.h"

#include <doctest/doctest.h>

#include <fstream>

#include "io/temporary_directory.h"

TEST_CASE("the real clock reads the machine") {
  auto clock = io::RealClock::open();
  REQUIRE(clock.ok());
  CHECK((*clock)->wall() > base::Instant{1'700'000'000'000'000'000});
  const std::int64_t first = (*clock)->boot_ns();
  CHECK(first > 0);
  CHECK((*clock)->boot_ns() >= first);
  CHECK((*clock)->boot_id() != base::Tag128{});
  CHECK((*clock)->boot_id() == io::RealClock::open().value()->boot_id());
}

TEST_CASE("a machine without a boot id is an error, not a guess") {
  io::TemporaryDirectory dir;
  const auto missing = io::RealClock::open(dir / "none");
  REQUIRE(!missing.ok());
  CHECK(std::string(missing.error().code) == "boot_id_unreadable");
  std::ofstream(dir / "short") << "8b1a9953-c461\n";
  CHECK(!io::RealClock::open(dir / "short").ok());
  std::ofstream(dir / "good") << "00112233-4455-6677-8899-aabbccddeeff\n";
  CHECK(io::RealClock::open(dir / "good").value()->boot_id()[15] == 0xff);
}

TEST_CASE("the simulated clock moves when told, and the boot clock only forward") {
  io::SimulatedClock clock({1000}, 50);
  clock.advance(5);
  CHECK(clock.wall().ns == 1005);
  CHECK(clock.boot_ns() == 55);
  clock.jump_wall(-900);
  CHECK(clock.wall().ns == 105);
  CHECK(clock.boot_ns() == 55);
  const base::Tag128 id = clock.boot_id();
  clock.new_boot();
  CHECK(clock.boot_id() != id);
  CHECK(clock.wall().ns == 105);
}
