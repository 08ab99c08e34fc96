#include "gate/wallet_schema.h"

#include <algorithm>

#include "gate/import_schema.h"

namespace gate {

namespace {

constexpr const char* malformed = "request_field_malformed";
constexpr const char* out_of_range = "request_field_out_of_range";

std::string read_name(wire::JsonFields& fields, std::string_view name) {
  const auto text = fields.required_string(name);
  if (text && !model::is_rail_name(*text)) fields.report(malformed, name, "1 to 32 of a-z 0-9 -, a letter first");
  return std::string(text.value_or(""));
}

}  // namespace

bool is_wallet_import_id(std::string_view text) {
  if (!text.starts_with("wi_") || text.size() != 3 + 2 * wallet_import_id_bytes) return false;
  return text.substr(3).find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

bool is_wallet_address(std::string_view text) {
  return !text.empty() && text.size() <= wallet_address_bytes_max && std::ranges::all_of(text, [](char c) { return c > ' ' && c <= '~'; });
}

WalletDerivation read_wallet_derivation(wire::JsonFields& fields) {
  WalletDerivation derivation;
  derivation.partner = read_name(fields, "partner");
  derivation.wallet = read_name(fields, "wallet");
  derivation.material = read_material(fields);
  const auto passphrase = fields.optional_string("passphrase");
  if (passphrase && passphrase->size() > wallet_passphrase_bytes_max) fields.report(out_of_range, "passphrase", "at most 1024 bytes");
  else if (passphrase) derivation.passphrase = intake::to_secret(base::as_bytes(*passphrase));
  const auto expected = fields.optional_string("expected_address");
  if (expected && !is_wallet_address(*expected)) fields.report(malformed, "expected_address", "1 to 128 printable ASCII characters without blanks");
  derivation.expected_address = expected.value_or("");
  return derivation;
}

WalletConfirmation read_wallet_confirmation(const std::vector<std::string>& parameters, wire::JsonFields& fields) {
  WalletConfirmation confirmation;
  confirmation.id = parameters[0];
  confirmation.address = fields.required_string("address").value_or("");
  return confirmation;
}

void give_fields(FingerprintMaker& maker, const WalletConfirmation& body) {
  maker.text(10, body.id);
  maker.text(11, body.address);
}

}  // namespace gate
