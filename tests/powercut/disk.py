# SPDX-License-Identifier: Apache-2.0
"""A disk that can lose its power: it replays the journal of a linnetd_recorded (recorder.h) and knows what a cut at
the journal's end may leave of the data directory.

    disk = Disk()
    disk.replay("journal")
    disk.cut(random.Random(7), "torn")
    disk.write("data")              what the machine finds when it starts again

What POSIX promises, and no more: bytes and sizes are safe after a sync of their file, names (creation, renaming,
removal) after a sync of their directory. Of all else a cut may leave any part:

    bare     nothing
    torn     any sectors of 512 bytes of the bytes, any of the sizes, and of the names a first part, as a file system's
             journal would have it
    whole    everything, as a SIGKILL alone would
"""
import os
import shutil
import stat
import struct

SECTOR_BYTES = 512
ENTRY = struct.Struct("<IiQQ")
NUMBER = struct.Struct("<Q")
KINDS = ("bare", "torn", "whole")
# Syncs that a planted bug leaves out, or believes too early. What is told here is not done is not done in the node
# either, as far as a power cut can tell.
PLANTS = ("no-append-sync", "late-append-sync", "no-fold-sync", "no-file-sync", "no-directory-sync")


class File:
    """Its bytes on the disk, and what was asked since and may be lost."""

    def __init__(self, name=""):
        self.name = name  # its first
        self.safe = bytearray()
        self.unsafe = []  # of Write and Size, oldest first

    def confirm(self, before):
        """Everything that was asked before this entry of the journal is safe."""
        later = []
        for change in self.unsafe:
            if change.entry < before:
                change.apply(self.safe)
            else:
                later.append(change)
        self.unsafe = later

    def confirm_range(self, low, high):
        """These bytes are safe."""
        rest = []
        for change in self.unsafe:
            rest += change.split(self.safe, low, high)
        self.unsafe = rest

    def keep(self, chance, probability):
        """Each part of what is unsafe reaches the disk with this probability; the rest is lost."""
        for change in self.unsafe:
            for part in change.parts():
                if chance.random() < probability:
                    part.apply(self.safe)
        self.unsafe = []

    def whole(self):
        """The bytes as the node sees them."""
        out = bytearray(self.safe)
        for change in self.unsafe:
            change.apply(out)
        return out


