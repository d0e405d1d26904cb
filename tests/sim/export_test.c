/* SPDX-License-Identifier: Apache-2.0 */
/* GET /export: a user is given all that the node keeps of him, whatever client and node do. */
#include "actors/shell_priv.h"
#include "tests/actors/desk.h"
#include "tests/sim/wire.h"
#include "tests/spec.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    SEEDS = SEEDS_OF(6),
    MESSAGES = 400, /* more than a page, and than what may wait unread */
    BODY_BYTES = 2000,
    PATIENCE_MS = 30000,
    EXPORTS_MAX = 2,
    EXPORTS_PER_DAY = 3,
    REQUEST_BYTES = 512,
    PAGES_MAX = 200,
    KILLS = 6, /* fewer than end the store */
};

static struct world world;
static struct wire alice, bob;
static struct desk desk;
static uint64_t bob_id;
static char alice_token[PROTOCOL_TOKEN_BYTES_MAX + 1], bob_token[PROTOCOL_TOKEN_BYTES_MAX + 1];

/* ----------------------------------------------------------------------------- who asks for it */

struct asker {
    struct sim_peer *peer;
    unsigned life;
    bool connected, ended, reset;
    bool sips; /* reads no further behind each piece */
    char *bytes;
    size_t count, room;
};

static void
on_connected(void *context, struct sim_peer *peer, int error)
{
    struct asker *asker = context;
    (void)peer;
    asker->connected = error == 0;
    asker->ended = error != 0;
}

static void
on_received(void *context, struct sim_peer *peer, const unsigned char *bytes, size_t count)
{
    struct asker *asker = context;
    if (asker->sips) {
        sim_peer_pause(peer, true);
    }
    if (asker->count + count + 1 > asker->room) {
        asker->room = 2 * (asker->count + count + 1);
        asker->bytes = realloc(asker->bytes, asker->room);
        assert_non_null(asker->bytes);
    }
    memcpy(asker->bytes + asker->count, bytes, count);
    asker->count += count;
    asker->bytes[asker->count] = '\0';
}

static void
on_closed(void *context, struct sim_peer *peer, bool reset)
{
    struct asker *asker = context;
    (void)peer;
    asker->ended = true;
    asker->reset = reset;
}

static void
send_request(struct asker *asker, const char *request)
{
    static const struct sim_peer_events events = {on_connected, on_received, on_closed};
    *asker = (struct asker){.life = world.lives};
    asker->peer = sim_peer_connect(world.driver, &world.messenger.bound, &events, asker);
    for (unsigned ms = 0; !asker->connected && !asker->ended && ms < PATIENCE_MS; ms++) {
        world_run(&world, 1);
    }
    sim_peer_send(asker->peer, request, strlen(request));
}

static void
send_token(struct asker *asker, const char *token)
{
    char request[REQUEST_BYTES];
    (void)snprintf(request, sizeof request,
                   "GET /export HTTP/1.1\r\nHost: n\r\nAuthorization: Bearer %s\r\n\r\n", token);
    send_request(asker, request);
}

static void
await_end(struct asker *asker)
{
    for (unsigned ms = 0; !asker->ended && ms < PATIENCE_MS; ms += 5) {
        world_run(&world, 5);
    }
    assert_true(asker->ended);
}

static void
await_bytes(const struct asker *asker)
{
    for (unsigned ms = 0; asker->count == 0 && ms < PATIENCE_MS; ms++) {
        world_run(&world, 1);
    }
    assert_true(asker->count > 0);
}

static void
free_asker(struct asker *asker)
{
    if (asker->life == world.lives) {
        sim_peer_free(asker->peer);
    }
    free(asker->bytes);
}

/* Makes its chunks one text; false: the last one is not there. */
static bool
unchunk(struct asker *asker)
{
    char *at = strstr(asker->bytes, "\r\n\r\n");
    assert_non_null(at);
    assert_non_null(strstr(asker->bytes, "\r\nTransfer-Encoding: chunked\r\n"));
    at += 4;
    const char *end = asker->bytes + asker->count;
    size_t used = 0;
    while (at < end) {
        char *behind = NULL;
        size_t count = strtoul(at, &behind, 16);
        if (behind + 2 + count + 2 > end) {
            return false;
        }
        assert_memory_equal(behind, "\r\n", 2);
        assert_memory_equal(behind + 2 + count, "\r\n", 2);
        at = behind + 2 + count + 2;
        memmove(asker->bytes + used, behind + 2, count);
        used += count;
        if (count == 0) {
            assert_true(at == end);
            asker->bytes[used] = '\0';
            asker->count = used;
            return true;
        }
    }
    return false;
}

