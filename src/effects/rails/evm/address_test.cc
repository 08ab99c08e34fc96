#include "effects/rails/evm/address.h"

#include <algorithm>
#include <cctype>


#include <doctest/doctest.h>

namespace effects {
namespace {

// The examples of EIP-55.
constexpr const char* examples[] = {
    "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed", "0xfB6916095ca1df60bB79Ce92cE3Ea74c37c5d359",
    "0xdbF03B407c01E7cD3CBea99509d93f8DDDC8C6FB", "0xD1220A0cf47c7B9Be7A2E6BA89F429762e7b9aDb",
    "0x52908400098527886E0F7030069857D2E4169EE7", "0x8617E340B3D01FA5F11F306F4090FD50E238070D",
    "0xde709f2102306220921060314715629080e2fb77", "0x27b1fdb04752bbc536007a920d24acb045561c26"};

TEST_CASE("the examples of EIP-55 are addresses, and written as they are") {
  for (const char* text : examples) {
    const auto address = parse_evm_address(text);
    REQUIRE(address.has_value());
    CHECK_EQ(to_text(*address), text);
  }
}

TEST_CASE("one letter of the other case is a mistake; all of one case says nothing") {
  const std::string good = examples[0];
  for (std::size_t i = 2; i < good.size(); ++i) {
    std::string wrong = good;
    const auto c = static_cast<unsigned char>(wrong[i]);
    if (!std::isalpha(c)) continue;
    wrong[i] = static_cast<char>(std::isupper(c) ? std::tolower(c) : std::toupper(c));
    CHECK_MESSAGE(!parse_evm_address(wrong).has_value(), wrong);
  }
  std::string lower = good, upper = good;
  std::transform(lower.begin() + 2, lower.end(), lower.begin() + 2, [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  std::transform(upper.begin() + 2, upper.end(), upper.begin() + 2, [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
  CHECK_EQ(parse_evm_address(lower), parse_evm_address(good));
  CHECK_EQ(parse_evm_address(upper), parse_evm_address(good));
}

TEST_CASE("anything else is no address") {
  for (const char* text : {"", "0x", "5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed", "0X5aaeb6053f3e94c9b9a09f33669435e7ef1beaed",
                           "0x5aaeb6053f3e94c9b9a09f33669435e7ef1beae", "0x5aaeb6053f3e94c9b9a09f33669435e7ef1beaed0",
                           "0x5aaeb6053f3e94c9b9a09f33669435e7ef1beaeg", "vitalik.eth"}) {
    CHECK_FALSE(parse_evm_address(text).has_value());
  }
}

}  // namespace
}  // namespace effects
