#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The node is killed with SIGKILL between two steps of a message's way and started again: what it had answered for is
there, in its place, once."""
import asyncio
import unittest

import websockets

from client import JSON, Person
from linnetd import Node, main


class Durability(unittest.IsolatedAsyncioTestCase):
    async def asyncSetUp(self):
        self.node = Node()
        self.addCleanup(self.node.__exit__)
        self.node.start()
        self.people = self.node.import_users("alice", "bob")

    async def come(self, name):
        return await Person.welcomed(self.node, JSON, self.people[name][1])

    def kill(self):
        self.node.kill()
        self.node.start()

    @staticmethod
    async def write(person, text, number=None):
        command = {"sendMessage": {"chat": {"userName": "bob"}, "text": text}}
        return await person.ask({"number": number, **command} if number else command)

    async def test_a_message_that_was_sent_is_delivered_after_a_kill(self):
        alice = await self.come("alice")
        sent = (await self.write(alice, "survivor"))["sent"]
        self.kill()
        alice, bob = await self.come("alice"), await self.come("bob")
        message = await bob.event("newMessage")
        self.assertEqual((message["text"], message["id"], message["chatNumber"], message["serverTimeMs"]),
                         ("survivor", sent["id"], sent["chatNumber"], sent["serverTimeMs"]))
        await bob.send({"ack": {"inboxNumber": message["inboxNumber"]}})
        await alice.receipts("delivered", "1")
        await alice.close()
        await bob.close()

    async def test_a_message_that_was_pushed_but_not_acknowledged_comes_again_under_its_number(self):
        alice, bob = await self.come("alice"), await self.come("bob")
        await self.write(alice, "again")
        before = await bob.event("newMessage")
        self.kill()
        bob = await self.come("bob")
        self.assertEqual(await bob.event("newMessage"), before)
        await bob.close()

    async def test_a_message_whose_ack_was_answered_does_not_come_again_and_its_sender_knows(self):
        alice, bob = await self.come("alice"), await self.come("bob")
        await self.write(alice, "done")
        inbox = (await bob.event("newMessage"))["inboxNumber"]
        self.assertIn("done", await bob.ask({"ref": "1", "ack": {"inboxNumber": inbox}}))
        self.kill()
        alice, bob = await self.come("alice"), await self.come("bob")
        self.assertEqual(bob.welcome["inboxAcknowledged"], inbox)
        await alice.receipts("delivered", "1")
        await bob.ask({"ref": "2", "ack": {"inboxNumber": inbox}})
        self.assertEqual(bob.kept, [])
        await alice.close()
        await bob.close()

    async def test_a_read_mark_that_was_answered_survives(self):
        alice, bob = await self.come("alice"), await self.come("bob")
        await self.write(alice, "read me")
        await bob.event("newMessage")
        mark = {"ref": "1", "markRead": {"chat": {"userName": "alice"}, "chatNumber": "1"}}
        self.assertIn("done", await bob.ask(mark))
        self.kill()
        alice = await self.come("alice")
        await alice.receipts("read", "1")
        await alice.close()

    async def test_a_retry_after_a_kill_is_a_duplicate_with_the_first_values(self):
        alice = await self.come("alice")
        number = alice.welcome["nextCommand"]
        first = (await self.write(alice, "once", number))["sent"]
        self.kill()
        alice, bob = await self.come("alice"), await self.come("bob")
        self.assertGreater(int(alice.welcome["nextCommand"]), int(number))
        again = (await self.write(alice, "once", number))["sent"]
        del first["handle"], again["handle"]  # another may be as good
        self.assertEqual(again, {**first, "duplicate": True})
        await self.write(alice, "the end")
        self.assertEqual([(await bob.event("newMessage"))["text"] for _ in range(2)], ["once", "the end"])
        await alice.close()
        await bob.close()

    async def test_five_hundred_messages_in_an_inbox_survive_in_their_order(self):
        alice = await self.come("alice")
        for i in range(500):
            await alice.send({"sendMessage": {"chat": {"userName": "bob"}, "text": f"{i}"}})
        for i in range(500):
            self.assertEqual((await alice.event("answer"))["sent"]["chatNumber"], f"{i + 1}")
        self.kill()
        bob = await self.come("bob")
        for i in range(500):
            message = await bob.event("newMessage")
            self.assertEqual((message["text"], message["chatNumber"]), (f"{i}", f"{i + 1}"))
            if i % 100 == 99:
                await bob.send({"ack": {"inboxNumber": message["inboxNumber"]}})
        await bob.close()

    async def test_inbox_numbers_and_command_numbers_rise_over_every_restart(self):
        inbox = command = 0
        for how in self.node.kill, self.node.stop, self.node.kill:
            alice, bob = await self.come("alice"), await self.come("bob")
            self.assertGreater(int(alice.welcome["nextCommand"]), command)
            number = alice.welcome["nextCommand"]
            command = int((await self.write(alice, "x", number))["sent"]["id"]["number"])
            message = await bob.event("newMessage")
            self.assertGreater(int(message["inboxNumber"]), inbox)
            inbox = int(message["inboxNumber"])
            await bob.ask({"ref": "1", "ack": {"inboxNumber": message["inboxNumber"]}})
            how()
            self.node.start()

    async def test_what_was_answered_before_an_orderly_stop_is_there(self):
        alice = await self.come("alice")
        for i in range(300):
            await alice.send({"ref": f"{i + 1}", "sendMessage": {"chat": {"userName": "bob"}, "text": f"{i}"}})
        await alice.event("answer")
        stopped = asyncio.create_task(asyncio.to_thread(self.node.stop))
        answered = 1
        with self.assertRaises(websockets.ConnectionClosed):
            while True:
                self.assertIn("sent", await alice.event("answer"))
                answered += 1
        self.assertEqual(await stopped, 0)
        self.assertEqual(alice.socket.close_code, 1001)
        self.node.start()
        bob = await self.come("bob")
        for i in range(answered):
            message = await bob.event("newMessage")
            self.assertEqual(message["text"], f"{i}")
            await bob.send({"ack": {"inboxNumber": message["inboxNumber"]}})
        await bob.close()

    async def test_users_tokens_passwords_and_their_removal_survive(self):
        self.node.add_user("carol")
        self.node.linnet("user", "passwd", "carol", "--password-stdin", stdin="another\n")
        token = self.node.linnet("user", "token", "carol").stdout.strip()
        self.node.linnet("user", "remove", "bob")
        self.kill()
        carol = await Person.welcomed(self.node, JSON, token)
        await carol.close()
        login = await Person.open(self.node, JSON)
        wrong = await login.ask({"authenticate": {"passwordLogin": {"name": "carol", "password": "pw-carol"}}})
        self.assertEqual(wrong["error"]["code"], "WRONG_CREDENTIALS")
        await login.send({"authenticate": {"passwordLogin": {"name": "carol", "password": "another"}}})
        self.assertEqual((await login.event("welcome"))["name"], "carol")
        await login.close()
        gone = await Person.open(self.node, JSON)
        answer = await gone.ask({"authenticate": {"token": self.people["bob"][1]}})
        self.assertEqual(answer["error"]["code"], "TOKEN_INVALID")
        await gone.close()


if __name__ == "__main__":
    main()
