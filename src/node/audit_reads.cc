// Reads of the audit log: checkpoint, tiles, evidence.
#include <algorithm>

#include "node/backend.h"
#include "node/readings.h"

namespace node {

using model::Outcome;

edge::Reading Backend::read_checkpoint(const Answer& answer) const {
  const auto published = audit_ == nullptr ? nullptr : audit_->published();
  if (published == nullptr) return refused(answer.position, Outcome::checkpoint_not_published);
  return {answer.position, edge::DocumentReading{.content_type = "text/plain; charset=utf-8", .cache_control = "no-cache", .body = published->note}};
}

// --- evidence --------------------------------------------------------------------------------------------------------------------

namespace {

model::EventNumber number_of(const edge::AnswerItem& item) { return item.source->entry.first_event + item.event_index; }

}  // namespace

// Both accounts of a movement, or the one of a transfer over a rail, and the asset of all of them.
base::Status Backend::add_meanings(const std::vector<model::AccountNumber>& accounts, bool accounts_visible, EvidenceSubject& into) const {
  const auto answer = ask_now(AskAccounts{accounts});
  const auto* found = answer ? std::get_if<AccountsFound>(&answer->finding) : nullptr;
  if (found == nullptr || found->accounts.size() != accounts.size()) return base::Error{"shutting_down", "the core answers no more"};
  into.context.push_back(found->accounts.front().asset_registered);
  for (const AccountFound& account : found->accounts) {
    if (accounts_visible) into.context.push_back(account.record.opened);
  }
  return base::ok();
}

// A payout's money: the hold that a step names, and what became of it.
base::Status Backend::add_hold(model::TenantNumber tenant, const edge::TransferReading& saga, EvidenceSubject& into) const {
  for (const edge::AnswerItem& step : saga.steps) {
    const auto* moved = std::get_if<model::TransferMoved>(&event_of(step).body);
    if (moved == nullptr || moved->hold == 0 || std::ranges::find(into.context, moved->hold) != into.context.end()) continue;
    const auto answer = ask_now(AskTransfer{tenant, moved->hold});
    const auto* hold = answer ? std::get_if<TransferFound>(&answer->finding) : nullptr;
    if (hold == nullptr) continue;
    into.context.push_back(moved->hold);
    if (hold->resolved != 0) into.context.push_back(hold->resolved);
  }
  return base::ok();
}

// All that happened to the item up to `position`, and perhaps more.
Backend::Provable Backend::transfer_subject(const gate::GetEvidence& asked, model::TenantNumber tenant, model::EventNumber position, Clock::time_point deadline) {
  EvidenceSubject subject{.kind = audit::EvidenceKind::transfer,
                          .id = model::transfer_id(asked.id.partition, asked.id.event),
                          .disclose = asked.disclose,
                          .items = {asked.id.event},
                          .context = {}};
  const auto answer = ask_now(AskTransfer{tenant, asked.id.partition == partition() ? asked.id.event : 0});
  const auto* found = answer ? std::get_if<TransferFound>(&answer->finding) : nullptr;
  if (found == nullptr) return refused(position, answer ? Outcome::transfer_not_found : Outcome::shutting_down);
  const auto created = item_of(found->created, nullptr);
  if (!created.ok()) return failed(position, created.error());
  if (created->source->entry.command.tenant != tenant) return refused(position, Outcome::transfer_not_found);
  const model::EventBody& body = event_of(*created).body;
  std::vector<model::AccountNumber> accounts;
  if (const auto* posted = std::get_if<model::TransferPosted>(&body)) accounts = {posted->debit.account, posted->credit.account};
  if (const auto* held = std::get_if<model::HoldPlaced>(&body)) accounts = {held->debit.account, held->credit.account};
  if (const auto* requested = std::get_if<model::TransferRequested>(&body)) {
    accounts = {requested->account};
    if (queries_ == nullptr || !wait_for_views(position, deadline)) return refused(position, Outcome::view_not_caught_up);
    const auto saga = saga_reading(found->created);
    if (!saga.ok()) return failed(position, saga.error());
    for (const edge::AnswerItem& step : saga->steps) subject.items.push_back(number_of(step));
    const base::Status money = add_hold(tenant, *saga, subject);
    if (!money.ok()) return failed(position, money.error());
  } else if (found->resolved != 0) {
    subject.items.push_back(found->resolved);
  }
  if (accounts.empty()) return refused(position, Outcome::transfer_not_found);
  const base::Status meanings = add_meanings(accounts, asked.accounts_visible, subject);
  if (!meanings.ok()) return refused(position, Outcome::shutting_down);
  return subject;
}

Backend::Provable Backend::import_subject(const gate::GetImportEvidence& asked, model::TenantNumber tenant, model::EventNumber position, Clock::time_point deadline) {
  if (asked.import > position) return refused(position, Outcome::import_not_found);
  const auto item = item_of(asked.import, nullptr);
  if (!item.ok()) return failed(position, item.error());
  const auto* received = std::get_if<model::ImportReceived>(&event_of(*item).body);
  if (received == nullptr || received->tenant != tenant) return refused(position, Outcome::import_not_found);
  if (queries_ == nullptr || !wait_for_views(position, deadline)) return refused(position, Outcome::view_not_caught_up);
  auto steps = queries_->import_steps(asked.import);
  if (!steps.ok()) return failed(position, steps.error());
  return EvidenceSubject{.kind = audit::EvidenceKind::import,
                         .id = model::import_id(asked.import),
                         .disclose = asked.disclose,
                         .items = std::move(*steps),
                         .context = {}};
}

Backend::Provable Backend::provable(const gate::Query& query, model::EventNumber position, Clock::time_point deadline) {
  if (const auto* import = std::get_if<gate::GetImportEvidence>(&query.body)) return import_subject(*import, query.tenant, position, deadline);
  return transfer_subject(std::get<gate::GetEvidence>(query.body), query.tenant, position, deadline);
}

// The checkpoint is chosen in between: it holds what was known, and what the log signs about the item is true of its whole tree.
edge::Reading Backend::read_evidence(const gate::Query& query, const Answer& answer, Clock::time_point deadline) {
  if (answer.refusal != Outcome::done) return refused(answer.position, answer.refusal);
  if (audit_ == nullptr) return refused(answer.position, Outcome::checkpoint_not_published);
  Provable known = provable(query, std::max(query.position, answer.position), deadline);
  if (auto* refusal = std::get_if<edge::Reading>(&known)) return std::move(*refusal);
  const model::EventNumber last = std::ranges::max(std::get<EvidenceSubject>(known).items);
  auto under = audit_->witnessed();
  if (under == nullptr || under->checkpoint.size < last) under = audit_->wait_published(last, base::milliseconds(options_.view_wait_ms));
  if (under == nullptr) return refused(answer.position, Outcome::checkpoint_not_published);
  known = provable(query, std::max(answer.position, under->checkpoint.size), deadline);
  if (auto* refusal = std::get_if<edge::Reading>(&known)) return std::move(*refusal);
  auto bundle = make_evidence(*audit_, service_.reader(), *under, std::get<EvidenceSubject>(known));
  if (!bundle.ok()) {
    if (std::string_view(bundle.error().code) == "evidence_too_large") return refused(answer.position, Outcome::evidence_too_large, bundle.error().message);
    return failed(answer.position, bundle.error());
  }
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

}  // namespace node
