/* SPDX-License-Identifier: Apache-2.0 */
#include "bench/forum.h"

#include <string.h>

void
forum_init(struct forum *forum, struct audit_verdict *verdict, const struct forum_group *judged)
{
    ASSERT(judged->members >= 2 && judged->members <= FORUM_MEMBERS_MAX);
    memset(forum, 0, sizeof *forum);
    forum->verdict = verdict;
    forum->group = *judged;
    forum->first = 1;
    forum->next = 1;
}

static const char *
name_of(const struct forum *forum, uint32_t member)
{
    return member < forum->group.members ? forum->group.names[member] : "a stranger";
}

static uint64_t
bit_of(uint32_t member)
{
    return UINT64_C(1) << member;
}

/* All but the letter's writer. */
static uint64_t
others(const struct forum *forum, const struct forum_letter *letter)
{
    uint64_t all = ~UINT64_C(0) >> (FORUM_MEMBERS_MAX - forum->group.members);
    return all & ~bit_of(letter->writer);
}

/* NULL: it is through, or was never written. */
static struct forum_letter *
open_at(struct forum *forum, uint64_t sequence)
{
    return sequence >= forum->first && sequence < forum->next
               ? &forum->open[sequence % FORUM_OPEN_MAX]
               : NULL;
}

/* -------------------------------------------------------------------------------- being through */

/* Has the letter's writer been told that all have it, and have read it? */
static bool
ticks_complete(const struct forum *forum, const struct forum_letter *letter)
{
    const struct audit_cursors *told = &forum->members[letter->writer].told;
    return letter->chat_number != 0 && told->delivered >= letter->chat_number &&
           (!forum->group.reads || told->read >= letter->chat_number);
}

static void
first_advance(struct forum *forum)
{
    while (forum->first < forum->next) {
        const struct forum_letter *letter = open_at(forum, forum->first);
        bool through = letter->answered && letter->shown == others(forum, letter) &&
                       ticks_complete(forum, letter);
        if (!through && !letter->refused) {
            return;
        }
        forum->first++;
    }
}

static void
delivered_note(struct forum *forum, struct forum_letter *letter)
{
    if (!letter->delivered && letter->chat_number != 0 &&
        forum->members[letter->writer].told.delivered >= letter->chat_number) {
        letter->delivered = true;
        forum->all_delivered++;
    }
}

/* -------------------------------------------------------------------------------------- writing */

void
forum_write(struct forum *forum, uint32_t writer, uint64_t number, uint64_t due_ns)
{
    ASSERT(forum_has_room(forum) && writer < forum->group.members);
    forum->open[forum->next % FORUM_OPEN_MAX] =
        (struct forum_letter){.due_ns = due_ns, .number = number, .writer = (uint8_t)writer};
    forum->next++;
}

/* Whoever is told of a letter is told of the same one, under the same number; and who wrote it has
 * none behind it that stands before it. */
static bool
identity_check(struct forum *forum, uint64_t sequence, const struct audit_shown *told)
{
    struct forum_letter *letter = open_at(forum, sequence);
    const char *writer = name_of(forum, letter->writer);
    if (told->id_number != letter->number ||
        (letter->chat_number != 0 && letter->chat_number != told->chat_number)) {
        audit_broken(forum->verdict, AUDIT_IDENTITY,
                     "%s's letter is command %llu, number %llu of the group; and %llu, %llu",
                     writer, (unsigned long long)letter->number,
                     (unsigned long long)letter->chat_number, (unsigned long long)told->id_number,
                     (unsigned long long)told->chat_number);
        return false;
    }
    if (letter->chat_number != 0) {
        return true;
    }
    letter->chat_number = told->chat_number;
    delivered_note(forum, letter);
    for (uint64_t other = forum->first; other < forum->next; other++) {
        const struct forum_letter *one = open_at(forum, other);
        bool swapped = other < sequence ? one->chat_number > told->chat_number
                                        : one->chat_number < told->chat_number;
        if (one->writer == letter->writer && other != sequence && one->chat_number != 0 &&
            swapped && !one->put_off && !letter->put_off) {
            audit_broken(forum->verdict, AUDIT_ORDER,
                         "%s's letters are %llu and %llu in the group, and were written the other "
                         "way round",
                         writer, (unsigned long long)one->chat_number,
                         (unsigned long long)told->chat_number);
            return false;
        }
    }
    return true;
}

bool
forum_answered(struct forum *forum, uint32_t member, uint64_t sequence,
               const struct audit_shown *told, uint64_t *out_due_ns)
{
    struct forum_letter *letter = open_at(forum, sequence);
    if (letter == NULL || letter->answered || letter->writer != member) {
        audit_broken(forum->verdict, AUDIT_ANSWERED_TWICE,
                     "%s was told of number %llu of the group", name_of(forum, member),
                     (unsigned long long)told->chat_number);
        return false;
    }
    letter->answered = true;
    *out_due_ns = letter->due_ns;
    bool good = identity_check(forum, sequence, told);
    first_advance(forum);
    return good;
}

void
forum_put_off(struct forum *forum, uint64_t sequence)
{
    struct forum_letter *letter = open_at(forum, sequence);
    if (letter != NULL) {
        letter->put_off = true;
    }
}

void
forum_refused(struct forum *forum, uint64_t sequence, const char *words)
{
    struct forum_letter *letter = open_at(forum, sequence);
    if (letter != NULL) {
        audit_broken(forum->verdict, AUDIT_REFUSED, "%s's letter was refused for good: %s",
                     name_of(forum, letter->writer), words);
        letter->refused = true;
        first_advance(forum);
    }
}

/* -------------------------------------------------------------------------------------- showing */

