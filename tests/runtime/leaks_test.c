/* SPDX-License-Identifier: Apache-2.0 */
/* Actors that own all there is to own end in all the ways there are, by the thousand, on one node.
 * Nothing of it is left: not while the node goes on, which holds as much memory after many waves as
 * after a few, nor at its end, when the stage counts blocks and a leak checker whatever came from
 * malloc. */
#include "runtime/bounds.h"
#include "runtime/group.h"
#include "runtime/inspect.h"
#include "runtime/supervisor.h"
#include "tests/runtime/dive.h"
#include "tests/runtime/harbour.h"
#include "tests/spec.h"

#include <signal.h>

#if defined(LINNET_SANITIZED) || defined(LINNET_VALGRIND) || defined(LINNET_SIM_ONLY)
#define FAULTS_ARE_TAKEN 1 /* by a tool that reports them itself, or an emulator */
#endif

enum tag { GO = 1, NOISE };

enum way {
    CHECK,
    EXIT,
    STOP,
    OVER_BUDGET,
    OVER_MAILBOX,
    WITH_A_LINK, /* the end of another takes it along */
    FAIL_INIT,
    EXIT_IN_INIT,
    FAIL_IN_TERMINATE,
    RETURN, /* and go on: the rest of these wait to be killed */
    CALL,
    CALL_AGAIN, /* does not unwind when it is cancelled */
    WORK,
    OVERFLOW_STACK,
    WAYS,
};

enum {
    WAVES = 60,
    PATIENCE_MS = 10000,
    BUDGET_BYTES = 100 * 1000,
    MAILBOX_MAX = 20,
    SENT_BYTES = 70 * 1000,
    FAR_MS = 1000000,
    ON_THEIR_WAY_BYTES_MAX = 4096
};

struct wretch {
    enum way way;
    bool begun;
    ln_pid mute;
    struct ln_resource buffer_owned, file_owned;
    struct ln_buffer *buffer;
    io_file file;
    struct ln_socket *socket;
};

/* --------------------------------------------------------------------------------------- owning */

static void
release_buffer(struct ln_resource *resource)
{
    struct wretch *self = (void *)((char *)resource - offsetof(struct wretch, buffer_owned));
    ln_buffer_put(&self->buffer);
}

static void
release_file(struct ln_resource *resource)
{
    const struct wretch *self = (void *)((char *)resource - offsetof(struct wretch, file_owned));
    io_file_close(stage_driver(), self->file);
}

static struct ln_msg *
laden_message(enum ln_lane lane)
{
    struct ln_msg *msg = ln_msg_new(NOISE, lane, 100);
    msg->buffer = ln_buffer_new(1000);
    return msg;
}

static void
own_files_and_sockets(struct wretch *self)
{
    struct io_address address = harbour_address();
    if (io_file_open(stage_driver(), "wretched", IO_OPEN_WRITE | IO_OPEN_CREATE, &self->file) ==
        0) {
        ln_own(&self->file_owned, release_file);
    }
    if (ln_socket_connect(&address, PATIENCE_MS, &self->socket) == 0) {
        ln_socket_send(self->socket, harbour_sent, SENT_BYTES); /* some of it never leaves */
    }
}

static void
own_everything(struct wretch *self)
{
    static const size_t sizes[] = {10, 1000, 20000};
    for (unsigned i = 0; i < 3; i++) {
        (void)ln_alloc(sizes[i]);
    }
    ln_free(ln_alloc(500));
    self->buffer = ln_buffer_new(5000);
    ln_own(&self->buffer_owned, release_buffer);
    (void)laden_message(LN_REPLY); /* kept, and forgotten */
    struct ln_msg *later = laden_message(LN_DURABLE);
    (void)ln_send_after(FAR_MS, self->mute, &later);
    later = laden_message(LN_DURABLE);
    (void)ln_send_after(FAR_MS, ln_self(), &later);
    struct ln_msg *question = laden_message(LN_DURABLE);
    (void)ln_request(self->mute, &question);
    (void)ln_monitor(self->mute);
    ln_link(self->mute);
    EXPECT(ln_group_join("the wretched") == 0);
    uint64_t monitor;
    EXPECT(ln_group_monitor("the wretched", &monitor) == 0);
    int error = ln_register("the last of them", ln_self());
    EXPECT(error == 0 || error == -EEXIST);
    own_files_and_sockets(self);
    for (enum ln_lane lane = LN_REPLY; lane < LN_LANES; lane++) {
        struct ln_msg *unread = laden_message(lane);
        ln_send(ln_self(), &unread);
    }
}

/* --------------------------------------------------------------------------------------- ending */

static const struct ln_behaviour wretch, wretch_process;

static void
rest(void *argument)
{
    (void)argument;
}

