#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""versus.py - two builds in turns: what a change did to a figure.

    bench/versus.py [--rounds 5] [--node "FLAGS"] [--json FILE] A B SCENARIO [flags of linnet-bench]
    bench/versus.py build/release ../other/build/release chat --pairs 100 --window 16
    bench/versus.py build/release bare chat --pairs 5000 --window 1

A and B are build folders. In each round both play the scenario once, A first in one round and B in the next: each with its
own linnetd, on an empty data directory below its build folder, and its own linnet-bench. A machine's pace changes within
minutes, so what is compared was measured within one. The table has each figure's median with its least and greatest, and
B's median by A's: a ratio within the spread of one build says nothing. Where B is the word `bare` it is A's chat_bare: the
same pairs, with as many segments for a message as A's node had when it played last. Exit code 1 where a promise was broken, 3 where a
run failed; what one missed of its rate or objectives (2) is told and counts all the same.
"""
import argparse
import json
import os
import re
import shlex
import shutil
import statistics
import subprocess
import sys
import tempfile

MISSED = 2
SENDS_MAX = 6  # as many frames as a message has
FIGURES = ("per_second", "stores_per_second", "drains_per_second", "logins_per_second", "bytes_per_connection",
           "node_cpu_us_per_second_and_connection", "capacity")
PERCENTILES = ("p50_us", "p99_us")
KINDS = ("near", "far", "moved")
NEAR_NS_MAX = 120  # of a cache line between near cores: 40 to 75 ns; between far ones 180 to 300


class Failed(Exception):
    def __init__(self, code):
        super().__init__()
        self.code = code


def node_start(build, data, flags):
    """Its process, and where it listens."""
    node = subprocess.Popen([os.path.join(build, "tools/linnetd"), "--data", data, "--listen", "127.0.0.1:0", *flags],
                            stdout=subprocess.PIPE, text=True)
    for line in node.stdout:
        found = re.match(r"listening on (\S+)$", line)
        if found:
            return node, found.group(1)
    node.wait()
    raise Failed(3)


def result_of_bare(build, options, node):
    """What one run of chat_bare found, when one of a node has found that."""
    sends = node["segments_with_data"] / node["measured"] if node["measured"] > 0 else 0
    done = subprocess.run([os.path.join(build, "bench/chat_bare"), "--json", "--sends", f"{min(sends, SENDS_MAX):.2f}",
                           *options.flags], stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode != 0:
        raise Failed(done.returncode)
    return json.loads(done.stdout)


def result_of(build, options):
    """What one run found."""
    folder = tempfile.mkdtemp(dir=build)
    data = os.path.join(folder, "data")
    echo = options.scenario == "echo"
    node, address = node_start(build, data, [*(["--echo"] if echo else []), *shlex.split(options.node)])
    try:
        url = f"ws://{address}/{'echo' if echo else 'chat'}"
        done = subprocess.run([os.path.join(build, "bench/linnet-bench"), options.scenario, "--url", url, "--data", data,
                               "--json", *options.flags], stdout=subprocess.PIPE, text=True, check=False)
    finally:
        node.kill()
        node.wait()
        node.stdout.close()
        shutil.rmtree(folder)
    if done.returncode not in (0, MISSED):
        raise Failed(done.returncode)
    return json.loads(done.stdout)


def figures_of(result):
    """Name and value of each, in the order of the table."""
    found = {name: result[name] for name in FIGURES if name in result}
    if result.get("measured", 0) > 0:
        for who in "node", "generator":
            if f"{who}_cpu_ms" in result:
                found[f"{who}_cpu_us_each"] = 1000 * result[f"{who}_cpu_ms"] / result["measured"]
        if "segments" in result:
            found["segments_each"] = result["segments"] / result["measured"]
            found["segments_with_data_each"] = result["segments_with_data"] / result["measured"]
            found["segments_per_second"] = found["segments_each"] * result["per_second"]
    for name, delay in result.get("latencies", {}).items():
        for percentile in PERCENTILES:
            if percentile in delay:
                found[f"{name} {percentile}"] = delay[percentile]
    ends = lines_of(result)
    if ends:
        found["cache line, ns"] = statistics.mean(ends)
    return found


def lines_of(result):
    """How long a cache line took between the cores, before and after the run."""
    placement = result.get("placement", {})
    return [placement[end] for end in ("line_ns_before", "line_ns_after") if placement.get(end) is not None]


def kind_of(result):
    """Where the cores were: they move within seconds, and with it changes all that crosses between them."""
    ends = lines_of(result)
    if not ends:
        return None
    if max(ends) <= NEAR_NS_MAX:
        return "near"
    return "far" if min(ends) > NEAR_NS_MAX else "moved"


def told(value):
    return f"{value:,.4g}" if value < 1000 else f"{value:,.0f}"


def columns_of(results):
    columns = {}
    for result in results:
        for name, value in figures_of(result).items():
            columns.setdefault(name, []).append(value)
    return columns


def alike(results):
    """Like with like: of runs of several kinds those of the one of which A and B have most. None: all are of one, or some do not tell."""
    kinds = {who: [kind_of(result) for result in results[who]] for who in "AB"}
    all_kinds = set(kinds["A"] + kinds["B"])
    if len(all_kinds) < 2 or None in all_kinds:
        return None, None
    kind = max(("near", "far"), key=lambda each: min(kinds[who].count(each) for who in "AB"))
    return kind, {who: [result for result in results[who] if kind_of(result) == kind] for who in "AB"}


def placements(results):
    """A line that counts them, or nothing where no run tells."""
    told_of = {who: [kind for kind in map(kind_of, results[who]) if kind] for who in "AB"}
    if not told_of["A"] + told_of["B"]:
        return ""
    counts = (f"{who} " + (", ".join(f"{kinds.count(kind)} {kind}" for kind in KINDS if kind in kinds) or "not told")
              for who, kinds in told_of.items())
    return "cores in these runs: " + "; ".join(counts) + "\n"


def table(columns):
    lines = [["", "A", "B", "B / A"]]
    for name in columns["A"]:
        if name not in columns["B"]:
            continue
        values = [columns[who][name] for who in "AB"]
        middles = [statistics.median(each) for each in values]
        lines.append([name, *(f"{told(middle)} ({told(min(each))} to {told(max(each))})"
                              for middle, each in zip(middles, values)),
                      f"{middles[1] / middles[0]:.3f}" if middles[0] else "-"])
    widths = [max(map(len, column)) for column in zip(*lines)]
    return "\n".join("  ".join(cell.ljust(width) for cell, width in zip(line, widths)).rstrip() for line in lines)


def main():
    parser = argparse.ArgumentParser(description="two builds in turns", allow_abbrev=False)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--node", default="", metavar="FLAGS", help="of both nodes, as one word")
    parser.add_argument("--json", metavar="FILE", help="every result, as a line of JSON")
    parser.add_argument("a", metavar="A")
    parser.add_argument("b", metavar="B", help="a build folder, or the word bare")
    parser.add_argument("scenario")
    parser.add_argument("flags", nargs=argparse.REMAINDER)
    options = parser.parse_args()
    if options.b == "bare" and options.scenario != "chat":
        parser.error("only of chat there is a bare loop")
    results = {"A": [], "B": []}
    lines = []
    node = None
    for number in range(options.rounds):
        for who in "AB" if number % 2 == 0 else "BA":
            print(f"round {number + 1} of {options.rounds}: {who}", file=sys.stderr)
            if who == "A":
                result = node = result_of(options.a, options)
            elif options.b == "bare":
                result = result_of_bare(options.a, options, node)
            else:
                result = result_of(options.b, options)
            lines.append(json.dumps({"build": who, "round": number + 1, "result": result}))
            results[who].append(result)
            if result["exit_code"] == MISSED:
                print(f"{who} missed what was wanted: {json.dumps(result.get('objectives'))}", file=sys.stderr)
    print(table({who: columns_of(results[who]) for who in "AB"}))
    print(placements(results), end="")
    kind, same = alike(results)
    if kind and same["A"] and same["B"]:
        print(f"\nthe runs whose cores were {kind}, alone:")
        print(table({who: columns_of(same[who]) for who in "AB"}))
    elif kind:
        print("A and B have no run with the cores alike: play more rounds")
    if options.json:
        with open(options.json, "w", encoding="utf-8") as file:
            file.write("\n".join(lines) + "\n")


if __name__ == "__main__":
    try:
        main()
    except Failed as failed:
        print(f"versus: a run ended with exit code {failed.code}", file=sys.stderr)
        sys.exit(failed.code)
