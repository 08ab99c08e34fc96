#pragma once
// The engine: takes submissions one after the other, decides, applies, and collects entries and answers of the group in the
// making. It owns the state. One thread; no thread, lock, clock or sync of its own, so that the simulator drives the very
// same code as the service.

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <vector>

#include "base/result.h"
#include "core/ledger/decide.h"
#include "core/ledger/state.h"
#include "model/entry.h"
#include "node/directory.h"
#include "node/effect_order.h"
#include "node/submission.h"
#include "node/tenants.h"
#include "store/journal/group_builder.h"
#include "store/keys/key_index.h"

namespace node {

/// Reads durable entries.
class EntrySource {
 public:
  virtual ~EntrySource() = default;
  /// Errors: those of the journal (`journal_segment_damaged`, `event_not_in_journal`).
  virtual base::Result<model::Entry> read_entry(model::EventNumber event) = 0;
};

struct EngineOptions {
  core::LedgerBounds bounds;
  /// A group is closed when it takes this much on disk. Together with the largest entry (16 MiB of batch) it must fit a segment.
  std::uint64_t group_bytes_max = 6u << 20;
  std::uint32_t group_entries_max = 16'384;
  std::uint32_t tick_expiries_max = 256;
  bool views_every_transfer = false;   ///< views want single-commit transfers one by one too
};

/// An answer waiting for its group.
struct PendingAnswer {
  AnswerSink* sink = nullptr;
  std::uint64_t token = 0;
  Answer answer;
};

/// A group on its way: its bytes (none if it only carries answers) and the answers that wait for it.
struct OutgoingGroup {
  std::optional<store::GroupDraft> draft;
  std::vector<PendingAnswer> answers;
  /// State as of the end of this group, where a snapshot was asked for.
  std::shared_ptr<core::FrozenState> frozen;
  /// What the world is asked to do once this group is durable.
  std::vector<EffectOrder> effects;
  /// Events of this group that views care about one by one (accounts, holds, clients...).
  std::vector<model::EventNumber> notable;
  /// Assets that this group registered, in order, with their tenants.
  std::vector<std::pair<model::TenantNumber, model::Asset>> assets;
};

class Engine {
 public:
  /// All references must outlive the engine. `state` is as of the end of the journal; `directory` and `keys` agree with it.
  Engine(core::State state, Directory& directory, Tenants& tenants, store::KeyIndex& keys, EntrySource& entries,
         std::shared_ptr<store::GroupBufferPool> buffers, EngineOptions options);

  /// Decides everything in a submission at instant `at` (never before an earlier one). A submission that needs to read an
  /// entry which is not durable yet is parked whole and taken again by take_parked().
  void take(Submission&& submission, base::Instant at);
  /// Everything up to `event` is durable and can be read.
  void durable_through(model::EventNumber event) {
    parked_may_go_ = parked_may_go_ || event > durable_;
    durable_ = event;
  }
  /// Takes parked submissions whose entries are durable now, in order.
  void take_parked(base::Instant at);
  std::size_t parked_count() const { return parked_.size(); }
  /// Answers a submission without deciding anything; still in order, after all that was decided before.
  void refuse(const Submission& submission, model::Outcome outcome);
  /// Decides a command of the process itself (confirmed clock, new epoch...). True if it led to events.
  /// `privates` belong to its only command.
  bool take_own(const model::Command& command, base::Instant at, std::vector<model::PrivateDraft> privates = {});
  /// Resolves holds whose time has come; true if there were any.
  bool tick(base::Instant at);

  /// Anything to commit or to answer?
  bool has_group() const { return !closed_.empty() || !builder_.empty() || !answers_.empty(); }
  /// A generous bound of what a submission will take on disk.
  std::uint64_t disk_bytes_of(const Submission& submission) const { return disk_bytes_estimate(submission, options_.group_entries_max); }
  /// Bytes on disk that all groups not handed over yet will take, and what is parked.
  std::uint64_t pending_disk_bytes() const { return closed_bytes_ + builder_.disk_bytes() + parked_bytes_; }
  bool group_full() const { return !closed_.empty(); }
  /// Hands over the oldest group. `freeze` attaches the state, if this group is the last.
  OutgoingGroup seal_group(bool freeze);