bool
forum_shown(struct forum *forum, uint32_t member, uint32_t writer, const struct audit_shown *shown)
{
    struct forum_letter *letter = open_at(forum, shown->sequence);
    struct forum_member *reader = &forum->members[member];
    if (shown->sequence == 0 || shown->sequence >= forum->next) {
        audit_broken(forum->verdict, AUDIT_CHANGED, "%s was shown what nobody wrote",
                     name_of(forum, member));
        return false;
    }
    if (letter == NULL || (letter->shown & bit_of(member)) != 0) {
        audit_broken(forum->verdict, AUDIT_DUPLICATE, "%s was shown number %llu of the group twice",
                     name_of(forum, member), (unsigned long long)shown->chat_number);
        return false;
    }
    if (letter->writer != writer || letter->due_ns != shown->due_ns || letter->writer == member) {
        audit_broken(forum->verdict, AUDIT_CHANGED, "%s was shown %s's letter as one of %s",
                     name_of(forum, member), name_of(forum, letter->writer),
                     name_of(forum, writer));
        return false;
    }
    bool good = identity_check(forum, shown->sequence, shown);
    if (shown->chat_number <= reader->shown_chat) {
        audit_broken(forum->verdict, AUDIT_ORDER,
                     "%s was shown number %llu of the group after %llu", name_of(forum, member),
                     (unsigned long long)shown->chat_number,
                     (unsigned long long)reader->shown_chat);
        good = false;
    } else {
        reader->shown_chat = shown->chat_number;
    }
    letter->shown |= bit_of(member);
    forum->all_shown += letter->shown == others(forum, letter);
    first_advance(forum);
    return good;
}

void
forum_acknowledged(struct forum *forum, uint32_t member)
{
    for (uint64_t sequence = forum->first; sequence < forum->next; sequence++) {
        struct forum_letter *letter = open_at(forum, sequence);
        letter->acked |= letter->shown & bit_of(member);
    }
}

void
forum_marked(struct forum *forum, uint32_t member)
{
    for (uint64_t sequence = forum->first; sequence < forum->next; sequence++) {
        struct forum_letter *letter = open_at(forum, sequence);
        letter->read |= letter->shown & bit_of(member);
    }
}

/* ---------------------------------------------------------------------------------------- ticks */

static void
early(struct forum *forum, uint32_t member, const char *what, uint64_t chat_number)
{
    audit_broken(forum->verdict, AUDIT_TICK_EARLY,
                 "%s was told that number %llu of the group is %s", name_of(forum, member),
                 (unsigned long long)chat_number, what);
}

void
forum_ticked(struct forum *forum, uint32_t member, uint64_t delivered_all, uint64_t read_all)
{
    struct audit_cursors *told = &forum->members[member].told;
    if (delivered_all < told->delivered || read_all < told->read) {
        audit_broken(forum->verdict, AUDIT_TICK_BACK,
                     "%s was told that all have %llu (read %llu) after %llu (read %llu)",
                     name_of(forum, member), (unsigned long long)delivered_all,
                     (unsigned long long)read_all, (unsigned long long)told->delivered,
                     (unsigned long long)told->read);
        return;
    }
    if (read_all > delivered_all) {
        audit_broken(forum->verdict, AUDIT_READ_AHEAD, "%s was told of %llu, read %llu",
                     name_of(forum, member), (unsigned long long)delivered_all,
                     (unsigned long long)read_all);
    }
    *told = (struct audit_cursors){.delivered = delivered_all, .read = read_all};
    for (uint64_t sequence = forum->first; sequence < forum->next; sequence++) {
        struct forum_letter *letter = open_at(forum, sequence);
        bool known = letter->chat_number != 0;
        if (known && letter->chat_number <= delivered_all &&
            letter->acked != others(forum, letter)) {
            early(forum, member, "delivered to all", letter->chat_number);
        } else if (known && letter->chat_number <= read_all &&
                   letter->read != others(forum, letter)) {
            early(forum, member, "read by all", letter->chat_number);
        }
        delivered_note(forum, letter);
    }
    first_advance(forum);
}

void
forum_counted(struct forum *forum, uint32_t member, uint64_t chat_number, uint32_t delivered,
              uint32_t read)
{
    if (read > delivered) {
        audit_broken(forum->verdict, AUDIT_READ_AHEAD, "%s was told that %u have read %llu, %u it",
                     name_of(forum, member), read, (unsigned long long)chat_number, delivered);
    }
    for (uint64_t sequence = forum->first; sequence < forum->next; sequence++) {
        const struct forum_letter *letter = open_at(forum, sequence);
        if (letter->chat_number == chat_number &&
            (delivered > (uint32_t)__builtin_popcountll(letter->acked) ||
             read > (uint32_t)__builtin_popcountll(letter->read))) {
            early(forum, member, "with more than have it", chat_number);
        }
    }
}

void
forum_rest(struct forum *forum)
{
    for (uint64_t sequence = forum->first; sequence < forum->next; sequence++) {
        const struct forum_letter *letter = open_at(forum, sequence);
        uint64_t missing = others(forum, letter) & ~letter->shown;
        const char *writer = name_of(forum, letter->writer);
        if (letter->refused) {
            continue;
        }
        if (!letter->answered) {
            audit_broken(forum->verdict, AUDIT_UNANSWERED, "%s's letter was never answered",
                         writer);
        } else if (missing != 0) {
            audit_broken(forum->verdict, AUDIT_LOST,
                         "number %llu of the group was never shown to %s",
                         (unsigned long long)letter->chat_number,
                         name_of(forum, (uint32_t)__builtin_ctzll(missing)));
        } else if (!ticks_complete(forum, letter)) {
            audit_broken(forum->verdict, AUDIT_TICK_MISSING,
                         "%s was never told that all have (or have read) number %llu of the group",
                         writer, (unsigned long long)letter->chat_number);
        }
    }
}
