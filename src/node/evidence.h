#pragma once
// Makes evidence bundles (docs/format/evidence.md) of transfers.

#include <string>
#include <vector>

#include "audit/evidence.h"
#include "base/result.h"
#include "node/audit_log.h"

namespace node {

/// What is known of the transfer, from a state at least as new as `published`.
struct EvidenceSubject {
  model::TransferId id{};
  model::EventNumber resolved = 0;          ///< event that ended the hold; 0 if none
  bool disclose = true;                     ///< personal values with their salts
  std::vector<model::EventNumber> context;  ///< events that say what the numbers in it mean: its asset, its accounts
};

/// The bundle under one published checkpoint: the transfer's events that its tree holds, what their numbers mean, proofs,
/// the earliest time-stamps of a tree that holds its events, and the log's signed word that there are no others. Errors: those of journal and tiles, `event_malformed`.
base::Result<std::string> make_evidence(AuditLog& log, const store::JournalReader& reader, const Published& published,
                                        const EvidenceSubject& subject);

}  // namespace node
