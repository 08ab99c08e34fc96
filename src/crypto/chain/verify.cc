#include "crypto/chain/verify.h"

#include <algorithm>
#include <iterator>

#include "crypto/chain/lint.h"
#include "crypto/chain/search.h"

namespace crypto::chain {
namespace {

constexpr std::int64_t day_s = 86'400;
// Sources that agree within this are believed over our own clock when it differs by more.
constexpr std::int64_t clock_tolerance_s = 60;

const Certificate& certificate_at(const Materials& materials, Step step) {
  switch (step.role) {
    case Role::intermediate: return materials.intermediates[step.index];
    case Role::anchor: return materials.anchors[step.index];
    default: return materials.leaf;
  }
}

// Faults that make the others of the same certificate uninteresting.
bool comes_first(Reason reason) {
  switch (reason) {
    case Reason::certificate_extension_is_malformed:
    case Reason::certificate_extension_repeats:
    case Reason::certificate_extension_not_understood:
    case Reason::certificate_algorithms_disagree:
    case Reason::certificate_validity_is_malformed:
    case Reason::public_key_is_malformed:
    case Reason::certificate_is_expired:
    case Reason::certificate_is_not_yet_valid:
    case Reason::certificate_has_address_as_dns_name:
    case Reason::alternative_name_is_malformed: return true;
    default: return false;
  }
}

std::vector<Fault> leaf_faults(const Certificate& leaf, const Demands& demands) {
  std::vector<Fault> own;
  lint(leaf, Role::leaf, demands, own);
  std::vector<Fault> asked;
  judge_leaf(leaf, demands, asked);
  if (asked.empty()) return own;
  // What makes the rest uninteresting, what was asked for, the rest.
  std::vector<Fault> ordered, rest;
  for (Fault& fault : own) (comes_first(fault.reason) ? ordered : rest).push_back(std::move(fault));
  for (auto* const list : {&asked, &rest}) ordered.insert(ordered.end(), std::make_move_iterator(list->begin()), std::make_move_iterator(list->end()));
  return ordered;
}

// How the certificates were sent, compared with how they belong.
void remark_on_bundle(const Materials& materials, const Demands& demands, Verdict& verdict) {
  const auto used = [&](std::size_t index) {
    return std::any_of(verdict.path.begin(), verdict.path.end(), [&](Step step) { return step.role == Role::intermediate && step.index == index; });
  };
  std::optional<std::size_t> last;
  bool ordered = true;
  for (const Step step : verdict.path) {
    if (step.role != Role::intermediate) continue;
    ordered = ordered && (!last || step.index > *last);
    last = step.index;
  }
  if (!ordered) verdict.findings.push_back({Reason::chain_is_out_of_order, Role::whole_case, 0, {}});
  for (std::size_t i = 0; i < materials.intermediates.size(); ++i) {
    const Certificate& one = materials.intermediates[i];
    if (used(i) || one.der.empty()) continue;  // one without content could not be read
    const auto add = [&](Reason reason, std::string evidence) { verdict.findings.push_back({reason, Role::intermediate, i, std::move(evidence)}); };
    const bool trusted = std::any_of(materials.anchors.begin(), materials.anchors.end(), [&](const Certificate& anchor) { return anchor.is(one); });
    const auto same_entity = [&](Step step) {
      const Certificate& other = certificate_at(materials, step);
      return other.subject_name == one.subject_name && std::equal(other.key.spki.begin(), other.key.spki.end(), one.key.spki.begin(), one.key.spki.end());
    };
    const bool twin = std::any_of(verdict.path.begin(), verdict.path.end(), same_entity);
    if (trusted || (one.self_issued() && verdict.path.back().role == Role::anchor && same_entity(verdict.path.back()))) {
      add(Reason::chain_includes_root, name_text(one.subject));
    } else if (twin && demands.now_s > one.not_after_s) {
      add(Reason::chain_ends_in_expired_cross_signature, name_text(one.subject) + " of " + name_text(one.issuer) + ", expired at " + time_text(one.not_after_s));
    } else if (!twin) {
      const auto names_it = [&](const Certificate& other) { return &other != &one && other.issuer_name == one.subject_name; };
      const bool related = names_it(materials.leaf) || std::any_of(materials.intermediates.begin(), materials.intermediates.end(), names_it);
      if (!related) add(Reason::chain_has_unrelated_certificate, name_text(one.subject));
    }
  }
}

void remark_on_expiry(const Materials& materials, const Demands& demands, Verdict& verdict) {
  const Certificate& leaf = materials.leaf;
  const std::int64_t left = leaf.not_after_s - demands.now_s;
  // Short-lived certificates are renewed when a third is left; nobody is warned of that.
  const bool short_lived = leaf.not_after_s - leaf.not_before_s < 60 * day_s;
  if (left < 0 || left >= (short_lived ? 2 : 30) * day_s) return;
  verdict.findings.push_back({Reason::certificate_expires_soon, Role::leaf, 0, "in " + std::to_string(left / day_s) + " days, at " + time_text(leaf.not_after_s)});
}

// Is it our own clock that is wrong? Several sources have to say so, and the certificate has to be good at their time.
void question_clock(const Materials& materials, const Demands& demands, Verdict& verdict) {
  Finding& refusal = *verdict.refusal;
  const bool timely = refusal.reason == Reason::certificate_is_expired || refusal.reason == Reason::certificate_is_not_yet_valid;
  const Certificate& blamed = certificate_at(materials, {refusal.role, refusal.index});
  std::vector<std::int64_t> observed = demands.observed_s;
  std::sort(observed.begin(), observed.end());
  if (timely && observed.size() >= 2 && observed.back() - observed.front() <= clock_tolerance_s) {
    const std::int64_t theirs = observed[observed.size() / 2];
    const std::int64_t off = demands.now_s > theirs ? demands.now_s - theirs : theirs - demands.now_s;
    if (off > clock_tolerance_s && theirs >= blamed.not_before_s && theirs <= blamed.not_after_s) {
      refusal.reason = Reason::local_clock_is_wrong;
      refusal.evidence = "our clock says " + time_text(demands.now_s) + ", " + std::to_string(observed.size()) + " sources say " + time_text(theirs) +
                         "; the certificate is valid at their time";
      return;
    }
  }
  if (refusal.reason != Reason::certificate_is_not_yet_valid) return;
  const auto ahead = [&](std::int64_t made_s, Role role, std::size_t index) {
    if (made_s <= demands.now_s + clock_tolerance_s) return;
    verdict.findings.push_back({Reason::local_clock_may_be_wrong, role, index, "made at " + time_text(made_s) + ", our clock says " + time_text(demands.now_s)});
  };
  for (std::size_t i = 0; i < materials.lists.size(); ++i) ahead(materials.lists[i].this_update_s, Role::revocation_list, i);
  for (std::size_t i = 0; i < materials.responses.size(); ++i) {
    if (materials.responses[i].response_status == 0) ahead(materials.responses[i].produced_s, Role::ocsp_response, i);
  }
}

// A response belongs to one certificate of the path; that the others do not find themselves in it is no finding.
void drop_idle_findings(Verdict& verdict) {
  const auto idle = [&](const Finding& finding) {
    return finding.reason == Reason::ocsp_response_is_for_another_certificate &&
           std::any_of(verdict.revocation.begin(), verdict.revocation.end(), [&](const StepRevocation& one) {
             return one.answer.source == Role::ocsp_response && one.answer.index == finding.index;
           });
  };
  std::erase_if(verdict.findings, idle);
}

}  // namespace

Verdict verify(const Materials& materials, const Demands& demands, SignatureChecker& checker) {
  Verdict verdict;
  std::vector<Fault> faults = leaf_faults(materials.leaf, demands);
  Search search(materials, demands, checker);
  const bool found = search.run();
  Attempt& result = search.result();
  verdict.path = std::move(result.path);
  verdict.revocation = std::move(result.revocation);
  verdict.findings = std::move(result.findings);
  verdict.missing = std::move(result.missing);
  verdict.accepted = found && faults.empty();
  if (!faults.empty()) {
    verdict.refusal = Finding{faults[0].reason, Role::leaf, 0, std::move(faults[0].evidence)};
    for (std::size_t i = 1; i < faults.size(); ++i) verdict.findings.push_back({faults[i].reason, Role::leaf, 0, std::move(faults[i].evidence)});
    if (!found) verdict.findings.push_back(std::move(result.refusal));
  } else if (!found) {
    verdict.refusal = std::move(result.refusal);
  }
  if (!verdict.revocation.empty()) drop_idle_findings(verdict);
  if (!materials.intermediates.empty()) remark_on_bundle(materials, demands, verdict);
  remark_on_expiry(materials, demands, verdict);
  if (verdict.refusal) question_clock(materials, demands, verdict);
  return verdict;
}

}  // namespace crypto::chain
