/* SPDX-License-Identifier: Apache-2.0 */
/* Memory order: ck_ring_enqueue_spsc stores the slot, then a store fence, then the tail;
 * ck_ring_dequeue_spsc loads the tail, then a load fence, then the slot: what the sender wrote into
 * a message is seen by its receiver.
 *
 * ConcurrencyKit's fences are invisible to ThreadSanitizer. This file alone is built without it and
 * says to it, around each entry, what the ring guarantees. */
#include "runtime/channel.h"

#include "runtime/bounds.h"
#include "runtime/check.h"

#include <ck_pr.h>
#include <ck_ring.h>
#include <stdlib.h>
#include <string.h>

#if defined(LINNET_TSAN_ANNOTATE)
void __tsan_acquire(void *address);
void __tsan_release(void *address);
#define ANNOTATE_RELEASE(address) __tsan_release(address)
#define ANNOTATE_ACQUIRE(address) __tsan_acquire(address)
#else
#define ANNOTATE_RELEASE(address) ((void)(address))
#define ANNOTATE_ACQUIRE(address) ((void)(address))
#endif

struct msg_list {
    struct ln_msg *head, *tail;
    uint32_t count;
};

struct channel { // NOLINT(clang-analyzer-optin.performance.Padding): lines of their own
    ck_ring_t ring;
    /* The sender's. */
    struct msg_list unpublished __attribute__((aligned(64)));
    struct ln_msg *homeward; /* a chain */
    uint32_t homeward_count;
    /* Both sides', never written. */
    ck_ring_buffer_t *slots __attribute__((aligned(64)));
};

/* An entry's lowest bit tells a chain of free messages from a message. */
enum { ENTRY_HOMEWARD = 1, ENTRIES_AHEAD = 4 };

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
    channel->slots = calloc(LN_CHANNEL_SLOTS, sizeof *channel->slots);
    ASSERT(channel->slots != NULL && "out of memory");
    ck_ring_init(&channel->ring, LN_CHANNEL_SLOTS);
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

static bool
enqueue(struct channel *channel, struct ln_msg *msg, uintptr_t mark)
{
    void *entry = (void *)((uintptr_t)msg | mark); // NOLINT(performance-no-int-to-ptr)
    ANNOTATE_RELEASE(channel);
    return ck_ring_enqueue_spsc(&channel->ring, channel->slots, entry);
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
    void *entry;
    if (!ck_ring_dequeue_spsc(&channel->ring, channel->slots, &entry)) {
        return NULL;
    }
    ANNOTATE_ACQUIRE(channel);
    /* What comes soon is on its way from the other core's cache meanwhile. Behind the last entry
     * lies an old one: a hint that helps nobody. */
    unsigned ahead = (channel->ring.c_head + ENTRIES_AHEAD) & channel->ring.mask;
    __builtin_prefetch(ck_pr_load_ptr(&channel->slots[ahead].value), 1);
    *out_homeward = ((uintptr_t)entry & ENTRY_HOMEWARD) != 0;
    return (void *)((uintptr_t)entry &
                    ~(uintptr_t)ENTRY_HOMEWARD); // NOLINT(performance-no-int-to-ptr)
}

bool
channel_waiting(const struct channel *channel)
{
    return ck_ring_size(&channel->ring) > 0;
}
