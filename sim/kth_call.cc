#include "sim/kth_call.h"

#include "gate/gate.h"
#include "sim/comparison.h"
#include "sim/process.h"

namespace sim {

namespace {

struct NoClients final : gate::ClientBook {
  std::optional<gate::Client> find(model::PrincipalNumber) const override { return std::nullopt; }
};

std::shared_ptr<Request> request_of(Kind kind, std::string key) {
  auto request = std::make_shared<Request>();
  request->kind = kind;
  request->key = std::move(key);
  request->asset = model::parse_asset("USD/2").value();
  return request;
}

Movement movement_of(std::string key, std::string debit, std::string credit, std::uint64_t amount) {
  Movement movement;
  movement.key = std::move(key);
  movement.debit = std::move(debit);
  movement.credit = std::move(credit);
  movement.asset = model::parse_asset("USD/2").value();
  movement.amount = amount;
  return movement;
}

// What is asked for, in order: enough for a few segments, runs of keys, a merge and snapshots.
std::vector<std::shared_ptr<const Request>> requests() {
  std::vector<std::shared_ptr<const Request>> all;
  all.push_back(request_of(Kind::register_asset, "asset"));
  for (const char* name : {"a", "b"}) {
    auto open = request_of(Kind::open_account, std::string("open-") + name);
    open->name = name;
    all.push_back(open);
  }
  for (int i = 0; i < 24; ++i) {
    const std::string key = "k" + std::to_string(i);
    auto request = request_of(i % 3 == 0 ? Kind::batch : Kind::transfer, i % 3 == 0 ? "batch-" + key : "");
    request->movements.push_back(movement_of(key, "world/USD", "a", 100));
    if (i % 3 == 0) {
      request->movements.push_back(movement_of(key + "-2", "a", "b", 30));
      request->movements[1].hold = true;
      request->movements[1].hold_seconds = 3;
      request->movements[1].reference = "invoice " + key;
      request->movements.push_back(movement_of(key + "-3", "a", "b", 20));
      request->movements.push_back(movement_of(key + "-4", "a", "world/USD", 1));
      request->movements[2].group = request->movements[3].group = 1;
    }
    all.push_back(request);
    if (i % 4 == 0) all.push_back(request);   // sent twice
  }
  return all;
}

class Telling {
 public:
  explicit Telling(std::uint64_t seed)
      : files_(seed), random_(seed), blinding_(secret_, 0), keys_(secret_),
        gate_(keys_, no_clients_, [this](std::span<std::uint8_t> out) { random_.fill(out); }), twin_({}) {
    options_.segment_bytes = 64 << 10;
    options_.space_reserve_bytes = 0;
    options_.key_generation = 4;
    options_.freeze_every_events = 20;
    options_.engine.group_bytes_max = 12 << 10;
  }

  // True if it was told to its end.
  bool tell(std::optional<std::pair<std::uint64_t, io::Fault>> failure) {
    if (failure) files_.faults().fail_call(failure->first, failure->second);
    const bool told = live().ok();
    return told;
  }

  // Opens the disk again, repeats everything, and compares.
  Complaint judge(io::CrashMode mode) {
    process_.reset();
    files_.crash(mode);
    failing_ = false;
    const base::Status reopened = open();
    if (!reopened.ok()) return "it does not open again: " + std::string(reopened.error().code) + ": " + reopened.error().message;
    waiting_.clear();
    const model::EventNumber acknowledged = twin_.position();
    const base::Status read = process_->reader().for_each_entry(1, {.body_hash = true}, [&](const store::EntryView& view) -> base::Status {
      TRY_ASSIGN(const model::Entry entry, model::decode_entry(view.bytes, view.first_event));
      if (entry.first_event > acknowledged) {
        if (auto complaint = twin_.take_entry(entry, {}); complaint && !complaint_) complaint_ = complaint;
      } else if (hashes_[entry.first_event] != hash_of(view.bytes) && !complaint_) {
        complaint_ = "entry " + std::to_string(entry.first_event) + " has other bytes than were acknowledged";
      }
      return base::ok();
    });
    if (!read.ok()) return "it does not read back: " + read.error().message;
    if (process_->durable() < acknowledged) return "something acknowledged is gone";
    if (complaint_) return complaint_;
    twin_.drop_unanswered();
    if (auto complaint = twin_.compare(process_->state(), process_->directory())) return complaint;
    const base::Status again = submit_all();
    if (!again.ok()) return "the second telling stops: " + again.error().message;
    take_entries(model::event_number_max);
    if (complaint_) return complaint_;
    return twin_.compare(process_->state(), process_->directory());
  }

