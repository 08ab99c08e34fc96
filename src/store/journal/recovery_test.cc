// What a crash, a failed call or a lying disk leaves, and what opening makes of it.

#include <cstring>

#include "io/simulated_file.h"
#include "store/journal/journal_fixture.h"

namespace store {
namespace {

using fixture::code_of;
using fixture::Writer;
using State = io::DurableState;

base::Bytes& file_in(State& state, const std::string& path) {
  const auto found = state.files.find(path);
  REQUIRE(found != state.files.end());
  return found->second;
}

/// A disk with an acknowledged part and one group (or whatever `last` writes) on top that was not acknowledged.
struct Torn {
  explicit Torn(std::size_t groups, std::uint64_t segment_bytes = fixture::small_segment_bytes)
      : writer(files, segment_bytes) {
    REQUIRE_OK(writer.open());
    for (std::size_t i = 0; i < groups; ++i) REQUIRE_OK(writer.append(20, 3));
    before = files.durable_state();
  }
  /// To be called after something more was written; sectors of `path` that it changed.
  std::vector<std::uint64_t> changed_sectors(const std::string& path) {
    after = files.durable_state();
    memory = writer.memory();
    std::vector<std::uint64_t> sectors;
    const base::Bytes& is = file_in(after, path);
    const base::Bytes& was = file_in(before, path);
    for (std::uint64_t at = 0; at < is.size(); at += sector_bytes) {
      if (std::memcmp(is.data() + at, was.data() + at, sector_bytes) != 0) sectors.push_back(at);
    }
    return sectors;
  }
  void lose(State& state, const std::string& path, std::uint64_t sector) {
    std::memcpy(file_in(state, path).data() + sector, file_in(before, path).data() + sector, sector_bytes);
  }
  /// Opens on `state`, checks that nothing acknowledged is missing, appends, verifies. True if the last group was
  /// dropped.
  bool reopens(const State& state) {
    files.install(state);
    writer.remember(memory);
    const std::size_t told = memory.told.size();
    REQUIRE_OK(writer.open());
    const bool dropped = writer.told().size() < told;
    REQUIRE_OK(writer.append(5));
    auto report = writer.verify();
    REQUIRE_OK(report);
    for (const JournalFinding& finding : report->findings) FAIL_CHECK(finding.sentence);
    files.crash(io::CrashMode::lose_all);
    REQUIRE_OK(writer.open());
    return dropped;
  }
  std::string refuses(const State& state) {
    files.install(state);
    writer.remember(memory);
    auto opened = Journal::open(files, writer.options());
    if (opened.ok()) return "";
    CHECK(opened.error().message.find("journal/0000000") != std::string::npos);
    return opened.error().code;
  }

