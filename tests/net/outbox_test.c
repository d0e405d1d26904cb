/* SPDX-License-Identifier: Apache-2.0 */
#include "net/outbox.h"

#include "tests/spec.h"

static void
keeps_order(void **state)
{
    (void)state;
    struct outbox outbox = {0};
    for (uint64_t number = 1; number <= 5; number++) {
        assert_non_null(outbox_push(&outbox, number * 10, 16));
    }
    outbox_remove(&outbox, outbox_find(&outbox, 10));
    outbox_remove(&outbox, outbox_find(&outbox, 30));
    outbox_remove(&outbox, outbox_find(&outbox, 50));
    assert_null(outbox_find(&outbox, 30));
    assert_null(outbox_find(&outbox, 55));
    assert_int_equal(outbox_count(&outbox), 2);
    assert_non_null(outbox_push(&outbox, 60, 0));
    assert_int_equal(outbox.first->number, 20);
    assert_int_equal(outbox.first->next->number, 40);
    assert_ptr_equal(outbox.first->next->next, outbox.last);
    assert_int_equal(outbox.last->number, 60);
    outbox_clear(&outbox);
    assert_int_equal(outbox_count(&outbox), 0);
    assert_null(outbox_queued(&outbox));
    assert_non_null(outbox_push(&outbox, 1, 1));
    outbox_remove(&outbox, outbox.first);
    assert_null(outbox.last);
    outbox_clear(&outbox);
}

static void
counts_states(void **state)
{
    (void)state;
    struct outbox outbox = {0};
    for (uint64_t number = 1; number <= 3; number++) {
        assert_non_null(outbox_push(&outbox, number, 0));
    }
    outbox_move(&outbox, outbox_queued(&outbox), OUTBOX_ON_WIRE);
    outbox_move(&outbox, outbox_queued(&outbox), OUTBOX_ON_WIRE);
    outbox_move(&outbox, outbox_find(&outbox, 1), OUTBOX_REFUSED);
    assert_int_equal(outbox_queued(&outbox)->number, 3);
    assert_int_equal(outbox.counts[OUTBOX_ON_WIRE], 1);
    outbox_move(&outbox, outbox_find(&outbox, 3), OUTBOX_ON_WIRE);
    assert_null(outbox_queued(&outbox));
    outbox_requeue(&outbox);
    assert_int_equal(outbox.counts[OUTBOX_QUEUED], 3);
    assert_int_equal(outbox_queued(&outbox)->number, 1);
    outbox_clear(&outbox);
}

static void
finds_the_one_that_is_queued(void **state)
{
    (void)state;
    for (uint64_t alone = 1; alone <= 3; alone++) {
        struct outbox outbox = {0};
        for (uint64_t number = 1; number <= 3; number++) {
            assert_non_null(outbox_push(&outbox, number, 0));
            outbox_move(&outbox, outbox.last, OUTBOX_ON_WIRE);
        }
        outbox_move(&outbox, outbox_find(&outbox, alone), OUTBOX_REFUSED);
        outbox_move(&outbox, outbox_find(&outbox, alone), OUTBOX_QUEUED);
        assert_int_equal(outbox_queued(&outbox)->number, alone);
        outbox_clear(&outbox);
    }
}

int
main(void)
{
    static const struct CMUnitTest specs[] = {
        SPEC("an outbox keeps its messages in order, whichever are answered first", keeps_order),
        SPEC("an outbox knows how many are in which state", counts_states),
        SPEC("the one that is queued is found wherever it stands", finds_the_one_that_is_queued),
    };
    return cmocka_run_group_tests(specs, NULL, NULL);
}
