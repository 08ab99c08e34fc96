#include "io/posix_file.h"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <fstream>

#include "io/descriptor.h"
#include "io/temporary_directory.h"

using base::as_bytes;
using io::OpenMode;

namespace {

std::string text_of(io::FileSystem& files, const std::string& path) {
  auto bytes = io::read_whole_file(files, path, 1 << 20);
  REQUIRE(bytes.ok());
  return std::string(base::as_text(*bytes));
}

template <typename R>
std::string code_of(const R& result) {
  REQUIRE(!result.ok());
  return result.error().code;
}

}  // namespace

TEST_CASE("a file keeps what was written, where it was written") {
  io::TemporaryDirectory dir;
  io::RealFileSystem files;
  auto file = files.open(dir / "a", OpenMode::create_new);
  REQUIRE(file.ok());
  REQUIRE((*file)->write_at(3, as_bytes("hello")).ok());
  REQUIRE((*file)->sync_data().ok());
  CHECK((*file)->size().value() == 8);
  std::array<std::uint8_t, 16> buffer{};
  CHECK((*file)->read_at(3, buffer).value() == 5);
  CHECK(base::as_text(std::span(buffer).first(5)) == "hello");
  CHECK((*file)->read_at(8, buffer).value() == 0);
  CHECK((*file)->read_at(100, buffer).value() == 0);
  REQUIRE((*file)->truncate(5).ok());
  CHECK(text_of(files, dir / "a") == std::string("\0\0\0he", 5));
  CHECK(files.info(dir / "a").value().mode == 0600);
  CHECK(files.info(dir / "a").value().owned_by_this_user);
  CHECK(files.info(dir / "a").value().is_regular);
  CHECK(files.info(dir.path()).value().is_directory);
}

