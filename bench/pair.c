/* SPDX-License-Identifier: Apache-2.0 */
/* Two lines, one from each end; `line` i is written by end i and read by the other. Numbers of
 * lines in letters count over all pairs: 2 * index + i. */
#include "bench/pair.h"

#include "bench/letter.h"
#include "bench/phone.h"

#include <errno.h>
#include <string.h>

enum {
    ENDS = 2,
    /* Letters that are due and wait for room, in an open loop. Enough for seconds at any sensible
     * rate per user; what is due beyond that is counted, and makes the run miss its rate. */
    BACKLOG_MAX = 4096,
    RESEND_MS_MIN = 10,
    RESEND_MS_MAX = 5000,
};

/* The tag of a markRead; sequences are far below. */
static const uint64_t mark_ref = (uint64_t)1 << 48;

struct backlog {
    uint64_t *due_ns; /* a ring; NULL in a closed loop */
    uint32_t first, count;
};

struct end {
    struct phone phone;
    struct audit line; /* what it writes */
    struct backlog backlog;
    uint64_t user; /* 0: not welcomed yet */
    uint64_t to_acknowledge;
    uint64_t shown_chat; /* the highest number of the chat that it was shown */
    uint64_t marked_chat;
};

struct pair {
    struct crowd *crowd;
    uint32_t index;
    bool writing; /* between go and stop */
    bool stopped, quiet_told;
    struct end ends[ENDS];
};

static struct end *
other(struct pair *pair, const struct end *end)
{
    return &pair->ends[end == &pair->ends[0] ? 1 : 0];
}

static uint32_t
line_of(const struct pair *pair, const struct end *end)
{
    return ENDS * pair->index + (uint32_t)(end - pair->ends);
}

/* -------------------------------------------------------------------------------------- writing */

static bool
has_room(const struct pair *pair, const struct end *end)
{
    return client_unanswered(&end->phone.client) < pair->crowd->options->window &&
           audit_has_room(&end->line);
}

/* False: the client does not take it now. */
static bool
letter_send(struct pair *pair, struct end *end, uint64_t due_ns)
{
    struct crowd *crowd = pair->crowd;
    uint64_t sequence = audit_next(&end->line);
    struct letter letter = {.run = crowd->run,
                            .line = line_of(pair, end),
                            .sequence = sequence,
                            .at_ns = due_ns - crowd->start_ns};
    letter_write(&letter, crowd->text, crowd->options->bytes);
    Linnet__V1__Chat chat = LINNET__V1__CHAT__INIT;
    chat.peer_case = LINNET__V1__CHAT__PEER_USER_ID;
    chat.user_id = other(pair, end)->user;
    Linnet__V1__SendMessage message = LINNET__V1__SEND_MESSAGE__INIT;
    message.chat = &chat;
    message.body_case = LINNET__V1__SEND_MESSAGE__BODY_TEXT;
    message.text = crowd->text;
    uint64_t number = 0;
    int error = client_send(&end->phone.client, &message, sequence, &number);
    if (error == -EAGAIN) {
        return false;
    }
    if (error < 0) {
        crowd_fail(crowd, "%s can't write: %s", end->phone.user->name, strerrordesc_np(-error));
        pair->writing = false;
        return false;
    }
    audit_write(&end->line, number, due_ns);
    tally_add(&crowd->tally, TALLY_WRITTEN, 1);
    return true;
}

/* Writes what is due, or in a closed loop as much as there is room for. */
static void
end_write(struct pair *pair, struct end *end, uint64_t now_ns)
{
    struct backlog *backlog = &end->backlog;
    if (backlog->due_ns == NULL) {
        while (pair->writing && has_room(pair, end) && letter_send(pair, end, now_ns)) {
        }
        return;
    }
    while (backlog->count > 0 && has_room(pair, end) &&
           letter_send(pair, end, backlog->due_ns[backlog->first])) {
        backlog->first = (backlog->first + 1) % BACKLOG_MAX;
        backlog->count--;
    }
}

