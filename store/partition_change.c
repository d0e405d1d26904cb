/* SPDX-License-Identifier: Apache-2.0 */
/* Requests that become commands. What is certain to be refused is refused here, so that nobody
 * fills the log with refusals; everything else is decided when the command is applied. */
#include "store/change.h"
#include "store/chat.h"
#include "store/gather.h"
#include "store/inbox.h"
#include "store/partition_priv.h"
#include "store/store_priv.h"

#include <errno.h>
#include <string.h>

/* ----------------------------------------------------------------------------- into the journal */

/* The wall clock, but never earlier than anything this partition has seen: messages of a chat are
 * shown in the order of their times. */
static uint64_t
time_of_command(struct partition *partition)
{
    int64_t wall = ln_wall_ms();
    uint64_t time_ms = wall > 0 ? (uint64_t)wall : 0;
    if (time_ms < partition->ledger.last_time_ms) {
        time_ms = partition->ledger.last_time_ms;
    }
    if (time_ms > partition->last_time_ms) {
        partition->last_time_ms = time_ms;
    }
    return partition->last_time_ms;
}

static void
message_dated(struct store_entry_message *message, uint64_t time_ms,
              const struct store_message *asked)
{
    message->time_ms = time_ms;
    message->expires_at_ms = asked->ttl_ms != 0 ? time_ms + asked->ttl_ms : 0;
}

static enum ask_outcome
log_it(struct partition *partition, struct ask *ask, struct command *command)
{
    command->time_ms = time_of_command(partition);
    if (command->kind == COMMAND_MESSAGE || command->kind == COMMAND_GROUP_MESSAGE) {
        message_dated(&command->message.message, command->time_ms, ASK_DATA(store_message, ask));
    } else if (command->kind == COMMAND_CHANGE || command->kind == COMMAND_GROUP_REVISE) {
        message_dated(&command->change.change.message, command->time_ms,
                      &ASK_DATA(store_change, ask)->message);
    }
    ask_enter(ask); /* what apply will look up is known now, and stays known */
    if (journal_append(partition->journal, ask, command) != 0) {
        return ASK_STALLED;
    }
    partition_trace_accepted(partition, command);
    return ASK_TAKEN;
}

/* Collects what the partition does not know of a command's needs. */
struct knowing {
    struct partition *partition;
    bool all;
};

static void
know(void *context, const struct store_key *key)
{
    struct knowing *knowing = context;
    knowing->all = partition_knows(knowing->partition, key) && knowing->all;
}

static bool
knows_needs(struct partition *partition, const struct command *command)
{
    struct knowing knowing = {.partition = partition, .all = true};
    apply_needs(&partition->ledger, command, know, &knowing);
    return knowing.all;
}

enum ask_outcome
partition_log(struct partition *partition, struct ask *ask, struct command *command, bool act)
{
    command->partition = partition->ledger.partition;
    if (!knows_needs(partition, command)) {
        return ASK_MISSING;
    }
    return act ? log_it(partition, ask, command) : ASK_READY;
}

enum ask_outcome
partition_log_for_user(struct partition *partition, struct ask *ask, struct command *command,
                       uint64_t user, bool act)
{
    struct store_key key = record_key(partition->ledger.partition, RECORD_HEAD, user, 0);
    struct store_value value;
    enum ask_outcome outcome = partition_log(partition, ask, command, false);
    if (outcome != ASK_READY || !act) {
        return outcome;
    }
    if (!ledger_get(&partition->ledger, &key, &value)) {
        return partition_refuse(ask, -ENOENT);
    }
    return log_it(partition, ask, command);
}

/* ---------------------------------------------------------------------------------------- users */

static bool
name_valid(const struct store_name *name)
{
    return name->bytes <= STORE_NAME_BYTES_MAX;
}

static bool
valid_user_create(const struct ask *ask)
{
    const struct store_user_create *create = ASK_DATA(store_user_create, ask);
    return name_valid(&create->name) && create->name.bytes > 0 &&
           create->password_bytes <= STORE_PASSWORD_BYTES_MAX && name_valid(&create->device_name);
}

/* And not only promised (hold.h). */
static bool
name_is_taken(struct store_value value)
{
    struct record_name record;
    int error = record_name_decode(value, &record);
    ASSERT(error == 0);
    return !record.promised;
}

