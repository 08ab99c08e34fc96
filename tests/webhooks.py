#!/usr/bin/env python3
"""Webhooks from the real service to real receivers that fail, are slow, are gone, while the service is killed.

usage: webhooks.py PROGRAM

Every posted transfer and every settled payout is told at least once, under one id for ever, in order where that was asked for, and
never before it can be read back. Signatures are verified by the npm package `standardwebhooks` (v1) and by node's own crypto (v1a); the
package is looked for in HOLDFAST_NPM (a directory with node_modules) and fetched with npm otherwise. Without it that part is SKIPPED,
loudly, and Python's hmac verifies. Loopback only; every process that was started is ended by its id.
"""
import base64
import hashlib
import hmac
import http.server
import json
import os
import pathlib
import shutil
import signal
import ssl
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request

import processes
from processes import PATIENCE

TRANSFERS = 60
PAYOUTS = 8
VERIFY = """
const crypto = require('node:crypto');
const { Webhook } = require('standardwebhooks');
let v1 = 0, v1a = 0;
for (const line of require('node:fs').readFileSync(0, 'utf8').trim().split('\\n')) {
  const one = JSON.parse(line);
  new Webhook(one.secret).verify(one.body, one.headers);
  ++v1;
  const signed = `${one.headers['webhook-id']}.${one.headers['webhook-timestamp']}.${one.body}`;
  const der = Buffer.concat([Buffer.from('302a300506032b6570032100', 'hex'), Buffer.from(one.public_key.slice(5), 'base64')]);
  const key = crypto.createPublicKey({ key: der, format: 'der', type: 'spki' });
  const good = one.headers['webhook-signature'].split(' ').filter((s) => s.startsWith('v1a,'))
    .some((s) => crypto.verify(null, Buffer.from(signed), key, Buffer.from(s.slice(4), 'base64')));
  if (!good) throw new Error('v1a does not verify: ' + line);
  let altered = false;
  try { new Webhook(one.secret).verify(one.body + ' ', one.headers); altered = true; } catch (refused) {}
  if (altered) throw new Error('an altered body verifies');
  ++v1a;
}
console.log(`${v1} messages verified as v1, ${v1a} as v1a`);
"""


class Receiver:
    """An endpoint on loopback. `answer(message)` gives the status of each delivery."""

    def __init__(self, answer=lambda message: 204):
        self.answer = answer
        self.messages = []
        self.lock = threading.Lock()
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                body = self.rfile.read(int(self.headers["content-length"])).decode()
                message = {"headers": {name: self.headers[name] for name in ("webhook-id", "webhook-timestamp", "webhook-signature")},
                           "body": body, "told": json.loads(body), "type": self.headers["content-type"]}
                with outer.lock:
                    outer.messages.append(message)
                self.send_response(outer.answer(message))
                self.send_header("content-length", "0")
                self.end_headers()

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self.server.server_port}/hooks"

    def told(self, kind=None):
        with self.lock:
            return [m for m in self.messages if m["told"]["type"] != "webhook.test" and kind in (None, m["told"]["type"])]

    def ids(self, kind=None):
        return {m["told"]["data"]["id"] for m in self.told(kind)}


def until(what, holds, patience=PATIENCE):
    end = time.monotonic() + patience
    while not (result := holds()):
        assert time.monotonic() < end, f"waited in vain for {what}"
        time.sleep(0.05)
    return result


