/* SPDX-License-Identifier: Apache-2.0 */
/* ack and markRead: cursors of the device's own user.
 *
 * An ack waits for the end of what the socket brought, and the last markRead of a user's chat
 * behind it waits with it: both are one request. To have read is to have received, and whoever
 * wrote is told both at once. Otherwise he would be told twice: the second time once the first was
 * acknowledged.
 *
 * Under pressure (pressure.h) receipts are held back for PRESSURE_WAIT_MS. Cursors only grow, so of
 * those held for the same chat, or the inbox, the store is asked for the highest alone, the inbox's
 * with that of the user's chat that was marked last.
 *
 * What is answered to a request is the answer to all that share it. Where that is a refusal, which
 * may be meant for another of them, each is asked for by itself. An ack of what the device was not
 * sent, which may be refused, shares with others like it alone. */
#include "actors/command.h"

#include "actors/command_group.h"

#include <errno.h>
#include <string.h>

/* pending.mode. */
enum {
    SHARES = 1 << 0, /* its request is another's, too */
    ALONE = 1 << 1,  /* that was refused: it is asked for by itself */
    LATE = 1 << 2,   /* it is asked for when the input has been used */
};

static const struct request_kind request_ack, request_read, request_group_read;

static bool
is_ack(const struct pending *pending)
{
    return pending->kind == &request_ack;
}

static bool
is_receipt(const struct pending *pending)
{
    return is_ack(pending) || pending->kind == &request_read ||
           pending->kind == &request_group_read;
}

/* --------------------------------------------------------------------- what the store is asked */

static struct ln_msg *
ack_new(const struct connection *connection, const struct pending *pending)
{
    struct ln_msg *request = ln_msg_new(STORE_ACK, LN_DURABLE, sizeof(struct store_ack));
    *(struct store_ack *)(void *)request->data = (struct store_ack){
        .user = connection->user, .number = pending->inbox, .device = connection->device};
    return request;
}

static uint64_t
request_both(const struct connection *connection, const struct pending *ack,
             const struct pending *read)
{
    struct ln_msg *request = ack_new(connection, ack);
    struct store_ack *asked = (struct store_ack *)(void *)request->data;
    ASSERT(read->recipient != 0 && read->chat_number != 0); /* or no mark would be answered */
    asked->peer = read->recipient;
    asked->chat_number = read->chat_number;
    return ln_request(store_user_pid(connection->messenger->store, connection->user), &request);
}

static struct ln_msg *
read_new(const struct connection *connection, const struct pending *pending)
{
    struct ln_msg *request = ln_msg_new(pending->kind->tag, LN_DURABLE, sizeof(struct store_read));
    *(struct store_read *)(void *)request->data = (struct store_read){
        .user = connection->user, .peer = pending->recipient, .chat_number = pending->chat_number};
    return request;
}

static struct ln_msg *
request_new(const struct connection *connection, const struct pending *pending)
{
    return is_ack(pending) ? ack_new(connection, pending) : read_new(connection, pending);
}

static uint64_t
request(const struct connection *connection, const struct pending *pending)
{
    struct ln_msg *request = request_new(connection, pending);
    return ln_request(store_user_pid(connection->messenger->store, connection->user), &request);
}

/* ----------------------------------------------------------------------------------- held back */

static bool
is_held(const struct pending *pending)
{
    return pending->request == 0 && is_receipt(pending);
}

static uint64_t
cursor_of(const struct pending *pending)
{
    return is_ack(pending) ? pending->inbox : pending->chat_number;
}

static void
ask_after(struct connection *connection, uint64_t ms)
{
    if (!connection->asks_again) {
        struct ln_msg *again = ln_msg_new(CONNECTION_RECEIPTS, LN_REPLY, 0);
        (void)ln_send_after(ms, ln_self(), &again);
        connection->asks_again = true;
    }
}

/* An acknowledgement of what the device was sent: it is not refused. */
static bool
is_certain(const struct connection *connection, const struct pending *pending)
{
    return is_ack(pending) && pending->inbox <= connection->fed;
}

