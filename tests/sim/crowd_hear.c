/* SPDX-License-Identifier: Apache-2.0 */
/* What a device is shown and answered, judged as it comes; what it says to that. */
#include "tests/sim/crowd_priv.h"
#include "tests/sim/person.h"
#include "tests/spec.h"

#include <stdio.h>
#include <string.h>

/* The chat of the group; CROWD_CHATS: none. */
static unsigned
chat_of_group(const struct crowd *crowd, uint64_t group)
{
    unsigned chat = 0;
    while (chat < CROWD_CHATS && crowd->chats[chat].group != group) {
        chat++;
    }
    return chat;
}

/* The chat of a frame, as this device calls it; CROWD_CHATS: none. */
static unsigned
chat_named(const struct crowd_device *device, const char *frame)
{
    const char *name = strstr(frame, "\"chat\":");
    char wanted[64];
    for (unsigned chat = 0; name != NULL && chat < CROWD_CHATS; chat++) {
        if (crowd_is_member(device->crowd, chat, device->person)) {
            crowd_chat_print(device, chat, wanted);
            if (strncmp(name + strlen("\"chat\":"), wanted, strlen(wanted)) == 0) {
                return chat;
            }
        }
    }
    return CROWD_CHATS;
}

static void
message_heard(struct crowd_device *device, const char *frame)
{
    unsigned chat = 0;
    unsigned from = 0;
    unsigned n = 0;
    const char *text = strstr(frame, "\"text\":\"");
    uint64_t chat_number = wire_number(frame, "chatNumber");
    if (strstr(frame, "\"deleted\":true") != NULL) {
        chat = chat_named(device, frame);
        from = crowd_place_named(device->crowd, frame);
        assert_true(text == NULL && chat < CROWD_CHATS && from < CROWD_DEVICES);
        n = crowd_deleted_heard(device, chat, from, chat_number);
    } else if (text == NULL ||
               sscanf(text, "\"text\":\"c%ud%un%u\"", &chat, &from, &n) != 3 || // NOLINT
               chat >= CROWD_CHATS || from >= CROWD_DEVICES) {
        fail_msg("%s is shown %s", device->name, frame);
    }
    struct crowd_view *view = &device->views[chat];
    const struct crowd_device *writer = &device->crowd->devices[from];
    bool group = device->crowd->chats[chat].group != 0;
    bool own = writer->person == device->person && !group;
    uint64_t *last = own ? &view->own : &view->others;
    if (!crowd_is_member(device->crowd, chat, device->person) || n != view->heard[from] + 1 ||
        chat_number != *last + 1) {
        fail_msg("%s is shown %s behind number %u and chat number %llu", device->name, frame,
                 view->heard[from], (unsigned long long)*last);
    }
    if (text != NULL) {
        crowd_text_judge(device, chat, from, n);
    }
    view->heard[from] = n;
    *last = chat_number;
}

/* The most that any device of the other has acknowledged, or marked as read. */
static uint64_t
most_of(const struct crowd *crowd, unsigned person, unsigned chat, bool read)
{
    uint64_t most = 0;
    for (unsigned i = 0; i < CROWD_DEVICES_EACH; i++) {
        const struct crowd_view *view = &crowd_first_of(crowd, person)[i].views[chat];
        uint64_t it = read ? view->marked : view->acked;
        most = it > most ? it : most;
    }
    return most;
}

static void
ticks_note(struct crowd_device *device, const char *frame, unsigned chat, uint64_t delivered,
           uint64_t read)
{
    struct crowd_view *view = &device->views[chat];
    if (delivered < view->delivered || read < view->read || read > delivered) {
        fail_msg("%s: ticks go back, behind %llu and %llu: %s", device->name,
                 (unsigned long long)view->delivered, (unsigned long long)view->read, frame);
    }
    view->delivered = delivered;
    view->read = read;
}

static void
receipts_heard(struct crowd_device *device, const char *frame)
{
    struct crowd *crowd = device->crowd;
    uint64_t reader = wire_number_in(frame, "readerUserId");
    uint64_t delivered = wire_number_in(frame, "delivered");
    uint64_t read = wire_number_in(frame, "read");
    if (reader == device->user) {
        return; /* another device of mine */
    }
    if (strstr(frame, "\"expired") != NULL) {
        fail_msg("%s: nothing expires here: %s", device->name, frame);
    }
    for (unsigned chat = 0; chat < CROWD_CHATS; chat++) {
        const struct crowd_chat *at = &crowd->chats[chat];
        if (at->group != 0 || !crowd_is_member(crowd, chat, device->person)) {
            continue;
        }
        unsigned peer = crowd_peer_of(at, device->person);
        if (crowd_first_of(crowd, peer)->user == reader) {
            ticks_note(device, frame, chat, delivered, read);
            if (delivered > most_of(crowd, peer, chat, false) ||
                read > most_of(crowd, peer, chat, true)) {
                fail_msg("%s: ticks come early: %s", device->name, frame);
            }
            return;
        }
    }
    fail_msg("%s: whose receipts are %s", device->name, frame);
}

