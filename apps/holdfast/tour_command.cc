// holdfast tour: what the service promises, shown on a real one over its HTTPS API. Every step is checked; the tour ends with
// exit code 0 only if all of them held.

#include <signal.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <functional>
#include <map>

#include "apps/holdfast/commands.h"
#include "apps/holdfast/load.h"
#include "apps/holdfast/readable.h"
#include "apps/holdfast/service_process.h"
#include "base/int128.h"
#include "base/text.h"
#include "io/posix_file.h"
#include "io/random.h"
#include "wire/http_message.h"
#include "wire/json_value.h"
#include "wire/json_writer.h"

namespace holdfast {

namespace {

using SteadyClock = std::chrono::steady_clock;

constexpr std::uint32_t load_clients = 8;
constexpr std::uint32_t load_accounts = 8;
constexpr std::uint64_t load_before_kill = 1'000;
constexpr std::chrono::seconds load_at_least(2), load_at_most(10);

struct Finding {
  bool held = false;
  std::string detail;
};

Finding held(std::string detail) { return {true, std::move(detail)}; }
Finding broke(std::string detail) { return {false, std::move(detail)}; }

std::string milliseconds(std::int64_t ns) {
  const std::int64_t tenths = ns / 100'000;
  return std::to_string(tenths / 10) + "." + std::to_string(tenths % 10) + " ms";
}

// `12.50 USD` from 1250 of USD/2.
std::string dollars(std::string_view cents) {
  std::string text(cents);
  if (text.size() < 3) text.insert(0, 3 - text.size(), '0');
  return text.insert(text.size() - 2, ".") + " USD";
}

class Tour {
 public:
  Tour(std::string directory, bool json) : directory_(std::move(directory)), json_(json) {
    std::array<std::uint8_t, 5> name{};
    io::RealRandom().fill(name);
    run_ = "tour-" + base::to_hex(name);
  }

  bool go();
  void keep_serving();
  int finish();

 private:
  bool step(const std::string& title, const std::function<Finding()>& work);
  void heading(const std::string& text);
  void finish_json(wire::JsonWriter& json);

  Finding start_service();
  Finding register_asset();
  Finding open_accounts();
  Finding fund();
  Finding pay();
  Finding lose_reply();
  Finding overdraw();
  Finding hold_and_capture();
  Finding load_and_kill();
  Finding restart();
  Finding nothing_is_lost();
  Finding balances_agree();
  Finding debits_equal_credits();
  Finding verify_journal();

  std::string account(std::string_view name) const { return run_ + "/" + std::string(name); }
  base::Result<ApiReply> transfer(std::string_view debit, std::string_view credit, std::string_view amount, std::string_view key, bool hold = false);
  ApiRequest transfer_request(std::string_view debit, std::string_view credit, std::string_view amount, std::string_view key, bool hold) const;
  base::Result<std::string> account_json(const std::string& id);
  std::string available(const std::string& account_json) const;
  Finding unexpected(const base::Result<ApiReply>& reply) const;

  struct StepResult {
    std::string title, detail;
    bool held;
    std::int64_t ns;
  };

