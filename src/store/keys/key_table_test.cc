#include "store/keys/key_table.h"

#include <doctest/doctest.h>

#include <algorithm>

#include "store/keys/key_filter.h"

namespace {

using store::KeyKind;
using store::KeyRecord;

KeyRecord record(std::uint64_t seed, model::EventNumber event, KeyKind kind = KeyKind::idempotency) {
  return store::make_record(kind, store::hold_resolution_key(seed), event);
}

std::vector<KeyRecord> scanned(const store::KeyTable& table) {
  std::vector<KeyRecord> all;
  store::KeyTableScan scan(table);
  for (KeyRecord next; scan.next(next);) all.push_back(next);
  return all;
}

}  // namespace

TEST_CASE("a table gives back what was put in and nothing else") {
  store::KeyTable table(1000);
  for (std::uint64_t i = 1; i <= 1000; ++i) table.insert(record(i, i));
  CHECK(table.size() == 1000);
  for (std::uint64_t i = 1; i <= 1000; ++i) CHECK(table.find(record(i, 0)) == i);
  for (std::uint64_t i = 1001; i <= 2000; ++i) CHECK(table.find(record(i, 0)) == 0);
}

TEST_CASE("equal hashes of different kinds are different keys") {
  store::KeyTable table(10);
  table.insert(record(1, 5, KeyKind::idempotency));
  CHECK(table.find(record(1, 0, KeyKind::reference)) == 0);
  table.insert(record(1, 6, KeyKind::reference));
  CHECK(table.find(record(1, 0, KeyKind::idempotency)) == 5);
  CHECK(table.find(record(1, 0, KeyKind::reference)) == 6);
}

TEST_CASE("a key with many events keeps them in order, from any point on") {
  store::KeyTable table(10);
  for (model::EventNumber event = 10; event < 5000; event += 10) table.insert(record(7, event, KeyKind::reference));
  CHECK(table.find(record(7, 0, KeyKind::reference)) == 10);
  std::vector<model::EventNumber> found;
  table.find_all(record(7, 0, KeyKind::reference), 0, 3, found);
  CHECK(found == std::vector<model::EventNumber>{10, 20, 30});
  found.clear();
  table.find_all(record(7, 0, KeyKind::reference), 4975, 100, found);
  CHECK(found == std::vector<model::EventNumber>{4980, 4990});
}

TEST_CASE("a scan walks all pairs in order, however full the table became") {
  store::KeyTable table(50);
  std::vector<KeyRecord> expected;
  for (std::uint64_t i = 1; i <= 3000; ++i) {
    const KeyRecord next = record(i % 700, i, i % 3 == 0 ? KeyKind::reference : KeyKind::idempotency);
    table.insert(next);
    expected.push_back(next);
  }
  std::sort(expected.begin(), expected.end());
  CHECK(scanned(table) == expected);
  table.reset();
  CHECK(scanned(table).empty());
  CHECK(table.find(record(1, 0)) == 0);
}

TEST_CASE("keys that are not uniform are stored rightly all the same") {
  store::KeyTable table(64);
  std::vector<KeyRecord> expected;
  for (std::uint64_t i = 0; i < 600; ++i) {   // all crowd at the last place
    expected.push_back({~std::uint64_t{0}, 600 - i, (std::uint64_t{1} << 56) + i + 1});
    table.insert(expected.back());
  }
  for (const KeyRecord& pair : expected) CHECK(table.find(pair) == pair.event());
  std::sort(expected.begin(), expected.end());
  CHECK(scanned(table) == expected);
}

TEST_CASE("a filter never denies a key it holds and seldom claims one it does not") {
  constexpr std::uint64_t keys = 50'000;
  store::KeyFilter filter(store::filter_blocks_for(keys));
  for (std::uint64_t i = 0; i < keys; ++i) filter.add(record(i, 1));
  bool all = true;
  for (std::uint64_t i = 0; i < keys; ++i) all = all && filter.may_hold(record(i, 1));
  CHECK(all);
  int claimed = 0;
  for (std::uint64_t i = keys; i < 2 * keys; ++i) claimed += filter.may_hold(record(i, 1)) ? 1 : 0;
  CHECK(claimed < static_cast<int>(keys / 150));
}
