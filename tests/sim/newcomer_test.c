/* SPDX-License-Identifier: Apache-2.0 */
/* What a device is given that is linked while another one of its user writes: all that this one
 * says from the newcomer's welcome on, and without a gap; nothing that was answered before the code
 * was said; and of what it has been given, what it says in the end. */
#include "tests/sim/person.h"
#include "tests/sim/wire.h"
#include "tests/spec.h"

#include <stdio.h>
#include <string.h>

enum { SEEDS = SEEDS_OF(60), SAYS = 40, LINKS_AT = 12, NUMBERS = 2 * SAYS + 8, TEXT_BYTES = 512 };

/* Chats, by turns. */
enum { TWO, MANY, CHATS };

/* What the phone has said under a number. */
struct said {
    char command[TEXT_BYTES];
    unsigned place; /* of which message, 1 ... SAYS; 0: none */
    bool edits;
    bool answered;
};

static struct world world;
static struct wire phone, tablet, bob;
static uint64_t bob_id, group_id;
static char code[16];
static struct said said[NUMBERS];
static unsigned said_count;
static bool edited[SAYS + 1]; /* the phone was told that it is */
static unsigned answered_at;  /* the last that was answered when the code was said */
static unsigned welcome_at;   /* the first that was said after the welcome; 0: none yet */
static unsigned phone_at;     /* frames of the phone's that were looked at */

static unsigned
chat_of(unsigned place)
{
    return place % 3 == 0 ? MANY : TWO;
}

static void
begin(uint64_t seed)
{
    char create[TEXT_BYTES];
    world_open(&world, seed);
    memset(said, 0, sizeof said);
    memset(edited, 0, sizeof edited);
    said_count = answered_at = welcome_at = 0;
    bob_id = wire_join(&bob, &world, PROTOCOL_JSON, "bob");
    (void)wire_join(&phone, &world, PROTOCOL_JSON, "alice");
    (void)snprintf(create, sizeof create,
                   "{\"createChat\":{\"name\":\"walk\",\"participants\":[{\"userId\":\"%llu\"}]}}",
                   (unsigned long long)bob_id);
    wire_say(&phone, create);
    wire_say(&phone, "{\"createLinkCode\":{}}");
    (void)wire_waiting(&phone, 500);
    for (unsigned i = 1; i < phone.heard_count; i++) {
        uint64_t group = wire_number_in(phone.heard[i], "groupId");
        const char *shown = strstr(phone.heard[i], "\"code\":\"");
        group_id = group != 0 ? group : group_id;
        if (shown != NULL) {
            (void)snprintf(code, sizeof code, "%.9s", shown + strlen("\"code\":\""));
        }
    }
    phone_at = phone.heard_count;
}

static void
end(void)
{
    wire_end(&phone);
    wire_end(&tablet);
    wire_end(&bob);
    world_close(&world);
}

static void
phone_says(unsigned place, const char *change, bool edits)
{
    struct said *as = &said[++said_count];
    bool many = chat_of(place) == MANY;
    assert_true(said_count < NUMBERS);
    *as = (struct said){.place = place, .edits = edits};
    (void)snprintf(as->command, sizeof as->command,
                   "{\"number\":\"%u\",\"sendMessage\":{\"chat\":{\"%s\":\"%llu\"},%s\"text\":"
                   "\"%s %u.\"}}",
                   said_count, many ? "groupId" : "userId",
                   (unsigned long long)(many ? group_id : bob_id), change, edits ? "new" : "old",
                   place);
    wire_say(&phone, as->command);
}

/* Changes the message that this answer tells of. */
static void
phone_edits(unsigned place, const char *answer)
{
    char change[TEXT_BYTES / 2];
    const char *handle = strstr(answer, "\"handle\":\""); /* a group's number is enough */
    handle = handle != NULL ? handle + strlen("\"handle\":\"") : "\"";
    (void)snprintf(change, sizeof change,
                   "\"change\":{\"kind\":\"EDIT\",\"chatNumber\":\"%llu\",\"serverTimeMs\":"
                   "\"%llu\",\"handle\":\"%.*s\"},",
                   (unsigned long long)wire_number(answer, "chatNumber"),
                   (unsigned long long)wire_number(answer, "serverTimeMs"),
                   (int)strcspn(handle, "\""), handle);
    phone_says(place, change, true);
}

static void
phone_acks(const char *frame)
{
    char ack[96];
    (void)snprintf(ack, sizeof ack, "{\"ack\":{\"inboxNumber\":\"%llu\"}}",
                   (unsigned long long)wire_number(frame, "inboxNumber"));
    wire_say(&phone, ack);
}

