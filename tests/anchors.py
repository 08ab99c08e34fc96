#!/usr/bin/env python3
"""A checkpoint anchored on a real EVM chain, end to end, against the real service.

usage: anchors.py PROGRAM CACHE_DIRECTORY

The node is that of evm.py. Transfers are made, the checkpoint's hash goes into a transaction among others of every type, its block is
asked for and proved, and evidence made from then on carries the proof. Both verifiers take it with the policy's line for the block, refuse it
without, and refuse every changed byte. A node that lies gets nothing stored.

Then a service anchors by itself, with the account that its payments go out from, and is killed between sending and storing. Exit code 77:
skipped, because there is no node to be had.
"""
import http.client
import http.server
import json
import pathlib
import signal
import subprocess
import sys
import threading
import time
import urllib.request

import evm
import processes
from evm import CHAIN, DEADLINE, PACKAGE, Chain, find_anvil
from processes import end, run

VERIFIER = pathlib.Path(__file__).resolve().parent.parent / "apps/verify-js/verify.mjs"
OTHERS = 140   # transactions before ours: keys of the trie have two bytes then


def refused(code, *words):
    """A command that has to fail with this code. What it said."""
    done = subprocess.run([processes.program, *map(str, words)], capture_output=True, text=True, timeout=60)
    assert done.returncode != 0 and code in done.stdout + done.stderr, (words, done.returncode, done.stdout, done.stderr)
    return done.stdout + done.stderr


class Liar:
    """A node in front of the node, that changes what the other one says about blocks."""

    def __init__(self, port):
        liar = self
        self.change = lambda block: None

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                node = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
                node.request("POST", "/", body, {"Content-Type": "application/json"})
                reply = json.loads(node.getresponse().read())
                node.close()
                if json.loads(body)["method"] == "eth_getBlockByHash":
                    liar.change(reply["result"])
                text = json.dumps(reply).encode()
                self.send_response(200)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(text)))
                self.end_headers()
                self.wfile.write(text)

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()


def evidence(world, name):
    path = world.directory / f"{name}.json"
    path.write_text(run("audit", "evidence", name, "--data", world.directory / "data"))
    return path


class World(processes.World):
    def __init__(self, directory, chain):
        self.directory, self.chain = directory, chain
        self.data = directory / "data"
        self.config = directory / "config.toml"
        self.config.write_text("")
        self.listen = "127.0.0.1:0"
        self.start_service()
        self.must("POST", "/v1/assets", {"code": "USD/2"}, key="asset")
        self.must("POST", "/v1/accounts", {"id": "users/a", "asset": "USD/2"}, key="account")

    def transfer(self, number):
        return self.must("POST", "/v1/transfers", {"debit_account": "world/USD", "credit_account": "users/a", "asset": "USD/2", "amount": str(number)},
                         key=f"transfer-{number}")["id"]

    def anchor(self, *words):
        return ("audit", "anchor", "--data", self.data, *words)

    def send(self, data, account=0, **more):
        accounts = self.chain("eth_accounts")
        return self.chain("eth_sendTransaction", dict({"from": accounts[account], "to": accounts[5], "data": data, "gas": hex(200_000)}, **more))


def send_among_others(world, calldata):
    """The node mines what pays more first, whatever its nonce: each kind comes from an account of its own, ours from one that pays little."""
    kinds = [{}, {"gasPrice": hex(3 * 10**9), "type": "0x0"},
             {"gasPrice": hex(3 * 10**9), "type": "0x1", "accessList": [{"address": "0x" + "11" * 20, "storageKeys": ["0x" + "22" * 32]}]}]
    for number in range(OTHERS):
        world.send("0x" + f"{number:02x}" * (number % 40), number % 3, **kinds[number % 3])
    ours = world.send(calldata)
    for number in range(5):
        world.send("0x", number % 3, **kinds[number % 3])
    return ours


def mined(world, transaction):
    """What the node says of a transaction once it has it in a block: large ones take it a moment."""
    until = time.monotonic() + DEADLINE
    while not (found := world.chain("eth_getTransactionByHash", transaction)) or not found["blockHash"]:
        assert time.monotonic() < until, found
        time.sleep(0.1)
    return found


