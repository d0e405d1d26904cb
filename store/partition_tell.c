/* SPDX-License-Identifier: Apache-2.0 */
/* What the world is told of a command that has been applied: pushes and notices to the user's
 * sessions, and the answer to whoever asked. Runs in the journal's actor. */
#include "store/partition_priv.h"
#include "store/record_account.h"
#include "store/state.h"
#include "store/store_priv.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

enum {
    PUSHED_MAX = 64,             /* entries in one push */
    PUSHED_BYTES_MAX = 32 << 10, /* one that has so much takes no more */
};
static_assert((int)PUSHED_MAX >= (int)COMMAND_ROUND_MAX, "a round is one push where it is short");

/* ---------------------------------------------------------------------------------- to sessions */

static void
notify(ln_pid session, uint32_t tag, const struct store_notice *notice)
{
    struct ln_msg *msg = ln_msg_new(tag, LN_REPLY, sizeof(*notice));
    memcpy(msg->data, notice, sizeof(*notice));
    ln_send(session, &msg);
}

/* Entries that are pushed to a user together; in the order of their numbers. */
struct pushed {
    uint64_t user;
    uint64_t previous; /* the entry before the first of them */
    uint32_t count;
    size_t bytes;
    struct pushed_entry {
        uint64_t number;
        struct store_value record;
    } entries[PUSHED_MAX];
};

/* The last entry that was passed over, since it had made way, and the one before it. Numbers are
 * the partition's: no other user has that one. */
struct passed {
    uint64_t number;
    uint64_t previous;
};

static void
pushed_add(struct pushed *pushed, uint64_t number, struct store_value record)
{
    pushed->entries[pushed->count++] = (struct pushed_entry){.number = number, .record = record};
    pushed->bytes += ENTRY_PREFIX_BYTES + record.count;
}

/* As many as go into one push; none where all have made way. Returns how many effects those are:
 * sessions don't hear of what has made way, and see no gap there. */
static size_t
pushed_take(const struct partition *partition, const struct effect *effects, size_t count,
            struct passed *passed, struct pushed *out)
{
    size_t taken = 0;
    out->user = effects->user;
    out->count = 0;
    out->bytes = 0;
    while (taken < count && out->count < PUSHED_MAX && out->bytes < PUSHED_BYTES_MAX) {
        const struct effect *effect = &effects[taken++];
        uint64_t previous =
            effect->previous == passed->number ? passed->previous : effect->previous;
        struct store_key key =
            record_key(partition->ledger.partition, RECORD_INBOX, effect->user, effect->number);
        struct store_value record;
        if (delta_get(partition->ledger.delta, &key, &record) != DELTA_PRESENT) {
            *passed = (struct passed){.number = effect->number, .previous = previous};
            continue;
        }
        out->previous = out->count == 0 ? previous : out->previous;
        pushed_add(out, effect->number, record);
    }
    return taken;
}

static struct ln_buffer *
pushed_buffer(const struct pushed *pushed)
{
    struct ln_buffer *buffer = ln_buffer_new(pushed->bytes);
    unsigned char *at = ln_buffer_data(buffer);
    for (uint32_t i = 0; i < pushed->count; i++) {
        struct store_value record = pushed->entries[i].record;
        entry_prefix(pushed->entries[i].number, record.count, at);
        memcpy(at + ENTRY_PREFIX_BYTES, record.bytes, record.count);
        at += ENTRY_PREFIX_BYTES + record.count;
    }
    return buffer;
}

/* Borrows the buffer. */
static void
push_one(struct partition *partition, const struct pushed *pushed,
         const struct attached_session *session, struct ln_buffer *buffer)
{
    struct store_push push = {.user = pushed->user,
                              .number = pushed->entries[pushed->count - 1].number,
                              .previous = pushed->previous};
    struct ln_msg *msg = ln_msg_new(STORE_PUSH, LN_DURABLE, sizeof(push));
    memcpy(msg->data, &push, sizeof(push));
    msg->buffer = ln_buffer_get(buffer);
    counter_add(&partition->journal->pushes, pushed->count);
    ln_send(session->pid, &msg);
}

/* Notes in the user's sessions what they are told of, or will read. Whether any is to be told. */
static bool
note_newest(const struct partition *partition, uint64_t user, uint64_t number)
{
    const struct attached *attached = &partition->attached;
    struct attached_session *session = attached_next(attached, user, NULL);
    bool any = false;
    for (; session != NULL; session = attached_next(attached, user, session)) {
        session->newest = (uint32_t)number;
        any = any || !session->behind;
    }
    return any;
}

static void
push_some(struct partition *partition, const struct pushed *pushed)
{
    const struct attached *attached = &partition->attached;
    struct attached_session *session = attached_next(attached, pushed->user, NULL);
    struct ln_buffer *buffer = pushed_buffer(pushed);
    for (; session != NULL; session = attached_next(attached, pushed->user, session)) {
        if (!session->behind) {
            push_one(partition, pushed, session, buffer);
        }
    }
    ln_buffer_put(&buffer);
}

/* All of them are of one user. Sessions that read their inbox find them there. */
static void
push(struct partition *partition, const struct effect *effects, size_t count, struct passed *passed)
{
    if (!note_newest(partition, effects->user, effects[count - 1].number) ||
        partition->store->options.plant_lost_pushes) {
        return;
    }
    while (count > 0) {
        struct pushed pushed;
        size_t taken = pushed_take(partition, effects, count, passed, &pushed);
        if (pushed.count > 0) {
            push_some(partition, &pushed);
        }
        effects += taken;
        count -= taken;
    }
}

/* How many pushes to the same user stand there from `at` on. */
static size_t
pushes_at(const struct effects *effects, size_t at)
{
    const struct effect *first = &effects->items[at];
    size_t count = 0;
    while (at + count < effects->count && first[count].kind == EFFECT_PUSH &&
           first[count].user == first->user) {
        count++;
    }
    return count;
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

static void
tell(struct partition *partition, const struct effects *effects)
{
    struct passed passed = {0};
    for (size_t i = 0; i < effects->count;) {
        size_t pushes = pushes_at(effects, i);
        if (pushes > 0) {
            push(partition, &effects->items[i], pushes, &passed);
        } else {
            tell_sessions(partition, &effects->items[i]);
        }
        i += pushes > 0 ? pushes : 1;
    }
}

void
partition_applied(struct partition *partition, struct ask *ask, const struct result *result,
                  struct effects *effects)
{
    uint8_t other;
    counter_add(&partition->commands, 1);
    tell(partition, effects);
    if (effects->fan_members > 0) {
        fan_add(&partition->fan, effects->streams, effects->fan_members);
        memset(effects->streams, 0, sizeof(effects->streams));
        hot_count(&partition->hot_groups, effects->fan_group,
                  (uint32_t)(effects->streams_bytes / 1024) + 1, ln_now_ns());
    }
    while (effects_streams_next(effects, &other)) {
        partition->sends_due[other / 64] |= UINT64_C(1) << other % 64;
    }
    if (ask->tag == ASK_STREAM) {
        other = ASK_DATA(ask_stream, ask)->source;
        partition->acks_due[other / 64] |= UINT64_C(1) << other % 64;
    } else if (ask->tag == ASK_STREAM_ACK) {
        partition_stream_acknowledged(partition, ASK_DATA(ask_stream_ack, ask)->destination);
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
    kind->passed(partition, ask);
    ask_free(ask);
}