class Write:
    """Bytes that were written."""

    def __init__(self, entry, offset, data):
        self.entry, self.offset, self.data = entry, offset, data

    def apply(self, out):
        end = self.offset + len(self.data)
        if len(out) < end:
            out.extend(bytes(end - len(out)))
        out[self.offset:end] = self.data

    def slice(self, low, high):
        return Write(self.entry, low, self.data[low - self.offset:high - self.offset])

    def split(self, out, low, high):
        end = self.offset + len(self.data)
        low, high = max(low, self.offset), min(high, end)
        if low >= high:
            return [self]
        self.slice(low, high).apply(out)
        return [part for part in (self.slice(self.offset, low), self.slice(high, end)) if part.data]

    def parts(self):
        end = self.offset + len(self.data)
        low = self.offset
        while low < end:
            high = min(end, (low // SECTOR_BYTES + 1) * SECTOR_BYTES)
            yield self.slice(low, high)
            low = high


class Size:
    """A size that was set, or reached at least."""

    def __init__(self, entry, size, shrinks):
        self.entry, self.size, self.shrinks = entry, size, shrinks

    def apply(self, out):
        if len(out) < self.size:
            out.extend(bytes(self.size - len(out)))
        elif self.shrinks:
            del out[self.size:]

    def split(self, _out, _low, _high):
        return [self]

    def parts(self):
        yield self


class Name:
    """A change of one name, or a renaming; it belongs to a directory. node: a File, or None for a directory."""

    def __init__(self, entry, kind, path, node=None, to=None):
        self.entry, self.kind, self.path, self.node, self.to = entry, kind, path, node, to
        self.parent = os.path.dirname(path)
        if to is not None and os.path.dirname(to) != self.parent:
            raise ValueError(f"a renaming from one directory into another: {path} to {to}")

    def apply(self, names):
        if self.kind == "add":
            names[self.path] = self.node
        elif self.kind == "remove":
            names.pop(self.path, None)
        elif self.path in names:
            names[self.to] = names.pop(self.path)


class Disk:
    """The data directory's files and names; empty at first, as the directory is."""

    def __init__(self):
        self.safe = {}  # path: File, or None for a directory
        self.seen = {}  # the same as the node sees it
        self.unsafe = []  # of Name, oldest first
        self.open = {}  # descriptor: File, or the path of a directory
        self.late = None  # (file, range), whose confirmation the planted bug still owes
        self.counts = dict.fromkeys(("entries", "appends", "syncs", "renamings", "commits"), 0)

    # ------------------------------------------------------------------------ the journal

    def replay(self, path, plant=None):
        """Everything that a node asked and was confirmed. The last entry may be cut off by the node's end."""
        with open(path, "rb") as stream:
            journal = memoryview(stream.read())
        at = entry = 0
        while at + ENTRY.size <= len(journal):
            kind, descriptor, offset, count = ENTRY.unpack_from(journal, at)
            at += ENTRY.size
            if at + count > len(journal):
                break
            self.step(entry, chr(kind), descriptor, offset, bytes(journal[at:at + count]), plant)
            at += count
            entry += 1
        self.counts["entries"] += entry
        self.open.clear()
        self.late = None

    def step(self, entry, kind, descriptor, offset, data, plant):
        if kind in "NUM":
            self.name(Name(entry, *self.asked(kind, data.decode())))
            return
        if kind == "O":
            self.opened(entry, descriptor, offset, data.decode())
            return
        file = self.open[descriptor]
        if kind == "C":
            del self.open[descriptor]
        elif kind == "W":
            file.unsafe.append(Write(entry, offset, data))
        elif kind in "TA":
            file.unsafe.append(Size(entry, offset, kind == "T"))
        elif kind == "S":
            self.counts["syncs"] += 1
            self.synced(file, offset, plant)
        elif kind in "RP":
            self.confirmed(file, kind, (offset, offset + NUMBER.unpack(data)[0]), plant)
        else:
            raise ValueError(f"an entry of kind {kind!r}")

    def asked(self, kind, text):
        if kind == "N":
            self.counts["renamings"] += 1
            path, to = text.split("\0")
            return "rename", path, None, to
        return {"U": "remove", "M": "add"}[kind], text

    def name(self, change):
        change.apply(self.seen)
        self.unsafe.append(change)

    def opened(self, entry, descriptor, flags, path):
        if path == "" or (path in self.seen and self.seen[path] is None):
            self.open[descriptor] = path
            return
        if path not in self.seen:
            if not flags & os.O_CREAT:
                raise ValueError(f"{path} was opened, and never made")
            self.name(Name(entry, "add", path, File(os.path.basename(path))))
        elif flags & os.O_TRUNC:
            self.seen[path].unsafe.append(Size(entry, 0, True))
        self.open[descriptor] = self.seen[path]

    def synced(self, what, before, plant):
        if isinstance(what, File):
            if plant != "no-file-sync" and (plant != "no-fold-sync" or what.name != "data.mdb"):
                what.confirm(before)
        elif plant != "no-directory-sync":
            for change in self.unsafe:
                if change.parent == what and change.entry < before:
                    change.apply(self.safe)
            self.unsafe = [change for change in self.unsafe if change.parent != what or change.entry >= before]

    def confirmed(self, file, kind, span, plant):
        if kind == "R":
            self.counts["commits"] += 1  # LMDB's meta page, written through
            file.confirm_range(*span)
            return
        self.counts["appends"] += 1
        if plant == "no-append-sync":
            return
        if plant == "late-append-sync":
            owed, self.late = self.late, (file, span)
            if owed is None:
                return
            file, span = owed
        file.confirm_range(*span)

    # ------------------------------------------------------------------------ the cut

    def cut(self, chance, kind):
        """The power fails, and comes back: what is left is what is there."""
        files = {id(file): file for names in (self.safe, self.seen) for file in names.values() if file is not None}
        kept = {"bare": 0, "torn": chance.randint(0, len(self.unsafe)), "whole": len(self.unsafe)}[kind]
        for change in self.unsafe[:kept]:
            change.apply(self.safe)
        probability = {"bare": 0.0, "torn": chance.choice((0.1, 0.5, 0.9)), "whole": 1.0}[kind]
        for file in files.values():
            file.keep(chance, probability)
        # A name whose directory is lost is lost with it.
        self.safe = {path: node for path, node in self.safe.items() if self.reachable(path)}
        self.seen = dict(self.safe)
        self.unsafe = []

    def reachable(self, path):
        parent = os.path.dirname(path)
        return parent == "" or (parent in self.safe and self.reachable(parent))

    def write(self, root):
        """Makes the directory anew, as the disk has it."""
        shutil.rmtree(root, ignore_errors=True)
        os.mkdir(root, 0o700)
        for path in sorted(self.safe):
            node = self.safe[path]
            if node is None:
                os.mkdir(os.path.join(root, path), 0o700)
                continue
            descriptor = os.open(os.path.join(root, path), os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with open(descriptor, "wb") as stream:
                stream.write(node.safe)

    # ------------------------------------------------------------------------ is the journal whole?

    def differences(self, root):
        """Where the directory is not as the journal tells: nothing must have passed the recorder by. For a node that
        stopped as it was asked. Sockets are no files, and LMDB's lock files are written through a map."""
        found = {}
        for folder, folders, files in os.walk(root):
            for name in folders + files:
                path = os.path.join(folder, name)
                if not stat.S_ISSOCK(os.lstat(path).st_mode):
                    found[os.path.relpath(path, root)] = path
        out = [f"{path}: is in only one of the two" for path in set(found) ^ set(self.seen)]
        for path in set(found) & set(self.seen):
            node = self.seen[path]
            if os.path.isdir(found[path]) != (node is None):
                out.append(f"{path}: a file and a directory")
            elif node is not None and os.path.basename(path) != "lock.mdb":
                with open(found[path], "rb") as stream:
                    if stream.read() != node.whole():
                        out.append(f"{path}: other bytes")
        return sorted(out)
