#include "base/int128.h"

#include <doctest/doctest.h>

using namespace base;

TEST_CASE("sums end at 2^127 - 1, differences at zero") {
  CHECK(checked_add(0, 0) == U128{0});
  CHECK(checked_add(amount_max, 0) == amount_max);
  CHECK(checked_add(amount_max - 1, 1) == amount_max);
  CHECK(!checked_add(amount_max, 1));
  CHECK(!checked_add(1, amount_max));
  CHECK(!checked_add(amount_max, amount_max));
  CHECK(!checked_add(amount_max + 1, 0));
  CHECK(!checked_add(0, amount_max + 1));
  CHECK(!checked_add(u128_max, 1));
  CHECK(!checked_add(u128_max, u128_max));
  CHECK(checked_sub(5, 5) == U128{0});
  CHECK(checked_sub(u128_max, 1) == u128_max - 1);
  CHECK(!checked_sub(4, 5));
  CHECK(!checked_sub(0, u128_max));
}

TEST_CASE("halves") {
  const U128 value = make_u128(0x0123456789abcdef, 0xfedcba9876543210);
  CHECK_EQ(high64(value), 0x0123456789abcdef);
  CHECK_EQ(low64(value), 0xfedcba9876543210);
  CHECK(make_u128(high64(amount_max), low64(amount_max)) == amount_max);
}

TEST_CASE("decimal text has one form") {
  struct Row {
    U128 value;
    const char* text;
  };
  const Row rows[] = {{0, "0"},
                      {7, "7"},
                      {10, "10"},
                      {18446744073709551615u, "18446744073709551615"},
                      {make_u128(1, 0), "18446744073709551616"},
                      {amount_max, "170141183460469231731687303715884105727"}};
  for (const Row& row : rows) {
    CHECK_EQ(to_decimal(row.value), row.text);
    CHECK(parse_decimal(row.text) == row.value);
  }
  CHECK_EQ(to_decimal(u128_max), "340282366920938463463374607431768211455");
  for (const char* text : {"", "00", "01", "-1", "+1", " 1", "1 ", "1.0", "1e3", "0x1", "1,000", "a", "1\n", "\xD9\xA1",
                           "170141183460469231731687303715884105728", "170141183460469231731687303715884105730",
                           "340282366920938463463374607431768211455", "999999999999999999999999999999999999999",
                           "1000000000000000000000000000000000000000"}) {
    INFO(text);
    CHECK(!parse_decimal(text));
  }
  CHECK(!parse_decimal(std::string_view("1\0", 2)));
}
