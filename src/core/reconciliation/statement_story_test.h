#pragma once
// Stories of statements, for tests: files with lines about attempts, as a gate would hand them over.

#include <string>
#include <vector>

#include "core/transfer/rail_story_test.h"

#include <doctest/doctest.h>

namespace core {

/// A line as a test writes it.
struct Booked {
  base::U128 amount = 0;
  bool credit = false;
  model::EventNumber reference = 0;   ///< of an attempt; 0 none
  std::uint8_t rail_reference = 0;    ///< 0 none
  int hour = 0;                       ///< after the story's beginning
  std::uint8_t copy = 0;              ///< tells lines apart that are otherwise the same
  std::string_view asset = "USD/2";
  bool named = false;
};

/// A file: the hours it covers, and its lines.
struct File {
  std::uint8_t name = 0;
  int from = 0;
  int until = 24;
  std::vector<Booked> lines;
};

inline base::Tag128 rail_key(std::uint8_t reference) { return reference == 0 ? base::Tag128{} : base::Tag128{reference, 9}; }

inline base::Tag128 identity_of(const Booked& line) {
  base::Tag128 tag{};
  base::store_le(tag.data(), static_cast<std::uint64_t>(line.amount) * 2 + (line.credit ? 1 : 0));
  tag[8] = static_cast<std::uint8_t>(line.reference);
  tag[9] = static_cast<std::uint8_t>(line.reference >> 8);
  tag[10] = line.rail_reference;
  tag[11] = static_cast<std::uint8_t>(line.hour);
  tag[12] = line.copy;
  tag[13] = 1;
  return tag;
}

class StatementStory : public RailStory {
 public:
  StatementStory() : RailStory(2), began_(now) {}

  base::Instant hour(int number) const { return began_ + base::seconds(3600LL * number); }
  void until_hour(int number) {
    now = std::max(now, hour(number));
    drain();
  }
  /// Ticks until nothing is left to do.
  void drain() {
    while (!run(model::Tick{}).empty()) {}
  }
  model::EventNumber attempt_of(model::EventNumber transfer) const { return this->transfer(transfer).attempt_event; }
  model::EventNumber settled(base::U128 amount) {
    const model::EventNumber number = pay(amount);
    report(number, {.result = model::RailResult::settled});
    return number;
  }
  model::EventNumber unknown(base::U128 amount) {
    const model::EventNumber number = pay(amount);
    report(number, {.result = model::RailResult::unknown, .reason = model::RailReason::reply_lost});
    return number;
  }

  model::RecordStatement command_of(const File& file) const {
    model::RecordStatement body;
    body.rail = 1;
    body.file = {file.name, 1};
    body.from = hour(file.from);
    body.until = hour(file.until);
    body.lines_total = static_cast<std::uint32_t>(file.lines.size());
    for (const Booked& line : file.lines) {
      body.lines.push_back({.line = static_cast<std::uint32_t>(body.lines.size() + 1),
                            .amount = line.amount,
                            .credit = line.credit,
                            .booked_at = hour(line.hour),
                            .reference = line.reference,
                            .rail_reference_key = rail_key(line.rail_reference),
                            .identity = identity_of(line),
                            .asset = core::asset(line.asset),
                            .rail_reference = {},
                            .named = line.named || line.reference != 0});
    }
    return body;
  }
  model::Outcome take(const File& file) {
    const model::Outcome outcome = outcome_of(command_of(file));
    drain();
    return outcome;
  }

  /// The open exceptions, one a line, without numbers that depend on the order of things; sorted.
  std::vector<std::string> open() const {
    std::vector<std::string> all;
    const ReconciliationTables& tables = state.reconciliation();
    for (std::size_t i = 0; i < tables.exception_count(); ++i) {
      const ExceptionRecord& record = tables.exception_at(i);
      if (!record.is_open()) continue;
      std::string text(model::name_of(record.what()));
      text += " " + base::to_decimal(record.expected) + "/" + base::to_decimal(record.stated) + " of " + std::to_string(record.attempt);
      if (record.line != 0) {
        const LineRecord& line = *tables.line(record.line);
        text += " copy " + std::to_string(line.identity[12]) + " hour " + std::to_string(line.identity[11]);
      }
      if (record.orphan != 0) text += " orphan";
      all.push_back(text);
    }
    std::sort(all.begin(), all.end());
    return all;
  }
  std::string money() const { return customer() + " " + clearing("first") + " " + suspense("first"); }
  model::EventNumber newest_exception() const {
    const ReconciliationTables& tables = state.reconciliation();
    REQUIRE(tables.exception_count() > 0);
    return tables.exception_at(tables.exception_count() - 1).opened;
  }

 private:
  base::Instant began_;
};

}  // namespace core
