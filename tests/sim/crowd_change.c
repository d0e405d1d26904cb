/* SPDX-License-Identifier: Apache-2.0 */
/* What a crowd's devices do to what they wrote, and whether all are shown it (crowd.h). */
#include "tests/sim/crowd_priv.h"
#include "tests/spec.h"

#include <stdio.h>
#include <string.h>

enum {
    TEXT_BYTES = 64,
    TOLD_MS = 1000, /* by then all partitions know, whoever was killed */
};

void
crowd_change_wrote(struct crowd_device *device, const char *frame)
{
    struct crowd_last *last = &device->views[device->chat].last;
    const char *handle = strstr(frame, "\"handle\":\"");
    *last = (struct crowd_last){.chat_number = wire_number(frame, "chatNumber"),
                                .time_ms = wire_number(frame, "serverTimeMs"),
                                .finds = strstr(frame, "\"duplicate\":true") == NULL};
    if (handle != NULL) {
        handle += strlen("\"handle\":\"");
        (void)snprintf(last->handle, sizeof last->handle, "%.*s", (int)strcspn(handle, "\""),
                       handle);
    }
}

/* Says which it is, so that whoever is shown it can tell. */
static void
text_print(const struct crowd_change *change, char out[TEXT_BYTES])
{
    (void)snprintf(out, TEXT_BYTES, "\"text\":\"e%ud%un%uk%u\"", change->chat, change->place,
                   change->n, change->k);
}

void
crowd_changes(struct crowd_device *device, unsigned chat, bool deletes)
{
    struct crowd *crowd = device->crowd;
    struct crowd_view *view = &device->views[chat];
    char name[64];
    char text[TEXT_BYTES + 1] = "";
    char command[CROWD_COMMAND_BYTES / 2 + 64];
    if (view->said == 0 || view->last.deleted || crowd->changes_count == CROWD_CHANGES_MAX) {
        return;
    }
    struct crowd_change *change = &crowd->changes[crowd->changes_count++];
    *change = (struct crowd_change){.place = crowd_place(device),
                                    .chat = chat,
                                    .number = device->number + 1,
                                    .chat_number = view->last.chat_number,
                                    .n = view->said,
                                    .k = ++view->changes,
                                    .deletes = deletes,
                                    .finds = view->last.finds};
    view->last.deleted = deletes;
    if (!deletes) {
        text_print(change, text);
        (void)strcat(text, ","); // NOLINT: it has room
    }
    crowd_chat_print(device, chat, name);
    (void)snprintf(command, sizeof command,
                   "\"sendMessage\":{\"chat\":%s,%s\"change\":{\"kind\":\"%s\",\"chatNumber\":"
                   "\"%llu\",\"serverTimeMs\":\"%llu\",\"handle\":\"%s\"}}",
                   name, text, deletes ? "DELETE" : "EDIT",
                   (unsigned long long)view->last.chat_number,
                   (unsigned long long)view->last.time_ms, view->last.handle);
    crowd_does(device, CROWD_CHANGES, chat, command);
}

/* The device's change that was command `number`; NULL: there was none. */
static struct crowd_change *
change_of(struct crowd *crowd, unsigned place, uint64_t number)
{
    for (unsigned i = crowd->changes_count; i > 0; i--) {
        struct crowd_change *change = &crowd->changes[i - 1];
        if (change->place == place && change->number == number) {
            return change;
        }
    }
    return NULL;
}

void
crowd_change_answered(struct crowd_device *device)
{
    struct crowd_change *change = change_of(device->crowd, crowd_place(device), device->number);
    assert_non_null(change);
    change->answered_ms = crowd_now_ms(device->crowd);
}

void
crowd_text_judge(const struct crowd_device *device, unsigned chat, unsigned from, uint32_t n)
{
    const struct crowd *crowd = device->crowd;
    for (unsigned i = crowd->changes_count; i > 0; i--) {
        const struct crowd_change *change = &crowd->changes[i - 1];
        bool gone = change->deletes && change->finds && change->answered_ms != 0 &&
                    change->answered_ms + TOLD_MS < device->connected_ms;
        if (gone && change->place == from && change->chat == chat && change->n == n) {
            fail_msg("%s is shown what message %u of device %u in chat %u said, deleted at %llu",
                     device->name, n, from, chat, (unsigned long long)change->answered_ms);
        }
    }
}

/* Whether the device's k-th change in the chat is an edit of what it deleted later. */
static bool
may_be_passed_over(const struct crowd *crowd, unsigned place, unsigned chat, uint32_t k)
{
    const struct crowd_change *edit = NULL;
    bool deleted = false;
    for (unsigned i = 0; i < crowd->changes_count; i++) {
        const struct crowd_change *change = &crowd->changes[i];
        if (change->place != place || change->chat != chat) {
            continue;
        }
        edit = change->k == k ? change : edit;
        deleted = deleted || (edit != NULL && change->deletes && change->n == edit->n);
    }
    return edit != NULL && !edit->deletes && deleted;
}

void
crowd_changed_heard(struct crowd_device *device, const char *frame)
{
    struct crowd *crowd = device->crowd;
    unsigned from = crowd_place_named(crowd, frame);
    const struct crowd_change *change =
        from < CROWD_DEVICES ? change_of(crowd, from, wire_number(frame, "number")) : NULL;
    char text[TEXT_BYTES];
    if (change == NULL || !crowd_is_member(crowd, change->chat, device->person)) {
        fail_msg("%s is shown %s", device->name, frame);
        return;
    }
    struct crowd_view *view = &device->views[change->chat];
    text_print(change, text);
    bool said = strstr(frame, change->deletes ? "\"kind\":\"DELETED\"" : "\"kind\":\"EDITED\"") &&
                (strstr(frame, text) != NULL) == !change->deletes &&
                wire_number(frame, "chatNumber") == change->chat_number;
    bool next = change->k > view->changed[from] && change->n <= view->heard[from];
    for (uint32_t k = view->changed[from] + 1; k < change->k; k++) {
        next = next && may_be_passed_over(crowd, from, change->chat, k);
    }
    if (!said || !next) {
        fail_msg("%s is shown %s behind change %u, message %u", device->name, frame,
                 view->changed[from], view->heard[from]);
    }
    view->changed[from] = change->k;
}

uint32_t
crowd_deleted_heard(struct crowd_device *device, unsigned chat, unsigned from, uint64_t chat_number)
{
    const struct crowd *crowd = device->crowd;
    for (unsigned i = crowd->changes_count; i > 0; i--) {
        const struct crowd_change *change = &crowd->changes[i - 1];
        if (change->deletes && change->place == from && change->chat == chat &&
            change->chat_number == chat_number) {
            return change->n;
        }
    }
    fail_msg("%s is shown number %llu of chat %u as deleted, which it was not", device->name,
             (unsigned long long)chat_number, chat);
    return 0;
}

void
crowd_changes_judge(const struct crowd_device *device, unsigned chat)
{
    for (unsigned i = 0; i < CROWD_DEVICES; i++) {
        const struct crowd_device *other = &device->crowd->devices[i];
        uint32_t shown = device->views[chat].changed[i];
        if (shown != other->views[chat].changes) {
            fail_msg("%s was shown %u of %u changes by %s in chat %u", device->name, shown,
                     other->views[chat].changes, other->name, chat);
        }
    }
}
