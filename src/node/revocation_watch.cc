#include "node/revocation_watch.h"

#include <algorithm>
#include <set>
#include <utility>

#include "base/check.h"
#include "base/text.h"
#include "node/own_request.h"

namespace node {

using crypto::chain::Revocation;

namespace {

// How soon a version that became usable is looked at for the first time, at most; also how far apart the first checks of a start are.
constexpr base::Duration first_within = base::seconds(5);
// How often we see whether the registry has changed.
constexpr std::chrono::milliseconds look_every{500};
constexpr std::uint64_t authorities_bytes_max = 1u << 20;

gate::GateSettings with_epochs(const model::Epochs& epochs) {
  gate::GateSettings settings;
  settings.epochs = epochs;
  return settings;
}

std::string name_of(const std::pair<model::KeyNumber, model::KeyVersion>& place) {
  return model::key_id(place.first) + " version " + std::to_string(place.second);
}

std::string sentence_of(const std::pair<model::KeyNumber, model::KeyVersion>& place, const RevocationFinding& finding) {
  std::string text = "the certificate of " + name_of(place) + " is checked: " + std::string(to_text(finding.result));
  if (!finding.evidence.empty()) text += ", " + finding.evidence;
  if (!finding.code.empty()) text += " [" + finding.code + "]";
  return text;
}

}  // namespace

base::Result<std::unique_ptr<RevocationWatch>> RevocationWatch::open(io::FileSystem& files, io::Clock& clock, Service& service, const gate::GateKeys& keys,
                                                                     RevocationOptions options, std::function<void(const std::string&)> say) {
  effects::RevocationFetchOptions fetch{.rules = {}, .connect_max = options.connect_max, .total_max = options.total_max};
  TRY_ASSIGN(fetch.rules, effects::read_revocation_rules(options.hosts, options.networks));
  std::vector<crypto::chain::Certificate> authorities;
  if (!options.authorities_file.empty()) {
    TRY_ASSIGN(const base::Bytes text, io::read_whole_file(files, options.authorities_file, authorities_bytes_max));
    TRY_ASSIGN(authorities, read_certificates(base::as_text(text)));
  }
  return std::unique_ptr<RevocationWatch>(
      new RevocationWatch(clock, service, keys, std::move(options), std::move(fetch), std::move(authorities), std::move(say)));
}

RevocationWatch::RevocationWatch(io::Clock& clock, Service& service, const gate::GateKeys& keys, RevocationOptions options,
                                 effects::RevocationFetchOptions fetch, std::vector<crypto::chain::Certificate> authorities,
                                 std::function<void(const std::string&)> say)
    : clock_(clock),
      service_(service),
      options_(std::move(options)),
      say_(std::move(say)),
      gate_(keys, nobody_, [this](std::span<std::uint8_t> out) { random_.fill(out); }, with_epochs(service.epochs())),
      fetch_(names_, clock, std::move(fetch)),
      check_(fetch_, std::move(authorities)) {}

RevocationWatch::~RevocationWatch() { stop(); }

void RevocationWatch::start() {
  CHECK(!thread_.joinable());
  if (options_.policy != Revocation::off) thread_ = std::thread([this] { run(); });
}

void RevocationWatch::stop() {
  fetch_.stop();
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
    changed_.notify_all();
  }
  if (thread_.joinable()) thread_.join();
}

std::optional<RevocationReport> RevocationWatch::find(model::KeyNumber key, model::KeyVersion version) const {
  const std::lock_guard lock(mutex_);
  const auto found = watched_.find({key, version});
  return found == watched_.end() ? std::nullopt : found->second.report;
}

RevocationStats RevocationWatch::stats() const {
  RevocationStats stats;
  for (std::size_t i = 0; i < revocation_results; ++i) stats.checks[i] = checks_[i].load(std::memory_order_relaxed);
  stats.suspended = suspended_.load(std::memory_order_relaxed);
  stats.failures = failures_.load(std::memory_order_relaxed);
  const std::lock_guard lock(mutex_);
  for (const auto& [place, watched] : watched_) {
    if (watched.report) ++stats.versions[static_cast<std::size_t>(watched.report->finding.result)];
    else ++stats.unchecked;
  }
  return stats;
}

void RevocationWatch::run() {
  while (true) {
    follow_registry();
    const Steady::time_point now = Steady::now();
    const auto place = next_due();
    const Steady::time_point due = place ? watched_.at(*place).due : Steady::time_point::max();
    if (due <= now) check(*place);
    if (wait_until(due <= now ? now : std::min(due, now + look_every))) return;
  }
}

// True once the watch is to end.
bool RevocationWatch::wait_until(Steady::time_point time) {
  std::unique_lock lock(mutex_);
  return changed_.wait_until(lock, time, [this] { return stopping_; });
}

