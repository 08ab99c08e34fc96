#!/usr/bin/env python3
"""Payouts through three banks that misbehave, against the real processes.

usage: payouts.py PROGRAM

Banks lose replies, commit and answer 503, cut their JSON short, repeat callbacks and refuse for a while; one of them is killed and
comes back, and so is the service, in the middle of the load. In the end every payout has ended, what the service says of it is what
the banks' books say, nobody was paid twice, debits equal credits, and strangers can check evidence of what became of payouts. Standard library and openssl only; loopback only; every
process that was started is ended by its id.
"""
import concurrent.futures
import json
import signal
import ssl
import time

import evidence
import processes
from processes import ENDED, PATIENCE, World, end, settled_at_banks

PAYOUTS = 150
DEADLINE = 90.0       # seconds for all payouts to end
PROFILES = {
    "bank-a": {"seed": 11, "settle_after_ms": 100, "settle_jitter_ms": 100, "tell_accepted": True,
               "faults": [{"fault": "lost_reply", "per_million": 150000}, {"fault": "refuse", "reason": "rate_limited", "per_million": 300000}, {"fault": "duplicate_callback", "per_million": 300000, "times": 5}]},
    "bank-b": {"seed": 12, "settle_at_once": True,
               "faults": [{"fault": "error_committed", "per_million": 100000}, {"fault": "truncated_json", "per_million": 100000},
                          {"fault": "lost_callback", "per_million": 300000}]},
    "bank-c": {"seed": 13, "settle_after_ms": 50,
               "faults": [{"fault": "refuse", "reason": "rate_limited", "period_ms": 1000, "active_ms": 300},
                          {"fault": "lost_request", "per_million": 100000}, {"fault": "reordered_callback", "per_million": 300000}]},
}


def pay(world, number):
    """Asks until there is an answer, under one key: the service may be away."""
    body = {"kind": "payout", "debit_account": "users/1", "asset": "USD/2", "amount": str(100 + number),
            "beneficiary": {"account": f"test-{number}"}}
    until = time.monotonic() + DEADLINE
    while time.monotonic() < until:
        try:
            status, reply = world.call("POST", "/v1/transfers", body, f"payout-{number}")
            if status < 500:
                assert status == 202, reply
                return reply
        except (OSError, ssl.SSLError, ValueError):
            pass
        time.sleep(0.1)
    raise AssertionError("no answer")


def reached_by_nobody(world):
    """A rail that is registered and not in the file of rails: nothing leaves, and the money comes back when the time is up."""
    world.must("POST", "/v1/assets", {"code": "EUR/2"}, key="asset-2")
    world.must("POST", "/v1/accounts", {"id": "users/2", "asset": "EUR/2"}, key="account-2")
    world.must("POST", "/v1/transfers", {"debit_account": "world/EUR", "credit_account": "users/2", "asset": "EUR/2", "amount": "10"}, key="fund-2")
    world.must("POST", "/v1/rails", {"name": "nowhere", "asset": "EUR/2"}, key="rail-nowhere")
    lost = world.must("POST", "/v1/transfers", {"kind": "payout", "debit_account": "users/2", "asset": "EUR/2", "amount": "10",
                                                "beneficiary": {"account": "test"}, "send_within_seconds": 2}, key="payout-nowhere")
    until = time.monotonic() + PATIENCE
    while (transfer := world.must("GET", "/v1/transfers/" + lost["id"]))["state"] != "failed":
        assert time.monotonic() < until, transfer
        time.sleep(0.2)
    results = {report["result"] for attempt in transfer["attempts"] for report in attempt["reports"]}
    assert results <= {"not_sent"} and transfer["balance"]["available"] == "10", transfer


def prove(world, transfers):
    """Evidence of the payouts with the longest stories and of the shortest, for strangers."""
    by_length = sorted(transfers.values(), key=lambda transfer: len(transfer["history"]))
    shown = {transfer["id"]: transfer for transfer in by_length[-8:] + by_length[:2]}
    bundles = {one: evidence.fetch(world.base, world.token, world.context, "/v1/transfers/" + one) for one in shown}
    bare = evidence.fetch(world.base, world.token, world.context, f"/v1/transfers/{by_length[0]['id']}", "?disclose=none")
    assert b'"salt"' not in bare and b'"transfer_beneficiary"' in bundles[by_length[0]["id"]]
    end(world.service)
    for one, facts in evidence.check(world.directory, world.directory / "data", bundles).items():
        transfer = shown[one]
        assert facts["state"] == transfer["state"] and len(facts["steps"]) == len(transfer["history"]), (facts, transfer)
        assert len(facts["attempts"]) == len(transfer["attempts"]) and "\"users/1\"" in facts["account"], (facts, transfer)
    return len(bundles)


