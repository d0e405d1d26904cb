/* SPDX-License-Identifier: Apache-2.0 */
/* Messages come from the memory of the scheduler that makes them and go home to be freed. Shared
 * payloads come from malloc, since worker threads make them too; one atomic count tells when the
 * last reference goes. */
#include "runtime/message.h"

#include <stdatomic.h>
#include <stdlib.h>

struct ln_buffer {
    atomic_uint references;
    size_t bytes;
    unsigned char data[] __attribute__((aligned(16)));
};

struct ln_msg *
ln_msg_new(uint32_t tag, enum ln_lane lane, size_t bytes)
{
    struct scheduler *self = scheduler_current();
    struct ln_msg *msg = message_new(self, tag, lane, bytes);
    if (self->current != NULL) {
        message_hold(self->current, msg);
    }
    return msg;
}

void
ln_msg_free(struct ln_msg **msg)
{
    struct ln_msg *freed = *msg;
    if (freed == NULL) {
        return;
    }
    *msg = NULL;
    message_let_go(freed);
    /* Behaviours and processes alike are through with received bytes when their message goes. */
    if (freed->tag == LN_TAG_DATA) {
        socket_consumed(freed);
    }
    if (freed->buffer != NULL) {
        ln_buffer_put(&freed->buffer);
    }
    struct scheduler *self = scheduler_current();
    if (freed->home == self->index) {
        slab_free(&self->slab, freed, freed->block_bytes);
    } else {
        channel_send_home(self->out[freed->home], freed);
        self->unpublished++;
    }
}

struct ln_buffer *
ln_buffer_new(size_t bytes)
{
    struct ln_buffer *buffer = malloc(sizeof *buffer + bytes);
    ASSERT(buffer != NULL && "out of memory");
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
        free(put);
    }
}
