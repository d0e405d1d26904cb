/* SPDX-License-Identifier: Apache-2.0 */
/* Who is told what is new: sessions that ended unheard, and audits. */
#include "store/audit.h"

#include "runtime/linnet.h"
#include "tests/spec.h"
#include "tests/store/hand.h"
#include "tests/store/rig.h"

#include <errno.h>
#include <string.h>

static struct rig rig;

/* ------------------------------------------------------------------------------------- sessions */

static int
sleeper_start(void *state, const void *argument)
{
    (void)state;
    (void)argument;
    return 0;
}

static void
sleeper_run(void *state)
{
    (void)state;
    (void)ln_sleep(LN_FOREVER);
}

/* A session that does not say when it ends. */
static const struct ln_behaviour sleeper = {
    .name = "sleeper", .state_bytes = 8, .init = sleeper_start, .run = sleeper_run};

static ln_pid
sleeper_attached(struct rig *r, uint64_t user, uint16_t device)
{
    struct ln_spawn_options options = {0};
    struct store_attached attached;
    ln_pid pid = 0;
    RIG_CHECK(r, ln_spawn(&sleeper, NULL, 0, &options, &pid) == 0);
    RIG_CHECK(r, hand_attach_for(r->store, user, device, pid, &attached) == 0);
    return pid;
}

static uint64_t
sessions(struct rig *r)
{
    struct store_stats stats;
    store_stats_read(r->store, &stats);
    return stats.sessions_attached;
}

/* Whose session has ended, and said so to an actor that ended, too. */
static void
late_story(struct rig *r)
{
    uint64_t bob;
    ln_pid nobody = UINT64_C(1) << 40;
    RIG_CHECK(r, hand_user_create(r->store, "bob", true, &bob) == 0);
    for (unsigned yields = 0; yields < 8; yields++) {
        struct store_attach attach = {.user = bob, .device = 1, .session = nobody};
        struct ln_msg *request = ln_msg_new(STORE_ATTACH, LN_DURABLE, sizeof attach);
        memcpy(request->data, &attach, sizeof attach);
        uint64_t ref = ln_request(store_user_pid(r->store, bob), &request);
        for (unsigned i = 0; i < yields; i++) {
            ln_yield();
        }
        ln_kill(store_user_pid(r->store, bob), LN_EXIT_KILLED);
        (void)ln_sleep(1000);
        ln_forget_answer(ref);
        RIG_CHECK(r, sessions(r) == 0);
    }
    struct store_attached attached;
    RIG_CHECK(r, hand_attach(r->store, bob, 1, &attached) == 0 && sessions(r) == 1);
}

static void
an_attach_that_came_to_nothing_leaves_nobody_online(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 10; seed++) {
        rig_play_once(&rig, seed, late_story);
    }
}

static void
restart_partition(struct rig *r, uint64_t user)
{
    ln_kill(store_user_pid(r->store, user), LN_EXIT_KILLED);
    (void)ln_sleep(1000);
}

/* One ends with its partition, the other much later. */
static void
unheard_story(struct rig *r)
{
    uint64_t bob;
    uint16_t second;
    RIG_CHECK(r, hand_user_create(r->store, "bob", true, &bob) == 0);
    RIG_CHECK(r, hand_device_add(r->store, bob, 2, &second) == 0);
    ln_pid first_pid = sleeper_attached(r, bob, 1);
    ln_pid second_pid = sleeper_attached(r, bob, second);
    RIG_CHECK(r, sessions(r) == 2);
    ln_kill(first_pid, LN_EXIT_KILLED);
    restart_partition(r, bob);
    RIG_CHECK(r, sessions(r) == 1);
    ln_kill(second_pid, LN_EXIT_KILLED);
    (void)ln_sleep(1000);
    RIG_CHECK(r, sessions(r) == 0);
}

static void
forgets_who_ended_unheard(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 10; seed++) {
        rig_play_once(&rig, seed, unheard_story);
    }
}

/* More than it takes in, and the end of a session behind all that. */
static void
overload_story(struct rig *r)
{
    enum { REQUESTS = 40000 };
    uint64_t bob;
    struct store_attached attached;
    struct store_stats stats;
    RIG_CHECK(r, hand_user_create(r->store, "bob", true, &bob) == 0);
    RIG_CHECK(r, hand_attach(r->store, bob, 1, &attached) == 0);
    ln_pid partition = store_user_pid(r->store, bob);
    for (unsigned i = 0; i < REQUESTS; i++) {
        struct ln_msg *get = ln_msg_new(STORE_USER_GET, LN_DURABLE, sizeof(struct store_user_id));
        *(struct store_user_id *)(void *)get->data = (struct store_user_id){bob};
        ln_send(partition, &get);
    }
    struct ln_msg *detach = ln_msg_new(STORE_DETACH, LN_REPLY, sizeof(struct store_detach));
    *(struct store_detach *)(void *)detach->data =
        (struct store_detach){.user = bob, .device = 1, .session = ln_self()};
    ln_send(partition, &detach);
    (void)ln_sleep(5000);
    RIG_CHECK(r, sessions(r) == 0);
    store_stats_read(r->store, &stats);
    RIG_CHECK(r, stats.requests < REQUESTS); /* many of them found no room */
}

