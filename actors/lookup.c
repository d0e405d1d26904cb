/* SPDX-License-Identifier: Apache-2.0 */
/* The caller, a connection, is a behaviour and can wait for one answer at a time. So it calls a
 * process that is made for this, which waits for many, and ends with its answer. */
#include "actors/lookup.h"

#include "store/request.h"

#include <errno.h>
#include <string.h>

enum lookup_tag { LOOKUP_ASK = 0x00050000, LOOKUP_FOUND };

/* Its buffer holds, where error is 0, the users' ids. */
struct lookup_found {
    int32_t error;
    uint32_t failed;
};

struct asked {
    uint64_t ref;
    unsigned place;
};

struct lookup {
    struct messenger *messenger;
    const struct lookup_user *users; /* the request's */
    uint64_t *ids;
    unsigned count;
    unsigned sent;
    unsigned waiting; /* of `window` */
    struct asked window[LOOKUP_WINDOW];
    struct lookup_found found;
};

static uint64_t
ask(const struct lookup *lookup, const struct lookup_user *user)
{
    const struct store *store = lookup->messenger->store;
    if (user->user == 0) {
        struct ln_msg *request = ln_msg_new(STORE_NAME_FIND, LN_DURABLE, sizeof user->name);
        memcpy(request->data, &user->name, sizeof user->name);
        return ln_request(store_name_pid(store, user->name.text, user->name.bytes), &request);
    }
    struct ln_msg *request = ln_msg_new(STORE_USER_GET, LN_DURABLE, sizeof(struct store_user_id));
    ((struct store_user_id *)(void *)request->data)->user = user->user;
    return ln_request(store_user_pid(store, user->user), &request);
}

static void
window_fill(struct lookup *lookup)
{
    while (lookup->sent < lookup->count && lookup->waiting < LOOKUP_WINDOW) {
        unsigned place = lookup->sent++;
        const struct lookup_user *user = &lookup->users[place];
        if (user->known) {
            lookup->ids[place] = user->user;
            continue;
        }
        lookup->window[lookup->waiting++] =
            (struct asked){.ref = ask(lookup, user), .place = place};
    }
}

static void
answer_note(struct lookup *lookup, const struct ln_msg *answer)
{
    unsigned at = 0;
    while (at < lookup->waiting && lookup->window[at].ref != answer->ref) {
        at++;
    }
    if (at == lookup->waiting) {
        return;
    }
    unsigned place = lookup->window[at].place;
    lookup->window[at] = lookup->window[--lookup->waiting];
    const struct lookup_user *user = &lookup->users[place];
    if (answer->error != 0) {
        lookup->found = (struct lookup_found){.error = answer->error, .failed = place};
    } else if (user->user == 0) {
        lookup->ids[place] = ((const struct store_user_id *)(const void *)answer->data)->user;
    } else {
        lookup->ids[place] = user->user;
    }
}

/* Until all are found, or one is not. */
static void
search(struct lookup *lookup)
{
    window_fill(lookup);
    while (lookup->waiting > 0 && lookup->found.error == 0) {
        struct ln_msg *answer = NULL;
        int error = ln_receive(LOOKUP_TIMEOUT_MS, &answer);
        if (error != 0) {
            lookup->found.error = error;
            return;
        }
        answer_note(lookup, answer);
        ln_msg_free(&answer);
        window_fill(lookup);
    }
}

static int
lookup_init(void *state, const void *argument)
{
    struct lookup *lookup = state;
    memcpy(&lookup->messenger, argument, sizeof(struct messenger *));
    return 0;
}

static void
lookup_run(void *state)
{
    struct lookup *lookup = state;
    struct ln_msg *request = NULL;
    if (ln_receive(LOOKUP_TIMEOUT_MS, &request) != 0) {
        return;
    }
    ASSERT(request->tag == LOOKUP_ASK && request->buffer != NULL);
    size_t bytes = ln_buffer_bytes(request->buffer);
    lookup->users = ln_buffer_data(request->buffer);
    lookup->count = (unsigned)(bytes / sizeof lookup->users[0]);
    struct ln_buffer *ids = ln_buffer_new(lookup->count * sizeof lookup->ids[0]);
    struct ln_msg *answer = ln_msg_new(LOOKUP_FOUND, LN_REPLY, sizeof lookup->found);
    answer->buffer = ids;
    lookup->ids = ln_buffer_data(ids);
    search(lookup);
    memcpy(answer->data, &lookup->found, sizeof lookup->found);
    ln_reply(ln_caller(request), &answer);
    ln_msg_free(&request);
}

static const struct ln_behaviour lookup_behaviour = {
    .name = "lookup", .state_bytes = sizeof(struct lookup), .init = lookup_init, .run = lookup_run};

static int
answer_take(struct ln_msg *answer, struct lookup_user *users, unsigned count, unsigned *out_failed)
{
    struct lookup_found found;
    memcpy(&found, answer->data, sizeof found);
    const uint64_t *ids = ln_buffer_data(answer->buffer);
    for (unsigned i = 0; found.error == 0 && i < count; i++) {
        users[i].user = ids[i];
    }
    *out_failed = found.failed;
    ln_msg_free(&answer);
    return found.error;
}

int
lookup_users(struct messenger *messenger, struct lookup_user *users, unsigned count,
             unsigned *out_failed)
{
    ln_pid pid = 0;
    *out_failed = 0;
    if (count == 0) {
        return 0;
    }
    int error = ln_spawn(&lookup_behaviour, &messenger, sizeof(struct messenger *), NULL, &pid);
    if (error != 0) {
        return error;
    }
    struct ln_msg *request = ln_msg_new(LOOKUP_ASK, LN_DURABLE, 0);
    request->buffer = ln_buffer_new(count * sizeof *users);
    memcpy(ln_buffer_data(request->buffer), users, count * sizeof *users);
    struct ln_msg *answer = NULL;
    error = ln_call(pid, &request, LOOKUP_TIMEOUT_MS, &answer);
    return error != 0 ? error : answer_take(answer, users, count, out_failed);
}
