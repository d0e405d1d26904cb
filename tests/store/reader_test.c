/* SPDX-License-Identifier: Apache-2.0 */
/* Who reads LMDB: workers, or the scheduler itself. */
#include "store/cell.h"
#include "store/request.h"
#include "tests/spec.h"
#include "tests/store/hand.h"
#include "tests/store/rig.h"

#include <errno.h>

enum {
    NAMES = 2000,
    PATIENCE_MS = 60 * 1000,
    UNTIL_WARM = 256, /* reads, one by one */
    NEVER_WAITS = INT32_MAX,
    FOLDED_MS = 6 * CELL_LOOK_MS, /* cells fold, and rest */
};

static struct rig rig;

/* Each name is one read, of a cell that it hangs on. */
static void
look_for(struct rig *r, const char *prefix, int count)
{
    for (int i = 0; i < count; i++) {
        char name[32];
        uint64_t user;
        (void)snprintf(name, sizeof name, "%s%d", prefix, i);
        RIG_CHECK(r, hand_name_find(r->store, name, &user) == -ENOENT);
    }
}

static void
look_for_nobody(struct rig *r)
{
    look_for(r, "nobody", NAMES);
}

static void
open_cold(uint64_t seed, uint64_t page_wait_one_in)
{
    rig_open(&rig, seed);
    rig.options.reads_until_warm = UNTIL_WARM;
    rig.page_wait_one_in = page_wait_one_in;
}

/* Of a store in whose simulation one look in so many finds that the disk was waited for. */
static struct store_stats
play(uint64_t seed, uint64_t page_wait_one_in)
{
    struct store_stats stats;
    open_cold(seed, page_wait_one_in);
    rig_tell(&rig, look_for_nobody);
    assert_true(rig_run(&rig, PATIENCE_MS));
    store_stats_read(rig.store, &stats);
    rig_stop(&rig);
    rig_bury(&rig);
    rig_close(&rig);
    assert_string_equal(rig.wrong, "");
    assert_in_range(stats.fetches, NAMES, UINT64_MAX);
    return stats;
}

static void
reads_memory_itself(void **state)
{
    (void)state;
    struct store_stats stats = play(1, NEVER_WAITS);
    assert_in_range(stats.fetches_waited, UNTIL_WARM, stats.fetches - NAMES + UNTIL_WARM);
}

static void
leaves_a_disk_to_workers(void **state)
{
    (void)state;
    struct store_stats stats = play(1, 1);
    assert_int_equal(stats.fetches_waited, stats.fetches);
}

static void
goes_back_to_workers(void **state)
{
    (void)state;
    enum { SEEDS = 8, ONE_IN = 1000 };
    uint64_t waited = 0;
    uint64_t fetches = 0;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        struct store_stats stats = play(seed, ONE_IN);
        waited += stats.fetches_waited;
        fetches += stats.fetches;
    }
    assert_in_range(waited, (uint64_t)2 * SEEDS * UNTIL_WARM,
                    fetches - (uint64_t)SEEDS * UNTIL_WARM);
}

static uint64_t
waited(const struct rig *r)
{
    struct store_stats stats;
    store_stats_read(r->store, &stats);
    return stats.fetches_waited;
}

/* Of so many entries. How many reads a worker did for it. */
static uint64_t
page_waited(struct rig *r, uint64_t user, uint32_t entries)
{
    struct store_inbox inbox = {.user = user, .entries_max = entries};
    struct ln_msg *answer = NULL;
    uint64_t before = waited(r);
    RIG_CHECK(r, hand_inbox(r->store, &inbox, &answer) == 0);
    const struct store_page *page = (const struct store_page *)(const void *)answer->data;
    RIG_CHECK(r, page->count == entries);
    ln_msg_free(&answer);
    return waited(r) - before;
}

static void
page_story(struct rig *r)
{
    enum { FEW = 4, MANY = 200 };
    uint64_t alice;
    uint64_t bob;
    RIG_CHECK(r, hand_user_create(r->store, "alice", true, &alice) == 0);
    RIG_CHECK(r, hand_user_create(r->store, "bob", true, &bob) == 0);
    struct hand_message message = {.from = bob, .to = alice, .text = "hello"};
    for (message.number = 1; message.number <= MANY; message.number++) {
        RIG_CHECK(r, hand_message(r->store, &message, NULL) == 0);
    }
    (void)ln_sleep(FOLDED_MS);
    look_for_nobody(r);
    RIG_CHECK(r, page_waited(r, alice, FEW) == 0);
    RIG_CHECK(r, page_waited(r, alice, MANY) == 1);
}

static void
leaves_much_to_workers(void **state)
{
    (void)state;
    open_cold(1, NEVER_WAITS);
    rig_play(&rig, page_story);
    rig_close(&rig);
}

static void
rest_story(struct rig *r)
{
    look_for_nobody(r);
    uint64_t before = waited(r);
    look_for(r, "another", 1);
    RIG_CHECK(r, waited(r) == before);
    (void)ln_sleep(FOLDED_MS);
    before = waited(r); /* rounds read, too */
    look_for(r, "one more", 1);
    RIG_CHECK(r, waited(r) == before + 1);
}

static void
leaves_closed_files_to_workers(void **state)
{
    (void)state;
    open_cold(1, NEVER_WAITS);
    rig_play(&rig, rest_story);
    rig_close(&rig);
}

int
main(void)
{
    static const struct CMUnitTest specs[] = {
        SPEC("a scheduler reads the database itself when reads have long not waited for the disk",
             reads_memory_itself),
        SPEC("workers read where the disk is waited for", leaves_a_disk_to_workers),
        SPEC("what is much is read by a worker, however warm the page cache is",
             leaves_much_to_workers),
        SPEC("a cell at rest is opened by a worker", leaves_closed_files_to_workers),
        SPEC("after one read has waited for the disk workers read again", goes_back_to_workers),
    };
    return cmocka_run_group_tests(specs, NULL, NULL);
}
