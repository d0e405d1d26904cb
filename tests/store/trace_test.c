/* SPDX-License-Identifier: Apache-2.0 */
/* Where is my message, asked of a whole store. */
#include "store/trace.h"

#include "runtime/linnet.h"
#include "store/store_priv.h"
#include "tests/spec.h"
#include "tests/store/hand.h"
#include "tests/store/rig.h"

#include <errno.h>
#include <string.h>

static struct rig rig;
static uint64_t alice, bob;

static int
send(struct rig *r, uint64_t number)
{
    struct hand_message message = {.from = alice, .to = bob, .number = number, .text = "hello"};
    return hand_message(r->store, &message, NULL);
}

static void
find(struct rig *r, uint64_t number, struct trace *trace)
{
    *trace = (struct trace){.sender = alice, .device = 1, .number = number};
    RIG_CHECK(r, trace_find(r->store, trace) == 0);
}

/* The row of this kind for the user's device, or NULL. */
static const struct step *
row(const struct trace *trace, enum step_kind kind, uint64_t user, uint16_t device)
{
    for (unsigned i = 0; i < trace->count; i++) {
        const struct step *step = &trace->rows[i];
        if (step->kind == kind && step->user == user && step->device == device) {
            return step;
        }
    }
    return NULL;
}

static void
make_people(struct rig *r)
{
    uint16_t second;
    struct store_user user;
    RIG_CHECK(r, hand_user_create(r->store, "alice", true, &alice) == 0);
    RIG_CHECK(r, hand_user_create(r->store, "bob", true, &bob) == 0);
    RIG_CHECK(r, hand_device_add(r->store, bob, 2, &second) == 0 && second == 2);
    RIG_CHECK(r, hand_user_get(r->store, bob, &user) == 0);
    RIG_CHECK(r, hand_ack(r->store, bob, 1, user.inbox_last) == 0); /* that there is another */
    RIG_CHECK(r, hand_ack(r->store, bob, 2, user.inbox_last) == 0);
}

/* -------------------------------------------------------------------------------------- one way */

enum { PAUSE_MS = 5, PAUSE_TICKS = PAUSE_MS * 1000 / STEP_TICK_US };

static void
way_story(struct rig *r)
{
    struct trace trace;
    struct store_attached attached;
    make_people(r);
    RIG_CHECK(r, send(r, 6) == 0);
    find(r, 6, &trace);
    uint64_t before = trace.rows[trace.count - 1].ticks;
    trace_free(&trace);
    (void)ln_sleep(PAUSE_MS);
    RIG_CHECK(r, send(r, 7) == 0);
    RIG_CHECK(r, send(r, 7) == 0); /* again */
    RIG_CHECK(r, hand_attach(r->store, bob, 2, &attached) == 0);
    find(r, 7, &trace);
    const struct step *queued = row(&trace, STEP_QUEUED, bob, 2);
    RIG_CHECK(r, queued != NULL && queued->number == attached.last);
    RIG_CHECK(r, row(&trace, STEP_QUEUED, bob, 1) != NULL);
    RIG_CHECK(r, row(&trace, STEP_ACCEPTED, bob, 0) == &trace.rows[0]);
    RIG_CHECK(r, trace.rows[0].ticks >= before + PAUSE_TICKS);
    const struct step *durable = row(&trace, STEP_DURABLE, bob, 0);
    RIG_CHECK(r, durable != NULL && durable->number == 2);
    RIG_CHECK(r, row(&trace, STEP_REPEATED, bob, 0) != NULL);
    RIG_CHECK(r, row(&trace, STEP_ACKNOWLEDGED, bob, 2) == NULL);
    RIG_CHECK(r, trace.missed == 0 && !trace.cut && trace.oldest_ms > 0);
    for (unsigned i = 1; i < trace.count; i++) {
        RIG_CHECK(r, trace.rows[i - 1].ticks <= trace.rows[i].ticks);
    }
    trace_free(&trace);
    RIG_CHECK(r, hand_ack(r->store, bob, 2, attached.last - 1) == 0); /* only the first */
    RIG_CHECK(r, hand_read(r->store, bob, alice, 1) == 0);
    find(r, 7, &trace);
    RIG_CHECK(r, row(&trace, STEP_ACKNOWLEDGED, bob, 2) == NULL);
    RIG_CHECK(r, row(&trace, STEP_READ, bob, 0) == NULL);
    trace_free(&trace);
    struct store_ack both = {
        .user = bob, .number = attached.last, .peer = alice, .chat_number = 2, .device = 2};
    struct store_marked marked;
    RIG_CHECK(r, hand_ack_read(r->store, &both, &marked) == 0 && marked.moved);
    find(r, 7, &trace);
    RIG_CHECK(r, row(&trace, STEP_ACKNOWLEDGED, bob, 2) != NULL);
    RIG_CHECK(r, row(&trace, STEP_ACKNOWLEDGED, bob, 1) == NULL);
    RIG_CHECK(r, row(&trace, STEP_READ, bob, 0) != NULL);
    trace_free(&trace);
    find(r, 8, &trace);
    RIG_CHECK(r, trace.count == 0);
    trace_free(&trace);
}

