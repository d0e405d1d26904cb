#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""linnet-bench as its user meets it: flags, exit codes, reports, users made and removed, a node that goes and comes.

    tests/bench/generator_test.py LINNETD LINNET LINNET-BENCH [test names]

Runs in the current folder, where it makes and removes the node's data directory.
"""
import calendar
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
import unittest
import xml.etree.ElementTree

sys.path.append(os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from patience import patience

LINNETD, LINNET, BENCH = (os.path.abspath(path) for path in sys.argv[1:4])
DATA = "data"
SMALL = ["--store-segment-bytes", "8M", "--store-reserve-bytes", "8M", "--store-map-bytes", "1G"]


class Node:
    """A linnetd until the with block ends; killed, since nothing of it is needed afterwards."""

    def __init__(self, *flags, listen="127.0.0.1:0", keep=False):
        if not keep:
            shutil.rmtree(DATA, ignore_errors=True)
        self.process = subprocess.Popen([LINNETD, "--data", DATA, "--listen", listen, *SMALL, *flags],
                                        stdout=subprocess.PIPE, text=True)
        said = ""
        for line in self.process.stdout:
            said += line
            found = re.match(r"listening on (\S+)$", line)
            if found:
                self.address = found.group(1)
                return
        raise AssertionError(f"linnetd did not start: {said}")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.kill()
        shutil.rmtree(DATA, ignore_errors=True)

    def kill(self):
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()


# What a test asks of a node with a rate, where a busy machine may miss it: that is another test's matter.
MET_OR_MISSED = (0, 2)


def bench(*words, code=0):
    codes = code if isinstance(code, tuple) else (code,)
    done = subprocess.run([BENCH, *words], capture_output=True, text=True, timeout=patience(120), check=False)
    if done.returncode not in codes:
        raise AssertionError(f"{' '.join(words)}: exit code {done.returncode}, not {code}\n{done.stdout}{done.stderr}")
    return done


def report(scenario, address, *words, path="/chat", code=0):
    done = bench(scenario, "--url", f"ws://{address}{path}", "--data", DATA, "--json", *words, code=code)
    found = json.loads(done.stdout)
    assert found["exit_code"] == done.returncode, found
    return found


def report_with(deed, when, scenario, address, *words, code=0):
    """The same, with a deed done once the program's progress matches `when`; it is told the program's process."""
    with subprocess.Popen([BENCH, scenario, "--url", f"ws://{address}/chat", "--data", DATA, "--json", *words],
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        told = ""
        for line in process.stderr:
            told += line
            if deed is not None and re.search(when, line):
                deed(process)
                deed = None
        found = process.stdout.read()
        process.wait(patience(120))
    codes = code if isinstance(code, tuple) else (code,)
    assert process.returncode in codes, f"exit code {process.returncode}, not {code}\n{told}{found}"
    return json.loads(found)


NOWHERE = ["--url", "ws://127.0.0.1:1/chat", "--data", "nowhere"]
SHORT = ["--pairs", "2", "--seconds", "1", "--warmup", "0"]


# What a page that is complete in itself does not have; and a number that is none.
FOREIGN = ("http:", "https:", "<script", "<link", "url(", "nan")


def page_taken():
    """The page of --report page.html, as text and as a tree; the file is removed."""
    with open("page.html", encoding="utf-8") as file:
        text = file.read()
    os.remove("page.html")
    return text, xml.etree.ElementTree.fromstring(text)


def users():
    done = subprocess.run([LINNET, "--data", DATA, "user", "list", "--json"], capture_output=True, text=True, check=True)
    return sorted(user["name"] for user in json.loads(done.stdout))


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


class WithNode(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.node = Node("--echo")
        cls.address = cls.node.address

    @classmethod
    def tearDownClass(cls):
        cls.node.__exit__()

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

    def test_a_page_is_complete_in_itself_and_well_formed(self):
        found = report("chat", self.address, *SHORT, "--seconds", "2", "--p99-sent", "600s", "--report", "page.html")
        text, root = page_taken()
        titles = [figure.findtext("figcaption") for figure in root.findall(".//figure")]
        for title in ("Messages each second", "Time to sent and to delivery", "Cores busy", "The node's resident memory",
                      "to sent", "to delivery", "to delivered tick"):  # the last are spreads
            self.assertIn(title, titles)
        self.assertGreaterEqual(len(titles), 8)
        self.assertIn(found["version"], text)
        self.assertIn("all promises and objectives were kept", text)
        for foreign in FOREIGN:
            self.assertNotIn(foreign, text)
        self.assertEqual([element.tag for element in root.iter() if "src" in element.attrib or "href" in element.attrib],
                         [])

    def test_a_page_that_can_not_be_made_is_told_before_the_run(self):
        words = ["chat", "--url", f"ws://{self.address}/chat", "--data", DATA, *SHORT, "--report", "nowhere/page.html"]
        done = bench(*words, code=3)
        self.assertEqual((done.stdout, done.stderr),
                         ("", "linnet-bench: --report nowhere/page.html: No such file or directory\n"))
        self.assertEqual(json.loads(bench(*words, "--json", code=3).stdout)["logins"], 0)

    def test_a_page_that_can_not_be_written_in_the_end_takes_no_other_result_with_it(self):
        words = ["chat", "--url", f"ws://{self.address}/chat", "--data", DATA, *SHORT, "--report", "/dev/full"]
        done = bench(*words, code=3)
        self.assertIn("all promises were kept", done.stdout)
        self.assertIn("--report /dev/full: No space left on device", done.stderr)
        found = json.loads(bench(*words, "--json", code=3).stdout)
        self.assertEqual(found["exit_code"], 3)
        self.assertGreater(found["through"], 0)

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

    def test_capacity_tries_one_rate_after_the_other_and_ends_with_exit_code_2_if_none_will_do(self):
        found = report("capacity", self.address, *SHORT, "--rate", "4", "--p99-delivery", "1us", code=2)
        self.assertEqual([probe["rate"] for probe in found["probes"]], [4, 2, 1])
        self.assertEqual(found["capacity"], 0)
        for name in ("lag_p99_us", "generator_cores", "node_cores", "line_ns_before", "line_ns_after", "skipped",
                     "rate_kept", "latencies_lower_bound"):
            self.assertIn(name, found["probes"][0])
        latencies = found["probes"][0]["latencies"]
        self.assertEqual(latencies["to_delivery"]["p99_us"], found["probes"][0]["p99_delivery_us"])
        self.assertLessEqual({"p50_us", "p90_us", "p99_us", "p99_9_us"}, set(latencies["to_sent"]))
        self.assertEqual((found["scenario"], found["objectives"], found["rate"]), ("capacity", {"p99_delivery_us": 1}, 4))
        self.assertLessEqual({"cores", "cpu", "kernel", "memory_bytes", "disk"}, set(found["machine"]))
        self.assertRegex(found["date"], r"^\d{4}-\d\d-\d\dT")

    def test_the_page_of_a_search_has_a_section_for_each_of_its_runs(self):
        # Of four a second over one, so that it is short: the rate may be missed, the objective is not.
        found = report("capacity", self.address, *SHORT, "--rate", "8", "--p99-delivery", "1us", "--p99-tick", "600s",
                       "--report", "page.html", code=2)
        text, root = page_taken()
        rows = root.findall(".//thead/..")[0].findall("tbody/tr")
        self.assertEqual([row[1].text for row in rows], ["8", "4", "2", "1"])
        self.assertEqual([row[-1].text for row in rows], ["missed an objective"] * 4)
        self.assertEqual(len(found["probes"]), 4)
        sections = [section for section in root.iter("section") if section.get("class") == "step"]
        self.assertEqual(len(sections), 4)
        for number, section in enumerate(sections, 1):
            told = "".join(section.itertext())
            self.assertEqual(root.findall(f".//a[@href='#step{number}']")[0].text, str(number))
            self.assertEqual(section.get("id"), f"step{number}")
            for name in ("messages a second, missed an objective", "cores busy with the generator", "cores busy with the node",
                         "p99.9", "to delivered tick", "at most 0.001 ms wanted", "at most 600000.000 ms wanted"):
                self.assertIn(name, told)
            self.assertEqual([cell.text for cell in section.iter("td") if cell.get("class") in ("good", "warn")],
                             ["missed", "kept", "kept"])
            self.assertGreaterEqual(len(section.findall(".//figure")), 8)
        for foreign in FOREIGN:
            self.assertNotIn(foreign, text)
        for words in ("not even one a second keeps the objectives", "Settings and machine", found["version"]):
            self.assertIn(words, text)

    def test_a_search_whose_rate_was_found_tells_it_on_its_page(self):
        # It ends where the rate is more than the generator's room for what waits.
        words = ["--pairs", "1", "--seconds", "1", "--warmup", "0", "--rate", "200000", "--p99-delivery", "600s"]
        found = report("capacity", self.address, *words, "--report", "page.html")
        text, root = page_taken()
        self.assertIn("a rate was found", text)
        kept = [row for row in root.iter("tr") if row[-1].text == "kept"]
        self.assertIn(f"{found['capacity']:.0f}", [row[1].text for row in kept])

    def test_a_search_whose_page_can_not_be_made_or_written_ends_with_exit_code_3(self):
        words = ["capacity", "--url", f"ws://{self.address}/chat", "--data", DATA, *SHORT, "--rate", "2", "--p99-sent", "1us"]
        done = bench(*words, "--report", "nowhere/page.html", code=3)
        self.assertEqual(done.stderr, "linnet-bench: --report nowhere/page.html: No such file or directory\n")
        done = bench(*words, "--report", "/dev/full", "--json", code=3)
        self.assertIn("--report /dev/full: No space left on device", done.stderr)
        found = json.loads(done.stdout)
        self.assertEqual((found["exit_code"], [probe["rate"] for probe in found["probes"]]), (3, [2, 1]))

    def test_the_page_of_a_search_that_can_not_run_says_why(self):
        bench("capacity", "--url", f"ws://{self.address}/chat", "--data", DATA, *SHORT, "--tokens", "nowhere",
              "--report", "page.html", code=3)
        text, root = page_taken()
        self.assertIn("--tokens: No such file", text)
        self.assertIn("the search was cut short", text)

    def test_a_search_that_can_not_run_tells_no_capacity_and_ends_with_exit_code_3(self):
        words = ["capacity", "--url", f"ws://{self.address}/chat", "--data", "nowhere"]
        done = bench(*words, code=3)
        self.assertIn("no node is running", done.stderr)
        self.assertTrue(done.stdout.endswith("the search was cut short: the capacity is not known\n"))
        self.assertEqual(json.loads(bench(*words, "--json", code=3).stdout)["probes"], [])

    def test_users_are_kept_where_asked_and_their_tokens_can_be_given(self):
        report("chat", self.address, *SHORT, "--keep-users", "kept-")
        self.assertEqual([name for name in users() if name.startswith("kept-")], [f"kept-{i}" for i in range(1, 5)])
        done = bench("chat", "--url", f"ws://{self.address}/chat", "--data", DATA, *SHORT, "--keep-users", "kept-",
                     code=3)
        self.assertIn("user kept-1: there is such a user already", done.stderr)
        names = "".join(f"token-{i}\n" for i in range(4))
        made = subprocess.run([LINNET, "--data", DATA, "user", "import", "-"], input=names, capture_output=True, text=True,
                              check=True)
        with open("tokens", "w", encoding="utf-8") as file:
            file.write(made.stdout)
        for _ in range(2):  # the second time what the first has left behind must not disturb
            found = json.loads(bench("chat", "--url", f"ws://{self.address}/chat", "--tokens", "tokens", "--json",
                                     *SHORT).stdout)
            self.assertEqual(found["written"], found["through"])
        self.assertEqual(len([name for name in users() if name.startswith("token-")]), 4)

    def test_a_refused_token_ends_the_run_with_exit_code_3(self):
        with open("wrong", "w", encoding="utf-8") as file:
            file.write("nonsense\n" * 4)
        done = bench("chat", "--url", f"ws://{self.address}/chat", "--tokens", "wrong", *SHORT, code=3)
        self.assertIn("was sent away with 4001", done.stderr)

    def test_a_wrong_path_ends_the_run_with_exit_code_3(self):
        done = bench("chat", "--url", f"ws://{self.address}/chatter", "--data", DATA, *SHORT, code=3)
        self.assertIn("was sent away with 404", done.stderr)

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

    def test_pairs_chat_alone_and_beside_the_idle(self):
        words = ["--users", "60", "--chat-pairs", "5", "--rate", "200", "--seconds", "1", "--warmup", "0"]
        found = report("idle", self.address, *words, "--processes", "2", code=MET_OR_MISSED)
        self.assertEqual((found["connections"], found["logins"], found["broken"]), (50, 60, {}))
        for when in ("latencies_alone", "latencies"):
            self.assertGreater(found[when]["to_delivery"]["count"], 100)
        # The same schedule each time.
        self.assertEqual(found["latencies_alone"]["lag"]["count"], found["latencies"]["lag"]["count"])

    def test_inboxes_are_filled_and_emptied(self):
        found = report("offline", self.address, "--users", "40", "--depth", "20")
        for name in ("written", "sent", "delivered", "ticked", "through"):
            self.assertEqual(found[name], 800, name)
        # 3 writers once; the others before they leave, and when they come back.
        self.assertEqual((found["logins"], found["connections_left"], found["connections_cut"]), (83, 40, 0))
        self.assertGreater(found["stores_per_second"], 0)
        self.assertGreater(found["drains_per_second"], 0)
        self.assertEqual(found["latencies"]["return_to_empty"]["count"], 40)
        self.assertEqual(found["latencies"]["return_to_delivery"]["count"], 800)
        self.assertEqual(found["broken"], {})

    def test_inboxes_are_filled_in_turn_and_their_owners_come_back_at_a_rate(self):
        found = report("offline", self.address, "--users", "17", "--depth", "5", "--in-turn", "--returns", "30", "--no-read",
                       "--bytes", "1000")
        self.assertEqual(found["through"], 85)
        self.assertEqual(found["latencies"]["lag"]["count"], 17)
        self.assertGreater(found["emptied_seconds"], 0.1)

    def test_whoever_comes_back_late_is_waited_for_also_when_nothing_moves_meanwhile(self):
        # By this seed after 23 s, and nothing moves before; after 20 s of that a run gives up.
        found = report("offline", self.address, "--users", "1", "--depth", "1", "--in-turn", "--returns", "0.03", "--seed", "2")
        self.assertEqual((found["through"], found["broken"]), (1, {}))
        self.assertGreater(found["emptied_seconds"], 20)

    def test_members_of_groups_write_in_turn_and_each_delivery_counts(self):
        found = report("group", self.address, "--users", "45", "--members", "20", "--seconds", "1", "--warmup", "0")
        self.assertEqual((found["users"], found["members"], found["logins"]), (45, 20, 45))
        self.assertEqual((found["written"], found["broken"]), (found["sent"], {}))
        # Two rooms of 20 and one of 5: each letter is delivered to all but its writer.
        # On a busy machine the last ones may be told too late to be counted.
        self.assertLessEqual(found["through"], found["delivered"])
        self.assertGreater(found["through"], 0.9 * found["delivered"])
        self.assertGreater(found["delivered"], 4 * found["written"])
        self.assertLessEqual(found["latencies"]["to_delivery"]["count"], found["delivered"])
        self.assertGreater(found["latencies"]["to_delivery"]["count"], 0.9 * found["delivered"])

    def test_of_a_group_deliveries_are_told_and_have_an_objective(self):
        words = ["group", "--url", f"ws://{self.address}/chat", "--data", DATA, "--users", "20", "--members", "2000",
                 "--seconds", "1", "--warmup", "0", "--p99-delivery", "1us"]
        done = bench(*words, code=2)
        self.assertIn("20 users in 1 group of 20, who write in turn", done.stdout)
        self.assertRegex(done.stderr, r"(?m)^ +1 s +\d+ deliveries/s")
        self.assertRegex(done.stdout, r"(?m)^objective MISSED: p99 to delivery is \d+\.\d+ ms, at most 0\.001 ms wanted$")

    def test_pairs_among_the_idle_have_objectives(self):
        words = ["--users", "20", "--chat-pairs", "2", "--rate", "50", "--seconds", "1", "--warmup", "0"]
        kept = report("idle", self.address, *words, "--p99-delivery", "600s", code=MET_OR_MISSED)
        self.assertTrue(kept["objectives"]["p99_delivery"]["kept"])
        missed = report("idle", self.address, *words, "--p99-delivery", "1us", code=2)
        self.assertFalse(missed["objectives"]["p99_delivery"]["kept"])

    def test_in_a_storm_all_come_back_and_nothing_is_lost(self):
        found = report("storm", self.address, "--pairs", "10", "--seconds", "2", "--warmup", "0", "--storms", "2", "--rate",
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

    def test_on_a_day_people_come_and_go_and_nothing_is_lost(self):
        found = report("mixed", self.address, "--users", "60", "--seconds", "3", "--warmup", "0", "--seed", "7",
                       "--report", "page.html", code=MET_OR_MISSED)
        self.assertEqual(found["compress"], 28800)
        self.assertEqual((found["written"], found["broken"]), (found["through"], {}))
        self.assertEqual(found["due"], found["written"] + found["skipped"])
        self.assertGreater(found["connections_left"], 200)
        # Each letter to a group of ten was shown to the nine others.
        self.assertEqual(found["group_deliveries"], 9 * found["group_written"])
        self.assertGreater(found["changes"], 0)
        for name in ("group_written", "presence_signs"):
            self.assertGreater(found[name], 10, name)
        for name in ("to_sent", "to_delivery", "to_delivered_tick", "login", "return_to_delivery", "heartbeat", "lag",
                     "to_group_delivery"):
            self.assertGreater(found["latencies"][name]["count"], 10, name)
        self.assertLess(min(found["series"]["online"]), 40)
        root = xml.etree.ElementTree.parse("page.html").getroot()
        os.remove("page.html")
        self.assertIn("A day of each".lower(), "".join(root.itertext()))

    def test_a_soak_fits_lines_to_what_should_not_grow(self):
        found = report("soak", self.address, "--users", "20", "--seconds", "5", "--warmup", "0", "--sample", "1",
                       "--compress", "20000", "--drift-memory", "100GiB", "--report", "page.html", code=MET_OR_MISSED)
        self.assertEqual(found["drift"]["memory"]["verdict"], "kept")
        self.assertEqual(found["drift"]["disk"]["verdict"], "fitted")
        self.assertNotIn("limit", found["drift"]["disk"])
        self.assertGreater(found["drift"]["memory"]["level"], 1 << 20)
        xml.etree.ElementTree.parse("page.html")
        os.remove("page.html")

    def test_echo_counts_round_trips(self):
        found = report("echo", self.address, "--connections", "5", "--seconds", "1", "--warmup", "0", path="/echo")
        self.assertGreater(found["measured"], 0)
        # One of each connection may have left before the end and come back after it.
        self.assertLessEqual(abs(found["latencies"]["round_trip"]["count"] - found["measured"]), 5)


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


class Processes(unittest.TestCase):
    """Several processes of the generator, several addresses of the node."""

    @classmethod
    def setUpClass(cls):
        cls.node = Node("--echo", listen="0.0.0.0:0")
        cls.address = cls.node.address.replace("0.0.0.0", "127.0.0.1")

    @classmethod
    def tearDownClass(cls):
        cls.node.__exit__()

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
        names = "".join(f"shared-{i}\n" for i in range(6))
        made = subprocess.run([LINNET, "--data", DATA, "user", "import", "-"], input=names, capture_output=True, text=True,
                              check=True)
        with open("shared", "w", encoding="utf-8") as file:
            file.write(made.stdout)
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


class NodeGoes(unittest.TestCase):
    def test_a_node_that_is_killed_and_comes_back_costs_reconnects_and_nothing_else(self):
        with Node() as node:
            restarted = []

            def restart(_):
                node.kill()
                restarted.append(Node(listen=node.address, keep=True))

            found = report_with(restart, "messages/s", "chat", node.address, "--pairs", "5", "--seconds", "3", "--warmup",
                                "0")
            restarted[0].kill()
        self.assertEqual(found["connections_cut"], 10)
        self.assertEqual(found["logins"], 20)
        self.assertEqual(found["broken"], {})
        self.assertEqual(found["written"], found["through"])

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

    def test_a_node_that_does_not_come_back_is_no_broken_promise(self):
        with Node() as node:
            found = report_with(lambda _: node.process.kill(), "messages/s", "chat", node.address, "--pairs", "5",
                                "--seconds", "5", "--patience", "1", "--keep-users", "u", code=3)
        self.assertEqual(found["broken"], {})
        self.assertRegex(found["failed"], r"^u\d+ could not log in at 127\.0\.0\.1:\d+ for 1 s: Connection refused$")

    def test_an_address_where_nobody_listens_is_named(self):
        with Node() as node:
            done = bench("idle", "--url", f"ws://{node.address}/chat", "--data", DATA, "--users", "4", "--addresses", "3",
                         "--patience", "1", code=3)
        self.assertRegex(done.stderr, r"could not log in at 127\.0\.0\.[23]:\d+ for 1 s: Connection refused")

    def test_echo_where_it_is_switched_off_ends_with_exit_code_3(self):
        with Node() as node:
            done = bench("echo", "--url", f"ws://{node.address}/echo", code=3)
        self.assertIn("the upgrade failed with status 404", done.stderr)


if __name__ == "__main__":
    unittest.main(argv=[sys.argv[0], *sys.argv[4:]])
