#pragma once
// Blocks for tests: transactions with a given call, and a header over them.

#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/int128.h"
#include "crypto/evm/rlp.h"
#include "crypto/evm/trie.h"

namespace crypto {

/// Raw, of a type 0 to 4; `chain` 0 makes a legacy one without EIP-155. Its signature is none.
inline base::Bytes test_transaction(unsigned type, base::U128 chain, base::ByteView data) {
  const base::Bytes address(20, 0x11), word(32, 0x77);
  const base::Bytes nothing = RlpWriter().list();
  RlpWriter fields;
  if (type != 0) fields.integer(chain);
  fields.integer(7);                             // nonce
  fields.integer(1'000'000'000);                 // price, or tip
  if (type >= 2) fields.integer(2'000'000'000);  // the most that is paid
  fields.integer(60'000);
  fields.string(address);
  fields.integer(0);
  fields.string(data);
  if (type != 0) fields.raw(nothing);   // access list
  if (type == 3) fields.integer(1), fields.raw(nothing);
  if (type == 4) fields.raw(nothing);
  if (type == 0) fields.integer(chain == 0 ? base::U128{27} : chain * 2 + 35);
  else fields.integer(1);
  fields.string(word);
  fields.string(word);
  base::Bytes raw;
  if (type != 0) raw.push_back(static_cast<std::uint8_t>(type));
  base::append(raw, fields.list());
  return raw;
}

/// With `more` fields behind the fifteen that every header has.
inline base::Bytes test_header(const std::vector<base::Bytes>& transactions, std::uint64_t number, std::uint64_t seconds, std::size_t more = 6) {
  const base::Bytes word(32, 0x22), address(20, 0x33), bloom(256, 0), nonce(8, 0);
  RlpWriter fields;
  fields.string(word);
  fields.string(word);
  fields.string(address);
  fields.string(word);
  fields.string(trie_root(transactions));
  fields.string(word);
  fields.string(bloom);
  fields.integer(0);
  fields.integer(number);
  fields.integer(30'000'000);
  fields.integer(21'000);
  fields.integer(seconds);
  fields.string(base::as_bytes("test"));
  fields.string(word);
  fields.string(nonce);
  for (std::size_t i = 0; i < more; ++i) fields.integer(i);
  return fields.list();
}

}  // namespace crypto
