/* SPDX-License-Identifier: Apache-2.0 */
/* When users were last seen: told by those who hear them, asked by those who want to know. */
#include "store/presence.h"

#include "store/chat.h"
#include "store/inbox.h"
#include "store/partition_priv.h"
#include "store/record_presence.h"
#include "store/state.h"

#include <assert.h>
#include <errno.h>

static_assert((int)STORE_SEEN_MAX <= (int)COMMAND_PAIRS_MAX, "one command holds them");

static const struct store_seen_user *
seen_users(const struct ask *ask)
{
    return (const struct store_seen_user *)ln_buffer_data(ask->buffer);
}

static bool
valid_seen(const struct ask *ask)
{
    uint32_t count = ASK_DATA(store_seen, ask)->count;
    size_t held = ask->buffer != NULL ? ln_buffer_bytes(ask->buffer) : 0;
    const struct ledger *ledger = &ask->partition->ledger;
    if (count == 0 || count > STORE_SEEN_MAX || held != count * sizeof(struct store_seen_user)) {
        return false;
    }
    for (uint32_t i = 0; i < count; i++) {
        const struct store_seen_user *seen = &seen_users(ask)[i];
        if (seen->user == 0 || seen->at_ms == 0 ||
            ledger_partition_of(ledger, seen->user) != ledger->partition) {
            return false;
        }
    }
    return true;
}

/* Whether the partition knows that there is no such user any more. Of those whom it does not know
 * by heart it is not asked: whoever tells of a user has heard him a moment ago. */
static bool
removed(const struct partition *partition, uint64_t user)
{
    struct store_key key = record_key(partition->ledger.partition, RECORD_HEAD, user, 0);
    struct store_value value;
    struct record_head head;
    enum delta_found found = delta_get(partition->ledger.delta, &key, &value);
    if (found != DELTA_PRESENT) {
        return found == DELTA_ABSENT;
    }
    int error = record_head_decode(value, &head);
    ASSERT(error == 0);
    return head.removed;
}

static enum ask_outcome
run_seen(struct partition *partition, struct ask *ask, bool act)
{
    uint32_t count = ASK_DATA(store_seen, ask)->count;
    unsigned char *pairs = partition->journal->pairs;
    struct command command = {.kind = COMMAND_SEEN, .seen = {.bytes = pairs}};
    if (!act) {
        return ASK_READY;
    }
    for (uint32_t i = 0; i < count; i++) {
        const struct store_seen_user *seen = &seen_users(ask)[i];
        if (!removed(partition, seen->user)) {
            command_pair_put(pairs, command.seen.count++, seen->user, seen->at_ms);
        }
    }
    return command.seen.count > 0 ? partition_log(partition, ask, &command, true)
                                  : partition_refuse(ask, 0);
}

static bool
valid_seen_get(const struct ask *ask)
{
    return partition_valid_user(ask) && ASK_DATA(store_seen_get, ask)->watcher != 0;
}

static uint64_t
last_seen(const struct partition *partition, uint64_t user)
{
    struct store_key key = record_key(partition->ledger.partition, RECORD_LAST_SEEN, user, 0);
    struct record_last_seen seen = {0};
    struct store_value value;
    if (ledger_get(&partition->ledger, &key, &value)) {
        int error = record_last_seen_decode(value, &seen);
        ASSERT(error == 0);
    }
    return seen.at_ms;
}

static bool
met(const struct partition *partition, uint64_t user, uint64_t peer)
{
    struct record_chat chat;
    return chat_get(&partition->ledger, user, peer, &chat) && chat_met(&chat);
}

static enum ask_outcome
run_seen_get(struct partition *partition, struct ask *ask, bool act)
{
    const struct store_seen_get *asked = ASK_DATA(store_seen_get, ask);
    struct store_may_see rules = {.subject = asked->user, .watcher = asked->watcher};
    struct record_head head;
    bool known = partition_knows_record(partition, RECORD_LAST_SEEN, asked->user, 0);
    known = partition_knows_record(partition, RECORD_CHAT, asked->user, asked->watcher) && known;
    known = partition_knows_rules(partition, &rules, STORE_SEES_LAST_SEEN) && known;
    known = partition_knows_rules(partition, &rules, STORE_SEES_ONLINE) && known;
    if (!known || !act) {
        return known ? ASK_READY : ASK_MISSING;
    }
    if (!partition_head(partition, ask, asked->user, &head)) {
        return ASK_DONE;
    }
    struct store_seen_at answer = {
        .at_ms = last_seen(partition, asked->user),
        .met = met(partition, asked->user, asked->watcher),
        .sees_online = partition_may_see(partition, &rules, STORE_SEES_ONLINE),
        .sees_last_seen = partition_may_see(partition, &rules, STORE_SEES_LAST_SEEN),
    };
    ask_answer(ask, &answer, sizeof(answer), NULL);
    return ASK_DONE;
}

static bool
valid_strangers(const struct ask *ask)
{
    const struct store_strangers *asked = ASK_DATA(store_strangers, ask);
    return partition_valid_user(ask) && asked->count > 0 && asked->count <= STORE_STRANGERS_MAX &&
           ask->buffer != NULL && ln_buffer_bytes(ask->buffer) == asked->count * sizeof(uint64_t);
}

static enum ask_outcome
run_strangers(struct partition *partition, struct ask *ask, bool act)
{
    const struct store_strangers *asked = ASK_DATA(store_strangers, ask);
    struct command_ids ids = {.count = asked->count, .bytes = ln_buffer_data(ask->buffer)};
    struct store_strangers_found found = {0};
    bool known = true;
    for (uint32_t i = 0; i < ids.count; i++) {
        known =
            partition_knows_record(partition, RECORD_CHAT, asked->user, command_id_at(&ids, i)) &&
            known;
    }
    if (!known || !act) {
        return known ? ASK_READY : ASK_MISSING;
    }
    for (uint32_t i = 0; i < ids.count; i++) {
        uint64_t user = command_id_at(&ids, i);
        found.count += user != asked->user && !met(partition, asked->user, user);
    }
    ask_answer(ask, &found, sizeof(found), NULL);
    return ASK_DONE;
}

const struct ask_kind ask_strangers = {
    .bytes = sizeof(struct store_strangers),
    .valid = valid_strangers,
    .run = run_strangers,
};
const struct ask_kind ask_seen = {
    .bytes = sizeof(struct store_seen),
    .needs_space = true,
    .yields = ASK_YIELDS_RECEIPT,
    .valid = valid_seen,
    .run = run_seen,
};
const struct ask_kind ask_seen_get = {
    .bytes = sizeof(struct store_seen_get),
    .yields = ASK_YIELDS_PRESENCE,
    .valid = valid_seen_get,
    .run = run_seen_get,
};
