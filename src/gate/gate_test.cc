#include "gate/gate.h"

#include "base/cbor.h"
#include "gate/gate_fixture.h"

using namespace gate;

namespace {

const char* const good_transfer = R"({"debit_account":"a","credit_account":"b","asset":"USD/2","amount":"1"})";

// The request with one header replaced (an empty value: left out).
wire::Request with_header(const wire::Request& from, std::string_view name, std::string_view value) {
  wire::Request request = from;
  wire::Headers headers;
  for (std::size_t i = 0; i < from.headers.size(); ++i) {
    const auto field = from.headers.at(i);
    if (field.name != name) headers.add(field.name, field.value);
  }
  if (!value.empty()) headers.add(name, value);
  request.headers = headers;
  return request;
}

std::string batch_of(std::string_view items) { return "{\"items\":[" + std::string(items) + "]}"; }

}  // namespace

TEST_CASE("bad bodies: the code and every field that is wrong") {
  struct Case {
    const char* path;
    const char* body;
    const char* expected;
  };
  const Case cases[] = {
      {"/v1/transfers", good_transfer, "admitted"},
      {"/v1/transfers", "", "request_field_missing /debit_account /credit_account /asset /amount"},
      {"/v1/transfers", "{", "request_malformed"},
      {"/v1/transfers", "[]", "request_field_invalid "},
      {"/v1/transfers", R"({"debit_account":"a","debit_account":"a"})", "request_malformed"},
      {"/v1/transfers", R"({"debit_account":"a","credit_account":"b","asset":"USD/2","amount":1})",
       "request_field_invalid /amount"},
      {"/v1/transfers", R"({"debit_account":"a","credit_account":"b","asset":"USD/2","amount":"-1"})",
       "request_field_invalid /amount"},
      {"/v1/transfers", R"({"debit_account":"a","credit_account":"b","asset":"USD/2","amount":"1.5"})",
       "request_field_invalid /amount"},
      {"/v1/transfers", R"({"debit_account":"a","credit_account":"b","asset":"USD/2","amount":"01"})",
       "request_field_invalid /amount"},
      {"/v1/transfers",
       R"({"debit_account":"a","credit_account":"b","asset":"USD/2",
           "amount":"170141183460469231731687303715884105728"})",
       "request_field_invalid /amount"},
      {"/v1/transfers", R"({"debit_account":"a","credit_account":"b","asset":"USD/2","amount":"1","note":"x"})",
       "request_field_unknown /note"},
      {"/v1/transfers", R"({"debit_account":7,"credit_account":"b","asset":"usd","amount":"1","x":1})",
       "request_field_unknown /debit_account /asset /x"},
      {"/v1/transfers", R"({"debit_account":"a//b","credit_account":"b","asset":"USD/2","amount":"1"})",
       "request_field_invalid /debit_account"},
      {"/v1/transfers", R"({"debit_account":"a","credit_account":"b","asset":"USD/2","amount":"1","kind":"gift"})",
       "request_field_invalid /kind"},
      {"/v1/transfers", R"({"debit_account":"a","credit_account":"b","asset":"USD/2","amount":"1","hold":"yes"})",
       "request_field_invalid /hold"},
      {"/v1/transfers", R"({"debit_account":"a","credit_account":"b","asset":"USD/2","amount":"1","hold_seconds":60})",
       "request_field_invalid /hold_seconds"},
      {"/v1/transfers",
       R"({"debit_account":"a","credit_account":"b","asset":"USD/2","amount":"1","hold":true,"hold_seconds":0})",
       "request_field_invalid /hold_seconds"},
      {"/v1/transfers",
       R"({"debit_account":"a","credit_account":"b","asset":"USD/2","amount":"1","hold":true,"hold_seconds":1.5})",
       "request_field_invalid /hold_seconds"},
      {"/v1/transfers", R"({"debit_account":"a","credit_account":"b","asset":"USD/2","amount":"1","reference":""})",
       "request_field_invalid /reference"},
      {"/v1/transfers", R"({"debit_account":"a","credit_account":"b","asset":"USD/2","amount":"1","reference":"a\nb"})",
       "request_field_invalid /reference"},
      {"/v1/transfers", R"({"debit_account":"a","credit_account":"b","asset":"USD/2","amount":"1","metadata":{"a":1}})",
       "request_field_invalid /metadata"},
      {"/v1/transfers",
       R"({"debit_account":"a","credit_account":"b","asset":"USD/2","amount":"1","metadata":{"":"1"}})",
       "request_field_invalid /metadata"},
      {"/v1/transfers",
       R"({"debit_account":"a","credit_account":"b","asset":"USD/2","amount":"1","idempotency_key":"k"})",
       "request_field_unknown /idempotency_key"},
      {"/v1/accounts", R"({"asset":"USD/2"})", "request_field_missing /id"},
      {"/v1/accounts", R"({"id":"world/USD","asset":"USD/2"})", "request_field_invalid /id"},
      {"/v1/accounts", R"({"id":"a","asset":"USD/31"})", "request_field_invalid /asset"},
      {"/v1/accounts", R"({"id":"a","asset":"USD/2","flags":["closed"]})", "request_field_invalid /flags"},
      {"/v1/accounts",
       R"({"id":"a","asset":"USD/2","flags":["debits_must_not_exceed_credits","debits_must_not_exceed_credits"]})",
       "request_field_invalid /flags"},
      {"/v1/accounts", R"({"id":"a","asset":"USD/2","limits":{"balance_max":"x","other":"1"}})",
       "request_field_unknown /limits/balance_max /limits/other"},
      {"/v1/accounts", R"({"id":"a","asset":"USD/2","limits":[]})", "request_field_invalid /limits"},
      {"/v1/accounts/a/freeze", R"({"debits":false})", "request_field_invalid /debits"},
      {"/v1/accounts/a%20b/freeze", "{}", "request_field_invalid /id"},
      {"/v1/accounts/a/close", R"({"now":true})", "request_field_unknown /now"},
      {"/v1/accounts/a/limits", R"({"debit_amount_max":5})", "request_field_invalid /debit_amount_max"},
      {"/v1/assets", R"({"code":"USD"})", "request_field_invalid /code"},
      {"/v1/tenants", R"({"name":"a b"})", "request_field_invalid /name"},
      {"/v1/transfers/zz/capture", "", "request_field_invalid /id"},
      {"/v1/transfers/tr_0000000000001/capture", R"({"amount":""})", "request_field_invalid /amount"},
      {"/v1/transfers/tr_2000000000001/void", "", "transfer_not_found"},
      {"/v1/idempotency-keys:cancel", R"({"operation":"tick","key":"k"})", "request_field_invalid /operation"},
      {"/v1/idempotency-keys:cancel", R"({"operation":"cancel_key","key":"k"})", "request_field_invalid /operation"},
      {"/v1/idempotency-keys:cancel", R"({"operation":"create_transfer","key":"\u00e9"})",
       "request_field_invalid /key"},
      {"/v1/clients", R"({"name":"","kind":"robot","scopes":["all"]})", "request_field_invalid /kind /scopes /name"},
      {"/v1/clients", R"({"name":"x","kind":"service","scopes":[]})", "request_field_invalid /scopes"},
      {"/v1/clients/7/rotate", "", "request_field_invalid /id"},
      {"/v1/clients/cl_2/rotate", R"({"overlap_seconds":9999999})", "request_field_invalid /overlap_seconds"},
      {"/v1/clients/cl_3/rotate", "", "client_not_found"},
      {"/v1/clients/cl_3/revoke", "", "client_not_found"},
      {"/v1/transfers:batch", "{}", "request_field_missing /items"},
      {"/v1/transfers:batch", R"({"items":[]})", "request_field_invalid /items"},
      {"/v1/transfers:batch", R"({"items":[5]})", "request_field_invalid /items/0"},
      {"/v1/transfers:batch", R"({"items":[{"group":[]}]})", "request_field_invalid /items/0/group"},
      {"/v1/transfers:batch", R"({"items":[{"group":[{"group":[]}]}]})",
       "request_field_unknown /items/0/group/0/idempotency_key /items/0/group/0/debit_account "
       "/items/0/group/0/credit_account "
       "/items/0/group/0/asset /items/0/group/0/amount /items/0/group/0/group"},
      {"/v1/transfers:batch",
       R"({"items":[{"idempotency_key":"k","debit_account":"a","credit_account":"b","asset":"USD/2","amount":"1"},
                    {"idempotency_key":"k","debit_account":"a","credit_account":"b","asset":"USD/2","amount":"1"}]})",
       "idempotency_key_twice_in_batch /items/1/idempotency_key"},
  };
  for (const Case& one : cases) {
    Fixture f;
    CAPTURE(one.path);
    CAPTURE(one.body);
    CHECK(Fixture::told(f.admit("POST", one.path, one.body)) == one.expected);
  }
}

