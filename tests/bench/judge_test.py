#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The judge is judged: linnet-bench against nodes that break a promise now and then.

    tests/bench/judge_test.py LINNETD LINNET-BENCH EVIL-PROXY [test names]

The evil nodes are an honest one behind evil_proxy. Runs in the current folder, where it makes and removes the node's
data directory.
"""
import json
import os
import re
import shutil
import subprocess
import sys
import unittest

LINNETD, BENCH, PROXY = (os.path.abspath(path) for path in sys.argv[1:4])
DATA = "data"
SMALL = ["--store-segment-bytes", "8M", "--store-reserve-bytes", "1M", "--store-map-bytes", "1G"]


def started(*command):
    """A server that says where it listens."""
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    said = ""
    for line in process.stdout:
        said += line
        found = re.match(r"listening on (\S+)$", line)
        if found:
            return process, found.group(1)
    raise AssertionError(f"{command[0]} did not start: {said}")


def ended(process):
    process.kill()
    process.wait()
    process.stdout.close()


class Judge(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        shutil.rmtree(DATA, ignore_errors=True)
        cls.node, cls.address = started(LINNETD, "--data", DATA, "--listen", "127.0.0.1:0", *SMALL)

    @classmethod
    def tearDownClass(cls):
        ended(cls.node)
        shutil.rmtree(DATA, ignore_errors=True)

    def verdict(self, kind, every=100, pairs=4, seconds=1):
        """(exit code, report) of a run against the node behind a proxy of this kind."""
        proxy, address = started(PROXY, kind, str(every), self.address)
        try:
            done = subprocess.run(
                [BENCH, "chat", "--url", f"ws://{address}/chat", "--data", DATA, "--pairs", str(pairs), "--seconds",
                 str(seconds), "--warmup", "0", "--json"], capture_output=True, text=True, timeout=120, check=False)
        finally:
            ended(proxy)
        self.assertTrue(done.stdout, done.stderr)
        report = json.loads(done.stdout)
        self.assertEqual(report["exit_code"], done.returncode)
        self.assertGreater(report["delivered"], every, "there was no occasion for a deed")
        return done.returncode, report

    def assert_broken(self, promise, kind, **how):
        code, report = self.verdict(kind, **how)
        self.assertEqual(code, 1, report)
        self.assertEqual(report["first_broken"], promise, report)
        self.assertGreater(report["broken"][promise], 0)
        return report

    def test_an_honest_proxy_changes_nothing(self):
        code, report = self.verdict("honest")
        self.assertEqual(code, 0, report)
        self.assertEqual(report["broken"], {})
        self.assertEqual(report["written"], report["through"])
        self.assertEqual(report["duplicates_hidden"], 0)

    def test_a_repeated_id_is_hidden_by_the_client_and_breaks_nothing(self):
        code, report = self.verdict("repeat")
        self.assertEqual(code, 0, report)
        self.assertGreater(report["duplicates_hidden"], 0)

    def test_a_lost_message_is_seen(self):
        report = self.assert_broken("lost", "lose")
        self.assertEqual(list(report["broken"]), ["lost"])

    def test_a_duplicate_under_another_id_is_seen(self):
        report = self.assert_broken("duplicate", "duplicate")
        self.assertEqual(list(report["broken"]), ["duplicate"])

    def test_two_swapped_messages_are_seen(self):
        report = self.assert_broken("order", "swap")
        self.assertEqual(list(report["broken"]), ["order"])

    def test_a_changed_text_is_seen(self):
        self.assert_broken("changed", "corrupt")

    def test_an_early_tick_is_seen(self):
        self.assert_broken("tick-early", "tick-early")

    def test_a_tick_that_goes_back_is_seen(self):
        report = self.assert_broken("tick-back", "tick-back")
        # If it was a line's last tick, what it took back stays missing.
        self.assertLessEqual(set(report["broken"]), {"tick-back", "tick-missing"})

    def test_ticks_that_never_come_are_seen(self):
        report = self.assert_broken("tick-missing", "tick-never")
        self.assertEqual(list(report["broken"]), ["tick-missing"])

    def test_a_second_answer_is_seen(self):
        report = self.assert_broken("answered-twice", "answer-twice")
        self.assertEqual(list(report["broken"]), ["answered-twice"])

    def test_an_answer_that_never_comes_is_seen(self):
        report = self.assert_broken("unanswered", "answer-never")
        self.assertEqual(list(report["broken"]), ["unanswered"])

    def test_each_deed_is_seen_when_it_comes_once_in_ten_thousand(self):
        for kind, promise in [("lose", "lost"), ("duplicate", "duplicate"), ("swap", "order"),
                              ("tick-early", "tick-early"), ("tick-back", "tick-back")]:
            with self.subTest(kind):
                self.assert_broken(promise, kind, every=10000, pairs=20, seconds=4)


if __name__ == "__main__":
    unittest.main(argv=[sys.argv[0], *sys.argv[4:]])
