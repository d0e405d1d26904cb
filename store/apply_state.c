/* SPDX-License-Identifier: Apache-2.0 */
/* What a user has set. Most kinds are bytes to be kept and told; a block, a muted chat and the
 * receipts' switch are noted as flags, too, where messages and cursors pass by without looking
 * further. */
#include "store/apply_priv.h"
#include "store/chat.h"
#include "store/group_ledger.h"
#include "store/record_state.h"

#include <errno.h>
#include <string.h>

/* A command and what it finds. */
struct change {
    const struct command_state *command;
    struct record_head head;
    struct record_state_sum sum;
    struct record_state old; /* its value is the delta's: good until the first put */
    bool present;
};

static bool
is_of_group(const struct command_state *state)
{
    return (state->subject & STORE_STATE_GROUP) != 0;
}

static uint64_t
chat_of(const struct command_state *state)
{
    return state->subject & ~STORE_STATE_GROUP;
}

/* What is remembered of it. */
static struct store_entry_message
id_of(const struct command_state *state)
{
    return (struct store_entry_message){
        .sender = state->user, .sender_device = state->device, .sender_number = state->number};
}

static void
need_state(const struct needs *needs, const struct command *command)
{
    const struct command_state *state = &command->state;
    struct store_key key =
        record_key_state(needs->ledger->partition, state->user, state->kind, state->subject);
    need(needs, RECORD_HEAD, state->user, 0);
    need(needs, RECORD_STATE_SUM, state->user, 0);
    need_key(needs, &key);
    struct store_entry_message id = id_of(state);
    need_number(needs, &id);
    if (state->kind == STORE_STATE_BLOCKED) {
        need(needs, RECORD_CHAT, state->user, state->subject);
    } else if (state->kind == STORE_STATE_MUTED) {
        need(needs, is_of_group(state) ? RECORD_MEMBERSHIP : RECORD_CHAT, state->user,
             chat_of(state));
    }
}

static void
find(const struct ledger *ledger, struct change *change)
{
    const struct command_state *command = change->command;
    struct store_key key =
        record_key_state(ledger->partition, command->user, command->kind, command->subject);
    struct store_key sum_key = record_key(ledger->partition, RECORD_STATE_SUM, command->user, 0);
    struct store_value value;
    int error = 0;
    change->sum = (struct record_state_sum){0};
    if (ledger_get(ledger, &sum_key, &value)) {
        error = record_state_sum_decode(value, &change->sum);
        ASSERT(error == 0);
    }
    change->old = (struct record_state){0};
    change->present = ledger_get(ledger, &key, &value);
    if (change->present) {
        error = record_state_decode(value, &change->old);
        ASSERT(error == 0);
    }
}

static bool
changes(const struct change *change)
{
    const struct store_value *old = &change->old.value;
    const struct store_value *new = &change->command->value;
    if (!change->present || change->command->removed) {
        return change->present || !change->command->removed;
    }
    return old->count != new->count || memcmp(old->bytes, new->bytes, new->count) != 0;
}

/* The sum afterwards; -E2BIG: it would grow beyond what the user may have. */
static int
count(struct change *change)
{
    const struct command_state *command = change->command;
    struct record_state_sum *sum = &change->sum;
    size_t before = change->present ? change->old.value.count : 0;
    bool grows = !command->removed && command->value.count > before;
    bool more = !command->removed && !change->present;
    sum->bytes = (uint32_t)(sum->bytes - before + command->value.count);
    sum->states += (command->removed ? 0U : 1U) - (change->present ? 1U : 0U);
    bool too_much = (more && sum->states > command->states_max) ||
                    ((more || grows) && sum->bytes > command->bytes_max);
    return too_much ? -E2BIG : 0;
}

/* Tells the user's devices, if there are others than the one that asks. The entry that told of the
 * old value goes. Returns the new one's number, 0 for none. */
static uint64_t
tell(const struct apply *apply, struct change *change, struct store_entry *entry)
{
    uint64_t user = change->command->user;
    if (change->old.mark > change->head.low.number) {
        inbox_take_out(apply->ledger, user, change->old.mark);
    }
    if (change->head.devices > 1) {
        inbox_append(apply->ledger, apply->effects, user, &change->head, entry);
    }
    return entry->number;
}

