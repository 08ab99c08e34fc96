// rooms: wire base
// HTTP/1.1: what a connection gives must not depend on how its bytes are cut, every reply must be one our own client
// understands, and paths, queries and fields are taken apart on the way. The first byte seeds the cuts.
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "wire/http1.h"
#include "wire/http_client.h"
#include "wire/structured_field.h"

namespace {

wire::Http1Limits small_limits() {
  wire::Http1Limits limits;
  limits.http.header_bytes_max = 2048;
  limits.http.header_count_max = 16;
  limits.http.target_bytes_max = 512;
  limits.http.body_bytes_max = 1024;
  limits.pipelined_max = 3;
  return limits;
}

void take_apart(const wire::Request& request) {
  (void)wire::split_path(request.path);
  (void)wire::parse_query(request.query);
  for (std::size_t i = 0; i < request.headers.size(); ++i) {
    const std::string_view value = request.headers.at(i).value;
    if (const auto text = wire::parse_sf_string(value)) {
      if (wire::parse_sf_string(*wire::to_sf_string(*text)) != text) std::abort();
    }
    if (const auto context = wire::parse_traceparent(value)) {
      if (wire::parse_traceparent(wire::to_traceparent(*context)) != context) std::abort();
    }
    (void)wire::parse_idempotency_key(value);
    (void)wire::parse_bearer(value);
    (void)wire::parse_media_type(value);
    (void)wire::accept_quality(value, "application/json");
  }
}

/// Everything a connection does with `text`, cut into pieces of at most `piece_max` bytes.
std::string run(std::string_view text, std::uint32_t seed, std::size_t piece_max) {
  const auto machine = wire::make_http1_machine(small_limits(), 0);
  const bool text_has_head = text.find("HEAD ") != std::string_view::npos;
  std::string seen;
  std::string replies;
  std::vector<std::string> methods;
  const auto serve = [&] {
    bool moved = true;
    while (moved) {
      moved = false;
      while (const auto received = machine->take_request()) {
        const wire::Request& request = received->request;
        take_apart(request);
        seen += request.method + " " + request.path + "?" + request.query + "@" + request.authority + "\n";
        seen += request.body + "\n";
        methods.push_back(request.method);
        wire::Response response;
        response.body = request.path;
        machine->respond(received->stream, response, "Thu, 01 Jan 1970 00:00:00 GMT", 0);
        moved = true;
      }
      const auto output = machine->output();
      if (!output.empty()) {
        replies.append(base::as_text(output));
        machine->consume(output.size(), 0);
        moved = true;
      }
    }
  };
  while (!text.empty()) {
    seed = seed * 1664525 + 1013904223;
    const std::size_t piece = std::min<std::size_t>(text.size(), 1 + (seed >> 16) % piece_max);
    machine->receive(base::as_bytes(text.substr(0, piece)), 0);
    text.remove_prefix(piece);
    serve();
  }
  machine->end_of_input(0);
  serve();
  if (!machine->wants_close() || machine->outstanding() != 0) std::abort();
  seen += wire::to_text(machine->refusal()).code;
  // One more reply: a refusal, or the 100 Continue of a request that never became complete. A refused body may belong
  // to a HEAD request, whose reply has none.
  const bool refused = wire::to_text(machine->refusal()).status != 0;
  const auto understood = [&](std::string_view last) {
    wire::HttpClientMachine client;
    for (const std::string& method : methods) client.expect_reply_to(method);
    client.expect_reply_to(last);
    return client.receive(base::as_bytes(replies)).ok() && client.end_of_input().ok() == refused;
  };
  if (!understood("GET") && !(refused && text_has_head && understood("HEAD"))) std::abort();
  return seen;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view text(reinterpret_cast<const char*>(data) + 1, size - 1);
  if (run(text, 0, 1) != run(text, data[0], 64)) std::abort();
  // The same bytes as a reply.
  wire::HttpClientMachine client({.header_bytes_max = 2048, .body_bytes_max = 4096});
  client.expect_reply_to("GET");
  client.expect_reply_to("HEAD");
  if (client.receive(base::as_bytes(text)).ok()) (void)client.end_of_input();
  while (client.take_response()) {
  }
  return 0;
}
