#pragma once
// The rail driver for EVM chains: native and ERC-20 transfers from one account (docs/rails.md, "EVM chains"), and anchors: 32 bytes
// that the account takes into the chain.
//
// A chain knows no references, no expiry and no cancelling; it knows nonces. So each reference gets one nonce, all that is signed
// with it stands in the outbox before it is sent, and a payment is proven absent by having something else mined with its nonce.
// What became of a payment is read from receipts, and counts only so many blocks deep. It is moved along (sent again, fees
// raised) whenever it is asked about.

#include <memory>
#include <string>

#include "effects/rails/evm/evm_account.h"
#include "effects/rails/rail.h"

namespace effects {

struct EvmRailOptions {
  EvmPolicy policy = {};
  std::uint32_t in_flight_max = 64;   ///< bulkhead: sends beyond it are `not_sent` at once
};

/// Belongs to the loop's thread of its account. To be destroyed outside of its own callbacks; what is open then is never answered.
class EvmRail final : public Rail {
 public:
  /// Errors: `evm_policy_out_of_bounds`.
  static base::Result<std::unique_ptr<EvmRail>> open(io::Loop& loop, io::Clock& clock, std::shared_ptr<EvmAccount> account, EvmRailOptions options);

  model::RailCapabilities capabilities() const override {
    return model::idempotent_reference | model::inquiry_supported | model::void_supported;
  }
  /// Nothing signed, or no byte of it left: `not_sent` or `rejected`. The node has it: `accepted`. Everything else, a refusal of
  /// signed bytes too: `unknown`, because whoever has seen them can send them.
  void send(SendOrder&& order, RailAnswered done) override;
  void inquire(const std::string& reference, const Expected& expected, RailAnswered done) override;
  /// Has something else mined with the payment's nonce, which takes as many blocks as a confirmation; `unknown` meanwhile.
  void void_payment(const std::string& reference, const Expected& expected, RailAnswered done) override;
  /// Sends `data` in a transfer of nothing to the account itself. It has a nonce, stands in the outbox, is sent again and offers more
  /// like a payment, and inquire() moves it along and says what became of it. It takes no place of a payment: who anchors does so once
  /// at a time. `reference` is none that a payment can have.
  void anchor(const std::string& reference, const base::Digest& data, RailAnswered done);
  /// Always `statement_not_available`.
  void statement(base::Instant from, base::Instant until, StatementFetched done) override;

 private:
  using Outcomes = std::vector<RpcOutcome>;
  /// What was seen, or null and why nothing was.
  using Seen = std::function<void(const EvmSighting*, RailAnswer&&)>;
  struct Sighted;
  /// What is to be signed and sent, as long as there is time.
  struct Wanted {
    std::string reference;
    EvmTransaction bare;
    std::int64_t send_not_after_boot_ns = INT64_MAX;
  };
  EvmRail(io::Loop& loop, io::Clock& clock, std::shared_ptr<EvmAccount> account, EvmRailOptions options);
  void look_ahead(Wanted wanted, RailAnswered done);
  void sign_and_send(const Wanted& wanted, const EvmTransaction& transaction, const EvmMarket& market, RailAnswered done);
  RailAnswer judge_sent(const OutboxEntry& entry, const RpcOutcome& outcome);
  void look_at(const OutboxEntry& entry, Seen done);
  std::variant<Sighted, RailAnswer> read_sighting(const OutboxEntry& entry, const Outcomes& outcomes) const;
  void look_at_block(const OutboxEntry& entry, Sighted&& seen, const Seen& done);
  void conclude(const OutboxEntry& entry, const Sighted& seen, const Seen& done);
  void move_along(const OutboxEntry& entry, const EvmSighting& sighting);
  bool sign_cancellation(const OutboxEntry& entry, const EvmMarket& market);
  void bury(const std::string& reference, RailAnswered done);
  void answer_later(RailAnswered done, RailAnswer&& answer);

  io::Loop& loop_;
  io::Clock& clock_;
  const std::shared_ptr<EvmAccount> account_;
  const EvmRailOptions options_;
  std::size_t in_flight_ = 0;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace effects
