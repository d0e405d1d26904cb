/* SPDX-License-Identifier: Apache-2.0 */
/* Requests about what users have set: changes, pages of it, and what others may see of it. */
#include "store/inbox.h"
#include "store/partition_priv.h"
#include "store/record_account.h"
#include "store/record_state.h"
#include "store/rule.h"
#include "store/store_priv.h"

#include <errno.h>
#include <string.h>

/* -------------------------------------------------------------------------------------- changes */

static struct store_value
value_of(const struct ask *ask)
{
    struct store_value value = {0};
    if (ask->buffer != NULL) {
        value.bytes = ln_buffer_data(ask->buffer);
        value.count = ln_buffer_bytes(ask->buffer);
    }
    return value;
}

static bool
valid_state(const struct ask *ask)
{
    const struct store_state *state = ASK_DATA(store_state, ask);
    struct store_value value = value_of(ask);
    return partition_valid_user(ask) && state->value_bytes == value.count &&
           state_valid(state->kind, state->subject, ask->tag == STORE_STATE_REMOVE, value);
}

static enum ask_outcome
run_change(struct partition *partition, struct ask *ask, bool act)
{
    const struct store_state *state = ASK_DATA(store_state, ask);
    const struct store_options *options = &partition->store->options;
    struct command command = {
        .kind = COMMAND_STATE,
        .state =
            {
                .user = state->user,
                .number = state->number,
                .subject = state->subject,
                .device = state->device,
                .kind = state->kind,
                .removed = ask->tag == STORE_STATE_REMOVE,
                .states_max = options->states_max,
                .bytes_max = options->states_bytes_max,
                .value = value_of(ask),
                .quiet_until_ms = state->quiet_until_ms,
            },
    };
    return partition_log_for_user(partition, ask, &command, state->user, act);
}

/* Whether there is such a user; false: answered with -ENOENT. A frame of its own: a head is
 * large. */
static __attribute__((noinline)) bool
user_there(struct partition *partition, struct ask *ask, uint64_t user)
{
    struct record_head head;
    return partition_head(partition, ask, user, &head);
}

/* ---------------------------------------------------------------------------------------- pages */

struct state_page {
    struct fetch_range wanted;
    uint64_t reached; /* nothing at or before this place is left to tell */
    struct store_states result;
};

static struct state_page
state_page(const struct partition *partition, const struct ask *ask)
{
    const struct store_state_list *list = ASK_DATA(store_state_list, ask);
    uint64_t after = ask->after > list->after ? ask->after : list->after;
    uint8_t home = partition->ledger.partition;
    struct state_page page = {
        .wanted =
            {
                .range = key_range_owner(home, RECORD_STATE, list->user),
                .rows_max = partition_at_most(list->states_max, STORE_ROWS_MAX),
                .bytes_max = partition_at_most(list->bytes_max, STORE_PAGE_BYTES_MAX),
            },
    };
    struct store_key *low = &page.wanted.range.low;
    if (list->kind != 0) {
        *low = record_key_state(home, list->user, list->kind, 0);
        page.wanted.range.high = record_key_state(home, list->user, list->kind, UINT64_MAX);
    }
    struct store_key from =
        record_key_state(home, list->user, (uint8_t)(after >> 56), (after << 8 >> 8) + 1);
    if (after != 0 && key_less(low, &from)) {
        *low = from;
    }
    return page;
}

static void
add_state(struct rows *out, const struct store_key *key, struct store_value value)
{
    struct record_state record;
    int error = record_state_decode(value, &record);
    ASSERT(error == 0);
    struct store_entry entry = {
        .kind = STORE_ENTRY_STATE,
        .peer = key->b,
        .state = {.kind = (uint8_t)key->a,
                  .value = record.value.bytes,
                  .value_bytes = (uint32_t)record.value.count},
    };
    size_t bytes = entry_bytes(&entry);
    unsigned char *at = rows_room(out, ENTRY_PREFIX_BYTES + bytes);
    entry_prefix(0, bytes, at);
    entry_encode(&entry, at + ENTRY_PREFIX_BYTES);
}

