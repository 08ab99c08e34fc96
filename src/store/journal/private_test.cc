// Personal values: found, erased for good, and copied with a backup.

#include <cstring>

#include "io/simulated_file.h"
#include "store/journal/journal_fixture.h"

namespace store {
namespace {

using fixture::code_of;
using fixture::Writer;
using model::PrivateField;

TEST_CASE("several values of one event, around the table's slots") {
  io::SimulatedFileSystem files(1);
  Writer writer(files, 1 << 20);
  REQUIRE_OK(writer.open());
  GroupBuilder& builder = writer.builder();
  builder.start(1);
  const model::Event event{{1}, model::BatchRecorded{1}};
  model::Command command;
  command.body = model::RecordBatch{{1}};
  const PrivateField fields[] = {PrivateField::account_name, PrivateField::account_metadata, PrivateField::client_name};
  for (model::EventNumber number = 1; number <= 100; ++number) {
    builder.add_entry({1}, command, {&event, 1});
    for (const PrivateField field : fields) {
      builder.add_private({number, field, {}, fixture::filled(number % 20, static_cast<std::uint8_t>(field))});
    }
  }
  auto group = writer.journal().append(builder.finish({1}));
  REQUIRE_OK(group);
  const JournalReader& reader = *writer.journal().reader();
  for (model::EventNumber number = 1; number <= 100; ++number) {
    for (const PrivateField field : fields) {
      auto value = reader.read_private(number, field);
      REQUIRE_OK(value);
      REQUIRE(value->has_value());
      CHECK((*value)->event == number);
      CHECK((*value)->value == fixture::filled(number % 20, static_cast<std::uint8_t>(field)));
      CHECK((*group)->private_value(number, field)->value == (*value)->value);
    }
    auto none = reader.read_private(number, PrivateField::transfer_reference);
    REQUIRE_OK(none);
    CHECK_FALSE(none->has_value());
  }
}

TEST_CASE("an erased value is gone from the medium, and nothing else changes") {
  io::SimulatedFileSystem files(1);
  Writer writer(files);
  REQUIRE_OK(writer.open());
  for (int i = 0; i < 8; ++i) REQUIRE_OK(writer.append(50, 2, 150));
  Journal& journal = writer.journal();
  auto before = journal.reader()->read_group(4);
  REQUIRE_OK(before);
  for (const model::EventNumber event : {model::EventNumber{4}, writer.journal_next() - 2}) {
    const model::EventNumber even = event / 2 * 2;
    auto there = journal.reader()->read_private(even, PrivateField::transfer_reference);
    REQUIRE_OK(there);
    if (!there->has_value()) continue;
    REQUIRE_OK(journal.erase_private(even, PrivateField::transfer_reference));
    REQUIRE_OK(journal.erase_private(even, PrivateField::transfer_reference));
    auto value = journal.reader()->read_private(even, PrivateField::transfer_reference);
    REQUIRE_OK(value);
    CHECK((*value)->erased);
    CHECK((*value)->value == fixture::filled(150, 0));
    CHECK((*value)->salt == base::Tag128{});
  }
  CHECK(code_of(journal.erase_private(5, PrivateField::transfer_reference)) == "private_value_not_found");
  CHECK(code_of(journal.erase_private(9'999, PrivateField::transfer_reference)) == "event_not_in_journal");
  auto after = journal.reader()->read_group(4);
  REQUIRE_OK(after);
  GroupHeader header;
  REQUIRE(decode_header(base::ByteView(*after).first(sector_bytes), header) == SectorState::good);
  CHECK(std::memcmp(before->data(), after->data(), header.private_begin()) == 0);
  std::size_t changed = 0;
  for (std::size_t i = 0; i < before->size(); ++i) changed += (*before)[i] != (*after)[i] ? 1 : 0;
  CHECK(changed <= 4 + 4 + 16 + 150);
  CHECK(changed >= 150);
  files.crash(io::CrashMode::lose_all);
  REQUIRE_OK(writer.open());
  CHECK((*writer.journal().reader()->read_private(4, PrivateField::transfer_reference))->erased);
  auto report = writer.verify();
  REQUIRE_OK(report);
  CHECK(report->sound());
}

TEST_CASE("an erasing that a crash interrupts is told, and finished by the next") {
  int unfinished = 0;
  int untouched = 0;
  for (std::uint64_t seed = 0; seed < 40; ++seed) {
    for (std::uint64_t call = 1; call <= 12; ++call) {
      CAPTURE(seed);
      CAPTURE(call);
      io::SimulatedFileSystem files(seed);
      Writer writer(files);
      REQUIRE_OK(writer.open());
      REQUIRE_OK(writer.append(10, 1, 2'000));
      files.faults().fail_call(call, io::Fault::power_loss);
      if (writer.journal().erase_private(4, PrivateField::transfer_reference).ok()) break;
      writer.close();
      files.crash();
      auto report = writer.verify();
      REQUIRE_OK(report);
      if (!report->sound()) {
        ++unfinished;
        CHECK(report->findings[0].sentence.find("erased private record that is not all zeros") != std::string::npos);
      }
      REQUIRE_OK(writer.open());
      auto value = writer.journal().reader()->read_private(4, PrivateField::transfer_reference);
      REQUIRE_OK(value);
      if (!(*value)->erased) {
        ++untouched;
        CHECK((*value)->value == fixture::filled(2'000, 'p'));
      }
      REQUIRE_OK(writer.journal().erase_private(4, PrivateField::transfer_reference));
      REQUIRE(writer.verify()->sound());
    }
  }
  CHECK(unfinished > 3);
  CHECK(untouched > 3);
}

TEST_CASE("a copy taken under way is a journal of its own, and goes on in a new epoch") {
  io::SimulatedFileSystem files(1);
  Writer writer(files);
  REQUIRE_OK(writer.open());
  auto empty = writer.journal().reader()->copy_to(files, "empty");
  REQUIRE_OK(empty);
  for (int i = 0; i < 9; ++i) REQUIRE_OK(writer.append(50, 2, 150));
  REQUIRE_OK(writer.journal().reader()->copy_to(files, "copy"));
  const JournalEnd copied = writer.journal().reader()->end();
  CHECK(code_of(writer.journal().reader()->copy_to(files, "copy")) == "file_exists");
  REQUIRE_OK(writer.append(50));
  files.crash(io::CrashMode::lose_all);

  auto report = verify_journal(files, "copy", {.blinding = &writer.blinding()});
  REQUIRE_OK(report);
  CHECK(report->sound());
  CHECK(report->end == copied);
  JournalOptions options = writer.options();
  options.directory = "copy";
  auto copy = Journal::open(files, options);
  REQUIRE_OK(copy);
  CHECK((*copy)->end_at_open() == copied);
  audit::Frontier frontier;
  REQUIRE_OK((*copy)->reader()->for_each_entry(1, {.blinding = &writer.blinding(), .frontier = &frontier},
                                               [](const EntryView&) { return base::ok(); }));
  REQUIRE_OK((*copy)->start(writer.blinding(), frontier));
  (*copy)->bump_epoch(copied.epoch + 1);
  REQUIRE_OK((*copy)->seal({1}));
  CHECK((*copy)->reader()->end().epoch == copied.epoch + 1);
  auto again = Journal::open(files, options);
  REQUIRE_OK(again);
  CHECK((*again)->end_at_open().epoch == copied.epoch + 1);

  // A segment of the original cannot be put into the copy.
  copy->reset();
  again->reset();
  io::DurableState state = files.durable_state();
  state.files["copy/00000003.seg"] = state.files.at(writer.segment(3));
  files.install(state);
  const std::string code = code_of(Journal::open(files, options));
  CHECK((code.empty() || code == "journal_segment_damaged"));
  options.directory = "empty";
  REQUIRE_OK(Journal::open(files, options));
}

}  // namespace
}  // namespace store
