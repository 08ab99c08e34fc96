#include "intake/mnemonic.h"

#include <utf8proc.h>

#include <algorithm>
#include <cstdlib>

#include "base/text.h"
#include "crypto/hash.h"
#include "intake/opening.h"

namespace intake {
namespace {

using base::ByteView;

struct RawList {
  std::string_view language, words;
};
constexpr RawList raw_lists[] = {
#define WORD_LIST(language, words) {#language, words},
#include "intake/mnemonic_words.inc"
#undef WORD_LIST
};

std::u32string code_points(std::string_view text) {
  std::u32string out;
  for (std::size_t at = 0; at < text.size();) {
    utf8proc_int32_t code = 0;
    const auto used = utf8proc_iterate(reinterpret_cast<const utf8proc_uint8_t*>(text.data() + at), static_cast<utf8proc_ssize_t>(text.size() - at), &code);
    if (used <= 0) break;
    out.push_back(static_cast<char32_t>(code));
    at += static_cast<std::size_t>(used);
  }
  return out;
}

std::size_t distance(const std::u32string& a, const std::u32string& b) {
  std::vector<std::size_t> row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::size_t diagonal = row[0];
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t up = row[j];
      row[j] = std::min({row[j] + 1, row[j - 1] + 1, diagonal + (a[i - 1] == b[j - 1] ? 0u : 1u)});
      diagonal = up;
    }
  }
  return row[b.size()];
}

}  // namespace

const std::vector<WordList>& word_lists() {
  static const std::vector<WordList> lists = [] {
    std::vector<WordList> out;
    for (const RawList& raw : raw_lists) {
      WordList list;
      list.language = raw.language;
      for (std::size_t at = 0; at < raw.words.size();) {
        const std::size_t end = std::min(raw.words.find(' ', at), raw.words.size());
        list.words.push_back(raw.words.substr(at, end - at));
        at = end + 1;
      }
      list.sorted_.resize(list.words.size());
      for (std::size_t i = 0; i < list.words.size(); ++i) list.sorted_[i] = static_cast<std::uint16_t>(i);
      std::sort(list.sorted_.begin(), list.sorted_.end(), [&](std::uint16_t a, std::uint16_t b) { return list.words[a] < list.words[b]; });
      out.push_back(std::move(list));
    }
    return out;
  }();
  return lists;
}

int WordList::index_of(std::string_view word) const {
  const auto at = std::lower_bound(sorted_.begin(), sorted_.end(), word, [&](std::uint16_t index, std::string_view w) { return words[index] < w; });
  return at != sorted_.end() && words[*at] == word ? *at : -1;
}

std::optional<Text> nfkd(std::string_view text) {
  utf8proc_uint8_t* raw = nullptr;
  const auto size = utf8proc_map(reinterpret_cast<const utf8proc_uint8_t*>(text.data()), static_cast<utf8proc_ssize_t>(text.size()), &raw,
                                 static_cast<utf8proc_option_t>(UTF8PROC_STABLE | UTF8PROC_DECOMPOSE | UTF8PROC_COMPAT));
  if (size < 0) return std::nullopt;
  Text out(reinterpret_cast<const char*>(raw), static_cast<std::size_t>(size));
  wipe(raw, static_cast<std::size_t>(size));
  std::free(raw);
  return out;
}

std::optional<Secret> mnemonic_entropy(const std::vector<int>& indices) {
  if (indices.size() < 12 || indices.size() > 24 || indices.size() % 3 != 0) return std::nullopt;
  Secret bytes((indices.size() * 11 + 7) / 8, 0);
  std::size_t bit = 0;
  for (int index : indices) {
    for (int i = 10; i >= 0; --i, ++bit) {
      if ((index >> i & 1) != 0) bytes[bit / 8] = static_cast<std::uint8_t>(bytes[bit / 8] | 0x80 >> bit % 8);
    }
  }
  const std::size_t check_bits = indices.size() / 3;
  const std::size_t entropy_bytes = check_bits * 4;
  const std::uint8_t mask = static_cast<std::uint8_t>(0xFF << (8 - check_bits));
  const base::Digest digest = crypto::sha256(ByteView(bytes).first(entropy_bytes));
  if ((bytes[entropy_bytes] & mask) != (digest[0] & mask)) return std::nullopt;
  bytes.resize(entropy_bytes);
  return bytes;
}

Secret mnemonic_seed(std::string_view phrase, std::string_view passphrase) {
  Text salt = "mnemonic";
  salt.append(passphrase);
  return pbkdf2(Hash::sha512, base::as_bytes(phrase), bytes_of(salt), 2048, 64);
}

bool is_electrum_seed(std::string_view phrase) {
  const Secret mac = hmac(Hash::sha512, base::as_bytes("Seed version"), base::as_bytes(phrase));
  // 01 standard, 100 segwit, 101 two-factor, 102 two-factor segwit.
  return mac[0] == 0x01 || (mac[0] == 0x10 && (mac[1] >> 4) <= 2);
}

std::vector<std::string_view> nearest_words(const WordList& list, std::string_view word, std::size_t limit) {
  const std::u32string wanted = code_points(word.substr(0, 64));
  std::vector<std::pair<std::size_t, std::string_view>> close;
  for (std::string_view candidate : list.words) {
    const std::u32string points = code_points(candidate);
    const std::size_t longer = std::max(points.size(), wanted.size());
    const std::size_t shorter = std::min(points.size(), wanted.size());
    if (longer - shorter > 2) continue;
    const std::size_t d = distance(wanted, points);
    if (d <= 2 && d < longer) close.emplace_back(d, candidate);
  }
  std::stable_sort(close.begin(), close.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
  std::vector<std::string_view> out;
  for (const auto& [d, candidate] : close) {
    if (out.size() < limit) out.push_back(candidate);
  }
  return out;
}

}  // namespace intake
