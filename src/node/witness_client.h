#pragma once
// Asks witnesses to cosign checkpoints, in the background: one thread, one witness after the other, patient with those that
// are away. What came together is attached to the checkpoint; whether it is enough says the policy's quorum.
//
// A witness that knows more leaves than this log, or another tree, is a finding: this is an older copy or a fork. The finding
// is reported; where the quorum cannot be reached without the witnesses that say so (with no quorum: where all of them say
// so), the log publishes no more under its origin.

#include <condition_variable>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <thread>

#include "audit/policy.h"
#include "audit/witness.h"
#include "base/instant.h"
#include "node/audit_log.h"

namespace node {

struct WitnessReply {
  int status = 0;
  std::string body;
};
/// POSTs a body to URL; blocks for some seconds at most. Errors: those of connecting.
using WitnessPost = std::function<base::Result<WitnessReply>(const std::string& url, const std::string& body)>;
/// The real one: https with `ca_file` (empty: the system's trust store), http to loopback addresses only
/// (`witness_url_malformed`).
WitnessPost post_over_network(io::FileSystem& files, std::string ca_file);

struct WitnessStats {
  std::size_t witnesses = 0;
  std::size_t failing = 0;               ///< did not cosign the newest checkpoint when asked last
  std::uint64_t witnessed_size = 0;      ///< leaves of the newest checkpoint that has the quorum
  std::uint64_t published_size = 0;
  std::string last_failure;              ///< `NAME: why`; empty if none
};

class WitnessClient {
 public:
  /// `log` outlives it. Witnesses without a URL are not asked.
  WitnessClient(AuditLog& log, audit::Policy policy, WitnessPost post, base::Duration interval);
  ~WitnessClient();
  void start();
  void stop();

  /// One round over all witnesses for the newest checkpoint; what the thread does again and again.
  void ask_all();
  WitnessStats stats() const;

 private:
  base::Result<std::string> ask(const audit::PolicyWitness& witness, const Published& published);
  void run();

  AuditLog& log_;
  const audit::Policy policy_;
  const WitnessPost post_;
  const base::Duration interval_;
  std::map<std::string, std::uint64_t> sizes_;   ///< what each witness cosigned last; asking thread only
  audit::Checkpoint collected_for_;              ///< asking thread only
  std::map<std::size_t, std::string> lines_;     ///< cosignatures of collected_for_, by witness

  mutable std::mutex mutex_;
  std::condition_variable changed_;
  WitnessStats stats_;
  bool stopping_ = false, started_ = false;
  std::thread thread_;
};

}  // namespace node
