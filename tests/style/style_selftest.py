#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Plants one violation of each rule in a small tree and sees the style test find it, at the right line, alone."""
import contextlib
import io
import os
import sys
import tempfile
import unittest

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import style  # noqa: E402

LICENCE = style.C_LICENCE
HEADER = f"{LICENCE}\n#pragma once\n"


def function_of(lines):
    """A function of so many lines, its return type on a line of its own."""
    return "void\nlong_one(void)\n{\n" + "    step();\n" * (lines - 4) + "}\n"


class StyleTest(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.plant("runtime/box.h", HEADER + "struct box;\n")
        self.plant("net/frame.h", HEADER + '#include "runtime/box.h"\n')
        self.plant("store/log.h", HEADER)

    def tearDown(self):
        self.folder.cleanup()

    def plant(self, path, text):
        whole = os.path.join(self.folder.name, path)
        os.makedirs(os.path.dirname(whole), exist_ok=True)
        with open(whole, "w", encoding="utf-8") as stream:
            stream.write(text)

    def run_style(self, *arguments):
        output = io.StringIO()
        with contextlib.redirect_stdout(output):
            code = style.main(["--root", self.folder.name, *arguments])
        return code, output.getvalue().splitlines()

    def assert_clean(self):
        code, lines = self.run_style()
        self.assertEqual((code, lines), (0, [lines[-1]]))

    def assert_found(self, place, *arguments):
        """The finding that starts with `place` ("file:line: rule:") is the only one."""
        code, lines = self.run_style(*arguments)
        findings = [line for line in lines[:-1] if ": note: " not in line]
        self.assertEqual([line[: len(place)] for line in findings], [place])
        self.assertEqual(code, 1)

    def test_a_tree_that_keeps_all_rules_passes(self):
        self.assert_clean()

    def test_a_tree_without_c_files_is_an_error_and_not_a_pass(self):
        with tempfile.TemporaryDirectory() as empty, contextlib.redirect_stdout(io.StringIO()):
            self.assertEqual(style.main(["--root", empty]), 2)

    def test_a_c_file_without_its_licence_line_is_named(self):
        self.plant("net/bare.h", "#pragma once\n")
        self.assert_found("net/bare.h:1: licence:")

    def test_a_script_without_a_licence_line_is_named(self):
        self.plant("tools/run.sh", "#!/bin/sh\necho\n")
        self.assert_found("tools/run.sh:1: licence:")

    def test_a_licence_in_a_later_line_of_a_c_file_does_not_count(self):
        self.plant("net/late.c", f"\n{LICENCE}\n")
        self.assert_found("net/late.c:1: licence:")

    def test_a_header_without_pragma_once_is_named(self):
        self.plant("net/twice.h", f"{LICENCE}\n/* #pragma once */\n")
        self.assert_found("net/twice.h:1: pragma-once:")

    def test_a_source_of_800_lines_passes_and_of_801_is_named(self):
        self.plant("net/full.c", LICENCE + "\n" * 800)
        self.assert_clean()
        self.plant("net/full.c", LICENCE + "\n" * 801)
        self.assert_found("net/full.c:801: file-length:")

    def test_a_header_over_its_goal_is_told_but_passes(self):
        self.plant("net/wide.h", HEADER + "\n" * 200)
        code, lines = self.run_style()
        self.assertEqual(code, 0)
        self.assertIn("net/wide.h:1: note: a header of 202 lines", lines[0])

    def test_a_header_over_its_limit_is_named(self):
        self.plant("net/wide.h", HEADER + "\n" * 300)
        self.assert_found("net/wide.h:301: file-length:")

    def test_a_line_of_100_columns_passes_and_of_101_is_named(self):
        self.plant("net/line.c", f"{LICENCE}\n/* {'x' * 94} */\n")
        self.assert_clean()
        self.plant("net/line.c", f"{LICENCE}\n/* {'x' * 95} */\n")
        self.assert_found("net/line.c:2: line-length:")

    def test_columns_are_counted_in_characters_not_in_bytes(self):
        self.plant("net/line.c", f"{LICENCE}\n/* {'é' * 94} */\n")
        self.assert_clean()

    def test_a_function_of_70_lines_passes_and_of_71_is_named_at_its_first_line(self):
        self.plant("net/long.c", f"{LICENCE}\n\n{function_of(70)}")
        self.assert_clean()
        self.plant("net/long.c", f"{LICENCE}\n\n{function_of(71)}")
        self.assert_found("net/long.c:3: function-length: long_one has 71 lines")

    def test_a_brace_inside_a_comment_neither_opens_nor_ends_a_function(self):
        self.plant("net/long.c", f"{LICENCE}\n" + function_of(71).replace("step", "/*\n}\n*/ step", 1))
        self.assert_found("net/long.c:2: function-length: long_one has 73 lines")

    def test_unfinished_work_is_named_in_code_and_in_documents(self):
        self.plant("net/half.c", f"{LICENCE}\n/* {'TO' + 'DO'}: the rest */\n")
        self.assert_found("net/half.c:2: unfinished:")
        self.plant("net/half.c", f"{LICENCE}\n")
        self.plant("docs/half.md", f"# Half\n{'FIX' + 'ME'}\n")
        self.assert_found("docs/half.md:2: unfinished:")

    def test_a_template_for_temporary_names_is_not_unfinished_work(self):
        self.plant("tests/net/file.c", f'{LICENCE}\nchar name[] = "linnet-XXXXXX";\n')
        self.assert_clean()

    def test_a_path_of_one_machine_is_named(self):
        self.plant("docs/how.md", f"cd /{'wo' + 'rk'}/main\n")
        self.assert_found("docs/how.md:1: machine-path:")

    def test_a_url_and_a_relative_path_are_not_paths_of_a_machine(self):
        word = "ho" + "me"
        self.plant("docs/how.md", f"see a/{word}/page, $HOME/{word}/x and /{word}stead\n")
        self.assert_clean()

    def test_an_include_of_a_higher_layer_is_named(self):
        self.plant("runtime/up.c", f'{LICENCE}\n#include "net/frame.h"\n')
        self.assert_found("runtime/up.c:2: layer: runtime must not include net")

    def test_net_and_store_stay_strangers(self):
        self.plant("net/peek.c", f'{LICENCE}\n#include "store/log.h"\n')
        self.assert_found("net/peek.c:2: layer: net must not include store")
        self.plant("net/peek.c", f"{LICENCE}\n")
        self.plant("store/peek.c", f'{LICENCE}\n#include "net/frame.h"\n')
        self.assert_found("store/peek.c:2: layer: store must not include net")

    def test_nothing_but_tests_includes_tests(self):
        self.plant("tests/spec.h", HEADER)
        self.plant("tools/odd.c", f'{LICENCE}\n#include "tests/spec.h"\n')
        self.assert_found("tools/odd.c:2: layer: tools must not include tests")
        self.plant("tools/odd.c", f"{LICENCE}\n")
        self.plant("tests/net/fine.c", f'{LICENCE}\n#include "tests/spec.h"\n#include "net/frame.h"\n')
        self.assert_clean()

    def test_an_include_inside_a_comment_does_not_count(self):
        self.plant("runtime/up.c", f'{LICENCE}\n/*\n#include "net/frame.h"\n*/\n')
        self.assert_clean()

    def test_c_code_outside_the_layers_is_named(self):
        self.plant("extra/odd.c", f"{LICENCE}\n")
        self.assert_found("extra/odd.c:1: layer:")

    def test_an_include_that_does_not_start_at_the_root_is_named(self):
        self.plant("net/near.c", f'{LICENCE}\n#include "frame.h"\n')
        self.assert_found("net/near.c:2: include-root:")
        self.plant("net/near.c", f"{LICENCE}\n#include <net/frame.h>\n")
        self.assert_found("net/near.c:2: include-root:")

    def test_an_include_of_a_missing_header_is_named_unless_it_is_generated(self):
        self.plant("net/gone.c", f'{LICENCE}\n#include "net/linnet.pb-c.h"\n')
        self.assert_clean()
        self.plant("net/gone.c", f'{LICENCE}\n#include "net/gone_priv.h"\n')
        self.assert_found("net/gone.c:2: include-root:")

    def test_a_source_that_includes_another_header_before_its_own_is_named(self):
        self.plant("net/frame.c", f'{LICENCE}\n#include "runtime/box.h"\n#include "net/frame.h"\n')
        self.assert_found("net/frame.c:2: own-header-first:")

    def test_a_library_outside_its_home_is_named(self):
        self.plant("net/map.c", f"{LICENCE}\n#include <lmdb.h>\n")
        self.assert_found("net/map.c:2: library-home:")
        self.plant("net/map.c", f"{LICENCE}\n#include <ck_ring.h>\n")
        self.assert_found("net/map.c:2: library-home:")

    def test_a_kernel_header_outside_the_door_is_named(self):
        for header in ("sys/socket.h", "unistd.h", "pthread.h", "time.h", "fcntl.h", "linux/futex.h"):
            self.plant("actors/direct.c", f"{LICENCE}\n#include <{header}>\n")
            self.assert_found(f"actors/direct.c:2: kernel: <{header}> outside runtime/io/")

    def test_the_ring_outside_the_door_breaks_two_rules(self):
        self.plant("store/ring.c", f"{LICENCE}\n#include <liburing.h>\n")
        _, lines = self.run_style()
        self.assertEqual([line.split(": ")[1] for line in lines[:-1]], ["library-home", "kernel"])

    def test_a_kernel_header_behind_the_door_and_in_tests_passes(self):
        self.plant("runtime/io/uring.c", f"{LICENCE}\n#include <unistd.h>\n#include <liburing.h>\n")
        self.plant("tests/net/drive.c", f"{LICENCE}\n#include <unistd.h>\n")
        self.assert_clean()

    def test_a_call_for_time_or_chance_is_named_even_without_a_header(self):
        for call in ("rand()", "time(NULL)", 'fopen("a", "r")'):
            self.plant("store/sly.c", f"{LICENCE}\nint x = {call};\n")
            self.assert_found("store/sly.c:2: kernel:")

    def test_functions_of_ours_that_end_like_the_kernels_are_not_its_calls(self):
        self.plant("store/own.c", f"{LICENCE}\nint x = ln_sleep(1) + io->time(2) + deadline.sleep(3);\n")
        self.assert_clean()

    def test_an_allowed_use_passes(self):
        self.plant("tools/prompt.c", f"{LICENCE}\n#include <termios.h>\n")
        self.plant(style.ALLOWED_PATH, "# why\ntools/prompt.c termios.h the password is not echoed\n")
        self.assert_clean()

    def test_an_allowance_that_nothing_needs_any_more_is_named(self):
        self.plant(style.ALLOWED_PATH, "# why\ntools/prompt.c termios.h the password is not echoed\n")
        self.assert_found(f"{style.ALLOWED_PATH}:2: kernel:")

    def test_an_allowance_without_a_reason_is_named(self):
        self.plant(style.ALLOWED_PATH, "tools/prompt.c termios.h\n")
        self.assert_found(f"{style.ALLOWED_PATH}:1: kernel: an entry is:")

    def test_a_header_that_needs_another_ones_include_is_named(self):
        self.plant("net/needy.h", HEADER + "uint32_t net_needy(void);\n")
        self.assert_found("net/needy.h:3: header-alone:", "--compile", f"net={self.folder.name}")

    def test_a_header_that_reaches_beyond_its_layers_include_path_does_not_compile(self):
        alone = os.path.join(self.folder.name, "paths")
        os.makedirs(alone)
        os.symlink(os.path.join(self.folder.name, "net"), os.path.join(alone, "net"))
        self.assert_found("net/frame.h:3: header-alone:", "--compile", f"net={alone}")

    def test_headers_that_stand_alone_compile_and_are_counted(self):
        code, lines = self.run_style("--compile", f"net={self.folder.name}", "--compile", f"runtime={self.folder.name}")
        self.assertEqual(code, 0)
        self.assertIn("2 headers compiled alone", lines[-1])


if __name__ == "__main__":
    unittest.main()
