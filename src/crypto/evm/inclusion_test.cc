#include "crypto/evm/inclusion.h"

#include <limits>
#include <vector>

#include "base/text.h"
#include "crypto/evm/block_for_tests.h"
#include "crypto/keccak.h"

// clang-format off
#include <doctest/doctest.h>  // last: base/check.h has a CHECK too
// clang-format on

namespace crypto {
namespace {

constexpr std::uint64_t number = 21'000'000, seconds = 1'790'000'000;
const base::Bytes calldata(32, 0xab);

struct Block {
  std::vector<base::Bytes> transactions;
  base::Bytes header;
  base::Bytes token(std::uint64_t index) const {
    auto made = prove_evm_inclusion(header, transactions, index);
    REQUIRE_MESSAGE(made.ok(), (made.ok() ? std::string() : made.error().message));
    return *made;
  }
};
Block block_of(std::size_t count, std::size_t more = 6) {
  Block block;
  for (std::size_t i = 0; i < count; ++i) {
    base::Bytes data = calldata;
    data[0] = static_cast<std::uint8_t>(i);
    block.transactions.push_back(test_transaction(static_cast<unsigned>(i % 5), 31337, data));
  }
  block.header = test_header(block.transactions, number, seconds, more);
  return block;
}

std::string code_of(base::ByteView token) {
  const auto verified = verify_evm_inclusion(token);
  return verified.ok() ? "verified" : verified.error().code;
}

/// The parts of a token, put together again after a change.
struct Parts {
  base::Bytes header;
  base::U128 index = 0;
  std::vector<base::Bytes> nodes;

