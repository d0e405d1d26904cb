/* SPDX-License-Identifier: Apache-2.0 */
/* Changes of messages, as their text tells them too: the second edit of alice's 17th message to bob
 * is "alice>bob#17v2". One of a message is under way at a time, so they are shown in the order in
 * which they were asked for, each at most once, and none before the message. */
#include "tests/sim/judge.h"

#include <stdio.h>
#include <string.h>

#define CHANGE_FLAG (UINT64_C(1) << 44)

uint64_t
judge_change_ref(const struct person *to, uint32_t n, uint8_t version)
{
    return CHANGE_FLAG | (uint64_t)(to->index + 1) << 32 | (uint64_t)version << 16 | n;
}

void
judge_change_text(const struct person *from, const struct person *to, uint32_t n, uint8_t version,
                  char out[WORLD_TEXT_BYTES])
{
    char text[WORLD_TEXT_BYTES];
    judge_text(from, to, n, text);
    (void)snprintf(out, WORLD_TEXT_BYTES, "%.100sv%u", text, version);
}

bool
judge_change_sent(struct person *person, uint64_t ref)
{
    if ((ref & CHANGE_FLAG) == 0) {
        return false;
    }
    struct acquaintance *with = &person->with[(ref >> 32 & 0xF) - 1];
    uint32_t n = ref & 0xFFFF;
    uint8_t version = (uint8_t)(ref >> 16);
    if (with->asked[n] != version || with->changed[n] == version) {
        judge_broken(person->world, "%s was told of a change that it did not ask for",
                     person->name);
    }
    with->changed[n] = version;
    return true;
}

/* Which of theirs has this number in the chat; 0: none that they know of. */
static uint32_t
number_in_chat(const struct person *person, const struct person *from, uint64_t chat_number)
{
    const struct acquaintance *said = &from->with[person->index];
    for (uint32_t n = 1; n <= said->said; n++) {
        if (said->sent[n] != 0 && said->chat[n] == chat_number) {
            return n;
        }
    }
    return 0;
}

uint32_t
judge_deleted(struct person *person, const struct person *from,
              const Linnet__V1__NewMessage *message)
{
    uint32_t n = number_in_chat(person, from, message->chat_number);
    if (n == 0 || from->with[person->index].asked[n] != WORLD_DELETED) {
        judge_broken(person->world, "%s was shown a deletion that %s did not ask for", person->name,
                     from->name);
        return 0;
    }
    if (message->body_case != LINNET__V1__NEW_MESSAGE__BODY__NOT_SET) {
        judge_broken(person->world, "%s was shown what %s had taken back", person->name,
                     from->name);
    }
    return n;
}

/* Which change it is, as its text tells, which must be of this message. 0: it tells of none. */
static unsigned
version_told(const struct person *from, const struct person *to, uint32_t n,
             const Linnet__V1__MessageChanged *changed)
{
    if (changed->kind != LINNET__V1__MESSAGE_CHANGED__KIND__EDITED) {
        return WORLD_DELETED;
    }
    char text[WORLD_TEXT_BYTES];
    unsigned version = 0;
    const char *mark = strchr(changed->text, 'v');
    if (mark == NULL || sscanf(mark, "v%u", &version) != 1 || version >= WORLD_DELETED) {
        version = 0;
    }
    judge_change_text(from, to, n, (uint8_t)version, text);
    if (strcmp(text, changed->text) != 0) {
        judge_broken(from->world, "'%s' was shown as %s", changed->text, text);
    }
    return version;
}

/* One's own, which is in the inbox for devices that are linked while something waits there. */
static void
judge_own_change(const struct person *person, const Linnet__V1__MessageChanged *changed)
{
    const struct person *to = judge_person(person->world, changed->chat->user_id);
    uint32_t n = to != NULL ? number_in_chat(to, person, changed->chat_number) : 0;
    if (n == 0 || version_told(person, to, n, changed) > person->with[to->index].asked[n]) {
        judge_broken(person->world, "%s was shown a change of their own that they did not ask for",
                     person->name);
    }
}

void
judge_change(struct person *person, const Linnet__V1__MessageChanged *changed)
{
    struct world *world = person->world;
    const struct person *from = judge_person(world, changed->author_user_id);
    if (from == person) {
        judge_own_change(person, changed);
        return;
    }
    uint32_t n = from != NULL ? number_in_chat(person, from, changed->chat_number) : 0;
    if (n == 0) {
        judge_broken(world, "%s was shown a change of nothing", person->name);
        return;
    }
    unsigned version = version_told(from, person, n, changed);
    struct acquaintance *with = &person->with[from->index];
    if (with->shown[n] == 0) {
        judge_broken(world, "%s was shown a change before the message", person->name);
    } else if (version <= with->seen[n]) {
        judge_broken(world, "%s was shown change %u after %u", person->name, version,
                     with->seen[n]);
    } else if (version > from->with[person->index].asked[n]) {
        judge_broken(world, "%s was shown a change that nobody asked for", person->name);
    }
    with->seen[n] = (uint8_t)version;
}

bool
judge_changes_seen(const struct person *from, const struct person *to)
{
    const struct acquaintance *said = &from->with[to->index];
    const struct acquaintance *heard = &to->with[from->index];
    for (uint32_t n = 1; n <= said->said; n++) {
        if (said->asked[n] != said->changed[n] || heard->seen[n] != said->changed[n]) {
            return false;
        }
    }
    return true;
}
