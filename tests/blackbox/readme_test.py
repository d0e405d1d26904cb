#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""README.md's quick start is true: its commands are run as they stand, but for the paths and the address of the node,
and its conversation is played with npm's wscat. What comes back is what is printed, but for ids, times and tokens.
Those may differ, yet consistently: a value that a person sees in two places on the page is one value here too.

Lines of the conversation: `alice> {...}` is typed, `alice< {...}` arrives.
"""
import json
import os
import pty
import re
import shlex
import subprocess
import threading
import unittest
from queue import Queue

import linnetd
from linnetd import Node, PATIENCE_S

HERE = os.path.dirname(os.path.abspath(__file__))
README = os.path.join(HERE, "..", "..", "README.md")
WSCAT = os.path.join(HERE, "node_modules", ".bin", "wscat")
LINE = re.compile(r"^(alice|bob)([<>]) (\{.*\})$")


def page():
    with open(README, encoding="utf-8") as stream:
        return stream.read()


def conversation():
    lines = [LINE.match(line) for line in page().splitlines()]
    return [match.groups() for match in lines if match]


def commands(node):
    """The quick start's command lines in blocks, as they are for this node."""
    start = page().split("\n## Quick start\n")[1].split("\n## ")[0]
    here = {"build/release/tools/linnet": linnetd.LINNET, "npx wscat": f"{WSCAT} --no-color",
            "--data var": f"--data {node.data}", "127.0.0.1:4222": f"{node.host}:{node.port}"}
    for block in re.findall(r"^```\n(.*?)^```$", start, re.DOTALL | re.MULTILINE):
        for line in block.splitlines():
            if not LINE.match(line):
                for words, mine in here.items():
                    line = line.replace(words, mine)
                yield line


class Terminal:
    """A terminal with a wscat that somebody types into. Without a terminal wscat does not say when it is connected, and
    forgets what it is told before."""

    def __init__(self, command):
        self.master, slave = pty.openpty()
        self.process = subprocess.Popen(["setpriv", "--pdeathsig", "KILL", *shlex.split(command)],
                                        stdin=slave, stdout=slave, stderr=slave)
        os.close(slave)
        self.connected = threading.Event()
        self.lines = Queue()
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self):
        with open(self.master, encoding="utf-8", errors="replace", closefd=False) as output:
            try:
                for line in output:
                    heard = re.search(r"< (\{.*\})", line)
                    if "Connected" in line:
                        self.connected.set()
                    elif heard:
                        self.lines.put(json.loads(heard.group(1)))
            except OSError:
                pass  # the terminal is closed

    def type(self, text):
        assert self.connected.wait(PATIENCE_S)
        os.write(self.master, text.encode() + b"\n")

    def hear(self):
        return self.lines.get(timeout=PATIENCE_S)

    def close(self):
        self.process.kill()
        self.process.wait()


class Values:
    """Which value of this run stands for which value of the page, for one person."""

    def __init__(self):
        self.here = {}

    def note(self, page, run, path=""):
        if isinstance(page, dict):
            assert isinstance(run, dict) and page.keys() == run.keys(), (path, page, run)
            for key in page:
                self.note(page[key], run[key], f"{path}.{key}")
        elif page != run:
            varies = re.search(r"(Id|Ms|number|Number|Acknowledged|Command|token|handle)$", path)
            assert varies, f"{path}: the page says {page!r}, the node {run!r}"
            assert self.here.setdefault(page, run) == run, f"{path}: {page!r} was something else before"

    def typed(self, text):
        for page, run in self.here.items():
            text = text.replace(f'"{page}"', f'"{run}"')
        return text


class Readme(unittest.TestCase):
    def test_the_quick_start_is_true(self):
        talk = conversation()
        self.assertGreater(len(talk), 6)
        with Node() as node:
            make, *adding, wscat = commands(node)
            self.assertEqual(make, "make run")  # which is what started this node, elsewhere
            self.assertEqual(len(adding), 2)
            for line in adding:
                subprocess.run(line, shell=True, check=True, stdout=subprocess.DEVNULL)
            people = {name: Terminal(wscat) for name in ("alice", "bob")}
            values = {name: Values() for name in people}
            try:
                for name, direction, text in talk:
                    if direction == ">":
                        people[name].type(values[name].typed(text))
                    else:
                        values[name].note(json.loads(text), people[name].hear())
            finally:
                for person in people.values():
                    person.close()

    def test_what_it_says_about_looking_inside_is_true(self):
        looks = re.search(r"Look inside with `build/release/tools/linnet --data var (\w+)`, (.*?);", page(), re.DOTALL)
        with Node() as node:
            node.import_users("alice", "bob")
            for words in [looks[1], *re.findall(r"`(.*?)`", looks[2])]:
                self.assertNotEqual(node.linnet(*words.split()).stdout, "")

    def test_the_address_and_the_data_directory_are_those_of_make_run(self):
        with open(os.path.join(HERE, "..", "..", "Makefile"), encoding="utf-8") as stream:
            makefile = stream.read()
        self.assertIn("LISTEN ?= 127.0.0.1:4222\n", makefile)
        self.assertIn("DATA ?= var\n", makefile)


if __name__ == "__main__":
    linnetd.main()
