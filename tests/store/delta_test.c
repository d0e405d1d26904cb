/* SPDX-License-Identifier: Apache-2.0 */
#include "store/delta.h"
#include "tests/spec.h"
#include "tests/store/chance.h"

#include <string.h>

static struct store_key
number_key(uint64_t number)
{
    return (struct store_key){.partition = 1, .table = 2, .owner = 3, .a = number};
}

static struct store_value
text(const char *characters)
{
    return (struct store_value){(const unsigned char *)characters, strlen(characters)};
}

static void
put(struct delta *delta, uint64_t number, const char *characters)
{
    struct store_key key = number_key(number);
    delta_put(delta, &key, text(characters));
}

static void
forget(struct delta *delta, uint64_t number)
{
    struct store_key key = number_key(number);
    delta_delete(delta, &key);
}

/* NULL: LMDB has none. */
static void
learn(struct delta *delta, uint64_t number, const char *characters)
{
    struct store_key key = number_key(number);
    struct store_value value = text(characters != NULL ? characters : "");
    delta_learn(delta, &key, characters != NULL ? &value : NULL);
}

static enum delta_found
found(const struct delta *delta, uint64_t number)
{
    struct store_key key = number_key(number);
    struct store_value value;
    return delta_get(delta, &key, &value);
}

static void
check_text(const struct delta *delta, uint64_t number, const char *characters)
{
    struct store_key key = number_key(number);
    struct store_value value;
    assert_int_equal(delta_get(delta, &key, &value), DELTA_PRESENT);
    assert_int_equal(value.count, strlen(characters));
    assert_memory_equal(value.bytes, characters, value.count);
}

/* What of a frozen table stays: those of its entries with the numbers that `keeps` says. */
static struct table *
kept_of(const struct table *folded, bool (*keeps)(uint64_t number))
{
    struct table *kept = table_new(1);
    struct table_cursor at;
    struct table_entry entry;
    table_seek(folded, &(struct store_key){0}, &at);
    for (; table_at(&at, &entry); table_next(&at)) {
        bool present = entry.state == TABLE_WRITTEN || entry.state == TABLE_FETCHED;
        if (keeps(entry.key.a)) {
            table_put(kept, &entry.key, present ? TABLE_FETCHED : TABLE_MISSING, entry.value);
        }
    }
    return kept;
}

static bool
even(uint64_t number)
{
    return number % 2 == 0;
}

static bool
any(uint64_t number)
{
    (void)number;
    return true;
}

/* Gives one back when it may be. */
static bool
retire_one(struct delta *delta)
{
    struct table *retired = delta_retire(delta);
    bool gone = retired != NULL;
    table_free(&retired);
    return gone;
}

/* A whole fold at once; gives the retired table back when it may be. */
static void
fold(struct delta *delta)
{
    (void)delta_freeze(delta, delta_folded_number(delta));
    delta_folded(delta, NULL);
    (void)retire_one(delta);
}

static int
setup(void **state)
{
    *state = delta_new(1);
    return 0;
}

static int
teardown(void **state)
{
    struct delta *delta = *state;
    delta_free(&delta);
    return delta == NULL ? 0 : -1;
}

/* -------------------------------------------------------------------------------------- lookups */

static void
knows_nothing_at_first(void **state)
{
    assert_int_equal(found(*state, 1), DELTA_UNKNOWN);
}

static void
finds_what_was_put_and_deleted(void **state)
{
    put(*state, 1, "one");
    check_text(*state, 1, "one");
    put(*state, 1, "");
    check_text(*state, 1, "");
    forget(*state, 1);
    assert_int_equal(found(*state, 1), DELTA_ABSENT);
    put(*state, 1, "again");
    check_text(*state, 1, "again");
}

static void
learns_what_lmdb_said(void **state)
{
    learn(*state, 1, "stored");
    learn(*state, 2, NULL);
    check_text(*state, 1, "stored");
    assert_int_equal(found(*state, 2), DELTA_ABSENT);
}

