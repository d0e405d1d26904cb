/* SPDX-License-Identifier: Apache-2.0 */
/* A line as its events come to the judge: alice writes, bob reads. Command numbers are 1000 above
 * sequences and chat numbers 500 above, so that no check can confuse them. */
#include "bench/audit.h"

#include "tests/spec.h"

#include <string.h>

static struct audit line;
static struct audit_verdict verdict;
static struct audit_letter open_letters[AUDIT_OPEN_MAX];

static void
line_begin(bool reads, bool fresh)
{
    struct audit_line judged = {.writer = "alice",
                                .reader = "bob",
                                .reads = reads,
                                .fresh = fresh,
                                .open = open_letters,
                                .open_max = AUDIT_OPEN_MAX};
    audit_init(&line, &verdict, &judged);
}
static unsigned ticks;
static uint64_t tick_due_ns;

static int
setup(void **state)
{
    (void)state;
    memset(&verdict, 0, sizeof verdict);
    line_begin(true, false);
    ticks = 0;
    return 0;
}

/* ----------------------------------------------------------------------------------- vocabulary */

static void
alice_writes(unsigned count)
{
    for (; count > 0; count--) {
        uint64_t sequence = audit_next(&line);
        audit_write(&line, 1000 + sequence, 7 * sequence);
    }
}

static bool
alice_is_answered(uint64_t sequence)
{
    uint64_t due_ns = 0;
    bool good = audit_answered(&line, sequence, 1000 + sequence, 500 + sequence, &due_ns);
    assert_true(!good || due_ns == 7 * sequence);
    return good;
}

static bool
bob_is_shown_as(uint64_t sequence, uint64_t chat_number)
{
    struct audit_shown shown = {.sequence = sequence,
                                .due_ns = 7 * sequence,
                                .id_number = 1000 + sequence,
                                .chat_number = chat_number,
                                .server_time_ms = 100000 + chat_number};
    return audit_shown(&line, &shown);
}

static bool
bob_is_shown(uint64_t sequence)
{
    return bob_is_shown_as(sequence, 500 + sequence);
}

static void
bob_stores_and_reads(void)
{
    audit_acknowledged(&line);
    audit_marked(&line);
}

static void
count_tick(void *context, uint64_t due_ns)
{
    assert_ptr_equal(context, &ticks);
    ticks++;
    tick_due_ns = due_ns;
}

static void
alice_sees(uint64_t delivered, uint64_t read)
{
    audit_ticked(&line, delivered == 0 ? 0 : 500 + delivered, read == 0 ? 0 : 500 + read,
                 count_tick, &ticks);
}

static void
goes_through(uint64_t sequence)
{
    alice_writes(1);
    assert_true(alice_is_answered(sequence));
    assert_true(bob_is_shown(sequence));
    bob_stores_and_reads();
    alice_sees(sequence, sequence);
}

static void
assert_broken_once(enum audit_promise promise)
{
    for (unsigned i = 0; i < AUDIT_PROMISES; i++) {
        assert_int_equal(verdict.counts[i], i == promise);
    }
    assert_int_equal(verdict.first, promise);
    assert_true(verdict.text[0] != '\0');
}

static void
assert_kept(void)
{
    assert_int_equal(audit_verdict_count(&verdict), 0);
    assert_string_equal(verdict.text, "");
}

/* ----------------------------------------------------------------------------------------- good */

static void
good_line(void **state)
{
    (void)state;
    alice_writes(3);
    for (uint64_t n = 1; n <= 3; n++) {
        assert_true(alice_is_answered(n));
        assert_true(bob_is_shown(n));
    }
    bob_stores_and_reads();
    alice_sees(2, 1);
    assert_int_equal(ticks, 2);
    assert_int_equal(tick_due_ns, 14);
    assert_false(audit_quiet(&line));
    alice_sees(3, 3);
    assert_int_equal(ticks, 3);
    assert_true(audit_quiet(&line));
    audit_rest(&line);
    assert_kept();
}

static void
shown_before_the_answer(void **state)
{
    (void)state;
    alice_writes(1);
    assert_true(bob_is_shown(1));
    bob_stores_and_reads();
    alice_sees(1, 1);
    assert_true(alice_is_answered(1));
    assert_true(audit_quiet(&line));
    assert_kept();
}

static void
without_reading(void **state)
{
    (void)state;
    line_begin(false, false);
    alice_writes(1);
    assert_true(alice_is_answered(1));
    assert_true(bob_is_shown(1));
    audit_acknowledged(&line);
    alice_sees(1, 0);
    assert_true(audit_quiet(&line));
    assert_kept();
}

