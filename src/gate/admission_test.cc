#include "base/cbor.h"
#include "crypto/hash.h"
#include "gate/gate_fixture.h"
#include "gate/schema.h"

using namespace gate;

namespace {

using Resolve = model::NameToResolve::Field;

model::Admitted admitted(Admission&& admission) {
  CAPTURE(Fixture::told(admission));
  REQUIRE(std::holds_alternative<model::Admitted>(admission));
  return std::get<model::Admitted>(std::move(admission));
}

void check_private(const model::Admitted& a, std::size_t index, model::PrivateField field, std::string_view value,
                   const model::Commitment& commitment) {
  REQUIRE(index < a.privates.size());
  CHECK(a.privates[index].field == field);
  CHECK(base::as_text(a.privates[index].value) == value);
  CHECK(a.privates[index].salt != base::Tag128{});
  CHECK(crypto::sha256({a.privates[index].salt, base::as_bytes(value)}) == commitment);
}

// Both forms of one batch, from one description.
struct BatchText {
  std::string json = R"({"items":[
      {"idempotency_key":"a","debit_account":"users/1","credit_account":"users/2","asset":"USD/2","amount":"5"},
      {"group":[
        {"idempotency_key":"b","debit_account":"users/1","credit_account":"users/2","asset":"USD/2",
         "amount":"170141183460469231731687303715884105727","hold":true,"hold_seconds":60,"reference":"inv-1",
         "metadata":{"order":"17","a":"\u00e9"},"kind":"internal"},
        {"idempotency_key":"c","debit_account":"users/2","credit_account":"users/3","asset":"JPY/0",
         "amount":"300","hold":false}]}]})";
  base::Bytes cbor;

  BatchText() {
    base::CborWriter out(cbor);
    const auto head = [&](const char* key, const char* debit, const char* credit, const char* asset) {
      out.text("credit_account"), out.text(credit);  // in another order than the JSON
      out.text("idempotency_key"), out.text(key);
      out.text("debit_account"), out.text(debit);
      out.text("asset"), out.text(asset);
      out.text("amount");
    };
    out.map(1);
    out.text("items");
    out.array(2);
    out.map(5);
    head("a", "users/1", "users/2", "USD/2");
    out.uint(5);
    out.map(1);
    out.text("group");
    out.array(2);
    out.map(9);
    head("b", "users/1", "users/2", "USD/2");
    out.amount(base::amount_max);
    out.text("hold"), out.boolean(true);
    out.text("hold_seconds"), out.uint(60);
    out.text("reference"), out.text("inv-1");
    out.text("metadata"), out.map(2), out.text("order"), out.text("17"), out.text("a"), out.text("\xc3\xa9");
    out.map(5);
    head("c", "users/2", "users/3", "JPY/0");
    out.text("300");
  }
};

}  // namespace

TEST_CASE("a transfer becomes a command without names, references or keys") {
  Fixture f;
  const auto a =
      admitted(f.admit("POST", "/v1/transfers",
                       R"({"debit_account":"users/1","credit_account":"users/2","asset":"USD/2","amount":"2500",
                           "hold":true,"hold_seconds":3600,"reference":"inv-7","metadata":{"b":"2","a":"1"}})"));
  CHECK_FALSE(a.is_batch);
  CHECK_FALSE(a.batch_tag.has_value());
  CHECK(a.tenant == 1);
  CHECK(a.principal == 2);
  CHECK(a.trace[0] == 0x0a);
  REQUIRE(a.commands.size() == 1);
  const model::Command& command = a.commands[0];
  CHECK(command.tenant == 1);
  CHECK(command.principal == 2);
  CHECK(command.trace == a.trace);
  CHECK_FALSE(command.idempotency.has_value());
  const auto& items = std::get<model::CreateTransfer>(command.body).items;
  REQUIRE(items.size() == 1);
  CHECK(items[0].debit == 0);
  CHECK(items[0].amount == 2500);
  CHECK(items[0].hold);
  CHECK(items[0].hold_for == base::seconds(3600));
  CHECK(items[0].reference_key == reference_mac(f.keys, 1, "inv-7"));
  REQUIRE(items[0].idempotency.has_value());
  CHECK(items[0].idempotency->key == key_mac(f.keys, 1, 2, model::Operation::create_transfer, "key-1"));
  REQUIRE(a.names.size() == 2);
  CHECK(a.names[0].field == Resolve::debit);
  CHECK(a.names[0].name == "users/1");
  CHECK(a.names[0].hash == model::account_name_hash(1, "users/1"));
  CHECK(a.names[1].field == Resolve::credit);
  check_private(a, 0, model::PrivateField::transfer_reference, "inv-7", *items[0].reference);
  check_private(a, 1, model::PrivateField::transfer_metadata,
                "\xa2\x61"
                "a\x61"
                "1\x61"
                "b\x61"
                "2",
                *items[0].metadata);
  CHECK(a.privates[0].salt != a.privates[1].salt);
}