  const std::string directory_;
  const bool json_;
  std::string run_;
  io::RealFileSystem files_;
  std::unique_ptr<ServiceProcess> service_;
  Credentials credentials_;
  std::unique_ptr<ApiClient> client_;
  std::vector<std::string> load_names_;
  std::vector<LoadRecord> records_;
  std::vector<StepResult> steps_;
};

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
    if (!finding.detail.empty()) std::printf("                    %s\n", finding.detail.c_str());
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
  good = good && step("SIGKILL under load from " + std::to_string(load_clients) + " clients", [this] { return load_and_kill(); });
  good = good && step("starts again on what it finds on disk", [this] { return restart(); });
  good = good && step("everything acknowledged is there, with the same receipt", [this] { return nothing_is_lost(); });
  good = good && step("every balance is the sum of the receipts", [this] { return balances_agree(); });
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

Finding Tour::register_asset() {
  const auto reply = client_->call({.method = "POST", .path = "/v1/assets", .query = {}, .body = "{\"code\":\"USD/2\"}", .key = run_ + "-asset"});
  if (reply.ok() && reply->status == 201) return held("its account world/USD is where money enters and leaves");
  if (reply.ok() && json_text(reply->body, "code") == "asset_exists") return held("it was registered before");
  return unexpected(reply);
}

Finding Tour::open_accounts() {
  std::vector<std::string> names{account("alice"), account("bob")};
  for (std::uint32_t i = 0; i < load_accounts; ++i) load_names_.push_back(account("load-" + std::to_string(i)));
  names.insert(names.end(), load_names_.begin(), load_names_.end());
  for (const std::string& name : names) {
    ApiRequest request{.method = "POST", .path = "/v1/accounts", .query = {}, .body = {}, .key = "open-" + name};
    wire::JsonWriter json(request.body);
    json.begin_object();
    json.member("id", std::string_view(name));
    json.member("asset", "USD/2");
    json.end_object();
    const auto reply = client_->call(request);
    if (!reply.ok() || reply->status != 201) return unexpected(reply);
  }
  return held(std::to_string(names.size()) + " accounts whose debits must not exceed their credits");
}

ApiRequest Tour::transfer_request(std::string_view debit, std::string_view credit, std::string_view amount, std::string_view key, bool hold) const {
  ApiRequest request{.method = "POST", .path = "/v1/transfers", .query = {}, .body = {}, .key = run_ + "-" + std::string(key)};
  wire::JsonWriter json(request.body);
  json.begin_object();
  json.member("debit_account", debit);
  json.member("credit_account", credit);
  json.member("amount", amount);
  json.member("asset", "USD/2");
  if (hold) json.member("hold", true);
  json.end_object();
  return request;
}

base::Result<ApiReply> Tour::transfer(std::string_view debit, std::string_view credit, std::string_view amount, std::string_view key, bool hold) {
  return client_->call(transfer_request(debit, credit, amount, key, hold));
}

base::Result<std::string> Tour::account_json(const std::string& id) {
  TRY_ASSIGN(ApiReply reply, client_->call({.path = "/v1/accounts/" + wire::encode_segment(id)}));
  if (!reply.good()) return base::Error{"request_refused", readable_problem(reply.body)};
  return std::move(reply.body);
}

// Posted credits less posted and pending debits.
std::string Tour::available(const std::string& account_json) const {
  const auto number = [&](std::string_view name) { return base::parse_decimal(json_text(account_json, name)).value_or(0); };
  return base::to_decimal(number("credits_posted") - number("debits_posted") - number("debits_pending"));
}

Finding Tour::fund() {
  const auto reply = transfer("world/USD", account("alice"), "100000", "fund");
  if (!reply.ok() || reply->status != 201) return unexpected(reply);
  for (const std::string& name : load_names_) {
    const auto also = transfer("world/USD", name, "1000000", "fund-" + name);
    if (!also.ok() || also->status != 201) return unexpected(also);
  }
  return held("transfer " + json_text(reply->body, "id"));
}

Finding Tour::pay() {
  const auto reply = transfer(account("alice"), account("bob"), "1250", "pay");
  if (!reply.ok() || reply->status != 201) return unexpected(reply);
  const auto alice = account_json(account("alice"));
  if (!alice.ok()) return broke(alice.error().message);
  if (available(*alice) != "98750") return broke("alice has " + dollars(available(*alice)) + " instead of 987.50");
  return held("alice has " + dollars(available(*alice)) + " left; the receipt carries the balances that resulted");
}

Finding Tour::lose_reply() {
  const ApiRequest request = transfer_request(account("alice"), account("bob"), "2000", "lost", false);
  const auto lossy = ApiClient::open(files_, credentials_);
  if (!lossy.ok()) return broke(lossy.error().message);
  const base::Status sent = (*lossy)->call_and_lose_reply(request);
  if (!sent.ok()) return broke(sent.error().message);
  const auto second = client_->call(request);
  const auto third = client_->call(request);
  if (!second.ok() || second->status != 201) return unexpected(second);
  if (!third.ok() || third->status != 201) return unexpected(third);
  if (second->body != third->body || !third->replayed) return broke("the receipt is not the same bytes each time");
  const auto alice = account_json(account("alice"));
  if (!alice.ok()) return broke(alice.error().message);
  if (available(*alice) != "96750") return broke("alice has " + dollars(available(*alice)) + " instead of 967.50");
  return held("sent three times, one receipt of " + std::to_string(third->body.size()) + " bytes (" + json_text(third->body, "id") +
              "), one debit; the second was " + (second->replayed ? "a replay" : "the first to arrive"));
}

Finding Tour::overdraw() {
  const auto first = transfer(account("bob"), account("alice"), "999999999", "overdraw");
  const auto again = transfer(account("bob"), account("alice"), "999999999", "overdraw");
  if (!first.ok() || json_text(first->body, "code") != "exceeds_available_balance") return unexpected(first);
  if (!again.ok() || again->body != first->body || !again->replayed) return broke("the refusal did not stick to its key");
  return held("status " + std::to_string(first->status) + " exceeds_available_balance, safe to retry with: " +
              json_text(first->body, "safe_to_retry") + "; next: " + json_text(first->body, "next_action"));
}

Finding Tour::hold_and_capture() {
  const auto placed = transfer(account("alice"), account("bob"), "500", "hold", true);
  if (!placed.ok() || placed->status != 201) return unexpected(placed);
  const std::string id = json_text(placed->body, "id");
  const auto captured = client_->call(
      {.method = "POST", .path = "/v1/transfers/" + id + "/capture", .query = {}, .body = "{\"amount\":\"300\"}", .key = run_ + "-capture"});
  if (!captured.ok() || !captured->good()) return unexpected(captured);
  const auto twice = client_->call({.method = "POST", .path = "/v1/transfers/" + id + "/void", .query = {}, .body = "{}", .key = run_ + "-void"});
  if (!twice.ok() || json_text(twice->body, "code") != "hold_already_captured") return unexpected(twice);
  const auto alice = account_json(account("alice"));
  if (!alice.ok()) return broke(alice.error().message);
  if (available(*alice) != "96450") return broke("alice has " + dollars(available(*alice)) + " instead of 964.50");
  return held("alice has " + dollars(available(*alice)) + "; a hold resolves once, voiding it now is refused");
}

Finding Tour::load_and_kill() {
  Load load(files_, credentials_,
            {.accounts = load_names_, .asset = "USD/2", .clients = load_clients, .requests_max = 200'000, .key_prefix = run_ + "-load"});
  const auto began = SteadyClock::now();
  const auto long_enough = [&] {
    const auto passed = SteadyClock::now() - began;
    return passed > load_at_most || (passed > load_at_least && load.acknowledged() >= load_before_kill);
  };
  while (!long_enough() && !load.ended()) {
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  const std::uint64_t before = load.acknowledged();
  const auto took = std::chrono::duration<double>(SteadyClock::now() - began).count();
  service_->kill_hard();
  load.stop();
  records_ = load.take_records();
  const auto& latencies = load.latencies_ns();
  const auto unknown = std::ranges::count(records_, 0, &LoadRecord::status);
  if (before == 0) return broke("no transfer was acknowledged before the kill");
  char rate[64];
  std::snprintf(rate, sizeof rate, "%.0f a second", static_cast<double>(before) / took);
  return held(std::to_string(load.acknowledged()) + " transfers acknowledged (" + rate + ", median " +
              milliseconds(latencies[latencies.size() / 2]) + ", 99 % under " + milliseconds(latencies[latencies.size() * 99 / 100]) +
              "), " + std::to_string(unknown) + " without an answer when it died");
}

Finding Tour::restart() { return start_service(); }

Finding Tour::nothing_is_lost() {
  const LoadAudit audit = audit_load(files_, credentials_, records_, load_clients);
  if (!audit.wrong.empty()) return broke(std::to_string(audit.wrong.size()) + " wrong; the first: " + audit.wrong.front());
  return held(std::to_string(audit.confirmed) + " of " + std::to_string(audit.confirmed) + " looked up and repeated: same bytes; of " +
              std::to_string(audit.resolved) + " unknown ones " + std::to_string(audit.had_happened) +
              " had happened, the others happened now, none twice");
}

Finding Tour::balances_agree() {
  std::map<std::uint32_t, base::U128> debits, credits;
  for (const LoadRecord& record : records_) {
    if (record.id.empty()) continue;
    debits[record.debit] += record.amount;
    credits[record.credit] += record.amount;
  }
  for (std::uint32_t i = 0; i < load_names_.size(); ++i) {
    const auto found = account_json(load_names_[i]);
    if (!found.ok()) return broke(found.error().message);
    const std::string debited = base::to_decimal(debits[i]), credited = base::to_decimal(credits[i] + 1'000'000);
    if (json_text(*found, "debits_posted") != debited || json_text(*found, "credits_posted") != credited) {
      return broke(load_names_[i] + " stands at " + json_text(*found, "debits_posted") + " / " + json_text(*found, "credits_posted") +
                   ", the receipts say " + debited + " / " + credited);
    }
  }
  return held(std::to_string(load_names_.size()) + " accounts, to the cent");
}

Finding Tour::debits_equal_credits() {
  const auto reply = client_->call({.path = "/v1/trial-balance"});
  if (!reply.ok() || !reply->good()) return unexpected(reply);
  const auto document = wire::parse_json(base::as_bytes(reply->body));
  if (!document.ok() || !document->root().is_object()) return broke("the trial balance is not JSON");
  const auto balanced = document->root().find("balanced");
  const auto rows = document->root().find("rows");
  if (!balanced || balanced->boolean() != true || !rows || rows->size() == 0) return broke(reply->body);
  std::string text;
  for (const wire::JsonValue row : rows->elements()) {
    const auto member = [&row](std::string_view name) { return row.find(name) ? std::string(row.find(name)->string().value_or("")) : ""; };
    if (!text.empty()) text += "; ";
    text += member("asset") + ": debits " + member("debits_posted") + " = credits " + member("credits_posted");
  }
  return held(text);
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
}

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
                     .summary = "starts a service, moves money, loses replies, kills the service, checks everything",
                     .options = {{"--data", "DIR", "a data directory of --dev; made if it is not there"},
                                 {"--once", "", "end after the tour instead of leaving the service up"}},
                     .run = run_tour}}};
}

}  // namespace holdfast
