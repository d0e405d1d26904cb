#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The node is killed with SIGKILL at random moments under load and started again, at least twenty times: nothing that was
accepted is lost, nothing comes twice, the order is kept, and no tick comes early or moves back.

The load comes once from a client written here after docs/protocol.md, and once from linnet-bench, whose exit code is the
verdict. LINNET_KILLS sets how many, LINNET_SEED which moments (it is printed)."""
import asyncio
import os
import random
import subprocess
import time
import unittest

from linnetd import LINNET_BENCH, PATIENCE_S, Node, main
from people import Pair

KILLS = int(os.environ.get("LINNET_KILLS", "20"))
SEED = int(os.environ.get("LINNET_SEED", "0")) or random.randrange(1, 1 << 32)
PAIRS = 4
# A life of the node: from a kill within its first accepts to one within full load.
LIFE_S = 0.02, 1.0


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
                node.kill()
                await asyncio.get_running_loop().run_in_executor(None, node.start)
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
        seconds = KILLS * (sum(LIFE_S) / 2 + 0.5)
        with Node() as node:
            bench = subprocess.Popen(
                ["setpriv", "--pdeathsig", "KILL", LINNET_BENCH, "chat", "--url", node.url, "--data", node.data,
                 "--pairs", "20", "--rate", "2000", "--warmup", "0", "--seconds", str(round(seconds))],
                stdout=subprocess.PIPE, text=True)
            time.sleep(1)  # it makes its users first
            kills = 0
            while kills < KILLS or bench.poll() is None and kills < 2 * KILLS:
                time.sleep(chance.uniform(*LIFE_S))
                if bench.poll() is not None:
                    break
                node.kill()
                node.start()
                kills += 1
            told, _ = bench.communicate(timeout=seconds + PATIENCE_S)
        print(f"seed {SEED}: {kills} kills\n{told}")
        self.assertEqual(bench.returncode, 0)
        self.assertGreaterEqual(kills, KILLS)


if __name__ == "__main__":
    main()