static void
group_receipts_heard(struct crowd_device *device, const char *frame)
{
    unsigned chat = chat_of_group(device->crowd, wire_number(frame, "groupId"));
    assert_true(chat < CROWD_CHATS);
    ticks_note(device, frame, chat, wire_number_in(frame, "deliveredAll"),
               wire_number_in(frame, "readAll"));
}

static void
event_heard(struct crowd_device *device, const char *frame)
{
    if (strncmp(frame, "{\"newMessage\"", 13) == 0) {
        message_heard(device, frame);
    } else if (strncmp(frame, "{\"receipts\"", 11) == 0) {
        receipts_heard(device, frame);
    } else if (strncmp(frame, "{\"groupReceipts\"", 16) == 0) {
        group_receipts_heard(device, frame);
    } else if (strncmp(frame, "{\"messageChanged\"", 17) == 0) {
        crowd_changed_heard(device, frame);
    } else if (strncmp(frame, "{\"call\"", 7) == 0) {
        crowd_call_heard(device, frame);
    } else if (strncmp(frame, "{\"chatUpdate\"", 13) != 0 && strncmp(frame, "{\"device", 8) != 0) {
        fail_msg("%s is shown %s", device->name, frame);
    }
}

static void
sent(struct crowd_device *device, uint64_t chat_number)
{
    struct crowd_view *view = &device->views[device->chat];
    device->crowd->accepted++;
    view->said++;
    view->sent = chat_number > view->sent ? chat_number : view->sent;
}

static void
answer_heard(struct crowd_device *device, const char *frame)
{
    bool later = strstr(frame, "\"retryAfterMs\"") != NULL;
    if (strstr(frame, "\"ref\"") != NULL) {
        assert_true(device->pending > 0);
        device->pending--;
        if (later) { /* all of them are said again in time */
            device->acked = 0;
            for (unsigned chat = 0; chat < CROWD_CHATS; chat++) {
                device->views[chat].marking = 0;
            }
        } else if (strstr(frame, "\"error\"") != NULL && strstr(frame, "\"GONE\"") == NULL &&
                   strstr(frame, "no message has passed between you") == NULL) {
            fail_msg("%s is refused: %s", device->name, frame);
        }
        return;
    }
    if (!device->unanswered || wire_number_in(frame, "number") != device->number) {
        fail_msg("%s is answered: %s", device->name, frame);
    }
    if (later) {
        crowd_says(device, device->command);
        return;
    }
    device->unanswered = false;
    if (device->deed == CROWD_OFFERS) {
        crowd_offered(device, frame);
        return;
    }
    if (strstr(frame, "\"sent\"") == NULL) {
        fail_msg("%s is refused: %s", device->name, frame);
    }
    if (device->deed == CROWD_CHANGES) {
        crowd_change_answered(device);
    } else {
        sent(device, wire_number(frame, "chatNumber"));
        crowd_change_wrote(device, frame);
    }
}

void
crowd_hear(struct crowd_device *device)
{
    struct wire *wire = &device->wire;
    while (wire->heard_at < wire->heard_count) {
        const char *frame = wire->heard[wire->heard_at++];
        uint64_t inbox = wire_number_in(frame, "inboxNumber");
        if (strncmp(frame, "{\"answer\"", 9) == 0) {
            answer_heard(device, frame);
        } else if (inbox > device->stored) {
            event_heard(device, frame);
            device->stored = inbox;
        }
    }
    wire_forget(wire);
}

void
crowd_acknowledge(struct crowd_device *device)
{
    char command[CROWD_COMMAND_BYTES / 2];
    if (device->stored > device->acked) {
        for (unsigned chat = 0; chat < CROWD_CHATS; chat++) {
            device->views[chat].acked = device->views[chat].others;
        }
        device->acked = device->stored;
        (void)snprintf(command, sizeof command, "\"ack\":{\"inboxNumber\":\"%llu\"}",
                       (unsigned long long)device->stored);
        crowd_mention(device, command);
    }
    for (unsigned chat = 0; chat < CROWD_CHATS; chat++) {
        struct crowd_view *view = &device->views[chat];
        char name[64];
        if (view->others > view->marking) {
            view->marking = view->others;
            view->marked = view->others;
            crowd_chat_print(device, chat, name);
            (void)snprintf(command, sizeof command,
                           "\"markRead\":{\"chat\":%s,\"chatNumber\":\"%llu\"}", name,
                           (unsigned long long)view->others);
            crowd_mention(device, command);
        }
    }
}