static void
thousands(void **state)
{
    (void)state;
    for (uint64_t n = 1; n <= 5000; n++) {
        goes_through(n);
        assert_true(audit_quiet(&line));
    }
    assert_kept();
}

static void
has_a_bound(void **state)
{
    (void)state;
    alice_writes(AUDIT_OPEN_MAX);
    assert_false(audit_has_room(&line));
    assert_true(alice_is_answered(1));
    assert_true(bob_is_shown(1));
    bob_stores_and_reads();
    alice_sees(1, 1);
    assert_true(audit_has_room(&line));
}

static void
put_off(void **state)
{
    (void)state;
    alice_writes(3);
    audit_put_off(&line, 1);
    assert_true(bob_is_shown_as(2, 501));
    assert_true(bob_is_shown_as(3, 502));
    assert_true(bob_is_shown_as(1, 503));
    assert_kept();
}

static void
earlier_cursors(void **state)
{
    (void)state;
    audit_ticked(&line, 17, 16, count_tick, &ticks);
    alice_writes(1);
    assert_true(alice_is_answered(1));
    audit_ticked(&line, 18, 18, count_tick, &ticks);
    assert_int_equal(ticks, 0);
    assert_kept();
}

/* --------------------------------------------------------------------------------------- broken */

static void
lost_in_the_middle(void **state)
{
    (void)state;
    alice_writes(3);
    for (uint64_t n = 1; n <= 3; n++) {
        assert_true(alice_is_answered(n));
    }
    assert_true(bob_is_shown(1));
    assert_true(bob_is_shown(3));
    assert_kept(); /* it may still come too late, which is another matter */
    bob_stores_and_reads();
    alice_sees(3, 3);
    assert_broken_once(AUDIT_LOST);
    assert_string_equal(verdict.text, "alice > bob #2: ticked as delivered, and never shown");
    assert_true(audit_quiet(&line));
    audit_rest(&line);
    assert_broken_once(AUDIT_LOST);
}

static void
lost_at_the_end(void **state)
{
    (void)state;
    alice_writes(1);
    assert_true(alice_is_answered(1));
    audit_rest(&line);
    assert_broken_once(AUDIT_LOST);
}

static void
lost_before_its_answer(void **state)
{
    (void)state;
    alice_writes(2);
    assert_true(bob_is_shown(2));
    bob_stores_and_reads();
    alice_sees(2, 2);
    assert_true(alice_is_answered(1));
    assert_broken_once(AUDIT_LOST);
}

static void
twice(void **state)
{
    (void)state;
    alice_writes(1);
    assert_true(bob_is_shown(1));
    assert_false(bob_is_shown_as(1, 502));
    assert_broken_once(AUDIT_DUPLICATE);
    assert_string_equal(verdict.text, "alice > bob #1: shown twice");
}

static void
twice_and_late(void **state)
{
    (void)state;
    for (uint64_t n = 1; n <= 300; n++) {
        goes_through(n);
    }
    assert_false(bob_is_shown_as(1, 801));
    assert_broken_once(AUDIT_DUPLICATE);
}

static void
swapped(void **state)
{
    (void)state;
    alice_writes(2);
    assert_true(bob_is_shown_as(2, 501));
    assert_false(bob_is_shown_as(1, 502));
    assert_broken_once(AUDIT_ORDER);
    assert_string_equal(verdict.text, "alice > bob #1: shown after #2");
}

static void
chat_numbers_repeat(void **state)
{
    (void)state;
    alice_writes(2);
    assert_true(bob_is_shown_as(1, 501));
    assert_false(bob_is_shown_as(2, 501));
    assert_broken_once(AUDIT_ORDER);
}

static void
time_goes_back(void **state)
{
    (void)state;
    alice_writes(2);
    struct audit_shown shown = {1, 7, 1001, 501, 5000};
    assert_true(audit_shown(&line, &shown));
    shown = (struct audit_shown){2, 14, 1002, 502, 4999};
    assert_false(audit_shown(&line, &shown));
    assert_broken_once(AUDIT_ORDER);
}

static void
tick_before_it_was_shown(void **state)
{
    (void)state;
    alice_writes(1);
    assert_true(alice_is_answered(1));
    alice_sees(1, 0);
    assert_kept(); /* it may have been lost, which is another matter */
    assert_false(bob_is_shown(1));
    assert_broken_once(AUDIT_TICK_EARLY);
}

static void
tick_of_what_is_unknown(void **state)
{
    (void)state;
    alice_writes(2);
    assert_true(alice_is_answered(1));
    alice_sees(2, 0);
    assert_broken_once(AUDIT_TICK_EARLY);
}

