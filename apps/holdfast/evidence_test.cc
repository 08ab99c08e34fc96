// Evidence from the real program: fetched over HTTPS, checked by both verifiers, changed byte by byte, and kept good over
// erasure and a change of the log's key.
//
// HOLDFAST_EVIDENCE_FLIPS=all flips every byte of every bundle in both verifiers (some minutes); otherwise a sample.

#include <array>
#include <cstdio>
#include <cstdlib>

#include "apps/holdfast/command.h"
#include "apps/holdfast/load.h"
#include "apps/holdfast/service_process.h"
#include "audit/evidence_check.h"
#include "base/text.h"
#include "crypto/evm/block_for_tests.h"
#include "crypto/evm/inclusion.h"
#include "crypto/keccak.h"
#include "crypto/time_stamping_test.h"
#include "io/posix_file.h"
#include "io/process.h"
#include "io/temporary_directory.h"
#include "node/anchors.h"

#include <doctest/doctest.h>

namespace holdfast {
namespace {

const std::string program = HOLDFAST_PROGRAM;
const std::string verifier = HOLDFAST_SOURCE_DIR "/apps/verify-js/";

struct Said {
  int code = -1;
  std::string text;
};
/// Runs a command line through the shell; standard output and the exit code.
Said run(const std::string& line) {
  Said said;
  FILE* const pipe = ::popen((line + " 2>&1").c_str(), "r");
  REQUIRE(pipe != nullptr);
  char buffer[4096];
  while (const std::size_t n = std::fread(buffer, 1, sizeof buffer, pipe)) said.text.append(buffer, n);
  const int status = ::pclose(pipe);
  said.code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  return said;
}

bool has_node() { return run("node -e 'crypto.subtle.importKey(\"raw\",new Uint8Array(32),{name:\"Ed25519\"},false,[\"verify\"]).catch(e=>process.exit(e.name===\"NotSupportedError\"?1:0))'").code == 0; }

class Place {
 public:
  Place() { io::ignore_broken_pipes(); }
  void start() {
    auto started = ServiceProcess::start(program, data(), place_ / "messages");
    REQUIRE_MESSAGE(started.ok(), (started.ok() ? std::string() : started.error().message));
    service = std::move(*started);
    client = std::move(ApiClient::open(files, *load_credentials(files, data() + "/dev/client.json")).value());
  }
  void stop() {
    client.reset();
    REQUIRE(service->stop() == exit_done);
  }
  std::string data() const { return place_ / "data"; }
  std::string file(const std::string& name) const { return place_ / name; }
  std::string post(const std::string& path, const std::string& body) {
    const auto reply = client->call({.method = "POST", .path = path, .query = {}, .body = body, .key = "k" + std::to_string(++keys)});
    REQUIRE(reply.ok());
    REQUIRE_MESSAGE(reply->good(), reply->body);
    return reply->body;
  }
  std::string transfer(const std::string& more) {
    return json_text(post("/v1/transfers", R"({"debit_account":"users/a","credit_account":"users/b","asset":"USD/2")" + more + "}"), "id");
  }
  std::string evidence(const std::string& id, const std::string& query = {}) {
    const auto reply = client->call({.path = "/v1/transfers/" + id + "/evidence", .query = query});
    REQUIRE(reply.ok());
    REQUIRE_MESSAGE(reply->good(), reply->body);
    return reply->body;
  }
  void write(const std::string& name, const std::string& text) { REQUIRE(io::replace_file(files, file(name), base::as_bytes(text)).ok()); }
  Said tool(const std::string& words) { return run(program + " " + words); }

  io::RealFileSystem files;
  std::unique_ptr<ServiceProcess> service;
  std::unique_ptr<ApiClient> client;
  int keys = 0;

