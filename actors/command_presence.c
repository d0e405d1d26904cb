/* SPDX-License-Identifier: Apache-2.0 */
/* setActive, getPresence, watchPresence, unwatchPresence. Who asks for a user's presence
 * is allowed to by that user's partition, and then told by the presence of his scheduler:
 *
 *     getPresence, watchPresence ── STORE_SEEN_GET ── PRESENCE_ASK ── answer
 *                                        ^                  │ -ESTALE: what it allows has changed
 *                                        +------------------+
 *
 * Where that keeps changing, the question is answered as under overload, after STALE_MAX rounds.
 *
 * A watch that has ended at the other side (PRESENCE_AGAIN) goes the same way once more, and its
 * client hears of it only as of any other change. */
#include "actors/command.h"
#include "actors/presence.h"
#include "store/call.h"
#include "store/presence.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

enum {
    RETRY_MS = 1000, /* what a client is told */
    STALE_MAX = 3,
};

enum presence_mode { MODE_GET, MODE_WATCH, MODE_AGAIN };

/* -------------------------------------------------------------------------------- who and where */

/* False: it was refused. Yields for a name. */
static bool
resolve(struct connection *connection, const Linnet__V1__ClientFrame *frame,
        const Linnet__V1__Chat *chat, const char *field, uint64_t *out_user)
{
    int error = command_chat_resolve(connection, chat, out_user);
    if (error != 0) {
        command_refuse_name(connection, frame, field, error);
    }
    return error == 0;
}

static void
done_if_asked(struct connection *connection, const Linnet__V1__ClientFrame *frame)
{
    if (frame->ref != 0) {
        event_done(connection, frame->number, frame->ref);
    }
}

static void
set_active(struct connection *connection, const Linnet__V1__ClientFrame *frame)
{
    if (frame->set_active->foreground) {
        presence_foreground(connection->messenger, connection->user);
    } else {
        presence_background(connection->messenger, connection->user);
    }
    done_if_asked(connection, frame);
}

const struct command_kind command_set_active = {set_active};

/* ------------------------------------------------------------------------- getting and watching */

static uint64_t
seen_request(const struct connection *connection, struct pending *pending)
{
    struct store_seen_get get = {.user = pending->subject, .watcher = connection->user};
    struct ln_msg *request = ln_msg_new(STORE_SEEN_GET, LN_DURABLE, sizeof get);
    memcpy(request->data, &get, sizeof get);
    pending->checked_at_ns = ln_now_ns();
    return ln_request(store_user_pid(connection->messenger->store, pending->subject), &request);
}

static uint64_t
presence_request(const struct connection *connection, const struct pending *pending,
                 const struct store_seen_at *seen)
{
    unsigned sees = (seen->sees_online ? PRESENCE_SEES_ONLINE : 0) |
                    (seen->sees_last_seen ? PRESENCE_SEES_LAST_SEEN : 0);
    struct presence_ask ask = {
        .user = pending->subject,
        .watcher = {.user = connection->user, .connection = ln_self(), .sees = (uint8_t)sees},
        .seen_ms = seen->at_ms,
        .checked_at_ns = pending->checked_at_ns,
        .watch = pending->mode != MODE_GET,
    };
    struct ln_msg *request = ln_msg_new(PRESENCE_ASK, LN_DURABLE, sizeof ask);
    memcpy(request->data, &ask, sizeof ask);
    return ln_request(presence_pid(connection->messenger, pending->subject), &request);
}

/* It does not watch that user (any more): an earlier watch ends with the one that was refused. */
static void
lose(struct connection *connection, const struct pending *pending)
{
    if (pending->mode == MODE_GET) {
        return;
    }
    bool hidden = connection_watch_hide(connection, pending->subject, true);
    bool watched = connection_watch_remove(connection, pending->subject);
    if (watched) {
        connection_unwatch(connection, pending->subject);
    }
    if (pending->mode == MODE_AGAIN && watched && !hidden) {
        struct presence_state state = {.user = pending->subject, .hidden = true};
        event_presence(connection, &state);
    }
}

static void
refuse(struct connection *connection, const struct pending *pending, Linnet__V1__Error__Code code,
       const char *what, uint64_t retry_after_ms)
{
    static const char *const names[] = {"getPresence", "watchPresence"};
    char text[PROTOCOL_ERROR_TEXT_BYTES];
    lose(connection, pending);
    if (pending->mode != MODE_AGAIN) {
        (void)snprintf(text, sizeof text, "%s.chat: %s", names[pending->mode], what);
        event_error(connection, pending->number, pending->ref, code, text, retry_after_ms);
    }
}

static void
again_later(uint64_t subject, uint64_t ms)
{
    struct presence_again again = {.subject = subject};
    struct ln_msg *msg = ln_msg_new(PRESENCE_AGAIN, LN_REPLY, sizeof again);
    memcpy(msg->data, &again, sizeof again);
    (void)ln_send_after(ms, ln_self(), &msg);
}

