#!/usr/bin/env python3
"""Payouts over a real EVM chain, against the real service.

usage: evm.py PROGRAM CACHE_DIRECTORY

The node is anvil from npm (@foundry-rs/anvil-linux-amd64), or the program that HOLDFAST_ANVIL names. Between it and the service stands
a proxy that swallows requests and answers. Coins and tokens are paid; the service is killed between send and receipt; a payout is stuck
until its fee was raised; one is voided; the chain forgets a block. In the end every beneficiary was paid exactly once or not at all, as the
ledger says. Exit code 77: skipped, because there is no node to be had.
"""
import http.client
import http.server
import json
import os
import pathlib
import signal
import socket
import subprocess
import sys
import threading
import time

import processes
from processes import ENDED, end

CHAIN = 31337
PACKAGE = "@foundry-rs/anvil-linux-amd64"
DEADLINE = 30.0          # seconds for anything to come about
PROMISED = ["idempotent_reference", "inquiry", "void"]   # what is true of a chain
SUPPLY = 10**12
TRANSFER = "ddf252ad1be2c89b69c2b068fc378daa952ba7f163c4a11628f55a4df523b3ef"


def find_anvil(cache):
    """Path of the node's program, installed if need be; nothing if it cannot be."""
    if "HOLDFAST_ANVIL" in os.environ:
        return os.environ["HOLDFAST_ANVIL"]
    program = cache / "node_modules" / PACKAGE / "bin" / "anvil"
    if not program.exists():
        cache.mkdir(parents=True, exist_ok=True)
        try:
            subprocess.run(["npm", "install", "--no-audit", "--no-fund", "--prefix", cache, PACKAGE], check=True, capture_output=True, timeout=120)
        except (OSError, subprocess.SubprocessError) as why:
            print(f"npm: {why}")
    return str(program) if program.exists() else None


def token_code():
    """A token of our own in a few bytes: balanceOf and transfer; whoever makes it has everything."""
    balance_at, transfer_at, fail_at = 0x21, 0x2f, 0x92
    code = bytes.fromhex(
        f"60003560e01c8063{'70a08231'}1460{balance_at:02x}5763{'a9059cbb'}1460{transfer_at:02x}57600080fd")
    code += b"\x00" * (balance_at - len(code))
    code += bytes.fromhex("5b6004355460005260206000f3")                      # balanceOf: the slot of the address
    code += b"\x00" * (transfer_at - len(code))
    code += bytes.fromhex(
        f"5b602435803354" f"1060{fail_at:02x}57"                             # amount, and enough of it
        "803354033355"                                                       # the sender's slot
        "8060043554016004" "3555"                                            # the beneficiary's
        "600052" f"600435337f{TRANSFER}60206000a3"                           # the event
        "600160005260206000f3")
    assert len(code) <= fail_at, len(code)
    code += b"\x00" * (fail_at - len(code)) + bytes.fromhex("5b600080fd")
    head = bytes.fromhex(f"67{SUPPLY:016x}3355" f"60{len(code):02x}80" "6016" "6000" "39" "6000f3")
    assert len(head) == 0x16, len(head)
    return "0x" + (head + code).hex()


