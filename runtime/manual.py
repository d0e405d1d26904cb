#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Writes the manual, section 3, from the comments of the public headers.

    runtime/manual.py --out FOLDER HEADER...     the headers as they are installed; FOLDER/*.3

A page for the library (linnet), one for each header (linnet_node), one for each comment that stands above functions
(ln_spawn), under the first one's name; the others of it lead there. What has no comment is an error: so the reference
is whole. Not Doxygen, whose pages repeat C where mdoc's macros say what a word is, and know no shared comments.
"""
import argparse
import os
import re
import sys
import textwrap
import time
from typing import NamedTuple

COMMENT = re.compile(r"/\*(.*?)\*/", re.DOTALL)
NAME = re.compile(r"\b(\w+)\s*\((?!\*)")
WORD = re.compile(r"^([(\[\"'*&]*)(-?[A-Za-z_]\w*(?:\(\))?)([)\].,:;!?\"']*)$")
MARKS = "LN_API|LN_MUST_CHECK|LN_NORETURN|static|inline|extern"
CONTEXT = "Called "


class Item(NamedTuple):
    """One declaration and the comment that it stands under."""

    kind: str  # function, macro, type
    name: str
    code: str
    doc: str
    parameters: tuple


class Link(str):
    """A page whose text is another's."""


class Header:
    def __init__(self, path, root):
        self.name = os.path.relpath(path, root)
        self.page = "linnet" if self.name == "linnet/linnet.h" else page_of(self.name)
        with open(path, encoding="utf-8") as stream:
            text = stream.read()
        story = COMMENT.findall(text)[1]
        # The story's first paragraph is the title; it may take more than one line.
        whole = clean(story).split(" - ", 1)[1].split("\n\n", 1)
        self.title, self.story = " ".join(whole[0].split()).rstrip("."), whole[1] if len(whole) > 1 else ""
        begin = text.find("LN_BEGIN\n")
        self.items = list(items_of(text[begin + 9 : text.rfind("LN_END")])) if begin >= 0 else []

    def context(self):
        found = [part for part in self.story.split("\n\n") if part.startswith(CONTEXT)]
        return found[0] if found else ""


def page_of(name):
    return "linnet_" + os.path.basename(name)[:-2]


def clean(comment):
    """A comment's lines without their stars."""
    return re.sub(r"^ ?\* ?", "", comment, flags=re.MULTILINE).strip()


def items_of(text):
    doc = ""
    while text:
        if text.startswith("/*"):
            end = text.index("*/") + 2
            doc = clean(text[2 : end - 2])
            doc = "" if doc.startswith("---") else doc
            text = text[end:].lstrip(" ").removeprefix("\n")
        elif text.startswith("\n"):
            doc, text = "", text[1:]
        else:
            code = declaration_of(text)
            rest = text[len(code) :]
            behind = re.match(r"[ \t]*/\*(.*?)\*/", rest, re.DOTALL)
            if behind:
                rest = rest[behind.end() :]
            yield item(code, doc or (clean(behind.group(1)) if behind else ""))
            text = rest.removeprefix("\n")


def declaration_of(text):
    """Up to the semicolon, or the brace that ends it; of a #define all its lines."""
    if text.startswith("#"):
        return re.match(r"(?:.*\\\n)*.*", text).group(0)
    depth = 0
    for place, char in enumerate(COMMENT.sub(lambda found: " " * len(found.group(0)), text)):
        depth += (char == "{") - (char == "}")
        if depth == 0 and (char == ";" or (char == "}" and text[place + 1 : place + 2] == "\n")):
            return text[: place + 1]
    raise ValueError("a declaration without an end: " + text[:80])


def item(code, doc):
    if code.startswith("#define"):
        name = re.match(r"#define (\w+)", code).group(1)
        return Item("macro" if f"{name}(" in code else "type", name, code.split("\\\n")[0].rstrip(), doc, ())
    bare = re.sub(rf"\b(?:{MARKS})\b\s*", "", COMMENT.sub("", code)).strip()
    head = re.sub(r"LN_PRINTF_LIKE\(.*?\)", "", bare.split("{")[0]).strip().rstrip(";").strip()
    if "(" in head and not head.startswith("typedef"):
        name = NAME.search(head).group(1)
        return Item("function", name, " ".join(head.split()), doc, tuple(parameters_of(head)))
    name = re.search(r"(?:struct|enum|union|typedef [\w ]+)\s+(\w+)|(\w+)\s*$", head)
    return Item("type", next((part for part in name.groups() if part), "enum") if name else "enum", code, doc, ())


