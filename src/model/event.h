#pragma once
// Events: what the core decided, with results. Applying an event copies results into the state and decides nothing, so
// that old journals stay readable by new code. Every event is a leaf of the audit log and stands on its own there.

#include <array>
#include <cstdint>
#include <optional>
#include <variant>
#include <vector>

#include "base/bytes.h"
#include "base/instant.h"
#include "base/int128.h"
#include "model/account.h"
#include "model/command.h"
#include "model/ids.h"
#include "model/outcome.h"
#include "model/registry.h"
#include "model/statement.h"
#include "model/transfer.h"

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

// --- rails and transfers over them --------------------------------------------------------------------------------------
// Money moves by TransferPosted, HoldPlaced, HoldResolved and HoldRedirected alone; these events say why.

/// A rail as it is from here on. Registered by the first one with its number.
struct RailConfigured {
  RailNumber number = 0;
  TenantNumber tenant = 0;
  AssetNumber asset = 0;
  AccountNumber clearing = 0;
  AccountNumber suspense = 0;
  RailName name{};
  Boxed<RailProfile> profile;
  bool operator==(const RailConfigured&) const = default;
};

struct RailControlled {
  RailNumber rail = 0;
  bool paused = false;
  base::Instant maintenance_from{};
  base::Instant maintenance_until{};
  bool operator==(const RailControlled&) const = default;
};

/// What routing learned from a report that counts.
struct RailObserved {
  RailNumber rail = 0;
  RailHealth health;
  DimensionHealth country;      ///< all zeros: not told
  DimensionHealth instrument;
  bool operator==(const RailObserved&) const = default;
};

/// A transfer over a rail, identified by the number of this event.
struct TransferRequested {
  TransferKind kind = TransferKind::payout;
  AccountNumber account = 0;    ///< ours: debited by a payout, credited by collect and recall
  PrincipalNumber requester = 0;   ///< 0: the core itself, as compensation
  AssetNumber asset = 0;
  base::U128 amount = 0;
  RailNumber wanted = 0;
  Country country = 0;
  Instrument instrument = 0;
  std::uint8_t approvals = 0;
  base::Instant send_by{};
  EventNumber original = 0;     ///< what it gives back; 0 for a transfer of its own right
  EventNumber original_attempt = 0;   ///< the attempt of it that carried the money; 0 without
  std::optional<Commitment> beneficiary;   ///< none where the original has it
  std::optional<Commitment> reference;
  std::optional<Commitment> metadata;
  bool operator==(const TransferRequested&) const = default;
};

/// A step of the saga.
struct TransferMoved {
  EventNumber transfer = 0;
  TransferState from = TransferState::requested;
  TransferState to = TransferState::requested;
  MoveCause cause = MoveCause::request;
  RailReason reason = RailReason::none;   ///< the rail's, where a report is the cause
  RailNumber rail = 0;          ///< the one concerned, 0 if none
  EventNumber hold = 0;         ///< to held: the hold; of a payout it stays until the end
  base::Instant due{};          ///< when the next step is due by itself; 0 never
  base::Instant alarm_at{};     ///< when the stay in this state is too long; 0 never
  bool operator==(const TransferMoved&) const = default;
};

/// Which rail and why, and why not the others. Nothing is chosen: the transfer parks or fails.
struct RouteDecided {
  EventNumber transfer = 0;
  std::vector<RouteChoice> choices;   ///< ascending by rail, at most route_choices_max
  base::Instant due{};          ///< of a transfer that stays parked: when the next step is due by itself; 0 as before
  bool operator==(const RouteDecided&) const = default;
};

/// The intention to send: durable before the first byte leaves.
struct AttemptStarted {
  EventNumber transfer = 0;
  std::uint8_t attempt = 0;     ///< from 1
  RailNumber rail = 0;
  TransferKind kind = TransferKind::payout;
  AssetNumber asset = 0;
  base::U128 amount = 0;
  EventNumber original = 0;
  EventNumber original_attempt = 0;
  bool probe = false;           ///< of a half-open breaker
  base::Instant send_not_after{};
  bool operator==(const AttemptStarted&) const = default;
};

/// A report that was believed. What it led to follows it.
struct AttemptReported {
  EventNumber transfer = 0;
  std::uint8_t attempt = 0;
  RailNumber rail = 0;
  ReportSource source = ReportSource::reply;
  RailResult result = RailResult::unknown;
  RailReason reason = RailReason::none;
  base::Duration latency{};
  std::optional<base::U128> amount;
  std::optional<Commitment> rail_reference;
  std::optional<base::Digest> body;
  base::Tag128 rail_reference_key{};   ///< zero without a reference
  bool operator==(const AttemptReported&) const = default;
};

