/* SPDX-License-Identifier: Apache-2.0 */
/* Connecting: an operation that an actor waits for, and a socket like others when it has ended. */
#include "runtime/node_priv.h"
#include "runtime/socket.h"

#include <errno.h>

struct connect_wait {
    struct io_op op;
    struct wait wait;
    bool waiting;
    int32_t result;
};

static void
connect_done(struct io_op *op, int32_t result)
{
    struct connect_wait *connect = (struct connect_wait *)op;
    connect->result = result;
    if (connect->waiting) {
        wait_end_by_io(&connect->wait, 0);
    }
}

int
ln_socket_connect(const struct io_address *address, uint64_t timeout_ms, struct ln_socket **out)
{
    struct scheduler *self = scheduler_current();
    struct connect_wait connect = {.op = {.done = connect_done, .buffer = IO_BUFFER_NONE},
                                   .waiting = true};
    struct io_address to = *address;
    wait_begin(&connect.wait, WAIT_CONNECTION);
    io_connect(self->io, &connect.op, &to);
    int error = wait_for(&connect.wait, timeout_ms);
    if (error != 0) {
        connect.waiting = false;
        io_cancel(self->io, &connect.op);
        if (connect.op.active) {
            /* The operation still points at our stack: this wait can't be cancelled. */
            wait_again(&connect.wait, WAIT_CONNECTION);
            connect.wait.cancellable = false;
            connect.waiting = true;
            int ended = wait_for(&connect.wait, LN_FOREVER);
            ASSERT(ended == 0);
        }
        if (connect.result >= 0) {
            io_close(self->io, connect.result, true);
        }
        return error;
    }
    if (connect.result < 0) {
        return connect.result;
    }
    *out = ln_socket_attach(connect.result);
    return 0;
}
