/* SPDX-License-Identifier: Apache-2.0 */
#include "bench/answers.h"

#include "tests/spec.h"

#include <string.h>

enum { READERS = 2, ANNA = 0, BERT = 1, COMMAND_FIRST = 700, DUE_NS = 5000 };

static const struct user writer = {.name = "wren"};
static const struct user readers[READERS] = {{.name = "anna"}, {.name = "bert"}};

/* A writer whose letters are told by their order: the first is 1, and command 701. */
struct desk {
    struct answers_line lines[READERS];
    struct audit_verdict verdict;
    struct answers answers;
    uint64_t refs[100];
    unsigned written;
};

static void
open_desk(struct desk *desk, bool fresh)
{
    *desk = (struct desk){0};
    struct answers_shape shape = {&writer, readers, desk->lines, READERS, fresh};
    answers_init(&desk->answers, &desk->verdict, &shape);
}

static void
writes(struct desk *desk, uint32_t reader)
{
    desk->written++;
    desk->refs[desk->written] = answers_begin(&desk->answers, reader)->ref;
    answers_wrote(&desk->answers, COMMAND_FIRST + desk->written, DUE_NS + desk->written);
}

/* So many letters to one reader, none answered. */
static void
open_with(struct desk *desk, bool fresh, unsigned letters)
{
    open_desk(desk, fresh);
    for (unsigned i = 0; i < letters; i++) {
        writes(desk, ANNA);
    }
}

static bool
hears_sent(struct desk *desk, unsigned letter, uint64_t chat_number)
{
    uint64_t due_ns = 0;
    bool good = answers_sent(&desk->answers, desk->refs[letter], COMMAND_FIRST + letter,
                             chat_number, &due_ns);
    assert_true(!good || due_ns == DUE_NS + letter);
    return good;
}

static void
is_kept(struct desk *desk)
{
    assert_int_equal(answers_rest(&desk->answers), 0);
    assert_true(answers_quiet(&desk->answers));
    assert_int_equal(audit_verdict_count(&desk->verdict), 0);
}

static void
is_broken(const struct desk *desk, enum audit_promise promise, const char *text)
{
    assert_int_equal(audit_verdict_count(&desk->verdict), 1);
    assert_int_equal(desk->verdict.counts[promise], 1);
    assert_string_equal(desk->verdict.text, text);
}

static void
answered_in_any_order_between_readers(void **state)
{
    (void)state;
    struct desk desk;
    open_desk(&desk, true);
    writes(&desk, ANNA);
    writes(&desk, BERT);
    writes(&desk, ANNA);
    assert_false(answers_quiet(&desk.answers));
    assert_true(hears_sent(&desk, 2, 1));
    assert_true(hears_sent(&desk, 1, 1));
    assert_true(hears_sent(&desk, 3, 2));
    assert_int_equal(answers_through(&desk.answers), 3);
    is_kept(&desk);
}

static void
the_later_answered_first(void **state)
{
    (void)state;
    struct desk desk;
    open_with(&desk, true, 3);
    assert_true(hears_sent(&desk, 3, 3));
    assert_true(hears_sent(&desk, 1, 1));
    assert_true(hears_sent(&desk, 2, 2));
    is_kept(&desk);
}

static void
sequences_are_a_readers(void **state)
{
    (void)state;
    struct desk desk;
    open_desk(&desk, true);
    assert_int_equal(answers_begin(&desk.answers, ANNA)->sequence, 1);
    /* The client did not take it: the next is the first all the same. */
    assert_int_equal(answers_begin(&desk.answers, BERT)->sequence, 1);
    assert_int_equal(answers_begin(&desk.answers, ANNA)->sequence, 1);
    writes(&desk, ANNA);
    assert_int_equal(answers_begin(&desk.answers, ANNA)->sequence, 2);
    assert_int_equal(answers_begin(&desk.answers, BERT)->sequence, 1);
}

