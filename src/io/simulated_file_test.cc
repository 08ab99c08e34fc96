#include "io/simulated_file.h"

#include <doctest/doctest.h>

#include <set>
#include <thread>

#include "io/clock.h"
#include "io/faulting_file.h"

using base::as_bytes;
using io::CrashMode;
using io::Fault;
using io::OpenMode;

namespace {

using Disk = io::SimulatedFileSystem;

std::string text_of(Disk& disk, const std::string& path) {
  auto bytes = io::read_whole_file(disk, path, 1 << 24);
  return bytes.ok() ? std::string(base::as_text(*bytes)) : std::string("error: ") + bytes.error().code;
}

template <typename R>
std::string code_of(const R& result) {
  REQUIRE(!result.ok());
  return result.error().code;
}

std::unique_ptr<io::File> create(Disk& disk, const std::string& path, const std::string& text = "",
                                 bool durable = true) {
  auto file = disk.open(path, OpenMode::create_new);
  REQUIRE(file.ok());
  REQUIRE((*file)->write_at(0, as_bytes(text)).ok());
  if (durable) {
    REQUIRE((*file)->sync_data().ok());
    REQUIRE(disk.sync_dir(io::directory_of(path)).ok());
  }
  return std::move(*file);
}

}  // namespace

TEST_CASE("the simulated disk is a file system") {
  Disk disk(1);
  REQUIRE(disk.make_dir("/d").ok());
  auto file = create(disk, "/d/a", "hello");
  CHECK(text_of(disk, "d//./a") == "hello");
  CHECK(file->size().value() == 5);
  std::array<std::uint8_t, 4> buffer{};
  CHECK(file->read_at(3, buffer).value() == 2);
  CHECK(file->read_at(9, buffer).value() == 0);
  REQUIRE(file->truncate(2).ok());
  REQUIRE(file->write_at(4, as_bytes("!")).ok());
  CHECK(text_of(disk, "/d/a") == std::string("he\0\0!", 5));
  REQUIRE(file->zero_fill(0, 1000).ok());
  CHECK(file->size().value() == 1000);
  create(disk, "/d/b", "b");
  CHECK(disk.list("/d").value() == std::vector<std::string>{"a", "b"});
  CHECK(disk.list("/").value() == std::vector<std::string>{"d"});
  REQUIRE(disk.rename("/d/b", "/d/a").ok());
  CHECK(text_of(disk, "/d/a") == "b");
  CHECK(disk.exists("/d/b").value() == false);
  disk.set_permissions("/d/a", 0644, false);
  CHECK(disk.info("/d/a").value().mode == 0644);
  CHECK(disk.info("/d/a").value().is_regular);
  CHECK(!disk.info("/d/a").value().owned_by_this_user);
  CHECK(disk.info("/d").value().is_directory);
  REQUIRE(disk.remove("/d/a").ok());
  REQUIRE(disk.remove("/d").ok());
  CHECK(disk.list("/").value().empty());
}

TEST_CASE("the simulated disk refuses with the codes of the real one") {
  Disk disk(1);
  CHECK(code_of(disk.open("x", OpenMode::read_only)) == "file_not_found");
  CHECK(code_of(disk.open("no/x", OpenMode::create_new)) == "file_not_found");
  CHECK(code_of(disk.list("no")) == "file_not_found");
  CHECK(code_of(disk.rename("x", "y")) == "file_not_found");
  CHECK(code_of(disk.remove("x")) == "file_not_found");
  CHECK(code_of(disk.make_dir("no/d")) == "file_not_found");
  CHECK(code_of(disk.sync_dir("no")) == "file_not_found");
  CHECK(code_of(disk.free_space("no")) == "file_not_found");
  CHECK(code_of(disk.info("no")) == "file_not_found");
  CHECK(code_of(disk.lock_exclusive("no/lock")) == "file_not_found");
  REQUIRE(disk.make_dir("d").ok());
  CHECK(code_of(disk.make_dir("d")) == "file_exists");
  CHECK(code_of(disk.open("d", OpenMode::read_only)) == "file_open_failed");
  create(disk, "d/f", "x");
  CHECK(code_of(disk.open("d/f", OpenMode::create_new)) == "file_exists");
  CHECK(code_of(disk.remove("d")) == "file_write_failed");
  create(disk, "top", "x");
  CHECK(code_of(disk.rename("top", "d")) == "file_write_failed");
  auto reader = disk.open("d/f", OpenMode::read_only);
  REQUIRE(reader.ok());
  CHECK(code_of((*reader)->write_at(0, as_bytes("y"))) == "file_write_failed");
  CHECK(code_of((*reader)->truncate(0)) == "file_write_failed");
  auto lock = disk.lock_exclusive("lock");
  REQUIRE(lock.ok());
  CHECK(code_of(disk.lock_exclusive("/lock")) == "data_directory_locked");
  *lock = nullptr;
  CHECK(disk.lock_exclusive("lock").ok());
}

