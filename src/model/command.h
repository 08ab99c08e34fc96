#pragma once
// Commands: what the gate admits and the core decides, in the redacted form that the journal keeps. A command carries
// numbers, commitments and MACs; names, references, metadata and secrets never (design sections 3 and 9).

#include <array>
#include <cstdint>
#include <optional>
#include <utility>
#include <variant>
#include <vector>

#include "base/bytes.h"
#include "base/instant.h"
#include "base/int128.h"
#include "model/account.h"
#include "model/boxed.h"
#include "model/ids.h"
#include "model/registry.h"
#include "model/statement.h"
#include "model/transfer.h"
#include "model/webhook.h"

namespace model {

/// SHA-256(salt || value) of a personal value; the value itself lives in the erasable private section.
using Commitment = base::Digest;

/// What an idempotency key is bound to. Numbers are part of the key's scope and of the formats.
enum class Operation : std::uint8_t {
  none = 0,
  open_tenant = 1,
  register_asset = 2,
  open_account = 3,
  change_account_flags = 4,
  set_account_limits = 5,
  create_transfer = 10,
  capture_hold = 11,
  void_hold = 12,
  cancel_key = 13,
  record_batch = 14,
  create_client = 20,
  rotate_client = 21,
  revoke_client = 22,
  tick = 30,
  confirm_clock = 31,
  bump_epoch = 32,
  change_log_key = 33,
  configure_rail = 40,
  control_rail = 41,
  create_payout = 50,
  create_collect = 51,
  cancel_transfer = 52,
  review_transfer = 53,
  resolve_unknown = 54,
  refund_transfer = 55,
  report_rail = 56,
  record_statement = 60,
  resolve_exception = 61,
  create_webhook = 62,
  change_webhook = 63,
  remove_webhook = 64,
  rotate_webhook = 65,
  mark_webhook = 66,
  import_key = 70,
  challenge_import = 71,
  prove_import = 72,
  review_import = 73,
  steer_key = 74,
};

constexpr std::size_t fingerprint_fields_max = 12;

/// An idempotency key as the journal knows it: MACs under custody keys, so that neither key nor body can be guessed.
struct IdempotencyTag {
  base::Tag128 key{};                  ///< MAC over tenant, principal, operation, key text
  base::Tag128 fingerprint{};          ///< MAC over the canonical bytes of all business fields
  std::uint8_t fingerprint_version = 1;
  std::uint8_t field_count = 0;
  /// One 32-bit MAC per business field, in the order of the operation's field list (docs/format/idempotency.md).
  std::array<std::uint32_t, fingerprint_fields_max> fields{};
  bool operator==(const IdempotencyTag&) const = default;
};

/// What former tags are ordered and found by.
inline std::pair<base::Tag128, std::uint8_t> version_of_key(const IdempotencyTag& tag) {
  return {tag.key, tag.fingerprint_version};
}

struct OpenTenant {
  Commitment name{};
  TenantNumber existing = 0;   ///< answer: the tenant that has this name already
  bool operator==(const OpenTenant&) const = default;
};

struct RegisterAsset {
  Asset asset;
  Commitment world_name{};     ///< commitment to `world/CODE`, the account opened with the asset
  bool operator==(const RegisterAsset&) const = default;
};

struct OpenAccount {
  Commitment name{};
  Asset asset;
  AccountFlags flags = debits_must_not_exceed_credits;
  AccountLimits limits;
  std::optional<Commitment> metadata;
  AccountNumber existing = 0;  ///< answer: the account that has this name already, 0 if none
  bool operator==(const OpenAccount&) const = default;
};

/// Freeze, unfreeze and close: sets and clears flags. Only frozen_for_debits, frozen_for_credits and closed may be set;
/// only the two frozen ones may be cleared.
struct ChangeAccountFlags {
  AccountNumber account = 0;   ///< answer: 0 if no account has the name
  AccountFlags set = 0;
  AccountFlags clear = 0;
  bool operator==(const ChangeAccountFlags&) const = default;
};

struct SetAccountLimits {
  AccountNumber account = 0;
  AccountLimits limits;        ///< replaces all limits
  bool operator==(const SetAccountLimits&) const = default;
};

/// One movement: at once, or as a hold that a capture or void resolves later.
struct TransferItem {
  AccountNumber debit = 0;     ///< answer: 0 if no account has the name
  AccountNumber credit = 0;
  Asset asset;
  base::U128 amount = 0;
  bool hold = false;
  base::Duration hold_for{};   ///< how long a hold lives; 0 means it does not expire
  std::optional<Commitment> reference;
  base::Tag128 reference_key{};  ///< keyed hash of tenant and reference for look-up; zero without a reference
  std::optional<Commitment> metadata;
  std::optional<IdempotencyTag> idempotency;
  bool operator==(const TransferItem&) const = default;
};

/// One item, or several as an atomic group (all or nothing). Never empty.
struct CreateTransfer {
  std::vector<TransferItem> items;
  bool operator==(const CreateTransfer&) const = default;
};

constexpr std::size_t group_items_max = 8190;

/// Answer to a look-up: what became of the hold a command names. `open` is checked against the state itself.
enum class HoldStanding : std::uint8_t {
  open = 0,
  not_found = 1,
  not_a_hold = 2,
  captured = 3,
  voided = 4,
  expired = 5,
};

struct CaptureHold {
  EventNumber hold = 0;
  HoldStanding standing = HoldStanding::open;
  std::optional<base::U128> amount;   ///< nothing captures all; the rest of a smaller capture is released
  bool operator==(const CaptureHold&) const = default;
};

struct VoidHold {
  EventNumber hold = 0;
  HoldStanding standing = HoldStanding::open;
  bool operator==(const VoidHold&) const = default;
};

/// Burns an idempotency key that was not used yet.
struct CancelKey {
  base::Tag128 cancelled{};    ///< the key's MAC in its own scope
  EventNumber used_by = 0;     ///< answer: the event that used it already, 0 if none
  bool operator==(const CancelKey&) const = default;
};

/// Ties the reply of a batch request to its own key: which event answered each item, with marks of the pipeline in the
/// bits above event_number_max (docs/format/entry.md).
struct RecordBatch {
  std::vector<std::uint64_t> answers;
  bool operator==(const RecordBatch&) const = default;
};

enum class PrincipalKind : std::uint8_t { person = 1, service = 2 };

/// Scopes, a bit set. Numbers are part of the formats.
enum Scope : std::uint32_t {
  accounts_read = 1u << 0,
  accounts_write = 1u << 1,
  transfers_read = 1u << 2,
  transfers_write = 1u << 3,
  assets_write = 1u << 4,
  accounts_control = 1u << 5,   ///< freeze, unfreeze, close, limits
  clients_admin = 1u << 6,
  metrics_read = 1u << 7,
  operate = 1u << 8,            ///< operator endpoints beyond health and metrics
  audit_read = 1u << 9,
  imports_read = 1u << 10,
  imports_write = 1u << 11,
  transfers_review = 1u << 12,   ///< approve and reject what waits for people
  transfers_resolve = 1u << 13,  ///< decide outcomes that asking could not find out
  rails_write = 1u << 14,        ///< configure, pause and resume rails
  reconcile_write = 1u << 15,    ///< bring in statements, resolve exceptions
  webhooks_write = 1u << 16,     ///< subscribe, change, test, resend
  imports_review = 1u << 17,     ///< approve and reject imports of keys
  keys_read = 1u << 18,          ///< the inventory of keys
  keys_write = 1u << 19,         ///< apply, roll back, retire, compromise, destroy
  wallets_read = 1u << 20,       ///< the wallets that are watched
  wallets_write = 1u << 21,      ///< send the secret of a wallet to have its addresses derived, and confirm it
};
using Scopes = std::uint32_t;
constexpr Scopes all_scopes = (1u << 22) - 1;

struct CreateClient {
  PrincipalKind kind = PrincipalKind::service;
  Scopes scopes = 0;
  Commitment name{};
  base::Digest secret_hash{};  ///< keyed hash of the refresh secret
  bool operator==(const CreateClient&) const = default;
};

struct RotateClient {
  PrincipalNumber client = 0;
  base::Digest secret_hash{};
  base::Duration overlap{};    ///< how long the former secret still works
  bool operator==(const RotateClient&) const = default;
};

struct RevokeClient {
  PrincipalNumber client = 0;
  bool operator==(const RevokeClient&) const = default;
};

// --- rails and transfers over them (design section 7) -----------------------------------------------------------------

/// Registers a rail, or changes the profile of a known one; asset and accounts of a rail stay. Its clearing account
/// `rails/NAME/clearing` and its suspense account `suspense/NAME` are opened with it, without limits on either side.
struct ConfigureRail {
  RailName name{};
  Asset asset;
  Boxed<RailProfile> profile;
  Commitment clearing_name{};
  Commitment suspense_name{};
  AccountNumber clearing = 0;   ///< answers: accounts that have these names already, 0 if none
  AccountNumber suspense = 0;
  bool operator==(const ConfigureRail&) const = default;
};

/// Pause, resume, maintenance window: what is not said stays. No new attempt starts on a paused rail; everything else goes on.
struct ControlRail {
  RailNumber rail = 0;          ///< answer: 0 if no rail has the name
  bool paused = false;                 ///< false with a window: paused stays what it is
  base::Instant maintenance_from{};    ///< 0 with `maintenance_until` 0: the window stays; one that is over lifts it
  base::Instant maintenance_until{};
  bool operator==(const ControlRail&) const = default;
};

/// What a payout and a collect have in common.
struct RailRequest {
  AccountNumber account = 0;    ///< answer: debited by a payout, credited by a collect
  Asset asset;
  base::U128 amount = 0;
  RailNumber wanted = 0;        ///< this rail and no other; 0 lets the router choose
  bool wanted_unknown = false;  ///< answer: a rail was named that there is not
  Country country = 0;          ///< of beneficiary or payer
  Instrument instrument = 0;
  std::uint8_t approvals = 0;   ///< how many people must approve, at most approvals_max; the gate's policy says
  base::Duration send_within{}; ///< not with a rail by then: it fails. 0 takes the bound of the core
  Commitment beneficiary{};     ///< or payer: what the rail needs to know of them, in the private section
  std::optional<Commitment> reference;
  base::Tag128 reference_key{};
  std::optional<Commitment> metadata;
  bool operator==(const RailRequest&) const = default;
};

struct CreatePayout {
  RailRequest request;
  bool operator==(const CreatePayout&) const = default;
};

struct CreateCollect {
  RailRequest request;
  bool operator==(const CreateCollect&) const = default;
};

/// Before it was sent.
struct CancelTransfer {
  EventNumber transfer = 0;
  bool operator==(const CancelTransfer&) const = default;
};

struct ReviewTransfer {
  EventNumber transfer = 0;
  bool approve = false;
  std::optional<Commitment> reason;
  bool operator==(const ReviewTransfer&) const = default;
};

/// Of a transfer in manual_review: done when two different people, neither of them the requester, say the same.
struct ResolveUnknown {
  EventNumber transfer = 0;
  Verdict verdict = Verdict::settled;
  Commitment reason{};
  bool operator==(const ResolveUnknown&) const = default;
};

/// Answer to a look-up: what a transfer that the core no longer holds (or never held, as it moved money between accounts)
/// was. Checked against the state where the state knows better.
struct OriginalTransfer {
  bool found = false;           ///< of the same tenant
  bool posted = false;          ///< between accounts, and money moved: posted at once, or a captured hold
  AccountNumber debit = 0;
  AccountNumber credit = 0;
  base::U128 amount = 0;        ///< what moved
  bool operator==(const OriginalTransfer&) const = default;
};

/// Gives back all or part of what a transfer moved. Between accounts at once; over a rail by a saga of its own: a payout is
/// recalled, a collect is paid back, both on the rail that carried them.
struct RefundTransfer {
  EventNumber original = 0;
  OriginalTransfer standing;
  std::optional<base::U128> amount;   ///< nothing: all that is left
  std::uint8_t approvals = 0;
  std::optional<Commitment> reference;
  base::Tag128 reference_key{};
  std::optional<Commitment> metadata;
  bool operator==(const RefundTransfer&) const = default;
};

/// What somebody says a rail said of an attempt. One writer decides, whatever the source.
struct ReportRail {
  EventNumber reference = 0;          ///< the AttemptStarted event: what the rail knows the attempt by
  EventNumber transfer = 0;           ///< this and the next two: answers, from that event
  std::uint8_t attempt = 0;           ///< from 1
  RailNumber rail = 0;
  ReportSource source = ReportSource::reply;
  RailResult result = RailResult::unknown;
  RailReason reason = RailReason::none;
  std::uint32_t inquiry = 0;          ///< the question this answers; 0 with other sources
  base::Duration latency{};           ///< from first byte to answer, as measured; 0 not measured
  std::optional<base::U128> amount;   ///< as the rail states it
  std::optional<Asset> asset;
  std::optional<Commitment> rail_reference;
  std::optional<base::Digest> body;   ///< SHA-256 of the raw bytes, kept elsewhere
  base::Tag128 rail_reference_key{};  ///< keyed hash of tenant, rail and the rail's own reference; zero without one
  bool operator==(const ReportRail&) const = default;
};

// --- webhooks ---------------------------------------------------------------------------------------------------------

/// What an endpoint's keys are derived from, under a key in custody (docs/format/keys.md): the shared secret of `v1` and the
/// Ed25519 key of `v1a`, whose public half is here as well.
struct WebhookKey {
  base::Tag128 name{};         ///< random
  base::Digest public_key{};
  bool operator==(const WebhookKey&) const = default;
};

struct CreateWebhook {
  Commitment url{};
  WebhookEvents events = 0;
  WebhookFlags flags = webhook_enabled;
  WebhookKey key{};
  bool operator==(const CreateWebhook&) const = default;
};

/// By a client, or by the process itself where an endpoint does not take anything any more.
struct ChangeWebhook {
  WebhookNumber webhook = 0;
  std::optional<Commitment> url;     ///< nothing: as it is
  WebhookEvents events = 0;          ///< 0: as they are
  WebhookFlags set = 0;
  WebhookFlags clear = 0;
  WebhookCause cause = WebhookCause::request;
  bool operator==(const ChangeWebhook&) const = default;
};

struct RemoveWebhook {
  WebhookNumber webhook = 0;
  bool operator==(const RemoveWebhook&) const = default;
};

/// Another key; the former one signs as well until the overlap is over.
struct RotateWebhook {
  WebhookNumber webhook = 0;
  WebhookKey key{};
  base::Duration overlap{};
  bool operator==(const RotateWebhook&) const = default;
};

/// By the process itself, now and then: everything up to an event was told to this endpoint, or given up. From there it goes on
/// if the store of deliveries is lost.
struct MarkWebhook {
  WebhookNumber webhook = 0;
  EventNumber told_through = 0;
  bool operator==(const MarkWebhook&) const = default;
};

// --- reconciliation ---------------------------------------------------------------------------------------------------

/// One line of a statement: what a rail says it booked on the account it keeps for us.
struct StatementLine {
  std::uint32_t line = 0;             ///< in its file, from 1: of a text its line, of XML its entry
  base::U128 amount = 0;              ///< in the smallest unit of `asset`
  bool credit = false;                ///< came in; otherwise it left
  base::Instant booked_at{};          ///< formats that know days only: its beginning, in UTC
  EventNumber reference = 0;          ///< the AttemptStarted event that our reference names; 0 if it names none
  base::Tag128 rail_reference_key{};  ///< as in ReportRail
  base::Tag128 identity{};            ///< keyed hash of all that makes it this line, the same in every file and format
  Asset asset;
  std::optional<Commitment> rail_reference;
  bool named = false;                 ///< it carries a reference in the shape of ours
  bool operator==(const StatementLine&) const = default;
};

/// Lines of a statement, or all of them. The parts of one come in order.
struct RecordStatement {
  RailNumber rail = 0;                ///< answer: 0 if no rail has the name
  StatementFormat format = StatementFormat::csv;
  base::Tag128 file{};                ///< keyed hash of rail and bytes: the same file is known again
  std::optional<Commitment> name;     ///< what the rail calls the statement
  base::Instant from{};               ///< it shows everything booked from then
  base::Instant until{};              ///< until then, excluded
  std::uint32_t part = 1;             ///< from 1
  std::uint32_t parts = 1;
  std::uint32_t lines_total = 0;      ///< of all parts
  std::vector<StatementLine> lines;
  bool operator==(const RecordStatement&) const = default;
};

/// A person's word about an exception. What moves money needs two people.
struct ResolveException {
  EventNumber exception = 0;
  ExceptionEnd end = ExceptionEnd::waiting;
  EventNumber transfer = 0;           ///< of `linked`: the transfer it belongs to
  Commitment reason{};
  bool operator==(const ResolveException&) const = default;
};

// --- imports and keys (design section 8) --------------------------------------------------------------------------------

/// Material for a key of a partner, as the doctor found it. Input bytes, findings in words and secrets are not here.
struct ImportKey {
  PartnerName partner{};
  KeyName key{};
  KeyPurpose purpose = KeyPurpose::verify_messages;
  ImportVerdict verdict = ImportVerdict::usable;
  std::optional<Boxed<KeyFacts>> facts;   ///< of what is usable, and nothing else
  std::array<std::uint16_t, import_causes_max> causes{};   ///< numbers of findings (docs/import-codes.md), gravest first
  std::optional<Commitment> findings;     ///< all of them, with places, evidence and repairs
  std::optional<Commitment> responsible;  ///< who answers for the key from here on
  bool staged = false;                    ///< stays `next` until it is applied
  base::Instant activate_at{};            ///< 0: at once, unless staged
  base::Duration overlap{};               ///< how long the version before still verifies; 0 takes the bound of the core
  std::optional<Commitment> certificate = {};   ///< that it came in, as PEM, with those that came beside it
  bool operator==(const ImportKey&) const = default;
};

struct ChallengeImport {
  EventNumber import = 0;
  base::Digest nonce{};                   ///< random
  base::Bytes origin;                     ///< who asks, at most challenge_origin_bytes_max
  bool operator==(const ChallengeImport&) const = default;
};

struct ProveImport {
  EventNumber import = 0;
  base::Digest nonce{};                   ///< of the challenge that was answered
  bool verified = false;                  ///< answer of the gate: the signature is the key's, over that challenge
  bool operator==(const ProveImport&) const = default;
};

struct ReviewImport {
  EventNumber import = 0;
  bool approve = false;
  std::optional<Commitment> reason;
  bool operator==(const ReviewImport&) const = default;
};

struct SteerKey {
  KeyNumber key = 0;
  KeyVersion version = 0;                 ///< 0 with `apply`: the newest that can be; with `rollback`: the former one
  KeyVerb verb = KeyVerb::apply;
  std::optional<Commitment> reason;
  bool operator==(const SteerKey&) const = default;
};

/// Lets time pass: resolves at most `expiries_max` holds whose time has come, and takes as many due steps of transfers and keys.
struct Tick {
  std::uint32_t expiries_max = 256;
  bool operator==(const Tick&) const = default;
};

/// An operator's word that the wall clock is right after a jump (design section 3).
struct ConfirmClock {
  base::Duration jump{};
  bool operator==(const ConfirmClock&) const = default;
};

/// First entry after a restore: older copies of the same log are fenced off.
struct BumpEpoch {
  Epoch epoch = 0;
  bool operator==(const BumpEpoch&) const = default;
};

/// The audit log's checkpoints are signed with another key from here on (docs/format/audit.md).
struct ChangeLogKey {
  std::uint32_t version = 0;   ///< of the key in custody, from 2
  base::Digest public_key{};   ///< Ed25519
  bool operator==(const ChangeLogKey&) const = default;
};

using CommandBody = std::variant<OpenTenant, RegisterAsset, OpenAccount, ChangeAccountFlags, SetAccountLimits,
                                 CreateTransfer, CaptureHold, VoidHold, CancelKey, RecordBatch, CreateClient,
                                 RotateClient, RevokeClient, Tick, ConfirmClock, BumpEpoch, ChangeLogKey, ConfigureRail,
                                 ControlRail, CreatePayout, CreateCollect, CancelTransfer, ReviewTransfer,
                                 ResolveUnknown, RefundTransfer, ReportRail, CreateWebhook, ChangeWebhook, RemoveWebhook,
                                 RotateWebhook, MarkWebhook, RecordStatement, ResolveException, ImportKey, ChallengeImport,
                                 ProveImport, ReviewImport, SteerKey>;

/// A command with its sender. For CreateTransfer the tags are in the items.
struct Command {
  TenantNumber tenant = 1;
  PrincipalNumber principal = 0;
  base::Tag128 trace{};                        ///< W3C trace id, zero if none
  std::optional<IdempotencyTag> idempotency;
  CommandBody body;
  bool operator==(const Command&) const = default;
};

Operation operation_of(const CommandBody& body);
/// True for the number of an operation that a command can have; `none` has none.
bool is_operation(std::uint64_t number);

}  // namespace model