class Chain:
    """The node, and what a person could look up in it."""

    def __init__(self, program, directory):
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.process = subprocess.Popen([program, "--host", "127.0.0.1", "--port", str(self.port), "--chain-id", str(CHAIN), "--no-mining"],
                                        stdout=open(directory / "anvil.log", "wb"), stderr=subprocess.STDOUT)
        until = time.monotonic() + DEADLINE
        while True:
            try:
                self("eth_chainId")
                break
            except OSError:
                assert time.monotonic() < until and self.process.poll() is None, "the node does not come up"
                time.sleep(0.1)
        self.mining = threading.Event()
        self.running = True
        self.miner = threading.Thread(target=self.mine_on)
        self.miner.start()

    def __call__(self, method, *params):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        try:
            connection.request("POST", "/", json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": params}), {"Content-Type": "application/json"})
            reply = json.loads(connection.getresponse().read())
        finally:
            connection.close()
        assert "error" not in reply, (method, reply)
        return reply["result"]

    def mine_on(self):
        while self.running:
            if self.mining.is_set():
                self("evm_mine")
            time.sleep(0.15)

    def close(self):
        self.running = False
        self.miner.join()
        self.process.kill()
        self.process.wait()

    def carry(self, transaction):
        """By one of the node's own accounts."""
        name = self("eth_sendTransaction", dict(transaction, **{"from": self("eth_accounts")[0], "gas": hex(1_000_000)}))
        self("evm_mine")
        receipt = self("eth_getTransactionReceipt", name)
        assert receipt["status"] == "0x1", receipt
        return receipt

    def balance(self, address):
        return int(self("eth_getBalance", address, "latest"), 16)

    def token_balance(self, token, address):
        return int(self("eth_call", {"to": token, "data": "0x70a08231" + address[2:].lower().rjust(64, "0")}, "latest"), 16)

    def count(self, address, when="latest"):
        return int(self("eth_getTransactionCount", address, when), 16)


class Proxy:
    """Between the service and the node: swallows what is sent to be mined, or what is answered to it, while it is told to."""

    def __init__(self, port):
        proxy = self
        self.loses = None   # "request" or "reply"

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                lost = proxy.loses if b"eth_sendRawTransaction" in body else None
                if lost == "request":
                    self.close_connection = True
                    return
                node = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
                node.request("POST", "/", body, {"Content-Type": "application/json"})
                reply = node.getresponse().read()
                node.close()
                if lost == "reply":
                    self.close_connection = True
                    return
                self.send_response(200)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(reply)))
                self.end_headers()
                self.wfile.write(reply)

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.server.handle_error = lambda *_: None   # a service that is killed resets its connections
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()


class World(processes.World):
    ether_options = {}   # more fields of the rail "ether" in the file of rails

    def __init__(self, directory, chain):
        self.directory, self.chain = directory, chain
        self.config = directory / "config.toml"
        self.config.write_text(f'[rails]\nfile = "{directory}/rails.json"\n')
        self.listen = "127.0.0.1:0"
        (directory / "rails.json").write_text('{"rails": []}')
        self.start_service()
        # Before the file names its driver nobody knows what it can do.
        self.must("POST", "/v1/assets", {"code": "EAG/18"}, key="asset-EAG")
        self.must("POST", "/v1/rails", {"name": "eager", "asset": "EAG/18", "capabilities": PROMISED + ["expiry"]}, key="rail-eager")
        end(self.service)
        made = subprocess.run([processes.program, "keyring", "chain", "evm-hot", "--chain-id", str(CHAIN), "--data", directory / "data"],
                              check=True, capture_output=True, text=True)
        self.account = made.stdout.strip()
        chain.carry({"to": self.account, "value": hex(10**19)})
        self.contract = chain.carry({"data": token_code()})["contractAddress"]
        chain.carry({"to": self.contract, "data": "0xa9059cbb" + self.account[2:].lower().rjust(64, "0") + f"{SUPPLY // 2:064x}"})
        self.proxy = Proxy(chain.port)
        common = {"driver": "evm", "url": self.proxy.url, "chain_id": CHAIN, "key": "evm-hot", "confirmations": 3, "bump_after_ms": 1500,
                  "inquiry_timeout_ms": 1000}
        (directory / "rails.json").write_text(json.dumps({"rails": [dict(common, name="ether", asset="ETH/18", **self.ether_options),
                                                                    dict(common, name="token", asset="TKN/6", token=self.contract),
                                                                    dict(common, name="eager", asset="EAG/18")]}))
        self.start_service()
        self.paid = {}   # beneficiary's address: (asset, amount), of what has to arrive
        for code, rail in (("ETH/18", "ether"), ("TKN/6", "token"), ("EAG/18", "eager")):
            name = code.split("/")[0]
            self.must("POST", "/v1/assets", {"code": code}, key="asset-" + name)
            self.must("POST", "/v1/accounts", {"id": "users/" + name, "asset": code}, key="account-" + name)
            self.must("POST", "/v1/transfers", {"debit_account": "world/" + name, "credit_account": "users/" + name, "asset": code, "amount": str(10**18)},
                      key="fund-" + name)
            if rail == "eager":
                continue
            self.must("POST", "/v1/rails", {"name": rail, "asset": code, "reply_timeout_ms": 1500, "send_window_ms": 1500, "inquiry_first_ms": 200,
                                            "inquiry_max_ms": 500, "visibility_horizon_ms": 500, "settle_within_ms": 300, "inquiries_max": 500,
                                            "capabilities": PROMISED}, key="rail-" + rail)

    def order(self, number, asset="ETH/18", amount=None, address=None, **more):
        body = {"kind": "payout", "debit_account": "users/" + asset.split("/")[0], "asset": asset, "amount": str(amount or 1000 + number),
                "beneficiary": {"address": address or f"0x{0xbe0000 + number:040x}"}, **more}
        return self.must("POST", "/v1/transfers", body, key=f"payout-{number}")["id"]

    def transfer(self, name):
        return self.must("GET", "/v1/transfers/" + name)

    def wait(self, name, what, seconds=DEADLINE):
        """Until something holds of a transfer."""
        until = time.monotonic() + seconds
        while not what(transfer := self.transfer(name)):
            assert time.monotonic() < until, json.dumps(transfer)
            time.sleep(0.1)
        return transfer

    def ended(self, name, state="settled"):
        transfer = self.wait(name, lambda one: one["state"] in ENDED)
        assert transfer["state"] == state, json.dumps(transfer)
        return transfer

    def arrived(self, number, asset="ETH/18"):
        address = f"0x{0xbe0000 + number:040x}"
        return self.chain.balance(address) if asset == "ETH/18" else self.chain.token_balance(self.contract, address)


