/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/inspect.h"
#include "tests/runtime/stage.h"
#include "tests/spec.h"

/* Two real threads at once: what the simulation, having one, can't show. */

enum { CROSSINGS = 1000000 };

enum tag { NUMBER = 1, GO, DONE, STAMP };

/* --------------------------------------------------------- a million messages in each direction */

/* Sends CROSSINGS numbers to the other, expects as many from it, in order. It sends so many at a
 * time as it has credit for: one for each that came. */
struct crosser {
    ln_pid told, other;
    uint64_t sent, expected;
};

enum { WINDOW = 5000 }; /* more than the ring between them holds */

static int
crosser_init(void *state, const void *argument)
{
    struct crosser *crosser = state;
    crosser->told = *(const ln_pid *)argument;
    return 0;
}

static void
crosser_send(struct crosser *crosser)
{
    if (crosser->sent == CROSSINGS) {
        return;
    }
    struct ln_msg *msg = ln_msg_new(NUMBER, LN_DURABLE, sizeof crosser->sent + crosser->sent % 300);
    memcpy(msg->data, &crosser->sent, sizeof crosser->sent);
    if (crosser->sent % 16 == 0) {
        msg->buffer = ln_buffer_new(100);
        memset(ln_buffer_data(msg->buffer), (int)(crosser->sent & 0xff), 100);
    }
    crosser->sent++;
    ln_send(crosser->other, &msg);
}

static void
crosser_take(struct crosser *crosser, struct ln_msg *msg)
{
    uint64_t number;
    memcpy(&number, msg->data, sizeof number);
    EXPECT((msg->flags & LN_MSG_REFUSED) == 0 && msg->from == crosser->other);
    EXPECT(number == crosser->expected++);
    if (msg->buffer != NULL) {
        const unsigned char *bytes = ln_buffer_data(msg->buffer);
        EXPECT(bytes[0] == (number & 0xff) && bytes[99] == (number & 0xff));
    }
    if (crosser->expected == CROSSINGS) {
        stage_say(crosser->told, DONE);
    }
}

static void
crosser_handle(void *state, struct ln_msg **msg)
{
    struct crosser *crosser = state;
    if ((*msg)->tag == GO) {
        memcpy(&crosser->other, (*msg)->data, sizeof crosser->other);
        for (unsigned i = 0; i < WINDOW; i++) {
            crosser_send(crosser);
        }
    } else {
        crosser_take(crosser, *msg);
        crosser_send(crosser);
    }
}
static const struct ln_behaviour crosser = {.name = "crosser",
                                            .state_bytes = sizeof(struct crosser),
                                            .init = crosser_init,
                                            .handle = crosser_handle,
                                            .durable_max = 10 * WINDOW};

static void
crossing_story(void)
{
    ln_pid pids[2];
    ln_pid told = ln_self();
    for (int i = 0; i < 2; i++) {
        struct ln_spawn_options there = {.elsewhere = true, .scheduler = i};
        EXPECT(ln_spawn(&crosser, &told, sizeof told, &there, &pids[i]) == 0);
    }
    for (int i = 0; i < 2; i++) {
        struct ln_msg *go = ln_msg_new(GO, LN_DURABLE, sizeof pids[0]);
        memcpy(go->data, &pids[1 - i], sizeof pids[0]);
        ln_send(pids[i], &go);
    }
    stage_expect(DONE, NULL, 0);
    stage_expect(DONE, NULL, 0);
    struct ln_scheduler_info info;
    for (unsigned i = 0; i < 2; i++) { /* freed memory came home, and was used again */
        EXPECT(ln_inspect_scheduler(i, &info) == 0);
        EXPECT(info.memory_mapped_bytes < 64u << 20);
    }
}

static void
messages_cross_in_order(void **state)
{
    (void)state;
    stage_play_threads(crossing_story, 2);
}

/* ---------------------------------------------------------- spawning, linking, dying everywhere */

struct mayfly {
    uint32_t left;
};

static int
mayfly_init(void *state, const void *argument)
{
    *(struct mayfly *)state = *(const struct mayfly *)argument;
    return 0;
}

static void mayfly_run(void *state);
static const struct ln_behaviour mayfly = {
    .name = "mayfly", .state_bytes = sizeof(struct mayfly), .init = mayfly_init, .run = mayfly_run};

