#include "core/ledger/cow_array.h"

#include <thread>

#include <doctest/doctest.h>

namespace {

struct Cell {
  std::uint64_t value = 0;
  std::uint64_t again = 0;
};
using Cells = core::CowArray<Cell>;

Cells filled(std::size_t size) {
  Cells cells;
  for (std::size_t i = 0; i < size; ++i) cells.push_back({i, i});
  return cells;
}

// True if record i has value i in both halves, for all of them.
bool is_untouched(const Cells::Frozen& frozen, std::size_t size) {
  if (frozen.size() != size) return false;
  std::size_t i = 0;
  for (std::size_t chunk = 0; chunk < frozen.chunk_count(); ++chunk) {
    for (const Cell& cell : frozen.chunk(chunk)) {
      if (cell.value != i || cell.again != i) return false;
      ++i;
    }
  }
  return i == size;
}

}  // namespace

TEST_CASE("records live across chunks, used ones only") {
  constexpr std::size_t in_chunk = Cells::chunk_records;
  for (const std::size_t size : {0u, 1u, 4095u, 4096u, 4097u, 10'000u}) {
    const Cells cells = filled(size);
    const auto frozen = cells.freeze();
    CHECK(is_untouched(frozen, size));
    CHECK_EQ(frozen.chunk_count(), (size + in_chunk - 1) / in_chunk);
    if (size > 0) CHECK_EQ(frozen[size - 1].value, size - 1);
  }
}

TEST_CASE("a frozen copy keeps its records while the array changes and grows") {
  Cells cells = filled(5000);
  const auto first = cells.freeze();
  cells.writable(0).value = 77;
  cells.writable(4999).value = 78;
  cells.push_back({5000, 5000});
  const auto second = cells.freeze();
  cells.writable(0).value = 79;
  CHECK(is_untouched(first, 5000));
  CHECK_EQ(second.size(), 5001);
  CHECK_EQ(second[0].value, 77);
  CHECK_EQ(second[4999].value, 78);
  CHECK_EQ(cells[0].value, 79);
  CHECK_EQ(cells[1].value, 1);
}

TEST_CASE("once the frozen copy is gone the array writes in place again") {
  Cells cells = filled(10);
  const Cell* where = &cells[0];
  {
    const auto frozen = cells.freeze();
    cells.writable(0).value = 1;
    CHECK(&cells[0] != where);
  }
  where = &cells[0];
  cells.writable(1).value = 5;
  CHECK(&cells[0] == where);
  { const auto frozen = cells.freeze(); }
  cells.writable(2).value = 6;
  CHECK(&cells[0] == where);
}

TEST_CASE("moving hands the chunks over") {
  Cells cells = filled(10);
  Cells moved = std::move(cells);
  CHECK_EQ(moved.size(), 10);
  Cells::Frozen frozen = moved.freeze();
  Cells::Frozen taken = std::move(frozen);
  moved = filled(3);
  CHECK_EQ(moved.size(), 3);
  CHECK(is_untouched(taken, 10));
  taken = moved.freeze();
  CHECK(is_untouched(taken, 3));
}

TEST_CASE("readers and the last owner may be on other threads") {
  Cells cells = filled(9000);
  std::vector<std::thread> readers;
  std::vector<int> good(16);
  for (std::size_t round = 0; round < good.size(); ++round) {
    readers.emplace_back([frozen = cells.freeze(), &good, round] { good[round] = frozen.size() >= 9000 && frozen[8999].again == 8999; });
    for (std::size_t i = 0; i < 9000; i += 500) cells.writable(i).value += 1;
    cells.push_back({});
  }
  for (std::thread& reader : readers) reader.join();
  for (const int is_good : good) CHECK_EQ(is_good, 1);
  CHECK_EQ(cells[500].value, 500 + good.size());
}
