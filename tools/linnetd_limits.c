/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/linnetd_limits.h"

#include <sys/resource.h>

enum {
    /* Rings, the listeners, and two or three files in each of up to 256 cells and logs. */
    OTHERS = 1280,
};

uint64_t
linnetd_connections_possible(void)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0) {
        return UINT64_MAX;
    }
    struct rlimit raised = {.rlim_cur = limit.rlim_max, .rlim_max = limit.rlim_max};
    if (setrlimit(RLIMIT_NOFILE, &raised) == 0) {
        limit = raised;
    }
    if (limit.rlim_cur == RLIM_INFINITY) {
        return UINT64_MAX;
    }
    return limit.rlim_cur / 2 > OTHERS ? limit.rlim_cur - OTHERS : limit.rlim_cur / 2;
}
