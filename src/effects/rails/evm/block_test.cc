#include "effects/rails/evm/block.h"

#include <vector>

#include "base/text.h"
#include "crypto/evm/inclusion.h"
#include "crypto/evm/trie.h"
#include "crypto/keccak.h"
#include "effects/rails/evm/mined_for_tests.h"

// clang-format off
#include <doctest/doctest.h>  // last: base/check.h has a CHECK too
// clang-format on

namespace effects {
namespace {

std::string replaced(std::string text, std::string_view what, std::string_view by) {
  const std::size_t at = text.find(what);
  REQUIRE_MESSAGE(at != std::string::npos, what);
  return text.replace(at, what.size(), by);
}

std::optional<base::Bytes> header_in(const std::string& json) {
  const auto document = wire::parse_json(base::as_bytes(json));
  REQUIRE(document.ok());
  return header_of_block(document->root());
}

std::optional<base::Bytes> raw_of(const std::string& json) {
  const auto document = wire::parse_json(base::as_bytes(json));
  REQUIRE_MESSAGE(document.ok(), (document.ok() ? std::string() : document.error().message));
  return raw_transaction(document->root());
}

/// With the hash that its bytes have: what a node says that re-encodes as we do.
std::string named(std::string json, base::ByteView raw) { return replaced(std::move(json), "HASH", base::to_hex(crypto::keccak256(raw))); }

TEST_CASE("a node's block is put back into its bytes, down to the root of its transactions") {
  const auto header = header_in("{" + header_members + "}");
  REQUIRE(header.has_value());
  std::vector<base::Bytes> raw;
  for (const std::string& one : mined_transactions) {
    const auto bytes = raw_of(one);
    REQUIRE_MESSAGE(bytes.has_value(), one);
    raw.push_back(*bytes);
  }
  CHECK_EQ(crypto::read_evm_header(*header)->transactions_root, crypto::trie_root(raw));
  for (std::size_t i = 0; i < raw.size(); ++i) {
    const auto token = crypto::prove_evm_inclusion(*header, raw, i);
    REQUIRE(token.ok());
    CHECK((crypto::verify_evm_inclusion(*token)->call.chain_id == base::U128{31337}));
  }
  CHECK_EQ(base::to_hex(raw[1]).substr(0, 4), "02f8");
}

TEST_CASE("blob transactions, and legacy ones without a type, are put back as well") {
  // No public example is this small: its bytes are built from the same members by hand.
  const std::string word(64, '7');
  const std::string blob = R"({"type":"0x3","chainId":"0x1","nonce":"0x0","maxPriorityFeePerGas":"0x1","maxFeePerGas":"0x2","gas":"0x5208",)"
                           R"("to":"0x1111111111111111111111111111111111111111","value":"0x0","input":"0x","accessList":[],"maxFeePerBlobGas":"0x3",)"
                           R"("blobVersionedHashes":["0x)" + word + R"("],"yParity":"0x0","v":"0x0","r":"0x1","s":"0x2","hash":"0xHASH"})";
  const base::Bytes blob_bytes = *base::parse_hex("03f8450180010282520894" + std::string(40, '1') + "8080c003e1a0" + word + "800102");
  CHECK((raw_of(named(blob, blob_bytes)) == blob_bytes));
  const std::string legacy = R"({"nonce":"0x9","gasPrice":"0x4a817c800","gas":"0x5208","to":"0x3535353535353535353535353535353535353535",)"
                             R"("value":"0xde0b6b3a7640000","input":"0x","v":"0x25","r":"0x28ef61340bd939bc2195fe537567866003e1a15d3c71ff63e1590620aa636276",)"
                             R"("s":"0x67cbe9d8997f761aecb703304b3800ccf555c9f3dc64214b297fb1966a3b6d83","hash":"0xHASH"})";
  // The example of EIP-155.
  const base::Bytes legacy_bytes = *base::parse_hex(
      "f86c098504a817c800825208943535353535353535353535353535353535353535880de0b6b3a76400008025a028ef61340bd939bc2195fe537567866003e1a15d"
      "3c71ff63e1590620aa636276a067cbe9d8997f761aecb703304b3800ccf555c9f3dc64214b297fb1966a3b6d83");
  CHECK((raw_of(named(legacy, legacy_bytes)) == legacy_bytes));
}

TEST_CASE("what does not have the hash that it says is nothing") {
  const std::string block = "{" + header_members + "}";
  for (const auto& [what, by] : std::vector<std::pair<const char*, const char*>>{{"\"gasUsed\":\"0x", "\"gasUsed\":\"0x1"},
                                                                                 {"\"hash\"", "\"hush\""},
                                                                                 {"\"miner\":\"0x00", "\"miner\":\"0x01"},
                                                                                 {"\"miner\":\"0x", "\"miner\":\"0x0"},
                                                                                 {"\"stateRoot\"", "\"root\""},
                                                                                 {"\"number\":\"0x1\"", "\"number\":1"},
                                                                                 {"\"number\":\"0x1\"", "\"number\":\"0x01\""},
                                                                                 {"\"requestsHash\":\"0xe", "\"requestsHash\":\"0xf"}}) {
    CHECK_MESSAGE(!header_in(replaced(block, what, by)).has_value(), what);
  }
  CHECK_FALSE(header_in("[]").has_value());
  for (const auto& [what, by] : std::vector<std::pair<const char*, const char*>>{{"\"type\":\"0x1\"", "\"type\":\"0x5\""},
                                                                                 {"\"type\":\"0x1\"", "\"type\":1"},
                                                                                 {"\"type\":\"0x1\"", "\"type\":\"0x2\""},
                                                                                 {"\"accessList\":[", "\"accessList\":[1,"},
                                                                                 {"\"accessList\":[", "\"accessList\":[{},"},
                                                                                 {"\"accessList\"", "\"list\""},
                                                                                 {"\"storageKeys\":[\"0x", "\"storageKeys\":[\"0x00"},
                                                                                 {"\"nonce\":\"0x", "\"nonce\":\"0x1"},
                                                                                 {"\"input\":\"0x", "\"input\":\""}}) {
    CHECK_MESSAGE(!raw_of(replaced(mined_transactions[3], what, by)).has_value(), what);
  }
  CHECK_FALSE(raw_of(replaced(mined_transactions[4], "\"authorizationList\":[", "\"authorizationList\":[null,")).has_value());
  CHECK_FALSE(raw_of("[]").has_value());
}

}  // namespace
}  // namespace effects
