#include "sim/twin.h"

#include <algorithm>

#include "core/ledger/records.h"
#include "crypto/hash.h"
#include "node/engine.h"

namespace sim {

using model::EventNumber;
using model::Outcome;

namespace {

bool is_transient(Outcome outcome) { return model::row_of(outcome).http_status >= 500; }

std::string number(std::uint64_t value) { return std::to_string(value); }

std::string name_of(Outcome outcome) { return std::string(model::code_of(outcome)); }

std::string describe(const model::EventBody& body) {
  if (const auto* refused = std::get_if<model::Refused>(&body)) return "refusal " + name_of(refused->outcome);
  if (const auto* posted = std::get_if<model::TransferPosted>(&body)) return "posting of " + base::to_decimal(posted->amount);
  if (const auto* held = std::get_if<model::HoldPlaced>(&body)) return "hold of " + base::to_decimal(held->amount);
  if (const auto* done = std::get_if<model::HoldResolved>(&body)) {
    return "resolution " + number(static_cast<unsigned>(done->resolution)) + " of hold " + number(done->hold) + ", captured " +
           base::to_decimal(done->captured);
  }
  return "event of kind " + number(body.index());
}

std::string describe(const node::ItemAnswer& answer) {
  if (answer.event == 0) return name_of(answer.refusal) + " (fields " + number(answer.differing_fields) + ")";
  return "event " + number(answer.event) + (answer.replayed ? " replayed" : "");
}

bool same(const node::ItemAnswer& a, const node::ItemAnswer& b) {
  return a.event == b.event && a.refusal == b.refusal && a.differing_fields == b.differing_fields && a.replayed == b.replayed;
}

}  // namespace

// --- requests under way ---------------------------------------------------------------------------------------------------

void Twin::sent(std::uint64_t trace, std::shared_ptr<const Request> request) {
  Pending pending{.request = std::move(request), .parts = {}, .seen = {}, .batch_seen = {}, .expected = {}};
  const auto& movements = pending.request->movements;
  if (movements.empty()) pending.parts.push_back({0, 1});
  for (std::size_t i = 0; i < movements.size(); ++i) {
    const bool joins = i > 0 && movements[i].group != 0 && movements[i].group == movements[i - 1].group;
    if (joins) {
      ++pending.parts.back().count;
    } else {
      pending.parts.push_back({i, 1});
    }
  }
  pending_.emplace(trace, std::move(pending));
}

void Twin::start(Pending& pending) const {
  if (pending.started) return;
  pending.started = true;
  const std::size_t items = std::max<std::size_t>(pending.request->movements.size(), 1);
  const auto look_up = [this](const KeyName& key) -> std::optional<Memory> {
    const auto found = keys_.find(key);
    return key.text.empty() || found == keys_.end() ? std::nullopt : std::optional(found->second);
  };
  for (std::size_t i = 0; i < items; ++i) pending.seen.push_back(look_up(key_of(*pending.request, i)));
  if (pending.request->kind == Kind::batch) pending.batch_seen = look_up(batch_key_of(*pending.request));
}

node::ItemAnswer Twin::judge(const Memory& memory, const Request& request, std::size_t item) const {
  if (memory.cancelled) return {.refusal = Outcome::idempotency_key_cancelled};
  const auto now = fields_of(request, item), then = fields_of(*memory.request, memory.item);
  unsigned differing = 0;
  for (std::size_t i = 0; i < now.size(); ++i) differing |= now[i] != then[i] ? 1u << i : 0u;
  if (differing != 0) {
    return {.refusal = Outcome::idempotency_key_reused_with_different_body, .differing_fields = static_cast<std::uint16_t>(differing)};
  }
  return {.event = memory.event, .replayed = true};
}

void Twin::pass_parts_seen_before(Pending& pending) const {
  for (; pending.next_part < pending.parts.size(); ++pending.next_part) {
    const Part& part = pending.parts[pending.next_part];
    std::size_t seen = 0;
    for (std::size_t i = part.first; i < part.first + part.count; ++i) seen += pending.seen[i] ? 1u : 0u;
    if (seen == 0) return;
    std::vector<node::ItemAnswer> answers;
    for (std::size_t i = part.first; i < part.first + part.count; ++i) {
      answers.push_back(pending.seen[i] ? judge(*pending.seen[i], *pending.request, i)
                                        : node::ItemAnswer{.refusal = Outcome::atomic_group_partly_seen});
    }
    bool whole = seen == part.count;
    for (std::size_t i = 0; i < answers.size(); ++i) {
      whole = whole && answers[i].event != 0 && answers[i].event == answers[0].event + i;
    }
    for (node::ItemAnswer& answer : answers) {
      if (part.count > 1 && !whole && answer.event != 0) answer = {.refusal = Outcome::atomic_group_partly_seen};
      pending.expected.push_back(answer);
    }
  }
}

// --- entries ----------------------------------------------------------------------------------------------------------------

Complaint Twin::take_entry(const model::Entry& entry, const PrivateReader& privates) {
  if (entry.first_event != next_event_) return "entry " + number(entry.first_event) + " where " + number(next_event_) + " comes next";
  if (entry.at < last_instant_) return "entry " + number(entry.first_event) + " lies before the one in front of it in time";
  for (const model::Event& event : entry.events) {
    if (event.at != entry.at) return "an event of entry " + number(entry.first_event) + " has another instant";
  }
  Complaint complaint;
  if (entry.command.trace == base::Tag128{}) {
    complaint = take_own(entry);
  } else {
    const auto trace = base::load_le<std::uint64_t>(entry.command.trace.data());
    const auto found = pending_.find(trace);
    if (found == pending_.end()) return "entry " + number(entry.first_event) + " is of request " + number(trace) + ", which nobody waits for";
    Pending& pending = found->second;
    start(pending);
    const bool is_record = std::holds_alternative<model::RecordBatch>(entry.command.body);
    complaint = is_record ? take_batch_record(pending, entry) : take_part(pending, entry, privates);
  }
  if (complaint) return "entry " + number(entry.first_event) + ": " + *complaint;
  last_instant_ = entry.at;
  next_event_ += entry.events.size();
  return std::nullopt;
}

Complaint Twin::take_own(const model::Entry& entry) {
  std::vector<model::EventBody> expected;
  if (std::holds_alternative<model::Tick>(entry.command.body)) {
    while (expected.size() < bounds_.tick_expiries_max && !due_.empty() && due_.begin()->first <= entry.at.ns) {
      expected.push_back(resolve(due_.begin()->second, model::HoldResolution::expired, 0, entry.first_event + expected.size()));
    }
    if (expected.empty()) return "a tick without a hold that was due";
  } else if (const auto* confirm = std::get_if<model::ConfirmClock>(&entry.command.body)) {
    // Jumps that cancel each other out leave nothing to confirm.
    if (confirm->jump.ns != 0) expected.push_back(model::ClockConfirmed{confirm->jump});
    if (confirm->jump.ns == 0) expected.push_back(model::Refused{.outcome = Outcome::clock_needs_no_confirmation, .operation = model::Operation::confirm_clock});
  } else if (const auto* open = std::get_if<model::OpenTenant>(&entry.command.body); open != nullptr && tenants_.empty()) {
    tenants_.push_back("default");
    expected.push_back(model::TenantOpened{1, open->name});
  } else {
    return "a command of the process itself that it has no reason for";
  }
  if (expected.size() != entry.events.size()) return "other number of events than " + number(expected.size());
  for (std::size_t i = 0; i < expected.size(); ++i) {
    if (!(entry.events[i].body == expected[i])) return describe(entry.events[i].body) + " where " + describe(expected[i]) + " must be";
  }
  return std::nullopt;
}

Complaint Twin::take_batch_record(Pending& pending, const model::Entry& entry) {
  const auto& record = std::get<model::RecordBatch>(entry.command.body);
  if (pending.request->kind != Kind::batch || pending.request->key.empty()) return "a batch's reply recorded without a key for it";
  if (pending.batch_seen) return "a batch's reply recorded twice";
  pass_parts_seen_before(pending);
  if (record.answers.size() != pending.request->movements.size()) return "a batch's reply recorded before all items had answers";
  if (pending.expected.size() != record.answers.size()) return "a batch's reply with an item that was not decided";
  for (std::size_t i = 0; i < record.answers.size(); ++i) {
    const node::ItemAnswer answer = node::decode_batch_answer(record.answers[i]);
    if (!same(answer, pending.expected[i])) return "item " + number(i) + " recorded as " + describe(answer) + ", was " + describe(pending.expected[i]);
    if (answer.event == 0 && is_transient(answer.refusal)) return "a passing failure recorded for ever in a batch's reply";
  }
  if (entry.events.size() != 1 || !(entry.events[0].body == model::EventBody(model::BatchRecorded{static_cast<std::uint32_t>(record.answers.size())}))) {
    return "other events than one that a batch was recorded";
  }
  pending.batch = entry.first_event;
  const KeyName key = batch_key_of(*pending.request);
  keys_[key] = {.event = entry.first_event, .request = pending.request};
  batches_[key] = {pending.expected};
  return std::nullopt;
}

Complaint Twin::take_part(Pending& pending, const model::Entry& entry, const PrivateReader& privates) {
  if (pending.batch_seen) return "an effect of a batch that was answered before";
  Bodies expected;
  const Part* part = nullptr;
  // A part refused for a passing reason leaves no entry; the next one may.
  for (;;) {
    pass_parts_seen_before(pending);
    if (pending.next_part == pending.parts.size()) return "more entries than the request asks for (a second effect of its key?)";
    part = &pending.parts[pending.next_part];
    const bool ours = !check_command(*pending.request, *part, entry);
    expected = decide(*pending.request, *part, entry);
    const bool transient = std::any_of(expected.begin(), expected.end(), [](const model::EventBody& body) {
      const auto* refused = std::get_if<model::Refused>(&body);
      return refused != nullptr && is_transient(refused->outcome);
    });
    if (!transient) break;
    if (ours) return "a passing refusal was journaled and sticks to its key";
    for (const model::EventBody& body : expected) pending.expected.push_back({.refusal = std::get<model::Refused>(body).outcome});
    ++pending.next_part;
  }
  if (auto complaint = check_command(*pending.request, *part, entry)) return complaint;
  if (expected.size() != entry.events.size()) return number(entry.events.size()) + " events where " + number(expected.size()) + " must be";
  for (std::size_t i = 0; i < expected.size(); ++i) {
    if (!(entry.events[i].body == expected[i])) {
      return "item " + number(i) + ": " + describe(entry.events[i].body) + " where " + describe(expected[i]) + " must be (or its particulars differ)";
    }
  }
  for (std::size_t i = 0; i < part->count; ++i) {
    const KeyName key = key_of(*pending.request, part->first + i);
    const EventNumber event = entry.first_event + i;
    pending.expected.push_back({.event = event});
    if (key.text.empty()) continue;
    if (keys_.contains(key)) return "a second effect of a key that was used by event " + number(keys_[key].event);
    keys_[key] = {.event = event, .request = pending.request, .item = part->first + i};
  }
  if (std::holds_alternative<model::KeyCancelled>(expected[0])) {
    const Request& request = *pending.request;
    keys_[{request.tenant, request.principal, request.cancelled_operation, request.cancelled_key}] = {.event = entry.first_event, .cancelled = true, .request = {}};
  }
  // Personal values: what was committed to is what was sent.
  if (privates) {
    for (std::size_t i = 0; i < pending.request->movements.size() && i < part->count; ++i) {
      const Movement& sent = pending.request->movements[part->first + i];
      if (sent.reference.empty() || std::holds_alternative<model::Refused>(expected[i])) continue;
      const auto& item = std::get<model::CreateTransfer>(entry.command.body).items[i];
      const auto value = privates(entry.first_event + i, model::PrivateField::transfer_reference);
      if (!value || base::as_text(value->value) != sent.reference || crypto::sha256({value->salt, value->value}) != item.reference) {
        return "the reference of event " + number(entry.first_event + i) + " is not what was sent";
      }
    }
  }
  ++pending.next_part;
  return std::nullopt;
}

Complaint Twin::check_command(const Request& request, const Part& part, const model::Entry& entry) const {
  const model::Command& command = entry.command;
  if (command.tenant != request.tenant || command.principal != request.principal) return "journaled for another sender";
  if (model::operation_of(command.body) != operation_of(request)) return "journaled as another operation";
  const auto* transfer = std::get_if<model::CreateTransfer>(&command.body);
  if (transfer == nullptr) return std::nullopt;
  if (transfer->items.size() != part.count) return "journaled with another number of items";
  for (std::size_t i = 0; i < part.count; ++i) {
    const model::TransferItem& item = transfer->items[i];
    const Movement& sent = request.movements[part.first + i];
    const bool fits = item.amount == sent.amount && item.asset == sent.asset && item.hold == sent.hold &&
                      item.hold_for == base::seconds(sent.hold_seconds) && item.reference.has_value() == !sent.reference.empty() &&
                      item.metadata.has_value() == !sent.note.empty() && item.idempotency.has_value() == !sent.key.empty() &&
                      item.debit == account_number(request.tenant, sent.debit) && item.credit == account_number(request.tenant, sent.credit);
    if (!fits) return "item " + number(i) + " was journaled with other fields than were sent";
  }
  return std::nullopt;
}

// --- answers ----------------------------------------------------------------------------------------------------------------

Complaint Twin::take_answer(std::uint64_t trace, const node::Answer& answer, bool reads_may_fail) {
  const auto found = pending_.find(trace);
  if (found == pending_.end()) return "an answer to request " + number(trace) + ", which was answered before or never sent";
  Pending pending = std::move(found->second);
  pending_.erase(found);
  const std::string of = "answer to request " + number(trace) + ": ";
  if (answer.position > position()) return of + "it saw event " + number(answer.position) + ", which is not durable";
  const bool untouched = !pending.started;
  if (answer.refusal == Outcome::disk_space_short || answer.refusal == Outcome::journal_read_failed) {
    if (answer.refusal == Outcome::journal_read_failed && !reads_may_fail) return of + "a record could not be read, but nothing was damaged";
    const bool done_something = std::any_of(answer.items.begin(), answer.items.end(), [](const node::ItemAnswer& item) { return item.event != 0; });
    if (!untouched || done_something) return of + "refused as a whole, but something was done";
    return std::nullopt;
  }
  start(pending);
  if (pending.batch_seen) {
    if (!untouched) return of + "a batch answered before had effects again";
    const Memory& memory = *pending.batch_seen;
    if (reads_may_fail && answer.refusal != Outcome::done) return std::nullopt;
    if (memory.cancelled) {
      if (answer.refusal != Outcome::idempotency_key_cancelled) return of + "the batch's key was cancelled";
      return std::nullopt;
    }
    bool equal = memory.request->movements.size() == pending.request->movements.size();
    for (std::size_t i = 0; equal && i < pending.request->movements.size(); ++i) {
      equal = memory.request->movements[i].key == pending.request->movements[i].key && memory.request->movements[i].group == pending.request->movements[i].group &&
              fields_of(*memory.request, i) == fields_of(*pending.request, i);
    }
    if (!equal) {
      if (answer.refusal != Outcome::idempotency_key_reused_with_different_body) return of + "the batch's key belongs to another batch";
      return std::nullopt;
    }
    const auto& items = batches_.at(batch_key_of(*pending.request)).items;
    if (!answer.batch_replayed || answer.batch != memory.event || answer.items.size() != items.size()) return of + "not the replay of the batch that was recorded";
    for (std::size_t i = 0; i < items.size(); ++i) {
      if (!same(items[i], answer.items[i])) return of + "item " + number(i) + " replayed as " + describe(answer.items[i]) + ", was " + describe(items[i]);
    }
    return std::nullopt;
  }
  if (answer.refusal != Outcome::done) return of + "refused as a whole: " + name_of(answer.refusal);
  pass_parts_seen_before(pending);
  // What is left was refused for a passing reason, without an entry.
  for (; pending.next_part < pending.parts.size(); pass_parts_seen_before(pending)) {
    const Part& part = pending.parts[pending.next_part];
    for (std::size_t i = 0; i < part.count; ++i) {
      const Outcome outcome = pending.expected.size() < answer.items.size() ? answer.items[pending.expected.size()].refusal : Outcome::done;
      const bool full = (outcome == Outcome::too_many_accounts && accounts_.size() >= bounds_.accounts_max) ||
                        (outcome == Outcome::too_many_open_holds && open_holds_ + part.count > bounds_.open_holds_max) ||
                        (outcome == Outcome::atomic_group_refused && part.count > 1) ||
                        (outcome == Outcome::journal_read_failed && reads_may_fail);
      if (!full) return of + "no entry for item " + number(part.first + i) + ", answered as " + name_of(outcome);
      pending.expected.push_back({.refusal = outcome});
    }
    ++pending.next_part;
  }
  if (answer.items.size() != pending.expected.size()) return of + number(answer.items.size()) + " items where " + number(pending.expected.size()) + " must be";
  for (std::size_t i = 0; i < answer.items.size(); ++i) {
    if (same(answer.items[i], pending.expected[i])) continue;
    if (reads_may_fail && answer.items[i].refusal == Outcome::journal_read_failed) continue;
    return of + "item " + number(i) + " is " + describe(answer.items[i]) + ", must be " + describe(pending.expected[i]);
  }
  if (answer.batch != pending.batch) return of + "another batch record than was journaled";
  return std::nullopt;
}

// --- the naive ledger -------------------------------------------------------------------------------------------------------

Twin::Account* Twin::find_account(model::TenantNumber tenant, const std::string& name) {
  const auto found = names_.find({tenant, name});
  return found == names_.end() ? nullptr : &accounts_[found->second - 1];
}
const Twin::Account* Twin::find_account(model::TenantNumber tenant, const std::string& name) const {
  return const_cast<Twin*>(this)->find_account(tenant, name);
}

model::AccountNumber Twin::account_number(model::TenantNumber tenant, const std::string& name) const {
  const auto found = names_.find({tenant, name});
  return found == names_.end() ? 0 : found->second;
}

model::AssetNumber Twin::find_asset(model::TenantNumber tenant, const model::AssetCode& code) const {
  for (std::size_t i = 0; i < assets_.size(); ++i) {
    if (assets_[i].tenant == tenant && assets_[i].asset.code == code) return static_cast<model::AssetNumber>(i + 1);
  }
  return 0;
}

model::AccountNumber Twin::open_account(Account account) {
  const auto result = static_cast<model::AccountNumber>(accounts_.size() + 1);
  names_[{account.tenant, account.name}] = result;
  accounts_.push_back(std::move(account));
  return result;
}

model::Refused Twin::refused(const Request& request, Outcome outcome, const model::Entry& entry) const {
  return {.outcome = outcome, .operation = operation_of(request), .trace = entry.command.trace};
}

model::Side Twin::side_after(model::AccountNumber account, EventNumber event) {
  Account& a = at(account);
  model::Side side{.account = account, .after = a.counters, .links = {}};
  if (!a.postings.empty()) side.links.previous = a.postings.back();
  a.postings.push_back(event);
  const std::size_t n = a.postings.size();
  if (n % 64 == 0 && n > 64) side.links.previous_64 = a.postings[n - 65];
  if (n % 4096 == 0 && n > 4096) side.links.previous_4096 = a.postings[n - 4097];
  return side;
}

Twin::Bodies Twin::decide(const Request& request, const Part& part, const model::Entry& entry) {
  switch (request.kind) {
    case Kind::transfer:
    case Kind::batch: return decide_transfers(request, part, entry);
    case Kind::capture:
    case Kind::void_hold: return decide_resolution(request, entry);
    case Kind::create_client:
    case Kind::rotate_client:
    case Kind::revoke_client: return decide_client(request, entry);
    case Kind::cancel_key: {
      const auto used = keys_.find({request.tenant, request.principal, request.cancelled_operation, request.cancelled_key});
      if (used != keys_.end()) {
        model::Refused refusal = refused(request, Outcome::idempotency_key_already_used, entry);
        refusal.subject = used->second.event;
        return {refusal};
      }
      const auto* command = std::get_if<model::CancelKey>(&entry.command.body);
      return {model::KeyCancelled{command == nullptr ? base::Tag128{} : command->cancelled}};
    }
    default: return decide_account(request, entry);
  }
}

Outcome Twin::ladder(const Request& request, const Movement& m, base::Instant at) const {
  constexpr std::int64_t ns_per_day = 86'400'000'000'000;
  const Account* from = find_account(request.tenant, m.debit);
  const Account* to = find_account(request.tenant, m.credit);
  const model::AssetNumber asset = find_asset(request.tenant, m.asset.code);
  if (m.amount == 0) return Outcome::amount_must_not_be_zero;
  if (m.amount > base::amount_max) return Outcome::amount_exceeds_maximum;
  if (asset == 0 || assets_[asset - 1].asset.scale != m.asset.scale) return Outcome::asset_not_registered;
  if (from == nullptr) return Outcome::debit_account_not_found;
  if (to == nullptr) return Outcome::credit_account_not_found;
  if (from == to) return Outcome::accounts_must_be_different;
  if (from->asset != to->asset) return Outcome::accounts_have_different_assets;
  if (from->asset != asset) return Outcome::asset_differs_from_accounts;
  if (from->flags & model::closed) return Outcome::debit_account_closed;
  if (to->flags & model::closed) return Outcome::credit_account_closed;
  if (from->flags & model::frozen_for_debits) return Outcome::debit_account_frozen;
  if (to->flags & model::frozen_for_credits) return Outcome::credit_account_frozen;
  if (m.hold && m.hold_seconds != 0 && (m.hold_seconds < 1 || m.hold_seconds > 400 * 86'400)) return Outcome::hold_duration_out_of_range;
  const model::Counters &f = from->counters, &t = to->counters;
  if (from->limits.debit_amount_max && m.amount > *from->limits.debit_amount_max) return Outcome::exceeds_debit_amount_limit;
  if (from->limits.daily_debits_max) {
    const base::U128 today = from->day == at.ns / ns_per_day ? from->debited_on_day : 0;
    if (today + m.amount > *from->limits.daily_debits_max) return Outcome::exceeds_daily_debit_limit;
  }
  if (to->limits.balance_max && t.credits_posted + t.credits_pending + m.amount > t.debits_posted + *to->limits.balance_max) {
    return Outcome::exceeds_balance_limit;
  }
  if ((from->flags & model::debits_must_not_exceed_credits) && f.debits_posted + f.debits_pending + m.amount > f.credits_posted) {
    return Outcome::exceeds_available_balance;
  }
  if ((to->flags & model::credits_must_not_exceed_debits) && t.credits_posted + t.credits_pending + m.amount > t.debits_posted) {
    return Outcome::exceeds_available_debits;
  }
  if (f.debits_posted + f.debits_pending + m.amount > base::amount_max) return Outcome::debit_counter_would_overflow;
  if (t.credits_posted + t.credits_pending + m.amount > base::amount_max) return Outcome::credit_counter_would_overflow;
  return Outcome::done;
}

model::EventBody Twin::move(const Movement& m, const model::TransferItem& sent, base::Instant instant, EventNumber event,
                            EventNumber group, model::TenantNumber tenant) {
  const model::AccountNumber debit = account_number(tenant, m.debit), credit = account_number(tenant, m.credit);
  Account &from = at(debit), &to = at(credit);
  (m.hold ? from.counters.debits_pending : from.counters.debits_posted) += m.amount;
  (m.hold ? to.counters.credits_pending : to.counters.credits_posted) += m.amount;
  const std::int64_t day = instant.ns / 86'400'000'000'000;
  if (from.day != day) from.debited_on_day = 0;
  from.day = day;
  from.debited_on_day = std::min(from.debited_on_day + m.amount, base::amount_max);
  const model::Side debit_side = side_after(debit, event), credit_side = side_after(credit, event);
  if (!m.hold) {
    return model::TransferPosted{m.amount, from.asset, debit_side, credit_side, group, sent.reference, sent.metadata};
  }
  const base::Instant expires = m.hold_seconds == 0 ? base::Instant{} : instant + base::seconds(m.hold_seconds);
  return model::HoldPlaced{m.amount, from.asset, debit_side, credit_side, expires, group, sent.reference, sent.metadata};
}

Twin::Bodies Twin::decide_transfers(const Request& request, const Part& part, const model::Entry& entry) {
  const auto* command = std::get_if<model::CreateTransfer>(&entry.command.body);
  static const model::TransferItem none;
  const auto item_of = [&](std::size_t i) -> const model::TransferItem& {
    return command != nullptr && i < command->items.size() ? command->items[i] : none;
  };
  std::map<model::AccountNumber, Account> before;
  Bodies bodies;
  std::uint32_t holds = 0;
  Outcome outcome = Outcome::done;
  for (std::size_t i = 0; i < part.count && outcome == Outcome::done; ++i) {
    const Movement& m = request.movements[part.first + i];
    outcome = ladder(request, m, entry.at);
    if (outcome == Outcome::done && m.hold && open_holds_ + ++holds > bounds_.open_holds_max) outcome = Outcome::too_many_open_holds;
    if (outcome != Outcome::done) {
      for (auto& [number, account] : before) accounts_[number - 1] = account;
      bodies.clear();
      for (std::size_t k = 0; k < part.count; ++k) {
        const Movement& other = request.movements[part.first + k];
        model::Refused refusal = refused(request, k == i ? outcome : Outcome::atomic_group_refused, entry);
        refusal.debit = account_number(request.tenant, other.debit);
        refusal.credit = account_number(request.tenant, other.credit);
        refusal.amount = other.amount;
        bodies.push_back(refusal);
      }
      return bodies;
    }
    for (const std::string& name : {m.debit, m.credit}) {
      const auto number = account_number(request.tenant, name);
      before.try_emplace(number, at(number));
    }
    bodies.push_back(move(m, item_of(i), entry.at, entry.first_event + i, part.count > 1 ? entry.first_event : 0, request.tenant));
  }
  for (std::size_t i = 0; i < part.count; ++i) {
    const Movement& m = request.movements[part.first + i];
    const EventNumber event = entry.first_event + i;
    if (!m.reference.empty()) references_[{request.tenant, m.reference}].push_back(event);
    const auto* held = std::get_if<model::HoldPlaced>(&bodies[i]);
    if (held == nullptr) {
      posted_[event] = request.tenant;
      continue;
    }
    holds_[event] = {.tenant = request.tenant, .amount = m.amount, .debit = held->debit.account, .credit = held->credit.account,
                     .asset = held->asset, .expires_at_ns = held->expires_at.ns, .resolution = {}};
    at(held->debit.account).open_holds.insert(event);
    at(held->credit.account).open_holds.insert(event);
    placed_holds_.push_back(event);
    ++open_holds_;
    if (held->expires_at.ns != 0) due_.insert({held->expires_at.ns, event});
  }
  return bodies;
}

model::HoldResolved Twin::resolve(EventNumber number, model::HoldResolution resolution, base::U128 captured, EventNumber event) {
  Hold& hold = holds_.at(number);
  hold.resolution = resolution;
  hold.resolved_by = event;
  --open_holds_;
  due_.erase({hold.expires_at_ns, number});
  Account &from = at(hold.debit), &to = at(hold.credit);
  from.open_holds.erase(number);
  to.open_holds.erase(number);
  from.counters.debits_pending -= hold.amount;
  from.counters.debits_posted += captured;
  to.counters.credits_pending -= hold.amount;
  to.counters.credits_posted += captured;
  const model::Side debit = side_after(hold.debit, event), credit = side_after(hold.credit, event);
  return {number, resolution, hold.amount, captured, hold.asset, debit, credit};
}

Twin::Bodies Twin::decide_resolution(const Request& request, const model::Entry& entry) {
  const bool capture = request.kind == Kind::capture;
  model::Refused refusal = refused(request, Outcome::transfer_not_found, entry);
  refusal.subject = request.hold;
  refusal.amount = capture ? request.amount.value_or(0) : 0;
  const auto found = holds_.find(request.hold);
  if (found == holds_.end() || found->second.tenant != request.tenant) {
    const auto posted = posted_.find(request.hold);
    if (posted != posted_.end() && posted->second == request.tenant) refusal.outcome = Outcome::transfer_is_not_a_hold;
    return {refusal};
  }
  const Hold& hold = found->second;
  if (hold.resolution) {
    refusal.outcome = *hold.resolution == model::HoldResolution::captured ? Outcome::hold_already_captured
                      : *hold.resolution == model::HoldResolution::voided ? Outcome::hold_already_voided
                                                                          : Outcome::hold_expired;
    return {refusal};
  }
  if (!capture) return {resolve(request.hold, model::HoldResolution::voided, 0, entry.first_event)};
  refusal.debit = hold.debit;
  refusal.credit = hold.credit;
  const base::U128 amount = request.amount.value_or(hold.amount);
  refusal.amount = amount;
  refusal.outcome = amount == 0 ? Outcome::capture_must_not_be_zero : Outcome::capture_exceeds_held_amount;
  if (amount == 0 || amount > hold.amount) return {refusal};
  return {resolve(request.hold, model::HoldResolution::captured, amount, entry.first_event)};
}

Twin::Bodies Twin::decide_account(const Request& request, const model::Entry& entry) {
  const auto refuse = [&](Outcome outcome, model::AccountNumber account = 0, EventNumber subject = 0) -> Bodies {
    model::Refused refusal = refused(request, outcome, entry);
    refusal.debit = account;
    refusal.subject = subject;
    return {refusal};
  };
  const auto contradict = [](const model::AccountLimits& limits) {
    return limits.debit_amount_max && limits.daily_debits_max && *limits.debit_amount_max > *limits.daily_debits_max;
  };
  if (request.kind == Kind::open_tenant) {
    const auto known = std::find(tenants_.begin(), tenants_.end(), request.name);
    if (known != tenants_.end()) return refuse(Outcome::tenant_exists, 0, static_cast<EventNumber>(known - tenants_.begin()) + 1);
    tenants_.push_back(request.name);
    const auto* command = std::get_if<model::OpenTenant>(&entry.command.body);
    return {model::TenantOpened{static_cast<model::TenantNumber>(tenants_.size()), command == nullptr ? model::Commitment{} : command->name}};
  }
  const bool tenant_known = request.tenant <= tenants_.size();
  const model::AssetNumber asset = find_asset(request.tenant, request.asset.code);
  if (request.kind == Kind::register_asset) {
    if (!tenant_known) return refuse(Outcome::tenant_not_found);
    if (asset != 0) {
      const bool same_scale = assets_[asset - 1].asset.scale == request.asset.scale;
      return refuse(same_scale ? Outcome::asset_exists : Outcome::asset_exists_with_different_scale, 0, asset);
    }
    if (accounts_.size() >= bounds_.accounts_max) return refuse(Outcome::too_many_accounts);
    const auto number = static_cast<model::AssetNumber>(assets_.size() + 1);
    const std::string text = model::to_text(request.asset);
    const auto world = open_account({.tenant = request.tenant, .name = "world/" + text.substr(0, text.find('/')), .asset = number,
                                     .flags = model::is_world, .limits = {}, .counters = {}, .postings = {}, .open_holds = {},
                                     .opened = entry.first_event + 1});
    assets_.push_back({request.tenant, request.asset, world});
    const auto* command = std::get_if<model::RegisterAsset>(&entry.command.body);
    return {model::AssetRegistered{number, request.tenant, request.asset},
            model::AccountOpened{world, request.tenant, number, command == nullptr ? model::Commitment{} : command->world_name, model::is_world, {}, {}}};
  }
  Account* account = find_account(request.tenant, request.name);
  const model::AccountNumber number = account_number(request.tenant, request.name);
  if (request.kind == Kind::open_account) {
    constexpr model::AccountFlags sides = model::debits_must_not_exceed_credits | model::credits_must_not_exceed_debits;
    if (asset == 0 || assets_[asset - 1].asset.scale != request.asset.scale) return refuse(Outcome::asset_not_registered);
    if (account != nullptr) {
      const bool same_fields = account->asset == asset && (account->flags & sides) == (request.flags & sides) && account->limits == request.limits;
      if (!same_fields) return refuse(Outcome::account_exists_with_different_fields, number);
      return refuse(account->flags & model::closed ? Outcome::account_closed : Outcome::account_exists, number);
    }
    if ((request.flags & sides) == sides) return refuse(Outcome::account_flags_contradict);
    if (accounts_.size() >= bounds_.accounts_max) return refuse(Outcome::too_many_accounts);
    if (contradict(request.limits)) return refuse(Outcome::limits_contradict);
    const auto opened = open_account({.tenant = request.tenant, .name = request.name, .asset = asset, .flags = request.flags,
                                      .limits = request.limits, .counters = {},
                                      .postings = {}, .open_holds = {}, .opened = entry.first_event});
    const auto* command = std::get_if<model::OpenAccount>(&entry.command.body);
    model::AccountOpened event{opened, request.tenant, asset, {}, request.flags, request.limits, {}};
    if (command != nullptr) {
      event.name = command->name;
      event.metadata = command->metadata;
    }
    return {event};
  }
  if (account == nullptr) return refuse(Outcome::account_not_found);
  if (account->flags & model::closed) return refuse(Outcome::account_closed, number);
  if (request.kind == Kind::set_limits) {
    if (contradict(request.limits)) return refuse(Outcome::limits_contradict, number);
    account->limits = request.limits;
    return {model::AccountLimitsSet{number, request.limits}};
  }
  unsigned flags = account->flags;
  const unsigned sides = (request.debits ? unsigned{model::frozen_for_debits} : 0u) | (request.credits ? unsigned{model::frozen_for_credits} : 0u);
  if ((account->flags & model::is_world) && request.action != gate::FlagAction::unfreeze) return refuse(Outcome::world_account_stays_open, number);
  if (request.action == gate::FlagAction::close) {
    if (!account->open_holds.empty()) return refuse(Outcome::account_has_pending_holds, number);
    if (account->counters.debits_posted != account->counters.credits_posted) return refuse(Outcome::account_balance_is_not_zero, number);
    flags |= model::closed;
  } else if (request.action == gate::FlagAction::freeze) {
    flags |= sides;
  } else {
    flags &= ~sides;
  }
  account->flags = static_cast<model::AccountFlags>(flags);
  return {model::AccountFlagsChanged{number, account->flags, account->counters}};
}

Twin::Bodies Twin::decide_client(const Request& request, const model::Entry& entry) {
  model::Refused refusal = refused(request, Outcome::client_not_found, entry);
  if (request.kind == Kind::create_client) {
    if (request.tenant > tenants_.size()) {
      refusal.outcome = Outcome::tenant_not_found;
      return {refusal};
    }
    clients_.push_back({.tenant = request.tenant});
    const auto* command = std::get_if<model::CreateClient>(&entry.command.body);
    if (command == nullptr) return {refusal};
    return {model::ClientCreated{static_cast<model::PrincipalNumber>(clients_.size()), request.tenant, model::PrincipalKind::service,
                                 request.scopes, command->name, command->secret_hash}};
  }
  refusal.subject = request.client;
  if (request.client == 0 || request.client > clients_.size() || clients_[request.client - 1].tenant != request.tenant) return {refusal};
  Client& client = clients_[request.client - 1];
  refusal.outcome = Outcome::client_revoked;
  if (client.revoked) return {refusal};
  ++client.generation;
  if (request.kind == Kind::revoke_client) {
    client.revoked = true;
    return {model::ClientRevoked{request.client, client.generation}};
  }
  const auto* command = std::get_if<model::RotateClient>(&entry.command.body);
  if (command == nullptr) return {refusal};
  return {model::ClientRotated{request.client, command->secret_hash, entry.at + base::seconds(request.overlap_seconds), client.generation}};
}

// --- comparing ----------------------------------------------------------------------------------------------------------------

Complaint Twin::compare_account(const core::AccountRecord& record, model::AccountNumber account) const {
  if (account == 0 || account > accounts_.size()) return "an account " + number(account) + " that nobody opened";
  const Account& mine = accounts_[account - 1];
  const EventNumber last = mine.postings.empty() ? 0 : mine.postings.back();
  const char* wrong = !(record.counters == mine.counters)              ? "counters"
                      : record.flags != mine.flags                     ? "flags"
                      : record.postings != mine.postings.size()        ? "number of postings"
                      : record.last_posting != last                    ? "last posting"
                      : record.open_holds != mine.open_holds.size()    ? "number of open holds"
                      : record.asset != mine.asset || record.opened != mine.opened ? "origin"
                                                                       : nullptr;
  if (wrong != nullptr) return "account " + number(account) + " has other " + wrong + " than it must";
  return std::nullopt;
}

Complaint Twin::compare(const core::State& state, const node::Directory& directory) const {
  if (state.head().next_event != next_event_) return "the state is at event " + number(state.head().next_event) + ", must be at " + number(next_event_);
  if (state.account_count() != accounts_.size() || directory.size() != accounts_.size()) return "another number of accounts";
  if (state.asset_count() != assets_.size() || state.tenant_count() != tenants_.size()) return "another number of assets or tenants";
  if (state.client_count() != clients_.size()) return "another number of clients";
  for (model::AccountNumber i = 1; i <= accounts_.size(); ++i) {
    const Account& mine = accounts_[i - 1];
    if (auto complaint = compare_account(*state.account(i), i)) return complaint;
    if (state.tenant_of(*state.account(i)) != mine.tenant) return "account " + number(i) + " is of another tenant";
    if (directory.find(mine.tenant, mine.name, model::account_name_hash(mine.tenant, mine.name)) != i || directory.name_of(i) != mine.name) {
      return "account " + number(i) + " is not found by its id";
    }
    const core::LimitsRecord* limits = state.limits_of(*state.account(i));
    model::AccountLimits theirs;
    if (limits != nullptr && limits->has_debit_amount_max) theirs.debit_amount_max = limits->debit_amount_max;
    if (limits != nullptr && limits->has_daily_debits_max) theirs.daily_debits_max = limits->daily_debits_max;
    if (limits != nullptr && limits->has_balance_max) theirs.balance_max = limits->balance_max;
    if (!(theirs == mine.limits)) return "account " + number(i) + " has other limits than were set";
    if (state.account(i)->day != (mine.day & 0xffff) || state.account(i)->debited_on_day != mine.debited_on_day) {
      return "account " + number(i) + " has another sum of the day's debits";
    }
  }
  if (state.head().open_holds != open_holds_ || state.open_hold_slots().size() != open_holds_) return "another number of open holds";
  for (const auto& [event, hold] : holds_) {
    const core::HoldRecord* record = state.open_hold(event);
    if ((record != nullptr) == hold.resolution.has_value()) return "hold " + number(event) + (record ? " is open, was resolved" : " is lost");
    if (record != nullptr && (record->amount != hold.amount || record->debit != hold.debit || record->credit != hold.credit || record->expires_at_ns != hold.expires_at_ns)) {
      return "hold " + number(event) + " has other fields than it must";
    }
  }
  for (std::uint32_t i = 1; i <= clients_.size(); ++i) {
    if (state.client(i)->generation != clients_[i - 1].generation || (state.client(i)->revoked != 0) != clients_[i - 1].revoked) return "client " + number(i) + " differs";
  }
  return std::nullopt;
}

Complaint Twin::check_answer_to(const node::Question& question, const node::Answer& answer) const {
  // What was asked is compared only where nothing more became durable since; otherwise the twin is ahead of the answer.
  if (answer.position > position()) return "a read saw event " + number(answer.position) + ", which is not durable";
  if (answer.position != position()) return std::nullopt;
  if (const auto* ask = std::get_if<node::AskAccount>(&question)) {
    const auto* found = std::get_if<node::AccountFound>(&answer.finding);
    const model::AccountNumber mine = account_number(ask->tenant, ask->name);
    if ((found == nullptr) != (mine == 0)) return "an account is found that is not there, or the other way round";
    if (found != nullptr) return found->number != mine ? Complaint("another account than was asked for") : compare_account(found->record, mine);
  } else if (const auto* ask_transfer = std::get_if<node::AskTransfer>(&question)) {
    const auto* found = std::get_if<node::TransferFound>(&answer.finding);
    const auto hold = holds_.find(ask_transfer->event);
    if (hold != holds_.end()) {
      if (found == nullptr || found->open == hold->second.resolution.has_value() || found->resolved != hold->second.resolved_by) return "hold " + number(hold->first) + " reads as something else than it is";
    }
  }
  return std::nullopt;
}

void Twin::for_each_key(const std::function<void(const KeyName&, EventNumber)>& visit) const {
  for (const auto& [key, memory] : keys_) visit(key, memory.event);
}

std::map<EventNumber, EventNumber> Twin::resolutions() const {
  std::map<EventNumber, EventNumber> result;
  for (const auto& [event, hold] : holds_) {
    if (hold.resolution) result[event] = hold.resolved_by;
  }
  return result;
}

bool Twin::any_due(base::Instant at) const { return !due_.empty() && due_.begin()->first <= at.ns; }

}  // namespace sim
