#pragma once
// Findings as an import keeps and tells them. Private to this room.

#include <cstddef>
#include <span>
#include <string>
#include <string_view>

#include "intake/finding.h"

namespace gate {

/// At most so many bytes, cut between characters: what is told is UTF-8.
std::string_view bounded(std::string_view text, std::size_t bytes_max);

/// An array of the first findings_told_max of them; of a secret without evidence and repair.
std::string findings_json(std::span<const intake::Finding> findings, bool with_evidence);

}  // namespace gate
