/* SPDX-License-Identifier: Apache-2.0 */
/* crowd_priv.h - what the crowd's files use of each other. */
#pragma once

#include "tests/sim/crowd.h"

/* {"chat": ...} as this device calls it. */
void crowd_chat_print(const struct crowd_device *device, unsigned chat, char out[64]);
/* The other of a chat one to one. */
unsigned crowd_peer_of(const struct crowd_chat *chat, unsigned person);
/* A person's first device. */
const struct crowd_device *crowd_first_of(const struct crowd *crowd, unsigned person);
bool crowd_is_member(const struct crowd *crowd, unsigned chat, unsigned person);
/* The device's number among all. */
unsigned crowd_place(const struct crowd_device *device);
/* The device whose id `{"userId":"1","device":1,"number":"48"}` comes first in the frame;
 * CROWD_DEVICES: nobody's. */
unsigned crowd_place_named(const struct crowd *crowd, const char *frame);
/* Not behind a close frame, whether it has been attended to or not. */
void crowd_says(struct crowd_device *device, const char *frame);
/* Says a command that is answered, but need not be repeated. */
void crowd_mention(struct crowd_device *device, const char *command);
/* Says `command` under the device's next number, until it is answered. */
void crowd_does(struct crowd_device *device, enum crowd_deed deed, unsigned chat,
                const char *command);

/* crowd_hear.c */
/* Judges all that has come. */
void crowd_hear(struct crowd_device *device);
/* Acknowledges and marks as read what it has stored. */
void crowd_acknowledge(struct crowd_device *device);

/* crowd_act.c */
/* Writes, changes or calls, by chance `what` below 70; one thing at a time. */
void crowd_acts(struct crowd_device *device, uint64_t what);
void crowd_types(struct crowd_device *device);

/* crowd_change.c */
/* What it wrote was answered. */
void crowd_change_wrote(struct crowd_device *device, const char *frame);
/* Edits or deletes the last that it wrote in the chat, if there is something. */
void crowd_changes(struct crowd_device *device, unsigned chat, bool deletes);
/* Its change was answered. */
void crowd_change_answered(struct crowd_device *device);
/* A message is shown with what it said: not if it was deleted well before the device came. */
void crowd_text_judge(const struct crowd_device *device, unsigned chat, unsigned from, uint32_t n);
void crowd_changed_heard(struct crowd_device *device, const char *frame);
/* A message is shown without what it said: which of its writer's it is. */
uint32_t crowd_deleted_heard(struct crowd_device *device, unsigned chat, unsigned from,
                             uint64_t chat_number);
/* At rest: the device was shown all that others changed in the chat. */
void crowd_changes_judge(const struct crowd_device *device, unsigned chat);

/* crowd_call.c */
/* Calls the other one of a chat. */
void crowd_calls(struct crowd_device *device, unsigned chat);
/* The offer was answered. */
void crowd_offered(struct crowd_device *device, const char *frame);
void crowd_call_heard(struct crowd_device *device, const char *frame);
/* Ends what it may be in. */
void crowd_hangs_up(struct crowd_device *device);
/* At rest: every call has ended, for all devices of both. */
void crowd_calls_judge(const struct crowd *crowd);
