/* SPDX-License-Identifier: Apache-2.0 */
/* Messages that are edited, deleted, hidden, or disappear: what each device is told, and what is
 * refused. Power cuts among them are in crash_test.c. */
#include "tests/sim/wire.h"
#include "tests/spec.h"

#include <stdio.h>
#include <string.h>

enum { SEEDS = SEEDS_OF(4), EDIT_WINDOW_MS = 20000, DELETE_WINDOW_MS = 40000 };

static struct world world;
static struct wire alice[2], bob[2];
static uint64_t alice_id, bob_id;

/* What an author keeps of a message. */
struct kept {
    uint64_t chat_number, time_ms;
    char handle[40];
};

static void
begin(uint64_t seed)
{
    world_open(&world, seed);
    world.settings.edit_window_ms = EDIT_WINDOW_MS;
    world.settings.delete_window_ms = DELETE_WINDOW_MS;
    for (int i = 0; i < 2; i++) {
        (void)wire_join(&alice[i], &world, PROTOCOL_JSON, "alice");
        (void)wire_join(&bob[i], &world, PROTOCOL_BINARY, "bob");
    }
    alice_id = wire_number(alice[0].heard[0], "userId");
    bob_id = wire_number(bob[0].heard[0], "userId");
    world_run(&world, 50); /* the first devices have been told of the second */
}

static void
end(void)
{
    for (int i = 0; i < 2; i++) {
        wire_end(&alice[i]);
        wire_end(&bob[i]);
    }
    world_close(&world);
}

/* How many of the frames that have come, or come within a second, have this in them. */
static unsigned
heard(struct wire *wire, const char *part, const char **out_last)
{
    unsigned count = 0;
    (void)wire_waiting(wire, 1000);
    for (unsigned i = 0; i < wire->heard_count; i++) {
        if (strstr(wire->heard[i], part) != NULL) {
            count++;
            if (out_last != NULL) {
                *out_last = wire->heard[i];
            }
        }
    }
    return count;
}

static const char *
answer(struct wire *wire, unsigned ref)
{
    char part[64];
    const char *frame = NULL;
    (void)snprintf(part, sizeof part, "\"ref\":\"%u\"", ref);
    assert_int_equal(heard(wire, part, &frame), 1);
    return frame;
}

static void
text_after(const char *frame, const char *key, char *out, size_t bytes)
{
    const char *at = strstr(frame, key);
    assert_non_null(at);
    at += strlen(key);
    (void)snprintf(out, bytes, "%.*s", (int)strcspn(at, "\""), at);
}

static void
keep(const char *frame, struct kept *out)
{
    out->chat_number = wire_number(frame, "chatNumber");
    out->time_ms = wire_number(frame, "serverTimeMs");
    text_after(frame, "\"handle\":\"", out->handle, sizeof out->handle);
}

/* `more` follows the text. */
static struct kept
says(struct wire *wire, unsigned ref, uint64_t to, const char *text, const char *more)
{
    struct kept kept;
    char command[512];
    (void)snprintf(command, sizeof command,
                   "{\"ref\":\"%u\",\"sendMessage\":{\"chat\":{\"userId\":\"%llu\"},\"text\":"
                   "\"%s\"%s}}",
                   ref, (unsigned long long)to, text, more);
    wire_say(wire, command);
    keep(answer(wire, ref), &kept);
    return kept;
}

/* `what` is the text of an edit; NULL: a deletion. Returns the answer. */
static const char *
changes(struct wire *wire, unsigned ref, uint64_t to, const struct kept *kept, const char *what)
{
    char command[1024];
    char text[256] = "";
    if (what != NULL) {
        (void)snprintf(text, sizeof text, "\"text\":\"%s\",", what);
    }
    (void)snprintf(
        command, sizeof command,
        "{\"number\":\"%u\",\"ref\":\"%u\",\"sendMessage\":{\"chat\":{\"userId\":\"%llu\"},"
        "%s\"change\":{\"kind\":\"%s\",\"chatNumber\":\"%llu\",\"serverTimeMs\":\"%llu\","
        "\"handle\":\"%s\"}}}",
        ref, ref, (unsigned long long)to, text, what != NULL ? "EDIT" : "DELETE",
        (unsigned long long)kept->chat_number, (unsigned long long)kept->time_ms, kept->handle);
    wire_say(wire, command);
    return answer(wire, ref);
}

static void
expect_refused(const char *frame, const char *code)
{
    if (strstr(frame, code) == NULL) {
        fail_msg("expected %s, heard %s", code, frame);
    }
}

