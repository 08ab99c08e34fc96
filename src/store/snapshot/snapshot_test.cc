#include "store/snapshot/snapshot.h"

#include <doctest/doctest.h>

#include <algorithm>

#include "base/text.h"
#include "crypto/hash.h"
#include "io/simulated_file.h"

namespace {

using store::SnapshotPosition;
using store::SnapshotReader;
using store::SnapshotSection;

const std::string directory = "/data/snapshots";
const base::Tag128 identity{4, 5, 6};

/// A small state: two public sections and one private, content depending on `event`.
struct State {
  explicit State(model::EventNumber event, std::size_t big = 100'000) {
    position = {identity, 3, 2, event, event / 10, {1'700'000'000'000'000'000}, {9, 8, 7}};
    for (std::size_t i = 0; i < 5; ++i) chunks.emplace_back(i == 2 ? big : 50 + i, static_cast<std::uint8_t>(event + i));
    sections = {{"accounts", false, {chunks[0], chunks[1], chunks[2]}},
                {"names", true, {chunks[3]}},
                {"holds", false, {}},
                {"clients", false, {chunks[4]}}};
  }
  SnapshotPosition position;
  std::vector<base::Bytes> chunks;
  std::vector<SnapshotSection> sections;
};

struct World {
  explicit World(std::uint64_t seed = 1) : files(seed) {
    REQUIRE(files.make_dir("/data").ok());
    REQUIRE(files.sync_dir("/").ok());
  }
  void write(const State& state) {
    REQUIRE(store::write_snapshot(files, directory, state.position, state.sections).ok());
  }
  std::vector<std::string> names() { return *files.list(directory); }
  io::SimulatedFileSystem files;
};

bool matches(SnapshotReader& reader, const State& state) {
  if (reader.position() != state.position || reader.sections().size() != state.sections.size()) return false;
  for (const SnapshotSection& section : state.sections) {
    std::size_t chunk = 0;
    bool same = true;
    const auto status = reader.read(section.name, [&](base::ByteView bytes) {
      same = same && std::ranges::equal(bytes, section.chunks.at(chunk++));
      return base::ok();
    });
    if (!status.ok() || !same || chunk != section.chunks.size()) return false;
  }
  return true;
}

store::SnapshotChoice chosen(io::FileSystem& files, model::EventNumber event_max = model::event_number_max) {
  auto choice = store::choose_snapshot(files, directory, identity, event_max);
  REQUIRE(choice.ok());
  return std::move(choice).value();
}

std::string path_of(const std::string& name) { return io::join_path(directory, name); }

}  // namespace

TEST_CASE("a snapshot is read as it was written, chunk by chunk") {
  World world;
  CHECK(chosen(world.files).reader == nullptr);
  const State state(100, 3'000'000);
  world.write(state);
  CHECK(world.names() == std::vector<std::string>{"000000000000100.snap"});
  const auto choice = chosen(world.files);
  REQUIRE(choice.reader != nullptr);
  CHECK(choice.passed_over.empty());
  CHECK(matches(*choice.reader, state));
  CHECK(choice.reader->state_digest() == store::digest_of_state(state.position, state.sections));
  CHECK(choice.reader->sections()[1].is_private);
  CHECK(std::string(choice.reader->read("nothing", [](base::ByteView) { return base::ok(); }).error().code) ==
        "snapshot_section_not_found");
  const auto stopped = choice.reader->read("accounts", [](base::ByteView) -> base::Status {
    return base::Error{"enough", ""};
  });
  CHECK(std::string(stopped.error().code) == "enough");
}

TEST_CASE("a snapshot is written in bounded steps") {
  World world;
  const State state(5);
  auto writer = store::SnapshotWriter::begin(world.files, directory, state.position, state.sections, nullptr);
  REQUIRE(writer.ok());
  int steps = 1;
  while (*(*writer)->step(60)) ++steps;
  CHECK(steps >= 3);
  CHECK((*writer)->state_digest() == store::digest_of_state(state.position, state.sections));
  CHECK(matches(*chosen(world.files).reader, state));
}

TEST_CASE("the digest says what the public state is, not how it is cut or what is private") {
  const State state(1);
  const base::Digest digest = store::digest_of_state(state.position, state.sections);
  auto sections = state.sections;
  const base::ByteView whole = sections[0].chunks[2];
  sections[0].chunks = {sections[0].chunks[0], sections[0].chunks[1], whole.first(70), whole.subspan(70)};
  sections[1].chunks.clear();
  CHECK(store::digest_of_state(state.position, sections) == digest);
  sections[3].chunks = {state.chunks[0]};
  CHECK(store::digest_of_state(state.position, sections) != digest);
  auto position = state.position;
  ++position.event;
  CHECK(store::digest_of_state(position, state.sections) != digest);
}

