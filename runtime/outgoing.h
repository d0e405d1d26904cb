/* SPDX-License-Identifier: Apache-2.0 */
/* outgoing.h - bytes that wait to leave through a socket. For runtime/ alone.
 *
 * A queue of chunks: bytes that were copied, filled up one behind the other, and parts of shared
 * payloads by reference. A send takes many of them at once:
 *
 *     outgoing_add(queue, slab, "hello", 5);
 *     count = outgoing_gather(queue, pieces, IO_SEND_PIECES_MAX);    they stay until taken
 *     outgoing_take(queue, slab, sent);                              so many have left
 *
 * What has been gathered is not touched until it is taken; what is added meanwhile goes behind it.
 */
#pragma once

#include "runtime/linnet.h"
#include "runtime/slab.h"

#include <sys/uio.h>

struct chunk;

/* Empty when zeroed. */
struct outgoing {
    struct chunk *head, *tail;
    size_t bytes;
};

/* Adds a copy. */
void outgoing_add(struct outgoing *queue, struct slab *slab, const void *bytes, size_t count);
/* Adds a part of a shared payload. Takes the reference. */
void outgoing_add_buffer(struct outgoing *queue, struct slab *slab, struct ln_buffer **buffer,
                         size_t offset, size_t count);
/* How many pieces a gather would fill, at most `pieces_max`. */
unsigned outgoing_pieces(const struct outgoing *queue, unsigned pieces_max);
/* The oldest bytes as pieces, borrowed; how many. */
unsigned outgoing_gather(struct outgoing *queue, struct iovec *pieces, unsigned pieces_max);
/* Takes out the oldest `sent` bytes. */
void outgoing_take(struct outgoing *queue, struct slab *slab, size_t sent);
/* Takes out all. */
void outgoing_drop(struct outgoing *queue, struct slab *slab);