static void
all_devices_see_an_edit(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        begin(seed);
        struct kept kept = says(&alice[0], 1, bob_id, "helo", "");
        const char *sent = changes(&alice[0], 2, bob_id, &kept, "hello");
        assert_non_null(strstr(sent, "\"chatNumber\":\"1\""));
        assert_null(strstr(sent, "duplicate"));
        struct wire *all[] = {&alice[0], &alice[1], &bob[0], &bob[1]};
        for (unsigned i = 0; i < 4; i++) {
            const char *frame = NULL;
            char author[64];
            assert_int_equal(heard(all[i], "\"messageChanged\"", &frame), 1);
            (void)snprintf(author, sizeof author, "\"kind\":\"EDITED\",\"authorUserId\":\"%llu\"",
                           (unsigned long long)alice_id);
            assert_non_null(strstr(frame, author));
            assert_non_null(strstr(frame, "\"text\":\"hello\""));
            assert_int_equal(wire_number(strstr(frame, "\"chat\""), "userId"),
                             i < 2 ? bob_id : alice_id);
        }
        end();
    }
}

static void
the_other_device_deletes_what_the_first_has_written(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        begin(seed);
        const char *copy = NULL;
        struct kept kept;
        (void)says(&alice[0], 1, bob_id, "oops", "");
        assert_int_equal(heard(&alice[1], "\"oops\"", &copy), 1);
        keep(copy, &kept);
        assert_non_null(strstr(changes(&alice[1], 2, bob_id, &kept, NULL), "\"sent\""));
        for (int i = 0; i < 2; i++) {
            assert_int_equal(heard(&alice[i], "\"kind\":\"DELETED\"", NULL), 1);
            assert_int_equal(heard(&bob[i], "\"kind\":\"DELETED\"", NULL), 1);
        }
        /* Once more: it is so already, and nobody is told again. */
        assert_non_null(strstr(changes(&alice[0], 3, bob_id, &kept, NULL), "\"duplicate\":true"));
        assert_int_equal(heard(&bob[0], "\"kind\":\"DELETED\"", NULL), 1);
        end();
    }
}

static void
nobody_gets_what_was_deleted_before(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        begin(seed);
        wire_end(&bob[1]);
        struct kept kept = says(&alice[0], 1, bob_id, "a secret", "");
        (void)changes(&alice[0], 2, bob_id, &kept, NULL);
        wire_return(&bob[1]);
        const char *frame = NULL;
        assert_int_equal(heard(&bob[1], "\"newMessage\"", &frame), 1);
        assert_non_null(strstr(frame, "\"deleted\":true"));
        assert_int_equal(heard(&bob[1], "a secret", NULL), 0);
        assert_int_equal(heard(&bob[1], "\"kind\":\"DELETED\"", NULL), 1);
        end();
    }
}

/* Nor what it was edited to; and the other message that waits is as it was. */
static void
nor_by_its_authors_other_devices(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 2ULL * SEEDS; seed++) {
        begin(seed);
        wire_end(&alice[1]);
        struct kept kept = says(&alice[0], 1, bob_id, "a secret", "");
        struct kept stays = says(&alice[0], 2, bob_id, "stays", "");
        (void)changes(&alice[0], 3, bob_id, &kept, "a secret edited");
        (void)changes(&alice[0], 4, bob_id, &stays, "stays edited");
        if (seed > SEEDS) { /* both have reached the database when they are taken back */
            world_run(&world, 25000);
        }
        (void)changes(&alice[0], 5, bob_id, &kept, NULL);
        for (unsigned round = 0; round < 2; round++) {
            wire_return(&alice[1]);
            const char *frame = NULL;
            assert_int_equal(heard(&alice[1], "a secret", NULL), 0);
            assert_int_equal(heard(&alice[1], "\"deleted\":true", &frame), 1);
            assert_int_equal(wire_number(frame, "chatNumber"), kept.chat_number);
            assert_int_equal(heard(&alice[1], "\"kind\":\"DELETED\"", NULL), 1);
            assert_int_equal(heard(&alice[1], "\"stays\"", NULL), 1);
            assert_int_equal(heard(&alice[1], "\"stays edited\"", NULL), 1);
            wire_end(&alice[1]);
            world_run(&world, 25000); /* nothing was acknowledged */
        }
        wire_open(&alice[1], &world, PROTOCOL_JSON);
        end();
    }
}

