#include "effects/rails/evm/transaction.h"

#include <algorithm>
#include <limits>

#include "base/check.h"
#include "crypto/evm/rlp.h"
#include "crypto/keccak.h"
#include "crypto/secp256k1.h"

namespace effects {

namespace {

constexpr std::uint8_t type_with_tip = 2;
constexpr std::size_t signature_bytes = 65;

crypto::RlpWriter fields_of(const EvmTransaction& transaction) {
  crypto::RlpWriter fields;
  fields.integer(transaction.chain_id);
  fields.integer(transaction.nonce);
  fields.integer(transaction.tip);
  fields.integer(transaction.fee_max);
  fields.integer(transaction.gas_limit);
  fields.string(transaction.to);
  fields.integer(transaction.value);
  fields.string(transaction.data);
  fields.raw(crypto::RlpWriter().list());   // no access list
  return fields;
}

base::Bytes typed(const crypto::RlpWriter& fields) {
  base::Bytes out{type_with_tip};
  base::append(out, fields.list());
  return out;
}

/// A number of up to 256 bits: no leading zeros.
void append_word(crypto::RlpWriter& out, base::ByteView word) {
  const auto first = std::ranges::find_if(word, [](std::uint8_t byte) { return byte != 0; });
  out.string(word.subspan(static_cast<std::size_t>(first - word.begin())));
}

bool read_word(crypto::RlpReader& in, std::array<std::uint8_t, 32>& word) {
  const auto digits = in.string();
  if (!digits || digits->size() > word.size() || (!digits->empty() && (*digits)[0] == 0)) return false;
  std::copy(digits->begin(), digits->end(), word.end() - static_cast<std::ptrdiff_t>(digits->size()));
  return true;
}

bool read_uint64(crypto::RlpReader& in, std::uint64_t& value) {
  const auto number = in.integer();
  if (!number || *number > std::numeric_limits<std::uint64_t>::max()) return false;
  value = base::low64(*number);
  return true;
}

bool read_amount(crypto::RlpReader& in, base::U128& value) {
  const auto number = in.integer();
  if (number) value = *number;
  return number.has_value();
}

bool read_fields(crypto::RlpReader& in, EvmTransaction& out) {
  if (!read_uint64(in, out.chain_id) || !read_uint64(in, out.nonce) || !read_amount(in, out.tip) || !read_amount(in, out.fee_max) ||
      !read_uint64(in, out.gas_limit)) {
    return false;
  }
  const auto to = in.string();
  if (!to || to->size() != out.to.size()) return false;
  std::ranges::copy(*to, out.to.begin());
  if (!read_amount(in, out.value)) return false;
  const auto data = in.string();
  if (!data) return false;
  out.data = base::to_bytes(*data);
  const auto access_list = in.list();
  return access_list && access_list->size() == 1;
}

base::Bytes token_call(std::string_view signature, std::initializer_list<base::Digest> words) {
  const base::Digest selector = crypto::keccak256(base::as_bytes(signature));
  base::Bytes data(selector.begin(), selector.begin() + 4);
  for (const base::Digest& word : words) base::append(data, word);
  return data;
}

}  // namespace

std::optional<base::U128> EvmTransaction::cost_max() const {
  if (gas_limit != 0 && fee_max > base::amount_max / gas_limit) return std::nullopt;
  return base::checked_add(fee_max * gas_limit, value);
}

base::Bytes signing_bytes(const EvmTransaction& transaction) { return typed(fields_of(transaction)); }

base::Result<base::Bytes> sign_transaction(const EvmTransaction& transaction, custody::Signer& signer) {
  CHECK(signer.algorithm() == custody::SigningAlgorithm::secp256k1_keccak256);
  TRY_ASSIGN(const base::Bytes signature, signer.sign(signing_bytes(transaction)));
  CHECK(signature.size() == signature_bytes);
  crypto::RlpWriter fields = fields_of(transaction);
  fields.integer(signature[64]);
  append_word(fields, base::ByteView(signature).first(32));
  append_word(fields, base::ByteView(signature).subspan(32, 32));
  return typed(fields);
}

std::optional<SignedTransaction> read_transaction(base::ByteView raw) {
  if (raw.empty() || raw[0] != type_with_tip) return std::nullopt;
  crypto::RlpReader reader(raw.subspan(1));
  SignedTransaction out;
  crypto::RecoverableSignature signature;
  if (!read_fields(reader, out.transaction)) return std::nullopt;
  const auto parity = reader.integer();
  if (!parity || *parity > 1 || !read_word(reader, signature.r) || !read_word(reader, signature.s) || !reader.finished()) return std::nullopt;
  signature.parity = static_cast<std::uint8_t>(*parity);
  const auto key = crypto::secp256k1_recover(crypto::keccak256(signing_bytes(out.transaction)), signature);
  if (!key) return std::nullopt;
  out.sender = address_of_public_key(*key);
  return out;
}

base::Digest transaction_hash(base::ByteView raw) { return crypto::keccak256(raw); }

base::Bytes token_transfer_data(const EvmAddress& to, base::U128 amount) {
  return token_call("transfer(address,uint256)", {abi_word(to), abi_word(amount)});
}

base::Bytes token_balance_data(const EvmAddress& of) { return token_call("balanceOf(address)", {abi_word(of)}); }

base::Digest token_transfer_topic() { return crypto::keccak256(base::as_bytes("Transfer(address,address,uint256)")); }

base::Digest abi_word(const EvmAddress& address) {
  base::Digest word{};
  std::copy(address.begin(), address.end(), word.end() - static_cast<std::ptrdiff_t>(address.size()));
  return word;
}

base::Digest abi_word(base::U128 value) {
  base::Digest word{};
  for (std::size_t i = 0; i < sizeof value; ++i) word[31 - i] = static_cast<std::uint8_t>(value >> (8 * i));
  return word;
}

}  // namespace effects
