/* SPDX-License-Identifier: Apache-2.0 */
/* A letter's ref is its line's place and its sequence. Numbers of lines in letters count over all
 * circles: shape.line_first + place. */
#include "bench/circle.h"

#include "bench/mail.h"

#include <errno.h>
#include <string.h>

enum {
    RESEND_MS_MIN = 10,
    RESEND_MS_MAX = 5000,
    REF_SEQUENCE_BITS = 40,
};

static uint64_t
ref_of(const struct circle *circle, const struct line *line, uint64_t sequence)
{
    return (uint64_t)(line - circle->lines) << REF_SEQUENCE_BITS | sequence;
}

/* NULL: it is no letter's. */
static struct line *
ref_line(const struct circle *circle, uint64_t ref, uint64_t *out_sequence)
{
    uint64_t place = ref >> REF_SEQUENCE_BITS;
    *out_sequence = ref & (((uint64_t)1 << REF_SEQUENCE_BITS) - 1);
    return place < circle->shape.lines ? &circle->lines[place] : NULL;
}

/* The line on which `reader` is written to by that user, or NULL. */
static struct line *
line_to(const struct circle *circle, const struct end *reader, uint64_t user)
{
    for (uint32_t i = 0; i < circle->shape.lines; i++) {
        struct line *line = &circle->lines[i];
        if (line->reader == reader && line->writer->user == user) {
            return line;
        }
    }
    return NULL;
}

/* The line on which `writer` writes to that user, or NULL. */
static struct line *
line_from(const struct circle *circle, const struct end *writer, uint64_t user)
{
    for (uint32_t i = 0; i < circle->shape.lines; i++) {
        struct line *line = &circle->lines[i];
        if (line->writer == writer && line->reader->user == user) {
            return line;
        }
    }
    return NULL;
}

/* -------------------------------------------------------------------------------------- writing */

bool
circle_has_room(const struct circle *circle, const struct line *line)
{
    return client_unanswered(&line->writer->phone.client) < circle->crowd->options->window &&
           audit_has_room(&line->audit);
}

bool
circle_send(struct circle *circle, struct line *line, uint64_t due_ns)
{
    struct crowd *crowd = circle->crowd;
    struct end *writer = line->writer;
    uint64_t sequence = audit_next(&line->audit);
    struct mail mail = {.line = circle->shape.line_first + (uint32_t)(line - circle->lines),
                        .sequence = sequence};
    Linnet__V1__Chat chat;
    uint64_t number = 0;
    mail_chat(line->reader->user, &chat);
    if (!mail_write(&writer->phone, &mail, &chat, due_ns, ref_of(circle, line, sequence),
                    &number)) {
        return false;
    }
    audit_write(&line->audit, number, due_ns);
    tally_add(&crowd->tally, TALLY_WRITTEN, 1);
    return true;
}

/* -------------------------------------------------------------------------------------- reading */

void
circle_resend_after(uint64_t delay_ms, uint64_t number, uint32_t end)
{
    delay_ms = delay_ms < RESEND_MS_MIN ? RESEND_MS_MIN : delay_ms;
    delay_ms = delay_ms > RESEND_MS_MAX ? RESEND_MS_MAX : delay_ms;
    struct ln_msg *msg = ln_msg_new(CROWD_RESEND, LN_REPLY, sizeof(struct crowd_resend));
    *(struct crowd_resend *)(void *)msg->data = (struct crowd_resend){number, end};
    (void)ln_send_after(delay_ms, ln_self(), &msg);
}

static void
line_mark_read(struct line *line)
{
    Linnet__V1__Chat chat;
    mail_chat(line->writer->user, &chat);
    /* -EAGAIN or -ENOTCONN: it is said at the next occasion. */
    if (client_mark_read(&line->reader->phone.client, &chat, line->shown_chat, 0) == 0) {
        line->marked_chat = line->shown_chat;
        audit_marked(&line->audit);
    }
}

