/* SPDX-License-Identifier: Apache-2.0 */
/* Who is written to and is not there yet (hold.h): a name is promised an id, and its sender counts
 * him. That the message waits for him is apply_message.c's; that he comes, apply_user.c's. */
#include "store/apply_priv.h"
#include "store/chat.h"
#include "store/expiry.h"

#include <errno.h>

static void
need_name_hold(const struct needs *needs, const struct command *command)
{
    need_name(needs, &command->name_hold);
}

static void
run_name_hold(const struct apply *apply, const struct command *command)
{
    struct ledger *ledger = apply->ledger;
    struct record_name record;
    unsigned char bytes[RECORD_BYTES_MAX];
    if (!apply_name_get(ledger, &command->name_hold, &record)) {
        record = (struct record_name){
            .user = ledger_user_next(ledger), .promised = true, .name = command->name_hold};
        struct store_key key = record_key_name(ledger->seed, &record.name);
        ledger_put(ledger, &key, bytes, record_name_encode(&record, bytes));
    }
    if (!record_names_equal(&record.name, &command->name_hold)) {
        apply->result->error = -ENOENT; /* it can't be taken: another name has the same hashes */
        return;
    }
    apply->result->user = record.user;
    apply->result->waits = record.promised;
}

const struct apply_command_kind apply_name_hold = {need_name_hold, run_name_hold};

static void
need_hold(const struct needs *needs, const struct command *command)
{
    need(needs, RECORD_HEAD, command->hold.user, 0);
    need(needs, RECORD_CHAT, command->hold.user, command->hold.recipient);
}

/* A later end has an expiry of its own, and the earlier one finds that it is not meant. */
static void
count_until(const struct apply *apply, const struct store_hold *hold, struct record_chat *chat)
{
    struct expiry expiry = {.kind = EXPIRY_HOLD, .user = hold->user, .a = hold->recipient};
    if (hold->until_ms > chat->held_until_ms) {
        chat->held_until_ms = hold->until_ms;
        expiry_put(apply->ledger, apply->effects, hold->until_ms, ledger_number_next(apply->ledger),
                   &expiry);
    }
}

void
apply_hold_end(struct record_head *head, struct record_chat *chat)
{
    if (chat->held) {
        chat->held = false;
        chat->held_until_ms = 0;
        head->holds--;
    }
}

/* 0, or why he may not be counted. */
static int
change_count(const struct apply *apply, const struct store_hold *hold, struct record_head *head,
             struct record_chat *chat)
{
    if (hold->back) {
        apply_hold_end(head, chat);
        return 0;
    }
    if (!chat->held && head->holds >= hold->recipients_max) {
        return -EMFILE;
    }
    apply->result->waits = !chat->held;
    head->holds = (uint8_t)(head->holds + !chat->held);
    chat->held = true;
    count_until(apply, hold, chat);
    return 0;
}

static void
run_hold(const struct apply *apply, const struct command *command)
{
    const struct store_hold *hold = &command->hold;
    struct record_head head;
    struct record_chat chat;
    if (!inbox_head_get(apply->ledger, hold->user, &head)) {
        apply->result->error = -ENOENT;
        return;
    }
    (void)chat_get(apply->ledger, hold->user, hold->recipient, &chat);
    if (hold->back && !chat.held) {
        return;
    }
    apply->result->error = change_count(apply, hold, &head, &chat);
    if (apply->result->error == 0) {
        chat_put(apply->ledger, hold->user, hold->recipient, &chat);
        inbox_head_put(apply->ledger, hold->user, &head);
    }
}

const struct apply_command_kind apply_hold = {need_hold, run_hold};

void
apply_hold_due(const struct apply *apply, const struct expiry *expiry, uint64_t at_ms)
{
    struct record_head head;
    struct record_chat chat;
    if (!inbox_head_get(apply->ledger, expiry->user, &head) ||
        !chat_get(apply->ledger, expiry->user, expiry->a, &chat) || !chat.held ||
        chat.held_until_ms > at_ms) {
        return;
    }
    apply_hold_end(&head, &chat);
    chat_put(apply->ledger, expiry->user, expiry->a, &chat);
    inbox_head_put(apply->ledger, expiry->user, &head);
}
