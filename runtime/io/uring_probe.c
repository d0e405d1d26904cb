/* SPDX-License-Identifier: Apache-2.0 */
/* A node that cannot have its rings does not start, and an operator reads the reason at three in
 * the morning: so each cause we know gets a sentence that names it and says what to type. */
#include "runtime/io/uring_priv.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/utsname.h>

static const char setting_path[] = "/proc/sys/kernel/io_uring_disabled";

enum {
    KERNEL_MAJOR = 6,
    KERNEL_MINOR = 1,
    SETTING_NOBODY = 2,
    SETTING_GROUP = 1,
    SETTING_TEXT_MAX = 16,
};

static int
setting_read(void)
{
    char text[SETTING_TEXT_MAX];
    int value = -1;
    FILE *file = fopen(setting_path, "re");
    if (file == NULL) {
        return -1;
    }
    if (fgets(text, sizeof(text), file) != NULL) {
        char *end;
        long number = strtol(text, &end, 10);
        value = end != text && number >= 0 && number <= SETTING_NOBODY ? (int)number : -1;
    }
    (void)fclose(file);
    return value;
}

void
uring_host_read(struct uring_host *out)
{
    struct utsname name;
    struct rlimit limit;
    *out = (struct uring_host){.disabled = setting_read(), .memlock_bytes = UINT64_MAX};
    if (uname(&name) == 0) {
        (void)snprintf(out->release, sizeof(out->release), "%s", name.release);
    }
    if (getrlimit(RLIMIT_MEMLOCK, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY) {
        out->memlock_bytes = limit.rlim_cur;
    }
}

/* True when the release reads as older than 6.1; false when it cannot be read. Only for the
 * wording: what counts is whether the kernel takes the flags, since distributions carry io_uring
 * back to older numbers. */
static bool
release_old(const char *release)
{
    char *end;
    unsigned long major = strtoul(release, &end, 10);
    if (end == release || *end != '.') {
        return false;
    }
    const char *minor_text = end + 1;
    unsigned long minor = strtoul(minor_text, &end, 10);
    if (end == minor_text) {
        return false;
    }
    return major < KERNEL_MAJOR || (major == KERNEL_MAJOR && minor < KERNEL_MINOR);
}

static void
explain_refused(const struct uring_host *host, char *why, size_t why_bytes)
{
    if (host->disabled == SETTING_NOBODY) {
        (void)snprintf(
            why, why_bytes,
            "io_uring is switched off on this host (kernel.io_uring_disabled = 2): allow "
            "it with `sysctl -w kernel.io_uring_disabled=0`");
    } else if (host->disabled == SETTING_GROUP) {
        (void)snprintf(why, why_bytes,
                       "io_uring is reserved for one group on this host "
                       "(kernel.io_uring_disabled = 1): add this user to the group named by "
                       "kernel.io_uring_group, or allow everybody with `sysctl -w "
                       "kernel.io_uring_disabled=0`");
    } else {
        (void)snprintf(why, why_bytes,
                       "io_uring is refused (EPERM), most likely by a container's seccomp profile: "
                       "allow io_uring_setup, io_uring_enter and io_uring_register in it");
    }
}

static void
explain_memory(const struct uring_host *host, char *why, size_t why_bytes)
{
    if (host->memlock_bytes == UINT64_MAX) {
        (void)snprintf(
            why, why_bytes,
            "there is not enough memory for the rings: free some, raise the memory limit "
            "of the container, or start with fewer or smaller loops");
    } else {
        (void)snprintf(why, why_bytes,
                       "there is not enough memory for the rings, or not enough that may be locked "
                       "(%llu KiB): raise `ulimit -l` (systemd: LimitMEMLOCK=infinity), or start "
                       "with fewer loops",
                       (unsigned long long)(host->memlock_bytes / 1024));
    }
}

void
uring_explain(const struct uring_host *host, const char *what, int error, char *why,
              size_t why_bytes)
{
    if (why == NULL || why_bytes == 0) {
        return;
    }
    if ((error == -EINVAL || error == -ENOSYS) && release_old(host->release)) {
        (void)snprintf(
            why, why_bytes,
            "this is Linux %s, and Linux 6.1 or newer is needed for its io_uring: boot a "
            "newer kernel",
            host->release);
        return;
    }
    switch (error) {
    case -ENOSYS:
        (void)snprintf(
            why, why_bytes,
            "io_uring is absent: the kernel was built without CONFIG_IO_URING, or a "
            "container's seccomp profile hides it; allow io_uring_setup, "
            "io_uring_enter and io_uring_register in the profile, or use another kernel");
        break;
    case -EPERM:
    case -EACCES:
        explain_refused(host, why, why_bytes);
        break;
    case -ENOMEM:
        explain_memory(host, why, why_bytes);
        break;
    case -EMFILE:
    case -ENFILE:
        (void)snprintf(why, why_bytes,
                       "no file descriptors are left for the rings: raise `ulimit -n` (systemd: "
                       "LimitNOFILE=)");
        break;
    default:
        (void)snprintf(why, why_bytes, "io_uring cannot be used on Linux %s: %s failed with %s",
                       host->release, what, strerrorname_np(-error));
        break;
    }
}