/* An actor that is being started again, or has too much to do, or rules that keep changing. A watch
 * that was there before its client asks for nothing is asked for until there is an answer. */
static bool
passes(struct connection *connection, const struct pending *pending, int error)
{
    if (error != -EAGAIN && error != -ESRCH && error != -ESTALE) {
        return false;
    }
    if (pending->mode == MODE_AGAIN) {
        again_later(pending->subject, CONNECTION_AGAIN_MS);
    } else {
        refuse(connection, pending, LINNET__V1__ERROR__CODE__OVERLOADED,
               "the node has more work than it can queue", RETRY_MS);
    }
    return true;
}

static void
presence_refused(struct connection *connection, const struct pending *pending, int error)
{
    if (error == -ENOBUFS) {
        refuse(connection, pending, LINNET__V1__ERROR__CODE__OVERLOADED, "too many watch this user",
               RETRY_MS);
    } else if (!passes(connection, pending, error)) {
        refuse(connection, pending, LINNET__V1__ERROR__CODE__INTERNAL, "the node failed", RETRY_MS);
    }
}

static void
presence_known(struct connection *connection, const struct pending *pending,
               const struct ln_msg *answer)
{
    const struct presence_answer *known =
        (const struct presence_answer *)(const void *)answer->data;
    struct presence_state state = {
        .user = pending->subject, .online = known->online, .seen_ms = known->seen_ms};
    if (pending->mode != MODE_GET && !pending->blind) {
        (void)connection_watch_hide(connection, pending->subject, false);
    }
    if (pending->mode != MODE_AGAIN) {
        event_presence_answer(connection, pending, &state);
    } else if (!pending->blind) {
        event_presence(connection, &state);
    }
    if (pending->mode != MODE_GET && !connection_watches(connection, pending->subject)) {
        connection_unwatch(connection, pending->subject); /* it was ended meanwhile */
    }
}

static bool presence_stale(struct connection *connection, struct pending *pending,
                           const struct ln_msg *answer);

static const struct request_kind request_presence = {.tag = PRESENCE_ASK,
                                                     .done = presence_known,
                                                     .refused = presence_refused,
                                                     .put_off = presence_stale};

static struct pending *
pending_again(const struct pending *pending, const struct request_kind *kind)
{
    struct pending *again = ln_alloc(sizeof *again);
    *again = *pending;
    again->kind = kind;
    return again;
}

static void
ask_presence(struct connection *connection, const struct pending *pending,
             const struct store_seen_at *seen, bool blind)
{
    struct pending *next = pending_again(pending, &request_presence);
    next->blind = blind;
    command_pending_add(connection, next, presence_request(connection, next, seen));
}

/* A watch of which nothing may be seen any more stays, and sees nothing: when rules change again it
 * asks again. Its client is told once. */
static void
go_blind(struct connection *connection, const struct pending *pending,
         const struct store_seen_at *seen)
{
    if (!connection_watch_hide(connection, pending->subject, true)) {
        struct presence_state state = {.user = pending->subject, .hidden = true};
        event_presence(connection, &state);
    }
    ask_presence(connection, pending, seen, true);
}

static void own_known(struct connection *connection, const struct pending *pending,
                      const struct ln_msg *answer);
static void seen_refused(struct connection *connection, const struct pending *pending, int error);

static const struct request_kind request_own = {
    .tag = STORE_CALL_LOOK, .done = own_known, .refused = seen_refused};

/* What the other one wrote is known in one's own partition alone until it has been acknowledged. So
 * only who would be refused costs another question. */
static void
ask_own(struct connection *connection, const struct pending *pending)
{
    struct store_call_look look = {.user = connection->user, .caller = pending->subject};
    struct ln_msg *request = ln_msg_new(STORE_CALL_LOOK, LN_DURABLE, sizeof look);
    memcpy(request->data, &look, sizeof look);
    uint64_t asked = ln_request(store_user_pid(connection->messenger->store, look.user), &request);
    command_pending_add(connection, pending_again(pending, &request_own), asked);
}

static void
seen_known(struct connection *connection, const struct pending *pending,
           const struct ln_msg *answer)
{
    const struct store_seen_at *seen = (const struct store_seen_at *)(const void *)answer->data;
    bool blind = !seen->sees_online && !seen->sees_last_seen;
    if (blind && pending->mode == MODE_AGAIN) {
        go_blind(connection, pending, seen);
    } else if (blind) {
        refuse(connection, pending, LINNET__V1__ERROR__CODE__NOT_PERMITTED,
               "this user does not let you see it", 0);
    } else if (pending->mode != MODE_GET && !seen->met && !pending->met) {
        ask_own(connection, pending);
    } else {
        ask_presence(connection, pending, seen, false);
    }
}

