#include "node/wallet_desk.h"

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <optional>

#include "io/random.h"

#include <doctest/doctest.h>

using namespace node;
using model::ImportVerdict;
using model::Outcome;

namespace {

constexpr std::string_view phrase = "abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon about";
constexpr std::string_view first_segwit = "bc1qcr8te4kr609gcawutmrza0j4xv80jy8z306fyu";   // BIP-84, test vectors

gate::WalletDerivation request(std::string_view material = phrase) {
  return {.partner = "ann", .wallet = "main", .material = intake::to_secret(base::as_bytes(material))};
}

// Waits for one derivation. While `hold` is set the worker that brings it waits in turn.
class Waiting {
 public:
  WalletDesk::Done done() {
    return [this](edge::WalletDerivationReading&& reading) {
      std::unique_lock lock(mutex_);
      reading_ = std::move(reading);
      changed_.notify_all();
      changed_.wait(lock, [this] { return !held_; });
    };
  }
  void hold(bool held) {
    const std::lock_guard lock(mutex_);
    held_ = held;
    changed_.notify_all();
  }
  edge::WalletDerivationReading reading() {
    std::unique_lock lock(mutex_);
    REQUIRE(changed_.wait_for(lock, std::chrono::seconds(30), [this] { return reading_.has_value(); }));
    return *reading_;
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::optional<edge::WalletDerivationReading> reading_;
  bool held_ = false;
};

struct Desk {
  io::SimulatedClock clock;
  io::RealRandom random;
  WalletDesk desk;
  explicit Desk(WalletOptions options = {}) : desk(clock, random, options) {}

  edge::WalletDerivationReading derive(std::string_view material = phrase) {
    Waiting waiting;
    REQUIRE(desk.take(1, request(material), waiting.done()) == Outcome::done);
    return waiting.reading();
  }
};

}  // namespace

TEST_CASE("what was derived can be confirmed by its tenant with an address that was shown, as often as they like") {
  Desk d;
  const auto reading = d.derive();
  CHECK(reading.derived.usable);
  CHECK(gate::is_wallet_import_id(reading.id));
  CHECK(reading.expires_at == d.clock.wall() + base::seconds(900));
  const auto found = d.desk.find(1, reading.id, first_segwit);
  CHECK(found.verdict == ImportVerdict::address_confirmed);
  CHECK(found.partner == "ann");
  CHECK(found.wallet == "main");
  CHECK(d.desk.find(1, reading.id, first_segwit).verdict == ImportVerdict::address_confirmed);
  CHECK(d.desk.find(1, reading.id, "1BgGZ9tcN4rm9KBzDn7KprQz87SZ26SAMH").verdict == ImportVerdict::address_differs);
  CHECK(d.desk.find(2, reading.id, first_segwit).verdict == ImportVerdict::wallet_unknown);
  CHECK(d.desk.find(1, "wi_" + std::string(32, '0'), first_segwit).verdict == ImportVerdict::wallet_unknown);
}

TEST_CASE("what is not usable is told and not kept") {
  Desk d;
  const auto reading = d.derive("<html><body>404</body></html>");
  CHECK_FALSE(reading.derived.usable);
  CHECK(reading.id.empty());
}

TEST_CASE("after its time a derivation is over, and remembered as that while there is room") {
  Desk d({.open_max = 1, .confirm_within = base::seconds(60)});
  const std::string first = d.derive().id;
  Waiting refused;
  CHECK(d.desk.take(1, request(), refused.done()) == Outcome::wallet_derivation_busy);
  d.clock.advance(base::seconds(59).ns);
  CHECK(d.desk.find(1, first, first_segwit).verdict == ImportVerdict::address_confirmed);
  d.clock.advance(base::seconds(1).ns);
  CHECK(d.desk.find(1, first, first_segwit).verdict == ImportVerdict::wallet_expired);
  const std::string second = d.derive().id;
  CHECK(d.desk.find(1, first, first_segwit).verdict == ImportVerdict::wallet_expired);
  d.clock.advance(base::seconds(60).ns);
  d.derive();
  CHECK(d.desk.find(1, first, first_segwit).verdict == ImportVerdict::wallet_unknown);
  CHECK(d.desk.find(1, second, first_segwit).verdict == ImportVerdict::wallet_expired);
}

TEST_CASE("more than the queue holds is refused as busy; after a stop everything is") {
  Desk d({.workers = 1, .queue_max = 1});
  Waiting busy, queued, refused;
  busy.hold(true);
  REQUIRE(d.desk.take(1, request(), busy.done()) == Outcome::done);
  busy.reading();   // the only worker waits here
  CHECK(d.desk.take(1, request(), queued.done()) == Outcome::done);
  CHECK(d.desk.take(1, request(), refused.done()) == Outcome::wallet_derivation_busy);
  busy.hold(false);
  CHECK(queued.reading().derived.usable);
  d.desk.stop();
  CHECK(d.desk.take(1, request(), refused.done()) == Outcome::shutting_down);
}