static void
tells_the_way(void **state)
{
    (void)state;
    rig_open(&rig, 1);
    rig.schedulers = 2;
    rig.options.steps_bytes_max = 4 << 20;
    rig_play(&rig, way_story);
    rig_close(&rig);
}

/* ------------------------------------------------------------------------------------- one time */

static void
moment_story(struct rig *r)
{
    static const uint64_t LATE = UINT64_C(1) << 60; /* nobody has acknowledged so much */
    struct trace trace;
    struct steps *steps = &r->store->steps[0];
    make_people(r);
    uint64_t mark = trace_mark(r->store, alice, 1, 9);
    steps_moment(steps);
    steps_note(steps, STEP_ACCEPTED, mark, bob, 0, 0);
    (void)ln_sleep(PAUSE_MS);
    steps_note(steps, STEP_DURABLE, mark, bob, 0, 1);
    steps_moment(steps);
    steps_note(steps, STEP_QUEUED, mark, bob, 1, LATE);
    (void)ln_sleep(PAUSE_MS);
    trace_step(r->store, STEP_WRITTEN, mark, bob, 1, LATE);
    find(r, 9, &trace);
    RIG_CHECK(r, trace.count == 4);
    const struct step *rows = trace.rows;
    RIG_CHECK(r, rows[1].ticks == rows[0].ticks);
    RIG_CHECK(r, rows[2].ticks >= rows[1].ticks + PAUSE_TICKS);
    RIG_CHECK(r, rows[3].ticks >= rows[2].ticks + PAUSE_TICKS);
    trace_free(&trace);
}

static void
tells_one_time_of_a_moment(void **state)
{
    (void)state;
    rig_open(&rig, 3);
    rig.options.steps_bytes_max = 4 << 20;
    rig_play(&rig, moment_story);
    rig_close(&rig);
}

/* ------------------------------------------------------------------------------------- refusals */

static void
refused_story(struct rig *r)
{
    struct trace trace;
    make_people(r);
    for (uint64_t number = 1; number <= 5; number++) {
        int error = send(r, number);
        RIG_CHECK(r, error == (number <= 4 ? 0 : -EDQUOT));
    }
    find(r, 5, &trace);
    const struct step *refused = row(&trace, STEP_REFUSED, bob, 0);
    RIG_CHECK(r, refused != NULL && refused->number == EDQUOT);
    RIG_CHECK(r, row(&trace, STEP_DURABLE, bob, 0) == NULL);
    trace_free(&trace);
}

static void
tells_a_refusal(void **state)
{
    (void)state;
    rig_open(&rig, 2);
    rig.options.steps_bytes_max = 4 << 20;
    rig.options.inbox_entries_max = 4;
    rig_play(&rig, refused_story);
    rig_close(&rig);
}

