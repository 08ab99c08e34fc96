// Changed bytes: found by verify wherever they are, and never served.

#include <cstring>

#include "io/simulated_file.h"
#include "store/journal/journal_fixture.h"

namespace store {
namespace {

using fixture::code_of;
using fixture::Writer;

/// Two closed segments, one being written, one prepared; erased values; ends with a seal.
struct Whole {
  Whole() : writer(files) {
    REQUIRE_OK(writer.open());
    for (int i = 0; i < 10; ++i) REQUIRE_OK(writer.append(50, 2, 150));
    REQUIRE_OK(writer.journal().erase_private(2, model::PrivateField::transfer_reference));
    REQUIRE_OK(writer.journal().prepare_next());
    REQUIRE_OK(writer.journal().seal({7}));
    writer.close();
    auto names = files.list("journal");
    REQUIRE_OK(names);
    segments = static_cast<SegmentNumber>(names->size());
    REQUIRE(segments == 4);
  }
  io::SimulatedFileSystem files{5};
  Writer writer;
  SegmentNumber segments = 0;
};

TEST_CASE("verify finds every flipped bit, in used bytes, padding and space not used yet") {
  Whole whole;
  auto sound = whole.writer.verify();
  REQUIRE_OK(sound);
  REQUIRE(sound->sound());
  CHECK(sound->erased_values == 1);
  CHECK(sound->ends_with_seal);
  for (SegmentNumber number = 1; number <= whole.segments; ++number) {
    const std::string path = whole.writer.segment(number);
    auto bytes = io::read_whole_file(whole.files, path, 1 << 20);
    REQUIRE_OK(bytes);
    for (std::uint64_t at = 0; at < bytes->size(); ++at) {
      // Every byte of headers and a third of everything else that is used; of zeros every 61st.
      const bool used = !all_zeros(base::ByteView(*bytes).subspan(at / 64 * 64, 64));
      if (at % (used ? (at % block_bytes < sector_bytes ? 1 : 7) : 61) != 0) continue;
      CAPTURE(path);
      CAPTURE(at);
      REQUIRE(whole.files.flip_bit(path, at, static_cast<int>(at % 8)));
      auto report = verify_journal(whole.files, "journal", {.findings_max = 1});
      REQUIRE_OK(report);
      REQUIRE_FALSE(report->sound());
      CHECK(report->findings[0].file == path);
      CHECK(report->findings[0].offset / block_bytes * block_bytes <= at);
      CHECK_FALSE(report->findings[0].sentence.empty());
      REQUIRE(whole.files.flip_bit(path, at, static_cast<int>(at % 8)));
    }
  }
  REQUIRE(whole.writer.verify()->sound());
}

TEST_CASE("a changed byte is never served") {
  Whole whole;
  for (SegmentNumber number = 1; number < whole.segments; ++number) {
    const std::string path = whole.writer.segment(number);
    for (std::uint64_t at = number; at < fixture::small_segment_bytes; at += 211) {
      CAPTURE(path);
      CAPTURE(at);
      REQUIRE(whole.files.flip_bit(path, at, static_cast<int>(at % 8)));
      // Entry by entry: either what was written or an error that names a place.
      if (auto reader = JournalReader::open(whole.files, "journal", 0); reader.ok()) {
        for (std::size_t i = 0; i < whole.writer.told().size(); i += 7) {
          const fixture::Told& told = whole.writer.told()[i];
          auto entry = (*reader)->read_entry(told.first_event);
          if (entry.ok()) {
            REQUIRE(entry->first_event == told.first_event);
            REQUIRE(entry->bytes == told.bytes);
          } else {
            REQUIRE(code_of(entry) == "journal_segment_damaged");
          }
          auto value = (*reader)->read_private(told.first_event, model::PrivateField::transfer_reference);
          if (value.ok() && value->has_value() && !(*value)->erased) {
            REQUIRE((*value)->value == fixture::filled(150, 'p'));
            REQUIRE((*value)->salt[3] == static_cast<std::uint8_t>(told.first_event));
          }
          if (!value.ok()) REQUIRE(code_of(value) == "journal_segment_damaged");
        }
        std::size_t next = 0;
        const base::Status all = (*reader)->for_each_entry(1, {}, [&](const EntryView& entry) {
          REQUIRE(base::to_bytes(entry.bytes) == whole.writer.told().at(next).bytes);
          ++next;
          return base::ok();
        });
        if (!all.ok()) REQUIRE(code_of(all) == "journal_segment_damaged");
      }
      REQUIRE(whole.files.flip_bit(path, at, static_cast<int>(at % 8)));
    }
  }
}

TEST_CASE("verify goes on behind damage and stops at its limit") {
  Whole whole;
  for (SegmentNumber number = 1; number < whole.segments; ++number) {
    REQUIRE(whole.files.flip_bit(whole.writer.segment(number), 2 * block_bytes + 50, 3));
  }
  auto report = whole.writer.verify();
  REQUIRE_OK(report);
  CHECK(report->findings.size() == 3);
  CHECK(report->groups > 5);
  auto first = verify_journal(whole.files, "journal", {.findings_max = 2});
  REQUIRE_OK(first);
  CHECK(first->findings.size() == 2);

  REQUIRE(whole.files.remove(whole.writer.segment(2)).ok());
  auto missing = whole.writer.verify();
  REQUIRE_OK(missing);
  CHECK(std::string(missing->findings.back().code) == "journal_segment_missing");

  auto wrong = verify_journal(whole.files, "journal", {.partition = 9});
  REQUIRE_OK(wrong);
  CHECK(std::string(wrong->findings.front().code) == "journal_partition_wrong");
}

TEST_CASE("verify with another blinding secret finds the roots wrong") {
  Whole whole;
  const std::array<std::uint8_t, 32> secret{};
  const audit::Blinding other(secret, 0);
  auto report = verify_journal(whole.files, "journal", {.blinding = &other});
  REQUIRE_OK(report);
  REQUIRE(report->findings.size() == 1);
  CHECK(report->findings[0].sentence.find("root of the audit log") != std::string::npos);
}

TEST_CASE("errors of the disk are errors, not damage") {
  Whole whole;
  auto reader = JournalReader::open(whole.files, "journal", 0);
  REQUIRE_OK(reader);
  whole.files.faults().fail_calls_from(1, io::Fault::io_error);
  const std::string code = code_of((*reader)->read_entry(1));
  CHECK((code == "file_read_failed" || code == "file_open_failed"));
  CHECK_FALSE(code_of((*reader)->for_each_entry(1, {}, [](const EntryView&) { return base::ok(); })).empty());
  CHECK_FALSE(whole.writer.verify().ok());
  whole.files.faults().clear();
  REQUIRE_OK((*reader)->read_entry(1));
}

}  // namespace
}  // namespace store
