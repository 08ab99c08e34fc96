#include "node/backend.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "base/check.h"
#include "model/admitted.h"
#include "node/evidence.h"

namespace node {

using model::Outcome;

namespace {

edge::Reading refused(model::EventNumber position, Outcome outcome, std::string detail = {}) {
  return {position, edge::ReadRefused{outcome, std::move(detail)}};
}

// What a failed read of stored data means for whoever asked.
edge::Reading failed(model::EventNumber position, const base::Error& error) {
  return refused(position, Outcome::journal_read_failed, error.code);
}

model::AccountLimits limits_of(const std::optional<core::LimitsRecord>& record) {
  model::AccountLimits limits;
  if (!record) return limits;
  if (record->has_debit_amount_max) limits.debit_amount_max = record->debit_amount_max;
  if (record->has_daily_debits_max) limits.daily_debits_max = record->daily_debits_max;
  if (record->has_balance_max) limits.balance_max = record->balance_max;
  return limits;
}

const model::Event& event_of(const edge::AnswerItem& item) { return item.source->entry.events[item.event_index]; }

// The side of a posting that belongs to an account; null if the event does not touch it.
const model::Side* side_of(const model::Event& event, model::AccountNumber account) {
  return std::visit(
      [account](const auto& body) -> const model::Side* {
        if constexpr (requires { body.debit.links; }) {
          if (body.debit.account == account) return &body.debit;
          if (body.credit.account == account) return &body.credit;
        }
        return nullptr;
      },
      event.body);
}

store::TransferState stored_state(gate::TransferState state) {
  switch (state) {
    case gate::TransferState::posted: return store::TransferState::settled;
    case gate::TransferState::held: return store::TransferState::held;
    case gate::TransferState::captured: return store::TransferState::captured;
    case gate::TransferState::voided: return store::TransferState::voided;
    case gate::TransferState::expired: return store::TransferState::expired;
  }
  return store::TransferState::settled;
}

}  // namespace

Backend::Backend(Service& service, std::unique_ptr<store::Queries> queries, io::Loop& loop, BackendOptions options)
    : service_(service), queries_(std::move(queries)), loop_(loop), options_(options) {
  reading_ = std::thread([this] { run_reads(); });
}

Backend::~Backend() { stop(); }

void Backend::stop() {
  {
    const std::lock_guard lock(mutex_);
    if (stopping_) return;
    stopping_ = true;
    read_arrived_.notify_all();
  }
  reading_.join();
}

std::optional<model::Asset> Backend::asset(model::AssetNumber number) const {
  if (number == 0) return std::nullopt;
  if (number > assets_.size()) {
    for (auto next = static_cast<model::AssetNumber>(assets_.size() + 1);; ++next) {
      const auto known = service_.asset(next);
      if (!known) break;
      assets_.push_back(*known);
    }
  }
  return number <= assets_.size() ? std::optional(assets_[number - 1]) : std::nullopt;
}

// --- asking -----------------------------------------------------------------------------------------------------------------

std::uint64_t Backend::remember(Waiting&& waiting) {
  const std::uint64_t token = next_token_++;
  waiting_.emplace(token, std::move(waiting));
  return token;
}

model::Outcome Backend::submit(model::Admitted&& admitted, edge::Receiver& receiver, std::uint64_t token) {
  const std::uint64_t own = remember({&receiver, token, nullptr});
  const Outcome outcome = service_.pipeline().submit({.content = std::move(admitted), .sink = this, .token = own}, true);
  if (outcome != Outcome::done) waiting_.erase(own);
  submit_at_end_of_turn();
  return outcome;
}

model::Outcome Backend::ask(Question question, Waiting&& waiting) {
  const std::uint64_t own = remember(std::move(waiting));
  const Outcome outcome = service_.pipeline().submit({.content = std::move(question), .sink = this, .token = own}, true);
  if (outcome != Outcome::done) waiting_.erase(own);
  submit_at_end_of_turn();
  return outcome;
}

// What one turn of the loop read goes to the core together.
void Backend::submit_at_end_of_turn() {
  if (std::exchange(turn_has_submissions_, true)) return;
  loop_.post([this] {
    turn_has_submissions_ = false;
    service_.pipeline().all_submitted();
  });
}

model::Outcome Backend::query(gate::Query&& query, edge::Receiver& receiver, std::uint64_t token) {
  const model::TenantNumber tenant = query.tenant;
  Question question = AskPosition{};
  if (const auto* get = std::get_if<gate::GetAccount>(&query.body)) {
    question = AskAccount{tenant, get->name, get->name_hash};
  } else if (const auto* history = std::get_if<gate::AccountHistory>(&query.body)) {
    question = AskAccount{tenant, history->name, history->name_hash};
  } else if (const auto* transfer = std::get_if<gate::GetTransfer>(&query.body)) {
    const bool here = transfer->id.partition == partition();
    question = AskTransfer{tenant, here ? transfer->id.event : 0};
  } else if (const auto* evidence = std::get_if<gate::GetEvidence>(&query.body)) {
    const bool here = evidence->id.partition == partition();
    question = AskTransfer{tenant, here ? evidence->id.event : 0};
  } else if (const auto* list = std::get_if<gate::ListTransfers>(&query.body)) {
    if (list->key) question = AskKey{*list->key};
    if (list->reference_key) question = AskReference{*list->reference_key, 0, 100'000};
    if (!list->account.empty()) question = AskAccount{tenant, list->account, list->account_hash};
  } else if (std::holds_alternative<gate::TrialBalance>(query.body)) {
    question = AskState{};
  } else if (std::holds_alternative<gate::GetCheckpoint>(query.body) || std::holds_alternative<gate::GetTile>(query.body)) {
    // What is published is durable: nothing to wait for.
    const std::lock_guard lock(mutex_);
    if (reads_.size() >= options_.reads_waiting_max) return Outcome::overloaded;
    queue_read({&receiver, token, std::make_unique<gate::Query>(std::move(query))}, Answer{});
    return Outcome::done;
  }
  return ask(std::move(question), {&receiver, token, std::make_unique<gate::Query>(std::move(query))});
}

// --- answers: sync thread to loop thread --------------------------------------------------------------------------------------

void Backend::deliver(std::uint64_t token, Answer&& answer) {
  bool post = false;
  {
    const std::lock_guard lock(mutex_);
    delivered_.emplace_back(token, std::move(answer));
    post = !std::exchange(delivery_posted_, true);
  }
  if (post) loop_.post([this] { run_delivered(); });
}

void Backend::run_delivered() {
  std::vector<std::pair<std::uint64_t, Answer>> batch;
  {
    const std::lock_guard lock(mutex_);
    batch.swap(delivered_);
    delivery_posted_ = false;
  }
  for (auto& [token, answer] : batch) {
    const auto found = waiting_.find(token);
    CHECK_THAT(found != waiting_.end(), "an answer belongs to one request");
    Waiting waiting = std::move(found->second);
    waiting_.erase(found);
    if (waiting.query == nullptr) {
      finish_write(std::move(waiting), std::move(answer));
    } else {
      finish_read(std::move(waiting), std::move(answer));
    }
  }
}

void Backend::queue_read(Waiting&& waiting, Answer&& answer) {
  reads_.push_back({std::move(waiting), std::move(answer), Clock::now() + std::chrono::milliseconds(options_.view_wait_ms)});
  read_arrived_.notify_one();
}

void Backend::finish_write(Waiting&& waiting, Answer&& answer) {
  edge::Answer out{.position = answer.position, .refusal = answer.refusal, .items = {}, .batch = {}, .batch_replayed = answer.batch_replayed};
  out.items.reserve(answer.items.size());
  Source shared;   // items of an atomic group share one entry
  for (const ItemAnswer& item : answer.items) {
    edge::AnswerItem rendered{.source = {}, .event_index = 0, .refusal = item.refusal, .differing_fields = item.differing_fields, .replayed = item.replayed};
    if (item.event != 0) {
      const bool same_entry = shared && item.event >= shared->entry.first_event &&
                              item.event - shared->entry.first_event < shared->entry.events.size();
      if (!same_entry) {
        auto loaded = load(item.event, answer.group.get());
        if (loaded.ok()) shared = *loaded;
        else shared = nullptr;
      }
      if (shared) {
        rendered.source = shared;
        rendered.event_index = static_cast<std::uint32_t>(item.event - shared->entry.first_event);
      } else {
        rendered.refusal = Outcome::journal_read_failed;
      }
    }
    out.items.push_back(std::move(rendered));
  }
  if (answer.batch != 0) {
    auto loaded = load(answer.batch, answer.group.get());
    if (loaded.ok()) out.batch = *loaded;
  }
  waiting.receiver->answered(waiting.token, std::move(out));
}

void Backend::finish_read(Waiting&& waiting, Answer&& answer) {
  const gate::Query& query = *waiting.query;
  edge::Reading reading;
  if (std::holds_alternative<gate::GetAccount>(query.body)) {
    reading = read_account(query, answer);
  } else if (std::holds_alternative<gate::GetTransfer>(query.body)) {
    reading = read_transfer(query, answer);
  } else {
    const std::lock_guard lock(mutex_);
    if (reads_.size() < options_.reads_waiting_max) {
      queue_read(std::move(waiting), std::move(answer));
      return;
    }
    reading = refused(answer.position, Outcome::overloaded);
  }
  waiting.receiver->read(waiting.token, std::move(reading));
}

// --- the reading thread --------------------------------------------------------------------------------------------------------

void Backend::run_reads() {
  while (true) {
    Read read;
    {
      std::unique_lock lock(mutex_);
      read_arrived_.wait(lock, [this] { return stopping_ || !reads_.empty(); });
      if (stopping_) return;
      read = std::move(reads_.front());
      reads_.pop_front();
    }
    const gate::Query& query = *read.waiting.query;
    edge::Reading reading;
    if (std::holds_alternative<gate::AccountHistory>(query.body)) {
      reading = read_history(query, read.answer);
    } else if (std::holds_alternative<gate::ListAccounts>(query.body)) {
      reading = read_accounts(query, read.answer, read.deadline);
    } else if (std::holds_alternative<gate::TrialBalance>(query.body)) {
      reading = read_trial_balance(query, read.answer);
    } else if (std::holds_alternative<gate::GetCheckpoint>(query.body)) {
      reading = read_checkpoint(read.answer);
    } else if (std::holds_alternative<gate::GetTile>(query.body)) {
      reading = read_tile(query, read.answer);
    } else if (std::holds_alternative<gate::GetEvidence>(query.body)) {
      reading = read_evidence(query, read.answer);
    } else {
      reading = read_transfers(query, read.answer, read.deadline);
    }
    post_reading(std::move(read.waiting), std::move(reading));
  }
}

void Backend::post_reading(Waiting&& waiting, edge::Reading&& reading) {
  loop_.post([receiver = waiting.receiver, token = waiting.token, moved = std::move(reading)]() mutable {
    receiver->read(token, std::move(moved));
  });
}

bool Backend::wait_for_views(model::EventNumber position, Clock::time_point deadline) {
  while (service_.projected() < position) {
    if (Clock::now() >= deadline) return false;
    std::unique_lock lock(mutex_);
    if (read_arrived_.wait_for(lock, std::chrono::milliseconds(2), [this] { return stopping_; })) return false;
  }
  return true;
}

std::optional<Answer> Backend::ask_now(Question question) {
  class Promise final : public AnswerSink {
   public:
    void deliver(std::uint64_t, Answer&& answer) override {
      const std::lock_guard lock(mutex_);
      answer_ = std::move(answer);
      arrived_.notify_one();
    }
    Answer wait() {
      std::unique_lock lock(mutex_);
      arrived_.wait(lock, [this] { return answer_.has_value(); });
      return std::move(*answer_);
    }

   private:
    std::mutex mutex_;
    std::condition_variable arrived_;
    std::optional<Answer> answer_;
  };
  Promise promise;
  if (service_.pipeline().submit({.content = std::move(question), .sink = &promise, .token = 0}) != Outcome::done) return std::nullopt;
  return promise.wait();
}

// --- reading entries ------------------------------------------------------------------------------------------------------------

base::Result<Backend::Source> Backend::load(model::EventNumber event, const store::SealedGroup* group) const {
  auto source = std::make_shared<edge::EntryWithPrivates>();
  const bool in_group = group != nullptr && event >= group->header().first_event && event < group->header().next_event();
  if (in_group) {
    TRY_ASSIGN(const store::EntryView view, group->find_entry(event));
    TRY_ASSIGN(source->entry, model::decode_entry(view.bytes, view.first_event));
  } else {
    TRY_ASSIGN(const store::StoredEntry stored, service_.reader().read_entry(event));
    TRY_ASSIGN(source->entry, model::decode_entry(stored.bytes, stored.first_event));
  }
  const auto want = [&](model::EventNumber number, model::PrivateField field) -> base::Status {
    std::optional<store::StoredPrivate> value;
    if (in_group) {
      value = group->private_value(number, field);
    } else {
      TRY_ASSIGN(value, service_.reader().read_private(number, field));
    }
    if (value && !value->erased) source->privates.push_back({number, field, value->salt, std::move(value->value)});
    return base::ok();
  };
  for (std::size_t i = 0; i < source->entry.events.size(); ++i) {
    const model::EventNumber number = source->entry.first_event + i;
    const model::EventBody& body = source->entry.events[i].body;
    const auto transfer_values = [&](const auto& moved) -> base::Status {
      if (moved.reference) TRY(want(number, model::PrivateField::transfer_reference));
      if (moved.metadata) TRY(want(number, model::PrivateField::transfer_metadata));
      return base::ok();
    };
    if (const auto* posted = std::get_if<model::TransferPosted>(&body)) TRY(transfer_values(*posted));
    if (const auto* held = std::get_if<model::HoldPlaced>(&body)) TRY(transfer_values(*held));
    if (const auto* opened = std::get_if<model::AccountOpened>(&body); opened != nullptr && opened->metadata) {
      TRY(want(number, model::PrivateField::account_metadata));
    }
    if (std::holds_alternative<model::TenantOpened>(body)) TRY(want(number, model::PrivateField::tenant_name));
    if (std::holds_alternative<model::ClientCreated>(body)) TRY(want(number, model::PrivateField::client_name));
  }
  return Source(std::move(source));
}

base::Result<edge::AnswerItem> Backend::item_of(model::EventNumber event, const store::SealedGroup* group) const {
  TRY_ASSIGN(Source source, load(event, group));
  const auto index = static_cast<std::uint32_t>(event - source->entry.first_event);
  return edge::AnswerItem{.source = std::move(source), .event_index = index};
}

// --- accounts --------------------------------------------------------------------------------------------------------------------

base::Result<edge::AccountReading> Backend::account_reading(const AccountFound& found) const {
  const core::AccountRecord& record = found.record;
  edge::AccountReading reading{.number = found.number,
                               .name = std::string(service_.directory().name_of(found.number)),
                               .asset = service_.asset(record.asset).value_or(model::Asset{}),
                               .flags = record.flags,
                               .limits = limits_of(found.limits),
                               .counters = record.counters,
                               .opened_at = {},
                               .metadata = {}};
  TRY_ASSIGN(const edge::AnswerItem opened, item_of(record.opened, nullptr));
  reading.opened_at = event_of(opened).at;
  for (const model::PrivateValue& value : opened.source->privates) {
    if (value.event == record.opened && value.field == model::PrivateField::account_metadata) reading.metadata = value.value;
  }
  return reading;
}

edge::Reading Backend::read_account(const gate::Query&, const Answer& answer) const {
  if (answer.refusal != Outcome::done) return refused(answer.position, answer.refusal);
  const auto* found = std::get_if<AccountFound>(&answer.finding);
  if (found == nullptr) return refused(answer.position, Outcome::account_not_found);
  auto reading = account_reading(*found);
  if (!reading.ok()) return failed(answer.position, reading.error());
  return {answer.position, std::move(*reading)};
}

edge::Reading Backend::read_accounts(const gate::Query& query, const Answer& answer, Clock::time_point deadline) {
  const auto& list = std::get<gate::ListAccounts>(query.body);
  if (queries_ == nullptr || !wait_for_views(std::max(query.position, answer.position), deadline)) {
    return refused(answer.position, Outcome::view_not_caught_up);
  }
  store::AccountQuery wanted{.tenant = query.tenant, .name_prefix = list.prefix, .asset = {}, .flag = {}, .cursor = list.after, .limit = list.limit};
  if (list.asset) {
    wanted.asset = service_.asset_number(query.tenant, *list.asset);
    if (*wanted.asset == 0) return {answer.position, edge::AccountsPage{}};
  }
  auto page = queries_->accounts(wanted);
  if (!page.ok()) {
    const std::string_view code = page.error().code;
    if (code == "view_filter_not_indexed") return refused(answer.position, Outcome::filter_not_indexed, page.error().message);
    if (code == "view_cursor_malformed") return refused(answer.position, Outcome::cursor_invalid);
    return failed(answer.position, page.error());
  }
  // The rows say which accounts; what they hold comes from memory.
  AskAccounts wanted_now;
  for (const store::AccountRow& row : page->rows) wanted_now.numbers.push_back(row.number);
  const auto now = ask_now(std::move(wanted_now));
  const auto* found = now ? std::get_if<AccountsFound>(&now->finding) : nullptr;
  if (found == nullptr) return refused(answer.position, Outcome::shutting_down);
  edge::AccountsPage out{.accounts = {}, .next = page->next_cursor};
  for (const AccountFound& account : found->accounts) {
    auto reading = account_reading(account);
    if (!reading.ok()) return failed(now->position, reading.error());
    out.accounts.push_back(std::move(*reading));
  }
  return {now->position, std::move(out)};
}

// --- transfers --------------------------------------------------------------------------------------------------------------------

base::Result<edge::TransferReading> Backend::transfer_reading(model::EventNumber created, bool open, model::EventNumber resolved) const {
  edge::TransferReading reading;
  TRY_ASSIGN(reading.created, item_of(created, nullptr));
  if (std::holds_alternative<model::HoldPlaced>(event_of(reading.created).body)) {
    reading.state = gate::TransferState::held;
    if (!open && resolved != 0) {
      TRY_ASSIGN(reading.resolved, item_of(resolved, nullptr));
      const auto* end = std::get_if<model::HoldResolved>(&event_of(*reading.resolved).body);
      if (end == nullptr) return base::Error{"journal_contradicts_state", "a hold is resolved by an event of another kind"};
      switch (end->resolution) {
        case model::HoldResolution::captured: reading.state = gate::TransferState::captured; break;
        case model::HoldResolution::voided: reading.state = gate::TransferState::voided; break;
        case model::HoldResolution::expired: reading.state = gate::TransferState::expired; break;
      }
    }
  }
  return reading;
}

edge::Reading Backend::read_transfer(const gate::Query& query, const Answer& answer) const {
  if (answer.refusal != Outcome::done) return refused(answer.position, answer.refusal);
  const auto* found = std::get_if<TransferFound>(&answer.finding);
  if (found == nullptr) return refused(answer.position, Outcome::transfer_not_found);
  auto reading = transfer_reading(found->created, found->open, found->resolved);
  if (!reading.ok()) return failed(answer.position, reading.error());
  const model::Event& event = event_of(reading->created);
  const bool is_transfer = std::holds_alternative<model::TransferPosted>(event.body) || std::holds_alternative<model::HoldPlaced>(event.body);
  if (!is_transfer || reading->created.source->entry.command.tenant != query.tenant) {
    return refused(answer.position, Outcome::transfer_not_found);
  }
  return {answer.position, std::move(*reading)};
}

// By key or reference: the index named the events.
edge::Reading Backend::read_events(const gate::Query& query, const Answer& answer) {
  const auto& list = std::get<gate::ListTransfers>(query.body);
  std::vector<model::EventNumber> events = std::get<EventsFound>(answer.finding).events;
  std::sort(events.rbegin(), events.rend());
  edge::TransfersPage page;
  for (const model::EventNumber event : events) {
    if (list.before != 0 && event >= list.before) continue;
    if (page.transfers.size() == list.limit) {
      page.next = page.transfers.back().created.source->entry.first_event + page.transfers.back().created.event_index;
      break;
    }
    auto item = item_of(event, nullptr);
    if (!item.ok()) return failed(answer.position, item.error());
    if (item->source->entry.command.tenant != query.tenant) continue;
    const model::Event& created = event_of(*item);
    model::EventNumber resolved = 0;
    bool open = false;
    if (std::holds_alternative<model::HoldPlaced>(created.body) && queries_ != nullptr) {
      auto row = queries_->transfer(event);
      if (row.ok() && row->has_value()) resolved = (*row)->resolved_event;
      open = resolved == 0;
    }
    auto reading = transfer_reading(event, open, resolved);
    if (!reading.ok()) return failed(answer.position, reading.error());
    page.transfers.push_back(std::move(*reading));
  }
  return {answer.position, std::move(page)};
}

edge::Reading Backend::read_transfers(const gate::Query& query, const Answer& answer, Clock::time_point deadline) {
  const auto& list = std::get<gate::ListTransfers>(query.body);
  if (queries_ == nullptr || !wait_for_views(std::max(query.position, answer.position), deadline)) {
    return refused(answer.position, Outcome::view_not_caught_up);
  }
  if (std::holds_alternative<EventsFound>(answer.finding)) return read_events(query, answer);
  store::TransferQuery wanted{.tenant = query.tenant, .state = {}, .account = {}, .reference = {}, .cursor = {}, .limit = list.limit};
  wanted.before = list.before;
  if (list.state) wanted.state = stored_state(*list.state);
  if (!list.account.empty()) {
    const auto* account = std::get_if<AccountFound>(&answer.finding);
    if (account == nullptr) return refused(answer.position, Outcome::account_not_found);
    wanted.account = account->number;
  }
  auto rows = queries_->transfers(wanted);
  if (!rows.ok()) {
    if (std::string_view(rows.error().code) == "view_filter_not_indexed") {
      return refused(answer.position, Outcome::filter_not_indexed, rows.error().message);
    }
    return failed(answer.position, rows.error());
  }
  edge::TransfersPage page;
  for (const store::TransferRow& row : rows->rows) {
    auto reading = transfer_reading(row.number, row.resolved_event == 0, row.resolved_event);
    if (!reading.ok()) return failed(answer.position, reading.error());
    page.transfers.push_back(std::move(*reading));
  }
  if (!rows->next_cursor.empty() && !rows->rows.empty()) page.next = rows->rows.back().number;
  return {answer.position, std::move(page)};
}

// --- history ----------------------------------------------------------------------------------------------------------------------

// Walks back from the newest posting; the links to every 64th and 4096th posting cross what lies outside cursor and range.
edge::Reading Backend::read_history(const gate::Query& query, const Answer& answer) const {
  const auto& asked = std::get<gate::AccountHistory>(query.body);
  const auto* account = std::get_if<AccountFound>(&answer.finding);
  if (account == nullptr) return refused(answer.position, Outcome::account_not_found);
  edge::HistoryPage page{.account = asked.name, .events = {}, .number = account->number, .next = 0};
  const auto too_new = [&](model::EventNumber number, const model::Event& event) {
    return (asked.before != 0 && number >= asked.before) || (asked.to && event.at >= *asked.to);
  };
  const auto lands_too_new = [&](model::EventNumber far) -> base::Result<bool> {
    if (asked.before != 0 && far >= asked.before) return true;
    if (!asked.to) return false;
    TRY_ASSIGN(const edge::AnswerItem landing, item_of(far, nullptr));
    return too_new(far, event_of(landing));
  };
  // The account knows its last 4096th and 64th posting: where they are too new, so is all that follows them.
  model::EventNumber next = account->record.last_posting;
  for (const model::EventNumber far : {model::EventNumber{account->record.last_4096}, model::EventNumber{account->record.last_64}}) {
    if (far == 0 || far == next) continue;
    const auto skips = lands_too_new(far);
    if (!skips.ok()) return failed(answer.position, skips.error());
    if (!*skips) continue;
    next = far;
    break;
  }
  while (next != 0) {
    auto item = item_of(next, nullptr);
    if (!item.ok()) return failed(answer.position, item.error());
    const model::Event& event = event_of(*item);
    const model::Side* side = side_of(event, account->number);
    if (side == nullptr) return failed(answer.position, {"journal_contradicts_state", ""});
    if (asked.from && event.at < *asked.from) break;
    if (too_new(next, event)) {
      // Take the longest jump that still lands on something too new: nothing wanted lies in between.
      model::EventNumber step = side->links.previous;
      for (const model::EventNumber far : {side->links.previous_4096, side->links.previous_64}) {
        if (far == 0 || far == step) continue;
        const auto skips = lands_too_new(far);
        if (!skips.ok()) return failed(answer.position, skips.error());
        if (!*skips) continue;
        step = far;
        break;
      }
      next = step;
      continue;
    }
    if (page.events.size() == asked.limit) {
      page.next = page.events.back().source->entry.first_event + page.events.back().event_index;
      break;
    }
    next = side->links.previous;
    page.events.push_back(std::move(*item));
  }
  return {answer.position, std::move(page)};
}

// --- audit log ------------------------------------------------------------------------------------------------------------------

edge::Reading Backend::read_checkpoint(const Answer& answer) const {
  const auto published = audit_ == nullptr ? nullptr : audit_->published();
  if (published == nullptr) return refused(answer.position, Outcome::checkpoint_not_published);
  return {answer.position, edge::DocumentReading{.content_type = "text/plain; charset=utf-8", .cache_control = "no-cache", .body = published->note}};
}

// The checkpoint first, the state after it: what the log signs about the transfer is then true of the whole tree.
edge::Reading Backend::read_evidence(const gate::Query& query, const Answer& answer) {
  const auto& asked = std::get<gate::GetEvidence>(query.body);
  if (answer.refusal != Outcome::done) return refused(answer.position, answer.refusal);
  const auto* found = std::get_if<TransferFound>(&answer.finding);
  if (found == nullptr) return refused(answer.position, Outcome::transfer_not_found);
  auto known = transfer_reading(found->created, found->open, found->resolved);
  if (!known.ok()) return failed(answer.position, known.error());
  const bool moved = std::holds_alternative<model::TransferPosted>(event_of(known->created).body) ||
                     std::holds_alternative<model::HoldPlaced>(event_of(known->created).body);
  if (!moved || known->created.source->entry.command.tenant != query.tenant) return refused(answer.position, Outcome::transfer_not_found);
  if (audit_ == nullptr) return refused(answer.position, Outcome::checkpoint_not_published);

  const model::EventNumber last = std::max(found->created, found->resolved);
  auto under = audit_->witnessed();
  if (under == nullptr || under->checkpoint.size < last) under = audit_->wait_published(last, base::milliseconds(options_.view_wait_ms));
  if (under == nullptr) return refused(answer.position, Outcome::checkpoint_not_published);
  const auto state = ask_now(AskState{});
  const auto* frozen = state ? std::get_if<StateFound>(&state->finding) : nullptr;
  const auto again = ask_now(AskTransfer{query.tenant, asked.id.event});
  const auto* now = again ? std::get_if<TransferFound>(&again->finding) : nullptr;
  if (frozen == nullptr || now == nullptr) return refused(answer.position, Outcome::shutting_down);
  auto bundle = make_evidence(*audit_, service_.reader(), *frozen->state, *under,
                              {.id = asked.id, .resolved = now->resolved, .disclose = asked.disclose, .accounts_visible = asked.accounts_visible});
  if (!bundle.ok()) return failed(answer.position, bundle.error());
  return {answer.position, edge::DocumentReading{.content_type = "application/json", .body = std::move(*bundle)}};
}

// Tiles never change: a full one may be kept for ever, and a partial one as well, under its own name.
edge::Reading Backend::read_tile(const gate::Query& query, const Answer& answer) const {
  const auto& asked = std::get<gate::GetTile>(query.body);
  const auto id = audit::parse_tile_path(asked.path);
  if (audit_ == nullptr || !id || id->entries != asked.entries) return refused(answer.position, Outcome::not_found, "there is no such tile");
  // Bundles hold the events of all tenants.
  if (asked.entries && query.tenant != 1) {
    return refused(answer.position, Outcome::scope_missing, "entry bundles are for clients of the first tenant");
  }
  auto bytes = asked.entries ? audit_->entry_bundle(*id) : audit_->tile(*id);
  if (!bytes.ok()) {
    if (std::string_view(bytes.error().code) == "tile_not_there") return refused(answer.position, Outcome::not_found, bytes.error().message);
    return failed(answer.position, bytes.error());
  }
  return {answer.position, edge::DocumentReading{.content_type = "application/octet-stream",
                                                 .cache_control = asked.entries ? "private, max-age=31536000, immutable" : "public, max-age=31536000, immutable",
                                                 .body = std::string(base::as_text(*bytes))}};
}

// --- trial balance --------------------------------------------------------------------------------------------------------------

edge::Reading Backend::read_trial_balance(const gate::Query& query, const Answer& answer) const {
  const auto& asked = std::get<gate::TrialBalance>(query.body);
  const auto* found = std::get_if<StateFound>(&answer.finding);
  if (found == nullptr) return refused(answer.position, Outcome::overloaded);
  const core::FrozenState& state = *found->state;
  std::vector<edge::TrialBalanceRow> sums(state.assets.size());
  for (std::size_t chunk = 0; chunk < state.accounts.chunk_count(); ++chunk) {
    for (const core::AccountRecord& account : state.accounts.chunk(chunk)) {
      edge::TrialBalanceRow& row = sums[account.asset - 1];
      row.accounts += 1;
      row.totals.debits_posted += account.counters.debits_posted;
      row.totals.credits_posted += account.counters.credits_posted;
      row.totals.debits_pending += account.counters.debits_pending;
      row.totals.credits_pending += account.counters.credits_pending;
    }
  }
  edge::TrialBalanceReading reading;
  for (std::size_t i = 0; i < sums.size(); ++i) {
    if (state.assets[i].tenant != query.tenant) continue;
    sums[i].asset = state.assets[i].asset();
    if (asked.asset && !(*asked.asset == sums[i].asset)) continue;
    const model::Counters& totals = sums[i].totals;
    sums[i].balanced = totals.debits_posted == totals.credits_posted && totals.debits_pending == totals.credits_pending;
    reading.rows.push_back(sums[i]);
  }
  return {answer.position, std::move(reading)};
}

}  // namespace node
