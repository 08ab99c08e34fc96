#pragma once
// Where wallets are derived, away from the loop and the core: a bounded pool of threads, each of which may use so much memory, with a
// bounded queue before it. Material and passphrase wait in locked memory and are wiped once the addresses are derived, whatever
// comes of them; what waits for the owner's word is public, kept in memory for a while, and gone with the process.

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <unordered_map>
#include <vector>

#include "edge/backend.h"
#include "gate/wallet_body.h"
#include "io/clock.h"
#include "io/random.h"
#include "io/secret_memory.h"

namespace node {

struct WalletOptions {
  std::uint32_t workers = 1;                          ///< derivations at a time
  gate::WalletBounds bounds = {};                     ///< of each of them
  std::uint32_t queue_max = 16;                       ///< that wait for a worker; more are refused
  std::uint32_t open_max = 1'000;                     ///< that wait to be confirmed; as many more are remembered as over
  base::Duration confirm_within = base::seconds(900);
};

class WalletDesk final : public gate::WalletBook {
 public:
  /// Told on a worker's thread.
  using Done = std::function<void(edge::WalletDerivationReading&&)>;

  /// Starts its workers. Clock and random source outlive it.
  WalletDesk(io::Clock& clock, io::Random& random, WalletOptions options = {});
  ~WalletDesk() override;
  WalletDesk(const WalletDesk&) = delete;
  WalletDesk& operator=(const WalletDesk&) = delete;

  /// Takes a derivation; `done` is told once, unless the desk stops before. Refused with wallet_derivation_busy where the queue is full,
  /// too many wait to be confirmed, or no locked memory is left; with shutting_down after stop(). Any thread; does not block.
  model::Outcome take(model::TenantNumber tenant, gate::WalletDerivation&& request, Done done);
  gate::ConfirmedWallet find(model::TenantNumber tenant, std::string_view id, std::string_view address) const override;
  /// Finishes what was begun, wipes what waits, ends the threads.
  void stop();

 private:
  struct Job {
    std::string id;
    model::TenantNumber tenant = 0;
    std::string partner, wallet, expected_address;
    io::SecretMemory material, passphrase;
    Done done;
  };
  struct Open {
    model::TenantNumber tenant = 0;
    std::string partner, wallet;
    std::int64_t ends_ns = 0;            ///< of the boot clock
    gate::DerivedWallet derived;         ///< empty once it is over
  };

  void run();
  void derive(Job&& job);
  void drop_expired();   // under mutex_

  io::Clock& clock_;
  io::Random& random_;
  const WalletOptions options_;

  mutable std::mutex mutex_;   // everything below
  std::condition_variable arrived_;
  std::deque<Job> queue_;
  std::unordered_map<std::string, Open> open_;   ///< by id; those that are over as well
  std::deque<std::string> by_end_;               ///< ids that can be confirmed; all wait equally long
  std::deque<std::string> over_;                 ///< ids that are remembered as over, oldest first
  bool stopping_ = false;
  std::vector<std::thread> workers_;
};

}  // namespace node
