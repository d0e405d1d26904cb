/* SPDX-License-Identifier: Apache-2.0 */
/* The node is trusted no further than it makes sense: what an event points at is there, numbers
 * rise, nothing comes before the welcome. Events that this version doesn't know are passed over. */
#include "net/client_event.h"

#include <errno.h>
#include <stdlib.h>

#include "net/client_priv.h"
#include "net/seen.h"

static int
nonsense(struct client *client, struct client_event *out_event, const char *text)
{
    client_give_up(client, out_event, PROTOCOL_CLOSE_PROTOCOL_ERROR, text);
    return 0;
}

static int
event(struct client_event *out_event, enum client_event_kind kind, uint64_t number, uint64_t ref)
{
    out_event->kind = kind;
    out_event->number = number;
    out_event->ref = ref;
    return 0;
}

static uint32_t
limit_of(uint64_t told, uint32_t otherwise)
{
    if (told == 0) {
        return otherwise;
    }
    return told < UINT32_MAX ? (uint32_t)told : UINT32_MAX;
}

static void
limits_take(struct client *client, const Linnet__V1__Limits *limits)
{
    if (limits == NULL) {
        return;
    }
    client->unanswered_max = limit_of(limits->commands_unanswered_max, client->unanswered_max);
    client->message_bytes_max = limit_of(limits->message_bytes_max, client->message_bytes_max);
    client->attachments_max = limit_of(limits->attachments_max, client->attachments_max);
    client->group_members_max = limit_of(limits->group_members_max, client->group_members_max);
}

static int
welcome_read(struct client *client, const Linnet__V1__Welcome *welcome,
             struct client_event *out_event)
{
    if (client->state == CLIENT_READY) {
        return nonsense(client, out_event, "a second welcome");
    }
    if (welcome->user_id == 0 || welcome->device == 0) {
        return nonsense(client, out_event, "a welcome for nobody");
    }
    if (client->user_id != 0 &&
        (client->user_id != welcome->user_id || client->device != welcome->device)) {
        return nonsense(client, out_event, "a welcome for another device");
    }
    uint64_t acknowledged = client->acknowledged;
    if (acknowledged > welcome->inbox_acknowledged && client_ack_write(client, acknowledged) < 0) {
        client_give_up(client, out_event, PROTOCOL_CLOSE_GOING_AWAY, "out of memory");
        return 0;
    }
    client->user_id = welcome->user_id;
    client->device = welcome->device;
    if (welcome->inbox_acknowledged > acknowledged) {
        client->acknowledged = welcome->inbox_acknowledged;
    }
    if (client->inbox_given < client->acknowledged) {
        client->inbox_given = client->acknowledged;
    }
    /* Else what was refused for now would fall out of the window. */
    if (!client->numbered && client->next_number < welcome->next_command) {
        client->next_number = welcome->next_command;
    }
    client->numbered = true;
    client->state = CLIENT_READY;
    client->login = NULL;
    limits_take(client, welcome->limits);
    client_outbox_write(client);
    out_event->welcome = welcome;
    return event(out_event, CLIENT_WELCOME, 0, 0);
}

/* Was it given to the owner before: on an earlier connection under this inbox number, or lately
 * under this id? */
static int
duplicate_judge(struct client *client, const Linnet__V1__NewMessage *message, bool *out_duplicate)
{
    if (client->seen == NULL) {
        client->seen = calloc(1, sizeof(*client->seen));
        if (client->seen == NULL) {
            return -ENOMEM;
        }
    }
    const Linnet__V1__MessageId *id = message->id;
    bool seen = seen_before(client->seen, id->user_id, id->device, id->number);
    bool given = message->inbox_number != 0 && message->inbox_number <= client->inbox_given;
    *out_duplicate = seen || given;
    return 0;
}

