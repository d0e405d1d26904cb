#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Connections that are all cut at once, and come back."""
import signal
import time

from generator import DATA, MET_OR_MISSED, WithNode, bench, main, report, report_with


class Storm(WithNode):
    def test_in_a_storm_all_come_back_and_nothing_is_lost(self):
        found = report("storm", self.address, "--pairs", "10", "--seconds", "4", "--warmup", "0", "--storms", "2", "--rate",
                       "100", "--all-back", "100s", code=MET_OR_MISSED)
        self.assertEqual((found["logins"], found["connections_left"]), (60, 40))
        self.assertEqual(found["latencies"]["back"]["count"], 40)
        self.assertTrue(found["objectives"]["all_back"]["kept"])
        self.assertGreater(found["logins_per_second"], 0)
        self.assertEqual((found["written"], found["broken"]), (found["through"], {}))

    def test_a_storm_that_the_generator_stood_still_over_until_the_spans_end_is_made_and_its_cut_are_seen_back(self):
        def stand_still(process):  # between the first storm and the second
            process.send_signal(signal.SIGSTOP)
            time.sleep(2)
            process.send_signal(signal.SIGCONT)

        found = report_with(stand_still, "messages/s", "storm", self.address, "--users", "40", "--seconds", "3", "--warmup",
                            "0", "--storms", "2", "--rate", "40", "--threads", "2", code=MET_OR_MISSED)
        self.assertEqual((found["logins"], found["connections_left"]), (120, 80))
        self.assertEqual(found["latencies"]["back"]["count"], 80)
        self.assertEqual((found["written"], found["broken"]), (found["through"], {}))

    def test_a_storm_after_which_nobody_is_back_when_the_span_ends_is_waited_for_and_misses_its_objective(self):
        def node_stands_still(_):  # between the first storm and the second, until a second after the span
            self.node.process.send_signal(signal.SIGSTOP)
            time.sleep(3)
            self.node.process.send_signal(signal.SIGCONT)

        found = report_with(node_stands_still, "messages/s", "storm", self.address, "--users", "40", "--seconds", "3",
                            "--warmup", "0", "--storms", "2", "--rate", "0.01", "--all-back", "1s", code=2)
        self.assertEqual((found["logins"], found["connections_left"]), (120, 80))
        self.assertEqual(found["latencies"]["back"]["count"], 80)
        self.assertFalse(found["objectives"]["all_back"]["kept"])
        self.assertEqual(found["broken"], {})

    def test_a_storm_without_back_off_and_without_a_rate_is_judged_too(self):
        done = bench("storm", "--url", f"ws://{self.address}/chat", "--data", DATA, "--pairs", "3", "--seconds", "1",
                     "--warmup", "0", "--storms", "1", "--rate", "0", "--no-back-off", "--all-back", "1us", code=2)
        self.assertIn("and call again at once", done.stdout)
        self.assertIn("objective MISSED: the last one back", done.stdout)
        self.assertIn("all promises were kept", done.stdout)


if __name__ == "__main__":
    main()
