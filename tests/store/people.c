/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/store/people.h"

#include "tests/store/hand.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { RETRY_MS = 30, TEXT_BYTES = 48 };

static struct people *the_people; /* scripts get a rig and an index */

void
people_begin(struct people *people, uint64_t seed)
{
    memset(people, 0, sizeof(*people));
    people->chance.state = seed * 77;
    for (unsigned i = 0; i < PEOPLE; i++) {
        (void)snprintf(people->persons[i].name, sizeof(people->persons[i].name), "person%u", i);
        people->persons[i].next = 1;
        people->persons[i].copies = i % 2 == 1;
    }
}

static uint64_t
pick(uint64_t below)
{
    return chance_below(&the_people->chance, below);
}

static struct store *
store_of(void)
{
    return the_people->rig->store;
}

static unsigned
index_of(const struct person *person)
{
    return (unsigned)(person - the_people->persons);
}

static int
person_by_user(uint64_t user)
{
    for (unsigned i = 0; i < PEOPLE; i++) {
        if (the_people->persons[i].user == user) {
            return (int)i;
        }
    }
    return -1;
}

#define WRONG(...) rig_wrong(the_people->rig, __VA_ARGS__)

static void
text_of(unsigned from, unsigned to, uint64_t number, char out[TEXT_BYTES])
{
    (void)snprintf(out, TEXT_BYTES, "%u to %u, number %llu", from, to, (unsigned long long)number);
}

/* -------------------------------------------------------------------------------- coming online */

/* False: the node is too busy, or going down; try again. */
static bool
exist(struct person *person)
{
    uint64_t user = 0;
    int error = hand_name_find(store_of(), person->name, &user);
    if (error == -ENOENT) {
        if (person->created) {
            WRONG("%s was created, and is gone", person->name);
        }
        error = hand_user_create(store_of(), person->name, true, &user);
    }
    if (error != 0) {
        return false;
    }
    if (person->user != 0 && person->user != user) {
        WRONG("%s was %llx and is %llx", person->name, (unsigned long long)person->user,
              (unsigned long long)user);
    }
    person->user = user;
    /* Found by name: the user's own partition may not have heard of it yet. */
    struct store_user found;
    error = hand_user_get(store_of(), user, &found);
    if (error != 0) {
        if (error == -ENOENT && person->created) {
            WRONG("%s was created, and its records are gone", person->name);
        }
        return false;
    }
    person->created = true;
    return true;
}

static bool
attach(struct person *person)
{
    struct store_attached attached;
    if (hand_attach(store_of(), person->user, 1, &attached) != 0) {
        return false;
    }
    if (attached.acked < person->acked) {
        WRONG("%s: an acknowledgement was answered and is lost", person->name);
    }
    if (attached.acked > person->acked_asked) {
        WRONG("%s: more is acknowledged than ever was", person->name);
    }
    if (attached.next_command <= person->ranges) {
        WRONG("%s: a range of commands was given twice", person->name);
    }
    person->ranges = attached.next_command;
    person->acked = attached.acked;
    person->place = attached.acked;
    person->reading = attached.last > attached.acked;
    person->attached = true;
    return true;
}

/* -------------------------------------------------------------------------------------- writing */

static void
ask_message(struct person *person, uint64_t number)
{
    char text[TEXT_BYTES];
    struct people_sent *sent = &person->sent[number];
    text_of(index_of(person), sent->to, number, text);
    struct hand_message message = {
        .from = person->user,
        .to = the_people->persons[sent->to].user,
        .number = number,
        .copy = person->copies,
        .text = text,
    };
    struct ln_msg *request = hand_message_request(&message);
    sent->ref = ln_request(store_user_pid(store_of(), message.to), &request);
    person->unanswered++;
}

/* Repeats the oldest that has no answer and is not under way; false: there is none. */
static bool
repeat(struct person *person)
{
    uint64_t from = person->next > 60 ? person->next - 60 : 1;
    for (uint64_t number = from; number < person->next; number++) {
        if (!person->sent[number].answered && person->sent[number].ref == 0) {
            ask_message(person, number);
            return true;
        }
    }
    return false;
}

static void
say(struct person *person)
{
    uint64_t oldest = person->next > 40 ? person->next - 40 : 1;
    while (oldest < person->next && person->sent[oldest].answered) {
        oldest++;
    }
    if (person->next - oldest >= PEOPLE_WINDOW || person->next >= PEOPLE_MESSAGES_MAX) {
        return;
    }
    unsigned to = (unsigned)pick(PEOPLE);
    if (the_people->persons[to].created) {
        person->sent[person->next].to = (uint8_t)to;
        ask_message(person, person->next++);
    }
}

