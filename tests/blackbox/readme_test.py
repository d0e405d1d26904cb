# SPDX-License-Identifier: Apache-2.0
"""The conversation printed in README.md is true: it is played against a real node with npm's wscat, and what comes back
is what is printed, but for ids, times and tokens. Those may differ, yet consistently: a value that a person sees in two
places on the page is one value here too.

Lines of the conversation: `alice> {...}` is typed, `alice< {...}` arrives.
"""
import json
import os
import pty
import re
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


def conversation():
    with open(README, encoding="utf-8") as page:
        lines = [LINE.match(line.rstrip("\n")) for line in page]
    return [match.groups() for match in lines if match]


def passwords():
    with open(README, encoding="utf-8") as page:
        return dict(re.findall(r"echo (\S+) \| .* user add (\w+) --password-stdin", page.read()))


class Terminal:
    """A terminal with a wscat that somebody types into. Without a terminal wscat does not say when it is connected, and
    forgets what it is told before."""

    def __init__(self, url):
        self.master, slave = pty.openpty()
        self.process = subprocess.Popen([WSCAT, "--no-color", "-s", "linnet.v1.json", "-c", url],
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
            varies = re.search(r"(Id|Ms|number|Number|Acknowledged|Command|token)$", path)
            assert varies, f"{path}: the page says {page!r}, the node {run!r}"
            assert self.here.setdefault(page, run) == run, f"{path}: {page!r} was something else before"

    def typed(self, text):
        for page, run in self.here.items():
            text = text.replace(f'"{page}"', f'"{run}"')
        return text


class Readme(unittest.TestCase):
    def test_the_conversation_in_the_readme_is_true(self):
        talk = conversation()
        secrets = passwords()
        self.assertGreater(len(talk), 6)
        self.assertEqual({name for _, name in secrets.items()}, {"alice", "bob"})
        with Node() as node:
            for secret, name in secrets.items():
                subprocess.run([linnetd.LINNET, "--data", node.data, "user", "add", name,
                                "--password-stdin"], input=secret + "\n", text=True, check=True,
                               stdout=subprocess.DEVNULL)
            url = f"ws://127.0.0.1:{node.port}/chat"
            people = {name: Terminal(url) for name in ("alice", "bob")}
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


if __name__ == "__main__":
    linnetd.main()
