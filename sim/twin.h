#pragma once
// The twin: a second, naive ledger with an idempotency memory of its own, written from the documents and apart from core and
// node. It follows the journal entry by entry and says what must stand there, and what every answer must be. Plain maps,
// no cleverness; what it and the product share is the form of events and nothing else.

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "core/ledger/state.h"
#include "model/entry.h"
#include "node/directory.h"
#include "node/submission.h"
#include "sim/request.h"
#include "sim/saga_twin.h"

namespace sim {

/// What is wrong, in one sentence; nothing if all is well.
using Complaint = std::optional<std::string>;

struct TwinBounds {
  std::uint32_t accounts_max = 1000;
  std::uint32_t open_holds_max = 1000;
  std::uint32_t tick_expiries_max = 256;
};

/// Gives the personal value of an event.
using PrivateReader = std::function<std::optional<store::StoredPrivate>(model::EventNumber, model::PrivateField)>;

class Twin {
 public:
  explicit Twin(TwinBounds bounds) : bounds_(bounds) {}

  /// A request on its way; `trace` is its number and never used twice.
  void sent(std::uint64_t trace, std::shared_ptr<const Request> request);
  /// The next durable entry.
  Complaint take_entry(const model::Entry& entry, const PrivateReader& privates);
  /// An answer; all entries through its position were taken before. `reads_may_fail`: damage was planted, so that
  /// journal_read_failed is a right answer too.
  Complaint take_answer(std::uint64_t trace, const node::Answer& answer, bool reads_may_fail);
  /// The process died: nothing sent so far will be answered or take effect any more.
  void drop_unanswered() { pending_.clear(); }
  std::size_t unanswered() const { return pending_.size(); }

  /// Compares everything it knows with a state and a directory at the same position.
  Complaint compare(const core::State& state, const node::Directory& directory) const;
  Complaint compare_account(const core::AccountRecord& record, model::AccountNumber number) const;
  Complaint check_answer_to(const node::Question& question, const node::Answer& answer) const;

  model::EventNumber position() const { return next_event_ - 1; }
  base::Instant last_instant() const { return last_instant_; }
  /// Every key and the event that used or cancelled it.
  void for_each_key(const std::function<void(const KeyName&, model::EventNumber)>& visit) const;
  const std::map<std::pair<model::TenantNumber, std::string>, std::vector<model::EventNumber>>& references() const {
    return references_;
  }
  /// Resolved holds and the events that resolved them.
  std::map<model::EventNumber, model::EventNumber> resolutions() const;
  const std::vector<model::EventNumber>& placed_holds() const { return placed_holds_; }
  model::AccountNumber account_number(model::TenantNumber tenant, const std::string& name) const;
  std::size_t account_count() const { return accounts_.size(); }
  std::size_t client_count() const { return clients_.size(); }
  bool any_due(base::Instant at) const;
  /// Rails and transfers over them, as entries told.
  const SagaBook& sagas() const { return sagas_; }
  /// Clients that are people.
  std::vector<model::PrincipalNumber> people() const;
  const model::Counters& counters_of(model::AccountNumber account) const { return accounts_[account - 1].counters; }

 private:
  friend class SagaReader;
  struct Account {
    model::TenantNumber tenant = 0;
    std::string name;
    model::AssetNumber asset = 0;
    model::AccountFlags flags = 0;
    model::AccountLimits limits;
    std::int64_t day = 0;
    base::U128 debited_on_day = 0;
    model::Counters counters;
    std::vector<model::EventNumber> postings;
    std::set<model::EventNumber> open_holds;
    model::EventNumber opened = 0;
  };
  struct Asset {
    model::TenantNumber tenant = 0;
    model::Asset asset;
    model::AccountNumber world = 0;
  };
  struct Hold {
    model::TenantNumber tenant = 0;
    base::U128 amount = 0;
    model::AccountNumber debit = 0, credit = 0;
    model::AssetNumber asset = 0;
    std::int64_t expires_at_ns = 0;
    std::optional<model::HoldResolution> resolution;
    model::EventNumber resolved_by = 0;
    base::U128 captured = 0;
    model::EventNumber transfer = 0;          // the one over a rail that keeps it
  };
  struct Posted {
    model::TenantNumber tenant = 0;
    base::U128 amount = 0;
  };
  struct Client {
    model::TenantNumber tenant = 0;
    std::uint32_t generation = 1;
    bool revoked = false;
    bool person = false;
  };
  struct Memory {
    model::EventNumber event = 0;
    bool cancelled = false;
    std::shared_ptr<const Request> request;   // that used the key
    std::size_t item = 0;
  };
  struct BatchMemory {
    std::vector<node::ItemAnswer> items;
  };
  struct Part {                               // a single item, or an atomic group
    std::size_t first = 0, count = 1;
  };
  struct Pending {
    std::shared_ptr<const Request> request;
    std::vector<Part> parts;
    bool started = false;
    std::vector<std::optional<Memory>> seen;  // per item, when the submission was taken
    std::optional<Memory> batch_seen;
    std::size_t next_part = 0;
    std::vector<node::ItemAnswer> expected;
    model::EventNumber batch = 0;
  };
  using Bodies = std::vector<model::EventBody>;

