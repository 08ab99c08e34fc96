#include "apps/holdfast/sandbox_rail.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <set>
#include <thread>

#include "apps/holdfast/fault_proxy.h"
#include "apps/holdfast/sandbox_rail_statement.h"
#include "effects/rails/http_rail.h"
#include "effects/rails/rail_callback.h"
#include "io/connecting.h"
#include "io/posix_file.h"
#include "io/process.h"
#include "io/temporary_directory.h"
#include "node/dev_identity.h"

// clang-format off
#include <doctest/doctest.h>  // last: base/check.h has a CHECK too
// clang-format on

namespace holdfast {
namespace {

using model::RailReason;
using model::RailResult;

io::SecretMemory seed_of(std::uint8_t byte) { return io::SecretMemory::copy_of(base::Bytes(32, byte)).value(); }

/// A bank on a loop of its own, over TLS, its book in a directory that survives it.
class Bank {
 public:
  Bank(const std::string& directory, effects::OwnEd25519Signer& client, RailProfileFile profile = {})
      : loop_(io::Loop::open().value()), clock_(io::RealClock::open().value()), signer_(seed_of(2)) {
    io::ignore_broken_pipes();
    const auto made = node::make_dev_certificates(files_, random_, directory, clock_->wall(), {"127.0.0.1", 0}).value();
    io::TlsServerOptions identity;
    identity.certificate_file = made.certificate_file;
    identity.key_file = made.key_file;
    identity.protocols = {"http/1.1"};
    ca_file = made.ca_file;
    tls_ = io::TlsServerContext::open(files_, identity).value();
    SandboxRailOptions options;
    options.book_file = directory + "/book.log";
    options.clients = {{"us", effects::VerificationKey::Algorithm::ed25519, client.public_key()}};
    options.broken = [](const base::Error&) { std::abort(); };
    rail_ = SandboxRail::open(*loop_, *clock_, random_, files_, signer_, std::move(options)).value();
    REQUIRE(rail_->set_profile(std::move(profile)).ok());
    control_ = std::make_unique<SandboxRailControl>(*rail_);
    server_ = edge::Server::open(*loop_, *clock_, {"127.0.0.1", 0}, tls_.get(), *rail_).value();
    control_server_ = edge::Server::open(*loop_, *clock_, {"127.0.0.1", 0}, nullptr, *control_).value();
    thread_ = std::thread([this] { loop_->run(); });
  }
  ~Bank() {
    loop_->stop();
    thread_.join();
    REQUIRE(rail_->book().flush().ok());
  }
  std::string url() const { return "https://" + server_->endpoint().text(); }
  io::Endpoint endpoint() const { return server_->endpoint(); }
  std::string control_url() const { return "http://" + control_server_->endpoint().text(); }
  std::vector<effects::VerificationKey> keys() { return {{"sandbox-rail", effects::VerificationKey::Algorithm::ed25519, signer_.public_key()}}; }
  void behave(RailProfileFile profile) {
    on_loop([&] { REQUIRE(rail_->set_profile(std::move(profile)).ok()); });
  }
  template <typename Work>
  void on_loop(Work work) {
    std::atomic<bool> done{false};
    loop_->post([&] {
      work();
      done = true;
    });
    while (!done) std::this_thread::sleep_for(std::chrono::microseconds(100));
  }

  std::string ca_file;

 private:
  io::RealFileSystem files_;
  io::RealRandom random_;
  std::unique_ptr<io::Loop> loop_;
  std::unique_ptr<io::RealClock> clock_;
  effects::OwnEd25519Signer signer_;
  std::unique_ptr<io::TlsServerContext> tls_;
  std::unique_ptr<SandboxRail> rail_;
  std::unique_ptr<SandboxRailControl> control_;
  std::unique_ptr<edge::Server> server_, control_server_;
  std::thread thread_;
};

/// The service's side: a rail driver, and an address for callbacks.
class Service final : public edge::Handler {
 public:
  Service() : loop(io::Loop::open().value()), clock(io::RealClock::open().value()), signer(seed_of(1)) {
    server = edge::Server::open(*loop, *clock, {"127.0.0.1", 0}, nullptr, *this).value();
  }
  void connect(Bank& bank, std::string url = {}, effects::HttpRailOptions options = {}) {
    options.url = url.empty() ? bank.url() : url;
    options.key_id = "us";
    rail = effects::HttpRail::open(*loop, *clock, random, nullptr, io::TlsOutgoingContext::open(files, {.ca_file = bank.ca_file}).value(), signer, options).value();
    verifier.emplace(bank.keys(), std::string(effects::rail_signature_tag), false);
  }
  std::string callback_url() const { return "http://" + server->endpoint().text() + "/callbacks"; }

