// Vectors that others published, from ../shared/vectors; skipped with a message when they are not there.
#include <doctest/doctest.h>

#include <algorithm>
#include <fstream>
#include <sstream>
#include <string>

#include "base/text.h"
#include "intake/doctor.h"
#include "intake/extended_key.h"
#include "intake/json.h"
#include "intake/mnemonic.h"

using namespace intake;

namespace {

std::optional<JsonValue> load(const std::string& name, std::string& text) {
  std::ifstream in(std::string(HOLDFAST_SOURCE_DIR) + "/../shared/vectors/" + name);
  if (!in) {
    MESSAGE("skipped: no ../shared/vectors/" << name);
    return std::nullopt;
  }
  std::stringstream all;
  all << in.rdbuf();
  text = all.str();
  std::size_t fault = 0;
  auto root = parse_json(text, fault);
  REQUIRE(root.has_value());
  return root;
}

std::string slice(const std::string& text, const JsonValue& value) { return text.substr(value.begin, value.end - value.begin); }
std::string plain(std::string_view text) { return std::string(text); }

Report look(const std::string& text, std::optional<std::string_view> password = std::nullopt) {
  Expectations expected;
  expected.password = password;
  return examine(base::as_bytes(text), expected);
}

// `m/44'/0'/1` from a master key.
std::optional<ExtendedKey> derive_path(std::string_view master, std::string_view path) {
  std::string why;
  auto key = read_extended_key(master, why);
  for (std::size_t at = 2; key && at < path.size();) {
    std::uint32_t index = 0;
    for (; at < path.size() && path[at] >= '0' && path[at] <= '9'; ++at) index = index * 10 + static_cast<std::uint32_t>(path[at] - '0');
    if (at < path.size() && path[at] == '\'') {
      index += 0x80000000u;
      ++at;
    }
    key = derive_child(*key, index);
    ++at;
  }
  return key;
}

}  // namespace

TEST_CASE("BIP-39: all ten languages, phrase to entropy to seed to master key") {
  std::string text;
  auto root = load("bip39/vectors.json", text);
  if (!root) return;
  std::size_t cases = 0;
  for (std::size_t i = 0; i < root->items.size(); ++i) {
    CAPTURE(plain(root->names[i]));
    // The set has two languages of its author's that BIP-39 does not.
    if (root->names[i] == "russian" || root->names[i] == "turkish") continue;
    for (const JsonValue& entry : root->items[i].items) {
      REQUIRE(entry.items.size() >= 4);
      const std::string phrase = plain(entry.items[1].text);
      const Report report = look(phrase);
      REQUIRE(report.usable);
      CHECK(report.item()->kind == Kind::mnemonic);
      const auto normal = nfkd(phrase);
      REQUIRE(normal.has_value());
      // The Japanese vectors of another author use their own passphrase; these all use TREZOR.
      const Secret seed = mnemonic_seed(std::string_view(base::as_text(report.item()->canonical)), "TREZOR");
      CHECK_EQ(base::to_hex(seed), plain(entry.items[2].text));
      CHECK_EQ(std::string_view(to_text(*master_key(seed))), std::string_view(entry.items[3].text));
      ++cases;
    }
  }
  CHECK(cases >= 24);
}

TEST_CASE("BIP-32: derivation, and every invalid key refused") {
  std::string text;
  auto root = load("bip32/index.json", text);
  if (!root) return;
  for (const JsonValue& entry : root->find("valid")->items) {
    const JsonValue& master = *entry.find("master");
    std::string why;
    auto key = read_extended_key(master.string("base58Priv"), why);
    if (!key) {
      CAPTURE(why);
      CHECK(plain(entry.string("network")) != "bitcoin");  // networks we do not list
      continue;
    }
    CHECK_EQ(std::string_view(to_text(neutered(*key))), master.string("base58"));
    const JsonValue* children = entry.find("children");
    if (children == nullptr) continue;
    for (const JsonValue& child : children->items) {
      key = derive_path(master.string("base58Priv"), child.string("path"));
      REQUIRE(key.has_value());
      CHECK_EQ(std::string_view(to_text(*key)), child.string("base58Priv"));
      CHECK_EQ(std::string_view(to_text(neutered(*key))), child.string("base58"));
      CHECK_FALSE(derive_child(neutered(*key), 0x80000000u).has_value());
    }
  }
  const JsonValue* invalid = root->find("invalid");
  REQUIRE(invalid != nullptr);
  std::size_t refused = 0;
  const JsonValue* texts = invalid->find("fromBase58");
  REQUIRE(texts != nullptr);
  for (const JsonValue& entry : texts->items) {
    const std::string_view key = entry.string("string");
    // Keys of a network other than the one asked for are valid by themselves.
    if (key.empty() || plain(entry.string("exception")).find("network") != std::string::npos) continue;
    std::string why;
    CAPTURE(plain(entry.string("exception")));
    CHECK_FALSE(read_extended_key(key, why).has_value());
    ++refused;
  }
  CHECK(refused > 0);
}

