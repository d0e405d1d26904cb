/* SPDX-License-Identifier: Apache-2.0 */
/* A group as its events come to the judge: alice, bob and carol write and read. Command numbers are
 * 1000 above sequences and numbers of the group 500 above, so that no check can confuse them. */
#include "bench/forum.h"

#include "tests/spec.h"

#include <string.h>

enum { ALICE, BOB, CAROL, MEMBERS };

static struct forum forum;
static struct audit_verdict verdict;

static int
setup(void **state)
{
    static const char *const names[MEMBERS] = {"alice", "bob", "carol"};
    struct forum_group judged = {.names = names, .members = MEMBERS, .reads = true};
    (void)state;
    memset(&verdict, 0, sizeof verdict);
    forum_init(&forum, &verdict, &judged);
    return 0;
}

/* ----------------------------------------------------------------------------------- vocabulary */

static struct audit_shown
letter_of(uint64_t sequence)
{
    return (struct audit_shown){.sequence = sequence,
                                .due_ns = 7 * sequence,
                                .id_number = 1000 + sequence,
                                .chat_number = 500 + sequence};
}

static uint64_t
writes(uint32_t member)
{
    uint64_t sequence = forum_next(&forum);
    forum_write(&forum, member, 1000 + sequence, 7 * sequence);
    return sequence;
}

static bool
is_answered(uint32_t member, uint64_t sequence)
{
    struct audit_shown told = letter_of(sequence);
    uint64_t due_ns = 0;
    bool good = forum_answered(&forum, member, sequence, &told, &due_ns);
    assert_true(!good || due_ns == 7 * sequence);
    return good;
}

static bool
is_shown(uint32_t member, uint32_t writer, uint64_t sequence)
{
    struct audit_shown told = letter_of(sequence);
    return forum_shown(&forum, member, writer, &told);
}

static void
says_all(uint32_t member)
{
    forum_acknowledged(&forum, member);
    forum_marked(&forum, member);
}

/* Alice's first, which both others have and have read. */
static void
one_is_read(void)
{
    uint64_t one = writes(ALICE);
    assert_true(is_answered(ALICE, one));
    assert_true(is_shown(BOB, ALICE, one) && is_shown(CAROL, ALICE, one));
    says_all(BOB);
    says_all(CAROL);
}

static void
only(enum audit_promise promise)
{
    assert_int_equal(verdict.counts[promise], 1);
    assert_int_equal(audit_verdict_count(&verdict), 1);
}

/* ---------------------------------------------------------------------------------------- specs */

static void
is_through_when_its_writer_knows_that_all_have_read_it(void **state)
{
    (void)state;
    one_is_read();
    assert_int_equal(forum.all_shown, 1);
    forum_counted(&forum, ALICE, 501, 2, 1);
    forum_ticked(&forum, ALICE, 501, 0);
    assert_int_equal(forum.all_delivered, 1);
    assert_false(forum_quiet(&forum));
    forum_ticked(&forum, ALICE, 501, 501);
    assert_true(forum_quiet(&forum));
    assert_int_equal(forum_through(&forum), 1);
    forum_rest(&forum);
    assert_int_equal(audit_verdict_count(&verdict), 0);
}

/* Bob is away for long: what waits for him holds up nobody else, and the judge keeps count. */
static void
members_come_and_go(void **state)
{
    (void)state;
    for (unsigned i = 0; i < FORUM_OPEN_MAX; i++) {
        uint64_t sequence = writes(i % 2 == 0 ? ALICE : CAROL);
        assert_true(is_shown(i % 2 == 0 ? CAROL : ALICE, i % 2 == 0 ? ALICE : CAROL, sequence));
        assert_true(is_answered(i % 2 == 0 ? ALICE : CAROL, sequence));
        says_all(ALICE);
        says_all(CAROL);
    }
    assert_false(forum_has_room(&forum));
    for (uint64_t sequence = 1; sequence <= FORUM_OPEN_MAX; sequence++) {
        assert_true(is_shown(BOB, sequence % 2 == 1 ? ALICE : CAROL, sequence));
    }
    says_all(BOB);
    forum_ticked(&forum, ALICE, 500 + FORUM_OPEN_MAX, 500 + FORUM_OPEN_MAX);
    assert_int_equal(forum_through(&forum), 1); /* carol has not been told of hers */
    forum_ticked(&forum, CAROL, 500 + FORUM_OPEN_MAX, 500 + FORUM_OPEN_MAX);
    assert_true(forum_quiet(&forum));
    assert_int_equal(audit_verdict_count(&verdict), 0);
}

static void
what_is_not_shown_to_one_is_lost(void **state)
{
    (void)state;
    uint64_t one = writes(ALICE);
    assert_true(is_answered(ALICE, one) && is_shown(BOB, ALICE, one));
    forum_rest(&forum);
    only(AUDIT_LOST);
    assert_non_null(strstr(verdict.text, "carol"));
}

static void
what_is_shown_twice_is_a_duplicate_also_when_it_is_through(void **state)
{
    (void)state;
    one_is_read();
    assert_false(is_shown(BOB, ALICE, 1));
    only(AUDIT_DUPLICATE);
    forum_ticked(&forum, ALICE, 501, 501);
    assert_false(is_shown(BOB, ALICE, 1));
    assert_int_equal(verdict.counts[AUDIT_DUPLICATE], 2);
}

static void
all_are_shown_one_order(void **state)
{
    (void)state;
    uint64_t one = writes(ALICE);
    uint64_t two = writes(CAROL);
    assert_true(is_shown(BOB, CAROL, two));
    assert_false(is_shown(BOB, ALICE, one));
    only(AUDIT_ORDER);
}

