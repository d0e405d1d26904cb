/* SPDX-License-Identifier: Apache-2.0 */
/* One actor or one user from near. */
#include "actors/accounts.h"
#include "actors/shell_priv.h"
#include "runtime/crash.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

/* ------------------------------------------------------------------------------------- an actor */

/* All that is known of it: its numbers, state, relations, and where it stands. */
struct near {
    struct ln_actor_info info;
    struct ln_relations relations;
    struct ln_wait_info wait;
    char text[LN_INSPECT_TEXT_MAX];
};

static int
near_look(ln_pid pid, struct near *near)
{
    int error = ln_pid_scheduler(pid) < ln_schedulers()
                    ? ln_inspect_actor(pid, &near->info, near->text)
                    : -ESRCH;
    if (error == 0) {
        error = ln_inspect_relations(pid, &near->relations);
    }
    return error == 0 ? ln_inspect_wait(pid, &near->wait) : error;
}

/* "name": {"count": 20, "first": ["0.1.0", ...]} */
static void
put_pids(struct shell_call *call, const char *name, uint32_t count, const ln_pid *pids)
{
    ln_text_print(call->out, "\"%s\":{\"count\":%u,\"first\":[", name, count);
    for (uint32_t i = 0; i < count && i < LN_RELATIONS_MAX; i++) {
        char pid[SHELL_PID_BYTES];
        shell_pid_print(pids[i], pid);
        ln_text_print(call->out, "%s\"%s\"", i > 0 ? "," : "", pid);
    }
    ln_text_print(call->out, "]},");
}

static void
put_wait(struct shell_call *call, const struct ln_wait_info *wait)
{
    struct ln_text *out = call->out;
    ln_text_print(out, "\"wait\":");
    if (wait->what == NULL) {
        ln_text_print(out, "null,");
        return;
    }
    ln_text_print(out, "{");
    shell_put_text(call, "for", wait->what);
    if (wait->callee != 0) {
        shell_put_pid(call, "callee", wait->callee);
        shell_put_tag(call, wait->tag, wait->tag_name);
    }
    shell_put_number(call, "waited_us", wait->waited_ns / 1000);
    if (wait->timeout_ms != LN_FOREVER) {
        shell_put_number(call, "timeout_ms", wait->timeout_ms);
    }
    ln_text_print(out, "\"cancellable\":%s},", wait->cancellable ? "true" : "false");
}

static void
put_backtrace(struct shell_call *call, const struct ln_wait_info *wait)
{
    ln_text_print(call->out, "\"backtrace\":[");
    for (uint32_t i = 0; i < wait->frames_count; i++) {
        char place[128];
        struct ln_text text;
        ln_text_init(&text, place, sizeof place);
        ln_frame_print(wait->frames[i], &text);
        ln_text_print(call->out, "%s{", i > 0 ? "," : "");
        shell_put_text(call, "at", place);
        shell_put_end(call, "}");
    }
    ln_text_print(call->out, "],");
}

static void
put_lanes(struct shell_call *call, const struct ln_actor_info *info)
{
    static const char *const names[LN_LANES] = {"system", "reply", "durable", "lossy"};
    ln_text_print(call->out, "\"lanes\":{");
    for (unsigned lane = 0; lane < LN_LANES; lane++) {
        shell_put_number(call, names[lane], info->lanes[lane]);
    }
    shell_put_end(call, "},");
    ln_text_print(call->out, "\"lane_bytes\":{");
    for (unsigned lane = 0; lane < LN_LANES; lane++) {
        shell_put_number(call, names[lane], info->lane_bytes[lane]);
    }
    shell_put_end(call, "},");
}

static void
near_print(struct shell_call *call, const struct near *near)
{
    const struct ln_relations *relations = &near->relations;
    ln_text_print(call->out, "{\"actor\":");
    shell_actor_print(call, &near->info, 1);
    ln_text_print(call->out, ",");
    put_lanes(call, &near->info);
    put_pids(call, "links", relations->links_count, relations->links);
    put_pids(call, "watchers", relations->watchers_count, relations->watchers);
    put_pids(call, "watching", relations->watching_count, relations->watching);
    put_wait(call, &near->wait);
    put_backtrace(call, &near->wait);
    shell_put_text(call, "text", near->text);
    shell_put_end(call, "}");
}

static void
inspect_actor(struct shell_call *call, ln_pid pid)
{
    struct near *near = ln_alloc(sizeof *near);
    int error = near_look(pid, near);
    if (error == -ESRCH) {
        shell_fail(call, SHELL_UNKNOWN, "there is no actor %s", call->words[0]);
    } else if (error < 0) {
        shell_fail_errno(call, error, "inspect");
    } else {
        near_print(call, near);
    }
    ln_free(near);
}

/* --------------------------------------------------------------------------------------- a user */

static void
device_print(struct shell_call *call, const struct store_device *device)
{
    char connection[SHELL_PID_BYTES] = "";
    if (device->session != 0) {
        shell_pid_print(device->session, connection);
    }
    ln_text_print(call->out, "{\"device\":%u,", device->device);
    shell_put_name(call, &device->name);
    shell_put_text(call, "connection", connection);
    ln_text_print(call->out,
                  "\"added_at_ms\":%llu,\"seen_at_ms\":%llu,\"acked\":%llu,\"waiting\":%llu,"
                  "\"waiting_bytes\":%llu,\"resync\":%s}",
                  (unsigned long long)device->added_at_ms, (unsigned long long)device->seen_at_ms,
                  (unsigned long long)device->acked, (unsigned long long)device->entries,
                  (unsigned long long)device->bytes, device->resync ? "true" : "false");
}

static int
devices_print(struct shell_call *call, uint64_t user)
{
    struct ln_msg *answer = NULL;
    uint32_t count = 0;
    int error = accounts_devices(call->messenger, user, &answer);
    if (error < 0) {
        return error;
    }
    const struct store_device *devices = accounts_device_list(answer, &count);
    for (uint32_t i = 0; i < count; i++) {
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

static void
user_print(struct shell_call *call, const struct store_user *user)
{
    ln_text_print(call->out, "{\"user\":%llu,", (unsigned long long)user->user);
    shell_put_name(call, &user->name);
    ln_text_print(call->out,
                  "\"created_at_ms\":%llu,\"inbox\":{\"low\":%llu,\"last\":%llu,\"entries\":%llu,"
                  "\"bytes\":%llu},",
                  (unsigned long long)user->created_at_ms, (unsigned long long)user->inbox_low,
                  (unsigned long long)user->inbox_last, (unsigned long long)user->inbox_entries,
                  (unsigned long long)user->inbox_bytes);
    partition_print(call, user->user);
    ln_text_print(call->out, ",\"devices\":[");
}

int
shell_user_find(struct shell_call *call, const char *word, uint64_t *out)
{
    const char *at = word;
    if (shell_number_parse(&at, UINT64_C(1) << 53, out) && *at == '\0') {
        return 0;
    }
    return accounts_find(call->messenger, word, out);
}

static void
inspect_user(struct shell_call *call)
{
    uint64_t id = 0;
    struct store_user user;
    int error = shell_user_find(call, call->words[0], &id);
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

/* pid -> {"actor": ..., "lanes": ..., "lane_bytes": ..., "links": ..., "wait": ...,
 * "backtrace": ..., "text": its state}; user -> {"user": ..., "inbox": ..., "devices": [...]} */
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