TEST_CASE("a crash takes back what was not synced") {
  Disk disk(1);
  auto file = create(disk, "f", "old");
  REQUIRE(file->write_at(0, as_bytes("new and longer")).ok());
  CHECK(text_of(disk, "f") == "new and longer");
  disk.crash(CrashMode::lose_all);
  CHECK(text_of(disk, "f") == "old");

  auto again = disk.open("f", OpenMode::read_write);
  REQUIRE((*again)->write_at(0, as_bytes("new")).ok());
  REQUIRE((*again)->truncate(2).ok());
  disk.crash(CrashMode::keep_all);
  CHECK(text_of(disk, "f") == "ne");
}

TEST_CASE("a crash kills open files and locks") {
  Disk disk(1);
  auto file = create(disk, "f", "x");
  auto lock = disk.lock_exclusive("lock");
  disk.crash();
  CHECK(code_of(file->write_at(0, as_bytes("y"))) == "file_write_failed");
  CHECK(code_of(file->sync_data()) == "file_sync_failed");
  CHECK(code_of(file->size()) == "file_read_failed");
  CHECK(code_of(file->truncate(0)) == "file_write_failed");
  std::array<std::uint8_t, 1> buffer{};
  CHECK(code_of(file->read_at(0, buffer)) == "file_read_failed");
  auto fresh = disk.lock_exclusive("lock");
  CHECK(fresh.ok());
  *lock = nullptr;  // the dead lock does not release the new one
  CHECK(code_of(disk.lock_exclusive("lock")) == "data_directory_locked");
}

TEST_CASE("names are durable only after sync_dir, and a prefix of their changes survives") {
  Disk disk(1);
  REQUIRE(disk.make_dir("d").ok());
  create(disk, "d/lost", "x", false);
  disk.crash(CrashMode::lose_all);
  CHECK(!disk.exists("d").value());

  REQUIRE(disk.make_dir("d").ok());
  create(disk, "d/a", "x");  // syncs d, but nobody synced the root
  disk.crash(CrashMode::lose_all);
  CHECK(!disk.exists("d").value());
  CHECK(!disk.exists("d/a").value());

  REQUIRE(disk.make_dir("d").ok());
  REQUIRE(disk.sync_dir("/").ok());
  create(disk, "d/a", "x");
  REQUIRE(disk.rename("d/a", "d/b").ok());
  disk.crash(CrashMode::lose_all);
  CHECK(text_of(disk, "d/a") == "x");
  REQUIRE(disk.rename("d/a", "d/b").ok());
  REQUIRE(disk.sync_dir("d").ok());
  disk.crash(CrashMode::lose_all);
  CHECK(disk.list("d").value() == std::vector<std::string>{"b"});

  std::set<std::string> seen;
  for (std::uint64_t seed = 0; seed < 40; ++seed) {
    Disk one(seed);
    create(one, "1", "1");
    REQUIRE(one.rename("1", "2").ok());
    REQUIRE(one.rename("2", "3").ok());
    one.crash();
    const auto names = one.list("/").value();
    REQUIRE(names.size() == 1);  // a rename is atomic: the file is never gone and never there twice
    seen.insert(names[0]);
  }
  CHECK(seen == std::set<std::string>{"1", "2", "3"});
}

