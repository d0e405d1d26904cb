#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Pairs chat: what a run reports, what is due, when it is missed, whose users they are."""
import calendar
import json
import os
import signal
import subprocess
import time

from generator import BENCH, DATA, MET_OR_MISSED, SHORT, WithNode, bench, imported, main, report, report_with, users


class Chat(WithNode):
    def test_a_chat_is_reported_and_leaves_no_users(self):
        found = report("chat", self.address, *SHORT)
        self.assertGreater(found["measured"], 0)
        self.assertEqual(found["written"], found["through"])
        self.assertEqual(found["logins"], 4)
        self.assertEqual(found["broken"], {})
        self.assertEqual(found["machine"]["kernel"], os.uname().release)
        self.assertEqual(found["machine"]["cores"], len(os.sched_getaffinity(0)))
        self.assertEqual(set(found["placement"]), {"line_ns_before", "line_ns_after"})
        self.assertIn(found["version"], subprocess.run([BENCH, "--version"], capture_output=True, text=True,
                                                       check=True).stdout)
        self.assertGreater(found["node_cpu_ms"] + found["generator_cpu_ms"], 0)
        for name in ("to_sent", "to_delivery", "to_delivered_tick"):
            delay = found["latencies"][name]
            self.assertGreater(delay["count"], 0)
            self.assertLessEqual(delay["p50_us"], delay["p99_us"])
            self.assertLessEqual(delay["p99_us"], delay["max_us"])
        self.assertNotIn("lag", found["latencies"])
        self.assertEqual([name for name in users() if name.startswith("bench-")], [])

    def test_a_result_tells_when_it_was_measured_on_what_and_with_which_node_and_settings(self):
        before = int(time.time())
        found = report("idle", self.address, "--users", "4", "--seconds", "1", "--warmup", "3", "--settle", "0")
        date = calendar.timegm(time.strptime(found["date"], "%Y-%m-%dT%H:%M:%SZ"))
        self.assertTrue(before <= date <= time.time())
        with open("/proc/meminfo", encoding="ascii") as file:
            self.assertEqual(found["machine"]["memory_bytes"], 1024 * int(file.read().split()[1]))
        disk = subprocess.run(["findmnt", "-n", "-o", "FSTYPE,SOURCE", "-T", DATA], capture_output=True, text=True,
                              check=True).stdout.split()
        self.assertEqual(found["machine"]["disk"].split(" on "), disk)
        self.assertEqual(found["node"]["version"], found["version"])
        settings = found["node"]["settings"]
        self.assertEqual((settings["store_segment_bytes"], settings["echo"]), ("8M", "true"))  # as it was started
        self.assertIn("store_replay_bytes", settings)  # the default matters, too
        self.assertEqual((found["warmup_seconds"], found["settle_seconds"]), (3, 0))
        commit = subprocess.run(["git", "-C", os.path.dirname(os.path.abspath(__file__)), "rev-parse", "HEAD"],
                                capture_output=True, text=True, check=False).stdout.strip()
        if commit:
            self.assertRegex(found["commit"], r"^[0-9a-f]{12}(-dirty)?$")

    def test_a_chats_series_tells_each_second(self):
        found = report("chat", self.address, "--pairs", "2", "--rate", "200", "--seconds", "2", "--warmup", "0",
                       code=MET_OR_MISSED)
        series = found["series"]
        self.assertGreaterEqual(len(series["at_seconds"]), 2)
        self.assertEqual({len(column) for column in series.values()}, {len(series["at_seconds"])})
        self.assertEqual(sorted(series["at_seconds"]), series["at_seconds"])
        self.assertGreater(max(series["sent"]), 0)
        self.assertEqual(series["online"][0], 4)
        for name in ("to_delivery_p99_us", "node_cpu_cores", "node_resident_bytes", "disk_bytes"):
            self.assertIn(name, series)
        self.assertNotIn("round_trip_p50_us", series)

    def test_the_text_says_the_same_for_people(self):
        done = bench("chat", "--url", f"ws://{self.address}/chat", "--data", DATA, *SHORT)
        self.assertRegex(done.stdout, r"(?m)^\d+ messages a second, sent, delivered, read and ticked")
        self.assertRegex(done.stdout, r"(?m)^to delivered tick( +\d+\.\d){6}$")
        self.assertIn("all promises were kept", done.stdout)
        known = r"(\d+ ns \((near|far)\)|not known)"
        self.assertRegex(done.stdout, f"(?m)^a cache line to the other core: {known} before the run, {known} after it$")
        self.assertRegex(done.stderr, r"(?m)^ +1 s +\d+ messages/s")

    def test_both_forms_all_threads_and_long_texts_work(self):
        found = report("chat", self.address, *SHORT, "--form", "json", "--threads", "3", "--bytes", "20000", "--no-read")
        self.assertEqual(found["form"], "linnet.v1.json")
        self.assertEqual(found["written"], found["through"])

    def test_an_open_loop_writes_what_is_due(self):
        found = report("chat", self.address, "--pairs", "5", "--rate", "200", "--seconds", "2", "--warmup", "0",
                       code=MET_OR_MISSED)
        self.assertEqual(found["due"], found["written"])
        self.assertGreater(found["due"], 200)
        self.assertLess(found["due"], 700)
        self.assertEqual(found["latencies"]["lag"]["count"], found["latencies"]["to_sent"]["count"])

    def test_the_same_seed_is_due_the_same(self):
        runs = [report("chat", self.address, *SHORT, "--rate", "100", "--seed", seed, code=MET_OR_MISSED)["due"]
                for seed in "223"]
        self.assertEqual(runs[0], runs[1])

    def test_what_was_due_while_the_generator_stood_still_over_the_spans_end_is_due_late_and_not_through(self):
        """Nobody can be told then that it is due: neither that nor how late it was may be lost."""
        words = ["--rate", "1000", "--seconds", "2", "--warmup", "0", "--threads", "2"]

        def stand_still(process):  # with the progress of the first second
            time.sleep(0.5)
            process.send_signal(signal.SIGSTOP)
            time.sleep(1.5)
            process.send_signal(signal.SIGCONT)

        usual = report("chat", self.address, *words, code=MET_OR_MISSED)
        found = report_with(stand_still, "messages/s", "chat", self.address, *words, code=2)
        self.assertEqual((found["due"], found["written"]), (usual["due"], usual["due"]))
        # About half a second of it was told half a second late, or later.
        self.assertEqual(found["latencies"]["lag"]["count"], found["due"])
        for name in "lag", "to_delivery":
            self.assertGreater(found["latencies"][name]["p90_us"], 500000, name)
        rate = found["objectives"]["rate"]
        self.assertEqual((rate["due"], rate["kept"]), (usual["due"], False))
        self.assertLess(rate["reached"], 0.9 * usual["due"])

    def test_a_rate_beyond_the_nodes_is_missed_with_exit_code_2_and_the_reason(self):
        words = ["--pairs", "1", "--rate", "2000000", "--seconds", "1", "--warmup", "0"]
        found = report("chat", self.address, *words, code=2)
        self.assertEqual(found["broken"], {})
        rate = found["objectives"]["rate"]
        self.assertEqual((rate["kept"], rate["due"]), (False, found["due"]))
        self.assertLess(rate["reached"], rate["due"])
        # What found no place among those that wait is in no percentile, and that is said beside them.
        self.assertGreater(found["skipped"], 0)
        self.assertEqual(found["due"], found["written"] + found["skipped"])
        self.assertTrue(found["latencies_lower_bound"])
        done = bench("chat", "--url", f"ws://{self.address}/chat", "--data", DATA, *words, "--report", "page.html", code=2)
        self.assertRegex(done.stdout, r"(?m)^objective MISSED: of \d+ messages due in the span \d+ were through in it")
        with open("page.html", encoding="utf-8") as file:
            page = file.read()
        os.remove("page.html")
        self.assertRegex(page, r"missed</td><td>of \d+ messages due in the span \d+ were through")
        for text in done.stdout, page:
            self.assertRegex(text, r"\d+ messages were due and skipped, .*the percentiles lack them, and are a lower bound")

    def test_an_objective_that_is_missed_makes_the_exit_code_2(self):
        kept = report("chat", self.address, *SHORT, "--p99-delivery", "600s")
        self.assertTrue(kept["objectives"]["p99_delivery"]["kept"])
        missed = report("chat", self.address, *SHORT, "--p99-delivery", "1us", code=2)
        self.assertFalse(missed["objectives"]["p99_delivery"]["kept"])
        self.assertRegex(bench("chat", "--url", f"ws://{self.address}/chat", "--data", DATA, *SHORT,
                               "--p99-sent", "1us", code=2).stdout,
                         r"objective MISSED: p99 to sent is \d+\.\d{3} ms, at most 0\.001 ms wanted")

    def test_users_are_kept_where_asked_and_their_tokens_can_be_given(self):
        report("chat", self.address, *SHORT, "--keep-users", "kept-")
        self.assertEqual([name for name in users() if name.startswith("kept-")], [f"kept-{i}" for i in range(1, 5)])
        done = bench("chat", "--url", f"ws://{self.address}/chat", "--data", DATA, *SHORT, "--keep-users", "kept-",
                     code=3)
        self.assertIn("user kept-1: there is such a user already", done.stderr)
        imported([f"token-{i}" for i in range(4)], "tokens")
        for _ in range(2):  # the second time what the first has left behind must not disturb
            found = json.loads(bench("chat", "--url", f"ws://{self.address}/chat", "--tokens", "tokens", "--json",
                                     *SHORT).stdout)
            self.assertEqual(found["written"], found["through"])
        self.assertEqual(len([name for name in users() if name.startswith("token-")]), 4)


if __name__ == "__main__":
    main()
