// The tour's chapter on the way out: payouts through three sandbox rails that lose replies, refuse and are late; one of them is
// killed in the middle. In the end the banks' own books are asked.

#include <signal.h>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <set>
#include <thread>

#include "apps/holdfast/sandbox_banks.h"
#include "apps/holdfast/tour.h"
#include "node/own_keys.h"
#include "wire/json_value.h"

namespace holdfast {

namespace {

using SteadyClock = std::chrono::steady_clock;

constexpr std::uint32_t payouts_in_all = 60;
constexpr std::uint32_t refused_one_in = 12;      // beneficiaries whose account is closed
constexpr std::uint64_t treasury_cents = 1'000'000;
constexpr std::chrono::seconds ending_patience(20);
constexpr std::chrono::milliseconds look_again(100);
constexpr std::string_view killed_bank = "bank-a";   // the cheapest
constexpr std::string_view dear_bank = "bank-b";     // chosen by nobody who may choose
constexpr std::uint32_t dear_one_in = 6;             // payouts that name it

/// Bad days, one for each bank.
RailProfileFile bad_day(std::string_view bank) {
  RailProfileFile profile;
  profile.settle_after_ms = 200;
  profile.settle_jitter_ms = 300;
  if (bank == "bank-a") {
    profile.faults = {{.fault = RailFault::lost_reply, .per_million = 200'000},
                      {.fault = RailFault::refuse, .per_million = 150'000, .reason = "rate_limited"},
                      {.fault = RailFault::duplicate_callback, .on = RailOperation::callback, .per_million = 300'000}};
  } else if (bank == "bank-b") {
    profile.settle_at_once = true;
    profile.faults = {{.fault = RailFault::error_committed, .count = 3}};
  } else {
    profile.settle_after_ms = 1'500;
    profile.faults = {{.fault = RailFault::truncated_json, .per_million = 150'000},
                      {.fault = RailFault::lost_callback, .on = RailOperation::callback, .per_million = 300'000}};
  }
  return profile;
}

bool ended(std::string_view state) { return state == "settled" || state == "failed" || state == "returned"; }

std::string text_of(wire::JsonValue object, std::string_view name) {
  const auto member = object.find(name);
  return std::string(member ? member->string().value_or("") : "");
}

// The process that holds a bank's book: its lock file says so.
pid_t process_of(io::FileSystem& files, const std::string& directory, std::string_view bank) {
  const auto text = io::read_whole_file(files, directory + "/dev/rails/" + std::string(bank) + "/lock", 64);
  pid_t process = 0;
  if (!text.ok()) return 0;
  const std::string_view digits = base::as_text(*text);
  std::from_chars(digits.data(), digits.data() + digits.size(), process);
  return process;
}

std::string padded(std::string text, std::size_t width, bool right = false) {
  if (text.size() < width) text.insert(right ? 0 : text.size(), width - text.size(), ' ');
  return text;
}

std::string euros(std::uint64_t cents) { return with_decimals(std::to_string(cents)); }

}  // namespace

Finding Tour::find_banks() {
  const auto text = io::read_whole_file(files_, directory_ + "/dev/client.json", 1u << 16);
  if (!text.ok()) return broke(text.error().message);
  const auto document = wire::parse_json(*text);
  const auto rails = document.ok() ? document->root().find("rails") : std::nullopt;
  if (!rails || rails->size() != 3) return broke("dev/client.json does not name three rails");
  std::string where;
  for (const wire::JsonValue one : rails->elements()) {
    banks_.emplace_back().rail = {text_of(one, "name"), text_of(one, "url"), text_of(one, "control_url")};
    const node::DevRail& rail = banks_.back().rail;
    RailProfileFile profile = bad_day(rail.name);
    profile.callback_url = credentials_.base_url + "/v1/rails/" + rail.name + "/callbacks";
    const base::Status steered = steer_sandbox_bank(rail.control_url, profile);
    if (!steered.ok()) return broke(rail.name + ": " + steered.error().message);
    where += (where.empty() ? "" : ", ") + rail.name + " at " + rail.url;
  }
  const auto opened = client_->call({.method = "POST", .path = "/v1/accounts", .query = {}, .body = "{\"id\":\"" + account("treasury") + "\",\"asset\":\"EUR/2\"}", .key = run_ + "-treasury"});
  if (!opened.ok() || opened->status != 201) return unexpected(opened);
  ApiRequest fund{.method = "POST", .path = "/v1/transfers", .query = {}, .body = {}, .key = run_ + "-treasury-fund"};
  fund.body = "{\"debit_account\":\"world/EUR\",\"credit_account\":\"" + account("treasury") + "\",\"asset\":\"EUR/2\",\"amount\":\"" +
              std::to_string(treasury_cents) + "\"}";
  const auto funded = client_->call(fund);
  if (!funded.ok() || funded->status != 201) return unexpected(funded);
  return held(where + "\na treasury of " + euros(treasury_cents) + " EUR");
}

Finding Tour::send_payouts(std::uint32_t until) {
  const auto began = SteadyClock::now();
  const std::uint32_t first = static_cast<std::uint32_t>(payouts_.size());
  while (payouts_.size() < until) {
    const std::uint32_t number = static_cast<std::uint32_t>(payouts_.size());
    Payout payout;
    payout.cents = 1'000 + 37 * number;
    ApiRequest request{.method = "POST", .path = "/v1/transfers", .query = {}, .body = {}, .key = run_ + "-payout-" + std::to_string(number)};
    wire::JsonWriter json(request.body);
    json.begin_object();
    json.member("kind", "payout");
    if (number % dear_one_in == 0) json.member("rail", dear_bank);
    json.member("debit_account", std::string_view(account("treasury")));
    json.member("asset", "EUR/2");
    json.member("amount", std::string_view(std::to_string(payout.cents)));
    json.key("beneficiary");
    json.begin_object();
    json.member("account", std::string_view("somebody-" + std::to_string(number)));
    if (number % refused_one_in == refused_one_in - 1) json.member("sandbox_answer", "beneficiary_account_closed");
    json.end_object();
    json.end_object();
    const auto reply = client_->call(request);
    if (!reply.ok() || reply->status != 202) return unexpected(reply);
    payout.id = json_text(reply->body, "id");
    payouts_.push_back(std::move(payout));
  }
  const auto each = (SteadyClock::now() - began).count() / (until - first);
  return held("each durable before its answer, " + milliseconds(each) + " on average");
}

Finding Tour::send_first_half() { return send_payouts(payouts_in_all / 2); }

Finding Tour::kill_a_bank() {
  const pid_t bank = process_of(files_, directory_, killed_bank);
  if (bank <= 0 || ::kill(bank, SIGKILL) != 0) return broke("the process of " + std::string(killed_bank) + " is not found");
  const auto health = get_operator(files_, credentials_, "/readyz");
  if (!health.ok() || health->status != 200) return unexpected(health);
  return held(std::string(killed_bank) + ", process " + std::to_string(bank) + "; what it was asked and did not answer is unknown now, and stays held");
}

Finding Tour::send_second_half() { return send_payouts(payouts_in_all); }

Finding Tour::revive_the_bank() {
  const auto bank = std::ranges::find(banks_, killed_bank, [](const Bank& one) -> std::string_view { return one.rail.name; });
  if (bank == banks_.end()) return broke("there is no " + std::string(killed_bank));
  auto key = node::rail_signing_public_key(files_, {.directory = directory_, .mode = store::DataMode::dev, .master_key_file = {}});
  if (!key.ok()) return broke(key.error().message);
  const auto address = [](const std::string& url) { return url.substr(url.rfind('/') + 1); };
  auto started = start_sandbox_bank(files_, {.directory = directory_ + "/dev",
                                             .name = bank->rail.name,
                                             .ca_file = credentials_.ca_file,
                                             .client_key = std::move(key).value(),
                                             .listen = address(bank->rail.url),
                                             .control = address(bank->rail.control_url),
                                             .callback_url = credentials_.base_url + "/v1/rails/" + bank->rail.name + "/callbacks"});
  if (!started.ok()) return broke(started.error().message);
  revived_ = std::move(started).value();
  return held("process " + std::to_string(revived_->pid()) + " at the same address");
}

Finding Tour::payouts_end() {
  const auto until = SteadyClock::now() + ending_patience;
  std::size_t open = payouts_.size();
  while (open > 0) {
    open = 0;
    for (Payout& payout : payouts_) {
      if (ended(payout.state)) continue;
      const auto reply = client_->call({.path = "/v1/transfers/" + payout.id});
      if (!reply.ok() || !reply->good()) return unexpected(reply);
      payout.state = json_text(reply->body, "state");
      if (!ended(payout.state)) {
        ++open;
        continue;
      }
      const auto document = wire::parse_json(base::as_bytes(reply->body));
      if (!document.ok()) return broke("transfer " + payout.id + " is not JSON");
      for (const wire::JsonValue move : document->root().find("history")->elements()) {
        payout.was_unknown |= text_of(move, "to") == "outcome_unknown";
        payout.was_parked |= text_of(move, "to") == "parked";
      }
      for (const wire::JsonValue attempt : document->root().find("attempts")->elements()) {
        payout.attempts.emplace_back(text_of(attempt, "rail"), text_of(attempt, "reference"));
      }
    }
    if (open == 0) break;
    if (SteadyClock::now() > until) return broke(std::to_string(open) + " payouts have not ended");
    std::this_thread::sleep_for(look_again);
  }
  const auto unknown = std::ranges::count(payouts_, true, &Payout::was_unknown);
  const auto again = std::ranges::count_if(payouts_, [](const Payout& payout) { return payout.attempts.size() > 1; });
  if (unknown == 0) return broke("no outcome was ever unknown: the tour has shown nothing");
  return held(std::to_string(unknown) + " were unknown for a while, " + std::to_string(again) + " took more than one attempt, each after proof that the one before had not paid");
}

// Whether a bank has booked it, and how often.
Finding Tour::count_at_banks(const Payout& payout) {
  std::uint32_t paid = 0;
  for (const auto& [name, reference] : payout.attempts) {
    const auto bank = std::ranges::find(banks_, name, [](const Bank& one) { return one.rail.name; });
    if (bank == banks_.end()) return broke("an attempt at " + name + ", which is no bank of ours");
    const auto reply = ask_plainly(bank->rail.control_url, {.path = "/control/payments/" + reference});
    if (!reply.ok()) return broke(reply.error().message);
    if (reply->status == 404 || json_text(reply->body, "state") != "settled") continue;
    ++paid;
    ++bank->payouts;
    bank->cents += payout.cents;
    if (json_text(reply->body, "amount") != std::to_string(payout.cents)) return broke(reference + " was booked with another amount");
  }
  if (paid > 1) return broke(payout.id + " was paid " + std::to_string(paid) + " times");
  if ((payout.state == "settled") != (paid == 1)) return broke(payout.id + " is " + payout.state + ", and the banks have booked it " + std::to_string(paid) + " times");
  return held({});
}

std::string Tour::payout_table() const {
  const auto row = [](const std::string& what, std::uint64_t payouts, const std::string& amount) {
    return "\n" + padded(what, 34) + padded(std::to_string(payouts), 4, true) + padded(amount, 12, true);
  };
  std::string table = padded("", 34) + padded("", 4) + padded("EUR", 12, true);
  std::set<std::string> states;
  for (const Payout& payout : payouts_) states.insert(payout.state);
  for (const std::string& state : states) {
    std::uint64_t count = 0, cents = 0;
    for (const Payout& payout : payouts_) {
      if (payout.state != state) continue;
      ++count;
      cents += payout.cents;
    }
    table += row(state, count, euros(cents));
  }
  const auto counted = [&](const std::string& what, bool Payout::* member) {
    std::uint64_t count = 0, cents = 0;
    for (const Payout& payout : payouts_) {
      if (!(payout.*member)) continue;
      ++count;
      cents += payout.cents;
    }
    table += row(what, count, euros(cents));
  };
  counted("  of them unknown, then resolved", &Payout::was_unknown);
  counted("  of them parked, then resumed", &Payout::was_parked);
  for (const Bank& bank : banks_) table += row("booked at " + bank.rail.name, bank.payouts, euros(bank.cents));
  return table;
}

// The service fetches the banks' statements by itself: until every settled payout has its line.
Finding Tour::statements_agree(std::uint64_t settled) {
  const auto until = SteadyClock::now() + ending_patience;
  while (true) {
    const auto reply = client_->call({.path = "/v1/reconciliations", .query = "limit=100"});
    if (!reply.ok() || !reply->good()) return unexpected(reply);
    const auto document = wire::parse_json(base::as_bytes(reply->body));
    if (!document.ok()) return broke("the list of statements is not JSON");
    std::uint64_t matched = 0, exceptions = 0;
    bool compared = true;
    for (const wire::JsonValue statement : document->root().find("items")->elements()) {
      matched += statement.find("results")->find("matched")->uint64().value_or(0);
      exceptions += statement.find("open_exceptions")->uint64().value_or(0);
      compared = compared && statement.find("compared")->boolean().value_or(false);
    }
    if (matched >= settled && exceptions == 0 && compared) return held({});
    if (SteadyClock::now() > until) {
      return broke(std::to_string(matched) + " lines of statements are payouts of ours, of " + std::to_string(settled) + "; " +
                   std::to_string(exceptions) + " exceptions are open");
    }
    std::this_thread::sleep_for(look_again);
  }
}

// The same sum three times: what is settled here, what the account was debited, what the banks have booked.
Finding Tour::books_agree() {
  std::uint64_t settled = 0, booked = 0;
  for (const Payout& payout : payouts_) {
    if (Finding found = count_at_banks(payout); !found.held) return found;
    if (payout.state == "settled") settled += payout.cents;
  }
  for (const Bank& bank : banks_) booked += bank.cents;
  const auto treasury = account_json(account("treasury"));
  if (!treasury.ok()) return broke(treasury.error().message);
  const std::string debited = json_text(*treasury, "debits_posted"), pending = json_text(*treasury, "debits_pending");
  std::string table = payout_table();
  table += "\n" + padded("debited from the treasury", 38) + padded(with_decimals(debited), 12, true);
  table += "\n" + padded("still held", 38) + padded(with_decimals(pending), 12, true);
  const auto paid = static_cast<std::uint64_t>(std::ranges::count(payouts_, "settled", &Payout::state));
  if (Finding found = statements_agree(paid); !found.held) return found;
  table += "\n" + padded("reconciled by the banks' statements", 36) + padded(std::to_string(paid), 2, true) + padded(euros(settled), 12, true);
  if (settled != booked || debited != std::to_string(settled) || pending != "0") return broke("the sums differ:\n" + table);
  return held(table);
}

}  // namespace holdfast
