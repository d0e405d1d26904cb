/* SPDX-License-Identifier: Apache-2.0 */
/* Who was seen when, on its way into the store. */
#include "actors/presence_priv.h"

#include "store/state.h"

#include <string.h>

static void
log_some(struct presence *presence, uint8_t partition, bool all)
{
    struct presence_seen *seen = &presence->seen[partition];
    struct store_seen head = {0};
    if (seen->asked != 0) {
        seen->more = seen->more || all;
        return;
    }
    head.count = presence_table_unlogged(&presence->table, partition, all, presence->scratch,
                                         STORE_SEEN_MAX);
    seen->more = all && head.count == STORE_SEEN_MAX;
    if (head.count == 0) {
        return;
    }
    size_t bytes = head.count * sizeof presence->scratch[0];
    struct ln_msg *request = ln_msg_new(STORE_SEEN, LN_DURABLE, sizeof head);
    memcpy(request->data, &head, sizeof head);
    request->buffer = ln_buffer_new(bytes);
    memcpy(ln_buffer_data(request->buffer), presence->scratch, bytes);
    presence->table.users[partition].kept = true;
    seen->asked = ln_request(store_partition_pid(presence->messenger->store, partition), &request);
    messenger_add(&presence->messenger->counters.presence_seen, head.count);
}

/* Partitions are told in turn, so that no batch of the log carries all of them. */
void
presence_seen_visit(struct presence *presence, uint8_t partition)
{
    struct presence_seen *seen = &presence->seen[partition];
    uint32_t period = (presence_clock().s + partition) / PRESENCE_SEEN_S + 1;
    if (presence->table.users[partition].count == 0) {
        seen->period = period; /* who comes now has all of it */
    } else if (seen->period != period) {
        seen->period = period;
        log_some(presence, partition, true);
    } else if (seen->more || presence->table.users[partition].left) {
        log_some(presence, partition, seen->more);
    }
}

void
presence_seen_answered(struct presence *presence, const struct ln_msg *answer)
{
    unsigned partition = 0;
    while (partition < STORE_PARTITIONS && presence->seen[partition].asked != answer->ref) {
        partition++;
    }
    if (partition == STORE_PARTITIONS) {
        return; /* asked for by an actor before this one */
    }
    presence->seen[partition].asked = 0;
    presence->table.users[partition].kept = false;
    if (answer->error != 0) {
        presence_table_relog(&presence->table, (uint8_t)partition); /* in the next period */
    } else if (presence->seen[partition].more) {
        log_some(presence, (uint8_t)partition, true);
    }
}

void
presence_seen_all(struct presence *presence)
{
    for (unsigned i = 0; i < STORE_PARTITIONS; i++) {
        log_some(presence, (uint8_t)i, true);
    }
}

bool
presence_seen_under_way(const struct presence *presence)
{
    bool under_way = false;
    for (unsigned i = 0; !under_way && i < STORE_PARTITIONS; i++) {
        under_way = presence->seen[i].asked != 0;
    }
    return under_way;
}
