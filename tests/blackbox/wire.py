# SPDX-License-Identifier: Apache-2.0
"""RFC 6455 by hand, for what no stock client can be made to send: each byte is the test's own.

    wire = Wire.upgrade(node, "/echo")
    wire.send(frame(TEXT, b"hello"))
    opcode, payload = wire.receive()
    assert wire.close_code() == 1002
"""
import base64
import hashlib
import os
import socket
import struct

from linnetd import PATIENCE_S

CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG = 0, 1, 2, 8, 9, 10
GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"


def mask(payload, key):
    if not payload:
        return b""
    repeated = (key * (len(payload) // 4 + 1))[:len(payload)]
    return (int.from_bytes(payload, "big") ^ int.from_bytes(repeated, "big")).to_bytes(len(payload), "big")


def header(opcode, length, *, fin=True, reserved=0, key=None, form=None):
    """A frame's header; `form` 126 or 127 writes the length longer than need be."""
    form = form or (length if length < 126 else 126 if length < 65536 else 127)
    head = bytes([(0x80 if fin else 0) | reserved << 4 | opcode, (0x80 if key is not None else 0) | form])
    if form == 126:
        head += struct.pack("!H", length)
    elif form == 127:
        head += struct.pack("!Q", length)
    return head + (key or b"")


def frame(opcode, payload=b"", *, masked=True, **more):
    """A whole frame as a client sends it."""
    key = os.urandom(4) if masked else None
    return header(opcode, len(payload), key=key, **more) + (mask(payload, key) if masked else payload)


def close_frame(code, reason=b""):
    return frame(CLOSE, struct.pack("!H", code) + reason)


def upgrade_request(path="/chat", subprotocol="linnet.v1.json", token=None, host="localhost"):
    key = base64.b64encode(os.urandom(16)).decode()
    lines = [f"GET {path} HTTP/1.1", f"Host: {host}", "Upgrade: websocket", "Connection: Upgrade",
             "Sec-WebSocket-Version: 13", f"Sec-WebSocket-Key: {key}"]
    if subprotocol:
        lines.append(f"Sec-WebSocket-Protocol: {subprotocol}")
    if token:
        lines.append(f"Authorization: Bearer {token}")
    return ("\r\n".join(lines) + "\r\n\r\n").encode(), accept_of(key)


def accept_of(key):
    return base64.b64encode(hashlib.sha1(key.encode() + GUID).digest()).decode()


def frame_take(buffer):
    """(opcode, fin, payload, bytes used) of the frame that `buffer` begins with, or None: not all of it is there."""
    if len(buffer) < 2:
        return None
    length, at = buffer[1] & 0x7f, 2
    if buffer[1] & 0x80:
        raise AssertionError("a server must not mask its frames")
    if buffer[0] & 0x70:
        raise AssertionError("a reserved bit is set")
    if length >= 126:
        at = 4 if length == 126 else 10
        if len(buffer) < at:
            return None
        length = int.from_bytes(buffer[2:at], "big")
    if len(buffer) < at + length:
        return None
    return buffer[0] & 0x0f, bool(buffer[0] & 0x80), bytes(buffer[at:at + length]), at + length


class Wire:
    """A blocking socket with a buffer; every wait ends after PATIENCE_S."""

    def __init__(self, node):
        self.socket = socket.create_connection((node.host, node.port), timeout=PATIENCE_S)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.buffer = bytearray()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    @classmethod
    def upgrade(cls, node, path="/chat", **more):
        wire = cls(node)
        request, accept = upgrade_request(path, **more)
        wire.send(request)
        head = wire.head()
        if not head.startswith("HTTP/1.1 101 ") or f"Sec-WebSocket-Accept: {accept}\r\n" not in head:
            raise AssertionError(f"no WebSocket: {head}")
        return wire

    def send(self, data):
        self.socket.sendall(data)

    def send_slowly(self, data, piece=1):
        for at in range(0, len(data), piece):
            self.socket.sendall(data[at:at + piece])

    def more(self):
        """Reads on; False at the stream's end."""
        try:
            data = self.socket.recv(65536)
        except ConnectionResetError:
            return False
        self.buffer += data
        return bool(data)

    def head(self):
        """An HTTP answer's head, with the empty line."""
        while b"\r\n\r\n" not in self.buffer:
            if not self.more():
                raise AssertionError(f"the stream ended within the head: {bytes(self.buffer)}")
        end = self.buffer.index(b"\r\n\r\n") + 4
        head, self.buffer = self.buffer[:end].decode("ascii"), self.buffer[end:]
        return head

    def rest(self):
        """Everything until the stream's end."""
        while self.more():
            pass
        data, self.buffer = bytes(self.buffer), bytearray()
        return data

    def receive(self):
        """(opcode, payload) of the next frame, or None at the stream's end. The node never fragments."""
        while True:
            taken = frame_take(self.buffer)
            if taken is not None:
                opcode, fin, payload, used = taken
                if not fin:
                    raise AssertionError("the node sent a fragment")
                del self.buffer[:used]
                return opcode, payload
            if not self.more():
                if self.buffer:
                    raise AssertionError(f"the stream ended within a frame: {bytes(self.buffer)}")
                return None

    def close_received(self):
        """(code, reason) of the close frame that comes next (code None: without one); answered, and the stream seen to
        its end."""
        while True:
            got = self.receive()
            if got is None:
                raise AssertionError("the stream ended without a close frame")
            if got[0] == CLOSE:
                break
            if got[0] not in (PING, PONG):
                raise AssertionError(f"a frame instead of the close: {got}")
        payload = got[1]
        if len(payload) == 1 or (len(payload) > 2 and not payload[2:].decode("utf-8").isprintable()):
            raise AssertionError(f"a bad close frame: {payload}")
        return (struct.unpack("!H", payload[:2])[0] if payload else None), payload[2:].decode("utf-8")

    def close_code(self):
        """The code alone; then the closing handshake is finished."""
        code, _ = self.close_received()
        try:
            self.send(close_frame(code) if code else frame(CLOSE))
        except OSError:
            pass  # it was quicker
        left = self.rest()
        if left:
            raise AssertionError(f"something follows the close: {left}")
        return code
