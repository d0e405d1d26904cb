/* SPDX-License-Identifier: Apache-2.0 */
/* A letter's ref is its sequence in the room; its line is the room. What a member was not shown
 * between two letters he wrote himself, or it is lost: which of the two his sums tell at the end,
 * since an answer may come behind what others wrote later. */
#include "bench/room.h"

#include "bench/gather.h"
#include "bench/mail.h"
#include "bench/phone.h"

#include <errno.h>
#include <string.h>

enum {
    OPEN_MAX = PROTOCOL_COMMAND_WINDOW,
    RESEND_MS_MIN = 10,
    RESEND_MS_MAX = 5000,
};

/* Of a command that is no letter. */
static const uint64_t create_ref = (uint64_t)1 << 52;

/* One that is not through. */
struct open_letter {
    uint64_t due_ns;
    uint64_t number;      /* the command's, at its writer's device */
    uint64_t chat_number; /* 0: nobody was told yet */
    uint32_t writer;
    uint32_t shown; /* to so many */
    bool answered;
};

struct member {
    struct phone phone;
    uint64_t user; /* 0: not welcomed yet */
    uint64_t to_acknowledge;
    uint64_t shown_chat; /* the highest number that he was shown */
    uint64_t acked_chat; /* and acknowledged */
    uint64_t marked_chat;
    uint64_t shown;   /* letters */
    uint64_t unacked; /* of them */
    uint64_t written; /* and accepted */
    bool joined;      /* has been told of the group */
};

struct room {
    struct crowd *crowd;
    struct member *members;
    struct ln_socket **sockets; /* theirs, as they were when last looked up */
    uint32_t count;
    uint32_t unknown, unjoined;
    uint32_t line;
    uint64_t group;
    uint64_t first, next; /* sequences: the open letters are first .. next-1 */
    uint64_t last_chat;   /* the highest number that anybody was told */
    uint32_t last_writer; /* who wrote that one */
    bool last_ticked;     /* he has been told that all have it */
    bool writing, stopped, quiet_told;
    struct open_letter open[OPEN_MAX];
};

static struct audit_verdict *
verdict_of(const struct room *room)
{
    return &room->crowd->tally.verdict;
}

static const char *
name_of(const struct member *member)
{
    return member->phone.user->name;
}

/* NULL: it is through, or was never written. */
static struct open_letter *
open_at(struct room *room, uint64_t sequence)
{
    return sequence >= room->first && sequence < room->next ? &room->open[sequence % OPEN_MAX]
                                                            : NULL;
}

/* ------------------------------------------------------------------------------------ the group */

static void
group_make(struct room *room)
{
    uint32_t others = room->count - 1;
    uint64_t *users = ln_alloc(others * sizeof *users);
    for (uint32_t i = 0; i < others; i++) {
        users[i] = room->members[i + 1].user;
    }
    (void)gather_ask(&room->members[0].phone, users, others, create_ref);
    ln_free(users);
}

static void
updated(struct room *room, struct member *member, const Linnet__V1__ChatUpdate *update)
{
    member->to_acknowledge = update->inbox_number;
    if (gather_made(update, room->members[0].user, room->group) && !member->joined) {
        member->joined = true;
        room->group = update->chat->group_id;
        if (--room->unjoined == 0) {
            crowd_tell(room->crowd, CROWD_READY);
        }
    }
}

/* -------------------------------------------------------------------------------------- writing */

static bool
write_one(struct room *room, uint64_t now_ns)
{
    struct crowd *crowd = room->crowd;
    uint64_t sequence = room->next;
    uint32_t writer = (uint32_t)(sequence % room->count);
    struct phone *phone = &room->members[writer].phone;
    struct mail mail = {.line = room->line, .sequence = sequence};
    Linnet__V1__Chat chat;
    uint64_t number = 0;
    gather_chat(room->group, &chat);
    if (!mail_write(phone, &mail, &chat, now_ns, sequence, &number)) {
        return false;
    }
    room->open[sequence % OPEN_MAX] =
        (struct open_letter){.due_ns = now_ns, .number = number, .writer = writer};
    room->next++;
    tally_add(&crowd->tally, TALLY_WRITTEN, 1);
    phone_flush(phone);
    return true;
}

