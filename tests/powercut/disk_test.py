#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The disk that can lose its power, by itself: journals written by hand."""
import os
import random
import struct
import tempfile
import unittest

from disk import ENTRY, Disk

MAKE = os.O_CREAT | os.O_RDWR


class Script:
    """Builds a journal as the recorder does, and what a cut leaves of it."""

    def __init__(self):
        self.entries = []

    def add(self, kind, descriptor=-1, offset=0, data=b""):
        self.entries.append(ENTRY.pack(ord(kind), descriptor, offset, len(data)) + data)
        return self

    def file(self, descriptor, path):
        return self.add("O", descriptor, MAKE, path.encode())

    def sync(self, descriptor, before=None):
        return self.add("S", descriptor, len(self.entries) if before is None else before)

    def folder(self):
        """Opens the data directory as 9 and syncs it."""
        return self.add("O", 9, os.O_RDONLY, b"").sync(9).add("C", 9)

    def left(self, kind="bare", seed=1, plant=None, torn=0):
        disk = Disk()
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "journal")
            with open(path, "wb") as stream:
                journal = b"".join(self.entries)
                stream.write(journal[:len(journal) - torn])
            disk.replay(path, plant)
            disk.cut(random.Random(seed), kind)
            disk.write(os.path.join(folder, "data"))
            return {path: node if node is None else bytes(node.safe) for path, node in disk.safe.items()}


def confirm(kind, script, descriptor, offset, count):
    return script.add(kind, descriptor, offset, struct.pack("<Q", count))


class Cuts(unittest.TestCase):
    """What is left."""

    def test_bytes_are_there_after_the_sync_of_their_file_and_not_before(self):
        script = Script().file(3, "a").folder().add("W", 3, 0, b"one").sync(3).add("W", 3, 3, b"two")
        self.assertEqual(script.left(), {"a": b"one"})
        self.assertEqual(script.left("whole"), {"a": b"onetwo"})

    def test_a_sync_confirms_only_what_was_written_before_it_began(self):
        script = Script().file(3, "a").folder().add("W", 3, 0, b"one")
        begun = len(script.entries)
        script.add("W", 3, 3, b"two").sync(3, begun)
        self.assertEqual(script.left(), {"a": b"one"})

    def test_a_name_is_there_after_the_sync_of_its_directory_and_not_before(self):
        script = Script().file(3, "a").add("W", 3, 0, b"one").sync(3)
        self.assertEqual(script.left(), {})
        self.assertEqual(script.folder().left(), {"a": b"one"})

    def test_a_renaming_and_a_removal_last_after_the_sync_of_the_directory(self):
        script = Script().file(3, "a").file(4, "b").folder().add("N", data=b"a\0c").add("U", data=b"b")
        self.assertEqual(set(script.left()), {"a", "b"})
        self.assertEqual(set(script.folder().left()), {"c"})

    def test_what_lies_in_a_lost_directory_is_lost(self):
        script = Script().add("M", data=b"d").file(3, "d/a").add("O", 9, os.O_RDONLY, b"d").sync(9)
        self.assertEqual(script.left(), {})
        self.assertEqual(script.add("C", 9).folder().left(), {"d": None, "d/a": b""})

    def test_a_confirmed_range_is_there_and_nothing_around_it(self):
        script = Script().file(3, "a").folder().add("W", 3, 0, b"abcdef")
        self.assertEqual(confirm("P", script, 3, 0, 2).left(), {"a": b"ab"})
        self.assertEqual(confirm("P", script, 3, 2, 4).left(), {"a": b"abcdef"})

    def test_an_older_write_does_not_come_back_over_a_confirmed_one(self):
        script = Script().file(3, "a").folder().add("W", 3, 0, b"old").add("W", 3, 0, b"new")
        self.assertEqual(confirm("R", script, 3, 0, 3).sync(3).left(), {"a": b"new"})

    def test_a_truncation_lasts_after_a_sync(self):
        script = Script().file(3, "a").folder().add("W", 3, 0, b"abcdef").sync(3).add("T", 3, 2)
        self.assertEqual(script.left(), {"a": b"abcdef"})
        self.assertEqual(script.sync(3).left(), {"a": b"ab"})

    def test_space_that_is_reserved_is_zeros_and_cuts_nothing_off(self):
        script = Script().file(3, "a").folder().add("W", 3, 0, b"abc").add("A", 3, 5).add("A", 3, 2).sync(3)
        self.assertEqual(script.left(), {"a": b"abc\0\0"})

    def test_a_torn_write_leaves_whole_sectors(self):
        script = Script().file(3, "a").folder().add("A", 3, 4096).sync(3).add("W", 3, 100, b"x" * 3900)
        found = set()
        for seed in range(20):
            left = script.left("torn", seed)["a"]
            sectors = [left[max(at, 100):min(at + 512, 4000)] for at in range(0, 4096, 512)]
            self.assertTrue(all(set(sector) in ({0}, {ord("x")}) for sector in sectors))
            found.add(left)
        self.assertGreater(len(found), 10)

    def test_torn_names_are_a_first_part_of_what_was_asked(self):
        script = Script().file(3, "a").add("N", data=b"a\0b").add("N", data=b"b\0c")
        self.assertEqual({tuple(script.left("torn", seed)) for seed in range(40)}, {(), ("a",), ("b",), ("c",)})

    def test_a_last_entry_that_is_cut_off_is_passed_over(self):
        script = Script().file(3, "a").folder().add("W", 3, 0, b"one").sync(3)
        self.assertEqual(script.left(torn=1), {"a": b""})

    def test_a_planted_bug_loses_what_it_does_not_sync(self):
        script = Script().file(3, "a").folder()
        for at in range(3):
            confirm("P", script.add("W", 3, at, b"x"), 3, at, 1)
        self.assertEqual(script.left(plant="no-append-sync"), {"a": b""})
        self.assertEqual(script.left(plant="late-append-sync"), {"a": b"xx"})
        self.assertEqual(script.sync(3).left(plant="no-file-sync"), {"a": b"xxx"})
        self.assertEqual(script.left(plant="no-directory-sync"), {})


if __name__ == "__main__":
    unittest.main()
