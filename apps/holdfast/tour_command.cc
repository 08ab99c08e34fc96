// holdfast tour: what the service promises, shown on a real one over its HTTPS API. Every step is checked; the tour ends with
// exit code 0 only if all of them held.

#include <signal.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdio>

#include "apps/holdfast/commands.h"
#include "apps/holdfast/readable.h"
#include "apps/holdfast/tour.h"
#include "base/text.h"
#include "io/random.h"

namespace holdfast {

namespace {

using SteadyClock = std::chrono::steady_clock;

constexpr std::string_view detail_indent = "                    ";

std::string indented(std::string_view lines) {
  std::string text(detail_indent);
  for (const char c : lines) {
    text += c;
    if (c == '\n') text += detail_indent;
  }
  return text;
}

}  // namespace

std::string milliseconds(std::int64_t ns) {
  const std::int64_t tenths = ns / 100'000;
  return std::to_string(tenths / 10) + "." + std::to_string(tenths % 10) + " ms";
}

std::string with_decimals(std::string_view smallest_units) {
  std::string text(smallest_units);
  if (text.size() < 3) text.insert(0, 3 - text.size(), '0');
  return text.insert(text.size() - 2, ".");
}

Tour::Tour(std::string directory, bool json) : directory_(std::move(directory)), json_(json) {
  std::array<std::uint8_t, 5> name{};
  io::RealRandom().fill(name);
  run_ = "tour-" + base::to_hex(name);
}

void Tour::heading(const std::string& text) {
  if (json_) return;
  std::printf("\n%s\n", text.c_str());
  std::fflush(stdout);
}

bool Tour::step(const std::string& title, const std::function<Finding()>& work) {
  const auto began = SteadyClock::now();
  Finding finding = work();
  const std::int64_t ns = (SteadyClock::now() - began).count();
  if (!json_) {
    std::printf("  %-6s %9s  %s\n", finding.held ? "ok" : "FAILED", milliseconds(ns).c_str(), title.c_str());
    if (!finding.detail.empty()) std::printf("%s\n", indented(finding.detail).c_str());
    std::fflush(stdout);
  }
  steps_.push_back({title, finding.detail, finding.held, ns});
  return finding.held;
}

bool Tour::go() {
  heading("A service, from nothing");
  if (!step("starts `holdfast serve --dev`: CA, certificate, client and an empty ledger", [this] { return start_service(); })) return false;
  heading("Money moves");
  bool good = step("registers the asset USD/2", [this] { return register_asset(); });
  good = good && step("opens accounts", [this] { return open_accounts(); });
  good = good && step("brings 1000.00 USD in from world/USD", [this] { return fund(); });
  good = good && step("alice pays bob 12.50 USD", [this] { return pay(); });
  heading("Once, whatever happens on the way");
  good = good && step("a request whose reply is lost, repeated under its key, moves money once", [this] { return lose_reply(); });
  good = good && step("an overdraft is refused, and stays refused", [this] { return overdraw(); });
  good = good && step("a hold of 5.00 is captured with 3.00, the rest is released", [this] { return hold_and_capture(); });
  heading("The process dies in the middle of its work");
  good = good && step("SIGKILL under load from " + std::to_string(tour_load_clients) + " clients", [this] { return load_and_kill(); });
  good = good && step("starts again on what it finds on disk", [this] { return restart(); });
  good = good && step("everything acknowledged is there, with the same receipt", [this] { return nothing_is_lost(); });
  good = good && step("every balance is the sum of the receipts", [this] { return balances_agree(); });
  heading("Out through three banks that misbehave");
  good = good && step("three sandbox rails stand ready, and get worse on purpose", [this] { return find_banks(); });
  good = good && step("thirty payouts under way", [this] { return send_first_half(); });
  good = good && step("SIGKILL for the bank that most of them went to; the service stays up", [this] { return kill_a_bank(); });
  good = good && step("thirty more go round it", [this] { return send_second_half(); });
  good = good && step("the bank comes back with its book", [this] { return revive_the_bank(); });
  good = good && step("every payout comes to an end, the unknown ones by asking", [this] { return payouts_end(); });
  good = good && step("nothing was lost and nothing was doubled", [this] { return books_agree(); });
  heading("Nothing came from nowhere");
  good = good && step("debits equal credits in every asset", [this] { return debits_equal_credits(); });
  return good;
}

Finding Tour::unexpected(const base::Result<ApiReply>& reply) const {
  if (!reply.ok()) return broke(reply.error().message);
  return broke("status " + std::to_string(reply->status) + ": " + readable_problem(reply->body));
}

Finding Tour::start_service() {
  auto started = ServiceProcess::start(own_program(), directory_);
  if (!started.ok()) return broke(started.error().message);
  service_ = std::move(started).value();
  auto credentials = load_credentials(files_, directory_ + "/dev/client.json");
  if (!credentials.ok()) return broke(credentials.error().message);
  credentials_ = std::move(credentials).value();
  auto client = ApiClient::open(files_, credentials_);
  if (!client.ok()) return broke(client.error().message);
  client_ = std::move(client).value();
  return held("process " + std::to_string(service_->pid()) + " at " + credentials_.base_url);
}

Finding Tour::verify_journal() {
  client_.reset();
  if (service_->stop() != exit_done) return broke("the service did not stop in good order");
  const std::vector<std::string_view> words{"journal", "verify", "--data", directory_, "--quiet"};
  if (run_command_line(words) != exit_done) return broke("holdfast journal verify found damage");
  return held("holdfast journal verify: every checksum, the chain of groups, every leaf of the audit log");
}

namespace {
volatile sig_atomic_t interrupted = 0;
}  // namespace

void Tour::keep_serving() {
  std::printf(
      "\nThe service stays up until Ctrl-C. In another terminal:\n"
      "  curl --config %s/dev/curl.conf %s/v1/trial-balance\n"
      "  %s account list --data %s\n",
      directory_.c_str(), credentials_.base_url.c_str(), own_program().c_str(), directory_.c_str());
  std::fflush(stdout);
  struct sigaction action {};
  action.sa_handler = [](int) { interrupted = 1; };
  sigset_t blocked, before;
  sigemptyset(&blocked);
  sigaddset(&blocked, SIGINT);
  sigaddset(&blocked, SIGTERM);
  sigprocmask(SIG_BLOCK, &blocked, &before);
  sigaction(SIGINT, &action, nullptr);
  sigaction(SIGTERM, &action, nullptr);
  while (interrupted == 0) sigsuspend(&before);
  sigprocmask(SIG_SETMASK, &before, nullptr);
}

int Tour::finish() {
  if (service_ != nullptr && service_->pid() > 0) {
    heading("And down again");
    step("stops in good order; the journal on disk is sound", [this] { return verify_journal(); });
  }
  const auto failures = std::ranges::count(steps_, false, &StepResult::held);
  if (json_) {
    std::string text;
    wire::JsonWriter json(text);
    finish_json(json);
    print(text);
  } else if (failures == 0) {
    std::printf("\nAll %zu steps held.\n", steps_.size());
  } else {
    std::printf("\n%td of %zu steps did not hold.\n", failures, steps_.size());
  }
  return failures == 0 ? exit_done : exit_failed;
}

void Tour::finish_json(wire::JsonWriter& json) {
  json.begin_object();
  json.key("steps");
  json.begin_array();
  for (const StepResult& step : steps_) {
    json.begin_object();
    json.member("title", std::string_view(step.title));
    json.member("held", step.held);
    json.member("microseconds", static_cast<std::uint64_t>(step.ns / 1000));
    json.member("detail", std::string_view(step.detail));
    json.end_object();
  }
  json.end_array();
  json.end_object();
}

namespace {

int run_tour(const Arguments& arguments) {
  const auto directory = arguments.value("--data");
  if (!directory) return fail({"options_contradict", "tour needs --data DIR, a directory it may fill"});
  Tour tour(absolute_path(*directory), arguments.json());
  const bool good = tour.go();
  if (good && !arguments.has("--once") && !arguments.json()) tour.keep_serving();
  return tour.finish();
}

}  // namespace

Command tour_command() {
  return {.name = "tour",
          .summary = "see it work: a guided tour over the real API",
          .examples = "  holdfast tour --data /tmp/tour\n"
                      "  holdfast tour --data /tmp/tour --once\n",
          .verbs = {{.name = "",
                     .operands = "",
                     .summary = "starts a service, moves money, loses replies, kills the service and a bank, checks everything",
                     .options = {{"--data", "DIR", "a data directory of --dev; made if it is not there"},
                                 {"--once", "", "end after the tour instead of leaving the service up"}},
                     .run = run_tour}}};
}

}  // namespace holdfast
