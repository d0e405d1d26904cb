#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""HTTP at the door: what an operator's tools ask for, and what is wrong with a request."""
import http.client
import re
import socket
import struct
import time
import unittest
import urllib.request

from linnetd import PATIENCE_S, Node, eventually, main
from wire import PING, PONG, TEXT, Wire, frame, upgrade_request

GET = b"GET %s HTTP/1.1\r\nHost: localhost\r\n\r\n"


def status_of(answer):
    return int(re.match(rb"HTTP/1\.1 (\d{3}) ", answer).group(1))


class Http(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.node = Node().__enter__()

    @classmethod
    def tearDownClass(cls):
        cls.node.__exit__()

    def ask(self, request, *, end=False):
        """The whole answer to these bytes; `end`: the client says no more."""
        with Wire(self.node) as wire:
            wire.send(request)
            if end:
                wire.socket.shutdown(socket.SHUT_WR)
            return wire.rest()

    def stock(self, method, path, **more):
        """(status, headers, body) as Python's own client has them."""
        connection = http.client.HTTPConnection(self.node.host, self.node.port, timeout=PATIENCE_S)
        try:
            connection.request(method, path, **more)
            answer = connection.getresponse()
            return answer.status, answer.headers, answer.read()
        finally:
            connection.close()

    # ------------------------------------------------------------------------------------------------ pages

    def test_livez_and_readyz_say_200(self):
        for path, body in ("/livez", b"alive\n"), ("/readyz", b"ready\n"):
            status, headers, got = self.stock("GET", path)
            self.assertEqual((status, got), (200, body))
            self.assertEqual(headers["Content-Type"].split(";")[0], "text/plain")
            self.assertEqual(headers["Connection"], "close")
            self.assertIsNotNone(headers["Date"])

    def test_metrics_are_prometheus_text(self):
        with urllib.request.urlopen(f"http://{self.node.host}:{self.node.port}/metrics", timeout=PATIENCE_S) as answer:
            self.assertTrue(answer.headers["Content-Type"].startswith("text/plain; version=0.0.4"))
            lines = answer.read().decode("utf-8").splitlines()
        types, helps, values = {}, set(), {}
        for line in lines:
            found = re.fullmatch(r"# TYPE (\w+) (counter|gauge)", line)
            if found:
                self.assertNotIn(found[1], types, "a type told twice")
                types[found[1]] = found[2]
                continue
            found = re.fullmatch(r"# HELP (\w+) \S.*", line)
            if found:
                helps.add(found[1])
                continue
            found = re.fullmatch(r'(\w+)(\{\w+="[^"\\]*"(?:,\w+="[^"\\]*")*\})? (\d+)', line)
            self.assertIsNotNone(found, line)
            self.assertIn(found[1], types, "a sample before its type")
            self.assertNotIn((found[1], found[2]), values, "a sample told twice")
            values[found[1], found[2]] = int(found[3])
        self.assertEqual(set(types), helps)
        self.assertGreater(len(values), 40)
        self.assertEqual(values["linnet_connections", None], 1)  # this one
        for kind in "normal", "low", "long":
            self.assertIn(("linnet_work_under_way", f'{{kind="{kind}"}}'), values)
        for name, kind in types.items():
            self.assertTrue(name.startswith("linnet_"))
            self.assertEqual(kind == "counter", name.endswith("_total"), name)

    def test_counters_count(self):
        before = self.counter("linnet_requests_bad_total")
        self.ask(b"rubbish\r\n\r\n")
        self.assertEqual(self.counter("linnet_requests_bad_total"), before + 1)

    def counter(self, name):
        return int(re.search(rb"^%s (\d+)$" % name.encode(), self.stock("GET", "/metrics")[2], re.MULTILINE).group(1))

    def test_head_has_the_headers_and_no_body(self):
        for path in "/livez", "/metrics", "/nowhere":
            status, headers, body = self.stock("HEAD", path)
            self.assertEqual(status, 404 if path == "/nowhere" else 200)
            self.assertGreater(int(headers["Content-Length"]), 0)
            self.assertEqual(body, b"")
            self.assertTrue(self.ask(b"HEAD %s HTTP/1.1\r\nHost: x\r\n\r\n" % path.encode()).endswith(b"\r\n\r\n"))

    def test_a_page_that_does_not_exist_is_404(self):
        for path in "/", "/livez/", "/Livez", "/metrics/x", "/chat/..", "/%6civez", "//livez", "/echo":
            self.assertEqual(self.stock("GET", path)[0], 404, path)

    def test_a_query_changes_nothing(self):
        self.assertEqual(self.stock("GET", "/livez?verbose=1")[0], 200)

    def test_an_absolute_target_is_the_same_page(self):
        self.assertEqual(status_of(self.ask(GET % b"http://example.com/livez")), 200)

    def test_http_1_0_is_answered_even_without_a_host(self):
        answer = self.ask(b"GET /livez HTTP/1.0\r\n\r\n")
        self.assertEqual(status_of(answer), 200)
        self.assertTrue(answer.endswith(b"\r\n\r\nalive\n"))

    def test_other_methods_are_405_and_told_which_may_be_used(self):
        for method in "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "CONNECT":
            status, headers, _ = self.stock(method, "/livez", headers={"Content-Length": "0"})
            self.assertEqual((status, headers["Allow"]), (405, "GET, HEAD"), method)

    def test_a_method_that_nobody_knows_is_501(self):
        self.assertEqual(self.stock("BREW", "/livez")[0], 501)

    def test_chat_without_an_upgrade_is_426_and_told_what_to_upgrade_to(self):
        status, headers, _ = self.stock("GET", "/chat")
        self.assertEqual((status, headers["Upgrade"], headers["Sec-WebSocket-Version"]), (426, "websocket", "13"))

    # -------------------------------------------------------------------------------------------- bad requests

    def test_each_malformed_request_has_its_status_and_a_sentence(self):
        many = b"".join(b"X-%d: y\r\n" % i for i in range(100))
        rows = [
            (b"rubbish\r\n\r\n", 400, b"request line"),
            (b"GET\r\n\r\n", 400, b"request line"),
            (b"GET  /livez HTTP/1.1\r\nHost: x\r\n\r\n", 400, b"request line"),
            (b" GET /livez HTTP/1.1\r\nHost: x\r\n\r\n", 400, b"request line"),
            (b"G\x00T /livez HTTP/1.1\r\nHost: x\r\n\r\n", 400, b"request line"),
            (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 400, b"request line"),  # TLS says hello
            (b"GET livez HTTP/1.1\r\nHost: x\r\n\r\n", 400, b"target"),
            (b"GET /a#b HTTP/1.1\r\nHost: x\r\n\r\n", 400, b"target"),
            (b"GET /\xff HTTP/1.1\r\nHost: x\r\n\r\n", 400, b"target"),
            (b"GET /livez\r\n\r\n", 400, b"request line"),
            (b"GET /livez HTTPS/1.1\r\nHost: x\r\n\r\n", 400, b"HTTP version"),
            (b"GET /livez HTTP/2.0\r\nHost: x\r\n\r\n", 505, b"HTTP/1.1"),
            (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 501, b"method"),
            (b"GET /livez HTTP/1.1\nHost: x\n\n", 400, b"line feed"),
            (b"GET /livez HTTP/1.1\rHost: x\r\n\r\n", 400, b"carriage return"),
            (b"GET /livez HTTP/1.1\r\n\r\n", 400, b"Host"),
            (b"GET /livez HTTP/1.1\r\nHost: a/b\r\n\r\n", 400, b"host"),
            (b"GET /livez HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n", 400, b"twice"),
            (b"GET /livez HTTP/1.1\r\nHost : x\r\n\r\n", 400, b"name"),
            (b"GET /livez HTTP/1.1\r\nHost: x\r\n: y\r\n\r\n", 400, b"name"),
            (b"GET /livez HTTP/1.1\r\nHost: x\r\n folded\r\n\r\n", 400, b"folded"),
            (b"GET /livez HTTP/1.1\r\nHost: x\r\nA: \x01\r\n\r\n", 400, b"control"),
            (b"GET /livez HTTP/1.1\r\nHost: x\r\nContent-Length: x\r\n\r\n", 400, b"Content-Length"),
            (b"GET /livez HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello", 413, b"body"),
            (b"GET /livez HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 413, b"body"),
            (GET % (b"/" + b"x" * 9000), 414, b"too long"),
            (b"GET /livez HTTP/1.1\r\nHost: x\r\nX: " + b"y" * 9000 + b"\r\n\r\n", 431, b"too large"),
            (b"GET /livez HTTP/1.1\r\nHost: x\r\n" + many + b"\r\n", 431, b"too many"),
        ]
        for request, status, sentence in rows:
            for end in False, True:
                with self.subTest(request=request[:60], end=end):
                    answer = self.ask(request, end=end)
                    self.assertEqual(status_of(answer), status, answer)
                    head, _, body = answer.partition(b"\r\n\r\n")
                    self.assertIn(sentence, body)
                    self.assertIn(b"Connection: close", head)
                    self.assertIn(b"Content-Length: %d\r\n" % len(body), head + b"\r\n")

    def test_each_malformed_upgrade_has_its_status_and_a_sentence(self):
        good, _ = upgrade_request()
        key = re.search(rb"Sec-WebSocket-Key: (.*)\r\n", good).group(0)
        rows = [
            (good.replace(b"GET ", b"HEAD "), 405, b""),
            (good.replace(b"HTTP/1.1", b"HTTP/1.0"), 400, b"HTTP/1.1"),
            (good.replace(b"Upgrade: websocket", b"Upgrade: h2c"), 426, b"WebSocket"),
            (good.replace(b"Connection: Upgrade\r\n", b""), 400, b"Connection"),
            (good.replace(b"Connection: Upgrade", b"Connection: close"), 400, b"Connection"),
            (good.replace(b"Version: 13", b"Version: 8"), 426, b"13"),
            (good.replace(b"Sec-WebSocket-Version: 13\r\n", b""), 426, b"13"),
            (good.replace(key, b""), 400, b"Key"),
            (good.replace(key, b"Sec-WebSocket-Key: tooshort==\r\n"), 400, b"Key"),
            (good.replace(key, key + key), 400, b"twice"),
            (good.replace(b"linnet.v1.json", b"linnet.v1.xml"), 400, b"subprotocol"),
            (good.replace(b"Protocol: linnet.v1.json", b"Protocol: a b"), 400, b"tokens"),
            (good.replace(b"linnet.v1.json", b"linnet.v1.json, linnet.token."), 400, b"Sec-WebSocket-Protocol"),
            (good.replace(b"\r\n\r\n", b"\r\nAuthorization: Bearer\r\n\r\n"), 401, b"Bearer"),
            (good.replace(b"\r\n\r\n", b"\r\nAuthorization: Bearer \xc3\xa4\r\n\r\n"), 401, b"Bearer"),
        ]
        for request, status, sentence in rows:
            with self.subTest(request=request):
                answer = self.ask(request)
                self.assertEqual(status_of(answer), status, answer)
                self.assertIn(sentence, answer.partition(b"\r\n\r\n")[2])

    def test_who_logs_in_with_the_request_is_answered_once_with_the_upgrade_and_its_outcome(self):
        # So many that some move to another scheduler on the way.
        people = self.node.import_users(*(f"early{i}" for i in range(8)))
        cases = [(token, b'"welcome"') for _, token in people.values()] + [("x" * 40, b"TOKEN_INVALID")]
        for token, outcome in cases:
            request, accept = upgrade_request(token=token)
            with self.subTest(token=token), Wire(self.node) as wire:
                wire.send(request)
                head, _, behind = wire.socket.recv(65536).partition(b"\r\n\r\n")
                self.assertIn(accept.encode(), head)
                self.assertIn(outcome, behind)

    def test_an_upgrade_is_recognised_whatever_the_case_and_the_neighbours(self):
        good, accept = upgrade_request()
        lines = good.replace(b"Upgrade: websocket", b"uPGRADE: WebSocket").replace(
            b"Connection: Upgrade", b"CONNECTION: keep-alive, upgrade").replace(b": ", b":\t ")
        with Wire(self.node) as wire:
            wire.send(lines)
            self.assertIn(accept, wire.head())

    # ------------------------------------------------------------------------------------------------- manners

    def test_a_request_that_arrives_byte_by_byte_is_answered(self):
        with Wire(self.node) as wire:
            wire.send_slowly(GET % b"/livez")
            self.assertEqual(status_of(wire.rest()), 200)

    def test_what_follows_a_request_is_not_answered(self):
        for behind in GET % b"/livez", b"\x00\xffrubbish" * 100:
            answer = self.ask(GET % b"/livez" + behind)
            self.assertEqual(answer.count(b"HTTP/1.1 200"), 1)
            self.assertTrue(answer.endswith(b"\r\n\r\nalive\n"))

    def test_a_client_that_has_said_its_last_word_gets_its_answer(self):
        answer = self.ask(GET % b"/livez", end=True)
        self.assertTrue(answer.endswith(b"alive\n"), answer)

    def test_connections_that_come_and_go_without_a_word_are_forgotten(self):
        for number in range(50):
            with Wire(self.node) as wire:
                if number % 2:
                    wire.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        eventually(lambda: self.counter("linnet_connections") == 1, "only this connection to be counted")


class ManySchedulers(unittest.TestCase):
    def test_the_metrics_of_many_schedulers_are_whole(self):
        with Node("--schedulers", "24", "--store-segment-bytes", "2M", "--store-reserve-bytes", "2M") as node:
            with urllib.request.urlopen(f"http://{node.host}:{node.port}/metrics", timeout=PATIENCE_S) as answer:
                text = answer.read().decode("utf-8")
        for scheduler in range(24):
            self.assertRegex(text, rf'(?m)^linnet_scheduler_memory_used_bytes{{scheduler="{scheduler}"}} \d+$')
        for row in ("under_way", "oldest_nanoseconds", "done_total", "taken_back_total", "queued_nanoseconds_total",
                    "run_nanoseconds_total"):
            for kind in "normal", "low", "long":
                self.assertRegex(text, rf'(?m)^linnet_work_{row}{{kind="{kind}"}} \d+$')
        self.assertTrue(text.endswith("\n"))


class Patience(unittest.TestCase):
    """Clients that take their time."""

    @classmethod
    def setUpClass(cls):
        cls.node = Node("--login-timeout-ms", "500", "--echo", "--idle-timeout-ms", "1000").__enter__()

    @classmethod
    def tearDownClass(cls):
        cls.node.__exit__()

    def test_a_connection_that_says_nothing_is_closed_at_the_login_timeout(self):
        began = time.monotonic()
        with Wire(self.node) as wire:
            self.assertEqual(wire.rest(), b"")
        self.assertGreaterEqual(time.monotonic() - began, 0.49)

    def test_a_head_that_drips_is_cut_off_at_the_login_timeout_whatever_still_drips(self):
        began = time.monotonic()
        with Wire(self.node) as wire:
            wire.send(b"GET /livez HTTP/1.1\r\nX: ")
            wire.socket.settimeout(0.02)
            while True:
                self.assertLess(time.monotonic() - began, PATIENCE_S)
                try:
                    wire.send(b"y")
                    if not wire.socket.recv(1000):
                        break
                except TimeoutError:
                    continue
                except OSError:
                    break
        self.assertGreaterEqual(time.monotonic() - began, 0.49)

    def test_a_login_that_drips_is_closed_at_the_login_timeout(self):
        with Wire.upgrade(self.node) as wire:
            wire.send(frame(TEXT, b'{"authenticate":{"token":"x"}}')[:-1])
            self.assertEqual(wire.close_received()[0], 4001)

    def test_pings_are_no_login(self):
        began = time.monotonic()
        with Wire.upgrade(self.node) as wire:
            wire.socket.settimeout(0.02)
            while time.monotonic() - began < PATIENCE_S:
                try:
                    wire.send(frame(PING))
                    while True:
                        got = wire.receive()
                        if got[0] != PONG:
                            self.assertEqual(struct.unpack("!H", got[1][:2])[0], 4001)
                            return
                except TimeoutError:
                    continue
        self.fail("it may stay without a login")

    def test_an_echo_connection_that_stays_silent_is_closed_with_4008(self):
        with Wire.upgrade(self.node, "/echo", subprotocol=None) as wire:
            self.assertEqual(wire.receive(), (PING, b""))
            self.assertEqual(wire.close_code(), 4008)


class Stopping(unittest.TestCase):
    def test_a_node_that_is_gone_answers_nobody(self):
        with Node() as node:
            self.assertEqual(node.stop(), 0)
            with self.assertRaises(ConnectionRefusedError):
                Wire(node)


if __name__ == "__main__":
    main()
