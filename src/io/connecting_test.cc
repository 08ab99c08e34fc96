#include "io/connecting.h"

#include <doctest/doctest.h>

#include <chrono>

using io::is_private_address;

TEST_CASE("addresses nobody on the public Internet has") {
  for (const char* address : {"127.0.0.1", "10.1.2.3", "172.16.0.1", "172.31.255.255", "192.168.1.1", "169.254.169.254", "100.64.0.1", "0.0.0.0", "224.0.0.1",
                              "255.255.255.255", "198.18.0.1", "192.0.2.1", "::", "::1", "fe80::1", "fc00::1", "fd12::1", "ff02::1", "::ffff:10.0.0.1",
                              "64:ff9b::7f00:1", "2002:7f00:1::", "2001:db8::1", "nonsense"}) {
    CHECK_MESSAGE(is_private_address(address), address);
  }
  for (const char* address : {"9.9.9.9", "172.15.0.1", "172.32.0.1", "100.128.0.1", "2606:4700::1", "::ffff:9.9.9.9", "64:ff9b::909:909", "2002:909:909::"}) {
    CHECK_MESSAGE(!is_private_address(address), address);
  }
}

TEST_CASE("a connection is begun without waiting, and its end is told") {
  const auto listener = io::Listener::open({"127.0.0.1", 0}).value();
  auto fd = io::start_connect(listener->endpoint());
  REQUIRE(fd.ok());
  CHECK(io::finish_connect(fd->get()).ok());
  const auto nowhere = io::start_connect({"no address", 1});
  REQUIRE_FALSE(nowhere.ok());
  CHECK_EQ(std::string(nowhere.error().code), "connect_failed");
}

TEST_CASE("names are found on another thread, numbers need none") {
  const auto loop = io::Loop::open().value();
  std::vector<io::Addresses> found;
  const auto keep = [&](io::Addresses addresses) { found.push_back(std::move(addresses)); };
  {
    io::Resolver resolver;
    resolver.resolve("127.0.0.1", 5, *loop, keep);
    loop->run_once(base::milliseconds(0));
    REQUIRE_EQ(found.size(), 1u);
    CHECK_EQ(found[0].value().at(0), io::Endpoint{"127.0.0.1", 5});
    resolver.resolve("localhost", 6, *loop, keep);
    const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(10);
    while (found.size() < 2 && std::chrono::steady_clock::now() < until) loop->run_once(base::milliseconds(10));
  }
  REQUIRE_EQ(found.size(), 2u);
  REQUIRE(found[1].ok());
  CHECK(found[1]->at(0).is_loopback());
}