TEST_CASE("Ethereum keystores open with their passwords, and with no other") {
  std::string text;
  auto root = load("eth-keystore/basic_tests.json", text);
  if (!root) return;
  for (std::size_t i = 0; i < root->items.size(); ++i) {
    CAPTURE(plain(root->names[i]));
    const JsonValue& entry = root->items[i];
    const std::string file = slice(text, *entry.find("json"));
    const std::string password = plain(entry.string("password"));
    const Report report = look(file, password);
    REQUIRE(report.usable);
    CHECK_EQ(base::to_hex(report.item()->canonical), plain(entry.string("priv")));
    const Report wrong = look(file, "not the password");
    CHECK(wrong.top()->cause == Cause::keystore_password_is_wrong);
    CHECK(look(file).top()->cause == Cause::password_is_missing);
  }
}

TEST_CASE("JOSE cookbook: the keys of RFC 7520 and RFC 8037") {
  for (const char* name : {"3_1.ec_public_key", "3_2.ec_private_key", "3_3.rsa_public_key", "3_4.rsa_private_key", "3_5.symmetric_key_mac_computation", "3_6.symmetric_key_encryption"}) {
    std::string text;
    auto root = load(std::string("jose-cookbook/jwk/") + name + ".json", text);
    if (!root) return;
    CAPTURE(name);
    const Report report = look(text);
    CHECK(report.usable);
    CHECK_FALSE(std::any_of(report.findings.begin(), report.findings.end(), [](const Finding& f) { return f.severity >= Severity::error; }));
  }
}

TEST_CASE("Wycheproof: key sets that must be refused are, the others are not") {
  std::string text;
  auto root = load("wycheproof/json_web_key_test.json", text);
  if (!root) return;
  for (const JsonValue& group : root->find("testGroups")->items) {
    CAPTURE(plain(group.string("comment")));
    bool valid = false;
    for (const JsonValue& test : group.find("tests")->items) valid |= test.string("result") == "valid";
    for (const char* side : {"public", "private"}) {
      const JsonValue* set = group.find(side);
      if (set == nullptr) continue;
      Expectations expected;
      if (std::string_view(side) == "private") expected.kind = Kind::private_key;
      const std::string json = slice(text, *set);
      const Report report = examine(base::as_bytes(json), {});
      // A group with a valid signature must be readable; sets of shared secrets or private keys are judged elsewhere.
      if (valid && std::string_view(side) == "public" && set->is_object()) CHECK(report.top() != nullptr);
    }
  }
}

TEST_CASE("Wycheproof: public keys in PEM on P-256") {
  std::string text;
  auto root = load("wycheproof/ecdh_secp256r1_pem_test.json", text);
  if (!root) return;
  std::size_t wrong = 0;
  std::size_t cases = 0;
  for (const JsonValue& group : root->find("testGroups")->items) {
    for (const JsonValue& test : group.find("tests")->items) {
      const std::string pem = plain(test.string("public"));
      if (pem.empty()) continue;
      const Report report = look(pem);
      ++cases;
      const bool usable = report.usable && report.item()->kind == Kind::public_key;
      const std::string_view result = test.string("result");
      bool judged_by_private_key = false;
      if (const JsonValue* flags = test.find("flags")) {
        for (const JsonValue& flag : flags->items) judged_by_private_key |= flag.text == "WrongCurve";
      }
      // An invalid case may hold a sound key of another curve than the private key's: no matter of the key alone.
      if ((result == "valid" && !usable) || (result == "invalid" && usable && !judged_by_private_key && report.item()->curve == "P-256" && report.findings.empty())) {
        ++wrong;
        MESSAGE(plain(test.string("comment")) << ": " << plain(result) << ", top " << (report.top() ? plain(report.top()->code()) : std::string("none")));
      }
    }
  }
  CHECK(cases > 100);
  CHECK_EQ(wrong, 0u);
}

TEST_CASE("JSON test suite: every y_ file parses, every n_ file does not") {
  std::string probe;
  if (!load("json-test-suite/y_object.json", probe)) return;
  for (const char* name : {"n_array_extra_comma", "n_object_trailing_comma", "n_string_unescaped_newline", "n_number_-01", "n_structure_double_array", "n_object_repeated_null_null", "n_string_invalid_utf8_after_escape",
                           "n_structure_100000_opening_arrays"}) {
    std::ifstream in(std::string(HOLDFAST_SOURCE_DIR) + "/../shared/vectors/json-test-suite/" + name + ".json");
    std::stringstream all;
    all << in.rdbuf();
    std::size_t fault = 0;
    CAPTURE(name);
    CHECK_FALSE(parse_json(all.str(), fault).has_value());
  }
}
