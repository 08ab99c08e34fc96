#pragma once
// When to use a partner's key set, when to fetch it again, and when not to: HTTP's cache rules within bounds, one fetch at
// a time, stale sets within a cap, and a flood of unknown key ids that costs at most one fetch per cool-down.
//
// Pure: instants come in (of a clock that never jumps), the fetch is the caller's. Not for two threads at a time. Nothing an
// outsider sends makes it grow: issuers come from the configuration, unknown ids are kept in a ring of fixed size.

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/bytes.h"
#include "base/instant.h"

namespace intake {

struct KeySetRules {
  base::Duration lifetime_min = base::seconds(5 * 60);
  base::Duration lifetime_max = base::seconds(24 * 3'600);
  base::Duration lifetime_default = base::seconds(10 * 60);  ///< when the answer says nothing
  base::Duration stale_max = base::seconds(3'600);           ///< beyond its lifetime, while it cannot be fetched
  base::Duration prefetch = base::seconds(30);               ///< how long before the end of its lifetime a set is due by itself
  base::Duration cool_down = base::seconds(30);              ///< between two fetches that unknown ids or bad signatures cause
  base::Duration fetch_lease = base::seconds(15);            ///< a fetch that does not report within this is given up
  base::Duration retry_min = base::seconds(5);               ///< after a failure, doubled up to retry_max
  base::Duration retry_max = base::seconds(5 * 60);
  std::size_t unknown_max = 256;                             ///< unknown ids remembered for each issuer
};

/// One key of a set, as the reader of key sets gives it.
struct PublishedKey {
  std::string kid;
  std::string thumbprint;       ///< RFC 7638
  base::Bytes canonical;        ///< SPKI
  std::string algorithm;        ///< `alg`, or empty
  bool private_part = false;    ///< the set shows the private key: it is nobody's secret any more
};

/// Headers of the answer that count (RFC 9111 section 4.2). Empty when absent.
struct CacheHeaders {
  std::string_view cache_control = {}, age = {}, expires = {}, date = {}, etag = {};
};
/// How long an answer is fresh, within the rules' bounds. `no-store`, `no-cache` and what cannot be read give the minimum.
base::Duration key_set_lifetime(const CacheHeaders& headers, const KeySetRules& rules);

enum class KeyLookup : std::uint8_t {
  known,                ///< `key` is it
  known_stale,          ///< the same, from a set past its lifetime
  unknown,              ///< not in the set as it is; a fetch may be due
  ambiguous,            ///< no id was given and there are several keys
  no_set,               ///< nothing was fetched yet
  too_stale,            ///< the set is past its cap
  no_issuer,            ///< nobody configured it
};

struct KeyAnswer {
  KeyLookup lookup = KeyLookup::no_issuer;
  std::shared_ptr<const PublishedKey> key;  ///< good for as long as somebody holds it
  bool changed_key_waits = false;           ///< this id has come with another key, which is quarantined
  bool fetch = false;                       ///< the caller is to fetch now; nobody else is told so until it reports
  std::optional<base::Instant> retry_at;    ///< unknown: when asking again can have another answer
};

enum class KeyChangeKind : std::uint8_t {
  added,
  removed,
  key_differs,          ///< same id, another key: quarantined, an alarm
  private_part_shown,   ///< the key is refused, an alarm
};
struct KeyChange {
  KeyChangeKind kind{};
  std::string kid, old_thumbprint, new_thumbprint;
};

/// How an issuer stands, for operators.
struct KeySetStanding {
  bool has_set = false;
  std::size_t keys = 0, quarantined = 0;
  base::Instant fresh_until;      ///< meaningful with a set
  std::uint32_t failures = 0;     ///< in a row
};

struct KeySetCounters {
  std::uint64_t hits = 0, stale_hits = 0, refreshes = 0, refreshes_failed = 0, unknown_ids = 0;
};

class KeySetCache {
 public:
  explicit KeySetCache(KeySetRules rules = {}) : rules_(rules) {}

  /// Makes an issuer known. `changed_keys_allowed`: the partner may put another key under an old id.
  void add_issuer(std::string_view issuer, bool changed_keys_allowed = false);

  /// A token's key. An empty `kid` is a token without one: good when the set has exactly one key.
  KeyAnswer look_up(std::string_view issuer, std::string_view kid, base::Instant now);
  /// A signature did not verify under a known key. True: fetch now, the key may have changed.
  bool signature_failed(std::string_view issuer, base::Instant now);
  /// Issuers whose set should be fetched although nobody asks: near the end of their lifetime, or with unknown ids waiting for
  /// the end of a cool-down. Each is told once; in the order of their names.
  std::vector<std::string> due(base::Instant now);

  /// The fetch gave a set. What changed, for the audit log. Keys that vanished are gone at once.
  std::vector<KeyChange> fetched(std::string_view issuer, std::vector<PublishedKey> keys, const CacheHeaders& headers, base::Instant now);
  /// The answer was 304: the set lives on.
  void not_modified(std::string_view issuer, const CacheHeaders& headers, base::Instant now);
  /// It failed; the last good set stays.
  void failed(std::string_view issuer, base::Instant now);
  /// To send as If-None-Match; empty when there is none.
  std::string_view entity_tag(std::string_view issuer) const;

  /// From now on a set of this issuer is not used past its lifetime: one of its keys was compromised.
  void mark_revoked(std::string_view issuer);
  /// The quarantined key of this id takes its place. False when there is none with this thumbprint.
  bool confirm_changed_key(std::string_view issuer, std::string_view kid, std::string_view thumbprint);

  KeySetStanding standing(std::string_view issuer) const;
  const KeySetCounters& counters() const { return counters_; }

 private:
  using Keys = std::vector<std::shared_ptr<const PublishedKey>>;
  struct Issuer {
    bool changed_keys_allowed = false;
    bool revoked = false;
    bool has_set = false;
    bool unknown_waits = false;                    ///< an unknown id was seen since the last fetch began
    Keys keys, quarantined;                        ///< sorted by id
    std::vector<std::uint64_t> unknown;            ///< hashes of ids no fetch has brought, a ring
    std::size_t unknown_next = 0;
    std::string etag;
    base::Instant fresh_until, refresh_at;
    std::optional<base::Instant> fetching_until;   ///< somebody is at it
    std::optional<base::Instant> asked_at;         ///< last fetch that an unknown id or a bad signature caused
    base::Instant retry_at;                        ///< not before, after a failure
    std::uint32_t failures = 0;
  };
  struct Hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const { return std::hash<std::string_view>()(text); }
  };

  Issuer* find(std::string_view issuer);
  bool begin_fetch(Issuer& issuer, base::Instant now);
  bool begin_asked_fetch(Issuer& issuer, base::Instant now);
  void note_unknown(Issuer& issuer, std::string_view kid);
  void settle(Issuer& issuer, const CacheHeaders& headers, base::Instant now);

  KeySetRules rules_;
  std::unordered_map<std::string, Issuer, Hash, std::equal_to<>> issuers_;
  KeySetCounters counters_;
};

}  // namespace intake
