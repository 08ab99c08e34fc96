#include "node/configuration_table.h"

#include <algorithm>
#include <array>
#include <type_traits>

namespace node {

namespace {

using Refusal = std::optional<std::string>;

// A whole number of `unit` (nanoseconds of a duration, usually 1), found by `place`, which works on a Configuration that is
// const or not.
template <auto place, std::int64_t unit>
constexpr Setting number_of(std::string_view name, std::uint64_t min, std::uint64_t max, std::string_view help) {
  return {name, Setting::Kind::number, min, max, help,
          [](const Configuration& from) -> SettingValue { return static_cast<std::uint64_t>(place(from) / unit); },
          [](Configuration& into, const SettingValue& value) -> Refusal {
            auto& field = place(into);
            using Field = std::remove_reference_t<decltype(field)>;
            field = static_cast<Field>(std::get<std::uint64_t>(value) * static_cast<std::uint64_t>(unit));
            return std::nullopt;
          }};
}

template <auto place>
constexpr Setting number(std::string_view name, std::uint64_t min, std::uint64_t max, std::string_view help) {
  return number_of<place, 1>(name, min, max, help);
}

template <auto place>
constexpr Setting milliseconds(std::string_view name, std::uint64_t min, std::uint64_t max, std::string_view help) {
  return number_of<place, 1'000'000>(name, min, max, help);
}

template <auto place>
constexpr Setting seconds(std::string_view name, std::uint64_t min, std::uint64_t max, std::string_view help) {
  return number_of<place, 1'000'000'000>(name, min, max, help);
}

template <auto place>
constexpr Setting flag(std::string_view name, std::string_view help) {
  return {name, Setting::Kind::flag, 0, 0, help, [](const Configuration& from) -> SettingValue { return place(from); },
          [](Configuration& into, const SettingValue& value) -> Refusal {
            place(into) = std::get<bool>(value);
            return std::nullopt;
          }};
}

// A path: absolute, or not given.
template <auto place>
constexpr Setting path(std::string_view name, std::string_view help) {
  return {name, Setting::Kind::text, 0, 0, help, [](const Configuration& from) -> SettingValue { return place(from); },
          [](Configuration& into, const SettingValue& value) -> Refusal {
            const std::string& text = std::get<std::string>(value);
            if (!text.empty() && !text.starts_with('/')) return "an absolute path";
            place(into) = text;
            return std::nullopt;
          }};
}

// A name of a log, or not given.
template <auto place>
constexpr Setting origin(std::string_view name, std::string_view help) {
  return {name, Setting::Kind::text, 0, 0, help, [](const Configuration& from) -> SettingValue { return place(from); },
          [](Configuration& into, const SettingValue& value) -> Refusal {
            const std::string& text = std::get<std::string>(value);
            if (!text.empty() && !audit::is_note_key_name(text)) return "a name without blanks and plus signs, like log.example.com/holdfast";
            place(into) = text;
            return std::nullopt;
          }};
}

template <auto place>
constexpr Setting endpoint(std::string_view name, std::string_view help) {
  return {name, Setting::Kind::text, 0, 0, help, [](const Configuration& from) -> SettingValue { return place(from).text(); },
          [](Configuration& into, const SettingValue& value) -> Refusal {
            const auto parsed = io::parse_endpoint(std::get<std::string>(value));
            if (!parsed.ok()) return "ADDRESS:PORT with a numeric address, like 127.0.0.1:8443 or [::1]:8443";
            place(into) = *parsed;
            return std::nullopt;
          }};
}

constexpr Setting tls_version{
    "tls.version_min", Setting::Kind::text, 0, 0, "oldest TLS version taken: \"1.3\" or \"1.2\"",
    [](const Configuration& from) -> SettingValue { return std::string(from.tls.allow_tls12 ? "1.2" : "1.3"); },
    [](Configuration& into, const SettingValue& value) -> Refusal {
      const std::string& text = std::get<std::string>(value);
      if (text != "1.2" && text != "1.3") return "\"1.3\" or \"1.2\"";
      into.tls.allow_tls12 = text == "1.2";
      return std::nullopt;
    }};

constexpr std::array<std::string_view, 3> revocation_policies = {"off", "soft", "hard"};   // by crypto::chain::Revocation

constexpr Setting revocation_policy{
    "revocation.policy", Setting::Kind::text, 0, 0, "\"off\": certificates behind partners' keys are not checked again; \"soft\": what is unknown is told; \"hard\": it is suspended",
    [](const Configuration& from) -> SettingValue { return std::string(revocation_policies[static_cast<std::size_t>(from.revocation.policy)]); },
    [](Configuration& into, const SettingValue& value) -> Refusal {
      const auto found = std::ranges::find(revocation_policies, std::get<std::string>(value));
      if (found == revocation_policies.end()) return "\"off\", \"soft\" or \"hard\"";
      into.revocation.policy = static_cast<crypto::chain::Revocation>(found - revocation_policies.begin());
      return std::nullopt;
    }};

constexpr Setting revocation_hosts{
    "revocation.hosts", Setting::Kind::text, 0, 0, "hosts that may be asked for lists and OCSP, separated by commas; *.ca.example covers one label. Empty: none",
    [](const Configuration& from) -> SettingValue { return from.revocation.hosts; },
    [](Configuration& into, const SettingValue& value) -> Refusal {
      const std::string& text = std::get<std::string>(value);
      if (!effects::read_revocation_rules(text, {}).ok()) return "names like crl.ca.example or *.ca.example, separated by commas";
      into.revocation.hosts = text;
      return std::nullopt;
    }};

constexpr Setting revocation_networks{
    "revocation.networks", Setting::Kind::text, 0, 0, "private networks that those hosts may be in, separated by commas. Empty: none",
    [](const Configuration& from) -> SettingValue { return from.revocation.networks; },
    [](Configuration& into, const SettingValue& value) -> Refusal {
      const std::string& text = std::get<std::string>(value);
      if (!effects::read_revocation_rules({}, text).ok()) return "networks like 10.1.0.0/16, separated by commas";
      into.revocation.networks = text;
      return std::nullopt;
    }};

constexpr std::uint64_t kib = 1024, mib = 1024 * kib, gib = 1024 * mib;
constexpr std::uint64_t billion = 1'000'000'000, hour_ms = 3'600'000, day = 86'400;

#define PLACE(member) [](auto& c) -> auto& { return c.member; }

const Setting table[] = {
    endpoint<PLACE(listen)>("listen", "where the API listens; port 0 takes a free one"),
    endpoint<PLACE(operator_listen)>("operator_listen", "where health, readiness and metrics listen"),

    path<PLACE(tls.certificate_file)>("tls.certificate_file", "PEM, leaf first; needed except with --dev"),
    path<PLACE(tls.key_file)>("tls.key_file", "PEM, unencrypted, mode 0600; needed except with --dev"),
    path<PLACE(tls.client_ca_file)>("tls.client_ca_file", "PEM; clients are asked for certificates of these authorities"),
    flag<PLACE(tls.client_certificate_required)>("tls.client_certificate_required", "refuse clients without a certificate"),
    tls_version,

    flag<PLACE(operator_tls)>("operator.tls", "TLS on a loopback operator address too; on any other it is always on"),
    flag<PLACE(operator_api.metrics_open)>("operator.metrics_open", "/metrics without a token; on a loopback address only"),

    path<PLACE(master_key_file)>("custody.master_key_file", "the master key, outside the data directory; empty: DIR.master-key beside it"),

    number<PLACE(service.recovery.segment_bytes)>("journal.segment_bytes", 32 * mib, 4 * gib, "size of new segment files, a multiple of 4096"),
    number<PLACE(service.pipeline.space_reserve_bytes)>("journal.space_reserve_bytes", mib, 4 * gib,
                                                        "room the journal must have before anything is decided"),
    number<PLACE(service.pipeline.freeze_every_events)>("snapshots.every_events", 1'000, 1000 * billion, "a snapshot is taken after so many events"),
    flag<PLACE(service.snapshot_on_stop)>("snapshots.on_stop", "take one when stopping in good order"),
    number<PLACE(service.recovery.key_generation)>("idempotency.keys_in_memory", 1'024, 1u << 27,
                                                   "keys kept in memory before a run is written, 36 bytes each, up to three times"),

    number<PLACE(service.pipeline.queue_max)>("pipeline.queue_max", 1, 10'000'000, "requests waiting for the core; more are refused as overloaded"),
    number<PLACE(service.pipeline.queue_items_max)>("pipeline.queue_items_max", gate::batch_items_max, 100'000'000, "transfers in them"),
    number<PLACE(service.pipeline.tick_interval_ms)>("pipeline.tick_interval_ms", 1, 60'000, "how often expiries are looked at"),
    number<PLACE(service.pipeline.inline_hash_entries_max)>("pipeline.inline_hash_entries_max", 0, 100'000,
                                                            "groups up to this size are hashed by the core's thread"),
    number<PLACE(service.pipeline.groups_in_flight_max)>("pipeline.groups_in_flight_max", 1, 64, "full groups ahead of the disk"),
    number<PLACE(service.pipeline.idle_seal_ms)>("pipeline.idle_seal_ms", 10, hour_ms, "after so long without work a seal says that all is durable"),
    number<PLACE(service.engine.group_bytes_max)>("pipeline.group_bytes_max", 64 * kib, gib, "a group of commands is closed at this size"),
    number<PLACE(service.engine.group_entries_max)>("pipeline.group_entries_max", 1, 1'000'000, "and at this number of commands"),
    number<PLACE(service.engine.tick_expiries_max)>("pipeline.tick_expiries_max", 1, 65'536, "holds that one tick resolves at most"),

    number<PLACE(service.engine.bounds.accounts_max)>("ledger.accounts_max", 1, 67'000'000, "accounts of all tenants"),
    number<PLACE(service.engine.bounds.open_holds_max)>("ledger.open_holds_max", 1, 1'000'000'000, "holds that wait at the same time"),
    seconds<PLACE(service.engine.bounds.hold_for_min.ns)>("ledger.hold_seconds_min", 1, 400 * day, "shortest life of a hold"),
    seconds<PLACE(service.engine.bounds.hold_for_max.ns)>("ledger.hold_seconds_max", 1, 400 * day, "longest life of a hold"),
    number<PLACE(service.law_check_interval_ms)>("ledger.law_check_interval_ms", 100, hour_ms, "how often the state is asked whether debits equal credits and the other laws hold"),

    number<PLACE(service.engine.bounds.sagas.reconciliation.statements_max)>("reconciliation.statements_max", 1, 10'000'000, "statements of rails, ever"),
    number<PLACE(service.engine.bounds.sagas.reconciliation.lines_max)>("reconciliation.lines_max", model::statement_part_lines_max, 100'000'000, "lines of them, ever; 128 bytes and index entries each"),
    number<PLACE(service.engine.bounds.sagas.reconciliation.open_exceptions_max)>("reconciliation.open_exceptions_max", model::statement_part_lines_max, 10'000'000, "exceptions that wait for people or evidence"),
    number<PLACE(service.engine.bounds.sagas.reconciliation.orphans_max)>("reconciliation.orphans_max", 1, 10'000'000, "what rails told of payments that nobody knows; more are not remembered"),
    seconds<PLACE(service.engine.bounds.sagas.reconciliation.match_within.ns)>("reconciliation.match_within_seconds", 1, 30 * day, "a line without a reference stands for a settlement this far away at most"),
    number<PLACE(service.engine.bounds.sagas.reconciliation.sweep_steps_max)>("reconciliation.sweep_steps_max", 1, 65'536, "lines and attempts that one tick compares"),

    milliseconds<PLACE(service.time.jump_max.ns)>("clock.jump_max_ms", 1'000, hour_ms, "a larger jump of the wall clock suspends expiries until confirmed"),
    seconds<PLACE(service.time.downtime_max.ns)>("clock.downtime_seconds_max", 60, 400 * day, "after a reboot, a wall clock further ahead of the journal suspends expiries"),
    number<PLACE(service.time.slew_divisor)>("clock.slew_divisor", 2, 1'000'000, "smaller differences are worked off at one part in so many"),

    flag<PLACE(views_every_transfer)>("views.every_transfer", "a row for every transfer, not only for holds; costs writes"),
    number<PLACE(service.projection_pause_ms)>("views.projection_pause_ms", 0, 10'000, "rows are written together, this long apart; a reader that waits for them ends the pause"),
    number<PLACE(service.refresh_interval_ms)>("views.refresh_interval_ms", 100, hour_ms, "how often balances in views are brought up to date"),
    number<PLACE(service.refresh_share_percent)>("views.balance_share_percent", 1, 100, "of one processor, at most, for writing balances into views"),
    number<PLACE(service.refresh_on_stop_ms)>("views.balances_on_stop_ms", 0, hour_ms, "how long a stop goes on writing balances; the rest waits for the next start"),
    number<PLACE(backend.view_wait_ms)>("views.wait_ms", 0, 60'000, "how long a list waits for the views to catch up"),
    number<PLACE(backend.reads_waiting_max)>("views.reads_waiting_max", 1, 1'000'000, "lists and histories that wait; more are refused as overloaded"),

    origin<PLACE(audit.origin)>("audit.origin", "name of the audit log; empty: holdfast/ and the journal's id. Another name is another log"),
    path<PLACE(audit.published_file)>("audit.published_file", "where the last checkpoint is remembered outside the data directory; empty: DIR.published beside it"),
    path<PLACE(witness_policy_file)>("audit.witness_policy_file", "C2SP tlog-policy: which witnesses are asked, and how many are enough; empty: none"),
    path<PLACE(witness_ca_file)>("audit.witness_ca_file", "PEM; whom the witnesses' certificates must come from. Empty: the system's trust store"),
    milliseconds<PLACE(witness_interval.ns)>("audit.witness_interval_ms", 100, hour_ms, "how often witnesses are asked to cosign"),
    number<PLACE(audit.publish_interval_ms)>("audit.publish_interval_ms", 10, hour_ms, "a checkpoint is published at most so often"),

    path<PLACE(rails_file)>("rails.file", "JSON: where the rails are and which keys speak for them (docs/rails.md); empty: none are reached"),

    flag<PLACE(webhooks.private_addresses)>("webhooks.private_addresses", "webhooks may go into private networks; with --dev they may"),
    path<PLACE(webhooks.ca_file)>("webhooks.ca_file", "PEM; whom the certificates of endpoints must come from. Empty: the system's trust store"),
    number<PLACE(webhooks.outstanding_max)>("webhooks.outstanding_max", 1, 100'000, "messages of an endpoint that are under way or wait for their next attempt; the rest waits in the journal"),
    number<PLACE(webhooks.mark_interval_ms)>("webhooks.mark_interval_ms", 1'000, 24 * hour_ms, "how often the journal is told how far an endpoint is, at most"),

    revocation_policy,
    revocation_hosts,
    revocation_networks,
    path<PLACE(revocation.authorities_file)>("revocation.authorities_file", "PEM; issuers of partners' certificates that do not come with them. Empty: none"),
    seconds<PLACE(revocation.every.ns)>("revocation.every_seconds", 60, 30 * day, "how often a certificate is checked"),
    seconds<PLACE(revocation.retry.ns)>("revocation.retry_seconds", 10, day, "how soon again after a check that ended unknown"),
    seconds<PLACE(revocation.unknown_max.ns)>("revocation.unknown_seconds_max", 0, 30 * day, "with \"hard\": how long it may be unknown before the version is suspended"),
    milliseconds<PLACE(revocation.connect_max.ns)>("revocation.connect_timeout_ms", 100, 60'000, "how long a name, and then a connection, may take"),
    milliseconds<PLACE(revocation.total_max.ns)>("revocation.timeout_ms", 100, 600'000, "how long a list or a response may take in all"),

    milliseconds<PLACE(api.answer_timeout.ns)>("api.answer_timeout_ms", 100, hour_ms, "how long an answer may take; then 504, and the client asks again"),
    number<PLACE(api.outstanding_max)>("api.outstanding_max", 1, 10'000'000, "requests waiting for answers; more are refused as overloaded"),

    number<PLACE(gate.rate.per_second)>("gate.rate_per_second", 1, billion, "transfers and requests each client may send a second"),
    number<PLACE(gate.rate.burst)>("gate.rate_burst", gate::batch_items_max, billion, "and at once, after a pause"),
    seconds<PLACE(gate.token_lifetime.ns)>("gate.token_lifetime_seconds", 10, 30 * day, "how long an access token lives"),
    seconds<PLACE(gate.captured_age_max.ns)>("gate.captured_age_seconds_max", 0, day, "how old a captured message may be that proves an import; 0: none proves one"),

    number<PLACE(wallets.workers)>("wallets.workers", 1, 16, "wallets derived at a time"),
    number<PLACE(wallets.bounds.memory_bytes_max)>("wallets.derivation_bytes_max", mib, gib, "memory of one derivation; a file that asks for more is refused"),
    number<PLACE(wallets.bounds.rounds_max)>("wallets.derivation_rounds_max", 2'048, 100'000'000, "rounds of PBKDF2 of one, or their like"),
    number<PLACE(wallets.queue_max)>("wallets.queue_max", 1, 1'000, "that wait to be derived; more are refused as busy"),
    number<PLACE(wallets.open_max)>("wallets.open_max", 1, 1'000'000, "that wait to be confirmed; more are refused as busy"),
    seconds<PLACE(wallets.confirm_within.ns)>("wallets.confirm_within_seconds", 1, day, "how long addresses that were shown can be confirmed"),

    number<PLACE(server.connections_max)>("http.connections_max", 1, 1'000'000, "connections; more are closed at once"),
    number<PLACE(server.connections_per_address_max)>("http.connections_per_address_max", 1, 1'000'000, "of one IPv4 address or IPv6 /64 network"),
    milliseconds<PLACE(server.handshake_timeout.ns)>("http.handshake_timeout_ms", 100, 60'000, "how long a TLS handshake may take"),
    milliseconds<PLACE(server.linger.ns)>("http.linger_ms", 0, 60'000, "how long we read on after our last byte"),
    milliseconds<PLACE(server.drain_timeout.ns)>("http.drain_timeout_ms", 0, hour_ms, "how long stopping waits for open requests"),
    number<PLACE(server.unfinished_bytes_max)>("http.unfinished_bytes_max", mib, 64 * gib, "bytes of unfinished requests, all connections together"),
    number<PLACE(http.header_bytes_max)>("http.header_bytes_max", kib, mib, "start line and header fields of a request"),
    number<PLACE(http.header_count_max)>("http.header_count_max", 8, 10'000, "header fields of a request"),
    number<PLACE(http.target_bytes_max)>("http.target_bytes_max", 256, mib, "path and query of a request"),
    number<PLACE(http.body_bytes_max)>("http.body_bytes_max", 64 * kib, gate::batch_bytes_max, "body of a request"),
    milliseconds<PLACE(http.header_deadline_ns)>("http.header_deadline_ms", 100, hour_ms, "from the first byte of a request's head to its end"),
    milliseconds<PLACE(http.idle_timeout_ns)>("http.idle_timeout_ms", 100, 24 * hour_ms, "how long a connection may idle"),
    milliseconds<PLACE(http.body_rate.grace_ns)>("http.body_rate_grace_ms", 0, hour_ms, "before the rate of a body counts"),
    number<PLACE(http.body_rate.bytes_per_second)>("http.body_bytes_per_second_min", 0, billion, "slowest body taken"),
    milliseconds<PLACE(http.output_rate.grace_ns)>("http.output_rate_grace_ms", 0, hour_ms, "before the rate of reading counts"),
    number<PLACE(http.output_rate.bytes_per_second)>("http.output_bytes_per_second_min", 0, billion, "slowest reader kept"),
    number<PLACE(http.output_bytes_max)>("http.output_bytes_max", 64 * kib, gib, "unfetched replies of a connection"),
    number<PLACE(server.http1.pipelined_max)>("http.pipelined_max", 1, 10'000, "HTTP/1.1 requests received and not yet answered"),
    number<PLACE(server.http1.chunk_extension_bytes_max)>("http.chunk_extension_bytes_max", 0, 64 * kib, "chunk extensions of one body"),

    number<PLACE(server.http2.streams_max)>("http2.streams_max", 1, 100'000, "concurrent streams of a connection"),
    number<PLACE(server.http2.continuations_max)>("http2.continuations_max", 0, 1'000, "CONTINUATION frames in one header block"),
    number<PLACE(server.http2.buffered_body_bytes_max)>("http2.buffered_body_bytes_max", 64 * kib, 4 * gib, "bodies of all streams of a connection"),
    number<PLACE(server.http2.stream_window_bytes)>("http2.stream_window_bytes", 16 * kib, 16 * mib, "receive window of a stream"),
    number<PLACE(server.http2.connection_window_bytes)>("http2.connection_window_bytes", 64 * kib, 256 * mib, "receive window of a connection"),
    number<PLACE(server.http2.hpack_table_bytes)>("http2.hpack_table_bytes", 0, mib, "dynamic table of header compression"),
    number<PLACE(server.http2.resets.burst)>("http2.resets_burst", 1, 1'000'000, "resets at once; more close the connection"),
    number<PLACE(server.http2.resets.per_second)>("http2.resets_per_second", 1, 1'000'000, "resets in the long run"),
    number<PLACE(server.http2.controls.burst)>("http2.controls_burst", 1, 1'000'000, "PING, SETTINGS, PRIORITY, empty DATA at once"),
    number<PLACE(server.http2.controls.per_second)>("http2.controls_per_second", 1, 1'000'000, "the same in the long run"),
    number<PLACE(server.http2.window_updates.burst)>("http2.window_updates_burst", 1, 10'000'000, "WINDOW_UPDATE at once"),
    number<PLACE(server.http2.window_updates.per_second)>("http2.window_updates_per_second", 1, 10'000'000, "WINDOW_UPDATE in the long run"),
};

#undef PLACE

}  // namespace

std::span<const Setting> settings() { return table; }

}  // namespace node
