#!/usr/bin/env python3
"""Statements of banks that misbehave, against the real processes.

usage: reconciliation.py PROGRAM

Payouts through two banks that lose replies, carry out what they refused, and pay other amounts. One of them gives no answers to
questions for a while: only its statement can say what it did. Their statements are written as CSV, camt.053 and MT940, and brought in
in random order and twice. In the end every line has found its payout, what does not agree is an exception, two people write off
what has to be written off, and the rail's clearing account is what the bank's book says. Standard library and openssl only.
"""
import datetime
import json
import random
import signal
import ssl
import time
import urllib.request

import processes

PAYOUTS = 40
WAIT = 20.0
PROFILES = {
    "bank-a": {"seed": 21, "settle_after_ms": 50,
               "faults": [{"fault": "lost_reply", "per_million": 200000}, {"fault": "lost_callback", "per_million": 500000},
                          {"fault": "late_success", "reason": "beneficiary_refused", "per_million": 100000}]},
    "bank-b": {"seed": 22, "settle_at_once": True,
               "faults": [{"fault": "black_hole", "on": "inquire"}, {"fault": "lost_reply", "per_million": 300000}, {"fault": "lost_callback"},
                          {"fault": "wrong_amount", "per_million": 150000}]},
}
HEADER = "booked_at,reference,rail_reference,amount,asset,direction,type\n"


class World(processes.World):
    bank_options = ["--accept-unsigned"]

    def statement(self, name, begin, end):
        rail = self.rail(name)
        url = f"{rail['url']}/v1/statements?from={begin}&to={end}"
        with urllib.request.urlopen(url, context=ssl.create_default_context(cafile=rail["ca_file"]), timeout=10) as reply:
            text = reply.read().decode()
        assert text.startswith(HEADER), text
        return [dict(zip(HEADER.strip().split(","), line.split(","))) for line in text.splitlines()[1:]]

    def person(self, name):
        """A token of a person who may decide."""
        made = self.must("POST", "/v1/clients", {"name": name, "kind": "person", "scopes": ["reconciliation:write", "transfers:read"]}, key="client-" + name)
        status, reply = processes.ask(self.base + "/v1/token", "POST", {"client_id": made["id"], "refresh_secret": made["refresh_secret"]},
                                    {"Content-Type": "application/json"}, self.context)
        assert status == 200, reply
        return reply["access_token"]

    def exceptions(self):
        """All open ones, without what depends on the order of things."""
        found, cursor = [], ""
        for one in self.must("GET", "/v1/reconciliations?limit=100")["items"] + [{"id": "orphans"}]:
            while True:
                page = self.must("GET", f"/v1/reconciliations/{one['id']}?limit=100{cursor}")
                found += [exception for exception in page["exceptions"] if exception["state"] == "open"]
                cursor = f"&cursor={page['next_cursor']}" if "next_cursor" in page else ""
                if not cursor:
                    break
        return found

    def compared(self):
        until = time.monotonic() + WAIT
        while True:
            items = self.must("GET", "/v1/reconciliations?limit=100")["items"]
            if all(one["compared"] for one in items):
                return
            assert time.monotonic() < until, items
            time.sleep(0.1)

    def posted(self, account):
        balance = self.must("GET", "/v1/accounts/" + account.replace("/", "%2F"))
        balance = balance.get("balance", balance)
        return int(balance["credits_posted"]) - int(balance["debits_posted"])


def decimal(amount):
    return f"{amount // 100}.{amount % 100:02}"


def as_csv(lines):
    return HEADER + "".join(",".join(line[name] for name in HEADER.strip().split(",")) + "\n" for line in lines)


def as_camt(lines, day):
    entries = "".join(
        f"<Ntry><Amt Ccy=\"USD\">{decimal(int(line['amount']))}</Amt><CdtDbtInd>{'DBIT' if line['direction'] == 'debit' else 'CRDT'}</CdtDbtInd>"
        f"<Sts><Cd>BOOK</Cd></Sts><BookgDt><DtTm>{line['booked_at']}</DtTm></BookgDt><NtryDtls><TxDtls><Refs><AcctSvcrRef>{line['rail_reference']}"
        f"</AcctSvcrRef><EndToEndId>{line['reference']}</EndToEndId></Refs><RltdPties><Cdtr><Nm>Somebody</Nm></Cdtr></RltdPties></TxDtls></NtryDtls></Ntry>"
        for line in lines)
    return (f"<?xml version=\"1.0\"?><Document xmlns=\"urn:iso:std:iso:20022:tech:xsd:camt.053.001.08\"><BkToCstmrStmt><Stmt><Id>{day}</Id>"
            f"<FrToDt><FrDtTm>{day}T00:00:00</FrDtTm><ToDtTm>{day}T23:59:59</ToDtTm></FrToDt>{entries}</Stmt></BkToCstmrStmt></Document>")


