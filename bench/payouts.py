#!/usr/bin/env python3
"""Payouts through the whole service over three sandbox rails, with signed requests and signed callbacks, on this machine.

usage: payouts.py [--seconds N] [--rate N] [--json] HOLDFAST HTTPS_BENCH

Three runs, each with a data directory and banks of its own:
  healthy      RATE payouts a second; every bank answers `accepted` and calls back `settled` at once
  black hole   the same, while one of the banks takes every payment and never answers
  lost rail    half of RATE, when the bank that is liked best is killed (SIGKILL)
What took how long is read from the journal afterwards: from `requested` to `settled`, both durable, by transfer and rail. Every
payout is accounted for in the banks' books by tests/payouts.py; here only the sums are compared.
"""
import argparse
import collections
import datetime
import json
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "tests"))
import processes  # noqa: E402

BANKS = ("bank-a", "bank-b", "bank-c")
ACCOUNTS = 1000
CONNECTIONS = 64
WARM_UP = 2.0     # seconds whose payouts are not counted among the latencies: connections to the banks are made then


def seconds_of(text):
    """An instant of a dump, in seconds; nanoseconds are more than datetime takes."""
    whole, fraction = text.rstrip("Z").split(".")
    return datetime.datetime.fromisoformat(whole + "+00:00").timestamp() + float("0." + fraction)


def quantile(sorted_values, share):
    return sorted_values[min(len(sorted_values) - 1, int(len(sorted_values) * share))] if sorted_values else float("nan")


class Story:
    """What the journal says of a run."""

    def __init__(self, holdfast, data):
        self.requested, self.settled, self.attempts, self.states = {}, {}, collections.defaultdict(list), {}
        dump = subprocess.Popen([holdfast, "journal", "dump", "--json", "--data", data], stdout=subprocess.PIPE, text=True)
        for line in dump.stdout:
            event = json.loads(line)
            kind = event["type"]
            if kind == "transfer_requested":
                self.requested[event["event"]] = seconds_of(event["at"])
            elif kind == "transfer_moved":
                transfer = int(event["transfer"])
                self.states[transfer] = event["to"]
                if event["to"] == "settled":
                    self.settled[transfer] = seconds_of(event["at"])
            elif kind == "attempt_started":
                self.attempts[int(event["transfer"])].append((seconds_of(event["at"]), int(event["rail"])))
        assert dump.wait() == 0

    def latencies_ms(self, rail=None, after=0.0):
        """Of what settled with its first attempt, sorted; on one rail, requested after an instant."""
        return sorted((self.settled[one] - self.requested[one]) * 1000 for one in self.settled
                      if self.requested[one] >= after and len(self.attempts[one]) == 1 and rail in (None, self.attempts[one][0][1]))


class Run:
    def __init__(self, options):
        self.options = options
        self.directory = pathlib.Path(tempfile.mkdtemp(prefix="holdfast-bench-payouts-"))
        processes.program = options.holdfast
        self.world = processes.World(self.directory, {name: {"seed": 1, "settle_after_ms": 0} for name in BANKS})
        token = self.directory / "token"
        token.touch(0o600)
        token.write_text(self.world.token)
        self.load = [options.https_bench, "--port", self.world.base.rsplit(":", 1)[1], "--ca", str(self.directory / "data/dev/ca.pem"),
                     "--token-file", str(token), "--accounts", str(ACCOUNTS), "--connections", str(CONNECTIONS)]
        subprocess.run([*self.load, "--prepare"], check=True, stdout=subprocess.DEVNULL)
        for cost, name in enumerate(BANKS):
            # Equal for the router but for a little cost, so that which one it likes best is known.
            self.world.must("POST", "/v1/rails", {"name": name, "asset": "USD/2", "cost_fixed": str(cost), "reply_timeout_ms": 1000, "send_window_ms": 3000,
                                                  "in_flight_max": 256, "inquiry_first_ms": 500, "visibility_horizon_ms": 5000, "settle_within_ms": 30000,
                                                  "capabilities": ["idempotent_reference", "inquiry", "void", "expiry", "callback", "statement", "recall"]},
                            key="rail-" + name)

    def steer(self, name, faults):
        self.world.profiles[name] = {"seed": 1, "settle_after_ms": 0, "faults": faults}
        self.world.steer(name)

    def play(self, rate, seconds, meanwhile=None):
        helper = threading.Thread(target=meanwhile) if meanwhile else None
        if helper:
            helper.start()
        result = json.loads(subprocess.run([*self.load, "--payouts", "--json", "--rate", str(rate), "--seconds", str(seconds)], check=True,
                                           stdout=subprocess.PIPE, text=True).stdout)
        if helper:
            helper.join()
        time.sleep(2)
        cpu = {name: sum(map(float, pathlib.Path(f"/proc/{one.pid}/stat").read_text().rsplit(")", 1)[1].split()[11:13])) / 100
               for name, one in [("service", self.world.service), *self.world.banks.items()] if one.poll() is None}
        balanced = self.world.must("GET", "/v1/trial-balance")["balanced"]
        self.close()
        assert balanced
        return result, cpu, Story(self.options.holdfast, self.directory / "data")

    def close(self):
        for process in processes.started:
            if process.poll() is None:
                processes.end(process)
        processes.started.clear()

    def remove(self):
        self.close()
        shutil.rmtree(self.directory, ignore_errors=True)


