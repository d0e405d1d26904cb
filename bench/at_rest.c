/* SPDX-License-Identifier: Apache-2.0 */
/* Ten million connections in one node, as actors alone: what their ids, their tables and their
 * memory come to where sockets do not limit.
 *
 *     bench_at_rest [--count 10000000] [--schedulers N]
 *
 * Each is a dynamic child of its scheduler's supervisor, as in tree.c, and has the state, the
 * handler and the place among the partition's attached devices of a connection that is logged in
 * and silent. Then each is found by its user and sent a message, each is met by a round of the
 * clock's sweep, and all are ended. What was not handled exactly once by each ends the program with
 * exit code 1. Lines of JSON, as of bench/runtime.
 *
 * What is not there: the runtime's socket, the descriptor and all that the kernel keeps, and what
 * the store knows of users beyond who is online. So the bytes are not those of a connection, which
 * `linnet-bench idle` measures. The message is the clock's look, because it needs no socket. */
#include "actors/clock.h"
#include "actors/connection_priv.h"
#include "bench/runtime/measure.h"
#include "runtime/bounds.h"
#include "runtime/supervisor.h"
#include "runtime/sweep.h"
#include "store/attached.h"
#include "store/key.h"

#include <inttypes.h>
#include <stdalign.h>
#include <stdio.h>

enum {
    COUNT_DEFAULT = 10000000,
    BATCH = 1000, /* started or told before others run */
    DEVICE = 1,
    NS_PER_S = 1000000000,
};

/* What a scheduler's worker is asked for, and answers when it is done. */
enum phase { PHASE_START = 1, PHASE_TELL, PHASE_SWEEP };

/* A scheduler's own. */
struct home {
    alignas(64) uint64_t count; /* actors */
    uint64_t handled;           /* messages */
    ln_pid supervisor, worker;
};

static struct settings settings;
static struct messenger messenger;
static struct attached attached[STORE_PARTITIONS]; /* each its scheduler's */
static struct home homes[LN_SCHEDULERS_MAX];

/* ------------------------------------------------------------------------------- the connection */

static struct attached *
attached_of(uint64_t user)
{
    return &attached[user % STORE_PARTITIONS];
}

static unsigned
scheduler_of(uint64_t user)
{
    return (unsigned)(user % STORE_PARTITIONS % ln_schedulers());
}

static void
silent_release(struct ln_resource *resource)
{
    struct connection *connection =
        (struct connection *)(void *)((char *)resource - offsetof(struct connection, own));
    websocket_fini(&connection->websocket);
    attached_remove(attached_of(connection->user), connection->user, connection->device, ln_self());
    messenger_uncount(&connection->messenger->counters.connections);
}

/* As it is once it has entered and has everything. */
static int
silent_init(void *state, const void *argument)
{
    struct connection *connection = state;
    const struct connection_start *start = argument;
    connection->messenger = start->messenger;
    connection->heard_at_ns = ln_now_ns();
    connection->user = start->user;
    connection->device = start->device;
    short_name_set(&connection->name, &start->name);
    connection->phase = CONNECTION_READY;
    websocket_init(&connection->websocket, WEBSOCKET_SERVER, connection_rules(connection));
    messenger_count(&connection->messenger->counters.connections);
    ln_own(&connection->own, silent_release);
    (void)attached_set(attached_of(start->user), start->user, start->device, ln_self());
    return 0;
}

static void
silent_handle(void *state, struct ln_msg **msg)
{
    homes[ln_scheduler()].handled += (*msg)->tag == CONNECTION_LOOK;
    connection_behaviour.handle(state, msg);
}

static const struct ln_behaviour silent_behaviour = {
    .name = "silent connection",
    .state_bytes = sizeof(struct connection),
    .init = silent_init,
    .handle = silent_handle,
    .trap_exit = true,
};
static const struct ln_child silent = {
    .id = "connection", .behaviour = &silent_behaviour, .restart = LN_TEMPORARY};
static const struct ln_supervision connections = {LN_DYNAMIC, 1, 10000, &silent, 1};

/* ----------------------------------------------------------------------------------- the worker */

static void
start(struct home *home, uint64_t user)
{
    struct connection_start start = {
        .messenger = &messenger, .moved = true, .user = user, .device = DEVICE};
    start.name.bytes =
        (uint8_t)snprintf(start.name.text, sizeof start.name.text, "user%" PRIu64, user);
    ln_pid pid = 0;
    int error = ln_supervisor_start_child(home->supervisor, &start, sizeof start, LN_FOREVER, &pid);
    ln_actor_check(error == 0);
    home->count++;
}