static void
places_are_used_again(void **state)
{
    (void)state;
    struct desk desk;
    open_desk(&desk, true);
    for (unsigned i = 1; i <= ANSWERS_OPEN_MAX; i++) {
        assert_true(answers_has_room(&desk.answers));
        writes(&desk, ANNA);
    }
    assert_false(answers_has_room(&desk.answers));
    assert_true(hears_sent(&desk, 7, 7));
    writes(&desk, BERT);
    assert_false(answers_has_room(&desk.answers));
    assert_true(desk.refs[ANSWERS_OPEN_MAX + 1] != desk.refs[7]);
    /* The answer of whose place that was is one too many, and not its own. */
    assert_false(hears_sent(&desk, 7, 8));
    is_broken(&desk, AUDIT_ANSWERED_TWICE, "wren, letter 7 of all: answered twice");
    assert_true(hears_sent(&desk, ANSWERS_OPEN_MAX + 1, 1));
}

static void
answered_and_never_written(void **state)
{
    (void)state;
    struct desk desk;
    open_with(&desk, true, 1);
    uint64_t due_ns = 1;
    assert_false(answers_sent(&desk.answers, 0, COMMAND_FIRST + 1, 1, &due_ns));
    is_broken(&desk, AUDIT_NONSENSE, "wren, letter 0 of all: answered, and never written");
    assert_false(answers_sent(&desk.answers, desk.refs[1] + 64, COMMAND_FIRST + 1, 1, &due_ns));
    assert_int_equal(desk.verdict.counts[AUDIT_NONSENSE], 2);
    assert_int_equal(due_ns, 1);
}

static void
another_id(void **state)
{
    (void)state;
    struct desk desk;
    open_desk(&desk, true);
    writes(&desk, BERT);
    uint64_t due_ns = 0;
    assert_false(answers_sent(&desk.answers, desk.refs[1], 900, 1, &due_ns));
    is_broken(&desk, AUDIT_IDENTITY, "wren > bert #1: it was command 701, and is told as 900");
}

static void
numbers_go_back(void **state)
{
    (void)state;
    struct desk desk;
    for (unsigned later_first = 0; later_first < 2; later_first++) {
        open_with(&desk, true, 2);
        assert_true(hears_sent(&desk, 1 + later_first, 2 - later_first));
        assert_false(hears_sent(&desk, 2 - later_first, 1 + later_first));
        is_broken(&desk, AUDIT_ORDER,
                  later_first ? "wren > anna #1: number 2 of the chat, and #2 has 1"
                              : "wren > anna #2: number 1 of the chat, and #1 has 2");
    }
    open_with(&desk, false, 2);
    assert_true(hears_sent(&desk, 1, 90));
    assert_false(hears_sent(&desk, 2, 90));
    is_broken(&desk, AUDIT_ORDER, "wren > anna #2: number 90 of the chat, and #1 has 90");
}

static void
no_number(void **state)
{
    (void)state;
    struct desk desk;
    open_with(&desk, true, 1);
    assert_false(hears_sent(&desk, 1, 0));
    is_broken(&desk, AUDIT_ORDER, "wren > anna #1: number 0 of the chat, and #0 has 0");
}

static void
put_off_is_exempt_from_order(void **state)
{
    (void)state;
    struct desk desk;
    open_with(&desk, true, 3);
    answers_put_off(&desk.answers, desk.refs[1]);
    answers_put_off(&desk.answers, desk.refs[99]); /* none of ours */
    assert_true(hears_sent(&desk, 2, 1));
    assert_true(hears_sent(&desk, 1, 2));
    assert_true(hears_sent(&desk, 3, 3));
    is_kept(&desk);
}

static void
taken_twice(void **state)
{
    (void)state;
    struct desk desk;
    open_with(&desk, true, 2);
    assert_true(hears_sent(&desk, 1, 1));
    assert_false(hears_sent(&desk, 2, 3));
    is_broken(&desk, AUDIT_NONSENSE, "wren > anna #2: number 3 of a chat of 2 messages");
}

