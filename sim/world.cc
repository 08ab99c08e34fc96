#include "sim/world.h"

#include <algorithm>
#include <cinttypes>
#include <cstdio>

#include "base/text.h"
#include "core/invariant/invariant.h"
#include "sim/comparison.h"
#include "sim/places.h"

namespace sim {

Place place;

namespace {

constexpr int drift_steps = 120;

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
  core::SagaBounds& sagas = options.engine.bounds.sagas;
  sagas.send_within_default = base::seconds(90);
  sagas.alarm_sending = sagas.alarm_unknown = sagas.alarm_parked = base::seconds(6);
  sagas.alarm_accepted = sagas.alarm_manual_review = sagas.alarm_reversing = base::seconds(20);
  sagas.routing.explore_per_10000 = 2'000;
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

gate::GateSettings gate_settings() {
  gate::GateSettings settings;
  settings.approvals = {{.asset = RailWorkload::asset(), .amount_from = 900, .people = 1}, {.asset = RailWorkload::asset(), .amount_from = 960, .people = 2}};
  return settings;
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
  transfers += other.transfers;
  attempts += other.attempts;
  with_people += other.with_people;
  rail_faults += other.rail_faults;
}

World::World(const Story& story)
    : story_(story),
      random_(story.seed),
      entropy_(story.seed ^ 0x5bd1e995),
      files_(story.seed ^ 0x2545f491),
      secret_(secret_from(random_)),
      blinding_(secret_, 0),
      keys_(secret_),
      gate_(keys_, no_clients_, [this](std::span<std::uint8_t> out) { entropy_.fill(out); }, gate_settings()),
      options_(sizes_for(random_)),
      twin_(bounds_of(options_)),
      workload_(random_, shape_for(random_)),
      rail_random_(story.seed ^ 0x9e3779b97f4a7c15),
      outside_(std::make_unique<Outside>(story.seed ^ 0xd1342543de82ef95, clock_)),
      rail_workload_(rail_random_, outside_->sites()) {
  // Every kind of fault has its turn before any has a second one.
  const std::vector<FaultKind> kinds = kinds_of_story();
  for (std::uint64_t i = 0; i < story_.faults && !kinds.empty(); ++i) {
    plan_.emplace_back(random_.below(story_.commands), kinds[(i + story_.seed) % kinds.size()]);
  }
  if (story_.rails && !story_.rows.is_all()) outside_->set_weather(story_.rows);
  std::sort(plan_.begin(), plan_.end(), std::greater<>());
}

Verdict World::run() {
  place = {story_.seed, 0};
  tell();
  figures_.snapshots += process_ ? process_->snapshots_written() : 0;
  figures_.transfers = twin_.sagas().transfers.size();
  figures_.attempts = twin_.sagas().attempts.size();
  figures_.rail_faults = outside_->faults();
  for (const auto& [number, transfer] : twin_.sagas().transfers) figures_.with_people += transfer.state == model::TransferState::manual_review ? 1u : 0u;
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
  for (int left = story_.rails ? drift_steps : 0; left > 0 && !violation_; --left) drift();
  if (!violation_ && figures_.crashes == 0 && story_.rows.has(Row::C1)) die(io::CrashMode::random);
  end_lasting_faults();
  if (story_.rails && !violation_) {
    if (fault_planned_) files_.faults().clear();
    end_of_rails();
  }
  if (!violation_ && story_.rows.has(Row::C2)) lie_and_crash();
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
  kill_if_told();
  if (violation_) return;
  if (story_.rails) live_with_rails();
  if (violation_) return;
  act();
  if (violation_) return;
  if (fault_planned_ && files_.faults().delivered() > delivered_before_) {
    files_.faults().clear();     // it was borne without stopping
    fault_planned_ = false;
  }
  if (figures_.commands >= compared_at_ + 500) compare_when_idle();
}

// Requests have ended, the faults have not: what is under way meets them too.
void World::drift() {
  place.step = ++steps_;
  kill_if_told();
  if (!violation_) hear(4);
  if (!violation_) let_time_pass();
  if (!violation_ && percent(60)) after(process_->hand_over());
  if (!violation_ && percent(60)) after(process_->commit());
}

void World::kill_if_told() {
  if (steps_ != story_.kill_at_step) return;
  ++figures_.faults;
  die(io::CrashMode::keep_all);
}

// --- what happens -------------------------------------------------------------------------------------------------------

void World::act() {
  const std::uint64_t dice = random_.below(1000);
  if (dice < 520) return send(workload_.next(twin_), false);
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
  if (dice < 993 && (unconfirmed_jump_ns_ != 0 || process_->timekeeper().suspended())) confirm_clock();
}

void World::confirm_clock() {
  const base::Instant before = process_->timekeeper().now();
  after(process_->confirm_clock());
  if (process_ == nullptr || violation_) return;
  confirmed_ns_ += std::max<std::int64_t>((process_->timekeeper().now() - before).ns, 0);
  unconfirmed_jump_ns_ = 0;
  confirmed_at_ = process_->state().head().next_event - 1;
}

void World::send(std::shared_ptr<const Request> request, bool over_rails) {
  const std::uint64_t trace = ++trace_;
  gate::Sender sender{.tenant = request->tenant, .principal = request->principal, .trace = {}};
  base::store_le(sender.trace.data(), trace);
  if (request->kind != Kind::report) figures_.commands += std::max<std::size_t>(request->movements.size(), 1);
  auto admission = admit(gate_, sender, *request);
  if (const auto* refusal = std::get_if<gate::Refusal>(&admission)) {
    // The same key twice in a batch is all that these clients do wrong.
    if (refusal->outcome != model::Outcome::idempotency_key_twice_in_batch) violate("the gate refused a good request: " + refusal->detail);
    return;
  }
  twin_.sent(trace, request);
  outstanding_[trace] = {request, over_rails};
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

void World::on_durable(const store::SealedGroup* group, node::OutgoingGroup& outgoing, std::int64_t core_minus_boot_ns) {
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
  for (const node::EffectOrder& order : outgoing.effects) outside_->carry(order, core_minus_boot_ns);
  for (node::PendingAnswer& answer : outgoing.answers) {
    take_entries(answer.answer.position);
    if (violation_) return;
    take_answer(answer);
  }
  if (!outgoing.answers.empty()) take_entries(model::event_number_max);
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
  auto found = outstanding_.extract(trace);
  if (found.empty()) return violate("an answer to nothing that was asked");
  const auto& [request, over_rails] = found.mapped();
  const bool told_to_repeat = failed_read || pending.answer.refusal == model::Outcome::disk_space_short;
  if (request->kind == Kind::report) {
    report_answered(trace, !told_to_repeat);
  } else if (over_rails) {
    told_to_repeat || rail_random_.below(100) < 8 ? rail_workload_.reply_lost(request) : rail_workload_.answered(request);
  } else {
    told_to_repeat || percent(8) ? workload_.reply_lost(request) : workload_.answered(request);
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

}  // namespace sim
