#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""linnetd and linnet as an operator meets them: real processes, a real socket, a real disk.

    tests/tools/operator_test.py LINNETD LINNET [test names]

Runs in the current folder, where it makes and removes its data directories.
"""
import contextlib
import errno
import json
import os
import pty
import re
import resource
import select
import shutil
import signal
import socket
import stat
import subprocess
import sys
import termios
import time
import unittest

sys.path.append(os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from patience import patience

LINNETD, LINNET = (os.path.abspath(path) for path in sys.argv[1:3])
SOURCE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
# Cheap passwords and small files: neither is what is tested.
CHEAP = ["--password-memory-bytes", "8K", "--password-ops", "1", "--store-segment-bytes", "1M",
         "--store-reserve-bytes", "1M", "--store-map-bytes", "256M"]
# Runs a command in which io_uring_setup fails with an error, as a container's seccomp profile makes it.
WITHOUT_IO_URING = """
import ctypes, os, struct, sys
LOAD, IF_EQUAL, RETURN = 0x20, 0x15, 0x06
IO_URING_SETUP, FAIL, ALLOW = 425, 0x00050000, 0x7fff0000
steps = [(LOAD, 0, 0, 0), (IF_EQUAL, 0, 1, IO_URING_SETUP), (RETURN, 0, 0, FAIL | int(sys.argv[1])), (RETURN, 0, 0, ALLOW)]
code = ctypes.create_string_buffer(b"".join(struct.pack("HBBI", *step) for step in steps))
program = struct.pack("HxxxxxxP", len(steps), ctypes.addressof(code))
prctl = ctypes.CDLL(None, use_errno=True).prctl
NO_NEW_PRIVS, SECCOMP, FILTER = 38, 22, 2
if prctl(NO_NEW_PRIVS, 1, 0, 0, 0) != 0 or prctl(SECCOMP, FILTER, program) != 0:
    sys.exit(os.strerror(ctypes.get_errno()))
