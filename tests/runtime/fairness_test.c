/* SPDX-License-Identifier: Apache-2.0 */
/* Who waits for whom, and for how long: counted in messages and turns, never in time. Ready actors
 * run in order here, as with the real driver, so that each bound is met exactly. */
#include "runtime/bounds.h"
#include "runtime/node_priv.h"
#include "tests/runtime/harbour.h"
#include "tests/spec.h"

enum tag { WORK = 1, URGENT, LATER, OVER };
enum { SEEDS = 3, STEPS_MAX = 20000, NS_PER_MS = 1000000 };

static struct {
    unsigned who;
    uint64_t turn; /* of its scheduler */
} steps[STEPS_MAX];
static unsigned steps_count, steps_wanted;
static ln_pid teller;

static uint64_t
turn_now(void)
{
    return scheduler_current()->stats.turns;
}

/* Whether there is more to see. */
static bool
step(unsigned who)
{
    if (steps_count == steps_wanted) {
        return false;
    }
    steps[steps_count].who = who;
    steps[steps_count++].turn = turn_now();
    if (steps_count == steps_wanted) {
        stage_say(teller, OVER);
    }
    return true;
}

static void
watch_steps(unsigned wanted)
{
    EXPECT(wanted <= STEPS_MAX);
    steps_count = 0;
    steps_wanted = wanted;
    teller = ln_self();
}

static void
play_in_order(void (*story)(void), const struct ln_node_options *options)
{
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        struct sim_options machine = {
            .seed = seed,
            .ready_in_order = true,
            .network_delay_ns_max = 1,
            .work_delay_ns_max = 1,
        };
        stage_play_once(story, &machine, options);
    }
}

static const struct ln_node_options plain = {0};
static const struct ln_node_options short_turns = {.turn_messages = 7};

static uint32_t
turn_messages(void)
{
    return scheduler_current()->node->turn_messages;
}

/* ------------------------------------------------------------------------------------ the flood */

/* Sends on to itself what it gets, for ever; notes each. */
static int
number_init(void *state, const void *argument)
{
    *(unsigned *)state = *(const unsigned *)argument;
    return 0;
}

static int
flood_init(void *state, const void *argument)
{
    stage_say(ln_self(), WORK);
    return number_init(state, argument);
}

static void
flood_handle(void *state, struct ln_msg **msg)
{
    if (step(*(unsigned *)state)) {
        ln_send(ln_self(), msg);
    }
}
static const struct ln_behaviour flood = {
    .name = "flood", .state_bytes = sizeof(unsigned), .init = flood_init, .handle = flood_handle};

static void
flood_run(void *state)
{
    struct ln_msg *msg;
    while (ln_receive(LN_FOREVER, &msg) == 0 && step(*(unsigned *)state)) {
        ln_send(ln_self(), &msg);
    }
}
static const struct ln_behaviour flood_process = {
    .name = "flood process", .state_bytes = sizeof(unsigned), .init = flood_init, .run = flood_run};

static ln_pid
start(const struct ln_behaviour *behaviour, unsigned number)
{
    ln_pid pid;
    EXPECT(ln_spawn(behaviour, &number, sizeof number, NULL, &pid) == 0);
    return pid;
}

/* `count` of them take their turns one after the other, each of just so many messages. */
static void
expect_turns(unsigned count, unsigned messages)
{
    for (unsigned i = 0; i < steps_count; i++) {
        EXPECT(steps[i].who == i / messages % count);
    }
}

static void
floods_story(void)
{
    watch_steps(40 * turn_messages());
    (void)start(&flood, 0);
    (void)start(&flood_process, 1);
    (void)start(&flood, 2);
    (void)start(&flood_process, 3);
    stage_expect(OVER, NULL, 0);
    expect_turns(4, turn_messages());
}

static void
floods_leave_turns(void **state)
{
    (void)state;
    play_in_order(floods_story, &plain);
    play_in_order(floods_story, &short_turns);
}

