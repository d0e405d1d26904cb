/* SPDX-License-Identifier: Apache-2.0 */
/* state.h - what a user has set: about a chat, about another user, about himself. Requests and
 * answers (request.h).
 *
 * A state is named by its kind and a subject, and is a few bytes that the store keeps and does not
 * look into, but where said below. A change replaces the value, and is an entry of the user's inbox
 * (STORE_ENTRY_STATE), so that all his devices get it in order; a newer one takes the older one out
 * of the inbox. A user with one device gets no entry: nobody else is to be told. A device that has
 * just been linked reads all states in pages (STORE_STATE_LIST).
 *
 * To be removed is to be back at the default. Setting what is set, and removing what is not there,
 * changes nothing; of changes that cross, the later one stays. One that has a number happens once,
 * however late it is sent again.
 *
 *     struct ln_msg *request = ln_msg_new(STORE_MAY_SEE, LN_DURABLE, sizeof(struct store_may_see));
 *     *(struct store_may_see *)(void *)request->data = (struct store_may_see){
 *         .subject = alice, .watcher = bob, .what = STORE_SEES_LAST_SEEN};
 *     error = ln_call(store_user_pid(store, alice), &request, timeout_ms, &answer);
 *
 * Who may see. Of what a user shows there are rules: everyone, contacts or nobody may see it, with
 * exceptions. It is decided in the user's own partition, in this order: the user himself sees
 * everything; whom he has blocked sees nothing; else the rule decides, and without one everyone
 * may. A contact is whom the user has among his own contacts. What was answered holds until a rule,
 * a contact or a block of the user changes; then each of his sessions is told (STORE_RULES), and
 * whoever has passed an answer on asks again.
 */
#pragma once

#include "store/request.h"

enum {
    STORE_STATE_BYTES_MAX = 8192, /* of one value */
    STORE_EXCEPTIONS_MAX = 256,   /* of one rule */
    /* What the settings are by default: some thousand contacts, and something set about each. */
    STORE_STATES_MAX = 20000,
    STORE_STATES_BYTES_MAX = 4 << 20,
};

/* In the subject of a state that is about a group: ids alone don't tell groups from users. */
#define STORE_STATE_GROUP (UINT64_C(1) << 54)

enum store_state_kind {
    /* Subject: a chat: a user's id, or a group's and STORE_STATE_GROUP. Opaque. */
    STORE_STATE_ARCHIVED = 1,
    STORE_STATE_MUTED = 2, /* while it is there, and for so long, nobody is woken (wake.h) */
    STORE_STATE_PINNED = 3,
    STORE_STATE_DRAFT = 4,
    /* Subject: another user. That there is one is what the store knows of it; opaque otherwise. */
    STORE_STATE_CONTACT = 5,
    STORE_STATE_BLOCKED = 6,
    /* Subject 0: about the user himself. */
    STORE_STATE_PROFILE = 7,      /* opaque; told to those who may see it (STORE_PROFILE) */
    STORE_STATE_RECEIPTS_OFF = 8, /* while it is there, read receipts are neither sent nor taken */
    STORE_STATE_RULE = 16,        /* + enum store_sees: the value is a rule (rule.h) */
    STORE_STATE_KINDS = 32,
};

/* What there are rules for. */
enum store_sees {
    STORE_SEES_LAST_SEEN = 1,
    STORE_SEES_ONLINE = 2, /* online, typing */
    STORE_SEES_PROFILE = 3,
    STORE_SEES_KINDS,
};

enum store_state_tag {
    /* store_may_see -> store_visible. -ENOENT: there is no such subject. Looks only. */
    STORE_MAY_SEE = STORE_TAG_FIRST + 0x70,
    /* store_state, buffer: the value -> nothing. -E2BIG: as much is set as the settings allow;
     * -ESTALE: below the window */
    STORE_STATE_SET,
    /* store_state, no buffer -> nothing. -EDQUOT: no device of the user has room to be told */
    STORE_STATE_REMOVE,
    /* store_state_list -> store_states, buffer: entries (entry_next) with number 0 */
    STORE_STATE_LIST,
    /* store_may_see -> store_profile, buffer: the profile's value; `what` is not looked at */
    STORE_PROFILE,

    /* To attached sessions, unasked: struct store_rules_notice. Who may see what has changed. */
    STORE_RULES = STORE_TAG_FIRST + 0x78,
};

struct store_state {
    uint64_t user;
    uint64_t subject; /* 0 where the kind has none */
    uint64_t number;  /* of the command; 0: its device gave none, and it is done each time */
    uint32_t value_bytes;
    uint16_t device; /* which sets it */
    uint8_t kind;
    uint64_t quiet_until_ms; /* MUTED: until when the chat's messages wake no device */
};

/* Where a state stands in the list: kind and subject as one number. */
static inline uint64_t
store_state_place(uint8_t kind, uint64_t subject)
{
    return (uint64_t)kind << 56 | subject;
}

struct store_state_list {
    uint64_t user;
    uint64_t after;      /* states behind this place; 0: from the first on */
    uint32_t states_max; /* 0: STORE_ROWS_MAX */
    uint32_t bytes_max;  /* of the buffer, but one state at least; 0: STORE_PAGE_BYTES_MAX */
    uint8_t kind;        /* these alone; 0: all */
};
struct store_states {
    uint64_t last; /* the place of the last one; 0: there is none */
    uint32_t count;
    bool more;
};

struct store_may_see {
    uint64_t subject; /* of whom */
    uint64_t watcher; /* who wants to see it */
    uint8_t what;     /* enum store_sees */
};
struct store_visible {
    bool yes;
};
struct store_profile {
    uint64_t user;
    bool seen; /* false: the watcher may not see it; there is no buffer */
    struct store_name name;
};

struct store_rules_notice {
    uint64_t user;
    uint64_t watcher; /* for whom it may have changed; 0: for anyone */
};
