#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Judges the judges: plants one bug at a time into the programs of build/release, and sees that linnet-sim finds it.

    tests/mutations/run.py [--only EXPRESSION] [--share K/N] [--check]

Each mutation is one place in one source: what stands there, to the letter, and what is put there instead. Where that
text is not found exactly once the source has moved and the run fails. Each is to be caught within a number of seeds of
one scenario; a few that no story can see are for a test without seeds. A baseline, the tree as it is, must keep every
promise over the same seeds. The result is a table.

The tree is not touched: the changed text lies in a folder of its own, from which the objects that have it in them are
compiled as ninja would, and libraries are made anew with them in their places. There are as many at a time as there are
processors.

A share is every Nth mutation from the Kth on, K modulo N: what counts K upwards has planted all of them after N times.
"""
import argparse
import concurrent.futures
import os
import re
import shlex
import subprocess
import sys
import tempfile
import time
from typing import NamedTuple

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.abspath(os.path.join(HERE, "..", ".."))
BUILD = os.path.join(ROOT, "build", "release")
SIM = "tests/sim/linnet-sim"
PLAY_SECONDS_MAX = 300


class Mutation(NamedTuple):
    name: str
    path: str
    old: str
    new: str
    scenario: str
    seeds: int
    faults: str = "none"


MUTATIONS = [
    Mutation("a wake-up is lost", "runtime/scheduler.c",
             "            io_wake(self->node->schedulers[i].io);", "            ;", "runtime", 20),
    Mutation("a timer is off by one", "runtime/timer.c",
             "uint64_t at_ms = now_ms + 1 + (", "uint64_t at_ms = now_ms + (", "runtime", 20),
    Mutation("EXIT is lost", "runtime/signal.c",
             "    ln_msg_free(&ours);\n    if (actor->traps_exit) {",
             "    ln_msg_free(&ours);\n    if (actor->traps_exit && down->reason.kind != LN_EXIT_NORMAL) {",
             "runtime", 20),
    Mutation("DOWN and EXIT before the last message", "runtime/signal.c",
             "    struct ln_msg *msg = message_new(self, tag, LN_REPLY, bytes);",
             "    struct ln_msg *msg = message_new(self, tag, LN_SYSTEM, bytes);", "runtime", 20),
    Mutation("DOWN is lost", "runtime/signal.c",
             "        notice_keep(actor, signal, LN_TAG_DOWN);\n        *msg = NULL;\n        return;",
             "        break;", "runtime", 20),
    Mutation("a stale pid is accepted", "runtime/scheduler.h",
             "return found->pid == pid ? found : NULL;",
             "return found->pid >> 32 == pid >> 32 ? found : NULL;", "runtime", 20),
    Mutation("a slot's generation is not raised", "runtime/slots.c",
             "(uint32_t)actor->pid + 1u;", "(uint32_t)actor->pid;", "runtime", 20),
    Mutation("lanes are swapped", "runtime/mailbox.c",
             "taken->lane == LN_SYSTEM ? &box->system : &box->queue",
             "taken->lane != LN_SYSTEM ? &box->system : &box->queue", "runtime_mailbox", 0),
    Mutation("a permanent child that was killed stays away", "runtime/supervisor.c",
             "    case LN_PERMANENT:\n        return true;",
             "    case LN_PERMANENT:\n        return kind != LN_EXIT_KILLED;", "runtime", 20),
    Mutation("requests in an ended actor's mailbox are not answered", "runtime/actor.c",
             "        message_discard(self, &msg, -ESRCH);",
             "        (void)self;\n        ln_msg_free(&msg);", "runtime", 20),
    Mutation("an answer before durability", "store/journal.c",
             "if (!journal->store->options.plant_answer_before_sync) {",
             "if (journal->store->options.plant_answer_before_sync) {", "store", 20),
    Mutation("LMDB does not sync", "store/environment.c",
             "code = mdb_env_open(env, options->path, OPEN_FLAGS, FILE_MODE);",
             "code = mdb_env_open(env, options->path, OPEN_FLAGS | MDB_NOSYNC, FILE_MODE);", "store", 60),
    Mutation("a stream's place is off by one", "store/apply_stream.c",
             "    from->in = stream->number;", "    from->in = stream->number - 1;", "store", 20),
    Mutation("the window's place is off by one", "store/window.c",
             "distance(window, at - 1) <= below", "distance(window, at - 1) < below", "store", 20),
    Mutation("a duplicate is not recognised", "store/apply_message.c",
             "    if (!apply_number_is_new(apply, &command->message)) {",
             "    if (!apply_number_is_new(apply, &command->message) && recipient == 0) {", "store", 20),
    Mutation("a change is made twice", "store/apply_change.c",
             "    if (!apply_number_is_new(apply, &change->message)) {",
             "    if (!apply_number_is_new(apply, &change->message) && change->author == 0) {", "chat", 60),
    Mutation("a tick goes back", "store/apply_cursor.c",
             "        chat.peer_read = read;", "        chat.peer_read = read / 2;", "store", 20),
    Mutation("delivered is ticked for all that was sent", "store/apply_cursor.c",
             "        chat.delivered = chat_number;", "        chat.delivered = chat.last;", "store", 20),
    Mutation("an epoch is not raised", "store/ledger.c",
             "larger(seconds, reached + 1) << LEDGER_NUMBER_COUNTER_BITS",
             "reached << LEDGER_NUMBER_COUNTER_BITS", "store", 40),
    Mutation("a chat's number is given twice", "store/apply_message.c",
             "    entry->message.chat_number = ++chat->last;", "    entry->message.chat_number = chat->last + 1;",
             "store", 20),
    Mutation("a fold loses a partition", "store/fold.c",
             "            result = fold_table(fold, write, fold->tables[i]);",
             "            result = i > 0 ? fold_table(fold, write, fold->tables[i]) : 0;", "store", 60),
    Mutation("an inbox is read from its first run alone", "store/environment_runs.c",
             "    for (uint32_t i = 0; result == 0 && i < count; i++) {",
             "    for (uint32_t i = 0; result == 0 && i < count && i < 1; i++) {", "store", 60),
    Mutation("recovery leaves commands out", "store/recovery_replay.c",
             "if (log_mark_compare(&at, &partition->cell->folded) < 0) {",
             "if (log_mark_compare(&at, &partition->cell->folded) < 0 || replay->commands == 7) {", "store", 20),
    Mutation("a batch's checksum is not looked at", "store/log_batch.c",
             "batch_checksum(salt, bytes, batch.bytes_count) != batch.checksum) {",
             "batch_checksum(salt, bytes, batch.bytes_count) == 0) {", "chat", 60),
    Mutation("an outbox's acknowledgement is ignored", "store/apply_stream.c",
             "    outbox_acked(ledger, ack->destination, ack->number, ack->bytes);", "    (void)ack;", "store", 60),
]


class Broken(Exception):
    """The run itself is, not a promise."""


def program_of(mutation):
    """What plays it, below BUILD."""
    return SIM if mutation.seeds > 0 else f"tests/runtime/{mutation.scenario}"


def ninja(*arguments):
    done = subprocess.run(["ninja", "-C", BUILD, "--quiet", *arguments], capture_output=True, text=True)
    if done.returncode != 0:
        raise Broken(done.stdout + done.stderr)
    return done.stdout


def objects_of(source):
    """The objects of BUILD in which this source is, which may be a header."""
    objects, name = set(), ""
    for line in ninja("-t", "deps").splitlines():
        if not line.startswith(" "):
            name = line.split(":")[0]
        elif os.path.realpath(os.path.join(BUILD, line.strip())) == source:
            objects.add(name)
    return objects


def compiled(command, folder):
    """Runs this command of ninja's, on the source in `folder` if that is the changed one; where its object is."""
    words = shlex.split(command)
    out = os.path.join(folder, words[words.index("-o") + 1].replace("/", "_"))
    changed = os.path.join(folder, os.path.relpath(words[words.index("-c") + 1], ROOT))
    words[words.index("-o") + 1], words[words.index("-MF") + 1] = out, out + ".d"
    if os.path.exists(changed):
        words[words.index("-c") + 1] = changed
    at = words.index("-c")
    done = subprocess.run([*words[:at], f"-iquote{folder}", *words[at:]], cwd=BUILD, capture_output=True, text=True)
    if done.returncode != 0:
        raise Broken(f"it does not compile\n{done.stderr}")
    return out


