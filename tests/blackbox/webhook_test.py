#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The webhook as an operator would write it: Python's own http.server, which checks the signature, keeps whom it is to
wake, and answers as it is told. Both forms of the protocol."""
import base64
import hashlib
import hmac
import http.server
import json
import os
import queue
import re
import threading
import time
import unittest

from client import JSON, PROTO, Person
from linnetd import PATIENCE_S, Node, eventually, main


class Hook(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.asked.put((dict(self.headers), body))
        status, fields = self.server.answers.pop(0) if self.server.answers else (204, {})
        self.send_response(status)
        for name, value in {"Content-Length": "0", **fields}.items():
            self.send_header(name, value)
        self.end_headers()

    def log_message(self, *_):
        pass


class Webhook(unittest.IsolatedAsyncioTestCase):
    async def asyncSetUp(self):
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Hook)
        self.server.asked, self.server.answers = queue.Queue(), []
        self.server.daemon_threads = True
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.addCleanup(self.server.server_close)
        self.addCleanup(self.server.shutdown)
        port = self.server.server_address[1]
        self.node = Node("--push-webhook", f"http://localhost:{port}/wake", "--push-delay-ms", "50",
                         "--push-retry-ms", "50", "--push-interval-ms", "50")
        self.addCleanup(self.node.__exit__)
        self.node.start()
        self.people = self.node.import_users("alice", "bob")

    def asked(self):
        """The next request's body, whose signature is good."""
        headers, body = self.server.asked.get(timeout=PATIENCE_S)
        seconds, mac = re.fullmatch(r"t=(\d+),v1=([0-9a-f]{64})", headers["Linnet-Signature"]).groups()
        with open(os.path.join(self.node.data, "push.webhook"), "rb") as file:
            secret = file.read().strip()
        expected = hmac.new(secret, seconds.encode() + b"." + body, hashlib.sha256).hexdigest()
        self.assertTrue(hmac.compare_digest(mac, expected))
        self.assertLess(abs(time.time() - int(seconds)), 300)
        said = json.loads(body)
        self.assertEqual(headers["Idempotency-Key"], f'"{said["id"]}"')
        return said

    async def subscribe(self, form):
        bob = await Person.welcomed(self.node, form, self.people["bob"][1])
        app = base64.b64encode(b"apns:1f2e").decode()
        self.assertIn("done", await bob.ask({"ref": "1", "setPush": {"webhook": {}, "app": app}}))
        await bob.close()

    async def test_a_device_is_woken_whatever_form_its_client_speaks(self):
        alice = await Person.welcomed(self.node, PROTO, self.people["alice"][1])
        for form in JSON, PROTO:
            await self.subscribe(form)
            self.server.answers = [(503, {})]
            await alice.ask({"sendMessage": {"chat": {"userName": "bob"}, "text": "secret"}})
            first, second = self.asked(), self.asked()
            self.assertEqual((first["type"], first["userId"], first["device"]), ("wake", str(self.people["bob"][0]), 1))
            self.assertEqual(base64.b64decode(first["app"]), b"apns:1f2e")
            self.assertEqual((first["attempt"], second["attempt"], first["id"]), (1, 2, second["id"]))

            def settled():
                device = json.loads(self.node.linnet("push", "show", "bob", "--json").stdout)["devices"][0]
                return not device["due"] and device["steps"][-1]["step"] == "accepted"
            eventually(settled, "the push to be noted")
        shown = self.node.linnet("push", "show", "bob").stdout
        self.assertRegex(shown, r"(?s)by webhook, set .* UTC\n  not due\n.*queued.*sent.*retried.*503.*accepted.*204")
        await alice.close()

    async def test_a_test_shows_what_the_server_answers(self):
        self.node.linnet("push", "test", "bob", code=1)  # he has left no subscription
        self.node.linnet("push", "test", "nobody", code=4)
        await self.subscribe(JSON)
        self.server.answers = [(404, {})]
        self.assertEqual(self.node.linnet("push", "test", "bob").stdout, "device 1: 404\n")
        self.assertEqual(self.asked()["type"], "test")
        self.assertEqual(self.node.linnet("push", "test", "bob", "1").stdout, "device 1: 204\n")
        self.node.linnet("push", "test", "bob", "2", code=1)
        self.node.linnet("push", "test", "bob", "x", code=2)


if __name__ == "__main__":
    main()
