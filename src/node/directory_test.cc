#include "node/directory.h"

#include <atomic>
#include <string>
#include <thread>

#include "model/admitted.h"

#include <doctest/doctest.h>

using model::account_name_hash;

TEST_CASE("names become numbers and come back") {
  node::Directory directory;
  for (std::uint32_t i = 1; i <= 50'000; ++i) {
    const std::string name = "users/" + std::to_string(i);
    directory.open(i % 3, name, account_name_hash(i % 3, name));
  }
  CHECK(directory.size() == 50'000);
  for (std::uint32_t i = 1; i <= 50'000; i += 7) {
    const std::string name = "users/" + std::to_string(i);
    CHECK(directory.find(i % 3, name, account_name_hash(i % 3, name)) == i);
    CHECK(directory.find(9, name, account_name_hash(9, name)) == 0);
    CHECK(directory.name_of(i) == name);
    CHECK(directory.tenant_of(i) == i % 3);
  }
  CHECK(directory.name_of(0).empty());
  CHECK(directory.name_of(50'001).empty());
  CHECK(directory.memory_bytes() < 50'000 * 100 + (1u << 20));
}

TEST_CASE("equal hashes are told apart by the name") {
  node::Directory directory;
  directory.open(1, "one", 42);
  directory.open(1, "two", 42);
  directory.open(2, "one", 42);
  CHECK(directory.find(1, "one", 42) == 1);
  CHECK(directory.find(1, "two", 42) == 2);
  CHECK(directory.find(2, "one", 42) == 3);
  CHECK(directory.find(2, "two", 42) == 0);
}

TEST_CASE("other threads may read names while accounts are opened") {
  node::Directory directory;
  std::atomic<bool> done{false};
  std::thread reader([&] {
    while (!done) {
      const std::uint32_t size = directory.size();
      if (size != 0) CHECK(directory.name_of(size) == "n" + std::to_string(size));
    }
  });
  for (std::uint32_t i = 1; i <= 20'000; ++i) {
    const std::string name = "n" + std::to_string(i);
    directory.open(1, name, account_name_hash(1, name));
  }
  done = true;
  reader.join();
}
