// The real program over real HTTPS: started, asked, misused, killed. Slower than a unit test, bounded all the same.

#include <signal.h>

#include <algorithm>
#include <chrono>
#include <functional>
#include <map>

#include "apps/holdfast/command.h"
#include "apps/holdfast/load.h"
#include "apps/holdfast/service_process.h"
#include "base/int128.h"
#include "io/posix_file.h"
#include "io/process.h"
#include "io/temporary_directory.h"
#include "wire/json_value.h"

#include <doctest/doctest.h>

namespace holdfast {
namespace {

constexpr std::string_view program = HOLDFAST_PROGRAM;

/// A service in a directory of its own, and a client with all scopes.
class Running {
 public:
  Running() {
    io::ignore_broken_pipes();
    start();
  }

  void start() {
    auto started = ServiceProcess::start(std::string(program), directory(), place_ / "messages");
    REQUIRE_MESSAGE(started.ok(), messages());
    service = std::move(started).value();
    auto loaded = load_credentials(files, directory() + "/dev/client.json");
    REQUIRE(loaded.ok());
    credentials = std::move(loaded).value();
    client = std::move(ApiClient::open(files, credentials)).value();
  }
  std::string directory() const { return place_ / "data"; }
  std::string file(const std::string& name) const { return place_ / name; }
  std::string messages() {
    const auto bytes = io::read_whole_file(files, place_ / "messages", 1 << 20);
    return bytes.ok() ? std::string(base::as_text(*bytes)) : "no messages";
  }
  int run(std::vector<std::string_view> words) { return run_command_line(words); }

  ApiReply get(const std::string& path, const std::string& query = {}) {
    auto reply = client->call({.path = path, .query = query});
    REQUIRE_MESSAGE(reply.ok(), (reply.ok() ? "" : reply.error().message));
    return std::move(reply).value();
  }
  ApiReply post(const std::string& path, const std::string& body, const std::string& key) {
    auto reply = client->call({.method = "POST", .path = path, .query = {}, .body = body, .key = key});
    REQUIRE_MESSAGE(reply.ok(), (reply.ok() ? "" : reply.error().message));
    return std::move(reply).value();
  }
  void open_accounts(const std::vector<std::string>& names, std::string_view amount) {
    REQUIRE(post("/v1/assets", R"({"code":"USD/2"})", "asset").status == 201);
    for (const std::string& name : names) {
      REQUIRE(post("/v1/accounts", R"({"id":")" + name + R"(","asset":"USD/2"})", "open-" + name).status == 201);
      REQUIRE(post("/v1/transfers",
                   R"({"debit_account":"world/USD","credit_account":")" + name + R"(","amount":")" + std::string(amount) + R"(","asset":"USD/2"})",
                   "fund-" + name)
                  .status == 201);
    }
  }

  io::RealFileSystem files;
  std::unique_ptr<ServiceProcess> service;
  Credentials credentials;
  std::unique_ptr<ApiClient> client;

 private:
  io::TemporaryDirectory place_;
};

std::string pay(std::string_view from, std::string_view to, std::string_view amount) {
  return R"({"debit_account":")" + std::string(from) + R"(","credit_account":")" + std::string(to) + R"(","amount":")" + std::string(amount) +
         R"(","asset":"USD/2"})";
}

bool balanced(std::string_view json) {
  const auto document = wire::parse_json(base::as_bytes(json));
  return document.ok() && document->root().find("balanced") && document->root().find("balanced")->boolean() == true;
}

/// Every balance is the sum of what was acknowledged.
void check_balances(Running& running, const std::vector<std::string>& names, base::U128 funded, const std::vector<LoadRecord>& records) {
  std::map<std::uint32_t, base::U128> debits, credits;
  for (const LoadRecord& record : records) {
    if (record.id.empty()) continue;
    debits[record.debit] += record.amount;
    credits[record.credit] += record.amount;
  }
  for (std::uint32_t i = 0; i < names.size(); ++i) {
    const ApiReply account = running.get("/v1/accounts/" + names[i]);
    CHECK(json_text(account.body, "debits_posted") == base::to_decimal(debits[i]));
    CHECK(json_text(account.body, "credits_posted") == base::to_decimal(credits[i] + funded));
  }
  CHECK(balanced(running.get("/v1/trial-balance").body));
}

}  // namespace