static void
due(struct pair *pair, const struct crowd_write *write)
{
    struct end *end = &pair->ends[write->end];
    struct backlog *backlog = &end->backlog;
    uint64_t now_ns = crowd_now_ns();
    tally_add(&pair->crowd->tally, TALLY_DUE, 1);
    tally_delay(&pair->crowd->tally, TALLY_LAG, write->due_ns, now_ns);
    if (backlog->count == BACKLOG_MAX) {
        tally_add(&pair->crowd->tally, TALLY_SKIPPED, 1);
        return;
    }
    backlog->due_ns[(backlog->first + backlog->count) % BACKLOG_MAX] = write->due_ns;
    backlog->count++;
    end_write(pair, end, now_ns);
    phone_flush(&end->phone);
}

/* -------------------------------------------------------------------------------------- reading */

static void
resend_after(uint64_t delay_ms, uint64_t number, uint32_t end)
{
    delay_ms = delay_ms < RESEND_MS_MIN ? RESEND_MS_MIN : delay_ms;
    delay_ms = delay_ms > RESEND_MS_MAX ? RESEND_MS_MAX : delay_ms;
    struct ln_msg *msg = ln_msg_new(CROWD_RESEND, LN_REPLY, sizeof(struct crowd_resend));
    *(struct crowd_resend *)(void *)msg->data = (struct crowd_resend){number, end};
    (void)ln_send_after(delay_ms, ln_self(), &msg);
}

/* Tells the node what has been stored and read; once for everything so far. */
static void
end_acknowledge(struct pair *pair, struct end *end)
{
    struct client *client = &end->phone.client;
    struct end *writer = other(pair, end);
    if (end->to_acknowledge > client_acknowledged(client)) {
        int error = client_ack(client, end->to_acknowledge);
        ASSERT(error == 0);
        audit_acknowledged(&writer->line);
    }
    if (pair->crowd->options->read && end->shown_chat > end->marked_chat) {
        Linnet__V1__Chat chat = LINNET__V1__CHAT__INIT;
        chat.peer_case = LINNET__V1__CHAT__PEER_USER_ID;
        chat.user_id = writer->user;
        /* -EAGAIN or -ENOTCONN: it is said at the next occasion. */
        if (client_mark_read(client, &chat, end->shown_chat, mark_ref) == 0) {
            end->marked_chat = end->shown_chat;
            audit_marked(&writer->line);
        }
    }
}

/* A message that is no letter of this run. */
static void
foreign(struct pair *pair, const struct end *end, const Linnet__V1__NewMessage *message)
{
    struct crowd *crowd = pair->crowd;
    if (crowd->users->fresh) {
        audit_broken(&crowd->tally.verdict, AUDIT_CHANGED,
                     "%s was shown what nobody wrote, from user %llu", end->phone.user->name,
                     (unsigned long long)message->sender->user_id);
        return;
    }
    tally_add(&crowd->tally, TALLY_FOREIGN, 1);
}

static void
shown(struct pair *pair, struct end *end, const Linnet__V1__NewMessage *message, uint64_t now_ns)
{
    struct crowd *crowd = pair->crowd;
    struct end *writer = other(pair, end);
    struct letter letter;
    bool text = message->body_case == LINNET__V1__NEW_MESSAGE__BODY_TEXT;
    enum letter_verdict verdict =
        text ? letter_read(message->text, strlen(message->text), crowd->run, &letter)
             : LETTER_FOREIGN;
    if (verdict == LETTER_FOREIGN) {
        foreign(pair, end, message);
        return;
    }
    if (verdict == LETTER_DAMAGED || letter.line != line_of(pair, writer) ||
        message->sender->user_id != writer->user) {
        audit_broken(&crowd->tally.verdict, AUDIT_CHANGED, "%s was shown a letter %s",
                     end->phone.user->name,
                     verdict == LETTER_DAMAGED ? "that is damaged" : "of somebody else");
        return;
    }
    struct audit_shown told = {
        .sequence = letter.sequence,
        .due_ns = crowd->start_ns + letter.at_ns,
        .id_number = message->id->number,
        .chat_number = message->chat_number,
        .server_time_ms = message->server_time_ms,
    };
    if (audit_shown(&writer->line, &told)) {
        tally_delay(&crowd->tally, TALLY_TO_SHOWN, told.due_ns, now_ns);
    }
    tally_add(&crowd->tally, TALLY_SHOWN, 1);
    end->shown_chat = end->shown_chat > told.chat_number ? end->shown_chat : told.chat_number;
}

