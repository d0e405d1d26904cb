#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The judge is judged: linnet-bench against nodes that break a promise now and then.

    tests/bench/judge_test.py LINNETD LINNET-BENCH EVIL-PROXY [test names]

The evil nodes are an honest one behind evil_proxy. Runs in the current folder, where it makes and removes the node's
data directory.
"""
import concurrent.futures
import json
import os
import re
import shutil
import subprocess
import sys
import unittest

sys.path.append(os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from patience import patience

LINNETD, BENCH, PROXY = (os.path.abspath(path) for path in sys.argv[1:4])
DATA = "data"
SMALL = ["--store-segment-bytes", "8M", "--store-reserve-bytes", "8M", "--store-map-bytes", "1G"]


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


def chat(pairs):
    return ["chat", "--pairs", str(pairs)]


AWAY = ["away", "--users", "40", "--readers", "10"]
GROUPS = ["group", "--users", "40", "--members", "10"]


def run_once(address, kind, every, words, seconds):
    proxy, proxy_address = started(PROXY, kind, str(every), address)
    try:
        done = subprocess.run(
            [BENCH, *words, "--url", f"ws://{proxy_address}/chat", "--data", DATA, "--seconds", str(seconds), "--warmup",
             "0", "--json"], capture_output=True, text=True, timeout=patience(200), check=False)
    finally:
        ended(proxy)
    if not done.stdout:
        raise AssertionError(done.stderr)
    return done.returncode, json.loads(done.stdout)


def occasions(report):
    """Where nobody reads, only answers are one."""
    return report["sent" if report["scenario"] == "away" else "delivered"]


def run(address, kind, every, words, seconds):
    """(exit code, report) of a run against the node at this address behind a proxy of this kind, long enough for a
    deed or two."""
    for _ in range(4):
        code, report = run_once(address, kind, every, words, seconds)
        if occasions(report) > 2 * every:
            break
        seconds *= 2
    return code, report


KINDS = ["honest", "repeat", "lose", "duplicate", "swap", "corrupt", "tick-early", "tick-back", "tick-never",
         "answer-twice", "answer-never"]
RARE = {"lose": "lost", "duplicate": "duplicate", "swap": "order", "tick-early": "tick-early", "tick-back": "tick-back"}
# Where a letter that one member was not shown is lost, whatever else it is.
IN_GROUPS = {"honest": None, "repeat": None, "lose": "lost", "duplicate": "duplicate", "swap": "order",
             "corrupt": "changed", "tick-early": "tick-early", "answer-never": "unanswered"}
WHILE_AWAY = {"honest": None, "answer-twice": "answered-twice", "answer-never": "unanswered"}
# People who come back, which a proxy that adds entries can't tell from others: it counts anew.
DAYS = ["mixed", "--users", "40", "--online", "60%", "--messages-per-day", "40", "--returns-per-day", "5"]
ON_DAYS = {"honest": None, "lose": "lost", "swap": "order", "tick-early": "tick-early"}
OFTEN, SELDOM = 100, 10000
AT_ONCE = 3  # some only wait for what does not come


class Judge(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        shutil.rmtree(DATA, ignore_errors=True)
        cls.node, address = started(LINNETD, "--data", DATA, "--listen", "127.0.0.1:0", *SMALL)
        cls.pool = concurrent.futures.ThreadPoolExecutor(AT_ONCE)
        cls.often = {kind: cls.pool.submit(run, address, kind, OFTEN, chat(4), 1) for kind in reversed(KINDS)}
        cls.seldom = {kind: cls.pool.submit(run, address, kind, SELDOM, chat(20), 3) for kind in RARE}
        cls.days = {kind: cls.pool.submit(run, address, kind, OFTEN, DAYS, 2) for kind in ON_DAYS}
        cls.away = {kind: cls.pool.submit(run, address, kind, OFTEN, AWAY, 1) for kind in WHILE_AWAY}
        cls.groups = {kind: cls.pool.submit(run, address, kind, OFTEN, GROUPS, 1) for kind in IN_GROUPS}

    @classmethod
    def tearDownClass(cls):
        cls.pool.shutdown(cancel_futures=True)
        ended(cls.node)
        shutil.rmtree(DATA, ignore_errors=True)

    def verdict(self, future, every):
        code, report = future.result()
        self.assertEqual(report["exit_code"], code)
        self.assertGreater(occasions(report), every, "there was no occasion for a deed")
        return code, report

    def assert_broken(self, promise, future, every=OFTEN):
        code, report = self.verdict(future, every)
        self.assertEqual(code, 1, report)
        self.assertEqual(report["first_broken"], promise, report)
        self.assertGreater(report["broken"][promise], 0)
        return report

    def test_an_honest_proxy_changes_nothing(self):
        code, report = self.verdict(self.often["honest"], OFTEN)
        self.assertEqual(code, 0, report)
        self.assertEqual(report["broken"], {})
        self.assertEqual(report["written"], report["through"])
        self.assertEqual(report["duplicates_hidden"], 0)

    def test_a_repeated_id_is_hidden_by_the_client_and_breaks_nothing(self):
        code, report = self.verdict(self.often["repeat"], OFTEN)
        self.assertEqual(code, 0, report)
        self.assertGreater(report["duplicates_hidden"], 0)

    def test_a_lost_message_is_seen(self):
        report = self.assert_broken("lost", self.often["lose"])
        self.assertEqual(list(report["broken"]), ["lost"])

    def test_a_duplicate_under_another_id_is_seen(self):
        report = self.assert_broken("duplicate", self.often["duplicate"])
        self.assertEqual(list(report["broken"]), ["duplicate"])

    def test_two_swapped_messages_are_seen(self):
        report = self.assert_broken("order", self.often["swap"])
        # A line's last message finds none to swap places with.
        self.assertLessEqual(set(report["broken"]), {"order", "lost"})

    def test_a_changed_text_is_seen(self):
        self.assert_broken("changed", self.often["corrupt"])

    def test_an_early_tick_is_seen(self):
        self.assert_broken("tick-early", self.often["tick-early"])

    def test_a_tick_that_goes_back_is_seen(self):
        report = self.assert_broken("tick-back", self.often["tick-back"])
        # If it was a line's last tick, what it took back stays missing.
        self.assertLessEqual(set(report["broken"]), {"tick-back", "tick-missing"})

    def test_ticks_that_never_come_are_seen(self):
        report = self.assert_broken("tick-missing", self.often["tick-never"])
        self.assertEqual(list(report["broken"]), ["tick-missing"])

    def test_a_second_answer_is_seen(self):
        report = self.assert_broken("answered-twice", self.often["answer-twice"])
        self.assertEqual(list(report["broken"]), ["answered-twice"])

    def test_an_answer_that_never_comes_is_seen(self):
        report = self.assert_broken("unanswered", self.often["answer-never"])
        self.assertEqual(list(report["broken"]), ["unanswered"])

    def test_each_deed_is_seen_in_groups_too(self):
        for kind, promise in IN_GROUPS.items():
            with self.subTest(kind):
                if promise is None:
                    code, report = self.verdict(self.groups[kind], OFTEN)
                    self.assertEqual((code, report["broken"]), (0, {}), report)
                    self.assertEqual(report["through"], 9 * report["written"])
                elif kind == "lose":
                    # The member's next acknowledgement covers what was lost, so its writer may be told first that all
                    # have it: either shows the deed.
                    code, report = self.verdict(self.groups[kind], OFTEN)
                    self.assertEqual(code, 1, report)
                    self.assertIn(report["first_broken"], (promise, "tick-early"), report)
                else:
                    self.assert_broken(promise, self.groups[kind])

    def test_what_answers_tell_is_seen_while_readers_stay_away(self):
        for kind, promise in WHILE_AWAY.items():
            with self.subTest(kind):
                if promise is None:
                    code, report = self.verdict(self.away[kind], OFTEN)
                    self.assertEqual((code, report["broken"], report["sent"]), (0, {}, report["written"]), report)
                else:
                    report = self.assert_broken(promise, self.away[kind])
                    self.assertEqual(list(report["broken"]), [promise])

    def test_each_deed_is_seen_on_a_day_of_people_who_come_and_go(self):
        for kind, promise in ON_DAYS.items():
            with self.subTest(kind):
                code, report = self.verdict(self.days[kind], OFTEN)
                if promise is None:
                    self.assertEqual(report["broken"], {}, report)
                    self.assertEqual(report["through"], report["written"])
                else:
                    self.assertEqual(code, 1, report)
                    self.assertIn(promise, report["broken"], report)

    def test_each_deed_is_seen_when_it_comes_once_in_ten_thousand(self):
        for kind, promise in RARE.items():
            with self.subTest(kind):
                self.assert_broken(promise, self.seldom[kind], SELDOM)


if __name__ == "__main__":
    unittest.main(argv=[sys.argv[0], *sys.argv[4:]])