/* Spawns the next on the other scheduler, watches it, and sees it die. */
static void
mayfly_run(void *state)
{
    struct mayfly next = *(struct mayfly *)state;
    if (next.left-- == 0) {
        ln_exit(LN_EXIT_ERROR, "the last");
    }
    uint64_t monitor;
    ln_pid pid;
    bool start = next.left % 2 == 0;
    struct ln_spawn_options there = {.elsewhere = true,
                                     .scheduler = 1 - (int)ln_scheduler(),
                                     .monitor = true,
                                     .link = next.left % 3 == 0,
                                     .out_monitor = &monitor};
    int error = start ? ln_start(&mayfly, &next, sizeof next, &there, &pid)
                      : ln_spawn(&mayfly, &next, sizeof next, &there, &pid);
    if (error == 0) {
        (void)ln_sleep(1); /* or until a link kills us */
        ln_kill(pid, LN_EXIT_SHUTDOWN);
    }
}

static void
mayfly_story(void)
{
    enum { SWARMS = 30 };
    uint64_t monitors[SWARMS];
    for (unsigned i = 0; i < SWARMS; i++) {
        ln_pid pid;
        struct mayfly first = {.left = i};
        struct ln_spawn_options there = {.elsewhere = true,
                                         .scheduler = (int)i % 2,
                                         .monitor = true,
                                         .out_monitor = &monitors[i]};
        EXPECT(ln_spawn(&mayfly, &first, sizeof first, &there, &pid) == 0);
    }
    for (unsigned i = 0; i < SWARMS; i++) {
        (void)stage_down(monitors[i]);
    }
}

static void
actors_come_and_go(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 10; i++) {
        stage_play_threads(mayfly_story, 2);
    }
}

/* ---------------------------------------------------------------------------- calls to and fro */

static void
stamp_handle(void *state, struct ln_msg **msg)
{
    (void)state;
    ln_reply(ln_caller(*msg), msg);
}
static const struct ln_behaviour stamper = {.name = "stamper", .handle = stamp_handle};

static void
call_story(void)
{
    enum { CALLS = 20000 };
    ln_pid pid;
    struct ln_spawn_options there = {.elsewhere = true, .scheduler = 1};
    EXPECT(ln_spawn(&stamper, NULL, 0, &there, &pid) == 0);
    unsigned late = 0;
    for (unsigned i = 0; i < CALLS; i++) {
        struct ln_msg *msg = ln_msg_new(STAMP, LN_DURABLE, 8);
        int error = ln_call(pid, &msg, i % 100 == 0 ? 0 : 10000, NULL);
        late += error == -ETIMEDOUT;
        EXPECT(error == 0 || (error == -ETIMEDOUT && i % 100 == 0));
    }
    EXPECT(late <= CALLS / 100);
}

static void
calls_cross(void **state)
{
    (void)state;
    stage_play_threads(call_story, 2);
}

/* ---------------------------------------------------------------------- an end amid the traffic */

static void
chatter_run(void *state)
{
    (void)state;
    ln_pid pid;
    struct ln_spawn_options there = {.elsewhere = true, .scheduler = 1 - (int)ln_scheduler()};
    while (ln_spawn(&stamper, NULL, 0, &there, &pid) == 0) {
        for (unsigned i = 0; i < 10; i++) {
            struct ln_msg *msg = ln_msg_new(STAMP, LN_DURABLE, 100);
            msg->buffer = ln_buffer_new(100);
            (void)ln_request(pid, &msg);
        }
        struct ln_msg *msg = ln_msg_new(STAMP, LN_DURABLE, 8);
        if (ln_call(pid, &msg, 1000, NULL) == -ECANCELED) {
            return;
        }
        ln_kill(pid, LN_EXIT_KILLED);
        while (ln_receive(0, &msg) == 0) {
            ln_msg_free(&msg);
        }
    }
}
static const struct ln_behaviour chatter = {.name = "chatter", .run = chatter_run};

static void
end_story(void)
{
    for (int i = 0; i < 8; i++) {
        ln_pid pid;
        struct ln_spawn_options there = {.elsewhere = true, .scheduler = i % 2};
        EXPECT(ln_spawn(&chatter, NULL, 0, &there, &pid) == 0);
    }
    (void)ln_sleep(5);
}

static void
ends_amid_the_traffic(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 20; i++) {
        stage_play_threads(end_story, 2);
    }
}

int
main(void)
{
    static const struct CMUnitTest specs[] = {
        SPEC("a million messages cross in each direction, in order, and their memory comes home",
             messages_cross_in_order),
        SPEC("actors spawn, watch, link and die across schedulers", actors_come_and_go),
        SPEC("calls cross schedulers, late answers reach nobody", calls_cross),
        SPEC("a node that ends amid the traffic loses no memory", ends_amid_the_traffic),
    };
    return cmocka_run_group_tests(specs, NULL, NULL);
}
