// rooms: wire base
// HTTP/2: frames after a preface that is always there, with time passing and replies going back between the pieces. The
// first byte seeds the cuts, the delays and the order of the replies.
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "wire/http2.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  wire::Http2Limits limits;
  limits.http.header_bytes_max = 2048;
  limits.http.body_bytes_max = 4096;
  limits.streams_max = 8;
  limits.buffered_body_bytes_max = 8192;
  const auto machine = wire::make_http2_machine(limits, 0);
  std::int64_t now = 0;
  std::uint32_t seed = data[0];
  const auto chance = [&](std::uint32_t below) {
    seed = seed * 1664525 + 1013904223;
    return (seed >> 16) % below;
  };
  std::vector<wire::StreamId> waiting;
  const auto serve = [&] {
    while (const auto received = machine->take_request()) waiting.push_back(received->stream);
    while (!waiting.empty() && chance(3) != 0) {
      const std::size_t pick = chance(static_cast<std::uint32_t>(waiting.size()));
      wire::Response response;
      response.body.assign(chance(100'000), 'x');
      machine->respond(waiting[pick], response, "Thu, 01 Jan 1970 00:00:00 GMT", now);
      waiting.erase(waiting.begin() + static_cast<std::ptrdiff_t>(pick));
    }
    const std::size_t output = machine->output().size();
    if (output > 0) machine->consume(1 + chance(static_cast<std::uint32_t>(output)), now);
    if (chance(8) == 0) {
      now += std::int64_t{chance(8'000)} * 1'000'000;
      machine->on_time(now);
    }
    // A deadline that has passed and was looked at does not stay.
    if (!machine->wants_close() && machine->next_deadline() <= now) {
      machine->on_time(now);
      if (!machine->wants_close() && machine->next_deadline() <= now) std::abort();
    }
  };
  std::string text = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
  text.append("\0\0\0\4\0\0\0\0\0", 9);
  text.append(reinterpret_cast<const char*>(data) + 1, size - 1);
  std::string_view rest = text;
  while (!rest.empty()) {
    const std::size_t piece = std::min<std::size_t>(rest.size(), 1 + chance(512));
    machine->receive(base::as_bytes(rest.substr(0, piece)), now);
    rest.remove_prefix(piece);
    serve();
  }
  if (chance(2) == 0) machine->begin_shutdown(now);
  machine->end_of_input(now);
  serve();
  return 0;
}