static void
never_learns_what_it_knows(void **state)
{
    put(*state, 1, "new");
    forget(*state, 2);
    learn(*state, 3, "first");
    learn(*state, 1, "old");
    learn(*state, 2, "old");
    learn(*state, 3, "second");
    check_text(*state, 1, "new");
    assert_int_equal(found(*state, 2), DELTA_ABSENT);
    check_text(*state, 3, "first");
}

static void
newer_generations_win(void **state)
{
    struct delta *delta = *state;
    put(delta, 1, "clean");
    put(delta, 2, "clean");
    put(delta, 3, "clean");
    fold(delta);
    put(delta, 2, "folding");
    forget(delta, 3);
    (void)delta_freeze(delta, 0);
    put(delta, 3, "live");
    check_text(delta, 1, "clean");
    check_text(delta, 2, "folding");
    check_text(delta, 3, "live");
    learn(delta, 1, "stale");
    learn(delta, 2, "stale");
    check_text(delta, 1, "clean");
    check_text(delta, 2, "folding");
}

static void
a_deletion_covers_older_values(void **state)
{
    struct delta *delta = *state;
    put(delta, 1, "old");
    fold(delta);
    forget(delta, 1);
    assert_int_equal(found(delta, 1), DELTA_ABSENT);
    (void)delta_freeze(delta, 0);
    assert_int_equal(found(delta, 1), DELTA_ABSENT);
}

/* ---------------------------------------------------------------------------------------- folds */

static void
the_frozen_table_stands_still(void **state)
{
    struct delta *delta = *state;
    put(delta, 1, "one");
    put(delta, 2, "two");
    learn(delta, 3, "three");
    const struct table *frozen = delta_freeze(delta, 0);
    assert_ptr_equal(delta_folding(delta), frozen);
    put(delta, 1, "uno");
    forget(delta, 2);
    put(delta, 4, "four");
    assert_int_equal(delta_drop(delta, &(struct store_range){number_key(4), number_key(9)}), 1);
    assert_int_equal(table_entries(frozen), 3);
    assert_int_equal(table_dirty_entries(frozen), 2);
    struct store_key key = number_key(1);
    struct table_entry entry;
    assert_true(table_get(frozen, &key, &entry));
    assert_memory_equal(entry.value.bytes, "one", 3);
}

static void
a_failed_fold_is_tried_with_the_same_table(void **state)
{
    struct delta *delta = *state;
    put(delta, 1, "one");
    const struct table *frozen = delta_freeze(delta, 0);
    assert_false(delta_freezable(delta));
    assert_ptr_equal(delta_folding(delta), frozen);
    put(delta, 2, "two");
    delta_folded(delta, NULL);
    assert_null(delta_folding(delta));
    check_text(delta, 1, "one");
    check_text(delta, 2, "two");
}

static void
what_was_folded_is_cached_for_one_more_fold(void **state)
{
    struct delta *delta = *state;
    put(delta, 1, "one");
    fold(delta);
    check_text(delta, 1, "one");
    (void)delta_freeze(delta, 0);
    check_text(delta, 1, "one");
    delta_folded(delta, NULL);
    struct table *retired = delta_retire(delta);
    assert_non_null(retired);
    table_free(&retired);
    assert_int_equal(found(delta, 1), DELTA_UNKNOWN);
}

static void
what_is_not_kept_of_a_fold_goes_with_it(void **state)
{
    struct delta *delta = *state;
    put(delta, 1, "one");
    put(delta, 2, "two");
    learn(delta, 4, NULL);
    struct table *kept = kept_of(delta_freeze(delta, 0), even);
    put(delta, 6, "six");
    delta_folded(delta, kept);
    check_text(delta, 1, "one"); /* until nobody may look into it any more */
    assert_true(retire_one(delta));
    assert_false(retire_one(delta)); /* nothing had been clean before */
    assert_true(delta_freezable(delta));
    assert_int_equal(found(delta, 1), DELTA_UNKNOWN);
    check_text(delta, 2, "two");
    assert_int_equal(found(delta, 4), DELTA_ABSENT);
    check_text(delta, 6, "six");
}

