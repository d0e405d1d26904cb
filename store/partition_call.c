/* SPDX-License-Identifier: Apache-2.0 */
/* What is asked about calls and becomes a command, and who is in one. */
#include "store/apply.h"
#include "store/calls.h"
#include "store/chat.h"
#include "store/inbox.h"
#include "store/partition_priv.h"
#include "store/record_call.h"
#include "store/store_priv.h"

#include <errno.h>
#include <string.h>

/* --------------------------------------------------------------------------------------- change */

static bool
valid_act(const struct ask *ask)
{
    const struct store_call_act *act = ASK_DATA(store_call_act, ask);
    size_t held = ask->buffer != NULL ? ln_buffer_bytes(ask->buffer) : 0;
    return partition_valid_user(ask) && act->id.caller != 0 && act->id.number != 0 &&
           act->device != 0 && act->content_bytes == held &&
           act->content_bytes <= STORE_CALL_CONTENT_BYTES_MAX;
}

static const unsigned char *
content_of(const struct ask *ask)
{
    return ask->buffer != NULL ? ln_buffer_data(ask->buffer) : NULL;
}

static bool
valid_offer(const struct ask *ask)
{
    const struct store_call_act *offer = ASK_DATA(store_call_act, ask);
    return valid_act(ask) && offer->id.caller == offer->user && offer->callee != 0 &&
           offer->callee != offer->user && offer->ring_ms <= STORE_CALL_RING_MS_MAX &&
           offer->name_bytes <= STORE_NAME_BYTES_MAX;
}

static enum ask_outcome
run_offer(struct partition *partition, struct ask *ask, bool act)
{
    const struct store_call_act *offer = ASK_DATA(store_call_act, ask);
    struct command command = {
        .kind = COMMAND_CALL_OFFER,
        .call_offer = {.callee = offer->callee,
                       .ring_ms = offer->ring_ms,
                       .call = {.id = offer->id,
                                .state = STORE_CALL_RINGING,
                                .video = offer->video,
                                .name = offer->name,
                                .name_bytes = offer->name_bytes,
                                .content = content_of(ask),
                                .content_bytes = offer->content_bytes}},
    };
    if (act && offer->known_only && partition_log(partition, ask, &command, false) == ASK_READY &&
        apply_number_unused(&partition->ledger, offer->user, offer->device, offer->id.number)) {
        return partition_refuse(ask, -EUSERS);
    }
    return partition_log_for_user(partition, ask, &command, offer->user, act);
}

static enum ask_outcome
run_act(struct partition *partition, struct ask *ask, enum command_kind kind, bool act)
{
    const struct store_call_act *asked = ASK_DATA(store_call_act, ask);
    struct command command = {
        .kind = kind,
        .call = {.user = asked->user,
                 .id = asked->id,
                 .device = asked->device,
                 .reason = kind == COMMAND_CALL_END ? asked->reason : 0,
                 .content = content_of(ask),
                 .content_bytes = asked->content_bytes},
    };
    return partition_log_for_user(partition, ask, &command, asked->user, act);
}

static enum ask_outcome
run_answer(struct partition *partition, struct ask *ask, bool act)
{
    return run_act(partition, ask, COMMAND_CALL_ANSWER, act);
}

static bool
valid_end(const struct ask *ask)
{
    const struct store_call_act *end = ASK_DATA(store_call_act, ask);
    return valid_act(ask) && end->reason >= STORE_CALL_HANG_UP && end->reason <= STORE_CALL_FAIL;
}

/* Nothing that would begin or end a call is on its way to be applied, and there is no such call. */
static bool
is_over(struct partition *partition, const struct store_call_act *end)
{
    const struct journal *journal = partition->journal;
    struct calls calls;
    if (journal->open.count > 0 || journal->flight.count > 0 ||
        !partition_knows_record(partition, RECORD_CALLS, end->user, 0)) {
        return false;
    }
    calls_get(&partition->ledger, end->user, &calls);
    const struct record_call *call = calls_find(&calls, &end->id);
    return call == NULL || call->state == RECORD_CALL_ENDING;
}

/* What is over costs no command, as a rule. */
static enum ask_outcome
run_end(struct partition *partition, struct ask *ask, bool act)
{
    if (act && is_over(partition, ASK_DATA(store_call_act, ask))) {
        ask_answer_error(ask, 0);
        return ASK_DONE;
    }
    return run_act(partition, ask, COMMAND_CALL_END, act);
}

/* ----------------------------------------------------------------------------------------- look */

