#include "model/account.h"

#include <doctest/doctest.h>

using namespace model;

TEST_CASE("assets are CODE/SCALE") {
  for (const char* good : {"USD/2", "JPY/0", "ETH/18", "A/30", "USDC.E/6", "ABCDEFGHIJKLMNO9/1"}) {
    CAPTURE(good);
    const auto asset = parse_asset(good);
    REQUIRE(asset.has_value());
    CHECK(to_text(*asset) == good);
  }
  for (const char* wrong : {"", "/2", "USD", "USD/", "USD/31", "USD/02", "usd/2", "1USD/2", ".A/1", "US D/2", "USD/2/3",
                            "USD/-1", "ABCDEFGHIJKLMNOPQ/1", "USD/2 "}) {
    CAPTURE(wrong);
    CHECK_FALSE(parse_asset(wrong).has_value());
  }
  CHECK_FALSE(is_asset_code(std::string_view("A\0B", 3)));
}

TEST_CASE("account ids are parts between slashes, without surprises") {
  for (const char* good : {"a", "users/7f3a", "rails/bank-a/clearing", "world/USD", "A-._~:@9", "a/..b/c"}) {
    CAPTURE(good);
    CHECK(is_account_name(good));
  }
  CHECK(is_account_name(std::string(128, 'x')));
  CHECK_FALSE(is_account_name(std::string(129, 'x')));
  for (const char* wrong :
       {"", "/", "a/", "/a", "a//b", ".", "..", "a/../b", "a/.", "a b", "a%2Fb", "\xc3\xa9", "a?b", "a#b"}) {
    CAPTURE(wrong);
    CHECK_FALSE(is_account_name(wrong));
  }
}
