#include "intake/wallet_paths.h"

#include <algorithm>
#include <string>

#include "intake/doctor.h"
#include "intake/wallet_codes.h"

#include <doctest/doctest.h>

using namespace intake;

namespace {

// The phrase that BIP-84 and BIP-86 give their vectors for.
constexpr std::string_view phrase = "abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon about";

WalletAddresses look(std::string_view text, std::string_view expected = {}, std::string_view passphrase = {}) {
  const Report report = examine(base::as_bytes(text), {});
  REQUIRE(report.usable);
  return wallet_addresses(*report.item(), passphrase, expected);
}

const WalletAddress& at(const WalletAddresses& found, std::string_view network, std::string_view path, std::string_view scheme) {
  const auto one = std::find_if(found.addresses.begin(), found.addresses.end(), [&](const WalletAddress& address) {
    return address.network == network && address.path == path && address.scheme == scheme;
  });
  REQUIRE(one != found.addresses.end());
  return *one;
}

}  // namespace

TEST_CASE("A phrase gives the addresses that BIP-44, 49, 84 and 86 publish for it") {
  const WalletAddresses found = look(phrase);
  CHECK_EQ(at(found, "bitcoin", "m/44'/0'/0'/0/0", "bip44").address, "1LqBGSKuX5yYUonjxT5qGfpUsXKYYWeabA");
  CHECK_EQ(at(found, "bitcoin", "m/49'/0'/0'/0/0", "bip49").address, "37VucYSaXLCAsxYyAPfbSi9eh4iEcbShgf");
  // BIP-84 and BIP-86, test vectors.
  CHECK_EQ(at(found, "bitcoin", "m/84'/0'/0'/0/0", "bip84").address, "bc1qcr8te4kr609gcawutmrza0j4xv80jy8z306fyu");
  CHECK_EQ(at(found, "bitcoin", "m/84'/0'/0'/0/1", "bip84").address, "bc1qnjg0jd8228aq7egyzacy8cys3knf9xvrerkf9g");
  CHECK_EQ(at(found, "bitcoin", "m/86'/0'/0'/0/0", "bip86").address, "bc1p5cyxnuxmeuwuvkwfem96lqzszd02n6xdcjrs20cac6yqjjwudpxqkedrcr");
  CHECK_EQ(at(found, "bitcoin", "m/86'/0'/0'/0/1", "bip86").address, "bc1p4qhjn9zdvkux4e44uhx8tc55attvtyu358kutcqkudyccelu0was9fqzwh");
  CHECK_EQ(at(found, "bitcoin", "m/86'/0'/0'/0/0", "bip86").account_key,
           "xpub6BgBgsespWvERF3LHQu6CnqdvfEvtMcQjYrcRzx53QJjSxarj2afYWcLteoGVky7D3UKDP9QyrLprQ3VCECoY49yfdDEHGCtMMj92pReUsQ");
  CHECK_EQ(at(found, "ethereum", "m/44'/60'/0'/0/0", "bip44").address, "0x9858EfFD232B4033E47d90003D41EC34EcaEda94");
  CHECK(at(found, "tron", "m/44'/195'/0'/0/0", "bip44").address.starts_with("T"));
  CHECK(at(found, "litecoin", "m/84'/2'/0'/0/0", "bip84").address.starts_with("ltc1q"));
  CHECK(at(found, "dogecoin", "m/44'/3'/0'/0/0", "bip44").address.starts_with("D"));
  CHECK(at(found, "cosmos", "m/44'/118'/0'/0/0", "bip44").address.starts_with("cosmos1"));
  CHECK_FALSE(found.expected.has_value());
  CHECK_EQ(found.tried, found.addresses.size());
}

TEST_CASE("Every address that is made is one the doctor reads without a finding") {
  for (const WalletAddress& one : look(phrase).addresses) {
    CAPTURE(one.address);
    Expectations expected;
    expected.kind = Kind::address;
    const Report report = examine(base::as_bytes(one.address), expected);
    REQUIRE(report.usable);
    CHECK(report.findings.empty());
    CHECK_FALSE(one.spki.empty());
    CHECK_FALSE(one.account_key.empty());
  }
}

