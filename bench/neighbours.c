/* SPDX-License-Identifier: Apache-2.0 */
/* Line i of the circle is written by end i and read by its partner. Refs of commands that are not
 * the circle's have a bit of their own. */
#include "bench/neighbours.h"

#include "bench/backlog.h"
#include "bench/chance.h"
#include "bench/circle.h"
#include "bench/forum.h"
#include "bench/gather.h"
#include "bench/mail.h"
#include "bench/revision.h"

#include <errno.h>
#include <string.h>

enum { RETURN_MS_MAX = 2000 /* those who are away at the end come back within */ };

/* A letter to the group, by its sequence; a change of a line's letter, by the line. */
static const uint64_t post_ref = (uint64_t)1 << 50;
static const uint64_t change_ref = (uint64_t)1 << 51;
/* What is asked without a number. */
static const uint64_t create_ref = (uint64_t)1 << 52;
static const uint64_t life_ref = ((uint64_t)1 << 52) + 2;
/* Lines of groups have numbers above those of all pairs. */
static const uint32_t group_line = (uint32_t)1 << 23;

struct neighbour {
    struct backlog letters, posts;      /* to the partner; to the group */
    struct revision revision;           /* of what he writes to his partner */
    uint64_t group_shown, group_marked; /* numbers of the group; marked on this connection */
    uint64_t acknowledged;
    bool joined;
};

struct neighbours {
    struct circle circle; /* first: it is the state that circle.h wants */
    struct forum *forum;
    struct neighbour *all;
    const char **names;
    uint32_t count, unjoined;
    uint32_t line;  /* of the group's letters */
    uint64_t group; /* 0: not made yet, or none is to be */
    bool grouped;   /* one is */
};

static struct neighbours *
of(struct circle *circle)
{
    return (struct neighbours *)circle;
}

static void
join(uint32_t line, uint32_t *out_writer, uint32_t *out_reader)
{
    *out_writer = line;
    *out_reader = line ^ 1;
}

static uint32_t
place_of(const struct neighbours *neighbours, const struct end *end)
{
    return (uint32_t)(end - neighbours->circle.ends);
}

/* The neighbour who is this user; FORUM_MEMBERS_MAX: none. */
static uint32_t
neighbour_of(const struct neighbours *neighbours, uint64_t user)
{
    for (uint32_t i = 0; i < neighbours->count; i++) {
        if (neighbours->circle.ends[i].user == user) {
            return i;
        }
    }
    return FORUM_MEMBERS_MAX;
}

/* ------------------------------------------------------------------------------------ the group */

static void
met(struct circle *circle)
{
    struct neighbours *neighbours = of(circle);
    uint64_t users[FORUM_MEMBERS_MAX];
    if (!neighbours->grouped) {
        crowd_tell(circle->crowd, CROWD_READY);
        return;
    }
    for (uint32_t i = 1; i < neighbours->count; i++) {
        users[i - 1] = circle->ends[i].user;
    }
    (void)gather_ask(&circle->ends[0].phone, users, neighbours->count - 1, create_ref);
}

static void
updated(struct neighbours *neighbours, struct end *end, const Linnet__V1__ChatUpdate *update)
{
    struct neighbour *neighbour = &neighbours->all[place_of(neighbours, end)];
    end->to_acknowledge = update->inbox_number;
    if (gather_made(update, neighbours->circle.ends[0].user, neighbours->group) &&
        !neighbour->joined) {
        neighbour->joined = true;
        neighbours->group = update->chat->group_id;
        if (--neighbours->unjoined == 0) {
            crowd_tell(neighbours->circle.crowd, CROWD_READY);
        }
    }
}

static bool
post(struct neighbours *neighbours, uint32_t writer, uint64_t due_ns)
{
    struct crowd *crowd = neighbours->circle.crowd;
    struct phone *phone = &neighbours->circle.ends[writer].phone;
    uint64_t sequence = forum_next(neighbours->forum);
    struct mail mail = {.line = neighbours->line, .sequence = sequence};
    Linnet__V1__Chat chat;
    uint64_t number = 0;
    gather_chat(neighbours->group, &chat);
    if (!mail_write(phone, &mail, &chat, due_ns, post_ref | sequence, &number)) {
        return false;
    }
    forum_write(neighbours->forum, writer, number, due_ns);
    tally_add(&crowd->tally, TALLY_WRITTEN, 1);
    tally_add(&crowd->tally, TALLY_POSTED, 1);
    return true;
}