  const core::State& state() const { return state_; }
  /// Last event decided.
  model::EventNumber position() const { return state_.head().next_event - 1; }
  /// Clients as of now; a new object whenever one changed.
  std::shared_ptr<const core::CowArray<core::ClientRecord>::Frozen> clients() const { return clients_; }
  std::shared_ptr<const core::CowArray<core::WebhookRecord>::Frozen> webhooks() const { return webhooks_; }
  /// Keys of partners as of the newest decision; another pointer whenever something about them changed.
  std::shared_ptr<const core::RegistryTables::Frozen> registry() const { return registry_; }

 private:
  void take_now(Submission& submission, base::Instant at);
  void take_admitted(model::Admitted&& admitted, base::Instant at, Answer& answer);
  /// Looks up all keys of a submission into found_. False if one of them is not durable yet (or the look-up failed: `failed`).
  bool look_up_keys(const model::Admitted& admitted, bool& failed);
  bool look_up_former(const model::Admitted& admitted, bool& failed);
  void resolve_names(model::Admitted& admitted, std::size_t first, std::size_t last, std::size_t& cursor);
  model::AccountNumber account_number(model::TenantNumber tenant, std::string_view name, std::uint64_t hash) const;
  void take_command(model::Admitted& admitted, std::size_t index, base::Instant at, std::size_t& found_cursor,
                    std::size_t& private_cursor, Answer& answer);
  bool answered_by_keys(const model::Admitted& admitted, const model::Command& command, std::size_t& found_cursor, Answer& answer);
  ItemAnswer judge(const model::Admitted& admitted, const model::IdempotencyTag& tag, model::EventNumber event);
  bool replay_batch(const model::Admitted& admitted, Answer& answer);
  void record_batch(const model::Admitted& admitted, base::Instant at, Answer& answer);
  base::Status resolve_answers(model::Command& command);
  void resolve_report(model::ReportRail& report, model::TenantNumber tenant) const;
  base::Result<model::OriginalTransfer> original_of(model::EventNumber event, model::TenantNumber tenant);
  base::Result<model::HoldStanding> standing_of(model::EventNumber hold, model::TenantNumber tenant);
  /// Applies and stores the decision in events_; returns the number of its first event.
  model::EventNumber commit_decision(const model::Command& command, base::Instant at);
  void take_privates(std::vector<model::PrivateDraft>& privates, std::size_t index, model::EventNumber first_event,
                     std::size_t& cursor);
  void close_group(base::Instant at);
  /// Errors: those of the key index.
  base::Result<Finding> find(const Question& question);

  core::State state_;
  Directory& directory_;
  Tenants& tenants_;
  store::KeyIndex& keys_;
  EntrySource& entries_;
  const EngineOptions options_;
  store::GroupBuilder builder_;
  base::Instant group_at_{};
  std::vector<model::Event> events_;               // of the command being decided
  std::vector<model::EventNumber> found_;          // of the submission being taken: per key, the event that used it; 0 none
  std::vector<PendingAnswer> answers_;             // wait for the group in the making
  std::vector<model::EventNumber> notable_;
  std::vector<std::pair<model::TenantNumber, model::Asset>> assets_;
  std::vector<EffectOrder> effects_;               // of the group in the making
  std::deque<OutgoingGroup> closed_;
  std::uint64_t closed_bytes_ = 0;
  std::deque<Submission> parked_;
  std::uint64_t parked_bytes_ = 0;                 // what they will take at most; room for it was found when they came
  bool parked_may_go_ = false;                     // more is durable than when the parked ones were last looked at
  model::EventNumber durable_ = 0;
  std::shared_ptr<const core::CowArray<core::ClientRecord>::Frozen> clients_;
  std::shared_ptr<const core::CowArray<core::WebhookRecord>::Frozen> webhooks_;
  std::shared_ptr<const core::RegistryTables::Frozen> registry_;
};

/// Codes in RecordBatch::answers for an item that nothing was journaled for, and for one that was a replay.
constexpr std::uint64_t batch_answer_refused = 1ull << 63;
constexpr std::uint64_t batch_answer_replayed = 1ull << 62;
std::uint64_t encode_batch_answer(const ItemAnswer& answer);
ItemAnswer decode_batch_answer(std::uint64_t code);

}  // namespace node
