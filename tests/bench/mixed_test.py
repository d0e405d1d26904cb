#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""People of a day who come and go, and a soak of many such days."""
import os
import xml.etree.ElementTree

from generator import MET_OR_MISSED, WithNode, main, report


class Mixed(WithNode):
    def test_on_a_day_people_come_and_go_and_nothing_is_lost(self):
        found = report("mixed", self.address, "--users", "60", "--seconds", "12", "--warmup", "0", "--seed", "7",
                       "--report", "page.html", code=MET_OR_MISSED)
        self.assertEqual(found["compress"], 7200)
        self.assertEqual((found["written"], found["broken"]), (found["through"], {}))
        self.assertEqual(found["due"], found["written"] + found["skipped"])
        self.assertGreater(found["connections_left"], 60)
        # Each letter to a group of ten was shown to the nine others.
        self.assertEqual(found["group_deliveries"], 9 * found["group_written"])
        for name in ("changes", "group_written", "presence_signs"):
            self.assertGreater(found[name], 0, name)
        for name in ("to_sent", "to_delivery", "to_delivered_tick", "login", "return_to_delivery", "heartbeat", "lag",
                     "to_group_delivery"):
            self.assertGreater(found["latencies"][name]["count"], 0, name)
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


if __name__ == "__main__":
    main()
