/* SPDX-License-Identifier: Apache-2.0 */
#include "bench/split.h"

#include "tools/linnet_json.h"

#include <string.h>

static const struct {
    const char *name, *text;
} parts[SPLIT_PARTS] = {
    [SPLIT_CONNECTIONS] = {"connection_actor", "connection actor, its buffers with it"},
    [SPLIT_SOCKETS] = {"socket", "socket"},
    [SPLIT_ACTORS] = {"other_actors", "other actors: supervisors, tables"},
    [SPLIT_RUNTIME] = {"runtime", "timers, monitors, messages"},
    [SPLIT_FREE] = {"free", "free blocks"},
    [SPLIT_ELSEWHERE] = {"elsewhere", "outside the schedulers: store, rings"},
};

const char *
split_part_name(enum split_part part)
{
    return parts[part].name;
}

const char *
split_part_text(enum split_part part)
{
    return parts[part].text;
}

static void
page_add(void *context, yajl_val page)
{
    struct split *split = context;
    for (size_t i = 0; i < linnet_json_count(page); i++) {
        yajl_val row = linnet_json_at(page, i);
        const char *behaviour = linnet_json_text(row, "behaviour");
        enum split_part part =
            strcmp(behaviour, "connection") == 0 ? SPLIT_CONNECTIONS : SPLIT_ACTORS;
        split->bytes[part] += linnet_json_number(row, "memory_bytes");
    }
}

/* What is left of `whole`; parts that are looked at one after the other may not fit. */
static uint64_t
rest(uint64_t whole, uint64_t known)
{
    return whole > known ? whole - known : 0;
}

void
split_read(struct linnet_client *client, uint64_t resident, struct split *out)
{
    const char *status_words[] = {"status"};
    const char *ps_words[2] = {"ps"};
    uint64_t used = 0;
    uint64_t mapped = 0;
    yajl_val status = NULL;
    *out = (struct split){0};
    if (linnet_ask_tree(client, status_words, 1, &status) != SHELL_DONE ||
        linnet_ask_pages(client, ps_words, 1, page_add, out) != SHELL_DONE) {
        yajl_tree_free(status);
        return;
    }
    yajl_val schedulers = linnet_json_member(status, "schedulers");
    for (size_t i = 0; i < linnet_json_count(schedulers); i++) {
        yajl_val row = linnet_json_at(schedulers, i);
        used += linnet_json_number(row, "memory_used_bytes");
        mapped += linnet_json_number(row, "memory_mapped_bytes");
        out->bytes[SPLIT_SOCKETS] += linnet_json_number(row, "sockets_bytes");
    }
    yajl_tree_free(status);
    uint64_t actors = out->bytes[SPLIT_CONNECTIONS] + out->bytes[SPLIT_ACTORS];
    out->bytes[SPLIT_RUNTIME] = rest(used, actors + out->bytes[SPLIT_SOCKETS]);
    out->bytes[SPLIT_FREE] = rest(mapped, used);
    out->bytes[SPLIT_ELSEWHERE] = rest(resident, mapped);
    out->known = resident > 0;
}
