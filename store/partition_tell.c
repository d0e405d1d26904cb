/* SPDX-License-Identifier: Apache-2.0 */
/* What the world is told of a command that has been applied: pushes and notices to the user's
 * sessions, and the answer to whoever asked. Runs in the journal's actor. */
#include "store/partition_priv.h"
#include "store/record_account.h"
#include "store/state.h"
#include "store/store_priv.h"

#include <errno.h>
#include <string.h>

/* ---------------------------------------------------------------------------------- to sessions */

static void
notify(ln_pid session, uint32_t tag, const struct store_notice *notice)
{
    struct ln_msg *msg = ln_msg_new(tag, LN_REPLY, sizeof(*notice));
    memcpy(msg->data, notice, sizeof(*notice));
    ln_send(session, &msg);
}

/* Borrows the buffer. */
static void
push_one(struct partition *partition, const struct bundle *bundle,
         const struct attached_session *session, struct ln_buffer *buffer)
{
    struct store_push push = {
        .user = bundle->user, .number = bundle->number, .previous = bundle->previous};
    struct ln_msg *msg = ln_msg_new(STORE_PUSH, LN_DURABLE, sizeof(push));
    memcpy(msg->data, &push, sizeof(push));
    msg->buffer = ln_buffer_get(buffer);
    counter_add(&partition->journal->pushes, bundle->count);
    ln_send(session->pid, &msg);
}

/* Takes the buffer, which has the bundle's entries. */
static void
push_buffer(struct partition *partition, const struct bundle *bundle, struct ln_buffer *buffer)
{
    const struct attached *attached = &partition->attached;
    struct attached_session *session = attached_next(attached, bundle->user, NULL);
    for (; session != NULL; session = attached_next(attached, bundle->user, session)) {
        if (!session->behind) {
            push_one(partition, bundle, session, buffer);
        }
    }
    ln_buffer_put(&buffer);
}

void
partition_push_gathered(struct journal *journal)
{
    struct bundles *bundles = &journal->bundles;
    for (unsigned i = 0; i < bundles->count; i++) {
        const struct rows *entries = &bundles->items[i].entries;
        struct ln_buffer *buffer = ln_buffer_new(entries->count);
        memcpy(ln_buffer_data(buffer), entries->bytes, entries->count);
        push_buffer(journal->gathering, &bundles->items[i], buffer);
    }
    bundles_clear(bundles);
}

static void
entry_write(const struct effect *effect, struct store_value record, unsigned char *out)
{
    entry_prefix(effect->number, record.count, out);
    memcpy(out + ENTRY_PREFIX_BYTES, record.bytes, record.count);
}

static void
push_entry(struct partition *partition, const struct effect *effect, struct store_value record)
{
    struct bundle alone = {
        .user = effect->user, .previous = effect->previous, .number = effect->number, .count = 1};
    struct ln_buffer *buffer = ln_buffer_new(ENTRY_PREFIX_BYTES + record.count);
    partition_push_gathered(partition->journal);
    entry_write(effect, record, ln_buffer_data(buffer));
    push_buffer(partition, &alone, buffer);
}

/* To those that its user's sessions are pushed next. */
static void
gather_entry(struct partition *partition, const struct effect *effect, struct store_value record)
{
    struct journal *journal = partition->journal;
    if (journal->gathering != partition) {
        partition_push_gathered(journal);
        journal->gathering = partition;
    }
    struct bundle *bundle = bundles_of(&journal->bundles, effect->user, effect->previous);
    if (bundle == NULL) {
        partition_push_gathered(journal);
        bundle = bundles_of(&journal->bundles, effect->user, effect->previous);
    }
    entry_write(effect, record,
                bundle_room(bundle, effect->number, ENTRY_PREFIX_BYTES + record.count));
}

/* Sessions that read their inbox find it there. `gather`: more may follow at once; what is long is
 * not copied twice for that. */
static void
push(struct partition *partition, const struct effect *effect, bool gather)
{
    const struct attached *attached = &partition->attached;
    struct attached_session *session = attached_next(attached, effect->user, NULL);
    bool any = false;
    for (; session != NULL; session = attached_next(attached, effect->user, session)) {
        session->newest = (uint32_t)effect->number;
        any = any || !session->behind;
    }
    if (!any || partition->store->options.plant_lost_pushes) {
        return;
    }
    struct store_key key =
        record_key(partition->ledger.partition, RECORD_INBOX, effect->user, effect->number);
    struct store_value record;
    bool present = ledger_get(&partition->ledger, &key, &record);
    ASSERT(present);
    if (gather && record.count <= BUNDLE_ENTRY_BYTES_MAX) {
        gather_entry(partition, effect, record);
    } else {
        push_entry(partition, effect, record);
    }
}

