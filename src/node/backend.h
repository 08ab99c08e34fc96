#pragma once
// The service as the edge sees it: takes what the gate admitted to the pipeline, reads back the entries that answers name,
// and brings answers and readings to the loop thread that asked.
//
// Lists, histories and trial balances are worked on by a reading thread of its own, so that a long one never holds up the
// loop; everything else is a few microseconds on the loop thread.

#include <chrono>
#include <condition_variable>
#include <deque>
#include <memory>
#include <mutex>
#include <thread>
#include <unordered_map>
#include <variant>
#include <vector>

#include "edge/backend.h"
#include "io/loop.h"
#include "node/audit_log.h"
#include "node/evidence.h"
#include "node/revocation_watch.h"
#include "node/service.h"
#include "node/wallet_desk.h"
#include "node/webhook_teller.h"
#include "store/views/views.h"

namespace node {

struct BackendOptions {
  std::uint32_t reads_waiting_max = 1'000;       ///< lists and histories in the queue; more are refused as overloaded
  std::uint32_t view_wait_ms = 2'000;            ///< how long a list waits for the views to catch up
};

class Backend final : public edge::Backend, private AnswerSink {
 public:
  /// `queries` may be null: lists that need views are refused then. All references outlive the backend.
  Backend(Service& service, std::unique_ptr<store::Queries> queries, io::Loop& loop, BackendOptions options = {});
  ~Backend() override;

  model::Outcome submit(model::Admitted&& admitted, edge::Receiver& receiver, std::uint64_t token) override;
  model::Outcome query(gate::Query&& query, edge::Receiver& receiver, std::uint64_t token) override;
  std::string_view account_name(model::AccountNumber number) const override { return service_.directory().name_of(number); }
  std::optional<model::Asset> asset(model::AssetNumber number) const override;
  std::string rail_name(model::RailNumber number) const override;
  std::optional<edge::ImportFace> import_face(model::EventNumber import) const override;
  model::PartitionNumber partition() const override { return 0; }
  const model::Epochs& epochs() const override { return service_.epochs(); }

  /// Attaches the audit log; before the first request. Without it there are no checkpoints, tiles and evidence.
  void serve_audit(AuditLog& log) { audit_ = &log; }
  /// The key set we publish (node/own_key_set.h); before the first request. Without it there are no keys in it.
  void serve_own_keys(std::string key_set) { own_key_set_ = std::move(key_set); }
  /// Attaches the desk where wallets are derived; before the first request. Without it every derivation is refused as busy. Stops before
  /// the backend goes.
  void serve_wallets(WalletDesk& desk) { wallets_ = &desk; }
  /// Attaches webhooks; before the first request. Without it endpoints cannot be looked at.
  void serve_webhooks(WebhookTeller& teller, store::DeliveryReader reader) {
    teller_ = &teller;
    deliveries_.emplace(std::move(reader));
  }
  /// Attaches the checks of certificates; before the first request. Without it nothing is said of revocation.
  void serve_revocation(const RevocationWatch& watch) { revocation_ = &watch; }
  /// Ends the reading thread; what waits is dropped. No call may follow.
  void stop();

 private:
  /// A request of several commands that go to the core one by one.
  struct Parts {
    model::Admitted rest;
    std::optional<edge::AnswerItem> first;   ///< what became of the first of them
  };
  struct Waiting {
    edge::Receiver* receiver = nullptr;
    std::uint64_t token = 0;
    std::unique_ptr<gate::Query> query;      ///< null for a write
    std::unique_ptr<Parts> parts = {};       ///< null for a write that is one submission
  };
  using Clock = std::chrono::steady_clock;
  struct Read {
    Waiting waiting;
    Answer answer;                           ///< of the question the core answered
    Clock::time_point deadline;              ///< for views to catch up: those behind it in the queue wait no longer
  };
  using Source = std::shared_ptr<const edge::EntryWithPrivates>;

  void deliver(std::uint64_t token, Answer&& answer) override;
  void run_delivered();
  void queue_read(Waiting&& waiting, Answer&& answer);   // under mutex_
  model::Outcome submit_one(model::Admitted&& admitted, Waiting&& waiting);
  void finish_write(Waiting&& waiting, Answer&& answer);
  void go_on(Waiting&& waiting, edge::Answer&& answer);
  void finish_read(Waiting&& waiting, Answer&& answer);
  void run_reads();
  void post_reading(Waiting&& waiting, edge::Reading&& reading);
  model::Outcome ask(Question question, Waiting&& waiting);
  std::uint64_t remember(Waiting&& waiting);
  void submit_at_end_of_turn();

