/* SPDX-License-Identifier: Apache-2.0 */
/* How far chats and groups have got: what listChats and listGroups are answered with, and a resync
 * comes with. */
#include "actors/connection_priv.h"
#include "actors/event.h"
#include "store/group.h"

_Static_assert((int)STORE_GROUP_NOBODY == (int)LINNET__V1__CHAT_MEMBER__ROLE__NOBODY &&
                   (int)STORE_GROUP_MEMBER == (int)LINNET__V1__CHAT_MEMBER__ROLE__MEMBER &&
                   (int)STORE_GROUP_ADMIN == (int)LINNET__V1__CHAT_MEMBER__ROLE__ADMIN &&
                   (int)STORE_GROUP_OWNER == (int)LINNET__V1__CHAT_MEMBER__ROLE__OWNER,
               "the store's roles are the protocol's");

struct chat_row {
    Linnet__V1__ChatState state;
    Linnet__V1__Chat chat;
};

static void
row_fill(const struct store_chat *stored, struct chat_row *out)
{
    linnet__v1__chat_state__init(&out->state);
    linnet__v1__chat__init(&out->chat);
    out->chat.peer_case = LINNET__V1__CHAT__PEER_USER_ID;
    out->chat.user_id = stored->peer;
    out->state.chat = &out->chat;
    out->state.last = stored->last;
    out->state.delivered = stored->delivered;
    out->state.read = stored->read;
    out->state.unread = stored->last - stored->read;
    out->state.peer_delivered = stored->peer_delivered;
    out->state.peer_read = stored->peer_read;
    out->state.ttl_ms = stored->ttl_ms;
}

static void
row_fill_expired(const struct store_chat *stored, struct event_expired *expired,
                 struct chat_row *out)
{
    event_expired(&stored->peer_expired, expired);
    out->state.peer_expired_after = expired->after;
    out->state.peer_expired = expired->to;
    out->state.n_peer_expired_earlier = expired->count;
    out->state.peer_expired_earlier = expired->places;
    out->state.peer_expired_unknown = expired->unknown;
}

/* The few rows of which something expired have a place more. */
static size_t
page_bytes(const struct store_chat *stored, uint32_t count)
{
    size_t bytes = count * (sizeof(struct chat_row) + sizeof(void *));
    for (uint32_t i = 0; i < count; i++) {
        bytes += expired_is_none(&stored[i].peer_expired) ? 0 : sizeof(struct event_expired);
    }
    return bytes;
}

void
chat_page_fill(const struct ln_msg *answer, struct chat_page *out)
{
    const struct store_rows *rows = (const struct store_rows *)(const void *)answer->data;
    const struct store_chat *stored = rows->count > 0 ? ln_buffer_data(answer->buffer) : NULL;
    linnet__v1__chat_list__init(&out->list);
    out->memory = NULL;
    if (rows->count == 0) {
        return;
    }
    struct chat_row *filled = ln_alloc(page_bytes(stored, rows->count));
    out->memory = filled;
    out->list.chats = (Linnet__V1__ChatState **)(void *)(filled + rows->count);
    out->list.n_chats = rows->count;
    struct event_expired *expired = (struct event_expired *)(void *)(out->list.chats + rows->count);
    for (uint32_t i = 0; i < rows->count; i++) {
        row_fill(&stored[i], &filled[i]);
        if (!expired_is_none(&stored[i].peer_expired)) {
            row_fill_expired(&stored[i], expired++, &filled[i]);
        }
        out->list.chats[i] = &filled[i].state;
    }
    out->list.next = rows->more ? stored[rows->count - 1].peer : 0;
}

void
chat_page_free(struct chat_page *page)
{
    if (page->memory != NULL) {
        ln_free(page->memory);
    }
}

struct group_row {
    Linnet__V1__Membership membership;
    Linnet__V1__Chat chat;
};

static void
group_row_fill(const struct store_membership *stored, struct group_row *out)
{
    linnet__v1__membership__init(&out->membership);
    linnet__v1__chat__init(&out->chat);
    out->chat.peer_case = LINNET__V1__CHAT__PEER_GROUP_ID;
    out->chat.group_id = stored->group;
    out->membership.chat = &out->chat;
    out->membership.role = (Linnet__V1__ChatMember__Role)stored->role;
    out->membership.gone = stored->gone;
    out->membership.joined = stored->joined;
    out->membership.chat_number = stored->last;
    out->membership.delivered = stored->delivered;
    out->membership.read = stored->read;
    out->membership.unread = stored->unread;
}

void
group_page_fill(const struct ln_msg *answer, struct group_page *out)
{
    const struct store_rows *rows = (const struct store_rows *)(const void *)answer->data;
    const struct store_membership *stored = rows->count > 0 ? ln_buffer_data(answer->buffer) : NULL;
    linnet__v1__memberships__init(&out->list);
    out->memory = NULL;
    if (rows->count == 0) {
        return;
    }
    size_t row_bytes = sizeof(struct group_row) + sizeof(void *);
    struct group_row *filled = ln_alloc(rows->count * row_bytes);
    out->memory = filled;
    out->list.groups = (Linnet__V1__Membership **)(void *)(filled + rows->count);
    out->list.n_groups = rows->count;
    for (uint32_t i = 0; i < rows->count; i++) {
        group_row_fill(&stored[i], &filled[i]);
        out->list.groups[i] = &filled[i].membership;
    }
    out->list.more_after_group_id = rows->more ? stored[rows->count - 1].group : 0;
}

void
group_page_free(struct group_page *page)
{
    if (page->memory != NULL) {
        ln_free(page->memory);
    }
}
