/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/sim/judge.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

void
judge_broken(struct world *world, const char *format, ...)
{
    if (world->broken[0] != '\0') {
        return;
    }
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(world->broken, sizeof world->broken, format, arguments);
    va_end(arguments);
}

void
judge_text(const struct person *from, const struct person *to, uint32_t n,
           char out[WORLD_TEXT_BYTES])
{
    (void)snprintf(out, WORLD_TEXT_BYTES, "%s>%s#%u", from->name, to->name, n);
}

uint64_t
judge_ref(const struct person *to, uint32_t n)
{
    return (uint64_t)(to->index + 1) << 32 | n;
}

struct person *
judge_person(struct world *world, uint64_t user)
{
    for (unsigned i = 0; i < world->people_count; i++) {
        if (world->people[i].user == user) {
            return &world->people[i];
        }
    }
    return NULL;
}

/* Which of theirs it is, by what it says; 0: it was not written so. */
static uint32_t
number_of(struct person *person, const struct person *from, const Linnet__V1__NewMessage *message)
{
    struct world *world = person->world;
    char text[WORLD_TEXT_BYTES];
    unsigned n = 0;
    if (message->deleted) {
        return judge_deleted(person, from, message);
    }
    const char *hash = message->body_case == LINNET__V1__NEW_MESSAGE__BODY_TEXT
                           ? strchr(message->text, '#')
                           : NULL;
    if (hash == NULL || sscanf(hash, "#%u", &n) != 1) {
        judge_broken(world, "%s was shown something that nobody wrote", person->name);
        return 0;
    }
    judge_text(from, person, n, text);
    if (strcmp(text, message->text) != 0 || n > from->with[person->index].said) {
        judge_broken(world, "%s was shown '%s', which was not written so", person->name,
                     message->text);
        return 0;
    }
    return n;
}

void
judge_message(struct person *person, const Linnet__V1__NewMessage *message)
{
    struct world *world = person->world;
    struct person *from = judge_person(world, message->sender->user_id);
    if (from == NULL) {
        judge_broken(world, "%s was shown something that nobody wrote", person->name);
        return;
    }
    uint32_t n = number_of(person, from, message);
    if (n == 0) {
        return;
    }
    char text[WORLD_TEXT_BYTES];
    judge_text(from, person, n, text);
    struct acquaintance *with = &person->with[from->index];
    if (with->shown[n] != 0) {
        judge_broken(world, "%s was shown %s twice", person->name, text);
    } else if (n < with->heard && from->with[person->index].again[n] == 0) {
        judge_broken(world, "%s was shown %s after #%u", person->name, text, with->heard);
    } else if (message->chat_number <= with->heard_chat) {
        judge_broken(world, "%s: the chat's numbers do not rise", text);
    } else if (message->server_time_ms < with->heard_time_ms) {
        judge_broken(world, "%s: the server's times go back", text);
    }
    with->shown[n] = 1;
    with->heard = n > with->heard ? n : with->heard;
    with->heard_count++;
    with->heard_chat = message->chat_number;
    with->heard_time_ms = message->server_time_ms;
}

/* A tick may come late, but never early and never back. */
void
judge_receipts(struct person *person, const Linnet__V1__Receipts *receipts)
{
    struct world *world = person->world;
    if (receipts->reader_user_id == person->user) {
        return; /* how far one's other devices have read */
    }
    struct person *reader = judge_person(world, receipts->reader_user_id);
    if (reader == NULL) {
        judge_broken(world, "%s got receipts of nobody", person->name);
        return;
    }
    struct acquaintance *with = &person->with[reader->index];
    const struct acquaintance *theirs = &reader->with[person->index];
    if (receipts->expired != 0 || receipts->expired_unknown != 0) {
        judge_broken(world, "%s was told that something expired for %s, and nothing does here",
                     person->name, reader->name);
    } else if (receipts->delivered < with->delivered || receipts->read < with->read) {
        judge_broken(world, "%s saw ticks of %s go back", person->name, reader->name);
    } else if (receipts->read > receipts->delivered) {
        judge_broken(world, "%s saw %s read what was not delivered", person->name, reader->name);
    } else if (receipts->delivered > theirs->heard_chat) {
        judge_broken(world, "%s saw delivered up to %llu, but %s has stored %llu", person->name,
                     (unsigned long long)receipts->delivered, reader->name,
                     (unsigned long long)theirs->heard_chat);
    } else if (receipts->read > theirs->read_chat) {
        judge_broken(world, "%s saw read up to %llu, but %s has read %llu", person->name,
                     (unsigned long long)receipts->read, reader->name,
                     (unsigned long long)theirs->read_chat);
    }
    with->delivered = receipts->delivered;
    with->read = receipts->read;
}