TEST_CASE("bad CBOR batches") {
  const auto told = [](const base::Bytes& body) {
    Fixture f;
    auto request = f.request("POST", "/v1/transfers:batch", std::string(base::as_text(body)));
    return Fixture::told(f.gate.admit(with_header(request, "content-type", "application/cbor"), test_now));
  };
  const auto item = [](base::CborWriter& out, const char* left_out, bool wrong_types) {
    out.map(*left_out == '\0' ? 5 : 4);
    for (const char* name : {"idempotency_key", "debit_account", "credit_account", "asset", "amount"}) {
      if (std::string_view(name) == left_out) continue;
      out.text(name);
      if (wrong_types) {
        out.boolean(true);
      } else {
        out.text(std::string_view(name) == "asset" ? "USD/2" : "1");
      }
    }
  };
  const auto batch = [&](auto write_item) {
    base::Bytes bytes;
    base::CborWriter out(bytes);
    out.map(1);
    out.text("items");
    out.array(1);
    write_item(out);
    return bytes;
  };
  const base::Bytes good = batch([&](auto& out) { item(out, "", false); });
  CHECK(told(good) == "admitted");
  for (std::size_t size = 0; size < good.size(); ++size) {
    const std::string answer = told(base::Bytes(good.begin(), good.begin() + static_cast<std::ptrdiff_t>(size)));
    CHECK((answer == "request_malformed" || size == 0));
  }
  CHECK(told(batch([&](auto& out) { item(out, "amount", false); })) == "request_field_missing /items/0/amount");
  CHECK(told(batch([&](auto& out) { item(out, "", true); })) ==
        "request_field_invalid /items/0/idempotency_key /items/0/debit_account /items/0/credit_account /items/0/asset "
        "/items/0/amount");
  CHECK(told(batch([](auto& out) { out.uint(1); })) == "request_field_invalid /items/0");
  CHECK(told(batch([](auto& out) {
          out.map(1);
          out.text("group");
          out.array(0);
        })) == "request_field_invalid /items/0/group");
  CHECK(told(batch([](auto& out) {
          out.map(2);
          out.text("asset");
          out.text("USD/2");
          out.text("asset");
          out.text("USD/2");
        })) == "request_malformed");
  const auto with_extra = [&](auto write_extra) {
    return batch([&](auto& out) {
      out.map(6);
      for (const char* name : {"idempotency_key", "debit_account", "credit_account", "asset", "amount"}) {
        out.text(name);
        out.text(std::string_view(name) == "asset" ? "USD/2" : "1");
      }
      write_extra(out);
    });
  };
  CHECK(told(with_extra([](auto& out) { out.text("note"), out.null(); })) == "request_field_unknown /items/0/note");
  CHECK(told(with_extra([](auto& out) { out.text("hold"), out.uint(1); })) == "request_field_invalid /items/0/hold");
  CHECK(told(with_extra([](auto& out) { out.text("hold_seconds"), out.uint(0); })) ==
        "request_field_invalid /items/0/hold_seconds");
  CHECK(told(with_extra([](auto& out) { out.text("hold_seconds"), out.text("1"); })) ==
        "request_field_invalid /items/0/hold_seconds");
  CHECK(told(with_extra([](auto& out) { out.text("reference"), out.text(""); })) ==
        "request_field_invalid /items/0/reference");
  CHECK(told(with_extra([](auto& out) { out.text("kind"), out.text("payout"); })) ==
        "request_field_invalid /items/0/kind");
  CHECK(told(with_extra([](auto& out) { out.text("metadata"), out.uint(1); })) ==
        "request_field_invalid /items/0/metadata");
  CHECK(told(with_extra([](auto& out) { out.text("metadata"), out.map(1), out.text("a"), out.uint(1); })) ==
        "request_field_invalid /items/0/metadata");
  CHECK(told(with_extra([](auto& out) {
          out.text("metadata"), out.map(2), out.text("a"), out.text("1"), out.text("a"), out.text("1");
        })) == "request_field_invalid /items/0/metadata");
  base::Bytes unknown;
  base::CborWriter out(unknown);
  out.map(1);
  out.text("things");
  out.array(0);
  CHECK(told(unknown) == "request_field_unknown /things /items");
  CHECK(told({0x01}) == "request_field_invalid ");
}

