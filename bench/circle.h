/* SPDX-License-Identifier: Apache-2.0 */
/* circle.h - people who write to each other, played by one actor, and the judge of each line
 * between two of them.
 *
 *     ends    o        o        who has a device (phone.h)
 *              \      /
 *     lines     ------>         who writes to whom (audit.h)
 *
 * One actor holds both ends of a line: what each was told, in the order in which it was told, is
 * known in one place, so a tick that comes a microsecond early is seen. Each end behaves as a
 * careful client does: it stores what it is shown, acknowledges once for all that a read of its
 * socket brought, marks the same as read, keeps what was not answered and sends it again after a
 * cut.
 *
 * When somebody writes, comes or goes is its owner's affair: a pair (pair.h), a writer and those
 * who are away (offline.h). It embeds a circle as the first thing in its state:
 *
 *     circle_init(&circle, place, &shape);
 *     circle_send(&circle, line, due_ns);           from inside its handlers
 *     default: circle_handle(&circle, msg);          what it does not handle itself
 *     circle_fini(&circle);
 */
#pragma once

#include "bench/audit.h"
#include "bench/phone.h"

struct circle;

struct end {
    struct phone phone;
    uint64_t user; /* 0: not welcomed yet */
    uint64_t to_acknowledge;
    uint64_t beat_at_ns; /* a ping is under way since; 0: none */
};

struct line {
    struct audit audit;
    struct end *writer, *reader;
    uint64_t shown_chat; /* the highest number of the chat that its reader was shown */
    uint64_t marked_chat;
};

struct circle_shape {
    uint32_t ends, lines;
    uint32_t user_first; /* the first end's, among its process's */
    uint32_t line_first; /* over all circles of all processes */
    uint32_t open_max;   /* letters of a line that may not be through */
    /* Which ends a line joins. */
    void (*join)(uint32_t line, uint32_t *out_writer, uint32_t *out_reader);
    /* After all that a read of an end's socket brought, before what it says leaves. */
    void (*moved)(struct circle *circle, struct end *end, uint64_t now_ns);
    /* The rest may be NULL. An end is welcomed. */
    void (*welcomed)(struct circle *circle, struct end *end);
    /* All have been, for the first time; it tells CROWD_READY. */
    void (*met)(struct circle *circle);
    /* Looks at each event before the circle does. True: it was not the circle's. */
    bool (*taken)(struct circle *circle, struct end *end, const struct client_event *event,
                  uint64_t now_ns);
    /* Of what is not the circle's: is nothing under way? How many letters are through? What is not
     * breaks a promise. */
    bool (*quiet)(const struct circle *circle);
    uint64_t (*through)(const struct circle *circle);
    void (*rest)(struct circle *circle);
};

struct circle {
    struct crowd *crowd;
    struct circle_shape shape;
    struct end *ends;
    struct line *lines;
    uint32_t unknown; /* ends that were never welcomed */
    uint32_t waiting; /* letters that are due and not yet sent: the owner's */
    bool stopped;     /* nothing new will be written: the owner's */
    bool quiet_told;
};

/* Its ends call at once. Borrows the crowd. */
void circle_init(struct circle *circle, const struct crowd_place *place,
                 const struct circle_shape *shape);
void circle_fini(struct circle *circle);
/* CROWD_CALL, CROWD_RESEND, CROWD_FINISH, CROWD_ABANDON and what sockets say. */
void circle_handle(struct circle *circle, struct ln_msg *msg);

/* Is there room for one more letter in the line's judge, and at its writer's device? */
bool circle_has_room(const struct circle *circle, const struct line *line);
/* Writes the letter that was due then. False: the client does not take it now, or the run has
 * failed. The writer's phone is not flushed. */
bool circle_send(struct circle *circle, struct line *line, uint64_t due_ns);
/* What was refused for now is said again after a while; number 0: all that is cumulative, by a new
 * connection. */
void circle_resend_after(uint64_t delay_ms, uint64_t number, uint32_t end);
/* Tells the section, once, when it has stopped and all is through. */
void circle_quiet_tell(struct circle *circle);
/* Has it stopped, and is nothing under way? */
bool circle_quiet(const struct circle *circle);
