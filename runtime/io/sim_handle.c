/* SPDX-License-Identifier: Apache-2.0 */
/* Handles: the numbers under which loops know listeners and sockets. Those that are settled have
 * numbers of their own, as with the real driver, which one loop knows and which count against no
 * limit. */
#include "runtime/check.h"
#include "runtime/io/sim_network.h"

#include <errno.h>
#include <stdlib.h>

enum { HANDLES_FIRST = 64 };

/* The lowest free one, as the kernel does: a handle used after its close soon meets another
 * connection. */
static size_t
place_give(struct sim_handles *handles, struct sim_socket *socket)
{
    size_t at = 0;
    while (at < handles->room && handles->sockets[at]) {
        at++;
    }
    if (at == handles->room) {
        size_t room = handles->room ? handles->room * 2 : HANDLES_FIRST;
        handles->sockets = sim_resize(handles->sockets, room, sizeof(struct sim_socket *));
        for (size_t i = handles->room; i < room; i++) {
            handles->sockets[i] = NULL;
        }
        handles->room = room;
    }
    handles->sockets[at] = socket;
    return at;
}

io_socket
sim_handle_give(struct sim_network *network, struct sim_socket *socket)
{
    network->sockets_open++;
    socket->handle = (io_socket)place_give(&network->handles, socket);
    return socket->handle;
}

void
sim_handle_take_back(struct sim_network *network, struct sim_socket *socket)
{
    if ((socket->handle & SIM_SETTLED) != 0) {
        network->settled.sockets[socket->handle & ~SIM_SETTLED] = NULL;
        network->sim->loops[socket->loop].stats.settled--;
    } else {
        network->handles.sockets[socket->handle] = NULL;
        network->sockets_open--;
    }
    socket->handle = -1;
}

struct sim_socket *
sim_handle_socket(struct io *io, io_socket handle)
{
    struct sim_network *network = sim_of_io(io)->network;
    bool settled = handle >= 0 && (handle & SIM_SETTLED) != 0;
    const struct sim_handles *handles = settled ? &network->settled : &network->handles;
    size_t at = (size_t)(settled ? handle & ~SIM_SETTLED : handle);
    struct sim_socket *socket = handle >= 0 && at < handles->room ? handles->sockets[at] : NULL;
    return socket && settled && socket->loop != io->loop ? NULL : socket;
}

int
sim_handle_settle(struct io *io, io_socket handle, io_socket *out)
{
    struct sim *sim = sim_of_io(io);
    struct sim_socket *socket = sim_handle_socket(io, handle);
    ASSERT(socket && !socket->listening && socket->active == 0 && (handle & SIM_SETTLED) == 0);
    if (sim_fault(sim, sim->options.faults.unsettled_one_in, &sim->struck.unsettled)) {
        sim_loop_of(io)->stats.settles_failed++;
        return -ENOMEM;
    }
    sim_handle_take_back(sim->network, socket);
    socket->loop = io->loop;
    socket->handle = (io_socket)(SIM_SETTLED | place_give(&sim->network->settled, socket));
    sim_loop_of(io)->stats.settled++;
    *out = socket->handle;
    return 0;
}

uint64_t
sim_handle_settled_max(const struct io_driver *driver, uint32_t *out_each)
{
    (void)driver;
    *out_each = SIM_SETTLED;
    return SIM_SETTLED;
}

void
sim_handles_free(struct sim_network *network)
{
    free(network->handles.sockets);
    free(network->settled.sockets);
}
