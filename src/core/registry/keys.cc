// What people and pipelines do to keys, and what time does.

#include <set>

#include "core/registry/registry.h"

namespace core {

using model::KeyCause;
using model::KeyState;
using model::KeyVerb;
using model::Outcome;

namespace {

// The version a command means, and what it comes to if it cannot be moved; `done` if it can.
struct Meant {
  const KeyVersionRecord* version = nullptr;
  Outcome outcome = Outcome::done;
};

bool may_become_active(const KeyVersionRecord& version) { return version.status() == KeyState::next || version.status() == KeyState::suspended; }

// The newest version that can become active; null if there is none.
const KeyVersionRecord* newest_applicable(const RegistryTables& registry, model::KeyNumber number, const KeyRecord& key) {
  for (model::KeyVersion version = key.versions; version > 0; --version) {
    const KeyVersionRecord* found = registry.version(number, version);
    if (may_become_active(*found)) return found;
  }
  return nullptr;
}

Meant find_version(const Docket& docket, const model::SteerKey& body, const KeyRecord& key) {
  const RegistryTables& registry = docket.registry();
  if (body.version == 0) {
    const KeyVersionRecord* found = newest_applicable(registry, body.key, key);
    return {found, found == nullptr ? Outcome::key_version_not_found : Outcome::done};
  }
  const KeyVersionRecord* found = registry.version(body.key, body.version);
  return {found, found == nullptr ? Outcome::key_version_not_found : Outcome::done};
}

// What went wrong goes, what was there before comes back; without an active version only the latter.
void roll_back(Docket& docket, const model::SteerKey& body, const KeyRecord& key) {
  const KeyVersionRecord* former = former_version(docket, key);
  if (former == nullptr) return docket.refuse(Outcome::key_has_no_former_version, body.key);
  const VersionStep step{KeyCause::rollback, body.reason};
  if (key.active == 0) return activate(docket, *former, step);
  take_back(docket, *docket.registry().version(body.key, key.active), step);
}

void apply_version(Docket& docket, const KeyVersionRecord& version, const VersionStep& step) {
  if (!may_become_active(version)) return docket.refuse(Outcome::key_state_forbids, version.key);
  const bool is_late = version.proven == 0 && version.usable_until_ns != 0 && version.usable_until_ns <= docket.at().ns;
  if (is_late) return docket.refuse(Outcome::key_version_not_confirmed, version.key);
  activate(docket, version, step);
}

// Where a verb leads that does nothing but move one version, and why. What was suspended because of its certificate brings nothing
// back by itself: the former version, if it still verifies, goes on doing so until its overlap is over.
struct Move {
  KeyState to;
  KeyCause cause = KeyCause::request;
};
Move move_of(KeyVerb verb) {
  switch (verb) {
    case KeyVerb::retire: return {KeyState::retired};
    case KeyVerb::compromise: return {KeyState::compromised};
    case KeyVerb::suspend_revoked: return {KeyState::suspended, KeyCause::certificate_revoked};
    case KeyVerb::suspend_unknown: return {KeyState::suspended, KeyCause::revocation_unknown};
    default: return {KeyState::destroyed};
  }
}

// --- time ---------------------------------------------------------------------------------------------------------------------

void warn_of_end(Docket& docket, const KeyVersionRecord& version) {
  const ImportRecord& import = *docket.registry().import(version.import);
  const auto at_days = [&](std::uint8_t days) { return import.not_after_ns - base::seconds(86'400LL * days).ns; };
  // The most urgent warning whose time has come; the earlier ones are said by it.
  std::size_t told = 0;
  while (told + 1 < model::key_warning_days.size() && at_days(model::key_warning_days[told + 1]) <= docket.at().ns) ++told;
  const bool is_last = told + 1 == model::key_warning_days.size();
  docket.emit(model::KeyExpiryWarned{.key = version.key,
                                     .version = version.version,
                                     .days = model::key_warning_days[told],
                                     .not_after = {import.not_after_ns},
                                     .next_at = {is_last ? 0 : at_days(model::key_warning_days[told + 1])}});
}

// Nobody confirmed in time what two people let in: it goes, and people look at it.
void end_provisional(Docket& docket, const KeyVersionRecord& version) {
  const ImportRecord& import = *docket.registry().import(version.import);
  take_back(docket, version, {KeyCause::confirmation_missing});
  if (import.status() == model::ImportState::provisional) move_import(docket, import, model::ImportState::manual_review, model::ImportCause::expiry);
}

void wake(Docket& docket, const KeyVersionRecord& version) {
  const std::int64_t now = docket.at().ns;
  if (version.due_ns == 0 || version.due_ns > now) return warn_of_end(docket, version);
  switch (version.status()) {
    case KeyState::next: return activate(docket, version, {KeyCause::schedule});
    case KeyState::active: return end_provisional(docket, version);
    default: return move_version(docket, version, KeyState::retired, {KeyCause::overlap_over});
  }
}

}  // namespace

void decide(Docket& docket, const model::SteerKey& body) {
  const KeyRecord* key = docket.registry().key(body.key);
  if (key == nullptr || key->tenant != docket.command().tenant) return docket.refuse(Outcome::key_not_found, body.key);
  if (body.verb == KeyVerb::rollback) return roll_back(docket, body, *key);
  const Meant meant = find_version(docket, body, *key);
  if (meant.outcome != Outcome::done) return docket.refuse(meant.outcome, body.key);
  if (body.verb == KeyVerb::apply) return apply_version(docket, *meant.version, {KeyCause::request, body.reason});
  const Move move = move_of(body.verb);
  if (meant.version->status() == move.to || !model::may_move(meant.version->status(), move.to)) return docket.refuse(Outcome::key_state_forbids, body.key);
  move_version(docket, *meant.version, move.to, {move.cause, body.reason});
}

void pass_time_of_keys(Docket& docket, const model::Tick& body) {
  const RegistryTables& registry = docket.registry();
  std::set<model::KeyNumber> touched;
  for (const auto& [due_ns, received] : registry.import_deadlines()) {
    if (due_ns > docket.at().ns || docket.event_count() >= body.expiries_max) break;
    const ImportRecord& import = *registry.import(received);
    move_import(docket, import, model::ImportState::rejected, model::ImportCause::expiry);
  }
  for (const auto& [wakes_ns, place] : registry.version_deadlines()) {
    if (wakes_ns > docket.at().ns || docket.event_count() >= body.expiries_max) break;
    const KeyVersionRecord& version = registry.version_at(place - 1);
    if (touched.insert(version.key).second) wake(docket, version);
  }
}

}  // namespace core
