/* SPDX-License-Identifier: Apache-2.0 */
/* What a device is told of groups. */
#include "actors/event.h"

#include "store/group.h"

#include <string.h>

void
event_chat(const struct store_entry *entry, Linnet__V1__Chat *out)
{
    linnet__v1__chat__init(out);
    switch ((int)entry->kind) {
    case STORE_ENTRY_GROUP_MESSAGE:
    case STORE_ENTRY_GROUP_UPDATE:
    case STORE_ENTRY_GROUP_CURSORS:
    case STORE_ENTRY_GROUP_COUNTS:
    case STORE_ENTRY_GROUP_CHANGE:
        out->peer_case = LINNET__V1__CHAT__PEER_GROUP_ID;
        out->group_id = entry->peer;
        break;
    default:
        out->peer_case = LINNET__V1__CHAT__PEER_USER_ID;
        out->user_id = entry->peer;
        break;
    }
}

/* --------------------------------------------------------------------------------------- update */

/* The subjects of a change as the schema has them; one allocation, the caller's to free. */
static Linnet__V1__Participant **
subjects_of(const struct store_entry_update *update)
{
    size_t count = update->subjects;
    if (count == 0) {
        return NULL;
    }
    Linnet__V1__Participant **list = ln_alloc(count * (sizeof(void *) + sizeof **list));
    Linnet__V1__Participant *participants = (Linnet__V1__Participant *)(void *)(list + count);
    for (size_t i = 0; i < count; i++) {
        linnet__v1__participant__init(&participants[i]);
        participants[i].user_case = LINNET__V1__PARTICIPANT__USER_USER_ID;
        memcpy(&participants[i].user_id, update->subject_ids + i * sizeof(uint64_t),
               sizeof(uint64_t));
        list[i] = &participants[i];
    }
    return list;
}

/* What an event points to while it is sent. */
struct parts {
    char text[STORE_GROUP_DESCRIPTION_BYTES_MAX + 1];
    Linnet__V1__Participant **subjects;
    Linnet__V1__Participants participants;
    Linnet__V1__ChatCreated created;
    Linnet__V1__ChatRights rights;
    Linnet__V1__Nothing nothing;
};

static void
parts_make(const struct store_entry_update *update, struct parts *out)
{
    ASSERT(update->text_bytes < sizeof out->text);
    memcpy(out->text, update->text, update->text_bytes);
    out->text[update->text_bytes] = '\0';
    out->subjects = subjects_of(update);
    linnet__v1__participants__init(&out->participants);
    out->participants.n_participants = update->subjects;
    out->participants.participants = out->subjects;
    linnet__v1__chat_created__init(&out->created);
    out->created.name = out->text;
    linnet__v1__chat_rights__init(&out->rights);
    out->rights.only_admins_send = (update->value & STORE_GROUP_ALL_SEND) == 0;
    out->rights.only_admins_add = (update->value & STORE_GROUP_ALL_ADD) == 0;
    out->rights.only_admins_edit = (update->value & STORE_GROUP_ALL_EDIT) == 0;
    linnet__v1__nothing__init(&out->nothing);
}

/* Which of the event's changes a kind is; the members of a oneof share their place. */
static Linnet__V1__ChatUpdate__ChangeCase
change_of(enum store_group_change_kind kind)
{
    static const uint8_t cases[STORE_GROUP_CHANGE_KINDS] = {
        [STORE_GROUP_CREATED] = LINNET__V1__CHAT_UPDATE__CHANGE_CREATED,
        [STORE_GROUP_ADD] = LINNET__V1__CHAT_UPDATE__CHANGE_ADDED,
        [STORE_GROUP_REMOVE] = LINNET__V1__CHAT_UPDATE__CHANGE_REMOVED,
        [STORE_GROUP_PROMOTE] = LINNET__V1__CHAT_UPDATE__CHANGE_PROMOTED,
        [STORE_GROUP_DEMOTE] = LINNET__V1__CHAT_UPDATE__CHANGE_DEMOTED,
        [STORE_GROUP_ENTITLE] = LINNET__V1__CHAT_UPDATE__CHANGE_ENTITLED,
        [STORE_GROUP_LEAVE] = LINNET__V1__CHAT_UPDATE__CHANGE_LEFT,
        [STORE_GROUP_RENAME] = LINNET__V1__CHAT_UPDATE__CHANGE_NAME,
        [STORE_GROUP_DESCRIBE] = LINNET__V1__CHAT_UPDATE__CHANGE_DESCRIPTION,
        [STORE_GROUP_PICTURE] = LINNET__V1__CHAT_UPDATE__CHANGE_PICTURE,
        [STORE_GROUP_TTL] = LINNET__V1__CHAT_UPDATE__CHANGE_TTL_MS,
        [STORE_GROUP_RIGHTS] = LINNET__V1__CHAT_UPDATE__CHANGE_RIGHTS,
        [STORE_GROUP_INVITE] = LINNET__V1__CHAT_UPDATE__CHANGE_INVITED,
        [STORE_GROUP_REVOKE] = LINNET__V1__CHAT_UPDATE__CHANGE_INVITE_REVOKED,
        [STORE_GROUP_JOIN] = LINNET__V1__CHAT_UPDATE__CHANGE_JOINED,
        [STORE_GROUP_DELETE] = LINNET__V1__CHAT_UPDATE__CHANGE_DELETED,
    };
    ASSERT(kind < STORE_GROUP_CHANGE_KINDS && cases[kind] != 0);
    return (Linnet__V1__ChatUpdate__ChangeCase)cases[kind];
}

