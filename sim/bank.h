#pragma once
// A bank of the false world, with a book of its own: the oracle of who was really paid. It is honest about what it can do (a
// tombstone holds, an order past its `valid_until` is refused, "not found" is the truth of that moment); how it errs otherwise
// is its fate, order by order. It speaks the rail protocol, so that the real judge reads its replies.

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "effects/rails/rail_reply.h"
#include "model/ids.h"
#include "model/rail.h"
#include "wire/http_message.h"

namespace sim {

/// A payment order as it arrives.
struct BankOrder {
  model::EventNumber attempt = 0;   ///< of our reference, for whoever compares the books
  std::string reference;
  model::TransferKind kind = model::TransferKind::payout;
  base::U128 amount = 0;
  std::string asset;
  std::string original;             ///< what it gives back; empty for none
  base::Instant valid_until;
};

/// What becomes of an order that arrives in time.
enum class Fate : std::uint8_t {
  settle_at_once, settle_later, busy, refused, rejected_later, returned_before_settling, returned_after_settling, settled_for_less,
  settled_after_refusing,
};

struct BankPayment {
  effects::RailPayment told;        ///< as the bank states it
  model::EventNumber attempt = 0;
  std::string original;
  Fate fate = Fate::settle_at_once;
  std::int64_t next_at_ns = 0;      ///< when its fate goes on; 0: it is fulfilled
  base::U128 moved = 0;             ///< money that moved
  bool came_back = false;           ///< and back again
  base::U128 given_back = 0;        ///< by payments of their own
};

class Bank {
 public:
  explicit Bank(model::RailCapabilities capabilities) : capabilities_(capabilities) {}

  /// Times are true time: nanoseconds of the world, and the bank's wall clock, which is right.
  wire::Response receive(const BankOrder& order, Fate fate, std::int64_t now_ns, base::Instant wall, std::int64_t settle_after_ns);
  wire::Response inquire(const std::string& reference) const;
  wire::Response void_payment(const std::string& reference, const effects::Rail::Expected& expected);
  /// Lets fates go on; gives the payments that reached another state.
  std::vector<effects::RailPayment> pass(std::int64_t now_ns);
  std::int64_t next_at_ns() const;

  const std::map<std::string, BankPayment>& book() const { return book_; }
  /// What went out to beneficiaries and in from payers, as it stands.
  base::U128 out() const { return out_; }
  base::U128 in() const { return in_; }

 private:
  bool can(model::RailCapability capability) const { return (capabilities_ & capability) != 0; }
  bool may_give_back(const BankOrder& order) const;
  void settle(BankPayment& payment);

  const model::RailCapabilities capabilities_;
  std::map<std::string, BankPayment> book_;
  std::set<std::string> tombstones_;
  std::set<std::pair<std::int64_t, std::string>> due_;
  base::U128 out_ = 0, in_ = 0;
};

wire::Response problem_reply(std::uint16_t status, const std::string& code);

}  // namespace sim
