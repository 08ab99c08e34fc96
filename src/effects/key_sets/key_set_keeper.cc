#include "effects/key_sets/key_set_keeper.h"

#include <chrono>

#include "effects/key_sets/discovery.h"
#include "io/thread.h"

namespace effects {
namespace {

// A document of nonsense is no fault of the host's, and an address that may not be asked says nothing about it.
void note(HostBreaker& breaker, const std::optional<FetchFailure>& failure, base::Instant at, const HostBreakerRules& rules) {
  if (!failure || failure->step == FetchStep::json || failure->step == FetchStep::keys) {
    breaker.succeeded();
  } else if (failure->step != FetchStep::address) {
    breaker.failed(at, rules);
  }
}

std::string host_of(const KeySetSource& source) {
  const std::string url = source.url.empty() ? discovery_url_of(source.issuer) : source.url;
  const auto target = intake::check_fetch_url(url, source.rules);
  return target.ok() ? target->host + ":" + std::to_string(target->port) : url;
}

}  // namespace

KeySetKeeper::KeySetKeeper(std::vector<KeySetSource> sources, KeySetFetch& fetch, io::Clock& clock, Tell tell, KeySetKeeperOptions options)
    : fetch_(fetch), clock_(clock), tell_(std::move(tell)), options_(options), cache_(options.rules) {
  for (KeySetSource& source : sources) {
    cache_.add_issuer(source.issuer, source.changed_keys_allowed);
    const std::string issuer = source.issuer;
    Kept& kept = kept_[issuer];
    kept.host = host_of(source);
    kept.source = std::move(source);
  }
  ask_for_what_is_due();
  for (std::size_t i = 0; i < options_.threads; ++i) threads_.emplace_back([this] { run(); });
}

KeySetKeeper::~KeySetKeeper() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  work_.notify_all();
  for (std::thread& thread : threads_) thread.join();
}

intake::KeyAnswer KeySetKeeper::look_up(std::string_view issuer, std::string_view kid) {
  const base::Instant at = now();
  const std::lock_guard lock(mutex_);
  intake::KeyAnswer answer = cache_.look_up(issuer, kid, at);
  if (answer.fetch) ask(issuer);
  answer.fetch = false;
  return answer;
}

void KeySetKeeper::signature_failed(std::string_view issuer) {
  const base::Instant at = now();
  const std::lock_guard lock(mutex_);
  if (cache_.signature_failed(issuer, at)) ask(issuer);
}

void KeySetKeeper::mark_revoked(std::string_view issuer) {
  const std::lock_guard lock(mutex_);
  cache_.mark_revoked(issuer);
}

bool KeySetKeeper::confirm_changed_key(std::string_view issuer, std::string_view kid, std::string_view thumbprint) {
  const std::lock_guard lock(mutex_);
  return cache_.confirm_changed_key(issuer, kid, thumbprint);
}

intake::KeySetCounters KeySetKeeper::counters() const {
  const std::lock_guard lock(mutex_);
  return cache_.counters();
}

std::vector<KeptKeySet> KeySetKeeper::standing() const {
  const std::lock_guard lock(mutex_);
  std::vector<KeptKeySet> all;
  for (const auto& [issuer, kept] : kept_) {
    const auto breaker = breakers_.find(kept.host);
    all.push_back({issuer, cache_.standing(issuer), kept.failure, kept.busy, breaker != breakers_.end() && breaker->second.open()});
  }
  return all;
}

// The cache gives a fetch up after its lease; one that waits for a thread or runs for longer is still the only one.
void KeySetKeeper::ask(std::string_view issuer) {
  Kept& kept = kept_.find(issuer)->second;
  if (kept.busy) return;
  kept.busy = true;
  queue_.push_back(&kept);
  work_.notify_one();
}

void KeySetKeeper::ask_for_what_is_due() {
  for (const std::string& issuer : cache_.due(now())) ask(issuer);
}

void KeySetKeeper::run() {
  io::name_thread("key sets");
  std::unique_lock lock(mutex_);
  while (!stopping_) {
    if (queue_.empty()) ask_for_what_is_due();
    if (!queue_.empty()) {
      fetch_one(lock);
    } else {
      work_.wait_for(lock, std::chrono::nanoseconds(options_.look_every.ns), [this] { return stopping_ || !queue_.empty(); });
    }
  }
}

void KeySetKeeper::fetch_one(std::unique_lock<std::mutex>& lock) {
  Kept& kept = *queue_.front();
  queue_.pop_front();
  FetchedKeySet fetched;
  if (breakers_[kept.host].allows(now(), options_.breaker)) {
    const KeySetValidator last{kept.key_set_url, std::string(cache_.entity_tag(kept.source.issuer))};
    lock.unlock();
    fetched = fetch_.fetch(kept.source, last);
    lock.lock();
  } else {
    fetched.failure = fetch_failure("fetch_host_breaker_open", kept.host + " failed several times in a row and is not asked now");
  }
  const KeySetNews news = settle(kept, std::move(fetched));
  if (!tell_ || (news.changes.empty() && !news.failure)) return;
  lock.unlock();
  tell_(news);
  lock.lock();
}

KeySetNews KeySetKeeper::settle(Kept& kept, FetchedKeySet&& fetched) {
  const base::Instant at = now();
  KeySetNews news{kept.source.issuer, {}, fetched.failure};
  note(breakers_[kept.host], fetched.failure, at, options_.breaker);
  kept.busy = false;
  kept.failure = fetched.failure;
  if (fetched.failure) {
    cache_.failed(kept.source.issuer, at);
  } else if (fetched.not_modified) {
    cache_.not_modified(kept.source.issuer, fetched.headers.for_cache(), at);
  } else {
    kept.key_set_url = fetched.validator().url;
    news.changes = cache_.fetched(kept.source.issuer, std::move(fetched.keys), fetched.headers.for_cache(), at);
  }
  return news;
}

}  // namespace effects
