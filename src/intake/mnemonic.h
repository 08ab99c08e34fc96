#pragma once
// Mnemonic phrases (BIP-39): the ten word lists, the checksum, the seed.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "intake/wiped.h"

namespace intake {

constexpr std::size_t word_count = 2048;

struct WordList {
  std::string_view language;
  std::vector<std::string_view> words;  ///< in the order of the standard, NFKD
  /// Number of a word in NFKD, or -1.
  int index_of(std::string_view word) const;

 private:
  friend const std::vector<WordList>& word_lists();
  std::vector<std::uint16_t> sorted_;   // numbers in the order of their bytes
};
const std::vector<WordList>& word_lists();

/// Unicode form NFKD. Nothing for malformed UTF-8.
std::optional<Text> nfkd(std::string_view text);

/// Words to entropy. Nothing when the count or the checksum is wrong.
std::optional<Secret> mnemonic_entropy(const std::vector<int>& indices);
/// The 64-byte seed of a phrase in NFKD with one blank between words.
Secret mnemonic_seed(std::string_view phrase_nfkd, std::string_view passphrase_nfkd);
/// Electrum's own check: its version stands in the first digits of an HMAC of the phrase.
bool is_electrum_seed(std::string_view phrase);

/// At most `limit` words of the list with the smallest edit distance (in code points) to `word`, at most 2.
std::vector<std::string_view> nearest_words(const WordList& list, std::string_view word, std::size_t limit);

}  // namespace intake