def summary(story, result, cpu):
    took = story.latencies_ms(after=min(story.requested.values()) + WARM_UP)
    return {"answered_per_second": round(result["per_second"]), "answer_p50_ms": result["p50_us"] / 1000, "answer_p99_ms": result["p99_us"] / 1000,
            "payouts": len(story.requested), "settled": len(story.settled),
            "settled_per_second": round(len(story.settled) / max(1e-9, max(story.settled.values()) - min(story.requested.values()))),
            "settled_p50_ms": round(quantile(took, 0.5), 2), "settled_p99_ms": round(quantile(took, 0.99), 2),
            "states": dict(collections.Counter(story.states.values())), "cpu_s": {name: round(value, 2) for name, value in cpu.items()}}


def healthy(run, options):
    result, cpu, story = run.play(options.rate, options.seconds)
    return summary(story, result, cpu)


def black_hole(run, options):
    run.steer("bank-a", [{"fault": "black_hole", "per_million": 1000000}])
    result, cpu, story = run.play(options.rate, options.seconds)
    figures = summary(story, result, cpu)
    started = min(story.requested.values()) + WARM_UP
    others = sorted(story.latencies_ms(2, started) + story.latencies_ms(3, started))
    figures["others_p99_ms"] = round(quantile(others, 0.99), 2)
    figures["to_black_hole"] = sum(rail == 1 for attempts in story.attempts.values() for _, rail in attempts)
    return figures


def lost_rail(run, options):
    killed = []

    def kill():
        time.sleep(0.5 + options.seconds / 2)
        killed.append(time.time())
        processes.end(run.world.banks["bank-a"], signal.SIGKILL)

    result, cpu, story = run.play(options.rate // 2, options.seconds, kill)
    figures = summary(story, result, cpu)
    first = sorted((attempts[0][0], attempts[0][1]) for attempts in story.attempts.values())
    after = [at - killed[0] for at, rail in first if rail == 1 and at >= killed[0]]
    # Probes of a half-open breaker are meant; new payouts avoid the rail from when fewer than one in twenty goes there.
    avoided = next((window / 10 for window in range(int(options.seconds * 5))
                    if sum(window / 10 <= at < window / 10 + 0.5 for at in after)
                    < 0.05 * sum(window / 10 <= at - killed[0] < window / 10 + 0.5 for at, _ in first)), None)
    figures.update({"share_on_it_before": round(sum(rail == 1 for at, rail in first if at < killed[0]) / max(1, sum(at < killed[0] for at, _ in first)), 3),
                    "avoided_after_s": avoided, "first_attempts_there_after": len(after),
                    "second_attempts": sum(len(attempts) > 1 for attempts in story.attempts.values())})
    return figures


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=int, default=10)
    parser.add_argument("--rate", type=int, default=2000)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--only", choices=["healthy", "black_hole", "lost_rail"])
    parser.add_argument("holdfast")
    parser.add_argument("https_bench")
    options = parser.parse_args()
    for play in (healthy, black_hole, lost_rail):
        if options.only not in (None, play.__name__):
            continue
        run = Run(options)
        try:
            figures = play(run, options)
        finally:
            run.remove()
        if options.json:
            print(json.dumps({"name": "payouts, " + play.__name__.replace("_", " "), "result": figures}))
        else:
            print(play.__name__.replace("_", " "))
            for name, value in figures.items():
                print(f"  {name:28} {value}")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