static void
a_writers_letters_are_numbered_as_they_were_written(void **state)
{
    (void)state;
    uint64_t one = writes(ALICE);
    uint64_t two = writes(ALICE);
    struct audit_shown told = letter_of(one);
    uint64_t due_ns = 0;
    assert_true(is_answered(ALICE, two));
    told.chat_number = 503;
    assert_false(forum_answered(&forum, ALICE, one, &told, &due_ns));
    only(AUDIT_ORDER);
}

/* It was refused for now and said again, behind what was said meanwhile. */
static void
what_was_put_off_may_come_later(void **state)
{
    (void)state;
    uint64_t one = writes(ALICE);
    uint64_t two = writes(ALICE);
    struct audit_shown told = letter_of(one);
    uint64_t due_ns = 0;
    forum_put_off(&forum, one);
    assert_true(is_answered(ALICE, two));
    told.chat_number = 503;
    assert_true(forum_answered(&forum, ALICE, one, &told, &due_ns));
    assert_int_equal(audit_verdict_count(&verdict), 0);
}

static void
all_know_a_letter_by_one_number(void **state)
{
    (void)state;
    uint64_t one = writes(ALICE);
    struct audit_shown told = letter_of(one);
    assert_true(is_answered(ALICE, one));
    told.chat_number = 502;
    assert_false(forum_shown(&forum, BOB, ALICE, &told));
    only(AUDIT_IDENTITY);
}

static void
a_letter_is_of_whom_it_is(void **state)
{
    (void)state;
    uint64_t one = writes(ALICE);
    assert_false(is_shown(BOB, CAROL, one));
    assert_false(is_shown(BOB, FORUM_MEMBERS_MAX, one));
    assert_false(is_shown(BOB, ALICE, one + 1));
    assert_int_equal(verdict.counts[AUDIT_CHANGED], 3);
    assert_int_equal(audit_verdict_count(&verdict), 3);
}

static void
no_tick_is_early(void **state)
{
    (void)state;
    uint64_t one = writes(ALICE);
    assert_true(is_answered(ALICE, one));
    assert_true(is_shown(BOB, ALICE, one) && is_shown(CAROL, ALICE, one));
    forum_acknowledged(&forum, BOB);
    forum_counted(&forum, ALICE, 501, 1, 0);
    assert_int_equal(audit_verdict_count(&verdict), 0);
    forum_counted(&forum, ALICE, 501, 2, 0);
    only(AUDIT_TICK_EARLY);
    forum_ticked(&forum, ALICE, 501, 0);
    assert_int_equal(verdict.counts[AUDIT_TICK_EARLY], 2);
}

static void
no_tick_goes_back(void **state)
{
    (void)state;
    one_is_read();
    forum_ticked(&forum, ALICE, 501, 501);
    forum_ticked(&forum, ALICE, 501, 0);
    only(AUDIT_TICK_BACK);
}

static void
read_implies_delivered(void **state)
{
    (void)state;
    one_is_read();
    forum_counted(&forum, ALICE, 501, 1, 2);
    only(AUDIT_READ_AHEAD);
}

static void
a_tick_that_never_comes_is_missed(void **state)
{
    (void)state;
    one_is_read();
    forum_ticked(&forum, ALICE, 501, 0);
    forum_rest(&forum);
    only(AUDIT_TICK_MISSING);
}

static void
a_letter_is_answered_once(void **state)
{
    (void)state;
    uint64_t one = writes(ALICE);
    (void)writes(BOB);
    assert_true(is_answered(ALICE, one));
    assert_false(is_answered(ALICE, one));
    only(AUDIT_ANSWERED_TWICE);
    forum_rest(&forum); /* alice's was shown to nobody, bob's never answered */
    assert_int_equal(verdict.counts[AUDIT_UNANSWERED], 1);
}

static void
what_is_refused_is_told_and_holds_up_nothing(void **state)
{
    (void)state;
    uint64_t one = writes(ALICE);
    forum_refused(&forum, one, "no");
    only(AUDIT_REFUSED);
    assert_true(forum_quiet(&forum));
}

int
main(void)
{
#define JUDGES(title, function)                \
    {                                          \
        (title), (function), setup, NULL, NULL \
    }
    static const struct CMUnitTest specs[] = {
        JUDGES("a letter is through when its writer knows that all have read it",
               is_through_when_its_writer_knows_that_all_have_read_it),
        JUDGES("members come and go", members_come_and_go),
        JUDGES("what one member is never shown is lost, and he is named",
               what_is_not_shown_to_one_is_lost),
        JUDGES("what is shown twice is a duplicate, also when it is through",
               what_is_shown_twice_is_a_duplicate_also_when_it_is_through),
        JUDGES("all are shown one order", all_are_shown_one_order),
        JUDGES("a writer's letters are numbered in the order in which they were written",
               a_writers_letters_are_numbered_as_they_were_written),
        JUDGES("what was put off may come later", what_was_put_off_may_come_later),
        JUDGES("all know a letter by one number", all_know_a_letter_by_one_number),
        JUDGES("a letter is shown as of whom it is", a_letter_is_of_whom_it_is),
        JUDGES("no cursor and no count says more than members have said", no_tick_is_early),
        JUDGES("no cursor goes back", no_tick_goes_back),
        JUDGES("read implies delivered", read_implies_delivered),
        JUDGES("a tick that never comes is missed", a_tick_that_never_comes_is_missed),
        JUDGES("a letter is answered once", a_letter_is_answered_once),
        JUDGES("what is refused for good is told, and holds up nothing",
               what_is_refused_is_told_and_holds_up_nothing),
    };
    return cmocka_run_group_tests(specs, NULL, NULL);
}
