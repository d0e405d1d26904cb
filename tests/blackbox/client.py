# SPDX-License-Identifier: Apache-2.0
"""A person's program, as anyone would write it with Debian's python3-websockets, in either form of the protocol.

    alice = await Person.welcomed(node, JSON, token)
    answer = await alice.ask({"sendMessage": {"chat": {"userName": "bob"}, "text": "hi"}})
    message = await bob.event("newMessage")
"""
import asyncio
import json
import logging

import websockets

from linnetd import PATIENCE_S
from proto import Schema

logging.getLogger("asyncio").setLevel(logging.ERROR)  # it tells of everything that takes 100 ms

JSON, PROTO = "linnet.v1.json", "linnet.v1.proto"
SCHEMA = Schema()


class Person:
    """A connection in either form; frames are the dictionaries of the JSON form."""

    def __init__(self, socket, form):
        self.socket, self.form, self.kept = socket, form, []

    @classmethod
    async def open(cls, node, form, token=None):
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        # Without a bound on what waits to be read: behind it the library would not see the answer to its close.
        socket = await websockets.connect(node.url, subprotocols=[form], extra_headers=headers, max_queue=None)
        assert socket.subprotocol == form
        return cls(socket, form)

    @classmethod
    async def welcomed(cls, node, form, token):
        person = await cls.open(node, form, token)
        person.welcome = await person.event("welcome")
        return person

    async def send(self, frame):
        await self.socket.send(json.dumps(frame) if self.form == JSON else SCHEMA.encode("ClientFrame", frame))

    async def receive(self):
        data = await asyncio.wait_for(self.socket.recv(), PATIENCE_S)
        assert isinstance(data, str) == (self.form == JSON)
        return json.loads(data) if self.form == JSON else SCHEMA.decode("ServerFrame", data)

    async def event(self, kind):
        """The next event of this kind; the others are kept for later."""
        for place, frame in enumerate(self.kept):
            if kind in frame:
                return self.kept.pop(place)[kind]
        while True:
            frame = await self.receive()
            if kind in frame:
                return frame[kind]
            self.kept.append(frame)

    async def ask(self, frame):
        await self.send(frame)
        return await self.event("answer")

    async def receipts(self, cursor, chat_number):
        """Waits until the cursor is there; what was not acknowledged may come again before."""
        while (await self.event("receipts")).get(cursor) != chat_number:
            pass

    async def close(self):
        await self.socket.close()
