#include "intake/key_set_cache.h"

#include <algorithm>

#include "base/http_date.h"
#include "base/check.h"

namespace intake {
namespace {

using base::Duration;
using base::Instant;

char folded(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; }
bool same_text(std::string_view a, std::string_view b) {
  return a.size() == b.size() && std::equal(a.begin(), a.end(), b.begin(), [](char x, char y) { return folded(x) == folded(y); });
}
std::string_view trimmed(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

// Seconds, at most a year; nothing when it is no number.
std::optional<std::int64_t> seconds_of(std::string_view text) {
  if (text.size() >= 2 && text.front() == '"' && text.back() == '"') text = text.substr(1, text.size() - 2);
  if (text.empty()) return std::nullopt;
  std::int64_t value = 0;
  for (const char c : text) {
    if (c < '0' || c > '9') return std::nullopt;
    value = std::min<std::int64_t>(value * 10 + (c - '0'), 31'536'000);
  }
  return value;
}

using Key = std::shared_ptr<const PublishedKey>;

template <typename Keys>
auto place_of(Keys& keys, std::string_view kid) {
  return std::lower_bound(keys.begin(), keys.end(), kid, [](const Key& key, std::string_view wanted) { return key->kid < wanted; });
}
Key key_of(const std::vector<Key>& keys, std::string_view kid) {
  const auto place = place_of(keys, kid);
  return place != keys.end() && (*place)->kid == kid ? *place : nullptr;
}

// By id. A key without one goes by its thumbprint; of two keys with one id the first counts, as most readers have it.
std::vector<Key> sorted(std::vector<PublishedKey>&& keys) {
  std::vector<Key> result;
  for (PublishedKey& key : keys) {
    if (key.kid.empty()) key.kid = key.thumbprint;
    const auto place = place_of(result, key.kid);
    if (place == result.end() || (*place)->kid != key.kid) result.insert(place, std::make_shared<const PublishedKey>(std::move(key)));
  }
  return result;
}

}  // namespace

Duration key_set_lifetime(const CacheHeaders& headers, const KeySetRules& rules) {
  const auto bounded = [&](std::int64_t seconds) {
    const Duration wanted = base::seconds(seconds);
    return std::clamp(wanted, rules.lifetime_min, rules.lifetime_max);
  };
  std::optional<std::int64_t> age_max;
  for (std::string_view rest = headers.cache_control; !rest.empty();) {
    const std::size_t end = std::min(rest.find(','), rest.size());
    const std::string_view directive = trimmed(rest.substr(0, end));
    rest.remove_prefix(std::min(end + 1, rest.size()));
    if (same_text(directive, "no-store") || same_text(directive, "no-cache")) return rules.lifetime_min;
    const std::size_t equals = directive.find('=');
    if (equals != std::string_view::npos && same_text(trimmed(directive.substr(0, equals)), "max-age")) {
      age_max = seconds_of(trimmed(directive.substr(equals + 1)));
      if (!age_max) return rules.lifetime_min;
    }
  }
  const std::int64_t age = seconds_of(trimmed(headers.age)).value_or(0);
  if (age_max) return bounded(std::max<std::int64_t>(*age_max - age, 0));
  if (headers.expires.empty()) return rules.lifetime_default;
  const auto expires = base::parse_http_date(trimmed(headers.expires));
  const auto date = base::parse_http_date(trimmed(headers.date));
  if (!expires || !date) return rules.lifetime_min;
  return bounded(std::max<std::int64_t>((*expires - *date).ns / base::seconds(1).ns - age, 0));
}

void KeySetCache::add_issuer(std::string_view issuer, bool changed_keys_allowed) {
  issuers_[std::string(issuer)].changed_keys_allowed = changed_keys_allowed;
}

KeySetCache::Issuer* KeySetCache::find(std::string_view issuer) {
  const auto place = issuers_.find(issuer);
  return place == issuers_.end() ? nullptr : &place->second;
}

// One fetch at a time, and none too soon after a failure.
bool KeySetCache::begin_fetch(Issuer& issuer, Instant now) {
  if (issuer.fetching_until && now < *issuer.fetching_until) return false;
  if (issuer.failures > 0 && now < issuer.retry_at) return false;
  issuer.fetching_until = now + rules_.fetch_lease;
  issuer.unknown_waits = false;
  return true;
}

// The first is free: a set that was loaded at start must not make a rotation wait.
bool KeySetCache::begin_asked_fetch(Issuer& issuer, Instant now) {
  if (issuer.asked_at && now < *issuer.asked_at + rules_.cool_down) return false;
  if (!begin_fetch(issuer, now)) return false;
  issuer.asked_at = now;
  return true;
}

void KeySetCache::note_unknown(Issuer& issuer, std::string_view kid) {
  const std::uint64_t hash = std::hash<std::string_view>()(kid);
  if (std::find(issuer.unknown.begin(), issuer.unknown.end(), hash) != issuer.unknown.end()) return;
  ++counters_.unknown_ids;
  if (issuer.unknown.size() < rules_.unknown_max) {
    issuer.unknown.push_back(hash);
  } else if (rules_.unknown_max > 0) {
    issuer.unknown[issuer.unknown_next] = hash;
    issuer.unknown_next = (issuer.unknown_next + 1) % rules_.unknown_max;
  }
}

KeyAnswer KeySetCache::look_up(std::string_view issuer_name, std::string_view kid, Instant now) {
  KeyAnswer answer;
  Issuer* const issuer = find(issuer_name);
  if (issuer == nullptr) return answer;
  if (!issuer->has_set) {
    answer.lookup = KeyLookup::no_set;
    answer.fetch = begin_fetch(*issuer, now);
    return answer;
  }
  const bool stale = now >= issuer->fresh_until;
  if (stale) {
    answer.fetch = begin_fetch(*issuer, now);
    const Duration cap = issuer->revoked ? Duration{0} : rules_.stale_max;
    if (now >= issuer->fresh_until + cap) {
      answer.lookup = KeyLookup::too_stale;
      return answer;
    }
  }
  if (kid.empty()) {
    if (issuer->keys.size() == 1) answer.key = issuer->keys[0];
    answer.lookup = KeyLookup::ambiguous;
  } else {
    answer.key = key_of(issuer->keys, kid);
    answer.lookup = KeyLookup::unknown;
  }
  if (answer.key != nullptr) {
    answer.lookup = stale ? KeyLookup::known_stale : KeyLookup::known;
    ++(stale ? counters_.stale_hits : counters_.hits);
    answer.changed_key_waits = !issuer->quarantined.empty() && key_of(issuer->quarantined, answer.key->kid) != nullptr;
    return answer;
  }
  if (answer.lookup == KeyLookup::ambiguous) return answer;
  note_unknown(*issuer, kid);
  if (!answer.fetch) answer.fetch = begin_asked_fetch(*issuer, now);
  if (!answer.fetch) {
    issuer->unknown_waits = true;
    answer.retry_at = issuer->asked_at ? *issuer->asked_at + rules_.cool_down : now + rules_.fetch_lease;
  }
  return answer;
}

bool KeySetCache::signature_failed(std::string_view issuer_name, Instant now) {
  Issuer* const issuer = find(issuer_name);
  return issuer != nullptr && issuer->has_set && begin_asked_fetch(*issuer, now);
}

std::vector<std::string> KeySetCache::due(Instant now) {
  std::vector<std::string> names;
  for (auto& [name, issuer] : issuers_) {
    const bool old = !issuer.has_set || now >= issuer.refresh_at;
    if (old ? begin_fetch(issuer, now) : issuer.unknown_waits && begin_asked_fetch(issuer, now)) names.push_back(name);
  }
  std::sort(names.begin(), names.end());
  return names;
}

void KeySetCache::settle(Issuer& issuer, const CacheHeaders& headers, Instant now) {
  ++counters_.refreshes;
  issuer.has_set = true;
  issuer.fetching_until.reset();
  issuer.failures = 0;
  const Duration lifetime = key_set_lifetime(headers, rules_);
  issuer.fresh_until = now + lifetime;
  issuer.refresh_at = now + Duration{std::max<std::int64_t>(lifetime.ns - rules_.prefetch.ns, 0)};
  issuer.unknown.clear();
  issuer.unknown_next = 0;
}

std::vector<KeyChange> KeySetCache::fetched(std::string_view issuer_name, std::vector<PublishedKey> keys, const CacheHeaders& headers, Instant now) {
  std::vector<KeyChange> changes;
  Issuer* const issuer = find(issuer_name);
  CHECK(issuer != nullptr);
  const bool first = !issuer->has_set;
  settle(*issuer, headers, now);
  issuer->etag = std::string(headers.etag);
  const std::vector<Key> published = sorted(std::move(keys));
  std::vector<Key> next, quarantined;
  for (const Key& key : published) {
    const Key old = key_of(issuer->keys, key->kid);
    if (key->private_part) {
      changes.push_back({KeyChangeKind::private_part_shown, key->kid, old != nullptr ? old->thumbprint : std::string(), key->thumbprint});
    } else if (old == nullptr) {
      if (!first) changes.push_back({KeyChangeKind::added, key->kid, {}, key->thumbprint});
      next.push_back(key);
    } else if (old->thumbprint == key->thumbprint) {
      next.push_back(key);
    } else {
      // Told once, not at every refresh that shows the same.
      const Key waiting = key_of(issuer->quarantined, key->kid);
      if (waiting == nullptr || waiting->thumbprint != key->thumbprint) {
        changes.push_back({KeyChangeKind::key_differs, key->kid, old->thumbprint, key->thumbprint});
      }
      next.push_back(issuer->changed_keys_allowed ? key : old);
      if (!issuer->changed_keys_allowed) quarantined.push_back(key);
    }
  }
  for (const Key& old : issuer->keys) {
    if (key_of(published, old->kid) == nullptr) changes.push_back({KeyChangeKind::removed, old->kid, old->thumbprint, {}});
  }
  issuer->keys = std::move(next);
  issuer->quarantined = std::move(quarantined);
  return changes;
}

void KeySetCache::not_modified(std::string_view issuer_name, const CacheHeaders& headers, Instant now) {
  Issuer* const issuer = find(issuer_name);
  CHECK(issuer != nullptr);
  if (!issuer->has_set) return failed(issuer_name, now);  // nobody was asked conditionally
  settle(*issuer, headers, now);
  if (!headers.etag.empty()) issuer->etag = std::string(headers.etag);
}

void KeySetCache::failed(std::string_view issuer_name, Instant now) {
  Issuer* const issuer = find(issuer_name);
  CHECK(issuer != nullptr);
  ++counters_.refreshes_failed;
  issuer->fetching_until.reset();
  Duration wait = rules_.retry_min;
  for (std::uint32_t i = 0; i < issuer->failures && wait < rules_.retry_max; ++i) wait.ns *= 2;
  issuer->retry_at = now + std::min(wait, rules_.retry_max);
  ++issuer->failures;
}

KeySetStanding KeySetCache::standing(std::string_view issuer_name) const {
  const auto place = issuers_.find(issuer_name);
  if (place == issuers_.end()) return {};
  const Issuer& issuer = place->second;
  return {issuer.has_set, issuer.keys.size(), issuer.quarantined.size(), issuer.fresh_until, issuer.failures};
}

std::string_view KeySetCache::entity_tag(std::string_view issuer) const {
  const auto place = issuers_.find(issuer);
  return place == issuers_.end() ? std::string_view() : std::string_view(place->second.etag);
}

void KeySetCache::mark_revoked(std::string_view issuer_name) {
  if (Issuer* const issuer = find(issuer_name)) issuer->revoked = true;
}

bool KeySetCache::confirm_changed_key(std::string_view issuer_name, std::string_view kid, std::string_view thumbprint) {
  Issuer* const issuer = find(issuer_name);
  if (issuer == nullptr) return false;
  const auto waiting = place_of(issuer->quarantined, kid);
  if (waiting == issuer->quarantined.end() || (*waiting)->kid != kid || (*waiting)->thumbprint != thumbprint) return false;
  const auto old = place_of(issuer->keys, kid);
  if (old != issuer->keys.end() && (*old)->kid == kid) *old = *waiting;
  issuer->quarantined.erase(waiting);
  return true;
}

}  // namespace intake
