/* SPDX-License-Identifier: Apache-2.0 */
/* The supervision tree, drawn. Actors are sorted by parent, so that the children of one stand
 * together; the way down is a stack of ours instead of the machine's, since nobody promises how
 * deep it goes. Leaves of one behaviour that are many come counted from the node. */
#include "tools/linnet_actors.h"
#include "tools/linnet_show.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { DEPTH_MAX = 32 };

/* The children of one actor: a range of the sorted list. */
struct range {
    size_t next, end;
};

static int
by_parent(const void *a, const void *b)
{
    const struct linnet_actor *one = a;
    const struct linnet_actor *other = b;
    if (one->parent != other->parent) {
        return one->parent < other->parent ? -1 : 1;
    }
    int order = strcmp(one->behaviour, other->behaviour);
    order = order != 0 ? order : strcmp(one->name, other->name);
    return order != 0 ? order : (one->pid > other->pid) - (one->pid < other->pid);
}

/* The first actor whose parent is `parent` or comes after it. */
static size_t
parent_find(const struct linnet_actors *actors, uint64_t parent)
{
    size_t low = 0;
    size_t high = actors->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (actors->list[middle].parent < parent) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

static struct range
children_of(const struct linnet_actors *actors, uint64_t pid)
{
    return (struct range){parent_find(actors, pid), parent_find(actors, pid + 1)};
}

static void
branch_print(const struct range *way, unsigned depth, bool last)
{
    for (unsigned i = 1; i < depth; i++) {
        printf("%s", way[i].next < way[i].end ? "│  " : "   ");
    }
    if (depth > 0) {
        printf("%s", last ? "└─ " : "├─ ");
    }
}

static void
actor_print(const struct linnet_actor *actor)
{
    char pid[LINNET_LABEL_BYTES];
    printf("%s", actor->name[0] != '\0' ? actor->name : actor->behaviour);
    if (actor->name[0] != '\0' && strcmp(actor->name, actor->behaviour) != 0) {
        printf(" (%s)", actor->behaviour);
    }
    printf(" %s\n", linnet_pid_text(actor->pid, pid));
}

static void
many_print(const struct linnet_actor *actor)
{
    printf("%s × %llu", actor->behaviour, (unsigned long long)actor->count);
    if (actor->mailbox > 0) {
        printf(", %llu messages waiting", (unsigned long long)actor->mailbox);
    }
    printf("\n");
}

static void
tree_print(const struct linnet_actors *actors)
{
    struct range way[DEPTH_MAX];
    unsigned depth = 0;
    way[0] = children_of(actors, 0);
    for (;;) {
        struct range *here = &way[depth];
        if (here->next == here->end) {
            if (depth == 0) {
                return;
            }
            depth--;
            continue;
        }
        const struct linnet_actor *actor = &actors->list[here->next];
        here->next++;
        branch_print(way, depth, here->next == here->end);
        if (actor->count > 1) {
            many_print(actor);
            continue;
        }
        actor_print(actor);
        if (depth + 1 < DEPTH_MAX) {
            way[++depth] = children_of(actors, actor->pid);
        }
    }
}

/* An actor whose parent has ended hangs from the top. */
static void
orphans_adopt(struct linnet_actors *actors)
{
    uint64_t *pids = calloc(actors->count + 1, sizeof *pids);
    ASSERT(pids != NULL);
    for (size_t i = 0; i < actors->count; i++) {
        pids[i] = actors->list[i].pid;
    }
    for (size_t i = 0; i < actors->count; i++) {
        struct linnet_actor *actor = &actors->list[i];
        size_t low = 0;
        size_t high = actors->count;
        while (low < high) {
            size_t middle = low + (high - low) / 2;
            if (pids[middle] < actor->parent) {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        if (low == actors->count || pids[low] != actor->parent) {
            actor->parent = 0;
        }
    }
    free(pids);
}

static int
by_pid(const void *a, const void *b)
{
    const struct linnet_actor *one = a;
    const struct linnet_actor *other = b;
    return (one->pid > other->pid) - (one->pid < other->pid);
}

static void
answer_print(yajl_val answer)
{
    struct linnet_actors actors = {0};
    linnet_actors_take(&actors, answer);
    qsort(actors.list, actors.count, sizeof actors.list[0], by_pid);
    orphans_adopt(&actors);
    qsort(actors.list, actors.count, sizeof actors.list[0], by_parent);
    tree_print(&actors);
    linnet_actors_fini(&actors);
}

int
linnet_tree(struct linnet_call *call)
{
    const char *words[] = {"tree"};
    return linnet_show(call, words, 1, answer_print);
}