os.execv(sys.argv[2], sys.argv[2:])
"""
START_S = patience(60)
STOP_S = patience(30)


@contextlib.contextmanager
def few_descriptors(limit, *flags):
    """A small linnetd that may have no more, on a data directory of its own."""
    process = subprocess.Popen(
        [LINNETD, "--data", "few", "--listen", "127.0.0.1:0", "--schedulers", "1", "--workers", "1", "--store-cells", "8", *CHEAP, *flags],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (limit, limit)))
    try:
        yield process
    finally:
        process.kill()
        process.communicate()
        shutil.rmtree("few")


class Node:
    """A linnetd on a data directory of its own, until the with block ends."""

    def __init__(self, *flags, data="data", keep=False, environment=None):
        self.data = data
        self.keep = keep
        if not keep:
            shutil.rmtree(data, ignore_errors=True)
        self.process = subprocess.Popen(
            [LINNETD, "--data", data, "--listen", "127.0.0.1:0", *CHEAP, *flags],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
            env={**os.environ, **(environment or {})})
        self.output = ""
        self.address = None

    def __enter__(self):
        deadline = time.monotonic() + START_S
        while self.address is None:
            line = self.process.stdout.readline()
            if line == "" or time.monotonic() > deadline:
                self.process.kill()
                raise AssertionError(f"it did not start: {self.output}{self.process.stderr.read()}")
            self.output += line
            found = re.match(r"listening on (\S+)$", line)
            self.address = found and found.group(1)
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.stop()
        self.process.stdout.close()
        self.process.stderr.close()
        if not self.keep:
            shutil.rmtree(self.data, ignore_errors=True)

    def stop(self, number=signal.SIGTERM):
        self.process.send_signal(number)
        return self.process.wait(timeout=STOP_S)

    def linnet(self, *words, **more):
        return linnet("--data", self.data, *words, **more)


def run(program, *words, stdin="", code=0, environment=None):
    done = subprocess.run([program, *words], input=stdin, capture_output=True, text=True, timeout=patience(120),
                          env={**os.environ, **(environment or {})}, check=False)
    if code is not None and done.returncode != code:
        raise AssertionError(f"{program} {' '.join(words)}: exit code {done.returncode}, not {code}\n"
                             f"{done.stdout}{done.stderr}")
    return done


def linnet(*words, **more):
    return run(LINNET, *words, **more)


def linnetd(*words, **more):
    return run(LINNETD, *words, **more)


@contextlib.contextmanager
def written(path, text):
    with open(path, "wb") as stream:
        stream.write(text if isinstance(text, bytes) else text.encode())
    yield path
    os.remove(path)


class Running(unittest.TestCase):
    """Starting and stopping."""

    def test_it_says_what_an_operator_wants_to_know(self):
        with Node() as node:
            self.assertIn("linnetd ", node.output)
            self.assertIn("data directory: data,", node.output)
            self.assertIn("it is new", node.output)
            self.assertRegex(node.output, r"\ninbox_entries_max +10000\n")
            self.assertIn("linnet --data data user add NAME", node.output)
            self.assertIn("linnet --data data status", node.output)

    def test_each_ending_signal_stops_it_with_exit_code_0(self):
        for number in signal.SIGINT, signal.SIGTERM, signal.SIGHUP:
            with Node() as node:
                self.assertEqual(node.stop(number), 0)
                self.assertIn("stopped", node.process.stderr.read())

    def test_a_second_start_finds_what_the_first_has_kept(self):
        with Node(keep=True) as node:
            node.linnet("user", "add", "alice", "--no-password")
            self.assertEqual(node.stop(), 0)
        with Node(keep=True) as node:
            self.assertNotIn("it is new", node.output)
            self.assertIn("alice", node.linnet("user", "list").stdout)
        shutil.rmtree("data")

    def test_a_kill_loses_nothing_that_was_answered(self):
        with Node(keep=True) as node:
            node.linnet("user", "import", "-", stdin="".join(f"user{i}\n" for i in range(500)))
            node.process.kill()
            node.process.wait()
        with Node(keep=True) as node:
            self.assertRegex(node.output, r"recovered \d+ commands from the log")
            self.assertEqual(len(json.loads(node.linnet("user", "list", "--json").stdout)), 500)
        shutil.rmtree("data")

    def test_a_port_in_use_is_exit_code_3(self):
        with socket.create_server(("127.0.0.1", 0)) as taken:
            address = "127.0.0.1:%d" % taken.getsockname()[1]
            done = linnetd("--data", "other", "--listen", address, *CHEAP, code=3)
            self.assertIn(address, done.stderr)
        shutil.rmtree("other")

    def test_a_data_directory_in_use_is_exit_code_4(self):
        with Node() as node:
            done = linnetd("--data", node.data, "--listen", "127.0.0.1:0", *CHEAP, code=4)
            self.assertIn("data", done.stderr)
            node.linnet("status")

    def test_a_data_directory_that_is_none_is_exit_code_4(self):
        with written("file", "x"):
            self.assertIn("file", linnetd("--data", "file", *CHEAP, code=4).stderr)
        self.assertIn("no/such/parent", linnetd("--data", "no/such/parent", *CHEAP, code=4).stderr)

    def test_connections_are_bounded_by_the_descriptors_there_are(self):
        with few_descriptors(600, "--io-level", "6.1") as process:
            output = ""
            while "listening on" not in output:
                line = process.stdout.readline()
                self.assertNotEqual(line, "")
                output += line
            told = re.search(r"^connections_max is (\d+) instead of 100000: .*`ulimit -n`", output, re.MULTILINE)
            used = len(os.listdir(f"/proc/{process.pid}/fd"))
            self.assertTrue((600 - used) // 2 < int(told.group(1)) < 600 - used, (told.group(0), used))
            process.terminate()
            self.assertEqual(process.wait(timeout=STOP_S), 0)

    def test_too_few_descriptors_are_exit_code_2_with_the_remedy(self):
        for limit, wrong in ((20, r"^linnetd: the LMDB environment .*: Too many open files: raise `ulimit -n`"),
                             (40, r"^linnetd: this process may have 40 descriptors, and the node needs (\d+) at least: raise")):
            with few_descriptors(limit) as process:
                output, error = process.communicate(timeout=START_S)
                self.assertEqual(process.returncode, 2)
                self.assertRegex(error, wrong)
                self.assertNotIn("listening on", output)
        least = int(re.search(wrong, error).group(1))
        with few_descriptors(least) as process:
            self.assertTrue(any(line.startswith("listening on") for line in process.stdout))
            process.terminate()
            self.assertEqual(process.wait(timeout=STOP_S), 0)

    def test_it_uses_no_more_of_io_uring_than_it_is_told(self):
        for level in "probe", "6.1":
            with Node("--io-level", level) as node:
                self.assertRegex(node.output, rf"^linnetd \S+, uring \d+\.\d+\S* \(level {level}\), ")
                self.assertIn(f"(level {level})", node.linnet("status").stdout)

    def test_without_io_uring_it_is_exit_code_6_with_the_remedy(self):
        for error, hint in (errno.ENOSYS, "io_uring is absent: "), (errno.EPERM, "seccomp profile: allow io_uring_setup"):
            done = run(sys.executable, "-c", WITHOUT_IO_URING, str(error), LINNETD, "--data", "none", "--listen",
                       "127.0.0.1:0", *CHEAP, code=6)
            self.assertRegex(done.stderr, r"^linnetd: io_uring is ")
            self.assertIn(hint, done.stderr)
        self.assertFalse(os.path.exists("none"))

    def test_the_settings_of_file_environment_and_flags_are_in_force(self):
        text = "spin_us = 1\ninbox_entries_max = 77\ndevices_max = 3\n"
        with written("linnet.conf", text), Node(
                "--config", "linnet.conf", "--devices-max", "5", environment={"LINNET_SPIN_US": "2"}) as node:
            shown = {row["name"]: row for row in json.loads(node.linnet("config", "show", "--json").stdout)}
            self.assertEqual((shown["inbox_entries_max"]["value"], shown["inbox_entries_max"]["origin"],
                              shown["inbox_entries_max"]["line"]), (77, "file", 2))
            self.assertEqual((shown["spin_us"]["value"], shown["spin_us"]["origin"]), (2, "environment"))
            self.assertEqual((shown["devices_max"]["value"], shown["devices_max"]["origin"]), (5, "flag"))
            self.assertEqual(shown["workers"]["origin"], "default")
            text = node.linnet("config", "show", "--origin").stdout
            self.assertRegex(text, r"inbox_entries_max +77 +file, line 2\n")


class Configuration(unittest.TestCase):
    """linnetd's command line and file."""

    def test_a_good_configuration_is_exit_code_0(self):
        with written("good.conf", "# fine\nspin_us = 5\n"):
            self.assertIn("good", linnetd("--check-config", "--config", "good.conf").stdout)
        linnetd("--check-config")

    def test_each_mistake_of_a_file_is_told_with_its_line(self):
        with written("bad.conf", "spin_us = 5\nspinus = 5\n\nworkers = many\nnonsense\n"):
            done = linnetd("--check-config", "--config=bad.conf", code=2)
            self.assertEqual(done.stderr, "bad.conf:2: there is no setting 'spinus'; did you mean spin_us?\n"
                                          "bad.conf:4: workers: 'many' is no number from 0 to 1024\n"
                                          "bad.conf:5: neither 'name = value' nor a comment\n")

    def test_files_that_are_no_configuration_are_refused(self):
        self.assertIn("No such file", linnetd("--config", "nowhere.conf", code=2).stderr)
        self.assertIn("its file is missing", linnetd("--config", code=2).stderr)
        with written("zero.conf", b"spin_us = 5\0\n"):
            self.assertIn("a zero byte at 11", linnetd("--config", "zero.conf", code=2).stderr)
        with written("huge.conf", "#\n" * 200000):
            self.assertIn("no configuration", linnetd("--config", "huge.conf", code=2).stderr)

    def test_bad_flags_are_told_together(self):
        done = linnetd("--listn", "x", "--spin-us=a", "--echo=2", "--workers", code=2)
        for sentence in ("did you mean listen?", "'x': linnetd takes flags alone", "--spin-us: spin_us: 'a'",
                         "--echo: echo: '2'", "--workers: its value is missing"):
            self.assertIn(sentence, done.stderr)

    def test_a_bad_variable_is_told(self):
        done = linnetd("--check-config", environment={"LINNET_ECHO": "2"}, code=2)
        self.assertIn("environment LINNET_ECHO", done.stderr)

    def test_settings_that_contradict_each_other_are_told(self):
        self.assertIn("frame_bytes_max", linnetd("--check-config", "--frame-bytes-max", "1K", code=2).stderr)

    def test_help_and_version(self):
        self.assertIn("--listen", linnetd("--help").stdout)
        self.assertRegex(linnetd("--version").stdout, r"^linnetd \d+\.\d+\.\d+\n$")

    def test_the_manual_has_every_setting(self):
        with open(os.path.join(SOURCE, "docs", "operations.md"), encoding="utf-8") as stream:
            manual = stream.read()
        settings = re.findall(r"^  --([a-z-]+)(?: (?:N|SIZE|TIME|WORD|TEXT))? +(.*) \[(?:[^;\]]*; )?(.*)\]$",
                              linnetd("--help").stdout, re.MULTILINE)
        self.assertGreater(len(settings), 25)
        for name, meaning, default in settings:
            self.assertIn(f"| `{name.replace('-', '_')}` | {default} | {meaning} |", manual)