static void
what_was_kept_retires_with_what_is_folded_next(void **state)
{
    struct delta *delta = *state;
    struct store_key two = number_key(2);
    put(delta, 1, "older");
    put(delta, 2, "two");
    delta_folded(delta, kept_of(delta_freeze(delta, 0), any));
    assert_true(retire_one(delta));
    put(delta, 1, "newer");
    uint64_t ticket = delta_enter(delta);
    delta_folded(delta, kept_of(delta_freeze(delta, 0), even));
    assert_false(retire_one(delta));
    check_text(delta, 1, "newer");
    check_text(delta, 2, "two");
    assert_true(delta_know(delta, &two)); /* brought over from the older of the two */
    delta_leave(delta, ticket);
    assert_true(retire_one(delta));
    check_text(delta, 1, "newer"); /* the older one goes first */
    assert_false(delta_freezable(delta));
    assert_true(retire_one(delta));
    assert_true(delta_freezable(delta));
    assert_int_equal(found(delta, 1), DELTA_UNKNOWN);
    check_text(delta, 2, "two");
}

static void
the_folded_number_follows_completed_folds(void **state)
{
    struct delta *delta = *state;
    assert_int_equal(delta_folded_number(delta), 0);
    delta_set_folded_number(delta, 10);
    (void)delta_freeze(delta, 17);
    assert_int_equal(delta_folded_number(delta), 10);
    delta_folded(delta, NULL);
    assert_int_equal(delta_folded_number(delta), 17);
}

/* -------------------------------------------------------------------------------------- tickets */

static void
a_ticket_keeps_what_is_known(void **state)
{
    struct delta *delta = *state;
    learn(delta, 1, "one");
    fold(delta);
    uint64_t ticket = delta_enter(delta);
    check_text(delta, 1, "one"); /* prefetched: it is here */
    (void)delta_freeze(delta, 0);
    delta_folded(delta, NULL);
    assert_null(delta_retire(delta));
    check_text(delta, 1, "one"); /* applied: it still is */
    assert_false(delta_freezable(delta));
    delta_leave(delta, ticket);
    struct table *retired = delta_retire(delta);
    assert_non_null(retired);
    table_free(&retired);
    assert_true(delta_freezable(delta));
    assert_int_equal(found(delta, 1), DELTA_UNKNOWN);
}

static void
later_tickets_hold_nothing_back(void **state)
{
    struct delta *delta = *state;
    put(delta, 1, "one");
    fold(delta);
    (void)delta_freeze(delta, 0);
    delta_folded(delta, NULL);
    uint64_t ticket = delta_enter(delta);
    struct table *retired = delta_retire(delta);
    assert_non_null(retired);
    table_free(&retired);
    assert_true(delta_freezable(delta));
    delta_leave(delta, ticket);
}

static void
what_the_retired_table_knows_is_brought_over(void **state)
{
    struct delta *delta = *state;
    struct store_key one = number_key(1);
    struct store_key two = number_key(2);
    struct store_key three = number_key(3);
    learn(delta, 1, "one");
    learn(delta, 2, NULL);
    fold(delta);
    (void)delta_freeze(delta, 0);
    delta_folded(delta, NULL);
    uint64_t ticket = delta_enter(delta); /* too late to hold the retired table back */
    assert_true(delta_know(delta, &one));
    assert_true(delta_know(delta, &two));
    assert_false(delta_know(delta, &three));
    struct table *retired = delta_retire(delta);
    assert_non_null(retired);
    table_free(&retired);
    check_text(delta, 1, "one");
    assert_int_equal(found(delta, 2), DELTA_ABSENT);
    const struct table *frozen = delta_freeze(delta, 0);
    assert_int_equal(table_dirty_entries(frozen), 0); /* LMDB has it already */
    delta_folded(delta, NULL);
    delta_leave(delta, ticket);
    retired = delta_retire(delta);
    table_free(&retired);
}

