/* SPDX-License-Identifier: Apache-2.0 */
/* evil.h - what an evil node does to its events: once in so many it breaks a promise, in the way
 * that no client library can hide.
 *
 *     evil_init(&evil, EVIL_SWAP, 10000);
 *     evil_line_init(&line);                                  one per connection
 *     evil_event(&evil, &line, frame, &arena, out, &count);   what goes to the client instead
 *     evil_command(&line, client_frame);                      what goes to the node
 *
 * Inbox numbers keep rising, or the client would see at once that the node speaks nonsense: where
 * an entry is added all that follow get a greater number, and acknowledgements are turned back.
 */
#pragma once

#include "net/arena.h"
#include "net/linnet.pb-c.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum evil_kind {
    EVIL_HONEST,
    EVIL_LOSE,         /* a message is not shown */
    EVIL_DUPLICATE,    /* shown again as another entry, under another id */
    EVIL_REPEAT,       /* shown again as another entry, under its own id: no promise is broken */
    EVIL_SWAP,         /* two messages are shown in each other's place */
    EVIL_CORRUPT,      /* one byte of a text is another */
    EVIL_TICK_EARLY,   /* a delivered cursor, or a count, is ahead of what readers have said */
    EVIL_TICK_BACK,    /* a delivered cursor is behind what was told */
    EVIL_TICK_NEVER,   /* from then on no cursor is told on this connection */
    EVIL_ANSWER_TWICE, /* one message, two answers */
    EVIL_ANSWER_NEVER, /* an answer is kept back */
    EVIL_KINDS,
};

enum { EVIL_EVENTS_MAX = 2, EVIL_HELD_BYTES_MAX = 4096 };

/* One per proxy. */
struct evil {
    enum evil_kind kind;
    uint64_t every;  /* messages, ticks of messages, or answers */
    uint64_t passed; /* of them since the last deed */
    uint64_t deeds;
};

/* Of one connection. */
struct evil_line {
    uint64_t shift;          /* of inbox numbers */
    uint64_t delivered_last; /* the cursor that was told last */
    bool mute;
    /* A message that waits for the next one to take its place; 0: none. */
    size_t held_bytes;
    unsigned char held[EVIL_HELD_BYTES_MAX];
};

const char *evil_kind_name(enum evil_kind kind);
/* False: there is no such kind. */
bool evil_kind_parse(const char *name, enum evil_kind *out);

void evil_init(struct evil *evil, enum evil_kind kind, uint64_t every);
void evil_line_init(struct evil_line *line);

/* Makes of one event what the client gets: *out_count of them, in the arena or changed in place. */
void evil_event(struct evil *evil, struct evil_line *line, Linnet__V1__ServerFrame *frame,
                struct arena *arena, Linnet__V1__ServerFrame *out[EVIL_EVENTS_MAX],
                size_t *out_count);
/* Makes of a command what the node gets, in place. */
void evil_command(const struct evil_line *line, Linnet__V1__ClientFrame *frame);