class Shell(unittest.TestCase):
    """linnet against one node."""

    @classmethod
    def setUpClass(cls):
        cls.node = Node("--devices-max", "2", data="shell").__enter__()

    @classmethod
    def tearDownClass(cls):
        cls.node.__exit__()

    def linnet(self, *words, **more):
        return self.node.linnet(*words, **more)

    def test_the_socket_is_for_its_owner_alone(self):
        mode = os.stat(os.path.join(self.node.data, "linnet.sock")).st_mode
        self.assertEqual(stat.S_IMODE(mode), 0o600)

    def test_status_ps_tree_and_store_speak_to_people(self):
        self.assertIn(f"listening on   {self.node.address}", self.linnet("status").stdout)
        self.assertRegex(self.linnet("ps").stdout, r"PID +BEHAVIOUR +NAME +MAILBOX +REDUCTIONS +MEMORY +STATE\n")
        self.assertIn("└─ ", self.linnet("tree").stdout)
        self.assertIn("partition × ", self.linnet("tree").stdout)
        self.assertRegex(self.linnet("store", "info").stdout, r"CELL +PARTITIONS")

    def test_every_look_is_json_too(self):
        self.linnet("user", "add", "jason", "--no-password")
        for words in ("status",), ("ps",), ("tree",), ("store", "info"), ("config", "show"), \
                ("user", "list"), ("calls",), ("inspect", "jason"), ("inspect", "0.1.0"):
            done = self.linnet(*words, "--json", code=None)
            json.loads(done.stdout)

    def test_ps_sorts_and_limits(self):
        rows = self.linnet("ps", "--sort", "name", "--limit", "3").stdout.splitlines()
        self.assertEqual(len(rows), 5)
        self.assertRegex(rows[4], r"^\d+ more: --all shows them$")
        names = [row.split()[2] for row in rows[1:4]]
        self.assertEqual(names, sorted(names))
        everybody = self.linnet("ps", "--all").stdout.splitlines()
        self.assertEqual(len(everybody) - 1, len(json.loads(self.linnet("ps", "--all", "--json").stdout)))
        self.assertEqual(len(json.loads(self.linnet("ps", "--json", "--limit", "3").stdout)), 3)
        self.assertEqual(len(self.linnet("ps", "--limit", "1001").stdout.splitlines()), len(everybody))
        self.assertIn("is none of pid", self.linnet("ps", "--sort", "colour", code=2).stderr)

    def test_an_actor_that_waits_is_inspected_with_its_backtrace(self):
        rows = json.loads(self.linnet("ps", "--all", "--json").stdout)
        keeper = next(row for row in rows if row["behaviour"] == "log keeper")
        text = self.linnet("inspect", keeper["pid"]).stdout
        self.assertRegex(text, r"\nstate +waiting\nmailbox +0: 0 system, 0 replies, 0 durable, 0 lossy\n")
        self.assertRegex(text, r"\nlinks +.*\nwatchers +0\.\d+\.0\nwatching +.*\n")
        self.assertRegex(text, r"\nwaits for +\w+.*, for \d+\.\d ms( of \d+ at most)?\nat +linnetd\(\+0x[0-9a-f]+ in scheduler_park\)\n +linnetd")
        found = json.loads(self.linnet("inspect", keeper["pid"], "--json").stdout)
        self.assertGreater(len(found["backtrace"]), 3)
        self.assertGreaterEqual(found["wait"]["waited_us"], 0)

    def test_status_tells_how_busy_each_scheduler_and_its_ring_are(self):
        text = self.linnet("status").stdout
        self.assertRegex(text, r"\nSCHEDULER +BUSY +READY +ACTORS .*\n +0 +\d+% +\d+ +\d+ ")
        self.assertRegex(text, r"\nRING +ENTERS +SUBMITTED +COMPLETED +WAKES .*\n +0 +\d+ +\d+ ")
        rows = json.loads(self.linnet("status", "--json").stdout)["schedulers"]
        for row in rows:
            self.assertLessEqual(0, row["lately_busy_us"])
            self.assertLess(0, row["lately_us"])
        self.assertGreater(sum(row["io_completed"] for row in rows), 0)

    def test_a_trace_shows_messages_until_its_bound(self):
        rows = json.loads(self.linnet("ps", "--all", "--json").stdout)
        shell = next(row for row in rows if row["name"] == "shell")["pid"]
        words = [LINNET, "--data", self.node.data, "trace", shell, "--seconds", "600"]
        for more in [], ["--json"]:
            with subprocess.Popen([*words, "--count", "4", *more], stdout=subprocess.PIPE, text=True) as process:
                while process.poll() is None:  # each look is a connection that comes and goes
                    self.linnet("status")
                self.assertEqual(process.returncode, 0)
                text = process.stdout.read()
            if more:
                *events, last = json.loads(text)
                self.assertEqual(last, {"event": "over", "reason": "count"})
                self.assertEqual([event["actor"] for event in events], [shell] * 4)
                self.assertTrue(all(event["event"] == "taken" and event["bytes"] > 0 for event in events))
            else:
                self.assertRegex(text, rf"^(\+\d+\.\d{{6}}  {re.escape(shell)} +taken +from \S+ +message (ACCEPT|EXIT), \d+ bytes, "
                                       r"reply\n){4}the trace is over: count\n$")
        self.assertEqual(self.linnet("trace", shell, "--seconds", "1", "--count", "1000000").stdout, "the trace is over: time\n")

    def test_an_interrupted_trace_is_over(self):
        rows = json.loads(self.linnet("ps", "--all", "--json").stdout)
        shell = next(row for row in rows if row["name"] == "shell")["pid"]
        words = [LINNET, "--data", self.node.data, "trace", shell, "--seconds", "3600", "--count", "1000000"]
        for number in [signal.SIGINT, signal.SIGKILL] * 8:  # more than there can be at a time
            with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
                while not select.select([process.stdout], [], [], 0)[0] and process.poll() is None:
                    self.linnet("status")
                self.assertIsNone(process.poll(), "there was no place for it")
                process.send_signal(number)
                process.wait(timeout=STOP_S)

    def test_a_trace_needs_somebody_to_follow(self):
        self.linnet("user", "add", "tracy", "--no-password")
        self.assertIn("is offline", self.linnet("trace", "tracy", code=1).stderr)
        self.assertIn("there is no user 'nobody'", self.linnet("trace", "nobody", code=4).stderr)
        self.assertIn("there is no actor 0.99999.1", self.linnet("trace", "0.99999.1", code=4).stderr)
        self.assertIn("'0' is no number of events", self.linnet("trace", "0.2.0", "--count", "0", code=2).stderr)
        self.assertIn("--seconds: 'x' is no number", self.linnet("trace", "0.2.0", "--seconds", "x", code=2).stderr)
        for seconds in "0", "3601", "18446744073709551616":
            self.assertIn("is no number from 1 to 3600", self.linnet("trace", "0.2.0", "--seconds", seconds, code=2).stderr)
        self.assertIn("--count does not go with", self.linnet("status", "--count", "1", code=2).stderr)
        self.assertIn("trace PID|USER", self.linnet("trace", code=2).stderr)
        self.assertIn("--seconds S", self.linnet("trace", "--help").stdout)

    def test_an_actor_is_inspected(self):
        shell = next(row for row in json.loads(self.linnet("ps", "--all", "--json").stdout) if row["name"] == "shell")
        self.assertIn("behaviour      shell\n", self.linnet("inspect", shell["pid"]).stdout)
        self.assertIn("clients: 1", self.linnet("inspect", shell["pid"]).stdout)
        self.assertIn("there is no actor 0.99999.1", self.linnet("inspect", "0.99999.1", code=4).stderr)

    def test_a_user_from_beginning_to_end(self):
        self.assertRegex(self.linnet("user", "add", "carol", "--password-stdin", stdin="secret\n").stdout,
                         r"^added carol, user \d+\n$")
        self.assertIn("already", self.linnet("user", "add", "carol", "--no-password", code=1).stderr)
        self.linnet("user", "passwd", "carol", "--password-stdin", stdin="another")
        token = self.linnet("user", "token", "carol", "laptop").stdout.strip()
        self.assertRegex(token, r"^[A-Za-z0-9_-]{40,}$")
        self.assertIn("laptop", self.linnet("inspect", "carol").stdout)
        self.linnet("user", "token", "carol")
        self.assertIn("2 devices", self.linnet("user", "token", "carol", code=1).stderr)
        self.assertRegex(self.linnet("user", "list").stdout, r"carol +\d+ +2 +1 ")  # the one has to hear of the other
        self.linnet("user", "remove", "carol")
        self.assertIn("no user 'carol'", self.linnet("user", "remove", "carol", code=4).stderr)
        self.linnet("user", "import", "-", stdin="dora\nemil\nfritz\n")
        done = self.linnet("user", "remove", "-", stdin="dora\ncarol\nemil,phone\n", code=1)
        self.assertEqual(done.stdout, "removed dora\nremoved emil\n")
        self.assertEqual(done.stderr, "linnet: carol: there is no such user\n")
        self.assertEqual(self.linnet("user", "remove", "-", stdin="fritz\n").stdout, "removed fritz\n")
        alone = self.linnet("user", "remove", "-", stdin="carol\n", code=1)  # as one of many
        self.assertIn("carol: there is no such user", alone.stderr)
        self.assertIn("no user 'carol'", self.linnet("inspect", "carol", code=4).stderr)

    def test_bad_names_and_passwords_are_refused(self):
        for name in "", "a/b", " a", "a\nb", "x" * 65, "12", "a\u202eb":
            self.assertIn("a user's name that", self.linnet("user", "add", name, "--no-password", code=1).stderr)
        self.assertIn("not UTF-8", self.linnet("user", "add", os.fsdecode(b"\xff"), "--no-password", code=2).stderr)
        self.assertIn("no password", self.linnet("user", "add", "dave", "--password-stdin", code=1).stderr)
        self.assertIn("1 to 1024", self.linnet("user", "add", "dave", "--password-stdin", stdin="\n", code=1).stderr)
        self.assertIn("1 to 1024", self.linnet("user", "add", "dave", "--password-stdin", stdin="x" * 1025 + "\n",
                                               code=1).stderr)

    def typing(self, *words):
        """The tool on a terminal of its own: its process and the terminal."""
        pid, terminal = pty.fork()
        if pid == 0:
            signal.signal(signal.SIGINT, signal.SIG_DFL)
            os.execv(LINNET, [LINNET, "--data", self.node.data, *words])
        return pid, terminal

    def test_who_is_asked_for_a_password_may_leave(self):
        for typed, number in (b"hu\x03", signal.SIGINT), (b"hu\x1c", signal.SIGQUIT), (b"", signal.SIGTERM):
            pid, terminal = self.typing("user", "add", "frank")
            shown = b""
            while b"password: " not in shown:
                self.assertTrue(select.select([terminal], [], [], START_S)[0], shown)
                shown += os.read(terminal, 1000)
            before = termios.tcgetattr(terminal)[3]
            if typed:
                os.write(terminal, typed)
            else:
                os.kill(pid, number)
            self.assertEqual(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), -number)
            self.assertFalse(before & termios.ECHO)
            self.assertTrue(termios.tcgetattr(terminal)[3] & termios.ECHO)
            os.close(terminal)
        self.linnet("inspect", "frank", code=4)

    def test_clients_words_command_no_terminal(self):
        self.linnet("user", "add", "gina", "--no-password")
        self.linnet("user", "token", "gina", "\x1b[31mred\nrow\u202e")
        self.assertIn("?[31mred?row???", self.linnet("inspect", "gina").stdout)
        devices = json.loads(self.linnet("inspect", "gina", "--json").stdout)["devices"]
        self.assertEqual(devices[0]["name"], "\x1b[31mred\nrow\u202e")

    def test_a_password_is_typed_twice_without_echo(self):
        pid, terminal = self.typing("user", "add", "erin")
        shown = b""
        for prompt in b"password: ", b"once more: ":
            while prompt not in shown:
                self.assertTrue(select.select([terminal], [], [], START_S)[0], shown)
                shown += os.read(terminal, 1000)
            os.write(terminal, b"hush\n")
        with contextlib.suppress(OSError):  # the terminal's end
            while True:
                shown += os.read(terminal, 1000)
        self.assertEqual(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), 0)
        self.assertIn(b"added erin", shown)
        self.assertNotIn(b"hush", shown)

    def test_an_import_prints_a_line_for_each(self):
        lines = 'imp1\nimp2,phone\n{"name": "imp, 3", "device": "pad"}\n\n'
        rows = self.linnet("user", "import", "-", stdin=lines).stdout.splitlines()
        self.assertEqual(len(rows), 3)
        self.assertRegex(rows[1], r"^imp2,\d+,[A-Za-z0-9_-]+$")
        self.assertIn("pad", self.linnet("inspect", "imp, 3").stdout)

    def test_an_import_tells_what_it_could_not_make(self):
        self.linnet("user", "add", "taken", "--no-password")
        done = self.linnet("user", "import", "-", stdin='taken\n{"nam": 1}\n{\nnew1\n', code=1)
        self.assertIn("taken: there is such a user already", done.stderr)
        self.assertIn("line 2: no JSON object", done.stderr)
        self.assertIn("line 3: no JSON object", done.stderr)
        self.assertRegex(done.stdout, r"^new1,\d+,\S+\n$")
        done = self.linnet("user", "import", "--json", "-", stdin="taken\nnew2\n", code=1)
        rows = [json.loads(row) for row in done.stdout.splitlines()]
        self.assertEqual(rows[0], {"name": "taken", "error": "there is such a user already"})
        self.assertEqual(sorted(rows[1]), ["device", "name", "token", "user"])
        self.assertIn("No such file", self.linnet("user", "import", "nowhere.csv", code=1).stderr)

    def test_a_removal_of_many_whose_actor_is_killed_is_cut_short_and_can_be_repeated(self):
        names = "".join(f"going{i}\n" for i in range(2000))
        cut_short = 0
        for pause_ms in range(0, 24, 3):
            self.linnet("user", "import", "-", stdin=names, code=None)
            with subprocess.Popen([LINNET, "--data", self.node.data, "user", "remove", "-"], stdin=subprocess.PIPE,
                                  stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, text=True) as removal:
                removal.stdin.write(names)
                removal.stdin.close()
                time.sleep(pause_ms / 1000)
                while removal.poll() is None:
                    self.linnet("kill", "shell-client", code=None)
            cut_short += removal.returncode != 0
            self.assertIsNone(self.node.process.poll())
        self.assertGreater(cut_short, 0)
        self.linnet("user", "remove", "-", stdin=names, code=None)
        self.assertNotIn("going", self.linnet("user", "list", "--json").stdout)

    def test_an_import_of_many_takes_seconds(self):
        begun = time.monotonic()
        done = self.linnet("user", "import", "-", stdin="".join(f"many{i}\n" for i in range(10000)))
        self.assertEqual(len(done.stdout.splitlines()), 10000)
        print(f"    10,000 users imported in {time.monotonic() - begun:.2f} s")

    def test_a_look_takes_milliseconds(self):
        fastest = {}
        for words in ("status",), ("ps",), ("inspect", "0.1.0"), ("config", "show"):
            times = []
            for _ in range(20):
                begun = time.monotonic()
                self.linnet(*words, code=None)
                times.append(time.monotonic() - begun)
            fastest[" ".join(words)] = min(times) * 1000
        print("   ", ", ".join(f"{name} {ms:.1f} ms" for name, ms in fastest.items()))
        # With the time that Python takes to start a process; sanitizers and busy machines get slack.
        self.assertLess(max(fastest.values()), patience(100))

    def test_who_stays_silent_or_talks_rubbish_harms_nobody(self):
        silent = []
        for _ in range(32):
            one = socket.socket(socket.AF_UNIX)
            one.connect(os.path.join(self.node.data, "linnet.sock"))
            silent.append(one)
        for _ in range(100):
            refused = self.linnet("status", code=None)
            if refused.returncode != 0:
                break
            time.sleep(0.05)
        self.assertIn("too many tools", refused.stderr)
        for one in silent:
            one.sendall(b"rubbish" * 100)
            one.close()
        for _ in range(100):
            if self.linnet("status", code=None).returncode == 0:
                break
            time.sleep(0.05)
        self.linnet("status")


