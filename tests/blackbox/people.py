# SPDX-License-Identifier: Apache-2.0
"""Pairs of people who write to each other through anything: each device keeps what docs/protocol.md says a client
keeps, reconnects whenever it is cut off, and notes every promise that was broken.

    pair = Pair(node, people, "alice", "bob")
    await pair.chat(until=lambda: ...)      # write, be cut off, come back
    await pair.settle()                     # all that was accepted has arrived, and all ticks are there
    assert pair.broken() == []

A `Cut` says where a connection is to break; without one it lasts until the other side ends it. The two devices of a
pair live in one program, so that a tick can be held against what its receiver really stored.
"""
import asyncio
import json
import logging
import random
import socket
import struct
from collections import OrderedDict
from dataclasses import dataclass

from linnetd import PATIENCE_S
from wire import CLOSE, PING, PONG, TEXT, frame, frame_take, upgrade_request

logging.getLogger("asyncio").setLevel(logging.CRITICAL)  # it tells of every write to a connection that was cut

WINDOW = 64       # limits.commandWindow: new numbers stay this close to the oldest that is unanswered
UNANSWERED = 8    # messages that a device has under way
AHEAD = 64        # messages that it writes ahead of what its peer has stored


class Broken(Exception):
    """The connection was cut, by us or by the other side."""


@dataclass
class Cut:
    """Where we break a connection, whichever comes first."""
    received_bytes: int = None  # after so many bytes from the node
    sent_bytes: int = None      # after so many of ours
    stored: int = None          # after so many messages were stored; none of them is acknowledged
    idle_s: float = 0.1         # when nothing has come for so long
    reset: bool = False         # RST instead of FIN
    place: str = ""             # where it happened


class Device:
    """What survives its program's crash."""

    def __init__(self, name, user, token):
        self.name, self.user, self.token = name, str(user), token
        self.peer = None
        self.next_number = 1
        self.outbox = OrderedDict()  # number: text, not answered yet
        self.written = 0             # messages that it ever wrote
        self.accepted = {}           # number: chat number, as answered
        self.stored = OrderedDict()  # (user, device, number): (chat number, text), in the order of arrival
        self.seen = 0                # the highest inbox number that was stored
        self.stored_chat = 0         # the highest chat number that was stored
        self.acked_chat = 0          # ... and acknowledged
        self.told = {"delivered": 0, "read": 0}
        self.marked = 0              # chat number that it wants marked as read
        self.marked_done = 0         # ... and of which it was told that it is
        self.connections = 0
        self.broken = []             # promises

    def promise(self, holds, what):
        if not holds:
            self.broken.append(f"{self.name}: {what}")

    # ------------------------------------------------------------------------------------------ what it hears

    def answered(self, answer):
        number = int(answer.get("number", 0))
        if "done" in answer:
            self.marked_done = max(self.marked_done, int(answer["ref"]))
            return
        self.promise("sent" in answer, f"a message was refused: {answer}")
        if "sent" not in answer:
            return
        sent = answer["sent"]
        self.promise(sent["id"]["userId"] == self.user and int(sent["id"]["number"]) == number, f"a wrong id: {answer}")
        chat_number = int(sent["chatNumber"])
        same = self.accepted.setdefault(number, chat_number) == chat_number
        self.promise(same, f"two places for one message: {answer}")
        self.outbox.pop(number, None)

    def heard(self, message):
        inbox, chat_number = int(message["inboxNumber"]), int(message["chatNumber"])
        if inbox <= self.seen:
            return  # come again after a reconnect
        self.seen = inbox
        key = (message["id"]["userId"], message["id"]["device"], message["id"]["number"])
        self.promise(key[0] == self.peer.user, f"a message of somebody else: {message}")
        self.promise(key not in self.stored, f"a message in two entries: {message}")
        self.promise(chat_number == self.stored_chat + 1, f"chat number {chat_number} behind {self.stored_chat}")
        self.stored[key] = (chat_number, message["text"])
        self.stored_chat = max(self.stored_chat, chat_number)

    def ticked(self, receipts):
        inbox = int(receipts["inboxNumber"])
        if inbox <= self.seen:
            return
        self.seen = inbox
        now = {key: int(receipts.get(key, 0)) for key in ("delivered", "read")}
        for key, value in now.items():
            self.promise(value >= self.told[key], f"{key} moved back from {self.told[key]} to {value}")
        self.promise(now["read"] <= now["delivered"], f"read before delivered: {receipts}")
        self.promise(now["delivered"] <= self.peer.acked_chat, f"delivered before it was acknowledged: {receipts}")
        self.promise(now["read"] <= self.peer.marked, f"read before it was marked: {receipts}")
        self.told = now

    def take(self, event):
        kind, body = next(iter(event.items()))
        if kind == "answer":
            self.answered(body)
        elif kind == "newMessage":
            self.heard(body)
        elif kind == "receipts":
            self.ticked(body)
        else:
            self.promise(False, f"an unexpected event: {event}")
        return kind

    # ------------------------------------------------------------------------------------------ what it says

    def may_write(self):
        oldest = next(iter(self.outbox), self.next_number)
        return (len(self.outbox) < UNANSWERED and self.next_number - oldest < WINDOW
                and self.written - self.peer.stored_chat < AHEAD)

    def write(self):
        number, self.next_number = self.next_number, self.next_number + 1
        self.written += 1
        self.outbox[number] = f"{self.name} {self.written}"
        return number

    def complete(self):
        """Nothing is under way any more, in this device's direction."""
        return (not self.outbox and self.written == self.peer.stored_chat
                and self.told["delivered"] == self.written and self.told["read"] == self.written)


