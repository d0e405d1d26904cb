/* SPDX-License-Identifier: Apache-2.0 */
#include "store/state.h"
#include "tests/store/world_spec.h"

#include <errno.h>
#include <string.h>

static struct world_plan plan = {
    .seed = 12, .limits = {.inbox_entries_max = 3, .inbox_bytes_max = 1 << 20, .devices_max = 3}};

static struct store_entry entries[WORLD_PAGE_MAX];
static char value[WORLD_STATE_MAX];

/* The only entry of an inbox tells of this state; NULL: that it is gone. */
static void
expect_entry(const struct store_entry *entry, uint8_t kind, uint64_t subject, const char *text)
{
    assert_int_equal(entry->kind, STORE_ENTRY_STATE);
    assert_int_equal(entry->peer, subject);
    assert_int_equal(entry->state.kind, kind);
    assert_int_equal(entry->state.removed, text == NULL);
    assert_int_equal(entry->state.value_bytes, text == NULL ? 0 : strlen(text));
    if (text != NULL) {
        assert_memory_equal(entry->state.value, text, strlen(text));
    }
}

static void
keeps_and_tells(void **state)
{
    struct world *world = *state;
    uint64_t alice = world_user(world, "alice", 2);
    assert_int_equal(world_state(world, alice, STORE_STATE_DRAFT, 77, "hel").error, 0);
    assert_int_equal(world_effects(world)->count, 1);
    assert_int_equal(world_effects(world)->items[0].kind, EFFECT_PUSH);
    assert_true(world_state_get(world, alice, STORE_STATE_DRAFT, 77, value));
    assert_string_equal(value, "hel");
    assert_int_equal(world_inbox(world, alice, 0, entries), 1);
    expect_entry(&entries[0], STORE_STATE_DRAFT, 77, "hel");
    assert_false(world_state_get(world, alice, STORE_STATE_DRAFT, 78, value));
    assert_false(world_state_get(world, alice, STORE_STATE_MUTED, 77, value));
}

static void
newest_alone(void **state)
{
    struct world *world = *state;
    uint64_t alice = world_user(world, "alice", 2);
    unsigned cell = world_partition(world, alice) % WORLD_CELLS;
    (void)world_state(world, alice, STORE_STATE_DRAFT, 77, "a");
    (void)world_state(world, alice, STORE_STATE_DRAFT, 78, "b");
    (void)world_state(world, alice, STORE_STATE_MUTED, 77, "c");
    (void)world_state(world, alice, STORE_STATE_DRAFT, 77, "d"); /* the old one is in memory */
    assert_int_equal(world_inbox(world, alice, 0, entries), 3);
    expect_entry(&entries[2], STORE_STATE_DRAFT, 77, "d");
    world_freeze(world, cell);
    (void)world_state(world, alice, STORE_STATE_DRAFT, 78, "e"); /* being folded */
    world_folded(world, cell);
    (void)world_state(world, alice, STORE_STATE_MUTED, 77, "f"); /* in LMDB */
    world_restart(world);
    assert_int_equal(world_inbox(world, alice, 0, entries), 3);
    expect_entry(&entries[0], STORE_STATE_DRAFT, 77, "d");
    expect_entry(&entries[1], STORE_STATE_DRAFT, 78, "e");
    expect_entry(&entries[2], STORE_STATE_MUTED, 77, "f");
}

static void
same_again(void **state)
{
    struct world *world = *state;
    uint64_t alice = world_user(world, "alice", 2);
    (void)world_state(world, alice, STORE_STATE_DRAFT, 77, "a");
    assert_int_equal(world_state(world, alice, STORE_STATE_DRAFT, 77, "a").error, 0);
    assert_int_equal(world_effects(world)->count, 0);
    assert_int_equal(world_state(world, alice, STORE_STATE_DRAFT, 78, NULL).error, 0);
    assert_int_equal(world_effects(world)->count, 0);
    assert_int_equal(world_inbox(world, alice, 0, entries), 1);
}

static void
one_device_hears_nothing(void **state)
{
    struct world *world = *state;
    uint64_t alice = world_user(world, "alice", 2);
    (void)world_state(world, alice, STORE_STATE_DRAFT, 77, "a");
    (void)world_device_revoke(world, alice, 2);
    (void)world_state(world, alice, STORE_STATE_DRAFT, 77, "b");
    assert_int_equal(world_inbox(world, alice, 0, entries), 1); /* the old one went, too */
    assert_int_equal(entries[0].kind, STORE_ENTRY_DEVICE);      /* that the other was revoked */
    assert_true(world_state_get(world, alice, STORE_STATE_DRAFT, 77, value));
    assert_string_equal(value, "b");
}