  base::Result<Source> load(model::EventNumber event, const store::SealedGroup* group) const;
  base::Result<edge::AnswerItem> item_of(model::EventNumber event, const store::SealedGroup* group) const;
  base::Result<edge::AccountReading> account_reading(const AccountFound& found) const;
  edge::Reading read_account(const gate::Query& query, const Answer& answer) const;
  base::Result<edge::TransferReading> transfer_reading(model::EventNumber created, bool open, model::EventNumber resolved) const;
  edge::Reading read_transfer(const gate::Query& query, const Answer& answer) const;
  bool is_saga(const Answer& answer) const;
  base::Result<edge::TransferReading> saga_reading(model::EventNumber requested) const;
  edge::Reading read_saga(const gate::Query& query, const Answer& answer, Clock::time_point deadline);
  edge::Reading read_sagas(const gate::Query& query, const Answer& answer);
  edge::Reading read_rails(const gate::Query& query, const Answer& answer);
  edge::Reading read_reconciliations(const gate::Query& query, const Answer& answer) const;
  static bool is_about_keys(const gate::QueryBody& body);
  edge::Reading read_registry(const gate::Query& query, const Answer& answer) const;
  edge::Reading read_import(const gate::GetImport& wanted, model::TenantNumber tenant, const core::FrozenState& state, model::EventNumber position) const;
  edge::Reading read_key(const gate::GetKey& wanted, model::TenantNumber tenant, const core::FrozenState& state, model::EventNumber position) const;
  edge::Reading list_key_versions(const gate::ListKeyVersions& wanted, model::TenantNumber tenant, const core::FrozenState& state, model::EventNumber position) const;
  edge::Reading list_keys(const gate::ListKeys& wanted, model::TenantNumber tenant, const core::FrozenState& state, model::EventNumber position) const;
  void add_revocation(model::KeyNumber key, std::vector<edge::KeyVersionReading>& versions) const;
  base::Result<edge::KeyReading> key_reading(const core::FrozenState& state, model::KeyNumber number, bool with_material) const;
  static bool is_about_wallets(const gate::QueryBody& body);
  model::Outcome derive_wallet(model::TenantNumber tenant, gate::WalletDerivation&& request, edge::Receiver& receiver, std::uint64_t token);
  base::Result<edge::WalletReading> wallet_reading(const core::FrozenState& state, model::KeyNumber number) const;
  edge::Reading read_wallets(const gate::Query& query, const Answer& answer) const;
  static bool is_about_webhooks(const gate::QueryBody& body);
  /// Nothing if the answer comes later.
  std::optional<edge::Reading> read_webhooks(Waiting& waiting, const Answer& answer);
  base::Result<edge::WebhookReading> webhook_reading(model::WebhookNumber number, const core::WebhookRecord& record);
  edge::Reading read_events(const gate::Query& query, const Answer& answer);
  edge::Reading read_history(const gate::Query& query, const Answer& answer) const;
  edge::Reading read_accounts(const gate::Query& query, const Answer& answer, Clock::time_point deadline);
  edge::Reading read_transfers(const gate::Query& query, const Answer& answer, Clock::time_point deadline);
  edge::Reading read_checkpoint(const Answer& answer) const;
  /// What evidence is to be of, or why there is none.
  using Provable = std::variant<EvidenceSubject, edge::Reading>;
  Provable provable(const gate::Query& query, model::EventNumber position, Clock::time_point deadline);
  Provable transfer_subject(const gate::GetEvidence& asked, model::TenantNumber tenant, model::EventNumber position, Clock::time_point deadline);
  Provable import_subject(const gate::GetImportEvidence& asked, model::TenantNumber tenant, model::EventNumber position, Clock::time_point deadline);
  base::Status add_meanings(const std::vector<model::AccountNumber>& accounts, bool accounts_visible, EvidenceSubject& into) const;
  base::Status add_hold(model::TenantNumber tenant, const edge::TransferReading& saga, EvidenceSubject& into) const;
  edge::Reading read_evidence(const gate::Query& query, const Answer& answer, Clock::time_point deadline);
  edge::Reading read_own_keys(const Answer& answer) const;
  edge::Reading read_tile(const gate::Query& query, const Answer& answer) const;
  edge::Reading read_trial_balance(const gate::Query& query, const Answer& answer) const;
  bool wait_for_views(model::EventNumber position, Clock::time_point deadline);
  /// Asks the core and waits; not for the core's own threads. Nothing if the pipeline takes no more.
  std::optional<Answer> ask_now(Question question) const;

  Service& service_;
  std::unique_ptr<store::Queries> queries_;
  io::Loop& loop_;
  const BackendOptions options_;
  AuditLog* audit_ = nullptr;
  std::string own_key_set_ = R"({"keys":[]})";
  WalletDesk* wallets_ = nullptr;
  WebhookTeller* teller_ = nullptr;
  const RevocationWatch* revocation_ = nullptr;
  std::optional<store::DeliveryReader> deliveries_;   // reading thread

  std::unordered_map<std::uint64_t, Waiting> waiting_;    // loop thread
  std::uint64_t next_token_ = 1;
  bool turn_has_submissions_ = false;   // loop thread
  mutable std::vector<model::Asset> assets_;               // loop thread: copies of what never changes
  mutable std::vector<std::string> rails_;                 // the same: names by number

  std::mutex mutex_;
  std::condition_variable read_arrived_;
  std::vector<std::pair<std::uint64_t, Answer>> delivered_;
  bool delivery_posted_ = false;
  std::deque<Read> reads_;
  bool stopping_ = false;
  std::thread reading_;
};

}  // namespace node
