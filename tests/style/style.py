#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Reads the tree and names every place that breaks a rule of form: file:line: rule: what is wrong.

    tests/style/style.py                            all rules that need no compiler
    tests/style/style.py --compile FOLDER=DIR:DIR   also compiles each header of FOLDER alone, with these include paths
    tests/style/style.py --root DIR                 another tree (the self-test plants one)

A rule is a function that takes the tree and yields findings; RULES at the end lists them all. What may reach the kernel
outside runtime/io stands in kernel_allowed.txt beside this file, each entry with its reason.
"""
import argparse
import concurrent.futures
import os
import re
import subprocess
import sys
from typing import NamedTuple

FUNCTION_LINES_MAX = 70
SOURCE_LINES_MAX = 800
HEADER_LINES_GOAL = 200  # told, not refused
HEADER_LINES_MAX = 300
PUBLIC_HEADER_LINES_MAX = 400  # what is installed carries the comments that the manual is made of
COLUMNS_MAX = 100

# What a folder may include besides its own files. Nothing includes tests or bench but themselves.
LAYERS = {
    "runtime": [],
    "net": ["runtime"],
    "store": ["runtime"],
    "actors": ["runtime", "net", "store"],
    "tools": ["runtime", "net", "store", "actors"],
    "bench": ["runtime", "net", "store", "actors", "tools"],
    "tests": ["runtime", "net", "store", "actors", "tools", "bench"],
}
# Folders whose code reaches time, chance, sockets, files and threads through runtime/io/io.h alone.
KERNEL_FREE = ["runtime", "net", "store", "actors", "tools", "bench"]
KERNEL_DOOR = "runtime/io/"

# A library's one home: the paths below which its headers may be included.
LIBRARY_HOMES = {
    "ck_": ["runtime/", "tests/runtime/", "bench/runtime/floor.c"],
    "liburing": ["runtime/io/", "tests/runtime/", "bench/bare_ring.h"],
    "lmdb.h": ["store/", "tests/store/", "tests/runtime/io/sim_lmdb_test.c"],
}

KERNEL_HEADERS = re.compile(
    r"(sys/(socket|time|epoll|eventfd|stat|statvfs|random|file|un|syscall|wait|timerfd|signalfd|inotify|resource)\.h"
    r"|netinet/.*|arpa/.*|linux/.*|asm/.*"
    r"|(netdb|unistd|pthread|threads|time|fcntl|poll|signal|dirent|sched|termios|spawn|semaphore)\.h"
    r"|liburing.*)$"
)
# Calls that need no header of that list, or that a declaration elsewhere would smuggle in.
KERNEL_CALLS = re.compile(
    r"(?<![\w.>])(rand|srand|random|srandom|rand_r|drand48|time|clock|clock_gettime|gettimeofday|nanosleep|usleep|sleep"
    r"|getrandom|getentropy|arc4random|fopen|freopen|fdopen|popen|tmpfile|system|socket|pthread_create|thrd_create|syscall"
    r"|fork|signal|sigaction)\s*\("
)

SKIPPED_FOLDERS = {".git", "var", "node_modules", "__pycache__"}
C_LICENCE = "/* SPDX-License-Identifier: Apache-2.0 */"
LICENCE = "SPDX-License-Identifier: Apache-2.0"
LICENSED_ENDINGS = (".c", ".h", ".S", ".py", ".sh", ".js", ".mjs", ".cjs", ".cmake", ".proto")
LICENSED_NAMES = ("CMakeLists.txt", "Makefile")
# Read as text for the rules on words and paths, whether licensed or not.
TEXT_ENDINGS = LICENSED_ENDINGS + (".md", ".txt", ".json", ".ini", ".yml", ".yaml")
# Spelled in pieces so that this file passes its own rule.
UNFINISHED = re.compile(r"\b(TO" + "DO|FIX" + "ME|X" + "XX)\\b")
MACHINE_PATHS = re.compile(r"(?<![\w.})/])/(wo" + "rk|ro" + "ot|fa" + r"rm|home)(/|\b(?![\w-]))")


class Finding(NamedTuple):
    path: str
    line: int
    rule: str
    text: str

    def __str__(self):
        return f"{self.path}:{self.line}: {self.rule}: {self.text}"


class File:
    """A text file, its lines, and for C the same lines with comments and literals blanked."""

    def __init__(self, root, path):
        self.path = path
        with open(os.path.join(root, path), encoding="utf-8", errors="replace") as stream:
            self.text = stream.read()
        self.lines = self.text.splitlines()
        self.is_c = path.endswith((".c", ".h"))
        self.is_header = path.endswith(".h")
        self.code = blank_comments(self.text).splitlines() if self.is_c else self.lines
        self.folder = path.split("/")[0] if "/" in path else ""


class Tree:
    def __init__(self, root):
        self.root = root
        self.files = [File(root, path) for path in sorted(walk(root))]
        self.c_files = [file for file in self.files if file.is_c]
        self.paths = {file.path for file in self.files}


def walk(root):
    for folder, folders, names in os.walk(root):
        folders[:] = [name for name in folders if name not in SKIPPED_FOLDERS and not name.startswith("build")]
        for name in names:
            path = os.path.relpath(os.path.join(folder, name), root)
            whole = os.path.join(folder, name)
            if is_text(path) and os.path.isfile(whole) and not os.path.islink(whole):
                yield path


def is_text(path):
    name = os.path.basename(path)
    script = path.startswith(".ci/") and "." not in name
    return script or name in LICENSED_NAMES or (name.endswith(TEXT_ENDINGS) and "/corpus_" not in path)


COMMENT_OR_LITERAL = re.compile(r'/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'', re.DOTALL)


def blank_comments(text):
    """Keeps newlines and columns, and the quotes of an #include, so that a finding's line is the file's."""

    def blank(match):
        found = match.group(0)
        line_start = text.rfind("\n", 0, match.start()) + 1
        if found.startswith('"') and text[line_start : match.start()].lstrip().startswith("#"):
            return found
        return re.sub(r"[^\n]", " ", found)

    return COMMENT_OR_LITERAL.sub(blank, text)


