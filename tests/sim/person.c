/* SPDX-License-Identifier: Apache-2.0 */
/* A person with a client (net/client.h) on a simulated socket. */
#include "tests/sim/person.h"
#include "tests/sim/judge.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

enum { RECONNECT_MS_MAX = 200, PASSWORD_RETRY_MS = 50 };

static void person_pump(struct person *person);

/* --------------------------------------------------------------------------------------- saying */

static bool
hand_over(struct person *person, struct person *to)
{
    struct acquaintance *with = &person->with[to->index];
    char text[WORLD_TEXT_BYTES];
    judge_text(person, to, with->handed + 1, text);
    Linnet__V1__Chat chat = LINNET__V1__CHAT__INIT;
    chat.peer_case = LINNET__V1__CHAT__PEER_USER_ID;
    chat.user_id = to->user;
    Linnet__V1__SendMessage message = LINNET__V1__SEND_MESSAGE__INIT;
    message.chat = &chat;
    message.body_case = LINNET__V1__SEND_MESSAGE__BODY_TEXT;
    message.text = text;
    uint64_t number;
    int error = client_send(&person->client, &message, judge_ref(to, with->handed + 1), &number);
    if (error != 0) {
        return false;
    }
    with->handed++;
    return true;
}

static void
output_send(struct person *person)
{
    const unsigned char *bytes;
    size_t count;
    while (person->peer != NULL && (count = client_output(&person->client, &bytes)) > 0) {
        sim_peer_send(person->peer, bytes, count);
        client_output_sent(&person->client, count);
    }
}

/* Marks as read what it has seen; what the client has no room for now is marked with the next
 * event. */
static void
mark_read(struct person *person)
{
    for (unsigned i = 0; person->reads && i < person->world->people_count; i++) {
        struct acquaintance *with = &person->with[i];
        Linnet__V1__Chat chat = LINNET__V1__CHAT__INIT;
        chat.peer_case = LINNET__V1__CHAT__PEER_USER_ID;
        chat.user_id = person->world->people[i].user;
        uint64_t ref = person->index % 2; /* 0: of what goes well nothing is heard */
        if (with->heard_chat > with->read_said &&
            client_mark_read(&person->client, &chat, with->heard_chat, ref) == 0) {
            with->read_said = with->heard_chat;
            with->read_chat = with->heard_chat;
        }
    }
}

static void
person_pump(struct person *person)
{
    struct world *world = person->world;
    mark_read(person);
    bool more = person->user != 0;
    while (more) {
        more = false;
        for (unsigned i = 0; i < world->people_count; i++) {
            struct person *to = &world->people[i];
            if (person->with[i].handed < person->with[i].said && to->user != 0) {
                more = hand_over(person, to) || more;
            }
        }
    }
    output_send(person);
}

void
person_says(struct person *person, struct person *to, uint32_t count)
{
    assert(person->with[to->index].said + count < WORLD_SAID_MAX);
    person->with[to->index].said += count;
    person_pump(person);
}

static void
change(struct person *person, struct person *to, uint32_t n, bool deletes)
{
    struct acquaintance *with = &person->with[to->index];
    if (n == 0 || n > with->said || with->sent[n] == 0 || with->asked[n] != with->changed[n] ||
        with->asked[n] >= WORLD_DELETED - 1) {
        return;
    }
    uint8_t version = deletes ? WORLD_DELETED : (uint8_t)(with->asked[n] + 1);
    char text[WORLD_TEXT_BYTES];
    Linnet__V1__Chat chat = LINNET__V1__CHAT__INIT;
    chat.peer_case = LINNET__V1__CHAT__PEER_USER_ID;
    chat.user_id = to->user;
    Linnet__V1__Change of = LINNET__V1__CHANGE__INIT;
    of.kind = deletes ? LINNET__V1__CHANGE__KIND__DELETE : LINNET__V1__CHANGE__KIND__EDIT;
    of.chat_number = with->chat[n];
    of.server_time_ms = with->sent_ms[n];
    of.handle.data = with->handle[n];
    of.handle.len = sizeof with->handle[n];
    Linnet__V1__SendMessage message = LINNET__V1__SEND_MESSAGE__INIT;
    message.chat = &chat;
    message.change = &of;
    if (!deletes) {
        judge_change_text(person, to, n, version, text);
        message.body_case = LINNET__V1__SEND_MESSAGE__BODY_TEXT;
        message.text = text;
    }
    uint64_t number;
    if (client_send(&person->client, &message, judge_change_ref(to, n, version), &number) == 0) {
        with->asked[n] = version;
        output_send(person);
    }
}

void
person_edits(struct person *person, struct person *to, uint32_t n)
{
    change(person, to, n, false);
}

void
person_deletes(struct person *person, struct person *to, uint32_t n)
{
    change(person, to, n, true);
}

/* -------------------------------------------------------------------------------------- hearing */

/* What was read may not have been taken: it is said again. */
static void
reads_forget(struct person *person)
{
    for (unsigned i = 0; i < person->world->people_count; i++) {
        person->with[i].read_said = 0;
    }
}

static void
welcomed(struct person *person, const Linnet__V1__Welcome *welcome)
{
    if (person->user != 0 && person->user != welcome->user_id) {
        judge_broken(person->world, "%s became somebody else", person->name);
    }
    person->user = welcome->user_id;
    if (welcome->token[0] != '\0') {
        strncpy(person->token, welcome->token, PROTOCOL_TOKEN_BYTES_MAX);
    }
    reads_forget(person);
}

