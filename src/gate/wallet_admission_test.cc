// Wallets through the gate.

// clang-format off
#include "base/text.h"
#include "crypto/hash.h"
#include "gate/gate_fixture.h"
// clang-format on

using namespace gate;

namespace {

constexpr std::string_view phrase = "abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon about";
constexpr std::string_view first_segwit = "bc1qcr8te4kr609gcawutmrza0j4xv80jy8z306fyu";   // BIP-84, test vectors
const std::string id = "wi_" + std::string(32, 'a');

// Knows one wallet, until it is told that its time is over.
struct OneWallet : WalletBook {
  DerivedWallet derived = derive_wallet(base::as_bytes(phrase), {}, {}, {});
  bool is_over = false;
  ConfirmedWallet find(model::TenantNumber tenant, std::string_view asked, std::string_view address) const override {
    if (tenant != 1 || asked != id) return {};
    if (is_over) return {.verdict = model::ImportVerdict::wallet_expired, .partner = "ann", .wallet = "main"};
    return confirm_wallet(derived, "ann", "main", address);
  }
};

std::string derivation(std::string_view more = {}) {
  return R"({"partner":"ann","wallet":"main","material":")" + std::string(phrase) + "\"" + std::string(more) + "}";
}

const model::Admitted& admitted(const Admission& admission) {
  REQUIRE_MESSAGE(std::holds_alternative<model::Admitted>(admission), Fixture::told(admission));
  return std::get<model::Admitted>(admission);
}

const model::ImportKey& command(const Admission& admission) { return std::get<model::ImportKey>(admitted(admission).commands.at(0).body); }

Admission confirm(Fixture& f, std::string_view address) {
  return f.admit("POST", "/v1/wallets/imports/" + id + "/confirm", R"({"address":")" + std::string(address) + "\"}");
}

}  // namespace

TEST_CASE("a derivation is asked of the service and journals nothing") {
  Fixture f;
  const Admission admission = f.admit("POST", "/v1/wallets/imports", derivation(R"(,"passphrase":"TREZOR","expected_address":"1abc")"));
  REQUIRE_MESSAGE(std::holds_alternative<Query>(admission), Fixture::told(admission));
  const auto& asked = std::get<WalletDerivation>(std::get<Query>(admission).body);
  CHECK(asked.partner == "ann");
  CHECK(asked.wallet == "main");
  CHECK(base::as_text(asked.material) == phrase);
  CHECK(base::as_text(asked.passphrase) == "TREZOR");
  CHECK(asked.expected_address == "1abc");
  wire::Request keyless = f.request("POST", "/v1/wallets/imports", derivation());
  keyless.headers = {};
  keyless.headers.add("authorization", "Bearer " + f.token());
  keyless.headers.add("content-type", "application/json");
  CHECK(Fixture::told(f.gate.admit(keyless, test_now)) == "query");
}

TEST_CASE("what is wrong with a derivation is named by its field") {
  Fixture f;
  const auto told = [&](const std::string& body) { return Fixture::told(f.admit("POST", "/v1/wallets/imports", body)); };
  CHECK(told(R"({"partner":"ann","wallet":"main"})") == "request_field_invalid /material");
  CHECK(told(R"({"partner":"Ann","wallet":"a b","material":"x"})") == "request_field_invalid /partner /wallet");
  CHECK(told(R"({"wallet":"main","material":"x"})") == "request_field_missing /partner");
  CHECK(told(derivation(R"(,"custody":true)")) == "request_field_unknown /custody");
  CHECK(told(derivation(R"(,"expected_address":"two words")")) == "request_field_invalid /expected_address");
  CHECK(told(derivation(",\"passphrase\":\"" + std::string(wallet_passphrase_bytes_max + 1, 'x') + "\"")) == "request_field_invalid /passphrase");
  CHECK(told("[") == "request_malformed");
  CHECK(Fixture::told(f.admit("POST", "/v1/wallets/imports?a=b", derivation())) == "request_field_unknown");
  wire::Request text = f.request("POST", "/v1/wallets/imports", derivation());
  text.headers = {};
  text.headers.add("authorization", "Bearer " + f.token());
  text.headers.add("content-type", "text/plain");
  CHECK(Fixture::told(f.gate.admit(text, test_now)) == "media_type_unsupported");
}

TEST_CASE("secrets of wallets and what is watched have scopes of their own") {
  Fixture f;
  const auto told = [&](const char* method, const std::string& path, std::string body, model::Scopes scopes) {
    wire::Request request = f.request(method, path, std::move(body));
    request.headers = {};
    request.headers.add("authorization", "Bearer " + f.token(scopes));
    return Fixture::told(f.gate.admit(request, test_now));
  };
  constexpr model::Scopes all = model::all_scopes;
  CHECK(told("POST", "/v1/wallets/imports", derivation(), all & ~model::wallets_write) == "scope_missing");
  CHECK(told("POST", "/v1/wallets/imports/" + id + "/confirm", "{}", all & ~model::wallets_write) == "scope_missing");
  CHECK(told("GET", "/v1/wallets", {}, all & ~model::wallets_read) == "scope_missing");
  CHECK(told("GET", "/v1/wallets/key_1", {}, all & ~model::wallets_read) == "scope_missing");
  CHECK(told("GET", "/v1/wallets?partner=ann&limit=2", {}, model::wallets_read) == "query");
  CHECK(told("GET", "/v1/wallets/key_1", {}, model::wallets_read) == "query");
  CHECK(told("GET", "/v1/wallets/imports", {}, model::wallets_read) == "request_field_invalid /id");
}

