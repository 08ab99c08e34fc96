#include "core/ledger/decide.h"

#include <unordered_map>
#include <utility>
#include <variant>

#include "base/check.h"
#include "base/planted_bug.h"
#include "core/ledger/movement.h"

namespace core {

using model::Event;
using model::Outcome;

namespace {

// One decision in the making. `decide_body` overloads write events through emit().
class Decision {
 public:
  Decision(const State& state, const model::Command& command, base::Instant at, const LedgerBounds& bounds,
           std::vector<Event>& events)
      : state_(state), command_(command), at_(at), bounds_(bounds), events_(events) {}

  void run() {
    std::visit([this](const auto& body) { decide_body(body); }, command_.body);
  }

 private:
  model::EventNumber next_event() const { return state_.head().next_event + events_.size(); }

  void emit(model::EventBody body) { events_.push_back({at_, std::move(body)}); }

  void refuse(Outcome outcome, model::Refused particulars = {}) {
    particulars.outcome = outcome;
    particulars.operation = model::operation_of(command_.body);
    particulars.trace = command_.trace;
    emit(particulars);
  }
  void refuse_account(Outcome outcome, model::AccountNumber account) { refuse(outcome, {.debit = account}); }

  // An account of the command's own tenant; other tenants' accounts do not exist for it.
  const AccountRecord* own_account(model::AccountNumber number) const {
    const AccountRecord* record = state_.account(number);
    return record != nullptr && state_.tenant_of(*record) == command_.tenant ? record : nullptr;
  }

  AccountView view_of(model::AccountNumber number) const { return core::view_of(state_, number); }

  void decide_body(const model::OpenTenant& body);
  void decide_body(const model::RegisterAsset& body);
  void decide_body(const model::OpenAccount& body);
  void decide_body(const model::ChangeAccountFlags& body);
  void decide_body(const model::SetAccountLimits& body);
  void decide_body(const model::CreateTransfer& body);
  void decide_body(const model::CaptureHold& body);
  void decide_body(const model::VoidHold& body);
  void decide_body(const model::CancelKey& body);
  void decide_body(const model::RecordBatch& body);
  void decide_body(const model::CreateClient& body);
  void decide_body(const model::RotateClient& body);
  void decide_body(const model::RevokeClient& body);
  void decide_body(const model::Tick& body);
  void decide_body(const model::ConfirmClock& body);
  void decide_body(const model::BumpEpoch& body);
  void decide_body(const model::ChangeLogKey& body);
  template <typename Body>
  void decide_body(const Body&) {
    CHECK_THAT(false, "decide() gives the ledger its own commands only");
  }

  void decide_single(const model::TransferItem& item);
  void decide_group(const model::CreateTransfer& body);
  void emit_movement(const model::TransferItem& item, AccountView& debit, AccountView& credit, model::EventNumber group);
  void refuse_item(Outcome outcome, const model::TransferItem& item);
  void resolve(const HoldRecord& hold, model::HoldResolution resolution, base::U128 captured, AccountView& debit,
               AccountView& credit);
  const HoldRecord* find_hold(model::EventNumber number, model::HoldStanding standing, base::U128 amount);

