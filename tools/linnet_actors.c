/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/linnet_actors.h"

#include "tools/linnet_json.h"
#include "tools/linnet_table.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* "scheduler.slot.generation"; 0 for an empty text. */
static uint64_t
pid_parse(const char *text)
{
    char *end = NULL;
    uint64_t scheduler = strtoull(text, &end, 10);
    uint64_t slot = *end == '.' ? strtoull(end + 1, &end, 10) : 0;
    uint64_t generation = *end == '.' ? strtoull(end + 1, &end, 10) : 0;
    return scheduler << 56 | slot << 32 | generation;
}

const char *
linnet_pid_text(uint64_t pid, char out[LINNET_LABEL_BYTES])
{
    (void)snprintf(out, LINNET_LABEL_BYTES, "%u.%u.%u", (unsigned)(pid >> 56),
                   (unsigned)(pid >> 32) & 0xffffff, (unsigned)pid);
    return out;
}

void
linnet_actors_take(struct linnet_actors *actors, yajl_val page)
{
    size_t count = linnet_json_count(page);
    if (actors->count + count > actors->max) {
        actors->max = 2 * (actors->count + count);
        actors->list = reallocarray(actors->list, actors->max, sizeof *actors->list);
        ASSERT(actors->list != NULL);
    }
    for (size_t i = 0; i < count; i++) {
        yajl_val row = linnet_json_at(page, i);
        struct linnet_actor *actor = &actors->list[actors->count++];
        *actor = (struct linnet_actor){
            .pid = pid_parse(linnet_json_text(row, "pid")),
            .parent = pid_parse(linnet_json_text(row, "parent")),
            .count = linnet_json_number(row, "count"),
            .mailbox = linnet_json_number(row, "mailbox"),
            .reductions = linnet_json_number(row, "reductions"),
            .memory_bytes = linnet_json_number(row, "memory_bytes"),
        };
        (void)snprintf(actor->behaviour, sizeof actor->behaviour, "%s",
                       linnet_json_text(row, "behaviour"));
        (void)snprintf(actor->name, sizeof actor->name, "%s", linnet_json_text(row, "name"));
        (void)snprintf(actor->state, sizeof actor->state, "%s", linnet_json_text(row, "state"));
    }
}

void
linnet_actors_fini(struct linnet_actors *actors)
{
    free(actors->list);
    *actors = (struct linnet_actors){0};
}

/* ------------------------------------------------------------------------------------------- ps */

enum { TOP_MAX = 1000 }; /* rows that the node sends sorted */

static int
number_order(uint64_t a, uint64_t b)
{
    return (a > b) - (a < b);
}

static int
by_pid(const void *a, const void *b)
{
    const struct linnet_actor *one = a;
    const struct linnet_actor *other = b;
    return number_order(one->pid, other->pid);
}

/* Names first, then the nameless. */
static int
by_name(const void *a, const void *b)
{
    const struct linnet_actor *one = a;
    const struct linnet_actor *other = b;
    int order = (one->name[0] == '\0') - (other->name[0] == '\0');
    order = order != 0 ? order : strcmp(one->name, other->name);
    return order != 0 ? order : by_pid(a, b);
}

static int
by_behaviour(const void *a, const void *b)
{
    const struct linnet_actor *one = a;
    const struct linnet_actor *other = b;
    int order = strcmp(one->behaviour, other->behaviour);
    return order != 0 ? order : by_pid(a, b);
}

/* The most first, as for all numbers but pids. */
static int
by_mailbox(const void *a, const void *b)
{
    const struct linnet_actor *one = a;
    const struct linnet_actor *other = b;
    int order = number_order(other->mailbox, one->mailbox);
    return order != 0 ? order : by_pid(a, b);
}

static int
by_reductions(const void *a, const void *b)
{
    const struct linnet_actor *one = a;
    const struct linnet_actor *other = b;
    int order = number_order(other->reductions, one->reductions);
    return order != 0 ? order : by_pid(a, b);
}

static int
by_memory(const void *a, const void *b)
{
    const struct linnet_actor *one = a;
    const struct linnet_actor *other = b;
    int order = number_order(other->memory_bytes, one->memory_bytes);
    return order != 0 ? order : by_pid(a, b);
}

