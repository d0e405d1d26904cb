/* SPDX-License-Identifier: Apache-2.0 */
/* forum.h - the judge of one group, all of whose members are in this process and may come and go.
 *
 *      writer                            node                         each of the others
 *        forum_write -------- message ----->
 *        forum_answered <----- sent --------|------- message -------> forum_shown
 *                                           <---------- ack --------- forum_acknowledged
 *        forum_ticked, forum_counted <------|
 *                                           <------- markRead ------- forum_marked
 *        forum_ticked, forum_counted <------|
 *
 * Events go through here in the order in which they were told, and are held against the promises:
 * each letter is shown to each other member once, under the one number that it has for all, in the
 * order of these numbers, by whom it was written; a writer's letters are numbered in the order in
 * which he wrote them; counts and cursors of receipts never say more than the members have said,
 * never go back, and in the end say all of it to whoever wrote.
 *
 * A letter is through when its writer was answered and told that all have it (and have read it, if
 * they read). Memory is bounded: as many letters are remembered as are not through. One thread.
 */
#pragma once

#include "bench/audit.h"

enum {
    FORUM_MEMBERS_MAX = 64, /* a bit for each, in a letter */
    FORUM_OPEN_MAX = 256,
};

/* One that is not through. */
struct forum_letter {
    uint64_t due_ns;
    uint64_t number;             /* the command's, at its writer's device */
    uint64_t chat_number;        /* 0: nobody was told yet */
    uint64_t shown, acked, read; /* by whom: a bit for each member */
    uint8_t writer;
    bool answered, put_off, refused, delivered; /* `delivered`: its writer knows */
};

struct forum_member {
    uint64_t shown_chat; /* the highest number that he was shown */
    struct audit_cursors told;
};

/* What is judged; the names are borrowed. */
struct forum_group {
    const char *const *names;
    uint32_t members; /* FORUM_MEMBERS_MAX at most */
    bool reads;
};

/* Embedded; but for the counters the fields are for forum.c. */
struct forum {
    struct audit_verdict *verdict;
    struct forum_group group;
    uint64_t first, next; /* sequences: the open letters are first .. next-1 */
    uint64_t all_shown,
        all_delivered; /* letters that all others were shown; that writers know of */
    struct forum_member members[FORUM_MEMBERS_MAX];
    struct forum_letter open[FORUM_OPEN_MAX];
};

void forum_init(struct forum *forum, struct audit_verdict *verdict,
                const struct forum_group *judged);

static inline bool
forum_has_room(const struct forum *forum)
{
    return forum->next - forum->first < FORUM_OPEN_MAX;
}
/* The next letter's sequence; it is written when forum_write is called, with room only. */
static inline uint64_t
forum_next(const struct forum *forum)
{
    return forum->next;
}
static inline uint64_t
forum_through(const struct forum *forum)
{
    return forum->first - 1;
}
static inline bool
forum_quiet(const struct forum *forum)
{
    return forum->first == forum->next;
}

void forum_write(struct forum *forum, uint32_t writer, uint64_t number, uint64_t due_ns);
/* A member was told that his letter was sent. True, and *out_due_ns: as it should be. */
bool forum_answered(struct forum *forum, uint32_t member, uint64_t sequence,
                    const struct audit_shown *told, uint64_t *out_due_ns);
/* His letter was refused: for the time being, or for good with these words. */
void forum_put_off(struct forum *forum, uint64_t sequence);
void forum_refused(struct forum *forum, uint64_t sequence, const char *words);
/* A member was shown a letter as one of `writer`'s; FORUM_MEMBERS_MAX: of a stranger. Of `shown`
 * the server's time is not judged. Results as above. */
bool forum_shown(struct forum *forum, uint32_t member, uint32_t writer,
                 const struct audit_shown *shown);
/* A member told the node that he has stored, and read, all that he was shown. */
void forum_acknowledged(struct forum *forum, uint32_t member);
void forum_marked(struct forum *forum, uint32_t member);
/* A member was told how far all have got; and how many have, and have read, one of his letters. */
void forum_ticked(struct forum *forum, uint32_t member, uint64_t delivered_all, uint64_t read_all);
void forum_counted(struct forum *forum, uint32_t member, uint64_t chat_number, uint32_t delivered,
                   uint32_t read);
/* No more will come: what is not through breaks a promise. */
void forum_rest(struct forum *forum);
