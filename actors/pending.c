/* SPDX-License-Identifier: Apache-2.0 */
/* The list is the truth; the index has those of it that were asked, chained by the hash of their
 * request. Chains go through the pendings, and there are as many as commands may be unanswered by
 * default, so that a look finds its pending at the first or second. A ring of references beside
 * pointers would touch no pending but its own, yet has to be looked through, or be in the order of
 * references, which nobody promises. */
#include "actors/pending.h"

#include "runtime/check.h"

enum {
    FEW = 8, /* are looked through */
    CHAINS_BITS = 6,
};

struct pending_index {
    struct pending *chains[1 << CHAINS_BITS];
};

/* ------------------------------------------------------------------------------------ the index */

/* References are numbered one by one, other connections' between them: multiplied, they are spread
 * whatever lies between. */
static struct pending **
chain_of(const struct pending_list *list, uint64_t request)
{
    uint64_t spread = request * UINT64_C(0x9e3779b97f4a7c15);
    return &list->index->chains[spread >> (64 - CHAINS_BITS)];
}

static void
index_add(struct pending_list *list, struct pending *pending)
{
    if (list->index != NULL && pending->request != 0) {
        struct pending **chain = chain_of(list, pending->request);
        pending->chained = *chain;
        *chain = pending;
    }
}

/* Of several with one request the one that was added first: the last of its chain. */
static struct pending *
index_take(struct pending_list *list, uint64_t request)
{
    struct pending **last = NULL;
    for (struct pending **at = chain_of(list, request); *at != NULL; at = &(*at)->chained) {
        last = (*at)->request == request ? at : last;
    }
    if (last == NULL) {
        return NULL;
    }
    struct pending *found = *last;
    *last = found->chained;
    return found;
}

/* Apart, so that what is done for each command needs no frame. */
static __attribute__((noinline)) void
index_make(struct pending_list *list)
{
    list->index = ln_alloc(sizeof *list->index);
    for (struct pending *at = list->first; at != NULL; at = at->next) {
        index_add(list, at);
    }
}

static __attribute__((noinline)) void
index_drop(struct pending_list *list)
{
    ln_free(list->index);
    list->index = NULL;
}

/* ------------------------------------------------------------------------------------- the list */

static void
append(struct pending_list *list, struct pending *pending)
{
    pending->next = NULL;
    if (list->first == NULL) {
        list->first = pending;
    } else {
        pending->before = list->first->before;
        pending->before->next = pending;
    }
    list->first->before = pending;
    list->count++;
}

static void
take_out(struct pending_list *list, struct pending *pending)
{
    if (pending == list->first) {
        list->first = pending->next;
    } else {
        pending->before->next = pending->next;
    }
    struct pending *behind = pending->next != NULL ? pending->next : list->first;
    if (behind != NULL) {
        behind->before = pending->before;
    }
    list->count--;
    if (list->count == 0 && list->index != NULL) {
        index_drop(list);
    }
}

void
pending_list_add(struct pending_list *list, struct pending *pending, uint64_t request)
{
    pending->request = request;
    append(list, pending);
    if (list->index != NULL) {
        index_add(list, pending);
    } else if (list->count > FEW) {
        index_make(list);
    }
}

void
pending_list_asked(struct pending_list *list, struct pending *pending, uint64_t request)
{
    ASSERT(pending->request == 0 && request != 0);
    pending->request = request;
    index_add(list, pending);
}

static struct pending *
look_through(const struct pending_list *list, uint64_t request)
{
    struct pending *at = list->first;
    while (at != NULL && at->request != request) {
        at = at->next;
    }
    return at;
}

struct pending *
pending_list_take(struct pending_list *list, uint64_t request)
{
    ASSERT(request != 0);
    struct pending *found =
        list->index != NULL ? index_take(list, request) : look_through(list, request);
    if (found != NULL) {
        take_out(list, found);
    }
    return found;
}
