#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""What is told without a run, or instead of one: help, flags and values that are wrong, what cannot be reached."""
import json
import os
import re
import socket
import subprocess
import unittest

from generator import BENCH, DATA, Node, SHORT, WithNode, bench, main
from patience import patience

NOWHERE = ["--url", "ws://127.0.0.1:1/chat", "--data", "nowhere"]


class Alone(unittest.TestCase):
    """Without a node."""

    def test_help_and_version_are_printed(self):
        self.assertIn("usage: linnet-bench chat", bench("--help").stdout)
        self.assertRegex(bench("--version").stdout, r"^linnet-bench \d+\.\d+\.\d+\n$")

    def test_a_worker_that_nobody_speaks_to_says_what_it_is(self):
        done = bench("worker", "echo", "--url", "ws://127.0.0.1:1/echo", code=3)
        self.assertIn("`worker` is what linnet-bench calls itself with", done.stderr)

    def test_a_worker_that_is_told_nonsense_ends_with_exit_code_3(self):
        ours, its = socket.socketpair()
        with ours, its, subprocess.Popen([BENCH, "worker", "echo", "--url", "ws://127.0.0.1:1/echo"],
                                         preexec_fn=lambda: os.dup2(its.fileno(), 3), close_fds=False,
                                         stderr=subprocess.PIPE, text=True) as process:
            ours.send(b"nonsense that is longer than a head")
            self.assertIn("what a process of the generator said makes no sense", process.stderr.read())
            self.assertEqual(process.wait(patience(20)), 3)

    def test_more_connections_than_descriptors_could_be_had_for_are_told(self):
        done = bench("echo", "--url", "ws://127.0.0.1:1/echo", "--connections", "4", "--processes", "5", code=3)
        self.assertIn("--processes: more than there are connections", done.stderr)

    def test_wrong_flags_and_values_are_told_with_exit_code_3(self):
        for words, told in (
                (["chat", "--pears"], "--pears: no such flag"),
                (["chat", "--pairs", "many", *NOWHERE], "--pairs: 'many' is no number"),
                (["capacity", "--p99-sent", "soon", *NOWHERE], "--p99-sent"),
                (["chit-chat"], "linnet-bench --help tells"),
                ([], "linnet-bench --help tells"),
                (["plan", "--peak", "0"], "--peak: the busiest second"),
                (["plan", "--pears"], "--pears: no such flag")):
            with self.subTest(words=words):
                done = bench(*words, code=3)
                self.assertIn(told, done.stderr)
                self.assertEqual(done.stdout, "")

    def test_a_plan_takes_results_with_long_series_and_tells_which_are_too_long(self):
        result = {"scenario": "idle", "bytes_per_connection": 2000, "kernel_bytes_per_end": 4000, "node_cpu_ms": 30,
                  "connections": 1000, "seconds": 10,
                  "series": {f"column {i}": list(range(10000)) for i in range(40)}}
        with open("idle.json", "w", encoding="utf-8") as file:
            json.dump(result, file)
        self.assertGreater(os.path.getsize("idle.json"), 1 << 20)
        inputs = json.loads(bench("plan", "--idle", "idle.json", "--json").stdout)["inputs"]
        self.assertEqual((inputs["connection_bytes"], inputs["kernel_bytes"]), (2000, 4000))
        os.truncate("idle.json", 100 << 20)
        self.assertIn("idle.json: File too large", bench("plan", "--idle", "idle.json", code=3).stderr)
        os.remove("idle.json")

    def test_what_a_plan_assumes_of_a_node_stands_in_its_help_and_in_the_docs_with_where_it_comes_from(self):
        plan = json.loads(bench("plan", "--json").stdout)
        told = bench("--help").stdout
        with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../docs/benchmark.md"), encoding="utf-8") as file:
            docs = file.read()
        self.assertEqual(len(plan["measured"]), 7)
        for name, whence in plan["measured"].items():
            value, flag = plan["inputs"][name], "--" + name.replace("_", "-")
            self.assertRegex(told, rf"(?m)^  {flag} .*\({value:g}\)$")  # its default
            row = rf"(?m)^\| `{flag}` \| [^|]+ \| {value:,} \| {re.escape(whence)}[^|]* \| [0-9a-f]{{7}} \|$"
            self.assertIsNotNone(re.search(row, docs), f"docs/benchmark.md has no row of {flag} as the plan tells it: {row}")

    def test_where_no_node_runs_the_exit_code_is_3(self):
        done = bench("chat", "--url", "ws://127.0.0.1:1/chat", "--data", "nowhere", code=3)
        self.assertIn("no node is running", done.stderr)
        self.assertEqual(done.stdout, "")

    def test_a_tokens_file_that_is_missing_is_told(self):
        done = bench("chat", "--url", "ws://127.0.0.1:1/chat", "--tokens", "nowhere", code=3)
        self.assertIn("--tokens: No such file", done.stderr)


class Refused(WithNode):
    def test_a_refused_token_ends_the_run_with_exit_code_3(self):
        with open("wrong", "w", encoding="utf-8") as file:
            file.write("nonsense\n" * 4)
        done = bench("chat", "--url", f"ws://{self.address}/chat", "--tokens", "wrong", *SHORT, code=3)
        self.assertIn("was sent away with 4001", done.stderr)

    def test_a_wrong_path_ends_the_run_with_exit_code_3(self):
        done = bench("chat", "--url", f"ws://{self.address}/chatter", "--data", DATA, *SHORT, code=3)
        self.assertIn("was sent away with 404", done.stderr)

    def test_an_address_where_nobody_listens_is_named(self):
        with Node() as node:
            done = bench("idle", "--url", f"ws://{node.address}/chat", "--data", DATA, "--users", "4", "--addresses", "3",
                         "--patience", "1", code=3)
        self.assertRegex(done.stderr, r"could not log in at 127\.0\.0\.[23]:\d+ for 1 s: Connection refused")


if __name__ == "__main__":
    main()
