/* SPDX-License-Identifier: Apache-2.0 */
/* Which actors wait for which, and for how long: counted in messages and turns, never in time. */
#include "runtime/bounds.h"
#include "runtime/inspect.h"
#include "tests/runtime/stage.h"
#include "tests/runtime/steps.h"
#include "tests/spec.h"

/* ------------------------------------------------------------------------------------ the flood */

/* Sends on to itself what it gets, for ever; notes each. */
static void
flood_handle(void *state, struct ln_msg **msg)
{
    if (steps_seen(*(unsigned *)state)) {
        ln_send(ln_self(), msg);
    }
}
static const struct ln_behaviour flood = {.name = "flood",
                                          .state_bytes = sizeof(unsigned),
                                          .init = steps_actor_init_busy,
                                          .handle = flood_handle};

static void
flood_run(void *state)
{
    struct ln_msg *msg;
    while (ln_receive(LN_FOREVER, &msg) == 0 && steps_seen(*(unsigned *)state)) {
        ln_send(ln_self(), &msg);
    }
}
static const struct ln_behaviour flood_process = {.name = "flood process",
                                                  .state_bytes = sizeof(unsigned),
                                                  .init = steps_actor_init_busy,
                                                  .run = flood_run};

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
    steps_watch(40 * steps_turn_messages());
    (void)steps_start(&flood, 0);
    (void)steps_start(&flood_process, 1);
    (void)steps_start(&flood, 2);
    (void)steps_start(&flood_process, 3);
    stage_expect(STEPS_OVER, NULL, 0);
    expect_turns(4, steps_turn_messages());
}

static void
floods_leave_turns(void **state)
{
    (void)state;
    steps_play(floods_story, &steps_plain);
    steps_play(floods_story, &steps_short);
}

/* Where chance chooses who goes next, turns are as long. */
static void
shuffled_story(void)
{
    steps_watch(200 * LN_TURN_MESSAGES);
    (void)steps_start(&flood, 0);
    (void)steps_start(&flood_process, 1);
    (void)steps_start(&flood, 2);
    stage_expect(STEPS_OVER, NULL, 0);
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
    steps_watch(CROWD * ROUNDS);
    for (unsigned i = 0; i < CROWD; i++) {
        (void)steps_start(&flood, i);
    }
    stage_expect(STEPS_OVER, NULL, 0);
    expect_turns(CROWD, 1);
    EXPECT(steps[CROWD].turn - steps[0].turn <= CROWD / LN_TURN_ACTORS + 1);
}

static void
everybody_has_a_turn(void **state)
{
    (void)state;
    steps_play(crowd_story, &(struct ln_node_options){.turn_messages = 1});
}

/* ------------------------------------------------------------------------- flooded by another */

static void
sink_handle(void *state, struct ln_msg **msg)
{
    (void)msg;
    (void)steps_seen(*(unsigned *)state);
}
static const struct ln_behaviour sink = {.name = "sink",
                                         .state_bytes = sizeof(unsigned),
                                         .init = steps_actor_init,
                                         .handle = sink_handle};

static void
sink_run(void *state)
{
    struct ln_msg *msg;
    while (ln_receive(LN_FOREVER, &msg) == 0) {
        (void)steps_seen(*(unsigned *)state);
        ln_msg_free(&msg);
    }
}
static const struct ln_behaviour sink_process = {.name = "sink process",
                                                 .state_bytes = sizeof(unsigned),
                                                 .init = steps_actor_init,
                                                 .run = sink_run};

static void
flooded_story(void)
{
    enum { SINKS = 4, EACH = 1000 };
    ln_pid sinks[SINKS];
    steps_watch(SINKS * EACH + 1);
    for (unsigned i = 0; i < SINKS; i++) {
        sinks[i] = steps_start(i % 2 == 0 ? &sink : &sink_process, i);
    }
    ln_pid quiet = steps_start(&sink, SINKS);
    stage_settle();
    for (unsigned i = 0; i < SINKS * EACH; i++) {
        stage_say(sinks[i / EACH], STEPS_WORK);
    }
    stage_say(quiet, STEPS_WORK);
    stage_expect(STEPS_OVER, NULL, 0);
    unsigned before = SINKS * steps_turn_messages();
    EXPECT(steps[before].who == SINKS);
    for (unsigned i = 0; i < before; i++) {
        EXPECT(steps[i].who == i / steps_turn_messages());
    }
}

static void
flooded_actors_leave_turns(void **state)
{
    (void)state;
    steps_play(flooded_story, &steps_plain);
    steps_play(flooded_story, &steps_short);
}

/* --------------------------------------------------------------------------- long-running work */

static void
patient_handle(void *state, struct ln_msg **msg)
{
    (void)msg;
    while (steps_seen(*(unsigned *)state)) {
        ln_yield();
    }
}
static const struct ln_behaviour patient = {.name = "patient",
                                            .state_bytes = sizeof(unsigned),
                                            .init = steps_actor_init_busy,
                                            .handle = patient_handle};

static void
yield_story(void)
{
    enum { OTHERS = 2 };
    steps_watch(10 * (1 + OTHERS * steps_turn_messages()));
    (void)steps_start(&patient, 0);
    (void)steps_start(&flood, 1);
    (void)steps_start(&flood, 2);
    stage_expect(STEPS_OVER, NULL, 0);
    for (unsigned i = 0; i < steps_count; i++) {
        unsigned at = i % (1 + OTHERS * steps_turn_messages());
        EXPECT(steps[i].who == (at == 0 ? 0 : 1 + (at - 1) / steps_turn_messages()));
    }
}

static void
a_yield_lets_all_others_run(void **state)
{
    (void)state;
    steps_play(yield_story, &steps_plain);
}

/* Asks for what never comes. */
static void
impatient_run(void *state)
{
    uint32_t wanted = 0;
    struct ln_msg *msg;
    while (steps_seen(*(unsigned *)state)) {
        EXPECT(ln_receive(wanted, &msg) == -ETIMEDOUT);
    }
}
static const struct ln_behaviour impatient = {.name = "impatient",
                                              .state_bytes = sizeof(unsigned),
                                              .init = steps_actor_init,
                                              .run = impatient_run};

static void
polling_story(void)
{
    steps_watch(20 * steps_turn_messages());
    (void)steps_start(&impatient, 0);
    (void)steps_start(&flood, 1);
    stage_expect(STEPS_OVER, NULL, 0);
    unsigned turn = steps_turn_messages();
    for (unsigned i = 0; i < steps_count; i++) { /* its first look follows its first step */
        EXPECT(steps[i].who == (i > 0 ? (i - 1) / turn % 2 : 0));
    }
}

static void
polls_end_turns(void **state)
{
    (void)state;
    steps_play(polling_story, &steps_plain);
    steps_play(polling_story, &steps_short);
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
        SPEC("a new actor goes where the fewest are, unless it is told where",
             new_ones_go_where_fewest_are),
    };
    return cmocka_run_group_tests(specs, NULL, NULL);
}
