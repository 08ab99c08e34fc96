// Certificates behind keys of the registry while the service runs: checked again and again, and suspended when they were revoked.

#include "node/revocation_watch.h"

#include <chrono>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "audit/blinding.h"
#include "gate/import_body.h"
#include "io/posix_file.h"
#include "io/temporary_directory.h"
#include "node/own_request.h"
#include "node/revocation_for_tests.h"
#include "node/world_test.h"

// clang-format off
#include <doctest/doctest.h>  // last: base/check.h has a CHECK too
// clang-format on

namespace {

using crypto::chain::Revocation;
using model::KeyState;
namespace making = crypto::chain::making;
using node::AuthorityForTests;
using node::RevocationResult;

struct Watching {
  Watching() : blinding(secret, 0), keys(secret), gate(keys, nobody, [this](std::span<std::uint8_t> out) { random.fill(out); }) {
    node::ServiceOptions service_options;
    service_options.recovery.directory = directory.path();
    service_options.recovery.segment_bytes = 16u << 20;
    auto opened = node::Service::open(disk, *clock, random, blinding, service_options, [](const base::Error&) {});
    REQUIRE_MESSAGE(opened.ok(), (opened.ok() ? std::string() : opened.error().message));
    service = std::move(*opened);
    service->start();
    options.hosts = "127.0.0.1";
    options.networks = "127.0.0.1/32";
    options.every = base::milliseconds(50);
  }
  ~Watching() {
    if (watch) watch->stop();
    service->stop();
  }
  // The first key, active at once; its import.
  model::EventNumber import(std::string_view partner, const std::string& pem) {
    gate::KeyImport body{.partner = partner, .key = "main", .purpose = model::KeyPurpose::tls_peer};
    body.material.assign(pem.begin(), pem.end());
    body.examined = gate::examine_material(base::as_bytes(pem), body.purpose, clock->wall());
    REQUIRE_MESSAGE(body.examined->verdict == model::ImportVerdict::usable, body.examined->findings);
    body.examined->verdict = model::ImportVerdict::proven;
    const auto answer = node::ask_service(*service, gate, body);
    REQUIRE_MESSAGE(answer.ok(), (answer.ok() ? std::string() : answer.error().message));
    return service->pipeline().registry()->version(1, 1)->import;
  }
  void begin() {
    auto opened = node::RevocationWatch::open(disk, *clock, *service, keys, options, [this](const std::string& sentence) {
      const std::lock_guard lock(mutex);
      said.push_back(sentence);
    });
    REQUIRE_MESSAGE(opened.ok(), (opened.ok() ? std::string() : opened.error().message));
    watch = std::move(*opened);
    watch->start();
  }
  bool until(const std::function<bool()>& holds) {
    for (int i = 0; i < 2000; ++i) {
      if (holds()) return true;
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
    return false;
  }
  std::string result(model::KeyNumber key = 1) {
    const auto report = watch->find(key, 1);
    return report ? std::string(node::to_text(report->finding.result)) : "";
  }
  KeyState state(model::KeyNumber key = 1) { return service->pipeline().registry()->version(key, 1)->status(); }
  model::KeyCause cause(model::KeyNumber key = 1) { return static_cast<model::KeyCause>(service->pipeline().registry()->version(key, 1)->cause); }
  std::string reason(model::KeyNumber key = 1) {
    const model::EventNumber moved = service->pipeline().registry()->version(key, 1)->moved;
    const auto kept = service->reader().read_private(moved, model::PrivateField::vote_reason);
    REQUIRE(kept.ok());
    return *kept ? std::string(base::as_text((*kept)->value)) : "";
  }
  std::uint64_t checks(RevocationResult result) { return watch->stats().checks[static_cast<std::size_t>(result)]; }
  bool has_said(std::string_view words) {
    const std::lock_guard lock(mutex);
    return std::ranges::any_of(said, [&](const std::string& one) { return one.find(words) != std::string::npos; });
  }

  io::TemporaryDirectory directory;
  const std::array<std::uint8_t, 32> secret{5};
  std::unique_ptr<io::RealClock> clock = std::move(*io::RealClock::open());
  AuthorityForTests authority{clock->wall()};
  io::RealFileSystem disk;
  io::RealRandom random;
  audit::Blinding blinding;
  gate::GateKeys keys;
  node::NobodyElse nobody;
  gate::Gate gate;
  std::unique_ptr<node::Service> service;
  node::RevocationOptions options;
  std::mutex mutex;
  std::vector<std::string> said;   // under mutex
  std::unique_ptr<node::RevocationWatch> watch;
};

}  // namespace

TEST_CASE("a certificate is checked again and again, and its key is suspended when it is revoked") {
  Watching watching;
  AuthorityForTests& authority = watching.authority;
  authority.name_responder();
  authority.say(AuthorityForTests::responder, authority.response().der());
  const model::EventNumber imported = watching.import("bank-a", authority.pem());
  const auto kept = watching.service->reader().read_private(imported, model::PrivateField::key_certificate);
  REQUIRE(kept.ok());
  REQUIRE(kept->has_value());
  watching.begin();
  REQUIRE(watching.until([&] { return watching.checks(RevocationResult::good) >= 3; }));
  const auto report = watching.watch->find(1, 1);
  REQUIRE(report.has_value());
  CHECK(report->finding.code.empty());
  CHECK(report->good_at == report->checked_at);
  CHECK_EQ(watching.watch->stats().versions[static_cast<std::size_t>(RevocationResult::good)], 1);
  CHECK(watching.state() == KeyState::active);

  auto response = authority.response();
  response.status = making::OcspSpec::revoked("20260103000000Z");
  authority.say(AuthorityForTests::responder, response.der());
  REQUIRE(watching.until([&] { return watching.watch->stats().suspended == 1; }));
  CHECK(watching.state() == KeyState::suspended);
  CHECK(watching.cause() == model::KeyCause::certificate_revoked);
  CHECK_EQ(watching.reason(), "the certificate was revoked at 2026-01-03T00:00:00Z, reason unspecified");
  REQUIRE(watching.until([&] { return !watching.watch->find(1, 1).has_value(); }));   // what does not verify is not checked
  CHECK(watching.has_said("[certificate_is_revoked]"));
  CHECK(watching.has_said("key_1 version 1 was suspended"));
  // Whoever takes it into use again has it checked again.
  REQUIRE(node::ask_service(*watching.service, watching.gate, gate::KeySteering{.key = 1, .version = 1, .verb = model::KeyVerb::apply}).ok());
  REQUIRE(watching.until([&] { return watching.watch->stats().suspended == 2; }));
}

TEST_CASE("unknown never means good: it is told, and under soft nothing else happens") {
  Watching watching;
  watching.authority.name_responder();   // and nobody answers there
  watching.options.unknown_max = {};
  watching.import("bank-a", watching.authority.pem());
  watching.begin();
  REQUIRE(watching.until([&] { return watching.checks(RevocationResult::unknown) >= 3; }));
  CHECK_EQ(watching.result(), "unknown");
  CHECK(watching.watch->find(1, 1)->good_at.ns == 0);
  CHECK(watching.has_said("[fetch_http_status]"));
  CHECK(watching.state() == KeyState::active);
  CHECK_EQ(watching.checks(RevocationResult::good), 0);
}

TEST_CASE("under hard what is unknown for too long is suspended, and what is good meanwhile is not") {
  Watching watching;
  AuthorityForTests& authority = watching.authority;
  authority.name_responder();
  authority.say(AuthorityForTests::responder, authority.response().der());
  watching.options.policy = Revocation::hard;
  watching.options.unknown_max = base::milliseconds(300);
  watching.import("bank-a", authority.pem());
  watching.begin();
  REQUIRE(watching.until([&] { return watching.checks(RevocationResult::good) >= 10; }));
  CHECK(watching.state() == KeyState::active);
  authority.say(AuthorityForTests::responder, making::raw("nothing of use"));
  REQUIRE(watching.until([&] { return watching.watch->stats().suspended == 1; }));
  CHECK(watching.state() == KeyState::suspended);
  CHECK(watching.cause() == model::KeyCause::revocation_unknown);
  CHECK_EQ(watching.reason(), "whether the certificate is revoked was unknown for too long: ocsp_response_is_malformed");
  CHECK(watching.checks(RevocationResult::unknown) >= 2);
}

TEST_CASE("off checks nothing") {
  Watching watching;
  watching.authority.name_responder();
  watching.import("bank-a", watching.authority.pem());
  watching.options.policy = Revocation::off;
  watching.begin();
  std::this_thread::sleep_for(std::chrono::milliseconds(100));
  CHECK_FALSE(watching.watch->find(1, 1).has_value());
  CHECK_EQ(watching.authority.server.connections, 0);
  CHECK_EQ(watching.watch->stats().unchecked, 0);
}

TEST_CASE("a certificate that was erased is unknown") {
  Watching watching;
  AuthorityForTests& authority = watching.authority;
  authority.name_responder();
  authority.say(AuthorityForTests::responder, authority.response().der());
  const model::EventNumber imported = watching.import("bank-a", authority.pem());
  REQUIRE(watching.service->journal().erase_private(imported, model::PrivateField::key_certificate).ok());
  watching.begin();
  REQUIRE(watching.until([&] { return watching.checks(RevocationResult::unknown) >= 1; }));
  CHECK_EQ(watching.watch->find(1, 1)->finding.code, "certificate_was_not_kept");
}

TEST_CASE("a stop does not wait for an answer that does not come") {
  Watching watching;
  watching.authority.name_responder();
  watching.authority.say(AuthorityForTests::responder, {.bytes = "", .end = effects::ScriptedReply::End::hold});
  watching.options.total_max = base::seconds(60);
  watching.import("bank-a", watching.authority.pem());
  watching.begin();
  REQUIRE(watching.until([&] { return !watching.authority.server.requests().empty(); }));
  const auto began = std::chrono::steady_clock::now();
  watching.watch->stop();
  CHECK(std::chrono::steady_clock::now() - began < std::chrono::seconds(10));
  CHECK_FALSE(watching.watch->find(1, 1).has_value());
}

TEST_CASE("settings and authorities that mean nothing are refused when the watch is opened") {
  Watching watching;
  const auto code = [&] {
    const auto opened = node::RevocationWatch::open(watching.disk, *watching.clock, *watching.service, watching.keys, watching.options, [](const std::string&) {});
    return opened.ok() ? std::string("ok") : std::string(opened.error().code);
  };
  CHECK_EQ(code(), "ok");
  watching.options.hosts = "http://crl.ca.example";
  CHECK_EQ(code(), "revocation_host_malformed");
  watching.options.hosts = "*.ca.example , 127.0.0.1";
  watching.options.networks = "10.0.0.0";
  CHECK_EQ(code(), "revocation_network_malformed");
  watching.options.networks = "10.0.0.0/8, fd00::/8";
  CHECK_EQ(code(), "ok");
  watching.options.authorities_file = watching.directory / "authorities.pem";
  CHECK_EQ(code(), "file_not_found");
  io::replace_file(watching.disk, watching.options.authorities_file, base::as_bytes("-----BEGIN CERTIFICATE-----\n!")).value();
  CHECK_EQ(code(), "pem_is_malformed");
  io::replace_file(watching.disk, watching.options.authorities_file, base::as_bytes(watching.authority.pem())).value();
  CHECK_EQ(code(), "ok");
}
