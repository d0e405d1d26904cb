# SPDX-License-Identifier: Apache-2.0
"""People who write to one another over real connections, remember whatever a node told them over all its lives, and
hold it against the next thing that it says.

A Person is one device and does what docs/protocol.md asks of it: keeps its numbers and what was not answered, sends
that again after a reconnect, acknowledges what it has stored. The process that holds them never loses power; so what
they were told is the yardstick. A promise that is broken raises Broken with a sentence.
"""
import asyncio
import collections
import json
import os
import sys
import time

import websockets

sys.path.append(os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from patience import patience

SUBPROTOCOL = "linnet.v1.json"
NAMES = ("alice", "bob", "carol", "dave")
WINDOW = 16  # messages without an answer, per person
NUMBERS_AHEAD = 64  # of the oldest without an answer; what a node can still tell apart
PACE_S = 0.004  # how often a person looks whether there is something to send
TEXT_BYTES_MAX = 3000  # long enough for a log's segment to be filled in a moment
READ_EVERY = 5


class Broken(Exception):
    """The node broke a promise."""


class Line:
    """From one person to another: what the writer was told, and what the reader."""

    def __init__(self, writer, reader):
        self.words = f"{writer} to {reader}"
        self.sent = {}  # command number: chat number, of messages answered as sent
        self.sent_last = 0  # the highest chat number of them
        self.shown_last = 0  # the highest chat number that the reader was shown
        self.stored = 0  # up to here the reader has told the node that it has stored them
        self.marked = 0  # and read
        self.delivered = self.read = 0  # as the writer was told

    def answered(self, number, chat_number, duplicate):
        if number in self.sent:
            if self.sent[number] != chat_number or not duplicate:
                raise Broken(f"{self.words}: message {number} was sent as number {self.sent[number]} of the chat, and "
                             f"when asked again it is {chat_number}, {'a duplicate' if duplicate else 'a new one'}")
            return
        if chat_number != self.sent_last + 1:
            raise Broken(f"{self.words}: message {number} is number {chat_number} of the chat, after "
                         f"{self.sent_last}: " + ("lost" if chat_number <= self.sent_last else "unknown") + " ones")
        self.sent[number] = chat_number
        self.sent_last = chat_number

    def shown(self, chat_number):
        if chat_number != self.shown_last + 1:
            raise Broken(f"{self.words}: number {chat_number} of the chat was shown after {self.shown_last}")
        self.shown_last = chat_number

    def ticked(self, delivered, read):
        if delivered < self.delivered or read < self.read:
            raise Broken(f"{self.words}: the ticks went back from {self.delivered}, {self.read} to {delivered}, {read}")
        if delivered > max(self.stored, self.marked) or read > self.marked or read > delivered:
            raise Broken(f"{self.words}: ticks at {delivered}, {read}, when the reader had said {self.stored}, "
                         f"{self.marked}")
        self.delivered, self.read = delivered, read

    def open(self):
        """What is missing of rest, or None."""
        if self.shown_last != self.sent_last:
            return f"{self.words}: {self.sent_last} were sent, {self.shown_last} shown"
        if self.delivered != self.shown_last or self.read != self.marked:
            return f"{self.words}: {self.shown_last} shown, {self.marked} read, ticks at {self.delivered}, {self.read}"
        return None


class Person:
    """One device."""

    def __init__(self, name, user, token, chance):
        self.name, self.user, self.token, self.chance = name, user, token, chance
        self.writes = {}  # name: Line, to others
        self.hears = {}  # user id: Line, from others
        self.ticks = {}  # user id of the reader: Line, to others
        self.next_number = 1
        self.outbox = collections.OrderedDict()  # number: (name, text), not answered yet
        self.names = {}  # number: to whom, of all that were ever sent
        self.last_answered = None  # (number, name, text): asked again after a reconnect
        self.entries = {}  # inbox number: what it was
        self.ids = set()  # of messages shown
        self.stored = self.acked = self.confirmed = 0  # inbox numbers: had, told, and the node's word that it knows
        self.unread = {}  # user id: chat number
        self.talks = False

    def meet(self, other):
        line = Line(self.name, other.name)
        self.writes[other.name] = self.ticks[other.user] = line
        other.hears[self.user] = line

    # ------------------------------------------------------------------------ what the node says

    def welcomed(self, welcome):
        acknowledged, following = int(welcome.get("inboxAcknowledged", 0)), int(welcome["nextCommand"])
        if not self.confirmed <= acknowledged <= self.acked:
            raise Broken(f"{self.name}: the inbox is acknowledged up to {acknowledged}, though {self.acked} was told "
                         f"and {self.confirmed} confirmed")
        if self.last_answered is not None and following <= self.last_answered[0]:
            raise Broken(f"{self.name}: the next command is {following}, though {self.last_answered[0]} was answered")
        self.next_number = max(self.next_number, following)
        self.acked = acknowledged  # what the node did not keep is told again

    def take(self, frame):
        (kind, event), = frame.items()
        {"answer": self.answered, "newMessage": self.wrote, "receipts": self.receipts}.get(kind, self.nonsense)(event)

    def nonsense(self, event):
        raise Broken(f"{self.name}: the node said {event}")

    def answered(self, answer):
        number = int(answer.get("number", 0))
        if "done" in answer:
            self.confirmed = max(self.confirmed, int(answer.get("ref", 0)))
            return
        if "sent" not in answer:
            raise Broken(f"{self.name}: refused: {answer}")
        sent = answer["sent"]
        if sent["id"] != {"userId": self.user, "device": 1, "number": str(number)}:
            raise Broken(f"{self.name}: message {number} was sent as {sent['id']}")
        if number not in self.names:
            raise Broken(f"{self.name}: an answer that nothing waits for: {answer}")
        name, text = self.names[number], self.outbox.pop(number, (None, None))[1]
        self.writes[name].answered(number, int(sent["chatNumber"]), sent.get("duplicate", False))
        if text is not None and (self.last_answered is None or number > self.last_answered[0]):
            self.last_answered = number, name, text

    def entry(self, number, what):
        """False: it was here before, and that is no harm."""
        if self.entries.setdefault(number, what) != what:
            raise Broken(f"{self.name}: entry {number} of the inbox was {self.entries[number]} and is now {what}")
        if number <= self.stored:
            return False
        self.stored = number
        return True

    def wrote(self, message):
        identity = tuple(message["id"].values())
        if not self.entry(int(message["inboxNumber"]), identity):
            return
        if identity in self.ids:
            raise Broken(f"{self.name}: message {identity} is in the inbox twice")
        self.ids.add(identity)
        line, chat_number = self.hears[message["chat"]["userId"]], int(message["chatNumber"])
        words = f"{line.words} {message['id']['number']} "
        if not message["text"].startswith(words):
            raise Broken(f"{self.name}: {words}has the text {message['text'][:60]}")
        line.shown(chat_number)
        self.unread[message["chat"]["userId"]] = chat_number

    def receipts(self, event):
        # A state: the same entry may say more when it comes again.
        self.entry(int(event["inboxNumber"]), "receipts")
        self.ticks[event["readerUserId"]].ticked(int(event.get("delivered", 0)), int(event.get("read", 0)))

    # ------------------------------------------------------------------------ what it says

    def message(self, number, name, text):
        return {"number": str(number), "sendMessage": {"chat": {"userName": name}, "text": text}}

    def mark(self, user, chat_number):
        return {"markRead": {"chat": {"userId": user}, "chatNumber": str(chat_number)}}

    def again(self):
        """After a welcome: the last one that was answered, to see that the node knows it; what was not answered; and
        what was read."""
        frames = []
        # Only while a node can still tell: a welcome may have moved the numbers on, far from what was answered last.
        if self.last_answered is not None and self.last_answered[0] + NUMBERS_AHEAD > max(self.names):
            frames.append(self.message(*self.last_answered))
        frames += [self.message(number, *rest) for number, rest in self.outbox.items()]
        return frames + [self.mark(user, line.marked) for user, line in self.hears.items() if line.marked > 0]

    def oldest(self):
        """The lowest number without an answer. Chats are answered apart, so it may lag far behind the others."""
        return next(iter(self.outbox), self.next_number)

    def has_to_say(self):
        frames = []
        while self.talks and len(self.outbox) < WINDOW and self.next_number < self.oldest() + NUMBERS_AHEAD:
            number, self.next_number = self.next_number, self.next_number + 1
            name = self.chance.choice(sorted(self.writes))
            text = f"{self.name} to {name} {number} " + "x" * self.chance.randint(1, TEXT_BYTES_MAX)
            self.names[number] = name
            self.outbox[number] = name, text
            frames.append(self.message(number, name, text))
        if self.stored > self.acked:
            self.acked = self.stored
            for line in self.hears.values():
                line.stored = line.shown_last
            frames.append({"ref": str(self.acked), "ack": {"inboxNumber": str(self.acked)}})
            for user, chat_number in self.unread.items():
                if chat_number % READ_EVERY == 0:
                    self.hears[user].marked = chat_number
                    frames.append(self.mark(user, chat_number))
            self.unread.clear()
        return frames

    # ------------------------------------------------------------------------ a connection

    async def live(self, address):
        """A connection, until it ends: its end raises ConnectionClosed or OSError, or Broken the node's first
        mistake."""
        async with websockets.connect(f"ws://{address}/chat", subprotocols=[SUBPROTOCOL], compression=None,
                                      ping_interval=None, max_queue=None, open_timeout=patience(60), close_timeout=1,
                                      extra_headers={"Authorization": f"Bearer {self.token}"}) as stream:
            first = json.loads(await stream.recv())
            if "welcome" not in first:
                raise Broken(f"{self.name}: the token is good no more: {first}")
            self.welcomed(first["welcome"])
            talking = asyncio.ensure_future(self.talk(stream))
            try:
                while True:
                    self.take(json.loads(await stream.recv()))
            finally:
                talking.cancel()
                await asyncio.gather(talking, return_exceptions=True)

    async def talk(self, stream):
        """Ends when the stream does; whoever reads it notices."""
        frames = self.again()
        while True:
            for frame in frames:
                await stream.send(json.dumps(frame, separators=(",", ":")))
            frames = self.has_to_say()
            if not frames:
                await asyncio.sleep(PACE_S)


def make_people(rows, chance):
    """All of them know one another. rows: as `linnet user import` prints them, name,user,token."""
    people = [Person(*row.split(","), chance) for row in rows.split()]
    for one in people:
        for other in people:
            if one is not other:
                one.meet(other)
    return people


def open_lines(people):
    """What is missing until everything that was sent is shown, stored and ticked: sentences."""
    out = [f"{person.name}: {len(person.outbox)} messages are not answered" for person in people if person.outbox]
    out += [line.open() for person in people for line in person.writes.values() if line.open()]
    return out


class Visit:
    """The people, connected for one life of the node, or until the with block ends."""

    def __init__(self, address, people):
        self.people = people
        self.tasks = [asyncio.ensure_future(person.live(address)) for person in people]

    async def __aenter__(self):
        return self

    async def __aexit__(self, *_):
        for task in self.tasks:
            task.cancel()
        await asyncio.gather(*self.tasks, return_exceptions=True)

    async def stay(self, seconds):
        """Lets them go on; nobody's connection may end."""
        done, _ = await asyncio.wait(self.tasks, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            if isinstance(task.exception(), Broken):
                raise task.exception()
            raise Broken(f"a connection ended while the node ran: {task.exception()!r}")

    async def talk(self, seconds):
        for person in self.people:
            person.talks = True
        await self.stay(seconds)

    async def settle(self, patience_s=patience(60)):
        """Waits until everything that was ever sent is shown, stored and ticked."""
        deadline = time.monotonic() + patience_s
        for person in self.people:
            person.talks = False
        while missing := open_lines(self.people):
            if time.monotonic() > deadline:
                raise Broken(f"lost, or stuck: nothing came any more, and {'; '.join(missing)}")
            await self.stay(0.01)

    async def end(self):
        """The node has ended: what it had sent by then is read to the end."""
        for error in await asyncio.gather(*self.tasks, return_exceptions=True):
            if not isinstance(error, (websockets.ConnectionClosed, websockets.InvalidHandshake, OSError, EOFError,
                                      asyncio.IncompleteReadError)):
                raise error