/* Sends something again that was answered long ago: it must be known. */
static void
say_again(struct person *person)
{
    if (person->next < 8) {
        return;
    }
    uint64_t number = person->next - 1 - pick(7);
    if (person->sent[number].answered && person->sent[number].ref == 0) {
        ask_message(person, number);
    }
}

static void
sent_answered(struct person *person, struct people_sent *sent, const struct ln_msg *answer)
{
    sent->ref = 0;
    person->unanswered--;
    if (answer->error != 0) {
        bool full = answer->error == -ENOSPC && the_people->rig->faults.full_one_in > 0;
        if (answer->error != -EAGAIN && answer->error != -ESRCH && answer->error != -ECANCELED &&
            !full) {
            WRONG("%s: a message was refused: %d", person->name, answer->error);
        }
        return;
    }
    const struct store_sent *said = (const struct store_sent *)(const void *)answer->data;
    if (sent->answered && (!said->duplicate || said->chat_number != sent->chat_number ||
                           said->time_ms != sent->time_ms)) {
        WRONG("%s: a message that was accepted was not known when it was sent again", person->name);
    }
    sent->answered = true;
    sent->chat_number = said->chat_number;
    sent->time_ms = said->time_ms;
}

/* -------------------------------------------------------------------------------------- reading */

/* Whether the entry is new. */
static bool
remember(struct person *person, const struct store_entry *entry)
{
    bool message = entry->kind == STORE_ENTRY_MESSAGE;
    struct people_entry now = {
        .number = entry->number,
        .sender = message ? entry->message.sender : 0,
        .sender_number = message ? entry->message.sender_number : entry->peer,
    };
    for (uint32_t i = person->entries_count; i > 0; i--) {
        const struct people_entry *then = &person->entries[i - 1];
        if (then->number < now.number) {
            break;
        }
        if (then->number == now.number) {
            if (then->sender != now.sender || then->sender_number != now.sender_number) {
                WRONG("%s: inbox number %llx stands for two things", person->name,
                      (unsigned long long)now.number);
            }
            return false;
        }
    }
    if (person->entries_count == PEOPLE_ENTRIES_MAX) {
        WRONG("too many entries to remember");
        return false;
    }
    uint32_t at = person->entries_count++;
    while (at > 0 && person->entries[at - 1].number > now.number) {
        person->entries[at] = person->entries[at - 1];
        at--;
    }
    person->entries[at] = now;
    return true;
}

static void
hear_message(struct person *person, const struct store_entry *entry)
{
    char text[TEXT_BYTES];
    const struct store_entry_message *message = &entry->message;
    int from = person_by_user(message->sender);
    if (from < 0 || message->sender_number >= the_people->persons[from].next) {
        WRONG("%s heard what nobody said", person->name);
        return;
    }
    const struct people_sent *sent = &the_people->persons[from].sent[message->sender_number];
    text_of((unsigned)from, index_of(person), message->sender_number, text);
    if (message->body_bytes != strlen(text) ||
        memcmp(message->body, text, message->body_bytes) != 0) {
        WRONG("%s heard something else than was said", person->name);
    }
    if (sent->answered &&
        (sent->chat_number != message->chat_number || sent->time_ms != message->time_ms)) {
        WRONG("%s: a message has other numbers than its sender was told", person->name);
    }
    bool again = message->chat_number <= person->heard[from];
    if (again != person->seen[from][message->sender_number]) {
        WRONG("%s: message %llu of %d %s", person->name, (unsigned long long)message->sender_number,
              from,
              again ? "came late or twice in the chat" : "was heard before under another number");
    }
    if (!again && message->chat_number != person->heard[from] + 1) {
        WRONG("%s: messages before number %llu of %d are lost", person->name,
              (unsigned long long)message->chat_number, from);
    }
    person->seen[from][message->sender_number] = true;
    if (!again) {
        person->heard[from] = message->chat_number;
    }
}

/* What was told may be told again in an older form, from an entry not yet acknowledged; never more
 * than is true. */
static void
hear_cursors(struct person *person, const struct store_entry *entry)
{
    int peer = person_by_user(entry->peer);
    if (peer < 0) {
        WRONG("%s was told of a chat with nobody", person->name);
        return;
    }
    const struct person *reader = &the_people->persons[peer];
    if (entry->cursors.peer_delivered > reader->heard[index_of(person)]) {
        WRONG("%s: told delivered before it was", person->name);
    }
    if (entry->cursors.peer_delivered > person->told_delivered[peer]) {
        person->told_delivered[peer] = entry->cursors.peer_delivered;
    }
    if (entry->cursors.peer_read > person->told_read[peer]) {
        person->told_read[peer] = entry->cursors.peer_read;
    }
}