static void
acknowledged_unseen(void **state)
{
    (void)state;
    goes_through(1);
    alice_writes(1);
    assert_true(alice_is_answered(2));
    alice_sees(2, 1); /* bob's inbox went on behind it, and so did his acknowledgement */
    assert_kept();
    alice_writes(1);
    assert_true(alice_is_answered(3));
    assert_true(bob_is_shown(3));
    bob_stores_and_reads();
    alice_sees(3, 3);
    assert_broken_once(AUDIT_LOST);
    assert_true(audit_quiet(&line));
}

static void
acknowledged_unseen_at_the_end(void **state)
{
    (void)state;
    alice_writes(1);
    assert_true(alice_is_answered(1));
    alice_sees(1, 0);
    audit_rest(&line);
    assert_broken_once(AUDIT_LOST);
}

static void
tick_before_it_was_acknowledged(void **state)
{
    (void)state;
    alice_writes(2);
    assert_true(bob_is_shown(1));
    audit_acknowledged(&line);
    assert_true(bob_is_shown(2));
    alice_sees(1, 0);
    assert_kept();
    alice_sees(2, 0);
    assert_broken_once(AUDIT_TICK_EARLY);
}

static void
read_before_it_was_marked(void **state)
{
    (void)state;
    alice_writes(1);
    assert_true(bob_is_shown(1));
    audit_acknowledged(&line);
    alice_sees(1, 1);
    assert_broken_once(AUDIT_TICK_EARLY);
}

static void
early_in_a_fresh_chat(void **state)
{
    (void)state;
    line_begin(true, true);
    alice_writes(1);
    audit_ticked(&line, 1, 0, count_tick, &ticks);
    assert_broken_once(AUDIT_TICK_EARLY);
}

static void
tick_goes_back(void **state)
{
    (void)state;
    goes_through(1);
    goes_through(2);
    alice_sees(1, 1);
    assert_broken_once(AUDIT_TICK_BACK);
    alice_sees(2, 2);
    assert_broken_once(AUDIT_TICK_BACK);
}

static void
read_goes_back(void **state)
{
    (void)state;
    goes_through(1);
    goes_through(2);
    alice_sees(2, 1);
    assert_broken_once(AUDIT_TICK_BACK);
}

static void
read_without_delivered(void **state)
{
    (void)state;
    alice_writes(1);
    assert_true(bob_is_shown(1));
    bob_stores_and_reads();
    alice_sees(0, 1);
    assert_broken_once(AUDIT_READ_AHEAD);
}

static void
never_ticked(void **state)
{
    (void)state;
    alice_writes(1);
    assert_true(alice_is_answered(1));
    assert_true(bob_is_shown(1));
    bob_stores_and_reads();
    audit_rest(&line);
    assert_broken_once(AUDIT_TICK_MISSING);
}

static void
never_ticked_as_read(void **state)
{
    (void)state;
    alice_writes(1);
    assert_true(alice_is_answered(1));
    assert_true(bob_is_shown(1));
    bob_stores_and_reads();
    alice_sees(1, 0);
    audit_rest(&line);
    assert_broken_once(AUDIT_TICK_MISSING);
}

static void
answered_twice(void **state)
{
    (void)state;
    alice_writes(1);
    assert_true(alice_is_answered(1));
    assert_false(alice_is_answered(1));
    assert_broken_once(AUDIT_ANSWERED_TWICE);
}

static void
answered_twice_and_late(void **state)
{
    (void)state;
    goes_through(1);
    goes_through(2);
    assert_false(alice_is_answered(1));
    assert_broken_once(AUDIT_ANSWERED_TWICE);
}

static void
never_answered(void **state)
{
    (void)state;
    alice_writes(1);
    audit_rest(&line);
    assert_broken_once(AUDIT_UNANSWERED);
}

static void
answered_and_never_written(void **state)
{
    (void)state;
    uint64_t due_ns = 0;
    alice_writes(1);
    assert_false(audit_answered(&line, 2, 1002, 502, &due_ns));
    assert_broken_once(AUDIT_NONSENSE);
}

static void
refused_for_good(void **state)
{
    (void)state;
    alice_writes(1);
    audit_refused(&line, 1, "no such user");
    assert_broken_once(AUDIT_REFUSED);
    assert_string_equal(verdict.text, "alice > bob #1: refused for good: no such user");
    assert_true(audit_quiet(&line));
}