  io::SimulatedFileSystem files{7};
  Writer writer;
  State before;
  State after;
  Writer::Memory memory;
};

TEST_CASE("a torn group is dropped, whatever subset of its sectors is lost") {
  Torn torn(2);
  const std::string path = torn.writer.segment(1);
  REQUIRE_OK(torn.writer.journal().append(torn.writer.draft(40, 2, 700)));
  const auto sectors = torn.changed_sectors(path);
  REQUIRE(sectors.size() > 30);
  CHECK_FALSE(torn.reopens(torn.after));
  CHECK(torn.reopens([&] {
    State none = torn.after;
    for (const std::uint64_t sector : sectors) torn.lose(none, path, sector);
    return none;
  }()));
  State prefix = torn.after;
  for (std::size_t i = sectors.size(); i-- > 0;) {
    CAPTURE(sectors[i]);
    State one_lost = torn.after;
    torn.lose(one_lost, path, sectors[i]);
    CHECK(torn.reopens(one_lost));
    torn.lose(prefix, path, sectors[i]);
    CHECK(torn.reopens(prefix));
  }
  State suffix = torn.after;
  for (const std::uint64_t sector : sectors) {
    torn.lose(suffix, path, sector);
    CHECK(torn.reopens(suffix));
  }
}

TEST_CASE("the first write into a segment is torn") {
  for (const bool very_first : {true, false}) {
    CAPTURE(very_first);
    Torn torn(very_first ? 0 : 4);
    const std::string path = torn.writer.segment(very_first ? 1 : 2);
    REQUIRE_OK(torn.writer.journal().prepare_next());
    torn.before = torn.files.durable_state();
    REQUIRE_OK(torn.writer.journal().append(torn.writer.draft(100, 2, 400)));
    const auto sectors = torn.changed_sectors(path);
    REQUIRE(sectors.size() > 40);
    REQUIRE(sectors.front() == 0);
    CHECK_FALSE(torn.reopens(torn.after));
    State prefix = torn.after;
    for (std::size_t i = sectors.size(); i-- > 0;) {
      CAPTURE(sectors[i]);
      State one_lost = torn.after;
      torn.lose(one_lost, path, sectors[i]);
      CHECK(torn.reopens(one_lost));
      torn.lose(prefix, path, sectors[i]);
      CHECK(torn.reopens(prefix));
    }
  }
}

TEST_CASE("a torn footer is written again") {
  Torn torn(4);
  const std::string path = torn.writer.segment(1);
  const std::size_t told = torn.writer.told().size();
  REQUIRE_OK(torn.writer.journal().append(torn.writer.draft(100, 2, 400)));
  const auto sectors = torn.changed_sectors(path);
  REQUIRE_FALSE(sectors.empty());
  // The group that made the segment roll is not on the medium, and of the footer any part.
  State closed = torn.after;
  closed.files.erase(torn.writer.segment(2));
  torn.memory.told.resize(told);
  torn.reopens(closed);
  for (const std::uint64_t sector : sectors) {
    State one_lost = closed;
    torn.lose(one_lost, path, sector);
    torn.reopens(one_lost);
  }
  // With the next segment begun the footer must be whole.
  for (const std::uint64_t sector : sectors) {
    State one_lost = torn.after;
    torn.lose(one_lost, path, sector);
    torn.files.install(one_lost);
    auto report = torn.writer.verify();
    REQUIRE_OK(report);
    CHECK_FALSE(report->sound());
  }
  State footer_lost = torn.after;
  torn.lose(footer_lost, path, fixture::small_segment_bytes - sector_bytes);
  CHECK(torn.refuses(footer_lost) == "journal_segment_damaged");
}

TEST_CASE("anything but zeros in a failing sector refuses to open, naming file and offset") {
  Torn torn(2);
  const std::string path = torn.writer.segment(1);
  REQUIRE_OK(torn.writer.journal().append(torn.writer.draft(40, 2, 700)));
  const auto sectors = torn.changed_sectors(path);
  for (const std::uint64_t sector : sectors) {
    CAPTURE(sector);
    State flipped = torn.after;
    file_in(flipped, path)[sector + 100] ^= 0x10;
    CHECK(torn.refuses(flipped) == "journal_segment_damaged");
    // A sector lost further on does not excuse it.
    if (sector >= sectors[sectors.size() - 4]) continue;
    State both = flipped;
    torn.lose(both, path, sectors.back());
    CHECK(torn.refuses(both) == "journal_segment_damaged");
  }
}

TEST_CASE("the message names the offset of the damage") {
  Torn torn(2);
  torn.changed_sectors(torn.writer.segment(1));
  State flipped = torn.after;
  const std::uint64_t header_at = block_bytes;
  file_in(flipped, torn.writer.segment(1))[header_at + 30] ^= 1;
  torn.files.install(flipped);
  auto opened = Journal::open(torn.files, torn.writer.options());
  REQUIRE_FALSE(opened.ok());
  CHECK(opened.error().message == "journal file \"journal/00000001.seg\" at offset 4096 is damaged: group header");
}

TEST_CASE("an acknowledged group before the last is never taken for a torn one") {
  Torn torn(3);
  const std::string path = torn.writer.segment(1);
  auto second = torn.writer.journal().reader()->read_group_header(45);
  REQUIRE_OK(second);
  REQUIRE(second->group == 2);
  torn.changed_sectors(path);
  const std::uint64_t begin = block_bytes + second->group_bytes();
  for (std::uint64_t sector = begin; sector < begin + second->group_bytes(); sector += sector_bytes) {
    State lost = torn.after;
    base::Bytes& bytes = file_in(lost, path);
    const auto at = bytes.begin() + static_cast<std::ptrdiff_t>(sector);
    if (all_zeros(base::ByteView(bytes).subspan(sector, sector_bytes))) continue;
    std::fill(at, at + sector_bytes, std::uint8_t{0});
    CHECK(torn.refuses(lost) == "journal_segment_damaged");
  }
}

TEST_CASE("a write that the disk swallowed is noticed as soon as another one followed") {
  for (int which = 0; which < 6; ++which) {
    CAPTURE(which);
    io::SimulatedFileSystem files(3);
    Writer writer(files);
    REQUIRE_OK(writer.open());
    REQUIRE_OK(writer.journal().prepare_next());
    for (int i = 0; i < 6; ++i) {
      if (i == which) {
        // The first group's write is the second of its segment (the header goes first).
        files.faults().fail_call(i == 0 ? 3 : 1, io::Fault::lost_write);
      }
      REQUIRE_OK(writer.append(10));
    }
    REQUIRE_OK(writer.append(10));
    files.crash(io::CrashMode::lose_all);
    auto opened = Journal::open(files, writer.options());
    CHECK(code_of(opened) == "journal_segment_damaged");
  }
}

TEST_CASE("after a failed write or sync nothing is taken any more") {
  for (const std::uint64_t call : {1u, 2u}) {
    io::SimulatedFileSystem files(3);
    Writer writer(files);
    REQUIRE_OK(writer.open());
    REQUIRE_OK(writer.append(3));
    files.faults().fail_call(call, io::Fault::io_error);
    CHECK(code_of(writer.append(3)) == (call == 1 ? "file_write_failed" : "file_sync_failed"));
    CHECK(code_of(writer.append(3)) == "journal_failed");
    CHECK(code_of(writer.journal().seal({1})) == "journal_failed");
    CHECK(code_of(writer.journal().prepare_next()) == "journal_failed");
    CHECK(code_of(writer.journal().erase_private(1, model::PrivateField::account_name)) == "journal_failed");
    files.crash(io::CrashMode::keep_all);
  }
}

TEST_CASE("what only memory holds after a failed sync is written again before it is served") {
  io::SimulatedFileSystem files(3);
  Writer writer(files);
  REQUIRE_OK(writer.open());
  REQUIRE_OK(writer.append(3));
  files.faults().fail_next_sync();
  CHECK(code_of(writer.append(3)) == "file_sync_failed");
  // The process restarts, the machine does not: readers see the group, the medium may not have it.
  REQUIRE_OK(writer.open());
  CHECK(writer.journal().repairs().last_group_rewritten);
  const std::size_t served = writer.told().size();
  files.crash(io::CrashMode::lose_all);
  REQUIRE_OK(writer.open());
  CHECK(writer.told().size() == served);
}

/// Appends, rolls, erases, prepares, seals, copies; stops at the first error.
base::Status live(Writer& writer, io::SimulatedFileSystem& files, bool& erased) {
  TRY(writer.open());
  TRY(writer.journal().prepare_next());
  TRY(writer.append(10, 1));
  TRY(writer.append(60, 2, 300));
  TRY(writer.journal().prepare_next());
  TRY(writer.append(120, 3));
  TRY(writer.append(60, 2, 300));
  TRY(writer.journal().erase_private(2, model::PrivateField::transfer_reference));
  erased = true;
  TRY(writer.journal().seal({9'000}));
  TRY(writer.journal().reader()->copy_to(files, "copy"));
  return base::ok();
}

TEST_CASE("every call fails once, and what was acknowledged is there afterwards") {
  for (const io::Fault fault :
       {io::Fault::io_error, io::Fault::disk_full, io::Fault::torn_write, io::Fault::power_loss}) {
    for (const io::CrashMode mode : {io::CrashMode::random, io::CrashMode::lose_all, io::CrashMode::keep_all}) {
      std::uint64_t k = 1;
      for (;; ++k) {
        CAPTURE(static_cast<int>(fault));
        CAPTURE(k);
        io::SimulatedFileSystem files(k);
        Writer writer(files);
        files.faults().fail_call(k, fault);
        bool erased = false;
        const base::Status lived = live(writer, files, erased);
        // A full disk does not disturb every call.
        if (files.faults().delivered() == 0 && lived.ok() && files.faults().calls() < k) break;
        writer.close();
        files.crash(mode);
        REQUIRE_OK(writer.open());
        if (erased) {
          auto value = writer.journal().reader()->read_private(2, model::PrivateField::transfer_reference);
          REQUIRE_OK(value);
          REQUIRE(value->has_value());
          CHECK((*value)->erased);
        }
        REQUIRE_OK(writer.append(3));
        if (writer.journal_next() > 3 && writer.told().front().event_count > 0) {
          auto value = writer.journal().reader()->read_private(2, model::PrivateField::transfer_reference);
          REQUIRE_OK(value);
          if (value->has_value())
            REQUIRE_OK(writer.journal().erase_private(2, model::PrivateField::transfer_reference));
        }
        auto report = writer.verify();
        REQUIRE_OK(report);
        for (const JournalFinding& finding : report->findings) FAIL_CHECK(finding.sentence);
      }
      CHECK(k > 45);
    }
  }
}

TEST_CASE("the same with calls that lie: found, or harmless") {
  int found = 0;
  for (std::uint64_t k = 1; k < 200; ++k) {
    CAPTURE(k);
    io::SimulatedFileSystem files(k);
    Writer writer(files);
    files.faults().fail_call(k, io::Fault::flipped_write);
    bool erased = false;
    const base::Status lived = live(writer, files, erased);
    if (files.faults().calls() < k) break;
    REQUIRE_OK(lived);
    writer.close();
    files.crash(io::CrashMode::lose_all);
    const base::Status opened = writer.open();
    if (!opened.ok()) {
      CHECK(code_of(opened) == "journal_segment_damaged");
      ++found;
    }
  }
  CHECK(found > 3);
}

TEST_CASE("many lives with crashes at random calls") {
  int torn = 0;
  for (std::uint64_t seed = 1; seed <= 60; ++seed) {
    CAPTURE(seed);
    io::SimulatedFileSystem files(seed);
    io::SimulatedRandom random(seed);
    Writer writer(files);
    for (int life = 0; life < 6; ++life) {
      files.faults().fail_call(1 + random.below(60), io::Fault::power_loss);
      base::Status alive = writer.open();
      while (alive.ok()) {
        switch (random.below(6)) {
          case 0:
            alive = writer.journal().prepare_next();
            break;
          case 1:
            alive = writer.journal().seal({1'000});
            break;
          default: {
            auto group = writer.append(1 + random.below(120), random.below(5), random.below(900));
            if (!group.ok()) alive = group.error();
          }
        }
      }
      writer.close();
      files.crash(static_cast<io::CrashMode>(random.below(3)));
      REQUIRE_OK(writer.open());
      if (writer.journal().repairs().torn_group_dropped) ++torn;
      auto report = writer.verify();
      REQUIRE_OK(report);
      for (const JournalFinding& finding : report->findings) FAIL_CHECK(finding.sentence);
    }
  }
  CHECK(torn > 8);
}

TEST_CASE("a hole in the files, and files that do not belong here") {
  io::SimulatedFileSystem files(3);
  Writer writer(files);
  REQUIRE_OK(writer.open());
  for (int i = 0; i < 12; ++i) REQUIRE_OK(writer.append(60, 2, 200));
  writer.close();
  const State whole = files.durable_state();
  REQUIRE(whole.files.size() > 3);

  State hole = whole;
  hole.files.erase(writer.segment(2));
  files.install(hole);
  CHECK(code_of(Journal::open(files, writer.options())) == "journal_segment_missing");

  files.install(whole);
  JournalOptions options = writer.options();
  options.partition = 3;
  CHECK(code_of(Journal::open(files, options)) == "journal_partition_wrong");

  // Two files change places.
  State swapped = whole;
  std::swap(file_in(swapped, writer.segment(1)), file_in(swapped, writer.segment(2)));
  files.install(swapped);
  CHECK(code_of(Journal::open(files, writer.options())) == "journal_segment_damaged");

  // A file of another journal.
  io::SimulatedFileSystem other_files(4);
  JournalOptions other_options = writer.options();
  other_options.id_if_new.fill(0x11);
  auto other = Journal::open(other_files, other_options);
  REQUIRE_OK(other);
  REQUIRE_OK((*other)->start(writer.blinding(), {}));
  REQUIRE_OK((*other)->seal({1}));
  State mixed = whole;
  State strange = other_files.durable_state();
  file_in(mixed, writer.segment(2)) = file_in(strange, writer.segment(1));
  files.install(mixed);
  CHECK(code_of(Journal::open(files, writer.options())) == "journal_segment_damaged");
  SegmentHeader header;
  REQUIRE(decode_header(base::ByteView(file_in(mixed, writer.segment(2))).first(sector_bytes), header) ==
          SectorState::good);
  header.segment = 2;
  encode_header(header, std::span(file_in(mixed, writer.segment(2))).first(sector_bytes));
  files.install(mixed);
  CHECK(code_of(Journal::open(files, writer.options())) == "journal_id_wrong");

  // A later version of the format.
  for (const std::uint64_t at : {std::uint64_t{0}, fixture::small_segment_bytes - sector_bytes}) {
    State later = whole;
    const std::span<std::uint8_t> sector = std::span(file_in(later, writer.segment(1))).subspan(at, sector_bytes);
    base::store_le(sector.data() + 8, std::uint16_t{2});
    base::store_le(sector.data() + sector_bytes - 4, base::crc32c(base::ByteView(sector).first(sector_bytes - 4)));
    files.install(later);
    CHECK(code_of(Journal::open(files, writer.options())) == "journal_version_unknown");
  }
  // A file that lost its end.
  State cut = whole;
  file_in(cut, writer.segment(1)).resize(30'000);
  files.install(cut);
  CHECK(code_of(Journal::open(files, writer.options())) == "journal_segment_damaged");
  // Names that mean nothing to the journal are left alone.
  State names = whole;
  names.files["journal/README"] = {1};
  names.files["journal/0000001.seg"] = {1};
  names.files["journal/00000009.seg.new"] = {1};
  files.install(names);
  REQUIRE_OK(writer.open());
  CHECK(*files.exists("journal/README"));
  CHECK_FALSE(*files.exists("journal/00000009.seg.new"));
}

TEST_CASE("a deposed writer's groups are refused") {
  io::SimulatedFileSystem files(3);
  Writer writer(files);
  REQUIRE_OK(writer.open());
  REQUIRE_OK(writer.append(3));
  writer.journal().bump_epoch(4);
  REQUIRE_OK(writer.append(3));
  CHECK(writer.journal().reader()->end().epoch == 4);
  REQUIRE_OK(writer.append(3));
  REQUIRE_OK(writer.open());
  CHECK(writer.journal().end_at_open().epoch == 4);
  auto header = writer.journal().reader()->read_group_header(writer.told()[3].first_event);
  REQUIRE_OK(header);
  CHECK((header->flags & group_bumps_epoch) != 0);
  writer.close();

  // The last group with an epoch from before: its header is intact, but it does not follow.
  State state = files.durable_state();
  base::Bytes& bytes = file_in(state, writer.segment(1));
  const std::uint64_t at = 2 * (header->group_bytes()) + block_bytes;
  GroupHeader last;
  REQUIRE(decode_header(base::ByteView(bytes).subspan(at, sector_bytes), last) == SectorState::good);
  REQUIRE(last.group == 3);
  last.epoch = 1;
  encode_header(last, std::span(bytes).subspan(at, sector_bytes));
  files.install(state);
  CHECK(code_of(Journal::open(files, writer.options())) == "journal_epoch_wrong");
}

}  // namespace
}  // namespace store
