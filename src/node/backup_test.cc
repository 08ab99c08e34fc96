#include "node/backup.h"

#include <string>
#include <string_view>

#include "io/posix_file.h"
#include "io/temporary_directory.h"
#include "store/journal/journal.h"

#include <doctest/doctest.h>

// Copies of a directory that served are in apps/holdfast/service_test.cc, damaged ones in store/journal.

TEST_CASE("what never served has nothing to copy, and the refusal leaves nothing behind") {
  const io::TemporaryDirectory place;
  io::RealFileSystem files;
  io::RealRandom random;
  const node::DataPlace at{.directory = place / "data", .mode = store::DataMode::standard, .master_key_file = {}};
  REQUIRE(node::DataDirectory::create(files, random, at).ok());
  const auto refused = node::back_up(files, at.directory, place / "copy");
  REQUIRE_FALSE(refused.ok());
  CHECK(std::string_view(refused.error().code) == "data_directory_has_no_journal");
  CHECK_FALSE(files.exists(place / "copy").value());
}

TEST_CASE("a directory that was never made cannot be copied") {
  const io::TemporaryDirectory place;
  io::RealFileSystem files;
  const auto refused = node::back_up(files, place / "nothing", place / "copy");
  REQUIRE_FALSE(refused.ok());
  CHECK(std::string_view(refused.error().code) == "data_directory_not_initialized");
}
