#include "wire/http2.h"

#include <doctest/doctest.h>
#include <nghttp2/nghttp2.h>

#include <map>

#include "wire/http2_frames.h"

using namespace wire;

namespace {

constexpr std::int64_t second = 1'000'000'000;
constexpr std::string_view date = "Sun, 06 Nov 1994 08:49:37 GMT";
constexpr std::string_view preface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

// Types and flags of RFC 9113 section 6.
enum Type : std::uint8_t {
  data = 0,
  headers,
  priority,
  rst_stream,
  settings,
  push,
  ping,
  goaway,
  window_update,
  continuation
};
constexpr std::uint8_t end_stream = 1;
constexpr std::uint8_t end_headers = 4;

std::string frame(std::uint8_t type, std::uint8_t flags, std::uint32_t stream, std::string_view payload) {
  const auto byte = [](std::size_t value) { return static_cast<char>(static_cast<std::uint8_t>(value)); };
  std::string out = {
      byte(payload.size() >> 16), byte(payload.size() >> 8), byte(payload.size()), byte(type),  byte(flags),
      byte(stream >> 24),         byte(stream >> 16),        byte(stream >> 8),    byte(stream)};
  return out.append(payload);
}

/// A literal field without indexing and without Huffman code (RFC 7541 section 6.2.2).
std::string literal(std::string_view name, std::string_view value) {
  std::string out(1, '\0');
  for (const std::string_view text : {name, value}) {
    std::size_t rest = text.size();
    if (rest < 127) {
      out.push_back(static_cast<char>(rest));
    } else {
      out.push_back(127);
      for (rest -= 127; rest >= 128; rest /= 128)
        out.push_back(static_cast<char>(static_cast<std::uint8_t>(rest % 128 + 128)));
      out.push_back(static_cast<char>(rest));
    }
    out.append(text);
  }
  return out;
}

std::string block(std::string_view method, std::string_view path, std::string_view more = {}) {
  return literal(":method", method) + literal(":scheme", "https") + literal(":path", path) +
         literal(":authority", "localhost:8443") + std::string(more);
}

std::string get(std::uint32_t stream, std::string_view path = "/", std::string_view more = {}) {
  return frame(headers, end_headers | end_stream, stream, block("GET", path, more));
}

std::string post(std::uint32_t stream, std::string_view more = {}) {
  return frame(headers, end_headers, stream, block("POST", "/p", more));
}

/// A connection under test with its clock, and the frames it sends taken apart.
struct Peer {
  explicit Peer(const Http2Limits& limits = {}, bool greet = true) : machine(make_http2_machine(limits, 0)) {
    nghttp2_hd_inflate_new(&inflater);
    if (greet) send(std::string(preface) + frame(settings, 0, 0, ""));
  }
  ~Peer() { nghttp2_hd_inflate_del(inflater); }
  Peer(const Peer&) = delete;
  Peer& operator=(const Peer&) = delete;

  void send(std::string_view text) {
    machine->receive(base::as_bytes(text), now);
    fetch();
  }
  void drip(std::string_view text) {
    for (const char c : text) send({&c, 1});
  }
  void at(std::int64_t time) {
    now = time;
    machine->on_time(now);
    fetch();
  }
  void reply(StreamId stream, std::string_view body, std::uint16_t status = 200) {
    Response response;
    response.status = status;
    response.headers.add("Content-Type", "text/plain");
    response.body = body;
    machine->respond(stream, response, date, now);
    fetch();
  }
  std::optional<ReceivedRequest> take() { return machine->take_request(); }

  void fetch() {
    while (!machine->output().empty()) {
      received.append(base::as_text(machine->output()));
      machine->consume(machine->output().size(), now);
    }
    while (received.size() >= 9) {
      const auto at = [&](std::size_t i) { return std::uint32_t{static_cast<std::uint8_t>(received[i])}; };
      const std::size_t size = at(0) << 16 | at(1) << 8 | at(2);
      if (received.size() < 9 + size) break;
      const std::uint32_t stream = at(5) << 24 | at(6) << 16 | at(7) << 8 | at(8);
      digest(at(3), at(4), stream, received.substr(9, size));
      received.erase(0, 9 + size);
    }
  }

