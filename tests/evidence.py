"""Evidence from a running service, checked by both verifiers, as a stranger would: what tests of payouts and of keys have in common."""
import json
import pathlib
import random
import shutil
import subprocess
import urllib.request

import processes

VERIFIER = pathlib.Path(__file__).resolve().parent.parent / "apps/verify-js"
FLIPS = 40            # single changed bytes of each bundle that `holdfast verify` is shown
STRIDE = 397          # every so many bytes the other verifier is


def fetch(base, token, context, path, query=""):
    """The bundle's own bytes: there is no other spelling of it."""
    request = urllib.request.Request(base + path + "/evidence" + query, headers={"Authorization": "Bearer " + token})
    with urllib.request.urlopen(request, context=context, timeout=20) as reply:
        return reply.read()


def verdict(file, policy):
    done = subprocess.run([processes.program, "verify", file, "--policy", policy, "--json"], capture_output=True, text=True, timeout=60)
    return json.loads(done.stdout or done.stderr)


def check(directory, data, bundles):
    """Of `bundles`, bytes by name, all hold and no changed byte is believed. The facts by name. The service must be down: the policy is its keys'."""
    policy = directory / "policy.txt"
    policy.write_text(processes.run("audit", "policy", "--data", data))
    facts, files, changes = {}, [], random.Random(7)
    for name, bundle in bundles.items():
        files.append(directory / f"evidence-{name}.json")
        files[-1].write_bytes(bundle)
        facts[name] = verdict(files[-1], policy)
        assert facts[name].get("verified"), (name, facts[name])
        changed = directory / "changed.json"
        for place in changes.sample(range(len(bundle)), FLIPS):
            changed.write_bytes(bundle[:place] + bytes([bundle[place] ^ 1 << place % 8]) + bundle[place + 1:])
            assert verdict(changed, policy).get("verified") is not True, (name, place)
    if shutil.which("node") is None:
        print("no node here: the second verifier was not tried")
        return facts
    for file in files:
        done = subprocess.run(["node", VERIFIER / "verify.mjs", file, "--policy", policy], capture_output=True, text=True, timeout=60)
        assert done.returncode == 0 and done.stdout.startswith("VERIFIED"), (file, done.stdout, done.stderr)
    done = subprocess.run(["node", VERIFIER / "flip.mjs", policy, str(STRIDE), *files], capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, (done.stdout, done.stderr)
    return facts
