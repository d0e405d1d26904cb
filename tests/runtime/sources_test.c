/* SPDX-License-Identifier: Apache-2.0 */
/* What comes from many sides at once, and how each leaves the others their place: the lanes of a
 * mailbox; and actors, other schedulers, timers, workers and sockets on one scheduler. */
#include "runtime/bounds.h"
#include "runtime/inspect.h"
#include "runtime/node_priv.h"
#include "tests/runtime/harbour.h"
#include "tests/runtime/steps.h"
#include "tests/spec.h"

enum tag { URGENT = STEPS_OVER + 1, LATER };
enum { NS_PER_MS = 1000000 };

/* ----------------------------------------------------------------------------------- the lanes */

static bool
urgent_step(struct ln_msg **msg)
{
    bool urgent = (*msg)->tag == URGENT;
    bool more = steps_seen(urgent ? 0 : (*msg)->tag);
    if (more && urgent) {
        ln_send(ln_self(), msg);
    }
    return more;
}

static void
urgent_handle(void *state, struct ln_msg **msg)
{
    (void)state;
    (void)urgent_step(msg);
}
static const struct ln_behaviour urgent = {.name = "urgent", .handle = urgent_handle};

static void
urgent_run(void *state)
{
    struct ln_msg *msg = NULL;
    (void)state;
    while (ln_receive(LN_FOREVER, &msg) == 0 && urgent_step(&msg)) {
        ln_msg_free(&msg);
    }
}
static const struct ln_behaviour urgent_process = {.name = "urgent process", .run = urgent_run};

static void
flood_system_lane(const struct ln_behaviour *behaviour)
{
    static const enum ln_lane lanes[] = {LN_DURABLE, LN_REPLY, LN_LOSSY};
    enum { OTHERS = 30, KINDS = 3 };
    steps_watch(OTHERS * (LN_OVERTAKES_MAX + 1));
    ln_pid pid = steps_start(behaviour, 0);
    for (unsigned i = 0; i < OTHERS; i++) {
        struct ln_msg *msg = ln_msg_new(LATER + i, lanes[i % KINDS], 0);
        ln_send(pid, &msg);
    }
    struct ln_msg *msg = ln_msg_new(URGENT, LN_SYSTEM, 0);
    ln_send(pid, &msg);
    stage_expect(STEPS_OVER, NULL, 0);
    for (unsigned i = 0; i < steps_count; i++) {
        unsigned at = i % (LN_OVERTAKES_MAX + 1);
        EXPECT(steps[i].who == (at < LN_OVERTAKES_MAX ? 0 : LATER + i / (LN_OVERTAKES_MAX + 1)));
    }
}

static void
lanes_story(void)
{
    flood_system_lane(&urgent);
    flood_system_lane(&urgent_process);
}

static void
system_lane_leaves_places(void **state)
{
    (void)state;
    steps_play(lanes_story, &steps_plain);
    stage_play(lanes_story); /* in any order of actors */
}

/* ------------------------------------------------- a scheduler that always has actors to run */

enum { TORRENTS = 3 };

/* What the torrents, each of which sends itself one message after another, see of turns. */
static bool flowing;
static struct {
    uint64_t turn, messages, now_ns, before_ns; /* of this turn, and when the one before began */
} flow;

static void
torrent_handle(void *state, struct ln_msg **msg)
{
    (void)state;
    if (flow.turn != steps_turn()) {
        EXPECT(flow.turn == 0 || flow.turn + 1 == steps_turn());
        flow.turn = steps_turn();
        flow.messages = 0;
        flow.before_ns = flow.now_ns;
        flow.now_ns = ln_now_ns();
    }
    flow.messages++;
    if (flowing) {
        ln_send(ln_self(), msg);
    }
}
static const struct ln_behaviour torrent = {.name = "torrent",
                                            .state_bytes = sizeof(unsigned),
                                            .init = steps_actor_init_busy,
                                            .handle = torrent_handle};

static void
flow_begin(void)
{
    memset(&flow, 0, sizeof flow);
    flowing = true;
    for (unsigned i = 0; i < TORRENTS; i++) {
        (void)steps_start(&torrent, i);
    }
    ln_yield();
}

/* Whoever became ready when this turn began has waited for one turn of each torrent. */
static void
expect_served_in(uint64_t turn)
{
    EXPECT(steps_turn() == turn);
    EXPECT(flow.turn == turn && flow.messages == (uint64_t)TORRENTS * steps_turn_messages());
}

/* On the other scheduler: says in which turn of ours it answers. */
static void
stranger_handle(void *state, struct ln_msg **msg)
{
    uint64_t turn = scheduler_current()->node->schedulers[0].stats.turns;
    (void)state;
    struct ln_msg *answer = ln_msg_new(STEPS_WORK, LN_DURABLE, sizeof turn);
    memcpy(answer->data, &turn, sizeof turn);
    ln_send((*msg)->from, &answer);
}
static const struct ln_behaviour stranger = {.name = "stranger", .handle = stranger_handle};

