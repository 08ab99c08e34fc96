#include "node/wallet_desk.h"

#include <array>
#include <utility>

#include "base/text.h"
#include "io/thread.h"

namespace node {

using model::Outcome;

WalletDesk::WalletDesk(io::Clock& clock, io::Random& random, WalletOptions options) : clock_(clock), random_(random), options_(options) {
  for (std::uint32_t i = 0; i < options_.workers; ++i) workers_.emplace_back([this] { run(); });
}

WalletDesk::~WalletDesk() { stop(); }

void WalletDesk::stop() {
  std::vector<std::thread> workers;
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
    queue_.clear();
    workers.swap(workers_);
    arrived_.notify_all();
  }
  for (std::thread& worker : workers) worker.join();
}

Outcome WalletDesk::take(model::TenantNumber tenant, gate::WalletDerivation&& request, Done done) {
  const gate::WalletDerivation taken = std::move(request);   // wiped when this returns
  auto material = io::SecretMemory::copy_of(taken.material);
  auto passphrase = taken.passphrase.empty() ? base::Result<io::SecretMemory>(io::SecretMemory()) : io::SecretMemory::copy_of(taken.passphrase);
  if (!material.ok() || !passphrase.ok()) return Outcome::wallet_derivation_busy;
  std::array<std::uint8_t, gate::wallet_import_id_bytes> id;
  random_.fill(id);
  const std::lock_guard lock(mutex_);
  if (stopping_) return Outcome::shutting_down;
  drop_expired();
  if (queue_.size() >= options_.queue_max || by_end_.size() + queue_.size() >= options_.open_max) return Outcome::wallet_derivation_busy;
  queue_.push_back({.id = "wi_" + base::to_hex(id),
                    .tenant = tenant,
                    .partner = taken.partner,
                    .wallet = taken.wallet,
                    .expected_address = taken.expected_address,
                    .material = std::move(*material),
                    .passphrase = std::move(*passphrase),
                    .done = std::move(done)});
  arrived_.notify_one();
  return Outcome::done;
}

void WalletDesk::run() {
  io::name_thread("wallets");
  (void)io::lower_thread_priority();   // slower is all that a refusal means
  for (;;) {
    std::unique_lock lock(mutex_);
    arrived_.wait(lock, [this] { return stopping_ || !queue_.empty(); });
    if (stopping_) return;
    Job job = std::move(queue_.front());
    queue_.pop_front();
    lock.unlock();
    derive(std::move(job));
  }
}

void WalletDesk::derive(Job&& job) {
  edge::WalletDerivationReading reading;
  reading.derived = gate::derive_wallet(job.material.view(), base::as_text(job.passphrase.view()), job.expected_address, options_.bounds);
  job.material = {};
  job.passphrase = {};
  reading.partner = job.partner;
  reading.wallet = job.wallet;
  reading.expected_address = job.expected_address;
  if (reading.derived.usable) {
    reading.id = job.id;
    reading.expires_at = clock_.wall() + options_.confirm_within;
    const std::lock_guard lock(mutex_);
    open_[job.id] = {.tenant = job.tenant,
                     .partner = std::move(job.partner),
                     .wallet = std::move(job.wallet),
                     .ends_ns = clock_.boot_ns() + options_.confirm_within.ns,
                     .derived = reading.derived};
    by_end_.push_back(std::move(job.id));
  }
  job.done(std::move(reading));
}

void WalletDesk::drop_expired() {
  const std::int64_t now = clock_.boot_ns();
  while (!by_end_.empty() && open_[by_end_.front()].ends_ns <= now) {
    open_[by_end_.front()].derived = {};
    over_.push_back(std::move(by_end_.front()));
    by_end_.pop_front();
  }
  for (; over_.size() > options_.open_max; over_.pop_front()) open_.erase(over_.front());
}

gate::ConfirmedWallet WalletDesk::find(model::TenantNumber tenant, std::string_view id, std::string_view address) const {
  const std::lock_guard lock(mutex_);
  const auto found = open_.find(std::string(id));
  if (found == open_.end() || found->second.tenant != tenant) return {};
  const Open& one = found->second;
  if (one.ends_ns <= clock_.boot_ns()) return {.verdict = model::ImportVerdict::wallet_expired, .partner = one.partner, .wallet = one.wallet};
  return gate::confirm_wallet(one.derived, one.partner, one.wallet, address);
}

}  // namespace node