/* Tells the node what has been stored and read; once for everything so far. */
static void
end_acknowledge(struct circle *circle, struct end *end)
{
    struct client *client = &end->phone.client;
    bool more = end->to_acknowledge > client_acknowledged(client);
    if (more) {
        int error = client_ack(client, end->to_acknowledge);
        ASSERT(error == 0);
    }
    for (uint32_t i = 0; i < circle->shape.lines; i++) {
        struct line *line = &circle->lines[i];
        if (line->reader != end) {
            continue;
        }
        if (more) {
            audit_acknowledged(&line->audit);
        }
        if (circle->crowd->options->read && line->shown_chat > line->marked_chat) {
            line_mark_read(line);
        }
    }
}

/* A message that is no letter of this run. */
static void
foreign(struct circle *circle, const struct end *end, const Linnet__V1__NewMessage *message)
{
    struct crowd *crowd = circle->crowd;
    if (crowd->users->fresh) {
        audit_broken(&crowd->tally.verdict, AUDIT_CHANGED,
                     "%s was shown what nobody wrote, from user %llu", end->phone.user->name,
                     (unsigned long long)message->sender->user_id);
        return;
    }
    tally_add(&crowd->tally, TALLY_FOREIGN, 1);
}

/* How long a letter took that its reader is shown now: from when it was due; or, when its reader
 * was away then, from when the reader came back. What its writer took away with him is his own. */
static void
shown_delay(struct crowd *crowd, const struct line *line, uint64_t due_ns, uint64_t now_ns)
{
    uint64_t returned_ns = line->reader->phone.returned_ns;
    if (due_ns < returned_ns) {
        tally_delay(&crowd->tally, TALLY_RETURN_TO_SHOWN, returned_ns, now_ns);
    } else if (due_ns >= line->writer->phone.returned_ns) {
        tally_delay(&crowd->tally, TALLY_TO_SHOWN, due_ns, now_ns);
    }
}

