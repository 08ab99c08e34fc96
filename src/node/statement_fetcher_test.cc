#include "node/statement_fetcher.h"

#include <atomic>
#include <string>

#include "audit/blinding.h"
#include "io/posix_file.h"
#include "io/temporary_directory.h"
#include "node/one_answer.h"
#include "node/own_request.h"
#include "node/world_test.h"

#include <doctest/doctest.h>

namespace {

const model::Asset usd = *model::parse_asset("USD/2");
constexpr std::string_view lines = "booked_at,amount,direction,asset,rail_reference\n2026-11-21T10:00:00Z,500,debit,USD/2,bank-1\n";
constexpr std::string_view no_lines = "booked_at,amount,direction,asset,rail_reference\n";

struct Question {
  model::TenantNumber tenant = 0;
  std::string rail;
  base::Instant from, until;
};

// A service with one rail, and a bank that answers what it is told to.
struct Fetching {
  explicit Fetching(std::uint32_t lines_max = 10'000) : blinding(secret, 0), keys(secret), gate(keys, nobody, [this](std::span<std::uint8_t> out) { random.fill(out); }) {
    node::ServiceOptions options;
    options.recovery.directory = directory.path();
    options.recovery.segment_bytes = 16u << 20;
    options.engine.bounds.sagas.reconciliation.lines_max = lines_max;
    auto opened = node::Service::open(disk, *clock, random, blinding, options, [](const base::Error&) {});
    REQUIRE_MESSAGE(opened.ok(), (opened.ok() ? std::string() : opened.error().message));
    service = std::move(*opened);
    service->start();
    REQUIRE(node::ask_service(*service, gate, gate::AssetRegistration{usd}).ok());
    REQUIRE(node::ask_service(*service, gate, gate::RailConfiguration{.name = "bank", .asset = usd}).ok());
  }
  ~Fetching() {
    if (fetcher) fetcher->stop();
    service->stop();
  }
  // Asks every second, the first time at once. Without an answer the bank says nothing at all.
  void fetch(std::function<std::optional<base::Result<base::Bytes>>()> answer, std::string_view rail = "bank", std::uint32_t every_seconds = 1) {
    node::RailSettings settings;
    settings.name = *model::parse_rail_name(rail);
    settings.statement_every_seconds = every_seconds;
    settings.statement_lag_seconds = 60;
    fetcher = std::make_unique<node::StatementFetcher>(
        *clock, *service,
        [this, answer = std::move(answer)](model::TenantNumber tenant, const model::RailName& name, base::Instant from, base::Instant until,
                                           effects::StatementFetched done) {
          {
            const std::lock_guard lock(mutex);
            asked.push_back({tenant, std::string(model::to_text(name)), from, until});
          }
          bank.emplace_back([answer, done = std::move(done)] {
            if (auto said = answer()) done(std::move(*said));
          });
        },
        keys, nobody, std::vector{settings}, base::Duration{0});
    fetcher->start();
  }
  std::size_t lines_kept() {
    node::OneAnswer sink;
    node::Question question;
    question = node::AskState{};
    REQUIRE(service->pipeline().submit({.content = std::move(question), .sink = &sink, .token = 0}) == model::Outcome::done);
    return std::get<node::StateFound>(sink.wait().finding).state->reconciliation.lines.size();
  }
  bool until(const std::function<bool()>& holds) {
    for (int i = 0; i < 1000; ++i) {
      if (holds()) return true;
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    return false;
  }
  std::vector<Question> questions() {
    const std::lock_guard lock(mutex);
    return asked;
  }

  io::TemporaryDirectory directory;
  const std::array<std::uint8_t, 32> secret{5};
  std::unique_ptr<io::RealClock> clock = std::move(*io::RealClock::open());
  io::RealFileSystem disk;
  io::RealRandom random;
  audit::Blinding blinding;
  gate::GateKeys keys;
  node::NobodyElse nobody;
  gate::Gate gate;
  std::unique_ptr<node::Service> service;
  std::mutex mutex;
  std::vector<Question> asked;                      // under mutex
  std::unique_ptr<node::StatementFetcher> fetcher;
  std::vector<std::jthread> bank;                   // of the fetcher's thread; joined before all above goes
};

base::Result<base::Bytes> text(std::string_view content) { return base::to_bytes(base::as_bytes(content)); }

}  // namespace

TEST_CASE("a statement is recorded, and the next one begins where it ended") {
  Fetching fetching;
  fetching.fetch([] { return text(lines); });
  REQUIRE(fetching.until([&] { return fetching.fetcher->stats().recorded >= 2; }));
  fetching.fetcher->stop();
  const auto asked = fetching.questions();
  CHECK(asked.at(0).tenant == 1);
  CHECK(asked.at(0).rail == "bank");
  CHECK((asked.at(0).until - asked.at(0).from).ns == node::statement_lookback.ns);
  CHECK(asked.at(0).until.ns % base::seconds(1).ns == 0);
  CHECK(asked.at(0).until <= fetching.clock->wall() + base::seconds(-60));
  CHECK(asked.at(1).from.ns == asked.at(0).until.ns);
  CHECK(fetching.fetcher->stats().failed == 0);
}

TEST_CASE("what cannot be fetched or read is asked for again, all of it") {
  Fetching fetching;
  std::atomic<int> count{0};
  fetching.fetch([&]() -> base::Result<base::Bytes> {
    switch (++count) {
      case 1: return base::Error{"statement_not_available", "the bank is closed"};
      case 2: return text("no statement at all");
      default: return text(lines);
    }
  });
  REQUIRE(fetching.until([&] { return fetching.fetcher->stats().recorded >= 1; }));
  fetching.fetcher->stop();
  CHECK(fetching.fetcher->stats().failed == 2);
  const auto asked = fetching.questions();
  CHECK(asked.at(1).from.ns == asked.at(0).from.ns);
  CHECK(asked.at(2).from.ns == asked.at(0).from.ns);
}

TEST_CASE("a long statement is recorded part by part; where one finds no room, the same time is asked for again") {
  std::string many(lines.substr(0, lines.find('\n') + 1));
  for (int i = 0; i < 1'500; ++i) many += "2026-11-21T10:00:00Z,500,debit,USD/2,bank-" + std::to_string(i) + "\n";
  SUBCASE("room for all") {
    Fetching fetching;
    fetching.fetch([&] { return text(many); });
    REQUIRE(fetching.until([&] { return fetching.fetcher->stats().recorded >= 1; }));
    fetching.fetcher->stop();
    CHECK(fetching.fetcher->stats().failed == 0);
    CHECK(fetching.lines_kept() == 1'500);
  }
  SUBCASE("room for the first part") {
    Fetching fetching(1'200);
    fetching.fetch([&] { return text(many); });
    REQUIRE(fetching.until([&] { return fetching.fetcher->stats().failed >= 2; }));
    fetching.fetcher->stop();
    CHECK(fetching.fetcher->stats().recorded == 0);
    CHECK(fetching.lines_kept() == 1'000);
    CHECK(fetching.questions().at(1).from.ns == fetching.questions().at(0).from.ns);
  }
}

TEST_CASE("a statement of a rail that is not registered is refused") {
  Fetching fetching;
  fetching.fetch([] { return text(lines); }, "nobody");
  REQUIRE(fetching.until([&] { return fetching.fetcher->stats().failed >= 1; }));
  CHECK(fetching.fetcher->stats().recorded == 0);
}

TEST_CASE("short times in which nothing was booked are put together") {
  Fetching fetching;
  std::atomic<int> count{0};
  fetching.fetch([&] { return text(++count <= 2 ? lines : no_lines); });
  REQUIRE(fetching.until([&] { return fetching.questions().size() >= 5; }));
  fetching.fetcher->stop();
  CHECK(fetching.fetcher->stats().recorded == 2);
  CHECK(fetching.fetcher->stats().failed == 0);
  const auto asked = fetching.questions();
  CHECK(asked.at(3).from.ns == asked.at(2).from.ns);
  CHECK(asked.at(4).from.ns == asked.at(2).from.ns);
}

TEST_CASE("a bank that never answers does not keep the service from stopping") {
  Fetching fetching;
  fetching.fetch([] { return std::nullopt; });
  REQUIRE(fetching.until([&] { return fetching.questions().size() == 1; }));
  fetching.fetcher->stop();
  CHECK(fetching.fetcher->stats().recorded + fetching.fetcher->stats().failed == 0);
}

TEST_CASE("rails without a schedule are left alone") {
  Fetching fetching;
  fetching.fetch([] { return text(lines); }, "bank", 0);
  std::this_thread::sleep_for(std::chrono::milliseconds(50));
  CHECK(fetching.questions().empty());
}
