#include "base/instant.h"

#include <cstdint>
#include <limits>

#include <doctest/doctest.h>

using namespace base;

TEST_CASE("instants as text and back") {
  struct Row {
    std::int64_t ns;
    const char* text;
  };
  const Row rows[] = {{0, "1970-01-01T00:00:00.000000000Z"},
                      {1, "1970-01-01T00:00:00.000000001Z"},
                      {951'782'400'000'000'000, "2000-02-29T00:00:00.000000000Z"},
                      {951'868'799'999'999'999, "2000-02-29T23:59:59.999999999Z"},
                      {951'868'800'000'000'000, "2000-03-01T00:00:00.000000000Z"},
                      {1'709'164'800'000'000'000, "2024-02-29T00:00:00.000000000Z"},
                      {1'795'327'380'123'456'789, "2026-11-22T06:03:00.123456789Z"},
                      {4'107'542'400'000'000'000, "2100-03-01T00:00:00.000000000Z"},
                      {9'214'646'399'999'999'999, "2261-12-31T23:59:59.999999999Z"}};
  for (const Row& row : rows) {
    CHECK_EQ(to_rfc3339({row.ns}), row.text);
    REQUIRE(parse_rfc3339(row.text).has_value());
    CHECK_EQ(parse_rfc3339(row.text)->ns, row.ns);
  }
  CHECK_EQ(to_rfc3339({-1}), "1969-12-31T23:59:59.999999999Z");
  CHECK_EQ(to_rfc3339({std::numeric_limits<std::int64_t>::max()}), "2262-04-11T23:47:16.854775807Z");
  CHECK_EQ(to_rfc3339({std::numeric_limits<std::int64_t>::min()}), "1677-09-21T00:12:43.145224192Z");
}

TEST_CASE("fractions may be short") {
  const std::int64_t whole = parse_rfc3339("2026-11-22T06:03:00Z")->ns;
  CHECK_EQ(parse_rfc3339("2026-11-22T06:03:00.5Z")->ns, whole + 500'000'000);
  CHECK_EQ(parse_rfc3339("2026-11-22T06:03:00.05Z")->ns, whole + 50'000'000);
  CHECK_EQ(parse_rfc3339("2026-11-22T06:03:00.123456Z")->ns, whole + 123'456'000);
}

TEST_CASE("anything else is not an instant") {
  for (const char* text : {"", "Z", "2026-11-22", "2026-11-22T06:03Z", "2026-11-22T06:03:00", "2026-11-22T06:03:00+00:00", "2026-11-22t06:03:00Z",
                           "2026-11-22T06:03:00z", "2026-11-22 06:03:00Z", "2026-11-22T06:03:00.Z", "2026-11-22T06:03:00.1234567890Z",
                           "2026-11-22T06:03:00,5Z", "2026-11-22T06:03:00.5xZ", "2026-11-22T06:03:00xZ", "2026-00-22T06:03:00Z", "2026-13-22T06:03:00Z",
                           "2026-11-00T06:03:00Z", "2026-11-31T06:03:00Z", "2026-02-29T06:03:00Z", "2100-02-29T06:03:00Z", "2026-11-22T24:00:00Z",
                           "2026-11-22T06:60:00Z", "2026-11-22T06:03:60Z", "1969-12-31T23:59:59Z", "2262-01-01T00:00:00Z", "-026-11-22T06:03:00Z",
                           "2026-11-22T06:03:0 Z", "2026-11-22T06:03:00.+5Z", " 2026-11-22T06:03:00Z", "2026/11/22T06:03:00Z", "2026-1a-22T06:03:00Z"}) {
    INFO(text);
    CHECK(!parse_rfc3339(text));
  }
}

TEST_CASE("every day from 1970 to 2261 is the one after the day before") {
  constexpr std::int64_t day = 86'400'000'000'000;
  std::string last;
  for (std::int64_t number = 0; number * day <= 9'214'646'399'999'999'999; ++number) {
    const std::string text = to_rfc3339({number * day});
    REQUIRE(text > last);
    REQUIRE_EQ(parse_rfc3339(text)->ns, number * day);
    last = text;
  }
}

TEST_CASE("spans") {
  CHECK_EQ(seconds(2).ns, 2'000'000'000);
  CHECK_EQ(milliseconds(-3).ns, -3'000'000);
  CHECK(Instant{5} + Duration{3} == Instant{8});
  CHECK(Instant{5} - Instant{8} == Duration{-3});
  CHECK(Instant{5} < Instant{6});
}