def as_mt940(lines, day):
    short = day[2:4] + day[5:7] + day[8:10]
    total = 10_000_000
    text = f":20:{short}\n:25:HOLDFAST\n:28C:1/1\n:60F:C{short}USD{decimal(total).replace('.', ',')}\n"
    for line in lines:
        amount = int(line["amount"])
        total += amount if line["direction"] == "credit" else -amount
        text += f":61:{short}{short[2:]}{'C' if line['direction'] == 'credit' else 'D'}{decimal(amount).replace('.', ',')}NTRF{line['reference']}//{line['rail_reference']}\n:86:Somebody\n"
    return text + f":62F:C{short}USD{decimal(total).replace('.', ',')}\n-\n"


def found_no_room(world):
    """A file in three parts, and room for the first: the same request goes on where it stopped, once there is more."""
    settings = world.config.read_text()

    def restart_with(lines):
        processes.end(world.service)
        world.config.write_text(settings + f"[reconciliation]\nlines_max = {lines}\n")
        world.start_service()

    def take(key="large"):
        return world.upload("bank-a", text, "text/csv", key, "2026-01-01T00:00:00Z", "2026-01-02T00:00:00Z")

    text = HEADER + "".join(f"2026-01-01T10:00:00Z,,large-{number},{number + 1},USD/2,debit,payout\n" for number in range(2_500))
    restart_with(1_800)
    for _ in range(2):
        status, refused = take()
        assert (status, refused["code"]) == (503, "too_many_statement_lines"), refused
    restart_with(10_000)
    status, taken = take()
    assert status == 201 and taken["lines"] == 2_500 and not taken["taken_before"], taken
    statement = world.must("GET", "/v1/reconciliations/" + taken["id"])
    assert statement["complete"] and statement["results"]["missing_here"] == 2_500, statement
    assert take() == (201, taken) and take("again")[1]["taken_before"]


def listed_by_their_lines(world):
    """A line that agrees better turns up in a later file: the one that it leaves without a payout is an exception of its own file."""
    for number in range(20):
        name = world.must("POST", "/v1/transfers", {"kind": "payout", "debit_account": "users/1", "asset": "USD/2", "amount": "5000", "rail": "bank-a",
                                                    "beneficiary": {"account": "somebody"}}, key=f"better-{number}")["id"]
        until = time.monotonic() + WAIT
        while (transfer := world.must("GET", "/v1/transfers/" + name))["state"] not in processes.ENDED:
            assert time.monotonic() < until, transfer
            time.sleep(0.2)
        if transfer["state"] == "settled":
            break
    reference, now = transfer["attempts"][-1]["reference"], datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
    files = []
    for amount in (5001, 5000):
        status, taken = world.upload("bank-a", HEADER + f"{now},{reference},better-{amount},{amount},USD/2,debit,payout\n", "text/csv", f"better-{amount}")
        assert status == 201, taken
        files.append(taken["id"])
    found = [(one["statement"], one["kind"]) for one in world.exceptions()]
    assert found == [(files[0], "duplicate")], found
    counts = [world.must("GET", "/v1/reconciliations/" + name)["open_exceptions"] for name in files]
    assert counts == [1, 0], counts


