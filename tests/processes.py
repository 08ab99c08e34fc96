"""What tests against the real processes have in common: starting and ending them, asking them, a service with sandbox rails.

Standard library and openssl only; loopback only; every process that was started is ended by its id.
"""
import base64
import json
import os
import pathlib
import shutil
import signal
import ssl
import subprocess
import sys
import tempfile
import urllib.error
import urllib.request

PATIENCE = 20.0       # seconds for a process to come up
ENDED = {"settled", "failed", "returned", "rejected", "cancelled"}
program = None       # path of holdfast; set by main()
started = []


def start(log, *words):
    process = subprocess.Popen([program, *map(str, words)], stdout=subprocess.PIPE, stderr=open(log, "ab"))
    started.append(process)
    line = process.stdout.readline().decode()
    if not line.startswith("ready:"):
        raise AssertionError(f"{words[0]} did not start: {pathlib.Path(log).read_text()}")
    return process


def run(*words):
    """A command that ends by itself, and well. What it printed."""
    done = subprocess.run([program, *map(str, words)], capture_output=True, text=True, timeout=PATIENCE * 3)
    assert done.returncode == 0, (words, done.stdout, done.stderr)
    return done.stdout


def end(process, how=signal.SIGTERM):
    if process.poll() is None:
        process.send_signal(how)
    try:
        process.wait(PATIENCE)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait(PATIENCE)
    process.stdout.close()


def ask(url, method="GET", body=None, headers=None, context=None):
    request = urllib.request.Request(url, method=method, data=None if body is None else json.dumps(body).encode(), headers=headers or {})
    try:
        with urllib.request.urlopen(request, context=context, timeout=10) as reply:
            return reply.status, json.load(reply)
    except urllib.error.HTTPError as refused:
        return refused.code, json.loads(refused.read() or b"{}")


class World:
    """The service in development mode and a sandbox rail for each of `profiles`, a bank by its name and the faults it commits."""

    bank_options = []
    rail_options = {}     # more fields of each rail in the file of rails

    def __init__(self, directory, profiles):
        self.directory, self.profiles = directory, profiles
        self.key = directory / "signing.key"
        seed = os.urandom(32)
        self.key.touch(0o600)
        self.key.write_text(base64.b64encode(seed).decode())
        der = subprocess.run(["openssl", "pkey", "-inform", "DER", "-pubout", "-outform", "DER"], check=True, capture_output=True,
                             input=bytes.fromhex("302e020100300506032b657004220420") + seed).stdout
        self.public = base64.b64encode(der[-32:]).decode()
        self.banks = {}
        self.addresses = {}
        self.config = directory / "config.toml"
        self.config.write_text(f'[rails]\nfile = "{directory}/rails.json"\n')
        (directory / "rails.json").write_text('{"rails": []}')
        # Once without rails, so that there is a certificate that the banks can trust.
        self.listen = "127.0.0.1:0"
        self.start_service()
        end(self.service)
        for name in self.profiles:
            self.addresses[name] = "127.0.0.1:0"
            self.start_bank(name)
        rails = []
        for name in self.profiles:
            rail = self.rail(name)
            self.addresses[name] = rail["url"].removeprefix("https://")
            rails.append({"name": name, "url": rail["url"], "ca_file": rail["ca_file"], "signing_key_id": "holdfast",
                          "signing_key_file": str(self.key),
                          "callback_keys": [{"id": rail["callback_key_id"], "ed25519": rail["callback_public_key"]}], **self.rail_options})
        (directory / "rails.json").write_text(json.dumps({"rails": rails}))
        self.start_service()
        for name in self.profiles:
            self.steer(name)

    def rail(self, name):
        return json.loads((self.directory / name / "rail.json").read_text())

    def start_bank(self, name):
        self.banks[name] = start(self.directory / f"{name}.log", "sandbox-rail", "--data", self.directory / name, "--client-key",
                                 "holdfast:" + self.public, "--listen", self.addresses[name], "--callback-ca",
                                 self.directory / "data/dev/ca.pem", *self.bank_options)

    def steer(self, name):
        profile = dict(self.profiles[name], callback_url=f"{self.base}/v1/rails/{name}/callbacks")
        status, reply = ask(self.rail(name)["control_url"] + "/control/profile", "PUT", profile)
        assert status in (200, 204), reply

    def start_service(self):
        self.service = start(self.directory / "service.log", "serve", "--dev", "--data", self.directory / "data", "--config", self.config,
                             "--listen", self.listen, "--operator-listen", "127.0.0.1:0")
        client = json.loads((self.directory / "data/dev/client.json").read_text())
        self.base, self.operator, self.token = client["base_url"], client["operator_url"], client["token"]
        self.listen = self.base.removeprefix("https://")
        self.context = ssl.create_default_context(cafile=client["ca_file"])

    def call(self, method, path, body=None, key=None):
        headers = {"Authorization": "Bearer " + self.token, "Content-Type": "application/json"}
        if method == "POST":
            headers["Idempotency-Key"] = f'"{key or path}"'
        return ask(self.base + path, method, body, headers, self.context)

    def metric(self, name):
        """A counter or gauge without labels, as the operator address shows it."""
        request = urllib.request.Request(self.operator + "/metrics", headers={"Authorization": "Bearer " + self.token})
        with urllib.request.urlopen(request, timeout=10) as reply:
            lines = reply.read().decode().splitlines()
        return float(next(line for line in lines if line.startswith(name + " ")).split()[1])

    def upload(self, name, text, media, key, begin=None, end=None, token=None):
        query = f"rail={name}" + (f"&from={begin}&until={end}" if begin else "")
        headers = {"Authorization": "Bearer " + (token or self.token), "Content-Type": media, "Idempotency-Key": f'"{key}"'}
        request = urllib.request.Request(f"{self.base}/v1/statements?{query}", method="POST", data=text.encode(), headers=headers)
        try:
            with urllib.request.urlopen(request, context=self.context, timeout=10) as reply:
                return reply.status, json.load(reply)
        except urllib.error.HTTPError as refused:
            return refused.code, json.loads(refused.read())

    def must(self, *words, **options):
        status, reply = self.call(*words, **options)
        assert status < 300, (words, status, reply)
        return reply


def settled_at_banks(world, transfer):
    """Payments of a transfer that a bank's book has as settled: (bank, amount)."""
    found = []
    for attempt in transfer["attempts"]:
        name = attempt["rail"]
        status, payment = ask(world.rail(name)["control_url"] + "/control/payments/" + attempt["reference"])
        if status == 200 and payment["state"] == "settled":
            found.append((name, int(payment["amount"])))
    return found


def main(usage, name, play, arguments=1):
    """Plays in a directory of its own that is gone afterwards, and shows what the processes said if it failed."""
    global program
    if len(sys.argv) != 1 + arguments:
        sys.exit(usage)
    program = sys.argv[1]
    directory = pathlib.Path(tempfile.mkdtemp(prefix=f"holdfast-{name}-"))
    try:
        play(directory)
    except BaseException:
        for log in sorted([*directory.glob("*.log"), *directory.glob("*/service.log")]):
            sys.stderr.write(f"--- {log.name}\n{log.read_text()[-2000:]}\n")
        raise
    finally:
        for process in started:
            if process.poll() is None:
                end(process, signal.SIGKILL)
        shutil.rmtree(directory, ignore_errors=True)