static void
tickets_from_before_the_first_fold_count(void **state)
{
    struct delta *delta = *state;
    uint64_t ticket = delta_enter(delta); /* a worker begins to read LMDB: 1 has no value there */
    put(delta, 1, "newer");
    (void)delta_freeze(delta, 0);
    delta_folded(delta, NULL);
    assert_null(delta_retire(delta)); /* nothing has retired, and yet */
    assert_false(delta_freezable(delta));
    learn(delta, 1, NULL); /* the answer comes late */
    check_text(delta, 1, "newer");
    delta_leave(delta, ticket);
    assert_true(delta_freezable(delta));
}

static void
a_ticket_is_handed_on_with_what_was_read_under_it(void **state)
{
    struct delta *delta = *state;
    put(delta, 1, "one");
    put(delta, 2, "two");
    struct table *kept = kept_of(delta_freeze(delta, 0), even);
    uint64_t reader = delta_enter(delta); /* LMDB has neither yet, and so it reads */
    delta_folded(delta, kept);
    uint64_t asker = delta_enter_with(delta, reader);
    delta_leave(delta, reader);
    assert_false(retire_one(delta));
    check_text(delta, 1, "one");
    delta_leave(delta, asker);
    assert_true(retire_one(delta));
    assert_int_equal(found(delta, 1), DELTA_UNKNOWN);
}

static void
many_tickets_of_two_eras(void **state)
{
    struct delta *delta = *state;
    put(delta, 1, "one");
    fold(delta);
    uint64_t before[3] = {delta_enter(delta), delta_enter(delta), delta_enter(delta)};
    (void)delta_freeze(delta, 0);
    delta_folded(delta, NULL);
    uint64_t after = delta_enter(delta);
    for (unsigned i = 0; i < 3; i++) {
        assert_null(delta_retire(delta));
        delta_leave(delta, before[i]);
    }
    struct table *retired = delta_retire(delta);
    assert_non_null(retired);
    table_free(&retired);
    delta_leave(delta, after);
}

/* ------------------------------------------------------------------------------------- dropping */

static void
dropped_entries_never_reach_a_fold(void **state)
{
    struct delta *delta = *state;
    for (uint64_t i = 1; i <= 100; i++) {
        put(delta, i, "message");
    }
    assert_int_equal(delta_drop(delta, &(struct store_range){number_key(0), number_key(60)}), 60);
    assert_int_equal(found(delta, 60), DELTA_UNKNOWN);
    check_text(delta, 61, "message");
    assert_int_equal(table_dirty_entries(delta_freeze(delta, 0)), 40);
}

static void
dropping_spares_all_but_live_puts(void **state)
{
    struct delta *delta = *state;
    put(delta, 1, "folded");
    fold(delta);
    put(delta, 2, "folding");
    (void)delta_freeze(delta, 0);
    put(delta, 3, "live");
    forget(delta, 4);
    learn(delta, 5, "fetched");
    learn(delta, 6, NULL);
    put(delta, 7, "above");
    assert_int_equal(delta_drop(delta, &(struct store_range){number_key(0), number_key(6)}), 1);
    check_text(delta, 1, "folded");
    check_text(delta, 2, "folding");
    assert_int_equal(found(delta, 3), DELTA_UNKNOWN);
    assert_int_equal(found(delta, 4), DELTA_ABSENT);
    check_text(delta, 5, "fetched");
    assert_int_equal(found(delta, 6), DELTA_ABSENT);
    check_text(delta, 7, "above");
}

/* --------------------------------------------------------------------------------------- ranges */

