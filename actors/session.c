/* SPDX-License-Identifier: Apache-2.0 */
#include "actors/session.h"

#include "actors/connection.h"
#include "actors/flight.h"
#include "actors/sessions.h"
#include "net/protocol.h"
#include "runtime/text.h"
#include "store/request.h"

#include <errno.h>
#include <string.h>

enum {
    /* Who asked for the session has joined it by then, or will never. */
    JOIN_MS_MAX = 60000,
    /* When a busy or restarting partition is asked again. */
    READ_AGAIN_MS = 100,
};

/* A device that is online, and how far it has been fed. */
struct link {
    struct link *next;
    ln_pid connection;
    uint64_t sent;  /* entries up to here are on the wire, or acknowledged */
    uint64_t asked; /* the page request under way; 0: none */
    struct flight flight;
    uint16_t device;
    uint64_t missed; /* the highest push that went by while it was not live */
    bool live;       /* it has everything, and takes pushes as they come */
};

struct session {
    struct ln_resource own; /* the counter, the links, the places in table and partition */
    struct messenger *messenger;
    uint64_t user;
    struct link *links;
    uint16_t devices; /* that the user has, online or not */
    bool attached;
    bool reads_later; /* SESSION_READ is on its way */
};

/* ---------------------------------------------------------------------------------------- links */

static struct link *
link_of_device(const struct session *session, uint16_t device)
{
    struct link *link = session->links;
    while (link != NULL && link->device != device) {
        link = link->next;
    }
    return link;
}

static struct link *
link_of_connection(const struct session *session, ln_pid connection)
{
    struct link *link = session->links;
    while (link != NULL && link->connection != connection) {
        link = link->next;
    }
    return link;
}

static struct link *
link_of_page(const struct session *session, uint64_t request)
{
    struct link *link = session->links;
    while (link != NULL && link->asked != request) {
        link = link->next;
    }
    return link;
}

static void
link_remove(struct session *session, struct link *removed)
{
    struct link **at = &session->links;
    while (*at != removed) {
        at = &(*at)->next;
    }
    *at = removed->next;
    flight_fini(&removed->flight);
    ln_free(removed);
}

static void
connection_tell_close(ln_pid connection, uint16_t code, const char *reason)
{
    struct ln_msg *close = ln_msg_new(CONNECTION_CLOSE, LN_REPLY, sizeof(struct connection_close));
    *(struct connection_close *)(void *)close->data = (struct connection_close){code, reason};
    ln_send(connection, &close);
}

static void
end_if_empty(struct session *session)
{
    if (session->links == NULL) {
        ln_stop(LN_EXIT_NORMAL, "nobody is online");
    }
}

/* -------------------------------------------------------------------------------------- feeding */

static bool
credit(const struct session *session, const struct link *link)
{
    const struct protocol_limits *limits = &session->messenger->limits;
    return link->flight.count < limits->unacknowledged_entries_max &&
           link->flight.bytes < limits->unacknowledged_bytes_max;
}

/* Takes the buffer's reference. What the device has not had of it goes there and onto its bill: it
 * may have acknowledged some while a page was on its way. */
static void
feed(struct link *link, struct ln_buffer **buffer)
{
    const unsigned char *bytes = ln_buffer_data(*buffer);
    uint32_t count = (uint32_t)ln_buffer_bytes(*buffer);
    size_t offset = 0;
    size_t at = 0;
    size_t before = at;
    struct store_entry entry;
    while (entry_next(bytes, count, &at, &entry)) {
        if (entry.number <= link->sent) {
            offset = at;
        } else {
            flight_add(&link->flight, entry.number, at - before);
            link->sent = entry.number;
        }
        before = at;
    }
    if (offset == count) {
        ln_buffer_put(buffer);
        return;
    }
    struct ln_msg *entries =
        ln_msg_new(CONNECTION_ENTRIES, LN_REPLY, sizeof(struct connection_entries));
    *(struct connection_entries *)(void *)entries->data =
        (struct connection_entries){(uint32_t)offset, count - (uint32_t)offset};
    entries->buffer = *buffer;
    *buffer = NULL;
    ln_send(link->connection, &entries);
}

