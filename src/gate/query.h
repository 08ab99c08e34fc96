#pragma once
// Reads that the gate let through: authenticated, in scope, with every parameter checked and decoded.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "base/bytes.h"
#include "base/instant.h"
#include "gate/wallet_body.h"
#include "model/account.h"
#include "model/command.h"
#include "model/ids.h"
#include "model/transfer.h"

namespace gate {

constexpr std::uint32_t list_limit_max = 100;
constexpr std::uint32_t list_limit_default = 50;

/// GET /v1/accounts/{id}
struct GetAccount {
  std::string name;
  std::uint64_t name_hash = 0;  ///< model::account_name_hash
};

/// GET /v1/transfers/{id}
struct GetTransfer {
  model::TransferId id{};
};

/// GET /v1/accounts/{id}/history?from&to&cursor&limit: newest first.
struct AccountHistory {
  std::string name;
  std::uint64_t name_hash = 0;
  std::optional<base::Instant> from;  ///< postings at or after
  std::optional<base::Instant> to;    ///< postings before
  model::EventNumber before = 0;      ///< from the cursor: only events below; 0 starts at the newest
  std::uint32_t limit = list_limit_default;
};

/// GET /v1/accounts?prefix&asset&cursor&limit: ascending by name.
struct ListAccounts {
  std::string prefix;
  std::optional<model::Asset> asset;
  std::string after;  ///< from the cursor: only names behind; empty starts at the first
  std::uint32_t limit = list_limit_default;
};

/// What a transfer is now. `posted` moved money at once; the others are holds.
enum class TransferState : std::uint8_t { posted = 1, held = 2, captured = 3, voided = 4, expired = 5 };
std::string_view to_text(TransferState state);
std::optional<TransferState> parse_transfer_state(std::string_view text);
/// A state of transfers over rails by its name.
std::optional<model::TransferState> parse_saga_state(std::string_view text);

/// GET /v1/transfers?key&operation | reference | state | account, cursor, limit: newest first; by a state of transfers over
/// rails oldest first, because those are queues of work. Exactly one of the filters is set; `state` is never `posted`
/// (nobody keeps an index of what needs no work).
struct ListTransfers {
  std::optional<base::Tag128> key;  ///< IdempotencyTag::key of this principal, operation and key
  model::Operation operation = model::Operation::create_transfer;  ///< of the key
  std::optional<base::Tag128> reference_key;                       ///< TransferItem::reference_key of the reference
  std::optional<TransferState> state;
  std::optional<model::TransferState> saga_state;  ///< the same filter; `held` is the state of holds
  std::string account;  ///< name; empty if not the filter
  std::uint64_t account_hash = 0;
  model::EventNumber before = 0;  ///< from the cursor; with `saga_state`: only transfers behind it
  std::uint32_t limit = list_limit_default;
};

/// GET /v1/rails: all of the tenant, in the order in which they were configured.
struct ListRails {};

/// GET /v1/rails/{name}
struct GetRail {
  std::string name;
};

/// GET /v1/reconciliations?rail&state&cursor&limit: statements, newest first.
struct ListReconciliations {
  std::string rail;                          ///< empty: of every rail
  bool open_only = false;                    ///< those that an open exception came with
  model::EventNumber before = 0;             ///< from the cursor
  std::uint32_t limit = list_limit_default;
};

/// GET /v1/reconciliations/{id}?cursor&limit: the statement and its exceptions, newest first. The id `orphans` stands for what
/// rails told by themselves.
struct GetReconciliation {
  model::EventNumber statement = 0;          ///< 0: orphans
  model::EventNumber before = 0;
  std::uint32_t limit = list_limit_default;
};

/// GET /v1/webhooks: all of the tenant, in the order in which they were made.
struct ListWebhooks {};

/// GET /v1/webhooks/{id}
struct GetWebhook {
  model::WebhookNumber webhook = 0;
};

/// GET /v1/webhooks/{id}/deliveries?cursor&limit: attempts, newest first.
struct ListDeliveries {
  model::WebhookNumber webhook = 0;
  std::uint64_t before = 0;  ///< from the cursor: only attempts with lower numbers
  std::uint32_t limit = list_limit_default;
};

/// POST /v1/webhooks/{id}/test: nothing is journaled, so it takes no key.
struct TestWebhook {
  model::WebhookNumber webhook = 0;
};

/// POST /v1/webhooks/{id}/resend: the same. Exactly one of the two is set.
struct ResendWebhook {
  model::WebhookNumber webhook = 0;
  std::string message = {};                          ///< a message's id, well formed
  std::optional<base::Instant> failed_since = {};  ///< every message given up since
};

/// GET /v1/imports/{id}
struct GetImport {
  model::EventNumber import = 0;
};

/// GET /v1/keys?partner&cursor&limit: of the tenant, in the order in which they were opened.
struct ListKeys {
  std::string partner;                       ///< empty: of every partner
  model::KeyNumber after = 0;                ///< from the cursor
  std::uint32_t limit = list_limit_default;
};

/// GET /v1/keys/{id}: with its versions.
struct GetKey {
  model::KeyNumber key = 0;
};

/// GET /v1/keys/{id}/versions: those alone, newest first.
struct ListKeyVersions {
  model::KeyNumber key = 0;
};

/// GET /v1/wallets?partner&cursor&limit: of the tenant, in the order in which they were first confirmed.
struct ListWallets {
  std::string partner;                       ///< empty: of every partner
  model::KeyNumber after = 0;                ///< from the cursor
  std::uint32_t limit = list_limit_default;
};

/// GET /v1/wallets/{id}: with its versions.
struct GetWallet {
  model::KeyNumber wallet = 0;
};

/// GET /v1/trial-balance?asset
struct TrialBalance {
  std::optional<model::Asset> asset;
};

/// GET /v1/audit/checkpoint
struct GetCheckpoint {};

/// GET /.well-known/jwks.json: the keys we sign with (RFC 7517).
struct GetOwnKeys {};

/// GET /v1/audit/tile/... and /v1/audit/tile/entries/...
struct GetTile {
  std::string path;      ///< from `tile/` on; not looked at yet
  bool entries = false;  ///< a bundle of leaves, which needs the scope audit:read
};

/// GET /v1/transfers/{id}/evidence?disclose=none
struct GetEvidence {
  model::TransferId id{};
  bool disclose = true;           ///< personal values with their salts
  bool accounts_visible = false;  ///< the caller may read accounts: the events that opened them are shown
};

/// GET /v1/imports/{id}/evidence?disclose=none
struct GetImportEvidence {
  model::EventNumber import = 0;
  bool disclose = true;           ///< personal values with their salts
};

using QueryBody = std::variant<GetAccount, GetTransfer, AccountHistory, ListAccounts, ListTransfers, TrialBalance,
                               GetCheckpoint, GetTile, GetEvidence, GetImportEvidence, ListRails, GetRail,
                               ListWebhooks, GetWebhook, ListDeliveries, TestWebhook, ResendWebhook,
                               ListReconciliations, GetReconciliation, GetImport, ListKeys, GetKey, ListKeyVersions, GetOwnKeys,
                               WalletDerivation, ListWallets, GetWallet>;

struct Query {
  model::TenantNumber tenant = 1;
  model::PrincipalNumber principal = 0;
  base::Tag128 trace{};
  /// From the Holdfast-Position header: the answer must include this event. 0: whatever is durable now.
  model::EventNumber position = 0;
  QueryBody body;
};

/// Text of the Holdfast-Position header: `po_` and 13 base32 digits of partition and event, as in transfer ids.
std::string to_position(model::PartitionNumber partition, model::EventNumber event);
std::optional<model::EventNumber> parse_position(std::string_view text);

/// Cursors: opaque to clients, base64url of CBOR [list, place]. A cursor of another list is refused.
enum class ListKind : std::uint8_t { account_history = 1, accounts = 2, transfers = 3, transfers_by_age = 4, webhook_deliveries = 9, reconciliations = 10, exceptions = 11, keys = 12, wallets = 13 };
std::string to_cursor(ListKind list, model::EventNumber before);
std::string to_cursor(ListKind list, std::string_view after);
std::optional<model::EventNumber> parse_event_cursor(ListKind list, std::string_view text);
std::optional<std::string> parse_name_cursor(ListKind list, std::string_view text);

}  // namespace gate
