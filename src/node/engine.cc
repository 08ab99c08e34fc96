#include "node/engine.h"

#include <algorithm>
#include <utility>

#include "base/check.h"
#include "base/planted_bug.h"
#include "core/transfer/effects.h"
#include "crypto/hash.h"
#include "node/key_feed.h"

namespace node {

using model::Outcome;

namespace {

// How many commands ahead the caches are asked for what will be needed.
constexpr std::size_t prefetch_ahead = 16;

// Calls visit(tag) for every idempotency tag of a command, items in order.
template <typename Visit>
void for_each_tag(const model::Command& command, Visit visit) {
  if (const auto* transfer = std::get_if<model::CreateTransfer>(&command.body)) {
    for (const model::TransferItem& item : transfer->items) {
      if (item.idempotency) visit(*item.idempotency);
    }
  } else if (command.idempotency) {
    visit(*command.idempotency);
  }
}

std::uint16_t differing_fields(const model::IdempotencyTag& a, const model::IdempotencyTag& b) {
  unsigned differing = 0;
  for (std::size_t i = 0; i < model::fingerprint_fields_max; ++i) {
    if (a.fields[i] != b.fields[i]) differing |= 1u << i;
  }
  return static_cast<std::uint16_t>(differing);
}

// The tag of a request that was made with the same version of the key as the stored one; null if there is none.
const model::IdempotencyTag* made_like(const model::IdempotencyTag& stored, const model::IdempotencyTag& tag,
                                       const std::vector<model::IdempotencyTag>& former) {
  if (stored.fingerprint_version == tag.fingerprint_version) return &tag;
  const std::pair wanted{tag.key, stored.fingerprint_version};
  const auto found = std::ranges::lower_bound(former, wanted, {}, model::version_of_key);
  return found != former.end() && model::version_of_key(*found) == wanted ? &*found : nullptr;
}

// The tag of the item that an event of an entry answers; null if it had no key.
const model::IdempotencyTag* tag_of(const model::Entry& entry, model::EventNumber event) {
  const std::size_t index = static_cast<std::size_t>(event - entry.first_event);
  if (const auto* transfer = std::get_if<model::CreateTransfer>(&entry.command.body)) {
    if (index >= transfer->items.size() || !transfer->items[index].idempotency) return nullptr;
    return &*transfer->items[index].idempotency;
  }
  return entry.command.idempotency ? &*entry.command.idempotency : nullptr;
}

// `world/CODE/SCALE` means the same account as `world/CODE`, if that is the asset's scale; the shorter form is the id.
std::optional<std::string_view> world_without_scale(const core::State& state, model::TenantNumber tenant, std::string_view name) {
  constexpr std::string_view prefix = "world/";
  if (!name.starts_with(prefix)) return std::nullopt;
  const auto asset = model::parse_asset(name.substr(prefix.size()));
  if (!asset) return std::nullopt;
  const model::AssetNumber number = state.asset_by_code(tenant, asset->code);
  if (number == 0 || state.asset(number)->scale != asset->scale) return std::nullopt;
  return name.substr(0, name.rfind('/'));
}

// What payout and collect have in common; null for any other command.
model::RailRequest* rail_request_of(model::CommandBody& body) {
  if (auto* payout = std::get_if<model::CreatePayout>(&body)) return &payout->request;
  if (auto* collect = std::get_if<model::CreateCollect>(&body)) return &collect->request;
  return nullptr;
}

// Commands whose events may ask something of the world.
bool is_saga_command(const model::CommandBody& body) {
  return std::visit(
      [](const auto& one) {
        using Body = std::decay_t<decltype(one)>;
        return std::is_same_v<Body, model::CreatePayout> || std::is_same_v<Body, model::CreateCollect> || std::is_same_v<Body, model::CancelTransfer> ||
               std::is_same_v<Body, model::ReviewTransfer> || std::is_same_v<Body, model::ResolveUnknown> || std::is_same_v<Body, model::RefundTransfer> ||
               std::is_same_v<Body, model::RecordStatement> ||
               std::is_same_v<Body, model::ResolveException> || std::is_same_v<Body, model::ReportRail> || std::is_same_v<Body, model::Tick>;
      },
      body);
}

bool is_webhook_command(const model::CommandBody& body) {
  const model::Operation operation = model::operation_of(body);
  return operation >= model::Operation::create_webhook && operation <= model::Operation::mark_webhook;
}

bool is_of_keys(const model::Event& event) {
  return std::visit([](const auto& body) { return core::RegistryTables::is_own<std::decay_t<decltype(body)>>; }, event.body);
}

// Where private values of an import belong: a first one opens its partner and its key before.
bool is_of_import(model::PrivateField field) {
  return field == model::PrivateField::import_findings || field == model::PrivateField::key_responsible || field == model::PrivateField::key_certificate;
}

// Events that views show one by one. Balances are taken from frozen states, and plain postings have no rows unless asked for.
bool is_notable(const model::Event& event, bool every_transfer) {
  return (every_transfer || !std::holds_alternative<model::TransferPosted>(event.body)) && !is_refused(event);
}

bool is_passing(Outcome outcome) { return model::row_of(outcome).http_status >= 500; }

// Refused because a bound of the node itself is reached: no result. Nothing is journaled and the key stays free, so that the same
// request succeeds once there is room (design section 7: transient 5xx do not stick).
bool passes_with_time(const std::vector<model::Event>& events) {
  return std::any_of(events.begin(), events.end(), [](const model::Event& event) {
    const auto* refused = std::get_if<model::Refused>(&event.body);
    return refused != nullptr && is_passing(refused->outcome);
  });
}

}  // namespace

std::uint64_t encode_batch_answer(const ItemAnswer& answer) {
  if (answer.event == 0) {
    return batch_answer_refused | (std::uint64_t{answer.differing_fields} << 16) | static_cast<std::uint64_t>(answer.refusal);
  }
  return answer.event | (answer.replayed ? batch_answer_replayed : 0);
}

ItemAnswer decode_batch_answer(std::uint64_t code) {
  ItemAnswer answer;
  if ((code & batch_answer_refused) != 0) {
    const auto outcome = model::outcome_of_number(code & 0xFFFF);
    answer.refusal = outcome.value_or(Outcome::idempotency_key_expired);
    answer.differing_fields = static_cast<std::uint16_t>(code >> 16);
  } else {
    answer.event = code & ~batch_answer_replayed;
    answer.replayed = (code & batch_answer_replayed) != 0;
  }
  return answer;
}

Engine::Engine(core::State state, Directory& directory, Tenants& tenants, store::KeyIndex& keys, EntrySource& entries,
               std::shared_ptr<store::GroupBufferPool> buffers, EngineOptions options)
    : state_(std::move(state)),
      directory_(directory),
      tenants_(tenants),
      keys_(keys),
      entries_(entries),
      options_(options),
      builder_(std::move(buffers)),
      durable_(position()),
      clients_(std::make_shared<const core::CowArray<core::ClientRecord>::Frozen>(state_.freeze_clients())),
      webhooks_(std::make_shared<const core::CowArray<core::WebhookRecord>::Frozen>(state_.freeze_webhooks())),
      registry_(std::make_shared<const core::RegistryTables::Frozen>(state_.freeze_registry())) {
  builder_.start(state_.head().next_event);
  group_at_ = state_.head().last_instant;
}

// --- submissions ----------------------------------------------------------------------------------------------------------

void Engine::take(Submission&& submission, base::Instant at) {
  if (parked_may_go_ && !parked_.empty()) take_parked(at);
  take_now(submission, at);
}

void Engine::take_parked(base::Instant at) {
  parked_may_go_ = false;
  for (std::size_t left = parked_.size(); left > 0; --left) {
    Submission submission = std::move(parked_.front());
    parked_.pop_front();
    parked_bytes_ -= disk_bytes_of(submission);
    take_now(submission, at);   // parks it again, at the back, if it must wait once more
  }
}

void Engine::refuse(const Submission& submission, Outcome outcome) {
  answers_.push_back({submission.sink, submission.token, {}});
  answers_.back().answer.position = position();
  answers_.back().answer.refusal = outcome;
}

void Engine::take_now(Submission& submission, base::Instant at) {
  group_at_ = at;
  Answer answer;
  if (auto* question = std::get_if<Question>(&submission.content)) {
    auto finding = find(*question);
    if (!finding.ok()) return refuse(submission, Outcome::journal_read_failed);
    answer.finding = std::move(finding).value();
  } else {
    auto& admitted = std::get<model::Admitted>(submission.content);
    bool failed = false;
    if (!look_up_keys(admitted, failed) || !look_up_former(admitted, failed)) {
      parked_bytes_ += disk_bytes_of(submission);
      parked_.push_back(std::move(submission));
      return;
    }
    if (failed) return refuse(submission, Outcome::journal_read_failed);
    take_admitted(std::move(admitted), at, answer);
  }
  answer.position = position();
  answers_.push_back({submission.sink, submission.token, std::move(answer)});
}

bool Engine::look_up_keys(const model::Admitted& admitted, bool& failed) {
  found_.clear();
  const auto look_up = [&](const model::IdempotencyTag& tag) {
    const auto found = keys_.find(store::KeyKind::idempotency, tag.key);
    if (!found.ok()) failed = true;
    found_.push_back(found.ok() ? found->value_or(0) : 0);
  };
  const std::size_t count = admitted.commands.size();
  const auto prefetch = [&](std::size_t index) {
    for_each_tag(admitted.commands[index], [&](const model::IdempotencyTag& tag) { keys_.prefetch(tag.key); });
  };
  for (std::size_t i = 0; i < std::min(count, prefetch_ahead); ++i) prefetch(i);
  for (std::size_t i = 0; i < count; ++i) {
    if (i + prefetch_ahead < count) prefetch(i + prefetch_ahead);
    for_each_tag(admitted.commands[i], look_up);
  }
  if (admitted.batch_tag) look_up(*admitted.batch_tag);
  for (const model::EventNumber event : found_) {
    if (event > durable_ && !base::planted_bug(10)) return false;
  }
  return true;
}

// A capture or void of a hold that is no longer open needs the event that resolved it, a report the event that started the
// attempt, a refund what it gives back.
bool Engine::look_up_former(const model::Admitted& admitted, bool& failed) {
  model::EventNumber hold = 0;
  if (const auto* report = std::get_if<model::ReportRail>(&admitted.commands[0].body)) {
    return report->reference > position() || report->reference <= durable_;
  }
  if (const auto* refund = std::get_if<model::RefundTransfer>(&admitted.commands[0].body)) {
    if (refund->original <= position() && refund->original > durable_) return false;
    hold = refund->original;
  }
  if (const auto* capture = std::get_if<model::CaptureHold>(&admitted.commands[0].body)) hold = capture->hold;
  if (const auto* release = std::get_if<model::VoidHold>(&admitted.commands[0].body)) hold = release->hold;
  if (hold == 0 || state_.open_hold(hold) != nullptr || hold > position()) return true;
  const auto resolved = keys_.find(store::KeyKind::hold_resolution, store::hold_resolution_key(hold));
  if (!resolved.ok()) {
    failed = true;
    return true;
  }
  return std::max(resolved->value_or(0), hold) <= durable_;
}

void Engine::take_admitted(model::Admitted&& admitted, base::Instant at, Answer& answer) {
  if (admitted.batch_tag && replay_batch(admitted, answer)) return;
  answer.items.reserve(admitted.commands.size());
  std::size_t name_cursor = 0, private_cursor = 0, found_cursor = 0, resolved = 0;
  const std::size_t count = admitted.commands.size();
  for (std::size_t i = 0; i < count; ++i) {
    if (i == resolved) {
      resolved = std::min(i + prefetch_ahead, count);
      resolve_names(admitted, i, resolved, name_cursor);
    }
    take_command(admitted, i, at, found_cursor, private_cursor, answer);
    if (builder_.disk_bytes() >= options_.group_bytes_max || builder_.entry_count() >= options_.group_entries_max) close_group(at);
  }
  const bool final = std::none_of(answer.items.begin(), answer.items.end(),
                                  [](const ItemAnswer& item) { return item.event == 0 && is_passing(item.refusal); });
  // A reply with a failure that passes is not the batch's last word: a repetition decides what is still open.
  if (admitted.batch_tag && final) record_batch(admitted, at, answer);
}

void Engine::resolve_names(model::Admitted& admitted, std::size_t first, std::size_t last, std::size_t& cursor) {
  const auto& names = admitted.names;
  std::size_t end = cursor;
  for (; end < names.size() && names[end].command < last; ++end) directory_.prefetch_slot(names[end].hash);
  for (std::size_t i = cursor; i < end; ++i) directory_.prefetch_record(names[i].hash);
  for (std::size_t i = cursor; i < end; ++i) directory_.prefetch_text(names[i].hash);
  for (; cursor < end; ++cursor) {
    const model::NameToResolve& name = names[cursor];
    CHECK(name.command >= first);
    model::Command& command = admitted.commands[name.command];
    const model::AccountNumber number = account_number(command.tenant, name.name, name.hash);
    state_.prefetch_account(number);
    switch (name.field) {
      case model::NameToResolve::Field::debit:
        std::get<model::CreateTransfer>(command.body).items[name.item].debit = number;
        break;
      case model::NameToResolve::Field::credit:
        std::get<model::CreateTransfer>(command.body).items[name.item].credit = number;
        break;
      case model::NameToResolve::Field::account:
        if (auto* flags = std::get_if<model::ChangeAccountFlags>(&command.body)) flags->account = number;
        if (auto* limits = std::get_if<model::SetAccountLimits>(&command.body)) limits->account = number;
        if (auto* request = rail_request_of(command.body)) request->account = number;
        break;
      case model::NameToResolve::Field::clearing_account:
        std::get<model::ConfigureRail>(command.body).clearing = number;
        break;
      case model::NameToResolve::Field::suspense_account:
        std::get<model::ConfigureRail>(command.body).suspense = number;
        break;
      case model::NameToResolve::Field::rail: {
        const auto rail_name = model::parse_rail_name(name.name);
        const model::RailNumber rail = rail_name ? state_.sagas().rail_by_name(command.tenant, *rail_name) : 0;
        if (auto* control = std::get_if<model::ControlRail>(&command.body)) control->rail = rail;
        if (auto* report = std::get_if<model::ReportRail>(&command.body)) report->rail = rail;
        if (auto* statement = std::get_if<model::RecordStatement>(&command.body)) statement->rail = rail;
        if (auto* request = rail_request_of(command.body)) {
          request->wanted = rail;
          request->wanted_unknown = rail == 0;
        }
        break;
      }
      case model::NameToResolve::Field::opened_account:
        std::get<model::OpenAccount>(command.body).existing = number;
        break;
      case model::NameToResolve::Field::opened_tenant:
        std::get<model::OpenTenant>(command.body).existing = tenants_.find(name.name);
        break;
    }
  }
}

model::AccountNumber Engine::account_number(model::TenantNumber tenant, std::string_view name, std::uint64_t hash) const {
  const model::AccountNumber number = directory_.find(tenant, name, hash);
  if (number != 0) [[likely]] return number;
  const auto world = world_without_scale(state_, tenant, name);
  return world ? directory_.find(tenant, *world, model::account_name_hash(tenant, *world)) : 0;
}

void Engine::take_command(model::Admitted& admitted, std::size_t index, base::Instant at, std::size_t& found_cursor,
                          std::size_t& private_cursor, Answer& answer) {
  model::Command& command = admitted.commands[index];
  if (answered_by_keys(admitted, command, found_cursor, answer)) return;
  if (!resolve_answers(command).ok()) {
    answer.items.push_back({.refusal = Outcome::journal_read_failed});
    return;
  }
  core::decide(state_, command, at, options_.bounds, events_);
  CHECK_THAT(!events_.empty(), "every admitted command leads to an event");
  if (passes_with_time(events_)) {
    for (const model::Event& event : events_) answer.items.push_back({.refusal = std::get<model::Refused>(event.body).outcome});
    return;
  }
  const model::EventNumber first_event = commit_decision(command, at);
  take_privates(admitted.privates, index, first_event, private_cursor);
  const auto* transfer = std::get_if<model::CreateTransfer>(&command.body);
  const std::size_t answers = transfer != nullptr ? transfer->items.size() : 1;
  for (std::size_t i = 0; i < answers; ++i) answer.items.push_back({.event = first_event + i});
}

// --- idempotency ------------------------------------------------------------------------------------------------------------

ItemAnswer Engine::judge(const model::Admitted& admitted, const model::IdempotencyTag& tag, model::EventNumber event) {
  const auto entry = entries_.read_entry(event);
  if (!entry.ok()) return {.refusal = Outcome::journal_read_failed};
  const model::Event& first = entry->events[static_cast<std::size_t>(event - entry->first_event)];
  if (const auto* cancelled = std::get_if<model::KeyCancelled>(&first.body); cancelled != nullptr && cancelled->key == tag.key) {
    return {.refusal = Outcome::idempotency_key_cancelled};
  }
  const model::IdempotencyTag* stored = tag_of(*entry, event);
  if (stored == nullptr) return {.refusal = Outcome::idempotency_key_expired};
  const model::IdempotencyTag* mine = made_like(*stored, tag, admitted.former_tags);
  // A version that custody no longer has: whether the bodies agree cannot be said, and it is not executed again.
  if (mine == nullptr) return {.refusal = Outcome::idempotency_key_expired};
  if (stored->fingerprint != mine->fingerprint && !base::planted_bug(9)) {
    return {.refusal = Outcome::idempotency_key_reused_with_different_body, .differing_fields = differing_fields(*stored, *mine)};
  }
  return {.event = event, .replayed = true};
}

bool Engine::answered_by_keys(const model::Admitted& admitted, const model::Command& command, std::size_t& found_cursor,
                              Answer& answer) {
  std::size_t tags = 0, seen = 0;
  for_each_tag(command, [&](const model::IdempotencyTag&) { seen += found_[found_cursor + tags++] != 0 ? 1u : 0u; });
  if (seen == 0) {
    found_cursor += tags;
    return false;
  }
  const std::size_t before = answer.items.size();
  for_each_tag(command, [&](const model::IdempotencyTag& tag) {
    const model::EventNumber event = found_[found_cursor++];
    answer.items.push_back(event == 0 ? ItemAnswer{.refusal = Outcome::atomic_group_partly_seen} : judge(admitted, tag, event));
  });
  // A group is one thing: all of it was seen before, in one entry, or all of it is refused.
  bool whole = seen == tags;
  for (std::size_t i = before; i < answer.items.size() && whole; ++i) {
    whole = answer.items[i].event != 0 && answer.items[i].event == answer.items[before].event + (i - before);
  }
  // Unless an answer could not be read: then nobody knows yet, and the keys must not be given up for new ones.
  const bool unread = std::any_of(answer.items.begin() + static_cast<std::ptrdiff_t>(before), answer.items.end(),
                                  [](const ItemAnswer& item) { return item.refusal == Outcome::journal_read_failed; });
  if (tags > 1 && !whole && !base::planted_bug(11)) {
    for (std::size_t i = before; i < answer.items.size(); ++i) {
      ItemAnswer& item = answer.items[i];
      if (unread) item = {.refusal = Outcome::journal_read_failed};
      if (item.event != 0) item = {.refusal = Outcome::atomic_group_partly_seen};
    }
  }
  return true;
}

bool Engine::replay_batch(const model::Admitted& admitted, Answer& answer) {
  const model::EventNumber event = found_.back();
  if (event == 0) return false;
  const ItemAnswer judged = judge(admitted, *admitted.batch_tag, event);
  if (judged.event == 0) {
    answer.refusal = judged.refusal;
    answer.items.push_back(judged);
    return true;
  }
  const auto entry = entries_.read_entry(event);
  const auto* batch = entry.ok() ? std::get_if<model::RecordBatch>(&entry->command.body) : nullptr;
  if (batch == nullptr) {
    answer.refusal = Outcome::journal_read_failed;
    return true;
  }
  for (const std::uint64_t code : batch->answers) answer.items.push_back(decode_batch_answer(code));
  answer.batch = event;
  answer.batch_replayed = true;
  return true;
}

void Engine::record_batch(const model::Admitted& admitted, base::Instant at, Answer& answer) {
  model::RecordBatch batch;
  batch.answers.reserve(answer.items.size());
  for (const ItemAnswer& item : answer.items) batch.answers.push_back(encode_batch_answer(item));
  model::Command command{.tenant = admitted.tenant,
                         .principal = admitted.principal,
                         .trace = admitted.trace,
                         .idempotency = admitted.batch_tag,
                         .body = std::move(batch)};
  core::decide(state_, command, at, options_.bounds, events_);
  answer.batch = commit_decision(command, at);
}

// --- outside answers ----------------------------------------------------------------------------------------------------------

base::Result<model::HoldStanding> Engine::standing_of(model::EventNumber hold, model::TenantNumber tenant) {
  using model::HoldStanding;
  if (state_.open_hold(hold) != nullptr) return HoldStanding::open;
  if (hold == 0 || hold > position()) return HoldStanding::not_found;
  TRY_ASSIGN(const model::Entry entry, entries_.read_entry(hold));
  if (entry.command.tenant != tenant) return HoldStanding::not_found;
  const model::Event& event = entry.events[static_cast<std::size_t>(hold - entry.first_event)];
  if (std::holds_alternative<model::TransferPosted>(event.body)) return HoldStanding::not_a_hold;
  if (!std::holds_alternative<model::HoldPlaced>(event.body)) return HoldStanding::not_found;
  TRY_ASSIGN(const auto resolved, keys_.find(store::KeyKind::hold_resolution, store::hold_resolution_key(hold)));
  if (!resolved) return base::Error{"key_index_incomplete", "a resolved hold is not in the key index"};
  TRY_ASSIGN(const model::Entry resolution, entries_.read_entry(*resolved));
  const model::Event& end = resolution.events[static_cast<std::size_t>(*resolved - resolution.first_event)];
  const auto* body = std::get_if<model::HoldResolved>(&end.body);
  if (body == nullptr || body->hold != hold) return base::Error{"key_index_incomplete", "the key index names another event"};
  switch (body->resolution) {
    case model::HoldResolution::captured: return HoldStanding::captured;
    case model::HoldResolution::voided: return HoldStanding::voided;
    case model::HoldResolution::expired: return HoldStanding::expired;
  }
  return HoldStanding::not_found;
}

base::Status Engine::resolve_answers(model::Command& command) {
  if (auto* capture = std::get_if<model::CaptureHold>(&command.body)) {
    TRY_ASSIGN(capture->standing, standing_of(capture->hold, command.tenant));
  } else if (auto* release = std::get_if<model::VoidHold>(&command.body)) {
    TRY_ASSIGN(release->standing, standing_of(release->hold, command.tenant));
  } else if (auto* cancel = std::get_if<model::CancelKey>(&command.body)) {
    TRY_ASSIGN(const auto used, keys_.find(store::KeyKind::idempotency, cancel->cancelled));
    cancel->used_by = used.value_or(0);
  } else if (auto* report = std::get_if<model::ReportRail>(&command.body)) {
    resolve_report(*report, command.tenant);
  } else if (auto* refund = std::get_if<model::RefundTransfer>(&command.body)) {
    TRY_ASSIGN(refund->standing, original_of(refund->original, command.tenant));
  }
  return base::ok();
}

// The attempt that a reference names. One that names none is reported all the same: the core keeps it where it can be seen. The state
// knows every attempt; its entry may hold thousands of others, where a tick let parked transfers go on together.
void Engine::resolve_report(model::ReportRail& report, model::TenantNumber tenant) const {
  report.transfer = 0;
  report.attempt = 0;
  const core::AttemptRecord* attempt = state_.reconciliation().attempt(report.reference);
  if (attempt == nullptr || state_.sagas().rail(attempt->rail)->tenant != tenant) return;
  // A rail speaks for itself only, whoever guessed a reference of another one. One that names nothing we know stays named: what it
  // says is kept until its own reference is known.
  if (report.rail != 0 && report.rail != attempt->rail) return;
  report.transfer = attempt->transfer;
  report.attempt = attempt->attempt;
  report.rail = attempt->rail;
}

// What a transfer between accounts moved.
base::Result<model::OriginalTransfer> Engine::original_of(model::EventNumber event, model::TenantNumber tenant) {
  model::OriginalTransfer original;
  if (event == 0 || event > position()) return original;
  TRY_ASSIGN(const model::Entry entry, entries_.read_entry(event));
  const model::Event& created = entry.events[static_cast<std::size_t>(event - entry.first_event)];
  if (const auto* posted = std::get_if<model::TransferPosted>(&created.body)) {
    if (state_.asset(posted->asset)->tenant != tenant) return original;
    return model::OriginalTransfer{.found = true, .posted = true, .debit = posted->debit.account, .credit = posted->credit.account, .amount = posted->amount};
  }
  const auto* held = std::get_if<model::HoldPlaced>(&created.body);
  if (held == nullptr || state_.asset(held->asset)->tenant != tenant) return original;
  original = {.found = true, .posted = false, .debit = held->debit.account, .credit = held->credit.account, .amount = 0};
  TRY_ASSIGN(const model::HoldStanding standing, standing_of(event, tenant));
  if (standing != model::HoldStanding::captured) return original;
  TRY_ASSIGN(const auto resolved, keys_.find(store::KeyKind::hold_resolution, store::hold_resolution_key(event)));
  TRY_ASSIGN(const model::Entry resolution, entries_.read_entry(resolved.value_or(0)));
  const auto* end = std::get_if<model::HoldResolved>(&resolution.events[static_cast<std::size_t>(*resolved - resolution.first_event)].body);
  if (end == nullptr) return base::Error{"key_index_incomplete", "the key index names another event"};
  original.posted = true;
  original.amount = end->captured;
  return original;
}

base::Result<Finding> Engine::find(const Question& question) {
  const auto account = [this](model::AccountNumber number) -> std::optional<AccountFound> {
    const core::AccountRecord* record = state_.account(number);
    if (record == nullptr) return std::nullopt;
    AccountFound found{.number = number, .record = *record, .limits = {}, .asset_registered = state_.asset(record->asset)->registered};
    if (const core::LimitsRecord* limits = state_.limits_of(*record)) found.limits = *limits;
    return found;
  };
  if (const auto* ask = std::get_if<AskAccount>(&question)) {
    auto found = account(account_number(ask->tenant, ask->name, ask->hash));
    return found ? Finding(std::move(*found)) : Finding();
  }
  if (const auto* ask = std::get_if<AskAccounts>(&question)) {
    AccountsFound all;
    for (const model::AccountNumber number : ask->numbers) {
      if (auto found = account(number)) all.accounts.push_back(std::move(*found));
    }
    return Finding(std::move(all));
  }
  if (const auto* ask = std::get_if<AskTransfer>(&question)) {
    if (ask->event == 0 || ask->event > position()) return Finding();
    TransferFound found{.created = ask->event, .open = state_.open_hold(ask->event) != nullptr};
    if (!found.open) {
      TRY_ASSIGN(const auto resolved, keys_.find(store::KeyKind::hold_resolution, store::hold_resolution_key(ask->event)));
      found.resolved = resolved.value_or(0);
    }
    return Finding(std::move(found));
  }
  if (const auto* ask = std::get_if<AskKey>(&question)) {
    TRY_ASSIGN(const auto event, keys_.find(store::KeyKind::idempotency, ask->key));
    EventsFound found;
    if (event) found.events.push_back(*event);
    return Finding(std::move(found));
  }
  if (const auto* ask = std::get_if<AskReference>(&question)) {
    TRY_ASSIGN(auto events, keys_.find_all(store::KeyKind::reference, ask->key, ask->after, ask->limit));
    return Finding(EventsFound{std::move(events)});
  }
  if (std::holds_alternative<AskState>(question)) {
    return Finding(StateFound{std::make_shared<const core::FrozenState>(state_.freeze())});
  }
  return Finding();
}

// --- committing ---------------------------------------------------------------------------------------------------------------

bool Engine::take_own(const model::Command& command, base::Instant at, std::vector<model::PrivateDraft> privates) {
  group_at_ = at;
  core::decide(state_, command, at, options_.bounds, events_);
  if (events_.empty()) return false;
  const model::EventNumber first_event = commit_decision(command, at);
  std::size_t cursor = 0;
  take_privates(privates, 0, first_event, cursor);
  return true;
}

bool Engine::tick(base::Instant at) {
  if (!core::is_anything_due(state_, at)) return false;
  return take_own({.tenant = 1, .idempotency = {}, .body = model::Tick{options_.tick_expiries_max}}, at);
}

model::EventNumber Engine::commit_decision(const model::Command& command, base::Instant at) {
  const model::EventNumber first_event = state_.head().next_event;
  bool clients_changed = false;
  for (std::size_t i = 0; i < events_.size(); ++i) {
    const model::EventNumber number = first_event + i;
    state_.apply(events_[i]);
    feed_keys(keys_, command, i, events_[i], number);
    if (const auto* registered = std::get_if<model::AssetRegistered>(&events_[i].body)) assets_.emplace_back(registered->tenant, registered->asset);
    if (is_notable(events_[i], options_.views_every_transfer)) {
      notable_.push_back(number);
      clients_changed = clients_changed || std::holds_alternative<model::ClientCreated>(events_[i].body) ||
                        std::holds_alternative<model::ClientRotated>(events_[i].body) ||
                        std::holds_alternative<model::ClientRevoked>(events_[i].body);
    }
  }
  // All of them are applied by now: what a later event of the same command took back is not sent.
  if (is_saga_command(command.body)) {
    std::vector<model::Effect> effects;
    for (std::size_t i = 0; i < events_.size(); ++i) core::effects_of(state_, events_[i], first_event + i, effects);
    append_orders(state_, effects, effects_);
  }
  builder_.add_entry(at, command, events_);
  keys_.complete_through(first_event + events_.size() - 1);
  if (is_webhook_command(command.body)) {
    webhooks_ = std::make_shared<const core::CowArray<core::WebhookRecord>::Frozen>(state_.freeze_webhooks());
  }
  if (std::ranges::any_of(events_, is_of_keys)) registry_ = std::make_shared<const core::RegistryTables::Frozen>(state_.freeze_registry());
  if (clients_changed) clients_ = std::make_shared<const core::CowArray<core::ClientRecord>::Frozen>(state_.freeze_clients());
  return first_event;
}

void Engine::take_privates(std::vector<model::PrivateDraft>& privates, std::size_t index, model::EventNumber first_event,
                           std::size_t& cursor) {
  while (cursor < privates.size() && privates[cursor].command < index) ++cursor;   // of commands that keys answered
  for (; cursor < privates.size() && privates[cursor].command == index; ++cursor) {
    model::PrivateDraft& draft = privates[cursor];
    // The account of an asset is opened by the second event of its command.
    std::size_t item = draft.field == model::PrivateField::world_account_name ? 1 : draft.item;
    if (!events_.empty() && std::holds_alternative<model::RailConfigured>(events_.back().body)) {
      // Of a rail's two accounts those are opened that there were not yet: the name says which event is whose.
      const model::Commitment commitment = crypto::sha256({draft.salt, draft.value});
      for (item = 0; item < events_.size(); ++item) {
        const auto* opened = std::get_if<model::AccountOpened>(&events_[item].body);
        if (opened != nullptr && opened->name == commitment) break;
      }
    }
    if (is_of_import(draft.field)) {
      const auto received = std::ranges::find_if(events_, [](const model::Event& event) { return std::holds_alternative<model::ImportReceived>(event.body); });
      item = static_cast<std::size_t>(received - events_.begin());
    }
    // What a rail said is kept even where nobody knows what it is about.
    const bool kept = draft.field == model::PrivateField::rail_report;
    if (item >= events_.size() || (is_refused(events_[item]) && !kept)) continue;
    const std::string_view name = base::as_text(draft.value);
    if (const auto* opened = std::get_if<model::AccountOpened>(&events_[item].body);
        opened != nullptr && draft.field != model::PrivateField::account_metadata) {
      directory_.open(opened->tenant, name, model::account_name_hash(opened->tenant, name));
      CHECK(directory_.size() == opened->number);
    }
    if (draft.field == model::PrivateField::tenant_name) tenants_.open(name);
    builder_.add_private({first_event + (base::planted_bug(20) ? 0 : item), draft.field, draft.salt, std::move(draft.value)});
  }
}

void Engine::close_group(base::Instant at) {
  if (builder_.empty()) return;
  OutgoingGroup group;
  group.draft = builder_.finish(at);
  group.notable = std::exchange(notable_, {});
  group.assets = std::exchange(assets_, {});
  group.effects = std::exchange(effects_, {});
  closed_bytes_ += group.draft->disk_bytes();
  closed_.push_back(std::move(group));
  builder_.start(state_.head().next_event);
}

OutgoingGroup Engine::seal_group(bool freeze) {
  OutgoingGroup group;
  if (!closed_.empty()) {
    group = std::move(closed_.front());
    closed_.pop_front();
    closed_bytes_ -= group.draft->disk_bytes();
  } else if (!builder_.empty()) {
    group.draft = builder_.finish(group_at_);
    group.notable = std::exchange(notable_, {});
    group.assets = std::exchange(assets_, {});
    group.effects = std::exchange(effects_, {});
    builder_.start(state_.head().next_event);
  }
  if (closed_.empty() && builder_.empty()) {
    group.answers = std::exchange(answers_, {});
    if (freeze && group.draft) group.frozen = std::make_shared<core::FrozenState>(state_.freeze());
  }
  return group;
}

}  // namespace node