static int
message_read(struct client *client, const Linnet__V1__NewMessage *message,
             struct client_event *out_event)
{
    if (message->id == NULL || message->chat == NULL || message->sender == NULL) {
        return nonsense(client, out_event, "a message without id, chat or sender");
    }
    if (message->id->number == 0 || message->id->device > UINT16_MAX) {
        return nonsense(client, out_event, "a message with no proper id");
    }
    if (message->inbox_number != 0 && message->inbox_number <= client->inbox_last) {
        return nonsense(client, out_event, "inbox numbers don't rise");
    }
    bool duplicate;
    if (duplicate_judge(client, message, &duplicate) < 0) {
        client_give_up(client, out_event, PROTOCOL_CLOSE_GOING_AWAY, "out of memory");
        return 0;
    }
    if (message->inbox_number != 0) {
        client->inbox_last = message->inbox_number;
    }
    if (client->inbox_given < message->inbox_number) {
        client->inbox_given = message->inbox_number;
    }
    out_event->message = message;
    return event(out_event, duplicate ? CLIENT_DUPLICATE : CLIENT_MESSAGE, 0, 0);
}

static int
update_read(struct client *client, const Linnet__V1__ChatUpdate *update,
            struct client_event *out_event)
{
    bool numbered = update->inbox_number != 0; /* a history's is not */
    if (update->chat == NULL || (numbered && update->inbox_number <= client->inbox_last)) {
        return nonsense(client, out_event, "an update without chat, or out of order");
    }
    out_event->again = numbered && update->inbox_number <= client->inbox_given;
    if (numbered) {
        client->inbox_last = update->inbox_number;
    }
    if (client->inbox_given < update->inbox_number) {
        client->inbox_given = update->inbox_number;
    }
    out_event->update = update;
    return event(out_event, CLIENT_UPDATE, 0, 0);
}

/* What is answered leaves the outbox, if it was there. The command's ref. */
static uint64_t
answered(struct client *client, const Linnet__V1__Answer *answer)
{
    struct outbox_entry *entry = outbox_find(&client->outbox, answer->number);
    uint64_t ref = entry != NULL ? entry->ref : answer->ref;
    if (entry != NULL) {
        outbox_remove(&client->outbox, entry);
    } else {
        client->others_unanswered -= client->others_unanswered > 0;
    }
    client_outbox_write(client);
    return ref;
}

static int
changed_read(struct client *client, const Linnet__V1__MessageChanged *changed,
             struct client_event *out_event)
{
    if (changed->id == NULL || changed->chat == NULL || changed->sender == NULL) {
        return nonsense(client, out_event, "a change without id, chat or sender");
    }
    if (changed->inbox_number <= client->inbox_last) {
        return nonsense(client, out_event, "inbox numbers don't rise");
    }
    client->inbox_last = changed->inbox_number;
    out_event->again = changed->inbox_number <= client->inbox_given;
    if (!out_event->again) {
        client->inbox_given = changed->inbox_number;
    }
    out_event->changed = changed;
    return event(out_event, CLIENT_CHANGED, 0, 0);
}

static int
refusal_read(struct client *client, const Linnet__V1__Answer *answer,
             struct client_event *out_event)
{
    struct outbox_entry *entry = outbox_find(&client->outbox, answer->number);
    uint64_t ref = entry != NULL ? entry->ref : answer->ref;
    out_event->error = answer->error;
    out_event->final = !protocol_error_passes(answer->error->code);
    if (entry == NULL) {
        client->others_unanswered -= client->others_unanswered > 0;
    } else if (out_event->final) {
        outbox_remove(&client->outbox, entry);
    } else {
        outbox_move(&client->outbox, entry, OUTBOX_REFUSED);
    }
    client_outbox_write(client);
    return event(out_event, CLIENT_REFUSED, answer->number, ref);
}

static int
sent_read(struct client *client, const Linnet__V1__Answer *answer, struct client_event *out_event)
{
    if (answer->sent->id == NULL) {
        return nonsense(client, out_event, "an answer without the message's id");
    }
    uint64_t ref = answered(client, answer);
    out_event->sent = answer->sent;
    return event(out_event, CLIENT_SENT, answer->number, ref);
}

