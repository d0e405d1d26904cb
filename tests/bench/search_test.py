#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""A search for the highest rate that keeps its objectives, and its page."""
import json

from generator import DATA, FOREIGN, SHORT, WithNode, bench, main, page_taken, report


class Search(WithNode):
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


if __name__ == "__main__":
    main()