static void
seen_refused(struct connection *connection, const struct pending *pending, int error)
{
    if (error == -ENOENT) {
        refuse(connection, pending, LINNET__V1__ERROR__CODE__UNKNOWN_USER, "no such user", 0);
    } else if (!passes(connection, pending, error)) {
        refuse(connection, pending, LINNET__V1__ERROR__CODE__INTERNAL, "the node failed", RETRY_MS);
    }
}

static const struct request_kind request_seen = {
    .tag = STORE_SEEN_GET, .done = seen_known, .refused = seen_refused};

static void
own_known(struct connection *connection, const struct pending *pending, const struct ln_msg *answer)
{
    if (!((const struct store_call_looked *)(const void *)answer->data)->known) {
        refuse(connection, pending, LINNET__V1__ERROR__CODE__NOT_PERMITTED,
               "no message has passed between you", 0);
        return;
    }
    struct pending *again = pending_again(pending, &request_seen);
    again->met = true;
    command_pending_add(connection, again, seen_request(connection, again));
}

static bool
presence_stale(struct connection *connection, struct pending *pending, const struct ln_msg *answer)
{
    if (answer->error != -ESTALE || pending->stale == STALE_MAX) {
        return false;
    }
    pending->stale++;
    pending->kind = &request_seen;
    command_pending_add(connection, pending, seen_request(connection, pending));
    return true;
}

/* Takes the pending. */
static void
ask(struct connection *connection, struct pending *pending, uint64_t user, enum presence_mode mode)
{
    pending->subject = user;
    pending->mode = (uint8_t)mode;
    command_pending_add(connection, pending, seen_request(connection, pending));
}

/* Under pressure nothing new is asked for; a watch that the question was to begin anew is over. */
static bool
shed(struct connection *connection, const Linnet__V1__ClientFrame *frame, uint64_t user,
     enum presence_mode mode)
{
    if (messenger_pressure(connection->messenger) < PRESSURE_PRESENCE) {
        return false;
    }
    struct pending asked = {
        .number = frame->number, .ref = frame->ref, .subject = user, .mode = (uint8_t)mode};
    messenger_count(&connection->messenger->counters.shed[PRESSURE_PRESENCE]);
    refuse(connection, &asked, LINNET__V1__ERROR__CODE__OVERLOADED,
           "the node has more work than it can do at once", RETRY_MS);
    return true;
}

static void
get_presence(struct connection *connection, const Linnet__V1__ClientFrame *frame)
{
    uint64_t user = 0;
    if (resolve(connection, frame, frame->get_presence->chat, "getPresence.chat", &user) &&
        !shed(connection, frame, user, MODE_GET)) {
        ask(connection, command_pending(&request_seen, frame, frame->number), user, MODE_GET);
    }
}

const struct command_kind command_get_presence = {get_presence};

static void
watch_presence(struct connection *connection, const Linnet__V1__ClientFrame *frame)
{
    uint64_t user = 0;
    if (!resolve(connection, frame, frame->watch_presence->chat, "watchPresence.chat", &user) ||
        shed(connection, frame, user, MODE_WATCH)) {
        return;
    }
    if (!connection_watch_add(connection, user)) {
        event_error(connection, frame->number, frame->ref,
                    LINNET__V1__ERROR__CODE__TOO_MANY_WATCHES,
                    "watchPresence: as many users as a connection may watch", 0);
        return;
    }
    ask(connection, command_pending(&request_seen, frame, frame->number), user, MODE_WATCH);
}

const struct command_kind command_watch_presence = {watch_presence};

static void
unwatch_presence(struct connection *connection, const Linnet__V1__ClientFrame *frame)
{
    uint64_t user = 0;
    if (!resolve(connection, frame, frame->unwatch_presence->chat, "unwatchPresence.chat", &user)) {
        return;
    }
    if (connection_watch_remove(connection, user)) {
        connection_unwatch(connection, user);
    }
    event_done(connection, frame->number, frame->ref);
}

const struct command_kind command_unwatch_presence = {unwatch_presence};

void
connection_watch_again(struct connection *connection, const struct ln_msg *msg)
{
    const struct presence_again *again = (const struct presence_again *)(const void *)msg->data;
    const Linnet__V1__ClientFrame nobody = LINNET__V1__CLIENT_FRAME__INIT;
    if (connection->phase != CONNECTION_READY || !connection_watches(connection, again->subject)) {
        return;
    }
    if (messenger_pressure(connection->messenger) >= PRESSURE_PRESENCE) {
        again_later(again->subject, RETRY_MS);
    } else {
        ask(connection, command_pending(&request_seen, &nobody, 0), again->subject, MODE_AGAIN);
    }
}
