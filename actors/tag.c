/* SPDX-License-Identifier: Apache-2.0 */
#include "actors/tag.h"

#include "actors/connection.h"
#include "actors/presence.h"
#include "store/tag.h"

const char *
messenger_tag_name(uint32_t tag)
{
#define NAME(tag) [(tag)-CONNECTION_TICK] = #tag
    static const char *const connections[] = {
        NAME(CONNECTION_TICK),      NAME(CONNECTION_ENTER),      NAME(CONNECTION_SLOW),
        NAME(CONNECTION_ACK_AGAIN), NAME(CONNECTION_READ_AGAIN),
    };
#undef NAME
    if (tag - CONNECTION_TICK < sizeof connections / sizeof connections[0]) {
        return connections[tag - CONNECTION_TICK];
    }
#define NAME(tag) [(tag)-PRESENCE_ASK] = #tag
    static const char *const presences[] = {
        NAME(PRESENCE_ASK),  NAME(PRESENCE_UNWATCH), NAME(PRESENCE_UPDATES), NAME(PRESENCE_WAKE),
        NAME(PRESENCE_TICK), NAME(PRESENCE_ONWARD),  NAME(PRESENCE_UPDATE),  NAME(PRESENCE_AGAIN),
    };
#undef NAME
    if (tag - PRESENCE_ASK < sizeof presences / sizeof presences[0]) {
        return presences[tag - PRESENCE_ASK];
    }
    return store_tag_name(tag);
}