def coins_and_tokens(world):
    """Many at once, and the service killed between send and receipt."""
    world.chain.mining.clear()
    kinds = ["ETH/18"] * 8 + ["TKN/6"] * 4
    names = [world.order(number, asset) for number, asset in enumerate(kinds)]
    for name in names:
        world.wait(name, lambda one: one["state"] in ("accepted", "outcome_unknown"))
    end(world.service, signal.SIGKILL)
    world.chain.mining.set()
    world.start_service()
    for name in names:
        world.ended(name)
    for number, asset in enumerate(kinds):
        assert world.arrived(number, asset) == 1000 + number, (number, asset)


def killed_while_sending(world):
    """Killed at no particular moment: what was signed and not answered is found out."""
    names = []
    for number in range(20, 26):
        names.append(world.order(number))
        time.sleep(0.01 * (number - 20))
        if number in (22, 25):
            end(world.service, signal.SIGKILL)
            world.start_service()
    for name in names:
        world.ended(name)
    for number in range(20, 26):
        assert world.arrived(number) == 1000 + number, number


def unknown_because(world, number, loses):
    world.proxy.loses = loses
    name = world.order(number)
    world.wait(name, lambda one: one["state"] == "outcome_unknown")
    world.proxy.loses = None
    return world.ended(name)


def answers_lost(world):
    """The node has it and we do not know."""
    transfer = unknown_because(world, 30, "reply")
    assert len(transfer["attempts"]) == 1 and world.arrived(30) == 1030, json.dumps(transfer)


def voided(world):
    """It never arrived anywhere: its nonce is used up by something else, then it is paid by another attempt."""
    transfer = unknown_because(world, 40, "request")
    reasons = [report.get("reason") for attempt in transfer["attempts"] for report in attempt["reports"]]
    assert "tombstoned" in reasons and len(transfer["attempts"]) == 2, json.dumps(transfer)
    assert world.arrived(40) == 1040


def stuck(world):
    """Nobody mines it: more is offered for the same nonce."""
    world.chain.mining.clear()
    name = world.order(50)
    world.wait(name, lambda one: one["state"] == "accepted")
    nonce = world.chain.count(world.account)
    fees = set()
    until = time.monotonic() + DEADLINE
    while len(fees) < 2:
        waiting = world.chain("txpool_content")["pending"]
        of_us = next(each for address, each in waiting.items() if address.lower() == world.account.lower())
        assert set(of_us) == {str(nonce)}, of_us
        fees.add(int(of_us[str(nonce)]["maxFeePerGas"], 16))
        assert time.monotonic() < until, "the fee was not raised"
        time.sleep(0.1)
    assert max(fees) * 8 >= min(fees) * 9, fees
    world.chain.mining.set()
    world.ended(name)
    assert world.arrived(50) == 1050 and world.chain.count(world.account) == nonce + 1


