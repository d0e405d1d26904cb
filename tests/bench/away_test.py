#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Messages that are stored for users who stay away."""
import json
import re
import unittest

from generator import DATA, FOREIGN, MET_OR_MISSED, Node, WithNode, bench, imported, main, page_taken, report, report_with, users

SHORT = ["--seconds", "1", "--warmup", "0"]


class Away(WithNode):
    def test_writers_alone_log_in_and_are_answered(self):
        found = report("away", self.address, "--users", "100", "--seconds", "2", "--warmup", "0")
        self.assertEqual((found["logins"], found["connections_cut"]), (7, 0))
        self.assertEqual((found["readers"], found["window"], found["random"]), (15, 64, True))  # of 16 at most, evenly
        self.assertGreater(found["sent"], 0)
        self.assertEqual(found["written"], found["sent"])
        self.assertEqual(found["broken"], {})
        self.assertAlmostEqual(found["per_second"], found["measured"] / 2, delta=0.01)
        self.assertGreater(found["latencies"]["to_sent"]["count"], 0)
        self.assertEqual(len(found["series"]["sent"]), len(found["series"]["at_seconds"]))
        self.assertGreater(sum(found["series"]["sent"]), 0)
        for unseen in ("delivered", "ticked", "through", "read"):
            self.assertNotIn(unseen, found)
        self.assertEqual([name for name in users() if name.startswith("bench-")], [])

    def test_what_was_sent_is_there_when_its_readers_come(self):
        imported([f"absent-{i}" for i in range(22)], "absent")
        tokens = ["--url", f"ws://{self.address}/chat", "--tokens", "absent", *SHORT, "--json"]
        stored = 0
        for words in ([], ["--in-turn"]):  # the second finds chats that have numbers already
            done = bench("away", *tokens, "--users", "20", "--readers", "10", "--rate", "1000", *words, code=MET_OR_MISSED)
            found = json.loads(done.stdout)
            self.assertEqual((found["logins"], found["sent"], found["broken"]), (2, found["written"], {}))
            self.assertEqual(found["random"], not words)
            stored += found["sent"]
        self.assertGreater(stored, 0)
        # All of them log in, and are shown what is not of this run.
        found = json.loads(bench("chat", *tokens, "--users", "22").stdout)
        self.assertEqual((found["foreign"], found["broken"]), (stored, {}))

    def test_at_a_rate_what_is_due_is_written_and_objectives_decide(self):
        found = report("away", self.address, "--users", "40", "--rate", "500", *SHORT, "--p99-sent", "1us", "--form", "json",
                       "--bytes", "1000", code=2)
        self.assertEqual(found["due"], found["written"])
        self.assertGreater(found["due"], 250)
        self.assertLess(found["due"], 750)
        self.assertEqual(found["latencies"]["lag"]["count"], found["latencies"]["to_sent"]["count"])
        self.assertIn("kept", found["objectives"]["rate"])
        self.assertFalse(found["objectives"]["p99_sent"]["kept"])

    def test_two_processes_share_the_writers(self):
        found = report("away", self.address, "--users", "90", "--readers", "30", *SHORT, "--processes", "2")
        self.assertEqual((found["processes"], found["logins"], found["readers"]), (2, 3, 30))
        self.assertEqual((found["written"], found["broken"]), (found["sent"], {}))

    def test_text_and_page_say_that_nobody_has_read(self):
        words = ["away", "--url", f"ws://{self.address}/chat", "--data", DATA, "--users", "40", *SHORT, "--report", "page.html"]
        done = bench(*words, "--seconds", "2")
        unread = "all promises that answers tell of were kept; nobody has read what was stored"
        self.assertIn(unread, done.stdout)
        self.assertRegex(done.stdout, r"(?m)^\d+ stores a second, answered as sent; measured for 2 s after 0 s, [\d.]+ messages")
        self.assertRegex(done.stderr, r"\d+ stores/s   written \d+  sent \d+")
        text, root = page_taken()
        titles = [figure.findtext("figcaption") for figure in root.findall(".//figure")]
        self.assertIn("Stores each second", titles)
        self.assertIn(unread, text)
        for foreign in FOREIGN:
            self.assertNotIn(foreign, text)

    def test_tokens_without_ids_are_told(self):
        with open("tokens-alone", "w", encoding="utf-8") as file:
            file.write("nonsense\n" * 20)
        done = bench("away", "--url", f"ws://{self.address}/chat", "--tokens", "tokens-alone", "--users", "16", *SHORT, code=3)
        self.assertIn("--tokens: the id of token 1 is not known", done.stderr)


class Held(unittest.TestCase):
    """By nodes that do not take it all."""

    def test_a_limit_of_the_node_is_named_and_nothing_is_measured(self):
        with Node("--user-strangers-per-hour", "5") as node:
            found = report("away", node.address, "--users", "40", "--readers", "40", "--window", "1", "--in-turn", "--seconds",
                           "60", code=3)
        self.assertRegex(found["failed"], r"^a limit of the node holds bench-\w+-\d+ back: more people than this user or address")
        self.assertEqual(found["broken"], {})

    def test_full_inboxes_are_no_broken_promise_and_no_result(self):
        with Node("--inbox-entries-max", "20") as node:
            found = report("away", node.address, "--users", "20", "--readers", "20", "--in-turn", "--rate", "600", *SHORT,
                           code=3)
        self.assertRegex(found["failed"], r"^\d+ messages of bench-\w+-1 were put off to the end: ")
        self.assertEqual(found["broken"], {})
        self.assertEqual(found["sent"], 400)

    def test_a_node_that_is_killed_and_comes_back_has_taken_each_message_once(self):
        with Node() as node:
            restarted = []

            def restart(_):
                node.kill()
                restarted.append(Node(listen=node.address, keep=True))

            found = report_with(restart, "stores/s", "away", node.address, "--users", "600", "--readers", "200", "--seconds",
                                "3", "--warmup", "0")
            restarted[0].kill()
        self.assertEqual((found["connections_cut"], found["logins"]), (3, 6))
        self.assertEqual((found["sent"], found["broken"]), (found["written"], {}))

    def test_a_node_that_does_not_come_back_is_told(self):
        with Node() as node:
            found = report_with(lambda _: node.process.kill(), "stores/s", "away", node.address, "--users", "30", "--seconds",
                                "5", "--patience", "1", "--keep-users", "u", code=3)
        self.assertEqual(found["broken"], {})
        self.assertTrue(re.match(r"u\d+ could not log in at 127\.0\.0\.1:\d+ for 1 s: ", found["failed"]), found["failed"])


if __name__ == "__main__":
    main()
