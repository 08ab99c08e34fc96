#pragma once
// A gate with two clients, for tests.

#include <map>
#include <string>
#include <utility>

// clang-format off: CHECK of base/check.h must be seen before that of doctest, which replaces it
#include "gate/gate.h"
#include <doctest/doctest.h>
// clang-format on

namespace gate {

constexpr base::Instant test_now{1'800'000'000'000'000'000};

struct TestBook : ClientBook {
  std::map<model::PrincipalNumber, Client> clients;
  std::optional<Client> find(model::PrincipalNumber principal) const override {
    const auto place = clients.find(principal);
    return place == clients.end() ? std::nullopt : std::optional(place->second);
  }
};

inline std::array<std::uint8_t, 32> test_root(std::uint8_t first) {
  std::array<std::uint8_t, 32> root;
  for (std::size_t i = 0; i < root.size(); ++i) root[i] = static_cast<std::uint8_t>(first + i);
  return root;
}

struct Fixture {
  GateKeys keys{test_root(1)};
  TestBook book;
  std::uint8_t drawn = 0;
  std::string secret =
      make_refresh_secret([](std::span<std::uint8_t> out) { std::fill(out.begin(), out.end(), std::uint8_t{7}); });
  std::string former_secret =
      make_refresh_secret([](std::span<std::uint8_t> out) { std::fill(out.begin(), out.end(), std::uint8_t{6}); });
  Gate gate{keys, book, [this](std::span<std::uint8_t> out) {
              for (auto& byte : out) byte = ++drawn;
            }, settings()};
  TokenAuthority tokens{keys.tokens};

  /// Fresh captured messages prove keys, which an operator has to ask for.
  static GateSettings settings() {
    GateSettings settings;
    settings.captured_age_max = base::seconds(900);
    return settings;
  }
  Fixture() {
    book.clients[2] = {.principal = 2,
                       .tenant = 1,
                       .kind = model::PrincipalKind::service,
                       .scopes = model::all_scopes,
                       .generation = 4,
                       .revoked = false,
                       .secret_hash = hash_refresh_secret(keys.secret, secret),
                       .former_secret_hash = hash_refresh_secret(keys.secret, former_secret),
                       .former_valid_until = test_now + base::seconds(10)};
    book.clients[3] = {.principal = 3, .tenant = 2, .scopes = model::transfers_read};
  }

  std::string token(model::Scopes scopes = model::all_scopes, std::uint32_t generation = 4) {
    return tokens.issue({.principal = 2,
                         .tenant = 1,
                         .generation = generation,
                         .scopes = scopes,
                         .issued_at = test_now,
                         .expires_at = test_now + base::seconds(900)});
  }
  wire::Request request(std::string method, std::string path, std::string body = {}) {
    wire::Request request;
    request.method = std::move(method);
    const std::size_t mark = path.find('?');
    request.path = path.substr(0, mark);
    if (mark != std::string::npos) request.query = path.substr(mark + 1);
    request.headers.add("authorization", "Bearer " + token());
    request.headers.add("traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01");
    if (request.method == "POST") {
      request.headers.add("content-type", "application/json");
      request.headers.add("idempotency-key", "\"key-1\"");
    }
    request.body = std::move(body);
    return request;
  }
  Admission admit(std::string method, std::string path, std::string body = {}) {
    return gate.admit(request(std::move(method), std::move(path), std::move(body)), test_now);
  }
  /// The code of a refusal and the pointers it names: `request_field_missing /amount`; "admitted" etc. otherwise.
  static std::string told(const Admission& admission) {
    if (std::holds_alternative<model::Admitted>(admission)) return "admitted";
    if (std::holds_alternative<Query>(admission)) return "query";
    if (std::holds_alternative<AccessTokenGrant>(admission)) return "token";
    const Refusal& refusal = std::get<Refusal>(admission);
    std::string text(model::code_of(refusal.outcome));
    for (const auto& field : refusal.fields) text += " " + field.pointer;
    return text;
  }
};

}  // namespace gate