INCLUDE = re.compile(r'\s*#\s*include\s*(["<])([^">]+)[">]')


def includes_of(file):
    """Yields (line number, '"' or '<', what is included)."""
    for number, line in enumerate(file.code, 1):
        match = INCLUDE.match(line)
        if match:
            yield number, match.group(1), match.group(2)


# ---------------------------------------------------------------------------------------------------------- form


def check_licence(tree):
    for file in tree.files:
        if file.is_c:
            if not file.lines or file.lines[0] != C_LICENCE:
                yield Finding(file.path, 1, "licence", f"the first line is not {C_LICENCE}")
        elif file.path.endswith(LICENSED_ENDINGS) or os.path.basename(file.path) in LICENSED_NAMES or is_script(file):
            if not any(LICENCE in line for line in file.lines[:2]):
                yield Finding(file.path, 1, "licence", f"the first two lines do not say {LICENCE}")


def is_script(file):
    return bool(file.lines) and file.lines[0].startswith("#!")


def check_pragma_once(tree):
    for file in tree.c_files:
        if file.is_header and "#pragma once" not in file.code:
            yield Finding(file.path, 1, "pragma-once", "a header without #pragma once")


def check_file_length(tree):
    for file in tree.c_files:
        header_max = PUBLIC_HEADER_LINES_MAX if "LN_BEGIN" in file.lines else HEADER_LINES_MAX
        limit = header_max if file.is_header else SOURCE_LINES_MAX
        if len(file.lines) > limit:
            yield Finding(file.path, limit + 1, "file-length", f"{len(file.lines)} lines, at most {limit}")


def check_line_length(tree):
    for file in tree.c_files:
        for number, line in enumerate(file.lines, 1):
            if len(line) > COLUMNS_MAX:
                yield Finding(file.path, number, "line-length", f"{len(line)} columns, at most {COLUMNS_MAX}")


