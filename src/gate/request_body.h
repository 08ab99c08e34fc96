#pragma once
// What clients ask for, decoded and checked but not yet a command: the common form of JSON bodies, CBOR batches and
// callers in this process. Views point into the request and must outlive the call that takes them.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/bytes.h"
#include "base/instant.h"
#include "base/int128.h"
#include "gate/import_body.h"
#include "gate/wallet_body.h"
#include "gate/webhook_body.h"
#include "model/account.h"
#include "model/command.h"
#include "model/ids.h"
#include "model/rail.h"
#include "model/transfer.h"
#include "wire/json_value.h"

namespace gate {

constexpr std::size_t reference_bytes_max = 255;
constexpr std::size_t metadata_pairs_max = 50;
constexpr std::size_t metadata_bytes_max = 4096;  ///< of the canonical form
constexpr std::size_t batch_items_max = 8190;
constexpr std::size_t batch_bytes_max = std::size_t{16} << 20;
constexpr std::size_t body_bytes_max = std::size_t{64} << 10;  ///< of everything but batches
constexpr std::uint64_t hold_seconds_max = 4'000'000'000;      ///< of the field; the core's own bound is tighter
constexpr std::size_t beneficiary_bytes_max = 4096;            ///< of the canonical text
constexpr std::size_t vote_reason_bytes_max = 1000;
constexpr std::uint64_t send_within_seconds_max = 4'000'000'000;  ///< of the field; the core's own bound is tighter
constexpr std::uint64_t rail_seconds_max = 31'536'000;            ///< of every duration in a rail's profile
constexpr std::uint64_t overlap_seconds_max = 7 * 86'400;
constexpr std::uint64_t overlap_seconds_default = 86'400;

struct TenantOpening {
  std::string_view name = {};  ///< 1 to 64 of A-Z a-z 0-9 - . _
};

struct AssetRegistration {
  model::Asset asset = {};
};

struct AccountOpening {
  std::string_view name = {};
  model::Asset asset = {};
  model::AccountFlags flags = model::debits_must_not_exceed_credits;
  model::AccountLimits limits = {};
  base::Bytes metadata = {};  ///< canonical CBOR map of text to text, empty if none
};

enum class FlagAction : std::uint8_t { freeze = 1, unfreeze = 2, close = 3 };

struct AccountFlagChange {
  std::string_view name = {};
  FlagAction action = FlagAction::freeze;
  bool debits = true;  ///< of freeze and unfreeze
  bool credits = true;
};

struct AccountLimitChange {
  std::string_view name = {};
  model::AccountLimits limits = {};  ///< replaces all
};

struct TransferRequest {
  std::string_view key = {};  ///< its idempotency key
  std::string_view debit_account = {};
  std::string_view credit_account = {};
  model::Asset asset = {};
  base::U128 amount = 0;
  bool hold = false;
  base::Duration hold_for{};        ///< whole seconds; 0 never expires
  std::string_view reference = {};  ///< empty if none
  base::Bytes metadata = {};        ///< canonical CBOR map of text to text, empty if none
  /// Neighbours with the same number other than 0 are one atomic group.
  std::uint32_t group = 0;
};

struct Capture {
  model::TransferId hold{};
  std::optional<base::U128> amount = {};
};

struct Voiding {
  model::TransferId hold{};
};

/// A payout or a collect.
struct RailTransferRequest {
  model::TransferKind kind = model::TransferKind::payout;
  std::string_view account = {};    ///< debited by a payout, credited by a collect
  model::Asset asset = {};
  base::U128 amount = 0;
  std::string_view rail = {};       ///< this one and no other; empty lets the router choose
  std::string beneficiary = {};     ///< or payer: canonical_json() of an object
  model::Country country = 0;
  model::Instrument instrument = 0;
  base::Duration send_within{};     ///< whole seconds; 0 takes the bound of the core
  std::string_view reference = {};  ///< empty if none
  base::Bytes metadata = {};        ///< canonical CBOR map of text to text, empty if none
};

struct TransferCancellation {
  model::TransferId transfer{};
};

struct TransferReview {
  model::TransferId transfer{};
  bool approve = false;
  std::string_view reason = {};  ///< empty if none
};

struct UnknownResolution {
  model::TransferId transfer{};
  model::Verdict verdict = model::Verdict::settled;
  std::string_view reason = {};  ///< never empty
};

/// A person's word about an exception of reconciliation.
struct ExceptionDecision {
  model::EventNumber exception = 0;
  model::ExceptionEnd end = model::ExceptionEnd::waiting;
  model::TransferId transfer{};  ///< of `linked`
  std::string_view reason = {};  ///< never empty
};

struct Refund {
  model::TransferId original{};
  std::optional<base::U128> amount = {};  ///< nothing: all that is left
  std::string_view reference = {};
  base::Bytes metadata = {};
};

struct RailConfiguration {
  std::string_view name = {};
  model::Asset asset = {};
  model::RailProfile profile = {};
};

enum class RailAction : std::uint8_t { pause = 1, resume = 2, maintenance = 3 };

struct RailControl {
  std::string_view name = {};
  RailAction action = RailAction::pause;
  /// Of maintenance: the window. The core keeps one standing for each rail, beside a pause; one that is over lifts it.
  base::Instant from{};
  base::Instant until{};
  bool paused = false;  ///< of maintenance: outside of the window as well
};

struct KeyCancellation {
  model::Operation operation = model::Operation::create_transfer;
  std::string_view key = {};
};

struct ClientCreation {
  std::string_view name = {};  ///< 1 to 128 bytes of UTF-8 without control characters
  model::PrincipalKind kind = model::PrincipalKind::service;
  model::Scopes scopes = 0;
};

struct ClientRotation {
  model::PrincipalNumber client = 0;
  base::Duration overlap{};  ///< whole seconds
};

struct ClientRevocation {
  model::PrincipalNumber client = 0;
};

using RequestBody =
    std::variant<TenantOpening, AssetRegistration, AccountOpening, AccountFlagChange, AccountLimitChange,
                 TransferRequest, Capture, Voiding, KeyCancellation, ClientCreation, ClientRotation, ClientRevocation,
                 RailTransferRequest, TransferCancellation, TransferReview, UnknownResolution, Refund,
                 RailConfiguration, RailControl, WebhookCreation,
                 WebhookChange, WebhookRemoval, WebhookRotation, WebhookMark, ExceptionDecision, KeyImport, ImportChallenge, ImportProof, ImportReview,
                 KeySteering, WalletConfirmation>;

/// One text for one JSON value: members by the bytes of their names, no blanks, integers in decimal, shortest escapes.
/// Nothing if there is a number with a fraction or an exponent (it has no one meaning), or more than `bytes_max` bytes.
std::optional<std::string> canonical_json(wire::JsonValue value, std::size_t bytes_max);

/// Canonical bytes of metadata: a CBOR map of text to text, keys in the order of RFC 8949 section 4.2.1. Nothing if a
/// key is empty or given twice, or a bound is passed.
std::optional<base::Bytes> canonical_metadata(std::vector<std::pair<std::string_view, std::string_view>> pairs);
/// The inverse, for rendering; nothing if the bytes are not canonical.
std::optional<std::vector<std::pair<std::string_view, std::string_view>>> parse_metadata(base::ByteView canonical);

}  // namespace gate
