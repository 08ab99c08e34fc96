// rooms: effects intake custody io wire model crypto base
// A provider's configuration and a key set from strangers: nothing crashes, a key that comes out is one that can be used, and an
// issuer is believed only letter by letter.

#include <cstdint>
#include <cstdlib>
#include <string>

#include "effects/key_sets/discovery.h"
#include "intake/fetch_rules.h"
#include "intake/key_set_reader.h"

namespace {

void require(bool holds) {
  if (!holds) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const base::ByteView body(data, size);
  if (const auto document = effects::read_discovery(body); document.ok()) {
    require(!document->issuer.empty() && !document->key_set_url.empty());
    require(effects::check_issuer(*document, document->issuer).ok());
    require(!effects::check_issuer(*document, document->issuer + "/").ok());
    const intake::FetchRules rules{.hosts = {"id.example"}, .networks = {}};
    const auto target = intake::check_fetch_url(document->key_set_url, rules);
    require(!target.ok() || (target->tls && target->host == "id.example"));
  }
  if (const auto keys = intake::read_key_set(body); keys.ok()) {
    require(!keys->empty() && keys->size() <= intake::key_set_keys_max);
    for (const intake::PublishedKey& key : *keys) require(!key.thumbprint.empty() && !key.canonical.empty());
  }
  return 0;
}
