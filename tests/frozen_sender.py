#!/usr/bin/env python3
"""A sender that is frozen before its first byte, found absent, and woken: nobody is paid twice.

usage: frozen_sender.py PROGRAM

The real service, stopped with SIGSTOP between the durable intention to send and the first byte of the order. What holds it there is
the fault proxy before bank-a: TCP connects, and then nothing passes, so the TLS handshake stands still and no byte of the order can
have left. bank-a takes orders however late they are (`ignore_valid_until`) and keeps no tombstones: nothing but the sender's own look
at the clock, right before its first byte, stands between a late wake-up and a second payment. bank-b is where the money goes instead.

Three schedules, some payouts each:

1. frozen for a moment, within the send window. The control: all are paid at bank-a, once, by the very connections that were held.
   Without it the others could pass because nothing was ever about to be sent.
2. frozen past send_not_after and the visibility horizon; the network heals while the process is frozen. On waking everything is due
   at once: the handshake's bytes are there, and so are the deadlines, the core's and the driver's. Whichever comes first, the order
   must not leave. (Linux wakes a stopped epoll_wait with EINTR, so the driver's timers come first as a rule, and look at the same
   clock.) The freeze is shorter than the driver's patience for a connection, 2 s: send_not_after alone is in the way. A driver that
   does not look at it pays at bank-a here.
3. the same, but the network heals only after absence was concluded and bank-b has paid: late bytes meet what is left of the senders.

SIGSTOP stops no clock, so this shows that the clock is looked at after the waking and not only when the sending was decided. That it
is the boot clock, which also counts while the machine sleeps and does not follow the wall clock, is shown on simulated clocks
(src/effects/http/http_client_test.cc, src/node/timekeeper_test.cc). In one process the thread that asks is the thread that sends, so
absence can only be concluded after the waking; that a bank refuses what another host's frozen sender lets go late is shown in
apps/holdfast/sandbox_rail_process_test.cc.

Standard library only; loopback only; every process that was started is ended by its id.
"""
import json
import pathlib
import signal
import ssl
import subprocess
import time

import processes
from processes import PATIENCE, ask, end, start

PAYOUTS = 6
WINDOW_MS, HORIZON_MS = 1000, 300
TRIES = 5             # to have all of them held within the window, on a machine that is busy
CAPABILITIES = ["idempotent_reference", "inquiry", "expiry", "callback"]     # expiry is promised, and not kept


