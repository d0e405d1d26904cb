#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Fills again the comment paragraphs of C files that have a line over the limit; `make format` runs it.

    tests/style/rewrap.py FILE...

clang-format leaves comments alone (ReflowComments), so that drawings and tables survive. This touches a paragraph only
when one of its lines is too long, and never one that is indented (code), listed (-) or drawn. A comment behind code
whose line is too long moves above it. What is still too long after that, the style test names.
"""
import re
import sys
import textwrap

COLUMNS_MAX = 100
# "/* text", " * text" at any indentation, with what closes the comment on the last line.
TRAILING = re.compile(r"^(?P<indent>\s*)(?P<code>[^\s#*/].*?)\s+(?P<comment>/\* .* \*/)$")
BANNER = re.compile(r"^/\* -{20,} (?P<title>.*) \*/$")
LINE = re.compile(r"^(?P<indent>\s*)(?P<lead>/\*|\*)(?P<gap> )(?P<text>\S.*)$")


def rewrap(lines):
    out, paragraph = [], []

    def flush():
        out.extend(fill(paragraph) if any(len(line) > COLUMNS_MAX for line in paragraph) else paragraph)
        paragraph.clear()

    inside = False
    for line in lines:
        match = LINE.match(line)
        prose = match and not BANNER.match(line) and (inside or match["lead"] == "/*") and "/*" not in match["text"]
        closes = "*/" in line
        starts = bool(match) and (match["lead"] == "/*" or re.match(r"[-\d@|+]", match["text"]) is not None)
        if prose and starts:
            flush()
        if prose and not (closes and not line.rstrip().endswith("*/")):
            paragraph.append(line)
        else:
            flush()
            out.extend([line] if inside else lift(line))
        inside = not closes if (match and match["lead"] == "/*") or inside else "/*" in line and not closes
        if closes:
            flush()
    flush()
    return out


def lift(line):
    """A line of code whose comment makes it too long: the comment, then the code. A banner gets fewer dashes."""
    banner = BANNER.match(line)
    if len(line) > COLUMNS_MAX and banner:
        return ["/* " + "-" * (COLUMNS_MAX - len("/*   */") - len(banner["title"])) + f" {banner['title']} */"]
    match = TRAILING.match(line)
    if len(line) <= COLUMNS_MAX or not match or "/*" in match["code"]:
        return [line]
    return fill([match["indent"] + match["comment"]]) + [match["indent"] + match["code"]]


def fill(paragraph):
    """The same words in lines of at most COLUMNS_MAX; a one-line comment becomes one of several lines."""
    first = LINE.match(paragraph[0])
    body = first["indent"] + (" " if first["lead"] == "/*" else "") + "* "
    closed = paragraph[-1].rstrip().endswith("*/")
    words = " ".join(LINE.match(line)["text"] for line in paragraph)
    if closed:
        # Kept to the last word, so that it never stands on a line alone.
        words = re.sub(r"\s*\*/$", "\0*/", words)
    lines = textwrap.wrap(
        words,
        COLUMNS_MAX,
        initial_indent=first["indent"] + first["lead"] + " ",
        subsequent_indent=body,
        break_long_words=False,
        break_on_hyphens=False,
    )
    return [line.replace("\0", " ") for line in lines]


def main(paths):
    for path in paths:
        with open(path, encoding="utf-8") as stream:
            text = stream.read()
        lines = rewrap(text.split("\n"))
        if "\n".join(lines) != text:
            with open(path, "w", encoding="utf-8") as stream:
                stream.write("\n".join(lines))


if __name__ == "__main__":
    main(sys.argv[1:])