/* What one has written oneself comes once. */
static void
hear_copy(struct person *person, const struct store_entry *entry, bool new)
{
    uint64_t number = entry->message.sender_number;
    if (!person->copies || number >= person->next ||
        person_by_user(entry->peer) != person->sent[number].to) {
        WRONG("%s got a copy of what it did not write", person->name);
        return;
    }
    if (new && person->copied[number]) {
        WRONG("%s got a copy twice", person->name);
    }
    person->copied[number] = true;
}

static void
hear(struct person *person, const struct store_entry *entry)
{
    if (entry->number <= person->place) {
        WRONG("%s: the inbox goes backwards", person->name);
    }
    person->place = entry->number;
    bool new = remember(person, entry);
    bool message = entry->kind == STORE_ENTRY_MESSAGE;
    if (message && entry->message.sender == person->user && entry->peer != person->user) {
        hear_copy(person, entry, new);
    } else if (message) {
        hear_message(person, entry);
    } else {
        hear_cursors(person, entry);
    }
}

static void
hear_all(struct person *person, struct ln_buffer *buffer)
{
    struct store_entry entry;
    size_t at = 0;
    while (buffer != NULL &&
           entry_next(ln_buffer_data(buffer), ln_buffer_bytes(buffer), &at, &entry)) {
        hear(person, &entry);
    }
}

static void
ask_page(struct person *person)
{
    struct ln_msg *request = ln_msg_new(STORE_INBOX, LN_DURABLE, sizeof(struct store_inbox));
    struct store_inbox inbox = {.user = person->user,
                                .after = person->place,
                                .entries_max = 1 + (uint32_t)pick(20),
                                .device = 1};
    memcpy(request->data, &inbox, sizeof(inbox));
    person->page_ref = ln_request(store_user_pid(store_of(), person->user), &request);
}

static void
page_arrived(struct person *person, const struct ln_msg *answer)
{
    person->page_ref = 0;
    if (answer->error != 0) {
        return;
    }
    const struct store_page *page = (const struct store_page *)(const void *)answer->data;
    hear_all(person, answer->buffer);
    if (!page->more) {
        person->reading = false;
        person->place = page->last > person->place ? page->last : person->place;
    }
}

static void
pushed(struct person *person, const struct ln_msg *msg)
{
    const struct store_push *push = (const struct store_push *)(const void *)msg->data;
    if (push->number <= person->place) {
        return;
    }
    if (person->reading || push->previous > person->place) {
        person->reading = true; /* the page that is under way may have been read before */
        return;
    }
    hear_all(person, msg->buffer);
}

/* -------------------------------------------------------------------------------- acknowledging */

/* Some chat, up to what was heard; false: there is nothing to read. */
static bool
begins_to_read(struct person *person)
{
    unsigned peer = (unsigned)pick(PEOPLE);
    if (the_people->finishing) {
        for (unsigned i = 0; i < PEOPLE && person->read_answered[peer] == person->heard[peer];
             i++) {
            peer = (peer + 1) % PEOPLE;
        }
    }
    if (person->read_ref != 0 || person->heard[peer] == 0 ||
        person->read_answered[peer] == person->heard[peer]) {
        return false;
    }
    person->read_peer = peer;
    person->read_number = person->heard[peer];
    return true;
}

static void
ask_ack(struct person *person)
{
    if (person->ack_ref != 0 || person->place <= person->acked) {
        return;
    }
    struct ln_msg *request = ln_msg_new(STORE_ACK, LN_DURABLE, sizeof(struct store_ack));
    person->ack_number = person->place;
    person->acked_asked = person->place > person->acked_asked ? person->place : person->acked_asked;
    struct store_ack ack = {.user = person->user, .device = 1, .number = person->place};
    bool reads = pick(2) == 0 && begins_to_read(person);
    if (reads) {
        ack.peer = the_people->persons[person->read_peer].user;
        ack.chat_number = person->read_number;
    }
    memcpy(request->data, &ack, sizeof(ack));
    person->ack_ref = ln_request(store_user_pid(store_of(), person->user), &request);
    person->read_ref = reads ? person->ack_ref : person->read_ref;
}

static void
ask_read(struct person *person)
{
    if (!begins_to_read(person)) {
        return;
    }
    struct ln_msg *request = ln_msg_new(STORE_READ, LN_DURABLE, sizeof(struct store_read));
    struct store_read read = {.user = person->user,
                              .peer = the_people->persons[person->read_peer].user,
                              .chat_number = person->read_number};
    memcpy(request->data, &read, sizeof(read));
    person->read_ref = ln_request(store_user_pid(store_of(), person->user), &request);
}

