#pragma once
// What `holdfast doctor jwks` finds on the way to a partner's keys: the same walk that the service takes, step by step.

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "effects/key_sets/key_set_fetch.h"
#include "intake/finding.h"

namespace holdfast {

struct KeySetQuestion {
  std::string url;                        ///< of a key set, or of a provider's configuration
  std::string issuer;                     ///< whose configuration it is; empty: what stands before /.well-known/
  std::string ca_file;
  std::vector<std::string> more_hosts;    ///< besides that of the URL
  bool private_networks = false;          ///< may be reached; where clouds keep credentials still may not
};

/// Where to look, with what the person has typed as allow-list. Errors: those of intake::read_fetch_url; `options_contradict` (an issuer whose configuration lies elsewhere).
base::Result<effects::KeySetSource> key_set_source_of(const KeySetQuestion& question);

struct KeySetDiagnosis {
  effects::FetchedKeySet fetched;
  std::vector<intake::Finding> findings;   ///< about the body, warnings and worse
  base::Duration lifetime{};               ///< how long the service would keep it

  /// The keys are there, and none of them is a secret that everybody can read.
  bool good() const;
};
KeySetDiagnosis diagnose_key_set(const effects::KeySetSource& source, effects::KeySetFetch& fetch);

std::string key_set_report_text(const KeySetDiagnosis& diagnosis);
std::string key_set_report_json(const KeySetDiagnosis& diagnosis);

}  // namespace holdfast
