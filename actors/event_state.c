/* SPDX-License-Identifier: Apache-2.0 */
/* States as frames: an entry of the inbox, a page of the list, a profile. */
#include "actors/connection_priv.h"
#include "actors/event.h"

#include "store/rule.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* A state as its frame holds it, with what it points to. */
struct shown {
    Linnet__V1__State *state; /* protobuf-c's memory */
    Linnet__V1__Chat chat;
    Linnet__V1__Rule rule;
    Linnet__V1__Chat *exceptions; /* of the rule; the actor's memory */
    Linnet__V1__Chat **exceptions_list;
};

static void
chat_init(Linnet__V1__Chat *chat, uint64_t user)
{
    linnet__v1__chat__init(chat);
    chat->peer_case = LINNET__V1__CHAT__PEER_USER_ID;
    chat->user_id = user;
}

static void
rule_show(struct shown *shown, const struct store_entry_state *from)
{
    struct store_rule rule = {0};
    linnet__v1__rule__init(&shown->rule);
    if (from->removed) {
        return;
    }
    struct store_value value = {.bytes = from->value, .count = from->value_bytes};
    int error = rule_decode(value, &rule);
    ASSERT(error == 0);
    shown->rule.who = (Linnet__V1__Rule__Who)rule.audience;
    if (rule.count > 0) {
        shown->exceptions = ln_alloc(rule.count * sizeof *shown->exceptions);
        shown->exceptions_list = ln_alloc(rule.count * sizeof(Linnet__V1__Chat *));
    }
    for (unsigned i = 0; i < rule.count; i++) {
        chat_init(&shown->exceptions[i], rule_exception(&rule, i));
        shown->exceptions_list[i] = &shown->exceptions[i];
    }
    shown->rule.n_exceptions = rule.count;
    shown->rule.exceptions = shown->exceptions_list;
}

/* What a value at its default is in the schema: packed, as the store keeps others. */
static struct store_value
default_of(uint8_t kind)
{
    static const struct {
        uint8_t bytes[4];
        uint8_t count;
    } values[STORE_STATE_RULE] = {
        [STORE_STATE_ARCHIVED] = {{3 << 3, 0}, 2},
        [STORE_STATE_MUTED] = {{4 << 3, 0}, 2},
        [STORE_STATE_PINNED] = {{5 << 3, 0}, 2},
        [STORE_STATE_DRAFT] = {{6 << 3 | 2, 0}, 2},
        [STORE_STATE_CONTACT] = {{7 << 3 | 2, 2, 2 << 3, 1}, 4},
        [STORE_STATE_BLOCKED] = {{8 << 3, 0}, 2},
        [STORE_STATE_PROFILE] = {{9 << 3 | 2, 0}, 2},
        [STORE_STATE_RECEIPTS_OFF] = {{10 << 3, 1}, 2},
    };
    return (struct store_value){.bytes = values[kind].bytes, .count = values[kind].count};
}

static Linnet__V1__State__ValueCase
rule_case(uint8_t kind)
{
    static const Linnet__V1__State__ValueCase cases[STORE_SEES_KINDS] = {
        [STORE_SEES_LAST_SEEN] = LINNET__V1__STATE__VALUE_LAST_SEEN_RULE,
        [STORE_SEES_ONLINE] = LINNET__V1__STATE__VALUE_ONLINE_RULE,
        [STORE_SEES_PROFILE] = LINNET__V1__STATE__VALUE_PROFILE_RULE,
    };
    return cases[kind - STORE_STATE_RULE];
}