static void
shown(struct circle *circle, struct end *end, const Linnet__V1__NewMessage *message,
      uint64_t now_ns)
{
    struct crowd *crowd = circle->crowd;
    struct line *line = line_to(circle, end, message->sender->user_id);
    struct letter letter;
    enum letter_verdict verdict = mail_read(&end->phone, message, &letter);
    if (verdict == LETTER_FOREIGN) {
        foreign(circle, end, message);
        return;
    }
    if (verdict == LETTER_DAMAGED || line == NULL ||
        letter.line != circle->shape.line_first + (uint32_t)(line - circle->lines)) {
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
    if (audit_shown(&line->audit, &told)) {
        shown_delay(crowd, line, told.due_ns, now_ns);
    }
    tally_add(&crowd->tally, TALLY_SHOWN, 1);
    line->shown_chat = line->shown_chat > told.chat_number ? line->shown_chat : told.chat_number;
}

/* ---------------------------------------------------------------------------- answers and ticks */

static void
answered(struct circle *circle, struct end *end, const struct client_event *event, uint64_t now_ns)
{
    struct crowd *crowd = circle->crowd;
    uint64_t due_ns = 0;
    uint64_t sequence = 0;
    struct line *line = ref_line(circle, event->ref, &sequence);
    if (line == NULL || event->sent->id->user_id != end->user) {
        audit_broken(&crowd->tally.verdict, AUDIT_IDENTITY, "%s was told of a message of user %llu",
                     end->phone.user->name, (unsigned long long)event->sent->id->user_id);
    } else if (audit_answered(&line->audit, sequence, event->sent->id->number,
                              event->sent->chat_number, &due_ns)) {
        /* What was under way when its writer left is answered on its return: that is its own. */
        if (due_ns >= end->phone.returned_ns) {
            tally_delay(&crowd->tally, TALLY_TO_ANSWER, due_ns, now_ns);
        }
        tally_add(&crowd->tally, TALLY_ANSWERED, 1);
    }
}

struct ticking {
    struct tally *tally;
    uint64_t now_ns;
    uint64_t since_ns; /* both ends have been there since */
};

static void
delivered(void *context, uint64_t due_ns)
{
    const struct ticking *ticking = context;
    if (due_ns >= ticking->since_ns) {
        tally_delay(ticking->tally, TALLY_TO_TICK, due_ns, ticking->now_ns);
    }
    tally_add(ticking->tally, TALLY_DELIVERED, 1);
}

static void
ticked(struct circle *circle, struct end *end, const Linnet__V1__Receipts *receipts,
       uint64_t now_ns)
{
    struct line *line = line_from(circle, end, receipts->reader_user_id);
    if (line == NULL) {
        return; /* another device of the same user, or a chat of an earlier run */
    }
    uint64_t writer_ns = line->writer->phone.returned_ns;
    uint64_t reader_ns = line->reader->phone.returned_ns;
    struct ticking ticking = {.tally = &circle->crowd->tally,
                              .now_ns = now_ns,
                              .since_ns = writer_ns > reader_ns ? writer_ns : reader_ns};
    audit_ticked(&line->audit, receipts->delivered, receipts->read, delivered, &ticking);
}

static void
refused(struct circle *circle, struct end *end, const struct client_event *event)
{
    struct crowd *crowd = circle->crowd;
    uint64_t sequence = 0;
    struct line *line = event->number != 0 ? ref_line(circle, event->ref, &sequence) : NULL;
    if (client_state(&end->phone.client) != CLIENT_READY) {
        return; /* the login: what becomes of it is told by the close that follows */
    }
    if (event->final && line != NULL) {
        audit_refused(&line->audit, sequence, event->error->text);
    } else if (event->final) {
        audit_broken(&crowd->tally.verdict, AUDIT_REFUSED, "%s: an acknowledgement was refused: %s",
                     end->phone.user->name, event->error->text);
    } else if (line != NULL) {
        audit_put_off(&line->audit, sequence);
        tally_add(&crowd->tally, TALLY_PUT_OFF, 1);
        circle_resend_after(event->error->retry_after_ms, event->number, end->phone.end);
    } else {
        /* An ack or a mark: both are cumulative, and said again. */
        tally_add(&crowd->tally, TALLY_PUT_OFF, 1);
        circle_resend_after(event->error->retry_after_ms, 0, end->phone.end);
    }
}

/* ---------------------------------------------------------------------------------- connections */

static void
welcomed(struct circle *circle, struct end *end, const Linnet__V1__Welcome *welcome)
{
    bool first = end->user == 0;
    end->user = welcome->user_id;
    end->beat_at_ns = 0;
    /* A mark is not kept over a cut: it is made again. */
    for (uint32_t i = 0; i < circle->shape.lines; i++) {
        if (circle->lines[i].reader == end) {
            circle->lines[i].marked_chat = 0;
        }
    }
    if (circle->shape.welcomed != NULL) {
        circle->shape.welcomed(circle, end);
    }
    if (first && --circle->unknown == 0) {
        if (circle->shape.met != NULL) {
            circle->shape.met(circle);
        } else {
            crowd_tell(circle->crowd, CROWD_READY);
        }
    }
}

static void
closed(struct circle *circle, struct end *end, const struct client_event *event)
{
    if (!event->by_peer && event->code != PROTOCOL_CLOSE_NORMAL) {
        audit_broken(&circle->crowd->tally.verdict, AUDIT_NONSENSE, "%s: %s", end->phone.user->name,
                     event->text);
    }
    if (phone_may_return(&end->phone, event)) {
        phone_cut(&end->phone);
    }
}

/* --------------------------------------------------------------------------------------- events */

static void
happened(struct circle *circle, struct end *end, const struct client_event *event, uint64_t now_ns)
{
    if (circle->shape.taken != NULL && circle->shape.taken(circle, end, event, now_ns)) {
        return;
    }
    switch (event->kind) {
    case CLIENT_WELCOME:
        welcomed(circle, end, event->welcome);
        break;
    case CLIENT_MESSAGE:
        end->to_acknowledge = event->message->inbox_number;
        if (event->message->sender->user_id != end->user) {
            shown(circle, end, event->message, now_ns);
        }
        break;
    case CLIENT_DUPLICATE:
        end->to_acknowledge = event->message->inbox_number;
        tally_add(&circle->crowd->tally, TALLY_HIDDEN, 1);
        break;
    case CLIENT_CHANGED:
        end->to_acknowledge = event->changed->inbox_number;
        break;
    case CLIENT_RECEIPTS:
        end->to_acknowledge = event->receipts->inbox_number;
        ticked(circle, end, event->receipts, now_ns);
        break;
    case CLIENT_SENT:
        answered(circle, end, event, now_ns);
        break;
    case CLIENT_REFUSED:
        refused(circle, end, event);
        break;
    case CLIENT_RESYNC:
        end->to_acknowledge = event->resync->inbox_number;
        audit_broken(&circle->crowd->tally.verdict, AUDIT_LOST, "%s: the node gave its inbox up",
                     end->phone.user->name);
        break;
    case CLIENT_CLOSED:
        closed(circle, end, event);
        break;
    case CLIENT_PONG:
        if (end->beat_at_ns != 0) {
            tally_delay(&circle->crowd->tally, TALLY_BEAT, end->beat_at_ns, now_ns);
            end->beat_at_ns = 0;
        }
        break;
    case CLIENT_DONE:
    case CLIENT_UPDATE:
    case CLIENT_GROUP_RECEIPTS:
    case CLIENT_GAP:
    case CLIENT_ANSWERED:
        break;
    }
}

static uint64_t
through(const struct circle *circle)
{
    uint64_t count = circle->shape.through != NULL ? circle->shape.through(circle) : 0;
    for (uint32_t i = 0; i < circle->shape.lines; i++) {
        count += circle->lines[i].audit.first;
    }
    return count;
}

bool
circle_quiet(const struct circle *circle)
{
    for (uint32_t i = 0; i < circle->shape.lines; i++) {
        if (!audit_quiet(&circle->lines[i].audit)) {
            return false;
        }
    }
    bool quiet = circle->shape.quiet == NULL || circle->shape.quiet(circle);
    return circle->stopped && circle->waiting == 0 && quiet;
}

void
circle_quiet_tell(struct circle *circle)
{
    if (!circle->quiet_told && circle_quiet(circle)) {
        circle->quiet_told = true;
        crowd_tell(circle->crowd, CROWD_QUIET);
    }
}

/* After all that a read of the socket brought. */
static void
received(struct circle *circle, struct end *end, const struct ln_socket_event *data)
{
    struct crowd *crowd = circle->crowd;
    struct client_input input = {data->data, data->bytes};
    struct client_event event;
    uint64_t now_ns = crowd_now_ns();
    uint64_t through_before = through(circle);
    while (end->phone.socket == data->socket && phone_next(&end->phone, &input, &event)) {
        happened(circle, end, &event, now_ns);
    }
    uint64_t count = through(circle) - through_before;
    tally_add(&crowd->tally, TALLY_THROUGH, count);
    tally_add(&crowd->tally, TALLY_MEASURED, tally_measures(&crowd->tally, now_ns) ? count : 0);
    end_acknowledge(circle, end);
    circle->shape.moved(circle, end, now_ns);
    phone_flush(&end->phone);
    circle_quiet_tell(circle);
}

static void
socket_event(struct circle *circle, struct ln_msg *msg)
{
    const struct ln_socket_event *event = ln_socket_event(msg);
    for (uint32_t i = 0; i < circle->shape.ends; i++) {
        struct end *end = &circle->ends[i];
        if (end->phone.socket != event->socket) {
            continue;
        }
        if (msg->tag == LN_TAG_DATA) {
            received(circle, end, event);
        } else if (msg->tag == LN_TAG_CLOSED) {
            phone_cut(&end->phone);
        }
        return;
    }
}

/* -------------------------------------------------------------------------------------- the end */

static void
leave(struct circle *circle)
{
    for (uint32_t i = 0; i < circle->shape.ends; i++) {
        phone_close(&circle->ends[i].phone);
    }
    ln_stop(LN_EXIT_NORMAL, "finished");
}

/* What is open now stays open. Where an end is not there it can't be judged: nothing is known of
 * what that one had not been told. */
static void
finish(struct circle *circle)
{
    for (uint32_t i = 0; i < circle->shape.ends && !circle_quiet(circle); i++) {
        const struct phone *phone = &circle->ends[i].phone;
        if (client_state(&phone->client) != CLIENT_READY) {
            crowd_fail(circle->crowd,
                       "%s was not connected at the end: what it had not been told can't be judged",
                       phone->user->name);
            ln_stop(LN_EXIT_NORMAL, "not connected");
            return;
        }
    }
    for (uint32_t i = 0; i < circle->shape.lines; i++) {
        audit_rest(&circle->lines[i].audit);
    }
    if (circle->shape.rest != NULL) {
        circle->shape.rest(circle);
    }
    leave(circle);
}

static void
resend(struct circle *circle, const struct crowd_resend *again)
{
    struct end *end = &circle->ends[again->end];
    if (again->number != 0) {
        /* -ENOENT: a new connection has sent it meanwhile. */
        (void)!client_resend(&end->phone.client, again->number);
    } else if (end->phone.socket != NULL) {
        /* The client has said its ack, and does not say it again on this connection. */
        phone_cut(&end->phone);
    }
    phone_flush(&end->phone);
}

void
circle_handle(struct circle *circle, struct ln_msg *msg)
{
    const void *data = msg->data;
    const struct crowd_call *call = data;
    switch (msg->tag) {
    case CROWD_CALL:
        phone_call(&circle->ends[call->end].phone);
        break;
    case CROWD_RESEND:
        resend(circle, data);
        break;
    case CROWD_FINISH:
        finish(circle);
        break;
    case CROWD_ABANDON:
        leave(circle);
        break;
    default:
        socket_event(circle, msg);
    }
}

/* ----------------------------------------------------------------------------------------- life */

static void
line_init(struct circle *circle, uint32_t place)
{
    struct crowd *crowd = circle->crowd;
    struct line *line = &circle->lines[place];
    uint32_t writer = 0;
    uint32_t reader = 0;
    circle->shape.join(place, &writer, &reader);
    line->writer = &circle->ends[writer];
    line->reader = &circle->ends[reader];
    struct audit_line judged = {
        .writer = line->writer->phone.user->name,
        .reader = line->reader->phone.user->name,
        .reads = crowd->options->read,
        .fresh = crowd->users->fresh,
        .open = ln_alloc(circle->shape.open_max * sizeof(struct audit_letter)),
        .open_max = circle->shape.open_max,
    };
    audit_init(&line->audit, &crowd->tally.verdict, &judged);
}

void
circle_init(struct circle *circle, const struct crowd_place *place,
            const struct circle_shape *shape)
{
    *circle = (struct circle){.crowd = place->crowd,
                              .shape = *shape,
                              .ends = ln_alloc(shape->ends * sizeof *circle->ends),
                              .lines = ln_alloc(shape->lines * sizeof *circle->lines),
                              .unknown = shape->ends};
    for (uint32_t i = 0; i < shape->ends; i++) {
        phone_init(&circle->ends[i].phone, place->crowd, shape->user_first + i, i);
        crowd_call_after(0, i);
    }
    for (uint32_t i = 0; i < shape->lines; i++) {
        line_init(circle, i);
    }
}

void
circle_fini(struct circle *circle)
{
    for (uint32_t i = 0; circle->ends != NULL && i < circle->shape.ends; i++) {
        phone_fini(&circle->ends[i].phone);
    }
}
