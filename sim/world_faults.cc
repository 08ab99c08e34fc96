// What goes wrong in the false world, and when it ends.

#include "sim/places.h"
#include "sim/world.h"

namespace sim {

// Which row of the chaos matrix a fault of our own machine belongs to.
Row World::row_of(FaultKind kind) {
  switch (kind) {
    case FaultKind::crash:
    case FaultKind::kill: return Row::C1;
    case FaultKind::power_loss:
    case FaultKind::lying_run: return Row::C2;
    case FaultKind::io_error:
    case FaultKind::torn_write:
    case FaultKind::disk_full:
    case FaultKind::failed_sync:
    case FaultKind::small_disk:
    case FaultKind::slow_disk:
    case FaultKind::crash_in_recovery: return Row::C3;
    case FaultKind::flip_at_rest:
    case FaultKind::flip_alive: return Row::C4;
    case FaultKind::wall_jump: return Row::C5;
    case FaultKind::freeze: return Row::C6;
    case FaultKind::upgrade: return Row::C7;
  }
  return Row::C1;
}

std::vector<World::FaultKind> World::kinds_of_story() const {
  std::vector<FaultKind> kinds;
  for (std::size_t i = 0; i < (story_.rails ? fault_kinds_with_rails : fault_kinds); ++i) {
    const auto kind = static_cast<FaultKind>(i);
    if (story_.rows.has(row_of(kind))) kinds.push_back(kind);
  }
  return kinds;
}

// An orderly stop, and a successor that reads every event again.
void World::upgrade() {
  after(process_->drain());
  if (!violation_ && process_ != nullptr) after(process_->seal_if_idle());
  if (violation_ || process_ == nullptr) return;
  replay_everything_ = true;
  die(io::CrashMode::keep_all);
}

void World::start_fault(FaultKind kind) {
  ++figures_.faults;
  note("fault", static_cast<std::uint64_t>(kind));
  switch (kind) {
    case FaultKind::power_loss: return plan_call_fault(io::Fault::power_loss, 30);
    case FaultKind::crash: return die(percent(70) ? io::CrashMode::random : io::CrashMode::lose_all);
    case FaultKind::kill: return die(io::CrashMode::keep_all);
    case FaultKind::io_error: return plan_call_fault(io::Fault::io_error, 20);
    case FaultKind::torn_write: return plan_call_fault(io::Fault::torn_write, 12);
    case FaultKind::disk_full: return plan_call_fault(io::Fault::disk_full, 12);
    case FaultKind::failed_sync:
      plan_call_fault(io::Fault::io_error, 1'000'000);
      files_.faults().fail_next_sync();
      return;
    case FaultKind::small_disk: {
      std::uint64_t used = 0;
      for (const auto& [path, bytes] : files_.durable_state().files) used += bytes.size();
      files_.set_capacity(used + random_.below(options_.segment_bytes * 2));
      lasting_until_ = figures_.commands + 300;
      return;
    }
    case FaultKind::slow_disk:
      files_.set_speed({.read_ns = 100'000, .write_ns = 2 * ns_per_ms, .sync_ns = static_cast<std::int64_t>(random_.below(900)) * ns_per_ms,
                        .spent = [this](std::int64_t ns) { clock_.advance(ns); }});
      lasting_until_ = figures_.commands + 200;
      return;
    case FaultKind::wall_jump: return jump_wall_clock();
    case FaultKind::freeze: {
      outside_->freeze(static_cast<std::int64_t>(10 + random_.below(290)) * ns_per_second);
      return check_clock();
    }
    case FaultKind::upgrade: return upgrade();
    case FaultKind::flip_at_rest:
    case FaultKind::crash_in_recovery:
      at_next_crash_ = kind;
      return die(io::CrashMode::random);
    case FaultKind::flip_alive: return flip_alive();
    case FaultKind::lying_run:
      // Only what is derived may be lied about here: the journal's turn comes last.
      files_.faults().fail_call(1 + random_.below(3), percent(50) ? io::Fault::lost_write : io::Fault::flipped_write);
      reads_may_fail_ = true;
      after(percent(50) ? process_->flush_keys() : process_->write_snapshot(1 << 20));
      files_.faults().clear();
      // It is found when it is read, at the latest when it is opened again.
      if (!violation_) die(io::CrashMode::random);
      return;
  }
}

void World::plan_call_fault(io::Fault fault, std::uint64_t within) {
  if (!fault_planned_) delivered_before_ = files_.faults().delivered();
  files_.faults().fail_call(1 + random_.below(within), fault);
  fault_planned_ = true;
  reads_may_fail_ = true;
}

void World::end_lasting_faults() {
  lasting_until_ = 0;
  files_.set_capacity(~std::uint64_t{0} >> 1);
  files_.set_speed({});
  unflip();
}

void World::jump_wall_clock() {
  move_wall_clock();
  check_clock();
}

void World::move_wall_clock() {
  constexpr std::array<std::int64_t, 6> jumps{1, -1, 3'600, -3'600, 400 * 86'400, -400 * 86'400};
  const std::int64_t jump = jumps[random_.below(jumps.size())] * ns_per_second;
  clock_.jump_wall(jump);
  unconfirmed_jump_ns_ += jump;
}

/// The machine restarts, or only the process does; somebody may set the clock meanwhile.
void World::time_passes_while_down(io::CrashMode mode) {
  // Whether a confirmation that was under way survived is known only after the next start: let that be another boot's. So
  // too where nothing was written in this boot that the next start could go on from.
  new_boot_ = durable_ <= durable_before_boot_ || confirmed_at_ > durable_ || (mode != io::CrashMode::keep_all && percent(70));
  if (new_boot_) {
    outside_->before_boot();
    clock_.new_boot();
    outside_->after_boot();
  }
  clock_.advance(static_cast<std::int64_t>(random_.below(600)) * ns_per_second);
  if (percent(30)) move_wall_clock();
}

void World::check_clock() {
  process_->timekeeper().now();
  const bool far = unconfirmed_jump_ns_ > 1'000 * ns_per_second || unconfirmed_jump_ns_ < -1'000 * ns_per_second;
  if (far && !process_->timekeeper().suspended()) violate("the wall clock jumped by an hour or more, and expiries go on");
}

/// A byte of some file; with `only_settled` of one that nobody writes any more.
std::optional<World::Flip> World::choose_byte(bool only_settled) {
  std::vector<std::pair<std::string, std::uint64_t>> candidates;
  std::vector<std::pair<std::string, std::uint64_t>> segments;
  for (const auto& [path, bytes] : files_.durable_state().files) {
    if (bytes.empty()) continue;
    if (path.starts_with(journal_directory)) {
      segments.emplace_back(path, bytes.size());
    } else if (!only_settled || path.starts_with(snapshots_directory) || path.find("/run-") != std::string::npos) {
      candidates.emplace_back(path, bytes.size());
    }
  }
  const std::size_t settled = only_settled ? (segments.size() > 2 ? segments.size() - 2 : 0) : segments.size();
  for (std::size_t i = 0; i < settled; ++i) candidates.push_back(segments[i]);
  if (candidates.empty()) return std::nullopt;
  const auto& [path, size] = candidates[random_.below(candidates.size())];
  const std::uint64_t offset = random_.below(size);
  return Flip{path, offset, static_cast<int>(random_.below(8))};
}

void World::flip_alive() {
  if (const auto flip = choose_byte(true); flip && files_.flip_bit(flip->path, flip->offset, flip->bit)) {
    note("flip", flip->offset);
    flips_.push_back(*flip);
    reads_may_fail_ = true;
    lasting_until_ = figures_.commands + 150;
  }
}

void World::unflip() {
  for (const Flip& flip : flips_) files_.flip_bit(flip.path, flip.offset, flip.bit);
  flips_.clear();
}

// Last of all the disk lies: a write of the journal is lost or flipped although it was reported as done. What was acknowledged
// may be lost then, but only with a word (the open refuses), or where nothing came after it that could have told.
void World::lie_and_crash() {
  after(process_->drain());
  if (!violation_ && process_ != nullptr) take_entries(model::event_number_max);
  if (violation_ || process_ == nullptr) return;
  const model::EventNumber before = process_->durable();
  files_.faults().clear();
  const std::uint64_t delivered = files_.faults().delivered();
  while (!violation_ && !process_->has_group()) send(workload_.next(twin_), false);
  after(process_->hand_over());
  if (violation_ || process_ == nullptr) return;
  files_.faults().fail_call(1, percent(50) ? io::Fault::lost_write : io::Fault::flipped_write);
  reads_may_fail_ = true;
  const std::uint64_t groups = groups_committed_;
  const base::Status committed = process_->commit();
  if (!committed.ok()) return violate("a lying disk stopped the commit: " + committed.error().message);
  files_.faults().clear();
  const bool lied = files_.faults().delivered() > delivered;
  figures_.faults += lied ? 1u : 0u;
  lied_ = lied;
  for (std::uint64_t i = random_.below(6); i > 0 && !violation_; --i) {
    send(workload_.next(twin_), false);
    if (!violation_) after(process_->hand_over());
    if (!violation_) after(process_->commit());
  }
  if (!violation_ && process_ != nullptr) take_entries(model::event_number_max);
  if (violation_ || process_ == nullptr) return;
  const bool more_followed = groups_committed_ > groups + 1;
  process_.reset();
  files_.crash(io::CrashMode::lose_all);
  ++figures_.crashes;
  node::RecoveryReport report;
  auto opened = Process::open(files_, clock_, entropy_, blinding_, options_, [](const store::SealedGroup*, node::OutgoingGroup&, std::int64_t) {}, report);
  if (!opened.ok()) {
    note(opened.error().code, 2);
    if (!lied) violate(std::string("it does not open again: ") + opened.error().code + ": " + opened.error().message);
    ++figures_.damage_found;
    return;
  }
  process_ = std::move(opened).value();
  const model::EventNumber position = process_->durable();
  if (position == twin_.position()) return;
  if (!lied || position < before || more_followed) {
    return violate("a lying disk lost events up to " + std::to_string(twin_.position()) + ", the journal opened at " + std::to_string(position) + " without a word");
  }
  process_.reset();
}

}  // namespace sim
