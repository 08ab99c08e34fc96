#pragma once
// A partner's key set from the network: by its own address, or by way of the provider's configuration (OpenID Connect Discovery).

#include <span>
#include <string>
#include <vector>

#include "effects/key_sets/https_fetch.h"
#include "intake/key_set_cache.h"

namespace effects {

/// Where the keys of one issuer come from, from the configuration and never from a message (`jku` and `x5u` are nobody's business).
struct KeySetSource {
  std::string issuer;                 ///< as messages name it; with discovery the document must name the same
  std::string url;                    ///< of the key set; empty: of whatever the issuer's configuration names
  intake::FetchRules rules;           ///< for both documents
  std::string ca_file;                ///< empty: the system's anchors
  bool changed_keys_allowed = false;  ///< the partner may put another key under an old id
};

/// A source at one address, whose host is the only one on the list. `networks`: `10.1.0.0/16`, reached although they are not for
/// everybody. Errors: those of intake::read_fetch_url; `key_set_network_malformed`.
base::Result<KeySetSource> key_set_at(std::string issuer, std::string url, std::span<const std::string> networks);

/// What the last answer was known by, for asking conditionally. An entity tag belongs to one address.
struct KeySetValidator {
  std::string url, entity_tag;
};

struct FetchedKeySet {
  /// One document after the other; of the last one up to its failure.
  struct Document {
    std::string url;
    std::vector<StepTaken> steps;
  };
  std::vector<Document> documents;
  std::optional<FetchFailure> failure;   ///< also of the steps json and keys
  base::Duration failed_after{};         ///< time spent in the step that failed
  bool not_modified = false;
  FetchedHeaders headers;                ///< of the key set
  std::vector<intake::PublishedKey> keys;
  base::Bytes body;                      ///< of the key set, as it came

  KeySetValidator validator() const { return {documents.empty() ? std::string() : documents.back().url, headers.etag}; }
};

/// An interface, so that the keeper can be tested without a network.
class KeySetFetch {
 public:
  virtual ~KeySetFetch() = default;
  /// Any thread, several at a time; waits.
  virtual FetchedKeySet fetch(const KeySetSource& source, const KeySetValidator& last) = 0;
};

class KeySetFetchByHttps final : public KeySetFetch {
 public:
  /// `total_max` is for each of the documents. The references outlive it.
  KeySetFetchByHttps(NameService& names, io::Clock& clock, base::Duration total_max = base::milliseconds(intake::fetch_total_ms_max))
      : https_(names, clock), clock_(clock), total_max_(total_max) {}
  FetchedKeySet fetch(const KeySetSource& source, const KeySetValidator& last) override;

 private:
  std::optional<std::string> discover(const KeySetSource& source, FetchedKeySet& result);
  std::optional<Fetched> get(const KeySetSource& source, const std::string& url, const KeySetValidator& last, std::size_t bytes_max, FetchedKeySet& result);
  void read_keys(FetchedKeySet& result);

  HttpsFetch https_;
  io::Clock& clock_;
  const base::Duration total_max_;
};

}  // namespace effects
