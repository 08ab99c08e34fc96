// Wallets: what was derived, and those that are watched.

#include "edge/render_parts.h"

namespace edge {

using wire::JsonWriter;

namespace {

void write_address(JsonWriter& json, const intake::WalletAddress& one) {
  json.begin_object();
  json.member("network", one.network);
  json.member("scheme", one.scheme);
  if (!one.path.empty()) json.member("path", std::string_view(one.path));
  json.member("address", std::string_view(one.address));
  json.end_object();
}

// The finding about the address that was looked for: where it is, or that it is none of so many.
void write_expected(JsonWriter& json, const WalletDerivationReading& reading) {
  const intake::WalletAddresses& all = reading.derived.addresses;
  json.key("expected");
  json.begin_object();
  json.member("address", std::string_view(reading.expected_address));
  json.member("found", all.expected.has_value());
  json.member("tried", std::uint64_t{all.tried});
  if (all.expected) {
    const intake::WalletAddress& one = all.addresses[*all.expected];
    json.member("network", one.network);
    json.member("scheme", one.scheme);
    if (!one.path.empty()) json.member("path", std::string_view(one.path));
  } else {
    json.key("remedy");
    json.begin_object();
    json.member("en", "None of the addresses that were tried is this one: check the words and the passphrase, or import the extended public key of the account.");
    json.member("zh", "尝试过的地址中没有这一个：请检查助记词和密码短语，或导入该账户的扩展公钥。");
    json.end_object();
  }
  json.end_object();
}

}  // namespace

Rendered write_wallet_derivation(JsonWriter& json, const base::Tag128& trace, const WalletDerivationReading& reading) {
  const gate::DerivedWallet& derived = reading.derived;
  json.begin_object();
  if (!derived.usable) {
    const model::OutcomeRow& row = model::row_of(model::Outcome::wallet_material_refused);
    write_problem_head(json, row, "nothing of it was kept");
    json.key("findings");
    json.raw(derived.findings);
    write_problem_tail(json, trace, {});
    json.end_object();
    return {.status = row.http_status, .outcome = row.outcome, .location = {}};
  }
  json.member("id", std::string_view(reading.id));
  json.member("partner", std::string_view(reading.partner));
  json.member("wallet", std::string_view(reading.wallet));
  json.member("kind", derived.kind);
  json.key("addresses");
  json.begin_array();
  for (const intake::WalletAddress& one : derived.addresses.addresses) write_address(json, one);
  json.end_array();
  if (!reading.expected_address.empty()) write_expected(json, reading);
  json.key("findings");
  json.raw(derived.findings);
  write_instant(json, "expires_at", reading.expires_at);
  json.end_object();
  return {};
}

void write_wallet_reading(JsonWriter& json, const WalletReading& wallet) {
  json.begin_object();
  json.member("id", std::string_view(model::key_id(wallet.key.number)));
  json.member("partner", std::string_view(wallet.key.partner));
  json.member("wallet", std::string_view(wallet.key.name));
  if (wallet.key.active != 0) json.member("active", std::uint64_t{wallet.key.active});
  json.key("versions");
  json.begin_array();
  for (std::size_t i = 0; i < wallet.key.versions.size(); ++i) {
    const KeyVersionReading& version = wallet.key.versions[i];
    json.begin_object();
    json.member("version", std::uint64_t{version.version});
    json.member("state", model::to_text(version.state));
    json.member("import", std::string_view(model::import_id(version.import)));
    write_instant(json, "since", version.since);
    if (!wallet.watched[i].empty()) {
      json.key("watched");
      json.raw(wallet.watched[i]);
    }
    json.end_object();
  }
  json.end_array();
  json.end_object();
}

}  // namespace edge