static void
removal_is_told(void **state)
{
    struct world *world = *state;
    uint64_t alice = world_user(world, "alice", 2);
    (void)world_state(world, alice, STORE_STATE_CONTACT, 77, "a");
    assert_int_equal(world_state(world, alice, STORE_STATE_CONTACT, 77, NULL).error, 0);
    assert_false(world_state_get(world, alice, STORE_STATE_CONTACT, 77, value));
    assert_int_equal(world_inbox(world, alice, 0, entries), 1);
    expect_entry(&entries[0], STORE_STATE_CONTACT, 77, NULL);
    (void)world_state(world, alice, STORE_STATE_CONTACT, 77, "b");
    assert_int_equal(world_inbox(world, alice, 0, entries), 2); /* gone, then there again */
    expect_entry(&entries[1], STORE_STATE_CONTACT, 77, "b");
}

/* That something is gone may be told again and again, so it takes room like a message. */
static void
removal_takes_room(void **state)
{
    struct world *world = *state;
    uint64_t alice = world_user(world, "alice", 2);
    for (unsigned i = 0; i < plan.limits.inbox_entries_max; i++) {
        (void)world_state(world, alice, STORE_STATE_CONTACT, 77, "a");
        assert_int_equal(world_state(world, alice, STORE_STATE_CONTACT, 77, NULL).error, 0);
    }
    assert_int_equal(world_state(world, alice, STORE_STATE_CONTACT, 77, "a").error, 0);
    assert_int_equal(world_state(world, alice, STORE_STATE_CONTACT, 77, NULL).error, -EDQUOT);
    assert_true(world_state_get(world, alice, STORE_STATE_CONTACT, 77, value));
    size_t count = world_inbox(world, alice, 0, entries);
    (void)world_ack(world, alice, 1, entries[count - 1].number);
    assert_int_equal(world_state(world, alice, STORE_STATE_CONTACT, 77, NULL).error, 0);
    struct result attached = world_device_attach(world, alice, 2);
    assert_int_equal(attached.resync, 1); /* the other one lost its place, and is told so */
}

static void
bounded(void **state)
{
    struct world *world = *state;
    uint64_t alice = world_user(world, "alice", 1);
    for (uint64_t i = 0; i < WORLD_STATES_MAX; i++) {
        assert_int_equal(world_state(world, alice, STORE_STATE_PINNED, 70 + i, "1").error, 0);
    }
    assert_int_equal(world_state(world, alice, STORE_STATE_PINNED, 90, "1").error, -E2BIG);
    assert_int_equal(world_state(world, alice, STORE_STATE_PINNED, 70, "22").error, 0);
    assert_int_equal(world_state(world, alice, STORE_STATE_PINNED, 71, NULL).error, 0);
    assert_int_equal(world_state(world, alice, STORE_STATE_PINNED, 90, "1").error, 0);
    const char *large = "0123456789012345678901234567890123456789012345678901234"; /* 55 */
    assert_int_equal(world_state(world, alice, STORE_STATE_PINNED, 70, large).error, 0);
    assert_int_equal(world_state(world, alice, STORE_STATE_PINNED, 72, "4444").error, -E2BIG);
    assert_int_equal(world_state(world, alice, STORE_STATE_PINNED, 72, "22").error, 0);
    assert_int_equal(world_state(world, alice, STORE_STATE_PINNED, 70, "1").error, 0);
    world_restart(world);
    assert_int_equal(world_state(world, alice, STORE_STATE_PINNED, 91, "1").error, -E2BIG);
}