def check_function_length(tree):
    for file in tree.c_files:
        for first, last, name in functions_of(file):
            length = last - first + 1
            if length > FUNCTION_LINES_MAX:
                text = f"{name} has {length} lines, at most {FUNCTION_LINES_MAX}"
                yield Finding(file.path, first, "function-length", text)


def functions_of(file):
    """Yields (first line, last line, name). The formatter puts a function's braces, and only those, in column one."""
    first = None
    for number, line in enumerate(file.code, 1):
        if line.rstrip() == "{":
            first = signature_start(file.code, number)
        elif line.rstrip() == "}" and first is not None:
            signature = " ".join(file.code[first - 1 : number])
            match = re.search(r"(\w+)\s*\(", signature)
            yield first, number, match.group(1) if match else "?"
            first = None


def signature_start(code, brace):
    """The line of the return type above the brace in line `brace`, counted from one."""
    first = brace
    while first > 1:
        above = code[first - 2].rstrip()
        if not above or above.endswith((";", "}")) or above.lstrip().startswith("#"):
            break
        first -= 1
    return first


def check_unfinished(tree):
    for file in tree.files:
        for number, line in enumerate(file.lines, 1):
            match = UNFINISHED.search(line)
            if match:
                yield Finding(file.path, number, "unfinished", f"{match.group(1)}: finish it or file it elsewhere")


def check_machine_paths(tree):
    for file in tree.files:
        for number, line in enumerate(file.lines, 1):
            match = MACHINE_PATHS.search(line)
            if match:
                yield Finding(file.path, number, "machine-path", f"{match.group(0)} exists on one machine only")


# ------------------------------------------------------------------------------------------------------ includes


def check_layers(tree):
    for file in tree.c_files:
        if file.folder not in LAYERS:
            yield Finding(file.path, 1, "layer", "C code belongs into one of " + ", ".join(LAYERS))
            continue
        allowed = [file.folder] + LAYERS[file.folder]
        for number, quote, name in includes_of(file):
            folder = name.split("/")[0]
            if quote == "<" and folder not in LAYERS:
                continue
            if folder not in LAYERS or quote == "<":
                text = f'"{name}": our own headers are included from the root, in quotes'
                yield Finding(file.path, number, "include-root", text)
            elif folder not in allowed:
                yield Finding(file.path, number, "layer", f"{file.folder} must not include {folder} ({name})")
            elif name not in tree.paths and not name.endswith(".pb-c.h"):
                yield Finding(file.path, number, "include-root", f'"{name}" is not in the tree')


def check_own_header_first(tree):
    for file in tree.c_files:
        own = file.path[:-2] + ".h"
        if file.is_header or own not in tree.paths:
            continue
        first = next(includes_of(file), (1, "", "nothing"))
        if first[2] != own:
            yield Finding(file.path, first[0], "own-header-first", f'includes {first[2]} before "{own}"')


def check_library_homes(tree):
    for file in tree.c_files:
        for number, quote, name in includes_of(file):
            for library, homes in LIBRARY_HOMES.items():
                if quote == "<" and name.startswith(library) and not file.path.startswith(tuple(homes)):
                    yield Finding(file.path, number, "library-home", f"<{name}> is at home in {homes[0]} only")


def check_kernel(tree):
    allowed, mistakes = allowed_kernel_uses(tree)
    yield from mistakes
    used = set()
    for file in tree.c_files:
        if file.folder not in KERNEL_FREE or file.path.startswith(KERNEL_DOOR):
            continue
        for number, name, what in kernel_uses(file):
            if (file.path, name) in allowed:
                used.add((file.path, name))
            else:
                yield Finding(file.path, number, "kernel", f"{what} outside {KERNEL_DOOR}")
    for entry, number in allowed.items():
        if entry not in used:
            text = f"{entry[0]} does not use {entry[1]} (any more): remove the entry"
            yield Finding(ALLOWED_PATH, number, "kernel", text)