 private:
  io::TemporaryDirectory place_;
};

}  // namespace

TEST_CASE("evidence of every kind of transfer holds for both verifiers, and no changed byte does") {
  Place place;
  place.start();
  place.post("/v1/assets", R"({"code":"USD/2"})");
  for (const char* name : {"a", "b"}) place.post("/v1/accounts", R"({"id":"users/)" + std::string(name) + R"(","asset":"USD/2"})");
  place.post("/v1/transfers", R"({"debit_account":"world/USD","credit_account":"users/a","amount":"100000","asset":"USD/2"})");
  std::vector<std::string> ids;
  for (int round = 0; round < 4; ++round) {
    ids.push_back(place.transfer(R"(,"amount":"10","reference":"Rechnung № )" + std::to_string(round) + R"( <b>","metadata":{"k":"v"})"));
    ids.push_back(place.transfer(R"(,"amount":"7","hold":true)"));
    ids.push_back(place.transfer(R"(,"amount":"9","hold":true,"reference":"r")"));
    place.post("/v1/transfers/" + ids.back() + "/capture", R"({"amount":"5"})");
    ids.push_back(place.transfer(R"(,"amount":"1","hold":true)"));
    place.post("/v1/transfers/" + ids.back() + "/void", "{}");
    ids.push_back(place.transfer(R"(,"amount":"3")"));
  }
  std::vector<std::string> bundles;
  std::string paths;
  for (std::size_t i = 0; i < ids.size(); ++i) {
    bundles.push_back(place.evidence(ids[i]));
    place.write("evidence-" + std::to_string(i) + ".json", bundles.back());
    paths += " " + place.file("evidence-" + std::to_string(i) + ".json");
  }
  REQUIRE_EQ(bundles.size(), 20);
  const std::string undisclosed = place.evidence(ids[0], "disclose=none");
  CHECK(undisclosed.find("\"salt\"") == std::string::npos);
  CHECK(bundles[0].find("\"transfer_reference\"") != std::string::npos);

  // As a stranger with the public parts only.
  CHECK(place.tool("audit checkpoint --data " + place.data()).text.find("\n— holdfast/") != std::string::npos);
  CHECK(place.tool("audit proof " + ids[3] + " --data " + place.data()).text.starts_with("c2sp.org/tlog-proof@v1\nindex "));
  CHECK(place.tool("audit consistency 3 --data " + place.data()).code == 0);
  CHECK(place.tool("audit consistency 0 --data " + place.data()).code == 1);
  CHECK(place.tool("audit proof 99999 --data " + place.data()).code == 1);
  Credentials nobody = *load_credentials(place.files, place.data() + "/dev/client.json");
  nobody.token = "hfa_AAAA";
  const auto stranger = ApiClient::open(place.files, nobody).value();
  CHECK(stranger->call({.path = "/v1/audit/checkpoint"})->good());
  CHECK(stranger->call({.path = "/v1/audit/tile/0/000.p/5"})->body.size() == 160);
  CHECK(stranger->call({.path = "/v1/audit/tile/0/000"})->status == 404);
  CHECK(stranger->call({.path = "/v1/audit/tile/00/000.p/5"})->status == 404);
  CHECK(stranger->call({.path = "/v1/audit/tile/entries/000.p/5"})->status == 401);
  CHECK(place.client->call({.path = "/v1/audit/tile/entries/000.p/5"})->good());
  CHECK(place.client->call({.path = "/v1/transfers/tr_0000000zzzzzz/evidence"})->status == 404);
  place.stop();

  const Said policy_said = place.tool("audit policy --data " + place.data());
  REQUIRE_MESSAGE(policy_said.code == 0, policy_said.text);
  place.write("policy.txt", policy_said.text);
  const std::string with_policy = " --policy " + place.file("policy.txt");
  const auto policy = audit::parse_policy(policy_said.text);
  REQUIRE(policy.ok());
  for (std::size_t i = 0; i < bundles.size(); ++i) {
    const Said said = place.tool("verify " + place.file("evidence-" + std::to_string(i) + ".json") + with_policy);
    REQUIRE_MESSAGE(said.code == 0, said.text);
    CHECK(said.text.find("Split view: not excluded") != std::string::npos);
  }
  CHECK(audit::check_evidence(undisclosed, *policy, {}).ok());
  CHECK(place.tool("verify " + place.file("evidence-0.json") + with_policy + " --html " + place.file("page.html")).text.find("users/a") != std::string::npos);
  CHECK(place.tool("verify " + place.file("evidence-0.json") + with_policy + " --require witness:1").text.find("too_few_witnesses") != std::string::npos);
  CHECK(place.tool("verify " + place.file("evidence-0.json") + with_policy + " --require moon:1").code != 0);
  CHECK(place.tool("verify " + place.file("evidence-0.json")).code != 0);
  CHECK(place.tool("verify " + place.file("page.html") + with_policy + " --json").text.find("\"code\":\"evidence_malformed\"") != std::string::npos);

  const char* const wanted = std::getenv("HOLDFAST_EVIDENCE_FLIPS");
  const bool all = wanted != nullptr && std::string_view(wanted) == "all";
  const std::size_t stride = all ? 1 : 101;
  std::uint64_t flips = 0;
  for (const std::string& bundle : bundles) {
    for (std::size_t at = 0; at < bundle.size(); at += stride, ++flips) {
      std::string changed = bundle;
      changed[at] = static_cast<char>(changed[at] ^ (1 << (at % 8)));
      REQUIRE_MESSAGE(!audit::check_evidence(changed, *policy, {}).ok(), at);
    }
  }
  MESSAGE("bytes flipped: " << flips);
  if (has_node()) {
    const Said js = run("node " + verifier + "verify.mjs " + place.file("evidence-0.json") + with_policy);
    CHECK_MESSAGE(js.code == 0, js.text);
    CHECK(js.text.find("0.10 USD/2") != std::string::npos);
    const Said flipped = run("node " + verifier + "flip.mjs " + place.file("policy.txt") + " " + std::to_string(all ? 1 : 997) + paths);
    CHECK_MESSAGE(flipped.code == 0, flipped.text);
    MESSAGE(flipped.text);
  } else {
    MESSAGE("no node with Ed25519 here: the second verifier was not tried");
  }

  // Erasure: the value and its salt go; evidence given out before stays good, as do journal, tree and state.
  const Said erased = place.tool("audit erase " + ids[0] + " transfer_reference --data " + place.data());
  CHECK_MESSAGE(erased.code == 0, erased.text);
  CHECK(place.tool("audit erase " + ids[1] + " transfer_reference --data " + place.data()).code == 1);
  CHECK(place.tool("audit erase " + ids[1] + " moon --data " + place.data()).code == 2);
  const Said verified = place.tool("audit verify --data " + place.data());
  CHECK_MESSAGE(verified.code == 0, verified.text);
  const Said rolled = place.tool("audit rollover --data " + place.data());
  CHECK_MESSAGE(rolled.code == 0, rolled.text);
  place.start();
  const std::string after = place.evidence(ids[0]);
  CHECK(after.find("\"transfer_reference\"") == std::string::npos);
  CHECK(after.find("\"transfer_metadata\"") != std::string::npos);
  CHECK(place.client->call({.path = "/v1/transfers/" + ids[0]})->body.find("Rechnung") == std::string::npos);
  place.transfer(R"(,"amount":"4")");   // so that a snapshot is taken again
  place.stop();
  CHECK_EQ(std::string(audit::check_evidence(after, *policy, {}).error().code), "note_signed_by_no_known_key");
  const auto newer = audit::parse_policy(place.tool("audit policy --data " + place.data()).text);
  REQUIRE(newer.ok());
  CHECK_EQ(newer->logs.size(), 2);
  CHECK(audit::check_evidence(after, *newer, {}).ok());
  CHECK(audit::check_evidence(bundles[0], *newer, {}).ok());
  // One changed byte anywhere, and the deep check says where.
  const auto flip = [&](const std::string& path, std::uint64_t at) {
    const auto file = place.files.open(path, io::OpenMode::read_write);
    REQUIRE(file.ok());
    std::array<std::uint8_t, 1> byte{};
    REQUIRE((*file)->read_at(at, byte).ok());
    byte[0] ^= 4;
    REQUIRE((*file)->write_at(at, byte).ok());
  };
  const auto snapshots = place.files.list(place.data() + "/snapshots");
  REQUIRE(snapshots.ok());
  REQUIRE(!snapshots->empty());
  constexpr std::uint64_t somewhere = 300;
  constexpr std::uint64_t in_the_first_table = 4086;   // the end of SQLite's first page: how a table was made
  for (const auto& [name, at] : {std::pair(std::string("journal/00000001.seg"), somewhere), std::pair("snapshots/" + snapshots->back(), somewhere),
                                 std::pair(std::string("deliveries.sqlite"), in_the_first_table)}) {
    flip(place.data() + "/" + name, at);
    const Said damaged = place.tool("audit verify --data " + place.data());
    CHECK_MESSAGE(damaged.code == 1, damaged.text);
    CHECK_MESSAGE(damaged.text.find(name) != std::string::npos, damaged.text);
    flip(place.data() + "/" + name, at);
  }
  CHECK(place.tool("audit verify --data " + place.data() + " --json").text.find("\"sound\":true") != std::string::npos);
  CHECK(run("grep -rl 'Rechnung № 0' " + place.data()).text.empty());
}

TEST_CASE("a checkpoint is time-stamped while the service works, and evidence made after it carries the time-stamp") {
  const crypto::TestTimeStampAuthority authority("Stamps"), other("Others");
  Place place;
  place.start();
  place.post("/v1/assets", R"({"code":"USD/2"})");
  for (const char* name : {"a", "b"}) place.post("/v1/accounts", R"({"id":"users/)" + std::string(name) + R"(","asset":"USD/2"})");
  place.post("/v1/transfers", R"({"debit_account":"world/USD","credit_account":"users/a","amount":"100000","asset":"USD/2"})");
  const std::string id = place.transfer(R"(,"amount":"10")");
  const std::string before = place.evidence(id);
  CHECK(before.find("\"anchors\":[]") != std::string::npos);

  const std::string anchor = "audit anchor --data " + place.data() + " ";
  const auto line_of = [](const crypto::TestTimeStampAuthority& tsa) { return "#holdfast-tsa stamps " + base::to_hex(tsa.ca_fingerprint()) + "\n"; };
  place.write("believed.txt", line_of(authority) + "quorum none\n");
  place.write("believed-other.txt", line_of(other) + "quorum none\n");
  CHECK_EQ(place.tool(anchor).code, exit_misuse);
  CHECK(place.tool(anchor + "--tsa-request " + place.file("no.tsq") + " --tsa-policy moon").text.find("time_stamp_policy_malformed") != std::string::npos);
  const Said asked = place.tool(anchor + "--tsa-request " + place.file("ask.tsq"));
  REQUIRE_MESSAGE(asked.code == 0, asked.text);
  const auto request = io::read_whole_file(place.files, place.file("ask.tsq"), 4096);
  REQUIRE(request.ok());
  place.write("answer.tsr", std::string(base::as_text(authority.answer(*request, 1'790'000'000))));
  const std::string answered = anchor + "--tsa-response " + place.file("answer.tsr");
  CHECK_EQ(place.tool(answered).code, exit_misuse);
  CHECK(place.tool(answered + " --policy " + place.file("believed-other.txt")).text.find(base::to_hex(authority.own_fingerprint())) != std::string::npos);
  const Said stored = place.tool(answered + " --policy " + place.file("believed.txt") + " --json");
  CHECK_MESSAGE(stored.code == 0, stored.text);
  CHECK(stored.text.find("\"authority\":\"stamps\",\"at\":\"2026-09-21T") != std::string::npos);
  CHECK_EQ(place.tool(answered + " --policy " + place.file("believed.txt")).code, exit_failed);

  const std::string later = place.transfer(R"(,"amount":"11")");
  place.write("stamped.json", place.evidence(id));
  place.write("later.json", place.evidence(later));
  place.write("before.json", before);
  place.stop();
  place.write("policy.txt", line_of(authority) + place.tool("audit policy --data " + place.data()).text);
  const auto verify = [&](const std::string& name, const std::string& more) {
    return place.tool("verify " + place.file(name) + " --policy " + place.file("policy.txt") + more);
  };
  const Said holds = verify("stamped.json", " --require anchor:1");
  CHECK_MESSAGE(holds.code == 0, holds.text);
  CHECK(holds.text.find("Time-stamped: by stamps at 2026-09-21T") != std::string::npos);
  CHECK(verify("stamped.json", " --require anchor:2").text.find("too_few_anchors") != std::string::npos);
  for (const char* name : {"before.json", "later.json"}) {
    CHECK_EQ(verify(name, "").code, 0);
    CHECK(verify(name, " --require anchor:1").text.find("too_few_anchors") != std::string::npos);
  }
  if (has_node()) {
    const std::string js = "node " + verifier + "verify.mjs " + place.file("stamped.json") + " --policy " + place.file("policy.txt");
    const Said second = run(js);
    CHECK_MESSAGE(second.code == 0, second.text);
    CHECK(second.text.find("anchor not checked") != std::string::npos);
    const Said required = run(js + " --require anchor:1");
    CHECK_EQ(required.code, 1);
    CHECK(required.text.find("anchor_not_checked") != std::string::npos);
    const Said flipped = run("node " + verifier + "flip.mjs " + place.file("policy.txt") + " 499 " + place.file("stamped.json"));
    CHECK_MESSAGE(flipped.code == 0, flipped.text);
  }

  CHECK_EQ(place.tool("audit verify --data " + place.data()).code, 0);
  const std::string shelf = place.data() + "/audit/anchors";
  const auto names = place.files.list(shelf);
  REQUIRE(names.ok());
  REQUIRE_EQ(names->size(), 1);
  REQUIRE(io::replace_file(place.files, shelf + "/" + names->front(), base::as_bytes("another")).ok());
  const Said damaged = place.tool("audit verify --data " + place.data());
  CHECK_EQ(damaged.code, 1);
  CHECK_MESSAGE(damaged.text.find(names->front()) != std::string::npos, damaged.text);
}

TEST_CASE("a transaction anchors a checkpoint, and both verifiers find it in the block that the policy names") {
  Place place;
  place.start();
  place.post("/v1/assets", R"({"code":"USD/2"})");
  for (const char* name : {"a", "b"}) place.post("/v1/accounts", R"({"id":"users/)" + std::string(name) + R"(","asset":"USD/2"})");
  place.post("/v1/transfers", R"({"debit_account":"world/USD","credit_account":"users/a","amount":"100000","asset":"USD/2"})");
  const std::string id = place.transfer(R"(,"amount":"10")");
  place.evidence(id);   // a checkpoint that covers it was published

  const std::string anchor = "audit anchor --data " + place.data() + " ";
  const Said asked = run(program + " " + anchor + "--evm-ask --json");
  REQUIRE_MESSAGE(asked.code == 0, asked.text);
  const std::string calldata = json_text(asked.text, "calldata");
  CHECK(place.tool(anchor + "--evm-ask").text.find(calldata) != std::string::npos);
  for (const char* misused : {"--evm-ask --tsa-request x", "--evm-transaction 0x12", "--evm-transaction 0x12 --evm-node http://127.0.0.1:1",
                              "--evm-transaction moon --evm-node http://127.0.0.1:1"}) {
    CHECK_MESSAGE(place.tool(anchor + misused).code == exit_misuse, misused);
  }
  const std::string wanted = anchor + "--evm-transaction 0x" + std::string(64, '1') + " --evm-node ";
  CHECK(place.tool(wanted + "http://127.0.0.1:1").text.find("evm_node_gave_no_answer") != std::string::npos);
  CHECK(place.tool(wanted + "http://node.example").text.find("outgoing_url_malformed") != std::string::npos);

  // Mined among others; no node is needed for what follows.
  std::vector<base::Bytes> transactions;
  for (std::uint8_t i = 0; i < 140; ++i) transactions.push_back(crypto::test_transaction(i % 5, 31337, base::Bytes(i, i)));
  transactions[130] = crypto::test_transaction(2, 31337, *base::parse_hex(calldata.substr(2)));
  const base::Bytes header = crypto::test_header(transactions, 1234, 1'790'000'000);
  const auto stored = node::store_evm_anchor(place.files, place.data(), *crypto::prove_evm_inclusion(header, transactions, 130));
  REQUIRE_MESSAGE(stored.ok(), (stored.ok() ? std::string() : stored.error().message));
  place.write("anchored.json", place.evidence(id));
  place.write("later.json", place.evidence(place.transfer(R"(,"amount":"11")")));
  place.stop();

  const std::string hash = "0x" + base::to_hex(crypto::keccak256(header));
  const std::string log = place.tool("audit policy --data " + place.data()).text;
  place.write("policy.txt", "#holdfast-evm-block chain 31337 1234 " + hash + "\n" + log);
  place.write("unnamed.txt", log);
  place.write("other-number.txt", "#holdfast-evm-block chain 31337 1235 " + hash + "\n" + log);
  place.write("other-chain.txt", "#holdfast-evm-block chain 1 1234 " + hash + "\n" + log);
  place.write("malformed.txt", "#holdfast-evm-block chain 1 1234 " + hash.substr(2) + "\n" + log);
  const bool node = has_node();
  // The same from both, to the code of why an anchor does not count.
  const auto says = [&](const std::string& bundle, const std::string& policy, const std::string& more, const char* code) {
    const std::string words = place.file(bundle) + " --policy " + place.file(policy) + more + " --json";
    for (const std::string& tool : {program + " verify ", "node " + verifier + "verify.mjs "}) {
      if (tool.starts_with("node ") && !node) continue;
      const Said said = run(tool + words);
      CHECK_EQ(said.code, std::string_view(code).empty() ? 0 : 1);
      CHECK_MESSAGE(said.text.find(code) != std::string::npos, tool, said.text);
      if (policy == "policy.txt" && bundle == "anchored.json") CHECK_MESSAGE(said.text.find(said.code == 0 ? hash : "too_few_anchors") != std::string::npos, said.text);
    }
  };
  says("anchored.json", "policy.txt", "", "");
  says("anchored.json", "policy.txt", " --require anchor:1", "");
  says("anchored.json", "policy.txt", " --require anchor:2", "too_few_anchors");
  says("anchored.json", "unnamed.txt", " --require anchor:1", "evm_block_not_in_policy");
  says("anchored.json", "unnamed.txt", " --require anchor:1", hash.c_str());
  says("anchored.json", "other-number.txt", " --require anchor:1", "evm_block_not_in_policy");
  says("anchored.json", "other-chain.txt", " --require anchor:1", "evm_chain_differs");
  says("later.json", "policy.txt", " --require anchor:1", "too_few_anchors");
  says("later.json", "policy.txt", "", "");
  const Said shown = place.tool("verify " + place.file("anchored.json") + " --policy " + place.file("policy.txt"));
  CHECK(shown.text.find("Anchored on a chain: chain, chain 31337, block 1234 (" + hash + "), at 2026-09-21T") != std::string::npos);
  CHECK(place.tool("verify " + place.file("anchored.json") + " --policy " + place.file("malformed.txt")).text.find("policy_malformed") != std::string::npos);
  if (node) {
    const Said flipped = run("node " + verifier + "flip.mjs " + place.file("policy.txt") + " 199 " + place.file("anchored.json"));
    CHECK_MESSAGE(flipped.code == 0, flipped.text);
  }

  // Put out of its place on disk, it is named.
  CHECK_EQ(place.tool("audit verify --data " + place.data()).code, 0);
  const std::string shelf = place.data() + "/audit/anchors";
  const auto names = place.files.list(shelf);
  REQUIRE(names.ok());
  REQUIRE_EQ(names->size(), 1);
  REQUIRE(io::replace_file(place.files, shelf + "/" + names->front(), base::as_bytes("another")).ok());
  const Said damaged = place.tool("audit verify --data " + place.data());
  CHECK_EQ(damaged.code, 1);
  CHECK_MESSAGE(damaged.text.find(names->front()) != std::string::npos, damaged.text);
}

}  // namespace holdfast