static void
refused(struct person *person, const struct client_event *event)
{
    if (event->final && event->number != 0) {
        person->refused++;
        judge_broken(person->world, "%s was refused: %s", person->name, event->error->text);
    } else if (event->number != 0) {
        judge_said_again(person, event->ref);
        int error = client_resend(&person->client, event->number);
        assert(error == 0);
    } else if (!event->final) {
        reads_forget(person);
    }
}

static void
ack(struct person *person, uint64_t inbox_number)
{
    int error = client_ack(&person->client, inbox_number);
    assert(error == 0);
}

static void
happened(struct person *person, const struct client_event *event)
{
    switch (event->kind) {
    case CLIENT_WELCOME:
        welcomed(person, event->welcome);
        break;
    case CLIENT_MESSAGE:
        judge_message(person, event->message);
        ack(person, event->message->inbox_number);
        break;
    case CLIENT_DUPLICATE:
        ack(person, event->message->inbox_number);
        break;
    case CLIENT_CHANGED:
        if (!event->again) {
            judge_change(person, event->changed);
        }
        ack(person, event->changed->inbox_number);
        break;
    case CLIENT_RECEIPTS:
        judge_receipts(person, event->receipts);
        ack(person, event->receipts->inbox_number);
        break;
    case CLIENT_SENT:
        judge_sent(person, event->ref, event->sent);
        break;
    case CLIENT_REFUSED:
        refused(person, event);
        break;
    case CLIENT_RESYNC:
        judge_broken(person->world, "%s lost its inbox", person->name);
        break;
    case CLIENT_CLOSED:
        person->last_close = event->code;
        break;
    case CLIENT_DONE:
    case CLIENT_UPDATE:
    case CLIENT_GROUP_RECEIPTS:
    case CLIENT_GAP:
    case CLIENT_ANSWERED:
    case CLIENT_PONG:
        break;
    }
}

/* ----------------------------------------------------------------------------------- connecting */

static void
call_again(void *context)
{
    struct person *person = context;
    person->calling = false;
    if (!person->away && person->peer == NULL) {
        person_connect(person);
    }
}

static void
lost(struct person *person)
{
    if (person->peer != NULL) {
        sim_peer_free(person->peer);
        person->peer = NULL;
        judge_unanswered(person);
    }
    if (!person->away && !person->calling) {
        struct world *world = person->world;
        person->calling = true;
        uint64_t wait_ms = 1 + world_chance(world, RECONNECT_MS_MAX);
        sim_at(world->driver, sim_now_ns(world->driver) + wait_ms * 1000000, call_again, person);
    }
}

static void
on_connected(void *context, struct sim_peer *peer, int error)
{
    struct person *person = context;
    (void)peer;
    if (error != 0) {
        lost(person);
        return;
    }
    person->login = (struct client_login){
        .name = person->name, .password = "correct horse", .device_name = "sim"};
    if (person->token[0] != '\0') {
        person->login =
            (struct client_login){.token = person->token, .token_in_frame = person->index % 2 == 1};
    }
    error = client_connect(&person->client, &person->login);
    assert(error == 0);
    output_send(person);
}

static void
on_received(void *context, struct sim_peer *peer, const unsigned char *bytes, size_t count)
{
    struct person *person = context;
    person->heard_at_ns = sim_now_ns(person->world->driver);
    unsigned char copy[65536];
    (void)peer;
    assert(count <= sizeof copy);
    memcpy(copy, bytes, count);
    struct client_input input = {copy, count};
    struct client_event event;
    bool closed = false;
    while (client_next(&person->client, &input, &event) == 0) {
        happened(person, &event);
        closed = closed || event.kind == CLIENT_CLOSED;
    }
    person_pump(person);
    if (closed) {
        lost(person);
    }
}

static void
on_closed(void *context, struct sim_peer *peer, bool reset)
{
    (void)peer;
    (void)reset;
    lost(context);
}

void
person_connect(struct person *person)
{
    static const struct sim_peer_events events = {on_connected, on_received, on_closed};
    struct world *world = person->world;
    assert(person->peer == NULL);
    person->heard_at_ns = sim_now_ns(world->driver);
    person->peer = sim_peer_connect(world->driver, &world->messenger.bound, &events, person);
}

void
person_is_cut(struct person *person)
{
    if (person->peer != NULL) {
        sim_peer_cut(person->peer);
        lost(person);
    }
}

void
person_leaves(struct person *person)
{
    person->away = true;
    person_is_cut(person);
}

void
person_returns(struct person *person)
{
    person->away = false;
    if (person->peer == NULL && !person->calling) {
        person_connect(person);
    }
}

/* --------------------------------------------------------------------------------------- asking */

uint32_t
person_heard(const struct person *person, const struct person *from)
{
    return person->with[from->index].heard_count;
}

uint32_t
person_ticks_sent(const struct person *person, const struct person *to)
{
    uint32_t count = 0;
    for (uint32_t n = 1; n <= person->with[to->index].said; n++) {
        count += person->with[to->index].sent[n];
    }
    return count;
}

uint64_t
person_ticks_delivered(const struct person *person, const struct person *to)
{
    return person->with[to->index].delivered;
}

uint64_t
person_ticks_read(const struct person *person, const struct person *to)
{
    return person->with[to->index].read;
}
