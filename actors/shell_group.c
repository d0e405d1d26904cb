/* SPDX-License-Identifier: Apache-2.0 */
/* group list, show, members: as any node sees its groups, and no word of what was said there. */
#include "actors/accounts.h"
#include "actors/shell_priv.h"
#include "store/group.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int
ask(ln_pid partition, uint32_t tag, const void *data, size_t bytes, struct ln_msg **out)
{
    struct ln_msg *request = ln_msg_new(tag, LN_DURABLE, bytes);
    memcpy(request->data, data, bytes);
    return ln_call(partition, &request, ACCOUNTS_TIMEOUT_MS, out);
}

/* "name": so many bytes of a text, with a comma behind. */
static void
put_bytes(struct shell_call *call, const char *name, const void *text, size_t bytes)
{
    char room[STORE_GROUP_DESCRIPTION_BYTES_MAX + 1];
    ASSERT(bytes < sizeof room);
    memcpy(room, text, bytes);
    room[bytes] = '\0';
    shell_put_text(call, name, room);
}

/* ----------------------------------------------------------------------------------------- list */

static void
row_print(struct shell_call *call, const struct store_group_row *row)
{
    ln_text_print(call->out, "%s{", call->out->bytes == 1 ? "" : ",");
    put_bytes(call, "name", row->name, row->name_bytes);
    shell_put_number(call, "group", row->group);
    shell_put_number(call, "members", row->members);
    shell_put_number(call, "messages", row->last);
    shell_put_number(call, "updates", row->update);
    shell_put_number(call, "created_at_ms", row->created_at_ms);
    shell_put_end(call, "}");
}

/* A partition's groups above *after, as far as they fit. True: there are more. */
static bool
partition_list(struct shell_call *call, unsigned partition, uint64_t *after, int *out_error)
{
    struct store_rows rows = {.more = true};
    while (rows.more) {
        struct store_list list = {.after = *after};
        struct ln_msg *answer = NULL;
        *out_error = ask(store_partition_pid(call->messenger->store, (uint8_t)partition),
                         STORE_GROUP_LIST, &list, sizeof list, &answer);
        if (*out_error < 0) {
            return false;
        }
        memcpy(&rows, answer->data, sizeof rows);
        const struct store_group_row *groups =
            answer->buffer != NULL ? ln_buffer_data(answer->buffer) : NULL;
        for (uint32_t i = 0; i < rows.count && groups != NULL; i++) {
            if (!shell_row_fits(call)) {
                ln_msg_free(&answer);
                return true;
            }
            if (groups[i].members > 0) {
                row_print(call, &groups[i]);
            }
            *after = groups[i].group;
        }
        rows.more = rows.more && rows.count > 0;
        ln_msg_free(&answer);
    }
    return false;
}

/* [cursor] -> [{"name": ..., "group": ...}, ...] in the order of partitions */
void
shell_group_list(struct shell_call *call)
{
    shell_list(call, "group list", partition_list);
}

/* ----------------------------------------------------------------------------------------- show */

static void
group_print(struct shell_call *call, const struct store_group *group, const char *texts)
{
    uint8_t partition = store_user_partition(call->messenger->store, group->group);
    struct store_partition_info info;
    store_partition_info_read(call->messenger->store, partition, &info);
    ln_text_print(call->out, "{");
    put_bytes(call, "name", texts, group->name_bytes);
    put_bytes(call, "description", texts + group->name_bytes, group->description_bytes);
    shell_put_number(call, "group", group->group);
    shell_put_number(call, "created_at_ms", group->created_at_ms);
    shell_put_number(call, "creator", group->creator);
    shell_put_number(call, "members_count", group->members);
    shell_put_number(call, "ttl_ms", group->ttl_ms);
    shell_put_number(call, "messages", group->last);
    shell_put_number(call, "kept_after", group->log_low);
    shell_put_number(call, "updates", group->update);
    shell_put_number(call, "delivered_all", group->delivered_all);
    shell_put_number(call, "read_all", group->read_all);
    ln_text_print(call->out, "\"invited\":%s,\"due\":%s,", group->invited ? "true" : "false",
                  group->due ? "true" : "false");
    shell_put_number(call, "partition", partition);
    shell_put_number(call, "outbox", info.outbox_records);
}

static const char *
role_name(uint8_t role)
{
    static const char *const names[] = {"left", "member", "admin", "owner"};
    return role < sizeof names / sizeof names[0] ? names[role] : "?";
}

