#include "crypto/chain/constraints.h"

#include <algorithm>

#include "crypto/chain/oid.h"

namespace crypto::chain {
namespace {

// Every name a constraint may speak about. Views point into the certificate.
std::vector<GeneralName> constrained_names(const Certificate& certificate) {
  std::vector<GeneralName> names = certificate.alternative_names.names;
  const bool has_mail = std::any_of(names.begin(), names.end(), [](const GeneralName& name) { return name.form == Form::email; });
  if (certificate.subject_name.empty()) return names;
  names.push_back({Form::directory, certificate.subject});
  if (has_mail) return names;
  // Old certificates carry mailboxes in the subject: they count when there are none beside it.
  for (const Attribute& attribute : attributes_of(certificate.subject)) {
    if (oid::email_address == attribute.type) names.push_back({Form::email, attribute.value.body});
  }
  return names;
}

std::optional<Fault> judge(const GeneralName& name, const NameConstraints& constraints) {
  for (const GeneralName& one : constraints.excluded) {
    if (one.form != name.form) continue;
    const Subtree answer = within(name, one, true);
    if (answer == Subtree::cannot_compare) return Fault{Reason::name_constraint_form_not_supported, to_text(name)};
    if (answer == Subtree::inside) return Fault{Reason::name_is_excluded, to_text(name) + " lies in " + to_text(one)};
  }
  bool constrained = false;
  for (const GeneralName& one : constraints.permitted) {
    if (one.form != name.form) continue;
    constrained = true;
    const Subtree answer = within(name, one, false);
    if (answer == Subtree::cannot_compare) return Fault{Reason::name_constraint_form_not_supported, to_text(name)};
    if (answer == Subtree::inside) return std::nullopt;
  }
  return constrained ? std::optional(Fault{Reason::name_is_not_permitted, to_text(name)}) : std::nullopt;
}

}  // namespace

std::optional<PlacedFault> check_name_constraints(std::span<const Certificate* const> path) {
  std::size_t comparisons = 0;
  for (std::size_t authority = path.size(); authority-- > 1;) {
    const NameConstraints& constraints = path[authority]->name_constraints;
    if (constraints.size() == 0) continue;
    for (std::size_t below = authority; below-- > 0;) {
      const Certificate& certificate = *path[below];
      if (below != 0 && certificate.self_issued()) continue;
      const std::vector<GeneralName> names = constrained_names(certificate);
      comparisons += names.size() * constraints.size();
      if (comparisons > comparisons_max) {
        return PlacedFault{{Reason::name_constraints_are_too_many, std::to_string(names.size()) + " names against " + std::to_string(constraints.size()) + " constraints"}, below};
      }
      for (const GeneralName& name : names) {
        if (auto fault = judge(name, constraints)) return PlacedFault{std::move(*fault), below};
      }
    }
  }
  return std::nullopt;
}

}  // namespace crypto::chain