static void
write_on(struct room *room, uint64_t now_ns)
{
    while (room->writing && room->next - room->first < room->crowd->options->window &&
           write_one(room, now_ns)) {
    }
}

/* Those at the front whose writer was answered and that all others have. */
static void
close_front(struct room *room)
{
    while (room->first < room->next) {
        const struct open_letter *letter = &room->open[room->first % OPEN_MAX];
        if (!letter->answered || letter->shown < room->count - 1) {
            return;
        }
        room->first++;
    }
}

static bool
quiet(const struct room *room)
{
    return room->stopped && room->first == room->next &&
           (room->last_chat == 0 || room->last_ticked);
}

static void
quiet_tell(struct room *room)
{
    if (!room->quiet_told && quiet(room)) {
        room->quiet_told = true;
        crowd_tell(room->crowd, CROWD_QUIET);
    }
}

/* -------------------------------------------------------------------------------------- reading */

/* What anybody is told of a letter's number, all are told alike. */
static void
number_note(struct room *room, struct open_letter *letter, uint64_t chat_number)
{
    if (letter->chat_number == 0) {
        letter->chat_number = chat_number;
    } else if (letter->chat_number != chat_number) {
        audit_broken(verdict_of(room), AUDIT_IDENTITY, "one letter is %llu and %llu in its group",
                     (unsigned long long)letter->chat_number, (unsigned long long)chat_number);
    }
    if (chat_number > room->last_chat) {
        room->last_chat = chat_number;
        room->last_writer = letter->writer;
        room->last_ticked = false;
    }
}

/* Whether it is as it was written, and by whom; NULL: a promise was broken. */
static struct open_letter *
letter_judge(struct room *room, const struct member *member, const Linnet__V1__NewMessage *message,
             const struct letter *letter)
{
    struct open_letter *open = open_at(room, letter->sequence);
    if (open == NULL || message->chat_number <= member->shown_chat) {
        bool again = message->chat_number == member->shown_chat || open == NULL;
        audit_broken(verdict_of(room), again ? AUDIT_DUPLICATE : AUDIT_ORDER,
                     "%s was shown %llu behind %llu", name_of(member),
                     (unsigned long long)message->chat_number,
                     (unsigned long long)member->shown_chat);
        return NULL;
    }
    if (room->members[open->writer].user != message->sender->user_id ||
        message->id->number != open->number) {
        audit_broken(verdict_of(room), AUDIT_IDENTITY, "%s was shown a letter of somebody else",
                     name_of(member));
        return NULL;
    }
    return open;
}

static void
shown(struct room *room, struct member *member, const Linnet__V1__NewMessage *message,
      uint64_t now_ns)
{
    struct tally *tally = &room->crowd->tally;
    struct letter letter = {0};
    member->to_acknowledge = message->inbox_number;
    enum letter_verdict verdict = mail_read(&member->phone, message, &letter);
    if (verdict == LETTER_FOREIGN && !room->crowd->users->fresh) {
        tally_add(tally, TALLY_FOREIGN, 1);
        return;
    }
    if (verdict != LETTER_OK || letter.line != room->line ||
        message->chat->group_id != room->group) {
        audit_broken(verdict_of(room), AUDIT_CHANGED, "%s was shown what nobody wrote so",
                     name_of(member));
        return;
    }
    struct open_letter *open = letter_judge(room, member, message, &letter);
    if (open == NULL) {
        return;
    }
    number_note(room, open, message->chat_number);
    open->shown++;
    member->shown_chat = message->chat_number;
    member->shown++;
    member->unacked++;
    tally_delay(tally, TALLY_TO_SHOWN, open->due_ns, now_ns);
    tally_add(tally, TALLY_SHOWN, 1);
}

