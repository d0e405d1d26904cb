#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""RFC 6455 case by case, at /echo: what is sent byte for byte, what must come back, and the code of the close.

The cases follow the sections of the Autobahn suite (framing, pings, reserved bits, opcodes, fragmentation, UTF-8, close
handling, limits). Each title is a sentence about the node.
"""
import os
import re
import struct
import unittest

from linnetd import Node, main
from wire import (BINARY, CLOSE, CONTINUATION, PING, PONG, TEXT, Wire, close_frame, frame, header, mask,
                  upgrade_request)

LIMIT = 1 << 20  # --frame-bytes-max of this node, for one message
CASES = []


def case(title, *sent, echoes=(), close=None, piece=None):
    """`sent`: bytes, written one after another (in pieces of so many bytes). `echoes`: (opcode, payload) that come
    back, in order. `close`: the code with which the node then closes; None: it does not, and goes on."""
    CASES.append((title, sent, list(echoes), close, piece))


def text(data, **more):
    return frame(TEXT, data, **more)


def binary(data, **more):
    return frame(BINARY, data, **more)


def rest(data, **more):
    return frame(CONTINUATION, data, **more)


# ---------------------------------------------------------------------------------------------------- framing

for size in 0, 1, 125, 126, 127, 128, 65535, 65536, LIMIT:
    ascii_payload, bytes_payload = b"*" * size, bytes(range(256)) * (size // 256 + 1)
    case(f"a text of {size} bytes comes back", text(ascii_payload), echoes=[(TEXT, ascii_payload)])
    case(f"a binary message of {size} bytes comes back", binary(bytes_payload[:size]),
         echoes=[(BINARY, bytes_payload[:size])])
for size, piece in (0, 1), (125, 1), (300, 1), (65536, 997):
    case(f"a text of {size} bytes that arrives {piece} at a time comes back", text(b"*" * size), piece=piece,
         echoes=[(TEXT, b"*" * size)])
case("two hundred messages in one segment come back in order", b"".join(text(b"%d" % i) for i in range(200)),
     echoes=[(TEXT, b"%d" % i) for i in range(200)])
case("a mask of zeros is a mask", header(TEXT, 5, key=b"\0\0\0\0") + b"hello", echoes=[(TEXT, b"hello")])
case("a frame without a mask is closed with 1002", frame(TEXT, b"hello", masked=False), close=1002)
case("an empty frame without a mask is closed with 1002", frame(TEXT, b"", masked=False), close=1002)
case("a ping without a mask is closed with 1002", frame(PING, b"x", masked=False), close=1002)

# ------------------------------------------------------------------------------------------------ pings, pongs

for size in 0, 1, 125:
    case(f"a ping of {size} bytes is answered with them", frame(PING, b"p" * size), echoes=[(PONG, b"p" * size)])
case("a ping of bytes that are no text is answered with them", frame(PING, b"\x00\xff\xfe"),
     echoes=[(PONG, b"\x00\xff\xfe")])
case("a ping of 126 bytes is closed with 1002", frame(PING, b"p" * 126), close=1002)
case("a ping that arrives byte by byte is answered", frame(PING, b"slowly"), piece=1, echoes=[(PONG, b"slowly")])
case("a pong that nobody asked for is passed over", frame(PONG, b"hello"), frame(PING, b"x"), echoes=[(PONG, b"x")])
case("an empty pong that nobody asked for is passed over", frame(PONG), text(b"x"), echoes=[(TEXT, b"x")])
case("a pong of 126 bytes is closed with 1002", frame(PONG, b"p" * 126), close=1002)
case("ten pings are answered one by one", *(frame(PING, b"%d" % i) for i in range(10)),
     echoes=[(PONG, b"%d" % i) for i in range(10)])

# ------------------------------------------------------------------------------------------------ reserved bits

for reserved in range(1, 8):
    case(f"reserved bits {reserved:03b} in a text are closed with 1002", text(b"x", reserved=reserved), close=1002)
case("reserved bits after a good message leave that its echo", text(b"good"), text(b"bad", reserved=4),
     echoes=[(TEXT, b"good")], close=1002)
case("reserved bits in a ping are closed with 1002", frame(PING, b"x", reserved=2), close=1002)
case("reserved bits in a close are closed with 1002", frame(CLOSE, struct.pack("!H", 1000), reserved=1), close=1002)
case("reserved bits in a continuation are closed with 1002", text(b"a", fin=False), rest(b"b", reserved=4), close=1002)

# ----------------------------------------------------------------------------------------------------- opcodes

for opcode in 3, 4, 5, 6, 7, 11, 12, 13, 14, 15:
    case(f"opcode {opcode} is closed with 1002", frame(opcode), close=1002)
    case(f"opcode {opcode} with a payload, behind a good message, is closed with 1002", text(b"good"),
         frame(opcode, b"bad"), frame(PING), echoes=[(TEXT, b"good")], close=1002)

# ----------------------------------------------------------------------------------------------- fragmentation

case("a text in two fragments comes back in one", text(b"frag", fin=False), rest(b"ment"), echoes=[(TEXT, b"fragment")])
case("a binary message in two fragments comes back in one", binary(b"\xff", fin=False), rest(b"\xfe"),
     echoes=[(BINARY, b"\xff\xfe")])
case("fragments in one segment, cut anywhere, come back in one",
     text(b"one ", fin=False) + rest(b"two ", fin=False) + rest(b"three"), piece=3, echoes=[(TEXT, b"one two three")])
case("a text in a thousand fragments comes back in one",
     text(b"0", fin=False) + b"".join(rest(b"%d" % (i % 10), fin=False) for i in range(1, 999)) + rest(b"9"),
     echoes=[(TEXT, (b"0123456789" * 100))])
case("empty fragments make an empty text", text(b"", fin=False), rest(b"", fin=False), rest(b""),
     echoes=[(TEXT, b"")])
case("empty fragments around a text change nothing", text(b"", fin=False), rest(b"middle", fin=False), rest(b""),
     echoes=[(TEXT, b"middle")])
case("pings between fragments are answered at once", text(b"a", fin=False), frame(PING, b"1"), rest(b"b", fin=False),
     frame(PING, b"2"), rest(b"c"), echoes=[(PONG, b"1"), (PONG, b"2"), (TEXT, b"abc")])
case("a pong between fragments is passed over", text(b"a", fin=False), frame(PONG, b"1"), rest(b"b"),
     echoes=[(TEXT, b"ab")])
case("a close between fragments ends the connection", text(b"a", fin=False), close_frame(1000), close=1000)
case("a fragmented ping is closed with 1002", frame(PING, b"a", fin=False), rest(b"b"), close=1002)
case("a fragmented pong is closed with 1002", frame(PONG, b"a", fin=False), rest(b"b"), close=1002)
case("a fragmented close is closed with 1002", frame(CLOSE, struct.pack("!H", 1000), fin=False), close=1002)
case("a continuation of nothing is closed with 1002", rest(b"x"), close=1002)
case("a continuation of nothing that is not the last is closed with 1002", rest(b"x", fin=False), rest(b"y"),
     close=1002)
case("a continuation behind a finished message is closed with 1002", text(b"a", fin=False), rest(b"b"), rest(b"c"),
     echoes=[(TEXT, b"ab")], close=1002)
case("a new text within a message is closed with 1002", text(b"a", fin=False), text(b"b"), close=1002)
case("a new binary message within a message is closed with 1002", binary(b"a", fin=False), binary(b"b", fin=False),
     close=1002)

# ------------------------------------------------------------------------------------------------------- UTF-8

GOOD_TEXTS = {
    "every length of character": "aßपी𐍈 \x00\x7f\x80߿ࠀ￿\U00010000".encode(),
    "Greek with accents": "κόσμε".encode(),
    "the last character there is": "\U0010ffff".encode(),
    "characters around the surrogates": "\ud7ff\ue000".encode(),
    "noncharacters": "\ufdd0\ufffe\uffff\U0001fffe".encode(),
    "a byte order mark": b"\xef\xbb\xbf",
}
for what, data in GOOD_TEXTS.items():
    case(f"a text of {what} comes back", text(data), echoes=[(TEXT, data)])
    case(f"a text of {what}, one byte a fragment, comes back",
         b"".join(frame(CONTINUATION if i else TEXT, data[i:i + 1], fin=False) for i in range(len(data))) + rest(b""),
         echoes=[(TEXT, data)])

BAD_TEXTS = {
    "a lone continuation byte": b"\x80",
    "a continuation byte behind a character": b"a\xbf",
    "two bytes cut short": b"\xc3",
    "three bytes cut short": b"\xe2\x82",
    "four bytes cut short": b"\xf0\x9f\x98",
    "two bytes cut short by a letter": b"\xc3a",
    "an overlong slash of two bytes": b"\xc0\xaf",
    "an overlong slash of three bytes": b"\xe0\x80\xaf",
    "an overlong slash of four bytes": b"\xf0\x80\x80\xaf",
    "an overlong zero": b"\xc0\x80",
    "the greatest overlong of two bytes": b"\xc1\xbf",
    "the greatest overlong of three bytes": b"\xe0\x9f\xbf",
    "the greatest overlong of four bytes": b"\xf0\x8f\xbf\xbf",
    "the first high surrogate": b"\xed\xa0\x80",
    "the last low surrogate": b"\xed\xbf\xbf",
    "a surrogate pair": b"\xed\xa0\x80\xed\xb0\x80",
    "a character beyond the last": b"\xf4\x90\x80\x80",
    "five bytes": b"\xf8\x88\x80\x80\x80",
    "six bytes": b"\xfc\x84\x80\x80\x80\x80",
    "the byte fe": b"\xfe",
    "the byte ff": b"\xff",
}
for what, data in BAD_TEXTS.items():
    case(f"a text with {what} is closed with 1007", text(b"good " + data), close=1007)
    whole = b"k\xc3\xb6 " + data
    case(f"a text with {what}, one byte a fragment, is closed with 1007",
         b"".join(frame(CONTINUATION if i else TEXT, whole[i:i + 1], fin=False) for i in range(len(whole))) + rest(b""),
         close=1007)
case("bytes that are no text are nothing wrong in a binary message", binary(b"\xff\xc0\x80"),
     echoes=[(BINARY, b"\xff\xc0\x80")])
case("a character cut by a fragment's end is whole again with the next", text(b"\xe2", fin=False), rest(b"\x82\xac"),
     echoes=[(TEXT, "€".encode())])
case("a bad fragment is closed with 1007 before the message's end", text(b"good", fin=False), rest(b"\xff", fin=False),
     close=1007)
case("a character begun in one message and ended in the next is closed with 1007", text(b"\xe2"), text(b"\x82\xac"),
     close=1007)

# ------------------------------------------------------------------------------------------------------- close

case("a close behind a message comes after its echo", text(b"last words"), close_frame(1000),
     echoes=[(TEXT, b"last words")], close=1000)
case("a close without a code is answered without one", frame(CLOSE), close=0)
case("a close of one byte is closed with 1002", frame(CLOSE, b"\x03"), close=1002)
case("a close with a reason is answered with its code", close_frame(1000, "good bye, 東京".encode()), close=1000)
case("a close with a reason of 123 bytes is answered with its code", close_frame(1000, b"r" * 123), close=1000)
case("a close with a reason of 124 bytes is closed with 1002", close_frame(1000, b"r" * 124), close=1002)
case("a close with a reason that is no UTF-8 is closed with 1007", close_frame(1000, b"\xce\xba\xff"), close=1007)
case("what follows a close is not read", close_frame(1000), text(b"too late"), frame(PING), close=1000)
case("two closes are answered once", close_frame(1000) + close_frame(1001), close=1000)
case("a close that arrives byte by byte is answered", close_frame(1000, b"slowly"), piece=1, close=1000)
for code in (1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014, 3000, 3999, 4000, 4999):
    case(f"a close with {code} is answered with {code}", close_frame(code), close=code)
for code in (0, 1, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 65535):
    case(f"a close with {code}, which must not be sent, is closed with 1002", close_frame(code), close=1002)

# ------------------------------------------------------------------------------------------------------ limits

case("one byte more than the limit is closed with 1009", header(BINARY, LIMIT + 1, key=b"abcd"), close=1009)
case("a frame announced with 2^63 - 1 bytes is closed with 1009", header(TEXT, 2**63 - 1, key=b"abcd"), close=1009)
case("a frame announced with 2^63 bytes is closed with 1002", header(TEXT, 2**63, key=b"abcd"), close=1002)
case("fragments of more than the limit together are closed with 1009", binary(b"x" * (LIMIT - 1), fin=False),
     rest(b"yz", fin=False), close=1009)
case("fragments that reach the limit come back", binary(b"x" * (LIMIT - 1), fin=False), rest(b"y"),
     echoes=[(BINARY, b"x" * (LIMIT - 1) + b"y")])
case("fragments of 1,300 bytes that reach the limit come back",
     b"".join(frame(CONTINUATION if i else BINARY, b"z" * min(1300, LIMIT - i), fin=i + 1300 >= LIMIT)
              for i in range(0, LIMIT, 1300)), echoes=[(BINARY, b"z" * LIMIT)])
case("a length of 125 written in 16 bits is closed with 1002",
     header(TEXT, 125, key=b"abcd", form=126) + mask(b"*" * 125, b"abcd"), close=1002)
case("a length of 65,535 written in 64 bits is closed with 1002",
     header(TEXT, 65535, key=b"abcd", form=127) + mask(b"*" * 65535, b"abcd"), close=1002)


class Echo(unittest.TestCase):
    """The cases of the table, one connection each."""

    @classmethod
    def setUpClass(cls):
        cls.node = Node("--echo", "--frame-bytes-max", "1M").__enter__()

    @classmethod
    def tearDownClass(cls):
        cls.node.__exit__()

    def play(self, sent, echoes, close, piece):
        with Wire.upgrade(self.node, "/echo", subprotocol=None) as wire:
            for data in sent:
                if piece is None:
                    wire.send(data)
                else:
                    wire.send_slowly(data, piece)
            for opcode, payload in echoes:
                got = wire.receive()
                self.assertIsNotNone(got, "the stream ended before the echo")
                self.assertEqual((got[0], len(got[1])), (opcode, len(payload)))
                self.assertEqual(got[1], payload)
            if close is None:
                wire.send(close_frame(1000))
                close = 1000
            self.assertEqual(wire.close_code() or 0, close)

    def test_the_handshake_is_that_of_the_example_in_the_standard(self):
        with Wire(self.node) as wire:
            wire.send(b"GET /echo HTTP/1.1\r\nHost: server.example.com\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                      b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nOrigin: http://example.com\r\n"
                      b"Sec-WebSocket-Version: 13\r\n\r\n")
            self.assertIn("Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n", wire.head())

    def test_frames_right_behind_the_request_are_read(self):
        for piece in 100_000, 7, 1:
            request, accept = upgrade_request("/echo", subprotocol=None)
            with self.subTest(piece=piece), Wire(self.node) as wire:
                wire.send_slowly(request + text(b"early") + frame(PING, b"bird"), piece)
                self.assertIn(accept, wire.head())
                self.assertEqual([wire.receive(), wire.receive()], [(TEXT, b"early"), (PONG, b"bird")])

    def test_a_connection_cut_within_a_frame_disturbs_nobody(self):
        with Wire.upgrade(self.node, "/echo", subprotocol=None) as witness:
            for at in range(1, 30):
                with Wire.upgrade(self.node, "/echo", subprotocol=None) as wire:
                    wire.send((text(b"x" * 10, fin=False) + rest(b"y" * 10))[:at])
            witness.send(text(b"still here"))
            self.assertEqual(witness.receive(), (TEXT, b"still here"))

    def test_rubbish_of_every_kind_never_ends_the_node(self):
        with Wire.upgrade(self.node, "/echo", subprotocol=None) as witness:
            for _ in range(200):
                with Wire.upgrade(self.node, "/echo", subprotocol=None) as wire:
                    wire.send(os.urandom(200))
            witness.send(text(b"still here"))
            self.assertEqual(witness.receive(), (TEXT, b"still here"))


def named(title):
    return "test_" + re.sub(r"\W+", "_", title).strip("_")


for row in CASES:
    name = named(row[0])
    assert not hasattr(Echo, name), f"two cases are called '{row[0]}'"
    setattr(Echo, name, lambda self, row=row: self.play(*row[1:]))

if __name__ == "__main__":
    main()
