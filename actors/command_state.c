/* SPDX-License-Identifier: Apache-2.0 */
/* setState, listStates, getProfile: what users set, and what others see of it. The store keeps a
 * value as a State that has nothing else; of rules it has a form of its own, since it decides by
 * them. */
#include "actors/command.h"
#include "actors/event.h"

#include "store/rule.h"
#include "store/state.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum {
    /* Of one answer to listStates. */
    STATES_MAX = 256,
    STATES_BYTES_MAX = 16 << 10,
    RETRY_MS = 5000,
};

/* How each value is kept, in the order of State's oneof. */
static const struct value_kind {
    uint8_t store;
    bool about_chat;
} values[] = {
    [LINNET__V1__STATE__VALUE_ARCHIVED] = {STORE_STATE_ARCHIVED, true},
    [LINNET__V1__STATE__VALUE_MUTED_UNTIL_MS] = {STORE_STATE_MUTED, true},
    [LINNET__V1__STATE__VALUE_PINNED] = {STORE_STATE_PINNED, true},
    [LINNET__V1__STATE__VALUE_DRAFT] = {STORE_STATE_DRAFT, true},
    [LINNET__V1__STATE__VALUE_CONTACT] = {STORE_STATE_CONTACT, true},
    [LINNET__V1__STATE__VALUE_BLOCKED] = {STORE_STATE_BLOCKED, true},
    [LINNET__V1__STATE__VALUE_PROFILE] = {STORE_STATE_PROFILE, false},
    [LINNET__V1__STATE__VALUE_READ_RECEIPTS] = {STORE_STATE_RECEIPTS_OFF, false},
    [LINNET__V1__STATE__VALUE_LAST_SEEN_RULE] = {STORE_STATE_RULE + STORE_SEES_LAST_SEEN, false},
    [LINNET__V1__STATE__VALUE_ONLINE_RULE] = {STORE_STATE_RULE + STORE_SEES_ONLINE, false},
    [LINNET__V1__STATE__VALUE_PROFILE_RULE] = {STORE_STATE_RULE + STORE_SEES_PROFILE, false},
};

/* The protocol's kinds are the store's. */
_Static_assert((int)LINNET__V1__STATE__KIND__ARCHIVED == STORE_STATE_ARCHIVED &&
                   (int)LINNET__V1__STATE__KIND__MUTED == STORE_STATE_MUTED &&
                   (int)LINNET__V1__STATE__KIND__PINNED == STORE_STATE_PINNED &&
                   (int)LINNET__V1__STATE__KIND__DRAFT == STORE_STATE_DRAFT &&
                   (int)LINNET__V1__STATE__KIND__CONTACT == STORE_STATE_CONTACT &&
                   (int)LINNET__V1__STATE__KIND__BLOCKED == STORE_STATE_BLOCKED &&
                   (int)LINNET__V1__STATE__KIND__PROFILE == STORE_STATE_PROFILE &&
                   (int)LINNET__V1__STATE__KIND__READ_RECEIPTS == STORE_STATE_RECEIPTS_OFF,
               "kinds agree");
_Static_assert(
    (int)LINNET__V1__STATE__KIND__LAST_SEEN_RULE == STORE_STATE_RULE + (int)STORE_SEES_LAST_SEEN &&
        (int)LINNET__V1__STATE__KIND__ONLINE_RULE == STORE_STATE_RULE + (int)STORE_SEES_ONLINE &&
        (int)LINNET__V1__STATE__KIND__PROFILE_RULE == STORE_STATE_RULE + (int)STORE_SEES_PROFILE,
    "rules agree");

/* The rule among a state's values; NULL: it is none. */
static const Linnet__V1__Rule *
rule_of(const Linnet__V1__State *state)
{
    switch ((int)state->value_case) {
    case LINNET__V1__STATE__VALUE_LAST_SEEN_RULE:
        return state->last_seen_rule;
    case LINNET__V1__STATE__VALUE_ONLINE_RULE:
        return state->online_rule;
    case LINNET__V1__STATE__VALUE_PROFILE_RULE:
        return state->profile_rule;
    default:
        return NULL;
    }
}

