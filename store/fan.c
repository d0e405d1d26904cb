/* SPDX-License-Identifier: Apache-2.0 */
#include "store/fan.h"

enum {
    /* About the CPU that a message to a member who is online costs, at both ends of the socket. */
    MEMBER_NS = 4000,
    /* So many messages are worth waiting for. With four, cores begin to idle; with two, a third
     * more segments are sent (1,000 members, 8 messages under way). */
    MESSAGES = 3,
    NS_PER_MS = 1000000,
};

void
fan_add(struct fan *fan, const uint64_t streams[4], uint32_t members)
{
    for (unsigned i = 0; i < 4; i++) {
        fan->due[i] |= streams[i];
    }
    fan->members = members > fan->members ? members : fan->members;
}

bool
fan_is_due(const struct fan *fan)
{
    return (fan->due[0] | fan->due[1] | fan->due[2] | fan->due[3]) != 0;
}

bool
fan_begin(struct fan *fan, uint64_t now_ns, uint64_t out[4])
{
    uint64_t round_ns = (uint64_t)fan->members * MEMBER_NS * MESSAGES;
    if (!fan_is_due(fan) || now_ns < fan->not_before_ns) {
        return false;
    }
    for (unsigned i = 0; i < 4; i++) {
        out[i] |= fan->due[i];
        fan->due[i] = 0;
    }
    fan->members = 0;
    fan->not_before_ns = round_ns >= NS_PER_MS ? now_ns + round_ns : 0;
    return true;
}

uint64_t
fan_wait_ms(const struct fan *fan, uint64_t now_ns)
{
    uint64_t left_ns = fan->not_before_ns > now_ns ? fan->not_before_ns - now_ns : 0;
    return (left_ns + NS_PER_MS - 1) / NS_PER_MS;
}