/* Asks for the next page, if the device lags, has credit and none is under way. */
static void
read_on(struct session *session, struct link *link)
{
    const struct protocol_limits *limits = &session->messenger->limits;
    if (link->live || link->asked != 0 || !credit(session, link)) {
        return;
    }
    struct ln_msg *request = ln_msg_new(STORE_INBOX, LN_DURABLE, sizeof(struct store_inbox));
    *(struct store_inbox *)(void *)request->data = (struct store_inbox){
        .user = session->user,
        .after = link->sent,
        .entries_max = limits->unacknowledged_entries_max - link->flight.count,
        .bytes_max = (uint32_t)(limits->unacknowledged_bytes_max - link->flight.bytes),
    };
    link->missed = 0;
    link->asked = ln_request(store_user_pid(session->messenger->store, session->user), &request);
}

static void
read_later(struct session *session)
{
    if (!session->reads_later) {
        session->reads_later = true;
        struct ln_msg *later = ln_msg_new(SESSION_READ, LN_REPLY, 0);
        (void)ln_send_after(READ_AGAIN_MS, ln_self(), &later);
    }
}

static void
read_all(struct session *session)
{
    session->reads_later = false;
    for (struct link *link = session->links; link != NULL; link = link->next) {
        read_on(session, link);
    }
}

static void
page_arrived(struct session *session, struct ln_msg *answer)
{
    struct link *link = link_of_page(session, answer->ref);
    if (link == NULL) {
        return;
    }
    link->asked = 0;
    if (answer->error == -EAGAIN || answer->error == -ESRCH) {
        read_later(session); /* the partition is busy, or being started again */
        return;
    }
    if (answer->error != 0) {
        connection_tell_close(link->connection, PROTOCOL_CLOSE_INTERNAL,
                              "the inbox could not be read");
        return;
    }
    const struct store_page *page = (const struct store_page *)(const void *)answer->data;
    if (page->count > 0) {
        feed(link, &answer->buffer);
    }
    if (!page->more) {
        link->sent = page->last > link->sent ? page->last : link->sent;
        link->live = link->missed <= page->last;
    }
    read_on(session, link);
}

static void
pushed(struct session *session, struct ln_msg *msg)
{
    const struct store_push *push = (const struct store_push *)(const void *)msg->data;
    for (struct link *link = session->links; link != NULL; link = link->next) {
        if (push->number <= link->sent) {
            continue;
        }
        if (!link->live) {
            link->missed = push->number;
            continue;
        }
        if (push->previous > link->sent || !credit(session, link)) {
            link->live = false;
            read_on(session, link);
            continue;
        }
        struct ln_buffer *buffer = ln_buffer_get(msg->buffer);
        feed(link, &buffer);
    }
}

static void
acked(struct session *session, const struct session_acked *ack)
{
    struct link *link = link_of_device(session, ack->device);
    if (link != NULL) {
        flight_ack(&link->flight, ack->number);
        link->sent = ack->number > link->sent ? ack->number : link->sent;
        read_on(session, link);
    }
}

/* -------------------------------------------------------------------------------------- notices */

/* Pushes were refused while our mailbox was full: everybody catches up by reading. */
static void
behind(struct session *session)
{
    for (struct link *link = session->links; link != NULL; link = link->next) {
        link->live = false;
        link->missed = UINT64_MAX; /* a page that is under way may have been read before */
        read_on(session, link);
    }
}

static void
revoked(struct session *session, uint16_t device)
{
    for (struct link *link = session->links; link != NULL; link = link->next) {
        if (device == 0 || link->device == device) {
            connection_tell_close(link->connection, PROTOCOL_CLOSE_REVOKED,
                                  device == 0 ? "the user was removed" : "the device was removed");
        }
    }
}