/* What a member is shown: of the group, or of nobody. */
static void
post_shown(struct neighbours *neighbours, struct end *end, const Linnet__V1__NewMessage *message,
           uint64_t now_ns)
{
    struct crowd *crowd = neighbours->circle.crowd;
    uint32_t member = place_of(neighbours, end);
    struct letter letter = {0};
    enum letter_verdict verdict = mail_read(&end->phone, message, &letter);
    end->to_acknowledge = message->inbox_number;
    if (verdict == LETTER_FOREIGN && !crowd->users->fresh) {
        tally_add(&crowd->tally, TALLY_FOREIGN, 1);
        return;
    }
    if (verdict != LETTER_OK || letter.line != neighbours->line ||
        message->chat->group_id != neighbours->group) {
        audit_broken(&crowd->tally.verdict, AUDIT_CHANGED, "%s was shown what nobody wrote so",
                     end->phone.user->name);
        return;
    }
    uint32_t writer = neighbour_of(neighbours, message->sender->user_id);
    struct audit_shown told = {.sequence = letter.sequence,
                               .due_ns = crowd->start_ns + letter.at_ns,
                               .id_number = message->id->number,
                               .chat_number = message->chat_number};
    uint64_t all_before = neighbours->forum->all_shown;
    if (forum_shown(neighbours->forum, member, writer, &told)) {
        uint64_t returned_ns = end->phone.returned_ns;
        if (told.due_ns < returned_ns) {
            tally_delay(&crowd->tally, TALLY_RETURN_TO_SHOWN, returned_ns, now_ns);
        } else if (told.due_ns >= neighbours->circle.ends[writer].phone.returned_ns) {
            tally_delay(&crowd->tally, TALLY_TO_GROUP, told.due_ns, now_ns);
        }
    }
    tally_add(&crowd->tally, TALLY_DELIVERIES, 1);
    tally_add(&crowd->tally, TALLY_SHOWN, neighbours->forum->all_shown - all_before);
    neighbours->all[member].group_shown = message->chat_number;
}

static void
counted(struct neighbours *neighbours, struct end *end, const Linnet__V1__GroupReceipts *receipts)
{
    struct forum *forum = neighbours->forum;
    uint32_t member = place_of(neighbours, end);
    end->to_acknowledge = receipts->inbox_number;
    if (receipts->chat->group_id != neighbours->group) {
        return; /* of an earlier run */
    }
    uint64_t before = forum->all_delivered;
    forum_ticked(forum, member, receipts->delivered_all, receipts->read_all);
    for (size_t i = 0; i < receipts->n_counts; i++) {
        const Linnet__V1__MessageCount *count = receipts->counts[i];
        forum_counted(forum, member, count->chat_number, count->delivered, count->read);
    }
    tally_add(&neighbours->circle.crowd->tally, TALLY_DELIVERED, forum->all_delivered - before);
}

/* --------------------------------------------------------------------------- answers, refusals */

static bool
answered(struct neighbours *neighbours, struct end *end, const struct client_event *event,
         uint64_t now_ns)
{
    struct crowd *crowd = neighbours->circle.crowd;
    struct audit_shown told = {.id_number = event->sent->id->number,
                               .chat_number = event->sent->chat_number};
    uint32_t place = place_of(neighbours, end);
    uint64_t due_ns = 0;
    if ((event->ref & change_ref) != 0) {
        revision_accepted(&neighbours->all[place].revision);
        return true;
    }
    if ((event->ref & post_ref) == 0) {
        revision_sent(&neighbours->all[place].revision, event->sent, now_ns);
        return false;
    }
    uint64_t before = neighbours->forum->all_delivered;
    if (forum_answered(neighbours->forum, place, event->ref & ~post_ref, &told, &due_ns)) {
        if (due_ns >= end->phone.returned_ns) {
            tally_delay(&crowd->tally, TALLY_TO_ANSWER, due_ns, now_ns);
        }
        tally_add(&crowd->tally, TALLY_ANSWERED, 1);
        tally_add(&crowd->tally, TALLY_DELIVERED, neighbours->forum->all_delivered - before);
    }
    return true;
}

