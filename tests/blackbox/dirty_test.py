#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""A thousand dirty disconnects: connections that break before the push, between push and ack, within a frame of either
side, with FIN and with RST, while both people of each pair write on. Nothing that was accepted is lost, nothing comes
twice, the order is kept, and no tick comes early or moves back.

LINNET_CUTS sets how many, LINNET_SEED where (it is printed; what meets them is up to the clock)."""
import asyncio
import collections
import os
import random
import time
import unittest

from linnetd import Node, main
from people import Cut, Pair

CUTS = int(os.environ.get("LINNET_CUTS", "1000"))
SEED = int(os.environ.get("LINNET_SEED", "0")) or random.randrange(1, 1 << 32)
PAIRS = 4
PLACES = ["before the welcome", "between push and ack", "within a frame of ours", "within a frame of the node"]


class Dirty(unittest.IsolatedAsyncioTestCase):
    async def test_a_thousand_dirty_disconnects_break_no_promise(self):
        chance = random.Random(SEED)
        places = collections.Counter()
        began = time.monotonic()

        def cut_new():
            kind = chance.randrange(4)
            cut = Cut(reset=chance.random() < 0.5)
            if kind == 0:  # up to the welcome's end
                cut.received_bytes = chance.randrange(0, 600)
            elif kind == 1:
                cut.stored = chance.randrange(1, 20)
            elif kind == 2:
                cut.received_bytes = chance.randrange(600, 6000)
            else:
                cut.sent_bytes = chance.randrange(150, 4000)
            return cut

        def ended(cut):
            places[cut.place, "RST" if cut.reset else "FIN"] += 1

        def enough():
            return sum(places.values()) >= CUTS

        with Node() as node:
            people = node.import_users(*(f"{name}{i}" for i in range(PAIRS) for name in ("alice", "bob")))
            pairs = [Pair(node, people, f"alice{i}", f"bob{i}") for i in range(PAIRS)]
            await asyncio.gather(*(pair.chat(enough, cut_new, ended) for pair in pairs))
            await asyncio.gather(*(pair.settle() for pair in pairs))
            broken = [promise for pair in pairs for promise in pair.broken()]
            node.linnet("status")

        messages = sum(device.written for pair in pairs for device in pair.devices)
        print(f"seed {SEED}: {sum(places.values())} cuts, {messages} messages, {time.monotonic() - began:.1f} s")
        for (place, how), count in sorted(places.items()):
            print(f"  {count:5} {how} {place or 'by the node'}")
        self.assertEqual(broken, [])
        self.assertGreater(messages, CUTS)
        for place in PLACES:
            for how in "RST", "FIN":
                self.assertGreater(places[place, how], CUTS // 50, f"too few {how} {place} to say anything")


if __name__ == "__main__":
    main()