def play(directory):
    world = World(directory, PROFILES)
    world.must("POST", "/v1/assets", {"code": "USD/2"})
    world.must("POST", "/v1/accounts", {"id": "users/1", "asset": "USD/2"})
    world.must("POST", "/v1/transfers", {"debit_account": "world/USD", "credit_account": "users/1", "asset": "USD/2", "amount": "1000000"})
    for cost, name in enumerate(PROFILES):
        world.must("POST", "/v1/rails", {"name": name, "asset": "USD/2", "cost_fixed": str(cost), "reply_timeout_ms": 700, "send_window_ms": 1500,
                                         "inquiry_first_ms": 200, "inquiry_max_ms": 1000, "visibility_horizon_ms": 1000, "settle_within_ms": 2000,
                                         "capabilities": ["idempotent_reference", "inquiry", "void", "expiry", "callback", "statement", "recall"]},
                   key="rail-" + name)
    with concurrent.futures.ThreadPoolExecutor(8) as threads:
        first = [threads.submit(pay, world, number) for number in range(PAYOUTS)]
        while sum(one.done() for one in first) < PAYOUTS // 4:
            time.sleep(0.02)
        end(world.banks["bank-b"], signal.SIGKILL)
        while sum(one.done() for one in first) < PAYOUTS // 2:
            time.sleep(0.02)
        end(world.service, signal.SIGKILL)
        world.start_service()
        world.start_bank("bank-b")
        world.steer("bank-b")
        replies = [one.result() for one in first]
    # The same keys again are the same payouts, in the same words, whatever became of them since.
    assert [pay(world, number) for number in range(0, PAYOUTS, 10)] == replies[::10]
    ids = [reply["id"] for reply in replies]
    assert len(set(ids)) == PAYOUTS

    until = time.monotonic() + DEADLINE
    transfers = {}
    while len(transfers) < PAYOUTS:
        for transfer_id in ids:
            if transfer_id not in transfers:
                transfer = world.must("GET", "/v1/transfers/" + transfer_id)
                if transfer["state"] in ENDED:
                    transfers[transfer_id] = transfer
                else:
                    waiting = transfer
        if len(transfers) < PAYOUTS:
            assert time.monotonic() < until, f"{PAYOUTS - len(transfers)} payouts have not ended; one of them: {json.dumps(waiting)}"
            time.sleep(0.5)

    paid = unknown = rerouted = 0
    for transfer in transfers.values():
        at_banks = settled_at_banks(world, transfer)
        amount = int(transfer["amount"])
        assert len(at_banks) <= 1, f"paid twice: {json.dumps(transfer)}"
        if transfer["state"] == "settled":
            assert at_banks == [(transfer["rail"], amount)], (at_banks, transfer)
            paid += amount
        else:
            assert at_banks == [], (at_banks, transfer)
        unknown += any(step["to"] == "outcome_unknown" for step in transfer["history"])
        rerouted += len(transfer["attempts"]) > 1
    account = world.must("GET", "/v1/accounts/users%2F1")
    balance = account.get("balance", account)
    assert int(balance["debits_posted"]) == paid and int(balance["debits_pending"]) == 0, (balance, paid)
    reached_by_nobody(world)
    assert world.must("GET", "/v1/trial-balance")["balanced"]
    settled = sum(one["state"] == "settled" for one in transfers.values())
    # A test that met none of what it is about has shown nothing.
    assert unknown > 0 and rerouted > 0 and settled > PAYOUTS // 2, (unknown, rerouted, settled)
    proven = prove(world, transfers)
    print(f"{PAYOUTS} payouts: {settled} settled, {PAYOUTS - settled} not; {unknown} were unknown for a while, {rerouted} took more than one attempt; "
          f"{paid} paid, as the banks say; evidence of {proven} holds")


if __name__ == "__main__":
    processes.main(__doc__, "payouts", play)
