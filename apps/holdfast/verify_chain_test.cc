// holdfast verify-chain as a script meets it: cases in, answers and exit codes out.

#include <sys/wait.h>

#include <cstdio>

#include "apps/holdfast/chain_case.h"
#include "base/text.h"
#include "crypto/chain/maker_for_tests.h"
#include "io/posix_file.h"
#include "io/temporary_directory.h"
#include "wire/json_writer.h"

#include <doctest/doctest.h>

namespace holdfast {
namespace {

using namespace crypto::chain::making;
namespace chain = crypto::chain;

struct Said {
  int code = -1;
  std::string text;  ///< standard output and error
};
Said run(const std::string& words) {
  Said said;
  FILE* const pipe = ::popen((std::string(HOLDFAST_PROGRAM) + " verify-chain " + words + " 2>&1").c_str(), "r");
  REQUIRE(pipe != nullptr);
  char buffer[4096];
  while (const std::size_t n = std::fread(buffer, 1, sizeof buffer, pipe)) said.text.append(buffer, n);
  const int status = ::pclose(pipe);
  said.code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  return said;
}

std::string pem(const char* label, const Bytes& der) {
  return std::string("-----BEGIN ") + label + "-----\n" + base::to_base64(der) + "\n-----END " + label + "-----\n";
}

// A case for example.com at the beginning of 2026, good as it stands.
struct Draft {
  Key root_key = Key::ec(), ica_key = Key::ec(), leaf_key = Key::ec();
  Spec root = root_spec(root_key);
  Spec ica = intermediate_spec(ica_key, root);
  Spec leaf = leaf_spec(leaf_key, ica);
  bool with_ica = true;
  std::string more;  ///< members to add, `"a":1,`

  std::string json() const {
    std::string out;
    wire::JsonWriter writer(out);
    writer.begin_object();
    writer.key("trusted_certs");
    writer.begin_array();
    writer.string(pem("CERTIFICATE", root.der()));
    writer.end_array();
    writer.key("untrusted_intermediates");
    writer.begin_array();
    if (with_ica) writer.string(pem("CERTIFICATE", ica.der()));
    writer.end_array();
    writer.member("peer_certificate", std::string_view(pem("CERTIFICATE", leaf.der())));
    writer.member("validation_time", "2026-01-05T00:00:00+00:00");
    writer.member("validation_kind", "SERVER");
    writer.key("expected_peer_name");
    writer.begin_object();
    writer.member("kind", "DNS");
    writer.member("value", "example.com");
    writer.end_object();
    writer.key("max_chain_depth");
    writer.null();
    writer.end_object();
    return "{" + more + out.substr(1);
  }
};

class Desk {
 public:
  Said judge(const std::string& json, const std::string& options = "--json") {
    write(json);
    return run("--input " + (place_ / "case.json") + " " + options);
  }
  void write(const std::string& json) { REQUIRE(io::replace_file(files_, place_ / "case.json", base::as_bytes(json)).ok()); }
  std::string file() const { return place_ / "case.json"; }