static int
answer_read(struct client *client, const Linnet__V1__Answer *answer, struct client_event *out_event)
{
    switch ((int)answer->result_case) {
    case LINNET__V1__ANSWER__RESULT_SENT:
        return sent_read(client, answer, out_event);
    case LINNET__V1__ANSWER__RESULT_DONE:
        return event(out_event, CLIENT_DONE, answer->number, answered(client, answer));
    case LINNET__V1__ANSWER__RESULT_ERROR:
        return refusal_read(client, answer, out_event);
    case LINNET__V1__ANSWER__RESULT__NOT_SET:
        return -EAGAIN; /* none that this version knows */
    default:
        out_event->answer = answer;
        return event(out_event, CLIENT_ANSWERED, answer->number, answered(client, answer));
    }
}

/* A state, which is taken in whatever its number. */
static int
state_read(struct client *client, const Linnet__V1__Chat *chat, enum client_event_kind kind,
           struct client_event *out_event)
{
    return chat == NULL ? nonsense(client, out_event, "a chat's state without chat")
                        : event(out_event, kind, 0, 0);
}

/* What comes after the welcome. */
static int
frame_read(struct client *client, const Linnet__V1__ServerFrame *frame,
           struct client_event *out_event)
{
    switch ((int)frame->event_case) {
    case LINNET__V1__SERVER_FRAME__EVENT_NEW_MESSAGE:
        return message_read(client, frame->new_message, out_event);
    case LINNET__V1__SERVER_FRAME__EVENT_MESSAGE_CHANGED:
        return changed_read(client, frame->message_changed, out_event);
    case LINNET__V1__SERVER_FRAME__EVENT_RECEIPTS:
        out_event->receipts = frame->receipts;
        return state_read(client, frame->receipts->chat, CLIENT_RECEIPTS, out_event);
    case LINNET__V1__SERVER_FRAME__EVENT_CHAT_UPDATE:
        return update_read(client, frame->chat_update, out_event);
    case LINNET__V1__SERVER_FRAME__EVENT_GROUP_RECEIPTS:
        out_event->group_receipts = frame->group_receipts;
        return state_read(client, frame->group_receipts->chat, CLIENT_GROUP_RECEIPTS, out_event);
    case LINNET__V1__SERVER_FRAME__EVENT_CHAT_GAP:
        out_event->gap = frame->chat_gap;
        return state_read(client, frame->chat_gap->chat, CLIENT_GAP, out_event);
    case LINNET__V1__SERVER_FRAME__EVENT_ANSWER:
        return answer_read(client, frame->answer, out_event);
    case LINNET__V1__SERVER_FRAME__EVENT_RESYNC:
        if (client->inbox_given < frame->resync->inbox_number) {
            client->inbox_given = frame->resync->inbox_number;
        }
        out_event->resync = frame->resync;
        return event(out_event, CLIENT_RESYNC, 0, 0);
    case LINNET__V1__SERVER_FRAME__EVENT_PONG:
        client->others_unanswered -= client->others_unanswered > 0;
        client_outbox_write(client);
        out_event->pong = frame->pong;
        return event(out_event, CLIENT_PONG, 0, frame->pong->ref);
    default:
        return -EAGAIN;
    }
}

int
client_event_read(struct client *client, const struct websocket_event *message,
                  struct client_event *out_event)
{
    struct protocol_decoder decoder = {
        .form = client->config->form,
        .arena = client->config->arena,
    };
    Linnet__V1__ServerFrame *frame;
    struct protocol_error error;
    if (protocol_decode_server(&decoder, message->bytes, message->count, &frame, &error) < 0) {
        return nonsense(client, out_event, error.text);
    }
    if (frame->event_case == LINNET__V1__SERVER_FRAME__EVENT_WELCOME) {
        return welcome_read(client, frame->welcome, out_event);
    }
    bool refused = frame->event_case == LINNET__V1__SERVER_FRAME__EVENT_ANSWER &&
                   frame->answer->result_case == LINNET__V1__ANSWER__RESULT_ERROR;
    bool known = frame->event_case != LINNET__V1__SERVER_FRAME__EVENT__NOT_SET;
    if (client->state != CLIENT_READY && known && !refused) {
        return nonsense(client, out_event, "an event before the welcome");
    }
    return frame_read(client, frame, out_event);
}