/* Device 2 acknowledges nothing, and loses its place. */
static void
given_up_story(struct rig *r)
{
    struct trace trace;
    struct store_attached attached;
    make_people(r);
    for (uint64_t number = 1; number <= 4; number++) {
        RIG_CHECK(r, send(r, number) == 0);
    }
    RIG_CHECK(r, hand_attach(r->store, bob, 1, &attached) == 0);
    RIG_CHECK(r, hand_ack(r->store, bob, 1, attached.last) == 0);
    RIG_CHECK(r, send(r, 5) == 0);
    find(r, 4, &trace);
    RIG_CHECK(r, row(&trace, STEP_GIVEN_UP, bob, 2) != NULL);
    RIG_CHECK(r, row(&trace, STEP_GIVEN_UP, bob, 1) == NULL);
    trace_free(&trace);
    find(r, 5, &trace); /* it never waited for that device */
    RIG_CHECK(r, row(&trace, STEP_QUEUED, bob, 1) != NULL);
    RIG_CHECK(r, row(&trace, STEP_QUEUED, bob, 2) == NULL);
    RIG_CHECK(r, row(&trace, STEP_GIVEN_UP, bob, 2) == NULL);
    trace_free(&trace);
}

static void
tells_a_lost_place(void **state)
{
    (void)state;
    rig_open(&rig, 3);
    rig.options.steps_bytes_max = 4 << 20;
    rig.options.inbox_entries_max = 4;
    rig_play(&rig, given_up_story);
    rig_close(&rig);
}

enum { AGE_MS = 50000, ROUND_MS = 200000 };

/* Device 1 takes everything in, device 2 nothing, and one message is not meant to last. */
static void
expired_story(struct rig *r)
{
    struct trace trace;
    struct store_attached attached;
    struct hand_message brief = {.number = 8, .text = "brief", .ttl_ms = 1000};
    make_people(r);
    brief.from = alice;
    brief.to = bob;
    RIG_CHECK(r, send(r, 7) == 0);
    RIG_CHECK(r, hand_attach(r->store, bob, 1, &attached) == 0);
    RIG_CHECK(r, hand_ack(r->store, bob, 1, attached.last) == 0);
    RIG_CHECK(r, hand_message(r->store, &brief, NULL) == 0);
    (void)ln_sleep(40000); /* the first sweep of a start takes its time */
    find(r, 8, &trace);
    const struct step *brief_expired = row(&trace, STEP_EXPIRED, bob, 0);
    RIG_CHECK(r, brief_expired != NULL && brief_expired->number > attached.last);
    trace_free(&trace);
    find(r, 7, &trace);
    RIG_CHECK(r, row(&trace, STEP_EXPIRED, bob, 2) == NULL); /* the other one's is no cursor */
    trace_free(&trace);
    (void)ln_sleep(ROUND_MS);
    find(r, 7, &trace);
    const struct step *expired = row(&trace, STEP_EXPIRED, bob, 2);
    RIG_CHECK(r, expired != NULL && expired->number >= attached.last);
    RIG_CHECK(r, row(&trace, STEP_EXPIRED, bob, 1) == NULL); /* had it */
    RIG_CHECK(r, row(&trace, STEP_GIVEN_UP, bob, 2) == NULL);
    trace_free(&trace);
}

static void
tells_what_expired(void **state)
{
    (void)state;
    rig_open(&rig, 8);
    rig.options.steps_bytes_max = 4 << 20;
    rig.options.inbox_age_ms = AGE_MS;
    rig_play(&rig, expired_story);
    rig_close(&rig);
}

/* -------------------------------------------------------------------------- writers and crashes */

static void
killed_story(struct rig *r)
{
    struct trace trace;
    make_people(r);
    for (uint64_t number = 1; number <= 60; number++) {
        RIG_CHECK(r, send(r, number) == 0);
        if (number % 20 == 0) {
            ln_kill(store_pid_get(&r->store->steps[0].pid), LN_EXIT_KILLED);
            (void)ln_sleep(number); /* in the middle of its second, or of writing */
        }
    }
    (void)ln_sleep(2000);
    for (uint64_t number = 1; number <= 60; number++) {
        find(r, number, &trace);
        RIG_CHECK(r, trace.count == 4); /* accepted, durable, queued for two */
        trace_free(&trace);
    }
}

