#pragma once
// Events: what the core decided, with results. Applying an event copies results into the state and decides nothing, so
// that old journals stay readable by new code. Every event is a leaf of the audit log and stands on its own there.

#include <cstdint>
#include <optional>
#include <variant>

#include "base/bytes.h"
#include "base/instant.h"
#include "base/int128.h"
#include "model/account.h"
#include "model/command.h"
#include "model/ids.h"
#include "model/outcome.h"

namespace model {

/// Links of one account's history: the posting before this one, and at every 64th and 4096th posting the previous of
/// those, so that a long history is crossed in few reads. 0 is none.
struct HistoryLinks {
  EventNumber previous = 0;
  EventNumber previous_64 = 0;
  EventNumber previous_4096 = 0;
  bool operator==(const HistoryLinks&) const = default;
};

/// One side of a movement after it: the account, its counters, its history links.
struct Side {
  AccountNumber account = 0;
  Counters after;
  HistoryLinks links;
  bool operator==(const Side&) const = default;
};

struct TenantOpened {
  TenantNumber tenant = 0;
  Commitment name{};
  bool operator==(const TenantOpened&) const = default;
};

struct AssetRegistered {
  AssetNumber number = 0;
  TenantNumber tenant = 0;
  Asset asset;
  bool operator==(const AssetRegistered&) const = default;
};

struct AccountOpened {
  AccountNumber number = 0;
  TenantNumber tenant = 0;
  AssetNumber asset = 0;
  Commitment name{};
  AccountFlags flags = 0;
  AccountLimits limits;
  std::optional<Commitment> metadata;
  bool operator==(const AccountOpened&) const = default;
};

struct AccountFlagsChanged {
  AccountNumber account = 0;
  AccountFlags flags = 0;      ///< all flags after the change
  Counters counters;           ///< unchanged, carried for the reply
  bool operator==(const AccountFlagsChanged&) const = default;
};

struct AccountLimitsSet {
  AccountNumber account = 0;
  AccountLimits limits;
  bool operator==(const AccountLimitsSet&) const = default;
};

/// Money moved at once. `group` is the first event of its atomic group, 0 outside one.
struct TransferPosted {
  base::U128 amount = 0;
  AssetNumber asset = 0;
  Side debit;
  Side credit;
  EventNumber group = 0;
  std::optional<Commitment> reference;
  std::optional<Commitment> metadata;
  bool operator==(const TransferPosted&) const = default;
};

struct HoldPlaced {
  base::U128 amount = 0;
  AssetNumber asset = 0;
  Side debit;
  Side credit;
  base::Instant expires_at{};  ///< 0 never
  EventNumber group = 0;
  std::optional<Commitment> reference;
  std::optional<Commitment> metadata;
  bool operator==(const HoldPlaced&) const = default;
};

/// A hold resolved: captured (amount of it posted, the rest released), voided or expired (all released).
enum class HoldResolution : std::uint8_t { captured = 1, voided = 2, expired = 3 };

struct HoldResolved {
  EventNumber hold = 0;
  HoldResolution resolution = HoldResolution::voided;
  base::U128 held = 0;
  base::U128 captured = 0;
  AssetNumber asset = 0;
  Side debit;
  Side credit;
  bool operator==(const HoldResolved&) const = default;
};

/// A refusal that depends on state: it is an answer, it is journaled, and it sticks to the idempotency key.
struct Refused {
  Outcome outcome = Outcome::done;
  Operation operation = Operation::none;
  AccountNumber debit = 0;     ///< or the account concerned
  AccountNumber credit = 0;
  base::U128 amount = 0;
  EventNumber subject = 0;     ///< the hold or transfer concerned
  base::Tag128 trace{};        ///< of the first request, so that a replay has the same bytes
  bool operator==(const Refused&) const = default;
};

struct KeyCancelled {
  base::Tag128 key{};
  bool operator==(const KeyCancelled&) const = default;
};

struct BatchRecorded {
  std::uint32_t items = 0;
  bool operator==(const BatchRecorded&) const = default;
};

struct ClientCreated {
  PrincipalNumber number = 0;
  TenantNumber tenant = 0;
  PrincipalKind kind = PrincipalKind::service;
  Scopes scopes = 0;
  Commitment name{};
  base::Digest secret_hash{};
  bool operator==(const ClientCreated&) const = default;
};

struct ClientRotated {
  PrincipalNumber number = 0;
  base::Digest secret_hash{};
  base::Instant former_valid_until{};
  std::uint32_t generation = 0;
  bool operator==(const ClientRotated&) const = default;
};

struct ClientRevoked {
  PrincipalNumber number = 0;
  std::uint32_t generation = 0;
  bool operator==(const ClientRevoked&) const = default;
};

struct ClockConfirmed {
  base::Duration jump{};
  bool operator==(const ClockConfirmed&) const = default;
};

struct EpochBumped {
  Epoch epoch = 0;
  bool operator==(const EpochBumped&) const = default;
};

/// The newest key of the audit log. Checkpoints of trees that hold this event are signed with it.
struct LogKeyChanged {
  std::uint32_t version = 0;
  base::Digest public_key{};   ///< Ed25519
  bool operator==(const LogKeyChanged&) const = default;
};

using EventBody = std::variant<TenantOpened, AssetRegistered, AccountOpened, AccountFlagsChanged, AccountLimitsSet,
                               TransferPosted, HoldPlaced, HoldResolved, Refused, KeyCancelled, BatchRecorded,
                               ClientCreated, ClientRotated, ClientRevoked, ClockConfirmed, EpochBumped,
                               LogKeyChanged>;

struct Event {
  base::Instant at{};
  EventBody body;
  bool operator==(const Event&) const = default;
};

}  // namespace model
