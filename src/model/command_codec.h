#pragma once
// The fields of commands and their keys, in the order of docs/format/entry.cddl. Key 0 is the operation, 1 to 4 are the
// sender's; a body starts at 5. A key is never given a second meaning.

#include "model/command.h"
#include "model/field_codec.h"

namespace model {

constexpr AccountFlags all_account_flags = debits_must_not_exceed_credits | credits_must_not_exceed_debits |
                                           frozen_for_debits | frozen_for_credits | closed | is_world;

// One overload for each noun; C is FieldWriter (constant nouns) or FieldReader.
template <typename C>
void describe(C& c, typename C::template Ref<IdempotencyTag> tag) {
  c.tag(1, tag.key);
  c.tag(2, tag.fingerprint);
  c.number(3, tag.fingerprint_version);
  c.words(4, tag.fields, tag.field_count);
}

template <typename C>
void describe(C& c, typename C::template Ref<AccountLimits> limits) {
  c.optional_amount(1, limits.debit_amount_max);
  c.optional_amount(2, limits.daily_debits_max);
  c.optional_amount(3, limits.balance_max);
}

template <typename C>
void describe(C& c, typename C::template Ref<TransferItem> item) {
  c.number(1, item.debit);
  c.number(2, item.credit);
  c.asset(3, item.asset);
  c.amount(4, item.amount);
  c.boolean(5, item.hold);
  c.duration(6, item.hold_for);
  c.optional_digest(7, item.reference);
  c.tag_if_any(8, item.reference_key);
  c.optional_digest(9, item.metadata);
  c.optional_nested(10, item.idempotency);
}

template <typename C>
void describe(C& c, typename C::template Ref<OpenTenant> body) {
  c.digest(5, body.name);
  c.number(6, body.existing);
}

template <typename C>
void describe(C& c, typename C::template Ref<RegisterAsset> body) {
  c.asset(5, body.asset);
  c.digest(6, body.world_name);
}

template <typename C>
void describe(C& c, typename C::template Ref<OpenAccount> body) {
  c.digest(5, body.name);
  c.asset(6, body.asset);
  c.flags(7, body.flags, all_account_flags);
  c.nested_if_any(8, body.limits);
  c.optional_digest(9, body.metadata);
  c.number(10, body.existing);
}

template <typename C>
void describe(C& c, typename C::template Ref<ChangeAccountFlags> body) {
  c.number(5, body.account);
  c.flags(6, body.set, frozen_for_debits | frozen_for_credits | closed);
  c.flags(7, body.clear, frozen_for_debits | frozen_for_credits);
}

template <typename C>
void describe(C& c, typename C::template Ref<SetAccountLimits> body) {
  c.number(5, body.account);
  c.nested_if_any(6, body.limits);
}

template <typename C>
void describe(C& c, typename C::template Ref<CreateTransfer> body) {
  c.list(5, body.items);
}

template <typename C>
void describe(C& c, typename C::template Ref<CaptureHold> body) {
  c.event_number(5, body.hold);
  c.standing(6, body.standing);
  c.optional_amount(7, body.amount);
}

template <typename C>
void describe(C& c, typename C::template Ref<VoidHold> body) {
  c.event_number(5, body.hold);
  c.standing(6, body.standing);
}

template <typename C>
void describe(C& c, typename C::template Ref<CancelKey> body) {
  c.tag(5, body.cancelled);
  c.event_number(6, body.used_by);
}

template <typename C>
void describe(C& c, typename C::template Ref<RecordBatch> body) {
  c.list(5, body.answers);
}

template <typename C>
void describe(C& c, typename C::template Ref<CreateClient> body) {
  c.choice(5, body.kind, PrincipalKind::person, PrincipalKind::service);
  c.number(6, body.scopes, all_scopes);
  c.digest(7, body.name);
  c.digest(8, body.secret_hash);
}

template <typename C>
void describe(C& c, typename C::template Ref<RotateClient> body) {
  c.number(5, body.client);
  c.digest(6, body.secret_hash);
  c.duration(7, body.overlap);
}

template <typename C>
void describe(C& c, typename C::template Ref<RevokeClient> body) {
  c.number(5, body.client);
}

template <typename C>
void describe(C& c, typename C::template Ref<Tick> body) {
  c.number(5, body.expiries_max);
}

template <typename C>
void describe(C& c, typename C::template Ref<ConfirmClock> body) {
  c.signed_duration(5, body.jump);
}

template <typename C>
void describe(C& c, typename C::template Ref<BumpEpoch> body) {
  c.number(5, body.epoch);
}

template <typename C>
void describe(C& c, typename C::template Ref<ChangeLogKey> body) {
  c.number(5, body.version);
  c.digest(6, body.public_key);
}

template <typename C>
void describe(C& c, typename C::template Ref<RailProfile> profile) {
  c.number(1, profile.capabilities, all_rail_capabilities);
  c.number(2, profile.directions, payouts | collects);
  c.amount(3, profile.amount_min);
  c.amount(4, profile.amount_max);
  c.amount(5, profile.cost_fixed);
  c.number(6, profile.cost_basis_points);
  c.duration(7, profile.send_window);
  c.duration(8, profile.reply_timeout);
  c.duration(9, profile.visibility_horizon);
  c.duration(10, profile.settle_within);
  c.duration(11, profile.inquiry_first);
  c.duration(12, profile.inquiry_max);
  c.number(13, profile.inquiries_max);
  c.number(14, profile.in_flight_max);
  c.number(15, profile.rate_per_second);
  c.half_words(16, profile.countries);
}

template <typename C>
void describe(C& c, typename C::template Ref<ConfigureRail> body) {
  c.rail_name(5, body.name);
  c.asset(6, body.asset);
  c.nested(7, *body.profile);
  c.digest(8, body.clearing_name);
  c.digest(9, body.suspense_name);
  c.number(10, body.clearing);
  c.number(11, body.suspense);
}

template <typename C>
void describe(C& c, typename C::template Ref<ControlRail> body) {
  c.number(5, body.rail);
  c.boolean(6, body.paused);
  c.instant(7, body.maintenance_from);
  c.instant(8, body.maintenance_until);
}

template <typename C>
void describe_request(C& c, typename C::template Ref<RailRequest> request) {
  c.number(5, request.account);
  c.asset(6, request.asset);
  c.amount(7, request.amount);
  c.number(8, request.wanted);
  c.boolean(9, request.wanted_unknown);
  c.number(10, request.country);
  c.number(11, request.instrument);
  c.number(12, request.approvals, approvals_max);
  c.duration(13, request.send_within);
  c.digest(14, request.beneficiary);
  c.optional_digest(15, request.reference);
  c.tag_if_any(16, request.reference_key);
  c.optional_digest(17, request.metadata);
}

template <typename C>
void describe(C& c, typename C::template Ref<CreatePayout> body) {
  describe_request(c, body.request);
}

template <typename C>
void describe(C& c, typename C::template Ref<CreateCollect> body) {
  describe_request(c, body.request);
}

template <typename C>
void describe(C& c, typename C::template Ref<CancelTransfer> body) {
  c.event_number(5, body.transfer);
}

template <typename C>
void describe(C& c, typename C::template Ref<ReviewTransfer> body) {
  c.event_number(5, body.transfer);
  c.boolean(6, body.approve);
  c.optional_digest(7, body.reason);
}

template <typename C>
void describe(C& c, typename C::template Ref<ResolveUnknown> body) {
  c.event_number(5, body.transfer);
  c.choice(6, body.verdict, Verdict::settled, Verdict::failed);
  c.digest(7, body.reason);
}

template <typename C>
void describe(C& c, typename C::template Ref<OriginalTransfer> original) {
  c.boolean(1, original.found);
  c.boolean(2, original.posted);
  c.number(3, original.debit);
  c.number(4, original.credit);
  c.amount(5, original.amount);
}

template <typename C>
void describe(C& c, typename C::template Ref<RefundTransfer> body) {
  c.event_number(5, body.original);
  c.nested_if_any(6, body.standing);
  c.optional_amount(7, body.amount);
  c.number(8, body.approvals, approvals_max);
  c.optional_digest(9, body.reference);
  c.tag_if_any(10, body.reference_key);
  c.optional_digest(11, body.metadata);
}

template <typename C>
void describe(C& c, typename C::template Ref<ReportRail> body) {
  c.event_number(5, body.reference);
  c.event_number(6, body.transfer);
  c.number(7, body.attempt);
  c.number(8, body.rail);
  c.choice(9, body.source, ReportSource::reply, ReportSource::recovery);
  c.choice(10, body.result, RailResult::not_sent, RailResult::unknown);
  c.reason(11, body.reason);
  c.number(12, body.inquiry);
  c.duration(13, body.latency);
  c.optional_amount(14, body.amount);
  c.optional_asset(15, body.asset);
  c.optional_digest(16, body.rail_reference);
  c.optional_digest(17, body.body);
  c.tag_if_any(18, body.rail_reference_key);
}

template <typename C>
void describe(C& c, typename C::template Ref<StatementLine> line) {
  c.number(1, line.line);
  c.amount(2, line.amount);
  c.boolean(3, line.credit);
  c.instant(4, line.booked_at);
  c.event_number(5, line.reference);
  c.tag_if_any(6, line.rail_reference_key);
  c.tag(7, line.identity);
  c.asset(8, line.asset);
  c.optional_digest(9, line.rail_reference);
  c.boolean(10, line.named);
}

template <typename C>
void describe(C& c, typename C::template Ref<RecordStatement> body) {
  c.number(5, body.rail);
  c.choice(6, body.format, StatementFormat::csv, statement_format_last);
  c.tag(7, body.file);
  c.optional_digest(8, body.name);
  c.instant(9, body.from);
  c.instant(10, body.until);
  c.number(11, body.part, statement_parts_max);
  c.number(12, body.parts, statement_parts_max);
  c.number(13, body.lines_total);
  c.list(14, body.lines, statement_part_lines_max);
}

template <typename C>
void describe(C& c, typename C::template Ref<ResolveException> body) {
  c.event_number(5, body.exception);
  c.choice(6, body.end, ExceptionEnd::accepted, exception_end_by_people_last);
  c.event_number(7, body.transfer);
  c.digest(8, body.reason);
}

template <typename C>
void describe(C& c, typename C::template Ref<WebhookKey> key) {
  c.tag(1, key.name);
  c.digest(2, key.public_key);
}

template <typename C>
void describe(C& c, typename C::template Ref<CreateWebhook> body) {
  c.digest(5, body.url);
  c.number(6, body.events, all_webhook_events);
  c.number(7, body.flags, all_webhook_flags);
  c.nested(8, body.key);
}

template <typename C>
void describe(C& c, typename C::template Ref<ChangeWebhook> body) {
  c.number(5, body.webhook);
  c.optional_digest(6, body.url);
  c.number(7, body.events, all_webhook_events);
  c.number(8, body.set, all_webhook_flags);
  c.number(9, body.clear, all_webhook_flags);
  c.choice(10, body.cause, WebhookCause::request, WebhookCause::endpoint_gone);
}

template <typename C>
void describe(C& c, typename C::template Ref<RemoveWebhook> body) {
  c.number(5, body.webhook);
}

template <typename C>
void describe(C& c, typename C::template Ref<RotateWebhook> body) {
  c.number(5, body.webhook);
  c.nested(6, body.key);
  c.duration(7, body.overlap);
}

template <typename C>
void describe(C& c, typename C::template Ref<MarkWebhook> body) {
  c.number(5, body.webhook);
  c.event_number(6, body.told_through);
}

template <typename C>
void describe(C& c, typename C::template Ref<KeyFacts> facts) {
  c.bytes(1, facts.spki, spki_bytes_max);
  c.choice(2, facts.form, KeyForm::public_key, key_form_last);
  c.choice(3, facts.algorithm, KeyAlgorithm::rsa, key_algorithm_last);
  c.number(4, facts.bits);
  c.digest(5, facts.pin);
  c.digest(6, facts.fingerprint);
  c.optional_digest(7, facts.thumbprint);
  c.instant(8, facts.not_before);
  c.instant(9, facts.not_after);
}
template <typename C>
void describe(C& c, typename C::template Ref<Boxed<KeyFacts>> facts) {
  describe(c, *facts);
}

template <typename C>
void describe(C& c, typename C::template Ref<ImportKey> body) {
  c.rail_name(5, body.partner);
  c.rail_name(6, body.key);
  c.choice(7, body.purpose, KeyPurpose::verify_messages, key_purpose_last);
  c.choice(8, body.verdict, ImportVerdict::usable, import_verdict_last);
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
void describe(C& c, typename C::template Ref<ChallengeImport> body) {
  c.event_number(5, body.import);
  c.digest(6, body.nonce);
  c.bytes(7, body.origin, challenge_origin_bytes_max);
}

template <typename C>
void describe(C& c, typename C::template Ref<ProveImport> body) {
  c.event_number(5, body.import);
  c.digest(6, body.nonce);
  c.boolean(7, body.verified);
}

template <typename C>
void describe(C& c, typename C::template Ref<ReviewImport> body) {
  c.event_number(5, body.import);
  c.boolean(6, body.approve);
  c.optional_digest(7, body.reason);
}

template <typename C>
void describe(C& c, typename C::template Ref<SteerKey> body) {
  c.number(5, body.key);
  c.number(6, body.version);
  c.choice(7, body.verb, KeyVerb::apply, key_verb_last);
  c.optional_digest(8, body.reason);
}

}  // namespace model
