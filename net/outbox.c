/* SPDX-License-Identifier: Apache-2.0 */
/* A list, since it is short (the window bounds it) and answers come nearly in its order: what is
 * looked for is at the front. */
#include "net/outbox.h"

#include <stdlib.h>

struct outbox_entry *
outbox_push(struct outbox *outbox, uint64_t number, size_t bytes_max)
{
    ASSERT(outbox->last == NULL || outbox->last->number < number);
    struct outbox_entry *entry = malloc(sizeof(*entry) + bytes_max);
    if (entry == NULL) {
        return NULL;
    }
    *entry = (struct outbox_entry){.number = number, .state = OUTBOX_QUEUED};
    if (outbox->last != NULL) {
        outbox->last->next = entry;
    } else {
        outbox->first = entry;
    }
    outbox->last = entry;
    outbox->counts[OUTBOX_QUEUED]++;
    return entry;
}

struct outbox_entry *
outbox_find(const struct outbox *outbox, uint64_t number)
{
    struct outbox_entry *entry = outbox->first;
    while (entry != NULL && entry->number < number) {
        entry = entry->next;
    }
    return entry != NULL && entry->number == number ? entry : NULL;
}

struct outbox_entry *
outbox_queued(const struct outbox *outbox)
{
    if (outbox->counts[OUTBOX_QUEUED] == 0) {
        return NULL;
    }
    /* One alone is mostly the one that was just pushed. */
    if (outbox->counts[OUTBOX_QUEUED] == 1 && outbox->last->state == OUTBOX_QUEUED) {
        return outbox->last;
    }
    struct outbox_entry *entry = outbox->first;
    while (entry->state != OUTBOX_QUEUED) {
        entry = entry->next;
    }
    return entry;
}

void
outbox_move(struct outbox *outbox, struct outbox_entry *entry, enum outbox_state state)
{
    outbox->counts[entry->state]--;
    outbox->counts[state]++;
    entry->state = (uint8_t)state;
}

void
outbox_requeue(struct outbox *outbox)
{
    for (struct outbox_entry *entry = outbox->first; entry != NULL; entry = entry->next) {
        outbox_move(outbox, entry, OUTBOX_QUEUED);
    }
}

void
outbox_remove(struct outbox *outbox, struct outbox_entry *entry)
{
    struct outbox_entry *before = NULL;
    struct outbox_entry **link = &outbox->first;
    while (*link != entry) {
        ASSERT(*link != NULL);
        before = *link;
        link = &before->next;
    }
    *link = entry->next;
    if (outbox->last == entry) {
        outbox->last = before;
    }
    outbox->counts[entry->state]--;
    free(entry);
}

void
outbox_clear(struct outbox *outbox)
{
    struct outbox_entry *entry = outbox->first;
    while (entry != NULL) {
        struct outbox_entry *next = entry->next;
        free(entry);
        entry = next;
    }
    *outbox = (struct outbox){0};
}
