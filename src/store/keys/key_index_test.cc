#include "store/keys/key_index.h"

#include <doctest/doctest.h>

#include <atomic>
#include <chrono>
#include <cstring>
#include <map>
#include <set>
#include <thread>

#include "crypto/hash.h"
#include "base/text.h"
#include "io/simulated_file.h"
#include "store/keys/key_flush.h"
#include "store/keys/key_manifest.h"
#include "store/keys/key_run.h"

namespace {

using store::KeyIndex;
using store::KeyIndexOptions;
using store::KeyKind;

const std::string directory = "/data/keys";

KeyIndexOptions small(std::uint32_t generation = 200, std::uint32_t fan_out = 3) {
  KeyIndexOptions options;
  options.identity = {1, 2, 3};
  options.journal_end = model::event_number_max;
  options.generation_keys = generation;
  options.fan_out = fan_out;
  options.step_bytes = 8192;
  options.sync_bytes = 16384;
  return options;
}

base::Tag128 key(std::uint64_t number) { return store::hold_resolution_key(number + 1'000'000); }

/// Feeds the keys of events from + 1 to through: one idempotency key each, and one of 40 references for every third.
void feed(KeyIndex& index, model::EventNumber from, model::EventNumber through) {
  for (model::EventNumber event = from + 1; event <= through; ++event) {
    index.insert(KeyKind::idempotency, key(event), event);
    if (event % 3 == 0) index.insert(KeyKind::reference, key(event % 40), event);
    index.complete_through(event);
  }
}

bool holds_exactly(KeyIndex& index, model::EventNumber through) {
  for (model::EventNumber event = 1; event <= through; ++event) {
    const auto found = index.find(KeyKind::idempotency, key(event));
    if (!found.ok() || *found != event) return false;
  }
  for (std::uint64_t reference = 0; reference < 40; ++reference) {
    std::vector<model::EventNumber> expected;
    for (model::EventNumber event = 3; event <= through; event += 3) {
      if (event % 40 == reference) expected.push_back(event);
    }
    const auto all = index.find_all(KeyKind::reference, key(reference), 0, 1'000'000);
    if (!all.ok() || *all != expected) return false;
  }
  for (model::EventNumber event = through + 1; event <= through + 300; ++event) {
    const auto found = index.find(KeyKind::idempotency, key(event));
    if (!found.ok() || found->has_value()) return false;
  }
  return true;
}

base::Status flush_all(KeyIndex& index, model::EventNumber durable = model::event_number_max) {
  for (;;) {
    TRY_ASSIGN(const bool more, index.flush_step(durable));
    if (!more) return base::ok();
  }
}

std::unique_ptr<KeyIndex> opened(io::FileSystem& files, const KeyIndexOptions& options) {
  auto index = KeyIndex::open(files, directory, options);
  REQUIRE_MESSAGE(index.ok(), index.error().code << " " << index.error().message);
  return std::move(index).value();
}

std::string code_of_opening(io::FileSystem& files, const KeyIndexOptions& options) {
  const auto index = KeyIndex::open(files, directory, options);
  return index.ok() ? "" : index.error().code;
}

struct World {
  explicit World(std::uint64_t seed = 1) : files(seed) { REQUIRE(files.make_dir("/data").ok()); REQUIRE(files.sync_dir("/").ok()); }
  io::SimulatedFileSystem files;
};

std::vector<std::string> runs_on(io::FileSystem& files) {
  std::vector<std::string> runs;
  const auto names = files.list(directory);
  for (const std::string& name : *names) {
    if (name.starts_with("run-")) runs.push_back(io::join_path(directory, name));
  }
  return runs;
}

}  // namespace

TEST_CASE("keys are found in memory, in runs and after reopening") {
  World world;
  {
    auto index = opened(world.files, small());
    CHECK(index->covered() == 0);
    feed(*index, 0, 1000);
    CHECK(holds_exactly(*index, 1000));
    REQUIRE(flush_all(*index).ok());
    index->complete_through(1000);
    CHECK(index->stats().frozen_generations == 0);
    CHECK(index->stats().runs >= 1);
    CHECK(index->covered() > 700);
    CHECK(holds_exactly(*index, 1000));
    feed(*index, 1000, 5000);
    REQUIRE(flush_all(*index).ok());
    CHECK(holds_exactly(*index, 5000));
    CHECK(index->stats().runs <= 8);
  }
  CHECK(KeyIndex::verify(world.files, directory, small()).ok());
  auto index = opened(world.files, small());
  feed(*index, index->covered(), 5000);
  CHECK(holds_exactly(*index, 5000));
}

