#!/usr/bin/env python3
"""Bad input on the wire against the real process: started, attacked over loopback, and asked properly after every attack.

usage: wire_attacks.py PROGRAM [unittest arguments]

Standard library only. Everything is bounded: deadlines on every socket, and services end by the id of the process. The services run
with short deadlines (SETTINGS below), so that waiting them out takes seconds. What each limit is by default is
docs/configuration.md; what each refusal is called, src/wire/refusal.cc and src/model/outcome.def.
"""
import json
import os
import pathlib
import shutil
import signal
import socket
import ssl
import struct
import subprocess
import sys
import tempfile
import time
import unittest

SETTINGS = """
[http]
handshake_timeout_ms = 700
header_deadline_ms = 700
idle_timeout_ms = 3000
body_rate_grace_ms = 500
body_bytes_per_second_min = 1024
output_rate_grace_ms = 700
linger_ms = 300
connections_per_address_max = 40
drain_timeout_ms = 2000
[http2]
streams_max = 20
"""
PATIENCE = 10.0                 # seconds for anything that should happen at once
GROWTH_MAX = 96 << 20           # bytes by which resident memory may grow over all attacks of one service


class Service:
    """One process in a directory of its own."""

    def __init__(self, settings):
        self.directory = pathlib.Path(tempfile.mkdtemp(prefix="holdfast-wire-"))
        config = self.directory / "config.toml"
        config.write_text(settings)
        self.messages = open(self.directory / "messages", "w+b")
        self.process = subprocess.Popen(
            [PROGRAM, "serve", "--dev", "--data", self.directory / "data", "--config", config,
             "--listen", "127.0.0.1:0", "--operator-listen", "127.0.0.1:0"],
            stdout=subprocess.PIPE, stderr=self.messages)
        ready = self.process.stdout.readline().decode()
        if not ready.startswith("ready:"):
            self.process.wait(PATIENCE)
            raise AssertionError("the service did not start: " + self.said())
        client = json.loads((self.directory / "data/dev/client.json").read_text())
        self.port = int(client["base_url"].rsplit(":", 1)[1])
        self.token = client["token"]
        self.authority = client["ca_file"]
        self.resident_at_start = None

    def said(self):
        self.messages.seek(0)
        return self.messages.read().decode(errors="replace")

    def resident(self):
        for line in pathlib.Path(f"/proc/{self.process.pid}/status").read_text().splitlines():
            if line.startswith("VmRSS:"):
                return int(line.split()[1]) << 10
        raise AssertionError("the process is gone: " + self.said())

    def stop(self):
        try:
            if self.process.poll() is None:
                self.process.send_signal(signal.SIGTERM)
            code = self.process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            code = "killed: it did not stop"
        self.process.stdout.close()
        said = self.said()
        self.messages.close()
        shutil.rmtree(self.directory, ignore_errors=True)
        if code != 0:
            raise AssertionError(f"the service ended with {code}: {said}")

    # --- connections ---

    def tcp(self):
        return socket.create_connection(("127.0.0.1", self.port), timeout=PATIENCE)

    def tls(self, protocol="http/1.1", **versions):
        context = ssl.create_default_context(cafile=self.authority)
        context.set_alpn_protocols([protocol])
        for name, value in versions.items():
            setattr(context, name, value)
        raw = self.tcp()
        raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        try:
            return context.wrap_socket(raw, server_hostname="localhost")
        except Exception:
            raw.close()
            raise

    def head(self, method="GET", target="/v1/trial-balance", *fields):
        return "\r\n".join([f"{method} {target} HTTP/1.1", "Host: localhost", f"Authorization: Bearer {self.token}", *fields]
                           ).encode() + b"\r\n\r\n"

    def post(self, body, *fields):
        body = body if isinstance(body, bytes) else body.encode()
        return self.head("POST", "/v1/transfers", "Content-Type: application/json", f"Content-Length: {len(body)}",
                         *(fields or ('Idempotency-Key: "k"',))) + body


def read_to_end(connection, seconds=PATIENCE):
    """Everything until the peer ends the connection, however it does that."""
    connection.settimeout(seconds)
    got = b""
    while True:
        try:
            some = connection.recv(65536)
        except (ssl.SSLError, ConnectionError):
            return got
        if not some:
            return got
        got += some


