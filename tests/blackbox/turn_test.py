#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""What getTurnCredentials gives opens Debian's coturn, for as long as it says and no longer."""
import os
import socket
import subprocess
import tempfile
import time
import unittest

from client import JSON, PROTO, Person
from linnetd import LINNETD, PATIENCE_S, Node, main

SECRET = "north-of-the-river"
LIFETIME_MS = 600000


def free_port():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


class Turn(unittest.IsolatedAsyncioTestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory(dir=os.getcwd())
        self.addCleanup(self.folder.cleanup)
        self.secret = os.path.join(self.folder.name, "secret")
        with open(self.secret, "w", encoding="utf-8") as stream:
            stream.write(SECRET + "\n")
        self.port = free_port()
        self.server = subprocess.Popen([
            "turnserver", "-n", "--listening-ip", "127.0.0.1", "--relay-ip", "127.0.0.1", "--listening-port",
            str(self.port), "--use-auth-secret", "--static-auth-secret", SECRET, "--realm", "linnet", "--no-tls",
            "--no-dtls", "--no-cli", "--allow-loopback-peers", "--log-file", "stdout", "--simple-log", "--pidfile",
            os.path.join(self.folder.name, "pid"), "--userdb", os.path.join(self.folder.name, "db")],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.addCleanup(self.server.wait)
        self.addCleanup(self.server.kill)
        self.node = Node("--turn-uris", f"turn:127.0.0.1:{self.port}?transport=udp", "--turn-secret-file", self.secret,
                         "--turn-lifetime-ms", str(LIFETIME_MS))
        self.addCleanup(self.node.__exit__)
        self.node.start()
        self.token = self.node.import_users("alice")["alice"][1]

    def opens(self, credentials, password=None):
        """Whether coturn lets this one allocate a relay and send through it."""
        try:
            client = subprocess.run(
                ["turnutils_uclient", "-y", "-n", "1", "-p", str(self.port), "-u", credentials["username"], "-w",
                 password or credentials["password"], "127.0.0.1"], capture_output=True, text=True, timeout=PATIENCE_S if password is None else 20)
        except subprocess.TimeoutExpired:
            return False  # it tries for ever
        return "Total lost packets 0" in client.stdout and client.returncode == 0

    async def test_coturn_takes_them_until_they_end(self):
        asked_at_ms = time.time() * 1000
        for form in JSON, PROTO:
            alice = await Person.welcomed(self.node, form, self.token)
            answer = await alice.ask({"ref": "5", "getTurnCredentials": {}})
            await alice.close()
            self.assertEqual(answer["ref"], "5")
            credentials = answer["turnCredentials"]
            self.assertEqual(credentials["servers"], [{"uri": f"turn:127.0.0.1:{self.port}?transport=udp"}])
            ends_at_ms = int(credentials["expiresAtMs"])
            self.assertAlmostEqual(ends_at_ms, asked_at_ms + LIFETIME_MS, delta=2000)
        self.assertTrue(self.opens(credentials), "coturn refused what the node gave")

    async def test_coturn_takes_none_that_ended_or_were_not_given(self):
        with Node("--turn-uris", "turn:a", "--turn-secret-file", self.secret, "--turn-lifetime-ms", "1000") as brief:
            alice = await Person.welcomed(brief, JSON, brief.import_users("alice")["alice"][1])
            credentials = (await alice.ask({"getTurnCredentials": {}}))["turnCredentials"]
            await alice.close()
        time.sleep(2)  # coturn's own clock, in seconds
        self.assertFalse(self.opens(credentials), "coturn took what had ended")
        self.assertFalse(self.opens(credentials, password="something else"), "coturn takes anything")

    def test_a_start_with_half_of_it_is_refused(self):
        empty = os.path.join(self.folder.name, "empty")
        with open(empty, "w", encoding="utf-8"):
            pass
        nine = ",".join(f"turn:{i}" for i in range(9))
        for uris, secret, wrong in (("turn:a", "", "needs turn_secret_file beside it"),
                                    ("http://a", self.secret, "neither turn: nor turns: (RFC 7065): http://a"),
                                    (nine, self.secret, "more than 8"),
                                    ("turn:a", "/nowhere/at/all", "can't be opened: /nowhere/at/all"),
                                    ("turn:a", empty, "is empty")):
            data = os.path.join(self.folder.name, "data")
            ended = subprocess.run([LINNETD, "--data", data, "--listen", "127.0.0.1:0", "--turn-uris", uris,
                                    *(["--turn-secret-file", secret] if secret else [])],
                                   capture_output=True, text=True, timeout=60)
            self.assertEqual(ended.returncode, 2, ended.stderr)
            self.assertIn(wrong, ended.stderr)

    async def test_a_node_without_a_turn_server_says_so(self):
        with Node() as bare:
            token = bare.import_users("bob")["bob"][1]
            bob = await Person.welcomed(bare, JSON, token)
            answer = await bob.ask({"getTurnCredentials": {}})
            self.assertEqual(answer["error"]["code"], "NOT_EXPECTED")
            await bob.close()


if __name__ == "__main__":
    main()
