#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Inboxes that are filled while their owners are away, and emptied when they come back."""
from generator import WithNode, main, report


class Offline(WithNode):
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

    def test_a_writer_has_as_many_readers_as_is_asked_for(self):
        found = report("offline", self.address, "--users", "70", "--readers", "32", "--depth", "3")
        self.assertEqual((found["readers"], found["through"]), (32, 210))
        self.assertEqual(found["logins"], 3 + 2 * 70)  # three writers
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


if __name__ == "__main__":
    main()
