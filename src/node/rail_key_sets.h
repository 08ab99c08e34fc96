#pragma once
// The key sets by which rails' callbacks are verified ("keys_url" in the file of rails), fetched and kept from the start of the
// service to its end.

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "effects/key_sets/message_key_source.h"
#include "io/clock.h"
#include "node/rail_settings.h"

namespace node {

class RailKeySets {
 public:
  /// Begins to fetch. What happens to a set is told in sentences to `say`, from threads of its own. `clock` outlives it.
  RailKeySets(const std::vector<RailSettings>& rails, io::Clock& clock, std::function<void(const std::string&)> say);

  /// Null for a rail without a key set.
  effects::VerificationKeySource* of(const model::RailName& rail);
  /// Any thread.
  const effects::KeySetKeeper& keeper() const { return keeper_; }

 private:
  effects::SystemNames names_;
  effects::KeySetFetchByHttps fetch_;
  effects::KeySetKeeper keeper_;
  std::map<model::RailName, effects::KeySetMessageKeys> keys_;
};

}  // namespace node