  void handle(edge::Server& from, edge::Exchange exchange, wire::Request&& request) override {
    wire::Response response;
    if (away) {
      response.status = 503;
    } else {
      const auto callback = effects::verify_rail_callback(request, "http", *verifier, clock->wall());
      if (callback.ok()) {
        events.push_back(*callback);
      } else {
        response.status = 401;
        refusals.push_back(callback.error().code);
      }
    }
    from.reply(exchange, response);
  }

  effects::SendOrder order(const std::string& reference, base::U128 amount = 1050) {
    effects::SendOrder order;
    order.reference = reference;
    order.amount = amount;
    order.asset = "USD/2";
    order.beneficiary = R"({"account":"DE02120300000000202051"})";
    order.valid_until = clock->wall() + base::seconds(5);
    order.send_not_after_boot_ns = clock->boot_ns() + base::seconds(5).ns;
    order.may_repeat = true;
    return order;
  }
  template <typename Question>
  effects::RailAnswer ask(Question question) {
    std::optional<effects::RailAnswer> got;
    question([&](effects::RailAnswer&& answer) { got = std::move(answer); });
    CHECK(turn_until([&] { return got.has_value(); }));
    return got.value_or(effects::RailAnswer{});
  }
  effects::RailAnswer send(effects::SendOrder order) {
    return ask([&](effects::RailAnswered done) { rail->send(std::move(order), std::move(done)); });
  }
  effects::RailAnswer send(const std::string& reference) { return send(order(reference)); }
  effects::RailAnswer inquire(const std::string& reference) {
    return ask([&](effects::RailAnswered done) { rail->inquire(reference, expected, std::move(done)); });
  }
  effects::RailAnswer void_payment(const std::string& reference) {
    return ask([&](effects::RailAnswered done) { rail->void_payment(reference, expected, std::move(done)); });
  }
  std::string statement() {
    std::optional<std::string> got;
    rail->statement({0}, clock->wall() + base::seconds(1), [&](base::Result<base::Bytes> text) { got = text.ok() ? std::string(base::as_text(*text)) : text.error().code; });
    CHECK(turn_until([&] { return got.has_value(); }));
    return got.value_or("");
  }
  template <typename Condition>
  bool turn_until(Condition condition, int patience_ms = 5000) {
    const auto until = std::chrono::steady_clock::now() + std::chrono::milliseconds(patience_ms);
    while (!condition()) {
      if (std::chrono::steady_clock::now() > until) return false;
      loop->run_once(base::milliseconds(10));
    }
    return true;
  }
  void pass(int ms) {
    turn_until([] { return false; }, ms);
  }

