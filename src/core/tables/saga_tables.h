#pragma once
// The tables of rails and transfers: what the law of sagas remembers. Part of core::State; changed by its apply() alone.
// Belongs to one thread; Frozen may be read anywhere.

#include <cstdint>
#include <map>
#include <set>
#include <string_view>
#include <tuple>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/result.h"
#include "core/ledger/cow_array.h"
#include "core/tables/saga_records.h"
#include "model/event.h"

namespace core {

/// The scalars of the tables; in the head of a snapshot.
struct SagaHead {
  std::uint32_t first_free_transfer = 0;   ///< slot plus one
  std::uint32_t transfers = 0;             ///< slots in use
  std::uint32_t open_transfers = 0;        ///< of them, not in a final state
  bool operator==(const SagaHead&) const = default;
};

class SagaTables {
 public:
  const SagaHead& head() const { return head_; }

  /// Rails by number, from 1; null where there is none.
  const RailRecord* rail(model::RailNumber number) const {
    return number == 0 || number > rails_.size() ? nullptr : &rails_[number - 1u];
  }
  model::RailNumber rail_count() const { return static_cast<model::RailNumber>(rails_.size()); }
  /// The rail of a tenant with that name; 0 if none.
  model::RailNumber rail_by_name(model::TenantNumber tenant, const model::RailName& name) const;
  /// The rails of an asset, ascending.
  const std::vector<model::RailNumber>& rails_of(model::AssetNumber asset) const;

  /// True for the clearing or suspense account of a rail.
  bool is_rail_account(model::AccountNumber account) const { return rail_accounts_.contains(account); }

  /// A transfer by the event that requested it, open or ended; null if it is not in memory.
  const TransferRecord* transfer(model::EventNumber requested) const;
  std::uint32_t slot_count() const { return static_cast<std::uint32_t>(transfers_.size()); }
  const TransferRecord& slot(std::uint32_t index) const { return transfers_[index]; }

  /// What routing knows of a value; null if nothing.
  const CellRecord* cell(model::RailNumber rail, model::Dimension dimension, std::uint16_t value) const;
  std::size_t cell_count() const { return cells_.size(); }

  /// What was given back of a transfer; null if nothing ever was.
  const RefundRecord* refund(model::EventNumber original) const;
  std::size_t refund_count() const { return refunds_.size(); }
  const RefundRecord& refund_at(std::size_t index) const { return refunds_[index]; }

  /// Transfers that time alone moves: (wakes at ns, transfer), earliest first.
  const std::set<std::pair<std::int64_t, model::EventNumber>>& deadlines() const { return deadlines_; }
  /// Parked transfers: (asset, country, transfer), so that those that want the same stand together, oldest first.
  using Parked = std::tuple<model::AssetNumber, model::Country, model::EventNumber>;
  const std::set<Parked>& parked() const { return parked_; }

  /// Takes an event of rails or transfers over.
  template <typename Body>
  void apply(const Body& body, model::EventNumber number, base::Instant at);

  struct Frozen {
    CowArray<RailRecord>::Frozen rails;
    CowArray<TransferRecord>::Frozen transfers;
    CowArray<CellRecord>::Frozen cells;
    CowArray<RefundRecord>::Frozen refunds;
  };
  Frozen freeze() const;

 private:
  friend class StateLoader;
  friend class State;
  struct Writer;
  TransferRecord& writable(model::EventNumber requested);
  /// What the derived indexes know of a transfer.
  struct Noted {
    std::int64_t wakes_at_ns = 0;
    bool parked = false;
    bool open = false;
    bool operator==(const Noted&) const = default;
  };
  void index_rail(model::RailNumber number);
  static Noted noted(const TransferRecord& record);
  void note(const Noted& before, const TransferRecord& record);
  /// Errors: `snapshot_state_malformed`. `next_event` is that of the state, `assets` and `accounts` its counts.
  base::Status rebuild_derived(model::EventNumber next_event, std::uint32_t assets, std::uint32_t accounts);

  SagaHead head_;
  CowArray<RailRecord> rails_;
  CowArray<TransferRecord> transfers_;
  CowArray<CellRecord> cells_;
  CowArray<RefundRecord> refunds_;
  // Derived from the tables, rebuilt on load; hash maps are never iterated.
  std::unordered_map<model::EventNumber, std::uint32_t> slots_;
  std::unordered_map<std::uint64_t, std::uint32_t> cell_slots_;
  std::unordered_map<model::EventNumber, std::uint32_t> refund_slots_;
  std::set<std::pair<std::int64_t, model::EventNumber>> deadlines_;
  std::set<Parked> parked_;
  std::map<std::pair<model::TenantNumber, model::RailName>, model::RailNumber> names_;
  std::vector<std::vector<model::RailNumber>> rails_of_;   // by asset number
  std::set<model::AccountNumber> rail_accounts_;
};

}  // namespace core
