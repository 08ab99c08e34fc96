#pragma once
// The gate: a request becomes an authenticated, well-formed command, a read, an access token, or a refusal. Nothing
// else can make a model::Admitted.

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/bytes.h"
#include "base/instant.h"
#include "gate/client_book.h"
#include "gate/fingerprint.h"
#include "gate/key_book.h"
#include "gate/keys.h"
#include "gate/query.h"
#include "gate/rail_report.h"
#include "gate/rate_limit.h"
#include "gate/refusal.h"
#include "gate/request_body.h"
#include "gate/statement_upload.h"
#include "gate/routes.h"
#include "gate/token.h"
#include "model/epochs.h"
#include "model/admitted.h"
#include "wire/http_message.h"

namespace gate {

/// Answer of POST /v1/token: given out by the gate itself, nothing is journaled.
struct AccessTokenGrant {
  std::string access_token;
  base::Instant expires_at{};
  model::Scopes scopes = 0;
  model::PrincipalNumber principal = 0;
  base::Tag128 trace{};
};

using Admission = std::variant<model::Admitted, Query, AccessTokenGrant, Refusal>;

/// Payouts and collects of at least so much wait for so many people, neither of them the requester.
struct ApprovalRule {
  model::Asset asset;
  base::U128 amount_from = 0;
  std::uint8_t people = 1;   ///< more than model::approvals_max count as that
};

struct GateSettings {
  RateLimits rate;
  base::Duration token_lifetime = base::seconds(900);
  std::vector<ApprovalRule> approvals = {};   ///< of several that fit the most people are asked
  std::uint8_t refund_approvals = 0;     ///< people who must approve a refund over a rail, whatever its amount
  std::string origin = "holdfast";       ///< who asks keys of partners for a proof; at most model::challenge_origin_bytes_max
  /// How old a captured message may be that proves an import; an older one is refused. 0: its age is not looked at, and it proves nothing:
  /// whoever has seen a message can present it.
  base::Duration captured_age_max{};
  /// Never jumps; ends the search for what is wrong with a captured message after trial_for_max. Null: it ends by count alone.
  std::function<base::Instant()> boot_clock = {};
  /// How references on statements are read; those of undone histories are none of ours.
  model::Epochs epochs = {};
  /// Judges the URL of a webhook endpoint: what is wrong with it, empty if nothing is. Null: any URL is good.
  std::function<std::string(std::string_view url)> webhook_url_problem = {};
  /// Which of the capabilities that a rail is to be registered with its driver does not have, of those that money depends on. Null:
  /// nobody here knows drivers.
  std::function<model::RailCapabilities(model::TenantNumber tenant, std::string_view rail, model::RailCapabilities promised)> beyond_driver = {};
};

/// On whose behalf a caller inside the process asks. Principal 0 is the process itself.
struct Sender {
  model::TenantNumber tenant = 1;
  model::PrincipalNumber principal = 0;
  base::Tag128 trace{};
};

/// Who is calling, and what they may do: the scopes of both the token and the client.
struct Caller {
  model::TenantNumber tenant = 1;
  model::PrincipalNumber principal = 0;
  model::Scopes scopes = 0;
};

/// One for each loop thread; not for two threads at a time. Keys and book outlive it.
class Gate {
 public:
  Gate(const GateKeys& keys, const ClientBook& clients, RandomSource random, GateSettings settings = {});

  /// Who understands callbacks of rails; null, as at first: there are none, and their paths lead nowhere. Outlives the gate.
  void listen_to(RailVoices* voices) { voices_ = voices; }
  /// Who knows the keys of partners; null, as at first: nobody, and no answer to a challenge is good. Outlives the gate.
  void look_up_keys(const KeyBook* book) { key_book_ = book; }
  /// Who holds the wallets that wait to be confirmed; null, as at first: nobody, and none is known. Outlives the gate.
  void look_up_wallets(const WalletBook* book) { wallet_book_ = book; }

  /// Judges one complete request. `now` is wall time. The trace id comes from `traceparent`, or is drawn if there is
  /// none. Checks in this order: route, credentials, rate, scope, media type, idempotency key, body. A request refused
  /// for its body names every field that is wrong. `peer` is the address that requests of unproven callers count against.
  Admission admit(const wire::Request& request, base::Instant now, std::string_view peer = {});