def play(directory):
    world = World(directory, PROFILES)
    begin = datetime.datetime.now(datetime.timezone.utc)
    world.must("POST", "/v1/assets", {"code": "USD/2"})
    world.must("POST", "/v1/accounts", {"id": "users/1", "asset": "USD/2"})
    world.must("POST", "/v1/transfers", {"debit_account": "world/USD", "credit_account": "users/1", "asset": "USD/2", "amount": "1000000"})
    for cost, name in enumerate(PROFILES):
        world.must("POST", "/v1/rails", {"name": name, "asset": "USD/2", "reply_timeout_ms": 500, "send_window_ms": 1000, "inquiry_first_ms": 200,
                                         "inquiry_max_ms": 400, "inquiries_max": 3, "visibility_horizon_ms": 200, "settle_within_ms": 1000,
                                         "capabilities": ["idempotent_reference", "inquiry", "callback", "statement"]}, key="rail-" + name)
    ids = []
    for number in range(PAYOUTS):
        body = {"kind": "payout", "debit_account": "users/1", "asset": "USD/2", "amount": str(1000 + number), "rail": f"bank-{'ab'[number % 2]}",
                "beneficiary": {"account": f"test-{number}"}}
        ids.append(world.must("POST", "/v1/transfers", body, key=f"payout-{number}")["id"])

    # Asking leads to an end at one bank and to nothing at the other.
    quiet = processes.ENDED | {"manual_review"}
    until = time.monotonic() + WAIT
    while True:
        states = [world.must("GET", "/v1/transfers/" + one)["state"] for one in ids]
        if all(state in quiet for state in states):
            break
        assert time.monotonic() < until, states
        time.sleep(0.3)
    assert "manual_review" in states, states
    time.sleep(0.5)

    day = begin.strftime("%Y-%m-%d")
    tomorrow = (begin + datetime.timedelta(days=1)).strftime("%Y-%m-%d")
    files, books = [], {}
    for name in PROFILES:
        lines = world.statement(name, f"{day}T00:00:00Z", f"{tomorrow}T00:00:00Z")
        books[name] = sum(int(line["amount"]) * (1 if line["direction"] == "debit" else -1) for line in lines)
        third = len(lines) // 3
        strange = {**lines[0], "reference": "somebody", "rail_reference": name + "-fee", "amount": "7"}
        books[name] += 7
        files += [(name, as_csv(lines[:2 * third]), "text/csv"), (name, as_csv(lines[third:] + [strange]), "text/csv"),
                  (name, as_camt(lines[:2 * third], day), "application/xml"), (name, as_mt940(lines[third:], day), "text/plain")]
        # The last word: complete for the whole day.
        files.append((name, as_camt(lines + [strange], day), "application/xml"))
    random.seed(7)
    results = []
    for turn in range(2):
        random.shuffle(files)
        for number, (name, text, media) in enumerate(files):
            status, reply = world.upload(name, text, media, f"turn-{turn}-{number}")
            assert status == 201, (status, reply, text[:400])
            status, again = world.upload(name, text, media, f"turn-{turn}-{number}")
            assert (status, again) == (201, reply), (status, again)
        world.compared()
        results.append(sorted((one["kind"], one.get("transfer", ""), one["expected"], one["stated"]) for one in world.exceptions()))
    assert results[0] == results[1], results
    status, refused = world.upload("bank-a", "hello", "text/plain", "unreadable")
    assert status == 422 and refused["code"] == "statement_unreadable", refused

    # What a statement shows has happened, whatever was said before.
    states = {one: world.must("GET", "/v1/transfers/" + one) for one in ids}
    assert all(transfer["state"] in ("settled", "failed") for transfer in states.values()), {t["state"] for t in states.values()}
    exceptions = world.exceptions()
    kinds = {one["kind"] for one in exceptions}
    assert "amount_differs" in kinds and "missing_here" in kinds, kinds
    assert kinds <= {"amount_differs", "missing_here"}, exceptions
    wrong = {one["transfer"]: int(one["stated"]) - int(one["expected"]) for one in exceptions if one["kind"] == "amount_differs"}
    for transfer, difference in wrong.items():
        assert difference == 1 and states[transfer]["state"] == "settled", (transfer, difference)

    # Two people write off what is left; then the books say what the banks say.
    people = [world.person("ann"), world.person("bob")]
    for exception in exceptions:
        where = exception.get("statement", "orphans")
        for number, token in enumerate(people):
            status, reply = processes.ask(f"{world.base}/v1/reconciliations/{where}/exceptions/{exception['id']}/resolve", "POST",
                                        {"resolution": "write_off", "reason": "the bank's letter"},
                                        {"Authorization": "Bearer " + token, "Content-Type": "application/json",
                                         "Idempotency-Key": f'"{exception["id"]}-{number}"'}, world.context)
            assert status == 200 and reply["people"] == number + 1, reply
    assert world.exceptions() == []
    for name in PROFILES:
        assert world.posted(f"rails/{name}/clearing") == books[name], (name, world.posted(f"rails/{name}/clearing"), books[name])
    assert world.must("GET", "/v1/trial-balance")["balanced"]

    # A restart remembers all of it.
    processes.end(world.service, signal.SIGKILL)
    world.start_service()
    assert world.exceptions() == []
    assert world.upload(*files[0], "after the restart")[1]["taken_before"]
    listed_by_their_lines(world)
    found_no_room(world)
    settled = sum(transfer["state"] == "settled" for transfer in states.values())
    print(f"{PAYOUTS} payouts, {settled} settled; {2 * len(files)} statements in three formats; {len(exceptions)} exceptions written off; "
          f"clearing accounts as the banks say: {books}")


if __name__ == "__main__":
    processes.main(__doc__, "reconciliation", play)
