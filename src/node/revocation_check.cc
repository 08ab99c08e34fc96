#include "node/revocation_check.h"

#include <algorithm>
#include <utility>

#include "base/bytes.h"
#include "crypto/chain/name.h"
#include "crypto/chain/ocsp.h"
#include "crypto/chain/ocsp_request.h"
#include "crypto/chain/pem.h"
#include "crypto/chain/reason.h"
#include "crypto/chain/revocation_list.h"

namespace node {

namespace chain = crypto::chain;

namespace {

constexpr std::array<std::string_view, revocation_results> result_texts = {"good", "revoked", "unknown", "expired", "not_yet_valid"};

RevocationFinding finding(RevocationResult result, chain::Reason reason, std::string evidence) {
  return {result, std::string(chain::row_of(reason).code), std::move(evidence)};
}

bool is_in_time(const chain::Certificate& certificate, std::int64_t now_s) {
  return now_s >= certificate.not_before_s && now_s <= certificate.not_after_s;
}

std::string words(const base::Error& error, std::string_view url) { return std::string(url) + ": " + error.message; }

}  // namespace

std::string_view to_text(RevocationResult result) { return result_texts[static_cast<std::size_t>(result)]; }

base::Result<std::vector<chain::Certificate>> read_certificates(std::string_view pem) {
  TRY_ASSIGN(std::vector<chain::PemBlock> blocks, chain::pem_blocks(pem));
  std::vector<chain::Certificate> certificates;
  for (chain::PemBlock& block : blocks) {
    TRY_ASSIGN(chain::Certificate certificate, chain::read_certificate(std::move(block.der)));
    certificates.push_back(std::move(certificate));
  }
  return certificates;
}

// What is known of one certificate while it is checked.
struct RevocationCheck::Case {
  std::vector<chain::Certificate> certificates;   // the one that is judged first
  const chain::Certificate* issuer = nullptr;
  std::int64_t now_s = 0;
  std::size_t addresses = 0;                      // named by the certificate
  std::vector<chain::OcspResponse> responses;
  std::vector<chain::RevocationList> lists;
  chain::RevocationAnswer answer;
  std::vector<RevocationFinding> troubles;        // in the order in which they were met