static void
expect_status(struct asker *asker, const char *status, const char *part)
{
    char line[64];
    (void)snprintf(line, sizeof line, "HTTP/1.1 %s ", status);
    await_end(asker);
    if (asker->count == 0 || strncmp(asker->bytes, line, strlen(line)) != 0 ||
        strstr(asker->bytes, part) == NULL) {
        fail_msg("not %s with '%s', but %.300s", status, part,
                 asker->count > 0 ? asker->bytes : "nothing");
    }
    free_asker(asker);
}

static void
expect_refusal(const char *request, const char *status, const char *part)
{
    struct asker asker;
    send_request(&asker, request);
    expect_status(&asker, status, part);
}

/* ------------------------------------------------------------------------------------ the town */

static void
set(struct settings *settings)
{
    settings->history_ms = 30 * STORE_DAY_MS;
    settings->exports_max = EXPORTS_MAX;
    settings->user_rates[RATE_EXPORTS] = EXPORTS_PER_DAY;
}

static void
alice_writes(unsigned count)
{
    char body[BODY_BYTES + 1];
    char command[BODY_BYTES + 128];
    memset(body, 'x', BODY_BYTES);
    body[BODY_BYTES] = '\0';
    (void)snprintf(command, sizeof command,
                   "{\"sendMessage\":{\"chat\":{\"userName\":\"bob\"},\"text\":\"%s\"}}", body);
    for (unsigned i = 0; i < count; i++) {
        wire_say(&alice, command);
        if (i % 32 == 31 || i + 1 == count) {
            for (unsigned j = 0; j <= i % 32; j++) {
                const char *heard = wire_hear(&alice);
                while (heard != NULL && strstr(heard, "\"sent\"") == NULL) {
                    heard = wire_hear(&alice);
                }
                assert_non_null(heard);
            }
        }
    }
}

/* Bob has a group, a contact, a push subscription, and much that waits. */
static void
begin_with(uint64_t seed, unsigned messages)
{
    world_fresh(&world, seed);
    world.set = set;
    world_begin(&world);
    (void)wire_join(&alice, &world, PROTOCOL_JSON, "alice");
    memcpy(alice_token, alice.token, sizeof alice_token);
    bob_id = wire_join(&bob, &world, PROTOCOL_JSON, "bob");
    memcpy(bob_token, bob.token, sizeof bob_token);
    wire_say(&bob, "{\"ref\":\"1\",\"createChat\":{\"name\":\"walkers\"}}");
    (void)wire_expect(&bob, "\"chat");
    wire_say(
        &bob,
        "{\"ref\":\"2\",\"setState\":{\"profile\":{\"displayName\":\"R\\u00f6ver \\\"1\\\"\"}}}");
    (void)wire_hear(&bob);
    wire_end(&bob);
    alice_writes(messages);
    world_run(&world, 100);
}

static void
begin(uint64_t seed)
{
    begin_with(seed, MESSAGES);
}

static void
end(void)
{
    wire_end(&alice);
    world_run(&world, 10);
    for (unsigned i = 0; i < EXPORTS_MAX; i++) {
        assert_int_equal(atomic_load(&world.messenger.exports[i]), 0);
    }
    world_close(&world);
}

/* What an operator is given: a line for each row. The caller's to free. */
static char *
operators_export(const char *name)
{
    char *text = NULL;
    size_t bytes = 0;
    char cursor[64] = "";
    unsigned pages = 0;
    desk_open(&desk, &world);
    do {
        const char *const words[] = {"user", "export", name, cursor};
        desk_ask_list(&desk, words, pages == 0 ? 3 : 4);
        assert_int_equal(desk.status, SHELL_DONE);
        size_t count = strlen(desk.document) - 2; /* within [ and ] */
        text = realloc(text, bytes + count + 2);
        assert_non_null(text);
        for (size_t i = 1; i <= count; i++) {
            bool between = strncmp(desk.document + i, ",\n", 2) == 0;
            if (!between) {
                text[bytes++] = desk.document[i];
            }
        }
        if (count > 0) {
            text[bytes++] = '\n';
        }
        text[bytes] = '\0';
        (void)snprintf(cursor, sizeof cursor, "%s", desk.next);
    } while (cursor[0] != '\0' && ++pages < PAGES_MAX);
    desk_close(&desk);
    return text;
}

