#include "effects/key_sets/key_set_fetch.h"

#include "effects/key_sets/discovery.h"
#include "intake/key_set_reader.h"
#include "wire/json_value.h"

namespace effects {

base::Result<KeySetSource> key_set_at(std::string issuer, std::string url, std::span<const std::string> networks) {
  TRY_ASSIGN(intake::FetchTarget target, intake::read_fetch_url(url));
  KeySetSource source;
  source.issuer = std::move(issuer);
  source.url = std::move(url);
  source.rules.hosts.push_back(std::move(target.host));
  for (const std::string& text : networks) {
    const auto network = intake::parse_network(text);
    if (!network) return base::Error{"key_set_network_malformed", "networks are written like 10.1.0.0/16"};
    source.rules.networks.push_back(*network);
  }
  return source;
}

FetchedKeySet KeySetFetchByHttps::fetch(const KeySetSource& source, const KeySetValidator& last) {
  FetchedKeySet result;
  std::optional<std::string> url = source.url.empty() ? discover(source, result) : source.url;
  if (!url) return result;
  auto fetched = get(source, *url, last, intake::key_set_bytes_max, result);
  if (!fetched) return result;
  result.headers = std::move(fetched->headers);
  result.not_modified = fetched->not_modified;
  result.body = std::move(fetched->body);
  if (!result.not_modified) read_keys(result);
  return result;
}

// One document. Its steps are kept, and its failure becomes that of the whole.
std::optional<Fetched> KeySetFetchByHttps::get(const KeySetSource& source, const std::string& url, const KeySetValidator& last, std::size_t bytes_max,
                                               FetchedKeySet& result) {
  const std::string entity_tag = url == last.url ? last.entity_tag : std::string();
  Fetched fetched = https_.get({.url = url, .rules = source.rules, .ca_file = source.ca_file, .entity_tag = entity_tag, .bytes_max = bytes_max, .total_max = total_max_});
  result.documents.push_back({url, std::move(fetched.steps)});
  result.failed_after = fetched.failed_after;
  if (!fetched.failure) return fetched;
  result.failure = std::move(fetched.failure);
  return std::nullopt;
}

std::optional<std::string> KeySetFetchByHttps::discover(const KeySetSource& source, FetchedKeySet& result) {
  const auto fetched = get(source, discovery_url_of(source.issuer), {}, discovery_bytes_max, result);
  if (!fetched) return std::nullopt;
  auto document = read_discovery(fetched->body);
  const base::Status checked = document.ok() ? check_issuer(*document, source.issuer) : base::Status(document.error());
  if (!checked.ok()) {
    result.failure = fetch_failure(checked.error().code, checked.error().message);
    result.failed_after = {};
    return std::nullopt;
  }
  result.documents.back().steps.push_back({FetchStep::json, {}, "the keys of " + document->issuer + " are at " + document->key_set_url});
  return std::move(document->key_set_url);
}

void KeySetFetchByHttps::read_keys(FetchedKeySet& result) {
  const std::int64_t began = clock_.boot_ns();
  auto keys = intake::read_key_set(result.body);
  result.failed_after = {clock_.boot_ns() - began};
  // The doctor names what came instead of keys; whether it was JSON at all says at which step.
  const bool json = keys.ok() || wire::parse_json(result.body, {.bytes_max = intake::key_set_bytes_max}).ok();
  std::vector<StepTaken>& steps = result.documents.back().steps;
  if (json) steps.push_back({FetchStep::json, {}, "a JSON document"});
  if (!keys.ok()) {
    result.failure = FetchFailure{json ? FetchStep::keys : FetchStep::json, keys.error()};
    return;
  }
  result.keys = std::move(*keys);
  steps.push_back({FetchStep::keys, result.failed_after, std::to_string(result.keys.size()) + (result.keys.size() == 1 ? " usable key" : " usable keys")});
}

}  // namespace effects