TEST_CASE("every face of the service, asked properly and improperly") {
  Running r;
  r.open_accounts({"a", "b"}, "1000");

  SUBCASE("money moves, holds resolve, lists find") {
    const ApiReply paid = r.post("/v1/transfers", pay("a", "b", "10"), "k1");
    CHECK(paid.status == 201);
    const ApiReply again = r.post("/v1/transfers", pay("a", "b", "10"), "k1");
    CHECK(again.replayed);
    CHECK(again.body == paid.body);
    CHECK(json_text(r.post("/v1/transfers", pay("a", "b", "11"), "k1").body, "code") == "idempotency_key_reused_with_different_body");
    CHECK(json_text(r.post("/v1/transfers", pay("a", "b", "5000"), "k2").body, "code") == "exceeds_available_balance");
    const std::string held = R"({"hold":true,)" + pay("a", "b", "100").substr(1);
    const std::string id = json_text(r.post("/v1/transfers", held, "k3").body, "id");
    CHECK(r.post("/v1/transfers/" + id + "/capture", R"({"amount":"40"})", "k4").good());
    CHECK(json_text(r.post("/v1/transfers/" + id + "/void", "{}", "k5").body, "code") == "hold_already_captured");
    CHECK(json_text(r.get("/v1/transfers/" + id).body, "state") == "captured");
    CHECK(json_text(r.get("/v1/accounts/a").body, "debits_posted") == "50");
    CHECK(r.get("/v1/accounts", "limit=10").good());
    CHECK(r.get("/v1/accounts/a/history").good());
    CHECK(r.get("/v1/transfers", "key=k1").good());
    CHECK(r.post("/v1/accounts/a/freeze", "{}", "k6").good());
    CHECK(json_text(r.post("/v1/transfers", pay("a", "b", "1"), "k7").body, "code") == "debit_account_frozen");
    CHECK(r.post("/v1/transfers:batch", R"({"items":[)" + std::string(R"({"idempotency_key":"i1",)") + pay("b", "world/USD", "1").substr(1) + "]}", "k8").good());
    CHECK(balanced(r.get("/v1/trial-balance").body));
  }

  SUBCASE("bad input has its code") {
    const auto code = [&r](const ApiRequest& request) {
      const auto reply = r.client->call(request);
      REQUIRE(reply.ok());
      return std::to_string(reply->status) + " " + json_text(reply->body, "code");
    };
    const auto posted = [&](const std::string& body) {
      return code({.method = "POST", .path = "/v1/transfers", .query = {}, .body = body, .key = draw_key()});
    };
    CHECK(code({.path = "/v1/nothing"}).starts_with("404 "));
    CHECK(code({.path = "/v1/accounts/nobody"}) == "404 account_not_found");
    CHECK(code({.path = "/v1/transfers/tr_x"}).starts_with("4"));
    CHECK(code({.method = "DELETE", .path = "/v1/accounts/a"}).starts_with("405 "));
    CHECK(code({.method = "POST", .path = "/v1/transfers", .query = {}, .body = pay("a", "b", "1"), .key = {}}).starts_with("400 "));
    CHECK(posted("{").starts_with("400 "));
    CHECK(posted("[]").starts_with("4"));
    CHECK(posted(pay("a", "b", "-1")).starts_with("4"));
    CHECK(posted(pay("a", "b", "1.5")).starts_with("4"));
    CHECK(posted(pay("a", "b", "0")).starts_with("4"));
    CHECK(posted(pay("a", "a", "1")).starts_with("4"));
    CHECK(posted(R"({"amount":1e3})").starts_with("4"));
    CHECK(posted(R"({"amout":"1"})").starts_with("4"));
    CHECK(posted(R"({"amount":"1","amount":"2"})").starts_with("400 "));
    CHECK(posted(std::string(100'000, '[')).starts_with("4"));
    Credentials stranger = r.credentials;
    stranger.token = "hfa_AAAA";
    const auto unknown = (*ApiClient::open(r.files, stranger))->call({.path = "/v1/accounts/a"});
    REQUIRE(unknown.ok());
    CHECK(unknown->status == 401);
    CHECK(r.get("/v1/accounts/a").good());   // and it still serves
  }

  SUBCASE("the operator address, and certificates read again") {
    CHECK(get_operator(r.files, r.credentials, "/healthz")->status == 200);
    const auto ready = get_operator(r.files, r.credentials, "/readyz");
    REQUIRE(ready.ok());
    CHECK(ready->body.starts_with("ready\n"));
    CHECK(get_operator(r.files, r.credentials, "/metrics")->status == 401);
    CHECK(get_operator(r.files, r.credentials, "/else")->status == 404);
    r.service->signal(SIGHUP);
    CHECK((*ApiClient::open(r.files, r.credentials))->call({.path = "/v1/accounts/a"})->good());
    CHECK(r.service->stop() == exit_done);
    CHECK(r.messages().find("certificates were read again") != std::string::npos);
  }

  SUBCASE("the command line does the same, with exit codes that say how it went") {
    const std::string data = r.directory();
    CHECK(r.run({"transfer", "create", "a", "b", "3", "USD/2", "--key", "c1", "--data", data}) == exit_done);
    CHECK(r.run({"transfer", "create", "a", "b", "3", "USD/2", "--key", "c1", "--data", data, "--json"}) == exit_done);
    CHECK(json_text(r.get("/v1/accounts/a").body, "debits_posted") == "3");
    CHECK(r.run({"transfer", "create", "a", "b", "9999", "USD/2", "--data", data}) == exit_failed);
    CHECK(r.run({"account", "get", "nobody", "--data", data}) == exit_failed);
    CHECK(r.run({"account", "list", "--data", data}) == exit_done);
    CHECK(r.run({"transfer", "list", "--key", "c1", "--data", data}) == exit_done);
    // A directory that was named and has no credentials is not replaced by somebody else's.
    CHECK(r.run({"account", "list", "--data", r.file("elsewhere")}) == exit_failed);
    CHECK(r.run({"client", "create", "--name", "x", "--scopes", "accounts:raed", "--data", data, "--out", r.file("z.json")}) == exit_misuse);
    CHECK(r.run({"account", "trial-balance", "--data", data}) == exit_done);
    CHECK(r.run({"journal", "verify", "--data", data}) == exit_unreachable);   // a service works on it
    CHECK(r.run({"backup", "--data", data, "--to", r.file("backup")}) == exit_done);
    CHECK(r.run({"client", "create", "--name", "x", "--scopes", "accounts:read", "--data", data, "--out", r.file("x.json")}) == exit_done);
    CHECK(r.run({"account", "get", "a", "--credentials", r.file("x.json")}) == exit_done);
    CHECK(r.run({"account", "freeze", "a", "--credentials", r.file("x.json")}) == exit_failed);
    CHECK(r.run({"client", "revoke", "cl_2", "--data", data}) == exit_done);
    CHECK(r.run({"account", "get", "a", "--credentials", r.file("x.json")}) == exit_failed);
    CHECK(r.service->stop() == exit_done);
    CHECK(r.run({"account", "get", "a", "--data", data}) == exit_unreachable);
    CHECK(r.run({"journal", "verify", "--data", data}) == exit_done);
    CHECK(r.run({"journal", "rebuild", "--data", data}) == exit_done);
    CHECK(r.run({"client", "create", "--name", "y", "--data", data, "--out", r.file("y.json")}) == exit_done);
    CHECK(r.run({"restore", "--from", r.file("backup"), "--data", r.file("restored")}) == exit_done);
    CHECK(r.run({"restore", "--from", r.file("backup"), "--data", r.file("restored")}) == exit_failed);
    CHECK(r.run({"journal", "verify", "--data", r.file("restored")}) == exit_done);
    CHECK(r.run({"serve", "--data", data}) == exit_failed);   // never without --dev
    CHECK(r.run({"serve", "--dev", "--data", data, "--listen", "127.0.0.1:abc"}) == exit_misuse);
    r.start();
    CHECK(json_text(r.get("/v1/accounts/a").body, "debits_posted") == "3");
  }
}

TEST_CASE("a busy account's history is the same by pages, by ranges of time, and both at once") {
  Running r;
  r.open_accounts({"a"}, "1");
  // Enough that links over 64 and over 4,096 postings are taken, in groups of very different size.
  int batches = 0;
  for (const int count : {1, 63, 4'100, 1, 70, 5'000, 200}) {
    std::string body = R"({"items":[)";
    for (int i = 0; i < count; ++i) {
      body += (i == 0 ? R"({"idempotency_key":")" : R"(,{"idempotency_key":")") + std::to_string(batches) + "-" + std::to_string(i) + R"(",)" +
              pay("world/USD", "a", std::to_string(1 + i)).substr(1);
    }
    REQUIRE(r.post("/v1/transfers:batch", body + "]}", "batch-" + std::to_string(++batches)).status == 200);
  }
  struct Posting {
    std::string id, at;
  };
  const auto walk = [&r](const std::string& range, int limit) {
    std::vector<Posting> all;
    std::string cursor;
    do {
      const ApiReply page = r.get("/v1/accounts/a/history", "limit=" + std::to_string(limit) + range + (cursor.empty() ? "" : "&cursor=" + cursor));
      REQUIRE_MESSAGE(page.status == 200, page.body);
      const auto document = wire::parse_json(base::as_bytes(page.body));
      REQUIRE(document.ok());
      const auto items = document->root().find("items");
      REQUIRE(items);
      for (const wire::JsonValue item : items->elements()) {
        all.push_back({std::string(*item.find("transfer")->string()), std::string(*item.find("at")->string())});
      }
      const auto next = document->root().find("next_cursor");
      cursor = next ? std::string(*next->string()) : "";
    } while (!cursor.empty());
    return all;
  };
  const auto ids = [](const std::vector<Posting>& postings) {
    std::vector<std::string> all;
    for (const Posting& posting : postings) all.push_back(posting.id);
    return all;
  };
  const std::vector<Posting> everything = walk("", 100);
  REQUIRE(everything.size() == 9'436);
  CHECK(std::ranges::is_sorted(everything, std::greater<>(), &Posting::id));
  CHECK(std::ranges::adjacent_find(everything, std::equal_to<>(), &Posting::id) == everything.end());
  for (const auto& [from_place, to_place] : {std::pair{9'400u, 9'000u}, {5'300u, 5'200u}, {5'300u, 150u}, {9'435u, 5'279u}, {250u, 180u}}) {
    const std::string from = everything[from_place].at, to = everything[to_place].at;
    CAPTURE(from);
    CAPTURE(to);
    std::vector<Posting> expected;
    for (const Posting& posting : everything) {
      if (posting.at >= from && posting.at < to) expected.push_back(posting);
    }
    CHECK(ids(walk("&from=" + from + "&to=" + to, 100)) == ids(expected));
  }
  CHECK(walk("&to=" + everything.back().at, 100).empty());
}

TEST_CASE("stopping in good order answers what was taken") {
  Running r;
  const std::vector<std::string> names{"a", "b", "c"};
  r.open_accounts(names, "1000000");
  Load load(r.files, r.credentials, {.accounts = names, .asset = "USD/2", .clients = 4, .requests_max = 50'000, .key_prefix = "stop"});
  while (load.acknowledged() < 100 && !load.ended()) std::this_thread::sleep_for(std::chrono::milliseconds(2));
  CHECK(r.service->stop() == exit_done);
  load.stop();
  auto records = load.take_records();
  CHECK(records.size() >= 100);
  r.start();
  const LoadAudit audit = audit_load(r.files, r.credentials, records, 4);
  CHECK_MESSAGE(audit.wrong.empty(), (audit.wrong.empty() ? "" : audit.wrong.front()));
  check_balances(r, names, 1'000'000, records);
}

TEST_CASE("killed again and again in the middle of a load: nothing acknowledged is ever missing, nothing happens twice") {
  Running r;
  const std::vector<std::string> names{"a", "b", "c", "d", "e"};
  r.open_accounts(names, "100000000");
  std::vector<LoadRecord> all;
  const auto began = std::chrono::steady_clock::now();
  std::uint64_t kills = 0, lost_replies = 0;
  while (kills < 12 && std::chrono::steady_clock::now() - began < std::chrono::seconds(20)) {
    Load load(r.files, r.credentials,
              {.accounts = names, .asset = "USD/2", .clients = 4, .requests_max = 2'000, .key_prefix = "kill-" + std::to_string(kills)});
    // Early and late in the load, and once in a while before anything was answered.
    const std::uint64_t enough = (kills * 67) % 211;
    while (load.acknowledged() < enough && !load.ended()) std::this_thread::sleep_for(std::chrono::milliseconds(1));
    r.service->kill_hard();
    ++kills;
    load.stop();
    auto records = load.take_records();
    r.start();
    const LoadAudit audit = audit_load(r.files, r.credentials, records, 4);
    CHECK_MESSAGE(audit.wrong.empty(), (audit.wrong.empty() ? "" : audit.wrong.front()));
    lost_replies += audit.resolved;
    all.insert(all.end(), std::make_move_iterator(records.begin()), std::make_move_iterator(records.end()));
  }
  MESSAGE(kills, " kills, ", all.size(), " transfers, ", lost_replies, " without an answer at first");
  CHECK(kills >= 2);
  const LoadAudit audit = audit_load(r.files, r.credentials, all, 4);
  CHECK_MESSAGE(audit.wrong.empty(), (audit.wrong.empty() ? "" : audit.wrong.front()));
  check_balances(r, names, 100'000'000, all);
  CHECK(r.service->stop() == exit_done);
  CHECK(r.run({"journal", "verify", "--data", r.directory()}) == exit_done);
}

}  // namespace holdfast
