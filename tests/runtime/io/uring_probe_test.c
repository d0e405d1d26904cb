/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/io/uring_priv.h"
#include "tests/spec.h"

#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum { WHY_BYTES = 512 };

struct verdict {
    const char *release;
    int disabled, error;
    uint64_t memlock_bytes;
    const char *says;
};

static void
sentences(void **state)
{
    (void)state;
    static const struct verdict verdicts[] = {
        {"6.1.0", -1, -ENOSYS, UINT64_MAX, "CONFIG_IO_URING"},
        {"4.19.0", -1, -ENOSYS, UINT64_MAX, "this is Linux 4.19.0, and Linux 6.1 or newer"},
        {"5.15.0-generic", -1, -EINVAL, UINT64_MAX, "this is Linux 5.15.0-generic"},
        {"6.0.19", -1, -EINVAL, UINT64_MAX, "Linux 6.1 or newer"},
        {"6.12.3", 2, -EPERM, UINT64_MAX, "sysctl -w kernel.io_uring_disabled=0"},
        {"6.12.3", 1, -EPERM, UINT64_MAX, "kernel.io_uring_group"},
        {"6.12.3", 0, -EPERM, UINT64_MAX, "seccomp"},
        {"6.1.0", -1, -EPERM, UINT64_MAX, "seccomp"},
        {"6.1.0", -1, -ENOMEM, 65536, "(64 KiB): raise `ulimit -l`"},
        {"6.1.0", -1, -ENOMEM, UINT64_MAX, "memory limit of the container"},
        {"6.1.0", -1, -EMFILE, UINT64_MAX, "ulimit -n"},
        {"6.1.0", -1, -EINVAL, UINT64_MAX, "opening a ring failed with EINVAL"},
        {"nonsense", -1, -EINVAL, UINT64_MAX, "opening a ring failed with EINVAL"},
    };
    for (size_t i = 0; i < sizeof(verdicts) / sizeof(verdicts[0]); i++) {
        const struct verdict *verdict = &verdicts[i];
        struct uring_host host = {.disabled = verdict->disabled,
                                  .memlock_bytes = verdict->memlock_bytes};
        char why[WHY_BYTES] = "";
        (void)snprintf(host.release, sizeof(host.release), "%s", verdict->release);
        uring_explain(&host, "opening a ring", verdict->error, why, sizeof(why));
        if (strstr(why, verdict->says) == NULL) {
            fail_msg("'%s' does not say '%s'", why, verdict->says);
        }
    }
}

static void
short_of_room(void **state)
{
    (void)state;
    struct uring_host host = {.release = "6.1.0", .disabled = -1};
    char why[8] = "xxxxxxx";
    uring_explain(&host, "opening a ring", -ENOSYS, NULL, 0);
    uring_explain(&host, "opening a ring", -ENOSYS, why, 0);
    assert_string_equal(why, "xxxxxxx");
    uring_explain(&host, "opening a ring", -ENOSYS, why, sizeof(why));
    assert_int_equal(strlen(why), sizeof(why) - 1);
}

static void
reads_the_host(void **state)
{
    (void)state;
    struct uring_host host;
    uring_host_read(&host);
    assert_in_range(host.release[0], '1', '9');
    assert_in_range(host.disabled + 1, 0, 3);
}

/* --------------------------------------------------------- refused for real, in a child process */

/* From now on this process meets `error` in the system call `number`. */
static int
refuse_call(unsigned number, unsigned error)
{
    struct sock_filter code[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, number, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | error),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog program = {.len = sizeof(code) / sizeof(code[0]), .filter = code};
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0) {
        return -errno;
    }
    return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) < 0 ? -errno : 0;
}

/* In the child: 0 when uring_open fails with `error`, says `says` and leaves nothing open. */
static int
open_refused(const struct uring_options *options, int error, const char *says)
{
    struct io_driver *driver = NULL;
    char why[WHY_BYTES] = "";
    int first_free = dup(STDIN_FILENO);
    (void)close(first_free);
    int result = uring_open(options, &driver, why, sizeof(why));
    int still_free = dup(STDIN_FILENO);
    (void)close(still_free);
    return result == error && driver == NULL && strstr(why, says) != NULL &&
                   first_free == still_free
               ? 0
               : 1;
}

