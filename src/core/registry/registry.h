#pragma once
// The law of partners' keys (design section 8): imports that are proven or approved before they count, versions that follow one
// another with an overlap, rollback, compromise. docs/registry.md tells the whole story.
//
// Doctor and signatures are judged outside, before a command is made; what they said is an argument here.

#include <optional>

#include "core/registry/docket.h"

namespace core {

// Each refuses, or emits at least one event; the first says what the command came to.
void decide(Docket& docket, const model::ImportKey& body);
void decide(Docket& docket, const model::ChallengeImport& body);
void decide(Docket& docket, const model::ProveImport& body);
void decide(Docket& docket, const model::ReviewImport& body);
void decide(Docket& docket, const model::SteerKey& body);

/// What time does by itself: schedules, overlaps that are over, keys that nobody confirmed, imports that nobody wanted, warnings.
/// At most one step for each key, and body.expiries_max events in all; what is left is due at the next tick.
void pass_time_of_keys(Docket& docket, const model::Tick& body);

// --- steps that imports, people and time share (rotation.cc). Each decision takes at most one of them for a key. ---------------

/// A version out of an import that is through: `next`, and active at once unless it is staged or scheduled.
void add_version(Docket& docket, const ImportRecord& import, bool proven);
/// The same where `key` and `import` are only on their way into their tables: as they will stand there.
void add_version(Docket& docket, const KeyRecord& key, const ImportRecord& import, bool proven);
/// What has to be said of a version besides its state.
struct VersionStep {
  model::KeyCause cause = model::KeyCause::request;
  std::optional<model::Commitment> reason = {};
};
/// Makes a version active; the active one of before retires, with its overlap.
void activate(Docket& docket, const KeyVersionRecord& version, const VersionStep& step);
/// Takes a version out of use: the former one comes back if there is one that can.
void take_back(Docket& docket, const KeyVersionRecord& version, const VersionStep& step);
/// The version that a rollback of this key brings back; null without one.
const KeyVersionRecord* former_version(const Docket& docket, const KeyRecord& key);

/// To another state, with nothing that time has to do.
void move_version(Docket& docket, const KeyVersionRecord& version, model::KeyState to, const VersionStep& step);
void move_import(Docket& docket, const ImportRecord& import, model::ImportState to, model::ImportCause cause, base::Instant due = {});

}  // namespace core