static void
hears_an_end_under_load(void **state)
{
    (void)state;
    rig_play_once(&rig, 20, overload_story);
}

/* LMDB can't be read: who waits for it is told so, but an end that waits behind is heard. */
static void
unreadable_story(struct rig *r)
{
    uint64_t bob;
    struct store_attached attached;
    RIG_CHECK(r, hand_name_find(r->store, "bob", &bob) == 0);
    RIG_CHECK(r, hand_attach(r->store, bob, 1, &attached) == 0);
    RIG_CHECK(r, sessions(r) == 1);
    RIG_CHECK(r, hand_detach(r->store, bob, 1) == 0);
    RIG_CHECK(r, sessions(r) == 0);
}

static void
made_story(struct rig *r)
{
    uint64_t bob;
    RIG_CHECK(r, hand_user_create(r->store, "bob", true, &bob) == 0);
}

static void
hears_an_end_after_a_start(void **state)
{
    (void)state;
    rig_open(&rig, 21);
    rig_play(&rig, made_story);
    rig_play(&rig, unreadable_story);
    rig_close(&rig);
}

/* --------------------------------------------------------------------------------------- audits */

static bool
is_audited(const struct ln_msg *msg, void *context)
{
    (void)context;
    return msg->tag == STORE_AUDITED;
}

static struct store_audited
audit(struct rig *r, uint64_t user, uint16_t device)
{
    struct ln_msg *msg = ln_msg_new(STORE_AUDIT, LN_DURABLE, sizeof(struct store_audit));
    struct store_audited audited = {0};
    *(struct store_audit *)(void *)msg->data =
        (struct store_audit){.user = user, .device = device, .session = ln_self()};
    ln_send(store_user_pid(r->store, user), &msg);
    RIG_CHECK(r, ln_receive_match(is_audited, NULL, 5000, &msg) == 0);
    memcpy(&audited, msg->data, sizeof(audited));
    ln_msg_free(&msg);
    return audited;
}

static void
audit_story(struct rig *r)
{
    uint64_t alice;
    uint64_t bob;
    struct store_attached attached;
    struct hand_message message = {.number = 1, .text = "x"};
    RIG_CHECK(r, hand_user_create(r->store, "alice", true, &alice) == 0);
    RIG_CHECK(r, hand_user_create(r->store, "bob", true, &bob) == 0);
    message.from = alice;
    message.to = bob;
    RIG_CHECK(r, !audit(r, bob, 1).attached);
    RIG_CHECK(r, hand_message(r->store, &message, NULL) == 0);
    RIG_CHECK(r, hand_attach(r->store, bob, 1, &attached) == 0);
    struct store_audited first = audit(r, bob, 1);
    RIG_CHECK(r, first.attached && first.newest == (uint32_t)attached.last);
    RIG_CHECK(r, !store_audit_misses(first.newest, attached.last));
    message.number++;
    RIG_CHECK(r, hand_message(r->store, &message, NULL) == 0);
    struct store_audited second = audit(r, bob, 1);
    RIG_CHECK(r, store_audit_misses(second.newest, attached.last));
    RIG_CHECK(r, !audit(r, bob, 2).attached);
    (void)sleeper_attached(r, bob, 1); /* it is replaced */
    RIG_CHECK(r, !audit(r, bob, 1).attached);
}

static void
answers_audits(void **state)
{
    (void)state;
    rig_play_once(&rig, 30, audit_story);
}

static void
compares_over_the_end_of_32_bits(void **state)
{
    (void)state;
    uint64_t high = UINT64_C(7) << 32;
    assert_false(store_audit_misses((uint32_t)(high - 1), high - 1));
    assert_false(store_audit_misses((uint32_t)(high - 1), high));
    assert_true(store_audit_misses((uint32_t)high, high - 1));
}

int
main(void)
{
    static const struct CMUnitTest specs[] = {
        SPEC("sessions that ended while their partition could not hear it are forgotten",
             forgets_who_ended_unheard),
        SPEC("an attach that came to nothing leaves nobody online",
             an_attach_that_came_to_nothing_leaves_nobody_online),
        SPEC("a session's end is heard by a partition that takes nothing else",
             hears_an_end_under_load),
        SPEC("a session's end is heard when its user is not in memory", hears_an_end_after_a_start),
        SPEC("a session learns whether it is the one that is told, and of what", answers_audits),
        SPEC("numbers are compared over the end of 32 bits", compares_over_the_end_of_32_bits),
    };
    return cmocka_run_group_tests(specs, NULL, NULL);
}