static void
expect_child(int (*child_main)(void))
{
    pid_t child = fork();
    int status = -1;
    assert_true(child >= 0);
    if (child == 0) {
        _exit(child_main());
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
}

static int
child_absent(void)
{
    static const struct uring_options options = {.loops = 2};
    return refuse_call(SYS_io_uring_setup, ENOSYS) < 0
               ? 2
               : open_refused(&options, -ENOSYS, "io_uring is absent");
}

static int
child_forbidden(void)
{
    static const struct uring_options options = {.loops = 2};
    return refuse_call(SYS_io_uring_setup, EPERM) < 0 ? 2
                                                      : open_refused(&options, -EPERM, "io_uring");
}

static int
child_old(void)
{
    static const struct uring_options options = {.loops = 2};
    return refuse_call(SYS_io_uring_setup, EINVAL) < 0 ? 2
                                                       : open_refused(&options, -EINVAL, "EINVAL");
}

static uint64_t
never_turn(void *context)
{
    (void)context;
    _exit(3);
}

static bool
never_asked(void *context)
{
    (void)context;
    _exit(4);
}

static int
child_no_threads(void)
{
    struct uring_options options = {.loops = 2};
    struct io_loop loop = {
        .turn = never_turn, .idle = never_asked, .stopped = never_asked, .context = NULL};
    struct io_loop loops[] = {loop, loop};
    struct io_driver *driver = NULL;
    if (uring_open(&options, &driver, NULL, 0) < 0) {
        return 2;
    }
    if (refuse_call(SYS_clone3, EAGAIN) < 0 || io_start(driver, loops) != -EAGAIN) {
        return 1;
    }
    io_join(driver);
    io_driver_close(driver);
    return 0;
}

static int
child_no_descriptors(void)
{
    /* Some for the first loop, not enough for all. */
    static const struct uring_options options = {.loops = 64, .ring_entries = 8};
    struct rlimit limit = {.rlim_cur = 32, .rlim_max = 32};
    if (setrlimit(RLIMIT_NOFILE, &limit) < 0) {
        return 2;
    }
    return open_refused(&options, -EMFILE, "ulimit -n");
}

static void
absent(void **state)
{
    (void)state;
    expect_child(child_absent);
}

static void
forbidden(void **state)
{
    (void)state;
    expect_child(child_forbidden);
}

static void
old(void **state)
{
    (void)state;
    expect_child(child_old);
}

static void
no_descriptors(void **state)
{
    (void)state;
    expect_child(child_no_descriptors);
}

static void
no_threads(void **state)
{
    (void)state;
    expect_child(child_no_threads);
}

static void
options_checked(void **state)
{
    (void)state;
    static const struct uring_options faults[] = {
        {.loops = 100000},
        {.loops = 1, .workers = 100000},
        {.loops = 1, .receive_buffers = 3},
        {.loops = 1, .receive_buffers = 131072},
        {.loops = 1, .ring_entries = 100},
        {.loops = 1, .ring_entries = 65536},
    };
    for (size_t i = 0; i < sizeof(faults) / sizeof(faults[0]); i++) {
        struct io_driver *driver = NULL;
        char why[WHY_BYTES] = "";
        assert_int_equal(uring_open(&faults[i], &driver, why, sizeof(why)), -EINVAL);
        assert_non_null(strstr(why, "cannot be had"));
        assert_int_equal(uring_open(&faults[i], &driver, NULL, 0), -EINVAL);
        assert_null(driver);
    }
}

static void
name_tells(void **state)
{
    (void)state;
    struct io_driver *driver = NULL;
    struct uring_options options = {.loops = 3, .level = IO_LEVEL_6_1};
    assert_int_equal(uring_open(&options, &driver, NULL, 0), 0);
    assert_int_equal(io_loops(driver), 3);
    assert_int_equal(strncmp(io_driver_name(driver), "uring ", 6), 0);
    assert_non_null(strstr(io_driver_name(driver), "(level 6.1)"));
    io_driver_close(driver);

    options = (struct uring_options){0};
    assert_int_equal(uring_open(&options, &driver, NULL, 0), 0);
    assert_true(io_loops(driver) >= 1);
    assert_non_null(strstr(io_driver_name(driver), "(level probe)"));
    io_driver_close(driver);
    io_driver_close(NULL);
}

int
main(void)
{
    static const struct CMUnitTest specs[] = {
        SPEC("each known cause gets a sentence that says how to mend it", sentences),
        SPEC("a sentence is cut to the room it has", short_of_room),
        SPEC("the host tells its kernel and its settings", reads_the_host),
        SPEC("without io_uring the driver says so and leaves nothing open", absent),
        SPEC("where io_uring is forbidden the driver says so", forbidden),
        SPEC("a kernel that refuses the rings is named", old),
        SPEC("too few descriptors for all loops are told, and the first loops are closed again",
             no_descriptors),
        SPEC("a driver whose threads cannot be had does not start", no_threads),
        SPEC("options that cannot be had are refused", options_checked),
        SPEC("a driver tells its name and level, and closes without having run", name_tells),
    };
    return cmocka_run_group_tests(specs, NULL, NULL);
}
