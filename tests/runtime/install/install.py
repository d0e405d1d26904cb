#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Installs the library into a scratch folder and uses it as a stranger would: pkg-config, CMake, C and C++.

    tests/runtime/install/install.py BUILD SCRATCH      a built tree, and a folder of this test's own

The library exports what its installed headers declare, no name more and no name less, shared and static.
"""
import os
import re
import shutil
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
SAID = "Hello from actor A!\nHello from actor B!\n"
EXPORTED = re.compile(r"^(?:extern )?LN_API\b[^;{]*?\b(\w+)(?:\(|;)", re.MULTILINE)
NOT_FUNCTIONS = {"ln_supervisor"}
COMMENT = re.compile(r"/\*.*?\*/", re.DOTALL)


def run(*command, **options):
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False, **options)
    if done.returncode != 0:
        sys.exit(f"{' '.join(command)}: ended with {done.returncode}\n{done.stdout}{done.stderr}")
    return done.stdout


def expect(condition, what):
    if not condition:
        sys.exit(f"install: {what}")


class Installed:
    """A DESTDIR of its own, as packagers use it: the prefix is found from where the files really are."""

    def __init__(self, build, scratch):
        shutil.rmtree(scratch, ignore_errors=True)
        self.scratch = scratch
        self.prefix = f"{scratch}/staged/opt/linnet"
        environment = dict(os.environ, DESTDIR=f"{scratch}/staged")
        run("cmake", "--install", build, "--prefix", "/opt/linnet", "--component", "library", env=environment)
        self.libraries = os.path.dirname(find(self.prefix, "liblinnet.a"))
        self.pkgconfig = os.path.dirname(find(self.prefix, "linnet.pc"))
        self.headers = sorted(headers_below(f"{self.prefix}/include"))

    def flags(self, *options):
        return run("pkg-config", *options, "linnet", env=dict(os.environ, PKG_CONFIG_PATH=self.pkgconfig)).split()

    def declared(self):
        names = set()
        for header in self.headers:
            with open(f"{self.prefix}/include/{header}", encoding="utf-8") as stream:
                names.update(EXPORTED.findall(COMMENT.sub("", stream.read())))
        return names

    def play(self, program, expected=SAID):
        said = run(program, env=dict(os.environ, LD_LIBRARY_PATH=self.libraries))
        expect(said == expected, f"{program} said: {said}")


def find(root, name):
    for folder, _, names in os.walk(root):
        if name in names:
            return f"{folder}/{name}"
    sys.exit(f"install: no {name} below {root}")


def headers_below(root):
    for folder, _, names in os.walk(root):
        yield from (os.path.relpath(f"{folder}/{name}", root) for name in names)


def symbols(*command):
    lines = [line.split() for line in run(*command).splitlines()]
    return {fields[2] for fields in lines if len(fields) == 3}


def check_symbols(installed):
    declared = installed.declared()
    expect({"ln_spawn", "ln_supervisor", "io_now_ns", "sim_open"} <= declared, "the headers declare too little")
    stray = [name for name in declared if not name.startswith(("ln_", "io_", "sim_", "uring_"))]
    expect(not stray, f"names without a prefix: {stray}")
    shared = symbols("nm", "-D", "--defined-only", f"{installed.libraries}/liblinnet.so")
    static = symbols("nm", "-g", "--defined-only", f"{installed.libraries}/liblinnet.a")
    for kind, exported in (("shared", shared), ("static", static)):
        expect(exported == declared, f"the {kind} library and the headers differ in {sorted(exported ^ declared)}")


def check_soname(installed):
    version = installed.flags("--modversion")[0].split(".")
    abi = ".".join(version[:2]) if version[0] == "0" else version[0]
    expect(f"[liblinnet.so.{abi}]" in run("readelf", "-d", f"{installed.libraries}/liblinnet.so"), "another SONAME")


def check_headers(installed):
    """Each compiles alone, as strict C and as C++; what is installed is public: nothing of the runtime's insides."""
    text = " ".join(installed.headers)
    expect(all(header.startswith("linnet/") for header in installed.headers), f"headers elsewhere: {text}")
    expect("check.h" not in text and "_priv" not in text, f"private headers: {text}")
    include = f"-I{installed.prefix}/include"
    for header in installed.headers:
        source = f"#include <{header}>\n"
        for compiler in (["gcc", "-std=c17", "-x", "c"], ["g++", "-std=c++17", "-x", "c++"]):
            run(*compiler, "-Wall", "-Wextra", "-Werror", "-fsyntax-only", include, "-", input=source)


def check_manual(installed):
    """Every function has a page, and mandoc finds nothing to warn of."""
    pages = os.path.dirname(find(installed.prefix, "linnet.3"))
    missing = [name for name in installed.declared() if name not in NOT_FUNCTIONS and
               not os.path.exists(f"{pages}/{name}.3")]
    expect(not missing, f"no manual page for {sorted(missing)}")
    paths = sorted(f"{pages}/{name}" for name in os.listdir(pages))
    expect(len(paths) > 100, f"only {len(paths)} manual pages")
    run("mandoc", "-T", "lint", "-W", "warning", *paths)


def check_pkg_config(installed):
    hello, own = f"{HERE}/hello.c", f"{HERE}/own_names.c"
    shared, static = f"{installed.scratch}/hello", f"{installed.scratch}/hello_static"
    run("cc", "-Wall", "-Werror", "-o", shared, hello, own, *installed.flags("--cflags", "--libs"))
    installed.play(shared)
    run("cc", "-static", "-o", static, hello, own, *installed.flags("--cflags", "--libs", "--static"))
    installed.play(static)


def check_overflow(installed):
    """The runtime tells a stranger's code from its own, and ends the actor alone, however it was linked."""
    deep, libraries = f"{HERE}/deep.c", ["--cflags", "--libs"]
    for name, before, flags in (("shared", [], libraries), ("static", ["-static"], libraries + ["--static"])):
        program = f"{installed.scratch}/deep_{name}"
        run("cc", "-O2", "-Wall", "-Werror", *before, "-o", program, deep, *installed.flags(*flags))
        installed.play(program, "deep: stack overflow\n")


def check_cplusplus(installed):
    program = f"{installed.scratch}/hello_cpp"
    run("g++", "-std=c++17", "-Wall", "-Werror", "-o", program, f"{HERE}/hello.cpp",
        *installed.flags("--cflags", "--libs"))
    installed.play(program)


def check_cmake(installed):
    build = f"{installed.scratch}/stranger"
    run("cmake", "-S", HERE, "-B", build, "-G", "Ninja", f"-DCMAKE_PREFIX_PATH={installed.prefix}")
    run("ninja", "-C", build)
    installed.play(f"{build}/hello")
    installed.play(f"{build}/hello_static")


def main():
    build, scratch = (os.path.abspath(path) for path in sys.argv[1:])
    installed = Installed(build, scratch)
    check_symbols(installed)
    check_soname(installed)
    check_headers(installed)
    check_manual(installed)
    check_pkg_config(installed)
    check_overflow(installed)
    check_cplusplus(installed)
    check_cmake(installed)


main()