static bool
draft_empty(const Linnet__V1__Draft *draft)
{
    switch ((int)draft->body_case) {
    case LINNET__V1__DRAFT__BODY_CONTENT:
        return draft->content.len == 0;
    case LINNET__V1__DRAFT__BODY_TEXT:
        return draft->text[0] == '\0';
    default:
        return true;
    }
}

static bool
profile_empty(const Linnet__V1__Profile *profile)
{
    return profile->display_name[0] == '\0' && profile->about[0] == '\0' &&
           profile->picture == NULL;
}

/* Whether this is what a user has who never set anything: it is not kept. */
static bool
is_default(const Linnet__V1__State *state)
{
    const Linnet__V1__Rule *rule = rule_of(state);
    switch ((int)state->value_case) {
    case LINNET__V1__STATE__VALUE_ARCHIVED:
        return !state->archived;
    case LINNET__V1__STATE__VALUE_MUTED_UNTIL_MS:
        return state->muted_until_ms == 0;
    case LINNET__V1__STATE__VALUE_PINNED:
        return state->pinned == 0;
    case LINNET__V1__STATE__VALUE_DRAFT:
        return draft_empty(state->draft);
    case LINNET__V1__STATE__VALUE_CONTACT:
        return state->contact->removed;
    case LINNET__V1__STATE__VALUE_BLOCKED:
        return !state->blocked;
    case LINNET__V1__STATE__VALUE_PROFILE:
        return profile_empty(state->profile);
    case LINNET__V1__STATE__VALUE_READ_RECEIPTS:
        return state->read_receipts;
    default:
        return rule->who == LINNET__V1__RULE__WHO__EVERYONE && rule->n_exceptions == 0;
    }
}

/* ------------------------------------------------------------------------------------- setState */

static struct ln_buffer *
rule_buffer(const Linnet__V1__Rule *rule)
{
    struct ln_buffer *buffer = ln_buffer_new(rule_bytes((unsigned)rule->n_exceptions));
    rule_begin((uint8_t)rule->who, (unsigned)rule->n_exceptions, ln_buffer_data(buffer));
    for (unsigned i = 0; i < rule->n_exceptions; i++) {
        rule_except(ln_buffer_data(buffer), i, rule->exceptions[i]->user_id);
    }
    return buffer;
}

static struct ln_buffer *
value_buffer(const Linnet__V1__State *state)
{
    Linnet__V1__State value = *state;
    value.chat = NULL;
    struct ln_buffer *buffer = ln_buffer_new(linnet__v1__state__get_packed_size(&value));
    (void)linnet__v1__state__pack(&value, ln_buffer_data(buffer));
    return buffer;
}

static void
done(struct connection *connection, const struct pending *pending, const struct ln_msg *answer)
{
    (void)answer;
    event_done(connection, command_number(pending), pending->ref);
}

static void
refused(struct connection *connection, const struct pending *pending, int error)
{
    uint64_t number = command_number(pending);
    if (error == -E2BIG) {
        event_error(connection, number, pending->ref, LINNET__V1__ERROR__CODE__TOO_MANY_STATES,
                    "as much is set as this node allows a user: set something back", 0);
    } else if (error == -EDQUOT) {
        event_error(connection, number, pending->ref, LINNET__V1__ERROR__CODE__RECIPIENT_FULL,
                    "none of the user's devices has room to be told", RETRY_MS);
    } else {
        command_refuse_own(connection, pending, error);
    }
}

static const struct request_kind request_set = {
    .tag = STORE_STATE_SET, .done = done, .refused = refused};
static const struct request_kind request_remove = {
    .tag = STORE_STATE_REMOVE, .done = done, .refused = refused};