static void
answered(struct room *room, struct member *member, const struct client_event *event,
         uint64_t now_ns)
{
    struct open_letter *open = open_at(room, event->ref);
    uint32_t place = (uint32_t)(member - room->members);
    if (open == NULL || open->answered || open->writer != place ||
        event->sent->id->number != open->number) {
        audit_broken(verdict_of(room), AUDIT_ANSWERED_TWICE, "%s was told of another's letter",
                     name_of(member));
        return;
    }
    open->answered = true;
    member->written++;
    number_note(room, open, event->sent->chat_number);
    tally_delay(&room->crowd->tally, TALLY_TO_ANSWER, open->due_ns, now_ns);
    tally_add(&room->crowd->tally, TALLY_ANSWERED, 1);
}

/* How many of the others have acknowledged what has this number. */
static uint32_t
have(const struct room *room, const struct member *writer, uint64_t chat_number)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < room->count; i++) {
        const struct member *member = &room->members[i];
        count += member != writer && member->acked_chat >= chat_number;
    }
    return count;
}

static void
counted(struct room *room, struct member *member, const Linnet__V1__GroupReceipts *receipts)
{
    member->to_acknowledge = receipts->inbox_number;
    bool last_mine = &room->members[room->last_writer] == member;
    for (size_t i = 0; i < receipts->n_counts; i++) {
        const Linnet__V1__MessageCount *count = receipts->counts[i];
        if (count->delivered > have(room, member, count->chat_number)) {
            audit_broken(verdict_of(room), AUDIT_TICK_EARLY, "%s was told that %u have %llu",
                         name_of(member), count->delivered, (unsigned long long)count->chat_number);
        }
        if (count->read > count->delivered) {
            audit_broken(verdict_of(room), AUDIT_READ_AHEAD, "%s was told that %u have read %llu",
                         name_of(member), count->read, (unsigned long long)count->chat_number);
        }
        room->last_ticked =
            room->last_ticked || (last_mine && count->chat_number == room->last_chat &&
                                  count->delivered == room->count - 1);
    }
    room->last_ticked =
        room->last_ticked || (last_mine && receipts->delivered_all >= room->last_chat);
    tally_add(&room->crowd->tally, TALLY_DELIVERED, receipts->n_counts);
}

/* ----------------------------------------------------------------------------- acknowledgements */

/* What was shown is stored; the node is told so, once for all of it. A delivery is through then. */
static void
acknowledge(struct room *room, struct member *member, uint64_t now_ns)
{
    struct tally *tally = &room->crowd->tally;
    struct client *client = &member->phone.client;
    if (member->to_acknowledge > client_acknowledged(client)) {
        int error = client_ack(client, member->to_acknowledge);
        ASSERT(error == 0);
        tally_add(tally, TALLY_THROUGH, member->unacked);
        tally_add(tally, TALLY_MEASURED, tally_measures(tally, now_ns) ? member->unacked : 0);
        member->unacked = 0;
        member->acked_chat = member->shown_chat;
    }
    if (room->crowd->options->read && member->shown_chat > member->marked_chat) {
        Linnet__V1__Chat chat;
        gather_chat(room->group, &chat);
        /* -EAGAIN or -ENOTCONN: it is said at the next occasion. */
        if (client_mark_read(client, &chat, member->shown_chat, 0) == 0) {
            member->marked_chat = member->shown_chat;
        }
    }
}

static void
resend_after(uint64_t delay_ms, uint64_t number, uint32_t end)
{
    delay_ms = delay_ms < RESEND_MS_MIN ? RESEND_MS_MIN : delay_ms;
    delay_ms = delay_ms > RESEND_MS_MAX ? RESEND_MS_MAX : delay_ms;
    struct ln_msg *msg = ln_msg_new(CROWD_RESEND, LN_REPLY, sizeof(struct crowd_resend));
    *(struct crowd_resend *)(void *)msg->data = (struct crowd_resend){number, end};
    (void)ln_send_after(delay_ms, ln_self(), &msg);
}

