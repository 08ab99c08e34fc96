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

}  // namespace model
