# SPDX-License-Identifier: Apache-2.0
"""A real linnetd for tests in Python: started on a free port with a data directory of its own, asked through the real
`linnet`, ended by its pid. A test is run as

    echo_test.py LINNETD LINNET [LINNET-BENCH] [test names]

in a folder where it may write. The node dies with the test program, whatever happens to that.

    with Node("--echo") as node:
        people = node.import_users("alice", "bob")
        node.kill()
        node.start()            # on the same data and port
"""
import os
import random
import re
import resource
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import unittest

sys.path.append(os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from patience import patience

# Nothing takes so long; whoever waits longer waits in vain.
PATIENCE_S = patience(60)
# Cheap passwords and small files: neither is what is tested here.
CHEAP = ["--password-memory-bytes", "8K", "--password-ops", "1", "--store-segment-bytes", "1M",
         "--store-reserve-bytes", "1M", "--store-map-bytes", "256M"]


def programs():
    """The paths of linnetd, linnet and, if it was built, linnet-bench; the rest of the arguments stays."""
    paths = []
    while len(sys.argv) > 1 and os.path.basename(sys.argv[1]) in ("linnetd", "linnet", "linnet-bench"):
        paths.append(os.path.abspath(sys.argv.pop(1)))
    return paths + [None] * (3 - len(paths))


LINNETD, LINNET, LINNET_BENCH = programs()


def main():
    unittest.main(verbosity=2)


def port_free():
    """A port that nobody has, below those that the kernel gives to outgoing connections: a node that is started again
    finds it free."""
    while True:
        port = random.randrange(12000, 32000)
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
                return port
            except OSError:
                continue


class Node:
    def __init__(self, *flags, descriptors=None):
        self.flags = flags
        self.descriptors = descriptors  # how many it may have; None: as many as we
        self.data = tempfile.mkdtemp(prefix="data-", dir=os.getcwd())
        self.host, self.port = "127.0.0.1", port_free()
        self.process = None
        self.output = ""  # what it said since it was started last

    def __enter__(self):
        try:
            return self.start()
        except BaseException:
            self.__exit__()
            raise

    def __exit__(self, *_):
        if self.process is not None and self.process.poll() is None:
            self.kill()
        shutil.rmtree(self.data)

    def start(self):
        self.spawn()
        self.output = ""
        for line in self.process.stdout:
            self.output += line
            if line.startswith("listening on "):
                return self
        raise AssertionError(f"linnetd ended with {self.process.wait()} before it listened:\n{self.output}")

    def spawn(self):
        """Starts it without waiting until it listens."""
        self.process = subprocess.Popen(
            ["setpriv", "--pdeathsig", "KILL", LINNETD, "--data", self.data,
             "--listen", f"{self.host}:{self.port}", *CHEAP, *self.flags], stdout=subprocess.PIPE, text=True,
            preexec_fn=self.limit if self.descriptors else None)

    def limit(self):
        resource.setrlimit(resource.RLIMIT_NOFILE, (self.descriptors, self.descriptors))

    def kill(self):
        """SIGKILL, as a crash would."""
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()

    def stop(self):
        """Asks it to stop; its exit code."""
        self.process.send_signal(signal.SIGTERM)
        code = self.process.wait(PATIENCE_S)
        self.process.stdout.close()
        return code

    @property
    def url(self):
        return f"ws://{self.host}:{self.port}/chat"

    def linnet(self, *words, stdin="", code=0):
        """`linnet --data DIR words...` as subprocess.run returns it; any other exit code is an error."""
        done = subprocess.run([LINNET, "--data", self.data, *words], input=stdin, capture_output=True, text=True,
                              timeout=PATIENCE_S, check=False)
        if done.returncode != code:
            raise AssertionError(f"linnet {' '.join(words)}: exit code {done.returncode}, not {code}\n{done.stderr}")
        return done

    def add_user(self, name):
        """A user whose password is the name behind "pw-"; the user's number."""
        told = self.linnet("user", "add", name, "--password-stdin", stdin=f"pw-{name}\n").stdout
        return int(re.search(r"user (\d+)$", told, re.MULTILINE).group(1))

    def import_users(self, *names):
        """Users without passwords, one device each: {name: (user, token)}."""
        people = {}
        for row in self.linnet("user", "import", "-", stdin="\n".join(names) + "\n").stdout.splitlines():
            name, user, token = row.split(",")
            people[name] = (int(user), token)
        return people

    def resident_bytes(self):
        with open(f"/proc/{self.process.pid}/status", encoding="ascii") as status:
            return 1024 * int(re.search(r"VmRSS:\s+(\d+) kB", status.read()).group(1))


def eventually(true, what):
    """Waits until true() is; only for what nobody tells."""
    end = time.monotonic() + PATIENCE_S
    while not true():
        if time.monotonic() > end:
            raise AssertionError(f"waited in vain for {what}")
        time.sleep(0.01)
