/* SPDX-License-Identifier: Apache-2.0 */
#include "bench/backlog.h"

#include "runtime/linnet.h"

enum { BACKLOG_FIRST = 8 };

bool
backlog_push(struct backlog *backlog, uint64_t due_ns)
{
    if (backlog->count == BACKLOG_MAX) {
        return false;
    }
    if (backlog->count == backlog->room) {
        uint32_t before = backlog->room;
        uint32_t room = before == 0 ? BACKLOG_FIRST : 2 * before;
        uint64_t *larger = ln_alloc(room * sizeof *larger);
        for (uint32_t i = 0; before > 0 && i < backlog->count; i++) {
            larger[i] = backlog->due_ns[(backlog->first + i) % before];
        }
        ln_free(backlog->due_ns);
        backlog->due_ns = larger;
        backlog->first = 0;
        backlog->room = room;
    }
    backlog->due_ns[(backlog->first + backlog->count) % backlog->room] = due_ns;
    backlog->count++;
    return true;
}

uint64_t
backlog_first(const struct backlog *backlog)
{
    ASSERT(backlog->count > 0);
    return backlog->due_ns[backlog->first];
}

void
backlog_pop(struct backlog *backlog)
{
    ASSERT(backlog->count > 0);
    backlog->first = (backlog->first + 1) % backlog->room;
    backlog->count--;
}