  const State& state_;
  const model::Command& command_;
  const base::Instant at_;
  const LedgerBounds& bounds_;
  std::vector<Event>& events_;
};

bool flags_contradict(model::AccountFlags flags) {
  constexpr model::AccountFlags both = model::debits_must_not_exceed_credits | model::credits_must_not_exceed_debits;
  return (flags & both) == both;
}

bool limits_contradict(const model::AccountLimits& limits) {
  return limits.debit_amount_max && limits.daily_debits_max && *limits.debit_amount_max > *limits.daily_debits_max;
}

model::AccountLimits limits_from(const LimitsRecord* record) {
  model::AccountLimits limits;
  if (record == nullptr) return limits;
  if (record->has_debit_amount_max) limits.debit_amount_max = record->debit_amount_max;
  if (record->has_daily_debits_max) limits.daily_debits_max = record->daily_debits_max;
  if (record->has_balance_max) limits.balance_max = record->balance_max;
  return limits;
}

// --- tenants, assets, accounts ------------------------------------------------------------------------------------------

void Decision::decide_body(const model::OpenTenant& body) {
  if (body.existing != 0) return refuse(Outcome::tenant_exists, {.subject = body.existing});
  emit(model::TenantOpened{.tenant = state_.tenant_count() + 1, .name = body.name});
}

void Decision::decide_body(const model::RegisterAsset& body) {
  if (state_.tenant(command_.tenant) == nullptr) return refuse(Outcome::tenant_not_found);
  if (const model::AssetNumber known = state_.asset_by_code(command_.tenant, body.asset.code)) {
    const bool same = state_.asset(known)->scale == body.asset.scale;
    return refuse(same ? Outcome::asset_exists : Outcome::asset_exists_with_different_scale, {.subject = known});
  }
  if (state_.account_count() >= bounds_.accounts_max) return refuse(Outcome::too_many_accounts);
  const model::AssetNumber number = state_.asset_count() + 1;
  emit(model::AssetRegistered{.number = number, .tenant = command_.tenant, .asset = body.asset});
  emit(model::AccountOpened{.number = state_.account_count() + 1,
                            .tenant = command_.tenant,
                            .asset = number,
                            .name = body.world_name,
                            .flags = model::is_world,
                            .limits = {},
                            .metadata = {}});
}

void Decision::decide_body(const model::OpenAccount& body) {
  CHECK_THAT((body.flags & (model::closed | model::is_world)) == 0, "the gate lets nobody choose these flags");
  const model::AssetNumber asset = state_.asset_by_code(command_.tenant, body.asset.code);
  if (asset == 0 || state_.asset(asset)->scale != body.asset.scale) return refuse(Outcome::asset_not_registered);
  if (const AccountRecord* known = state_.account(body.existing)) {
    constexpr model::AccountFlags chosen_at_opening = model::debits_must_not_exceed_credits | model::credits_must_not_exceed_debits;
    const bool same = known->asset == asset && (known->flags & chosen_at_opening) == (body.flags & chosen_at_opening) &&
                      limits_from(state_.limits_of(*known)) == body.limits;
    if (!same) return refuse_account(Outcome::account_exists_with_different_fields, body.existing);
    return refuse_account((known->flags & model::closed) != 0 ? Outcome::account_closed : Outcome::account_exists, body.existing);
  }
  if (flags_contradict(body.flags)) return refuse(Outcome::account_flags_contradict);
  if (state_.account_count() >= bounds_.accounts_max) return refuse(Outcome::too_many_accounts);
  if (limits_contradict(body.limits)) return refuse(Outcome::limits_contradict);
  emit(model::AccountOpened{.number = state_.account_count() + 1,
                            .tenant = command_.tenant,
                            .asset = asset,
                            .name = body.name,
                            .flags = body.flags,
                            .limits = body.limits,
                            .metadata = body.metadata});
}

void Decision::decide_body(const model::ChangeAccountFlags& body) {
  const AccountRecord* account = own_account(body.account);
  if (account == nullptr) return refuse(Outcome::account_not_found);
  CHECK_THAT(((body.set | body.clear) & ~(model::frozen_for_debits | model::frozen_for_credits | model::closed)) == 0 &&
                 (body.clear & model::closed) == 0,
             "the gate lets nobody change other flags, or open what was closed");
  if ((account->flags & model::closed) != 0) return refuse_account(Outcome::account_closed, body.account);
  if ((account->flags & model::is_world) != 0 && body.set != 0) return refuse_account(Outcome::world_account_stays_open, body.account);
  if ((body.set & model::closed) != 0) {
    if (state_.sagas().is_rail_account(body.account)) return refuse_account(Outcome::rail_account_stays_open, body.account);
    if (account->open_holds != 0) return refuse_account(Outcome::account_has_pending_holds, body.account);
    const model::Counters& counters = account->counters;
    if (counters.debits_posted != counters.credits_posted) return refuse_account(Outcome::account_balance_is_not_zero, body.account);
  }
  const auto flags = static_cast<model::AccountFlags>((account->flags | body.set) & ~body.clear);
  emit(model::AccountFlagsChanged{.account = body.account, .flags = flags, .counters = account->counters});
}

void Decision::decide_body(const model::SetAccountLimits& body) {
  const AccountRecord* account = own_account(body.account);
  if (account == nullptr) return refuse(Outcome::account_not_found);
  if ((account->flags & model::closed) != 0) return refuse_account(Outcome::account_closed, body.account);
  if (limits_contradict(body.limits)) return refuse_account(Outcome::limits_contradict, body.account);
  emit(model::AccountLimitsSet{.account = body.account, .limits = body.limits});
}

// --- transfers ------------------------------------------------------------------------------------------------------------

void Decision::refuse_item(Outcome outcome, const model::TransferItem& item) {
  refuse(outcome, {.debit = item.debit, .credit = item.credit, .amount = item.amount});
}

void Decision::emit_movement(const model::TransferItem& item, AccountView& debit, AccountView& credit, model::EventNumber group) {
  const model::EventNumber event = next_event();
  model::Side debit_side = take_side(debit, event), credit_side = take_side(credit, event);
  if (item.hold) {
    emit(model::HoldPlaced{.amount = item.amount,
                           .asset = debit.record.asset,
                           .debit = debit_side,
                           .credit = credit_side,
                           .expires_at = item.hold_for.ns == 0 ? base::Instant{} : at_ + item.hold_for,
                           .group = group,
                           .reference = item.reference,
                           .metadata = item.metadata});
  } else {
    emit(model::TransferPosted{.amount = item.amount,
                               .asset = debit.record.asset,
                               .debit = debit_side,
                               .credit = credit_side,
                               .group = group,
                               .reference = item.reference,
                               .metadata = item.metadata});
  }
}

void Decision::decide_body(const model::CreateTransfer& body) {
  CHECK(!body.items.empty() && body.items.size() <= model::group_items_max);
  if (body.items.size() == 1) return decide_single(body.items[0]);
  decide_group(body);
}

void Decision::decide_single(const model::TransferItem& item) {
  Outcome outcome = check_shape(state_, command_.tenant, item);
  if (outcome != Outcome::done) return refuse_item(outcome, item);
  AccountView debit = view_of(item.debit), credit = view_of(item.credit);
  outcome = move(item, at_, bounds_, debit, credit);
  if (outcome != Outcome::done) return refuse_item(outcome, item);
  if (item.hold && state_.head().open_holds >= bounds_.open_holds_max) return refuse_item(Outcome::too_many_open_holds, item);
  emit_movement(item, debit, credit, 0);
}

// The items of a group see each other through `views`, which shadow the state until the last item has passed.
void Decision::decide_group(const model::CreateTransfer& body) {
  std::unordered_map<model::AccountNumber, AccountView> views;
  const model::EventNumber group = next_event();
  std::uint32_t holds = 0;
  std::size_t culprit = body.items.size();
  Outcome outcome = Outcome::done;
  for (std::size_t i = 0; i < body.items.size() && outcome == Outcome::done; ++i) {
    const model::TransferItem& item = body.items[i];
    outcome = check_shape(state_, command_.tenant, item);
    if (outcome == Outcome::done) {
      AccountView& debit = views.try_emplace(item.debit, view_of(item.debit)).first->second;
      AccountView& credit = views.try_emplace(item.credit, view_of(item.credit)).first->second;
      outcome = move(item, at_, bounds_, debit, credit);
      if (outcome == Outcome::done && item.hold && state_.head().open_holds + ++holds > bounds_.open_holds_max) {
        outcome = Outcome::too_many_open_holds;
      }
      if (outcome == Outcome::done) emit_movement(item, debit, credit, group);
    }
    if (outcome != Outcome::done) culprit = i;
  }
  if (outcome == Outcome::done) return;
  events_.clear();
  for (std::size_t i = 0; i < body.items.size(); ++i) {
    refuse_item(i == (base::planted_bug(5) ? 0 : culprit) ? outcome : Outcome::atomic_group_refused, body.items[i]);
  }
}

// --- holds ------------------------------------------------------------------------------------------------------------------

void Decision::resolve(const HoldRecord& hold, model::HoldResolution resolution, base::U128 captured, AccountView& debit,
                       AccountView& credit) {
  emit(resolve_hold(hold, resolution, captured, debit, credit, next_event()));
}

const HoldRecord* Decision::find_hold(model::EventNumber number, model::HoldStanding standing, base::U128 amount) {
  const HoldRecord* hold = state_.open_hold(number);
  if (hold != nullptr && own_account(hold->debit) != nullptr) return hold;
  const model::Refused particulars{.amount = amount, .subject = number};
  switch (standing) {
    case model::HoldStanding::open:
    case model::HoldStanding::not_found: refuse(Outcome::transfer_not_found, particulars); break;
    case model::HoldStanding::not_a_hold: refuse(Outcome::transfer_is_not_a_hold, particulars); break;
    case model::HoldStanding::captured: refuse(Outcome::hold_already_captured, particulars); break;
    case model::HoldStanding::voided: refuse(Outcome::hold_already_voided, particulars); break;
    case model::HoldStanding::expired: refuse(Outcome::hold_expired, particulars); break;
  }
  return nullptr;
}

void Decision::decide_body(const model::CaptureHold& body) {
  const HoldRecord* hold = find_hold(body.hold, body.standing, body.amount.value_or(0));
  if (hold == nullptr) return;
  const base::U128 amount = body.amount.value_or(hold->amount);
  const model::Refused particulars{.debit = hold->debit, .credit = hold->credit, .amount = amount, .subject = body.hold};
  if (amount == 0) return refuse(Outcome::capture_must_not_be_zero, particulars);
  if (amount > hold->amount) return refuse(Outcome::capture_exceeds_held_amount, particulars);
  if (hold->transfer != 0) return refuse(Outcome::hold_belongs_to_transfer, particulars);
  AccountView debit = view_of(hold->debit), credit = view_of(hold->credit);
  resolve(*hold, model::HoldResolution::captured, amount, debit, credit);
}

void Decision::decide_body(const model::VoidHold& body) {
  const HoldRecord* hold = find_hold(body.hold, body.standing, 0);
  if (hold == nullptr) return;
  if (hold->transfer != 0) {
    return refuse(Outcome::hold_belongs_to_transfer, {.debit = hold->debit, .credit = hold->credit, .subject = body.hold});
  }
  AccountView debit = view_of(hold->debit), credit = view_of(hold->credit);
  resolve(*hold, model::HoldResolution::voided, 0, debit, credit);
}

void Decision::decide_body(const model::Tick& body) {
  std::unordered_map<model::AccountNumber, AccountView> views;
  for (const auto& [expires_at_ns, placed] : state_.expiries()) {
    if (expires_at_ns > at_.ns + (base::planted_bug(4) ? 1'000'000'000 : 0) || events_.size() >= body.expiries_max) break;
    const HoldRecord* hold = state_.open_hold(placed);
    CHECK(hold != nullptr);
    AccountView& debit = views.try_emplace(hold->debit, view_of(hold->debit)).first->second;
    AccountView& credit = views.try_emplace(hold->credit, view_of(hold->credit)).first->second;
    resolve(*hold, model::HoldResolution::expired, 0, debit, credit);
  }
}

// --- keys, batches, clients, the node itself ------------------------------------------------------------------------------

void Decision::decide_body(const model::CancelKey& body) {
  if (body.used_by != 0) return refuse(Outcome::idempotency_key_already_used, {.subject = body.used_by});
  emit(model::KeyCancelled{.key = body.cancelled});
}

void Decision::decide_body(const model::RecordBatch& body) {
  emit(model::BatchRecorded{.items = static_cast<std::uint32_t>(body.answers.size())});
}

void Decision::decide_body(const model::CreateClient& body) {
  if (state_.tenant(command_.tenant) == nullptr) return refuse(Outcome::tenant_not_found);
  emit(model::ClientCreated{.number = state_.client_count() + 1,
                            .tenant = command_.tenant,
                            .kind = body.kind,
                            .scopes = body.scopes,
                            .name = body.name,
                            .secret_hash = body.secret_hash});
}

void Decision::decide_body(const model::RotateClient& body) {
  const ClientRecord* client = state_.client(body.client);
  if (client == nullptr || client->tenant != command_.tenant) return refuse(Outcome::client_not_found, {.subject = body.client});
  if (client->revoked) return refuse(Outcome::client_revoked, {.subject = body.client});
  emit(model::ClientRotated{.number = body.client,
                            .secret_hash = body.secret_hash,
                            .former_valid_until = at_ + body.overlap,
                            .generation = client->generation + 1});
}

void Decision::decide_body(const model::RevokeClient& body) {
  const ClientRecord* client = state_.client(body.client);
  if (client == nullptr || client->tenant != command_.tenant) return refuse(Outcome::client_not_found, {.subject = body.client});
  if (client->revoked) return refuse(Outcome::client_revoked, {.subject = body.client});
  emit(model::ClientRevoked{.number = body.client, .generation = client->generation + 1});
}

void Decision::decide_body(const model::ConfirmClock& body) {
  if (body.jump.ns == 0) return refuse(Outcome::clock_needs_no_confirmation);
  emit(model::ClockConfirmed{.jump = body.jump});
}

void Decision::decide_body(const model::BumpEpoch& body) { emit(model::EpochBumped{.epoch = body.epoch}); }

void Decision::decide_body(const model::ChangeLogKey& body) {
  emit(model::LogKeyChanged{.version = body.version, .public_key = body.public_key});
}

}  // namespace

void decide_ledger(const State& state, const model::Command& command, base::Instant at, const LedgerBounds& bounds,
                   std::vector<Event>& events) {
  Decision(state, command, at, bounds, events).run();
}

}  // namespace core