TEST_CASE("every other change becomes its command") {
  Fixture f;
  {
    const auto a = admitted(f.admit("POST", "/v1/tenants", R"({"name":"shop-1"})"));
    const auto& body = std::get<model::OpenTenant>(a.commands.at(0).body);
    check_private(a, 0, model::PrivateField::tenant_name, "shop-1", body.name);
    CHECK(a.names.at(0).field == Resolve::opened_tenant);
    CHECK(a.commands[0].idempotency->key == key_mac(f.keys, 1, 2, model::Operation::open_tenant, "key-1"));
  }
  {
    const auto a = admitted(f.admit("POST", "/v1/assets", R"({"code":"USD/2"})"));
    const auto& body = std::get<model::RegisterAsset>(a.commands.at(0).body);
    check_private(a, 0, model::PrivateField::world_account_name, "world/USD", body.world_name);
    CHECK(body.asset == model::parse_asset("USD/2"));
    CHECK(a.names.empty());
  }
  {
    const auto a = admitted(f.admit(
        "POST", "/v1/accounts",
        R"({"id":"users/1","asset":"USD/2","flags":[],"limits":{"balance_max":"9"},"metadata":{"tier":"gold"}})"));
    const auto& body = std::get<model::OpenAccount>(a.commands.at(0).body);
    CHECK(body.flags == 0);
    CHECK(body.limits == model::AccountLimits{.debit_amount_max = {}, .daily_debits_max = {}, .balance_max = 9});
    check_private(a, 0, model::PrivateField::account_name, "users/1", body.name);
    check_private(a, 1, model::PrivateField::account_metadata,
                  "\xa1\x64"
                  "tier\x64"
                  "gold",
                  *body.metadata);
    CHECK(a.names.at(0).field == Resolve::opened_account);
  }
  const auto flags_of = [&](const char* path, const char* text) {
    const auto a = admitted(f.admit("POST", path, text));
    CHECK(a.names.at(0).field == Resolve::account);
    CHECK(a.names.at(0).name == "users/1");
    return std::get<model::ChangeAccountFlags>(a.commands.at(0).body);
  };
  CHECK(flags_of("/v1/accounts/users%2F1/freeze", "") ==
        model::ChangeAccountFlags{.set = model::frozen_for_debits | model::frozen_for_credits});
  CHECK(flags_of("/v1/accounts/users%2F1/freeze", R"({"debits":true})").set == model::frozen_for_debits);
  CHECK(flags_of("/v1/accounts/users%2F1/unfreeze", R"({"credits":true})").clear == model::frozen_for_credits);
  CHECK(flags_of("/v1/accounts/users%2F1/close", "{}").set == model::closed);
  {
    const auto a =
        admitted(f.admit("POST", "/v1/accounts/a/limits", R"({"debit_amount_max":"10","daily_debits_max":"0"})"));
    const auto& limits = std::get<model::SetAccountLimits>(a.commands.at(0).body).limits;
    CHECK(limits == model::AccountLimits{.debit_amount_max = 10, .daily_debits_max = 0, .balance_max = {}});
  }
  {
    const auto a = admitted(f.admit("POST", "/v1/transfers/tr_000000000000a/capture", R"({"amount":"7"})"));
    CHECK(std::get<model::CaptureHold>(a.commands.at(0).body).hold == 10);
    CHECK(std::get<model::CaptureHold>(a.commands.at(0).body).amount == base::U128{7});
    CHECK(
        std::get<model::VoidHold>(admitted(f.admit("POST", "/v1/transfers/tr_000000000000a/void")).commands.at(0).body)
            .hold == 10);
  }
  {
    const auto a =
        admitted(f.admit("POST", "/v1/idempotency-keys:cancel", R"({"operation":"create_transfer","key":"k"})"));
    CHECK(std::get<model::CancelKey>(a.commands.at(0).body).cancelled ==
          key_mac(f.keys, 1, 2, model::Operation::create_transfer, "k"));
  }
  {
    const auto a = admitted(
        f.admit("POST", "/v1/clients", R"({"name":"till 4","kind":"person","scopes":["accounts:read","operate"]})"));
    const auto& body = std::get<model::CreateClient>(a.commands.at(0).body);
    CHECK(body.kind == model::PrincipalKind::person);
    CHECK(body.scopes == (model::accounts_read | model::operate));
    check_private(a, 0, model::PrivateField::client_name, "till 4", body.name);
    CHECK(is_refresh_secret(a.secret));
    CHECK(body.secret_hash == hash_refresh_secret(f.keys.secret, a.secret));
  }
  {
    const auto a = admitted(f.admit("POST", "/v1/clients/cl_2/rotate", R"({"overlap_seconds":60})"));
    const auto& body = std::get<model::RotateClient>(a.commands.at(0).body);
    CHECK(body.client == 2);
    CHECK(body.overlap == base::seconds(60));
    CHECK(body.secret_hash == hash_refresh_secret(f.keys.secret, a.secret));
    CHECK(std::get<model::RevokeClient>(admitted(f.admit("POST", "/v1/clients/cl_9/revoke")).commands.at(0).body)
              .client == 9);
  }
}

