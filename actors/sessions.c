/* SPDX-License-Identifier: Apache-2.0 */
/* The table is open addressing with linear probing over user ids, at most half full. A session that
 * ends says so (SESSIONS_LEFT); if the table ends, its supervisor ends all sessions with it. */
#include "actors/sessions.h"

#include "actors/session.h"
#include "runtime/supervisor.h"
#include "runtime/text.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

enum { SLOTS_FIRST = 64 };

struct slot {
    uint64_t user; /* 0: free */
    ln_pid session;
};

struct sessions {
    struct messenger *messenger;
    struct slot *slots;
    uint64_t slots_count; /* a power of two */
    uint64_t used;
};

void
home_name(const char *what, unsigned scheduler, char out[HOME_NAME_BYTES])
{
    int bytes = snprintf(out, HOME_NAME_BYTES, "%s.%u", what, scheduler);
    ASSERT(bytes > 0 && bytes < HOME_NAME_BYTES);
}

/* ------------------------------------------------------------------------------------ the table */

/* Fibonacci hashing: ids are the store's own, nobody chooses them. */
static uint64_t
slot_home(const struct sessions *sessions, uint64_t user)
{
    return (user * UINT64_C(0x9e3779b97f4a7c15)) >>
           (64 - (unsigned)__builtin_ctzll(sessions->slots_count));
}

static struct slot *
slot_find(const struct sessions *sessions, uint64_t user)
{
    uint64_t mask = sessions->slots_count - 1;
    uint64_t at = slot_home(sessions, user);
    while (sessions->slots[at].user != 0 && sessions->slots[at].user != user) {
        at = (at + 1) & mask;
    }
    return &sessions->slots[at];
}

static void
slots_resize(struct sessions *sessions, uint64_t slots_count)
{
    struct slot *old = sessions->slots;
    uint64_t old_count = sessions->slots_count;
    sessions->slots = ln_alloc(slots_count * sizeof *old);
    sessions->slots_count = slots_count;
    for (uint64_t i = 0; i < old_count; i++) {
        if (old[i].user != 0) {
            *slot_find(sessions, old[i].user) = old[i];
        }
    }
    ln_free(old);
}

/* Closes the gap, so that no probe ends early. */
static void
slot_remove(struct sessions *sessions, struct slot *slot)
{
    uint64_t mask = sessions->slots_count - 1;
    uint64_t hole = (uint64_t)(slot - sessions->slots);
    for (uint64_t at = (hole + 1) & mask; sessions->slots[at].user != 0; at = (at + 1) & mask) {
        uint64_t home = slot_home(sessions, sessions->slots[at].user);
        if (((at - home) & mask) >= ((at - hole) & mask)) {
            sessions->slots[hole] = sessions->slots[at];
            hole = at;
        }
    }
    sessions->slots[hole] = (struct slot){0};
    sessions->used--;
}

/* -------------------------------------------------------------------------------- the behaviour */

static int
session_start(struct sessions *sessions, uint64_t user, ln_pid *out)
{
    char name[HOME_NAME_BYTES];
    home_name("session-supervisor", ln_scheduler(), name);
    struct session_start start = {sessions->messenger, user};
    int error = ln_supervisor_start_child(ln_whereis(name), &start, sizeof start, LN_FOREVER, out);
    if (error != 0) {
        return error;
    }
    if (2 * (sessions->used + 1) > sessions->slots_count) {
        slots_resize(sessions, 2 * sessions->slots_count);
    }
    struct slot *slot = slot_find(sessions, user);
    ASSERT(slot->user == 0);
    *slot = (struct slot){user, *out};
    sessions->used++;
    return 0;
}

static void
find(struct sessions *sessions, const struct ln_msg *msg)
{
    uint64_t user = ((const struct session_find *)(const void *)msg->data)->user;
    const struct slot *slot = slot_find(sessions, user);
    ln_pid session = slot->user == user ? slot->session : 0;
    int error = session != 0 ? 0 : -ENOENT;
    if (session == 0 && msg->tag == SESSIONS_FIND) {
        error = session_start(sessions, user, &session);
    }
    if (error != 0) {
        ln_reply_error(ln_caller(msg), error);
        return;
    }
    struct ln_msg *answer = ln_msg_new(msg->tag, LN_REPLY, sizeof(struct session_found));
    *(struct session_found *)(void *)answer->data = (struct session_found){session};
    ln_reply(ln_caller(msg), &answer);
}

static void
session_left(struct sessions *sessions, const struct ln_msg *msg)
{
    struct slot *slot =
        slot_find(sessions, ((const struct session_find *)(const void *)msg->data)->user);
    if (slot->session == msg->from) {
        slot_remove(sessions, slot);
    }
}

static int
sessions_init(void *state, const void *argument)
{
    struct sessions *sessions = state;
    sessions->messenger = *(struct messenger *const *)argument;
    slots_resize(sessions, SLOTS_FIRST);
    return 0;
}

static void
sessions_handle(void *state, struct ln_msg **msg)
{
    struct sessions *sessions = state;
    if ((*msg)->tag == SESSIONS_FIND || (*msg)->tag == SESSIONS_LOOK) {
        find(sessions, *msg);
    } else if ((*msg)->tag == SESSIONS_LEFT) {
        session_left(sessions, *msg);
    }
}

static void
sessions_print(const void *state, struct ln_text *out)
{
    const struct sessions *sessions = state;
    ln_text_print(out, "%llu sessions in %llu slots", (unsigned long long)sessions->used,
                  (unsigned long long)sessions->slots_count);
}

const struct ln_behaviour sessions_behaviour = {
    .name = "sessions",
    .state_bytes = sizeof(struct sessions),
    .init = sessions_init,
    .handle = sessions_handle,
    .print = sessions_print,
    .memory_bytes_max = UINT32_MAX, /* of all who are online */
};