static enum ask_outcome
run_user_create(struct partition *partition, struct ask *ask, bool act)
{
    const struct store_user_create *create = ASK_DATA(store_user_create, ask);
    struct store_key key = record_key_name(partition->ledger.seed, &create->name);
    struct store_value value;
    struct command command = {
        .kind = COMMAND_NAME_CLAIM,
        .claim =
            {
                .name = create->name,
                .password = (const unsigned char *)create->password,
                .password_bytes = create->password_bytes,
                .with_device = create->with_device,
                .device_name = create->device_name,
            },
    };
    memcpy(command.claim.token_hash, create->token_hash, STORE_TOKEN_HASH_BYTES);
    if (key.partition != partition->ledger.partition) {
        return act ? partition_refuse(ask, -EINVAL) : ASK_READY;
    }
    if (delta_get(partition->ledger.delta, &key, &value) == DELTA_PRESENT && name_is_taken(value)) {
        return act ? partition_refuse(ask, -EEXIST) : ASK_READY;
    }
    return partition_log(partition, ask, &command, act);
}

bool
partition_valid_user(const struct ask *ask)
{
    uint64_t user = ASK_DATA(store_user_id, ask)->user; /* the first field of all that use this */
    return user != 0 && key_partition_of_id(ask->partition->ledger.seed, user) ==
                            ask->partition->ledger.partition;
}

static void
answer_user_created(struct ask *ask, const struct result *result)
{
    struct store_user_created created = {.user = result->user, .device = result->device};
    ask_answer(ask, &created, sizeof(created), NULL);
}

static bool
valid_password(const struct ask *ask)
{
    return partition_valid_user(ask) &&
           ASK_DATA(store_password, ask)->bytes <= STORE_PASSWORD_BYTES_MAX;
}

static enum ask_outcome
run_password_set(struct partition *partition, struct ask *ask, bool act)
{
    const struct store_password *password = ASK_DATA(store_password, ask);
    struct command command = {
        .kind = COMMAND_PASSWORD_SET,
        .password = {.user = password->user,
                     .bytes = password->bytes,
                     .text = (const unsigned char *)password->text},
    };
    return partition_log_for_user(partition, ask, &command, password->user, act);
}

/* -------------------------------------------------------------------------------------- devices */

static bool
valid_device_add(const struct ask *ask)
{
    return partition_valid_user(ask) && name_valid(&ASK_DATA(store_device_add, ask)->name);
}

static enum ask_outcome
run_device_add(struct partition *partition, struct ask *ask, bool act)
{
    const struct store_device_add *add = ASK_DATA(store_device_add, ask);
    struct command command = {
        .kind = COMMAND_DEVICE_ADD,
        .device_add = {.user = add->user, .name = add->name},
    };
    memcpy(command.device_add.token_hash, add->token_hash, STORE_TOKEN_HASH_BYTES);
    return partition_log_for_user(partition, ask, &command, add->user, act);
}

static void
answer_device_added(struct ask *ask, const struct result *result)
{
    struct store_device_added added = {.device = result->device};
    ask_answer(ask, &added, sizeof(added), NULL);
}

static enum ask_outcome
run_device_revoke(struct partition *partition, struct ask *ask, bool act)
{
    const struct store_device_id *device = ASK_DATA(store_device_id, ask);
    struct command command = {
        .kind = COMMAND_DEVICE_REVOKE,
        .device = {.user = device->user, .device = device->device},
    };
    return partition_log_for_user(partition, ask, &command, device->user, act);
}

static enum ask_outcome
run_attach(struct partition *partition, struct ask *ask, bool act)
{
    const struct store_attach *attach = ASK_DATA(store_attach, ask);
    struct command command = {
        .kind = COMMAND_DEVICE_ATTACH,
        .device = {.user = attach->user, .device = attach->device},
    };
    return partition_log_for_user(partition, ask, &command, attach->user, act);
}

static enum ask_outcome
run_detach(struct partition *partition, struct ask *ask, bool act)
{
    if (!act) {
        return ASK_READY;
    }
    journal_pass(partition->journal, ask);
    return ASK_TAKEN;
}

