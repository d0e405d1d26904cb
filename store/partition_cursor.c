/* SPDX-License-Identifier: Apache-2.0 */
/* Requests that move cursors: a device has taken in its inbox so far, a user has read a chat so
 * far. */
#include "store/chat.h"
#include "store/gather.h"
#include "store/inbox.h"
#include "store/partition_priv.h"

#include <errno.h>

/* --------------------------------------------------------------------------------- acknowledged */

static void
gather_begin(const struct partition *partition, const struct store_ack *asked,
             const struct record_place *base, uint64_t now_ms, struct gather *out)
{
    struct command_ack ack = {
        .user = asked->user, .device = asked->device, .number = asked->number};
    gather_start(out, &ack, base, partition->journal->pairs);
    out->now_ms = now_ms;
    out->range.low.partition = partition->ledger.partition;
    out->range.high.partition = partition->ledger.partition;
}

/* Goes through what is acknowledged; false: some of it is in LMDB and has not been read. */
static bool
gather(struct partition *partition, struct ask *ask, const struct record_place *base,
       uint64_t now_ms, struct gather *out)
{
    const struct store_ack *asked = ASK_DATA(store_ack, ask);
    struct delta *delta = partition->ledger.delta;
    struct page page;
    struct store_key key;
    struct store_value value;
    gather_begin(partition, asked, base, now_ms, out);
    if (gather_one(out, delta)) {
        return true;
    }
    gather_begin(partition, asked, base, now_ms, out);
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
    if (partition_log_known(partition, part, command) == ASK_STALLED) {
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

/* Some of it may have expired. ASK_READY: that is swept before the command, if it is to act. */
static enum ask_outcome
sweep_passed(struct partition *partition, struct ask *ask, const struct record_place *from,
             bool act, struct gather *out)
{
    uint64_t now_ms = (uint64_t)ln_wall_ms();
    (void)gather(partition, ask, from, now_ms, out);
    if (out->expired == 0) {
        return ASK_READY;
    }
    enum ask_outcome outcome = partition_log_passed(partition, &ask->ranges[0], out, act);
    (void)gather(partition, ask, from, now_ms, out);
    return outcome == ASK_TAKEN ? ASK_READY : outcome;
}

/* With what was read, if it `reads`. */
static enum ask_outcome
log_ack(struct partition *partition, struct ask *ask, const struct record_place *base, bool reads,
        bool act)
{
    const struct store_ack *asked = ASK_DATA(store_ack, ask);
    struct gather gathered;
    enum ask_outcome outcome;
    do {
        struct command command = {.partition = partition->ledger.partition, .kind = COMMAND_ACK};
        const struct record_place *from = ask->place.number > base->number ? &ask->place : base;
        if (!gather(partition, ask, from, 0, &gathered)) {
            return ASK_MISSING;
        }
        outcome =
            gathered.fleeting ? sweep_passed(partition, ask, from, act, &gathered) : ASK_READY;
        if (outcome != ASK_READY) {
            return outcome;
        }
        command.ack = gathered.ack;
        if (reads && !gathered.left) {
            command.kind = COMMAND_ACK_READ;
            command.ack.peer = asked->peer;
            command.ack.chat_number = asked->chat_number;
        }
        if (!partition_knows_needs(partition, &command)) {
            return ASK_MISSING;
        }
        if (!act) {
            return ASK_READY;
        }
        outcome = gathered.left ? log_part(partition, ask, &command)
                                : partition_log_known(partition, ask, &command);
    } while (outcome == ASK_TAKEN && gathered.left);
    return outcome;
}

/* What an acknowledgement asks for, and what was read with it. */
struct verdict {
    int ack, read;            /* IS_NEWS, 0 when it is none, or why it is refused */
    bool passes;              /* the read may pass over what the acknowledgement does not reach */
    struct record_place base; /* from where on the acknowledgement counts, if it is news */
};
enum { IS_NEWS = 1 };

static int
ack_verdict(struct record_head *head, const struct store_ack *ack, struct record_place *out_base)
{
    const struct record_cursor *cursor = inbox_cursor(head, ack->device);
    if (cursor == NULL || ack->number > head->last.number) {
        return cursor == NULL ? -ENOENT : -ERANGE;
    }
    *out_base = *gather_base(head, cursor);
    bool known = cursor->state == RECORD_CURSOR_HOLDS && ack->number <= cursor->acked.number;
    return known ? 0 : IS_NEWS;
}

static int
read_verdict(const struct record_head *head, const struct record_chat *chat, uint64_t chat_number)
{
    if (chat_number > chat->last) {
        return -ERANGE;
    }
    return chat_number > chat->read || chat_owes_read(head, chat) ? IS_NEWS : 0;
}

/* Apart, so that the head is on the stack no longer. A read that is refused is struck out of the
 * ask, if it is to act: chat_number is 0 from then on. */
static __attribute__((noinline)) struct verdict
verdict_of(struct partition *partition, struct ask *ask, bool act)
{
    struct store_ack *ack = (struct store_ack *)(void *)ask->data;
    struct verdict verdict = {.ack = -ENOENT};
    struct record_head head;
    struct record_chat chat;
    if (!inbox_head_get(&partition->ledger, ack->user, &head)) {
        return verdict;
    }
    verdict.ack = ack_verdict(&head, ack, &verdict.base);
    if (verdict.ack < 0 || ack->chat_number == 0) {
        return verdict;
    }
    (void)chat_get(&partition->ledger, ack->user, ack->peer, &chat);
    verdict.read = read_verdict(&head, &chat, ack->chat_number);
    ack->chat_number = act && verdict.read < 0 ? 0 : ack->chat_number;
    bool reaches = verdict.ack == IS_NEWS && ack->number >= head.last.number;
    verdict.passes = verdict.read == IS_NEWS && ack->chat_number > chat.delivered && !reaches;
    return verdict;
}

static void
answer_acked(struct ask *ask, const struct result *result)
{
    const struct store_ack *ack = ASK_DATA(store_ack, ask);
    struct store_marked marked = {.error = ack->chat_number == 0 ? -ERANGE : 0,
                                  .moved = result->moved};
    if (ack->peer != 0) {
        ask_answer(ask, &marked, sizeof(marked), NULL);
    } else {
        ask_answer_error(ask, 0);
    }
}

static enum ask_outcome
run_ack(struct partition *partition, struct ask *ask, bool act)
{
    const struct store_ack *ack = ASK_DATA(store_ack, ask);
    bool knows = partition_knows_record(partition, RECORD_HEAD, ack->user, 0);
    if (ack->peer != 0) {
        knows = partition_knows_record(partition, RECORD_CHAT, ack->user, ack->peer) && knows;
    }
    if (!knows) {
        return ASK_MISSING;
    }
    struct verdict verdict = verdict_of(partition, ask, act);
    if (verdict.ack < 0) {
        return act ? partition_refuse(ask, verdict.ack) : ASK_READY;
    }
    if (verdict.passes) {
        enum ask_outcome outcome = partition_log_unseen(partition, &ask->ranges[1], ack->user, act);
        if (outcome != ASK_READY && outcome != ASK_TAKEN) {
            return outcome;
        }
    }
    if (verdict.ack == IS_NEWS) {
        return log_ack(partition, ask, &verdict.base, verdict.read == IS_NEWS, act);
    }
    if (verdict.read == IS_NEWS) {
        struct command command = {
            .kind = COMMAND_READ,
            .read = {.user = ack->user, .peer = ack->peer, .chat_number = ack->chat_number},
        };
        return partition_log(partition, ask, &command, act);
    }
    if (act) {
        answer_acked(ask, &(struct result){0});
    }
    return act ? ASK_DONE : ASK_READY;
}

/* ----------------------------------------------------------------------------------------- read */

bool
partition_valid_read(const struct ask *ask)
{
    const struct store_read *read = ASK_DATA(store_read, ask);
    return partition_valid_user(ask) && read->peer != 0 && read->chat_number != 0;
}

void
partition_answer_marked(struct ask *ask, const struct result *result)
{
    struct store_marked marked = {.moved = result->moved};
    ask_answer(ask, &marked, sizeof(marked), NULL);
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
    if (!partition_knows_needs(partition, &command)) {
        return ASK_MISSING;
    }
    bool met = chat_get(&partition->ledger, read->user, read->peer, &chat);
    if (!act) {
        return met && read->chat_number > chat.delivered
                   ? partition_log_unseen(partition, &ask->ranges[0], read->user, false)
                   : ASK_READY;
    }
    if (!partition_head(partition, ask, read->user, &head)) {
        return ASK_DONE;
    }
    int verdict = read_verdict(&head, &chat, read->chat_number);
    if (verdict < 0) {
        return partition_refuse(ask, verdict);
    }
    if (verdict == 0) {
        partition_answer_marked(ask, &(struct result){0});
        return ASK_DONE;
    }
    if (read->chat_number > chat.delivered) {
        enum ask_outcome outcome =
            partition_log_unseen(partition, &ask->ranges[0], read->user, true);
        if (outcome != ASK_READY && outcome != ASK_TAKEN) {
            return outcome;
        }
    }
    return partition_log_known(partition, ask, &command);
}

/* ------------------------------------------------------------------------------------ the kinds */

static bool
valid_ack(const struct ask *ask)
{
    const struct store_ack *ack = ASK_DATA(store_ack, ask);
    return partition_valid_user(ask) && (ack->peer == 0) == (ack->chat_number == 0);
}

const struct ask_kind ask_ack = {
    .bytes = sizeof(struct store_ack),
    .yields = ASK_YIELDS_RECEIPT,
    .valid = valid_ack,
    .run = run_ack,
    .answer = answer_acked,
};
const struct ask_kind ask_read = {
    .bytes = sizeof(struct store_read),
    .yields = ASK_YIELDS_RECEIPT,
    .valid = partition_valid_read,
    .run = run_read,
    .answer = partition_answer_marked,
};
