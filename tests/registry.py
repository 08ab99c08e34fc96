#!/usr/bin/env python3
"""Keys of partners through the real service: imported, proven by openssl or by what their owners signed, approved by people, rotated, rolled
back, compromised; what verifies callbacks of a rail, certificates that are checked again, and the keys that we publish.

usage: registry.py PROGRAM

The service is killed in the middle and has everything again, and both verifiers take its evidence of imports. At last secrets are sent where public values belong: nothing of them may be
found in any file of the service, in what it logs or in what it answers. Loopback only; every process that was started is ended by its id.
"""
import base64
import hashlib
import http.server
import json
import shutil
import signal
import ssl
import subprocess
import threading
import time
import urllib.error
import urllib.request

import evidence
import processes
from processes import PATIENCE


def openssl(*words, data=None):
    return subprocess.run(["openssl", *map(str, words)], input=data, check=True, capture_output=True).stdout


class Pair:
    """A key pair made by openssl; how it signs is as its owner's usual tools do it."""

    def __init__(self, directory, name, *options, digest="-sha256"):
        self.private, self.public, self.digest = directory / f"{name}.pem", directory / f"{name}.pub", digest
        openssl("genpkey", *options, "-out", self.private)
        openssl("pkey", "-in", self.private, "-pubout", "-out", self.public)

    def pem(self):
        return self.public.read_text()

    def thumbprint(self):
        """RFC 7638, of Ed25519."""
        x = base64.urlsafe_b64encode(openssl("pkey", "-pubin", "-in", self.public, "-pubout", "-outform", "DER")[-32:]).decode().rstrip("=")
        digest = hashlib.sha256(f'{{"crv":"Ed25519","kty":"OKP","x":"{x}"}}'.encode()).digest()
        return base64.urlsafe_b64encode(digest).decode().rstrip("=")

    def sign(self, text):
        message, signature = self.private.with_suffix(".msg"), self.private.with_suffix(".sig")
        message.write_text(text)
        if self.digest is None:
            openssl("pkeyutl", "-sign", "-inkey", self.private, "-rawin", "-in", message, "-out", signature)
        else:
            openssl("dgst", self.digest, "-sign", self.private, "-out", signature, message)
        return base64.b64encode(signature.read_bytes()).decode()


class World:
    """One service with one rail, whose callbacks are verified by a key of the registry, and which nothing is ever sent to."""

    def __init__(self, directory):
        self.directory, self.listen, self.process, self.keys, self.replies = directory, "127.0.0.1:0", None, 0, []
        self.rail = {"name": "bank-r", "url": "http://127.0.0.1:9", "signing_key_id": "holdfast", "callback_partner": "bank-r", "callback_key": "main"}
        (directory / "config.toml").write_text(f'[rails]\nfile = "{directory}/rails.json"\n[gate]\ncaptured_age_seconds_max = 900\n'
                                               '[revocation]\nhosts = "127.0.0.1"\nnetworks = "127.0.0.1/32"\n')
        self.write_rail()
        self.start()

    def write_rail(self):
        (self.directory / "rails.json").write_text(json.dumps({"rails": [self.rail]}))

    def start(self):
        self.process = subprocess.Popen([processes.program, "serve", "--dev", "--data", self.directory / "data", "--config", self.directory / "config.toml",
                                         "--listen", self.listen, "--operator-listen", "127.0.0.1:0"],
                                        stdout=subprocess.PIPE, stderr=open(self.directory / "service.log", "ab"))
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

    def call(self, method, path, body=None, key=None, token=None):
        headers = {"Authorization": "Bearer " + (token or self.token), "Content-Type": "application/json"}
        if method == "POST":
            self.keys += 1
            headers["Idempotency-Key"] = f'"{key or self.keys}"'
        data = json.dumps(body if body is not None else {}).encode() if method == "POST" else None
        request = urllib.request.Request(self.base + path, method=method, headers=headers, data=data)
        try:
            with urllib.request.urlopen(request, context=self.context, timeout=10) as reply:
                status, text = reply.status, reply.read()
        except urllib.error.HTTPError as refused:
            status, text = refused.code, refused.read()
        self.replies.append(text)
        return status, json.loads(text or b"{}")

    def must(self, *words, **options):
        status, reply = self.call(*words, **options)
        assert status < 300, (words, status, reply)
        return reply

    def refused(self, code, *words, **options):
        status, reply = self.call(*words, **options)
        assert status >= 400 and reply["code"] == code, (words, status, reply)
        return reply

    def person(self, name):
        scopes = ["imports:read", "imports:write", "imports:review"]
        made = self.must("POST", "/v1/clients", {"name": name, "kind": "person", "scopes": scopes})
        return self.must("POST", "/v1/token", {"client_id": made["id"], "refresh_secret": made["refresh_secret"]})["access_token"]

    def evidence(self, imported, query=""):
        bundle = evidence.fetch(self.base, self.token, self.context, "/v1/imports/" + imported, query)
        self.replies.append(bundle)
        return bundle

    def take(self, pair, partner="bank-a", name="callbacks", **options):
        return self.must("POST", "/v1/imports", {"partner": partner, "key": name, "purpose": "verify_callbacks", "material": pair.pem(), **options})

    def prove(self, imported, pair):
        asked = self.must("POST", f'/v1/imports/{imported["id"]}/challenge')
        return self.must("POST", f'/v1/imports/{imported["id"]}/prove', {"signature": pair.sign(asked["challenge"])})

    def cli(self, *words):
        done = subprocess.run([processes.program, "key", *map(str, words), "--data", self.directory / "data", "--json"], text=True, capture_output=True)
        return done.returncode, json.loads(done.stdout or "null")

    def states(self, key):
        return {v["version"]: v["state"] for v in self.must("GET", f"/v1/keys/{key}")["versions"]}


