#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""bench/run.sh and bench/versus.py: what they play, in which order, and what they make of the results. Node and generator
are stand-ins; what scenarios there are is the real generator's to say.

    tests/bench/scripts_test.py LINNET-BENCH
"""
import os
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

sys.path.append(os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from patience import patience

BENCH = os.path.abspath(sys.argv[1])
SCRIPTS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "bench")
NODE = "#!/bin/sh\necho listening on 127.0.0.1:1\nexec sleep 1000\n"
# Each call finds the next of these.
GENERATOR = f"""#!{sys.executable}
import json, os, sys
with open(os.environ["CALLS"], "a+") as calls:
    calls.write("{{name}} " + " ".join(sys.argv[1:]) + "\\n")
    calls.seek(0)
    before = [line for line in calls if line.startswith("{{name}} ")]
found = {{found}}[(len(before) - 1) % len({{found}})]
code = {{codes}}.get(sys.argv[1], 0)
print(json.dumps({{{{"scenario": sys.argv[1], "per_second": found, "exit_code": code, "measured": 10, "node_cpu_ms": found,
                   "segments": 80, "segments_with_data": 42, **({{{{"placement": dict(zip(
                       ("line_ns_before", "line_ns_after"), {{ends}}[(len(before) - 1) % len({{ends}})]))}}}}
                       if {{ends}} else {{{{}}}})}}}},
                 separators=(",", ":")) if "--json" in sys.argv else f"{{{{found}}}} round trips a second, one at a time")
