#pragma once
// Where a line belongs, once a reference ties it to an attempt: the line that agrees best stands for the attempt, every other one is
// a duplicate, whichever came first.

#include "core/reconciliation/desk.h"

namespace core {

/// Ties a line to an attempt: `emit_line(result)` is called once to record or relink it, and gives its number. Lines that stood for
/// the attempt and do not any more are told first; exceptions and reports follow.
struct LineFacts {
  base::U128 amount = 0;
  std::int64_t booked_at_ns = 0;
  base::Tag128 identity{};
  base::Tag128 rail_reference_key{};
  bool credit = false;
  bool other_asset = false;
};

class Matching {
 public:
  Matching(Desk& desk, model::EventNumber statement) : desk_(desk), statement_(statement) {}

  template <typename EmitLine>
  void tie(const LineFacts& line, model::EventNumber attempt, EmitLine emit_line) {
    const model::LineResult result = make_room(line, attempt);
    const model::EventNumber number = emit_line(result);
    follow(line, attempt, result, number);
  }

  /// Everything that waits for this reference of a rail's own belongs to the attempt: lines, and what the rail told.
  void claim(const base::Tag128& rail_reference_key, model::EventNumber attempt);

 private:
  /// The result of a line for that attempt; what it takes the place of has been told when this returns.
  model::LineResult make_room(const LineFacts& line, model::EventNumber attempt);
  void follow(const LineFacts& line, model::EventNumber attempt, model::LineResult result, model::EventNumber number);
  void demote(model::EventNumber line, const AttemptRecord& attempt);
  void loosen(model::EventNumber line);

  Desk& desk_;
  model::EventNumber statement_;   // that is the cause; 0: a report is
};

LineFacts facts_of(const LineRecord& line);

}  // namespace core
