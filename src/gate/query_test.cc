#include "gate/query.h"

#include "gate/gate_fixture.h"

using namespace gate;

TEST_CASE("positions and cursors have one spelling and belong to one list") {
  CHECK(to_position(0, 1) == "po_0000000000001");
  CHECK(parse_position(to_position(0, 123456)) == 123456u);
  for (const char* wrong : {"", "po_", "tr_0000000000001", "po_000000000000", "po_1000000000000", "po_000000000000L"}) {
    CAPTURE(wrong);
    CHECK_FALSE(parse_position(wrong).has_value());
  }
  const std::string events = to_cursor(ListKind::transfers, model::EventNumber{99});
  CHECK(parse_event_cursor(ListKind::transfers, events) == 99u);
  CHECK_FALSE(parse_event_cursor(ListKind::account_history, events).has_value());
  CHECK_FALSE(parse_name_cursor(ListKind::transfers, events).has_value());
  CHECK_FALSE(parse_event_cursor(ListKind::transfers, events + "A").has_value());
  CHECK_FALSE(
      parse_event_cursor(ListKind::transfers, to_cursor(ListKind::transfers, model::EventNumber{0})).has_value());
  const std::string names = to_cursor(ListKind::accounts, "users/1");
  CHECK(parse_name_cursor(ListKind::accounts, names) == "users/1");
  CHECK_FALSE(parse_event_cursor(ListKind::accounts, names).has_value());
  CHECK_FALSE(parse_name_cursor(ListKind::accounts, to_cursor(ListKind::accounts, "../x")).has_value());
  CHECK_FALSE(parse_name_cursor(ListKind::accounts, "!").has_value());
  CHECK_FALSE(parse_name_cursor(ListKind::accounts, std::string(1000, 'A')).has_value());
  for (const auto state : {TransferState::posted, TransferState::held, TransferState::captured, TransferState::voided,
                           TransferState::expired}) {
    CHECK(parse_transfer_state(to_text(state)) == state);
  }
  CHECK_FALSE(parse_transfer_state("gone").has_value());
}

TEST_CASE("reads come out decoded") {
  Fixture f;
  const auto query = [&](std::string path) {
    auto admission = f.admit("GET", std::move(path));
    CAPTURE(Fixture::told(admission));
    REQUIRE(std::holds_alternative<Query>(admission));
    return std::get<Query>(std::move(admission));
  };
  {
    const Query q = query("/v1/accounts/users%2F7f3a");
    CHECK(std::get<GetAccount>(q.body).name == "users/7f3a");
    CHECK(std::get<GetAccount>(q.body).name_hash == model::account_name_hash(1, "users/7f3a"));
    CHECK(q.tenant == 1);
    CHECK(q.principal == 2);
    CHECK(q.trace[0] == 0x0a);
    CHECK(q.position == 0);
  }
  CHECK(std::get<GetTransfer>(query("/v1/transfers/tr_000000000000a").body).id.event == 10);
  {
    const auto evidence = std::get<GetEvidence>(query("/v1/transfers/tr_000000000000a/evidence").body);
    CHECK(evidence.id.event == 10);
    CHECK(evidence.disclose);
    CHECK_FALSE(std::get<GetEvidence>(query("/v1/transfers/tr_000000000000a/evidence?disclose=none").body).disclose);
    const auto of_import = std::get<GetImportEvidence>(query("/v1/imports/" + model::import_id(11) + "/evidence?disclose=none").body);
    CHECK(of_import.import == 11);
    CHECK_FALSE(of_import.disclose);
  }
  {
    const Query q = query("/v1/accounts/a/history?from=2026-01-01T00:00:00Z&to=2026-02-01T00:00:00.5Z&limit=7&cursor=" +
                          to_cursor(ListKind::account_history, model::EventNumber{55}));
    const auto& history = std::get<AccountHistory>(q.body);
    CHECK(history.name == "a");
    CHECK(base::to_rfc3339(*history.from) == "2026-01-01T00:00:00.000000000Z");
    CHECK(base::to_rfc3339(*history.to) == "2026-02-01T00:00:00.500000000Z");
    CHECK(history.before == 55);
    CHECK(history.limit == 7);
  }
  {
    const auto list = std::get<ListAccounts>(
        query("/v1/accounts?prefix=users/&asset=USD/2&cursor=" + to_cursor(ListKind::accounts, "b")).body);
    CHECK(list.prefix == "users/");
    CHECK(list.asset == model::parse_asset("USD/2"));
    CHECK(list.after == "b");
    CHECK(list.limit == list_limit_default);
  }
  CHECK(std::get<ListAccounts>(query("/v1/accounts").body).prefix.empty());
  {
    const auto list = std::get<ListTransfers>(query("/v1/transfers?key=k&operation=create_transfer").body);
    CHECK(list.key == key_mac(f.keys, 1, 2, model::Operation::create_transfer, "k"));
  }
  CHECK(std::get<ListTransfers>(query("/v1/transfers?reference=inv-1").body).reference_key ==
        reference_mac(f.keys, 1, "inv-1"));
  CHECK(std::get<ListTransfers>(query("/v1/transfers?state=held&limit=100").body).state == TransferState::held);
  CHECK(std::get<ListTransfers>(query("/v1/transfers?account=users/1").body).account == "users/1");
  CHECK_FALSE(std::get<TrialBalance>(query("/v1/trial-balance").body).asset.has_value());
  CHECK(std::get<TrialBalance>(query("/v1/trial-balance?asset=JPY/0").body).asset.has_value());

  auto request = f.request("HEAD", "/v1/accounts/a");
  request.headers.add("holdfast-position", to_position(0, 77));
  const auto admission = f.gate.admit(request, test_now);
  REQUIRE(std::holds_alternative<Query>(admission));
  CHECK(std::get<Query>(admission).position == 77);
}

