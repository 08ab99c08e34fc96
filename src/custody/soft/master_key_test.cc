#include "custody/soft/master_key.h"

#include <doctest/doctest.h>

#include <string>

#include "base/text.h"
#include "custody/soft/test_random.h"
#include "io/simulated_file.h"

using custody::MasterKey;
using custody::MasterKeyPlace;

namespace {

const MasterKeyPlace place{"/etc/holdfast/master.key", "/var/lib/holdfast"};
const std::string counted = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";

struct Machine {
  io::SimulatedFileSystem files{1};
  custody::CountingRandom random;
  Machine() {
    for (const char* directory : {"/etc", "/etc/holdfast", "/var", "/var/lib", "/var/lib/holdfast"}) {
      REQUIRE(files.make_dir(directory).ok());
      REQUIRE(files.sync_dir(io::directory_of(directory)).ok());
    }
  }
  void write(const std::string& content) {
    REQUIRE(io::replace_file(files, place.path, base::as_bytes(content), 0400).ok());
  }
};

template <typename T>
std::string code(const base::Result<T>& result) {
  return result.ok() ? "" : result.error().code;
}

}  // namespace

TEST_CASE("a master key is made once, durably, for its owner alone, and read back") {
  Machine machine;
  {
    const auto made = MasterKey::create(machine.files, machine.random, place);
    REQUIRE(made.ok());
    CHECK(base::to_hex(made->bytes()) == counted);
  }
  machine.files.crash(io::CrashMode::lose_all);
  const auto content = io::read_whole_file(machine.files, place.path, 1000);
  REQUIRE(content.ok());
  CHECK(base::as_text(*content) == "holdfast-master-key-1 " + counted + "\n");
  CHECK(machine.files.info(place.path)->mode == 0400);

  const auto loaded = MasterKey::load(machine.files, place);
  REQUIRE(loaded.ok());
  CHECK(base::to_hex(loaded->bytes()) == counted);
  // HKDF-SHA-256(key, no salt, "holdfast master key id"), first 8 bytes; computed apart from this program.
  CHECK(base::to_hex(loaded->id()) == "acb3588a6b11fffa");
  CHECK(code(MasterKey::create(machine.files, machine.random, place)) == "master_key_exists");
}

TEST_CASE("a master key inside the data directory is refused, however the path is written, except for development") {
  Machine machine;
  for (const char* path : {"/var/lib/holdfast/master.key", "/var/lib/holdfast/dev/master.key",
                           "/var/lib/../lib/holdfast/./master.key", "//var/lib/holdfast//master.key"}) {
    for (const char* directory : {"/var/lib/holdfast", "/var/lib/holdfast/", "/var//lib/x/../holdfast"}) {
      CHECK(code(MasterKey::load(machine.files, {path, directory})) == "master_key_inside_data_directory");
      CHECK(code(MasterKey::create(machine.files, machine.random, {path, directory})) ==
            "master_key_inside_data_directory");
    }
  }
  CHECK(code(MasterKey::load(machine.files, {"/var/lib/holdfast-keys/master.key", "/var/lib/holdfast"})) ==
        "master_key_missing");
  const MasterKeyPlace inside{"/var/lib/holdfast/master.key", "/var/lib/holdfast", true};
  CHECK(MasterKey::create(machine.files, machine.random, inside).ok());
  CHECK(MasterKey::load(machine.files, inside).ok());
}

TEST_CASE("paths that cannot be compared are refused") {
  Machine machine;
  for (const MasterKeyPlace& relative :
       {MasterKeyPlace{"master.key", "/data"}, MasterKeyPlace{"/master.key", "data"}, MasterKeyPlace{"", ""}}) {
    CHECK(code(MasterKey::load(machine.files, relative)) == "master_key_path_not_absolute");
    CHECK(code(MasterKey::create(machine.files, machine.random, relative)) == "master_key_path_not_absolute");
  }
}

TEST_CASE("a missing master key is named") {
  Machine machine;
  CHECK(code(MasterKey::load(machine.files, place)) == "master_key_missing");
}

TEST_CASE("a master key that others can use is refused") {
  Machine machine;
  REQUIRE(MasterKey::create(machine.files, machine.random, place).ok());
  for (const std::uint32_t mode : {0400u, 0600u, 0700u}) {
    machine.files.set_permissions(place.path, mode, true);
    CHECK(MasterKey::load(machine.files, place).ok());
  }
  for (const std::uint32_t mode : {0440u, 0404u, 0420u, 0401u, 0644u, 0660u, 0777u}) {
    machine.files.set_permissions(place.path, mode, true);
    CHECK(code(MasterKey::load(machine.files, place)) == "master_key_permissions_too_open");
  }
}

TEST_CASE("root may own the file and let a group read it, nobody else may own it") {
  io::FileInfo info{.mode = 0440, .owner = 0, .is_regular = true, .owned_by_this_user = false};
  CHECK(custody::check_master_key_file(info, "f").ok());
  for (const std::uint32_t mode : {0460u, 0450u, 0444u, 0442u, 0441u}) {
    info.mode = mode;
    CHECK(code(custody::check_master_key_file(info, "f")) == "master_key_permissions_too_open");
  }
  info = {.mode = 0400, .owner = 1001, .is_regular = true, .owned_by_this_user = false};
  CHECK(code(custody::check_master_key_file(info, "f")) == "master_key_owned_by_another");
}

TEST_CASE("a directory is not a master key") {
  Machine machine;
  REQUIRE(machine.files.make_dir(place.path).ok());
  CHECK(code(MasterKey::load(machine.files, place)) == "master_key_not_a_file");
}

TEST_CASE("anything but the one line is refused") {
  Machine machine;
  const std::string good = "holdfast-master-key-1 " + counted + "\n";
  machine.write(good);
  CHECK(MasterKey::load(machine.files, place).ok());
  std::string upper = good;
  upper[upper.find('a', 22)] = 'A';
  for (const std::string& bad :
       {std::string(), good.substr(0, good.size() - 1), good + "\n", upper, "x" + good.substr(1),
        "holdfast-master-key-2 " + counted + "\n", std::string(good.size(), 'a'),
        good.substr(0, 40) + "g" + good.substr(41), good + good}) {
    machine.write(bad);
    CHECK(code(MasterKey::load(machine.files, place)) == "master_key_malformed");
  }
}

TEST_CASE("whichever call to the disk fails while a master key is made, the error is told and it can be made later") {
  for (std::uint64_t k = 1;; ++k) {
    Machine machine;
    machine.files.faults().fail_call(k, io::Fault::io_error);
    const auto made = MasterKey::create(machine.files, machine.random, place);
    if (machine.files.faults().delivered() == 0) {
      CHECK(made.ok());
      break;
    }
    CHECK_FALSE(made.ok());
    machine.files.faults().clear();
    if (!MasterKey::load(machine.files, place).ok()) {
      CHECK(MasterKey::create(machine.files, machine.random, place).ok());
      CHECK(MasterKey::load(machine.files, place).ok());
    }
    machine.files.faults().clear();
  }
}

TEST_CASE("a failing disk is not mistaken for a missing or malformed master key") {
  for (std::uint64_t k = 1;; ++k) {
    Machine machine;
    REQUIRE(MasterKey::create(machine.files, machine.random, place).ok());
    machine.files.faults().fail_call(k, io::Fault::io_error);
    const auto loaded = MasterKey::load(machine.files, place);
    if (loaded.ok()) break;
    CHECK(code(loaded).starts_with("file_"));
  }
}