  Parts(const Block& block, std::uint64_t at) : header(block.header), index(at), nodes(trie_path(block.transactions, at).nodes) {}
  base::Bytes token() const {
    RlpWriter path, out;
    for (const base::Bytes& node : nodes) path.raw(node);
    out.raw(header);
    out.integer(index);
    out.raw(path.list());
    return out.list();
  }
};

}  // namespace

TEST_CASE("a transaction of any type is shown to be in its block") {
  for (const std::size_t count : {1, 2, 5, 17, 130, 300}) {
    const Block block = block_of(count);
    for (std::uint64_t index = 0; index < count; index += count > 20 ? 13 : 1) {
      const auto verified = verify_evm_inclusion(block.token(index));
      REQUIRE_MESSAGE(verified.ok(), (verified.ok() ? std::string() : verified.error().message));
      CHECK_EQ(verified->index, index);
      CHECK_EQ(verified->transaction, block.transactions[index]);
      CHECK_EQ(verified->block.hash, keccak256(block.header));
      CHECK_EQ(verified->block.number, number);
      CHECK_EQ(verified->block.seconds, seconds);
      CHECK((verified->call.chain_id == base::U128{31337}));
      CHECK_EQ(verified->call.data[0], static_cast<std::uint8_t>(index));
      CHECK_EQ(verified->call.data.size(), 32);
    }
  }
  // Headers of any fork; the first have fifteen fields.
  CHECK_EQ(code_of(block_of(3, 0).token(1)), "verified");
  CHECK_EQ(code_of(block_of(3, 12).token(1)), "verified");
}

TEST_CASE("a legacy transaction names its chain since EIP-155 only") {
  CHECK_FALSE(read_evm_call(test_transaction(0, 0, calldata))->chain_id.has_value());
  CHECK((read_evm_call(test_transaction(0, 1, calldata))->chain_id == base::U128{1}));
  // The example of EIP-155.
  const auto example = read_evm_call(*base::parse_hex(
      "f86c098504a817c800825208943535353535353535353535353535353535353535880de0b6b3a76400008025a028ef61340bd939bc2195fe537567866003e1a15d"
      "3c71ff63e1590620aa636276a067cbe9d8997f761aecb703304b3800ccf555c9f3dc64214b297fb1966a3b6d83"));
  REQUIRE(example.ok());
  CHECK((example->chain_id == base::U128{1}));
  CHECK(example->data.empty());
}

TEST_CASE("what is no transaction is not read") {
  const auto code = [](base::ByteView raw) {
    const auto call = read_evm_call(raw);
    return call.ok() ? std::string("read") : std::string(call.error().code);
  };
  for (unsigned type = 0; type <= 4; ++type) {
    base::Bytes raw = test_transaction(type, 5, calldata);
    CHECK_EQ(code(raw), "read");
    raw.pop_back();
    CHECK_EQ(code(raw), "evm_transaction_malformed");
  }
  for (const char* hex : {"", "00c0", "05c0", "7ec0", "02", "02c0", "02c101", "c0", "c101", "80", "bf"}) {
    CHECK_MESSAGE(code(*base::parse_hex(hex)) == "evm_transaction_malformed", hex);
  }
  RlpWriter fields;   // nine, with a list for the data
  for (int i = 0; i < 5; ++i) fields.integer(1);
  fields.raw(RlpWriter().list());
  for (int i = 0; i < 3; ++i) fields.integer(1);
  CHECK_EQ(code(fields.list()), "evm_transaction_malformed");
}

TEST_CASE("what is no header is not read") {
  RlpWriter few;
  for (int i = 0; i < 14; ++i) few.string(base::Bytes(32, 1));
  CHECK_EQ(std::string(read_evm_header(few.list()).error().code), "evm_header_malformed");
  few.string(base::Bytes(32, 1));   // the fifteenth, and a number of 256 bits
  CHECK_EQ(std::string(read_evm_header(few.list()).error().code), "evm_header_malformed");
  base::Bytes header = test_header({}, std::numeric_limits<std::uint64_t>::max(), 0, 0);
  REQUIRE(read_evm_header(header).ok());
  CHECK_EQ(read_evm_header(header)->number, std::numeric_limits<std::uint64_t>::max());
  header.push_back(0);
  CHECK_EQ(std::string(read_evm_header(header).error().code), "evm_header_malformed");
}

TEST_CASE("a token has one form, and what it names has to fit together") {
  const Block block = block_of(300);
  const Parts good(block, 290);
  CHECK_EQ(code_of(good.token()), "verified");
  CHECK_EQ(good.token(), block.token(290));
  const auto changed = [&](auto change) {
    Parts parts = good;
    change(parts);
    return code_of(parts.token());
  };
  CHECK_EQ(changed([](Parts& p) { p.index = 291; }), "evm_inclusion_wrong");
  CHECK_EQ(changed([](Parts& p) { p.index = 65'536; }), "evm_token_malformed");
  CHECK_EQ(changed([](Parts& p) { p.nodes.clear(); }), "evm_inclusion_wrong");
  CHECK_EQ(changed([](Parts& p) { p.nodes.pop_back(); }), "evm_inclusion_wrong");
  CHECK_EQ(changed([](Parts& p) { p.nodes.push_back(p.nodes.back()); }), "evm_inclusion_wrong");
  CHECK_EQ(changed([](Parts& p) { p.nodes.resize(8, p.nodes[0]); }), "evm_token_malformed");
  CHECK_EQ(changed([](Parts& p) { p.nodes[0] = {0x01}; }), "evm_token_malformed");
  CHECK_EQ(changed([](Parts& p) { p.header = RlpWriter().list(); }), "evm_header_malformed");
  CHECK_EQ(changed([](Parts& p) { p.header = {0x01}; }), "evm_token_malformed");
  CHECK_EQ(changed([&](Parts& p) { p.header = block_of(299).header; }), "evm_inclusion_wrong");
  CHECK_EQ(changed([](Parts& p) {
             RlpWriter large;
             large.string(base::Bytes(evm_header_bytes_max, 1));
             p.header = large.list();
           }),
           "evm_token_malformed");
  Block odd = block;   // in its place, and nothing that is read
  odd.transactions[290] = base::Bytes(40, 0x7e);
  odd.header = test_header(odd.transactions, number, seconds);
  CHECK_EQ(code_of(Parts(odd, 290).token()), "evm_transaction_malformed");
  base::Bytes longer = good.token();
  longer.push_back(0);
  CHECK_EQ(code_of(longer), "evm_token_malformed");
  for (const char* hex : {"", "80", "c0", "c1c0", "c3c080c0", "c4c080c080", "c3c0c080"}) {
    const std::string code = code_of(*base::parse_hex(hex));
    CHECK_MESSAGE((code == "evm_token_malformed" || code == "evm_header_malformed"), hex);
  }
  CHECK_EQ(code_of(base::Bytes(evm_token_bytes_max + 1, 0)), "evm_token_malformed");
}

TEST_CASE("a byte changed anywhere makes it another block or nothing") {
  const Block block = block_of(130);
  const base::Bytes token = block.token(129);
  const base::Digest hash = verify_evm_inclusion(token)->block.hash;
  for (std::size_t at = 0; at < token.size(); ++at) {
    for (const unsigned bit : {0u, 7u}) {
      base::Bytes changed = token;
      changed[at] ^= static_cast<std::uint8_t>(1u << bit);
      const auto verified = verify_evm_inclusion(changed);
      // Fields of the header that are not looked at are in its hash.
      REQUIRE_MESSAGE((!verified.ok() || verified->block.hash != hash), at);
    }
    REQUIRE_FALSE(verify_evm_inclusion(base::ByteView(token).first(at)).ok());
  }
}

TEST_CASE("nothing is proved of a block with other transactions") {
  Block block = block_of(5);
  const auto code = [&](std::uint64_t index) { return std::string(prove_evm_inclusion(block.header, block.transactions, index).error().code); };
  CHECK_EQ(code(5), "evm_transactions_root_differs");
  std::swap(block.transactions[1], block.transactions[2]);
  CHECK_EQ(code(0), "evm_transactions_root_differs");
  block.transactions.clear();
  CHECK_EQ(code(0), "evm_transactions_root_differs");
  block.header.pop_back();
  CHECK_EQ(code(0), "evm_header_malformed");
}

}  // namespace crypto