static void
refused(struct room *room, struct member *member, const struct client_event *event)
{
    if (client_state(&member->phone.client) != CLIENT_READY) {
        return; /* the login: what becomes of it is told by the close that follows */
    }
    if (event->final && event->ref == create_ref) {
        crowd_fail(room->crowd, "no group of %u: %s", room->count, event->error->text);
    } else if (event->final) {
        audit_broken(verdict_of(room), AUDIT_REFUSED, "%s: %s", name_of(member),
                     event->error->text);
    } else {
        tally_add(&room->crowd->tally, TALLY_PUT_OFF, 1);
        resend_after(event->error->retry_after_ms, event->number, member->phone.end);
    }
}

/* A mark is made again; what else has no number is an ack, which a new connection says again. */
static void
resend(struct room *room, const struct crowd_resend *again)
{
    struct member *member = &room->members[again->end];
    if (again->number != 0) {
        /* -ENOENT: a new connection has sent it meanwhile. */
        (void)!client_resend(&member->phone.client, again->number);
    } else if (member->phone.socket != NULL) {
        phone_cut(&member->phone);
    }
    phone_flush(&member->phone);
}

/* --------------------------------------------------------------------------------------- events */

static void
happened(struct room *room, struct member *member, const struct client_event *event,
         uint64_t now_ns)
{
    switch (event->kind) {
    case CLIENT_WELCOME:
        room->unknown -= member->user == 0;
        if (member->user == 0 && room->unknown == 0) {
            member->user = event->welcome->user_id;
            group_make(room);
        }
        member->user = event->welcome->user_id;
        member->marked_chat = 0;
        break;
    case CLIENT_MESSAGE:
        shown(room, member, event->message, now_ns);
        break;
    case CLIENT_DUPLICATE:
        member->to_acknowledge = event->message->inbox_number;
        tally_add(&room->crowd->tally, TALLY_HIDDEN, 1);
        break;
    case CLIENT_CHANGED:
        member->to_acknowledge = event->changed->inbox_number;
        break;
    case CLIENT_UPDATE:
        updated(room, member, event->update);
        break;
    case CLIENT_GROUP_RECEIPTS:
        counted(room, member, event->group_receipts);
        break;
    case CLIENT_RECEIPTS:
        member->to_acknowledge = event->receipts->inbox_number;
        break;
    case CLIENT_SENT:
        answered(room, member, event, now_ns);
        break;
    case CLIENT_REFUSED:
        refused(room, member, event);
        break;
    case CLIENT_GAP:
        member->to_acknowledge = event->gap->inbox_number;
        audit_broken(verdict_of(room), AUDIT_LOST, "%s: a gap", name_of(member));
        break;
    case CLIENT_RESYNC:
        member->to_acknowledge = event->resync->inbox_number;
        audit_broken(verdict_of(room), AUDIT_LOST, "%s: the node gave its inbox up",
                     name_of(member));
        break;
    case CLIENT_CLOSED:
        if (phone_may_return(&member->phone, event)) {
            phone_cut(&member->phone);
        }
        break;
    case CLIENT_ANSWERED:
    case CLIENT_PONG:
    case CLIENT_DONE:
        break;
    }
}

static void
received(struct room *room, struct member *member, const struct ln_socket_event *data)
{
    struct client_input input = {data->data, data->bytes};
    struct client_event event;
    uint64_t now_ns = crowd_now_ns();
    while (member->phone.socket == data->socket && phone_next(&member->phone, &input, &event)) {
        happened(room, member, &event, now_ns);
    }
    acknowledge(room, member, now_ns);
    close_front(room);
    write_on(room, now_ns);
    phone_flush(&member->phone);
    quiet_tell(room);
}

/* Sockets are found in an array of their own: of a thousand phones that would be a thousand cache
 * lines. */
static struct member *
member_of(struct room *room, const struct ln_socket *socket)
{
    for (uint32_t i = 0; i < room->count; i++) {
        if (room->sockets[i] == socket && room->members[i].phone.socket == socket) {
            return &room->members[i];
        }
    }
    return NULL;
}

