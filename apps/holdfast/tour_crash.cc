// The tour's chapter on a service that is killed in the middle of its work.

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <map>
#include <thread>

#include "apps/holdfast/tour.h"
#include "base/int128.h"

namespace holdfast {

namespace {

using SteadyClock = std::chrono::steady_clock;

constexpr std::uint64_t load_before_kill = 1'000;
constexpr std::chrono::seconds load_at_least(2), load_at_most(10);

}  // namespace

Finding Tour::load_and_kill() {
  Load load(files_, credentials_,
            {.accounts = load_names_, .asset = "USD/2", .clients = tour_load_clients, .requests_max = 200'000, .key_prefix = run_ + "-load"});
  const auto began = SteadyClock::now();
  const auto long_enough = [&] {
    const auto passed = SteadyClock::now() - began;
    return passed > load_at_most || (passed > load_at_least && load.acknowledged() >= load_before_kill);
  };
  while (!long_enough() && !load.ended()) {
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  const std::uint64_t before = load.acknowledged();
  const auto took = std::chrono::duration<double>(SteadyClock::now() - began).count();
  service_->kill_hard();
  load.stop();
  records_ = load.take_records();
  const auto& latencies = load.latencies_ns();
  const auto unknown = std::ranges::count(records_, 0, &LoadRecord::status);
  if (before == 0) return broke("no transfer was acknowledged before the kill");
  char rate[64];
  std::snprintf(rate, sizeof rate, "%.0f a second", static_cast<double>(before) / took);
  return held(std::to_string(load.acknowledged()) + " transfers acknowledged (" + rate + ", median " +
              milliseconds(latencies[latencies.size() / 2]) + ", 99 % under " + milliseconds(latencies[latencies.size() * 99 / 100]) +
              "), " + std::to_string(unknown) + " without an answer when it died");
}

Finding Tour::restart() { return start_service(); }

Finding Tour::nothing_is_lost() {
  const LoadAudit audit = audit_load(files_, credentials_, records_, tour_load_clients);
  if (!audit.wrong.empty()) return broke(std::to_string(audit.wrong.size()) + " wrong; the first: " + audit.wrong.front());
  return held(std::to_string(audit.confirmed) + " of " + std::to_string(audit.confirmed) + " looked up and repeated: same bytes; of " +
              std::to_string(audit.resolved) + " unknown ones " + std::to_string(audit.had_happened) +
              " had happened, the others happened now, none twice");
}

Finding Tour::balances_agree() {
  std::map<std::uint32_t, base::U128> debits, credits;
  for (const LoadRecord& record : records_) {
    if (record.id.empty()) continue;
    debits[record.debit] += record.amount;
    credits[record.credit] += record.amount;
  }
  for (std::uint32_t i = 0; i < load_names_.size(); ++i) {
    const auto found = account_json(load_names_[i]);
    if (!found.ok()) return broke(found.error().message);
    const std::string debited = base::to_decimal(debits[i]), credited = base::to_decimal(credits[i] + 1'000'000);
    if (json_text(*found, "debits_posted") != debited || json_text(*found, "credits_posted") != credited) {
      return broke(load_names_[i] + " stands at " + json_text(*found, "debits_posted") + " / " + json_text(*found, "credits_posted") +
                   ", the receipts say " + debited + " / " + credited);
    }
  }
  return held(std::to_string(load_names_.size()) + " accounts, to the cent");
}

}  // namespace holdfast