static bool
refused(struct neighbours *neighbours, struct end *end, const struct client_event *event)
{
    struct crowd *crowd = neighbours->circle.crowd;
    bool posted = (event->ref & post_ref) != 0;
    bool changed = (event->ref & change_ref) != 0;
    if (client_state(&end->phone.client) != CLIENT_READY || event->ref == life_ref) {
        return event->ref == life_ref; /* a partner to whom nothing was written yet isn't watched */
    }
    if (event->ref == create_ref && event->final) {
        crowd_fail(crowd, "no group of %u: %s", neighbours->count, event->error->text);
        return true;
    }
    if (!posted && !changed && event->ref != create_ref) {
        return false;
    }
    if (!event->final) {
        if (posted) {
            forum_put_off(neighbours->forum, event->ref & ~post_ref);
        }
        tally_add(&crowd->tally, TALLY_PUT_OFF, 1);
        circle_resend_after(event->error->retry_after_ms, event->number, end->phone.end);
    } else if (posted) {
        forum_refused(neighbours->forum, event->ref & ~post_ref, event->error->text);
    } else {
        neighbours->all[place_of(neighbours, end)].revision.under_way = false;
        audit_broken(&crowd->tally.verdict, AUDIT_REFUSED, "%s's change was refused: %s",
                     end->phone.user->name, event->error->text);
    }
    return true;
}

static void
changed(struct neighbours *neighbours, struct end *end, const struct client_event *event)
{
    uint32_t author = place_of(neighbours, end) ^ 1;
    end->to_acknowledge = event->changed->inbox_number;
    if (!event->again && neighbours->circle.ends[author].user == event->changed->author_user_id) {
        revision_seen(&neighbours->all[author].revision, &neighbours->circle,
                      &neighbours->circle.lines[author], event->changed);
    }
}

/* What is not the circle's. */
static bool
taken(struct circle *circle, struct end *end, const struct client_event *event, uint64_t now_ns)
{
    struct neighbours *neighbours = of(circle);
    switch (event->kind) {
    case CLIENT_MESSAGE:
        if (event->message->chat->peer_case != LINNET__V1__CHAT__PEER_GROUP_ID) {
            return false;
        }
        post_shown(neighbours, end, event->message, now_ns);
        return true;
    case CLIENT_UPDATE:
        updated(neighbours, end, event->update);
        return true;
    case CLIENT_GROUP_RECEIPTS:
        counted(neighbours, end, event->group_receipts);
        return true;
    case CLIENT_GAP:
        end->to_acknowledge = event->gap->inbox_number;
        audit_broken(&circle->crowd->tally.verdict, AUDIT_LOST,
                     "%s: messages of the group were left out", end->phone.user->name);
        return true;
    case CLIENT_CHANGED:
        changed(neighbours, end, event);
        return true;
    case CLIENT_SENT:
        return answered(neighbours, end, event, now_ns);
    case CLIENT_REFUSED:
        return refused(neighbours, end, event);
    case CLIENT_WELCOME:
    case CLIENT_DUPLICATE:
    case CLIENT_RECEIPTS:
    case CLIENT_DONE:
    case CLIENT_ANSWERED:
    case CLIENT_RESYNC:
    case CLIENT_PONG:
    case CLIENT_CLOSED:
        break;
    }
    return false;
}

/* ------------------------------------------------------------------------------------- presence */

/* -ENOTCONN, -EAGAIN: then nobody is told. */
static void
mention(struct end *end, Linnet__V1__ClientFrame *frame)
{
    frame->ref = life_ref;
    if (client_ask(&end->phone.client, frame) == 0) {
        tally_add(&end->phone.crowd->tally, TALLY_SIGNS, 1);
    }
}

static void
partner_set(const struct neighbours *neighbours, const struct end *end, Linnet__V1__Chat *out)
{
    linnet__v1__chat__init(out);
    out->peer_case = LINNET__V1__CHAT__PEER_USER_ID;
    out->user_id = neighbours->circle.ends[place_of(neighbours, end) ^ 1].user;
}

/* A phone that is looked at tells so, and wants to know whether the other one's is. */
static void
welcomed(struct circle *circle, struct end *end)
{
    struct neighbours *neighbours = of(circle);
    struct neighbour *neighbour = &neighbours->all[place_of(neighbours, end)];
    neighbour->group_marked = 0; /* a mark is not kept over a cut */
    Linnet__V1__SetActive active = LINNET__V1__SET_ACTIVE__INIT;
    active.foreground = 1;
    Linnet__V1__ClientFrame frame = LINNET__V1__CLIENT_FRAME__INIT;
    frame.command_case = LINNET__V1__CLIENT_FRAME__COMMAND_SET_ACTIVE;
    frame.set_active = &active;
    mention(end, &frame);
    Linnet__V1__Chat chat;
    partner_set(neighbours, end, &chat);
    Linnet__V1__WatchPresence watch = LINNET__V1__WATCH_PRESENCE__INIT;
    watch.chat = &chat;
    linnet__v1__client_frame__init(&frame);
    frame.command_case = LINNET__V1__CLIENT_FRAME__COMMAND_WATCH_PRESENCE;
    frame.watch_presence = &watch;
    if (chat.user_id != 0) {
        mention(end, &frame);
    }
}

