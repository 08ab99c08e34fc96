#pragma once
// The reading half over SQLite.

#include <memory>
#include <string>

#include "store/views/sqlite_connection.h"
#include "store/views/views.h"

namespace store {

class SqliteQueries final : public Queries {
 public:
  static base::Result<std::unique_ptr<Queries>> open(const std::string& path);

  base::Result<ViewPositions> positions() override;
  base::Result<Page<AccountRow>> accounts(const AccountQuery& query) override;
  base::Result<std::optional<AccountRow>> account(model::AccountNumber number) override;
  base::Result<Page<TransferRow>> transfers(const TransferQuery& query) override;
  base::Result<std::optional<TransferRow>> transfer(model::EventNumber number) override;
  base::Result<Page<SagaRow>> sagas(const SagaQuery& query) override;
  base::Result<std::optional<SagaRow>> saga(model::EventNumber number) override;
  base::Result<std::vector<model::EventNumber>> saga_steps(model::EventNumber number) override;
  base::Result<std::vector<model::EventNumber>> import_steps(model::EventNumber number) override;
  base::Result<Page<ClientRow>> clients(const ClientQuery& query) override;
  base::Result<std::vector<AssetRow>> assets() override;
  base::Result<std::vector<TenantRow>> tenants() override;

 private:
  template <typename Row>
  base::Result<std::vector<model::EventNumber>> steps(const char* sql, model::EventNumber number);

  explicit SqliteQueries(Connection connection) : connection_(std::move(connection)) {}
  Connection connection_;
};

}  // namespace store
