#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Power cuts on the real driver: people write to one another over a real node on a real disk; at random moments it is
killed, its data directory is cut back to what was synced, and it is started again on what is left.

    tests/powercut/power_cut_test.py LINNETD_RECORDED LINNET [--cuts N] [--seed S]
    tests/powercut/power_cut_test.py LINNETD_RECORDED LINNET --plant no-append-sync --cuts N

Runs in the current folder. Exit code 0: every promise was kept; 1: one was broken (the sentence is printed, the data
directory that showed it is kept). With --plant, a bug is put into the node's syncs (disk.py), and 0 means that it was
caught within N cuts.

Why so, and not a virtual machine that is killed. A SIGKILL, of the node or of its machine, lets the disk keep whatever
the kernel or the device had got by itself, mostly all of it. Here what survives is computed from what the node was
promised (recorder.h, disk.py): the worst case, a missing sync shows in the first cut that needs it, and a cut takes a
second or two. The node, its threads, the ring, LMDB and the kernel below are the real ones. What this can't show is a
kernel or a device that breaks its promises.

The seed chooses the moments and what survives besides; threads and a real disk don't repeat themselves with it.
"""
import argparse
import asyncio
import contextlib
import os
import random
import re
import shutil
import signal
import sys
import time

from disk import KINDS, PLANTS, Disk
from people import NAMES, Broken, Visit, make_people, patience

# Cheap passwords, small files, and folds as often as they come.
FLAGS = ("--password-memory-bytes", "8K", "--password-ops", "1", "--store-segment-bytes", "256K",
         "--store-replay-bytes", "1M", "--store-replay-commands", "1000", "--store-reserve-bytes", "1M",
         "--store-map-bytes", "256M")
START_S = patience(60)
STOP_S = patience(60)
TALK_S = 1.5  # at most, before a cut
FIRST_STARTS = 2  # starts that are cut before there is anybody


class Node:
    """One life of a linnetd_recorded."""

    def __init__(self, options):
        self.options = options
        self.data, self.journal = os.path.abspath("data"), os.path.abspath("journal")
        self.process = self.address = None
        self.output = ""

    async def start(self):
        with contextlib.suppress(FileNotFoundError):
            os.remove(self.journal)
        # Dies with the test, whatever happens to that.
        self.process = await asyncio.create_subprocess_exec(
            "setpriv", "--pdeathsig", "KILL", self.options.linnetd, "--data", self.data, "--listen", "127.0.0.1:0",
            *FLAGS, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
            env={**os.environ, "LINNET_POWERCUT_DATA": self.data, "LINNET_POWERCUT_JOURNAL": self.journal})

    async def listen(self):
        """Waits until clients can come."""
        while self.address is None:
            line = (await asyncio.wait_for(self.process.stdout.readline(), START_S)).decode()
            if line == "":
                raise Broken(f"the node did not start again, exit code {await self.process.wait()}: {self.output}")
            self.output += line
            found = re.match(r"listening on (\S+)$", line)
            self.address = found and found.group(1)

    async def kill(self):
        if self.process.returncode is None:
            self.process.kill()
        await self.process.wait()

    async def stop(self):
        self.process.send_signal(signal.SIGTERM)
        self.output += (await asyncio.wait_for(self.process.stdout.read(), STOP_S)).decode()
        if await self.process.wait() != 0:
            raise Broken(f"the node did not stop as it was asked: {self.output}")

    async def enrol(self, chance):
        """The people, by the operator's tool: new users with a device each."""
        tool = await asyncio.create_subprocess_exec(
            self.options.linnet, "--data", self.data, "user", "import", "-",
            stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE)
        out, wrong = await tool.communicate("".join(f"{name}\n" for name in NAMES).encode())
        if tool.returncode != 0:
            raise Broken(f"the users can't be made: {wrong.decode()}")
        return make_people(out.decode(), chance)


class Trial:
    """Lives of one data directory, each ended by a cut but the last."""

    def __init__(self, options):
        self.options = options
        self.chance = random.Random(options.seed)
        self.disk = Disk()
        self.people = []
        self.cuts = 0
        self.start_s = 0.2  # how long the last start took
        self.kinds = dict.fromkeys(KINDS, 0)

    async def run(self):
        shutil.rmtree("data", ignore_errors=True)
        os.mkdir("data", 0o700)
        while self.cuts < self.options.cuts:
            node = Node(self.options)
            try:
                await self.live(node)
            finally:
                await node.kill()
            self.cut()
        await self.last_life()

    async def live(self, node):
        """Until it is killed, at one of three moments: while it starts, when the people come back, or while they
        talk."""
        began = time.monotonic()
        await node.start()
        starts = self.cuts < FIRST_STARTS or self.chance.random() < 0.2
        if starts:
            await asyncio.sleep(self.chance.uniform(0, 1.2 * self.start_s))
            return
        await node.listen()
        self.start_s = time.monotonic() - began
        if not self.people:
            self.people = await node.enrol(random.Random(self.options.seed))
        async with Visit(node.address, self.people) as visit:
            if self.chance.random() < 0.2:
                await visit.stay(self.chance.uniform(0, 0.2))
            else:
                await visit.settle()
                await visit.talk(self.chance.uniform(0, TALK_S))
            await node.kill()
            await visit.end()

    def cut(self):
        kind, survives = self.chance.choice(KINDS), self.chance.random()
        if os.path.exists("journal"):  # else the node was killed before it was one
            self.disk.replay("journal", self.options.plant)
        self.disk.cut(random.Random(survives), kind)
        self.disk.write("data")
        self.kinds[kind] += 1
        self.cuts += 1

    async def last_life(self):
        """Nothing is missing, and the journal told everything that was written."""
        node = Node(self.options)
        try:
            await node.start()
            await node.listen()
            async with Visit(node.address, self.people) as visit:
                await visit.settle()
                await visit.talk(TALK_S)
                await visit.settle()
                await node.stop()
                await visit.end()
        finally:
            await node.kill()
        self.disk.replay("journal", self.options.plant)
        if differences := self.disk.differences("data"):
            raise AssertionError("the recorder missed something: " + "; ".join(differences))

    def told(self):
        sent = sum(line.sent_last for person in self.people for line in person.writes.values())
        counts = ", ".join(f"{count} {what}" for what, count in self.disk.counts.items())
        kinds = ", ".join(f"{count} {kind}" for kind, count in self.kinds.items())
        return f"{self.cuts} cuts ({kinds}), {sent} messages sent; of the disk: {counts}"


def exit_code(options, trial, broken):
    """Tells what a trial came to. `broken` is the promise that was, or None; a planted bug must break one."""
    if broken is not None:
        print(f"broken after {trial.cuts} cuts: {broken}")
    if options.plant is not None:
        print("the planted bug was " + ("caught" if broken else "NOT caught"))
        return 0 if broken else 1
    return 1 if broken else 0


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("linnetd", type=os.path.abspath)
    parser.add_argument("linnet", type=os.path.abspath)
    parser.add_argument("--cuts", type=int, default=30)
    parser.add_argument("--seed", type=int, default=random.randrange(1 << 32))
    parser.add_argument("--plant", choices=PLANTS)
    options = parser.parse_args()
    trial = Trial(options)
    began = time.monotonic()
    broken = None
    try:
        asyncio.run(trial.run())
    except Broken as error:
        broken = error
    print(f"seed {options.seed}: {trial.told()}; {(time.monotonic() - began) / max(trial.cuts, 1):.1f} s a cut")
    return exit_code(options, trial, broken)


if __name__ == "__main__":
    sys.exit(main())