TEST_CASE("replace_file survives a crash at any moment: old or new, whole") {
  std::set<std::string> seen;
  for (std::uint64_t call = 1; call < 12; ++call) {
    for (std::uint64_t seed = 0; seed < 30; ++seed) {
      Disk disk(seed);
      const std::string old_text(1500, 'o');
      const std::string new_text(2500, 'n');
      create(disk, "f", old_text);
      disk.faults().fail_call(call, Fault::power_loss);
      const bool done = io::replace_file(disk, "f", as_bytes(new_text)).ok();
      disk.crash();
      const std::string text = text_of(disk, "f");
      REQUIRE((text == old_text || text == new_text));
      if (done) REQUIRE(text == new_text);
      seen.insert(text);
      REQUIRE(io::replace_file(disk, "f", as_bytes("later")).ok());
    }
  }
  CHECK(seen.size() == 2);
}

TEST_CASE("unsynced sectors are torn and reordered, but a sector is whole") {
  bool torn = false;
  bool reordered = false;
  for (std::uint64_t seed = 0; seed < 200; ++seed) {
    Disk disk(seed);
    auto file = create(disk, "f", std::string(4096, '.'));
    REQUIRE(file->write_at(0, as_bytes(std::string(4096, '1'))).ok());
    REQUIRE(file->write_at(0, as_bytes(std::string(4096, '2'))).ok());
    disk.crash();
    const std::string text = text_of(disk, "f");
    REQUIRE(text.size() == 4096);
    std::set<char> kinds;
    for (std::size_t sector = 0; sector < 8; ++sector) {
      const std::string part = text.substr(sector * 512, 512);
      REQUIRE(part == std::string(512, part[0]));
      kinds.insert(part[0]);
    }
    torn = torn || kinds.size() > 1;
    reordered = reordered || kinds.contains('.') == kinds.contains('2');
  }
  CHECK(torn);
  CHECK(reordered);
}

TEST_CASE("the size after a crash is one the file had, and lost sectors are zeros") {
  std::set<std::size_t> sizes;
  bool hole = false;
  for (std::uint64_t seed = 0; seed < 200; ++seed) {
    Disk disk(seed);
    auto file = create(disk, "f", std::string(100, '.'));
    REQUIRE(file->write_at(100, as_bytes(std::string(1000, 'x'))).ok());
    REQUIRE(file->truncate(700).ok());
    REQUIRE(file->write_at(700, as_bytes(std::string(900, 'y'))).ok());
    disk.crash();
    const std::string text = text_of(disk, "f");
    sizes.insert(text.size());
    REQUIRE(text.substr(0, 100) == std::string(100, '.'));
    hole = hole || text.find('\0') != std::string::npos;
  }
  CHECK(sizes == std::set<std::size_t>{100, 700, 1100, 1600});
  CHECK(hole);
}

TEST_CASE("synced data survives every crash") {
  for (std::uint64_t seed = 0; seed < 50; ++seed) {
    Disk disk(seed);
    auto file = create(disk, "f", std::string(3000, 'a'));
    REQUIRE(file->write_at(600, as_bytes(std::string(3000, 'b'))).ok());
    REQUIRE(file->sync_data().ok());
    const io::DurableState promised = disk.durable_state();
    disk.crash();
    CHECK(text_of(disk, "f") == std::string(600, 'a') + std::string(3000, 'b'));
    CHECK(disk.durable_state() == promised);
  }
}

TEST_CASE("the same seed gives the same disaster") {
  const auto run = [](std::uint64_t seed) {
    Disk disk(seed);
    auto file = create(disk, "f", std::string(8192, '.'));
    for (int i = 0; i < 20; ++i) {
      const auto at = static_cast<std::uint64_t>(i) * 300;
      REQUIRE(file->write_at(at, as_bytes(std::string(1000, static_cast<char>('a' + i)))).ok());
    }
    disk.crash();
    return disk.durable_state();
  };
  CHECK(run(7) == run(7));
  bool differs = false;
  for (std::uint64_t seed = 0; seed < 10; ++seed) differs = differs || !(run(seed) == run(7));
  CHECK(differs);
}

TEST_CASE("a failed sync drops the data and the next one lies, as on Linux") {
  bool lost = false;
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    Disk disk(seed);
    auto file = create(disk, "f", "old");
    REQUIRE(file->write_at(0, as_bytes("new")).ok());
    disk.faults().fail_next_sync();
    CHECK(code_of(file->sync_data()) == "file_sync_failed");
    CHECK(text_of(disk, "f") == "new");
    CHECK(file->sync_data().ok());
    disk.crash(CrashMode::keep_all);
    lost = lost || text_of(disk, "f") == "old";
  }
  CHECK(lost);
  Disk disk(1);
  disk.faults().fail_next_sync();
  CHECK(code_of(disk.sync_dir("/")) == "file_sync_failed");
}

