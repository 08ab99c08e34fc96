#include "base/result.h"

#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <memory>

namespace {

// Uses the project's CHECK, so it stands above doctest's.
void insist(bool condition) { CHECK_THAT(condition, "the test said so"); }
void insist_bare(bool condition) { CHECK(condition); }

}  // namespace

#include <doctest/doctest.h>

using base::Error;
using base::Result;
using base::Status;

namespace {

Result<int> half(int n) {
  if (n % 2 != 0) return Error{"number_is_odd", "there is no half of " + std::to_string(n)};
  return n / 2;
}
Result<std::string> quarter(int n) {
  TRY_ASSIGN(const int once, half(n));
  TRY_ASSIGN(const int twice, half(once));
  return std::to_string(twice);
}
Status both_even(int a, int b) {
  TRY(half(a));
  TRY(half(b));
  return base::ok();
}

// What a child process wrote to standard error before it ended by SIGABRT.
template <typename Act>
std::string last_words(Act act) {
  int ends[2];
  REQUIRE_EQ(pipe(ends), 0);
  const pid_t child = fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    std::signal(SIGABRT, SIG_DFL);
    dup2(ends[1], STDERR_FILENO);
    act();
    _exit(0);
  }
  close(ends[1]);
  std::string words;
  char part[4096];
  for (ssize_t size = 0; (size = read(ends[0], part, sizeof part)) > 0;) words.append(part, static_cast<std::size_t>(size));
  close(ends[0]);
  int status = 0;
  REQUIRE_EQ(waitpid(child, &status, 0), child);
  CHECK(WIFSIGNALED(status));
  CHECK_EQ(WTERMSIG(status), SIGABRT);
  return words;
}

}  // namespace

TEST_CASE("a result is a value or an error") {
  const auto good = half(4);
  REQUIRE(good.ok());
  CHECK(static_cast<bool>(good));
  CHECK_EQ(*good, 2);
  const auto bad = half(3);
  REQUIRE(!bad.ok());
  CHECK_EQ(std::string(bad.error().code), "number_is_odd");
  CHECK_EQ(bad.error().message, "there is no half of 3");
}

TEST_CASE("errors travel up through TRY and TRY_ASSIGN") {
  CHECK_EQ(*quarter(8), "2");
  CHECK_EQ(quarter(8)->size(), 1);
  CHECK_EQ(quarter(6).error().message, "there is no half of 3");
  CHECK_EQ(quarter(5).error().message, "there is no half of 5");
  CHECK(both_even(2, 4).ok());
  CHECK_EQ(both_even(2, 5).error().message, "there is no half of 5");
  CHECK_EQ(both_even(1, 5).error().message, "there is no half of 1");
}

TEST_CASE("values that only move") {
  Result<std::unique_ptr<int>> result = std::make_unique<int>(5);
  const std::unique_ptr<int> taken = *std::move(result);
  CHECK_EQ(*taken, 5);
}

TEST_CASE("a CHECK that fails says what and where, and stops the process") {
  CHECK_EQ(last_words([] { insist(false); }).find("holdfast: broken: src/base/result_test.cc:"), 0);
  const std::string words = last_words([] { insist(false); });
  CHECK(words.ends_with(": CHECK(condition) failed: the test said so\n"));
  CHECK(last_words([] { insist_bare(false); }).ends_with(": CHECK(condition) failed\n"));
  CHECK(last_words([] { (void)half(3).value(); }).find("CHECK(ok()) failed") != std::string::npos);
  CHECK(last_words([] { (void)half(4).error(); }).find("CHECK(!ok()) failed") != std::string::npos);
  const std::string long_reason(5000, 'x');
  CHECK_EQ(last_words([&] { base::check_failed("a", "b", 0, long_reason.c_str()); }).size(), 1024);
  insist(true);
}
