#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""A crowd takes every descriptor that connections may have, and does not log in: who was in before goes on as if nothing
were, the operator sees it, and when the crowd has gone there is room again."""
import json
import os
import re
import socket
import unittest

from client import JSON, Person
from linnetd import PATIENCE_S, Node, eventually, main
from wire import Wire, upgrade_request

DESCRIPTORS = 88  # of which the node needs more than two thirds itself
CROWD = 270       # more than three times all of them
TEXT = "x" * 30000
FEW = ["--schedulers", "2", "--workers", "2", "--store-cells", "8"]


class Crowd(unittest.IsolatedAsyncioTestCase):
    async def asyncSetUp(self):
        # All are patient: nobody is let go before the test is over.
        self.node = Node(*FEW, "--login-timeout-ms", "300000", descriptors=DESCRIPTORS)
        self.addCleanup(self.node.__exit__)
        self.node.start()
        self.bound = int(re.search(r"^connections_max is (\d+) instead of 100000: ", self.node.output, re.MULTILINE).group(1))
        self.people = self.node.import_users("alice", "bob", "carol")
        self.alice = await self.come("alice")
        self.bob = await self.come("bob")
        self.crowd = []
        self.addCleanup(self.leave)

    async def come(self, name):
        return await Person.welcomed(self.node, JSON, self.people[name][1])

    def leave(self):
        for stranger in self.crowd:
            stranger.close()
        self.crowd = []

    def ask(self, request):
        """All that is answered; "" when it is reset. A WebSocket stays open, in the crowd."""
        try:
            wire = Wire(self.node)
        except OSError:
            return ""
        self.crowd.append(wire.socket)
        try:
            wire.send(request)
            head = wire.head()
            if head.startswith("HTTP/1.1 101 "):
                return head
            answer = head + wire.rest().decode()
        except (AssertionError, OSError):
            answer = ""
        self.crowd.pop().close()
        return answer

    def upgraded(self):
        return self.ask(upgrade_request()[0]).startswith("HTTP/1.1 101 ")

    def silent(self):
        """Comes, and does nothing, not even go."""
        self.crowd.append(socket.socket())
        self.crowd[-1].settimeout(PATIENCE_S)
        try:
            self.crowd[-1].connect((self.node.host, self.node.port))
        except ConnectionResetError:
            pass

    def segments(self):
        names = os.listdir(os.path.join(self.node.data, "log"))
        return max(int(name[-8:], 16) for name in names if re.fullmatch("[0-9a-f]{8}(-[0-9a-f]+){2}", name))

    async def chat(self):
        """Both write, through two more segments of the log at least."""
        first = self.segments()
        while self.segments() < first + 2:
            for writer, reader, name in (self.alice, self.bob, "bob"), (self.bob, self.alice, "alice"):
                answer = await writer.ask({"sendMessage": {"chat": {"userName": name}, "text": TEXT}})
                self.assertIn("sent", answer)
                message = await reader.event("newMessage")
                self.assertEqual(message["text"], TEXT)
                await reader.send({"ack": {"inboxNumber": message["inboxNumber"]}})

    def metric(self, name):
        """The sum over schedulers, where there is one for each; None: the page can't be had."""
        page = self.ask(b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n")
        rows = re.findall(rf"^linnet_{name}(?:{{.*}})? (\d+)$", page, re.MULTILINE)
        return sum(map(int, rows)) if rows else None

    async def look(self):
        """What an operator sees while it lasts."""
        eventually(lambda: self.metric("connections") is not None, "the metrics")
        self.assertGreater(self.metric("connections_refused_total"), 0)
        status = json.loads(self.node.linnet("status", "--json").stdout)
        self.assertEqual(status["counters"]["devices"], 2)
        self.assertRegex(self.node.linnet("status").stdout, r"(?m)^connections .*, [1-9]\d* refused, \d+ accepts failed$")
        return status

    async def carol_comes(self):
        self.leave()

        eventually(lambda: self.metric("connections") == 3, "the crowd to be gone")  # two and the one that asks
        carol = await self.come("carol")
        await carol.ask({"sendMessage": {"chat": {"userName": "bob"}, "text": "hello"}})
        self.assertEqual((await self.bob.event("newMessage"))["text"], "hello")
        for person in carol, self.alice, self.bob:
            await person.close()
        self.assertEqual(self.node.stop(), 0)

    async def test_who_is_in_goes_on_while_a_crowd_of_websockets_does_not_log_in(self):
        upgraded = sum(self.upgraded() for _ in range(self.bound + 5))
        self.assertEqual(upgraded, self.bound - 2)
        await self.chat()
        await self.look()
        await self.carol_comes()

    async def test_who_is_in_goes_on_while_a_crowd_that_says_nothing_takes_every_descriptor(self):
        for _ in range(CROWD):
            self.silent()
        await self.chat()
        status = await self.look()
        # They came faster than they were closed: the kernel had no descriptor for some.
        self.assertEqual(self.metric("scheduler_accepts_failed_total"),
                         sum(row["accepts_failed"] for row in status["schedulers"]))
        await self.carol_comes()


if __name__ == "__main__":
    main()
