/* SPDX-License-Identifier: Apache-2.0 */
/* Looking at actors: lists in pages, and one actor or one user from near. */
#include "actors/accounts.h"
#include "actors/session.h"
#include "actors/sessions.h"
#include "actors/shell_priv.h"
#include "runtime/bounds.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

void
shell_pid_print(ln_pid pid, char out[SHELL_PID_BYTES])
{
    (void)snprintf(out, SHELL_PID_BYTES, "%u.%u.%u", (unsigned)(pid >> 56),
                   (unsigned)(pid >> 32) & LN_ACTORS_MAX, (unsigned)pid);
}

/* Digits up to `high`, moving *at behind them. */
static bool
part_parse(const char **at, uint64_t high, uint64_t *out)
{
    const char *start = *at;
    uint64_t value = 0;
    for (; **at >= '0' && **at <= '9' && value <= high; ++*at) {
        value = value * 10 + (uint64_t)(**at - '0');
    }
    *out = value;
    return *at != start && value <= high;
}

bool
shell_pid_parse(const char *text, ln_pid *out)
{
    uint64_t scheduler = 0;
    uint64_t slot = 0;
    uint64_t generation = 0;
    if (!part_parse(&text, LN_SCHEDULERS_MAX - 1, &scheduler) || *text++ != '.' ||
        !part_parse(&text, LN_ACTORS_MAX, &slot) || *text++ != '.' ||
        !part_parse(&text, UINT32_MAX, &generation) || *text != '\0') {
        return false;
    }
    *out = scheduler << 56 | slot << 32 | generation;
    return true;
}

/* ---------------------------------------------------------------------------------------- lists */

void
shell_actor_print(struct shell_call *call, const struct ln_actor_info *info, uint64_t count)
{
    char pid[SHELL_PID_BYTES];
    char parent[SHELL_PID_BYTES] = "";
    shell_pid_print(info->pid, pid);
    if (info->parent != 0) {
        shell_pid_print(info->parent, parent);
    }
    ln_text_print(call->out, "{\"pid\":\"%s\",\"parent\":\"%s\",\"behaviour\":\"%s\",", pid, parent,
                  info->behaviour);
    shell_put_text(call, "name", info->name);
    if (count > 1) {
        ln_text_print(call->out, "\"count\":%llu,", (unsigned long long)count);
    }
    ln_text_print(
        call->out, "\"mailbox\":%u,\"reductions\":%u,\"memory_bytes\":%llu,\"state\":\"%s\"}",
        info->mailbox, info->reductions, (unsigned long long)info->memory_bytes, info->state);
}

/* The actors of one scheduler from *slot on, while they fit. True: there are more of them. */
static bool
actors_print(struct shell_call *call, unsigned scheduler, uint32_t *slot,
             struct ln_actor_info *page, int *out_error)
{
    enum { ROW_BYTES = 384 }; /* names and behaviours are short; escaped ones end the page early */
    do {
        uint32_t room = (uint32_t)((call->out->bytes_max - call->out->bytes) / ROW_BYTES);
        uint32_t count = 0;
        if (room < LN_INSPECT_PAGE) {
            return true;
        }
        *out_error = ln_inspect_list(scheduler, slot, page, LN_INSPECT_PAGE, &count);
        if (*out_error < 0) {
            return false;
        }
        for (uint32_t i = 0; i < count; i++) {
            ln_text_print(call->out, "%s", call->out->bytes == 1 ? "" : ",");
            shell_actor_print(call, &page[i], 1);
        }
    } while (*slot != 0);
    return false;
}

/* [cursor] -> [{"pid": ...}, ...] */
void
shell_ps(struct shell_call *call)
{
    uint64_t scheduler = 0;
    uint64_t slot = 0;
    if (call->count == 1) {
        const char *at = call->words[0];
        if (!part_parse(&at, LN_SCHEDULERS_MAX - 1, &scheduler) || *at++ != '.' ||
            !part_parse(&at, LN_ACTORS_MAX, &slot) || *at != '\0') {
            shell_fail(call, SHELL_USAGE, "ps: '%s' is no place to go on from", call->words[0]);
            return;
        }
    }
    struct ln_actor_info *page = ln_alloc(LN_INSPECT_PAGE * sizeof *page);
    int error = 0;
    ln_text_print(call->out, "[");
    while (scheduler < ln_schedulers()) {
        uint32_t from = (uint32_t)slot;
        bool more = actors_print(call, (unsigned)scheduler, &from, page, &error);
        if (error < 0) {
            break;
        }
        if (more) {
            (void)snprintf(call->next, sizeof call->next, "%u.%u", (unsigned)scheduler, from);
            break;
        }
        scheduler++;
        slot = 0;
    }
    ln_text_print(call->out, "]");
    ln_free(page);
    if (error < 0) {
        shell_fail_errno(call, error, "ps");
    }
}

/* ------------------------------------------------------------------------------------ from near */

static void
inspect_actor(struct shell_call *call, ln_pid pid)
{
    struct ln_actor_info info;
    char *text = ln_alloc(LN_INSPECT_TEXT_MAX);
    int error =
        ln_pid_scheduler(pid) < ln_schedulers() ? ln_inspect_actor(pid, &info, text) : -ESRCH;
    if (error == -ESRCH) {
        shell_fail(call, SHELL_UNKNOWN, "there is no actor %s", call->words[0]);
    } else if (error < 0) {
        shell_fail_errno(call, error, "inspect");
    } else {
        ln_text_print(call->out, "{\"actor\":");
        shell_actor_print(call, &info, 1);
        ln_text_print(call->out, ",\"text\":\"");
        ln_text_json(call->out, text);
        ln_text_print(call->out, "\"}");
    }
    ln_free(text);
}