def parameters_of(head):
    """A prototype's parameters, split at the commas that are in no parentheses of their own."""
    depth, start, inside = 0, 0, head[head.index(NAME.search(head).group(1)) :]
    inside = inside[inside.index("(") + 1 : inside.rindex(")")]
    for place, char in enumerate(inside + ","):
        depth += (char == "(") - (char == ")")
        if char == "," and depth == 0:
            yield " ".join(inside[start:place].split())
            start = place + 1


def parameter_names(one):
    for parameter in one.parameters:
        found = re.search(r"\(\*(\w+)\)|(\w+)(?:\[.*)?$", parameter)
        if found:
            yield found.group(1) or found.group(2)


# ------------------------------------------------------------------------------------------------------- mdoc


class Writer:
    """Comments in mdoc: a word is marked up for what it is."""

    def __init__(self, functions, constants):
        self.functions, self.constants = functions, constants

    def prose(self, text, names=()):
        out = []
        for number, part in enumerate(part for part in re.split(r"\n\s*\n", text) if part.strip()):
            if part.startswith("    "):
                lines = "\n".join(escape(line[4:]) for line in part.split("\n"))
                out += [".Bd -literal -offset indent", lines, ".Ed"]
                continue
            if number > 0 and out[-1:] != [".Ed"]:
                out.append(".Pp")
            elif number > 0:
                out[-1:] = [".Ed", ".Pp"]
            out += self.words(part.split(), set(names))
        return "\n".join(out)

    def words(self, words, names):
        line = []
        for word in words:
            macro = self.macro(word, names)
            if macro:
                if line:
                    yield text_line(line)
                line = []
                yield macro
            else:
                line.append(word)
        if line:
            yield text_line(line)

    def macro(self, word, names):
        found = WORD.match(word)
        if not found:
            return None
        before, core, after = found.groups()
        bare = core.removesuffix("()")
        if bare in self.functions:
            kind = f".Fn {bare}"
        elif re.fullmatch(r"-E[A-Z0-9]{2,}", core):
            kind = f".Er {core}"
        elif core in self.constants:
            kind = f".Dv {core}"
        elif core in names and before in ("", "*", "`"):
            kind = f".Fa {before}{core}"
            before = ""
        else:
            return None
        if before:
            return None
        return " ".join([kind, *after]) if not re.search("[\"']", after) else None


def escape(line):
    return quote(line.replace("\\", "\\e").replace("-", "\\-"))


def text_line(words):
    """Each sentence begins a line, as mdoc wants it."""
    sentences = re.sub(r"([\w)`\"][.!?]) (?=\S)", r"\1\n", " ".join(words)).split("\n")
    lines = [line for sentence in sentences for line in textwrap.wrap(sentence, 78, break_long_words=False)]
    return "\n".join(quote(line.replace("\\", "\\e").replace("`", "\\(ga")) for line in lines)


def quote(line):
    return "\\&" + line if line[:1] in (".", "'") else line


def head(page, names, title, date):
    return f".Dd {date}\n.Dt {page.upper()} 3\n.Os Linnet\n.Sh NAME\n" + " ,\n".join(
        f".Nm {name}" for name in names) + f"\n.Nd {title}\n.Sh LIBRARY\nAn actor runtime\n.Pq liblinnet, \\-llinnet\n"


def first_sentence(doc):
    sentence = re.split(r"(?<=[.:;])\s", " ".join(doc.split()))[0].rstrip(".:;")
    return re.sub(r"[`*]", "", sentence)


def prototype(one):
    if one.kind == "macro":
        name, arguments = re.match(r"#define (\w+)\((.*?)\)", one.code).groups()
        return f".Fn {name} " + " ".join(f'"{argument.strip()}"' for argument in arguments.split(","))
    kind = one.code[: one.code.index(one.name + "(")].strip()
    return f'.Ft "{kind}"\n.Fn {one.name} ' + " ".join(f'"{parameter}"' for parameter in one.parameters)


