#pragma once
// The gate's book of clients, read from the core's durable records.

#include "gate/client_book.h"
#include "node/pipeline.h"

namespace node {

inline gate::Client client_of(model::PrincipalNumber number, const core::ClientRecord& record) {
  gate::Client client{.principal = number,
                      .tenant = record.tenant,
                      .kind = static_cast<model::PrincipalKind>(record.kind),
                      .scopes = record.scopes,
                      .generation = record.generation,
                      .revoked = record.revoked != 0,
                      .secret_hash = {},
                      .former_secret_hash = {},
                      .former_valid_until = {record.former_valid_until_ns}};
  std::copy(std::begin(record.secret_hash), std::end(record.secret_hash), client.secret_hash.begin());
  std::copy(std::begin(record.former_secret_hash), std::end(record.former_secret_hash), client.former_secret_hash.begin());
  return client;
}

/// Any thread. The pipeline outlives it.
class ClientRecords final : public gate::ClientBook {
 public:
  explicit ClientRecords(const Pipeline& pipeline) : pipeline_(pipeline) {}

  std::optional<gate::Client> find(model::PrincipalNumber principal) const override {
    const auto records = pipeline_.clients();
    if (records == nullptr || principal == 0 || principal > records->size()) return std::nullopt;
    return client_of(principal, (*records)[principal - 1]);
  }
  /// The first client that pleases, nothing if none does: bool pleases(const gate::Client&).
  template <typename Pleases>
  std::optional<gate::Client> find_if(Pleases pleases) const {
    const auto records = pipeline_.clients();
    for (std::size_t i = 0; records != nullptr && i < records->size(); ++i) {
      const gate::Client client = client_of(static_cast<model::PrincipalNumber>(i + 1), (*records)[i]);
      if (pleases(client)) return client;
    }
    return std::nullopt;
  }

 private:
  const Pipeline& pipeline_;
};

/// Knows nobody: for callers inside the process, who need no credentials.
class NoClients final : public gate::ClientBook {
 public:
  std::optional<gate::Client> find(model::PrincipalNumber) const override { return std::nullopt; }
};

}  // namespace node