TEST_CASE("bad parameters of reads are named") {
  Fixture f;
  const std::pair<const char*, const char*> cases[] = {
      {"/v1/accounts/a%20b", "request_field_invalid /id"},
      {"/v1/accounts/a?x=1", "request_field_unknown /x"},
      {"/v1/transfers/zzz", "request_field_invalid /id"},
      {"/v1/accounts?limit=0", "request_field_invalid /limit"},
      {"/v1/accounts?limit=101", "request_field_invalid /limit"},
      {"/v1/accounts?limit=1.5&asset=usd", "request_field_invalid /asset /limit"},
      {"/v1/accounts?prefix=a%20b", "request_field_invalid /prefix"},
      {"/v1/accounts?cursor=zzz", "cursor_invalid"},
      {"/v1/accounts?limit=1&limit=2", "request_malformed"},
      {"/v1/accounts?limit=%zz", "request_malformed"},
      {"/v1/accounts/a/history?from=yesterday", "request_field_invalid /from"},
      {"/v1/accounts/a/history?from=2026-02-01T00:00:00Z&to=2026-01-01T00:00:00Z", "request_field_invalid /to"},
      {"/v1/accounts/a/history?cursor=AA", "cursor_invalid"},
      {"/v1/transfers", "filter_not_indexed"},
      {"/v1/transfers?amount=5", "filter_not_indexed"},
      {"/v1/transfers?state=held&account=a", "filter_not_indexed"},
      {"/v1/transfers?state=posted", "request_field_invalid /state"},
      {"/v1/transfers?account=a%20b", "request_field_invalid /account"},
      {"/v1/transfers?reference=", "request_field_invalid /reference"},
      {"/v1/transfers?key=%01", "request_malformed"},
      {"/v1/transfers?key=%C3%A9", "request_field_invalid /key"},
      {"/v1/transfers?key=k&operation=tick", "request_field_invalid /operation"},
      {"/v1/transfers?state=held&operation=create_transfer", "request_field_invalid /operation"},
      {"/v1/transfers?state=held&cursor=AA", "cursor_invalid"},
      {"/v1/transfers/tr_000000000000a/evidence?disclose=some", "request_field_invalid /disclose"},
      {"/v1/imports/im_x/evidence", "request_field_invalid /id"},
      {"/v1/trial-balance?asset=USD", "request_field_invalid /asset"},
  };
  for (const auto& [path, expected] : cases) {
    CAPTURE(path);
    CHECK(Fixture::told(f.admit("GET", path)) == expected);
  }
  auto request = f.request("GET", "/v1/accounts/a");
  request.headers.add("holdfast-position", "po_zzz");
  CHECK(Fixture::told(f.gate.admit(request, test_now)) == "request_field_invalid /Holdfast-Position");
}

TEST_CASE("routes are found by their parts") {
  for (const Route& route : routes()) {
    std::vector<std::string> segments;
    std::size_t parameters = 0;
    std::string_view rest = route.path.substr(1);
    while (!rest.empty()) {
      const std::size_t slash = std::min(rest.find('/'), rest.size());
      const bool is_parameter = rest[0] == '{';
      segments.push_back(is_parameter ? "x/y" : std::string(rest.substr(0, slash)));
      parameters += is_parameter ? 1 : 0;
      rest.remove_prefix(std::min(slash + 1, rest.size()));
    }
    const RouteMatch match = find_route(route.method, segments);
    CAPTURE(std::string(route.path));
    REQUIRE(match.route == &route);
    CHECK(match.parameters == std::vector<std::string>(parameters, "x/y"));
    // These two have something told, again or as a test; nothing that is remembered changes.
    const bool only_tells = route.action == Action::test_webhook || route.action == Action::resend_webhook || route.action == Action::derive_wallet;
    CHECK((route.operation == model::Operation::none) == (route.method == "GET" || !route.scope || only_tells));
  }
  CHECK(find_route("GET", {}).route == nullptr);
  CHECK(find_route("GET", {"v1"}).route == nullptr);
  CHECK(find_route("GET", {"v1", "accounts", "a", "b", "c"}).allow.empty());
  CHECK(find_route("DELETE", {"v1", "accounts"}).allow == "GET, HEAD, POST");
  CHECK(find_route("DELETE", {"v1", "accounts", "a"}).allow == "GET, HEAD");
  CHECK(find_route("GET", {"v1", "accounts", "a", "freeze"}).allow == "POST");
}
