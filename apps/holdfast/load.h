#pragma once
// Transfers from several clients at a time against a running service, with a record of every answer: what was acknowledged,
// and what stayed unknown because the service died. For the guided tour and the tests that kill the service.

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "apps/holdfast/api_client.h"

namespace holdfast {

/// One request of a load, and what is known of it.
struct LoadRecord {
  std::string key;
  std::string body;
  std::string id;               ///< of the transfer; empty if refused or unknown
  std::string reply;            ///< the first reply's bytes; empty while unknown
  std::uint16_t status = 0;     ///< 0: unknown
  std::uint32_t debit = 0;      ///< places in LoadPlan::accounts
  std::uint32_t credit = 0;
  std::uint64_t amount = 0;
};

struct LoadPlan {
  std::vector<std::string> accounts;   ///< at least two
  std::string asset;                   ///< `USD/2`
  std::uint32_t clients = 4;
  std::uint64_t requests_max = 20'000; ///< all clients together
  std::string key_prefix;              ///< keys are PREFIX-CLIENT-NUMBER: never the same prefix twice
};

class Load {
 public:
  /// Starts the clients at once. They go on until stop(), an answer that does not come, or requests_max.
  Load(io::FileSystem& files, const Credentials& credentials, LoadPlan plan);
  ~Load();
  Load(const Load&) = delete;
  Load& operator=(const Load&) = delete;

  std::uint64_t acknowledged() const { return acknowledged_.load(std::memory_order_relaxed); }
  /// True when no client is at work any more.
  bool ended() const { return running_.load(std::memory_order_relaxed) == 0; }
  /// Lets every client end, and waits for them.
  void stop();
  /// After stop(): every request, those without an answer included.
  std::vector<LoadRecord> take_records();
  /// After stop(): how long answers took, in nanoseconds, ascending.
  const std::vector<std::int64_t>& latencies_ns() const { return latencies_ns_; }

 private:
  struct Client {
    std::vector<LoadRecord> records;
    std::vector<std::int64_t> latencies_ns;
    std::thread thread;
  };
  void run(std::uint32_t number);

  io::FileSystem& files_;
  const Credentials credentials_;
  const LoadPlan plan_;
  std::atomic<bool> stopping_{false};
  std::atomic<std::uint64_t> acknowledged_{0};
  std::atomic<std::uint64_t> sent_{0};
  std::atomic<std::uint32_t> running_{0};
  std::vector<Client> clients_;
  std::vector<std::int64_t> latencies_ns_;
};

/// What a look at every record found.
struct LoadAudit {
  std::uint64_t confirmed = 0;      ///< acknowledged, there, and the same bytes when asked again under the same key
  std::uint64_t resolved = 0;       ///< unknown before, answered now
  std::uint64_t had_happened = 0;   ///< of those: it had happened, only the reply was lost
  std::vector<std::string> wrong;   ///< one sentence for each record that does not hold
};

/// Sends every request again under its key and looks acknowledged transfers up by id; fills in what was unknown.
LoadAudit audit_load(io::FileSystem& files, const Credentials& credentials, std::vector<LoadRecord>& records, std::uint32_t clients);

/// A string member of a JSON object; empty if it is not there. Dotted names reach into objects.
std::string json_text(std::string_view json, std::string_view path);

}  // namespace holdfast
