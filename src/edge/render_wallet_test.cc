// Wallets as they are shown. The schemas are checked member by member against the document.
#include "edge/render.h"

#include <doctest/doctest.h>

#include "edge/edge_fixture.h"
#include "edge/schemas_for_tests.h"

using namespace edge;

namespace {

struct Fixture {
  std::unique_ptr<io::Loop> loop = io::Loop::open().value();
  FakeBackend backend{*loop};
  Schemas schemas;
  RenderContext context{.backend = backend, .operation = model::Operation::none, .trace = {9}, .secret = {}};
  Rendered rendered;

  std::string reading(decltype(Reading::body) body) {
    std::string out;
    rendered = render_reading(context, {.position = 5, .body = std::move(body)}, out);
    return out;
  }
};

WalletDerivationReading derivation() {
  WalletDerivationReading reading{.id = "wi_" + std::string(32, '0'), .partner = "ann", .wallet = "main", .expected_address = {}, .expires_at = some_time, .derived = {}};
  reading.derived.usable = true;
  reading.derived.kind = "mnemonic";
  reading.derived.findings = "[]";
  intake::WalletAddress one{.scheme = "bip84", .network = "bitcoin", .path = "m/84'/0'/0'/0/0", .address = "bc1q", .account_path = "m/84'/0'/0'",
                            .account_key = "xpub", .spki = {1}, .thumbprint = "t"};
  reading.derived.addresses.addresses = {one};
  one.path.clear();
  one.scheme = "single_key";
  reading.derived.addresses.addresses.push_back(one);
  reading.derived.addresses.tried = 7;
  return reading;
}

}  // namespace

TEST_CASE_FIXTURE(Fixture, "what was derived is shown with its paths, and what can be watched of it is not told yet") {
  WalletDerivationReading derived = derivation();
  const std::string shown = reading(derived);
  schemas.check("WalletDerived", shown);
  CHECK_EQ(rendered.status, 200);
  CHECK(shown.find("expected") == std::string::npos);
  CHECK(shown.find("xpub") == std::string::npos);

  derived.expected_address = "bc1q";
  const std::string missing = reading(derived);
  schemas.check("WalletDerived", missing);
  CHECK(missing.find(R"("expected":{"address":"bc1q","found":false,"tried":7,"remedy":)") != std::string::npos);

  derived.derived.addresses.expected = 0;
  const std::string found = reading(derived);
  schemas.check("WalletDerived", found);
  CHECK(found.find(R"("found":true,"tried":7,"network":"bitcoin","scheme":"bip84","path":"m/84'/0'/0'/0/0"})") != std::string::npos);
}

TEST_CASE_FIXTURE(Fixture, "material that gives no wallet is a problem with its findings") {
  WalletDerivationReading derived = derivation();
  derived.derived.usable = false;
  derived.derived.findings = R"([{"code":"mnemonic_checksum_is_wrong","severity":"error","remedy":{"en":"a","zh":"b"}}])";
  const std::string problem = reading(derived);
  schemas.check("Problem", problem);
  CHECK_EQ(rendered.status, 422);
  CHECK(problem.find(R"("code":"wallet_material_refused")") != std::string::npos);
  CHECK(problem.find("wi_") == std::string::npos);
}

TEST_CASE_FIXTURE(Fixture, "watched wallets are shown as they are; what was erased is left out") {
  WalletReading wallet;
  wallet.key = {.number = 3, .partner = "ann", .name = "main", .responsible = {}, .active = 2, .former = 1, .versions = {}};
  wallet.key.versions.push_back({.version = 2, .state = model::KeyState::active, .cause = {}, .proven = true, .import = 43, .facts = {}, .since = some_time, .due = {}, .usable_until = {}});
  wallet.key.versions.push_back({.version = 1, .state = model::KeyState::retired, .cause = {}, .proven = true, .import = 42, .facts = {}, .since = some_time, .due = {}, .usable_until = {}});
  wallet.watched = {R"({"kind":"mnemonic","network":"bitcoin","scheme":"bip84","address":"bc1q","path":"m/84'/0'/0'/0/0","account_path":"m/84'/0'/0'","account_key":"xpub"})", ""};
  const std::string shown = reading(wallet);
  schemas.check("Wallet", shown);
  CHECK(shown.find("watched") == shown.rfind("watched"));
  const std::string page = reading(WalletsPage{.wallets = {wallet}, .next = 3});
  schemas.check("WalletList", page);
  CHECK(page.find("next_cursor") != std::string::npos);
}