static void
a_range_merges_all_generations(void **state)
{
    struct delta *delta = *state;
    put(delta, 1, "retired");
    put(delta, 2, "retired");
    fold(delta);
    uint64_t ticket = delta_enter(delta);
    put(delta, 2, "clean");
    put(delta, 3, "clean");
    (void)delta_freeze(delta, 0);
    delta_folded(delta, NULL);
    assert_null(delta_retire(delta));
    put(delta, 3, "live");
    forget(delta, 4);
    learn(delta, 5, NULL);
    put(delta, 9, "outside");
    static const char *const expected[] = {"retired", "clean", "live", NULL, NULL};
    struct delta_range each;
    delta_range_start(delta, &(struct store_range){number_key(1), number_key(8)}, &each);
    struct store_key key;
    enum delta_found what;
    struct store_value value;
    for (uint64_t i = 0; i < 5; i++) {
        assert_true(delta_range_next(&each, &key, &what, &value));
        assert_int_equal(key.a, i + 1);
        assert_int_equal(what, expected[i] != NULL ? DELTA_PRESENT : DELTA_ABSENT);
        assert_int_equal(value.count, expected[i] != NULL ? strlen(expected[i]) : 0);
    }
    assert_false(delta_range_next(&each, &key, &what, &value));
    delta_leave(delta, ticket);
}

/* What a delta and LMDB together must say, number by number. */
enum { NUMBERS = 40 };
struct truth {
    bool present[NUMBERS];
    unsigned char mark[NUMBERS];
};

/* Lookup as a partition does it: the delta first, then what LMDB (as of some snapshot) says. */
static void
check_truth(const struct delta *delta, const struct truth *truth, const struct truth *lmdb)
{
    for (uint64_t i = 0; i < NUMBERS; i++) {
        struct store_key key = number_key(i);
        struct store_value value;
        enum delta_found what = delta_get(delta, &key, &value);
        if (what == DELTA_UNKNOWN) {
            assert_int_equal(lmdb->present[i], truth->present[i]);
            assert_true(!truth->present[i] || lmdb->mark[i] == truth->mark[i]);
            continue;
        }
        assert_int_equal(what, truth->present[i] ? DELTA_PRESENT : DELTA_ABSENT);
        assert_true(!truth->present[i] || value.bytes[0] == truth->mark[i]);
    }
}

/* All of it stays, or half. */
static void
fold_by_chance(struct delta *delta, struct chance *chance)
{
    const struct table *folded = delta_folding(delta);
    delta_folded(delta, chance_below(chance, 2) > 0 ? kept_of(folded, even) : NULL);
}

/* A random life with one slow reader: whatever happens between its snapshot and its answer, nothing
 * stale is learned. */
static void
live(uint64_t seed)
{
    struct chance chance = {seed};
    struct delta *delta = delta_new(1);
    struct truth now = {0};
    struct truth frozen = {0};
    struct truth lmdb = {0};
    struct truth snapshot = {0};
    bool reading = false;
    uint64_t ticket = 0;
    for (unsigned step = 0; step < 20000; step++) {
        uint64_t i = chance_below(&chance, NUMBERS);
        struct store_key key = number_key(i);
        unsigned char mark = (unsigned char)chance_next(&chance);
        switch (chance_below(&chance, 8)) {
        case 0:
        case 1:
            delta_put(delta, &key, (struct store_value){&mark, 1});
            now.present[i] = true;
            now.mark[i] = mark;
            break;
        case 2:
            delta_delete(delta, &key);
            now.present[i] = false;
            break;
        case 3:
            if (delta_freezable(delta)) {
                (void)delta_freeze(delta, 0);
                frozen = now;
            }
            break;
        case 4:
            if (delta_folding(delta) != NULL) {
                fold_by_chance(delta, &chance);
                lmdb = frozen;
            }
            break;
        case 5:
            if (!reading) {
                ticket = delta_enter(delta);
                snapshot = lmdb;
                reading = true;
            }
            break;
        case 6:
            if (reading) {
                struct store_value value = {&snapshot.mark[i], 1};
                delta_learn(delta, &key, snapshot.present[i] ? &value : NULL);
            }
            break;
        default:
            if (reading) {
                delta_leave(delta, ticket);
                reading = false;
            }
            break;
        }
        (void)retire_one(delta);
        check_truth(delta, &now, &lmdb);
    }
    delta_free(&delta);
}