static void
keep(const struct apply *apply, const struct change *change, uint64_t mark)
{
    const struct command_state *command = change->command;
    struct ledger *ledger = apply->ledger;
    struct store_key key =
        record_key_state(ledger->partition, command->user, command->kind, command->subject);
    if (command->removed) {
        ledger_delete(ledger, &key);
    } else {
        struct record_state record = {
            .mark = mark, .quiet_until_ms = command->quiet_until_ms, .value = command->value};
        unsigned char *bytes = effects_scratch(apply->effects, RECORD_STATE_BYTES_MAX);
        ledger_put(ledger, &key, bytes, record_state_encode(&record, bytes));
    }
    unsigned char *sum = effects_scratch(apply->effects, RECORD_BYTES_MAX);
    key = record_key(ledger->partition, RECORD_STATE_SUM, command->user, 0);
    ledger_put(ledger, &key, sum, record_state_sum_encode(&change->sum, sum));
}

/* Noted where messages of the chat come by. */
static void
mute(const struct apply *apply, const struct command_state *command)
{
    struct ledger *ledger = apply->ledger;
    uint64_t until_ms = command->removed ? 0 : command->quiet_until_ms;
    uint64_t id = chat_of(command);
    struct record_membership membership;
    struct record_chat chat;
    if (!is_of_group(command)) {
        (void)chat_get(ledger, command->user, id, &chat);
        chat.muted_until_ms = until_ms;
        chat_put(ledger, command->user, id, &chat);
    } else if (membership_get(ledger, command->user, id, &membership)) {
        membership.muted_until_ms = until_ms;
        membership_put(ledger, command->user, id, &membership);
    }
}

/* What else hangs on the kind. */
static void
follow(const struct apply *apply, struct change *change)
{
    const struct command_state *command = change->command;
    struct effect rules = {.kind = EFFECT_RULES, .user = command->user, .number = command->subject};
    if (command->kind == STORE_STATE_BLOCKED) {
        struct record_chat chat;
        (void)chat_get(apply->ledger, command->user, command->subject, &chat);
        chat.blocked = !command->removed;
        chat_put(apply->ledger, command->user, command->subject, &chat);
    } else if (command->kind == STORE_STATE_MUTED) {
        mute(apply, command);
    } else if (command->kind == STORE_STATE_RECEIPTS_OFF) {
        change->head.receipts_off = !command->removed;
    }
    if (command->kind == STORE_STATE_BLOCKED || command->kind == STORE_STATE_CONTACT ||
        command->kind > STORE_STATE_RULE) {
        effects_add(apply->effects, &rules);
    }
}

/* Does it: 0, or why not. */
static __attribute__((noinline)) int
set(const struct apply *apply, const struct command_state *command)
{
    struct change change = {.command = command};
    struct store_entry entry = {
        .kind = STORE_ENTRY_STATE,
        .peer = command->subject,
        .state = {.kind = command->kind,
                  .removed = command->removed,
                  .value = command->value.bytes,
                  .value_bytes = (uint32_t)command->value.count},
    };
    if (!inbox_head_get(apply->ledger, command->user, &change.head)) {
        return -ENOENT;
    }
    find(apply->ledger, &change);
    if (!changes(&change)) {
        return 0;
    }
    int error = count(&change);
    if (error != 0) {
        return error;
    }
    if (change.head.devices > 1 && entry_takes_room(&entry) &&
        !inbox_make_room(apply->ledger, apply->effects, command->user, &change.head,
                         entry_bytes(&entry))) {
        return -EDQUOT;
    }
    keep(apply, &change, tell(apply, &change, &entry));
    follow(apply, &change);
    inbox_head_put(apply->ledger, command->user, &change.head);
    return 0;
}

static void
run_state(const struct apply *apply, const struct command *whole)
{
    struct store_entry_message id = id_of(&whole->state);
    if (!apply_number_is_new(apply, &id)) {
        return;
    }
    apply->result->error = set(apply, &whole->state);
    if (apply->result->error == 0) {
        apply_number_accept(apply, &id);
    }
}

const struct apply_command_kind apply_state = {need_state, run_state};
