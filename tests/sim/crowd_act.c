/* SPDX-License-Identifier: Apache-2.0 */
/* What a device does of its own accord. */
#include "tests/sim/crowd_priv.h"
#include "tests/sim/person.h"

#include <stdio.h>

static void
writes(struct crowd_device *device, unsigned chat)
{
    char command[CROWD_COMMAND_BYTES / 2];
    char name[64];
    crowd_chat_print(device, chat, name);
    (void)snprintf(command, sizeof command, "\"sendMessage\":{\"chat\":%s,\"text\":\"c%ud%un%u\"}",
                   name, chat, crowd_place(device), device->views[chat].said + 1);
    crowd_does(device, CROWD_WRITES, chat, command);
}

void
crowd_acts(struct crowd_device *device, uint64_t what)
{
    unsigned chat = (unsigned)world_chance(&device->crowd->world, CROWD_CHATS);
    if (device->unanswered || !crowd_is_member(device->crowd, chat, device->person)) {
        return;
    }
    if (what < 56) {
        writes(device, chat);
    } else if (what < 66) {
        crowd_changes(device, chat, what < 60);
    } else {
        crowd_calls(device, chat);
    }
}

void
crowd_types(struct crowd_device *device)
{
    unsigned chat = (unsigned)world_chance(&device->crowd->world, CROWD_CHATS);
    char command[CROWD_COMMAND_BYTES / 2];
    char name[64];
    bool group = device->crowd->chats[chat].group != 0;
    if (!group && crowd_is_member(device->crowd, chat, device->person)) {
        crowd_chat_print(device, chat, name);
        (void)snprintf(command, sizeof command, "\"setTyping\":{\"chat\":%s,\"kind\":\"TYPING\"}",
                       name);
        crowd_mention(device, command);
    }
}