  void digest(std::uint32_t type, std::uint32_t flags, std::uint32_t stream, const std::string& payload) {
    const auto code = [&](std::size_t i) { return std::to_string(static_cast<std::uint8_t>(payload[i])); };
    std::string& text = type == goaway || type == settings || type == ping ? connection : streams[stream];
    switch (type) {
      case headers: {
        const auto* from = reinterpret_cast<const std::uint8_t*>(payload.data());
        std::size_t left = payload.size();
        while (true) {
          nghttp2_nv nv;
          int flag = 0;
          const ssize_t used = nghttp2_hd_inflate_hd2(inflater, &nv, &flag, from, left, 1);
          REQUIRE(used >= 0);
          from += used;
          left -= static_cast<std::size_t>(used);
          if ((flag & NGHTTP2_HD_INFLATE_EMIT) != 0) {
            text += std::string(reinterpret_cast<char*>(nv.name), nv.namelen) + "=" +
                    std::string(reinterpret_cast<char*>(nv.value), nv.valuelen) + " ";
          }
          if ((flag & NGHTTP2_HD_INFLATE_FINAL) != 0) break;
        }
        nghttp2_hd_inflate_end_headers(inflater);
        break;
      }
      case data:
        text += payload;
        break;
      case rst_stream:
        text += "RST " + code(3);
        return;
      case goaway:
        text += "GOAWAY " + code(7) + " ";
        return;
      case settings:
        text += (flags & 1) != 0 ? "ack " : "settings ";
        return;
      case ping:
        text += "pong ";
        return;
      default:
        return;
    }
    if ((flags & end_stream) != 0) text += " END ";
  }

  std::unique_ptr<HttpMachine> machine;
  std::int64_t now = 0;
  nghttp2_hd_inflater* inflater = nullptr;
  std::string received;
  std::string connection;
  std::map<std::uint32_t, std::string> streams;
};

/// How a request stream is answered by the machine itself: the start of the reply.
std::string refused(std::string_view first_frames, const Http2Limits& limits = {}) {
  Peer peer(limits);
  peer.send(first_frames);
  CHECK_FALSE(peer.take());
  const std::string& text = peer.streams[1];
  return text.substr(0, text.find(' '));
}

bool is_flooded(Peer& peer) {
  return peer.machine->refusal() == Refusal::flood && peer.machine->wants_close() && !peer.machine->wants_input() &&
         peer.connection.find("GOAWAY 11") != std::string::npos && !peer.take();
}

}  // namespace

TEST_CASE("a request and its reply") {
  for (const bool drip : {false, true}) {
    Peer peer;
    CHECK(peer.connection == "settings ack ");
    const std::string text = get(1, "/v1/transfers?key=1", literal("x-a", "b"));
    if (drip) {
      peer.drip(text);
    } else {
      peer.send(text);
    }
    const auto received = peer.take();
    REQUIRE(received);
    CHECK(received->stream == 1);
    CHECK(received->request.method == "GET");
    CHECK(received->request.path == "/v1/transfers");
    CHECK(received->request.query == "key=1");
    CHECK(received->request.authority == "localhost:8443");
    CHECK(received->request.headers.find("x-a") == "b");
    CHECK(received->request.http_major == 2);
    CHECK(peer.machine->is_open(1));
    CHECK(peer.machine->outstanding() == 1);
    peer.reply(1, "hello");
    CHECK(peer.streams[1] ==
          ":status=200 date=Sun, 06 Nov 1994 08:49:37 GMT content-type=text/plain content-length=5 hello END ");
    CHECK_FALSE(peer.machine->is_open(1));
    CHECK(peer.machine->outstanding() == 0);
    peer.reply(1, "again");
    CHECK_FALSE(peer.machine->wants_close());
    CHECK(peer.machine->wants_input());
    CHECK(peer.machine->refusal() == Refusal::none);
  }
}

