#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""echo_bare and chat_bare: that they move what they say. How fast is nobody's promise.

    tests/bench/bare_test.py ECHO_BARE CHAT_BARE
"""
import json
import os
import subprocess
import sys
import unittest

sys.path.append(os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from patience import patience

ECHO, CHAT = (os.path.abspath(path) for path in sys.argv[1:3])


def run(program, *words):
    return subprocess.run([program, *words], capture_output=True, text=True, timeout=patience(60), check=False)


class Bare(unittest.TestCase):
    def found(self, program, *words):
        done = run(program, "--seconds", "1", "--json", *words)
        self.assertEqual(done.returncode, 0, done.stderr)
        return json.loads(done.stdout)

    def test_what_is_sent_to_the_echo_comes_back(self):
        found = self.found(ECHO, "--connections", "100")
        self.assertEqual((found["connections"], found["bytes"]), (100, 16))
        self.assertGreater(found["per_second"], 0)
        self.assertIn("round trips a second", run(ECHO, "--seconds", "1").stdout)

    def test_clients_write_to_each_other_through_the_relay(self):
        found = self.found(CHAT, "--pairs", "50", "--warmup", "0", "--window", "4")
        self.assertEqual((found["users"], found["window"], found["bytes"], found["exit_code"]), (100, 4, 128, 0))
        self.assertGreater(found["measured"], 0)
        self.assertGreater(found["segments"], 0)
        self.assertIn("messages a second", run(CHAT, "--pairs", "5", "--warmup", "0", "--seconds", "1").stdout)

    def test_a_message_has_as_many_segments_as_are_asked_for(self):
        found = self.found(CHAT, "--pairs", "50", "--warmup", "0", "--sends", "5")
        # Others on the machine may add to them; a first and a last message are in the span by half.
        self.assertGreater(found["segments_with_data"], 4.5 * found["measured"])

    def test_wrong_flags_are_told(self):
        for words in ["--pairs", "0"], ["--window"], ["--sends", "7"], ["--what", "1"]:
            done = run(CHAT, *words)
            self.assertEqual(done.returncode, 3)
            self.assertIn(words[0], done.stderr)
            self.assertIn("--window", done.stdout)
        self.assertEqual(run(ECHO, "--connections", "0").returncode, 2)


if __name__ == "__main__":
    unittest.main(argv=[sys.argv[0], *sys.argv[3:]])
