#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Runs the runtime's examples and compares what they print with what docs/runtime.md says.

    tests/runtime/examples.py GUIDE FOLDER               the guide, and the folder with the programs
    tests/runtime/examples.py GUIDE FOLDER EMULATOR      where they run on the simulated machine, in an emulator

There the server, whose clients are real, is left out, and the order in which several actors speak is the seed's: the
lines are compared without it.
"""
import re
import socket
import subprocess
import sys

STEP = re.compile(r"^## [^\n]*\(`runtime/examples/(\w+)\.c`\)$(.*?)(?=^## )", re.MULTILINE | re.DOTALL)
OUTPUT = re.compile(r"^```output\n(.*?)^```$", re.MULTILINE | re.DOTALL)
SECONDS_MAX = 60


def check_output(command, expected):
    ordered = sorted if len(command) > 1 else list
    printed = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS_MAX, check=False)
    if printed.returncode != 0 or ordered(printed.stdout.splitlines()) != ordered(expected.splitlines()):
        sys.exit(f"{command[-1]}: ended with {printed.returncode}, printed:\n{printed.stdout}{printed.stderr}"
                 f"the guide says:\n{expected}")


def check_echo(program):
    """Several clients at once; each gets its own bytes back, and the end after its end."""
    with subprocess.Popen([program, "127.0.0.1:0"], stdout=subprocess.PIPE, text=True) as server:
        try:
            port = int(re.fullmatch(r"listening on 127\.0\.0\.1:(\d+)\n", server.stdout.readline()).group(1))
            clients = [socket.create_connection(("127.0.0.1", port), SECONDS_MAX) for _ in range(20)]
            for number, client in enumerate(clients):
                client.sendall(b"%d " % number * 10000)
                client.shutdown(socket.SHUT_WR)
            for number, client in enumerate(clients):
                with client, client.makefile("rb") as echoed:
                    if echoed.read() != b"%d " % number * 10000:
                        sys.exit(f"{program}: client {number} did not get back what it sent")
        finally:
            server.kill()


def main():
    guide, folder, *emulator = sys.argv[1:]
    with open(guide, encoding="utf-8") as text:
        steps = STEP.findall(text.read())
    if len(steps) != 6:
        sys.exit(f"{guide}: {len(steps)} steps, there should be 6")
    for name, section in steps:
        outputs = OUTPUT.findall(section)
        if name == "5_echo":
            if not emulator:
                check_echo(f"{folder}/{name}")
        elif len(outputs) == 1:
            check_output([*emulator, f"{folder}/{name}"], outputs[0])
        else:
            sys.exit(f"{guide}: step {name} has {len(outputs)} outputs, there should be one")


main()
