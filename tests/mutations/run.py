#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Judges the judges: plants one bug at a time into a copy of the tree, and sees that linnet-sim finds it.

    tests/mutations/run.py [--only EXPRESSION] [--share K/N] [--check]

Each mutation is one place in one source: what stands there, to the letter, and what is put there instead. Where that
text is not found exactly once the source has moved and the run fails. Each is to be caught within a number of seeds of
one scenario; a few that no story can see are for a test without seeds. A baseline, the tree as it is, must keep every
promise over the same seeds. The result is a table.

A share is every Nth mutation from the Kth on, K modulo N: what counts K upwards has planted all of them after N times.
"""
import argparse
import os
import re
import shutil
import subprocess
import sys
import time
from typing import NamedTuple

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.abspath(os.path.join(HERE, "..", ".."))
COPY = os.path.join(ROOT, "build", "mutations", "tree")
BUILD = os.path.join(COPY, "build", "release")
SIM = os.path.join(BUILD, "tests", "sim", "linnet-sim")
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
             "    for (unsigned i = 0; result == 0 && i < fold->tables_count; i++) {",
             "    for (unsigned i = 1; result == 0 && i < fold->tables_count; i++) {", "store", 60),
    Mutation("recovery leaves commands out", "store/recovery_replay.c",
             "if (log_mark_compare(&at, &cell->folded) < 0) {",
             "if (log_mark_compare(&at, &cell->folded) < 0 || recovery->report->commands == 7) {", "store", 20),
    Mutation("a batch's checksum is not looked at", "store/log_batch.c",
             "batch_checksum(salt, bytes, batch.bytes_count) != batch.checksum) {",
             "batch_checksum(salt, bytes, batch.bytes_count) == 0) {", "store", 60),
    Mutation("an outbox's acknowledgement is ignored", "store/apply_stream.c",
             "    outbox_acked(ledger, ack->destination, ack->number, ack->bytes);", "    (void)ack;", "store", 60),
]


def fail(text):
    print(text)
    sys.exit(1)


def copy_tree():
    """The files that git knows, as they are now; those that have not changed keep their place, and so their objects."""
    names = subprocess.run(["git", "ls-files", "-co", "--exclude-standard"], cwd=ROOT, capture_output=True, text=True,
                           check=True).stdout.split("\n")
    for name in filter(None, names):
        source, target = os.path.join(ROOT, name), os.path.join(COPY, name)
        if not os.path.isfile(source):
            continue
        os.makedirs(os.path.dirname(target), exist_ok=True)
        with open(source, "rb") as stream:
            content = stream.read()
        if os.path.exists(target):
            with open(target, "rb") as stream:
                if stream.read() == content:
                    continue
        shutil.copy(source, target)


def build():
    command = ["ninja", "-C", BUILD, "--quiet", "linnet-sim", "runtime_mailbox"]
    done = subprocess.run(command, capture_output=True, text=True)
    return done.returncode == 0, done.stdout + done.stderr


def play(mutation):
    """(the seed that was broken or None, why); 0 of a test that takes no seed"""
    folder = os.path.join(COPY, "build", "scratch")
    os.makedirs(folder, exist_ok=True)
    command = [SIM, "--seed", "1", "--seeds", str(mutation.seeds), "--scenario", mutation.scenario, "--faults",
               mutation.faults]
    if mutation.seeds == 0:
        command = [os.path.join(BUILD, "tests", "runtime", mutation.scenario)]
    try:
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
        fail(f"linnet-sim failed otherwise:\n{done.stdout}{done.stderr}")
    asserted = re.search(r"assertion failed: (.*?) \(", done.stderr)
    return int(broken.group(1)), asserted.group(1) if asserted else broken.group(2)


def source(mutation, tree):
    """The text that it changes, which must stand there once."""
    with open(os.path.join(tree, mutation.path), encoding="utf-8") as stream:
        text = stream.read()
    if text.count(mutation.old) != 1:
        fail(f"{mutation.path}: '{mutation.old.strip()}' is there {text.count(mutation.old)} times, for: {mutation.name}")
    return text


def mutate(mutation):
    path = os.path.join(COPY, mutation.path)
    text = source(mutation, COPY)
    with open(path, "w", encoding="utf-8") as stream:
        stream.write(text.replace(mutation.old, mutation.new))
    try:
        built, why = build()
        if not built:
            fail(f"{mutation.name}: it does not compile\n{why}")
        return play(mutation)
    finally:
        with open(path, "w", encoding="utf-8") as stream:
            stream.write(text)


def baseline(mutations):
    built, why = build()
    if not built:
        fail(why)
    most = {}
    for mutation in mutations:
        kind = (mutation.scenario, mutation.faults)
        if kind not in most or most[kind].seeds < mutation.seeds:
            most[kind] = mutation
    for mutation in most.values():
        seed, why = play(mutation)
        if seed is not None or why:
            fail(f"without any mutation {mutation.scenario} is broken at seed {seed}: {why}")


def main(arguments):
    parser = argparse.ArgumentParser(description="plants bugs and sees that linnet-sim finds them")
    parser.add_argument("--only", default="", help="mutations whose name matches this expression")
    parser.add_argument("--share", default="0/1", metavar="K/N", help="every Nth of them, from the Kth on")
    parser.add_argument("--check", action="store_true", help="only see that each finds its place")
    options = parser.parse_args(arguments)
    first, parts = (int(number) for number in options.share.split("/"))
    mutations = [m for m in MUTATIONS if re.search(options.only, m.name)][first % parts :: parts]
    if options.check:
        for mutation in mutations:
            source(mutation, ROOT)
        print(f"{len(mutations)} mutations find their places")
        return 0
    copy_tree()
    subprocess.run(["cmake", "--preset", "release"], cwd=COPY, capture_output=True, check=True)
    began = time.monotonic()
    baseline(mutations)
    missed = 0
    print(f"{'mutation':54} {'scenario':8} {'within':>6} {'caught':>6}  by")
    for mutation in mutations:
        seed, why = mutate(mutation)
        missed += seed is None
        print(f"{mutation.name:54} {mutation.scenario:8} {mutation.seeds:6} {seed if seed is not None else 'MISSED':>6}  "
              f"{why}", flush=True)
    print(f"{len(mutations)} mutations, {missed} missed, {time.monotonic() - began:.0f} s")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