static void
shown_and_never_written(void **state)
{
    (void)state;
    alice_writes(1);
    assert_false(bob_is_shown(2));
    assert_broken_once(AUDIT_CHANGED);
}

static void
another_id(void **state)
{
    (void)state;
    alice_writes(1);
    struct audit_shown shown = {1, 7, 1002, 501, 5000};
    assert_false(audit_shown(&line, &shown));
    assert_broken_once(AUDIT_IDENTITY);
}

static void
another_place(void **state)
{
    (void)state;
    alice_writes(1);
    assert_true(alice_is_answered(1));
    assert_false(bob_is_shown_as(1, 502));
    assert_broken_once(AUDIT_IDENTITY);
}

/* ------------------------------------------------------------------------------------- verdicts */

static void
verdicts_merge(void **state)
{
    (void)state;
    struct audit_verdict whole = {0};
    struct audit_verdict none = {0};
    audit_broken(&verdict, AUDIT_ORDER, "%s", "first");
    audit_broken(&verdict, AUDIT_LOST, "second");
    audit_verdict_merge(&whole, &none);
    audit_verdict_merge(&whole, &verdict);
    audit_verdict_merge(&whole, &verdict);
    assert_int_equal(audit_verdict_count(&whole), 4);
    assert_int_equal(whole.first, AUDIT_ORDER);
    assert_string_equal(whole.text, "first");
}

static void
all_have_names(void **state)
{
    (void)state;
    for (unsigned i = 0; i < AUDIT_PROMISES; i++) {
        assert_non_null(audit_promise_name((enum audit_promise)i));
        assert_non_null(audit_promise_text((enum audit_promise)i));
    }
}

#define CASE(title, function)                  \
    {                                          \
        (title), (function), setup, NULL, NULL \
    }

int
main(void)
{
    static const struct CMUnitTest specs[] = {
        CASE("a line on which all goes well breaks nothing and comes to rest", good_line),
        CASE("a message may be shown, and even ticked, before its answer", shown_before_the_answer),
        CASE("who does not read needs no read tick", without_reading),
        CASE("a line goes on for thousands of messages in the same memory", thousands),
        CASE("a line takes no more than its bound, and more when one is through", has_a_bound),
        CASE("what was put off may be shown after what was sent meanwhile", put_off),
        CASE("cursors of an earlier run are no early ticks", earlier_cursors),
        CASE("a message that was passed over and ticked is lost", lost_in_the_middle),
        CASE("a message that was sent and not shown when all is over is lost", lost_at_the_end),
        CASE("a lost message is seen though its answer comes after its tick",
             lost_before_its_answer),
        CASE("a message shown twice is a duplicate", twice),
        CASE("a message shown again long after it was through is a duplicate", twice_and_late),
        CASE("a message shown after a later one breaks the order", swapped),
        CASE("a number of the chat that comes again breaks the order", chat_numbers_repeat),
        CASE("a server's time that goes back breaks the order", time_goes_back),
        CASE("a message that is shown after its tick was ticked early", tick_before_it_was_shown),
        CASE("a tick of what was never sent is early", tick_of_what_is_unknown),
        CASE("a lost message that was acknowledged with what came behind it is lost, not early",
             acknowledged_unseen),
        CASE("the same when nothing comes after it", acknowledged_unseen_at_the_end),
        CASE("delivered before the reader acknowledged is early", tick_before_it_was_acknowledged),
        CASE("read before the reader marked it is early", read_before_it_was_marked),
        CASE("in a chat without history the very first tick can be early", early_in_a_fresh_chat),
        CASE("a delivered cursor that goes back is seen, once", tick_goes_back),
        CASE("a read cursor that goes back is seen", read_goes_back),
        CASE("read beyond delivered is seen", read_without_delivered),
        CASE("a message stored and never ticked misses its tick", never_ticked),
        CASE("a message read and never ticked as read misses its tick", never_ticked_as_read),
        CASE("a second answer is seen", answered_twice),
        CASE("a second answer long after the first is seen", answered_twice_and_late),
        CASE("a message without an answer when all is over is seen", never_answered),
        CASE("an answer to what was never written is nonsense", answered_and_never_written),
        CASE("a refusal for good is seen, and the line goes on", refused_for_good),
        CASE("a message that was never written is seen", shown_and_never_written),
        CASE("another id than the command's is seen", another_id),
        CASE("another number in the chat than the answer's is seen", another_place),
        CASE("verdicts add up, and the first case stays the first", verdicts_merge),
        CASE("every promise has a name and a sentence", all_have_names),
    };
    return cmocka_run_group_tests(specs, NULL, NULL);
}