TEST_CASE("bodies, many streams, replies in any order") {
  Peer peer;
  peer.send(post(1) + post(3) + get(5));
  peer.send(frame(data, 0, 3, "ab") + frame(data, 0, 1, "12") + frame(data, end_stream, 3, "cd"));
  const auto five = peer.take();
  CHECK(five->stream == 5);
  const auto three = peer.take();
  REQUIRE(three);
  CHECK(three->stream == 3);
  CHECK(three->request.body == "abcd");
  CHECK_FALSE(peer.take());
  peer.send(frame(data, 0, 1, "34") + frame(headers, end_headers | end_stream, 1, literal("trailer", "x")));
  const auto one = peer.take();
  REQUIRE(one);
  CHECK(one->request.body == "1234");
  CHECK(one->request.headers.count("trailer") == 0);
  peer.reply(3, "x");
  peer.reply(1, "y");
  CHECK(peer.streams[3].ends_with("x END "));
  CHECK(peer.streams[1].ends_with("y END "));
  CHECK(peer.streams[5].empty());
}

TEST_CASE("HEAD, 204 and empty bodies end with their header section") {
  Peer peer;
  peer.send(frame(headers, end_headers | end_stream, 1, block("HEAD", "/")) + get(3) + get(5));
  peer.take();
  peer.take();
  peer.take();
  peer.reply(1, "12345");
  CHECK(peer.streams[1].ends_with("content-length=5  END "));
  peer.reply(3, "12345", 204);
  CHECK(peer.streams[3].ends_with("content-type=text/plain  END "));
  peer.reply(5, "");
  CHECK(peer.streams[5].ends_with("content-length=0  END "));
}

