/* SPDX-License-Identifier: Apache-2.0 */
/* echo_bare: round trips over loopback TCP with nothing of ours in between: what the kernel and a
 * ring per side give at best, for comparison with `linnet-bench echo`.
 *
 *     echo_bare [--connections 64] [--bytes 16] [--seconds 5] [--json]
 *
 * Two threads, each with a ring: a server that sends back what it receives, a client that has one
 * message under way on each connection. One receive of many shots stands on each connection, into
 * buffers that are given back at once; every completion queues a send, and all that is ready shares
 * one system call. */
#include "bench/bare_ring.h"
#include "runtime/check.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    CONNECTIONS_MAX = 4096,
    BYTES_MAX = BARE_BUFFER_BYTES,
    WARMUP_S = 1,
};

struct connection {
    int descriptor;
    unsigned index;
    size_t received; /* of the message under way */
    char bytes[BYTES_MAX];
};

/* One thread and its ends of all connections. */
struct side {
    struct bare_ring ring;
    struct connection *connections;
    unsigned count;
    size_t bytes;
    bool client;
    atomic_ulong trips;
    uint64_t cpu_ns; /* from the first trip to the last */
};

static atomic_bool stopped;

/* Of no interest unless it fails: its completion is left out. */
static void
message_send(struct side *side, struct connection *connection)
{
    struct io_uring_sqe *entry = bare_ring_entry(&side->ring);
    io_uring_prep_send(entry, connection->descriptor, connection->bytes, side->bytes,
                       MSG_WAITALL | MSG_NOSIGNAL);
    io_uring_sqe_set_flags(entry, IOSQE_CQE_SKIP_SUCCESS);
    io_uring_sqe_set_data(entry, NULL);
}

static void
receive_arm(struct side *side, struct connection *connection)
{
    bare_ring_receive(&side->ring, connection->descriptor, (uint64_t)(uintptr_t)connection);
}

/* The next message does not come before all of this one has been sent: its bytes may stay where
 * they are meanwhile. */
static void
received(struct side *side, struct connection *connection, const struct io_uring_cqe *done)
{
    if (done->res > 0) {
        size_t count = (size_t)done->res;
        ASSERT(connection->received + count <= side->bytes);
        memcpy(connection->bytes + connection->received, bare_ring_received(&side->ring, done),
               count);
        bare_ring_give(&side->ring, done);
        connection->received += count;
    } else {
        ASSERT(done->res == -ENOBUFS);
    }
    if (connection->received == side->bytes) {
        connection->received = 0;
        unsigned long trips = atomic_load_explicit(&side->trips, memory_order_relaxed);
        atomic_store_explicit(&side->trips, trips + 1, memory_order_relaxed);
        message_send(side, connection);
    }
    if ((done->flags & IORING_CQE_F_MORE) == 0) {
        receive_arm(side, connection);
    }
}

static void
completion_taken(void *context, const struct io_uring_cqe *done)
{
    struct connection *connection = io_uring_cqe_get_data(done);
    ASSERT(connection != NULL && "a send failed");
    received(context, connection, done);
}

static void *
side_run(void *argument)
{
    struct side *side = argument;
    bare_ring_open(&side->ring);
    uint64_t began_ns = bare_ring_now_ns(CLOCK_THREAD_CPUTIME_ID);
    for (unsigned i = 0; i < side->count; i++) {
        if (side->client) {
            message_send(side, &side->connections[i]);
        }
        receive_arm(side, &side->connections[i]);
    }
    while (!atomic_load_explicit(&stopped, memory_order_relaxed)) {
        bare_ring_run(&side->ring, completion_taken, side);
    }
    side->cpu_ns = bare_ring_now_ns(CLOCK_THREAD_CPUTIME_ID) - began_ns;
    bare_ring_close(&side->ring);
    return NULL;
}

/* ---------------------------------------------------------------------------------- connections */