/* ---------------------------------------------------------------------------- answers and ticks */

static void
answered(struct pair *pair, struct end *end, const struct client_event *event, uint64_t now_ns)
{
    struct crowd *crowd = pair->crowd;
    uint64_t due_ns = 0;
    if (event->sent->id->user_id != end->user) {
        audit_broken(&crowd->tally.verdict, AUDIT_IDENTITY, "%s was told of a message of user %llu",
                     end->phone.user->name, (unsigned long long)event->sent->id->user_id);
    } else if (audit_answered(&end->line, event->ref, event->sent->id->number,
                              event->sent->chat_number, &due_ns)) {
        tally_delay(&crowd->tally, TALLY_TO_ANSWER, due_ns, now_ns);
        tally_add(&crowd->tally, TALLY_ANSWERED, 1);
    }
}

struct ticking {
    struct tally *tally;
    uint64_t now_ns;
};

static void
delivered(void *context, uint64_t due_ns)
{
    const struct ticking *ticking = context;
    tally_delay(ticking->tally, TALLY_TO_TICK, due_ns, ticking->now_ns);
    tally_add(ticking->tally, TALLY_DELIVERED, 1);
}

static void
ticked(struct pair *pair, struct end *end, const Linnet__V1__Receipts *receipts, uint64_t now_ns)
{
    if (receipts->reader_user_id != other(pair, end)->user) {
        return; /* another device of the same user, or a chat of an earlier run */
    }
    struct ticking ticking = {.tally = &pair->crowd->tally, .now_ns = now_ns};
    audit_ticked(&end->line, receipts->delivered, receipts->read, delivered, &ticking);
}

static void
refused(struct pair *pair, struct end *end, const struct client_event *event)
{
    struct crowd *crowd = pair->crowd;
    bool letter = event->number != 0;
    if (client_state(&end->phone.client) != CLIENT_READY) {
        return; /* the login: what becomes of it is told by the close that follows */
    }
    if (event->final && letter) {
        audit_refused(&end->line, event->ref, event->error->text);
    } else if (event->final) {
        audit_broken(&crowd->tally.verdict, AUDIT_REFUSED, "%s: an acknowledgement was refused: %s",
                     end->phone.user->name, event->error->text);
    } else if (letter) {
        audit_put_off(&end->line, event->ref);
        tally_add(&crowd->tally, TALLY_PUT_OFF, 1);
        resend_after(event->error->retry_after_ms, event->number, end->phone.end);
    } else {
        /* An ack or a mark: both are cumulative, and said again. */
        tally_add(&crowd->tally, TALLY_PUT_OFF, 1);
        resend_after(event->error->retry_after_ms, 0, end->phone.end);
    }
}

/* ---------------------------------------------------------------------------------- connections */

static void
welcomed(struct pair *pair, struct end *end, const Linnet__V1__Welcome *welcome)
{
    bool first = end->user == 0;
    end->user = welcome->user_id;
    /* A mark is not kept over a cut: it is made again. */
    end->marked_chat = 0;
    if (first && other(pair, end)->user != 0) {
        crowd_tell(pair->crowd, CROWD_READY);
    }
}

static void
closed(struct pair *pair, struct end *end, const struct client_event *event)
{
    if (!event->by_peer && event->code != PROTOCOL_CLOSE_NORMAL) {
        audit_broken(&pair->crowd->tally.verdict, AUDIT_NONSENSE, "%s: %s", end->phone.user->name,
                     event->text);
    }
    if (phone_may_return(&end->phone, event)) {
        phone_cut(&end->phone);
    }
}

/* --------------------------------------------------------------------------------------- events */

