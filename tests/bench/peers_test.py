#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""bench/peers/run.sh: what it plays in which order, and what it makes of the results. All programs are stand-ins, so
that no messenger of others is needed, and nothing is installed.

    tests/bench/peers_test.py
"""
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import unittest

sys.path.append(os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from patience import patience

RUN = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "bench", "peers", "run.sh")
PYTHON = sys.executable

LISTENS = f"""#!{PYTHON}
import os, socket, time
if "{{0}}" == "erl":
    open(os.environ["HOME"] + "/users", "w").close()
server = socket.create_server(("127.0.0.1", int(os.environ["PORT"])))
while True:
    server.accept()
"""
# Its third word of a line counts how often it was called: what it found differs each time.
FINDS = f"""#!{PYTHON}
import json, os, sys
with open(os.environ["CALLS"], "a+") as calls:
    calls.write(" ".join(["{{0}}", *sys.argv[1:]]) + "\\n")
    calls.seek(0)
    row = "silent" if "--silent" in sys.argv or "idle" in sys.argv else "single" if "1" in sys.argv else "full"
    before = [line for line in calls if line.startswith("{{0}} " + sys.argv[1]) and ("--pairs 1 " in line) == (row == "single")]
found = [100, 900, 300][(len(before) - 1) % 3]
print(json.dumps({{{{"messages_per_s": found, "per_second": found, "server_cores": 1, "client_cores": 1, "seconds": 1,
                  "node_cpu_ms": 1000, "generator_cpu_ms": 1000, "p50_us": found, "p99_us": found,
                  "latencies": {{{{"to_delivery": {{{{"p50_us": found, "p99_us": found}}}}}}}}, "bytes_per_connection": found}}}}))
sys.exit({{1}})
"""


class Peers(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.mkdtemp(dir=".")
        self.path = os.path.abspath(self.folder)
        for folder in "bin", "tools", "bench":
            os.mkdir(os.path.join(self.path, folder))
        for name in "tools/linnetd", "bin/mosquitto", "bin/erl":
            self.program(name, LISTENS.format(os.path.basename(name)))
        self.program("bench/linnet-bench", FINDS.format("linnet-bench", 2))
        self.program("bench/peer_client", FINDS.format("peer_client", 0))
        self.program("bin/ninja", "#!/bin/sh\n")
        self.program("bin/dpkg-query", "#!/bin/sh\necho install ok installed\n")
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]

    def tearDown(self):
        shutil.rmtree(self.folder)

    def program(self, name, text):
        with open(os.path.join(self.path, name), "w", encoding="utf-8") as file:
            file.write(text)
        os.chmod(os.path.join(self.path, name), 0o755)

    def run_sh(self, *words):
        env = {**os.environ, "PATH": os.path.join(self.path, "bin") + ":" + os.environ["PATH"], "BUILD": self.path,
               "PORT": str(self.port), "CALLS": os.path.join(self.path, "calls")}
        return subprocess.run([RUN, *words], env=env, capture_output=True, text=True, timeout=patience(120), check=False)

    def calls(self):
        with open(os.path.join(self.path, "calls"), encoding="utf-8") as file:
            return [line.rstrip("\n") for line in file]

    def test_a_node_that_misses_what_was_wanted_has_its_row_and_medians_of_three_rounds_stand_beside_what_is_promised(self):
        done = self.run_sh("--seconds", "1")
        self.assertEqual(done.returncode, 0, done.stderr)
        for told in (r"messages a second, with receipts +300, durable +300, not durable +300, not durable",
                     r"one at a time: p99 to delivery +300 us, durable +300 us, not durable +300 us, not durable",
                     r"bytes of a silent connection +300 +300 +300"):
            self.assertRegex(done.stdout, rf"(?m)^{told}$")
        calls = self.calls()
        self.assertEqual(len(calls), 27)
        self.assertEqual([call.split()[:2] for call in calls[:9]], [call.split()[:2] for call in calls[9:18]])

    def test_silent_bytes_are_taken_after_all_have_settled(self):
        self.assertEqual(self.run_sh("--rounds", "1").returncode, 0)
        silent = [call for call in self.calls() if "idle" in call or "--silent" in call]
        self.assertEqual(len(silent), 3)
        for call in silent:
            self.assertIn("--settle 90", call)

    def test_a_server_that_gives_back_more_than_its_silent_connections_take_has_no_figure_of_them(self):
        self.program("bench/peer_client", FINDS.format("peer_client", 0).replace("[100, 900, 300]", "[-100, -900, 300]"))
        done = self.run_sh("--seconds", "1")
        self.assertRegex(done.stdout, r"(?m)^bytes of a silent connection +300 +none seen: more was given back")

    def test_a_run_that_fails_ends_it(self):
        self.program("bench/linnet-bench", FINDS.format("linnet-bench", 3))
        self.assertEqual(self.run_sh("--rounds", "1").returncode, 3)

    def test_lists_of_packages_are_fetched_before_the_first_is_installed(self):
        self.program("bin/dpkg-query", "#!/bin/sh\n")
        for name in "tee", "chmod", "sudo":  # nothing of the machine's is touched
            self.program("bin/" + name, '#!/bin/sh\n[ "${0##*/}" != sudo ] || exec "$@"\n')
        self.program("bin/apt-get", '#!/bin/sh\necho "apt-get $*" >>"$CALLS"\n')
        self.assertEqual(self.run_sh("--rounds", "1").returncode, 0)
        asked = [call.split()[2] for call in self.calls() if call.startswith("apt-get")]
        self.assertEqual(asked, ["update", "install", "install"])


if __name__ == "__main__":
    unittest.main()
