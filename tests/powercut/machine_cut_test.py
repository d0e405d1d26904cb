#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Power cuts below the file system: linnetd runs in a virtual machine, on an ext4 on a disk with a volatile write cache
(nbd.py). At random moments the machine is killed, with its page cache; of what the disk had been given and not been
asked to flush, some sectors are kept, or none, or all. Then it is started again with the same disk.

    tests/powercut/machine_cut_test.py LINNETD LINNET --kernel FOLDER [--cuts N] [--seed S] [--plant no-flush]

Runs in the current folder; FOLDER keeps the kernel for the next time. Exit codes as power_cut_test.py, and 77 where
there is no such kernel or no QEMU.

It is the whole stack, kernel and file system too, with an unchanged linnetd; and it is slow, half a minute a cut
without hardware virtualization. power_cut_test.py is the one that looks hard.
"""
import argparse
import asyncio
import os
import random
import shutil
import subprocess
import sys
import time

from machine import Machine, Missing, fetch_kernel, make_initramfs
from nbd import Device
from people import NAMES, Broken, Visit, make_people
from power_cut_test import FLAGS, exit_code

DISK_BYTES = 96 << 20
SETTLE_S = 300
TALK_S = (2.0, 10.0)  # before a cut: a machine without hardware virtualization says a hundred messages in it


def make_disk(options, chance):
    """The image, with a data directory that has its people; and them."""
    shutil.rmtree("tree", ignore_errors=True)
    os.mkdir("tree")
    node = subprocess.Popen([options.linnetd, "--data", "tree/data", "--listen", "127.0.0.1:0", *FLAGS],
                            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    try:
        while "listening on" not in (line := node.stdout.readline()):
            if line == "":
                raise Broken("the node did not start")
        told = subprocess.run([options.linnet, "--data", "tree/data", "user", "import", "-"], text=True, check=True,
                              input="".join(f"{name}\n" for name in NAMES), capture_output=True)
        node.terminate()
        node.stdout.read()
    finally:
        node.kill()
        node.wait()
    os.remove("tree/data/linnet.sock")
    with open("image", "wb") as stream:
        stream.truncate(DISK_BYTES)
    subprocess.run(["/usr/sbin/mkfs.ext4", "-q", "-F", "-d", "tree", "image"], check=True)
    shutil.rmtree("tree")
    return make_people(told.stdout, chance)


class Trial:
    """Boots of one disk, each ended by a cut."""

    def __init__(self, options):
        self.options = options
        self.chance = random.Random(options.seed)
        self.people = []
        self.cuts = 0

    async def run(self):
        fetch_kernel(self.options.kernel)
        make_initramfs(self.options.kernel, self.options.linnetd, FLAGS, os.path.abspath("initramfs"))
        self.people = make_disk(self.options, random.Random(self.options.seed))
        device = Device("image")
        if self.options.plant == "no-flush":
            device.flush = lambda: None  # it says that it did
        await device.serve("disk.sock")
        try:
            while True:
                began = time.monotonic()
                words = await self.boot()
                if self.cuts == self.options.cuts:
                    break
                self.cuts += 1
                lost = device.cut(random.Random(self.chance.random()))
                print(f"cut {self.cuts}: {words}, {lost}, {device.flushes} flushes so far, "
                      f"{time.monotonic() - began:.0f} s", flush=True)
        finally:
            device.close()

    async def boot(self):
        """One life: everything comes back, and all but the last time they talk until the cut."""
        machine = Machine(self.options.kernel, os.path.abspath("initramfs"), os.path.abspath("disk.sock"))
        try:
            await machine.start()
            if not await machine.listen():
                raise Broken(f"the node did not start again: {machine.output}")
            async with Visit(machine.address, self.people) as visit:
                await visit.settle(SETTLE_S)
                if self.cuts == self.options.cuts:
                    return ""
                before = self.sent()
                await visit.talk(self.chance.uniform(*TALK_S))
                await machine.kill()
                await visit.end()
                return f"{self.sent() - before} messages sent in this life"
        finally:
            await machine.kill()

    def sent(self):
        return sum(line.sent_last for person in self.people for line in person.writes.values())


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("linnetd", type=os.path.abspath)
    parser.add_argument("linnet", type=os.path.abspath)
    parser.add_argument("--kernel", type=os.path.abspath, required=True)
    parser.add_argument("--cuts", type=int, default=5)
    parser.add_argument("--seed", type=int, default=random.randrange(1 << 32))
    parser.add_argument("--plant", choices=["no-flush"])
    options = parser.parse_args()
    for tool in "qemu-system-x86_64", "/usr/sbin/mkfs.ext4", "/bin/busybox", "cpio":
        if shutil.which(tool) is None:
            print(f"there is no {tool}")
            return 77
    trial = Trial(options)
    broken = None
    try:
        asyncio.run(trial.run())
    except Missing as error:
        print(error)
        return 77
    except Broken as error:
        broken = error
    print(f"seed {options.seed}: {trial.cuts} cuts, {trial.sent()} messages sent")
    return exit_code(options, trial, broken)


if __name__ == "__main__":
    sys.exit(main())
