/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/outgoing.h"

#include <string.h>

struct chunk {
    struct chunk *next;
    struct ln_buffer *buffer; /* NULL: the bytes follow */
    const unsigned char *start;
    uint32_t bytes;
    uint32_t room; /* bytes that fit behind; 0 for a shared payload */
    uint64_t block_bytes;
    unsigned char data[];
};

enum {
    BLOCK_BYTES = 1024, /* a typical frame and its header, a few small ones together */
    CHUNK_BYTES = BLOCK_BYTES - sizeof(struct chunk),
};

static struct chunk *
chunk_add(struct outgoing *queue, struct slab *slab, size_t room)
{
    struct chunk *chunk = slab_alloc(slab, sizeof *chunk + room);
    *chunk = (struct chunk){.room = (uint32_t)room, .block_bytes = sizeof *chunk + room};
    chunk->start = chunk->data;
    if (queue->tail == NULL) {
        queue->head = chunk;
    } else {
        queue->tail->next = chunk;
    }
    queue->tail = chunk;
    return chunk;
}

static void
head_remove(struct outgoing *queue, struct slab *slab)
{
    struct chunk *chunk = queue->head;
    queue->head = chunk->next;
    if (queue->head == NULL) {
        queue->tail = NULL;
    }
    ln_buffer_put(&chunk->buffer);
    slab_free(slab, chunk, chunk->block_bytes);
}

void
outgoing_add(struct outgoing *queue, struct slab *slab, const void *bytes, size_t count)
{
    const unsigned char *from = bytes;
    queue->bytes += count;
    while (count > 0) {
        struct chunk *chunk = queue->tail;
        if (chunk == NULL || chunk->room == 0) {
            chunk = chunk_add(queue, slab, CHUNK_BYTES);
        }
        size_t part = count < chunk->room ? count : chunk->room;
        memcpy(&chunk->data[CHUNK_BYTES - chunk->room], from, part);
        chunk->bytes += (uint32_t)part;
        chunk->room -= (uint32_t)part;
        from += part;
        count -= part;
    }
}

void
outgoing_add_buffer(struct outgoing *queue, struct slab *slab, struct ln_buffer **buffer,
                    size_t offset, size_t count)
{
    ASSERT(offset <= ln_buffer_bytes(*buffer) && count <= ln_buffer_bytes(*buffer) - offset);
    ASSERT(count <= UINT32_MAX);
    if (count == 0) {
        ln_buffer_put(buffer);
        return;
    }
    struct chunk *chunk = chunk_add(queue, slab, 0);
    chunk->buffer = *buffer;
    *buffer = NULL;
    chunk->start = (const unsigned char *)ln_buffer_data(chunk->buffer) + offset;
    chunk->bytes = (uint32_t)count;
    queue->bytes += count;
}

unsigned
outgoing_pieces(const struct outgoing *queue, unsigned pieces_max)
{
    unsigned count = 0;
    for (const struct chunk *chunk = queue->head; chunk != NULL && count < pieces_max;
         chunk = chunk->next) {
        count++;
    }
    return count;
}

unsigned
outgoing_gather(struct outgoing *queue, struct iovec *pieces, unsigned pieces_max)
{
    unsigned count = 0;
    for (struct chunk *chunk = queue->head; chunk != NULL && count < pieces_max;
         chunk = chunk->next) {
        chunk->room = 0; /* its length is the kernel's now */
        pieces[count++] = (struct iovec){(void *)(uintptr_t)chunk->start, chunk->bytes};
    }
    return count;
}

void
outgoing_take(struct outgoing *queue, struct slab *slab, size_t sent)
{
    ASSERT(sent <= queue->bytes);
    queue->bytes -= sent;
    while (sent > 0) {
        struct chunk *chunk = queue->head;
        if (sent < chunk->bytes) {
            chunk->start += sent;
            chunk->bytes -= (uint32_t)sent;
            return;
        }
        sent -= chunk->bytes;
        head_remove(queue, slab);
    }
}

void
outgoing_drop(struct outgoing *queue, struct slab *slab)
{
    while (queue->head != NULL) {
        head_remove(queue, slab);
    }
    queue->bytes = 0;
}