def function_pages(header, writer, date):
    """Yields (page, text): a page for each comment, and a pointer to it for its further functions."""
    groups = {}
    for one in header.items:
        if one.kind in ("function", "macro"):
            groups.setdefault(one.doc, []).append(one)
    for doc, group in groups.items():
        page, names = group[0].name, [one.name for one in group]
        arguments = {name for one in group for name in parameter_names(one)}
        text = head(page, names, first_sentence(doc), date)
        text += f".Sh SYNOPSIS\n.In {header.name}\n" + "\n".join(prototype(one) for one in group)
        text += "\n.Sh DESCRIPTION\n" + writer.prose(doc, arguments)
        if header.context():
            text += "\n.Sh CALLING\n" + writer.prose(header.context())
        text += "\n.Sh SEE ALSO\n" + see_also(header)
        yield page, text
        for name in names[1:]:
            yield name, Link(page)


def see_also(header):
    pages = sorted({"linnet", header.page})
    return " ,\n".join(f".Xr {page} 3" for page in pages)


def header_page(header, headers, writer, date):
    text = head(header.page, [header.page], header.title, date)
    text += f".Sh SYNOPSIS\n.In {header.name}\n.Sh DESCRIPTION\n" + writer.prose(header.story or header.title + ".")
    functions = [one for one in header.items if one.kind in ("function", "macro")]
    if functions:
        text += "\n.Sh FUNCTIONS\n.Bl -tag -width Ds"
        for one in functions:
            text += f"\n.It Fn {one.name}\n" + writer.prose(first_sentence(one.doc) + ".", parameter_names(one))
        text += "\n.El"
    types = [one for one in header.items if one.kind == "type"]
    if types:
        text += "\n.Sh TYPES AND CONSTANTS"
        for number, one in enumerate(types):
            text += "\n.Pp" if number > 0 and one.doc else ""
            text += ("\n" + writer.prose(one.doc) if one.doc else "") + "\n.Bd -literal -offset indent\n"
            text += "\n".join(escape(line) for line in one.code.split("\n")) + "\n.Ed"
    others = [other for other in headers if other is not header] if header.page == "linnet" else [
        other for other in headers if other.page == "linnet"]
    text += "\n.Sh SEE ALSO\n" + " ,\n".join(f".Xr {page} 3" for page in sorted(other.page for other in others))
    return text


def check_complete(headers):
    missing = [f"{header.name}: {one.name} has no comment" for header in headers for one in header.items
               if one.kind in ("function", "macro") and not one.doc]
    missing += [f"{header.name}: no paragraph begins with '{CONTEXT.strip()}'" for header in headers
                if header.items and not header.context()]
    if missing:
        sys.exit("\n".join(missing))


def main():
    parser = argparse.ArgumentParser(description="writes the manual from the public headers")
    parser.add_argument("--out", required=True)
    parser.add_argument("--root", required=True, help="what the headers' names are relative to")
    parser.add_argument("headers", nargs="+")
    options = parser.parse_args()
    headers = [Header(path, options.root) for path in options.headers]
    check_complete(headers)
    functions = {one.name for header in headers for one in header.items if one.kind in ("function", "macro")}
    constants = {name for header in headers for one in header.items if one.kind == "type"
                 for name in re.findall(r"\b(?:LN|IO)_[A-Z0-9_]+\b", one.code)}
    day = time.gmtime(int(os.environ.get("SOURCE_DATE_EPOCH", time.time())))
    date = time.strftime("%B ", day) + f"{day.tm_mday}, {day.tm_year}"
    writer = Writer(functions, constants)
    os.makedirs(options.out, exist_ok=True)
    for old in os.listdir(options.out):
        os.remove(f"{options.out}/{old}")
    for header in headers:
        pages = [(header.page, header_page(header, headers, writer, date)), *function_pages(header, writer, date)]
        for page, text in pages:
            path = f"{options.out}/{page}.3"
            if isinstance(text, Link):
                os.symlink(f"{text}.3", path)
                continue
            with open(path, "w", encoding="utf-8") as stream:
                stream.write(text + "\n")


main()