TEST_CASE("credentials") {
  Fixture f;
  const auto request = f.request("GET", "/v1/accounts/a");
  const auto told = [&](std::string_view authorization, base::Instant now = test_now) {
    return Fixture::told(f.gate.admit(with_header(request, "authorization", authorization), now));
  };
  CHECK(told("Bearer " + f.token()) == "query");
  CHECK(told("") == "credentials_missing");
  CHECK(told("Basic YTpi") == "credentials_invalid");
  CHECK(told("Bearer hfa_AAAA") == "credentials_invalid");
  CHECK(told("Bearer " + f.token(), test_now + base::seconds(900)) == "credentials_expired");
  CHECK(told("Bearer " + f.token(), base::Instant{test_now.ns - 61'000'000'000}) == "credentials_invalid");
  auto twice = request;
  twice.headers.add("authorization", "Bearer " + f.token());
  CHECK(Fixture::told(f.gate.admit(twice, test_now)) == "credentials_invalid");

  // The former generation passes while the former secret does, older ones never.
  CHECK(told("Bearer " + f.token(model::all_scopes, 3)) == "query");
  CHECK(told("Bearer " + f.token(model::all_scopes, 3), test_now + base::seconds(11)) == "credentials_invalid");
  CHECK(told("Bearer " + f.token(model::all_scopes, 2)) == "credentials_invalid");
  CHECK(told("Bearer " + f.token(model::all_scopes, 5)) == "credentials_invalid");

  CHECK(told("Bearer " + f.token(model::transfers_read)) == "scope_missing");
  f.book.clients[2].scopes = model::transfers_read;
  CHECK(told("Bearer " + f.token()) == "scope_missing");  // a token gives no more than its client has
  f.book.clients[2].tenant = 2;
  CHECK(told("Bearer " + f.token()) == "credentials_invalid");
  f.book.clients[2].tenant = 1;
  f.book.clients[2].revoked = true;
  CHECK(told("Bearer " + f.token()) == "credentials_invalid");
  f.book.clients.erase(2);
  CHECK(told("Bearer " + f.token()) == "credentials_invalid");
}

TEST_CASE("routes, media types, keys, sizes") {
  Fixture f;
  CHECK(Fixture::told(f.admit("GET", "/")) == "not_found");
  CHECK(Fixture::told(f.admit("GET", "/v2/accounts")) == "not_found");
  CHECK(Fixture::told(f.admit("GET", "/v1/%zz")) == "request_malformed");
  const Admission admission = f.admit("DELETE", "/v1/accounts/a");
  CHECK(Fixture::told(admission) == "method_not_allowed");
  CHECK(std::get<Refusal>(admission).allow == "GET, HEAD");
  CHECK(std::get<Refusal>(admission).trace[0] == 0x0a);

  const auto request = f.request("POST", "/v1/transfers", good_transfer);
  const auto told = [&](std::string_view name, std::string_view value) {
    return Fixture::told(f.gate.admit(with_header(request, name, value), test_now));
  };
  CHECK(told("content-type", "application/json; charset=UTF-8") == "admitted");
  CHECK(told("content-type", "") == "media_type_unsupported");
  CHECK(told("content-type", "text/plain") == "media_type_unsupported");
  CHECK(told("content-type", "application/json; charset=latin1") == "media_type_unsupported");
  CHECK(told("content-type", "application/cbor") == "media_type_unsupported");
  CHECK(told("content-encoding", "gzip") == "media_type_unsupported");
  CHECK(told("idempotency-key", "") == "idempotency_key_missing");
  CHECK(told("idempotency-key", "\"") == "idempotency_key_invalid");
  CHECK(told("idempotency-key", "bare-word_1.2:3") == "admitted");
  CHECK(told("idempotency-key", "\"with blank\"") == "admitted");
  CHECK(told("idempotency-key", std::string(256, 'k')) == "idempotency_key_invalid");
  auto twice = request;
  twice.headers.add("idempotency-key", "other");
  CHECK(Fixture::told(f.gate.admit(twice, test_now)) == "idempotency_key_invalid");
  CHECK(Fixture::told(f.admit("POST", "/v1/transfers?dry=1", good_transfer)) == "request_field_unknown");

  std::string large = good_transfer;
  large.insert(1, std::string(body_bytes_max, ' '));
  CHECK(Fixture::told(f.admit("POST", "/v1/transfers", large)) == "body_too_large");
  CHECK(Fixture::told(f.admit("POST", "/v1/transfers:batch", std::string(batch_bytes_max + 1, ' '))) ==
        "body_too_large");
  std::string items;
  for (std::size_t i = 0; i <= batch_items_max; ++i) {
    if (i > 0) items += ",";
    items += R"({"idempotency_key":")" + std::to_string(i) +
             R"(","debit_account":"a","credit_account":"b","asset":"USD/2","amount":"1"})";
  }
  CHECK(Fixture::told(f.admit("POST", "/v1/transfers:batch", batch_of(items))) == "batch_too_large");

  // Without traceparent a trace id is drawn.
  const auto plain = f.gate.admit(with_header(request, "traceparent", ""), test_now);
  CHECK(std::get<model::Admitted>(plain).trace != base::Tag128{});
  CHECK(std::get<model::Admitted>(plain).trace[0] != 0x0a);
}