/* The entry's state; shown_close gives back what it took. */
static void
shown_open(struct shown *shown, const struct store_entry *entry)
{
    const struct store_entry_state *from = &entry->state;
    bool rule = from->kind > STORE_STATE_RULE;
    struct store_value value = {.bytes = from->value, .count = from->value_bytes};
    if (rule) {
        value = (struct store_value){0};
    } else if (from->removed) {
        value = default_of(from->kind);
    }
    *shown = (struct shown){0};
    shown->state = linnet__v1__state__unpack(NULL, value.count, value.bytes);
    ASSERT(shown->state != NULL && "what the node stored itself can be decoded");
    if (rule) {
        rule_show(shown, from);
        shown->state->value_case = rule_case(from->kind);
        shown->state->last_seen_rule = &shown->rule; /* of a union: all rules are one pointer */
    }
    if (entry->peer != 0) {
        chat_init(&shown->chat, entry->peer & ~STORE_STATE_GROUP);
        shown->state->chat = &shown->chat;
    }
    if ((entry->peer & STORE_STATE_GROUP) != 0) {
        shown->chat.peer_case = LINNET__V1__CHAT__PEER_GROUP_ID;
    }
    shown->state->inbox_number = entry->number;
}

static void
shown_close(struct shown *shown)
{
    shown->state->chat = NULL;
    if (shown->state->value_case >= LINNET__V1__STATE__VALUE_LAST_SEEN_RULE) {
        shown->state->value_case = LINNET__V1__STATE__VALUE__NOT_SET;
    }
    linnet__v1__state__free_unpacked(shown->state, NULL);
    ln_free(shown->exceptions_list);
    ln_free(shown->exceptions);
}

void
event_state(struct connection *connection, const struct store_entry *entry)
{
    struct shown shown;
    Linnet__V1__ServerFrame frame = LINNET__V1__SERVER_FRAME__INIT;
    shown_open(&shown, entry);
    frame.event_case = LINNET__V1__SERVER_FRAME__EVENT_STATE;
    frame.state = shown.state;
    event_send(connection, &frame);
    messenger_count(&connection->messenger->counters.states);
    shown_close(&shown);
}

/* -------------------------------------------------------------------------------------- answers */

void
event_states(struct connection *connection, uint64_t number, uint64_t ref,
             const struct store_states *states, struct ln_buffer *buffer)
{
    char next[24] = "";
    size_t at = 0;
    size_t count = 0;
    struct store_entry entry;
    Linnet__V1__States page = LINNET__V1__STATES__INIT;
    Linnet__V1__Answer answer = LINNET__V1__ANSWER__INIT;
    struct shown *shown = ln_alloc((states->count + 1) * sizeof *shown);
    Linnet__V1__State **list = ln_alloc((states->count + 1) * sizeof(Linnet__V1__State *));
    while (buffer != NULL &&
           entry_next(ln_buffer_data(buffer), ln_buffer_bytes(buffer), &at, &entry)) {
        shown_open(&shown[count], &entry);
        list[count] = shown[count].state;
        count++;
    }
    if (states->more) {
        (void)snprintf(next, sizeof next, "%" PRIu64, states->last);
    }
    page.n_states = count;
    page.states = list;
    page.next = next;
    answer.result_case = LINNET__V1__ANSWER__RESULT_STATES;
    answer.states = &page;
    event_answer_to(connection, number, ref, &answer);
    for (size_t i = 0; i < count; i++) {
        shown_close(&shown[i]);
    }
    ln_free(list);
    ln_free(shown);
}

void
event_profile(struct connection *connection, uint64_t number, uint64_t ref,
              const struct store_profile *profile, struct ln_buffer *buffer)
{
    char name[STORE_NAME_BYTES_MAX + 1];
    Linnet__V1__UserProfile event = LINNET__V1__USER_PROFILE__INIT;
    Linnet__V1__Answer answer = LINNET__V1__ANSWER__INIT;
    Linnet__V1__State *state = NULL;
    memcpy(name, profile->name.text, profile->name.bytes);
    name[profile->name.bytes] = '\0';
    if (buffer != NULL) {
        state = linnet__v1__state__unpack(NULL, ln_buffer_bytes(buffer), ln_buffer_data(buffer));
        ASSERT(state != NULL && state->value_case == LINNET__V1__STATE__VALUE_PROFILE);
        event.profile = state->profile;
    }
    event.user_id = profile->user;
    event.name = name;
    answer.result_case = LINNET__V1__ANSWER__RESULT_PROFILE;
    answer.profile = &event;
    event_answer_to(connection, number, ref, &answer);
    linnet__v1__state__free_unpacked(state, NULL);
}