/* Bob asks, and gets it all. */
static void
assert_whole(struct asker *asker)
{
    await_end(asker);
    assert_int_equal(strncmp(asker->bytes, "HTTP/1.1 200 ", 13), 0);
    assert_true(unchunk(asker));
    char *expected = operators_export("bob");
    assert_int_equal(asker->count, strlen(expected));
    assert_memory_equal(asker->bytes, expected, asker->count);
    free(expected);
    free_asker(asker);
}

/* --------------------------------------------------------------------------------------- specs */

static unsigned
count_of(const char *text, const char *part)
{
    unsigned count = 0;
    for (const char *at = strstr(text, part); at != NULL; at = strstr(at + 1, part)) {
        count++;
    }
    return count;
}

static void
is_the_operators(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        struct asker asker;
        begin(seed);
        send_token(&asker, bob_token);
        await_end(&asker);
        assert_non_null(strstr(asker.bytes, "\r\nContent-Type: application/x-ndjson\r\n"));
        assert_non_null(strstr(asker.bytes, "\r\nCache-Control: no-store\r\n"));
        assert_true(unchunk(&asker));
        /* Each waits, and is in the history. */
        assert_int_equal(count_of(asker.bytes, "\"newMessage\""), 2 * MESSAGES);
        assert_int_equal(count_of(asker.bytes, "\n{\"group\":"), 1);
        assert_null(strstr(asker.bytes, bob_token));
        assert_null(strstr(asker.bytes, "argon2"));
        char *expected = operators_export("bob");
        assert_string_equal(asker.bytes, expected);
        free(expected);
        free_asker(&asker);
        assert_int_equal(messenger_counted(&world.messenger.counters.exports), 1);
        assert_int_equal(messenger_counted(&world.messenger.counters.exports_cut), 0);
        end();
    }
}

static void
is_refused(void **state)
{
    (void)state;
    char request[REQUEST_BYTES];
    char wrong[sizeof bob_token];
    begin_with(1, 1);
    memcpy(wrong, bob_token, sizeof wrong);
    wrong[strlen(wrong) - 2] = wrong[strlen(wrong) - 2] == 'A' ? 'B' : 'A';
    static const struct {
        const char *format, *status, *part;
        bool wrong;
    } rows[] = {
        {"GET /export HTTP/1.1\r\nHost: n\r\n\r\n", "401", "WWW-Authenticate: Bearer\r\n", true},
        {"GET /export HTTP/1.1\r\nHost: n\r\nAuthorization: Basic %s\r\n\r\n", "401", "Bearer",
         true},
        {"GET /export HTTP/1.1\r\nHost: n\r\nAuthorization: Bearer %s\r\n\r\n", "401",
         "not a token", true},
        {"GET /export HTTP/1.1\r\nHost: n\r\nAuthorization: Bearer nonsense\r\n\r\n", "401",
         "not a token", true},
        {"POST /export HTTP/1.1\r\nHost: n\r\nAuthorization: Bearer %s\r\n\r\n", "405",
         "Allow: ", false},
        {"HEAD /export HTTP/1.1\r\nHost: n\r\nAuthorization: Bearer %s\r\n\r\n", "405",
         "Allow: GET\r\n", false},
        {"GET /export HTTP/1.0\r\nHost: n\r\nAuthorization: Bearer %s\r\n\r\n", "505", "HTTP/1.1",
         false},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
        (void)snprintf(request, sizeof request, rows[i].format, rows[i].wrong ? wrong : bob_token);
#pragma GCC diagnostic pop
        expect_refusal(request, rows[i].status, rows[i].part);
    }
    assert_int_equal(messenger_counted(&world.messenger.counters.exports), 0);
    (void)snprintf(request, sizeof request,
                   "GET /export HTTP/1.1\r\nHost: n\r\nAuthorization: Bearer %s\r\n\r\n",
                   bob_token);
    world.settings.connections_max = 1;
    expect_refusal(request, "503", "Retry-After: ");
    world.settings.connections_max = 1000;
    world.settings.exports_max = 0;
    expect_refusal(request, "404", "no such page");
    world.settings.exports_max = EXPORTS_MAX;
    world.settings.address_rates[RATE_FAILED_LOGINS] = 1;
    static const char from_afar[] = "GET /export HTTP/1.1\r\nHost: n\r\n"
                                    "X-Forwarded-For: 192.0.2.7\r\n"
                                    "Authorization: Bearer x\r\n\r\n";
    expect_refusal(from_afar, "401", "not a token");
    expect_refusal(from_afar, "429", "Retry-After: ");
    end();
}