sys.exit(code)
"""


class Scripts(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.mkdtemp(dir=".")
        self.path = os.path.abspath(self.folder)
        self.program("bin/ninja", "#!/bin/sh\n")

    def tearDown(self):
        shutil.rmtree(self.folder)

    def program(self, name, text):
        path = os.path.join(self.path, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        os.chmod(path, 0o755)

    def build(self, name, found, codes=None, ends=None):
        self.program(f"{name}/tools/linnetd", NODE)
        for program in "linnet-bench", "echo_bare", "chat_bare":
            text = GENERATOR.format(name=f"{name}/{program}", codes=codes or {}, ends=ends or [],
                                    found=found if program == "linnet-bench" else [200])
            self.program(f"{name}/bench/{program}", text)
        for program in "bench_store_table", "bench_store_log", "bench_store_steps":
            self.program(f"{name}/bench/{program}", "#!/bin/sh\n")

    def run_script(self, name, *words):
        env = {**os.environ, "PATH": os.path.join(self.path, "bin") + ":" + os.environ["PATH"],
               "BUILD": os.path.join(self.path, "a"), "CALLS": os.path.join(self.path, "calls")}
        return subprocess.run([os.path.join(SCRIPTS, name), *words], env=env, capture_output=True, text=True,
                              timeout=patience(60), check=False)

    def calls(self):
        with open(os.path.join(self.path, "calls"), encoding="utf-8") as file:
            return [line.rstrip("\n") for line in file]

    def versus(self, options, *words):
        return self.run_script("versus.py", *options, os.path.join(self.path, "a"), os.path.join(self.path, "b"), *words)

    def test_run_sh_plays_every_scenario_that_there_is(self):
        self.build("a", [100])
        self.assertEqual(self.run_script("run.sh").returncode, 0)
        told = subprocess.run([BENCH], capture_output=True, text=True, check=False).stderr
        scenarios = set(re.findall(r"\w+", told.split("linnet-bench ")[1].split("?")[0])) - {"or", "plan"}
        self.assertGreater(len(scenarios), 8)
        played = {call.split()[1] for call in self.calls() if call.startswith("a/linnet-bench")}
        self.assertEqual(played, scenarios)

    def test_run_sh_tells_what_a_node_adds_to_a_ring(self):
        self.build("a", [100])
        self.assertIn("\necho / echo_bare: 0.500\n", self.run_script("run.sh").stdout)
        self.assertIn('\n{"benchmark":"echo_ratio","ratio":0.500}\n', self.run_script("run.sh", "--json").stdout)

    def test_run_sh_ends_with_the_worst_of_the_exit_codes(self):
        self.build("a", [100], {"group": 2, "storm": 1, "mixed": 3, "soak": 2})
        self.assertEqual(self.run_script("run.sh").returncode, 1)
        self.build("a", [100], {"group": 2, "mixed": 3, "soak": 2})
        self.assertEqual(self.run_script("run.sh").returncode, 3)
        self.build("a", [100], {"group": 2})
        self.assertEqual(self.run_script("run.sh").returncode, 2)

    def test_two_builds_play_in_turns_and_the_table_has_medians_and_their_ratio(self):
        self.build("a", [100, 900, 200])
        self.build("b", [300, 100, 500], {"chat": 2})
        done = self.versus(["--rounds", "3"], "chat", "--pairs", "7")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual([call.split("/")[0] for call in self.calls()], ["a", "b", "b", "a", "a", "b"])
        self.assertTrue(all(call.endswith(" --pairs 7") for call in self.calls()))
        self.assertRegex(done.stdout, r"(?m)^per_second +200 \(100 to 900\) +300 \(100 to 500\) +1\.500$")
        self.assertRegex(done.stdout, r"(?m)^node_cpu_us_each +20,000 \(10,000 to 90,000\) +30,000 ")
        self.assertIn("B missed what was wanted", done.stderr)
        self.assertEqual(sorted(os.listdir(os.path.join(self.path, "a"))), ["bench", "tools"])

    def test_like_is_compared_with_like_where_the_cores_have_moved(self):
        self.build("a", [100, 900, 200], ends=[(40, 45), (40, 250), (200, 210)])
        self.build("b", [300, 100, 500], ends=[(50, 50), (230, 240), (60, 41)])
        done = self.versus(["--rounds", "3"], "chat")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("cores in these runs: A 1 near, 1 far, 1 moved; B 2 near, 1 far\n", done.stdout)
        alone = done.stdout.split("the runs whose cores were near, alone:\n")[1]
        self.assertRegex(alone, r"(?m)^per_second +100 \(100 to 100\) +400 \(300 to 500\) +4\.000$")

    def test_runs_with_no_placement_in_common_are_not_compared_again(self):
        self.build("a", [100], ends=[(40, 45)])
        self.build("b", [300], ends=[(240, 245)])
        done = self.versus(["--rounds", "2"], "chat")
        self.assertIn("cores in these runs: A 2 near; B 2 far\n", done.stdout)
        self.assertIn("A and B have no run with the cores alike", done.stdout)

    def test_a_build_plays_in_turns_with_the_kernel_alone_which_makes_as_many_segments(self):
        self.build("a", [50, 70, 80])
        done = self.run_script("versus.py", "--rounds", "3", os.path.join(self.path, "a"), "bare", "chat", "--pairs", "7")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual([call.split(" ")[0] for call in self.calls()],
                         ["a/linnet-bench", "a/chat_bare", "a/chat_bare", "a/linnet-bench", "a/linnet-bench", "a/chat_bare"])
        self.assertEqual(self.calls()[1], "a/chat_bare --json --sends 4.20 --pairs 7")
        self.assertRegex(done.stdout, r"(?m)^per_second +70 \(50 to 80\) +200 \(200 to 200\) +2\.857$")
        self.assertRegex(done.stdout, r"(?m)^segments_each +8 \(8 to 8\) +8 ")
        self.assertEqual(self.run_script("versus.py", os.path.join(self.path, "a"), "bare", "group").returncode, 2)

    def test_a_broken_promise_ends_the_comparison(self):
        self.build("a", [100])
        self.build("b", [100], {"chat": 1})
        self.assertEqual(self.versus([], "chat").returncode, 1)


if __name__ == "__main__":
    unittest.main(argv=[sys.argv[0], *sys.argv[2:]])