class Connection:
    """One connection of a device, from its request to its cut."""

    def __init__(self, device, node, cut, writes):
        self.device, self.node, self.cut, self.writes = device, node, cut or Cut(idle_s=None), writes
        self.buffer = bytearray()
        self.sent_bytes = self.received_bytes = self.stored = 0
        self.acks = self.cut.stored is None
        self.reader = self.writer = None

    async def live(self):
        """Until it is cut; the cut's place says where."""
        self.device.connections += 1
        try:
            self.reader, self.writer = await asyncio.open_connection(self.node.host, self.node.port)
        except OSError:
            return
        try:
            await self.talk()
        except (Broken, OSError, asyncio.IncompleteReadError):
            pass
        finally:
            if self.cut.reset:
                self.writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                                                                struct.pack("ii", 1, 0))
                self.writer.transport.abort()
            self.writer.close()

    async def talk(self):
        request, _ = upgrade_request(token=self.device.token)
        self.write(request)
        while b"\r\n\r\n" not in self.buffer:
            await self.read("before the welcome")
        self.device.promise(self.buffer.startswith(b"HTTP/1.1 101 "), f"no upgrade: {bytes(self.buffer[:100])}")
        del self.buffer[:self.buffer.index(b"\r\n\r\n") + 4]
        event = None
        while event is None:
            event = self.event()
            if event is None:
                await self.read("before the welcome")
        self.welcome(event)
        while True:
            self.take_events()
            if self.writes():
                while self.device.may_write():
                    self.send_message(self.device.write())
            await self.read("between push and ack" if self.stored > 0 and not self.acks else "idle")

    def welcome(self, event):
        self.device.promise("welcome" in event, f"no welcome: {event}")
        if "welcome" not in event:
            raise Broken
        self.device.next_number = max(self.device.next_number, int(event["welcome"]["nextCommand"]))
        for number in list(self.device.outbox):
            self.send_message(number)
        if self.device.marked > self.device.marked_done:
            self.mark_read()

    def take_events(self):
        heard = False
        while True:
            event = self.event()
            if event is None:
                break
            kind = self.device.take(event)
            heard = heard or kind in ("newMessage", "receipts")
            self.stored += kind == "newMessage"
            if self.cut.stored is not None and self.stored >= self.cut.stored:
                self.break_off("between push and ack")
        if heard and self.acks:
            self.acknowledge()

    def acknowledge(self):
        device = self.device
        device.acked_chat = device.stored_chat
        self.send({"ack": {"inboxNumber": str(device.seen)}})
        if device.stored_chat > device.marked and (device.stored_chat % 3 == 0 or not self.writes()):
            device.marked = device.stored_chat
            self.mark_read()

    def mark_read(self):
        number = str(self.device.marked)
        self.send({"ref": number, "markRead": {"chat": {"userId": self.device.peer.user}, "chatNumber": number}})

    # ------------------------------------------------------------------------------------------------- bytes

    def break_off(self, place):
        self.cut.place = self.cut.place or place
        raise Broken

    def write(self, data):
        left = len(data) if self.cut.sent_bytes is None else self.cut.sent_bytes - self.sent_bytes
        self.sent_bytes += len(data)
        self.writer.write(data[:max(left, 0)])
        if left < len(data):
            self.break_off("within a frame of ours" if left > 0 else "before a frame of ours")

    def send(self, command):
        self.write(frame(TEXT, json.dumps(command).encode()))

    def send_message(self, number):
        self.send({"number": str(number),
                   "sendMessage": {"chat": {"userId": self.device.peer.user}, "text": self.device.outbox[number]}})

    async def read(self, place):
        count = 65536
        if self.cut.received_bytes is not None:
            count = self.cut.received_bytes - self.received_bytes
            if count <= 0:
                whole = not self.buffer or place == "before the welcome"
                self.break_off(place if whole else "within a frame of the node")
        try:
            data = await asyncio.wait_for(self.reader.read(count), self.cut.idle_s)
        except asyncio.TimeoutError:
            self.break_off(place)
        if not data:
            raise Broken
        self.received_bytes += len(data)
        self.buffer += data

    def event(self):
        """The next of the node's events, or None: it is not all there."""
        while True:
            taken = frame_take(self.buffer)
            if taken is None:
                return None
            opcode, _, payload, used = taken
            del self.buffer[:used]
            if opcode == TEXT:
                return json.loads(payload)
            if opcode == PING:
                self.write(frame(PONG, payload))
            elif opcode == CLOSE:
                raise Broken