static void
devices_changed(struct session *session, uint16_t devices)
{
    session->devices = devices;
    for (struct link *link = session->links; link != NULL; link = link->next) {
        struct ln_msg *told =
            ln_msg_new(CONNECTION_DEVICES, LN_REPLY, sizeof(struct connection_devices));
        *(struct connection_devices *)(void *)told->data = (struct connection_devices){devices};
        ln_send(link->connection, &told);
    }
}

/* -------------------------------------------------------------------------------------- joining */

static int
attach(struct session *session, uint16_t device, struct store_attached *out)
{
    struct ln_msg *request = ln_msg_new(STORE_ATTACH, LN_DURABLE, sizeof(struct store_attach));
    *(struct store_attach *)(void *)request->data =
        (struct store_attach){.user = session->user, .device = device, .session = ln_self()};
    struct ln_msg *answer = NULL;
    int error = ln_call(store_user_pid(session->messenger->store, session->user), &request,
                        LN_FOREVER, &answer);
    if (error == 0) {
        *out = *(const struct store_attached *)(const void *)answer->data;
        ln_msg_free(&answer);
        session->attached = true;
    }
    return error;
}

static void
replace(struct session *session, uint16_t device)
{
    struct link *old = link_of_device(session, device);
    if (old != NULL) {
        messenger_count(&session->messenger->counters.replaced);
        connection_tell_close(old->connection, PROTOCOL_CLOSE_REPLACED,
                              "the same device connected anew");
        link_remove(session, old);
    }
}

static void
resync(struct link *link, uint64_t number)
{
    struct ln_msg *told = ln_msg_new(CONNECTION_RESYNC, LN_REPLY, sizeof(struct connection_resync));
    *(struct connection_resync *)(void *)told->data = (struct connection_resync){number};
    ln_send(link->connection, &told);
}

static void
join(struct session *session, const struct ln_msg *msg)
{
    uint16_t device = ((const struct session_join *)(const void *)msg->data)->device;
    struct ln_caller caller = ln_caller(msg);
    struct store_attached attached;
    int error = attach(session, device, &attached);
    if (error != 0) {
        ln_reply_error(caller, error);
        end_if_empty(session);
        return;
    }
    replace(session, device);
    struct link *link = ln_alloc(sizeof *link);
    link->connection = caller.pid;
    link->device = device;
    link->sent = attached.acked;
    link->live = attached.last <= attached.acked;
    link->next = session->links;
    session->links = link;
    struct ln_msg *answer = ln_msg_new(SESSION_JOIN, LN_REPLY, sizeof(struct session_joined));
    *(struct session_joined *)(void *)answer->data = (struct session_joined){
        .acked = attached.acked,
        .next_command = attached.next_command,
        .node_number = attached.node_number,
        .devices = attached.devices,
    };
    ln_reply(caller, &answer);
    if (attached.resync) {
        resync(link, attached.acked);
    }
    if (attached.devices != session->devices) {
        devices_changed(session, attached.devices);
    }
    read_on(session, link);
}

/* The device reached its limit and lost its place: it begins again behind what was given up. */
static void
resync_device(struct session *session, uint16_t device)
{
    struct link *link = link_of_device(session, device);
    struct store_attached attached;
    if (link == NULL) {
        return;
    }
    if (attach(session, device, &attached) != 0) {
        connection_tell_close(link->connection, PROTOCOL_CLOSE_INTERNAL, "the inbox was lost");
        return;
    }
    flight_fini(&link->flight);
    link->sent = attached.acked > link->sent ? attached.acked : link->sent;
    link->live = false;
    link->missed = UINT64_MAX;
    resync(link, attached.acked);
    read_on(session, link);
}

/* -------------------------------------------------------------------------------- the behaviour */

static void
sessions_tell_left(uint64_t user)
{
    char name[HOME_NAME_BYTES];
    home_name("sessions", ln_scheduler(), name);
    struct ln_msg *left = ln_msg_new(SESSIONS_LEFT, LN_REPLY, sizeof(struct session_find));
    *(struct session_find *)(void *)left->data = (struct session_find){user};
    ln_send(ln_whereis(name), &left);
}