class Stage:
    def __init__(self, directory):
        self.directory = directory
        (directory / "config.toml").write_text(f'[rails]\nfile = "{directory}/rails.json"\n')
        (directory / "rails.json").write_text('{"rails": []}')
        self.start_service()                          # once without rails: there is a certificate and a key then
        end(self.service)
        key = subprocess.run([processes.program, "rail", "key", "--data", directory / "data"], check=True, capture_output=True, text=True).stdout.strip()
        self.banks = {}
        self.spoiled = 0                              # paid by payouts that could not be held
        rails = []
        for name in ("bank-a", "bank-b"):
            start(directory / f"{name}.log", "sandbox-rail", "--data", directory / name, "--client-key", "holdfast:" + key,
                  "--listen", "127.0.0.1:0", "--callback-ca", directory / "data/dev/ca.pem")
            self.banks[name] = rail = json.loads((directory / name / "rail.json").read_text())
            url = rail["url"]
            if name == "bank-a":
                url = "https://" + self.start_proxy(url.removeprefix("https://"))
            rails.append({"name": name, "url": url, "ca_file": rail["ca_file"], "signing_key_id": "holdfast",
                          "callback_keys": [{"id": rail["callback_key_id"], "ed25519": rail["callback_public_key"]}]})
        (directory / "rails.json").write_text(json.dumps({"rails": rails}))
        self.start_service()
        for name, rail in self.banks.items():
            faults = [{"fault": "ignore_valid_until"}] if name == "bank-a" else []
            profile = {"settle_at_once": True, "callback_url": f"{self.base}/v1/rails/{name}/callbacks", "faults": faults}
            assert ask(rail["control_url"] + "/control/profile", "PUT", profile)[0] == 200

    def start_service(self):
        self.service = start(self.directory / "service.log", "serve", "--dev", "--data", self.directory / "data", "--config",
                             self.directory / "config.toml", "--listen", "127.0.0.1:0", "--operator-listen", "127.0.0.1:0")
        client = json.loads((self.directory / "data/dev/client.json").read_text())
        self.base, self.token = client["base_url"], client["token"]
        self.context = ssl.create_default_context(cafile=client["ca_file"])

    def start_proxy(self, to):
        log = self.directory / "proxy.log"
        process = subprocess.Popen([processes.program, "fault-proxy", "--to", to], stdout=subprocess.PIPE, stderr=open(log, "ab"))
        processes.started.append(process)
        words = process.stdout.readline().decode().replace(",", "").split()     # ready: proxy ADDRESS to ADDRESS, control URL
        assert words[:2] == ["ready:", "proxy"], words
        self.proxy_control = words[-1]
        return words[2]

    def weather(self, *faults):
        status, reply = ask(self.proxy_control + "/schedule", "PUT", {"faults": list(faults)})
        assert status == 200, reply

    def must(self, method, path, body=None, key=None):
        headers = {"Authorization": "Bearer " + self.token, "Content-Type": "application/json"}
        if method == "POST":
            headers["Idempotency-Key"] = f'"{key or path}"'
        status, reply = ask(self.base + path, method, body, headers, self.context)
        assert status < 300, (path, status, reply)
        return reply

    def configure(self, window_ms, key):
        for cost, name in enumerate(self.banks):
            self.must("POST", "/v1/rails", {"name": name, "asset": "USD/2", "cost_fixed": str(cost * 100), "capabilities": CAPABILITIES,
                                            "send_window_ms": window_ms, "reply_timeout_ms": 2000, "visibility_horizon_ms": HORIZON_MS,
                                            "inquiry_first_ms": 200, "inquiry_max_ms": 500}, key=f"{key}-{name}")

    def paid_at(self, name, transfer):
        """References of a transfer's attempts that the bank's own book has as settled."""
        url = self.banks[name]["control_url"] + "/control/payments/"
        found = [ask(url + attempt["reference"]) for attempt in transfer["attempts"]]
        return [payment["reference"] for status, payment in found if status == 200 and payment["state"] == "settled"]

    def state_of_process(self):
        return pathlib.Path(f"/proc/{self.service.pid}/stat").read_text().rsplit(")", 1)[1].split()[0]

    def connections_held(self):
        return ask(self.proxy_control + "/stats")[1]["open"]


def eventually(what, condition, patience=PATIENCE):
    until = time.monotonic() + patience
    while not condition():
        assert time.monotonic() < until, what
        time.sleep(0.05)


def hold_before_first_byte(stage, name):
    """Payouts whose intention is durable and whose connections stand still in their handshake."""
    for number in range(TRIES):
        sent = try_to_hold(stage, f"{name}-{number}")
        transfers = [stage.must("GET", "/v1/transfers/" + transfer["id"]) for transfer in sent]
        if all(transfer["state"] == "sending" and transfer["rail"] == "bank-a" for transfer in transfers):
            assert [stage.paid_at("bank-a", transfer) for transfer in transfers] == [[]] * PAYOUTS
            return [transfer["id"] for transfer in transfers]
        stage.weather()
        stage.spoiled += sum(int(transfer["amount"]) for transfer in settled(stage, [transfer["id"] for transfer in sent]))
    raise AssertionError("the machine is too busy: the window was over before all payouts were under way")


def try_to_hold(stage, name):
    ask(stage.proxy_control + "/cut", "POST")               # kept-alive ones could send at once
    eventually("no connection is left", lambda: stage.connections_held() == 0)
    stage.weather({"black_hole": True})
    return [stage.must("POST", "/v1/transfers", {"kind": "payout", "debit_account": "users/1", "asset": "USD/2", "amount": str(100 + number),
                                                 "beneficiary": {"account": f"{name}-{number}"}}, key=f"{name}-{number}")
            for number in range(PAYOUTS)]


def freeze(stage, seconds, while_frozen=lambda: None):
    stage.service.send_signal(signal.SIGSTOP)
    eventually("it is stopped", lambda: stage.state_of_process() == "T")
    time.sleep(seconds)
    while_frozen()
    stage.service.send_signal(signal.SIGCONT)


