/* SPDX-License-Identifier: Apache-2.0 */
/* How a device gets its inbox. While it is live it takes each push as it comes. Each names the
 * entry before it, so a gap shows; then, and when the device has as much to acknowledge as it may,
 * pushes only tell that there is more, and the inbox is read in pages as credit comes back:
 *
 *     live --- a push that does not follow, or no credit; STORE_BEHIND; STORE_RESYNC ---> lagging
 *       ^                                                                                    |
 *       +------- a page that reaches the inbox's end, and no push went by meanwhile ---------+
 *
 * A device that is live and has acknowledged everything has no struct feed. */
#include "actors/connection_priv.h"
#include "actors/event.h"
#include "actors/presence.h"
#include "store/audit.h"
#include "store/entry.h"
#include "store/group.h"

#include <errno.h>
#include <string.h>

/* Once in an idle timeout (clock.h): struct connection counts so far. */
enum { AUDIT_LOOKS = 1 << 3 };

/* --------------------------------------------------------------------------------- the feed */

static struct feed *
feed_of(struct connection *connection)
{
    if (connection->feed == NULL) {
        connection->feed = ln_alloc(sizeof *connection->feed);
        connection->feed->live = true;
    }
    return connection->feed;
}

/* Frees it when it tells nothing. */
static void
feed_retire(struct connection *connection)
{
    struct feed *feed = connection->feed;
    if (feed != NULL && feed->live && feed->flight.count == 0 && feed->asked == 0) {
        flight_fini(&feed->flight);
        ln_free(feed);
        connection->feed = NULL;
    }
}

static bool
live(const struct connection *connection)
{
    return connection->feed == NULL || connection->feed->live;
}

static bool
credit(const struct connection *connection)
{
    const struct protocol_limits *limits = &connection->messenger->limits;
    const struct feed *feed = connection->feed;
    return feed == NULL || (feed->flight.count < limits->unacknowledged_entries_max &&
                            feed->flight.bytes < limits->unacknowledged_bytes_max);
}

bool
connection_more_comes(const struct connection *connection)
{
    return live(connection) && credit(connection);
}

static void
show(struct connection *connection, struct ln_buffer *buffer, const struct store_entry *entry)
{
    struct feed *feed = connection->feed;
    if (feed != NULL) { /* else there is nothing to acknowledge in it, and nothing long */
        feed->shown = buffer;
    }
    event_entry(connection, entry);
    if (feed != NULL) {
        feed->shown = NULL;
    }
}

/* What the device has not had of the entries goes there and onto its bill, as far as there is
 * credit: it may have acknowledged some while a page was on its way. Whether that is all. */
static bool
take(struct connection *connection, struct ln_buffer *buffer)
{
    const unsigned char *bytes = ln_buffer_data(buffer);
    size_t count = ln_buffer_bytes(buffer);
    size_t at = 0;
    size_t before = at;
    struct store_entry entry;
    for (; entry_next(bytes, count, &at, &entry); before = at) {
        if (entry.number <= connection->fed) {
            continue;
        }
        if (!credit(connection)) {
            return false;
        }
        if (!event_passes_over(connection, &entry)) {
            flight_add(&feed_of(connection)->flight, entry.number, at - before);
        }
        connection->fed = entry.number;
        show(connection, buffer, &entry);
    }
    return true;
}

/* Asks for the next page, if the device lags, has credit and none is under way. */
static void
read_on(struct connection *connection)
{
    const struct protocol_limits *limits = &connection->messenger->limits;
    struct feed *feed = connection->feed;
    if (live(connection) || feed->asked != 0 || !credit(connection)) {
        return;
    }
    struct store_inbox inbox = {
        .user = connection->user,
        .after = connection->fed,
        .entries_max = limits->unacknowledged_entries_max - feed->flight.count,
        .bytes_max = (uint32_t)(limits->unacknowledged_bytes_max - feed->flight.bytes),
        .device = connection->device,
    };
    struct ln_msg *request = ln_msg_new(STORE_INBOX, LN_DURABLE, sizeof inbox);
    memcpy(request->data, &inbox, sizeof inbox);
    feed->missed = 0;
    feed->asked =
        ln_request(store_user_pid(connection->messenger->store, connection->user), &request);
}

/* From now on entries come from pages. One that is under way may have been read before `missed`. */
static void
lag(struct connection *connection, uint64_t missed)
{
    struct feed *feed = feed_of(connection);
    feed->live = false;
    feed->missed = missed > feed->missed ? missed : feed->missed;
    read_on(connection);
}

static void
pushed(struct connection *connection, const struct ln_msg *msg)
{
    const struct store_push *push = (const struct store_push *)(const void *)msg->data;
    if (push->number <= connection->fed) {
        return;
    }
    if (!live(connection)) {
        connection->feed->missed = push->number;
    } else if (push->previous > connection->fed || !take(connection, msg->buffer)) {
        lag(connection, 0); /* a page that is asked for now has the rest */
    }
}

