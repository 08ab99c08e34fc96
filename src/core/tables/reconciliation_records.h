#pragma once
// The records of reconciliation: attempts as a rail may have booked them, lines of statements, exceptions, orphans. Fixed size,
// no padding left to chance: their bytes are the snapshot (docs/format/snapshot.md). Every table grows in the order of events, so
// that a record is found by its number.

#include <array>
#include <cstdint>
#include <type_traits>

#include "base/bytes.h"
#include "base/instant.h"
#include "base/int128.h"
#include "model/ids.h"
#include "model/rail.h"
#include "model/statement.h"
#include "model/transfer.h"

namespace core {

/// What an operator may set about reconciliation. Journaled nowhere: events carry what came of it.
struct ReconciliationBounds {
  std::uint32_t statements_max = 100'000;
  std::uint32_t lines_max = 4'000'000;
  std::uint32_t open_exceptions_max = 65'536;
  std::uint32_t orphans_max = 65'536;              ///< open ones
  base::Duration match_within = base::seconds(2LL * 86'400);   ///< a line without a reference: this far from a settlement at most
  std::uint32_t sweep_steps_max = 512;             ///< lines and attempts that one tick looks at
};

/// An attempt to move money over a rail, and what statements said of it.
struct AttemptRecord {
  base::U128 amount = 0;                   ///< as asked
  base::U128 booked = 0;                   ///< what our books have as moved, once they have; differences are measured from it
  base::Tag128 rail_reference_key{};       ///< zeros: not known; no two attempts have the same
  model::EventNumber started = 0;          ///< its identity, and the reference the rail knows it by
  model::EventNumber transfer = 0;
  model::EventNumber previous = 0;         ///< attempt of the same transfer before this one
  std::int64_t settled_at_ns = 0;          ///< when we learned that money moved; 0 never
  model::EventNumber missing = 0;          ///< exception: no statement shows it; open, or ended by people
  model::EventNumber line = 0;             ///< the line that stands for it
  model::EventNumber return_line = 0;      ///< the line that gave it back
  model::RailNumber rail = 0;
  std::uint8_t attempt = 0;
  std::uint8_t inbound = 0;                ///< the rail books it as a credit
  std::uint8_t returned = 0;
  std::uint8_t resembles = 0;              ///< `line` is tied to it by amount and date only
  std::uint8_t pad8[2] = {};
  std::uint64_t pad64[2] = {};

  /// What a statement should show of it: what our books say has moved, and where it comes back, what was asked.
  base::U128 moved() const { return booked == 0 ? amount : booked; }
  base::U128 expected(bool credit) const { return credit == (inbound != 0) ? moved() : amount; }
  /// Money moved and no reference on a statement says so: a line without references may be its.
  bool is_unclaimed() const { return settled_at_ns != 0 && (line == 0 || resembles != 0); }
};
static_assert(sizeof(AttemptRecord) == 128);
static_assert(std::has_unique_object_representations_v<AttemptRecord>);

struct LineRecord {
  base::U128 amount = 0;
  base::Tag128 identity{};
  base::Tag128 rail_reference_key{};
  model::EventNumber recorded = 0;         ///< its identity
  model::EventNumber statement = 0;        ///< that showed it first
  model::EventNumber attempt = 0;
  model::EventNumber exception = 0;        ///< newest about it
  std::int64_t booked_at_ns = 0;
  std::uint32_t line = 0;
  model::RailNumber rail = 0;
  std::uint8_t credit = 0;
  std::uint8_t result = 0;                 ///< model::LineResult
  std::uint8_t matched_by = 0;             ///< model::MatchedBy
  std::uint8_t other_asset = 0;
  std::uint8_t decided = 0;                ///< people said what it is
  std::uint8_t pad8 = 0;
  std::uint32_t pad32 = 0;
  std::uint64_t pad64[3] = {};

  model::LineResult what() const { return static_cast<model::LineResult>(result); }
  bool is_by(model::MatchedBy by) const { return matched_by == static_cast<std::uint8_t>(by); }
  /// No reference ties it to anything: it may stand for an attempt of its amount and date.
  bool is_loose() const {
    return other_asset == 0 && decided == 0 && (attempt == 0 || is_by(model::MatchedBy::amount_and_date));
  }
};
static_assert(sizeof(LineRecord) == 128);
static_assert(std::has_unique_object_representations_v<LineRecord>);

struct ExceptionRecord {
  base::U128 expected = 0;
  base::U128 stated = 0;
  model::EventNumber opened = 0;           ///< its identity
  model::EventNumber statement = 0;
  model::EventNumber line = 0;
  model::EventNumber orphan = 0;
  model::EventNumber attempt = 0;
  model::EventNumber belongs_to = 0;       ///< transfer
  model::EventNumber posting = 0;
  model::EventNumber voted_transfer = 0;   ///< of a vote to link
  std::int64_t opened_at_ns = 0;
  std::int64_t ended_at_ns = 0;
  model::PrincipalNumber voter = 0;        ///< who spoke first
  model::RailNumber rail = 0;
  std::uint8_t kind = 0;                   ///< model::ExceptionKind
  std::uint8_t party = 0;                  ///< model::ExceptionParty
  std::uint8_t end = 0;                    ///< model::ExceptionEnd; 0 while it is open
  std::uint8_t vote = 0;                   ///< model::ExceptionEnd that `voter` wants; 0 none
  std::uint8_t credit = 0;
  std::uint8_t pad8[5] = {};

  model::ExceptionKind what() const { return static_cast<model::ExceptionKind>(kind); }
  bool is_open() const { return end == 0; }
};
static_assert(sizeof(ExceptionRecord) == 128);
static_assert(std::has_unique_object_representations_v<ExceptionRecord>);

/// What a rail told of a payment under a reference that nobody knew.
struct OrphanRecord {
  base::U128 amount = 0;
  base::Tag128 rail_reference_key{};
  model::EventNumber recorded = 0;         ///< its identity
  model::EventNumber exception = 0;
  model::RailNumber rail = 0;
  std::uint8_t source = 0;                 ///< model::ReportSource
  std::uint8_t result = 0;                 ///< model::RailResult
  std::uint8_t reason = 0;                 ///< model::RailReason
  std::uint8_t pad8[3] = {};
  std::uint64_t pad64 = 0;
};
static_assert(sizeof(OrphanRecord) == 64);
static_assert(std::has_unique_object_representations_v<OrphanRecord>);

struct StatementRecord {
  base::Tag128 file{};
  model::EventNumber recorded = 0;         ///< its identity
  std::int64_t recorded_at_ns = 0;
  std::int64_t from_ns = 0;
  std::int64_t until_ns = 0;
  std::int64_t look_from_ns = 0;           ///< what its lines touch, its period included
  std::int64_t look_until_ns = 0;
  std::int64_t lines_to_ns = 0;            ///< this and the next three: how far it was swept
  model::EventNumber line_to = 0;
  std::int64_t attempts_to_ns = 0;
  model::EventNumber attempt_to = 0;
  std::uint32_t parts = 0;
  std::uint32_t parts_taken = 0;
  std::uint32_t lines_total = 0;
  std::uint32_t lines_new = 0;
  std::uint32_t lines_known = 0;
  model::RailNumber rail = 0;
  std::uint8_t format = 0;                 ///< model::StatementFormat
  std::uint8_t swept = 0;
  std::uint64_t pad64 = 0;

  bool is_complete() const { return parts_taken == parts; }
};
static_assert(sizeof(StatementRecord) == 128);
static_assert(std::has_unique_object_representations_v<StatementRecord>);

}  // namespace core
