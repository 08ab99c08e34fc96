#pragma once
// What evidence says, in words, for people who did not build it. Made from what was verified, never from what a bundle
// says about itself.

#include <string>
#include <string_view>

#include "audit/evidence_check.h"

namespace audit {

enum class SummaryLanguage { english, chinese };

/// Some lines of plain text.
std::string evidence_summary(const VerifiedEvidence& verified, SummaryLanguage language);
/// One page in both languages that prints well; no scripts, nothing loaded from anywhere.
std::string evidence_page(const VerifiedEvidence& verified);
/// One JSON object for programs.
std::string evidence_facts(const VerifiedEvidence& verified);

/// The text with `?` for every control character: a terminal must not be told what to do by a stranger.
std::string printable(std::string_view text);

}  // namespace audit