static void
set_state(struct connection *connection, const Linnet__V1__ClientFrame *frame)
{
    const Linnet__V1__State *set = frame->set_state;
    const struct value_kind *kind = &values[set->value_case];
    struct store_state state = {.user = connection->user,
                                .number = frame->number,
                                .device = connection->device,
                                .kind = kind->store};
    int error = kind->about_chat ? command_chat_resolve(connection, set->chat, &state.subject) : 0;
    if (error != 0) {
        command_refuse_name(connection, frame, "setState.chat", error);
        return;
    }
    if (kind->store == STORE_STATE_MUTED) {
        state.quiet_until_ms = set->muted_until_ms;
    }
    if (kind->about_chat && command_chat_is_group(set->chat)) {
        state.subject |= STORE_STATE_GROUP;
    }
    if (kind->store == STORE_STATE_BLOCKED && state.subject == connection->user) {
        event_error(connection, frame->number, frame->ref, LINNET__V1__ERROR__CODE__NOT_PERMITTED,
                    "setState.blocked: nobody blocks himself", 0);
        return;
    }
    if (is_default(set)) {
        command_ask(connection, frame, &request_remove, connection->user, &state, sizeof state,
                    NULL);
        return;
    }
    const Linnet__V1__Rule *rule = rule_of(set);
    struct ln_buffer *value = rule != NULL ? rule_buffer(rule) : value_buffer(set);
    state.value_bytes = (uint32_t)ln_buffer_bytes(value);
    command_ask(connection, frame, &request_set, connection->user, &state, sizeof state, value);
}

const struct command_kind command_set_state = {set_state};

/* ----------------------------------------------------------------------------------- listStates */

static void
listed(struct connection *connection, const struct pending *pending, const struct ln_msg *answer)
{
    const struct store_states *states = (const struct store_states *)(const void *)answer->data;
    event_states(connection, command_number(pending), pending->ref, states, answer->buffer);
}

static const struct request_kind request_list = {
    .tag = STORE_STATE_LIST, .done = listed, .refused = command_refuse_own};

/* The place that `after` names: what an answer's `next` was, as a decimal number. */
static bool
place_parse(const char *text, uint64_t *out)
{
    char *end = NULL;
    if (text[0] == '\0') {
        *out = 0;
        return true;
    }
    errno = 0;
    *out = strtoull(text, &end, 10);
    return text[0] >= '0' && text[0] <= '9' && *end == '\0' && errno == 0;
}

static void
list_states(struct connection *connection, const Linnet__V1__ClientFrame *frame)
{
    const Linnet__V1__ListStates *asked = frame->list_states;
    struct store_state_list list = {
        .user = connection->user,
        .kind = (uint8_t)asked->kind,
        .states_max = asked->max > 0 && asked->max < STATES_MAX ? (uint32_t)asked->max : STATES_MAX,
        .bytes_max = STATES_BYTES_MAX,
    };
    if (!place_parse(asked->after, &list.after)) {
        event_error(connection, frame->number, frame->ref, LINNET__V1__ERROR__CODE__BAD_FRAME,
                    "listStates.after: not what an answer's `next` was", 0);
        return;
    }
    command_ask(connection, frame, &request_list, connection->user, &list, sizeof list, NULL);
}

const struct command_kind command_list_states = {list_states};

/* ----------------------------------------------------------------------------------- getProfile */

static void
shown(struct connection *connection, const struct pending *pending, const struct ln_msg *answer)
{
    const struct store_profile *profile = (const struct store_profile *)(const void *)answer->data;
    event_profile(connection, command_number(pending), pending->ref, profile, answer->buffer);
}

static void
not_shown(struct connection *connection, const struct pending *pending, int error)
{
    if (error == -ENOENT) {
        event_error(connection, command_number(pending), pending->ref,
                    LINNET__V1__ERROR__CODE__UNKNOWN_USER, "getProfile.chat.userId: no such user",
                    0);
    } else {
        command_refuse(connection, command_number(pending), pending->ref, error);
    }
}

static const struct request_kind request_profile = {
    .tag = STORE_PROFILE, .done = shown, .refused = not_shown};

static void
get_profile(struct connection *connection, const Linnet__V1__ClientFrame *frame)
{
    struct store_may_see see = {.watcher = connection->user, .what = STORE_SEES_PROFILE};
    int error = command_chat_resolve(connection, frame->get_profile->chat, &see.subject);
    if (error != 0) {
        command_refuse_name(connection, frame, "getProfile.chat", error);
        return;
    }
    command_ask(connection, frame, &request_profile, see.subject, &see, sizeof see, NULL);
}

const struct command_kind command_get_profile = {get_profile};
