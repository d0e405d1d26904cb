#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Debian's python3-websockets over both forms of the protocol: what is said in one is heard in the other, and the
binary form's own mistakes have their answers."""
import asyncio
import json
import unittest

from client import JSON, PROTO, Person
from linnetd import PATIENCE_S, Node, main
from proto import END_GROUP, FIXED32, FIXED64, GROUP, LENGTH, VARINT, field, varint


class Forms(unittest.IsolatedAsyncioTestCase):
    @classmethod
    def setUpClass(cls):
        cls.node = Node().__enter__()
        cls.node.add_user("carol")

    @classmethod
    def tearDownClass(cls):
        cls.node.__exit__()

    async def asyncSetUp(self):
        self.names = [f"{name}-{self._testMethodName[5:40]}" for name in ("alice", "bob")]
        self.people = self.node.import_users(*self.names)

    async def person(self, which, form):
        return await Person.welcomed(self.node, form, self.people[self.names[which]][1])

    async def test_a_password_logs_in_with_the_binary_form_and_its_token_with_the_json_form(self):
        first = await Person.open(self.node, PROTO)
        await first.send({"authenticate": {"passwordLogin": {"name": "carol", "password": "pw-carol"}}})
        welcome = await first.event("welcome")
        self.assertEqual(welcome["name"], "carol")
        await first.close()
        again = await Person.open(self.node, JSON)
        await again.send({"authenticate": {"token": welcome["token"]}})
        self.assertEqual((await again.event("welcome"))["device"], welcome["device"])
        await again.close()

    async def test_either_form_is_heard_in_the_other(self):
        for forms in (JSON, PROTO), (PROTO, JSON), (PROTO, PROTO):
            alice, bob = await self.person(0, forms[0]), await self.person(1, forms[1])
            said = {"text": "grüße \U0001f426", "attachments": [
                {"reference": "a/1", "mediaType": "image/png", "sizeBytes": "9007199254740991"}]}
            answer = await alice.ask({"ref": "9007199254740991",
                                      "sendMessage": {"chat": {"userName": self.names[1]}, **said}})
            self.assertEqual(answer["ref"], "9007199254740991")
            heard = await bob.event("newMessage")
            self.assertEqual({key: heard[key] for key in said}, said)
            self.assertEqual(heard["id"], answer["sent"]["id"])
            await bob.send({"ack": {"inboxNumber": heard["inboxNumber"]}})
            await alice.receipts("delivered", heard["chatNumber"])
            await bob.send({"markRead": {"chat": heard["chat"], "chatNumber": heard["chatNumber"]}})
            await alice.receipts("read", heard["chatNumber"])
            await alice.close()
            await bob.close()

    async def test_the_same_inbox_is_the_same_in_both_forms(self):
        alice, bob = await self.person(0, JSON), await self.person(1, JSON)
        bodies = [{"text": "one"}, {"content": "AP8="}, {"attachments": [{"reference": "r"}, {"reference": "s"}]}]
        for body in bodies:
            await alice.ask({"sendMessage": {"chat": {"userName": self.names[1]}, **body}})
        heard = [await bob.event("newMessage") for _ in bodies]
        await bob.close()
        again = await self.person(1, PROTO)
        self.assertEqual([await again.event("newMessage") for _ in bodies], heard)
        for key in "userId", "name", "device", "limits":
            self.assertEqual(again.welcome[key], bob.welcome[key])
        await again.close()
        await alice.close()

    async def test_errors_are_the_same_in_both_forms(self):
        commands = [{"sendMessage": {"chat": {"userName": "nobody"}, "text": "x"}},
                    {"sendMessage": {"chat": {}, "text": "x"}}, {"ack": {"inboxNumber": "9007199254740991"}},
                    {"markRead": {"chat": {"userName": "nobody"}, "chatNumber": "1"}}, {"ref": "7"},
                    {"number": "4503599627370496", "ping": {}}, {"authenticate": {"token": "x"}},
                    {"sendMessage": {"chat": {"userName": self.names[1]}, "text": "x" * 32769}}]
        told = []
        for form in JSON, PROTO:
            alice = await self.person(0, form)
            told.append([await alice.ask(command) for command in commands])
            await alice.close()
        self.assertEqual(told[0], told[1])

    async def test_each_mistake_in_a_binary_frame_is_bad_frame_and_passes(self):
        name = self.names[1].encode()
        chat = field(2, LENGTH, name)

        def message(*fields):
            return field(4, LENGTH, b"".join(fields))

        good = message(field(1, LENGTH, chat), field(3, LENGTH, b"x"))
        rows = {
            "an empty frame": b"",
            "a frame cut within its tag": b"\x80",
            "a frame cut within a length": field(7, LENGTH, b"")[:-1] + b"\x80",
            "a field longer than its frame": b"\x3a\x05ab",
            "a field longer than its message": field(7, LENGTH, b"\x0a\x05ab"),
            "a varint of eleven bytes": b"\x10" + b"\xff" * 10 + b"\x01" + field(7, LENGTH, b""),
            "a varint beyond 64 bits": b"\x10" + b"\xff" * 9 + b"\x7f" + field(7, LENGTH, b""),
            "a field with number 0": b"\x00\x01" + field(7, LENGTH, b""),
            "a number where a message stands": field(7, VARINT, 1),
            "a message where a number stands": field(2, LENGTH, b"") + field(7, LENGTH, b""),
            "a number in 64 bits": field(2, FIXED64, b"\x01" + b"\0" * 7) + field(7, LENGTH, b""),
            "a number in 32 bits": field(2, FIXED32, b"\x01\0\0\0") + field(7, LENGTH, b""),
            "a group": varint(7 << 3 | GROUP) + varint(7 << 3 | END_GROUP),
            "an unknown group": field(7, LENGTH, b"") + varint(99 << 3 | GROUP) + varint(99 << 3 | END_GROUP),
            "the wire type 6": b"\x3e" + field(7, LENGTH, b""),
            "a singular field twice": field(2, VARINT, 1) + field(2, VARINT, 1) + field(7, LENGTH, b""),
            "a command twice": field(7, LENGTH, b"") + field(7, LENGTH, b""),
            "two commands": field(7, LENGTH, b"") + good,
            "two members of a oneof": message(field(1, LENGTH, chat), field(2, LENGTH, b"x"), field(3, LENGTH, b"x")),
            "a chat twice": message(field(1, LENGTH, chat), field(1, LENGTH, chat), field(3, LENGTH, b"x")),
            "a text that is no UTF-8": message(field(1, LENGTH, chat), field(3, LENGTH, b"\xff")),
            "a text with a surrogate": message(field(1, LENGTH, chat), field(3, LENGTH, b"\xed\xa0\x80")),
            "a text with U+0000": message(field(1, LENGTH, chat), field(3, LENGTH, b"a\0b")),
            "a name that is no UTF-8": message(field(1, LENGTH, field(2, LENGTH, b"\xc0\x80")), field(3, LENGTH, b"x")),
            "a number of 2^53": field(2, VARINT, 2**53) + field(7, LENGTH, b""),
            "a number of 2^64 - 1": field(2, VARINT, 2**64 - 1) + field(7, LENGTH, b""),
            "a command that nobody knows": field(1000, LENGTH, b""),
        }
        for what, data in rows.items():
            with self.subTest(what):
                alice = await self.person(0, PROTO)
                await alice.socket.send(data)
                answer = await alice.event("answer")
                self.assertEqual(answer["error"]["code"], "BAD_FRAME", answer)
                await alice.socket.send(good)
                self.assertIn("sent", await alice.event("answer"))
                await alice.close()

    async def test_fields_that_a_newer_client_may_send_are_ignored_in_the_binary_form(self):
        alice = await self.person(0, PROTO)
        newer = (field(1000, LENGTH, b"\xff\xfe") + field(1001, VARINT, 2**64 - 1) + field(1002, FIXED64, b"12345678")
                 + field(1003, FIXED32, b"1234"))
        await alice.socket.send(newer + field(2, VARINT, 5) + field(7, LENGTH, newer) + newer)
        self.assertEqual((await alice.event("pong"))["ref"], "5")
        await alice.close()

    async def test_fields_in_another_order_and_numbers_written_long_are_read(self):
        alice = await self.person(0, PROTO)
        await alice.socket.send(field(7, LENGTH, b"") + b"\x10" + b"\x85\x80\x80\x00")
        self.assertEqual((await alice.event("pong"))["ref"], "5")
        await alice.close()

    async def test_a_message_that_the_library_sends_in_fragments_is_one(self):
        alice = await self.person(0, JSON)
        text = json.dumps({"ref": "6", "ping": {"data": "aGk="}})
        await alice.socket.send(text[at:at + 5] for at in range(0, len(text), 5))
        self.assertEqual((await alice.event("pong"))["ref"], "6")
        await alice.close()

    async def test_the_library_pings_and_is_answered(self):
        alice = await self.person(0, JSON)
        await asyncio.wait_for(await alice.socket.ping(b"hello"), PATIENCE_S)
        await alice.close()
        self.assertEqual(alice.socket.close_code, 1000)

    async def test_a_hundred_connections_at_once_chat_in_both_forms(self):
        names = [f"crowd{i}" for i in range(100)]
        people = self.node.import_users(*names)

        async def one(index):
            person = await Person.welcomed(self.node, (JSON, PROTO)[index % 2], people[names[index]][1])
            chat = {"userName": names[(index + 1) % 100]}
            await person.send({"sendMessage": {"chat": chat, "text": f"from {index}"}})
            heard = await person.event("newMessage")
            await person.send({"ack": {"inboxNumber": heard["inboxNumber"]}})
            await person.event("receipts")
            await person.close()
            return heard["text"]

        heard = await asyncio.gather(*(one(index) for index in range(100)))
        self.assertEqual(heard, [f"from {(index - 1) % 100}" for index in range(100)])


if __name__ == "__main__":
    main()
