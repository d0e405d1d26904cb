/* SPDX-License-Identifier: Apache-2.0 */
/* The store's actors over several lives of a node, and what they do about the disk meanwhile. */
#include "store/store_priv.h"
#include "tests/spec.h"
#include "tests/store/hand.h"
#include "tests/store/rig.h"

#include <string.h>

static struct rig rig;

/* ----------------------------------------------------------------------------------- over lives */

static uint64_t first_user;
static uint64_t first_number;

static void
before_story(struct rig *r)
{
    struct store_sent sent;
    RIG_CHECK(r, r->report.created);
    RIG_CHECK(r, hand_user_create(r->store, "alice", true, &first_user) == 0);
    struct hand_message note = {.from = first_user, .to = first_user, .number = 5, .text = "note"};
    RIG_CHECK(r, hand_message(r->store, &note, &sent) == 0);
    struct store_user user;
    RIG_CHECK(r, hand_user_get(r->store, first_user, &user) == 0);
    first_number = user.inbox_last;
}

static void
after_story(struct rig *r)
{
    struct store_sent sent;
    struct store_user user;
    uint64_t found;
    RIG_CHECK(r, !r->report.created && r->report.commands > 0);
    RIG_CHECK(r, hand_name_find(r->store, "alice", &found) == 0 && found == first_user);
    struct hand_message note = {.from = first_user, .to = first_user, .number = 5, .text = "note"};
    RIG_CHECK(r, hand_message(r->store, &note, &sent) == 0 && sent.duplicate);
    RIG_CHECK(r, hand_user_get(r->store, first_user, &user) == 0);
    RIG_CHECK(r, user.inbox_last == first_number && user.inbox_entries == 1);
    note.number = 6;
    RIG_CHECK(r, hand_message(r->store, &note, &sent) == 0 && sent.chat_number == 2);
    RIG_CHECK(r, hand_user_get(r->store, first_user, &user) == 0);
    RIG_CHECK(r, user.inbox_last > first_number);
}

static void
outlives_restarts(void **state)
{
    (void)state;
    rig_open(&rig, 40);
    rig_play(&rig, before_story);
    rig_play(&rig, after_story);
    rig_close(&rig);
}

static void
outlives_other_schedulers(void **state)
{
    (void)state;
    rig_open(&rig, 41);
    rig.schedulers = 3;
    rig_play(&rig, before_story);
    rig.schedulers = 2;
    rig_play(&rig, after_story);
    assert_true(rig.report.logs_renewed);
    assert_int_equal(rig.report.logs, 2);
    rig_close(&rig);
}

/* ---------------------------------------------------------------------- what waits in outboxes */

enum { PARTITIONS = 256, WAITED_MS_MAX = 100, CUTS = 40 };
static unsigned waited_for; /* lives that began with something in an outbox */

static uint64_t
outbox_records(const struct store *store)
{
    uint64_t count = 0;
    for (unsigned i = 0; i < PARTITIONS; i++) {
        struct store_partition_info info;
        store_partition_info_read(store, (uint8_t)i, &info);
        count += info.outbox_records;
    }
    return count;
}

/* Users are created, at both ends of a stream each. */
static void
create_many(struct rig *r, unsigned first, unsigned count)
{
    for (unsigned i = first; i < first + count; i++) {
        struct store_user_create create = {.with_device = true};
        create.name.bytes = (uint8_t)snprintf(create.name.text, sizeof(create.name.text),
                                              "life%u no%u", r->lives, i);
        struct ln_msg *request = ln_msg_new(STORE_USER_CREATE, LN_DURABLE, sizeof(create));
        memcpy(request->data, &create, sizeof(create));
        (void)ln_request(store_name_pid(r->store, create.name.text, create.name.bytes), &request);
    }
}

/* Until the power goes. */
static void
create_without_end(struct rig *r)
{
    for (unsigned i = 0; i < 400; i += 8) {
        create_many(r, i, 8);
        (void)ln_sleep(1);
    }
}

static void
wait_for_outboxes(struct rig *r)
{
    unsigned waited_ms = 0;
    waited_for += outbox_records(r->store) > 0;
    while (outbox_records(r->store) > 0 && waited_ms <= WAITED_MS_MAX) {
        (void)ln_sleep(1);
        waited_ms++;
    }
    RIG_CHECK(r, waited_ms <= WAITED_MS_MAX);
}

