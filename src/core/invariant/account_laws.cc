#include <algorithm>
#include <variant>

#include "core/invariant/laws.h"

namespace core {

namespace {

template <typename Body>
void add_accounts(const Body& body, std::vector<model::AccountNumber>& accounts) {
  if constexpr (requires { body.debit.account; }) {
    accounts.push_back(body.debit.account);
    accounts.push_back(body.credit.account);
  } else if constexpr (std::is_same_v<Body, model::AccountOpened>) {
    accounts.push_back(body.number);
  } else if constexpr (requires { body.account; }) {
    accounts.push_back(body.account);
  }
}

// Posted plus pending, or the maximum where that does not fit: another law reports it.
base::U128 total(base::U128 posted, base::U128 pending) {
  return base::checked_add(posted, pending).value_or(base::u128_max);
}

}  // namespace

std::vector<model::AccountNumber> touched_accounts(std::span<const model::Event> events) {
  std::vector<model::AccountNumber> accounts;
  for (const model::Event& event : events) {
    std::visit([&accounts](const auto& body) { add_accounts(body, accounts); }, event.body);
  }
  std::ranges::sort(accounts);
  accounts.erase(std::unique(accounts.begin(), accounts.end()), accounts.end());
  return accounts;
}

std::optional<Violation> AccountLaw::check(const State& state) {
  for (model::AccountNumber number = 1; number <= state.account_count(); ++number) {
    std::string wrong = fault(state.head(), *state.account(number));
    if (!wrong.empty()) return Violation{name(), std::move(wrong), number};
  }
  return std::nullopt;
}

std::optional<Violation> AccountLaw::check_touched(const State& state, std::span<const model::Event> events) {
  for (const model::AccountNumber number : touched_accounts(events)) {
    std::string wrong = fault(state.head(), *state.account(number));
    if (!wrong.empty()) return Violation{name(), std::move(wrong), number};
  }
  return std::nullopt;
}

std::string CountersWithinBounds::fault(const StateHead&, const AccountRecord& account) const {
  const model::Counters& c = account.counters;
  if (!base::checked_add(c.debits_posted, c.debits_pending)) return "debits posted and pending pass 2^127 - 1";
  if (!base::checked_add(c.credits_posted, c.credits_pending)) return "credits posted and pending pass 2^127 - 1";
  return {};
}

std::string NoOverdraft::fault(const StateHead&, const AccountRecord& account) const {
  const model::Counters& c = account.counters;
  const base::U128 debits = total(c.debits_posted, c.debits_pending);
  const base::U128 credits = total(c.credits_posted, c.credits_pending);
  if ((account.flags & model::debits_must_not_exceed_credits) != 0 && debits > c.credits_posted) {
    return "debits " + base::to_decimal(debits) + " exceed credits " + base::to_decimal(c.credits_posted);
  }
  if ((account.flags & model::credits_must_not_exceed_debits) != 0 && credits > c.debits_posted) {
    return "credits " + base::to_decimal(credits) + " exceed debits " + base::to_decimal(c.debits_posted);
  }
  return {};
}

std::string ClosedAccountsAreAtRest::fault(const StateHead&, const AccountRecord& account) const {
  if ((account.flags & model::closed) == 0) return {};
  const model::Counters& c = account.counters;
  if (c.debits_posted != c.credits_posted) return "closed with a balance";
  if (c.debits_pending != 0 || c.credits_pending != 0 || account.open_holds != 0) return "closed with open holds";
  return {};
}

std::string HistoryIsLinked::fault(const StateHead& head, const AccountRecord& account) const {
  const model::EventNumber next = head.next_event;
  if (account.opened == 0 || account.opened >= next) return "opened by no event of the past";
  if ((account.postings == 0) != (account.last_posting == 0)) return "count of postings and last posting disagree";
  if ((account.postings < 64) != (account.last_64 == 0)) return "count of postings and last 64th posting disagree";
  if ((account.postings < 4096) != (account.last_4096 == 0)) return "count of postings and last 4096th posting disagree";
  if (account.last_posting >= next) return "last posting lies in the future";
  if (account.postings == 0) return {};
  // Postings are events of their own, so that n of them after event e end at e + n at the earliest.
  if (account.last_posting < account.opened + account.postings) return "more postings than events since the opening";
  if (account.last_64 > account.last_posting || (account.last_64 == account.last_posting) != (account.postings % 64 == 0)) {
    return "last 64th posting is at the wrong event";
  }
  if (account.last_4096 > account.last_64 ||
      (account.last_4096 != 0 && (account.last_4096 == account.last_64) != (account.postings % 4096 < 64))) {
    return "last 4096th posting is at the wrong event";
  }
  return {};
}

}  // namespace core
