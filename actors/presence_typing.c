/* SPDX-License-Identifier: Apache-2.0 */
/* Who types: told at once, unless it has to give way. */
#include "actors/presence_priv.h"

static void
tell_at_once(void *context, ln_pid connection, const struct presence_update *update)
{
    struct messenger *messenger = context;
    messenger_count(&messenger->counters.presence_updates);
    presence_tell(connection, update);
}

/* Typing is to give way; counted. */
static bool
typing_gives_way(const struct presence *presence)
{
    struct messenger *messenger = presence->messenger;
    bool shed = presence->walk.busy || messenger_pressure(messenger) >= PRESSURE_TYPING;
    messenger_add(&messenger->counters.shed[PRESSURE_TYPING], shed);
    return shed;
}

void
presence_typing(struct messenger *messenger, const struct presence_typing *typing)
{
    struct presence *presence = presence_here(messenger);
    struct presence_teller teller = {
        .tell = tell_at_once,
        .context = messenger,
        .left = typing_gives_way(presence) ? 0 : PRESENCE_SLICE_UPDATES,
    };
    uint32_t passed_over =
        presence_table_typing(&presence->table, presence_partition(presence, typing->subject),
                              typing, presence_clock().s, &teller);
    messenger_add(&messenger->counters.presence_dropped, passed_over);
}

bool
presence_may_tell_group(struct messenger *messenger, uint64_t user, uint64_t group, uint8_t kind)
{
    struct presence *presence = presence_here(messenger);
    if (typing_gives_way(presence)) {
        messenger_count(&messenger->counters.presence_dropped);
        return false;
    }
    return typing_slots_due(&presence->typing, user, group, kind, presence_clock().s);
}

void
presence_crowd(struct presence *presence, const struct ln_msg *msg)
{
    const struct presence_crowd *crowd = (const struct presence_crowd *)(const void *)msg->data;
    struct messenger *messenger = presence->messenger;
    struct presence_update update = {.subject = crowd->group,
                                     .user = crowd->user,
                                     .kind = PRESENCE_TYPING,
                                     .typing = crowd->kind,
                                     .in_group = true};
    if (typing_gives_way(presence)) {
        messenger_add(&messenger->counters.presence_dropped, crowd->count);
        return;
    }
    struct presence_teller teller = {
        .tell = tell_at_once, .context = messenger, .left = presence->crowd_left};
    uint32_t passed_over = 0;
    for (uint32_t i = 0; i < crowd->count; i++) {
        passed_over += presence_table_tell_online(&presence->table,
                                                  presence_partition(presence, crowd->members[i]),
                                                  crowd->members[i], &update, &teller);
    }
    presence->crowd_left = teller.left;
    messenger_add(&messenger->counters.presence_dropped, passed_over);
}
