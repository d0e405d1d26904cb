/* SPDX-License-Identifier: Apache-2.0 */
/* Who is written to and is not there yet (hold.h): a name is promised an id, and its sender counts
 * him. That the message waits for him is apply_message.c's; that he comes, apply_user.c's. */
#include "store/apply_priv.h"
#include "store/chat.h"

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
    if (chat.held != hold->back) {
        return;
    }
    if (!hold->back && head.holds >= hold->recipients_max) {
        apply->result->error = -EMFILE;
        return;
    }
    chat.held = !hold->back;
    head.holds = (uint8_t)(hold->back ? head.holds - 1 : head.holds + 1);
    apply->result->waits = chat.held;
    chat_put(apply->ledger, hold->user, hold->recipient, &chat);
    inbox_head_put(apply->ledger, hold->user, &head);
}

const struct apply_command_kind apply_hold = {need_hold, run_hold};