static void
never_learns_anything_stale(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 10; seed++) {
        live(seed);
    }
}

static void
counts_what_it_holds(void **state)
{
    struct delta *delta = *state;
    struct delta_size size;
    put(delta, 1, "one");
    put(delta, 2, "two");
    (void)delta_freeze(delta, 0);
    put(delta, 3, "three");
    forget(delta, 4);
    learn(delta, 5, NULL);
    delta_size(delta, &size);
    assert_int_equal(size.entries, 5);
    assert_int_equal(size.live_entries, 3);
    assert_int_equal(size.dirty_entries, 2);
    assert_int_equal(size.folding_entries, 2);
    assert_true(size.bytes == size.live_bytes + size.folding_bytes);
    delta_folded(delta, NULL);
    delta_size(delta, &size);
    assert_int_equal(size.entries, 5);
    assert_int_equal(size.folding_entries, 0);
}

#define DELTA_SPEC(title, function)                \
    {                                              \
        (title), (function), setup, teardown, NULL \
    }

int
main(void)
{
    static const struct CMUnitTest specs[] = {
        DELTA_SPEC("an empty delta knows nothing", knows_nothing_at_first),
        DELTA_SPEC("what was put is found, what was deleted is absent",
                   finds_what_was_put_and_deleted),
        DELTA_SPEC("what LMDB said is remembered, also that it had nothing", learns_what_lmdb_said),
        DELTA_SPEC("what is known is not learned again", never_learns_what_it_knows),
        DELTA_SPEC("the newest generation that knows a key wins", newer_generations_win),
        DELTA_SPEC("a deletion covers the values of older generations",
                   a_deletion_covers_older_values),
        DELTA_SPEC("a frozen table stands still whatever happens to live",
                   the_frozen_table_stands_still),
        DELTA_SPEC("a fold that failed is tried again with the same table",
                   a_failed_fold_is_tried_with_the_same_table),
        DELTA_SPEC("what was folded stays as a cache for the time of one more fold",
                   what_was_folded_is_cached_for_one_more_fold),
        DELTA_SPEC("what is not kept of a fold goes as soon as nobody may look into it",
                   what_is_not_kept_of_a_fold_goes_with_it),
        DELTA_SPEC("what was kept of a fold retires together with what is folded next",
                   what_was_kept_retires_with_what_is_folded_next),
        DELTA_SPEC("the folded number is the one given at the last freeze that was folded",
                   the_folded_number_follows_completed_folds),
        DELTA_SPEC("while a ticket is held, what was known stays known",
                   a_ticket_keeps_what_is_known),
        DELTA_SPEC("a ticket can be handed on with what was read under it",
                   a_ticket_is_handed_on_with_what_was_read_under_it),
        DELTA_SPEC("tickets taken after a fold do not hold its retired table back",
                   later_tickets_hold_nothing_back),
        DELTA_SPEC("what only the retired table knows is brought over for new tickets",
                   what_the_retired_table_knows_is_brought_over),
        DELTA_SPEC("a ticket from before the first fold holds back the second",
                   tickets_from_before_the_first_fold_count),
        DELTA_SPEC("a table retires when the last ticket from before is left",
                   many_tickets_of_two_eras),
        DELTA_SPEC("entries dropped from live never reach a fold",
                   dropped_entries_never_reach_a_fold),
        DELTA_SPEC("dropping spares what is folding, folded, fetched, deleted or outside the range",
                   dropping_spares_all_but_live_puts),
        DELTA_SPEC("a range merges all generations in order, the newest winning",
                   a_range_merges_all_generations),
        DELTA_SPEC("an answer of LMDB that comes late never covers something newer",
                   never_learns_anything_stale),
        DELTA_SPEC("entries and bytes are counted by generation", counts_what_it_holds),
    };
    return cmocka_run_group_tests(specs, NULL, NULL);
}