TEST_CASE("a full disk takes what fits and says disk_full") {
  Disk disk(1);
  disk.set_capacity(1000);
  auto file = create(disk, "f", std::string(600, 'x'));
  CHECK(disk.free_space("/").value() == 400);
  CHECK(code_of(file->write_at(500, as_bytes(std::string(600, 'y')))) == "disk_full");
  CHECK(file->size().value() == 1000);
  CHECK(file->write_at(0, as_bytes(std::string(1000, 'z'))).ok());  // overwriting needs no space
  CHECK(code_of(file->truncate(1001)) == "disk_full");
  disk.set_capacity(10);
  CHECK(disk.free_space("/").value() == 0);
  CHECK(code_of(file->write_at(1000, as_bytes("z"))) == "disk_full");
  REQUIRE(file->truncate(5).ok());
  CHECK(file->write_at(5, as_bytes("12345")).ok());
}

TEST_CASE("flipped bits are there for readers, on the medium and after a sync") {
  Disk disk(1);
  auto file = create(disk, "f", "aaaa");
  REQUIRE(file->write_at(0, as_bytes("aa")).ok());
  REQUIRE(disk.flip_bit("f", 1, 1));
  CHECK(text_of(disk, "f") == "acaa");
  REQUIRE(file->sync_data().ok());
  disk.crash(CrashMode::lose_all);
  CHECK(text_of(disk, "f") == "acaa");
  CHECK(!disk.flip_bit("f", 4, 0));
  CHECK(!disk.flip_bit("none", 0, 0));
}

TEST_CASE("lost and flipped writes report success and show after the page cache is gone") {
  Disk disk(3);
  auto file = create(disk, "f", "aaaa");
  disk.faults().fail_call(1, Fault::lost_write);
  REQUIRE(file->write_at(2, as_bytes("bbbb")).ok());
  REQUIRE(file->sync_data().ok());
  CHECK(text_of(disk, "f") == "aabbbb");
  disk.crash();
  CHECK(text_of(disk, "f") == std::string("aaaa\0\0", 6));

  auto again = disk.open("f", OpenMode::read_write);
  disk.faults().fail_call(1, Fault::flipped_write);
  REQUIRE((*again)->write_at(0, as_bytes("cccccc")).ok());
  REQUIRE((*again)->sync_data().ok());
  CHECK(text_of(disk, "f") == "cccccc");
  disk.crash();
  const std::string text = text_of(disk, "f");
  int wrong_bits = 0;
  for (const char c : text) wrong_bits += __builtin_popcount(static_cast<unsigned>(c ^ 'c'));
  CHECK(wrong_bits == 1);
}

TEST_CASE("after a power loss everything fails until the machine is back") {
  Disk disk(3);
  auto file = create(disk, "f", "a");
  disk.faults().fail_call(1, Fault::power_loss);
  CHECK(code_of(file->write_at(0, as_bytes("b"))) == "file_write_failed");
  CHECK(code_of(file->sync_data()) == "file_sync_failed");
  CHECK(code_of(disk.open("f", OpenMode::read_only)) == "file_open_failed");
  disk.crash();
  CHECK(disk.open("f", OpenMode::read_only).ok());
}

