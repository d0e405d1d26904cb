/* SPDX-License-Identifier: Apache-2.0 */
/* push_origin.h - the servers that pushes go to, as one push actor knows them: how many couriers
 * each has, and whether it is to be left alone for a while.
 *
 *     origin = push_origin_get(&origins, "https://push.example.net", kind, now_ns);
 *     if (origin->resume_ns > now_ns) ... it failed lately, or asked for patience
 *
 * A server that does not answer would otherwise be tried by each of the devices that it serves, and
 * hold a courier each time until that gives up. 429 is another thing: it speaks of one device's
 * subscription first, and of all only when several in a row hear nothing else. Devices' own
 * endpoints and the operator's webhook are kept apart, though they may be one server. A list, the
 * one used last in front: there are few, and most pushes go to the first of them. One actor's.
 */
#pragma once

#include "net/url.h"

#include <stdbool.h>

enum { PUSH_ORIGINS_MAX = 256, PUSH_ORIGIN_LIMITED_MAX = 3 };

struct push_origin {
    struct push_origin *next;
    char text[URL_ORIGIN_BYTES];
    uint8_t kind;       /* enum store_wake_kind */
    uint8_t limited;    /* so many were answered 429, in a row */
    uint32_t busy;      /* couriers under way to it */
    uint32_t waiting;   /* pushes that are ready for one */
    unsigned failures;  /* in a row */
    uint64_t resume_ns; /* not to be asked before */
};

struct push_origins {
    struct push_origin *first;
    unsigned count;
};

/* In the actor that owns them, whose memory they take. NULL: there are PUSH_ORIGINS_MAX, and each
 * has something under way. Good while it has, and until the next get. */
struct push_origin *push_origin_get(struct push_origins *origins, const char *text, uint8_t kind,
                                    uint64_t now_ns);
/* It answered. */
void push_origin_good(struct push_origin *origin);
/* It answered 429. Whether that is meant for all: PUSH_ORIGIN_LIMITED_MAX have heard it, in a
 * row. */
bool push_origin_limits(struct push_origin *origin);
/* It did not: how often it has failed in a row by now. While it is left alone the count stays: what
 * was under way together failed together, and once. */
unsigned push_origin_bad(struct push_origin *origin, uint64_t now_ns);
/* It is to be left alone for pause_ms from now on, if not for longer already. */
void push_origin_pause(struct push_origin *origin, uint64_t now_ns, uint64_t pause_ms);
