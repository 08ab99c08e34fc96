#include "effects/key_sets/name_service.h"

#include <atomic>
#include <chrono>

#include "effects/key_sets/names_for_tests.h"

#include <doctest/doctest.h>

namespace {

using effects::SystemNames;
using crypto::chain::address_text;

}  // namespace

TEST_CASE("the system's names are found, numbers are themselves, what is not known is said so") {
  SystemNames names;
  const auto found = names.resolve("localhost", base::seconds(5));
  REQUIRE(found.ok());
  REQUIRE_FALSE(found->empty());
  CHECK_EQ(static_cast<int>(intake::reach_of(found->front())), static_cast<int>(intake::Reach::loopback));
  const auto numeric = names.resolve("2001:db8::1", base::seconds(0));
  REQUIRE(numeric.ok());
  CHECK_EQ(address_text(numeric->front().view()), "2001:db8::1");
  SystemNames unknowing(1, [](const std::string& host) -> io::Addresses { return base::Error{"host_not_found", "cannot find " + host}; });
  const auto unknown = unknowing.resolve("nobody.example", base::seconds(5));
  REQUIRE_FALSE(unknown.ok());
  CHECK_EQ(std::string(unknown.error().code), "fetch_host_not_found");
}

TEST_CASE("a name server that says nothing costs its caller his patience and nobody else anything") {
  std::atomic<bool> released{false};
  SystemNames names(2, [&](const std::string& host) -> io::Addresses {
    while (host == "silent.example" && !released) std::this_thread::sleep_for(std::chrono::milliseconds(2));
    return std::vector<io::Endpoint>{{"192.0.2.1", 443}};
  });
  const auto began = std::chrono::steady_clock::now();
  const auto silent = names.resolve("silent.example", base::milliseconds(50));
  REQUIRE_FALSE(silent.ok());
  CHECK_EQ(std::string(silent.error().code), "fetch_dns_timed_out");
  CHECK_LT(std::chrono::steady_clock::now() - began, std::chrono::seconds(3));
  CHECK(names.resolve("other.example", base::seconds(5)).ok());
  // Both threads hang now: a third question ends with its patience too, and is forgotten.
  CHECK_FALSE(names.resolve("silent.example", base::milliseconds(20)).ok());
  CHECK_FALSE(names.resolve("other.example", base::milliseconds(20)).ok());
  released = true;
  CHECK(names.resolve("other.example", base::seconds(5)).ok());
}
