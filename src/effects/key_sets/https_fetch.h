#pragma once
// One request that cannot be turned against our own network: https only (http where the rules allow it, for objects that are signed
// themselves), to hosts on a list, to the very addresses that were resolved once and judged (intake/fetch_rules.h), without redirects,
// proxies, cookies or logins, within bounds of size and time.

#include <atomic>
#include <optional>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/instant.h"
#include "effects/key_sets/fetch_failure.h"
#include "effects/key_sets/name_service.h"
#include "intake/fetch_rules.h"
#include "intake/key_set_cache.h"
#include "io/clock.h"

namespace effects {

struct FetchOrder {
  std::string url;
  intake::FetchRules rules;
  std::string ca_file;            ///< PEM; the only anchors then. Empty: the system's
  std::string entity_tag;         ///< asks with If-None-Match, unless empty
  std::string accept = "application/jwk-set+json, application/json";
  base::Bytes posted = {};             ///< body of a POST; empty: a GET
  std::string posted_type = {};        ///< its media type
  std::size_t bytes_max = 0;      ///< of the body
  std::size_t header_bytes_max = 16 * 1024;
  base::Duration connect_max = base::milliseconds(intake::fetch_connect_ms_max);   ///< each of: name, connection with TLS
  base::Duration total_max = base::milliseconds(intake::fetch_total_ms_max);
  const std::atomic<bool>* stopping = nullptr;   ///< once true the transfer ends within a second, failed; null: it does not stop
};

/// A step that worked, for people.
struct StepTaken {
  FetchStep step{};
  base::Duration took{};
  std::string finding;
};

/// Headers that count here; empty when absent.
struct FetchedHeaders {
  std::string content_type, cache_control, age, expires, date, etag, location;
  intake::CacheHeaders for_cache() const { return {cache_control, age, expires, date, etag}; }
};

struct Fetched {
  std::vector<StepTaken> steps;
  std::optional<FetchFailure> failure;
  base::Duration failed_after{};      ///< time spent in the step that failed
  bool not_modified = false;          ///< 304 to an order with an entity tag; no body
  FetchedHeaders headers;
  base::Bytes body;
};

/// Any thread, several at a time.
class HttpsFetch {
 public:
  /// Both outlive it.
  HttpsFetch(NameService& names, io::Clock& clock) : names_(names), clock_(clock) {}

  /// Waits for the answer, `total_max` at most. Failures: the codes of fetch_failure.h up to the step http.
  Fetched get(const FetchOrder& order) const;

 private:
  NameService& names_;
  io::Clock& clock_;
};

}  // namespace effects
