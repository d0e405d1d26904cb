/* SPDX-License-Identifier: Apache-2.0 */
/* Looks over all actors that give a short answer, however many there are: the tool would take a
 * tenth of a second to read 20,000 rows, of which a person sees a hundred. Nothing is kept but what
 * is answered: the first rows of an order, or a tree whose many equal leaves are counted. */
#include "actors/shell_priv.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

int
shell_actors_each(void (*each)(void *context, const struct ln_actor_info *info), void *context)
{
    struct ln_actor_info *page = ln_alloc(LN_INSPECT_PAGE * sizeof *page);
    int error = 0;
    for (unsigned scheduler = 0; error == 0 && scheduler < ln_schedulers(); scheduler++) {
        uint32_t slot = 0;
        do {
            uint32_t count = 0;
            error = ln_inspect_list(scheduler, &slot, page, LN_INSPECT_PAGE, &count);
            for (uint32_t i = 0; error == 0 && i < count; i++) {
                each(context, &page[i]);
            }
        } while (error == 0 && slot != 0);
    }
    ln_free(page);
    return error;
}

/* ------------------------------------------------------------------------------------------ top */

enum { TOP_MAX = 1000 };

typedef int (*top_order)(const struct ln_actor_info *a, const struct ln_actor_info *b);

static int
number_order(uint64_t a, uint64_t b)
{
    return (a > b) - (a < b);
}

static int
by_pid(const struct ln_actor_info *a, const struct ln_actor_info *b)
{
    return number_order(a->pid, b->pid);
}

/* Names first, then the nameless. */
static int
by_name(const struct ln_actor_info *a, const struct ln_actor_info *b)
{
    int order = (a->name[0] == '\0') - (b->name[0] == '\0');
    return order != 0 ? order : strcmp(a->name, b->name);
}

static int
by_behaviour(const struct ln_actor_info *a, const struct ln_actor_info *b)
{
    return strcmp(a->behaviour, b->behaviour);
}

/* The most first, as for all numbers but pids. */
static int
by_mailbox(const struct ln_actor_info *a, const struct ln_actor_info *b)
{
    return number_order(b->mailbox, a->mailbox);
}

static int
by_reductions(const struct ln_actor_info *a, const struct ln_actor_info *b)
{
    return number_order(b->reductions, a->reductions);
}

static int
by_memory(const struct ln_actor_info *a, const struct ln_actor_info *b)
{
    return number_order(b->memory_bytes, a->memory_bytes);
}

static const struct {
    const char *name;
    top_order compare;
} orders[] = {
    {"pid", by_pid},         {"name", by_name},
    {"mailbox", by_mailbox}, {"behaviour", by_behaviour},
    {"memory", by_memory},   {"reductions", by_reductions},
};

struct top {
    top_order compare;
    struct ln_actor_info *rows; /* in order */
    uint32_t count, max;
    uint64_t all;
};

static int
top_compare(const struct top *top, const struct ln_actor_info *a, const struct ln_actor_info *b)
{
    int order = top->compare(a, b);
    return order != 0 ? order : by_pid(a, b);
}

