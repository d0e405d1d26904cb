/* SPDX-License-Identifier: Apache-2.0 */
/* A ring whose slots tell by themselves whether they are filled: a bit of each entry says in which
 * lap it was written, so the receiver looks at the next slot and at nothing else, and leaves it as
 * it is. The sender knows how far the receiver was when it last looked and looks again only when
 * that is a ring's length ago. So what crosses between the cores for a message alone is two lines,
 * its slot's and its own; through ConcurrencyKit's ring, whose ends are counters that both sides
 * read each time, it was four.
 *
 * Memory order: a slot is stored with release and loaded with acquire, so what the sender wrote
 * into a message is seen by its receiver; `head` likewise, so a slot is written again only after it
 * was read. */
#include "runtime/channel.h"

#include "runtime/bounds.h"
#include "runtime/check.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

struct msg_list {
    struct ln_msg *head, *tail;
    uint32_t count;
};

struct channel { // NOLINT(clang-analyzer-optin.performance.Padding): lines of their own
    /* The sender's. */
    struct msg_list unpublished __attribute__((aligned(64)));
    struct ln_msg *homeward; /* a chain */
    uint32_t homeward_count;
    uint32_t tail;      /* entries written */
    uint32_t head_seen; /* `head` when last looked at */
    /* The receiver's. */
    atomic_uint head __attribute__((aligned(64))); /* entries read */
    /* Both sides', never written. */
    atomic_uintptr_t *slots __attribute__((aligned(64)));
};

/* The lowest bit of an entry tells a chain of free messages from a message, the next one its
 * lap. */
enum { ENTRY_HOMEWARD = 1, ENTRY_LAP = 2, ENTRY_BITS = 3, ENTRIES_AHEAD = 4 };
_Static_assert((LN_CHANNEL_SLOTS & (LN_CHANNEL_SLOTS - 1)) == 0, "counters wrap at a lap's end");

static atomic_uintptr_t *
slot_of(const struct channel *channel, uint32_t number)
{
    return &channel->slots[number % LN_CHANNEL_SLOTS];
}

/* Set in the first lap: a slot that was never written has it not. */
static uintptr_t
lap_of(uint32_t number)
{
    return (number / LN_CHANNEL_SLOTS) % 2 == 0 ? ENTRY_LAP : 0;
}

/* Entry `number`, or 0 when it is not there yet. */
static uintptr_t
entry_at(const struct channel *channel, uint32_t number)
{
    uintptr_t entry = atomic_load_explicit(slot_of(channel, number), memory_order_acquire);
    return (entry & ENTRY_LAP) == lap_of(number) ? entry & ~(uintptr_t)ENTRY_LAP : 0;
}

static void
list_append(struct msg_list *list, struct ln_msg *msg)
{
    msg->next = NULL;
    if (list->tail == NULL) {
        list->head = msg;
    } else {
        list->tail->next = msg;
    }
    list->tail = msg;
    list->count++;
}

struct channel *
channel_new(void)
{
    struct channel *channel = aligned_alloc(64, (sizeof *channel + 63) & ~(size_t)63);
    ASSERT(channel != NULL && "out of memory");
    memset(channel, 0, sizeof *channel);
    channel->slots = aligned_alloc(64, LN_CHANNEL_SLOTS * sizeof *channel->slots);
    ASSERT(channel->slots != NULL && "out of memory");
    for (uint32_t i = 0; i < LN_CHANNEL_SLOTS; i++) {
        atomic_init(&channel->slots[i], 0);
    }
    return channel;
}

static void
chain_discard(struct ln_msg *msg, void (*discard)(struct ln_msg *msg))
{
    while (msg != NULL) {
        struct ln_msg *next = msg->next;
        discard(msg);
        msg = next;
    }
}

void
channel_free(struct channel *channel, void (*discard)(struct ln_msg *msg))
{
    if (channel == NULL) {
        return;
    }
    struct ln_msg *msg;
    bool homeward;
    while (channel_publish(channel) || channel_waiting(channel)) {
        while ((msg = channel_receive(channel, &homeward)) != NULL) {
            if (!homeward) {
                msg->next = NULL;
            }
            chain_discard(msg, discard);
        }
    }
    chain_discard(channel->homeward, discard);
    free(channel->slots);
    free(channel);
}

void
channel_send(struct channel *channel, struct ln_msg **msg)
{
    list_append(&channel->unpublished, *msg);
    *msg = NULL;
}

void
channel_send_home(struct channel *channel, struct ln_msg *msg)
{
    msg->next = channel->homeward;
    channel->homeward = msg;
    channel->homeward_count++;
}

/* Memory alone is not worth waking its owner for, unless it has become much. */
static bool
homeward_due(const struct channel *channel)
{
    return channel->homeward_count >= LN_HOMEWARD_BATCH ||
           (channel->homeward_count > 0 && channel->unpublished.head != NULL);
}

/* One slot stays empty, so that a ring's length lies between no two entries. */
static bool
is_full(struct channel *channel)
{
    if (channel->tail - channel->head_seen < LN_CHANNEL_SLOTS - 1) {
        return false;
    }
    channel->head_seen = atomic_load_explicit(&channel->head, memory_order_acquire);
    return channel->tail - channel->head_seen >= LN_CHANNEL_SLOTS - 1;
}

static bool
enqueue(struct channel *channel, const struct ln_msg *msg, uintptr_t mark)
{
    if (is_full(channel)) {
        return false;
    }
    uintptr_t entry = (uintptr_t)msg | mark | lap_of(channel->tail);
    atomic_store_explicit(slot_of(channel, channel->tail), entry, memory_order_release);
    channel->tail++;
    return true;
}

bool
channel_publish(struct channel *channel)
{
    bool published = false;
    /* First, since it is one entry however long: a queue that never ends can't keep it back. */
    if (homeward_due(channel) && enqueue(channel, channel->homeward, ENTRY_HOMEWARD)) {
        channel->homeward = NULL;
        channel->homeward_count = 0;
        published = true;
    }
    struct msg_list *list = &channel->unpublished;
    while (list->head != NULL) {
        struct ln_msg *msg = list->head;
        struct ln_msg *next = msg->next; /* once published it may be gone */
        if (!enqueue(channel, msg, 0)) {
            return published;
        }
        published = true;
        list->head = next;
        list->count--;
        if (next == NULL) {
            list->tail = NULL;
        }
    }
    return published;
}

uint32_t
channel_unpublished(const struct channel *channel)
{
    return channel->unpublished.count + homeward_due(channel);
}

struct ln_msg *
channel_receive(struct channel *channel, bool *out_homeward)
{
    /* Ours to write: relaxed. */
    uint32_t head = atomic_load_explicit(&channel->head, memory_order_relaxed);
    uintptr_t entry = entry_at(channel, head);
    if (entry == 0) {
        return NULL;
    }
    atomic_store_explicit(&channel->head, head + 1, memory_order_release);
    /* What comes soon is on its way from the other core's cache meanwhile; nobody minds a NULL. */
    uintptr_t ahead = entry_at(channel, head + ENTRIES_AHEAD) & ~(uintptr_t)ENTRY_BITS;
    __builtin_prefetch((void *)ahead, 1); // NOLINT(performance-no-int-to-ptr)
    *out_homeward = (entry & ENTRY_HOMEWARD) != 0;
    return (void *)(entry & ~(uintptr_t)ENTRY_BITS); // NOLINT(performance-no-int-to-ptr)
}

bool
channel_waiting(const struct channel *channel)
{
    return entry_at(channel, atomic_load_explicit(&channel->head, memory_order_relaxed)) != 0;
}