/* --------------------------------------------------------------------------------------- pages */

static void
read_later(struct connection *connection)
{
    if (!connection->reads_again) {
        struct ln_msg *again = ln_msg_new(CONNECTION_READ_AGAIN, LN_REPLY, 0);
        (void)ln_send_after(CONNECTION_AGAIN_MS, ln_self(), &again);
        connection->reads_again = true;
    }
}

void
connection_read_again(struct connection *connection)
{
    connection->reads_again = false;
    read_on(connection);
}

static void
page_use(struct connection *connection, const struct ln_msg *answer)
{
    const struct store_page *page = (const struct store_page *)(const void *)answer->data;
    struct feed *feed = connection->feed;
    bool more = page->more;
    if (page->count > 0) {
        more = !take(connection, answer->buffer) || more;
    }
    if (!more) {
        connection->fed = page->last > connection->fed ? page->last : connection->fed;
        feed->live = feed->missed <= page->last;
    }
    read_on(connection);
    feed_retire(connection);
}

bool
connection_page_arrived(struct connection *connection, struct ln_msg *answer)
{
    struct feed *feed = connection->feed;
    if (feed == NULL || feed->asked != answer->ref) {
        return false;
    }
    feed->asked = 0;
    if (connection->phase != CONNECTION_READY) {
        return true;
    }
    if (answer->error == -EAGAIN || answer->error == -ESRCH) {
        read_later(connection); /* the partition is busy, or being started again */
    } else if (answer->error != 0) {
        connection_close(connection, PROTOCOL_CLOSE_INTERNAL, "the inbox could not be read");
    } else {
        page_use(connection, answer);
    }
    return true;
}

void
connection_credit(struct connection *connection, uint64_t number)
{
    if (connection->feed != NULL) {
        flight_ack(&connection->feed->flight, number);
    }
    connection->fed = number > connection->fed ? number : connection->fed;
    read_on(connection);
    feed_retire(connection);
}

/* ------------------------------------------------------------------------------------ attaching */

/* Whether the partition has said that nothing has come of it: then there is nothing to detach
 * either. */
static bool
refused(int error)
{
    return error == -EACCES || error == -ENOENT || error == -EAGAIN;
}

static int
attach(struct connection *connection, bool again, const unsigned char *token_hash,
       struct store_attached *out)
{
    struct store_attach attach = {.user = connection->user,
                                  .device = connection->device,
                                  .again = again,
                                  .proves = token_hash != NULL,
                                  .since_tenths = connection->since_tenths,
                                  .session = ln_self()};
    if (token_hash != NULL) {
        memcpy(attach.token_hash, token_hash, sizeof attach.token_hash);
    }
    struct ln_msg *request = ln_msg_new(STORE_ATTACH, LN_DURABLE, sizeof attach);
    struct ln_msg *answer = NULL;
    memcpy(request->data, &attach, sizeof attach);
    bool before = connection->attached;
    connection->attached = true; /* from here on: it may be killed while it waits */
    int error = ln_call(store_user_pid(connection->messenger->store, connection->user), &request,
                        CONNECTION_CALL_MS, &answer);
    if (error == 0) {
        memcpy(out, answer->data, sizeof *out);
        ln_msg_free(&answer);
    }
    connection->attached = before || !refused(error);
    return error;
}

int
connection_attach(struct connection *connection, const unsigned char *token_hash,
                  struct store_attached *out)
{
    return attach(connection, false, token_hash, out);
}

/* The first page of what the user has there; NULL: there was no answer by then. */
static struct ln_msg *
first_page(const struct connection *connection, uint32_t tag, uint64_t until_ns)
{
    uint64_t now_ns = ln_now_ns();
    uint64_t left_ms = until_ns > now_ns ? (until_ns - now_ns) / 1000000 : 0;
    if (left_ms == 0) {
        return NULL;
    }
    struct store_list list = {.user = connection->user, .max = CHAT_PAGE_MAX};
    struct ln_msg *request = ln_msg_new(tag, LN_DURABLE, sizeof list);
    struct ln_msg *answer = NULL;
    memcpy(request->data, &list, sizeof list);
    int error = ln_call(store_user_pid(connection->messenger->store, connection->user), &request,
                        left_ms, &answer);
    return error == 0 ? answer : NULL;
}

/* What the device missed it can't be given; how far its chats and groups have got it can. What got
 * no answer it has to ask by itself: meanwhile this connection hears nothing else, so both together
 * have the time of one call. */
static void
tell_resync(struct connection *connection, const struct store_attached *attached)
{
    uint64_t until_ns = ln_now_ns() + UINT64_C(1000000) * CONNECTION_CALL_MS;
    struct ln_msg *chats = first_page(connection, STORE_CHATS, until_ns);
    struct ln_msg *groups = first_page(connection, STORE_GROUP_CHATS, until_ns);
    event_resync(connection, attached, chats, groups);
    ln_msg_free(&chats);
    ln_msg_free(&groups);
}