void
partition_push_refused(struct partition *partition, uint64_t user, ln_pid pid)
{
    struct attached_session *session = attached_next(&partition->attached, user, NULL);
    counter_add(&partition->journal->pushes_refused, 1);
    while (session != NULL && session->pid != pid) {
        session = attached_next(&partition->attached, user, session);
    }
    if (session == NULL || session->behind) {
        return;
    }
    session->behind = true;
    struct store_notice notice = {.user = user};
    notify(session->pid, STORE_BEHIND, &notice);
}

/* To all of the user's sessions, or that of one device alone. */
static void
notify_user(struct partition *partition, const struct effect *effect, uint32_t tag, bool one)
{
    const struct attached *attached = &partition->attached;
    struct attached_session *session = attached_next(attached, effect->user, NULL);
    struct store_notice notice = {
        .user = effect->user, .device = effect->device, .devices = effect->devices};
    for (; session != NULL; session = attached_next(attached, effect->user, session)) {
        if (!one || session->device == effect->device) {
            notify(session->pid, tag, &notice);
        }
    }
}

static void
notify_rules(ln_pid to, const struct effect *effect)
{
    struct store_rules_notice notice = {.user = effect->user, .watcher = effect->number};
    struct ln_msg *msg = ln_msg_new(STORE_RULES, LN_REPLY, sizeof(notice));
    memcpy(msg->data, &notice, sizeof(notice));
    ln_send(to, &msg);
}

static void
tell_rules(struct partition *partition, const struct effect *effect)
{
    const struct attached *attached = &partition->attached;
    struct attached_session *session = attached_next(attached, effect->user, NULL);
    ln_pid presence = store_pid_get(&partition->journal->presence);
    for (; session != NULL; session = attached_next(attached, effect->user, session)) {
        notify_rules(session->pid, effect);
    }
    if (presence != 0) {
        notify_rules(presence, effect);
    }
}

static void
tell_sessions(struct partition *partition, const struct effect *effect)
{
    switch (effect->kind) {
    case EFFECT_PUSH:
        break; /* as `tell` has it */
    case EFFECT_RESYNC:
        notify_user(partition, effect, STORE_RESYNC, true);
        break;
    case EFFECT_REVOKED:
        notify_user(partition, effect, STORE_REVOKED, effect->device != 0);
        break;
    case EFFECT_DEVICES:
        notify_user(partition, effect, STORE_DEVICES, false);
        break;
    case EFFECT_DUE:
        partition_tell_waker(partition, effect);
        break;
    case EFFECT_RULES:
        tell_rules(partition, effect);
        break;
    case EFFECT_EXPIRY:
        partition_expiry(partition, effect->number, effect->devices != 0);
        break;
    case EFFECT_EXPIRED:
        break; /* for a trace */
    case EFFECT_CALL:
    case EFFECT_CALL_LOOK:
        partition_call_tell(partition, effect);
        break;
    }
}

/* -------------------------------------------------------------------------------------- answers */

/* After a change of what was `before`. */
static void
count_sessions(struct partition *partition, const struct attached *before)
{
    const struct attached *now = &partition->attached;
    counter_add(&partition->journal->sessions, (uint64_t)now->count - before->count);
    counter_add(&partition->journal->users_online, (uint64_t)now->users - before->users);
    counter_set(&partition->sessions, now->count);
}

/* Its record was looked up for the ask that is being answered, and stays known until that is
 * over. */
static struct store_name
name_of_user(struct partition *partition, uint64_t user)
{
    struct store_key key = record_key(partition->ledger.partition, RECORD_USER, user, 0);
    struct store_value value;
    struct record_user record;
    bool found = ledger_get(&partition->ledger, &key, &value);
    ASSERT(found);
    int error = record_user_decode(value, &record);
    ASSERT(error == 0);
    return record.name;
}

void
partition_answer_attach(struct ask *ask, const struct result *result)
{
    struct partition *partition = ask->partition;
    const struct store_attach *asked = ASK_DATA(store_attach, ask);
    struct store_attached attached = {
        .acked = result->acked,
        .last = result->last,
        .next_command = result->range + 1,
        .node_number = STORE_NODE_NUMBER_MIN + result->range + 1,
        .resync = result->resync,
        .expired = result->expired,
        .devices = result->devices,
    };
    struct attached before = partition->attached;
    if (ask->taker != store_pid_get(&partition->pid)) {
        /* The session was told that nothing has come of it. It asks again, if it has not ended; if
         * it has, its detaching may be what the actor before took along. */
        ask_answer_error(ask, -ESRCH);
        return;
    }
    const struct attached_session *now =
        attached_find(&partition->attached, asked->user, asked->device);
    if (asked->again && (now == NULL || now->pid != asked->session)) {
        ask_answer_error(ask, -EBUSY);
        return;
    }
    ln_pid replaced =
        attached_set(&partition->attached, asked->user, asked->device, asked->session);
    if (replaced != 0 && replaced != asked->session) {
        struct store_notice notice = {
            .user = asked->user, .device = asked->device, .since_tenths = asked->since_tenths};
        notify(replaced, STORE_REPLACED, &notice);
    }
    attached_find(&partition->attached, asked->user, asked->device)->newest =
        (uint32_t)attached.last;
    count_sessions(partition, &before);
    if (asked->proves) {
        attached.name = name_of_user(partition, asked->user);
    }
    ask_answer(ask, &attached, sizeof(attached), NULL);
}