  void start(Pending& pending) const;
  void pass_parts_seen_before(Pending& pending) const;
  node::ItemAnswer judge(const Memory& memory, const Request& request, std::size_t item) const;
  Complaint take_own(const model::Entry& entry);
  Complaint take_batch_record(Pending& pending, const model::Entry& entry);
  Complaint take_part(Pending& pending, const model::Entry& entry, const PrivateReader& privates);
  Complaint take_saga(Pending& pending, const model::Entry& entry);
  Complaint check_command(const Request& request, const Part& part, const model::Entry& entry) const;
  Complaint check_saga_command(const Request& request, const model::Command& command) const;
  Complaint check_refusal(const Request& request, const model::Entry& entry) const;
  Complaint compare_sagas(const core::State& state) const;

  // Each says what events must follow, and applies them.
  Bodies decide(const Request& request, const Part& part, const model::Entry& entry);
  Bodies decide_transfers(const Request& request, const Part& part, const model::Entry& entry);
  model::Outcome ladder(const Request& request, const Movement& movement, base::Instant at) const;
  model::EventBody move(const Movement& movement, const model::TransferItem& sent, base::Instant at, model::EventNumber event,
                        model::EventNumber group, model::TenantNumber tenant);
  Bodies decide_resolution(const Request& request, const model::Entry& entry);
  void note_hold(model::EventNumber event, const model::HoldPlaced& held, model::TenantNumber tenant);
  model::HoldResolved resolve(model::EventNumber hold, model::HoldResolution resolution, base::U128 captured,
                              model::EventNumber event);
  Bodies decide_account(const Request& request, const model::Entry& entry);
  Bodies decide_client(const Request& request, const model::Entry& entry);
  model::Refused refused(const Request& request, model::Outcome outcome, const model::Entry& entry) const;
  bool is_rail_account(model::AccountNumber account) const;
  model::Side side_after(model::AccountNumber number, model::EventNumber event);
  model::AssetNumber find_asset(model::TenantNumber tenant, const model::AssetCode& code) const;
  Account* find_account(model::TenantNumber tenant, const std::string& name);
  const Account* find_account(model::TenantNumber tenant, const std::string& name) const;
  Account& at(model::AccountNumber number) { return accounts_[number - 1]; }
  model::AccountNumber open_account(Account account);

  const TwinBounds bounds_;
  model::EventNumber next_event_ = 1;
  base::Instant last_instant_{};
  std::vector<std::string> tenants_;
  std::vector<Asset> assets_;
  std::deque<Account> accounts_;
  std::map<std::pair<model::TenantNumber, std::string>, model::AccountNumber> names_;
  std::map<model::EventNumber, Hold> holds_;
  std::vector<model::EventNumber> placed_holds_;
  std::set<std::pair<std::int64_t, model::EventNumber>> due_;
  std::map<model::EventNumber, Posted> posted_;                   // transfers that are no holds
  std::vector<Client> clients_;
  SagaBook sagas_;
  std::uint32_t open_holds_ = 0;
  std::map<KeyName, Memory> keys_;
  std::map<KeyName, BatchMemory> batches_;
  std::map<std::pair<model::TenantNumber, std::string>, std::vector<model::EventNumber>> references_;
  std::map<std::uint64_t, Pending> pending_;
};

}  // namespace sim
