// Dying and coming back: what was durable is there, what was not acknowledged is there whole or not at all, and the twin agrees.

#include <algorithm>

#include "core/invariant/invariant.h"
#include "sim/comparison.h"
#include "sim/places.h"
#include "sim/world.h"
#include "store/journal/verify.h"

namespace sim {

void World::after(base::Status status) {
  if (violation_ || status.ok()) return;
  const std::string_view code = status.error().code;
  note(code, 0);
  const bool excused = fault_planned_ || (reads_may_fail_ && (code.starts_with("key_") || code.starts_with("journal_segment") || code.starts_with("snapshot_")));
  if (!excused) return violate("the process stopped for no reason: " + std::string(code) + ": " + status.error().message);
  if (code.starts_with("key_") || code == "journal_segment_damaged") ++figures_.damage_found;
  const bool journal_wrote = code.starts_with("file_") || code == "disk_full" || code == "journal_failed";
  if (journal_wrote && code == "journal_failed" && process_->journal().check_usable().ok()) violate("a journal that failed takes more");
  die(percent(50) ? io::CrashMode::random : io::CrashMode::keep_all);
}

void World::die(io::CrashMode mode) {
  ++figures_.crashes;
  note("crash", static_cast<std::uint64_t>(mode));
  if (process_) figures_.snapshots += process_->snapshots_written();
  process_.reset();
  files_.crash(mode);
  time_passes_while_down(mode);
  fault_planned_ = false;
  for (auto& [trace, sent] : outstanding_) {
    if (sent.request->kind == Kind::report) continue;   // whoever said it says it again, or is asked
    sent.over_rails ? rail_workload_.reply_lost(sent.request) : workload_.reply_lost(sent.request);
  }
  outstanding_.clear();
  callbacks_.clear();
  outside_->process_died();
  questions_.clear();
  waiting_.clear();          // the journal has them: they are read back
  waiting_privates_.clear();
  // A name may come back with another file behind it, so only what is never renamed may stay flipped over a restart.
  const bool journal_too = !flips_.empty() && percent(50);
  const auto healed = std::stable_partition(flips_.begin(), flips_.end(), [&](const Flip& flip) {
    return !journal_too && flip.path.starts_with(journal_directory);
  });
  for (auto flip = healed; flip != flips_.end(); ++flip) files_.flip_bit(flip->path, flip->offset, flip->bit);
  flips_.erase(healed, flips_.end());
  if (at_next_crash_ == FaultKind::flip_at_rest) flip_at_rest();
  if (!violation_) restart();
}

bool World::open(bool with_faults) {
  if (with_faults) {
    const bool power = percent(50);
    files_.faults().fail_call(1 + random_.below(60), power ? io::Fault::power_loss : io::Fault::io_error);
  }
  node::RecoveryReport report;
  ProcessOptions options = options_;
  options.use_snapshots = !percent(15) && !std::exchange(replay_everything_, false);
  auto opened = Process::open(files_, clock_, entropy_, blinding_, options,
                              [this](const store::SealedGroup* group, node::OutgoingGroup& outgoing, std::int64_t core_minus_boot_ns) {
                                on_durable(group, outgoing, core_minus_boot_ns);
                              }, report);
  const bool hit = with_faults && files_.faults().delivered() > delivered_before_;
  files_.faults().clear();
  delivered_before_ = files_.faults().delivered();
  if (report.keys_rebuilt) ++figures_.runs_rebuilt;
  if (opened.ok()) {
    process_ = std::move(opened).value();
    return true;
  }
  const std::string_view code = opened.error().code;
  note(code, 1);
  if (!flips_.empty() && code.starts_with("journal_")) {
    ++figures_.damage_found;
    unflip();
  } else if (!hit && lasting_until_ == 0) {
    violate("it does not open again: " + std::string(code) + ": " + opened.error().message);
  }
  end_lasting_faults();
  files_.crash(percent(50) ? io::CrashMode::random : io::CrashMode::keep_all);
  return false;
}

void World::restart() {
  recover_and_compare();
  if (!violation_ && story_.rails) start_outside();
}

void World::recover_and_compare() {
  delivered_before_ = files_.faults().delivered();
  bool with_faults = at_next_crash_ == FaultKind::crash_in_recovery;
  at_next_crash_.reset();
  for (int attempt = 0; !violation_ && !open(with_faults); ++attempt) {
    with_faults = with_faults && attempt < 3;
    if (attempt > 8) violate("it does not open after eight attempts");
  }
  if (violation_) return;
  waiting_.clear();          // what a new partition begins with is read back too
  waiting_privates_.clear();
  Checked checked = check_recovered(*process_, twin_);
  if (checked.error && (!flips_.empty() || reads_may_fail_)) {
    // Damage found: the operator puts the file back (a derived one is made anew), and all is well.
    ++figures_.damage_found;
    unflip();
    process_.reset();
    files_.crash(io::CrashMode::keep_all);
    const base::Status erased = store::KeyIndex::erase(files_, keys_directory);
    if (!erased.ok()) return violate("the key index cannot be erased: " + erased.error().message);
    if (!open(false)) return violate("it does not open after the damage was repaired");
    checked = check_recovered(*process_, twin_);
  }
  if (checked.error) return violate(std::string("after a restart: ") + checked.error->code + ": " + checked.error->message);
  if (checked.complaint) return violate("after a restart: " + *checked.complaint);
  twin_.drop_unanswered();
  durable_ = twin_.position();
  reads_may_fail_ = !flips_.empty();
  const base::Instant now = process_->timekeeper().now();
  if (now < twin_.last_instant()) violate("time went back over a restart");
  // Within one boot a restart is no event for time: what held of the life before holds on.
  if (!new_boot_) return check_clock();
  life_started_boot_ns_ = clock_.boot_ns();
  life_started_at_ = now;
  confirmed_ns_ = 0;
  confirmed_at_ = 0;
  durable_before_boot_ = durable_;
  constexpr std::int64_t month = 30LL * 86'400 * ns_per_second;
  const bool far = clock_.wall().ns > twin_.last_instant().ns + month && twin_.last_instant().ns != 0;
  if (far && !process_->timekeeper().suspended()) violate("the wall clock went ahead by months over a reboot, and expiries go on");
  // What is wrong from the start may be set right again without anybody's word. What somebody gave their word for before is right.
  const std::int64_t given_ns = process_->timekeeper().anchor().confirmed_lag.ns;
  unconfirmed_jump_ns_ = process_->timekeeper().suspended() ? clock_.wall().ns - now.ns - given_ns : 0;
}

World::Checked World::check_keys(Process& process, const Twin& twin) {
  Checked result;
  const auto expect = [&](store::KeyKind kind, const base::Tag128& key, model::EventNumber event, const char* what) {
    if (result.complaint || result.error) return;
    const auto found = process.keys().find(kind, key);
    if (!found.ok()) {
      result.error = found.error();
    } else if (found->value_or(0) != event) {
      result.complaint = std::string("the key index says event ") + std::to_string(found->value_or(0)) + " of " + what + " " + std::to_string(event);
    }
  };
  twin.for_each_key([&](const KeyName& key, model::EventNumber event) {
    expect(store::KeyKind::idempotency, gate::key_mac(keys_, key.tenant, key.principal, key.operation, key.text), event, "a key of event");
  });
  for (const auto& [hold, event] : twin.resolutions()) {
    expect(store::KeyKind::hold_resolution, store::hold_resolution_key(hold), event, "a resolution by event");
  }
  for (const auto& [name, events] : twin.references()) {
    if (result.complaint || result.error) return result;
    const auto found = process.keys().find_all(store::KeyKind::reference, gate::reference_mac(keys_, name.first, name.second), 0, events.size() + 2);
    if (!found.ok()) {
      result.error = found.error();
    } else if (*found != events) {
      result.complaint = "the key index knows other transfers of a reference than there are";
    }
  }
  // A key that nobody used is unknown.
  base::Tag128 unused;
  random_.fill(unused);
  expect(store::KeyKind::idempotency, unused, 0, "an unused key, that is event");
  return result;
}

World::Checked World::check_recovered(Process& process, Twin& twin) {
  Checked result;
  core::State replayed;
  audit::Frontier frontier;
  const model::EventNumber known_to_twin = twin.position();
  const base::Status read = process.reader().for_each_group(
      1, {.body_hash = true, .blinding = &blinding_, .frontier = &frontier}, [&](const store::GroupView& group) -> base::Status {
        const PrivateReader privates = [&group](model::EventNumber event, model::PrivateField field) {
          std::optional<store::StoredPrivate> found;
          const base::Status scanned = group.for_each_private([&](const store::StoredPrivate& value) {
            if (value.event == event && value.field == field) found = value;
            return base::ok();
          });
          return scanned.ok() ? found : std::nullopt;
        };
        return group.for_each_entry([&](const store::EntryView& view) -> base::Status {
          TRY_ASSIGN(const model::Entry entry, model::decode_entry(view.bytes, view.first_event));
          const std::uint64_t hash = hash_of(view.bytes);
          if (result.complaint) return base::ok();
          if (view.first_event <= durable_) {
            const auto known = entry_hashes_.find(view.first_event);
            if (known == entry_hashes_.end() || known->second != hash) result.complaint = "entry " + std::to_string(view.first_event) + ", which was durable, has other bytes now";
          }
          entry_hashes_[view.first_event] = hash;
          if (view.first_event > known_to_twin && !result.complaint) result.complaint = twin.take_entry(entry, privates);
          if (!result.complaint) {
            for (const model::Event& event : entry.events) replayed.apply(event);
          }
          return base::ok();
        });
      });
  if (!read.ok()) {
    result.error = read.error();
    return result;
  }
  if (result.complaint) return result;
  const model::EventNumber last = replayed.head().next_event - 1;
  if (last < durable_) {
    result.complaint = "event " + std::to_string(durable_) + " was durable, the journal ends at " + std::to_string(last);
    return result;
  }
  note("recovered", last);
  if (digest_of(replayed) != digest_of(process.state())) {
    result.complaint = "a replay from the first event gives another state than was recovered";
    return result;
  }
  result.complaint = twin.compare(process.state(), process.directory());
  if (result.complaint) return result;
  auto laws = core::all_laws();
  if (const auto broken = core::first_violation(laws, process.state())) {
    result.complaint = std::string(broken->law) + ": " + broken->sentence;
    return result;
  }
  return check_keys(process, twin);
}

// Bit flips in files at rest, in a world of their own: they must be found when the process opens or when the files are verified,
// and whatever opens must be right to the last byte.
void World::flip_at_rest() {
  unflip();   // one damage at a time: each must be found by itself
  const io::DurableState before = files_.durable_state();
  for (int trial = 0; trial < 2 && !violation_; ++trial) {
    const auto flip = choose_byte(false);
    if (!flip || !files_.flip_bit(flip->path, flip->offset, flip->bit)) continue;
    note("rest", flip->offset);
    // A segment in the making is no part of the journal yet: opening removes it.
    const bool in_journal = flip->path.starts_with(journal_directory) && !flip->path.ends_with(".new");
    bool found = false;
    if (in_journal) {
      const auto verified = store::verify_journal(files_, journal_directory, {.blinding = &blinding_});
      found = !verified.ok() || !verified->sound();
    }
    Twin twin = twin_;
    auto hashes = entry_hashes_;
    node::RecoveryReport report;
    auto opened = Process::open(files_, clock_, entropy_, blinding_, options_, [](const store::SealedGroup*, node::OutgoingGroup&, std::int64_t) {}, report);
    const std::string where = " (" + flip->path + ", byte " + std::to_string(flip->offset) + ")";
    if (!opened.ok()) {
      found = true;
      const std::string_view code = opened.error().code;
      if (!in_journal || !code.starts_with("journal_")) violate("a flipped bit" + where + " is answered with " + std::string(code) + ": " + opened.error().message);
    } else {
      const Checked checked = check_recovered(**opened, twin);
      if (checked.complaint) violate("after a flipped bit" + where + ": " + *checked.complaint);
      found = found || checked.error.has_value() || report.keys_rebuilt || !report.snapshots_passed_over.empty();
    }
    entry_hashes_ = std::move(hashes);
    if (in_journal && !found) violate("a flipped bit in the journal was not found" + where);
    figures_.damage_found += found ? 1u : 0u;
    files_.install(before);
  }
}

// An orderly end where the disk did not lose anything for good: stop, verify, open, compare.
void World::finish() {
  if (process_ == nullptr || process_->durable() != twin_.position()) return;
  const Checked first = check_recovered(*process_, twin_);
  if (first.complaint) return violate("at the end: " + *first.complaint);
  if (first.error) {
    ++figures_.damage_found;     // the lie was a flipped bit that only reading finds
    return;
  }
  after(process_->seal_if_idle());
  if (violation_) return;
  const auto verified = store::verify_journal(files_, journal_directory, {.blinding = &blinding_});
  if (!verified.ok()) return violate("the journal cannot be verified: " + verified.error().message);
  if (!verified->sound() && lied_) {
    ++figures_.damage_found;     // in what only closes a segment
    return;
  }
  if (!verified->sound()) return violate("the journal is not sound at the end: " + verified->findings.front().sentence);
  if (!verified->ends_with_seal) return violate("an orderly end without a seal");
  digest_.update(verified->end.tree_root);
}

}  // namespace sim
