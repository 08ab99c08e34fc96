#include "intake/wallet_paths.h"

#include <algorithm>
#include <cctype>

#include "base/text.h"
#include "crypto/hash.h"
#include "crypto/keccak.h"
#include "intake/curve.h"
#include "intake/extended_key.h"
#include "intake/key.h"
#include "intake/mnemonic.h"
#include "intake/number.h"
#include "intake/opening.h"
#include "intake/wallet_codes.h"

namespace intake {
namespace {

using base::ByteView;

constexpr std::uint32_t hardened = 0x80000000u;

enum class Form : std::uint8_t { p2pkh, p2pkh_uncompressed, p2sh_p2wpkh, p2wpkh, p2tr, evm, tron, cosmos };

struct Network {
  std::string_view name;
  std::uint32_t coin;               // SLIP-44
  std::uint8_t p2pkh, p2sh;         // versions of base58check
  std::string_view segwit;          // prefix of bech32
};
constexpr Network networks[] = {
    {"bitcoin", 0, 0x00, 0x05, "bc"},   {"bitcoin_test", 1, 0x6F, 0xC4, "tb"}, {"litecoin", 2, 0x30, 0x32, "ltc"}, {"dogecoin", 3, 0x1E, 0x16, ""},
    {"ethereum", 60, 0, 0, ""},         {"tron", 195, 0x41, 0, ""},            {"cosmos", 118, 0, 0, "cosmos"},
};

// `chains` of accounts, then indices; a flat one has the index where others have the chain (the first releases of Ledger and MEW).
struct Scheme {
  std::string_view name;
  std::string_view network;
  std::uint32_t purpose;
  Form form;
  std::string_view script;   // an extended key with this SLIP-132 prefix may be of it
  bool is_flat = false;
};
constexpr Scheme schemes[] = {
    {"bip44", "bitcoin", 44, Form::p2pkh, "p2pkh"},
    {"bip49", "bitcoin", 49, Form::p2sh_p2wpkh, "p2sh-p2wpkh"},
    {"bip84", "bitcoin", 84, Form::p2wpkh, "p2wpkh"},
    {"bip86", "bitcoin", 86, Form::p2tr, ""},
    {"bip44", "ethereum", 44, Form::evm, ""},
    {"ledger_legacy", "ethereum", 44, Form::evm, "", true},
    {"bip44", "tron", 44, Form::tron, ""},
    {"bip44", "litecoin", 44, Form::p2pkh, ""},
    {"bip84", "litecoin", 84, Form::p2wpkh, ""},
    {"bip44", "dogecoin", 44, Form::p2pkh, ""},
    {"bip44", "cosmos", 44, Form::cosmos, ""},
    {"bip44", "bitcoin_test", 44, Form::p2pkh, "p2pkh"},
    {"bip49", "bitcoin_test", 49, Form::p2sh_p2wpkh, "p2sh-p2wpkh"},
    {"bip84", "bitcoin_test", 84, Form::p2wpkh, "p2wpkh"},
    {"bip86", "bitcoin_test", 86, Form::p2tr, ""},
};

const Network& network_of(std::string_view name) {
  return *std::find_if(std::begin(networks), std::end(networks), [&](const Network& network) { return network.name == name; });
}

const Curve& curve() { return *curve_of_name("secp256k1"); }

// --- addresses of a public key ----------------------------------------------------------------------------------------------

Key key_of_point(ByteView compressed) {
  Key key;
  key.type = KeyType::ec;
  key.curve = &curve();
  key.x = to_secret(compressed.subspan(1));
  key.y = decompress(curve(), key.x, compressed[0] == 3).value_or(Secret{});
  return key;
}

Secret compressed_point(ByteView scalar) {
  const Point point = public_point(curve(), scalar);
  Secret out(1, (point.y.back() & 1) != 0 ? 3 : 2);
  out.insert(out.end(), point.x.begin(), point.x.end());
  return out;
}

Secret hash160(ByteView bytes) { return digest(Hash::ripemd160, digest(Hash::sha256, bytes)); }

std::string base58_address(std::uint8_t version, ByteView hash) {
  Secret payload(1, version);
  payload.insert(payload.end(), hash.begin(), hash.end());
  return std::string(std::string_view(to_base58check(payload)));
}

std::string segwit_address(std::string_view prefix, std::uint8_t version, ByteView program) {
  Secret groups(1, version);
  const Secret rest = to_groups(program);
  groups.insert(groups.end(), rest.begin(), rest.end());
  return to_bech32(prefix, groups, version != 0);
}

// BIP-341: the internal key with an even y, tweaked by a tagged hash of itself.
std::string taproot_address(std::string_view prefix, ByteView point) {
  const base::Digest tag = crypto::sha256(base::as_bytes("TapTweak"));
  Secret message(tag.begin(), tag.end());
  message.insert(message.end(), tag.begin(), tag.end());
  message.insert(message.end(), point.begin() + 1, point.end());
  Secret even = to_secret(point);
  even[0] = 2;
  const Number tweak(ByteView(crypto::sha256(message)));
  const auto output = add_multiple(curve(), even, tweak);
  return output ? segwit_address(prefix, 1, ByteView(*output).subspan(1)) : std::string();
}

// The last 20 bytes of Keccak-256 over X and Y.
Secret account_hash(ByteView point) {
  const Key key = key_of_point(point);
  Secret both = key.x;
  both.insert(both.end(), key.y.begin(), key.y.end());
  const base::Digest digest = crypto::keccak256(both);
  return Secret(digest.begin() + 12, digest.end());
}

// `point`: compressed.
std::string address_of(Form form, const Network& network, ByteView point) {
  switch (form) {
    case Form::p2pkh: return base58_address(network.p2pkh, hash160(point));
    case Form::p2pkh_uncompressed: {
      const Key key = key_of_point(point);
      return base58_address(network.p2pkh, hash160(uncompressed({key.x, key.y})));
    }
    case Form::p2sh_p2wpkh: {
      Secret script = {0x00, 0x14};
      const Secret hash = hash160(point);
      script.insert(script.end(), hash.begin(), hash.end());
      return base58_address(network.p2sh, hash160(script));
    }
    case Form::p2wpkh: return segwit_address(network.segwit, 0, hash160(point));
    case Form::p2tr: return taproot_address(network.segwit, point);
    case Form::evm: return "0x" + eip55(base::to_hex(account_hash(point)));
    case Form::tron: return base58_address(network.p2pkh, account_hash(point));
    case Form::cosmos: return to_bech32(network.segwit, to_groups(hash160(point)), false);
  }
  return {};
}

// How an address of a form begins, so that an expected one is not looked for where it cannot be.
bool may_be(Form form, const Network& network, std::string_view address) {
  const auto segwit = [&](char version) {
    const std::string start = std::string(network.segwit) + "1" + version;
    return address.starts_with(start);
  };
  switch (form) {
    case Form::p2wpkh: return segwit('q');
    case Form::p2tr: return segwit('p');
    case Form::evm: return address.starts_with("0x");
    case Form::cosmos: return address.starts_with("cosmos1");
    default: break;
  }
  const auto payload = from_base58check(address);
  const std::uint8_t version = form == Form::p2sh_p2wpkh ? network.p2sh : network.p2pkh;
  return payload && payload->size() == 21 && payload->front() == version;
}

// Hexadecimal and bech32 in lower case; base58 as it is.
std::string folded(std::string_view address) {
  std::string lower(address);
  std::transform(lower.begin(), lower.end(), lower.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  const bool is_insensitive = lower.starts_with("0x") || from_bech32(address).has_value();
  return is_insensitive ? lower : std::string(address);
}

// --- the search -------------------------------------------------------------------------------------------------------------

class Search {
 public:
  explicit Search(std::string_view expected) : expected_(folded(expected)) {}

  /// All schemes of the networks that the key is for, from its accounts down.
  void from_master(const ExtendedKey& master) {
    for (const Scheme& scheme : schemes) {
      if ((scheme.network == "bitcoin_test") != master.is_test) continue;
      const std::uint32_t accounts = is_wanted(scheme) ? wallet_accounts_searched : 1;
      for (std::uint32_t account = 0; account < accounts; ++account) try_account(scheme, master, account);
    }
  }
  /// An account's key or one below it: everything its prefix may stand for.
  void from_account(const ExtendedKey& key) {
    for (const Scheme& scheme : schemes) {
      if ((scheme.network == "bitcoin_test") != key.is_test || scheme.is_flat) continue;
      // Prefixes of SLIP-132 say which script it is; the plain one is used for all of them.
      if (key_script_ != "p2pkh" && scheme.script != key_script_) continue;
      WalletAddress draft = draft_of(scheme, "", neutered(key));
      if (key.depth == 4) try_chain(scheme, neutered(key), "", 0, draft);
      else try_chains(scheme, neutered(key), "", 0, draft);
    }
  }
  void from_point(const Item& item, ByteView point) {
    for (const Network& network : networks) {
      for (const Form form : forms_of(item, network)) {
        WalletAddress one{.scheme = "single_key", .network = network.name, .path = {}, .address = {}, .account_path = {}, .account_key = {}, .spki = {}, .thumbprint = {}};
        describe(one, point);
        take(form, network, point, std::move(one), true);
      }
    }
  }
  void read_script(std::string_view script) { key_script_ = script; }
  WalletAddresses finish() { return std::move(found_); }

 private:
  static void describe(WalletAddress& one, ByteView point) {
    const Key key = key_of_point(point);
    one.spki = base::to_bytes(to_spki(key));
    one.thumbprint = jwk_thumbprint(key);
  }

  static std::vector<Form> forms_of(const Item& item, const Network& network) {
    if (item.format == "eos") return {};
    if (item.format == "ethereum_v3") return network.name == "ethereum" ? std::vector{Form::evm} : std::vector<Form>{};
    const bool is_home = item.network.empty() ? network.name == "bitcoin" : network.name == item.network;
    if (is_home && item.script == "p2pkh_uncompressed") return {Form::p2pkh_uncompressed};
    if (is_home && network.segwit.empty()) return {Form::p2pkh};
    if (is_home) return {Form::p2pkh, Form::p2sh_p2wpkh, Form::p2wpkh, Form::p2tr};
    if (!item.network.empty()) return {};
    if (network.name == "ethereum") return {Form::evm};
    if (network.name == "tron") return {Form::tron};
    return {};
  }

  bool is_wanted(const Scheme& scheme) const { return !expected_.empty() && !found_.expected && may_be(scheme.form, network_of(scheme.network), expected_); }

  static WalletAddress draft_of(const Scheme& scheme, std::string account_path, const ExtendedKey& account) {
    WalletAddress draft{.scheme = scheme.name,
                        .network = scheme.network,
                        .path = {},
                        .address = {},
                        .account_path = std::move(account_path),
                        .account_key = std::string(std::string_view(to_text(account))),
                        .spki = {},
                        .thumbprint = {}};
    describe(draft, account.key);
    return draft;
  }

  void try_account(const Scheme& scheme, const ExtendedKey& master, std::uint32_t account) {
    const Network& network = network_of(scheme.network);
    std::optional<ExtendedKey> key = master;
    for (const std::uint32_t step : {scheme.purpose, network.coin, account}) {
      if (key) key = derive_child(*key, hardened + step);
    }
    if (!key) return;
    const std::string path = "m/" + std::to_string(scheme.purpose) + "'/" + std::to_string(network.coin) + "'/" + std::to_string(account) + "'";
    const ExtendedKey open = neutered(*key);
    const WalletAddress draft = draft_of(scheme, path, open);
    if (scheme.is_flat) try_chain(scheme, open, path + "/", account, draft);
    else try_chains(scheme, open, path + "/", account, draft);
  }

  void try_chains(const Scheme& scheme, const ExtendedKey& account_key, const std::string& prefix, std::uint32_t account, const WalletAddress& draft) {
    for (std::uint32_t chain = 0; chain < 2; ++chain) {
      if (chain == 1 && !is_wanted(scheme)) return;
      const auto key = derive_child(account_key, chain);
      if (key) try_chain(scheme, *key, prefix + std::to_string(chain) + "/", account + chain, draft);
    }
  }

  // `distance`: 0 for what is shown, the receiving addresses of the first account.
  void try_chain(const Scheme& scheme, const ExtendedKey& chain, const std::string& prefix, std::uint32_t distance, const WalletAddress& draft) {
    const std::uint32_t shown = distance == 0 ? wallet_addresses_shown : 0;
    for (std::uint32_t index = 0; index < wallet_indices_searched; ++index) {
      if ((index >= shown && !is_wanted(scheme)) || found_.tried >= wallet_addresses_max) return;
      const auto key = derive_child(chain, index);
      if (!key) continue;
      WalletAddress one = draft;
      one.path = prefix + std::to_string(index);
      take(scheme.form, network_of(scheme.network), key->key, std::move(one), index < shown);
    }
  }

  void take(Form form, const Network& network, ByteView point, WalletAddress&& one, bool is_shown) {
    one.address = address_of(form, network, point);
    ++found_.tried;
    const bool is_expected = !found_.expected && !expected_.empty() && folded(one.address) == expected_;
    if (!is_expected && !is_shown) return;
    if (is_expected) found_.expected = found_.addresses.size();
    found_.addresses.push_back(std::move(one));
  }

  const std::string expected_;
  std::string_view key_script_ = "p2pkh";
  WalletAddresses found_;
};

}  // namespace

bool is_same_address(std::string_view a, std::string_view b) { return folded(a) == folded(b); }

WalletAddresses wallet_addresses(const Item& item, std::string_view passphrase, std::string_view expected) {
  Search search(expected);
  if (item.kind == Kind::mnemonic) {
    const auto salt = nfkd(passphrase);
    const auto master = salt ? master_key(mnemonic_seed(base::as_text(item.canonical), *salt)) : std::nullopt;
    if (master) search.from_master(*master);
  } else if (item.kind == Kind::extended_private_key || item.kind == Kind::extended_public_key) {
    std::string why;
    const auto key = read_extended_key(base::as_text(item.canonical), why);
    if (!key) return {};
    search.read_script(item.script);
    if (key->depth == 0 && key->is_private) search.from_master(*key);
    else if (key->depth <= 4) search.from_account(*key);
    else search.from_point(item, neutered(*key).key);
  } else if (item.kind == Kind::wallet_private_key && item.curve == "secp256k1" && item.canonical.size() == 32) {
    search.from_point(item, compressed_point(item.canonical));
  }
  return search.finish();
}

}  // namespace intake