TEST_CASE("nobody grants what they do not have") {
  Fixture f;
  f.book.clients[2].scopes = model::clients_admin | model::accounts_read;
  const auto told = [&](const char* body) { return Fixture::told(f.admit("POST", "/v1/clients", body)); };
  CHECK(told(R"({"name":"x","kind":"service","scopes":["accounts:read"]})") == "admitted");
  CHECK(told(R"({"name":"x","kind":"service","scopes":["accounts:read","transfers:write"]})") == "scope_missing");
}

TEST_CASE("access tokens are given for a refresh secret") {
  Fixture f;
  const auto ask = [&](const std::string& body, base::Instant now = test_now) {
    auto request = f.request("POST", "/v1/token", body);
    request = with_header(with_header(request, "authorization", ""), "idempotency-key", "");
    return f.gate.admit(request, now);
  };
  const auto body = [](std::string_view client, std::string_view secret) {
    return R"({"client_id":")" + std::string(client) + R"(","refresh_secret":")" + std::string(secret) + "\"}";
  };
  const Admission answer = ask(body("cl_2", f.secret));
  REQUIRE(std::holds_alternative<AccessTokenGrant>(answer));
  const auto& grant = std::get<AccessTokenGrant>(answer);
  CHECK(grant.expires_at == test_now + base::seconds(900));
  CHECK(grant.scopes == model::all_scopes);
  const auto token = f.tokens.verify(grant.access_token, test_now);
  REQUIRE(token.ok());
  CHECK(token->principal == 2);
  CHECK(token->generation == 4);
  CHECK(Fixture::told(ask(body("cl_2", f.former_secret))) == "token");
  CHECK(Fixture::told(ask(body("cl_2", f.former_secret), test_now + base::seconds(11))) == "credentials_invalid");
  CHECK(Fixture::told(ask(body("cl_3", f.secret))) == "credentials_invalid");
  CHECK(Fixture::told(ask(body("cl_9", f.secret))) == "credentials_invalid");
  CHECK(Fixture::told(ask(body("cl_2", "hfs_"))) == "credentials_invalid");
  CHECK(Fixture::told(ask(body("2", f.secret))) == "request_field_invalid /client_id");
  CHECK(Fixture::told(ask("{}")) == "request_field_missing /client_id /refresh_secret");
  CHECK(Fixture::told(ask("{")) == "request_malformed");
  f.book.clients[2].revoked = true;
  CHECK(Fixture::told(ask(body("cl_2", f.secret))) == "credentials_invalid");
  // No detail tells the secret.
  const Admission refused = ask(body("cl_2", f.secret));
  CHECK(std::get<Refusal>(refused).detail.find(f.secret) == std::string::npos);
}