def kernel_uses(file):
    for number, quote, name in includes_of(file):
        if quote == "<" and KERNEL_HEADERS.match(name):
            yield number, name, f"<{name}>"
    for number, line in enumerate(file.code, 1):
        for match in KERNEL_CALLS.finditer(line):
            yield number, match.group(1), f"{match.group(1)}()"


ALLOWED_PATH = "tests/style/kernel_allowed.txt"


def allowed_kernel_uses(tree):
    """{(path, header or call): line number} of the list, and findings about the list itself."""
    allowed, mistakes = {}, []
    whole = os.path.join(tree.root, ALLOWED_PATH)
    if not os.path.exists(whole):
        return allowed, mistakes
    with open(whole, encoding="utf-8") as stream:
        for number, line in enumerate(stream, 1):
            if not line.strip() or line.startswith("#"):
                continue
            fields = line.split(None, 2)
            if len(fields) < 3:
                mistakes.append(Finding(ALLOWED_PATH, number, "kernel", "an entry is: path, header or call, reason"))
                continue
            allowed[(fields[0], fields[1])] = number
    return allowed, mistakes


RULES = [
    check_licence,
    check_pragma_once,
    check_file_length,
    check_line_length,
    check_function_length,
    check_unfinished,
    check_machine_paths,
    check_layers,
    check_own_header_first,
    check_library_homes,
    check_kernel,
]


# ----------------------------------------------------------------------------------------------- headers, alone


def check_headers_alone(tree, include_paths):
    """Compiles each header by itself. `include_paths` maps a folder to its include directories."""
    headers = [file.path for file in tree.c_files if file.is_header and file.folder in include_paths]
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        for findings in pool.map(lambda path: compile_alone(tree.root, path, include_paths), headers):
            yield from findings


def compile_alone(root, path, include_paths):
    folders = [f"-I{folder}" for folder in include_paths[path.split("/")[0]]]
    command = ["gcc", "-std=gnu17", "-fsyntax-only", "-D_GNU_SOURCE", "-Wall", "-Wextra", "-Werror"]
    # From standard input, since gcc warns of #pragma once in a main file.
    done = subprocess.run(
        command + folders + ["-x", "c", "-"], input=f'#include "{path}"\n', capture_output=True, text=True, cwd=root
    )
    if done.returncode == 0:
        return []
    error = next((line for line in done.stderr.splitlines() if "error" in line), "gcc failed")
    place = re.match(r".*?:(\d+):", error)
    return [Finding(path, int(place.group(1)) if place else 1, "header-alone", error)]


def parse_arguments(arguments):
    parser = argparse.ArgumentParser(description="checks the tree's rules of form")
    here = os.path.dirname(os.path.abspath(__file__))
    parser.add_argument("--root", default=os.path.join(here, "..", ".."), help="the tree to read")
    parser.add_argument(
        "--compile", action="append", default=[], metavar="FOLDER=DIR:DIR", help="compile each header of FOLDER alone"
    )
    return parser.parse_args(arguments)


def main(arguments):
    options = parse_arguments(arguments)
    tree = Tree(os.path.abspath(options.root))
    findings = [finding for rule in RULES for finding in rule(tree)]
    include_paths = {}
    for value in options.compile:
        folder, _, paths = value.partition("=")
        include_paths[folder] = [path for path in paths.split(":") if path]
    findings += check_headers_alone(tree, include_paths)
    for file in tree.c_files:
        if file.is_header and HEADER_LINES_GOAL < len(file.lines) <= HEADER_LINES_MAX:
            print(f"{file.path}:1: note: a header of {len(file.lines)} lines; {HEADER_LINES_GOAL} is the goal")
    for finding in findings:
        print(finding)
    compiled = sum(file.is_header and file.folder in include_paths for file in tree.c_files)
    print(f"style: {len(tree.files)} files read, {compiled} headers compiled alone, {len(findings)} findings")
    if not tree.c_files:
        print("style: no C file found: is --root right?")
        return 2
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
