#include "core/tables/saga_tables.h"

#include <type_traits>

#include "base/check.h"
#include "core/tables/fold.h"

namespace core {

namespace {

base::Error malformed(const char* what) { return {"snapshot_state_malformed", what}; }

std::uint64_t cell_key(model::RailNumber rail, model::Dimension dimension, std::uint16_t value) {
  return std::uint64_t{rail} << 32 | std::uint64_t{static_cast<std::uint8_t>(dimension)} << 16 | value;
}

const std::vector<model::RailNumber> no_rails;

}  // namespace

model::RailHealth health_of(const RailRecord& rail) {
  return {.successes = rail.successes,
          .attempts = rail.attempts,
          .recent_faults = rail.recent_faults,
          .recent_attempts = rail.recent_attempts,
          .observed_at = {rail.observed_at_ns},
          .latency = {rail.latency_ns},
          .open_until = {rail.open_until_ns},
          .faults_in_a_row = rail.faults_in_a_row,
          .openings_in_a_row = rail.openings_in_a_row,
          .breaker = static_cast<model::Breaker>(rail.breaker)};
}

model::RailProfile profile_of(const RailRecord& rail) {
  model::RailProfile profile{.capabilities = rail.capabilities,
                             .directions = rail.directions,
                             .amount_min = rail.amount_min,
                             .amount_max = rail.amount_max,
                             .cost_fixed = rail.cost_fixed,
                             .cost_basis_points = rail.cost_basis_points,
                             .send_window = {rail.send_window_ns},
                             .reply_timeout = {rail.reply_timeout_ns},
                             .visibility_horizon = {rail.visibility_horizon_ns},
                             .settle_within = {rail.settle_within_ns},
                             .inquiry_first = {rail.inquiry_first_ns},
                             .inquiry_max = {rail.inquiry_max_ns},
                             .inquiries_max = rail.inquiries_max,
                             .in_flight_max = rail.in_flight_max,
                             .rate_per_second = rail.rate_per_second,
                             .countries = {}};
  std::copy(std::begin(rail.countries), std::end(rail.countries), profile.countries.begin());
  return profile;
}

model::RailNumber SagaTables::rail_by_name(model::TenantNumber tenant, const model::RailName& name) const {
  const auto found = names_.find({tenant, name});
  return found == names_.end() ? model::RailNumber{0} : found->second;
}

const std::vector<model::RailNumber>& SagaTables::rails_of(model::AssetNumber asset) const {
  return asset < rails_of_.size() ? rails_of_[asset] : no_rails;
}

const TransferRecord* SagaTables::transfer(model::EventNumber requested) const {
  const auto found = slots_.find(requested);
  return found == slots_.end() ? nullptr : &transfers_[found->second];
}

const CellRecord* SagaTables::cell(model::RailNumber rail, model::Dimension dimension, std::uint16_t value) const {
  const auto found = cell_slots_.find(cell_key(rail, dimension, value));
  return found == cell_slots_.end() ? nullptr : &cells_[found->second];
}

const RefundRecord* SagaTables::refund(model::EventNumber original) const {
  const auto found = refund_slots_.find(original);
  return found == refund_slots_.end() ? nullptr : &refunds_[found->second];
}

TransferRecord& SagaTables::writable(model::EventNumber requested) {
  const auto found = slots_.find(requested);
  CHECK_THAT(found != slots_.end(), "an event names a transfer that is known");
  return transfers_.writable(found->second);
}

void SagaTables::index_rail(model::RailNumber number) {
  const RailRecord& rail = rails_[number - 1u];
  names_.emplace(std::pair{rail.tenant, name_of(rail)}, number);
  if (rails_of_.size() <= rail.asset) rails_of_.resize(rail.asset + 1u);
  rails_of_[rail.asset].push_back(number);
  rail_accounts_.insert(rail.clearing);
  rail_accounts_.insert(rail.suspense);
}

SagaTables::Noted SagaTables::noted(const TransferRecord& record) {
  const model::TransferState state = record.status();
  return {record.wakes_at_ns(), state == model::TransferState::parked, !model::is_final(state)};
}

// Brings the derived indexes from what they know of a transfer to what it is now.
void SagaTables::note(const Noted& before, const TransferRecord& record) {
  const Noted now = noted(record);
  if (now == before) return;
  if (now.wakes_at_ns != before.wakes_at_ns) {
    if (before.wakes_at_ns != 0) deadlines_.erase({before.wakes_at_ns, record.requested});
    if (now.wakes_at_ns != 0) deadlines_.emplace(now.wakes_at_ns, record.requested);
  }
  if (now.parked != before.parked) {
    const Parked parked{record.asset, record.country, record.requested};
    if (now.parked) parked_.insert(parked);
    else parked_.erase(parked);
  }
  if (now.open && !before.open) ++head_.open_transfers;
  if (!now.open && before.open) --head_.open_transfers;
}

// Gives fold() the records of the tables for writing.
struct SagaTables::Writer {
  SagaTables& tables;

