#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The node is killed with SIGKILL at random moments under load and started again, at least twenty times: nothing that
was accepted is lost, nothing comes twice, the order is kept, and no tick comes early or moves back.

The load comes once from a client written here after docs/protocol.md, and once from linnet-bench, whose exit code is
the verdict. LINNET_KILLS sets how many, LINNET_SEED which moments (it is printed)."""
import asyncio
import os
import random
import subprocess
import threading
import time
import unittest

from linnetd import LINNET_BENCH, PATIENCE_S, Node, main
from people import Pair

KILLS = int(os.environ.get("LINNET_KILLS", "20"))
SEED = int(os.environ.get("LINNET_SEED", "0")) or random.randrange(1, 1 << 32)
PAIRS = 4
# A life of the node: from a kill within its first accepts to one within full load.
LIFE_S = 0.02, 1.0


def kill_and_start(node, chance):
    """Every third time it is killed once more while it recovers."""
    node.kill()
    if chance.random() < 1 / 3:
        node.spawn()
        time.sleep(chance.uniform(0, 0.4))
        node.kill()
    node.start()


class Kills(unittest.IsolatedAsyncioTestCase):
    async def test_twenty_kills_under_our_own_load_break_no_promise(self):
        chance = random.Random(SEED)
        done = False
        with Node() as node:
            people = node.import_users(*(f"{name}{i}" for i in range(PAIRS) for name in ("alice", "bob")))
            pairs = [Pair(node, people, f"alice{i}", f"bob{i}") for i in range(PAIRS)]
            load = asyncio.gather(*(pair.chat(lambda: done) for pair in pairs))
            for _ in range(KILLS):
                await asyncio.sleep(chance.uniform(*LIFE_S))
                await asyncio.get_running_loop().run_in_executor(None, kill_and_start, node, chance)
            done = True
            await load
            await asyncio.gather(*(pair.settle() for pair in pairs))
            broken = [promise for pair in pairs for promise in pair.broken()]
        messages = sum(device.written for pair in pairs for device in pair.devices)
        connections = sum(device.connections for pair in pairs for device in pair.devices)
        print(f"seed {SEED}: {KILLS} kills, {messages} messages, {connections} connections")
        self.assertEqual(broken, [])
        self.assertGreater(messages, 10 * KILLS)

    @unittest.skipIf(LINNET_BENCH is None, "linnet-bench was not built")
    def test_twenty_kills_under_the_load_of_linnet_bench_break_no_promise(self):
        chance = random.Random(SEED)
        seconds = round(10 + 2.5 * KILLS)
        with Node() as node:
            bench = subprocess.Popen(
                ["setpriv", "--pdeathsig", "KILL", LINNET_BENCH, "chat", "--url", node.url, "--data", node.data,
                 "--pairs", "20", "--warmup", "0", "--seconds", str(seconds)],
                stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
            told = [bench.stderr.readline()]  # its users are made and at it
            reading = threading.Thread(target=lambda: told.extend(bench.stderr))
            reading.start()
            kills = 0
            while kills < KILLS and bench.poll() is None:
                time.sleep(chance.uniform(*LIFE_S))
                kill_and_start(node, chance)
                kills += 1
            code = bench.wait(seconds + PATIENCE_S)
            reading.join()
            told.extend(bench.stdout)
            bench.stdout.close(), bench.stderr.close()
        print(f"seed {SEED}: {kills} kills\n{''.join(told[-14:])}")
        self.assertEqual(code, 0, "".join(told))
        self.assertEqual(kills, KILLS, "it ended before all kills were done")


if __name__ == "__main__":
    main()
