// Reads of accounts: one, lists, histories, trial balances.
#include "node/backend.h"
#include "node/readings.h"

namespace node {

using model::Outcome;

namespace {

model::AccountLimits limits_of(const std::optional<core::LimitsRecord>& record) {
  model::AccountLimits limits;
  if (!record) return limits;
  if (record->has_debit_amount_max) limits.debit_amount_max = record->debit_amount_max;
  if (record->has_daily_debits_max) limits.daily_debits_max = record->daily_debits_max;
  if (record->has_balance_max) limits.balance_max = record->balance_max;
  return limits;
}

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

}  // namespace

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
