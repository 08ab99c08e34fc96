// What a check says when the authority answers, and in every way in which it does not (K2 of docs/chaos.md).

#include "node/revocation_check.h"

#include <functional>
#include <memory>

#include "effects/key_sets/names_for_tests.h"
#include "io/clock.h"
#include "node/revocation_for_tests.h"

// clang-format off
#include <doctest/doctest.h>  // last: base/check.h has a CHECK too
// clang-format on

namespace {

namespace making = crypto::chain::making;
namespace oid = crypto::chain::oid;
using node::AuthorityForTests;
using node::RevocationFinding;
using node::RevocationResult;

struct Checking {
  Checking() {
    fetching.rules = effects::read_revocation_rules("127.0.0.1", "127.0.0.1/32").value();
    fetching.total_max = base::milliseconds(5'000);
  }
  RevocationFinding check(std::string_view pem) {
    const effects::RevocationFetch fetch(names, *clock, fetching);
    return node::RevocationCheck(fetch, {}).check(pem, now);
  }
  RevocationFinding check() { return check(authority.pem()); }
  std::string text() {
    const RevocationFinding found = check();
    return std::string(node::to_text(found.result)) + (found.code.empty() ? "" : " " + found.code);
  }

  std::unique_ptr<io::RealClock> clock = io::RealClock::open().value();
  const base::Instant now = clock->wall();
  effects::SystemNames names;
  effects::RevocationFetchOptions fetching;
  AuthorityForTests authority{now};
};

}  // namespace

TEST_CASE("a responder is asked about this certificate, and is believed") {
  Checking checking;
  AuthorityForTests& authority = checking.authority;
  authority.name_responder();
  authority.name_list();
  authority.say(AuthorityForTests::responder, authority.response().der());
  CHECK_EQ(checking.text(), "good");
  REQUIRE_EQ(authority.server.requests().size(), 1);   // no list is fetched where the responder has said it
  const std::string request = authority.server.requests()[0];
  CHECK(request.starts_with("POST /ocsp HTTP/1.1\r\n"));
  CHECK_NE(request.find("Content-Type: application/ocsp-request\r\n"), std::string::npos);
  auto response = authority.response();
  response.status = making::OcspSpec::revoked("20260103000000Z");
  authority.say(AuthorityForTests::responder, response.der());
  const RevocationFinding revoked = checking.check();
  CHECK(revoked.result == RevocationResult::revoked);
  CHECK_EQ(revoked.code, "certificate_is_revoked");
  CHECK_EQ(revoked.evidence, "revoked at 2026-01-03T00:00:00Z, reason unspecified");
}

TEST_CASE("a list clears or revokes, and so does its delta") {
  Checking checking;
  AuthorityForTests& authority = checking.authority;
  authority.name_list();
  authority.say(AuthorityForTests::list, authority.complete_list().revoke({0x11}).der());
  CHECK_EQ(checking.text(), "good");
  authority.name_delta();
  authority.say(AuthorityForTests::delta, authority.delta_list().revoke({0x12}).der());
  CHECK_EQ(checking.text(), "good");
  authority.say(AuthorityForTests::delta, authority.delta_list().revoke({0x4A}, std::uint8_t{1}).der());
  CHECK_EQ(checking.text(), "revoked certificate_is_revoked");
  CHECK_NE(checking.check().evidence.find("keyCompromise"), std::string::npos);
  // A hold that the delta has lifted; and without the delta it still holds.
  authority.say(AuthorityForTests::list, authority.complete_list().revoke({0x4A}, std::uint8_t{6}).der());
  authority.say(AuthorityForTests::delta, authority.delta_list().revoke({0x4A}, std::uint8_t{8}).der());
  CHECK_EQ(checking.text(), "good");
  authority.say(AuthorityForTests::delta, effects::ScriptedReply{.bytes = effects::http_reply(503, "text/plain", ""), .end = effects::ScriptedReply::End::close});
  CHECK_EQ(checking.text(), "revoked certificate_is_revoked");
}

TEST_CASE("where the responder is of no use the list is asked, and where neither is it stays unknown, with the first cause") {
  Checking checking;
  AuthorityForTests& authority = checking.authority;
  authority.name_responder();
  CHECK_EQ(checking.text(), "unknown fetch_http_status");
  authority.name_list();
  authority.say(AuthorityForTests::list, authority.complete_list().der());
  CHECK_EQ(checking.text(), "good");
  authority.say(AuthorityForTests::list, authority.complete_list().revoke({0x4A}).der());
  CHECK_EQ(checking.text(), "revoked certificate_is_revoked");
}

TEST_CASE("a responder that is not entitled, stale, about another, or garbled settles nothing") {
  Checking checking;
  AuthorityForTests& authority = checking.authority;
  authority.name_responder();
  const auto text_of = [&](const std::function<void(making::OcspSpec&)>& spoil) {
    making::OcspSpec response = authority.response();
    spoil(response);
    authority.say(AuthorityForTests::responder, response.der());
    return checking.text();
  };
  CHECK_EQ(text_of([](auto&) {}), "good");
  CHECK_EQ(text_of([&](auto& r) { r.signer = authority.leaf_key; }), "unknown ocsp_responder_not_entitled");
  CHECK_EQ(text_of([&](auto& r) { r.signer = authority.leaf_key; r.responder_key_bits = authority.root_key.public_bits(); }), "unknown ocsp_signature_is_invalid");
  CHECK_EQ(text_of([&](auto& r) { r.next_update = node::general_time_in(checking.now, -30); }), "unknown ocsp_response_is_expired");
  CHECK_EQ(text_of([&](auto& r) { r.this_update = node::general_time_in(checking.now, 3'000); }), "unknown ocsp_response_is_not_yet_valid");
  CHECK_EQ(text_of([](auto& r) { r.serial = {0x4B}; }), "unknown ocsp_response_is_for_another_certificate");
  CHECK_EQ(text_of([](auto& r) { r.status = {crypto::chain::tag::primitive(2), 0}; }), "unknown revocation_is_unknown");
  authority.say(AuthorityForTests::responder, making::sequence({base::Bytes{crypto::chain::tag::enumerated, 1, 6}}));
  CHECK_EQ(checking.text(), "unknown ocsp_response_is_not_successful");
  authority.say(AuthorityForTests::responder, making::raw("<html>"));
  CHECK_EQ(checking.text(), "unknown ocsp_response_is_malformed");
}

TEST_CASE("a list that is unsigned, wrongly signed, stale or none settles nothing") {
  Checking checking;
  AuthorityForTests& authority = checking.authority;
  authority.name_list();
  const auto text_of = [&](const std::function<void(making::ListSpec&)>& spoil) {
    making::ListSpec list = authority.complete_list();
    spoil(list);
    authority.say(AuthorityForTests::list, list.der());
    return checking.text();
  };
  CHECK_EQ(text_of([&](auto& l) { l.signer = authority.leaf_key; }), "unknown revocation_list_signature_is_invalid");
  CHECK_EQ(text_of([&](auto& l) { l.signer = authority.leaf_key; l.revoke({0x4A}); }), "unknown revocation_list_signature_is_invalid");
  CHECK_EQ(text_of([&](auto& l) { l.next_update = node::general_time_in(checking.now, -30); }), "unknown revocation_list_is_expired");
  base::Bytes unsigned_list = authority.complete_list().der();
  unsigned_list.back() ^= 1;
  authority.say(AuthorityForTests::list, unsigned_list);
  CHECK_EQ(checking.text(), "unknown revocation_list_signature_is_invalid");
  authority.say(AuthorityForTests::list, making::raw("not a list"));
  CHECK_EQ(checking.text(), "unknown revocation_list_is_malformed");
}

TEST_CASE("down, slow, redirecting and much too large: unknown, and said at which step") {
  Checking checking;
  AuthorityForTests& authority = checking.authority;
  authority.name_list();
  using End = effects::ScriptedReply::End;
  authority.say(AuthorityForTests::list, {.bytes = "HTTP/1.1 302 Found\r\nlocation: http://127.0.0.1/other\r\ncontent-length: 0\r\n\r\n", .end = End::close});
  CHECK_EQ(checking.text(), "unknown fetch_redirected");
  authority.say(AuthorityForTests::list, {.bytes = "HTTP/1.1 200 OK\r\ncontent-length: 16777217\r\n\r\n0", .end = End::hold});
  CHECK_EQ(checking.text(), "unknown fetch_reply_too_large");
  checking.fetching.total_max = base::milliseconds(200);
  authority.say(AuthorityForTests::list, {.bytes = "", .end = End::hold});
  CHECK_EQ(checking.text(), "unknown fetch_reply_timed_out");
  checking.fetching.total_max = base::milliseconds(5'000);
  authority.leaf.with(oid::crl_distribution_points, false,
                      making::sequence({making::sequence({making::tlv(crypto::chain::tag::constructed(0),
                                                                      {making::tlv(crypto::chain::tag::constructed(0), {making::uri("http://127.0.0.1:1/list")})})})}));
  CHECK_EQ(checking.text(), "unknown fetch_connect_failed");
}

TEST_CASE("a responder that sends more than 64 KiB is not read to its end") {
  Checking checking;
  checking.authority.name_responder();
  checking.authority.say(AuthorityForTests::responder, base::Bytes(effects::ocsp_response_bytes_max + 1, 0x30));
  CHECK_EQ(checking.text(), "unknown fetch_reply_too_large");
}

TEST_CASE("nobody is asked whom the operator did not name, and nothing else than http and https is spoken") {
  Checking checking;
  AuthorityForTests& authority = checking.authority;
  authority.name_list();
  authority.say(AuthorityForTests::list, authority.complete_list().der());
  checking.fetching.rules = effects::read_revocation_rules("crl.ca.example", "127.0.0.1/32").value();
  CHECK_EQ(checking.text(), "unknown fetch_host_not_allowed");
  checking.fetching.rules = effects::read_revocation_rules("127.0.0.1", "").value();
  CHECK_EQ(checking.text(), "unknown fetch_target_is_forbidden");
  CHECK_EQ(authority.server.connections, 0);
  authority.leaf.with(oid::crl_distribution_points, false,
                      making::sequence({making::sequence({making::tlv(crypto::chain::tag::constructed(0),
                                                                      {making::tlv(crypto::chain::tag::constructed(0), {making::uri("ldap://127.0.0.1/cn=a")})})})}));
  CHECK_EQ(checking.text(), "unknown fetch_scheme_not_allowed");
}

TEST_CASE("without an issuer, or where nothing is published, it is unknown; outside of its validity nobody is asked") {
  Checking checking;
  AuthorityForTests& authority = checking.authority;
  CHECK_EQ(checking.text(), "unknown revocation_is_not_published");
  CHECK_EQ(checking.check("").code, "certificate_was_not_kept");
  CHECK_EQ(checking.check("-----BEGIN CERTIFICATE-----").code, "pem_is_malformed");
  CHECK_EQ(checking.check(node::pem_of({0x30, 0x00})).code, "certificate_is_malformed");
  CHECK_EQ(checking.check(node::pem_of(authority.leaf.der())).code, "chain_misses_intermediate");
  CHECK_EQ(checking.check(node::pem_of(authority.root.der())).code, "certificate_is_self_signed");
  // One that only has the issuer's name.
  making::Spec stranger = making::root_spec(authority.leaf_key, "test authority");
  CHECK_EQ(checking.check(node::pem_of(authority.leaf.der()) + node::pem_of(stranger.der())).code, "chain_misses_intermediate");
  authority.name_list();
  authority.leaf.not_after = node::general_time_in(checking.now, -10);
  CHECK_EQ(checking.text(), "expired certificate_is_expired");
  authority.leaf.not_after = node::general_time_in(checking.now, 1'000);
  authority.leaf.not_before = node::general_time_in(checking.now, 500);
  CHECK_EQ(checking.text(), "not_yet_valid certificate_is_not_yet_valid");
  CHECK_EQ(authority.server.connections, 0);
}

TEST_CASE("an issuer that the operator named needs not come with the certificate") {
  Checking checking;
  AuthorityForTests& authority = checking.authority;
  authority.name_list();
  authority.say(AuthorityForTests::list, authority.complete_list().der());
  const effects::RevocationFetch fetch(checking.names, *checking.clock, checking.fetching);
  auto authorities = node::read_certificates(node::pem_of(authority.root.der()));
  REQUIRE(authorities.ok());
  CHECK(node::RevocationCheck(fetch, std::move(*authorities)).check(node::pem_of(authority.leaf.der()), checking.now).result == RevocationResult::good);
}
