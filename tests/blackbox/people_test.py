#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The judge is judged: people.py names each promise that a node may break, and is content with one that keeps them."""
import unittest

from people import Pair


def message(pair, number, chat_number, text, inbox=None):
    alice = pair.devices[0]
    return {"newMessage": {"inboxNumber": str(inbox or chat_number), "id": {
        "userId": alice.user, "device": 1, "number": str(number)}, "chatNumber": str(chat_number), "text": text}}


class Judge(unittest.TestCase):
    def setUp(self):
        """Alice has written three messages, and was told of each that it was sent."""
        self.pair = Pair(None, {"alice": (1, "t"), "bob": (2, "t")}, "alice", "bob")
        self.alice, self.bob = self.pair.devices
        for chat_number in 1, 2, 3:
            number = self.alice.write()
            self.alice.take({"answer": {"number": str(number), "sent": {
                "id": {"userId": "1", "device": 1, "number": str(number)}, "chatNumber": str(chat_number)}}})

    def hear(self, *chat_numbers):
        for number in chat_numbers:
            self.bob.take(message(self.pair, number, number, f"alice {number}"))

    def tick(self, delivered, read, inbox):
        self.alice.take({"receipts": {"inboxNumber": str(inbox), "chat": {"userId": "2"}, "readerUserId": "2",
                                      "delivered": str(delivered), "read": str(read)}})

    def assert_broken(self, what):
        self.assertIn(what, "\n".join(self.pair.broken()))

    def test_a_node_that_keeps_its_promises_has_broken_none(self):
        self.hear(1, 2, 3)
        self.hear(3)  # come again, under the same inbox number
        self.bob.acked_chat = self.bob.marked = 3
        self.tick(2, 1, 10)
        self.tick(3, 3, 11)
        self.assertEqual(self.pair.broken(), [])

    def test_a_lost_message_is_named(self):
        self.hear(1, 2)
        self.assert_broken("accepted and lost")

    def test_a_message_in_two_entries_is_named(self):
        self.hear(1, 2, 3)
        self.bob.take(message(self.pair, 3, 3, "alice 3", inbox=4))
        self.assert_broken("in two entries")

    def test_swapped_messages_are_named(self):
        self.hear(1)
        self.bob.take(message(self.pair, 3, 2, "alice 3", inbox=2))
        self.bob.take(message(self.pair, 2, 3, "alice 2", inbox=3))
        self.assert_broken("another place")
        self.assert_broken("in another order")

    def test_a_hole_in_the_chat_is_named(self):
        self.hear(1, 3)
        self.assert_broken("chat number 3 behind 1")

    def test_a_message_of_somebody_else_is_named(self):
        strange = message(self.pair, 1, 1, "alice 1")
        strange["newMessage"]["id"]["userId"] = "3"
        self.bob.take(strange)
        self.assert_broken("somebody else")

    def test_an_early_tick_is_named(self):
        self.hear(1, 2, 3)
        self.bob.acked_chat = 2
        self.tick(3, 0, 10)
        self.assert_broken("delivered before it was acknowledged")

    def test_an_early_read_tick_is_named(self):
        self.hear(1, 2, 3)
        self.bob.acked_chat, self.bob.marked = 3, 1
        self.tick(3, 2, 10)
        self.assert_broken("read before it was marked")

    def test_a_tick_that_moves_back_is_named(self):
        self.hear(1, 2, 3)
        self.bob.acked_chat = self.bob.marked = 3
        self.tick(3, 3, 10)
        self.tick(2, 2, 11)
        self.assert_broken("moved back")

    def test_a_refused_message_is_named(self):
        self.alice.take({"answer": {"number": "1", "error": {"code": "TOO_OLD"}}})
        self.assert_broken("refused")

    def test_a_retry_that_is_answered_with_another_place_is_named(self):
        self.alice.take({"answer": {"number": "1", "sent": {
            "id": {"userId": "1", "device": 1, "number": "1"}, "chatNumber": "9", "duplicate": True}}})
        self.assert_broken("two places")

    def test_a_missing_tick_is_named(self):
        self.hear(1, 2, 3)
        self.assert_broken("unfinished")


if __name__ == "__main__":
    unittest.main(verbosity=2)