static void
change_set(const struct store_entry_update *update, struct parts *parts,
           Linnet__V1__ChatUpdate *event)
{
    event->change_case = change_of((enum store_group_change_kind)update->kind);
    switch ((int)update->kind) {
    case STORE_GROUP_CREATED:
        event->created = &parts->created;
        break;
    case STORE_GROUP_ADD:
    case STORE_GROUP_REMOVE:
    case STORE_GROUP_PROMOTE:
    case STORE_GROUP_DEMOTE:
    case STORE_GROUP_ENTITLE:
        event->added = &parts->participants;
        break;
    case STORE_GROUP_RENAME:
    case STORE_GROUP_DESCRIBE:
    case STORE_GROUP_PICTURE:
        event->name = parts->text;
        break;
    case STORE_GROUP_TTL:
        event->ttl_ms = update->value;
        break;
    case STORE_GROUP_RIGHTS:
        event->rights = &parts->rights;
        break;
    default:
        event->left = &parts->nothing;
        break;
    }
}

void
event_group_update(struct connection *connection, const struct store_entry *entry)
{
    const struct store_entry_update *update = &entry->update;
    struct parts parts;
    Linnet__V1__Chat chat;
    event_chat(entry, &chat);
    parts_make(update, &parts);
    Linnet__V1__ChatUpdate event = LINNET__V1__CHAT_UPDATE__INIT;
    event.inbox_number = entry->number;
    event.chat = &chat;
    event.update = update->update;
    event.chat_number = update->chat_number;
    event.server_time_ms = update->time_ms;
    event.author_user_id = update->author;
    event.members = update->members;
    change_set(update, &parts, &event);
    Linnet__V1__ServerFrame frame = LINNET__V1__SERVER_FRAME__INIT;
    frame.event_case = LINNET__V1__SERVER_FRAME__EVENT_CHAT_UPDATE;
    frame.chat_update = &event;
    event_send(connection, &frame);
    if (entry->number != 0) {
        messenger_count(&connection->messenger->counters.chat_updates);
    }
    ln_free(parts.subjects);
}

/* ------------------------------------------------------------------------------------- receipts */

static void
gap_send(struct connection *connection, const struct store_entry *entry)
{
    Linnet__V1__Chat chat;
    event_chat(entry, &chat);
    Linnet__V1__ChatGap event = LINNET__V1__CHAT_GAP__INIT;
    event.inbox_number = entry->number;
    event.chat = &chat;
    event.from_chat_number = entry->group_cursors.gap_from;
    event.to_chat_number = entry->group_cursors.gap_to;
    Linnet__V1__ServerFrame frame = LINNET__V1__SERVER_FRAME__INIT;
    frame.event_case = LINNET__V1__SERVER_FRAME__EVENT_CHAT_GAP;
    frame.chat_gap = &event;
    event_send(connection, &frame);
    messenger_count(&connection->messenger->counters.chat_gaps);
}

void
event_group_cursors(struct connection *connection, const struct store_entry *entry)
{
    const struct store_entry_group_cursors *cursors = &entry->group_cursors;
    if (cursors->gap_moved) {
        gap_send(connection, entry);
    }
    if (cursors->own_moved) {
        event_receipts(connection, entry, connection->user, cursors->delivered, cursors->read);
    }
}

void
event_group_counts(struct connection *connection, const struct store_entry *entry)
{
    const struct store_entry_group_counts *counts = &entry->group_counts;
    Linnet__V1__MessageCount messages[STORE_GROUP_COUNTS_MAX];
    Linnet__V1__MessageCount *list[STORE_GROUP_COUNTS_MAX];
    Linnet__V1__Chat chat;
    event_chat(entry, &chat);
    for (unsigned i = 0; i < counts->count; i++) {
        struct store_group_count count = entry_group_count(counts, i);
        linnet__v1__message_count__init(&messages[i]);
        messages[i].chat_number = count.chat_number;
        messages[i].delivered = count.delivered;
        messages[i].read = count.read;
        messages[i].expired = count.expired;
        list[i] = &messages[i];
    }
    Linnet__V1__GroupReceipts event = LINNET__V1__GROUP_RECEIPTS__INIT;
    event.inbox_number = entry->number;
    event.chat = &chat;
    event.members = counts->members;
    event.delivered_all = counts->delivered_all;
    event.read_all = counts->read_all;
    event.n_counts = counts->count;
    event.counts = list;
    Linnet__V1__ServerFrame frame = LINNET__V1__SERVER_FRAME__INIT;
    frame.event_case = LINNET__V1__SERVER_FRAME__EVENT_GROUP_RECEIPTS;
    frame.group_receipts = &event;
    event_send_receipts(connection, &frame);
}