def netstring(word):
    return b"%d:%s," % (len(word), word)


class CommandLine(unittest.TestCase):
    """linnet without a node."""

    def test_without_a_node_it_is_exit_code_3(self):
        for words in ("status",), ("user", "list"), ("user", "add", "x", "--no-password"):
            self.assertIn("no node is running on the data directory 'nowhere'",
                          linnet("--data", "nowhere", *words, code=3).stderr)

    def test_a_node_that_was_killed_is_none(self):
        with Node(keep=True) as node:
            node.process.kill()
            node.process.wait()
        # The kernel tears down a killed process's rings, and with them its sockets, a moment later.
        codes = [linnet("--data", "data", "status", code=None).returncode for _ in range(100)]
        self.assertEqual(codes[-1], 3)
        shutil.rmtree("data")

    def test_wrong_words_are_exit_code_2_with_a_hint(self):
        self.assertIn("did you mean 'status'?", linnet("stats", code=2).stderr)
        self.assertIn("needs one of: add list passwd", linnet("user", code=2).stderr)
        self.assertIn("(not 'lst')", linnet("user", "lst", code=2).stderr)
        self.assertIn("usage: linnet [--data DIR] user add NAME", linnet("user", "add", code=2).stderr)
        self.assertIn("there is no flag '--bogus'", linnet("status", "--bogus", code=2).stderr)
        self.assertIn("--origin does not go with", linnet("status", "--origin", code=2).stderr)
        self.assertIn("--limit: 'x' is no number", linnet("ps", "--limit", "x", code=2).stderr)
        self.assertIn("its value is missing", linnet("ps", "--sort", code=2).stderr)
        self.assertIn("its directory is missing", linnet("--data", code=2).stderr)
        self.assertIn("a word too many", linnet(*["a"] * 9, code=2).stderr)
        linnet(code=2)

    def test_help_and_version(self):
        self.assertIn("user import FILE|-", linnet("--help").stdout)
        self.assertIn("--password-stdin", linnet("user", "add", "--help").stdout)
        self.assertIn("passwd NAME", linnet("user", "--help").stdout)
        self.assertIn("--sort KEY", linnet("ps", "--help").stdout)
        self.assertRegex(linnet("--version").stdout, r"^linnet \d+\.\d+\.\d+\n$")

    def test_the_data_directory_may_stand_in_the_environment(self):
        self.assertIn("'elsewhere'", linnet("status", environment={"LINNET_DATA": "elsewhere"}, code=3).stderr)

    def test_an_error_behind_a_page_stands_in_the_same_array(self):
        shutil.rmtree("fake", ignore_errors=True)
        os.mkdir("fake")
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind("fake/linnet.sock")
            listener.listen()
            listener.settimeout(START_S)
            for verb in ["trace", "0.1.0"], ["ps", "--all"]:
                with subprocess.Popen([LINNET, "--data", "fake", "--json", *verb], stdout=subprocess.PIPE,
                                      stderr=subprocess.PIPE, text=True) as process:
                    with listener.accept()[0] as one:
                        one.settimeout(START_S)
                        for words in [b"0", b"on", b'[{"at_us":1}]'], [b"1", b"", b'{"error":"it is gone"}']:
                            one.recv(1 << 16)
                            one.sendall(netstring(b"".join(map(netstring, [b"linnet.shell.1", *words]))))
                        out, err = process.communicate(timeout=START_S)
                self.assertEqual(json.loads(out), [{"at_us": 1}, {"error": "it is gone"}])
                self.assertEqual((process.returncode, err), (1, "linnet: it is gone\n"))
        shutil.rmtree("fake")

    def test_nothing_is_skipped_where_there_is_no_store(self):
        linnet("--data", "nowhere", "store", "skip", "0:0", code=1)
        self.assertFalse(os.path.exists("nowhere"))


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1] + sys.argv[3:], verbosity=2)