TEST_CASE("zero_fill allocates real blocks") {
  io::TemporaryDirectory dir;
  io::RealFileSystem files;
  auto file = files.open(dir / "segment", OpenMode::create_new);
  REQUIRE(file.ok());
  REQUIRE((*file)->zero_fill(0, 700'000).ok());
  REQUIRE((*file)->sync_data().ok());
  struct stat status {};
  REQUIRE(::stat((dir / "segment").c_str(), &status) == 0);
  CHECK(status.st_size == 700'000);
  CHECK(status.st_blocks * 512 >= 700'000);
}

TEST_CASE("permissions are those asked for, whatever the umask") {
  io::TemporaryDirectory dir;
  io::RealFileSystem files;
  const mode_t before = ::umask(0777);
  CHECK(files.open(dir / "key", OpenMode::create_new, 0400).ok());
  CHECK(files.make_dir(dir / "d", 0750).ok());
  ::umask(before);
  CHECK(files.info(dir / "key").value().mode == 0400);
  CHECK(files.info(dir / "d").value().mode == 0750);
}

TEST_CASE("names: list, rename, remove, exists") {
  io::TemporaryDirectory dir;
  io::RealFileSystem files;
  REQUIRE(files.make_dir(dir / "d").ok());
  for (const char* name : {"c", "a", "b"})
    REQUIRE(files.open(io::join_path(dir / "d", name), OpenMode::create_new).ok());
  CHECK(files.list(dir / "d").value() == std::vector<std::string>{"a", "b", "c"});
  REQUIRE(files.rename(dir / "d/a", dir / "d/c").ok());
  REQUIRE(files.sync_dir(dir / "d").ok());
  CHECK(files.list(dir / "d").value() == std::vector<std::string>{"b", "c"});
  CHECK(!files.exists(dir / "d/a").value());
  CHECK(files.exists(dir / "d/b").value());
  CHECK(code_of(files.remove(dir / "d")) == "file_write_failed");
  REQUIRE(files.remove(dir / "d/b").ok());
  REQUIRE(files.remove(dir / "d/c").ok());
  REQUIRE(files.remove(dir / "d").ok());
  CHECK(files.free_space(dir.path()).value() > 0);
}

TEST_CASE("every refusal has its code and names the file") {
  io::TemporaryDirectory dir;
  io::RealFileSystem files;
  const std::string missing = dir / "missing";
  CHECK(code_of(files.open(missing, OpenMode::read_only)) == "file_not_found");
  CHECK(files.open(missing, OpenMode::read_only).error().message.find(missing) != std::string::npos);
  CHECK(code_of(files.open(missing + "/x", OpenMode::create_new)) == "file_not_found");
  CHECK(code_of(files.list(missing)) == "file_not_found");
  CHECK(code_of(files.rename(missing, dir / "y")) == "file_not_found");
  CHECK(code_of(files.remove(missing)) == "file_not_found");
  CHECK(code_of(files.sync_dir(missing)) == "file_not_found");
  CHECK(code_of(files.free_space(missing)) == "file_not_found");
  CHECK(code_of(files.info(missing)) == "file_not_found");
  CHECK(code_of(files.lock_exclusive(missing + "/lock")) == "file_not_found");
  CHECK(code_of(files.make_dir(missing + "/d")) == "file_not_found");
  CHECK(code_of(files.make_dir(dir.path())) == "file_exists");
  CHECK(code_of(files.open(dir.path(), OpenMode::read_only)) == "file_open_failed");
  CHECK(code_of(files.exists(dir / std::string(300, 'n'))) == "file_read_failed");

  REQUIRE(files.open(dir / "f", OpenMode::create_new).ok());
  CHECK(code_of(files.open(dir / "f", OpenMode::create_new)) == "file_exists");
  auto readable = files.open(dir / "f", OpenMode::read_only);
  REQUIRE(readable.ok());
  CHECK(code_of((*readable)->write_at(0, as_bytes("x"))) == "file_write_failed");
  CHECK((*readable)->write_at(7, as_bytes("x")).error().message.find("offset 7") != std::string::npos);
  CHECK(code_of((*readable)->truncate(1)) == "file_write_failed");

  // Reading a process's memory at an unmapped address fails as a damaged disk does.
  auto memory = files.open("/proc/self/mem", OpenMode::read_only);
  REQUIRE(memory.ok());
  std::array<std::uint8_t, 8> buffer{};
  CHECK(code_of((*memory)->read_at(0, buffer)) == "file_read_failed");
  // /proc offers no sync.
  CHECK(code_of((*memory)->sync_data()) == "file_sync_failed");
  CHECK(code_of(files.sync_dir("/proc/self")) == "file_sync_failed");
}

TEST_CASE("a pipe is refused at once instead of waited for") {
  io::TemporaryDirectory dir;
  io::RealFileSystem files;
  REQUIRE(::mkfifo((dir / "pipe").c_str(), 0600) == 0);
  CHECK(code_of(files.open(dir / "pipe", OpenMode::read_only)) == "file_open_failed");
}

TEST_CASE("permissions that forbid are told from absence") {
  // The superuser is not bound by permissions, so a child without that privilege asks.
  io::TemporaryDirectory dir;
  io::RealFileSystem files;
  REQUIRE(files.make_dir(dir / "closed", 0700).ok());
  REQUIRE(files.open(dir / "closed/f", OpenMode::create_new).ok());
  REQUIRE(::chmod((dir / "closed").c_str(), 0) == 0);
  const pid_t child = ::fork();
  if (child == 0) {
    if (::geteuid() == 0 && ::setuid(65534) != 0) ::_exit(9);
    const auto opened = files.open(dir / "closed/f", OpenMode::read_only);
    const auto asked = files.exists(dir / "closed/f");
    const bool right = !opened.ok() && std::string_view(opened.error().code) == "file_access_denied" && !asked.ok() &&
                       std::string_view(asked.error().code) == "file_access_denied";
    ::_exit(right ? 0 : 1);
  }
  int status = -1;
  REQUIRE(::waitpid(child, &status, 0) == child);
  CHECK(status == 0);
  ::chmod((dir / "closed").c_str(), 0700);
}

TEST_CASE("a full disk is disk_full") {
  io::TemporaryDirectory dir;
  const pid_t child = ::fork();
  if (child == 0) {
    // A small file system of its own, seen by this child only.
    if (::unshare(CLONE_NEWNS) != 0) {
      const std::string map = "0 " + std::to_string(::geteuid()) + " 1";
      if (::unshare(CLONE_NEWUSER | CLONE_NEWNS) != 0) ::_exit(77);
      if (!(std::ofstream("/proc/self/uid_map") << map << std::flush)) ::_exit(77);
    }
    if (::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0) ::_exit(77);
    if (::mount("tmpfs", dir.path().c_str(), "tmpfs", 0, "size=64k,mode=1777") != 0) ::_exit(77);
    io::RealFileSystem files;
    auto file = files.open(dir / "f", OpenMode::create_new);
    if (!file.ok()) ::_exit(2);
    const auto filled = (*file)->zero_fill(0, 1 << 20);
    ::_exit(!filled.ok() && std::string_view(filled.error().code) == "disk_full" ? 0 : 1);
  }
  int status = -1;
  REQUIRE(::waitpid(child, &status, 0) == child);
  if (WEXITSTATUS(status) == 77) {
    MESSAGE("skipped: no small file system can be mounted here");
  } else {
    CHECK(status == 0);
  }
}

TEST_CASE("a short write is continued and its failure names the place") {
  io::TemporaryDirectory dir;
  io::RealFileSystem files;
  auto file = files.open(dir / "f", OpenMode::create_new);
  REQUIRE(file.ok());
  rlimit before{};
  REQUIRE(::getrlimit(RLIMIT_FSIZE, &before) == 0);
  rlimit small = before;
  small.rlim_cur = 1000;
  ::signal(SIGXFSZ, SIG_IGN);
  REQUIRE(::setrlimit(RLIMIT_FSIZE, &small) == 0);
  const base::Bytes block(4000, 7);
  const auto written = (*file)->write_at(0, block);
  REQUIRE(::setrlimit(RLIMIT_FSIZE, &before) == 0);
  ::signal(SIGXFSZ, SIG_DFL);
  CHECK(code_of(written) == "file_write_failed");
  // The kernel took the part that fitted and then refused: a short write was noticed and continued.
  CHECK((*file)->size().value() == 1000);
  CHECK(written.error().message.find("offset 1000") != std::string::npos);
  CHECK(code_of(files.open("/dev/full", OpenMode::read_write)) == "file_open_failed");  // a device, not a file
}

TEST_CASE("the lock refuses a second holder, in this and in another process") {
  io::TemporaryDirectory dir;
  io::RealFileSystem files;
  auto lock = files.lock_exclusive(dir / "lock");
  REQUIRE(lock.ok());
  const auto second = files.lock_exclusive(dir / "lock");
  CHECK(code_of(second) == "data_directory_locked");
  CHECK(second.error().message.find("process " + std::to_string(::getpid())) != std::string::npos);
  const pid_t child = ::fork();
  if (child == 0) ::_exit(files.lock_exclusive(dir / "lock").ok() ? 1 : 0);
  int status = -1;
  REQUIRE(::waitpid(child, &status, 0) == child);
  CHECK(status == 0);
  *lock = nullptr;
  CHECK(files.lock_exclusive(dir / "lock").ok());
}

TEST_CASE("replace_file replaces whole, also over the leftovers of a crash") {
  io::TemporaryDirectory dir;
  io::RealFileSystem files;
  REQUIRE(io::replace_file(files, dir / "c", as_bytes("one")).ok());
  REQUIRE(files.open(dir / "c.new", OpenMode::create_new).ok());
  REQUIRE(io::replace_file(files, dir / "c", as_bytes("two"), 0640).ok());
  CHECK(text_of(files, dir / "c") == "two");
  CHECK(files.info(dir / "c").value().mode == 0640);
  CHECK(files.list(dir.path()).value() == std::vector<std::string>{"c"});
}

TEST_CASE("read_whole_file respects its limit exactly") {
  io::TemporaryDirectory dir;
  io::RealFileSystem files;
  const std::string big(10'000, 'x');
  REQUIRE(io::replace_file(files, dir / "big", as_bytes(big)).ok());
  CHECK(io::read_whole_file(files, dir / "big", 10'000).value().size() == 10'000);
  CHECK(code_of(io::read_whole_file(files, dir / "big", 9'999)) == "file_too_large");
  CHECK(code_of(io::read_whole_file(files, dir / "none", 10)) == "file_not_found");
  // A file that claims to have no size.
  CHECK(!io::read_whole_file(files, "/proc/self/status", 1 << 20).value().empty());
  REQUIRE(io::replace_file(files, dir / "empty", {}).ok());
  CHECK(io::read_whole_file(files, dir / "empty", 0).value().empty());
}

TEST_CASE("paths") {
  CHECK(io::directory_of("a/b") == "a");
  CHECK(io::directory_of("b") == ".");
  CHECK(io::directory_of("/b") == "/");
  CHECK(io::join_path("a", "b") == "a/b");
  CHECK(io::join_path("a/", "b") == "a/b");
}

TEST_CASE("a descriptor has one owner") {
  int ends[2];
  REQUIRE(::pipe(ends) == 0);
  io::Descriptor first(ends[0]);
  io::Descriptor writer(ends[1]);
  io::Descriptor second = std::move(first);
  CHECK(second.get() == ends[0]);
  second = io::Descriptor();
  CHECK(::fcntl(ends[0], F_GETFD) == -1);
}
