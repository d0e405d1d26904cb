#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Several processes of the generator, several addresses of the node; and how a run ends before its time."""
import json
import os
import signal
import subprocess
import time

from generator import BENCH, DATA, LINNET, MET_OR_MISSED, WithNode, bench, imported, main, report, users
from patience import patience


def workers_of(pid):
    found = []
    for thread in os.listdir(f"/proc/{pid}/task"):
        with open(f"/proc/{pid}/task/{thread}/children", encoding="ascii") as file:
            found += [int(word) for word in file.read().split()]
    return sorted(found)


def alive(pid):
    """Not ended, or a zombie of the machine's first process."""
    try:
        with open(f"/proc/{pid}/stat", encoding="ascii") as file:
            return file.read().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False


class Processes(WithNode):
    LISTEN = "0.0.0.0:0"

    def test_three_find_what_one_finds(self):
        found = report("chat", self.address, "--pairs", "7", "--seconds", "1", "--warmup", "0", "--processes", "3",
                       "--addresses", "2")
        self.assertEqual(found["processes"], 3)
        self.assertEqual(found["addresses"], 2)
        self.assertEqual(found["logins"], 14)
        self.assertGreater(found["measured"], 0)
        self.assertEqual(found["written"], found["through"])
        self.assertEqual(found["broken"], {})
        # What was due in the span is in each histogram, whichever process measured it.
        counts = [found["latencies"][name]["count"] for name in ("to_sent", "to_delivery", "to_delivered_tick")]
        self.assertEqual(counts, counts[:1] * 3)
        self.assertGreater(counts[0], found["written"] / 2)
        self.assertEqual(users(), [])

    def test_an_open_loop_is_divided(self):
        found = report("chat", self.address, "--pairs", "6", "--rate", "300", "--seconds", "1", "--warmup", "0",
                       "--processes", "3", code=MET_OR_MISSED)
        self.assertEqual(found["due"], found["written"])
        self.assertGreater(found["due"], 150)
        self.assertLess(found["due"], 450)

    def test_echo_is_divided_too(self):
        found = report("echo", self.address, "--connections", "5", "--seconds", "1", "--warmup", "0", "--processes", "3",
                       path="/echo")
        self.assertGreater(found["measured"], 0)

    def test_more_processes_than_the_operators_socket_has_places_make_their_users_in_turns(self):
        found = report("idle", self.address, "--users", "80", "--seconds", "1", "--processes", "40", "--addresses", "3",
                       "--heartbeat", "0")
        self.assertEqual(found["heartbeats"], 0)
        self.assertEqual((found["logins"], found["connections_cut"]), (80, 0))

    def test_tokens_are_shared_out(self):
        imported([f"shared-{i}" for i in range(6)], "shared")
        done = bench("idle", "--url", f"ws://{self.address}/chat", "--tokens", "shared", "--users", "6", "--seconds", "1",
                     "--processes", "3", "--json")
        # Each was used once: a second login with a token would have cut the first.
        self.assertEqual((json.loads(done.stdout)["logins"], json.loads(done.stdout)["connections_cut"]), (6, 0))
        subprocess.run([LINNET, "--data", DATA, "run", "-"], input="".join(f"user remove shared-{i}\n" for i in range(6)),
                       text=True, check=False, capture_output=True)

    def started(self, *words):
        process = subprocess.Popen([BENCH, "chat", "--url", f"ws://{self.address}/chat", "--data", DATA, "--pairs", "3",
                                    "--seconds", "20", *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        for line in process.stderr:
            if "messages/s" in line:
                return process
        raise AssertionError("no progress")

    def ended(self, process):
        with process:
            told = process.stderr.read()
            self.assertEqual(process.wait(patience(20)), 3, told)
            self.assertEqual(process.stdout.read(), "")
        self.assertEqual([name for name in users() if name.startswith("bench-")], [])
        return told

    def test_a_process_that_dies_is_named_and_its_users_are_removed(self):
        process = self.started("--processes", "3")
        victim = workers_of(process.pid)[1]
        os.kill(victim, signal.SIGKILL)
        told = self.ended(process)
        self.assertIn(f"process 2 of 3 of the generator (pid {victim}) was killed by signal 9", told)
        self.assertIn("6 of the 6 users that were made for this run were removed", told)

    def test_an_interrupt_ends_the_run_and_removes_its_users(self):
        for processes in "13":
            process = self.started("--processes", processes)
            others = workers_of(process.pid)
            self.assertEqual(len(others), 3 if processes == "3" else 0)
            process.send_signal(signal.SIGINT)
            told = self.ended(process)
            self.assertIn("6 of the 6 users that were made for this run were removed", told)
            self.assertIn("linnet-bench: stopped", told)
            self.assertEqual([pid for pid in others if os.path.exists(f"/proc/{pid}")], [])

    def test_without_the_first_the_others_end(self):
        process = self.started("--processes", "3", "--keep-users", "orphan-")
        others = workers_of(process.pid)
        with process:
            process.kill()
        self.assertEqual(len(others), 3)
        until = time.monotonic() + patience(10)
        while any(alive(pid) for pid in others):
            self.assertLess(time.monotonic(), until)
            time.sleep(0.05)


if __name__ == "__main__":
    main()
