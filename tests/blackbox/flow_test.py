#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Clients that ask and do not read: the node stops reading them too, keeps little for them, and serves the others; when
they read again nothing is missing, and when they never do they are closed."""
import json
import socket
import struct
import time
import unittest

from linnetd import PATIENCE_S, Node, main
from wire import BINARY, PING, PONG, TEXT, Wire, frame, header

MIB = 1 << 20
# Far below what is sent, far above what the node may keep for one connection (and its own comings and goings).
GROWTH_MAX = 32 * MIB
BATCH_BYTES = 16384


def command(**fields):
    return frame(TEXT, json.dumps(fields).encode())


class Flow(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.node = Node("--echo", "--frame-bytes-max", "1M").__enter__()
        cls.people = cls.node.import_users("alice", "bob", "carol", "dave")

    @classmethod
    def tearDownClass(cls):
        cls.node.__exit__()

    def log_in(self, name, receive_bytes=None):
        wire = Wire(self.node)
        self.addCleanup(wire.socket.close)
        if receive_bytes:
            wire.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_bytes)
        wire.send(b"GET /chat HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                  b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
                  b"Sec-WebSocket-Protocol: linnet.v1.json\r\nAuthorization: Bearer %s\r\n\r\n"
                  % self.people[name][1].encode())
        self.assertIn(" 101 ", wire.head())
        self.event(wire, "welcome")
        return wire

    @staticmethod
    def event(wire, kind):
        """The next event of this kind; others are passed over."""
        while True:
            opcode, payload = wire.receive()
            event = json.loads(payload) if opcode == TEXT else {}
            if kind in event:
                return event[kind]

    def stuff(self, wire, make, bytes_max):
        """Sends make(0), make(1) ... without reading, until the node has taken nothing for a second or bytes_max: how
        many went whole, how many were begun, and the rest of those that the kernel did not take. Several at a time: the
        node, which closes who does not read, is to see it all in the half minute for which it waits."""
        wire.socket.settimeout(1)
        sent = whole = count = 0
        try:
            while sent < bytes_max:
                whole, several = count, max(1, BATCH_BYTES // len(make(0)))
                data = b"".join(make(count + index) for index in range(several))
                count += several
                while data:
                    taken = wire.socket.send(data)
                    data, sent = data[taken:], sent + taken
        except TimeoutError:
            wire.socket.settimeout(PATIENCE_S)
            return whole, count, data
        self.fail(f"the node took {sent} bytes of somebody who does not read")

    def witness(self):
        """Somebody else chats meanwhile."""
        alice, bob = self.log_in("alice"), self.log_in("bob")
        alice.send(command(ref="1", sendMessage={"chat": {"userName": "bob"}, "text": "still served"}))
        self.assertIn("sent", self.event(alice, "answer"))
        message = self.event(bob, "newMessage")
        self.assertEqual(message["text"], "still served")
        bob.send(command(ref="2", ack={"inboxNumber": message["inboxNumber"]}))
        self.assertIn("done", self.event(bob, "answer"))
        alice.socket.close()
        bob.socket.close()

    def play(self, wire, make, answered, bytes_max=64 * MIB):
        before = self.node.resident_bytes()
        whole, count, left = self.stuff(wire, make, bytes_max)
        self.assertLess(self.node.resident_bytes() - before, GROWTH_MAX)
        self.witness()
        # It reads again: what was said and not yet read comes, in order.
        for index in range(whole):
            answered(index, wire.receive())
        wire.send(left)
        for index in range(whole, count):
            answered(index, wire.receive())

    def test_a_flood_of_websocket_pings_is_held_back_and_answered_when_it_is_read(self):
        wire = self.log_in("carol", receive_bytes=65536)
        self.play(wire, lambda index: frame(PING, b"%0125d" % index),
                  lambda index, got: self.assertEqual(got, (PONG, b"%0125d" % index)))

    def test_a_flood_of_pings_of_the_protocol_is_held_back_and_answered_when_it_is_read(self):
        wire = self.log_in("dave", receive_bytes=65536)
        self.play(wire, lambda index: command(ref=str(index + 1), ping={"data": "A" * 164}),
                  lambda index, got: self.assertEqual(json.loads(got[1])["pong"]["ref"], str(index + 1)))

    def test_a_flood_of_mistakes_is_closed_before_it_fills_anything(self):
        wire = self.log_in("carol", receive_bytes=65536)
        wire.send(command(nonsense="x" * 1000) * 32)
        for _ in range(32):
            self.assertIn("error", self.event(wire, "answer"))
        self.assertEqual(wire.close_code(), 4004)

    def test_large_echoes_that_nobody_reads_are_held_back_and_come_whole_when_they_are_read(self):
        with Wire.upgrade(self.node, "/echo", subprotocol=None) as wire:
            payload = bytes(range(256)) * 4096

            def echoed(index, got):
                self.assertEqual((got[0], len(got[1])), (BINARY, MIB))
                self.assertTrue(got[1] == struct.pack("!I", index) + payload[4:])

            self.play(wire, lambda index: frame(BINARY, struct.pack("!I", index) + payload[4:]), echoed)

    def test_two_hundred_halves_of_frames_cost_no_more_than_has_arrived(self):
        before = self.node.resident_bytes()
        for _ in range(200):
            wire = Wire.upgrade(self.node, "/echo", subprotocol=None)
            self.addCleanup(wire.socket.close)
            wire.send(header(BINARY, MIB, key=b"abcd") + bytes(1000))
        self.witness()
        self.assertLess(self.node.resident_bytes() - before, GROWTH_MAX)


class Never(unittest.TestCase):
    """Takes a minute: the node's patience."""

    def test_who_never_reads_what_was_sent_is_closed(self):
        with Node("--echo") as node, Wire.upgrade(node, "/echo", subprotocol=None) as wire:
            wire.socket.settimeout(1)
            with self.assertRaises(TimeoutError):
                while True:
                    wire.socket.send(frame(BINARY, bytes(60000)))
            began = time.monotonic()
            while b"linnet_slow_total 1\n" not in self.metrics(node):
                self.assertLess(time.monotonic() - began, 4 * PATIENCE_S)
                time.sleep(0.5)
            while b"linnet_connections 1\n" not in self.metrics(node):  # this one
                self.assertLess(time.monotonic() - began, 4 * PATIENCE_S)
                time.sleep(0.5)

    @staticmethod
    def metrics(node):
        with Wire(node) as wire:
            wire.send(b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n")
            return wire.rest()


if __name__ == "__main__":
    main()
