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

}  // namespace model
