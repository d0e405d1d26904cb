/* SPDX-License-Identifier: Apache-2.0 */
/* How much memory the process may use, of a tree of control groups made here. */
#include "runtime/io/posix_memory.h"
#include "tests/spec.h"

#include <stdio.h>
#include <sys/stat.h>

static void
write_in(const char *folder, const char *name, const char *text)
{
    char path[64];
    (void)mkdir(folder, 0755);
    (void)snprintf(path, sizeof(path), "%s/%s", folder, name);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
}

static void
limit_write(const char *folder, const char *text)
{
    write_in(folder, "memory.max", text);
}

static uint64_t
limit(const char *text, const char *mount)
{
    char line[256];
    (void)snprintf(line, sizeof(line), "%s", text);
    return posix_memory_limit(line, mount);
}

static void
the_least_counts(void **state)
{
    (void)state;
    limit_write("groups", "9000000\n");
    limit_write("groups/a", "5000000\n");
    limit_write("groups/a/b", "max\n");
    limit_write("groups/c", "18000000000\n");
    assert_int_equal(limit("0::/a/b\n", "groups"), 5000000);
    assert_int_equal(limit("0::/a\n", "groups"), 5000000);
    assert_int_equal(limit("0::/c\n", "groups"), 9000000);
    assert_int_equal(limit("0::/\n", "groups"), 9000000); /* in a container */
    assert_int_equal(limit("4:cpu:/x\n1:name=systemd:/y\n0::/a/b\n", "groups"), 5000000);
    write_in("groups/e", "memory.high", "7000000\n");
    assert_int_equal(limit("0::/e\n", "groups"), 7000000);
}

static void
the_first_version_is_known(void **state)
{
    (void)state;
    (void)mkdir("old", 0755);
    write_in("old/memory", "memory.limit_in_bytes", "9223372036854771712\n");
    write_in("old/memory/a", "memory.limit_in_bytes", "3000000\n");
    const char *text = "5:cpu,cpuacct:/b\n4:hugetlb,memory:/a\n1:name=memory2:/b\n0::/\n";
    assert_int_equal(limit(text, "old"), 3000000);
    assert_int_equal(limit("4:memory:/elsewhere\n", "old"), INT64_C(9223372036854771712));
    assert_true(limit("4:memoryless:/a\n", "old") == UINT64_MAX);
}

static void
without_groups_there_is_no_limit(void **state)
{
    (void)state;
    limit_write("groups", "max\n");
    limit_write("groups/d", "");
    static const char *const texts[] = {"0::/d\n",    "0::/none\n", "0::",        "",
                                        "1:cpu:/a\n", "0::x",       "0::\n1:x:/a"};
    for (unsigned i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        assert_true(limit(texts[i], "groups") == UINT64_MAX);
    }
    assert_true(limit("0::/a\n", "nowhere") == UINT64_MAX);
}

static void
a_process_has_some(void **state)
{
    (void)state;
    assert_true(posix_memory_bytes() >= UINT64_C(64) << 20);
}

int
main(void)
{
    static const struct CMUnitTest specs[] = {
        SPEC("of a group's limits and those above it the least counts", the_least_counts),
        SPEC("the first version of control groups is known, too", the_first_version_is_known),
        SPEC("where no group says anything there is no limit", without_groups_there_is_no_limit),
        SPEC("a process may use some", a_process_has_some),
    };
    return cmocka_run_group_tests(specs, NULL, NULL);
}
