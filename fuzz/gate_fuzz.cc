// rooms: gate
// The gate over bodies, paths and queries of an authenticated client. The first byte picks a route and the form of the body,
// the rest is a path parameter or query up to a newline, and the body. Nothing may crash; what is admitted must be well
// formed enough to be written to a journal and read back.
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "gate/gate.h"

namespace {

constexpr base::Instant now{1'800'000'000'000'000'000};

void require(bool holds) {
  if (!holds) std::abort();
}

struct OneClient : gate::ClientBook {
  std::optional<gate::Client> find(model::PrincipalNumber principal) const override {
    if (principal != 2) return std::nullopt;
    return gate::Client{.principal = 2, .tenant = 1, .scopes = model::all_scopes};
  }
};

std::array<std::uint8_t, 32> root() {
  std::array<std::uint8_t, 32> bytes{};
  return bytes;
}

void check(const model::Admitted& admitted) {
  require(!admitted.commands.empty());
  for (const model::Command& command : admitted.commands) {
    base::Bytes bytes;
    std::vector<model::ByteRange> ranges;
    const model::Event event{.at = now, .body = model::EpochBumped{1}};
    model::encode_entry(bytes, ranges, now, command, {&event, 1});
    const auto back = model::decode_entry(bytes, 1);
    require(back.ok() && back->command == command);
  }
  for (const auto& name : admitted.names) require(name.command < admitted.commands.size());
  for (const auto& value : admitted.privates) require(value.command < admitted.commands.size());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const gate::GateKeys keys(root());
  static const OneClient clients;
  static gate::Gate gate(keys, clients, [](std::span<std::uint8_t> out) { std::fill(out.begin(), out.end(), std::uint8_t{1}); });
  static const std::string token = gate::TokenAuthority(keys.tokens).issue({.principal = 2, .tenant = 1, .scopes = model::all_scopes,
                                                                          .issued_at = now, .expires_at = now + base::seconds(1)});
  if (size == 0) return 0;
  const std::uint8_t choice = data[0];
  const std::string_view rest = base::as_text(base::ByteView(data + 1, size - 1));
  const std::size_t line = std::min(rest.find('\n'), rest.size());
  std::string first(rest.substr(0, line));
  for (char& c : first) {
    if (c == '\r' || c == '\0') c = ' ';
  }
  const auto all = gate::routes();
  const gate::Route& route = all[(choice & 0x7F) % all.size()];
  wire::Request request;
  request.method = route.method;
  request.path = route.path;
  if (const auto brace = request.path.find("{id}"); brace != std::string::npos) {
    request.path.replace(brace, 4, first);
  } else {
    request.query = first;
  }
  request.body = rest.substr(std::min(line + 1, rest.size()));
  request.headers.add("authorization", "Bearer " + token);
  request.headers.add("idempotency-key", "k");
  request.headers.add("content-type", (choice & 0x80) != 0 ? "application/cbor" : "application/json");
  static std::int64_t tick = 0;
  const auto admission = gate.admit(request, now + base::Duration{++tick % 1'000'000'000});
  if (const auto* admitted = std::get_if<model::Admitted>(&admission)) check(*admitted);
  if (const auto* refusal = std::get_if<gate::Refusal>(&admission)) {
    model::row_of(refusal->outcome);
    require(refusal->fields.size() <= 1024);
  }
  return 0;
}