/* Where chance chooses who goes next, turns are as long. */
static void
shuffled_story(void)
{
    watch_steps(200 * LN_TURN_MESSAGES);
    (void)start(&flood, 0);
    (void)start(&flood_process, 1);
    (void)start(&flood, 2);
    stage_expect(OVER, NULL, 0);
    for (unsigned i = 0; i < steps_count; i++) {
        EXPECT(steps[i].who == steps[i - i % LN_TURN_MESSAGES].who);
    }
}

static void
turns_are_as_long_in_any_order(void **state)
{
    (void)state;
    stage_play(shuffled_story);
}

enum { CROWD = 3000, ROUNDS = 4 };

static void
crowd_story(void)
{
    watch_steps(CROWD * ROUNDS);
    for (unsigned i = 0; i < CROWD; i++) {
        (void)start(&flood, i);
    }
    stage_expect(OVER, NULL, 0);
    expect_turns(CROWD, 1);
    EXPECT(steps[CROWD].turn - steps[0].turn <= CROWD / LN_TURN_ACTORS + 1);
}

static void
everybody_has_a_turn(void **state)
{
    (void)state;
    play_in_order(crowd_story, &(struct ln_node_options){.turn_messages = 1});
}

/* ------------------------------------------------------------------------- flooded by another */

static void
sink_handle(void *state, struct ln_msg **msg)
{
    (void)msg;
    (void)step(*(unsigned *)state);
}
static const struct ln_behaviour sink = {
    .name = "sink", .state_bytes = sizeof(unsigned), .init = number_init, .handle = sink_handle};

static void
sink_run(void *state)
{
    struct ln_msg *msg;
    while (ln_receive(LN_FOREVER, &msg) == 0) {
        (void)step(*(unsigned *)state);
        ln_msg_free(&msg);
    }
}
static const struct ln_behaviour sink_process = {
    .name = "sink process", .state_bytes = sizeof(unsigned), .init = number_init, .run = sink_run};

static void
flooded_story(void)
{
    enum { SINKS = 4, EACH = 1000 };
    ln_pid sinks[SINKS];
    watch_steps(SINKS * EACH + 1);
    for (unsigned i = 0; i < SINKS; i++) {
        sinks[i] = start(i % 2 == 0 ? &sink : &sink_process, i);
    }
    ln_pid quiet = start(&sink, SINKS);
    stage_settle();
    for (unsigned i = 0; i < SINKS * EACH; i++) {
        stage_say(sinks[i / EACH], WORK);
    }
    stage_say(quiet, WORK);
    stage_expect(OVER, NULL, 0);
    unsigned before = SINKS * turn_messages();
    EXPECT(steps[before].who == SINKS);
    for (unsigned i = 0; i < before; i++) {
        EXPECT(steps[i].who == i / turn_messages());
    }
}

static void
flooded_actors_leave_turns(void **state)
{
    (void)state;
    play_in_order(flooded_story, &plain);
    play_in_order(flooded_story, &short_turns);
}

/* --------------------------------------------------------------------------- long-running work */

static void
patient_handle(void *state, struct ln_msg **msg)
{
    (void)msg;
    while (step(*(unsigned *)state)) {
        ln_yield();
    }
}
static const struct ln_behaviour patient = {.name = "patient",
                                            .state_bytes = sizeof(unsigned),
                                            .init = flood_init,
                                            .handle = patient_handle};

static void
yield_story(void)
{
    enum { OTHERS = 2 };
    watch_steps(10 * (1 + OTHERS * turn_messages()));
    (void)start(&patient, 0);
    (void)start(&flood, 1);
    (void)start(&flood, 2);
    stage_expect(OVER, NULL, 0);
    for (unsigned i = 0; i < steps_count; i++) {
        unsigned at = i % (1 + OTHERS * turn_messages());
        EXPECT(steps[i].who == (at == 0 ? 0 : 1 + (at - 1) / turn_messages()));
    }
}

static void
a_yield_lets_all_others_run(void **state)
{
    (void)state;
    play_in_order(yield_story, &plain);
}