TEST_CASE("JSON and CBOR batches are the same commands with the same tags") {
  Fixture f;
  const BatchText text;
  auto json = f.request("POST", "/v1/transfers:batch", text.json);
  const auto a = admitted(f.gate.admit(json, test_now));
  wire::Request cbor = f.request("POST", "/v1/transfers:batch", std::string(base::as_text(text.cbor)));
  wire::Headers headers;
  for (std::size_t i = 0; i < cbor.headers.size(); ++i) {
    const auto field = cbor.headers.at(i);
    headers.add(field.name, field.name == "content-type" ? "application/cbor" : field.value);
  }
  cbor.headers = headers;
  const auto b = admitted(f.gate.admit(cbor, test_now));

  CHECK(a.is_batch);
  REQUIRE(a.commands.size() == 2);
  REQUIRE(a.batch_tag.has_value());
  CHECK(a.batch_tag == b.batch_tag);
  CHECK(a.batch_tag->key == key_mac(f.keys, 1, 2, model::Operation::record_batch, "key-1"));
  REQUIRE(b.commands.size() == 2);
  REQUIRE(a.names.size() == 6);
  for (std::size_t i = 0; i < a.names.size(); ++i) {
    CHECK(a.names[i].name == b.names[i].name);
    CHECK(a.names[i].command == b.names[i].command);
    CHECK(a.names[i].item == b.names[i].item);
  }
  CHECK(a.names[4].command == 1);
  CHECK(a.names[4].item == 1);
  for (std::size_t i = 0; i < 2; ++i) {
    const auto& x = std::get<model::CreateTransfer>(a.commands[i].body).items;
    const auto& y = std::get<model::CreateTransfer>(b.commands[i].body).items;
    REQUIRE(x.size() == i + 1);
    REQUIRE(y.size() == i + 1);
    for (std::size_t j = 0; j < x.size(); ++j) {
      CHECK(x[j].idempotency == y[j].idempotency);
      CHECK(x[j].amount == y[j].amount);
      CHECK(x[j].hold_for == y[j].hold_for);
      CHECK(x[j].reference_key == y[j].reference_key);
      CHECK(x[j].metadata.has_value() == y[j].metadata.has_value());
    }
  }
  REQUIRE(a.privates.size() == 2);
  CHECK(a.privates[1].value == b.privates[1].value);

  // An item of a batch and the same transfer on its own have one key and one fingerprint.
  auto single = f.request(
      "POST", "/v1/transfers",
      R"({"amount":"5","asset":"USD/2","credit_account":"users/2","debit_account":"users/1","hold":false,
          "kind":"internal","metadata":{}})");
  wire::Headers renamed;
  for (std::size_t i = 0; i < single.headers.size(); ++i) {
    const auto field = single.headers.at(i);
    renamed.add(field.name, field.name == "idempotency-key" ? "a" : field.value);
  }
  single.headers = renamed;
  const auto c = admitted(f.gate.admit(single, test_now));
  CHECK(std::get<model::CreateTransfer>(c.commands[0].body).items[0].idempotency ==
        std::get<model::CreateTransfer>(a.commands[0].body).items[0].idempotency);
}

TEST_CASE("the batch's own tag covers what its items are and how they are grouped") {
  Fixture f;
  const Sender sender{.tenant = 1, .principal = 2};
  const model::Asset usd = *model::parse_asset("USD/2");
  std::vector<TransferRequest> items(2);
  items[0] = {.key = "a", .debit_account = "x", .credit_account = "y", .asset = usd, .amount = 1};
  items[1] = {.key = "b", .debit_account = "x", .credit_account = "y", .asset = usd, .amount = 1};
  const auto tag = [&] {
    return std::get<model::Admitted>(f.gate.admit_transfers(sender, items, "batch")).batch_tag->fingerprint;
  };
  const auto first = tag();
  CHECK(first == tag());
  items[1].amount = 2;
  CHECK(first != tag());
  items[1].amount = 1;
  items[0].group = items[1].group = 1;
  CHECK(first != tag());
  CHECK_FALSE(std::get<model::Admitted>(f.gate.admit_transfers(sender, items)).batch_tag.has_value());
}