def reorganised(world):
    """The block with the payment is forgotten, and the node forgets the payment with it."""
    world.chain.mining.clear()
    before = world.chain("evm_snapshot")
    name = world.order(60)
    world.wait(name, lambda one: one["state"] == "accepted")
    world.chain("evm_mine")
    assert world.arrived(60) == 1060
    time.sleep(1)
    assert world.transfer(name)["state"] == "accepted"
    assert world.chain("evm_revert", before)
    assert world.arrived(60) == 0
    world.chain.mining.set()
    world.ended(name)
    assert world.arrived(60) == 1060


def refused(world):
    wrong = world.order(70, address="0x5aAeb6053F3E94C9b9A09f33669435E7Ef1Beaed")
    transfer = world.ended(wrong, "failed")
    assert transfer["attempts"][0]["reports"][0].get("reason") == "beneficiary_account_invalid", transfer
    reverted = world.ended(world.order(71, address=world.contract), "failed")   # a contract that takes no coins
    assert reverted["attempts"][0]["reports"][0].get("reason") == "beneficiary_refused", reverted


def promised_too_much(world):
    """As if a chain could refuse what is late: no such registration; of one from before no byte goes out, nothing is signed."""
    status, refusal = world.call("POST", "/v1/rails", {"name": "ether", "asset": "ETH/18", "capabilities": PROMISED + ["expiry"]}, key="rail-late")
    assert (status, refusal["code"]) == (422, "rail_beyond_driver") and "expiry" in refusal["detail"], refusal
    counted = world.metric("holdfast_rail_sends_beyond_driver_total")
    before = world.chain.count(world.account, "pending")
    name = world.order(72, "EAG/18")
    transfer = world.wait(name, lambda one: any(attempt["reports"] for attempt in one["attempts"]))
    report = transfer["attempts"][0]["reports"][0]
    assert (report["result"], report["reason"]) == ("not_sent", "rail_beyond_driver"), json.dumps(transfer)
    assert transfer["state"] not in ENDED or transfer["state"] == "failed", json.dumps(transfer)
    assert world.chain.count(world.account, "pending") == before and world.arrived(72) == 0
    assert world.metric("holdfast_rail_sends_beyond_driver_total") > counted


def books_agree(world):
    """What the ledger says was paid is what arrived."""
    for asset in ("ETH/18", "TKN/6"):
        account = world.must("GET", "/v1/accounts/users%2F" + asset.split("/")[0])
        balance = account.get("balance", account)
        arrived = sum(world.arrived(number, asset) for number in range(80))
        assert int(balance["debits_posted"]) == arrived and int(balance["debits_pending"]) == 0, (asset, balance, arrived)
    assert world.chain.token_balance(world.contract, world.account) == SUPPLY // 2 - sum(world.arrived(number, "TKN/6") for number in range(80))
    assert world.chain.count(world.account) == world.chain.count(world.account, "pending")
    assert world.must("GET", "/v1/trial-balance")["balanced"]
    return world.chain.count(world.account)


def play(directory):
    node = find_anvil(pathlib.Path(sys.argv[2]))
    if node is None:
        print("SKIPPED: there is no EVM node: npm cannot install " + PACKAGE)
        sys.exit(77)
    chain = Chain(node, directory)
    try:
        world = World(directory, chain)
        chain.mining.set()
        for scene in (coins_and_tokens, killed_while_sending, answers_lost, voided, stuck, reorganised, refused, promised_too_much):
            began = time.monotonic()
            scene(world)
            print(f"{scene.__name__}: {time.monotonic() - began:.1f} s", flush=True)
        print(f"the books agree; {books_agree(world)} transactions were mined")
    finally:
        chain.close()


if __name__ == "__main__":
    processes.main(__doc__, "evm", play, arguments=2)