  /// The caller of a request by its bearer token: what admit() believes, for addresses with routes of their own. Does not
  /// count against the rate.
  std::variant<Caller, Refusal> authenticate(const wire::Request& request, base::Instant now, const base::Tag128& trace);
  /// The same, and the refusal of a caller without the scope; nothing if the caller has it.
  std::optional<Refusal> refuse_without(model::Scope scope, const wire::Request& request, base::Instant now,
                                        const base::Tag128& trace);
  /// The trace id of `traceparent`, or a drawn one.
  base::Tag128 trace_of(const wire::Request& request);

  /// What RateLimit headers say for a principal.
  Quota quota(model::PrincipalNumber principal, base::Instant now) { return limiter_.quota(principal, now); }

  /// The same commands without HTTP: for callers in this process (bench, the false world, command line). The caller
  /// vouches for the sender; values are checked as strictly. `key` may be empty for principal 0: no idempotency then.
  std::variant<model::Admitted, Refusal> admit_body(const Sender& sender, std::string_view key,
                                                    const RequestBody& body);

  /// What a rail said of an attempt, as a command of the process itself: no credentials and no idempotency key are asked for.
  /// The caller vouches for it: it heard the rail, or verified who sent it.
  model::Admitted admit_report(const RailReport& report);

  /// A statement of a rail, as many commands as it needs; their keys are made from `key`. They are submitted one by one (take_first),
  /// each once the one before was taken: a part that found no room must not have those behind it refused for good.
  std::variant<model::Admitted, Refusal> admit_statement(const Sender& sender, std::string_view key,
                                                         const StatementUpload& upload);

  /// The first command of several, by itself, with what belongs to it; the others stay in `several`, which may be empty then.
  static model::Admitted take_first(model::Admitted& several);

  /// Many transfers, each with its own key, 1 to batch_items_max of them. `batch_key` may be empty: the reply as a
  /// whole then has no key (batch_tag is empty).
  std::variant<model::Admitted, Refusal> admit_transfers(const Sender& sender,
                                                         std::span<const TransferRequest> transfers,
                                                         std::string_view batch_key = {});

 private:
  struct Call;     // one request on its way through admit()
  struct Builder;  // one Admitted in the making

  Admission judge(Call& call);
  Admission grant_token(Call& call);
  Admission admit_change(Call& call);
  Admission admit_batch(Call& call, std::string_view key);
  Admission admit_callback(Call& call);
  Admission admit_webhook_call(Call& call);
  Admission admit_wallet_derivation(Call& call);
  Admission admit_statement_call(Call& call, std::string_view key);
  std::optional<Refusal> refuse_reach(const Call& call, const RequestBody& body);
  model::IdempotencyTag add_transfer(Builder& builder, std::string_view key, const TransferRequest& transfer);
  model::IdempotencyTag tag_of(Builder& builder, std::string_view key, const RequestBody& body);
  model::CommandBody command_of(Builder& builder, const RequestBody& body);
  model::CommandBody rail_transfer_of(Builder& builder, const RailTransferRequest& body);
  model::WebhookKey new_webhook_key(Builder& builder);
  std::optional<model::CommandBody> webhook_command_of(Builder& builder, const RequestBody& body);
  std::optional<model::CommandBody> registry_command_of(Builder& builder, const RequestBody& body);
  model::CommandBody import_command_of(Builder& builder, const KeyImport& body);
  static model::CommandBody wallet_command_of(Builder& builder, const WalletConfirmation& body);
  model::CommandBody proof_command_of(const Sender& sender, const ImportProof& body) const;
  Admission admit_import(const Call& call, std::string_view key, KeyImport&& body);
  model::CommandBody rail_command_of(Builder& builder, const RequestBody& body);
  model::CommandBody decision_of(Builder& builder, const RequestBody& body);
  std::uint8_t approvals_for(const model::Asset& asset, base::U128 amount) const;

  const GateKeys& keys_;
  const ClientBook& clients_;
  RandomSource random_;
  GateSettings settings_;
  RailVoices* voices_ = nullptr;
  const KeyBook* key_book_ = nullptr;
  const WalletBook* wallet_book_ = nullptr;
  TokenAuthority tokens_;
  RateLimiter limiter_;
  FingerprintMaker fingerprints_;
  std::vector<base::Tag128> seen_keys_;  // scratch: the keys of a batch, to find one used twice
  std::vector<base::Bytes> batch_fields_;  // scratch: what a batch's own fingerprint covers, for each version of the key
};

}  // namespace gate
