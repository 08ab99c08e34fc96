// The tour's chapters on money: in, across, held, never twice, never more than there is.

#include "apps/holdfast/readable.h"
#include "apps/holdfast/tour.h"
#include "base/int128.h"
#include "wire/http_message.h"
#include "wire/json_value.h"
#include "wire/json_writer.h"

namespace holdfast {

namespace {

// `12.50 USD` from 1250 of USD/2.
std::string dollars(std::string_view cents) { return with_decimals(cents) + " USD"; }

}  // namespace

Finding Tour::register_asset() {
  const auto reply = client_->call({.method = "POST", .path = "/v1/assets", .query = {}, .body = "{\"code\":\"USD/2\"}", .key = run_ + "-asset"});
  if (reply.ok() && reply->status == 201) return held("its account world/USD is where money enters and leaves");
  if (reply.ok() && json_text(reply->body, "code") == "asset_exists") return held("it was registered before");
  return unexpected(reply);
}

Finding Tour::open_accounts() {
  std::vector<std::string> names{account("alice"), account("bob")};
  for (std::uint32_t i = 0; i < tour_load_accounts; ++i) load_names_.push_back(account("load-" + std::to_string(i)));
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

}  // namespace holdfast