/* A row, with a comma behind. */
static void
member_print(struct shell_call *call, const struct store_member *member)
{
    ln_text_print(call->out, "{");
    shell_put_number(call, "user", member->user);
    shell_put_text(call, "role", role_name(member->role));
    shell_put_number(call, "joined", member->joined);
    shell_put_number(call, "delivered", member->delivered);
    shell_put_number(call, "read", member->read);
    shell_put_end(call, "},");
}

/* The members above `after`, as far as they fit, or only those who may do more than others. */
static int
members_print(struct shell_call *call, uint64_t group, uint64_t after, bool leaders)
{
    struct store_group_list list = {.group = group, .after = after};
    struct store_rows rows = {.more = true};
    while (rows.more && call->next[0] == '\0') {
        struct ln_msg *answer = NULL;
        int error = ask(store_user_pid(call->messenger->store, group), STORE_GROUP_MEMBERS, &list,
                        sizeof list, &answer);
        if (error < 0) {
            return error;
        }
        memcpy(&rows, answer->data, sizeof rows);
        const struct store_member *members =
            answer->buffer != NULL ? ln_buffer_data(answer->buffer) : NULL;
        for (uint32_t i = 0; i < rows.count && members != NULL && call->next[0] == '\0'; i++) {
            if (!shell_row_fits(call)) {
                (void)snprintf(call->next, sizeof call->next, "%llu",
                               (unsigned long long)list.after);
            } else if (!leaders || members[i].role >= STORE_GROUP_ADMIN) {
                member_print(call, &members[i]);
            }
            list.after = call->next[0] == '\0' ? members[i].user : list.after;
        }
        rows.more = rows.more && rows.count > 0;
        ln_msg_free(&answer);
    }
    return 0;
}

/* The end of both commands below. */
static void
group_failed(struct shell_call *call, int error, const char *what)
{
    if (error == -ENOENT) {
        shell_fail(call, SHELL_UNKNOWN, "there is no group %s", call->words[0]);
    } else if (error < 0) {
        shell_fail_errno(call, error, what);
    }
}

/* False: it was refused. */
static bool
group_parse(struct shell_call *call, const char *command, uint64_t *out)
{
    const char *at = call->words[0];
    bool number = shell_number_parse(&at, UINT64_C(1) << 53, out) && *at == '\0' && *out != 0;
    if (!number) {
        shell_fail(call, SHELL_USAGE, "%s: '%s' is no number of a group", command, call->words[0]);
    }
    return number;
}

_Static_assert((STORE_GROUP_ADMINS_MAX + 16) * SHELL_ROW_BYTES_MAX < SHELL_ANSWER_BYTES_MAX,
               "all leaders have room beside the rest");

/* number -> {"name": ..., "leaders": [{"user": ..., "role": "owner"}, ...]} */
void
shell_group_show(struct shell_call *call)
{
    struct store_group_ask asked = {.group = 0};
    struct ln_msg *answer = NULL;
    if (!group_parse(call, "group show", &asked.group)) {
        return;
    }
    int error = ask(store_user_pid(call->messenger->store, asked.group), STORE_GROUP_GET, &asked,
                    sizeof asked, &answer);
    if (error == 0) {
        group_print(call, (const struct store_group *)(const void *)answer->data,
                    answer->buffer != NULL ? ln_buffer_data(answer->buffer) : "");
        ln_text_print(call->out, "\"leaders\":[");
        error = members_print(call, asked.group, 0, true);
        shell_put_end(call, "]}");
        call->next[0] = '\0';
    }
    ln_msg_free(&answer);
    group_failed(call, error, "group show");
}

/* number [cursor] -> [{"user": ..., "role": "member"}, ...] */
void
shell_group_members(struct shell_call *call)
{
    uint64_t group = 0;
    uint64_t after = 0;
    const char *at = call->count > 1 ? call->words[1] : "0";
    if (!group_parse(call, "group members", &group)) {
        return;
    }
    if (!shell_number_parse(&at, UINT64_MAX, &after) || *at != '\0') {
        shell_fail(call, SHELL_USAGE, "group members: '%s' is no place to go on from",
                   call->words[1]);
        return;
    }
    ln_text_print(call->out, "[");
    int error = members_print(call, group, after, false);
    shell_put_end(call, "]");
    group_failed(call, error, "group members");
}
