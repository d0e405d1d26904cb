/* SPDX-License-Identifier: Apache-2.0 */
/* What is too long for one answer is read in pages, out of memory and out of LMDB. */
#include "tests/spec.h"
#include "tests/store/hand.h"
#include "tests/store/rig.h"

#include <stdio.h>

static struct rig rig;

static void
page_story(struct rig *r)
{
    enum { PAGED = 300 };
    uint64_t alice;
    uint64_t bob;
    uint64_t after = 0;
    uint64_t expected = 1;
    RIG_CHECK(r, hand_user_create(r->store, "alice", true, &alice) == 0);
    RIG_CHECK(r, hand_user_create(r->store, "bob", true, &bob) == 0);
    for (uint64_t i = 1; i <= PAGED; i++) {
        struct hand_message hello = {.from = alice, .to = bob, .number = i, .text = "0123456789"};
        RIG_CHECK(r, hand_message(r->store, &hello, NULL) == 0);
    }
    bool more = true;
    while (more) {
        struct store_inbox inbox = {.user = bob, .after = after, .entries_max = 70};
        struct ln_msg *answer = NULL;
        struct store_entry entry;
        size_t at = 0;
        if (hand_inbox(r->store, &inbox, &answer) != 0 || answer->buffer == NULL) {
            rig_wrong(r, "no page after %llu", (unsigned long long)after);
            return;
        }
        const struct store_page *page = (const struct store_page *)(const void *)answer->data;
        RIG_CHECK(r, page->count <= 70);
        while (entry_next(ln_buffer_data(answer->buffer), ln_buffer_bytes(answer->buffer), &at,
                          &entry)) {
            RIG_CHECK(r, entry.message.chat_number == expected);
            expected++;
            after = entry.number;
        }
        more = page->more;
        ln_msg_free(&answer);
    }
    RIG_CHECK(r, expected == PAGED + 1);
    struct store_inbox tiny = {.user = bob, .bytes_max = 1};
    struct ln_msg *answer = NULL;
    RIG_CHECK(r, hand_inbox(r->store, &tiny, &answer) == 0);
    const struct store_page *page = (const struct store_page *)(const void *)answer->data;
    RIG_CHECK(r, page->count == 1 && page->more); /* one at least */
    ln_msg_free(&answer);
    struct store_stats stats;
    store_stats_read(r->store, &stats);
    RIG_CHECK(r, stats.folds > 0); /* so some of it came from LMDB */
    RIG_CHECK(r, stats.merged_bytes > 0 && stats.merges_failed == 0); /* and was merged there */
    RIG_CHECK(r, hand_ack(r->store, bob, 1, after) == 0);
    struct store_user user;
    RIG_CHECK(r, hand_user_get(r->store, bob, &user) == 0 && user.inbox_entries == 0);
}

static void
pages_through_folds(void **state)
{
    (void)state;
    for (uint64_t seed = 10; seed < 14; seed++) {
        rig_open(&rig, seed);
        rig.options.replay_commands_max = 60;
        rig.options.cells = 1;
        rig_play(&rig, page_story);
        rig_close(&rig);
    }
}

static void
list_story(struct rig *r)
{
    enum { USERS = 40 };
    uint64_t ids[USERS];
    uint64_t seen = 0;
    for (unsigned i = 0; i < USERS; i++) {
        char name[16];
        (void)snprintf(name, sizeof(name), "user%u", i);
        RIG_CHECK(r, hand_user_create(r->store, name, i % 2 == 0, &ids[i]) == 0);
        if (i > 0) {
            struct hand_message hello = {.from = ids[i], .to = ids[0], .number = 1, .text = "hi"};
            RIG_CHECK(r, hand_message(r->store, &hello, NULL) == 0);
        }
    }
    RIG_CHECK(r, hand_user_remove(r->store, ids[5]) == 0);
    for (unsigned p = 0; p < 256; p++) {
        struct store_rows rows = {.more = true};
        uint64_t after = 0;
        while (rows.more) {
            struct store_user users[2];
            if (hand_user_list(r->store, (uint8_t)p, after, 2, users, &rows) != 0) {
                rig_wrong(r, "partition %u does not list its users", p);
                return;
            }
            for (unsigned i = 0; i < rows.count; i++) {
                RIG_CHECK(r, users[i].user > after && users[i].user != ids[5]);
                RIG_CHECK(r, users[i].inbox_entries == (users[i].user == ids[0] ? USERS - 1 : 0));
                after = users[i].user;
                seen++;
            }
        }
    }
    RIG_CHECK(r, seen == USERS - 1);
    struct store_rows rows = {.more = true};
    uint64_t after = 0;
    seen = 0;
    while (rows.more) {
        struct store_chat chats[7];
        RIG_CHECK(r, hand_chats(r->store, ids[0], after, 7, chats, &rows) == 0);
        for (unsigned i = 0; i < rows.count; i++) {
            RIG_CHECK(r, chats[i].peer > after && chats[i].last == 1 && chats[i].delivered == 0);
            after = chats[i].peer;
            seen++;
        }
    }
    RIG_CHECK(r, seen == USERS - 1);
}

static void
lists(void **state)
{
    (void)state;
    for (uint64_t seed = 20; seed < 23; seed++) {
        rig_open(&rig, seed);
        rig.options.replay_commands_max = 30;
        rig_play(&rig, list_story);
        rig_close(&rig);
    }
}

int
main(void)
{
    static const struct CMUnitTest specs[] = {
        SPEC("an inbox is read in pages, out of memory and out of LMDB, where it is merged",
             pages_through_folds),
        SPEC("users and chats are listed in pages", lists),
    };
    return cmocka_run_group_tests(specs, NULL, NULL);
}