def anchored(world):
    """Transfers, a checkpoint, its transaction, the proof of it. Names of a transfer under it and of one after it, and the policy's line."""
    first = world.transfer(100)
    before = evidence(world, first)
    assert '"anchors":[]' in before.read_text()
    calldata = run(*world.anchor("--evm-ask")).strip()
    ours = send_among_others(world, calldata)
    node = f"http://127.0.0.1:{world.chain.port}"
    stored = lambda transaction, url=node: world.anchor("--evm-transaction", transaction, "--evm-node", url)
    refused("evm_transaction_not_known", *stored("0x" + "12" * 32))
    refused("evm_transaction_not_mined", *stored(ours))
    world.chain("evm_mine")
    place = int(mined(world, ours)["transactionIndex"], 16)
    assert place >= 128, place
    refused("evm_calldata_differs", *stored(world.chain("eth_getBlockByNumber", "latest", False)["transactions"][3]))
    liar = lying(world, stored, ours)
    line = run(*stored(ours, liar.url)).strip()
    liar.server.shutdown()
    refused("evm_calldata_differs", *stored(ours))   # answered once
    block = world.chain("eth_getBlockByNumber", "latest", False)
    assert line == f"#holdfast-evm-block chain-{CHAIN} {CHAIN} {int(block['number'], 16)} {block['hash']}", line
    return first, world.transfer(200), line


def lying(world, stored, ours):
    """Nothing is stored of what a node makes up. A node that only speaks a dialect."""
    liar = Liar(world.chain.port)
    lies = {"evm_block_not_reproduced": [lambda block: block.update(gasUsed="0x1"), lambda block: block.update(hash="0x" + "11" * 32),
                                         lambda block: block["transactions"][0].update(hash="0x" + "12" * 32), lambda block: block.update(transactions=[])],
            "evm_transactions_root_differs": [lambda block: block["transactions"].pop(0), lambda block: block["transactions"].reverse()]}
    for code, changes in lies.items():
        for change in changes:
            liar.change = change
            refused(code, *stored(ours, liar.url))
    assert not list((world.data / "audit/anchors").glob("*.evm"))
    # Of a type that is not known from JSON: those are asked for raw.
    liar.change = lambda block: [one.update(type="0x7e") for one in block["transactions"][:2]]
    return liar


def script(bundle, policy, *more):
    """What the second verifier says, and whether it is content."""
    done = subprocess.run(["node", VERIFIER, bundle, "--policy", policy, "--json", *more], capture_output=True, text=True, timeout=60)
    return done.returncode == 0, json.loads(done.stdout)


