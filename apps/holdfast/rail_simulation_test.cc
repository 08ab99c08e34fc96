#include "apps/holdfast/rail_simulation.h"

#include <algorithm>
#include <sstream>

#include "apps/holdfast/command.h"
#include "io/posix_file.h"
#include "io/temporary_directory.h"

#include <doctest/doctest.h>

namespace holdfast {
namespace {

const std::string header = "time,payment,amount,rail,cost,outcome,latency_ms\n";
const std::string good = "2026-03-02T09:00:00Z,p1,1000,bank-a,5,settled,200\n";

std::string refused(const std::string& csv) {
  const auto log = parse_rail_log(base::as_bytes(csv));
  REQUIRE_FALSE(log.ok());
  CHECK(std::string(log.error().code) == "rail_log_malformed");
  return log.error().message;
}

std::string example() {
  io::RealFileSystem files;
  const auto bytes = io::read_whole_file(files, HOLDFAST_SOURCE_DIR "/docs/examples/rail-log.csv", rail_log_bytes_max);
  REQUIRE(bytes.ok());
  return std::string(base::as_text(*bytes));
}

const StrategyResult& named(const std::vector<StrategyResult>& results, std::string_view name) {
  const auto found = std::ranges::find(results, name, &StrategyResult::name);
  REQUIRE(found != results.end());
  return *found;
}

}  // namespace

TEST_CASE("a log of attempts: lines of one payment come together, columns in any order, some may be missing") {
  const auto log = parse_rail_log(base::as_bytes(std::string("rail,outcome,time,payment,amount,latency_ms,cost,country,instrument\r\n"
                                                             "bank-a,settled,2026-03-02T09:00:00Z,p1,1000,200,5,DE,7\r\n"
                                                             "bank-b,rail_busy,2026-03-02T09:00:00Z,p1,1000,40,9,DE,7\r\n"
                                                             "bank-a,beneficiary_refused,2026-03-02T09:00:01Z,p2,50,0,5,,")));
  REQUIRE(log.ok());
  CHECK(log->rails == std::vector<std::string>{"bank-a", "bank-b"});
  REQUIRE(log->payments.size() == 2);
  CHECK_FALSE(log->complete());
  const LoggedPayment& first = log->payments[0];
  CHECK(first.country == *model::parse_country("DE"));
  CHECK(first.instrument == 7);
  REQUIRE(first.attempts.size() == 2);
  CHECK(first.attempts[0].success);
  CHECK(first.attempts[1].rails_fault);
  CHECK(first.attempts[1].latency == base::milliseconds(40));
  CHECK_FALSE(log->payments[1].attempts[0].success);
  CHECK_FALSE(log->payments[1].attempts[0].rails_fault);   // the rail is not to blame
}

TEST_CASE("what is wrong with a log is named with its line and column") {
  const auto line = [](const std::string& text) { return refused(header + good + text + "\n"); };
  CHECK(refused("").starts_with("line 1"));
  CHECK(refused(header).starts_with("line 1"));
  CHECK(refused("time,payment\n" + good).starts_with("line 1, column amount"));
  CHECK(refused("time,payment,amount,rail,cost,outcome,latency_ms,price\n").starts_with("line 1, column price"));
  CHECK(refused("time,time\n").starts_with("line 1, column time"));
  CHECK(line("2026-03-02T09:00:00Z,p2,1000").starts_with("line 3: 3 fields"));
  CHECK(line("yesterday,p2,1000,bank-a,5,settled,200").starts_with("line 3, column time"));
  CHECK(line("2026-03-02T08:59:59Z,p2,1000,bank-a,5,settled,200").starts_with("line 3, column time"));
  CHECK(line("2026-03-02T09:00:01Z,p1,1000,bank-b,5,settled,200").starts_with("line 3, column time"));
  CHECK(line("2026-03-02T09:00:01Z,,1000,bank-a,5,settled,200").starts_with("line 3, column payment"));
  CHECK(line("2026-03-02T09:00:01Z,p2,10.00,bank-a,5,settled,200").starts_with("line 3, column amount"));
  CHECK(line("2026-03-02T09:00:00Z,p1,1001,bank-b,5,settled,200").starts_with("line 3, column amount"));
  CHECK(line("2026-03-02T09:00:01Z,p2,1208925819614629174706176,bank-a,5,settled,200").starts_with("line 3, column amount"));
  CHECK(line("2026-03-02T09:00:01Z,p2,1000,Bank,5,settled,200").starts_with("line 3, column rail"));
  CHECK(line("2026-03-02T09:00:00Z,p1,1000,bank-a,5,settled,200").starts_with("line 3, column rail"));   // a second time
  CHECK(line("2026-03-02T09:00:01Z,p2,1000,bank-a,-5,settled,200").starts_with("line 3, column cost"));
  CHECK(line("2026-03-02T09:00:01Z,p2,1000,bank-a,5,won,200").starts_with("line 3, column outcome"));
  CHECK(line("2026-03-02T09:00:01Z,p2,1000,bank-a,5,none,200").starts_with("line 3, column outcome"));
  CHECK(line("2026-03-02T09:00:01Z,p2,1000,bank-a,5,settled,soon").starts_with("line 3, column latency_ms"));
  CHECK(line("2026-03-02T09:00:01Z,p2,1000,bank-a,5,settled,86400001").starts_with("line 3, column latency_ms"));
  CHECK(line(std::string(2000, 'x')).starts_with("line 3: longer"));
  const std::string dimensions = "time,payment,amount,rail,cost,outcome,latency_ms,country,instrument\n";
  CHECK(refused(dimensions + "2026-03-02T09:00:00Z,p1,1000,bank-a,5,settled,200,Germany,1\n").starts_with("line 2, column country"));
  CHECK(refused(dimensions + "2026-03-02T09:00:00Z,p1,1000,bank-a,5,settled,200,DE,65536\n").starts_with("line 2, column instrument"));
  std::string many = header;
  for (std::size_t i = 0; i <= rail_log_rails_max; ++i) many += "2026-03-02T09:00:00Z,p1,1000,bank-" + std::to_string(i) + ",5,settled,200\n";
  CHECK(refused(many).starts_with("line 66, column rail"));
}

TEST_CASE("the example: the router beside choices that look at nothing") {
  const auto log = parse_rail_log(base::as_bytes(example()));
  REQUIRE(log.ok());
  CHECK(log->complete());
  const auto results = simulate_rails(*log, {});
  const StrategyResult& router = named(results, "router");
  CHECK(router.evidence == log->payments.size());
  for (const char* name : {"always bank-a", "always bank-b", "always bank-c", "in turn", "cheapest"}) CHECK(router.earned > named(results, name).earned);
  CHECK(router.earned < named(results, "best possible").earned);
  const auto again = simulate_rails(*log, {});
  for (std::size_t i = 0; i < results.size(); ++i) CHECK(results[i].earned == again[i].earned);
}

TEST_CASE("of a log with one attempt for each payment only what the log can vouch for counts") {
  // Every third payment is known at each rail.
  std::istringstream lines(example());
  std::string line, text;
  std::getline(lines, line);
  text = line + "\n";
  for (std::size_t number = 0; std::getline(lines, line); ++number) {
    if ((number / 3) % 3 == number % 3) text += line + "\n";
  }
  const auto log = parse_rail_log(base::as_bytes(text));
  REQUIRE(log.ok());
  CHECK_FALSE(log->complete());
  const auto results = simulate_rails(*log, {});
  const StrategyResult& router = named(results, "router");
  CHECK(router.evidence < router.decided);
  CHECK(router.evidence > 100);
  CHECK(named(results, "always bank-b").evidence == log->payments.size() / 3);
  CHECK(std::ranges::find(results, "best possible", &StrategyResult::name) == results.end());
}

TEST_CASE("holdfast rail simulate") {
  io::TemporaryDirectory place;
  io::RealFileSystem files;
  const std::string bad = place / "bad.csv";
  REQUIRE(io::replace_file(files, bad, base::as_bytes(header + "x\n")).ok());
  const auto run = [](std::vector<std::string_view> words) { return run_command_line(words); };
  CHECK(run({"rail", "simulate", HOLDFAST_SOURCE_DIR "/docs/examples/rail-log.csv", "--json"}) == exit_done);
  CHECK(run({"rail", "simulate", HOLDFAST_SOURCE_DIR "/docs/examples/rail-log.csv", "--margin", "10001"}) == exit_misuse);
  CHECK(run({"rail", "simulate", bad}) == exit_failed);
  CHECK(run({"rail", "simulate", place / "nothing.csv"}) == exit_failed);
}

}  // namespace holdfast
