#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""More people are online than the node may have descriptors: who has logged in gives its own back, and notices
nothing."""
import asyncio
import json
import os
import re
import unittest

from client import JSON, Person
from linnetd import Node, eventually, main

DESCRIPTORS = 160
PEOPLE = 300
TOGETHER = 20  # who log in at the same time


class Settle(unittest.IsolatedAsyncioTestCase):
    async def asyncSetUp(self):
        self.node = Node("--schedulers", "2", "--workers", "2", "--store-cells", "8", descriptors=DESCRIPTORS)
        self.addCleanup(self.node.__exit__)
        self.node.start()
        bound = int(re.search(r"^connections_max is (\d+) instead of 100000: ", self.node.output, re.MULTILINE).group(1))
        if bound < DESCRIPTORS:
            self.skipTest("sockets take descriptors on this kernel")
        self.names = [f"person{i}" for i in range(PEOPLE)]
        self.tokens = {name: token for name, (_, token) in self.node.import_users(*self.names).items()}
        self.people = {}

    async def come(self, names):
        names = list(names)
        for i in range(0, len(names), TOGETHER):
            group = names[i:i + TOGETHER]
            self.people.update(zip(group, await asyncio.gather(
                *(Person.welcomed(self.node, JSON, self.tokens[name]) for name in group))))

    async def say(self, writer, reader, text):
        answer = await self.people[writer].ask({"sendMessage": {"chat": {"userName": reader}, "text": text}})
        self.assertIn("sent", answer)
        message = await self.people[reader].event("newMessage")
        self.assertEqual(message["text"], text)
        await self.people[reader].send({"ack": {"inboxNumber": message["inboxNumber"]}})

    async def all_talk(self, text):
        pairs = list(zip(self.names[:PEOPLE // 2], reversed(self.names)))
        for i in range(0, len(pairs), TOGETHER):
            await asyncio.gather(*(self.say(*pair, text) for pair in pairs[i:i + TOGETHER]))

    def status(self):
        return json.loads(self.node.linnet("status", "--json").stdout)

    def settled(self):
        return sum(row["io_settled"] for row in self.status()["schedulers"])

    async def test_more_are_online_than_there_are_descriptors_and_all_talk(self):
        await self.come(self.names)
        await self.all_talk("hello")
        self.assertEqual(self.status()["counters"]["devices"], PEOPLE)
        self.assertGreater(self.settled(), PEOPLE - DESCRIPTORS)
        self.assertLess(len(os.listdir(f"/proc/{self.node.process.pid}/fd")), DESCRIPTORS)
        self.assertEqual(sum(row["io_settles_failed"] for row in self.status()["schedulers"]), 0)
        # Some go in order and some are cut off; their places are taken again.
        for i, name in enumerate(self.names[100:]):
            if i % 2:
                await self.people.pop(name).close()
            else:
                self.people.pop(name).socket.transport.abort()
        eventually(lambda: self.status()["counters"]["devices"] == 100, "those who went to be gone")
        await self.come(self.names[100:])
        await self.all_talk("again")
        self.assertGreater(self.settled(), PEOPLE - DESCRIPTORS)
        # All are told, whoever has a descriptor.
        self.assertEqual(self.node.stop(), 0)
        for person in self.people.values():
            await asyncio.wait_for(person.socket.wait_closed(), 10)
            self.assertEqual(person.socket.close_code, 1001)


if __name__ == "__main__":
    main()