def verified(world, first, later, line, second):
    bundle, of_later = evidence(world, first), evidence(world, later)
    end(world.service)
    log = run("audit", "policy", "--data", world.data)
    with_line, without = world.directory / "with.txt", world.directory / "without.txt"
    with_line.write_text(line + "\n" + log)
    without.write_text(log)
    need = ("--require", "anchor:1")
    said = run("verify", bundle, "--policy", with_line, *need)
    assert line.split()[4] in said and f"chain {CHAIN}" in said, said
    told = refused("too_few_anchors", "verify", bundle, "--policy", without, *need)
    assert "evm_block_not_in_policy" in told and line.split()[4] in told and line.split()[3] in told, told
    assert line.split()[4] in run("verify", bundle, "--policy", without)
    refused("too_few_anchors", "verify", of_later, "--policy", with_line, *need)
    text = bundle.read_bytes()
    changed = world.directory / "changed.json"
    spots = [*range(0, len(text), len(text) // 60), *range(text.index(b'"anchors"'), len(text), 211)]
    for at in spots:
        changed.write_bytes(text[:at] + bytes([text[at] ^ 1 << at % 8]) + text[at + 1:])
        refused("NOT VERIFIED", "verify", changed, "--policy", with_line)
        if second and at % 8 == 0:
            assert not script(changed, with_line)[0], at
    if second:
        good, facts = script(bundle, with_line, *need)
        assert good and facts["anchors"][0]["block_hash"] == line.split()[4] and facts["anchors"][0]["chain_id"] == str(CHAIN), facts
        good, facts = script(bundle, without, *need)
        assert not good and facts["code"] == "too_few_anchors" and "evm_block_not_in_policy" in facts["message"], facts
    return len(spots)


class SelfAnchoring(evm.World):
    ether_options = {"anchor_every_seconds": 1}

    def transfer_within(self, number):
        """Between accounts of the ledger: evidence is of these."""
        return self.must("POST", "/v1/transfers", {"debit_account": "world/ETH", "credit_account": "users/ETH", "asset": "ETH/18", "amount": str(number)},
                         key=f"within-{number}")["id"]

    def proofs(self):
        return sorted((self.directory / "data/audit/anchors").glob("*.evm"))

    def mined(self):
        """What the chain has of the account's own transactions, with their blocks."""
        last = int(self.chain("eth_blockNumber"), 16)
        blocks = [self.chain("eth_getBlockByNumber", hex(number), True) for number in range(last + 1)]
        return [(one, block) for block in blocks for one in block["transactions"] if one["from"].lower() == self.account.lower()]

    def is_anchor(self, one):
        return one["to"].lower() == self.account.lower() and len(one["input"]) == 2 + 64 and int(one["value"], 16) == 0

    def waiting(self):
        """Anchors that nobody mined yet."""
        waiting = self.chain("txpool_content")
        of_us = [one for each in waiting["pending"].items() if each[0].lower() == self.account.lower() for one in each[1].values()]
        return [one for one in of_us if self.is_anchor(one)]

    def metric(self, name):
        client = json.loads((self.directory / "data/dev/client.json").read_text())
        request = urllib.request.Request(client["operator_url"] + "/metrics", headers={"Authorization": "Bearer " + client["token"]})
        with urllib.request.urlopen(request, timeout=10) as reply:
            lines = reply.read().decode().splitlines()
        return int(next(line for line in lines if line.startswith(name + "{")).split()[-1])


def wait(what):
    until = time.monotonic() + DEADLINE
    while not (found := what()):
        assert time.monotonic() < until, "it does not come about"
        time.sleep(0.1)
    return found


def killed_between_sending_and_storing(world):
    """Once before the block, once after it. A payment waits behind the anchor meanwhile, and others go beside later ones."""
    first = wait(world.waiting)[0]
    payment, names = world.order(1), [world.transfer_within(11)]
    world.wait(payment, lambda one: one["state"] == "accepted")
    end(world.service, signal.SIGKILL)
    assert not world.proofs()
    world.start_service()
    wait(world.waiting)
    world.chain("evm_mine")
    end(world.service, signal.SIGKILL)
    assert not world.proofs()
    world.chain.mining.set()
    world.start_service()
    world.ended(payment)
    wait(world.proofs)
    for name in [world.order(number) for number in (2, 3)]:
        names.append(world.transfer_within(12 + len(names)))
        world.ended(name)
    assert [world.arrived(number) for number in (1, 2, 3)] == [1001, 1002, 1003]
    anchors = [one for one, block in world.mined() if world.is_anchor(one)]
    assert anchors[0]["input"] == first["input"] and anchors[0]["nonce"] == first["nonce"], (anchors[0], first)
    return names


def anchored_by_itself(world, names, second):
    bundles = [wait(lambda: '"kind":"evm"' in (path := evidence(world, name)).read_text() and path) for name in names]
    assert world.metric("holdfast_evm_anchors_total") >= 1 and world.metric("holdfast_evm_anchor_leaves") >= 1
    assert world.metric("holdfast_evm_anchor_block_timestamp_seconds") > 1_700_000_000
    end(world.service)
    mined = world.mined()
    anchors = [(one, block) for one, block in mined if world.is_anchor(one)]
    inputs = [one["input"] for one, block in anchors]
    assert len(set(inputs)) == len(inputs), inputs                                                   # no tree twice
    assert sorted(int(one["nonce"], 16) for one, block in mined) == list(range(len(mined)))
    assert all(world.is_anchor(one) or int(one["value"], 16) > 0 for one, block in mined), mined     # and nothing cancelled
    log, lines, without = run("audit", "policy", "--data", world.directory / "data"), world.directory / "with.txt", world.directory / "without.txt"
    lines.write_text("".join(f"#holdfast-evm-block own {CHAIN} {int(block['number'], 16)} {block['hash']}\n" for one, block in anchors) + log)
    without.write_text(log)
    for bundle in bundles:
        run("verify", bundle, "--policy", lines, "--require", "anchor:1")
        refused("too_few_anchors", "verify", bundle, "--policy", without, "--require", "anchor:1")
        if second:
            assert script(bundle, lines, "--require", "anchor:1")[0], bundle
    return len(anchors)


def play(directory):
    node = find_anvil(pathlib.Path(sys.argv[2]))
    if node is None:
        print("SKIPPED: there is no EVM node: npm cannot install " + PACKAGE)
        sys.exit(77)
    probe = "crypto.subtle.importKey('raw',new Uint8Array(32),{name:'Ed25519'},false,['verify']).catch(e=>process.exit(e.name==='NotSupportedError'?1:0))"
    try:
        second = subprocess.run(["node", "-e", probe], capture_output=True, timeout=60).returncode == 0
    except OSError:
        second = False
    if not second:
        print("no node.js with Ed25519 here: the second verifier was not tried")
    chain = Chain(node, directory)
    try:
        world = World(directory, chain)
        first, later, line = anchored(world)
        spots = verified(world, first, later, line, second)
        world.start_service()
        assert '"kind":"evm"' in evidence(world, first).read_text()
        end(world.service)
        print(f"anchored and verified; {spots} changed bytes were refused")
    finally:
        chain.close()
    by_itself = directory / "by-itself"
    by_itself.mkdir()
    chain = Chain(node, by_itself)
    try:
        world = SelfAnchoring(by_itself, chain)
        count = anchored_by_itself(world, killed_between_sending_and_storing(world), second)
        print(f"anchored by itself: {count} transactions beside the payments of the same account")
    finally:
        chain.close()


if __name__ == "__main__":
    processes.main(__doc__, "anchors", play, arguments=2)
