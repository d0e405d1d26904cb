/* SPDX-License-Identifier: Apache-2.0 */
/* answers.h - the judge of one who writes to many who stay away: of what answers alone can tell.
 *
 *      writer                                   node
 *        answers_begin, client_send --- message ---->
 *        answers_wrote
 *        answers_sent        <--------- sent --------     or
 *        answers_put_off,    <-------- refused ------
 *        answers_refused
 *
 * A letter is through when it is answered, so what is remembered of a line does not grow with what
 * was written on it (32 bytes, and of a writer the letters under way), and a million lines fit in a
 * process. Where both ends are played, audit.h judges more: a verdict is of the same kind.
 *
 * Judged is that each letter is answered, once, as sent, under its own id; that the chat's numbers
 * rise in the order of writing; and, with chats that were empty before, that they count the letters
 * that were taken: none twice, none without a number. One thread.
 */
#pragma once

#include "bench/audit.h"
#include "bench/users.h"
#include "net/protocol.h"

/* One reader's. Zero is new. */
struct answers_line {
    uint64_t chat_last; /* the chat's number of letter `last` */
    uint64_t chat_most; /* the greatest number that was told */
    uint32_t written, answered;
    uint32_t last; /* of those answered that were never put off, the latest written */
};

/* One that was not answered. */
struct answers_letter {
    uint64_t ref;
    uint64_t number; /* the command's; 0: it was not written yet */
    uint64_t due_ns;
    uint32_t line, sequence;
    bool put_off;
};

/* What is judged; all of it is borrowed. */
struct answers_shape {
    const struct user *writer;
    const struct user *readers;
    struct answers_line *lines; /* one for each of them */
    uint32_t count;
    bool fresh; /* nothing was ever written to them */
};

enum { ANSWERS_OPEN_MAX = PROTOCOL_COMMAND_WINDOW };
_Static_assert(ANSWERS_OPEN_MAX <= 64, "a bit for each");

/* Embedded; the fields are for answers.c. */
struct answers {
    struct audit_verdict *verdict;
    struct answers_shape shape;
    uint64_t written; /* letters */
    uint64_t through; /* of them, those that were answered as sent */
    uint64_t open;    /* a bit for each place in `letters` that is taken */
    struct answers_letter letters[ANSWERS_OPEN_MAX];
};

void answers_init(struct answers *answers, struct audit_verdict *verdict,
                  const struct answers_shape *shape);

static inline bool
answers_has_room(const struct answers *answers)
{
    return ~answers->open != 0;
}
/* Have all been answered? */
static inline bool
answers_quiet(const struct answers *answers)
{
    return answers->open == 0;
}
/* Letters that have been answered as sent. */
static inline uint64_t
answers_through(const struct answers *answers)
{
    return answers->through;
}

/* A letter that is about to be written on a line, with the ref and sequence that it will have. Only
 * with room. The next call takes the place of one that was not written. Borrowed until that. */
const struct answers_letter *answers_begin(struct answers *answers, uint32_t line);
/* It was, under that command's number. */
void answers_wrote(struct answers *answers, uint64_t number, uint64_t due_ns);

/* The node said of the letter with that ref: sent. True, and *out_due_ns: as it should be; false: a
 * promise was broken. */
bool answers_sent(struct answers *answers, uint64_t ref, uint64_t id_number, uint64_t chat_number,
                  uint64_t *out_due_ns);
/* ... refused for the time being, or for good with these words. */
void answers_put_off(struct answers *answers, uint64_t ref);
void answers_refused(struct answers *answers, uint64_t ref, const char *words);

/* No more will come: what was not answered breaks a promise, but for what was put off: nothing is
 * known of whether the node would have taken that. How many these are. */
uint32_t answers_rest(struct answers *answers);