/* ------------------------------------------------------------------------------------- messages */

/* The message that begins the ask's data, with what its buffer holds. */
bool
partition_valid_message(const struct ask *ask)
{
    const struct store_message *message = ASK_DATA(store_message, ask);
    uint64_t bytes = (uint64_t)message->body_bytes + message->attachments_bytes;
    uint64_t held = ask->buffer != NULL ? ln_buffer_bytes(ask->buffer) : 0;
    return partition_valid_user(ask) && message->sender != 0 && message->number != 0 &&
           bytes <= STORE_BODY_BYTES_MAX && bytes == held && name_valid(&message->sender_name) &&
           message->ttl_ms <= STORE_TTL_MS_MAX;
}

static struct store_entry_message
message_of(const struct ask *ask)
{
    const struct store_message *message = ASK_DATA(store_message, ask);
    const unsigned char *body = ask->buffer != NULL ? ln_buffer_data(ask->buffer) : NULL;
    return (struct store_entry_message){
        .sender = message->sender,
        .sender_number = message->number,
        .sender_device = message->sender_device,
        .body_kind = message->body_kind,
        .content_kind = message->content_kind,
        .sender_name_bytes = message->sender_name.bytes,
        .sender_name = message->sender_name.text,
        .body = body,
        .body_bytes = message->body_bytes,
        .attachments = body != NULL ? body + message->body_bytes : NULL,
        .attachments_bytes = message->attachments_bytes,
    };
}

void
partition_message_command(const struct ask *ask, enum command_kind kind, struct command *out)
{
    const struct store_message *message = ASK_DATA(store_message, ask);
    *out = (struct command){
        .kind = kind,
        .message = {.recipient = message->recipient,
                    .copy = message->copy,
                    .begins = message->holds,
                    .message = message_of(ask)},
    };
}

/* He must have existed once, or may wait to (hold.h): then the command says how many messages wait
 * for him at most. */
static bool
recipient_may_be(const struct partition *partition, const struct store_message *asked,
                 struct command_message *out)
{
    struct store_key key =
        record_key(partition->ledger.partition, RECORD_HEAD, asked->recipient, 0);
    struct store_value value;
    struct record_head head;
    if (!ledger_get(&partition->ledger, &key, &value)) {
        out->hold_max = asked->holds ? asked->hold_max : 0;
        return asked->holds;
    }
    int error = record_head_decode(value, &head);
    ASSERT(error == 0);
    out->hold_max = head.unborn ? asked->hold_max : 0;
    return true;
}

static enum ask_outcome
run_message(struct partition *partition, struct ask *ask, bool act)
{
    const struct store_message *asked = ASK_DATA(store_message, ask);
    struct command command;
    struct record_chat chat;
    partition_message_command(ask, COMMAND_MESSAGE, &command);
    enum ask_outcome outcome = partition_log(partition, ask, &command, false);
    if (outcome != ASK_READY || !act) {
        return outcome;
    }
    if (asked->known_only &&
        !(chat_get(&partition->ledger, asked->recipient, asked->sender, &chat) &&
          chat_met(&chat))) {
        return partition_refuse(ask, -EUSERS);
    }
    if (!recipient_may_be(partition, asked, &command.message)) {
        return partition_refuse(ask, -ENOENT);
    }
    return log_it(partition, ask, &command);
}

bool
partition_valid_change(const struct ask *ask)
{
    const struct store_change *change = ASK_DATA(store_change, ask);
    return partition_valid_message(ask) && change->kind >= STORE_CHANGE_EDIT &&
           change->kind <= STORE_CHANGE_HIDE && change->chat_number != 0 && change->author != 0 &&
           change->peer != 0;
}

void
partition_change_command(const struct ask *ask, enum command_kind kind, struct command *out)
{
    const struct store_change *change = ASK_DATA(store_change, ask);
    *out = (struct command){
        .kind = kind,
        .change =
            {
                .owner = change->message.recipient,
                .peer = change->peer,
                .copy = change->message.copy,
                .in_group = change->in_group,
                .until_ms = change->until_ms,
                .kept_until_ms = change->kept_until_ms,
                .original = change->original,
                .expires_at_ms = change->expires_at_ms,
                .change = {.kind = (enum store_change_kind)change->kind,
                           .author = change->author,
                           .message = message_of(ask)},
            },
    };
    out->change.change.message.chat_number = change->chat_number;
}