static void
remote_story(void)
{
    ln_pid pid;
    struct ln_spawn_options there = {.elsewhere = true, .scheduler = 1};
    EXPECT(ln_spawn(&stranger, NULL, 0, &there, &pid) == 0);
    flow_begin();
    for (unsigned i = 0; i < 10; i++) {
        uint64_t sent = 0;
        stage_say(pid, STEPS_WORK);
        stage_expect(STEPS_WORK, &sent, sizeof sent);
        expect_served_in(sent + 1);
    }
    flowing = false;
}

static void
messages_from_elsewhere_come_through(void **state)
{
    (void)state;
    steps_play(remote_story, &steps_short);
}

static void
timer_story(void)
{
    flow_begin();
    for (unsigned delay_ms = 1; delay_ms < 4; delay_ms++) {
        ln_yield(); /* its turn is the torrents', too */
        uint64_t due_ms = flow.now_ns / NS_PER_MS + 1 + delay_ms;
        EXPECT(ln_sleep(delay_ms) == 0);
        EXPECT(flow.before_ns < due_ms * NS_PER_MS && flow.now_ns >= due_ms * NS_PER_MS);
        expect_served_in(flow.turn);
    }
    flowing = false;
}

static void
timers_come_through(void **state)
{
    (void)state;
    steps_play(timer_story, &steps_short);
}

static void
note_turn(void *argument)
{
    *(uint64_t *)argument = flow.turn;
}

static void
completions_story(void)
{
    flow_begin();
    for (unsigned i = 0; i < 10; i++) {
        uint64_t ran = 0;
        ln_work(note_turn, &ran, i % 2 == 0 ? LN_WORK_LOW : LN_WORK_NORMAL);
        /* it is over a nanosecond later: perhaps one more turn began at the same instant */
        EXPECT(flow.turn == ran + 1 || flow.turn == ran + 2);
        expect_served_in(flow.turn);
    }
    flowing = false;
}

static void
completions_come_through(void **state)
{
    (void)state;
    steps_play(completions_story, &steps_short);
}

/* Bytes take three rounds of the ring: they arrive, are looked for, and are received. */
static void
bytes_story(void)
{
    enum { ROUNDS_OF_RING = 3 };
    struct ln_socket *listener;
    struct ln_socket *socket = harbour_meet(&listener);
    harbour_fill(1, 1);
    flow_begin();
    for (unsigned i = 0; i < 10; i++) {
        uint64_t sent = steps_turn();
        sim_peer_send(harbour_witness.peer, harbour_sent, 1);
        stage_expect(LN_TAG_DATA, NULL, 0);
        EXPECT(flow.turn <= sent + ROUNDS_OF_RING);
        expect_served_in(flow.turn);
    }
    flowing = false;
    ln_socket_close(&socket, true);
    ln_socket_close(&listener, false);
}

static void
bytes_come_through(void **state)
{
    (void)state;
    steps_play(bytes_story, &steps_short);
}

/* --------------------------------------------------- and one that always has other things to do */

/* Sends itself one message after another, and notes each new turn. */
static void
clockwork_handle(void *state, struct ln_msg **msg)
{
    (void)state;
    if (flow.turn == steps_turn() || steps_seen(0)) {
        flow.turn = steps_turn();
        ln_send(ln_self(), msg);
    }
}
static const struct ln_behaviour clockwork = {.name = "clockwork",
                                              .state_bytes = sizeof(unsigned),
                                              .init = steps_actor_init_busy,
                                              .handle = clockwork_handle};

static void
expect_every_turn(unsigned turns)
{
    memset(&flow, 0, sizeof flow);
    steps_watch(turns);
    (void)steps_start(&clockwork, 0);
    stage_expect(STEPS_OVER, NULL, 0);
    for (unsigned i = 1; i < steps_count; i++) {
        EXPECT(steps[i].turn == steps[i - 1].turn + 1);
    }
    flowing = false;
}

static void
drain_handle(void *state, struct ln_msg **msg)
{
    (void)state;
    (void)msg;
}
static const struct ln_behaviour drain = {.name = "drain", .handle = drain_handle};

/* From the other scheduler, more in each turn than a channel holds. */
static void
deluge_handle(void *state, struct ln_msg **msg)
{
    enum { DROPS = 20 };
    for (unsigned i = 0; i < DROPS && flowing; i++) {
        struct ln_msg *drop = ln_msg_new(STEPS_WORK, LN_LOSSY, 0);
        ln_send(*(const ln_pid *)state, &drop);
    }
    if (flowing) {
        ln_send(ln_self(), msg);
    }
}