/* Whether what is answered to one may be answered to the other, if that is no lower. */
static bool
go_together(const struct connection *connection, const struct pending *one,
            const struct pending *other)
{
    if (!is_held(one) || !is_held(other) || ((one->mode | other->mode) & ALONE) != 0 ||
        one->kind != other->kind) {
        return false;
    }
    return is_ack(one) ? is_certain(connection, one) == is_certain(connection, other)
                       : one->recipient == other->recipient;
}

/* It stands for the other one, too, if that is no higher. */
static void
raise_to(struct pending *at, const struct pending *pending)
{
    if (cursor_of(pending) <= cursor_of(at)) {
        return;
    }
    at->number = at->ref == 0 ? pending->number : at->number;
    if (is_ack(at)) {
        at->inbox = pending->inbox;
    } else {
        at->chat_number = pending->chat_number;
    }
}

/* One that nobody waits for leaves with one that is held already: so, however many a client gives,
 * they take few of the places of those that may be unanswered. The highest may be refused, and is
 * not to take all with it: of those that may be, two are held. */
static bool
joins(const struct connection *connection, const struct pending *pending)
{
    struct pending *low = NULL;
    bool certain = is_certain(connection, pending);
    unsigned held = 0;
    for (struct pending *at = connection->pendings.first; at != NULL && pending->ref == 0;
         at = at->next) {
        if (!go_together(connection, at, pending)) {
            continue;
        }
        if (certain || (at->ref == 0 && cursor_of(at) == cursor_of(pending))) {
            raise_to(at, pending);
            return true;
        }
        if (at->ref == 0) {
            low = low == NULL || cursor_of(at) < cursor_of(low) ? at : low;
            held++;
        }
    }
    if (held < 2) {
        return false;
    }
    raise_to(low, pending);
    return true;
}

/* Takes the pending. */
static void
join_or_wait(struct connection *connection, struct pending *pending)
{
    struct messenger_counters *counters = &connection->messenger->counters;
    pending->request = 0;
    if (joins(connection, pending)) {
        messenger_count(&counters->shed[PRESSURE_RECEIPTS]);
        messenger_count(is_ack(pending) ? &counters->acks : &counters->reads);
        ln_free(pending);
    } else {
        command_pending_add(connection, pending, 0);
    }
}

/* Takes the pending. */
static void
hold(struct connection *connection, struct pending *pending)
{
    messenger_count(&connection->messenger->counters.receipts_held);
    join_or_wait(connection, pending);
    ask_after(connection, PRESSURE_WAIT_MS);
}

/* Takes the pending. */
static void
ask_late(struct connection *connection, struct pending *pending)
{
    pending->mode = LATE;
    command_pending_add(connection, pending, 0);
    connection->acks_late = true;
}

/* NULL: none. There is one ack at most, since all other commands but a markRead ask for it before,
 * and one mark. */
static struct pending *
late(const struct connection *connection, bool ack)
{
    for (struct pending *at = connection->pendings.first; at != NULL; at = at->next) {
        if ((at->mode & LATE) != 0 && is_held(at) && is_ack(at) == ack) {
            return at;
        }
    }
    return NULL;
}

static void
ask_now(struct connection *connection, struct pending *pending)
{
    pending->mode = 0;
    pending_list_asked(&connection->pendings, pending, request(connection, pending));
}

void
connection_acks_ask(struct connection *connection)
{
    if (!connection->acks_late) {
        return;
    }
    connection->acks_late = false;
    struct pending *ack = late(connection, true);
    struct pending *read = late(connection, false);
    ASSERT(ack != NULL);
    if (read == NULL) {
        ask_now(connection, ack);
        return;
    }
    uint64_t number = request_both(connection, ack, read);
    ack->mode = SHARES;
    read->mode = SHARES;
    pending_list_asked(&connection->pendings, ack, number);
    pending_list_asked(&connection->pendings, read, number);
}

/* Whether an ack waits that may take a mark along. */
static bool
takes_along(const struct connection *connection)
{
    const struct pending *ack = connection->acks_late ? late(connection, true) : NULL;
    return ack != NULL && is_certain(connection, ack);
}