def linked(commands, changed, folder):
    """The program that the last of ninja's commands makes, with objects changed for others: {own: other}."""
    *before, link = commands
    for command in before:
        made = re.search(r" qc (\S+\.a)  ?(.*?) && ", command)
        if not made or changed.keys().isdisjoint(made.group(2).split()):
            continue
        members = [os.path.join(BUILD, changed.get(name, name)) for name in made.group(2).split()]
        archive = os.path.join(folder, made.group(1).replace("/", "_"))
        subprocess.run(["ar", "qcsT", archive, *members], check=True)
        link = link.replace(f" {made.group(1)} ", f" {archive} ")
    for own, other in changed.items():
        link = link.replace(f" {own} ", f" {other} ")
    program = os.path.join(folder, "program")
    link = re.sub(r" -o \S+ ", lambda _: f" -o {program} ", link)
    done = subprocess.run(link, shell=True, cwd=BUILD, capture_output=True, text=True)
    if done.returncode != 0:
        raise Broken(f"it does not link\n{done.stderr}")
    return program


def built(mutation, folder):
    """The program with the bug, in this folder."""
    path = os.path.join(folder, mutation.path)
    os.makedirs(os.path.dirname(path))
    with open(path, "w", encoding="utf-8") as stream:
        stream.write(source(mutation).replace(mutation.old, mutation.new))
    objects = objects_of(os.path.join(ROOT, mutation.path))
    commands = ninja("-t", "commands", program_of(mutation)).splitlines()
    changed = {}
    for command in commands:
        made = re.search(r" -o (\S+\.o) -c ", command)
        if made and made.group(1) in objects:
            changed[made.group(1)] = compiled(command, folder)
    if not changed:
        raise Broken(f"nothing of {program_of(mutation)} is compiled from {mutation.path}")
    return linked(commands, changed, folder)