static enum ask_outcome
run_change(struct partition *partition, struct ask *ask, bool act)
{
    struct command command;
    partition_change_command(ask, COMMAND_CHANGE, &command);
    return partition_log_for_user(partition, ask, &command, command.change.owner, act);
}

void
partition_answer_sent(struct ask *ask, const struct result *result)
{
    struct store_sent sent = {
        .chat_number = result->chat_number,
        .time_ms = result->time_ms,
        .entry = result->entry,
        .expires_at_ms = result->expires_at_ms,
        .duplicate = result->duplicate,
    };
    ask_answer(ask, &sent, sizeof(sent), NULL);
}

/* -------------------------------------------------------------------------------------- cursors */

/* Goes through what is acknowledged; false: some of it is in LMDB and has not been read. */
static bool
gather(struct partition *partition, struct ask *ask, const struct record_place *base,
       struct gather *out)
{
    const struct store_ack *asked = ASK_DATA(store_ack, ask);
    struct command_ack ack = {
        .user = asked->user, .device = asked->device, .number = asked->number};
    struct delta *delta = partition->ledger.delta;
    struct page page;
    struct store_key key;
    struct store_value value;
    gather_start(out, &ack, base, partition->journal->pairs);
    out->range.low.partition = partition->ledger.partition;
    out->range.high.partition = partition->ledger.partition;
    if (base->number < asked->number && base->number < delta_folded_number(delta)) {
        struct fetch_range wanted = {
            .range = out->range,
            .rows_max = COMMAND_PAIRS_MAX,
            .bytes_max = STORE_PAGE_BYTES_MAX,
        };
        if (!partition_has_read(&ask->ranges[0], partition, &wanted)) {
            return false;
        }
    }
    page_start(&page, delta, &out->range, ask->ranges[0].read ? &ask->ranges[0].rows : NULL);
    while (page_next(&page, &key, &value) && gather_add(out, key.a, value)) {
    }
    if (page.cut && out->entries == 0) {
        out->reached = page.row_key.a; /* nothing that was read is still there */
    }
    gather_end(out, page.cut);
    return true;
}

/* Logs as much as one command holds, as an ask of its own that nobody waits for. */
static enum ask_outcome
log_part(struct partition *partition, struct ask *ask, struct command *command)
{
    struct ask *part = ask_new(partition, ask->tag, ask->data, sizeof(struct store_ack));
    if (log_it(partition, part, command) == ASK_STALLED) {
        ask_free(part);
        return ASK_STALLED;
    }
    ask->place = (struct record_place){
        .number = command->ack.number,
        .entries = command->ack.total_entries,
        .bytes = command->ack.total_bytes,
    };
    partition_read_again(&ask->ranges[0]);
    return ASK_TAKEN;
}

static enum ask_outcome
log_ack(struct partition *partition, struct ask *ask, const struct record_place *base, bool act)
{
    struct gather gathered;
    enum ask_outcome outcome;
    do {
        struct command command = {.partition = partition->ledger.partition, .kind = COMMAND_ACK};
        const struct record_place *from = ask->place.number > base->number ? &ask->place : base;
        if (!gather(partition, ask, from, &gathered)) {
            return ASK_MISSING;
        }
        command.ack = gathered.ack;
        if (!knows_needs(partition, &command)) {
            return ASK_MISSING;
        }
        if (!act) {
            return ASK_READY;
        }
        outcome =
            gathered.left ? log_part(partition, ask, &command) : log_it(partition, ask, &command);
    } while (outcome == ASK_TAKEN && gathered.left);
    return outcome;
}

enum { ACK_IS_NEWS = 1 };

/* ACK_IS_NEWS and from where on it counts, 0 when it is none, or why it is refused. */
static int
ack_base(struct partition *partition, const struct store_ack *ack, struct record_place *out)
{
    struct record_head head;
    const struct record_cursor *cursor = NULL;
    if (inbox_head_get(&partition->ledger, ack->user, &head)) {
        cursor = inbox_cursor(&head, ack->device);
    }
    if (cursor == NULL || ack->number > head.last.number) {
        return cursor == NULL ? -ENOENT : -ERANGE;
    }
    *out = *gather_base(&head, cursor);
    bool known = cursor->state == RECORD_CURSOR_HOLDS && ack->number <= cursor->acked.number;
    return known ? 0 : ACK_IS_NEWS;
}

