/* SPDX-License-Identifier: Apache-2.0 */
/* sim_request.h - an operation of io.h from its start to its last done.
 *
 *     started  -> looked at after a small seeded time, as the ring is entered after the turn
 *     waiting  -> on its socket's list, for bytes, for room, for a connection
 *     finished -> its last completion waits in the loop; then done is called and the op is
 *                 its owner's again
 *
 * An io_op is never touched after its last done. What the agenda still holds about it is the
 * request, which lives until the last entry has fired.
 */
#pragma once

#include "runtime/io/sim_loop.h"

struct sim_inode;
struct sim_socket;

enum sim_kind {
    SIM_ACCEPT = 1,
    SIM_CONNECT,
    SIM_POLL,
    SIM_RECEIVE,
    SIM_SEND,
    SIM_WRITE_SYNC,
};

struct sim_request {
    struct io_op *op;
    struct sim_loop *loop;
    struct sim_socket *socket; /* whose `active` counts it; NULL: none */
    enum sim_kind kind;
    unsigned holds; /* one until the last done, one per entry of the agenda */
    bool waiting;
    bool cancelled;
    bool finished;
    bool paused;        /* an accept that met a limit rests a while */
    uint32_t announced; /* what the completions of this poll that wait in the loop tell already */
    struct sim_request *next, *previous; /* the socket's list, while waiting */
    struct sim_request *all_next, *all_previous;

    /* what was asked; borrowed from the owner until done */
    const struct io_address *address;
    const struct iovec *pieces;
    unsigned count;
    struct sim_inode *inode; /* held until finished, as the kernel holds the file */
    uint64_t offset;
};

/* Starts it: the op is active and the request is its cookie. `socket` may be NULL. */
struct sim_request *sim_request_new(struct io *io, struct io_op *op, enum sim_kind kind,
                                    struct sim_socket *socket);
/* Frees all requests that are left; their ops are not touched. */
void sim_request_free_all(struct sim *sim);

/* Has `fire` called with the request; it must begin with sim_request_fired. */
void sim_request_later(struct sim_request *request, uint64_t delay_ns, void (*fire)(void *context));
/* The same after the short time between a turn's end and the kernel's look at what it submitted. */
void sim_request_submit(struct sim_request *request, void (*fire)(void *context));
/* The request of an entry that has fired, or NULL when it has finished since and nothing is left to
 * do. */
struct sim_request *sim_request_fired(void *context);
/* For the first look: a cancel may come before it or too late. True when it came before and the
 * request is over. */
bool sim_request_cancelled_early(struct sim_request *request);

/* Puts it on its socket's list; a cancelled one ends instead and false is returned. */
bool sim_request_wait(struct sim_request *request);
/* Queues a completion with more to follow. */
void sim_request_announce(struct sim_request *request, int32_t result);
/* Queues the last completion. */
void sim_request_finish(struct sim_request *request, int32_t result);
/* A completion's turn has come: calls done. */
void sim_request_done(struct sim_request *request, int32_t result, bool more);

/* Stands in the table of io_priv.h. */
void sim_request_cancel(struct io *io, struct io_op *op);