/* What has come by now. Now and then it stores what it was given, or edits what it has written. */
static void
phone_looks(bool edits)
{
    (void)wire_waiting(&phone, 0);
    for (; phone_at < phone.heard_count; phone_at++) {
        const char *frame = phone.heard[phone_at];
        uint64_t number = wire_number_in(frame, "number");
        if (strstr(frame, "\"inboxNumber\"") != NULL && world_chance(&world, 2) == 0) {
            phone_acks(frame);
        }
        if (strncmp(frame, "{\"answer\"", 9) != 0 || number == 0 || number > said_count) {
            continue;
        }
        assert_null(strstr(frame, "\"error\""));
        struct said *as = &said[number];
        bool first = !as->answered;
        as->answered = true;
        edited[as->place] = edited[as->place] || as->edits;
        if (first && edits && !as->edits && world_chance(&world, 3) == 0) {
            phone_edits(as->place, frame);
        }
    }
}

static void
phone_is_cut(void)
{
    wire_end(&phone);
    phone_at = 0;
    wire_return(&phone);
    for (unsigned n = 1; n <= said_count; n++) {
        if (!said[n].answered) {
            wire_say(&phone, said[n].command);
        }
    }
}

static void
tablet_comes(void)
{
    char link[TEXT_BYTES];
    (void)snprintf(link, sizeof link,
                   "{\"authenticate\":{\"linkCode\":{\"name\":\"alice\",\"code\":\"%s\"}}}", code);
    wire_open(&tablet, &world, PROTOCOL_JSON);
    wire_upgrade(&tablet, "");
    wire_say(&tablet, link);
}

static bool
welcomed(void)
{
    return tablet.heard_count > 0 && strstr(tablet.heard[0], "\"welcome\"") != NULL;
}

static void
talk(bool cuts)
{
    uint64_t steps_ms = 1 + world_chance(&world, 4);
    for (unsigned place = 1; place <= SAYS; place++) {
        if (place == LINKS_AT) {
            phone_looks(true);
            for (unsigned n = 1; n <= said_count; n++) {
                bool counts = said[n].answered && !said[n].edits;
                answered_at = counts ? said[n].place : answered_at;
            }
            tablet_comes();
        }
        welcome_at = welcome_at == 0 && place > LINKS_AT && welcomed() ? place : welcome_at;
        phone_says(place, "", false);
        if (cuts && place > LINKS_AT && world_chance(&world, 8) == 0) {
            phone_is_cut();
        }
        world_run(&world, world_chance(&world, steps_ms + 1));
        if (place >= LINKS_AT) {
            (void)wire_waiting(&tablet, 0);
        }
        phone_looks(true);
    }
    for (unsigned i = 0; i < 20; i++) {
        world_run(&world, 100);
        phone_looks(i < 10);
    }
    (void)wire_waiting(&tablet, 100);
}

/* Whether the tablet was given it, and what it shows of it now. */
static bool
shown(unsigned place, bool *out_new)
{
    char old_text[32];
    char new_text[32];
    (void)snprintf(old_text, sizeof old_text, "\"old %u.\"", place);
    (void)snprintf(new_text, sizeof new_text, "\"new %u.\"", place);
    *out_new = wire_heard(&tablet, 0, new_text) != NULL;
    return wire_heard(&tablet, 0, old_text) != NULL;
}

static void
expect_all_from_its_beginning(unsigned chat)
{
    bool begun = false;
    for (unsigned place = 1; place <= SAYS; place++) {
        bool is_new = false;
        if (chat_of(place) != chat) {
            continue;
        }
        bool given = shown(place, &is_new);
        assert_true(given || !begun); /* without a gap */
        assert_true(given || welcome_at == 0 || place < welcome_at);
        assert_true(!given || place > answered_at);
        assert_true(!given || is_new == edited[place]); /* as everywhere else */
        begun = begun || given;
    }
    assert_true(begun);
}

static void
given_all_from_the_welcome_on(bool cuts)
{
    unsigned late = 0;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        begin(seed);
        talk(cuts);
        for (unsigned n = 1; n <= said_count; n++) {
            assert_true(said[n].answered);
        }
        assert_true(welcome_at > 0);
        expect_all_from_its_beginning(TWO);
        expect_all_from_its_beginning(MANY);
        late += welcome_at > LINKS_AT + 1;
        end();
    }
    assert_true(late > 0); /* it did write while the other was being linked */
}

static void
nothing_is_missing(void **state)
{
    (void)state;
    given_all_from_the_welcome_on(false);
}

static void
nothing_is_missing_with_cuts(void **state)
{
    (void)state;
    given_all_from_the_welcome_on(true);
}

int
main(void)
{
    static const struct CMUnitTest specs[] = {
        SPEC("a device that is linked while another one writes is given all from its welcome on, "
             "and the edits of what it was given",
             nothing_is_missing),
        SPEC("so it is when the other one is cut off and says again what was not answered",
             nothing_is_missing_with_cuts),
    };
    return cmocka_run_group_tests(specs, NULL, NULL);
}