/* Fills the scratch with what is there, up to the page's bounds. */
static void
state_gather(struct partition *partition, struct ask *ask, struct state_page *states)
{
    struct rows *out = &partition->journal->rows;
    struct page page;
    struct store_key key;
    struct store_value value;
    out->count = 0;
    page_start(&page, partition->ledger.delta, &states->wanted.range, &ask->ranges[0].rows);
    while (page_next(&page, &key, &value)) {
        if (states->result.count == states->wanted.rows_max ||
            (states->result.count > 0 && out->count + value.count > states->wanted.bytes_max)) {
            states->result.more = true;
            return;
        }
        add_state(out, &key, value);
        states->result.count++;
        states->result.last = store_state_place((uint8_t)key.a, key.b);
    }
    states->result.more = page.cut;
    states->reached = page.cut ? store_state_place((uint8_t)page.row_key.a, page.row_key.b) : 0;
}

/* Answers with the next page that holds anything; false: it has not been read. */
static bool
list_answer(struct partition *partition, struct ask *ask)
{
    for (;;) {
        struct state_page page = state_page(partition, ask);
        if (!partition_has_read(&ask->ranges[0], partition, &page.wanted)) {
            return false;
        }
        state_gather(partition, ask, &page);
        if (!page.result.more || page.result.count > 0) {
            ask_answer(ask, &page.result, sizeof(page.result),
                       partition_buffer(&partition->journal->rows));
            return true;
        }
        ask->after = page.reached; /* nothing that was read is still there */
        partition_read_again(&ask->ranges[0]);
    }
}

static enum ask_outcome
run_list(struct partition *partition, struct ask *ask, bool act)
{
    uint64_t user = ASK_DATA(store_state_list, ask)->user;
    struct state_page page = state_page(partition, ask);
    if (!partition_knows_record(partition, RECORD_HEAD, user, 0) ||
        !partition_has_read(&ask->ranges[0], partition, &page.wanted)) {
        return ASK_MISSING;
    }
    if (!act) {
        return ASK_READY;
    }
    if (!user_there(partition, ask, user)) {
        return ASK_DONE;
    }
    return list_answer(partition, ask) ? ASK_DONE : ASK_MISSING;
}

/* ---------------------------------------------------------------------------------- who may see */

static bool
knows_state(struct partition *partition, uint64_t user, uint8_t kind, uint64_t subject)
{
    struct store_key key = record_key_state(partition->ledger.partition, user, kind, subject);
    return partition_knows(partition, &key);
}

/* Whether there is such a state; its value is borrowed. It is known. */
static bool
state_of(const struct partition *partition, uint64_t user, uint8_t kind, uint64_t subject,
         struct store_value *out)
{
    struct store_key key = record_key_state(partition->ledger.partition, user, kind, subject);
    struct record_state record;
    struct store_value value;
    if (!ledger_get(&partition->ledger, &key, &value)) {
        return false;
    }
    int error = record_state_decode(value, &record);
    ASSERT(error == 0);
    *out = record.value;
    return true;
}

static uint8_t
rule_kind(uint8_t what)
{
    return (uint8_t)(STORE_STATE_RULE + what);
}

/* All of them are asked for at once: none of the four is left out when another is missing. */
bool
partition_knows_rules(struct partition *partition, const struct store_may_see *asked, uint8_t what)
{
    bool head = partition_knows_record(partition, RECORD_HEAD, asked->subject, 0);
    bool rule = knows_state(partition, asked->subject, rule_kind(what), 0);
    bool contact = knows_state(partition, asked->subject, STORE_STATE_CONTACT, asked->watcher);
    bool block = knows_state(partition, asked->subject, STORE_STATE_BLOCKED, asked->watcher);
    return head && rule && contact && block;
}