static void
types(struct neighbours *neighbours, struct end *end)
{
    Linnet__V1__Chat chat;
    partner_set(neighbours, end, &chat);
    Linnet__V1__SetTyping typing = LINNET__V1__SET_TYPING__INIT;
    typing.chat = &chat;
    typing.kind = LINNET__V1__TYPING__KIND__TYPING;
    Linnet__V1__ClientFrame frame = LINNET__V1__CLIENT_FRAME__INIT;
    frame.command_case = LINNET__V1__CLIENT_FRAME__COMMAND_SET_TYPING;
    frame.set_typing = &typing;
    mention(end, &frame);
}

/* ---------------------------------------------------------------------------------------- deeds */

/* Writes what is due and has room. */
static void
write_on(struct neighbours *neighbours, struct end *end)
{
    struct circle *circle = &neighbours->circle;
    uint32_t place = place_of(neighbours, end);
    struct neighbour *neighbour = &neighbours->all[place];
    struct line *line = &circle->lines[place];
    while (neighbour->letters.count > 0 && circle_has_room(circle, line) &&
           circle_send(circle, line, backlog_first(&neighbour->letters))) {
        backlog_pop(&neighbour->letters);
        circle->waiting--;
    }
    while (neighbour->posts.count > 0 && forum_has_room(neighbours->forum) &&
           client_unanswered(&end->phone.client) < circle->crowd->options->window &&
           post(neighbours, place, backlog_first(&neighbour->posts))) {
        backlog_pop(&neighbour->posts);
        circle->waiting--;
    }
}

/* Whoever is away leaves letters that are not through: what the judge has no room for then can't
 * wait, since nothing that the node does would make room. */
static void
due(struct neighbours *neighbours, struct end *end, bool posts, uint64_t due_ns)
{
    struct circle *circle = &neighbours->circle;
    uint32_t place = place_of(neighbours, end);
    struct neighbour *neighbour = &neighbours->all[place];
    const struct line *line = &circle->lines[place];
    bool room = posts ? forum_has_room(neighbours->forum)
                      : !line->reader->phone.away || audit_has_room(&line->audit);
    if (!room || !backlog_push(posts ? &neighbour->posts : &neighbour->letters, due_ns)) {
        tally_add(&circle->crowd->tally, TALLY_SKIPPED, 1);
        return;
    }
    circle->waiting++;
    if (!posts) {
        types(neighbours, end);
    }
    write_on(neighbours, end);
    phone_flush(&end->phone);
}

static void
beat(struct end *end, uint64_t due_ns)
{
    /* -ENOTCONN, -EAGAIN: then the node hears of it otherwise. */
    if (end->beat_at_ns == 0 && client_ping(&end->phone.client, 0) == 0) {
        end->beat_at_ns = due_ns;
        tally_add(&end->phone.crowd->tally, TALLY_BEATS, 1);
        phone_flush(&end->phone);
    }
}

static void
deed(struct neighbours *neighbours, const struct crowd_deed *deed)
{
    struct circle *circle = &neighbours->circle;
    struct end *end = &circle->ends[deed->end];
    tally_delay(&circle->crowd->tally, TALLY_LAG, deed->due_ns, crowd_now_ns());
    switch (deed->deed) {
    case DEED_WRITE:
    case DEED_POST:
        due(neighbours, end, deed->deed == DEED_POST, deed->due_ns);
        break;
    case DEED_CHANGE:
        revision_make(&neighbours->all[deed->end].revision, circle, &circle->lines[deed->end],
                      change_ref | deed->end);
        break;
    case DEED_BEAT:
        beat(end, deed->due_ns);
        break;
    case DEED_MOVE:
        phone_drop(&end->phone, deed->due_ns);
        break;
    case DEED_LEAVE:
        phone_leave(&end->phone);
        break;
    case DEED_SLEEP:
        phone_sleep(&end->phone);
        break;
    case DEED_RETURN:
        phone_return(&end->phone, deed->due_ns, 0);
        break;
    case DEEDS:
        break;
    }
}