static void
call_for_ever(const struct wretch *self, bool again)
{
    do {
        struct ln_msg *question = laden_message(LN_DURABLE);
        struct ln_msg *answer = NULL;
        int error = ln_call(self->mute, &question, LN_FOREVER, &answer);
        EXPECT(error == -ECANCELED && answer == NULL);
    } while (again);
}

static void
end_itself(const struct wretch *self)
{
    struct wretch child = {.way = CHECK, .mute = self->mute};
    ln_pid pid;
    switch (self->way) {
    case CHECK:
        ln_actor_check(self->mute == 0);
        break;
    case EXIT:
        ln_exit(LN_EXIT_SHUTDOWN, "as it pleases");
    case STOP:
        ln_stop(LN_EXIT_ERROR, "when it is through");
        break;
    case OVER_BUDGET:
        (void)ln_alloc(BUDGET_BYTES);
        break;
    case OVER_MAILBOX:
        for (unsigned i = 0; i <= MAILBOX_MAX; i++) {
            struct ln_msg *more = laden_message(LN_DURABLE);
            ln_send(ln_self(), &more);
        }
        break;
    case WITH_A_LINK:
        EXPECT(ln_spawn_link(&wretch_process, &child, sizeof child, &pid) == 0);
        break;
    case OVERFLOW_STACK:
        (void)dive(0);
        break;
    case CALL:
    case CALL_AGAIN:
        call_for_ever(self, self->way == CALL_AGAIN);
        break;
    case WORK:
        while (ln_sleep(0) == 0) {
            ln_work(rest, NULL, LN_WORK_LOW);
        }
        break;
    case FAIL_INIT:
    case EXIT_IN_INIT:
    case FAIL_IN_TERMINATE:
    case RETURN:
    case WAYS:
        break;
    }
}

static int
wretch_init(void *state, const void *argument)
{
    struct wretch *self = state;
    memcpy(self, argument, sizeof *self);
    if (self->way == FAIL_INIT || self->way == EXIT_IN_INIT) {
        own_everything(self);
        ln_actor_check(self->way == FAIL_INIT);
        return -EDOM;
    }
    stage_say(ln_self(), GO);
    return 0;
}

static void
wretch_handle(void *state, struct ln_msg **msg)
{
    struct wretch *self = state;
    (void)msg;
    if (!self->begun) {
        self->begun = true;
        own_everything(self);
        end_itself(self);
    }
}

static void
wretch_run(void *state)
{
    struct ln_msg *msg = NULL;
    while (ln_receive(LN_FOREVER, &msg) == 0) {
        wretch_handle(state, &msg);
    }
}

static void
wretch_terminate(void *state, const struct ln_reason *reason)
{
    struct wretch *self = state;
    (void)reason;
    (void)laden_message(LN_REPLY);
    ln_actor_check(self->way != FAIL_IN_TERMINATE);
    if (self->way == RETURN) {
        ln_socket_close(&self->socket, false);
    }
}

static const struct ln_behaviour wretch = {.name = "wretch",
                                           .state_bytes = sizeof(struct wretch),
                                           .init = wretch_init,
                                           .handle = wretch_handle,
                                           .terminate = wretch_terminate,
                                           .durable_max = MAILBOX_MAX,
                                           .memory_bytes_max = BUDGET_BYTES,
                                           .mailbox_kill = true};
static const struct ln_behaviour wretch_process = {.name = "wretch process",
                                                   .state_bytes = sizeof(struct wretch),
                                                   .init = wretch_init,
                                                   .run = wretch_run,
                                                   .terminate = wretch_terminate,
                                                   .stack_bytes = 64 * 1024,
                                                   .durable_max = MAILBOX_MAX,
                                                   .memory_bytes_max = BUDGET_BYTES,
                                                   .mailbox_kill = true};

/* Answers nobody, outlives all who ask. */
static void
mute_handle(void *state, struct ln_msg **msg)
{
    (void)state;
    (void)msg;
}
static const struct ln_behaviour mute = {.name = "mute", .handle = mute_handle, .trap_exit = true};

/* ----------------------------------------------------------------------------------- the waves */

static void
ask(ln_pid pid)
{
    struct ln_msg *question = laden_message(LN_DURABLE);
    (void)ln_request(pid, &question);
}