TEST_CASE("An expected address is found where no address is shown, and not found with the number of those tried") {
  // BIP-84: the first change address.
  const WalletAddresses change = look(phrase, "BC1Q8C6FSHW2DLWUN7EKN9QWF37CU2RN755UPCP6EL");
  REQUIRE(change.expected.has_value());
  CHECK_EQ(change.addresses[*change.expected].path, "m/84'/0'/0'/1/0");
  CHECK_EQ(change.addresses.size(), look(phrase).addresses.size() + 1);

  const WalletAddresses shown = look(phrase, "0x9858effd232b4033e47d90003d41ec34ecaeda94");
  REQUIRE(shown.expected.has_value());
  CHECK_EQ(shown.addresses[*shown.expected].path, "m/44'/60'/0'/0/0");

  const WalletAddresses missing = look(phrase, "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4");
  CHECK_FALSE(missing.expected.has_value());
  CHECK(missing.tried > wallet_accounts_searched * wallet_indices_searched);
  CHECK(missing.tried <= wallet_addresses_max);
  // With another passphrase it is another wallet.
  CHECK_FALSE(look(phrase, "0x9858effd232b4033e47d90003d41ec34ecaeda94", "TREZOR").expected.has_value());
}

TEST_CASE("The extended public key of an account gives the same addresses, by what its prefix says") {
  // BIP-84, test vectors: the account's key.
  const WalletAddresses segwit = look("zpub6rFR7y4Q2AijBEqTUquhVz398htDFrtymD9xYYfG1m4wAcvPhXNfE3EfH1r1ADqtfSdVCToUG868RvUUkgDKf31mGDtKsAYz2oz2AGutZYs",
                                      "bc1q8c6fshw2dlwun7ekn9qwf37cu2rn755upcp6el");
  CHECK_EQ(at(segwit, "bitcoin", "0/0", "bip84").address, "bc1qcr8te4kr609gcawutmrza0j4xv80jy8z306fyu");
  REQUIRE(segwit.expected.has_value());
  CHECK_EQ(segwit.addresses[*segwit.expected].path, "1/0");
  CHECK(std::all_of(segwit.addresses.begin(), segwit.addresses.end(), [](const WalletAddress& one) { return one.scheme == "bip84"; }));
  // BIP-86's account as xpub: any script may be meant.
  const WalletAddresses plain = look("xpub6BgBgsespWvERF3LHQu6CnqdvfEvtMcQjYrcRzx53QJjSxarj2afYWcLteoGVky7D3UKDP9QyrLprQ3VCECoY49yfdDEHGCtMMj92pReUsQ");
  CHECK_EQ(at(plain, "bitcoin", "0/0", "bip86").address, "bc1p5cyxnuxmeuwuvkwfem96lqzszd02n6xdcjrs20cac6yqjjwudpxqkedrcr");
  CHECK(at(plain, "bitcoin", "0/0", "bip44").address.starts_with("1"));
}

TEST_CASE("A single key gives one address of each kind; one in uncompressed form only its own") {
  // The number 1 in both forms.
  const WalletAddresses compressed = look("KwDiBf89QgGbjEhKnhXJuH7LrciVrZi3qYjgd9M7rFU73sVHnoWn");
  CHECK_EQ(compressed.addresses.front().address, "1BgGZ9tcN4rm9KBzDn7KprQz87SZ26SAMH");
  CHECK(std::any_of(compressed.addresses.begin(), compressed.addresses.end(),
                    [](const WalletAddress& one) { return one.address == "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4"; }));
  CHECK(compressed.addresses.front().account_key.empty());
  CHECK_FALSE(compressed.addresses.front().spki.empty());
  const WalletAddresses plain = look("5HpHagT65TZzG1PH3CSu63k8DbpvD8s5ip4nEB3kEsreAnchuDf");
  REQUIRE(plain.addresses.size() == 1);
  CHECK_EQ(plain.addresses.front().address, "1EHNa6Q4Jz2uvNExL497mE43ikXhwF6kZm");
}

TEST_CASE("What is no wallet has no addresses") {
  const Report report = examine(base::as_bytes("0x9858EfFD232B4033E47d90003D41EC34EcaEda94"), {});
  REQUIRE(report.usable);
  CHECK(wallet_addresses(*report.item(), {}, {}).addresses.empty());
  Item strange;
  strange.kind = Kind::wallet_private_key;
  strange.format = "eos";
  strange.curve = "secp256k1";
  strange.canonical = Secret(32, 1);
  CHECK(wallet_addresses(strange, {}, {}).addresses.empty());
}
