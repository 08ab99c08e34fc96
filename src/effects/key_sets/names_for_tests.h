#pragma once
// A resolver that says what a test wants, and another thing the next time. For tests only.

#include <map>
#include <mutex>

#include "crypto/chain/address.h"
#include "effects/key_sets/name_service.h"

namespace effects {

/// The first question about a host gets its first answer, the second the second, and the last is repeated.
class ScriptedNames final : public NameService {
 public:
  using Answer = std::vector<std::string>;   ///< addresses; empty: the name is not known
  void say(const std::string& host, std::vector<Answer> answers) { answers_[host] = std::move(answers); }
  int asked = 0;

  base::Result<std::vector<intake::Address>> resolve(const std::string& host, base::Duration) override {
    const std::lock_guard lock(mutex_);
    ++asked;
    std::vector<Answer>& answers = answers_[host];
    if (answers.empty() || answers.front().empty()) return base::Error{"fetch_host_not_found", "nobody is called " + host};
    std::vector<intake::Address> addresses;
    for (const std::string& text : answers.front()) addresses.push_back(*crypto::chain::parse_address(text));
    if (answers.size() > 1) answers.erase(answers.begin());
    return addresses;
  }

 private:
  std::mutex mutex_;
  std::map<std::string, std::vector<Answer>> answers_;
};

}  // namespace effects
