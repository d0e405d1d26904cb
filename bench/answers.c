/* SPDX-License-Identifier: Apache-2.0 */
/* A ref is a letter's count among its writer's, and its place among those under way: what comes
 * for a place that another letter has meanwhile is an answer too many.
 *
 * A letter that was put off is taken behind those that were sent meanwhile, so it is exempt from
 * the order of numbers; it is still counted. */
#include "bench/answers.h"

#include <stdarg.h>
#include <stdio.h>

enum { PLACE_BITS = 6, PLACE_MASK = (1 << PLACE_BITS) - 1 };
_Static_assert(ANSWERS_OPEN_MAX == 1 << PLACE_BITS, "a place for each, whatever a ref says");

void
answers_init(struct answers *answers, struct audit_verdict *verdict,
             const struct answers_shape *shape)
{
    *answers = (struct answers){.verdict = verdict, .shape = *shape};
}

/* About one letter: "alice > bob #17: ..." */
PRINTF_LIKE(5, 6)
static bool
broken(struct answers *answers, enum audit_promise promise, uint32_t line, uint32_t sequence,
       const char *format, ...)
{
    char text[AUDIT_TEXT_BYTES];
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    audit_broken(answers->verdict, promise, "%s > %s #%u: %s", answers->shape.writer->name,
                 answers->shape.readers[line].name, sequence, text);
    return false;
}

/* -------------------------------------------------------------------------------------- writing */

static uint32_t
place_free(const struct answers *answers)
{
    ASSERT(answers_has_room(answers));
    return (uint32_t)__builtin_ctzll(~answers->open);
}

const struct answers_letter *
answers_begin(struct answers *answers, uint32_t line)
{
    ASSERT(line < answers->shape.count);
    uint32_t place = place_free(answers);
    struct answers_letter *letter = &answers->letters[place];
    *letter = (struct answers_letter){.ref = (answers->written + 1) << PLACE_BITS | place,
                                      .line = line,
                                      .sequence = answers->shape.lines[line].written + 1};
    return letter;
}

void
answers_wrote(struct answers *answers, uint64_t number, uint64_t due_ns)
{
    uint32_t place = place_free(answers);
    struct answers_letter *letter = &answers->letters[place];
    letter->number = number;
    letter->due_ns = due_ns;
    answers->open |= UINT64_C(1) << place;
    answers->written++;
    answers->shape.lines[letter->line].written++;
}

/* -------------------------------------------------------------------------------------- answers */

/* NULL: none under way has it. */
static struct answers_letter *
letter_of(struct answers *answers, uint64_t ref)
{
    uint32_t place = (uint32_t)(ref & PLACE_MASK);
    struct answers_letter *letter = &answers->letters[place];
    bool open = (answers->open >> place & 1) != 0;
    return open && letter->ref == ref ? letter : NULL;
}

static void
letter_close(struct answers *answers, const struct answers_letter *letter)
{
    answers->open &= ~(UINT64_C(1) << (letter->ref & PLACE_MASK));
}

/* Its place in the chat: above those of the letters before it, below those of the letters behind
 * it, and none that only more letters would have. */
static bool
order_check(struct answers *answers, const struct answers_letter *letter, uint64_t chat_number)
{
    struct answers_line *line = &answers->shape.lines[letter->line];
    bool later = letter->sequence > line->last;
    if (answers->shape.fresh && chat_number > line->written) {
        return broken(answers, AUDIT_NONSENSE, letter->line, letter->sequence,
                      "number %llu of a chat of %u messages", (unsigned long long)chat_number,
                      line->written);
    }
    if (letter->put_off) {
        return true;
    }
    if (later ? chat_number <= line->chat_last : chat_number >= line->chat_last) {
        return broken(answers, AUDIT_ORDER, letter->line, letter->sequence,
                      "number %llu of the chat, and #%u has %llu", (unsigned long long)chat_number,
                      line->last, (unsigned long long)line->chat_last);
    }
    if (later) {
        line->last = letter->sequence;
        line->chat_last = chat_number;
    }
    return true;
}

bool
answers_sent(struct answers *answers, uint64_t ref, uint64_t id_number, uint64_t chat_number,
             uint64_t *out_due_ns)
{
    struct answers_letter *letter = letter_of(answers, ref);
    if (letter == NULL) {
        bool written = ref >> PLACE_BITS > 0 && ref >> PLACE_BITS <= answers->written;
        audit_broken(answers->verdict, written ? AUDIT_ANSWERED_TWICE : AUDIT_NONSENSE,
                     "%s, letter %llu of all: %s", answers->shape.writer->name,
                     (unsigned long long)(ref >> PLACE_BITS),
                     written ? "answered twice" : "answered, and never written");
        return false;
    }
    struct answers_line *line = &answers->shape.lines[letter->line];
    letter_close(answers, letter);
    answers->through++;
    line->answered++;
    line->chat_most = chat_number > line->chat_most ? chat_number : line->chat_most;
    *out_due_ns = letter->due_ns;
    if (id_number != letter->number) {
        return broken(answers, AUDIT_IDENTITY, letter->line, letter->sequence,
                      "it was command %llu, and is told as %llu",
                      (unsigned long long)letter->number, (unsigned long long)id_number);
    }
    return order_check(answers, letter, chat_number);
}

void
answers_put_off(struct answers *answers, uint64_t ref)
{
    struct answers_letter *letter = letter_of(answers, ref);
    if (letter != NULL) {
        letter->put_off = true;
    }
}

void
answers_refused(struct answers *answers, uint64_t ref, const char *words)
{
    const struct answers_letter *letter = letter_of(answers, ref);
    if (letter == NULL) {
        audit_broken(answers->verdict, AUDIT_REFUSED,
                     "%s: refused for good, and answered before: %s", answers->shape.writer->name,
                     words);
        return;
    }
    (void)broken(answers, AUDIT_REFUSED, letter->line, letter->sequence, "refused for good: %s",
                 words);
    letter_close(answers, letter);
}

/* -------------------------------------------------------------------------------------- the end */

uint32_t
answers_rest(struct answers *answers)
{
    uint32_t put_off = 0;
    for (uint64_t open = answers->open; open != 0; open &= open - 1) {
        const struct answers_letter *letter = &answers->letters[__builtin_ctzll(open)];
        if (letter->put_off) {
            put_off++;
            continue;
        }
        (void)broken(answers, AUDIT_UNANSWERED, letter->line, letter->sequence, "never answered");
    }
    for (uint32_t i = 0; i < answers->shape.count && answers->shape.fresh; i++) {
        const struct answers_line *line = &answers->shape.lines[i];
        if (line->answered == line->written && line->chat_most != line->answered) {
            (void)broken(answers, AUDIT_NONSENSE, i, line->written,
                         "the chat's numbers end with %llu after %u messages",
                         (unsigned long long)line->chat_most, line->answered);
        }
    }
    return put_off;
}