class World:
    def __init__(self, directory):
        self.directory, self.listen, self.process, self.keys = directory, "127.0.0.1:0", None, 0
        self.config = directory / "config.toml"
        self.config.write_text("")
        self.start()

    def start(self):
        self.process = subprocess.Popen([processes.program, "serve", "--dev", "--data", self.directory / "data", "--config", self.config, "--listen", self.listen,
                                         "--operator-listen", "127.0.0.1:0"], stdout=subprocess.PIPE, stderr=open(self.directory / "service.log", "ab"))
        processes.started.append(self.process)
        assert self.process.stdout.readline().startswith(b"ready:"), (self.directory / "service.log").read_text()
        client = json.loads((self.directory / "data/dev/client.json").read_text())
        self.base, self.token = client["base_url"], client["token"]
        self.listen = self.base.removeprefix("https://")
        self.context = ssl.create_default_context(cafile=client["ca_file"])

    def stop(self, how=signal.SIGTERM):
        if self.process.poll() is None:
            self.process.send_signal(how)
        self.process.wait(PATIENCE)
        self.process.stdout.close()

    def call(self, method, path, body=None, key=None):
        headers = {"Authorization": "Bearer " + self.token, "Content-Type": "application/json"}
        if method == "POST":
            self.keys += 1
            headers["Idempotency-Key"] = f'"{key or self.keys}"'
        request = urllib.request.Request(self.base + path, method=method, headers=headers, data=None if body is None else json.dumps(body).encode())
        try:
            with urllib.request.urlopen(request, context=self.context, timeout=10) as reply:
                return reply.status, json.load(reply)
        except urllib.error.HTTPError as refused:
            return refused.code, json.loads(refused.read() or b"{}")

    def must(self, *words, **options):
        status, reply = self.call(*words, **options)
        assert status < 300, (words, status, reply)
        return reply

    def pay(self, number, kind="internal"):
        if kind == "internal":
            body = {"debit_account": "users/1", "credit_account": "users/2", "asset": "USD/2", "amount": "1", "reference": f"order-{number}"}
        else:
            body = {"kind": "payout", "debit_account": "users/3", "asset": "EUR/2", "amount": "5", "beneficiary": {"account": f"test-{number}"}}
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            try:
                status, reply = self.call("POST", "/v1/transfers", body, f"{kind}-{number}")
                if status < 300:
                    return reply["id"]
                assert status >= 500, (status, reply)
            except (OSError, ValueError):
                pass
            time.sleep(0.05)
        raise AssertionError("no answer")

    def subscribe(self, receiver, events, **options):
        return self.must("POST", "/v1/webhooks", {"url": receiver.url, "events": events, **options})


def signatures_verify(world, samples):
    """samples: (message, endpoint as created)"""
    lines = "\n".join(json.dumps({"headers": m["headers"], "body": m["body"], "secret": e["secret"], "public_key": e["public_key"]}) for m, e in samples)
    for message, endpoint in samples:
        signed = f'{message["headers"]["webhook-id"]}.{message["headers"]["webhook-timestamp"]}.{message["body"]}'.encode()
        mac = base64.b64encode(hmac.new(base64.b64decode(endpoint["secret"].removeprefix("whsec_")), signed, hashlib.sha256).digest()).decode()
        assert "v1," + mac in message["headers"]["webhook-signature"].split(" "), message
    place = os.environ.get("HOLDFAST_NPM") or str(world.directory / "npm")
    if shutil.which("node") and not pathlib.Path(place, "node_modules/standardwebhooks").exists() and shutil.which("npm"):
        try:
            subprocess.run(["npm", "install", "--no-audit", "--no-fund", "--ignore-scripts", "--prefix", place, "standardwebhooks@1.1.1"], timeout=60,
                           capture_output=True)
        except subprocess.TimeoutExpired:
            pass
    if not shutil.which("node") or not pathlib.Path(place, "node_modules/standardwebhooks").exists():
        print("SKIPPED: npm's standardwebhooks is not available here; only Python's hmac has verified the signatures (v1)", file=sys.stderr)
        return "verified without npm's standardwebhooks (SKIPPED)"
    done = subprocess.run(["node", "-e", VERIFY], input=lines, text=True, capture_output=True, env={**os.environ, "NODE_PATH": place + "/node_modules"})
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def captured_file_verifies(world, message, endpoint):
    capture, secret, public = world.directory / "capture.txt", world.directory / "secret", world.directory / "public"
    capture.write_text("POST /hooks HTTP/1.1\r\n" + "".join(f"{name}: {value}\r\n" for name, value in message["headers"].items()) + "\r\n" + message["body"])
    secret.write_text(endpoint["secret"] + "\n")
    public.write_text(endpoint["public_key"] + "\n")
    for option in (["--secret-file", secret], ["--public-key-file", public]):
        done = subprocess.run([processes.program, "webhook", "verify", capture, *option, "--json"], text=True, capture_output=True)
        assert done.returncode == 0 and json.loads(done.stdout)["id"] == message["headers"]["webhook-id"], done
    capture.write_text(capture.read_text() + " ")
    done = subprocess.run([processes.program, "webhook", "verify", capture, "--secret-file", secret], text=True, capture_output=True)
    assert done.returncode == 1 and "webhook_signature_wrong" in done.stderr, done