  const chain::Certificate& leaf() const { return certificates.front(); }
  void trouble(const base::Error& error, std::string_view url) {
    troubles.push_back({RevocationResult::unknown, error.code, words(error, url)});
  }
};

RevocationFinding RevocationCheck::check(std::string_view pem, base::Instant now) {
  Case one;
  one.now_s = now.ns / base::seconds(1).ns;
  auto certificates = read_certificates(pem);
  if (!certificates.ok()) return {RevocationResult::unknown, certificates.error().code, certificates.error().message};
  one.certificates = std::move(*certificates);
  if (one.certificates.empty()) return {RevocationResult::unknown, "certificate_was_not_kept", "import it again, with its issuer's certificate"};
  const chain::Certificate& leaf = one.leaf();
  if (one.now_s > leaf.not_after_s) return finding(RevocationResult::expired, chain::Reason::certificate_is_expired, "");
  if (one.now_s < leaf.not_before_s) return finding(RevocationResult::not_yet_valid, chain::Reason::certificate_is_not_yet_valid, "");
  one.issuer = issuer_of(one);
  if (one.issuer == nullptr) {
    const auto reason = leaf.self_issued() ? chain::Reason::certificate_is_self_signed : chain::Reason::chain_misses_intermediate;
    return finding(RevocationResult::unknown, reason, "issued by " + chain::name_text(leaf.issuer));
  }
  // Whoever answers for the one certificate is asked first: a list is as large as its authority is.
  ask_responders(one);
  if (!judge(one)) {
    fetch_lists(one);
    judge(one);
  }
  if (one.answer.standing == chain::Standing::good) return {RevocationResult::good, {}, one.answer.evidence};
  if (one.answer.standing == chain::Standing::revoked) return finding(RevocationResult::revoked, chain::Reason::certificate_is_revoked, one.answer.evidence);
  if (!one.troubles.empty()) return one.troubles.front();
  if (one.addresses == 0) return {RevocationResult::unknown, "revocation_is_not_published", "the certificate names neither a responder nor a list"};
  return finding(RevocationResult::unknown, chain::Reason::revocation_is_unknown, one.answer.evidence);
}

// The certificate that signed the one in question and may speak now; what the operator named comes before what came along.
const chain::Certificate* RevocationCheck::issuer_of(const Case& one) {
  const chain::Certificate& leaf = one.leaf();
  const auto scheme = chain::scheme_of(leaf.algorithm);
  if (!scheme || scheme->weak()) return nullptr;
  const auto issued = [&](const chain::Certificate& candidate) {
    return candidate.subject_name == leaf.issuer_name && candidate.authority() && is_in_time(candidate, one.now_s) && candidate.faults.empty() &&
           checker_.check(candidate.key, leaf.algorithm, leaf.to_be_signed, leaf.signature) == chain::Answer::good;
  };
  if (const auto found = std::ranges::find_if(authorities_, issued); found != authorities_.end()) return &*found;
  const auto found = std::find_if(one.certificates.begin() + 1, one.certificates.end(), issued);
  return found == one.certificates.end() ? nullptr : &*found;
}

// The first response that settles it ends the asking.
void RevocationCheck::ask_responders(Case& one) {
  const auto& urls = one.leaf().access.ocsp;
  one.addresses += urls.size();
  for (const std::string_view url : std::span(urls).first(std::min(urls.size(), revocation_addresses_max))) {
    auto fetched = fetch_.response(std::string(url), chain::ocsp_request(one.leaf(), *one.issuer));
    if (!fetched.ok()) {
      one.trouble(fetched.error(), url);
      continue;
    }
    auto response = chain::read_ocsp_response(std::move(*fetched));
    if (!response.ok()) {
      one.trouble(response.error(), url);
      continue;
    }
    one.responses.clear();
    one.responses.push_back(std::move(*response));
    if (judge(one)) return;
  }
}

// All points together cover all reasons; each may be had at several addresses. Where a delta cannot be had, the list that it builds on
// still counts: it is in date.
void RevocationCheck::fetch_lists(Case& one) {
  const chain::Certificate& leaf = one.leaf();
  for (const auto* points : {&leaf.distribution_points, &leaf.freshest_points}) {
    for (const chain::DistributionPoint& point : std::span(*points).first(std::min(points->size(), revocation_addresses_max))) fetch_point(one, point);
  }
}

void RevocationCheck::fetch_point(Case& one, const chain::DistributionPoint& point) {
  std::size_t asked = 0;
  for (const chain::GeneralName& name : point.names) {
    if (name.form != chain::Form::uri) continue;
    ++one.addresses;
    if (++asked > revocation_addresses_max) return;
    const std::string_view url = base::as_text(name.value);
    auto fetched = fetch_.list(std::string(url));
    if (!fetched.ok()) {
      one.trouble(fetched.error(), url);
      continue;
    }
    auto list = chain::read_revocation_list(std::move(*fetched));
    if (!list.ok()) {
      one.trouble(list.error(), url);
      continue;
    }
    one.lists.push_back(std::move(*list));
    return;
  }
}

// True once it is settled.
bool RevocationCheck::judge(Case& one) {
  chain::Demands demands;
  demands.now_s = one.now_s;
  std::vector<chain::Finding> problems;
  one.answer = chain::judge_revocation(one.leaf(), *one.issuer, {one.lists, one.responses}, demands, checker_, problems);
  for (const chain::Finding& problem : problems) {
    RevocationFinding trouble{RevocationResult::unknown, std::string(problem.code()), problem.evidence};
    if (std::ranges::find(one.troubles, trouble) == one.troubles.end()) one.troubles.push_back(std::move(trouble));
  }
  return one.answer.standing != chain::Standing::unknown;
}

}  // namespace node
