/* SPDX-License-Identifier: Apache-2.0 */
#include "actors/tag.h"

#include "actors/connection.h"
#include "actors/courier.h"
#include "actors/presence.h"
#include "actors/push.h"
#include "store/tag.h"

const char *
messenger_tag_name(uint32_t tag)
{
#define NAME(tag) [(tag)-CONNECTION_TICK] = #tag
    static const char *const connections[] = {
        NAME(CONNECTION_TICK),     NAME(CONNECTION_ENTER),      NAME(CONNECTION_SLOW),
        NAME(CONNECTION_RECEIPTS), NAME(CONNECTION_READ_AGAIN), NAME(CONNECTION_PAGE),
        NAME(CONNECTION_LOOK),
    };
#undef NAME
    if (tag - CONNECTION_TICK < sizeof connections / sizeof connections[0]) {
        return connections[tag - CONNECTION_TICK];
    }
#define NAME(tag) [(tag)-PRESENCE_ASK] = #tag
    static const char *const presences[] = {
        NAME(PRESENCE_ASK),    NAME(PRESENCE_UNWATCH), NAME(PRESENCE_UPDATES),
        NAME(PRESENCE_CROWD),  NAME(PRESENCE_WAKE),    NAME(PRESENCE_TICK),
        NAME(PRESENCE_ONWARD), NAME(PRESENCE_UPDATE),  NAME(PRESENCE_AGAIN),
    };
#undef NAME
    if (tag - PRESENCE_ASK < sizeof presences / sizeof presences[0]) {
        return presences[tag - PRESENCE_ASK];
    }
#define NAME(tag) [(tag)-PUSH_TICK] = #tag
    static const char *const pushes[] = {NAME(PUSH_TICK), NAME(PUSH_SWEEP), NAME(PUSH_TEST),
                                         NAME(PUSH_SHOW)};
#undef NAME
    if (tag - PUSH_TICK < sizeof pushes / sizeof pushes[0]) {
        return pushes[tag - PUSH_TICK];
    }
#define NAME(tag) [(tag)-COURIER_SEND] = #tag
    static const char *const couriers[] = {NAME(COURIER_SEND), NAME(COURIER_TIMEOUT),
                                           NAME(COURIER_BEGIN)};
#undef NAME
    if (tag - COURIER_SEND < sizeof couriers / sizeof couriers[0]) {
        return couriers[tag - COURIER_SEND];
    }
    return store_tag_name(tag);
}
