#include "node/data_directory.h"

#include <doctest/doctest.h>

#include <sys/stat.h>

#include "io/posix_file.h"
#include "io/temporary_directory.h"

namespace node {
namespace {

DataPlace standard(const std::string& directory) {
  return {.directory = directory, .mode = store::DataMode::standard, .master_key_file = {}};
}
DataPlace dev(const std::string& directory) { return {.directory = directory, .mode = store::DataMode::dev, .master_key_file = {}}; }

template <typename T>
std::string code(const base::Result<T>& result) {
  return result.ok() ? "" : result.error().code;
}

}  // namespace

TEST_CASE("a directory that was made opens with the same keys") {
  const io::TemporaryDirectory place;
  io::RealFileSystem files;
  io::RealRandom random;
  const DataPlace at = standard(place / "deep/er/data");
  std::array<std::uint8_t, 32> token{};
  {
    const auto made = DataDirectory::create(files, random, at);
    REQUIRE(code(made) == "");
    token = (*made)->gate_keys().tokens.at(0).key;
    CHECK(files.exists(place / "deep/er/data.master-key").value());
    CHECK_FALSE(files.exists(place / "deep/er/data/dev").value());
    CHECK(files.info(at.directory)->mode == 0700);
  }
  const auto opened = DataDirectory::open(files, at);
  REQUIRE(code(opened) == "");
  CHECK((*opened)->gate_keys().tokens.at(0).key == token);
  CHECK((*opened)->path() == at.directory);
  CHECK(DataDirectory::mode_of(files, at.directory).value() == store::DataMode::standard);
}

TEST_CASE("the lock keeps a second process out") {
  const io::TemporaryDirectory place;
  io::RealFileSystem files;
  io::RealRandom random;
  const DataPlace at = standard(place / "data");
  const auto first = DataDirectory::create(files, random, at);
  REQUIRE(code(first) == "");
  CHECK(code(DataDirectory::open(files, at)) == "data_directory_locked");
  CHECK(code(DataDirectory::create(files, random, at)) == "data_directory_locked");
  CHECK(code(DataDirectory::lock(files, at.directory)) == "data_directory_locked");
}

TEST_CASE("what was never made does not open") {
  const io::TemporaryDirectory place;
  io::RealFileSystem files;
  CHECK(code(DataDirectory::open(files, standard(place / "none"))) == "data_directory_not_initialized");
  CHECK(code(DataDirectory::mode_of(files, place / "none")) == "data_directory_not_initialized");
  CHECK(code(DataDirectory::lock(files, place / "none")) == "data_directory_not_initialized");
  REQUIRE(files.make_dir(place / "other").ok());
  REQUIRE(files.make_dir(place / "other/journal").ok());
  CHECK(code(DataDirectory::open(files, standard(place / "other"))) == "data_format_missing");
}

TEST_CASE("what --dev made opens with --dev only, and the other way round") {
  const io::TemporaryDirectory place;
  io::RealFileSystem files;
  io::RealRandom random;
  REQUIRE(code(DataDirectory::open_or_create(files, random, dev(place / "toy"))) == "");
  REQUIRE(code(DataDirectory::open_or_create(files, random, dev(place / "toy"))) == "");
  CHECK(files.exists(place / "toy/dev/master-key").value());
  CHECK(code(DataDirectory::open(files, standard(place / "toy"))) == "data_directory_is_dev");
  CHECK(code(DataDirectory::create(files, random, standard(place / "toy"))) == "data_directory_is_dev");
  CHECK(DataDirectory::mode_of(files, place / "toy").value() == store::DataMode::dev);
  REQUIRE(code(DataDirectory::create(files, random, standard(place / "real"))) == "");
  CHECK(code(DataDirectory::open(files, dev(place / "real"))) == "data_directory_is_not_dev");
}

TEST_CASE("init is done once, and finished if it died") {
  const io::TemporaryDirectory place;
  io::RealFileSystem files;
  io::RealRandom random;
  const DataPlace at = standard(place / "data");
  REQUIRE(code(DataDirectory::create(files, random, at)) == "");
  CHECK(code(DataDirectory::create(files, random, at)) == "keys_already_present");
  // As if it had died before the last key.
  REQUIRE(files.remove(keys_directory(at.directory) + "/log-signing.1.sealed").ok());
  CHECK(code(DataDirectory::open(files, at)) == "sealed_key_missing");
  CHECK(code(DataDirectory::create(files, random, at)) == "");
  CHECK(code(DataDirectory::open(files, at)) == "");
}

TEST_CASE("the master key: elsewhere, and the right one") {
  const io::TemporaryDirectory place;
  io::RealFileSystem files;
  io::RealRandom random;
  DataPlace at = standard(place / "data");
  at.master_key_file = place / "data/key";
  CHECK(code(DataDirectory::create(files, random, at)) == "master_key_inside_data_directory");
  at.master_key_file = place / "key";
  CHECK(code(DataDirectory::create(files, random, at)) == "");
  at.master_key_file = place / "nowhere";
  CHECK(code(DataDirectory::open(files, at)) == "master_key_missing");
  REQUIRE(code(DataDirectory::create(files, random, standard(place / "other"))) == "");
  at.master_key_file = place / "other.master-key";
  CHECK(code(DataDirectory::open(files, at)) == "sealed_record_of_another_master_key");
  at.master_key_file = place / "key";
  REQUIRE(::chmod(at.master_key_file.c_str(), 0444) == 0);
  CHECK(code(DataDirectory::open(files, at)) == "master_key_permissions_too_open");
}

}  // namespace node