def read_reply(connection):
    """One reply with a Content-Length: (status, body, the whole head)."""
    connection.settimeout(PATIENCE)
    got = b""
    while b"\r\n\r\n" not in got:
        some = connection.recv(65536)
        if not some:
            raise AssertionError(f"the connection ended in the middle of a reply: {got!r}")
        got += some
    head, _, body = got.partition(b"\r\n\r\n")
    length = next(int(line.split(b":")[1]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:"))
    while len(body) < length:
        body += connection.recv(65536)
    return int(head.split()[1]), body[:length], head


def first_reply(got):
    """Status and code of the first reply in the bytes."""
    if not got:
        return "nothing"
    head, _, body = got.partition(b"\r\n\r\n")
    status = head.split()[1].decode()
    try:
        return f"{status} {json.JSONDecoder().raw_decode(body.decode())[0].get('code', '')}".strip()
    except ValueError:
        return status


class Attacks(unittest.TestCase):
    """One service for all; each test is followed by a proper question."""
    settings = SETTINGS

    @classmethod
    def setUpClass(cls):
        cls.service = Service(cls.settings)
        cls.addClassCleanup(cls.service.stop)
        cls.ask(cls())
        cls.service.resident_at_start = cls.service.resident()

    def runTest(self):
        pass

    def ask(self):
        with self.service.tls() as connection:
            connection.sendall(self.service.head())
            status, body, _ = read_reply(connection)
            self.assertEqual((status, json.loads(body)["balanced"]), (200, True))

    def tearDown(self):
        self.ask()
        grown = self.service.resident() - self.service.resident_at_start
        self.assertLess(grown, GROWTH_MAX, "resident memory grew")

    def answer(self, sent, *more):
        """What the service says to these bytes before it ends the connection, or to the first request among them."""
        with self.service.tls() as connection:
            connection.sendall(sent)
            for part in more:
                connection.sendall(part)
            return first_reply(read_to_end(connection))


class StrictHttp1(Attacks):
    malformed = "400 http_request_malformed"

    def refused(self, *requests):
        for request in requests:
            with self.subTest(request=request[:120]):
                self.assertEqual(self.answer(request), self.malformed)

    def test_lengths_that_can_be_read_in_two_ways(self):
        start = b"POST /v1/transfers HTTP/1.1\r\nHost: a\r\n"
        self.refused(start + b"Content-Length: 5\r\nContent-Length: 5\r\n\r\nhello",
                     start + b"Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello!",
                     start + b"Content-Length: 5, 5\r\n\r\nhello",
                     start + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
                     start + b"Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n",
                     start + b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
                     start + b"Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
                     start + b"Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n",
                     start + b"Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
                     start + b"Content-Length: -1\r\n\r\n", start + b"Content-Length: +5\r\n\r\nhello",
                     start + b"Content-Length: 0x5\r\n\r\nhello", start + b"Content-Length: 5 5\r\n\r\nhello",
                     start + b"Content-Length: 99999999999999999999999999\r\n\r\n",
                     start + b"Content-Length:\r\n\r\n", start + b"Content-Length : 5\r\n\r\nhello",
                     start + b"Transfer-Encoding: chunked\r\n\r\n5;\r\nhello\r\n0x0\r\n\r\n",
                     start + b"Transfer-Encoding: chunked\r\n\r\nfffffffffffffffff\r\n",
                     start + b"Transfer-Encoding: chunked\r\n\r\n5\r\nhelloX\r\n0\r\n\r\n")

    def test_lines_and_characters(self):
        end = b"\r\n\r\n"
        self.refused(b"GET / HTTP/1.1\nHost: a\n\n", b"GET / HTTP/1.1\r\nHost: a\n\r\n", b"GET / HTTP/1.1\rHost: a" + end,
                     b"GET / HTTP/1.1\r\nHost: a\r\nX: 1\r\n 2" + end, b"GET / HTTP/1.1\r\nHost: a\r\nX: 1\r\n\t2" + end,
                     b"GET / HTTP/1.1\r\n Host: a" + end,
                     b"GET / HTTP/1.1\r\nHost: a\r\nX: \x01" + end, b"GET / HTTP/1.1\r\nHost: a\r\nX: \x7f" + end,
                     b"GET / HTTP/1.1\r\nHost: a\r\nX: a\x00b" + end, b"GET / HTTP/1.1\r\nHost: a\r\nX\x00: b" + end,
                     b"GET / HTTP/1.1\r\nHost: a\r\nX y: b" + end, b"GET / HTTP/1.1\r\nHost: a\r\n: b" + end,
                     b"GET / HTTP/1.1\r\nHost: a\r\nnothing" + end,
                     b"GET /\x07 HTTP/1.1\r\nHost: a" + end, b"GET /\xff HTTP/1.1\r\nHost: a" + end,
                     b"GET  / HTTP/1.1\r\nHost: a" + end, b"GET / HTTP/1.1 \r\nHost: a" + end)

    def test_requests_that_are_none(self):
        end = b"\r\n\r\n"
        self.refused(b"GET / HTTP/1.1" + end, b"GET / HTTP/1.1\r\nHost: a\r\nHost: b" + end,
                     b"\x16\x03\x01\x02\x00\x01\x00\x01" + b"\x00" * 64 + end, b"{}" + end, b"hello" + end,
                     b"GET\r\n\r\n", b"GET / HTTQ/1.1\r\nHost: a" + end, bytes(range(256)) * 8)
        self.assertIn(self.answer(b"BREW / HTTP/1.1\r\nHost: a" + end), (self.malformed, "501 http_method_not_implemented"))
        self.assertIn(self.answer(b"GET / HTTP/3.7\r\nHost: a" + end), (self.malformed, "505 http_version_not_supported"))
        self.assertEqual(self.answer(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"), "505 http_version_not_supported")

    def test_paths(self):
        for target in ("/v1/accounts/%", "/v1/accounts/%zz", "/v1/accounts/%00", "/v1/../v1/accounts", "/v1//accounts", "/v1/accounts/%ff",
                       "/v1/accounts?limit=%", "/v1/accounts?limit=1&limit=2"):
            with self.subTest(target=target), self.service.tls() as connection:
                connection.sendall(self.service.head("GET", target))
                self.assertIn(read_reply(connection)[0], (400, 404))

    def test_too_much(self):
        self.assertEqual(self.answer(self.service.head("GET", "/", "X: " + "x" * 20_000)), "431 http_header_too_large")
        self.assertEqual(self.answer(self.service.head("GET", "/", *["X: y"] * 200)), "431 http_header_too_large")
        self.assertEqual(self.answer(self.service.head("GET", "/" + "x" * 9_000)), "414 http_target_too_long")
        self.assertEqual(self.answer(self.service.head("POST", "/v1/transfers:batch", f"Content-Length: {17 << 20}")), "413 http_body_too_large")
        chunk = b"100000\r\n" + b" " * 0x100000 + b"\r\n"
        with self.service.tls() as connection:
            try:
                connection.sendall(self.service.head("POST", "/v1/transfers:batch", "Transfer-Encoding: chunked"))
                for _ in range(18):
                    connection.sendall(chunk)
            except (ssl.SSLError, ConnectionError):
                pass                    # it was refused while we were still sending
            self.assertEqual(first_reply(read_to_end(connection)), "413 http_body_too_large")

    def test_a_header_that_never_ends(self):
        with self.service.tls() as connection:
            try:
                connection.sendall(b"GET / HTTP/1.1\r\nHost: a\r\n")
                for _ in range(4000):
                    connection.sendall(b"X-Filler: " + b"y" * 500 + b"\r\n")
            except (ssl.SSLError, ConnectionError):
                pass
            self.assertEqual(first_reply(read_to_end(connection)), "431 http_header_too_large")

    def test_a_refused_request_takes_the_next_one_with_it(self):
        smuggled = self.service.head("GET", "/v1/accounts")
        got = self.drain(b"POST /v1/transfers HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nContent-Length: 0\r\n\r\n" + smuggled)
        self.assertEqual(got.count(b"HTTP/1.1 "), 1)

    def drain(self, sent):
        with self.service.tls() as connection:
            connection.sendall(sent)
            return read_to_end(connection)

    def test_a_hundred_requests_in_one_piece(self):
        with self.service.tls() as connection:
            connection.sendall(self.service.head() * 99 + self.service.head("GET", "/v1/trial-balance", "Connection: close"))
            got = read_to_end(connection)
        self.assertEqual(got.count(b"HTTP/1.1 200 "), 100)


class Slow(Attacks):
    def waited_out(self, start, drip, expected, every=0.1):
        began = time.monotonic()
        with self.service.tls() as connection:
            connection.sendall(start)
            connection.settimeout(every)
            got = b""
            while time.monotonic() - began < PATIENCE:
                try:
                    got = connection.recv(65536)
                    break
                except TimeoutError:
                    try:
                        if drip:
                            connection.sendall(drip)
                    except (ssl.SSLError, ConnectionError):
                        break
                except (ssl.SSLError, ConnectionError):
                    break
            got += read_to_end(connection)
        self.assertEqual(first_reply(got), expected)
        self.assertLess(time.monotonic() - began, 5)

    def test_a_head_that_drips(self):
        self.waited_out(b"GET / HTTP/1.1\r\nHost: a\r\n", b"X: y\r\n", "408 http_header_timeout")

    def test_a_body_that_drips(self):
        self.waited_out(self.service.head("POST", "/v1/transfers", "Content-Length: 60000"), b" ", "408 http_body_too_slow")

    def test_a_chunked_body_that_drips(self):
        self.waited_out(self.service.head("POST", "/v1/transfers", "Transfer-Encoding: chunked"), b"1\r\n \r\n", "408 http_body_too_slow")

    def test_a_body_that_comes_in_one_burst_and_then_stops(self):
        # Eight million bytes at once do not buy hours of waiting.
        self.waited_out(self.service.head("POST", "/v1/transfers:batch", "Content-Length: 8000001") + b" " * 8_000_000, b"",
                        "408 http_body_too_slow")

    def test_nothing_at_all(self):
        with self.service.tls() as idle, self.service.tcp() as silent, self.service.tcp() as babbling:
            babbling.sendall(b"GET / HTTP/1.1\r\n\r\n")
            self.assertNotIn(b"HTTP/1.1 200", read_to_end(babbling))
            self.assertEqual(read_to_end(silent), b"")
            self.assertEqual(read_to_end(idle), b"")

    def test_handshakes_that_stop_half_way(self):
        connections = [self.service.tcp() for _ in range(20)]
        for connection in connections:
            connection.sendall(b"\x16\x03\x01\x02\x00\x01")
        for connection in connections:
            read_to_end(connection)
            connection.close()

    def test_replies_that_nobody_fetches(self):
        raw = socket.socket()
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        raw.settimeout(PATIENCE)
        raw.connect(("127.0.0.1", self.service.port))
        context = ssl.create_default_context(cafile=self.service.authority)
        with context.wrap_socket(raw, server_hostname="localhost") as connection:
            connection.settimeout(0.3)
            request = b"GET /openapi.json HTTP/1.1\r\nHost: a\r\n\r\n" * 10
            began, ended = time.monotonic(), False
            while not ended and time.monotonic() - began < PATIENCE:
                try:
                    connection.sendall(request)
                except TimeoutError:
                    pass                # it takes no more: back pressure
                except (ssl.SSLError, ConnectionError):
                    ended = True
            self.assertTrue(ended, "the connection is given up")

    def test_more_connections_than_one_address_may_have(self):
        held = []
        try:
            for _ in range(60):
                held.append(self.service.tcp())
            shut = 0
            for connection in held:
                connection.settimeout(0.02)
                try:
                    shut += connection.recv(1) == b""
                except TimeoutError:
                    pass
                except ConnectionError:
                    shut += 1
            self.assertGreaterEqual(shut, 20)
        finally:
            for connection in held:
                connection.close()
        wait_until(lambda: not raises(self.ask), "the service takes connections again")


def raises(what):
    try:
        what()
        return False
    except (OSError, AssertionError):
        return True


def wait_until(condition, what, seconds=PATIENCE):
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise AssertionError("not within its time: " + what)
        time.sleep(0.01)


class BadBodies(Attacks):
    def test_json(self):
        good = '"debit_account":"world/USD","credit_account":"a","asset":"USD/2","amount":"5"'
        for body, expected in (
                ("{" + good + ',"amount":"6"}', "400 request_malformed"),
                ("[" * 9 + "]" * 9, "400 request_malformed"),
                ("[" * 30_000, "400 request_malformed"),
                ('{"a":' * 10_000, "400 request_malformed"),
                ("{" + good + "} x", "400 request_malformed"),
                (b"\xef\xbb\xbf{" + good.encode() + b"}", "400 request_malformed"),
                (b'{"reference":"\xff\xfe"}', "400 request_malformed"),
                (b'{"reference":"\xc0\xaf"}', "400 request_malformed"),
                (b'{"reference":"\xed\xa0\x80"}', "400 request_malformed"),
                ('{"reference":"\\ud800"}', "400 request_malformed"),
                ('{"reference":"a\nb"}', "400 request_malformed"),
                ("{" + good + ',"hold":true,"hold_seconds":1.0}', "400 request_field_invalid"),
                ("{" + good + ',"hold":true,"hold_seconds":1e3}', "400 request_field_invalid"),
                ("{" + good + ',"hold":true,"hold_seconds":18446744073709551616}', "400 request_field_invalid"),
                ("{" + good + ',"hold":true,"hold_seconds":-1}', "400 request_field_invalid"),
                ("{" + good + ',"hold":true,"hold_seconds":NaN}', "400 request_malformed"),
                ("{" + good.replace('"5"', "5") + "}", "400 request_field_invalid"),
                ("{" + good + ',"reference":"' + "x" * 70_000 + '"}', "413 body_too_large")):
            with self.subTest(body=body[:80]), self.service.tls() as connection:
                connection.sendall(self.service.post(body))
                status, text, _ = read_reply(connection)
                self.assertEqual(f"{status} {json.loads(text)['code']}", expected)

    def test_a_batch_of_too_many_items(self):
        body = b'{"items":[' + b",".join([b"{}"] * 8191) + b"]}"
        with self.service.tls() as connection:
            connection.sendall(self.service.head("POST", "/v1/transfers:batch", "Content-Type: application/json",
                                                 'Idempotency-Key: "b"', f"Content-Length: {len(body)}") + body)
            self.assertIn(read_reply(connection)[0], (400, 413))

    def test_credentials(self):
        for token in ("", "x", "hfa_AAAA", "hfa_" + "A" * 4000, self.service.token[:-1], self.service.token + "A"):
            with self.subTest(token=token[:20]), self.service.tls() as connection:
                connection.sendall(f"GET /v1/accounts HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {token}\r\n\r\n".encode())
                self.assertEqual(read_reply(connection)[0], 401)


# --- HTTP/2 by hand ---------------------------------------------------------------------------------------------------------------

DATA, HEADERS, PRIORITY, RST_STREAM, SETTINGS_FRAME, PING, GOAWAY, WINDOW_UPDATE, CONTINUATION = 0, 1, 2, 3, 4, 6, 7, 8, 9
END_STREAM, ACK, END_HEADERS = 1, 1, 4
PROTOCOL_ERROR, FLOW_CONTROL_ERROR, FRAME_SIZE_ERROR, REFUSED_STREAM, COMPRESSION_ERROR, ENHANCE_YOUR_CALM = 1, 3, 6, 7, 9, 11


def frame(kind, flags=0, stream=0, payload=b""):
    return struct.pack(">I", len(payload))[1:] + struct.pack(">BBI", kind, flags, stream) + payload


def literal(name, value):
    """HPACK without compression (RFC 7541 section 6.2.2)."""
    def text(raw):
        if len(raw) < 127:
            return bytes([len(raw)]) + raw
        rest, out = len(raw) - 127, b"\x7f"
        while rest >= 128:
            out += bytes([rest % 128 + 128])
            rest //= 128
        return out + bytes([rest]) + raw
    return b"\x00" + text(name.encode()) + text(value.encode())


class Http2(Attacks):
    def open(self):
        connection = self.service.tls("h2")
        self.assertEqual(connection.selected_alpn_protocol(), "h2")
        connection.sendall(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + frame(SETTINGS_FRAME))
        return connection

    def fields(self, *more, method="GET", path="/v1/trial-balance"):
        return (literal(":method", method) + literal(":scheme", "https") + literal(":authority", "localhost") + literal(":path", path) +
                literal("authorization", "Bearer " + self.service.token) + b"".join(literal(*pair) for pair in more))

    def get(self, stream):
        return frame(HEADERS, END_HEADERS | END_STREAM, stream, self.fields())

    def frames(self, connection, until=lambda seen: False):
        """Frames (kind, flags, stream, payload) until `until` says so or the connection ends."""
        connection.settimeout(PATIENCE)
        got, seen = b"", []
        while True:
            while len(got) >= 9 and len(got) >= 9 + int.from_bytes(got[:3], "big"):
                length = int.from_bytes(got[:3], "big")
                kind, flags, stream = struct.unpack(">BBI", got[3:9])
                seen.append((kind, flags, stream, got[9:9 + length]))
                got = got[9 + length:]
                if until(seen):
                    return seen
            try:
                some = connection.recv(65536)
            except (ssl.SSLError, ConnectionError):
                return seen
            if not some:
                return seen
            got += some

    def given_up(self, *parts):
        """Sends and returns the error code of the GOAWAY that ends the connection; "cut" if it ended without one."""
        with self.open() as connection:
            try:
                for part in parts:
                    connection.sendall(part)
            except (ssl.SSLError, ConnectionError):
                pass
            last = [payload for kind, _, _, payload in self.frames(connection) if kind == GOAWAY]
            return struct.unpack(">I", last[-1][4:8])[0] if last else "cut"

    def test_a_good_request(self):
        with self.open() as connection:
            connection.sendall(self.get(1))
            seen = self.frames(connection, lambda seen: seen[-1][1] & END_STREAM and seen[-1][2] == 1)
        heads = [payload for kind, _, stream, payload in seen if kind == HEADERS and stream == 1]
        self.assertEqual(heads[0][:1], b"\x88")          # :status 200, RFC 7541 appendix A
        self.assertIn(b'"balanced":true', b"".join(payload for kind, _, _, payload in seen if kind == DATA))

    def test_rapid_reset(self):
        flood = b"".join(self.get(stream) + frame(RST_STREAM, 0, stream, struct.pack(">I", 8)) for stream in range(1, 2001, 2))
        self.assertEqual(self.given_up(flood), ENHANCE_YOUR_CALM)

    def test_floods_of_control_frames(self):
        for name, part in (("settings", frame(SETTINGS_FRAME)), ("ping", frame(PING, 0, 0, b"12345678")),
                           ("priority", frame(PRIORITY, 0, 1, b"\x00\x00\x00\x03\x00")),
                           ("settings acknowledged", frame(SETTINGS_FRAME, ACK)), ("ping acknowledged", frame(PING, ACK, 0, b"12345678"))):
            with self.subTest(frames=name):
                self.assertIn(self.given_up(part * 5000), (ENHANCE_YOUR_CALM, PROTOCOL_ERROR))
        with self.subTest(frames="empty data"):
            start = frame(HEADERS, END_HEADERS, 1, self.fields(method="POST", path="/v1/transfers"))
            self.assertEqual(self.given_up(start, frame(DATA, 0, 1) * 5000), ENHANCE_YOUR_CALM)
        with self.subTest(frames="window updates"):
            self.assertIn(self.given_up(frame(WINDOW_UPDATE, 0, 0, struct.pack(">I", 1)) * 20000), (ENHANCE_YOUR_CALM, FLOW_CONTROL_ERROR))

    def test_continuation_without_end(self):
        with self.subTest("small frames"):
            start = frame(HEADERS, END_STREAM, 1, self.fields())
            self.assertEqual(self.given_up(start, frame(CONTINUATION, 0, 1, literal("x", "y")) * 5000), ENHANCE_YOUR_CALM)
        with self.subTest("empty frames"):
            self.assertEqual(self.given_up(start, frame(CONTINUATION, 0, 1) * 5000), ENHANCE_YOUR_CALM)

    def test_header_lists_that_are_too_large(self):
        # It is told so on its stream; the connection goes on.
        with self.open() as connection:
            filler = b"".join(literal("x-filler", "y" * 3000) for _ in range(5))
            connection.sendall(frame(HEADERS, END_STREAM, 1, self.fields()) + frame(CONTINUATION, 0, 1, filler) +
                               frame(CONTINUATION, END_HEADERS, 1, filler) + self.get(3))
            seen = self.frames(connection, lambda seen: seen[-1][2] == 3 and seen[-1][1] & END_STREAM)
            self.not_done(seen, 1)
            self.assertTrue(any(kind == HEADERS and stream == 3 for kind, _, stream, _ in seen), "the next request is answered")
        # A bomb: one large field, put into the table, then named again and again.
        entry = b"\x40" + literal("b", "z" * 3500)[1:]
        bomb = frame(HEADERS, END_HEADERS | END_STREAM, 1, self.fields() + entry + b"\xbe" * 10_000)
        with self.open() as connection:
            connection.sendall(bomb)
            seen = self.frames(connection, lambda seen: seen[-1][2] == 1 or seen[-1][0] == GOAWAY)
            self.not_done(seen, 1)

    def not_done(self, seen, stream):
        """The stream, or the connection, was refused: nothing on it says 200."""
        own = [entry for entry in seen if entry[2] == stream and entry[0] in (HEADERS, RST_STREAM) or entry[0] == GOAWAY]
        self.assertTrue(own, "an answer")
        self.assertFalse(any(kind == HEADERS and payload[:1] == b"\x88" for kind, _, _, payload in own), own)

    def test_broken_rules(self):
        for name, part in (("window update of nothing", frame(WINDOW_UPDATE, 0, 0, struct.pack(">I", 0))),
                           ("window beyond its end", frame(WINDOW_UPDATE, 0, 0, struct.pack(">I", 0x7fffffff))),
                           ("an even stream", self.get(2)), ("headers on stream 0", frame(HEADERS, 5, 0, self.fields())),
                           ("a frame too large", struct.pack(">I", 1 << 20)[1:] + struct.pack(">BBI", DATA, 0, 1)),
                           ("data on an idle stream", frame(DATA, 0, 7, b"x")), ("a reset of an idle stream", frame(RST_STREAM, 0, 9, b"\0\0\0\0")),
                           ("settings that contradict", frame(SETTINGS_FRAME, 0, 0, struct.pack(">HI", 2, 7))),
                           ("a ping of 7 bytes", frame(PING, 0, 0, b"1234567")), ("a broken header block", frame(HEADERS, 5, 1, b"\xff" * 40)),
                           ("another frame within a header block", frame(HEADERS, 1, 1, self.fields()) + frame(PING, 0, 0, b"12345678"))):
            with self.subTest(part=name):
                self.assertNotIn(self.given_up(part), (0, "cut"))

    def test_requests_that_are_none(self):
        missing = literal(":method", "GET") + literal(":scheme", "https")
        for name, block in (("no path", missing), ("upper case", self.fields(("X-Upper", "y"))), ("connection", self.fields(("connection", "close"))),
                            ("transfer-encoding", self.fields(("transfer-encoding", "chunked"))), ("line end", self.fields(("x", "a\r\nb"))),
                            ("pseudo behind", self.fields(("x", "y"), (":path", "/"))), ("two paths", self.fields((":path", "/")))):
            with self.subTest(request=name), self.open() as connection:
                connection.sendall(frame(HEADERS, END_HEADERS | END_STREAM, 1, block) + self.get(3))
                seen = self.frames(connection, lambda seen: seen[-1][2] == 3 and seen[-1][1] & END_STREAM)
                self.not_done(seen, 1)
                self.assertTrue(any(kind == HEADERS and stream == 3 for kind, _, stream, _ in seen), "the next request is answered")

    def test_more_streams_than_may_be(self):
        with self.open() as connection:
            start = b"".join(frame(HEADERS, END_HEADERS, stream, self.fields(method="POST", path="/v1/transfers")) for stream in range(1, 101, 2))
            connection.sendall(start)
            seen = self.frames(connection, lambda seen: sum(kind == RST_STREAM for kind, *_ in seen) >= 30 or seen[-1][0] == GOAWAY)
            refused = [payload for kind, _, _, payload in seen if kind == RST_STREAM]
            self.assertTrue(refused and all(payload == struct.pack(">I", REFUSED_STREAM) for payload in refused) or seen[-1][0] == GOAWAY)

    def test_many_requests_on_one_connection(self):
        with self.open() as connection:
            for first in range(1, 201, 20):
                connection.sendall(b"".join(self.get(stream) for stream in range(first, first + 20, 2)))
                done = set()
                self.frames(connection, lambda seen: done.add(seen[-1][2]) or len(done) >= 10
                            if seen[-1][2] and seen[-1][1] & END_STREAM else False)
                self.assertEqual(len(done), 10)


class Tls(Attacks):
    def test_only_tls_1_3(self):
        with self.assertRaises((ssl.SSLError, ConnectionError)):
            self.service.tls(maximum_version=ssl.TLSVersion.TLSv1_2)
        with self.service.tls() as connection:
            self.assertEqual(connection.version(), "TLSv1.3")

    def test_no_early_data(self):
        if shutil.which("openssl") is None:
            self.skipTest("no openssl program")
        asked = subprocess.run(["openssl", "s_client", "-connect", f"127.0.0.1:{self.service.port}", "-CAfile", self.service.authority,
                                "-alpn", "http/1.1", "-ign_eof"], input=self.service.head("GET", "/v1/trial-balance", "Connection: close"),
                               capture_output=True, timeout=PATIENCE).stdout.decode(errors="replace")
        self.assertIn("Max Early Data: 0", asked)
        self.assertNotIn("Early data was accepted", asked)

    def test_noise_instead_of_tls(self):
        for noise in (b"\x00" * 1000, b"\xff" * 1000, b"\x16\x03\x01\xff\xff" + b"\x00" * 2000, b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"):
            with self.subTest(noise=noise[:8]), self.service.tcp() as connection:
                try:
                    connection.sendall(noise)
                except ConnectionError:
                    pass
                self.assertNotIn(b"HTTP/", read_to_end(connection))

    def test_certificates_are_read_again_while_it_runs(self):
        if shutil.which("openssl") is None:
            self.skipTest("no openssl program")
        place = self.service.directory / "data/dev"
        before = self.serial()
        with self.service.tls() as kept:
            run = lambda *words: subprocess.run(["openssl", *words], cwd=place, check=True, capture_output=True, timeout=PATIENCE)
            (place / "names").write_text("subjectAltName=DNS:localhost,IP:127.0.0.1\n")
            run("req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", "new-key.pem", "-out", "new.csr", "-subj", "/CN=new")
            run("x509", "-req", "-in", "new.csr", "-CA", "ca.pem", "-CAkey", "ca-key.pem", "-set_serial", "0x0123456789", "-days", "2",
                "-extfile", "names", "-out", "new.pem")
            os.chmod(place / "new-key.pem", 0o600)
            os.replace(place / "new-key.pem", place / "server-key.pem")
            os.replace(place / "new.pem", place / "server.pem")
            self.service.process.send_signal(signal.SIGHUP)
            wait_until(lambda: self.serial() == "0123456789", "new connections see the new certificate")
            self.assertNotEqual(before, "0123456789")
            kept.sendall(self.service.head())           # a connection from before goes on
            self.assertEqual(read_reply(kept)[0], 200)
            # Files that do not do change nothing.
            (place / "server.pem").write_text("no certificate\n")
            self.service.process.send_signal(signal.SIGHUP)
            wait_until(lambda: "the certificates stay as they were" in self.service.said(), "the refusal is said")
            self.assertEqual(self.serial(), "0123456789")

    def serial(self):
        with self.service.tls() as connection:
            return connection.getpeercert()["serialNumber"]


class Tls12Allowed(Attacks):
    settings = SETTINGS + '[tls]\nversion_min = "1.2"\n'

    def test_both_versions(self):
        for version, name in ((ssl.TLSVersion.TLSv1_2, "TLSv1.2"), (ssl.TLSVersion.TLSv1_3, "TLSv1.3")):
            with self.service.tls(maximum_version=version) as connection:
                self.assertEqual(connection.version(), name)
                connection.sendall(self.service.head())
                self.assertEqual(read_reply(connection)[0], 200)

    def test_nothing_older(self):
        with self.assertRaises((ssl.SSLError, ConnectionError, ValueError)):
            self.service.tls(minimum_version=ssl.TLSVersion.TLSv1, maximum_version=ssl.TLSVersion.TLSv1_1)


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    PROGRAM = os.path.abspath(sys.argv.pop(1))
    unittest.main()