static void
tell(uint64_t user)
{
    const struct attached_session *session = attached_find(attached_of(user), user, DEVICE);
    ln_actor_check(session != NULL);
    struct ln_msg *msg = ln_msg_new(CONNECTION_LOOK, LN_DURABLE, 0);
    ln_send(session->pid, &msg);
}

static void
each(struct home *home, enum phase phase)
{
    uint64_t count = measure_count();
    for (uint64_t user = 1, done = 0; user <= count; user++) {
        if (scheduler_of(user) != ln_scheduler()) {
            continue;
        }
        if (phase == PHASE_START) {
            start(home, user);
        } else {
            tell(user);
        }
        if (++done % BATCH == 0) {
            ln_yield();
        }
    }
}

static void
sweep(void)
{
    struct ln_sweep round = {0};
    do {
        ln_sweep(&round, &silent_behaviour, CONNECTION_LOOK, CLOCK_STEP);
        ln_yield();
    } while (round.next != 0);
}

static void
worker_run(void *state)
{
    ln_pid root = *(const ln_pid *)state;
    struct home *home = &homes[ln_scheduler()];
    for (enum phase phase = PHASE_START; phase <= PHASE_SWEEP; phase++) {
        uint64_t wanted = measure_receive(phase);
        if (phase == PHASE_SWEEP) {
            sweep();
        } else {
            each(home, phase);
        }
        ln_yield();
        ln_actor_check(home->handled == wanted * home->count);
        measure_send(root, phase, home->count);
    }
}

static int
worker_init(void *state, const void *argument)
{
    *(ln_pid *)state = *(const ln_pid *)argument;
    return 0;
}
static const struct ln_behaviour worker = {.name = "worker",
                                           .state_bytes = sizeof(ln_pid),
                                           .stack_bytes = LN_LENT_STACK_BYTES,
                                           .init = worker_init,
                                           .run = worker_run};

/* ---------------------------------------------------------------------------------- the measure */

static double
seconds_since(uint64_t since_ns)
{
    return (double)(measure_now_ns() - since_ns) / NS_PER_S;
}

/* All schedulers at once; afterwards each actor has handled so many messages. */
static void
play_phase(enum phase phase, const char *what, uint64_t handled_each)
{
    uint64_t since_ns = measure_now_ns();
    uint64_t count = 0;
    for (unsigned i = 0; i < ln_schedulers(); i++) {
        measure_send(homes[i].worker, phase, handled_each);
    }
    for (unsigned i = 0; i < ln_schedulers(); i++) {
        count += measure_receive(phase);
    }
    ln_actor_check(count == measure_count());
    measure_tell(what, "s", seconds_since(since_ns));
}

static void
tell_growth(const char *what, uint64_t before_bytes)
{
    measure_tell(what, "bytes",
                 (double)(measure_resident_bytes() - before_bytes) / (double)measure_count());
}

static void
end_all(void)
{
    uint64_t since_ns = measure_now_ns();
    for (unsigned i = 0; i < ln_schedulers(); i++) {
        ln_kill(homes[i].supervisor, LN_EXIT_KILLED);
    }
    while (messenger_counted(&messenger.counters.connections) > 0) {
        int error = ln_sleep(1);
        ln_actor_check(error == 0);
    }
    measure_tell("all ended", "s", seconds_since(since_ns));
}

static void
play(void)
{
    ln_pid root = ln_self();
    for (unsigned i = 0; i < ln_schedulers(); i++) {
        homes[i].supervisor = measure_spawn(&ln_supervisor, &connections, sizeof connections, i);
        homes[i].worker = measure_spawn(&worker, &root, sizeof root, i);
    }
    uint64_t before_bytes = measure_resident_bytes();
    measure_tell("actors", "count", (double)measure_count());
    measure_tell("state of a connection", "bytes", (double)sizeof(struct connection));
    play_phase(PHASE_START, "all started", 0);
    tell_growth("an actor at rest", before_bytes);
    play_phase(PHASE_TELL, "a message to each", 1);
    play_phase(PHASE_SWEEP, "a round of the clock", 2);
    tell_growth("an actor at rest again", before_bytes);
    end_all();
}

int
main(int count, char **arguments)
{
    settings_init(&settings);
    messenger.settings = &settings;
    messenger.limits = settings.limits;
    messenger.limits.idle_timeout_ms = UINT32_MAX; /* nobody is there to be asked for a sign */
    messenger.websocket_rules = (struct websocket_rules){
        .frame_bytes_max = settings.limits.frame_bytes_max,
        .message_bytes_max = settings.limits.frame_bytes_max,
    };
    return measure_main(
        &(struct measure){.schedulers = 2, .rounds = 1, .count = COUNT_DEFAULT, .play = play},
        count, arguments);
}