/* Takes the pending. The mark that waited until now is asked for before the ack, by itself. */
static void
read_late(struct connection *connection, struct pending *pending)
{
    struct pending *read = late(connection, false);
    if (read != NULL) {
        ask_now(connection, read);
    }
    pending->mode = LATE;
    command_pending_add(connection, pending, 0);
}

/* Takes the pending. One beyond what the device was sent may be refused, and is not held. */
static void
ask_or_hold(struct connection *connection, struct pending *pending)
{
    bool known = !is_ack(pending) || pending->inbox <= connection->fed;
    if (known && messenger_pressure(connection->messenger) >= PRESSURE_RECEIPTS) {
        hold(connection, pending);
    } else if (is_ack(pending)) {
        ask_late(connection, pending);
    } else if (pending->kind == &request_read && takes_along(connection)) {
        read_late(connection, pending);
    } else {
        command_pending_add(connection, pending, request(connection, pending));
    }
}

static struct pending *
highest(const struct connection *connection, struct pending *pending)
{
    struct pending *highest = pending;
    for (struct pending *at = connection->pendings.first; at != NULL; at = at->next) {
        bool higher = cursor_of(at) > cursor_of(highest);
        highest = higher && go_together(connection, at, highest) ? at : highest;
    }
    return highest;
}

/* A request that has been sent for these (one, or two) is that of all that go together with one of
 * them: in the order of the commands, in which they are answered then. */
static void
share(struct connection *connection, uint64_t number, const struct pending *const *asked,
      unsigned asked_count)
{
    struct pending held[2]; /* as they were */
    unsigned count = 0;
    struct pending *last = NULL;
    for (unsigned i = 0; i < asked_count; i++) {
        held[i] = *asked[i];
    }
    for (struct pending *at = connection->pendings.first; at != NULL; at = at->next) {
        bool shares = false;
        for (unsigned i = 0; i < asked_count; i++) {
            shares = shares || at == asked[i] || go_together(connection, at, &held[i]);
        }
        if (shares) {
            pending_list_asked(&connection->pendings, at, number);
            at->mode |= SHARES;
            last = at;
            count++;
        }
    }
    ASSERT(last != NULL && count >= asked_count);
    if (count == 1) {
        last->mode &= (uint8_t)~SHARES;
    }
    for (; count > asked_count; count--) {
        messenger_count(&connection->messenger->counters.shed[PRESSURE_RECEIPTS]);
    }
}

/* The highest certain ack that is held, or the highest mark of the user's chat that was marked
 * last; NULL: there is none that may go with another. */
static struct pending *
held_last(const struct connection *connection, const struct request_kind *kind)
{
    struct pending *last = NULL;
    for (struct pending *at = connection->pendings.first; at != NULL; at = at->next) {
        bool fits = is_held(at) && at->kind == kind && (at->mode & ALONE) == 0;
        last = fits && (!is_ack(at) || is_certain(connection, at)) ? at : last;
    }
    return last != NULL ? highest(connection, last) : NULL;
}

/* Marks of other chats go before the ack and what goes with it. */
void
connection_receipts_ask(struct connection *connection)
{
    connection->asks_again = false;
    struct pending *ack = held_last(connection, &request_ack);
    struct pending *read = ack != NULL ? held_last(connection, &request_read) : NULL;
    for (struct pending *at = connection->pendings.first; at != NULL; at = at->next) {
        bool waits =
            read != NULL && (go_together(connection, at, ack) || go_together(connection, at, read));
        if (is_held(at) && !waits) {
            const struct pending *asked = highest(connection, at);
            share(connection, request(connection, asked), &asked, 1);
        }
    }
    if (read != NULL) {
        const struct pending *asked[] = {ack, read};
        share(connection, request_both(connection, ack, read), asked, 2);
    }
}

void
connection_receipts_end(const struct connection *connection)
{
    for (const struct pending *at = connection->pendings.first; at != NULL; at = at->next) {
        if (is_held(at)) {
            struct ln_msg *msg = request_new(connection, at);
            ln_send(store_user_pid(connection->messenger->store, connection->user), &msg);
        }
    }
}

