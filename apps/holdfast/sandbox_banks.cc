#include "apps/holdfast/sandbox_banks.h"

#include <signal.h>

#include <array>
#include <chrono>
#include <thread>

#include "apps/holdfast/api_client.h"
#include "apps/holdfast/load.h"
#include "apps/holdfast/readable.h"
#include "base/text.h"
#include "wire/json_value.h"
#include "wire/json_writer.h"

namespace holdfast {

namespace {

constexpr std::uint64_t file_bytes_max = 1u << 20;
constexpr std::string_view asset = "EUR/2";
// Short enough to be watched.
constexpr std::uint64_t statement_every_seconds = 5, statement_lag_seconds = 2;
constexpr std::chrono::milliseconds lock_pause(10);
constexpr int lock_tries = 300;

/// A bank's character: what it asks for and carries, and the faults it has on an ordinary day.
struct Bank {
  std::string_view name;
  std::string_view profile;                 ///< of the sandbox
  model::RailCapabilities capabilities;
  std::uint64_t cost_fixed;
  std::uint32_t cost_basis_points;
  std::uint64_t amount_max;
  std::uint32_t settle_within_ms;
};

constexpr model::RailCapabilities usual = model::idempotent_reference | model::inquiry_supported | model::expiry_honoured |
                                          model::callback_supported | model::statement_supported;

constexpr std::array<Bank, 3> banks = {{
    // Cheap, slow, and now and then it says nothing.
    {"bank-a", R"({"seed": 1, "settle_after_ms": 400, "settle_jitter_ms": 400, "tell_accepted": true,
 "faults": [{"fault": "lost_reply", "per_million": 20000},
            {"fault": "refuse", "reason": "rate_limited", "per_million": 20000},
            {"fault": "duplicate_callback", "per_million": 50000}]}
)", usual | model::void_supported | model::recall_supported, 5, 0, 0, 5'000},
    // Dear and instant; sometimes it fails after it has paid.
    {"bank-b", R"({"seed": 2, "settle_at_once": true,
 "faults": [{"fault": "error_committed", "per_million": 10000}]}
)", usual | model::recall_supported, 25, 10, 0, 2'000},
    // In between, for small amounts; forgets to call back.
    {"bank-c", R"({"seed": 3, "settle_after_ms": 100, "settle_jitter_ms": 100,
 "faults": [{"fault": "lost_callback", "per_million": 50000},
            {"fault": "truncated_json", "per_million": 10000}]}
)", usual | model::void_supported, 10, 5, 500'000, 2'000},
}};

std::string rails_directory(const std::string& directory) { return io::join_path(directory, "rails"); }
std::string bank_directory(const std::string& directory, std::string_view name) {
  return io::join_path(rails_directory(directory), name);
}
std::string profile_file(const std::string& directory, std::string_view name) {
  return io::join_path(bank_directory(directory, name), "profile.json");
}

base::Status make_if_missing(io::FileSystem& files, const std::string& directory) {
  TRY_ASSIGN(const bool there, files.exists(directory));
  if (there) return base::ok();
  TRY(files.make_dir(directory));
  return files.sync_dir(io::directory_of(directory));
}

// A bank whose service was killed a moment ago may still hold its book.
base::Status wait_for_book(io::FileSystem& files, const std::string& directory) {
  for (int tries = 0;; ++tries) {
    const auto lock = files.lock_exclusive(io::join_path(directory, "lock"));
    if (lock.ok()) return base::ok();
    if (tries == lock_tries) return lock.error();
    std::this_thread::sleep_for(lock_pause);
  }
}

// What a sandbox wrote of itself, as an entry of the file of rails.
base::Status append_entry(io::FileSystem& files, const std::string& directory, std::string_view name, wire::JsonWriter& json, node::DevRail& rail) {
  TRY_ASSIGN(const base::Bytes text, io::read_whole_file(files, io::join_path(bank_directory(directory, name), "rail.json"), file_bytes_max));
  const std::string_view written = base::as_text(text);
  rail = {.name = std::string(name), .url = json_text(written, "url"), .control_url = json_text(written, "control_url")};
  json.begin_object();
  json.member("name", name);
  json.member("url", std::string_view(rail.url));
  json.member("ca_file", std::string_view(json_text(written, "ca_file")));
  json.member("signing_key_id", node::dev_signing_key_id);
  json.member("statement_every_seconds", statement_every_seconds);
  json.member("statement_lag_seconds", statement_lag_seconds);
  json.key("callback_keys");
  json.begin_array();
  json.begin_object();
  json.member("id", std::string_view(json_text(written, "callback_key_id")));
  json.member("ed25519", std::string_view(json_text(written, "callback_public_key")));
  json.end_object();
  json.end_array();
  json.end_object();
  return base::ok();
}

}  // namespace