TEST_CASE("the newest two are kept, and a history that is no more is not") {
  World world;
  for (const model::EventNumber event : {10u, 20u, 30u}) world.write(State(event));
  CHECK(world.names() == std::vector<std::string>{"000000000000020.snap", "000000000000030.snap"});
  world.write(State(25));
  CHECK(world.names() == std::vector<std::string>{"000000000000020.snap", "000000000000025.snap"});
}

TEST_CASE("a damaged predecessor does not count as kept") {
  World world;
  world.write(State(10));
  world.write(State(20));
  REQUIRE(world.files.flip_bit(path_of("000000000000020.snap"), 3, 0));
  world.write(State(30));
  CHECK(world.names() == std::vector<std::string>{"000000000000010.snap", "000000000000030.snap"});
}

TEST_CASE("a flipped bit anywhere makes the older snapshot the choice, with the reason") {
  World world;
  const State older(10, 300);
  world.write(older);
  world.write(State(20, 300));
  const std::string newer = path_of("000000000000020.snap");
  const std::uint64_t size = (*world.files.info(newer)).size;
  for (std::uint64_t offset = 0; offset < size; ++offset) {
    REQUIRE(world.files.flip_bit(newer, offset, static_cast<int>(offset % 8)));
    const auto choice = chosen(world.files);
    REQUIRE(choice.reader != nullptr);
    REQUIRE(choice.reader->position().event == 10);
    REQUIRE(choice.passed_over.size() == 1);
    REQUIRE(std::string(choice.passed_over[0].code) == "snapshot_damaged");
    REQUIRE(choice.passed_over[0].message.find(newer) != std::string::npos);
    REQUIRE(world.files.flip_bit(newer, offset, static_cast<int>(offset % 8)));
  }
  CHECK(chosen(world.files).reader->position().event == 20);
  REQUIRE(world.files.flip_bit(newer, 200, 1));
  CHECK(matches(*chosen(world.files).reader, older));
}

TEST_CASE("a snapshot cut at any length is damaged, never read") {
  World world;
  world.write(State(20, 100));
  const std::string path = path_of("000000000000020.snap");
  const auto bytes = *io::read_whole_file(world.files, path, 1 << 20);
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    REQUIRE(io::replace_file(world.files, path, {bytes.data(), size}).ok());
    const auto reader = SnapshotReader::open(world.files, path, identity, true);
    REQUIRE(std::string(reader.error().code) == "snapshot_damaged");
  }
}

TEST_CASE("a foreign, a newer-version and a too-new snapshot are passed over by name") {
  World world;
  world.write(State(10));
  CHECK(std::string(chosen(world.files, 9).passed_over.at(0).code) == "snapshot_ahead_of_journal");
  const std::string path = path_of("000000000000010.snap");
  CHECK(std::string(SnapshotReader::open(world.files, path, {1}, true).error().code) == "snapshot_of_another_log");
  auto bytes = *io::read_whole_file(world.files, path, 1 << 20);
  base::store_le(bytes.data() + 8, std::uint32_t{2});
  const auto header = base::load_le<std::uint32_t>(bytes.data() + 12);
  base::store_le(bytes.data() + header - 4, base::crc32c({bytes.data(), header - 4}));
  REQUIRE(io::replace_file(world.files, path, bytes).ok());
  CHECK(std::string(chosen(world.files).passed_over.at(0).code) == "snapshot_version_unknown");
}

TEST_CASE("whatever call power fails at, a good snapshot remains") {
  for (std::uint64_t k = 1;; ++k) {
    World world(k);
    world.write(State(10));
    world.files.faults().fail_calls_from(k, io::Fault::power_loss);
    const State newer(20);
    const bool written = store::write_snapshot(world.files, directory, newer.position, newer.sections).ok();
    const bool met = world.files.faults().delivered() > 0;
    world.files.crash();
    const auto choice = chosen(world.files);
    REQUIRE(choice.reader != nullptr);
    const model::EventNumber event = choice.reader->position().event;
    REQUIRE((event == 10 || event == 20));
    if (written) REQUIRE(event == 20);
    REQUIRE(matches(*choice.reader, State(event)));
    world.write(State(30));
    for (const std::string& name : world.names()) REQUIRE(name.ends_with(".snap"));
    if (!met) break;
  }
}

