/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/check.h"
#include "tests/store/world.h"

#include <stdio.h>

const char *
world_expired_text(const struct expired *expired)
{
    static char text[HOLES_MAX * 48 + 32];
    size_t used = 0;
    text[0] = '\0';
    for (unsigned i = 0; i < expired->holes.count; i++) {
        const struct hole *hole = &expired->holes.at[i];
        used += (size_t)snprintf(text + used, sizeof(text) - used, "%s%llu-%llu", i > 0 ? " " : "",
                                 (unsigned long long)hole->after + 1, (unsigned long long)hole->to);
    }
    if (expired->unknown != 0) {
        (void)snprintf(text + used, sizeof(text) - used, "%s?%llu", used > 0 ? " " : "",
                       (unsigned long long)expired->unknown);
    }
    return text;
}

static struct record_expired
expired_in(struct world *world, uint64_t user, uint64_t peer)
{
    struct store_key key = record_key(world_partition(world, user), RECORD_CHAT, user, peer);
    struct record_expired expired = {0};
    struct store_value value;
    if (world_get(world, &key, &value)) {
        int error = record_expired_decode(value, &expired);
        ASSERT(error == 0);
    }
    return expired;
}

const char *
world_expired_here(struct world *world, uint64_t user, uint64_t peer)
{
    struct record_expired expired = expired_in(world, user, peer);
    return world_expired_text(&expired.here);
}

const char *
world_expired_there(struct world *world, uint64_t user, uint64_t peer)
{
    struct record_expired expired = expired_in(world, user, peer);
    return world_expired_text(&expired.there);
}
