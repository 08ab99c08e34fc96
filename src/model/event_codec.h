#pragma once
// The fields of events and their keys, in the order of docs/format/entry.cddl. Key 0 is the kind, 1 the instant; a body
// starts at 2. A key is never given a second meaning.

#include <array>

#include "model/command_codec.h"
#include "model/event.h"

namespace model {

/// Kinds of events as they stand in the bytes: immortal, whatever happens to the order of EventBody.
constexpr std::array<std::uint8_t, std::variant_size_v<EventBody>> event_kinds = {
    1,   // TenantOpened
    2,   // AssetRegistered
    3,   // AccountOpened
    4,   // AccountFlagsChanged
    5,   // AccountLimitsSet
    10,  // TransferPosted
    11,  // HoldPlaced
    12,  // HoldResolved
    15,  // Refused
    16,  // KeyCancelled
    17,  // BatchRecorded
    20,  // ClientCreated
    21,  // ClientRotated
    22,  // ClientRevoked
    30,  // ClockConfirmed
    31,  // EpochBumped
    32,  // LogKeyChanged
    40,  // RailConfigured
    41,  // RailControlled
    42,  // RailObserved
    50,  // TransferRequested
    51,  // TransferMoved
    52,  // RouteDecided
    53,  // AttemptStarted
    54,  // AttemptReported
    55,  // InquiryStarted
    56,  // VoteRecorded
    57,  // CaseOpened
    58,  // ReportIgnored
    59,  // AgeAlarmRaised
    60,  // HoldRedirected
    61,  // RefundCounted
    70,  // WebhookCreated
    71,  // WebhookChanged
    72,  // WebhookRemoved
    73,  // WebhookRotated
    74,  // WebhookMarked
    62,  // StatementRecorded
    63,  // LineRecorded
    64,  // LineLinked
    65,  // ExceptionOpened
    66,  // ExceptionVoted
    67,  // ExceptionResolved
    68,  // OrphanRecorded
    69,  // StatementSwept
    80,  // PartnerOpened
    81,  // KeyOpened
    82,  // ImportReceived
    83,  // ImportMoved
    84,  // ImportChallenged
    85,  // ImportVoted
    86,  // KeyVersionAdded
    87,  // KeyVersionMoved
    88,  // KeyExpiryWarned
};

template <typename C>
void describe(C& c, typename C::template Ref<Counters> counters) {
  c.amount(1, counters.debits_posted);
  c.amount(2, counters.credits_posted);
  c.amount(3, counters.debits_pending);
  c.amount(4, counters.credits_pending);
}

/// Counters and links stand in one map with the account.
template <typename C>
void describe(C& c, typename C::template Ref<Side> side) {
  describe(c, side.after);
  c.number(5, side.account);
  c.event_number(6, side.links.previous);
  c.event_number(7, side.links.previous_64);
  c.event_number(8, side.links.previous_4096);
}

template <typename C>
void describe(C& c, typename C::template Ref<TenantOpened> body) {
  c.number(2, body.tenant);
  c.digest(3, body.name);
}

template <typename C>
void describe(C& c, typename C::template Ref<AssetRegistered> body) {
  c.number(2, body.number);
  c.asset(3, body.asset);
  c.number(4, body.tenant);
}

template <typename C>
void describe(C& c, typename C::template Ref<AccountOpened> body) {
  c.number(2, body.number);
  c.number(3, body.tenant);
  c.number(4, body.asset);
  c.digest(5, body.name);
  c.flags(6, body.flags, all_account_flags);
  c.nested_if_any(7, body.limits);
  c.optional_digest(8, body.metadata);
}

template <typename C>
void describe(C& c, typename C::template Ref<AccountFlagsChanged> body) {
  c.number(2, body.account);
  c.flags(3, body.flags, all_account_flags);
  c.nested_if_any(4, body.counters);
}

template <typename C>
void describe(C& c, typename C::template Ref<AccountLimitsSet> body) {
  c.number(2, body.account);
  c.nested_if_any(3, body.limits);
}

template <typename C>
void describe(C& c, typename C::template Ref<TransferPosted> body) {
  c.amount(2, body.amount);
  c.number(3, body.asset);
  c.nested(4, body.debit);
  c.nested(5, body.credit);
  c.event_number(6, body.group);
  c.optional_digest(7, body.reference);
  c.optional_digest(8, body.metadata);
}

template <typename C>
void describe(C& c, typename C::template Ref<HoldPlaced> body) {
  c.amount(2, body.amount);
  c.number(3, body.asset);
  c.nested(4, body.debit);
  c.nested(5, body.credit);
  c.event_number(6, body.group);
  c.optional_digest(7, body.reference);
  c.optional_digest(8, body.metadata);
  c.instant(9, body.expires_at);
}

template <typename C>
void describe(C& c, typename C::template Ref<HoldResolved> body) {
  c.event_number(2, body.hold);
  c.choice(3, body.resolution, HoldResolution::captured, HoldResolution::expired);
  c.amount(4, body.held);
  c.amount(5, body.captured);
  c.number(6, body.asset);
  c.nested(7, body.debit);
  c.nested(8, body.credit);
}

template <typename C>
void describe(C& c, typename C::template Ref<Refused> body) {
  c.outcome(2, body.outcome);
  c.operation(3, body.operation);
  c.number(4, body.debit);
  c.number(5, body.credit);
  c.amount(6, body.amount);
  c.event_number(7, body.subject);
  c.tag_if_any(8, body.trace);
}

template <typename C>
void describe(C& c, typename C::template Ref<KeyCancelled> body) {
  c.tag(2, body.key);
}

template <typename C>
void describe(C& c, typename C::template Ref<BatchRecorded> body) {
  c.number(2, body.items);
}

template <typename C>
void describe(C& c, typename C::template Ref<ClientCreated> body) {
  c.number(2, body.number);
  c.number(3, body.tenant);
  c.choice(4, body.kind, PrincipalKind::person, PrincipalKind::service);
  c.number(5, body.scopes, all_scopes);
  c.digest(6, body.name);
  c.digest(7, body.secret_hash);
}

template <typename C>
void describe(C& c, typename C::template Ref<ClientRotated> body) {
  c.number(2, body.number);
  c.digest(3, body.secret_hash);
  c.instant(4, body.former_valid_until);
  c.number(5, body.generation);
}

template <typename C>
void describe(C& c, typename C::template Ref<ClientRevoked> body) {
  c.number(2, body.number);
  c.number(3, body.generation);
}

template <typename C>
void describe(C& c, typename C::template Ref<ClockConfirmed> body) {
  c.signed_duration(2, body.jump);
}

template <typename C>
void describe(C& c, typename C::template Ref<EpochBumped> body) {
  c.number(2, body.epoch);
}

template <typename C>
void describe(C& c, typename C::template Ref<LogKeyChanged> body) {
  c.number(2, body.version);
  c.digest(3, body.public_key);
}

template <typename C>
void describe(C& c, typename C::template Ref<RailConfigured> body) {
  c.number(2, body.number);
  c.number(3, body.tenant);
  c.number(4, body.asset);
  c.number(5, body.clearing);
  c.number(6, body.suspense);
  c.rail_name(7, body.name);
  c.nested(8, *body.profile);
}

template <typename C>
void describe(C& c, typename C::template Ref<RailControlled> body) {
  c.number(2, body.rail);
  c.boolean(3, body.paused);
  c.instant(4, body.maintenance_from);
  c.instant(5, body.maintenance_until);
}

template <typename C>
void describe(C& c, typename C::template Ref<RailHealth> health) {
  c.number(1, health.successes);
  c.number(2, health.attempts);
  c.number(3, health.recent_faults);
  c.number(4, health.recent_attempts);
  c.instant(5, health.observed_at);
  c.duration(6, health.latency);
  c.instant(7, health.open_until);
  c.number(8, health.faults_in_a_row);
  c.number(9, health.openings_in_a_row);
  c.breaker(10, health.breaker);
}

template <typename C>
void describe(C& c, typename C::template Ref<DimensionHealth> health) {
  c.number(1, health.successes);
  c.number(2, health.attempts);
  c.number(3, health.value);
}

template <typename C>
void describe(C& c, typename C::template Ref<RailObserved> body) {
  c.number(2, body.rail);
  c.nested_if_any(3, body.health);
  c.nested_if_any(4, body.country);
  c.nested_if_any(5, body.instrument);
}

template <typename C>
void describe(C& c, typename C::template Ref<TransferRequested> body) {
  c.choice(2, body.kind, TransferKind::payout, TransferKind::recall);
  c.number(3, body.account);
  c.number(4, body.asset);
  c.amount(5, body.amount);
  c.number(6, body.wanted);
  c.number(7, body.country);
  c.number(8, body.instrument);
  c.number(9, body.approvals, approvals_max);
  c.instant(10, body.send_by);
  c.event_number(11, body.original);
  c.optional_digest(12, body.beneficiary);
  c.optional_digest(13, body.reference);
  c.optional_digest(14, body.metadata);
  c.number(15, body.requester);
  c.event_number(16, body.original_attempt);
}

template <typename C>
void describe(C& c, typename C::template Ref<TransferMoved> body) {
  c.event_number(2, body.transfer);
  c.choice(3, body.from, TransferState::requested, TransferState::reversed);
  c.choice(4, body.to, TransferState::requested, TransferState::reversed);
  c.choice(5, body.cause, MoveCause::request, MoveCause::refund);
  c.reason(6, body.reason);
  c.number(7, body.rail);
  c.event_number(8, body.hold);
  c.instant(9, body.due);
  c.instant(10, body.alarm_at);
}

template <typename C>
void describe(C& c, typename C::template Ref<RouteChoice> choice) {
  c.number(1, choice.rail);
  c.choice(2, choice.verdict, RouteVerdict::chosen, route_verdict_last);
  c.number(3, choice.success);
  c.signed_number(4, choice.value);
}

template <typename C>
void describe(C& c, typename C::template Ref<RouteDecided> body) {
  c.event_number(2, body.transfer);
  c.list(3, body.choices, route_choices_max);
  c.instant(4, body.due);
}

template <typename C>
void describe(C& c, typename C::template Ref<AttemptStarted> body) {
  c.event_number(2, body.transfer);
  c.number(3, body.attempt);
  c.number(4, body.rail);
  c.choice(5, body.kind, TransferKind::payout, TransferKind::recall);
  c.number(6, body.asset);
  c.amount(7, body.amount);
  c.event_number(8, body.original);
  c.boolean(9, body.probe);
  c.instant(10, body.send_not_after);
  c.event_number(11, body.original_attempt);
}

template <typename C>
void describe(C& c, typename C::template Ref<AttemptReported> body) {
  c.event_number(2, body.transfer);
  c.number(3, body.attempt);
  c.number(4, body.rail);
  c.choice(5, body.source, ReportSource::reply, ReportSource::recovery);
  c.choice(6, body.result, RailResult::not_sent, RailResult::unknown);
  c.reason(7, body.reason);
  c.duration(8, body.latency);
  c.optional_amount(9, body.amount);
  c.optional_digest(10, body.rail_reference);
  c.optional_digest(11, body.body);
  c.tag_if_any(12, body.rail_reference_key);
}

template <typename C>
void describe(C& c, typename C::template Ref<StatementRecorded> body) {
  c.event_number(2, body.statement);
  c.number(3, body.rail);
  c.choice(4, body.format, StatementFormat::csv, statement_format_last);
  c.tag(5, body.file);
  c.optional_digest(6, body.name);
  c.instant(7, body.from);
  c.instant(8, body.until);
  c.number(9, body.part, statement_parts_max);
  c.number(10, body.parts, statement_parts_max);
  c.number(11, body.lines_total);
  c.number(12, body.lines_new);
  c.number(13, body.lines_known);
  c.boolean(14, body.repeated);
}

template <typename C>
void describe(C& c, typename C::template Ref<LineRecorded> body) {
  c.event_number(2, body.statement);
  c.number(3, body.line);
  c.number(4, body.rail);
  c.amount(5, body.amount);
  c.boolean(6, body.credit);
  c.instant(7, body.booked_at);
  c.choice(8, body.result, LineResult::matched, line_result_last);
  c.event_number(9, body.attempt);
  c.event_number(10, body.belongs_to);
  c.number(11, body.matched_by, static_cast<std::uint64_t>(matched_by_last));
  c.tag_if_any(12, body.rail_reference_key);
  c.tag(13, body.identity);
  c.optional_asset(14, body.asset);
  c.optional_digest(15, body.rail_reference);
}

template <typename C>
void describe(C& c, typename C::template Ref<LineLinked> body) {
  c.event_number(2, body.line);
  c.choice(3, body.result, LineResult::matched, line_result_last);
  c.event_number(4, body.attempt);
  c.event_number(5, body.belongs_to);
  c.number(6, body.matched_by, static_cast<std::uint64_t>(matched_by_last));
}

template <typename C>
void describe(C& c, typename C::template Ref<ExceptionOpened> body) {
  c.number(2, body.rail);
  c.choice(3, body.kind, ExceptionKind::missing_at_rail, exception_kind_last);
  c.choice(4, body.party, ExceptionParty::rail, ExceptionParty::holdfast);
  c.event_number(5, body.statement);
  c.event_number(6, body.line);
  c.event_number(7, body.orphan);
  c.event_number(8, body.attempt);
  c.event_number(9, body.belongs_to);
  c.amount(10, body.expected);
  c.amount(11, body.stated);
  c.boolean(12, body.credit);
}

template <typename C>
void describe(C& c, typename C::template Ref<ExceptionVoted> body) {
  c.event_number(2, body.exception);
  c.number(3, body.person);
  c.choice(4, body.end, ExceptionEnd::accepted, exception_end_by_people_last);
  c.event_number(5, body.belongs_to);
  c.number(6, body.counted);
  c.number(7, body.needed);
  c.digest(8, body.reason);
}

template <typename C>
void describe(C& c, typename C::template Ref<ExceptionResolved> body) {
  c.event_number(2, body.exception);
  c.choice(3, body.end, ExceptionEnd::accepted, exception_end_last);
  c.event_number(4, body.posting);
  c.event_number(5, body.attempt);
}

template <typename C>
void describe(C& c, typename C::template Ref<OrphanRecorded> body) {
  c.number(2, body.rail);
  c.choice(3, body.source, ReportSource::reply, ReportSource::recovery);
  c.choice(4, body.result, RailResult::not_sent, RailResult::unknown);
  c.reason(5, body.reason);
  c.amount(6, body.amount);
  c.tag_if_any(7, body.rail_reference_key);
  c.optional_digest(8, body.rail_reference);
  c.optional_digest(9, body.body);
}

template <typename C>
void describe(C& c, typename C::template Ref<StatementSwept> body) {
  c.event_number(2, body.statement);
  c.instant(3, body.lines_to);
  c.event_number(4, body.line);
  c.instant(5, body.attempts_to);
  c.event_number(6, body.attempt);
  c.boolean(7, body.done);
}

template <typename C>
void describe(C& c, typename C::template Ref<InquiryStarted> body) {
  c.event_number(2, body.transfer);
  c.number(3, body.attempt);
  c.number(4, body.rail);
  c.number(5, body.inquiry);
  c.boolean(6, body.is_void);
  c.instant(7, body.due);
}

template <typename C>
void describe(C& c, typename C::template Ref<VoteRecorded> body) {
  c.event_number(2, body.transfer);
  c.number(3, body.person);
  c.choice(4, body.vote, VoteKind::approve, VoteKind::resolve_failed);
  c.number(5, body.counted);
  c.number(6, body.needed);
  c.optional_digest(7, body.reason);
}

template <typename C>
void describe(C& c, typename C::template Ref<CaseOpened> body) {
  c.event_number(2, body.transfer);
  c.number(3, body.attempt);
  c.number(4, body.rail);
  c.choice(5, body.kind, CaseKind::late_success, case_kind_last);
  c.amount(6, body.amount);
  c.event_number(7, body.posting);
}

template <typename C>
void describe(C& c, typename C::template Ref<ReportIgnored> body) {
  c.event_number(2, body.transfer);
  c.number(3, body.attempt);
  c.choice(4, body.source, ReportSource::reply, ReportSource::recovery);
  c.choice(5, body.result, RailResult::not_sent, RailResult::unknown);
  c.reason(6, body.reason);
  c.choice(7, body.why, IgnoredWhy::no_such_attempt, ignored_why_last);
  c.optional_amount(8, body.amount);
  c.optional_digest(9, body.body);
}

template <typename C>
void describe(C& c, typename C::template Ref<AgeAlarmRaised> body) {
  c.event_number(2, body.transfer);
  c.choice(3, body.state, TransferState::requested, TransferState::reversed);
  c.instant(4, body.since);
}

template <typename C>
void describe(C& c, typename C::template Ref<HoldRedirected> body) {
  c.event_number(2, body.hold);
  c.amount(3, body.amount);
  c.number(4, body.asset);
  c.nested(5, body.debit);
  c.nested(6, body.credit);
}

template <typename C>
void describe(C& c, typename C::template Ref<RefundCounted> body) {
  c.event_number(2, body.original);
  c.event_number(3, body.refund);
  c.number(4, body.asset);
  c.amount(5, body.captured);
  c.amount(6, body.pending);
  c.amount(7, body.posted);
}

template <typename C>
void describe(C& c, typename C::template Ref<WebhookCreated> body) {
  c.number(2, body.number);
  c.number(3, body.tenant);
  c.number(4, body.events, all_webhook_events);
  c.number(5, body.flags, all_webhook_flags);
  c.digest(6, body.url);
  c.nested(7, body.key);
}

template <typename C>
void describe(C& c, typename C::template Ref<WebhookChanged> body) {
  c.number(2, body.number);
  c.number(3, body.events, all_webhook_events);
  c.number(4, body.flags, all_webhook_flags);
  c.optional_digest(5, body.url);
  c.choice(6, body.cause, WebhookCause::request, WebhookCause::endpoint_gone);
}

template <typename C>
void describe(C& c, typename C::template Ref<WebhookRemoved> body) {
  c.number(2, body.number);
}

template <typename C>
void describe(C& c, typename C::template Ref<WebhookRotated> body) {
  c.number(2, body.number);
  c.nested(3, body.key);
  c.instant(4, body.former_valid_until);
}

template <typename C>
void describe(C& c, typename C::template Ref<WebhookMarked> body) {
  c.number(2, body.number);
  c.event_number(3, body.told_through);
}

template <typename C>
void describe(C& c, typename C::template Ref<PartnerOpened> body) {
  c.number(2, body.number);
  c.number(3, body.tenant);
  c.rail_name(4, body.name);
}

template <typename C>
void describe(C& c, typename C::template Ref<KeyOpened> body) {
  c.number(2, body.number);
  c.number(3, body.partner);
  c.rail_name(4, body.name);
  c.choice(5, body.purpose, KeyPurpose::verify_messages, key_purpose_last);
}

template <typename C>
void describe(C& c, typename C::template Ref<ImportReceived> body) {
  c.number(2, body.tenant);
  c.number(3, body.importer);
  c.number(4, body.partner);
  c.number(5, body.key);
  c.rail_name(6, body.partner_name);
  c.rail_name(7, body.key_name);
  c.choice(8, body.purpose, KeyPurpose::verify_messages, key_purpose_last);
  c.optional_nested(9, body.facts);
  c.half_words(10, body.causes);
  c.optional_digest(11, body.findings);
  c.optional_digest(12, body.responsible);
  c.boolean(13, body.staged);
  c.instant(14, body.activate_at);
  c.duration(15, body.overlap);
  c.optional_digest(16, body.certificate);
}

template <typename C>
void describe(C& c, typename C::template Ref<ImportMoved> body) {
  c.event_number(2, body.import);
  c.choice(3, body.from, ImportState::received, import_state_last);
  c.choice(4, body.to, ImportState::received, import_state_last);
  c.choice(5, body.cause, ImportCause::doctor, import_cause_last);
  c.instant(6, body.due);
}

template <typename C>
void describe(C& c, typename C::template Ref<ImportChallenged> body) {
  c.event_number(2, body.import);
  c.digest(3, body.nonce);
  c.instant(4, body.expires_at);
  c.bytes(5, body.origin, challenge_origin_bytes_max);
}

template <typename C>
void describe(C& c, typename C::template Ref<ImportVoted> body) {
  c.event_number(2, body.import);
  c.number(3, body.person);
  c.boolean(4, body.approve);
  c.number(5, body.counted);
  c.number(6, body.needed);
  c.optional_digest(7, body.reason);
}

template <typename C>
void describe(C& c, typename C::template Ref<KeyVersionAdded> body) {
  c.number(2, body.key);
  c.number(3, body.version);
  c.event_number(4, body.import);
  c.boolean(5, body.proven);
  c.instant(6, body.due);
  c.instant(7, body.warn_at);
}

template <typename C>
void describe(C& c, typename C::template Ref<KeyVersionMoved> body) {
  c.number(2, body.key);
  c.number(3, body.version);
  c.choice(4, body.from, KeyState::next, key_state_last);
  c.choice(5, body.to, KeyState::next, key_state_last);
  c.choice(6, body.cause, KeyCause::request, key_cause_last);
  c.instant(7, body.due);
  c.instant(8, body.usable_until);
  c.optional_digest(9, body.reason);
}

template <typename C>
void describe(C& c, typename C::template Ref<KeyExpiryWarned> body) {
  c.number(2, body.key);
  c.number(3, body.version);
  c.number(4, body.days);
  c.instant(5, body.not_after);
  c.instant(6, body.next_at);
}

}  // namespace model
