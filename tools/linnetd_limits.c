/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/linnetd_limits.h"

#include "runtime/check.h"
#include "runtime/io/posix_file.h"
#include "store/environment.h"

#include <limits.h>
#include <sys/resource.h>

enum {
    /* Of the clients and of the shell; open for good. */
    LISTENERS = 2,
    /* Of each log: the next segment, which is made while the current one fills, and may get any
     * number; and what a worker opens for it in passing, the folder or the file of the reserve. */
    LOG_NEXT = 1,
    LOG_PASSING = 1,
    /* Of each row of steps: the file that it appends to, which is opened late and again and again.
     * And what the writer or a trace opens in passing, the folder or a segment. */
    STEPS_FILE = 1,
    STEPS_PASSING = 2,
    /* One that each listener has accepted and is about to close. */
    ACCEPTED = LISTENERS,
    /* The least that is of use. */
    CONNECTIONS_LEAST = 4,
    SPARE_LEAST = 4,
    SHELL_LEAST = 2,
    /* Of what is left, spare and shell may have one in so many. */
    SHARE = 8,
    /* Where nobody tells: half of the limit, or what rings and files of a large node take. */
    USED_UNKNOWN = 1280,
};

uint64_t
linnetd_descriptors_raise(void)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0) {
        return UINT64_MAX;
    }
    struct rlimit raised = {.rlim_cur = limit.rlim_max, .rlim_max = limit.rlim_max};
    if (setrlimit(RLIMIT_NOFILE, &raised) == 0) {
        limit = raised;
    }
    return limit.rlim_cur == RLIM_INFINITY ? UINT64_MAX : limit.rlim_cur;
}

static int
count_one(void *context, const char *name)
{
    (void)name;
    uint64_t *count = context;
    (*count)++;
    return 0;
}

uint64_t
linnetd_descriptors_used(uint64_t limit)
{
    uint64_t count = 0;
    if (posix_file_list_directory("/proc/self/fd", count_one, &count) == 0 && count > 0) {
        return count - 1; /* the folder itself was open */
    }
    return limit / 2 < USED_UNKNOWN ? limit / 2 : USED_UNKNOWN;
}

/* What stays open beside connections and shell, wherever its numbers are. */
static uint64_t
held(const struct descriptors *have)
{
    return have->used + LISTENERS + (uint64_t)LOG_NEXT * have->logs +
           (uint64_t)STEPS_FILE * have->steps;
}

/* What is kept above all connections, the shell's apart. The next segments once more, and cells'
 * environments, which rest at times: they may be opened when only here is room. */
static uint64_t
kept(const struct descriptors *have)
{
    return ACCEPTED + (uint64_t)(LOG_NEXT + LOG_PASSING) * have->logs +
           (uint64_t)ENVIRONMENT_DESCRIPTORS * have->cells +
           (uint64_t)(STEPS_FILE + STEPS_PASSING) * have->steps;
}

uint64_t
linnetd_descriptors_least(const struct descriptors *have)
{
    return held(have) + kept(have) + SHELL_LEAST + SPARE_LEAST + CONNECTIONS_LEAST;
}

static uint32_t
clamped(uint64_t value, uint32_t least, uint32_t most)
{
    return value < least ? least : value > most ? most : (uint32_t)value;
}

static io_socket
below(uint64_t descriptor)
{
    return descriptor < INT_MAX ? (io_socket)descriptor : INT_MAX;
}

/* Descriptors for tables of settled connections, of the `left` that connections and spare have: as
 * many as it takes for those that are asked for. On each loop a table may be as good as empty. */
static uint64_t
tables_share(const struct descriptors *have, uint64_t left, uint64_t asked)
{
    uint64_t all = have->settled_max < asked ? have->settled_max : asked;
    uint64_t tables = have->settled_max == 0 ? 0 : all / have->settled_each + 1 + have->loops;
    tables = tables < left / SHARE ? tables : left / SHARE;
    return tables > have->loops ? tables : 0;
}

/* There are fewer than are asked for: half of them stay with their connections. */
static void
settled_share(const struct descriptors *have, uint64_t left, uint64_t tables,
              uint32_t *connections_max, struct messenger_room *room)
{
    uint64_t stay = left / 2;
    uint64_t settled = (tables - have->loops) * have->settled_each;
    if (*connections_max > stay + settled) {
        *connections_max = (uint32_t)(stay + settled);
    }
    room->connections_spare = clamped(left / SHARE, SPARE_LEAST, room->connections_spare);
    if (room->connections_settle_from > below(held(have) + stay)) {
        room->connections_settle_from = below(held(have) + stay);
    }
    room->connections_below = below(held(have) + left - tables);
}

/* Beyond a table's worth of connections on each loop others settle in any case: the more a ring
 * waits for, the longer it takes to close one (runtime/io/uring_table.c). */
void
linnetd_descriptors_share(const struct descriptors *have, uint32_t *connections_max,
                          struct messenger_room *room)
{
    ASSERT(have->limit >= linnetd_descriptors_least(have));
    uint64_t left = have->limit - held(have) - kept(have);
    uint32_t shell = clamped(left / SHARE, SHELL_LEAST, room->shell_connections_max);
    uint32_t spare = clamped(left / SHARE, SPARE_LEAST, room->connections_spare);
    room->shell_connections_max = shell;
    left -= shell;
    uint64_t tables = tables_share(have, left, *connections_max);
    if (have->settled_max > 0) {
        room->connections_settle_from =
            below(held(have) + (uint64_t)have->settled_each * have->loops);
    }
    if (*connections_max > left - spare && tables > 0) {
        settled_share(have, left, tables, connections_max, room);
        return;
    }
    if (*connections_max > left - spare) {
        *connections_max = (uint32_t)(left - spare);
    }
    room->connections_spare = clamped(left - *connections_max, spare, room->connections_spare);
    room->connections_below = below(held(have) + left);
}
