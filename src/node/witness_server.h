#pragma once
// A witness as a server (C2SP tlog-witness): POST /add-checkpoint, GET /ORIGIN-HASH/checkpoint. What it cosigned last for
// each log is a file of its own, replaced and synced before the cosignature leaves.

#include <map>
#include <string>

#include "audit/policy.h"
#include "audit/witness.h"
#include "custody/signer.h"
#include "edge/server.h"
#include "io/clock.h"
#include "io/file.h"

namespace node {

/// The loop's thread; one request after the other, so that looking and remembering are one step.
class WitnessServer final : public edge::Handler {
 public:
  /// `directory` is made if it is not there; what lies in it is read now. All references outlive it. Errors: those of
  /// io/file.h; `witness_memory_damaged` where a file is no checkpoint with this witness's own cosignature.
  static base::Result<std::unique_ptr<WitnessServer>> open(io::FileSystem& files, io::Clock& clock, custody::Signer& signer,
                                                           audit::NoteKey key, std::vector<audit::NoteKey> log_keys, std::string directory);

  void handle(edge::Server& server, edge::Exchange exchange, wire::Request&& request) override;

  /// The answer to a request, for tests without a network.
  wire::Response answer(const wire::Request& request);

 private:
  WitnessServer(io::FileSystem& files, io::Clock& clock, custody::Signer& signer, audit::NoteKey key, std::vector<audit::NoteKey> log_keys,
                std::string directory)
      : files_(files), clock_(clock), signer_(signer), key_(std::move(key)), log_keys_(std::move(log_keys)), directory_(std::move(directory)) {}

  wire::Response add_checkpoint(const std::string& body);
  base::Status load(const std::string& name);

  struct Known {
    audit::WitnessedTree tree;
    std::string note;                    ///< with the log's signature and ours
  };
  io::FileSystem& files_;
  io::Clock& clock_;
  custody::Signer& signer_;
  const audit::NoteKey key_;
  const std::vector<audit::NoteKey> log_keys_;
  const std::string directory_;
  std::map<std::string, Known> known_;   ///< by hex SHA-256 of the origin
};

}  // namespace node
