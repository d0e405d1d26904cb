/* SPDX-License-Identifier: Apache-2.0 */
/* Both ends of a line are judged by one thread, so "before" is the order of calls: the reader says
 * what it has stored before the bytes that say so leave, and whatever the node makes of them is
 * told to the writer after that. A tick that is ahead of what was said is therefore early, by
 * however little.
 *
 * A gap in what the reader is shown is not yet a loss: it may be filled by a letter that comes too
 * late, which breaks another promise. It is a loss when the writer is told that the letter was
 * delivered, since the node will not deliver it again, or when nothing more will come.
 *
 * Likewise a tick of a letter that was not shown: an inbox holds more than letters, and a reader
 * who acknowledges what came behind a lost one has acknowledged that too. If the letter comes, the
 * tick was early; if not, it is lost.
 *
 * A letter that was put off (refused for now, sent again) is accepted behind those that were sent
 * meanwhile: it is exempt from the order of sequences, not from that of the chat's numbers. */
#include "bench/audit.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* Of a letter. It is through when it has all of the first three, or four where it is read; or one
 * of the last two. */
enum {
    ANSWERED = 1,
    SHOWN = 2,
    DELIVERED = 4,
    READ = 8,
    PUT_OFF = 16,
    DROPPED = 32, /* refused for good */
    GIVEN_UP = 64 /* lost */
};

void
audit_init(struct audit *audit, struct audit_verdict *verdict, const struct audit_line *line)
{
    ASSERT(line->open_max > 0);
    *audit = (struct audit){.verdict = verdict,
                            .line = *line,
                            .first = 1,
                            .next = 1,
                            .chat_first = line->fresh ? 1 : 0};
}

/* ------------------------------------------------------------------------------------- verdicts */

static void
verdict_note(struct audit_verdict *verdict, enum audit_promise promise, const char *text)
{
    verdict->counts[promise]++;
    if (verdict->text[0] == '\0') {
        verdict->first = promise;
        (void)snprintf(verdict->text, sizeof verdict->text, "%s", text);
    }
}

void
audit_broken(struct audit_verdict *verdict, enum audit_promise promise, const char *format, ...)
{
    char text[AUDIT_TEXT_BYTES];
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    verdict_note(verdict, promise, text);
}

/* About one letter of a line: "alice > bob #17: ..." */
PRINTF_LIKE(4, 5)
static bool
broken(struct audit *audit, enum audit_promise promise, uint64_t sequence, const char *format, ...)
{
    char text[AUDIT_TEXT_BYTES];
    int used = snprintf(text, sizeof text, "%s > %s #%llu: ", audit->line.writer,
                        audit->line.reader, (unsigned long long)sequence);
    if (used >= 0 && (size_t)used < sizeof text) {
        va_list arguments;
        va_start(arguments, format);
        (void)vsnprintf(text + used, sizeof text - (size_t)used, format, arguments);
        va_end(arguments);
    }
    verdict_note(audit->verdict, promise, text);
    return false;
}

void
audit_verdict_merge(struct audit_verdict *verdict, const struct audit_verdict *from)
{
    if (verdict->text[0] == '\0' && from->text[0] != '\0') {
        verdict->first = from->first;
        memcpy(verdict->text, from->text, sizeof verdict->text);
    }
    for (unsigned i = 0; i < AUDIT_PROMISES; i++) {
        verdict->counts[i] += from->counts[i];
    }
}

uint64_t
audit_verdict_count(const struct audit_verdict *verdict)
{
    uint64_t count = 0;
    for (unsigned i = 0; i < AUDIT_PROMISES; i++) {
        count += verdict->counts[i];
    }
    return count;
}

/* -------------------------------------------------------------------------------------- letters */

static struct audit_letter *
letter_at(struct audit *audit, uint64_t sequence)
{
    return &audit->line.open[sequence % audit->line.open_max];
}

static bool
letter_through(const struct audit *audit, const struct audit_letter *letter)
{
    uint8_t wanted = ANSWERED | SHOWN | DELIVERED | (audit->line.reads ? READ : 0);
    return (letter->state & wanted) == wanted || (letter->state & (DROPPED | GIVEN_UP)) != 0;
}

