# SPDX-License-Identifier: Apache-2.0
"""Protobuf's binary form by hand, from the schema's text alone: a second reader and writer beside the node's own.

Messages are the dictionaries of proto3's JSON mapping: {"sendMessage": {"chat": {"userName": "bob"}, "text": "x"}}.

    schema = Schema()
    data = schema.encode("ClientFrame", {"ref": "7", "ping": {}})
    frame = schema.decode("ServerFrame", data)
"""
import base64
import os
import re

PATH = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "net", "linnet.proto")
VARINT, FIXED64, LENGTH, GROUP, END_GROUP, FIXED32 = range(6)


def varint(value):
    out = bytearray()
    while value > 0x7f:
        out.append(value & 0x7f | 0x80)
        value >>= 7
    return bytes(out + bytes([value]))


def field(number, wire_type, value):
    """One field: an int for VARINT, bytes for the others."""
    tag = varint(number << 3 | wire_type)
    if wire_type == LENGTH:
        return tag + varint(len(value)) + value
    return tag + (varint(value) if wire_type == VARINT else value)


def camel(name):
    return re.sub(r"_(\w)", lambda match: match.group(1).upper(), name)


class Schema:
    def __init__(self):
        with open(PATH, encoding="utf-8") as stream:
            text = re.sub(r"//[^\n]*", "", stream.read())
        self.messages, self.enums = {}, {}
        self.read(text)

    def read(self, text):
        """Each `message NAME {` and `enum NAME {`, fields to the innermost message around them (oneofs are looked
        through: a member is a field). An enum is known by its message's name and its own: "State.Kind"."""
        around = []  # (kind, name) of the blocks that are open
        pattern = re.compile(r"(?P<kind>message|enum|oneof)\s+(?P<name>\w+)\s*\{|(?P<end>\})|reserved[^;]*;"
                             r"|(?P<repeated>repeated\s+)?(?P<type>[\w.]+)\s+(?P<field>\w+)\s*=\s*(?P<number>\d+)\s*;"
                             r"|(?P<value>[A-Z_]+)\s*=\s*(?P<code>\d+)\s*;")
        for match in pattern.finditer(text):
            message = ([name for kind, name in around if kind == "message"] or [None])[-1]
            if match["kind"]:
                name = f"{message}.{match['name']}" if match["kind"] == "enum" else match["name"]
                around.append((match["kind"], name))
                if match["kind"] != "oneof":
                    (self.messages if match["kind"] == "message" else self.enums)[name] = {}
            elif match["end"]:
                around.pop()
            elif match["field"]:
                self.messages[message][int(match["number"])] = (camel(match["field"]), match["type"],
                                                                 bool(match["repeated"]))
            elif match["value"]:
                self.enums[around[-1][1]][int(match["code"])] = match["value"]
        for message, fields in self.messages.items():  # those of the message itself are named without it
            for number, (name, kind, repeated) in fields.items():
                if f"{message}.{kind}" in self.enums:
                    fields[number] = (name, f"{message}.{kind}", repeated)

    def encode(self, message, values):
        out = b""
        known = {name: (number, kind) for number, (name, kind, _) in self.messages[message].items()}
        for name, value in sorted(values.items(), key=lambda item: known[item[0]][0]):
            number, kind = known[name]
            for one in value if isinstance(value, list) else [value]:
                out += self.encode_field(number, kind, one)
        return out

    def encode_field(self, number, kind, value):
        if kind in self.messages:
            return field(number, LENGTH, self.encode(kind, value))
        if kind == "string":
            return field(number, LENGTH, value.encode())
        if kind == "bytes":
            return field(number, LENGTH, base64.b64decode(value))
        if kind in self.enums and isinstance(value, str):
            value = {name: code for code, name in self.enums[kind].items()}[value]
        return field(number, VARINT, int(value))

    def decode(self, message, data):
        values, at = {}, 0
        while at < len(data):
            tag, at = varint_read(data, at)
            name, kind, repeated = self.messages[message][tag >> 3]
            value, at = varint_read(data, at)
            if tag & 7 == LENGTH:
                value, at = data[at:at + value], at + value
                assert at <= len(data), "a field beyond its message"
            value = self.value(kind, value)
            if repeated:
                values.setdefault(name, []).append(value)
            else:
                assert name not in values, f"{name} given twice"
                values[name] = value
        return values

    def value(self, kind, value):
        if kind in self.messages:
            return self.decode(kind, value)
        if kind in self.enums:
            return self.enums[kind][value]
        if kind == "string":
            return value.decode("utf-8")
        if kind == "bytes":
            return base64.b64encode(value).decode()
        if kind == "bool":
            return bool(value)
        return value if kind == "uint32" else str(value)


def varint_read(data, at):
    value = shift = 0
    while True:
        byte = data[at]
        value |= (byte & 0x7f) << shift
        at, shift = at + 1, shift + 7
        if byte < 0x80:
            return value, at
