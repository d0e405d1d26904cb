/* SPDX-License-Identifier: Apache-2.0 */
#include "actors/tag.h"

#include "actors/connection.h"
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
    return store_tag_name(tag);
}