TEST_CASE("a client that asks too much waits") {
  Fixture f;
  Gate gate(f.keys, f.book, [](std::span<std::uint8_t>) {}, {.rate = {.per_second = 1, .burst = 2}});
  const auto request = f.request("POST", "/v1/transfers", good_transfer);
  CHECK(Fixture::told(gate.admit(request, test_now)) == "admitted");
  CHECK(Fixture::told(gate.admit(request, test_now)) == "admitted");
  CHECK(gate.quota(2, test_now).remaining == 0);
  const Admission admission = gate.admit(request, test_now);
  CHECK(Fixture::told(admission) == "too_many_requests");
  CHECK(std::get<Refusal>(admission).retry_after == base::seconds(1));
  CHECK(Fixture::told(gate.admit(request, test_now + base::seconds(1))) == "admitted");
  // Every item of a batch counts.
  const auto batch =
      f.request("POST", "/v1/transfers:batch",
                batch_of(
                    R"({"idempotency_key":"1","debit_account":"a","credit_account":"b","asset":"USD/2","amount":"1"},
         {"idempotency_key":"2","debit_account":"a","credit_account":"b","asset":"USD/2","amount":"1"},
         {"idempotency_key":"3","debit_account":"a","credit_account":"b","asset":"USD/2","amount":"1"})"));
  CHECK(Fixture::told(gate.admit(batch, test_now + base::seconds(100))) == "too_many_requests");
  auto token = f.request("POST", "/v1/token", R"({"client_id":"cl_2","refresh_secret":")" + f.secret + "\"}");
  CHECK(Fixture::told(gate.admit(token, test_now + base::seconds(100))) == "token");
  CHECK(Fixture::told(gate.admit(token, test_now + base::seconds(100))) == "too_many_requests");
  // Who cannot prove to be the client uses up what strangers have, not what the client has.
  auto guess = f.request("POST", "/v1/token", R"({"client_id":"cl_2","refresh_secret":"hfs_guess"})");
  CHECK(Fixture::told(gate.admit(guess, test_now + base::seconds(200))) == "credentials_invalid");
  CHECK(Fixture::told(gate.admit(guess, test_now + base::seconds(200))) == "credentials_invalid");
  CHECK(Fixture::told(gate.admit(guess, test_now + base::seconds(200))) == "too_many_requests");
  CHECK(Fixture::told(gate.admit(guess, test_now + base::seconds(200), "192.0.2.1")) == "credentials_invalid");
  CHECK(Fixture::told(gate.admit(token, test_now + base::seconds(200))) == "token");
}