/* One of each way, here or there, handler or process. */
static void
spawn_wave(const struct ln_behaviour *behaviour, int scheduler, ln_pid quiet)
{
    ln_pid pids[WAYS];
    uint64_t monitors[WAYS];
    unsigned count = 0;
    for (enum way way = 0; way < WAYS; way++) {
        struct wretch orders = {.way = way, .mute = quiet};
        struct ln_spawn_options options = {.monitor = true,
                                           .elsewhere = true,
                                           .scheduler = scheduler,
                                           .out_monitor = &monitors[count]};
#if defined(FAULTS_ARE_TAKEN)
        orders.way = way == OVERFLOW_STACK ? CHECK : way;
#endif
        EXPECT(ln_spawn(behaviour, &orders, sizeof orders, &options, &pids[count]) == 0);
        ask(pids[count++]);
    }
    stage_settle();
    for (unsigned i = 0; i < count; i++) {
        ln_kill(pids[i], i % 2 == 0 ? LN_EXIT_KILLED : LN_EXIT_ERROR);
    }
    for (unsigned i = 0; i < count; i++) {
        (void)stage_down(monitors[i]);
    }
    for (unsigned i = 0; i < count; i++) {
        struct ln_msg *answer = stage_next(); /* each request has one, whatever became of it */
        EXPECT((answer->flags & LN_MSG_ANSWER) != 0 && answer->error == -ESRCH);
        ln_msg_free(&answer);
    }
}

/* A supervisor starts them again until it has had enough. */
static void
supervise(enum ln_strategy strategy, ln_pid quiet)
{
    enum { CHILDREN = 3, INTENSITY = 4 };
    static const enum way ways[CHILDREN] = {RETURN, EXIT, CHECK};
    struct wretch orders[CHILDREN];
    struct ln_child children[CHILDREN];
    for (unsigned i = 0; i < CHILDREN; i++) {
        orders[i] = (struct wretch){.way = ways[i], .mute = quiet};
        children[i] = (struct ln_child){.id = "wretch",
                                        .behaviour = i % 2 == 0 ? &wretch : &wretch_process,
                                        .argument = &orders[i],
                                        .bytes = sizeof orders[i],
                                        .elsewhere = true,
                                        .scheduler = LN_ANYWHERE};
    }
    struct ln_supervision supervision = {.strategy = strategy,
                                         .intensity = INTENSITY,
                                         .period_ms = PATIENCE_MS,
                                         .children = children,
                                         .children_count = CHILDREN};
    ln_pid pid;
    uint64_t monitor;
    struct ln_spawn_options options = {.monitor = true, .out_monitor = &monitor};
    EXPECT(ln_start(&ln_supervisor, &supervision, sizeof supervision, &options, &pid) == 0);
    EXPECT(stage_down(monitor).kind != LN_EXIT_NORMAL);
}

struct use {
    uint64_t bytes, ended;
    uint32_t sockets, actors;
};

static struct use
use_now(void)
{
    struct use use = {0};
    for (unsigned i = 0; i < ln_schedulers(); i++) {
        struct ln_scheduler_info info;
        EXPECT(ln_inspect_scheduler(i, &info) == 0);
        use.bytes += info.memory_used_bytes;
        use.sockets += info.sockets;
        use.actors += info.actors;
        use.ended += info.ended;
    }
    return use;
}

static void
waves_story(void)
{
    ln_pid server;
    EXPECT(ln_start(&harbour_server, NULL, 0, NULL, &server) == 0);
    struct use early = {0};
    for (unsigned wave = 0; wave < WAVES; wave++) {
        ln_pid quiet;
        EXPECT(ln_spawn(&mute, NULL, 0, NULL, &quiet) == 0);
        spawn_wave(wave % 2 == 0 ? &wretch : &wretch_process, (int)(wave / 2 % 2), quiet);
        supervise((enum ln_strategy)(wave % LN_DYNAMIC), quiet);
        ln_kill(quiet, LN_EXIT_KILLED);                    /* and with it all that it owes */
        EXPECT(ln_sleep(2ull * LN_SOCKET_LINGER_MS) == 0); /* closed sockets are let go */
        if (wave + 1 == WAVES / 2) {
            early = use_now();
        }
    }
    struct use late = use_now();
    EXPECT(late.ended > (uint64_t)WAVES * WAYS);
    EXPECT(late.actors == early.actors && late.sockets == 1 /* the server's */);
    /* Messages on their way home are counted, too, and are not as many each time. */
    EXPECT(late.bytes < early.bytes + ON_THEIR_WAY_BYTES_MAX);
}

static void
waves_leave_nothing(void **state)
{
    (void)state;
    (void)signal(SIGSEGV, SIG_DFL); /* what cmocka catches itself would never reach the runtime */
    stage_play_once(waves_story, &(struct sim_options){.seed = 1}, &(struct ln_node_options){0});
}

int
main(void)
{
    static const struct CMUnitTest specs[] = {
        SPEC("actors that own everything end in every way, again and again: nothing is left",
             waves_leave_nothing),
    };
    return cmocka_run_group_tests(specs, NULL, NULL);
}
