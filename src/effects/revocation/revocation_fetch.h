#pragma once
// Fetches of revocation data: lists by GET (RFC 5280 section 4.2.1.13), OCSP responses by POST (RFC 6960 appendix A.1). What comes is
// signed by the authority that it is about, and judged by whoever asked (crypto/chain/revocation.h), so plain http is good enough; where
// a fetch may go is not: only to hosts that the operator named, never into a private network that he did not name.

#include <atomic>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/instant.h"
#include "base/result.h"
#include "effects/key_sets/https_fetch.h"
#include "intake/fetch_rules.h"

namespace effects {

constexpr std::size_t ocsp_response_bytes_max = std::size_t{64} << 10;

/// Rules out of what an operator wrote: hosts (`*.example.com` covers one label) and networks (`10.1.0.0/16`), separated by commas;
/// blanks around them do not count, and an empty text names nobody. Errors: `revocation_host_malformed`,
/// `revocation_network_malformed`.
base::Result<intake::FetchRules> read_revocation_rules(std::string_view hosts, std::string_view networks);

struct RevocationFetchOptions {
  intake::FetchRules rules;
  base::Duration connect_max = base::milliseconds(3'000);   ///< each of: name, connection
  base::Duration total_max = base::milliseconds(15'000);    ///< a list of 16 MiB takes longer than a key set
};

/// Any thread, several at a time.
class RevocationFetch {
 public:
  /// Names and clock outlive it.
  RevocationFetch(NameService& names, io::Clock& clock, RevocationFetchOptions options);

  /// The bytes of a list, intake::fetched_list_bytes_max at most; whether they are one is not looked at. Errors: those of
  /// fetch_failure.h up to the step http.
  base::Result<base::Bytes> list(const std::string& url) const;
  /// What a responder answers to a request in DER, ocsp_response_bytes_max at most. Errors: the same.
  base::Result<base::Bytes> response(const std::string& url, base::Bytes request) const;

  /// Fetches that are under way fail within a second, those to come at once. Any thread.
  void stop() { stopping_.store(true, std::memory_order_relaxed); }
  bool is_stopping() const { return stopping_.load(std::memory_order_relaxed); }

 private:
  base::Result<base::Bytes> fetch(FetchOrder order) const;

  HttpsFetch fetch_;
  const RevocationFetchOptions options_;
  std::atomic<bool> stopping_{false};
};

}  // namespace effects