 private:
  io::RealFileSystem files_;
  io::TemporaryDirectory place_;
};

// A string member of a reply, `certificate/role` for one inside of another.
std::string member(const Said& said, std::string_view path) {
  const auto document = wire::parse_json(base::as_bytes(said.text));
  REQUIRE_MESSAGE(document.ok(), said.text);
  auto value = std::optional(document->root());
  while (value && !path.empty()) {
    const std::size_t end = std::min(path.find('/'), path.size());
    value = value->find(path.substr(0, end));
    path.remove_prefix(std::min(end + 1, path.size()));
  }
  if (!value) return "(absent)";
  if (const auto flag = value->boolean()) return *flag ? "true" : "false";
  if (const auto number = value->uint64()) return std::to_string(*number);
  return std::string(value->string().value_or("(not a string)"));
}

}  // namespace

TEST_CASE("verify-chain accepts a good case from a file and from standard input") {
  Desk desk;
  const Draft draft;
  const Said said = desk.judge(draft.json());
  CHECK_EQ(said.code, 0);
  CHECK_EQ(member(said, "accept"), "true");
  CHECK_EQ(member(said, "code"), "path_is_valid");
  CHECK_EQ(member(said, "profile"), "webpki");
  const Said piped = run("--input - --json < " + desk.file());
  CHECK_EQ(piped.code, 0);
  CHECK_EQ(piped.text, said.text);
  const Said readable = desk.judge(draft.json(), "");
  CHECK_EQ(readable.code, 0);
  CHECK_NE(readable.text.find("accepted: the path is valid"), std::string::npos);
}

TEST_CASE("verify-chain refuses with a code, the certificate and what to do") {
  Desk desk;
  Draft draft;
  draft.ica.not_after = "20250101000000Z";
  Said said = desk.judge(draft.json());
  CHECK_EQ(said.code, 1);
  CHECK_EQ(member(said, "accept"), "false");
  CHECK_EQ(member(said, "code"), "certificate_is_expired");
  CHECK_EQ(member(said, "certificate/role"), "intermediate");
  CHECK_EQ(member(said, "certificate/index"), "0");
  CHECK_EQ(member(said, "certificate/subject"), "CN=ica");
  CHECK_NE(member(said, "remedy_zh"), "(absent)");

  Draft missing;
  missing.with_ica = false;
  said = desk.judge(missing.json());
  CHECK_EQ(said.code, 1);
  CHECK_EQ(member(said, "code"), "chain_misses_intermediate");
  CHECK_EQ(member(said, "missing/issuer"), "CN=ica");

  Draft revoked;
  ListSpec list, above;
  list.signer = revoked.ica_key;
  list.revoke({0x4A}, std::uint8_t{1});
  above.signer = revoked.root_key;
  above.issuer = name("root");
  std::string quoted;
  wire::JsonWriter writer(quoted);
  writer.begin_array();
  writer.string(pem("X509 CRL", list.der()));
  writer.string(pem("X509 CRL", above.der()));
  writer.end_array();
  revoked.more = "\"crls\":" + quoted + ",";
  said = desk.judge(revoked.json());
  CHECK_EQ(said.code, 1);
  CHECK_EQ(member(said, "code"), "certificate_is_revoked");
  CHECK_EQ(member(said, "revocation_policy"), "hard");
  // Nobody who asks for revocation gets "good" out of nothing; soft fail is a choice.
  Draft unknown;
  unknown.more = R"("revocation":"hard",)";
  CHECK_EQ(member(desk.judge(unknown.json()), "code"), "revocation_is_unknown");
  unknown.more = R"("revocation":"soft",)";
  said = desk.judge(unknown.json());
  CHECK_EQ(said.code, 0);
  CHECK_NE(said.text.find("revocation_is_unknown"), std::string::npos);
}

TEST_CASE("verify-chain refuses a leaf that cannot be read, and steps over other certificates that cannot") {
  Desk desk;
  const Draft draft;
  std::string json = draft.json();
  const std::size_t at = json.find("\"peer_certificate\":\"") + 20;
  json.replace(at, json.find('"', at) - at, "-----BEGIN CERTIFICATE-----\\nAAAA\\n-----END CERTIFICATE-----");
  Said said = desk.judge(json);
  CHECK_EQ(said.code, 1);
  CHECK_EQ(member(said, "code"), "certificate_is_malformed");
  CHECK_EQ(member(said, "certificate/role"), "leaf");
  json = draft.json();
  json.insert(json.find("\"trusted_certs\":[") + 17, "\"no certificate!\",");
  said = desk.judge(json);
  CHECK_EQ(said.code, 0);
  CHECK_NE(said.text.find("neither PEM nor base64"), std::string::npos);
}

TEST_CASE("verify-chain calls misuse what is no case") {
  Desk desk;
  Draft draft;
  const auto refused = [&](const std::string& json, const char* why) {
    const Said said = desk.judge(json);
    CHECK_EQ(said.code, 2);
    CHECK_MESSAGE(said.text.find(why) != std::string::npos, said.text);
  };
  refused("{", "is not JSON");
  refused("[]", "chain_case_malformed");
  refused("{}", "/trusted_certs");
  draft.more = R"("crl":[],)";
  refused(draft.json(), "did you mean crls?");
  draft.more = R"("profile":"browser",)";
  refused(draft.json(), "must be webpki, rfc5280 or private");
  draft.more = R"("revocation":"maybe",)";
  refused(draft.json(), "must be off, soft or hard");
  draft.more = R"("key_usage":["sign"],)";
  refused(draft.json(), "/key_usage");
  draft.more = R"("extended_key_usage":["tls"],)";
  refused(draft.json(), "/extended_key_usage");
  draft.more = R"("observed_times":["yesterday"],)";
  refused(draft.json(), "/observed_times");
  draft.more = R"("policy":{"acceptable_policies":["x"]},)";
  refused(draft.json(), "/policy/acceptable_policies");
  draft.more = R"("expected_peer_names":[{"kind":"URL","value":"x"}],)";
  refused(draft.json(), "kind must be DNS, IP or RFC822");
  draft.more = R"("minimum_rsa_bits":512,"ocsp_nonce":"zz","revocation_scope":"all",)";
  refused(draft.json(), "/minimum_rsa_bits");
  CHECK_EQ(run("").code, 2);
  CHECK_EQ(run("--input /does/not/exist --json").code, 2);
  CHECK_EQ(run("--input " + desk.file() + " --profile browser").code, 2);
}

TEST_CASE("verify-chain judges a whole suite") {
  Desk desk;
  Draft good, bad;
  good.more = R"("id":"rfc5280::good","expected_result":"SUCCESS","features":null,"peer_certificate_key":null,)";
  bad.more = R"("id":"webpki::bad","expected_result":"FAILURE",)";
  bad.leaf.serial = {0};
  Said said = desk.judge("{\"version\":1,\"testcases\":[" + good.json() + "," + bad.json() + "]}");
  CHECK_EQ(said.code, 0);
  CHECK_EQ(member(said, "cases"), "2");
  CHECK_EQ(member(said, "as_expected"), "2");
  bad.more = R"("id":"webpki::bad","expected_result":"SUCCESS",)";
  said = desk.judge("{\"testcases\":[" + bad.json() + "]}", "");
  CHECK_EQ(said.code, 1);
  CHECK_NE(said.text.find("DIFFERS webpki::bad: certificate_serial_is_bad"), std::string::npos);
}

TEST_CASE("times with offsets and dotted identifiers") {
  CHECK_EQ(parse_time("2026-01-05T00:00:00+00:00")->ns, parse_time("2026-01-05T00:00:00Z")->ns);
  CHECK_EQ(parse_time("2026-01-05T08:00:00.5+08:00")->ns, parse_time("2026-01-05T00:00:00.5Z")->ns);
  for (const char* bad : {"", "2026-01-05", "2026-01-05T00:00:00", "2026-01-05T00:00:00+24:00", "2026-01-05T00:00:00+0000", "2026-13-05T00:00:00+00:00"}) {
    CAPTURE(bad);
    CHECK_FALSE(parse_time(bad).has_value());
  }
  CHECK_EQ(*parse_dotted("1.3.6.1.5.5.7.3.1"), base::to_bytes(chain::oid::server_auth.view()));
  CHECK_EQ(*parse_dotted("2.999"), (Bytes{0x88, 0x37}));
  for (const char* bad : {"", "1", "3.1", "1.40", "1..2", "1.2.", "1.02", "a.b"}) {
    CAPTURE(bad);
    CHECK_FALSE(parse_dotted(bad).has_value());
  }
}

}  // namespace holdfast
