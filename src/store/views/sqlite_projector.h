#pragma once
// The writing half over SQLite.

#include <atomic>
#include <memory>

#include "store/views/dirty_balances.h"
#include "store/views/sqlite_connection.h"
#include "store/views/view_rows.h"

namespace store {

class SqliteProjector final : public Projector {
 public:
  static base::Result<std::unique_ptr<Projector>> open(const std::string& path, const ViewOptions& options);

  ViewPositions positions() const override { return opened_at_; }
  void note_balances(std::span<const BalanceUpdate> updates) override { dirty_.note(updates); }
  base::Status apply(std::span<const ProjectedEvent> events, model::EventNumber through) override;
  base::Result<bool> write_balances(std::uint32_t rows_max) override;
  base::Status commit_positions() override;
  base::Status erase(model::PrivateField field, model::EventNumber event) override;
  ProjectorStats stats() const override;

 private:
  struct Statements {
    Statement about, tenant, asset, account, balance, transfer, saga, saga_step, import_step, key_version, client;
    Statement read_account, read_transfer, read_saga, read_key_version, read_client;
    Statement find_tenant, find_account, find_client;   ///< by the event that made the row
  };

  SqliteProjector(Connection connection, AboutRow about);
  base::Status prepare();
  base::Status project(const ProjectedEvent& projected);
  base::Status project_account(const ProjectedEvent& projected);
  base::Status project_transfer(const ProjectedEvent& projected);
  base::Status project_saga(const ProjectedEvent& projected);
  base::Status project_import(const ProjectedEvent& projected);
  base::Status project_client(const ProjectedEvent& projected);
  base::Status erase_row(model::PrivateField field, model::EventNumber event);
  base::Status commit(Transaction transaction);
  template <typename Row>
  base::Status written(Statement& replace, const Row& row);

  Connection connection_;
  Statements statements_;            // after the connection: they end first
  AboutRow about_;                   ///< positions in memory; committed with the next transaction
  ViewPositions opened_at_;
  DirtyBalances dirty_;
  bool in_pass_ = false;
  model::EventNumber pass_target_ = 0;
  std::vector<BalanceUpdate> batch_;
  std::atomic<std::uint64_t> committed_rows_{0};
  std::atomic<std::uint64_t> committed_balances_{0};
  std::atomic<std::uint64_t> rows_written_{0};
};

}  // namespace store
