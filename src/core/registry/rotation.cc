// Versions of keys that follow one another.

#include <algorithm>

#include "base/check.h"
#include "core/registry/registry.h"

namespace core {

using model::KeyCause;
using model::KeyState;

namespace {

// One that nobody proved is usable for a while only, from the moment it first becomes active.
base::Instant usable_until(const Docket& docket, bool proven, std::int64_t as_before_ns) {
  if (proven) return {};
  if (as_before_ns != 0) return {as_before_ns};
  return docket.at() + docket.bounds().provisional_for;
}

// The next warning about an end that is still to come; the most urgent one at once if there was none in time.
base::Instant first_warning(const Docket& docket, std::int64_t not_after_ns) {
  if (not_after_ns == 0) return {};
  const base::Instant first{not_after_ns - base::seconds(86'400LL * model::key_warning_days.front()).ns};
  return std::max(first, docket.at());
}

// The version before goes on for its overlap, though never longer than it may be used unproven.
void retire_slowly(Docket& docket, const KeyRecord& key, const KeyVersionRecord& version) {
  const base::Duration overlap = key.overlap_ns == 0 ? docket.bounds().overlap_default : base::Duration{key.overlap_ns};
  base::Instant due = docket.at() + overlap;
  if (version.usable_until_ns != 0) due = std::min(due, base::Instant{version.usable_until_ns});
  docket.emit(model::KeyVersionMoved{.key = version.key,
                                     .version = version.version,
                                     .from = KeyState::active,
                                     .to = KeyState::retiring,
                                     .cause = KeyCause::superseded,
                                     .due = due,
                                     .usable_until = {version.usable_until_ns},
                                     .reason = {}});
}

void make_active(Docket& docket, const KeyVersionRecord& version, bool proven, const VersionStep& step) {
  const base::Instant until = usable_until(docket, proven, version.usable_until_ns);
  docket.emit(model::KeyVersionMoved{.key = version.key,
                                     .version = version.version,
                                     .from = version.status(),
                                     .to = KeyState::active,
                                     .cause = step.cause,
                                     .due = until,
                                     .usable_until = until,
                                     .reason = step.reason});
}

void activate_in(Docket& docket, const KeyRecord& key, const KeyVersionRecord& version, const VersionStep& step) {
  // Who activates a version confirms it by its proof, if there is one by now.
  const bool proven = version.proven != 0 || step.cause == KeyCause::confirmed;
  if (key.active != 0 && key.active != version.version) retire_slowly(docket, key, *docket.registry().version(version.key, key.active));
  make_active(docket, version, proven, step);
}

}  // namespace

void move_import(Docket& docket, const ImportRecord& import, model::ImportState to, model::ImportCause cause, base::Instant due) {
  docket.emit(model::ImportMoved{.import = import.received, .from = import.status(), .to = to, .cause = cause, .due = due});
}

void move_version(Docket& docket, const KeyVersionRecord& version, KeyState to, const VersionStep& step) {
  docket.emit(model::KeyVersionMoved{.key = version.key,
                                     .version = version.version,
                                     .from = version.status(),
                                     .to = to,
                                     .cause = step.cause,
                                     .due = {},
                                     .usable_until = {version.usable_until_ns},
                                     .reason = step.reason});
}

void activate(Docket& docket, const KeyVersionRecord& version, const VersionStep& step) {
  activate_in(docket, *docket.registry().key(version.key), version, step);
}

void add_version(Docket& docket, const ImportRecord& import, bool proven) { add_version(docket, *docket.registry().key(import.key), import, proven); }

void add_version(Docket& docket, const KeyRecord& key, const ImportRecord& import, bool proven) {
  // As it will stand in its table once the first event is applied.
  KeyVersionRecord added;
  added.key = import.key;
  added.version = key.versions + 1;
  added.state = static_cast<std::uint8_t>(KeyState::next);
  added.proven = proven;
  const bool scheduled = import.activate_at_ns > docket.at().ns;
  docket.emit(model::KeyVersionAdded{.key = added.key,
                                     .version = added.version,
                                     .import = import.received,
                                     .proven = proven,
                                     .due = {scheduled ? import.activate_at_ns : 0},
                                     .warn_at = first_warning(docket, import.not_after_ns)});
  if (import.staged == 0 && !scheduled) activate_in(docket, key, added, {KeyCause::approval});
}

const KeyVersionRecord* former_version(const Docket& docket, const KeyRecord& key) {
  if (key.former == 0) return nullptr;
  const KeyVersionRecord* former = docket.registry().version(docket.registry().key_by_name(key.partner, key.name), key.former);
  CHECK_THAT(former != nullptr, "a key's former version is there");
  const bool in_time = former->proven != 0 || former->usable_until_ns > docket.at().ns;
  return in_time && model::may_move(former->status(), KeyState::active) ? former : nullptr;
}

void take_back(Docket& docket, const KeyVersionRecord& version, const VersionStep& step) {
  const KeyRecord& key = *docket.registry().key(version.key);
  const KeyVersionRecord* former = key.active == version.version ? former_version(docket, key) : nullptr;
  move_version(docket, version, KeyState::suspended, step);
  if (former != nullptr) make_active(docket, *former, former->proven != 0, {KeyCause::rollback});
}

}  // namespace core
