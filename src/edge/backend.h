#pragma once
// What the edge needs of the service behind it. Declared here because the need is the edge's; node implements it.
//
// The edge hands over what the gate admitted and gets an Answer or a Reading later, on its own loop thread. Both are made
// of journaled entries: the edge renders replies from them and from nothing else, so that the replay of a reply has the
// same bytes as the first one.

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "gate/query.h"
#include "model/epochs.h"
#include "model/statement.h"
#include "model/admitted.h"
#include "model/entry.h"
#include "model/outcome.h"

namespace edge {

/// An event with everything its rendering needs. Shared between the items of one entry.
struct EntryWithPrivates {
  model::Entry entry;
  std::vector<model::PrivateValue> privates;   ///< of its events, ascending by event; those erased are missing
};

/// One answer within a reply: an event of an entry, or a refusal for which nothing was journaled.
struct AnswerItem {
  std::shared_ptr<const EntryWithPrivates> source;   ///< null for a refusal without an event
  std::uint32_t event_index = 0;                     ///< into source->entry.events
  model::Outcome refusal = model::Outcome::done;     ///< where source is null
  std::uint16_t differing_fields = 0;                ///< bits by place in the operation's field list (gate/fingerprint.h)
  bool replayed = false;
};

/// The answer to an Admitted. One item for most requests, one for each transfer in order for a batch.
struct Answer {
  model::EventNumber position = 0;                   ///< for the Holdfast-Position header
  model::Outcome refusal = model::Outcome::done;     ///< refuses the whole request (overloaded, disk_space_short...)
  std::vector<AnswerItem> items;
  /// The event that recorded a batch's reply; its instant is the reply's. Null without a batch key.
  std::shared_ptr<const EntryWithPrivates> batch;
  bool batch_replayed = false;
};

/// An account as the core has it at `position`.
struct AccountReading {
  model::AccountNumber number = 0;
  std::string name;
  model::Asset asset;
  model::AccountFlags flags = 0;
  model::AccountLimits limits;
  model::Counters counters;
  base::Instant opened_at{};
  base::Bytes metadata;                              ///< as the gate encoded it; empty if none
};

/// A transfer: the event that created it and, for a hold that is no longer open, the one that resolved it. Of a transfer over
/// a rail `created` is its request, and what came of it is in `steps`.
struct TransferReading {
  AnswerItem created;
  gate::TransferState state = gate::TransferState::posted;
  std::optional<AnswerItem> resolved;
  std::vector<AnswerItem> steps;                     ///< ascending, the request not among them
};

/// A rail as the core has it at `position`.
struct RailReading {
  std::string name;
  model::AssetNumber asset = 0;
  model::AccountNumber clearing = 0;
  model::AccountNumber suspense = 0;
  model::RailProfile profile;
  bool paused = false;
  base::Instant maintenance_from{};
  base::Instant maintenance_until{};                 ///< 0: no window
  model::RailHealth health;
  std::uint32_t in_flight = 0;                       ///< attempts that may have left and were not answered
};
struct RailsReading {
  std::vector<RailReading> rails;
};

/// A statement as the core has it at `position`, with its lines by what they are now.
struct StatementReading {
  model::EventNumber statement = 0;                  ///< 0: what rails told by themselves
  std::string rail;
  model::StatementFormat format = model::StatementFormat::csv;
  base::Instant recorded_at{};
  base::Instant from{};
  base::Instant until{};
  std::uint32_t parts = 0;
  std::uint32_t parts_taken = 0;
  std::uint32_t lines_total = 0;
  std::uint32_t lines_known = 0;                     ///< that an earlier statement had shown
  bool compared = false;                             ///< the books were compared with it to the end
  std::array<std::uint32_t, 6> results{};            ///< by model::LineResult: of the lines that it was the first to show
  std::uint32_t open_exceptions = 0;
};
struct ExceptionReading {
  model::EventNumber exception = 0;
  model::EventNumber statement = 0;
  std::string rail;
  model::AssetNumber asset = 0;
  model::ExceptionKind kind = model::ExceptionKind::missing_here;
  model::ExceptionParty party = model::ExceptionParty::rail;
  std::uint32_t line = 0;                            ///< in the file; 0 without
  bool orphan = false;
  model::EventNumber transfer = 0;
  base::U128 expected = 0;
  base::U128 stated = 0;
  bool credit = false;
  base::Instant booked_at{};                         ///< 0 without a line
  base::Instant opened_at{};
  base::Instant ended_at{};                          ///< 0 while it is open
  model::ExceptionEnd end = model::ExceptionEnd::waiting;
  model::EventNumber posting = 0;
  model::PrincipalNumber voter = 0;                  ///< who spoke first; 0 nobody
  model::ExceptionEnd vote = model::ExceptionEnd::waiting;
};
struct StatementsPage {
  std::vector<StatementReading> statements;
  model::EventNumber next = 0;                       ///< 0: there are no more
};
struct ReconciliationReading {
  StatementReading statement;
  std::vector<ExceptionReading> exceptions;
  model::EventNumber next = 0;
};

/// An endpoint as the core has it at `position`, and how its deliveries stand.
struct WebhookReading {
  model::WebhookNumber number = 0;
  std::string url;                                   ///< empty if it was erased
  model::WebhookEvents events = 0;
  model::WebhookFlags flags = 0;
  model::WebhookCause cause = model::WebhookCause::request;   ///< of the last change
  base::Digest public_key{};
  base::Instant former_until{};                      ///< the former key signs as well until then; 0: there is none
  base::Instant changed_at{};
  std::uint64_t waiting = 0;                         ///< messages to be delivered yet
  std::uint64_t given_up = 0;
  base::Instant delivered_at{};                      ///< last success; 0 none
  base::Instant failing_since{};                     ///< 0: it is not
};
struct WebhooksReading {
  std::vector<WebhookReading> webhooks;
};
struct DeliveryReading {
  std::uint64_t number = 0;                          ///< for the cursor
  model::EventNumber event = 0;
  model::WebhookEvent type = model::WebhookEvent::transfer_posted;
  std::uint32_t attempt = 0;
  base::Instant at{};
  std::string_view outcome;                          ///< static storage
  std::uint16_t status = 0;                          ///< 0: no answer
  std::string failure;                               ///< why there is none
  base::Instant next_at{};                           ///< 0: not tried again by itself
};
struct DeliveriesPage {
  std::vector<DeliveryReading> attempts;
  std::uint64_t next = 0;
};
/// What the receiver of a test message answered.
struct WebhookTestReading {
  std::string message;
  std::uint16_t status = 0;
  std::string failure;
};
struct WebhookResendReading {
  std::uint64_t messages = 0;                        ///< that are told again
};

/// An import as the core has it at `position`; what came in and what the doctor found is in `received`.
struct ImportReading {
  AnswerItem received;
  model::ImportState state = model::ImportState::rejected;
  model::ImportCause cause = model::ImportCause::doctor;
  model::KeyVersion version = 0;                     ///< that came of it; 0 none
  std::uint8_t approvals = 0;
  base::Instant due{};                               ///< 0: it waits for nothing
  base::Instant challenge_ends{};                    ///< 0: none is open
};
/// What a challenge names besides what its event tells; never changes.
struct ImportFace {
  std::string partner;
  std::string key;
  base::Digest thumbprint{};
};
/// What the newest check said of the certificate behind a version.
struct RevocationReading {
  std::string_view result;                           ///< `good`, `revoked`, `unknown`, ...; static storage
  std::string code;                                  ///< why it is not good; empty where it is
  std::string evidence;                              ///< one sentence, without secrets
  base::Instant checked_at{};
  base::Instant good_at{};                           ///< the newest check since the start that found it good; 0: none
};
struct KeyVersionReading {
  model::KeyVersion version = 0;
  model::KeyState state = model::KeyState::next;
  std::optional<model::KeyCause> cause;              ///< of its last move
  bool proven = false;
  model::EventNumber import = 0;
  model::KeyFacts facts;                             ///< without material in lists
  base::Instant since{};
  base::Instant due{};
  base::Instant usable_until{};
  std::optional<RevocationReading> revocation = {};  ///< of versions that verify and came in a certificate, once they were checked
};
/// A partner's key as the core has it at `position`, versions newest first.
struct KeyReading {
  model::KeyNumber number = 0;
  std::string partner;
  std::string name;
  model::KeyPurpose purpose = model::KeyPurpose::verify_messages;
  std::string responsible;                           ///< empty: nobody said, or it was erased
  model::KeyVersion active = 0;
  model::KeyVersion former = 0;
  std::vector<KeyVersionReading> versions;
};
/// The versions of one key alone, newest first.
struct KeyVersionsReading {
  std::vector<KeyVersionReading> versions;
};
struct KeysPage {
  std::vector<KeyReading> keys;
  model::KeyNumber next = 0;                         ///< 0: there are no more
};

/// What was derived of a wallet, before anything is journaled of it.
struct WalletDerivationReading {
  std::string id;                                    ///< under which it is confirmed; empty if it is not usable
  std::string partner;
  std::string wallet;
  std::string expected_address;                      ///< empty: none was looked for
  base::Instant expires_at{};
  gate::DerivedWallet derived;
};
/// A wallet is a key; what is watched goes with its versions.
struct WalletReading {
  KeyReading key;                                    ///< without material
  std::vector<std::string> watched;                  ///< JSON, an object for each version; empty if it was erased
};
struct WalletsPage {
  std::vector<WalletReading> wallets;
  model::KeyNumber next = 0;                         ///< 0: there are no more
};

struct AccountsPage {
  std::vector<AccountReading> accounts;
  std::string next;                                  ///< last name, if there is more; the edge makes the cursor
};
struct TransfersPage {
  std::vector<TransferReading> transfers;
  model::EventNumber next = 0;                       ///< for the cursor, if there is more
  bool by_age = false;                               ///< oldest first: the cursor is of that list
};
/// Events that touched an account, newest first: postings, holds and their resolutions.
struct HistoryPage {
  std::string account;
  std::vector<AnswerItem> events;
  model::AccountNumber number = 0;
  model::EventNumber next = 0;
};
struct TrialBalanceRow {
  model::Asset asset;
  std::uint64_t accounts = 0;
  model::Counters totals;                            ///< sums over all accounts; wide enough: bounded by the world account
  bool balanced = false;                             ///< debits equal credits, posted and pending
};
struct TrialBalanceReading {
  std::vector<TrialBalanceRow> rows;
};
/// Bytes that are served as they are: checkpoints, tiles, evidence.
struct DocumentReading {
  std::string_view content_type;                     ///< static storage
  std::string_view cache_control = "no-store";
  std::string body;
};
/// A read that could not be served: not found, view_not_caught_up, filter_not_indexed, journal_read_failed...
struct ReadRefused {
  model::Outcome outcome = model::Outcome::not_found;
  std::string detail;
};

struct Reading {
  model::EventNumber position = 0;
  std::variant<ReadRefused, AccountReading, TransferReading, AccountsPage, TransfersPage, HistoryPage, TrialBalanceReading, DocumentReading,
               RailReading, RailsReading, WebhookReading, WebhooksReading, DeliveriesPage, WebhookTestReading,
               WebhookResendReading, StatementsPage, ReconciliationReading, ImportReading, KeyReading, KeyVersionsReading, KeysPage,
               WalletDerivationReading, WalletReading, WalletsPage>
      body;
};

/// Receives what was asked for, on the loop thread that asked.
class Receiver {
 public:
  virtual ~Receiver() = default;
  virtual void answered(std::uint64_t token, Answer&& answer) = 0;
  virtual void read(std::uint64_t token, Reading&& reading) = 0;
};

class Backend {
 public:
  virtual ~Backend() = default;
  /// Takes an admitted request; `receiver` gets exactly one answered(token) later, never from within this call. A refusal
  /// (overloaded, shutting_down) is returned at once, and then nothing comes.
  virtual model::Outcome submit(model::Admitted&& admitted, Receiver& receiver, std::uint64_t token) = 0;
  /// The same for reads.
  virtual model::Outcome query(gate::Query&& query, Receiver& receiver, std::uint64_t token) = 0;
  /// The id of an account and the asset of a number, for rendering. Cheap, loop thread. Empty if unknown.
  virtual std::string_view account_name(model::AccountNumber number) const = 0;
  virtual std::optional<model::Asset> asset(model::AssetNumber number) const = 0;
  /// The name of a rail; never changes. Empty if unknown. Loop thread.
  virtual std::string rail_name(model::RailNumber number) const = 0;
  virtual model::PartitionNumber partition() const = 0;
  /// What a challenge of an import names. Nothing if there is no such import. Loop thread.
  virtual std::optional<ImportFace> import_face(model::EventNumber import) const = 0;
  /// By what names rails and webhooks know events. Never changes while the process lives.
  virtual const model::Epochs& epochs() const = 0;
};

/// State of the process for the operator address.
struct Readiness {
  bool ready = false;
  /// One line for each thing looked at: `journal: ok`, `disk_space: 12 GiB free`, `clock: suspended by a jump of 93 s`.
  std::vector<std::string> lines;
};

class OperatorBackend {
 public:
  virtual ~OperatorBackend() = default;
  virtual Readiness readiness() const = 0;
  /// Prometheus text exposition format 0.0.4.
  virtual std::string metrics() const = 0;
  /// True if a jump of the clock was waiting for this.
  virtual bool confirm_clock() = 0;
};

}  // namespace edge