static int
deluge_init(void *state, const void *argument)
{
    memcpy(state, argument, sizeof(ln_pid));
    stage_say(ln_self(), STEPS_WORK);
    return 0;
}
static const struct ln_behaviour deluge = {
    .name = "deluge", .state_bytes = sizeof(ln_pid), .init = deluge_init, .handle = deluge_handle};

static void
deluge_story(void)
{
    ln_pid pid;
    struct ln_spawn_options there = {.elsewhere = true, .scheduler = 1};
    flowing = true;
    ln_pid target;
    EXPECT(ln_spawn(&drain, NULL, 0, NULL, &target) == 0);
    EXPECT(ln_spawn(&deluge, &target, sizeof target, &there, &pid) == 0);
    expect_every_turn(10);
    struct ln_scheduler_info info;
    EXPECT(ln_inspect_scheduler(1, &info) == 0 && info.messages_remote / 2 > LN_CHANNEL_SLOTS);
}

static void
deluges_leave_turns(void **state)
{
    (void)state;
    steps_play(deluge_story, &(struct ln_node_options){.turn_messages = 1});
}

/* As many timers as come due in each millisecond. */
static void
alarm_handle(void *state, struct ln_msg **msg)
{
    (void)state;
    if (flowing) {
        (void)ln_send_after(0, ln_self(), msg);
    }
}
static const struct ln_behaviour alarms = {.name = "alarms",
                                           .state_bytes = sizeof(unsigned),
                                           .init = steps_actor_init,
                                           .handle = alarm_handle};

static void
laborious_run(void *state)
{
    (void)state;
    while (flowing) {
        uint64_t ran;
        ln_work(note_turn, &ran, LN_WORK_NORMAL);
    }
}
static const struct ln_behaviour laborious = {.name = "laborious", .run = laborious_run};

static void
busy_story(void)
{
    enum { ALARMS = 1000, LABORIOUS = 50, TURNS = 500 };
    flowing = true;
    ln_pid pid = steps_start(&alarms, 0);
    for (unsigned i = 0; i < ALARMS; i++) {
        stage_say(pid, STEPS_WORK);
    }
    for (unsigned i = 0; i < LABORIOUS; i++) {
        EXPECT(ln_spawn(&laborious, NULL, 0, NULL, &pid) == 0);
    }
    stage_settle();
    expect_every_turn(TURNS);
    stage_settle();
}

static void
timers_and_completions_leave_turns(void **state)
{
    (void)state;
    steps_play(busy_story, &(struct ln_node_options){.turn_messages = 1});
}

static void
ignore(void *state, struct ln_msg **msg)
{
    (void)state;
    (void)msg;
}
static const struct ln_behaviour listener = {.name = "listener", .handle = ignore};

/* As many timers of one millisecond as fill several turns. */
static void
burst_story(void)
{
    enum { TURNS = 3 };
    const struct scheduler *self = scheduler_current();
    ln_pid pid;
    EXPECT(ln_spawn(&listener, NULL, 0, NULL, &pid) == 0);
    for (unsigned i = 0; i < TURNS * LN_TURN_TIMERS; i++) {
        struct ln_msg *msg = ln_msg_new(LATER, LN_DURABLE, 0);
        (void)ln_send_after(5, pid, &msg);
    }
    EXPECT(ln_sleep(0) == 0);
    for (uint32_t left = self->alarms.used_count; left > 0;) {
        uint64_t turn = self->stats.turns;
        (void)ln_sleep(left == TURNS * LN_TURN_TIMERS ? 1 : 0);
        EXPECT(left - self->alarms.used_count <= LN_TURN_TIMERS * (self->stats.turns - turn));
        left = self->alarms.used_count;
    }
}

static void
bursts_are_cut(void **state)
{
    (void)state;
    stage_play(burst_story);
}

int
main(void)
{
    static const struct CMUnitTest specs[] = {
        SPEC("the system lane overtakes, and leaves the others every 65th place",
             system_lane_leaves_places),
        SPEC("a message from elsewhere is there in the next turn, however busy the actors here",
             messages_from_elsewhere_come_through),
        SPEC("a timer fires in the first turn after it is due, however busy the actors",
             timers_come_through),
        SPEC("work that is done is told in the next turn, however busy the actors",
             completions_come_through),
        SPEC("bytes take their rounds of the ring, however busy the actors", bytes_come_through),
        SPEC("more messages from elsewhere than a channel holds leave an actor a turn in each of "
             "its scheduler's",
             deluges_leave_turns),
        SPEC("so do a thousand timers at once and fifty workers that are never done",
             timers_and_completions_leave_turns),
        SPEC("a burst of timers of one millisecond is spread over turns", bursts_are_cut),
    };
    return cmocka_run_group_tests(specs, NULL, NULL);
}
