#pragma once
// A small world for the tests of node: simulated disk and clock, the real gate, engine, journal and key index.

#include <array>
#include <memory>
#include <string>
#include <vector>

#include "audit/blinding.h"
#include "gate/gate.h"
#include "io/clock.h"
#include "io/random.h"
#include "io/simulated_file.h"
#include "node/engine.h"
#include "node/recovery.h"

namespace node {

class NobodyElse final : public gate::ClientBook {
 public:
  std::optional<gate::Client> find(model::PrincipalNumber) const override { return std::nullopt; }
};

class CollectedAnswers final : public AnswerSink {
 public:
  void deliver(std::uint64_t token, Answer&& answer) override { answers.emplace_back(token, std::move(answer)); }
  std::vector<std::pair<std::uint64_t, Answer>> answers;
};

/// Single-threaded: submissions are decided at once and become durable with commit().
class World {
 public:
  explicit World(std::uint64_t segments = 256 * 1024) : segment_bytes(segments), files(7), random(11), blinding(secret, 0), keys(secret), gate(keys, nobody, [this](std::span<std::uint8_t> out) { random.fill(out); }) {
    open();
    if (engine->position() == 0) {
      engine->take_own({.tenant = 1, .idempotency = {}, .body = model::OpenTenant{}}, clock.wall(),
                       {{.field = model::PrivateField::tenant_name, .salt = {}, .value = base::to_bytes(base::as_bytes("default"))}});
      commit();
    }
  }

  RecoveryOptions recovery_options() const {
    RecoveryOptions options;
    options.directory = "/data";
    options.segment_bytes = segment_bytes;
    options.id_if_new = {1};
    options.key_generation = 64;
    return options;
  }

  void open() {
    if (!files.exists("/data").value()) {
      CHECK(files.make_dir("/data").ok());
    }
    report = {};
    auto recovered = recover(files, clock, blinding, recovery_options(), report);
    CHECK_THAT(recovered.ok(), recovered.ok() ? "" : recovered.error().message.c_str());
    partition = std::make_unique<Partition>(std::move(*recovered));
    entries = std::make_unique<Entries>(partition->reader);
    engine = std::make_unique<Engine>(std::move(partition->state), *partition->directory, *partition->tenants, *partition->keys,
                                      *entries, partition->journal->buffers(), engine_options);
  }
  void close() {
    engine.reset();
    entries.reset();
    partition.reset();
  }

  model::Admitted admit(const std::string& key, const gate::RequestBody& body) {
    auto admission = gate.admit_body(sender, key, body);
    auto* refusal = std::get_if<gate::Refusal>(&admission);
    CHECK_THAT(refusal == nullptr, refusal == nullptr ? "" : refusal->detail.c_str());
    return std::move(std::get<model::Admitted>(admission));
  }
  /// Decides and returns the token its answer will carry.
  std::uint64_t submit(const std::string& key, const gate::RequestBody& body) { return submit(admit(key, body)); }
  std::uint64_t submit(model::Admitted&& admitted) {
    engine->take({.content = std::move(admitted), .sink = &sink, .token = ++tokens}, clock.wall());
    return tokens;
  }
  std::uint64_t ask(Question question) {
    engine->take({.content = std::move(question), .sink = &sink, .token = ++tokens}, clock.wall());
    return tokens;
  }
  /// Makes everything decided durable and delivers the answers.
  void commit() {
    while (engine->has_group()) {
      OutgoingGroup group = engine->seal_group(false);
      if (group.draft) {
        auto sealed = partition->journal->append(std::move(*group.draft));
        CHECK_THAT(sealed.ok(), sealed.ok() ? "" : sealed.error().message.c_str());
        engine->durable_through((*sealed)->header().next_event() - 1);
      }
      for (PendingAnswer& pending : group.answers) {
        if (pending.sink != nullptr) pending.sink->deliver(pending.token, std::move(pending.answer));
      }
      if (engine->parked_count() != 0) engine->take_parked(clock.wall());
    }
  }
  /// The answer to a submission; commit() first.
  const Answer& answer(std::uint64_t token) const {
    for (const auto& [known, answer] : sink.answers) {
      if (known == token) return answer;
    }
    CHECK_THAT(false, "the submission was answered");
    return sink.answers.front().second;
  }
  const Answer& now(const std::string& key, const gate::RequestBody& body) {
    const std::uint64_t token = submit(key, body);
    commit();
    return answer(token);
  }
  model::Event event(model::EventNumber number) {
    auto entry = entries->read_entry(number);
    CHECK(entry.ok());
    return entry->events[static_cast<std::size_t>(number - entry->first_event)];
  }
  model::Outcome outcome(const Answer& answer, std::size_t item = 0) {
    const ItemAnswer& found = answer.items.at(item);
    if (found.event == 0) return found.refusal;
    const model::Event journaled = event(found.event);
    const auto* refused = std::get_if<model::Refused>(&journaled.body);
    return refused == nullptr ? model::Outcome::done : refused->outcome;
  }
  base::U128 balance(const std::string& name) {
    const std::uint64_t token = ask(AskAccount{1, name, model::account_name_hash(1, name)});
    commit();
    const model::Counters& counters = std::get<AccountFound>(answer(token).finding).record.counters;
    return counters.credits_posted - counters.debits_posted - counters.debits_pending;
  }

  gate::TransferRequest transfer(std::string_view from, std::string_view to, base::U128 amount, std::string_view key = {}) {
    gate::TransferRequest request;
    request.key = key;
    request.debit_account = from;
    request.credit_account = to;
    request.asset = *model::parse_asset("USD/2");
    request.amount = amount;
    return request;
  }
  void open_accounts(std::initializer_list<const char*> names) {
    now("asset", gate::AssetRegistration{*model::parse_asset("USD/2")});
    for (const char* name : names) {
      now(std::string("open-") + name,
          gate::AccountOpening{.name = name, .asset = *model::parse_asset("USD/2"), .limits = {}, .metadata = {}});
    }
  }

  class Entries final : public EntrySource {
   public:
    explicit Entries(std::shared_ptr<store::JournalReader> reader) : reader_(std::move(reader)) {}
    base::Result<model::Entry> read_entry(model::EventNumber event) override {
      TRY_ASSIGN(const store::StoredEntry stored, reader_->read_entry(event));
      return model::decode_entry(stored.bytes, stored.first_event);
    }

   private:
    std::shared_ptr<store::JournalReader> reader_;
  };

  const std::uint64_t segment_bytes;
  const std::array<std::uint8_t, 32> secret{9};
  const gate::Sender sender{.tenant = 1, .principal = 7, .trace = {}};
  io::SimulatedFileSystem files;
  io::SimulatedClock clock;
  io::SimulatedRandom random;
  audit::Blinding blinding;
  gate::GateKeys keys;
  NobodyElse nobody;
  gate::Gate gate;
  EngineOptions engine_options;
  RecoveryReport report;
  std::unique_ptr<Partition> partition;
  std::unique_ptr<Entries> entries;
  std::unique_ptr<Engine> engine;
  CollectedAnswers sink;
  std::uint64_t tokens = 0;
};

}  // namespace node