  TransferRecord& transfer(model::EventNumber requested) { return tables.writable(requested); }
  TransferRecord& new_transfer(model::EventNumber requested) {
    std::uint32_t slot = 0;
    if (tables.head_.first_free_transfer == 0) {
      slot = static_cast<std::uint32_t>(tables.transfers_.size());
      tables.transfers_.push_back({});
    } else {
      slot = tables.head_.first_free_transfer - 1;
      tables.head_.first_free_transfer = tables.transfers_[slot].next_free;
    }
    TransferRecord& record = tables.transfers_.writable(slot);
    CHECK(record.requested == 0);
    record = {};
    record.requested = requested;
    tables.slots_.emplace(requested, slot);
    ++tables.head_.transfers;
    return record;
  }
  RailRecord& rail(model::RailNumber number) {
    CHECK(tables.rail(number) != nullptr);
    return tables.rails_.writable(number - 1u);
  }
  RailRecord& new_rail(model::RailNumber number) {
    CHECK(number != 0 && number <= tables.rails_.size() + 1);
    if (number > tables.rails_.size()) tables.rails_.push_back({});
    return tables.rails_.writable(number - 1u);
  }
  CellRecord& cell(model::RailNumber rail, model::Dimension dimension, std::uint16_t value) {
    const auto [found, made] = tables.cell_slots_.try_emplace(cell_key(rail, dimension, value), static_cast<std::uint32_t>(tables.cells_.size()));
    if (made) {
      CellRecord record;
      record.rail = rail;
      record.dimension = static_cast<std::uint8_t>(dimension);
      record.value = value;
      tables.cells_.push_back(record);
    }
    return tables.cells_.writable(found->second);
  }
  RefundRecord& refund(model::EventNumber original) {
    const auto [found, made] = tables.refund_slots_.try_emplace(original, static_cast<std::uint32_t>(tables.refunds_.size()));
    if (made) {
      RefundRecord record;
      record.original = original;
      tables.refunds_.push_back(record);
    }
    return tables.refunds_.writable(found->second);
  }
};

template <typename Body>
void SagaTables::apply(const Body& body, model::EventNumber number, base::Instant at) {
  Writer writer{*this};
  if constexpr (requires { body.transfer; }) {
    TransferRecord& record = writable(body.transfer);
    const Noted before = noted(record);
    fold(writer, body, number, at);
    note(before, record);
  } else {
    fold(writer, body, number, at);
  }
  if constexpr (std::is_same_v<Body, model::TransferRequested>) note({}, *transfer(number));
  if constexpr (std::is_same_v<Body, model::RailConfigured>) {
    if (!names_.contains({body.tenant, body.name})) index_rail(body.number);
  }
}

template void SagaTables::apply(const model::RailConfigured&, model::EventNumber, base::Instant);
template void SagaTables::apply(const model::RailControlled&, model::EventNumber, base::Instant);
template void SagaTables::apply(const model::RailObserved&, model::EventNumber, base::Instant);
template void SagaTables::apply(const model::TransferRequested&, model::EventNumber, base::Instant);
template void SagaTables::apply(const model::TransferMoved&, model::EventNumber, base::Instant);
template void SagaTables::apply(const model::RouteDecided&, model::EventNumber, base::Instant);
template void SagaTables::apply(const model::AttemptStarted&, model::EventNumber, base::Instant);
template void SagaTables::apply(const model::AttemptReported&, model::EventNumber, base::Instant);
template void SagaTables::apply(const model::InquiryStarted&, model::EventNumber, base::Instant);
template void SagaTables::apply(const model::VoteRecorded&, model::EventNumber, base::Instant);
template void SagaTables::apply(const model::CaseOpened&, model::EventNumber, base::Instant);
template void SagaTables::apply(const model::ReportIgnored&, model::EventNumber, base::Instant);
template void SagaTables::apply(const model::AgeAlarmRaised&, model::EventNumber, base::Instant);
template void SagaTables::apply(const model::RefundCounted&, model::EventNumber, base::Instant);

SagaTables::Frozen SagaTables::freeze() const {
  return {rails_.freeze(), transfers_.freeze(), cells_.freeze(), refunds_.freeze()};
}

base::Status SagaTables::rebuild_derived(model::EventNumber next_event, std::uint32_t assets, std::uint32_t accounts) {
  for (std::size_t i = 0; i < rails_.size(); ++i) {
    const RailRecord& rail = rails_[i];
    const auto number = static_cast<model::RailNumber>(i + 1);
    if (rail.configured == 0 || rail.configured >= next_event) return malformed("a rail was configured by no event of the past");
    if (rail.asset == 0 || rail.asset > assets || rail.clearing == 0 || rail.clearing > accounts || rail.suspense == 0 ||
        rail.suspense > accounts || rail.breaker > 1) {
      return malformed("a rail names no asset or account");
    }
    if (names_.contains({rail.tenant, name_of(rail)})) return malformed("two rails have one name");
    index_rail(number);
  }
  const std::uint32_t open_said = head_.open_transfers;
  head_.open_transfers = 0;
  for (std::size_t slot = 0; slot < transfers_.size(); ++slot) {
    const TransferRecord& record = transfers_[slot];
    if (record.requested == 0) continue;
    if (record.requested >= next_event || record.state == 0 || record.state > model::transfer_state_count || record.kind == 0 ||
        record.kind > 3 || record.account == 0 || record.account > accounts || record.rail > rails_.size() ||
        record.attempt > model::attempts_max) {
      return malformed("a transfer makes no sense");
    }
    if (!slots_.emplace(record.requested, static_cast<std::uint32_t>(slot)).second) return malformed("two transfers have one number");
    note({}, record);
  }
  if (slots_.size() != head_.transfers || head_.open_transfers != open_said) return malformed("transfers are miscounted");
  std::size_t free = 0;
  for (std::uint32_t next = head_.first_free_transfer; next != 0; next = transfers_[next - 1].next_free) {
    if (next > transfers_.size() || transfers_[next - 1].requested != 0 || ++free > transfers_.size()) {
      return malformed("free transfer slots are mislinked");
    }
  }
  if (free + slots_.size() != transfers_.size()) return malformed("a free transfer slot is lost");
  for (std::size_t i = 0; i < cells_.size(); ++i) {
    const CellRecord& cell = cells_[i];
    if (rail(cell.rail) == nullptr) return malformed("a routing cell names no rail");
    cell_slots_.emplace(cell_key(cell.rail, static_cast<model::Dimension>(cell.dimension), cell.value), static_cast<std::uint32_t>(i));
  }
  for (std::size_t i = 0; i < refunds_.size(); ++i) refund_slots_.emplace(refunds_[i].original, static_cast<std::uint32_t>(i));
  if (cell_slots_.size() != cells_.size() || refund_slots_.size() != refunds_.size()) return malformed("a routing cell or refund stands twice");
  return base::ok();
}

}  // namespace core
