#include "crypto/chain/search.h"

#include <algorithm>

#include "base/text.h"
#include "crypto/chain/constraints.h"
#include "crypto/chain/lint.h"
#include "crypto/chain/oid.h"
#include "crypto/chain/policies.h"

namespace crypto::chain {

// What was met while looking for the issuer of one certificate.
struct Neighbours {
  bool named = false;          ///< a certificate has the issuer's name
  bool left_out = false;       ///< one was not tried because of its own faults
  bool cycle = false;          ///< one stands on the path already
  bool linked = false;         ///< one signed the certificate
  bool not_supported = false;  ///< the signature could not be checked
  bool key_id_fits = false;    ///< one has the key identifier that is asked for
};

namespace {

bool same(base::ByteView a, base::ByteView b) { return std::equal(a.begin(), a.end(), b.begin(), b.end()); }

// Key identifiers are hints (RFC 5280 section 4.2.1.1): they order the candidates and exclude none.
bool key_id_differs(const Certificate& certificate, const Certificate& issuer) {
  return certificate.authority_key_id.id && issuer.subject_key_id.present && !same(*certificate.authority_key_id.id, issuer.subject_key_id.id);
}

MissingIssuer missing_issuer_of(const Certificate& certificate) {
  MissingIssuer missing{name_text(certificate.issuer), {}, {}};
  if (certificate.authority_key_id.id) missing.key_id = base::to_hex(*certificate.authority_key_id.id);
  for (const std::string_view url : certificate.access.ca_issuers) {
    if (missing.addresses.size() < 4 && url.size() <= 2'048) missing.addresses.emplace_back(url);
  }
  return missing;
}

}  // namespace

Search::Search(const Materials& materials, const Demands& demands, SignatureChecker& checker)
    : materials_(materials), demands_(demands), checker_(checker), intermediate_faults_(materials.intermediates.size()),
      anchor_faults_(materials.anchors.size()) {}

const std::vector<Fault>& Search::faults_of(Role role, std::size_t index) {
  auto& slot = role == Role::anchor ? anchor_faults_[index] : intermediate_faults_[index];
  if (!slot) {
    slot.emplace();
    const Certificate& certificate = role == Role::anchor ? materials_.anchors[index] : materials_.intermediates[index];
    lint(certificate, role, demands_, *slot);
    // An anchor that signed itself under another name than its own needs no pointer to its issuer either.
    std::erase_if(*slot, [&](const Fault& fault) {
      return role == Role::anchor && fault.reason == Reason::authority_key_id_is_missing && link(certificate, certificate) == Link::good;
    });
  }
  return *slot;
}

Search::Link Search::link(const Certificate& certificate, const Certificate& issuer) {
  for (const KnownLink& known : links_) {
    if (known.certificate == &certificate && known.issuer == &issuer) return known.link;
  }
  if (signatures_ == signatures_max) {
    exhausted_ = true;
    return Link::over_budget;
  }
  ++signatures_;
  Link result = Link::wrong;
  switch (checker_.check(issuer.key, certificate.algorithm, certificate.to_be_signed, certificate.signature)) {
    case Answer::good: result = Link::good; break;
    case Answer::wrong: break;
    case Answer::not_supported: result = Link::not_supported; break;
  }
  links_.push_back({&certificate, &issuer, result});
  return result;
}

// The same name and key twice is a loop (RFC 4158 section 5.2).
bool Search::on_path(const Certificate& candidate) const {
  return std::any_of(certificates_.begin(), certificates_.end(), [&](const Certificate* one) {
    return one->subject_name == candidate.subject_name && same(one->key.spki, candidate.key.spki);
  });
}

Finding Search::at_step(std::size_t step, Fault fault) const {
  return {fault.reason, path_[step].role, path_[step].index, std::move(fault.evidence)};
}

void Search::keep(Attempt attempt) {
  attempt.certificates = path_.size();
  attempt.path = path_;
  const bool further = attempt.progress > best_.progress ||
                       (attempt.progress == best_.progress && attempt.faulty < best_.faulty) ||
                       (attempt.progress == best_.progress && attempt.faulty == best_.faulty && attempt.certificates > best_.certificates);
  if (further) best_ = std::move(attempt);
}

bool Search::run() {
  best_.path.assign(1, Step{Role::leaf, 0});
  best_.refusal = {Reason::path_search_is_exhausted, Role::whole_case, 0, "nothing could be tried"};
  for (const bool only_sound : {true, false}) {
    only_sound_ = only_sound;
    path_.assign(1, Step{Role::leaf, 0});
    certificates_.assign(1, &materials_.leaf);
    // Trusted itself: a pinned certificate is its own path.
    const bool pinned = std::any_of(materials_.anchors.begin(), materials_.anchors.end(), [&](const Certificate& anchor) { return anchor.is(materials_.leaf); });
    if (pinned ? complete() : extend()) return true;
  }
  if (exhausted_) {
    best_.refusal = {Reason::path_search_is_exhausted, Role::whole_case, 0,
                     std::to_string(signatures_) + " signatures checked, " + std::to_string(candidates_) + " candidates, " + std::to_string(paths_) + " paths"};
  }
  return false;
}

bool Search::try_issuer(Role role, std::size_t index, Neighbours& seen) {
  const Certificate& certificate = *certificates_.back();
  const Certificate& candidate = role == Role::anchor ? materials_.anchors[index] : materials_.intermediates[index];
  if (++candidates_ > candidates_max) exhausted_ = true;
  if (exhausted_) return false;
  seen.named = true;
  if (role != Role::anchor && on_path(candidate)) {
    seen.cycle = true;
    return false;
  }
  if (only_sound_ && !faults_of(role, index).empty()) {
    seen.left_out = true;
    return false;
  }
  const Link made = link(certificate, candidate);
  seen.not_supported = seen.not_supported || made == Link::not_supported;
  seen.key_id_fits = seen.key_id_fits || !key_id_differs(certificate, candidate);
  if (made != Link::good) return false;
  seen.linked = true;
  path_.push_back({role, index});
  certificates_.push_back(&candidate);
  const bool accepted = role == Role::anchor ? complete() : extend();
  if (!accepted) {
    path_.pop_back();
    certificates_.pop_back();
  }
  return accepted;
}

bool Search::extend() {
  const Certificate& certificate = *certificates_.back();
  Neighbours seen;
  // Anchors before intermediates, fitting key identifiers before others.
  for (const bool fitting : {true, false}) {
    for (std::size_t i = 0; i < materials_.anchors.size(); ++i) {
      const Certificate& anchor = materials_.anchors[i];
      if (anchor.subject_name != certificate.issuer_name || key_id_differs(certificate, anchor) == fitting) continue;
      if (try_issuer(Role::anchor, i, seen)) return true;
    }
  }
  if (path_.size() < path_certificates_max) {
    for (const bool fitting : {true, false}) {
      for (std::size_t i = 0; i < materials_.intermediates.size(); ++i) {
        const Certificate& intermediate = materials_.intermediates[i];
        if (intermediate.subject_name != certificate.issuer_name || key_id_differs(certificate, intermediate) == fitting) continue;
        if (try_issuer(Role::intermediate, i, seen)) return true;
      }
    }
  }
  if (!seen.linked && !seen.left_out) dead_end(seen);
  return false;
}

void Search::dead_end(const Neighbours& seen) {
  const Certificate& certificate = *certificates_.back();
  const std::size_t step = path_.size() - 1;
  Attempt attempt;
  const auto say = [&](Progress progress, Reason reason, std::string evidence) {
    attempt.progress = progress;
    attempt.refusal = at_step(step, {reason, std::move(evidence)});
  };
  if (certificate.self_issued() && link(certificate, certificate) == Link::good) {
    if (step == 0) {
      say(Progress::untrusted_root, Reason::certificate_is_self_signed, "no anchor is named " + name_text(certificate.subject));
    } else {
      say(Progress::untrusted_root, Reason::root_is_not_trusted, name_text(certificate.subject) + " is not among the anchors");
    }
  } else if (seen.named && seen.cycle) {
    say(Progress::untrusted_root, Reason::root_is_not_trusted, "the authorities certify one another and reach no anchor");
  } else if (seen.not_supported) {
    say(Progress::wrong_signature, Reason::signature_algorithm_not_supported, "signed by " + name_text(certificate.issuer));
  } else if (seen.named && seen.key_id_fits) {
    say(Progress::wrong_signature, Reason::certificate_signature_is_invalid, "under the key of " + name_text(certificate.issuer));
  } else {
    attempt.missing = missing_issuer_of(certificate);
    say(Progress::no_issuer, Reason::chain_misses_intermediate,
        "the issuer " + attempt.missing->name + (attempt.missing->key_id.empty() ? "" : " with key identifier " + attempt.missing->key_id) +
            (seen.named ? " is there under this name with another key only" : " is not there"));
  }
  keep(std::move(attempt));
}

std::optional<Finding> Search::broken_rule() {
  const std::size_t top = path_.size() - 1;
  std::size_t below = 0;  // intermediates under the certificate, self-issued ones not counted (RFC 5280 section 6.1.4 (l))
  for (std::size_t i = 1; i <= top; ++i) {
    const auto& length = certificates_[i]->basic_constraints.path_length;
    if (length && below > *length) {
      return at_step(i, {Reason::path_length_exceeded, "it allows " + std::to_string(*length) + " below it, there are " + std::to_string(below)});
    }
    if (i < top && !certificates_[i]->self_issued()) ++below;
  }
  if (demands_.intermediates_max && below > *demands_.intermediates_max) {
    return Finding{Reason::chain_is_too_deep, Role::whole_case, 0, std::to_string(below) + " intermediates, at most " + std::to_string(*demands_.intermediates_max) + " are allowed"};
  }
  if (auto fault = check_name_constraints(certificates_)) return at_step(fault->at, std::move(fault->fault));
  for (std::size_t i = 1; i <= top; ++i) {
    const ExtendedUsage& extended = certificates_[i]->extended_usage;
    if (!extended.present || extended.has(oid::any_usage.view())) continue;
    for (const base::Bytes& purpose : demands_.purposes) {
      if (!extended.has(purpose)) return at_step(i, {Reason::certificate_usage_does_not_fit, "the authority may not issue for " + to_dotted(purpose)});
    }
  }
  if (const auto at = check_policies(certificates_, demands_.policy)) return at_step(*at, {Reason::policy_is_not_satisfied, {}});
  return std::nullopt;
}

bool Search::revocation_allows(Attempt& attempt) {
  if (demands_.revocation == Revocation::off) return true;
  const RevocationEvidence evidence{materials_.lists, materials_.responses};
  // From the top: an issuer has to be good before its lists are.
  for (std::size_t i = path_.size() - 1; i-- > 0;) {
    if (demands_.revocation_of_leaf_only && i != 0) continue;
    RevocationAnswer answer = judge_revocation(*certificates_[i], *certificates_[i + 1], evidence, demands_, checker_, attempt.findings);
    attempt.revocation.insert(attempt.revocation.begin(), {i, answer});
    if (answer.standing == Standing::revoked) {
      attempt.refusal = at_step(i, {Reason::certificate_is_revoked, answer.evidence});
      return false;
    }
    if (answer.standing == Standing::good) continue;
    Finding unknown = at_step(i, {Reason::revocation_is_unknown, answer.evidence});
    if (demands_.revocation == Revocation::hard) {
      attempt.refusal = std::move(unknown);
      return false;
    }
    attempt.findings.push_back(std::move(unknown));
  }
  return true;
}

// The path reaches an anchor: does it hold?
bool Search::complete() {
  if (++paths_ > paths_max) {
    exhausted_ = true;
    return false;
  }
  Attempt attempt;
  std::optional<std::size_t> first;
  for (std::size_t i = 1; i < path_.size(); ++i) {
    if (faults_of(path_[i].role, path_[i].index).empty()) continue;
    if (!first) first = i;
    ++attempt.faulty;
  }
  if (first) {
    const std::vector<Fault>& faults = faults_of(path_[*first].role, path_[*first].index);
    attempt.progress = Progress::faulty_certificates;
    attempt.refusal = at_step(*first, faults[0]);
    for (std::size_t i = 1; i < faults.size(); ++i) attempt.findings.push_back(at_step(*first, faults[i]));
    keep(std::move(attempt));
    return false;
  }
  if (auto broken = broken_rule()) {
    attempt.progress = Progress::broken_rule;
    attempt.refusal = std::move(*broken);
    keep(std::move(attempt));
    return false;
  }
  if (!revocation_allows(attempt)) {
    attempt.progress = Progress::revoked;
    keep(std::move(attempt));
    return false;
  }
  attempt.path = path_;
  best_ = std::move(attempt);
  return true;
}

}  // namespace crypto::chain