/// A question to a rail, or a void that is to leave a tombstone there.
struct InquiryStarted {
  EventNumber transfer = 0;
  std::uint8_t attempt = 0;
  RailNumber rail = 0;
  std::uint32_t inquiry = 0;    ///< from 1 within the attempt
  bool is_void = false;
  base::Instant due{};          ///< of the next one
  bool operator==(const InquiryStarted&) const = default;
};

/// A person's voice where two are needed, or one.
struct VoteRecorded {
  EventNumber transfer = 0;
  PrincipalNumber person = 0;
  VoteKind vote = VoteKind::approve;
  std::uint8_t counted = 0;     ///< people who say the same, this one included
  std::uint8_t needed = 0;
  std::optional<Commitment> reason;
  bool operator==(const VoteRecorded&) const = default;
};

/// Something for people. `amount` was posted between the rail's clearing and suspense accounts by the event before, if any
/// could be.
struct CaseOpened {
  EventNumber transfer = 0;
  std::uint8_t attempt = 0;
  RailNumber rail = 0;
  CaseKind kind = CaseKind::late_success;
  base::U128 amount = 0;
  EventNumber posting = 0;      ///< the posting to suspense; 0 if there is none
  bool operator==(const CaseOpened&) const = default;
};

/// A report that changed nothing, kept so that it can be seen.
struct ReportIgnored {
  EventNumber transfer = 0;
  std::uint8_t attempt = 0;
  ReportSource source = ReportSource::reply;
  RailResult result = RailResult::unknown;
  RailReason reason = RailReason::none;
  IgnoredWhy why = IgnoredWhy::duplicate;
  std::optional<base::U128> amount;
  std::optional<base::Digest> body;
  bool operator==(const ReportIgnored&) const = default;
};

/// A transfer is in a state for longer than it should be. Once for each stay.
struct AgeAlarmRaised {
  EventNumber transfer = 0;
  TransferState state = TransferState::sending;
  base::Instant since{};
  bool operator==(const AgeAlarmRaised&) const = default;
};

/// The money of an open hold is for another account from here on: what is pending moves from the former credited account
/// (`debit`) to the new one (`credit`). The account whose money is held is not touched.
struct HoldRedirected {
  EventNumber hold = 0;
  base::U128 amount = 0;
  AssetNumber asset = 0;
  Side debit;
  Side credit;
  bool operator==(const HoldRedirected&) const = default;
};

/// The sums of what was given back of a transfer, and what may be.
struct RefundCounted {
  EventNumber original = 0;
  EventNumber refund = 0;       ///< whose step this is
  AssetNumber asset = 0;
  base::U128 captured = 0;
  base::U128 pending = 0;
  base::U128 posted = 0;
  bool operator==(const RefundCounted&) const = default;
};

// --- webhooks -------------------------------------------------------------------------------------------------------------

/// Somebody wants to be told of what happens from here on. The URL is a private value of this event.
struct WebhookCreated {
  WebhookNumber number = 0;
  TenantNumber tenant = 0;
  WebhookEvents events = 0;
  WebhookFlags flags = 0;
  Commitment url{};
  WebhookKey key{};
  bool operator==(const WebhookCreated&) const = default;
};

/// An endpoint as it is from here on.
struct WebhookChanged {
  WebhookNumber number = 0;
  WebhookEvents events = 0;
  WebhookFlags flags = 0;
  std::optional<Commitment> url;   ///< if it changed; the value is private to this event
  WebhookCause cause = WebhookCause::request;
  bool operator==(const WebhookChanged&) const = default;
};

struct WebhookRemoved {
  WebhookNumber number = 0;
  bool operator==(const WebhookRemoved&) const = default;
};

struct WebhookRotated {
  WebhookNumber number = 0;
  WebhookKey key{};
  base::Instant former_valid_until{};   ///< both keys sign until then
  bool operator==(const WebhookRotated&) const = default;
};

struct WebhookMarked {
  WebhookNumber number = 0;
  EventNumber told_through = 0;
  bool operator==(const WebhookMarked&) const = default;
};

// --- reconciliation -----------------------------------------------------------------------------------------------------