class Pair:
    def __init__(self, node, people, *names):
        self.node = node
        self.devices = [Device(name, *people[name]) for name in names]
        self.devices[0].peer, self.devices[1].peer = self.devices[1], self.devices[0]

    async def chat(self, until, cut_new=lambda: None, ended=lambda cut: None):
        """Both write and come back until `until()`; each connection has a cut of its own."""
        async def one(device):
            while not until():
                cut = cut_new()
                life = asyncio.ensure_future(Connection(device, self.node, cut, writes=lambda: not until()).live())
                while not life.done():
                    await asyncio.wait([life], timeout=0.05)
                    if until() and cut is None:
                        life.cancel()
                        break
                await asyncio.wait([life])
                if cut is not None:
                    ended(cut)
                elif not until():
                    await asyncio.sleep(random.uniform(0, 0.05))  # the node is away
        await asyncio.gather(*(one(device) for device in self.devices))

    async def settle(self):
        """Writes nothing new; ends when everything has arrived and every tick is there."""
        lives = [asyncio.ensure_future(self.stay(device)) for device in self.devices]
        end = asyncio.get_running_loop().time() + PATIENCE_S
        while not all(device.complete() for device in self.devices):
            if asyncio.get_running_loop().time() > end or any(device.broken for device in self.devices):
                break
            await asyncio.sleep(0.01)
        for life in lives:
            life.cancel()
        await asyncio.wait(lives)

    async def stay(self, device):
        while True:
            await Connection(device, self.node, None, writes=lambda: False).live()
            await asyncio.sleep(0.01)

    def broken(self):
        """The promises that were, and whatever has not arrived: call it when all is settled."""
        found = []
        for device in self.devices:
            found += device.broken
            peer = device.peer
            told = {(device.user, number): place for number, place in device.accepted.items()}
            heard = {(user, int(number)): place for (user, _, number), (place, _) in peer.stored.items()}
            found += [f"{device.name}: accepted and lost: {key}" for key in told.keys() - heard.keys()]
            found += [f"{device.name}: another place: {key}"
                      for key in told.keys() & heard.keys() if told[key] != heard[key]]
            texts = [text for _, text in peer.stored.values()]
            if texts != [f"{device.name} {i + 1}" for i in range(device.written)]:
                found.append(f"{device.name}: {device.written} written, {len(texts)} heard, or in another order")
            if not device.complete():
                found.append(f"{device.name}: unfinished: outbox {list(device.outbox)}, {device.written} written, "
                             f"{peer.stored_chat} stored, told {device.told}")
        return found
