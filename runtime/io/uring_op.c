/* SPDX-License-Identifier: Apache-2.0 */
/* The life of an operation.
 *
 *     free --io.h--> active --last completion--> free, then done(more = false)
 *                     |  |
 *                     |  +--completion with more--> active, then done(more = true)
 *                     +--the kernel is not needed--> ENDED --completions run--> free, then done
 *
 * An accept that met a limit, and a poll that the kernel dropped, stay active and wait as PAUSED
 * until they are handed to the kernel again.
 *
 * A cancel only ever asks: the op leaves through the same door, so there is one place where it is
 * handed back. The entry of a cancel goes into the queue behind everything queued before and in
 * front of everything after, and the kernel works it off within the submission: so one that comes
 * too late can never hit the next operation at the same address. */
#include "runtime/io/uring_priv.h"
#include "runtime/io/uring_table.h"

#include <errno.h>

/* ------------------------------------------------------------------------ lists */

void
op_list_push(struct op_list *list, struct io_op *op)
{
    op->next = NULL;
    if (list->head == NULL) {
        list->head = op;
    } else {
        list->tail->next = op;
    }
    list->tail = op;
}

struct io_op *
op_list_pop(struct op_list *list)
{
    struct io_op *op = list->head;
    if (op != NULL) {
        list->head = op->next;
        op->next = NULL;
    }
    return op;
}

void
op_list_remove(struct op_list *list, struct io_op *op)
{
    struct op_list rest = {0};
    for (struct io_op *each; (each = op_list_pop(list)) != NULL;) {
        if (each != op) {
            op_list_push(&rest, each);
        }
    }
    *list = rest;
}

/* ------------------------------------------------------------------------ begin and end */

void
uring_op_begin(struct io_op *op, enum uring_kind kind)
{
    /* A received buffer must be released before its op is used again, or nobody would know of
     * it. */
    ASSERT(op->kind != URING_KIND_RECEIVE || op->buffer == IO_BUFFER_NONE);
    op->kind = (uint16_t)kind;
    op->buffer = IO_BUFFER_NONE;
    op->next = NULL;
    op->cookie = 0;
}

void
uring_op_end(struct io_op *op, int32_t result)
{
    ASSERT(op->active);
    op->kind &= URING_KIND_MASK;
    op->active = false;
    op->more = false;
    op->done(op, result);
}

void
uring_op_report(struct io_op *op, int32_t result)
{
    ASSERT(op->active);
    op->more = true;
    op->done(op, result);
}

void
uring_op_end_later(struct uring *uring, struct io_op *op, int32_t result)
{
    op->kind |= URING_OP_ENDED;
    op->cookie = (uint32_t)result;
    op_list_push(&uring->ended, op);
}

void
uring_op_run_ended(struct uring *uring)
{
    /* Those that end because of what runs here wait for the next round. */
    struct op_list ended = uring->ended;
    uring->ended = (struct op_list){0};
    for (struct io_op *op; (op = op_list_pop(&ended)) != NULL;) {
        uring_op_end(op, (int32_t)(uint32_t)op->cookie);
    }
}

/* ---------------------------------------------------------------------- completions and cancels */

void
uring_op_complete(struct uring *uring, struct io_op *op, int32_t result, uint32_t flags)
{
    ASSERT(op->active);
    bool more = (flags & IORING_CQE_F_MORE) != 0;
    switch ((enum uring_kind)(op->kind & URING_KIND_MASK)) {
    case URING_KIND_ACCEPT:
        uring_accept_complete(uring, op, result, more);
        return;
    case URING_KIND_CONNECT:
        uring_connect_complete(op, result);
        return;
    case URING_KIND_POLL:
        uring_poll_complete(uring, op, result, more);
        return;
    case URING_KIND_RECEIVE:
        uring_receive_complete(uring, op, result);
        return;
    case URING_KIND_SEND:
        uring_send_complete(uring, op, result);
        return;
    case URING_KIND_WRITE_SYNC:
        uring_write_sync_complete(uring, op, result);
        return;
    case URING_KIND_NONE:
        break;
    }
    check_failed("a completion for an op of no kind", __FILE__, __LINE__);
}

/* Where the kernel knows it. */
static struct uring_ring *
op_ring(struct uring *uring, const struct io_op *op)
{
    switch ((enum uring_kind)(op->kind & URING_KIND_MASK)) {
    case URING_KIND_POLL:
    case URING_KIND_RECEIVE:
    case URING_KIND_SEND:
        return uring_place(uring, (io_socket)op->cookie).ring;
    case URING_KIND_NONE:
    case URING_KIND_ACCEPT:
    case URING_KIND_CONNECT:
    case URING_KIND_WRITE_SYNC:
        break;
    }
    return &uring->ring;
}

void
uring_cancel(struct io *io, struct io_op *op)
{
    struct uring *uring = uring_of(io);
    if ((op->kind & URING_OP_CANCELLED) != 0) {
        return;
    }
    op->kind |= URING_OP_CANCELLED;
    if ((op->kind & URING_OP_ENDED) != 0) {
        return;
    }
    struct uring_ring *ring = op_ring(uring, op);
    if ((op->kind & URING_OP_PAUSED) != 0) {
        op_list_remove(&uring->paused, op); /* it is in one of the two */
        op_list_remove(&ring->dropped, op);
        uring_op_end_later(uring, op, -ECANCELED);
        return;
    }
    struct io_uring_sqe *sqe = uring_sqe(ring, URING_TAG_NOTHING);
    io_uring_prep_cancel(sqe, op, 0);
    sqe->flags |= IOSQE_CQE_SKIP_SUCCESS;
}