/* Who has had one is given another, up to so many a day; refusals cost nothing. */
static void
is_rated(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        struct asker asker;
        begin_with(seed, 3);
        for (unsigned i = 0; i < EXPORTS_PER_DAY; i++) {
            send_token(&asker, bob_token);
            assert_whole(&asker);
        }
        send_token(&asker, bob_token);
        expect_status(&asker, "429", "in a day\n");
        send_token(&asker, bob_token);
        expect_status(&asker, "429", "Retry-After: 2"); /* a third of a day: 28,800 */
        assert_int_equal(messenger_counted(&world.messenger.counters.rate_refused[RATE_EXPORTS]),
                         2);
        send_token(&asker, alice_token);
        expect_status(&asker, "200", "chunked");
        world_run(&world, 24ULL * 3600 * 1000 / EXPORTS_PER_DAY);
        send_token(&asker, bob_token);
        assert_whole(&asker);
        wire_end(&alice);
        wire_open(&alice, &world, PROTOCOL_JSON);
        end();
    }
}

static void
is_one_at_a_time(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        struct asker first, second, third;
        begin(seed);
        send_token(&first, bob_token);
        await_bytes(&first);
        sim_peer_pause(first.peer, true);
        world_run(&world, 1000);
        assert_false(first.ended);
        send_token(&second, bob_token);
        expect_status(&second, "429", "Retry-After: 10\r\n");
        send_token(&second, alice_token); /* somebody else may */
        await_bytes(&second);
        sim_peer_pause(second.peer, true);
        atomic_store(&world.messenger.exports[EXPORTS_MAX - 1], 1); /* if it was through already */
        desk_open(&desk, &world);
        desk_ask(&desk, "user", "token", "bob", "other");
        desk_close(&desk);
        send_token(&third, bob_token); /* still one */
        expect_status(&third, "429", "under way\n");
        sim_peer_cut(first.peer); /* he goes: his place is free at once */
        world_run(&world, 1000);
        atomic_store(&world.messenger.exports[0], 1);
        send_token(&third, bob_token);
        expect_status(&third, "503", "Retry-After: 10\r\n");
        atomic_store(&world.messenger.exports[0], 0);
        sim_peer_pause(second.peer, false);
        await_end(&second);
        atomic_store(&world.messenger.exports[EXPORTS_MAX - 1], 0);
        free_asker(&first);
        free_asker(&second);
        send_token(&first, bob_token);
        assert_whole(&first);
        assert_int_equal(messenger_counted(&world.messenger.counters.exports_cut), 1);
        end();
    }
}

/* As `nc -N` does. */
static void
may_end_their_side(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        struct asker asker;
        begin(seed);
        send_token(&asker, bob_token);
        sim_peer_shutdown(asker.peer);
        assert_whole(&asker);
        send_token(&asker, bob_token);
        await_bytes(&asker);
        sim_peer_pause(asker.peer, true);
        sim_peer_shutdown(asker.peer); /* in the middle */
        world_run(&world, 1000);
        sim_peer_pause(asker.peer, false);
        assert_whole(&asker);
        assert_int_equal(messenger_counted(&world.messenger.counters.exports_cut), 0);
        end();
    }
}

/* Who has ended his side, and then goes altogether, leaves his place as anybody. */
static void
ends_with_who_goes_later(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        struct asker asker;
        begin(seed);
        send_token(&asker, bob_token);
        sim_peer_shutdown(asker.peer);
        await_bytes(&asker);
        sim_peer_pause(asker.peer, true);
        world_run(&world, 1000);
        sim_peer_cut(asker.peer);
        world_run(&world, 1000);
        free_asker(&asker);
        assert_int_equal(messenger_counted(&world.messenger.counters.exports_cut), 1);
        send_token(&asker, bob_token);
        assert_whole(&asker);
        end();
    }
}

/* Until so much more has come, or all. */
static void
await_more(const struct asker *asker, size_t bytes)
{
    size_t before = asker->count;
    for (unsigned ms = 0; !asker->ended && asker->count < before + bytes && ms < PATIENCE_MS;
         ms++) {
        world_run(&world, 1);
    }
}

/* Bob's is under way. */
static void
begin_export(uint64_t seed, struct asker *asker)
{
    begin(seed);
    send_token(asker, bob_token);
    await_bytes(asker);
}

/* Five kilobytes a second, in bursts; the node holds no more than a page, and serves others. */
static void
may_be_read_slowly(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        struct asker asker;
        unsigned bursts = 0;
        begin_export(seed, &asker);
        for (; !asker.ended; bursts++) {
            sim_peer_pause(asker.peer, true);
            world_run(&world, 20000);
            wire_say(&alice, "{\"ping\":{}}");
            (void)wire_expect(&alice, "\"pong\"");
            sim_peer_pause(asker.peer, false);
            await_more(&asker, 100000);
        }
        assert_in_range(bursts, 3, 100);
        assert_whole(&asker);
        end();
    }
}

