/* SPDX-License-Identifier: Apache-2.0 */
/* A descriptor between two actors is closed once, whoever of them ends when. */
#include "actors/handoff.h"
#include "runtime/io/sim.h"
#include "runtime/node.h"
#include "runtime/socket.h"
#include "tests/spec.h"

#include <errno.h>
#include <string.h>

/* The actors play with the two ends of one connection: `given` is handed over, `far` is told when
 * it is closed. */
struct stage {
    void (*play)(struct stage *stage);
    struct handoffs handoffs;
    io_socket given;
    struct ln_socket *far;
    bool done;
};

static struct stage stage;

/* True: the far end has been told that the given one is closed. */
static bool
closed_within(uint64_t ms)
{
    struct ln_msg *msg = NULL;
    if (ln_receive(ms, &msg) != 0) {
        return false;
    }
    bool closed = msg->tag == LN_TAG_CLOSED;
    ln_msg_free(&msg);
    return closed;
}

static void
actor_run(void *state)
{
    struct io_address any;
    struct io_address bound;
    struct ln_socket *listener = NULL;
    struct ln_msg *msg = NULL;
    (void)state;
    assert_int_equal(io_address_parse("127.0.0.1:0", &any), 0);
    assert_int_equal(ln_socket_listen(&any, &listener, &bound), 0);
    assert_int_equal(ln_socket_connect(&bound, 1000, &stage.far), 0);
    assert_int_equal(ln_receive(1000, &msg), 0);
    assert_int_equal(msg->tag, LN_TAG_ACCEPT);
    stage.given = ln_socket_event(msg)->descriptor;
    ln_msg_free(&msg);
    stage.play(&stage);
    stage.done = true;
}

static const struct ln_behaviour actor = {
    .name = "actor", .run = actor_run, .stack_bytes = 256 * 1024};

static void
play(void (*scene)(struct stage *stage))
{
    struct io_driver *driver;
    memset(&stage, 0, sizeof stage);
    stage.play = scene;
    assert_int_equal(sim_open(&(struct sim_options){.seed = 1}, &driver), 0);
    struct ln_node *node = ln_node_open(driver, &(struct ln_node_options){0});
    ln_node_root(node, &actor, NULL, 0);
    assert_int_equal(ln_node_start(node), 0);
    (void)ln_node_join(node);
    ln_node_close(&node);
    io_driver_close(driver);
    assert_true(stage.done);
}

static void
not_taken(struct stage *s)
{
    struct handoff handoff;
    assert_int_equal(handoff_offer(&s->handoffs, s->given, &handoff), 0);
    handoff_end(&handoff);
    assert_false(handoff_take(&s->handoffs, handoff.ticket));
    assert_true(closed_within(1000));
}

static void
what_nobody_took_is_closed_and_can_not_be_taken_later(void **state)
{
    (void)state;
    play(not_taken);
}

static void
taken(struct stage *s)
{
    struct handoff handoff;
    assert_int_equal(handoff_offer(&s->handoffs, s->given, &handoff), 0);
    assert_true(handoff_take(&s->handoffs, handoff.ticket));
    assert_false(handoff_take(&s->handoffs, handoff.ticket));
    handoff_end(&handoff);
    assert_false(closed_within(1000));
    io_close(ln_io(), s->given, true);
    assert_true(closed_within(1000));
}

static void
what_was_taken_is_left_to_its_taker(void **state)
{
    (void)state;
    play(taken);
}

static void
giver_run(void *state)
{
    struct handoff *handoff = ln_alloc(sizeof *handoff);
    (void)state;
    assert_int_equal(handoff_offer(&stage.handoffs, stage.given, handoff), 0);
    (void)ln_sleep(LN_FOREVER);
    ln_exit(LN_EXIT_ERROR, "ended in the middle");
}

static const struct ln_behaviour giver = {
    .name = "giver", .run = giver_run, .stack_bytes = 256 * 1024};

static void
giver_killed(struct stage *s)
{
    ln_pid pid;
    assert_int_equal(ln_spawn(&giver, NULL, 0, NULL, &pid), 0);
    assert_false(closed_within(10));
    ln_kill(pid, LN_EXIT_KILLED);
    assert_true(closed_within(1000));
    assert_false(handoff_take(&s->handoffs, s->handoffs.tickets));
}

static void
a_giver_that_is_killed_closes_what_nobody_took(void **state)
{
    (void)state;
    play(giver_killed);
}

static void
too_many(struct stage *s)
{
    struct handoff handoff = {.descriptor = -1};
    for (unsigned i = 0; i < HANDOFF_SLOTS; i++) {
        s->handoffs.slots[i] = UINT64_MAX;
    }
    assert_int_equal(handoff_offer(&s->handoffs, s->given, &handoff), -EAGAIN);
    assert_int_equal(handoff.descriptor, -1);
    s->handoffs.slots[7] = 0;
    assert_int_equal(handoff_offer(&s->handoffs, s->given, &handoff), 0);
    assert_int_equal(handoff.ticket % HANDOFF_SLOTS, 7);
    handoff_end(&handoff);
    assert_int_equal(s->handoffs.slots[7], 0);
}

static void
without_a_free_slot_the_giver_keeps_it(void **state)
{
    (void)state;
    play(too_many);
}

int
main(void)
{
    static const struct CMUnitTest specs[] = {
        SPEC("what nobody took is closed, and can't be taken later",
             what_nobody_took_is_closed_and_can_not_be_taken_later),
        SPEC("what was taken is left to its taker", what_was_taken_is_left_to_its_taker),
        SPEC("a giver that is killed closes what nobody took",
             a_giver_that_is_killed_closes_what_nobody_took),
        SPEC("without a free slot the giver keeps the descriptor",
             without_a_free_slot_the_giver_keeps_it),
    };
    return cmocka_run_group_tests(specs, NULL, NULL);
}