  Complaint complaint() const { return complaint_; }
  std::uint64_t calls() { return files_.faults().calls(); }
  void expect_failures() { failing_ = true; }

 private:
  base::Status open() {
    node::RecoveryReport report;
    TRY_ASSIGN(process_, Process::open(files_, clock_, random_, blinding_, options_,
                                       [this](const store::SealedGroup* group, node::OutgoingGroup& outgoing, std::int64_t) { on_durable(group, outgoing.answers); }, report));
    return base::ok();
  }

  base::Status live() {
    TRY(open());
    TRY(submit_all());
    return process_->seal_if_idle();
  }

  base::Status submit_all() {
    for (const auto& request : requests()) {
      gate::Sender sender{.tenant = request->tenant, .principal = request->principal, .trace = {}};
      base::store_le(sender.trace.data(), ++trace_);
      auto admitted = admit(gate_, sender, *request);
      twin_.sent(trace_, request);
      TRY(process_->submit({.content = std::move(std::get<model::Admitted>(admitted)), .sink = nullptr, .token = trace_}));
      if (trace_ % 2 == 0) TRY(process_->hand_over());
      if (trace_ % 3 == 0) TRY(process_->commit());
      process_->take_parked();
      TRY(process_->flush_keys());
      TRY(process_->write_snapshot(4'096));
      if (trace_ % 5 == 0) TRY(process_->prepare_next());
      clock_.advance(500'000'000);
      TRY(process_->tick());
    }
    return process_->drain();
  }

  void on_durable(const store::SealedGroup* group, std::vector<node::PendingAnswer>& answers) {
    if (group != nullptr) {
      const base::Status read = store::for_each_entry_in(group->bytes(), group->header(), [&](const store::EntryView& view) -> base::Status {
        hashes_[view.first_event] = hash_of(view.bytes);
        TRY_ASSIGN(model::Entry entry, model::decode_entry(view.bytes, view.first_event));
        waiting_.push_back(std::move(entry));
        return base::ok();
      });
      if (!read.ok() && !complaint_) complaint_ = read.error().message;
    }
    for (node::PendingAnswer& answer : answers) {
      take_entries(answer.answer.position);
      if (!complaint_) complaint_ = twin_.take_answer(answer.token, answer.answer, failing_);
    }
    if (!answers.empty()) take_entries(model::event_number_max);
  }

  // As in World: the twin is never ahead of an answer that is still on its way.
  void take_entries(model::EventNumber position) {
    while (!complaint_ && !waiting_.empty() && waiting_.front().first_event <= position) {
      complaint_ = twin_.take_entry(waiting_.front(), {});
      waiting_.pop_front();
    }
  }

  std::array<std::uint8_t, 32> secret_{1, 2, 3};
  io::SimulatedFileSystem files_;
  io::SimulatedClock clock_;
  io::SimulatedRandom random_;
  audit::Blinding blinding_;
  gate::GateKeys keys_;
  NoClients no_clients_;
  gate::Gate gate_;
  ProcessOptions options_;
  Twin twin_;
  std::unique_ptr<Process> process_;
  std::map<model::EventNumber, std::uint64_t> hashes_;
  std::deque<model::Entry> waiting_;
  std::uint64_t trace_ = 0;
  bool failing_ = false;
  Complaint complaint_;
};

std::string name_of(io::Fault fault) {
  switch (fault) {
    case io::Fault::io_error: return "io_error";
    case io::Fault::torn_write: return "torn_write";
    case io::Fault::disk_full: return "disk_full";
    case io::Fault::power_loss: return "power_loss";
    default: return "fault";
  }
}

}  // namespace

KthCallReport fail_every_call() {
  KthCallReport report;
  {
    Telling whole(1);
    if (!whole.tell(std::nullopt)) report.violation = "the story stops without a failure";
    if (whole.complaint()) report.violation = whole.complaint();
    report.calls = whole.calls();
  }
  for (const io::Fault fault : {io::Fault::io_error, io::Fault::torn_write, io::Fault::disk_full, io::Fault::power_loss}) {
    for (std::uint64_t k = 1; k <= report.calls && !report.violation; ++k) {
      Telling telling(k);
      telling.expect_failures();
      ++report.runs;
      report.stopped += telling.tell(std::pair(k, fault)) ? 0u : 1u;
      auto complaint = telling.complaint();
      if (!complaint) complaint = telling.judge(k % 2 == 0 ? io::CrashMode::random : io::CrashMode::keep_all);
      if (complaint) report.violation = "call " + std::to_string(k) + " fails with " + name_of(fault) + ": " + *complaint;
    }
  }
  return report;
}

}  // namespace sim