/// A part of a statement was taken. A statement is the number of the event that recorded its first part.
struct StatementRecorded {
  EventNumber statement = 0;          ///< 0: this one
  RailNumber rail = 0;
  StatementFormat format = StatementFormat::csv;
  base::Tag128 file{};
  std::optional<Commitment> name;
  base::Instant from{};
  base::Instant until{};              ///< never after the instant of this event: nobody knows the future
  std::uint32_t part = 1;
  std::uint32_t parts = 1;
  std::uint32_t lines_total = 0;
  std::uint32_t lines_new = 0;        ///< of this part: those that no earlier statement had; their events follow
  std::uint32_t lines_known = 0;
  bool repeated = false;              ///< this part of this file was taken before: nothing follows
  bool operator==(const StatementRecorded&) const = default;
};

/// A line that was not known before, and what it is.
struct LineRecorded {
  EventNumber statement = 0;
  std::uint32_t line = 0;
  RailNumber rail = 0;
  base::U128 amount = 0;
  bool credit = false;
  base::Instant booked_at{};
  LineResult result = LineResult::missing_here;
  EventNumber attempt = 0;            ///< its AttemptStarted event; 0: nothing of ours
  EventNumber belongs_to = 0;         ///< the attempt's transfer
  std::uint8_t matched_by = 0;        ///< MatchedBy; 0 without an attempt
  base::Tag128 rail_reference_key{};
  base::Tag128 identity{};
  std::optional<Asset> asset;         ///< if it is not the rail's
  std::optional<Commitment> rail_reference;
  bool operator==(const LineRecorded&) const = default;
};

/// A line is something else from here on.
struct LineLinked {
  EventNumber line = 0;               ///< its LineRecorded event
  LineResult result = LineResult::missing_here;
  EventNumber attempt = 0;            ///< 0: nothing of ours any more
  EventNumber belongs_to = 0;
  std::uint8_t matched_by = 0;
  bool operator==(const LineLinked&) const = default;
};

/// Books and rail do not agree. The exception is the number of this event.
struct ExceptionOpened {
  RailNumber rail = 0;
  ExceptionKind kind = ExceptionKind::missing_here;
  ExceptionParty party = ExceptionParty::rail;
  EventNumber statement = 0;          ///< that showed it; 0 for what a rail told by itself
  EventNumber line = 0;               ///< 0 without
  EventNumber orphan = 0;             ///< its OrphanRecorded event; 0 without
  EventNumber attempt = 0;
  EventNumber belongs_to = 0;
  base::U128 expected = 0;            ///< by our books
  base::U128 stated = 0;              ///< by the rail
  bool credit = false;                ///< the rail's side: came in
  bool operator==(const ExceptionOpened&) const = default;
};

/// A person's voice about an exception.
struct ExceptionVoted {
  EventNumber exception = 0;
  PrincipalNumber person = 0;
  ExceptionEnd end = ExceptionEnd::waiting;
  EventNumber belongs_to = 0;         ///< of `linked`: the transfer
  std::uint8_t counted = 0;
  std::uint8_t needed = 0;
  Commitment reason{};
  bool operator==(const ExceptionVoted&) const = default;
};

/// An exception is over.
struct ExceptionResolved {
  EventNumber exception = 0;
  ExceptionEnd end = ExceptionEnd::explained;
  EventNumber posting = 0;            ///< of `written_off`
  EventNumber attempt = 0;            ///< what it belongs to, where that is known now
  bool operator==(const ExceptionResolved&) const = default;
};

/// A rail told of a payment by a reference that nobody knows yet.
struct OrphanRecorded {
  RailNumber rail = 0;
  ReportSource source = ReportSource::callback;
  RailResult result = RailResult::unknown;
  RailReason reason = RailReason::none;
  base::U128 amount = 0;
  base::Tag128 rail_reference_key{};
  std::optional<Commitment> rail_reference;
  std::optional<base::Digest> body;   ///< SHA-256 of the raw bytes
  bool operator==(const OrphanRecorded&) const = default;
};

/// How far the books were compared with a complete statement: first its lines that name nothing, then what should be on it.
struct StatementSwept {
  EventNumber statement = 0;
  base::Instant lines_to{};           ///< lines booked before, and of that instant up to `line`, were looked at
  EventNumber line = 0;
  base::Instant attempts_to{};        ///< the same of attempts, by when they settled
  EventNumber attempt = 0;
  bool done = false;
  bool operator==(const StatementSwept&) const = default;
};

// --- imports and keys -----------------------------------------------------------------------------------------------------

/// A partner is mentioned for the first time.
struct PartnerOpened {
  PartnerNumber number = 0;
  TenantNumber tenant = 0;
  PartnerName name{};
  bool operator==(const PartnerOpened&) const = default;
};

struct KeyOpened {
  KeyNumber number = 0;
  PartnerNumber partner = 0;
  KeyName name{};
  KeyPurpose purpose = KeyPurpose::verify_messages;
  bool operator==(const KeyOpened&) const = default;
};

