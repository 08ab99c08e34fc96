#!/usr/bin/env python3
"""A service restored to an earlier time pays anew, against the real processes.

usage: restored.py PROGRAM

A backup is taken, payouts are made after it, and the directory is lost. The restored service knows nothing of those payouts and gives
the numbers of their events out again. The bank still knows their references, and takes a known reference for a repetition: were the
references the same, it would answer with the payments of the past and pay nobody. What it did in the undone history is found by its
statement: lines that are nothing of ours.
"""
import ssl
import time
import urllib.request

import processes
from processes import PATIENCE, end, settled_at_banks

PROFILES = {"bank-a": {"seed": 31, "settle_at_once": True}}
AMOUNT = 100
UNDONE = 30


class World(processes.World):
    bank_options = ["--accept-unsigned"]   # its statement is fetched by this test

    def pay(self, key):
        body = {"kind": "payout", "debit_account": "users/1", "asset": "USD/2", "amount": str(AMOUNT), "beneficiary": {"account": "test"}}
        made = self.must("POST", "/v1/transfers", body, key=key)
        until = time.monotonic() + PATIENCE
        while (transfer := self.must("GET", "/v1/transfers/" + made["id"]))["state"] != "settled":
            assert time.monotonic() < until, transfer
            time.sleep(0.05)
        return transfer

    def restore(self, backup):
        """The directory in place of the one that was lost, with what is beside the journal of a development directory."""
        end(self.service)
        lost = self.directory / "lost"
        (self.directory / "data").rename(lost)
        for beside in self.directory.glob("data.*"):
            beside.rename(self.directory / ("lost" + beside.name.removeprefix("data")))
        processes.run("restore", "--from", backup, "--data", self.directory / "data")
        self.start_service()


def references(transfers):
    return {attempt["reference"] for transfer in transfers for attempt in transfer["attempts"]}


def statement(world, name):
    rail = world.rail(name)
    url = f"{rail['url']}/v1/statements?from=2020-01-01T00:00:00Z&to=2100-01-01T00:00:00Z"
    with urllib.request.urlopen(url, context=ssl.create_default_context(cafile=rail["ca_file"]), timeout=10) as reply:
        return reply.read().decode()


def play(directory):
    world = World(directory, PROFILES)
    world.must("POST", "/v1/assets", {"code": "USD/2"})
    world.must("POST", "/v1/accounts", {"id": "users/1", "asset": "USD/2"})
    world.must("POST", "/v1/transfers", {"debit_account": "world/USD", "credit_account": "users/1", "asset": "USD/2", "amount": "100000"})
    world.must("POST", "/v1/rails", {"name": "bank-a", "asset": "USD/2",
                                     "capabilities": ["idempotent_reference", "inquiry", "void", "expiry", "callback", "statement"]})
    kept = world.pay("before")
    processes.run("backup", "--data", directory / "data", "--to", directory / "backup")
    undone = [world.pay(f"undone-{i}") for i in range(UNDONE)]
    world.restore(directory / "backup")
    assert world.must("GET", "/v1/transfers/" + kept["id"])["attempts"] == kept["attempts"]
    # Until a number comes again that a payment of the undone history had: without one this test would pass by luck.
    first, second, anew = references(undone), set(), []
    while not first & {reference.removesuffix("-2") for reference in second}:
        assert len(anew) < UNDONE, (first, second)
        number = len(anew)
        anew.append(world.pay(f"anew-{number}"))
        second |= references(anew[-1:])
        for i in range(number % 2 + 1):
            world.must("POST", "/v1/accounts", {"id": f"users/new-{number}-{i}", "asset": "USD/2"}, key=f"account-{number}-{i}")
    assert all(reference.endswith("-2") for reference in second), second
    for transfer in anew:
        assert settled_at_banks(world, transfer) == [("bank-a", AMOUNT)], transfer

    lines = statement(world, "bank-a")
    status, reply = world.upload("bank-a", lines, "text/csv", "statement")
    assert status == 201, reply
    report = world.must("GET", "/v1/reconciliations/" + reply["id"])
    assert report["results"]["matched"] == 1 + len(anew) and report["results"]["missing_here"] == UNDONE, report
    assert world.must("GET", "/v1/trial-balance")["balanced"]
    print(f"{UNDONE} payments of the undone history are found at the bank, {len(anew)} were paid anew")


if __name__ == "__main__":
    processes.main(__doc__, "restored", play)
