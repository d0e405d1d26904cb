/* SPDX-License-Identifier: Apache-2.0 */
/* setTyping. One to one the presence of one's own user tells it to those who watch. In a group its
 * partition says whether one is a member, and who the others are; what is said goes once to each
 * scheduler where some of them are at home, in the lossy lane:
 *
 *     setTyping -- typing_slots -- STORE_GROUP_TYPING -- PRESENCE_CROWD --> foreground devices
 */
#include "actors/command_group.h"
#include "actors/presence.h"

#include <errno.h>
#include <string.h>

static void
done_if_asked(struct connection *connection, uint64_t number, uint64_t ref)
{
    if (ref != 0) {
        event_done(connection, number, ref);
    }
}

/* To those of the members who are at home on the scheduler. */
static void
crowd_send(const struct connection *connection, unsigned scheduler, const struct pending *pending,
           const uint64_t *members, uint32_t count)
{
    const struct messenger *messenger = connection->messenger;
    struct ln_msg *msg = ln_msg_new(PRESENCE_CROWD, LN_LOSSY,
                                    sizeof(struct presence_crowd) + count * sizeof members[0]);
    struct presence_crowd *crowd = (struct presence_crowd *)(void *)msg->data;
    ln_pid presence = 0;
    crowd->group = pending->group;
    crowd->user = connection->user;
    crowd->kind = pending->mode;
    for (uint32_t i = 0; i < count; i++) {
        if (members[i] != connection->user &&
            store_user_home(messenger->store, members[i]) == scheduler) {
            presence = presence_pid(messenger, members[i]);
            crowd->members[crowd->count++] = members[i];
        }
    }
    if (crowd->count > 0) {
        ln_send(presence, &msg);
    } else {
        ln_msg_free(&msg);
    }
}

static void
told(struct connection *connection, const struct pending *pending, const struct ln_msg *answer)
{
    const uint64_t *members = answer->buffer != NULL ? ln_buffer_data(answer->buffer) : NULL;
    size_t bytes = members != NULL ? ln_buffer_bytes(answer->buffer) : 0;
    for (unsigned i = 0; members != NULL && i < ln_schedulers(); i++) {
        crowd_send(connection, i, pending, members, (uint32_t)(bytes / sizeof members[0]));
    }
    done_if_asked(connection, command_number(pending), pending->ref);
}

static const struct request_kind request_typing = {
    .tag = STORE_GROUP_TYPING, .done = told, .refused = command_refuse_group};

static void
type_in_group(struct connection *connection, const Linnet__V1__ClientFrame *frame)
{
    const Linnet__V1__SetTyping *typing = frame->set_typing;
    struct store_group_typing asked = {
        .group = typing->chat->group_id,
        .user = connection->user,
        .members_max = connection->messenger->settings->group_typing_members_max,
    };
    struct pending *pending = command_pending(&request_typing, frame, frame->number);
    struct ln_msg *request = ln_msg_new(STORE_GROUP_TYPING, LN_DURABLE, sizeof asked);
    memcpy(request->data, &asked, sizeof asked);
    pending->group = asked.group;
    pending->mode = (uint8_t)typing->kind;
    command_pending_add(
        connection, pending,
        ln_request(store_user_pid(connection->messenger->store, asked.group), &request));
}

static void
set_typing(struct connection *connection, const Linnet__V1__ClientFrame *frame)
{
    const Linnet__V1__SetTyping *asked = frame->set_typing;
    uint64_t peer = 0;
    int error = command_chat_resolve(connection, asked->chat, &peer);
    if (error != 0) {
        command_refuse_name(connection, frame, "setTyping.chat", error);
        return;
    }
    connection_acted(connection);
    bool group = command_chat_is_group(asked->chat);
    if (group && presence_may_tell_group(connection->messenger, connection->user, peer,
                                         (uint8_t)asked->kind)) {
        type_in_group(connection, frame);
        return;
    }
    if (!group) {
        struct presence_typing typing = {
            .subject = connection->user,
            .user = connection->user,
            .to = &peer,
            .to_count = 1,
            .kind = (uint8_t)asked->kind,
        };
        presence_typing(connection->messenger, &typing);
    }
    done_if_asked(connection, frame->number, frame->ref);
}

const struct command_kind command_set_typing = {set_typing};