/* The answer to a command that was not refused. */
static void
answer(struct ask *ask, const struct result *result)
{
    const struct ask_kind *kind = partition_kind(ask->tag);
    if (kind->answer != NULL) {
        kind->answer(ask, result);
    } else {
        ask_answer_error(ask, 0);
    }
}

/* Keeps the ask, with the answer it will get, until the other partition has done its part. */
static void
await(struct partition *partition, struct ask *ask, const struct result *result)
{
    ask_leave(ask);
    ask->stream_number = result->stream_number;
    ask->stream_to = result->stream_to;
    struct store_user_created created = {.user = result->user, .device = result->device};
    memcpy(ask->data, &created, sizeof(created));
    ask_queue_push(&partition->awaiting, ask);
}

/* A stream has been acknowledged further: those who waited for it are answered. */
static void
answer_awaiting(struct partition *partition)
{
    struct ask *ask = ask_queue_take(&partition->awaiting);
    while (ask != NULL) {
        struct ask *next = ask->next;
        if (partition->ledger.streams[ask->stream_to].out_acked < ask->stream_number) {
            ask_queue_push(&partition->awaiting, ask);
        } else {
            const struct store_user_created *created = ASK_DATA(store_user_created, ask);
            struct result result = {.user = created->user, .device = created->device};
            answer(ask, &result);
            ask_free(ask);
        }
        ask = next;
    }
}

/* ----------------------------------------------------------------------------- from the journal */

/* What one partition's streams bring, one record behind the other, is pushed together: nobody is
 * told anything else in between, or waits for it. */
static void
tell(struct partition *partition, const struct ask *ask, const struct effects *effects)
{
    bool gather = ask->tag == ASK_STREAM;
    if (!gather) {
        partition_push_gathered(partition->journal);
    }
    for (size_t i = 0; i < effects->count; i++) {
        const struct effect *effect = &effects->items[i];
        if (effect->kind == EFFECT_PUSH) {
            push(partition, effect, gather);
        } else {
            partition_push_gathered(partition->journal);
            tell_sessions(partition, effect);
        }
    }
}

void
partition_applied(struct partition *partition, struct ask *ask, const struct result *result,
                  struct effects *effects)
{
    uint8_t other;
    counter_add(&partition->commands, 1);
    tell(partition, ask, effects);
    if (effects->fan_members > 0) {
        fan_add(&partition->fan, effects->streams, effects->fan_members);
        hot_count(&partition->hot_groups, effects->fan_group,
                  (uint32_t)(effects->streams_bytes / 1024) + 1, ln_now_ns());
        memset(effects->streams, 0, sizeof(effects->streams));
    }
    while (effects_streams_next(effects, &other)) {
        partition->sends_due[other / 64] |= UINT64_C(1) << other % 64;
    }
    if (ask->tag == ASK_STREAM) {
        other = ASK_DATA(ask_stream, ask)->source;
        partition->acks_due[other / 64] |= UINT64_C(1) << other % 64;
    } else if (ask->tag == ASK_STREAM_ACK) {
        answer_awaiting(partition);
    }
    if (result->error != 0) {
        ask_answer_error(ask, result->error);
    } else if (result->stream_number != 0) {
        await(partition, ask, result);
        return;
    } else {
        answer(ask, result);
    }
    ask_free(ask);
}

void
partition_detach(struct partition *partition, const struct store_detach *detach)
{
    struct attached before = partition->attached;
    attached_remove(&partition->attached, detach->user, detach->device, detach->session);
    count_sessions(partition, &before);
}

void
partition_detached(struct partition *partition, struct ask *ask)
{
    partition_detach(partition, ASK_DATA(store_detach, ask));
    ask_answer_error(ask, 0);
}

void
partition_passed(struct partition *partition, struct ask *ask)
{
    const struct ask_kind *kind = partition_kind(ask->tag);
    ASSERT(kind->passed != NULL);
    partition_push_gathered(partition->journal);
    kind->passed(partition, ask);
    ask_free(ask);
}
