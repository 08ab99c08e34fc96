#pragma once
// The clients of the false world: what they ask for, and how they repeat themselves.

#include <deque>
#include <memory>
#include <vector>

#include "io/random.h"
#include "sim/request.h"
#include "sim/twin.h"

namespace sim {

struct WorkloadShape {
  std::uint32_t clients = 4;
  std::uint32_t accounts = 20;
  std::uint32_t assets = 2;
  std::uint32_t tenants = 1;
  std::uint32_t batch_items_max = 24;
  std::uint32_t hot_percent = 30;      ///< transfers that touch the first account
  std::uint32_t repeat_percent = 15;   ///< requests that were sent before
  std::uint32_t altered_percent = 20;  ///< of those: with another body under the same key
};

class Workload {
 public:
  Workload(io::SimulatedRandom& random, const WorkloadShape& shape) : random_(random), shape_(shape) {}

  /// The next request to send: opening what the world needs first, then whatever chance brings.
  std::shared_ptr<const Request> next(const Twin& twin);
  /// Its answer was lost: the client will send it again.
  void reply_lost(std::shared_ptr<const Request> request) { unanswered_.push_back(std::move(request)); }
  /// It was answered; it may be repeated nevertheless.
  void answered(std::shared_ptr<const Request> request);

  std::string account_name(std::uint32_t index) const;
  std::string reference(std::uint64_t index) const;

 private:
  std::shared_ptr<Request> begin(Kind kind);
  std::string new_key();
  std::shared_ptr<const Request> altered(const Request& request);
  std::shared_ptr<const Request> founding();
  void add_movement(Request& request, bool in_batch, const Twin& twin);
  model::Asset asset(std::uint32_t index) const;
  model::AccountLimits limits();
  base::U128 amount();
  std::string any_account();
  model::EventNumber any_hold(const Twin& twin);
  bool percent(std::uint64_t share) { return random_.below(100) < share; }

  io::SimulatedRandom& random_;
  const WorkloadShape shape_;
  std::uint64_t serial_ = 0;
  std::uint32_t founded_ = 0;
  std::deque<std::shared_ptr<const Request>> unanswered_;
  std::deque<std::shared_ptr<const Request>> sent_;
};

}  // namespace sim
