#pragma once
// The thirteen laws. Most speak of one account at a time and share the walk over accounts; three speak of sums and
// remember what they saw of each account (64, 32 and 4 bytes), so that a step costs the accounts it touched and no more.

#include <set>
#include <vector>

#include "core/invariant/invariant.h"

namespace core {

/// The accounts that events moved, opened or changed; ascending, each once.
std::vector<model::AccountNumber> touched_accounts(std::span<const model::Event> events);

/// A law about each account by itself.
class AccountLaw : public Law {
 public:
  std::optional<Violation> check(const State& state) final;
  std::optional<Violation> check_touched(const State& state, std::span<const model::Event> events) final;

  /// What is wrong with the account; empty if nothing is.
  virtual std::string fault(const StateHead& head, const AccountRecord& account) const = 0;
};

/// Every counter, and posted plus pending of each side, is at most 2^127 - 1.
class CountersWithinBounds final : public AccountLaw {
 public:
  std::string_view name() const override { return "counters_within_bounds"; }

 private:
  std::string fault(const StateHead& head, const AccountRecord& account) const override;
};

/// debits_must_not_exceed_credits and credits_must_not_exceed_debits hold; what is pending counts as used, never as funds.
class NoOverdraft final : public AccountLaw {
 public:
  std::string_view name() const override { return "no_overdraft"; }

 private:
  std::string fault(const StateHead& head, const AccountRecord& account) const override;
};

/// A closed account has no balance, nothing pending and no open hold.
class ClosedAccountsAreAtRest final : public AccountLaw {
 public:
  std::string_view name() const override { return "closed_accounts_are_at_rest"; }

 private:
  std::string fault(const StateHead& head, const AccountRecord& account) const override;
};

/// The heads of an account's history fit its count of postings, and lie between its opening and the next event.
class HistoryIsLinked final : public AccountLaw {
 public:
  std::string_view name() const override { return "history_is_linked"; }

 private:
  std::string fault(const StateHead& head, const AccountRecord& account) const override;
};

/// Of every asset, debits equal credits over all accounts: posted ones, and pending ones.
class DebitsEqualCredits final : public Law {
 public:
  std::string_view name() const override { return "debits_equal_credits"; }
  std::optional<Violation> check(const State& state) override;
  std::optional<Violation> check_touched(const State& state, std::span<const model::Event> events) override;

 private:
  // Debits minus credits, modulo 2^128: sums of many accounts may pass the type, and equality survives that.
  struct Difference {
    base::U128 posted = 0;
    base::U128 pending = 0;
  };
  void see(const State& state, model::AccountNumber number);
  std::optional<Violation> judge(model::AssetNumber asset, model::AccountNumber account) const;

  std::vector<model::Counters> seen_;     // by account number
  std::vector<Difference> differences_;   // by asset number
};

/// The pending counters of an account are the sums of its open holds.
class PendingEqualsOpenHolds final : public Law {
 public:
  std::string_view name() const override { return "pending_equals_open_holds"; }
  std::optional<Violation> check(const State& state) override;
  std::optional<Violation> check_touched(const State& state, std::span<const model::Event> events) override;

 private:
  struct Held {
    base::U128 debits = 0;
    base::U128 credits = 0;
  };
  Held& held_by(model::AccountNumber number);
  std::optional<Violation> judge(const State& state, model::AccountNumber number);

  std::vector<Held> held_;   // by account number
};

/// What is derived from the table of holds agrees with it: slots, expiries, the list of free slots, counts of open holds;
/// and no two accounts share limits.
class DerivedIndexesAgree final : public Law {
 public:
  std::string_view name() const override { return "derived_indexes_agree"; }
  std::optional<Violation> check(const State& state) override;
  std::optional<Violation> check_touched(const State& state, std::span<const model::Event> events) override;

 private:
  std::optional<Violation> check_slots(const State& state) const;
  std::optional<Violation> check_accounts(const State& state);
  std::optional<Violation> check_counts(const State& state) const;
  std::optional<Violation> check_events(const State& state, std::span<const model::Event> events);
  std::uint32_t& holds_of(model::AccountNumber number);

  std::vector<std::uint32_t> holds_;   // open ones on either side, by account number
};

/// An open payout past its request keeps an open hold of its own amount on its own account, for the rail that it is with, until
/// it ends: also while its outcome is unknown. No other hold is kept, and nothing that has ended keeps one. What is out at each
/// rail is what is in `sending` there.
class SagasKeepTheirHolds final : public Law {
 public:
  std::string_view name() const override { return "sagas_keep_their_holds"; }
  std::optional<Violation> check(const State& state) override;
  std::optional<Violation> check_touched(const State& state, std::span<const model::Event> events) override;

 private:
  std::optional<Violation> judge(const State& state, const TransferRecord& transfer) const;
};

/// An attempt starts only where the one before is over: reported not sent or rejected. Remembers what is out.
class OneAttemptAtATime final : public Law {
 public:
  std::string_view name() const override { return "one_attempt_at_a_time"; }
  std::optional<Violation> check(const State& state) override;
  std::optional<Violation> check_touched(const State& state, std::span<const model::Event> events) override;

 private:
  std::set<model::EventNumber> out_;   // transfers whose newest attempt may be with a rail
};

/// Of every transfer, what was given back and what is on its way back is at most what was moved; and what is on its way is the
/// sum of its open refunds.
class RefundsWithinCaptured final : public Law {
 public:
  std::string_view name() const override { return "refunds_within_captured"; }
  std::optional<Violation> check(const State& state) override;
  std::optional<Violation> check_touched(const State& state, std::span<const model::Event> events) override;

 private:
  std::optional<Violation> judge(const RefundRecord& refund) const;
};

/// Every line of a statement is matched with an attempt of its amount that names it back, or has an exception of its kind that is open or
/// that people ended; no attempt is on a statement and missing there; open exceptions are as many as are counted.
class LinesAreExplained final : public Law {
 public:
  std::string_view name() const override { return "lines_are_explained"; }
  std::optional<Violation> check(const State& state) override;
  std::optional<Violation> check_touched(const State& state, std::span<const model::Event> events) override;

 private:
  std::optional<Violation> judge(const State& state, const LineRecord& line) const;
};

/// A law about each key of a partner by itself, with its versions.
class KeyLaw : public Law {
 public:
  std::optional<Violation> check(const State& state) final;
  std::optional<Violation> check_touched(const State& state, std::span<const model::Event> events) final;

 private:
  /// What is wrong with the key; empty if nothing is.
  virtual std::string fault(const State& state, model::KeyNumber number, const KeyRecord& key) const = 0;
};

/// Of a key at most one version is active, and it is the one that the key names; what a rollback would bring back is not.
class OneActiveVersion final : public KeyLaw {
 public:
  std::string_view name() const override { return "one_active_version"; }

 private:
  std::string fault(const State& state, model::KeyNumber number, const KeyRecord& key) const override;
};

/// Every version came of one import of its key, which names it back and says why it may be used: proven, or let in by people for
/// a bounded while. A retiring one knows when it ends; nothing is left of a destroyed one.
class VersionsAreExplained final : public KeyLaw {
 public:
  std::string_view name() const override { return "versions_are_explained"; }

 private:
  std::string fault(const State& state, model::KeyNumber number, const KeyRecord& key) const override;
};

}  // namespace core
