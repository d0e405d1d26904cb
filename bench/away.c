/* SPDX-License-Identifier: Apache-2.0 */
/* A circle of one end without lines: the circle keeps it connected, and what comes of letters goes
 * to the judge of answers. */
#include "bench/away.h"

#include "bench/answers.h"
#include "bench/backlog.h"
#include "bench/chance.h"
#include "bench/circle.h"
#include "bench/mail.h"

#include <stdio.h>

enum { PUT_OFF_TEXT_BYTES = 100 };

struct away {
    struct circle circle; /* first: it is the state that circle.h wants */
    struct answers answers;
    struct backlog backlog;
    const struct user *readers;
    uint32_t readers_count;
    uint32_t next;                         /* in turn: the reader who is next */
    uint32_t line_first;                   /* over all writers of all processes */
    bool writing;                          /* between go and stop */
    char put_off_text[PUT_OFF_TEXT_BYTES]; /* why the last one was */
};

static struct phone *
phone_of(struct away *away)
{
    return &away->circle.ends[0].phone;
}

/* -------------------------------------------------------------------------------------- writing */

static bool
has_room(struct away *away)
{
    return client_unanswered(&phone_of(away)->client) < away->circle.crowd->options->window &&
           answers_has_room(&away->answers);
}

static uint32_t
reader_next(struct away *away)
{
    struct crowd *crowd = away->circle.crowd;
    if (crowd->options->random) {
        return (uint32_t)chance_below(&crowd->chance, away->readers_count);
    }
    uint32_t reader = away->next;
    away->next = (reader + 1) % away->readers_count;
    return reader;
}

/* False: the client does not take it now, or the run has failed. */
static bool
letter_send(struct away *away, uint64_t due_ns)
{
    uint32_t reader = reader_next(away);
    const struct answers_letter *letter = answers_begin(&away->answers, reader);
    struct mail mail = {.line = away->line_first + reader, .sequence = letter->sequence};
    Linnet__V1__Chat chat;
    uint64_t number = 0;
    mail_chat(away->readers[reader].id, &chat);
    if (!mail_write(phone_of(away), &mail, &chat, due_ns, letter->ref, &number)) {
        return false;
    }
    answers_wrote(&away->answers, number, due_ns);
    tally_add(&away->circle.crowd->tally, TALLY_WRITTEN, 1);
    return true;
}

/* Writes what is due, or in a closed loop as much as there is room for. */
static void
letters_write(struct away *away, uint64_t now_ns)
{
    bool closed_loop = away->circle.crowd->options->rate_per_s == 0;
    while (closed_loop && away->writing && has_room(away)) {
        if (!letter_send(away, now_ns)) {
            return;
        }
    }
    while (away->backlog.count > 0 && has_room(away) &&
           letter_send(away, backlog_first(&away->backlog))) {
        backlog_pop(&away->backlog);
        away->circle.waiting--;
    }
}

static void
due(struct away *away, const struct crowd_deed *deed)
{
    struct tally *tally = &away->circle.crowd->tally;
    uint64_t now_ns = crowd_now_ns();
    tally_delay(tally, TALLY_LAG, deed->due_ns, now_ns);
    if (!backlog_push(&away->backlog, deed->due_ns)) {
        tally_add(tally, TALLY_SKIPPED, 1);
        return;
    }
    away->circle.waiting++;
    letters_write(away, now_ns);
    phone_flush(phone_of(away));
}

/* -------------------------------------------------------------------------------------- answers */

static void
sent(struct away *away, const struct client_event *event, uint64_t now_ns)
{
    struct tally *tally = &away->circle.crowd->tally;
    const struct end *end = &away->circle.ends[0];
    uint64_t due_ns = 0;
    if (event->sent->id->user_id != end->user) {
        audit_broken(&tally->verdict, AUDIT_IDENTITY, "%s was told of a message of user %llu",
                     end->phone.user->name, (unsigned long long)event->sent->id->user_id);
    } else if (answers_sent(&away->answers, event->ref, event->sent->id->number,
                            event->sent->chat_number, &due_ns)) {
        tally_delay(tally, TALLY_TO_ANSWER, due_ns, now_ns);
        tally_add(tally, TALLY_ANSWERED, 1);
    }
}

/* What a node holds back by a limit would be measured as what it can do. */
static void
refused(struct away *away, const struct client_event *event)
{
    if (event->final) {
        answers_refused(&away->answers, event->ref, event->error->text);
        return;
    }
    if (event->error->code == LINNET__V1__ERROR__CODE__RATE_LIMITED) {
        crowd_fail(away->circle.crowd, "a limit of the node holds %s back: %s",
                   phone_of(away)->user->name, event->error->text);
        return;
    }
    answers_put_off(&away->answers, event->ref);
    (void)snprintf(away->put_off_text, sizeof away->put_off_text, "%s", event->error->text);
    tally_add(&away->circle.crowd->tally, TALLY_PUT_OFF, 1);
    circle_resend_after(event->error->retry_after_ms, event->number, 0);
}

