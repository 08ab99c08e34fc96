#pragma once
// What the edge needs of the service behind it. Declared here because the need is the edge's; node implements it.
//
// The edge hands over what the gate admitted and gets an Answer or a Reading later, on its own loop thread. Both are made
// of journaled entries: the edge renders replies from them and from nothing else, so that the replay of a reply has the
// same bytes as the first one.

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "gate/query.h"
#include "model/admitted.h"
#include "model/entry.h"
#include "model/outcome.h"

namespace edge {

/// An event with everything its rendering needs. Shared between the items of one entry.
struct EntryWithPrivates {
  model::Entry entry;
  std::vector<model::PrivateValue> privates;   ///< of its events, ascending by event; those erased are missing
};

/// One answer within a reply: an event of an entry, or a refusal for which nothing was journaled.
struct AnswerItem {
  std::shared_ptr<const EntryWithPrivates> source;   ///< null for a refusal without an event
  std::uint32_t event_index = 0;                     ///< into source->entry.events
  model::Outcome refusal = model::Outcome::done;     ///< where source is null
  std::uint16_t differing_fields = 0;                ///< bits by place in the operation's field list (gate/fingerprint.h)
  bool replayed = false;
};

/// The answer to an Admitted. One item for most requests, one for each transfer in order for a batch.
struct Answer {
  model::EventNumber position = 0;                   ///< for the Holdfast-Position header
  model::Outcome refusal = model::Outcome::done;     ///< refuses the whole request (overloaded, disk_space_short...)
  std::vector<AnswerItem> items;
  /// The event that recorded a batch's reply; its instant is the reply's. Null without a batch key.
  std::shared_ptr<const EntryWithPrivates> batch;
  bool batch_replayed = false;
};

/// An account as the core has it at `position`.
struct AccountReading {
  model::AccountNumber number = 0;
  std::string name;
  model::Asset asset;
  model::AccountFlags flags = 0;
  model::AccountLimits limits;
  model::Counters counters;
  base::Instant opened_at{};
  base::Bytes metadata;                              ///< as the gate encoded it; empty if none
};

/// A transfer: the event that created it and, for a hold that is no longer open, the one that resolved it. Of a transfer over
/// a rail `created` is its request, and what came of it is in `steps`.
struct TransferReading {
  AnswerItem created;
  gate::TransferState state = gate::TransferState::posted;
  std::optional<AnswerItem> resolved;
  std::vector<AnswerItem> steps;                     ///< ascending, the request not among them
};

/// A rail as the core has it at `position`.
struct RailReading {
  std::string name;
  model::AssetNumber asset = 0;
  model::AccountNumber clearing = 0;
  model::AccountNumber suspense = 0;
  model::RailProfile profile;
  bool paused = false;
  base::Instant maintenance_from{};
  base::Instant maintenance_until{};                 ///< 0: no window
  model::RailHealth health;
  std::uint32_t in_flight = 0;                       ///< attempts that may have left and were not answered
};
struct RailsReading {
  std::vector<RailReading> rails;
};

struct AccountsPage {
  std::vector<AccountReading> accounts;
  std::string next;                                  ///< last name, if there is more; the edge makes the cursor
};
struct TransfersPage {
  std::vector<TransferReading> transfers;
  model::EventNumber next = 0;                       ///< for the cursor, if there is more
  bool by_age = false;                               ///< oldest first: the cursor is of that list
};
/// Events that touched an account, newest first: postings, holds and their resolutions.
struct HistoryPage {
  std::string account;
  std::vector<AnswerItem> events;
  model::AccountNumber number = 0;
  model::EventNumber next = 0;
};
struct TrialBalanceRow {
  model::Asset asset;
  std::uint64_t accounts = 0;
  model::Counters totals;                            ///< sums over all accounts; wide enough: bounded by the world account
  bool balanced = false;                             ///< debits equal credits, posted and pending
};
struct TrialBalanceReading {
  std::vector<TrialBalanceRow> rows;
};
/// Bytes that are served as they are: checkpoints, tiles, evidence.
struct DocumentReading {
  std::string_view content_type;                     ///< static storage
  std::string_view cache_control = "no-store";
  std::string body;
};
/// A read that could not be served: not found, view_not_caught_up, filter_not_indexed, journal_read_failed...
struct ReadRefused {
  model::Outcome outcome = model::Outcome::not_found;
  std::string detail;
};

struct Reading {
  model::EventNumber position = 0;
  std::variant<ReadRefused, AccountReading, TransferReading, AccountsPage, TransfersPage, HistoryPage, TrialBalanceReading, DocumentReading,
               RailReading, RailsReading>
      body;
};

/// Receives what was asked for, on the loop thread that asked.
class Receiver {
 public:
  virtual ~Receiver() = default;
  virtual void answered(std::uint64_t token, Answer&& answer) = 0;
  virtual void read(std::uint64_t token, Reading&& reading) = 0;
};

class Backend {
 public:
  virtual ~Backend() = default;
  /// Takes an admitted request; `receiver` gets exactly one answered(token) later, never from within this call. A refusal
  /// (overloaded, shutting_down) is returned at once, and then nothing comes.
  virtual model::Outcome submit(model::Admitted&& admitted, Receiver& receiver, std::uint64_t token) = 0;
  /// The same for reads.
  virtual model::Outcome query(gate::Query&& query, Receiver& receiver, std::uint64_t token) = 0;
  /// The id of an account and the asset of a number, for rendering. Cheap, loop thread. Empty if unknown.
  virtual std::string_view account_name(model::AccountNumber number) const = 0;
  virtual std::optional<model::Asset> asset(model::AssetNumber number) const = 0;
  /// The name of a rail; never changes. Empty if unknown. Loop thread.
  virtual std::string rail_name(model::RailNumber number) const = 0;
  virtual model::PartitionNumber partition() const = 0;
};

/// State of the process for the operator address.
struct Readiness {
  bool ready = false;
  /// One line for each thing looked at: `journal: ok`, `disk_space: 12 GiB free`, `clock: suspended by a jump of 93 s`.
  std::vector<std::string> lines;
};

class OperatorBackend {
 public:
  virtual ~OperatorBackend() = default;
  virtual Readiness readiness() const = 0;
  /// Prometheus text exposition format 0.0.4.
  virtual std::string metrics() const = 0;
  /// True if a jump of the clock was waiting for this.
  virtual bool confirm_clock() = 0;
};

}  // namespace edge
