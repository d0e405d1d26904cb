/* SPDX-License-Identifier: Apache-2.0 */
#include "store/fan.h"

enum {
    /* About the CPU that a message to a member who is online costs, at both ends of the socket. */
    MEMBER_NS = 4000,
    /* In times of that for all members. So many messages are worth waiting for, whatever comes:
     * with two a third more segments are sent (1,000 members, 8 messages under way). */
    SHORTEST = 3,
    LONGEST = 12,
    NS_PER_MS = 1000000,
    LONGEST_NS_MAX = 100 * NS_PER_MS,
    MEMBERS_SMALL = NS_PER_MS / (MEMBER_NS * SHORTEST), /* a timer has no less than 1 ms */
};

void
fan_add(struct fan *fan, const uint64_t streams[4], uint32_t members)
{
    uint64_t *to = members > MEMBERS_SMALL ? fan->due : fan->small;
    for (unsigned i = 0; i < 4; i++) {
        to[i] |= streams[i];
    }
    if (members <= MEMBERS_SMALL) {
        return;
    }
    fan->members = members > fan->members ? members : fan->members;
    fan->messages++;
}

bool
fan_is_due(const struct fan *fan)
{
    return fan->messages > 0;
}

static uint64_t
least(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

static uint64_t
earliest_ns(const struct fan *fan)
{
    return fan->begun_ns + fan->member_ns * SHORTEST;
}

/* When the next round may begin, if nothing more is said. */
static uint64_t
next_ns(const struct fan *fan)
{
    uint64_t first_ns = earliest_ns(fan);
    uint64_t quiet_ns = fan->seen_ns + fan->member_ns;
    uint64_t latest_ns = fan->begun_ns + least(fan->member_ns * LONGEST, LONGEST_NS_MAX);
    uint64_t next = fan->messages >= fan->together ? 0 : least(quiet_ns, latest_ns);
    return next > first_ns ? next : first_ns;
}

bool
fan_begin(struct fan *fan, uint64_t now_ns, uint64_t out[4])
{
    for (unsigned i = 0; i < 4; i++) {
        out[i] |= fan->small[i];
        fan->small[i] = 0;
    }
    if (!fan_is_due(fan)) {
        return false;
    }
    if (fan->seen != fan->messages) {
        fan->seen = fan->messages;
        fan->seen_ns = now_ns;
    }
    if (now_ns < next_ns(fan)) {
        return false;
    }
    for (unsigned i = 0; i < 4; i++) {
        out[i] |= fan->due[i];
    }
    *fan = (struct fan){
        .begun_ns = now_ns,
        .member_ns = (uint64_t)fan->members * MEMBER_NS,
        .together = fan->messages,
    };
    return true;
}

/* Before the earliest it is that: more may come until then. */
uint64_t
fan_wait_ms(const struct fan *fan, uint64_t now_ns)
{
    uint64_t first_ns = earliest_ns(fan);
    uint64_t at_ns = now_ns < first_ns ? first_ns : next_ns(fan);
    uint64_t left_ns = at_ns > now_ns ? at_ns - now_ns : 0;
    return (left_ns + NS_PER_MS - 1) / NS_PER_MS;
}
