// Wallet material in text: phrases, extended keys, WIF, chain keys, addresses.
#include <algorithm>
#include <cctype>
#include <set>

#include "base/text.h"
#include "crypto/keccak.h"
#include "intake/extended_key.h"
#include "intake/layers.h"
#include "intake/mnemonic.h"
#include "intake/opening.h"
#include "intake/wallet_codes.h"

namespace intake {
namespace {

using base::ByteView;

void add_wallet_key(Examination& run, const Place& place, std::string format, const Curve& curve, ByteView scalar, std::string name) {
  run.seems_private = true;
  if (!scalar_in_range(curve, scalar)) {
    run.notes.add(Cause::wallet_key_is_out_of_range, place);
    return;
  }
  Item item;
  item.kind = Kind::wallet_private_key;
  item.format = std::move(format);
  item.algorithm = "EC";
  item.curve = curve.name;
  item.bits = curve.bits;
  item.canonical = to_secret(scalar);
  item.name = std::move(name);
  item.place = place;
  run.add(std::move(item));
}

void add_address(Examination& run, const Place& place, std::string format, std::string_view text) {
  Item item;
  item.kind = Kind::address;
  item.format = std::move(format);
  item.canonical = to_secret(base::as_bytes(text));
  item.name = std::string(text);
  item.place = place;
  run.add(std::move(item));
}

// --- phrases ------------------------------------------------------------------------------------------------------------

struct Word {
  Text text;  // NFKD, lower case
  std::size_t begin = 0, end = 0;
};

// Words of a text that consists of nothing else, numbering (`1.` `2)`) and commas aside. Empty when it does not.
std::vector<Word> split_words(const Traced& text, bool& normalised) {
  std::vector<Word> out;
  const std::string_view view = text.view();
  for (std::size_t at = 0; at < view.size();) {
    const auto separator = [&](std::size_t i) -> std::size_t {
      if (is_blank(view[i]) || view[i] == ',' || view[i] == ';') return 1;
      return view.substr(i, 3) == "\xE3\x80\x80" ? 3 : 0;  // ideographic blank
    };
    if (const std::size_t skip = separator(at)) {
      at += skip;
      continue;
    }
    const std::size_t begin = at;
    while (at < view.size() && separator(at) == 0) ++at;
    std::string_view word = view.substr(begin, at - begin);
    const std::size_t letters = word.find_first_not_of("0123456789.):#");
    if (letters == std::string_view::npos) continue;  // numbering
    word.remove_prefix(letters);
    if (out.size() >= 40 || word.size() > 48) return {};
    auto form = nfkd(word);
    if (!form) return {};
    Text lower = *form;
    std::transform(lower.begin(), lower.end(), lower.begin(), [](char c) { return static_cast<unsigned char>(c) < 0x80 ? static_cast<char>(std::tolower(static_cast<unsigned char>(c))) : c; });
    const bool letters_only = std::all_of(lower.begin(), lower.end(), [](char c) { return static_cast<unsigned char>(c) >= 0x80 || std::islower(static_cast<unsigned char>(c)) != 0; });
    if (!letters_only) return {};
    if (lower != word) normalised = false;
    out.push_back({std::move(lower), begin + letters, at});
  }
  return out;
}

}  // namespace

bool examine_phrase(Examination& run, const Traced& text) {
  bool normalised = true;
  const std::vector<Word> words = split_words(text, normalised);
  if (words.size() < 9) return false;
  const WordList* best = nullptr;
  std::size_t best_known = 0;
  std::vector<std::size_t> known_in;
  for (const WordList& list : word_lists()) {
    const auto known = static_cast<std::size_t>(std::count_if(words.begin(), words.end(), [&](const Word& w) { return list.index_of(w.text) >= 0; }));
    // Words shared by two lists (Chinese, French and English) are settled by the checksum.
    bool better = known > best_known;
    if (known == best_known && known == words.size() && best != nullptr) {
      std::vector<int> a, b;
      for (const Word& w : words) {
        a.push_back(best->index_of(w.text));
        b.push_back(list.index_of(w.text));
      }
      better = !mnemonic_entropy(a) && mnemonic_entropy(b);
    }
    if (better) {
      best = &list;
      best_known = known;
    }
  }
  if (best == nullptr || best_known * 2 < words.size()) {
    // 20 or 33 words of SLIP-39, 25 of Monero: lists of their own. Prose rarely has exactly so many and no punctuation.
    if (words.size() == 20 || words.size() == 33 || words.size() == 25) {
      run.seems_private = true;
      run.notes.add(Cause::mnemonic_is_of_another_scheme, text.place(0, text.size()), words.size() == 25 ? "25 words, as Monero has" : "as many words as SLIP-39 has");
      return true;
    }
    return false;
  }
  run.seems_private = true;
  const Place whole = text.place(0, text.size());
  std::size_t unknown = 0;
  std::size_t elsewhere = 0;
  std::vector<int> indices;
  Text phrase;
  for (std::size_t i = 0; i < words.size(); ++i) {
    if (!phrase.empty()) phrase.push_back(' ');
    phrase.append(words[i].text);
    const int index = best->index_of(words[i].text);
    indices.push_back(index);
    if (index >= 0) continue;
    ++unknown;
    const bool other = std::any_of(word_lists().begin(), word_lists().end(), [&](const WordList& list) { return list.index_of(words[i].text) >= 0; });
    if (other) ++elsewhere;
  }
  if (unknown != 0 && elsewhere * 2 >= unknown && elsewhere >= 1) {
    run.notes.add(Cause::mnemonic_mixes_languages, whole, "mostly " + std::string(best->language));
    return true;
  }
  if (unknown != 0) {
    for (std::size_t i = 0; i < words.size(); ++i) {
      if (indices[i] >= 0) continue;
      // Positions only: what the word might have been narrows a secret down and is for the owner's eyes, by index.
      const auto near = nearest_words(*best, words[i].text, 5);
      run.notes.add(Cause::mnemonic_word_is_unknown, text.place(words[i].begin, words[i].end),
                    "word " + std::to_string(i + 1) + " of " + std::to_string(words.size()) + " (" + std::string(best->language) + "); " + std::to_string(near.size()) + " words of the list are close to it");
    }
    return true;
  }
  if (words.size() % 3 != 0 || words.size() < 12 || words.size() > 24) {
    const bool electrum = words.size() == 13 && is_electrum_seed(phrase);
    run.notes.add(electrum ? Cause::mnemonic_is_of_another_scheme : Cause::mnemonic_word_count_is_wrong, whole,
                  electrum ? "Electrum" : std::to_string(words.size()) + " words (" + std::string(best->language) + ")");
    return true;
  }
  const auto entropy = mnemonic_entropy(indices);
  if (!entropy) {
    if (is_electrum_seed(phrase)) {
      run.notes.add(Cause::mnemonic_is_of_another_scheme, whole, "Electrum");
      return true;
    }
    std::size_t swaps = 0;
    for (std::size_t i = 0; i + 1 < indices.size(); ++i) {
      if (indices[i] == indices[i + 1]) continue;
      std::swap(indices[i], indices[i + 1]);
      if (mnemonic_entropy(indices)) ++swaps;
      std::swap(indices[i], indices[i + 1]);
    }
    run.notes.add(Cause::mnemonic_checksum_is_wrong, whole, std::to_string(words.size()) + " words (" + std::string(best->language) + "); exchanging two neighbours would mend it in " + std::to_string(swaps) + " places");
    return true;
  }
  if (!normalised) run.notes.add(Cause::mnemonic_is_not_normalised, whole);
  Item item;
  item.kind = Kind::mnemonic;
  item.format = "bip39";
  item.name = std::string(best->language) + ", " + std::to_string(words.size()) + " words";
  item.bits = static_cast<unsigned>(entropy->size() * 8);
  item.canonical = to_secret(bytes_of(phrase));
  item.place = whole;
  run.add(std::move(item));
  return true;
}

namespace {

// --- extended keys and WIF -------------------------------------------------------------------------------------------------

bool examine_extended(Examination& run, const Traced& text) {
  const std::string_view view = text.view();
  if (view.size() < 90 || view.size() > 125 || view.substr(1, 1) != "p" || std::string_view("xyztuvXYZTUV").find(view[0]) == std::string_view::npos) return false;
  const std::string_view half = view.substr(1, 3);
  if (half != "pub" && half != "prv") return false;
  const Place place = text.place(0, text.size());
  if (half == "prv") run.seems_private = true;
  std::string why;
  auto key = read_extended_key(view, why);
  if (!key) {
    run.notes.add(Cause::extended_key_is_damaged, place, why);
    return true;
  }
  if (key->is_private) run.seems_private = true;
  if (key->script != "p2pkh") run.notes.add(Cause::extended_key_has_slip132_prefix, place, std::string(view.substr(0, 4)) + " means " + std::string(key->script));
  if (key->depth == 0 && !key->is_private) run.notes.add(Cause::extended_key_is_master, place);
  if (key->is_test) run.notes.add(Cause::extended_key_is_for_a_test_network, place);
  Item item;
  item.kind = key->is_private ? Kind::extended_private_key : Kind::extended_public_key;
  item.format = "bip32";
  item.algorithm = "EC";
  item.curve = "secp256k1";
  item.bits = 256;
  item.script = key->script;
  item.name = "depth " + std::to_string(key->depth) + ", " + std::string(key->script) + (key->is_test ? ", test network" : "");
  const Text canonical = to_text(*key);
  item.canonical = to_secret(bytes_of(canonical));
  item.place = place;
  run.add(std::move(item));
  return true;
}

bool examine_wif(Examination& run, const Traced& text) {
  const std::string_view view = text.view();
  if (view.size() < 50 || view.size() > 53 || !is_base58(view)) return false;
  const char first = view[0];
  if (std::string_view("5KL9cT6Q").find(first) == std::string_view::npos) return false;
  const Place place = text.place(0, text.size());
  const auto payload = from_base58check(view);
  if (!payload) {
    if (first == 'T' || first == '6' || first == 'Q') return false;
    run.seems_private = true;
    run.notes.add(Cause::wif_is_damaged, place, std::to_string(view.size()) + " characters; the checksum fails");
    return true;
  }
  const std::uint8_t version = (*payload)[0];
  const bool compressed = payload->size() == 34 && payload->back() == 1;
  if (payload->size() != 33 && !compressed) return false;
  run.seems_private = true;
  const bool test = version == 0xEF;
  if (test) run.notes.add(Cause::wif_is_for_a_test_network, place);
  if (version != 0x80 && !test && version != 0xB0 && version != 0x9E) {
    run.notes.add(Cause::wif_is_damaged, place, "an unknown network prefix");
    return true;
  }
  add_wallet_key(run, place, "wif", *curve_of_name("secp256k1"), ByteView(*payload).subspan(1, 32), compressed ? "compressed" : "uncompressed");
  if (!run.items.empty() && run.items.back().format == "wif") {
    run.items.back().script = compressed ? "" : "p2pkh_uncompressed";
    run.items.back().network = test ? "bitcoin_test" : version == 0xB0 ? "litecoin" : version == 0x9E ? "dogecoin" : "bitcoin";
  }
  return true;
}

// --- other chains ----------------------------------------------------------------------------------------------------------

// EOSIO: base58 with the first four bytes of RIPEMD-160 over key and suffix.
bool examine_eos(Examination& run, const Traced& text) {
  const std::string_view view = text.view();
  struct Prefix {
    std::string_view text, suffix, curve;
    bool is_private;
  };
  static constexpr Prefix prefixes[] = {{"PVT_K1_", "K1", "secp256k1", true}, {"PVT_R1_", "R1", "P-256", true}, {"PUB_K1_", "K1", "secp256k1", false},
                                        {"PUB_R1_", "R1", "P-256", false},    {"EOS", "", "secp256k1", false}};
  for (const Prefix& prefix : prefixes) {
    if (!view.starts_with(prefix.text) || !is_base58(view.substr(prefix.text.size())) || view.size() < 45 || view.size() > 70) continue;
    const Place place = text.place(0, text.size());
    if (prefix.is_private) run.seems_private = true;
    const auto bytes = from_base58(view.substr(prefix.text.size()));
    const std::size_t width = prefix.is_private ? 32 : 33;
    bool good = bytes && bytes->size() == width + 4;
    if (good) {
      Secret message = to_secret(ByteView(*bytes).first(width));
      message.insert(message.end(), prefix.suffix.begin(), prefix.suffix.end());
      const Secret check = digest(Hash::ripemd160, message);
      good = std::equal(check.begin(), check.begin() + 4, bytes->begin() + static_cast<std::ptrdiff_t>(width));
    }
    if (!good) {
      run.notes.add(prefix.is_private ? Cause::wif_is_damaged : Cause::address_checksum_is_wrong, place, "an EOS key whose checksum fails");
      return true;
    }
    const Curve& curve = *curve_of_name(prefix.curve);
    if (prefix.is_private) {
      add_wallet_key(run, place, "eos", curve, ByteView(*bytes).first(32), {});
      return true;
    }
    const Content content = content_of(text, 0, {});
    const Desk desk{content, run.notes};
    Key key;
    key.type = KeyType::ec;
    key.curve = &curve;
    if (read_point(ByteView(*bytes).first(33), curve, 0, desk, key)) run.add_key(std::move(key), "eos", std::string(view), desk);
    return true;
  }
  return false;
}

bool examine_hex_address(Examination& run, const Traced& text) {
  const std::string_view view = text.view();
  if (!view.starts_with("0x") && !view.starts_with("0X")) return false;
  const std::string_view digits = view.substr(2);
  if (digits.size() < 36 || digits.size() > 72 || !std::all_of(digits.begin(), digits.end(), [](unsigned char c) { return std::isxdigit(c) != 0; })) return false;
  const Place place = text.place(0, text.size());
  if (digits.size() >= 60 && digits.size() != 64 && digits.size() != 66) {
    run.seems_private = true;
    run.notes.add(Cause::wallet_key_is_out_of_range, place, std::to_string(digits.size()) + " digits; a private key has 64");
    return true;
  }
  if (digits.size() > 44) return false;
  if (digits.size() != 40) {
    run.notes.add(Cause::address_checksum_is_wrong, place, std::to_string(digits.size()) + " digits; an address has 40");
    return true;
  }
  const bool lower = std::none_of(digits.begin(), digits.end(), [](unsigned char c) { return std::isupper(c) != 0; });
  const bool upper = std::none_of(digits.begin(), digits.end(), [](unsigned char c) { return std::islower(c) != 0; });
  const std::string proper = eip55(digits);
  if (lower || upper) {
    run.notes.add(Cause::address_has_no_checksum, place);
  } else if (proper != digits) {
    run.notes.add(Cause::address_checksum_is_wrong, place, "the letter case does not fit (EIP-55)");
    return true;
  }
  add_address(run, place, "ethereum", "0x" + proper);
  return true;
}

bool examine_bech32(Examination& run, const Traced& text) {
  std::string view(text.view());
  if (view.size() < 14 || view.size() > 110) return false;
  std::string low = view;
  std::transform(low.begin(), low.end(), low.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  const bool known = low.starts_with("bc1") || low.starts_with("tb1") || low.starts_with("bcrt1") || low.starts_with("ltc1") || low.starts_with("cosmos1");
  if (!known) return false;
  const Place place = text.place(0, text.size());
  const auto decoded = from_bech32(view);
  if (!decoded) {
    run.notes.add(Cause::address_checksum_is_wrong, place, low != view && view.find_first_of("abcdefghijklmnopqrstuvwxyz") != std::string::npos ? "letter cases are mixed" : "the bech32 checksum fails");
    return true;
  }
  if (decoded->prefix == "cosmos") {
    add_address(run, place, "cosmos", low);
    return true;
  }
  if (decoded->values.empty() || decoded->values[0] > 16) {
    run.notes.add(Cause::address_checksum_is_wrong, place, "the witness version is impossible");
    return true;
  }
  const std::uint8_t version = decoded->values[0];
  if ((version == 0) == decoded->is_m) {
    run.notes.add(Cause::address_encoding_is_of_wrong_version, place, "witness version " + std::to_string(version));
    return true;
  }
  const auto program = from_groups(ByteView(decoded->values).subspan(1));
  if (!program || program->size() < 2 || program->size() > 40 || (version == 0 && program->size() != 20 && program->size() != 32)) {
    run.notes.add(Cause::address_checksum_is_wrong, place, "the witness program has an impossible length");
    return true;
  }
  add_address(run, place, decoded->prefix == "ltc" ? "litecoin" : decoded->prefix == "bc" ? "bitcoin" : "bitcoin_test", low);
  return true;
}

bool examine_base58_text(Examination& run, const Traced& text) {
  const std::string_view view = text.view();
  if (!is_base58(view)) return false;
  const Place place = text.place(0, text.size());
  if (view.size() >= 85 && view.size() <= 90) {
    const auto bytes = from_base58(view);
    if (bytes && bytes->size() == 64 && okp_public(KeyType::ed25519, ByteView(*bytes).first(32)) == to_secret(ByteView(*bytes).subspan(32))) {
      const Content content = content_of(text, 0, {});
      const Desk desk{content, run.notes};
      Key key;
      key.type = KeyType::ed25519;
      key.is_private = true;
      key.seed = to_secret(ByteView(*bytes).first(32));
      key.pub = to_secret(ByteView(*bytes).subspan(32));
      run.notes.add(Cause::bare_key_bits_given, place, "a Solana private key in base58");
      run.add_key(std::move(key), "solana", {}, desk);
      return true;
    }
  }
  if (view.size() < 25 || view.size() > 36) return false;
  const std::string_view firsts = "13T2mnLMD";
  if (firsts.find(view[0]) == std::string_view::npos) return false;
  const auto payload = from_base58check(view);
  const auto bytes = from_base58(view);
  if (!payload) {
    if (!bytes || bytes->size() != 25 || (view.size() != 34 && view.size() != 33)) return false;
    run.notes.add(Cause::address_checksum_is_wrong, place, "the base58 checksum fails");
    return true;
  }
  if (payload->size() != 21) return false;
  struct Network {
    std::uint8_t version;
    std::string_view name;
  };
  static constexpr Network networks[] = {{0x00, "bitcoin"}, {0x05, "bitcoin"}, {0x6F, "bitcoin_test"}, {0xC4, "bitcoin_test"}, {0x41, "tron"}, {0x30, "litecoin"}, {0x32, "litecoin"}, {0x1E, "dogecoin"}};
  for (const Network& network : networks) {
    if (network.version != (*payload)[0]) continue;
    add_address(run, place, std::string(network.name), view);
    return true;
  }
  return false;
}

}  // namespace

bool examine_wallet_text(Examination& run, const Traced& text) {
  if (text.view().find_first_of(" \n\t") != std::string_view::npos) return false;
  return examine_extended(run, text) || examine_eos(run, text) || examine_wif(run, text) || examine_hex_address(run, text) || examine_bech32(run, text) ||
         examine_base58_text(run, text);
}

}  // namespace intake
