#include "crypto/chain/policies.h"

#include <algorithm>
#include <map>
#include <set>
#include <string>

#include "crypto/chain/oid.h"

namespace crypto::chain {
namespace {

using Id = std::string;  // body of the OID
using Ids = std::set<Id>;

Id id_of(base::ByteView body) { return Id(base::as_text(body)); }

// A policy that is valid at one depth of the path.
struct Node {
  Ids expected;  ///< what it is called one certificate further down
  Ids domains;   ///< what it was called where it came from anyPolicy: the words the verifier's policies are meant in
};
using Level = std::map<Id, Node>;

constexpr std::size_t ids_max = 256;

const Id& any_policy() {
  static const Id id = id_of(oid::any_policy.view());
  return id;
}

Level next_level(const Level& above, const Certificate& certificate, bool any_counts) {
  Level level;
  if (!certificate.policies.present) return level;
  bool has_any = false;
  const auto any_above = above.find(any_policy());
  for (const base::ByteView body : certificate.policies.ids) {
    const Id id = id_of(body);
    if (id == any_policy()) {
      has_any = true;
      continue;
    }
    Ids domains;
    bool expected = false;
    for (const auto& [name, node] : above) {
      if (name == any_policy() || node.expected.count(id) == 0) continue;
      expected = true;
      domains.insert(node.domains.begin(), node.domains.end());
    }
    if (!expected && any_above != above.end()) {
      expected = true;
      domains.insert(id);
    }
    if (expected) level[id] = Node{{id}, std::move(domains)};
  }
  if (!has_any || !any_counts) return level;
  for (const auto& [name, node] : above) {
    for (const Id& id : node.expected) {
      if (level.count(id) != 0) continue;
      level[id] = Node{{id}, name == any_policy() ? Ids{id} : node.domains};
    }
  }
  return level;
}

void map_policies(Level& level, const Certificate& certificate, bool allowed) {
  std::map<Id, Ids> mapped;
  for (const PolicyMapping& mapping : certificate.mappings) mapped[id_of(mapping.issuer_domain)].insert(id_of(mapping.subject_domain));
  for (const auto& [id, subject_ids] : mapped) {
    if (!allowed) {
      level.erase(id);
    } else if (const auto found = level.find(id); found != level.end()) {
      found->second.expected = subject_ids;
    } else if (level.count(any_policy()) != 0) {
      level[id] = Node{subject_ids, {id}};
    }
  }
}

}  // namespace

std::optional<std::size_t> check_policies(std::span<const Certificate* const> path, const PolicyDemands& demands) {
  const bool asked = demands.explicit_policy || std::any_of(path.begin(), path.end(), [](const Certificate* one) {
                       return one->policy_constraints.require_explicit.has_value();
                     });
  if (!asked || path.size() < 2) return std::nullopt;
  const std::size_t count = path.size() - 1;
  std::size_t explicit_policy = demands.explicit_policy ? 0 : count + 1;
  std::size_t mapping = demands.inhibit_mapping ? 0 : count + 1;
  std::size_t any = demands.inhibit_any ? 0 : count + 1;
  Level level{{any_policy(), Node{{any_policy()}, {any_policy()}}}};
  for (std::size_t step = 0; step < count; ++step) {
    const std::size_t at = count - 1 - step;
    const Certificate& certificate = *path[at];
    const bool last = at == 0;
    const bool rollover = certificate.self_issued() && !last;
    if (certificate.policies.ids.size() > ids_max || certificate.mappings.size() > ids_max) return at;
    level = next_level(level, certificate, any > 0 || rollover);
    if (explicit_policy == 0 && level.empty()) return at;
    if (!last) map_policies(level, certificate, mapping > 0);
    if (!rollover) {
      if (explicit_policy > 0) --explicit_policy;
      if (mapping > 0) --mapping;
      if (any > 0) --any;
    }
    const PolicyConstraints& constraints = certificate.policy_constraints;
    if (last) {
      if (constraints.require_explicit == 0U) explicit_policy = 0;
      break;
    }
    if (constraints.require_explicit) explicit_policy = std::min<std::size_t>(explicit_policy, *constraints.require_explicit);
    if (constraints.inhibit_mapping) mapping = std::min<std::size_t>(mapping, *constraints.inhibit_mapping);
    if (certificate.inhibit_any_policy.present) any = std::min<std::size_t>(any, certificate.inhibit_any_policy.skip);
  }
  if (explicit_policy > 0) return std::nullopt;
  const auto acceptable = [&](const Ids& domains) {
    if (demands.acceptable.empty() || domains.count(any_policy()) != 0) return true;
    return std::any_of(demands.acceptable.begin(), demands.acceptable.end(), [&](const base::Bytes& one) {
      return oid::any_policy == one || domains.count(id_of(one)) != 0;
    });
  };
  const bool good = std::any_of(level.begin(), level.end(), [&](const auto& entry) { return acceptable(entry.second.domains); });
  return good ? std::nullopt : std::optional<std::size_t>(0);
}

}  // namespace crypto::chain
