#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""tools/setup.sh on machines that are made up: a copy of it in a tree of its own, with a PATH in which dpkg,
dpkg-query, apt-get, sudo, id and npm are this test's. Each of them notes how it was called; nothing is installed.

    tests/tools/setup_test.py
"""
import os
import shutil
import subprocess
import tempfile
import unittest

SETUP = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "tools", "setup.sh")
USED = ("sh", "env", "dirname", "cmp", "cp", "cat", "grep", "mkdir", "touch", "tr")
FAKES = {
    "dpkg": """case $1 in
    --print-architecture) echo amd64 ;;
    --print-foreign-architectures) cat "$MACHINE/foreign" ;;
    *) echo "dpkg $*" >>"$MACHINE/calls" ;;
    esac""",
    # Knows what is in the file `installed`, as dpkg does: packages that were removed, too, and none by another name.
    "dpkg-query": """while read -r line; do
        for name in "$@"; do
            case $line in "$name="* | "$name:"*) echo "$line" ;; esac
        done
    done <"$MACHINE/installed"
    exit 1""",
    "apt-get": """echo "apt-get $*" >>"$MACHINE/calls"
    [ ! -e "$MACHINE/apt-fails" ]""",
    "sudo": """echo sudo >>"$MACHINE/calls"
    exec "$@" """,
    "id": 'cat "$MACHINE/uid"',
    "node": "exit 1",
    "npm": """echo "npm $*" >>"$MACHINE/calls"
    [ ! -e "$MACHINE/npm-fails" ] && mkdir -p node_modules""",
}


class Setup(unittest.TestCase):
    def setUp(self):
        """Debian, root, node and npm from elsewhere, no package installed."""
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.machine = folder.name
        for name in "bin", "tree/tools", "tree/tests/blackbox":
            os.makedirs(self.path(name))
        shutil.copy(SETUP, self.path("tree/tools/setup.sh"))
        for name in USED:
            os.symlink(shutil.which(name), self.path("bin", name))
        for name, text in FAKES.items():
            self.write(f"bin/{name}", f"#!/bin/sh\n{text}\n")
            os.chmod(self.path("bin", name), 0o755)
        self.write("uid", "0\n")
        self.write("installed", "")
        self.write("foreign", "")
        self.write("tree/tests/blackbox/package-lock.json", "{}\n")

    def path(self, *names):
        return os.path.join(self.machine, *names)

    def write(self, path, text):
        with open(self.path(path), "w", encoding="utf-8") as stream:
            stream.write(text)

    def lacks(self, *programs):
        for program in programs:
            os.remove(self.path("bin", program))

    def has(self, *packages, status="installed", architecture="amd64"):
        with open(self.path("installed"), "a", encoding="utf-8") as stream:
            for package in packages:
                name = package if ":" in package else f"{package}:{architecture}"
                stream.write(f"{name}={status}\n")

    def has_all_of(self, tier):
        self.has(*self.missing_of(tier))
        os.remove(self.path("calls"))

    def missing_of(self, tier):
        """What it names as missing, and installs."""
        for line in self.setup(tier).splitlines():
            if line.startswith("setup: missing packages: "):
                return line.split(": ")[2].split()
        return []

    def setup(self, *words, code=0):
        """What it says; it writes nothing to standard output."""
        done = subprocess.run([self.path("tree/tools/setup.sh"), *words], capture_output=True, text=True, check=False,
                              timeout=60, env={"PATH": self.path("bin"), "MACHINE": self.machine})
        self.assertEqual((done.returncode, done.stdout), (code, ""), done.stderr)
        return done.stderr

    def calls(self):
        if not os.path.exists(self.path("calls")):
            return []
        with open(self.path("calls"), encoding="utf-8") as stream:
            return stream.read().splitlines()

    def test_what_is_missing_is_named_and_installed_and_nothing_else(self):
        self.has("cmake", "gcc")
        missing = self.missing_of("run")
        self.assertIn("liburing-dev", missing)
        self.assertNotIn("cmake", missing)
        update, install = self.calls()
        self.assertRegex(update, r"^apt-get .* update$")
        self.assertTrue(install.endswith(" install --no-install-recommends " + " ".join(missing)), install)

    def test_when_nothing_is_missing_it_does_nothing_and_says_nothing(self):
        self.has_all_of("run")
        self.lacks("id")  # not even who runs it matters
        self.assertEqual(self.setup("run"), "")
        self.assertEqual(self.calls(), [])

    def test_a_package_that_was_removed_is_missing(self):
        self.has_all_of("kernel61")
        self.write("installed", "")
        self.has("cpio", status="config-files")
        self.has("busybox-static", "qemu-system-x86")
        self.assertEqual(self.missing_of("kernel61"), ["cpio"])

    def test_a_package_for_all_architectures_is_not_missing(self):
        self.has("cpio", architecture="all")
        self.assertNotIn("cpio", self.missing_of("kernel61"))

    def test_a_package_of_another_architecture_is_another_package(self):
        self.has("liburing-dev")
        os.makedirs(self.path("tree/build/aarch64-packages"))
        self.write("tree/build/aarch64-packages/libck-dev:arm64", "")  # unpacked before
        missing = self.missing_of("aarch64")
        self.assertNotIn("liburing-dev", missing)
        self.assertIn("liburing-dev:arm64", missing)
        self.assertIn("dpkg --add-architecture arm64", self.calls())
        os.remove(self.path("calls"))
        self.write("foreign", "arm64\n")
        self.missing_of("aarch64")
        self.assertNotIn("dpkg --add-architecture arm64", self.calls())

    def test_a_user_with_sudo_installs_through_it(self):
        self.write("uid", "1000\n")
        self.missing_of("run")
        self.assertEqual([call.split()[0] for call in self.calls()], ["sudo", "apt-get"] * 2)

    def test_a_user_without_sudo_is_told_what_root_has_to_do(self):
        self.write("uid", "1000\n")
        self.lacks("sudo")
        told = self.setup("run", code=1)
        self.assertIn("no sudo here. As root:\n", told)
        self.assertRegex(told, r"apt-get install --no-install-recommends .*liburing-dev")
        self.assertEqual(self.calls(), [])

    def test_another_distribution_is_told_what_is_needed(self):
        self.lacks("apt-get", "dpkg-query")
        told = self.setup("run", code=1)
        self.assertIn("this is not Debian, so nothing was installed", told)
        self.assertIn("liburing-dev", told)
        self.assertEqual(self.calls(), [])

    def test_a_failing_apt_get_is_exit_code_1_with_the_packages(self):
        self.write("apt-fails", "")
        self.assertIn("could not install: qemu-system-x86 busybox-static cpio\n", self.setup("kernel61", code=1))

    def test_node_from_elsewhere_is_taken_as_it_is(self):
        self.assertNotIn("nodejs", self.missing_of("test"))
        self.lacks("node")
        self.assertIn("nodejs", self.missing_of("test"))

    def test_npm_installs_what_the_lock_file_says_once(self):
        self.has_all_of("test")
        shutil.rmtree(self.path("tree/tests/blackbox/node_modules"))
        self.assertIn("npm packages", self.setup("test"))
        self.assertEqual([call.split()[:2] for call in self.calls()], [["npm", "ci"]])
        self.assertEqual(self.setup("test"), "")
        self.write("tree/tests/blackbox/package-lock.json", "{ }\n")
        self.assertIn("npm packages", self.setup("test"))
        self.assertEqual(len(self.calls()), 2)

    def test_a_failing_npm_is_exit_code_1_and_tried_again(self):
        self.has_all_of("test")
        shutil.rmtree(self.path("tree/tests/blackbox/node_modules"))
        self.write("npm-fails", "")
        self.assertIn("npm ci failed in tests/blackbox", self.setup("test", code=1))
        os.remove(self.path("npm-fails"))
        self.assertIn("npm packages", self.setup("test"))

    def test_each_tier_has_what_the_one_before_has(self):
        tiers = [set(self.missing_of(tier)) for tier in ("run", "test", "ci")]
        self.assertTrue(tiers[0] < tiers[1] < tiers[2])

    def test_wrong_words_are_exit_code_2(self):
        self.assertIn("no tier named 'everything': run, test, ci", self.setup("everything", code=2))
        self.assertIn("usage: tools/setup.sh ", self.setup(code=2))
        self.assertIn("usage: tools/setup.sh ", self.setup("run", "test", code=2))


if __name__ == "__main__":
    unittest.main(verbosity=2)
