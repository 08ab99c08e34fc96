#pragma once
// Makes evidence bundles (docs/format/evidence.md) of transfers and imports.

#include <string>
#include <vector>

#include "audit/evidence.h"
#include "base/result.h"
#include "node/audit_log.h"

namespace node {

/// What is known of an item, from a state and views at least as new as the tree that it is to be proven under.
struct EvidenceSubject {
  audit::EvidenceKind kind = audit::EvidenceKind::transfer;
  std::string id;
  bool disclose = true;                     ///< personal values with their salts
  std::vector<model::EventNumber> items;    ///< its events; those that the tree does not hold yet are left out
  std::vector<model::EventNumber> context;  ///< events that say what the numbers in it mean: its asset, its accounts, its hold
};

/// The bundle under one published checkpoint: the item's events that its tree holds, what their numbers mean, proofs, the
/// earliest anchors of a tree that holds its events, and the log's signed word that there are no others.
/// Errors: `evidence_too_large` (more than audit::evidence_events_max events, or evidence_bytes_max), those of journal and
/// tiles, `event_malformed`.
base::Result<std::string> make_evidence(AuditLog& log, const store::JournalReader& reader, const Published& published,
                                        const EvidenceSubject& subject);

}  // namespace node