static void
first_advance(struct audit *audit)
{
    while (audit->first < audit->next && letter_through(audit, letter_at(audit, audit->first))) {
        audit->first++;
    }
}

void
audit_write(struct audit *audit, uint64_t number, uint64_t due_ns)
{
    ASSERT(audit_has_room(audit));
    *letter_at(audit, audit->next) = (struct audit_letter){.due_ns = due_ns, .number = number};
    audit->next++;
}

static uint64_t
greater(uint64_t a, uint64_t b)
{
    return a > b ? a : b;
}

/* Answer and delivery name the same id and the same place in the chat. */
static bool
identity_check(struct audit *audit, uint64_t sequence, uint64_t id_number, uint64_t chat_number)
{
    struct audit_letter *letter = letter_at(audit, sequence);
    if (id_number != letter->number) {
        return broken(audit, AUDIT_IDENTITY, sequence, "it was command %llu, and is told as %llu",
                      (unsigned long long)letter->number, (unsigned long long)id_number);
    }
    if (letter->chat_number != 0 && letter->chat_number != chat_number) {
        return broken(audit, AUDIT_IDENTITY, sequence,
                      "number %llu of the chat to one end, %llu to the other",
                      (unsigned long long)letter->chat_number, (unsigned long long)chat_number);
    }
    letter->chat_number = chat_number;
    audit->chat_known = greater(audit->chat_known, chat_number);
    if (audit->chat_first == 0) {
        audit->chat_first = chat_number;
    }
    return true;
}

static bool
cursor_covers(const struct audit_letter *letter, uint64_t cursor)
{
    return letter->chat_number != 0 && letter->chat_number <= cursor;
}

/* Takes note of what the cursors say of a letter. True: it was delivered by them. One that the
 * reader passed over is lost. */
static bool
letter_tick(struct audit *audit, uint64_t sequence)
{
    struct audit_letter *letter = letter_at(audit, sequence);
    bool before = (letter->state & DELIVERED) != 0;
    if (cursor_covers(letter, audit->told.read)) {
        letter->state |= READ;
    }
    if (!cursor_covers(letter, audit->told.delivered)) {
        return false;
    }
    letter->state |= DELIVERED;
    if ((letter->state & (SHOWN | GIVEN_UP)) == 0 && letter->chat_number < audit->chat_shown) {
        (void)broken(audit, AUDIT_LOST, sequence, "ticked as delivered, and never shown");
        letter->state |= GIVEN_UP;
    }
    return !before;
}

bool
audit_answered(struct audit *audit, uint64_t sequence, uint64_t id_number, uint64_t chat_number,
               uint64_t *out_due_ns)
{
    if (sequence == 0 || sequence >= audit->next) {
        return broken(audit, AUDIT_NONSENSE, sequence, "answered, and never written");
    }
    struct audit_letter *letter = letter_at(audit, sequence);
    if (sequence < audit->first || (letter->state & ANSWERED) != 0) {
        return broken(audit, AUDIT_ANSWERED_TWICE, sequence, "answered twice");
    }
    letter->state |= ANSWERED;
    bool same = identity_check(audit, sequence, id_number, chat_number);
    /* A tick may have come before the answer, if that was cut off with its connection. */
    (void)letter_tick(audit, sequence);
    *out_due_ns = letter->due_ns;
    first_advance(audit);
    return same;
}

void
audit_put_off(struct audit *audit, uint64_t sequence)
{
    if (sequence >= audit->first && sequence < audit->next) {
        letter_at(audit, sequence)->state |= PUT_OFF;
    }
}

void
audit_refused(struct audit *audit, uint64_t sequence, const char *words)
{
    (void)broken(audit, AUDIT_REFUSED, sequence, "refused for good: %s", words);
    if (sequence >= audit->first && sequence < audit->next) {
        letter_at(audit, sequence)->state |= DROPPED;
        first_advance(audit);
    }
}

/* -------------------------------------------------------------------------------------- showing */

