// Reads of the audit log: checkpoint, tiles, evidence.
#include <algorithm>

#include "node/backend.h"
#include "node/evidence.h"
#include "node/readings.h"

namespace node {

using model::Outcome;

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
  const auto again = ask_now(AskTransfer{query.tenant, asked.id.event});
  const auto* now = again ? std::get_if<TransferFound>(&again->finding) : nullptr;
  const auto sides = ask_now(AskAccounts{std::visit(
      [](const auto& body) {
        if constexpr (requires { body.debit.links; }) return std::vector{body.debit.account, body.credit.account};
        else return std::vector<model::AccountNumber>();
      },
      event_of(known->created).body)});
  const auto* accounts = sides ? std::get_if<AccountsFound>(&sides->finding) : nullptr;
  if (now == nullptr || accounts == nullptr || accounts->accounts.size() != 2) return refused(answer.position, Outcome::shutting_down);
  EvidenceSubject subject{.id = asked.id, .resolved = now->resolved, .disclose = asked.disclose, .context = {}};
  subject.context.push_back(accounts->accounts.front().asset_registered);
  for (const AccountFound& account : accounts->accounts) {
    if (asked.accounts_visible) subject.context.push_back(account.record.opened);
  }
  auto bundle = make_evidence(*audit_, service_.reader(), *under, subject);
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

}  // namespace node
