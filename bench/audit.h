/* SPDX-License-Identifier: Apache-2.0 */
/* audit.h - the judge of one line: one user who writes to another, both ends in this process.
 *
 *      writer                              node                              reader
 *        audit_write ------- message -------->
 *        audit_answered <---- sent -----------|------- message -------> audit_shown
 *                                             <---------- ack --------- audit_acknowledged
 *        audit_ticked <----- delivered -------|
 *                                             <------- markRead ------- audit_marked
 *        audit_ticked <------- read ----------|
 *
 * Everything that either end is told goes through here in the order in which it was told, and is
 * held against the promises of docs/guarantees.md. What breaks one is noted in a verdict, and the
 * run goes on. Every accepted event also tells how long it took, for the tally.
 *
 * Memory is bounded: a line remembers the letters that are not through (answered, shown, ticked),
 * as many as its owner has given it room for; all before them are. One thread.
 */
#pragma once

#include "runtime/check.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    /* A room that is enough for a reader who is there: as many as the node leaves unacknowledged on
     * the wire by default. */
    AUDIT_OPEN_MAX = 256,
    AUDIT_TEXT_BYTES = 200,
};

/* What can be broken. The names (audit_promise_name) are part of the output, and stay. */
enum audit_promise {
    AUDIT_LOST,         /* sent, and never shown to its reader */
    AUDIT_DUPLICATE,    /* shown twice, though ids were compared */
    AUDIT_ORDER,        /* shown after a later one of its line; or chat's numbers, times go back */
    AUDIT_TICK_EARLY,   /* delivered or read before the reader said so */
    AUDIT_TICK_BACK,    /* a cursor went back */
    AUDIT_TICK_MISSING, /* shown and acknowledged, but never ticked */
    AUDIT_READ_AHEAD,   /* read, but not delivered */
    AUDIT_ANSWERED_TWICE, /* one message, two answers */
    AUDIT_UNANSWERED,     /* no answer, though the connection stood */
    AUDIT_REFUSED,        /* refused for good, though it kept to all limits */
    AUDIT_CHANGED,        /* not shown as it was written, to whom it was written */
    AUDIT_IDENTITY,       /* answer and delivery differ in id or number */
    AUDIT_NONSENSE,       /* the node said what the protocol does not allow */
    AUDIT_PROMISES,
};

/* What was broken, how often, and the first case in words. Zero: nothing was. */
struct audit_verdict {
    uint64_t counts[AUDIT_PROMISES];
    enum audit_promise first; /* if `text` is not empty */
    char text[AUDIT_TEXT_BYTES];
};

/* A letter that is not through. */
struct audit_letter {
    uint64_t due_ns;
    uint64_t number; /* the command's */
    uint64_t chat_number;
    uint8_t state;
};

/* How far a reader has got: a state of the node's, as it was told or as the reader said. */
struct audit_cursors {
    uint64_t delivered, read;
};

/* What is judged. All of it is borrowed. */
struct audit_line {
    const char *writer, *reader; /* names, for the verdict's text */
    bool reads;                  /* the reader marks what it is shown */
    bool fresh;                  /* nothing was ever written: the chat's first number is 1 */
    struct audit_letter *open;   /* room for `open_max` letters that are not through */
    uint32_t open_max;
};

/* Embedded; the fields are for audit.c. */
struct audit {
    struct audit_verdict *verdict;
    struct audit_line line;
    uint64_t first, next; /* sequence numbers: the open letters are first .. next-1 */
    uint64_t shown_last;  /* the highest that was shown */
    uint64_t chat_first;  /* the least chat number of this run; 0: not known yet */
    uint64_t chat_known;  /* the highest that either end was told */
    uint64_t chat_shown;  /* the highest that was shown */
    uint64_t time_shown_ms;
    struct audit_cursors told; /* by the node, to the writer */
    struct audit_cursors said; /* by the reader, to the node */
};

/* Nothing was written yet. Borrows the verdict, and what the line says. */
void audit_init(struct audit *audit, struct audit_verdict *verdict, const struct audit_line *line);

/* Room for one more letter? */
static inline bool
audit_has_room(const struct audit *audit)
{
    return audit->next - audit->first < audit->line.open_max;
}
/* The next letter's sequence; it is written under the command number `number` when audit_write is
 * called, which is only allowed with room. */
static inline uint64_t
audit_next(const struct audit *audit)
{
    return audit->next;
}
void audit_write(struct audit *audit, uint64_t number, uint64_t due_ns);

/* The node answered a letter: sent, with this id's number and chat number. True, and *out_due_ns:
 * as it should be; false: a promise was broken. */
bool audit_answered(struct audit *audit, uint64_t sequence, uint64_t id_number,
                    uint64_t chat_number, uint64_t *out_due_ns);
/* The node refused it: for the time being, or for good with these words. */
void audit_put_off(struct audit *audit, uint64_t sequence);
void audit_refused(struct audit *audit, uint64_t sequence, const char *words);

/* What the reader was shown, when its text had been read. */
struct audit_shown {
    uint64_t sequence;
    uint64_t due_ns; /* as the letter said */
    uint64_t id_number;
    uint64_t chat_number;
    uint64_t server_time_ms;
};
/* The reader was shown a letter, after duplicates by id were dropped. Results as above. */
bool audit_shown(struct audit *audit, const struct audit_shown *shown);
/* The reader told the node that it has stored, and read, all that it was shown. */
void audit_acknowledged(struct audit *audit);
void audit_marked(struct audit *audit);

/* The node told the writer how far the reader has got. Calls `each` for every letter that thereby
 * was ticked as delivered. */
void audit_ticked(struct audit *audit, uint64_t delivered, uint64_t read,
                  void (*each)(void *context, uint64_t due_ns), void *context);

/* Has the reader been shown the last letter that was written? */
static inline bool
audit_all_shown(const struct audit *audit)
{
    return audit->shown_last + 1 == audit->next;
}
/* Are all letters through? */
static inline bool
audit_quiet(const struct audit *audit)
{
    return audit->first == audit->next;
}
/* No more will come: what is not through breaks a promise. */
void audit_rest(struct audit *audit);

/* Notes a broken promise that was seen elsewhere. */
void audit_broken(struct audit_verdict *verdict, enum audit_promise promise, const char *format,
                  ...) PRINTF_LIKE(3, 4);
void audit_verdict_merge(struct audit_verdict *verdict, const struct audit_verdict *from);
uint64_t audit_verdict_count(const struct audit_verdict *verdict);

/* "lost", "tick-early" */
const char *audit_promise_name(enum audit_promise promise);
/* A sentence: what was promised. */
const char *audit_promise_text(enum audit_promise promise);
