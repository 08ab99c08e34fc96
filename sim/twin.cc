// The twin reads the journal: what stands there must be what was asked for and what the naive ledger says.

#include "sim/twin.h"

#include <algorithm>

#include "crypto/hash.h"
#include "node/engine.h"
#include "sim/twin_sagas.h"
#include "sim/twin_words.h"

namespace sim {

using model::EventNumber;
using model::Outcome;

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
    const bool over_rails = is_of_rails(pending.request->kind);
    complaint = is_record ? take_batch_record(pending, entry) : over_rails ? take_saga(pending, entry) : take_part(pending, entry, privates);
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
    if (entry.events.empty()) return "a tick in which nothing happened";
    if (entry.events.size() > expected.size()) {
      for (std::size_t i = 0; i < expected.size(); ++i) {
        if (!(entry.events[i].body == expected[i])) return describe(entry.events[i].body) + " where " + describe(expected[i]) + " must be";
      }
      return SagaReader(*this, entry).read(expected.size());
    }
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

Complaint Twin::take_saga(Pending& pending, const model::Entry& entry) {
  pass_parts_seen_before(pending);
  if (pending.next_part == pending.parts.size()) return "more entries than the request asks for (a second effect of its key?)";
  const Request& request = *pending.request;
  if (auto complaint = check_command(request, pending.parts[0], entry)) return complaint;
  if (auto complaint = check_saga_command(request, entry.command)) return complaint;
  const auto* refused = std::get_if<model::Refused>(&entry.events[0].body);
  if (refused != nullptr && is_transient(refused->outcome)) return "a passing refusal was journaled and sticks to its key";
  if (refused != nullptr) {
    if (auto complaint = check_refusal(request, entry)) return complaint;
  }
  if (auto complaint = SagaReader(*this, entry).read(0)) return complaint;
  pending.expected.push_back({.event = entry.first_event});
  ++pending.next_part;
  if (refused == nullptr && !request.reference.empty()) references_[{request.tenant, request.reference}].push_back(entry.first_event);
  const KeyName key = key_of(request, 0);
  if (key.text.empty()) return std::nullopt;
  if (keys_.contains(key)) return "a second effect of a key that was used by event " + number(keys_[key].event);
  keys_[key] = {.event = entry.first_event, .request = pending.request};
  return std::nullopt;
}

Complaint Twin::check_saga_command(const Request& request, const model::Command& command) const {
  const auto fits = [&](const model::RailRequest& sent) {
    return sent.amount == request.amount.value_or(0) && sent.asset == request.asset && sent.account == account_number(request.tenant, request.name) &&
           (sent.wanted != 0 || sent.wanted_unknown) == !request.rail.empty() && sent.send_within == base::seconds(request.send_within_seconds) &&
           sent.reference.has_value() == !request.reference.empty();
  };
  bool good = true;
  if (const auto* payout = std::get_if<model::CreatePayout>(&command.body)) good = fits(payout->request);
  if (const auto* collect = std::get_if<model::CreateCollect>(&command.body)) good = fits(collect->request);
  if (const auto* cancel = std::get_if<model::CancelTransfer>(&command.body)) good = cancel->transfer == request.transfer;
  if (const auto* review = std::get_if<model::ReviewTransfer>(&command.body)) good = review->transfer == request.transfer && review->approve == request.approve;
  if (const auto* resolve = std::get_if<model::ResolveUnknown>(&command.body)) good = resolve->transfer == request.transfer && resolve->verdict == request.verdict;
  if (const auto* refund = std::get_if<model::RefundTransfer>(&command.body)) good = refund->original == request.transfer && refund->amount == request.amount;
  if (const auto* report = std::get_if<model::ReportRail>(&command.body)) {
    const gate::RailReport& said = request.report;
    good = report->reference == said.reference && report->source == said.source && report->result == said.result && report->reason == said.reason &&
           report->amount == said.amount && report->asset == said.asset && report->inquiry == said.inquiry;
    const auto attempt = sagas_.attempts.find(said.reference);
    const bool known = attempt != sagas_.attempts.end();
    good = good && report->transfer == (known ? attempt->second.first : 0) && report->attempt == (known ? attempt->second.second : 0);
  }
  return good ? Complaint() : "journaled with other fields than were sent";
}

// What the twin can say of a refusal without knowing the router's mind.
Complaint Twin::check_refusal(const Request& request, const model::Entry& entry) const {
  const Outcome outcome = std::get<model::Refused>(entry.events[0].body).outcome;
  const auto found = sagas_.transfers.find(request.transfer);
  const bool is_about_transfer = request.kind >= Kind::cancel_transfer && request.kind <= Kind::refund;
  if (is_about_transfer && found != sagas_.transfers.end()) {
    const model::TransferState state = found->second.state;
    const bool ended = model::is_final(state), out = model::is_with_rail(state);
    if (outcome == Outcome::transfer_not_found) return "a transfer is not found that is there";
    if ((outcome == Outcome::transfer_already_finished) != (request.kind == Kind::cancel_transfer && ended)) return "whether it has ended is said wrongly";
    if ((outcome == Outcome::transfer_already_sent) != (request.kind == Kind::cancel_transfer && out)) return "whether it was sent is said wrongly";
    if ((outcome == Outcome::transfer_not_in_manual_review) != (request.kind == Kind::resolve && state != model::TransferState::manual_review)) {
      return "whether it waits for people is said wrongly";
    }
  }
  const bool of_money = outcome == Outcome::exceeds_available_balance || outcome == Outcome::exceeds_debit_amount_limit || outcome == Outcome::exceeds_daily_debit_limit ||
                        outcome == Outcome::debit_account_frozen || outcome == Outcome::debit_account_closed || outcome == Outcome::amount_must_not_be_zero;
  if (request.kind != Kind::payout || !of_money) return std::nullopt;
  for (const SagaRail& rail : sagas_.rails) {
    const Movement movement{.key = {}, .debit = request.name, .credit = "rails/" + rail.name + "/clearing", .asset = request.asset, .amount = request.amount.value_or(0),
                            .hold = true, .reference = {}, .note = {}};
    if (ladder(request, movement, entry.at) == outcome) return std::nullopt;
  }
  return "refused as " + name_of(outcome) + " without a reason";
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

}  // namespace sim
