#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""bench/stages.py: to which stage a sample belongs, and what a table of them says."""
import os
import sys
import unittest

sys.path.append(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "bench"))
import stages

# As `perf script -F comm,ip,sym,dso` prints them, innermost first.
SEND = """linnet-0
\tffffffff81a tcp_write_xmit ([kernel.kallsyms])
\tffffffff81b tcp_sendmsg_locked.isra.0 ([kernel.kallsyms])
\tffffffff81c do_syscall_64 ([kernel.kallsyms])
\t55d0c uring_submit (/usr/bin/linnetd)
\t55d0d connection_handle (/usr/bin/linnetd)
"""
SLEEP = """linnet-0
\tffffffff81a schedule ([kernel.kallsyms])
\tffffffff81c do_syscall_64 ([kernel.kallsyms])
\t55d0c loop_main (/usr/bin/linnetd)
"""
APPLY = """linnet-1
\t55d0a table_get (/usr/bin/linnetd)
\t55d0b apply_batch (/usr/bin/linnetd)
\t55d0c journal_work (/usr/bin/linnetd)
"""
TURN = """linnet-1
\t55d0b message_deliver (/usr/bin/linnetd)
\t55d0c scheduler_loop (/usr/bin/linnetd)
"""


class Stages(unittest.TestCase):
    def shares(self, *samples):
        found = stages.count("\n".join(samples))
        return {name: count for (name, _), count in zip(stages.STAGES, found) if count > 0}

    def test_what_the_kernel_does_for_a_connection_is_the_kernels(self):
        self.assertEqual(self.shares(SEND), {"kernel: sends, with TCP to the receiving socket": 1})

    def test_the_innermost_layer_that_is_named_takes_a_sample(self):
        self.assertEqual(self.shares(APPLY, SLEEP),
                         {"store: commands are applied, effects told": 1, "kernel: rings, sleeping and waking": 1})

    def test_what_no_stage_names_is_the_runtimes(self):
        self.assertEqual(list(self.shares(TURN)), [stages.STAGES[-1][0]])

    def test_the_table_begins_with_the_largest_share_and_adds_up(self):
        rows = list(stages.table(stages.count("\n".join([SEND, APPLY, SEND, TURN])), 10.0))
        self.assertEqual(rows[0], "| kernel: sends, with TCP to the receiving socket | 50.0 % | 5.00 |")
        self.assertAlmostEqual(sum(float(row.split("|")[2].rstrip(" %")) for row in rows), 100)


if __name__ == "__main__":
    unittest.main()