static void
top_take(void *context, const struct ln_actor_info *info)
{
    struct top *top = context;
    uint32_t low = 0;
    uint32_t high = top->count;
    top->all++;
    if (top->count == top->max && top_compare(top, info, &top->rows[top->max - 1]) > 0) {
        return;
    }
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (top_compare(top, &top->rows[middle], info) < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    top->count += top->count < top->max;
    memmove(&top->rows[low + 1], &top->rows[low], (top->count - 1 - low) * sizeof *info);
    top->rows[low] = *info;
}

/* order limit -> {"all": number, "actors": [{"pid": ...}, ...]} */
void
shell_top(struct shell_call *call)
{
    struct top top = {.max = (uint32_t)strtoul(call->words[1], NULL, 10)};
    for (unsigned i = 0; i < sizeof orders / sizeof orders[0]; i++) {
        if (strcmp(call->words[0], orders[i].name) == 0) {
            top.compare = orders[i].compare;
        }
    }
    if (top.compare == NULL || top.max == 0 || top.max > TOP_MAX) {
        shell_fail(call, SHELL_USAGE, "top: '%s %s' is no order with a limit of 1 to %d",
                   call->words[0], call->words[1], TOP_MAX);
        return;
    }
    top.rows = ln_alloc(top.max * sizeof *top.rows);
    int error = shell_actors_each(top_take, &top);
    ln_text_print(call->out, "{\"all\":%llu,\"actors\":[", (unsigned long long)top.all);
    for (uint32_t i = 0; i < top.count; i++) {
        ln_text_print(call->out, "%s", i == 0 ? "" : ",");
        shell_actor_print(call, &top.rows[i], 1);
    }
    ln_text_print(call->out, "]}");
    ln_free(top.rows);
    if (error < 0) {
        shell_fail_errno(call, error, "ps");
    }
}

/* ----------------------------------------------------------------------------------------- tree */

enum {
    /* So many leaves of one kind are still looked at one by one. */
    DRAWN_MAX = 4,
    /* Kinds of leaves below one parent; those of further kinds are all looked at one by one. */
    KINDS_MAX = 256,
};

struct kind {
    ln_pid parent;
    const char *behaviour;
    uint64_t count;
    uint64_t mailbox;
    struct ln_actor_info drawn[DRAWN_MAX];
};

struct tree_look {
    struct shell_call *call;
    ln_pid *parents; /* whoever is one, sorted; then `kinds` are gathered */
    size_t parents_count, parents_max;
    struct kind *kinds;
    unsigned kinds_count;
    bool begun;
};

/* Where `pid` stands among the parents, or should. */
static size_t
parent_place(const struct tree_look *look, ln_pid pid)
{
    size_t low = 0;
    size_t high = look->parents_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (look->parents[middle] < pid) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

static bool
is_parent(const struct tree_look *look, ln_pid pid)
{
    size_t place = parent_place(look, pid);
    return place < look->parents_count && look->parents[place] == pid;
}

static void
parent_note(void *context, const struct ln_actor_info *info)
{
    struct tree_look *look = context;
    if (info->parent == 0 || is_parent(look, info->parent)) {
        return;
    }
    if (look->parents_count == look->parents_max) {
        size_t max = look->parents_max == 0 ? 64 : 2 * look->parents_max;
        ln_pid *parents = ln_alloc(max * sizeof *parents);
        if (look->parents != NULL) {
            memcpy(parents, look->parents, look->parents_count * sizeof *parents);
        }
        ln_free(look->parents);
        look->parents = parents;
        look->parents_max = max;
    }
    size_t place = parent_place(look, info->parent);
    memmove(&look->parents[place + 1], &look->parents[place],
            (look->parents_count - place) * sizeof *look->parents);
    look->parents[place] = info->parent;
    look->parents_count++;
}

static void
row_print(struct tree_look *look, const struct ln_actor_info *info, uint64_t count)
{
    ln_text_print(look->call->out, "%s", look->begun ? "," : "");
    shell_actor_print(look->call, info, count);
    look->begun = true;
}

/* NULL: there is no room for another kind. */
static struct kind *
kind_of(struct tree_look *look, const struct ln_actor_info *info)
{
    for (unsigned i = 0; i < look->kinds_count; i++) {
        struct kind *kind = &look->kinds[i];
        if (kind->parent == info->parent && strcmp(kind->behaviour, info->behaviour) == 0) {
            return kind;
        }
    }
    if (look->kinds_count == KINDS_MAX) {
        return NULL;
    }
    struct kind *kind = &look->kinds[look->kinds_count++];
    *kind = (struct kind){.parent = info->parent, .behaviour = info->behaviour};
    return kind;
}

static void
actor_place(void *context, const struct ln_actor_info *info)
{
    struct tree_look *look = context;
    struct kind *kind = is_parent(look, info->pid) ? NULL : kind_of(look, info);
    if (kind == NULL) {
        row_print(look, info, 1);
        return;
    }
    if (kind->count < DRAWN_MAX) {
        kind->drawn[kind->count] = *info;
    }
    kind->count++;
    kind->mailbox += info->mailbox;
}

static void
kinds_print(struct tree_look *look)
{
    for (unsigned i = 0; i < look->kinds_count; i++) {
        struct kind *kind = &look->kinds[i];
        if (kind->count > DRAWN_MAX) {
            kind->drawn[0].mailbox = (uint32_t)kind->mailbox;
            row_print(look, &kind->drawn[0], kind->count);
            continue;
        }
        for (uint64_t j = 0; j < kind->count; j++) {
            row_print(look, &kind->drawn[j], 1);
        }
    }
}

/* -> [{"pid": ..., "count": number}, ...]: all actors; of many leaves alike below one parent the
 * first, with their count and the sum of their mailboxes */
void
shell_tree(struct shell_call *call)
{
    struct tree_look look = {.call = call};
    look.kinds = ln_alloc(KINDS_MAX * sizeof *look.kinds);
    int error = shell_actors_each(parent_note, &look);
    ln_text_print(call->out, "[");
    if (error == 0) {
        error = shell_actors_each(actor_place, &look);
    }
    kinds_print(&look);
    ln_text_print(call->out, "]");
    ln_free(look.kinds);
    ln_free(look.parents);
    if (error < 0) {
        shell_fail_errno(call, error, "tree");
    }
}
