// holdfast rail, and the verbs of holdfast transfer for the way out, against a real service with its sandbox rails.

#include "apps/holdfast/command.h"
#include "io/process.h"

#include "apps/holdfast/dev_service_for_tests.h"

namespace holdfast {
namespace {

struct Terminal : DevService {
  Terminal() {
    io::ignore_broken_pipes();
    start();
    post("/v1/accounts", R"({"id":"a","asset":"EUR/2"})", "open");
    post("/v1/transfers", R"({"debit_account":"world/EUR","credit_account":"a","asset":"EUR/2","amount":"1000"})", "fund");
  }
  int run(std::vector<std::string_view> words) {
    words.insert(words.end(), {"--data", data_});
    return run_command_line(words);
  }
  std::string file(const std::string& name, std::string_view text) {
    const std::string path = place / name;
    REQUIRE(io::replace_file(files, path, base::as_bytes(text)).ok());
    return path;
  }
  const std::string data_ = place / "data";
};

}  // namespace

TEST_CASE("rails from a terminal: steered, configured, paid over") {
  Terminal terminal;
  CHECK(terminal.run({"rail", "list"}) == exit_done);
  CHECK(terminal.run({"rail", "list", "--json"}) == exit_done);
  CHECK(terminal.run({"rail", "show", "bank-a"}) == exit_done);
  CHECK(terminal.run({"rail", "show", "bank-z"}) == exit_failed);
  CHECK(terminal.run({"rail", "sho", "bank-a"}) == exit_misuse);
  CHECK(terminal.run({"rail", "key"}) == exit_done);
  CHECK(terminal.run({"rail", "key", "--json"}) == exit_done);

  const auto rail = [&] { return terminal.get("/v1/rails/bank-a"); };
  const auto says = [&](std::string_view text) { return rail().find(text) != std::string::npos; };
  CHECK(terminal.run({"rail", "maintenance", "bank-a", "--from", "2037-01-15T22:00:00Z"}) == exit_misuse);
  CHECK(terminal.run({"rail", "maintenance", "bank-a", "--from", "2037-01-15T22:00:00Z", "--until", "2037-01-16T02:00:00Z"}) == exit_done);
  CHECK(terminal.run({"rail", "pause", "bank-a"}) == exit_done);
  CHECK(says("\"paused\":true"));
  CHECK(says("2037-01-16T02:00:00"));
  CHECK(terminal.run({"rail", "resume", "bank-a"}) == exit_done);
  CHECK(says("\"paused\":false"));
  CHECK(says("2037-01-16T02:00:00"));
  CHECK(terminal.run({"rail", "maintenance", "bank-a", "--lift"}) == exit_done);
  CHECK_FALSE(says("maintenance_until"));

  const std::string profile = terminal.file("rail.json", R"({"name":"bank-a","asset":"EUR/2","cost_fixed":"7"})");
  CHECK(terminal.run({"rail", "configure", profile}) == exit_done);
  CHECK(says("\"cost_fixed\":\"7\""));
  CHECK(terminal.run({"rail", "configure", terminal.file("bad.json", R"({"name":"bank-a","cost":"7"})")}) == exit_failed);

  const std::string somebody = terminal.file("somebody.json", R"({"account":"test-1"})");
  CHECK(terminal.run({"rail", "send", "a", "100", "EUR/2"}) == exit_misuse);
  CHECK(terminal.run({"rail", "send", "a", "100", "EUR/2", "--to", terminal.file("list.json", "[]")}) == exit_misuse);
  CHECK(terminal.run({"rail", "send", "a", "100", "EUR/2", "--to", somebody, "--rail", "bank-b", "--reference", "first"}) == exit_done);
  CHECK(terminal.run({"rail", "send", "a", "9999", "EUR/2", "--to", somebody}) == exit_failed);
}

TEST_CASE("what becomes of a payout, from a terminal") {
  Terminal terminal;
  const std::string somebody = terminal.file("somebody.json", R"({"account":"test-1"})");
  const auto sent = [&](std::string_view amount) {
    return json_text(terminal.post("/v1/transfers", R"({"kind":"payout","debit_account":"a","asset":"EUR/2","amount":")" + std::string(amount) +
                                                        R"(","rail":"bank-b","beneficiary":{"account":"b"}})",
                                   "pay-" + std::string(amount)),
                     "id");
  };
  const auto state = [&](const std::string& id) { return json_text(terminal.get("/v1/transfers/" + id), "state"); };
  const std::string paid = sent("100");
  CHECK(comes_true([&] { return state(paid) == "settled"; }));
  CHECK(terminal.run({"transfer", "cancel", paid}) == exit_failed);
  CHECK(terminal.run({"transfer", "review", paid, "approve"}) == exit_failed);
  CHECK(terminal.run({"transfer", "review", paid, "perhaps"}) == exit_misuse);
  CHECK(terminal.run({"transfer", "resolve", paid, "failed"}) == exit_misuse);
  CHECK(terminal.run({"transfer", "resolve", paid, "failed", "--reason", "a letter"}) == exit_failed);
  CHECK(terminal.run({"transfer", "refund", paid, "--amount", "40", "--reference", "back"}) == exit_done);

  CHECK(terminal.run({"rail", "pause", "bank-b"}) == exit_done);
  const std::string waiting = sent("50");
  CHECK(state(waiting) == "parked");
  CHECK(terminal.run({"transfer", "list", "--state", "parked"}) == exit_done);
  CHECK(terminal.run({"transfer", "cancel", waiting}) == exit_done);
  CHECK(state(waiting) == "cancelled");
}

}  // namespace holdfast