static void
ends_where_nobody_reads(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        struct asker asker;
        begin_export(seed, &asker);
        sim_peer_pause(asker.peer, true);
        world_run(&world, 100000);
        assert_int_equal(messenger_counted(&world.messenger.counters.slow), 1);
        assert_int_equal(messenger_counted(&world.messenger.counters.exports_cut), 1);
        sim_peer_pause(asker.peer, false);
        await_end(&asker);
        assert_false(unchunk(&asker));
        free_asker(&asker);
        send_token(&asker, bob_token);
        assert_whole(&asker);
        end();
    }
}

/* A packet now and then: it would take a place for hours. */
static void
ends_where_a_page_takes_too_long(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        struct asker asker;
        unsigned sips = 0;
        begin_export(seed, &asker);
        asker.sips = true;
        for (; messenger_counted(&world.messenger.counters.slow) == 0; sips++) {
            assert_false(asker.ended);
            sim_peer_pause(asker.peer, false);
            world_run(&world, 20000);
        }
        asker.sips = false;
        sim_peer_pause(asker.peer, false);
        assert_in_range(sips, 6, 100); /* more than in thirty seconds */
        await_end(&asker);
        assert_false(unchunk(&asker));
        free_asker(&asker);
        end();
    }
}

/* What was given lacks its end, so that nobody takes it for the whole. */
static void
is_cut_by_a_crash(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        struct asker asker;
        begin_export(seed, &asker);
        world_run(&world, seed);
        assert_false(asker.ended);
        world_crash(&world);
        assert_false(unchunk(&asker));
        free_asker(&asker);
        wire_end(&alice);
        wire_return(&alice);
        send_token(&asker, bob_token);
        assert_whole(&asker);
        end();
    }
}

static void
kill_partition(uint64_t user)
{
    char pid[SHELL_PID_BYTES];
    shell_pid_print(store_user_pid(world.store, user), pid);
    const char *const words[] = {"kill", pid};
    desk_ask_list(&desk, words, 2);
}

/* It is asked again. */
static void
outlives_its_partition(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        struct asker asker;
        begin(seed);
        desk_open(&desk, &world);
        send_token(&asker, bob_token);
        await_bytes(&asker);
        for (unsigned i = 0; i < KILLS; i++) {
            kill_partition(bob_id);
            await_more(&asker, 50000);
        }
        desk_close(&desk);
        await_end(&asker);
        world_run(&world, 5000);
        assert_whole(&asker);
        end();
    }
}

static void
ends_with_the_device(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        struct asker asker;
        begin_export(seed, &asker);
        sim_peer_pause(asker.peer, true);
        world_run(&world, 1000);
        desk_open(&desk, &world);
        desk_ask(&desk, "user", "revoke", "bob", "1");
        assert_int_equal(desk.status, SHELL_DONE);
        desk_close(&desk);
        sim_peer_pause(asker.peer, false);
        await_end(&asker);
        assert_true(asker.reset || !unchunk(&asker));
        free_asker(&asker);
        send_token(&asker, bob_token);
        expect_status(&asker, "401", "revoked");
        end();
    }
}

int
main(void)
{
    static const struct CMUnitTest specs[] = {
        SPEC("a user is given what an operator is, byte for byte, and no secret", is_the_operators),
        SPEC("without a good token, or asked in another way, it is refused", is_refused),
        SPEC("a user has so many a day, and what was refused costs none", is_rated),
        SPEC("a user has one at a time, the node a few; who goes leaves his place",
             is_one_at_a_time),
        SPEC("who ends his side of the connection is given all of it", may_end_their_side),
        SPEC("who has, and goes altogether, leaves his place", ends_with_who_goes_later),
        SPEC("who reads slowly gets it all, and holds up nobody", may_be_read_slowly),
        SPEC("who does not read gets no more, and says so to himself", ends_where_nobody_reads),
        SPEC("who takes minutes for a page gets no more", ends_where_a_page_takes_too_long),
        SPEC("a crash cuts it, visibly, and the next one is whole", is_cut_by_a_crash),
        SPEC("a partition that is killed meanwhile leaves it whole", outlives_its_partition),
        SPEC("with the device that asked ends what it is given", ends_with_the_device),
    };
    return cmocka_run_group_tests(specs, NULL, NULL);
}