/* Whether there is what a state is about is not looked at; it counts all the same. */
static void
counts_what_is_about_nobody(void **state)
{
    static const uint8_t kinds[] = {STORE_STATE_ARCHIVED, STORE_STATE_MUTED,   STORE_STATE_PINNED,
                                    STORE_STATE_DRAFT,    STORE_STATE_CONTACT, STORE_STATE_BLOCKED};
    enum { KINDS = sizeof kinds / sizeof kinds[0] };
    struct world *world = *state;
    uint64_t alice = world_user(world, "alice", 1);
    for (unsigned i = 0; i < WORLD_STATES_MAX; i++) {
        uint64_t subject = 90 + i;
        bool group = i % 2 == 1 && kinds[i % KINDS] <= STORE_STATE_DRAFT;
        subject |= group ? STORE_STATE_GROUP : 0;
        assert_int_equal(world_state(world, alice, kinds[i % KINDS], subject, "1").error, 0);
    }
    for (unsigned i = 0; i < KINDS; i++) {
        assert_int_equal(world_state(world, alice, kinds[i], 70, "1").error, -E2BIG);
    }
}

static void
nobodys(void **state)
{
    struct world *world = *state;
    uint64_t alice = world_user(world, "alice", 1);
    assert_int_equal(world_state(world, alice + 256, STORE_STATE_DRAFT, 7, "a").error, -ENOENT);
    (void)world_state(world, alice, STORE_STATE_DRAFT, 77, "a");
    (void)world_remove(world, alice);
    assert_int_equal(world_state(world, alice, STORE_STATE_DRAFT, 77, "a").error, -ENOENT);
}

static size_t
records_of(struct world *world, uint64_t user)
{
    struct table_cursor at;
    struct table_entry entry;
    size_t count = 0;
    table_seek(world_folded_table(world), &(struct store_key){0}, &at);
    for (; table_at(&at, &entry); table_next(&at)) {
        count += entry.key.owner == user;
    }
    return count;
}

static void
goes_with_its_user(void **state)
{
    struct world *world = *state;
    uint64_t alice = world_user(world, "alice", 2);
    unsigned cell = world_partition(world, alice) % WORLD_CELLS;
    (void)world_state(world, alice, STORE_STATE_DRAFT, 77, "a");
    (void)world_state(world, alice, STORE_STATE_BLOCKED, 78, "b");
    world_fold(world, cell);
    assert_true(records_of(world, alice) > 6);
    (void)world_state(world, alice, STORE_STATE_DRAFT, 79, "a");
    (void)world_remove(world, alice);
    world_fold(world, cell);
    assert_int_equal(records_of(world, alice), 2); /* USER and HEAD: the id is never given again */
}

static void
rules_are_told(void **state)
{
    struct world *world = *state;
    uint64_t alice = world_user(world, "alice", 1);
    (void)world_state(world, alice, STORE_STATE_CONTACT, 77, "a");
    assert_int_equal(world_effects(world)->count, 1);
    assert_int_equal(world_effects(world)->items[0].kind, EFFECT_RULES);
    assert_int_equal(world_effects(world)->items[0].number, 77);
    (void)world_state(world, alice, STORE_STATE_BLOCKED, 77, "a");
    assert_int_equal(world_effects(world)->items[0].kind, EFFECT_RULES);
    (void)world_state(world, alice, STORE_STATE_BLOCKED, 77, "a");
    assert_int_equal(world_effects(world)->count, 0); /* nothing changed */
    (void)world_state(world, alice, STORE_STATE_BLOCKED, 77, NULL);
    assert_int_equal(world_effects(world)->items[0].kind, EFFECT_RULES);
    (void)world_state(world, alice, STORE_STATE_DRAFT, 77, "a");
    assert_int_equal(world_effects(world)->count, 0);
    (void)world_state(world, alice, STORE_STATE_RULE + STORE_SEES_ONLINE, 0, NULL);
    assert_int_equal(world_effects(world)->count, 0); /* it was there for everyone */
}

/* Muting and blocking are noted in the chat, of whomever: what is set back leaves nothing. */
static void
leaves_no_chat(void **state)
{
    struct world *world = *state;
    static const uint8_t kinds[] = {STORE_STATE_MUTED, STORE_STATE_BLOCKED};
    uint64_t alice = world_user(world, "alice", 1);
    struct record_chat chat;
    for (unsigned i = 0; i < 2; i++) {
        (void)world_state(world, alice, kinds[i], 77, "a");
        (void)world_state(world, alice, kinds[i], 78, "a");
        (void)world_state(world, alice, kinds[i], 78, NULL);
        world_fold_out(world);
        (void)world_state(world, alice, kinds[i], 77, NULL);
        for (unsigned round = 0; round < 2; round++) {
            assert_false(world_chat(world, alice, 77, &chat));
            assert_false(world_chat(world, alice, 78, &chat));
            world_fold_out(world);
        }
    }
    uint64_t bob = world_user(world, "bob", 1);
    (void)world_send(world, bob, 1, 1, alice, "m");
    (void)world_state(world, alice, STORE_STATE_BLOCKED, bob, "a");
    (void)world_state(world, alice, STORE_STATE_BLOCKED, bob, NULL);
    assert_true(world_chat(world, alice, bob, &chat));
    assert_int_equal(chat.last, 1);
}

