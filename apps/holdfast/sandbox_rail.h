#pragma once
// A bank for trying things out: takes signed payment orders over the rail protocol (docs/rail-protocol.md), keeps a durable book,
// settles later, calls back, answers inquiries, leaves tombstones, gives out statements; and commits the faults its profile
// asks for. A process of its own (holdfast sandbox-rail), or an object on a loop in tests.

#include <array>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "apps/holdfast/sandbox_rail_book.h"
#include "apps/holdfast/sandbox_rail_callbacks.h"
#include "apps/holdfast/sandbox_rail_profile.h"
#include "apps/holdfast/sandbox_rail_streams.h"
#include "edge/server.h"
#include "effects/signing/message_keys.h"
#include "wire/json_value.h"

namespace holdfast {

struct SandboxRailOptions {
  std::string book_file;
  std::vector<effects::VerificationKey> clients;
  bool accept_unsigned = false;
  std::string key_id = "sandbox-rail";                   ///< of our callbacks
  std::string_view scheme = "https";                     ///< how clients reach us
  std::shared_ptr<const io::TlsOutgoingContext> callback_tls;
  /// The book could not be written: nothing may be answered any more. Does not return.
  std::function<void(const base::Error&)> broken;
};

/// Answers the rail's own address. Belongs to the loop's thread.
class SandboxRail final : public edge::Handler {
 public:
  /// All references outlive it. What was accepted and not settled before settles now. Errors: those of RailBook::open.
  static base::Result<std::unique_ptr<SandboxRail>> open(io::Loop& loop, io::Clock& clock, io::Random& random, io::FileSystem& files,
                                                         custody::Signer& signer, SandboxRailOptions options);

  void handle(edge::Server& server, edge::Exchange exchange, wire::Request&& request) override;

  /// From now on, from its beginning. Errors: those of RailCallbacks::set_url.
  base::Status set_profile(RailProfileFile profile);
  const RailProfileFile& profile() const { return decider_.profile(); }
  RailBook& book() { return *book_; }
  const RailCallbacks& callbacks() const { return callbacks_; }

 private:
  struct Faults;
  struct Order;
  /// What leaves for one request once the book is durable.
  struct Reply {
    wire::Response response;
    enum class Manner { whole, cut_off, silent, drip, truncated } manner = Manner::whole;
    bool reset = false;
    base::Duration delay{};
  };

  SandboxRail(io::Loop& loop, io::Clock& clock, io::Random& random, custody::Signer& signer, SandboxRailOptions options);
  Reply answer(const wire::Request& request);
  Reply send(const wire::Request& request);
  Reply inquire(const std::string& reference);
  Reply void_payment(const std::string& reference);
  Reply statement(const wire::Request& request);
  Reply carry_out(const Order& order, const Faults& faults);
  std::string_view unfit(const Order& order);
  BookedPayment& take_in(const Order& order, const Faults& faults);
  Reply with_faults(Reply reply, const Faults& faults);
  void settle_at(std::int64_t due_ns, const std::string& reference, RailFault ending, std::string reason);
  void run_due();
  void settle(BookedPayment& payment);
  void finish(BookedPayment& payment, effects::RailPaymentState state, std::string reason);
  void tell(BookedPayment& payment);
  void after_flush(std::function<void()> work);
  void flush();
  void leave(edge::Server& server, const edge::Exchange& exchange, Reply&& reply);
  std::int64_t elapsed_ms() const;
  Faults faults_of(RailOperation operation, const std::string& reference);
  void plan_timer();

  struct Due {
    std::string reference;
    RailFault ending;      ///< refuse_after or return_after; anything else settles
    std::string reason;
  };

  io::Loop& loop_;
  io::Clock& clock_;
  const SandboxRailOptions options_;
  effects::RequestVerifier verifier_;
  std::unique_ptr<RailBook> book_;
  RailCallbacks callbacks_;
  WaywardStreams streams_;
  FaultDecider decider_;
  std::int64_t profile_set_ns_ = 0;

  std::vector<std::function<void()>> waiting_;   ///< for the flush at the end of the turn
  bool flush_planned_ = false;
  std::unordered_map<std::string, std::array<std::uint32_t, 5>> counts_;   ///< operations with a reference, by kind
  bool told_again_ = false;                                                ///< what a former process had not told
  std::multimap<std::int64_t, Due> due_;
  std::multimap<std::int64_t, std::function<void()>> delayed_;
  io::Timer timer_;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

/// Steers a sandbox rail: GET and PUT /control/profile, GET /control/book, GET /control/payments/{reference}. On a loopback
/// address of its own.
class SandboxRailControl final : public edge::Handler {
 public:
  explicit SandboxRailControl(SandboxRail& rail) : rail_(rail) {}
  void handle(edge::Server& server, edge::Exchange exchange, wire::Request&& request) override;

 private:
  wire::Response answer(const wire::Request& request);
  wire::Response book();
  SandboxRail& rail_;
};

}  // namespace holdfast