static void
no_delay(int descriptor)
{
    int on = 1;
    int error = setsockopt(descriptor, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    ASSERT(error == 0);
}

static void
connections_open(struct side *server, struct side *client)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t bytes = sizeof address;
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    ASSERT(listener >= 0);
    int error = bind(listener, (struct sockaddr *)&address, sizeof address);
    ASSERT(error == 0);
    error = listen(listener, SOMAXCONN);
    ASSERT(error == 0);
    error = getsockname(listener, (struct sockaddr *)&address, &bytes);
    ASSERT(error == 0);
    for (unsigned i = 0; i < client->count; i++) {
        int descriptor = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        ASSERT(descriptor >= 0);
        error = connect(descriptor, (struct sockaddr *)&address, sizeof address);
        ASSERT(error == 0);
        client->connections[i].descriptor = descriptor;
        server->connections[i].descriptor = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
        ASSERT(server->connections[i].descriptor >= 0);
        no_delay(descriptor);
        no_delay(server->connections[i].descriptor);
    }
    (void)close(listener);
}

static void
side_init(struct side *side, bool client, unsigned count, size_t bytes)
{
    side->client = client;
    side->count = count;
    side->bytes = bytes;
    side->connections = calloc(count, sizeof *side->connections);
    ASSERT(side->connections != NULL);
}

static void
side_fini(struct side *side)
{
    for (unsigned i = 0; i < side->count; i++) {
        (void)close(side->connections[i].descriptor);
    }
    free(side->connections);
}

/* ----------------------------------------------------------------------------------------- main */

struct options {
    unsigned long connections, bytes, seconds;
    bool json;
};

static bool
options_read(int argc, char **argv, struct options *options)
{
    for (int i = 1; i < argc; i++) {
        unsigned long *value = strcmp(argv[i], "--connections") == 0 ? &options->connections
                               : strcmp(argv[i], "--bytes") == 0     ? &options->bytes
                               : strcmp(argv[i], "--seconds") == 0   ? &options->seconds
                                                                     : NULL;
        if (strcmp(argv[i], "--json") == 0) {
            options->json = true;
        } else if (value != NULL && i + 1 < argc) {
            *value = strtoul(argv[++i], NULL, 10);
        } else {
            return false;
        }
    }
    return options->connections > 0 && options->connections <= CONNECTIONS_MAX &&
           options->bytes > 0 && options->bytes <= BYTES_MAX && options->seconds > 0;
}

int
main(int argc, char **argv)
{
    static struct side sides[2];
    struct options options = {.connections = 64, .bytes = 16, .seconds = 5};
    pthread_t threads[2];
    if (!options_read(argc, argv, &options)) {
        (void)fprintf(stderr,
                      "usage: echo_bare [--connections 1..%d] [--bytes 1..%d] [--seconds N] "
                      "[--json]\n",
                      CONNECTIONS_MAX, BYTES_MAX);
        return 2;
    }
    for (unsigned i = 0; i < 2; i++) {
        side_init(&sides[i], i == 1, (unsigned)options.connections, options.bytes);
    }
    connections_open(&sides[0], &sides[1]);
    for (unsigned i = 0; i < 2; i++) {
        int error = pthread_create(&threads[i], NULL, side_run, &sides[i]);
        ASSERT(error == 0);
    }
    bare_ring_sleep_s(WARMUP_S);
    unsigned long trips = atomic_load(&sides[1].trips);
    uint64_t began_ns = bare_ring_now_ns(CLOCK_MONOTONIC);
    bare_ring_sleep_s(options.seconds);
    trips = atomic_load(&sides[1].trips) - trips;
    double seconds = (double)(bare_ring_now_ns(CLOCK_MONOTONIC) - began_ns) / BARE_NS_PER_S;
    atomic_store(&stopped, true);
    for (unsigned i = 0; i < 2; i++) {
        (void)pthread_join(threads[i], NULL);
    }
    double whole = (double)atomic_load(&sides[1].trips) * BARE_NS_PER_US;
    printf(options.json ? "{\"benchmark\":\"echo_bare\",\"connections\":%lu,\"bytes\":%lu,"
                          "\"per_second\":%.0f,\"server_cpu_us\":%.2f,\"client_cpu_us\":%.2f}\n"
                        : "echo without us: %lu connections, messages of %lu bytes\n%.0f round "
                          "trips a second; cpu: server %.2f us each, client %.2f us\n",
           options.connections, options.bytes, (double)trips / seconds,
           (double)sides[0].cpu_ns / whole, (double)sides[1].cpu_ns / whole);
    for (unsigned i = 0; i < 2; i++) {
        side_fini(&sides[i]);
    }
    return 0;
}
