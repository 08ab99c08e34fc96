"""Turns the lines of bench/run into a table with ratios, and into one JSON document: table.py LINES OUT."""

import json
import statistics
import sys

lines = [json.loads(line) for line in open(sys.argv[1], encoding="utf-8")]
results = {line["name"]: line["result"] for line in lines}

# What is set beside what, and the ratio that is aimed at (None: for orientation only).
pairs = [
    ("engine batches of 8190, 4 clients, one hot account", "engine batches of 8190, 4 clients", 0.95),
    ("engine single, 32 clients", "postgres single, 8 clients", None),
    ("engine single, 32 clients", "postgres single, 32 clients", None),
    ("engine batches of 1000, 8 clients", "postgres batches of 1000, 8 clients", None),
    ("engine batches of 8190, 4 clients, one hot account", "postgres single, 8 clients, one hot account", None),
]
for protocol in ("", " (h2)"):
    for connections in (1, 8, 32, 128):
        aim = 1 / 3 if connections == 32 and not protocol else None
        tail = f"over HTTPS{protocol}, {connections} connections"
        pairs.append((f"holdfast {tail}", f"nginx {tail}", aim))
pairs.append(("holdfast over HTTPS, 32 connections", "postgres single, 32 clients", None))

print(f"\n{'':58}{'per second':>12}{'p50 us':>10}{'p99 us':>10}{'max us':>10}")
for name, result in results.items():
    if "per_second" in result:
        figures = "".join(f"{result[key]:>10.0f}" if key in result else f"{'':>10}" for key in ("p50_us", "p99_us", "max_us"))
        print(f"{name:58}{result['per_second']:>12,.0f}{figures}")
    if "ready_s" in result:
        print(f"{name:58}  ready in {result['ready_s']:.2f} s, {result['replayed']:,} events replayed, {result['resident_mib']:.0f} MiB")

ratios = []
for one, other, aim in pairs:
    if one in results and other in results and results[other]["per_second"] > 0:
        ratio = results[one]["per_second"] / results[other]["per_second"]
        ratios.append({"of": one, "to": other, "ratio": round(ratio, 3), "aim": aim})
if ratios:
    print("\nratios, in this run")
    for entry in ratios:
        aim = f"   (aim: at least {entry['aim']:.2f})" if entry["aim"] else ""
        print(f"{entry['ratio']:>9.2f}  {entry['of']}  /  {entry['to']}{aim}")
turns = {which: [result for name, result in results.items() if name.startswith(f"engine {which}, turn ")]
         for which in ("batches of 1000, 8 clients, no views", "the same without leaves")}
if all(turns.values()):
    with_leaves, without = turns.values()
    share = statistics.median(one["per_second"] for one in with_leaves) / statistics.median(one["per_second"] for one in without)
    cost = statistics.median(one["cpu_us_per_transfer"] for one in with_leaves) - statistics.median(one["cpu_us_per_transfer"] for one in without)
    print(f"\nleaves, medians of {len(without)} turns: {share:.2f} of the throughput without them (aim: at least 0.85), {cost:.2f} us of CPU each (aim: at most 0.5)")
    ratios.append({"of": "engine, batches of 1000, with leaves", "to": "without", "ratio": round(share, 3), "aim": 0.85})
for name, result in results.items():
    if name.startswith("payouts, "):
        print(f"\n{name}: " + ", ".join(f"{key} {value}" for key, value in result.items()), end="")
    if "idle_account_bytes" in result and "over_100_ms" in result:
        print(f"\n{name}: {result['idle_account_bytes']} bytes an idle account, {result['resident_mib']} MiB resident at the end, views lag "
              f"{result['views_lag']} events, {result['keys_waiting']} keys in memory; {result['over_100_ms']} requests over 100 ms, longest time "
              f"without an answer {result['longest_silence_ms']} ms; verified {result['verify_per_second']:,}/s, replayed {result['replay_per_second']:,}/s", end="")
print()
with open(sys.argv[2], "w", encoding="utf-8") as out:
    json.dump({"results": results, "ratios": ratios}, out, indent=1)
    out.write("\n")