TEST_CASE("fail the k-th call until none is left: every call can fail, with the code of its kind") {
  const std::set<std::string> known = {"file_open_failed", "file_read_failed", "file_write_failed", "file_sync_failed"};
  const auto everything = [](io::FileSystem& disk) -> base::Status {
    TRY(disk.make_dir("d"));
    TRY(disk.sync_dir("/"));
    TRY_ASSIGN(auto lock, disk.lock_exclusive("d/lock"));
    TRY_ASSIGN(auto file, disk.open("d/f", OpenMode::create_new));
    TRY(file->zero_fill(0, 1024));
    TRY(file->write_at(0, as_bytes("hello")));
    TRY(file->sync_data());
    TRY(file->truncate(5));
    TRY_ASSIGN(auto size, file->size());
    REQUIRE(size == 5);
    std::array<std::uint8_t, 5> buffer{};
    TRY_ASSIGN(auto n, file->read_at(0, buffer));
    REQUIRE(n == 5);
    TRY(disk.rename("d/f", "d/g"));
    TRY_ASSIGN(auto there, disk.exists("d/g"));
    REQUIRE(there);
    TRY_ASSIGN(auto info, disk.info("d/g"));
    REQUIRE(info.size == 5);
    TRY_ASSIGN(auto names, disk.list("d"));
    REQUIRE(names.size() == 2);
    TRY_ASSIGN(auto space, disk.free_space("d"));
    REQUIRE(space > 0);
    return disk.remove("d/g");
  };
  for (const bool decorated : {false, true}) {
    std::uint64_t k = 0;
    while (true) {
      ++k;
      REQUIRE(k < 100);
      Disk disk(k);
      io::FaultingFileSystem above(disk);
      io::CallFaults& faults = decorated ? above.faults() : disk.faults();
      io::FileSystem& files = decorated ? static_cast<io::FileSystem&>(above) : disk;
      faults.fail_call(k, Fault::io_error);
      const base::Status status = everything(files);
      if (faults.delivered() == 0) {
        CHECK(status.ok());
        CHECK(faults.calls() == k - 1);
        break;
      }
      REQUIRE(!status.ok());
      CHECK(known.contains(status.error().code));
    }
    CHECK(k == 17);
  }
}

TEST_CASE("the decorator tears, flips, loses and fills") {
  Disk disk(1);
  io::FaultingFileSystem above(disk);
  auto file = above.open("f", OpenMode::create_new);
  REQUIRE(file.ok());
  CHECK((*file)->path() == "f");
  above.faults().fail_call(1, Fault::torn_write);
  CHECK(code_of((*file)->write_at(0, as_bytes("12345678"))) == "file_write_failed");
  CHECK(text_of(disk, "f") == "1234");
  above.faults().fail_call(1, Fault::flipped_write);
  CHECK((*file)->write_at(0, as_bytes("abcd")).ok());
  CHECK(text_of(disk, "f") == "absd");
  above.faults().fail_call(1, Fault::lost_write);
  CHECK((*file)->write_at(0, as_bytes("zzzz")).ok());
  CHECK(text_of(disk, "f") == "absd");
  above.faults().fail_calls_from(1, Fault::disk_full);
  CHECK(code_of((*file)->write_at(0, as_bytes("q"))) == "disk_full");
  CHECK(code_of(above.make_dir("d")) == "disk_full");
  CHECK((*file)->size().ok());  // needs no space
  above.faults().clear();
  CHECK((*file)->write_at(0, as_bytes("q")).ok());
}

TEST_CASE("a slow disk tells its time to the clock") {
  Disk disk(1);
  io::SimulatedClock clock;
  const std::int64_t start = clock.boot_ns();
  io::DiskSpeed speed;
  speed.write_ns = 10;
  speed.sync_ns = 1000;
  speed.ns_per_kib = 4;
  speed.spent = [&](std::int64_t ns) { clock.advance(ns); };
  disk.set_speed(speed);
  auto file = disk.open("f", OpenMode::create_new);
  REQUIRE((*file)->write_at(0, as_bytes(std::string(2048, 'x'))).ok());
  REQUIRE((*file)->sync_data().ok());
  CHECK(clock.boot_ns() - start == 10 + 8 + 1000);
}

TEST_CASE("a durable state can be carried to another disk") {
  Disk disk(1);
  REQUIRE(disk.make_dir("d").ok());
  REQUIRE(disk.sync_dir("/").ok());
  auto file = create(disk, "d/f", "safe");
  REQUIRE(file->write_at(0, as_bytes("lost")).ok());
  Disk copy(2);
  create(copy, "other", "x");
  copy.install(disk.durable_state());
  CHECK(text_of(copy, "d/f") == "safe");
  CHECK(!copy.exists("other").value());
  CHECK(copy.durable_state() == disk.durable_state());
}

TEST_CASE("the simulated disk takes calls from several threads") {
  Disk disk(1);
  auto file = create(disk, "f", std::string(4096, '.'));
  std::thread writer([&] {
    for (int i = 0; i < 200; ++i) (void)file->write_at(0, as_bytes("threads"));
  });
  for (int i = 0; i < 50; ++i) (void)file->sync_data();
  writer.join();
  CHECK(text_of(disk, "f").substr(0, 7) == "threads");
}
