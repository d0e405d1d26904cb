# SPDX-License-Identifier: Apache-2.0
"""linnet-bench as its user meets it: a node to run it against, a run and its report. A test is run as

    chat_test.py LINNETD LINNET LINNET-BENCH [test names]

in a folder where it makes and removes the node's data directory.
"""
import json
import os
import re
import shutil
import subprocess
import sys
import unittest
import xml.etree.ElementTree

sys.path.append(os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from patience import patience

LINNETD, LINNET, BENCH = (os.path.abspath(path) for path in sys.argv[1:4])
DATA = "data"
SMALL = ["--store-segment-bytes", "8M", "--store-reserve-bytes", "8M", "--store-map-bytes", "1G"]


class Node:
    """A linnetd until the with block ends; killed, since nothing of it is needed afterwards."""

    def __init__(self, *flags, listen="127.0.0.1:0", keep=False):
        if not keep:
            shutil.rmtree(DATA, ignore_errors=True)
        self.process = subprocess.Popen([LINNETD, "--data", DATA, "--listen", listen, *SMALL, *flags],
                                        stdout=subprocess.PIPE, text=True)
        said = ""
        for line in self.process.stdout:
            said += line
            found = re.match(r"listening on (\S+)$", line)
            if found:
                self.address = found.group(1)
                return
        raise AssertionError(f"linnetd did not start: {said}")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.kill()
        shutil.rmtree(DATA, ignore_errors=True)

    def kill(self):
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()


# What a test asks of a node with a rate, where a busy machine may miss it: that is another test's matter.
MET_OR_MISSED = (0, 2)


def bench(*words, code=0):
    codes = code if isinstance(code, tuple) else (code,)
    done = subprocess.run([BENCH, *words], capture_output=True, text=True, timeout=patience(120), check=False)
    if done.returncode not in codes:
        raise AssertionError(f"{' '.join(words)}: exit code {done.returncode}, not {code}\n{done.stdout}{done.stderr}")
    return done


def report(scenario, address, *words, path="/chat", code=0):
    done = bench(scenario, "--url", f"ws://{address}{path}", "--data", DATA, "--json", *words, code=code)
    found = json.loads(done.stdout)
    assert found["exit_code"] == done.returncode, found
    return found


def report_with(deed, when, scenario, address, *words, code=0):
    """The same, with a deed done once the program's progress matches `when`; it is told the program's process."""
    with subprocess.Popen([BENCH, scenario, "--url", f"ws://{address}/chat", "--data", DATA, "--json", *words],
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        told = ""
        for line in process.stderr:
            told += line
            if deed is not None and re.search(when, line):
                deed(process)
                deed = None
        found = process.stdout.read()
        process.wait(patience(120))
    codes = code if isinstance(code, tuple) else (code,)
    assert process.returncode in codes, f"exit code {process.returncode}, not {code}\n{told}{found}"
    return json.loads(found)


SHORT = ["--pairs", "2", "--seconds", "1", "--warmup", "0"]


# What a page that is complete in itself does not have; and a number that is none.
FOREIGN = ("http:", "https:", "<script", "<link", "url(", "nan")


def page_taken():
    """The page of --report page.html, as text and as a tree; the file is removed."""
    with open("page.html", encoding="utf-8") as file:
        text = file.read()
    os.remove("page.html")
    return text, xml.etree.ElementTree.fromstring(text)


def users():
    done = subprocess.run([LINNET, "--data", DATA, "user", "list", "--json"], capture_output=True, text=True, check=True)
    return sorted(user["name"] for user in json.loads(done.stdout))


def imported(names, path):
    """Users of these names, made; their tokens stand in the file at this path."""
    made = subprocess.run([LINNET, "--data", DATA, "user", "import", "-"], capture_output=True, text=True, check=True,
                          input="".join(f"{name}\n" for name in names))
    with open(path, "w", encoding="utf-8") as file:
        file.write(made.stdout)


class WithNode(unittest.TestCase):
    """Tests that share a node."""
    LISTEN = "127.0.0.1:0"

    @classmethod
    def setUpClass(cls):
        cls.node = Node("--echo", listen=cls.LISTEN)
        cls.address = cls.node.address.replace("0.0.0.0", "127.0.0.1")

    @classmethod
    def tearDownClass(cls):
        cls.node.__exit__()


def main():
    unittest.main(argv=[sys.argv[0], *sys.argv[4:]])
