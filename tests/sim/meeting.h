/* SPDX-License-Identifier: Apache-2.0 */
/* meeting.h - a few people with a device each, and what each of them has been shown of one group.
 *
 *     meeting_open(&meeting, seed, 3);
 *     struct attendee *alice = &meeting.people[0];
 *     meeting.group = wire_number(attendee_does(alice, "\"createChat\":{...}"), "groupId");
 *     (void)attendee_writes(alice, "hello");
 *     meeting_rest(&meeting);
 *     attendee_has(&meeting.people[1], "u1@0:created m1:hello");
 *     meeting_close(&meeting);
 *
 * Attendees do what the protocol asks of clients: they give each command its number and say it
 * again, under that number, on the next connection until it is answered; they keep what they are
 * shown before they acknowledge it, and pass over what they had before. Each item they keep is a
 * word: "m3:text" is the group's message 3, "u2@3:added" its update 2 behind that, "e3:text",
 * "d3:-" and "h3:-" that message 3 was edited, deleted or hidden ("m3:-": deleted before it came),
 * "gap3-5" what they are never given.
 */
#pragma once

#include "runtime/check.h"
#include "tests/sim/wire.h"

enum {
    MEETING_PEOPLE_MAX = 5,
    MEETING_ITEMS_MAX = 512,
    MEETING_ITEM_BYTES = 48,
    MEETING_FRAME_BYTES = 4096,
};

struct meeting;

struct attendee {
    struct meeting *meeting;
    const char *name;
    uint64_t user;
    char token[PROTOCOL_TOKEN_BYTES_MAX + 1];
    struct wire wire;
    bool wired;
    bool away;       /* does not connect until this is taken back */
    bool reads;      /* marks what is shown as read */
    uint64_t number; /* of the last command */
    bool unanswered; /* `command` is, as far as is known */
    char command[MEETING_FRAME_BYTES];
    char answer[MEETING_FRAME_BYTES];
    uint64_t stored, acked; /* inbox numbers */
    uint64_t read, read_said;
    unsigned wrote_count;
    uint64_t wrote[MEETING_ITEMS_MAX]; /* the numbers of what was accepted */
    unsigned items_count;
    char items[MEETING_ITEMS_MAX][MEETING_ITEM_BYTES];
    char receipts[MEETING_FRAME_BYTES]; /* the last groupReceipts */
};

struct meeting {
    struct world world;
    uint64_t group;
    unsigned count;
    struct attendee people[MEETING_PEOPLE_MAX]; /* alice, bob, carol, dave, erin */
};

/* A new world in which `count` people have enrolled. */
void meeting_open(struct meeting *meeting, uint64_t seed, unsigned count);
void meeting_close(struct meeting *meeting);
/* alice makes a group of all of them. */
void meeting_begin(struct meeting *meeting);

void meeting_run(struct meeting *meeting, uint64_t ms);
/* Until nobody has been shown anything new for two (virtual) seconds. */
void meeting_rest(struct meeting *meeting);
/* The power goes at the n-th event from now, or after `ms`, and comes back; so do the people. */
void meeting_crash_within(struct meeting *meeting, uint64_t events, uint64_t ms);
/* A connection breaks; it is made anew when its owner next does something, or time passes. */
void attendee_is_cut(struct attendee *attendee);

/* A connection breaks, and is not made anew. */
void attendee_goes(struct attendee *attendee);

/* Says a command, its number and frame added, and does not wait. */
void attendee_says(struct attendee *attendee, const char *format, ...) PRINTF_LIKE(2, 3);
/* Until it is answered, over as many connections as it takes. */
const char *attendee_waits(struct attendee *attendee);
/* Both. */
const char *attendee_does(struct attendee *attendee, const char *format, ...) PRINTF_LIKE(2, 3);
/* Writes to the group, and waits: the message's number there, or 0: it was refused. */
uint64_t attendee_writes(struct attendee *attendee, const char *text);
/* Edits a message of the group, or (NULL) deletes it: the frame that answers. */
const char *attendee_revises(struct attendee *attendee, uint64_t chat_number, const char *text);
/* Changes the group: the frame that answers it. */
const char *attendee_changes(struct attendee *attendee, const char *change);

/* Fails unless the frame has that part. */
void answer_has(const char *answer, const char *part);

/* All that the attendee was shown of the group, in order, is this. */
void attendee_has(const struct attendee *attendee, const char *items);
/* Where the attendee was shown it, from 1 on; 0: never. */
unsigned attendee_place(const struct attendee *attendee, const char *item);