bool
partition_may_see(const struct partition *partition, const struct store_may_see *asked,
                  uint8_t what)
{
    struct store_rule rule;
    struct store_value value;
    if (asked->watcher == asked->subject) {
        return true;
    }
    if (state_of(partition, asked->subject, STORE_STATE_BLOCKED, asked->watcher, &value)) {
        return false;
    }
    bool contact = state_of(partition, asked->subject, STORE_STATE_CONTACT, asked->watcher, &value);
    if (!state_of(partition, asked->subject, rule_kind(what), 0, &value)) {
        return true;
    }
    int error = rule_decode(value, &rule);
    ASSERT(error == 0);
    return rule_allows(&rule, asked->watcher, contact);
}

static bool
valid_profile(const struct ask *ask)
{
    return partition_valid_user(ask) && ASK_DATA(store_may_see, ask)->watcher != 0;
}

static bool
valid_may_see(const struct ask *ask)
{
    uint8_t what = ASK_DATA(store_may_see, ask)->what;
    return valid_profile(ask) && what != 0 && what < STORE_SEES_KINDS;
}

static enum ask_outcome
run_may_see(struct partition *partition, struct ask *ask, bool act)
{
    const struct store_may_see *asked = ASK_DATA(store_may_see, ask);
    if (!partition_knows_rules(partition, asked, asked->what)) {
        return ASK_MISSING;
    }
    if (!act) {
        return ASK_READY;
    }
    if (user_there(partition, ask, asked->subject)) {
        struct store_visible seen = {.yes = partition_may_see(partition, asked, asked->what)};
        ask_answer(ask, &seen, sizeof(seen), NULL);
    }
    return ASK_DONE;
}

static struct ln_buffer *
buffer_of(struct store_value value)
{
    struct ln_buffer *buffer = NULL;
    if (value.count > 0) {
        buffer = ln_buffer_new(value.count);
        memcpy(ln_buffer_data(buffer), value.bytes, value.count);
    }
    return buffer;
}

static enum ask_outcome
run_profile(struct partition *partition, struct ask *ask, bool act)
{
    const struct store_may_see *asked = ASK_DATA(store_may_see, ask);
    uint8_t home = partition->ledger.partition;
    struct store_key key = record_key(home, RECORD_USER, asked->subject, 0);
    bool user = partition_knows(partition, &key);
    bool profile = knows_state(partition, asked->subject, STORE_STATE_PROFILE, 0);
    if (!partition_knows_rules(partition, asked, STORE_SEES_PROFILE) || !user || !profile) {
        return ASK_MISSING;
    }
    if (!act) {
        return ASK_READY;
    }
    if (!user_there(partition, ask, asked->subject)) {
        return ASK_DONE;
    }
    struct record_user record;
    struct store_value value;
    bool present = ledger_get(&partition->ledger, &key, &value);
    ASSERT(present);
    int error = record_user_decode(value, &record);
    ASSERT(error == 0);
    struct store_profile answer = {
        .user = asked->subject,
        .seen = partition_may_see(partition, asked, STORE_SEES_PROFILE),
        .name = record.name,
    };
    value = (struct store_value){0};
    if (answer.seen) {
        (void)state_of(partition, asked->subject, STORE_STATE_PROFILE, 0, &value);
    }
    ask_answer(ask, &answer, sizeof(answer), buffer_of(value));
    return ASK_DONE;
}

/* ------------------------------------------------------------------------------------ the kinds */

const struct ask_kind ask_state_set = {
    .bytes = sizeof(struct store_state),
    .needs_space = true,
    .valid = valid_state,
    .run = run_change,
};
const struct ask_kind ask_state_remove = {
    .bytes = sizeof(struct store_state), .valid = valid_state, .run = run_change};
const struct ask_kind ask_state_list = {
    .bytes = sizeof(struct store_state_list), .valid = partition_valid_user, .run = run_list};
const struct ask_kind ask_may_see = {
    .bytes = sizeof(struct store_may_see), .valid = valid_may_see, .run = run_may_see};
const struct ask_kind ask_profile = {
    .bytes = sizeof(struct store_may_see), .valid = valid_profile, .run = run_profile};
