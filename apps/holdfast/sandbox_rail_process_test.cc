// The sandbox rail and the fault proxy as real processes: killed, restarted, frozen.

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <thread>

#include "apps/holdfast/service_process.h"
#include "base/text.h"
#include "effects/rails/http_rail.h"
#include "io/posix_file.h"
#include "io/process.h"
#include "io/temporary_directory.h"
#include "wire/json_value.h"

// clang-format off
#include <doctest/doctest.h>  // last: base/check.h has a CHECK too
// clang-format on

namespace holdfast {
namespace {

using model::RailReason;
using model::RailResult;

io::SecretMemory our_seed() { return io::SecretMemory::copy_of(base::Bytes(32, 1)).value(); }

/// One loop, one driver.
struct Sender {
  Sender(const std::string& url, const std::string& ca_file) : loop(io::Loop::open().value()), clock(io::RealClock::open().value()), signer(our_seed()) {
    io::ignore_broken_pipes();
    rail = effects::HttpRail::open(*loop, *clock, random, nullptr, io::TlsOutgoingContext::open(files, {.ca_file = ca_file}).value(), signer,
                                   {.url = url, .key_id = "us"}).value();
  }
  effects::SendOrder order(const std::string& reference, base::Duration window) {
    effects::SendOrder order;
    order.reference = reference;
    order.amount = 1050;
    order.asset = "USD/2";
    order.beneficiary = "{}";
    order.valid_until = clock->wall() + window;
    order.send_not_after_boot_ns = clock->boot_ns() + window.ns;
    order.may_repeat = true;
    return order;
  }
  template <typename Question>
  effects::RailAnswer ask(Question question) {
    std::optional<effects::RailAnswer> got;
    question([&](effects::RailAnswer&& answer) { got = std::move(answer); });
    for (int i = 0; i < 2000 && !got; ++i) loop->run_once(base::milliseconds(10));
    return got.value_or(effects::RailAnswer{});
  }
  effects::RailAnswer send(const std::string& reference) {
    return ask([&](effects::RailAnswered done) { rail->send(order(reference, base::seconds(5)), std::move(done)); });
  }
  effects::RailAnswer inquire(const std::string& reference) {
    return ask([&](effects::RailAnswered done) { rail->inquire(reference, expected, std::move(done)); });
  }
  effects::RailAnswer void_payment(const std::string& reference) {
    return ask([&](effects::RailAnswered done) { rail->void_payment(reference, expected, std::move(done)); });
  }

