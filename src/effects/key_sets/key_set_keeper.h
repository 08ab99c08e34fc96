#pragma once
// Keeps the key sets of all configured issuers at hand: looks keys up at once, from memory, and fetches in the background when a
// set grows old, a strange id turns up or a signature fails. The rules are intake::KeySetCache's; the network is a KeySetFetch.
//
// A look-up never waits for a fetch and costs a short lock. One issuer's trouble costs another nothing but a turn of a thread:
// there is one fetch at a time for an issuer, hosts that fail are left alone for a while, and no two issuers share a cool-down.

#include <condition_variable>
#include <deque>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "effects/key_sets/host_breaker.h"
#include "effects/key_sets/key_set_fetch.h"
#include "intake/key_set_cache.h"
#include "io/clock.h"

namespace effects {

struct KeySetKeeperOptions {
  intake::KeySetRules rules;
  HostBreakerRules breaker;
  std::size_t threads = 4;                                 ///< fetches at a time
  base::Duration look_every = base::milliseconds(1'000);   ///< for sets that are due by themselves
};

/// What a fetch brought. Changed keys and private keys shown are alarms.
struct KeySetNews {
  std::string issuer;
  std::vector<intake::KeyChange> changes;
  std::optional<FetchFailure> failure;
};

struct KeptKeySet {
  std::string issuer;
  intake::KeySetStanding standing;
  std::optional<FetchFailure> failure;   ///< of the last fetch, if it failed
  bool fetching = false;                 ///< one is under way or waits for a thread
  bool breaker_open = false;
};

/// Look-ups and questions from any thread.
class KeySetKeeper {
 public:
  /// Called after every fetch that changed something or failed, on a thread of the keeper, without a lock. May ask the keeper.
  using Tell = std::function<void(const KeySetNews& news)>;

  /// Begins to fetch every set at once. `fetch` and `clock` outlive it.
  KeySetKeeper(std::vector<KeySetSource> sources, KeySetFetch& fetch, io::Clock& clock, Tell tell = nullptr, KeySetKeeperOptions options = {});
  /// Waits for fetches under way, that is for their time limits.
  ~KeySetKeeper();
  KeySetKeeper(const KeySetKeeper&) = delete;
  KeySetKeeper& operator=(const KeySetKeeper&) = delete;

  /// The key of a message. A fetch that is due because of it is seen to; `fetch` in the answer is always false.
  intake::KeyAnswer look_up(std::string_view issuer, std::string_view kid);
  /// A signature did not verify under a known key: perhaps the key has changed.
  void signature_failed(std::string_view issuer);

  /// One of its keys was compromised: from now on a set past its lifetime is not used.
  void mark_revoked(std::string_view issuer);
  /// The operator says that a key which came under an old id is the partner's. False if no such key waits.
  bool confirm_changed_key(std::string_view issuer, std::string_view kid, std::string_view thumbprint);

  intake::KeySetCounters counters() const;
  std::vector<KeptKeySet> standing() const;

 private:
  struct Kept {
    KeySetSource source;
    std::string host;                      ///< with its port; whose breaker counts
    std::string key_set_url;               ///< where the set that we have came from; its entity tag belongs to that address
    std::optional<FetchFailure> failure;
    bool busy = false;                     ///< waits for a thread, or has one
  };

  base::Instant now() const { return {clock_.boot_ns()}; }
  void run();
  void ask(std::string_view issuer);
  void ask_for_what_is_due();
  void fetch_one(std::unique_lock<std::mutex>& lock);
  KeySetNews settle(Kept& kept, FetchedKeySet&& fetched);

  KeySetFetch& fetch_;
  io::Clock& clock_;
  const Tell tell_;
  const KeySetKeeperOptions options_;
  mutable std::mutex mutex_;
  std::condition_variable work_;
  intake::KeySetCache cache_;
  std::map<std::string, Kept, std::less<>> kept_;
  std::map<std::string, HostBreaker> breakers_;
  std::deque<Kept*> queue_;
  bool stopping_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace effects