static void
answered(struct person *person, const struct ln_msg *answer)
{
    if (answer->ref == person->page_ref) {
        page_arrived(person, answer);
        return;
    }
    if (answer->ref == person->ack_ref) {
        person->ack_ref = 0;
        if (answer->error == 0) {
            person->acked = person->ack_number;
        } else if (answer->error == -ERANGE || answer->error == -ENOENT) {
            WRONG("%s: an acknowledgement was refused: %d", person->name, answer->error);
        }
        if (person->read_ref != answer->ref) {
            return;
        }
        const struct store_marked *marked = (const struct store_marked *)(const void *)answer->data;
        if (answer->error == 0 && marked->error != 0) {
            WRONG("%s: what was read was never written", person->name);
        }
    }
    if (answer->ref == person->read_ref) {
        person->read_ref = 0;
        if (answer->error == 0) {
            person->read_answered[person->read_peer] = person->read_number;
        } else if (answer->error == -ERANGE) {
            WRONG("%s: what was read was never written", person->name);
        }
        return;
    }
    for (uint64_t number = 1; number < person->next; number++) {
        if (person->sent[number].ref == answer->ref) {
            sent_answered(person, &person->sent[number], answer);
            return;
        }
    }
    WRONG("%s: an answer to nothing", person->name);
}

/* --------------------------------------------------------------------------------------- a life */

static void
act(struct person *person)
{
    uint64_t what = pick(10);
    if (person->reading && person->page_ref == 0) {
        ask_page(person);
    }
    if (the_people->finishing || what < 5) {
        while (person->unanswered < PEOPLE_WINDOW && repeat(person)) {
        }
    }
    if (!the_people->finishing && what < 8) {
        for (uint64_t i = pick(4); i > 0; i--) {
            say(person);
        }
    }
    if (what == 8) {
        say_again(person);
    }
    if (the_people->finishing || what >= 5) {
        ask_ack(person);
        ask_read(person);
    }
}

static void
forget_life(struct person *person)
{
    person->attached = false;
    person->page_ref = 0;
    person->ack_ref = 0;
    person->read_ref = 0;
    person->unanswered = 0;
    for (uint64_t number = 1; number < person->next; number++) {
        person->sent[number].ref = 0;
    }
}

static void
person_live(struct rig *rig, unsigned index)
{
    struct person *person = &the_people->persons[index];
    (void)rig;
    forget_life(person);
    while (!exist(person) || !attach(person)) {
        if (ln_sleep(RETRY_MS) != 0) {
            return;
        }
    }
    for (;;) {
        struct ln_msg *msg = NULL;
        int error = ln_receive(1 + pick(10), &msg);
        if (error == -ECANCELED) {
            return;
        }
        if (error == -ETIMEDOUT) {
            act(person);
            continue;
        }
        if ((msg->flags & LN_MSG_ANSWER) != 0) {
            answered(person, msg);
        } else if (msg->tag == STORE_PUSH) {
            pushed(person, msg);
        } else if (msg->tag == STORE_BEHIND) {
            person->reading = true;
        } else {
            WRONG("%s was told %x", person->name, msg->tag);
        }
        ln_msg_free(&msg);
    }
}

void
people_enter(struct people *people, struct rig *rig)
{
    the_people = people;
    people->rig = rig;
    rig->scripts_count = PEOPLE;
    for (unsigned i = 0; i < PEOPLE; i++) {
        rig->scripts[i] = person_live;
    }
}

/* -------------------------------------------------------------------------------------- the end */

static bool
person_done(const struct people *people, unsigned index)
{
    const struct person *person = &people->persons[index];
    uint64_t said[PEOPLE] = {0};
    if (!person->attached || person->reading || person->acked != person->place) {
        return false;
    }
    for (uint64_t number = 1; number < person->next; number++) {
        const struct people_sent *sent = &person->sent[number];
        bool copied = !person->copies || sent->to == index || person->copied[number];
        if (!sent->answered || !people->persons[sent->to].seen[index][number] || !copied) {
            return false;
        }
        said[sent->to]++;
    }
    for (unsigned i = 0; i < PEOPLE; i++) {
        bool ticks = person->told_delivered[i] == said[i] && person->told_read[i] == said[i];
        if (people->persons[i].heard[index] != said[i] || !ticks) {
            return false;
        }
    }
    return true;
}

bool
people_done(const struct people *people)
{
    for (unsigned i = 0; i < PEOPLE; i++) {
        if (!person_done(people, i)) {
            return false;
        }
    }
    return true;
}

void
people_finish(const struct people *people, struct rig *rig)
{
    enum { SETTLE_MS = 60000, STEP_MS = 20 };
    for (unsigned ms = 0; ms < SETTLE_MS && !people_done(people) && rig->wrong[0] == '\0';
         ms += STEP_MS) {
        (void)rig_run(rig, STEP_MS);
    }
    if (!people_done(people)) {
        rig_wrong(rig, "not everything arrived");
    }
    rig_stop(rig);
    rig_bury(rig);
}

uint64_t
people_said(const struct people *people)
{
    uint64_t said = 0;
    for (unsigned i = 0; i < PEOPLE; i++) {
        said += people->persons[i].next - 1;
    }
    return said;
}
