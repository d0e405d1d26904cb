/* SPDX-License-Identifier: Apache-2.0 */
/* What is noted of messages as they pass through a partition. Runs in the partition's actor when a
 * command is logged, in the journal's when it is applied. */
#include "store/partition_priv.h"
#include "store/store_priv.h"

static struct steps *
steps_of(const struct partition *partition)
{
    const struct store *store = partition->store;
    return store->steps_count > 0 ? &store->steps[partition->journal->index] : NULL;
}

/* A group takes messages, and is read, as a user is: its number stands where the user's would. */
static bool
is_message(const struct command *command)
{
    return command->kind == COMMAND_MESSAGE || command->kind == COMMAND_GROUP_MESSAGE;
}

static uint64_t
mark_of(const struct partition *partition, const struct command_message *command)
{
    const struct store_entry_message *message = &command->message;
    return step_mark(partition->ledger.seed, message->sender, message->sender_device,
                     message->sender_number);
}

void
partition_trace_accepted(struct partition *partition, const struct command *command)
{
    struct steps *steps = steps_of(partition);
    if (steps != NULL && is_message(command)) {
        const struct command_message *message = &command->message;
        steps_moment(steps);
        steps_note(steps, STEP_ACCEPTED, mark_of(partition, message), message->recipient, 0, 0);
    }
}

static void
trace_message(const struct partition *partition, struct steps *steps,
              const struct command_message *command, const struct result *result)
{
    uint64_t mark = mark_of(partition, command);
    if (result->error != 0) {
        steps_note(steps, STEP_REFUSED, mark, command->recipient, 0, (uint64_t)-result->error);
    } else {
        steps_note(steps, result->duplicate ? STEP_REPEATED : STEP_DURABLE, mark,
                   command->recipient, 0, result->chat_number);
    }
}

/* A user without devices keeps it for the first. */
static void
trace_queued(const struct partition *partition, struct steps *steps, const struct effects *effects,
             const struct effect *push)
{
    uint64_t mark =
        step_mark(partition->ledger.seed, push->sender, push->sender_device, push->sender_number);
    for (unsigned i = 0; i < push->devices; i++) {
        steps_note(steps, STEP_QUEUED, mark, push->user, effects->holders[push->holders + i],
                   push->number);
    }
    if (push->devices == 0) {
        steps_note(steps, STEP_QUEUED, mark, push->user, 0, push->number);
    }
}

void
partition_trace(struct partition *partition, const struct command *command,
                const struct result *result, const struct effects *effects)
{
    struct steps *steps = steps_of(partition);
    if (steps == NULL) {
        return;
    }
    steps_moment(steps);
    bool read = command->kind == COMMAND_READ || command->kind == COMMAND_GROUP_READ;
    bool ack_read = command->kind == COMMAND_ACK_READ;
    if (ack_read && (result->error == 0 || result->moved)) {
        steps_note(steps, STEP_READ, command->ack.peer, command->ack.user, 0,
                   command->ack.chat_number);
    }
    if (is_message(command)) {
        trace_message(partition, steps, &command->message, result);
    } else if ((ack_read || command->kind == COMMAND_ACK) && result->error == 0) {
        steps_note(steps, STEP_ACKNOWLEDGED, 0, command->ack.user, command->ack.device,
                   command->ack.number);
    } else if (read && result->error == 0) {
        steps_note(steps, STEP_READ, command->read.peer, command->read.user, 0,
                   command->read.chat_number);
    }
    if (command->kind == COMMAND_INBOX_EXPIRE) { /* for the first device to come */
        steps_note(steps, STEP_EXPIRED, 0, command->ack.user, 0, command->ack.number);
    }
    for (size_t i = 0; i < effects->count; i++) {
        const struct effect *effect = &effects->items[i];
        if (effect->kind == EFFECT_PUSH && effect->sender != 0) {
            trace_queued(partition, steps, effects, effect);
        } else if (effect->kind == EFFECT_RESYNC && command->kind == COMMAND_INBOX_EXPIRE) {
            steps_note(steps, STEP_EXPIRED, 0, effect->user, effect->device, command->ack.number);
        } else if (effect->kind == EFFECT_RESYNC) {
            steps_note(steps, STEP_GIVEN_UP, 0, effect->user, effect->device, effect->number);
        } else if (effect->kind == EFFECT_EXPIRED) {
            steps_note(steps, STEP_EXPIRED,
                       step_mark(partition->ledger.seed, effect->sender, effect->sender_device,
                                 effect->sender_number),
                       effect->user, 0, effect->number);
        }
    }
}
