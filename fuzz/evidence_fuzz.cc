// rooms: audit base
// Evidence and policies from anybody: what is read is written again byte for byte, and nothing unsigned is believed.

#include <cstdlib>
#include <string_view>

#include "audit/evidence.h"
#include "audit/evidence_check.h"
#include "audit/policy.h"
#include "audit/witness.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  if (const auto evidence = audit::parse_evidence(text); evidence.ok()) {
    if (audit::evidence_text(*evidence) != text) std::abort();
  }
  if (const auto policy = audit::parse_policy(text); policy.ok()) {
    const auto again = audit::parse_policy(audit::policy_text(*policy));
    if (!again.ok() || audit::policy_text(*again) != audit::policy_text(*policy)) std::abort();
    (void)policy->satisfied_by({});
  }
  if (const auto request = audit::parse_add_checkpoint(text); request.ok()) {
    if (audit::judge_add_checkpoint(*request, {}, {}).status == 200) std::abort();
  }
  if (audit::check_evidence(text, {}, {}).ok()) std::abort();
  return 0;
}
