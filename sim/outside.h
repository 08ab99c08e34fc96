#pragma once
// Everything beyond the process: its own carrier of effects with its connections and time-outs, the network, the banks, what they
// tell by themselves and what others tell in their names. All of it on one queue of happenings in true time, which never jumps.
// The real judge reads replies, the real verifier hears callbacks.

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <vector>

#include "effects/signing/message_keys.h"
#include "gate/rail_report.h"
#include "io/clock.h"
#include "io/random.h"
#include "node/effect_order.h"
#include "node/rail_callbacks.h"
#include "sim/bank.h"
#include "sim/faults.h"

namespace sim {

/// A rail and the bank behind it.
struct Site {
  std::string name;
  model::RailProfile profile;
  Bank bank;
};

/// What was heard, to be told to the process. `callback` names a delivery whose sender waits for a 2xx; 0 for all else.
struct Heard {
  gate::RailReport report;
  std::uint64_t callback = 0;
};

class Outside {
 public:
  Outside(std::uint64_t seed, io::SimulatedClock& clock);

  // --- what happens to the process ---
  /// It runs again: with open connections to nobody and no memory of nonces.
  void process_started();
  /// Whatever it had not put on the wire will never leave; nobody waits for answers.
  void process_died();
  /// Frozen for so long. What was checked and not written yet goes out afterwards, whatever the time is then.
  void freeze(std::int64_t ns);
  /// The boot clock starts anew; to be called before and after.
  void before_boot() { true_ns(); }
  void after_boot() { boot_read_ns_ = clock_.boot_ns(); }

  // --- effects ---
  void carry(const node::EffectOrder& order, std::int64_t core_minus_boot_ns);
  /// Lets everything happen whose time has come.
  void pass();
  std::optional<Heard> hear();
  /// The process answered a callback with 200: it is durable. What is not answered so is delivered again.
  void taken(std::uint64_t callback);
  /// Nanoseconds until something happens; a year if nothing will.
  std::int64_t next_in_ns();

  // --- weather ---
  void set_weather(FaultSet weather) { weather_ = weather; }
  FaultSet weather() const { return weather_; }
  /// A statement of one bank, or a part of one; mixed up where the weather says so.
  void publish_statement(std::size_t site, bool whole);

  std::vector<Site>& sites() { return sites_; }
  const std::vector<Site>& sites() const { return sites_; }
  /// By the rail's name: rails are numbered in the order in which they were registered.
  const Bank& bank_of(const std::string& rail) const;
  /// True if the attempt may still be on its way to its bank.
  bool may_arrive(model::EventNumber attempt) const;
  /// Something that must never happen was seen: a forged callback was believed.
  const std::optional<std::string>& violation() const { return violation_; }
  std::uint64_t faults() const { return faults_; }
  std::uint64_t refused_callbacks() const { return refused_callbacks_; }

 private:
  struct Question {
    node::EffectOrder order;
    model::AttemptKey key;
    std::uint32_t inquiry = 0;
    effects::RailQuestion kind = effects::RailQuestion::send;
    std::int64_t deadline_ns = 0;   // of the first byte, of a send
    bool checked = false;           // before a freeze
    BankOrder out;
  };
  struct Delivery {
    std::size_t site = 0;
    effects::RailPayment payment;
    int tries = 0;
    bool done = false;
    bool altered = false;           // tells another amount than the bank did
  };
  enum class Forgery { none, wrong_key, stale, altered_body };
  struct Happening {
    bool own = false;               // of our process: does not happen once it died
    std::function<void()> what;
  };

  std::int64_t true_ns();
  base::Instant true_wall() { return {1'800'000'000'000'000'000 + true_ns_}; }
  void later(std::int64_t ns, std::function<void()> what, bool own = false) {
    queue_.emplace(std::pair(now_ns_ + ns, ++serial_), Happening{own, std::move(what)});
  }
  bool percent(std::uint64_t share) { return random_.below(100) < share; }
  bool strikes(Row row, std::uint64_t share);
  std::int64_t latency();
  std::optional<std::size_t> site_of(const node::EffectOrder& order) const;
  bool is_flapping(std::size_t site);

  void ask(std::uint64_t number);
  void first_byte(std::uint64_t number);
  void arrive(std::uint64_t number, const Question& question, bool answer_wanted, bool connection_breaks);
  wire::Response act(const Question& question);
  void spoil(wire::Response& response);
  Fate fate();
  void reply(std::uint64_t number, const wire::Response& response);
  void answered(std::uint64_t number, effects::RailAnswer&& answer);
  void fail(std::uint64_t number, model::RailResult result, model::RailReason reason);
  void tell(std::size_t site, const effects::RailPayment& payment);
  void deliver(std::uint64_t callback);
  void call(std::size_t site, const effects::RailPayment& payment, Forgery forgery, std::uint64_t callback);
  wire::Request signed_callback(std::size_t site, const effects::RailPayment& payment, Forgery forgery);

  io::SimulatedClock& clock_;
  io::SimulatedRandom random_;
  std::vector<Site> sites_;
  std::unique_ptr<effects::OwnEd25519Signer> bank_key_, foreign_key_;
  std::vector<node::RailSettings> settings_;
  std::unique_ptr<node::RailCallbacks> ears_;
  FaultSet weather_;
  std::map<std::pair<std::int64_t, std::uint64_t>, Happening> queue_;
  std::map<std::uint64_t, Question> open_;
  std::set<model::EventNumber> on_the_wire_;
  std::map<std::uint64_t, Delivery> deliveries_;
  std::deque<Heard> heard_;
  std::uint64_t serial_ = 0, numbers_ = 0;
  std::int64_t true_ns_ = 0, boot_read_ns_ = 0;
  std::int64_t now_ns_ = 0;          // of the happening that happens
  std::uint64_t faults_ = 0, refused_callbacks_ = 0;
  std::optional<std::string> violation_;
};

}  // namespace sim