static void
survives_its_writer(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 10; seed++) {
        rig_open(&rig, seed);
        rig.options.steps_bytes_max = 4 << 20;
        rig_play(&rig, killed_story);
        rig_close(&rig);
    }
}

static void
first_life(struct rig *r)
{
    make_people(r);
    RIG_CHECK(r, send(r, 7) == 0);
}

static void
second_life(struct rig *r)
{
    struct trace trace;
    struct trace_stats stats;
    trace_stats_read(r->store, &stats);
    RIG_CHECK(r, stats.bytes > 0 && stats.oldest_ms > 0);
    find(r, 7, &trace);
    RIG_CHECK(r, trace.count == 4);
    trace_free(&trace);
}

static void
outlives_a_shutdown(void **state)
{
    (void)state;
    rig_open(&rig, 4);
    rig.options.steps_bytes_max = 4 << 20;
    rig_play(&rig, first_life);
    rig_play(&rig, second_life);
    rig_close(&rig);
}

/* The disk is so slow that both halves fill up. */
static void
slow_story(struct rig *r)
{
    struct trace trace;
    struct trace_stats stats;
    make_people(r);
    for (unsigned i = 0; i < 3 * STEPS_HALF; i++) {
        trace_step(r->store, STEP_WRITTEN, 1000 + i, bob, 1, i);
    }
    trace_stats_read(r->store, &stats);
    RIG_CHECK(r, stats.dropped >= STEPS_HALF - 100 &&
                     stats.noted + stats.dropped >= UINT64_C(3) * STEPS_HALF);
    (void)ln_sleep(5000);
    RIG_CHECK(r, send(r, 7) == 0);
    find(r, 7, &trace);
    RIG_CHECK(r, trace.count == 4 && trace.missed == stats.dropped);
    trace_free(&trace);
}

static void
drops_when_the_disk_is_slow(void **state)
{
    (void)state;
    rig_open(&rig, 5);
    rig.options.steps_bytes_max = 4 << 20;
    rig_play(&rig, slow_story);
    rig_close(&rig);
}

/* --------------------------------------------------------------------------------- switched off */

static void
off_story(struct rig *r)
{
    struct trace trace = {.sender = 1, .device = 1, .number = 1};
    struct trace_stats stats;
    make_people(r);
    RIG_CHECK(r, send(r, 7) == 0);
    RIG_CHECK(r, trace_find(r->store, &trace) == -ENODATA);
    trace_stats_read(r->store, &stats);
    RIG_CHECK(r, stats.noted == 0);
}

static void
can_be_switched_off(void **state)
{
    (void)state;
    rig_open(&rig, 6);
    rig_play(&rig, off_story);
    rig_open(&rig, 6);
    rig.options.steps_bytes_max = 1000;
    assert_int_equal(rig_boot(&rig), -EINVAL);
    rig_close(&rig);
}

int
main(void)
{
    static const struct CMUnitTest specs[] = {
        SPEC("a message is traced over acceptance, devices, acknowledgement and reading",
             tells_the_way),
        SPEC("what is noted in one moment has one time, of the next another",
             tells_one_time_of_a_moment),
        SPEC("a message that was refused tells why", tells_a_refusal),
        SPEC("a device that lost its place is named", tells_a_lost_place),
        SPEC("what expired for a device, and what was not meant to last, is told",
             tells_what_expired),
        SPEC("no step is lost with a writer that is killed", survives_its_writer),
        SPEC("steps outlive a shutdown", outlives_a_shutdown),
        SPEC("nobody waits for a slow disk: what finds no room is counted and told",
             drops_when_the_disk_is_slow),
        SPEC("steps can be switched off", can_be_switched_off),
    };
    return cmocka_run_group_tests(specs, NULL, NULL);
}