  io::RealFileSystem files;
  io::RealRandom random;
  std::unique_ptr<io::Loop> loop;
  std::unique_ptr<io::RealClock> clock;
  effects::OwnEd25519Signer signer;
  std::unique_ptr<edge::Server> server;
  std::unique_ptr<effects::HttpRail> rail;
  std::optional<effects::RequestVerifier> verifier;
  effects::Rail::Expected expected{.kind = model::TransferKind::payout, .amount = 1050, .asset = "USD/2"};
  std::vector<effects::RailCallback> events;
  std::vector<std::string> refusals;
  bool away = false;
};

void is(const effects::RailAnswer& answer, RailResult result, RailReason reason = RailReason::none) {
  CHECK_EQ(answer.result, result);
  CHECK_MESSAGE(answer.reason == reason, model::row_of(answer.reason).name, " instead of ", model::row_of(reason).name, ": ", answer.detail);
}

RailProfileFile with(std::string_view faults, std::string_view rest = "") {
  const std::string text = "{\"settle_after_ms\":1,\"faults\":[" + std::string(faults) + "]" + std::string(rest) + "}";
  const auto profile = parse_rail_profile(base::as_bytes(text));
  REQUIRE_MESSAGE(profile.ok(), (profile.ok() ? "" : profile.error().message));
  return *profile;
}
RailProfileFile with(RailFault fault) { return with("{\"fault\":\"" + std::string(to_text(fault)) + "\"}"); }

std::size_t lines_of(const std::string& text) { return static_cast<std::size_t>(std::ranges::count(text, '\n')); }

TEST_CASE("a bank that behaves: accepted, settled later, told, asked, on the statement") {
  io::TemporaryDirectory directory;
  Service service;
  Bank bank(directory.path(), service.signer);
  service.connect(bank);
  RailProfileFile profile = with("");
  profile.settle_after_ms = 50;
  profile.callback_url = service.callback_url();
  bank.behave(profile);
  const effects::RailAnswer answer = service.send("r-1");
  is(answer, RailResult::accepted);
  CHECK_EQ(answer.rail_reference, "bp-1");
  is(service.send("r-1"), RailResult::accepted);   // the same reference is the same payment
  REQUIRE(service.turn_until([&] { return !service.events.empty(); }));
  CHECK_EQ(service.events[0].reference, "r-1");
  CHECK_EQ(service.events[0].event, "ev-1-settled");
  is(service.events[0].answer, RailResult::settled);
  is(service.inquire("r-1"), RailResult::settled);
  is(service.inquire("r-2"), RailResult::unknown, RailReason::not_found_at_rail);
  const std::string statement = service.statement();
  CHECK_EQ(lines_of(statement), 2u);
  CHECK(statement.find(",r-1,bp-1,1050,USD/2,debit,payout\n") != std::string::npos);
  CHECK(service.refusals.empty());
}

TEST_CASE("references, tombstones, validity") {
  io::TemporaryDirectory directory;
  Service service;
  Bank bank(directory.path(), service.signer);
  service.connect(bank);
  bank.behave(with(RailFault::never_settle));
  is(service.send("r-1"), RailResult::accepted);
  is(service.send(service.order("r-1", 7)), RailResult::unknown, RailReason::duplicate_reference);
  is(service.void_payment("r-1"), RailResult::not_sent, RailReason::tombstoned);
  is(service.send("r-1"), RailResult::not_sent, RailReason::tombstoned);
  is(service.void_payment("r-never"), RailResult::not_sent, RailReason::tombstoned);
  is(service.send("r-never"), RailResult::not_sent, RailReason::tombstoned);
  is(service.inquire("r-never"), RailResult::not_sent, RailReason::tombstoned);
  effects::SendOrder late = service.order("r-late");
  late.valid_until = service.clock->wall();
  is(service.send(std::move(late)), RailResult::not_sent, RailReason::send_deadline_passed);
  effects::SendOrder refused = service.order("r-closed");
  refused.beneficiary = R"({"sandbox_answer":"beneficiary_account_closed"})";
  is(service.send(std::move(refused)), RailResult::rejected, RailReason::beneficiary_account_closed);
  effects::SendOrder odd = service.order("r-odd");
  odd.asset = "nonsense";
  is(service.send(std::move(odd)), RailResult::rejected, RailReason::request_not_understood);
  bank.behave(with(""));
  is(service.send("r-2"), RailResult::accepted);
  REQUIRE(service.turn_until([&] { return service.inquire("r-2").result == RailResult::settled; }));
  is(service.void_payment("r-2"), RailResult::settled);   // too late
}

TEST_CASE("collects, recalls and refunds: never more back than went out") {
  io::TemporaryDirectory directory;
  Service service;
  Bank bank(directory.path(), service.signer);
  service.connect(bank);
  bank.behave(with("", ",\"settle_at_once\":true"));
  is(service.send("p-1"), RailResult::settled);
  const auto back = [&](const char* reference, model::TransferKind kind, const char* original, base::U128 amount) {
    effects::SendOrder order = service.order(reference, amount);
    order.kind = kind;
    order.original = original;
    order.beneficiary.clear();
    return service.send(std::move(order));
  };
  is(back("b-1", model::TransferKind::recall, "p-1", 1000), RailResult::settled);
  is(back("b-2", model::TransferKind::recall, "p-1", 51), RailResult::rejected, RailReason::other);
  is(back("b-3", model::TransferKind::recall, "p-1", 50), RailResult::settled);
  is(back("b-4", model::TransferKind::recall, "p-none", 1), RailResult::rejected, RailReason::other);
  effects::SendOrder collect = service.order("c-1");
  collect.kind = model::TransferKind::collect;
  is(service.send(std::move(collect)), RailResult::settled);
  is(back("b-5", model::TransferKind::recall, "c-1", 1), RailResult::rejected, RailReason::other);
  is(back("b-6", model::TransferKind::payout, "c-1", 1050), RailResult::settled);
  is(back("b-7", model::TransferKind::payout, "c-1", 1), RailResult::rejected, RailReason::other);
  const std::string statement = service.statement();
  CHECK(statement.find(",b-1,bp-2,1000,USD/2,credit,recall\n") != std::string::npos);
  CHECK(statement.find(",c-1,bp-4,1050,USD/2,credit,collect\n") != std::string::npos);
}

TEST_CASE("what is not signed, or by somebody else, is refused") {
  io::TemporaryDirectory directory;
  Service service;
  Bank bank(directory.path(), service.signer);
  service.signer = effects::OwnEd25519Signer(seed_of(9));
  service.connect(bank);
  is(service.send("r-1"), RailResult::rejected, RailReason::signature_refused);
  is(service.inquire("r-1"), RailResult::unknown, RailReason::signature_refused);
  CHECK_EQ(service.statement(), "statement_not_available");
}

TEST_CASE("faults of a send: what the driver makes of each, and what the bank really did") {
  io::TemporaryDirectory directory;
  Service service;
  Bank bank(directory.path(), service.signer);
  service.connect(bank, {}, {.reply_timeout = base::milliseconds(150)});
  int number = 0;
  const auto outcome = [&](RailFault fault, RailResult result, RailReason reason, RailResult really, RailReason why = RailReason::none) {
    INFO(to_text(fault));
    bank.behave(with(fault));
    const std::string reference = "f-" + std::to_string(++number);
    is(service.send(reference), result, reason);
    bank.behave(with(""));
    effects::RailAnswer found;
    REQUIRE(service.turn_until([&] {
      found = service.inquire(reference);
      return found.result != RailResult::accepted;
    }));
    is(found, really, why);
  };
  const RailReason absent = RailReason::not_found_at_rail;
  outcome(RailFault::refuse, RailResult::rejected, RailReason::rail_busy, RailResult::unknown, absent);
  outcome(RailFault::lost_request, RailResult::unknown, RailReason::reply_lost, RailResult::unknown, absent);
  outcome(RailFault::lost_reply, RailResult::unknown, RailReason::reply_lost, RailResult::settled);
  outcome(RailFault::reset_reply, RailResult::unknown, RailReason::reply_lost, RailResult::settled);
  outcome(RailFault::black_hole, RailResult::unknown, RailReason::reply_timed_out, RailResult::unknown, absent);
  outcome(RailFault::black_hole_after, RailResult::unknown, RailReason::reply_timed_out, RailResult::settled);
  outcome(RailFault::delay, RailResult::unknown, RailReason::reply_timed_out, RailResult::settled);
  outcome(RailFault::slow_drip, RailResult::unknown, RailReason::reply_timed_out, RailResult::settled);
  outcome(RailFault::error, RailResult::unknown, RailReason::rail_internal_error, RailResult::unknown, absent);
  outcome(RailFault::error_committed, RailResult::unknown, RailReason::rail_internal_error, RailResult::settled);
  outcome(RailFault::ok_with_error_body, RailResult::unknown, RailReason::reply_contradicts_request, RailResult::unknown, absent);
  outcome(RailFault::truncated_json, RailResult::unknown, RailReason::reply_malformed, RailResult::settled);
  outcome(RailFault::truncated_reply, RailResult::unknown, RailReason::reply_lost, RailResult::settled);
  outcome(RailFault::wrong_amount, RailResult::unknown, RailReason::reply_contradicts_request, RailResult::unknown, RailReason::reply_contradicts_request);
  outcome(RailFault::wrong_asset, RailResult::unknown, RailReason::reply_contradicts_request, RailResult::settled);
  outcome(RailFault::late_success, RailResult::rejected, RailReason::rail_busy, RailResult::settled);
  outcome(RailFault::refuse_after, RailResult::accepted, RailReason::none, RailResult::rejected, RailReason::rail_busy);
  bank.behave(with(R"({"fault":"return_after","delay_ms":50})"));
  is(service.send("f-returned"), RailResult::accepted);
  REQUIRE(service.turn_until([&] { return service.inquire("f-returned").reason == RailReason::returned_by_beneficiary_bank; }));
  const std::string statement = service.statement();
  CHECK(statement.find("f-returned") != statement.rfind("f-returned"));   // out and back
  bank.behave(with(R"({"fault":"not_visible"},{"fault":"ignore_valid_until"})"));
  effects::SendOrder late = service.order("f-late");
  late.valid_until = {service.clock->wall().ns - base::seconds(1).ns};
  is(service.send(std::move(late)), RailResult::accepted);
  is(service.inquire("f-late"), RailResult::unknown, absent);
}

TEST_CASE("faults of voids and inquiries") {
  io::TemporaryDirectory directory;
  Service service;
  Bank bank(directory.path(), service.signer);
  service.connect(bank);
  bank.behave(with(R"({"fault":"lost_reply","on":"void","count":2},{"fault":"error","on":"inquire"})"));
  is(service.void_payment("v-1"), RailResult::unknown, RailReason::reply_lost);
  is(service.inquire("v-1"), RailResult::unknown, RailReason::rail_internal_error);
  bank.behave(with(""));
  is(service.inquire("v-1"), RailResult::not_sent, RailReason::tombstoned);
}

TEST_CASE("callbacks, spoiled in every way") {
  io::TemporaryDirectory directory;
  Service service;
  Bank bank(directory.path(), service.signer);
  service.connect(bank);
  int number = 0;
  const auto told = [&](const std::string& faults, std::size_t events, std::size_t refusals) {
    INFO(faults);
    service.events.clear();
    service.refusals.clear();
    RailProfileFile profile = with(faults);
    profile.callback_url = service.callback_url();
    bank.behave(profile);
    is(service.send("c-" + std::to_string(++number)), RailResult::accepted);
    CHECK(service.turn_until([&] { return service.events.size() >= events && service.refusals.size() >= refusals; }));
    service.pass(30);
    CHECK_EQ(service.events.size(), events);
    CHECK_EQ(service.refusals.size(), refusals);
  };
  told("", 1, 0);
  told(R"({"fault":"lost_callback"})", 0, 0);
  told(R"({"fault":"duplicate_callback","times":50})", 50, 0);
  for (const effects::RailCallback& event : service.events) CHECK_EQ(event.event, service.events[0].event);
  told(R"({"fault":"replayed_callback","times":3})", 2, 2);
  CHECK_EQ(service.refusals[0], "signature_nonce_replayed");
  told(R"({"fault":"forged_callback"})", 1, 1);
  CHECK_EQ(service.refusals[0], "signature_wrong");
  told(R"({"fault":"stale_callback"})", 1, 1);
  CHECK_EQ(service.refusals[0], "signature_too_old");
  told(R"({"fault":"altered_callback"})", 2, 0);
  std::set<base::U128> amounts;
  for (const effects::RailCallback& event : service.events) amounts.insert(*event.answer.amount);
  CHECK_EQ(amounts, std::set<base::U128>{1050, 1051});
  told(R"({"fault":"reordered_callback"})", 2, 0);
  is(service.events[0].answer, RailResult::settled);
  is(service.events[1].answer, RailResult::accepted);
}

TEST_CASE("callbacks are repeated until they are taken, also after a restart") {
  io::TemporaryDirectory directory;
  Service service;
  {
    Bank bank(directory.path(), service.signer);
    service.connect(bank);
    RailProfileFile profile = with("");
    profile.callback_url = service.callback_url();
    bank.behave(profile);
    service.away = true;
    is(service.send("r-1"), RailResult::accepted);
    service.pass(250);
    CHECK(service.events.empty());
  }
  service.away = false;
  Bank bank(directory.path(), service.signer);
  service.connect(bank);
  RailProfileFile profile = with("");
  profile.callback_url = service.callback_url();
  bank.behave(profile);
  REQUIRE(service.turn_until([&] { return !service.events.empty(); }));
  is(service.events[0].answer, RailResult::settled);
}

TEST_CASE("the book survives, a torn tail is cut off, a strange one refused") {
  io::TemporaryDirectory directory;
  Service service;
  {
    Bank bank(directory.path(), service.signer);
    service.connect(bank);
    bank.behave(with(RailFault::never_settle));
    for (int i = 0; i < 5; ++i) is(service.send("r-" + std::to_string(i)), RailResult::accepted);
    is(service.void_payment("r-3"), RailResult::not_sent, RailReason::tombstoned);
  }
  const std::string path = directory / "book.log";
  base::Bytes bytes = io::read_whole_file(service.files, path, 64u << 20).value();
  const std::string_view text = base::as_text(bytes);
  const std::size_t end = text.rfind('\n');
  SUBCASE("whole") {
    const auto book = RailBook::open(service.files, path).value();
    CHECK_EQ(book->in_order().size(), 5u);
    CHECK_EQ(book->find("r-3")->state, effects::RailPaymentState::voided);
    CHECK_EQ(book->find("r-4")->own_reference(), "bp-5");
  }
  SUBCASE("torn in its last line") {
    bytes[end - 3] ^= 1;
    REQUIRE(io::replace_file(service.files, path, bytes).ok());
    CHECK_EQ(RailBook::open(service.files, path).value()->find("r-3")->state, effects::RailPaymentState::accepted);
    CHECK_EQ(RailBook::open(service.files, path).value()->in_order().size(), 5u);
  }
  SUBCASE("not a book") {
    const std::string json = "{\"a\":1}";
    std::array<std::uint8_t, 4> raw{};
    base::store_le(raw.data(), base::crc32c(base::as_bytes(json)));
    char digits[9] = {};
    std::snprintf(digits, sizeof digits, "%02x%02x%02x%02x", raw[0], raw[1], raw[2], raw[3]);
    REQUIRE(io::replace_file(service.files, path, base::as_bytes(std::string(digits) + " " + json + "\n")).ok());
    const auto book = RailBook::open(service.files, path);
    REQUIRE_FALSE(book.ok());
    CHECK_EQ(std::string(book.error().code), "sandbox_book_damaged");
  }
}

TEST_CASE("statements with faults") {
  io::TemporaryDirectory directory;
  Service service;
  Bank bank(directory.path(), service.signer);
  service.connect(bank);
  bank.behave(with("", ",\"settle_at_once\":true"));
  for (int i = 0; i < 20; ++i) is(service.send("s-" + std::to_string(i)), RailResult::settled);
  const std::string whole = service.statement();
  CHECK_EQ(lines_of(whole), 21u);
  const auto spoiled = [&](const std::string& fault) {
    bank.behave(with(fault));
    return service.statement();
  };
  CHECK_EQ(spoiled(R"({"fault":"statement_missing"})"), "statement_not_available");
  const std::string shuffled = spoiled(R"({"fault":"statement_shuffled"})");
  CHECK_EQ(lines_of(shuffled), 21u);
  CHECK(shuffled != whole);
  CHECK_EQ(spoiled(R"({"fault":"statement_shuffled"})"), shuffled);   // the same seed
  const std::size_t fewer = lines_of(spoiled(R"({"fault":"statement_line_missing","per_million":300000})"));
  CHECK(fewer < 21);
  CHECK(fewer > 1);
  CHECK(lines_of(spoiled(R"({"fault":"statement_line_doubled","per_million":300000})")) > 21);
  CHECK(spoiled(R"({"fault":"statement_line_altered"})").find(",1051,") != std::string::npos);
}

TEST_CASE("rules: probability, schedule, steadiness") {
  const auto hits = [](const std::string& fault, std::int64_t elapsed_ms) {
    FaultDecider decider(with(fault));
    int count = 0;
    for (int i = 0; i < 10'000; ++i) count += decider.decide(RailOperation::send, "r-" + std::to_string(i), 0, elapsed_ms).empty() ? 0 : 1;
    return count;
  };
  const int some = hits(R"({"fault":"error","per_million":50000})", 0);
  CHECK(some > 400);
  CHECK(some < 600);
  CHECK_EQ(hits(R"({"fault":"error","per_million":50000})", 0), some);
  CHECK_EQ(hits(R"({"fault":"error","from":10,"count":7})", 0), 7);
  CHECK_EQ(hits(R"({"fault":"error","after_ms":100,"until_ms":200})", 99), 0);
  CHECK_EQ(hits(R"({"fault":"error","after_ms":100,"until_ms":200})", 150), 10'000);
  CHECK_EQ(hits(R"({"fault":"error","period_ms":100})", 20), 10'000);
  CHECK_EQ(hits(R"({"fault":"error","period_ms":100})", 70), 0);
  CHECK_EQ(hits(R"({"fault":"error","on":"void"})", 0), 0);
  CHECK_EQ(to_json(*parse_rail_profile(base::as_bytes(to_json(with(R"({"fault":"refuse","reason":"rate_limited"})"))))),
           to_json(with(R"({"fault":"refuse","reason":"rate_limited","until_ms":86400000})")));
  for (const char* bad : {"", "[]", "{\"faults\":[{}]}", "{\"faults\":[{\"fault\":\"sleepy\"}]}", "{\"faults\":[{\"fault\":\"error\",\"on\":\"Monday\"}]}",
                          "{\"sead\":1}", "{\"faults\":[{\"fault\":\"error\",\"per_million\":1000001}]}"}) {
    const auto refused = parse_rail_profile(base::as_bytes(bad));
    REQUIRE_MESSAGE(!refused.ok(), bad);
    CHECK_EQ(std::string(refused.error().code), "sandbox_profile_malformed");
  }
}

// --- steering, and the fault proxy ------------------------------------------------------------------------------------------

TEST_CASE("a sandbox rail is steered over HTTP") {
  io::TemporaryDirectory directory;
  Service service;
  Bank bank(directory.path(), service.signer);
  service.connect(bank);
  effects::HttpClient control(*service.loop, *service.clock, nullptr, effects::parse_origin(bank.control_url()).value(), nullptr);
  const auto ask = [&](const char* method, const char* path, std::string body = {}) {
    effects::HttpCall call;
    call.request.method = method;
    call.request.path = path;
    call.request.body = std::move(body);
    std::optional<wire::Response> got;
    call.done = [&](effects::HttpReply&& reply) { got = std::move(reply.response); };
    control.call(std::move(call));
    CHECK(service.turn_until([&] { return got.has_value(); }));
    return got.value_or(wire::Response{});
  };
  CHECK_EQ(ask("PUT", "/control/profile", "{\"settle_at_once\":true}").status, 200);
  CHECK(ask("GET", "/control/profile").body.find("\"settle_at_once\":true") != std::string::npos);
  is(service.send("r-1"), RailResult::settled);
  CHECK(ask("GET", "/control/book").body.starts_with(
      R"({"payments":1,"sums":[{"kind":"payout","state":"settled","asset":"USD/2","count":1,"amount":"1050"}],"callbacks":{)"));
  CHECK_EQ(ask("GET", "/control/payments/r-1").status, 200);
  CHECK_EQ(ask("GET", "/control/payments/r-2").status, 404);
  CHECK_EQ(ask("PUT", "/control/profile", "{\"sead\":true}").status, 400);
  CHECK_EQ(ask("PUT", "/control/profile", "{\"callback_url\":\"ftp://a\"}").status, 400);
  CHECK_EQ(ask("GET", "/elsewhere").status, 404);
}

TEST_CASE("two thousand payments, each signed, booked and called back") {
  io::TemporaryDirectory directory;
  Service service;
  Bank bank(directory.path(), service.signer);
  service.connect(bank, {}, {.in_flight_max = 128});
  RailProfileFile profile = with("");
  profile.callback_url = service.callback_url();
  bank.behave(profile);
  constexpr std::size_t total = 2000;
  const auto began = std::chrono::steady_clock::now();
  std::size_t sent = 0, answered = 0;
  while (answered < total) {
    while (sent < total && service.rail->in_flight() < 128) {
      service.rail->send(service.order("t-" + std::to_string(sent++)), [&](effects::RailAnswer&& answer) {
        ++answered;
        CHECK_EQ(answer.result, RailResult::accepted);
      });
    }
    service.loop->run_once(base::milliseconds(10));
  }
  REQUIRE(service.turn_until([&] { return service.events.size() == total; }));
  const auto took = std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now() - began).count();
  MESSAGE(total, " payments with callbacks in ", took, " ms, both sides of them");
  CHECK(service.refusals.empty());
}

}  // namespace
}  // namespace holdfast
