#!/usr/bin/env python3
"""Makes docs/examples/rail-log.csv, the example of `holdfast rail simulate`: 600 payments in 100 minutes, and what each of three made-up
rails would have made of each.

bank-a   cheap (5); 97 in 100 settle, but from minute 30 to minute 45 it answers nothing, and from 70 to 80 it is busy half of the time
bank-b   dear (60) and steady: 99 in 100
bank-c   cost 20; as good as bank-b to Germany, but two of five payments to France end in an error

Three beneficiaries in a hundred have a closed account, wherever one sends. usage: rail_log.py > docs/examples/rail-log.csv
"""
import datetime
import random

draw = random.Random(7)
start = datetime.datetime(2026, 3, 2, 9, 0)


def outcome(rail, minute, country):
    """What the rail makes of a payment, and after how many milliseconds."""
    if rail == "bank-a":
        if 30 <= minute < 45:
            return "reply_timed_out", 10000
        if 70 <= minute < 80 and draw.random() < 0.5:
            return "rail_busy", 40
        return ("settled", draw.randrange(600, 1400)) if draw.random() < 0.97 else ("rail_internal_error", 200)
    if rail == "bank-b":
        return ("settled", draw.randrange(100, 300)) if draw.random() < 0.99 else ("rail_internal_error", 150)
    good = 0.6 if country == "FR" else 0.99
    return ("settled", draw.randrange(200, 500)) if draw.random() < good else ("rail_internal_error", 300)


print("time,payment,amount,country,instrument,rail,cost,outcome,latency_ms")
for number in range(600):
    at = start + datetime.timedelta(seconds=10 * number)
    country = draw.choice(["DE", "DE", "FR"])
    amount = draw.randrange(2000, 20000)
    closed = draw.random() < 0.03
    for rail, cost in (("bank-a", 5), ("bank-b", 60), ("bank-c", 20)):
        what, latency = outcome(rail, number / 6, country)
        if closed and what == "settled":
            what = "beneficiary_account_closed"
        print(f"{at.isoformat()}Z,p{number},{amount},{country},1,{rail},{cost},{what},{latency}")
