#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""What a message and a silent connection cost, counted, against the ceilings that stand in ceilings.txt.

    budget_test.py BUDGET_MESSAGES [--print]

Counts are differences of two runs of different lengths, divided by the messages between them, so that starting and
stopping cancel out. With --print nothing is judged: the figures, and the functions that most instructions are spent in.
"""
import collections
import concurrent.futures
import pathlib
import re
import subprocess
import sys
import tempfile

CEILINGS = pathlib.Path(__file__).with_name("ceilings.txt")
LENGTHS = {
    "single": (100, 300),
    "binary": (100, 300),
    "crowded": (500, 1500),
    "pairs": (2000, 6000),
    "group": (8000, 24000),
}
PEOPLE = (2, 8)  # who fall silent
# What is paid for on a simulated machine alone, and the people's own part.
NOT_THE_NODES = re.compile(r"(__wrap_|sim_|inode_|path_|world_|person_|judge_|acquaint|member_|pairs_write|group_waits|group_hears)")
# Where valgrind can't say which object a function is of, it is the program's own: libraries say it.
UNKNOWN = "???"
ALLOCATORS = {"malloc", "calloc", "realloc", "posix_memalign", "aligned_alloc"}


def counters(text):
    return {name: int(value) for name, value in re.findall(r"^(\w+) (\d+)$", text, re.M)}


class Profile:
    """Instructions by function of the program itself, and calls of the allocator, from callgrind's file."""

    def __init__(self, path, program):
        self.instructions = collections.Counter()
        self.allocations = collections.Counter()
        self.names = {}
        self.program = program
        self.object, self.function, self.callee = "", "", ""
        inclusive = False
        with open(path) as stream:
            for line in stream:
                inclusive = self.take(line.rstrip("\n"), inclusive)

    def name(self, kind, text):
        number, _, name = text.partition(" ")
        if name:
            self.names[kind, number] = name
        return self.names[kind, number]

    def take(self, line, inclusive):
        """One line; the one after `calls=` is the callee's cost, which is its own affair."""
        key, equals, value = line.partition("=")
        if equals and key in ("ob", "cob"):
            name = self.name("object", value)
            self.object = name if key == "ob" else self.object
        elif equals and key == "fn":
            self.function = self.name("function", value).split("'")[0]
        elif equals and key == "cfn":
            self.callee = self.name("function", value).split("'")[0]
        elif equals and key == "calls":
            if self.callee in ALLOCATORS and not NOT_THE_NODES.match(self.function):
                self.allocations[self.function] += int(value.split()[0])
            return True
        elif not equals and line[:1] in "+-*0123456789" and line and not inclusive:
            if self.object.endswith((self.program, UNKNOWN)) and not NOT_THE_NODES.match(self.function):
                self.instructions[self.function] += int(line.split()[1])
        return False


def play(program, pattern, count, folder):
    out = pathlib.Path(folder) / f"{pattern}-{count}"
    command = ["valgrind", "--tool=callgrind", f"--callgrind-out-file={out}", program, pattern, str(count)]
    done = subprocess.run(command, capture_output=True, text=True, cwd=folder)
    if done.returncode != 0:
        sys.exit(f"{' '.join(command)}\n{done.stdout}{done.stderr}")
    return counters(done.stdout), Profile(out, pathlib.Path(program).name)


def weigh(program, people):
    """Bytes of the runtime's memory with so many silent people; no profile is needed."""
    with tempfile.TemporaryDirectory() as folder:
        command = [program, "idle", str(people)]
        done = subprocess.run(command, capture_output=True, text=True, cwd=folder)
    if done.returncode != 0:
        sys.exit(f"{' '.join(command)}\n{done.stdout}{done.stderr}")
    return counters(done.stdout)["runtime_bytes"]


def measure(program):
    """(pattern, what) -> per message; pattern -> instructions by function, per message."""
    figures, functions = {}, {}
    with tempfile.TemporaryDirectory() as folder, concurrent.futures.ThreadPoolExecutor() as pool:
        plays = {
            (pattern, length): pool.submit(play, program, pattern, length, folder)
            for pattern, lengths in LENGTHS.items()
            for length in lengths
        }
        for pattern, (few, many) in LENGTHS.items():
            before, profile_before = plays[pattern, few].result()
            after, profile = plays[pattern, many].result()
            profile.instructions.subtract(profile_before.instructions)
            profile.allocations.subtract(profile_before.allocations)
            for name in after:
                figures[pattern, name] = (after[name] - before[name]) / (many - few)
            figures[pattern, "instructions"] = sum(profile.instructions.values()) / (many - few)
            figures[pattern, "allocations"] = sum(profile.allocations.values()) / (many - few)
            functions[pattern] = (profile.instructions, profile.allocations, many - few)
    few, many = PEOPLE
    figures["idle", "connection_bytes"] = (weigh(program, many) - weigh(program, few)) / (many - few)
    return figures, functions


def ceilings():
    """(pattern, what) -> at most so much."""
    found = {}
    for line in CEILINGS.read_text().splitlines():
        words = line.split("#")[0].split()
        if words:
            found[words[0], words[1]] = float(words[2])
    return found


def show(figures, functions):
    for (pattern, what), figure in sorted(figures.items()):
        print(f"{pattern:10}{what:18}{figure:12.3f}")
    for pattern, (instructions, allocations, messages) in functions.items():
        for title, counter, most in ("instructions", instructions, 25), ("allocations", allocations, 12):
            print(f"\n{pattern}: {title} a message, by function")
            for name, count in counter.most_common(most):
                print(f"{count / messages:12.2f}  {name}")


def judge(figures):
    limits = ceilings()
    wrong = [f"there is no ceiling for: {' '.join(key)}" for key in figures if key not in limits]
    wrong += [f"nothing was measured for the ceiling: {' '.join(key)}" for key in limits if key not in figures]
    for key, limit in limits.items():
        if figures.get(key, 0) > limit:
            wrong.append(f"{' '.join(key)}: {figures[key]:.2f}, at most {limit:g} is allowed")
    return wrong


def main():
    program = str(pathlib.Path(sys.argv[1]).resolve())
    figures, functions = measure(program)
    if "--print" in sys.argv:
        show(figures, functions)
        return
    wrong = judge(figures)
    for line in wrong:
        print(line)
    if wrong:
        sys.exit(f"""
A message or a connection has become dearer than was agreed. To see where: {pathlib.Path(__file__).name} BUDGET_MESSAGES --print, before
and after your change. When it is worth its price, raise the ceiling in {CEILINGS.name} and say there why.""")
    print(f"{len(figures)} figures, none above its ceiling")


main()
