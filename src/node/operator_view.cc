#include "node/operator_view.h"

#include <algorithm>
#include <charconv>

namespace node {

namespace {

void head(std::string& out, std::string_view name, std::string_view type, std::string_view help) {
  out.append("# HELP ").append(name).append(" ").append(help).append("\n# TYPE ").append(name).append(" ").append(type).append("\n");
}

void sample(std::string& out, std::string_view name, std::string_view labels, std::string_view value) {
  out.append(name);
  if (!labels.empty()) out.append("{").append(labels).append("}");
  out.append(" ").append(value).append("\n");
}

void counter(std::string& out, std::string_view name, std::string_view help, std::uint64_t value) {
  head(out, name, "counter", help);
  sample(out, name, "", std::to_string(value));
}

void gauge(std::string& out, std::string_view name, std::string_view help, std::uint64_t value) {
  head(out, name, "gauge", help);
  sample(out, name, "", std::to_string(value));
}

/// Nanoseconds as decimal seconds, without floating point.
std::string seconds_text(std::uint64_t ns) {
  std::string fraction = std::to_string(ns % 1'000'000'000);
  fraction.insert(0, 9 - fraction.size(), '0');
  return std::to_string(ns / 1'000'000'000) + "." + fraction;
}

std::string label(std::string_view name, std::string_view value) {
  return std::string(name) + "=\"" + std::string(value) + "\"";
}

std::string size_text(std::uint64_t bytes) {
  constexpr std::uint64_t mib = 1 << 20;
  return bytes >= 10 * 1024 * mib ? std::to_string(bytes / (1024 * mib)) + " GiB" : std::to_string(bytes / mib) + " MiB";
}

/// The number behind a word of a file in /proc; 0 if it is not there.
std::uint64_t number_after(std::string_view text, std::string_view word) {
  const std::size_t at = text.find(word);
  if (at == std::string_view::npos) return 0;
  const std::size_t digit = text.find_first_of("0123456789", at + word.size());
  if (digit == std::string_view::npos) return 0;
  std::uint64_t number = 0;
  std::from_chars(text.data() + digit, text.data() + text.size(), number);
  return number;
}

std::string read_proc(io::FileSystem& files, const std::string& path) {
  std::string text(8192, '\0');
  const auto file = files.open(path, io::OpenMode::read_only);
  if (!file.ok()) return {};
  const auto size = (*file)->read_at(0, std::span(reinterpret_cast<std::uint8_t*>(text.data()), text.size()));
  text.resize(size.ok() ? *size : 0);
  return text;
}

}  // namespace

void ReplyCounts::replied(const edge::ReplyRecord& record) {
  ++replies_[{record.action, record.status}];
  if (record.outcome != model::Outcome::done) ++problems_[model::code_of(record.outcome)];
  const auto bound = std::ranges::lower_bound(bounds_ns, record.duration_ns);
  ++buckets_[static_cast<std::size_t>(bound - bounds_ns.begin())];
  duration_ns_sum_ += static_cast<std::uint64_t>(std::max<std::int64_t>(0, record.duration_ns));
  items_ += record.items;
  replayed_ += record.replayed ? 1 : 0;
}

void ReplyCounts::append_metrics(std::string& out) const {
  head(out, "holdfast_replies_total", "counter", "Replies by what was asked and by status.");
  for (const auto& [key, count] : replies_) {
    const auto& [action, status] = key;
    sample(out, "holdfast_replies_total", label("action", action) + "," + label("status", std::to_string(status)), std::to_string(count));
  }
  head(out, "holdfast_problems_total", "counter", "Replies that were problems, by code.");
  for (const auto& [code, count] : problems_) sample(out, "holdfast_problems_total", label("code", code), std::to_string(count));
  counter(out, "holdfast_reply_items_total", "Items of all replies: one each, of a batch as many as it has.", items_);
  counter(out, "holdfast_replies_replayed_total", "Replies under a key that was answered before.", replayed_);
  head(out, "holdfast_reply_seconds", "histogram", "From the complete request to the reply.");
  std::uint64_t through = 0;
  for (std::size_t i = 0; i < buckets_.size(); ++i) {
    through += buckets_[i];
    const std::string bound = i < bounds_ns.size() ? seconds_text(static_cast<std::uint64_t>(bounds_ns[i])) : "+Inf";
    sample(out, "holdfast_reply_seconds_bucket", label("le", bound), std::to_string(through));
  }
  sample(out, "holdfast_reply_seconds_sum", "", seconds_text(duration_ns_sum_));
  sample(out, "holdfast_reply_seconds_count", "", std::to_string(through));
}

OperatorView::OperatorView(OperatorParts parts) : parts_(std::move(parts)), started_boot_ns_(parts_.clock.boot_ns()) {}

edge::Readiness OperatorView::readiness() const {
  edge::Readiness readiness{.ready = true, .lines = {}};
  const PipelineStats stats = parts_.service.pipeline().stats();
  const bool stopping = server_ != nullptr && server_->shutting_down();
  if (stopping) readiness.ready = false;
  readiness.lines.push_back(stopping ? "service: stopping" : "service: ok");
  readiness.lines.push_back("journal: ok, event " + std::to_string(stats.durable) + " durable");
  const auto space = parts_.files.free_space(parts_.directory);
  if (!space.ok()) {
    readiness.ready = false;
    readiness.lines.push_back("disk_space: unknown");
  } else if (*space < parts_.space_reserve_bytes) {
    readiness.ready = false;
    readiness.lines.push_back("disk_space: short, " + size_text(*space) + " free; nothing that changes something is taken");
  } else {
    readiness.lines.push_back("disk_space: " + size_text(*space) + " free");
  }
  readiness.lines.push_back(parts_.service.pipeline().clock_suspended()
                                ? "clock: suspended by a jump; holds do not expire until POST /clock/confirm"
                                : "clock: ok");
  const model::EventNumber projected = parts_.service.projected();
  std::string views = "views: " + std::to_string(stats.durable - std::min(projected, stats.durable)) + " events behind";
  if (const char* failed = parts_.service.views_failed()) views += std::string(", and cannot be written [") + failed + "]";
  readiness.lines.push_back(std::move(views));
  add_audit_lines(readiness);
  return readiness;
}

// A log that may not go on serves what it published, and requests; that nothing more is published has to be seen.
void OperatorView::add_audit_lines(edge::Readiness& readiness) const {
  const auto published = parts_.audit.published();
  const auto trouble = parts_.audit.trouble();
  std::string line = "audit_log: ";
  if (trouble) line += std::string("publishes no checkpoints: ") + trouble->message + " [" + trouble->code + "]";
  else line += "ok, checkpoint of " + std::to_string(published ? published->checkpoint.size : 0) + " leaves";
  if (parts_.audit.remembers_inside_only()) line += ", remembered in the data directory only: set audit.published_file";
  readiness.lines.push_back(line);
  if (parts_.witnesses == nullptr) return;
  const WitnessStats stats = parts_.witnesses->stats();
  line = "witnesses: " + std::to_string(stats.published_size - std::min(stats.witnessed_size, stats.published_size)) + " leaves behind";
  if (stats.failing != 0) line += ", " + std::to_string(stats.failing) + " of " + std::to_string(stats.witnesses) + " failing; " + stats.last_failure;
  readiness.lines.push_back(line);
}

bool OperatorView::confirm_clock() {
  if (!parts_.service.pipeline().clock_suspended()) return false;
  parts_.service.pipeline().confirm_clock();
  return true;
}

std::string OperatorView::metrics() const {
  std::string out;
  append_pipeline(out);
  append_derived(out);
  append_audit(out);
  append_key_sets(out);
  append_registry(out);
  append_revocation(out);
  append_outside(out);
  append_anchoring(out);
  parts_.replies.append_metrics(out);
  append_server(out);
  append_process(out);
  return out;
}

void OperatorView::append_key_sets(std::string& out) const {
  if (parts_.key_sets == nullptr) return;
  const effects::KeySetKeeper& keeper = parts_.key_sets->keeper();
  const intake::KeySetCounters counters = keeper.counters();
  counter(out, "holdfast_key_set_hits_total", "Keys found in a fresh key set.", counters.hits);
  counter(out, "holdfast_key_set_stale_hits_total", "Keys found in a key set past its lifetime.", counters.stale_hits);
  counter(out, "holdfast_key_set_unknown_ids_total", "Key ids asked for that are in no key set.", counters.unknown_ids);
  counter(out, "holdfast_key_set_refreshes_total", "Key sets fetched, or found unchanged.", counters.refreshes);
  counter(out, "holdfast_key_set_refreshes_failed_total", "Fetches of key sets that failed.", counters.refreshes_failed);
  const std::vector<effects::KeptKeySet> sets = keeper.standing();
  head(out, "holdfast_key_set_keys", "gauge", "Usable keys of a key set.");
  for (const effects::KeptKeySet& set : sets) sample(out, "holdfast_key_set_keys", label("issuer", set.issuer), std::to_string(set.standing.keys));
  head(out, "holdfast_key_set_keys_waiting", "gauge", "Keys that came under the id of another key and wait for somebody's word.");
  for (const effects::KeptKeySet& set : sets) sample(out, "holdfast_key_set_keys_waiting", label("issuer", set.issuer), std::to_string(set.standing.quarantined));
  head(out, "holdfast_key_set_failures", "gauge", "Fetches of a key set that failed in a row.");
  for (const effects::KeptKeySet& set : sets) sample(out, "holdfast_key_set_failures", label("issuer", set.issuer), std::to_string(set.standing.failures));
}

void OperatorView::append_pipeline(std::string& out) const {
  const PipelineStats stats = parts_.service.pipeline().stats();
  counter(out, "holdfast_submissions_total", "Requests taken by the pipeline.", stats.submissions);
  counter(out, "holdfast_refused_overload_total", "Requests refused because a queue was full.", stats.refused_overload);
  counter(out, "holdfast_refused_space_total", "Requests refused because the disk is short of space.", stats.refused_space);
  counter(out, "holdfast_groups_total", "Groups committed: one write and one sync each.", stats.groups);
  counter(out, "holdfast_events_total", "Events committed since the start.", stats.events);
  gauge(out, "holdfast_queue", "Requests waiting for the core.", stats.queue);
  gauge(out, "holdfast_event_decided", "Newest event decided.", stats.decided);
  gauge(out, "holdfast_event_durable", "Newest event durable.", stats.durable);
  head(out, "holdfast_commit_seconds_total", "counter", "Time spent writing and syncing groups.");
  sample(out, "holdfast_commit_seconds_total", "", seconds_text(stats.sync_ns_sum));
  head(out, "holdfast_commit_seconds_max", "gauge", "Longest commit since the start.");
  sample(out, "holdfast_commit_seconds_max", "", seconds_text(stats.sync_ns_max));
  gauge(out, "holdfast_clock_suspended", "1 while expiries wait for a confirmed clock.", parts_.service.pipeline().clock_suspended() ? 1 : 0);
}

void OperatorView::append_derived(std::string& out) const {
  const PipelineStats stats = parts_.service.pipeline().stats();
  const DerivedStats derived = parts_.service.derived();
  gauge(out, "holdfast_views_lag_events", "Durable events that the views do not include yet.", stats.durable - std::min(derived.projected, stats.durable));
  const store::ProjectorStats views = parts_.views.projector().stats();
  gauge(out, "holdfast_views_dirty_balances", "Balance rows that wait to be written.", views.dirty_balances);
  counter(out, "holdfast_views_rows_written_total", "Rows written to the views.", views.rows_written);
  gauge(out, "holdfast_snapshot_event", "Event of the newest snapshot.", derived.snapshot);
  counter(out, "holdfast_snapshots_total", "Snapshots written since the start.", derived.snapshots);
  counter(out, "holdfast_law_checks_total", "States that were asked for the ledger's laws and kept them, since the start.", derived.law_checks);
  head(out, "holdfast_snapshot_seconds", "gauge", "How long the newest snapshot took.");
  sample(out, "holdfast_snapshot_seconds", "", seconds_text(derived.snapshot_ns_last));
  const store::KeyIndexStats keys = parts_.service.keys().stats();
  gauge(out, "holdfast_keys_in_memory", "Idempotency keys in memory.", keys.keys_in_memory);
  gauge(out, "holdfast_keys_in_runs", "Idempotency keys in runs on disk.", keys.keys_in_runs);
  gauge(out, "holdfast_key_runs", "Runs of idempotency keys.", keys.runs);
  gauge(out, "holdfast_key_generations_waiting", "Full generations of keys that wait for a run.", keys.frozen_generations);
  gauge(out, "holdfast_key_index_bytes", "Memory of the key index.", keys.memory_bytes);
  counter(out, "holdfast_key_pages_read_total", "Pages read from runs for look-ups.", keys.pages_read);
  gauge(out, "holdfast_accounts", "Accounts ever opened.", parts_.service.directory().size());
  gauge(out, "holdfast_account_names_bytes", "Memory of the account directory.", parts_.service.directory().memory_bytes());
}

void OperatorView::append_audit(std::string& out) const {
  const auto published = parts_.audit.published();
  gauge(out, "holdfast_checkpoint_leaves", "Leaves under the newest published checkpoint.", published ? published->checkpoint.size : 0);
  gauge(out, "holdfast_audit_log_stopped", "1 while no checkpoints are published.", parts_.audit.trouble() ? 1 : 0);
  if (parts_.witnesses == nullptr) return;
  const WitnessStats stats = parts_.witnesses->stats();
  gauge(out, "holdfast_witnesses", "Witnesses that are asked.", stats.witnesses);
  gauge(out, "holdfast_witnesses_failing", "Those that did not cosign when asked last.", stats.failing);
  gauge(out, "holdfast_witness_lag_leaves", "Published leaves that the quorum of witnesses has not seen.",
        stats.published_size - std::min(stats.witnessed_size, stats.published_size));
}

void OperatorView::append_registry(std::string& out) const {
  auto registry = parts_.service.pipeline().registry();
  if (registry != counted_) {
    counts_ = count_registry(*registry);
    counted_ = std::move(registry);
  }
  head(out, "holdfast_partner_key_versions", "gauge", "Versions of partners' keys, by state.");
  for (std::size_t state = 1; state < counts_.versions.size(); ++state) {
    sample(out, "holdfast_partner_key_versions", label("state", model::to_text(static_cast<model::KeyState>(state))), std::to_string(counts_.versions[state]));
  }
  head(out, "holdfast_imports", "gauge", "Imports that the doctor took, by state and by what brought them there.");
  for (const auto& [where, number] : counts_.imports) {
    sample(out, "holdfast_imports", label("state", model::to_text(where.first)) + "," + label("cause", model::to_text(where.second)), std::to_string(number));
  }
  if (counts_.nearest_end.ns == 0) return;
  head(out, "holdfast_partner_key_seconds_to_end", "gauge", "Until the first certificate behind a key that verifies is over; below zero it is.");
  const std::int64_t left = (counts_.nearest_end - parts_.clock.wall()).ns / base::seconds(1).ns;
  sample(out, "holdfast_partner_key_seconds_to_end", "", std::to_string(left));
}

void OperatorView::append_revocation(std::string& out) const {
  if (parts_.revocation == nullptr) return;
  const RevocationStats stats = parts_.revocation->stats();
  const auto samples = [&](const char* metric, const std::array<std::uint64_t, revocation_results>& counts) {
    for (std::size_t i = 0; i < counts.size(); ++i) {
      sample(out, metric, label("result", to_text(static_cast<RevocationResult>(i))), std::to_string(counts[i]));
    }
  };
  head(out, "holdfast_revocation_checks_total", "counter", "Checks of the certificates behind partners' keys, by what they came to.");
  samples("holdfast_revocation_checks_total", stats.checks);
  head(out, "holdfast_revocation_versions", "gauge", "Versions that verify and came in a certificate, by what their newest check came to.");
  samples("holdfast_revocation_versions", stats.versions);
  gauge(out, "holdfast_revocation_versions_unchecked", "Those that wait for their first check.", stats.unchecked);
  counter(out, "holdfast_revocation_suspended_total", "Versions that were suspended because of their certificate.", stats.suspended);
  counter(out, "holdfast_revocation_failures_total", "Certificates that could not be read back, and suspensions that were not recorded; both are tried again.", stats.failures);
}

void OperatorView::append_outside(std::string& out) const {
  if (parts_.effects != nullptr) {
    const EffectStats stats = parts_.effects->stats();
    counter(out, "holdfast_rail_sends_total", "Orders given to drivers of rails.", stats.sent);
    counter(out, "holdfast_rail_questions_total", "Inquiries and voids given to them.", stats.asked);
    counter(out, "holdfast_rail_reports_total", "What they answered, as the core was told.", stats.reports);
    counter(out, "holdfast_rail_reports_unrecorded_total", "Of them, those that the journal had no room for, or could not be read for; they come again.", stats.unrecorded);
    counter(out, "holdfast_rail_sends_without_driver_total", "Orders for rails that the file of rails does not name.", stats.without_driver);
    counter(out, "holdfast_rail_sends_beyond_driver_total", "Orders for rails registered with capabilities that their driver does not have.", stats.beyond_driver);
  }
  if (parts_.statements != nullptr) {
    const StatementStats stats = parts_.statements->stats();
    counter(out, "holdfast_statements_fetched_total", "Statements fetched from rails and recorded.", stats.recorded);
    counter(out, "holdfast_statements_failed_total", "Statements that could not be fetched, read or recorded; they are asked for again.", stats.failed);
  }
  if (parts_.webhooks == nullptr) return;
  const WebhookStats stats = parts_.webhooks->stats();
  counter(out, "holdfast_webhook_messages_delivered_total", "Messages of webhooks that a receiver took.", stats.delivered);
  counter(out, "holdfast_webhook_attempts_failed_total", "Attempts that failed; most are made again.", stats.failed);
  counter(out, "holdfast_webhook_messages_given_up_total", "Messages that nobody took in three days.", stats.given_up);
  gauge(out, "holdfast_webhook_messages_outstanding", "Messages on their way or waiting for the next attempt.", stats.outstanding);
  counter(out, "holdfast_webhook_failures_total", "Times the teller could not read the journal or keep how far it is, and began anew.", stats.failures);
}

void OperatorView::append_anchoring(std::string& out) const {
  const std::vector<RailAnchoring> rails = parts_.effects == nullptr ? std::vector<RailAnchoring>() : parts_.effects->anchoring();
  if (rails.empty()) return;
  const auto labels = [](const RailAnchoring& one) {
    return label("tenant", std::to_string(one.tenant)) + "," + label("rail", model::to_text(one.rail));
  };
  head(out, "holdfast_evm_anchors_total", "counter", "Anchors of checkpoints whose proof was stored, by the rail that sent them.");
  for (const RailAnchoring& one : rails) sample(out, "holdfast_evm_anchors_total", labels(one), std::to_string(one.stats.stored));
  head(out, "holdfast_evm_anchor_leaves", "gauge", "Leaves of the newest tree that was anchored.");
  for (const RailAnchoring& one : rails) {
    sample(out, "holdfast_evm_anchor_leaves", labels(one), std::to_string(one.stats.newest ? one.stats.newest->size : 0));
  }
  head(out, "holdfast_evm_anchor_block_timestamp_seconds", "gauge", "Time of its block since 1970; 0 while none is known.");
  for (const RailAnchoring& one : rails) {
    sample(out, "holdfast_evm_anchor_block_timestamp_seconds", labels(one), std::to_string(one.stats.newest ? one.stats.newest->seconds : 0));
  }
  head(out, "holdfast_evm_anchor_failures_total", "counter", "Times an anchor could not be sent, followed or proved, by reason; it is tried again.");
  for (const RailAnchoring& one : rails) {
    for (const auto& [reason, count] : one.stats.failures) {
      sample(out, "holdfast_evm_anchor_failures_total", labels(one) + "," + label("reason", reason), std::to_string(count));
    }
  }
}

void OperatorView::append_server(std::string& out) const {
  counter(out, "holdfast_certificate_reloads_total", "Times the certificate files were read again.", reloads_);
  counter(out, "holdfast_certificate_reloads_failed_total", "Times they could not be used.", reloads_failed_);
  if (server_ == nullptr) return;
  const edge::ServerStats& stats = server_->stats();
  const auto get = [](const std::atomic<std::uint64_t>& value) { return value.load(std::memory_order_relaxed); };
  counter(out, "holdfast_connections_accepted_total", "Connections accepted.", get(stats.accepted));
  counter(out, "holdfast_connections_shed_total", "Connections closed at once: too many.", get(stats.shed));
  counter(out, "holdfast_accept_errors_total", "Connections lost for want of descriptors.", get(stats.accept_errors));
  counter(out, "holdfast_handshakes_failed_total", "TLS handshakes that failed or took too long.", get(stats.handshakes_failed));
  counter(out, "holdfast_requests_total", "HTTP requests.", get(stats.requests));
  counter(out, "holdfast_http_replies_total", "HTTP replies.", get(stats.replies));
  counter(out, "holdfast_cut_off_total", "Requests cut off for memory, or at the end of a shutdown.", get(stats.cut_off));
  gauge(out, "holdfast_connections", "Open connections.", get(stats.connections));
  gauge(out, "holdfast_requests_outstanding", "Requests not answered yet.", get(stats.outstanding));
  static constexpr std::array<std::string_view, 15> causes{
      "none",           "malformed",           "header_too_large",       "target_too_long",       "body_too_large",
      "header_timeout", "body_too_slow",       "expectation_unknown",    "method_not_implemented", "version_not_supported",
      "idle",           "output_too_slow",     "flood",                  "protocol_error",        "truncated"};
  static_assert(causes.size() == static_cast<std::size_t>(wire::Refusal::truncated) + 1);
  head(out, "holdfast_http_refusals_total", "counter", "Requests refused and connections given up by the protocol, by cause.");
  for (std::size_t i = 1; i < causes.size(); ++i) {
    sample(out, "holdfast_http_refusals_total", label("cause", causes[i]), std::to_string(get(stats.refusals[i])));
  }
}

void OperatorView::append_process(std::string& out) const {
  const std::string status = read_proc(parts_.files, "/proc/self/status");
  gauge(out, "process_resident_memory_bytes", "Resident memory.", number_after(status, "VmRSS:") * 1024);
  gauge(out, "process_threads", "Threads.", number_after(status, "Threads:"));
  const auto space = parts_.files.free_space(parts_.directory);
  if (space.ok()) gauge(out, "holdfast_disk_free_bytes", "Room on the disk of the data directory.", *space);
  head(out, "holdfast_uptime_seconds", "gauge", "Since the service was ready.");
  const std::int64_t up = parts_.clock.boot_ns() - started_boot_ns_;
  sample(out, "holdfast_uptime_seconds", "", seconds_text(static_cast<std::uint64_t>(std::max<std::int64_t>(0, up))));
}

}  // namespace node
