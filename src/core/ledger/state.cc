#include "core/ledger/state.h"

#include <cstring>
#include <variant>

#include "base/cbor.h"
#include "base/check.h"
#include "base/planted_bug.h"
#include "core/ledger/movement.h"

namespace core {

namespace {

// Version 4 has the scalars of transfers as well. Where they are all zero, version 3 is written: it says the same.
constexpr std::uint64_t head_version_without_sagas = 3;
constexpr std::uint64_t head_version_without_epochs = 4;
constexpr std::uint64_t head_version = 5;

base::Error malformed(const char* what) { return {"snapshot_state_malformed", what}; }

}  // namespace

std::string_view name_of(StateSection section) {
  switch (section) {
    case StateSection::head: return "head";
    case StateSection::tenants: return "tenants";
    case StateSection::assets: return "assets";
    case StateSection::accounts: return "accounts";
    case StateSection::limits: return "limits";
    case StateSection::holds: return "holds";
    case StateSection::clients: return "clients";
    case StateSection::rails: return "rails";
    case StateSection::transfers: return "transfers";
    case StateSection::rail_cells: return "rail_cells";
    case StateSection::refunds: return "refunds";
    case StateSection::webhooks: return "webhooks";
    case StateSection::attempts: return "attempts";
    case StateSection::statement_lines: return "statement_lines";
    case StateSection::exceptions: return "exceptions";
    case StateSection::orphans: return "orphans";
    case StateSection::statements: return "statements";
    case StateSection::partners: return "partners";
    case StateSection::keys: return "keys";
    case StateSection::key_versions: return "key_versions";
    case StateSection::imports: return "imports";
    case StateSection::key_material: return "key_material";
  }
  CHECK_THAT(false, "a section outside the enumeration");
  return "";
}

const HoldRecord* State::open_hold(model::EventNumber placed) const {
  const auto found = hold_slots_.find(placed);
  return found == hold_slots_.end() ? nullptr : &holds_[found->second];
}

model::AssetNumber State::asset_by_code(model::TenantNumber tenant, const model::AssetCode& code) const {
  for (std::size_t i = 0; i < assets_.size(); ++i) {
    if (assets_[i].tenant == tenant && std::memcmp(assets_[i].code, code.data(), code.size()) == 0) {
      return static_cast<model::AssetNumber>(i + 1);
    }
  }
  return 0;
}

void State::apply(const model::Event& event) {
  CHECK_THAT(event.at >= head_.last_instant, "instants of events never decrease");
  head_.last_instant = event.at;
  std::visit([this](const auto& body) { apply_body(body); }, event.body);
  head_.next_event += 1;
}

void State::apply_body(const model::TenantOpened& body) {
  CHECK(body.tenant == tenants_.size() + 1);
  tenants_.push_back({.opened = head_.next_event});
}

void State::apply_body(const model::AssetRegistered& body) {
  CHECK(body.number == assets_.size() + 1);
  AssetRecord record;
  record.registered = head_.next_event;
  record.tenant = body.tenant;
  std::memcpy(record.code, body.asset.code.data(), sizeof record.code);
  record.scale = body.asset.scale;
  assets_.push_back(record);
}

void State::apply_body(const model::AccountOpened& body) {
  CHECK(body.number == accounts_.size() + 1);
  CHECK_THAT(asset(body.asset) != nullptr && asset(body.asset)->tenant == body.tenant, "an account is of its asset's tenant");
  AccountRecord record;
  record.opened = head_.next_event;
  record.asset = body.asset;
  record.flags = body.flags;
  store_limits(record, body.limits);
  accounts_.push_back(record);
  if ((body.flags & model::is_world) != 0) assets_.writable(body.asset - 1).world = body.number;
}

void State::apply_body(const model::AccountFlagsChanged& body) {
  CHECK(account(body.account) != nullptr);
  accounts_.writable(body.account - 1).flags = body.flags;
}

void State::apply_body(const model::AccountLimitsSet& body) {
  CHECK(account(body.account) != nullptr);
  store_limits(accounts_.writable(body.account - 1), body.limits);
}

void State::store_limits(AccountRecord& account, const model::AccountLimits& limits) {
  if (limits == model::AccountLimits{} && account.limits_slot == 0) return;
  if (account.limits_slot == 0) {
    limits_.push_back({});
    account.limits_slot = static_cast<std::uint32_t>(limits_.size());
  }
  // A slot once given stays with its account.
  LimitsRecord& record = limits_.writable(account.limits_slot - 1);
  record.has_debit_amount_max = limits.debit_amount_max.has_value();
  record.has_daily_debits_max = limits.daily_debits_max.has_value();
  record.has_balance_max = limits.balance_max.has_value();
  record.debit_amount_max = limits.debit_amount_max.value_or(0);
  record.daily_debits_max = limits.daily_debits_max.value_or(0);
  record.balance_max = limits.balance_max.value_or(0);
}

AccountRecord& State::touch(const model::Side& side) {
  CHECK(account(side.account) != nullptr);
  AccountRecord& record = accounts_.writable(side.account - 1);
  CHECK_THAT(side.links.previous == record.last_posting, "an event continues the history of its accounts");
  record.counters = side.after;
  record.last_posting = head_.next_event;
  record.postings += 1;
  if (record.postings % 64 == 0) record.last_64 = head_.next_event;
  if (record.postings % 4096 == 0) record.last_4096 = head_.next_event;
  return record;
}

void State::apply_body(const model::TransferPosted& body) {
  count_daily_debit(touch(body.debit), head_.last_instant, body.amount);
  touch(body.credit);
}

void State::apply_body(const model::HoldPlaced& body) {
  AccountRecord& debit = touch(body.debit);
  debit.open_holds += 1;
  count_daily_debit(debit, head_.last_instant, body.amount);
  touch(body.credit).open_holds += 1;

  const HoldRecord record{.amount = body.amount,
                          .placed = head_.next_event,
                          .expires_at_ns = body.expires_at.ns,
                          .debit = body.debit.account,
                          .credit = body.credit.account,
                          .asset = body.asset};
  std::uint32_t slot = 0;
  if (head_.first_free_hold == 0) {
    slot = static_cast<std::uint32_t>(holds_.size());
    holds_.push_back(record);
  } else {
    slot = head_.first_free_hold - 1;
    HoldRecord& free = holds_.writable(slot);
    CHECK(free.placed == 0);
    head_.first_free_hold = free.next_free;
    free = record;
  }
  head_.open_holds += 1;
  hold_slots_.emplace(record.placed, slot);
  if (record.expires_at_ns != 0) expiries_.emplace(record.expires_at_ns, record.placed);
}

void State::apply_body(const model::HoldResolved& body) {
  const auto found = hold_slots_.find(body.hold);
  CHECK_THAT(found != hold_slots_.end(), "a hold resolves at most once");
  const std::uint32_t slot = found->second;
  HoldRecord& record = holds_.writable(slot);
  CHECK_THAT(record.debit == body.debit.account && record.credit == body.credit.account && record.amount == body.held,
             "a hold resolves between its own accounts and for its own amount");
  touch(body.debit).open_holds -= 1;
  touch(body.credit).open_holds -= 1;
  if (record.expires_at_ns != 0 && !base::planted_bug(8)) expiries_.erase({record.expires_at_ns, record.placed});
  hold_slots_.erase(found);
  record = HoldRecord{};
  record.next_free = head_.first_free_hold;
  head_.first_free_hold = slot + 1;
  head_.open_holds -= 1;
}

void State::apply_body(const model::ClientCreated& body) {
  CHECK(body.number == clients_.size() + 1);
  ClientRecord record;
  std::memcpy(record.secret_hash, body.secret_hash.data(), sizeof record.secret_hash);
  record.created = head_.next_event;
  record.tenant = body.tenant;
  record.generation = 1;
  record.scopes = body.scopes;
  record.kind = static_cast<std::uint8_t>(body.kind);
  clients_.push_back(record);
}

void State::apply_body(const model::ClientRotated& body) {
  CHECK(client(body.number) != nullptr);
  ClientRecord& record = clients_.writable(body.number - 1);
  std::memcpy(record.former_secret_hash, record.secret_hash, sizeof record.secret_hash);
  std::memcpy(record.secret_hash, body.secret_hash.data(), sizeof record.secret_hash);
  record.former_valid_until_ns = body.former_valid_until.ns;
  record.generation = body.generation;
}

void State::apply_body(const model::ClientRevoked& body) {
  CHECK(client(body.number) != nullptr);
  ClientRecord& record = clients_.writable(body.number - 1);
  record.revoked = 1;
  record.generation = body.generation;
}

void State::apply_body(const model::EpochBumped& body) {
  CHECK_THAT(body.epoch > head_.epoch, "epochs only grow");
  head_.epoch = body.epoch;
  epochs_.begin(body.epoch, head_.next_event);
}

void State::apply_body(const model::LogKeyChanged& body) {
  CHECK_THAT(body.version > head_.log_key, "versions of the log's key only grow");
  head_.log_key = body.version;
}

void State::apply_body(const model::TransferMoved& body) {
  if (body.hold != 0) {
    const auto found = hold_slots_.find(body.hold);
    CHECK_THAT(found != hold_slots_.end(), "a transfer keeps a hold that is open");
    holds_.writable(found->second).transfer = body.transfer;
  }
  reconciliation_.apply(body, head_.next_event, head_.last_instant, sagas_);
  sagas_.apply(body, head_.next_event, head_.last_instant);
}

void State::apply_body(const model::HoldRedirected& body) {
  const auto found = hold_slots_.find(body.hold);
  CHECK_THAT(found != hold_slots_.end(), "an open hold is redirected");
  HoldRecord& record = holds_.writable(found->second);
  CHECK_THAT(record.credit == body.debit.account && record.amount == body.amount, "a hold is redirected from the account that it was for");
  touch(body.debit).open_holds -= 1;
  touch(body.credit).open_holds += 1;
  record.credit = body.credit.account;
}

void State::apply_body(const model::WebhookCreated& body) {
  CHECK(body.number == webhooks_.size() + 1);
  WebhookRecord record;
  std::memcpy(record.key_name, body.key.name.data(), sizeof record.key_name);
  std::memcpy(record.public_key, body.key.public_key.data(), sizeof record.public_key);
  record.created = record.url_event = record.told_through = head_.next_event;
  record.changed_at_ns = head_.last_instant.ns;
  record.tenant = body.tenant;
  record.events = body.events;
  record.flags = body.flags;
  webhooks_.push_back(record);
}

WebhookRecord& State::touch_webhook(model::WebhookNumber number) {
  CHECK(webhook(number) != nullptr);
  return webhooks_.writable(number - 1);
}

void State::apply_body(const model::WebhookChanged& body) {
  WebhookRecord& record = touch_webhook(body.number);
  record.events = body.events;
  record.flags = body.flags;
  record.cause = static_cast<std::uint8_t>(body.cause);
  if (body.url) record.url_event = head_.next_event;
  record.changed_at_ns = head_.last_instant.ns;
}

void State::apply_body(const model::WebhookRemoved& body) {
  WebhookRecord& record = touch_webhook(body.number);
  record.removed = 1;
  record.changed_at_ns = head_.last_instant.ns;
}

void State::apply_body(const model::WebhookRotated& body) {
  WebhookRecord& record = touch_webhook(body.number);
  std::memcpy(record.former_key_name, record.key_name, sizeof record.key_name);
  std::memcpy(record.key_name, body.key.name.data(), sizeof record.key_name);
  std::memcpy(record.public_key, body.key.public_key.data(), sizeof record.public_key);
  record.former_until_ns = body.former_valid_until.ns;
}

void State::apply_body(const model::WebhookMarked& body) { touch_webhook(body.number).told_through = body.told_through; }

FrozenState State::freeze() const {
  FrozenState frozen;
  frozen.head = head_;
  base::CborWriter writer(frozen.encoded_head_);
  const SagaHead& sagas = sagas_.head();
  const bool has_sagas = sagas != SagaHead{};
  const std::vector<model::EpochStart>& epochs = epochs_.later();
  writer.array(!epochs.empty() ? 11 : has_sagas ? 10 : 7);
  writer.uint(!epochs.empty() ? head_version : has_sagas ? head_version_without_epochs : head_version_without_sagas);
  writer.uint(head_.next_event);
  writer.sint(head_.last_instant.ns);
  writer.uint(head_.epoch);
  writer.uint(head_.first_free_hold);
  writer.uint(head_.open_holds);
  writer.uint(head_.log_key);
  if (has_sagas || !epochs.empty()) {
    writer.uint(sagas.first_free_transfer);
    writer.uint(sagas.transfers);
    writer.uint(sagas.open_transfers);
  }
  if (!epochs.empty()) {
    writer.array(2 * epochs.size());
    for (const model::EpochStart& start : epochs) {
      writer.uint(start.epoch);
      writer.uint(start.first);
    }
  }
  frozen.tenants = tenants_.freeze();
  frozen.assets = assets_.freeze();
  frozen.accounts = accounts_.freeze();
  frozen.limits = limits_.freeze();
  frozen.holds = holds_.freeze();
  frozen.clients = clients_.freeze();
  frozen.sagas = sagas_.freeze();
  frozen.webhooks = webhooks_.freeze();
  frozen.reconciliation = reconciliation_.freeze();
  frozen.registry = registry_.freeze();
  return frozen;
}

template <typename Record>
void StateLoader::take_records(CowArray<Record>& into, StateSection section, base::ByteView piece) {
  base::Bytes& partial = partial_[static_cast<std::size_t>(section)];
  while (!piece.empty()) {
    if (partial.empty() && piece.size() >= sizeof(Record)) {
      Record record;
      std::memcpy(&record, piece.data(), sizeof record);
      into.push_back(record);
      piece = piece.subspan(sizeof(Record));
      continue;
    }
    const std::size_t more = std::min(sizeof(Record) - partial.size(), piece.size());
    base::append(partial, piece.first(more));
    piece = piece.subspan(more);
    if (partial.size() == sizeof(Record)) {
      Record record;
      std::memcpy(&record, partial.data(), sizeof record);
      into.push_back(record);
      partial.clear();
    }
  }
}

void StateLoader::take(StateSection section, base::ByteView piece) {
  switch (section) {
    case StateSection::head: return base::append(head_, piece);
    case StateSection::tenants: return take_records(state_.tenants_, section, piece);
    case StateSection::assets: return take_records(state_.assets_, section, piece);
    case StateSection::accounts: return take_records(state_.accounts_, section, piece);
    case StateSection::limits: return take_records(state_.limits_, section, piece);
    case StateSection::holds: return take_records(state_.holds_, section, piece);
    case StateSection::clients: return take_records(state_.clients_, section, piece);
    case StateSection::rails: return take_records(state_.sagas_.rails_, section, piece);
    case StateSection::transfers: return take_records(state_.sagas_.transfers_, section, piece);
    case StateSection::rail_cells: return take_records(state_.sagas_.cells_, section, piece);
    case StateSection::refunds: return take_records(state_.sagas_.refunds_, section, piece);
    case StateSection::webhooks: return take_records(state_.webhooks_, section, piece);
    case StateSection::attempts: return take_records(state_.reconciliation_.attempts_, section, piece);
    case StateSection::statement_lines: return take_records(state_.reconciliation_.lines_, section, piece);
    case StateSection::exceptions: return take_records(state_.reconciliation_.exceptions_, section, piece);
    case StateSection::orphans: return take_records(state_.reconciliation_.orphans_, section, piece);
    case StateSection::statements: return take_records(state_.reconciliation_.statements_, section, piece);
    case StateSection::partners: return take_records(state_.registry_.partners_, section, piece);
    case StateSection::keys: return take_records(state_.registry_.keys_, section, piece);
    case StateSection::key_versions: return take_records(state_.registry_.versions_, section, piece);
    case StateSection::imports: return take_records(state_.registry_.imports_, section, piece);
    case StateSection::key_material: return take_records(state_.registry_.material_, section, piece);
  }
}

// Pairs of epoch and first event, both ascending.
bool StateLoader::take_epochs(base::CborReader& reader) {
  const auto count = reader.array();
  if (!count || *count == 0 || *count % 2 != 0) return false;
  model::EpochStart last{.epoch = 1, .first = 0};
  for (std::uint64_t i = 0; i < *count; i += 2) {
    const auto epoch = reader.uint();
    const auto first = reader.uint();
    if (!epoch || !first || *epoch > UINT32_MAX || *epoch <= last.epoch || *first > model::event_number_max || *first <= last.first) return false;
    last = {static_cast<model::Epoch>(*epoch), *first};
    state_.epochs_.begin(last.epoch, last.first);
  }
  return true;
}

base::Result<State> StateLoader::finish() {
  for (const base::Bytes& partial : partial_) {
    if (!partial.empty()) return malformed("a section ends in the middle of a record");
  }
  base::CborReader reader(head_);
  const auto items = reader.array();
  const auto version = reader.uint();
  const auto next_event = reader.uint();
  const auto last_instant = reader.sint();
  const auto epoch = reader.uint();
  const auto first_free = reader.uint();
  const auto open_holds = reader.uint();
  const auto log_key = reader.uint();
  const bool has_epochs = version && *version == head_version;
  const bool has_sagas = has_epochs || (version && *version == head_version_without_epochs);
  SagaHead sagas;
  if (has_sagas) {
    for (std::uint32_t* scalar : {&sagas.first_free_transfer, &sagas.transfers, &sagas.open_transfers}) {
      const auto value = reader.uint();
      if (value && *value > UINT32_MAX) return malformed("the head does not decode");
      *scalar = static_cast<std::uint32_t>(value.value_or(0));
    }
  }
  if (has_epochs && !take_epochs(reader)) return malformed("the head does not decode");
  if (!reader.done() || *items != (has_epochs ? 11u : has_sagas ? 10u : 7u) || (!has_sagas && *version != head_version_without_sagas) ||
      (!has_epochs && has_sagas != (sagas != SagaHead{})) || *next_event == 0 ||
      *next_event > model::event_number_max || *last_instant < 0 || *epoch == 0 || *epoch > UINT32_MAX ||
      *first_free > UINT32_MAX || *open_holds > UINT32_MAX || *log_key == 0 || *log_key > UINT32_MAX) {
    return malformed("the head does not decode");
  }
  state_.head_ = {*next_event, base::Instant{*last_instant}, static_cast<model::Epoch>(*epoch),
                  static_cast<std::uint32_t>(*first_free), static_cast<std::uint32_t>(*open_holds),
                  static_cast<std::uint32_t>(*log_key)};
  state_.sagas_.head_ = sagas;
  const auto& epochs = state_.epochs_.later();
  if (epochs.empty() ? *epoch != 1 : epochs.back().epoch != *epoch || epochs.back().first >= *next_event) {
    return malformed("the epoch is not the newest that began");
  }
  TRY(state_.rebuild_derived());
  return std::move(state_);
}

base::Status State::rebuild_derived() {
  for (std::size_t slot = 0; slot < holds_.size(); ++slot) {
    const HoldRecord& hold = holds_[slot];
    if (hold.placed == 0) continue;
    if (account(hold.debit) == nullptr || account(hold.credit) == nullptr) return malformed("a hold names no account");
    if (hold.placed >= head_.next_event) return malformed("a hold was placed by an event to come");
    if (hold.transfer >= head_.next_event) return malformed("a hold is kept by a transfer to come");
    hold_slots_.emplace(hold.placed, static_cast<std::uint32_t>(slot));
    if (hold.expires_at_ns != 0) expiries_.emplace(hold.expires_at_ns, hold.placed);
  }
  if (hold_slots_.size() != head_.open_holds) return malformed("open holds are miscounted");
  std::size_t free = 0;
  for (std::uint32_t next = head_.first_free_hold; next != 0; next = holds_[next - 1].next_free) {
    if (next > holds_.size() || holds_[next - 1].placed != 0 || ++free > holds_.size()) return malformed("free holds are mislinked");
  }
  if (free + hold_slots_.size() != holds_.size()) return malformed("a free hold slot is lost");
  for (std::size_t i = 0; i < accounts_.size(); ++i) {
    const AccountRecord& record = accounts_[i];
    if (record.last_posting >= head_.next_event) return malformed("an account was posted to by an event to come");
    if (asset(record.asset) == nullptr || record.limits_slot > limits_.size()) return malformed("an account names no asset or limits");
    // Sums of counters are formed without a check wherever money moves, because no counter passes the maximum.
    const model::Counters& c = record.counters;
    if (c.debits_posted > base::amount_max || c.credits_posted > base::amount_max ||
        !base::checked_add(c.debits_pending, c.debits_posted) || !base::checked_add(c.credits_pending, c.credits_posted)) {
      return malformed("an account's counters exceed the maximum");
    }
  }
  for (std::size_t i = 0; i < webhooks_.size(); ++i) {
    const WebhookRecord& webhook = webhooks_[i];
    if (webhook.created == 0 || webhook.created >= head_.next_event || webhook.url_event >= head_.next_event ||
        webhook.told_through >= head_.next_event || tenant(webhook.tenant) == nullptr) {
      return malformed("a webhook was made by no event of the past");
    }
  }
  TRY(sagas_.rebuild_derived(head_.next_event, asset_count(), account_count()));
  TRY(reconciliation_.rebuild_derived(head_.next_event, sagas_));
  TRY(registry_.rebuild_derived(head_.next_event, tenant_count()));
  for (std::size_t slot = 0; slot < sagas_.transfers_.size(); ++slot) {
    const TransferRecord& transfer = sagas_.transfers_[slot];
    if (transfer.hold == 0) continue;
    const HoldRecord* hold = open_hold(transfer.hold);
    if (hold == nullptr || hold->transfer != transfer.requested) return malformed("a transfer keeps no open hold of its own");
  }
  return base::ok();
}

}  // namespace core