static bool
order_check(struct audit *audit, const struct audit_shown *shown)
{
    const struct audit_letter *letter = letter_at(audit, shown->sequence);
    if (shown->sequence < audit->shown_last && (letter->state & PUT_OFF) == 0) {
        return broken(audit, AUDIT_ORDER, shown->sequence, "shown after #%llu",
                      (unsigned long long)audit->shown_last);
    }
    if (shown->chat_number <= audit->chat_shown) {
        return broken(audit, AUDIT_ORDER, shown->sequence, "number %llu of the chat after %llu",
                      (unsigned long long)shown->chat_number,
                      (unsigned long long)audit->chat_shown);
    }
    if (shown->server_time_ms < audit->time_shown_ms) {
        return broken(audit, AUDIT_ORDER, shown->sequence, "the node's time goes back by %llu ms",
                      (unsigned long long)(audit->time_shown_ms - shown->server_time_ms));
    }
    return true;
}

bool
audit_shown(struct audit *audit, const struct audit_shown *shown)
{
    uint64_t sequence = shown->sequence;
    if (sequence == 0 || sequence >= audit->next) {
        return broken(audit, AUDIT_CHANGED, sequence, "shown, and never written");
    }
    struct audit_letter *letter = letter_at(audit, sequence);
    if (sequence < audit->first || (letter->state & SHOWN) != 0) {
        return broken(audit, AUDIT_DUPLICATE, sequence, "shown twice");
    }
    if (shown->due_ns != letter->due_ns) {
        return broken(audit, AUDIT_CHANGED, sequence, "another letter than was written");
    }
    bool good = order_check(audit, shown);
    if ((letter->state & DELIVERED) != 0) {
        good = broken(audit, AUDIT_TICK_EARLY, sequence, "shown after it was ticked as delivered");
    }
    letter->state |= SHOWN;
    audit->shown_last = greater(audit->shown_last, sequence);
    audit->chat_shown = greater(audit->chat_shown, shown->chat_number);
    audit->time_shown_ms = greater(audit->time_shown_ms, shown->server_time_ms);
    good = identity_check(audit, sequence, shown->id_number, shown->chat_number) && good;
    first_advance(audit);
    return good;
}

void
audit_acknowledged(struct audit *audit)
{
    audit->said.delivered = audit->chat_shown;
}

void
audit_marked(struct audit *audit)
{
    audit->said.read = audit->chat_shown;
}

/* ---------------------------------------------------------------------------------------- ticks */

/* Cursors of an earlier run of the same users lie below this run's first letter. */
static bool
ahead(const struct audit *audit, uint64_t told, uint64_t said)
{
    return audit->chat_first != 0 && told >= audit->chat_first && told > said;
}

/* A tick of letters that were sent and that the reader was not shown: they are lost if they never
 * come (it acknowledged what came behind them, and them with it), and the tick is early if they
 * do. */
static bool
tick_of_unseen(const struct audit *audit, uint64_t delivered)
{
    return delivered > audit->chat_shown && delivered <= audit->chat_known;
}

static void
cursors_check(struct audit *audit, uint64_t delivered, uint64_t read)
{
    uint64_t last = audit->next - 1;
    if (delivered < audit->told.delivered || read < audit->told.read) {
        (void)broken(
            audit, AUDIT_TICK_BACK, last, "ticked up to %llu (read %llu) after %llu (read %llu)",
            (unsigned long long)delivered, (unsigned long long)read,
            (unsigned long long)audit->told.delivered, (unsigned long long)audit->told.read);
    }
    if (read > delivered) {
        (void)broken(audit, AUDIT_READ_AHEAD, last, "read up to %llu, delivered up to %llu",
                     (unsigned long long)read, (unsigned long long)delivered);
    }
    if (ahead(audit, delivered, audit->said.delivered) && !tick_of_unseen(audit, delivered)) {
        (void)broken(audit, AUDIT_TICK_EARLY, last,
                     "delivered up to %llu, but its reader has stored %llu",
                     (unsigned long long)delivered, (unsigned long long)audit->said.delivered);
    } else if (ahead(audit, read, audit->said.read)) {
        (void)broken(audit, AUDIT_TICK_EARLY, last,
                     "read up to %llu, but its reader has marked %llu", (unsigned long long)read,
                     (unsigned long long)audit->said.read);
    }
}