static void
session_release(struct ln_resource *resource)
{
    struct session *session = (struct session *)resource;
    messenger_uncount(&session->messenger->counters.sessions);
    sessions_tell_left(session->user);
    for (struct link *link = session->links; link != NULL; link = link->next) {
        connection_tell_close(link->connection, PROTOCOL_CLOSE_INTERNAL, "the session ended");
    }
    if (session->attached) {
        struct ln_msg *detach = ln_msg_new(STORE_DETACH, LN_DURABLE, sizeof(struct store_detach));
        *(struct store_detach *)(void *)detach->data =
            (struct store_detach){.user = session->user, .session = ln_self()};
        ln_send(store_user_pid(session->messenger->store, session->user), &detach);
    }
}

static int
session_init(void *state, const void *argument)
{
    struct session *session = state;
    const struct session_start *start = argument;
    session->messenger = start->messenger;
    session->user = start->user;
    messenger_count(&session->messenger->counters.sessions);
    ln_own(&session->own, session_release);
    struct ln_msg *look = ln_msg_new(SESSION_LOOK, LN_REPLY, 0);
    (void)ln_send_after(JOIN_MS_MAX, ln_self(), &look);
    return 0;
}

static void
connection_left(struct session *session, ln_pid connection)
{
    struct link *link = link_of_connection(session, connection);
    if (link != NULL) {
        link_remove(session, link);
    }
    end_if_empty(session);
}

static void
told_by_store(struct session *session, struct ln_msg *msg)
{
    const struct store_notice *notice = (const struct store_notice *)(const void *)msg->data;
    switch (msg->tag) {
    case STORE_PUSH:
        pushed(session, msg);
        break;
    case STORE_BEHIND:
        behind(session);
        break;
    case STORE_RESYNC:
        resync_device(session, notice->device);
        break;
    case STORE_REVOKED:
        revoked(session, notice->device);
        break;
    case STORE_DEVICES:
        devices_changed(session, notice->devices);
        break;
    default:
        break;
    }
}

static void
connections_tell(const struct session *session, const struct ln_msg *request)
{
    size_t count = 0;
    for (const struct link *link = session->links; link != NULL; link = link->next) {
        count++;
    }
    struct ln_msg *answer = ln_msg_new(0, LN_REPLY, count * sizeof(ln_pid));
    for (const struct link *link = session->links; link != NULL; link = link->next) {
        count--;
        memcpy(answer->data + count * sizeof(ln_pid), &link->connection, sizeof(ln_pid));
    }
    ln_reply(ln_caller(request), &answer);
}

static void
session_handle(void *state, struct ln_msg **msg)
{
    struct session *session = state;
    if (((*msg)->flags & LN_MSG_ANSWER) != 0) {
        page_arrived(session, *msg);
        return;
    }
    switch ((*msg)->tag) {
    case SESSION_JOIN:
        join(session, *msg);
        break;
    case SESSION_ACKED:
        acked(session, (const struct session_acked *)(const void *)(*msg)->data);
        break;
    case SESSION_CONNECTIONS:
        connections_tell(session, *msg);
        break;
    case SESSION_READ:
        read_all(session);
        break;
    case SESSION_LOOK:
        end_if_empty(session);
        break;
    case SESSION_LEFT:
        connection_left(session, (*msg)->from);
        break;
    default:
        told_by_store(session, *msg);
        break;
    }
}

static void
session_print(const void *state, struct ln_text *out)
{
    const struct session *session = state;
    ln_text_print(out, "user=%llu devices=%u", (unsigned long long)session->user, session->devices);
    for (const struct link *link = session->links; link != NULL; link = link->next) {
        ln_text_print(out, " [device=%u sent=%llu unacknowledged=%u/%llu bytes%s]", link->device,
                      (unsigned long long)link->sent, link->flight.count,
                      (unsigned long long)link->flight.bytes, link->live ? " live" : "");
    }
}

const struct ln_behaviour session_behaviour = {
    .name = "session",
    .state_bytes = sizeof(struct session),
    .init = session_init,
    .handle = session_handle,
    .print = session_print,
};
