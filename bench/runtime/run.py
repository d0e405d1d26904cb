#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The runtime's measures beside the same in Erlang: a table of medians, spreads and ratios.

    bench/runtime/run.py                        all, five rounds
    bench/runtime/run.py --only ring tree --rounds 3
    bench/runtime/run.py --against OTHER_BUILD  two builds of ours, alternately, instead of Erlang
    bench/runtime/run.py --json FILE            every value, and the table

In each round every program runs once, ours and its twin one right after the other, so that whatever the machine does
meanwhile happens to both. Each checks its result and fails the run if it is wrong. What the machine itself charges for
a cache line to the other core and for waking a thread is measured beside each measure that crosses cores, and what bare
loops need (floor.c) at the beginning of each round.
"""
import argparse
import json
import os
import statistics
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
# A line to the other core took 45 to 300 ns where this was written: below this the two share a cache.
NEAR_NS = 100
TIMEOUT_S = 300

# Program, schedulers, how long our loops look for work before they sleep (BEAM's do likewise), and what was aimed at.
PROGRAMS = [
    ("ping_pong", 1, 0, {"ping-pong": 25}),
    ("ping_pong", 2, 1000, {"ping-pong across": 400}),
    ("ring", 1, 0, {"ring": 25}),
    ("spawn", 1, 0, {"spawn and exit": 60}),
    ("spawn", 2, 1000, {"spawn and exit, 2 schedulers": 60}),
    ("tree", 1, 0, {"tree": 150}),
    ("tree", 2, 1000, {"tree, 2 schedulers": 150}),
    ("counter", 1, 0, {"counter": 80}),
    ("counter", 2, 1000, {"counter across": None}),
    ("all_to_all", 2, 1000, {"all to all": 40}),
    ("timers", 1, 0, {"timer set": 30, "timer cancelled in order": 20, "timer cancelled at random": 100}),
    ("scatter", 1, 0, {"a message to each of a million": 100}),
    ("rest", 1, 0, {"idle behaviour": 256, "idle process": 4608}),
]
UNITS_PER_S = {"M/s"}  # more is better


def lines_of(command, environment=None):
    done = subprocess.run(command, stdout=subprocess.PIPE, timeout=TIMEOUT_S, env=environment, check=False)
    if done.returncode != 0:
        raise SystemExit(f"{' '.join(map(str, command))}: exit code {done.returncode}")
    return [json.loads(line) for line in done.stdout.splitlines()]


class Values:
    """The values of every measure, by who was measured."""

    def __init__(self):
        self.of = {}
        self.unit = {}

    def add(self, who, lines):
        for line in lines:
            self.unit[line["measure"]] = line["unit"]
            key = (line["measure"], who, "cold" if line["round"] == 0 else "warm")
            self.of.setdefault(key, []).append(line["value"])

    def get(self, measure, who):
        """Round 1 where there is one: its memory was touched before."""
        return self.of.get((measure, who, "warm")) or self.of.get((measure, who, "cold")) or []


def ours(build, program, schedulers, spin_us):
    return [build / f"bench/runtime/measure_{program}", "--schedulers", str(schedulers), "--spin", str(spin_us)]


def erlang(beams, program, schedulers):
    return ["erl", "-noshell", "-pa", beams, "+P", "4000000", "+S", f"{schedulers}:{schedulers}", "-s", program, "main"]


def play(options, twin):
    values = Values()
    chosen = [each for each in PROGRAMS if not options.only or each[0] in options.only]
    for number in range(options.rounds):
        values.add("machine", lines_of([options.build / "bench/runtime/measure_floor"]))
        for program, schedulers, spin_us, _ in chosen:
            print(f"round {number + 1} of {options.rounds}: {program}, {schedulers}", file=sys.stderr)
            if schedulers > 1:
                values.add("machine", lines_of([options.build / "bench/runtime/measure_cores"]))
            values.add("linnet", lines_of(ours(options.build, program, schedulers, spin_us)))
            if twin == "erlang":
                values.add(twin, lines_of(erlang(options.beams, program, schedulers)))
            elif twin is not None:
                values.add(twin, lines_of(ours(options.against, program, schedulers, spin_us)))
    return values, chosen


def described(values):
    if not values:
        return "", ""
    spread = f"{min(values):.4g} to {max(values):.4g}"
    return f"{statistics.median(values):.4g}", spread


def rows_of(values, chosen, twin):
    rows = []
    for *_, targets in chosen:
        for measure, target in targets.items():
            our, their = values.get(measure, "linnet"), values.get(measure, twin)
            unit = values.unit[measure]
            ratio = None
            if our and their:
                ratio = statistics.median(their) / statistics.median(our)
                ratio = 1 / ratio if unit in UNITS_PER_S else ratio
            rows.append({"measure": measure, "unit": unit, "linnet": our, "twin": their, "ratio": ratio,
                         "target": target, "cold": values.of.get((measure, "linnet", "cold"), [])})
    return rows


def print_table(rows, values, twin):
    print(f"{'measure':32}{'unit':>6}{'linnet':>9}  {'spread':18}{twin or '':>9}  {'spread':18}{'ratio':>7}{'target':>8}")
    for row in rows:
        our, our_spread = described(row["linnet"])
        their, their_spread = described(row["twin"])
        ratio = f"{row['ratio']:.1f}" if row["ratio"] else ""
        target = f"{row['target']}" if row["target"] else ""
        print(f"{row['measure']:32}{row['unit']:>6}{our:>9}  {our_spread:18}{their:>9}  {their_spread:18}"
              f"{ratio:>7}{target:>8}")
    for measure, who, _ in list(values.of):
        if who == "machine":
            median, spread = described(values.get(measure, who))
            print(f"machine: {measure} {median} ns ({spread})")
    lines = values.get("cache line to the other core", "machine")
    if lines:
        near = sum(each < NEAR_NS for each in lines)
        print(f"machine: the two cores were near (below {NEAR_NS} ns) in {near} of {len(lines)} looks")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", type=Path, default=HERE.parents[1] / "build/release")
    parser.add_argument("--against", type=Path, help="another build folder, or `none`")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--only", nargs="*", choices=sorted({each[0] for each in PROGRAMS}))
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    twin = "erlang"
    if options.against is not None:
        twin = None if str(options.against) == "none" else "against"
    if twin == "erlang":
        options.beams = options.build / "bench/runtime/erlang"
        os.makedirs(options.beams, exist_ok=True)
        subprocess.run(["erlc", "-o", options.beams, *(HERE / "erlang").glob("*.erl")], check=True)
    values, chosen = play(options, twin)
    rows = rows_of(values, chosen, twin)
    print_table(rows, values, twin)
    if options.json is not None:
        machine = {key[0]: each for key, each in values.of.items() if key[1] == "machine"}
        options.json.write_text(json.dumps({"twin": twin, "rows": rows, "machine": machine}, indent=2) + "\n")


if __name__ == "__main__":
    main()