void
connection_feed(struct connection *connection, const struct store_attached *attached)
{
    connection->fed = attached->acked;
    if (attached->resync) {
        tell_resync(connection, attached);
    }
    if (attached->last > attached->acked) {
        lag(connection, 0);
    }
}

void
connection_detach(struct connection *connection)
{
    if (connection->attached) {
        /* In a lane that is never refused: nobody would say it again. */
        struct ln_msg *detach = ln_msg_new(STORE_DETACH, LN_REPLY, sizeof(struct store_detach));
        *(struct store_detach *)(void *)detach->data = (struct store_detach){
            .user = connection->user, .device = connection->device, .session = ln_self()};
        ln_send(store_user_pid(connection->messenger->store, connection->user), &detach);
    }
}

/* The device reached its limit and lost its place: it begins again behind what was given up. */
static void
resync(struct connection *connection)
{
    struct store_attached attached;
    int error = attach(connection, true, NULL, &attached);
    if (error == -EBUSY) {
        return; /* the device has come anew: STORE_REPLACED is on its way to us */
    }
    if (error != 0) {
        connection_close(connection, PROTOCOL_CLOSE_INTERNAL, "the inbox was lost");
        return;
    }
    flight_fini(&feed_of(connection)->flight);
    if (attached.acked > connection->fed) {
        connection->fed = attached.acked;
    }
    tell_resync(connection, &attached);
    lag(connection, UINT64_MAX);
}

/* ------------------------------------------------------------------------------------ the audit */

/* Often when something seems to be amiss. */
void
connection_audit(struct connection *connection)
{
    connection->looks++; /* of three bits */
    if (!connection->suspects && connection->looks % AUDIT_LOOKS != 0) {
        return;
    }
    struct ln_msg *msg = ln_msg_new(STORE_AUDIT, LN_DURABLE, sizeof(struct store_audit));
    *(struct store_audit *)(void *)msg->data = (struct store_audit){
        .user = connection->user, .device = connection->device, .session = ln_self()};
    ln_send(store_user_pid(connection->messenger->store, connection->user), &msg);
}

/* What is amiss now may be on its way to be told: a push that was refused, a session that was
 * replaced. What is still so at the next look never will be. */
static void
audited(struct connection *connection, const struct store_audited *audit)
{
    bool misses = live(connection) && store_audit_misses(audit->newest, connection->fed);
    bool amiss = !audit->attached || misses;
    bool again = amiss && connection->suspects;
    connection->suspects = amiss && !again;
    if (!again) {
        return;
    }
    messenger_count(&connection->messenger->counters.invariant_violations);
    if (audit->attached) {
        lag(connection, 0);
    } else {
        connection_close(connection, PROTOCOL_CLOSE_INTERNAL, "the inbox has lost this connection");
    }
}

/* The device has connected anew, as a rule. But a node that has much to do may come to a login that
 * its client has given up after the one that was made instead; then this connection, the newer,
 * takes its place back, and the other one is told that it is replaced. */
static void
replaced(struct connection *connection, const struct store_notice *notice)
{
    struct store_attached attached;
    messenger_count(&connection->messenger->counters.replaced);
    if (connection->since_tenths <= notice->since_tenths) {
        connection_close(connection, PROTOCOL_CLOSE_REPLACED, "the same device connected anew");
        return;
    }
    if (attach(connection, false, NULL, &attached) != 0) {
        connection_close(connection, PROTOCOL_CLOSE_INTERNAL, "the inbox has lost this connection");
        return;
    }
    lag(connection, UINT64_MAX); /* what was pushed meanwhile went to the other one */
}

static void
noticed(struct connection *connection, uint32_t tag, const struct store_notice *notice)
{
    switch (tag) {
    case STORE_BEHIND:
        lag(connection, UINT64_MAX); /* pushes were refused while our mailbox was full */
        break;
    case STORE_RESYNC:
        resync(connection);
        break;
    case STORE_REVOKED:
        if (notice->device == 0) {
            presence_forget(connection->messenger, connection->user);
        }
        connection_close(connection, PROTOCOL_CLOSE_REVOKED,
                         notice->device == 0 ? "the user was removed" : "the device was removed");
        break;
    case STORE_REPLACED:
        replaced(connection, notice);
        break;
    case STORE_DEVICES:
        connection->devices = notice->devices;
        break;
    default:
        break;
    }
}

void
connection_told_by_store(struct connection *connection, struct ln_msg *msg)
{
    if (connection->phase != CONNECTION_READY) {
        return;
    }
    if (msg->tag == STORE_PUSH) {
        pushed(connection, msg);
    } else if (msg->tag == STORE_CALL_TOLD) {
        if (!connection->stuffed) { /* who does not read misses it */
            event_call_signal(connection, msg);
        }
    } else if (msg->tag == STORE_AUDITED) {
        audited(connection, (const struct store_audited *)(const void *)msg->data);
    } else {
        noticed(connection, msg->tag, (const struct store_notice *)(const void *)msg->data);
    }
}