def play(mutation, program):
    """(the seed that was broken or None, why); 0 of a test that takes no seed"""
    command = [program, "--seed", "1", "--seeds", str(mutation.seeds), "--scenario", mutation.scenario, "--faults",
               mutation.faults]
    if mutation.seeds == 0:
        command = [program]
    try:
        with tempfile.TemporaryDirectory() as folder:
            done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=PLAY_SECONDS_MAX)
    except subprocess.TimeoutExpired:
        return None, f"not done within {PLAY_SECONDS_MAX} s"
    broken = re.search(r"^BROKEN seed (\d+), \w+: (.*)$", done.stdout, re.MULTILINE)
    if done.returncode == 0:
        return None, ""
    if mutation.seeds == 0:
        failed = re.search(r"^\[  FAILED  \] (.*)$", done.stdout + done.stderr, re.MULTILINE)
        return 0, failed.group(1) if failed else f"it ended with {done.returncode}"
    if broken is None:
        raise Broken(f"linnet-sim failed otherwise:\n{done.stdout}{done.stderr}")
    asserted = re.search(r"assertion failed: (.*?) \(", done.stderr)
    return int(broken.group(1)), asserted.group(1) if asserted else broken.group(2)


def source(mutation):
    """The text that it changes, which must stand there once."""
    with open(os.path.join(ROOT, mutation.path), encoding="utf-8") as stream:
        text = stream.read()
    if text.count(mutation.old) != 1:
        raise Broken(f"{mutation.path}: '{mutation.old.strip()}' is there {text.count(mutation.old)} times")
    return text


def mutate(mutation):
    try:
        with tempfile.TemporaryDirectory() as folder:
            return play(mutation, built(mutation, folder))
    except Broken as why:
        raise Broken(f"{mutation.name}: {why}") from None


def baseline(mutation):
    seed, why = play(mutation, os.path.join(BUILD, program_of(mutation)))
    if seed is not None or why:
        raise Broken(f"without any mutation {mutation.scenario} is broken at seed {seed}: {why}")


def baselines(mutations):
    """One of each kind, that with the most seeds."""
    most = {}
    for mutation in mutations:
        kind = (mutation.scenario, mutation.faults)
        if kind not in most or most[kind].seeds < mutation.seeds:
            most[kind] = mutation
    return list(most.values())


def run(mutations):
    """How many were missed."""
    if not os.path.exists(os.path.join(BUILD, "build.ninja")):
        subprocess.run(["cmake", "--preset", "release"], cwd=ROOT, capture_output=True, check=True)
    ninja(*{program_of(mutation) for mutation in mutations})
    missed = 0
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        list(pool.map(baseline, baselines(mutations)))
        print(f"{'mutation':54} {'scenario':8} {'within':>6} {'caught':>6}  by")
        for mutation, (seed, why) in zip(mutations, pool.map(mutate, mutations)):
            missed += seed is None
            caught = seed if seed is not None else "MISSED"
            print(f"{mutation.name:54} {mutation.scenario:8} {mutation.seeds:6} {caught:>6}  {why}", flush=True)
    return missed


def main(arguments):
    parser = argparse.ArgumentParser(description="plants bugs and sees that linnet-sim finds them")
    parser.add_argument("--only", default="", help="mutations whose name matches this expression")
    parser.add_argument("--share", default="0/1", metavar="K/N", help="every Nth of them, from the Kth on")
    parser.add_argument("--check", action="store_true", help="only see that each finds its place")
    options = parser.parse_args(arguments)
    first, parts = (int(number) for number in options.share.split("/"))
    mutations = [m for m in MUTATIONS if re.search(options.only, m.name)][first % parts :: parts]
    try:
        if options.check:
            for mutation in mutations:
                source(mutation)
            print(f"{len(mutations)} mutations find their places")
            return 0
        began = time.monotonic()
        missed = run(mutations)
    except Broken as why:
        print(why)
        return 1
    print(f"{len(mutations)} mutations, {missed} missed, {time.monotonic() - began:.0f} s")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