base::Result<std::unique_ptr<ServiceProcess>> start_sandbox_bank(io::FileSystem& files, const SandboxBankStart& start) {
  const std::string directory = bank_directory(start.directory, start.name);
  TRY(wait_for_book(files, directory));
  std::vector<std::string> words = {own_program(),  "sandbox-rail",   "--data",    directory,     "--listen",
                                    start.listen,   "--control",      start.control, "--profile", profile_file(start.directory, start.name),
                                    "--client-key", std::string(node::dev_signing_key_id) + ":" + base::to_base64(start.client_key),
                                    "--callback-ca", start.ca_file};
  if (!start.callback_url.empty()) words.insert(words.end(), {"--callback-url", start.callback_url});
  return ServiceProcess::launch(std::move(words), io::join_path(directory, "messages"));
}

base::Status steer_sandbox_bank(const std::string& control_url, const RailProfileFile& profile) {
  TRY_ASSIGN(const ApiReply reply, ask_plainly(control_url, {.method = "PUT", .path = "/control/profile", .query = {}, .body = to_json(profile)}));
  if (!reply.good()) return base::Error{"request_refused", readable_problem(reply.body)};
  return base::ok();
}

SandboxBanks::~SandboxBanks() {
  for (const auto& process : processes_) process->signal(SIGTERM);
  for (const auto& process : processes_) process->wait();
}

base::Status SandboxBanks::make_places(const std::string& directory) {
  TRY(make_if_missing(files_, rails_directory(directory)));
  for (const Bank& bank : banks) {
    TRY(make_if_missing(files_, bank_directory(directory, bank.name)));
    const std::string profile = profile_file(directory, bank.name);
    TRY_ASSIGN(const bool there, files_.exists(profile));
    if (!there) TRY(io::replace_file(files_, profile, base::as_bytes(bank.profile), 0644));
  }
  return base::ok();
}

base::Result<std::string> SandboxBanks::start(const node::DevRailTerms& terms) {
  directory_ = terms.directory;
  TRY(make_places(directory_));
  std::string text;
  wire::JsonWriter json(text);
  json.begin_object();
  json.key("rails");
  json.begin_array();
  for (const Bank& bank : banks) {
    TRY_ASSIGN(auto process, start_sandbox_bank(files_, {.directory = directory_, .name = std::string(bank.name), .ca_file = terms.ca_file, .client_key = terms.signing_key}));
    processes_.push_back(std::move(process));
    TRY(append_entry(files_, directory_, bank.name, json, rails_.emplace_back()));
  }
  json.end_array();
  json.end_object();
  text += '\n';
  std::string path = io::join_path(directory_, "rails.json");
  TRY(io::replace_file(files_, path, base::as_bytes(text), 0600));
  return path;
}

base::Status SandboxBanks::call_back_to(const std::string& base_url) {
  for (const node::DevRail& rail : rails_) {
    TRY_ASSIGN(const base::Bytes text, io::read_whole_file(files_, profile_file(directory_, rail.name), file_bytes_max));
    TRY_ASSIGN(RailProfileFile profile, parse_rail_profile(text));
    profile.callback_url = base_url + "/v1/rails/" + rail.name + "/callbacks";
    TRY(steer_sandbox_bank(rail.control_url, profile));
  }
  return base::ok();
}

std::vector<gate::RailConfiguration> SandboxBanks::registrations() const {
  std::vector<gate::RailConfiguration> all;
  for (const Bank& bank : banks) {
    model::RailProfile profile;
    profile.capabilities = bank.capabilities;
    profile.cost_fixed = bank.cost_fixed;
    profile.cost_basis_points = bank.cost_basis_points;
    profile.amount_max = bank.amount_max;
    // Short, so that one can watch how an unknown outcome is resolved.
    profile.reply_timeout = base::milliseconds(1'500);
    profile.send_window = base::milliseconds(3'000);
    profile.visibility_horizon = base::milliseconds(1'000);
    profile.settle_within = base::milliseconds(bank.settle_within_ms);
    profile.inquiry_first = base::milliseconds(300);
    profile.inquiry_max = base::milliseconds(2'000);
    all.push_back({.name = bank.name, .asset = *model::parse_asset(asset), .profile = profile});
  }
  return all;
}

}  // namespace holdfast
