#pragma once
// What clients, operators and people ask for over rails, and how they repeat themselves.

#include <deque>
#include <memory>

#include "io/random.h"
#include "sim/outside.h"
#include "sim/request.h"
#include "sim/twin.h"

namespace sim {

class RailWorkload {
 public:
  RailWorkload(io::SimulatedRandom& random, const std::vector<Site>& sites) : random_(random), sites_(sites) {}

  /// Rails, people and customers come first, then whatever chance brings.
  std::shared_ptr<const Request> next(const Twin& twin, const Outside& outside, base::Instant now);
  void reply_lost(std::shared_ptr<const Request> request) { unanswered_.push_back(std::move(request)); }
  void answered(std::shared_ptr<const Request> request);
  bool is_founded() const { return founded_ >= founding_steps(); }
  /// Every rail in service again; what operators do when the faults have ended.
  std::shared_ptr<const Request> resume(std::size_t site);

  static constexpr int customers = 3;
  /// Whatever any of them has is at most this, so that a sum of them stays readable.
  static constexpr std::uint64_t funds = 1'000'000;
  static model::Asset asset() { return *model::parse_asset("USD/0"); }

 private:
  std::size_t founding_steps() const { return 1 + 3 + sites_.size() + 2 * customers; }
  std::shared_ptr<Request> begin(Kind kind);
  std::shared_ptr<const Request> founding();
  std::shared_ptr<const Request> decide(const Twin& twin, const Outside& outside);
  model::EventNumber any_transfer(const Twin& twin, bool (*wanted)(const SagaTransfer&));
  std::string customer() { return "shops/" + std::to_string(random_.below(customers)); }
  bool percent(std::uint64_t share) { return random_.below(100) < share; }

  io::SimulatedRandom& random_;
  const std::vector<Site>& sites_;
  std::uint64_t serial_ = 0;
  std::size_t founded_ = 0;
  std::deque<std::shared_ptr<const Request>> unanswered_, sent_;
};

}  // namespace sim