  io::RealFileSystem files;
  io::RealRandom random;
  std::unique_ptr<io::Loop> loop;
  std::unique_ptr<io::RealClock> clock;
  effects::OwnEd25519Signer signer;
  std::unique_ptr<effects::HttpRail> rail;
  const effects::Rail::Expected expected{.kind = model::TransferKind::payout, .amount = 1050, .asset = "USD/2"};
};

struct Bank {
  explicit Bank(std::string directory, std::string listen = "127.0.0.1:0") : data(std::move(directory)) {
    const std::string key = "us:" + base::to_base64(effects::OwnEd25519Signer(our_seed()).public_key());
    process = ServiceProcess::launch({HOLDFAST_PROGRAM, "sandbox-rail", "--data", data, "--client-key", key, "--listen", std::move(listen)}).value();
    io::RealFileSystem files;
    const base::Bytes text = io::read_whole_file(files, data + "/rail.json", 4096).value();
    const auto document = wire::parse_json(text).value();
    url = std::string(*document.root().find("url")->string());
    ca_file = std::string(*document.root().find("ca_file")->string());
  }
  std::string data, url, ca_file;
  std::unique_ptr<ServiceProcess> process;
};

TEST_CASE("what the bank answered for survives its death") {
  io::TemporaryDirectory directory;
  Bank bank(directory / "bank");
  Sender sender(bank.url, bank.ca_file);
  CHECK_EQ(sender.send("r-1").result, RailResult::accepted);
  CHECK_EQ(sender.void_payment("r-2").reason, RailReason::tombstoned);
  bank.process->kill_hard();
  CHECK_EQ(sender.send("r-3").result, RailResult::not_sent);
  const std::string address = bank.url.substr(bank.url.rfind('/') + 1);
  Bank again(directory / "bank", address);
  CHECK_EQ(sender.send("r-1").rail_reference, "bp-1");
  CHECK_EQ(sender.send("r-2").reason, RailReason::tombstoned);
  effects::RailAnswer answer;
  for (int i = 0; i < 100 && answer.result != RailResult::settled; ++i) answer = sender.inquire("r-1");
  CHECK_EQ(answer.result, RailResult::settled);
  CHECK_EQ(again.process->stop(), 0);
}

TEST_CASE("through the fault proxy: what the network swallows is unknown, and asking finds it") {
  io::TemporaryDirectory directory;
  Bank bank(directory / "bank");
  io::RealFileSystem files;
  REQUIRE(io::replace_file(files, directory / "weather.json", base::as_bytes("{\"faults\":[{\"black_hole_down_after\":4000}]}")).ok());
  const auto proxy = ServiceProcess::launch({HOLDFAST_PROGRAM, "fault-proxy", "--to", bank.url.substr(bank.url.rfind('/') + 1), "--schedule", directory / "weather.json"}).value();
  const std::string& line = proxy->ready_line();
  const std::string address = line.substr(13, line.find(" to ") - 13);
  Sender through("https://" + address, bank.ca_file);
  effects::RailAnswer answer;
  std::string last;
  // The handshake and some replies pass before the limit is reached.
  through.rail = effects::HttpRail::open(*through.loop, *through.clock, through.random, nullptr, io::TlsOutgoingContext::open(files, {.ca_file = bank.ca_file}).value(),
                                         through.signer, {.url = "https://" + address, .key_id = "us", .reply_timeout = base::milliseconds(300)}).value();
  for (int i = 0; i < 40 && answer.reason != RailReason::reply_timed_out; ++i) {
    last = "p-" + std::to_string(i);
    answer = through.send(last);
  }
  CHECK_EQ(answer.result, RailResult::unknown);
  CHECK_EQ(answer.reason, RailReason::reply_timed_out);
  Sender direct(bank.url, bank.ca_file);
  const effects::RailAnswer found = direct.inquire(last);
  CHECK_MESSAGE((found.result == RailResult::accepted || found.result == RailResult::settled), found.detail);
  CHECK_EQ(proxy->stop(), 0);
}

// A sender that was stopped between its decision and its first byte. Meanwhile its send window passes and absence is concluded;
// then it wakes up.
TEST_CASE("frozen before the first byte, absence concluded, woken: nobody is paid") {
  io::TemporaryDirectory directory;
  Bank bank(directory / "bank");
  const pid_t child = ::fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    Sender sender(bank.url, bank.ca_file);
    std::optional<effects::RailAnswer> got;
    sender.rail->send(sender.order("frozen-1", base::milliseconds(600)), [&](effects::RailAnswer&& answer) { got = std::move(answer); });
    ::raise(SIGSTOP);
    for (int i = 0; i < 1000 && !got; ++i) sender.loop->run_once(base::milliseconds(10));
    ::_exit(got && got->result == RailResult::not_sent && got->reason == RailReason::send_deadline_passed ? 0 : 1);
  }
  int status = 0;
  REQUIRE_EQ(::waitpid(child, &status, WUNTRACED), child);
  REQUIRE(WIFSTOPPED(status));
  std::this_thread::sleep_for(std::chrono::milliseconds(700));
  Sender observer(bank.url, bank.ca_file);
  CHECK_EQ(observer.inquire("frozen-1").reason, RailReason::not_found_at_rail);
  ::kill(child, SIGCONT);
  REQUIRE_EQ(::waitpid(child, &status, 0), child);
  CHECK(WIFEXITED(status));
  CHECK_EQ(WEXITSTATUS(status), 0);
  CHECK_EQ(observer.inquire("frozen-1").reason, RailReason::not_found_at_rail);
}

}  // namespace
}  // namespace holdfast
