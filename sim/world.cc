#include "sim/world.h"

#include <algorithm>
#include <cinttypes>
#include <cstdio>

#include "base/text.h"
#include "core/invariant/invariant.h"
#include "sim/comparison.h"
#include "store/journal/verify.h"

namespace sim {

Place place;

namespace {

constexpr std::int64_t ns_per_ms = 1'000'000;
constexpr std::int64_t ns_per_second = 1'000'000'000;
constexpr const char* journal_directory = "data/journal";
constexpr const char* keys_directory = "data/keys-index";
constexpr const char* snapshots_directory = "data/snapshots";

ProcessOptions sizes_for(io::SimulatedRandom& random) {
  ProcessOptions options;
  constexpr std::array<std::uint64_t, 3> segments{128 << 10, 192 << 10, 256 << 10};
  options.segment_bytes = segments[random.below(segments.size())];
  options.key_generation = static_cast<std::uint32_t>(32 + random.below(100));
  options.freeze_every_events = 200 + random.below(1500);
  options.engine.group_bytes_max = (12u << 10) + random.below(12u << 10);
  options.engine.group_entries_max = static_cast<std::uint32_t>(2 + random.below(60));
  options.engine.tick_expiries_max = static_cast<std::uint32_t>(1 + random.below(16));
  options.engine.bounds.open_holds_max = static_cast<std::uint32_t>(random.chance(1, 4) ? 5 + random.below(40) : 100'000);
  options.engine.bounds.accounts_max = static_cast<std::uint32_t>(random.chance(1, 6) ? 12 + random.below(20) : 100'000);
  return options;
}

WorkloadShape shape_for(io::SimulatedRandom& random) {
  WorkloadShape shape;
  shape.clients = static_cast<std::uint32_t>(1 + random.below(8));
  shape.accounts = static_cast<std::uint32_t>(4 + random.below(60));
  shape.assets = static_cast<std::uint32_t>(1 + random.below(3));
  shape.tenants = static_cast<std::uint32_t>(1 + random.below(2));
  shape.batch_items_max = static_cast<std::uint32_t>(2 + random.below(24));
  shape.hot_percent = static_cast<std::uint32_t>(random.below(4) * 25);
  shape.repeat_percent = static_cast<std::uint32_t>(5 + random.below(30));
  return shape;
}

TwinBounds bounds_of(const ProcessOptions& options) {
  return {.accounts_max = options.engine.bounds.accounts_max,
          .open_holds_max = options.engine.bounds.open_holds_max,
          .tick_expiries_max = options.engine.tick_expiries_max};
}

std::array<std::uint8_t, 32> secret_from(io::SimulatedRandom& random) {
  std::array<std::uint8_t, 32> secret;
  random.fill(secret);
  return secret;
}

}  // namespace

void Figures::add(const Figures& other) {
  commands += other.commands;
  entries += other.entries;
  events += other.events;
  replays += other.replays;
  faults += other.faults;
  crashes += other.crashes;
  damage_found += other.damage_found;
  snapshots += other.snapshots;
  runs_rebuilt += other.runs_rebuilt;
}

World::World(const Story& story)
    : story_(story),
      random_(story.seed),
      entropy_(story.seed ^ 0x5bd1e995),
      files_(story.seed ^ 0x2545f491),
      secret_(secret_from(random_)),
      blinding_(secret_, 0),
      keys_(secret_),
      gate_(keys_, no_clients_, [this](std::span<std::uint8_t> out) { entropy_.fill(out); }),
      options_(sizes_for(random_)),
      twin_(bounds_of(options_)),
      workload_(random_, shape_for(random_)) {
  // Every kind of fault has its turn before any has a second one.
  for (std::uint64_t i = 0; i < story_.faults; ++i) {
    const auto kind = static_cast<FaultKind>((i + story_.seed) % fault_kinds);
    plan_.emplace_back(random_.below(story_.commands), kind);
  }
  std::sort(plan_.begin(), plan_.end(), std::greater<>());
}

Verdict World::run() {
  place = {story_.seed, 0};
  tell();
  figures_.snapshots += process_ ? process_->snapshots_written() : 0;
  Verdict verdict{.violation = violation_, .step = steps_, .digest = {}, .figures = figures_};
  verdict.digest = base::to_hex(digest_.finish()).substr(0, 32);
  return verdict;
}

void World::violate(const std::string& sentence) {
  if (!violation_) violation_ = sentence;
}

void World::note(std::string_view text, std::uint64_t value) {
  std::array<std::uint8_t, 8> bytes;
  base::store_le(bytes.data(), value);
  digest_.update(base::as_bytes(text));
  digest_.update(bytes);
  if (story_.verbose) std::printf("%8" PRIu64 "  %.*s %" PRIu64 "\n", steps_, static_cast<int>(text.size()), text.data(), value);
}

void World::tell() {
  restart();
  while (!violation_ && figures_.commands < story_.commands) step();
  if (!violation_ && figures_.crashes == 0) die(io::CrashMode::random);
  end_lasting_faults();
  if (!violation_) lie_and_crash();
  if (!violation_) finish();
}

void World::step() {
  place.step = ++steps_;
  if (!plan_.empty() && plan_.back().first <= figures_.commands) {
    const FaultKind kind = plan_.back().second;
    plan_.pop_back();
    start_fault(kind);
    if (violation_) return;
  }
  if (lasting_until_ != 0 && figures_.commands >= lasting_until_) end_lasting_faults();
  act();
  if (violation_) return;
  if (fault_planned_ && files_.faults().delivered() > delivered_before_) {
    files_.faults().clear();     // it was borne without stopping
    fault_planned_ = false;
  }
  if (figures_.commands >= compared_at_ + 500) compare_when_idle();
}

// --- what happens -------------------------------------------------------------------------------------------------------

void World::act() {
  const std::uint64_t dice = random_.below(1000);
  if (dice < 520) return send();
  if (dice < 540) return ask();
  if (dice < 660) return process_->in_flight() < 3 ? after(process_->hand_over()) : after(process_->commit());
  if (dice < 800) return after(process_->commit());
  if (dice < 860) return after(process_->flush_keys());
  if (dice < 890) return after(process_->prepare_next());
  if (dice < 920) return after(process_->write_snapshot(1 + random_.below(16'384)));
  if (dice < 940) return process_->take_parked();
  if (dice < 970) return after(process_->tick());
  if (dice < 975) return after(process_->seal_if_idle());
  if (dice < 990) {
    clock_.advance(static_cast<std::int64_t>(random_.below(3'000)) * ns_per_ms);
    return check_clock();
  }
  if (dice < 993 && (unconfirmed_jump_ns_ != 0 || process_->timekeeper().suspended())) {
    const base::Instant before = process_->timekeeper().now();
    after(process_->confirm_clock());
    if (process_ == nullptr || violation_) return;
    confirmed_ns_ += std::max<std::int64_t>((process_->timekeeper().now() - before).ns, 0);
    unconfirmed_jump_ns_ = 0;
    confirmed_at_ = process_->state().head().next_event - 1;
  }
}

void World::send() {
  const std::shared_ptr<const Request> request = workload_.next(twin_);
  const std::uint64_t trace = ++trace_;
  gate::Sender sender{.tenant = request->tenant, .principal = request->principal, .trace = {}};
  base::store_le(sender.trace.data(), trace);
  figures_.commands += std::max<std::size_t>(request->movements.size(), 1);
  auto admission = admit(gate_, sender, *request);
  if (const auto* refusal = std::get_if<gate::Refusal>(&admission)) {
    // The same key twice in a batch is all that these clients do wrong.
    if (refusal->outcome != model::Outcome::idempotency_key_twice_in_batch) violate("the gate refused a good request: " + refusal->detail);
    return;
  }
  twin_.sent(trace, request);
  outstanding_[trace] = request;
  after(process_->submit({.content = std::move(std::get<model::Admitted>(admission)), .sink = nullptr, .token = trace}));
}

void World::ask() {
  const std::uint64_t trace = ++trace_;
  node::Question question = node::AskPosition{};
  switch (random_.below(3)) {
    case 0: {
      const std::string name = workload_.account_name(static_cast<std::uint32_t>(random_.below(40)));
      question = node::AskAccount{.tenant = 1, .name = name, .hash = model::account_name_hash(1, name)};
      break;
    }
    case 1: question = node::AskTransfer{.tenant = 1, .event = 1 + random_.below(twin_.position() + 3)}; break;
    default: break;
  }
  questions_[trace] = question;
  after(process_->submit({.content = question, .sink = nullptr, .token = trace}));
}

void World::on_durable(const store::SealedGroup* group, std::vector<node::PendingAnswer>& answers) {
  if (group != nullptr) {
    ++groups_committed_;
    const store::GroupHeader& header = group->header();
    const base::Status read = store::for_each_entry_in(group->bytes(), header, [&](const store::EntryView& view) -> base::Status {
      TRY_ASSIGN(model::Entry entry, model::decode_entry(view.bytes, view.first_event));
      entry_hashes_[view.first_event] = hash_of(view.bytes);
      note("entry", hash_of(view.bytes));
      for (std::size_t i = 0; i < entry.events.size(); ++i) {
        if (auto value = group->private_value(view.first_event + i, model::PrivateField::transfer_reference)) waiting_privates_[view.first_event].push_back(std::move(*value));
      }
      waiting_.push_back(std::move(entry));
      return base::ok();
    });
    if (!read.ok()) return violate("a group that was committed does not decode: " + read.error().message);
    durable_ = header.next_event() - 1;
  }
  for (node::PendingAnswer& answer : answers) {
    take_entries(answer.answer.position);
    if (violation_) return;
    take_answer(answer);
  }
  if (!answers.empty()) take_entries(model::event_number_max);
}

void World::take_entries(model::EventNumber position) {
  // Of one life the core's time runs as fast as the machine's, give or take what is slewed, and jumps only when told.
  const std::int64_t passed = clock_.boot_ns() - life_started_boot_ns_;
  const std::int64_t latest = life_started_at_.ns + passed + passed / 50 + confirmed_ns_ + ns_per_second;
  while (!violation_ && !waiting_.empty() && waiting_.front().first_event <= position) {
    const model::Entry entry = std::move(waiting_.front());
    waiting_.pop_front();
    auto kept = waiting_privates_.extract(entry.first_event);
    const PrivateValues values = kept.empty() ? PrivateValues{} : std::move(kept.mapped());
    if (process_ != nullptr && entry.at.ns > latest) return violate("entry " + std::to_string(entry.first_event) + " lies in the future");
    ++figures_.entries;
    figures_.events += entry.events.size();
    const auto privates = [&values](model::EventNumber event, model::PrivateField field) -> std::optional<store::StoredPrivate> {
      for (const store::StoredPrivate& value : values) {
        if (value.event == event && value.field == field) return value;
      }
      return std::nullopt;
    };
    if (auto complaint = twin_.take_entry(entry, privates)) violate(*complaint);
  }
}

void World::take_answer(node::PendingAnswer& pending) {
  const std::uint64_t trace = pending.token;
  if (const auto asked = questions_.find(trace); asked != questions_.end()) {
    const bool unread = pending.answer.refusal == model::Outcome::journal_read_failed;
    if (unread && !reads_may_fail_) violate("a read failed, but nothing was damaged");
    if (!unread) {
      if (auto complaint = twin_.check_answer_to(asked->second, pending.answer)) violate(*complaint);
    }
    questions_.erase(asked);
    return;
  }
  bool failed_read = pending.answer.refusal == model::Outcome::journal_read_failed;
  for (const node::ItemAnswer& item : pending.answer.items) {
    failed_read = failed_read || item.refusal == model::Outcome::journal_read_failed;
    note("item", item.event << 16 | static_cast<std::uint64_t>(item.refusal));
    figures_.replays += item.replayed ? 1u : 0u;
    // A replay is rendered from the entry that was journaled first: the same bytes, or none.
    if (item.replayed && percent(10)) {
      const auto stored = process_->reader().read_entry(item.event);
      if (!stored.ok() && !reads_may_fail_) return violate("a replayed entry cannot be read: " + stored.error().message);
      if (stored.ok() && entry_hashes_.at(stored->first_event) != hash_of(stored->bytes)) return violate("a replayed entry has other bytes than at first");
    }
  }
  if (failed_read) ++figures_.damage_found;
  if (auto complaint = twin_.take_answer(trace, pending.answer, reads_may_fail_)) return violate(*complaint);
  auto request = outstanding_.extract(trace);
  if (request.empty()) return violate("an answer to nothing that was asked");
  const bool told_to_repeat = failed_read || pending.answer.refusal == model::Outcome::disk_space_short;
  if (told_to_repeat || percent(8)) {
    workload_.reply_lost(request.mapped());
  } else {
    workload_.answered(request.mapped());
  }
}

void World::compare_when_idle() {
  compared_at_ = figures_.commands;
  after(process_->drain());
  if (violation_ || process_ == nullptr || !process_->idle()) return;
  take_entries(model::event_number_max);
  if (violation_) return;
  if (!fault_planned_ && flips_.empty()) reads_may_fail_ = false;
  if (auto complaint = twin_.compare(process_->state(), process_->directory())) return violate(*complaint);
  auto laws = core::all_laws();
  if (const auto broken = core::first_violation(laws, process_->state())) violate(std::string(broken->law) + ": " + broken->sentence);
}

// --- faults -------------------------------------------------------------------------------------------------------------

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
  if (new_boot_) clock_.new_boot();
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

// --- dying and coming back ------------------------------------------------------------------------------------------------

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
  for (auto& [trace, request] : outstanding_) workload_.reply_lost(request);
  outstanding_.clear();
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
  options.use_snapshots = !percent(15);
  auto opened = Process::open(files_, clock_, entropy_, blinding_, options,
                              [this](const store::SealedGroup* group, std::vector<node::PendingAnswer>& answers) { on_durable(group, answers); }, report);
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
  // What is wrong from the start may be set right again without anybody's word.
  unconfirmed_jump_ns_ = process_->timekeeper().suspended() ? clock_.wall().ns - now.ns : 0;
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
    auto opened = Process::open(files_, clock_, entropy_, blinding_, options_, [](const store::SealedGroup*, std::vector<node::PendingAnswer>&) {}, report);
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

// Last of all the disk lies: a write of the journal is lost or flipped although it was reported as done. What was acknowledged
// may be lost then, but only with a word (the open refuses), or where nothing came after it that could have told.
void World::lie_and_crash() {
  after(process_->drain());
  if (!violation_ && process_ != nullptr) take_entries(model::event_number_max);
  if (violation_ || process_ == nullptr) return;
  const model::EventNumber before = process_->durable();
  files_.faults().clear();
  const std::uint64_t delivered = files_.faults().delivered();
  while (!violation_ && !process_->has_group()) send();
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
    send();
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
  auto opened = Process::open(files_, clock_, entropy_, blinding_, options_, [](const store::SealedGroup*, std::vector<node::PendingAnswer>&) {}, report);
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