static enum ask_outcome
run_look(struct partition *partition, struct ask *ask, bool act)
{
    const struct store_call_look *look = ASK_DATA(store_call_look, ask);
    struct record_head head;
    struct record_chat chat;
    bool known = partition_knows_record(partition, RECORD_HEAD, look->user, 0);
    known = partition_knows_record(partition, RECORD_CHAT, look->user, look->caller) && known;
    if (!known || !act) {
        return known ? ASK_READY : ASK_MISSING;
    }
    if (!partition_head(partition, ask, look->user, &head)) {
        return ASK_DONE;
    }
    (void)chat_get(&partition->ledger, look->user, look->caller, &chat);
    struct store_call_looked looked = {.known = chat_met(&chat)};
    ask_answer(ask, &looked, sizeof(looked), NULL);
    return ASK_DONE;
}

/* The current one of a user's; false: he is in none. */
static bool
row_of(uint64_t user, struct store_value value, struct store_call_row *out)
{
    struct record_calls calls;
    int error = record_calls_decode(value, &calls);
    ASSERT(error == 0);
    for (unsigned i = 0; i < calls.count; i++) {
        const struct record_call *call = &calls.calls[i];
        if (call->state != RECORD_CALL_ENDING) {
            *out = (struct store_call_row){.user = user,
                                           .id = call->id,
                                           .peer = call->peer,
                                           .started_at_ms = call->started_at_ms,
                                           .answered_at_ms = call->answered_at_ms,
                                           .callee_device = call->device,
                                           .video = call->video};
            return true;
        }
    }
    return false;
}

static enum ask_outcome
run_list(struct partition *partition, struct ask *ask, bool act)
{
    const struct store_call_list *list = ASK_DATA(store_call_list, ask);
    struct rows *out = &partition->journal->rows;
    struct store_call_page result = {.user = list->user};
    struct page page;
    struct store_key key;
    struct store_value value;
    struct fetch_range wanted = {
        .range = key_range_table(partition->ledger.partition, RECORD_CALLS),
        .rows_max = partition_at_most(list->max, STORE_ROWS_MAX),
        .bytes_max = UINT32_MAX,
    };
    wanted.range.low.owner = list->user + 1;
    if (!partition_has_read(&ask->ranges[0], partition, &wanted)) {
        return ASK_MISSING;
    }
    if (!act) {
        return ASK_READY;
    }
    out->count = 0;
    uint32_t seen = 0;
    page_start(&page, partition->ledger.delta, &wanted.range, &ask->ranges[0].rows);
    while (seen < wanted.rows_max && page_next(&page, &key, &value)) {
        struct store_call_row row;
        result.user = key.owner;
        seen++;
        if (row_of(key.owner, value, &row)) {
            memcpy(rows_room(out, sizeof(row)), &row, sizeof(row));
            result.count++;
        }
    }
    if (page.cut) { /* the last rows that were read may have gone since */
        result.user = page.row_key.owner;
    }
    result.more = page.cut || seen == wanted.rows_max;
    ask_answer(ask, &result, sizeof(result), partition_buffer(out));
    return ASK_DONE;
}

/* ---------------------------------------------------------------------------------------- looks */

static enum ask_outcome
run_check(struct partition *partition, struct ask *ask, bool act)
{
    const struct ask_call_check *check = ASK_DATA(ask_call_check, ask);
    struct command command = {
        .kind = COMMAND_CALL_CHECK,
        .call = {.user = check->user, .id = check->id, .present = check->present}};
    return partition_log_for_user(partition, ask, &command, check->user, act);
}

/* Only what is news becomes a command: a device that is away, or has come back. */
static void
look(struct partition *partition, const struct effect *effect)
{
    struct ask_call_check check = {
        .user = effect->user,
        .id = {.caller = effect->sender,
               .number = effect->sender_number,
               .device = effect->sender_device},
        .present = attached_find(&partition->attached, effect->user, effect->device) != NULL,
    };
    bool was_absent = effect->devices != 0;
    if (!check.present || was_absent) {
        ask_queue_push(&partition->waiting,
                       ask_new(partition, ASK_CALL_CHECK, &check, sizeof(check)));
        partition_wake(partition);
    }
}

void
partition_call_tell(struct partition *partition, const struct effect *effect)
{
    if (effect->kind == EFFECT_CALL) {
        ASSERT(effect->number < STORE_CALL_COUNTS);
        counter_add(&partition->journal->calls[effect->number], 1);
    } else {
        look(partition, effect);
    }
}

const struct ask_kind ask_call_look = {
    .bytes = sizeof(struct store_call_look), .valid = partition_valid_user, .run = run_look};
const struct ask_kind ask_call_offer = {.bytes = sizeof(struct store_call_act),
                                        .needs_space = true,
                                        .valid = valid_offer,
                                        .run = run_offer,
                                        .answer = partition_answer_sent};
const struct ask_kind ask_call_answer = {
    .bytes = sizeof(struct store_call_act), .valid = valid_act, .run = run_answer};
const struct ask_kind ask_call_end = {
    .bytes = sizeof(struct store_call_act), .valid = valid_end, .run = run_end};
const struct ask_kind ask_call_list = {.bytes = sizeof(struct store_call_list), .run = run_list};
const struct ask_kind ask_of_call_check = {.run = run_check};