/* Only its reader can have it ticked, and that one is not there. Users of a tokens' file may be
 * logged in elsewhere. */
static void
ticked(const struct away *away, const struct end *end, const Linnet__V1__Receipts *receipts)
{
    struct crowd *crowd = away->circle.crowd;
    if (crowd->users->fresh) {
        audit_broken(&crowd->tally.verdict, AUDIT_TICK_EARLY,
                     "%s: delivered up to %llu to user %llu, who never logged in",
                     end->phone.user->name, (unsigned long long)receipts->delivered,
                     (unsigned long long)receipts->reader_user_id);
    }
}

/* --------------------------------------------------------------------------------------- circle */

static bool
taken(struct circle *circle, struct end *end, const struct client_event *event, uint64_t now_ns)
{
    struct away *away = (struct away *)circle;
    if (event->kind == CLIENT_SENT) {
        sent(away, event, now_ns);
        return true;
    }
    /* A refused login has no number. */
    if (event->kind == CLIENT_REFUSED && event->number != 0) {
        refused(away, event);
        return true;
    }
    if (event->kind == CLIENT_RECEIPTS) {
        ticked(away, end, event->receipts);
    }
    return false;
}

static void
moved(struct circle *circle, struct end *end, uint64_t now_ns)
{
    (void)end;
    letters_write((struct away *)circle, now_ns);
}

static bool
quiet(const struct circle *circle)
{
    return answers_quiet(&((const struct away *)circle)->answers);
}

static uint64_t
through(const struct circle *circle)
{
    return answers_through(&((const struct away *)circle)->answers);
}

static void
rest(struct circle *circle)
{
    struct away *away = (struct away *)circle;
    uint32_t put_off = answers_rest(&away->answers);
    if (put_off > 0) {
        crowd_fail(circle->crowd, "%u messages of %s were put off to the end: %s", put_off,
                   phone_of(away)->user->name, away->put_off_text);
    }
}

/* -------------------------------------------------------------------------------- the behaviour */

static int
away_init(void *state, const void *argument)
{
    struct away *away = state;
    const struct crowd_place *place = argument;
    struct crowd *crowd = place->crowd;
    const struct options *options = crowd->options;
    uint32_t before = (crowd->actors_first + place->index) * options->readers;
    uint32_t readers = options->users - before;
    uint32_t user = place->index * (options->readers + 1);
    const struct user *writer = &crowd->users->list[user];
    away->readers = writer + 1;
    away->readers_count = readers < options->readers ? readers : options->readers;
    away->line_first = before;
    struct answers_shape judged = {.writer = writer,
                                   .readers = away->readers,
                                   .lines =
                                       ln_alloc(away->readers_count * sizeof(struct answers_line)),
                                   .count = away->readers_count,
                                   .fresh = crowd->users->fresh};
    answers_init(&away->answers, &crowd->tally.verdict, &judged);
    struct circle_shape shape = {.ends = 1,
                                 .user_first = user,
                                 .moved = moved,
                                 .taken = taken,
                                 .quiet = quiet,
                                 .through = through,
                                 .rest = rest};
    circle_init(&away->circle, place, &shape);
    return 0;
}

static void
go(struct away *away, const struct ln_msg *msg)
{
    crowd_go(away->circle.crowd, msg);
    away->writing = true;
    letters_write(away, crowd_now_ns());
    phone_flush(phone_of(away));
}

static void
away_handle(void *state, struct ln_msg **msg)
{
    struct away *away = state;
    if (((*msg)->flags & LN_MSG_REFUSED) != 0) {
        return;
    }
    switch ((*msg)->tag) {
    case CROWD_GO:
        go(away, *msg);
        break;
    case CROWD_DEED:
        due(away, (const void *)(*msg)->data);
        break;
    case CROWD_STOP:
        away->writing = false;
        away->circle.stopped = true;
        circle_quiet_tell(&away->circle);
        break;
    default:
        circle_handle(&away->circle, *msg);
    }
}

static void
away_terminate(void *state, const struct ln_reason *reason)
{
    struct away *away = state;
    (void)reason;
    circle_fini(&away->circle);
}

const struct ln_behaviour away_behaviour = {
    .name = "away",
    .state_bytes = sizeof(struct away),
    .init = away_init,
    .handle = away_handle,
    .terminate = away_terminate,
};