TEST_CASE("callers in this process are checked like everybody") {
  Fixture f;
  const Sender process{}, client{.tenant = 1, .principal = 2};
  const auto told = [](std::variant<model::Admitted, Refusal>&& result) {
    return std::visit([](auto&& one) { return Fixture::told(Admission(std::move(one))); }, std::move(result));
  };
  CHECK(told(f.gate.admit_body(process, "", AssetRegistration{*model::parse_asset("USD/2")})) == "admitted");
  CHECK(told(f.gate.admit_body(client, "", AssetRegistration{*model::parse_asset("USD/2")})) ==
        "idempotency_key_missing");
  CHECK(told(f.gate.admit_body(client, "\x01", AssetRegistration{*model::parse_asset("USD/2")})) ==
        "idempotency_key_invalid");
  CHECK(told(f.gate.admit_body(client, "k", AssetRegistration{})) == "request_field_invalid /code");
  const TransferRequest bad{.debit_account = "a b",
                            .credit_account = "",
                            .asset = {},
                            .amount = base::u128_max,
                            .hold_for = base::Duration{1},
                            .reference = "\n",
                            .metadata = {0xA0}};
  CHECK(told(f.gate.admit_body(client, "k", bad)) ==
        "request_field_invalid /debit_account /credit_account /asset /amount /hold_seconds /reference /metadata");
  CHECK(told(f.gate.admit_body(client, "k", Capture{})) == "request_field_invalid /id");
  CHECK(told(f.gate.admit_body(client, "k", Voiding{{1, 5}})) == "transfer_not_found");
  CHECK(told(f.gate.admit_body(client, "k", Capture{{2, 5}, {}})) == "transfer_not_found");
  CHECK(told(f.gate.admit_body(client, "k", ClientRotation{0, {-1}})) == "request_field_invalid /id /overlap_seconds");

  const model::Asset usd = *model::parse_asset("USD/2");
  std::vector<TransferRequest> items(
      3, {.key = "a", .debit_account = "x", .credit_account = "y", .asset = usd, .amount = 1});
  CHECK(told(f.gate.admit_transfers(client, items)) == "idempotency_key_twice_in_batch /items/1/idempotency_key");
  items[1].key = "b";
  items[2].key = "";
  items[1].group = items[2].group = 4;
  CHECK(told(f.gate.admit_transfers(client, items)) == "request_field_invalid /items/1/group/1/idempotency_key");
  CHECK(told(f.gate.admit_transfers(client, {})) == "request_field_invalid /items");
  CHECK(told(f.gate.admit_transfers(client, items, "\n")) == "idempotency_key_invalid");
  items.resize(batch_items_max + 1);
  CHECK(told(f.gate.admit_transfers(client, items)) == "batch_too_large");
}

TEST_CASE("metadata has one canonical form") {
  using Pairs = std::vector<std::pair<std::string_view, std::string_view>>;
  const auto bytes = canonical_metadata({{"bb", "1"}, {"a", "2"}, {"ab", "3"}});
  REQUIRE(bytes.has_value());
  CHECK(parse_metadata(*bytes) == Pairs{{"a", "2"}, {"ab", "3"}, {"bb", "1"}});
  CHECK(canonical_metadata({})->empty());
  CHECK(parse_metadata({})->empty());
  CHECK_FALSE(canonical_metadata({{"a", "1"}, {"a", "2"}}).has_value());
  CHECK_FALSE(canonical_metadata({{"", "1"}}).has_value());
  const std::string long_text(65, 'k'), longer(4096, 'v');
  CHECK_FALSE(canonical_metadata({{long_text, "1"}}).has_value());
  CHECK_FALSE(canonical_metadata({{"a", longer}}).has_value());
  std::vector<std::string> names;
  for (std::size_t i = 0; i <= metadata_pairs_max; ++i) names.push_back("k" + std::to_string(i));
  Pairs many;
  for (const std::string& name : names) many.emplace_back(name, "v");
  CHECK_FALSE(canonical_metadata(many).has_value());
  many.pop_back();
  CHECK(canonical_metadata(many).has_value());
  base::Bytes damaged = *bytes;
  for (std::size_t size = 1; size < bytes->size(); ++size)
    CHECK_FALSE(parse_metadata(base::ByteView(*bytes).first(size)).has_value());
  damaged[6] = 'c';  // "cb" before "bb"
  CHECK_FALSE(parse_metadata(damaged).has_value());
}
