#include "effects/key_sets/key_set_news.h"

namespace effects {
namespace {

constexpr std::size_t shown_max = 80;

std::string shown(std::string_view text) {
  std::string out = "\"";
  for (const char c : text.substr(0, shown_max)) out.push_back(c >= 0x20 && c < 0x7F ? c : '?');
  return out + "\"";
}

std::string text_of(const intake::KeyChange& change) {
  const std::string key = "key " + shown(change.kid);
  switch (change.kind) {
    case intake::KeyChangeKind::added: return key + " is new, " + change.new_thumbprint;
    case intake::KeyChangeKind::removed: return key + " is gone, " + change.old_thumbprint;
    case intake::KeyChangeKind::key_differs:
      return "ALARM: " + key + " kept its id and is another key, " + change.new_thumbprint + " instead of " + change.old_thumbprint;
    case intake::KeyChangeKind::private_part_shown: return "ALARM: " + key + " shows its private part and is not used, " + change.new_thumbprint;
  }
  return key;
}

}  // namespace

std::vector<std::string> sentences_of(const KeySetNews& news) {
  const std::string head = "key set of " + news.issuer + ": ";
  std::vector<std::string> sentences;
  if (news.failure) {
    sentences.push_back(head + "could not be fetched, " + std::string(name_of(news.failure->step)) + ": " + news.failure->error.message + " [" + news.failure->error.code + "]");
  }
  for (const intake::KeyChange& change : news.changes) sentences.push_back(head + text_of(change));
  return sentences;
}

}  // namespace effects