static const struct {
    const char *name;
    int (*compare)(const void *a, const void *b);
} orders[] = {
    {"pid", by_pid},
    {"name", by_name},
    {"behaviour", by_behaviour},
    {"mailbox", by_mailbox},
    {"reductions", by_reductions},
    {"memory", by_memory},
};

static void
ps_print(const struct linnet_actors *actors, size_t shown, uint64_t all)
{
    static const struct linnet_column columns[] = {
        {"PID", false},       {"BEHAVIOUR", false}, {"NAME", false},  {"MAILBOX", true},
        {"REDUCTIONS", true}, {"MEMORY", true},     {"STATE", false},
    };
    struct linnet_table table;
    linnet_table_init(&table, columns, sizeof columns / sizeof columns[0]);
    for (size_t i = 0; i < shown; i++) {
        const struct linnet_actor *actor = &actors->list[i];
        char pid[LINNET_LABEL_BYTES];
        linnet_table_text(&table, linnet_pid_text(actor->pid, pid));
        linnet_table_text(&table, actor->behaviour);
        linnet_table_text(&table, actor->name[0] != '\0' ? actor->name : "-");
        linnet_table_number(&table, actor->mailbox);
        linnet_table_number(&table, actor->reductions);
        linnet_table_bytes(&table, actor->memory_bytes);
        linnet_table_text(&table, actor->state);
    }
    linnet_table_print(&table);
    linnet_table_fini(&table);
    if (shown < all) {
        printf("%llu more: --all shows them\n", (unsigned long long)(all - shown));
    }
}

static void
page_take(void *context, yajl_val page)
{
    linnet_actors_take(context, page);
}

/* All rows come, are sorted here, and shown up to the limit. */
static int
ps_all(struct linnet_call *call, int (*compare)(const void *a, const void *b))
{
    const char *words[2] = {"ps"};
    if (call->json) {
        return linnet_ask_print(&call->client, words, 1, true);
    }
    struct linnet_actors actors = {0};
    int code = linnet_ask_pages(&call->client, words, 1, page_take, &actors);
    if (code == SHELL_DONE) {
        size_t shown = actors.count;
        if ((call->flags & LINNET_ALL) == 0 && shown > call->limit) {
            shown = call->limit;
        }
        qsort(actors.list, actors.count, sizeof actors.list[0], compare);
        ps_print(&actors, shown, actors.count);
    }
    linnet_actors_fini(&actors);
    return code;
}

/* The node sorts, and sends what is shown. */
static int
ps_top(struct linnet_call *call)
{
    char limit[LINNET_NUMBER_BYTES];
    (void)snprintf(limit, sizeof limit, "%llu", (unsigned long long)call->limit);
    const char *words[] = {"top", call->sort != NULL ? call->sort : "pid", limit};
    struct linnet_answer answer;
    int code = linnet_ask(&call->client, words, 3, &answer);
    if (code != SHELL_DONE) {
        return code;
    }
    if (call->json) {
        const char *rows = strchr(answer.document, '[');
        printf("%.*s\n", (int)strlen(rows) - 1, rows);
        return SHELL_DONE;
    }
    struct linnet_actors actors = {0};
    yajl_val tree = linnet_json_parse(answer.document);
    linnet_actors_take(&actors, linnet_json_member(tree, "actors"));
    ps_print(&actors, actors.count, linnet_json_number(tree, "all"));
    yajl_tree_free(tree);
    linnet_actors_fini(&actors);
    return SHELL_DONE;
}

int
linnet_ps(struct linnet_call *call)
{
    int (*compare)(const void *a, const void *b) = call->sort == NULL ? by_pid : NULL;
    for (unsigned i = 0; call->sort != NULL && i < sizeof orders / sizeof orders[0]; i++) {
        if (strcmp(call->sort, orders[i].name) == 0) {
            compare = orders[i].compare;
        }
    }
    if (compare == NULL) {
        (void)fprintf(stderr,
                      "linnet: --sort: '%s' is none of pid, name, behaviour, mailbox, "
                      "reductions, memory\n",
                      call->sort);
        return SHELL_USAGE;
    }
    return (call->flags & LINNET_ALL) != 0 || call->limit == 0 || call->limit > TOP_MAX
               ? ps_all(call, compare)
               : ps_top(call);
}