TEST_CASE("a large reply respects the peer's window") {
  Peer peer;
  peer.send(get(1));
  peer.take();
  peer.reply(1, std::string(100'000, 'x'));
  CHECK(peer.streams[1].find("END") == std::string::npos);
  const auto got = peer.streams[1].size();
  CHECK(got > 65'000);
  CHECK(got < 66'000);
  const std::string more("\0\1\0\0", 4);
  peer.send(frame(window_update, 0, 0, more) + frame(window_update, 0, 1, more));
  CHECK(peer.streams[1].ends_with("x END "));
}

TEST_CASE("a cancelled request is not handed out, and its reply goes nowhere") {
  Peer peer;
  peer.send(get(1) + get(3));
  const auto one = peer.take();
  REQUIRE(one);
  const std::string cancel("\0\0\0\x08", 4);
  peer.send(frame(rst_stream, 0, 1, cancel) + frame(rst_stream, 0, 3, cancel));
  CHECK_FALSE(peer.take());
  CHECK_FALSE(peer.machine->is_open(1));
  CHECK(peer.machine->outstanding() == 0);
  peer.reply(1, "late");
  CHECK(peer.streams[1].empty());
}

TEST_CASE("refused requests leave the connection usable") {
  const auto head = [](std::string_view payload) { return frame(headers, end_headers | end_stream, 1, payload); };
  const std::string authority = literal(":authority", "h");
  const std::string scheme = literal(":scheme", "https");
  CHECK(refused(head(block("BREW", "/"))) == ":status=501");
  CHECK(refused(head(block("GET", "/a#b"))) == ":status=400");
  CHECK(refused(head(block("GET", "/", literal("host", "other")))) == ":status=400");
  CHECK(refused(head(block("GET", "/", literal("x", "a\x80")))) == ":status=400");
  CHECK(refused(head(block("GET", "/", literal("x", "a\x01")))) == ":status=400");
  CHECK(refused(head(block("GET", "/", literal("a b", "c")))) == ":status=400");
  CHECK(refused(head(block("GET", "/", literal("expect", "x")))) == ":status=417");
  CHECK(refused(head(literal(":method", "GET") + scheme + literal(":path", "/") + literal("host", "a@b"))) ==
        ":status=400");
  // What nghttp2 refuses by itself.
  CHECK(refused(head(literal(":method", "GET") + scheme + authority)) == "RST");
  CHECK(refused(head(block("GET", "*"))) == "RST");
  CHECK(refused(head(block("GET", "/", literal("connection", "close")))) == "RST");
  CHECK(refused(head(block("GET", "/", literal("Upper", "x")))) != ":status=200");
  CHECK(refused(post(1, literal("content-length", "3")) + frame(data, end_stream, 1, "ab")) == "RST");

  Peer peer;
  peer.send(head(block("BREW", "/")));
  peer.send(get(3));
  CHECK(peer.take());
  CHECK(peer.machine->refusal() == Refusal::method_not_implemented);
}

TEST_CASE("host may stand for :authority") {
  Peer peer;
  peer.send(frame(
      headers, end_headers | end_stream, 1,
      literal(":method", "OPTIONS") + literal(":scheme", "https") + literal(":path", "*") + literal("host", "h")));
  const auto received = peer.take();
  REQUIRE(received);
  CHECK(received->request.authority == "h");
  CHECK(received->request.path == "*");
}

TEST_CASE("100-continue") {
  Peer peer;
  peer.send(post(1, literal("expect", "100-continue")));
  CHECK(peer.streams[1] == ":status=100 ");
  peer.send(frame(data, end_stream, 1, "x"));
  CHECK(peer.take()->request.body == "x");
}

TEST_CASE("limits of size") {
  Http2Limits limits;
  limits.http.header_bytes_max = 1000;
  limits.http.header_count_max = 10;
  limits.http.target_bytes_max = 100;
  limits.http.body_bytes_max = 10;
  CHECK(refused(get(1, "/" + std::string(100, 'a')), limits) == ":status=414");
  CHECK(refused(get(1, "/", literal("x", std::string(1500, 'x'))), limits) == ":status=431");
  std::string many;
  for (int i = 0; i < 7; ++i) many += literal("x", "");
  CHECK(refused(get(1, "/", many), limits) == ":status=431");
  CHECK(refused(post(1) + frame(data, 0, 1, "0123456789a"), limits) == ":status=413");

  Peer peer(limits);
  peer.send(post(1) + frame(data, 0, 1, "0123456789") + frame(data, 0, 1, "a") + frame(data, 0, 1, "more"));
  CHECK(peer.streams[1].starts_with(":status=413"));
  CHECK(peer.streams[1].ends_with(" END RST 0"));
  CHECK(peer.machine->refusal() == Refusal::body_too_large);
  peer.send(post(3) + frame(data, end_stream, 3, "0123456789"));
  CHECK(peer.take()->request.body.size() == 10);
}

TEST_CASE("a header block that goes on and on ends the connection") {
  // One field of 4 KB, then references of one byte to it: an HPACK bomb.
  std::string bomb = block("GET", "/");
  std::string entry = literal("x", std::string(4000, 'x'));
  entry[0] = 0x40;  // with incremental indexing
  bomb += entry + std::string(5000, '\xBE');
  Peer peer;
  peer.send(frame(headers, end_headers | end_stream, 1, bomb));
  CHECK(is_flooded(peer));
}

TEST_CASE("bodies of all streams together are bounded") {
  Http2Limits limits;
  limits.buffered_body_bytes_max = 10;
  Peer peer(limits);
  peer.send(post(1) + post(3) + frame(data, 0, 1, "01234567") + frame(data, 0, 3, "0123"));
  CHECK(peer.streams[3] == "RST 7");
  peer.send(frame(data, end_stream, 1, "89"));
  CHECK(peer.take()->request.body.size() == 10);
  peer.send(post(5) + frame(data, end_stream, 5, "0123456789"));
  CHECK(peer.take());
}

TEST_CASE("concurrent streams are bounded") {
  Http2Limits limits;
  limits.streams_max = 2;
  Peer early(limits);
  early.send(get(1) + get(3) + get(5));
  CHECK(early.streams[5] == "RST 7");
  CHECK(early.machine->outstanding() == 2);
  CHECK(early.machine->wants_input());

  // Once the peer has acknowledged the limit, going beyond it is a broken rule.
  Peer late(limits);
  late.send(frame(settings, 1, 0, ""));
  late.send(get(1) + get(3) + get(5));
  CHECK(late.machine->refusal() == Refusal::protocol_error);
  CHECK(late.connection.find("GOAWAY 1") != std::string::npos);
}

TEST_CASE("rapid reset runs into the bucket") {
  const std::string cancel("\0\0\0\x08", 4);
  Peer peer;
  std::uint32_t stream = 1;
  for (int i = 0; i < 100; ++i, stream += 2) peer.send(get(stream) + frame(rst_stream, 0, stream, cancel));
  CHECK(peer.machine->refusal() == Refusal::none);
  peer.send(get(stream) + frame(rst_stream, 0, stream, cancel));
  CHECK(is_flooded(peer));
  peer.send(get(stream + 2));
  CHECK_FALSE(peer.take());
}

TEST_CASE("rapid reset in one piece is stopped within that piece") {
  const std::string cancel("\0\0\0\x08", 4);
  Peer peer;
  std::string all;
  for (std::uint32_t stream = 1; stream < 20'001; stream += 2)
    all += get(stream) + frame(rst_stream, 0, stream, cancel);
  peer.send(all);
  CHECK(is_flooded(peer));
}

TEST_CASE("resets at a bearable rate are borne") {
  const std::string cancel("\0\0\0\x08", 4);
  Peer peer;
  for (std::uint32_t i = 0; i < 1000; ++i) {
    peer.now += second / 20;
    peer.send(get(2 * i + 1) + frame(rst_stream, 0, 2 * i + 1, cancel));
  }
  CHECK(peer.machine->refusal() == Refusal::none);
  CHECK(peer.machine->wants_input());
}

TEST_CASE("resets that the peer provokes count like its own") {
  Peer peer;
  // A field that HTTP/2 forbids is a stream error, which we have to answer with a reset.
  for (std::uint32_t i = 0; i < 120; ++i) peer.send(get(2 * i + 1, "/", literal("connection", "close")));
  CHECK(is_flooded(peer));
}

TEST_CASE("continuation frames are bounded") {
  const std::string first = block("GET", "/");
  Peer fine;
  fine.send(frame(headers, end_stream, 1, first));
  for (int i = 0; i < 7; ++i) fine.send(frame(continuation, 0, 1, literal("x", "y")));
  fine.send(frame(continuation, end_headers, 1, ""));
  CHECK(fine.take());

  Peer flood;
  flood.send(frame(headers, end_stream, 1, first));
  for (int i = 0; i < 9; ++i) flood.send(frame(continuation, 0, 1, literal("x", "y")));
  CHECK(is_flooded(flood));

  Peer empty;
  empty.send(frame(headers, end_stream, 1, first));
  for (int i = 0; i < 9; ++i) empty.send(frame(continuation, 0, 1, ""));
  CHECK(is_flooded(empty));
}

TEST_CASE("control frames draw from a bucket") {
  struct Row {
    std::string_view what;
    std::string frame;
  };
  const Row rows[] = {
      {"ping", frame(ping, 0, 0, "12345678")},
      {"settings", frame(settings, 0, 0, "")},
      {"priority", frame(priority, 0, 1, std::string("\0\0\0\0\0", 5))},
      {"unknown", frame(0x7F, 0, 0, "x")},
      {"empty data", frame(data, 0, 1, "")},
  };
  for (const Row& row : rows) {
    CAPTURE(row.what);
    Peer peer;
    peer.send(post(1));
    for (int i = 0; i < 190; ++i) peer.send(row.frame);
    CHECK(peer.machine->refusal() == Refusal::none);
    for (int i = 0; i < 20; ++i) peer.send(row.frame);
    CHECK(is_flooded(peer));
  }
  Peer pinged;
  for (int i = 0; i < 1000; ++i) {
    pinged.now += second / 50;
    pinged.send(frame(ping, 0, 0, "12345678"));
  }
  CHECK(pinged.machine->refusal() == Refusal::none);
}

TEST_CASE("window updates draw from a bucket") {
  Peer peer;
  const std::string one = frame(window_update, 0, 0, std::string("\0\0\0\1", 4));
  for (int i = 0; i < 2000; ++i) peer.send(one);
  CHECK(peer.machine->refusal() == Refusal::none);
  peer.send(one);
  CHECK(is_flooded(peer));
}

TEST_CASE("broken rules end the connection") {
  Peer request({}, false);
  request.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
  CHECK(request.machine->refusal() == Refusal::protocol_error);
  CHECK(request.machine->wants_close());

  for (const std::string& text :
       {frame(data, 0, 1, "x"), frame(headers, end_headers, 2, block("GET", "/")),
        frame(headers, end_headers, 1, "\xFF\xFF\xFF\xFF\xFF\xFF"), frame(ping, 0, 0, "short"),
        frame(push, end_headers, 1, std::string("\0\0\0\2", 4)), frame(headers, 0, 1, block("GET", "/")) + get(3),
        frame(data, 0, 0, std::string(20'000, 'x'))}) {
    Peer peer;
    peer.send(text);
    CHECK(peer.machine->refusal() == Refusal::protocol_error);
    CHECK(peer.machine->wants_close());
    CHECK(peer.connection.find("GOAWAY") != std::string::npos);
  }
}

TEST_CASE("deadlines for what stays unfinished") {
  SUBCASE("no preface") {
    Peer peer({}, false);
    CHECK(peer.machine->next_deadline() == 5 * second);
    peer.at(5 * second);
    CHECK(peer.machine->refusal() == Refusal::idle);
    CHECK(peer.machine->wants_close());
  }
  SUBCASE("half a frame header") {
    Peer peer;
    peer.now = second;
    peer.send(get(1).substr(0, 5));
    CHECK(peer.machine->next_deadline() == 6 * second);
    peer.at(6 * second);
    CHECK(peer.machine->refusal() == Refusal::header_timeout);
    CHECK(peer.connection.find("GOAWAY 0") != std::string::npos);
  }
  SUBCASE("a header block without end, however it drips") {
    Peer peer;
    peer.send(frame(headers, end_stream, 1, block("GET", "/")));
    for (int i = 1; i < 5; ++i) {
      peer.at(i * second);
      peer.send(frame(continuation, 0, 1, literal("x", "y")));
    }
    CHECK(peer.machine->refusal() == Refusal::none);
    peer.at(5 * second);
    CHECK(peer.machine->refusal() == Refusal::header_timeout);
    CHECK(peer.machine->wants_close());
  }
}

TEST_CASE("a slow body is refused, the connection goes on") {
  Http2Limits limits;
  limits.http.body_rate = {.grace_ns = 2 * second, .bytes_per_second = 10};
  Peer peer(limits);
  peer.send(post(1) + frame(data, 0, 1, "0123456789"));
  CHECK(peer.machine->next_deadline() == 3 * second);
  peer.at(3 * second);
  CHECK(peer.streams[1].starts_with(":status=408"));
  CHECK(peer.machine->refusal() == Refusal::body_too_slow);
  peer.send(get(3));
  CHECK(peer.take());

  // A burst is worth two graces and no more.
  Peer hasty(limits);
  hasty.send(post(1) + frame(data, 0, 1, std::string(1000, 'x')));
  CHECK(hasty.machine->next_deadline() == 4 * second);
}

TEST_CASE("a reply that is not fetched is cancelled") {
  Http2Limits limits;
  limits.http.output_rate = {.grace_ns = 2 * second, .bytes_per_second = 100'000};
  Peer peer(limits);
  const std::string no_window("\0\x04\0\0\0\0", 6);
  peer.send(frame(settings, 0, 0, no_window) + get(1));
  peer.take();
  peer.reply(1, "hello");
  CHECK(peer.machine->next_deadline() == 2 * second);
  peer.at(2 * second);
  CHECK(peer.streams[1].ends_with("RST 8"));
  CHECK(peer.machine->refusal() == Refusal::output_too_slow);
  CHECK_FALSE(peer.machine->wants_close());
}

TEST_CASE("a peer that does not read its socket is dropped") {
  Http2Limits limits;
  limits.http.output_rate = {.grace_ns = 2 * second, .bytes_per_second = 1000};
  const auto machine = make_http2_machine(limits, 0);
  CHECK(machine->next_deadline() == 2 * second);
  machine->on_time(2 * second);
  CHECK(machine->refusal() == Refusal::output_too_slow);
  CHECK(machine->wants_close());
  CHECK(machine->output().empty());
}

TEST_CASE("idle connections are closed with a GOAWAY") {
  Peer peer;
  peer.now = 10 * second;
  peer.send(get(1));
  peer.take();
  CHECK(peer.machine->next_deadline() == HttpMachine::no_deadline);
  peer.now = 100 * second;
  peer.reply(1, "");
  CHECK(peer.machine->next_deadline() == 160 * second);
  peer.at(159 * second);
  CHECK_FALSE(peer.machine->wants_close());
  peer.at(160 * second);
  CHECK(peer.machine->refusal() == Refusal::idle);
  CHECK(peer.connection.find("GOAWAY 0") != std::string::npos);
  CHECK(peer.machine->wants_close());
}

TEST_CASE("shutdown") {
  Peer idle;
  idle.machine->begin_shutdown(0);
  idle.fetch();
  CHECK(idle.connection.find("GOAWAY 0") != std::string::npos);
  CHECK(idle.machine->wants_close());

  Peer busy;
  busy.send(get(1));
  busy.take();
  busy.machine->begin_shutdown(0);
  busy.fetch();
  CHECK_FALSE(busy.machine->wants_close());
  busy.send(get(3));
  CHECK_FALSE(busy.take());
  busy.reply(1, "x");
  CHECK(busy.streams[1].ends_with("x END "));
  CHECK(busy.machine->wants_close());
}

TEST_CASE("the end of input") {
  Peer between;
  between.machine->end_of_input(0);
  CHECK(between.machine->wants_close());
  CHECK(between.machine->refusal() == Refusal::none);

  Peer asked;
  asked.send(get(1));
  asked.take();
  asked.machine->end_of_input(0);
  CHECK_FALSE(asked.machine->wants_close());
  asked.reply(1, "x");
  CHECK(asked.streams[1].ends_with("x END "));
  CHECK(asked.machine->wants_close());

  Peer cut;
  cut.send(post(1) + frame(data, 0, 1, "half"));
  cut.machine->end_of_input(0);
  cut.fetch();
  CHECK(cut.machine->refusal() == Refusal::truncated);
  CHECK(cut.machine->wants_close());
}

TEST_CASE("token buckets fill with time and never above the brim") {
  http2::TokenBucket bucket({.burst = 2, .per_second = 4}, 0);
  CHECK(bucket.take(0));
  CHECK(bucket.take(0));
  CHECK_FALSE(bucket.take(second / 4 - 1));
  CHECK(bucket.take(second / 4));
  CHECK_FALSE(bucket.take(second / 4));
  CHECK(bucket.take(100 * second));
  CHECK(bucket.take(100 * second));
  CHECK_FALSE(bucket.take(100 * second));
  http2::TokenBucket dry({.burst = 1, .per_second = 0}, 0);
  CHECK(dry.take(0));
  CHECK_FALSE(dry.take(1000 * second));
}