def stubborn():
    """Refuses the first delivery of every other message."""
    seen = set()

    def answer(message):
        name = message["headers"]["webhook-id"]
        first = name not in seen
        seen.add(name)
        return 500 if first and int(hashlib.sha256(name.encode()).hexdigest(), 16) % 8 == 0 else 200
    return answer


def slow(message):
    time.sleep(0.2)
    return 200


def play(directory):
    world = World(directory)
    for asset in ("USD/2", "EUR/2"):   # the sandbox rails of --dev are of the second, and may have registered it
        world.call("POST", "/v1/assets", {"code": asset})
    for name, asset in (("users/1", "USD/2"), ("users/2", "USD/2"), ("users/3", "EUR/2")):
        world.must("POST", "/v1/accounts", {"id": name, "asset": asset})
    for name, asset in (("users/1", "USD/2"), ("users/3", "EUR/2")):
        world.must("POST", "/v1/transfers", {"debit_account": "world/" + asset[:3], "credit_account": name, "asset": asset, "amount": "1000000"})

    steady, ordered, failing, lazy, closed = Receiver(), Receiver(), Receiver(stubborn()), Receiver(slow), Receiver(lambda message: 410)
    everything = ["transfer.posted", "transfer.settled", "transfer.failed", "case.opened", "rail.paused"]
    created = world.must("POST", "/v1/webhooks", {"url": steady.url, "events": everything}, key="create")
    status, again = world.call("POST", "/v1/webhooks", {"url": steady.url, "events": everything}, key="create")
    assert status == 409 and again["code"] == "secret_already_shown", again
    in_order = world.subscribe(ordered, ["transfer.posted"], ordered=True, personal=True)
    retried = world.subscribe(failing, ["transfer.posted"])
    late = world.subscribe(lazy, ["transfer.posted"])
    gone = world.subscribe(closed, ["transfer.posted"])
    nobody = world.must("POST", "/v1/webhooks", {"url": "http://127.0.0.1:9/hooks", "events": ["transfer.posted"]})
    test = until("a test message to be taken", lambda: (reply := world.call("POST", f'/v1/webhooks/{created["id"]}/test', {}))[0] == 200 and reply[1])
    assert test["delivered"] and test["status"] == 204 and steady.messages[0]["told"]["type"] == "webhook.test", test
    test = until("a test message to be tried", lambda: (reply := world.call("POST", f'/v1/webhooks/{nobody["id"]}/test', {}))[0] == 200 and reply[1])
    assert not test["delivered"] and test["failure"], test

    ids = [world.pay(number) for number in range(TRANSFERS // 2)]
    payouts = [world.pay(number, "payout") for number in range(PAYOUTS)]
    world.stop(signal.SIGKILL)
    world.start()
    ids += [world.pay(number) for number in range(TRANSFERS // 2, TRANSFERS)]
    ended = until("the payouts to end", lambda: all((t := world.must("GET", "/v1/transfers/" + one))["state"] in ("settled", "failed") for one in payouts))
    assert ended

    # Everything is told, and what is told can be read back.
    for name, receiver in (("steady", steady), ("ordered", ordered), ("failing", failing), ("slow", lazy)):
        until(f"all transfers to be told to the {name} endpoint", lambda: set(ids) <= receiver.ids("transfer.posted"))
    settled = [one for one in payouts if world.must("GET", "/v1/transfers/" + one)["state"] == "settled"]
    until("all settled payouts to be told", lambda: set(settled) <= steady.ids("transfer.settled"))
    assert settled
    for told in steady.ids():
        assert world.call("GET", "/v1/transfers/" + told)[0] == 200, told

    # One id is one message, for ever; each endpoint that asked for order has it.
    bodies = {}
    for receiver in (steady, ordered, failing, lazy):
        for message in receiver.told():
            key = (receiver is ordered, message["headers"]["webhook-id"])
            assert bodies.setdefault(key, message["body"]) == message["body"], message
    firsts = list(dict.fromkeys(m["headers"]["webhook-id"] for m in ordered.told()))
    assert firsts == sorted(firsts), "the ordered endpoint was told out of order"
    assert any(m["told"]["data"].get("reference") == "order-0" for m in ordered.told())
    assert all("reference" not in m["told"]["data"] for m in steady.told())

    # What failed was tried again, and says so.
    def tried_again():
        rows = world.must("GET", f'/v1/webhooks/{retried["id"]}/deliveries?limit=100')["items"]
        failed = [row for row in rows if row["outcome"] == "failed"]
        assert all(row["status"] == 500 and row["next_at"] for row in failed), rows
        return failed and all(any(row["message"] == one["message"] and row["outcome"] == "delivered" and row["attempt"] > 1 for row in rows)
                              for one in failed)
    until("what failed to be delivered by another attempt", tried_again)
    shown = world.must("GET", "/v1/webhooks/" + nobody["id"])
    assert shown["waiting"] > 0 and shown["failing_since"] and shown["enabled"], shown

    # The one that is gone is told nothing more until somebody enables it again; then nothing is missing.
    shown = until("the endpoint to be disabled", lambda: next((one for one in world.must("GET", "/v1/webhooks")["items"]
                                                               if one["id"] == gone["id"] and not one["enabled"]), None))
    assert shown["disabled_because"] == "endpoint_gone", shown
    status, refused = world.call("POST", f'/v1/webhooks/{gone["id"]}/test', {})
    assert status == 409 and refused["code"] == "webhook_disabled", refused
    closed.answer = lambda message: 200
    closed.messages.clear()
    world.must("POST", "/v1/webhooks/" + gone["id"], {"enabled": True})
    until("the reopened endpoint to be told what it missed", lambda: set(ids) <= closed.ids())

    # New keys: both sign during the overlap.
    rotated = world.must("POST", f'/v1/webhooks/{created["id"]}/rotate', {"overlap_seconds": 60})
    until("both keys to sign", lambda: world.call("POST", f'/v1/webhooks/{created["id"]}/test', {})[0] == 200
          and len(steady.messages[-1]["headers"]["webhook-signature"].split(" ")) == 4)
    last = steady.messages[-1]
    samples = [(m, created) for m in steady.told()[:20]] + [(m, in_order) for m in ordered.told()[:20]] + [(last, created), (last, rotated)]
    verified = signatures_verify(world, samples)
    captured_file_verifies(world, steady.told()[0], created)

    # By hand: one message again, under its id; nobody is told of what is not theirs.
    first = steady.told()[0]
    before = len(steady.told())
    assert world.must("POST", f'/v1/webhooks/{created["id"]}/resend', {"message": first["headers"]["webhook-id"]})["messages"] == 1
    until("a message to be told again", lambda: len(steady.told()) > before)
    assert steady.told()[-1]["body"] == first["body"] and steady.told()[-1]["headers"]["webhook-id"] == first["headers"]["webhook-id"]
    status, refused = world.call("POST", f'/v1/webhooks/{created["id"]}/resend', {"message": "msg_0000000000001"})
    assert status == 404 and refused["code"] == "webhook_message_not_found", refused
    assert world.must("POST", f'/v1/webhooks/{nobody["id"]}/resend', {"failed_since": "2026-01-01T00:00:00Z"})["messages"] >= 1

    # Without the store of deliveries everything since the mark is told again, under the same ids.
    world.must("POST", f'/v1/webhooks/{late["id"]}/remove', {})
    assert world.call("GET", "/v1/webhooks/" + late["id"])[0] == 404
    world.stop()
    for name in (directory / "data").glob("deliveries.sqlite*"):
        name.unlink()
    known = {m["headers"]["webhook-id"] for m in ordered.told()}
    ordered.messages.clear()
    world.start()
    until("the ordered endpoint to be told again", lambda: set(ids) <= ordered.ids())
    assert {m["headers"]["webhook-id"] for m in ordered.told()} <= known
    world.stop()
    print(f"{len(ids)} transfers and {len(settled)} settled payouts told to 5 endpoints through a kill; {verified}")


if __name__ == "__main__":
    processes.main(__doc__, "webhooks", play)
