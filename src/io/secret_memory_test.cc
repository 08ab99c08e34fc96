#include "io/secret_memory.h"

#include <doctest/doctest.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>
#include <string>

namespace {

// The sanitizers turn mlock into nothing, so that their shadow memory is not locked.
#ifdef HOLDFAST_SANITIZED
constexpr bool locks_are_real = false;
#else
constexpr bool locks_are_real = true;
#endif

/// What the kernel says about the mapping that holds `address`: the line of /proc/self/smaps that begins with `key`.
std::string mapping_line(const void* address, const std::string& key) {
  std::ifstream maps("/proc/self/smaps");
  std::string line;
  bool inside = false;
  while (std::getline(maps, line)) {
    unsigned long from = 0;
    unsigned long to = 0;
    if (std::sscanf(line.c_str(), "%lx-%lx ", &from, &to) == 2) {
      const auto at = reinterpret_cast<unsigned long>(address);
      inside = at >= from && at < to;
    } else if (inside && line.starts_with(key)) {
      return line;
    }
  }
  return "";
}

}  // namespace

TEST_CASE("secrets live in locked pages that no core dump shows") {
  auto memory = io::SecretMemory::copy_of(base::as_bytes("correct horse"));
  REQUIRE(memory.ok());
  CHECK(base::as_text(memory->view()) == "correct horse");
  const std::string flags = mapping_line(memory->view().data(), "VmFlags:");
  if (flags.empty()) {
    MESSAGE("skipped: this kernel does not tell the flags of a mapping");
  } else {
    CHECK((!locks_are_real || flags.find(" lo") != std::string::npos));
    CHECK(flags.find(" dd") != std::string::npos);
    CHECK(flags.find(" wf") != std::string::npos);
  }
}

TEST_CASE("a secret has one owner") {
  auto first = io::SecretMemory::allocate(32).value();
  CHECK(first.size() == 32);
  for (const std::uint8_t byte : first.view()) CHECK(byte == 0);
  first.bytes()[0] = 7;
  const std::uint8_t* place = first.view().data();
  io::SecretMemory second = std::move(first);
  CHECK(first.empty());
  CHECK(second.view().data() == place);
  second = io::SecretMemory();
  CHECK(second.empty());
  CHECK(io::SecretMemory::allocate(0).value().empty());
}

TEST_CASE("a child process sees zeros, and a neighbour of the secret is not readable") {
  auto memory = io::SecretMemory::copy_of(base::as_bytes("secret")).value();
  const pid_t child = ::fork();
  if (child == 0) ::_exit(memory.view()[0] == 0 ? 0 : 1);
  int status = -1;
  REQUIRE(::waitpid(child, &status, 0) == child);
  CHECK(status == 0);
  int ends[2];
  REQUIRE(::pipe(ends) == 0);
  CHECK(::write(ends[1], memory.view().data() - 1, 1) == -1);
  ::close(ends[0]);
  ::close(ends[1]);
}

TEST_CASE("memory that cannot be had or locked is an error") {
  const auto huge = io::SecretMemory::allocate(std::size_t{1} << 40);
  REQUIRE(!huge.ok());
  CHECK(std::string(huge.error().code) == "secret_memory_unavailable");
  if (!locks_are_real) return;
  const pid_t child = ::fork();
  if (child == 0) {
    // Without privileges the limit binds.
    const rlimit none{0, 0};
    if (::setrlimit(RLIMIT_MEMLOCK, &none) != 0) ::_exit(9);
    if (::geteuid() == 0 && ::setuid(65534) != 0) ::_exit(9);
    const auto refused = io::SecretMemory::allocate(32);
    ::_exit(!refused.ok() && std::string_view(refused.error().code) == "secret_memory_not_lockable" ? 0 : 1);
  }
  int status = -1;
  REQUIRE(::waitpid(child, &status, 0) == child);
  CHECK(status == 0);
}

TEST_CASE("wipe leaves zeros") {
  base::Bytes bytes(100, 9);
  io::wipe(bytes);
  CHECK(bytes == base::Bytes(100, 0));
  io::wipe({});
}
