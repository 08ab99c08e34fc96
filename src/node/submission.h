#pragma once
// What goes into the pipeline and what comes out of it. All of it is small: an answer names events; whoever renders it
// reads them back from the journal, so that a first reply and its replay are made by the same code from the same bytes.

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "core/ledger/state.h"
#include "model/admitted.h"
#include "model/outcome.h"
#include "store/journal/group.h"

namespace node {

/// Reads of state that only the core thread may look at. Names are resolved there too.
struct AskAccount {
  model::TenantNumber tenant = 1;
  std::string name;
  std::uint64_t hash = 0;
};
/// Several accounts by number, in the order given; numbers without an account are left out.
struct AskAccounts {
  std::vector<model::AccountNumber> numbers;
};
struct AskTransfer {
  model::TenantNumber tenant = 1;
  model::EventNumber event = 0;
};
struct AskKey {
  base::Tag128 key{};
};
/// Ascending from the first event after `after`.
struct AskReference {
  base::Tag128 key{};
  model::EventNumber after = 0;
  std::size_t limit = 100;
};
/// The whole state, frozen: for trial balances, snapshots, views.
struct AskState {};
/// Nothing but the position: answered when everything before is durable.
struct AskPosition {};

using Question = std::variant<AskAccount, AskAccounts, AskTransfer, AskKey, AskReference, AskState, AskPosition>;

struct AccountFound {
  model::AccountNumber number = 0;
  core::AccountRecord record;
  std::optional<core::LimitsRecord> limits;
  model::EventNumber asset_registered = 0;
};
struct AccountsFound {
  std::vector<AccountFound> accounts;
};
struct TransferFound {
  model::EventNumber created = 0;
  bool open = false;                     ///< a hold that waits
  model::EventNumber resolved = 0;       ///< event that resolved the hold, 0 if none
};
struct EventsFound {
  std::vector<model::EventNumber> events;
};
struct StateFound {
  std::shared_ptr<const core::FrozenState> state;
};
using Finding = std::variant<std::monostate, AccountFound, AccountsFound, TransferFound, EventsFound, StateFound>;

/// The answer to one command of a submission (to one item of a CreateTransfer).
struct ItemAnswer {
  model::EventNumber event = 0;          ///< the journaled answer; 0 if nothing was journaled
  model::Outcome refusal = model::Outcome::done;   ///< where event is 0, or an answer that is not the event's own
  std::uint16_t differing_fields = 0;    ///< bit i: business field i differs (idempotency_key_reused_with_different_body)
  bool replayed = false;
};

struct Answer {
  /// Everything this answer could have seen is durable, and was when the answer was given: last event decided before it.
  model::EventNumber position = 0;
  /// Refuses the submission as a whole (overloaded, disk_space_short, atomic_group_partly_seen...); done if it was taken.
  model::Outcome refusal = model::Outcome::done;
  std::vector<ItemAnswer> items;
  model::EventNumber batch = 0;          ///< event that recorded a batch's reply, if it has a key of its own
  bool batch_replayed = false;
  Finding finding;
  /// The group whose sync released this answer; null if it waited for none. Holds the events of most items.
  std::shared_ptr<const store::SealedGroup> group;
};

/// Nothing was journaled, for a reason that passes (no space, a record that cannot be read, a bound that is reached): to be submitted
/// again. What the core refuses for good is an event, and what is refused because the service ends is not for this process.
bool is_unrecorded(const Answer& answer);

/// Receives answers. deliver() is called once for every submission that was taken, on the thread that made things durable;
/// it must be quick and must not call back into the pipeline's owner.
class AnswerSink {
 public:
  virtual ~AnswerSink() = default;
  virtual void deliver(std::uint64_t token, Answer&& answer) = 0;
};

struct Submission;
/// A generous bound of what a submission takes in the journal, in groups of at most so many entries; only the order of
/// magnitude matters.
std::uint64_t disk_bytes_estimate(const Submission& submission, std::uint32_t group_entries_max);

struct Submission {
  std::variant<model::Admitted, Question> content;
  AnswerSink* sink = nullptr;
  std::uint64_t token = 0;
};

}  // namespace node