/* What an end was shown of the group is acknowledged by now; it is marked as read once for all. */
static void
moved(struct circle *circle, struct end *end, uint64_t now_ns)
{
    struct neighbours *neighbours = of(circle);
    uint32_t place = place_of(neighbours, end);
    struct neighbour *neighbour = &neighbours->all[place];
    uint64_t acknowledged = client_acknowledged(&end->phone.client);
    (void)now_ns;
    if (acknowledged > neighbour->acknowledged) {
        neighbour->acknowledged = acknowledged;
        forum_acknowledged(neighbours->forum, place);
    }
    if (circle->crowd->options->read && neighbour->group_shown > neighbour->group_marked) {
        Linnet__V1__Chat chat;
        gather_chat(neighbours->group, &chat);
        /* -EAGAIN or -ENOTCONN: it is said at the next occasion. */
        if (client_mark_read(&end->phone.client, &chat, neighbour->group_shown, 0) == 0) {
            neighbour->group_marked = neighbour->group_shown;
            forum_marked(neighbours->forum, place);
        }
    }
    write_on(neighbours, end);
}

/* -------------------------------------------------------------------------------------- section */

static bool
quiet(const struct circle *circle)
{
    const struct neighbours *neighbours = (const struct neighbours *)circle;
    for (uint32_t i = 0; i < neighbours->count; i++) {
        if (!revision_quiet(&neighbours->all[i].revision)) {
            return false;
        }
    }
    return forum_quiet(neighbours->forum);
}

static uint64_t
through(const struct circle *circle)
{
    return forum_through(((const struct neighbours *)circle)->forum);
}

static void
rest(struct circle *circle)
{
    struct neighbours *neighbours = of(circle);
    forum_rest(neighbours->forum);
    for (uint32_t i = 0; i < neighbours->count; i++) {
        revision_rest(&neighbours->all[i].revision, circle, &circle->lines[i]);
    }
}

/* What waits for somebody who is away can only come through when he is back. */
static void
stop(struct neighbours *neighbours)
{
    struct circle *circle = &neighbours->circle;
    circle->stopped = true;
    for (uint32_t i = 0; i < neighbours->count && !circle_quiet(circle); i++) {
        phone_return(&circle->ends[i].phone, crowd_now_ns(),
                     chance_below(&circle->crowd->chance, RETURN_MS_MAX));
    }
    circle_quiet_tell(circle);
}

/* -------------------------------------------------------------------------------- the behaviour */

static int
neighbours_init(void *state, const void *argument)
{
    struct neighbours *neighbours = state;
    const struct crowd_place *place = argument;
    const struct options *options = place->crowd->options;
    uint32_t count = options->members;
    uint32_t index = place->crowd->actors_first + place->index;
    struct circle_shape shape = {.ends = count,
                                 .lines = count,
                                 .user_first = count * place->index,
                                 .line_first = count * index,
                                 .open_max = AUDIT_OPEN_MAX,
                                 .join = join,
                                 .moved = moved,
                                 .welcomed = welcomed,
                                 .met = met,
                                 .taken = taken,
                                 .quiet = quiet,
                                 .through = through,
                                 .rest = rest};
    neighbours->count = count;
    neighbours->unjoined = count;
    neighbours->line = group_line | index;
    neighbours->grouped = options->habits.posts > 0;
    circle_init(&neighbours->circle, place, &shape);
    neighbours->all = ln_alloc(count * sizeof *neighbours->all);
    neighbours->names = ln_alloc(count * sizeof *neighbours->names);
    for (uint32_t i = 0; i < count; i++) {
        neighbours->names[i] = neighbours->circle.ends[i].phone.user->name;
    }
    neighbours->forum = ln_alloc(sizeof *neighbours->forum);
    struct forum_group judged = {
        .names = neighbours->names, .members = count, .reads = options->read};
    forum_init(neighbours->forum, &place->crowd->tally.verdict, &judged);
    return 0;
}

static void
neighbours_handle(void *state, struct ln_msg **msg)
{
    struct neighbours *neighbours = state;
    if (((*msg)->flags & LN_MSG_REFUSED) != 0) {
        return;
    }
    switch ((*msg)->tag) {
    case CROWD_DEED:
        deed(neighbours, (const void *)(*msg)->data);
        break;
    case CROWD_GO:
        crowd_go(neighbours->circle.crowd, *msg);
        neighbours->circle.stopped = false;
        neighbours->circle.quiet_told = false;
        break;
    case CROWD_STOP:
        stop(neighbours);
        break;
    default:
        circle_handle(&neighbours->circle, *msg);
    }
}

static void
neighbours_terminate(void *state, const struct ln_reason *reason)
{
    struct neighbours *neighbours = state;
    (void)reason;
    circle_fini(&neighbours->circle);
}

const struct ln_behaviour neighbours_behaviour = {
    .name = "neighbours",
    .state_bytes = sizeof(struct neighbours),
    .init = neighbours_init,
    .handle = neighbours_handle,
    .terminate = neighbours_terminate,
};