static void
others_messages_are_not_theirs_to_change(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        begin(seed);
        struct kept kept = says(&alice[0], 1, bob_id, "mine", "");
        struct kept bobs = says(&bob[0], 1, alice_id, "bob's", "");
        expect_refused(changes(&bob[0], 2, alice_id, &kept, "yours"), "\"NOT_PERMITTED\"");
        expect_refused(changes(&bob[0], 3, alice_id, &kept, NULL), "\"NOT_PERMITTED\"");
        struct kept wrong = kept;
        wrong.chat_number = 2; /* another number, another time, another chat */
        expect_refused(changes(&alice[0], 4, bob_id, &wrong, "x"), "\"NOT_PERMITTED\"");
        wrong = kept;
        wrong.time_ms += 1000000;
        expect_refused(changes(&alice[0], 5, bob_id, &wrong, "x"), "\"NOT_PERMITTED\"");
        expect_refused(changes(&alice[0], 6, alice_id, &kept, "x"), "\"NOT_PERMITTED\"");
        wrong = kept;
        wrong.handle[0] = '\0';
        expect_refused(changes(&alice[0], 7, bob_id, &wrong, "x"), "\"NOT_PERMITTED\"");
        expect_refused(changes(&bob[0], 8, alice_id, &bobs, "bob's own"), "\"sent\"");
        end();
    }
}

static void
late_changes_are_refused_and_late_retries_are_not(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        begin(seed);
        struct kept kept = says(&alice[0], 1, bob_id, "helo", "");
        (void)changes(&alice[0], 2, bob_id, &kept, "hello");
        world_run(&world, EDIT_WINDOW_MS);
        expect_refused(changes(&alice[0], 3, bob_id, &kept, "hallo"), "\"TOO_LATE\"");
        wire_say(&alice[0], "{\"ref\":\"99\",\"ping\":{}}");
        char again[1024];
        (void)snprintf(
            again, sizeof again,
            "{\"number\":\"2\",\"ref\":\"20\",\"sendMessage\":{\"chat\":{\"userId\":\"%llu\"},"
            "\"text\":\"hello\",\"change\":{\"kind\":\"EDIT\",\"chatNumber\":\"1\","
            "\"serverTimeMs\":\"%llu\",\"handle\":\"%s\"}}}",
            (unsigned long long)bob_id, (unsigned long long)kept.time_ms, kept.handle);
        wire_say(&alice[0], again);
        expect_refused(answer(&alice[0], 20), "\"duplicate\":true");
        assert_int_equal(heard(&bob[0], "\"EDITED\"", NULL), 1);
        /* It may still be deleted, but not edited then; and not for ever. */
        expect_refused(changes(&alice[0], 4, bob_id, &kept, NULL), "\"sent\"");
        struct kept next = says(&alice[0], 5, bob_id, "next", "");
        expect_refused(changes(&alice[0], 6, bob_id, &next, NULL), "\"sent\"");
        expect_refused(changes(&alice[0], 7, bob_id, &next, "no"), "\"GONE\"");
        struct kept last = says(&alice[0], 8, bob_id, "last", "");
        world_run(&world, DELETE_WINDOW_MS);
        expect_refused(changes(&alice[0], 9, bob_id, &last, NULL), "\"TOO_LATE\"");
        end();
    }
}

static void
what_is_hidden_is_hidden_on_ones_own_devices(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        begin(seed);
        char command[256];
        (void)says(&alice[0], 1, bob_id, "hello", "");
        for (unsigned i = 0; i < 2; i++) { /* a retry is answered and told once */
            (void)snprintf(
                command, sizeof command,
                "{\"number\":\"7\",\"ref\":\"%u\",\"hideMessage\":{\"chat\":{\"userName\":"
                "\"alice\"},\"authorUserId\":\"%llu\",\"chatNumber\":\"1\"}}",
                70 + i, (unsigned long long)alice_id);
            wire_say(&bob[0], command);
            expect_refused(answer(&bob[0], 70 + i), i == 0 ? "\"sent\"" : "\"duplicate\":true");
        }
        const char *frame = NULL;
        assert_int_equal(heard(&bob[1], "\"HIDDEN\"", &frame), 1);
        assert_int_equal(wire_number(strstr(frame, "\"chat\""), "userId"), alice_id);
        assert_int_equal(heard(&bob[0], "\"HIDDEN\"", NULL), 1);
        assert_int_equal(heard(&alice[0], "\"HIDDEN\"", NULL), 0);
        (void)snprintf(command, sizeof command,
                       "{\"ref\":\"8\",\"hideMessage\":{\"chat\":{\"userId\":\"%llu\"},"
                       "\"authorUserId\":\"1\",\"chatNumber\":\"1\"}}",
                       (unsigned long long)alice_id);
        wire_say(&bob[0], command);
        expect_refused(answer(&bob[0], 8), "hideMessage.authorUserId: nobody in this chat");
        wire_say(&bob[0], "{\"ref\":\"9\",\"hideMessage\":{\"chat\":{\"userName\":\"nobody\"},"
                          "\"authorUserId\":\"1\",\"chatNumber\":\"1\"}}");
        expect_refused(answer(&bob[0], 9), "\"UNKNOWN_USER\"");
        end();
    }
}