TEST_CASE("a confirmed address makes an import of what is public") {
  Fixture f;
  OneWallet book;
  f.gate.look_up_wallets(&book);
  const Admission admission = confirm(f, first_segwit);
  const model::ImportKey& body = command(admission);
  CHECK(body.verdict == model::ImportVerdict::address_confirmed);
  CHECK(body.purpose == model::KeyPurpose::watch);
  CHECK(model::to_text(body.partner) == "ann");
  CHECK(model::to_text(body.key) == "main");
  REQUIRE(body.facts.has_value());
  const model::KeyFacts& facts = **body.facts;
  CHECK(facts.algorithm == model::KeyAlgorithm::ec_secp256k1);
  CHECK(facts.pin == crypto::sha256(facts.spki));
  CHECK(facts.thumbprint.has_value());
  const auto& privates = admitted(admission).privates;
  REQUIRE(privates.size() == 1);
  const std::string_view told = base::as_text(privates[0].value);
  CHECK(told.find(R"(]
{"kind":"mnemonic","network":"bitcoin","scheme":"bip84","address":"bc1qcr8te4kr609gcawutmrza0j4xv80jy8z306fyu","path":"m/84'/0'/0'/0/0","account_path":"m/84'/0'/0'","account_key":"xpub)") !=
        std::string_view::npos);
  CHECK(told.find("abandon") == std::string_view::npos);
}

TEST_CASE("what cannot be confirmed goes to the core as that, so that its answer sticks to the key") {
  Fixture f;
  CHECK(command(confirm(f, first_segwit)).verdict == model::ImportVerdict::wallet_unknown);
  OneWallet book;
  f.gate.look_up_wallets(&book);
  CHECK(command(confirm(f, "1BgGZ9tcN4rm9KBzDn7KprQz87SZ26SAMH")).verdict == model::ImportVerdict::address_differs);
  book.is_over = true;
  CHECK(command(confirm(f, first_segwit)).verdict == model::ImportVerdict::wallet_expired);
  CHECK_FALSE(command(confirm(f, first_segwit)).facts.has_value());
  CHECK(Fixture::told(confirm(f, "")) == "request_field_invalid /address");
  CHECK(Fixture::told(f.admit("POST", "/v1/wallets/imports/wi_1/confirm", R"({"address":"x"})")) == "request_field_invalid /id");
}

TEST_CASE("a repetition has the same fingerprint whatever is still known of the wallet") {
  Fixture f;
  OneWallet book;
  f.gate.look_up_wallets(&book);
  const auto first = admitted(confirm(f, first_segwit)).commands.at(0).idempotency;
  book.is_over = true;
  const auto second = admitted(confirm(f, first_segwit)).commands.at(0).idempotency;
  REQUIRE((first && second));
  CHECK(differing_fields(model::Operation::import_key, *first, *second).empty());
  const auto other = admitted(confirm(f, "1abc")).commands.at(0).idempotency;
  CHECK(differing_fields(model::Operation::import_key, *first, *other) == std::vector<std::string_view>{"address"});
}

TEST_CASE("material that gives no wallet is refused with its findings; what is private shows no evidence") {
  const DerivedWallet page = derive_wallet(base::as_bytes("<html><body>404</body></html>"), {}, {}, {});
  CHECK_FALSE(page.usable);
  CHECK(page.findings.find("content_is_an_error_page") != std::string::npos);
  // The last word is wrong.
  const DerivedWallet damaged = derive_wallet(base::as_bytes(std::string(phrase.substr(0, phrase.size() - 5)) + "above"), {}, {}, {});
  CHECK_FALSE(damaged.usable);
  CHECK(damaged.findings.find("mnemonic_checksum_is_wrong") != std::string::npos);
  CHECK(damaged.findings.find("evidence") == std::string::npos);
  const DerivedWallet address = derive_wallet(base::as_bytes(first_segwit), {}, {}, {});
  CHECK_FALSE(address.usable);
  CHECK(address.kind == "address");
}

TEST_CASE("a keystore is opened within the bounds of a derivation, and not beyond them") {
  // Web3 Secret Storage, test vector with scrypt (n = 262144, r = 1, p = 8: 32 MiB).
  constexpr std::string_view keystore =
      R"({"crypto":{"cipher":"aes-128-ctr","cipherparams":{"iv":"83dbcc02d8ccb40e466191a123791e0e"},)"
      R"("ciphertext":"d172bf743a674da9cdad04534d56926ef8358534d458fffccd4e6ad2fbde479c","kdf":"scrypt",)"
      R"("kdfparams":{"dklen":32,"n":262144,"r":1,"p":8,"salt":"ab0c7876052600dd703518d6fc3fe8984592145b591fc8fb5c6d43190334ba19"},)"
      R"("mac":"2103ac29920d71da29f15d75b4a16dbe95cfd7ff8faea1056c33131d846e3097"},"id":"3198bc9c-6672-5ab3-d995-4942343ae5b6","version":3})";
  const DerivedWallet opened = derive_wallet(base::as_bytes(keystore), "testpassword", {}, {});
  REQUIRE(opened.usable);
  REQUIRE(opened.addresses.addresses.size() == 1);
  CHECK(opened.addresses.addresses[0].address == "0x008AeEda4D805471dF9b2A5B0f38A0C3bCBA786b");
  const auto cause = [&](std::string_view passphrase, const WalletBounds& bounds) { return derive_wallet(base::as_bytes(keystore), passphrase, {}, bounds).findings; };
  CHECK(cause("testpassword", {.memory_bytes_max = 16u << 20}).find("key_derivation_is_too_expensive") != std::string::npos);
  CHECK(cause("testpassword", {.rounds_max = 1000}).find("key_derivation_is_too_expensive") != std::string::npos);
  CHECK(cause("wrong", {}).find("keystore_password_is_wrong") != std::string::npos);
  CHECK(cause("", {}).find("password_is_missing") != std::string::npos);
}
