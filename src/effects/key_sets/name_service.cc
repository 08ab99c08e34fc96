#include "effects/key_sets/name_service.h"

#include <algorithm>
#include <chrono>

#include "crypto/chain/address.h"
#include "io/thread.h"

namespace effects {

SystemNames::SystemNames(std::size_t threads_max, LookUp look_up)
    : threads_max_(threads_max), look_up_(look_up ? std::move(look_up) : [](const std::string& host) { return io::find_addresses(host, 443); }) {}

SystemNames::~SystemNames() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  asked_.notify_all();
  for (std::thread& thread : threads_) thread.join();
}

base::Result<std::vector<intake::Address>> SystemNames::resolve(const std::string& host, base::Duration patience) {
  if (const auto numeric = crypto::chain::parse_address(host)) return std::vector<intake::Address>{*numeric};
  const auto question = std::make_shared<Question>();
  question->host = host;
  std::unique_lock lock(mutex_);
  questions_.push_back(question);
  if (idle_ < questions_.size() && threads_.size() < threads_max_) threads_.emplace_back([this] { run(); });
  asked_.notify_one();
  if (!question->answered.wait_for(lock, std::chrono::nanoseconds(patience.ns), [&] { return question->answer != nullptr; })) {
    std::erase(questions_, question);
    return base::Error{"fetch_dns_timed_out", "no answer about " + host + " within " + std::to_string(patience.ns / 1'000'000) + " ms"};
  }
  if (!question->answer->ok()) return base::Error{"fetch_host_not_found", question->answer->error().message};
  std::vector<intake::Address> addresses;
  for (const io::Endpoint& endpoint : **question->answer) {
    const auto address = crypto::chain::parse_address(endpoint.address);
    if (address) addresses.push_back(*address);
  }
  return addresses;
}

void SystemNames::run() {
  io::name_thread("names");
  std::unique_lock lock(mutex_);
  while (true) {
    ++idle_;
    asked_.wait(lock, [this] { return stopping_ || !questions_.empty(); });
    --idle_;
    if (stopping_) return;
    const std::shared_ptr<Question> question = std::move(questions_.front());
    questions_.pop_front();
    lock.unlock();
    auto answer = std::make_unique<io::Addresses>(look_up_(question->host));
    lock.lock();
    question->answer = std::move(answer);
    question->answered.notify_one();
  }
}

}  // namespace effects