def webhook(pair, age=0, body='{"paid":"to Ann"}', signed=None):
    """What its owner sent by Standard Webhooks so many seconds ago; `signed` is the body that was signed, if another."""
    stamp = int(time.time()) - age
    signature = pair.sign(f"msg_1.{stamp}.{body if signed is None else signed}")
    headers = {"webhook-id": "msg_1", "webhook-timestamp": str(stamp), "webhook-signature": f"v1a,{signature}"}
    return {"convention": "standard-webhook", "message": {"headers": headers, "body": body}}


def captured_messages(world, made):
    """Keys that are tried on messages of their owners: proven at once, refused with the cause, or still to be proven."""
    pair, rsa = Pair(made, "captured", "-algorithm", "ED25519", digest=None), Pair(made, "undated", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048")
    body = {"partner": "bank-c", "key": "webhooks", "purpose": "verify_messages", "material": pair.pem()}

    # What does not verify is refused, and the answer says why and how to look at it; nothing of the message itself is kept.
    late = {**body, "captured": [webhook(pair, age=3600)]}
    answer = world.refused("import_trial_failed", "POST", "/v1/imports", late)
    assert answer["trials"][0]["answer"]["code"] == "signature_time_is_outside_window", answer
    wrong = {**body, "captured": [webhook(pair), webhook(pair, signed='{"paid":"to Ann"}\n')]}
    answer = world.refused("import_trial_failed", "POST", "/v1/imports", wrong, key="wrong")
    good, bad = answer["trials"]
    assert good["proves"] and not bad["proves"] and bad["answer"]["code"] == "signature_line_ends_differ", answer
    assert bad["answer"]["openssl"].startswith("openssl pkeyutl -verify") and bad["answer"]["stamps"][0]["name"] == "webhook-timestamp", answer
    assert b"Ann" not in world.replies[-1], answer
    assert world.refused("import_trial_failed", "POST", "/v1/imports", wrong, key="wrong") == answer and world.replies[-1] == world.replies[-2]
    shown = world.must("GET", f'/v1/imports/{answer["import"]}')
    assert (shown["state"], shown["cause"], shown["trials"]) == ("rejected", "trial", answer["trials"]), shown
    assert world.must("GET", "/v1/keys?partner=bank-c")["items"] == []
    world.refused("request_field_invalid", "POST", "/v1/imports", {**body, "captured": [{**webhook(pair), "key": pair.pem()}]})

    # A fresh one proves the key in the request that brings it; the replay is the same bytes, also of another process.
    proven = {**body, "captured": [webhook(pair, age=2)]}
    taken = world.must("POST", "/v1/imports", proven, key="proven")
    first = world.replies[-1]
    assert (taken["state"], taken["cause"], taken["version"]) == ("active", "trial", 1) and taken["trials"][0]["proves"], taken
    assert world.must("GET", f'/v1/keys/{taken["key_id"]}')["versions"][0]["proven"]
    world.stop(signal.SIGKILL)
    world.start()
    world.must("POST", "/v1/imports", proven, key="proven")
    assert world.replies[-1] == first, (world.replies[-1], first)
    world.refused("idempotency_key_reused_with_different_body", "POST", "/v1/imports", {**body, "captured": [webhook(pair, age=9)]}, key="proven")

    # One that says nothing of when it was signed shows that it fits; the key still answers a challenge.
    undated = {"convention": "detached", "message": {"body": "hello", "algorithm": "rsa-pkcs1-sha256", "signature": rsa.sign("hello")}}
    waiting = world.must("POST", "/v1/imports", {**body, "key": "undated", "material": rsa.pem(), "captured": [undated]})
    assert waiting["state"] == "waiting" and waiting["trials"][0]["answer"]["verified"] and not waiting["trials"][0]["proves"], waiting
    assert world.prove(waiting, rsa)["state"] == "active"

    # The same trial offline.
    for message, status in [(undated, 0), ({**undated, "message": {**undated["message"], "body": "hello\n"}}, 1)]:
        (made / "case.json").write_text(json.dumps(message))
        done = subprocess.run([processes.program, "import", rsa.public, "--captured", made / "case.json", "--json"], text=True, capture_output=True)
        assert done.returncode == status and json.loads(done.stdout)["trial"]["verified"] == (status == 0), done
    (made / "case.json").write_text(json.dumps({**undated, "key": rsa.pem()}))
    assert subprocess.run([processes.program, "import", rsa.public, "--captured", made / "case.json"], capture_output=True).returncode != 0


def callback(world, pair, by_webhook):
    """Status and code of a callback that the rail's key signed, by Standard Webhooks or by RFC 9421."""
    path = "/v1/rails/bank-r/callbacks"
    body = json.dumps({"event": f"e{world.keys}", "occurred_at": "2026-11-22T08:00:00Z", "payment": {
        "reference": "tr_0000000000zzz", "kind": "payout", "state": "settled", "amount": "5", "asset": "USD/2", "valid_until": "2026-11-22T08:00:00Z"}})
    world.keys += 1
    now = int(time.time())
    if by_webhook:
        headers = {"webhook-id": f"msg_{world.keys}", "webhook-timestamp": str(now)}
        headers["webhook-signature"] = "v1a," + pair.sign(f"msg_{world.keys}.{now}.{body}")
    else:
        digest = "sha-256=:" + base64.b64encode(hashlib.sha256(body.encode()).digest()).decode() + ":"
        terms = f'("@method" "@path" "content-type" "content-digest");created={now};nonce="n{world.keys}";keyid="{pair.thumbprint()}";tag="holdfast-rail"'
        lines = ['"@method": POST', f'"@path": {path}', '"content-type": application/json', f'"content-digest": {digest}', f'"@signature-params": {terms}']
        headers = {"content-digest": digest, "signature-input": f"sig1={terms}", "signature": f'sig1=:{pair.sign(chr(10).join(lines))}:'}
    request = urllib.request.Request(world.base + path, method="POST", data=body.encode(), headers={"Content-Type": "application/json", **headers})
    try:
        with urllib.request.urlopen(request, context=world.context, timeout=10) as reply:
            return reply.status, None
    except urllib.error.HTTPError as refused:
        return refused.code, json.loads(refused.read())["code"]


def callbacks_follow_the_registry(world, made):
    """A rail's key is rotated: in the overlap both are believed, after it the new one alone."""
    old, new = [Pair(made, f"rail-{name}", "-algorithm", "ED25519", digest=None) for name in ("old", "new")]

    def believed(pair):
        answers = [callback(world, pair, by_webhook) for by_webhook in (False, True)]
        refused = [code == "callback_signature_invalid" for _, code in answers]
        assert refused[0] == refused[1], answers
        return not refused[0]

    world.must("POST", "/v1/assets", {"code": "USD/2"})
    world.must("POST", "/v1/rails", {"name": "bank-r", "asset": "USD/2"})
    assert not believed(old)
    first = world.take(old, partner="bank-r", name="main")
    assert not believed(old)   # it waits for its proof
    world.prove(first, old)
    assert believed(old) and not believed(new)
    world.prove(world.take(new, partner="bank-r", name="main", overlap_seconds=4), new)
    assert believed(old) and believed(new)
    end = time.monotonic() + PATIENCE
    while world.states(first["key_id"])[1] != "retired":
        assert time.monotonic() < end, "the overlap does not end"
        time.sleep(0.1)
    assert not believed(old) and believed(new)
    versions = world.must("GET", f'/v1/keys/{first["key_id"]}/versions')["items"]
    assert versions == world.must("GET", f'/v1/keys/{first["key_id"]}')["versions"] and len(versions) == 2, versions
    world.refused("key_not_found", "GET", "/v1/keys/key_99/versions")
    world.must("POST", f'/v1/keys/{first["key_id"]}/compromise', {"version": 2})
    assert not believed(new)


class Authority:
    """An authority made by openssl, whose list of revoked certificates is served on loopback while it is entered."""

    def __init__(self, made):
        self.made, self.requests = made, 0
        authority = self

        class Answer(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                authority.requests += 1
                self.send_response(200)
                self.end_headers()
                self.wfile.write((made / "ca.crl").read_bytes())

            def log_message(self, *_):
                pass

        self.server = http.server.HTTPServer(("127.0.0.1", 0), Answer)
        self.thread = threading.Thread(target=self.server.serve_forever)
        (made / "index.txt").touch()
        (made / "crlnumber").write_text("01\n")
        (made / "ca.cnf").write_text(
            "[req]\ndistinguished_name = name\nx509_extensions = root\nprompt = no\n[name]\nCN = test authority\n"
            "[root]\nbasicConstraints = critical, CA:true\nkeyUsage = critical, keyCertSign, cRLSign\nsubjectKeyIdentifier = hash\n"
            f"[ca]\ndefault_ca = lists\n[lists]\ndatabase = {made}/index.txt\ncrlnumber = {made}/crlnumber\ndefault_md = sha256\ndefault_crl_days = 1\n"
            f"[leaf]\nkeyUsage = critical, digitalSignature\ncrlDistributionPoints = URI:http://127.0.0.1:{self.server.server_port}/ca.crl\n")
        openssl("req", "-x509", "-config", made / "ca.cnf", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                "-keyout", made / "ca.key", "-out", made / "ca.pem", "-days", "30")
        self.publish()

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()

    def publish(self):
        words = ["-config", self.made / "ca.cnf", "-keyfile", self.made / "ca.key", "-cert", self.made / "ca.pem"]
        openssl("ca", *words, "-gencrl", "-out", self.made / "ca.crl.pem")
        openssl("crl", "-in", self.made / "ca.crl.pem", "-outform", "DER", "-out", self.made / "ca.crl")

    def certify(self, pair, serial):
        request, leaf = pair.private.with_suffix(".csr"), pair.private.with_suffix(".crt")
        openssl("req", "-new", "-key", pair.private, "-subj", "/CN=bank-d", "-out", request)
        openssl("x509", "-req", "-in", request, "-CA", self.made / "ca.pem", "-CAkey", self.made / "ca.key", "-set_serial", serial, "-days", "30",
                "-extfile", self.made / "ca.cnf", "-extensions", "leaf", "-out", leaf)
        return leaf

    def revoke(self, leaf):
        openssl("ca", "-config", self.made / "ca.cnf", "-keyfile", self.made / "ca.key", "-cert", self.made / "ca.pem", "-revoke", leaf,
                "-crl_reason", "keyCompromise")
        self.publish()


def certificates_are_checked(world, made):
    """Of two certificates of one authority the revoked one is suspended, with its reason; gives the import of that one."""
    ours, theirs = [Pair(made, f"certified-{n}", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256") for n in (1, 2)]
    with Authority(made) as authority:
        leaves = authority.certify(ours, 16), authority.certify(theirs, 17)
        authority.revoke(leaves[1])
        imports = []
        for name, pair, leaf in zip(("good", "revoked"), (ours, theirs), leaves):
            chain = leaf.read_text() + (made / "ca.pem").read_text()
            body = {"partner": "bank-d", "key": name, "purpose": "verify_messages", "material": chain}
            imports.append(world.must("POST", "/v1/imports", body))
            assert world.prove(imports[-1], pair)["state"] == "active"
        good, revoked = [one["key_id"] for one in imports]
        end = time.monotonic() + PATIENCE
        while world.states(revoked)[1] != "suspended" or "revocation" not in world.must("GET", f"/v1/keys/{good}")["versions"][0]:
            assert time.monotonic() < end, (world.must("GET", f"/v1/keys/{good}"), world.must("GET", f"/v1/keys/{revoked}"))
            time.sleep(0.1)
        shown = world.must("GET", f"/v1/keys/{good}/versions")["items"][0]
        assert shown["state"] == "active" and shown["revocation"]["result"] == "good" and shown["revocation"]["good_at"], shown
        assert world.must("GET", f"/v1/keys/{revoked}")["versions"][0]["cause"] == "certificate_revoked"
        counted = metrics(world)
        assert counted["holdfast_revocation_suspended_total"] == "1" and counted['holdfast_revocation_versions{result="good"}'] == "1", counted
        assert authority.requests == 2, authority.requests
    return imports[1]["id"]


def own_keys(world):
    """The key set that is published, by whoever asks, and when it may be asked again."""
    with urllib.request.urlopen(world.base + "/.well-known/jwks.json", context=world.context, timeout=10) as reply:
        assert reply.headers["Cache-Control"] == "public, max-age=3600" and reply.headers["Content-Type"] == "application/json", reply.headers
        return {key["kid"]: key["x"] for key in json.loads(reply.read())["keys"]}


def metrics(world):
    client = json.loads((world.directory / "data/dev/client.json").read_text())
    request = urllib.request.Request(client["operator_url"] + "/metrics", headers={"Authorization": "Bearer " + world.token})
    with urllib.request.urlopen(request, context=world.context, timeout=10) as reply:
        return dict(line.rsplit(" ", 1) for line in reply.read().decode().splitlines() if not line.startswith("#"))


def own_keys_are_published(world, made):
    """What signs for the rail is in the set, the next one before it signs and the former one after."""
    printed = subprocess.run([processes.program, "rail", "key", "--data", world.directory / "data", "--json"], text=True, capture_output=True).stdout
    current = own_keys(world)["holdfast"]
    assert base64.b64encode(base64.urlsafe_b64decode(current + "=")).decode() in printed, (current, printed)
    following = Pair(made, "following", "-algorithm", "ED25519", digest=None)
    raw = openssl("pkey", "-in", following.private, "-outform", "DER")[-32:], openssl("pkey", "-pubin", "-in", following.public, "-pubout", "-outform", "DER")[-32:]
    shown = base64.urlsafe_b64encode(raw[1]).decode().rstrip("=")

    def restart(**fields):
        world.stop()
        world.rail.update(fields)
        world.write_rail()
        world.start()

    restart(published_keys=[{"id": "holdfast-2", "ed25519": base64.b64encode(raw[1]).decode()}])
    assert own_keys(world) == {"holdfast": current, "holdfast-2": shown}
    seed = world.directory / "following.key"
    seed.touch(0o600)
    seed.write_text(base64.b64encode(raw[0]).decode())
    former = {"id": "holdfast", "ed25519": base64.b64encode(base64.urlsafe_b64decode(current + "=")).decode()}
    restart(signing_key_id="holdfast-2", signing_key_file=str(seed), published_keys=[former])
    assert own_keys(world) == {"holdfast": current, "holdfast-2": shown}


def secrets_leave_nothing(world, directory):
    """Sends secrets in several shapes; gives the pieces of them that must be nowhere."""
    rsa, pieces = directory / "leaked.pem", []
    openssl("genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048", "-out", rsa)
    pem, der = rsa.read_text(), openssl("pkey", "-in", rsa, "-outform", "DER")
    words = "legal winner thank year wave sausage worth useful legal winner thank yellow"
    card = "4111 1111 1111 1111"
    for number, material in enumerate([{"material": pem}, {"material_base64": base64.b64encode(der).decode()}, {"material": words}, {"material": card}]):
        body = {"partner": "bank-a", "key": "leaks", "purpose": "verify_messages", "responsible": "nobody", **material}
        answer = world.refused("import_contains_secret", "POST", "/v1/imports", body, key=f"leak-{number}")
        assert answer["findings"][0]["severity"] == "incident" and all("evidence" not in finding for finding in answer["findings"]), answer
        assert world.must("GET", f'/v1/imports/{answer["import"]}')["cause"] == "secret_sent"
        assert world.refused("import_contains_secret", "POST", "/v1/imports", body, key=f"leak-{number}") == answer
    body = "".join(pem.splitlines()[1:-1])
    pieces += [line.encode() for line in pem.splitlines()[1:-1]] + [der[i:i + 16] for i in range(30, len(der) - 16, 16)]
    pieces += [body[i:i + 24].encode() for i in range(60, len(body) - 24, 24)] + [words.encode(), b"sausage worth useful", card.encode(), b"4111111111111111"]
    return pieces


def search(directory, pieces, replies):
    files = [path for path in directory.rglob("*") if path.is_file()]
    assert len(files) > 5, files
    for where, content in [(str(path), path.read_bytes()) for path in files] + [("a reply", text) for text in replies]:
        for piece in pieces:
            assert piece not in content, f"{piece!r} stands in {where}"
    return len(files)


def play(directory):
    made = directory / "pairs"
    made.mkdir()
    ec = Pair(made, "ec", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256")
    rsa = Pair(made, "rsa", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048")
    ed = Pair(made, "ed", "-algorithm", "ED25519", digest=None)
    p384 = Pair(made, "p384", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-384", digest="-sha384")
    world = World(directory)
    ann, bob = world.person("ann"), world.person("bob")

    # What the doctor refuses says why, sticks to its key, and opens nothing.
    html = {"partner": "bank-a", "key": "callbacks", "purpose": "verify_callbacks", "material": "<html><body>404 Not Found</body></html>"}
    refusal = world.refused("import_material_refused", "POST", "/v1/imports", html, key="html")
    assert refusal["findings"] and refusal["findings"][0]["remedy"]["zh"], refusal
    assert world.refused("import_material_refused", "POST", "/v1/imports", html, key="html") == refusal
    assert world.must("GET", f'/v1/imports/{refusal["import"]}')["state"] == "rejected"
    assert world.must("GET", "/v1/keys")["items"] == []
    world.refused("idempotency_key_reused_with_different_body", "POST", "/v1/imports", {**html, "material": ec.pem()}, key="html")

    # A damaged key is repaired, and the diff is shown; the key proves itself.
    damaged = ec.pem().replace("\n", "\\n")
    first = world.must("POST", "/v1/imports", {"partner": "bank-a", "key": "callbacks", "purpose": "verify_callbacks", "material": damaged,
                                               "responsible": "payments on call"})
    assert first["state"] == "waiting" and any(f["severity"] == "repaired" for f in first["findings"]), first
    asked = world.must("POST", f'/v1/imports/{first["id"]}/challenge')
    assert f'import: {first["id"]}\n' in asked["challenge"] and "partner: bank-a\n" in asked["challenge"], asked
    world.refused("challenge_signature_wrong", "POST", f'/v1/imports/{first["id"]}/prove', {"signature": rsa.sign(asked["challenge"])})
    proven = world.must("POST", f'/v1/imports/{first["id"]}/prove', {"signature": ec.sign(asked["challenge"])}, key="proof")
    assert proven["state"] == "active" and proven["version"] == 1, proven
    world.refused("import_not_waiting", "POST", f'/v1/imports/{first["id"]}/challenge')
    key = first["key_id"]
    inventory = world.must("GET", "/v1/keys")["items"]
    assert [(k["partner"], k["key"], k["responsible"], k["active"]) for k in inventory] == [("bank-a", "callbacks", "payments on call", 1)], inventory
    world.refused("key_already_imported", "POST", "/v1/imports", {**html, "material": ec.pem()})
    world.refused("key_belongs_to_another_partner", "POST", "/v1/imports", {**html, "partner": "bank-b", "material": ec.pem()})

    # Every kind of signature; a rotation with overlap; a kill in the middle; one step back.
    world.prove(world.take(rsa), rsa)
    world.prove(world.take(p384, name="messages"), p384)
    world.stop(signal.SIGKILL)
    world.start()
    assert world.states(key) == {1: "retiring", 2: "active"}
    world.must("POST", f"/v1/keys/{key}/rollback", {"reason": "verification failed after the switch"})
    assert world.states(key) == {1: "active", 2: "suspended"}
    world.refused("key_has_no_former_version", "POST", f"/v1/keys/{key}/rollback")

    # The same by holdfast key, whose exit code a deployment pipeline reads: back to the newer one, and nothing is left to apply.
    status, applied = world.cli("apply", key, "--reason", "fixed")
    assert status == 0 and applied["versions"][-1] == {**applied["versions"][-1], "version": 2, "state": "active"}, (status, applied)
    assert world.cli("apply", key)[0] == 1 and world.cli("rollback", "key_99")[0] == 1
    assert world.cli("rollback", key)[0] == 0 and world.states(key) == {1: "active", 2: "suspended"}
    status, inventory = world.cli("inventory", "--partner", "bank-a")
    assert status == 0 and [k["key"] for k in inventory["items"]] == ["callbacks", "messages"], inventory

    # Two people, neither of them the importer; then a proof after all.
    third = world.take(ed, overlap_seconds=3600)
    world.refused("approver_must_be_a_person", "POST", f'/v1/imports/{third["id"]}/approve')
    world.must("POST", f'/v1/imports/{third["id"]}/approve', token=ann)
    world.refused("approver_counted_already", "POST", f'/v1/imports/{third["id"]}/approve', token=ann)
    let_in = world.must("POST", f'/v1/imports/{third["id"]}/approve', {"reason": "partner confirmed by phone"}, token=bob)
    assert let_in["state"] == "provisional" and let_in["versions"][-1]["usable_until"], let_in
    assert world.prove(third, ed)["state"] == "active"
    shown = world.must("GET", f"/v1/keys/{key}")["versions"][0]
    assert shown["state"] == "active" and shown["proven"] and "usable_until" not in shown, shown
    assert base64.b64decode(shown["spki"]) == openssl("pkey", "-pubin", "-in", ed.public, "-pubout", "-outform", "DER")

    # Compromise ends use at once and for ever; destroyed is destroyed.
    world.must("POST", f"/v1/keys/{key}/compromise", {"version": 3})
    assert world.states(key)[3] == "compromised"
    world.refused("key_was_compromised", "POST", "/v1/imports", {**html, "material": ed.pem()})
    world.must("POST", f"/v1/keys/{key}/destroy", {"version": 3})
    assert "spki" not in world.must("GET", f"/v1/keys/{key}")["versions"][0]
    world.refused("key_state_forbids", "POST", f"/v1/keys/{key}/apply", {"version": 3})
    world.refused("scope_missing", "POST", f"/v1/keys/{key}/rollback", token=ann)

    captured_messages(world, made)
    callbacks_follow_the_registry(world, made)
    revoked = certificates_are_checked(world, made)
    own_keys_are_published(world, made)
    counted = metrics(world)
    assert counted['holdfast_partner_key_versions{state="compromised"}'] == "1" and counted['holdfast_imports{state="active",cause="trial"}'] == "1", counted
    pieces = secrets_leave_nothing(world, made)
    # What strangers can check of it: who let a key in and what became of it, and that the doctor refused.
    assert world.call("GET", "/v1/imports/im_zzzzzzzzzzzzz/evidence")[0] in (400, 404)
    bundles = {name: world.evidence(imported) for name, imported in [("first", first["id"]), ("third", third["id"]), ("refused", refusal["import"]), ("revoked", revoked)]}
    assert b'"salt"' not in world.evidence(first["id"], "?disclose=none")
    world.stop()
    facts = evidence.check(directory, directory / "data", bundles)
    assert facts["first"]["state"] == "active, by proof" and '"payments on call"' in facts["first"]["responsible"], facts["first"]
    assert len(facts["third"]["steps"]) >= 3 and facts["third"]["steps"][-1].count("destroyed") == 1, facts["third"]
    assert facts["revoked"]["steps"][-1].count("suspended") == 1, facts["revoked"]
    processes.run("audit", "erase", first["id"], "key_responsible", "--data", directory / "data")
    processes.run("audit", "erase", revoked, "key_certificate", "--data", directory / "data")
    processes.run("audit", "verify", "--quiet", "--data", directory / "data")
    search(directory / "data", [b"payments on call"], [])
    assert facts["refused"]["state"].startswith("rejected") and "findings" in facts["refused"], facts["refused"]
    shutil.rmtree(made)
    files = search(directory, pieces, world.replies)
    print("4 kinds of keys proven, one rotated, rolled back, approved, compromised and destroyed; captured messages, callbacks, certificates and our own keys; "
          f"{len(pieces)} pieces of secrets in none of {files} files")


if __name__ == "__main__":
    processes.main(__doc__, "registry", play)
