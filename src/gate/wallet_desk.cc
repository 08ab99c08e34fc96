// Where the material of a wallet becomes addresses, and an address the facts of what is watched.

#include <algorithm>

#include "base/text.h"
#include "crypto/hash.h"
#include "gate/import_finding.h"
#include "gate/wallet_body.h"
#include "wire/json_writer.h"

namespace gate {

namespace {

model::KeyFacts facts_of(const intake::WalletAddress& one) {
  model::KeyFacts facts;
  facts.spki = one.spki;
  facts.algorithm = model::KeyAlgorithm::ec_secp256k1;
  facts.bits = 256;
  facts.pin = crypto::sha256(facts.spki);
  facts.fingerprint = facts.pin;
  const auto thumbprint = base::parse_base64url(one.thumbprint);
  if (thumbprint && thumbprint->size() == facts.pin.size()) std::ranges::copy(*thumbprint, facts.thumbprint.emplace().begin());
  return facts;
}

// Left out where there is none.
void write_text(wire::JsonWriter& json, std::string_view name, std::string_view text) {
  if (!text.empty()) json.member(name, text);
}

std::string watched_json(const DerivedWallet& derived, const intake::WalletAddress& one) {
  std::string out;
  wire::JsonWriter json(out);
  json.begin_object();
  json.member("kind", derived.kind);
  json.member("network", one.network);
  json.member("scheme", one.scheme);
  json.member("address", std::string_view(one.address));
  write_text(json, "path", one.path);
  write_text(json, "account_path", one.account_path);
  write_text(json, "account_key", one.account_key);
  json.end_object();
  return out;
}

}  // namespace

DerivedWallet derive_wallet(base::ByteView material, std::string_view passphrase, std::string_view expected_address, const WalletBounds& bounds) {
  intake::Expectations expected;
  if (!passphrase.empty()) expected.password = passphrase;
  expected.policy.derivation_memory_max = bounds.memory_bytes_max;
  expected.policy.derivation_rounds_max = bounds.rounds_max;
  intake::Report report = intake::examine(material, expected);
  // The passphrase of BIP-39 opens nothing: it goes into the seed.
  const bool is_mnemonic = report.usable && report.item()->kind == intake::Kind::mnemonic;
  if (is_mnemonic) std::erase_if(report.findings, [](const intake::Finding& finding) { return finding.cause == intake::Cause::password_given_but_not_needed; });
  DerivedWallet derived;
  std::size_t causes = 0;
  for (const intake::Finding& finding : report.findings) {
    if (causes < derived.causes.size()) derived.causes[causes++] = static_cast<std::uint16_t>(finding.cause);
  }
  derived.findings = findings_json(report.findings, !report.is_private);
  if (!report.items.empty()) derived.kind = intake::name_of(report.items.front().kind);
  if (!report.usable) return derived;
  derived.kind = intake::name_of(report.item()->kind);
  derived.addresses = intake::wallet_addresses(*report.item(), passphrase, expected_address);
  derived.usable = !derived.addresses.addresses.empty();
  return derived;
}

ConfirmedWallet confirm_wallet(const DerivedWallet& derived, std::string_view partner, std::string_view wallet, std::string_view address) {
  ConfirmedWallet confirmed{.verdict = model::ImportVerdict::address_differs, .partner = std::string(partner), .wallet = std::string(wallet)};
  const auto& shown = derived.addresses.addresses;
  const auto one = std::ranges::find_if(shown, [&](const intake::WalletAddress& each) { return intake::is_same_address(each.address, address); });
  if (one == shown.end()) return confirmed;
  confirmed.verdict = model::ImportVerdict::address_confirmed;
  confirmed.causes = derived.causes;
  confirmed.findings = derived.findings;
  confirmed.facts = facts_of(*one);
  confirmed.watched = watched_json(derived, *one);
  return confirmed;
}

}  // namespace gate