/* A cursor may be said again freely, and of one without a ref most clients could not tell what the
 * error is the answer to, nor of an acknowledgement with one: so it is we who say it again.
 * Meanwhile it counts as unanswered, unless it joins another one. True: it is taken. */
static bool
put_off(struct connection *connection, struct pending *pending, const struct ln_msg *answer)
{
    int error = answer->error;
    if (error == 0 && !is_ack(pending)) {
        error = ((const struct store_marked *)(const void *)answer->data)->error;
    }
    bool busy = error == -EAGAIN || error == -ESRCH;
    bool shared = (pending->mode & SHARES) != 0;
    pending->mode &= (uint8_t)~SHARES;
    bool ours = is_ack(pending) || pending->ref == 0;
    ASSERT(shared || error == answer->error);
    if (error == 0 || (busy ? !ours : !shared)) {
        return false;
    }
    if (busy) {
        join_or_wait(connection, pending);
        ask_after(connection, CONNECTION_AGAIN_MS);
    } else {
        pending->mode |= ALONE;
        command_pending_add(connection, pending, request(connection, pending));
    }
    return true;
}

/* ------------------------------------------------------------------------------------------ ack */

/* Credit comes back when the store has it, not before: a number that it refuses acknowledges
 * nothing. */
static void
acked(struct connection *connection, const struct pending *pending, const struct ln_msg *answer)
{
    (void)answer;
    connection_credit(connection, pending->inbox);
    messenger_count(&connection->messenger->counters.acks);
    if (pending->ref != 0) {
        event_done(connection, pending->number, pending->ref);
    }
}

static void
ack_refused(struct connection *connection, const struct pending *pending, int error)
{
    if (error == -ERANGE) {
        event_error(connection, command_number(pending), pending->ref,
                    LINNET__V1__ERROR__CODE__OUT_OF_RANGE,
                    "ack.inboxNumber: beyond the inbox's last entry", 0);
    } else {
        command_refuse_own(connection, pending, error);
    }
}

static const struct request_kind request_ack = {
    .tag = STORE_ACK, .done = acked, .refused = ack_refused, .put_off = put_off};

static void
ack(struct connection *connection, const Linnet__V1__ClientFrame *frame)
{
    struct pending *pending = command_pending(&request_ack, frame, frame->number);
    pending->inbox = frame->ack->inbox_number;
    ask_or_hold(connection, pending);
}

const struct command_kind command_ack = {ack};

/* ------------------------------------------------------------------------------------- markRead */

/* What was read before may be said again by an app alone. */
static void
read_done(struct connection *connection, const struct pending *pending, const struct ln_msg *answer)
{
    messenger_count(&connection->messenger->counters.reads);
    if (((const struct store_marked *)(const void *)answer->data)->moved) {
        connection_acted(connection);
    }
    if (pending->ref != 0) {
        event_done(connection, pending->number, pending->ref);
    }
}

static const struct request_kind request_read = {
    .tag = STORE_READ, .done = read_done, .refused = command_refuse_own, .put_off = put_off};
static const struct request_kind request_group_read = {.tag = STORE_GROUP_READ,
                                                       .done = read_done,
                                                       .refused = command_refuse_group,
                                                       .put_off = put_off};

static void
mark_read(struct connection *connection, const Linnet__V1__ClientFrame *frame)
{
    uint64_t peer = 0;
    const Linnet__V1__Chat *chat = frame->mark_read->chat;
    if (chat->peer_case != LINNET__V1__CHAT__PEER_USER_ID) {
        /* A group's writers are told of neither at once, and a name may take long to be found. */
        connection_acks_ask(connection);
    }
    int error = command_chat_resolve(connection, chat, &peer);
    if (error != 0) {
        command_refuse_name(connection, frame, "markRead.chat", error);
        return;
    }
    const struct request_kind *kind =
        command_chat_is_group(chat) ? &request_group_read : &request_read;
    struct pending *pending = command_pending(kind, frame, frame->number);
    pending->recipient = peer;
    pending->chat_number = frame->mark_read->chat_number;
    ask_or_hold(connection, pending);
}

const struct command_kind command_mark_read = {mark_read};