/* Asks for what never comes. */
static void
impatient_run(void *state)
{
    uint32_t wanted = 0;
    struct ln_msg *msg;
    while (step(*(unsigned *)state)) {
        EXPECT(ln_receive(wanted, &msg) == -ETIMEDOUT);
    }
}
static const struct ln_behaviour impatient = {.name = "impatient",
                                              .state_bytes = sizeof(unsigned),
                                              .init = number_init,
                                              .run = impatient_run};

static void
polling_story(void)
{
    watch_steps(20 * turn_messages());
    (void)start(&impatient, 0);
    (void)start(&flood, 1);
    stage_expect(OVER, NULL, 0);
    unsigned turn = turn_messages();
    for (unsigned i = 0; i < steps_count; i++) { /* its first look follows its first step */
        EXPECT(steps[i].who == (i > 0 ? (i - 1) / turn % 2 : 0));
    }
}

static void
polls_end_turns(void **state)
{
    (void)state;
    play_in_order(polling_story, &plain);
    play_in_order(polling_story, &short_turns);
}

/* ----------------------------------------------------------------------------------- the lanes */

static bool
urgent_step(struct ln_msg **msg)
{
    bool urgent = (*msg)->tag == URGENT;
    bool more = step(urgent ? 0 : (*msg)->tag);
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
    watch_steps(OTHERS * (LN_OVERTAKES_MAX + 1));
    ln_pid pid = start(behaviour, 0);
    for (unsigned i = 0; i < OTHERS; i++) {
        struct ln_msg *msg = ln_msg_new(LATER + i, lanes[i % KINDS], 0);
        ln_send(pid, &msg);
    }
    struct ln_msg *msg = ln_msg_new(URGENT, LN_SYSTEM, 0);
    ln_send(pid, &msg);
    stage_expect(OVER, NULL, 0);
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
    play_in_order(lanes_story, &plain);
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
    if (flow.turn != turn_now()) {
        EXPECT(flow.turn == 0 || flow.turn + 1 == turn_now());
        flow.turn = turn_now();
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
                                            .init = flood_init,
                                            .handle = torrent_handle};

static void
flow_begin(void)
{
    memset(&flow, 0, sizeof flow);
    flowing = true;
    for (unsigned i = 0; i < TORRENTS; i++) {
        (void)start(&torrent, i);
    }
    ln_yield();
}

/* Whoever became ready when this turn began has waited for one turn of each torrent. */
static void
expect_served_in(uint64_t turn)
{
    EXPECT(turn_now() == turn);
    EXPECT(flow.turn == turn && flow.messages == (uint64_t)TORRENTS * turn_messages());
}

/* On the other scheduler: says in which turn of ours it answers. */
static void
stranger_handle(void *state, struct ln_msg **msg)
{
    uint64_t turn = scheduler_current()->node->schedulers[0].stats.turns;
    (void)state;
    struct ln_msg *answer = ln_msg_new(WORK, LN_DURABLE, sizeof turn);
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
        stage_say(pid, WORK);
        stage_expect(WORK, &sent, sizeof sent);
        expect_served_in(sent + 1);
    }
    flowing = false;
}

static void
messages_from_elsewhere_come_through(void **state)
{
    (void)state;
    play_in_order(remote_story, &short_turns);
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
    play_in_order(timer_story, &short_turns);
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
        ln_work(note_turn, &ran, i % 2 == 0);
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
    play_in_order(completions_story, &short_turns);
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
        uint64_t sent = turn_now();
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
    play_in_order(bytes_story, &short_turns);
}

/* --------------------------------------------------- and one that always has other things to do */

/* Sends itself one message after another, and notes each new turn. */
static void
clockwork_handle(void *state, struct ln_msg **msg)
{
    (void)state;
    if (flow.turn == turn_now() || step(0)) {
        flow.turn = turn_now();
        ln_send(ln_self(), msg);
    }
}
static const struct ln_behaviour clockwork = {.name = "clockwork",
                                              .state_bytes = sizeof(unsigned),
                                              .init = flood_init,
                                              .handle = clockwork_handle};

