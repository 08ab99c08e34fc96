#include "crypto/chain/revocation.h"

#include <algorithm>

#include "crypto/chain/lint.h"
#include "crypto/chain/oid.h"

namespace crypto::chain {
namespace {

using base::ByteView;

// Bits 1 to 8 of ReasonFlags; bit 0 is unused.
constexpr std::uint32_t all_reasons_mask = 0x1FE;
// Clocks of responders run ahead of ours by a little.
constexpr std::int64_t ahead_max_s = 300;

bool same(ByteView a, ByteView b) { return std::equal(a.begin(), a.end(), b.begin(), b.end()); }

// Compares numbers without leading zeros.
bool less(ByteView a, ByteView b) {
  return a.size() != b.size() ? a.size() < b.size() : std::lexicographical_compare(a.begin(), a.end(), b.begin(), b.end());
}

class Judge {
 public:
  Judge(const Certificate& certificate, const Certificate& issuer, const RevocationEvidence& evidence, const Demands& demands,
        SignatureChecker& checker, std::vector<Finding>& problems)
      : certificate_(certificate), issuer_(issuer), evidence_(evidence), demands_(demands), checker_(checker), problems_(problems) {}

  RevocationAnswer by_lists(const Certificate& certificate);
  RevocationAnswer by_response(std::size_t index);

 private:
  void problem(Reason reason, Role role, std::size_t index, std::string text = {}) {
    problems_.push_back({reason, role, index, std::move(text)});
  }
  bool usable(const RevocationList& list, std::size_t index);
  bool covers(const RevocationList& list, const Certificate& certificate) const;
  const RevocationList* delta_for(const RevocationList& complete, std::size_t& index);
  const Certificate* signer_of(const OcspResponse& response, std::size_t index);
  bool fresh(const OcspAnswer& answer, std::size_t index);
  bool is_about(const OcspAnswer& answer) const;

