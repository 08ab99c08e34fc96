#include "effects/rails/evm/transaction.h"

#include "base/text.h"
#include "crypto/keccak.h"
#include "effects/rails/evm/key_for_tests.h"

#include <doctest/doctest.h>

namespace effects {
namespace {

struct Vector {
  EvmTransaction transaction;
  std::string_view raw, hash, signing_hash;
};

EvmAddress filled(std::uint8_t byte) {
  EvmAddress address;
  address.fill(byte);
  return address;
}

// Made with the npm package ethers 6.17 from the private key 46...46.
const Vector vectors[] = {
    {{.chain_id = 1, .nonce = 9, .tip = 1'500'000'000, .fee_max = 20'000'000'000, .gas_limit = 21'000, .to = filled(0x35),
      .value = 1'000'000'000'000'000'000, .data = {}},
     "02f87301098459682f008504a817c800825208943535353535353535353535353535353535353535880de0b6b3a764000080c001a0121423c3950676d7f7951f"
     "72ce762823386b54f9d3c8b16b862db001a5a67ba1a051ecb3438e7e3b55fa6d79cac358637d22580ea4d92c63f1ce6d216857b6c5c8",
     "5fde77eca2e266eb3201bcd33a732fb35c89312f9e345051dd5ac3d986727fff", "dec0c6b694e4f1ad0a7fe330e8f377a3e69b7062dd88fa58647ce0d955138b66"},
    {{.chain_id = 31'337, .nonce = 0, .tip = 0, .fee_max = 7, .gas_limit = 60'000,
      .to = *parse_evm_address("0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed"), .value = 0, .data = token_transfer_data(filled(0x35), 123'456'789)},
     "02f8a9827a6980800782ea60945aaeb6053f3e94c9b9a09f33669435e7ef1beaed80b844a9059cbb00000000000000000000000035353535353535353535353535"
     "3535353535353500000000000000000000000000000000000000000000000000000000075bcd15c080a0766a640a87fb9b736f209ebf02edb846b283bda7cac685"
     "84b18fa38cf0445bb3a0592c821ac8ec0e5c22fdfa60f668bb3c6c14408829845228e72b559aca8d42dd",
     "011c473462767604d0f18d97584b4ba8e3fbfb354774b6ef80ddb963b5d3ce9e", "4ae423e734ba108fb1ed04435e0647b2c9824c6e24d136427f9767d5c21c4dbd"}};

TEST_CASE("native and token transfers are signed to the byte as another implementation does it, and read back") {
  ExampleSigner signer;
  for (const Vector& vector : vectors) {
    CHECK_EQ(base::to_hex(crypto::keccak256(signing_bytes(vector.transaction))), vector.signing_hash);
    const base::Bytes raw = sign_transaction(vector.transaction, signer).value();
    CHECK_EQ(base::to_hex(raw), vector.raw);
    CHECK_EQ(base::to_hex(transaction_hash(raw)), vector.hash);
    const auto read = read_transaction(raw);
    REQUIRE(read.has_value());
    CHECK_EQ(read->transaction, vector.transaction);
    CHECK_EQ(read->sender, signer.address());
  }
}

TEST_CASE("a signer that fails is no transaction") {
  ExampleSigner signer;
  signer.fails = true;
  CHECK_EQ(std::string(sign_transaction(vectors[0].transaction, signer).error().code), "signer_away");
}

TEST_CASE("other bytes are no transaction, or somebody else's") {
  ExampleSigner signer;
  const base::Bytes good = *base::parse_hex(vectors[0].raw);
  CHECK_FALSE(read_transaction({}).has_value());
  for (std::size_t size = 0; size < good.size(); ++size) CHECK_FALSE(read_transaction(base::ByteView(good).first(size)).has_value());
  base::Bytes longer = good;
  longer.push_back(0);
  CHECK_FALSE(read_transaction(longer).has_value());
  for (std::size_t i = 0; i < good.size(); ++i) {
    base::Bytes changed = good;
    changed[i] ^= 1;
    const auto read = read_transaction(changed);
    CHECK_MESSAGE((!read.has_value() || read->sender != signer.address()), i);
  }
}

TEST_CASE("the most that a transaction costs is its value and all its gas, if that is an amount") {
  EvmTransaction transaction = vectors[0].transaction;
  CHECK_EQ(*transaction.cost_max(), base::U128{1'000'420'000'000'000'000});
  transaction.fee_max = base::amount_max / transaction.gas_limit;
  CHECK_FALSE(transaction.cost_max().has_value());
  transaction.value = 0;
  CHECK(transaction.cost_max().has_value());
  transaction.fee_max += 1;
  CHECK_FALSE(transaction.cost_max().has_value());
}

TEST_CASE("the event of a token transfer has its published name") {
  CHECK_EQ(base::to_hex(token_transfer_topic()), "ddf252ad1be2c89b69c2b068fc378daa952ba7f163c4a11628f55a4df523b3ef");
  CHECK_EQ(base::to_hex(token_balance_data(filled(0x35))), "70a082310000000000000000000000003535353535353535353535353535353535353535");
}

}  // namespace
}  // namespace effects
