/* SPDX-License-Identifier: Apache-2.0 */
#include "actors/push_retry.h"

#include <errno.h>

enum { DOUBLINGS_MAX = 30 };

static enum push_verdict
webhook_verdict(int status)
{
    switch (status) {
    case 410:
        return PUSH_GONE;
    case 400:
    case 413:
    case 422:
        return PUSH_REFUSED;
    default:
        return PUSH_AGAIN;
    }
}

static enum push_verdict
webpush_verdict(int status)
{
    switch (status) {
    case 404:
    case 410:
        return PUSH_GONE;
    case 408:
    case 425:
    case 429:
        return PUSH_AGAIN;
    default:
        return status >= 300 && status < 500 ? PUSH_REFUSED : PUSH_AGAIN;
    }
}

enum push_verdict
push_verdict_of(enum store_wake_kind kind, int status)
{
    if (status >= 200 && status < 300) {
        return PUSH_ACCEPTED;
    }
    return kind == STORE_WAKE_WEBHOOK ? webhook_verdict(status) : webpush_verdict(status);
}

bool
push_is_of_server(int status)
{
    switch (status) {
    case -EACCES:
    case -EBUSY:
    case -EINVAL:
    case -ENOBUFS:
    case -ENOMEM:
    case -EOPNOTSUPP:
        return false;
    default:
        return true;
    }
}

uint64_t
push_pause_ms(unsigned attempt, uint64_t first_ms, uint64_t most_ms, uint32_t chance)
{
    unsigned doublings = attempt > 0 ? attempt - 1 : 0;
    if (doublings > DOUBLINGS_MAX) {
        doublings = DOUBLINGS_MAX;
    }
    uint64_t pause_ms = first_ms << doublings;
    if (pause_ms > most_ms || pause_ms >> doublings != first_ms) {
        pause_ms = most_ms;
    }
    return pause_ms - (pause_ms / 2 * chance >> 32);
}