void
judge_sent(struct person *person, uint64_t ref, const Linnet__V1__Sent *sent)
{
    if (judge_change_sent(person, ref)) {
        return;
    }
    unsigned to = (unsigned)(ref >> 32) - 1;
    uint32_t n = (uint32_t)ref;
    struct acquaintance *with = &person->with[to];
    if (to >= person->world->people_count || n == 0 || n > with->said) {
        judge_broken(person->world, "%s was told that something was sent that was not",
                     person->name);
        return;
    }
    with->sent[n] = 1;
    with->chat[n] = sent->chat_number;
    with->sent_ms[n] = sent->server_time_ms;
    if (sent->handle.len != sizeof with->handle[n]) {
        judge_broken(person->world, "%s was sent a message without a handle", person->name);
        return;
    }
    memcpy(with->handle[n], sent->handle.data, sizeof with->handle[n]);
}

void
judge_said_again(struct person *person, uint64_t ref)
{
    unsigned to = (unsigned)(ref >> 32 & 0xF) - 1;
    uint32_t n = ref & 0xFFFF;
    if (to < person->world->people_count && n < WORLD_SAID_MAX) {
        person->with[to].again[n] = 1;
    }
}

void
judge_unanswered(struct person *person)
{
    const struct world *world = person->world;
    if (world->disk_bytes_max == 0 && world->faults.full_one_in == 0) {
        return;
    }
    for (unsigned i = 0; i < world->people_count; i++) {
        struct acquaintance *with = &person->with[i];
        for (uint32_t n = 1; n <= with->handed; n++) {
            with->again[n] |= with->sent[n] == 0;
        }
    }
}

/* The highest of those that were sent: one that was said again may stand behind later ones. */
uint64_t
judge_last_chat(const struct acquaintance *with)
{
    uint64_t last = 0;
    for (uint32_t n = 1; n <= with->said; n++) {
        last = with->chat[n] > last ? with->chat[n] : last;
    }
    return last;
}

static void
judge_pair(struct world *world, const struct person *from, const struct person *to)
{
    const struct acquaintance *said = &from->with[to->index];
    const struct acquaintance *heard = &to->with[from->index];
    uint64_t last = judge_last_chat(said);
    for (uint32_t n = 1; n <= said->said; n++) {
        if (said->sent[n] == 0) {
            judge_broken(world, "%s>%s#%u was never answered", from->name, to->name, n);
        }
    }
    if (!judge_changes_seen(from, to)) {
        judge_broken(world, "%s does not see all that %s has changed", to->name, from->name);
    }
    if (heard->heard_count != said->said) {
        judge_broken(world, "%s was shown %u of %u messages from %s", to->name, heard->heard_count,
                     said->said, from->name);
    }
    if (said->said > 0 && said->delivered != last) {
        judge_broken(world, "%s was ticked delivered up to %llu of %llu by %s", from->name,
                     (unsigned long long)said->delivered, (unsigned long long)last, to->name);
    }
    if (to->reads && said->said > 0 && said->read != last) {
        judge_broken(world, "%s was ticked read up to %llu of %llu by %s", from->name,
                     (unsigned long long)said->read, (unsigned long long)last, to->name);
    }
}

void
judge_rest(struct world *world)
{
    for (unsigned i = 0; i < world->people_count; i++) {
        for (unsigned j = 0; j < world->people_count; j++) {
            if (i != j) {
                judge_pair(world, &world->people[i], &world->people[j]);
            }
        }
    }
}
