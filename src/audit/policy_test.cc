#include "audit/policy.h"

#include "audit/signing_for_tests.h"

// clang-format off
#include <doctest/doctest.h>  // last: base/check.h has a CHECK too
// clang-format on

using namespace audit;

namespace {

const TestSigner log_key("log.example/one", NoteKeyKind::ed25519, 1);
std::string witness_line(const std::string& name, std::uint8_t byte) {
  return "witness " + name + " " + to_vkey(TestSigner("w.example/" + name, NoteKeyKind::cosignature_v1, byte).key) + "\n";
}

// The example of C2SP tlog-policy, with keys.
const std::string two_levels = "log " + to_vkey(log_key.key) + "\n\n" + witness_line("X1", 11) + witness_line("X2", 12) + witness_line("X3", 13) +
                               "group X-witnesses 2 X1 X2 X3\n\n" + witness_line("Y1", 21) + witness_line("Y2", 22) + witness_line("Y3", 23) +
                               "group Y-witnesses any Y1 Y2 Y3\n\n group X-and-Y all X-witnesses Y-witnesses\n\tquorum X-and-Y\n";

}  // namespace

TEST_CASE("the specification's example: two of three, and any of three") {
  const auto policy = parse_policy(two_levels);
  REQUIRE(policy.ok());
  CHECK_EQ(policy->witnesses.size(), 6);
  const auto met = [&](std::vector<std::size_t> cosigners) { return policy->satisfied_by(cosigners); };
  CHECK(met({0, 1, 3}));
  CHECK(met({1, 2, 5}));
  CHECK(!met({0, 3, 4, 5}));
  CHECK(!met({0, 1, 2}));
  CHECK(!met({}));
  const auto again = parse_policy(policy_text(*policy));
  REQUIRE(again.ok());
  CHECK_EQ(policy_text(*again), policy_text(*policy));
}

TEST_CASE("a log's former key says until when") {
  const std::string vkey = to_vkey(log_key.key);
  const auto policy = parse_policy("log " + vkey + " https://log.example/\n#holdfast-retired " + vkey + " 120\nquorum none");
  REQUIRE(policy.ok());
  CHECK(policy->logs[0].retired_at == 120u);
  CHECK_EQ(policy->logs[0].url, "https://log.example/");
  CHECK(policy->satisfied_by({}));
  CHECK_EQ(policy_text(*policy), "log " + vkey + " https://log.example/\n#holdfast-retired " + vkey + " 120\nquorum none\n");
  const std::string stamps = "#holdfast-tsa stamps " + std::string(62, 'a') + "01\nquorum none\n";
  const auto with_tsa = parse_policy(stamps);
  REQUIRE(with_tsa.ok());
  CHECK_EQ(with_tsa->tsas[0].name, "stamps");
  CHECK_EQ(with_tsa->tsas[0].fingerprint[31], 1);
  CHECK_EQ(policy_text(*with_tsa), stamps);
  const std::string blocks = "#holdfast-evm-block mainnet 1 21000000 0x" + std::string(62, 'a') + "01\n#holdfast-evm-block mainnet 1 18446744073709551615 0x" +
                             std::string(62, 'a') + "02\nquorum none\n";
  const auto with_blocks = parse_policy(blocks);
  REQUIRE(with_blocks.ok());
  REQUIRE_EQ(with_blocks->evm_blocks.size(), 2);
  CHECK_EQ(with_blocks->evm_blocks[0].name, "mainnet");
  CHECK_EQ(with_blocks->evm_blocks[0].chain_id, 1);
  CHECK_EQ(with_blocks->evm_blocks[0].number, 21'000'000);
  CHECK_EQ(with_blocks->evm_blocks[0].hash[31], 1);
  CHECK_EQ(policy_text(*with_blocks), blocks);
}

TEST_CASE("what is no policy is refused with its line") {
  const std::string log = "log " + to_vkey(log_key.key) + "\n", one = witness_line("one", 1), two = witness_line("two", 2);
  const std::pair<std::string, const char*> bad[] = {
      {"", "there is no quorum line"},
      {log, "there is no quorum line"},
      {"quorum none\nquorum none\n", "line 2"},
      {"quorum nobody\n", "line 1"},
      {log + log + "quorum none\n", "line 2"},
      {one + one + "quorum none\n", "line 2"},
      {"witness none " + one.substr(12) + "quorum none\n", "line 1"},
      {"log " + one.substr(12), "line 1"},
      {"witness one " + to_vkey(log_key.key) + "\n", "line 1"},
      {one + "group g 2 one\nquorum g\n", "line 2"},
      {one + "group g 0 one\nquorum g\n", "line 2"},
      {one + two + "group g 01 one two\nquorum g\n", "line 3"},
      {one + "group g all one one\nquorum g\n", "line 2"},
      {one + "group g all none\nquorum g\n", "line 2"},
      {"group g all later\n" + one, "line 1"},
      {"frobnicate\n", "line 1"},
      {"#holdfast-retired " + to_vkey(log_key.key) + " 5\nquorum none\n", "line 1"},
      {"#holdfast-tsa stamps\nquorum none\n", "line 1"},
      {"#holdfast-tsa stamps " + std::string(63, 'a') + "\nquorum none\n", "line 1"},
      {"#holdfast-tsa stamps " + std::string(64, 'A') + "\nquorum none\n", "line 1"},
      {"#holdfast-tsa a " + std::string(64, 'a') + "\n#holdfast-tsa b " + std::string(64, 'a') + "\nquorum none\n", "line 2"},
      {"#holdfast-evm-block a 1 2\nquorum none\n", "line 1"},
      {"#holdfast-evm-block a 1 2 " + std::string(64, 'a') + "\nquorum none\n", "line 1"},
      {"#holdfast-evm-block a 1 2 0x" + std::string(64, 'A') + "\nquorum none\n", "line 1"},
      {"#holdfast-evm-block a 1 2 0x" + std::string(62, 'a') + "\nquorum none\n", "line 1"},
      {"#holdfast-evm-block a 01 2 0x" + std::string(64, 'a') + "\nquorum none\n", "line 1"},
      {"#holdfast-evm-block a 1 0x2 0x" + std::string(64, 'a') + "\nquorum none\n", "line 1"},
      {"#holdfast-evm-block a 1 18446744073709551616 0x" + std::string(64, 'a') + "\nquorum none\n", "line 1"},
      {"#holdfast-evm-block a 1 2 0x" + std::string(64, 'a') + "\n#holdfast-evm-block b 1 2 0x" + std::string(64, 'a') + "\nquorum none\n", "line 2"},
  };
  for (const auto& [text, where] : bad) {
    const auto policy = parse_policy(text);
    REQUIRE_MESSAGE(!policy.ok(), text);
    CHECK_EQ(std::string(policy.error().code), "policy_malformed");
    CHECK_MESSAGE(policy.error().message.find(where) != std::string::npos, policy.error().message);
  }
}
