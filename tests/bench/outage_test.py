#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""A node that goes and comes back, or does not."""
import unittest

from generator import Node, main, report_with


class Outage(unittest.TestCase):
    def test_a_node_that_is_killed_and_comes_back_costs_reconnects_and_nothing_else(self):
        with Node() as node:
            restarted = []

            def restart(_):
                node.kill()
                restarted.append(Node(listen=node.address, keep=True))

            found = report_with(restart, "messages/s", "chat", node.address, "--pairs", "5", "--seconds", "3", "--warmup",
                                "0")
            restarted[0].kill()
        self.assertEqual(found["connections_cut"], 10)
        self.assertEqual(found["logins"], 20)
        self.assertEqual(found["broken"], {})
        self.assertEqual(found["written"], found["through"])

    def test_a_node_that_does_not_come_back_is_no_broken_promise(self):
        with Node() as node:
            found = report_with(lambda _: node.process.kill(), "messages/s", "chat", node.address, "--pairs", "5",
                                "--seconds", "5", "--patience", "1", "--keep-users", "u", code=3)
        self.assertEqual(found["broken"], {})
        self.assertRegex(found["failed"], r"^u\d+ could not log in at 127\.0\.0\.1:\d+ for 1 s: Connection refused$")


if __name__ == "__main__":
    main()
