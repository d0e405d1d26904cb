/* SPDX-License-Identifier: Apache-2.0 */
#include "actors/push_origin.h"

#include "runtime/linnet.h"

#include <stdio.h>
#include <string.h>

/* The place of the pointer to the origin; at the end of the list: there is none. */
static struct push_origin **
find(struct push_origins *origins, const char *text, uint8_t kind)
{
    struct push_origin **at = &origins->first;
    while (*at != NULL && ((*at)->kind != kind || strcmp((*at)->text, text) != 0)) {
        at = &(*at)->next;
    }
    return at;
}

/* The one that has rested longest. NULL: none rests. */
static struct push_origin **
find_resting(struct push_origins *origins, uint64_t now_ns)
{
    struct push_origin **resting = NULL;
    for (struct push_origin **at = &origins->first; *at != NULL; at = &(*at)->next) {
        if ((*at)->busy == 0 && (*at)->waiting == 0 && (*at)->resume_ns <= now_ns) {
            resting = at;
        }
    }
    return resting;
}

struct push_origin *
push_origin_get(struct push_origins *origins, const char *text, uint8_t kind, uint64_t now_ns)
{
    struct push_origin **at = find(origins, text, kind);
    struct push_origin *origin = *at;
    if (origin == NULL && origins->count < PUSH_ORIGINS_MAX) {
        origin = ln_alloc(sizeof *origin);
        origins->count++;
    } else if (origin == NULL) {
        at = find_resting(origins, now_ns);
        if (at == NULL) {
            return NULL;
        }
        origin = *at;
        *at = origin->next;
        memset(origin, 0, sizeof *origin);
    } else {
        *at = origin->next;
    }
    (void)snprintf(origin->text, sizeof origin->text, "%s", text);
    origin->kind = kind;
    origin->next = origins->first;
    origins->first = origin;
    return origin;
}

void
push_origin_good(struct push_origin *origin)
{
    origin->failures = 0;
    origin->limited = 0;
    origin->resume_ns = 0;
}

bool
push_origin_limits(struct push_origin *origin)
{
    if (origin->limited < PUSH_ORIGIN_LIMITED_MAX) {
        origin->limited++;
    }
    return origin->limited == PUSH_ORIGIN_LIMITED_MAX;
}

unsigned
push_origin_bad(struct push_origin *origin, uint64_t now_ns)
{
    if (origin->resume_ns <= now_ns) {
        origin->failures++;
    }
    return origin->failures;
}

void
push_origin_pause(struct push_origin *origin, uint64_t now_ns, uint64_t pause_ms)
{
    uint64_t resume_ns = now_ns + pause_ms * UINT64_C(1000000);
    if (resume_ns > origin->resume_ns) {
        origin->resume_ns = resume_ns;
    }
}