static void
device_print(struct shell_call *call, const struct store_device *device)
{
    char name[STORE_NAME_BYTES_MAX + 1] = "";
    memcpy(name, device->name.text, device->name.bytes);
    ln_text_print(call->out, "{\"device\":%u,", device->device);
    shell_put_text(call, "name", name);
    ln_text_print(call->out,
                  "\"added_at_ms\":%llu,\"acked\":%llu,\"waiting\":%llu,\"waiting_bytes\":%llu,"
                  "\"resync\":%s}",
                  (unsigned long long)device->added_at_ms, (unsigned long long)device->acked,
                  (unsigned long long)device->entries, (unsigned long long)device->bytes,
                  device->resync ? "true" : "false");
}

static int
devices_print(struct shell_call *call, uint64_t user)
{
    struct ln_msg *answer = NULL;
    struct store_rows rows;
    int error = accounts_devices(call->messenger, user, &answer);
    if (error < 0) {
        return error;
    }
    memcpy(&rows, answer->data, sizeof rows);
    const struct store_device *devices =
        answer->buffer != NULL ? ln_buffer_data(answer->buffer) : NULL;
    for (uint32_t i = 0; i < rows.count && devices != NULL; i++) {
        ln_text_print(call->out, "%s", i == 0 ? "" : ",");
        device_print(call, &devices[i]);
    }
    ln_msg_free(&answer);
    return 0;
}

static void
partition_print(struct shell_call *call, uint64_t user)
{
    struct store_partition_info info;
    char pid[SHELL_PID_BYTES];
    const struct store *store = call->messenger->store;
    store_partition_info_read(store, store_user_partition(store, user), &info);
    shell_pid_print(info.pid, pid);
    ln_text_print(call->out,
                  "\"partition\":{\"number\":%u,\"cell\":%u,\"scheduler\":%u,\"pid\":\"%s\","
                  "\"epoch\":%u,\"waiting\":%u,\"sessions\":%u}",
                  info.partition, info.cell, info.scheduler, pid, info.epoch, info.waiting,
                  info.sessions);
}

/* The session of a user who is online. */
static void
session_print(struct shell_call *call, uint64_t user)
{
    enum { LOOK_MS = 1000 };
    char name[HOME_NAME_BYTES];
    char pid[SHELL_PID_BYTES] = "";
    struct session_found found;
    struct ln_msg *answer = NULL;
    struct ln_msg *request = ln_msg_new(SESSIONS_LOOK, LN_DURABLE, sizeof(struct session_find));
    *(struct session_find *)(void *)request->data = (struct session_find){.user = user};
    home_name("sessions", store_user_home(call->messenger->store, user), name);
    if (ln_call(ln_whereis(name), &request, LOOK_MS, &answer) == 0) {
        memcpy(&found, answer->data, sizeof found);
        shell_pid_print(found.session, pid);
        ln_msg_free(&answer);
    }
    shell_put_text(call, "session", pid);
}

static void
user_print(struct shell_call *call, const struct store_user *user)
{
    char name[STORE_NAME_BYTES_MAX + 1] = "";
    memcpy(name, user->name.text, user->name.bytes);
    ln_text_print(call->out, "{\"user\":%llu,", (unsigned long long)user->user);
    shell_put_text(call, "name", name);
    ln_text_print(call->out,
                  "\"created_at_ms\":%llu,\"inbox\":{\"low\":%llu,\"last\":%llu,\"entries\":%llu,"
                  "\"bytes\":%llu},",
                  (unsigned long long)user->created_at_ms, (unsigned long long)user->inbox_low,
                  (unsigned long long)user->inbox_last, (unsigned long long)user->inbox_entries,
                  (unsigned long long)user->inbox_bytes);
    session_print(call, user->user);
    partition_print(call, user->user);
    ln_text_print(call->out, ",\"devices\":[");
}

/* A name, or the number that a user has. */
static int
user_of(struct shell_call *call, uint64_t *out)
{
    const char *at = call->words[0];
    if (part_parse(&at, UINT64_C(1) << 53, out) && *at == '\0') {
        return 0;
    }
    return accounts_find(call->messenger, call->words[0], out);
}

static void
inspect_user(struct shell_call *call)
{
    uint64_t id = 0;
    struct store_user user;
    int error = user_of(call, &id);
    if (error == 0) {
        error = accounts_get(call->messenger, id, &user);
    }
    if (error == 0) {
        user_print(call, &user);
        error = devices_print(call, id);
        ln_text_print(call->out, "]}");
    }
    if (error == -ENOENT) {
        shell_fail(call, SHELL_UNKNOWN, "there is no user '%s'", call->words[0]);
    } else if (error < 0) {
        shell_fail_errno(call, error, "inspect");
    }
}

/* pid -> {"actor": ..., "text": its state}; user -> {"user": ..., "inbox": ..., "devices":
 * [...]} */
void
shell_inspect(struct shell_call *call)
{
    ln_pid pid = 0;
    if (shell_pid_parse(call->words[0], &pid)) {
        inspect_actor(call, pid);
    } else {
        inspect_user(call);
    }
}