void RevocationWatch::follow_registry() {
  auto registry = service_.pipeline().registry();
  if (registry == followed_) return;
  followed_ = std::move(registry);
  const Steady::time_point now = Steady::now();
  std::set<Place> usable;
  const std::lock_guard lock(mutex_);
  for (std::size_t i = 0; i < followed_->versions.size(); ++i) {
    const core::KeyVersionRecord& version = followed_->versions[i];
    if (!model::is_usable(version.status())) continue;
    const core::ImportRecord* import = followed_->import(version.import);
    if (import == nullptr || import->form != static_cast<std::uint8_t>(model::KeyForm::certificate)) continue;
    const Place place{version.key, version.version};
    usable.insert(place);
    watched_.try_emplace(place, Watched{.tenant = followed_->key(version.key)->tenant,
                                        .import = version.import,
                                        .due = now + drawn_below(std::min(options_.every, first_within)),
                                        .known_at = now,
                                        .report = {}});
  }
  std::erase_if(watched_, [&](const auto& entry) { return !usable.contains(entry.first); });
}

std::optional<RevocationWatch::Place> RevocationWatch::next_due() {
  const auto first = std::ranges::min_element(watched_, {}, [](const auto& entry) { return entry.second.due; });
  return first == watched_.end() ? std::nullopt : std::optional(first->first);
}

void RevocationWatch::check(Place place) {
  Watched watched = watched_.at(place);
  auto finding = finding_of(watched.import);
  if (fetch_.is_stopping()) return;   // what broke off says nothing
  const Steady::time_point now = Steady::now();
  const base::Duration soon = std::min(options_.retry, options_.every);
  if (!finding.ok()) {
    failures_.fetch_add(1, std::memory_order_relaxed);
    say_("the certificate of " + name_of(place) + " cannot be read: " + finding.error().message + " [" + finding.error().code + "]");
    watched.due = now + spread(soon);
  } else {
    const bool is_news = !watched.report || watched.report->finding.result != finding->result || watched.report->finding.code != finding->code;
    if (is_news) say_(sentence_of(place, *finding));
    checks_[static_cast<std::size_t>(finding->result)].fetch_add(1, std::memory_order_relaxed);
    if (finding->result != RevocationResult::unknown) watched.known_at = now;
    const base::Instant good_before = watched.report ? watched.report->good_at : base::Instant{};
    const base::Instant checked_at = clock_.wall();
    const bool good = finding->result == RevocationResult::good;
    const auto verb = consequence(*finding, now - watched.known_at);
    const bool again = verb.has_value() || finding->result == RevocationResult::unknown;
    watched.due = now + spread(again ? soon : options_.every);
    watched.report = RevocationReport{.finding = *std::move(finding), .checked_at = checked_at, .good_at = good ? checked_at : good_before};
    if (verb) suspend(place, watched.tenant, *verb, watched.report->finding);
  }
  const std::lock_guard lock(mutex_);
  watched_.insert_or_assign(place, std::move(watched));
}

// Error: those of reading the journal.
base::Result<RevocationFinding> RevocationWatch::finding_of(model::EventNumber import) {
  TRY_ASSIGN(const auto kept, service_.reader().read_private(import, model::PrivateField::key_certificate));
  return check_.check(kept && !kept->erased ? base::as_text(kept->value) : std::string_view(), clock_.wall());
}

// The end of a certificate is told of long before (`key.expiring`), and is no revocation.
std::optional<model::KeyVerb> RevocationWatch::consequence(const RevocationFinding& finding, Steady::duration unknown_for) const {
  if (finding.result == RevocationResult::revoked) return model::KeyVerb::suspend_revoked;
  const bool too_long = options_.policy == Revocation::hard && unknown_for >= std::chrono::nanoseconds(options_.unknown_max.ns);
  if (finding.result == RevocationResult::unknown && too_long) return model::KeyVerb::suspend_unknown;
  return std::nullopt;
}

// A suspension that is not recorded is tried again with the next check.
void RevocationWatch::suspend(Place place, model::TenantNumber tenant, model::KeyVerb verb, const RevocationFinding& finding) {
  const std::string reason = verb == model::KeyVerb::suspend_revoked ? "the certificate was " + finding.evidence
                                                                     : "whether the certificate is revoked was unknown for too long: " + finding.code;
  const auto done = ask_service(service_, gate_, gate::KeySteering{.key = place.first, .version = place.second, .verb = verb, .reason = reason}, tenant);
  if (done.ok()) {
    say_(name_of(place) + " was suspended: " + reason);
    suspended_.fetch_add(1, std::memory_order_relaxed);
    return;
  }
  failures_.fetch_add(1, std::memory_order_relaxed);
  say_(name_of(place) + " could not be suspended: " + done.error().message + " [" + done.error().code + "]");
}

// Less by up to a tenth, so that what began together does not stay together.
RevocationWatch::Steady::duration RevocationWatch::spread(base::Duration span) {
  return std::chrono::nanoseconds(span.ns) - drawn_below({span.ns / 10});
}

// Evenly between nothing and `most`, in steps of a thousandth.
RevocationWatch::Steady::duration RevocationWatch::drawn_below(base::Duration most) {
  std::array<std::uint8_t, 8> drawn{};
  random_.fill(drawn);
  return std::chrono::nanoseconds(most.ns / 1'000 * static_cast<std::int64_t>(base::load_le<std::uint64_t>(drawn.data()) % 1'000));
}

}  // namespace node
