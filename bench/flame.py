#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Draws where a process spent its CPU: a flame graph (Brendan Gregg) as one SVG, without script or network.

    bench/flame.py --pid $(pgrep -x linnetd) --seconds 5 --title "chat, 100 pairs" out.svg

It runs `perf record` (Debian's linux-perf) on the process for so long and draws the stacks: each box is a function, as
wide as its share of the samples, on top of whoever called it; threads at the bottom. What is below --least of the whole
is left out. A box tells its share when it is pointed at.
"""
import argparse
import os
import re
import subprocess
import sys
import tempfile
from xml.sax.saxutils import escape

WIDTH, ROW, MARGIN, HEAD = 1200, 17, 10, 46
LETTER = 6.6  # of the font, in pixels
KERNEL, OURS, OTHERS = "#7a9cc6", "#e0935a", "#b7b39b"


class Frame:
    """A function as called from one stack: its samples, and whom it called."""

    def __init__(self, name, kind):
        self.name, self.kind, self.count, self.called = name, kind, 0, {}

    def child(self, name, kind):
        return self.called.setdefault(name, Frame(name, kind))

    def depth(self, least):
        return 1 + max((c.depth(least) for c in self.called.values() if c.count >= least), default=0)


def record(pid, seconds):
    """perf's own words: samples, each with a line for its thread and one for each frame, innermost first"""
    with tempfile.TemporaryDirectory() as folder:
        data = os.path.join(folder, "perf.data")
        subprocess.run(["perf", "record", "-q", "-e", "cpu-clock", "-F", "997", "-g", "-p", str(pid), "-o", data, "--",
                        "sleep", str(seconds)], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        done = subprocess.run(["perf", "script", "-i", data, "-F", "comm,ip,sym,dso"], check=True, capture_output=True,
                              text=True)
        return done.stdout


def kind_of(library):
    if "kernel" in library or library == "[vdso]":
        return KERNEL
    return OURS if "linnet" in library else OTHERS


def stacks(text):
    root = Frame("all", OTHERS)
    for sample in text.split("\n\n"):
        lines = [line for line in sample.split("\n") if line.strip()]
        if not lines:
            continue
        frames = re.findall(r"^\s+[0-9a-f]+ (.*) \((.*)\)$", "\n".join(lines[1:]), re.MULTILINE)
        at = root.child(lines[0].strip(), OTHERS)
        root.count += 1
        at.count += 1
        for name, library in reversed(frames):
            if name == "[unknown]":
                continue
            at = at.child(re.sub(r"(\.isra|\.part|\.constprop|\.lto_priv)\.\d+", "", name), kind_of(library))
            at.count += 1
    return root


def draw(frame, left, bottom, scale, whole, least, out):
    width = frame.count * scale
    share = 100 * frame.count / whole
    letters = int((width - 4) / LETTER)
    text = frame.name if len(frame.name) <= letters else frame.name[: letters - 1] + "…" if letters > 3 else ""
    out.append(f'<g><title>{escape(frame.name)}: {share:.1f} %</title><rect x="{left:.1f}" y="{bottom}" width="{width:.1f}" '
               f'height="{ROW - 1}" fill="{frame.kind}"/>')
    if text:
        out.append(f'<text x="{left + 3:.1f}" y="{bottom + ROW - 5}">{escape(text)}</text>')
    out.append("</g>")
    for child in sorted(frame.called.values(), key=lambda c: c.name):
        if child.count >= least:
            draw(child, left, bottom - ROW, scale, whole, least, out)
            left += child.count * scale


def svg(root, title, least_percent):
    least = max(1, root.count * least_percent / 100)
    height = HEAD + ROW * root.depth(least) + MARGIN
    out = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}">',
           "<style>text{font:11px monospace;fill:#1a1a1a}.t{font-size:15px}rect{stroke:#fff;stroke-width:.4}</style>",
           f'<rect width="{WIDTH}" height="{height}" fill="#fbfaf7"/>',
           f'<text class="t" x="{MARGIN}" y="20">{escape(title)}</text>',
           f'<text x="{MARGIN}" y="37">{root.count} samples; orange: ours, blue: the kernel, grey: libraries and threads</text>']
    draw(root, MARGIN, height - MARGIN - ROW, (WIDTH - 2 * MARGIN) / root.count, root.count, least, out)
    out.append("</svg>\n")
    return "\n".join(out)


def main(arguments):
    parser = argparse.ArgumentParser(description="draws where a process spent its CPU")
    parser.add_argument("--pid", type=int, required=True, help="of the process")
    parser.add_argument("--seconds", type=float, default=5, help="how long to look")
    parser.add_argument("--title", default="", help="what stands above")
    parser.add_argument("--least", type=float, default=0.5, help="percent of the samples below which a box is left out")
    parser.add_argument("file", help="the SVG")
    options = parser.parse_args(arguments)
    root = stacks(record(options.pid, options.seconds))
    if root.count == 0:
        print("flame: the process used no CPU", file=sys.stderr)
        return 1
    with open(options.file, "w", encoding="utf-8") as stream:
        stream.write(svg(root, options.title, options.least))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