TEST_CASE("find_all goes on after an event and stops at its limit, across runs and memory") {
  World world;
  auto index = opened(world.files, small());
  feed(*index, 0, 3000);
  REQUIRE(flush_all(*index).ok());
  std::vector<model::EventNumber> all;
  for (model::EventNumber after = 0;;) {
    const auto page = index->find_all(KeyKind::reference, key(9), after, 4);
    REQUIRE(page.ok());
    if (page->empty()) break;
    CHECK(page->size() <= 4);
    all.insert(all.end(), page->begin(), page->end());
    after = all.back();
  }
  CHECK(all == *index->find_all(KeyKind::reference, key(9), 0, 10'000));
  CHECK(all.size() == 25);
}

TEST_CASE("one key with thousands of events spreads over pages and is still found quickly") {
  World world;
  auto index = opened(world.files, small(4000));
  for (model::EventNumber event = 1; event <= 4000; ++event) index->insert(KeyKind::reference, key(1), event);
  index->complete_through(4000);
  REQUIRE(flush_all(*index).ok());
  index->complete_through(4001);
  CHECK(index->stats().frozen_generations == 0);
  CHECK(*index->find(KeyKind::reference, key(1)) == 1u);
  const std::uint64_t before = index->stats().pages_read;
  const auto page = index->find_all(KeyKind::reference, key(1), 3500, 3);
  CHECK(*page == std::vector<model::EventNumber>{3501, 3502, 3503});
  CHECK(index->stats().pages_read - before < 12);
}

TEST_CASE("a generation is written only when all its events are durable") {
  World world;
  auto index = opened(world.files, small());
  feed(*index, 0, 200);
  CHECK(index->stats().frozen_generations == 1);
  REQUIRE(flush_all(*index, 10).ok());
  CHECK(index->covered() == 0);
  REQUIRE(flush_all(*index, 200).ok());
  CHECK(index->covered() > 0);
}

TEST_CASE("freezing without keys only moves the covered position") {
  World world;
  auto index = opened(world.files, small());
  index->complete_through(77);
  index->freeze();
  index->freeze();
  REQUIRE(flush_all(*index).ok());
  CHECK(index->covered() == 77);
  CHECK(runs_on(world.files).empty());
  index.reset();
  CHECK(opened(world.files, small())->covered() == 77);
}

TEST_CASE("whatever call power fails at, everything covered is there after a crash") {
  for (std::uint64_t k = 1;; ++k) {
    World world(k);
    const auto options = small(100);
    bool finished = false;
    {
      auto index = opened(world.files, options);
      world.files.faults().fail_calls_from(k, io::Fault::power_loss);
      feed(*index, 0, 450);
      finished = flush_all(*index).ok();
    }
    if (finished && world.files.faults().delivered() == 0) break;
    world.files.crash();
    auto index = opened(world.files, options);
    REQUIRE(index->covered() <= 450);
    feed(*index, index->covered(), 450);
    REQUIRE_MESSAGE(holds_exactly(*index, 450), "power failed at call " << k);
    REQUIRE(flush_all(*index).ok());
    index->complete_through(451);
    REQUIRE(holds_exactly(*index, 450));
    REQUIRE(KeyIndex::verify(world.files, directory, options).ok());
  }
}

TEST_CASE("whatever call fails, an error is told, nothing is lost and the next attempt succeeds") {
  for (std::uint64_t k = 1;; ++k) {
    World world(k);
    auto index = opened(world.files, small(100));
    feed(*index, 0, 450);
    world.files.faults().fail_call(k, io::Fault::io_error);
    const bool failed = !flush_all(*index).ok();
    if (world.files.faults().delivered() == 0) break;
    CHECK_MESSAGE(failed, "call " << k);
    REQUIRE(flush_all(*index).ok());
    REQUIRE(holds_exactly(*index, 450));
  }
}

TEST_CASE("whatever call fails while opening, opening tells it and works the next time") {
  World world;
  {
    auto index = opened(world.files, small(100));
    feed(*index, 0, 450);
    REQUIRE(flush_all(*index).ok());
  }
  for (std::uint64_t k = 1;; ++k) {
    world.files.faults().clear();
    world.files.faults().fail_call(k, io::Fault::io_error);
    const std::uint64_t before = world.files.faults().delivered();
    const bool failed = !KeyIndex::open(world.files, directory, small(100)).ok();
    if (world.files.faults().delivered() == before) break;
    CHECK(failed);
  }
  world.files.faults().clear();
  CHECK(opened(world.files, small(100))->covered() > 0);
}

TEST_CASE("writes that lie are found by their checksums, never believed") {
  for (const io::Fault lie : {io::Fault::lost_write, io::Fault::flipped_write}) {
    for (std::uint64_t k = 1;; ++k) {
      World world(k);
      std::uint64_t delivered = 0;
      {
        auto index = opened(world.files, small(100));
        feed(*index, 0, 250);
        world.files.faults().fail_call(k, lie);
        const auto status = flush_all(*index);   // a merge may meet the damage already
        delivered = world.files.faults().delivered();
        if (!status.ok()) CHECK(std::string(status.error().code) == "key_run_damaged");
        if (k > world.files.faults().calls()) break;
      }
      if (delivered == 0) continue;
      auto reopened = KeyIndex::open(world.files, directory, small(100));
      if (!reopened.ok()) continue;
      const auto& index = *reopened;
      feed(*index, index->covered(), 250);
      for (model::EventNumber event = 1; event <= 250; ++event) {
        const auto found = index->find(KeyKind::idempotency, key(event));
        if (found.ok()) REQUIRE(*found == event);
      }
    }
  }
}

TEST_CASE("a flipped bit anywhere in a run is found and never served") {
  World world;
  const auto options = small(3000, 8);
  {
    auto index = opened(world.files, options);
    feed(*index, 0, 3000);
    REQUIRE(flush_all(*index).ok());
  }
  const std::string run = runs_on(world.files).at(0);
  const std::uint64_t size = (*world.files.info(run)).size;
  REQUIRE(size % 4096 == 0);
  for (std::uint64_t page = 0; page < size / 4096; ++page) {
    for (const std::uint64_t offset : {page * 4096 + page % 16, page * 4096 + 16 + page * 37 % 4080}) {
      REQUIRE(world.files.flip_bit(run, offset, static_cast<int>(offset % 8)));
      CHECK(std::string(KeyIndex::verify(world.files, directory, options).error().code) == "key_run_damaged");
      auto index = KeyIndex::open(world.files, directory, options);
      if (!index.ok()) {
        CHECK(std::string(index.error().code) == "key_run_damaged");
        CHECK(index.error().message.find(run) != std::string::npos);
      } else {
        int refused = 0;
        for (model::EventNumber event = 1; event <= (*index)->covered(); ++event) {
          const auto found = (*index)->find(KeyKind::idempotency, key(event));
          if (found.ok()) {
            REQUIRE(*found == event);
          } else {
            ++refused;
          }
        }
        CHECK(refused > 0);
      }
      REQUIRE(world.files.flip_bit(run, offset, static_cast<int>(offset % 8)));
    }
  }
  CHECK(KeyIndex::verify(world.files, directory, options).ok());
}

TEST_CASE("a flipped bit in the manifest refuses to open") {
  World world;
  {
    auto index = opened(world.files, small());
    feed(*index, 0, 500);
    REQUIRE(flush_all(*index).ok());
  }
  const std::string manifest = io::join_path(directory, store::key_manifest_name);
  const std::uint64_t size = (*world.files.info(manifest)).size;
  for (std::uint64_t offset = 0; offset < size; ++offset) {
    REQUIRE(world.files.flip_bit(manifest, offset, static_cast<int>(offset % 8)));
    CHECK(code_of_opening(world.files, small()) == "key_manifest_damaged");
    REQUIRE(world.files.flip_bit(manifest, offset, static_cast<int>(offset % 8)));
  }
}

TEST_CASE("an index of another journal, ahead of it, or with a run missing is refused") {
  World world;
  {
    auto index = opened(world.files, small());
    feed(*index, 0, 500);
    REQUIRE(flush_all(*index).ok());
  }
  auto options = small();
  options.identity[0] = 9;
  CHECK(code_of_opening(world.files, options) == "key_index_of_another_log");
  options = small();
  options.journal_end = 20;
  CHECK(code_of_opening(world.files, options) == "key_index_ahead_of_journal");
  REQUIRE(world.files.remove(runs_on(world.files).at(0)).ok());
  CHECK(code_of_opening(world.files, small()) == "key_run_damaged");
  REQUIRE(KeyIndex::erase(world.files, directory).ok());
  auto index = opened(world.files, small());
  CHECK(index->covered() == 0);
  CHECK(runs_on(world.files).empty());
}

TEST_CASE("files of a newer version are refused by name") {
  World world;
  {
    auto index = opened(world.files, small());
    feed(*index, 0, 250);
    REQUIRE(flush_all(*index).ok());
  }
  const std::string run = runs_on(world.files).at(0);
  auto bytes = *io::read_whole_file(world.files, run, 1 << 20);
  base::store_le(bytes.data() + 24, std::uint32_t{2});
  store::seal_page(bytes.data(), 0, 1);
  {
    auto file = world.files.open(run, io::OpenMode::read_write);
    REQUIRE((*file)->write_at(0, bytes).ok());
  }
  CHECK(code_of_opening(world.files, small()) == "key_index_version_unknown");
  const std::string manifest = io::join_path(directory, store::key_manifest_name);
  auto list = *io::read_whole_file(world.files, manifest, 1 << 20);
  base::store_le(list.data() + 8, std::uint32_t{2});
  base::store_le(list.data() + list.size() - 4, base::crc32c({list.data(), list.size() - 4}));
  REQUIRE(io::replace_file(world.files, manifest, list).ok());
  CHECK(code_of_opening(world.files, small()) == "key_index_version_unknown");
}

TEST_CASE("which runs are merged") {
  const auto sizes = [](std::initializer_list<std::uint64_t> records) {
    std::vector<store::KeyRunInfo> runs;
    for (const std::uint64_t n : records) runs.push_back({1, n, 0, 0});
    return runs;
  };
  CHECK(store::newest_runs_to_merge({}, 4) == 0);
  CHECK(store::newest_runs_to_merge(sizes({100, 100, 100}), 4) == 0);
  CHECK(store::newest_runs_to_merge(sizes({100, 100, 100, 100}), 4) == 4);
  CHECK(store::newest_runs_to_merge(sizes({5000, 100, 100, 100, 100}), 4) == 4);
  CHECK(store::newest_runs_to_merge(sizes({5000, 100, 5000, 100, 5000, 100, 5000}), 4) == 7);
  CHECK(store::newest_runs_to_merge(sizes({5000, 100, 5000, 100, 5000}), 6) == 0);
  CHECK(store::newest_runs_to_merge(sizes({5000, 5000, 5000, 100, 100, 100}), 4) == 0);
}

TEST_CASE("the bytes of a run and a manifest are as documented") {
  World world;
  auto options = small(3, 8);
  auto index = opened(world.files, options);
  for (std::uint64_t i = 1; i <= 3; ++i) index->insert(KeyKind::idempotency, key(i), i);
  index->insert(KeyKind::reference, key(2), 3);
  index->complete_through(3);
  REQUIRE(flush_all(*index).ok());
  const auto run = *io::read_whole_file(world.files, runs_on(world.files).at(0), 1 << 20);
  CHECK(run.size() == 4 * 4096);   // header, records, index, filter
  CHECK(base::to_hex({run.data(), 88}) ==
        "b20cbdce" "00000000" "0100000000000000" "48464b455952554e" "01000000" "00000000"
        "01020300000000000000000000000000" "0400000000000000" "0000000000000000" "0300000000000000"
        "01000000" "01000000" "0100000000000000");
  CHECK(base::to_hex(crypto::sha256(run)) == "705e37971cc53f701f34b9ed4433bd23b1e59fe374067d7da249a4cf94d50f70");
  const auto manifest = *io::read_whole_file(world.files, io::join_path(directory, "MANIFEST"), 1 << 20);
  CHECK(base::to_hex(manifest) ==
        "48464b45594d414e" "01000000" "01000000" "01020300000000000000000000000000" "0300000000000000" "0200000000000000"
        "0000000000000000" "0100000000000000" "0400000000000000" "0000000000000000" "0300000000000000" "5ac91213");
}

TEST_CASE("the core thread reads and inserts while the background thread flushes and merges") {
  World world;
  auto index = opened(world.files, small(500, 3));
  std::atomic<model::EventNumber> durable{0};
  std::atomic<bool> stop{false};
  std::thread background([&] {
    while (!stop.load()) {
      const auto more = index->flush_step(durable.load());
      if (!more.ok()) return;
      if (!*more) std::this_thread::sleep_for(std::chrono::microseconds(200));
    }
  });
  bool right = true;
  for (model::EventNumber event = 1; event <= 20'000; ++event) {
    index->prefetch(key(event));
    const auto unknown = index->find(KeyKind::idempotency, key(event));
    right = right && unknown.ok() && !unknown->has_value();
    index->insert(KeyKind::idempotency, key(event), event);
    index->complete_through(event);
    durable.store(event);
    const model::EventNumber earlier = event * 7919 % event + 1;
    const auto known = index->find(KeyKind::idempotency, key(earlier));
    right = right && known.ok() && *known == earlier;
    while (index->stats().frozen_generations > 2) {
      std::this_thread::sleep_for(std::chrono::microseconds(200));
      index->complete_through(event);
    }
  }
  stop.store(true);
  background.join();
  CHECK(right);
  CHECK(index->stats().runs > 0);
}
