#pragma once
// For the tests of the journal: a writer that knows what it was told, so that whatever is read can be compared.

#include <array>
#include <cstring>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "io/clock.h"
#include "io/file.h"
#include "store/journal/journal.h"
#include "store/journal/verify.h"

// After our own headers: both have a CHECK, and tests mean this one.
#include <doctest/doctest.h>

namespace store::fixture {

constexpr std::uint64_t small_segment_bytes = 64 << 10;

inline std::string code_of(const base::Error& error) { return error.code; }
template <typename T>
std::string code_of(const base::Result<T>& result) {
  return result.ok() ? "" : result.error().code;
}
#define REQUIRE_OK(expression)                                                                     \
  do {                                                                                             \
    const auto& required_ = (expression);                                                          \
    REQUIRE_MESSAGE(required_.ok(), (required_.ok() ? std::string() : required_.error().message)); \
  } while (false)

inline base::Bytes filled(std::size_t size, std::uint8_t byte) { return base::Bytes(size, byte); }

/// What one entry was made of.
struct Told {
  model::EventNumber first_event = 0;
  std::uint32_t event_count = 0;
  base::Bytes bytes;
};

/// A journal on any disk, and what it must hold.
class Writer {
 public:
  explicit Writer(io::FileSystem& files, std::uint64_t segment_bytes = small_segment_bytes,
                  std::string directory = "journal")
      : files_(files), segment_bytes_(segment_bytes), directory_(std::move(directory)) {
    for (std::size_t i = 0; i < secret_.size(); ++i) secret_[i] = static_cast<std::uint8_t>(i * 7 + 1);
  }

  JournalOptions options() {
    JournalOptions options;
    options.directory = directory_;
    options.segment_bytes = segment_bytes_;
    options.clock = &clock_;
    for (std::size_t i = 0; i < options.id_if_new.size(); ++i)
      options.id_if_new[i] = static_cast<std::uint8_t>(0xA0 + i);
    return options;
  }

  /// Opens, replays everything with all checks, compares with what was told and acknowledged, and is ready to append.
  base::Status open() {
    journal_.reset();
    builder_.reset();
    TRY_ASSIGN(journal_, Journal::open(files_, options()));
    audit::Frontier frontier;
    std::vector<Told> replayed;
    TRY(journal_->reader()->for_each_entry(
        1, {.blinding = &blinding_, .frontier = &frontier}, [&](const EntryView& entry) {
          replayed.push_back({entry.first_event, entry.event_count, base::to_bytes(entry.bytes)});
          return base::ok();
        }));
    compare(replayed);
    TRY(journal_->start(blinding_, frontier));
    builder_ = std::make_unique<GroupBuilder>(journal_->buffers());
    return base::ok();
  }

  /// Everything acknowledged is there, and nothing but it and perhaps the group that was under way.
  void compare(const std::vector<Told>& replayed) {
    REQUIRE(replayed.size() >= acknowledged_);
    REQUIRE(replayed.size() <= told_.size());
    for (std::size_t i = 0; i < replayed.size(); ++i) {
      REQUIRE(replayed[i].first_event == told_[i].first_event);
      REQUIRE(replayed[i].event_count == told_[i].event_count);
      REQUIRE(replayed[i].bytes == told_[i].bytes);
    }
    told_.resize(replayed.size());
    acknowledged_ = replayed.size();
  }

  /// A group of `entries` entries, the i-th with 1 + i % 3 events, and a personal value for every `private_each`-th
  /// event.
  GroupDraft draft(std::size_t entries, std::size_t private_each = 0, std::size_t private_bytes = 20) {
    const model::EventNumber first = journal_next();
    builder_->start(first);
    model::EventNumber event = first;
    for (std::size_t i = 0; i < entries; ++i) {
      const auto count = static_cast<std::uint32_t>(1 + i % 3);
      std::vector<model::Event> events;
      for (std::uint32_t e = 0; e < count; ++e) {
        model::TransferPosted posted;
        posted.amount = event + e;
        posted.asset = 1;
        events.push_back({{1'000}, posted});
      }
      model::TransferItem item;
      item.asset = *model::parse_asset("USD/2");
      item.amount = event;
      model::Command command;
      command.body = model::CreateTransfer{{item}};
      builder_->add_entry({1'000}, command, events);
      base::Bytes bytes;
      std::vector<model::ByteRange> ranges;
      model::encode_entry(bytes, ranges, {1'000}, command, events);
      told_.push_back({event, count, bytes});
      if (private_each != 0 && event % private_each == 0) {
        model::PrivateValue value{event, model::PrivateField::transfer_reference, {}, filled(private_bytes, 'p')};
        value.salt.fill(static_cast<std::uint8_t>(event));
        builder_->add_private(value);
      }
      event += count;
    }
    return builder_->finish({2'000});
  }

  base::Result<std::shared_ptr<const SealedGroup>> append(std::size_t entries, std::size_t private_each = 0,
                                                          std::size_t private_bytes = 20) {
    auto sealed = journal_->append(draft(entries, private_each, private_bytes));
    if (sealed.ok()) acknowledged_ = told_.size();
    return sealed;
  }

  model::EventNumber journal_next() const {
    return told_.empty() ? 1 : told_.back().first_event + told_.back().event_count;
  }

  base::Result<JournalReport> verify() { return verify_journal(files_, directory_, {.blinding = &blinding_}); }

  /// What it was told so far; to go back to, when the disk goes back.
  struct Memory {
    std::vector<Told> told;
    std::size_t acknowledged = 0;
  };
  Memory memory() const { return {told_, acknowledged_}; }
  void remember(const Memory& memory) {
    journal_.reset();
    told_ = memory.told;
    acknowledged_ = memory.acknowledged;
  }

  Journal& journal() { return *journal_; }
  GroupBuilder& builder() { return *builder_; }
  void close() { journal_.reset(); }
  const std::vector<Told>& told() const { return told_; }
  const audit::Blinding& blinding() const { return blinding_; }
  io::SimulatedClock& clock() { return clock_; }
  std::string segment(SegmentNumber number) const { return directory_ + "/0000000" + std::to_string(number) + ".seg"; }

 private:
  io::FileSystem& files_;
  std::uint64_t segment_bytes_;
  std::string directory_;
  io::SimulatedClock clock_;
  std::array<std::uint8_t, 32> secret_{};
  audit::Blinding blinding_{secret_, 0};
  std::unique_ptr<Journal> journal_;
  std::unique_ptr<GroupBuilder> builder_;
  std::vector<Told> told_;
  std::size_t acknowledged_ = 0;
};

}  // namespace store::fixture