TEST_CASE("whatever call fails, an error is told and the next attempt succeeds") {
  for (std::uint64_t k = 1;; ++k) {
    World world(k);
    world.write(State(10));
    world.files.faults().fail_call(k, io::Fault::io_error);
    const State newer(20);
    const bool failed = !store::write_snapshot(world.files, directory, newer.position, newer.sections).ok();
    if (world.files.faults().delivered() == 0) break;
    world.files.faults().clear();
    // Reading a predecessor to see whether it is worth keeping may fail; the new one is complete then.
    if (!failed) CHECK(matches(*chosen(world.files).reader, newer));
    world.write(newer);
    REQUIRE(matches(*chosen(world.files).reader, newer));
  }
}

TEST_CASE("private sections are rewritten, the state digest stays, the former bytes are gone") {
  World world;
  const State older(10);
  const State newer(20);
  world.write(older);
  world.write(newer);
  const base::Digest digest = chosen(world.files).reader->state_digest();
  const auto edit = [](std::string_view section, base::ByteView chunk) -> base::Result<base::Bytes> {
    CHECK(section == "names");
    return base::Bytes(chunk.size() / 2, 0xee);
  };
  REQUIRE(store::rewrite_private_sections(world.files, directory, identity, edit).ok());
  const auto choice = chosen(world.files);
  REQUIRE(choice.reader != nullptr);
  CHECK(choice.reader->state_digest() == digest);
  REQUIRE(choice.reader->read("names", [&](base::ByteView bytes) {
    CHECK(base::to_bytes(bytes) == base::Bytes(newer.chunks[3].size() / 2, 0xee));
    return base::ok();
  }).ok());
  REQUIRE(choice.reader->read("clients", [&](base::ByteView bytes) {
    CHECK(base::to_bytes(bytes) == newer.chunks[4]);
    return base::ok();
  }).ok());
  CHECK(world.names().size() == 2);
  for (const std::string& name : world.names()) {
    CHECK(SnapshotReader::open(world.files, path_of(name), identity, true).ok());
  }
}

TEST_CASE("erasing removes a damaged snapshot and leaves a foreign one") {
  World world;
  world.write(State(10));
  world.write(State(20));
  REQUIRE(world.files.flip_bit(path_of("000000000000020.snap"), 100, 1));
  const auto edit = [](std::string_view, base::ByteView) -> base::Result<base::Bytes> { return base::Bytes(); };
  REQUIRE(store::rewrite_private_sections(world.files, directory, identity, edit).ok());
  CHECK(world.names() == std::vector<std::string>{"000000000000010.snap"});
  REQUIRE(store::rewrite_private_sections(world.files, directory, {1}, edit).ok());
  CHECK(world.names() == std::vector<std::string>{"000000000000010.snap"});
}

TEST_CASE("whatever call fails while erasing, a good snapshot remains") {
  for (std::uint64_t k = 1;; ++k) {
    World world(k);
    world.write(State(10));
    world.files.faults().fail_calls_from(k, io::Fault::power_loss);
    const auto edit = [](std::string_view, base::ByteView) -> base::Result<base::Bytes> { return base::Bytes(3); };
    static_cast<void>(store::rewrite_private_sections(world.files, directory, identity, edit).ok());
    const bool met = world.files.faults().delivered() > 0;
    world.files.crash();
    const auto choice = chosen(world.files);
    REQUIRE(choice.reader != nullptr);
    REQUIRE(choice.reader->state_digest() == store::digest_of_state(State(10).position, State(10).sections));
    if (!met) break;
  }
}

TEST_CASE("the bytes of a snapshot are as documented") {
  World world;
  const State state(3, 60);
  world.write(state);
  const auto bytes = *io::read_whole_file(world.files, path_of("000000000000003.snap"), 1 << 20);
  CHECK(base::to_hex({bytes.data(), 75}) ==
        "4846534e41505348" "01000000" "4b000000" "04050600000000000000000000000000" "0300" "0000" "02000000"
        "0300000000000000" "0000000000000000" "00002a36fe9c9717" "03000000" "090807" "82f6f75f");
  CHECK(base::to_hex(crypto::sha256(bytes)) == "69b6df29bdc923f6c964a6739adf4eb6fde65859a49c31f71433540d84f00354");
}