/// Material was sent for a key. An import is the number of this event; what became of it follows. `partner` and `key` are
/// opened by events of the same command where they are new; both are 0 where the doctor refused.
struct ImportReceived {
  TenantNumber tenant = 0;
  PrincipalNumber importer = 0;
  PartnerNumber partner = 0;
  KeyNumber key = 0;
  PartnerName partner_name{};
  KeyName key_name{};
  KeyPurpose purpose = KeyPurpose::verify_messages;
  std::optional<Boxed<KeyFacts>> facts;
  std::array<std::uint16_t, import_causes_max> causes{};
  std::optional<Commitment> findings;
  std::optional<Commitment> responsible;
  bool staged = false;
  base::Instant activate_at{};
  base::Duration overlap{};
  std::optional<Commitment> certificate = {};   ///< of what was taken, where it came in a certificate
  bool operator==(const ImportReceived&) const = default;
};

/// A step of an import.
struct ImportMoved {
  EventNumber import = 0;
  ImportState from = ImportState::received;
  ImportState to = ImportState::inspected;
  ImportCause cause = ImportCause::doctor;
  base::Instant due{};          ///< when it is over by itself; 0 never
  bool operator==(const ImportMoved&) const = default;
};

/// The key is asked to sign this (to_text(Challenge)). A newer challenge takes the place of an older one.
struct ImportChallenged {
  EventNumber import = 0;
  base::Digest nonce{};
  base::Instant expires_at{};
  base::Bytes origin;
  bool operator==(const ImportChallenged&) const = default;
};

struct ImportVoted {
  EventNumber import = 0;
  PrincipalNumber person = 0;
  bool approve = false;
  std::uint8_t counted = 0;     ///< people who say the same, this one included
  std::uint8_t needed = 0;
  std::optional<Commitment> reason;
  bool operator==(const ImportVoted&) const = default;
};

/// A version of a key, in state `next`.
struct KeyVersionAdded {
  KeyNumber key = 0;
  KeyVersion version = 0;
  EventNumber import = 0;
  bool proven = false;          ///< somebody showed that they have the private half; of a wallet, that it gives their address
  base::Instant due{};          ///< when it becomes active by itself; 0 never
  base::Instant warn_at{};      ///< when its end is to be told of; 0 it has none
  bool operator==(const KeyVersionAdded&) const = default;
};

struct KeyVersionMoved {
  KeyNumber key = 0;
  KeyVersion version = 0;
  KeyState from = KeyState::next;
  KeyState to = KeyState::next;
  KeyCause cause = KeyCause::request;
  base::Instant due{};          ///< when time takes the next step; 0 never
  base::Instant usable_until{}; ///< of one that people let in and nobody confirmed; 0 without such a bound
  std::optional<Commitment> reason;
  bool operator==(const KeyVersionMoved&) const = default;
};

/// A certificate comes to its end. Told once for each of key_warning_days; nothing else changes by it.
struct KeyExpiryWarned {
  KeyNumber key = 0;
  KeyVersion version = 0;
  std::uint8_t days = 0;        ///< left at most; 0: it is over
  base::Instant not_after{};
  base::Instant next_at{};      ///< of the next warning; 0: this was the last
  bool operator==(const KeyExpiryWarned&) const = default;
};

using EventBody = std::variant<TenantOpened, AssetRegistered, AccountOpened, AccountFlagsChanged, AccountLimitsSet,
                               TransferPosted, HoldPlaced, HoldResolved, Refused, KeyCancelled, BatchRecorded,
                               ClientCreated, ClientRotated, ClientRevoked, ClockConfirmed, EpochBumped,
                               LogKeyChanged, RailConfigured, RailControlled, RailObserved, TransferRequested,
                               TransferMoved, RouteDecided, AttemptStarted, AttemptReported, InquiryStarted,
                               VoteRecorded, CaseOpened, ReportIgnored, AgeAlarmRaised, HoldRedirected,
                               RefundCounted, WebhookCreated, WebhookChanged, WebhookRemoved, WebhookRotated, WebhookMarked,
                               StatementRecorded, LineRecorded, LineLinked, ExceptionOpened, ExceptionVoted,
                               ExceptionResolved, OrphanRecorded, StatementSwept, PartnerOpened, KeyOpened, ImportReceived,
                               ImportMoved, ImportChallenged, ImportVoted, KeyVersionAdded, KeyVersionMoved, KeyExpiryWarned>;

struct Event {
  base::Instant at{};
  EventBody body;
  bool operator==(const Event&) const = default;
};

}  // namespace model
