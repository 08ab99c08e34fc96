#include "sim/process.h"

#include <utility>

#include "base/check.h"
#include "crypto/hash.h"

namespace sim {

class Process::Entries final : public node::EntrySource {
 public:
  explicit Entries(std::shared_ptr<store::JournalReader> reader) : reader_(std::move(reader)) {}
  base::Result<model::Entry> read_entry(model::EventNumber event) override {
    TRY_ASSIGN(const store::StoredEntry stored, reader_->read_entry(event));
    return model::decode_entry(stored.bytes, stored.first_event);
  }

 private:
  std::shared_ptr<store::JournalReader> reader_;
};

Process::Process(io::SimulatedFileSystem& files, const ProcessOptions& options, OnDurable on_durable)
    : files_(files), options_(options), on_durable_(std::move(on_durable)) {}
Process::~Process() = default;

base::Result<std::unique_ptr<Process>> Process::open(io::SimulatedFileSystem& files, io::SimulatedClock& clock,
                                                     io::SimulatedRandom& random, const audit::Blinding& blinding,
                                                     const ProcessOptions& options, OnDurable on_durable,
                                                     node::RecoveryReport& report) {
  std::unique_ptr<Process> process(new Process(files, options, std::move(on_durable)));
  TRY_ASSIGN(const bool there, files.exists(data_directory));
  if (!there) TRY(files.make_dir(data_directory));
  TRY(files.sync_dir("."));
  node::RecoveryOptions recovery{.directory = data_directory,
                                 .segment_bytes = options.segment_bytes,
                                 .key_generation = options.key_generation,
                                 .use_snapshots = options.use_snapshots};
  random.fill(recovery.id_if_new);
  TRY_ASSIGN(process->partition_, node::recover(files, clock, blinding, recovery, report));
  node::Partition& partition = process->partition_;
  process->timekeeper_ = std::make_unique<node::Timekeeper>(clock, partition.last_anchor());
  process->entries_ = std::make_unique<Entries>(partition.reader);
  process->engine_ = std::make_unique<node::Engine>(std::move(partition.state), *partition.directory, *partition.tenants,
                                                    *partition.keys, *process->entries_, partition.journal->buffers(), options.engine);
  process->durable_ = process->last_freeze_ = process->engine_->position();
  if (process->durable_ == 0) TRY(process->bootstrap(random));
  return process;
}

base::Status Process::bootstrap(io::SimulatedRandom& random) {
  model::PrivateDraft name{.field = model::PrivateField::tenant_name, .value = base::to_bytes(base::as_bytes("default"))};
  random.fill(name.salt);
  const model::OpenTenant open{.name = crypto::sha256({name.salt, name.value})};
  CHECK(engine_->take_own({.tenant = 1, .idempotency = {}, .body = open}, timekeeper_->now(), {std::move(name)}));
  TRY(hand_over());
  return commit();
}

std::uint64_t Process::bytes_in_flight() const {
  std::uint64_t sum = engine_->pending_disk_bytes();
  for (const Work& work : in_flight_) sum += work.disk_bytes;
  return sum;
}

// True if there is room for so many bytes beside what is on its way; waits for the journal, and makes the next segment, if
// that helps.
base::Result<bool> Process::make_room(std::uint64_t bytes) {
  // The most that there can be room for is an empty segment, as in the pipeline.
  const auto room = [&] { return partition_.journal->room_for(bytes_in_flight() + std::min(bytes, whole_segment_bytes())); };
  if (room()) return true;
  TRY(prepare_next());
  if (room()) return true;
  TRY(drain());
  TRY(prepare_next());
  return room();
}

std::uint64_t Process::whole_segment_bytes() const {
  const std::uint64_t most = partition_.journal->group_bytes_max();
  return most - store::footer_bytes(most / store::block_bytes);
}

base::Status Process::submit(node::Submission&& submission) {
  if (std::holds_alternative<model::Admitted>(submission.content)) {
    TRY_ASSIGN(const bool room, make_room(engine_->disk_bytes_of(submission) + options_.space_reserve_bytes));
    if (!room) {
      engine_->refuse(submission, model::Outcome::disk_space_short);
      return base::ok();
    }
  }
  engine_->take(std::move(submission), timekeeper_->now());
  while (engine_->group_full()) TRY(hand_over());
  return base::ok();
}

base::Status Process::hand_over() {
  if (!engine_->has_group()) return base::ok();
  const bool freeze = engine_->position() - last_freeze_ >= options_.freeze_every_events;
  Work work{.group = engine_->seal_group(freeze), .prepared = {}};
  if (work.group.frozen) last_freeze_ = engine_->position();
  if (work.group.draft) {
    work.disk_bytes = work.group.draft->disk_bytes();
    const node::TimeAnchor anchor = timekeeper_->anchor();
    work.core_minus_boot_ns = anchor.instant.ns - anchor.boot_ns;
    work.group.draft->set_clock(anchor);
    TRY_ASSIGN(work.prepared, partition_.journal->prepare(std::move(*work.group.draft)));
  }
  in_flight_.push_back(std::move(work));
  return base::ok();
}

base::Status Process::commit() {
  if (in_flight_.empty()) return base::ok();
  std::shared_ptr<const store::SealedGroup> sealed;
  if (in_flight_.front().prepared) {
    TRY_ASSIGN(sealed, partition_.journal->commit(std::move(*in_flight_.front().prepared)));
  }
  Work work = std::move(in_flight_.front());
  in_flight_.pop_front();
  if (sealed) {
    durable_ = sealed->header().next_event() - 1;
    engine_->durable_through(durable_);
    if (work.group.frozen && snapshot_ == nullptr) TRY(begin_snapshot(std::move(work.group.frozen), *sealed));
  }
  on_durable_(sealed.get(), work.group, work.core_minus_boot_ns);
  return base::ok();
}

void Process::take_parked() { engine_->take_parked(timekeeper_->now()); }

base::Status Process::tick() {
  const base::Instant now = timekeeper_->now();
  if (timekeeper_->suspended() || !partition_.journal->room_for(bytes_in_flight() + options_.own_bytes_max)) return base::ok();
  engine_->tick(now);
  return base::ok();
}

base::Status Process::confirm_clock() {
  timekeeper_->now();
  if (!timekeeper_->suspended()) return base::ok();
  const base::Duration jump = timekeeper_->confirm();
  engine_->take_own({.tenant = 1, .idempotency = {}, .body = model::ConfirmClock{jump}}, timekeeper_->now());
  return base::ok();
}

base::Status Process::prepare_next() {
  base::Status made = partition_.journal->prepare_next();
  if (!made.ok() && std::string_view(made.error().code) == "disk_full") return base::ok();
  return made;
}

base::Status Process::flush_keys() {
  const auto more = partition_.keys->flush_step(durable_);
  if (!more.ok() && std::string_view(more.error().code) != "disk_full") return more.error();
  return base::ok();
}

base::Status Process::begin_snapshot(std::shared_ptr<core::FrozenState> frozen, const store::SealedGroup& group) {
  frozen_ = std::move(frozen);
  snapshot_head_.clear();
  snapshot_names_.clear();
  auto sections = node::snapshot_sections(*frozen_, *partition_.directory, partition_.tenants->copy(), snapshot_head_, snapshot_names_);
  auto begun = store::SnapshotWriter::begin(files_, std::string(data_directory) + "/snapshots", node::snapshot_position(group), std::move(sections), frozen_);
  if (begun.ok()) {
    snapshot_ = std::move(begun).value();
  } else if (std::string_view(begun.error().code) != "disk_full") {
    return begun.error();
  }
  return base::ok();
}

base::Status Process::write_snapshot(std::uint64_t bytes_max) {
  if (snapshot_ == nullptr) return base::ok();
  const auto more = snapshot_->step(bytes_max);
  if (more.ok() && *more) return base::ok();
  snapshots_written_ += more.ok() ? 1 : 0;
  snapshot_.reset();
  // Without space for a snapshot the journal still holds everything.
  if (!more.ok() && std::string_view(more.error().code) != "disk_full") return more.error();
  return base::ok();
}

base::Status Process::seal_if_idle() {
  if (!idle()) return base::ok();
  const node::TimeAnchor anchor = timekeeper_->anchor();
  return partition_.journal->seal(anchor.instant, anchor);
}

base::Status Process::drain() {
  for (;;) {
    while (engine_->has_group()) TRY(hand_over());
    while (!in_flight_.empty()) TRY(commit());
    if (engine_->parked_count() == 0) return base::ok();
    take_parked();
  }
}

}  // namespace sim
