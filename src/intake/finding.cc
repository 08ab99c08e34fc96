#include "intake/finding.h"

#include <algorithm>

namespace intake {

void Notes::add(Cause cause, Place place, std::string evidence) {
  add_as(row_of(cause).severity, cause, place, std::move(evidence));
}

void Notes::add_as(Severity severity, Cause cause, Place place, std::string evidence) {
  for (Finding& known : findings_) {
    if (known.cause != cause) continue;
    if (known.place.begin != place.begin || known.evidence != evidence) continue;
    known.severity = std::max(known.severity, severity);
    return;
  }
  // A hostile input could repeat a cause without end; what matters is that it was seen.
  constexpr std::size_t findings_max = 200;
  if (findings_.size() >= findings_max && severity < Severity::error) return;
  if (findings_.size() >= 2 * findings_max) return;
  findings_.push_back({cause, severity, place, std::move(evidence), {}});
}

bool Notes::has(Cause cause) const {
  return std::any_of(findings_.begin(), findings_.end(), [&](const Finding& f) { return f.cause == cause; });
}

bool Notes::at_least(Severity severity) const {
  return std::any_of(findings_.begin(), findings_.end(), [&](const Finding& f) { return f.severity >= severity; });
}

}  // namespace intake