static void
leaves_at_once_after_a_start(void **state)
{
    (void)state;
    waited_for = 0;
    for (uint64_t cut = 0; cut < CUTS; cut++) {
        rig_open(&rig, 100 + cut);
        rig.schedulers = 1 + (unsigned)(cut % 2);
        rig.crash_event = 1500 + 61 * cut;
        rig_tell(&rig, create_without_end);
        (void)rig_run(&rig, 10000);
        rig_bury(&rig);
        rig.crash_event = 0;
        rig_play(&rig, wait_for_outboxes);
        rig_close(&rig);
    }
    assert_true(waited_for >= CUTS / 4);
}

static void
kill_and_wait(struct rig *r)
{
    for (unsigned round = 0; round < 40; round++) {
        create_many(r, 64 * round, 64);
        for (unsigned turn = 0; turn < 5; turn++) {
            for (unsigned i = turn; i < PARTITIONS; i += 5) {
                ln_kill(store_partition_pid(r->store, (uint8_t)i), LN_EXIT_KILLED);
            }
            (void)ln_sleep(1);
        }
        wait_for_outboxes(r);
    }
}

static void
leaves_at_once_after_a_kill(void **state)
{
    (void)state;
    waited_for = 0;
    rig_open(&rig, 14);
    rig.schedulers = 2;
    rig.work_delay_ns_max = 5000000; /* their queues wait for LMDB, and are lost */
    rig_play(&rig, kill_and_wait);
    rig_close(&rig);
    assert_true(waited_for > 0);
}

/* ----------------------------------------------------------------------------------- durability */

/* Batches so far, and when that was. */
struct moment {
    uint64_t batches;
    uint64_t at_ns;
};

static struct moment
moment(const struct rig *r)
{
    struct store_stats stats;
    store_stats_read(r->store, &stats);
    return (struct moment){.batches = stats.batches, .at_ns = io_now_ns(ln_io())};
}

static void
hurry_story(struct rig *r)
{
    enum { MESSAGES = 20 };
    struct store_attached attached;
    uint64_t bob;
    RIG_CHECK(r, hand_user_create(r->store, "bob", true, &bob) == 0);
    RIG_CHECK(r, hand_attach(r->store, bob, 1, &attached) == 0);
    RIG_CHECK(r, ln_sleep(10) == 0);
    struct moment begin = moment(r);
    for (uint64_t i = 1; i <= MESSAGES; i++) {
        struct hand_message message = {.from = 7, .to = bob, .number = i, .text = "x"};
        struct store_sent sent;
        RIG_CHECK(r, hand_message(r->store, &message, &sent) == 0);
    }
    struct moment sent = moment(r);
    for (uint64_t i = 1; i <= MESSAGES; i++) {
        struct ln_msg *push = NULL;
        RIG_CHECK(r, ln_receive(100, &push) == 0 && push->tag == STORE_PUSH);
        uint64_t number = ((const struct store_push *)(const void *)push->data)->number;
        ln_msg_free(&push);
        RIG_CHECK(r, hand_ack(r->store, bob, 1, number) == 0);
    }
    struct moment acked = moment(r);
    RIG_CHECK(r, sent.batches - begin.batches >= MESSAGES);
    RIG_CHECK(r, acked.at_ns - sent.at_ns >= UINT64_C(1000000) * (MESSAGES - 1));
    RIG_CHECK(r, acked.at_ns - sent.at_ns > 2 * (sent.at_ns - begin.at_ns));
    RIG_CHECK(r, acked.at_ns - sent.at_ns <= UINT64_C(4000000) * MESSAGES);
}

static void
hurries_for_messages(void **state)
{
    (void)state;
    rig_open(&rig, 15);
    rig.disk_delay_ns_max = 100000;
    rig_play(&rig, hurry_story);
    rig_close(&rig);
}

int
main(void)
{
    static const struct CMUnitTest specs[] = {
        SPEC("what waits in outboxes leaves at once after a start", leaves_at_once_after_a_start),
        SPEC("and after the ends of partitions", leaves_at_once_after_a_kill),
        SPEC("each message is written at once; acknowledgements alone wait a millisecond for "
             "company",
             hurries_for_messages),
        SPEC("a restart changes nothing but the epoch", outlives_restarts),
        SPEC("another number of schedulers folds everything and begins new logs",
             outlives_other_schedulers),
    };
    return cmocka_run_group_tests(specs, NULL, NULL);
}