static enum ask_outcome
run_ack(struct partition *partition, struct ask *ask, bool act)
{
    const struct store_ack *ack = ASK_DATA(store_ack, ask);
    struct record_place base;
    if (!partition_knows_record(partition, RECORD_HEAD, ack->user, 0)) {
        return ASK_MISSING;
    }
    int verdict = ack_base(partition, ack, &base);
    if (verdict != ACK_IS_NEWS) {
        return act ? partition_refuse(ask, verdict) : ASK_READY;
    }
    return log_ack(partition, ask, &base, act);
}

bool
partition_valid_read(const struct ask *ask)
{
    const struct store_read *read = ASK_DATA(store_read, ask);
    return partition_valid_user(ask) && read->peer != 0 && read->chat_number != 0;
}

static enum ask_outcome
run_read(struct partition *partition, struct ask *ask, bool act)
{
    const struct store_read *read = ASK_DATA(store_read, ask);
    struct record_chat chat;
    struct record_head head;
    struct command command = {
        .partition = partition->ledger.partition,
        .kind = COMMAND_READ,
        .read = {.user = read->user, .peer = read->peer, .chat_number = read->chat_number},
    };
    if (!knows_needs(partition, &command)) {
        return ASK_MISSING;
    }
    if (!act) {
        return ASK_READY;
    }
    bool met = chat_get(&partition->ledger, read->user, read->peer, &chat);
    if (!met || read->chat_number > chat.last) {
        return partition_head(partition, ask, read->user, &head) ? partition_refuse(ask, -ERANGE)
                                                                 : ASK_DONE;
    }
    bool owes =
        inbox_head_get(&partition->ledger, read->user, &head) && chat_owes_read(&head, &chat);
    if (read->chat_number <= chat.read && !owes) {
        return partition_refuse(ask, 0);
    }
    return log_it(partition, ask, &command);
}

/* ------------------------------------------------------------------------------------ the kinds */

const struct ask_kind ask_user_create = {
    .bytes = sizeof(struct store_user_create),
    .needs_space = true,
    .valid = valid_user_create,
    .run = run_user_create,
    .answer = answer_user_created,
};
const struct ask_kind ask_password_set = {
    .bytes = sizeof(struct store_password),
    .needs_space = true,
    .valid = valid_password,
    .run = run_password_set,
};
const struct ask_kind ask_device_add = {
    .bytes = sizeof(struct store_device_add),
    .needs_space = true,
    .valid = valid_device_add,
    .run = run_device_add,
    .answer = answer_device_added,
};
const struct ask_kind ask_device_revoke = {
    .bytes = sizeof(struct store_device_id),
    .valid = partition_valid_user,
    .run = run_device_revoke,
};
const struct ask_kind ask_attach = {
    .bytes = sizeof(struct store_attach),
    .valid = partition_valid_user,
    .run = run_attach,
    .answer = partition_answer_attach,
};
const struct ask_kind ask_detach = {
    .bytes = sizeof(struct store_detach),
    .valid = partition_valid_user,
    .run = run_detach,
    .passed = partition_detached,
};
const struct ask_kind ask_message = {
    .bytes = sizeof(struct store_message),
    .needs_space = true,
    .valid = partition_valid_message,
    .run = run_message,
    .answer = partition_answer_sent,
};
const struct ask_kind ask_change = {
    .bytes = sizeof(struct store_change),
    .needs_space = true,
    .valid = partition_valid_change,
    .run = run_change,
    .answer = partition_answer_sent,
};
const struct ask_kind ask_ack = {
    .bytes = sizeof(struct store_ack),
    .yields = ASK_YIELDS_RECEIPT,
    .valid = partition_valid_user,
    .run = run_ack,
};
const struct ask_kind ask_read = {
    .bytes = sizeof(struct store_read),
    .yields = ASK_YIELDS_RECEIPT,
    .valid = partition_valid_read,
    .run = run_read,
};