static void
what_has_disappeared_is_given_to_nobody(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        begin(seed);
        const char *frame = NULL;
        wire_end(&bob[1]);
        struct kept soon = says(&alice[0], 1, bob_id, "soon gone", ",\"ttlMs\":\"4000\"");
        (void)says(&alice[0], 2, bob_id, "stays", "");
        assert_int_equal(heard(&bob[0], "\"soon gone\"", &frame), 1);
        assert_int_equal(wire_number(frame, "expiresAtMs"), soon.time_ms + 4000);
        assert_int_equal(heard(&alice[1], "\"soon gone\"", NULL), 1);
        world_run(&world, 4000);
        for (unsigned round = 0; round < 2; round++) { /* before the first sweep, and behind it */
            wire_return(&bob[1]);
            assert_int_equal(heard(&alice[0], "\"expired\":\"1\"", NULL), round);
            assert_int_equal(heard(&bob[1], "\"stays\"", NULL), 1);
            assert_int_equal(heard(&bob[1], "soon gone", NULL), 0);
            if (round == 0) {
                struct store_stats before;
                struct store_stats after;
                wire_end(&bob[1]);
                world_run(&world, 1000);
                store_stats_read(world.store, &before);
                world_run(&world, 30000);
                store_stats_read(world.store, &after);
                /* A sweep for each user, and that the sender is told what nobody took in. */
                assert_in_range(after.commands - before.commands, 1, 4);
            }
        }
        end();
    }
}

/* Acknowledged or read before the node's first look at what is due: what lies before that, and was
 * given to nobody any more, is told as expired before anything else is told as delivered. */
static void
what_has_disappeared_is_delivered_to_nobody(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        begin(seed);
        const char *frame = NULL;
        char command[160];
        bool reads = seed % 2 == 0;
        wire_end(&bob[1]);
        (void)says(&alice[0], 1, bob_id, "first", "");
        (void)says(&alice[0], 2, bob_id, "soon gone", ",\"ttlMs\":\"1500\"");
        (void)says(&alice[0], 3, bob_id, "last", "");
        world_run(&world, 1500);
        wire_return(&bob[1]);
        assert_int_equal(heard(&bob[1], "soon gone", NULL), 0);
        assert_int_equal(heard(&bob[1], "\"last\"", &frame), 1);
        assert_int_equal(heard(&alice[0], "\"expired\"", NULL), 0); /* nobody has looked yet */
        (void)snprintf(command, sizeof command,
                       reads
                           ? "{\"markRead\":{\"chat\":{\"userId\":\"%llu\"},\"chatNumber\":\"3\"}}"
                           : "{\"ack\":{\"inboxNumber\":\"%llu\"}}",
                       (unsigned long long)(reads ? alice_id : wire_number(frame, "inboxNumber")));
        wire_say(&bob[1], command);
        assert_in_range(heard(&alice[0], "\"expiredAfter\":\"1\",\"expired\":\"2\"", NULL), 1, 2);
        assert_int_equal(heard(&alice[0], "\"delivered\":\"2\"", NULL), 0);
        for (unsigned i = 0; i < alice[0].heard_count; i++) {
            const char *heard_frame = alice[0].heard[i];
            bool tells = strstr(heard_frame, "\"delivered\":\"3\"") != NULL;
            assert_true(!tells || strstr(heard_frame, "\"expired\":\"2\"") != NULL);
        }
        end();
    }
}

int
main(void)
{
    static const struct CMUnitTest specs[] = {
        SPEC("all devices of both see an edit", all_devices_see_an_edit),
        SPEC("a device deletes for everyone what another of its user's has written, once",
             the_other_device_deletes_what_the_first_has_written),
        SPEC("what was deleted before is given to nobody", nobody_gets_what_was_deleted_before),
        SPEC("nor is it given to its author's other devices", nor_by_its_authors_other_devices),
        SPEC("another's message is nobody's to change", others_messages_are_not_theirs_to_change),
        SPEC("late changes are refused, late retries are answered",
             late_changes_are_refused_and_late_retries_are_not),
        SPEC("a message is hidden on one's own devices, and seen by the other user",
             what_is_hidden_is_hidden_on_ones_own_devices),
        SPEC("what has disappeared is given to nobody", what_has_disappeared_is_given_to_nobody),
        SPEC("nor is it delivered by what is acknowledged or read behind it",
             what_has_disappeared_is_delivered_to_nobody),
    };
    return cmocka_run_group_tests(specs, NULL, NULL);
}
