#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Members of groups write to each other."""
from generator import DATA, WithNode, bench, main, report


class Group(WithNode):
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


if __name__ == "__main__":
    main()