static void
a_late_retry_overwrites_nothing(void **state)
{
    struct world *world = *state;
    uint64_t alice = world_user(world, "alice", 1);
    assert_int_equal(world_state_as(world, alice, 7, STORE_STATE_DRAFT, 77, "old").error, 0);
    assert_int_equal(world_state_as(world, alice, 8, STORE_STATE_DRAFT, 77, "new").error, 0);
    world_fold_out(world);
    struct result again = world_state_as(world, alice, 7, STORE_STATE_DRAFT, 77, "old");
    assert_int_equal(again.error, 0);
    assert_true(again.duplicate);
    assert_int_equal(world_effects(world)->count, 0);
    assert_true(world_state_get(world, alice, STORE_STATE_DRAFT, 77, value));
    assert_string_equal(value, "new");
    /* So does one that changed nothing when it was accepted. */
    (void)world_state_as(world, alice, 9, STORE_STATE_DRAFT, 77, "new");
    (void)world_state_as(world, alice, 10, STORE_STATE_DRAFT, 77, NULL);
    assert_true(world_state_as(world, alice, 9, STORE_STATE_DRAFT, 77, "new").duplicate);
    assert_false(world_state_get(world, alice, STORE_STATE_DRAFT, 77, value));
    (void)world_state_as(world, alice, 100, STORE_STATE_DRAFT, 77, "x");
    assert_int_equal(world_state_as(world, alice, 11, STORE_STATE_DRAFT, 77, "y").error, -ESTALE);
}

static void
a_refusal_uses_no_number_up(void **state)
{
    struct world *world = *state;
    uint64_t alice = world_user(world, "alice", 1);
    for (uint64_t i = 1; i <= WORLD_STATES_MAX; i++) {
        assert_int_equal(world_state(world, alice, STORE_STATE_DRAFT, i, "x").error, 0);
    }
    assert_int_equal(world_state_as(world, alice, 1, STORE_STATE_DRAFT, 99, "x").error, -E2BIG);
    (void)world_state(world, alice, STORE_STATE_DRAFT, 1, NULL);
    assert_false(world_state_as(world, alice, 1, STORE_STATE_DRAFT, 99, "x").duplicate);
    assert_true(world_state_get(world, alice, STORE_STATE_DRAFT, 99, value));
}

int
main(void)
{
    static const struct CMUnitTest specs[] = {
        IN_A_WORLD("a state is kept, and told to the user's devices", keeps_and_tells),
        IN_A_WORLD("an inbox holds the newest of each state, be the old one in memory, being "
                   "folded, or in LMDB",
                   newest_alone),
        IN_A_WORLD("setting what is set and removing what is not there change nothing", same_again),
        IN_A_WORLD("a user with one device is told nothing, and nothing old either",
                   one_device_hears_nothing),
        IN_A_WORLD("that a state is gone is told", removal_is_told),
        IN_A_WORLD("and takes room as a message does: a device that stays away loses its place",
                   removal_takes_room),
        IN_A_WORLD("a user's states are bounded in number and bytes; what does not grow is taken",
                   bounded),
        IN_A_WORLD("so are those about chats and users that are not there, of each kind",
                   counts_what_is_about_nobody),
        IN_A_WORLD("states are set by users who exist", nobodys),
        IN_A_WORLD("what is muted or blocked, and set back, leaves no chat", leaves_no_chat),
        IN_A_WORLD("a late retry overwrites nothing newer", a_late_retry_overwrites_nothing),
        IN_A_WORLD("a change that is refused uses no number up", a_refusal_uses_no_number_up),
        IN_A_WORLD("a removed user's states are gone with the next fold", goes_with_its_user),
        IN_A_WORLD("who changes what others may see is told so, and nobody for the rest",
                   rules_are_told),
    };
    return cmocka_run_group_tests(specs, NULL, NULL);
}