static void
expect_every_turn(unsigned turns)
{
    memset(&flow, 0, sizeof flow);
    watch_steps(turns);
    (void)start(&clockwork, 0);
    stage_expect(OVER, NULL, 0);
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
        struct ln_msg *drop = ln_msg_new(WORK, LN_LOSSY, 0);
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
    stage_say(ln_self(), WORK);
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
    play_in_order(deluge_story, &(struct ln_node_options){.turn_messages = 1});
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
static const struct ln_behaviour alarms = {
    .name = "alarms", .state_bytes = sizeof(unsigned), .init = number_init, .handle = alarm_handle};

static void
laborious_run(void *state)
{
    (void)state;
    while (flowing) {
        uint64_t ran;
        ln_work(note_turn, &ran, false);
    }
}
static const struct ln_behaviour laborious = {.name = "laborious", .run = laborious_run};

static void
busy_story(void)
{
    enum { ALARMS = 1000, LABORIOUS = 50, TURNS = 500 };
    flowing = true;
    ln_pid pid = start(&alarms, 0);
    for (unsigned i = 0; i < ALARMS; i++) {
        stage_say(pid, WORK);
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
    play_in_order(busy_story, &(struct ln_node_options){.turn_messages = 1});
}

/* -------------------------------------------------------------------------------------- placing */

static unsigned
actors_on(unsigned scheduler)
{
    struct ln_scheduler_info info;
    EXPECT(ln_inspect_scheduler(scheduler, &info) == 0);
    return info.actors;
}

static ln_pid
place(int where)
{
    ln_pid pid;
    unsigned number = 0;
    struct ln_spawn_options options = {.elsewhere = true, .scheduler = where};
    EXPECT(ln_spawn(&sink, &number, sizeof number, &options, &pid) == 0);
    EXPECT(where < 0 || ln_pid_scheduler(pid) == (unsigned)where);
    return pid;
}

static void
places_story(void)
{
    enum { MANY = 20, FEW = 5 };
    ln_pid there[FEW];
    for (unsigned i = 0; i < MANY; i++) {
        EXPECT(ln_pid_scheduler(place(LN_HERE)) == 0);
    }
    for (unsigned i = 0; i < FEW; i++) {
        there[i] = place(1);
    }
    unsigned missing = actors_on(0) - actors_on(1);
    EXPECT(missing == 1 + MANY - FEW); /* we are here, too */
    for (unsigned i = 0; i < missing; i++) {
        EXPECT(ln_pid_scheduler(place(LN_ANYWHERE)) == 1);
    }
    for (unsigned i = 0; i < MANY; i++) {
        (void)place(LN_ANYWHERE);
        EXPECT(actors_on(0) - actors_on(1) == (i + 1) % 2);
    }
    for (unsigned i = 0; i < FEW; i++) {
        ln_kill(there[i], LN_EXIT_KILLED);
    }
    stage_settle();
    for (unsigned i = 0; i < FEW; i++) {
        EXPECT(ln_pid_scheduler(place(LN_ANYWHERE)) == 1);
    }
    EXPECT(actors_on(0) == actors_on(1));
}

static void
new_ones_go_where_fewest_are(void **state)
{
    (void)state;
    stage_play(places_story);
}

int
main(void)
{
    static const struct CMUnitTest specs[] = {
        SPEC("actors that flood themselves take turns of so many messages, handlers and processes "
             "alike",
             floods_leave_turns),
        SPEC("in whatever order actors run, their turns are as long",
             turns_are_as_long_in_any_order),
        SPEC("of thousands that are always ready each has its turn before any has its second",
             everybody_has_a_turn),
        SPEC("an actor waits behind flooded ones for one turn of each", flooded_actors_leave_turns),
        SPEC("a handler that works for long and yields lets all others have a turn each time",
             a_yield_lets_all_others_run),
        SPEC("a process that looks for messages in a circle takes turns as well", polls_end_turns),
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
        SPEC("a new actor goes where the fewest are, unless it is told where",
             new_ones_go_where_fewest_are),
    };
    return cmocka_run_group_tests(specs, NULL, NULL);
}
