#pragma once
// Finding addresses with patience that ends. An interface, because a fetch must be testable against names that change their
// mind between look and leap.

#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "base/instant.h"
#include "base/result.h"
#include "intake/fetch_rules.h"
#include "io/connecting.h"

namespace effects {

class NameService {
 public:
  virtual ~NameService() = default;
  /// Everything `host` resolves to, asked once; a numeric address is itself. Any thread. Errors: `fetch_host_not_found`,
  /// `fetch_dns_timed_out`.
  virtual base::Result<std::vector<intake::Address>> resolve(const std::string& host, base::Duration patience) = 0;
};

/// The system's resolver, which knows no deadline, on threads of its own: a name server that says nothing holds up one thread and
/// the one who asked, up to his patience. When every thread hangs, others wait in a queue, with the same patience.
class SystemNames final : public NameService {
 public:
  using LookUp = std::function<io::Addresses(const std::string& host)>;
  explicit SystemNames(std::size_t threads_max = 8, LookUp look_up = nullptr);
  /// Waits for look-ups under way: as long as the system does.
  ~SystemNames() override;
  SystemNames(const SystemNames&) = delete;
  SystemNames& operator=(const SystemNames&) = delete;

  base::Result<std::vector<intake::Address>> resolve(const std::string& host, base::Duration patience) override;

 private:
  struct Question {
    std::string host;
    std::unique_ptr<io::Addresses> answer;
    std::condition_variable answered;
  };
  void run();

  const std::size_t threads_max_;
  const LookUp look_up_;
  std::mutex mutex_;
  std::condition_variable asked_;
  std::deque<std::shared_ptr<Question>> questions_;
  std::size_t idle_ = 0;
  bool stopping_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace effects
