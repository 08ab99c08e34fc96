#include "effects/revocation/revocation_fetch.h"

#include <utility>
#include <vector>

#include "crypto/chain/general_name.h"

namespace effects {
namespace {

std::vector<std::string> parts_of(std::string_view list) {
  std::vector<std::string> parts;
  while (!list.empty()) {
    const std::size_t end = std::min(list.find(','), list.size());
    std::string_view part = list.substr(0, end);
    while (part.starts_with(' ')) part.remove_prefix(1);
    while (part.ends_with(' ')) part.remove_suffix(1);
    parts.emplace_back(part);
    list.remove_prefix(std::min(end + 1, list.size()));
  }
  return parts;
}

}  // namespace

base::Result<intake::FetchRules> read_revocation_rules(std::string_view hosts, std::string_view networks) {
  intake::FetchRules rules;
  rules.plain_http = true;
  rules.hosts = parts_of(hosts);
  for (std::string& host : rules.hosts) {
    for (char& c : host) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
    if (!crypto::chain::is_host_name(host, true, false) && !crypto::chain::looks_like_address(host)) {
      return base::Error{"revocation_host_malformed", "hosts are names like crl.ca.example or *.ca.example, separated by commas"};
    }
  }
  for (const std::string& text : parts_of(networks)) {
    const auto network = intake::parse_network(text);
    if (!network) return base::Error{"revocation_network_malformed", "networks are written like 10.1.0.0/16, separated by commas"};
    rules.networks.push_back(*network);
  }
  return rules;
}

RevocationFetch::RevocationFetch(NameService& names, io::Clock& clock, RevocationFetchOptions options)
    : fetch_(names, clock), options_(std::move(options)) {}

base::Result<base::Bytes> RevocationFetch::list(const std::string& url) const {
  FetchOrder order;
  order.url = url;
  order.accept = "application/pkix-crl";
  order.bytes_max = intake::fetched_list_bytes_max;
  return fetch(std::move(order));
}

base::Result<base::Bytes> RevocationFetch::response(const std::string& url, base::Bytes request) const {
  FetchOrder order;
  order.url = url;
  order.accept = "application/ocsp-response";
  order.posted = std::move(request);
  order.posted_type = "application/ocsp-request";
  order.bytes_max = ocsp_response_bytes_max;
  return fetch(std::move(order));
}

base::Result<base::Bytes> RevocationFetch::fetch(FetchOrder order) const {
  order.rules = options_.rules;
  order.connect_max = options_.connect_max;
  order.total_max = options_.total_max;
  order.stopping = &stopping_;
  Fetched fetched = fetch_.get(order);
  if (fetched.failure) return std::move(fetched.failure->error);
  return std::move(fetched.body);
}

}  // namespace effects