void
audit_ticked(struct audit *audit, uint64_t delivered, uint64_t read,
             void (*each)(void *context, uint64_t due_ns), void *context)
{
    cursors_check(audit, delivered, read);
    audit->told.delivered = greater(audit->told.delivered, delivered);
    audit->told.read = greater(audit->told.read, read);
    for (uint64_t sequence = audit->first; sequence < audit->next; sequence++) {
        if (letter_tick(audit, sequence)) {
            each(context, letter_at(audit, sequence)->due_ns);
        }
    }
    first_advance(audit);
}

static void
letter_rest(struct audit *audit, uint64_t sequence)
{
    const struct audit_letter *letter = letter_at(audit, sequence);
    if ((letter->state & (DROPPED | GIVEN_UP)) != 0) {
        return;
    }
    if ((letter->state & ANSWERED) == 0) {
        (void)broken(audit, AUDIT_UNANSWERED, sequence, "never answered");
    } else if ((letter->state & SHOWN) == 0) {
        (void)broken(audit, AUDIT_LOST, sequence, "sent, and never shown");
    } else if (!cursor_covers(letter, audit->told.delivered)) {
        (void)broken(audit, AUDIT_TICK_MISSING, sequence, "stored, and never ticked as delivered");
    } else if (audit->line.reads && !cursor_covers(letter, audit->told.read)) {
        (void)broken(audit, AUDIT_TICK_MISSING, sequence, "read, and never ticked as read");
    }
}

void
audit_rest(struct audit *audit)
{
    for (uint64_t sequence = audit->first; sequence < audit->next; sequence++) {
        letter_rest(audit, sequence);
    }
}

/* ---------------------------------------------------------------------------------------- names */

const char *
audit_promise_name(enum audit_promise promise)
{
    static const char *const names[] = {
        [AUDIT_LOST] = "lost",
        [AUDIT_DUPLICATE] = "duplicate",
        [AUDIT_ORDER] = "order",
        [AUDIT_TICK_EARLY] = "tick-early",
        [AUDIT_TICK_BACK] = "tick-back",
        [AUDIT_TICK_MISSING] = "tick-missing",
        [AUDIT_READ_AHEAD] = "read-ahead",
        [AUDIT_ANSWERED_TWICE] = "answered-twice",
        [AUDIT_UNANSWERED] = "unanswered",
        [AUDIT_REFUSED] = "refused",
        [AUDIT_CHANGED] = "changed",
        [AUDIT_IDENTITY] = "identity",
        [AUDIT_NONSENSE] = "nonsense",
    };
    ASSERT(promise < AUDIT_PROMISES);
    return names[promise];
}

const char *
audit_promise_text(enum audit_promise promise)
{
    static const char *const texts[] = {
        [AUDIT_LOST] = "a message that was sent is shown to its reader",
        [AUDIT_DUPLICATE] = "no message is shown twice",
        [AUDIT_ORDER] = "messages of one writer are shown in the order in which they were written",
        [AUDIT_TICK_EARLY] =
            "a tick never comes before the reader has stored, or read, the message",
        [AUDIT_TICK_BACK] = "ticks only go forward",
        [AUDIT_TICK_MISSING] = "what was stored, and read, is ticked",
        [AUDIT_READ_AHEAD] = "read implies delivered",
        [AUDIT_ANSWERED_TWICE] = "a message is answered once",
        [AUDIT_UNANSWERED] = "a message is answered, on a connection that stands",
        [AUDIT_REFUSED] = "a message within the limits is not refused for good",
        [AUDIT_CHANGED] = "a message is shown as it was written, to whom it was written",
        [AUDIT_IDENTITY] = "writer and reader know a message by the same id and number",
        [AUDIT_NONSENSE] = "the node keeps to the protocol",
    };
    ASSERT(promise < AUDIT_PROMISES);
    return texts[promise];
}
