#include "node/backend.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "base/check.h"
#include "gate/gate.h"
#include "model/admitted.h"
#include "node/key_feed.h"
#include "node/one_answer.h"
#include "node/readings.h"

namespace node {

using model::Outcome;

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
  // Before the writer's connection: the last one to close a database takes its log into it, and a reader cannot.
  deliveries_.reset();
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
  Waiting waiting{.receiver = &receiver, .token = token, .query = nullptr};
  if (admitted.is_batch || admitted.commands.size() == 1) return submit_one(std::move(admitted), std::move(waiting));
  model::Admitted first = gate::Gate::take_first(admitted);
  waiting.parts = std::make_unique<Parts>(Parts{.rest = std::move(admitted), .first = {}});
  return submit_one(std::move(first), std::move(waiting));
}

model::Outcome Backend::submit_one(model::Admitted&& admitted, Waiting&& waiting) {
  const std::uint64_t own = remember(std::move(waiting));
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
  if (auto* derivation = std::get_if<gate::WalletDerivation>(&query.body)) return derive_wallet(tenant, std::move(*derivation), receiver, token);
  Question question = AskPosition{};
  if (const auto* get = std::get_if<gate::GetAccount>(&query.body)) {
    question = AskAccount{tenant, get->name, get->name_hash};
  } else if (const auto* history = std::get_if<gate::AccountHistory>(&query.body)) {
    question = AskAccount{tenant, history->name, history->name_hash};
  } else if (const auto* transfer = std::get_if<gate::GetTransfer>(&query.body)) {
    const bool here = transfer->id.partition == partition();
    question = AskTransfer{tenant, here ? transfer->id.event : 0};
  } else if (const auto* list = std::get_if<gate::ListTransfers>(&query.body)) {
    if (list->key) question = AskKey{*list->key};
    if (list->reference_key) question = AskReference{*list->reference_key, 0, references_at_once};
    if (!list->account.empty()) question = AskAccount{tenant, list->account, list->account_hash};
  } else if (std::holds_alternative<gate::TrialBalance>(query.body) || std::holds_alternative<gate::ListRails>(query.body) ||
             std::holds_alternative<gate::GetRail>(query.body) || std::holds_alternative<gate::ListReconciliations>(query.body) ||
             std::holds_alternative<gate::GetReconciliation>(query.body) || is_about_keys(query.body) ||
             is_about_webhooks(query.body) || is_about_wallets(query.body)) {
    question = AskState{};
  } else if (std::holds_alternative<gate::GetCheckpoint>(query.body) || std::holds_alternative<gate::GetTile>(query.body) ||
             std::holds_alternative<gate::GetOwnKeys>(query.body)) {
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
  if (waiting.parts) return go_on(std::move(waiting), std::move(out));
  waiting.receiver->answered(waiting.token, std::move(out));
}

// The next part, once the one before it was taken. One that was not is the answer, and nobody has seen those behind it: the same
// request again goes on from there. Of a request that was taken as a whole the first part is the answer.
void Backend::go_on(Waiting&& waiting, edge::Answer&& answer) {
  edge::Receiver& receiver = *waiting.receiver;
  const std::uint64_t token = waiting.token;
  Parts& parts = *waiting.parts;
  const bool taken = answer.refusal == Outcome::done && answer.items.at(0).source != nullptr &&
                     !is_refused(answer.items[0].source->entry.events[answer.items[0].event_index]);
  if (!taken) return receiver.answered(token, std::move(answer));
  if (!parts.first) parts.first = answer.items[0];
  if (!parts.rest.commands.empty()) {
    model::Admitted next = gate::Gate::take_first(parts.rest);
    const Outcome outcome = submit_one(std::move(next), std::move(waiting));
    if (outcome == Outcome::done) return;
    answer.refusal = outcome;
    return receiver.answered(token, std::move(answer));
  }
  answer.items[0] = *std::move(parts.first);
  receiver.answered(token, std::move(answer));
}

void Backend::finish_read(Waiting&& waiting, Answer&& answer) {
  const gate::Query& query = *waiting.query;
  edge::Reading reading;
  if (std::holds_alternative<gate::GetAccount>(query.body)) {
    reading = read_account(query, answer);
  } else if (std::holds_alternative<gate::GetTransfer>(query.body) && !is_saga(answer)) {
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
    } else if (std::holds_alternative<gate::GetTransfer>(query.body)) {
      reading = read_saga(query, read.answer, read.deadline);
    } else if (std::holds_alternative<gate::ListRails>(query.body) || std::holds_alternative<gate::GetRail>(query.body)) {
      reading = read_rails(query, read.answer);
    } else if (std::holds_alternative<gate::ListReconciliations>(query.body) || std::holds_alternative<gate::GetReconciliation>(query.body)) {
      reading = read_reconciliations(query, read.answer);
    } else if (is_about_keys(query.body)) {
      reading = read_registry(query, read.answer);
    } else if (is_about_wallets(query.body)) {
      reading = read_wallets(query, read.answer);
    } else if (is_about_webhooks(query.body)) {
      auto now = read_webhooks(read.waiting, read.answer);
      if (!now) continue;
      reading = *std::move(now);
    } else if (std::holds_alternative<gate::TrialBalance>(query.body)) {
      reading = read_trial_balance(query, read.answer);
    } else if (std::holds_alternative<gate::GetCheckpoint>(query.body)) {
      reading = read_checkpoint(read.answer);
    } else if (std::holds_alternative<gate::GetOwnKeys>(query.body)) {
      reading = read_own_keys(read.answer);
    } else if (std::holds_alternative<gate::GetTile>(query.body)) {
      reading = read_tile(query, read.answer);
    } else if (std::holds_alternative<gate::GetEvidence>(query.body) || std::holds_alternative<gate::GetImportEvidence>(query.body)) {
      reading = read_evidence(query, read.answer, read.deadline);
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
    service_.hurry_projection(position);
    std::unique_lock lock(mutex_);
    if (read_arrived_.wait_for(lock, std::chrono::milliseconds(2), [this] { return stopping_; })) return false;
  }
  return true;
}

std::optional<Answer> Backend::ask_now(Question question) const {
  OneAnswer answer;
  if (service_.pipeline().submit({.content = std::move(question), .sink = &answer, .token = 0}) != Outcome::done) return std::nullopt;
  return answer.wait();
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
    if (const auto* requested = std::get_if<model::TransferRequested>(&body)) {
      TRY(transfer_values(*requested));
      if (requested->beneficiary) TRY(want(number, model::PrivateField::transfer_beneficiary));
    }
    if (const auto* vote = std::get_if<model::VoteRecorded>(&body); vote != nullptr && vote->reason) {
      TRY(want(number, model::PrivateField::vote_reason));
    }
    if (const auto* reported = std::get_if<model::AttemptReported>(&body); reported != nullptr && reported->rail_reference) {
      TRY(want(number, model::PrivateField::rail_reference));
    }
    if (const auto* opened = std::get_if<model::AccountOpened>(&body); opened != nullptr && opened->metadata) {
      TRY(want(number, model::PrivateField::account_metadata));
    }
    if (std::holds_alternative<model::TenantOpened>(body)) TRY(want(number, model::PrivateField::tenant_name));
    if (std::holds_alternative<model::ClientCreated>(body)) TRY(want(number, model::PrivateField::client_name));
    if (const auto* received = std::get_if<model::ImportReceived>(&body); received != nullptr && received->findings) {
      TRY(want(number, model::PrivateField::import_findings));
    }
    if (std::holds_alternative<model::WebhookCreated>(body)) TRY(want(number, model::PrivateField::webhook_url));
    if (const auto* changed = std::get_if<model::WebhookChanged>(&body); changed != nullptr && changed->url) {
      TRY(want(number, model::PrivateField::webhook_url));
    }
  }
  return Source(std::move(source));
}

base::Result<edge::AnswerItem> Backend::item_of(model::EventNumber event, const store::SealedGroup* group) const {
  TRY_ASSIGN(Source source, load(event, group));
  const auto index = static_cast<std::uint32_t>(event - source->entry.first_event);
  return edge::AnswerItem{.source = std::move(source), .event_index = index};
}

}  // namespace node
