/* SPDX-License-Identifier: Apache-2.0 */
/* Which users and groups take most commands. Each scheduler's sketch is copied by an actor that
 * lives there for as long as that takes, since its memory is nobody else's to read. */
#include "actors/shell_priv.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum {
    HOT_TOLD = 0x00050000, /* struct hot_told */
    HOT_MS = 2000,         /* for a scheduler to answer */
    ROWS_MAX = 20,
};

struct hot_ask {
    struct messenger *messenger;
    ln_pid to;
};
struct hot_told {
    struct hot users, groups;
};

static int
teller_init(void *state, const void *argument)
{
    memcpy(state, argument, sizeof(struct hot_ask));
    return 0;
}

static void
teller_run(void *state)
{
    const struct hot_ask *ask = state;
    const struct messenger_rates *rates = messenger_rates(ask->messenger);
    struct ln_msg *told = ln_msg_new(HOT_TOLD, LN_REPLY, sizeof(struct hot_told));
    memcpy(told->data + offsetof(struct hot_told, users), &rates->hot_users, sizeof(struct hot));
    memcpy(told->data + offsetof(struct hot_told, groups), &rates->hot_groups, sizeof(struct hot));
    ln_send(ask->to, &told);
}

static const struct ln_behaviour teller_behaviour = {
    .name = "hot-teller",
    .state_bytes = sizeof(struct hot_ask),
    .init = teller_init,
    .run = teller_run,
};

static bool
is_told(const struct ln_msg *msg, void *context)
{
    (void)context;
    return msg->tag == HOT_TOLD;
}

/* Of one scheduler; to be freed. */
static int
hot_ask(struct shell_call *call, unsigned scheduler, struct ln_msg **out)
{
    struct hot_ask ask = {.messenger = call->messenger, .to = ln_self()};
    struct ln_spawn_options options = {.elsewhere = true, .scheduler = (int)scheduler};
    ln_pid pid;
    int error = ln_spawn(&teller_behaviour, &ask, sizeof ask, &options, &pid);
    return error == 0 ? ln_receive_match(is_told, NULL, HOT_MS, out) : error;
}

/* ---------------------------------------------------------------------------------- all of them */

/* A user is counted where he is at home, a group by each of its members' schedulers. */
static void
merge(struct hot_entry *rows, uint32_t *count, const struct hot *hot)
{
    for (uint32_t i = 0; i < hot->count; i++) {
        uint32_t at = 0;
        while (at < *count && rows[at].key != hot->entries[i].key) {
            at++;
        }
        if (at == *count) {
            rows[(*count)++] = (struct hot_entry){.key = hot->entries[i].key};
        }
        rows[at].count += hot->entries[i].count;
        rows[at].error += hot->entries[i].error;
    }
}

static int
row_compare(const void *x, const void *y)
{
    uint32_t a = ((const struct hot_entry *)x)->count;
    uint32_t b = ((const struct hot_entry *)y)->count;
    return (a < b) - (a > b);
}

static void
put_rows(struct shell_call *call, const char *name, struct hot_entry *rows, uint32_t count)
{
    qsort(rows, count, sizeof rows[0], row_compare);
    ln_text_print(call->out, "\"%s\":[", name);
    for (uint32_t i = 0; i < count && i < ROWS_MAX; i++) {
        ln_text_print(call->out, "{");
        shell_put_number(call, "id", rows[i].key);
        shell_put_number(call, "commands", rows[i].count);
        shell_put_number(call, "error", rows[i].error);
        shell_put_end(call, "},");
    }
    shell_put_end(call, "],");
}

/* -> {"users": [{"id": ..., "commands": ..., "error": ...}, ...], "groups": [...], "total": ...} */
void
shell_hot(struct shell_call *call)
{
    size_t rows_max = (size_t)HOT_MAX * ln_schedulers();
    struct hot_entry *users = ln_alloc(rows_max * sizeof users[0]);
    struct hot_entry *groups = ln_alloc(rows_max * sizeof groups[0]);
    uint32_t users_count = 0;
    uint32_t groups_count = 0;
    uint64_t total = 0;
    int error = 0;
    for (unsigned i = 0; error == 0 && i < ln_schedulers(); i++) {
        struct ln_msg *told = NULL;
        error = hot_ask(call, i, &told);
        if (error == 0) {
            const struct hot_told *sketch = (const struct hot_told *)(const void *)told->data;
            merge(users, &users_count, &sketch->users);
            merge(groups, &groups_count, &sketch->groups);
            total += sketch->users.total;
            ln_msg_free(&told);
        }
    }
    if (error < 0) {
        shell_fail_errno(call, error, "hot");
    } else {
        ln_text_print(call->out, "{");
        put_rows(call, "users", users, users_count);
        put_rows(call, "groups", groups, groups_count);
        shell_put_number(call, "total", total);
        shell_put_end(call, "}");
    }
    ln_free(users);
    ln_free(groups);
}