  const Certificate& certificate_;
  const Certificate& issuer_;
  const RevocationEvidence& evidence_;
  const Demands& demands_;
  SignatureChecker& checker_;
  std::vector<Finding>& problems_;
};

bool Judge::usable(const RevocationList& list, std::size_t index) {
  constexpr Role role = Role::revocation_list;
  const bool strict = demands_.profile != Profile::private_use;
  if (!list.faults.empty()) {
    problem(list.faults[0].reason, role, index, list.faults[0].evidence);
  } else if (list.indirect) {
    problem(Reason::revocation_list_is_indirect, role, index);
  } else if (strict && (list.version != 2 || !list.number || list.number_is_critical || !list.next_update_s)) {
    problem(Reason::revocation_list_breaks_profile, role, index,
            list.version != 2          ? "version 1"
            : !list.number             ? "it has no CRL number"
            : list.number_is_critical ? "its CRL number is critical"
                                      : "it does not say when the next one comes");
  } else if (issuer_.key_usage.present && (issuer_.key_usage.bits & usage::crl_sign) == 0) {
    problem(Reason::revocation_list_issuer_not_entitled, role, index, "the key usage of " + name_text(issuer_.subject) + " lacks cRLSign");
  } else if (demands_.now_s + ahead_max_s < list.this_update_s) {
    problem(Reason::revocation_list_is_not_yet_valid, role, index, "made at " + time_text(list.this_update_s));
  } else if (list.next_update_s && demands_.now_s > *list.next_update_s) {
    problem(Reason::revocation_list_is_expired, role, index, "the next one was due at " + time_text(*list.next_update_s));
  } else if (const auto scheme = scheme_of(list.algorithm); !scheme || scheme->weak()) {
    problem(Reason::revocation_list_signature_is_invalid, role, index, "its algorithm is weak or unknown");
  } else if (checker_.check(issuer_.key, list.algorithm, list.to_be_signed, list.signature) != Answer::good) {
    problem(Reason::revocation_list_signature_is_invalid, role, index, "under the key of " + name_text(issuer_.subject));
  } else {
    return true;
  }
  return false;
}

// RFC 5280 section 6.3.3 (b).
bool Judge::covers(const RevocationList& list, const Certificate& certificate) const {
  if (list.only_attributes || (list.only_users && certificate.authority()) || (list.only_authorities && !certificate.authority())) return false;
  if (!list.has_scope || (list.point.names.empty() && list.point.relative.empty())) return true;
  for (const DistributionPoint& point : certificate.distribution_points) {
    if (point.has_issuer) continue;
    if (!point.relative.empty() && same(point.relative, list.point.relative)) return true;
    for (const GeneralName& name : point.names) {
      const bool found = std::any_of(list.point.names.begin(), list.point.names.end(), [&](const GeneralName& one) {
        return one.form == name.form && same(one.value, name.value);
      });
      if (found) return true;
    }
  }
  return false;
}

// The newest delta that builds on `complete` (RFC 5280 section 5.2.4).
const RevocationList* Judge::delta_for(const RevocationList& complete, std::size_t& index) {
  const RevocationList* best = nullptr;
  for (std::size_t i = 0; i < evidence_.lists.size(); ++i) {
    const RevocationList& delta = evidence_.lists[i];
    if (!delta.delta_base || delta.issuer_name != complete.issuer_name || !complete.number || !delta.number) continue;
    const bool builds = same(delta.scope, complete.scope) && !less(*complete.number, *delta.delta_base) && !less(*delta.number, *complete.number);
    if (!builds || (best != nullptr && !less(*best->number, *delta.number)) || !usable(delta, i)) continue;
    best = &delta;
    index = i;
  }
  return best;
}

std::string revoked_text(std::int64_t date_s, std::uint32_t reason) {
  return "revoked at " + time_text(date_s) + ", reason " + std::string(revocation_reason_name(reason));
}

RevocationAnswer Judge::by_lists(const Certificate& certificate) {
  constexpr Role role = Role::revocation_list;
  RevocationAnswer answer;
  std::uint32_t covered = 0;
  bool base_seen = false;
  std::size_t lonely_delta = evidence_.lists.size();
  for (std::size_t i = 0; i < evidence_.lists.size(); ++i) {
    const RevocationList& list = evidence_.lists[i];
    if (list.issuer_name != certificate.issuer_name) continue;
    if (list.delta_base) {
      // What a delta adds is believed even where its base is missing; only `good` needs the whole.
      lonely_delta = i;
      if (const auto entry = list.find(certificate.serial); entry && entry->reason != reason_remove_from_list && usable(list, i) && covers(list, certificate)) {
        return {Standing::revoked, role, i, revoked_text(entry->date_s, entry->reason)};
      }
      continue;
    }
    base_seen = true;
    if (!usable(list, i)) continue;
    if (!covers(list, certificate)) {
      problem(Reason::revocation_list_is_out_of_scope, role, i);
      continue;
    }
    std::size_t delta_index = 0;
    const RevocationList* const delta = delta_for(list, delta_index);
    const auto update = delta != nullptr ? delta->find(certificate.serial) : std::nullopt;
    if (update && update->reason != reason_remove_from_list) return {Standing::revoked, role, delta_index, revoked_text(update->date_s, update->reason)};
    const auto entry = list.find(certificate.serial);
    const bool released = update && entry && entry->reason == reason_certificate_hold;
    if (entry && !released) return {Standing::revoked, role, i, revoked_text(entry->date_s, entry->reason)};
    covered |= list.point.reasons.value_or(all_reasons_mask);
    if ((covered & all_reasons_mask) == all_reasons_mask) answer = {Standing::good, role, i, "not on the list of " + time_text(list.this_update_s)};
  }
  if (!base_seen && lonely_delta < evidence_.lists.size()) problem(Reason::delta_list_has_no_base, role, lonely_delta);
  return answer;
}

// Who signed a response and may speak for the issuer (RFC 6960 section 4.2.2.2): the issuer itself, or a certificate of the
// issuer for OCSP signing.
const Certificate* Judge::signer_of(const OcspResponse& response, std::size_t index) {
  constexpr Role role = Role::ocsp_response;
  const auto named = [&](const Certificate& one) {
    if (!response.responder_name.empty()) return response.responder_name == one.subject_name;
    const auto hash = sha1_name(one.key.bits);
    return same(hash, response.responder_key_hash);
  };
  if (named(issuer_)) return &issuer_;
  std::string why = "nobody in it is the responder it names";
  for (const Certificate& one : response.certificates) {
    if (!named(one)) continue;
    const bool in_time = demands_.now_s >= one.not_before_s && demands_.now_s <= one.not_after_s;
    const bool may_sign = !one.key_usage.present || (one.key_usage.bits & usage::digital_signature) != 0;
    const auto scheme = scheme_of(one.algorithm);
    if (one.issuer_name != issuer_.subject_name) {
      why = "the responder's certificate is of another issuer";
    } else if (!one.faults.empty() || !one.extended_usage.has(oid::ocsp_signing.view()) || !may_sign) {
      why = "the responder's certificate is not for OCSP signing";
    } else if (!in_time) {
      why = "the responder's certificate is not valid now";
    } else if (!scheme || scheme->weak() || checker_.check(issuer_.key, one.algorithm, one.to_be_signed, one.signature) != Answer::good) {
      why = "the responder's certificate is not signed by the issuer";
    } else if (!one.ocsp_no_check && by_lists(one).standing == Standing::revoked) {
      why = "the responder's certificate is revoked";
    } else {
      return &one;
    }
  }
  problem(Reason::ocsp_responder_not_entitled, role, index, why);
  return nullptr;
}

bool Judge::is_about(const OcspAnswer& answer) const {
  if (!same(answer.serial, certificate_.serial)) return false;
  const auto name = digest_named(answer.hash_algorithm, certificate_.issuer);
  const auto key = digest_named(answer.hash_algorithm, issuer_.key.bits);
  return name && key && same(*name, answer.issuer_name_hash) && same(*key, answer.issuer_key_hash);
}

bool Judge::fresh(const OcspAnswer& answer, std::size_t index) {
  constexpr Role role = Role::ocsp_response;
  const std::int64_t until = answer.next_update_s.value_or(answer.this_update_s + demands_.ocsp_age_max_s);
  if (demands_.now_s + ahead_max_s < answer.this_update_s) {
    problem(Reason::ocsp_response_is_not_yet_valid, role, index, "made at " + time_text(answer.this_update_s));
  } else if (demands_.now_s > until || until < answer.this_update_s) {
    problem(Reason::ocsp_response_is_expired, role, index, "good until " + time_text(until));
  } else {
    return true;
  }
  return false;
}

RevocationAnswer Judge::by_response(std::size_t index) {
  constexpr Role role = Role::ocsp_response;
  const OcspResponse& response = evidence_.responses[index];
  if (response.der.empty()) return {};  // could not be read
  if (response.response_status != 0) {
    problem(Reason::ocsp_response_is_not_successful, role, index, "status " + std::to_string(response.response_status));
    return {};
  }
  const auto answer = std::find_if(response.answers.begin(), response.answers.end(), [&](const OcspAnswer& one) { return is_about(one); });
  if (answer == response.answers.end()) {
    problem(Reason::ocsp_response_is_for_another_certificate, role, index);
    return {};
  }
  if (response.has_unknown_critical) {
    problem(Reason::ocsp_response_is_malformed, role, index, "a critical extension is not understood");
    return {};
  }
  if (demands_.ocsp_nonce && (!response.nonce || !same(*response.nonce, *demands_.ocsp_nonce))) {
    problem(Reason::ocsp_nonce_differs, role, index, response.nonce ? "it repeats another one" : "it repeats none");
    return {};
  }
  const Certificate* const signer = signer_of(response, index);
  if (signer == nullptr) return {};
  const auto scheme = scheme_of(response.algorithm);
  if (!scheme || scheme->weak() || checker_.check(signer->key, response.algorithm, response.to_be_signed, response.signature) != Answer::good) {
    problem(Reason::ocsp_signature_is_invalid, role, index);
    return {};
  }
  if (!fresh(*answer, index)) return {};
  switch (answer->status) {
    case OcspStatus::good: return {Standing::good, role, index, "good at " + time_text(answer->this_update_s)};
    case OcspStatus::revoked: return {Standing::revoked, role, index, revoked_text(answer->revoked_s, answer->reason)};
    case OcspStatus::unknown: break;
  }
  return {Standing::unknown, role, index, "the responder does not know the certificate"};
}

}  // namespace

std::string_view name_of(Standing standing) {
  switch (standing) {
    case Standing::good: return "good";
    case Standing::revoked: return "revoked";
    case Standing::unknown: return "unknown";
  }
  return "";
}

RevocationAnswer judge_revocation(const Certificate& certificate, const Certificate& issuer, const RevocationEvidence& evidence,
                                  const Demands& demands, SignatureChecker& checker, std::vector<Finding>& problems) {
  Judge judge(certificate, issuer, evidence, demands, checker, problems);
  RevocationAnswer answer = judge.by_lists(certificate);
  for (std::size_t i = 0; i < evidence.responses.size() && answer.standing != Standing::revoked; ++i) {
    RevocationAnswer response = judge.by_response(i);
    const bool better = response.standing == Standing::revoked || (answer.standing == Standing::unknown && response.source != Role::whole_case);
    if (better) answer = std::move(response);
  }
  if (answer.source == Role::whole_case) answer.evidence = "no list or response that may be used covers it";
  return answer;
}

}  // namespace crypto::chain
