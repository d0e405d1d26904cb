#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Round trips with the node's echo."""
import unittest

from generator import Node, WithNode, bench, main, report


class Echo(WithNode):
    def test_echo_counts_round_trips(self):
        found = report("echo", self.address, "--connections", "5", "--seconds", "1", "--warmup", "0", path="/echo")
        self.assertGreater(found["measured"], 0)
        # One of each connection may have left before the end and come back after it.
        self.assertLessEqual(abs(found["latencies"]["round_trip"]["count"] - found["measured"]), 5)


class SwitchedOff(unittest.TestCase):
    def test_echo_where_it_is_switched_off_ends_with_exit_code_3(self):
        with Node() as node:
            done = bench("echo", "--url", f"ws://{node.address}/echo", code=3)
        self.assertIn("the upgrade failed with status 404", done.stderr)


if __name__ == "__main__":
    main()
