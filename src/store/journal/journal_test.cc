// Round trips: what is appended is read back, over segments, reopenings and threads.

#include <mutex>
#include <thread>

#include "io/posix_file.h"
#include "io/simulated_file.h"
#include "io/temporary_directory.h"
#include "store/journal/journal_fixture.h"

namespace store {
namespace {

using fixture::code_of;
using fixture::Writer;

void read_back(const Writer& writer, const JournalReader& reader) {
  for (const fixture::Told& told : writer.told()) {
    for (std::uint32_t i = 0; i < told.event_count; ++i) {
      auto entry = reader.read_entry(told.first_event + i);
      REQUIRE_OK(entry);
      REQUIRE(entry->first_event == told.first_event);
      REQUIRE(entry->event_count == told.event_count);
      REQUIRE(entry->bytes == told.bytes);
    }
  }
  CHECK(code_of(reader.read_entry(0)) == "event_not_in_journal");
  CHECK(code_of(reader.read_entry(writer.journal_next())) == "event_not_in_journal");
}

TEST_CASE("what is appended is read back, before and after reopening") {
  io::SimulatedFileSystem files(1);
  Writer writer(files);
  REQUIRE_OK(writer.open());
  CHECK(writer.journal().end_at_open().group == 0);
  for (const std::size_t entries : {1u, 2u, 63u, 64u, 65u, 1u, 200u}) REQUIRE_OK(writer.append(entries, 5));
  read_back(writer, *writer.journal().reader());
  files.crash(io::CrashMode::lose_all);
  REQUIRE_OK(writer.open());
  read_back(writer, *writer.journal().reader());
  CHECK(writer.journal().end_at_open().group == 7);
  CHECK_FALSE(writer.journal().repairs().torn_group_dropped);
  REQUIRE_OK(writer.append(3));
  read_back(writer, *writer.journal().reader());
}

TEST_CASE("a sealed group finds its entries and personal values") {
  io::SimulatedFileSystem files(1);
  Writer writer(files);
  REQUIRE_OK(writer.open());
  REQUIRE_OK(writer.append(2));
  auto group = writer.append(150, 2, 33);
  REQUIRE_OK(group);
  const SealedGroup& sealed = **group;
  CHECK(sealed.frontier().size() == sealed.header().tree_size);
  for (const fixture::Told& told : writer.told()) {
    auto entry = sealed.find_entry(told.first_event);
    if (told.first_event < sealed.header().first_event) {
      CHECK(code_of(entry) == "event_not_in_group");
      continue;
    }
    REQUIRE_OK(entry);
    CHECK(base::to_bytes(entry->bytes) == told.bytes);
    const auto value = sealed.private_value(told.first_event, model::PrivateField::transfer_reference);
    CHECK(value.has_value() == (told.first_event % 2 == 0));
    if (value) CHECK(value->value == fixture::filled(33, 'p'));
    CHECK_FALSE(sealed.private_value(told.first_event, model::PrivateField::tenant_name).has_value());
  }
}

TEST_CASE("segments roll, prepared or not, and old ones are read through their index") {
  io::SimulatedFileSystem files(1);
  Writer writer(files);
  REQUIRE_OK(writer.open());
  for (int i = 0; i < 60; ++i) {
    if (i % 3 == 0) REQUIRE_OK(writer.journal().prepare_next());
    REQUIRE_OK(writer.append(static_cast<std::size_t>(1 + i % 90), 7));
  }
  auto names = files.list("journal");
  REQUIRE_OK(names);
  CHECK(names->size() > 5);
  read_back(writer, *writer.journal().reader());
  files.crash(io::CrashMode::lose_all);
  REQUIRE_OK(writer.open());
  read_back(writer, *writer.journal().reader());
  REQUIRE_OK(writer.append(10));
  auto report = writer.verify();
  REQUIRE_OK(report);
  CHECK(report->findings.empty());
  CHECK(report->groups == 61);
  CHECK(report->entries == writer.told().size());
  CHECK(report->events == writer.journal_next() - 1);

  // A reader without a writer sees the same.
  auto reader = JournalReader::open(files, "journal", 0);
  REQUIRE_OK(reader);
  read_back(writer, **reader);
  CHECK((*reader)->end() == writer.journal().reader()->end());
}

TEST_CASE("long reads begin anywhere and check roots") {
  io::SimulatedFileSystem files(1);
  Writer writer(files);
  REQUIRE_OK(writer.open());
  std::vector<audit::Frontier> frontiers{audit::Frontier()};
  std::vector<model::EventNumber> starts{1};
  for (int i = 0; i < 30; ++i) {
    auto group = writer.append(40);
    REQUIRE_OK(group);
    frontiers.push_back((*group)->frontier());
    starts.push_back((*group)->header().next_event());
  }
  const JournalReader& reader = *writer.journal().reader();
  for (std::size_t i = 0; i < starts.size(); ++i) {
    audit::Frontier frontier = frontiers[i];
    std::size_t entries = 0;
    REQUIRE_OK(reader.for_each_entry(starts[i], {.blinding = &writer.blinding(), .frontier = &frontier},
                                     [&](const EntryView&) {
                                       ++entries;
                                       return base::ok();
                                     }));
    CHECK(entries == 40 * (30 - i));
    CHECK(frontier == frontiers.back());
  }
  // In the middle of a group: only entries from there on.
  model::EventNumber lowest = 0;
  REQUIRE_OK(reader.for_each_entry(10, {}, [&](const EntryView& entry) {
    if (lowest == 0) lowest = entry.first_event;
    return base::ok();
  }));
  CHECK(lowest == 10);
  CHECK(code_of(reader.for_each_entry(starts.back() + 1, {}, [](const EntryView&) { return base::ok(); })) ==
        "event_not_in_journal");
  // A frontier that is not the log's is noticed.
  audit::Frontier wrong;
  CHECK(code_of(reader.for_each_entry(starts[1], {.blinding = &writer.blinding(), .frontier = &wrong},
                                      [](const EntryView&) { return base::ok(); })) == "journal_segment_damaged");
  // The visitor's error comes back.
  CHECK(code_of(reader.for_each_entry(1, {}, [](const EntryView&) -> base::Status {
          return base::Error{"enough", ""};
        })) == "enough");
}

TEST_CASE("start takes only the audit log that belongs to the journal") {
  io::SimulatedFileSystem files(1);
  Writer writer(files);
  REQUIRE_OK(writer.open());
  REQUIRE_OK(writer.append(3));
  writer.close();
  auto journal = Journal::open(files, writer.options());
  REQUIRE_OK(journal);
  CHECK(code_of((*journal)->start(writer.blinding(), {})) == "journal_tree_mismatch");
  audit::Frontier other;
  for (std::uint64_t i = 0; i < (*journal)->end_at_open().tree_size; ++i) other.append(base::Digest{});
  CHECK(code_of((*journal)->start(writer.blinding(), other)) == "journal_tree_mismatch");
}

TEST_CASE("a seal is written once, holds nothing, and survives reopening") {
  io::SimulatedFileSystem files(1);
  Writer writer(files);
  REQUIRE_OK(writer.open());
  REQUIRE_OK(writer.append(3));
  const ClockAnchor clock{.instant = {5'000}, .boot_ns = 77, .boot_id = {1}, .confirmed_lag = {-3}};
  REQUIRE_OK(writer.journal().seal({5'000}, clock));
  REQUIRE_OK(writer.journal().seal({6'000}, clock));
  CHECK(writer.journal().reader()->end().group == 2);
  REQUIRE_OK(writer.open());
  CHECK(writer.journal().end_at_open().sealed);
  CHECK(writer.journal().end_at_open().at == base::Instant{5'000});
  CHECK(writer.journal().end_at_open().clock == clock);
  REQUIRE_OK(writer.append(2));
  auto header = writer.journal().reader()->read_group_header(writer.journal_next() - 1);
  REQUIRE_OK(header);
  CHECK(header->group == 3);
  CHECK(header->known_durable_group == 2);
  read_back(writer, *writer.journal().reader());
  auto report = writer.verify();
  REQUIRE_OK(report);
  CHECK(report->sound());
  CHECK_FALSE(report->ends_with_seal);
}

TEST_CASE("a group that fits no segment is refused and the journal stops") {
  io::SimulatedFileSystem files(1);
  Writer writer(files);
  REQUIRE_OK(writer.open());
  REQUIRE_OK(writer.append(3));
  CHECK(code_of(writer.append(1500)) == "journal_group_too_large");
  CHECK(code_of(writer.journal().check_usable()) == "journal_failed");
}

TEST_CASE("a group fills a segment to the last block") {
  io::SimulatedFileSystem files(1);
  Writer writer(files);
  REQUIRE_OK(writer.open());
  REQUIRE_OK(writer.append(1));
  writer.builder().start(writer.journal_next());
  const model::Event event{{1}, model::BatchRecorded{1}};
  model::Command command;
  command.body = model::RecordBatch{{1}};
  writer.builder().add_entry({1}, command, {&event, 1});
  const std::uint64_t room = writer.journal().group_bytes_max() - 3 * block_bytes;
  model::PrivateValue value{writer.journal_next(), model::PrivateField::account_metadata, {}, {}};
  value.value = fixture::filled(room - private_table_bytes(1) - private_record_head_bytes + block_bytes, 'x');
  writer.builder().add_private(value);
  CHECK(writer.builder().disk_bytes() == writer.journal().group_bytes_max());
  REQUIRE_OK(writer.journal().append(writer.builder().finish({1})));
  auto report = writer.verify();
  REQUIRE_OK(report);
  CHECK(report->sound());
  CHECK(report->segments == 2);
}

TEST_CASE("the upper bound of what an entry adds holds") {
  io::SimulatedFileSystem files(1);
  Writer writer(files);
  REQUIRE_OK(writer.open());
  GroupBuilder& builder = writer.builder();
  builder.start(1);
  const model::Event event{{1}, model::BatchRecorded{1}};
  model::Command command;
  command.body = model::RecordBatch{{1}};
  for (int i = 0; i < 300; ++i) {
    const std::uint64_t before = builder.disk_bytes();
    base::Bytes bytes;
    std::vector<model::ByteRange> ranges;
    model::encode_entry(bytes, ranges, {1}, command, {&event, 1});
    const std::uint64_t bound = GroupBuilder::added_bytes_max(bytes.size(), 2, 300);
    builder.add_entry({1}, command, {&event, 1});
    builder.add_private({builder.next_event() - 1, model::PrivateField::account_name, {}, fixture::filled(100, 'a')});
    builder.add_private(
        {builder.next_event() - 1, model::PrivateField::account_metadata, {}, fixture::filled(200, 'b')});
    CHECK(builder.disk_bytes() <= before + bound);
  }
  const std::uint64_t size = builder.disk_bytes();
  const GroupDraft draft = builder.finish({1});
  CHECK(draft.disk_bytes() == size);
  CHECK(draft.next_event() == 301);
}

TEST_CASE("a group with a long map of sectors, full of zeros that are meant") {
  io::SimulatedFileSystem files(1);
  Writer writer(files, std::uint64_t{32} << 20);
  REQUIRE_OK(writer.open());
  GroupBuilder& builder = writer.builder();
  builder.start(1);
  const model::Event event{{1}, model::BatchRecorded{1}};
  model::Command command;
  command.body = model::RecordBatch{{1}};
  builder.add_entry({1}, command, {&event, 1});
  for (int i = 0; i < 16; ++i) {
    builder.add_private(
        {1, model::PrivateField::account_metadata, {}, fixture::filled(1 << 20, static_cast<std::uint8_t>(i % 2))});
  }
  auto group = writer.journal().append(builder.finish({1}));
  REQUIRE_OK(group);
  CHECK((*group)->header().header_bytes() == 2 * block_bytes);
  CHECK((*group)->find_entry(1)->event_count == 1);
  files.crash(io::CrashMode::lose_all);
  auto journal = Journal::open(files, writer.options());
  REQUIRE_OK(journal);
  CHECK((*journal)->end_at_open().group == 1);
}

TEST_CASE("room is known before it is needed") {
  io::SimulatedFileSystem files(1);
  Writer writer(files);
  REQUIRE_OK(writer.open());
  CHECK_FALSE(writer.journal().room_for(block_bytes));
  REQUIRE_OK(writer.journal().prepare_next());
  CHECK(writer.journal().room_for(40'000));
  CHECK_FALSE(writer.journal().room_for(80'000));
  REQUIRE_OK(writer.append(100));
  CHECK(writer.journal().room_for(8 * block_bytes));
  CHECK_FALSE(writer.journal().room_for(14 * block_bytes));

  // No space for another segment: nothing is broken, and what is prepared can be used up.
  files.set_capacity(100'000);
  CHECK(code_of(writer.journal().prepare_next()) == "disk_full");
  REQUIRE_OK(writer.journal().check_usable());
  std::uint64_t appended = 0;
  while (true) {
    GroupDraft draft = writer.draft(20);
    if (!writer.journal().room_for(draft.disk_bytes())) break;
    REQUIRE_OK(writer.journal().append(std::move(draft)));
    ++appended;
  }
  CHECK(appended >= 2);
  files.set_capacity(1'000'000);
  REQUIRE_OK(writer.journal().prepare_next());
  CHECK(writer.journal().room_for(40'000));
}

TEST_CASE("one thread prepares while another commits") {
  io::SimulatedFileSystem files(1);
  Writer writer(files);
  REQUIRE_OK(writer.open());
  std::mutex mutex;
  std::vector<PreparedGroup> waiting;
  bool last = false;
  std::thread committer([&] {
    for (bool stop = false; !stop;) {
      std::vector<PreparedGroup> groups;
      {
        const std::lock_guard lock(mutex);
        groups.swap(waiting);
        stop = last;
      }
      for (PreparedGroup& group : groups) REQUIRE(writer.journal().commit(std::move(group)).ok());
      std::this_thread::yield();
    }
  });
  std::thread preparer([&] {
    for (int i = 0; i < 20; ++i) REQUIRE(writer.journal().prepare_next().ok());
  });
  for (int i = 0; i < 100; ++i) {
    auto prepared = writer.journal().prepare(writer.draft(30));
    REQUIRE_OK(prepared);
    const std::lock_guard lock(mutex);
    waiting.push_back(std::move(*prepared));
    if (i == 99) last = true;
    auto end = writer.journal().reader()->end();
    if (end.next_event > 1) REQUIRE_OK(writer.journal().reader()->read_entry(end.next_event - 1));
  }
  preparer.join();
  committer.join();
  read_back(writer, *writer.journal().reader());
}

TEST_CASE("on a real disk") {
  io::TemporaryDirectory directory;
  io::RealFileSystem files;
  Writer writer(files, fixture::small_segment_bytes, directory.path() + "/journal");
  REQUIRE_OK(writer.open());
  for (int i = 0; i < 20; ++i) REQUIRE_OK(writer.append(30, 4));
  REQUIRE_OK(writer.journal().seal({3'000}));
  REQUIRE_OK(writer.open());
  read_back(writer, *writer.journal().reader());
  auto report = writer.verify();
  REQUIRE_OK(report);
  CHECK(report->sound());
  CHECK(report->ends_with_seal);
}

}  // namespace
}  // namespace store
