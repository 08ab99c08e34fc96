#include "apps/holdfast/load.h"

#include <algorithm>
#include <chrono>
#include <mutex>

#include "wire/json_value.h"
#include "wire/json_writer.h"

namespace holdfast {

namespace {

constexpr ApiClientOptions no_patience{.patience = {}, .reply_timeout = base::seconds(20)};
constexpr ApiClientOptions some_patience{.patience = base::seconds(20), .reply_timeout = base::seconds(20)};

ApiRequest request_of(const LoadRecord& record) {
  return {.method = "POST", .path = "/v1/transfers", .query = {}, .body = record.body, .key = record.key};
}

// Looks at records number, number + step, number + 2 step...
void audit_some(io::FileSystem& files, const Credentials& credentials, std::vector<LoadRecord>& records, std::uint32_t number,
                std::uint32_t step, LoadAudit& audit) {
  auto client = ApiClient::open(files, credentials, some_patience);
  if (!client.ok()) {
    audit.wrong.push_back(client.error().message);
    return;
  }
  for (std::size_t i = number; i < records.size(); i += step) {
    LoadRecord& record = records[i];
    const auto again = (*client)->call(request_of(record));
    if (!again.ok()) {
      audit.wrong.push_back(record.key + ": " + again.error().message);
      return;
    }
    if (record.status == 0) {
      record.status = again->status;
      record.reply = again->body;
      record.id = again->good() ? json_text(again->body, "id") : "";
      ++audit.resolved;
      if (again->replayed) ++audit.had_happened;
      continue;
    }
    if (!again->replayed || again->status != record.status || again->body != record.reply) {
      audit.wrong.push_back(record.key + ": the second reply is not the first one again");
      continue;
    }
    if (!record.id.empty()) {
      const auto found = (*client)->call({.path = "/v1/transfers/" + record.id});
      if (!found.ok() || !found->good() || json_text(found->body, "id") != record.id) {
        audit.wrong.push_back(record.key + ": acknowledged as " + record.id + ", which is not there");
        continue;
      }
    }
    ++audit.confirmed;
  }
}

}  // namespace

std::string json_text(std::string_view json, std::string_view path) {
  const auto document = wire::parse_json(base::as_bytes(json), {.bytes_max = std::size_t{64} << 20, .depth_max = 64});
  if (!document.ok()) return {};
  wire::JsonValue value = document->root();
  while (true) {
    if (!value.is_object()) return {};
    const std::size_t dot = path.find('.');
    const auto member = value.find(path.substr(0, dot));
    if (!member) return {};
    if (dot == std::string_view::npos) return std::string(member->string().value_or(""));
    value = *member;
    path.remove_prefix(dot + 1);
  }
}

Load::Load(io::FileSystem& files, const Credentials& credentials, LoadPlan plan)
    : files_(files), credentials_(credentials), plan_(std::move(plan)), clients_(plan_.clients) {
  running_ = plan_.clients;
  for (std::uint32_t number = 0; number < plan_.clients; ++number) {
    clients_[number].thread = std::thread([this, number] {
      run(number);
      running_.fetch_sub(1, std::memory_order_relaxed);
    });
  }
}

Load::~Load() { stop(); }

void Load::stop() {
  stopping_ = true;
  for (Client& client : clients_) {
    if (!client.thread.joinable()) continue;
    client.thread.join();
    latencies_ns_.insert(latencies_ns_.end(), client.latencies_ns.begin(), client.latencies_ns.end());
  }
  std::ranges::sort(latencies_ns_);
}

std::vector<LoadRecord> Load::take_records() {
  std::vector<LoadRecord> records;
  for (Client& client : clients_) std::ranges::move(client.records, std::back_inserter(records));
  return records;
}

void Load::run(std::uint32_t number) {
  Client& self = clients_[number];
  auto client = ApiClient::open(files_, credentials_, no_patience);
  if (!client.ok()) return;
  const auto accounts = static_cast<std::uint32_t>(plan_.accounts.size());
  for (std::uint32_t i = 0; !stopping_ && sent_.fetch_add(1) < plan_.requests_max; ++i) {
    LoadRecord record;
    record.key = plan_.key_prefix + "-" + std::to_string(number) + "-" + std::to_string(i);
    record.debit = (number + i) % accounts;
    record.credit = (number + i + 1 + i % (accounts - 1)) % accounts;
    if (record.credit == record.debit) record.credit = (record.credit + 1) % accounts;
    record.amount = 1 + i % 97;
    wire::JsonWriter json(record.body);
    json.begin_object();
    json.member("debit_account", std::string_view(plan_.accounts[record.debit]));
    json.member("credit_account", std::string_view(plan_.accounts[record.credit]));
    json.member("amount", std::string_view(std::to_string(record.amount)));
    json.member("asset", std::string_view(plan_.asset));
    json.end_object();
    const auto began = std::chrono::steady_clock::now();
    const auto reply = (*client)->call(request_of(record));
    if (!reply.ok()) {
      // Not even sent: nothing can have happened. Otherwise it stays unknown.
      if (std::string_view(reply.error().code) == "outcome_unknown") self.records.push_back(std::move(record));
      return;
    }
    if (reply->status == 503) continue;   // refused before anything was decided
    self.latencies_ns.push_back((std::chrono::steady_clock::now() - began).count());
    record.status = reply->status;
    record.reply = reply->body;
    record.id = reply->good() ? json_text(reply->body, "id") : "";
    self.records.push_back(std::move(record));
    acknowledged_.fetch_add(1, std::memory_order_relaxed);
  }
}

LoadAudit audit_load(io::FileSystem& files, const Credentials& credentials, std::vector<LoadRecord>& records, std::uint32_t clients) {
  std::vector<LoadAudit> parts(clients);
  std::vector<std::thread> threads;
  for (std::uint32_t number = 0; number < clients; ++number) {
    threads.emplace_back([&, number] { audit_some(files, credentials, records, number, clients, parts[number]); });
  }
  for (std::thread& thread : threads) thread.join();
  LoadAudit all;
  for (LoadAudit& part : parts) {
    all.confirmed += part.confirmed;
    all.resolved += part.resolved;
    all.had_happened += part.had_happened;
    std::ranges::move(part.wrong, std::back_inserter(all.wrong));
  }
  return all;
}

}  // namespace holdfast
