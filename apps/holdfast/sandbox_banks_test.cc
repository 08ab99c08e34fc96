// The rails of `serve --dev`, as processes: they are there, they pay, they end with the service whichever way it ends, and come
// back with their books.

#include "io/process.h"

#include "apps/holdfast/dev_service_for_tests.h"

namespace holdfast {
namespace {

bool answers(const std::string& control_url) { return ask_plainly(control_url, {.path = "/control/book"}).ok(); }

std::uint64_t payments_in(const std::vector<std::string>& control_urls) {
  std::uint64_t payments = 0;
  for (const std::string& url : control_urls) {
    const auto book = ask_plainly(url, {.path = "/control/book"});
    REQUIRE(book.ok());
    const auto document = wire::parse_json(base::as_bytes(book->body));
    REQUIRE(document.ok());
    payments += *document->root().find("payments")->uint64();
  }
  return payments;
}

}  // namespace

TEST_CASE("the sandbox rails of --dev pay, end with the service however it ends, and keep their books") {
  io::ignore_broken_pipes();
  DevService service;
  service.start();
  const std::vector<std::string> first = service.control_urls();
  REQUIRE(first.size() == 3);
  service.post("/v1/accounts", R"({"id":"a","asset":"EUR/2"})", "open");
  service.post("/v1/transfers", R"({"debit_account":"world/EUR","credit_account":"a","asset":"EUR/2","amount":"1000"})", "fund");
  const std::string id = json_text(
      service.post("/v1/transfers", R"({"kind":"payout","debit_account":"a","asset":"EUR/2","amount":"100","beneficiary":{"account":"b"}})", "pay"), "id");
  CHECK(comes_true([&] { return json_text(service.get("/v1/transfers/" + id), "state") == "settled"; }));
  service.post("/v1/rails/bank-b/pause", "", "pause");

  service.process->kill_hard();
  for (const std::string& url : first) CHECK(comes_true([&] { return !answers(url); }));
  service.start();
  const std::vector<std::string> second = service.control_urls();
  CHECK(payments_in(second) >= 1);
  // They were registered once, and what people said of them since stays.
  const std::string rails = service.get("/v1/rails");
  const auto document = wire::parse_json(base::as_bytes(rails));
  REQUIRE(document.ok());
  CHECK(document->root().find("items")->size() == 3);
  CHECK(service.get("/v1/rails/bank-b").find("\"paused\":true") != std::string::npos);
  CHECK(service.process->stop() == 0);
  for (const std::string& url : second) CHECK_FALSE(answers(url));
}

}  // namespace holdfast