static void
happened(struct pair *pair, struct end *end, const struct client_event *event, uint64_t now_ns)
{
    switch (event->kind) {
    case CLIENT_WELCOME:
        welcomed(pair, end, event->welcome);
        break;
    case CLIENT_MESSAGE:
        end->to_acknowledge = event->message->inbox_number;
        if (event->message->sender->user_id != end->user) {
            shown(pair, end, event->message, now_ns);
        }
        break;
    case CLIENT_DUPLICATE:
        end->to_acknowledge = event->message->inbox_number;
        tally_add(&pair->crowd->tally, TALLY_HIDDEN, 1);
        break;
    case CLIENT_RECEIPTS:
        end->to_acknowledge = event->receipts->inbox_number;
        ticked(pair, end, event->receipts, now_ns);
        break;
    case CLIENT_SENT:
        answered(pair, end, event, now_ns);
        break;
    case CLIENT_REFUSED:
        refused(pair, end, event);
        break;
    case CLIENT_RESYNC:
        end->to_acknowledge = event->resync->inbox_number;
        audit_broken(&pair->crowd->tally.verdict, AUDIT_LOST, "%s: the node gave its inbox up",
                     end->phone.user->name);
        break;
    case CLIENT_CLOSED:
        closed(pair, end, event);
        break;
    case CLIENT_DONE:
    case CLIENT_PONG:
        break;
    }
}

static uint64_t
through(const struct pair *pair)
{
    return pair->ends[0].line.first + pair->ends[1].line.first;
}

static bool
quiet(const struct pair *pair)
{
    for (unsigned i = 0; i < ENDS; i++) {
        if (!audit_quiet(&pair->ends[i].line) || pair->ends[i].backlog.count > 0) {
            return false;
        }
    }
    return pair->stopped;
}

static void
quiet_tell(struct pair *pair)
{
    if (!pair->quiet_told && quiet(pair)) {
        pair->quiet_told = true;
        crowd_tell(pair->crowd, CROWD_QUIET);
    }
}

/* After all that a read of the socket brought. */
static void
received(struct pair *pair, struct end *end, const struct ln_socket_event *data)
{
    struct crowd *crowd = pair->crowd;
    struct client_input input = {data->data, data->bytes};
    struct client_event event;
    uint64_t now_ns = crowd_now_ns();
    uint64_t through_before = through(pair);
    while (end->phone.socket == data->socket && phone_next(&end->phone, &input, &event)) {
        happened(pair, end, &event, now_ns);
    }
    uint64_t count = through(pair) - through_before;
    tally_add(&crowd->tally, TALLY_THROUGH, count);
    tally_add(&crowd->tally, TALLY_MEASURED, tally_measures(&crowd->tally, now_ns) ? count : 0);
    end_acknowledge(pair, end);
    end_write(pair, end, now_ns);
    phone_flush(&end->phone);
    quiet_tell(pair);
}

static struct end *
end_of_socket(struct pair *pair, const struct ln_socket *socket)
{
    for (unsigned i = 0; i < ENDS; i++) {
        if (pair->ends[i].phone.socket == socket) {
            return &pair->ends[i];
        }
    }
    return NULL;
}

static void
socket_event(struct pair *pair, struct ln_msg *msg)
{
    const struct ln_socket_event *event = ln_socket_event(msg);
    struct end *end = end_of_socket(pair, event->socket);
    if (end == NULL) {
        return;
    }
    if (msg->tag == LN_TAG_DATA) {
        received(pair, end, event);
    } else if (msg->tag == LN_TAG_CLOSED) {
        phone_cut(&end->phone);
    }
}

/* ------------------------------------------------------------------------------------ conductor */

static void
go(struct pair *pair, const struct ln_msg *msg)
{
    crowd_go(pair->crowd, msg);
    if (((const struct crowd_go *)(const void *)msg->data)->writes == 0) {
        return;
    }
    pair->writing = true;
    pair->stopped = false;
    pair->quiet_told = false;
    uint64_t now_ns = crowd_now_ns();
    for (unsigned i = 0; i < ENDS; i++) {
        end_write(pair, &pair->ends[i], now_ns);
        phone_flush(&pair->ends[i].phone);
    }
}