/* Its numbers are then spent before all that were written have theirs. */
static void
counted_at_the_end(void **state)
{
    (void)state;
    struct desk desk;
    open_with(&desk, true, 3);
    answers_put_off(&desk.answers, desk.refs[3]);
    assert_true(hears_sent(&desk, 1, 1));
    assert_true(hears_sent(&desk, 2, 2));
    assert_true(hears_sent(&desk, 3, 2));
    assert_int_equal(answers_rest(&desk.answers), 0);
    is_broken(&desk, AUDIT_NONSENSE,
              "wren > anna #3: the chat's numbers end with 2 after 3 messages");
}

static void
chats_of_before_begin_anywhere(void **state)
{
    (void)state;
    struct desk desk;
    open_with(&desk, false, 2);
    assert_true(hears_sent(&desk, 1, 41));
    assert_true(hears_sent(&desk, 2, 43));
    is_kept(&desk);
}

static void
refused_for_good(void **state)
{
    (void)state;
    struct desk desk;
    open_with(&desk, true, 2);
    assert_true(hears_sent(&desk, 1, 1));
    answers_refused(&desk.answers, desk.refs[2], "the inbox is full");
    assert_true(answers_quiet(&desk.answers));
    assert_int_equal(answers_through(&desk.answers), 1);
    assert_int_equal(answers_rest(&desk.answers), 0);
    is_broken(&desk, AUDIT_REFUSED, "wren > anna #2: refused for good: the inbox is full");
    answers_refused(&desk.answers, desk.refs[1], "after all");
    assert_int_equal(desk.verdict.counts[AUDIT_REFUSED], 2);
}

static void
never_answered(void **state)
{
    (void)state;
    struct desk desk;
    open_desk(&desk, true);
    writes(&desk, ANNA);
    writes(&desk, BERT);
    assert_true(hears_sent(&desk, 1, 1));
    assert_int_equal(answers_rest(&desk.answers), 0);
    is_broken(&desk, AUDIT_UNANSWERED, "wren > bert #1: never answered");
}

static void
put_off_to_the_end(void **state)
{
    (void)state;
    struct desk desk;
    open_desk(&desk, true);
    writes(&desk, ANNA);
    writes(&desk, BERT);
    answers_put_off(&desk.answers, desk.refs[1]);
    assert_true(hears_sent(&desk, 2, 1));
    assert_int_equal(answers_rest(&desk.answers), 1);
    assert_int_equal(audit_verdict_count(&desk.verdict), 0);
}

static void
a_line_is_small(void **state)
{
    (void)state;
    assert_true(sizeof(struct answers_line) <= 32);
}

int
main(void)
{
    static const struct CMUnitTest specs[] = {
        SPEC("answers come in any order between readers", answered_in_any_order_between_readers),
        SPEC("of one reader, too, if numbers are in the order of writing",
             the_later_answered_first),
        SPEC("letters are counted for each reader, those that were written",
             sequences_are_a_readers),
        SPEC("a place is used again, and an answer too many is told from its new letter's",
             places_are_used_again),
        SPEC("an answer to what was never written is nonsense", answered_and_never_written),
        SPEC("an answer under another id is told", another_id),
        SPEC("numbers that do not rise with the letters are told", numbers_go_back),
        SPEC("so is none at all", no_number),
        SPEC("what was put off may have a later place", put_off_is_exempt_from_order),
        SPEC("a number beyond what was written is told", taken_twice),
        SPEC("numbers that do not count the letters are told at the end", counted_at_the_end),
        SPEC("chats that were written to before begin with any number",
             chats_of_before_begin_anywhere),
        SPEC("what is refused for good is told, and is not through", refused_for_good),
        SPEC("what is never answered is told", never_answered),
        SPEC("what is put off to the end is counted, and breaks nothing", put_off_to_the_end),
        SPEC("a line takes 32 bytes, however much is written on it", a_line_is_small),
    };
    return cmocka_run_group_tests(specs, NULL, NULL);
}
