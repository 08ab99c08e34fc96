#!/usr/bin/env python3
"""A service restored to an earlier time pays anew, against the real processes.

usage: restored.py PROGRAM

A backup is taken, payouts are made after it, and the directory is lost. The restored service knows nothing of those payouts and gives
the numbers of their events out again. The bank still knows their references, and takes a known reference for a repetition: were the
references the same, it would answer with the payments of the past and pay nobody. What it did in the undone history is found by its
statements, which the service fetches by itself: lines that are nothing of ours.
"""
import time

import processes
from processes import PATIENCE, end, settled_at_banks

PROFILES = {"bank-a": {"seed": 31, "settle_at_once": True}}
AMOUNT = 100
UNDONE = 30


class World(processes.World):
    rail_options = {"statement_every_seconds": 1, "statement_lag_seconds": 1}

    def pay(self, key):
        body = {"kind": "payout", "debit_account": "users/1", "asset": "USD/2", "amount": str(AMOUNT), "beneficiary": {"account": "test"}}
        made = self.must("POST", "/v1/transfers", body, key=key)
        until = time.monotonic() + PATIENCE
        while (transfer := self.must("GET", "/v1/transfers/" + made["id"]))["state"] != "settled":
            assert time.monotonic() < until, transfer
            time.sleep(0.05)
        return transfer

    def fetched(self):
        """Lines of the statements that the service fetched, by what they are."""
        items = self.must("GET", "/v1/reconciliations?limit=100")["items"]
        return {result: sum(one["results"][result] for one in items) for result in items[0]["results"]} if items else {"matched": 0, "missing_here": 0}

    def restore(self, backup):
        """The directory in place of the one that was lost, with what is beside the journal of a development directory."""
        end(self.service)
        lost = self.directory / "lost"
        (self.directory / "data").rename(lost)
        for beside in self.directory.glob("data.*"):
            beside.rename(self.directory / ("lost" + beside.name.removeprefix("data")))
        processes.run("restore", "--from", backup, "--data", self.directory / "data")
        self.start_service()


def event_of(transfer):
    """Number of the event that a payment's reference is made of."""
    number = 0
    for digit in transfer["attempts"][0]["reference"][3:16]:
        number = number * 32 + "0123456789abcdefghjkmnpqrstvwxyz".index(digit)
    return number


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
    taken, anew, accounts, distance = {event_of(one) for one in undone}, [world.pay("anew-0")], 0, 11
    while event_of(anew[-1]) not in taken:
        last = event_of(anew[-1])
        missing = min(one for one in taken if one >= last + distance) - last - distance
        for _ in range(missing):       # an event each
            accounts += 1
            world.must("POST", "/v1/accounts", {"id": f"users/new-{accounts}", "asset": "USD/2"}, key=f"account-{accounts}")
        anew.append(world.pay(f"anew-{len(anew)}"))
        distance = event_of(anew[-1]) - last - missing
    second = {attempt["reference"] for transfer in anew for attempt in transfer["attempts"]}
    assert all(reference.endswith("-2") for reference in second), second
    for transfer in anew:
        assert settled_at_banks(world, transfer) == [("bank-a", AMOUNT)], transfer

    until = time.monotonic() + PATIENCE
    while (results := world.fetched())["matched"] < 1 + len(anew) or results["missing_here"] < UNDONE:
        assert time.monotonic() < until, results
        time.sleep(0.2)
    assert results["matched"] == 1 + len(anew) and results["missing_here"] == UNDONE and sum(results.values()) == 1 + len(anew) + UNDONE, results
    assert world.must("GET", "/v1/trial-balance")["balanced"]
    print(f"{UNDONE} payments of the undone history are found at the bank, {len(anew)} were paid anew")


if __name__ == "__main__":
    processes.main(__doc__, "restored", play)