static void
stop(struct pair *pair)
{
    pair->writing = false;
    pair->stopped = true;
    quiet_tell(pair);
}

static void
leave(struct pair *pair)
{
    for (unsigned i = 0; i < ENDS; i++) {
        phone_close(&pair->ends[i].phone);
    }
    ln_stop(LN_EXIT_NORMAL, "finished");
}

/* What is open now stays open. An end that is not there can't be asked: then nothing is known. */
static void
finish(struct pair *pair)
{
    for (unsigned i = 0; i < ENDS; i++) {
        struct end *end = &pair->ends[i];
        if (!quiet(pair) && client_state(&end->phone.client) != CLIENT_READY) {
            crowd_fail(pair->crowd,
                       "%s was not connected at the end: what it had not been told "
                       "can't be judged",
                       end->phone.user->name);
            ln_stop(LN_EXIT_NORMAL, "not connected");
            return;
        }
    }
    for (unsigned i = 0; i < ENDS; i++) {
        audit_rest(&pair->ends[i].line);
    }
    leave(pair);
}

static void
resend(struct pair *pair, const struct crowd_resend *again)
{
    struct end *end = &pair->ends[again->end];
    if (again->number != 0) {
        /* -ENOENT: a new connection has sent it meanwhile. */
        (void)!client_resend(&end->phone.client, again->number);
    } else if (end->phone.socket != NULL) {
        /* The client has said its ack, and does not say it again on this connection. */
        phone_cut(&end->phone);
    }
    phone_flush(&end->phone);
}

/* -------------------------------------------------------------------------------- the behaviour */

static int
pair_init(void *state, const void *argument)
{
    struct pair *pair = state;
    const struct crowd_place *place = argument;
    struct crowd *crowd = place->crowd;
    pair->crowd = crowd;
    pair->index = crowd->actors_first + place->index;
    for (unsigned i = 0; i < ENDS; i++) {
        struct end *end = &pair->ends[i];
        const struct user *user = &crowd->users->list[ENDS * place->index + i];
        const struct user *peer = &crowd->users->list[ENDS * place->index + 1 - i];
        phone_init(&end->phone, crowd, ENDS * place->index + i, i);
        audit_init(&end->line, &crowd->tally.verdict, user->name, peer->name, crowd->options->read,
                   crowd->users->fresh);
        if (crowd->options->rate_per_s > 0) {
            end->backlog.due_ns = ln_alloc(BACKLOG_MAX * sizeof *end->backlog.due_ns);
        }
        crowd_call_after(0, i);
    }
    return 0;
}

static void
pair_handle(void *state, struct ln_msg **msg)
{
    struct pair *pair = state;
    const void *data = (*msg)->data;
    const struct crowd_call *call = data;
    if (((*msg)->flags & LN_MSG_REFUSED) != 0) {
        return;
    }
    switch ((*msg)->tag) {
    case CROWD_WRITE:
        due(pair, data);
        break;
    case CROWD_CALL:
        phone_call(&pair->ends[call->end].phone);
        break;
    case CROWD_RESEND:
        resend(pair, data);
        break;
    case CROWD_GO:
        go(pair, *msg);
        break;
    case CROWD_STOP:
        stop(pair);
        break;
    case CROWD_FINISH:
        finish(pair);
        break;
    case CROWD_ABANDON:
        leave(pair);
        break;
    default:
        socket_event(pair, *msg);
    }
}

static void
pair_terminate(void *state, const struct ln_reason *reason)
{
    struct pair *pair = state;
    (void)reason;
    for (unsigned i = 0; i < ENDS; i++) {
        phone_fini(&pair->ends[i].phone);
    }
}

const struct ln_behaviour pair_behaviour = {
    .name = "pair",
    .state_bytes = sizeof(struct pair),
    .init = pair_init,
    .handle = pair_handle,
    .terminate = pair_terminate,
};