def settled(stage, ids):
    transfers = {}

    def all_settled():
        for number in ids:
            if number not in transfers:
                transfer = stage.must("GET", "/v1/transfers/" + number)
                if transfer["state"] == "settled":
                    transfers[number] = transfer
        return len(transfers) == len(ids)

    eventually("every payout is settled", all_settled)
    return [transfers[number] for number in ids]


def check_paid_once(stage, transfers, bank):
    other = "bank-b" if bank == "bank-a" else "bank-a"
    for transfer in transfers:
        assert len(stage.paid_at(bank, transfer)) == 1 and stage.paid_at(other, transfer) == [], json.dumps(transfer)
        assert transfer["rail"] == bank, json.dumps(transfer)


def play(directory):
    stage = Stage(directory)
    stage.must("POST", "/v1/assets", {"code": "USD/2"})
    stage.must("POST", "/v1/accounts", {"id": "users/1", "asset": "USD/2"})
    stage.must("POST", "/v1/transfers", {"debit_account": "world/USD", "credit_account": "users/1", "asset": "USD/2", "amount": "1000000"})
    past_horizon = (WINDOW_MS + HORIZON_MS) / 1000 + 0.1

    stage.configure(30_000, "patient")
    ids = hold_before_first_byte(stage, "in-time")
    freeze(stage, 0.5, while_frozen=lambda: stage.weather())
    in_time = settled(stage, ids)
    assert all(len(transfer["attempts"]) == 1 for transfer in in_time)
    check_paid_once(stage, in_time, "bank-a")

    stage.configure(WINDOW_MS, "hasty")
    ids = hold_before_first_byte(stage, "healed-while-frozen")
    freeze(stage, past_horizon, while_frozen=lambda: stage.weather())
    late = settled(stage, ids)

    # bank-a is faulty by now in the router's eyes; a pause of bank-b sends the next ones there all the same.
    stage.must("POST", "/v1/rails/bank-b/pause", key="pause")
    eventually("bank-a is chosen again", lambda: probe(stage), 40)
    ids = hold_before_first_byte(stage, "healed-afterwards")
    freeze(stage, past_horizon)
    stage.must("POST", "/v1/rails/bank-b/resume", key="resume")
    afterwards = settled(stage, ids)
    stage.weather()
    time.sleep(0.5)                                          # whatever is left of the held connections has its way

    check_paid_once(stage, late + afterwards, "bank-b")
    for transfer in late + afterwards:
        first = transfer["attempts"][0]
        assert first["rail"] == "bank-a" and first["reports"], json.dumps(transfer)
        assert {report["result"] for report in first["reports"]} <= {"not_sent", "unknown"}, json.dumps(transfer)
    paid = sum(int(transfer["amount"]) for transfer in in_time + late + afterwards) + probe.paid + stage.spoiled
    balance = stage.must("GET", "/v1/accounts/users%2F1")
    balance = balance.get("balance", balance)
    assert int(balance["debits_posted"]) == paid and int(balance["debits_pending"]) == 0, (balance, paid)
    assert stage.must("GET", "/v1/trial-balance")["balanced"]
    print(f"{PAYOUTS} held and woken in time: paid once at bank-a; {2 * PAYOUTS} woken too late: none of their first attempts left, paid once at bank-b; "
          f"{paid} debited, as the banks say")


def probe(stage):
    """A payout that closes the breaker of bank-a, if it is time for one."""
    probe.number += 1
    transfer = stage.must("POST", "/v1/transfers", {"kind": "payout", "debit_account": "users/1", "asset": "USD/2", "amount": "1", "send_within_seconds": 1,
                                                    "beneficiary": {"account": "probe"}}, key=f"probe-{probe.number}")
    until = time.monotonic() + PATIENCE
    while (transfer := stage.must("GET", "/v1/transfers/" + transfer["id"]))["state"] not in processes.ENDED:
        assert time.monotonic() < until, transfer
        time.sleep(0.05)
    probe.paid += transfer["state"] == "settled"
    return transfer["state"] == "settled" and stage.must("GET", "/v1/rails/bank-a")["health"]["breaker"] == "closed"


probe.number = probe.paid = 0


if __name__ == "__main__":
    processes.main(__doc__, "frozen", play)
