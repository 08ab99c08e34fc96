#include "node/statement_fetcher.h"

#include <algorithm>
#include <utility>

#include "base/check.h"
#include "node/one_answer.h"

namespace node {

namespace {

gate::GateSettings with_epochs(const model::Epochs& epochs) {
  gate::GateSettings settings;
  settings.epochs = epochs;
  return settings;
}

base::Error refused(model::Outcome outcome) { return {"statement_refused", std::string(model::row_of(outcome).code)}; }

// Whole seconds: that is what statements are asked for by.
base::Instant whole_second(base::Instant at) { return {at.ns - at.ns % base::seconds(1).ns}; }

}  // namespace

StatementFetcher::StatementFetcher(io::Clock& clock, Service& service, AskStatement ask, const gate::GateKeys& keys,
                                   const gate::ClientBook& clients, const std::vector<RailSettings>& rails, base::Duration first_after)
    : clock_(clock),
      service_(service),
      ask_(std::move(ask)),
      first_after_(first_after),
      gate_(keys, clients, [this](std::span<std::uint8_t> out) { random_.fill(out); }, with_epochs(service.epochs())) {
  for (const RailSettings& rail : rails) {
    if (rail.statement_every_seconds == 0) continue;
    schedules_.push_back({.tenant = rail.tenant,
                          .rail = rail.name,
                          .every = base::seconds(rail.statement_every_seconds),
                          .lag = base::seconds(rail.statement_lag_seconds)});
  }
}

StatementFetcher::~StatementFetcher() { stop(); }

void StatementFetcher::start() {
  CHECK(!thread_.joinable());
  if (!schedules_.empty()) thread_ = std::thread([this] { run(); });
}

void StatementFetcher::stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
    changed_.notify_all();
  }
  if (thread_.joinable()) thread_.join();
}

StatementStats StatementFetcher::stats() const {
  return {.recorded = recorded_.load(std::memory_order_relaxed), .failed = failed_.load(std::memory_order_relaxed)};
}

void StatementFetcher::run() {
  const auto start = Steady::now();
  for (Schedule& schedule : schedules_) schedule.due = start + std::chrono::nanoseconds(std::min(schedule.every, first_after_).ns);
  while (true) {
    Schedule& next = *std::ranges::min_element(schedules_, {}, &Schedule::due);
    {
      std::unique_lock lock(mutex_);
      if (changed_.wait_until(lock, next.due, [this] { return stopping_; })) return;
    }
    const base::Status done = fetch(next);
    if (!done.ok()) failed_.fetch_add(1, std::memory_order_relaxed);
    next.due = Steady::now() + std::chrono::nanoseconds(next.every.ns);
  }
}

base::Status StatementFetcher::fetch(Schedule& schedule) {
  const base::Instant until = whole_second({clock_.wall().ns - schedule.lag.ns});
  if (schedule.from.ns == 0) schedule.from = {until.ns - statement_lookback.ns};
  if (until <= schedule.from) return base::ok();   // the clock was set back
  auto answered = answer_to(schedule, until);
  if (!answered) return base::ok();                // stopping
  TRY_ASSIGN(const base::Bytes text, std::move(*answered));
  auto admission = gate_.admit_statement({.tenant = schedule.tenant}, {},
                                         {.rail = model::to_text(schedule.rail), .from = schedule.from, .until = until, .text = base::as_text(text)});
  if (const auto* refusal = std::get_if<gate::Refusal>(&admission)) return refused(refusal->outcome);
  auto& admitted = std::get<model::Admitted>(admission);
  const auto& first = std::get<model::RecordStatement>(admitted.commands.at(0).body);
  if (first.lines_total == 0 && until - schedule.from < statement_quiet_max) return base::ok();
  // One part after the other: where one is not taken the same time is asked for again, and what was taken is known again.
  while (!admitted.commands.empty()) TRY(record(gate::Gate::take_first(admitted)));
  schedule.from = until;
  recorded_.fetch_add(1, std::memory_order_relaxed);
  return base::ok();
}

// Nothing if the service stops meanwhile.
std::optional<base::Result<base::Bytes>> StatementFetcher::answer_to(const Schedule& schedule, base::Instant until) {
  std::unique_lock lock(mutex_);
  fetched_.reset();
  ask_(schedule.tenant, schedule.rail, schedule.from, until, [this](base::Result<base::Bytes> content) {
    const std::lock_guard arriving(mutex_);
    fetched_ = std::move(content);
    changed_.notify_all();
  });
  changed_.wait(lock, [this] { return stopping_ || fetched_.has_value(); });
  return std::exchange(fetched_, std::nullopt);
}

base::Status StatementFetcher::record(model::Admitted&& part) {
  OneAnswer sink;
  const model::Outcome taken = service_.pipeline().submit({.content = std::move(part), .sink = &sink, .token = 0});
  if (taken != model::Outcome::done) return refused(taken);
  const Answer answer = sink.wait();
  if (answer.refusal != model::Outcome::done) return refused(answer.refusal);
  for (const ItemAnswer& item : answer.items) {
    if (item.event == 0) return refused(item.refusal);
    TRY_ASSIGN(const store::StoredEntry stored, service_.reader().read_entry(item.event));
    TRY_ASSIGN(const model::Entry entry, model::decode_entry(stored.bytes, stored.first_event));
    const auto* event = std::get_if<model::Refused>(&entry.events[static_cast<std::size_t>(item.event - entry.first_event)].body);
    if (event != nullptr) return refused(event->outcome);
  }
  return base::ok();
}

}  // namespace node
