/* SPDX-License-Identifier: Apache-2.0 */
/* Messages come from the memory of the scheduler that makes them and go home to be freed. Shared
 * payloads are spares, since worker threads make them too; one atomic count tells when the last
 * reference goes. */
#include "runtime/message.h"

#include <assert.h>
#include <stdatomic.h>
#include <string.h>

/* What blocks are multiples of. Messages with more data than two are zeroed by a call. */
struct grain {
    uint64_t words[2];
};
static_assert(sizeof(struct grain) == SLAB_GRAIN_BYTES &&
                  sizeof(struct ln_msg) % SLAB_GRAIN_BYTES == 0,
              "data begins with a grain");
enum { SMALL_BYTES_MAX = 2 * SLAB_GRAIN_BYTES };

struct ln_buffer {
    atomic_uint references;
    size_t bytes;
    unsigned char data[] __attribute__((aligned(16)));
};

/* All of a message but its links and its data. */
static inline void
fill(const struct scheduler *self, struct ln_msg *msg, uint32_t tag, enum ln_lane lane,
     size_t bytes)
{
    msg->from = 0;
    msg->ref = 0;
    msg->tag = tag;
    msg->bytes = (uint32_t)bytes;
    msg->key = 0;
    msg->error = 0;
    msg->lane = (uint8_t)lane;
    msg->flags = 0;
    msg->home = (uint16_t)self->index;
    msg->block_bytes = (uint32_t)(sizeof *msg + bytes);
    msg->buffer = NULL;
}

struct ln_msg *
message_new(struct scheduler *self, uint32_t tag, enum ln_lane lane, size_t bytes)
{
    ASSERT(bytes <= UINT32_MAX - sizeof(struct ln_msg));
    struct ln_msg *msg = slab_alloc(&self->slab, sizeof *msg + bytes);
    fill(self, msg, tag, lane, bytes);
    msg->next = NULL;
    msg->to = 0;
    if (bytes > 0) {
        memset(msg->data, 0, bytes);
    }
    return msg;
}

static __attribute__((noinline)) struct ln_msg *
new_any(struct scheduler *self, uint32_t tag, enum ln_lane lane, size_t bytes)
{
    struct ln_msg *msg = message_new(self, tag, lane, bytes);
    if (self->current != NULL) {
        message_hold(self, msg);
    }
    return msg;
}

/* A small one for an actor, from a block at hand, is made without a call. */
struct ln_msg *
ln_msg_new(uint32_t tag, enum ln_lane lane, size_t bytes)
{
    struct scheduler *self = scheduler_current();
    struct ln_msg *msg = NULL;
    if (bytes > SMALL_BYTES_MAX || self->current == NULL ||
        (msg = slab_take(&self->slab, sizeof *msg + bytes)) == NULL) {
        return new_any(self, tag, lane, bytes);
    }
    fill(self, msg, tag, lane, bytes);
    struct grain *data = (void *)msg->data; /* whole ones: a block has no others */
    if (bytes > 0) {
        data[0] = (struct grain){0};
    }
    if (bytes > sizeof *data) {
        data[1] = (struct grain){0};
    }
    message_hold(self, msg);
    return msg;
}

void
message_forget(struct ln_msg *msg)
{
    if ((msg->flags & LN_MSG_REFUSED) != 0) {
        msg->lane = LN_DURABLE; /* another try, not another lane */
    }
    if ((msg->flags & LN_MSG_REQUEST) != 0) {
        msg->key = 0;
    }
}

void
message_free_any(struct scheduler *self, struct ln_msg *msg)
{
    message_let_go(self, msg);
    /* Behaviours and processes alike are through with received bytes when their message goes. */
    if (msg->tag == LN_TAG_DATA) {
        socket_consumed(msg);
    }
    if (msg->buffer != NULL) {
        ln_buffer_put(&msg->buffer);
    }
    if (msg->home == self->index) {
        slab_free(&self->slab, msg, msg->block_bytes);
    } else {
        channel_send_home(self->out[msg->home], msg);
        self->unpublished++;
    }
}

void
ln_msg_free(struct ln_msg **msg)
{
    struct ln_msg *freed = *msg;
    if (freed != NULL) {
        *msg = NULL;
        message_free(scheduler_current(), freed);
    }
}

struct ln_buffer *
ln_buffer_new(size_t bytes)
{
    struct ln_buffer *buffer = spares_take(sizeof *buffer + bytes);
    atomic_init(&buffer->references, 1);
    buffer->bytes = bytes;
    return buffer;
}

void *
ln_buffer_data(struct ln_buffer *buffer)
{
    return buffer->data;
}

size_t
ln_buffer_bytes(const struct ln_buffer *buffer)
{
    return buffer->bytes;
}

struct ln_buffer *
ln_buffer_get(struct ln_buffer *buffer)
{
    /* Relaxed: who has a reference to copy already sees the buffer. */
    unsigned before = atomic_fetch_add_explicit(&buffer->references, 1, memory_order_relaxed);
    ASSERT(before > 0);
    return buffer;
}

void
ln_buffer_put(struct ln_buffer **buffer)
{
    struct ln_buffer *put = *buffer;
    if (put == NULL) {
        return;
    }
    *buffer = NULL;
    /* Release: our reads come before the free; acquire, by the last: it sees all others' reads as
     * done. */
    unsigned before = atomic_fetch_sub_explicit(&put->references, 1, memory_order_acq_rel);
    ASSERT(before > 0);
    if (before == 1) {
        spares_give(put, sizeof *put + put->bytes);
    }
}
