#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""One seed, one run: each scenario is played twice, by two processes with their memory at other addresses, and both
must write the same log of events, to the byte.

    replay_test.py LINNET-SIM
"""
import ctypes
import hashlib
import itertools
import os
import subprocess
import sys
import tempfile

SEEDS = {"runtime": range(1, 9), "store": range(1, 5), "chat": range(1, 7), "kill": range(1, 4)}
ADDRESSES_FROM_CHANCE = 0  # personality(2), without ADDR_NO_RANDOMIZE


def scatter_addresses():
    """What runs the tests may have switched it off."""
    ctypes.CDLL(None).personality(ADDRESSES_FROM_CHANCE)


def play(program, scenario, seed, log):
    command = [program, "--scenario", scenario, "--seed", str(seed), "--log", log]
    done = subprocess.run(command, preexec_fn=scatter_addresses, capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(done.stdout + done.stderr)


def digest(path):
    with open(path, "rb") as stream:
        return hashlib.sha256(stream.read()).hexdigest()


def first_difference(paths):
    with open(paths[0]) as first, open(paths[1]) as second:
        for number, (one, other) in enumerate(itertools.zip_longest(first, second, fillvalue="(the end)\n"), 1):
            if one != other:
                return f"line {number}:\n  {one}  {other}"
    return "none"


def main(program):
    lines = 0
    digests = set()
    with tempfile.TemporaryDirectory() as folder:
        paths = [os.path.join(folder, name) for name in ("first", "second")]
        for scenario, seeds in SEEDS.items():
            for seed in seeds:
                for path in paths:
                    play(program, scenario, seed, path)
                if digest(paths[0]) != digest(paths[1]):
                    sys.exit(f"{scenario}, seed {seed}: the logs differ, first in {first_difference(paths)}")
                digests.add(digest(paths[0]))
                with open(paths[0]) as stream:
                    lines += sum(1 for _ in stream)
    if len(digests) != sum(len(seeds) for seeds in SEEDS.values()) or lines < 10000:
        sys.exit(f"{len(digests)} different logs of {lines} lines: other seeds should be other runs")
    print(f"{len(digests)} runs of {lines} events in all, each the same twice")


main(sys.argv[1])
