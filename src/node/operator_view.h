#pragma once
// What the operator address tells: readiness in words, metrics in the Prometheus text format.

#include <array>
#include <atomic>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <tuple>

#include "edge/api.h"
#include "edge/backend.h"
#include "edge/server.h"
#include "io/clock.h"
#include "io/file.h"
#include "node/audit_log.h"
#include "node/effect_runner.h"
#include "node/rail_key_sets.h"
#include "node/registry_counts.h"
#include "node/revocation_watch.h"
#include "node/service.h"
#include "node/statement_fetcher.h"
#include "node/view_projection.h"
#include "node/webhook_teller.h"
#include "node/witness_client.h"

namespace node {

/// Counts replies and how long they took. The loop's thread.
class ReplyCounts final : public edge::ReplyObserver {
 public:
  void replied(const edge::ReplyRecord& record) override;
  void append_metrics(std::string& out) const;

 private:
  /// Upper bounds in nanoseconds; the last bucket has none.
  static constexpr std::array<std::int64_t, 12> bounds_ns{500'000,    1'000'000,  2'000'000,   4'000'000,   6'000'000,     10'000'000,
                                                          25'000'000, 50'000'000, 100'000'000, 500'000'000, 2'000'000'000, 10'000'000'000};
  std::map<std::tuple<std::string_view, std::uint16_t>, std::uint64_t> replies_;
  std::map<std::string_view, std::uint64_t> problems_;   ///< by the outcome's code
  std::array<std::uint64_t, bounds_ns.size() + 1> buckets_{};
  std::uint64_t duration_ns_sum_ = 0;
  std::uint64_t items_ = 0;
  std::uint64_t replayed_ = 0;
};

struct OperatorParts {
  io::FileSystem& files;
  io::Clock& clock;
  Service& service;
  const ViewProjection& views;
  const ReplyCounts& replies;
  const AuditLog& audit;
  const WitnessClient* witnesses = nullptr;   ///< null where none are asked
  const RailKeySets* key_sets = nullptr;      ///< null where no rail publishes its keys
  const EffectRunner* effects = nullptr;      ///< null where nothing is sent to rails
  const StatementFetcher* statements = nullptr;   ///< null where none are fetched
  const WebhookTeller* webhooks = nullptr;    ///< null where nobody is told
  const RevocationWatch* revocation = nullptr;   ///< null where no certificate is checked
  std::string directory;
  std::uint64_t space_reserve_bytes = 0;
};

/// The loop's thread. All parts outlive it.
class OperatorView final : public edge::OperatorBackend {
 public:
  explicit OperatorView(OperatorParts parts);

  edge::Readiness readiness() const override;
  std::string metrics() const override;
  bool confirm_clock() override;

  /// The server whose connections are counted; once it listens. It outlives the view.
  void watch(const edge::Server& server) { server_ = &server; }
  /// The certificate files were read again.
  void certificates_reloaded(bool good) { ++(good ? reloads_ : reloads_failed_); }

 private:
  void append_pipeline(std::string& out) const;
  void append_derived(std::string& out) const;
  void append_audit(std::string& out) const;
  void append_outside(std::string& out) const;
  void append_anchoring(std::string& out) const;
  void add_audit_lines(edge::Readiness& readiness) const;
  void append_key_sets(std::string& out) const;
  void append_registry(std::string& out) const;
  void append_revocation(std::string& out) const;
  void append_server(std::string& out) const;
  void append_process(std::string& out) const;

  OperatorParts parts_;
  const edge::Server* server_ = nullptr;
  std::int64_t started_boot_ns_ = 0;
  // Counted again only after the registry has changed.
  mutable std::shared_ptr<const core::RegistryTables::Frozen> counted_;
  mutable RegistryCounts counts_;
  std::uint64_t reloads_ = 0, reloads_failed_ = 0;
};

}  // namespace node
