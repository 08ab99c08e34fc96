#include "node/rail_key_sets.h"

#include "effects/key_sets/key_set_news.h"

namespace node {

namespace {

std::vector<effects::KeySetSource> sources_of(const std::vector<RailSettings>& rails) {
  std::vector<effects::KeySetSource> sources;
  for (const RailSettings& rail : rails) {
    if (rail.callback_key_set) sources.push_back(*rail.callback_key_set);
  }
  return sources;
}

effects::KeySetKeeper::Tell teller(std::function<void(const std::string&)> say) {
  return [say = std::move(say)](const effects::KeySetNews& news) {
    for (const std::string& sentence : effects::sentences_of(news)) say(sentence);
  };
}

}  // namespace

RailKeySets::RailKeySets(const std::vector<RailSettings>& rails, io::Clock& clock, std::function<void(const std::string&)> say)
    : fetch_(names_, clock), keeper_(sources_of(rails), fetch_, clock, teller(std::move(say))) {
  for (const RailSettings& rail : rails) {
    if (rail.callback_key_set) keys_.try_emplace(rail.name, keeper_, rail.callback_key_set->issuer);
  }
}

effects::VerificationKeySource* RailKeySets::of(const model::RailName& rail) {
  const auto found = keys_.find(rail);
  return found == keys_.end() ? nullptr : &found->second;
}

}  // namespace node