static void
socket_event(struct room *room, struct ln_msg *msg)
{
    const struct ln_socket_event *event = ln_socket_event(msg);
    struct member *member = member_of(room, event->socket);
    if (member != NULL && msg->tag == LN_TAG_DATA) {
        received(room, member, event);
    } else if (member != NULL && msg->tag == LN_TAG_CLOSED) {
        phone_cut(&member->phone);
    }
}

/* -------------------------------------------------------------------------------------- section */

static void
go(struct room *room, const struct ln_msg *msg)
{
    crowd_go(room->crowd, msg);
    room->writing = true;
    room->stopped = false;
    write_on(room, crowd_now_ns());
}

static void
leave(struct room *room)
{
    for (uint32_t i = 0; i < room->count; i++) {
        phone_close(&room->members[i].phone);
    }
    ln_stop(LN_EXIT_NORMAL, "finished");
}

/* What each was shown and wrote himself is all there was; and the last one's writer knows it. */
static void
finish(struct room *room)
{
    uint64_t written = 0;
    for (uint32_t i = 0; i < room->count; i++) {
        written += room->members[i].written;
    }
    if (written + 1 != room->next) {
        audit_broken(verdict_of(room), AUDIT_UNANSWERED, "of %llu letters %llu were answered",
                     (unsigned long long)room->next - 1, (unsigned long long)written);
    }
    for (uint32_t i = 0; i < room->count; i++) {
        const struct member *member = &room->members[i];
        if (member->shown + member->written < written) {
            audit_broken(verdict_of(room), AUDIT_LOST, "%s was shown %llu of %llu letters",
                         name_of(member), (unsigned long long)member->shown,
                         (unsigned long long)(written - member->written));
        }
    }
    if (room->last_chat != 0 && !room->last_ticked) {
        audit_broken(verdict_of(room), AUDIT_TICK_MISSING, "%s was never told that all have %llu",
                     name_of(&room->members[room->last_writer]),
                     (unsigned long long)room->last_chat);
    }
    leave(room);
}

/* -------------------------------------------------------------------------------- the behaviour */

static int
room_init(void *state, const void *argument)
{
    struct room *room = state;
    const struct crowd_place *place = argument;
    const struct options *options = place->crowd->options;
    uint32_t before = (place->crowd->actors_first + place->index) * options->members;
    uint32_t left = options->users - before;
    *room = (struct room){.crowd = place->crowd,
                          .line = place->crowd->actors_first + place->index,
                          .count = left < options->members ? left : options->members,
                          .first = 1,
                          .next = 1};
    room->unknown = room->count;
    room->unjoined = room->count;
    room->members = ln_alloc(room->count * sizeof *room->members);
    room->sockets = ln_alloc(room->count * sizeof(void *));
    for (uint32_t i = 0; i < room->count; i++) {
        phone_init(&room->members[i].phone, room->crowd, place->index * options->members + i, i);
        crowd_call_after(0, i);
    }
    return 0;
}

static void
call(struct room *room, const struct crowd_call *call)
{
    phone_call(&room->members[call->end].phone);
    room->sockets[call->end] = room->members[call->end].phone.socket;
}

static void
room_handle(void *state, struct ln_msg **msg)
{
    struct room *room = state;
    const void *data = (*msg)->data;
    switch ((*msg)->tag) {
    case CROWD_GO:
        go(room, *msg);
        break;
    case CROWD_STOP:
        room->writing = false;
        room->stopped = true;
        quiet_tell(room);
        break;
    case CROWD_FINISH:
        finish(room);
        break;
    case CROWD_ABANDON:
        leave(room);
        break;
    case CROWD_CALL:
        call(room, data);
        break;
    case CROWD_RESEND:
        resend(room, data);
        break;
    default:
        socket_event(room, *msg);
    }
}

static void
room_terminate(void *state, const struct ln_reason *reason)
{
    struct room *room = state;
    (void)reason;
    for (uint32_t i = 0; i < room->count; i++) {
        phone_fini(&room->members[i].phone);
    }
}

const struct ln_behaviour room_behaviour = {
    .name = "room",
    .state_bytes = sizeof(struct room),
    .init = room_init,
    .handle = room_handle,
    .terminate = room_terminate,
};
