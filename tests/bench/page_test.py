#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""A page of a run, for people: complete in itself, or told that it cannot be."""
import json

from generator import DATA, FOREIGN, SHORT, WithNode, bench, main, page_taken, report


class Page(WithNode):
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


if __name__ == "__main__":
    main()
