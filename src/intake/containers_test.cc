// One P-256 key in containers that other programs made (OpenSSL 3.0, OpenSSH 9.2, keytool 17), password "secret". The files
// are seeds of the container fuzzer as well.
#include <doctest/doctest.h>

#include <algorithm>
#include <fstream>
#include <iterator>
#include <string>

#include "intake/doctor.h"

using namespace intake;

namespace {

std::string file(const std::string& name) {
  std::ifstream in(std::string(HOLDFAST_SOURCE_DIR) + "/fuzz/corpus/intake_container/" + name, std::ios::binary);
  REQUIRE(in);
  return {std::istreambuf_iterator<char>(in), {}};
}

Report look(const std::string& bytes, std::optional<std::string_view> password, Policy policy = {}) {
  Expectations expected;
  expected.kind = Kind::private_key;
  expected.password = password;
  expected.policy = policy;
  return examine(base::as_bytes(bytes), expected);
}

constexpr const char* containers[] = {"modern.p12", "legacy_rc2.p12", "pkcs8_pbe_sha1_rc2_40", "pkcs8_pbe_sha1_rc4_128", "pkcs8_pbe_sha1_3des", "pkcs8_pbe_md5_des",
                                      "pkcs8_pbkdf2", "pkcs8_scrypt", "dek_info.pem", "openssh_encrypted", "store.JKS", "store.JCEKS"};

}  // namespace

TEST_CASE("containers of other programs open to the same key") {
  const std::string wanted = "KplDDJwcNQO8R_ij5l-Ff9L9hknEUePryutDkarAGPU";
  for (const char* name : containers) {
    CAPTURE(name);
    const Report report = look(file(name), "secret");
    REQUIRE(report.usable);
    CHECK_EQ(report.item()->thumbprint, wanted);
  }
}

TEST_CASE("a missing password is told from a wrong one, and neither gives anything out") {
  for (const char* name : containers) {
    CAPTURE(name);
    const std::string bytes = file(name);
    const Report missing = look(bytes, std::nullopt);
    const Report wrong = look(bytes, "Secret");
    const auto has = [](const Report& report, Cause cause) { return std::any_of(report.findings.begin(), report.findings.end(), [&](const Finding& f) { return f.cause == cause; }); };
    CHECK(has(missing, Cause::password_is_missing));
    CHECK(has(wrong, Cause::password_is_wrong));
    CHECK_FALSE(missing.usable);
    CHECK_FALSE(wrong.usable);
    for (const Item& item : wrong.items) CHECK(item.canonical.empty());
  }
}

TEST_CASE("derivations beyond the policy are refused before they start") {
  Policy policy;
  policy.derivation_rounds_max = 3;
  for (const char* name : {"modern.p12", "legacy_rc2.p12", "pkcs8_pbkdf2", "openssh_encrypted"}) {
    CAPTURE(name);
    const Report report = look(file(name), "secret", policy);
    CHECK(std::any_of(report.findings.begin(), report.findings.end(), [](const Finding& f) { return f.cause == Cause::key_derivation_is_too_expensive; }));
  }
}
