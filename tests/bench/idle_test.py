#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Users who are online and silent: what a connection takes, heartbeats, those among them who chat."""
import unittest

from generator import MET_OR_MISSED, Node, WithNode, main, report, report_with


class Idle(WithNode):
    def test_idle_tells_what_a_connection_takes(self):
        found = report("idle", self.address, "--users", "300", "--seconds", "1")
        self.assertEqual(found["logins"], 300)
        self.assertEqual(found["connections_cut"], 0)
        self.assertGreater(found["node_resident_bytes"], 1 << 20)
        self.assertIn("bytes_per_connection", found)
        for part in "connection_actor", "socket":
            self.assertGreater(found["bytes_by_part"][part], 0)

    def test_idle_users_greet_each_other_and_send_heartbeats(self):
        found = report("idle", self.address, "--users", "51", "--seconds", "2", "--heartbeat", "1")
        self.assertEqual((found["logins"], found["connections"], found["broken"]), (51, 51, {}))
        # Two of each user, less the one or other at either end of the span.
        self.assertGreater(found["heartbeats"], 51)
        self.assertLess(found["heartbeats"], 4 * 51)
        self.assertGreater(found["heartbeat_latency"]["count"], 51)
        self.assertGreater(found["connect_seconds"], 0)
        self.assertGreater(found["greet_seconds"], 0)
        self.assertIn("node_cpu_us_per_second_and_connection", found)
        for phase in "login_cpu_us", "hello_cpu_us":
            self.assertEqual(sorted(found[phase]), ["generator", "node"])
        self.assertIn("kernel_bytes_per_end", found)

    def test_heartbeats_that_ask_for_no_answer_get_none(self):
        found = report("idle", self.address, "--users", "21", "--seconds", "2", "--heartbeat", "1", "--one-way")
        self.assertTrue(found["heartbeats_one_way"])
        self.assertGreater(found["heartbeats"], 21)
        self.assertNotIn("heartbeat_latency", found)
        self.assertEqual((found["connections_cut"], found["broken"]), (0, {}))

    def test_pairs_chat_alone_and_beside_the_idle(self):
        words = ["--users", "60", "--chat-pairs", "5", "--rate", "200", "--seconds", "1", "--warmup", "0"]
        found = report("idle", self.address, *words, "--processes", "2", code=MET_OR_MISSED)
        self.assertEqual((found["connections"], found["logins"], found["broken"]), (50, 60, {}))
        for when in ("latencies_alone", "latencies"):
            self.assertGreater(found[when]["to_delivery"]["count"], 100)
        # The same schedule each time.
        self.assertEqual(found["latencies_alone"]["lag"]["count"], found["latencies"]["lag"]["count"])

    def test_pairs_among_the_idle_have_objectives(self):
        words = ["--users", "20", "--chat-pairs", "2", "--rate", "50", "--seconds", "1", "--warmup", "0"]
        kept = report("idle", self.address, *words, "--p99-delivery", "600s", code=MET_OR_MISSED)
        self.assertTrue(kept["objectives"]["p99_delivery"]["kept"])
        missed = report("idle", self.address, *words, "--p99-delivery", "1us", code=2)
        self.assertFalse(missed["objectives"]["p99_delivery"]["kept"])


class NodeOfItsOwn(unittest.TestCase):
    def test_what_the_users_of_idle_take_is_in_its_bytes_also_when_they_were_made_for_it(self):
        with Node() as node:
            found = report("idle", node.address, "--users", "2000", "--seconds", "1", "--settle", "0")
        before, after = found["node_resident_bytes_before"], found["node_resident_bytes_after"]
        self.assertLess(before, found["node_resident_bytes_with_users"])
        self.assertEqual(found["bytes_per_connection"], (after - before) // 2000)

    def test_idle_connections_that_are_cut_make_the_exit_code_2(self):
        with Node() as node:
            found = report_with(lambda _: node.process.kill(), "20 logins, 0 cut", "idle", node.address, "--users", "20",
                                "--seconds", "3", "--keep-users", "u", code=2)
        self.assertEqual(found["connections_cut"], 20)
        self.assertEqual(found["objectives"], {"connections_cut": {"wanted": 0, "found": 20, "kept": False}})


if __name__ == "__main__":
    main()
